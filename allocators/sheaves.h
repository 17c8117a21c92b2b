/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sheaves.h: per-CPU sheaves and the barn of a node, as sheaves.c (every cache) and slub.c (caches
 * that ask for them, generation 6.18) have them. sheaves_cpu.c tells the design.
 */
#ifndef NSLAB_SHEAVES_H
#define NSLAB_SHEAVES_H

#include "core/list.h"
#include "core/lock.h"

#include <numaslab/allocator.h>

#define SHEAVES_FLUSH_BATCH  32	       /* objects that go to slabs at once */
#define SHEAVES_MAX_CAPACITY (1 << 16) /* objects */

struct slub_cpu;
struct slub_cache;
struct slub_cpu_slab;
struct slub_node;

/* A stack of objects; 32 bytes and the pointers, so that 28 or 60 fill a kmalloc class. */
struct nslab_sheaf {
	struct nslab_list link; /* of a barn, or of the handle while it waits for a grace period */
	struct slub_cache *s;
	uint32_t size, capacity;
	void *objects[];
};

/*
 * What a CPU has. `lock` is the local trylock: odd while it is held, or while there is no main
 * sheaf. Twice the number of fast-path operations is in its other bits.
 */
struct sheaves_cpu {
	uint64_t lock;
	struct nslab_sheaf *main, *spare, *rcu_free;
};

struct sheaves_barn {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) struct nslab_lock lock;
	unsigned nr_full, nr_empty; /* changed under the lock, also read without */
	struct nslab_list full, empty;
};

/* Where objects come from and go to. */
struct sheaves_source {
	/* up to nr objects; a refill is not made of fewer */
	size_t (*take)(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, size_t nr,
		       void **objs);
	/* clears entries of objs; cpu NULL: a control call */
	void (*give)(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs);
};

/* Of one cache. */
struct sheaves_rules {
	const struct sheaves_source *source;
	unsigned capacity; /* 0: the cache has no sheaves */
	unsigned max_full, max_empty;
	bool remote_bypass, refill_when_nonblocking, remote_trylock;
};

/* Objects in a sheaf of 7.0 when nobody asked. */
static inline unsigned sheaves_default_capacity(size_t size)
{
	return size >= 4096 ? 4 : size >= 1024 ? 12 : size >= 256 ? 28 : 60;
}

/* ---- of the handle's owner ---- */

/* NULL: nothing here, and no refill allowed or possible. */
void *sheaves_pop(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, int node);
/* False when the object has to go to its slab. */
bool sheaves_push(struct slub_cpu *cpu, struct slub_cache *s, void *obj);
/* As many as sheaves hold. */
size_t sheaves_pop_bulk(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs);
/* Takes from the end of the array; returns how many are left at its start. */
size_t sheaves_push_bulk(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs);
bool sheaves_push_rcu(struct slub_cpu *cpu, struct slub_cache *s, void *obj);
void sheaves_end_grace_period(struct slub_cpu *cpu);

int sheaves_prefill(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, size_t nr,
		    struct nslab_sheaf **sheaf);
void *sheaves_take(struct slub_cache *s, gfp_t gfp, struct nslab_sheaf *sheaf);
void sheaves_return(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp,
		    struct nslab_sheaf *sheaf);

/* Empties main and spare; what waits for a grace period stays. */
void sheaves_flush_slot(struct slub_cpu *cpu, struct slub_cpu_slab *slot);

/* The optional calls, for both plug-ins: caches without sheaves get the defaults. */
void sheaves_free_rcu(struct nslab_cpu *base, struct kmem_cache *ks, void *obj);
void sheaves_rcu_barrier(struct nslab_cpu *base);
int sheaves_sheaf_prefill(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, size_t nr,
			  struct nslab_sheaf **sheaf);
void *sheaves_sheaf_alloc(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp,
			  struct nslab_sheaf *sheaf);
void sheaves_sheaf_return(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp,
			  struct nslab_sheaf *sheaf);

/* ---- of control calls, in sheaves_control.c ---- */

void sheaves_barn_init(struct sheaves_barn *barn);
/* Gives everything in a node's barn back. */
void sheaves_empty_barn(struct slub_cache *s, struct slub_node *n);
/* Frees a slot's empty sheaves, when nobody uses its cache or its CPU any more. */
void sheaves_retire_slot(const struct nslab_env *env, struct slub_cpu_slab *slot);
int sheaves_validate_slot(const struct slub_cache *s, const struct slub_cpu_slab *slot);
int sheaves_validate_barn(const struct slub_cache *s, struct slub_node *n);

/* Objects in sheaves: usable ones of a CPU, of a barn, and those that wait for a grace period. */
uint64_t sheaves_cpu_held(const struct slub_cpu_slab *slot);
uint64_t sheaves_barn_held(struct slub_node *n);
uint64_t sheaves_rcu_held(const struct slub_cpu *cpu, const struct slub_cache *s,
			  const struct slub_cpu_slab *slot);

static inline size_t sheaves_bytes(size_t capacity)
{
	return sizeof(struct nslab_sheaf) + capacity * sizeof(void *);
}

#endif
