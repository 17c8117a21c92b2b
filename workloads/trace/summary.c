/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * summary.c: what a trace holds, in numbers.
 *
 * One pass keeps for each slot when, and on which CPU, its object was allocated; everything else is
 * counted into the group of the cache's name, the call site and the CPU. A lifetime is known
 * only of an object whose allocation and free are both in the trace: objects that an implicit free
 * ended lived at most that long, so they are left out, and so are those alive at the end. The
 * trace is checked first, so that counts of live objects cannot go below 0.
 */
#include "workloads/trace/summary.h"
#include "workloads/trace/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GRID_NS ((uint64_t)10000000)

struct summary_slot {
	uint64_t time_ns;
	uint16_t cpu;
	bool is_traced; /* its allocation is in the trace */
};

struct summary_pass {
	const struct nslab_trace_tables *tables;
	struct nslab_trace_summary *summary;
	struct summary_slot *slots;
	uint32_t *group_of; /* by cache */
	uint64_t now_ns;    /* since the first event */
	uint64_t grid, nr_in_grid;
	bool has_memory;
};

/* ---- counting ---- */

static void summary_crossing(const struct summary_pass *pass, struct nslab_trace_crossing *crossing,
			     uint16_t from, uint16_t to)
{
	int node = pass->tables->cpus[from].node, other = pass->tables->cpus[to].node;

	crossing->nr_frees++;
	crossing->nr_cross_cpu += from != to;
	if (node < 0 || other < 0)
		return;
	crossing->nr_node_told++;
	crossing->nr_cross_node += node != other;
}

static void summary_lifetime(struct summary_pass *pass, struct nslab_trace_group *group,
			     uint64_t ns)
{
	if (!group->lifetimes)
		group->lifetimes = calloc(1, sizeof(*group->lifetimes));
	if (group->lifetimes)
		nslab_hist_add(group->lifetimes, ns);
	else
		pass->has_memory = false;
}

static void summary_group_alloc(struct nslab_trace_group *group,
				const struct nslab_trace_cache *cache)
{
	group->nr_allocs++;
	group->bytes_asked += cache->object_size;
	group->bytes_given += cache->size;
	if (++group->nr_live > group->nr_live_peak)
		group->nr_live_peak = group->nr_live;
}

static void summary_alloc(struct summary_pass *pass, const struct nslab_trace_event *event,
			  const struct nslab_trace_shape *shape)
{
	struct nslab_trace_summary *s = pass->summary;
	const struct nslab_trace_cache *cache = &pass->tables->caches[shape->cache];
	int node = pass->tables->attrs[shape->attr].node;
	int own = pass->tables->cpus[event->cpu].node;

	pass->slots[event->slot] = (struct summary_slot){pass->now_ns, event->cpu, true};
	summary_group_alloc(&s->groups[pass->group_of[shape->cache]], cache);
	summary_group_alloc(&s->total, cache);
	s->sites[shape->site].nr_allocs++;
	s->sites[shape->site].bytes_given += cache->size;
	s->node_requests += node >= 0;
	s->cross_requests += node >= 0 && own >= 0 && node != own;
	s->live_bytes += cache->size;
	if (s->live_bytes > s->live_bytes_peak)
		s->live_bytes_peak = s->live_bytes;
}

static void summary_group_free(struct summary_pass *pass, struct nslab_trace_group *group,
			       const struct nslab_trace_event *event,
			       const struct nslab_trace_shape *shape)
{
	const struct summary_slot *slot = &pass->slots[event->slot];

	group->nr_live--;
	if (shape->flags & NSLAB_TRACE_IMPLICIT) {
		group->nr_implicit++;
		return;
	}
	group->nr_frees++;
	if (!slot->is_traced)
		return;
	summary_crossing(pass, &group->crossing, slot->cpu, event->cpu);
	summary_lifetime(pass, group, pass->now_ns - slot->time_ns);
}

