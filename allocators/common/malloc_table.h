/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * malloc_table.h: the table of a backend that is a malloc library.
 *
 * Objects come from malloc, or aligned_alloc when the cache asks for more than malloc gives, of
 * whatever library the process runs with; node arguments and the arena are not used. Each handle
 * counts allocations minus frees of each cache in a word of its own; cache_destroy adds them up
 * after every handle has quiesced. Include once and end with NSLAB_MALLOC_TABLE().
 */
#ifndef NSLAB_COMMON_MALLOC_TABLE_H
#define NSLAB_COMMON_MALLOC_TABLE_H

#include "allocators/common/base.h"
#include "allocators/common/kmalloc.h"

#include <malloc.h>
#include <numaslab/plugin.h>
#include <string.h>

#define MALLOC_TABLE_NR_CACHES 512
#define MALLOC_TABLE_ALIGN     16 /* bytes that malloc gives anyway */

struct malloc_table_cache {
	struct kmem_cache base;
	unsigned index, destroy_epoch;
	bool is_dying;
	int64_t nr_live; /* of handles that went offline; one handle alone may be negative */
};

struct malloc_table_cpu {
	struct nslab_cpu base;
	int64_t nr_live[MALLOC_TABLE_NR_CACHES];
};

struct malloc_table_heap {
	struct nslab_heap base;
	struct malloc_table_cache *caches[MALLOC_TABLE_NR_CACHES];
};

static struct malloc_table_cpu *malloc_table_cpu_of(struct nslab_cpu *base)
{
	return nslab_container_of(base, struct malloc_table_cpu, base);
}

static struct malloc_table_cache *malloc_table_cache_of(struct kmem_cache *s)
{
	return nslab_container_of(s, struct malloc_table_cache, base);
}

static struct malloc_table_heap *malloc_table_heap_of(struct nslab_heap *heap)
{
	return nslab_container_of(heap, struct malloc_table_heap, base);
}

static int malloc_table_open(const struct nslab_env *env, const void *params,
			     struct nslab_heap **heap)
{
	struct malloc_table_heap *new = env->alloc_meta(env, sizeof(*new), NUMA_NO_NODE);

	(void)params;
	if (!new)
		return -ENOMEM;
	nslab_heap_init(&new->base, env);
	*heap = &new->base;
	return 0;
}

static void malloc_table_close(struct nslab_heap *heap)
{
	heap->env->free_meta(heap->env, heap, sizeof(struct malloc_table_heap));
}

static int malloc_table_cpu_online(struct nslab_heap *heap, int id, int node,
				   struct nslab_cpu **cpu)
{
	struct malloc_table_cpu *new = heap->env->alloc_meta(heap->env, sizeof(*new), node);

	if (!new)
		return -ENOMEM;
	nslab_cpu_init(&new->base, heap, id, node);
	*cpu = &new->base;
	return 0;
}

static void malloc_table_cpu_offline(struct nslab_cpu *base)
{
	struct malloc_table_heap *heap = malloc_table_heap_of(base->heap);

	for (unsigned i = 0; i < MALLOC_TABLE_NR_CACHES; i++) {
		if (heap->caches[i])
			heap->caches[i]->nr_live += malloc_table_cpu_of(base)->nr_live[i];
	}
	nslab_cpu_exit(base);
	heap->base.env->free_meta(heap->base.env, base, sizeof(struct malloc_table_cpu));
}

static int malloc_table_cache_create(struct nslab_heap *base, const struct nslab_cache_spec *spec,
				     struct kmem_cache **s)
{
	struct malloc_table_heap *heap = malloc_table_heap_of(base);
	struct malloc_table_cache *new =
		base->env->alloc_meta(base->env, sizeof(*new), NUMA_NO_NODE);
	unsigned index = 0;
	int rc;

	if (!new)
		return -ENOMEM;
	while (index < MALLOC_TABLE_NR_CACHES && heap->caches[index])
		index++;
	rc = index < MALLOC_TABLE_NR_CACHES ? nslab_cache_init(&new->base, base, spec) : -ENOSPC;
	if (rc) {
		base->env->free_meta(base->env, new, sizeof(*new));
		return rc;
	}
	new->index = index;
	heap->caches[index] = new;
	*s = &new->base;
	return 0;
}

