/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * one_to_all.c: worker 0 allocates for all others in turn, and they free.
 *
 * It imitates one CPU that takes all interrupts of a device and hands packets or requests to the
 * CPUs that want them. Neighbouring objects of one slab then die on different CPUs: designs that
 * lock or mark the slab for each free meet all those CPUs at one word, designs that gather frees
 * per CPU meet them less often. The shape is known to be the worse one for SLUB against SLAB since
 * 2007 (no published figure is known).
 *
 * How it works: one lane (lanes.h) from worker 0 to each other. Objects are dealt like cards, one
 * to each lane in turn, and made visible to the others after up to 32 rounds, so that the transport
 * costs little beside what is measured. Before such a deal worker 0 waits until every lane has room
 * for it. Only worker 0 is counted: one operation is one object that it made.
 *
 * Invariants: those of lanes.h. Left out: what the others do with the objects.
 */
#include "workloads/carry.h"

#include <numaslab/plugin.h>

struct one_params {
	int64_t size;
	int64_t ring_objects;
};

static const struct nslab_param one_rows[] = {
	NSLAB_SIZE_ROW(one_params),
	NSLAB_RING_ROW(one_params),
	NSLAB_PARAM_END,
};

static struct nslab_lanes *one_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct nslab_lanes, base);
}

static struct nslab_carrier *one_carrier_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct nslab_carrier, base);
}

static void one_teardown(struct nslab_workload *w)
{
	nslab_lanes_exit(one_of(w));
	free(one_of(w));
}

static int one_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct one_params *p = params;
	struct nslab_lanes *state;
	int rc;

	if (run->nr_workers < 2)
		return -EINVAL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	rc = nslab_lanes_init(state, run, run->nr_workers - 1);
	for (int i = 1; !rc && i < run->nr_workers; i++)
		rc = nslab_lanes_add(state, 0, i, (size_t)p->ring_objects);
	if (!rc)
		rc = nslab_object_init(run, "one_to_all", (size_t)p->size, &state->type);
	if (rc) {
		one_teardown(&state->base);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static int one_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			   struct nslab_worker **worker)
{
	struct nslab_carrier *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	rc = nslab_carrier_open(self, one_of(w), cpu, index);
	if (rc) {
		nslab_carrier_free(self);
		free(self);
		return rc;
	}
	self->base.is_counted = index == 0;
	*worker = &self->base;
	return 0;
}

/* ---- dealing ---- */

/* False when the run is stopping and a lane has no room for `nr` objects. */
static inline __attribute__((always_inline)) bool one_wait(struct nslab_carrier *self, size_t nr)
{
	const atomic_bool *is_stopping = &self->base.workload->run->is_stopping;

	for (int i = 0; i < self->nr_out; i++) {
		int at = 0;

		if (!nslab_lane_next(&self->out[i], 1, &at, true, nr, is_stopping))
			return false;
	}
	return true;
}

/* n objects, every lane has room for its part; returns how many there was memory for. */
static inline __attribute__((always_inline)) size_t one_put(struct nslab_carrier *self, size_t n,
							    const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->type;
	struct nslab_cpu *cpu = self->base.cpu;
	struct nslab_ring_end *const out = self->out;
	const int nr_out = self->nr_out;
	uintptr_t sum = self->sent_sum;
	int at = self->at_out;
	size_t done = 0;

	for (; done < n; done++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj)
			break;
		sum += (uintptr_t)obj;
		nslab_ring_put(&out[at], obj);
		at = at + 1 == nr_out ? 0 : at + 1;
	}
	self->sent_sum = sum;
	self->at_out = at;
	for (int i = 0; i < nr_out; i++)
		nslab_ring_publish_tail(&out[i]);
	return done;
}

static inline __attribute__((always_inline)) size_t one_deal(struct nslab_carrier *self, size_t n,
							     const enum nslab_entry entry)
{
	const size_t nr_out = (size_t)self->nr_out;
	const size_t rounds = nslab_ring_min(self->out[0].ring->nr_slots, NSLAB_RING_CHUNK);
	size_t done = 0;

	while (done < n && !self->is_failed) {
		size_t nr = nslab_ring_min(n - done, rounds * nr_out), put;

		/* lanes differ by one object at most, when a deal ends within a round */
		if (!one_wait(self, nr < nr_out ? 1 : rounds))
			break;
		put = one_put(self, nr, entry);
		done += put;
		self->is_failed = put < nr;
	}
	return done;
}

static inline __attribute__((always_inline)) size_t one_loop(struct nslab_worker *worker, size_t n,
							     const enum nslab_entry entry)
{
	struct nslab_carrier *self = one_carrier_of(worker);

	if (self->nr_out)
		return one_deal(self, n, entry);
	return nslab_carry_receive(self, n, 1, NSLAB_RING_CHUNK, nslab_carry_take, entry);
}

NSLAB_WORKLOAD_BATCH(one)

static void one_worker_exit(struct nslab_worker *worker)
{
	struct nslab_carrier *self = one_carrier_of(worker);

	nslab_carrier_exit(self, nslab_carry_drop);
	free(self);
}

static int one_verify(struct nslab_workload *w)
{
	return nslab_lanes_verdict(one_of(w));
}

static void one_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	nslab_lanes_figures(one_of(w), figures);
}

static const struct nslab_workload_ops one_ops = {
	.name = "one_to_all",
	.summary = "worker 0 allocates for all others in turn, and they free",
	.models = "one CPU takes a device's interrupts for the CPUs that consume",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 2,
	.params = one_rows,
	.params_size = sizeof(struct one_params),
	.setup = one_setup,
	.worker_init = one_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(one),
	.worker_exit = one_worker_exit,
	.verify = one_verify,
	.teardown = one_teardown,
	.figures = one_figures,
};
NSLAB_WORKLOAD_PLUGIN(one_ops);
