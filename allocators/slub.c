// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub.c: SLUB as Linux 6.1 has it.
 *
 * A CPU owns one slab of each cache, its cpu slab: the slab's free objects hang on a list that only
 * this CPU touches, and allocating or freeing there is one double-word CAS on (freelist, tid)
 * without a lock prefix. Further slabs wait on the CPU's partial list. Both kinds are FROZEN: they
 * are on no node list, and other CPUs only push freed objects onto their page's own freelist. All
 * other slabs with free objects are on the partial list of their node; full slabs are on no list at
 * all and are found again by the first free into them. A page's freelist and its counters (objects
 * in use 16 bits, objects 15 bits, frozen 1 bit) change together by a locked double-word CAS.
 *
 * Invariants. (1) An unfrozen slab is on its node's partial list exactly when it has a free and a
 * used object, or is empty and kept. (2) Whoever clears or sets `frozen` of a listed slab, or makes
 * a listed slab empty, holds the node's list_lock while the CAS succeeds. (3) For a cpu slab, the
 * counters call every object used that is on the CPU's private list.
 *
 * Exclusion. The kernel disables preemption or compares tid to notice that it lost the CPU; here a
 * handle has one owner at a time, so the CAS never fails, and the next-free word that it is about
 * to publish is never stale: the kernel's guarded read of that word has no counterpart. The CAS is
 * kept because its cost is the point. tid counts the fast-path operations of this CPU, so the
 * numbers of fast allocations and frees follow from tid, the live objects and the slow-path
 * counters (slub_fill_fastpath): statistics are always kept and the fast path never pays for them.
 *
 * Differences that are meant: the draw of the other-node search comes from a seeded generator and
 * not from the cycle counter; bulk operations count as fast-path operations, one for each object;
 * remote_free counts slow-path frees only; requests go to the epoch protocol of allocator.h where
 * the kernel sends interrupts. Left out, for now: debug options (-EOPNOTSUPP), freelist hardening
 * and randomisation, merging of caches, delayed freeing under SLAB_TYPESAFE_BY_RCU (its layout is
 * modelled), accounting.
 *
 * Locks: node list_lock (NSLAB_RANK_NODE), one at a time; page layer's locks are never taken under
 * it.
 */
#include "allocators/slub.h"

#include <numaslab/plugin.h>

#define SLUB_DEFRAG_RANGE 1024 /* of the draw that the defrag ratio is held against */
#define SLUB_LOOKAHEAD	  3    /* objects of other slabs that a bulk free looks past */

struct slub_chunk slub_no_chunk;

/* ---- pages and their words ---- */

static inline void slub_set_next_free(const struct slub_cache *s, uint64_t object, uint64_t next)
{
	*(uint64_t *)(uintptr_t)(object + s->offset) = next;
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

static inline void slub_add_partial(struct slub_node *n, struct nslab_page *page, bool at_tail)
{
	slub_add(&n->nr_partial, 1);
	if (at_tail)
		nslab_list_add_tail(&page->list, &n->partial);
	else
		nslab_list_add(&page->list, &n->partial);
}

/* ---- slabs from the page layer ---- */

/*
 * The block for a slab: of the cache's order if that needs no effort, else of the smallest order
 * that holds an object, with all the effort that the caller allows.
 */
static struct nslab_page *slub_get_block(struct slub_cpu *cpu, struct slub_cache *s,
					 struct slub_cpu_slab *slot, gfp_t gfp, int node)
{
	const struct nslab_env *env = s->base.heap->env;
	gfp_t easy = (gfp | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_NOFAIL;
	struct nslab_page *page;

	if ((easy & __GFP_DIRECT_RECLAIM) && s->base.order > s->min_order)
		easy = (easy | __GFP_NOMEMALLOC) & ~(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM);
	page = env->alloc_pages(env, &cpu->base, s->base.order, easy, node);
	if (page)
		return page;
	page = env->alloc_pages(env, &cpu->base, s->min_order, gfp, node);
	if (page)
		slub_count(s, slot, NSLAB_STAT_ORDER_FALLBACK);
	return page;
}

/* A slab whose objects are all on the list that *list receives; frozen. */
static struct nslab_page *slub_new_slab(struct slub_cpu *cpu, struct slub_cache *s,
					struct slub_cpu_slab *slot, gfp_t gfp, int node,
					uint64_t *list)
{
	struct nslab_page *page = slub_get_block(cpu, s, slot, gfp & ~__GFP_ZERO, node);
	uint64_t start, nr;

	if (!page)
		return NULL;
	nr = nslab_order_objects(s->base.size, page->order);
	start = (uintptr_t)nslab_page_address(s->base.heap->env, page);
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t object = start + i * s->base.size;

		if (s->base.ctor)
			s->base.ctor((void *)(uintptr_t)object);
		slub_set_next_free(s, object, i + 1 < nr ? object + s->base.size : 0);
	}
	page->s = &s->base;
	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_SLAB);
	__atomic_store_n(&page->freelist, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&page->counters, nr | nr << SLUB_OBJECTS_SHIFT | SLUB_FROZEN,
			 __ATOMIC_RELEASE);
	slub_node_account(slub_node_of(s, page), 1, nr, page->order);
	slub_count(s, slot, NSLAB_STAT_ALLOC_SLAB);
	*list = start;
	return page;
}

