/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lanes.h: who hands objects to whom: rings between any workers, and exact counts of the frees that
 * another worker than the maker made.
 *
 * A lane is a ring with a sender and a receiver. A workload says in setup which lanes there are;
 * each worker then serves the lanes that begin or end with it in turn, chunk by chunk, passing over
 * those that are full or empty, and waits only when all of them are. What a slot stands for (one
 * object, a packet of two) is the workload's: it makes and drops them in functions of its own.
 *
 * The counts cost the hot loop nothing: a lane's positions tell how many slots went through, and
 * both workers' nodes are known. Only `nr_far`, frees of objects whose page is on another node than
 * the CPU, is added up object by object. Slots that are left when the workers leave are drained and
 * counted apart: a backend's statistics are read before that.
 *
 * Invariants: every slot that was sent is received or drained, once: numbers and sums of addresses
 * agree. Whoever leaves a lane last drains it.
 */
#ifndef NSLAB_WORKLOADS_LANES_H
#define NSLAB_WORKLOADS_LANES_H

#include "workloads/ring.h"

/* The row of workloads with lanes; `state` has an int64_t ring_objects. */
#define NSLAB_RING_ROW(params)                                                                     \
 {                                                                                                 \
  .name = "ring_objects", .type = NSLAB_PARAM_INT,                                                 \
  .offset = offsetof(struct params, ring_objects), .def = "1024", .min = 1, .max = 1 << 20,        \
  .help = "most objects on their way from one worker to another"                                   \
 }

struct nslab_lane {
	struct nslab_ring ring;
	int from, to; /* workers */
};

/* Counts that workers add up when they leave. */
struct nslab_lane_totals {
	atomic_uint_fast64_t nr_sent, nr_received, nr_drained; /* slots */
	atomic_uint_fast64_t sent_sum, received_sum; /* of addresses; drained are received */
	atomic_uint_fast64_t nr_remote, nr_cross;    /* slots received, cross: other node */
	atomic_uint_fast64_t nr_far; /* objects freed on another node than that of their page */
};

/* Base of the workload's state. */
struct nslab_lanes {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct nslab_tally tally;
	struct nslab_lane_totals totals;
	unsigned objects_per_slot;
	bool is_far_known; /* objects come from the arena, whose addresses tell the node */
	struct nslab_lane *lanes;
	int nr_lanes;
	atomic_int *nodes; /* [nr_workers] of each worker's CPU; -1 until it came */
};

/* Base of a worker's state. */
struct nslab_carrier {
	struct nslab_worker base;
	struct nslab_object_type type;
	struct nslab_lanes *lanes;
	struct nslab_ring_end *out, *in;
	int nr_out, nr_in, at_out, at_in; /* at: the lane whose turn it is */
	uintptr_t sent_sum, received_sum;
	uint64_t nr_far;
	uintptr_t arena_base;
	unsigned node_shift;
	bool is_failed;
};

/* ---- setup and teardown ---- */

static inline void nslab_lanes_exit(struct nslab_lanes *lanes)
{
	for (int i = 0; i < lanes->nr_lanes; i++)
		nslab_ring_exit(&lanes->lanes[i].ring);
	free(lanes->lanes);
	free(lanes->nodes);
	nslab_object_exit(&lanes->type);
}

/*
 * `lanes` is zeroed; room for nr_max lanes. 0 or -ENOMEM; nslab_lanes_exit() is right after both.
 */
static inline int nslab_lanes_init(struct nslab_lanes *lanes, struct nslab_run *run, int nr_max)
{
	bool is_ours = run->entry == NSLAB_ENTRY_CACHE || run->entry == NSLAB_ENTRY_KMALLOC;

	lanes->base.run = run;
	lanes->objects_per_slot = 1;
	lanes->is_far_known = is_ours && run->heap->ops->caps & NSLAB_CAP_PAGES;
	lanes->lanes = nslab_apart_alloc((size_t)nr_max * sizeof(*lanes->lanes));
	lanes->nodes = calloc((size_t)run->nr_workers, sizeof(*lanes->nodes));
	if (!lanes->lanes || !lanes->nodes)
		return -ENOMEM;
	for (int i = 0; i < run->nr_workers; i++)
		atomic_init(&lanes->nodes[i], -1);
	return 0;
}

static inline int nslab_lanes_add(struct nslab_lanes *lanes, int from, int to, size_t nr_slots)
{
	struct nslab_lane *lane = &lanes->lanes[lanes->nr_lanes];
	int rc = nslab_ring_init(&lane->ring, nr_slots);

	if (rc)
		return rc;
	lane->from = from;
	lane->to = to;
	lanes->nr_lanes++;
	return 0;
}

/* ---- a worker comes and leaves ---- */

