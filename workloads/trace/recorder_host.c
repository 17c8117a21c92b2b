/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorder_host.c: the machine's slab caches before and after a recording, its CPUs and nodes.
 *
 * /proc/slabinfo gives the name that a cache has in events; many caches of one size may share it
 * (merging), and /sys/kernel/slab has a link of that name to the shared one, so each cache is told
 * once. Counts come from sysfs, where objects in per-CPU slabs are counted as they are; slabinfo
 * takes all of them for live ones, so it only fills in for slabs where sysfs has none. Attributes
 * are read after the recording, since they do not change and reading them takes its time. What
 * cannot be read is told as not known, never as 0; a cache that is not there has 0 of everything.
 */
#define _GNU_SOURCE
#include "workloads/trace/recorder_host.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES  128
#define FLAGS_BYTES 256

struct cache_counts {
	int64_t slabs, objects, partial;
};

struct host_cache {
	char name[NAME_BYTES];
	struct cache_counts before, after;
};

struct nslab_recorder_caches {
	struct host_cache *rows;
	size_t nr, nr_room;
};

/* ---- reading ---- */

/* The number that the file begins with, or NSLAB_TRACE_NOT_TOLD. */
static int64_t host_number(const char *root, const char *cache, const char *file)
{
	char path[PATH_MAX];
	int64_t value = NSLAB_TRACE_NOT_TOLD;
	FILE *in;

	snprintf(path, sizeof(path), "%s/sys/kernel/slab/%s/%s", root, cache, file);
	in = fopen(path, "re");
	if (!in)
		return value;
	if (fscanf(in, "%" SCNd64, &value) != 1)
		value = NSLAB_TRACE_NOT_TOLD;
	fclose(in);
	return value;
}

static struct cache_counts host_counts(const char *root, const char *cache, int64_t nr_slabs)
{
	struct cache_counts counts = {
		.slabs = host_number(root, cache, "slabs"),
		.objects = host_number(root, cache, "objects"),
		.partial = host_number(root, cache, "partial"),
	};

	if (counts.slabs == NSLAB_TRACE_NOT_TOLD)
		counts.slabs = nr_slabs;
	return counts;
}

/* The row of a cache, made with zero counts if need be; NULL without memory. */
static struct host_cache *caches_row(struct nslab_recorder_caches *caches, const char *name)
{
	struct host_cache *row;

	for (size_t i = 0; i < caches->nr; i++) {
		if (!strcmp(caches->rows[i].name, name))
			return &caches->rows[i];
	}
	if (caches->nr == caches->nr_room) {
		size_t nr_room = caches->nr_room * 2 + 64;
		struct host_cache *rows = realloc(caches->rows, nr_room * sizeof(*rows));

		if (!rows)
			return NULL;
		caches->rows = rows;
		caches->nr_room = nr_room;
	}
	row = &caches->rows[caches->nr++];
	*row = (struct host_cache){.name = ""};
	snprintf(row->name, sizeof(row->name), "%s", name);
	return row;
}

/* Fills in the counts of every cache, `before` or `after`. */
static int caches_count(const char *root, struct nslab_recorder_caches *caches, bool is_after,
			struct nslab_err *err)
{
	char path[PATH_MAX], name[NAME_BYTES];
	char *line = NULL;
	size_t room = 0;
	int rc = 0;
	FILE *in;

	snprintf(path, sizeof(path), "%s/proc/slabinfo", root);
	in = fopen(path, "re");
	if (!in)
		return nslab_fail(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	while (!rc && getline(&line, &room, in) > 0) {
		const char *data = strstr(line, ": slabdata");
		int64_t nr_slabs = NSLAB_TRACE_NOT_TOLD;
		struct host_cache *row;

		if (line[0] == '#' || !data || sscanf(line, "%127s", name) != 1)
			continue;
		if (sscanf(data, ": slabdata %*d %" SCNd64, &nr_slabs) != 1)
			nr_slabs = NSLAB_TRACE_NOT_TOLD;
		row = caches_row(caches, name);
		if (row)
			*(is_after ? &row->after : &row->before) =
				host_counts(root, name, nr_slabs);
		else
			rc = nslab_fail(err, -ENOMEM, "no memory for the list of caches");
	}
	free(line);
	fclose(in);
	return rc;
}

int nslab_recorder_caches_before(const char *root, struct nslab_recorder_caches **caches,
				 struct nslab_err *err)
{
	int rc;

