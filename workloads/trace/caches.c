/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * caches.c: the cache table while a trace is written.
 *
 * Kernels before 6.2 do not name the cache in kmem_cache_alloc, only in kmem_cache_free. Such an
 * allocation belongs to a nameless cache of its call site and sizes, since a call site hardly ever
 * allocates from two caches of one size; each free of one of its objects is a vote for the name
 * that it tells. At the end a nameless cache becomes the one with most votes; without any, the
 * only named cache of its sizes; else "size-N". Events already written need no change: they hold
 * shapes, and only the shapes' cache numbers are rewritten.
 */
#include "workloads/trace/caches.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What numeric caches are known by; the first byte of a key tells its type. */
struct caches_key {
	char type;
	uint8_t kmalloc_type;
	uint16_t site;
	uint32_t unused;
	uint64_t object_size, size;
};

#define NAME_MAX_BYTES 127 /* of a cache's name; the rest is cut */

static int caches_add(struct nslab_trace_caches *caches, const void *key, size_t length,
		      const struct nslab_trace_cache *row)
{
	uint32_t nr = caches->ids.nr;
	int id;

	if (nr == caches->nr_max) {
		uint32_t nr_max = nr ? 2 * nr : 64;
		struct nslab_trace_cache *rows =
			realloc(caches->rows, nr_max * sizeof(*caches->rows));

		if (!rows)
			return -ENOMEM;
		caches->rows = rows;
		caches->nr_max = nr_max;
	}
	id = nslab_trace_intern(&caches->ids, key, length, NSLAB_TRACE_MAX_INDEX);
	if (id >= 0 && (uint32_t)id == nr)
		caches->rows[id] = *row;
	return id;
}

int nslab_trace_caches_init(struct nslab_trace_caches *caches)
{
	const struct nslab_trace_cache row = {.name = "(unknown)", .kernel = -1};
	int rc;

	*caches = (struct nslab_trace_caches){0};
	rc = caches_add(caches, "U", 1, &row);
	return rc < 0 ? rc : 0;
}

void nslab_trace_caches_free(struct nslab_trace_caches *caches)
{
	nslab_trace_intern_free(&caches->ids);
	nslab_trace_intern_free(&caches->votes);
	nslab_trace_intern_free(&caches->names);
	free(caches->rows);
	free(caches->nr_votes);
	free(caches->final);
	free(caches->file_rows);
}

int nslab_trace_caches_named(struct nslab_trace_caches *caches, const char *name, size_t length,
			     uint64_t object_size, uint64_t size)
{
	const struct nslab_trace_cache row = {.type = NSLAB_TRACE_KMEM, .kernel = -1};
	char key[NAME_MAX_BYTES + 1] = "K";
	int id;

	length = length < NAME_MAX_BYTES ? length : NAME_MAX_BYTES;
	memcpy(key + 1, name, length);
	id = caches_add(caches, key, length + 1, &row);
	if (id < 0)
		return id;
	caches->rows[id].name = caches->ids.keys[id].bytes + 1;
	if (!caches->rows[id].object_size) {
		caches->rows[id].object_size = object_size;
		caches->rows[id].size = size;
	}
	return id;
}

static int caches_numeric(struct nslab_trace_caches *caches, struct caches_key key,
			  enum nslab_trace_cache_type type)
{
	const struct nslab_trace_cache row = {
		.type = type,
		.kmalloc_type = (enum nslab_trace_kmalloc_type)key.kmalloc_type,
		.object_size = key.object_size,
		.size = key.size,
		.kernel = -1,
	};

	return caches_add(caches, &key, sizeof(key), &row);
}

int nslab_trace_caches_nameless(struct nslab_trace_caches *caches, uint16_t site,
				uint64_t object_size, uint64_t size)
{
	return caches_numeric(
		caches,
		(struct caches_key){
			.type = 'N', .site = site, .object_size = object_size, .size = size},
		NSLAB_TRACE_KMEM);
}

int nslab_trace_caches_kmalloc(struct nslab_trace_caches *caches, uint64_t bytes_req,
			       uint64_t bytes_alloc, enum nslab_trace_kmalloc_type type)
{
	struct caches_key key = {.type = 'S',
				 .kmalloc_type = (uint8_t)type,
				 .object_size = bytes_req,
				 .size = bytes_alloc};

	if (caches->ids.nr > NSLAB_TRACE_MAX_INDEX / 2 &&
	    nslab_trace_intern_find(&caches->ids, &key, sizeof(key)) < 0)
		key.object_size = bytes_alloc;
	return caches_numeric(caches, key, NSLAB_TRACE_SIZE);
}

int nslab_trace_caches_pages(struct nslab_trace_caches *caches, unsigned order)
{
	uint64_t bytes = (uint64_t)4096 << order;

	return caches_numeric(caches,
			      (struct caches_key){.type = 'P', .object_size = bytes, .size = bytes},
			      NSLAB_TRACE_PAGES);
}

