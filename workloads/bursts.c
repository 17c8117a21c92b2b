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
 * Invariants: between two bursts every slot below nr_live holds an object, until worker_exit frees
 * them all. When an allocation fails, the slots that stay empty read NULL and are not freed again;
 * the batch ends, the worker does nothing more, and verify() answers -ENOMEM.
 */
#include "workloads/common.h"

#include "core/rng.h"

#include <numaslab/plugin.h>

struct bursts_params {
	int64_t size;
	int64_t live_objects;
	int64_t burst_objects;
};

struct bursts {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct bursts_params params;
	struct nslab_tally tally;
};

struct bursts_worker {
	struct nslab_worker base;
	struct nslab_object_type type;
	uint64_t rng;
	uint32_t nr_live; /* slots in use */
	uint32_t nr_burst;
	void **live;
	uint32_t *slots; /* a permutation of all slots, written twice */
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
	struct bursts *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	memcpy(&state->params, params, sizeof(state->params));
	if (state->params.burst_objects > state->params.live_objects) {
		free(state);
		return -EINVAL;
	}
	rc = nslab_object_init(run, "bursts", (size_t)state->params.size, &state->type);
	if (rc) {
		nslab_object_exit(&state->type);
		free(state);
		return rc;
	}
	*w = &state->base;
	return 0;
}

/* Fisher and Yates, then the second copy. */
static void bursts_permute(uint32_t *slots, uint32_t nr, uint64_t *rng)
{
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t j = nslab_rng_below(rng, i + 1);

		slots[i] = slots[j];
		slots[j] = i;
	}
	memcpy(slots + nr, slots, nr * sizeof(*slots));
}

static void bursts_worker_free(struct bursts_worker *self)
{
	enum nslab_entry entry = self->base.workload->run->entry;

	for (uint32_t i = 0; i < self->nr_live; i++) {
		if (self->live[i])
			nslab_object_free(self->base.cpu, &self->type, self->live[i], entry);
	}
	nslab_object_exit(&self->type);
	free(self->slots);
	free(self->live);
	free(self);
}

static int bursts_fill(struct bursts_worker *self, uint32_t nr, enum nslab_entry entry)
{
	for (; self->nr_live < nr; self->nr_live++) {
		void *obj = nslab_object_alloc(self->base.cpu, &self->type, entry);

		if (!obj)
			return -ENOMEM;
		self->live[self->nr_live] = obj;
	}
	return 0;
}

static int bursts_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			      struct nslab_worker **worker)
{
	struct bursts *state = nslab_container_of(w, struct bursts, base);
	struct bursts_worker *self = nslab_apart_alloc(sizeof(*self));
	size_t nr = (size_t)state->params.live_objects;
	int rc = -ENOMEM;

	if (!self)
		return rc;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	self->nr_burst = (uint32_t)state->params.burst_objects;
	self->live = nslab_apart_alloc(nr * sizeof(*self->live));
	self->slots = nslab_apart_alloc(2 * nr * sizeof(*self->slots));
	if (!self->live || !self->slots)
		goto out_free;
	bursts_permute(self->slots, (uint32_t)nr, &self->rng);
	rc = nslab_object_type_copy(&state->type, &self->type);
	if (!rc)
		rc = bursts_fill(self, (uint32_t)nr, w->run->entry);
	if (rc)
		goto out_free;
	*worker = &self->base;
	return 0;

out_free:
	bursts_worker_free(self);
	return rc;
}

/* Marks what a failed allocation left empty: slots[from..nr) of the burst. */
static void bursts_give_up(struct bursts_worker *self, const uint32_t *slots, size_t from)
{
	for (size_t j = from; j < self->nr_burst; j++)
		self->live[slots[j]] = NULL;
	self->is_failed = true;
}

static inline __attribute__((always_inline)) size_t
bursts_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct bursts_worker *self = nslab_container_of(worker, struct bursts_worker, base);
	const struct nslab_object_type type = self->type;
	struct nslab_cpu *cpu = worker->cpu;
	const size_t nr_burst = self->nr_burst;
	void **live = self->live;
	size_t done = 0;

	while (done < n && !self->is_failed) {
		const uint32_t *slots = self->slots + nslab_rng_below(&self->rng, self->nr_live);

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
	struct bursts *state = nslab_container_of(worker->workload, struct bursts, base);

	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	bursts_worker_free(self);
}

static int bursts_verify(struct nslab_workload *w)
{
	return nslab_tally_verdict(&nslab_container_of(w, struct bursts, base)->tally);
}

static void bursts_teardown(struct nslab_workload *w)
{
	struct bursts *state = nslab_container_of(w, struct bursts, base);

	nslab_object_exit(&state->type);
	free(state);
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
	.verify = bursts_verify,
	.teardown = bursts_teardown,
};
NSLAB_WORKLOAD_PLUGIN(bursts_ops);
