/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay.c: a recorded trace of a kernel's allocations, replayed on any allocator.
 *
 * It imitates the kernel that was recorded: the same objects from the same caches, on the same
 * CPUs, in the same order. One operation is one event of the trace, an allocation or a free.
 *
 * How it works. Each recorded CPU has a CPU handle of its own, whose node is the recorded one as
 * far as there are nodes. Recorded CPU c belongs to worker c % threads, so fewer workers fold
 * threads together, never handles: cross-CPU frees stay cross-CPU. Every worker reads the whole
 * stream through a cursor of its own and acts on the events of its CPUs. Order across CPUs is kept
 * for each object: the n-th event on a slot waits until n - 1 others are done (`turn`), and as
 * every worker sees every event, each knows n. A single worker needs no turns and is deterministic.
 * After the last event the objects that are left are freed and the trace begins anew.
 *
 * What the events do not tell is in the trace (trace.h): a free that was not seen comes as an
 * implicit one; objects born before are allocated first; frees of objects whose size nobody knows
 * are skipped and counted. With fill=yes the recorded kernel's caches are put in place first, full
 * and partial slabs as sysfs had them. Zeroing (__GFP_ZERO) is left out: it is the same work on
 * every allocator. Page events are replayed only with pages=yes, since slabs take their own pages.
 *
 * As fast as possible (closed loop), or with pace=yes at the recorded times: then an event that
 * starts late, because an earlier one took long, is late by the time from its intended start.
 *
 * Whoever wants one cache only, or one segment to judge by and another to confirm it, plays a part
 * of the trace (replay_part.c).
 *
 * Counts: with points > 0 and one worker the whole trace is played once before anything is timed,
 * and slabs, partial slabs, lock acquisitions and remote frees are looked at on the way.
 *
 * Invariants: a slot holds an object between its allocation and its free and belongs to one cache;
 * an allocation that was refused leaves it empty and its free does nothing (verify: -ENOMEM).
 */
#include "workloads/replay.h"

#include "core/lock.h"

#include <numaslab/plugin.h>
#include <stdio.h>

static const char *const replay_order_rules[] = {"model", "recorded", NULL};
static const char *const replay_segments[] = {"all", "search", "holdout", NULL};

static const struct nslab_param replay_rows[] = {
	{.name = "trace",
	 .type = NSLAB_PARAM_TEXT,
	 .offset = offsetof(struct replay_params, trace),
	 .def = "",
	 .help = "file that `numaslab record` or `numaslab import` wrote"},
	{.name = "only",
	 .type = NSLAB_PARAM_TEXT,
	 .offset = offsetof(struct replay_params, only),
	 .def = "",
	 .help = "names of caches, a space between two: their events alone, as of one cache"},
	{.name = "segment",
	 .type = NSLAB_PARAM_CHOICE,
	 .offset = offsetof(struct replay_params, segment),
	 .def = "all",
	 .choices = replay_segments,
	 .help = "search: the first two thirds of the events, holdout: the rest"},
	{.name = "pages",
	 .type = NSLAB_PARAM_BOOL,
	 .offset = offsetof(struct replay_params, has_pages),
	 .def = "no",
	 .help = "replay page events too; slabs take their own pages beside them"},
	{.name = "pace",
	 .type = NSLAB_PARAM_BOOL,
	 .offset = offsetof(struct replay_params, is_paced),
	 .def = "no",
	 .help = "start each event at its recorded time and tell how late they were"},
	{.name = "fill",
	 .type = NSLAB_PARAM_BOOL,
	 .offset = offsetof(struct replay_params, is_filled),
	 .def = "no",
	 .help = "begin with the slabs that the recorded kernel had"},
	{.name = "untraced",
	 .type = NSLAB_PARAM_BOOL,
	 .offset = offsetof(struct replay_params, has_untraced),
	 .def = "no",
	 .help = "count as well what sysfs counted but no event told of (bulk), at the end"},
	{.name = "orders",
	 .type = NSLAB_PARAM_CHOICE,
	 .offset = offsetof(struct replay_params, order_rule),
	 .def = "model",
	 .choices = replay_order_rules,
	 .help = "of slabs: the model's own rule, or those of the recorded kernel"},
	{.name = "points",
	 .type = NSLAB_PARAM_INT,
	 .offset = offsetof(struct replay_params, points),
	 .def = "100",
	 .max = 10000,
	 .help = "of the curves (slabs over time) that one worker makes before it is timed"},
	NSLAB_PARAM_END,
};

