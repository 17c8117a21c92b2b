/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xmalloc_test.c: producers allocate batches of objects, consumers free batches, through one shared
 * bounded queue.
 *
 * After Chuck Lever and David Boreham, "malloc() Performance in a Multithreaded Linux Environment",
 * USENIX 2000, in the form of xmalloc-test (C. Eder; with Kuszmaul's SuperMalloc, ISMM 2015): half
 * of the threads only allocate and half only free, so an allocator that keeps what a thread frees
 * for that thread gives the consumers everything and the producers nothing. In the kernel these are
 * packets that some CPUs receive and others consume. Other than in remote_free any consumer takes
 * any producer's batch.
 *
 * How it works: workers 2k produce, workers 2k + 1 consume. `batches` of `batch_objects` slots go
 * round between two queues: a producer takes an empty one, fills it and queues it as full; a
 * consumer frees the objects of a full one and queues it as empty. So the number of batches bounds
 * what is on its way. One operation is one object that a producer made; windows of the consumers
 * are not counted. A worker that finds its queue empty spins, then yields, and gives up when the
 * run is stopping.
 *
 * What differs: the original allocates the batches too and counts frees for some seconds; here
 * batches are made once, so that only objects reach the allocator, and the runner counts. The
 * lengths of queue and batch are ours.
 *
 * Invariants: a batch is in one queue or with one worker. Slots [begin, end) of a batch hold
 * objects; whoever holds it when it leaves frees them, and the worker that leaves last frees those
 * of the full queue. Number and sum of addresses of allocated and freed objects are equal.
 *
 * Locks: one for both queues (rank CACHE), taken once for each batch and hand; nothing is
 * called under it.
 */
#include "core/lock.h"
#include "workloads/sized.h"

#include <numaslab/plugin.h>

struct xmalloc_params {
	int64_t min_size, max_size;
	int64_t batch_objects;
	int64_t batches;
};

struct xmalloc_batch {
	size_t begin, end; /* slots that hold objects */
	struct nslab_sized slots[];
};

struct xmalloc_queue {
	struct xmalloc_batch **batches; /* [room] */
	size_t room, head, nr;
};

struct xmalloc {
	struct nslab_sized_workload sized;
	struct xmalloc_params params;
	struct nslab_lock lock;
	struct xmalloc_queue empty, full;
	atomic_int nr_inside;
	atomic_uint_fast64_t nr_produced, nr_consumed; /* added up when workers leave */
};

struct xmalloc_worker {
	struct nslab_sized_worker sized;
	struct xmalloc_batch *batch; /* in hand, or NULL */
	size_t batch_objects;
	uint64_t nr_passed; /* objects produced or consumed */
};

static const struct nslab_param xmalloc_rows[] = {
	NSLAB_MIN_SIZE_ROW(xmalloc_params, "8"),
	NSLAB_MAX_SIZE_ROW(xmalloc_params, "512"),
	{
		.name = "batch_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct xmalloc_params, batch_objects),
		.def = "256",
		.min = 1,
		.max = 1 << 20,
		.help = "objects of a batch",
	},
	{
		.name = "batches",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct xmalloc_params, batches),
		.def = "32",
		.min = 1,
		.max = 1 << 16,
		.help = "batches in all: full, empty or in a worker's hand",
	},
	NSLAB_PARAM_END,
};

static struct xmalloc *xmalloc_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct xmalloc, sized.base);
}

static bool xmalloc_is_consumer(const struct xmalloc_worker *self)
{
	return self->sized.base.index & 1;
}

/* ---- the queues ---- */

static struct xmalloc_batch *xmalloc_pop(struct xmalloc_queue *queue)
{
	struct xmalloc_batch *batch = NULL;

	if (queue->nr) {
		batch = queue->batches[queue->head];
		queue->head = nslab_draws_next(queue->head, queue->room);
		queue->nr--;
	}
	return batch;
}

/* There is room: a queue has room for all batches. */
static void xmalloc_push(struct xmalloc_queue *queue, struct xmalloc_batch *batch)
{
	size_t tail = queue->head + queue->nr++;

	queue->batches[tail < queue->room ? tail : tail - queue->room] = batch;
}

