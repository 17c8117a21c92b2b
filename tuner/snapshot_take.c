// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot_take.c: a snapshot of a running machine, or of a tree that is shaped like its /sys and
 * /proc.
 *
 * Caches come from /sys/kernel/slab; where that may not be read, or is not there, /proc/slabinfo
 * serves, and a note says what is missing then. The number of CPUs is that of the order rule: those
 * present, or the possible ones when only one is. Nodes are numbered in the order of their numbers;
 * a machine with one node needs no list of CPUs for it. Everything but caches, CPUs and release may
 * be missing. The time is told of the machine only: nobody knows when a tree was copied.
 *
 * Invariant: names of caches and words of the command line about slabs are the only texts that are
 * kept. Left out: topology beyond CPUs and nodes, and zones: free blocks are added up over all.
 */
#define _GNU_SOURCE
#include "runner/host/files.h"
#include "tuner/snapshot_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CPU_FOLDER  "/sys/devices/system/cpu"
#define NODE_FOLDER "/sys/devices/system/node"

/* ---- numbers of CPUs and nodes ---- */

struct id_list {
	int ids[NSLAB_TUNER_CPUS_MAX];
	int nr;
};

/* "0-3,8": false when the text is none or too long. */
static bool id_list_parse(const char *text, struct id_list *list)
{
	list->nr = 0;
	while (*text && *text != '\n') {
		char *end;
		long first = strtol(text, &end, 10), last = first;

		if (end == text || first < 0)
			return false;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		if (last < first || last - first >= NSLAB_TUNER_CPUS_MAX - list->nr)
			return false;
		for (long id = first; id <= last; id++)
			list->ids[list->nr++] = (int)id;
		text = *end == ',' ? end + 1 : end;
	}
	return list->nr > 0;
}

static bool id_list_read(const struct nslab_host_root *root, const char *path, struct id_list *list)
{
	char *text;
	bool is_good = false;

	list->nr = 0;
	if (nslab_host_read(root, path, &text, NULL))
		return false;
	is_good = id_list_parse(text, list);
	free(text);
	return is_good;
}

static void take_cpus(struct nslab_tuner_snapshot *s, const struct nslab_host_root *root,
		      struct id_list *cpus)
{
	struct id_list *possible = calloc(1, sizeof(*possible));

	if (id_list_read(root, CPU_FOLDER "/present", cpus))
		s->nr_cpus = cpus->nr;
	if (s->nr_cpus == 1 && possible && id_list_read(root, CPU_FOLDER "/possible", possible) &&
	    possible->nr > 1) {
		s->nr_cpus = possible->nr;
		nslab_tuner_snapshot_note(s,
					  "one CPU is present: the order rule counts the %d "
					  "possible ones",
					  s->nr_cpus);
	}
	free(possible);
}

/* Position of the node that has the CPU in its folder, or -1. */
static int take_cpu_node(const struct nslab_host_root *root, int cpu, const struct id_list *nodes)
{
	struct nslab_host_paths found;
	char pattern[64];
	int node = -1, position = -1;

	snprintf(pattern, sizeof(pattern), CPU_FOLDER "/cpu%d/node[0-9]*", cpu);
	if (!nslab_host_match(root, pattern, &found) && found.nr)
		sscanf(strrchr(found.paths[0], '/'), "/node%d", &node);
	nslab_host_paths_free(&found);
	for (int i = 0; i < nodes->nr; i++)
		position = nodes->ids[i] == node ? i : position;
	return position;
}

static int take_cpu_nodes(struct nslab_tuner_snapshot *s, const struct nslab_host_root *root,
			  const struct id_list *cpus, const struct id_list *nodes)
{
	int *cpu_nodes = calloc((size_t)s->nr_cpus, sizeof(*cpu_nodes));

	if (!cpu_nodes)
		return -ENOMEM;
	for (int i = 0; nodes->nr > 1 && i < cpus->nr; i++) {
		cpu_nodes[i] = take_cpu_node(root, cpus->ids[i], nodes);
		if (cpu_nodes[i] >= 0)
			continue;
		nslab_tuner_snapshot_note(s,
					  "the node of CPU %d is not told, so that no CPU's is "
					  "kept",
					  cpus->ids[i]);
		free(cpu_nodes);
		return 0;
	}
	s->cpu_nodes = cpu_nodes;
	return 0;
}