	*caches = calloc(1, sizeof(**caches));
	if (!*caches)
		return nslab_fail(err, -ENOMEM, "no memory for the list of caches");
	rc = caches_count(root, *caches, false, err);
	if (rc) {
		nslab_recorder_caches_free(*caches);
		*caches = NULL;
	}
	return rc;
}

int nslab_recorder_caches_after(const char *root, struct nslab_recorder_caches *caches,
				struct nslab_err *err)
{
	return caches_count(root, caches, true, err);
}

void nslab_recorder_caches_free(struct nslab_recorder_caches *caches)
{
	if (!caches)
		return;
	free(caches->rows);
	free(caches);
}

/* ---- writing ---- */

/* The attributes that say yes, as words with commas. */
static void host_flags(const char *root, const char *cache, char flags[])
{
	static const char *const words[] = {"hwcache_align",  "reclaim_account", "cache_dma",
					    "destroy_by_rcu", "sanity_checks",	 "red_zone",
					    "poison",	      "store_user",	 "trace"};
	size_t at = 0;

	flags[0] = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (host_number(root, cache, words[i]) == 1)
			at += (size_t)snprintf(flags + at, FLAGS_BYTES - at, "%s%s", at ? "," : "",
					       words[i]);
	}
}

static int cache_write(const char *root, const struct host_cache *row,
		       struct nslab_trace_writer *writer)
{
	char flags[FLAGS_BYTES];
	const struct nslab_trace_kernel_cache cache = {
		.name = row->name,
		.object_size = host_number(root, row->name, "object_size"),
		.slab_size = host_number(root, row->name, "slab_size"),
		.align = host_number(root, row->name, "align"),
		.order = host_number(root, row->name, "order"),
		.objs_per_slab = host_number(root, row->name, "objs_per_slab"),
		.cpu_partial = host_number(root, row->name, "cpu_partial"),
		.min_partial = host_number(root, row->name, "min_partial"),
		.sheaf_capacity = host_number(root, row->name, "sheaf_capacity"),
		.flags = flags,
		.slabs_before = row->before.slabs,
		.slabs_after = row->after.slabs,
		.objects_before = row->before.objects,
		.objects_after = row->after.objects,
		.partial_before = row->before.partial,
		.partial_after = row->after.partial,
	};

	host_flags(root, row->name, flags);
	return nslab_trace_writer_kernel_cache(writer, &cache);
}

int nslab_recorder_caches_write(const char *root, const struct nslab_recorder_caches *caches,
				struct nslab_trace_writer *writer, struct nslab_err *err)
{
	for (size_t i = 0; i < caches->nr; i++) {
		int rc = cache_write(root, &caches->rows[i], writer);

		if (rc < 0)
			return nslab_fail(err, rc, "cannot note cache '%s': %s",
					  caches->rows[i].name, strerror(-rc));
	}
	return 0;
}

/* The node that a CPU's folder has a link to, or -1. */
static int host_cpu_node(const char *cpu_folder)
{
	char pattern[PATH_MAX];
	int node = -1;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/node[0-9]*", cpu_folder);
	if (!glob(pattern, 0, NULL, &found))
		sscanf(found.gl_pathv[0] + strlen(cpu_folder), "/node%d", &node);
	globfree(&found);
	return node;
}

int nslab_recorder_cpus_write(const char *root, struct nslab_trace_writer *writer,
			      struct nslab_err *err)
{
	char pattern[PATH_MAX];
	unsigned cpu;
	glob_t found;
	int rc = 0;

	snprintf(pattern, sizeof(pattern), "%s/sys/devices/system/cpu/cpu[0-9]*", root);
	if (!glob(pattern, 0, NULL, &found)) {
		for (size_t i = 0; !rc && i < found.gl_pathc; i++) {
			const char *folder = found.gl_pathv[i];

			if (sscanf(strrchr(folder, '/'), "/cpu%u", &cpu) == 1)
				rc = nslab_trace_writer_cpu(writer, cpu, host_cpu_node(folder));
			rc = rc > 0 ? 0 : rc;
		}
	}
	globfree(&found);
	return rc ? nslab_fail(err, rc, "cannot note CPU %u: %s", cpu, strerror(-rc)) : 0;
}
