/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_tuner_snapshot.c: what the tuner knows of a machine, from every source, and from bad ones.
 *
 * A tree shaped like /sys and /proc is made in a folder of this process: a merged cache with two
 * names, one of its own, four CPUs on two nodes. Recorded tables of real kernels are in tests/data,
 * a trace comes from tests/support/make_trace.c. Bad input is a table of texts, each with the words
 * that the one line about it must hold.
 */
#define _GNU_SOURCE
#include "tuner/snapshot_impl.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#define TABLE TEST_DATA "/slabinfo-6.18-2cpu.tsv"
#define TEXT  TEST_DATA "/slabinfo-6.18-2cpu.txt"

static const struct nslab_tuner_given nothing_given = {-1, -1, NULL};
static const struct nslab_tuner_given given_2cpu = {2, 1, "6.18"};

static char folder[] = "/tmp/numaslab-snapshot-XXXXXX";
static struct nslab_err err;

/* ---- files ---- */

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

/* Below the test's folder; folders are made. Returns the full path, valid until the next call. */
static const char *put(const char *path, const char *text)
{
	static char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s/%s", folder, path);
	shell("mkdir -p \"$(dirname '%s')\"", full);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	return full;
}

static void put_cache(const char *name, const char *attributes)
{
	char *copy = strdup(attributes), *rest = copy, path[256];

	for (char *word; (word = strsep(&rest, "|"));) {
		char *value = strchr(word, '=');

		*value++ = '\0';
		snprintf(path, sizeof(path), "sys/kernel/slab/%s/%s", name, word);
		put(path, value);
	}
	free(copy);
}

#define SLABINFO                                                                                   \
 "slabinfo - version: 2.1\n"                                                                       \
 "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : ...\n"        \
 "second                90    128     64   64    1 : tunables    0    0    0 : slabdata      2 "   \
 "     2      0\n"                                                                                 \
 "big                    5     29   1128   29    8 : tunables    0    0    0 : slabdata      1 "   \
 "     1      0\n"

static int make_tree(void **state)
{
	struct utsname here;
	char path[128];

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(uname(&here), 0);
	put("proc/sys/kernel/osrelease", "6.12.48-amd64\n");
	put("proc/sys/kernel/arch", here.machine);
	put("proc/cmdline", "root=UUID=secret slab_min_objects=16 quiet slab_nomerge -- slab_x\n");
	put("proc/buddyinfo", "Node 0, zone   Normal 1 2 3 4 5 6 7 8 9 10 11\n"
			      "Node 1, zone   Normal 1 0 0 0 0 0 0 0 0 0 100\n");
	put("proc/slabinfo", SLABINFO);
	put("sys/devices/system/cpu/present", "0-2,5\n");
	put("sys/devices/system/node/online", "0,2\n");
	put("sys/devices/system/node/node0/meminfo", "Node 0 MemTotal:  2097152 kB\n");
	put("sys/devices/system/node/node2/meminfo", "Node 2 MemTotal:  1048576 kB\n");
	for (int cpu = 0; cpu < 6; cpu++) {
		snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%d/node%d/x", cpu,
			 cpu < 2 ? 0 : 2);
		put(path, "");
	}
	put_cache(":0000064", "object_size=60|slab_size=64|align=8|order=0|objs_per_slab=64|"
			      "min_partial=5|cpu_partial=120|objects=90 N0=60 N2=30|"
			      "total_objects=128 N0=64 N2=64|slabs=2 N0=1 N2=1|partial=1 N2=1");
	put_cache("big",
		  "object_size=1120|slab_size=1128|align=8|order=3|objs_per_slab=29|"
		  "min_partial=5|cpu_partial=24|objects=5|total_objects=29|slabs=1|partial=0|"
		  "reclaim_account=1|ctor=init+0x0/0x10\n|red_zone=1");
	shell("cd %s/sys/kernel/slab && ln -s :0000064 second && ln -s :0000064 first", folder);
	return 0;
}

static int remove_tree(void **state)
{
	(void)state;
	shell("rm -rf %s", folder);
	return 0;
}

/* ---- helpers ---- */

