/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodelocal_depot.h: where full batches of the nodelocal backend wait, included by nodelocal.c
 * alone.
 *
 * A depot keeps no more objects than are in use around it, so that little is pinned when everything
 * is freed; what is over goes into the slabs. Draining and reaping, which control calls want, stand
 * here too. Functions called *_locked want the node's list_lock; no other takes or leaves it held.
 */
#ifndef NSLAB_NODELOCAL_DEPOT_H
#define NSLAB_NODELOCAL_DEPOT_H

#include "allocators/nodelocal_batch.h"

/* Batches that a depot may have: with all its objects no more than are outside of it and slabs. */
static unsigned nodelocal_depot_bound(const struct nodelocal_cache *s,
				      const struct nodelocal_node *node)
{
	uint64_t nr_out = node->nr_objects - node->nr_free;
	uint64_t half = nr_out / (2 * s->batch_objects);

	return half < s->depot_batches ? (unsigned)half : s->depot_batches;
}

/* The objects of a batch go into the slabs. */
static void nodelocal_empty_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
				   struct nodelocal_batch *batch, struct nslab_list *freed)
{
	nodelocal_put_locked(s, node, batch->nr, batch->objs, freed);
	batch->nr = 0;
	batch->next = node->empties;
	node->empties = batch;
	node->nr_empties++;
}

/* Down to `bound` batches. */
static void nodelocal_depot_trim_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
					unsigned bound, struct nslab_list *freed)
{
	while (node->nr_depot > bound) {
		struct nodelocal_batch *batch = node->depot;

		node->depot = batch->next;
		node->nr_depot--;
		nodelocal_empty_locked(s, node, batch, freed);
	}
}

/*
 * Puts a full batch into the depot, or its objects into the slabs when that is at its bound; so
 * are others then, since the bound goes down with what is in use.
 */
static void nodelocal_store_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
				   struct nodelocal_batch *batch, struct nslab_list *freed)
{
	unsigned bound = nodelocal_depot_bound(s, node);

	if (node->nr_depot >= bound) {
		nodelocal_empty_locked(s, node, batch, freed);
		nodelocal_depot_trim_locked(s, node, bound, freed);
		return;
	}
	batch->next = node->depot;
	node->depot = batch;
	node->nr_depot++;
}

/* Takes in what other nodes sent. */
static void nodelocal_receive_locked(struct nodelocal_cache *s, struct nodelocal_node *node,
				     struct nslab_list *freed)
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

		nodelocal_store_locked(s, node, batch, freed);
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
	nodelocal_receive_locked(s, node, &freed);
	nodelocal_depot_trim_locked(s, node, bound, &freed);
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
