/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodelocal_batch.h: how objects of the nodelocal backend travel, included by nodelocal.c alone.
 *
 * One by one between a node's slabs and a caller, and as batches between stacks and depot. The
 * batches' own memory is objects of a cache without stacks, so getting one never needs another.
 * Functions called *_locked want the node's list_lock; no other takes or leaves it held.
 */
#ifndef NSLAB_NODELOCAL_BATCH_H
#define NSLAB_NODELOCAL_BATCH_H

#include "allocators/nodelocal_slab.h"

#define NODELOCAL_COUNT_BITS 16 /* of `incoming`; above is the newest batch */

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

/* Up to `want` free objects of node nid; makes a slab there when there is none. */
static unsigned nodelocal_slabs_take(struct nodelocal_cpu *cpu, struct nodelocal_cache *s,
				     gfp_t gfp, int nid, unsigned want, void **objs)
{
	struct nodelocal_node *node = s->node[nid];
	struct nslab_page *page;
	unsigned nr;

	nodelocal_lock(node);
	nr = nodelocal_take_locked(s, node, want, objs);
	nodelocal_unlock(node);
	if (nr)
		return nr;
	page = nodelocal_slab_create(cpu, s, gfp | __GFP_THISNODE, nid);
	if (!page)
		return 0;
	nodelocal_lock(node);
	nodelocal_slab_add_locked(s, node, page);
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

/* Puts a full batch into the depot, or its objects into the slabs when that is at its bound. */
static void nodelocal_store_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
				   struct nodelocal_batch *batch, unsigned bound,
				   struct nslab_list *freed)
{
	if (node->nr_depot < bound) {
		batch->next = node->depot;
		node->depot = batch;
		node->nr_depot++;
		return;
	}
	nodelocal_put_locked(s, node, batch->nr, batch->objs, freed);
	batch->nr = 0;
	batch->next = node->empties;
	node->empties = batch;
	node->nr_empties++;
}

/* Takes in what other nodes sent. */
static void nodelocal_receive_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
				     unsigned bound, struct nslab_list *freed)
{
	struct nodelocal_batch *batch;
	uint64_t word;

	if (!atomic_load_explicit(&node->incoming, memory_order_relaxed))
		return;
	/* pairs with the release in nodelocal_send */
	word = atomic_exchange_explicit(&node->incoming, 0, memory_order_acquire);
	node->stat[NSLAB_STAT_REMOTE_BATCH] += nodelocal_batch_count(word);
	batch = nodelocal_batch_at(s->base.heap->env, word);
	while (batch) {
		struct nodelocal_batch *next = batch->next;

		nodelocal_store_locked(s, node, batch, bound, freed);
		batch = next;
	}
}

/* Leaves at most `bound` batches in the depot; the rest of the objects goes into the slabs. */
static void nodelocal_drain(struct nodelocal_cpu *cpu, struct nodelocal_cache *s,
			    struct nodelocal_node *node, unsigned bound)
{
	struct nodelocal_batch *empties;
	struct nslab_list freed;

	nslab_list_init(&freed);
	nodelocal_lock(node);
	nodelocal_receive_locked(s, node, bound, &freed);
	while (node->nr_depot > bound) {
		struct nodelocal_batch *batch = node->depot;

		node->depot = batch->next;
		node->nr_depot--;
		nodelocal_store_locked(s, node, batch, 0, &freed);
	}
	empties = nodelocal_trim_locked(node, bound);
	nodelocal_unlock(node);
	nodelocal_slabs_release(cpu, s, &freed);
	nodelocal_batches_put(cpu, s->base.heap, empties);
}

/* Empty slabs leave the node; used by control calls, so without a CPU. */
static void nodelocal_free_empty(struct nodelocal_cache *s, struct nodelocal_node *node)
{
	struct nslab_list freed;

	nslab_list_init(&freed);
	nodelocal_lock(node);
	nslab_list_for_each_safe (pos, tmp, &node->partial) {
		struct nslab_page *page = nslab_list_entry(pos, struct nslab_page, list);

		if (nodelocal_slab_nr_free(page) == nodelocal_slab_objects(s, page))
			nodelocal_slab_remove_locked(s, node, page, &freed);
	}
	nodelocal_unlock(node);
	nodelocal_slabs_release(NULL, s, &freed);
}

/* Returns slabs that remain in all nodes. */
static size_t nodelocal_reap(struct nodelocal_cache *s)
{
	size_t nr_slabs = 0;

	for (int nid = 0; nid < s->base.heap->env->arena->nr_nodes; nid++) {
		nodelocal_drain(NULL, s, s->node[nid], 0);
		nodelocal_free_empty(s, s->node[nid]);
		nodelocal_lock(s->node[nid]);
		nr_slabs += s->node[nid]->nr_slabs;
		nodelocal_unlock(s->node[nid]);
	}
	return nr_slabs;
}

#endif
