// SPDX-License-Identifier: GPL-2.0-only
/*
 * defaults.c: the optional half of an allocator, built on the required half.
 *
 * Bulk calls are loops, and an allocation that fails half way is undone, so that it is all or
 * nothing. kmalloc picks one of thirteen caches by size; above 8 KiB it takes whole pages and marks
 * their head NSLAB_PAGE_LARGE, which is how kfree tells the two apart without knowing the backend.
 * Size 0 gives a pointer that is neither NULL nor memory, as in the kernel. A sheaf is an array
 * that is filled at once; objects that wait for a grace period stand in an array of their handle,
 * and when it cannot grow the grace period ends there and then, as the kernel waits for one when it
 * has no memory. That array is the only state here. Nothing locks: everything goes through the
 * tables of the handle. Left out: the kernel's types of kmalloc caches (accounted, reclaimable,
 * DMA), which share these thirteen.
 */
#include "allocators/common/defaults.h"

#include "allocators/common/kmalloc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void defaults_quiesce(struct nslab_cpu *cpu)
{
	(void)cpu;
}

static void defaults_free_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr, void **objs)
{
	for (size_t i = 0; i < nr; i++)
		cpu->ops->free(cpu, s, objs[i]);
}

static size_t defaults_alloc_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node,
				  size_t nr, void **objs)
{
	for (size_t i = 0; i < nr; i++) {
		objs[i] = cpu->ops->alloc(cpu, s, gfp, node);
		if (!objs[i]) {
			cpu->ops->free_bulk(cpu, s, i, objs);
			return 0;
		}
	}
	return nr;
}

/* A backend without shrink frees nothing; what remains is what its statistics tell. */
static size_t defaults_cache_shrink(struct kmem_cache *s)
{
	struct nslab_cache_stats stats;

	s->heap->ops->cache_stats(s, &stats);
	return (size_t)stats.nr_slabs;
}

static int defaults_cache_validate(struct kmem_cache *s)
{
	(void)s;
	return 0;
}

static void defaults_cache_stats(struct kmem_cache *s, struct nslab_cache_stats *stats)
{
	(void)s;
	memset(stats, 0, sizeof(*stats));
}

void *nslab_kmalloc_large(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	const struct nslab_env *env = cpu->heap->env;
	unsigned order = nslab_order_of(size_bytes);
	struct nslab_page *page;

	if (order > NSLAB_MAX_ORDER)
		return NULL;
	page = env->alloc_pages(env, cpu, order, gfp | __GFP_COMP, node);
	if (!page)
		return NULL;
	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_LARGE);
	return nslab_page_address(env, page);
}

void nslab_kfree_large(struct nslab_cpu *cpu, struct nslab_page *page)
{
	const struct nslab_env *env = cpu->heap->env;

	page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_LARGE);
	env->free_pages(env, cpu, page, page->order);
}

static void *defaults_kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	if (size_bytes > NSLAB_KMALLOC_MAX_SIZE)
		return nslab_kmalloc_large(cpu, size_bytes, gfp, node);
	if (size_bytes == 0)
		return NSLAB_ZERO_SIZE_PTR;
	return cpu->ops->alloc(cpu, cpu->heap->kmalloc[nslab_kmalloc_index(size_bytes)], gfp, node);
}

static void defaults_kfree(struct nslab_cpu *cpu, void *obj)
{
	struct nslab_page *page;

	if (nslab_is_zero_or_null(obj))
		return;
	page = nslab_page_of(cpu->heap->env, obj);
	if (page->flags & NSLAB_PAGE_LARGE)
		nslab_kfree_large(cpu, page);
	else
		cpu->ops->free(cpu, page->s, obj);
}

static size_t defaults_ksize(struct nslab_cpu *cpu, const void *obj)
{
	const struct nslab_page *page;

	if (nslab_is_zero_or_null(obj))
		return 0;
	page = nslab_page_of(cpu->heap->env, obj);
	if (page->flags & NSLAB_PAGE_LARGE)
		return NSLAB_PAGE_SIZE << page->order;
	return page->s->object_size;
}

