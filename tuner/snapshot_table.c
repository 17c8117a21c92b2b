// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot_table.c: caches of a snapshot from sysfs' attributes and from the text of slabinfo.
 *
 * Rows of sysfs come from runner/slab_table.c, whether they were read from a folder or a table; a
 * row that is an alias becomes a name of the cache that it joined. /proc/slabinfo is far poorer:
 * its <objsize> is the stride, so that an object's own size, its alignment and what it was made for
 * are not known; its <active_objs> counts free objects that CPUs hold. Both are said in notes.
 *
 * Invariant: each cache that is added was checked, and errors name its line. Left out: slabinfo of
 * SLAB, which tells itself by tunables that are not 0, and whose rules nobody needs any more.
 */
#define _GNU_SOURCE
#include "tuner/snapshot_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- sysfs ---- */

static void table_fill(struct nslab_tuner_cache *cache, const struct nslab_slab_row *row)
{
	const int64_t *value = row->value;

	cache->object_size = (unsigned)value[NSLAB_SLAB_OBJECT_SIZE];
	cache->size = row->size;
	if (value[NSLAB_SLAB_ALIGN] > 0)
		cache->align = (unsigned)value[NSLAB_SLAB_ALIGN];
	for (int i = NSLAB_SLAB_HWCACHE_ALIGN; i < NSLAB_NR_SLAB_COLUMNS; i++) {
		if (value[i] > 0)
			cache->flags |= nslab_tuner_snapshot_flag((enum nslab_slab_column)i);
	}
	cache->has_ctor = row->has_ctor;
	cache->is_debug = row->is_debug;
	cache->order = (int)value[NSLAB_SLAB_ORDER];
	cache->objects = (int)value[NSLAB_SLAB_OBJECTS];
	cache->min_partial = (int)value[NSLAB_SLAB_MIN_PARTIAL];
	cache->cpu_partial = (int)value[NSLAB_SLAB_CPU_PARTIAL];
	cache->sheaf_capacity = (int)value[NSLAB_SLAB_SHEAF_CAPACITY];
	cache->live = value[NSLAB_SLAB_LIVE];
	cache->total = value[NSLAB_SLAB_TOTAL];
	cache->nr_slabs = value[NSLAB_SLAB_SLABS];
	cache->nr_partial = value[NSLAB_SLAB_PARTIAL];
}

static int table_add(struct nslab_tuner_snapshot *s, const struct nslab_slab_row *row,
		     struct nslab_err *err)
{
	struct nslab_tuner_cache *cache;

	if (row->value[NSLAB_SLAB_OBJECT_SIZE] == NSLAB_SLAB_UNTOLD)
		return nslab_fail(err, -EINVAL, "cache '%.64s' has no object_size", row->name);
	cache = nslab_tuner_snapshot_add(s, row->name);
	if (!cache)
		return nslab_fail(err, -ENOMEM, "out of memory");
	table_fill(cache, row);
	return nslab_tuner_snapshot_check(cache, err);
}

static int table_by_folder(const void *a, const void *b)
{
	const struct nslab_tuner_cache *x = a, *y = b;

	return strcmp(x->folder, y->folder);
}

static int table_alias(struct nslab_tuner_snapshot *s, const struct nslab_slab_row *row,
		       struct nslab_err *err)
{
	const struct nslab_tuner_cache key = {.folder = row->alias_of};
	struct nslab_tuner_cache *cache = NULL;

	if (s->nr_caches)
		cache = bsearch(&key, s->caches, s->nr_caches, sizeof(key), table_by_folder);
	if (!cache)
		return nslab_fail(err, -EINVAL, "cache '%.64s' joined '%.64s', which is not there",
				  row->name, row->alias_of);
	return nslab_tuner_snapshot_add_alias(cache, row->name)
		       ? nslab_fail(err, -ENOMEM, "out of memory")
		       : 0;
}

/* The first alias names a merged cache, until somebody knows better. */
static int table_name(struct nslab_tuner_cache *cache)
{
	const char *name = cache->nr_aliases ? cache->aliases[0] : cache->folder;

	for (size_t i = 1; i < cache->nr_aliases; i++)
		name = strcmp(cache->aliases[i], name) < 0 ? cache->aliases[i] : name;
	return nslab_tuner_snapshot_text(&cache->name, name);
}