/* ---- giving slabs back to their nodes ---- */

struct slub_chain {
	uint64_t head, tail, nr;
};

/* The objects of a private list, counted. */
static struct slub_chain slub_chain_of(const struct slub_cache *s, uint64_t list)
{
	struct slub_chain chain = {.head = list, .tail = list, .nr = list ? 1 : 0};

	while (list && (list = slub_next_free(s, list))) {
		chain.tail = list;
		chain.nr++;
	}
	return chain;
}

/* After the CAS that unfroze it: which list, or the page layer. The lock is held if n is given. */
static void slub_place_unfrozen(struct slub_cpu *cpu, struct slub_cache *s,
				struct slub_cpu_slab *slot, struct nslab_page *page,
				struct slub_node *n, bool at_tail, uint64_t counters)
{
	if (n) {
		slub_add_partial(n, page, at_tail);
		slub_unlock(n);
		slub_count(s, slot,
			   at_tail ? NSLAB_STAT_DEACTIVATE_TO_TAIL : NSLAB_STAT_DEACTIVATE_TO_HEAD);
	} else if (slub_inuse(counters)) {
		slub_count(s, slot, NSLAB_STAT_DEACTIVATE_FULL);
	} else {
		slub_count(s, slot, NSLAB_STAT_DEACTIVATE_EMPTY);
		slub_discard(cpu, s, slot, page);
	}
}

