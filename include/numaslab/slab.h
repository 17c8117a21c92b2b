/* SPDX-License-Identifier: MIT */
/*
 * slab.h: the base structures every backend embeds first, and the kernel's own call names.
 *
 * A backend's private heap, CPU handle and cache begin with these structures and are reached back
 * with nslab_container_of(). A CPU handle is passed explicitly, instead of being looked up in
 * thread-local storage: it is used by ONE thread at a time, so the fast path needs neither lock nor
 * atomic, and one test thread can drive 64 simulated CPUs.
 */
#ifndef NUMASLAB_SLAB_H
#define NUMASLAB_SLAB_H

#include <errno.h>
#include <numaslab/allocator.h>
#include <string.h>

/* ---- caches of one object type ---- */

static inline void *kmem_cache_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp)
{
	return cpu->ops->alloc(cpu, s, gfp, NUMA_NO_NODE);
}

static inline void *kmem_cache_alloc_node(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
					  int node)
{
	return cpu->ops->alloc(cpu, s, gfp, node);
}

static inline void *kmem_cache_zalloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp)
{
	return cpu->ops->alloc(cpu, s, gfp | __GFP_ZERO, NUMA_NO_NODE);
}

static inline void kmem_cache_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	cpu->ops->free(cpu, s, obj);
}

/* All or nothing: returns nr, or 0 with nothing allocated. */
static inline size_t kmem_cache_alloc_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
					   size_t nr, void **objs)
{
	return cpu->ops->alloc_bulk(cpu, s, gfp, NUMA_NO_NODE, nr, objs);
}

static inline void kmem_cache_free_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr,
					void **objs)
{
	cpu->ops->free_bulk(cpu, s, nr, objs);
}

/* ---- kmalloc: size classes on top of the caches ---- */

static inline void *kmalloc_node(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	return cpu->ops->kmalloc(cpu, size_bytes, gfp, node);
}

static inline void *kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp)
{
	return cpu->ops->kmalloc(cpu, size_bytes, gfp, NUMA_NO_NODE);
}

static inline void *kzalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp)
{
	return cpu->ops->kmalloc(cpu, size_bytes, gfp | __GFP_ZERO, NUMA_NO_NODE);
}

/* An array; NULL when nr * size_bytes overflows. */
static inline void *kmalloc_array(struct nslab_cpu *cpu, size_t nr, size_t size_bytes, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size_bytes, &bytes))
		return NULL;
	return kmalloc(cpu, bytes, gfp);
}

static inline void *kcalloc(struct nslab_cpu *cpu, size_t nr, size_t size_bytes, gfp_t gfp)
{
	return kmalloc_array(cpu, nr, size_bytes, gfp | __GFP_ZERO);
}

static inline void kfree(struct nslab_cpu *cpu, const void *obj)
{
	cpu->ops->kfree(cpu, (void *)(uintptr_t)obj);
}

static inline size_t ksize(struct nslab_cpu *cpu, const void *obj)
{
	return cpu->ops->ksize(cpu, obj);
}

static inline void *krealloc(struct nslab_cpu *cpu, void *obj, size_t size_bytes, gfp_t gfp)
{
	return cpu->ops->krealloc(cpu, obj, size_bytes, gfp);
}

#endif
