// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab_test.c: the six phases of the classic in-kernel test of slab allocators, by their own names
 * and counted by the object.
 *
 * The kernel module of 2009 is what allocator changes were argued with for more than ten years. Its
 * phases are kept, its faults of counting are not: it divides by the same N whatever a CPU really
 * did (in `remote_free` one CPU frees all others' objects), and in `one_alloc` most objects are
 * never freed. Here every object is freed, and an operation is one object allocated and freed.
 *
 *	n_n               one worker: N allocations, then N frees
 *	pairs             one worker: an allocation and its free, over and over
 *	concurrent_n_n    all workers at once: N allocations, then N frees
 *	concurrent_pairs  all workers at once: pairs
 *	remote_free       all but worker 0 allocate N each, then worker 0 frees them all
 *	one_alloc         worker 0 allocates N for each other, then each frees its N
 *
 * How it works: a round has two halves, allocation and freeing, and in all but the pairs the
 * workers wait for each other (gate.h) before each half, so that all allocate, or all free, at the
 * same time. That wait is inside the windows: a worker's time is that of the slowest, and with more
 * workers than PUs the figures tell of the scheduler. Objects lie in an array per worker, filled by
 * whoever allocates and emptied by whoever frees; the gate hands it over. Counted are the workers
 * that allocate. batch(n) does whole rounds, so it may return more than n. The classic's two
 *averages, of allocation and of free, are told for each worker by the run's clock, read around each
 *half and without the waits; everything else is the runner's windows.
 *
 * Invariants: an array is touched by one worker at a time; a worker that gives up at a gate because
 * the run is stopping leaves its array to worker_exit, which comes after all batches have ended.
 * verify() holds allocations against frees, and their sums of addresses: -EILSEQ when they differ.
 * The round of a failed allocation is finished with what there was, and verify() says -ENOMEM.
 */
#include "workloads/gate.h"
#include "workloads/live.h"
#include "workloads/typed.h"

#include <numaslab/plugin.h>

enum slab_test_phase {
	SLAB_TEST_N_N,
	SLAB_TEST_PAIRS,
	SLAB_TEST_CONCURRENT_N_N,
	SLAB_TEST_CONCURRENT_PAIRS,
	SLAB_TEST_REMOTE_FREE,
	SLAB_TEST_ONE_ALLOC
};

struct slab_test_params {
	int64_t size;
	int64_t phase;
	int64_t objects;
};

/* What a worker did, in objects. */
struct slab_test_counts {
	uint64_t nr_allocs, nr_frees;
	uint64_t alloc_ns, free_ns; /* in the halves of rounds; of pairs: alloc_ns is of both */
	uintptr_t allocs_sum, frees_sum; /* of addresses */
};

struct slab_test {
	struct nslab_typed typed;
	enum slab_test_phase phase;
	size_t nr_objects;
	int nr_workers;
	struct nslab_gate *gate;
	struct nslab_live **lives;	 /* [nr_workers], of the workers that are there */
	struct slab_test_counts *counts; /* [nr_workers], written when one leaves */
};

struct slab_test_worker {
	struct nslab_worker base;
	struct nslab_live live;
	int first_alloc, nr_alloc; /* the arrays that it fills */
	int first_free, nr_free;   /* the arrays that it empties */
	struct slab_test_counts counts;
	bool is_failed;
};

static const char *const slab_test_phases[] = {
	"n_n", "pairs", "concurrent_n_n", "concurrent_pairs", "remote_free", "one_alloc", NULL};

static const struct nslab_param slab_test_rows[] = {
	NSLAB_SIZE_ROW(slab_test_params),
	{
		.name = "phase",
		.type = NSLAB_PARAM_CHOICE,
		.offset = offsetof(struct slab_test_params, phase),
		.def = "concurrent_n_n",
		.choices = slab_test_phases,
		.help = "n_n and pairs need 1 worker, remote_free and one_alloc 2 or more",
	},
	{
		.name = "objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct slab_test_params, objects),
		.def = "10000",
		.min = 1,
		.max = 1 << 24,
		.help = "N: objects of a round for each worker that allocates (one_alloc: frees)",
	},
	NSLAB_PARAM_END,
};

static bool slab_test_fits(enum slab_test_phase phase, int nr_workers)
{
	switch (phase) {
	case SLAB_TEST_N_N:
	case SLAB_TEST_PAIRS:
		return nr_workers == 1;
	case SLAB_TEST_REMOTE_FREE:
	case SLAB_TEST_ONE_ALLOC:
		return nr_workers >= 2;
	default:
		return true;
	}
}

static void slab_test_teardown(struct nslab_workload *w)
{
	struct slab_test *state = nslab_container_of(w, struct slab_test, typed.base);

	free(state->gate);
	free(state->lives);
	free(state->counts);
	nslab_typed_teardown(w);
}

static int slab_test_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct slab_test_params *p = params;
	size_t nr_workers = (size_t)run->nr_workers;
	struct slab_test *state;
	int rc;

	if (!slab_test_fits((enum slab_test_phase)p->phase, run->nr_workers))
		return -EINVAL;
	state = nslab_typed_create(run, "slab_test", p->size, sizeof(*state), &rc);
	if (!state)
		return rc;
	state->phase = (enum slab_test_phase)p->phase;
	state->nr_objects = (size_t)p->objects;
	state->nr_workers = run->nr_workers;
	state->gate = nslab_apart_alloc(sizeof(*state->gate));
	state->lives = calloc(nr_workers, sizeof(struct nslab_live *));
	state->counts = calloc(nr_workers, sizeof(*state->counts));
	if (!state->gate || !state->lives || !state->counts) {
		slab_test_teardown(&state->typed.base);
		return -ENOMEM;
	}
	state->gate->nr_workers = (unsigned)run->nr_workers;
	*w = &state->typed.base;
	return 0;
}

