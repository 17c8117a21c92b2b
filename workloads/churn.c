/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * churn.c: every worker keeps a set of live objects and replaces a random one with a new one, over
 * and over.
 *
 * It imitates a cache of long-lived objects in steady state: dentries and inodes while a file tree
 * is walked, or the sessions of a server. The number of live objects stays the same, but their
 * neighbours in each slab change, so slabs become partly full and frees hit slabs that are not the
 * current one: this is where designs that keep partial slabs differ from those that keep arrays.
 *
 * How it works: worker_init fills the set, so that the first window already sees it. One operation
 * allocates the new object first and frees the old one after, as a lookup that replaces an entry
 * does. The index comes from a multiplicative congruential generator whose high bits are scaled to
 * the set: a few cycles that overlap with the allocator's work, the same on every entry.
 *
 * Invariants: after worker_init every slot holds an object, until worker_exit frees them all. An
 * allocation that fails leaves the slot as it was, ends the batch, and verify() answers -ENOMEM.
 */
#include "workloads/live.h"

#include "core/rng.h"

#include <numaslab/plugin.h>

struct churn_params {
	int64_t size;
	int64_t live_objects;
};

struct churn {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct churn_params params;
	struct nslab_tally tally;
};

struct churn_worker {
	struct nslab_worker base;
	struct nslab_live live; /* full once worker_init succeeded */
	uint64_t rng;
	bool is_failed;
};

static const struct nslab_param churn_rows[] = {
	NSLAB_SIZE_ROW(churn_params),
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct churn_params, live_objects),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "objects that each worker keeps alive",
	},
	NSLAB_PARAM_END,
};

static int churn_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct churn *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	memcpy(&state->params, params, sizeof(state->params));
	rc = nslab_object_init(run, "churn", (size_t)state->params.size, &state->type);
	if (rc) {
		nslab_object_exit(&state->type);
		free(state);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static void churn_worker_free(struct churn_worker *self)
{
	nslab_live_exit(&self->live, self->base.cpu, self->base.workload->run->entry);
	free(self);
}

static int churn_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			     struct nslab_worker **worker)
{
	struct churn *state = nslab_container_of(w, struct churn, base);
	struct churn_worker *self = nslab_apart_alloc(sizeof(*self));
	size_t nr = (size_t)state->params.live_objects;
	int rc;

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	rc = nslab_live_init(&self->live, &state->type, nr);
	if (!rc)
		rc = nslab_live_fill(&self->live, cpu, nr, w->run->entry);
	if (rc) {
		churn_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) size_t
churn_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct churn_worker *self = nslab_container_of(worker, struct churn_worker, base);
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = worker->cpu;
	const uint64_t nr_live = self->live.nr;
	void **live = self->live.objs;
	uint64_t rng = self->rng;
	size_t done = 0;

	for (; done < n; done++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);
		void *old;
		size_t i;

		if (!obj) {
			self->is_failed = true;
			break;
		}
		rng = rng * UINT64_C(0xd1342543de82ef95) + 1;
		i = ((rng >> 32) * nr_live) >> 32;
		old = live[i];
		live[i] = obj;
		nslab_object_free(cpu, &type, old, entry);
	}
	self->rng = rng;
	return done;
}

NSLAB_WORKLOAD_BATCH(churn)

static void churn_worker_exit(struct nslab_worker *worker)
{
	struct churn_worker *self = nslab_container_of(worker, struct churn_worker, base);
	struct churn *state = nslab_container_of(worker->workload, struct churn, base);

	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	churn_worker_free(self);
}

static int churn_verify(struct nslab_workload *w)
{
	return nslab_tally_verdict(&nslab_container_of(w, struct churn, base)->tally);
}

static void churn_teardown(struct nslab_workload *w)
{
	struct churn *state = nslab_container_of(w, struct churn, base);

	nslab_object_exit(&state->type);
	free(state);
}

static const struct nslab_workload_ops churn_ops = {
	.name = "churn",
	.summary = "replace a random object of a live set: partial slabs in steady state",
	.models = "dentries and inodes while a file tree is walked",
	.min_workers = 1,
	.params = churn_rows,
	.params_size = sizeof(struct churn_params),
	.setup = churn_setup,
	.worker_init = churn_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(churn),
	.worker_exit = churn_worker_exit,
	.verify = churn_verify,
	.teardown = churn_teardown,
};
NSLAB_WORKLOAD_PLUGIN(churn_ops);
