/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * false_sharing.c: small objects of several workers, written again and again.
 *
 * It imitates per-CPU counters and locks that were allocated as if they were alone. What is
 * measured is not the allocator's time but where it puts objects: when those of two workers lie on
 * one cache line, every write of one takes the line away from the other. `mode=active`: all workers
 * allocate at the same time, and a design that deals the objects of one slab to several CPUs makes
 * them neighbours by itself. `mode=passive`: worker 0 allocates neighbouring objects and hands one
 * to each worker in turn; a worker writes and frees what it got, and if the allocator gives it the
 * same one again, as designs with per-CPU lists of any object do, the sharing lasts for ever.
 *
 * How it works: each worker keeps `live_objects`; one operation writes the oldest of them `writes`
 * times, frees it and allocates another in its place. With mode=passive those that it begins with
 * were allocated by worker 0, which puts them into the others' places; a worker waits for that at
 * its first batch.
 *
 * The figure `shared_pairs` is exact for the objects that were alive at the end: pairs of objects
 * of different workers that have a line of 64 bytes in common.
 *
 * Invariants: every place holds an object once its worker began, until it leaves. With an entry
 * that has no allocator nothing is handed out: every worker has a scratch of its own.
 */
#include "workloads/live.h"

#include <numaslab/plugin.h>
#include <sched.h>

enum sharing_mode {
	SHARING_ACTIVE,
	SHARING_PASSIVE
};

struct sharing_params {
	int64_t size;
	int64_t live_objects;
	int64_t writes;
	int64_t mode;
};

/* A line that an object of a worker lies on. */
struct sharing_line {
	uintptr_t line;
	int worker;
};

struct sharing {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct sharing_params params;
	struct nslab_tally tally;
	/* [nr_workers * live_objects], passive: what worker 0 made, NULL when taken over */
	void **gifts;
	atomic_bool has_gifts; /* released by worker 0 */
	/* [nr_workers * live_objects * 2], those of worker i from i * live_objects * 2 on */
	struct sharing_line *lines;
	atomic_uint_fast64_t nr_done, nr_remote, nr_cross;
	atomic_int giver_node;
};

struct sharing_worker {
	struct nslab_worker base;
	struct nslab_live live;
	size_t at, nr_writes;
	size_t nr_gifts; /* of those that it holds, the oldest first */
	uint64_t nr_done;
	struct sharing *state;
	bool is_failed;
};

static const char *const sharing_modes[] = {"active", "passive", NULL};

static const struct nslab_param sharing_rows[] = {
	{
		.name = "size",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct sharing_params, size),
		.def = "8",
		.min = 8,
		.max = 4096,
		.help = "bytes of each object",
	},
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct sharing_params, live_objects),
		.def = "8",
		.min = 1,
		.max = 4096,
		.help = "objects that each worker keeps alive",
	},
	{
		.name = "writes",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct sharing_params, writes),
		.def = "100",
		.min = 1,
		.max = 1 << 20,
		.help = "times that each object is written",
	},
	{
		.name = "mode",
		.type = NSLAB_PARAM_CHOICE,
		.offset = offsetof(struct sharing_params, mode),
		.def = "active",
		.choices = sharing_modes,
		.help = "every worker allocates its objects, or worker 0 makes the first of all",
	},
	NSLAB_PARAM_END,
};

static struct sharing *sharing_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct sharing, base);
}

static struct sharing_worker *sharing_worker_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct sharing_worker, base);
}

static void sharing_teardown(struct nslab_workload *w)
{
	struct sharing *state = sharing_of(w);

	nslab_object_exit(&state->type);
	free(state->gifts);
	free(state->lines);
	free(state);
}

static int sharing_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct sharing *state = calloc(1, sizeof(*state));
	size_t nr;
	int rc;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	memcpy(&state->params, params, sizeof(state->params));
	nr = (size_t)run->nr_workers * (size_t)state->params.live_objects;
	state->gifts = calloc(nr, sizeof(*state->gifts));
	state->lines = calloc(2 * nr, sizeof(*state->lines));
	rc = state->gifts && state->lines ? 0 : -ENOMEM;
	if (!rc)
		rc = nslab_object_init(run, "false_sharing", (size_t)state->params.size,
				       &state->type);
	if (rc) {
		sharing_teardown(&state->base);
		return rc;
	}
	*w = &state->base;
	return 0;
}

