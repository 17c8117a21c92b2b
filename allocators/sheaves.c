// SPDX-License-Identifier: GPL-2.0-only
/*
 * sheaves.c: SLUB as Linux 7.0 has it: sheaves on every cache, no cpu slabs.
 *
 * Allocating takes the top of the CPU's main sheaf, freeing puts an object there, under a lock that
 * only this CPU takes: no atomic instruction (sheaves_cpu.c). A free of an object of another node
 * goes straight to its slab. Sheaves are filled from the partial list of the CPU's node in bulk:
 * whole slabs are taken off the list until they hold enough, and give up their objects after the
 * lock was dropped; then from other nodes that have more than they should keep, whose lock is only
 * tried; then from new slabs. What nobody needed of the last slab is freed back. A request for
 * another node, or one that may not refill, takes one object from a slab under list_lock.
 *
 * The three rules that changed between kernels of that series are parameters: remote_bypass (frees
 * of other nodes' objects pass the sheaves by), refill_when_nonblocking (7.0-rc1 refilled only for
 * callers that may sleep; from rc3 on always) and remote_trylock (before January 2026 the lock of
 * another node's list was waited for). alloc_fastpath and free_fastpath mean "served by a sheaf"
 * here, free_slowpath counts user frees that pass sheaves by; what a flush frees is in sheaf_flush
 * only. Invariants are those of slub_slab.c and sheaves_cpu.c; no slab is ever frozen but while it
 * is being made. Debug caches have no sheaves; their objects go slub_debug_path.c's way one by one.
 * Left out: per-object extension records, and merging, whose rule for caches that all have sheaves
 * was not checked.
 *
 * Locks: node list_lock (NSLAB_RANK_NODE), one at a time.
 */
#include "allocators/slub_control.h"
#include "allocators/slub_debug.h"

#include <numaslab/plugin.h>

/* ---- objects of slabs, one at a time ---- */

static bool sheaves_lock_node(struct slub_node *n, bool is_trying)
{
	if (!slub_load(&n->nr_partial))
		return false;
	if (!is_trying) {
		slub_lock(n);
		return true;
	}
	if (!nslab_lock_try(&n->list_lock))
		return false;
	slub_add(&n->nr_lock, 1);
	return true;
}

/* One object of the first listed slab. */
static void *sheaves_single_from_node(struct slub_cache *s, struct slub_cpu_slab *slot,
				      struct slub_node *n, bool is_trying)
{
	struct nslab_page *page;
	uint64_t old[2], new[2];

	if (!sheaves_lock_node(n, is_trying))
		return NULL;
	if (nslab_list_is_empty(&n->partial)) {
		slub_unlock(n);
		return NULL;
	}
	page = nslab_list_first(&n->partial, struct nslab_page, list);
	do {
		old[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[0] = slub_next_free(s, old[0]);
		new[1] = old[1] + 1;
	} while (!slub_page_cas(s, slot, page, old, new));
	if (!new[0])
		slub_remove_partial(n, page);
	slub_unlock(n);
	slub_count(s, slot, NSLAB_STAT_ALLOC_FROM_PARTIAL);
	return (void *)(uintptr_t)old[0];
}

static void *sheaves_single_from_any_node(struct slub_cpu *cpu, struct slub_cache *s,
					  struct slub_cpu_slab *slot)
{
	int nr_nodes = s->base.heap->env->arena->nr_nodes;
	void *obj = NULL;

