/* SPDX-License-Identifier: MIT */
/*
 * workload.h: what a workload implements (kind "workload").
 *
 * The runner owns threads, barrier, clock, repeats and stop. A workload has no time, no printf and
 * no threads of its own: it prepares state, and `batch` does n operations and returns how many it
 * did. One operation is one allocated AND freed object unless the workload's help says otherwise.
 *
 * Entry points. The same loop is compiled once for each way of reaching an allocator, so that a
 * peer is called exactly as the backends are, and the harness can be measured without any:
 *
 *	static inline __attribute__((always_inline)) size_t
 *	x_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry) { ... }
 *	NSLAB_WORKLOAD_BATCH(x)            // makes x_batch[NSLAB_NR_ENTRIES]
 *
 * Inside, nslab_object_alloc() and nslab_object_free() are the only calls that touch the
 * allocator; every object gets one 8-byte store. Sizes are run-time values in every entry.
 */
#ifndef NUMASLAB_WORKLOAD_H
#define NUMASLAB_WORKLOAD_H

#include <numaslab/slab.h>
#include <stdatomic.h>
#include <stdlib.h>

enum nslab_entry {
	NSLAB_ENTRY_NONE,    /* no allocator: objects come from a scratch array (harness floor) */
	NSLAB_ENTRY_CACHE,   /* kmem_cache_alloc / kmem_cache_free through the table */
	NSLAB_ENTRY_KMALLOC, /* kmalloc / kfree through the table */
	NSLAB_ENTRY_MALLOC,  /* malloc / free called directly (peers) */
	NSLAB_NR_ENTRIES
};

struct nslab_workload_ops;

/* One trial's surroundings, filled by the runner. */
struct nslab_run {
	const struct nslab_env *env;
	struct nslab_heap *heap;
	enum nslab_entry entry;
	int nr_workers;
	uint64_t seed;
	/* order, min_partial, cpu_partial, sheaf_capacity that the plan asks for every cache */
	struct nslab_cache_spec cache_defaults;
	/* a worker that waits for another must give up when this is set */
	atomic_bool is_stopping;
};

/* Base of a workload's state; filled by the host after setup. */
struct nslab_workload {
	const struct nslab_workload_ops *ops;
	struct nslab_run *run;
};

/* Base of a worker's state. */
struct nslab_worker {
	struct nslab_workload *workload;
	struct nslab_cpu *cpu;
	int index;
	bool is_counted; /* its windows count as throughput; a consumer's do not */
};

typedef size_t (*nslab_batch_fn)(struct nslab_worker *worker, size_t n);

struct nslab_workload_ops {
	const char *name;
	const char *summary; /* one line */
	const char *models;  /* the kernel path or published program that it imitates */
	uint64_t needs; /* NSLAB_CAP_* bits an allocator must have; else skipped with a reason */
	int min_workers, max_workers; /* max 0: any number */
	const struct nslab_param *params;
	size_t params_size;
	int (*setup)(struct nslab_run *run, const void *params, struct nslab_workload **w);
	/* called on the worker's own pinned thread */
	int (*worker_init)(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			   struct nslab_worker **worker);
	nslab_batch_fn batch[NSLAB_NR_ENTRIES];
	void (*worker_exit)(struct nslab_worker *worker); /* frees every object it holds */
	/*
	 * 0 when the workload's own invariants hold after all workers left; -EILSEQ when not;
	 * -ENOMEM when an allocation failed (a batch then stops early and returns what it did)
	 */
	int (*verify)(struct nslab_workload *w);
	void (*teardown)(struct nslab_workload *w);
	/* optional: the number of workers is a multiple of this (2: pairs); 0: any number */
	int worker_group;
};

#define NSLAB_WORKLOAD_BATCH(x)                                                                    \
 static size_t x##_none(struct nslab_worker *worker, size_t n)                                     \
 {                                                                                                 \
  return x##_loop(worker, n, NSLAB_ENTRY_NONE);                                                    \
 }                                                                                                 \
 static size_t x##_cache(struct nslab_worker *worker, size_t n)                                    \
 {                                                                                                 \
  return x##_loop(worker, n, NSLAB_ENTRY_CACHE);                                                   \
 }                                                                                                 \
 static size_t x##_kmalloc(struct nslab_worker *worker, size_t n)                                  \
 {                                                                                                 \
  return x##_loop(worker, n, NSLAB_ENTRY_KMALLOC);                                                 \
 }                                                                                                 \
 static size_t x##_malloc(struct nslab_worker *worker, size_t n)                                   \
 {                                                                                                 \
  return x##_loop(worker, n, NSLAB_ENTRY_MALLOC);                                                  \
 }

/* For the ops table: .batch = NSLAB_WORKLOAD_ENTRIES(x). */
#define NSLAB_WORKLOAD_ENTRIES(x)                                                                  \
 {                                                                                                 \
  [NSLAB_ENTRY_NONE] = x##_none, [NSLAB_ENTRY_CACHE] = x##_cache,                                  \
  [NSLAB_ENTRY_KMALLOC] = x##_kmalloc, [NSLAB_ENTRY_MALLOC] = x##_malloc,                          \
 }

/*
 * One type of object that a workload allocates. Made by nslab_object_init() in setup, on every
 * entry; `s` is NULL except for NSLAB_ENTRY_CACHE.
 */
struct nslab_object_type {
	size_t size_bytes;
	struct kmem_cache *s;
	void *scratch; /* NSLAB_ENTRY_NONE hands this out */
};

static inline int nslab_object_init(struct nslab_run *run, const char *name, size_t size_bytes,
				    struct nslab_object_type *type)
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
	return run->heap->ops->cache_create(run->heap, &spec, &type->s);
}

/* The cache itself is destroyed by the runner, which knows when every handle has quiesced. */
static inline void nslab_object_exit(struct nslab_object_type *type)
{
	free(type->scratch);
	type->scratch = NULL;
}

/* Allocates one object and stores 8 bytes in it; NULL when memory is out. */
static inline __attribute__((always_inline)) void *
nslab_object_alloc(struct nslab_cpu *cpu, const struct nslab_object_type *type,
		   const enum nslab_entry entry)
{
	void *obj;

	switch (entry) {
	case NSLAB_ENTRY_CACHE:
		obj = kmem_cache_alloc(cpu, type->s, GFP_KERNEL);
		break;
	case NSLAB_ENTRY_KMALLOC:
		obj = kmalloc(cpu, type->size_bytes, GFP_KERNEL);
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

#endif
