// SPDX-License-Identifier: GPL-2.0-only
/*
 * null.c: the floor: what a pair of calls through the plug-in table costs when the allocator does
 * next to nothing.
 *
 * Each CPU handle has one intrusive list of free objects for each cache; alloc takes its head and
 * free puts one in front, whatever node or CPU the object came from. An empty list gets what
 * flushed handles left with the cache, or else a new slab cut up whole; whoever makes a slab asks
 * all handles for their lists of that cache, and they look for that at every free, so that a
 * consumer's objects find their way back to the producer. A list moves whole, by its head. Pages go
 * back only when the cache is destroyed: then all its objects must be on its lists again.
 * A constructor's work must survive the link, so caches with one are linked behind the object and
 * take the slow functions. Left out: node-local placement, a bound on free memory, statistics on
 * the fast path.
 *
 * Invariant: an object is with its user, on one handle's list or on one of its cache's lists.
 *
 * Locks: a cache's lock (rank CACHE); pages are asked for without it.
 */
#include "allocators/common/base.h"
#include "allocators/common/defaults.h"
#include "allocators/common/kmalloc.h"
#include "core/lock.h"

#include <numaslab/plugin.h>
#include <string.h>

#define NULL_NR_CACHES	   512 /* list 0 belongs to no cache */
#define NULL_KMALLOC_TABLE (NSLAB_KMALLOC_MAX_SIZE / 8 + 1)
#define NULL_MIN_OBJECTS   16 /* in a slab, up to order 3 */
#define NULL_CHAINS	   32 /* lists that a cache can hold */
/* A floor must not depend on where the linker put it: each function begins at a line of code. */
#define NULL_HOT __attribute__((aligned(64)))

struct null_cache {
	struct kmem_cache base;
	size_t head_offset; /* bytes from a CPU handle to the head of its list */
	size_t link_offset; /* bytes from an object to its link: 0 without a constructor */
	unsigned index;
	unsigned destroy_epoch;
	bool is_dying;
	struct nslab_lock lock;
	void *chains[NULL_CHAINS]; /* lists that flushed handles left */
	unsigned nr_chains;
	struct nslab_list slabs; /* of struct nslab_page */
	uint64_t nr_objects, nr_slabs;
};

struct null_cpu {
	struct nslab_cpu base;
	uintptr_t arena_base;
	size_t arena_bytes;
	struct nslab_page *pages;
	uint8_t list_of[NULL_KMALLOC_TABLE]; /* by (size + 7) / 8 */
	void *heads[NULL_NR_CACHES];
	uint64_t seen_wanted; /* heap's `wanted` when this handle last looked */
};

struct null_heap {
	struct nslab_heap base;
	/*
	 * Slabs made so far while there were other handles to ask, times NULL_NR_CACHES, plus the
	 * index of the cache that the last one was made for.
	 */
	_Atomic uint64_t wanted;
	struct null_cache *caches[NULL_NR_CACHES];
};

static struct null_cpu *null_cpu_of(struct nslab_cpu *base)
{
	return nslab_container_of(base, struct null_cpu, base);
}

static struct null_cache *null_cache_of(struct kmem_cache *s)
{
	return nslab_container_of(s, struct null_cache, base);
}

static struct null_heap *null_heap_of(struct nslab_heap *heap)
{
	return nslab_container_of(heap, struct null_heap, base);
}

static void **null_head_at(struct nslab_cpu *base, size_t offset)
{
	return (void **)(void *)((char *)base + offset);
}

static void **null_link(const struct null_cache *s, void *obj)
{
	return (void **)(void *)((char *)obj + s->link_offset);
}

/* ---- slabs and lists ---- */

/* Under the cache's lock. The list becomes one of the cache's; only without room it is walked. */
static void null_keep(struct null_cache *s, void *first)
{
	void *last = first;

	if (s->nr_chains < NULL_CHAINS) {
		s->chains[s->nr_chains++] = first;
		return;
	}
	while (*null_link(s, last))
		last = *null_link(s, last);
	*null_link(s, last) = s->chains[0];
	s->chains[0] = first;
}