static int replay_check(const void *params, char *why, size_t why_bytes)
{
	const struct replay_params *p = params;
	struct nslab_err err = {""};
	struct nslab_trace *trace;
	int rc;

	if (!p->trace[0]) {
		snprintf(why, why_bytes, "needs a trace: trace=FILE, from record or import");
		return -EINVAL;
	}
	if (p->is_paced && replay_is_part(p)) {
		snprintf(why, why_bytes, "pace=yes is for whole traces: without only and segment");
		return -EINVAL;
	}
	rc = nslab_trace_open(p->trace, &trace, &err);
	if (rc)
		snprintf(why, why_bytes, "%s", err.text);
	else
		nslab_trace_close(trace);
	return rc;
}

/* ---- what the trace's tables become ---- */

static const struct nslab_trace_kernel_cache *
replay_kernel_cache(const struct nslab_trace_tables *t, const struct nslab_trace_cache *cache)
{
	return cache->kernel < 0 ? NULL : &t->kernel_caches[cache->kernel];
}

static unsigned replay_cache_flags(const struct nslab_trace_kernel_cache *kernel)
{
	unsigned flags = SLAB_NO_MERGE; /* the traced kernel merged already what it merges */

	if (kernel && strstr(kernel->flags, "reclaim_account"))
		flags |= SLAB_RECLAIM_ACCOUNT;
	return flags;
}

/* Does the kernel, or does `only`, have a cache of its own for it? */
static bool replay_is_slab_cache(const struct replay *r, const struct nslab_trace_cache *cache)
{
	return cache->type == NSLAB_TRACE_KMEM || r->params.only[0];
}

/* The slabs of another; what NSLAB_ENTRY_NONE hands out stays its own. */
static int replay_share_cache(struct replay *r, uint32_t i, int other)
{
	struct nslab_object_type *type = &r->caches[i].type;

	*type = r->caches[other].type;
	type->scratch = calloc(1, type->size_bytes);
	return type->scratch ? 0 : -ENOMEM;
}

/*
 * The stride is what decides how many objects a slab has, and what the kernel added to its objects
 * (a free pointer behind a constructor's object, debugging) is in it: so the stride is the size.
 */
static int replay_make_cache(struct replay *r, uint32_t i)
{
	const struct nslab_trace_cache *cache = &r->tables->caches[i];
	const struct nslab_trace_kernel_cache *kernel = replay_kernel_cache(r->tables, cache);
	struct nslab_run run = {.env = r->base.run->env,
				.heap = r->base.run->heap,
				.entry = replay_is_slab_cache(r, cache) ? r->base.run->entry
									: NSLAB_ENTRY_KMALLOC,
				.cache_defaults = r->base.run->cache_defaults};
	uint64_t size = cache->object_size;
	const char *name = cache->name;
	size_t align = 0;

	if (replay_is_slab_cache(r, cache)) {
		size = cache->size ? cache->size : cache->object_size;
		if (kernel && kernel->align > 0 && kernel->align <= 4096 &&
		    !(kernel->align & (kernel->align - 1)))
			align = (size_t)kernel->align;
		if (kernel && r->params.order_rule == 1 && kernel->order >= 0 &&
		    kernel->order <= NSLAB_MAX_ORDER)
			run.cache_defaults.order = (int)kernel->order;
	}
	if (size < 8)
		size = 8;
	if (size > (size_t)4 << 20)
		return -EINVAL;
	if (cache->type == NSLAB_TRACE_SIZE) { /* the model has one of the kernel's name */
		snprintf(r->caches[i].name, sizeof(r->caches[i].name), "replayed %.48s", name);
		name = r->caches[i].name;
	}
	return nslab_object_create(&run, name, size, align, replay_cache_flags(kernel),
				   &r->caches[i].type);
}