/* MiB of a node, 0 for one without memory, -1 unknown. */
static int64_t take_node_mib(const struct nslab_host_root *root, int node)
{
	char path[64], *text;
	const char *total;
	int64_t kib = -1;

	snprintf(path, sizeof(path), NODE_FOLDER "/node%d/meminfo", node);
	if (nslab_host_read(root, path, &text, NULL))
		return -1;
	total = strstr(text, "MemTotal:");
	if (total && sscanf(total, "MemTotal: %" SCNd64, &kib) == 1)
		kib /= 1024;
	free(text);
	return kib;
}

static int take_nodes(struct nslab_tuner_snapshot *s, const struct nslab_host_root *root,
		      const struct id_list *cpus)
{
	struct id_list *nodes = calloc(1, sizeof(*nodes));
	int64_t *mib = NULL;
	int rc = nodes ? 0 : -ENOMEM;

	if (rc || !id_list_read(root, NODE_FOLDER "/online", nodes) ||
	    nodes->nr > NSLAB_TUNER_NODES_MAX)
		goto out_free;
	s->nr_nodes = nodes->nr;
	mib = calloc((size_t)nodes->nr, sizeof(*mib));
	rc = mib ? 0 : -ENOMEM;
	for (int i = 0; mib && i < nodes->nr; i++) {
		mib[i] = take_node_mib(root, nodes->ids[i]);
		if (mib[i] >= 0)
			continue;
		free(mib);
		mib = NULL;
	}
	if (!rc && s->nr_cpus)
		rc = take_cpu_nodes(s, root, cpus, nodes);
	s->node_mib = mib;
out_free:
	free(nodes);
	return rc;
}

/* ---- the page allocator ---- */

static bool take_zone(struct nslab_tuner_snapshot *s, const char *line)
{
	const char *at = strstr(line, "zone");
	uint64_t blocks[NSLAB_TUNER_ORDERS];
	int nr_bytes = 0;

	if (!at || sscanf(at, "zone %*s%n", &nr_bytes) < 0 || !nr_bytes)
		return false;
	at += nr_bytes;
	for (int i = 0; i < NSLAB_TUNER_ORDERS; i++) {
		if (sscanf(at, "%12" SCNu64 "%n", &blocks[i], &nr_bytes) != 1)
			return false;
		at += nr_bytes;
	}
	for (int i = 0; i < NSLAB_TUNER_ORDERS; i++)
		s->free_blocks[i] += blocks[i];
	return true;
}

static void take_free_blocks(struct nslab_tuner_snapshot *s, const struct nslab_host_root *root)
{
	char *text, *rest;

	if (nslab_host_read(root, "/proc/buddyinfo", &text, NULL)) {
		nslab_tuner_snapshot_note(s, "/proc/buddyinfo cannot be read: how scarce free "
					     "blocks are is not known");
		return;
	}
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));)
		s->has_free_blocks |= take_zone(s, line);
	free(text);
}

/* ---- caches ---- */

static int take_slabinfo(struct nslab_tuner_snapshot *s, const struct nslab_host_root *root,
			 const char *why, struct nslab_err *err)
{
	char *text;
	size_t bytes;
	FILE *file;
	int rc = nslab_host_read(root, "/proc/slabinfo", &text, &bytes);

	if (rc)
		return nslab_fail(err, rc,
				  "cannot read '/sys/kernel/slab' (%s) nor '/proc/slabinfo' (%s); "
				  "run as root, or give a snapshot that root took",
				  why, strerror(-rc));
	file = bytes ? fmemopen(text, bytes, "r") : NULL;
	if (file) {
		nslab_tuner_snapshot_note(s,
					  "/sys/kernel/slab cannot be read (%s): /proc/slabinfo "
					  "serves instead; as root it tells more",
					  why);
		rc = nslab_tuner_snapshot_slabinfo(s, "/proc/slabinfo", file, err);
		fclose(file);
	}
	free(text);
	return rc;
}

/* slabinfo has one line for a merged cache: its name there is what slabtop and events call it. */
static int take_names(struct nslab_tuner_snapshot *s, const struct nslab_host_root *root)
{
	char *text, needle[256];
	int rc = 0;

	if (nslab_host_read(root, "/proc/slabinfo", &text, NULL))
		return 0;
	for (size_t i = 0; i < s->nr_caches; i++) {
		struct nslab_tuner_cache *cache = &s->caches[i];

		for (size_t k = 0; !rc && k < cache->nr_aliases; k++) {
			snprintf(needle, sizeof(needle), "\n%s ", cache->aliases[k]);
			if (strstr(text, needle))
				rc = nslab_tuner_snapshot_text(&cache->name, cache->aliases[k]);
		}
	}
	free(text);
	return rc;
}

