/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodelocal_inspect.h: validation and statistics of the nodelocal backend, included by nodelocal.c
 * alone. Both read the stacks of CPU handles, which therefore must have quiesced.
 */
#ifndef NSLAB_NODELOCAL_INSPECT_H
#define NSLAB_NODELOCAL_INSPECT_H

#include "allocators/nodelocal_batch.h"

static unsigned nodelocal_validate_slab(struct nodelocal_cache *s, struct nodelocal_node *node,
					struct nslab_page *page, bool is_full)
{
	const struct nslab_env *env = s->base.heap->env;
	unsigned objects = nodelocal_slab_objects(s, page);
	const uint64_t *bits = nodelocal_slab_bits(s, page);
	unsigned nr_free = 0, nr_bad = 0;

	for (unsigned i = 0; i < (objects + 63) / 64; i++)
		nr_free += (unsigned)__builtin_popcountll(bits[i]);
	if (nr_free != nodelocal_slab_nr_free(page) || is_full != (nr_free == 0)) {
		env->report(env, "cache '%s': slab %p: %u objects free in its map, %u counted",
			    s->base.name, nslab_page_address(env, page), nr_free,
			    nodelocal_slab_nr_free(page));
		nr_bad++;
	}
	for (size_t i = 0; i < (size_t)1 << page->order; i++) {
		if (page[i].s == &s->base && page[i].node == node->id)
			continue;
		env->report(env, "cache '%s': slab %p: frame %zu is of another owner or node",
			    s->base.name, nslab_page_address(env, page), i);
		nr_bad++;
	}
	return nr_bad;
}

/* An object on its way must be allocated as far as its slab knows. */
static unsigned nodelocal_validate_objects(struct nodelocal_cache *s, int nid, size_t nr,
					   void **objs)
{
	const struct nslab_env *env = s->base.heap->env;
	unsigned nr_bad = 0;

	for (size_t i = 0; i < nr; i++) {
		struct nslab_page *page = nslab_page_of(env, objs[i]);
		uint32_t index = UINT32_MAX;

		if (page->s == &s->base && page->node == nid)
			index = nodelocal_slab_index(s, page, objs[i]);
		if (index != UINT32_MAX &&
		    !(nodelocal_slab_bits(s, page)[index / 64] >> index % 64 & 1))
			continue;
		env->report(env, "cache '%s': free object %p is in two places or of another node",
			    s->base.name, objs[i]);
		nr_bad++;
	}
	return nr_bad;
}

static unsigned nodelocal_validate_node(struct nodelocal_cache *s, struct nodelocal_node *node)
{
	unsigned nr_bad = 0, nr_slabs = 0;

	nodelocal_lock(node);
	nslab_list_for_each (pos, &node->partial) {
		nr_bad += nodelocal_validate_slab(
			s, node, nslab_list_entry(pos, struct nslab_page, list), false);
		nr_slabs++;
	}
	nr_bad += nr_slabs != node->nr_partial;
	nslab_list_for_each (pos, &node->full) {
		nr_bad += nodelocal_validate_slab(
			s, node, nslab_list_entry(pos, struct nslab_page, list), true);
		nr_slabs++;
	}
	nr_bad += nr_slabs != node->nr_slabs;
	for (struct nodelocal_batch *batch = node->depot; batch; batch = batch->next)
		nr_bad += nodelocal_validate_objects(s, node->id, batch->nr, batch->objs);
	nodelocal_unlock(node);
	return nr_bad;
}

static int nodelocal_cache_validate(struct kmem_cache *base)
{
	struct nodelocal_cache *s = nodelocal_cache_of(base);
	unsigned nr_bad = 0;

	for (int nid = 0; nid < base->heap->env->arena->nr_nodes; nid++)
		nr_bad += nodelocal_validate_node(s, s->node[nid]);
	nslab_list_for_each (pos, &base->heap->cpus) {
		struct nslab_cpu *cpu = nslab_list_entry(pos, struct nslab_cpu, link);
		struct nodelocal_stack *stack = nodelocal_stack_of(cpu, base);

		nr_bad += nodelocal_validate_objects(
			s, cpu->node, (size_t)(stack->top - stack->base), stack->base + 1);
	}
	return (int)nr_bad;
}

