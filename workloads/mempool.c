// SPDX-License-Identifier: GPL-2.0-only
/*
 * mempool.c: a reserve of elements that keeps work going while allocations fail.
 *
 * It imitates block I/O under memory pressure: a request must get its element even when the
 * allocator has none, because finishing it is what frees memory. A pool holds min_nr elements back,
 * asks the allocator first, hands out of the reserve when that fails, and puts what comes back into
 * the reserve until it is full again. What it costs an allocator is the refused call before, and
 * that elements of the reserve are old, cold and from anywhere.
 *
 * How it works: each worker has a pool. A round takes in_flight elements, as a queue of requests is
 * submitted, and gives them back in the same order, as they complete; batch(n) does whole rounds,
 * so it may return up to in_flight - 1 more than n. Of each refuse_period allocations the last
 * refuse_run are refused before the allocator is asked, all of them when both are equal; a real
 * NULL counts the same. When the reserve is empty, too, the oldest element under way completes
 * first, and its return refills the reserve: the kernel's pool waits for that. One operation is one
 * element taken and given back, wherever it came from; the figures tell how many did not come from
 * the allocator.
 *
 * Invariants: the reserve holds 0 to min_nr elements, min_nr between two rounds, and nothing goes
 * back to the allocator while it is not full; when it is empty, at least min_nr are under way.
 * verify() holds the sum of addresses of what the allocator gave against that
 * of what went back to it, what was held at the end included: -EILSEQ when they differ. Running out
 * of memory is what the pool is for; -ENOMEM is left for worker_init, which cannot fill it then.
 */
#include "workloads/live.h"
#include "workloads/typed.h"

#include <numaslab/plugin.h>

struct mempool_params {
	int64_t size;
	int64_t min_nr;
	int64_t in_flight;
	int64_t refuse_period;
	int64_t refuse_run;
};

enum mempool_count {
	MEMPOOL_ELEMENTS, /* taken, and as many given back */
	MEMPOOL_REFUSED,  /* calls, by the parameters or by the allocator */
	MEMPOOL_RESERVE,  /* elements that came from the reserve */
	MEMPOOL_WAITS,	  /* the reserve was empty */
	MEMPOOL_SUM,	  /* addresses given by the allocator minus those that went back: 0 */
	MEMPOOL_NR_COUNTS
};

struct mempool {
	struct nslab_typed typed;
	struct mempool_params params;
	atomic_uint_fast64_t counts[MEMPOOL_NR_COUNTS]; /* added up when workers leave */
};

/* What every operation changes: a batch keeps it in registers. */
struct mempool_hand {
	size_t oldest; /* under way: what is before it in this round has completed */
	uint64_t left; /* allocations to the end of this period */
	uint64_t sum;  /* as MEMPOOL_SUM */
};

struct mempool_worker {
	struct nslab_worker base;
	struct nslab_live flying; /* room for a round; its number is not used */
	struct nslab_live reserve;
	struct mempool_hand hand;
	uint64_t period, run;
	uint64_t counts[MEMPOOL_NR_COUNTS];
};

static const struct nslab_param mempool_rows[] = {
	NSLAB_SIZE_ROW(mempool_params),
	{
		.name = "min_nr",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct mempool_params, min_nr),
		.def = "16",
		.min = 1,
		.max = 1 << 20,
		.help = "elements that the reserve of a worker holds",
	},
	{
		.name = "in_flight",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct mempool_params, in_flight),
		.def = "64",
		.min = 1,
		.max = 1 << 20,
		.help = "elements taken before the first is given back",
	},
	{
		.name = "refuse_period",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct mempool_params, refuse_period),
		.def = "256",
		.min = 0,
		.max = 1 << 30,
		.help = "of so many allocations the last refuse_run are refused; 0: none is",
	},
	{
		.name = "refuse_run",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct mempool_params, refuse_run),
		.def = "32",
		.min = 1,
		.max = 1 << 30,
		.help = "allocations refused in a row, at most refuse_period",
	},
	NSLAB_PARAM_END,
};

static int mempool_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct mempool_params *p = params;
	struct mempool *state;
	int rc;

	if (p->refuse_period && p->refuse_run > p->refuse_period)
		return -EINVAL;
	state = nslab_typed_create(run, "mempool", p->size, sizeof(*state), &rc);
	if (!state)
		return rc;
	state->params = *p;
	*w = &state->typed.base;
	return 0;
}

/* Gives the reserve back to the allocator. */
static void mempool_drain(struct mempool_worker *self)
{
	enum nslab_entry entry = self->base.workload->run->entry;

	for (size_t i = 0; i < self->reserve.nr; i++)
		self->hand.sum -= (uintptr_t)self->reserve.objs[i];
	nslab_live_exit(&self->reserve, self->base.cpu, entry);
	nslab_live_exit(&self->flying, self->base.cpu, entry);
}

