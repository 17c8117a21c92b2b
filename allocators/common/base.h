/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base.h: what every backend does with the base structures: fill them, link them, check a spec.
 *
 * The lists of a heap are touched by control calls only, of which the host makes one at a time, so
 * nothing here locks. The flush protocol of allocator.h is here as three words that a control call
 * and an owner say: request, is it done, and am I behind.
 */
#ifndef NSLAB_COMMON_BASE_H
#define NSLAB_COMMON_BASE_H

#include "core/list.h"

#include <errno.h>
#include <numaslab/allocator.h>
#include <stdio.h>

/* The host fills heap->ops after open(). */
static inline void nslab_heap_init(struct nslab_heap *heap, const struct nslab_env *env)
{
	heap->env = env;
	heap->nr_cpus = 0;
	nslab_list_init(&heap->cpus);
	nslab_list_init(&heap->caches);
	atomic_init(&heap->flush_epoch, 0);
}

static inline void nslab_cpu_init(struct nslab_cpu *cpu, struct nslab_heap *heap, int id, int node)
{
	cpu->ops = heap->ops;
	cpu->heap = heap;
	cpu->id = id;
	cpu->node = node;
	cpu->page_state = NULL;
	cpu->rcu_pending = NULL;
	atomic_init(&cpu->flushed_epoch, atomic_load(&heap->flush_epoch));
	nslab_list_add_tail(&cpu->link, &heap->cpus);
	__atomic_fetch_add(&heap->nr_cpus, 1, __ATOMIC_RELAXED); /* others may read it */
}

static inline void nslab_cpu_exit(struct nslab_cpu *cpu)
{
	nslab_list_del(&cpu->link);
	__atomic_fetch_sub(&cpu->heap->nr_cpus, 1, __ATOMIC_RELAXED);
}

/* 0, -EINVAL for a value that no cache can have, -E2BIG for an object above the largest slab. */
static inline int nslab_spec_check(const struct nslab_cache_spec *spec)
{
	const size_t largest = NSLAB_PAGE_SIZE << NSLAB_MAX_ORDER;

	if (!spec->name || spec->object_size == 0 || (spec->align & (spec->align - 1)) != 0)
		return -EINVAL;
	if (spec->align > NSLAB_PAGE_SIZE || spec->order < NSLAB_AUTO)
		return -EINVAL;
	if (spec->order > NSLAB_MAX_ORDER)
		return -EINVAL;
	if (spec->object_size > largest)
		return -E2BIG;
	if (spec->order >= 0 && spec->object_size > NSLAB_PAGE_SIZE << spec->order)
		return -E2BIG;
	return 0;
}

/*
 * Alignment of a cache: what was asked for, at least 8; under SLAB_HWCACHE_ALIGN a cache line, or
 * the part of one that still holds the object (Linux calculate_alignment()).
 */
static inline unsigned nslab_spec_align(const struct nslab_cache_spec *spec)
{
	size_t align = spec->align < 8 ? 8 : spec->align;
	size_t line = NSLAB_CACHE_LINE;

	if (spec->flags & SLAB_HWCACHE_ALIGN) {
		while (spec->object_size <= line / 2)
			line /= 2;
		align = align < line ? line : align;
	}
	return (unsigned)align;
}

/* Checks the spec, fills name, object_size, size, align, flags and ctor, and links the cache. */
static inline int nslab_cache_init(struct kmem_cache *s, struct nslab_heap *heap,
				   const struct nslab_cache_spec *spec)
{
	int rc = nslab_spec_check(spec);

	if (rc)
		return rc;
	s->heap = heap;
	snprintf(s->name, sizeof(s->name), "%s", spec->name);
	s->object_size = (unsigned)spec->object_size;
	s->align = nslab_spec_align(spec);
	s->size = (s->object_size + s->align - 1) & ~(s->align - 1);
	s->flags = spec->flags;
	s->ctor = spec->ctor;
	nslab_list_add_tail(&s->link, &heap->caches);
	return 0;
}

static inline void nslab_cache_exit(struct kmem_cache *s)
{
	nslab_list_del(&s->link);
}

/* Asks every CPU handle to give back what it holds; returns the epoch to wait for. */
static inline unsigned nslab_flush_request(struct nslab_heap *heap)
{
	return atomic_fetch_add_explicit(&heap->flush_epoch, 1, memory_order_acq_rel) + 1;
}

/* True when every handle has served the request. */
static inline bool nslab_flush_is_done(const struct nslab_heap *heap, unsigned epoch)
{
	nslab_list_for_each (pos, &heap->cpus) {
		struct nslab_cpu *cpu = nslab_list_entry(pos, struct nslab_cpu, link);
		/* pairs with the release in nslab_flush_serve */
		unsigned seen = atomic_load_explicit(&cpu->flushed_epoch, memory_order_acquire);

		if ((int)(seen - epoch) < 0)
			return false;
	}
	return true;
}

/* The owner: is there a request not served yet? The epoch to serve goes to *epoch. */
static inline bool nslab_flush_is_due(const struct nslab_cpu *cpu, unsigned *epoch)
{
	*epoch = atomic_load_explicit(&cpu->heap->flush_epoch, memory_order_acquire);
	return atomic_load_explicit(&cpu->flushed_epoch, memory_order_relaxed) != *epoch;
}

/* The owner, after everything was given back. */
static inline void nslab_flush_serve(struct nslab_cpu *cpu, unsigned epoch)
{
	atomic_store_explicit(&cpu->flushed_epoch, epoch, memory_order_release);
}

/* size_roundup of an allocator that promises no more than was asked for. */
static inline size_t nslab_size_as_asked(const struct nslab_heap *heap, size_t size_bytes)
{
	(void)heap;
	return size_bytes;
}

#endif