static void *defaults_krealloc(struct nslab_cpu *cpu, void *obj, size_t size_bytes, gfp_t gfp)
{
	size_t old_bytes;
	void *grown;

	if (size_bytes == 0) {
		cpu->ops->kfree(cpu, obj);
		return NSLAB_ZERO_SIZE_PTR;
	}
	if (nslab_is_zero_or_null(obj))
		return cpu->ops->kmalloc(cpu, size_bytes, gfp, NUMA_NO_NODE);
	old_bytes = cpu->ops->ksize(cpu, obj);
	if (size_bytes <= old_bytes)
		return obj;
	grown = cpu->ops->kmalloc(cpu, size_bytes, gfp, NUMA_NO_NODE);
	if (!grown)
		return NULL;
	memcpy(grown, obj, old_bytes);
	cpu->ops->kfree(cpu, obj);
	return grown;
}

/* ---- objects that wait for a grace period ---- */

#define DEFAULTS_RCU_FIRST 64 /* entries of the first array */

struct defaults_rcu {
	size_t nr, capacity;
	struct {
		struct kmem_cache *s;
		void *obj;
	} entry[];
};

static size_t defaults_rcu_bytes(size_t capacity)
{
	return sizeof(struct defaults_rcu) +
	       capacity * sizeof(((struct defaults_rcu *)NULL)->entry[0]);
}

static void defaults_rcu_barrier(struct nslab_cpu *cpu)
{
	struct defaults_rcu *rcu = cpu->rcu_pending;

	if (!rcu)
		return;
	cpu->rcu_pending = NULL;
	for (size_t i = 0; i < rcu->nr; i++)
		cpu->ops->free(cpu, rcu->entry[i].s, rcu->entry[i].obj);
	cpu->heap->env->free_meta(cpu->heap->env, rcu, defaults_rcu_bytes(rcu->capacity));
}

/* The handle's array with room for one more, or NULL. */
static struct defaults_rcu *defaults_rcu_room(struct nslab_cpu *cpu)
{
	const struct nslab_env *env = cpu->heap->env;
	struct defaults_rcu *rcu = cpu->rcu_pending, *grown;
	size_t capacity = rcu ? 2 * rcu->capacity : DEFAULTS_RCU_FIRST;

	if (rcu && rcu->nr < rcu->capacity)
		return rcu;
	grown = env->alloc_meta(env, defaults_rcu_bytes(capacity), cpu->node);
	if (!grown)
		return NULL;
	if (rcu) {
		memcpy(grown, rcu, defaults_rcu_bytes(rcu->nr));
		env->free_meta(env, rcu, defaults_rcu_bytes(rcu->capacity));
	}
	grown->capacity = capacity;
	cpu->rcu_pending = grown;
	return grown;
}

static void defaults_free_rcu(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	struct defaults_rcu *rcu = defaults_rcu_room(cpu);

	if (!rcu) {
		defaults_rcu_barrier(cpu);
		cpu->ops->free(cpu, s, obj);
		return;
	}
	rcu->entry[rcu->nr].s = s;
	rcu->entry[rcu->nr].obj = obj;
	rcu->nr++;
}

/* ---- sheaves: reserves of objects ---- */

struct nslab_sheaf {
	size_t nr, capacity;
	void *objects[];
};

static size_t defaults_sheaf_bytes(size_t capacity)
{
	return sizeof(struct nslab_sheaf) + capacity * sizeof(void *);
}

static int defaults_sheaf_prefill(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, size_t nr,
				  struct nslab_sheaf **sheaf)
{
	const struct nslab_env *env = cpu->heap->env;
	struct nslab_sheaf *made;

	if (nr > SIZE_MAX / 2 / sizeof(void *))
		return -ENOMEM;
	made = env->alloc_meta(env, defaults_sheaf_bytes(nr), cpu->node);
	if (!made)
		return -ENOMEM;
	made->capacity = nr;
	made->nr = nr;
	if (nr && cpu->ops->alloc_bulk(cpu, s, gfp & ~__GFP_ZERO, NUMA_NO_NODE, nr,
				       made->objects) != nr) {
		env->free_meta(env, made, defaults_sheaf_bytes(nr));
		return -ENOMEM;
	}
	*sheaf = made;
	return 0;
}

