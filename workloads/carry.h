/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * carry.h: the hot loops of workers that send and receive over lanes (lanes.h), and what their
 * workloads verify and tell.
 *
 * The functions that fill and empty slots are given by the workload and are inlined along with the
 * loop, once per entry.
 */
#ifndef NSLAB_WORKLOADS_CARRY_H
#define NSLAB_WORKLOADS_CARRY_H

#include "workloads/lanes.h"

/* ---- turns and waiting ---- */

/* Slots that this side may use now, after a look at the other side when they seem too few. */
static inline size_t nslab_lane_level(struct nslab_ring_end *end, bool is_out, size_t least)
{
	size_t level = is_out ? nslab_ring_room(end) : nslab_ring_there(end);

	if (level >= least)
		return level;
	nslab_ring_look(end, is_out ? &end->ring->head : &end->ring->tail);
	return is_out ? nslab_ring_room(end) : nslab_ring_there(end);
}

/* Once around: the next lane with `least` slots, or NULL. `at` goes on behind it. */
static inline struct nslab_ring_end *nslab_lane_turn(struct nslab_ring_end *ends, int nr, int *at,
						     bool is_out, size_t least)
{
	for (int i = 0; i < nr; i++) {
		struct nslab_ring_end *end = &ends[*at];

		*at = *at + 1 == nr ? 0 : *at + 1;
		if (nslab_lane_level(end, is_out, least) >= least)
			return end;
	}
	return NULL;
}

/* As above, waiting for it; NULL when the run is stopping, or there is no lane at all. */
static inline struct nslab_ring_end *nslab_lane_next(struct nslab_ring_end *ends, int nr, int *at,
						     bool is_out, size_t least,
						     const atomic_bool *is_stopping)
{
	for (unsigned spins = 1; nr; spins++) {
		struct nslab_ring_end *end = nslab_lane_turn(ends, nr, at, is_out, least);

		if (end || atomic_load_explicit(is_stopping, memory_order_relaxed))
			return end;
		if (spins % 64)
			nslab_cpu_relax();
		else
			sched_yield();
	}
	return NULL;
}

/* ---- the loops ---- */

/* Fills up to nr slots of a lane; returns how many there was memory for. */
typedef size_t (*nslab_carry_put_fn)(struct nslab_carrier *self, struct nslab_ring_end *end,
				     size_t nr, const enum nslab_entry entry);
/* Empties nr slots. */
typedef void (*nslab_carry_take_fn)(struct nslab_carrier *self, struct nslab_ring_end *end,
				    size_t nr, const enum nslab_entry entry);

static inline __attribute__((always_inline)) size_t nslab_carry_send(struct nslab_carrier *self,
								     size_t n,
								     nslab_carry_put_fn put,
								     const enum nslab_entry entry)
{
	const atomic_bool *is_stopping = &self->base.workload->run->is_stopping;
	size_t done = 0;

	while (done < n && !self->is_failed) {
		struct nslab_ring_end *end = nslab_lane_next(self->out, self->nr_out, &self->at_out,
							     true, 1, is_stopping);
		size_t nr, nr_put;

		if (!end)
			break;
		nr = nslab_ring_min(nslab_ring_room(end), n - done);
		nr = nslab_ring_min(nr, NSLAB_RING_CHUNK);
		nr_put = put(self, end, nr, entry);
		nslab_ring_publish_tail(end);
		done += nr_put;
		self->is_failed = nr_put < nr;
	}
	return done;
}

/* At least `least` slots at a time where n allows it, never more than `most`. */
static inline __attribute__((always_inline)) size_t
nslab_carry_receive(struct nslab_carrier *self, size_t n, size_t least, size_t most,
		    nslab_carry_take_fn take, const enum nslab_entry entry)
{
	const atomic_bool *is_stopping = &self->base.workload->run->is_stopping;
	size_t done = 0;

	while (done < n) {
		struct nslab_ring_end *end =
			nslab_lane_next(self->in, self->nr_in, &self->at_in, false,
					nslab_ring_min(least, n - done), is_stopping);
		size_t nr;

		if (!end)
			break;
		nr = nslab_ring_min(nslab_ring_there(end), n - done);
		nr = nslab_ring_min(nr, most);
		take(self, end, nr, entry);
		nslab_ring_publish_head(end);
		done += nr;
	}
	return done;
}

/* ---- slots that are one object each ---- */

static inline __attribute__((always_inline)) bool nslab_carry_is_far(uintptr_t base, unsigned shift,
								     int node, const void *obj)
{
	return (int)(((uintptr_t)obj - base) >> shift) != node;
}

static inline __attribute__((always_inline)) size_t nslab_carry_put(struct nslab_carrier *self,
								    struct nslab_ring_end *to,
								    size_t nr,
								    const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->type;
	struct nslab_cpu *cpu = self->base.cpu;
	struct nslab_ring_end end = *to;
	uintptr_t sum = self->sent_sum;
	size_t done = 0;

	for (; done < nr; done++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj)
			break;
		sum += (uintptr_t)obj;
		nslab_ring_put(&end, obj);
	}
	*to = end;
	self->sent_sum = sum;
	return done;
}

static inline __attribute__((always_inline)) void nslab_carry_take(struct nslab_carrier *self,
								   struct nslab_ring_end *from,
								   size_t nr,
								   const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->type;
	const uintptr_t base = self->arena_base;
	const unsigned shift = self->node_shift;
	struct nslab_cpu *cpu = self->base.cpu;
	const int node = cpu->node;
	struct nslab_ring_end end = *from;
	uintptr_t sum = self->received_sum;
	uint64_t nr_far = self->nr_far;

	for (size_t i = 0; i < nr; i++) {
		void *obj = nslab_ring_take(&end);

		sum += (uintptr_t)obj;
		nr_far += nslab_carry_is_far(base, shift, node, obj);
		nslab_object_free(cpu, &type, obj, entry);
	}
	*from = end;
	self->received_sum = sum;
	self->nr_far = nr_far;
}

/* Off the clock. */
static inline void nslab_carry_drop(struct nslab_carrier *self, void *obj)
{
	nslab_object_free(self->base.cpu, &self->type, obj, self->base.workload->run->entry);
}

/* ---- afterwards ---- */

static inline int nslab_lanes_verdict(struct nslab_lanes *lanes)
{
	struct nslab_lane_totals *totals = &lanes->totals;

	if (atomic_load(&totals->nr_sent) !=
		    atomic_load(&totals->nr_received) + atomic_load(&totals->nr_drained) ||
	    atomic_load(&totals->sent_sum) != atomic_load(&totals->received_sum))
		return -EILSEQ;
	return nslab_tally_verdict(&lanes->tally);
}

static inline void nslab_lanes_figures(struct nslab_lanes *lanes, struct nslab_figures *figures)
{
	struct nslab_lane_totals *totals = &lanes->totals;
	const double each = lanes->objects_per_slot;

	figures->figure(figures, "objects_sent", each * (double)atomic_load(&totals->nr_sent),
			"objects");
	figures->figure(figures, "remote_frees", each * (double)atomic_load(&totals->nr_remote),
			"objects");
	figures->figure(figures, "cross_node_frees", each * (double)atomic_load(&totals->nr_cross),
			"objects");
	if (lanes->is_far_known)
		figures->figure(figures, "far_frees", (double)atomic_load(&totals->nr_far),
				"objects");
	figures->figure(figures, "drained", each * (double)atomic_load(&totals->nr_drained),
			"objects");
}

#endif