static void xmalloc_queue_exit(struct xmalloc_queue *queue)
{
	while (queue->nr)
		free(xmalloc_pop(queue));
	free(queue->batches);
}

/* Puts the batch in hand into `to` and takes one from `from`; false when there is none. */
static bool xmalloc_turn_over(struct xmalloc_worker *self, struct xmalloc_queue *to,
			      struct xmalloc_queue *from)
{
	struct xmalloc *state = xmalloc_of(self->sized.base.workload);

	nslab_lock_acquire(&state->lock);
	if (self->batch)
		xmalloc_push(to, self->batch);
	self->batch = xmalloc_pop(from);
	nslab_lock_release(&state->lock);
	return self->batch != NULL;
}

/* False when the run is stopping. */
static bool xmalloc_next(struct xmalloc_worker *self)
{
	struct xmalloc *state = xmalloc_of(self->sized.base.workload);
	bool is_consumer = xmalloc_is_consumer(self);
	struct xmalloc_queue *to = is_consumer ? &state->empty : &state->full;
	struct xmalloc_queue *from = is_consumer ? &state->full : &state->empty;

	for (unsigned spins = 1; !xmalloc_turn_over(self, to, from); spins++) {
		if (atomic_load_explicit(&state->sized.base.run->is_stopping, memory_order_relaxed))
			return false;
		if (spins % 64)
			nslab_cpu_relax();
		else
			sched_yield();
	}
	return true;
}

/* ---- life ---- */

static void xmalloc_teardown(struct nslab_workload *w)
{
	struct xmalloc *state = xmalloc_of(w);

	xmalloc_queue_exit(&state->empty);
	xmalloc_queue_exit(&state->full);
	nslab_sizes_exit(&state->sized.sizes);
	free(state);
}

static int xmalloc_queues_init(struct xmalloc *state)
{
	size_t nr_slots = (size_t)state->params.batch_objects;
	size_t nr = (size_t)state->params.batches;

	state->empty.room = state->full.room = nr;
	state->empty.batches = calloc(nr, sizeof(*state->empty.batches));
	state->full.batches = calloc(nr, sizeof(*state->full.batches));
	if (!state->empty.batches || !state->full.batches)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		struct xmalloc_batch *batch =
			nslab_apart_alloc(sizeof(*batch) + nr_slots * sizeof(batch->slots[0]));

		if (!batch)
			return -ENOMEM;
		xmalloc_push(&state->empty, batch);
	}
	return 0;
}

static int xmalloc_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct xmalloc_params *p = params;
	struct xmalloc *state;
	int rc;

	if (run->nr_workers < 2 || run->nr_workers % 2)
		return -EINVAL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->params = *p;
	nslab_lock_init(&state->lock, NSLAB_RANK_CACHE);
	rc = nslab_sized_init(&state->sized, run, "xmalloc_test", NSLAB_LAW_UNIFORM, p->min_size,
			      p->max_size);
	if (!rc)
		rc = xmalloc_queues_init(state);
	if (rc) {
		xmalloc_teardown(&state->sized.base);
		return rc;
	}
	*w = &state->sized.base;
	return 0;
}

static int xmalloc_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			       struct nslab_worker **worker)
{
	struct xmalloc *state = xmalloc_of(w);
	struct xmalloc_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->batch_objects = (size_t)state->params.batch_objects;
	rc = nslab_sized_worker_init(&self->sized, w, cpu, index);
	self->sized.base.is_counted = !xmalloc_is_consumer(self);
	if (rc) {
		nslab_sized_worker_exit(&self->sized);
		free(self);
		return rc;
	}
	atomic_fetch_add(&state->nr_inside, 1);
	*worker = &self->sized.base;
	return 0;
}

/* ---- the loop ---- */

/* nr more objects into the batch; how many there was memory for. */
static inline __attribute__((always_inline)) size_t
xmalloc_put(struct xmalloc_worker *self, size_t nr, const enum nslab_entry entry)
{
	struct nslab_cursor cur = self->sized.cur;
	struct nslab_sized *slots = self->batch->slots + self->batch->end;
	size_t done = 0;

	while (done < nr && nslab_cursor_alloc(&cur, &slots[done], entry))
		done++;
	self->batch->end += done;
	self->sized.is_failed = done < nr;
	self->sized.cur = cur;
	return done;
}

