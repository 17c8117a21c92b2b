// SPDX-License-Identifier: GPL-2.0-only
/*
 * defaults.c: the optional half of an allocator, built on the required half.
 *
 * Bulk calls are loops, and an allocation that fails half way is undone, so that it is all or
 * nothing. kmalloc picks one of thirteen caches by size; above 8 KiB it takes whole pages and marks
 * their head NSLAB_PAGE_LARGE, which is how kfree tells the two apart without knowing the backend.
 * Size 0 gives a pointer that is neither NULL nor memory, as in the kernel. Nothing here keeps
 * state and nothing locks: everything goes through the tables of the handle. Left out: the kernel's
 * types of kmalloc caches (accounted, reclaimable, DMA), which share these thirteen.
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

static int defaults_zone_stats(struct nslab_page_source *source, int zone,
			       struct nslab_zone_stats *stats)
{
	(void)source;
	(void)zone;
	(void)stats;
	return -ENOENT;
}

static int defaults_range_lend(struct nslab_page_source *source, int node, size_t nr_pages,
			       struct nslab_page **first)
{
	(void)source;
	(void)node;
	(void)nr_pages;
	(void)first;
	return -EOPNOTSUPP;
}

static int defaults_range_claim(struct nslab_page_source *source, struct nslab_page *first,
				size_t nr_pages)
{
	(void)source;
	(void)first;
	(void)nr_pages;
	return -EOPNOTSUPP;
}

static void defaults_range_free(struct nslab_page_source *source, struct nslab_page *first,
				size_t nr_pages)
{
	(void)source;
	(void)first;
	(void)nr_pages;
}

static int defaults_set_mover(struct nslab_page_source *source, struct nslab_page *page,
			      struct nslab_page_mover *mover)
{
	(void)source;
	(void)page;
	(void)mover;
	return -EOPNOTSUPP;
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
};

const struct nslab_page_ops nslab_page_defaults = {
	.cpu_drain = defaults_cpu_drain,
	.stats = defaults_page_stats,
	.zone_stats = defaults_zone_stats,
	.range_lend = defaults_range_lend,
	.range_claim = defaults_range_claim,
	.range_free = defaults_range_free,
	.set_mover = defaults_set_mover,
};
