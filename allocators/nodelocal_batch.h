/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodelocal_batch.h: how objects of the nodelocal backend travel, included by nodelocal.c alone.
 *
 * One by one between a node's slabs and a caller, and as batches (nodelocal_depot.h). The
 * batches' own memory is objects of a cache without stacks, so getting one never needs another.
 * Functions called *_locked want the node's list_lock; no other takes or leaves it held.
 */
#ifndef NSLAB_NODELOCAL_BATCH_H
#define NSLAB_NODELOCAL_BATCH_H

#include "allocators/nodelocal_slab.h"

#define NODELOCAL_COUNT_BITS   16 /* of `incoming`; above is the newest batch */
#define NODELOCAL_REFILL_PAGES 8  /* of new slabs, when a node has no free object */

static inline struct nodelocal_cpu *nodelocal_cpu_of(struct nslab_cpu *base)
{
	return nslab_container_of(base, struct nodelocal_cpu, base);
}

static struct nodelocal_cache *nodelocal_cache_of(struct kmem_cache *s)
{
	return nslab_container_of(s, struct nodelocal_cache, base);
}

static struct nodelocal_heap *nodelocal_heap_of(struct nslab_heap *heap)
{
	return nslab_container_of(heap, struct nodelocal_heap, base);
}

static void nodelocal_lock(struct nodelocal_node *node)
{
	nslab_lock_acquire(&node->list_lock);
	node->stat[NSLAB_STAT_LIST_LOCK]++;
}

static void nodelocal_unlock(struct nodelocal_node *node)
{
	nslab_lock_release(&node->list_lock);
}

/* ---- objects between slabs and callers ---- */

static unsigned nodelocal_take_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
				      unsigned want, void **objs)
{
	unsigned nr = 0;

	while (nr < want && !nslab_list_is_empty(&node->partial)) {
		struct nslab_page *page = nslab_list_first(&node->partial, struct nslab_page, list);

		nr += nodelocal_slab_take_locked(s, page, want - nr, objs + nr);
		if (nodelocal_slab_nr_free(page))
			break;
		nslab_list_del(&page->list);
		nslab_list_add(&page->list, &node->full);
		node->nr_partial--;
	}
	node->nr_free -= nr;
	return nr;
}

static void nodelocal_put_one_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
				     void *obj, struct nslab_list *freed)
{
	const struct nslab_env *env = s->base.heap->env;
	struct nslab_page *page = nslab_page_of(env, obj);
	uint32_t index = nodelocal_slab_index(s, page, obj);
	uint64_t *word;

	if (index == UINT32_MAX) {
		env->report(env, "cache '%s': free of %p, which is no object", s->base.name, obj);
		return;
	}
	word = nodelocal_slab_bits(s, page) + index / 64;
	if (*word >> index % 64 & 1) {
		env->report(env, "cache '%s': object %p freed twice", s->base.name, obj);
		return;
	}
	*word |= UINT64_C(1) << index % 64;
	page->priv[1]++;
	node->nr_free++;
	if (nodelocal_slab_nr_free(page) == 1) {
		nslab_list_del(&page->list);
		nslab_list_add(&page->list, &node->partial);
		node->nr_partial++;
		node->stat[NSLAB_STAT_FREE_ADD_PARTIAL]++;
	}
	if (nodelocal_slab_nr_free(page) < nodelocal_slab_objects(s, page))
		return;
	if (node->nr_partial > s->min_partial) {
		nodelocal_slab_remove_locked(s, node, page, freed);
		return;
	}
	nslab_list_del(&page->list);
	nslab_list_add_tail(&page->list, &node->partial);
}

static void nodelocal_put_locked(struct nodelocal_cache *s, struct nodelocal_node *node, size_t nr,
				 void **objs, struct nslab_list *freed)
{
	for (size_t i = 0; i < nr; i++)
		nodelocal_put_one_locked(s, node, objs[i], freed);
}