static bool replay_is_known(const struct nslab_trace_cache *cache)
{
	return (cache->type == NSLAB_TRACE_KMEM || cache->type == NSLAB_TRACE_SIZE) &&
	       (cache->object_size || cache->size);
}

static int replay_caches(struct replay *r)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < r->tables->nr_caches; i++) {
		int other = replay_chosen_before(r, i);

		if (!replay_is_known(&r->tables->caches[i]) || !replay_is_chosen(r, i))
			continue;
		rc = other >= 0 ? replay_share_cache(r, i, other) : replay_make_cache(r, i);
	}
	return rc;
}

static gfp_t replay_gfp(const struct nslab_trace_attr *attr)
{
	gfp_t gfp = GFP_KERNEL;

	if (strstr(attr->gfp, "GFP_ATOMIC"))
		gfp = GFP_ATOMIC;
	else if (strstr(attr->gfp, "GFP_NOWAIT"))
		gfp = GFP_NOWAIT;
	if (attr->is_accounted)
		gfp |= __GFP_ACCOUNT;
	if (attr->kmalloc_type == NSLAB_TRACE_RCL)
		gfp |= __GFP_RECLAIMABLE;
	if (attr->kmalloc_type == NSLAB_TRACE_DMA)
		gfp |= __GFP_DMA;
	return gfp;
}

static struct replay_action replay_action_of(const struct replay *r, uint32_t cache_index,
					     bool is_alloc)
{
	const struct nslab_trace_cache *cache = &r->tables->caches[cache_index];
	struct replay_action action = {.gfp = GFP_KERNEL, .node = NUMA_NO_NODE};

	if (!replay_is_chosen(r, cache_index)) {
		action.op = REPLAY_SKIP;
	} else if (cache->type == NSLAB_TRACE_PAGES) {
		if (r->params.has_pages)
			action.op = is_alloc ? REPLAY_PAGE_ALLOC : REPLAY_PAGE_FREE;
		while (action.order < NSLAB_MAX_ORDER &&
		       NSLAB_PAGE_SIZE << action.order < cache->object_size)
			action.order++;
	} else if (replay_is_known(cache)) {
		action.op = is_alloc ? REPLAY_ALLOC : REPLAY_FREE;
		action.type = r->caches[cache_index].type;
		action.is_kmem = replay_is_slab_cache(r, cache);
	}
	return action;
}

static int replay_actions(struct replay *r)
{
	const struct nslab_trace_tables *t = r->tables;
	int nr_nodes = r->base.run->env->arena->nr_nodes;

	r->actions = calloc(t->nr_shapes + 1, sizeof(*r->actions));
	r->of_cache = calloc(2 * (size_t)t->nr_caches + 1, sizeof(*r->of_cache));
	if (!r->actions || !r->of_cache)
		return -ENOMEM;
	for (uint32_t i = 0; i < 2 * t->nr_caches; i++)
		r->of_cache[i] = replay_action_of(r, i / 2, !(i % 2));
	for (uint32_t i = 0; i < t->nr_shapes; i++) {
		const struct nslab_trace_shape *shape = &t->shapes[i];
		enum nslab_trace_kind kind = (enum nslab_trace_kind)shape->kind;
		const struct nslab_trace_attr *attr = &t->attrs[shape->attr];

		if (kind >= NSLAB_TRACE_NR_EVENT_KINDS)
			continue;
		r->actions[i] = replay_action_of(r, shape->cache, nslab_trace_is_alloc(kind));
		r->actions[i].is_event = true;
		if (!nslab_trace_is_alloc(kind))
			continue;
		r->actions[i].gfp = replay_gfp(attr);
		if (attr->node >= 0)
			r->actions[i].node = attr->node % nr_nodes;
	}
	return 0;
}

