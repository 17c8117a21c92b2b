/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sh.h: what sh6 and sh8 share: rounds of objects, some freed last first, some first first, and
 * some kept for a round.
 *
 * A round allocates `round_objects`, places each in a slot, and then frees them in three parts: the
 * youngest third at once and last first, as a stack would; the oldest third after them and first
 * first, in reverse of that; the middle third goes to a meeting place (swap.h), and what lay there
 * from an earlier round is freed instead. The meeting place is the worker's own, or one of all
 * workers: then most of those objects came from another.
 */
#ifndef NSLAB_WORKLOADS_SH_H
#define NSLAB_WORKLOADS_SH_H

#include "workloads/sized.h"
#include "workloads/swap.h"

struct nslab_sh_params {
	int64_t min_size, max_size;
	int64_t round_objects;
};

static const struct nslab_param nslab_sh_rows[] = {
	NSLAB_MIN_SIZE_ROW(nslab_sh_params, "8"),
	NSLAB_MAX_SIZE_ROW(nslab_sh_params, "1000"),
	{
		.name = "round_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct nslab_sh_params, round_objects),
		.def = "1024",
		.min = 3,
		.max = 1 << 20,
		.help = "objects of a round: a third is freed last first, one not, one later",
	},
	NSLAB_PARAM_END,
};

/* The middle third of a round. */
struct nslab_sh_kept {
	size_t nr;
	int kept_by; /* worker */
	struct nslab_sized slots[];
};

struct nslab_sh {
	struct nslab_sized_workload sized;
	struct nslab_sh_params params;
	struct nslab_swap *swaps; /* [nr_swaps] */
	int nr_swaps;		  /* 1: of all workers; else one for each */
	atomic_uint_fast64_t nr_remote;
};

struct nslab_sh_worker {
	struct nslab_sized_worker sized;
	struct nslab_swap *swap;
	struct nslab_sh_kept *kept; /* empty between rounds */
	struct nslab_sized *slots;  /* [nr_slots], empty between rounds */
	size_t nr_slots;
	uint64_t nr_remote; /* objects freed that another worker kept */
};

static inline struct nslab_sh *nslab_sh_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct nslab_sh, sized.base);
}

static inline struct nslab_sh_kept *nslab_sh_kept_create(const struct nslab_sh *state)
{
	struct nslab_sh_kept *kept;
	size_t nr = (size_t)state->params.round_objects / 3;

	kept = nslab_apart_alloc(sizeof(*kept) + nr * sizeof(kept->slots[0]));
	return kept;
}

static inline void nslab_sh_teardown(struct nslab_workload *w)
{
	struct nslab_sh *state = nslab_sh_of(w);

	for (int i = 0; state->swaps && i < state->nr_swaps; i++)
		free(atomic_load(&state->swaps[i].held));
	free(state->swaps);
	nslab_sizes_exit(&state->sized.sizes);
	free(state);
}

static inline int nslab_sh_swaps_create(struct nslab_sh *state)
{
	state->swaps = nslab_apart_alloc((size_t)state->nr_swaps * sizeof(*state->swaps));
	for (int i = 0; state->swaps && i < state->nr_swaps; i++) {
		struct nslab_sh_kept *kept = nslab_sh_kept_create(state);

		if (!kept)
			return -ENOMEM;
		atomic_init(&state->swaps[i].held, kept);
	}
	return state->swaps ? 0 : -ENOMEM;
}

static inline int nslab_sh_setup(struct nslab_run *run, const char *name, bool is_shared,
				 const struct nslab_sh_params *params, struct nslab_workload **w)
{
	struct nslab_sh *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->params = *params;
	state->nr_swaps = is_shared ? 1 : run->nr_workers;
	rc = nslab_sized_init(&state->sized, run, name, NSLAB_LAW_POWER, params->min_size,
			      params->max_size);
	if (!rc)
		rc = nslab_sh_swaps_create(state);
	if (rc) {
		nslab_sh_teardown(&state->sized.base);
		return rc;
	}
	*w = &state->sized.base;
	return 0;
}