/* Makes slabs for up to `want` objects, NODELOCAL_REFILL_PAGES at most but always one. */
static void nodelocal_slabs_make(struct nodelocal_cpu *cpu, struct nodelocal_cache *s, gfp_t gfp,
				 int nid, unsigned want, struct nslab_list *made)
{
	unsigned nr_objects = 0, nr_pages = 0;

	do {
		struct nslab_page *page = nodelocal_slab_create(cpu, s, gfp | __GFP_THISNODE, nid);

		if (!page)
			return;
		nslab_list_add_tail(&page->list, made);
		nr_objects += nodelocal_slab_objects(s, page);
		nr_pages += 1u << page->order;
	} while (nr_objects < want && nr_pages < NODELOCAL_REFILL_PAGES);
}

/* Up to `want` free objects of node nid; makes slabs there when there is none. */
static unsigned nodelocal_slabs_take(struct nodelocal_cpu *cpu, struct nodelocal_cache *s,
				     gfp_t gfp, int nid, unsigned want, void **objs)
{
	struct nodelocal_node *node = s->node[nid];
	struct nslab_list made;
	unsigned nr;

	nodelocal_lock(node);
	nr = nodelocal_take_locked(s, node, want, objs);
	nodelocal_unlock(node);
	if (nr)
		return nr;
	nslab_list_init(&made);
	nodelocal_slabs_make(cpu, s, gfp, nid, want, &made);
	if (nslab_list_is_empty(&made))
		return 0;
	nodelocal_lock(node);
	nslab_list_for_each_safe (pos, tmp, &made)
		nodelocal_slab_add_locked(s, node, nslab_list_entry(pos, struct nslab_page, list));
	nr = nodelocal_take_locked(s, node, want, objs);
	nodelocal_unlock(node);
	return nr;
}

/* cpu may be NULL. All objects are of node nid. */
static void nodelocal_slabs_put(struct nodelocal_cpu *cpu, struct nodelocal_cache *s, int nid,
				size_t nr, void **objs)
{
	struct nslab_list freed;

	nslab_list_init(&freed);
	nodelocal_lock(s->node[nid]);
	nodelocal_put_locked(s, s->node[nid], nr, objs, &freed);
	nodelocal_unlock(s->node[nid]);
	nodelocal_slabs_release(cpu, s, &freed);
}

/* ---- batches ---- */

static struct nodelocal_batch *nodelocal_batch_get(struct nodelocal_cpu *cpu)
{
	struct nodelocal_heap *heap = nodelocal_heap_of(cpu->base.heap);
	struct nodelocal_batch *batch = cpu->spare;
	void *obj;

	cpu->spare = NULL;
	if (batch)
		return batch;
	if (!nodelocal_slabs_take(cpu, heap->containers, GFP_NOWAIT, cpu->base.node, 1, &obj))
		return NULL;
	batch = obj;
	batch->nr = 0;
	return batch;
}

/* A chain of empty batches; the first stays with the CPU when it has none. */
static void nodelocal_batches_put(struct nodelocal_cpu *cpu, struct nslab_heap *heap,
				  struct nodelocal_batch *batch)
{
	struct nodelocal_cache *containers = nodelocal_heap_of(heap)->containers;

	while (batch) {
		struct nodelocal_batch *next = batch->next;
		void *obj = batch;

		if (cpu && !cpu->spare)
			cpu->spare = batch;
		else
			nodelocal_slabs_put(cpu, containers, nslab_node_of(heap->env, batch), 1,
					    &obj);
		batch = next;
	}
}

static struct nodelocal_batch *nodelocal_batch_at(const struct nslab_env *env, uint64_t word)
{
	uint64_t offset = (word >> NODELOCAL_COUNT_BITS) * sizeof(struct nodelocal_batch);

	return word ? (struct nodelocal_batch *)(env->arena->base + offset) : NULL;
}

static unsigned nodelocal_batch_count(uint64_t word)
{
	return (unsigned)(word & ((1u << NODELOCAL_COUNT_BITS) - 1));
}

/* Surplus empty batches leave the node as a chain. */
static struct nodelocal_batch *nodelocal_trim_locked(struct nodelocal_node *node, unsigned keep)
{
	struct nodelocal_batch *chain = NULL;

	while (node->nr_empties > keep) {
		struct nodelocal_batch *batch = node->empties;

		node->empties = batch->next;
		node->nr_empties--;
		batch->next = chain;
		chain = batch;
	}
	return chain;
}

#endif
