/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory_only_node.c: every worker keeps objects on a node where no PU is at home.
 *
 * It imitates memory behind a link, or of an accelerator, that a driver or a tiering daemon asks
 * for by number. No CPU frees there as its own, so a design that keeps arrays per CPU for its node
 * alone has none to use, each request goes to the node's lists, and code that believes that every
 * node has a CPU shows itself.
 *
 * How it works: the node is the first one without a PU, or `node`; setup answers -ENXIO where there
 * is none and -EINVAL where a PU is at home. A worker holds `live_objects` and replaces the oldest.
 * With `strict` objects of other nodes are refused (__GFP_THISNODE); without it the page allocator
 * may fall back, and the figures tell how many of the objects that were alive at the end are there.
 *
 * Invariants: every slot holds an object from worker_init on. With `strict` each one lies on the
 * node, which is looked at when a worker leaves. Left out: malloc, which knows no node.
 */
#include "workloads/live.h"

#include <numaslab/plugin.h>

struct only_params {
	int64_t size;
	int64_t live_objects;
	int64_t node;
	bool strict;
};

struct only {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct only_params params;
	struct nslab_tally tally;
	int node;
	atomic_uint_fast64_t nr_made, nr_there, nr_elsewhere;
};

struct only_worker {
	struct nslab_worker base;
	struct nslab_live live;
	size_t at; /* its oldest object */
	gfp_t gfp;
	int node;
	uint64_t nr_made;
	bool is_failed;
};

static const char *const only_nodes[] = {"first", NULL};

static const struct nslab_param only_rows[] = {
	NSLAB_SIZE_ROW(only_params),
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct only_params, live_objects),
		.def = "1024",
		.min = 1,
		.max = 1 << 24,
		.help = "objects that each worker keeps alive",
	},
	{
		.name = "node",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct only_params, node),
		.def = "first",
		.min = -1,
		.max = 1023,
		.choices = only_nodes,
		.help = "the node, counted from 0 in the order of the topology; first without a PU",
	},
	{
		.name = "strict",
		.type = NSLAB_PARAM_BOOL,
		.offset = offsetof(struct only_params, strict),
		.def = "yes",
		.help = "refuse objects of other nodes when its memory is out",
	},
	NSLAB_PARAM_END,
};

static struct only *only_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct only, base);
}

/* The node, or -ENXIO, or -EINVAL when a PU is at home there. */
static int only_find(const struct nslab_run *run, int64_t wanted)
{
	const int nr_nodes = run->env->arena->nr_nodes;
	int node = 0;

	if (wanted >= nr_nodes)
		return -ENXIO;
	if (wanted >= 0)
		return run->node_has_pus[wanted] ? -EINVAL : (int)wanted;
	while (node < nr_nodes && run->node_has_pus[node])
		node++;
	return node < nr_nodes ? node : -ENXIO;
}

static int only_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct only_params *p = params;
	int node = only_find(run, p->node), rc;
	struct only *state;

	if (node < 0)
		return node;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->base.run = run;
	state->params = *p;
	state->node = node;
	rc = nslab_object_init(run, "memory_only", (size_t)p->size, &state->type);
	if (rc) {
		nslab_object_exit(&state->type);
		free(state);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static void only_worker_free(struct only_worker *self)
{
	nslab_live_exit(&self->live, self->base.cpu, self->base.workload->run->entry);
	free(self);
}

static int only_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			    struct nslab_worker **worker)
{
	struct only *state = only_of(w);
	struct only_worker *self = nslab_apart_alloc(sizeof(*self));
	size_t nr = (size_t)state->params.live_objects;
	int rc;

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->node = state->node;
	self->gfp = GFP_KERNEL | (state->params.strict ? __GFP_THISNODE : 0);
	rc = nslab_live_init(&self->live, &state->type, nr);
	if (!rc)
		rc = nslab_live_fill_node(&self->live, cpu, nr, self->gfp, self->node,
					  w->run->entry);
	if (rc) {
		only_worker_free(self);
		return rc;
	}
	self->nr_made = nr;
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) size_t only_loop(struct nslab_worker *worker, size_t n,
							      const enum nslab_entry entry)
{
	struct only_worker *self = nslab_container_of(worker, struct only_worker, base);
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = worker->cpu;
	const size_t nr_live = self->live.nr;
	const gfp_t gfp = self->gfp;
	const int node = self->node;
	void **live = self->live.objs;
	size_t at = self->at, done = 0;

	for (; done < n; done++) {
		void *obj = nslab_object_alloc_node(cpu, &type, gfp, node, entry);

		if (!obj) {
			self->is_failed = true;
			break;
		}
		nslab_object_free(cpu, &type, live[at], entry);
		live[at] = obj;
		at = at + 1 == nr_live ? 0 : at + 1;
	}
	self->at = at;
	self->nr_made += done;
	return done;
}