static inline void nslab_sh_worker_free(struct nslab_sh_worker *self)
{
	free(self->kept);
	free(self->slots);
	nslab_sized_worker_exit(&self->sized);
	free(self);
}

static inline int nslab_sh_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
				       struct nslab_worker **worker)
{
	struct nslab_sh *state = nslab_sh_of(w);
	struct nslab_sh_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->nr_slots = (size_t)state->params.round_objects;
	self->slots = nslab_apart_alloc(self->nr_slots * sizeof(*self->slots));
	self->kept = nslab_sh_kept_create(state);
	rc = nslab_sized_worker_init(&self->sized, w, cpu, index);
	if (rc || !self->slots || !self->kept) {
		nslab_sh_worker_free(self);
		return -ENOMEM;
	}
	self->swap = &state->swaps[state->nr_swaps == 1 ? 0 : index];
	nslab_swap_enter(self->swap);
	*worker = &self->sized.base;
	return 0;
}

/* Frees slots [begin, end), the first one first. */
static inline __attribute__((always_inline)) void nslab_sh_free(struct nslab_cursor *cur,
								const struct nslab_sized *slots,
								size_t begin, size_t end,
								const enum nslab_entry entry)
{
	for (size_t i = begin; i < end; i++)
		nslab_cursor_free(cur, &slots[i], entry);
}

/* Keeps `nr` objects from slots on, and has what was kept before instead. */
static inline void nslab_sh_keep(struct nslab_sh_worker *self, const struct nslab_sized *slots,
				 size_t nr)
{
	struct nslab_sh_kept *kept = self->kept;

	memcpy(kept->slots, slots, nr * sizeof(*slots));
	kept->nr = nr;
	kept->kept_by = self->sized.base.index;
	self->kept = nslab_swap(self->swap, kept);
	if (self->kept->kept_by != self->sized.base.index)
		self->nr_remote += self->kept->nr;
}

/* Objects allocated; less than a round when memory is out, and then all of them are freed. */
static inline __attribute__((always_inline)) size_t nslab_sh_round(struct nslab_sh_worker *self,
								   const enum nslab_entry entry)
{
	struct nslab_cursor cur = self->sized.cur;
	struct nslab_sized *slots = self->slots;
	const size_t third = self->nr_slots / 3;
	size_t nr = 0;

	while (nr < self->nr_slots && nslab_cursor_alloc(&cur, &slots[nr], entry))
		nr++;
	if (nr < self->nr_slots) {
		nslab_sh_free(&cur, slots, 0, nr, entry);
		self->sized.is_failed = true;
	} else {
		for (size_t i = nr; i-- > 2 * third;)
			nslab_cursor_free(&cur, &slots[i], entry);
		nslab_sh_free(&cur, slots, 0, third, entry);
		nslab_sh_keep(self, slots + third, third);
		nslab_sh_free(&cur, self->kept->slots, 0, self->kept->nr, entry);
		self->kept->nr = 0;
	}
	self->sized.cur = cur;
	return nr;
}

/* Whole rounds. */
static inline __attribute__((always_inline)) size_t
nslab_sh_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct nslab_sh_worker *self =
		nslab_container_of(worker, struct nslab_sh_worker, sized.base);
	size_t done = 0;

	while (done < n && !self->sized.is_failed)
		done += nslab_sh_round(self, entry);
	return done;
}

static inline void nslab_sh_worker_exit(struct nslab_worker *worker)
{
	struct nslab_sh_worker *self =
		nslab_container_of(worker, struct nslab_sh_worker, sized.base);

	atomic_fetch_add(&nslab_sh_of(worker->workload)->nr_remote, self->nr_remote);
	if (nslab_swap_leave(self->swap)) {
		struct nslab_sh_kept *rest = atomic_load(&self->swap->held);

		nslab_sized_drain(&self->sized, rest->slots, rest->nr,
				  worker->workload->run->entry);
		rest->nr = 0;
	}
	nslab_sh_worker_free(self);
}

static inline int nslab_sh_verify(struct nslab_workload *w)
{
	return nslab_sized_verdict(&nslab_sh_of(w)->sized);
}

#endif
