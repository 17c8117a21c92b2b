/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sh6.c: rounds of small objects, of which some are freed last first, some first first, and some in
 * a later round; each worker for itself.
 *
 * It is sh6-like: after what is published of MicroQuill's SmartHeap benchmark sh6bench (the
 * description that mimalloc-bench gives of it), not after its program: many small objects of a
 * range of sizes, the usual last-allocated-first-freed order for some and the reverse for others.
 * An allocator that hands out what was freed last does well on the first kind; the second walks its
 * lists and partial slabs. In the kernel the first is a call's temporaries, the second a queue that
 * drains.
 *
 * How it works: sh.h. One operation is one object; a batch does whole rounds. What is kept goes to
 * a place of the worker's own and is freed a round later by the same worker.
 *
 * What differs: the thirds, the length of a round and the power law of sizes are ours; the
 * original's sizes begin at 1 byte, here at 8, since every object gets an 8-byte store; it calls
 * for a given number of operations and prints the time, which is the runner's.
 *
 * Invariants: between two rounds the kept objects are all that is alive; number and sum of
 * addresses of allocated and freed objects are equal; what is left still holds what was stored.
 */
#include "workloads/sh.h"

#include <numaslab/plugin.h>

static int sh6_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	return nslab_sh_setup(run, "sh6", false, params, w);
}

static inline __attribute__((always_inline)) size_t sh6_loop(struct nslab_worker *worker, size_t n,
							     const enum nslab_entry entry)
{
	return nslab_sh_loop(worker, n, entry);
}

NSLAB_WORKLOAD_BATCH(sh6)

static const struct nslab_workload_ops sh6_ops = {
	.name = "sh6",
	.summary = "small objects freed last first, first first or a round later (sh6-like)",
	.models = "MicroQuill's sh6bench as its published description has it",
	.min_workers = 1,
	.params = nslab_sh_rows,
	.params_size = sizeof(struct nslab_sh_params),
	.setup = sh6_setup,
	.worker_init = nslab_sh_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(sh6),
	.worker_exit = nslab_sh_worker_exit,
	.verify = nslab_sh_verify,
	.teardown = nslab_sh_teardown,
};
NSLAB_WORKLOAD_PLUGIN(sh6_ops);