/* Who fills and who empties which arrays. */
static void slab_test_assign(struct slab_test_worker *self, const struct slab_test *state)
{
	const int index = self->base.index, nr_others = state->nr_workers - 1;

	self->first_alloc = self->first_free = index;
	self->nr_alloc = self->nr_free = 1;
	if (state->phase == SLAB_TEST_REMOTE_FREE) {
		self->nr_alloc = index ? 1 : 0;
		self->first_free = 1;
		self->nr_free = index ? 0 : nr_others;
	}
	if (state->phase == SLAB_TEST_ONE_ALLOC) {
		self->first_alloc = 1;
		self->nr_alloc = index ? 0 : nr_others;
		self->nr_free = index ? 1 : 0;
	}
	self->base.is_counted = self->nr_alloc > 0;
}

static int slab_test_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
				 struct nslab_worker **worker)
{
	struct slab_test *state = nslab_container_of(w, struct slab_test, typed.base);
	struct slab_test_worker *self = nslab_worker_create(w, cpu, index, sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	slab_test_assign(self, state);
	rc = nslab_live_init(&self->live, &state->typed.type, state->nr_objects);
	if (rc) {
		nslab_live_exit(&self->live, cpu, w->run->entry);
		free(self);
		return rc;
	}
	state->lives[index] = &self->live; /* the first gate shows it to the others */
	*worker = &self->base;
	return 0;
}

/* Returns how many objects there was memory for. */
static inline __attribute__((always_inline)) size_t
slab_test_fill(struct slab_test_worker *self, struct nslab_live *live, const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = self->base.cpu;
	const size_t room = live->room;
	void **objs = live->objs;
	uintptr_t sum = 0;
	size_t nr = 0;

	for (; nr < room; nr++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj) {
			self->is_failed = true;
			break;
		}
		sum += (uintptr_t)obj;
		objs[nr] = obj;
	}
	live->nr = nr;
	self->counts.nr_allocs += nr;
	self->counts.allocs_sum += sum;
	return nr;
}

static inline __attribute__((always_inline)) size_t slab_test_empty(struct slab_test_worker *self,
								    struct nslab_live *live,
								    const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = self->base.cpu;
	const size_t nr = live->nr;
	void **objs = live->objs;
	uintptr_t sum = 0;

	for (size_t i = 0; i < nr; i++) {
		sum += (uintptr_t)objs[i];
		nslab_object_free(cpu, &type, objs[i], entry);
	}
	live->nr = 0;
	self->counts.nr_frees += nr;
	self->counts.frees_sum += sum;
	return nr;
}

static uint64_t slab_test_now_ns(const struct slab_test *state)
{
	const struct nslab_run *run = state->typed.base.run;

	return run->now_ns ? run->now_ns(run) : 0;
}

/* One round; the objects that this worker allocated, or, when it allocates none, freed. */
static inline __attribute__((always_inline)) size_t slab_test_round(struct slab_test_worker *self,
								    struct slab_test *state,
								    const enum nslab_entry entry)
{
	const atomic_bool *is_stopping = &state->typed.base.run->is_stopping;
	size_t nr_allocs = 0, nr_frees = 0;
	uint64_t begin_ns;

	if (!nslab_gate_pass(state->gate, is_stopping))
		return 0;
	begin_ns = slab_test_now_ns(state);
	for (int i = 0; i < self->nr_alloc; i++)
		nr_allocs += slab_test_fill(self, state->lives[self->first_alloc + i], entry);
	self->counts.alloc_ns += slab_test_now_ns(state) - begin_ns;
	if (nslab_gate_pass(state->gate, is_stopping)) {
		begin_ns = slab_test_now_ns(state);
		for (int i = 0; i < self->nr_free; i++)
			nr_frees +=
				slab_test_empty(self, state->lives[self->first_free + i], entry);
		self->counts.free_ns += slab_test_now_ns(state) - begin_ns;
	}
	return self->nr_alloc ? nr_allocs : nr_frees;
}