int nslab_trace_caches_vote(struct nslab_trace_caches *caches, uint16_t nameless, uint16_t named)
{
	const uint16_t pair[2] = {nameless, named};
	int id;

	if (!nslab_trace_caches_is_nameless(caches, nameless))
		return 0;
	id = nslab_trace_intern(&caches->votes, pair, sizeof(pair), INT32_MAX);
	if (id < 0)
		return id;
	if ((uint32_t)id >= caches->nr_votes_max) {
		uint32_t nr_max = caches->nr_votes_max ? 2 * caches->nr_votes_max : 64;
		uint64_t *nr_votes = realloc(caches->nr_votes, nr_max * sizeof(*nr_votes));

		if (!nr_votes)
			return -ENOMEM;
		memset(nr_votes + caches->nr_votes_max, 0,
		       (nr_max - caches->nr_votes_max) * sizeof(*nr_votes));
		caches->nr_votes = nr_votes;
		caches->nr_votes_max = nr_max;
	}
	caches->nr_votes[id]++;
	return 0;
}

/* ---- names at the end ---- */

/* target[nameless] = the name with most votes; the first one told of two that are level. */
static void caches_count_votes(const struct nslab_trace_caches *caches, uint16_t *target)
{
	uint64_t *best = calloc(caches->ids.nr, sizeof(*best));

	for (uint32_t v = 0; best && v < caches->votes.nr; v++) {
		uint16_t pair[2];

		memcpy(pair, caches->votes.keys[v].bytes, sizeof(pair));
		if (caches->nr_votes[v] > best[pair[0]]) {
			best[pair[0]] = caches->nr_votes[v];
			target[pair[0]] = pair[1];
		}
	}
	free(best);
}

/* A cache that was only freed to gets the sizes of what was allocated for it. */
static void caches_pass_sizes(struct nslab_trace_caches *caches, const uint16_t *target)
{
	for (uint32_t i = 0; i < caches->ids.nr; i++) {
		struct nslab_trace_cache *named = &caches->rows[target[i]];

		if (target[i] == i || named->object_size)
			continue;
		named->object_size = caches->rows[i].object_size;
		named->size = caches->rows[i].size;
	}
}

/* The only named cache of these sizes, or -1. */
static int caches_by_size(const struct nslab_trace_caches *caches,
			  const struct nslab_trace_cache *row)
{
	int found = -1;

	for (uint32_t i = 0; i < caches->ids.nr; i++) {
		const struct nslab_trace_cache *other = &caches->rows[i];

		if (other->type != NSLAB_TRACE_KMEM || !other->name ||
		    other->object_size != row->object_size || other->size != row->size)
			continue;
		if (found >= 0)
			return -1;
		found = (int)i;
	}
	return found;
}

static void caches_kmalloc_name(const struct nslab_trace_cache *row, char *name, size_t nr_bytes)
{
	static const char *const prefixes[] = {"kmalloc-", "kmalloc-rcl-", "kmalloc-cg-",
					       "dma-kmalloc-"};
	bool is_kib = row->size >= 1024 && row->size % 1024 == 0;

	if (row->size > 8192)
		snprintf(name, nr_bytes, "kmalloc-large");
	else
		snprintf(name, nr_bytes, "%s%llu%s", prefixes[row->kmalloc_type],
			 (unsigned long long)(is_kib ? row->size / 1024 : row->size),
			 is_kib ? "k" : "");
}

static int caches_give_name(struct nslab_trace_caches *caches, struct nslab_trace_cache *row)
{
	char name[64];
	int id;

	if (row->type == NSLAB_TRACE_SIZE)
		caches_kmalloc_name(row, name, sizeof(name));
	else if (row->type == NSLAB_TRACE_PAGES)
		snprintf(name, sizeof(name), "pages-%d", __builtin_ctzll(row->size >> 12));
	else
		snprintf(name, sizeof(name), "size-%llu", (unsigned long long)row->object_size);
	id = nslab_trace_intern(&caches->names, name, strlen(name), INT32_MAX);
	if (id < 0)
		return id;
	row->name = caches->names.keys[id].bytes;
	return 0;
}

/* Those that are their own target go to the file, in order. */
static int caches_number(struct nslab_trace_caches *caches, const uint16_t *target)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < caches->ids.nr; i++) {
		if (target[i] != i)
			continue;
		if (!caches->rows[i].name)
			rc = caches_give_name(caches, &caches->rows[i]);
		caches->final[i] = (uint16_t)caches->nr_file_rows;
		caches->file_rows[caches->nr_file_rows++] = caches->rows[i];
	}
	for (uint32_t i = 0; i < caches->ids.nr; i++)
		caches->final[i] = caches->final[target[i]];
	return rc;
}

int nslab_trace_caches_resolve(struct nslab_trace_caches *caches)
{
	uint32_t nr = caches->ids.nr;
	uint16_t *target = calloc(nr, sizeof(*target));
	int rc = -ENOMEM;

	caches->final = calloc(nr, sizeof(*caches->final));
	caches->file_rows = calloc(nr, sizeof(*caches->file_rows));
	if (!target || !caches->final || !caches->file_rows)
		goto out;
	for (uint32_t i = 0; i < nr; i++)
		target[i] = (uint16_t)i;
	caches_count_votes(caches, target);
	caches_pass_sizes(caches, target);
	for (uint32_t i = 0; i < nr; i++) {
		int named = -1;

		if (target[i] == i && nslab_trace_caches_is_nameless(caches, (uint16_t)i))
			named = caches_by_size(caches, &caches->rows[i]);
		if (named >= 0)
			target[i] = (uint16_t)named;
	}
	rc = caches_number(caches, target);
out:
	free(target);
	return rc;
}
