/* SPDX-License-Identifier: MIT */
/*
 * object.h: how a workload's loop reaches an allocator, compiled once for each entry point.
 *
 * `entry` is a compile-time constant in every loop (workload.h), so each call below is the one call
 * that its entry stands for and nothing else. Nothing but these calls touches the allocator, every
 * object gets one 8-byte store, and the address passes through an empty asm, so that the compiler
 * can neither drop a pair of malloc and free nor know what came back.
 */
#ifndef NUMASLAB_OBJECT_H
#define NUMASLAB_OBJECT_H

#include <numaslab/workload.h>
#include <stdlib.h>

/*
 * One type of object that a workload allocates. Made by nslab_object_init() in setup, on every
 * entry; `s` is NULL except for NSLAB_ENTRY_CACHE.
 */
struct nslab_object_type {
	size_t size_bytes;
	struct kmem_cache *s;
	void *scratch; /* NSLAB_ENTRY_NONE hands this out */
};

/* `flags` SLAB_* and `align` are those of the cache; the other entries have no use for them. */
static inline int nslab_object_create(struct nslab_run *run, const char *name, size_t size_bytes,
				      size_t align, unsigned flags, struct nslab_object_type *type)
{
	struct nslab_cache_spec spec = run->cache_defaults;

	type->size_bytes = size_bytes;
	type->s = NULL;
	type->scratch = calloc(1, size_bytes < 8 ? 8 : size_bytes);
	if (!type->scratch)
		return -ENOMEM;
	if (run->entry != NSLAB_ENTRY_CACHE)
		return 0;
	spec.name = name;
	spec.object_size = size_bytes;
	spec.align = align;
	spec.flags = flags;
	return run->heap->ops->cache_create(run->heap, &spec, &type->s);
}

static inline int nslab_object_init(struct nslab_run *run, const char *name, size_t size_bytes,
				    struct nslab_object_type *type)
{
	return nslab_object_create(run, name, size_bytes, 0, 0, type);
}

/* The cache itself is destroyed by the runner, which knows when every handle has quiesced. */
static inline void nslab_object_exit(struct nslab_object_type *type)
{
	free(type->scratch);
	type->scratch = NULL;
}

/*
 * Allocates one object and stores 8 bytes in it; NULL when memory is out. gfp and node (or
 * NUMA_NO_NODE) reach the allocator through the table; malloc knows neither.
 */
static inline __attribute__((always_inline)) void *
nslab_object_alloc_node(struct nslab_cpu *cpu, const struct nslab_object_type *type, gfp_t gfp,
			int node, const enum nslab_entry entry)
{
	void *obj;

	switch (entry) {
	case NSLAB_ENTRY_CACHE:
		obj = kmem_cache_alloc_node(cpu, type->s, gfp, node);
		break;
	case NSLAB_ENTRY_KMALLOC:
		obj = kmalloc_node(cpu, type->size_bytes, gfp, node);
		break;
	case NSLAB_ENTRY_MALLOC:
		obj = malloc(type->size_bytes);
		break;
	default:
		obj = type->scratch;
		break;
	}
	__asm__ volatile("" : "+r"(obj) : : "memory");
	if (__builtin_expect(obj != NULL, 1))
		*(volatile uint64_t *)obj = (uint64_t)(uintptr_t)obj;
	return obj;
}

static inline __attribute__((always_inline)) void *
nslab_object_alloc(struct nslab_cpu *cpu, const struct nslab_object_type *type,
		   const enum nslab_entry entry)
{
	return nslab_object_alloc_node(cpu, type, GFP_KERNEL, NUMA_NO_NODE, entry);
}

static inline __attribute__((always_inline)) void
nslab_object_free(struct nslab_cpu *cpu, const struct nslab_object_type *type, void *obj,
		  const enum nslab_entry entry)
{
	__asm__ volatile("" : "+r"(obj) : : "memory");
	switch (entry) {
	case NSLAB_ENTRY_CACHE:
		kmem_cache_free(cpu, type->s, obj);
		break;
	case NSLAB_ENTRY_KMALLOC:
		kfree(cpu, obj);
		break;
	case NSLAB_ENTRY_MALLOC:
		free(obj);
		break;
	default:
		break;
	}
}

/*
 * nr objects in one call of a cache, else one after the other; each gets its 8-byte store. Returns
 * nr, or 0 with nothing allocated.
 */
static inline __attribute__((always_inline)) size_t
nslab_object_alloc_bulk(struct nslab_cpu *cpu, const struct nslab_object_type *type, size_t nr,
			void **objs, const enum nslab_entry entry)
{
	size_t done = 0;

	if (entry == NSLAB_ENTRY_CACHE) {
		if (!kmem_cache_alloc_bulk(cpu, type->s, GFP_KERNEL, nr, objs))
			return 0;
		for (; done < nr; done++)
			*(volatile uint64_t *)objs[done] = (uint64_t)(uintptr_t)objs[done];
		return nr;
	}
	for (; done < nr; done++) {
		objs[done] = nslab_object_alloc(cpu, type, entry);
		if (__builtin_expect(!objs[done], 0))
			break;
	}
	if (__builtin_expect(done == nr, 1))
		return nr;
	while (done)
		nslab_object_free(cpu, type, objs[--done], entry);
	return 0;
}

static inline __attribute__((always_inline)) void
nslab_object_free_bulk(struct nslab_cpu *cpu, const struct nslab_object_type *type, size_t nr,
		       void **objs, const enum nslab_entry entry)
{
	if (entry == NSLAB_ENTRY_CACHE) {
		kmem_cache_free_bulk(cpu, type->s, nr, objs);
		return;
	}
	for (size_t i = 0; i < nr; i++)
		nslab_object_free(cpu, type, objs[i], entry);
}

#endif
