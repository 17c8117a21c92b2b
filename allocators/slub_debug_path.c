// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub_debug_path.c: allocating from debug caches and freeing into them.
 *
 * A debug cache has no cpu slabs, no partial slabs of CPUs and no sheaves: each object is taken
 * from the first slab of a node's partial list and given back to its slab under that node's
 * list_lock, which is all the exclusion there is, so a slab's two words are stored and not
 * compared. Full slabs are on a list of their node, to be found by validation. Since no handle ever
 * has a slab of such a cache, the fast paths find their slot empty and leave; they never ask.
 *
 * With SLAB_CONSISTENCY_CHECKS an object is looked at whenever it is handed out or comes back, and
 * a pointer that is none, is free already or belongs to another cache is told and refused (the
 * last: freed into its own cache). A pointer outside the arena can be told only before the page
 * look-up, which the fast path makes first: heaps with slab_debug give their handles a table whose
 * calls look (slub_debug_watch), and whose kmalloc keeps the size that was asked for. Caches that
 * were created with debug flags on other heaps have neither.
 *
 * Locks: node list_lock (NSLAB_RANK_NODE), one at a time; slabs come and go without it.
 */
#include "allocators/slub_debug.h"

#include "allocators/common/defaults.h"
#include "allocators/common/kmalloc.h"

#include <inttypes.h>

/* ---- allocation ---- */

/* Takes the first object of a slab; a slab that is full then changes its list. 0: there is none. */
static uint64_t slub_debug_pop(struct slub_cache *s, struct slub_node *n, struct nslab_page *page)
{
	uint64_t object = slub_page_freelist(page), counters;
	bool is_found;

	if (s->debug_flags & SLAB_CONSISTENCY_CHECKS) {
		slub_debug_walk(s, page, 0, &is_found);
		object = slub_page_freelist(page);
	}
	counters = slub_page_counters(page);
	if (object) {
		if (s->debug_flags & SLAB_CONSISTENCY_CHECKS)
			slub_debug_check(s, page, object, false);
		__atomic_store_n(&page->freelist, slub_next_free(s, object), __ATOMIC_RELAXED);
		__atomic_store_n(&page->counters, ++counters, __ATOMIC_RELAXED);
	}
	if (slub_is_listed(page) && !slub_page_freelist(page))
		slub_remove_partial(n, page);
	else if (slub_is_listed(page))
		return object;
	if (slub_page_freelist(page))
		slub_add_partial(n, page, false);
	else
		nslab_list_add(&page->list, &n->full);
	return object;
}

/* An object that has an owner now. */
static void slub_debug_hand_out(const struct slub_debug_call *call, uint64_t object)
{
	slub_debug_set_request(call->s, object, call->request_bytes);
	slub_debug_fill(call->s, object, true);
	slub_debug_set_track(call, object, SLUB_TRACK_ALLOC);
}

static uint64_t slub_debug_from_node(const struct slub_debug_call *call, struct slub_node *n)
{
	uint64_t object = 0;

	if (!slub_load(&n->nr_partial))
		return 0;
	slub_lock(n);
	while (!object && !nslab_list_is_empty(&n->partial))
		object = slub_debug_pop(call->s, n,
					nslab_list_first(&n->partial, struct nslab_page, list));
	if (object) {
		slub_debug_hand_out(call, object);
		slub_count(call->s, call->slot, NSLAB_STAT_ALLOC_FROM_PARTIAL);
	}
	slub_unlock(n);
	return object;
}

static uint64_t slub_debug_from_any_node(const struct slub_debug_call *call)
{
	int nr_nodes = call->s->base.heap->env->arena->nr_nodes;
	uint64_t object = 0;

	if (!slub_may_defrag(call->cpu, call->s))
		return 0;
	for (int i = 0; i < nr_nodes && !object; i++) {
		struct slub_node *n = call->s->node[call->cpu->by_distance[i]];

		if (slub_load(&n->nr_partial) > call->s->min_partial)
			object = slub_debug_from_node(call, n);
	}
	return object;
}

static uint64_t slub_debug_from_new_slab(const struct slub_debug_call *call, gfp_t gfp)
{
	struct slub_cache *s = call->s;
	struct nslab_page *page;
	struct slub_node *n;
	uint64_t list;

	page = slub_new_slab(call->cpu, s, call->slot, gfp, call->node, &list);
	if (!page)
		return 0;
	n = slub_node_of(s, page);
	slub_lock(n);
	__atomic_store_n(&page->freelist, list, __ATOMIC_RELAXED);
	__atomic_store_n(&page->counters, slub_objects(page->counters) << SLUB_OBJECTS_SHIFT,
			 __ATOMIC_RELAXED);
	list = slub_debug_pop(s, n, page);
	slub_debug_hand_out(call, list);
	slub_unlock(n);
	return list;
}

