// SPDX-License-Identifier: GPL-2.0-only
/*
 * make_snapshot.c: snapshots for the tuner's tests, built in memory.
 *
 * A test says what matters to it and gets a machine of which all is consistent: what a cache does
 * not tell follows from the kernel's rules. Tables are trusted, their columns are found by name.
 * Left out: whatever a reader of foreign files must check, which is tested elsewhere.
 */
#define _GNU_SOURCE
#include "make_snapshot.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *make_snapshot_must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static char *make_snapshot_text(const char *text)
{
	return make_snapshot_must(strdup(text));
}

struct nslab_tuner_snapshot *make_snapshot(enum nslab_order_kernel kernel, int nr_cpus,
					   int nr_nodes)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot_must(calloc(1, sizeof(*snapshot)));

	snapshot->source = make_snapshot_text("a test");
	snapshot->release = make_snapshot_text("");
	snapshot->arch = make_snapshot_text("x86_64");
	snapshot->cmdline_slab = make_snapshot_text("");
	snapshot->taken_at = make_snapshot_text("");
	snapshot->kernel = kernel;
	snapshot->knobs = (struct nslab_order_knobs)NSLAB_ORDER_KNOBS_DEFAULT;
	snapshot->nr_cpus = nr_cpus;
	snapshot->nr_nodes = nr_nodes;
	return snapshot;
}

struct nslab_tuner_cache *make_snapshot_cache(struct nslab_tuner_snapshot *snapshot,
					      const char *name, unsigned size, int64_t live)
{
	size_t bytes = (snapshot->nr_caches + 1) * sizeof(*snapshot->caches);
	struct nslab_tuner_cache *cache;
	int order =
		nslab_order_by_kernel(snapshot->kernel, size, &snapshot->knobs, snapshot->nr_cpus);
	int objects = (int)nslab_order_objects(size, (unsigned)order);

	snapshot->caches = make_snapshot_must(realloc(snapshot->caches, bytes));
	cache = &snapshot->caches[snapshot->nr_caches++];
	*cache = (struct nslab_tuner_cache){
		.name = make_snapshot_text(name),
		.folder = make_snapshot_text(name),
		.object_size = size,
		.size = size,
		.align = 8,
		.order = order,
		.objects = objects,
		.min_partial = (int)nslab_order_min_partial(size),
		.cpu_partial = (int)nslab_order_cpu_partial(size),
		.live = live,
		.total = (live + objects - 1) / objects * objects,
		.nr_slabs = (live + objects - 1) / objects,
		.allocs_per_s = NAN,
		.frees_per_s = NAN,
		.remote_share = NAN,
	};
	return cache;
}

/* The column of that name in a line, or NULL. Lines of a table have no quoting. */
static const char *make_snapshot_column(const char *names, const char *line, const char *name)
{
	size_t length = strlen(name);

	for (;;) {
		if (!strncmp(names, name, length) && (names[length] == '\t' || !names[length]))
			return line;
		names = strchr(names, '\t');
		line = strchr(line, '\t');
		if (!names || !line)
			return NULL;
		names++;
		line++;
	}
}

static int make_snapshot_number(const char *names, const char *line, const char *name)
{
	const char *text = make_snapshot_column(names, line, name);

	return text ? atoi(text) : NSLAB_TUNER_UNKNOWN;
}

static void make_snapshot_row(struct nslab_tuner_snapshot *snapshot, const char *names,
			      const char *line)
{
	struct nslab_tuner_cache *cache;
	char name[64];

	if (*make_snapshot_column(names, line, "alias_of") != '-')
		return;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(line, "\t"), line);
	cache = make_snapshot_cache(snapshot, name,
				    (unsigned)make_snapshot_number(names, line, "slab_size"),
				    make_snapshot_number(names, line, "objects"));
	cache->object_size = (unsigned)make_snapshot_number(names, line, "object_size");
	cache->align = (unsigned)make_snapshot_number(names, line, "align");
	cache->order = make_snapshot_number(names, line, "order");
	cache->objects = make_snapshot_number(names, line, "objs_per_slab");
	cache->cpu_partial = make_snapshot_number(names, line, "cpu_partial");
	cache->min_partial = make_snapshot_number(names, line, "min_partial");
	cache->sheaf_capacity = make_snapshot_number(names, line, "sheaf_capacity");
	cache->total = make_snapshot_number(names, line, "total_objects");
	cache->nr_slabs = make_snapshot_number(names, line, "slabs");
	cache->nr_partial = make_snapshot_number(names, line, "partial");
}

int make_snapshot_table(struct nslab_tuner_snapshot *snapshot, const char *path)
{
	FILE *file = fopen(path, "r");
	size_t before = snapshot->nr_caches;
	char names[1024], line[4096];

	if (!file)
		return -errno;
	if (fgets(names, sizeof(names), file))
		names[strcspn(names, "\n")] = '\0';
	while (fgets(line, sizeof(line), file))
		make_snapshot_row(snapshot, names, line);
	fclose(file);
	return (int)(snapshot->nr_caches - before);
}

void make_snapshot_free(struct nslab_tuner_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->nr_caches; i++) {
		free(snapshot->caches[i].name);
		free(snapshot->caches[i].folder);
	}
	free(snapshot->caches);
	free(snapshot->source);
	free(snapshot->release);
	free(snapshot->arch);
	free(snapshot->cmdline_slab);
	free(snapshot->taken_at);
	free(snapshot);
}
