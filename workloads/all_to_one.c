/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * all_to_one.c: all workers but the last allocate; the last frees what it gets from each of them.
 *
 * It imitates completions that come together on one CPU: a block device whose interrupts, or whose
 * server thread, free what the submitting CPUs allocated. Objects leave the makers for ever and
 * come back only through the node's lists, so every maker refills under the lock that the freeing
 * CPU takes for each slab. In the 7.0 release candidates that was where the design with sheaves
 * lost almost two thirds of its speed: the makers asked without being allowed to block, got no
 * refill and went to the other nodes' partial lists instead. `gfp=nowait` asks in that way first
 * and, as a block layer does, again with permission to block when nothing came.
 *
 * How it works: one lane (lanes.h) from each maker to the last worker, which takes from them in
 * turn, a chunk each. Its windows are not counted: one operation is one object of a maker.
 *
 * Invariants: those of lanes.h. Left out: the request that the object stands for.
 */
#include "workloads/carry.h"

#include <numaslab/plugin.h>

enum all_gfp {
	ALL_KERNEL,
	ALL_NOWAIT
};

struct all_params {
	int64_t size;
	int64_t ring_objects;
	int64_t gfp;
};

struct all_to_one {
	struct nslab_lanes lanes;
	bool is_nowait;
	atomic_uint_fast64_t nr_refused; /* of requests that must not block */
};

struct all_worker {
	struct nslab_carrier carrier;
	bool is_nowait;
	uint64_t nr_refused;
};

static const char *const all_gfps[] = {"kernel", "nowait", NULL};

static const struct nslab_param all_rows[] = {
	NSLAB_SIZE_ROW(all_params),
	NSLAB_RING_ROW(all_params),
	{
		.name = "gfp",
		.type = NSLAB_PARAM_CHOICE,
		.offset = offsetof(struct all_params, gfp),
		.def = "kernel",
		.choices = all_gfps,
		.help = "nowait asks without permission to block first, and with it when nothing "
			"came",
	},
	NSLAB_PARAM_END,
};

static struct all_to_one *all_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct all_to_one, lanes.base);
}

static struct all_worker *all_worker_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct all_worker, carrier.base);
}

static void all_teardown(struct nslab_workload *w)
{
	nslab_lanes_exit(&all_of(w)->lanes);
	free(all_of(w));
}

static int all_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct all_params *p = params;
	const int last = run->nr_workers - 1;
	struct all_to_one *state;
	int rc;

	if (last < 1)
		return -EINVAL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->is_nowait = p->gfp == ALL_NOWAIT;
	rc = nslab_lanes_init(&state->lanes, run, last);
	for (int i = 0; !rc && i < last; i++)
		rc = nslab_lanes_add(&state->lanes, i, last, (size_t)p->ring_objects);
	if (!rc)
		rc = nslab_object_init(run, "all_to_one", (size_t)p->size, &state->lanes.type);
	if (rc) {
		all_teardown(&state->lanes.base);
		return rc;
	}
	*w = &state->lanes.base;
	return 0;
}

static int all_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			   struct nslab_worker **worker)
{
	struct all_to_one *state = all_of(w);
	struct all_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	rc = nslab_carrier_open(&self->carrier, &state->lanes, cpu, index);
	if (rc) {
		nslab_carrier_free(&self->carrier);
		free(self);
		return rc;
	}
	self->is_nowait = state->is_nowait;
	self->carrier.base.is_counted = index < w->run->nr_workers - 1;
	*worker = &self->carrier.base;
	return 0;
}

static inline __attribute__((always_inline)) size_t all_put_nowait(struct nslab_carrier *carrier,
								   struct nslab_ring_end *end,
								   size_t nr,
								   const enum nslab_entry entry)
{
	struct all_worker *self = nslab_container_of(carrier, struct all_worker, carrier);
	struct nslab_cpu *cpu = carrier->base.cpu;
	size_t done = 0;

	for (; done < nr; done++) {
		void *obj = nslab_object_alloc_node(cpu, &carrier->type, GFP_NOWAIT, NUMA_NO_NODE,
						    entry);

		if (!obj) {
			self->nr_refused++;
			obj = nslab_object_alloc(cpu, &carrier->type, entry);
		}
		if (!obj)
			break;
		carrier->sent_sum += (uintptr_t)obj;
		nslab_ring_put(end, obj);
	}
	return done;
}

static inline __attribute__((always_inline)) size_t all_loop(struct nslab_worker *worker, size_t n,
							     const enum nslab_entry entry)
{
	struct all_worker *self = all_worker_of(worker);
	struct nslab_carrier *carrier = &self->carrier;

	if (carrier->nr_in)
		return nslab_carry_receive(carrier, n, 1, NSLAB_RING_CHUNK, nslab_carry_take,
					   entry);
	if (self->is_nowait)
		return nslab_carry_send(carrier, n, all_put_nowait, entry);
	return nslab_carry_send(carrier, n, nslab_carry_put, entry);
}

NSLAB_WORKLOAD_BATCH(all)

static void all_worker_exit(struct nslab_worker *worker)
{
	struct all_worker *self = all_worker_of(worker);

	atomic_fetch_add(&all_of(worker->workload)->nr_refused, self->nr_refused);
	nslab_carrier_exit(&self->carrier, nslab_carry_drop);
	free(self);
}

static int all_verify(struct nslab_workload *w)
{
	return nslab_lanes_verdict(&all_of(w)->lanes);
}

static void all_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct all_to_one *state = all_of(w);

	nslab_lanes_figures(&state->lanes, figures);
	if (state->is_nowait)
		figures->figure(figures, "nowait_refused", (double)atomic_load(&state->nr_refused),
				"requests");
}

static const struct nslab_workload_ops all_ops = {
	.name = "all_to_one",
	.summary = "all workers but the last allocate, the last frees what each of them made",
	.models = "requests of many CPUs that complete on one",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 2,
	.params = all_rows,
	.params_size = sizeof(struct all_params),
	.setup = all_setup,
	.worker_init = all_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(all),
	.worker_exit = all_worker_exit,
	.verify = all_verify,
	.teardown = all_teardown,
	.figures = all_figures,
	.catches = "ublk null in the 7.0 release candidates: 36 to 13 million requests/s on a NUMA "
		   "machine (Lei, February 2026)",
};
NSLAB_WORKLOAD_PLUGIN(all_ops);
