/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * alloc_test.c: every worker replaces objects of one array, most of the time the same few, with
 * objects that are small most of the time.
 *
 * After alloc-test of OLogN Technologies (ITHare.com, 2018): sizes and lifetimes of real programs
 * follow a power law, so both are drawn from one: most objects are small and soon gone, a few are
 * large, a few live long. It imitates a mix of kmalloc users in steady state, where short-lived
 * and long-lived objects share slabs.
 *
 * How it works: the array is filled before the first window. One operation frees what a slot holds
 * and puts a new object there. The slot is the eighth power of a uniform number, so that a fifth of
 * the slots gets four fifths of the visits (Pareto's rule); the size has density 1 / size^2 between
 * its bounds. Both are drawn ahead, in tables whose lengths share no divisor; a slot that is not
 * drawn holds its object to the end.
 *
 * What differs: the original's visit allocates when the slot is empty and frees when it is not;
 * here each visit does both, so that an operation is an object allocated and freed and the loop has
 * no branch that nobody can predict. It writes whole objects; here the first 8 bytes are written,
 * as everywhere. Its warm-up and clock are the runner's.
 *
 * Invariants: a slot holds an object except after a failed allocation; number and sum of addresses
 * of allocated and freed objects are equal; what is left still holds what was stored in it.
 */
#include "workloads/sized.h"

#include <numaslab/plugin.h>

#define ALLOC_TEST_VISITS 8192 /* drawn ahead */

struct alloc_test_params {
	int64_t min_size, max_size;
	int64_t live_objects;
};

struct alloc_test {
	struct nslab_sized_workload sized;
	struct alloc_test_params params;
};

struct alloc_test_worker {
	struct nslab_sized_worker sized;
	struct nslab_sized *slots;
	size_t nr_slots;
	uint32_t *visits; /* [ALLOC_TEST_VISITS] slots */
	size_t pos;	  /* of the next visit */
};

static const struct nslab_param alloc_test_rows[] = {
	NSLAB_MIN_SIZE_ROW(alloc_test_params, "8"),
	NSLAB_MAX_SIZE_ROW(alloc_test_params, "1024"),
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct alloc_test_params, live_objects),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "objects that each worker keeps alive",
	},
	NSLAB_PARAM_END,
};

static struct alloc_test *alloc_test_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct alloc_test, sized.base);
}

static void alloc_test_teardown(struct nslab_workload *w)
{
	struct alloc_test *state = alloc_test_of(w);

	nslab_sizes_exit(&state->sized.sizes);
	free(state);
}

static int alloc_test_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct alloc_test_params *p = params;
	struct alloc_test *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->params = *p;
	rc = nslab_sized_init(&state->sized, run, "alloc_test", NSLAB_LAW_POWER, p->min_size,
			      p->max_size);
	if (rc) {
		alloc_test_teardown(&state->sized.base);
		return rc;
	}
	*w = &state->sized.base;
	return 0;
}

static void alloc_test_draw_visits(struct alloc_test_worker *self)
{
	for (size_t i = 0; i < ALLOC_TEST_VISITS; i++) {
		uint64_t u = nslab_rng_next(&self->sized.rng) >> 32;

		for (int squared = 0; squared < 3; squared++)
			u = (u * u) >> 32;
		self->visits[i] = (uint32_t)((u * self->nr_slots) >> 32);
	}
}

static void alloc_test_worker_free(struct alloc_test_worker *self)
{
	enum nslab_entry entry = self->sized.base.workload->run->entry;

	if (self->slots)
		nslab_sized_drain(&self->sized, self->slots, self->nr_slots, entry);
	free(self->slots);
	free(self->visits);
	nslab_sized_worker_exit(&self->sized);
	free(self);
}

static int alloc_test_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
				  struct nslab_worker **worker)
{
	struct alloc_test_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->nr_slots = (size_t)alloc_test_of(w)->params.live_objects;
	self->slots = nslab_apart_alloc(self->nr_slots * sizeof(*self->slots));
	self->visits = nslab_apart_alloc(ALLOC_TEST_VISITS * sizeof(*self->visits));
	rc = nslab_sized_worker_init(&self->sized, w, cpu, index);
	if (!rc && (!self->slots || !self->visits))
		rc = -ENOMEM;
	if (!rc) {
		alloc_test_draw_visits(self);
		if (nslab_sized_fill(&self->sized, self->slots, self->nr_slots, w->run->entry) <
		    self->nr_slots)
			rc = -ENOMEM;
	}
	if (rc) {
		alloc_test_worker_free(self);
		return rc;
	}
	*worker = &self->sized.base;
	return 0;
}

static inline __attribute__((always_inline)) size_t
alloc_test_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct alloc_test_worker *self =
		nslab_container_of(worker, struct alloc_test_worker, sized.base);
	struct nslab_cursor cur = self->sized.cur;
	struct nslab_sized *slots = self->slots;
	const uint32_t *visits = self->visits;
	size_t pos = self->pos;
	size_t done = 0;

	for (; done < n && !self->sized.is_failed; done++) {
		struct nslab_sized *slot = &slots[visits[pos]];

		pos = (pos + 1) % ALLOC_TEST_VISITS;
		nslab_cursor_free(&cur, slot, entry);
		if (!nslab_cursor_alloc(&cur, slot, entry)) {
			self->sized.is_failed = true;
			break;
		}
	}
	self->pos = pos;
	self->sized.cur = cur;
	return done;
}

NSLAB_WORKLOAD_BATCH(alloc_test)

static void alloc_test_worker_exit(struct nslab_worker *worker)
{
	alloc_test_worker_free(nslab_container_of(worker, struct alloc_test_worker, sized.base));
}

static int alloc_test_verify(struct nslab_workload *w)
{
	return nslab_sized_verdict(&alloc_test_of(w)->sized);
}

static const struct nslab_workload_ops alloc_test_ops = {
	.name = "alloc_test",
	.summary = "replace objects of one array, sizes and lifetimes by a power law",
	.models = "alloc-test of OLogN Technologies, 2018: sizes and lifetimes of real programs",
	.min_workers = 1,
	.params = alloc_test_rows,
	.params_size = sizeof(struct alloc_test_params),
	.setup = alloc_test_setup,
	.worker_init = alloc_test_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(alloc_test),
	.worker_exit = alloc_test_worker_exit,
	.verify = alloc_test_verify,
	.teardown = alloc_test_teardown,
};
NSLAB_WORKLOAD_PLUGIN(alloc_test_ops);