/* The cpu slab loses its owner: private objects go back to the page, then the page to its place. */
static void slub_deactivate(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot)
{
	struct slub_chain chain = slub_chain_of(s, slot->freelist);
	struct nslab_page *page = slot->page;
	struct slub_node *home = slub_node_of(s, page), *n;
	bool at_tail = slub_page_freelist(page) != 0;
	uint64_t old[2], new[2];

	if (at_tail)
		slub_count(s, slot, NSLAB_STAT_DEACTIVATE_REMOTE_FREES);
	slot->page = NULL;
	slot->freelist = 0;
	for (;;) {
		old[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[0] = chain.head ? chain.head : old[0];
		new[1] = (old[1] - chain.nr) & ~SLUB_FROZEN;
		if (chain.tail)
			slub_set_next_free(s, chain.tail, old[0]);
		n = NULL;
		if (new[0] && (slub_inuse(new[1]) || !slub_node_is_sated(s, home))) {
			n = home;
			slub_lock(n);
		}
		if (slub_page_cas(s, slot, page, old, new))
			break;
		if (n)
			slub_unlock(n);
	}
	slub_place_unfrozen(cpu, s, slot, page, n, at_tail, new[1]);
}

/* Clears the frozen bit under the lock of the page's node. */
static uint64_t slub_thaw(struct slub_cache *s, struct slub_cpu_slab *slot, struct nslab_page *page)
{
	uint64_t old[2], new[2];

	do {
		old[0] = new[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[1] = old[1] & ~SLUB_FROZEN;
	} while (!slub_page_cas(s, slot, page, old, new));
	return new[1];
}

/* A chain of frozen slabs goes to the node lists, one acquisition for each run of a node. */
static void slub_unfreeze_partials(struct slub_cpu *cpu, struct slub_cache *s,
				   struct slub_cpu_slab *slot, struct nslab_page *page)
{
	struct nslab_page *empty = NULL, *next;
	struct slub_node *n = NULL;

	for (; page; page = next) {
		next = slub_chained(page);
		if (slub_node_of(s, page) != n) {
			if (n)
				slub_unlock(n);
			n = slub_node_of(s, page);
			slub_lock(n);
		}
		if (!slub_inuse(slub_thaw(s, slot, page)) && slub_node_is_sated(s, n)) {
			page->priv[0] = (uintptr_t)empty;
			empty = page;
		} else {
			slub_add_partial(n, page, true);
			slub_count(s, slot, NSLAB_STAT_FREE_ADD_PARTIAL);
		}
	}
	if (n)
		slub_unlock(n);
	for (; empty; empty = next) {
		next = slub_chained(empty);
		slub_count(s, slot, NSLAB_STAT_DEACTIVATE_EMPTY);
		slub_discard(cpu, s, slot, empty);
	}
}

/* A frozen slab joins this CPU's partial list; a list that is full goes to the nodes first. */
static void slub_put_cpu_partial(struct slub_cpu *cpu, struct slub_cache *s,
				 struct slub_cpu_slab *slot, struct nslab_page *page,
				 bool may_drain)
{
	struct nslab_page *old = slot->partial, *drained = NULL;

	if (old && may_drain && old->priv[1] >= s->cpu_partial_slabs) {
		drained = old;
		old = NULL;
	}
	page->priv[0] = (uintptr_t)old;
	page->priv[1] = old ? old->priv[1] + 1 : 1;
	slot->partial = page;
	if (drained) {
		slub_unfreeze_partials(cpu, s, slot, drained);
		slub_count(s, slot, NSLAB_STAT_CPU_PARTIAL_DRAIN);
	}
}

static void slub_flush_slot(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot)
{
	struct nslab_page *partial = slot->partial;

	if (slot->page) {
		slub_deactivate(cpu, s, slot);
		slub_count(s, slot, NSLAB_STAT_CPUSLAB_FLUSH);
	}
	slot->partial = NULL;
	slub_unfreeze_partials(cpu, s, slot, partial);
}

/* Gives everything back. The cache of a slot is known by its slabs. */
void slub_flush_cpu(struct slub_cpu *cpu)
{
	for (int c = 0; c < SLUB_CHUNKS; c++) {
		for (int i = 0; cpu->chunk[c] != &slub_no_chunk && i < SLUB_CHUNK_SLOTS; i++) {
			struct slub_cpu_slab *slot = &cpu->chunk[c]->slot[i];
			struct nslab_page *page = slot->page ? slot->page : slot->partial;

			if (page)
				slub_flush_slot(cpu, slub_cache_of(page->s), slot);
		}
	}
}

static void slub_quiesce(struct nslab_cpu *base)
{
	unsigned epoch;

	if (SLUB_LIKELY(!nslab_flush_is_due(base, &epoch)))
		return;
	slub_flush_cpu(slub_cpu_of(base));
	nslab_flush_serve(base, epoch);
}

/* ---- allocation ---- */

/* The slot, made if this CPU has none yet; NULL when there is no memory for it. */
static struct slub_cpu_slab *slub_own_slot(struct slub_cpu *cpu, const struct slub_cache *s)
{
	const struct nslab_env *env = cpu->base.heap->env;
	struct slub_chunk *chunk;

	if (SLUB_LIKELY(cpu->chunk[s->chunk] != &slub_no_chunk))
		return slub_slot(cpu, s);
	chunk = env->alloc_meta(env, sizeof(*chunk), cpu->base.node);
	if (!chunk)
		return NULL;
	for (int i = 0; i < SLUB_CHUNK_SLOTS; i++)
		chunk->slot[i].tid = (uint64_t)cpu->base.id;
	/* pairs with the acquire of control calls that read counts */
	__atomic_store_n(&cpu->chunk[s->chunk], chunk, __ATOMIC_RELEASE);
	return slub_slot(cpu, s);
}

/*
 * Makes a partial slab this CPU's, under list_lock. With `list` its objects are taken as well;
 * without, they stay on the page until the slab's turn comes.
 */
static void slub_freeze(struct slub_cache *s, struct slub_cpu_slab *slot, struct slub_node *n,
			struct nslab_page *page, uint64_t *list)
{
	uint64_t old[2], new[2];

	do {
		old[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[0] = list ? 0 : old[0];
		new[1] = list ? slub_all_used(old[1], SLUB_FROZEN) : old[1] | SLUB_FROZEN;
	} while (!slub_page_cas(s, slot, page, old, new));
	if (list)
		*list = old[0];
	slub_remove_partial(n, page);
}

/* From one node's list: the first slab becomes the cpu slab, some more the partial list. */
static uint64_t slub_from_node(struct slub_cpu *cpu, struct slub_cache *s,
			       struct slub_cpu_slab *slot, struct slub_node *n)
{
	uint64_t list = 0;
	unsigned nr_more = 0;

	if (!slub_load(&n->nr_partial))
		return 0;
	slub_lock(n);
	while (!nslab_list_is_empty(&n->partial)) {
		struct nslab_page *page = nslab_list_first(&n->partial, struct nslab_page, list);

		if (!list) {
			slub_freeze(s, slot, n, page, &list);
			slot->page = page;
			slub_count(s, slot, NSLAB_STAT_ALLOC_FROM_PARTIAL);
			continue;
		}
		if (nr_more > s->cpu_partial_slabs / 2)
			break;
		slub_freeze(s, slot, n, page, NULL);
		slub_put_cpu_partial(cpu, s, slot, page, false);
		slub_count(s, slot, NSLAB_STAT_CPU_PARTIAL_NODE);
		nr_more++;
	}
	slub_unlock(n);
	return list;
}

/* Another node's list, nearest first, of nodes that have more than they should keep. */
static uint64_t slub_from_any_node(struct slub_cpu *cpu, struct slub_cache *s,
				   struct slub_cpu_slab *slot)
{
	int nr_nodes = s->base.heap->env->arena->nr_nodes;
	uint64_t list = 0;

	if (!s->defrag_ratio || nslab_rng_below(&cpu->rng, SLUB_DEFRAG_RANGE) > s->defrag_ratio)
		return 0;
	for (int i = 0; i < nr_nodes && !list; i++) {
		struct slub_node *n = s->node[cpu->by_distance[i]];

		if (slub_load(&n->nr_partial) > s->min_partial)
			list = slub_from_node(cpu, s, slot, n);
	}
	return list;
}

/* The objects that others freed into the cpu slab; when there are none the slab is let go. */
static uint64_t slub_take_page_list(struct slub_cache *s, struct slub_cpu_slab *slot)
{
	struct nslab_page *page = slot->page;
	uint64_t old[2], new[2];

	do {
		old[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[0] = 0;
		new[1] = slub_all_used(old[1], old[0] ? SLUB_FROZEN : 0);
	} while (!slub_page_cas(s, slot, page, old, new));
	if (!old[0])
		slot->page = NULL;
	slub_count(s, slot, old[0] ? NSLAB_STAT_ALLOC_REFILL : NSLAB_STAT_DEACTIVATE_BYPASS);
	return old[0];
}

static bool slub_node_matches(const struct nslab_page *page, int node)
{
	return node == NUMA_NO_NODE || page->node == node;
}

/* A list from the slabs that this CPU has already, or 0. */
static uint64_t slub_from_cpu(struct slub_cpu *cpu, struct slub_cache *s,
			      struct slub_cpu_slab *slot, int node)
{
	for (;;) {
		if (slot->page && !slub_node_matches(slot->page, node)) {
			slub_count(s, slot, NSLAB_STAT_ALLOC_NODE_MISMATCH);
			slub_deactivate(cpu, s, slot);
		}
		if (slot->page) {
			uint64_t list = slot->freelist;

			if (!list)
				list = slub_take_page_list(s, slot);
			if (list)
				return list;
		}
		if (!slot->partial)
			return 0;
		slot->page = slot->partial;
		slot->partial = slub_chained(slot->page);
		slub_count(s, slot, NSLAB_STAT_CPU_PARTIAL_ALLOC);
	}
}

static uint64_t slub_refill(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot,
			    gfp_t gfp, int node)
{
	uint64_t list = slub_from_cpu(cpu, s, slot, node);
	int wanted = node == NUMA_NO_NODE ? cpu->base.node : node;

	if (!list)
		list = slub_from_node(cpu, s, slot, s->node[wanted]);
	if (!list && node == NUMA_NO_NODE)
		list = slub_from_any_node(cpu, s, slot);
	if (!list)
		slot->page = slub_new_slab(cpu, s, slot, gfp, node, &list);
	return list;
}

static __attribute__((noinline)) void *slub_alloc_slow(struct slub_cpu *cpu, struct slub_cache *s,
						       gfp_t gfp, int node)
{
	struct slub_cpu_slab *slot;
	uint64_t object;

	slub_quiesce(&cpu->base);
	if (node < NUMA_NO_NODE || node >= s->base.heap->env->arena->nr_nodes)
		return NULL; /* no such node */
	slot = slub_own_slot(cpu, s);
	if (!slot)
		return NULL;
	slub_count(s, slot, NSLAB_STAT_ALLOC_SLOWPATH);
	object = slub_refill(cpu, s, slot, gfp, node);
	if (!object) {
		slub_count(s, slot, SLUB_ALLOC_FAILED);
		return NULL;
	}
	slot->freelist = slub_next_free(s, object);
	return (void *)(uintptr_t)object;
}

/* All that is not the fast path, apart from it so that it costs the fast path no registers. */
static __attribute__((noinline)) void *slub_alloc_rare(struct slub_cpu *cpu, struct slub_cache *s,
						       gfp_t gfp, int node)
{
	struct slub_cpu_slab *slot = slub_slot(cpu, s);
	uint64_t object = slot->freelist;
	void *obj;

	if (!object || !slub_node_matches(slot->page, node)) {
		obj = slub_alloc_slow(cpu, s, gfp, node);
	} else {
		nslab_cas2_local(slot, object, slot->tid, slub_next_free(s, object),
				 slot->tid + SLUB_TID_STEP);
		obj = (void *)(uintptr_t)object;
	}
	if ((gfp & __GFP_ZERO) && obj)
		memset(obj, 0, s->base.object_size);
	return obj;
}

static void *slub_alloc(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node)
{
	struct slub_cpu *cpu = slub_cpu_of(base);
	struct slub_cache *s = slub_cache_of(ks);
	struct slub_cpu_slab *slot = slub_slot(cpu, s);
	uint64_t object, next, tid;

again:
	object = slot->freelist;
	tid = slot->tid;
	if (SLUB_UNLIKELY(!object || (gfp & __GFP_ZERO) || !slub_node_matches(slot->page, node)))
		return slub_alloc_rare(cpu, s, gfp, node);
	next = slub_next_free(s, object);
	if (SLUB_UNLIKELY(!nslab_cas2_local(slot, object, tid, next, tid + SLUB_TID_STEP))) {
		/* two threads use one handle, against the contract */
		slub_count(s, slot, NSLAB_STAT_CMPXCHG_DOUBLE_CPU_FAIL);
		goto again;
	}
	__builtin_prefetch((void *)(uintptr_t)(next + s->offset), 1);
	return (void *)(uintptr_t)object;
}

/* ---- freeing ---- */

/* A page that its last used object left, or that nobody listed, after the CAS and under the lock.*/
static void slub_settle_freed(struct slub_cpu *cpu, struct slub_cache *s,
			      struct slub_cpu_slab *slot, struct nslab_page *page,
			      struct slub_node *n, bool was_listed, bool is_empty)
{
	bool is_surplus = is_empty && slub_node_is_sated(s, n);

	if (is_surplus && was_listed) {
		slub_remove_partial(n, page);
		slub_count(s, slot, NSLAB_STAT_FREE_REMOVE_PARTIAL);
	} else if (!is_surplus && !was_listed) {
		slub_add_partial(n, page, true);
		slub_count(s, slot, NSLAB_STAT_FREE_ADD_PARTIAL);
	}
	slub_unlock(n);
	if (is_surplus)
		slub_discard(cpu, s, slot, page);
}

/* Pushes a chain onto its page; *n receives the page's node, locked, when its list may change. */
static void slub_push_remote(struct slub_cache *s, struct slub_cpu_slab *slot,
			     struct nslab_page *page, const struct slub_chain *chain,
			     uint64_t old[2], uint64_t new[2], struct slub_node **n)
{
	for (;;) {
		bool is_frozen;

		old[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[0] = chain->head;
		new[1] = old[1] - chain->nr;
		slub_set_next_free(s, chain->tail, old[0]);
		is_frozen = old[1] & SLUB_FROZEN;
		*n = NULL;
		if (!is_frozen && !old[0] && slot) {
			new[1] |= SLUB_FROZEN;
		} else if (!is_frozen && (!old[0] || !slub_inuse(new[1]))) {
			*n = slub_node_of(s, page);
			slub_lock(*n);
		}
		if (slub_page_cas(s, slot, page, old, new))
			return;
		if (*n)
			slub_unlock(*n);
	}
}

static __attribute__((noinline)) void slub_free_slow(struct slub_cpu *cpu, struct slub_cache *s,
						     struct nslab_page *page, uint64_t head,
						     uint64_t tail, uint64_t nr)
{
	const struct slub_chain chain = {head, tail, nr};
	struct slub_cpu_slab *slot;
	uint64_t old[2], new[2];
	struct slub_node *n;

	slub_quiesce(&cpu->base);
	slot = slub_own_slot(cpu, s);
	slub_count(s, slot, NSLAB_STAT_FREE_SLOWPATH);
	slub_count_many(s, slot, SLUB_FREED_SLOW, nr);
	if (page->node != cpu->base.node)
		slub_count_many(s, slot, NSLAB_STAT_REMOTE_FREE, nr);
	slub_push_remote(s, slot, page, &chain, old, new, &n);
	if (n) {
		slub_settle_freed(cpu, s, slot, page, n, old[0] != 0, !slub_inuse(new[1]));
	} else if (old[1] & SLUB_FROZEN) {
		slub_count(s, slot, NSLAB_STAT_FREE_FROZEN);
	} else if (new[1] & SLUB_FROZEN) {
		slub_put_cpu_partial(cpu, s, slot, page, true);
		slub_count(s, slot, NSLAB_STAT_CPU_PARTIAL_FREE);
	}
}

/* Frees the objects of one slab: to the private list when it is this CPU's cpu slab. */
static inline __attribute__((always_inline)) void
slub_free_chain(struct slub_cpu *cpu, struct slub_cache *s, struct nslab_page *page, uint64_t head,
		uint64_t tail, uint64_t nr)
{
	struct slub_cpu_slab *slot = slub_slot(cpu, s);
	uint64_t list, tid;

	if (SLUB_UNLIKELY(slot->page != page)) {
		slub_free_slow(cpu, s, page, head, tail, nr);
		return;
	}
again:
	list = slot->freelist;
	tid = slot->tid;
	slub_set_next_free(s, tail, list);
	if (SLUB_LIKELY(nslab_cas2_local(slot, list, tid, head, tid + nr * SLUB_TID_STEP)))
		return;
	slub_count(s, slot, NSLAB_STAT_CMPXCHG_DOUBLE_CPU_FAIL);
	goto again;
}

static void slub_free(struct nslab_cpu *base, struct kmem_cache *ks, void *obj)
{
	struct slub_cpu *cpu = slub_cpu_of(base);

	slub_free_chain(cpu, slub_cache_of(ks), slub_page_of(cpu, obj), (uintptr_t)obj,
			(uintptr_t)obj, 1);
}

/* ---- bulk ---- */

/*
 * Pops a run from the private list without a CAS for each object, as the kernel does with
 * interrupts off; an empty list costs one pass through the slow path.
 */
static size_t slub_alloc_bulk(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node,
			      size_t nr, void **objs)
{
	struct slub_cpu *cpu = slub_cpu_of(base);
	struct slub_cache *s = slub_cache_of(ks);
	size_t got = 0;

	while (got < nr) {
		struct slub_cpu_slab *slot = slub_slot(cpu, s);
		uint64_t object = slot->freelist;
		size_t before = got;

		if (!object || !slub_node_matches(slot->page, node)) {
			objs[got] = slub_alloc_slow(cpu, s, gfp, node);
			if (!objs[got])
				goto undo;
			got++;
			continue;
		}
		for (; object && got < nr; object = slub_next_free(s, object))
			objs[got++] = (void *)(uintptr_t)object;
		slot->freelist = object;
		slot->tid += (got - before) * SLUB_TID_STEP;
	}
	for (size_t i = 0; (gfp & __GFP_ZERO) && i < nr; i++)
		memset(objs[i], 0, s->base.object_size);
	return nr;
undo:
	base->ops->free_bulk(base, ks, got, objs);
	return 0;
}

/*
 * Chains the last object with those of the same slab, looking past a few others, and clears what
 * it took; returns how much of the array is left to look at.
 */
static size_t slub_detach(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs,
			  struct nslab_page **page, struct slub_chain *chain)
{
	unsigned misses = 0;
	size_t left = 0;

	*page = slub_page_of(cpu, objs[nr - 1]);
	chain->head = chain->tail = (uintptr_t)objs[nr - 1];
	chain->nr = 1;
	for (size_t i = nr - 1; i-- > 0 && misses < SLUB_LOOKAHEAD;) {
		if (!objs[i])
			continue;
		if (slub_page_of(cpu, objs[i]) == *page) {
			slub_set_next_free(s, (uintptr_t)objs[i], chain->head);
			chain->head = (uintptr_t)objs[i];
			chain->nr++;
			objs[i] = NULL;
			continue;
		}
		left = left ? left : i + 1;
		misses++;
	}
	return left;
}

/* Entries of objs are cleared while their objects are freed. */
static void slub_free_bulk(struct nslab_cpu *base, struct kmem_cache *ks, size_t nr, void **objs)
{
	struct slub_cpu *cpu = slub_cpu_of(base);
	struct slub_cache *s = slub_cache_of(ks);
	struct nslab_page *page;
	struct slub_chain chain;

	while (nr) {
		if (!objs[nr - 1]) {
			nr--;
			continue;
		}
		nr = slub_detach(cpu, s, nr, objs, &page, &chain);
		slub_free_chain(cpu, s, page, chain.head, chain.tail, chain.nr);
	}
}

static const struct nslab_allocator_ops slub_ops = {
	.name = "slub",
	.summary = "per-CPU slab with a lockless freelist, partial lists of CPUs and nodes",
	.models = "Linux 6.1 mm/slub.c",
	.caps = NSLAB_CAP_NODE | NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_ORDER | NSLAB_CAP_CACHE |
		NSLAB_CAP_CTOR | NSLAB_CAP_SHRINK | NSLAB_CAP_PAGES,
	.params = slub_param_rows,
	.params_size = sizeof(struct slub_params),
	.open = slub_open,
	.close = slub_close,
	.cpu_online = slub_cpu_online,
	.cpu_offline = slub_cpu_offline,
	.cache_create = slub_cache_create,
	.cache_destroy = slub_cache_destroy,
	.alloc = slub_alloc,
	.free = slub_free,
	.quiesce = slub_quiesce,
	.alloc_bulk = slub_alloc_bulk,
	.free_bulk = slub_free_bulk,
	.cache_shrink = slub_cache_shrink,
	.cache_validate = slub_cache_validate,
	.cache_stats = slub_cache_stats,
};
NSLAB_ALLOCATOR_PLUGIN(slub_ops);
