// SPDX-License-Identifier: GPL-2.0-only
/*
 * bursts.c: every worker keeps a set of live objects, frees a burst of random ones and allocates as
 * many new ones in their place.
 *
 * It imitates reclaim in a busy cache: a shrinker scans a few dozen dentries or inodes and drops
 * them, and the next lookups fill the places again. The objects of a burst lie anywhere in the set,
 * so a free touches as many pages as there are objects, while the depth of one burst is what a
 * per-CPU layer has to take. `batch` has the depth without the scatter, `churn` the scatter without
 * the depth.
 *
 * How it works: worker_init fills the set. The slots of a burst are consecutive entries of one
 * random permutation of all slots, entered at a random place each time, so they are distinct and
 * one random number is drawn for a burst. One operation is one free and one allocation; batch(n)
 * does whole bursts, at least one, so it may return up to burst_objects - 1 more than n.
 *
 * Invariants: between two bursts every slot holds an object, until worker_exit frees them all. When
 * an allocation fails, the set shrinks to the slots that hold something; the batch ends, the worker
 * does nothing more, and verify() answers -ENOMEM.
 */
#include "workloads/live.h"
#include "workloads/permutation.h"
#include "workloads/typed.h"

#include <numaslab/plugin.h>

struct bursts_params {
	int64_t size;
	int64_t live_objects;
	int64_t burst_objects;
};

struct bursts {
	struct nslab_typed typed;
	struct bursts_params params;
};

struct bursts_worker {
	struct nslab_worker base;
	struct nslab_live live; /* full once worker_init succeeded, until an allocation fails */
	uint64_t rng;
	uint32_t nr_burst;
	uint32_t *slots; /* a permutation of all slots */
	bool is_failed;
};

static const struct nslab_param bursts_rows[] = {
	NSLAB_SIZE_ROW(bursts_params),
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct bursts_params, live_objects),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "objects that each worker keeps alive",
	},
	{
		.name = "burst_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct bursts_params, burst_objects),
		.def = "64",
		.min = 1,
		.max = 1 << 20,
		.help = "objects freed before the first is replaced, at most live_objects",
	},
	NSLAB_PARAM_END,
};

static int bursts_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct bursts_params *p = params;
	struct bursts *state;
	int rc;

	if (p->burst_objects > p->live_objects)
		return -EINVAL;
	state = nslab_typed_create(run, "bursts", p->size, sizeof(*state), &rc);
	if (!state)
		return rc;
	state->params = *p;
	*w = &state->typed.base;
	return 0;
}

static void bursts_worker_free(struct bursts_worker *self)
{
	nslab_live_exit(&self->live, self->base.cpu, self->base.workload->run->entry);
	free(self->slots);
	free(self);
}

static int bursts_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			      struct nslab_worker **worker)
{
	struct bursts *state = nslab_container_of(w, struct bursts, typed.base);
	struct bursts_worker *self = nslab_worker_create(w, cpu, index, sizeof(*self));
	size_t nr = (size_t)state->params.live_objects;
	int rc;

	if (!self)
		return -ENOMEM;
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	self->nr_burst = (uint32_t)state->params.burst_objects;
	self->slots = nslab_permutation_create((uint32_t)nr, &self->rng);
	rc = nslab_live_init(&self->live, &state->typed.type, nr);
	if (!rc)
		rc = self->slots ? nslab_live_fill(&self->live, cpu, nr, w->run->entry) : -ENOMEM;
	if (rc) {
		bursts_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

/* Drops what a failed allocation left empty: slots[from..nr) of the burst. */
static void bursts_give_up(struct bursts_worker *self, const uint32_t *slots, size_t from)
{
	for (size_t j = from; j < self->nr_burst; j++)
		self->live.objs[slots[j]] = NULL;
	nslab_live_pack(&self->live);
	self->is_failed = true;
}

static inline __attribute__((always_inline)) size_t
bursts_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct bursts_worker *self = nslab_container_of(worker, struct bursts_worker, base);
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = worker->cpu;
	const size_t nr_burst = self->nr_burst;
	const uint32_t nr_live = (uint32_t)self->live.nr;
	void **live = self->live.objs;
	size_t done = 0;

	while (done < n && !self->is_failed) {
		const uint32_t *slots = self->slots + nslab_rng_below(&self->rng, nr_live);

		for (size_t j = 0; j < nr_burst; j++)
			nslab_object_free(cpu, &type, live[slots[j]], entry);
		for (size_t j = 0; j < nr_burst; j++) {
			void *obj = nslab_object_alloc(cpu, &type, entry);

			if (!obj) {
				bursts_give_up(self, slots, j);
				return done + j;
			}
			live[slots[j]] = obj;
		}
		done += nr_burst;
	}
	return done;
}

NSLAB_WORKLOAD_BATCH(bursts)

static void bursts_worker_exit(struct nslab_worker *worker)
{
	struct bursts_worker *self = nslab_container_of(worker, struct bursts_worker, base);

	nslab_typed_leave(worker, self->is_failed);
	bursts_worker_free(self);
}

static const struct nslab_workload_ops bursts_ops = {
	.name = "bursts",
	.summary = "free a burst of random objects of a live set, then replace them",
	.models = "a shrinker drops some dozens of dentries, lookups fill the cache again",
	.min_workers = 1,
	.params = bursts_rows,
	.params_size = sizeof(struct bursts_params),
	.setup = bursts_setup,
	.worker_init = bursts_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(bursts),
	.worker_exit = bursts_worker_exit,
	.verify = nslab_typed_verify,
	.teardown = nslab_typed_teardown,
};
NSLAB_WORKLOAD_PLUGIN(bursts_ops);