/* Under the cache's lock: objects on its lists. */
static uint64_t null_nr_kept(const struct null_cache *s)
{
	uint64_t nr = 0;

	for (unsigned i = 0; i < s->nr_chains; i++) {
		for (void *obj = s->chains[i]; obj; obj = *null_link(s, obj))
			nr++;
	}
	return nr;
}

/* Gives one list back to its cache, which the objects' page tells. */
static void null_flush_list(struct null_cpu *cpu, unsigned index)
{
	void *obj = cpu->heads[index];
	struct null_cache *s;

	if (!obj)
		return;
	s = null_cache_of(nslab_frame_of(cpu->base.heap->env, obj)->s);
	cpu->heads[index] = NULL;
	nslab_lock_acquire(&s->lock);
	null_keep(s, obj);
	nslab_lock_release(&s->lock);
}

static void null_flush(struct null_cpu *cpu)
{
	for (unsigned i = 1; i < NULL_NR_CACHES; i++)
		null_flush_list(cpu, i);
}

static void null_quiesce(struct nslab_cpu *base)
{
	unsigned epoch;

	if (!nslab_flush_is_due(base, &epoch))
		return;
	null_flush(null_cpu_of(base));
	nslab_flush_serve(base, epoch);
}

/* All objects of a new slab in address order, or NULL. */
static void *null_carve(struct nslab_cpu *cpu, struct null_cache *s, gfp_t gfp)
{
	const struct nslab_env *env = s->base.heap->env;
	struct nslab_page *page;
	char *first;

	page = env->alloc_pages(env, cpu, s->base.order, (gfp & ~__GFP_ZERO) | __GFP_COMP,
				NUMA_NO_NODE);
	if (!page)
		return NULL;
	for (size_t i = 0; i < (size_t)1 << page->order; i++) {
		page[i].s = &s->base;
		page[i].priv[0] = s->head_offset;
	}
	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_SLAB);
	first = nslab_page_address(env, page);
	for (unsigned i = 0; i < s->base.objects; i++) {
		char *obj = first + (size_t)i * s->base.size;

		if (s->base.ctor)
			s->base.ctor(obj);
		*null_link(s, obj) = i + 1 < s->base.objects ? obj + s->base.size : NULL;
	}
	nslab_lock_acquire(&s->lock);
	nslab_list_add(&page->list, &s->slabs);
	s->nr_slabs++;
	s->nr_objects += s->base.objects;
	nslab_lock_release(&s->lock);
	return first;
}

/* One of the cache's lists, or NULL. */
static void *null_take_chain(struct null_cache *s)
{
	void *obj;

	nslab_lock_acquire(&s->lock);
	obj = s->nr_chains ? s->chains[--s->nr_chains] : NULL;
	nslab_lock_release(&s->lock);
	return obj;
}

/* Asks the other handles for their lists of a cache; takes effect at their next free. */
static void null_ask(struct null_cpu *cpu, const struct null_cache *s)
{
	struct null_heap *heap = null_heap_of(cpu->base.heap);
	uint64_t old, new;

	if (__atomic_load_n(&heap->base.nr_cpus, __ATOMIC_RELAXED) <= 1)
		return;
	old = atomic_load_explicit(&heap->wanted, memory_order_relaxed);
	do {
		new = (old / NULL_NR_CACHES + 1) * NULL_NR_CACHES + s->index;
	} while (!atomic_compare_exchange_weak_explicit(
		&heap->wanted, &old, new, memory_order_relaxed, memory_order_relaxed));
	cpu->seen_wanted = new;
}

static inline bool null_is_asked(struct nslab_cpu *base)
{
	return atomic_load_explicit(&null_heap_of(base->heap)->wanted, memory_order_relaxed) !=
	       null_cpu_of(base)->seen_wanted;
}

