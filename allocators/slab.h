/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slab.h: the structures of the SLAB model, for slab.c (the paths) and slab_control.c (creation,
 * shrinking, statistics, validation). slab.c tells the design.
 */
#ifndef NSLAB_SLAB_MODEL_H
#define NSLAB_SLAB_MODEL_H

#include "allocators/common/base.h"
#include "allocators/common/slab_order.h"
#include "core/lock.h"

#include <string.h>

#define SLAB_LIKELY(x)	 __builtin_expect(!!(x), 1)
#define SLAB_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define SLAB_MAX_CACHES 1024

/* Beside the words of the kernel: what the derivation of the fast-path counts needs. */
enum slab_count {
	SLAB_FAST_ALLOCS = NSLAB_NR_STATS, /* of arrays that are gone */
	SLAB_FAST_FREES,
	SLAB_NR_COUNTS
};

struct slab_params {
	int64_t order;
	int64_t limit, batchcount, shared;
	int64_t slab_max_order;
	int64_t reap_ops;
	bool noaliencache;
};

struct slab_heap {
	struct nslab_heap base;
	struct slab_params params;
	uint64_t used_numbers[SLAB_MAX_CACHES / 64];
	unsigned nr_cpus_of_node[NSLAB_MAX_NODES]; /* also read by other threads */
};

/* What one CPU holds of one cache: array_cache. Touched by the owner of the handle only. */
struct slab_array {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) volatile uint32_t is_busy; /* the local lock */
	uint32_t avail;
	uint32_t limit, batchcount;
	uint64_t nr_pops;     /* objects that the fast path took */
	uint64_t unused_pops; /* nr_pops at the last reap: when equal, not touched since */
	int64_t nr_moved;     /* objects that slow paths put in, less those that they took out */
	uint64_t seen_ops;    /* of this array, in the CPU's count already */
	struct slab_cache *s;
	uint64_t count[SLAB_NR_COUNTS];
	void *entry[]; /* oldest first */
};

struct slab_cpu {
	struct nslab_cpu base;
	uintptr_t arena_base;
	struct nslab_page *pages;
	struct kmem_cache *const *kmalloc;
	uint64_t nr_ops;    /* since the last reap, as far as slow paths have seen */
	unsigned nr_arrays; /* above the highest number in use */
	int reap_node;
	unsigned depth;				   /* slow paths that it is in */
	int16_t by_distance[NSLAB_MAX_NODES];	   /* every node, nearest first */
	struct slab_array *array[SLAB_MAX_CACHES]; /* never NULL: slab_no_array until needed */
};

/* Objects of a node that its CPUs share; under the node's list_lock. */
struct slab_shared {
	uint32_t avail; /* also read without the lock */
	uint32_t limit;
	bool is_touched;
	void *entry[];
};

/* Objects of one other node that were freed on this one. */
struct slab_alien {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) struct nslab_lock lock;
	uint32_t avail; /* also read without the lock */
	uint32_t limit;
	void *entry[NSLAB_SLAB_ALIEN_LIMIT];
};

struct slab_node {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) struct nslab_lock list_lock;
	uint64_t nr_lock;      /* acquisitions of it */
	uint64_t free_objects; /* in slabs; changed under list_lock, also read without */
	struct nslab_list partial, full, free;
	uint64_t nr_slabs, nr_partial, nr_free; /* slabs */
	bool is_free_touched;			/* an empty slab was looked for since the reap */
	unsigned colour_next;
	unsigned nr_reaps; /* of this node's CPUs */
	int id;
	struct slab_shared *shared; /* or NULL */
	struct slab_alien *alien;   /* one for each node, or NULL */
};

struct slab_cache {
	struct kmem_cache base;
	unsigned number;     /* of its array in every handle */
	unsigned reciprocal; /* 2^32 / size, rounded up */
	unsigned limit, batchcount, shared;
	struct nslab_slab_shape shape;
	unsigned colours, colour_bytes;
	struct slab_cache *index_cache; /* of off-slab indexes, or NULL */
	atomic_bool is_destroying;
	unsigned destroy_epoch;
	uint64_t count[SLAB_NR_COUNTS]; /* without an array, and of arrays that are gone */
	struct slab_node *node[];
};

extern struct slab_array slab_no_array; /* empty, and busy for ever, so never written */

/* ---- small things ---- */

static inline struct slab_heap *slab_heap_of(struct nslab_heap *heap)
{
	return nslab_container_of(heap, struct slab_heap, base);
}