/* ---- what is live when the trace ends, by one pass over it ---- */

static void replay_scan_block(struct replay *r, bool *is_live,
			      const struct nslab_trace_event *events, int nr)
{
	for (int i = 0; i < nr; i++) {
		const struct nslab_trace_shape *shape = &r->tables->shapes[events[i].shape];
		struct replay_cache *cache = &r->caches[shape->cache];
		uint32_t slot = events[i].slot;

		if (shape->kind >= NSLAB_TRACE_NR_EVENT_KINDS)
			continue;
		r->slot_cache[slot] = shape->cache;
		is_live[slot] = nslab_trace_is_alloc((enum nslab_trace_kind)shape->kind);
		cache->moved_objects += is_live[slot] ? 1 : -1;
		if (cache->nr_born + cache->moved_objects > cache->peak_objects)
			cache->peak_objects = cache->nr_born + cache->moved_objects;
	}
}

static int replay_scan(struct replay *r, bool *is_live)
{
	const struct nslab_trace_event *events;
	struct nslab_trace_cursor *cursor;
	struct nslab_err err = {""};
	int nr;

	for (uint32_t i = 0; i < r->nr_born; i++) {
		r->slot_cache[r->born[i].slot] = r->born[i].cache;
		is_live[r->born[i].slot] = true;
		r->caches[r->born[i].cache].nr_born++;
	}
	if (r->part) {
		replay_scan_block(r, is_live, r->part, r->nr_part);
		return 0;
	}
	nr = nslab_trace_cursor_open(r->trace, &cursor, &err);
	if (nr)
		return nr;
	while ((nr = nslab_trace_cursor_next(cursor, &events, &err)) > 0)
		replay_scan_block(r, is_live, events, nr);
	nslab_trace_cursor_close(cursor);
	return nr;
}

static int replay_leftovers(struct replay *r)
{
	uint32_t nr_slots = r->tables->nr_slots;
	bool *is_live = calloc((size_t)nr_slots + 1, sizeof(*is_live));
	int rc = -ENOMEM;

	r->slot_cache = calloc((size_t)nr_slots + 1, sizeof(*r->slot_cache));
	r->leftovers = calloc((size_t)nr_slots + 1, sizeof(*r->leftovers));
	if (is_live && r->slot_cache && r->leftovers)
		rc = replay_scan(r, is_live);
	for (uint32_t i = 0; !rc && i < nr_slots; i++) {
		if (is_live[i])
			r->leftovers[r->nr_leftovers++] =
				(struct nslab_trace_born){i, r->slot_cache[i]};
	}
	free(is_live);
	return rc;
}

/* ---- the plug-in ---- */

static void replay_teardown(struct nslab_workload *w)
{
	struct replay *r = nslab_container_of(w, struct replay, base);

	for (uint32_t i = 0; r->caches && i < r->tables->nr_caches; i++)
		nslab_object_exit(&r->caches[i].type);
	replay_curves_free(r);
	replay_part_free(r);
	nslab_trace_close(r->trace);
	free(r->caches);
	free(r->actions);
	free(r->of_cache);
	free(r->slots);
	free(r->slot_cache);
	free(r->leftovers);
	free(r);
}

static int replay_load(struct replay *r)
{
	struct nslab_err err = {""};
	int rc = nslab_trace_open(r->params.trace, &r->trace, &err);

	if (rc)
		goto out;
	r->tables = nslab_trace_tables(r->trace);
	r->born = r->tables->born;
	r->nr_born = r->tables->nr_born;
	r->caches = calloc((size_t)r->tables->nr_caches + 1, sizeof(*r->caches));
	r->slots = nslab_apart_alloc(((size_t)r->tables->nr_slots + 1) * sizeof(*r->slots));
	if (!r->caches || !r->slots)
		return -ENOMEM;
	rc = nslab_trace_check(r->trace, &err);
out:
	if (err.text[0])
		r->base.run->env->report(r->base.run->env, "replay: %s", err.text);
	return rc;
}

