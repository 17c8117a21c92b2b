/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * threadtest.c: every worker allocates N objects, then frees them all, over and over.
 *
 * After Berger, McKinley, Blumofe and Wilson, "Hoard: A Scalable Memory Allocator for Multithreaded
 * Applications", ASPLOS 2000: t threads do nothing but allocate and free 100,000 / t objects of 8
 * bytes. Nothing is shared but the allocator, so what keeps it from scaling is the allocator's own:
 * a lock, a shared list, a line that two workers write. In the kernel it is a burst of tasks on all
 * CPUs that fill a table and drop it.
 *
 * How it works: `objects` are divided among the workers, as in the paper; one round allocates a
 * worker's share and frees it in the order of allocation. A batch does whole rounds.
 *
 * What differs: the paper's loop ends after a given number of rounds and its figure is the time
 * that took; here the runner times windows. The program's optional busy work between calls is left
 * out: it dilutes what is measured.
 *
 * Invariants: between two batches a worker holds nothing. A round that runs out of memory frees
 * what it has, and verify() answers -ENOMEM.
 */
#include "workloads/live.h"

#include <numaslab/plugin.h>

struct threadtest_params {
	int64_t size;
	int64_t objects;
};

struct threadtest {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct nslab_tally tally;
	size_t share; /* objects of a worker */
};

struct threadtest_worker {
	struct nslab_worker base;
	struct nslab_live live;
	bool is_failed;
};

static const struct nslab_param threadtest_rows[] = {
	{
		.name = "size",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct threadtest_params, size),
		.def = "8",
		.min = 8,
		.max = NSLAB_WORKLOAD_SIZE_MAX,
		.help = "bytes of each object",
	},
	{
		.name = "objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct threadtest_params, objects),
		.def = "100000",
		.min = 1,
		.max = 1 << 26,
		.help = "objects of a round, of all workers together",
	},
	NSLAB_PARAM_END,
};

static struct threadtest *threadtest_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct threadtest, base);
}

static int threadtest_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct threadtest_params *p = params;
	struct threadtest *state;
	int rc;

	if (p->objects < run->nr_workers)
		return -EINVAL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->base.run = run;
	state->share = (size_t)p->objects / (size_t)run->nr_workers;
	rc = nslab_object_init(run, "threadtest", (size_t)p->size, &state->type);
	if (rc) {
		nslab_object_exit(&state->type);
		free(state);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static void threadtest_worker_free(struct threadtest_worker *self)
{
	nslab_live_exit(&self->live, self->base.cpu, self->base.workload->run->entry);
	free(self);
}

static int threadtest_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
				  struct nslab_worker **worker)
{
	struct threadtest *state = threadtest_of(w);
	struct threadtest_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	rc = nslab_live_init(&self->live, &state->type, state->share);
	if (rc) {
		threadtest_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

/* Objects allocated, and all of them freed again; less than the share when memory is out. */
static inline __attribute__((always_inline)) size_t threadtest_round(struct threadtest_worker *self,
								     const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = self->base.cpu;
	const size_t share = self->live.room;
	void **objs = self->live.objs;
	size_t nr = 0;

	for (; nr < share; nr++) {
		objs[nr] = nslab_object_alloc(cpu, &type, entry);
		if (!objs[nr])
			break;
	}
	for (size_t i = 0; i < nr; i++)
		nslab_object_free(cpu, &type, objs[i], entry);
	return nr;
}

static inline __attribute__((always_inline)) size_t
threadtest_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct threadtest_worker *self = nslab_container_of(worker, struct threadtest_worker, base);
	size_t done = 0;

	while (done < n && !self->is_failed) {
		size_t nr = threadtest_round(self, entry);

		done += nr;
		self->is_failed = nr < self->live.room;
	}
	return done;
}

NSLAB_WORKLOAD_BATCH(threadtest)

static void threadtest_worker_exit(struct nslab_worker *worker)
{
	struct threadtest_worker *self = nslab_container_of(worker, struct threadtest_worker, base);

	atomic_fetch_add(&threadtest_of(worker->workload)->tally.nr_failed, self->is_failed);
	threadtest_worker_free(self);
}

static int threadtest_verify(struct nslab_workload *w)
{
	return nslab_tally_verdict(&threadtest_of(w)->tally);
}

static void threadtest_teardown(struct nslab_workload *w)
{
	struct threadtest *state = threadtest_of(w);

	nslab_object_exit(&state->type);
	free(state);
}

static const struct nslab_workload_ops threadtest_ops = {
	.name = "threadtest",
	.summary = "allocate N objects, then free them all: does the allocator scale at all?",
	.models = "threadtest of Berger and others, ASPLOS 2000 (Hoard)",
	.min_workers = 1,
	.params = threadtest_rows,
	.params_size = sizeof(struct threadtest_params),
	.setup = threadtest_setup,
	.worker_init = threadtest_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(threadtest),
	.worker_exit = threadtest_worker_exit,
	.verify = threadtest_verify,
	.teardown = threadtest_teardown,
};
NSLAB_WORKLOAD_PLUGIN(threadtest_ops);
