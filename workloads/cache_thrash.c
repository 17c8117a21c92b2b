/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache_thrash.c: every worker allocates a small object, writes it many times and frees it: active
 * false sharing.
 *
 * After the active-false test of Berger and others, "Hoard", ASPLOS 2000, known as cache-thrash
 * since. An allocator that cuts one cache line into objects for two CPUs makes their writes meet on
 * that line; one with slabs or lists of each CPU's own does not. In the kernel this is what per-CPU
 * slabs and SLAB_HWCACHE_ALIGN are for.
 *
 * How it works: one operation is one object with `writes` passes over its words, so the time of an
 * operation is mostly writing, and false sharing multiplies it. Compare it with one worker, and
 * with size=64 or more, where no line is shared whatever the allocator does.
 *
 * What differs: the original divides a given number of rounds among its threads and prints the
 * time; here the runner times windows. It writes bytes, this writes words of 8 bytes.
 *
 * Invariants: no object is held between two operations. An object's first word counts its writes;
 * when it is freed with another count, two workers had the same memory, and verify() says so.
 */
#include "workloads/written.h"

#include <numaslab/plugin.h>

static int cache_thrash_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct nslab_written *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	rc = nslab_written_init(state, run, "cache_thrash", params);
	if (rc) {
		nslab_written_exit(state);
		free(state);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static int cache_thrash_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
				    struct nslab_worker **worker)
{
	struct nslab_written_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	rc = nslab_written_worker_init(self, w, cpu, index);
	if (rc) {
		free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) size_t
cache_thrash_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	return nslab_written_loop(nslab_container_of(worker, struct nslab_written_worker, base), n,
				  entry);
}

NSLAB_WORKLOAD_BATCH(cache_thrash)

static void cache_thrash_worker_exit(struct nslab_worker *worker)
{
	struct nslab_written_worker *self =
		nslab_container_of(worker, struct nslab_written_worker, base);

	nslab_written_worker_exit(self);
	free(self);
}

static int cache_thrash_verify(struct nslab_workload *w)
{
	return nslab_written_verdict(nslab_written_of(w));
}

static void cache_thrash_teardown(struct nslab_workload *w)
{
	struct nslab_written *state = nslab_written_of(w);

	nslab_written_exit(state);
	free(state);
}

static const struct nslab_workload_ops cache_thrash_ops = {
	.name = "cache_thrash",
	.summary = "write own small objects many times: active false sharing",
	.models = "active-false of Berger and others, ASPLOS 2000 (Hoard), as cache-thrash",
	.min_workers = 1,
	.params = nslab_written_rows,
	.params_size = sizeof(struct nslab_written_params),
	.setup = cache_thrash_setup,
	.worker_init = cache_thrash_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(cache_thrash),
	.worker_exit = cache_thrash_worker_exit,
	.verify = cache_thrash_verify,
	.teardown = cache_thrash_teardown,
};
NSLAB_WORKLOAD_PLUGIN(cache_thrash_ops);