static inline struct slab_cpu *slab_cpu_of(struct nslab_cpu *cpu)
{
	return nslab_container_of(cpu, struct slab_cpu, base);
}

static inline struct slab_cache *slab_cache_of(struct kmem_cache *s)
{
	return nslab_container_of(s, struct slab_cache, base);
}

/* A word with one writer at a time that others read. */
static inline uint64_t slab_load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void slab_add(uint64_t *word, uint64_t n)
{
	__atomic_store_n(word, *word + n, __ATOMIC_RELAXED);
}

static inline uint32_t slab_avail(const uint32_t *avail)
{
	return __atomic_load_n(avail, __ATOMIC_RELAXED);
}

static inline void slab_set_avail(uint32_t *avail, uint32_t n)
{
	__atomic_store_n(avail, n, __ATOMIC_RELAXED);
}

/* ac NULL: a control call, or a CPU that got no memory for its array. */
static inline void slab_count_many(struct slab_cache *s, struct slab_array *ac, int what,
				   uint64_t n)
{
	if (ac)
		slab_add(&ac->count[what], n);
	else
		__atomic_fetch_add(&s->count[what], n, __ATOMIC_RELAXED);
}

static inline void slab_count(struct slab_cache *s, struct slab_array *ac, int what)
{
	slab_count_many(s, ac, what, 1);
}

static inline void slab_lock(struct slab_node *n)
{
	nslab_lock_acquire(&n->list_lock);
	slab_add(&n->nr_lock, 1);
}

static inline void slab_unlock(struct slab_node *n)
{
	nslab_lock_release(&n->list_lock);
}

/* Objects that the fast path put into an array: what is in it, and what went out otherwise. */
static inline uint64_t slab_fast_frees(const struct slab_array *ac)
{
	return ac->avail + ac->nr_pops - (uint64_t)ac->nr_moved;
}

/* The index array of a slab, and the objects in use (its `active`). Under list_lock. */
static inline unsigned slab_index_at(const struct slab_cache *s, const struct nslab_page *page,
				     uint64_t at)
{
	const void *index = (const void *)page->freelist;

	return s->shape.index_bytes == 1 ? ((const uint8_t *)index)[at]
					 : ((const uint16_t *)index)[at];
}

static inline void slab_set_index(const struct slab_cache *s, const struct nslab_page *page,
				  uint64_t at, unsigned nr)
{
	void *index = (void *)page->freelist;

	if (s->shape.index_bytes == 1)
		((uint8_t *)index)[at] = (uint8_t)nr;
	else
		((uint16_t *)index)[at] = (uint16_t)nr;
}

static inline void *slab_object(const struct slab_cache *s, const struct nslab_page *page,
				unsigned nr)
{
	return (void *)((uintptr_t)page->priv[0] + (uintptr_t)nr * s->base.size);
}

static inline unsigned slab_number_of(const struct slab_cache *s, const struct nslab_page *page,
				      const void *obj)
{
	return (unsigned)(((uintptr_t)obj - page->priv[0]) * s->reciprocal >> 32);
}

/* ---- between the two files ---- */

extern const struct nslab_param slab_param_rows[];

int slab_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap);
void slab_close(struct nslab_heap *heap);
int slab_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu);
void slab_cpu_offline(struct nslab_cpu *cpu);
int slab_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
		      struct kmem_cache **s);
int slab_cache_destroy(struct kmem_cache *s);
size_t slab_cache_shrink(struct kmem_cache *s);
int slab_cache_validate(struct kmem_cache *s);
void slab_cache_stats(struct kmem_cache *s, struct nslab_cache_stats *stats);
bool slab_cache_glance(struct kmem_cache *s, struct nslab_cache_stats *stats);

/* In slab.c. */
void *slab_alloc(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node);
void slab_free(struct nslab_cpu *base, struct kmem_cache *ks, void *obj);
/* Gives back all that a CPU holds; arrays of caches that are being destroyed end. */
void slab_flush_cpu(struct slab_cpu *cpu);
void slab_drop_array(struct slab_cpu *cpu, struct slab_array *ac);
/* In slab_node.c. Objects kept for other nodes go home; shared ones to their slabs, empty slabs
 * away. */
void slab_drain_aliens(struct slab_cache *s, struct slab_node *n);
void slab_drain_node(struct slab_cache *s, struct slab_node *n);

#endif
