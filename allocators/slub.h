/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slub.h: the structures of the SLUB models, for slub.c (cpu slabs), sheaves.c (Linux 7.0, which
 * has none), slub_slab.c (slabs and node lists, the same in both), sheaves_cpu.c (per-CPU sheaves),
 * slub_debug.c (checked objects), slub_merge.c (aliases) and slub_create.c, slub_control.c
 * (creation, shrinking, statistics, validation). slub.c tells the design.
 */
#ifndef NSLAB_SLUB_H
#define NSLAB_SLUB_H

#include "allocators/common/base.h"
#include "allocators/common/object_layout.h"
#include "allocators/common/order.h"
#include "allocators/sheaves.h"
#include "core/cas.h"
#include "core/lock.h"
#include "core/rng.h"

#include <string.h>

#define SLUB_LIKELY(x)	 __builtin_expect(!!(x), 1)
#define SLUB_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The counter word of a page. */
#define SLUB_INUSE_MASK	   UINT64_C(0xffff)
#define SLUB_OBJECTS_SHIFT 16
#define SLUB_OBJECTS_MASK  UINT64_C(0x7fff)
#define SLUB_FROZEN	   (UINT64_C(1) << 31)

#define SLUB_TID_STEP	  ((uint64_t)NSLAB_MAX_CPUS) /* low bits of tid are the CPU's number */
#define SLUB_CHUNK_SLOTS  16
#define SLUB_MAX_SHEAVES  10 /* of a barn, full and empty */
#define SLUB_CHUNKS	  64
#define SLUB_DEFRAG_RANGE 1024 /* of the draw that the defrag ratio is held against */
#define SLUB_LOOKAHEAD	  3    /* objects of other slabs that a bulk free looks past */
#define SLUB_MAX_CACHES	  (SLUB_CHUNKS * SLUB_CHUNK_SLOTS)
#define SLUB_DEBUG_FLAGS  (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

/* Beside the 26 words: what the derivation of the fast-path counts needs. */
enum slub_count {
	SLUB_FREED_SLOW = NSLAB_NR_STATS, /* objects, where FREE_SLOWPATH counts calls */
	SLUB_ALLOC_FAILED,
	SLUB_SHEAF_OUT, /* objects that left in prefilled sheaves, */
	SLUB_SHEAF_IN,	/* and that came back in them */
	SLUB_NR_COUNTS
};

/* Index of the choice `generation`; the last is the plug-in `sheaves`. */
enum slub_generation {
	SLUB_6_1,
	SLUB_6_12,
	SLUB_6_18,
	SLUB_7_0
};

/* Of both plug-ins; each has rows for what it knows. */
struct slub_params {
	int64_t order, min_partial, cpu_partial;
	int64_t slab_min_order, slab_max_order, slab_min_objects;
	int64_t remote_node_defrag_ratio;
	int64_t generation, sheaf_capacity;
	int64_t max_full, max_empty; /* sheaves in a barn */
	bool remote_bypass, refill_when_nonblocking, remote_trylock;
	bool merge, hardened, random;
	char slab_debug[NSLAB_TEXT_MAX];
};

struct slub_heap {
	struct nslab_heap base;
	struct slub_params params;
	struct nslab_list roots; /* of struct slub_cache that have slabs, oldest first */
	struct nslab_allocator_ops debug_ops;	   /* of CPU handles, with slab_debug */
	uint64_t used_slots[SLUB_MAX_CACHES / 64]; /* cache numbers in use */
};

/* What one CPU has of one cache. The first two words are replaced together. */
struct slub_cpu_slab {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) uint64_t freelist;
	uint64_t tid;
	struct nslab_page *page;
	struct nslab_page *partial; /* chain by priv[0]; priv[1] of each is the length from it on */
	struct sheaves_cpu sheaves;
	uint64_t count[SLUB_NR_COUNTS];
};

struct slub_chunk {
	struct slub_cpu_slab slot[SLUB_CHUNK_SLOTS];
};

struct slub_cpu {
	struct nslab_cpu base;
	uintptr_t arena_base; /* of the arena, kept near for slub_page_of() */
	struct nslab_page *pages;
	struct slub_chunk *chunk[SLUB_CHUNKS]; /* never NULL: slub_no_chunk until needed */
	uint64_t rng;
	bool is_flushing;
	struct nslab_list rcu_sheaves;	      /* full, waiting for the end of the grace period */
	int16_t by_distance[NSLAB_MAX_NODES]; /* every node, nearest first */
};

struct slub_node {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) struct nslab_lock list_lock;
	uint64_t nr_lock;    /* acquisitions of it */
	uint64_t nr_partial; /* changed under list_lock, also read without */
	struct nslab_list partial;
	struct nslab_list full;			 /* of debug caches only */
	uint64_t nr_slabs, nr_objects, nr_pages; /* of this node's slabs, wherever they are */
	struct sheaves_barn barn;
};