/* The list that was asked for; all of them when more than one was. */
static void null_answer(struct null_cpu *cpu)
{
	uint64_t wanted =
		atomic_load_explicit(&null_heap_of(cpu->base.heap)->wanted, memory_order_relaxed);

	if (wanted / NULL_NR_CACHES == cpu->seen_wanted / NULL_NR_CACHES + 1)
		null_flush_list(cpu, (unsigned)(wanted % NULL_NR_CACHES));
	else if (wanted != cpu->seen_wanted)
		null_flush(cpu);
	cpu->seen_wanted = wanted;
}

static __attribute__((noinline)) void *null_alloc_slow(struct nslab_cpu *base,
						       struct kmem_cache *kmem, gfp_t gfp)
{
	struct null_cache *s = null_cache_of(kmem);
	struct null_cpu *cpu = null_cpu_of(base);
	void *obj;

	null_quiesce(base);
	obj = cpu->heads[s->index];
	if (!obj)
		obj = null_take_chain(s);
	if (!obj) {
		null_ask(cpu, s);
		obj = null_carve(base, s, gfp);
	}
	if (!obj)
		return NULL;
	cpu->heads[s->index] = *null_link(s, obj);
	if ((gfp & __GFP_ZERO) && !kmem->ctor)
		memset(obj, 0, kmem->object_size);
	return obj;
}

static __attribute__((noinline)) void null_free_slow(struct nslab_cpu *base,
						     struct kmem_cache *kmem, void *obj)
{
	struct null_cache *s = null_cache_of(kmem);
	struct null_cpu *cpu = null_cpu_of(base);

	null_quiesce(base);
	*null_link(s, obj) = cpu->heads[s->index];
	cpu->heads[s->index] = obj;
	null_answer(cpu);
}

static NULL_HOT void *null_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node)
{
	void **head = null_head_at(cpu, null_cache_of(s)->head_offset);
	void *obj = *head;

	(void)node;
	if (__builtin_expect(!obj || s->ctor || (gfp & __GFP_ZERO), 0))
		return null_alloc_slow(cpu, s, gfp);
	*head = *(void **)obj;
	return obj;
}

static NULL_HOT void null_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	void **head = null_head_at(cpu, null_cache_of(s)->head_offset);

	if (__builtin_expect(s->ctor || null_is_asked(cpu), 0)) {
		null_free_slow(cpu, s, obj);
		return;
	}
	*(void **)obj = *head;
	*head = obj;
}

/* ---- kmalloc ---- */

static __attribute__((noinline)) void *null_kmalloc_slow(struct nslab_cpu *base, size_t size_bytes,
							 gfp_t gfp, int node)
{
	void *obj;

	if (size_bytes == 0)
		return NSLAB_ZERO_SIZE_PTR;
	if (size_bytes <= NSLAB_KMALLOC_MAX_SIZE)
		return null_alloc_slow(base, base->heap->kmalloc[nslab_kmalloc_index(size_bytes)],
				       gfp);
	obj = nslab_kmalloc_large(base, size_bytes, gfp, node);
	if (obj)
		nslab_frame_of(base->heap->env, obj)->priv[0] = 0;
	return obj;
}

static NULL_HOT void *null_kmalloc(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp, int node)
{
	struct null_cpu *cpu = null_cpu_of(base);

	if (__builtin_expect(size_bytes <= NSLAB_KMALLOC_MAX_SIZE && !(gfp & __GFP_ZERO), 1)) {
		void **head = &cpu->heads[cpu->list_of[(size_bytes + 7) >> 3]];
		void *obj = *head;

		if (__builtin_expect(obj != NULL, 1)) {
			*head = *(void **)obj;
			return obj;
		}
	}
	return null_kmalloc_slow(base, size_bytes, gfp, node);
}

