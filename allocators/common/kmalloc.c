// SPDX-License-Identifier: GPL-2.0-only
/*
 * kmalloc.c: kmalloc, kfree, ksize and krealloc on the caches of any allocator.
 *
 * A request picks one of thirteen caches by size and one of four types by its flags: normal,
 * accounted, reclaimable, DMA (Linux 6.1 mm/slab_common.c). Above 8 KiB it takes whole pages and
 * marks their head NSLAB_PAGE_LARGE, which is how kfree tells the two apart without knowing the
 * backend; the heap counts those pages, as the kernel counts them as unreclaimable slab. Size 0
 * gives a pointer that is neither NULL nor memory. The caches are made when a heap is opened,
 * since a cache cannot be made on an allocating CPU. Backends with a kmalloc of their own make
 * the normal type only, and their other requests share it.
 *
 * Left out: random copies of the normal type and buckets of single users, which distribute
 * objects for safety and not for speed. Nothing here locks.
 */
#include "allocators/common/kmalloc.h"

#include "allocators/common/defaults.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- large requests ---- */

static void kmalloc_count_large(struct nslab_heap *heap, const struct nslab_page *page, bool is_new)
{
	uint64_t nr_pages = (uint64_t)1 << page->order;

	atomic_fetch_add_explicit(&heap->nr_large, is_new ? 1 : UINT64_MAX, memory_order_relaxed);
	atomic_fetch_add_explicit(&heap->nr_large_pages, is_new ? nr_pages : 0 - nr_pages,
				  memory_order_relaxed);
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
	kmalloc_count_large(cpu->heap, page, true);
	return nslab_page_address(env, page);
}

void nslab_kfree_large(struct nslab_cpu *cpu, struct nslab_page *page)
{
	const struct nslab_env *env = cpu->heap->env;

	kmalloc_count_large(cpu->heap, page, false);
	page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_LARGE);
	env->free_pages(env, cpu, page, page->order);
}

/* ---- the default calls ---- */

void *nslab_default_kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	struct kmem_cache *s;

	if (size_bytes > NSLAB_KMALLOC_MAX_SIZE)
		return nslab_kmalloc_large(cpu, size_bytes, gfp, node);
	if (size_bytes == 0)
		return NSLAB_ZERO_SIZE_PTR;
	s = nslab_kmalloc_cache(cpu->heap, nslab_kmalloc_index(size_bytes), gfp);
	return cpu->ops->alloc(cpu, s, gfp, node);
}

void nslab_default_kfree(struct nslab_cpu *cpu, void *obj)
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

size_t nslab_default_ksize(struct nslab_cpu *cpu, const void *obj)
{
	const struct nslab_page *page;

	if (nslab_is_zero_or_null(obj))
		return 0;
	page = nslab_page_of(cpu->heap->env, obj);
	if (page->flags & NSLAB_PAGE_LARGE)
		return NSLAB_PAGE_SIZE << page->order;
	return page->s->object_size;
}

/* Stays where it is while it fits. With __GFP_ZERO, what a move adds is clear. */
void *nslab_default_krealloc(struct nslab_cpu *cpu, void *obj, size_t size_bytes, gfp_t gfp)
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

size_t nslab_default_size_roundup(const struct nslab_heap *heap, size_t size_bytes)
{
	unsigned order = nslab_order_of(size_bytes);

	(void)heap;
	if (size_bytes == 0 || order > NSLAB_MAX_ORDER)
		return size_bytes;
	if (size_bytes > NSLAB_KMALLOC_MAX_SIZE)
		return NSLAB_PAGE_SIZE << order;
	return nslab_kmalloc_class_size(nslab_kmalloc_index(size_bytes));
}

/* ---- the caches ---- */

bool nslab_kmalloc_is_default(const struct nslab_heap *heap)
{
	return heap->ops->kmalloc == nslab_default_kmalloc;
}

/* "kmalloc-192", "kmalloc-rcl-4k": as /proc/slabinfo has them. */
static void kmalloc_name(unsigned index, enum nslab_kmalloc_type type, char *name, size_t bytes)
{
	static const char *const prefix[NSLAB_NR_KMALLOC_TYPES] = {"kmalloc-", "kmalloc-cg-",
								   "kmalloc-rcl-", "dma-kmalloc-"};
	unsigned size = nslab_kmalloc_class_size(index);

	snprintf(name, bytes, "%s%u%s", prefix[type], size < 1024 ? size : size / 1024,
		 size < 1024 ? "" : "k");
}

