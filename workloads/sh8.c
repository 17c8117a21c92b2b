/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sh8.c: rounds of small objects, of which some are freed last first, some first first, and some by
 * another worker.
 *
 * It is sh8-like: after what is published of MicroQuill's SmartHeap benchmark sh8bench (the
 * description that mimalloc-bench gives of it), not after its program: sh6 for many threads, with a
 * part of the objects freed by another thread than the one that allocated them. Up to a third of
 * all frees are remote then, in runs, between local ones of both orders: a worker must keep its own
 * lists short of surprises while others give it work.
 *
 * How it works: sh.h. One operation is one object; a batch does whole rounds. What is kept goes to
 * one place that all workers share, and a worker frees what the one before it left there. With one
 * worker it is sh6.
 *
 * What differs: as in sh6, and the exchange of a whole third at once is ours.
 *
 * Invariants: between two rounds the kept objects are all that is alive, and they are at the shared
 * place; over all workers number and sum of addresses of allocated and freed objects are equal;
 * what is left still holds what was stored.
 */
#include "workloads/sh.h"

#include <numaslab/plugin.h>

static int sh8_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	return nslab_sh_setup(run, "sh8", true, params, w);
}

static inline __attribute__((always_inline)) size_t sh8_loop(struct nslab_worker *worker, size_t n,
							     const enum nslab_entry entry)
{
	return nslab_sh_loop(worker, n, entry);
}

NSLAB_WORKLOAD_BATCH(sh8)

static void sh8_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	figures->figure(figures, "remote_frees", (double)atomic_load(&nslab_sh_of(w)->nr_remote),
			"objects");
}

static const struct nslab_workload_ops sh8_ops = {
	.name = "sh8",
	.summary = "small objects freed last first, first first or by another worker (sh8-like)",
	.models = "MicroQuill's sh8bench as its published description has it",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 1,
	.params = nslab_sh_rows,
	.params_size = sizeof(struct nslab_sh_params),
	.setup = sh8_setup,
	.worker_init = nslab_sh_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(sh8),
	.worker_exit = nslab_sh_worker_exit,
	.verify = nslab_sh_verify,
	.teardown = nslab_sh_teardown,
	.figures = sh8_figures,
};
NSLAB_WORKLOAD_PLUGIN(sh8_ops);