	if (!slub_may_defrag(cpu, s))
		return NULL;
	for (int i = 0; i < nr_nodes && !obj; i++) {
		struct slub_node *n = s->node[cpu->by_distance[i]];

		if (slub_load(&n->nr_partial) > s->min_partial)
			obj = sheaves_single_from_node(s, slot, n, s->sheaves.remote_trylock);
	}
	return obj;
}

/* A new slab's first nr objects (fewer if it has fewer); the rest is listed at its node. */
static size_t sheaves_from_new_slab(struct slub_cpu *cpu, struct slub_cache *s,
				    struct slub_cpu_slab *slot, gfp_t gfp, int node, size_t nr,
				    void **objs)
{
	uint64_t list, counters;
	struct nslab_page *page = slub_new_slab(cpu, s, slot, gfp, node, &list);
	struct slub_node *n;
	size_t got = 0;

	if (!page)
		return 0;
	for (; list && got < nr; list = slub_next_free(s, list))
		objs[got++] = (void *)(uintptr_t)list;
	counters = slub_page_counters(page) & ~SLUB_FROZEN;
	counters -= slub_objects(counters) - got;
	__atomic_store_n(&page->freelist, list, __ATOMIC_RELAXED);
	__atomic_store_n(&page->counters, counters, __ATOMIC_RELEASE);
	if (list) {
		n = slub_node_of(s, page);
		slub_lock(n);
		slub_add_partial(n, page, false);
		slub_unlock(n);
	}
	return got;
}

static void *sheaves_single(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot,
			    gfp_t gfp, int node)
{
	int wanted = node == NUMA_NO_NODE ? cpu->base.node : node;
	bool is_strict = node != NUMA_NO_NODE && (gfp & __GFP_THISNODE);
	void *obj = sheaves_single_from_node(s, slot, s->node[wanted], false);

	if (!obj && node != NUMA_NO_NODE && !is_strict)
		sheaves_from_new_slab(cpu, s, slot, GFP_NOWAIT | __GFP_THISNODE, node, 1, &obj);
	if (!obj && !is_strict)
		obj = sheaves_single_from_any_node(cpu, s, slot);
	if (!obj)
		sheaves_from_new_slab(cpu, s, slot, gfp, node, 1, &obj);
	return obj;
}

/* Past the sheaves. */
static void *sheaves_alloc_slow(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, int node)
{
	struct slub_cpu_slab *slot;
	void *obj;

	slub_quiesce(&cpu->base);
	slot = slub_own_slot(cpu, s);
	slub_count(s, slot, NSLAB_STAT_ALLOC_SLOWPATH);
	obj = sheaves_single(cpu, s, slot, gfp, node);
	if (!obj)
		slub_count(s, slot, SLUB_ALLOC_FAILED);
	return obj;
}

/* ---- objects of slabs, in bulk ---- */

/* Takes slabs off a node's list until they hold `want` objects; chained by priv[0]. */
static struct nslab_page *sheaves_grab(struct slub_cache *s, struct slub_cpu_slab *slot,
				       struct slub_node *n, size_t want, bool is_trying)
{
	struct nslab_page *chain = NULL, *last = NULL;
	size_t nr = 0;

