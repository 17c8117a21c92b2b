/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * node_imbalance.c: most objects are of one node, though all nodes use them.
 *
 * It imitates a machine whose device, or whose first thread, is on one node: that node's lists and
 * its page allocator serve everybody. Two forms of it. `mode=handover`: the workers of that node
 * make `share` percent of all objects, and the workers of the other nodes free them beside objects
 * of their own, so frees go to a far node all the time. `mode=node`: every worker asks for `share`
 * percent of its objects on that node explicitly and frees them itself, so all of them refill from
 * one node's lists.
 *
 * How it works: with handover each worker outside of the busy node takes from one maker on it, over
 * a lane (lanes.h); for each object of its own it takes as many as the share wants, so makers go at
 * the speed of the takers. Who is where is known when the last worker came: it makes the lanes, and
 * the others take them at their first batch. Where all workers or none are on the busy node, those
 * with even numbers make. With mode=node a worker keeps `live_objects` and replaces the oldest. A
 * remainder that is carried on decides, not chance. All workers are counted; one operation is one
 * object, at the worker that made it.
 *
 * Invariants: those of lanes.h. mode=node is refused for malloc, which cannot be asked for a node.
 */
#include "workloads/carry.h"
#include "workloads/live.h"

#include <numaslab/plugin.h>

enum imbalance_mode {
	IMBALANCE_HANDOVER,
	IMBALANCE_NODE
};

struct imbalance_params {
	int64_t size;
	int64_t ring_objects;
	int64_t mode;
	int64_t share;
	int64_t node;
	int64_t live_objects;
};

struct imbalance {
	struct nslab_lanes lanes;
	struct imbalance_params params;
	atomic_int nr_here;    /* workers that came */
	atomic_bool has_lanes; /* released when the last worker made them */
	atomic_uint_fast64_t nr_own, nr_asked;
};

struct imbalance_worker {
	struct nslab_carrier carrier;
	struct nslab_live live; /* mode=node: full once worker_init succeeded */
	size_t at;		/* its oldest object */
	const struct imbalance *state;
	unsigned rest;	   /* of the share, carried on */
	uint64_t nr_own;   /* objects made and freed by itself */
	uint64_t nr_asked; /* of them, asked for on the busy node */
};

static const char *const imbalance_modes[] = {"handover", "node", NULL};

static const struct nslab_param imbalance_rows[] = {
	NSLAB_SIZE_ROW(imbalance_params),
	NSLAB_RING_ROW(imbalance_params),
	{
		.name = "mode",
		.type = NSLAB_PARAM_CHOICE,
		.offset = offsetof(struct imbalance_params, mode),
		.def = "handover",
		.choices = imbalance_modes,
		.help = "workers of the busy node make objects for the others, or all ask for "
			"objects on it",
	},
	{
		.name = "share",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct imbalance_params, share),
		.def = "80",
		.min = 1,
		.max = 99,
		.help = "percent of all objects that are of the busy node",
	},
	{
		.name = "node",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct imbalance_params, node),
		.def = "0",
		.min = 0,
		.max = 1023,
		.help = "the busy node, counted from 0 in the order of the topology",
	},
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct imbalance_params, live_objects),
		.def = "1024",
		.min = 1,
		.max = 1 << 24,
		.help = "objects that each worker keeps with mode=node",
	},
	NSLAB_PARAM_END,
};

static struct imbalance *imbalance_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct imbalance, lanes.base);
}

static struct imbalance_worker *imbalance_worker_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct imbalance_worker, carrier.base);
}

static void imbalance_teardown(struct nslab_workload *w)
{
	nslab_lanes_exit(&imbalance_of(w)->lanes);
	free(imbalance_of(w));
}

static int imbalance_check(const struct nslab_run *run, const struct imbalance_params *p)
{
	if (run->nr_workers < 2)
		return -EINVAL;
	if (p->node >= run->env->arena->nr_nodes)
		return -ENXIO;
	return p->mode == IMBALANCE_NODE && run->entry == NSLAB_ENTRY_MALLOC ? -EINVAL : 0;
}

