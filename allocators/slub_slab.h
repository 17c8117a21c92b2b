/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slub_slab.h: slabs, their two words and the partial lists of nodes, which all SLUB models share.
 *
 * A slab page has a freelist and counters that change together by a locked double-word CAS; the
 * functions here say how. What a CPU keeps for itself is not known here.
 */
#ifndef NSLAB_SLUB_SLAB_H
#define NSLAB_SLUB_SLAB_H

#include "allocators/slub.h"

static inline uint64_t slub_page_freelist(const struct nslab_page *page)
{
	return __atomic_load_n(&page->freelist, __ATOMIC_ACQUIRE);
}

static inline uint64_t slub_page_counters(const struct nslab_page *page)
{
	return __atomic_load_n(&page->counters, __ATOMIC_RELAXED);
}

static inline void slub_lock(struct slub_node *n)
{
	nslab_lock_acquire(&n->list_lock);
	slub_add(&n->nr_lock, 1);
}

static inline void slub_unlock(struct slub_node *n)
{
	nslab_lock_release(&n->list_lock);
}

static inline struct slub_node *slub_node_of(const struct slub_cache *s,
					     const struct nslab_page *page)
{
	return s->node[page->node];
}

/* Has the node more empty or partial slabs than it should keep? Read without the lock as well. */
static inline bool slub_node_is_sated(const struct slub_cache *s, const struct slub_node *n)
{
	return slub_load(&n->nr_partial) >= s->min_partial;
}

static inline void slub_remove_partial(struct slub_node *n, struct nslab_page *page)
{
	slub_add(&n->nr_partial, (uint64_t)-1);
	nslab_list_del(&page->list);
}

/* The next slab of a CPU's partial list. */
static inline struct nslab_page *slub_chained(const struct nslab_page *page)
{
	return (struct nslab_page *)(uintptr_t)page->priv[0];
}

/* Under list_lock of the page's node. */
static inline bool slub_is_listed(const struct nslab_page *page)
{
	return page->list.next != &page->list;
}

static inline void slub_add_partial(struct slub_node *n, struct nslab_page *page, bool at_tail)
{
	slub_add(&n->nr_partial, 1);
	if (at_tail)
		nslab_list_add_tail(&page->list, &n->partial);
	else
		nslab_list_add(&page->list, &n->partial);
}

/* The counters with every object in use and the given frozen bit. */
static inline uint64_t slub_all_used(uint64_t counters, uint64_t frozen)
{
	uint64_t objects = slub_objects(counters);

	return objects | objects << SLUB_OBJECTS_SHIFT | frozen;
}

static inline bool slub_page_cas(struct slub_cache *s, struct slub_cpu_slab *slot,
				 struct nslab_page *page, const uint64_t old[2],
				 const uint64_t new[2])
{
	if (SLUB_LIKELY(nslab_cas2(page, old[0], old[1], new[0], new[1])))
		return true;
	slub_count(s, slot, NSLAB_STAT_CMPXCHG_DOUBLE_FAIL);
	return false;
}

/* Objects that hang together by their free pointers. */
struct slub_chain {
	uint64_t head, tail, nr;
};

/* Changes what a node has by `slabs` slabs of that many objects and that order. */
void slub_node_account(struct slub_node *n, int64_t slabs, uint64_t objects, unsigned order);
/* A slab goes back to the page layer. cpu and slot are NULL in control calls. */
void slub_discard(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot,
		  struct nslab_page *page);

/* Every node of the arena has memory; of any other nothing can be had. */
static inline bool slub_has_node(const struct slub_cache *s, int node)
{
	return node >= NUMA_NO_NODE && node < s->base.heap->env->arena->nr_nodes;
}

/* ---- in slub_slab.c; slot is where to count, or NULL ---- */

/* A new slab that nobody else knows yet: frozen, all objects used and on the chain at *list. */
struct nslab_page *slub_new_slab(struct slub_cpu *cpu, struct slub_cache *s,
				 struct slub_cpu_slab *slot, gfp_t gfp, int node, uint64_t *list);

/* Hardened caches: an object that heads the list is freed again, which is told; do not free it. */
bool slub_is_freed_twice(const struct slub_cache *s, uint64_t object, uint64_t list);

/* The objects of a private list, counted. */
struct slub_chain slub_chain_of(const struct slub_cache *s, uint64_t list);

/* Takes all free objects of a slab; its counters then call all used. May be empty. */
uint64_t slub_seize(struct slub_cache *s, struct slub_cpu_slab *slot, struct nslab_page *page,
		    uint64_t frozen);

/*
 * Frees a chain of objects of one slab. True when the slab was full and the caller said that it
 * may keep it: then the slab is on no list and the caller's to put somewhere.
 */
bool slub_free_to_slab(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot,
		       struct nslab_page *page, const struct slub_chain *chain, bool may_keep);

/*
 * Chains the last object with those of the same slab, looking past a few others, and clears what
 * it took; returns how much of the array is left to look at.
 */
size_t slub_detach(const struct slub_cache *s, size_t nr, void **objs, struct nslab_page **page,
		   struct slub_chain *chain);

/* May this refill look at other nodes' lists? Draws against the defrag ratio. */
bool slub_may_defrag(struct slub_cpu *cpu, const struct slub_cache *s);

/*
 * Slabs chained by priv[0] that are on no list go to their nodes' lists, or to the page layer when
 * they are empty and the node has enough; one lock acquisition for each run of a node.
 */
void slub_put_partials(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot,
		       struct nslab_page *page);

/* The slot with the cpu slab, made if this CPU has none yet; NULL without memory for it. */
struct slub_cpu_slab *slub_own_slot(struct slub_cpu *cpu, const struct slub_cache *s);
/* The same for the slot with the sheaves. */
struct slub_cpu_slab *slub_own_outer_slot(struct slub_cpu *cpu, const struct slub_cache *s);

/* Serves a flush request, if there is one. */
void slub_quiesce(struct nslab_cpu *base);

/* Gives back all that a CPU holds, but not what waits for a grace period. */
void slub_flush_cpu(struct slub_cpu *cpu);

/* Gives back what one slot holds of slabs; in slub.c. */
void slub_flush_slot(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot);

#endif