static uint64_t nodelocal_count_batches(const struct nodelocal_batch *batch)
{
	uint64_t nr = 0;

	for (; batch; batch = batch->next)
		nr += batch->nr;
	return nr;
}

/* What the node's lock guards. */
static void nodelocal_locked_stats(struct nodelocal_node *node, struct nslab_cache_stats *stats)
{
	nodelocal_lock(node);
	stats->nr_slabs += node->nr_slabs;
	stats->nr_pages += node->nr_pages;
	stats->nr_partial += node->nr_partial;
	stats->nr_objects += node->nr_objects;
	stats->nr_free += node->nr_free + nodelocal_count_batches(node->depot);
	for (int i = 0; i < NSLAB_NR_STATS; i++)
		stats->stat[i] += node->stat[i];
	nodelocal_unlock(node);
}

static void nodelocal_stats_node(struct nodelocal_cache *s, struct nodelocal_node *node,
				 struct nslab_cache_stats *stats)
{
	uint64_t word = atomic_load_explicit(&node->incoming, memory_order_acquire);

	nodelocal_locked_stats(node, stats);
	stats->nr_free += nodelocal_count_batches(nodelocal_batch_at(s->base.heap->env, word));
	stats->stat[NSLAB_STAT_REMOTE_BATCH] += nodelocal_batch_count(word);
}

/* Batches that come in from other nodes belong to whoever takes them next: they are not seen. */
static bool nodelocal_cache_glance(struct kmem_cache *base, struct nslab_cache_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	for (int nid = 0; nid < base->heap->env->arena->nr_nodes; nid++)
		nodelocal_locked_stats(nodelocal_cache_of(base)->node[nid], stats);
	memset(stats->stat, 0, sizeof(stats->stat));
	return true;
}

/* A handle's counts under the names of the kernel. */
static void nodelocal_counts_add(const struct nodelocal_counts *counts, bool is_counted,
				 uint64_t *stat)
{
	stat[NSLAB_STAT_ALLOC_SLOWPATH] += counts->nr_alloc_slow;
	stat[NSLAB_STAT_FREE_SLOWPATH] += counts->nr_free_slow;
	stat[NSLAB_STAT_REMOTE_FREE] += counts->nr_remote;
	if (!is_counted)
		return;
	/* a bulk call that fails frees what it had, slowly and without being asked */
	if (counts->nr_alloc > counts->nr_alloc_slow)
		stat[NSLAB_STAT_ALLOC_FASTPATH] += counts->nr_alloc - counts->nr_alloc_slow;
	if (counts->nr_free > counts->nr_free_slow)
		stat[NSLAB_STAT_FREE_FASTPATH] += counts->nr_free - counts->nr_free_slow;
}

/* The handle goes; what it counted stays with the caches. */
static void nodelocal_counts_keep(struct nodelocal_cpu *cpu)
{
	struct nodelocal_heap *heap = nodelocal_heap_of(cpu->base.heap);

	for (unsigned i = 1; i < cpu->nr_stacks; i++) {
		struct nodelocal_node *node;

		if (!heap->caches[i])
			continue;
		node = heap->caches[i]->node[cpu->base.node];
		nodelocal_lock(node);
		nodelocal_counts_add(&cpu->counts[i], heap->is_counted, node->stat);
		nodelocal_unlock(node);
	}
}

static void nodelocal_cache_stats(struct kmem_cache *base, struct nslab_cache_stats *stats)
{
	struct nodelocal_cache *s = nodelocal_cache_of(base);

	memset(stats, 0, sizeof(*stats));
	stats->is_counted = nodelocal_heap_of(base->heap)->is_counted;
	for (int nid = 0; nid < base->heap->env->arena->nr_nodes; nid++)
		nodelocal_stats_node(s, s->node[nid], stats);
	nslab_list_for_each (pos, &base->heap->cpus) {
		struct nslab_cpu *cpu = nslab_list_entry(pos, struct nslab_cpu, link);
		const struct nodelocal_stack *stack = nodelocal_stack_of(cpu, base);

		stats->nr_cpu_free +=
			(uint64_t)(stack->top - stack->base) + nodelocal_count_batches(stack->out);
		nodelocal_counts_add(&nodelocal_cpu_of(cpu)->counts[s->index], stats->is_counted,
				     stats->stat);
	}
	stats->nr_free += stats->nr_cpu_free;
}

#endif
