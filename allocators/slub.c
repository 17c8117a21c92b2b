// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub.c: SLUB with cpu slabs, as Linux 6.1, 6.12 and 6.18 have it.
 *
 * A CPU owns one slab of each cache, its cpu slab: the slab's free objects hang on a list that only
 * this CPU touches, and allocating or freeing there is one double-word CAS on (freelist, tid)
 * without a lock prefix. Further slabs wait on the CPU's partial list. A cpu slab is FROZEN: it is
 * on no node list, and other CPUs only push freed objects onto its page's own freelist. Full slabs
 * are on no list at all and are found again by the first free into them; the others are on the
 * partial list of their node. A page's freelist and its counters (objects in use 16 bits, objects
 * 15 bits, frozen 1 bit) change together by a locked double-word CAS (slub_slab.c).
 *
 * Generations. In 6.1 the slabs of a CPU's partial list are frozen too. From 6.12 on they are not:
 * they are only taken off their node's list, cost a CAS when their turn comes and not before, and a
 * slab of the wrong node goes back to its node then; a request for a node tries that node's list
 * and a new slab of that node first, without effort, and only then other nodes; the order rule is
 * the newer one. 6.18 is 6.12 with sheaves (sheaves_cpu.c) in front of the cpu slabs of caches that
 * ask for them; such a cache has two slots in a handle, and the first of them never has a cpu slab,
 * so that its allocations leave the fast path and those of other caches need not ask.
 *
 * Invariants. (1) A slab that is on no CPU's partial list and not frozen is on its node's partial
 * list exactly when it has a free and a used object, or is empty and kept. (2) Whoever clears or
 * sets `frozen` of a listed slab, puts it on or takes it off a list, or makes a listed slab empty,
 * holds the node's list_lock. (3) For a cpu slab, the counters call every object used that is on
 * the CPU's private list.
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
 * the kernel sends interrupts. Left out: delayed freeing under SLAB_TYPESAFE_BY_RCU (its layout is
 * modelled), accounting, fault injection and tracing by slab_debug (letters A and T).
 *
 * Options. None of them costs the fast path an instruction while it is off. Debug caches never have
 * a cpu slab, so each of their objects leaves the fast path and goes slub_debug_path.c's way.
 * Hardened caches (parameter `hardened`) store next XOR secret XOR the byte-swapped address of the
 * word; like caches with sheaves they have two slots, and the cpu slab is in the second, which the
 * fast path does not know: they cost a call more than in a kernel, where the code is compiled in.
 * Freeing the object that heads its list stops a hardened kernel; here it is told and dropped. The
 * kernel's look at the cache of each freed object, which it also hardens, is left out. `random`
 * shuffles the objects of a new slab (slub_slab.c). Debian's kernels have both on; here they are
 * off, since a model is timed against models. Merging (`merge`) is on as in the kernel; an alias is
 * the same to every path here (slub_merge.c).
 *
 * Locks: node list_lock (NSLAB_RANK_NODE), one at a time; page layer's locks are never taken under
 * it.
 */
#include "allocators/slub_control.h"
#include "allocators/slub_debug.h"

#include <numaslab/plugin.h>

/* ---- giving slabs back to their nodes ---- */

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
	bool at_tail = slub_page_freelist(page) != 0, is_listing;
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
		is_listing = new[0] && (slub_inuse(new[1]) || !slub_node_is_sated(s, home));
		if (is_listing && slub_is_freezing(s)) {
			n = home;
			slub_lock(n);
		}
		if (slub_page_cas(s, slot, page, old, new))
			break;
		if (n)
			slub_unlock(n);
	}
	if (is_listing && !n) { /* unlisted and not full: nobody else puts it anywhere */
		n = home;
		slub_lock(n);
	}
	slub_place_unfrozen(cpu, s, slot, page, n, at_tail, new[1]);
}