int nslab_tuner_snapshot_rows(struct nslab_tuner_snapshot *snapshot, const char *path,
			      const struct nslab_slab_table *table, struct nslab_err *err)
{
	int rc = 0;

	if (table->header_line && !table->has_column[NSLAB_SLAB_OBJECT_SIZE])
		return nslab_fail(err, -EINVAL,
				  "%s:%zu: the columns name, object_size and slab_size are needed, "
				  "'object_size' is missing",
				  path, table->header_line);
	for (int is_alias = 0; is_alias < 2; is_alias++) {
		for (size_t i = 0; !rc && i < table->nr; i++) {
			const struct nslab_slab_row *row = &table->rows[i];

			if ((row->alias_of != NULL) != is_alias)
				continue;
			rc = is_alias ? table_alias(snapshot, row, err)
				      : table_add(snapshot, row, err);
			if (rc)
				nslab_fail_in(err, rc, "%s:%zu", path, row->line);
		}
		if (snapshot->nr_caches)
			qsort(snapshot->caches, snapshot->nr_caches, sizeof(*snapshot->caches),
			      table_by_folder);
	}
	for (size_t i = 0; !rc && i < snapshot->nr_caches; i++) {
		if (table_name(&snapshot->caches[i]))
			rc = nslab_fail(err, -ENOMEM, "out of memory");
	}
	return rc;
}

/* ---- slabinfo ---- */

struct slabinfo_line {
	char name[128];
	uint64_t nr_active, nr_objects, size, objects, pages, limit, nr_slabs;
};

/* "name active total size objects pages : tunables a b c : slabdata active total shared" */
static int slabinfo_split(const char *line, struct slabinfo_line *l, struct nslab_err *err)
{
	int nr = sscanf(line,
			"%127s %15" SCNu64 " %15" SCNu64 " %9" SCNu64 " %9" SCNu64 " %9" SCNu64
			" : tunables %9" SCNu64 " %*u %*u : slabdata %*u %15" SCNu64,
			l->name, &l->nr_active, &l->nr_objects, &l->size, &l->objects, &l->pages,
			&l->limit, &l->nr_slabs);

	if (nr != 8)
		return nslab_fail(
			err, -EINVAL,
			"no line of slabinfo version 2.1: NAME, 5 numbers, ': tunables' "
			"and 3, ': slabdata' and 3 are needed, %d of the 8 that count are "
			"there",
			nr < 0 ? 0 : nr);
	if (l->limit)
		return nslab_fail(
			err, -EINVAL,
			"cache '%.64s' has tunables: this kernel has SLAB; only the rules "
			"of SLUB are known",
			l->name);
	if (!l->pages || (l->pages & (l->pages - 1)) || l->pages > 1u << NSLAB_MAX_ORDER)
		return nslab_fail(err, -EINVAL,
				  "cache '%.64s': <pagesperslab> is %" PRIu64 ", no power of two "
				  "up to %u",
				  l->name, l->pages, 1u << NSLAB_MAX_ORDER);
	return 0;
}

static int slabinfo_take(struct nslab_tuner_snapshot *s, const char *line, struct nslab_err *err)
{
	struct slabinfo_line l = {.name = ""};
	struct nslab_tuner_cache *cache;
	int rc = slabinfo_split(line, &l, err);

	if (rc)
		return rc;
	cache = nslab_tuner_snapshot_add(s, l.name);
	if (!cache)
		return nslab_fail(err, -ENOMEM, "out of memory");
	cache->object_size = cache->size = (unsigned)l.size;
	cache->order = (int)nslab_order_log2(l.pages);
	cache->objects = (int)l.objects;
	cache->live = (int64_t)l.nr_active;
	cache->total = (int64_t)l.nr_objects;
	cache->nr_slabs = (int64_t)l.nr_slabs;
	return nslab_tuner_snapshot_check(cache, err);
}

int nslab_tuner_snapshot_slabinfo(struct nslab_tuner_snapshot *snapshot, const char *path,
				  FILE *file, struct nslab_err *err)
{
	size_t room = 0, number = 0;
	char *line = NULL;
	int rc = 0;

	while (!rc && getline(&line, &room, file) > 0) {
		number++;
		line[strcspn(line, "\r\n")] = '\0';
		if (!*line || *line == '#' || !strncmp(line, "slabinfo - version", 18))
			continue;
		rc = slabinfo_take(snapshot, line, err);
		if (rc)
			nslab_fail_in(err, rc, "%s:%zu", path, number);
	}
	free(line);
	nslab_tuner_snapshot_note(snapshot,
				  "slabinfo tells no object_size: objects are taken to fill their "
				  "stride, padding is not known");
	nslab_tuner_snapshot_note(snapshot, "slabinfo counts free objects that CPUs hold as live");
	return rc;
}
