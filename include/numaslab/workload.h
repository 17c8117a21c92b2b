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
 * Inside, the nslab_object_*() calls are the only ones that touch the allocator; every object gets
 * one 8-byte store. Sizes are run-time values in every entry. An entry that makes no sense for a
 * workload is NULL in its table; arms that would need it are skipped with that reason. A workload
 * of the page layer has NSLAB_ENTRY_PAGES alone and calls what its run's env offers.
 */
#ifndef NUMASLAB_WORKLOAD_H
#define NUMASLAB_WORKLOAD_H

#include <numaslab/slab.h>
#include <stdatomic.h>

enum nslab_entry {
	NSLAB_ENTRY_NONE,    /* no allocator: objects come from a scratch array (harness floor) */
	NSLAB_ENTRY_CACHE,   /* kmem_cache_alloc / kmem_cache_free through the table */
	NSLAB_ENTRY_KMALLOC, /* kmalloc / kfree through the table */
	NSLAB_ENTRY_MALLOC,  /* malloc / free called directly (peers) */
	NSLAB_ENTRY_PAGES,   /* env->alloc_pages, vmalloc, contiguous areas: no allocator */
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
	/* [env->arena->nr_nodes]: a PU is at home there (false: memory only) */
	const bool *node_has_pus;
	/*
	 * More CPU handles than workers, for a worker that plays many CPUs: id from nr_workers on,
	 * below NSLAB_MAX_CPUS. By the thread that uses them, off the clock. 0, or -EINVAL for an
	 * id or node that does not exist, -EBUSY, or the backend's error.
	 */
	int (*cpu_online)(struct nslab_run *run, int id, int node, struct nslab_cpu **cpu);
	void (*cpu_offline)(struct nslab_run *run, struct nslab_cpu *cpu);
	/* monotonic; for a workload that does things at given times, or tells apart the parts of
	 * long rounds. Windows are the runner's. NULL: there is no clock */
	uint64_t (*now_ns)(const struct nslab_run *run);
};

/*
 * What a workload has to tell beside its speed, in calls: counts that belong to the whole trial
 * ("remote_frees", 1e6, "objects"), and curves ("slabs dentry", ms, slabs). A series whose x is not
 * time names it last: "unusable_index by operations".
 */
struct nslab_figures {
	void (*figure)(struct nslab_figures *figures, const char *name, double value,
		       const char *unit);
	void (*point)(struct nslab_figures *figures, const char *series, double x, double y);
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
	/* optional: called once, after verify() and before teardown() */
	void (*figures)(struct nslab_workload *w, struct nslab_figures *figures);
	/* the kernel change or published measurement that it would have caught; NULL: none known */
	const char *catches;
	/*
	 * optional: judges the parameters together, and files that they name, when a plan is made.
	 * 0, or a negative errno and one line in `why`.
	 */
	int (*check)(const void *params, char *why, size_t why_bytes);
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

#endif