static int replay_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct replay *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return -ENOMEM;
	r->base.run = run;
	memcpy(&r->params, params, sizeof(r->params));
	rc = replay_load(r);
	if (!rc && (uint32_t)run->nr_workers > r->tables->nr_cpus) {
		run->env->report(run->env, "note: '%s' has %u CPUs: at most as many threads",
				 r->params.trace, r->tables->nr_cpus);
		rc = -ENXIO;
	}
	if (!rc)
		rc = replay_part_make(r);
	if (!rc)
		rc = replay_leftovers(r);
	if (!rc)
		rc = replay_caches(r);
	if (!rc)
		rc = replay_actions(r);
	if (rc) {
		replay_teardown(&r->base);
		return rc;
	}
	*w = &r->base;
	return 0;
}

/* ---- workers ---- */

static bool replay_is_mine(const struct replay_worker *self, uint32_t cpu)
{
	return cpu % (uint32_t)self->base.workload->run->nr_workers == (uint32_t)self->base.index;
}

/* Handles of the recorded CPUs that are this worker's; the first is the worker's own. */
static int replay_cpus_online(struct replay_worker *self)
{
	struct nslab_run *run = self->base.workload->run;
	const struct nslab_trace_tables *t = self->replay->tables;
	int nr_nodes = run->env->arena->nr_nodes;

	self->cpus = calloc((size_t)t->nr_cpus + 1, sizeof(struct nslab_cpu *));
	if (!self->cpus)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->nr_cpus; i++) {
		int node = t->cpus[i].node >= 0 ? t->cpus[i].node % nr_nodes : self->base.cpu->node;
		int rc = 0;

		if ((int)i == self->base.index)
			self->cpus[i] = self->base.cpu;
		else if (replay_is_mine(self, i))
			rc = run->cpu_online(run, (int)i, node, &self->cpus[i]);
		if (rc)
			return rc;
	}
	return 0;
}

static void replay_cpus_offline(struct replay_worker *self)
{
	struct nslab_run *run = self->base.workload->run;

	for (uint32_t i = 0; self->cpus && i < self->replay->tables->nr_cpus; i++) {
		if (self->cpus[i] && self->cpus[i] != self->base.cpu)
			run->cpu_offline(run, self->cpus[i]);
	}
	free(self->cpus);
}

static void replay_worker_free(struct replay_worker *self)
{
	replay_fill_free(self);
	replay_untraced_free(self);
	replay_cpus_offline(self);
	if (self->cursor)
		nslab_trace_cursor_close(self->cursor);
	free(self->turns);
	free(self->latency);
	free(self);
}

static int replay_worker_open(struct replay_worker *self)
{
	struct replay *r = self->replay;
	struct nslab_err err = {""};
	int rc = nslab_trace_cursor_open(r->trace, &self->cursor, &err);

	if (rc)
		return rc;
	if (r->base.run->nr_workers > 1) {
		self->turns = calloc((size_t)r->tables->nr_slots + 1, sizeof(*self->turns));
		if (!self->turns)
			return -ENOMEM;
	}
	if (r->params.is_paced) {
		self->latency = calloc(1, sizeof(*self->latency));
		if (!self->latency)
			return -ENOMEM;
	}
	rc = replay_cpus_online(self);
	if (!rc && r->params.is_filled && self->base.index == 0)
		rc = replay_fill(self);
	if (!rc && r->params.points && r->base.run->nr_workers == 1)
		rc = replay_count_pass(self);
	return rc;
}

static int replay_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			      struct nslab_worker **worker)
{
	struct replay *r = nslab_container_of(w, struct replay, base);
	struct replay_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w,
		.cpu = cpu,
		.index = index,
		.is_counted = true,
	};
	self->replay = r;
	rc = replay_worker_open(self);
	if (rc) {
		replay_worker_free(self);
		return rc;
	}
	atomic_fetch_add(&r->nr_inside, 1);
	*worker = &self->base;
	return 0;
}