static uint64_t slub_debug_take(const struct slub_debug_call *call)
{
	struct slub_cache *s = call->s;
	int node = call->node, wanted = node == NUMA_NO_NODE ? call->cpu->base.node : node;
	bool is_strict =
		node != NUMA_NO_NODE && (slub_is_freezing(s) || (call->gfp & __GFP_THISNODE));
	uint64_t object = slub_debug_from_node(call, s->node[wanted]);

	if (!object && node != NUMA_NO_NODE && !is_strict)
		object = slub_debug_from_new_slab(call, GFP_NOWAIT | __GFP_THISNODE);
	if (!object && !is_strict)
		object = slub_debug_from_any_node(call);
	if (!object)
		object = slub_debug_from_new_slab(call, call->gfp);
	return object;
}

static void *slub_debug_alloc_bytes(struct slub_debug_call *call)
{
	struct slub_cache *s = call->s;
	void *obj;

	slub_quiesce(&call->cpu->base);
	if (!slub_has_node(s, call->node))
		return NULL;
	call->slot = slub_own_slot(call->cpu, s);
	slub_count(s, call->slot, NSLAB_STAT_ALLOC_SLOWPATH);
	obj = (void *)(uintptr_t)slub_debug_take(call);
	if (!obj)
		slub_count(s, call->slot, SLUB_ALLOC_FAILED);
	else if (call->gfp & __GFP_ZERO)
		memset(obj, 0, call->request_bytes);
	return obj;
}

void *slub_debug_alloc(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, int node,
		       const void *site)
{
	struct slub_debug_call call = {
		.cpu = cpu,
		.s = s->root,
		.site = site,
		.request_bytes = s->base.object_size,
		.gfp = gfp,
		.node = node,
	};

	return slub_debug_alloc_bytes(&call);
}

size_t slub_debug_alloc_bulk(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, int node,
			     size_t nr, void **objs, const void *site)
{
	size_t got = 0;

	while (got < nr && (objs[got] = slub_debug_alloc(cpu, s, gfp, node, site)))
		got++;
	if (got == nr)
		return nr;
	while (got)
		slub_debug_free(cpu, s, objs[--got], site);
	return 0;
}

/* ---- freeing ---- */

/* The slab of an object that a caller wants to free, or NULL after a report. */
static struct nslab_page *slub_debug_page_of(const struct slub_cache *s, const void *obj)
{
	const struct nslab_env *env = s->base.heap->env;
	struct nslab_page *page;

	if (!nslab_is_arena(env, obj)) {
		slub_debug_report(s, NULL, 0, "Invalid object pointer %p; FIX: not freed", obj);
		return NULL;
	}
	page = nslab_page_of(env, obj);
	if (!(page->flags & NSLAB_PAGE_SLAB) || !page->s) {
		slub_debug_report(s, NULL, 0,
				  "Attempt to free object(%p) outside of slab; FIX: not freed",
				  obj);
		return NULL;
	}
	return page;
}

/* Under the lock: may the object be freed? Damage of its surroundings is repaired. */
static bool slub_debug_may_free(struct slub_cache *s, struct nslab_page *page, uint64_t object)
{
	bool is_found;

	if (!(s->debug_flags & SLAB_CONSISTENCY_CHECKS))
		return !slub_is_freed_twice(s, object, slub_page_freelist(page));
	if (!slub_debug_is_object(s, page, object)) {
		slub_debug_report(s, page, 0,
				  "Invalid object pointer 0x%" PRIx64 "; FIX: not freed", object);
		return false;
	}
	slub_debug_walk(s, page, object, &is_found);
	if (is_found) {
		slub_debug_report(s, page, object, "Object already free; FIX: not freed");
		return false;
	}
	slub_debug_check(s, page, object, true);
	return true;
}

/* Returns whether the slab is off its list and has to go. */
static bool slub_debug_push(const struct slub_debug_call *call, struct slub_node *n,
			    struct nslab_page *page, uint64_t object)
{
	struct slub_cache *s = call->s;
	uint64_t list = slub_page_freelist(page), counters = slub_page_counters(page) - 1;
	bool is_surplus = !slub_inuse(counters) && slub_node_is_sated(s, n);

	slub_debug_set_track(call, object, SLUB_TRACK_FREE);
	slub_debug_fill(s, object, false);
	slub_set_next_free(s, object, list);
	__atomic_store_n(&page->freelist, object, __ATOMIC_RELAXED);
	__atomic_store_n(&page->counters, counters, __ATOMIC_RELAXED);
	slub_count(s, call->slot, SLUB_FREED_SLOW);
	if (list && !is_surplus)
		return false;
	if (list) {
		slub_remove_partial(n, page);
		slub_count(s, call->slot, NSLAB_STAT_FREE_REMOVE_PARTIAL);
		return true;
	}
	nslab_list_del(&page->list); /* of full slabs */
	if (!is_surplus) {
		slub_add_partial(n, page, true);
		slub_count(s, call->slot, NSLAB_STAT_FREE_ADD_PARTIAL);
	}
	return is_surplus;
}

