/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_plan.c: plan files: what is refused and where, and what the rest expands to.
 *
 * Plans are written to a scratch folder and expanded over synthetic topologies with the built-in
 * plug-ins. Errors are a table: the file, the line that must be named, and words that must be said.
 */
#define _GNU_SOURCE
#include "results/design.h"
#include "runner/peer.h"
#include "runner/plan.h"
#include "runner/world.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
	char folder[64];
	char path[96];
	struct nslab_registry *registry;
	struct nslab_topo *topo; /* 2 nodes of 4 cores */
} fixture;

static int fixture_open(void **state)
{
	static const char *const none[] = {NULL};
	const struct nslab_topo_source source = {.origin = NSLAB_TOPO_SYNTHETIC,
						 .text = "node:2 core:4 pu:1"};
	struct nslab_err err = {""};

	(void)state;
	strcpy(fixture.folder, "/tmp/nslab-plan-XXXXXX");
	if (!mkdtemp(fixture.folder))
		return -1;
	snprintf(fixture.path, sizeof(fixture.path), "%s/p.ini", fixture.folder);
	if (nslab_registry_open(none, &fixture.registry, &err) ||
	    nslab_topo_load(&source, &fixture.topo, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	return 0;
}

static int fixture_close(void **state)
{
	(void)state;
	nslab_topo_free(fixture.topo);
	nslab_registry_destroy(fixture.registry);
	unlink(fixture.path);
	return rmdir(fixture.folder);
}

static void write_plan(const char *text, size_t len)
{
	int fd = open(fixture.path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static int load_with(const char *text, const char *const *overrides, struct nslab_plan **plan,
		     struct nslab_err *err)
{
	const struct nslab_plan_source source = {
		.name = fixture.path,
		.overrides = overrides,
		.registry = fixture.registry,
		.topo = fixture.topo,
	};

	write_plan(text, strlen(text));
	return nslab_plan_load(&source, plan, err);
}

static struct nslab_plan *load_plan(const char *text, const char *const *overrides)
{
	struct nslab_plan *plan = NULL;
	struct nslab_err err = {""};
	int rc = load_with(text, overrides, &plan, &err);

	if (rc)
		fail_msg("%s", err.text);
	return plan;
}

static const struct nslab_arm *find_arm(const struct nslab_family *family, const char *label)
{
	for (size_t i = 0; i < family->nr_arms; i++) {
		if (!strcmp(family->arms[i].label, label))
			return &family->arms[i];
	}
	return NULL;
}

/* ---- what is refused ---- */

#define GLOBAL "[global]\nallocator=slub\nworkload=pingpong\n"
#define FIFTY  "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"

static const struct {
	const char *text;
	const char *where; /* "p.ini:4:" */
	const char *words[3];
} refused[] = {
	{GLOBAL, "p.ini: ", {"there is no job"}},
	{"", "p.ini: ", {"there is no job"}},
	{"a=1\n[j]\n", "p.ini:1: ", {"'a' before the first section"}},
	{GLOBAL "[j\n", "p.ini:4: ", {"'[j'", "no closing"}},
	{GLOBAL "[]\n", "p.ini:4: ", {"1..49"}},
	{GLOBAL "[" FIFTY "]\n", "p.ini:4: ", {"section name of 50 bytes"}},
	{GLOBAL "[j] k\n", "p.ini:4: ", {"'k' after"}},
	{GLOBAL "precision=1\n[j]\n", "p.ini:4: ", {"'1'", "'precision'", "up to 50 %"}},
	{GLOBAL "precision=0%\n[j]\n", "p.ini:4: ", {"'0%'", "above 0 %"}},
	{GLOBAL "precision=nan%\n[j]\n", "p.ini:4: ", {"'nan%'", "a percentage"}},
	{GLOBAL "budget=60\n[j]\n", "p.ini:4: ", {"'60'", "'budget'", "ms, s, m or h"}},
	{GLOBAL "budget=-1s\n[j]\n", "p.ini:4: ", {"'-1s'", "1ms and up"}},
	{GLOBAL "invalidate=maybe\n[j]\n", "p.ini:4: ", {"'maybe'", "auto | on | off"}},
	{GLOBAL "blocks=some\n[j]\n", "p.ini:4: ", {"'some'", "auto | 1..100000"}},
	{GLOBAL "[j]\nbudget=60s\n", "p.ini:5: ", {"it belongs in [global]"}},
	{GLOBAL "[j]\n[k]\n[j]\n", "p.ini:6: ", {"[j] is also in line 4"}},
	{GLOBAL "[j]\n[global]\n", "p.ini:5: ", {"[global] must come once"}},
	{GLOBAL "[j]\nsize\n", "p.ini:5: ", {"'size' is neither"}},
	{GLOBAL "[j]\nsize: 64\n", "p.ini:5: ", {"neither key=value"}},
	{GLOBAL "[j]\n=64\n", "p.ini:5: ", {"key of 0 bytes"}},
	{GLOBAL "[j]\n" FIFTY "=64\n", "p.ini:5: ", {"key of 50 bytes"}},
	{GLOBAL "[j]\nsize=64\nsize=128\n", "p.ini:6: ", {"'size' is also in line 5"}},
	{GLOBAL "[j]\nsize=64\n threads=2\n", "p.ini:6: ", {"indented", "first column"}},
	{GLOBAL "[j]\nsize=\n", "p.ini:5: ", {"'size' has no value"}},
	{GLOBAL "[j]\nsize=64,,128\n", "p.ini:5: ", {"a value is missing"}},
	{GLOBAL "[j]\nsize=0\n", "p.ini:5: ", {"'0'", "'size'", "8..65536"}},
	{GLOBAL "[j]\nsize=1e3\n", "p.ini:5: ", {"'1e3'", "8..65536"}},
	{GLOBAL "[j]\nsize=64,1m\n", "p.ini:5: ", {"'1048576'", "8..65536"}},
	{GLOBAL "[j]\nsize=99999999999999999999\n", "p.ini:5: ", {"8..65536"}},
	{GLOBAL "[j]\nsize=256..64\n", "p.ini:5: ", {"'256..64' is not a range"}},
	{GLOBAL "[j]\nsize=64..256*1\n", "p.ini:5: ", {"is not a range"}},
	{GLOBAL "[j]\nsize=64..256+0\n", "p.ini:5: ", {"is not a range"}},
	{GLOBAL "[j]\nsize=8..60000\n", "p.ini:5: ", {"more than 4096 values"}},
	{GLOBAL "[j]\nsize=max\n", "p.ini:5: ", {"'max'", "8..65536"}},
	{GLOBAL "[j]\nsiez=64\n", "p.ini:5: ", {"unknown key 'siez'", "did you mean 'size'"}},
	{GLOBAL "[j]\nlive_objects=64\n", "p.ini:5: ", {"unknown key 'live_objects'", "size"}},
	{GLOBAL "[j]\nblocks=3\n", "p.ini:5: ", {"'blocks'", "[global]"}},
	{GLOBAL "blocks=0\n[j]\n", "p.ini:4: ", {"'0'", "'blocks'", "1..100000"}},
	{GLOBAL "blocks=3,4\n[j]\n", "p.ini:4: ", {"takes one value"}},
	{GLOBAL "statistic=mean\n[j]\n", "p.ini:4: ", {"'mean'", "auto | q25 | median | min"}},
	{GLOBAL "statistic=min\n[j]\nthreads=2\n", "p.ini:4: ", {"one thread", "[j]"}},
	{GLOBAL "baseline=slbu\n[j]\n", "p.ini:4: ", {"'slbu'", "did you mean 'slub'"}},
	{GLOBAL "baseline=slub order=1\n[j]\n", "p.ini:4: ", {"'slub order=1'", "'slub'"}},
	{GLOBAL "page=none\n[j]\n", "p.ini:4: ", {"unknown page 'none'", "buddy"}},
	{GLOBAL "[j]\nbuddy.pcp=no\n", "p.ini:5: ", {"'buddy'", "[global]"}},
	{GLOBAL "cma.order_per_bit=11\n[j]\n", "p.ini:4: ", {"'cma.order_per_bit'", "0..10"}},
	{GLOBAL "[j]\nvmalloc.pools=no\n", "p.ini:5: ", {"'vmalloc.pools'", "[global]"}},
	{GLOBAL "buddy.pcq=no\n[j]\n", "p.ini:4: ", {"'pcq'", "did you mean 'pcp'"}},
	{GLOBAL "[j]\nallocator=slub,slib\n", "p.ini:5: ", {"'slib'", "did you mean", "there are"}},
	{GLOBAL "[j]\nworkload=ping\n", "p.ini:5: ", {"unknown workload 'ping'", "churn"}},
	{GLOBAL "[j]\nsize=8\nworkload=ping\n", "p.ini:6: ", {"unknown workload 'ping'"}},
	{GLOBAL "[j]\nentry=malloc\n", "p.ini:5: ", {"'malloc'", "cache | kmalloc"}},
	{GLOBAL "[j]\norder=11\n", "p.ini:5: ", {"'11'", "auto | 0..10"}},
	{GLOBAL "[j]\nslub.ordre=1\n", "p.ini:5: ", {"'ordre'", "did you mean 'order'"}},
	{GLOBAL "[j]\nnull.order=1\n", "p.ini:5: ", {"'null' has no parameter 'order'"}},
	{GLOBAL "[j]\nslabs.order=1\n", "p.ini:5: ", {"unknown allocator 'slabs'"}},
	{GLOBAL "[j]\nthreads=0\n", "p.ini:5: ", {"'0'", "1..1024"}},
	{GLOBAL "[j]\nthreads=1..mex\n", "p.ini:5: ", {"is not a range"}},
	{GLOBAL "[j]\nplacement=tight\n", "p.ini:5: ", {"'tight'", "compact"}},
	{GLOBAL "[j]\nplacement=node:7\n", "p.ini:5: ", {"node"}},
	{GLOBAL "[j]\nmemory=node:7\n", "p.ini:5: ", {"there is no node 7"}},
	{GLOBAL "[j]\nmemory=lokal\n", "p.ini:5: ", {"did you mean 'local'"}},
	{"[j]\nworkload=pingpong\n", "p.ini:1: ", {"job [j] has no key 'allocator'"}},
	{"[j]\nallocator=slub\n", "p.ini:1: ", {"job [j] has no key 'workload'"}},
	{GLOBAL "[j]\nsize=\x80\n", "p.ini:5: ", {"not UTF-8"}},
	{GLOBAL "[j]\nsize=6\x01\n", "p.ini:5: ", {"control character 0x01"}},
	{GLOBAL "[j]\nthreads=9\n", "p.ini: ", {"no cell can run here", "8 thread"}},
};

static void plan_refuses_and_names_the_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct nslab_plan *plan = NULL;
		struct nslab_err err = {""};
		int rc = load_with(refused[i].text, NULL, &plan, &err);

		if (!rc)
			fail_msg("accepted: %s", refused[i].text);
		assert_null(plan);
		if (!strstr(err.text, refused[i].where))
			fail_msg("'%s' does not name '%s'", err.text, refused[i].where);
		if (strchr(err.text, '\n'))
			fail_msg("more than one line: %s", err.text);
		for (int w = 0; w < 3 && refused[i].words[w]; w++) {
			if (!strstr(err.text, refused[i].words[w]))
				fail_msg("'%s' does not say '%s'", err.text, refused[i].words[w]);
		}
	}
}

static void plan_refuses_long_lines_that_inih_would_cut(void **state)
{
	(void)state;
	for (size_t len = 198; len <= 202; len++) {
		char text[512] = GLOBAL "[j]\n";
		size_t at = strlen(text);
		struct nslab_plan *plan = NULL;
		struct nslab_err err = {""};
		int rc;

		memset(text + at, ' ', len);
		memcpy(text + at, "size=64,", 8);
		memcpy(text + at + len - 3, "128", 3);
		strcpy(text + at + len, "\n");
		rc = load_with(text, NULL, &plan, &err);
		if (len > 199) {
			assert_int_equal(rc, -EINVAL);
			assert_non_null(strstr(err.text, "p.ini:5: "));
			assert_non_null(strstr(err.text, "199"));
		} else {
			assert_int_equal(rc, 0);
			/* nothing of the line was lost */
			assert_int_equal(plan->nr_families, 2);
			assert_int_equal(plan->families[1].size_bytes, 128);
		}
		nslab_plan_free(plan);
	}
}

static void plan_refuses_bytes_that_are_no_text(void **state)
{
	static const char nul[] = "[j]\nsize=\0"
				  "64\n";
	const struct nslab_plan_source source = {
		.name = fixture.path, .registry = fixture.registry, .topo = fixture.topo};
	struct nslab_plan *plan = NULL;
	struct nslab_err err = {""};

	(void)state;
	write_plan(nul, sizeof(nul) - 1);
	assert_int_equal(nslab_plan_load(&source, &plan, &err), -EINVAL);
	assert_non_null(strstr(err.text, "NUL"));
}

static void plan_refuses_what_is_no_file(void **state)
{
	struct nslab_plan_source source = {.registry = fixture.registry, .topo = fixture.topo};
	struct nslab_plan *plan = NULL;
	struct nslab_err err = {""};

	(void)state;
	source.name = "/nonexistent/p.ini";
	assert_int_equal(nslab_plan_load(&source, &plan, &err), -ENOENT);
	assert_non_null(strstr(err.text, "'/nonexistent/p.ini'"));
	source.name = "/";
	assert_int_equal(nslab_plan_load(&source, &plan, &err), -EISDIR);
	source.name = "quikc";
	assert_int_equal(nslab_plan_load(&source, &plan, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no plan 'quikc'"));
}

static void plan_refuses_overrides_and_names_the_command_line(void **state)
{
	static const char *const wrong[][2] = {
		{"size", "is not key=value"},
		{"=64", "is not key=value"},
		{"size=1", "8..65536"},
		{"siez=64", "did you mean 'size'"},
		{"blocks=none", "1..100000"},
		{"memory=node:9", "no node 9"},
		{"size=\xff", "is not key=value"},
		{"size=", "no value"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *overrides[] = {wrong[i][0], NULL};
		struct nslab_plan *plan = NULL;
		struct nslab_err err = {""};

		assert_int_equal(load_with(GLOBAL "[j]\n", overrides, &plan, &err), -EINVAL);
		if (strncmp(err.text, "command line: ", 14) != 0 || !strstr(err.text, wrong[i][1]))
			fail_msg("%s: %s", wrong[i][0], err.text);
	}
}

/* Every prefix and every changed byte of a real plan: an answer, never a crash. */
static void plan_survives_mangled_files(void **state)
{
	static const char text[] = "[global]\nallocator=null, slub\nblocks=3 ; few\norder=auto,\n"
				   "  0..2\n[a]\nworkload=batch\nsize=64..256*2\nthreads=1..max*2\n"
				   "[b]\nworkload=remote_free\nplacement=cross:0,1, scatter\n";
	static const char bytes[] = "\n[]=,;.*+ 9\x80";
	char copy[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		for (size_t b = 0; b < sizeof(bytes); b++) {
			struct nslab_plan *plan = NULL;
			struct nslab_err err = {""};
			int rc;

			memcpy(copy, text, sizeof(text));
			copy[i] = bytes[b]; /* the last one is NUL: a prefix */
			rc = load_with(copy, NULL, &plan, &err);
			assert_true(rc <= 0);
			assert_true(!rc == !err.text[0]);
			nslab_plan_free(plan);
		}
	}
}

/* ---- what the rest becomes ---- */

static void plan_inherits_from_global_and_jobs_win(void **state)
{
	struct nslab_plan *plan = load_plan("[global]\nallocator=slub\nsize=32\nblocks=4\n"
					    "[a]\nworkload=pingpong\n"
					    "[b]\nworkload=churn\nsize=1k\nlive_objects=100\n",
					    NULL);

	(void)state;
	assert_int_equal(plan->nr_families, 2);
	assert_int_equal(plan->nr_blocks, 4);
	assert_int_equal(plan->families[0].size_bytes, 32);
	assert_int_equal(plan->families[1].size_bytes, 1024);
	assert_string_equal(plan->families[1].job, "b");
	assert_string_equal(plan->families[1].key,
			    "workload=churn size=1024 live_objects=100 threads=1 "
			    "placement=compact memory=local entry=cache");
	nslab_plan_free(plan);
}

static void plan_expands_lists_and_ranges(void **state)
{
	static const struct {
		const char *value;
		int64_t sizes[8];
	} cases[] = {
		{"64,256,1k", {64, 256, 1024}},
		{"64,\n  256,\n\t1k", {64, 256, 1024}},
		{"64\n  ; between\n\n  256 ; behind\n", {64, 256}},
		{"10..12", {10, 11, 12}},
		{"10..20+4", {10, 14, 18}},
		{"16..100*2", {16, 32, 64, 100}},
		{"16..64*2, 64, 8", {16, 32, 64, 8}},
		{"64..64", {64}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nslab_plan *plan;
		char text[256];
		size_t nr = 0;

		snprintf(text, sizeof(text), GLOBAL "[j]\nsize=%s\n", cases[i].value);
		plan = load_plan(text, NULL);
		for (; cases[i].sizes[nr]; nr++)
			assert_int_equal(plan->families[nr].size_bytes, cases[i].sizes[nr]);
		assert_int_equal(plan->nr_families, nr);
		nslab_plan_free(plan);
	}
}

static void plan_expands_threads_to_what_the_placement_takes(void **state)
{
	struct nslab_plan *plan =
		load_plan(GLOBAL "[j]\nplacement=compact,node:1\nthreads=1..max*2\n", NULL);
	static const int threads[] = {1, 2, 4, 8, 1, 2, 4};

	(void)state;
	assert_int_equal(plan->nr_families, 7);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(plan->families[i].nr_threads, threads[i]);
		assert_string_equal(plan->families[i].statistic, threads[i] > 1 ? "median" : "q25");
	}
	nslab_plan_free(plan);
	/* more than there are: kept, and skipped with the reason */
	plan = load_plan(GLOBAL "[a]\n[b]\nplacement=pus:3\nthreads=2..max*2\n", NULL);
	assert_int_equal(plan->nr_families, 2);
	assert_int_equal(plan->families[1].nr_threads, 2);
	assert_non_null(plan->families[1].arms[0].skipped);
	nslab_plan_free(plan);
	plan = load_plan(GLOBAL "[j]\nplacement=node:1\nthreads=4\n", NULL);
	/* node 1 holds PUs 4..7 */
	assert_int_equal(fixture.topo->pus[plan->families[0].pus[0]].os_index, 4);
	nslab_plan_free(plan);
}

static void plan_keeps_commas_of_placements(void **state)
{
	struct nslab_plan *plan =
		load_plan(GLOBAL "[j]\nthreads=2\nplacement=cross:0,1, scatter,pus:1,3\n", NULL);

	(void)state;
	assert_int_equal(plan->nr_families, 3);
	assert_string_equal(plan->families[0].placement, "cross:0,1");
	assert_string_equal(plan->families[1].placement, "scatter");
	assert_string_equal(plan->families[2].placement, "pus:1,3");
	nslab_plan_free(plan);
}

static void plan_gives_pairs_two_threads_and_skips_odd_ones(void **state)
{
	struct nslab_plan *plan = load_plan("[j]\nallocator=slub\nworkload=remote_free\n"
					    "threads=1,2,3,10\nplacement=cross:all\n",
					    NULL);

	(void)state;
	/* for each of the pairs 0,1 and 1,0: 2 (asked for as 1 and 2), 3 and 10 */
	assert_int_equal(plan->nr_families, 6);
	assert_int_equal(plan->families[0].nr_threads, 2);
	assert_null(plan->families[0].arms[0].skipped);
	assert_non_null(strstr(plan->families[1].arms[0].skipped, "groups of 2"));
	assert_non_null(strstr(plan->families[2].arms[0].skipped, "8 threads, not 10"));
	assert_null(plan->families[2].pus);
	assert_int_equal(plan->families[1].nr_arms, 1); /* no twin of what does not run */
	assert_int_equal(nslab_plan_nr_trials(plan), 2u * 2u * 6u);
	nslab_plan_free(plan);
}

static void plan_multiplies_orders_only_where_there_are_any(void **state)
{
	struct nslab_plan *plan = load_plan("[global]\nallocator=null,slub\nbaseline=slub\n"
					    "order=auto,0..3\n"
					    "[j]\nworkload=pingpong\n",
					    NULL);
	const struct nslab_family *family = plan->families;

	(void)state;
	assert_int_equal(family->nr_arms, 1 + 5 + 1);
	assert_non_null(find_arm(family, "null"));
	assert_int_equal(find_arm(family, "null")->cache.order, NSLAB_AUTO);
	assert_int_equal(find_arm(family, "slub order=2")->cache.order, 2);
	assert_int_equal(find_arm(family, "slub order=2")->cache.min_partial, NSLAB_AUTO);
	assert_true(find_arm(family, "slub order=auto")->is_baseline);
	assert_true(find_arm(family, "slub order=auto A'")->is_twin);
	assert_true(find_arm(family, "slub order=auto A'")->allocator ==
		    find_arm(family, "slub order=auto")->allocator);
	nslab_plan_free(plan);
}

static void plan_sets_a_key_for_one_allocator(void **state)
{
	struct nslab_plan *plan =
		load_plan("[global]\nallocator=nodelocal,slub\n"
			  "slub.cpu_partial=0,30\nslub.slab_min_objects=64\n"
			  "twin=no\nbaseline=slub cpu_partial=30 slab_min_objects=64\n"
			  "buddy.pcp=off\n"
			  "[j]\nworkload=pingpong\n",
			  NULL);
	const struct nslab_family *family = plan->families;
	const struct nslab_arm *arm;

	(void)state;
	assert_int_equal(family->nr_arms, 3);
	assert_string_equal(family->arms[0].label, "nodelocal");
	assert_int_equal(family->arms[0].nr_settings, 0);
	arm = find_arm(family, "slub cpu_partial=30 slab_min_objects=64");
	assert_non_null(arm);
	assert_int_equal(arm->cache.cpu_partial, 30);
	assert_true(arm->is_baseline);
	assert_int_equal(arm->nr_settings, 2);
	assert_string_equal(arm->settings[1].key, "slab_min_objects");
	assert_string_equal(plan->page_settings[0].key, "pcp");
	assert_string_equal(plan->page_settings[0].value, "no");
	nslab_plan_free(plan);
}

static void plan_runs_one_arm_when_no_allocator_matters(void **state)
{
	struct nslab_plan *plan = load_plan("[global]\nallocator=libc,nodelocal,slub\n"
					    "baseline=slub\nvmalloc.lazy_mib=8\n"
					    "cma.order_per_bit=2\n[j]\nworkload=pages\n"
					    "entry=cache,kmalloc\n",
					    NULL);
	const struct nslab_family *family = plan->families;

	(void)state;
	assert_int_equal(plan->nr_families, 1);
	assert_int_equal(family->entry, NSLAB_ENTRY_PAGES);
	assert_non_null(strstr(find_arm(family, "libc")->skipped, "node arenas"));
	assert_non_null(strstr(find_arm(family, "nodelocal")->skipped, "uses no allocator"));
	assert_true(find_arm(family, "buddy")->is_baseline);
	assert_string_equal(find_arm(family, "buddy")->allocator->name, "slub");
	assert_true(find_arm(family, "buddy A'")->is_twin);
	assert_int_equal(plan->nr_area_settings, 2);
	assert_string_equal(plan->area_settings[0].key, "vmalloc.lazy_mib");
	assert_string_equal(plan->area_settings[1].value, "2");
	nslab_plan_free(plan);
}

static void plan_skips_what_the_arm_cannot_do(void **state)
{
	struct nslab_plan *plan = load_plan("[global]\nallocator=slub,libc\n"
					    "[j]\nworkload=pingpong\nsize=8k\norder=0,1\n"
					    "memory=local,remote,node:all\n",
					    NULL);
	const struct nslab_family *f = plan->families;

	(void)state;
	assert_int_equal(plan->nr_families, 4);
	assert_string_equal(f[3].memory_text, "node:1");
	assert_null(find_arm(&f[0], "libc")->skipped);
	assert_non_null(strstr(find_arm(&f[1], "libc")->skipped, "node arenas"));
	assert_non_null(strstr(find_arm(&f[0], "slub order=0")->skipped, "cannot hold 8192"));
	assert_true(find_arm(&f[0], "slub order=1")->is_baseline);
	nslab_plan_free(plan);
}

static void plan_merges_families_of_two_jobs(void **state)
{
	struct nslab_plan *plan = load_plan("[a]\nallocator=slub\nworkload=pingpong\n"
					    "[b]\nallocator=null,slub\nworkload=pingpong,churn\n",
					    NULL);

	(void)state;
	assert_int_equal(plan->nr_families, 2);
	assert_int_equal(plan->families[0].nr_arms, 3); /* slub, its twin, null */
	assert_true(find_arm(&plan->families[0], "slub")->is_baseline);
	assert_false(find_arm(&plan->families[0], "null")->is_baseline);
	nslab_plan_free(plan);
}

static void plan_calls_peers_directly(void **state)
{
	struct nslab_plan *plan = load_plan("[j]\nallocator=nodelocal,glibc,jemalloc\n"
					    "workload=remote_free\nentry=kmalloc\n",
					    NULL);
	const struct nslab_arm *glibc = find_arm(plan->families, "glibc");
	const struct nslab_arm *jemalloc = find_arm(plan->families, "jemalloc");

	(void)state;
	assert_int_equal(plan->families[0].arms[0].entry, NSLAB_ENTRY_KMALLOC);
	assert_int_equal(glibc->entry, NSLAB_ENTRY_MALLOC);
	assert_null(glibc->library);
	assert_int_equal(strncmp(glibc->version, "glibc ", 6), 0);
	/* either it is there, or the reason names the library */
	if (jemalloc->skipped)
		assert_non_null(strstr(jemalloc->skipped, "libjemalloc"));
	else
		assert_int_equal(access(jemalloc->library, R_OK), 0);
	nslab_plan_free(plan);
}

static void plan_overrides_win_over_jobs(void **state)
{
	static const char *const overrides[] = {"size=128", "blocks=2", "blocks=3", NULL};
	struct nslab_plan *plan =
		load_plan(GLOBAL "[a]\nsize=64,256\n[b]\nworkload=churn\n", overrides);

	(void)state;
	assert_int_equal(plan->nr_families, 2);
	assert_int_equal(plan->families[0].size_bytes, 128);
	assert_int_equal(plan->families[1].size_bytes, 128);
	assert_int_equal(plan->nr_blocks, 3);
	assert_string_equal(plan->overrides[2], "blocks=3");
	nslab_plan_free(plan);
}

static void plan_seeds_differ_by_place_and_repeat(void **state)
{
	static const char *const other[] = {"seed=2", NULL};
	struct nslab_plan *a = load_plan(GLOBAL "[j]\n", NULL);
	struct nslab_plan *b = load_plan(GLOBAL "[j]\n", other);
	uint64_t seed = nslab_design_seed(a->seed, 1, 2, 3, 0);

	(void)state;
	assert_true(seed == nslab_design_seed(a->seed, 1, 2, 3, 0));
	assert_true(seed != nslab_design_seed(a->seed, 2, 2, 3, 0));
	assert_true(seed != nslab_design_seed(a->seed, 1, 3, 2, 0));
	assert_true(seed != nslab_design_seed(b->seed, 1, 2, 3, 0));
	nslab_plan_free(a);
	nslab_plan_free(b);
}

static void plan_settings_reach_the_parameters(void **state)
{
	struct nslab_plan *plan = load_plan("[j]\nallocator=slub\nworkload=batch\nsize=1k\n"
					    "free_order=random\n",
					    NULL);
	const struct nslab_workload_ops *ops = plan->families[0].workload->ops.workload;
	int64_t params[8] = {0};
	struct nslab_err err = {""};

	(void)state;
	assert_true(ops->params_size <= sizeof(params));
	assert_int_equal(nslab_settings_apply(ops->params, plan->families[0].settings,
					      plan->families[0].nr_settings, params, &err),
			 0);
	assert_int_equal(params[0], 1024);
	assert_int_equal(params[1], 256);
	assert_int_equal(params[2], 2);
	nslab_plan_free(plan);
}

static void plan_stops_by_what_it_declares(void **state)
{
	static const struct {
		const char *text;
		int nr_blocks;
		double precision;
		uint64_t budget_ns;
		bool is_invalidating;
	} cases[] = {
		{GLOBAL "[j]\n", 6, 0, 0, false},
		{GLOBAL "blocks=10\n[j]\n", 10, 0, 0, true},
		{GLOBAL "blocks=10\ninvalidate=off\n[j]\n", 10, 0, 0, false},
		{GLOBAL "blocks=2\ninvalidate=on\n[j]\n", 2, 0, 0, true},
		{GLOBAL "blocks=auto\n[j]\n", 100, 0.01, 0, true},
		{GLOBAL "blocks=auto\nprecision=0.5 %\nbudget=2m\n[j]\n", 100, 0.005,
		 UINT64_C(120000000000), true},
		{GLOBAL "precision=3%\nbudget=1500ms\n[j]\n", 6, 0.03, 1500000000, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nslab_plan *plan = load_plan(cases[i].text, NULL);

		assert_int_equal(plan->nr_blocks, cases[i].nr_blocks);
		assert_true(plan->precision == cases[i].precision);
		assert_int_equal(plan->budget_ns, cases[i].budget_ns);
		assert_int_equal(plan->is_invalidating, cases[i].is_invalidating);
		nslab_plan_free(plan);
	}
}

static void plan_json_is_explicit_and_repeats(void **state)
{
	static const char text[] = "[global]\nlabel=two\nallocator=null,slub\nbaseline=slub\n"
				   "[j]\nworkload=remote_free\nplacement=cross:1,0\n";
	struct nslab_plan *plan = load_plan(text, NULL);
	struct nslab_plan *again = load_plan(text, NULL);
	json_t *json = nslab_plan_json(plan), *twin = nslab_plan_json(again);
	char *a = json_dumps(json, JSON_INDENT(2)), *b = json_dumps(twin, JSON_INDENT(2));
	json_t *family = json_array_get(json_object_get(json, "families"), 0);
	json_t *cell = nslab_plan_cell_json(plan, plan->families, plan->families[0].arms);

	(void)state;
	assert_string_equal(a, b);
	assert_int_equal(json_integer_value(json_object_get(json, "trials")), 18);
	/* 18 x (20 x 10 ms + 20 ms + 25 ms) */
	assert_int_equal(json_integer_value(json_object_get(json, "expected_ns")), 4410000000);
	assert_int_equal(json_integer_value(json_array_get(json_object_get(family, "pus"), 0)), 4);
	assert_string_equal(json_string_value(json_object_get(cell, "allocator")), "null");
	assert_string_equal(json_string_value(json_object_get(cell, "order")), "auto");
	free(a);
	free(b);
	json_decref(json);
	json_decref(twin);
	json_decref(cell);
	nslab_plan_free(plan);
	nslab_plan_free(again);
}

/* ---- peers ---- */

static void write_file(char *path, size_t path_bytes, const char *name, const char *text)
{
	int fd;

	snprintf(path, path_bytes, "%s/%s", fixture.folder, name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void peer_is_found_where_the_linker_would_look(void **state)
{
	char real[128], link_path[128], found[256], version[64];

	(void)state;
	write_file(real, sizeof(real), "libpeer.so.3.14", "");
	snprintf(link_path, sizeof(link_path), "%s/libpeer.so.3", fixture.folder);
	assert_int_equal(symlink("libpeer.so.3.14", link_path), 0);
	assert_int_equal(nslab_peer_library("libpeer.so.3", found, sizeof(found)), -ENOENT);
	assert_int_equal(setenv("LD_LIBRARY_PATH", fixture.folder, 1), 0);
	assert_int_equal(nslab_peer_library("libpeer.so.3", found, sizeof(found)), 0);
	assert_string_equal(found, link_path);
	assert_int_equal(unsetenv("LD_LIBRARY_PATH"), 0);
	assert_int_equal(nslab_peer_library(link_path, found, sizeof(found)), 0);
	assert_int_equal(nslab_peer_library(link_path, found, 4), -ENAMETOOLONG);
	/* no package owns it: the real file's name */
	assert_int_equal(nslab_peer_version(link_path, version, sizeof(version)), 0);
	assert_string_equal(version, "libpeer.so.3.14");
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(nslab_peer_version(link_path, version, sizeof(version)), -ENOENT);
	unlink(real);
}

static void peer_version_is_the_package_s(void **state)
{
	char info[128], list[128], other[128], status[128], version[64];

	(void)state;
	snprintf(info, sizeof(info), "%s/info", fixture.folder);
	assert_int_equal(mkdir(info, 0700), 0);
	write_file(list, sizeof(list), "info/libpeer-minimal4:any.list",
		   "/.\n/usr/lib/libpeer_minimal.so.4.5\n");
	write_file(other, sizeof(other), "info/libpeer-full4.list", "/.\n/usr/lib/libpeer.so.4\n");
	write_file(status, sizeof(status), "status",
		   "Package: libpeer\nVersion: 1\n\nPackage: libpeer-minimal4\n"
		   "Status: installed\nVersion: 2.10-1\n\nPackage: z\nVersion: 3\n");
	assert_int_equal(nslab_peer_package_version(fixture.folder,
						    "/usr/lib/libpeer_minimal.so.4.5", version,
						    sizeof(version)),
			 0);
	assert_string_equal(version, "2.10-1");
	/* listed, but with no version; and not listed at all */
	assert_int_equal(nslab_peer_package_version(fixture.folder, "/usr/lib/libpeer.so.4",
						    version, sizeof(version)),
			 -ENOENT);
	assert_int_equal(nslab_peer_package_version(fixture.folder, "/usr/lib/libpeer.so.5",
						    version, sizeof(version)),
			 -ENOENT);
	unlink(list);
	unlink(other);
	unlink(status);
	rmdir(info);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_refuses_and_names_the_line),
		cmocka_unit_test(plan_refuses_long_lines_that_inih_would_cut),
		cmocka_unit_test(plan_refuses_bytes_that_are_no_text),
		cmocka_unit_test(plan_refuses_what_is_no_file),
		cmocka_unit_test(plan_refuses_overrides_and_names_the_command_line),
		cmocka_unit_test(plan_survives_mangled_files),
		cmocka_unit_test(plan_inherits_from_global_and_jobs_win),
		cmocka_unit_test(plan_expands_lists_and_ranges),
		cmocka_unit_test(plan_expands_threads_to_what_the_placement_takes),
		cmocka_unit_test(plan_keeps_commas_of_placements),
		cmocka_unit_test(plan_gives_pairs_two_threads_and_skips_odd_ones),
		cmocka_unit_test(plan_multiplies_orders_only_where_there_are_any),
		cmocka_unit_test(plan_sets_a_key_for_one_allocator),
		cmocka_unit_test(plan_runs_one_arm_when_no_allocator_matters),
		cmocka_unit_test(plan_skips_what_the_arm_cannot_do),
		cmocka_unit_test(plan_merges_families_of_two_jobs),
		cmocka_unit_test(plan_calls_peers_directly),
		cmocka_unit_test(plan_overrides_win_over_jobs),
		cmocka_unit_test(plan_seeds_differ_by_place_and_repeat),
		cmocka_unit_test(plan_settings_reach_the_parameters),
		cmocka_unit_test(plan_stops_by_what_it_declares),
		cmocka_unit_test(plan_json_is_explicit_and_repeats),
		cmocka_unit_test(peer_is_found_where_the_linker_would_look),
		cmocka_unit_test(peer_version_is_the_package_s),
	};

	return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