	if (!sheaves_lock_node(n, is_trying))
		return NULL;
	while (nr < want && !nslab_list_is_empty(&n->partial)) {
		struct nslab_page *page = nslab_list_first(&n->partial, struct nslab_page, list);
		uint64_t counters = slub_page_counters(page);

		nr += slub_objects(counters) - slub_inuse(counters);
		slub_remove_partial(n, page);
		page->priv[0] = 0;
		if (last)
			last->priv[0] = (uintptr_t)page;
		else
			chain = page;
		last = page;
		slub_count(s, slot, NSLAB_STAT_ALLOC_FROM_PARTIAL);
	}
	slub_unlock(n);
	return chain;
}

/* Up to `want` objects of a node's listed slabs. */
static size_t sheaves_take_from_node(struct slub_cpu *cpu, struct slub_cache *s,
				     struct slub_cpu_slab *slot, struct slub_node *n, size_t want,
				     void **objs, bool is_trying)
{
	struct nslab_page *page = sheaves_grab(s, slot, n, want, is_trying), *next;
	size_t got = 0;

	for (; page && got < want; page = next) {
		uint64_t list;

		next = slub_chained(page);
		/* from here on the first free into the slab lists it, and others may take it */
		list = slub_seize(s, slot, page, 0);
		for (; list && got < want; list = slub_next_free(s, list))
			objs[got++] = (void *)(uintptr_t)list;
		if (list) {
			struct slub_chain surplus = slub_chain_of(s, list);

			slub_free_to_slab(cpu, s, slot, page, &surplus, false);
		}
	}
	if (page) /* others freed into the first ones meanwhile */
		slub_put_partials(cpu, s, slot, page);
	return got;
}

static size_t sheaves_take_from_slabs(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp,
				      size_t nr, void **objs)
{
	struct slub_cpu_slab *slot = slub_own_slot(cpu, s);
	int nr_nodes = s->base.heap->env->arena->nr_nodes, home = cpu->base.node;
	size_t got = sheaves_take_from_node(cpu, s, slot, s->node[home], nr, objs, false);

	if (got < nr && slub_may_defrag(cpu, s)) {
		for (int i = 0; i < nr_nodes && got < nr; i++) {
			struct slub_node *n = s->node[cpu->by_distance[i]];

			if (n != s->node[home] && slub_load(&n->nr_partial) > s->min_partial)
				got += sheaves_take_from_node(cpu, s, slot, n, nr - got, objs + got,
							      s->sheaves.remote_trylock);
		}
	}
	while (got < nr) {
		size_t more = sheaves_from_new_slab(cpu, s, slot, gfp, NUMA_NO_NODE, nr - got,
						    objs + got);

		if (!more)
			break;
		got += more;
	}
	return got;
}

/* Entries of objs are cleared while their objects are freed. */
static void sheaves_give_to_slabs(struct slub_cpu *cpu, struct slub_cache *s, size_t nr,
				  void **objs)
{
	struct slub_cpu_slab *slot = cpu ? slub_own_slot(cpu, s) : NULL;
	struct nslab_page *page;
	struct slub_chain chain;

	while (nr) {
		if (!objs[nr - 1]) {
			nr--;
			continue;
		}
		nr = slub_detach(s, nr, objs, &page, &chain);
		slub_free_to_slab(cpu, s, slot, page, &chain, false);
	}
}

static const struct sheaves_source sheaves_slabs = {sheaves_take_from_slabs, sheaves_give_to_slabs};

/* ---- allocation ---- */

static __attribute__((noinline)) void *sheaves_alloc_rare(struct slub_cpu *cpu,
							  struct slub_cache *s, gfp_t gfp, int node,
							  const void *site)
{
	void *obj = NULL;

	if (s->debug_flags)
		return slub_debug_alloc(cpu, s, gfp, node, site);
	if (!slub_has_node(s, node))
		return NULL;
	if (s->sheaves.capacity)
		obj = sheaves_pop(cpu, s, gfp, node);
	if (!obj)
		obj = sheaves_alloc_slow(cpu, s, gfp, node);
	if ((gfp & __GFP_ZERO) && obj)
		memset(obj, 0, s->base.object_size);
	return obj;
}

static void *sheaves_alloc(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node)
{
	struct slub_cpu *cpu = slub_cpu_of(base);
	struct slub_cache *s = slub_cache_of(ks);
	struct sheaves_cpu *own = &slub_slot(cpu, s)->sheaves;
	uint64_t lock = slub_load(&own->lock);
	struct nslab_sheaf *main;
	uint32_t size;
	void *obj;

	if (SLUB_UNLIKELY((lock & 1) || (gfp & __GFP_ZERO) || node != NUMA_NO_NODE))
		return sheaves_alloc_rare(cpu, s, gfp, node, __builtin_return_address(0));
	__atomic_store_n(&own->lock, lock + 1, __ATOMIC_RELAXED);
	atomic_signal_fence(memory_order_acquire);
	main = own->main;
	size = main->size;
	if (SLUB_UNLIKELY(!size)) {
		__atomic_store_n(&own->lock, lock, __ATOMIC_RELAXED);
		return sheaves_alloc_rare(cpu, s, gfp, node, __builtin_return_address(0));
	}
	main->size = size - 1;
	obj = main->objects[size - 1];
	atomic_signal_fence(memory_order_release);
	__atomic_store_n(&own->lock, lock + 2, __ATOMIC_RELAXED);
	return obj;
}

static size_t sheaves_alloc_bulk(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node,
				 size_t nr, void **objs)
{
	struct slub_cpu *cpu = slub_cpu_of(base);
	struct slub_cache *s = slub_cache_of(ks);
	size_t got = 0;

	if (s->debug_flags)
		return slub_debug_alloc_bulk(cpu, s, gfp, node, nr, objs,
					     __builtin_return_address(0));
	if (node == NUMA_NO_NODE && s->sheaves.capacity)
		got = sheaves_pop_bulk(cpu, s, nr, objs);
	if (node == NUMA_NO_NODE && got < nr)
		got += sheaves_take_from_slabs(cpu, s, gfp, nr - got, objs + got);
	for (; node != NUMA_NO_NODE && got < nr; got++) {
		objs[got] = sheaves_alloc_rare(cpu, s, gfp, node, NULL);
		if (!objs[got])
			break;
	}
	if (got < nr) {
		base->ops->free_bulk(base, ks, got, objs);
		return 0;
	}
	for (size_t i = 0; (gfp & __GFP_ZERO) && i < nr; i++)
		memset(objs[i], 0, s->base.object_size);
	return nr;
}

/* ---- freeing ---- */

/* User frees that pass the sheaves by. */
static void sheaves_free_slow(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs)
{
	struct slub_cpu_slab *slot;

	slub_quiesce(&cpu->base);
	slot = slub_own_slot(cpu, s);
	for (size_t i = 0; i < nr; i++) {
		slub_count(s, slot, NSLAB_STAT_FREE_SLOWPATH);
		if (slub_page_of(cpu, objs[i])->node != cpu->base.node)
			slub_count(s, slot, NSLAB_STAT_REMOTE_FREE);
	}
	sheaves_give_to_slabs(cpu, s, nr, objs);
}

static __attribute__((noinline)) void sheaves_free_rare(struct slub_cpu *cpu, struct slub_cache *s,
							void *obj, const void *site)
{
	if (s->debug_flags)
		slub_debug_free(cpu, s, obj, site);
	else if (!s->sheaves.capacity || !sheaves_push(cpu, s, obj))
		sheaves_free_slow(cpu, s, 1, &obj);
}

/* Every frame's record tells the node, so there is no need to go on to the slab's first. */
static bool sheaves_is_remote(const struct slub_cpu *cpu, const void *obj)
{
	size_t frame = ((uintptr_t)obj - cpu->arena_base) >> NSLAB_PAGE_SHIFT;

	return cpu->pages[frame].node != cpu->base.node;
}

static void sheaves_free(struct nslab_cpu *base, struct kmem_cache *ks, void *obj)
{
	struct slub_cpu *cpu = slub_cpu_of(base);
	struct slub_cache *s = slub_cache_of(ks);
	struct sheaves_cpu *own = &slub_slot(cpu, s)->sheaves;
	uint64_t lock = slub_load(&own->lock);
	struct nslab_sheaf *main;
	uint32_t size;

	if (SLUB_UNLIKELY((lock & 1) || sheaves_is_remote(cpu, obj))) {
		sheaves_free_rare(cpu, s, obj, __builtin_return_address(0));
		return;
	}
	__atomic_store_n(&own->lock, lock + 1, __ATOMIC_RELAXED);
	atomic_signal_fence(memory_order_acquire);
	main = own->main;
	size = main->size;
	if (SLUB_UNLIKELY(size == main->capacity)) {
		__atomic_store_n(&own->lock, lock, __ATOMIC_RELAXED);
		sheaves_free_rare(cpu, s, obj, __builtin_return_address(0));
		return;
	}
	main->objects[size] = obj;
	main->size = size + 1;
	atomic_signal_fence(memory_order_release);
	__atomic_store_n(&own->lock, lock + 2, __ATOMIC_RELAXED);
}

/* Entries of objs may be cleared. */
static void sheaves_free_bulk(struct nslab_cpu *base, struct kmem_cache *ks, size_t nr, void **objs)
{
	struct slub_cache *s = slub_cache_of(ks);

	if (s->debug_flags) {
		slub_debug_free_bulk(slub_cpu_of(base), s, nr, objs, __builtin_return_address(0));
		return;
	}
	if (s->sheaves.capacity)
		nr = sheaves_push_bulk(slub_cpu_of(base), s, nr, objs);
	if (nr)
		sheaves_free_slow(slub_cpu_of(base), s, nr, objs);
}

/* ---- the plug-in ---- */

static int sheaves_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	return slub_open(env, params, SLUB_7_0, heap);
}

