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

/*
 * Always inlined, in debug builds too: the address that a backend returns to is then in the
 * function that called one of these, which is what the debug layer names as the allocation site.
 */
#define NSLAB_INLINE static inline __attribute__((always_inline))

/* ---- caches of one object type ---- */

NSLAB_INLINE void *kmem_cache_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp)
{
	return cpu->ops->alloc(cpu, s, gfp, NUMA_NO_NODE);
}

NSLAB_INLINE void *kmem_cache_alloc_node(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
					 int node)
{
	return cpu->ops->alloc(cpu, s, gfp, node);
}

NSLAB_INLINE void *kmem_cache_zalloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp)
{
	return cpu->ops->alloc(cpu, s, gfp | __GFP_ZERO, NUMA_NO_NODE);
}

NSLAB_INLINE void kmem_cache_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	cpu->ops->free(cpu, s, obj);
}

/* All or nothing: returns nr, or 0 with nothing allocated. */
NSLAB_INLINE size_t kmem_cache_alloc_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
					  size_t nr, void **objs)
{
	return cpu->ops->alloc_bulk(cpu, s, gfp, NUMA_NO_NODE, nr, objs);
}

NSLAB_INLINE void kmem_cache_free_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr,
				       void **objs)
{
	cpu->ops->free_bulk(cpu, s, nr, objs);
}

/* ---- kmalloc: size classes on top of the caches ---- */

NSLAB_INLINE void *kmalloc_node(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	return cpu->ops->kmalloc(cpu, size_bytes, gfp, node);
}

NSLAB_INLINE void *kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp)
{
	return cpu->ops->kmalloc(cpu, size_bytes, gfp, NUMA_NO_NODE);
}

NSLAB_INLINE void *kzalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp)
{
	return cpu->ops->kmalloc(cpu, size_bytes, gfp | __GFP_ZERO, NUMA_NO_NODE);
}

NSLAB_INLINE void *kzalloc_node(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	return cpu->ops->kmalloc(cpu, size_bytes, gfp | __GFP_ZERO, node);
}

/* An array; NULL when nr * size_bytes overflows. */
NSLAB_INLINE void *kmalloc_array_node(struct nslab_cpu *cpu, size_t nr, size_t size_bytes,
				      gfp_t gfp, int node)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size_bytes, &bytes))
		return NULL;
	return cpu->ops->kmalloc(cpu, bytes, gfp, node);
}

NSLAB_INLINE void *kmalloc_array(struct nslab_cpu *cpu, size_t nr, size_t size_bytes, gfp_t gfp)
{
	return kmalloc_array_node(cpu, nr, size_bytes, gfp, NUMA_NO_NODE);
}

NSLAB_INLINE void *kcalloc(struct nslab_cpu *cpu, size_t nr, size_t size_bytes, gfp_t gfp)
{
	return kmalloc_array_node(cpu, nr, size_bytes, gfp | __GFP_ZERO, NUMA_NO_NODE);
}

/* Of NULL and of what kmalloc of 0 bytes gave, too. */
NSLAB_INLINE void kfree(struct nslab_cpu *cpu, const void *obj)
{
	cpu->ops->kfree(cpu, (void *)(uintptr_t)obj);
}

NSLAB_INLINE size_t ksize(struct nslab_cpu *cpu, const void *obj)
{
	return cpu->ops->ksize(cpu, obj);
}

/* What ksize of a kmalloc of size_bytes would be, without allocating. */
NSLAB_INLINE size_t kmalloc_size_roundup(struct nslab_cpu *cpu, size_t size_bytes)
{
	return cpu->ops->size_roundup(cpu->heap, size_bytes);
}

/*
 * Keeps the pointer while size_bytes fits in ksize(obj), else allocates, copies and frees. Size 0
 * frees. NULL when memory is out; obj is untouched then.
 */
NSLAB_INLINE void *krealloc(struct nslab_cpu *cpu, void *obj, size_t size_bytes, gfp_t gfp)
{
	return cpu->ops->krealloc(cpu, obj, size_bytes, gfp);
}

NSLAB_INLINE void *krealloc_array(struct nslab_cpu *cpu, void *obj, size_t nr, size_t size_bytes,
				  gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size_bytes, &bytes))
		return NULL;
	return cpu->ops->krealloc(cpu, obj, bytes, gfp);
}

NSLAB_INLINE void *kmemdup(struct nslab_cpu *cpu, const void *from, size_t size_bytes, gfp_t gfp)
{
	void *obj = kmalloc(cpu, size_bytes, gfp);

	return obj && size_bytes ? memcpy(obj, from, size_bytes) : obj;
}

/* Clears all that kmalloc gave before it is freed. */
NSLAB_INLINE void kfree_sensitive(struct nslab_cpu *cpu, void *obj)
{
	size_t bytes = ksize(cpu, obj);

	if (bytes) {
		memset(obj, 0, bytes);
		/* else the compiler sees stores to memory that is about to be freed */
		__asm__ volatile("" : : "r"(obj) : "memory");
	}
	kfree(cpu, obj);
}

/*
 * For sizes whose pages need not be contiguous: up to a page it is kmalloc; above, a first try that
 * neither waits nor complains, and then vmalloc. Where the environment maps no pages behind each
 * other, the second try is one larger block under the caller's own flags. Freed by kvfree.
 */
NSLAB_INLINE void *kvmalloc_node(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	const struct nslab_env *env = cpu->heap->env;
	void *obj;

	if (size_bytes <= NSLAB_PAGE_SIZE)
		return kmalloc_node(cpu, size_bytes, gfp, node);
	obj = kmalloc_node(cpu, size_bytes,
			   (gfp & ~(__GFP_DIRECT_RECLAIM | __GFP_NOFAIL)) | __GFP_NOWARN |
				   __GFP_NORETRY,
			   node);
	if (obj)
		return obj;
	if (env->vmalloc)
		return env->vmalloc(env, cpu, size_bytes, gfp, node);
	return kmalloc_node(cpu, size_bytes, gfp, node);
}

NSLAB_INLINE void *kvmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp)
{
	return kvmalloc_node(cpu, size_bytes, gfp, NUMA_NO_NODE);
}

NSLAB_INLINE void *kvzalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp)
{
	return kvmalloc_node(cpu, size_bytes, gfp | __GFP_ZERO, NUMA_NO_NODE);
}

NSLAB_INLINE void *kvcalloc(struct nslab_cpu *cpu, size_t nr, size_t size_bytes, gfp_t gfp)
{
	size_t bytes;

	if (__builtin_mul_overflow(nr, size_bytes, &bytes))
		return NULL;
	return kvzalloc(cpu, bytes, gfp);
}

NSLAB_INLINE void kvfree(struct nslab_cpu *cpu, const void *obj)
{
	const struct nslab_env *env = cpu->heap->env;

	if (!env->vfree || !env->vfree(env, cpu, obj))
		kfree(cpu, obj);
}

#endif