static __attribute__((noinline)) void null_kfree_slow(struct nslab_cpu *base, void *obj)
{
	struct nslab_page *page;

	if (nslab_is_zero_or_null(obj))
		return;
	page = nslab_page_of(base->heap->env, obj);
	if (page->flags & NSLAB_PAGE_LARGE)
		nslab_kfree_large(base, page);
	else
		null_free_slow(base, page->s, obj);
}

/* priv[0] of a large block is 0, of a slab's frames its list. kmalloc has no constructors. */
static NULL_HOT void null_kfree(struct nslab_cpu *base, void *obj)
{
	struct null_cpu *cpu = null_cpu_of(base);
	uintptr_t offset = (uintptr_t)obj - cpu->arena_base;

	if (__builtin_expect(offset < cpu->arena_bytes, 1)) {
		size_t list = cpu->pages[offset >> NSLAB_PAGE_SHIFT].priv[0];

		if (__builtin_expect(list && !null_is_asked(base), 1)) {
			void **head = null_head_at(base, list);

			*(void **)obj = *head;
			*head = obj;
			return;
		}
	}
	null_kfree_slow(base, obj);
}

/* ---- control ---- */

static int null_cache_create(struct nslab_heap *base, const struct nslab_cache_spec *spec,
			     struct kmem_cache **s)
{
	struct null_heap *heap = null_heap_of(base);
	struct null_cache *new = base->env->alloc_meta(base->env, sizeof(*new), NUMA_NO_NODE);
	unsigned order = 0, index = 1;
	int rc = -ENOMEM;

	if (!new)
		return -ENOMEM;
	while (index < NULL_NR_CACHES && heap->caches[index])
		index++;
	rc = index < NULL_NR_CACHES ? nslab_cache_init(&new->base, base, spec) : -ENOSPC;
	if (rc)
		goto free_cache;
	if (spec->ctor) {
		new->link_offset = (spec->object_size + 7) & ~(size_t)7;
		new->base.size = (unsigned)((new->link_offset + 8 + new->base.align - 1) &
					    ~(size_t)(new->base.align - 1));
	}
	while (order < nslab_order_of(new->base.size) ||
	       (order < 3 && (NSLAB_PAGE_SIZE << order) / new->base.size < NULL_MIN_OBJECTS))
		order++;
	new->base.order =
		spec->order > (int)nslab_order_of(new->base.size) ? (unsigned)spec->order : order;
	new->base.objects = (unsigned)((NSLAB_PAGE_SIZE << new->base.order) / new->base.size);
	new->index = index;
	new->head_offset = offsetof(struct null_cpu, heads) + index * sizeof(void *);
	nslab_lock_init(&new->lock, NSLAB_RANK_CACHE);
	nslab_list_init(&new->slabs);
	heap->caches[index] = new;
	*s = &new->base;
	return 0;
free_cache:
	base->env->free_meta(base->env, new, sizeof(*new));
	return rc;
}

static void null_cache_release(struct null_cache *s)
{
	const struct nslab_env *env = s->base.heap->env;

	while (!nslab_list_is_empty(&s->slabs)) {
		struct nslab_page *page = nslab_list_first(&s->slabs, struct nslab_page, list);

		nslab_list_del(&page->list);
		for (size_t i = 0; i < (size_t)1 << page->order; i++)
			page[i].s = NULL;
		page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_SLAB);
		env->free_pages(env, NULL, page, page->order);
	}
	null_heap_of(s->base.heap)->caches[s->index] = NULL;
	nslab_cache_exit(&s->base);
	env->free_meta(env, s, sizeof(*s));
}

static int null_cache_destroy(struct kmem_cache *base)
{
	struct null_cache *s = null_cache_of(base);
	bool is_busy;

	if (!s->is_dying) {
		s->destroy_epoch = nslab_flush_request(base->heap);
		s->is_dying = true;
	}
	if (!nslab_flush_is_done(base->heap, s->destroy_epoch))
		return -EAGAIN;
	s->is_dying = false;
	nslab_lock_acquire(&s->lock);
	is_busy = null_nr_kept(s) != s->nr_objects;
	nslab_lock_release(&s->lock);
	if (is_busy)
		return -EBUSY;
	null_cache_release(s);
	return 0;
}

