/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodelocal_slab.h: the slab layer of the nodelocal backend, included by nodelocal.c alone.
 *
 * A slab is one block of pages. Which of its objects are free is a bitmap, not a list through the
 * objects: in the head frame's record (128 bits) or, for more objects, in the slab's last words. So
 * freeing never writes into an object, which keeps what a constructor made. priv[1] of the head
 * holds the number of free objects (low half) and the offset of the first object (high half).
 * Functions called *_locked want the node's list_lock.
 */
#ifndef NSLAB_NODELOCAL_SLAB_H
#define NSLAB_NODELOCAL_SLAB_H

#include "allocators/nodelocal.h"
#include "core/list.h"

#include <string.h>

#define NODELOCAL_RECORD_BITS 128u /* of a slab's bitmap, in the head frame's record */

static size_t nodelocal_bitmap_bytes(unsigned objects)
{
	return objects > NODELOCAL_RECORD_BITS ? (size_t)((objects + 63) / 64) * 8 : 0;
}

/* How many objects of `size` bytes fit in a slab of an order. */
static unsigned nodelocal_fit(unsigned order, unsigned size)
{
	size_t bytes = NSLAB_PAGE_SIZE << order;
	unsigned objects = (unsigned)(bytes / size);

	while (objects && (size_t)objects * size + nodelocal_bitmap_bytes(objects) > bytes)
		objects--;
	return objects;
}

static unsigned nodelocal_slab_objects(const struct nodelocal_cache *s,
				       const struct nslab_page *page)
{
	return page->order == s->base.order ? s->base.objects : s->min_objects;
}

static uint64_t *nodelocal_slab_bits(const struct nodelocal_cache *s, struct nslab_page *page)
{
	unsigned objects = nodelocal_slab_objects(s, page);
	char *start;

	if (objects <= NODELOCAL_RECORD_BITS)
		return (uint64_t *)(void *)page; /* freelist and counters */
	start = nslab_page_address(s->base.heap->env, page);
	return (uint64_t *)(void *)(start + (NSLAB_PAGE_SIZE << page->order) -
				    nodelocal_bitmap_bytes(objects));
}

static uint32_t nodelocal_slab_nr_free(const struct nslab_page *page)
{
	return (uint32_t)page->priv[1];
}

static char *nodelocal_slab_first(const struct nodelocal_cache *s, const struct nslab_page *page)
{
	return (char *)nslab_page_address(s->base.heap->env, page) + (page->priv[1] >> 32);
}

/* Successive slabs start their objects on different cache lines, as far as the slack allows. */
static uint64_t nodelocal_slab_colour(const struct nodelocal_cache *s,
				      const struct nslab_page *page)
{
	unsigned objects = nodelocal_slab_objects(s, page);
	size_t slack = (NSLAB_PAGE_SIZE << page->order) - (size_t)objects * s->base.size -
		       nodelocal_bitmap_bytes(objects);
	size_t step = s->base.align < NSLAB_CACHE_LINE ? NSLAB_CACHE_LINE : s->base.align;
	unsigned turn = atomic_fetch_add_explicit(&s->node[page->node]->colour_next, 1,
						  memory_order_relaxed);

	return turn % (slack / step + 1) * step;
}

/* Tells every frame whose it is, for kfree. */
static void nodelocal_slab_claim(const struct nodelocal_cache *s, struct nslab_page *page,
				 struct kmem_cache *owner, uint32_t stack_offset)
{
	const struct nodelocal_heap *heap = (const void *)s->base.heap;
	uint16_t *map = heap->map + nslab_arena_pfn(s->base.heap->env->arena, page);

	for (size_t i = 0; i < (size_t)1 << page->order; i++) {
		page[i].s = owner;
		map[i] = (uint16_t)stack_offset;
	}
}

static void nodelocal_slab_format(struct nodelocal_cache *s, struct nslab_page *page)
{
	unsigned objects = nodelocal_slab_objects(s, page);
	uint64_t *bits = nodelocal_slab_bits(s, page);
	char *first;

	nodelocal_slab_claim(s, page, &s->base, s->stack_offset);
	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_SLAB);
	page->priv[1] = nodelocal_slab_colour(s, page) << 32 | objects;
	for (unsigned i = 0; i < objects; i += 64)
		bits[i / 64] =
			objects - i >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << (objects - i)) - 1;
	first = nodelocal_slab_first(s, page);
	for (unsigned i = 0; s->base.ctor && i < objects; i++)
		s->base.ctor(first + (size_t)i * s->base.size);
}

