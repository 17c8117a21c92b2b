/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sized.h: what workloads of many sizes (sizes.h) repeat: state, worker, and the account of what
 * was allocated and freed.
 *
 * A loop works on a copy of its worker's cursor, which the compiler keeps in registers, and puts it
 * back at the end. The cursor's balance is the sum of the addresses that the worker allocated less
 * those that it freed. Objects change hands, so one worker's balance says nothing; over all workers
 * number and sum are 0 when each object was freed exactly once.
 */
#ifndef NSLAB_WORKLOADS_SIZED_H
#define NSLAB_WORKLOADS_SIZED_H

#include "workloads/sizes.h"

struct nslab_cursor {
	struct nslab_cpu *cpu;
	const struct nslab_sizes *sizes;
	const uint32_t *draws; /* [NSLAB_NR_DRAWS] */
	size_t pos;	       /* of the next draw */
	uintptr_t balance;     /* of addresses, modulo 2^64 */
	uint64_t nr_live;      /* objects, modulo 2^64 */
};

/* Embedded first in a workload's state. */
struct nslab_sized_workload {
	struct nslab_workload base;
	struct nslab_sizes sizes;
	enum nslab_law law;
	int64_t min_size, max_size;
	struct nslab_tally tally;
	atomic_uint_fast64_t balance, nr_live, nr_bad; /* added up when workers leave */
};

/* Embedded first in a worker's state. */
struct nslab_sized_worker {
	struct nslab_worker base;
	struct nslab_sizes sizes;
	struct nslab_cursor cur;
	uint32_t *draws;
	uint64_t rng;
	uint64_t nr_bad; /* objects found with another content than they were given */
	bool is_failed;
};

/* *state zeroed. 0 or as nslab_sizes_init(); the exit function is right after both. */
static inline int nslab_sized_init(struct nslab_sized_workload *state, struct nslab_run *run,
				   const char *name, enum nslab_law law, int64_t min, int64_t max)
{
	state->base.run = run;
	state->law = law;
	state->min_size = min;
	state->max_size = max;
	return nslab_sizes_init(run, name, min, max, &state->sizes);
}

static inline int nslab_sized_verdict(const struct nslab_sized_workload *state)
{
	if (atomic_load(&state->balance) || atomic_load(&state->nr_live) ||
	    atomic_load(&state->nr_bad))
		return -EILSEQ;
	return nslab_tally_verdict(&state->tally);
}

static inline struct nslab_sized_workload *nslab_sized_of(const struct nslab_worker *worker)
{
	return nslab_container_of(worker->workload, struct nslab_sized_workload, base);
}

/* Adds the worker's account to the workload's; *self itself stays. */
static inline void nslab_sized_worker_exit(struct nslab_sized_worker *self)
{
	struct nslab_sized_workload *state = nslab_sized_of(&self->base);

	atomic_fetch_add(&state->balance, self->cur.balance);
	atomic_fetch_add(&state->nr_live, self->cur.nr_live);
	atomic_fetch_add(&state->nr_bad, self->nr_bad);
	atomic_fetch_add(&state->tally.nr_failed, self->is_failed);
	nslab_sizes_exit(&self->sizes);
	free(self->draws);
}

/* *self zeroed. 0 or -ENOMEM, after which nslab_sized_worker_exit() is right as well. */
static inline int nslab_sized_worker_init(struct nslab_sized_worker *self, struct nslab_workload *w,
					  struct nslab_cpu *cpu, int index)
{
	struct nslab_sized_workload *state =
		nslab_container_of(w, struct nslab_sized_workload, base);

	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	self->draws = nslab_draws_create(state->law, state->min_size, state->max_size, self->rng);
	if (!self->draws)
		return -ENOMEM;
	self->cur = (struct nslab_cursor){.cpu = cpu, .sizes = &self->sizes, .draws = self->draws};
	return nslab_sizes_copy(&state->sizes, &self->sizes);
}

/* An object of the next size. False when memory is out; slot->obj is NULL then. */
static inline __attribute__((always_inline)) bool
nslab_cursor_alloc(struct nslab_cursor *cur, struct nslab_sized *slot, const enum nslab_entry entry)
{
	uint32_t draw = cur->draws[cur->pos];

	cur->pos = nslab_draws_next(cur->pos, NSLAB_NR_DRAWS);
	if (__builtin_expect(!nslab_sized_alloc(cur->cpu, cur->sizes, draw, slot, entry), 0))
		return false;
	cur->balance += (uintptr_t)slot->obj;
	cur->nr_live++;
	return true;
}

static inline __attribute__((always_inline)) void nslab_cursor_free(struct nslab_cursor *cur,
								    const struct nslab_sized *slot,
								    const enum nslab_entry entry)
{
	cur->balance -= (uintptr_t)slot->obj;
	cur->nr_live--;
	nslab_sized_free(cur->cpu, cur->sizes, slot, entry);
}

/*
 * Off the clock: the first nr slots get an object each. How many did; less than nr when memory is
 * out.
 */
static inline size_t nslab_sized_fill(struct nslab_sized_worker *self, struct nslab_sized *slots,
				      size_t nr, enum nslab_entry entry)
{
	size_t done = 0;

	while (done < nr && nslab_cursor_alloc(&self->cur, &slots[done], entry))
		done++;
	return done;
}

/*
 * Off the clock: frees the objects of the first nr slots, some of which may be empty. Each must
 * still hold its own address, which its allocation stored there; NSLAB_ENTRY_NONE has no objects.
 */
static inline void nslab_sized_drain(struct nslab_sized_worker *self, struct nslab_sized *slots,
				     size_t nr, enum nslab_entry entry)
{
	for (size_t i = 0; i < nr; i++) {
		void *obj = slots[i].obj;

		if (!obj)
			continue;
		self->nr_bad += entry != NSLAB_ENTRY_NONE && *(uint64_t *)obj != (uintptr_t)obj;
		nslab_cursor_free(&self->cur, &slots[i], entry);
		slots[i].obj = NULL;
	}
}

#endif