static inline void nslab_carrier_free(struct nslab_carrier *self)
{
	nslab_object_exit(&self->type);
	free(self->out);
	free(self->in);
}

/* Takes its place at all lanes that are its own: none may come after. 0 or -ENOMEM. */
static inline int nslab_carrier_bind(struct nslab_carrier *self)
{
	struct nslab_lanes *lanes = self->lanes;
	size_t room = (size_t)lanes->nr_lanes + 1;

	self->out = nslab_apart_alloc(room * sizeof(*self->out));
	self->in = nslab_apart_alloc(room * sizeof(*self->in));
	if (!self->out || !self->in)
		return -ENOMEM;
	for (int i = 0; i < lanes->nr_lanes; i++) {
		struct nslab_lane *lane = &lanes->lanes[i];

		if (lane->from == self->base.index)
			nslab_ring_enter(&lane->ring, &self->out[self->nr_out++]);
		else if (lane->to == self->base.index)
			nslab_ring_enter(&lane->ring, &self->in[self->nr_in++]);
	}
	return 0;
}

/* `self` is zeroed. 0 or -ENOMEM; nslab_carrier_free() is right after an error. */
static inline int nslab_carrier_init(struct nslab_carrier *self, struct nslab_lanes *lanes,
				     struct nslab_cpu *cpu, int index)
{
	int rc = nslab_object_type_copy(&lanes->type, &self->type);

	self->base = (struct nslab_worker){.workload = &lanes->base, .cpu = cpu, .index = index};
	self->lanes = lanes;
	if (lanes->is_far_known) {
		self->arena_base = lanes->base.run->env->arena->base;
		self->node_shift = lanes->base.run->env->arena->node_shift;
	}
	atomic_store(&lanes->nodes[index], cpu->node);
	return rc;
}

/* Where setup made the lanes. */
static inline int nslab_carrier_open(struct nslab_carrier *self, struct nslab_lanes *lanes,
				     struct nslab_cpu *cpu, int index)
{
	int rc = nslab_carrier_init(self, lanes, cpu, index);

	return rc ? rc : nslab_carrier_bind(self);
}

static inline struct nslab_lane *nslab_lane_of(const struct nslab_ring_end *end)
{
	return nslab_container_of(end->ring, struct nslab_lane, ring);
}

static inline void nslab_carrier_report(struct nslab_carrier *self)
{
	struct nslab_lanes *lanes = self->lanes;
	struct nslab_lane_totals *totals = &lanes->totals;

	for (int i = 0; i < self->nr_out; i++)
		atomic_fetch_add(&totals->nr_sent, self->out[i].count);
	for (int i = 0; i < self->nr_in; i++) {
		const struct nslab_lane *lane = nslab_lane_of(&self->in[i]);
		int from = atomic_load(&lanes->nodes[lane->from]);

		atomic_fetch_add(&totals->nr_received, self->in[i].count);
		atomic_fetch_add(&totals->nr_remote, self->in[i].count);
		if (from != self->base.cpu->node)
			atomic_fetch_add(&totals->nr_cross, self->in[i].count);
	}
	atomic_fetch_add(&totals->sent_sum, self->sent_sum);
	atomic_fetch_add(&totals->received_sum, self->received_sum);
	atomic_fetch_add(&totals->nr_far, self->nr_far);
	if (self->is_failed)
		atomic_fetch_add(&lanes->tally.nr_failed, 1);
}

/* Leaves one lane; what is left in it is dropped by whoever goes last. */
static inline void nslab_carrier_leave(struct nslab_carrier *self, struct nslab_ring_end *end,
				       void (*drop)(struct nslab_carrier *self, void *slot))
{
	struct nslab_lane_totals *totals = &self->lanes->totals;
	void *slot;

	if (!nslab_ring_leave(end))
		return;
	while ((slot = nslab_ring_drain(end->ring))) {
		atomic_fetch_add(&totals->received_sum, (uintptr_t)slot);
		atomic_fetch_add(&totals->nr_drained, 1);
		drop(self, slot);
	}
}

static inline void nslab_carrier_leave_all(struct nslab_carrier *self,
					   void (*drop)(struct nslab_carrier *self, void *slot))
{
	nslab_carrier_report(self);
	for (int i = 0; i < self->nr_out; i++)
		nslab_carrier_leave(self, &self->out[i], drop);
	for (int i = 0; i < self->nr_in; i++)
		nslab_carrier_leave(self, &self->in[i], drop);
}

static inline void nslab_carrier_exit(struct nslab_carrier *self,
				      void (*drop)(struct nslab_carrier *self, void *slot))
{
	nslab_carrier_leave_all(self, drop);
	nslab_carrier_free(self);
}

#endif