static int kmalloc_make(struct nslab_heap *heap, enum nslab_kmalloc_type type,
			int (*cache_create)(struct nslab_heap *heap,
					    const struct nslab_cache_spec *spec,
					    struct kmem_cache **s),
			struct kmem_cache **caches)
{
	static const unsigned flags[NSLAB_NR_KMALLOC_TYPES] = {
		SLAB_KMALLOC | SLAB_NO_MERGE, SLAB_KMALLOC | SLAB_ACCOUNT,
		SLAB_KMALLOC | SLAB_RECLAIM_ACCOUNT, SLAB_KMALLOC | SLAB_CACHE_DMA};
	int rc = 0;

	for (unsigned i = 0; i < NSLAB_KMALLOC_CLASSES && !rc; i++) {
		char name[NSLAB_NAME_MAX];
		struct nslab_cache_spec spec = {
			.name = name,
			.object_size = nslab_kmalloc_class_size(i),
			.align = nslab_kmalloc_class_align(i),
			.flags = flags[type],
			.order = NSLAB_AUTO,
			.min_partial = NSLAB_AUTO,
			.cpu_partial = NSLAB_AUTO,
			.sheaf_capacity = NSLAB_AUTO,
		};

		kmalloc_name(i, type, name, sizeof(name));
		rc = cache_create(heap, &spec, &caches[i]);
	}
	return rc;
}

/* Those that exist; one that could not be destroyed stays. */
static int kmalloc_destroy(struct nslab_heap *heap, struct kmem_cache **caches)
{
	int rc = 0;

	for (unsigned i = 0; i < NSLAB_KMALLOC_CLASSES; i++) {
		int err = caches[i] ? heap->ops->cache_destroy(caches[i]) : 0;

		if (!err)
			caches[i] = NULL;
		else if (!rc)
			rc = err;
	}
	return rc;
}

#define KMALLOC_NR_MORE	   (NSLAB_NR_KMALLOC_TYPES - 1)
#define KMALLOC_MORE_BYTES (KMALLOC_NR_MORE * sizeof(*((struct nslab_heap *)0)->kmalloc_types))

static int kmalloc_destroy_more(struct nslab_heap *heap)
{
	int rc = 0;

	for (int i = 0; heap->kmalloc_types && i < KMALLOC_NR_MORE; i++) {
		int err = kmalloc_destroy(heap, heap->kmalloc_types[i]);

		rc = rc ? rc : err;
	}
	if (!rc && heap->kmalloc_types) {
		heap->env->free_meta(heap->env, heap->kmalloc_types, KMALLOC_MORE_BYTES);
		heap->kmalloc_types = NULL;
	}
	return rc;
}

static int kmalloc_make_more(struct nslab_heap *heap)
{
	int rc = 0;

	heap->kmalloc_types = heap->env->alloc_meta(heap->env, KMALLOC_MORE_BYTES, NUMA_NO_NODE);
	if (!heap->kmalloc_types)
		return -ENOMEM;
	for (int i = 0; !rc && i < KMALLOC_NR_MORE; i++)
		rc = kmalloc_make(heap, (enum nslab_kmalloc_type)(i + 1), heap->ops->cache_create,
				  heap->kmalloc_types[i]);
	if (rc)
		kmalloc_destroy_more(heap);
	return rc == -ENOSPC ? 0 : rc;
}

int nslab_kmalloc_caches_make(struct nslab_heap *heap,
			      int (*cache_create)(struct nslab_heap *heap,
						  const struct nslab_cache_spec *spec,
						  struct kmem_cache **s))
{
	return kmalloc_make(heap, NSLAB_KMALLOC_NORMAL, cache_create, heap->kmalloc);
}

int nslab_kmalloc_caches_create(struct nslab_heap *heap)
{
	int rc = nslab_kmalloc_caches_make(heap, heap->ops->cache_create);

	if (!rc)
		rc = kmalloc_make_more(heap);
	if (rc)
		nslab_kmalloc_caches_destroy(heap);
	return rc;
}

int nslab_kmalloc_caches_destroy(struct nslab_heap *heap)
{
	int rc = kmalloc_destroy_more(heap);
	int err = kmalloc_destroy(heap, heap->kmalloc);

	return rc ? rc : err;
}