static inline __attribute__((always_inline)) size_t
slab_test_pairs(struct slab_test_worker *self, size_t n, const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = self->base.cpu;
	uintptr_t sum = 0;
	size_t done = 0;

	for (; done < n; done++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj) {
			self->is_failed = true;
			break;
		}
		sum += (uintptr_t)obj;
		nslab_object_free(cpu, &type, obj, entry);
	}
	self->counts.nr_allocs += done;
	self->counts.nr_frees += done;
	self->counts.allocs_sum += sum;
	self->counts.frees_sum += sum;
	return done;
}

static inline __attribute__((always_inline)) size_t
slab_test_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct slab_test_worker *self = nslab_container_of(worker, struct slab_test_worker, base);
	struct slab_test *state =
		nslab_container_of(worker->workload, struct slab_test, typed.base);
	const atomic_bool *is_stopping = &worker->workload->run->is_stopping;
	size_t done = 0;

	if (state->phase == SLAB_TEST_PAIRS || state->phase == SLAB_TEST_CONCURRENT_PAIRS) {
		uint64_t begin_ns = slab_test_now_ns(state);

		done = slab_test_pairs(self, n, entry);
		self->counts.alloc_ns += slab_test_now_ns(state) - begin_ns;
		return done;
	}
	while (done < n && !self->is_failed &&
	       !atomic_load_explicit(is_stopping, memory_order_relaxed))
		done += slab_test_round(self, state, entry);
	return done;
}

NSLAB_WORKLOAD_BATCH(slab_test)

static void slab_test_worker_exit(struct nslab_worker *worker)
{
	struct slab_test_worker *self = nslab_container_of(worker, struct slab_test_worker, base);
	struct slab_test *state =
		nslab_container_of(worker->workload, struct slab_test, typed.base);

	/* of a round that was cut short */
	slab_test_empty(self, &self->live, worker->workload->run->entry);
	state->counts[worker->index] = self->counts;
	nslab_typed_leave(worker, self->is_failed);
	nslab_live_exit(&self->live, worker->cpu, worker->workload->run->entry);
	free(self);
}

static int slab_test_verify(struct nslab_workload *w)
{
	struct slab_test *state = nslab_container_of(w, struct slab_test, typed.base);
	struct slab_test_counts all = {0};

	for (int i = 0; i < state->nr_workers; i++) {
		all.nr_allocs += state->counts[i].nr_allocs;
		all.nr_frees += state->counts[i].nr_frees;
		all.allocs_sum += state->counts[i].allocs_sum;
		all.frees_sum += state->counts[i].frees_sum;
	}
	if (all.nr_allocs != all.nr_frees || all.allocs_sum != all.frees_sum)
		return -EILSEQ;
	return nslab_typed_verify(w);
}

/* The split that the classic's lines `cpu=a/b` are about, in objects. */
/* Of one worker, per object that it handled itself. Nothing where there is no clock. */
static void slab_test_tell_times(const struct slab_test *state, int worker, struct nslab_figures *f)
{
	const struct slab_test_counts *counts = &state->counts[worker];
	bool is_pairs =
		state->phase == SLAB_TEST_PAIRS || state->phase == SLAB_TEST_CONCURRENT_PAIRS;

	if (counts->nr_allocs && counts->alloc_ns)
		f->point(f, is_pairs ? "pair ns by worker" : "alloc ns by worker", worker,
			 (double)counts->alloc_ns / (double)counts->nr_allocs);
	if (counts->nr_frees && counts->free_ns)
		f->point(f, "free ns by worker", worker,
			 (double)counts->free_ns / (double)counts->nr_frees);
}

static void slab_test_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct slab_test *state = nslab_container_of(w, struct slab_test, typed.base);
	double nr_allocs = 0, nr_frees = 0;

	for (int i = 0; i < state->nr_workers; i++) {
		const struct slab_test_counts *counts = &state->counts[i];

		nr_allocs += (double)counts->nr_allocs;
		nr_frees += (double)counts->nr_frees;
		figures->point(figures, "allocs by worker", i, (double)counts->nr_allocs);
		figures->point(figures, "frees by worker", i, (double)counts->nr_frees);
		slab_test_tell_times(state, i, figures);
	}
	figures->figure(figures, "allocs", nr_allocs, "objects");
	figures->figure(figures, "frees", nr_frees, "objects");
}

static const struct nslab_workload_ops slab_test_ops = {
	.name = "slab_test",
	.summary = "the six phases of the classic in-kernel slab test, every object freed",
	.models = "the slab_test kernel module of 2009 (Lameter, Desnoyers)",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 1,
	.params = slab_test_rows,
	.params_size = sizeof(struct slab_test_params),
	.setup = slab_test_setup,
	.worker_init = slab_test_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(slab_test),
	.worker_exit = slab_test_worker_exit,
	.verify = slab_test_verify,
	.teardown = slab_test_teardown,
	.figures = slab_test_figures,
};
NSLAB_WORKLOAD_PLUGIN(slab_test_ops);