static int mempool_fill(struct mempool_worker *self, const struct mempool *state)
{
	const struct nslab_object_type *type = &state->typed.type;
	size_t nr = (size_t)state->params.min_nr;
	int rc = nslab_live_init(&self->flying, type, (size_t)state->params.in_flight);

	if (!rc)
		rc = nslab_live_init(&self->reserve, type, nr);
	if (!rc)
		rc = nslab_live_fill(&self->reserve, self->base.cpu, nr,
				     state->typed.base.run->entry);
	for (size_t i = 0; i < self->reserve.nr; i++)
		self->hand.sum += (uintptr_t)self->reserve.objs[i];
	return rc;
}

static int mempool_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			       struct nslab_worker **worker)
{
	struct mempool *state = nslab_container_of(w, struct mempool, typed.base);
	struct mempool_worker *self = nslab_worker_create(w, cpu, index, sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->period = (uint64_t)state->params.refuse_period;
	self->run = self->period ? (uint64_t)state->params.refuse_run : 0;
	if (!self->period)
		self->period = UINT64_MAX;
	self->hand.left = self->period;
	rc = mempool_fill(self, state);
	if (rc) {
		mempool_drain(self);
		free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) void mempool_return(struct mempool_worker *self,
								 struct mempool_hand *hand,
								 void *obj,
								 const enum nslab_entry entry)
{
	struct nslab_live *reserve = &self->reserve;

	if (__builtin_expect(reserve->nr < reserve->room, 0)) {
		reserve->objs[reserve->nr++] = obj;
		return;
	}
	hand->sum -= (uintptr_t)obj;
	nslab_object_free(self->base.cpu, &self->flying.type, obj, entry);
}

/* What the pool does when the allocator gives nothing. */
static inline __attribute__((always_inline)) void *
mempool_take_reserve(struct mempool_worker *self, struct mempool_hand *hand,
		     const enum nslab_entry entry)
{
	self->counts[MEMPOOL_REFUSED]++;
	if (!self->reserve.nr) {
		self->counts[MEMPOOL_WAITS]++;
		mempool_return(self, hand, self->flying.objs[hand->oldest++], entry);
	}
	self->counts[MEMPOOL_RESERVE]++;
	return self->reserve.objs[--self->reserve.nr];
}

static inline __attribute__((always_inline)) void *
mempool_take(struct mempool_worker *self, struct mempool_hand *hand, const enum nslab_entry entry)
{
	bool is_refused = hand->left <= self->run;
	void *obj = NULL;

	if (--hand->left == 0)
		hand->left = self->period;
	if (!is_refused)
		obj = nslab_object_alloc(self->base.cpu, &self->flying.type, entry);
	if (__builtin_expect(!obj, 0))
		return mempool_take_reserve(self, hand, entry);
	hand->sum += (uintptr_t)obj;
	return obj;
}

static inline __attribute__((always_inline)) size_t
mempool_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct mempool_worker *self = nslab_container_of(worker, struct mempool_worker, base);
	struct mempool_hand hand = self->hand;
	const size_t nr_flying = self->flying.room;
	void **flying = self->flying.objs;
	size_t done = 0;

	for (; done < n; done += nr_flying) {
		hand.oldest = 0;
		for (size_t i = 0; i < nr_flying; i++)
			flying[i] = mempool_take(self, &hand, entry);
		for (size_t i = hand.oldest; i < nr_flying; i++)
			mempool_return(self, &hand, flying[i], entry);
	}
	self->hand = hand;
	self->counts[MEMPOOL_ELEMENTS] += done;
	return done;
}

NSLAB_WORKLOAD_BATCH(mempool)

static void mempool_worker_exit(struct nslab_worker *worker)
{
	struct mempool_worker *self = nslab_container_of(worker, struct mempool_worker, base);
	struct mempool *state = nslab_container_of(worker->workload, struct mempool, typed.base);

	mempool_drain(self);
	self->counts[MEMPOOL_SUM] = self->hand.sum;
	for (int i = 0; i < MEMPOOL_NR_COUNTS; i++)
		atomic_fetch_add(&state->counts[i], self->counts[i]);
	free(self);
}

static int mempool_verify(struct nslab_workload *w)
{
	struct mempool *state = nslab_container_of(w, struct mempool, typed.base);

	return atomic_load(&state->counts[MEMPOOL_SUM]) ? -EILSEQ : 0;
}

static void mempool_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	static const char *const names[] = {"elements", "refused", "reserve_uses", "waits"};
	static const char *const units[] = {"elements", "calls", "elements", "waits"};
	struct mempool *state = nslab_container_of(w, struct mempool, typed.base);

	for (int i = MEMPOOL_ELEMENTS; i <= MEMPOOL_WAITS; i++)
		figures->figure(figures, names[i], (double)atomic_load(&state->counts[i]),
				units[i]);
}

static const struct nslab_workload_ops mempool_ops = {
	.name = "mempool",
	.summary = "elements taken and given back while allocations fail: a reserve steps in",
	.models = "block I/O under memory pressure: mempool_alloc and mempool_free",
	.min_workers = 1,
	.params = mempool_rows,
	.params_size = sizeof(struct mempool_params),
	.setup = mempool_setup,
	.worker_init = mempool_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(mempool),
	.worker_exit = mempool_worker_exit,
	.verify = mempool_verify,
	.teardown = nslab_typed_teardown,
	.figures = mempool_figures,
};
NSLAB_WORKLOAD_PLUGIN(mempool_ops);
