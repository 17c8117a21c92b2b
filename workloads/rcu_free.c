// SPDX-License-Identifier: GPL-2.0-only
/*
 * rcu_free.c: objects are freed after a grace period, in batches.
 *
 * It imitates kfree_rcu of what readers may still look at: a table entry, a file, a tree node is
 * replaced, and the old one waits until the grace period has ended. So memory stays held that
 * nobody uses, a whole batch comes back at once, and allocations meanwhile meet the layers empty.
 * From Linux 6.18 on a cache with sheaves collects such objects in a sheaf of their own and hands
 * it over whole.
 *
 * How it works: an operation allocates one object, stamps it and defers its freeing; after
 * batch_objects of them each stamp is read once more, as a late reader would, and a barrier ends
 * the grace period. On the cache entry deferring is the backend's own free_rcu and the barrier its
 * rcu_barrier, with sheaves where it has them. kmalloc and malloc have no such call: there the
 * barrier frees the waiting objects one by one, in order. The list of those that wait is kept on
 * every entry: a store and a load for each object beside its stamp.
 *
 * Invariants: at most batch_objects wait; what a batch ends with waits on for the next, and
 * worker_exit ends the last grace period. verify() answers -EILSEQ when an object that waited was
 * written to or handed out again, -ENOMEM when an allocation failed. Left out: callbacks that run
 * on another CPU than the one that called.
 */
#include "workloads/live.h"
#include "workloads/typed.h"

#include <numaslab/plugin.h>

struct rcu_params {
	int64_t size;
	int64_t batch_objects;
};

struct rcu_free {
	struct nslab_typed typed;
	size_t nr_batch;
	/* added up when workers leave */
	atomic_uint_fast64_t nr_deferred, nr_barriers, nr_touched;
};

struct rcu_worker {
	struct nslab_worker base;
	struct nslab_live live; /* those that wait for the grace period to end */
	uint64_t nr_deferred, nr_barriers;
	uint64_t nr_touched; /* waiting objects that were not as they were left */
	bool is_failed;
};

static const struct nslab_param rcu_rows[] = {
	NSLAB_SIZE_ROW(rcu_params),
	{
		.name = "batch_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct rcu_params, batch_objects),
		.def = "256",
		.min = 1,
		.max = 1 << 20,
		.help = "objects that wait for one grace period",
	},
	NSLAB_PARAM_END,
};

static int rcu_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct rcu_params *p = params;
	struct rcu_free *state;
	int rc;

	state = nslab_typed_create(run, "rcu_free", p->size, sizeof(*state), &rc);
	if (!state)
		return rc;
	state->nr_batch = (size_t)p->batch_objects;
	*w = &state->typed.base;
	return 0;
}

static int rcu_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			   struct nslab_worker **worker)
{
	struct rcu_free *state = nslab_container_of(w, struct rcu_free, typed.base);
	struct rcu_worker *self = nslab_worker_create(w, cpu, index, sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	rc = nslab_live_init(&self->live, &state->typed.type, state->nr_batch);
	if (rc) {
		nslab_live_exit(&self->live, cpu, w->run->entry);
		free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) void rcu_defer(struct rcu_worker *self, void *obj,
							    const enum nslab_entry entry)
{
	struct nslab_live *live = &self->live;

	*(volatile uint64_t *)obj = self->nr_deferred++;
	live->objs[live->nr++] = obj;
	if (entry == NSLAB_ENTRY_CACHE)
		self->base.cpu->ops->free_rcu(self->base.cpu, live->type.s, obj);
}

/* Ends the grace period. */
static inline __attribute__((always_inline)) void rcu_expire(struct rcu_worker *self,
							     const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = self->base.cpu;
	const size_t nr = self->live.nr;
	const uint64_t first = self->nr_deferred - nr;
	void **objs = self->live.objs;

	/* without an allocator all are the same object */
	for (size_t i = 0; entry != NSLAB_ENTRY_NONE && i < nr; i++)
		self->nr_touched += *(volatile uint64_t *)objs[i] != first + i;
	if (entry == NSLAB_ENTRY_CACHE) {
		cpu->ops->rcu_barrier(cpu);
	} else {
		for (size_t i = 0; i < nr; i++)
			nslab_object_free(cpu, &type, objs[i], entry);
	}
	self->live.nr = 0;
	self->nr_barriers++;
}

static inline __attribute__((always_inline)) size_t rcu_loop(struct nslab_worker *worker, size_t n,
							     const enum nslab_entry entry)
{
	struct rcu_worker *self = nslab_container_of(worker, struct rcu_worker, base);
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = worker->cpu;
	size_t done = 0;

	for (; done < n; done++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj) {
			self->is_failed = true;
			break;
		}
		rcu_defer(self, obj, entry);
		if (self->live.nr == self->live.room)
			rcu_expire(self, entry);
	}
	return done;
}

NSLAB_WORKLOAD_BATCH(rcu)

static void rcu_worker_exit(struct nslab_worker *worker)
{
	struct rcu_worker *self = nslab_container_of(worker, struct rcu_worker, base);
	struct rcu_free *state = nslab_container_of(worker->workload, struct rcu_free, typed.base);

	rcu_expire(self, worker->workload->run->entry);
	atomic_fetch_add(&state->nr_deferred, self->nr_deferred);
	atomic_fetch_add(&state->nr_barriers, self->nr_barriers);
	atomic_fetch_add(&state->nr_touched, self->nr_touched);
	nslab_typed_leave(worker, self->is_failed);
	nslab_live_exit(&self->live, worker->cpu, worker->workload->run->entry);
	free(self);
}

static int rcu_verify(struct nslab_workload *w)
{
	struct rcu_free *state = nslab_container_of(w, struct rcu_free, typed.base);

	return atomic_load(&state->nr_touched) ? -EILSEQ : nslab_typed_verify(w);
}

static void rcu_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct rcu_free *state = nslab_container_of(w, struct rcu_free, typed.base);

	figures->figure(figures, "deferred", (double)atomic_load(&state->nr_deferred), "objects");
	figures->figure(figures, "grace_periods", (double)atomic_load(&state->nr_barriers),
			"barriers");
}

static const struct nslab_workload_ops rcu_ops = {
	.name = "rcu_free",
	.summary = "objects freed in batches after a grace period",
	.models = "kfree_rcu: the replaced entries of tables and trees that are read without locks",
	.min_workers = 1,
	.params = rcu_rows,
	.params_size = sizeof(struct rcu_params),
	.setup = rcu_setup,
	.worker_init = rcu_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(rcu),
	.worker_exit = rcu_worker_exit,
	.verify = rcu_verify,
	.teardown = nslab_typed_teardown,
	.figures = rcu_figures,
};
NSLAB_WORKLOAD_PLUGIN(rcu_ops);
