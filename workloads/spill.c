// SPDX-License-Identifier: GPL-2.0-only
/*
 * spill.c: bursts that no per-CPU layer can hold, with quiet stretches between them.
 *
 * It imitates a CPU whose number of live objects swings: a process exits and gives all its areas
 * and pages' records back, a batch of RCU callbacks runs, a storm of packets arrives and goes.
 * What exceeds the arrays, sheaves or partial lists of the CPU goes to the shared lists and, beyond
 * those, to the page allocator, and comes back with the next burst. Between the bursts the worker
 * does pairs, as an ordinary load does, which find the layers as the burst left them.
 *
 * How it works: one round is burst_objects allocations, as many frees in the same order, and
 * quiet_objects pairs of one allocation and one free. Linux 7.0 holds two sheaves of 60 objects on
 * a CPU and ten more full ones in the node's barn: 720 objects of a small size, so the default
 * burst of 1024 spills there, and on 120 objects of an array cache or a list of partial slabs all
 * the more. One operation is one object allocated and freed; batch(n) does whole rounds, so it may
 * return up to burst_objects + quiet_objects - 1 more than n. `batch` without quiet is the same at
 * the same depth.
 *
 * Invariants: nothing is held between two rounds. When an allocation fails, the objects of the
 * burst are freed and counted, the worker does nothing more, and verify() answers -ENOMEM.
 */
#include "workloads/live.h"
#include "workloads/typed.h"

#include <numaslab/plugin.h>

struct spill_params {
	int64_t size;
	int64_t burst_objects;
	int64_t quiet_objects;
};

struct spill {
	struct nslab_typed typed;
	struct spill_params params;
	atomic_uint_fast64_t nr_bursts; /* added up when workers leave */
};

struct spill_worker {
	struct nslab_worker base;
	struct nslab_live live; /* empty but during a burst */
	size_t nr_quiet;
	uint64_t nr_bursts;
	bool is_failed;
};

static const struct nslab_param spill_rows[] = {
	NSLAB_SIZE_ROW(spill_params),
	{
		.name = "burst_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct spill_params, burst_objects),
		.def = "1024",
		.min = 1,
		.max = 1 << 20,
		.help = "objects of a burst; sheaves of Linux 7.0 hold 720 small ones per CPU",
	},
	{
		.name = "quiet_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct spill_params, quiet_objects),
		.def = "1024",
		.min = 0,
		.max = 1 << 20,
		.help = "objects allocated and freed at once, one by one, between two bursts",
	},
	NSLAB_PARAM_END,
};

static int spill_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct spill_params *p = params;
	struct spill *state;
	int rc;

	state = nslab_typed_create(run, "spill", p->size, sizeof(*state), &rc);
	if (!state)
		return rc;
	state->params = *p;
	*w = &state->typed.base;
	return 0;
}

static void spill_worker_free(struct spill_worker *self)
{
	nslab_live_exit(&self->live, self->base.cpu, self->base.workload->run->entry);
	free(self);
}

static int spill_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			     struct nslab_worker **worker)
{
	struct spill *state = nslab_container_of(w, struct spill, typed.base);
	struct spill_worker *self = nslab_worker_create(w, cpu, index, sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->nr_quiet = (size_t)state->params.quiet_objects;
	rc = nslab_live_init(&self->live, &state->typed.type, (size_t)state->params.burst_objects);
	if (rc) {
		spill_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

/* Returns the objects that there was memory for. */
static inline __attribute__((always_inline)) size_t spill_burst(struct spill_worker *self,
								const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = self->base.cpu;
	const size_t room = self->live.room;
	void **objs = self->live.objs;
	size_t nr = 0;

	for (; nr < room; nr++) {
		objs[nr] = nslab_object_alloc(cpu, &type, entry);
		if (!objs[nr])
			break;
	}
	for (size_t i = 0; i < nr; i++)
		nslab_object_free(cpu, &type, objs[i], entry);
	return nr;
}

static inline __attribute__((always_inline)) size_t spill_quiet(struct spill_worker *self,
								const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = self->base.cpu;
	const size_t nr_quiet = self->nr_quiet;
	size_t nr = 0;

	for (; nr < nr_quiet; nr++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj)
			break;
		nslab_object_free(cpu, &type, obj, entry);
	}
	return nr;
}

static inline __attribute__((always_inline)) size_t
spill_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct spill_worker *self = nslab_container_of(worker, struct spill_worker, base);
	const size_t nr_round = self->live.room + self->nr_quiet;
	size_t done = 0;

	while (done < n && !self->is_failed) {
		size_t nr = spill_burst(self, entry);

		if (nr == self->live.room) {
			self->nr_bursts++;
			nr += spill_quiet(self, entry);
		}
		self->is_failed = nr < nr_round;
		done += nr;
	}
	return done;
}

NSLAB_WORKLOAD_BATCH(spill)

static void spill_worker_exit(struct nslab_worker *worker)
{
	struct spill_worker *self = nslab_container_of(worker, struct spill_worker, base);
	struct spill *state = nslab_container_of(worker->workload, struct spill, typed.base);

	atomic_fetch_add(&state->nr_bursts, self->nr_bursts);
	nslab_typed_leave(worker, self->is_failed);
	spill_worker_free(self);
}

static void spill_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct spill *state = nslab_container_of(w, struct spill, typed.base);

	figures->figure(figures, "bursts", (double)atomic_load(&state->nr_bursts), "bursts");
}

static const struct nslab_workload_ops spill_ops = {
	.name = "spill",
	.summary = "bursts beyond what per-CPU layers hold, and quiet pairs between them",
	.models = "a process exits, a batch of RCU callbacks runs, a storm of packets passes",
	.min_workers = 1,
	.params = spill_rows,
	.params_size = sizeof(struct spill_params),
	.setup = spill_setup,
	.worker_init = spill_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(spill),
	.worker_exit = spill_worker_exit,
	.verify = nslab_typed_verify,
	.teardown = nslab_typed_teardown,
	.figures = spill_figures,
};
NSLAB_WORKLOAD_PLUGIN(spill_ops);