/* A slab joins this CPU's partial list; a list that is full goes to the nodes first. */
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
		slub_put_partials(cpu, s, slot, drained);
		slub_count(s, slot, NSLAB_STAT_CPU_PARTIAL_DRAIN);
	}
}

void slub_flush_slot(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot)
{
	struct nslab_page *partial = slot->partial;

	if (slot->page) {
		slub_deactivate(cpu, s, slot);
		slub_count(s, slot, NSLAB_STAT_CPUSLAB_FLUSH);
	}
	slot->partial = NULL;
	slub_put_partials(cpu, s, slot, partial);
}

/* ---- allocation ---- */

/* Freezes a listed slab for the CPU's partial list, in the generation that does so. */
static void slub_freeze(struct slub_cache *s, struct slub_cpu_slab *slot, struct nslab_page *page)
{
	uint64_t old[2], new[2];

	if (!slub_is_freezing(s))
		return;
	do {
		old[0] = new[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[1] = old[1] | SLUB_FROZEN;
	} while (!slub_page_cas(s, slot, page, old, new));
}

/* From one node's list: the first slab becomes the cpu slab, some more the partial list. */
static uint64_t slub_from_node(struct slub_cpu *cpu, struct slub_cache *s,
			       struct slub_cpu_slab *slot, struct slub_node *n)
{
	struct nslab_page *first = NULL;
	unsigned nr_more = 0;
	uint64_t list = 0;

	if (!slub_load(&n->nr_partial))
		return 0;
	slub_lock(n);
	while (!nslab_list_is_empty(&n->partial) && nr_more <= s->cpu_partial_slabs / 2) {
		struct nslab_page *page = nslab_list_first(&n->partial, struct nslab_page, list);

		if (!first) {
			first = page;
			if (slub_is_freezing(s))
				list = slub_seize(s, slot, page, SLUB_FROZEN);
			slub_remove_partial(n, page);
			slub_count(s, slot, NSLAB_STAT_ALLOC_FROM_PARTIAL);
			continue;
		}
		slub_freeze(s, slot, page);
		slub_remove_partial(n, page);
		slub_put_cpu_partial(cpu, s, slot, page, false);
		slub_count(s, slot, NSLAB_STAT_CPU_PARTIAL_NODE);
		nr_more++;
	}
	slub_unlock(n);
	if (first && !slub_is_freezing(s))
		list = slub_seize(s, slot, first, SLUB_FROZEN);
	if (first)
		slot->page = first;
	return list;
}

/* Another node's list, nearest first, of nodes that have more than they should keep. */
static uint64_t slub_from_any_node(struct slub_cpu *cpu, struct slub_cache *s,
				   struct slub_cpu_slab *slot)
{
	int nr_nodes = s->base.heap->env->arena->nr_nodes;
	uint64_t list = 0;

	if (!slub_may_defrag(cpu, s))
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

/*
 * The next slab of the CPU's partial list becomes the cpu slab. Returns its objects; in 6.1 they
 * are still on the page. An unfrozen slab of the wrong node goes to its node instead.
 */
static uint64_t slub_pop_cpu_partial(struct slub_cpu *cpu, struct slub_cache *s,
				     struct slub_cpu_slab *slot, int node)
{
	struct nslab_page *page = slot->partial;

	slot->partial = slub_chained(page);
	slub_count(s, slot, NSLAB_STAT_CPU_PARTIAL_ALLOC);
	if (!slub_is_freezing(s) && !slub_node_matches(page, node)) {
		page->priv[0] = 0;
		slub_put_partials(cpu, s, slot, page);
		return 0;
	}
	slot->page = page;
	return slub_is_freezing(s) ? 0 : slub_seize(s, slot, page, SLUB_FROZEN);
}

/* A list from the slabs that this CPU has already, or 0. */
static uint64_t slub_from_cpu(struct slub_cpu *cpu, struct slub_cache *s,
			      struct slub_cpu_slab *slot, int node)
{
	uint64_t list;

	for (;;) {
		if (slot->page && !slub_node_matches(slot->page, node)) {
			slub_count(s, slot, NSLAB_STAT_ALLOC_NODE_MISMATCH);
			slub_deactivate(cpu, s, slot);
		}
		if (slot->page) {
			list = slot->freelist;
			if (!list)
				list = slub_take_page_list(s, slot);
			if (list)
				return list;
		}
		if (!slot->partial)
			return 0;
		list = slub_pop_cpu_partial(cpu, s, slot, node);
		if (list)
			return list;
	}
}

/* Later kernels: the node that was asked for, without effort. */
static uint64_t slub_from_asked_node(struct slub_cpu *cpu, struct slub_cache *s,
				     struct slub_cpu_slab *slot, int node)
{
	uint64_t list = slub_from_node(cpu, s, slot, s->node[node]);

	if (!list)
		slot->page = slub_new_slab(cpu, s, slot, GFP_NOWAIT | __GFP_THISNODE, node, &list);
	return list;
}

static uint64_t slub_refill(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot,
			    gfp_t gfp, int node)
{
	bool is_strict = node != NUMA_NO_NODE && (slub_is_freezing(s) || (gfp & __GFP_THISNODE));
	uint64_t list = slub_from_cpu(cpu, s, slot, node);
	int wanted = node == NUMA_NO_NODE ? cpu->base.node : node;

	if (!list && node != NUMA_NO_NODE && !is_strict)
		list = slub_from_asked_node(cpu, s, slot, node);
	if (!list)
		list = slub_from_node(cpu, s, slot, s->node[wanted]);
	if (!list && !is_strict)
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
	if (!slub_has_node(s, node))
		return NULL;
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

/* One object from the CPU's slabs, by the fast path or the slow one. */
static void *slub_alloc_from_slabs(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, int node)
{
	struct slub_cpu_slab *slot = slub_inner_slot(cpu, s);
	uint64_t object = slot->freelist;

	if (!object || !slub_node_matches(slot->page, node))
		return slub_alloc_slow(cpu, s, gfp, node);
	nslab_cas2_local(slot, object, slot->tid, slub_next_free(s, object),
			 slot->tid + SLUB_TID_STEP);
	return (void *)(uintptr_t)object;
}

/* All that is not the fast path, apart from it so that it costs the fast path no registers. */
static __attribute__((noinline)) void *slub_alloc_rare(struct slub_cpu *cpu, struct slub_cache *s,
						       gfp_t gfp, int node, const void *site)
{
	void *obj = NULL;

	if (s->debug_flags)
		return slub_debug_alloc(cpu, s, gfp, node, site);
	if (s->sheaves.capacity)
		obj = sheaves_pop(cpu, s, gfp, node);
	if (!obj)
		obj = slub_alloc_from_slabs(cpu, s, gfp, node);
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
		return slub_alloc_rare(cpu, s, gfp, node, __builtin_return_address(0));
	next = *slub_free_word(s, object); /* a hardened cache has nothing in this slot */
	if (SLUB_UNLIKELY(!nslab_cas2_local(slot, object, tid, next, tid + SLUB_TID_STEP))) {
		/* two threads use one handle, against the contract */
		slub_count(s, slot, NSLAB_STAT_CMPXCHG_DOUBLE_CPU_FAIL);
		goto again;
	}
	__builtin_prefetch((void *)(uintptr_t)(next + s->offset), 1);
	return (void *)(uintptr_t)object;
}

/* ---- freeing ---- */

static void slub_free_slow(struct slub_cpu *cpu, struct slub_cache *s, struct nslab_page *page,
			   const struct slub_chain *chain)
{
	struct slub_cpu_slab *slot;

	slub_quiesce(&cpu->base);
	slot = slub_own_slot(cpu, s);
	slub_count(s, slot, NSLAB_STAT_FREE_SLOWPATH);
	slub_count_many(s, slot, SLUB_FREED_SLOW, chain->nr);
	if (page->node != cpu->base.node)
		slub_count_many(s, slot, NSLAB_STAT_REMOTE_FREE, chain->nr);
	if (slub_free_to_slab(cpu, s, slot, page, chain, slot)) {
		slub_put_cpu_partial(cpu, s, slot, page, true);
		slub_count(s, slot, NSLAB_STAT_CPU_PARTIAL_FREE);
	}
}

/* Pushes onto the private list of the cpu slab, which is the objects' slab. */
static inline __attribute__((always_inline)) void
slub_free_fast(struct slub_cache *s, struct slub_cpu_slab *slot, uint64_t head, uint64_t tail,
	       uint64_t nr, const bool may_be_hardened)
{
	uint64_t list, tid;

again:
	list = slot->freelist;
	tid = slot->tid;
	if (!may_be_hardened)
		*slub_free_word(s, tail) = list;
	else if (!slub_is_freed_twice(s, tail, list))
		slub_set_next_free(s, tail, list);
	else
		return;
	if (SLUB_LIKELY(nslab_cas2_local(slot, list, tid, head, tid + nr * SLUB_TID_STEP)))
		return;
	slub_count(s, slot, NSLAB_STAT_CMPXCHG_DOUBLE_CPU_FAIL);
	goto again;
}

/* Objects of one slab, past the sheaves. */
static void slub_free_chain(struct slub_cpu *cpu, struct slub_cache *s, struct nslab_page *page,
			    const struct slub_chain *chain)
{
	struct slub_cpu_slab *slot = slub_inner_slot(cpu, s);

	if (slot->page == page)
		slub_free_fast(s, slot, chain->head, chain->tail, chain->nr, true);
	else
		slub_free_slow(cpu, s, page, chain);
}

static __attribute__((noinline)) void slub_free_rare(struct slub_cpu *cpu, struct slub_cache *s,
						     struct nslab_page *page, void *obj,
						     const void *site)
{
	const struct slub_chain chain = {(uintptr_t)obj, (uintptr_t)obj, 1};

	if (s->debug_flags)
		slub_debug_free(cpu, s, obj, site);
	else if (!s->sheaves.capacity || !sheaves_push(cpu, s, obj))
		slub_free_chain(cpu, s, page, &chain);
}

static void slub_free(struct nslab_cpu *base, struct kmem_cache *ks, void *obj)
{
	struct slub_cpu *cpu = slub_cpu_of(base);
	struct slub_cache *s = slub_cache_of(ks);
	struct nslab_page *page = slub_page_of(cpu, obj);
	struct slub_cpu_slab *slot = slub_slot(cpu, s);

	if (SLUB_UNLIKELY(slot->page != page)) {
		slub_free_rare(cpu, s, page, obj, __builtin_return_address(0));
		return;
	}
	slub_free_fast(s, slot, (uintptr_t)obj, (uintptr_t)obj, 1, false);
}

/* ---- bulk ---- */

/*
 * Pops runs from the private list without a CAS for each object, as the kernel does with
 * interrupts off; an empty list costs one pass through the slow path. Returns how many there were.
 */
static size_t slub_take_bulk(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, int node,
			     size_t nr, void **objs)
{
	size_t got = 0;

	while (got < nr) {
		struct slub_cpu_slab *slot = slub_inner_slot(cpu, s);
		uint64_t object = slot->freelist;
		size_t before = got;

		if (!object || !slub_node_matches(slot->page, node)) {
			objs[got] = slub_alloc_slow(cpu, s, gfp, node);
			if (!objs[got])
				break;
			got++;
			continue;
		}
		for (; object && got < nr; object = slub_next_free(s, object))
			objs[got++] = (void *)(uintptr_t)object;
		slot->freelist = object;
		slot->tid += (got - before) * SLUB_TID_STEP;
	}
	return got;
}

static size_t slub_alloc_bulk(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node,
			      size_t nr, void **objs)
{
	struct slub_cpu *cpu = slub_cpu_of(base);
	struct slub_cache *s = slub_cache_of(ks);
	size_t got = 0;

	if (s->debug_flags)
		return slub_debug_alloc_bulk(cpu, s, gfp, node, nr, objs,
					     __builtin_return_address(0));
	if (s->sheaves.capacity && node == NUMA_NO_NODE)
		got = sheaves_pop_bulk(cpu, s, nr, objs);
	got += slub_take_bulk(cpu, s, gfp, node, nr - got, objs + got);
	if (got < nr) {
		base->ops->free_bulk(base, ks, got, objs);
		return 0;
	}
	for (size_t i = 0; (gfp & __GFP_ZERO) && i < nr; i++)
		memset(objs[i], 0, s->base.object_size);
	return nr;
}

/* Entries of objs are cleared while their objects are freed; past the sheaves. */
static void slub_give_bulk(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs)
{
	struct nslab_page *page;
	struct slub_chain chain;

	while (nr) {
		if (!objs[nr - 1]) {
			nr--;
			continue;
		}
		nr = slub_detach(s, nr, objs, &page, &chain);
		if (cpu)
			slub_free_chain(cpu, s, page, &chain);
		else
			slub_free_to_slab(NULL, s, NULL, page, &chain, false);
	}
}

static void slub_free_bulk(struct nslab_cpu *base, struct kmem_cache *ks, size_t nr, void **objs)
{
	struct slub_cache *s = slub_cache_of(ks);

	if (s->debug_flags) {
		slub_debug_free_bulk(slub_cpu_of(base), s, nr, objs, __builtin_return_address(0));
		return;
	}
	if (s->sheaves.capacity)
		nr = sheaves_push_bulk(slub_cpu_of(base), s, nr, objs);
	slub_give_bulk(slub_cpu_of(base), s, nr, objs);
}

/* ---- sheaves in front of cpu slabs ---- */

static size_t slub_sheaf_take(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, size_t nr,
			      void **objs)
{
	return slub_take_bulk(cpu, s, gfp, NUMA_NO_NODE, nr, objs);
}

static const struct sheaves_source slub_sheaf_source = {slub_sheaf_take, slub_give_bulk};

static int slub_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
		       struct kmem_cache **s)
{
	return slub_cache_create(heap, spec, &slub_sheaf_source, s);
}

static int slub_open_any(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	return slub_open(env, params, SLUB_6_1, heap);
}

static const struct nslab_allocator_ops slub_ops = {
	.name = "slub",
	.summary = "per-CPU slab with a lockless freelist, partial lists of CPUs and nodes",
	.models = "Linux 6.1, 6.12 and 6.18 mm/slub.c (3 generations)",
	.caps = NSLAB_CAP_NODE | NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_ORDER | NSLAB_CAP_CACHE |
		NSLAB_CAP_CTOR | NSLAB_CAP_SHRINK | NSLAB_CAP_PAGES | NSLAB_CAP_DEBUG,
	.params = slub_param_rows,
	.params_size = sizeof(struct slub_params),
	.open = slub_open_any,
	.close = slub_close,
	.cpu_online = slub_cpu_online,
	.cpu_offline = slub_cpu_offline,
	.cache_create = slub_create,
	.cache_destroy = slub_cache_destroy,
	.alloc = slub_alloc,
	.free = slub_free,
	.quiesce = slub_quiesce,
	.alloc_bulk = slub_alloc_bulk,
	.free_bulk = slub_free_bulk,
	.cache_shrink = slub_cache_shrink,
	.cache_validate = slub_cache_validate,
	.cache_stats = slub_cache_stats,
	.free_rcu = sheaves_free_rcu,
	.rcu_barrier = sheaves_rcu_barrier,
	.sheaf_prefill = sheaves_sheaf_prefill,
	.sheaf_alloc = sheaves_sheaf_alloc,
	.sheaf_return = sheaves_sheaf_return,
};
NSLAB_ALLOCATOR_PLUGIN(slub_ops);