static int sheaves_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
			  struct kmem_cache **s)
{
	return slub_cache_create(heap, spec, &sheaves_slabs, s);
}

static const struct nslab_allocator_ops sheaves_ops = {
	.name = "sheaves",
	.summary = "per-CPU stacks of objects, exchanged as a whole with a barn in each node",
	.models = "Linux 7.0 mm/slub.c",
	.caps = NSLAB_CAP_NODE | NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_ORDER | NSLAB_CAP_CACHE |
		NSLAB_CAP_CTOR | NSLAB_CAP_SHRINK | NSLAB_CAP_PAGES | NSLAB_CAP_DEBUG,
	.params = sheaves_param_rows,
	.params_size = sizeof(struct slub_params),
	.open = sheaves_open,
	.close = slub_close,
	.cpu_online = slub_cpu_online,
	.cpu_offline = slub_cpu_offline,
	.cache_create = sheaves_create,
	.cache_destroy = slub_cache_destroy,
	.alloc = sheaves_alloc,
	.free = sheaves_free,
	.quiesce = slub_quiesce,
	.alloc_bulk = sheaves_alloc_bulk,
	.free_bulk = sheaves_free_bulk,
	.cache_shrink = slub_cache_shrink,
	.cache_validate = slub_cache_validate,
	.cache_stats = slub_cache_stats,
	.free_rcu = sheaves_free_rcu,
	.rcu_barrier = sheaves_rcu_barrier,
	.sheaf_prefill = sheaves_sheaf_prefill,
	.sheaf_alloc = sheaves_sheaf_alloc,
	.sheaf_return = sheaves_sheaf_return,
};
NSLAB_ALLOCATOR_PLUGIN(sheaves_ops);