static int imbalance_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct imbalance_params *p = params;
	struct imbalance *state;
	int rc = imbalance_check(run, p);

	if (rc)
		return rc;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->params = *p;
	rc = nslab_lanes_init(&state->lanes, run, run->nr_workers);
	if (!rc)
		rc = nslab_object_init(run, "node_imbalance", (size_t)p->size, &state->lanes.type);
	if (rc) {
		imbalance_teardown(&state->lanes.base);
		return rc;
	}
	*w = &state->lanes.base;
	return 0;
}

/* ---- workers come ---- */

static bool imbalance_is_maker(struct imbalance *state, int index)
{
	const int nr_workers = state->lanes.base.run->nr_workers;
	int nr_busy = 0;

	for (int i = 0; i < nr_workers; i++)
		nr_busy += atomic_load(&state->lanes.nodes[i]) == (int)state->params.node;
	if (nr_busy == 0 || nr_busy == nr_workers)
		return index % 2 == 0;
	return atomic_load(&state->lanes.nodes[index]) == (int)state->params.node;
}

/* The next maker after `index`, around. */
static int imbalance_next_maker(struct imbalance *state, int index)
{
	do {
		index = (index + 1) % state->lanes.base.run->nr_workers;
	} while (!imbalance_is_maker(state, index));
	return index;
}

/* By the last worker that comes: one lane to each taker, makers in turn. */
static int imbalance_make_lanes(struct imbalance *state)
{
	const size_t nr_slots = (size_t)state->params.ring_objects;
	int maker = -1, rc = 0;

	for (int i = 0; !rc && i < state->lanes.base.run->nr_workers; i++) {
		if (imbalance_is_maker(state, i))
			continue;
		maker = imbalance_next_maker(state, maker);
		rc = nslab_lanes_add(&state->lanes, maker, i, nr_slots);
	}
	if (!rc)
		atomic_store_explicit(&state->has_lanes, true, memory_order_release);
	return rc;
}

static void imbalance_worker_free(struct imbalance_worker *self)
{
	nslab_live_exit(&self->live, self->carrier.base.cpu, self->state->lanes.base.run->entry);
	nslab_carrier_free(&self->carrier);
	free(self);
}

static int imbalance_prepare(struct imbalance_worker *self, struct imbalance *state)
{
	struct nslab_run *run = state->lanes.base.run;
	const bool is_node = state->params.mode == IMBALANCE_NODE;
	const size_t nr = is_node ? (size_t)state->params.live_objects : 0;
	int rc = nslab_live_init(&self->live, &state->lanes.type, nr);

	if (!rc)
		rc = nslab_live_fill(&self->live, self->carrier.base.cpu, nr, run->entry);
	if (rc || is_node)
		return rc;
	if (atomic_fetch_add(&state->nr_here, 1) + 1 < run->nr_workers)
		return 0;
	return imbalance_make_lanes(state);
}

static int imbalance_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
				 struct nslab_worker **worker)
{
	struct imbalance *state = imbalance_of(w);
	struct imbalance_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->state = state;
	rc = nslab_carrier_init(&self->carrier, &state->lanes, cpu, index);
	if (!rc)
		rc = imbalance_prepare(self, state);
	if (rc) {
		imbalance_worker_free(self);
		return rc;
	}
	self->carrier.base.is_counted = true;
	*worker = &self->carrier.base;
	return 0;
}

/* At the first batch. False when the run is stopping, or memory is out. */
static bool imbalance_bind(struct imbalance_worker *self)
{
	const struct imbalance *state = self->state;

	while (!atomic_load_explicit(&state->has_lanes, memory_order_acquire)) {
		if (atomic_load(&state->lanes.base.run->is_stopping))
			return false;
		sched_yield();
	}
	self->carrier.is_failed = nslab_carrier_bind(&self->carrier) != 0;
	return !self->carrier.is_failed;
}

/* ---- handover ---- */

