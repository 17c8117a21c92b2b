/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cache_scratch.c: every worker gets an object that worker 0 allocated beside those of the others,
 * frees it, and then works on small objects of its own: passive false sharing.
 *
 * After the passive-false test of Berger and others, "Hoard", ASPLOS 2000, known as cache-scratch
 * since. An allocator that keeps what a CPU frees for that CPU hands the neighbours on one cache
 * line to different CPUs, which then write that line against each other, and goes on doing so; one
 * that gives objects back to where they came from does not. Lists of each CPU's own (SLUB's, a
 * sheaf, SLAB's array caches) are of the first kind; the kernel accepts it, and it is a reason for
 * SLAB_HWCACHE_ALIGN.
 *
 * How it works: worker 0 allocates one object for each worker in a row when it starts; that takes
 * the place of the original's main thread, which has no CPU handle here. The first batch of each
 * worker takes its object from the table and frees it. After that one operation is an object that
 * is allocated, written `writes` times over and freed. A worker that finds no object yet waits.
 *
 * What differs: worker 0 is one of the workers, so its own object was always its own. The original
 * divides a given number of rounds and prints the time; here the runner times windows. It writes
 * bytes, this writes words of 8 bytes.
 *
 * Invariants: each given object is freed once: by its worker, or by the worker that leaves last
 * when its worker never came to it. An object's first word counts its writes; when it is freed with
 * another count, two workers had the same memory, and verify() says so.
 */
#include "core/lock.h"
#include "workloads/written.h"

#include <numaslab/plugin.h>

struct cache_scratch {
	struct nslab_written written;
	_Atomic(void *) *given; /* [nr_workers]: NULL before it is there and once it is taken */
	int nr_given;
	atomic_int nr_inside;
	atomic_uint_fast64_t nr_taken; /* by a worker other than 0 */
};

struct cache_scratch_worker {
	struct nslab_written_worker written;
	bool has_started; /* took its object */
};

static struct cache_scratch *cache_scratch_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct cache_scratch, written.base);
}

static void cache_scratch_teardown(struct nslab_workload *w)
{
	struct cache_scratch *state = cache_scratch_of(w);

	nslab_written_exit(&state->written);
	free(state->given);
	free(state);
}

static int cache_scratch_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct cache_scratch *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->nr_given = run->nr_workers;
	rc = nslab_written_init(&state->written, run, "cache_scratch", params);
	state->given = nslab_apart_alloc((size_t)run->nr_workers * sizeof(*state->given));
	if (!rc && !state->given)
		rc = -ENOMEM;
	if (rc) {
		cache_scratch_teardown(&state->written.base);
		return rc;
	}
	*w = &state->written.base;
	return 0;
}

/* What nobody took. */
static void cache_scratch_take_back(struct cache_scratch *state, struct nslab_written_worker *self)
{
	for (int i = 0; i < state->nr_given; i++) {
		void *obj = atomic_exchange(&state->given[i], NULL);

		if (obj)
			nslab_object_free(self->base.cpu, &self->type, obj,
					  state->written.base.run->entry);
	}
}

/* Release: pairs with the exchange in cache_scratch_start(). */
static int cache_scratch_give(struct cache_scratch *state, struct nslab_written_worker *self)
{
	for (int i = 0; i < state->nr_given; i++) {
		void *obj = nslab_object_alloc(self->base.cpu, &self->type,
					       state->written.base.run->entry);

		if (!obj)
			return -ENOMEM;
		atomic_store_explicit(&state->given[i], obj, memory_order_release);
	}
	return 0;
}

static int cache_scratch_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
				     struct nslab_worker **worker)
{
	struct cache_scratch *state = cache_scratch_of(w);
	struct cache_scratch_worker *self;
	int rc;

	if (index >= state->nr_given)
		return -EINVAL;
	self = nslab_apart_alloc(sizeof(*self));
	if (!self)
		return -ENOMEM;
	rc = nslab_written_worker_init(&self->written, w, cpu, index);
	if (!rc && index == 0) {
		rc = cache_scratch_give(state, &self->written);
		if (rc)
			cache_scratch_take_back(state, &self->written);
	}
	if (rc) {
		nslab_written_worker_exit(&self->written);
		free(self);
		return rc;
	}
	atomic_fetch_add(&state->nr_inside, 1);
	*worker = &self->written.base;
	return 0;
}

/* Waits for the worker's object and frees it; false when the run is stopping. */
static bool cache_scratch_start(struct cache_scratch_worker *self)
{
	struct nslab_worker *base = &self->written.base;
	struct cache_scratch *state = cache_scratch_of(base->workload);
	struct nslab_run *run = base->workload->run;
	void *obj;

	for (unsigned spins = 1;; spins++) {
		obj = atomic_exchange_explicit(&state->given[base->index], NULL,
					       memory_order_acquire);
		if (obj)
			break;
		if (atomic_load_explicit(&run->is_stopping, memory_order_relaxed))
			return false;
		if (spins % 256)
			nslab_cpu_relax();
		else
			sched_yield();
	}
	nslab_object_free(base->cpu, &self->written.type, obj, run->entry);
	atomic_fetch_add(&state->nr_taken, base->index > 0);
	self->has_started = true;
	return true;
}

static inline __attribute__((always_inline)) size_t
cache_scratch_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct cache_scratch_worker *self =
		nslab_container_of(worker, struct cache_scratch_worker, written.base);

	if (n && !self->has_started && !cache_scratch_start(self))
		return 0;
	return nslab_written_loop(&self->written, n, entry);
}

NSLAB_WORKLOAD_BATCH(cache_scratch)

static void cache_scratch_worker_exit(struct nslab_worker *worker)
{
	struct cache_scratch_worker *self =
		nslab_container_of(worker, struct cache_scratch_worker, written.base);
	struct cache_scratch *state = cache_scratch_of(worker->workload);

	if (atomic_fetch_sub(&state->nr_inside, 1) == 1)
		cache_scratch_take_back(state, &self->written);
	nslab_written_worker_exit(&self->written);
	free(self);
}

static int cache_scratch_verify(struct nslab_workload *w)
{
	struct cache_scratch *state = cache_scratch_of(w);

	for (int i = 0; i < state->nr_given; i++) {
		if (atomic_load(&state->given[i]))
			return -EILSEQ;
	}
	return nslab_written_verdict(&state->written);
}

static void cache_scratch_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	figures->figure(figures, "remote_frees",
			(double)atomic_load(&cache_scratch_of(w)->nr_taken), "objects");
}

static const struct nslab_workload_ops cache_scratch_ops = {
	.name = "cache_scratch",
	.summary = "free a neighbour of the others' objects, then write own ones: passive sharing",
	.models = "passive-false of Berger and others, ASPLOS 2000 (Hoard), as cache-scratch",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 1,
	.params = nslab_written_rows,
	.params_size = sizeof(struct nslab_written_params),
	.setup = cache_scratch_setup,
	.worker_init = cache_scratch_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(cache_scratch),
	.worker_exit = cache_scratch_worker_exit,
	.verify = cache_scratch_verify,
	.teardown = cache_scratch_teardown,
	.figures = cache_scratch_figures,
};
NSLAB_WORKLOAD_PLUGIN(cache_scratch_ops);