/* ---- what worker 0 hands out ---- */

static void **sharing_gifts_of(struct sharing *state, int index)
{
	return state->gifts + (size_t)index * (size_t)state->params.live_objects;
}

/* By worker 0 when it comes: neighbours go to different workers. 0 or -ENOMEM. */
static int sharing_give(struct sharing_worker *self)
{
	struct sharing *state = self->state;
	const struct nslab_run *run = state->base.run;

	atomic_store(&state->giver_node, self->base.cpu->node);
	for (int64_t i = 0; i < state->params.live_objects; i++) {
		for (int to = 0; to < run->nr_workers; to++) {
			void *obj =
				nslab_object_alloc(self->base.cpu, &self->live.type, run->entry);

			if (!obj)
				return -ENOMEM;
			sharing_gifts_of(state, to)[i] = obj;
		}
	}
	atomic_store_explicit(&state->has_gifts, true, memory_order_release);
	return 0;
}

/* Takes over what is there for a worker; nobody else looks at these places any more. */
static void sharing_accept(struct sharing_worker *self, int index)
{
	void **gifts = sharing_gifts_of(self->state, index);

	for (size_t i = 0; i < self->live.room && gifts[i]; i++) {
		self->live.objs[self->live.nr++] = gifts[i];
		gifts[i] = NULL;
	}
}

/* Nobody could take them: worker 0 gives up before it says that they are there. */
static void sharing_take_back(struct sharing_worker *self)
{
	for (int i = 0; i < self->state->base.run->nr_workers; i++) {
		sharing_accept(self, i);
		nslab_live_drain(&self->live, self->base.cpu, self->state->base.run->entry);
	}
}

/* At the first batch. False when the run is stopping. */
static bool sharing_begin(struct sharing_worker *self)
{
	struct sharing *state = self->state;

	while (!atomic_load_explicit(&state->has_gifts, memory_order_acquire)) {
		if (atomic_load(&state->base.run->is_stopping))
			return false;
		sched_yield();
	}
	sharing_accept(self, self->base.index);
	self->nr_gifts = self->live.nr;
	return true;
}

/* Memory is out: the place stays empty, the others move up. */
static void sharing_shorten(struct sharing_worker *self, size_t at)
{
	self->live.objs[at] = self->live.objs[--self->live.nr];
	self->is_failed = true;
}

/* ---- workers ---- */

static void sharing_worker_free(struct sharing_worker *self)
{
	nslab_live_exit(&self->live, self->base.cpu, self->base.workload->run->entry);
	free(self);
}

/* The objects that it begins with, unless they are given to it later. */
static int sharing_prepare(struct sharing_worker *self)
{
	const struct nslab_run *run = self->state->base.run;
	bool is_passive = self->state->params.mode == SHARING_PASSIVE;
	int rc;

	if (!is_passive || run->entry == NSLAB_ENTRY_NONE)
		return nslab_live_fill(&self->live, self->base.cpu, self->live.room, run->entry);
	if (self->base.index)
		return 0;
	rc = sharing_give(self);
	if (rc)
		sharing_take_back(self);
	else
		sharing_accept(self, 0);
	return rc;
}

static int sharing_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			       struct nslab_worker **worker)
{
	struct sharing *state = sharing_of(w);
	struct sharing_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->state = state;
	self->nr_writes = (size_t)state->params.writes;
	rc = nslab_live_init(&self->live, &state->type, (size_t)state->params.live_objects);
	if (!rc)
		rc = sharing_prepare(self);
	if (rc) {
		sharing_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) void sharing_write(void *obj, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		*(volatile uint64_t *)obj = i;
}

static inline __attribute__((always_inline)) size_t
sharing_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct sharing_worker *self = sharing_worker_of(worker);
	const struct nslab_object_type type = self->live.type;
	const size_t nr_writes = self->nr_writes;
	struct nslab_cpu *cpu = worker->cpu;
	void **live = self->live.objs;
	size_t at = self->at, done = 0;

	if (!n || self->is_failed || (!self->live.nr && !sharing_begin(self)))
		return 0;
	for (; done < n; done++) {
		/* freed first: the next one may be the same */
		sharing_write(live[at], nr_writes);
		nslab_object_free(cpu, &type, live[at], entry);
		live[at] = nslab_object_alloc(cpu, &type, entry);
		if (!live[at]) {
			sharing_shorten(self, at);
			break;
		}
		at = at + 1 == self->live.nr ? 0 : at + 1;
	}
	self->at = at;
	self->nr_done += done;
	return done;
}