static void replay_add_latency(struct replay *r, const struct nslab_hist *latency)
{
	while (atomic_flag_test_and_set_explicit(&r->latency_lock, memory_order_acquire))
		nslab_cpu_relax();
	nslab_hist_merge(&r->latency, latency);
	atomic_flag_clear_explicit(&r->latency_lock, memory_order_release);
}

static void replay_worker_exit(struct nslab_worker *worker)
{
	struct replay_worker *self = nslab_container_of(worker, struct replay_worker, base);
	struct replay *r = self->replay;

	atomic_fetch_add(&r->nr_events, self->nr_done);
	atomic_fetch_add(&r->nr_skipped, self->nr_skipped);
	atomic_fetch_add(&r->nr_remote_frees, self->nr_remote_frees);
	atomic_fetch_add(&r->nr_cross_node_frees, self->nr_cross_node_frees);
	atomic_fetch_add(&r->nr_passes, self->nr_passes);
	if (self->nr_refused)
		atomic_fetch_add(&r->tally.nr_failed, 1);
	if (self->latency)
		replay_add_latency(r, self->latency);
	if (atomic_fetch_sub_explicit(&r->nr_inside, 1, memory_order_acq_rel) == 1)
		replay_drain(self);
	replay_worker_free(self);
}

static int replay_verify(struct nslab_workload *w)
{
	struct replay *r = nslab_container_of(w, struct replay, base);

	for (uint32_t i = 0; i < r->tables->nr_slots; i++) {
		if (r->slots[i].obj)
			return -EILSEQ;
	}
	return nslab_tally_verdict(&r->tally);
}

static void replay_figures(struct nslab_workload *w, struct nslab_figures *f)
{
	static const double quantiles[] = {0.5, 0.99, 0.999};
	static const char *const words[] = {"latency_p50", "latency_p99", "latency_p99.9"};
	struct replay *r = nslab_container_of(w, struct replay, base);

	/* of all passes, however many there was time for; of one pass where one was counted */
	if (!r->curves) {
		f->figure(f, "events", (double)atomic_load(&r->nr_events), "events");
		f->figure(f, "skipped", (double)atomic_load(&r->nr_skipped), "events");
		f->figure(f, "remote_frees", (double)atomic_load(&r->nr_remote_frees), "objects");
		f->figure(f, "cross_node_frees", (double)atomic_load(&r->nr_cross_node_frees),
			  "objects");
	}
	f->figure(f, "passes", (double)atomic_load(&r->nr_passes), "whole traces");
	for (int i = 0; i < 3; i++) {
		double ns = nslab_hist_quantile(&r->latency, quantiles[i]);

		if (!isnan(ns))
			f->figure(f, words[i], ns, "ns from the intended start");
	}
	replay_curves_tell(r, f);
}

static const struct nslab_workload_ops replay_ops = {
	.name = "replay",
	.summary = "a recorded trace of a kernel's own allocations; one operation is one event",
	.models = "the kernel that `numaslab record` watched",
	.catches = "what no synthetic loop shows: the mix, lifetimes and CPUs of one's own load",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 1,
	.params = replay_rows,
	.params_size = sizeof(struct replay_params),
	.setup = replay_setup,
	.worker_init = replay_worker_init,
	.batch = {[NSLAB_ENTRY_NONE] = replay_none,
		  [NSLAB_ENTRY_CACHE] = replay_cache,
		  [NSLAB_ENTRY_KMALLOC] = replay_kmalloc,
		  [NSLAB_ENTRY_MALLOC] = replay_malloc},
	.worker_exit = replay_worker_exit,
	.verify = replay_verify,
	.teardown = replay_teardown,
	.figures = replay_figures,
	.check = replay_check,
};
NSLAB_WORKLOAD_PLUGIN(replay_ops);
