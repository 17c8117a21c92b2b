/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model_map.h: the objects that are live, found by the page that they lie in.
 *
 * Open addressing, keyed by page number, linear probing, removal by shifting back. A page knows the
 * objects that begin in it and the one object that reaches into it from the page before; there is
 * at most one, since live objects do not overlap. So an overlap with any live object is found by
 * looking at the pages that the new object touches.
 */
#ifndef NSLAB_TESTS_MODEL_MAP_H
#define NSLAB_TESTS_MODEL_MAP_H

#include <numaslab/types.h>
#include <stdlib.h>

/* What is known about a live object. */
struct model_object {
	unsigned char *ptr;
	size_t asked;		   /* bytes */
	size_t bytes;		   /* that carry the pattern: asked, or all that is usable */
	uint32_t tag;		   /* decides the pattern */
	int16_t cache;		   /* slot number, -1: from kmalloc */
	int16_t cpu;		   /* that allocated it */
	uint64_t op;		   /* number of the operation that allocated it */
	size_t index;		   /* in the table of objects */
	struct model_object *next; /* that begins in the same page */
};

struct model_page {
	uintptr_t number;	      /* address >> 12; 0: no entry */
	struct model_object *begins;  /* list */
	struct model_object *reaches; /* into this page from the one before, or NULL */
};

struct model_map {
	struct model_page *pages;
	size_t nr, nr_slots; /* nr_slots: a power of two */
};

static inline size_t model_slot(const struct model_map *map, uintptr_t number)
{
	return (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (map->nr_slots - 1);
}

static inline struct model_page *model_find(const struct model_map *map, uintptr_t number)
{
	size_t at = model_slot(map, number);

	while (map->pages[at].number && map->pages[at].number != number)
		at = (at + 1) & (map->nr_slots - 1);
	return &map->pages[at];
}

static inline bool model_map_grow(struct model_map *map, size_t nr_slots)
{
	struct model_map grown = {.nr = map->nr, .nr_slots = nr_slots};

	grown.pages = calloc(nr_slots, sizeof(*grown.pages));
	if (!grown.pages)
		return false;
	for (size_t i = 0; i < map->nr_slots; i++) {
		if (map->pages[i].number)
			*model_find(&grown, map->pages[i].number) = map->pages[i];
	}
	free(map->pages);
	*map = grown;
	return true;
}

/* The entry of a page, made when there is none; NULL when memory is out. */
static inline struct model_page *model_page(struct model_map *map, uintptr_t number)
{
	struct model_page *page;

	if (map->nr * 2 >= map->nr_slots &&
	    !model_map_grow(map, map->nr_slots ? 2 * map->nr_slots : 4096))
		return NULL;
	page = model_find(map, number);
	if (!page->number) {
		page->number = number;
		map->nr++;
	}
	return page;
}

/* An entry without objects goes; what its place kept apart moves back. */
static inline void model_page_release(struct model_map *map, struct model_page *page)
{
	size_t mask = map->nr_slots - 1;
	size_t hole = (size_t)(page - map->pages), at = hole;

	if (page->begins || page->reaches)
		return;
	for (;;) {
		size_t home;

		at = (at + 1) & mask;
		if (!map->pages[at].number)
			break;
		home = model_slot(map, map->pages[at].number);
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->pages[hole] = map->pages[at];
			hole = at;
		}
	}
	map->pages[hole] = (struct model_page){0};
	map->nr--;
}

static inline uintptr_t model_first_page(const struct model_object *o)
{
	return (uintptr_t)o->ptr >> NSLAB_PAGE_SHIFT;
}

static inline uintptr_t model_last_page(const struct model_object *o)
{
	return ((uintptr_t)o->ptr + o->bytes - 1) >> NSLAB_PAGE_SHIFT;
}

static inline bool model_overlaps(const struct model_object *a, const struct model_object *b)
{
	return a->ptr < b->ptr + b->bytes && b->ptr < a->ptr + a->bytes;
}

/* A live object that shares a byte with o, or NULL. */
static inline struct model_object *model_overlap(const struct model_map *map,
						 const struct model_object *o)
{
	for (uintptr_t at = model_first_page(o); map->nr && at <= model_last_page(o); at++) {
		const struct model_page *page = model_find(map, at);

		if (page->reaches && model_overlaps(page->reaches, o))
			return page->reaches;
		for (struct model_object *other = page->begins; other; other = other->next) {
			if (model_overlaps(other, o))
				return other;
		}
	}
	return NULL;
}

/* o, of at least one byte, overlaps nothing. */
static inline bool model_insert(struct model_map *map, struct model_object *o)
{
	struct model_page *page = model_page(map, model_first_page(o));

	if (!page)
		return false;
	o->next = page->begins;
	page->begins = o;
	for (uintptr_t at = model_first_page(o) + 1; at <= model_last_page(o); at++) {
		page = model_page(map, at);
		if (!page)
			return false;
		page->reaches = o;
	}
	return true;
}

static inline void model_remove(struct model_map *map, struct model_object *o)
{
	struct model_page *page = model_find(map, model_first_page(o));
	struct model_object **link = &page->begins;

	while (*link != o)
		link = &(*link)->next;
	*link = o->next;
	model_page_release(map, page);
	for (uintptr_t at = model_first_page(o) + 1; at <= model_last_page(o); at++) {
		page = model_find(map, at);
		page->reaches = NULL;
		model_page_release(map, page);
	}
}

#endif