void slub_debug_free(struct slub_cpu *cpu, struct slub_cache *s, void *obj, const void *site)
{
	struct nslab_page *page = slub_debug_page_of(s, obj);
	struct slub_debug_call call = {.cpu = cpu, .s = s->root, .site = site};
	bool is_surplus = false;
	struct slub_node *n;

	s = s->root;
	if (!page)
		return;
	if (page->s != &s->base) {
		slub_debug_report(s, NULL, 0,
				  "Wrong slab cache, object %p is from %s; FIX: freed there", obj,
				  page->s->name);
		cpu->base.ops->free(&cpu->base, page->s, obj);
		return;
	}
	slub_quiesce(&cpu->base);
	call.slot = slub_own_slot(cpu, s);
	slub_count(s, call.slot, NSLAB_STAT_FREE_SLOWPATH);
	if (page->node != cpu->base.node)
		slub_count(s, call.slot, NSLAB_STAT_REMOTE_FREE);
	n = slub_node_of(s, page);
	slub_lock(n);
	if (slub_debug_may_free(s, page, (uintptr_t)obj))
		is_surplus = slub_debug_push(&call, n, page, (uintptr_t)obj);
	slub_unlock(n);
	if (is_surplus)
		slub_discard(cpu, s, call.slot, page);
}

void slub_debug_free_bulk(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs,
			  const void *site)
{
	while (nr)
		slub_debug_free(cpu, s, objs[--nr], site);
}

/* ---- handles of heaps with slab_debug ---- */

/* A pointer that no cache can own is told by the heap, since it has no cache. */
static bool slub_debug_is_ours(const struct nslab_cpu *base, const void *obj, const char *what)
{
	const struct nslab_env *env = base->heap->env;

	if (nslab_is_arena(env, obj) &&
	    (nslab_page_of(env, obj)->flags & (NSLAB_PAGE_SLAB | NSLAB_PAGE_LARGE)))
		return true;
	env->report(env, "BUG %s (Not tainted): Invalid object pointer %p; FIX: not freed", what,
		    obj);
	return false;
}

static void slub_watched_free(struct nslab_cpu *base, struct kmem_cache *ks, void *obj)
{
	if (slub_debug_is_ours(base, obj, ks->name))
		base->heap->ops->free(base, ks, obj);
}

static void slub_watched_free_bulk(struct nslab_cpu *base, struct kmem_cache *ks, size_t nr,
				   void **objs)
{
	size_t left = 0;

	for (size_t i = 0; i < nr; i++) {
		if (slub_debug_is_ours(base, objs[i], ks->name))
			objs[left++] = objs[i];
	}
	base->heap->ops->free_bulk(base, ks, left, objs);
}

static void slub_watched_kfree(struct nslab_cpu *base, void *obj)
{
	if (nslab_is_zero_or_null(obj) || slub_debug_is_ours(base, obj, "kmalloc"))
		base->heap->ops->kfree(base, obj);
}

static void *slub_watched_kmalloc(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp, int node)
{
	struct slub_debug_call call = {
		.cpu = slub_cpu_of(base),
		.site = __builtin_return_address(0),
		.request_bytes = size_bytes,
		.gfp = gfp,
		.node = node,
	};

	if (size_bytes == 0 || size_bytes > NSLAB_KMALLOC_MAX_SIZE)
		return base->heap->ops->kmalloc(base, size_bytes, gfp, node);
	call.s = slub_cache_of(
		nslab_kmalloc_cache(base->heap, nslab_kmalloc_index(size_bytes), gfp));
	if (!call.s->debug_flags)
		return base->heap->ops->alloc(base, &call.s->base, gfp, node);
	call.s = call.s->root;
	return slub_debug_alloc_bytes(&call);
}

/* Who asks for the usable size may use it: what was not asked for is zone no longer. */
static size_t slub_watched_ksize(struct nslab_cpu *base, const void *obj)
{
	size_t bytes = base->heap->ops->ksize(base, obj);
	const struct nslab_page *page;
	struct slub_cache *s;

	if (nslab_is_zero_or_null(obj))
		return bytes;
	page = nslab_page_of(base->heap->env, obj);
	if (page->flags & NSLAB_PAGE_LARGE)
		return bytes;
	s = slub_cache_of(page->s);
	slub_debug_set_request(s, (uintptr_t)obj, bytes);
	return bytes;
}

void slub_debug_watch(struct slub_heap *h, struct nslab_cpu *cpu)
{
	if (!h->params.slab_debug[0])
		return;
	if (!h->debug_ops.name) {
		h->debug_ops = *h->base.ops;
		h->debug_ops.free = slub_watched_free;
		h->debug_ops.free_bulk = slub_watched_free_bulk;
		h->debug_ops.kmalloc = slub_watched_kmalloc;
		h->debug_ops.kfree = slub_watched_kfree;
		h->debug_ops.ksize = slub_watched_ksize;
	}
	cpu->ops = &h->debug_ops;
}