static void null_cache_stats(struct kmem_cache *base, struct nslab_cache_stats *stats)
{
	struct null_cache *s = null_cache_of(base);

	memset(stats, 0, sizeof(*stats));
	nslab_list_for_each (pos, &base->heap->cpus) {
		struct nslab_cpu *cpu = nslab_list_entry(pos, struct nslab_cpu, link);
		void *obj = *null_head_at(cpu, s->head_offset);

		for (; obj; obj = *null_link(s, obj))
			stats->nr_cpu_free++;
	}
	nslab_lock_acquire(&s->lock);
	stats->nr_slabs = s->nr_slabs;
	stats->nr_pages = s->nr_slabs << base->order;
	stats->nr_objects = s->nr_objects;
	stats->nr_free = null_nr_kept(s) + stats->nr_cpu_free;
	nslab_lock_release(&s->lock);
}

static void null_close(struct nslab_heap *base)
{
	struct null_heap *heap = null_heap_of(base);

	for (unsigned i = 1; i < NULL_NR_CACHES; i++) {
		struct null_cache *s = heap->caches[i];

		if (!s)
			continue;
		if (null_nr_kept(s) != s->nr_objects)
			base->env->report(base->env, "cache '%s': objects still allocated at close",
					  s->base.name);
		null_cache_release(s);
	}
	base->env->free_meta(base->env, heap, sizeof(*heap));
}

static int null_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	struct null_heap *new = env->alloc_meta(env, sizeof(*new), NUMA_NO_NODE);
	int rc;

	(void)params;
	if (!new)
		return -ENOMEM;
	nslab_heap_init(&new->base, env);
	rc = nslab_kmalloc_caches_make(&new->base, null_cache_create);
	if (rc) {
		null_close(&new->base);
		return rc;
	}
	*heap = &new->base;
	return 0;
}

static int null_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu)
{
	const struct nslab_env *env = heap->env;
	struct null_cpu *new = env->alloc_meta(env, sizeof(*new), node);

	if (!new)
		return -ENOMEM;
	nslab_cpu_init(&new->base, heap, id, node);
	new->seen_wanted = atomic_load(&null_heap_of(heap)->wanted);
	new->arena_base = env->arena->base;
	new->arena_bytes = (size_t)env->arena->nr_nodes << env->arena->node_shift;
	new->pages = env->arena->pages;
	for (size_t i = 1; i < NULL_KMALLOC_TABLE; i++) {
		struct kmem_cache *s = heap->kmalloc[nslab_kmalloc_index(8 * i)];

		new->list_of[i] = (uint8_t)null_cache_of(s)->index;
	}
	*cpu = &new->base;
	return 0;
}

static void null_cpu_offline(struct nslab_cpu *base)
{
	const struct nslab_env *env = base->heap->env;

	null_flush(null_cpu_of(base));
	nslab_cpu_exit(base);
	env->free_meta(env, null_cpu_of(base), sizeof(struct null_cpu));
}

static const struct nslab_allocator_ops null_ops = {
	.name = "null",
	.summary = "the floor: one intrusive list for each cpu and cache, nothing else",
	.models = "-",
	.caps = NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_CACHE | NSLAB_CAP_CTOR | NSLAB_CAP_PAGES,
	.open = null_open,
	.close = null_close,
	.cpu_online = null_cpu_online,
	.cpu_offline = null_cpu_offline,
	.cache_create = null_cache_create,
	.cache_destroy = null_cache_destroy,
	.alloc = null_alloc,
	.free = null_free,
	.quiesce = null_quiesce,
	.cache_stats = null_cache_stats,
	.kmalloc = null_kmalloc,
	.kfree = null_kfree,
};

NSLAB_ALLOCATOR_PLUGIN(null_ops);