static char *json_text(const struct nslab_tuner_snapshot *snapshot)
{
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	assert_int_equal(nslab_tuner_snapshot_write(snapshot, out, &err), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* What is written reads back, and writes the same bytes. */
static void assert_round_trip(const struct nslab_tuner_snapshot *snapshot)
{
	struct nslab_tuner_snapshot *again;
	char *before = json_text(snapshot), *after;

	if (nslab_tuner_snapshot_parse("again", before, strlen(before), &nothing_given, &again,
				       &err))
		fail_msg("%s", err.text);
	after = json_text(again);
	assert_string_equal(before, after);
	assert_memory_equal(&snapshot->knobs, &again->knobs, sizeof(again->knobs));
	assert_int_equal(snapshot->kernel, again->kernel);
	free(before);
	free(after);
	nslab_tuner_snapshot_free(again);
}

static bool has_note(const struct nslab_tuner_snapshot *snapshot, const char *words)
{
	for (size_t i = 0; i < snapshot->nr_notes; i++) {
		if (strstr(snapshot->notes[i], words))
			return true;
	}
	return false;
}

static struct nslab_tuner_snapshot *parse_or_fail(const char *text,
						  const struct nslab_tuner_given *given)
{
	struct nslab_tuner_snapshot *snapshot = NULL;

	if (nslab_tuner_snapshot_parse("f", text, strlen(text), given, &snapshot, &err))
		fail_msg("%s", err.text);
	return snapshot;
}

static void assert_refused(int rc, int want, const char *words)
{
	if (rc != want || !strstr(err.text, words) || strchr(err.text, '\n'))
		fail_msg("ended %d: '%s', wanted %d and '%s'", rc, err.text, want, words);
}

static void parse_refused(const char *text, const struct nslab_tuner_given *given,
			  const char *words)
{
	struct nslab_tuner_snapshot *snapshot;

	err.text[0] = '\0';
	assert_refused(nslab_tuner_snapshot_parse("f", text, strlen(text), given, &snapshot, &err),
		       -EINVAL, words);
}

/* ---- a machine ---- */

static void snapshot_takes_caches_and_machine_when_all_can_be_read(void **state)
{
	const int nodes[] = {0, 0, 1, 1};
	const struct nslab_tuner_cache *cache;
	struct nslab_tuner_snapshot *s;

	(void)state;
	if (nslab_tuner_snapshot_take(folder, &nothing_given, &s, &err))
		fail_msg("%s", err.text);
	assert_int_equal(s->nr_cpus, 4);
	assert_int_equal(s->nr_nodes, 2);
	assert_memory_equal(s->cpu_nodes, nodes, sizeof(nodes));
	assert_int_equal(s->node_mib[0], 2048);
	assert_int_equal(s->node_mib[1], 1024);
	assert_true(s->has_free_blocks);
	assert_int_equal(s->free_blocks[0], 2);
	assert_int_equal(s->free_blocks[10], 111);
	assert_int_equal(s->kernel, NSLAB_ORDER_6_12);
	assert_string_equal(s->cmdline_slab, "slab_min_objects=16 slab_nomerge");
	assert_int_equal(s->knobs.min_objects, 16);
	assert_string_equal(s->taken_at, "");
	assert_int_equal(s->nr_caches, 2);
	cache = nslab_tuner_snapshot_find(s, "first");
	assert_ptr_equal(cache, nslab_tuner_snapshot_find(s, ":0000064"));
	assert_string_equal(cache->name, "second"); /* as slabinfo calls it */
	assert_int_equal(cache->nr_aliases, 2);
	assert_string_equal(cache->aliases[0], "first");
	assert_int_equal(cache->live, 90);
	assert_int_equal(cache->nr_partial, 1);
	assert_int_equal(cache->sheaf_capacity, 0);
	cache = nslab_tuner_snapshot_find(s, "big");
	assert_int_equal(cache->nr_aliases, 0);
	assert_string_equal(cache->folder, "big");
	assert_int_equal(cache->flags, SLAB_RECLAIM_ACCOUNT | SLAB_RED_ZONE);
	assert_true(cache->has_ctor && cache->is_debug);
	assert_null(nslab_tuner_snapshot_find(s, "none"));
	assert_int_equal(s->nr_notes, 0);
	assert_round_trip(s);
	nslab_tuner_snapshot_free(s);
}

static void snapshot_writes_equal_bytes_when_taken_twice(void **state)
{
	struct nslab_tuner_snapshot *one, *two;
	char *first, *second;

	(void)state;
	assert_int_equal(nslab_tuner_snapshot_take(folder, &nothing_given, &one, &err), 0);
	assert_int_equal(nslab_tuner_snapshot_take(folder, &nothing_given, &two, &err), 0);
	first = json_text(one);
	second = json_text(two);
	assert_string_equal(first, second);
	assert_null(strstr(first, "secret"));
	assert_null(strstr(first, folder));
	free(first);
	free(second);
	nslab_tuner_snapshot_free(one);
	nslab_tuner_snapshot_free(two);
}

/* As a user who is not root, whoever runs the tests. */
static int take_unprivileged(struct nslab_tuner_snapshot **s)
{
	bool is_root = geteuid() == 0;
	int rc;

	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	rc = nslab_tuner_snapshot_take(folder, &nothing_given, s, &err);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	return rc;
}

static void snapshot_takes_slabinfo_when_sysfs_may_not_be_read(void **state)
{
	const struct nslab_tuner_cache *cache;
	struct nslab_tuner_snapshot *s;

	(void)state;
	shell("chmod 755 %s && chmod 0 %s/sys/kernel/slab/*/order", folder, folder);
	if (take_unprivileged(&s))
		fail_msg("%s", err.text);
	assert_true(has_note(s, "cannot be read (Permission denied): /proc/slabinfo serves"));
	assert_int_equal(s->nr_caches, 2);
	cache = nslab_tuner_snapshot_find(s, "big");
	assert_int_equal(cache->order, 3);
	assert_int_equal(cache->total, 29);
	assert_round_trip(s);
	nslab_tuner_snapshot_free(s);
	shell("chmod 0 %s/proc/slabinfo", folder);
	assert_refused(take_unprivileged(&s), -EACCES, "run as root, or give a snapshot");
	shell("chmod 644 %s/proc/slabinfo %s/sys/kernel/slab/*/order", folder, folder);
}

static void snapshot_counts_possible_cpus_when_one_is_present(void **state)
{
	struct nslab_tuner_snapshot *s;

	(void)state;
	put("sys/devices/system/cpu/possible", "0-7\n");
	put("sys/devices/system/cpu/present", "0\n");
	assert_int_equal(nslab_tuner_snapshot_take(folder, &nothing_given, &s, &err), 0);
	assert_int_equal(s->nr_cpus, 8);
	assert_true(has_note(s, "one CPU is present"));
	assert_round_trip(s);
	nslab_tuner_snapshot_free(s);
	put("sys/devices/system/cpu/present", "0-2,5\n");
}

static void snapshot_says_what_is_wrong_when_the_machine_is_no_known_one(void **state)
{
	struct nslab_tuner_given given = nothing_given;
	struct nslab_tuner_snapshot *s;

	(void)state;
	put("proc/sys/kernel/osrelease", "5.14.0-503.el9\n");
	assert_refused(nslab_tuner_snapshot_take(folder, &nothing_given, &s, &err), -EINVAL,
		       "'5.14.0-503.el9' are not known; give --kernel");
	given.kernel = "6.1";
	assert_int_equal(nslab_tuner_snapshot_take(folder, &given, &s, &err), 0);
	assert_true(has_note(s, "those of 6.1 are taken"));
	assert_true(has_note(s, "'slab_min_objects=16' has no effect"));
	assert_int_equal(s->knobs.min_objects, 0);
	assert_round_trip(s); /* without --kernel */
	nslab_tuner_snapshot_free(s);
	put("proc/sys/kernel/osrelease", "6.12.48-amd64\n");
	put("proc/sys/kernel/arch", "s390x\n");
	assert_refused(nslab_tuner_snapshot_take(folder, &nothing_given, &s, &err), -EINVAL,
		       "arch is 's390x'");
	shell("rm %s/proc/sys/kernel/arch", folder);
	assert_refused(nslab_tuner_snapshot_take("/nowhere", &nothing_given, &s, &err), -ENOENT,
		       "cannot open root '/nowhere'");
}

/* ---- files ---- */

static void snapshot_reads_a_recorded_table(void **state)
{
	const struct nslab_tuner_cache *cache;
	struct nslab_tuner_snapshot *s;

	(void)state;
	if (nslab_tuner_snapshot_read(TABLE, &given_2cpu, &s, &err))
		fail_msg("%s", err.text);
	assert_int_equal(s->nr_caches, 235);
	assert_string_equal(s->source, TABLE);
	cache = nslab_tuner_snapshot_find(s, "ext4_inode_cache");
	assert_int_equal(cache->size, 1128);
	assert_int_equal(cache->order, 2);
	assert_int_equal(cache->objects, 14);
	assert_true(cache->flags & SLAB_RECLAIM_ACCOUNT);
	cache = nslab_tuner_snapshot_find(s, "Acpi-Namespace");
	assert_string_equal(cache->folder, ":0000048");
	assert_int_equal(cache->nr_aliases, 6);
	assert_int_equal(s->nr_notes, 0); /* every order is what the rules say */
	assert_round_trip(s);
	nslab_tuner_snapshot_free(s);
}

static void snapshot_reads_slabinfo_like_the_table_of_its_kernel(void **state)
{
	struct nslab_tuner_snapshot *text, *table;

	(void)state;
	assert_int_equal(nslab_tuner_snapshot_read(TABLE, &given_2cpu, &table, &err), 0);
	if (nslab_tuner_snapshot_read(TEXT, &given_2cpu, &text, &err))
		fail_msg("%s", err.text);
	assert_int_equal(text->nr_caches, 235);
	assert_true(has_note(text, "min_partial or cpu_partial of 235 caches are not told"));
	for (size_t i = 0; i < text->nr_caches; i++) {
		const struct nslab_tuner_cache *poor = &text->caches[i];
		const struct nslab_tuner_cache *rich = nslab_tuner_snapshot_find(table, poor->name);

		assert_non_null(rich);
		assert_int_equal(poor->size, rich->size);
		assert_int_equal(poor->order, rich->order);
		assert_int_equal(poor->objects, rich->objects);
		assert_int_equal(poor->min_partial, rich->min_partial);
		assert_int_equal(poor->cpu_partial, rich->cpu_partial);
	}
	assert_round_trip(text);
	nslab_tuner_snapshot_free(text);
	nslab_tuner_snapshot_free(table);
}

static void snapshot_takes_from_the_user_what_a_file_does_not_tell(void **state)
{
	static const char table[] = "name\tobject_size\tslab_size\na\t56\t64\nb\t12000\t12000\n";
	struct nslab_tuner_given given = {64, -1, "6.1.140"};
	struct nslab_tuner_snapshot *s = parse_or_fail(table, &given);

	(void)state;
	assert_int_equal(s->kernel, NSLAB_ORDER_6_1);
	assert_string_equal(s->release, "6.1.140");
	assert_int_equal(s->nr_nodes, 1);
	assert_true(has_note(s, "nodes are not told"));
	assert_true(has_note(s, "of 2 caches are not told: computed by the rules of Linux 6.1"));
	assert_int_equal(s->caches[1].order, 2);
	assert_int_equal(s->caches[1].objects, 1);
	assert_int_equal(s->caches[0].live, NSLAB_TUNER_UNKNOWN);
	assert_true(isnan(s->caches[0].allocs_per_s));
	assert_round_trip(s);
	nslab_tuner_snapshot_free(s);
	given.nr_cpus = -1;
	parse_refused(table, &given,
		      "'f' does not tell how many CPUs the machine has; give --cpus");
	given = (struct nslab_tuner_given){4, 1, NULL};
	parse_refused(table, &given, "'f' does not tell its kernel; give --kernel");
	given.kernel = "4.4";
	parse_refused(table, &given, "option '--kernel': unknown kernel '4.4'");
	given = (struct nslab_tuner_given){0, 1, "6.1"};
	parse_refused(table, &given, "option '--cpus' takes 1..8192, not 0");
	given = (struct nslab_tuner_given){9000, 1, "6.1"};
	parse_refused(table, &given, "option '--cpus' takes 1..8192, not 9000");
}

static void snapshot_names_rules_that_the_caches_do_not_follow(void **state)
{
	struct nslab_tuner_given given = {64, 1, "6.18"};
	struct nslab_tuner_snapshot *s;

	(void)state;
	assert_int_equal(nslab_tuner_snapshot_read(TABLE, &given, &s, &err), 0);
	assert_true(
		has_note(s, "caches have another order than the rules of Linux 6.18 give for 64"));
	nslab_tuner_snapshot_free(s);
}

static void snapshot_maps_releases_to_rules(void **state)
{
	static const struct {
		const char *release;
		int kernel; /* -1: not known */
	} want[] = {
		{"6.1.0-56-cloud-amd64", NSLAB_ORDER_6_1},
		{"6.6.99", NSLAB_ORDER_6_1},
		{"6.7.1", -1},
		{"6.8.0-41-generic", NSLAB_ORDER_6_12},
		{"6.17.0+", NSLAB_ORDER_6_12},
		{"6.18.44-fc-v669", NSLAB_ORDER_6_18},
		{"6.19-rc2", NSLAB_ORDER_6_18},
		{"6.20.1", -1},
		{"7.0.3", NSLAB_ORDER_6_18},
		{"7.1", -1},
		{"5.15.0", -1},
		{"6", -1},
		{"six", -1},
		{"6.120", -1},
	};
	char table[] = "name\tobject_size\tslab_size\na\t56\t64\n";

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct nslab_tuner_given given = {2, 1, want[i].release};
		struct nslab_tuner_snapshot *s;

		if (want[i].kernel < 0) {
			parse_refused(table, &given, "unknown kernel");
			continue;
		}
		s = parse_or_fail(table, &given);
		assert_int_equal(s->kernel, want[i].kernel);
		assert_int_equal(has_note(s, "Linux 7.0"), want[i].release[0] == '7');
		assert_int_equal(s->caches[0].cpu_partial == NSLAB_TUNER_UNKNOWN,
				 want[i].release[0] == '7');
		nslab_tuner_snapshot_free(s);
	}
}

static void snapshot_reads_boot_parameters_as_the_kernel_does(void **state)
{
	static const struct {
		const char *release, *cmdline;
		struct nslab_order_knobs knobs;
	} want[] = {
		{"6.12", "", {0, 3, 0}},
		{"6.12", "slab_max_order=1 slab_min_order=2", {2, 2, 0}},
		{"6.12", "slab_min_order=2 slab_max_order=1", {1, 1, 0}},
		{"6.12", "slub_max_order=0x5 slab_min_objects=64", {0, 5, 64}},
		{"6.12", "slab_max_order=99 slab_min_objects=99999999999", {0, 10, 32767}},
		{"6.12", "slab_max_order=x slab_max_order slab_min_objects=-1", {0, 3, 0}},
		{"6.1", "slab_max_order=0 slub_min_order=1", {1, 3, 0}},
		{"6.1", "slub_max_order=1 slub_min_order=2", {2, 1, 0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		char text[512];
		struct nslab_tuner_snapshot *s;

		snprintf(
			text, sizeof(text),
			"{\"numaslab_snapshot\": 1, \"release\": \"%s\", \"cpus\": 2, \"nodes\": 1,"
			"\"cmdline_slab\": \"%s\", \"caches\": [{\"name\": \"a\", "
			"\"object_size\": 8, \"slab_size\": 8}]}",
			want[i].release, want[i].cmdline);
		s = parse_or_fail(text, &nothing_given);
		assert_memory_equal(&s->knobs, &want[i].knobs, sizeof(s->knobs));
		assert_string_equal(s->cmdline_slab, want[i].cmdline);
		assert_round_trip(s);
		nslab_tuner_snapshot_free(s);
	}
}

/* ---- traces and spelled-out caches ---- */

static void snapshot_has_rates_when_it_comes_from_a_trace(void **state)
{
	char path[128];
	const struct nslab_tuner_cache *cache;
	struct nslab_tuner_snapshot *s;

	(void)state;
	snprintf(path, sizeof(path), "%s/t.nstrace", folder);
	shell("%s %s 20000 8", TEST_MAKE_TRACE, path);
	if (nslab_tuner_snapshot_of_trace(path, &nothing_given, &s, &err))
		fail_msg("%s", err.text);
	assert_int_equal(s->nr_cpus, 8);
	assert_int_equal(s->nr_nodes, 4);
	assert_int_equal(s->cpu_nodes[7], 3);
	cache = nslab_tuner_snapshot_find(s, "t-dentry");
	assert_int_equal(cache->objects, 21);
	assert_int_equal(cache->flags, SLAB_RECLAIM_ACCOUNT);
	assert_true(cache->live > 2100);
	assert_true(cache->allocs_per_s > cache->frees_per_s && cache->frees_per_s > 0.0);
	assert_true(cache->remote_share > 0.05 && cache->remote_share < 0.2);
	cache = nslab_tuner_snapshot_find(s, "t-inode"); /* of no recorded kernel: by rule */
	assert_int_equal(cache->size, 608);
	assert_int_equal(cache->object_size, 600);
	assert_int_equal(cache->order, 2); /* 20 objects for 8 CPUs */
	assert_non_null(nslab_tuner_snapshot_find(s, "kmalloc-128"));
	assert_int_equal(s->nr_caches, 3);
	assert_true(has_note(s, "2 caches have no attributes in the trace"));
	assert_round_trip(s);
	nslab_tuner_snapshot_free(s);
	assert_refused(nslab_tuner_snapshot_read(path, &nothing_given, &s, &err), -EINVAL,
		       "is a trace; give it as --trace");
	assert_refused(nslab_tuner_snapshot_of_trace(TABLE, &nothing_given, &s, &err), -EINVAL, "");
}

static void snapshot_of_an_imported_trace_wants_cpus_and_kernel(void **state)
{
	const char *path = TEST_IMPORTED;
	struct nslab_tuner_given given = {4, 1, "6.18"};
	struct nslab_tuner_snapshot *s;

	(void)state;
	assert_refused(nslab_tuner_snapshot_of_trace(path, &nothing_given, &s, &err), -EINVAL,
		       "has no attributes of caches, as numaslab record keeps them; give --cpus N");
	if (nslab_tuner_snapshot_of_trace(path, &given, &s, &err))
		fail_msg("%s", err.text);
	assert_int_equal(s->nr_cpus, 4);
	assert_true(s->nr_caches > 0);
	assert_round_trip(s);
	nslab_tuner_snapshot_free(s);
}

static void snapshot_makes_caches_that_are_spelled_out(void **state)
{
	static const char *const caches[] = {"name=a,size=256,live=1000,rate=1e5",
					     "live=1e6,name=b,size=1128,object_size=1120,"
					     "align=8,order=2,remote=0.5,rate=2.5",
					     "name=c,size=64,live=0", NULL};
	struct nslab_tuner_given given = {16, 2, "6.12"};
	struct nslab_tuner_snapshot *s;

	(void)state;
	if (nslab_tuner_snapshot_make(caches, &given, &s, &err))
		fail_msg("%s", err.text);
	assert_int_equal(s->nr_caches, 3);
	assert_int_equal(s->nr_nodes, 2);
	assert_int_equal(s->caches[0].order, 1); /* 32 objects for 16 CPUs */
	assert_int_equal(s->caches[0].objects, 32);
	assert_true(s->caches[0].allocs_per_s == 1e5);
	assert_true(isnan(s->caches[0].remote_share));
	assert_int_equal(s->caches[1].order, 2);
	assert_int_equal(s->caches[1].live, 1000000);
	assert_true(s->caches[1].remote_share == 0.5);
	assert_true(isnan(s->caches[2].allocs_per_s));
	assert_round_trip(s);
	nslab_tuner_snapshot_free(s);
}

static void snapshot_refuses_caches_that_are_spelled_wrong(void **state)
{
	static const struct {
		const char *cache, *words;
	} wrong[] = {
		{"", "'' is no WORD=VALUE"},
		{"size=8,live=1", "name, size and live are needed, name is missing"},
		{"name=a,live=1", "size is missing"},
		{"name=a,size=8", "live is missing"},
		{"name=a,size=8,live=1,color=2", "unknown word 'color'; name, size, live, rate,"},
		{"name=a,size=8,live=x", "live is 'x'; a whole number of 0.."},
		{"name=a,size=8,live=1,size=9", "'size' is there twice"},
		{"name=a,size=8.5,live=1", "size is '8.5'"},
		{"name=a,size=nan,live=1", "size is 'nan'"},
		{"name=a,size=8,live=1,remote=2", "remote is '2'; 0..1 is accepted"},
		{"name=a,size=8,live=1,order=11", "order is '11'"},
		{"name=a,size=8,live=1,object_size=16",
		 "object_size 16 is larger than slab_size 8"},
		{"name=a,size=9000,live=1,order=0", "a slab of order 0 has 4096 bytes"},
		{"name=a/b,size=8,live=1", "byte 0x2f is in no cache's name"},
		{"name=,size=8,live=1", "name of a cache has 0 bytes"},
	};
	const char *twice[] = {"name=a,size=8,live=1", "name=a,size=16,live=1", NULL};
	const char *none[] = {NULL};
	struct nslab_tuner_snapshot *s;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *caches[] = {wrong[i].cache, NULL};

		assert_refused(nslab_tuner_snapshot_make(caches, &given_2cpu, &s, &err), -EINVAL,
			       wrong[i].words);
	}
	assert_refused(nslab_tuner_snapshot_make(twice, &given_2cpu, &s, &err), -EINVAL,
		       "cache 'a' is there twice");
	assert_refused(nslab_tuner_snapshot_make(none, &given_2cpu, &s, &err), -EINVAL,
		       "holds no cache");
}

/* ---- bad files ---- */

#define FIRST	       "{\"numaslab_snapshot\": 1,\n"
#define HEAD	       FIRST "\"release\": \"6.12.1\",\n\"cpus\": 2,\n\"nodes\": 1,\n"
#define CACHES(caches) HEAD "\"caches\": [\n" caches "]}\n"
#define ONE(rest)      CACHES("{\"name\": \"a\", \"object_size\": 60, \"slab_size\": 64" rest "}")
#define COLUMNS	       "name\tobject_size\tslab_size\torder\tobjs_per_slab\n"
#define LINE(numbers)  "slabinfo - version: 2.1\n# name\na " numbers "\n"
#define REST	       " : tunables 0 0 0 : slabdata 1 1 0"

static const struct bad_file {
	const char *text, *words;
} bad_files[] = {
	{"", "'f' is empty"},
	{"# only a remark\n", "'f' is empty"},
	{"hello\n", "f:1: neither JSON of numaslab snapshot, nor a table with tabs, nor slabinfo"},
	{"name\t\033[2J\n", "f:1: byte 0x1b is no text"},
	/* JSON */
	{"{", "f:1: not JSON"},
	{HEAD "\"caches\": [\n{\"name\": \"a", "f:6: not JSON"},
	{"{}", "f:1: 'numaslab_snapshot' is missing: no snapshot; numaslab snapshot writes one"},
	{"{\"numaslab_snapshot\": 2}", "f:1: numaslab_snapshot is no whole number of 1 to 1"},
	{HEAD "\"page_bytes\": 65536}",
	 "f:5: page_bytes is 65536; the rules are known for pages of"},
	{HEAD "\"arch\": \"s390x\"}", "f:5: arch is 's390x', but this machine is '"},
	{HEAD "\"kernel\": \"9.9\"}", "f:5: kernel is '9.9'; 6.1, 6.12 and 6.18 are known"},
	{HEAD "\"cpus\": 4}", "not JSON"}, /* twice */
	{FIRST "\"cpus\": 0}", "f:2: cpus is no whole number of 1 to 8192"},
	{FIRST "\"cpus\": \"2\"}", "f:2: cpus is no whole number"},
	{HEAD "\"cpu_nodes\": [0]}", "f:5: cpu_nodes is no array of 2"},
	{HEAD "\"cpu_nodes\": [0, 1]}", "f:5: cpu_nodes holds no whole number of 0 to 0"},
	{HEAD "\"node_mib\": [-1]}", "f:5: node_mib holds no whole number"},
	{HEAD "\"free_blocks\": [1]}", "f:5: free_blocks is no array of 11"},
	{HEAD "\"taken_at\": \"\\u001b\"}", "f:5: taken_at is no line of ASCII text"},
	{HEAD "\"notes\": [\"\\n\"]}", "f:5: notes holds what is no line of ASCII text"},
	{HEAD "\"caches\": {}}", "f:1: caches is missing, or no array"},
	{CACHES(""), "'f' holds no cache"},
	{CACHES("{}"), "f:5: a cache without a name"},
	{CACHES("{\"name\": \"a\\u001b\"}"), "f:5: a cache without a name of ASCII text"},
	{CACHES("{\"name\": \"a\", \"object_size\": 8}"), "f:6: cache 'a' has no slab_size"},
	{CACHES("{\"name\": \"a\", \"slab_size\": 8}"), "f:6: cache 'a' has no object_size"},
	{ONE(", \"order\": -1"), "f:6: order is no whole number of 0"},
	{ONE(", \"order\": 11"), "f:6: cache 'a': order is 11; 0 to 10 are accepted"},
	{ONE(", \"order\": 0, \"objs_per_slab\": 65"),
	 "f:6: cache 'a' contradicts itself: 64 objects of 64 bytes fit a slab of order 0"},
	{ONE(", \"objs_per_slab\": 65"), "64 objects of 64 bytes fit a slab of order 0, not 65"},
	{ONE(", \"order\": 1, \"objs_per_slab\": 64"),
	 "128 objects of 64 bytes fit a slab of order 1"},
	{ONE(", \"align\": 48"), "slab_size 64 is no multiple of align 48"},
	{ONE(", \"remote_share\": 1.5"), "f:6: remote_share is more than 1"},
	{ONE(", \"allocs_per_s\": -1"), "f:6: allocs_per_s is no number of 0 or more"},
	{ONE(", \"aliases\": 3"), "f:6: aliases is no array"},
	{ONE(", \"aliases\": [3]"), "f:6: aliases holds what is no text"},
	{ONE(", \"folder\": \"../x\""), "f:6: byte 0x2f is in no cache's name"},
	{CACHES("{\"name\": \"a\", \"object_size\": 65, \"slab_size\": 64}"),
	 "f:6: cache 'a' contradicts itself: object_size 65 is larger than slab_size 64"},
	{CACHES("{\"name\": \"a\", \"object_size\": 8, \"slab_size\": 8},\n"
		"{\"name\": \"a\", \"object_size\": 8, \"slab_size\": 8}"),
	 "cache 'a' is there twice"},
	{"{\"numaslab_snapshot\": 1, \"release\": \"6.12.1\", \"caches\": [{\"name\": \"a\", "
	 "\"object_size\": 8, \"slab_size\": 8}]}",
	 "'f' does not tell how many CPUs the machine has; give --cpus N"},
	{"{\"numaslab_snapshot\": 1, \"release\": \"9.9\", \"cpus\": 1, \"caches\": [{\"name\": "
	 "\"a\", \"object_size\": 8, \"slab_size\": 8}]}",
	 "'f': the rules of kernel '9.9' are not known; give --kernel"},
	/* tables */
	{"name\tslab_size\na\t8\n", "f:1: the columns name, object_size and slab_size are needed"},
	{"name\tobject_size\na\t8\n", "f:1: the columns name and slab_size are needed"},
	{COLUMNS "a\t8\t8\t0\n", "f:2: 4 columns where the first line has 5"},
	{COLUMNS "a\t9\t8\t0\t512\n", "f:2: cache 'a' contradicts itself: object_size 9"},
	{COLUMNS "a\t8\t8\t0\t513\n", "f:2: cache 'a' contradicts itself: 512 objects of 8 bytes"},
	{COLUMNS "a\t8192\t8192\t0\t1\n",
	 "f:2: cache 'a' contradicts itself: a slab of order 0 has"},
	{COLUMNS "a\t8\t8\t11\t1\n", "f:2: cache 'a': order is 11"},
	{COLUMNS "a\t8\tx\t0\t512\n", "f:2: cache 'a': slab_size is 'x'"},
	{COLUMNS "a\t0\t8\t0\t512\n", "f:2: cache 'a': object_size is 0"},
	{"alias_of\t" COLUMNS "b\ta\t\t\t\t\n-\tc\t8\t8\t0\t512\n",
	 "f:2: cache 'a' joined 'b', which"},
	/* slabinfo */
	{LINE("1 2 64 64"), "f:3: no line of slabinfo version 2.1"},
	{LINE("1 2 64 64 x" REST), "f:3: no line of slabinfo version 2.1"},
	{LINE("1 2 64 64 3" REST), "f:3: cache 'a': <pagesperslab> is 3, no power of two"},
	{LINE("1 2 64 63 1" REST), "f:3: cache 'a' contradicts itself: 64 objects"},
	{LINE("1 2 0 64 1" REST), "f:3: cache 'a': object_size is 0"},
	{LINE("1 2 64 64 1 : tunables 120 60 8 : slabdata 1 1 0"),
	 "f:3: cache 'a' has tunables: this"},
	{"slabinfo - version: 2.1\n", "'f' holds no cache"},
};

static void snapshot_refuses_bad_files_in_one_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++)
		parse_refused(bad_files[i].text, &nothing_given, bad_files[i].words);
	assert_refused(nslab_tuner_snapshot_read("/nowhere/x", &nothing_given, NULL, &err), -ENOENT,
		       "cannot read '/nowhere/x': No such file");
	assert_refused(nslab_tuner_snapshot_read("/tmp", &nothing_given, NULL, &err), -EISDIR,
		       "cannot read '/tmp': Is a directory");
}