static int malloc_table_cache_destroy(struct kmem_cache *base)
{
	struct malloc_table_cache *s = malloc_table_cache_of(base);
	int64_t nr_live = s->nr_live;

	if (!s->is_dying) {
		s->destroy_epoch = nslab_flush_request(base->heap);
		s->is_dying = true;
	}
	if (!nslab_flush_is_done(base->heap, s->destroy_epoch))
		return -EAGAIN;
	s->is_dying = false;
	nslab_list_for_each (pos, &base->heap->cpus) {
		struct nslab_cpu *cpu = nslab_list_entry(pos, struct nslab_cpu, link);

		nr_live += malloc_table_cpu_of(cpu)->nr_live[s->index];
	}
	if (nr_live)
		return -EBUSY;
	nslab_list_for_each (pos, &base->heap->cpus) {
		struct nslab_cpu *cpu = nslab_list_entry(pos, struct nslab_cpu, link);

		malloc_table_cpu_of(cpu)->nr_live[s->index] = 0;
	}
	malloc_table_heap_of(base->heap)->caches[s->index] = NULL;
	nslab_cache_exit(base);
	base->heap->env->free_meta(base->heap->env, s, sizeof(*s));
	return 0;
}

static void malloc_table_quiesce(struct nslab_cpu *cpu)
{
	unsigned epoch;

	if (nslab_flush_is_due(cpu, &epoch))
		nslab_flush_serve(cpu, epoch);
}

/* gcc would turn malloc and a clearing that may follow into calloc, which skips glibc's tcache. */
static inline void *malloc_table_get(size_t bytes)
{
	void *obj = malloc(bytes);
	__asm__ volatile("" : "+r"(obj));
	return obj;
}

static void *malloc_table_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node)
{
	void *obj;

	(void)node;
	if (s->align <= MALLOC_TABLE_ALIGN && !s->ctor)
		obj = malloc_table_get(s->object_size);
	else
		obj = aligned_alloc(s->align, s->size);
	if (!obj)
		return NULL;
	malloc_table_cpu_of(cpu)->nr_live[malloc_table_cache_of(s)->index]++;
	if (s->ctor)
		s->ctor(obj);
	else if (gfp & __GFP_ZERO)
		memset(obj, 0, s->object_size);
	return obj;
}

static void malloc_table_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	malloc_table_cpu_of(cpu)->nr_live[malloc_table_cache_of(s)->index]--;
	free(obj);
}

/* malloc as it is, so that the row shows what the table costs: 16-byte alignment at every size. */
static void *malloc_table_kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	void *obj;

	(void)cpu, (void)node;
	if (size_bytes - 1 >= NSLAB_PAGE_SIZE << NSLAB_MAX_ORDER)
		return size_bytes ? NULL : NSLAB_ZERO_SIZE_PTR;
	obj = malloc_table_get(size_bytes);
	if (obj && (gfp & __GFP_ZERO))
		memset(obj, 0, size_bytes);
	return obj;
}

static void malloc_table_kfree(struct nslab_cpu *cpu, void *obj)
{
	(void)cpu;
	if (!nslab_is_zero_or_null(obj))
		free(obj);
}

static size_t malloc_table_ksize(struct nslab_cpu *cpu, const void *obj)
{
	(void)cpu;
	return nslab_is_zero_or_null(obj) ? 0 : malloc_usable_size((void *)(uintptr_t)obj);
}

#define NSLAB_MALLOC_TABLE(table, name_text, summary_text, models_text, library, more_caps)        \
 static const struct nslab_allocator_ops table = {                                                 \
	 .name = (name_text),                                                                      \
	 .summary = (summary_text),                                                                \
	 .models = (models_text),                                                                  \
	 .preload = (library),                                                                     \
	 .caps = NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_CACHE | (more_caps),                            \
	 .open = malloc_table_open,                                                                \
	 .close = malloc_table_close,                                                              \
	 .cpu_online = malloc_table_cpu_online,                                                    \
	 .cpu_offline = malloc_table_cpu_offline,                                                  \
	 .cache_create = malloc_table_cache_create,                                                \
	 .cache_destroy = malloc_table_cache_destroy,                                              \
	 .alloc = malloc_table_alloc,                                                              \
	 .free = malloc_table_free,                                                                \
	 .quiesce = malloc_table_quiesce,                                                          \
	 .kmalloc = malloc_table_kmalloc,                                                          \
	 .kfree = malloc_table_kfree,                                                              \
	 .ksize = malloc_table_ksize,                                                              \
	 .size_roundup = nslab_size_as_asked,                                                      \
 };                                                                                                \
 NSLAB_ALLOCATOR_PLUGIN(table)

#endif