NSLAB_WORKLOAD_BATCH(sharing)

/* ---- lines that objects of two workers lie on ---- */

static void sharing_note_lines(const struct sharing_worker *self)
{
	const size_t first = (size_t)self->base.index * 2 * self->live.room;
	struct sharing_line *lines = self->state->lines + first;

	for (size_t i = 0; i < self->live.nr; i++) {
		uintptr_t begin = (uintptr_t)self->live.objs[i];
		uintptr_t end = begin + self->live.type.size_bytes - 1;

		/* apart from these two no line of the object can be another object's as well */
		*lines++ = (struct sharing_line){begin / 64, self->base.index};
		if (end / 64 != begin / 64)
			*lines++ = (struct sharing_line){end / 64, self->base.index};
	}
}

static int sharing_by_line(const void *a, const void *b)
{
	const struct sharing_line *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

/* Two objects that do not overlap have one line in common at most, so no pair counts twice. */
static uint64_t sharing_count_pairs(struct sharing *state)
{
	const size_t nr =
		(size_t)state->base.run->nr_workers * 2 * (size_t)state->params.live_objects;
	struct sharing_line *lines = state->lines;
	uint64_t nr_pairs = 0;

	qsort(lines, nr, sizeof(*lines), sharing_by_line);
	for (size_t i = 0; i < nr; i++) {
		for (size_t j = i; lines[i].line && j-- > 0 && lines[j].line == lines[i].line;)
			nr_pairs += lines[j].worker != lines[i].worker;
	}
	return nr_pairs;
}

static void sharing_worker_exit(struct nslab_worker *worker)
{
	struct sharing_worker *self = sharing_worker_of(worker);
	struct sharing *state = self->state;
	uint64_t nr_remote = self->nr_gifts;

	if (!self->live.nr && atomic_load(&state->has_gifts))
		sharing_accept(self, worker->index);
	if (self->nr_done < nr_remote)
		nr_remote = self->nr_done;
	sharing_note_lines(self);
	atomic_fetch_add(&state->nr_done, self->nr_done);
	atomic_fetch_add(&state->nr_remote, nr_remote);
	if (nr_remote && atomic_load(&state->giver_node) != worker->cpu->node)
		atomic_fetch_add(&state->nr_cross, nr_remote);
	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	sharing_worker_free(self);
}

static int sharing_verify(struct nslab_workload *w)
{
	return nslab_tally_verdict(&sharing_of(w)->tally);
}

static void sharing_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct sharing *state = sharing_of(w);

	figures->figure(figures, "objects", (double)atomic_load(&state->nr_done), "objects");
	figures->figure(figures, "shared_pairs", (double)sharing_count_pairs(state), "pairs");
	figures->figure(figures, "remote_frees", (double)atomic_load(&state->nr_remote), "objects");
	figures->figure(figures, "cross_node_frees", (double)atomic_load(&state->nr_cross),
			"objects");
}

static const struct nslab_workload_ops sharing_ops = {
	.name = "false_sharing",
	.summary = "small objects of several workers, written again and again",
	.models = "per-CPU data that shares cache lines, by chance or because it was handed out",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 2,
	.params = sharing_rows,
	.params_size = sizeof(struct sharing_params),
	.setup = sharing_setup,
	.worker_init = sharing_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(sharing),
	.worker_exit = sharing_worker_exit,
	.verify = sharing_verify,
	.teardown = sharing_teardown,
	.figures = sharing_figures,
};
NSLAB_WORKLOAD_PLUGIN(sharing_ops);