static int take_caches(struct nslab_tuner_snapshot *s, const struct nslab_host_root *root,
		       struct nslab_err *err)
{
	char path[PATH_MAX + 32];
	struct nslab_slab_table table;
	int rc;

	snprintf(path, sizeof(path), "%s/sys/kernel/slab", root->is_machine ? "" : root->path);
	rc = nslab_slab_table_read(path, &table, err);
	if (!rc)
		rc = nslab_tuner_snapshot_rows(s, path, &table, err);
	nslab_slab_table_free(&table);
	if (!rc && take_names(s, root))
		rc = nslab_fail(err, -ENOMEM, "out of memory");
	return rc == -EACCES || rc == -EPERM || rc == -ENOENT
		       ? take_slabinfo(s, root, strerror(-rc), err)
		       : rc;
}

/* ---- the machine ---- */

/* *text stays when the file cannot be read. */
static int take_line(const struct nslab_host_root *root, const char *path, char **text)
{
	char *line;
	int rc = 0;

	if (nslab_host_read(root, path, &line, NULL))
		return 0;
	line[strcspn(line, "\n")] = '\0';
	if (strlen(line) < 128 && line[strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQR"
						    "STUVWXYZ0123456789_.+~-")] == '\0')
		rc = nslab_tuner_snapshot_text(text, line);
	free(line);
	return rc;
}

static int take_command_line(struct nslab_tuner_snapshot *s, const struct nslab_host_root *root)
{
	char *text;
	int rc;

	if (nslab_host_read(root, "/proc/cmdline", &text, NULL)) {
		nslab_tuner_snapshot_note(s, "/proc/cmdline cannot be read: no boot parameters of "
					     "slabs are assumed");
		return 0;
	}
	rc = nslab_tuner_snapshot_cmdline(s, text);
	free(text);
	return rc;
}

static int take_time(struct nslab_tuner_snapshot *s)
{
	time_t now = time(NULL);
	struct tm utc;
	char text[32];

	if (!gmtime_r(&now, &utc) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc))
		return 0;
	return nslab_tuner_snapshot_text(&s->taken_at, text);
}

static int take_machine(struct nslab_tuner_snapshot *s, const struct nslab_host_root *root,
			struct nslab_err *err)
{
	struct id_list *cpus = calloc(1, sizeof(*cpus));
	long page_bytes = root->is_machine ? sysconf(_SC_PAGESIZE) : (long)NSLAB_PAGE_SIZE;
	int rc = cpus ? 0 : -ENOMEM;

	if (page_bytes != (long)NSLAB_PAGE_SIZE) {
		free(cpus);
		return nslab_fail(err, -EINVAL,
				  "pages of this machine have %ld bytes; the rules are known for "
				  "pages of 4096 bytes only",
				  page_bytes);
	}
	if (!rc)
		rc = take_line(root, "/proc/sys/kernel/osrelease", &s->release);
	if (!rc)
		rc = take_line(root, "/proc/sys/kernel/arch", &s->arch);
	if (!rc)
		rc = take_command_line(s, root);
	if (!rc && root->is_machine)
		rc = take_time(s);
	if (!rc) {
		take_cpus(s, root, cpus);
		take_free_blocks(s, root);
		rc = take_nodes(s, root, cpus);
	}
	free(cpus);
	return rc ? nslab_fail(err, rc, "out of memory") : nslab_tuner_snapshot_arch(s, err);
}

int nslab_tuner_snapshot_take(const char *sysroot, const struct nslab_tuner_given *given,
			      struct nslab_tuner_snapshot **snapshot, struct nslab_err *err)
{
	bool is_machine = !sysroot || !*sysroot;
	struct nslab_tuner_snapshot *s =
		nslab_tuner_snapshot_new(is_machine ? "this machine" : sysroot);
	struct nslab_host_root root;
	int rc;

	if (!s)
		return nslab_fail(err, -ENOMEM, "out of memory");
	rc = nslab_host_root_open(is_machine ? NULL : sysroot, &root, err);
	if (rc)
		goto out_free;
	rc = take_machine(s, &root, err);
	if (!rc)
		rc = take_caches(s, &root, err);
	if (!rc)
		rc = nslab_tuner_snapshot_finish(s, given, err);
	nslab_host_root_close(&root);
out_free:
	if (rc)
		nslab_tuner_snapshot_free(s);
	else
		*snapshot = s;
	return rc;
}
