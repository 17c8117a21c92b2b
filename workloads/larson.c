/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * larson.c: workers replace random objects of an array, and hand the whole array over to another
 * worker after some rounds.
 *
 * After Per-Ake Larson and Murali Krishnan, "Memory Allocation for Long-Running Server
 * Applications", ISMM 1998: the threads of a server come and go, and each inherits a full set of
 * objects from the one before it, so that what one allocated another frees ("bleeding"). In the
 * kernel these are sessions, inodes or sockets whose work moves to another CPU while they live.
 *
 * How it works: each worker has an array of objects; there is one array more than workers, which
 * waits at a meeting place (swap.h). One operation frees a random object of the array and puts a
 * new one of another size there. After `rounds` of them the worker leaves its array at the meeting
 * place and goes on with the one that it finds: that of the worker that came before it.
 *
 * What differs: in the original a thread ends with its rounds and a new thread inherits; here the
 * workers stay, since threads belong to the runner, and the array moves. Its count of operations
 * and its clock are the runner's. The sizes are drawn ahead. With one worker its own two arrays
 * alternate, and nothing is freed for another.
 *
 * Invariants: a slot holds an object except after a failed allocation; an array is with one worker
 * or waits; over all workers number and sum of addresses of allocated and freed objects are equal,
 * and what is left at the end still holds what was stored in it.
 */
#include "workloads/sized.h"
#include "workloads/swap.h"

#include <numaslab/plugin.h>

struct larson_params {
	int64_t min_size, max_size;
	int64_t live_objects;
	int64_t rounds;
};

struct larson_array {
	int filled_by; /* worker that had it last; -1: nobody yet, and it is empty */
	struct nslab_sized slots[];
};

struct larson {
	struct nslab_sized_workload sized;
	struct larson_params params;
	struct nslab_swap *swap;
	/* added up when workers leave */
	atomic_uint_fast64_t nr_handed, nr_inherited;
};

struct larson_worker {
	struct nslab_sized_worker sized;
	struct larson_array *array;
	size_t nr_slots, rounds;
	size_t nr_left; /* operations until the array is handed over */
	uint64_t nr_handed, nr_inherited;
};

static const struct nslab_param larson_rows[] = {
	NSLAB_MIN_SIZE_ROW(larson_params, "8"),
	NSLAB_MAX_SIZE_ROW(larson_params, "1000"),
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct larson_params, live_objects),
		.def = "1000",
		.min = 1,
		.max = 1 << 24,
		.help = "objects of an array",
	},
	{
		.name = "rounds",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct larson_params, rounds),
		.def = "1000",
		.min = 1,
		.max = 1 << 30,
		.help = "objects replaced before an array is handed over",
	},
	NSLAB_PARAM_END,
};

static struct larson *larson_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct larson, sized.base);
}

static struct larson_array *larson_array_create(size_t nr_slots)
{
	struct larson_array *array =
		nslab_apart_alloc(sizeof(*array) + nr_slots * sizeof(array->slots[0]));

	if (array)
		array->filled_by = -1;
	return array;
}

static void larson_teardown(struct nslab_workload *w)
{
	struct larson *state = larson_of(w);

	if (state->swap)
		free(atomic_load(&state->swap->held));
	free(state->swap);
	nslab_sizes_exit(&state->sized.sizes);
	free(state);
}

static int larson_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct larson_params *p = params;
	struct larson *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->params = *p;
	rc = nslab_sized_init(&state->sized, run, "larson", NSLAB_LAW_UNIFORM, p->min_size,
			      p->max_size);
	state->swap = nslab_apart_alloc(sizeof(*state->swap));
	if (!rc && !state->swap)
		rc = -ENOMEM;
	if (!rc) {
		atomic_init(&state->swap->held, larson_array_create((size_t)p->live_objects));
		rc = atomic_load(&state->swap->held) ? 0 : -ENOMEM;
	}
	if (rc) {
		larson_teardown(&state->sized.base);
		return rc;
	}
	*w = &state->sized.base;
	return 0;
}

/* Off the clock, but for the one array that nobody has filled: that is done on the way. */
static bool larson_fill(struct larson_worker *self)
{
	struct larson_array *array = self->array;
	enum nslab_entry entry = self->sized.base.workload->run->entry;

	if (array->filled_by >= 0)
		return true;
	array->filled_by = self->sized.base.index;
	return nslab_sized_fill(&self->sized, array->slots, self->nr_slots, entry) ==
	       self->nr_slots;
}