/* NULL when pages are out. gfp with __GFP_THISNODE stays on nid. */
static struct nslab_page *nodelocal_slab_create(struct nodelocal_cpu *cpu,
						struct nodelocal_cache *s, gfp_t gfp, int nid)
{
	const struct nslab_env *env = s->base.heap->env;
	struct nslab_page *page;

	gfp = (gfp & ~__GFP_ZERO) | __GFP_COMP;
	page = env->alloc_pages(env, &cpu->base, s->base.order, gfp, nid);
	if (!page && s->min_order < s->base.order)
		page = env->alloc_pages(env, &cpu->base, s->min_order, gfp, nid);
	if (page)
		nodelocal_slab_format(s, page);
	return page;
}

static void nodelocal_slab_add_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
				      struct nslab_page *page)
{
	unsigned objects = nodelocal_slab_objects(s, page);

	nslab_list_add(&page->list, &node->partial);
	node->nr_partial++;
	node->nr_slabs++;
	node->nr_pages += (uint64_t)1 << page->order;
	node->nr_objects += objects;
	node->nr_free += objects;
	node->stat[NSLAB_STAT_ALLOC_SLAB]++;
	if (page->order != s->base.order)
		node->stat[NSLAB_STAT_ORDER_FALLBACK]++;
}

/* The slab is empty and on the partial list; it goes to `freed`, for nodelocal_slabs_release(). */
static void nodelocal_slab_remove_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
					 struct nslab_page *page, struct nslab_list *freed)
{
	unsigned objects = nodelocal_slab_objects(s, page);

	nslab_list_del(&page->list);
	nslab_list_add(&page->list, freed);
	node->nr_partial--;
	node->nr_slabs--;
	node->nr_pages -= (uint64_t)1 << page->order;
	node->nr_objects -= objects;
	node->nr_free -= objects;
	node->stat[NSLAB_STAT_FREE_SLAB]++;
}

/* Without a lock: gives the pages back. cpu may be NULL. */
static void nodelocal_slabs_release(struct nodelocal_cpu *cpu, const struct nodelocal_cache *s,
				    struct nslab_list *freed)
{
	const struct nslab_env *env = s->base.heap->env;

	while (!nslab_list_is_empty(freed)) {
		struct nslab_page *page = nslab_list_first(freed, struct nslab_page, list);

		nslab_list_del(&page->list);
		nodelocal_slab_claim(s, page, NULL, offsetof(struct nodelocal_cpu, stacks));
		page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_SLAB);
		env->free_pages(env, cpu ? &cpu->base : NULL, page, page->order);
	}
}

/* Highest address first, so that a stack filled with them hands out ascending addresses. */
static unsigned nodelocal_slab_take_locked(struct nodelocal_cache *s, struct nslab_page *page,
					   unsigned want, void **objs)
{
	uint64_t *bits = nodelocal_slab_bits(s, page);
	char *first = nodelocal_slab_first(s, page);
	unsigned word = (nodelocal_slab_objects(s, page) + 63) / 64;
	unsigned nr = 0;

	while (word-- > 0) {
		while (bits[word] && nr < want) {
			unsigned bit = 63u - (unsigned)__builtin_clzll(bits[word]);

			bits[word] &= ~(UINT64_C(1) << bit);
			objs[nr++] = first + (size_t)(word * 64 + bit) * s->base.size;
		}
	}
	page->priv[1] -= nr;
	return nr;
}

/* Number of the object in its slab, or UINT32_MAX when obj is not the start of one. */
static uint32_t nodelocal_slab_index(const struct nodelocal_cache *s, const struct nslab_page *page,
				     const void *obj)
{
	size_t offset = (size_t)((const char *)obj - nodelocal_slab_first(s, page));
	uint64_t index = offset * s->reciprocal >> 32; /* exact for multiples below 4 MiB */

	if (index >= nodelocal_slab_objects(s, page) || index * s->base.size != offset)
		return UINT32_MAX;
	return (uint32_t)index;
}

#endif