static inline __attribute__((always_inline)) size_t
xmalloc_take(struct xmalloc_worker *self, size_t nr, const enum nslab_entry entry)
{
	struct nslab_cursor cur = self->sized.cur;
	struct nslab_sized *slots = self->batch->slots + self->batch->begin;

	for (size_t i = 0; i < nr; i++)
		nslab_cursor_free(&cur, &slots[i], entry);
	self->batch->begin += nr;
	self->sized.cur = cur;
	return nr;
}

/* Slots of the batch in hand that this worker has still to fill or to free. */
static size_t xmalloc_left(const struct xmalloc_worker *self)
{
	if (!self->batch)
		return 0;
	return (xmalloc_is_consumer(self) ? self->batch->end - self->batch->begin
					  : self->batch_objects - self->batch->end);
}

static inline __attribute__((always_inline)) size_t
xmalloc_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct xmalloc_worker *self = nslab_container_of(worker, struct xmalloc_worker, sized.base);
	size_t done = 0;

	while (done < n && !self->sized.is_failed) {
		size_t nr = xmalloc_left(self);

		if (!nr) {
			if (self->batch && xmalloc_is_consumer(self))
				self->batch->begin = self->batch->end = 0;
			if (!xmalloc_next(self))
				break;
			continue;
		}
		nr = nr < n - done ? nr : n - done;
		done += xmalloc_is_consumer(self) ? xmalloc_take(self, nr, entry)
						  : xmalloc_put(self, nr, entry);
	}
	self->nr_passed += done;
	return done;
}

NSLAB_WORKLOAD_BATCH(xmalloc)

/* ---- the end ---- */

static void xmalloc_drain(struct xmalloc_worker *self, struct xmalloc_batch *batch)
{
	nslab_sized_drain(&self->sized, batch->slots + batch->begin, batch->end - batch->begin,
			  self->sized.base.workload->run->entry);
	batch->begin = batch->end = 0;
}

static void xmalloc_worker_exit(struct nslab_worker *worker)
{
	struct xmalloc_worker *self = nslab_container_of(worker, struct xmalloc_worker, sized.base);
	struct xmalloc *state = xmalloc_of(worker->workload);
	bool is_consumer = xmalloc_is_consumer(self);
	struct xmalloc_batch *batch;

	atomic_fetch_add(is_consumer ? &state->nr_consumed : &state->nr_produced, self->nr_passed);
	if (self->batch)
		xmalloc_drain(self, self->batch);
	nslab_lock_acquire(&state->lock);
	if (self->batch)
		xmalloc_push(&state->empty, self->batch);
	nslab_lock_release(&state->lock);
	if (atomic_fetch_sub(&state->nr_inside, 1) == 1) {
		while ((batch = xmalloc_pop(&state->full))) {
			xmalloc_drain(self, batch);
			xmalloc_push(&state->empty, batch);
		}
	}
	nslab_sized_worker_exit(&self->sized);
	free(self);
}

static int xmalloc_verify(struct nslab_workload *w)
{
	return nslab_sized_verdict(&xmalloc_of(w)->sized);
}

static void xmalloc_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct xmalloc *state = xmalloc_of(w);

	figures->figure(figures, "produced", (double)atomic_load(&state->nr_produced), "objects");
	figures->figure(figures, "remote_frees", (double)atomic_load(&state->nr_consumed),
			"objects");
}

static const struct nslab_workload_ops xmalloc_ops = {
	.name = "xmalloc_test",
	.summary = "producers make batches, consumers free them, through one bounded queue",
	.models = "Lever and Boreham, USENIX 2000, as xmalloc-test: allocate here, free there",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 2,
	.worker_group = 2,
	.params = xmalloc_rows,
	.params_size = sizeof(struct xmalloc_params),
	.setup = xmalloc_setup,
	.worker_init = xmalloc_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(xmalloc),
	.worker_exit = xmalloc_worker_exit,
	.verify = xmalloc_verify,
	.teardown = xmalloc_teardown,
	.figures = xmalloc_figures,
	.catches = "gperftools#1448: 92 M frees/s with glibc, 2.5 M with tcmalloc, 32 + 32 threads",
};
NSLAB_WORKLOAD_PLUGIN(xmalloc_ops);