static void larson_worker_free(struct larson_worker *self)
{
	enum nslab_entry entry = self->sized.base.workload->run->entry;

	if (self->array)
		nslab_sized_drain(&self->sized, self->array->slots, self->nr_slots, entry);
	free(self->array);
	nslab_sized_worker_exit(&self->sized);
	free(self);
}

static int larson_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			      struct nslab_worker **worker)
{
	struct larson *state = larson_of(w);
	struct larson_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->nr_slots = (size_t)state->params.live_objects;
	self->nr_left = self->rounds = (size_t)state->params.rounds;
	rc = nslab_sized_worker_init(&self->sized, w, cpu, index);
	self->array = larson_array_create(self->nr_slots);
	if (!rc && (!self->array || !larson_fill(self)))
		rc = -ENOMEM;
	if (rc) {
		larson_worker_free(self);
		return rc;
	}
	nslab_swap_enter(state->swap);
	*worker = &self->sized.base;
	return 0;
}

static bool larson_hand_over(struct larson_worker *self)
{
	struct larson *state = larson_of(self->sized.base.workload);

	self->array->filled_by = self->sized.base.index;
	self->array = nslab_swap(state->swap, self->array);
	self->nr_left = self->rounds;
	self->nr_handed++;
	self->nr_inherited +=
		self->array->filled_by >= 0 && self->array->filled_by != self->sized.base.index;
	return larson_fill(self);
}

/* Replaces nr objects; returns how many there was memory for. */
static inline __attribute__((always_inline)) size_t
larson_replace(struct larson_worker *self, size_t nr, const enum nslab_entry entry)
{
	struct nslab_cursor cur = self->sized.cur;
	struct nslab_sized *slots = self->array->slots;
	const uint64_t nr_slots = self->nr_slots;
	uint64_t rng = self->sized.rng;
	size_t done = 0;

	for (; done < nr; done++) {
		struct nslab_sized *slot;

		rng = rng * UINT64_C(0xd1342543de82ef95) + 1;
		slot = &slots[((rng >> 32) * nr_slots) >> 32];
		nslab_cursor_free(&cur, slot, entry);
		if (!nslab_cursor_alloc(&cur, slot, entry))
			break;
	}
	self->sized.rng = rng;
	self->sized.cur = cur;
	return done;
}

static inline __attribute__((always_inline)) size_t
larson_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct larson_worker *self = nslab_container_of(worker, struct larson_worker, sized.base);
	size_t done = 0;

	while (done < n && !self->sized.is_failed) {
		size_t nr = n - done < self->nr_left ? n - done : self->nr_left;
		size_t put = larson_replace(self, nr, entry);

		done += put;
		self->nr_left -= put;
		self->sized.is_failed = put < nr;
		if (!self->nr_left && !larson_hand_over(self))
			self->sized.is_failed = true;
	}
	return done;
}

NSLAB_WORKLOAD_BATCH(larson)

static void larson_worker_exit(struct nslab_worker *worker)
{
	struct larson_worker *self = nslab_container_of(worker, struct larson_worker, sized.base);
	struct larson *state = larson_of(worker->workload);

	atomic_fetch_add(&state->nr_handed, self->nr_handed);
	atomic_fetch_add(&state->nr_inherited, self->nr_inherited);
	if (nslab_swap_leave(state->swap)) {
		struct larson_array *rest = atomic_load(&state->swap->held);

		nslab_sized_drain(&self->sized, rest->slots, self->nr_slots,
				  worker->workload->run->entry);
	}
	larson_worker_free(self);
}

static int larson_verify(struct nslab_workload *w)
{
	return nslab_sized_verdict(&larson_of(w)->sized);
}

static void larson_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct larson *state = larson_of(w);

	figures->figure(figures, "handed_over", (double)atomic_load(&state->nr_handed), "arrays");
	figures->figure(figures, "inherited", (double)atomic_load(&state->nr_inherited), "arrays");
}

static const struct nslab_workload_ops larson_ops = {
	.name = "larson",
	.summary = "replace random objects of an array, then hand the array to another worker",
	.models = "Larson and Krishnan, ISMM 1998: a server whose threads inherit objects",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 1,
	.params = larson_rows,
	.params_size = sizeof(struct larson_params),
	.setup = larson_setup,
	.worker_init = larson_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(larson),
	.worker_exit = larson_worker_exit,
	.verify = larson_verify,
	.teardown = larson_teardown,
	.figures = larson_figures,
};
NSLAB_WORKLOAD_PLUGIN(larson_ops);