static void *defaults_sheaf_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
				  struct nslab_sheaf *sheaf)
{
	void *obj;

	(void)cpu;
	if (!sheaf->nr)
		return NULL;
	obj = sheaf->objects[--sheaf->nr];
	if (gfp & __GFP_ZERO)
		memset(obj, 0, s->object_size);
	return obj;
}

static void defaults_sheaf_return(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
				  struct nslab_sheaf *sheaf)
{
	(void)gfp;
	cpu->ops->free_bulk(cpu, s, sheaf->nr, sheaf->objects);
	cpu->heap->env->free_meta(cpu->heap->env, sheaf, defaults_sheaf_bytes(sheaf->capacity));
}

static void defaults_cpu_drain(struct nslab_page_source *source, struct nslab_cpu *cpu)
{
	(void)source;
	(void)cpu;
}

static void defaults_page_stats(struct nslab_page_source *source, int node,
				struct nslab_page_stats *stats)
{
	(void)source;
	(void)node;
	memset(stats, 0, sizeof(*stats));
}

bool nslab_kmalloc_is_default(const struct nslab_heap *heap)
{
	return heap->ops->kmalloc == defaults_kmalloc;
}

int nslab_kmalloc_caches_make(struct nslab_heap *heap,
			      int (*cache_create)(struct nslab_heap *heap,
						  const struct nslab_cache_spec *spec,
						  struct kmem_cache **s))
{
	int rc = 0;

	for (unsigned i = 0; i < NSLAB_KMALLOC_CLASSES && !rc; i++) {
		char name[NSLAB_NAME_MAX];
		struct nslab_cache_spec spec = {
			.name = name,
			.object_size = nslab_kmalloc_class_size(i),
			.align = nslab_kmalloc_class_align(i),
			.order = NSLAB_AUTO,
			.min_partial = NSLAB_AUTO,
			.cpu_partial = NSLAB_AUTO,
			.sheaf_capacity = NSLAB_AUTO,
		};

		snprintf(name, sizeof(name), "kmalloc-%u", nslab_kmalloc_class_size(i));
		rc = cache_create(heap, &spec, &heap->kmalloc[i]);
	}
	return rc;
}

int nslab_kmalloc_caches_create(struct nslab_heap *heap)
{
	int rc = nslab_kmalloc_caches_make(heap, heap->ops->cache_create);

	if (rc)
		nslab_kmalloc_caches_destroy(heap);
	return rc;
}

int nslab_kmalloc_caches_destroy(struct nslab_heap *heap)
{
	int rc = 0;

	for (unsigned i = 0; i < NSLAB_KMALLOC_CLASSES; i++) {
		int err;

		if (!heap->kmalloc[i])
			continue;
		err = heap->ops->cache_destroy(heap->kmalloc[i]);
		if (!err)
			heap->kmalloc[i] = NULL;
		else if (!rc)
			rc = err;
	}
	return rc;
}

const struct nslab_allocator_ops nslab_allocator_defaults = {
	.quiesce = defaults_quiesce,
	.alloc_bulk = defaults_alloc_bulk,
	.free_bulk = defaults_free_bulk,
	.cache_shrink = defaults_cache_shrink,
	.cache_validate = defaults_cache_validate,
	.cache_stats = defaults_cache_stats,
	.kmalloc = defaults_kmalloc,
	.kfree = defaults_kfree,
	.ksize = defaults_ksize,
	.krealloc = defaults_krealloc,
	.free_rcu = defaults_free_rcu,
	.rcu_barrier = defaults_rcu_barrier,
	.sheaf_prefill = defaults_sheaf_prefill,
	.sheaf_alloc = defaults_sheaf_alloc,
	.sheaf_return = defaults_sheaf_return,
};

const struct nslab_page_ops nslab_page_defaults = {
	.cpu_drain = defaults_cpu_drain,
	.stats = defaults_page_stats,
};