static void snapshot_refuses_options_against_the_file(void **state)
{
	static const char text[] = ONE("");
	struct nslab_tuner_given given = {64, -1, NULL};
	struct nslab_tuner_snapshot *s;

	(void)state;
	parse_refused(text, &given, "'f' tells of 2 cpus, '--cpus' says 64; leave the option out");
	given = (struct nslab_tuner_given){2, 4, NULL};
	parse_refused(text, &given, "'f' tells of 1 nodes, '--nodes' says 4");
	given = (struct nslab_tuner_given){2, 1, "6.18"};
	parse_refused(text, &given,
		      "tells of Linux 6.12.1, whose rules are those of 6.12, '--kernel' "
		      "says 6.18");
	given.kernel = "6.9";
	s = parse_or_fail(text, &given);
	nslab_tuner_snapshot_free(s);
}

/* A file that was cut off anywhere is refused; none is taken for a smaller machine. */
static void snapshot_refuses_json_that_was_cut_off(void **state)
{
	struct nslab_tuner_snapshot *s, *part;
	char *text;
	size_t bytes;

	(void)state;
	assert_int_equal(nslab_tuner_snapshot_read(TABLE, &given_2cpu, &s, &err), 0);
	text = json_text(s);
	bytes = strlen(text);
	for (size_t end = 1; end < bytes - 1; end += end < 1000 ? 1 : 997) {
		err.text[0] = '\0';
		assert_int_equal(
			nslab_tuner_snapshot_parse("f", text, end, &nothing_given, &part, &err),
			-EINVAL);
		assert_non_null(strstr(err.text, "f:"));
		assert_null(strchr(err.text, '\n'));
	}
	assert_true(bytes < 200000);
	free(text);
	nslab_tuner_snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snapshot_takes_caches_and_machine_when_all_can_be_read),
		cmocka_unit_test(snapshot_writes_equal_bytes_when_taken_twice),
		cmocka_unit_test(snapshot_takes_slabinfo_when_sysfs_may_not_be_read),
		cmocka_unit_test(snapshot_counts_possible_cpus_when_one_is_present),
		cmocka_unit_test(snapshot_says_what_is_wrong_when_the_machine_is_no_known_one),
		cmocka_unit_test(snapshot_reads_a_recorded_table),
		cmocka_unit_test(snapshot_reads_slabinfo_like_the_table_of_its_kernel),
		cmocka_unit_test(snapshot_takes_from_the_user_what_a_file_does_not_tell),
		cmocka_unit_test(snapshot_names_rules_that_the_caches_do_not_follow),
		cmocka_unit_test(snapshot_maps_releases_to_rules),
		cmocka_unit_test(snapshot_reads_boot_parameters_as_the_kernel_does),
		cmocka_unit_test(snapshot_has_rates_when_it_comes_from_a_trace),
		cmocka_unit_test(snapshot_of_an_imported_trace_wants_cpus_and_kernel),
		cmocka_unit_test(snapshot_makes_caches_that_are_spelled_out),
		cmocka_unit_test(snapshot_refuses_caches_that_are_spelled_wrong),
		cmocka_unit_test(snapshot_refuses_bad_files_in_one_line),
		cmocka_unit_test(snapshot_refuses_options_against_the_file),
		cmocka_unit_test(snapshot_refuses_json_that_was_cut_off),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