static void summary_free(struct summary_pass *pass, const struct nslab_trace_event *event,
			 const struct nslab_trace_shape *shape)
{
	struct nslab_trace_summary *s = pass->summary;

	summary_group_free(pass, &s->groups[pass->group_of[shape->cache]], event, shape);
	summary_group_free(pass, &s->total, event, shape);
	s->live_bytes -= pass->tables->caches[shape->cache].size;
	if (!(shape->flags & NSLAB_TRACE_IMPLICIT))
		s->sites[shape->site].nr_frees++;
}

static void summary_rate(struct summary_pass *pass)
{
	if (pass->now_ns / GRID_NS != pass->grid) {
		pass->grid = pass->now_ns / GRID_NS;
		pass->nr_in_grid = 0;
	}
	if (++pass->nr_in_grid > pass->summary->peak_10ms)
		pass->summary->peak_10ms = pass->nr_in_grid;
}

static void summary_event(struct summary_pass *pass, const struct nslab_trace_event *event)
{
	const struct nslab_trace_shape *shape = &pass->tables->shapes[event->shape];
	struct nslab_trace_cpu_use *cpu = &pass->summary->cpus[event->cpu];

	pass->now_ns += nslab_trace_step_ns(event, pass->tables->shapes);
	if (shape->kind == NSLAB_TRACE_LOST)
		cpu->nr_lost += event->slot;
	if (shape->kind >= NSLAB_TRACE_NR_EVENT_KINDS)
		return;
	if (nslab_trace_is_alloc((enum nslab_trace_kind)shape->kind))
		summary_alloc(pass, event, shape);
	else
		summary_free(pass, event, shape);
	if (shape->flags & NSLAB_TRACE_IMPLICIT)
		return;
	pass->summary->nr_stored_events++;
	cpu->nr_events++;
	summary_rate(pass);
}

/* ---- tables ---- */

static int summary_make_groups(struct summary_pass *pass)
{
	const struct nslab_trace_tables *t = pass->tables;
	struct nslab_trace_summary *s = pass->summary;
	struct nslab_trace_intern names = {0};
	int id = 0;

	for (uint32_t i = 0; id >= 0 && i < t->nr_caches; i++) {
		struct nslab_trace_group *group;

		id = nslab_trace_intern(&names, t->caches[i].name, strlen(t->caches[i].name),
					INT32_MAX);
		if (id < 0)
			break;
		pass->group_of[i] = (uint32_t)id;
		group = &s->groups[id];
		group->name = t->caches[i].name;
		group->type = t->caches[i].type;
		if (t->caches[i].size > group->size)
			group->size = t->caches[i].size;
	}
	s->nr_groups = names.nr;
	nslab_trace_intern_free(&names);
	return id < 0 ? id : 0;
}

static void summary_add_born(struct summary_pass *pass)
{
	struct nslab_trace_summary *s = pass->summary;

	for (uint32_t i = 0; i < pass->tables->nr_born; i++) {
		uint32_t cache = pass->tables->born[i].cache;
		struct nslab_trace_group *group = &s->groups[pass->group_of[cache]];

		group->nr_born++;
		group->nr_live_peak = ++group->nr_live;
		s->live_bytes += pass->tables->caches[cache].size;
	}
	s->total.nr_born = s->total.nr_live = s->total.nr_live_peak = pass->tables->nr_born;
	s->live_bytes_peak = s->live_bytes;
}

static int summary_by_allocs(const void *a, const void *b)
{
	const struct nslab_trace_group *left = a, *right = b;

	if (left->nr_allocs != right->nr_allocs)
		return left->nr_allocs < right->nr_allocs ? 1 : -1;
	if (left->nr_frees != right->nr_frees)
		return left->nr_frees < right->nr_frees ? 1 : -1;
	return strcmp(left->name, right->name);
}

static int summary_by_site(const void *a, const void *b)
{
	const struct nslab_trace_site_use *left = a, *right = b;

	if (left->nr_allocs != right->nr_allocs)
		return left->nr_allocs < right->nr_allocs ? 1 : -1;
	if (left->nr_frees != right->nr_frees)
		return left->nr_frees < right->nr_frees ? 1 : -1;
	return left->site < right->site ? -1 : left->site > right->site;
}