static size_t only_none(struct nslab_worker *worker, size_t n)
{
	return only_loop(worker, n, NSLAB_ENTRY_NONE);
}

static size_t only_cache(struct nslab_worker *worker, size_t n)
{
	return only_loop(worker, n, NSLAB_ENTRY_CACHE);
}

static size_t only_kmalloc(struct nslab_worker *worker, size_t n)
{
	return only_loop(worker, n, NSLAB_ENTRY_KMALLOC);
}

static void only_look(struct only *state, const struct only_worker *self)
{
	const struct nslab_run *run = state->base.run;

	if (run->entry == NSLAB_ENTRY_NONE || !(run->heap->ops->caps & NSLAB_CAP_PAGES))
		return;
	for (size_t i = 0; i < self->live.nr; i++) {
		bool is_there = nslab_node_of(run->env, self->live.objs[i]) == state->node;

		atomic_fetch_add(is_there ? &state->nr_there : &state->nr_elsewhere, 1);
	}
}

static void only_worker_exit(struct nslab_worker *worker)
{
	struct only_worker *self = nslab_container_of(worker, struct only_worker, base);
	struct only *state = only_of(worker->workload);

	only_look(state, self);
	atomic_fetch_add(&state->nr_made, self->nr_made);
	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	only_worker_free(self);
}

static int only_verify(struct nslab_workload *w)
{
	struct only *state = only_of(w);

	if (state->params.strict && atomic_load(&state->nr_elsewhere))
		return -EILSEQ;
	return nslab_tally_verdict(&state->tally);
}

static void only_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct only *state = only_of(w);

	figures->figure(figures, "objects", (double)atomic_load(&state->nr_made), "objects");
	figures->figure(figures, "on_node", (double)atomic_load(&state->nr_there), "objects");
	figures->figure(figures, "elsewhere", (double)atomic_load(&state->nr_elsewhere), "objects");
}

static void only_teardown(struct nslab_workload *w)
{
	nslab_object_exit(&only_of(w)->type);
	free(only_of(w));
}

static const struct nslab_workload_ops only_ops = {
	.name = "memory_only_node",
	.summary = "keep objects on a node where no PU is at home, replace the oldest",
	.models = "memory behind a link or of an accelerator, asked for by its node",
	.needs = NSLAB_CAP_NODE,
	.min_workers = 1,
	.params = only_rows,
	.params_size = sizeof(struct only_params),
	.setup = only_setup,
	.worker_init = only_worker_init,
	.batch = {[NSLAB_ENTRY_NONE] = only_none,
		  [NSLAB_ENTRY_CACHE] = only_cache,
		  [NSLAB_ENTRY_KMALLOC] = only_kmalloc},
	.worker_exit = only_worker_exit,
	.verify = only_verify,
	.teardown = only_teardown,
	.figures = only_figures,
};
NSLAB_WORKLOAD_PLUGIN(only_ops);