struct slub_cache {
	struct kmem_cache base;
	unsigned chunk, slot_offset; /* where its slot is in every handle */
	unsigned offset;	     /* of the free pointer in an object */
	bool is_hardened;	     /* the free pointer is not stored as it is */
	/*
	 * The slot with the cpu slab: the same, but for a cache with sheaves in front of cpu
	 * slabs, or a hardened one: their first slot never has a cpu slab. So the fast paths of
	 * other caches need not ask.
	 */
	unsigned inner_chunk, inner_offset;
	unsigned generation; /* enum slub_generation */
	struct sheaves_rules sheaves;
	uint64_t secret;      /* of a hardened cache */
	uint16_t *sequence;   /* of the objects in a new slab, or NULL: by address */
	unsigned debug_flags; /* SLUB_DEBUG_FLAGS of it; 0: it has cpu slabs or sheaves */
	struct nslab_object_layout layout;
	unsigned min_order;
	unsigned min_partial;
	unsigned cpu_partial_slabs;
	unsigned defrag_ratio; /* 0..1000 */
	/* Up to here an alias is a copy of its root. */
	struct slub_cache *root; /* itself, unless it is an alias: see slub_merge.c */
	struct nslab_list root_link, aliases;
	unsigned nr_users;    /* creations that are not destroyed yet */
	bool is_unlisted;     /* its own creator destroyed it, aliases remain */
	uint64_t debug_calls; /* by which records of objects are dated */
	bool is_destroying;
	unsigned destroy_epoch;
	uint64_t count[SLUB_NR_COUNTS]; /* of control calls and of CPUs that went offline */
	uint64_t retired_ops;		/* fast-path operations of the latter */
	uint64_t retired_sheaf_ops;
	struct slub_node *node[];
};

extern struct slub_chunk slub_no_chunk; /* all empty, never written */

/* ---- small things ---- */

static inline struct slub_cpu *slub_cpu_of(struct nslab_cpu *cpu)
{
	return nslab_container_of(cpu, struct slub_cpu, base);
}

static inline struct slub_cache *slub_cache_of(struct kmem_cache *s)
{
	return nslab_container_of(s, struct slub_cache, base);
}

/* The slot of a cache; not to be written unless the page in it is not NULL. */
static inline struct slub_cpu_slab *slub_slot(const struct slub_cpu *cpu,
					      const struct slub_cache *s)
{
	return (struct slub_cpu_slab *)((char *)cpu->chunk[s->chunk] + s->slot_offset);
}

static inline struct slub_cpu_slab *slub_inner_slot(const struct slub_cpu *cpu,
						    const struct slub_cache *s)
{
	return (struct slub_cpu_slab *)((char *)cpu->chunk[s->inner_chunk] + s->inner_offset);
}

/* Are slabs on a CPU's partial list frozen? Later kernels only take them off their node's list. */
static inline bool slub_is_freezing(const struct slub_cache *s)
{
	return s->generation == SLUB_6_1;
}

/* nslab_page_of() without its way through heap and environment. */
static inline struct nslab_page *slub_page_of(const struct slub_cpu *cpu, const void *obj)
{
	struct nslab_page *frame =
		cpu->pages + (((uintptr_t)obj - cpu->arena_base) >> NSLAB_PAGE_SHIFT);

	return frame - frame->head;
}

/* The word with the free pointer, as it is stored. */
static inline uint64_t *slub_free_word(const struct slub_cache *s, uint64_t object)
{
	return (uint64_t *)(uintptr_t)(object + s->offset);
}

/* Hardened caches: between a pointer and what is stored of it, both ways. */
static inline uint64_t slub_disguise(const struct slub_cache *s, uint64_t object, uint64_t word)
{
	return word ^ s->secret ^ __builtin_bswap64(object + s->offset);
}

static inline uint64_t slub_next_free(const struct slub_cache *s, uint64_t object)
{
	uint64_t word = *slub_free_word(s, object);

	return SLUB_UNLIKELY(s->is_hardened) ? slub_disguise(s, object, word) : word;
}

static inline void slub_set_next_free(const struct slub_cache *s, uint64_t object, uint64_t next)
{
	*slub_free_word(s, object) =
		SLUB_UNLIKELY(s->is_hardened) ? slub_disguise(s, object, next) : next;
}

static inline uint64_t slub_inuse(uint64_t counters)
{
	return counters & SLUB_INUSE_MASK;
}

static inline uint64_t slub_objects(uint64_t counters)
{
	return counters >> SLUB_OBJECTS_SHIFT & SLUB_OBJECTS_MASK;
}

static inline uint64_t slub_load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* A word with one writer at a time that others read. */
static inline void slub_add(uint64_t *word, uint64_t n)
{
	__atomic_store_n(word, *word + n, __ATOMIC_RELAXED);
}

/* slot NULL: a control call, or a CPU that got no memory for its slot. */
static inline void slub_count_many(struct slub_cache *s, struct slub_cpu_slab *slot, int what,
				   uint64_t n)
{
	if (slot)
		slub_add(&slot->count[what], n);
	else
		__atomic_fetch_add(&s->root->count[what], n, __ATOMIC_RELAXED);
}

static inline void slub_count(struct slub_cache *s, struct slub_cpu_slab *slot, int what)
{
	slub_count_many(s, slot, what, 1);
}

#endif