static int summary_init(struct summary_pass *pass)
{
	const struct nslab_trace_tables *t = pass->tables;
	struct nslab_trace_summary *s = pass->summary;

	s->nr_sites = t->nr_sites;
	s->nr_cpus = t->nr_cpus;
	s->groups = calloc(t->nr_caches + (size_t)1, sizeof(*s->groups));
	s->sites = calloc(t->nr_sites + (size_t)1, sizeof(*s->sites));
	s->cpus = calloc(t->nr_cpus + (size_t)1, sizeof(*s->cpus));
	pass->slots = calloc(t->nr_slots + (size_t)1, sizeof(*pass->slots));
	pass->group_of = calloc(t->nr_caches + (size_t)1, sizeof(*pass->group_of));
	if (!s->groups || !s->sites || !s->cpus || !pass->slots || !pass->group_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->nr_sites; i++)
		s->sites[i].site = i;
	return summary_make_groups(pass);
}

static int summary_run(struct summary_pass *pass, const struct nslab_trace *trace,
		       struct nslab_err *err)
{
	struct nslab_trace_cursor *cursor;
	const struct nslab_trace_event *events;
	int nr = nslab_trace_cursor_open(trace, &cursor, err);

	if (nr)
		return nr;
	while ((nr = nslab_trace_cursor_next(cursor, &events, err)) > 0) {
		for (int i = 0; i < nr; i++)
			summary_event(pass, &events[i]);
	}
	nslab_trace_cursor_close(cursor);
	return nr;
}

int nslab_trace_summarize(const struct nslab_trace *trace, struct nslab_trace_summary **summary,
			  struct nslab_err *err)
{
	struct nslab_trace_summary *s = calloc(1, sizeof(*s));
	struct summary_pass pass = {
		.tables = nslab_trace_tables(trace), .summary = s, .has_memory = true};
	int rc = s ? nslab_trace_check(trace, err) : 0;

	if (rc)
		goto out;
	if (!s || summary_init(&pass)) {
		rc = nslab_fail(err, -ENOMEM, "cannot sum up the trace: no memory");
		goto out;
	}
	summary_add_born(&pass);
	rc = summary_run(&pass, trace, err);
	if (!rc && !pass.has_memory)
		rc = nslab_fail(err, -ENOMEM, "cannot sum up the trace: no memory");
	qsort(s->groups, s->nr_groups, sizeof(*s->groups), summary_by_allocs);
	qsort(s->sites, s->nr_sites, sizeof(*s->sites), summary_by_site);
out:
	free(pass.slots);
	free(pass.group_of);
	if (rc)
		nslab_trace_summary_free(s);
	else
		*summary = s;
	return rc;
}

void nslab_trace_summary_free(struct nslab_trace_summary *summary)
{
	if (!summary)
		return;
	for (uint32_t i = 0; summary->groups && i < summary->nr_groups; i++)
		free(summary->groups[i].lifetimes);
	free(summary->total.lifetimes);
	free(summary->groups);
	free(summary->sites);
	free(summary->cpus);
	free(summary);
}

const char *nslab_trace_blind_spot(const struct nslab_trace_tables *tables, unsigned i)
{
	static const char *const always[] = {
		"Bulk calls (kmem_cache_alloc_bulk, kmem_cache_free_bulk) have no event.",
		"Frees by RCU (kfree_rcu, SLAB_TYPESAFE_BY_RCU) have none, or come later.",
		"What sheaves and per-CPU slabs refill and flush has none.",
		"The node that an object was given is not told, only the one requested.",
		"Objects that were neither allocated nor freed meanwhile are not in it.",
	};
	unsigned nr = sizeof(always) / sizeof(always[0]);
	const char *more[4];
	unsigned nr_more = 0;

	if (i < nr)
		return always[i];
	if (!tables->info.has_pages)
		more[nr_more++] = "Pages were not recorded.";
	if (!tables->nr_kernel_caches)
		more[nr_more++] =
			"Slabs of the kernel's caches before and after were not recorded.";
	if (tables->tally.lost)
		more[nr_more++] =
			"Lost events make frees implicit and objects older than they are.";
	if (tables->nr_cpus && tables->cpus[0].node < 0)
		more[nr_more++] = "The nodes of the CPUs are not told.";
	return i - nr < nr_more ? more[i - nr] : NULL;
}