/* Own objects first, then those that the share wants for them, up to a chunk of it at a time. */
static inline __attribute__((always_inline)) size_t
imbalance_take(struct imbalance_worker *self, size_t n, const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->carrier.type;
	const unsigned share = (unsigned)self->state->params.share, own = 100 - share;
	struct nslab_cpu *cpu = self->carrier.base.cpu;
	size_t done = 0;

	for (; done < n; done++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);
		size_t nr = 0;

		if (!obj) {
			self->carrier.is_failed = true;
			break;
		}
		nslab_object_free(cpu, &type, obj, entry);
		for (self->rest += share; self->rest >= own * NSLAB_RING_CHUNK;
		     self->rest -= own * NSLAB_RING_CHUNK)
			nr += NSLAB_RING_CHUNK;
		if (nr)
			nslab_carry_receive(&self->carrier, nr, 1, NSLAB_RING_CHUNK,
					    nslab_carry_take, entry);
	}
	self->nr_own += done;
	return done;
}

/* ---- every worker asks for objects of the busy node ---- */

static inline __attribute__((always_inline)) size_t
imbalance_ask(struct imbalance_worker *self, size_t n, const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	const unsigned share = (unsigned)self->state->params.share;
	const int busy = (int)self->state->params.node;
	struct nslab_cpu *cpu = self->carrier.base.cpu;
	const size_t nr_live = self->live.nr;
	void **live = self->live.objs;
	unsigned rest = self->rest;
	size_t at = self->at, done = 0;

	for (; done < n; done++) {
		bool is_asked = (rest += share) >= 100;
		void *obj = nslab_object_alloc_node(cpu, &type, GFP_KERNEL,
						    is_asked ? busy : NUMA_NO_NODE, entry);

		if (!obj) {
			self->carrier.is_failed = true;
			break;
		}
		rest -= is_asked ? 100 : 0;
		self->nr_asked += is_asked;
		nslab_object_free(cpu, &type, live[at], entry);
		live[at] = obj;
		at = at + 1 == nr_live ? 0 : at + 1;
	}
	self->rest = rest;
	self->at = at;
	self->nr_own += done;
	return done;
}

static inline __attribute__((always_inline)) size_t
imbalance_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct imbalance_worker *self = imbalance_worker_of(worker);

	if (self->live.nr)
		return imbalance_ask(self, n, entry);
	if (!n || (!self->carrier.out && !imbalance_bind(self)))
		return 0;
	if (self->carrier.nr_out)
		return nslab_carry_send(&self->carrier, n, nslab_carry_put, entry);
	return imbalance_take(self, n, entry);
}

NSLAB_WORKLOAD_BATCH(imbalance)

static void imbalance_worker_exit(struct nslab_worker *worker)
{
	struct imbalance_worker *self = imbalance_worker_of(worker);
	struct imbalance *state = imbalance_of(worker->workload);

	atomic_fetch_add(&state->nr_own, self->nr_own);
	atomic_fetch_add(&state->nr_asked, self->nr_asked);
	nslab_carrier_leave_all(&self->carrier, nslab_carry_drop);
	imbalance_worker_free(self);
}

static int imbalance_verify(struct nslab_workload *w)
{
	return nslab_lanes_verdict(&imbalance_of(w)->lanes);
}

static void imbalance_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct imbalance *state = imbalance_of(w);

	nslab_lanes_figures(&state->lanes, figures);
	figures->figure(figures, "own_objects", (double)atomic_load(&state->nr_own), "objects");
	if (state->params.mode == IMBALANCE_NODE)
		figures->figure(figures, "asked_objects", (double)atomic_load(&state->nr_asked),
				"objects");
}

static const struct nslab_workload_ops imbalance_ops = {
	.name = "node_imbalance",
	.summary = "most objects are of one node: handed to workers of others, or asked for there",
	.models = "a device, or a first thread, whose node serves the whole machine",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 2,
	.params = imbalance_rows,
	.params_size = sizeof(struct imbalance_params),
	.setup = imbalance_setup,
	.worker_init = imbalance_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(imbalance),
	.worker_exit = imbalance_worker_exit,
	.verify = imbalance_verify,
	.teardown = imbalance_teardown,
	.figures = imbalance_figures,
};
NSLAB_WORKLOAD_PLUGIN(imbalance_ops);
