/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodelocal_layout.h: how the nodelocal backend lays out a cache, included by nodelocal.c alone.
 *
 * Order, colouring and the sizes of the layers follow from the object size and the parameters;
 * the structures of all nodes are made here, each on its own node.
 */
#ifndef NSLAB_NODELOCAL_LAYOUT_H
#define NSLAB_NODELOCAL_LAYOUT_H

#include "allocators/common/base.h"
#include "allocators/nodelocal_batch.h"

#define NODELOCAL_STACK_MAX   ((size_t)1280 << 10) /* of objects, one stack */
#define NODELOCAL_BATCH_BYTES ((size_t)64 << 10)   /* of objects, one batch */
#define NODELOCAL_DEPOT_BYTES ((size_t)1 << 20)	   /* of objects, one depot */
#define NODELOCAL_AUTO_ORDER  1			   /* unless one object needs more */

static bool nodelocal_is_coloured(const struct nodelocal_heap *heap, const struct kmem_cache *s)
{
	return heap->is_coloured && s->align <= NSLAB_CACHE_LINE && s->size % 1024 == 0 &&
	       s->size <= NSLAB_PAGE_SIZE;
}

/*
 * The smallest order up to 1 that wastes an eighth at most, else the one of them that wastes least.
 * Few objects in a slab: a slab goes back when all of them are free, so the pages that stay after
 * many objects were freed at random grow with it. Batches make up for what small slabs cost.
 */
static unsigned nodelocal_auto_order(unsigned min_order, unsigned size)
{
	unsigned best = min_order, best_waste = 0;

	for (unsigned order = min_order; order <= min_order || order <= NODELOCAL_AUTO_ORDER;
	     order++) {
		size_t bytes = NSLAB_PAGE_SIZE << order;
		unsigned waste =
			(unsigned)((bytes - nodelocal_fit(order, size) * (size_t)size) >> order);

		if (order == min_order || waste < best_waste) {
			best = order;
			best_waste = waste;
		}
		if (best_waste <= NSLAB_PAGE_SIZE / 8)
			break;
	}
	return best;
}

static void nodelocal_layout(struct nodelocal_cache *s, const struct nslab_cache_spec *spec)
{
	struct kmem_cache *b = &s->base;
	unsigned plain = b->size;
	unsigned padded = plain + NSLAB_CACHE_LINE;

	s->min_order = nslab_order_of(plain);
	b->order = spec->order >= 0 ? (unsigned)spec->order
				    : nodelocal_auto_order(s->min_order, plain);
	if (nodelocal_is_coloured(nodelocal_heap_of(b->heap), b)) {
		if (nodelocal_fit(b->order, padded) * 16 >= nodelocal_fit(b->order, plain) * 15) {
			b->size = padded;
			s->min_order = nslab_order_of(padded);
		}
	}
	b->objects = nodelocal_fit(b->order, b->size);
	s->min_objects = nodelocal_fit(s->min_order, b->size);
	s->reciprocal = (uint32_t)(((UINT64_C(1) << 32) + b->size - 1) / b->size);
}

static unsigned nodelocal_clamp(size_t value, unsigned low, unsigned high)
{
	return value < low ? low : value > high ? high : (unsigned)value;
}

static void nodelocal_size_layers(struct nodelocal_cache *s, const struct nslab_cache_spec *spec)
{
	const struct nodelocal_heap *heap = nodelocal_heap_of(s->base.heap);
	unsigned size = s->base.size;
	unsigned log2_size = 31u - (unsigned)__builtin_clz(size);
	unsigned most = nodelocal_clamp(NODELOCAL_STACK_MAX / size, 0, NODELOCAL_STACK_SLOTS);

	s->stack_objects = most;
	if (heap->stack_objects >= 0 && heap->stack_objects < most)
		s->stack_objects = (unsigned)heap->stack_objects;
	if (s->stack_objects < 4)
		s->stack_objects = 0;
	s->batch_objects = nodelocal_clamp(NODELOCAL_BATCH_BYTES / size, 8, NODELOCAL_BATCH_MAX);
	if (heap->batch_objects > 0)
		s->batch_objects = (unsigned)heap->batch_objects;
	if (s->batch_objects > s->stack_objects / 2)
		s->batch_objects = s->stack_objects ? s->stack_objects / 2 : 1;
	s->depot_batches =
		nodelocal_clamp(NODELOCAL_DEPOT_BYTES / ((size_t)s->batch_objects * size), 2, 32);
	/* as Linux: half of log2(size), 5 to 10 */
	s->min_partial = spec->min_partial >= 0 ? (unsigned)spec->min_partial
						: nodelocal_clamp(log2_size / 2, 5, 10);
}

static size_t nodelocal_cache_bytes(const struct nslab_env *env)
{
	return sizeof(struct nodelocal_cache) +
	       (size_t)env->arena->nr_nodes * sizeof(struct nodelocal_node *);
}

static void nodelocal_nodes_free(struct nodelocal_cache *s, const struct nslab_env *env)
{
	for (int nid = 0; nid < env->arena->nr_nodes; nid++) {
		if (s->node[nid])
			env->free_meta(env, s->node[nid], sizeof(struct nodelocal_node));
	}
}

static int nodelocal_nodes_alloc(struct nodelocal_cache *s, const struct nslab_env *env)
{
	for (int nid = 0; nid < env->arena->nr_nodes; nid++) {
		struct nodelocal_node *node =
			env->alloc_meta(env, sizeof(struct nodelocal_node), nid);

		if (!node)
			return -ENOMEM;
		s->node[nid] = node;
		node->id = nid;
		nslab_lock_init(&node->list_lock, NSLAB_RANK_NODE);
		nslab_list_init(&node->partial);
		nslab_list_init(&node->full);
		atomic_init(&node->incoming, 0);
		atomic_init(&node->colour_next, 0);
	}
	return 0;
}

/* index 0 makes a cache without stacks. */
static int nodelocal_cache_make(struct nodelocal_heap *heap, const struct nslab_cache_spec *spec,
				unsigned index, struct nodelocal_cache **s)
{
	const struct nslab_env *env = heap->base.env;
	struct nodelocal_cache *new =
		env->alloc_meta(env, nodelocal_cache_bytes(env), NUMA_NO_NODE);
	int rc;

	if (!new)
		return -ENOMEM;
	rc = nodelocal_nodes_alloc(new, env);
	if (rc)
		goto free_nodes;
	rc = nslab_cache_init(&new->base, &heap->base, spec);
	if (rc)
		goto free_nodes;
	new->index = index;
	new->stack_offset = (uint32_t)(offsetof(struct nodelocal_cpu, stacks) +
				       index * sizeof(struct nodelocal_stack));
	nodelocal_layout(new, spec);
	nodelocal_size_layers(new, spec);
	heap->caches[index] = new;
	*s = new;
	return 0;
free_nodes:
	nodelocal_nodes_free(new, env);
	env->free_meta(env, new, nodelocal_cache_bytes(env));
	return rc;
}

#endif
