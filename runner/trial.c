/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trial.c: one trial, from its JSON description to its JSON result.
 *
 * The process is fresh, so that each trial samples a new address-space layout and no trial inherits
 * another's heap. The steps are: read the description, open the world (arena, page allocator, one
 * heap), set the workload up, start the pinned workers, wait until they are parked with their
 * objects live, verify where the pages are and read the backend's statistics, let the workers free
 * everything, check that nothing is left, write the result.
 *
 * Topology is not detected again: the description carries the nodes and PUs that matter.
 * Invariant: whatever fails, the result document is written and says what failed.
 */
#define _GNU_SOURCE
#include "runner/trial.h"

#include "allocators/common/kmalloc.h"
#include "core/param.h"
#include "core/rng.h"
#include "core/stat_words.h"
#include "runner/counters/choice_json.h"
#include "runner/counters/simulated.h"
#include "runner/plan.h"
#include "runner/sampler.h"
#include "runner/slabinfo.h"
#include "runner/worker.h"
#include "topology/topology.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_TO_CHECK 400 /* +-5 points at 95 % */

struct trial {
	json_t *spec;
	json_t *result;
	struct nslab_err err;
	struct nslab_registry *registry;
	const struct nslab_allocator_ops *allocator;
	const struct nslab_page_ops *page;
	const struct nslab_workload_ops *workload_ops;
	void *allocator_params, *page_params, *area_params, *workload_params;
	struct nslab_topo topo; /* only what the arena needs */
	struct nslab_run run;
	struct nslab_workload *workload;
	struct nslab_crew crew;
	struct nslab_worker_thread *threads;
	struct nslab_window *windows;
	struct nslab_latency latency;
	struct nslab_latency_found *latencies; /* [nr_workers], or NULL */
	struct nslab_sampler *sampler;	       /* NULL: off */
	int nr_workers, nr_windows;
	bool *node_has_pus;
	bool is_abandoned; /* workers still run: nothing may be freed */
};

static int entry_parse(const char *word)
{
	for (int i = 0; i < NSLAB_NR_ENTRIES; i++) {
		if (!strcmp(word, nslab_entry_word((enum nslab_entry)i)))
			return i;
	}
	return -1;
}

static int64_t get_int(const json_t *object, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(object, key));
}

static const char *get_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---- reading the description ---- */

static int trial_params(struct trial *t, const char *part, const struct nslab_param *rows,
			size_t bytes, void **params)
{
	json_t *given = json_object_get(json_object_get(t->spec, part), "params");
	const char *key;
	json_t *value;
	int rc;

	*params = calloc(1, bytes ? bytes : 1);
	if (!*params)
		return -ENOMEM;
	rc = nslab_param_defaults(rows, *params, &t->err);
	if (rc)
		return rc;
	json_object_foreach(given, key, value)
	{
		const struct nslab_param *row = nslab_param_find(rows, key);

		if (!row || !json_is_string(value))
			return nslab_fail(&t->err, -EINVAL, "%s has no parameter '%s'", part, key);
		rc = nslab_param_set(row, json_string_value(value), *params, &t->err);
		if (rc)
			return rc;
	}
	return 0;
}

static int trial_find(struct trial *t, const char *part, enum nslab_plugin_kind kind,
		      const struct nslab_entry_record **record)
{
	return nslab_registry_get(t->registry, kind,
				  get_text(json_object_get(t->spec, part), "name"), record,
				  &t->err);
}

static int trial_plugins(struct trial *t)
{
	json_t *paths = json_object_get(t->spec, "plugins");
	const struct nslab_entry_record *allocator, *page, *workload;
	const char *list[65] = {NULL};
	size_t i;
	json_t *path;
	int rc;

	json_array_foreach(paths, i, path)
	{
		if (i < 64)
			list[i] = json_string_value(path);
	}
	rc = nslab_registry_open(list, &t->registry, &t->err);
	if (!rc)
		rc = trial_find(t, "allocator", NSLAB_PLUGIN_ALLOCATOR, &allocator);
	if (!rc)
		rc = trial_find(t, "page", NSLAB_PLUGIN_PAGE, &page);
	if (!rc)
		rc = trial_find(t, "workload", NSLAB_PLUGIN_WORKLOAD, &workload);
	if (rc)
		return rc;
	t->allocator = allocator->ops.allocator;
	t->page = page->ops.page;
	t->workload_ops = workload->ops.workload;
	rc = trial_params(t, "allocator", t->allocator->params, t->allocator->params_size,
			  &t->allocator_params);
	if (!rc)
		rc = trial_params(t, "page", t->page->params, t->page->params_size,
				  &t->page_params);
	if (!rc)
		rc = trial_params(t, "areas", nslab_area_rows, sizeof(struct nslab_area_params),
				  &t->area_params);
	if (!rc)
		rc = trial_params(t, "workload", t->workload_ops->params,
				  t->workload_ops->params_size, &t->workload_params);
	return rc;
}

/* The part of a topology that an arena is made from. */
static int trial_topo(struct trial *t)
{
	json_t *nodes = json_object_get(t->spec, "nodes");
	json_t *distances = json_object_get(t->spec, "distances");
	size_t nr = json_array_size(nodes);
	struct nslab_topo *topo = &t->topo;

	topo->is_simulated = json_is_true(json_object_get(t->spec, "is_simulated"));
	topo->is_this_machine = true;
	topo->nr_nodes = (int)nr;
	topo->nodes = calloc(nr + 1, sizeof(*topo->nodes));
	topo->distances = calloc(nr * nr + 1, sizeof(*topo->distances));
	if (!topo->nodes || !topo->distances)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		json_t *node = json_array_get(nodes, i);

		topo->nodes[i].os_index = (int)get_int(node, "os_index");
		topo->nodes[i].logical_index = (int)i;
		topo->nodes[i].memory_bytes = (uint64_t)get_int(node, "memory_bytes");
	}
	for (size_t i = 0; i < nr * nr; i++)
		topo->distances[i] = (unsigned)json_integer_value(json_array_get(distances, i));
	return 0;
}

static void trial_report(void *context, const char *line)
{
	struct trial *t = context;

	json_array_append_new(json_object_get(t->result, "reports"), json_string(line));
}

/* What was reported last says more than an errno. */
static const char *trial_reason(const struct trial *t, int rc)
{
	const json_t *reports = json_object_get(t->result, "reports");
	size_t nr = json_array_size(reports);

	return nr ? json_string_value(json_array_get(reports, nr - 1)) : strerror(-rc);
}

static int trial_world(struct trial *t)
{
	json_t *memory = json_object_get(t->spec, "memory");
	struct nslab_arena_spec arena = {
		.topo = &t->topo,
		.memory = {.kind = (enum nslab_memory_kind)get_int(memory, "kind"),
			   .node = (int)get_int(memory, "node")},
		.huge = (enum nslab_huge_policy)get_int(t->spec, "huge"),
		.node_bytes = (size_t)get_int(t->spec, "node_bytes"),
		.nr_cpus = (int)get_int(t->spec, "nr_cpus"),
	};
	struct nslab_world_spec spec = {
		.allocator = t->allocator,
		.allocator_params = t->allocator_params,
		.page = t->page,
		.page_params = t->page_params,
		.area_params = t->area_params,
		.arena = &arena,
		.seed = (uint64_t)get_int(t->spec, "seed"),
		.is_debug = json_is_true(json_object_get(t->spec, "debug")),
		.report = trial_report,
		.report_context = t,
	};

	return nslab_world_open(&spec, &t->crew.world, &t->err);
}

static int trial_cpu_online(struct nslab_run *run, int id, int node, struct nslab_cpu **cpu)
{
	struct trial *t = nslab_container_of(run, struct trial, run);

	return nslab_world_cpu_online(t->crew.world, id, node, cpu);
}

static uint64_t trial_now_ns(const struct nslab_run *run)
{
	(void)run;
	return nslab_now_ns(&nslab_real_clock);
}

static void trial_cpu_offline(struct nslab_run *run, struct nslab_cpu *cpu)
{
	nslab_world_cpu_offline(nslab_container_of(run, struct trial, run)->crew.world, cpu);
}

/* By arena node; without a word about it a node has PUs. */
static int trial_nodes(struct trial *t)
{
	json_t *nodes = json_object_get(t->spec, "nodes");
	struct nslab_arena_map *arena = nslab_world_arena(t->crew.world);

	t->node_has_pus = calloc((size_t)t->run.env->arena->nr_nodes, sizeof(*t->node_has_pus));
	if (!t->node_has_pus)
		return -ENOMEM;
	for (size_t i = 0; i < json_array_size(nodes); i++) {
		int node = nslab_arena_map_node(arena, (int)i);
		json_t *has_pus = json_object_get(json_array_get(nodes, i), "has_pus");

		if (node >= 0 && !json_is_false(has_pus))
			t->node_has_pus[node] = true;
	}
	t->run.node_has_pus = t->node_has_pus;
	return 0;
}

static int trial_workload(struct trial *t)
{
	json_t *cache = json_object_get(t->spec, "cache");
	int entry = entry_parse(get_text(t->spec, "entry"));
	int rc;

	if (entry < 0)
		return nslab_fail(&t->err, -EINVAL, "unknown entry '%s'",
				  get_text(t->spec, "entry"));
	t->run = (struct nslab_run){
		.env = nslab_world_env(t->crew.world),
		.heap = nslab_world_heap(t->crew.world),
		.entry = (enum nslab_entry)entry,
		.nr_workers = t->nr_workers,
		.seed = (uint64_t)get_int(t->spec, "seed"),
		.cache_defaults = {.order = (int)get_int(cache, "order"),
				   .min_partial = (int)get_int(cache, "min_partial"),
				   .cpu_partial = (int)get_int(cache, "cpu_partial"),
				   .sheaf_capacity = (int)get_int(cache, "sheaf_capacity")},
		.cpu_online = trial_cpu_online,
		.cpu_offline = trial_cpu_offline,
		.now_ns = trial_now_ns,
	};
	rc = trial_nodes(t);
	if (rc)
		return rc;
	if (!t->workload_ops->batch[entry])
		return nslab_fail(&t->err, -EOPNOTSUPP, "workload '%s' has no entry '%s'",
				  t->workload_ops->name, get_text(t->spec, "entry"));
	rc = t->workload_ops->setup(&t->run, t->workload_params, &t->workload);
	if (rc)
		return nslab_fail(&t->err, rc, "cannot set up workload '%s': %s",
				  t->workload_ops->name, trial_reason(t, rc));
	t->workload->ops = t->workload_ops;
	t->workload->run = &t->run;
	return 0;
}

/* ---- running ---- */

/* The clock is watched from here on, while the workers measure. */
static int trial_latency(struct trial *t)
{
	struct nslab_latency *latency = &t->latency;
	int rc = 0;

	latency->window_ns = t->crew.meter.window_ns;
	latency->nr_pairs = t->nr_windows;
	latency->is_stopping = &t->run.is_stopping;
	t->latencies = calloc((size_t)t->nr_workers, sizeof(*t->latencies));
	if (!t->latencies)
		return -ENOMEM;
	for (int i = 0; !rc && i < t->nr_workers; i++) {
		rc = nslab_latency_found_init(latency, &t->latencies[i]);
		t->threads[i].latency = &t->latencies[i];
	}
	nslab_latency_start(latency, nslab_ticker_best(), &nslab_real_clock);
	t->crew.latency = latency;
	return rc;
}

static int trial_crew(struct trial *t)
{
	struct nslab_crew *crew = &t->crew;
	json_t *counters = json_object_get(t->spec, "counters");
	int rc = nslab_choice_apply_json(counters, &t->err);

	if (rc)
		return rc;
	crew->is_simulated = json_is_true(json_object_get(t->spec, "simulated"));
	crew->meter.clock = crew->is_simulated ? &nslab_simulated_clock : &nslab_real_clock;
	if (!crew->is_simulated)
		crew->meter.precondition_ns = (uint64_t)get_int(t->spec, "precondition_ns");
	crew->meter.warmup_ns = (uint64_t)get_int(t->spec, "warmup_ns");
	crew->meter.window_ns = (uint64_t)get_int(t->spec, "window_ns");
	crew->meter.nr_windows = t->nr_windows;
	crew->meter.nr_workers = t->nr_workers;
	crew->meter.is_stopping = &t->run.is_stopping;
	crew->workload = t->workload;
	crew->entry = t->run.entry;
	crew->has_counters = counters && !json_is_false(counters);
	t->threads = calloc((size_t)t->nr_workers, sizeof(*t->threads));
	t->windows = calloc((size_t)(t->nr_workers * t->nr_windows), sizeof(*t->windows));
	if (!t->threads || !t->windows)
		return -ENOMEM;
	pthread_barrier_init(&crew->parked, NULL, (unsigned)t->nr_workers + 1);
	pthread_barrier_init(&crew->released, NULL, (unsigned)t->nr_workers + 1);
	for (int i = 0; i < t->nr_workers; i++) {
		json_t *worker = json_array_get(json_object_get(t->spec, "workers"), (size_t)i);
		struct nslab_worker_thread *thread = &t->threads[i];

		thread->crew = crew;
		thread->index = i;
		thread->pu_os_index = (int)get_int(worker, "pu");
		thread->arena_node = nslab_arena_map_node(nslab_world_arena(crew->world),
							  (int)get_int(worker, "node"));
		thread->seed = nslab_rng_mix(t->run.seed, (uint64_t)i);
		thread->windows = t->windows + i * t->nr_windows;
		if (thread->arena_node < 0)
			return nslab_fail(&t->err, -ENXIO, "worker %d: its node has no memory", i);
	}
	return json_is_true(json_object_get(t->spec, "latency")) ? trial_latency(t) : 0;
}

static json_t *trial_page_check(struct trial *t)
{
	struct nslab_arena_map *arena = nslab_world_arena(t->crew.world);
	struct nslab_page_check check = {.hit_rate = NAN};
	const char *unavailable;

	if (!(t->allocator->caps & NSLAB_CAP_PAGES) || t->run.entry == NSLAB_ENTRY_NONE)
		snprintf(check.unavailable, sizeof(check.unavailable),
			 "'%s' does not take its pages from the arena", t->allocator->name);
	else if (nslab_arena_verify(arena, PAGES_TO_CHECK, t->run.seed, &check, &t->err))
		snprintf(check.unavailable, sizeof(check.unavailable), "%.255s", t->err.text);
	unavailable = check.unavailable;
	return json_pack("{s:i, s:i, s:i, s:o, s:s}", "sampled", (int)check.nr_sampled, "resident",
			 (int)check.nr_resident, "right", (int)check.nr_right, "hit_rate",
			 isnan(check.hit_rate) ? json_null() : json_real(check.hit_rate),
			 "unavailable", unavailable);
}

static json_t *trial_cache(struct kmem_cache *s)
{
	struct nslab_cache_stats stats = {0};
	json_t *stat = json_null();

	s->heap->ops->cache_stats(s, &stats);
	if (stats.is_counted) {
		stat = json_object();
		for (int i = 0; i < NSLAB_NR_STATS; i++)
			json_object_set_new(stat, nslab_stat_word((enum nslab_stat)i),
					    json_integer((json_int_t)stats.stat[i]));
	}
	return json_pack("{s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:o}", "cache", s->name,
			 "object_size", (int)s->object_size, "size", (int)s->size, "order",
			 (int)s->order, "objects", (json_int_t)stats.nr_objects, "slabs",
			 (json_int_t)stats.nr_slabs, "pages", (json_int_t)stats.nr_pages, "partial",
			 (json_int_t)stats.nr_partial, "cpu_free", (json_int_t)stats.nr_cpu_free,
			 "stat", stat);
}

/* The kmalloc types that a workload does not ask for are 39 rows of zeros. */
static bool is_idle_type(const struct nslab_heap *heap, struct kmem_cache *s)
{
	struct nslab_cache_stats stats = {0};

	if (nslab_kmalloc_cache_type(heap, s) <= NSLAB_KMALLOC_NORMAL)
		return false;
	heap->ops->cache_stats(s, &stats);
	return !stats.nr_slabs && !stats.nr_objects;
}

static json_t *trial_caches(struct trial *t)
{
	struct nslab_list *head = &t->run.heap->caches;
	json_t *caches = json_array();

	for (struct nslab_list *pos = head->next; pos != head; pos = pos->next) {
		struct kmem_cache *s = nslab_container_of(pos, struct kmem_cache, link);

		if (!(s->flags & SLAB_ALIAS) && !is_idle_type(t->run.heap, s))
			json_array_append_new(caches, trial_cache(s));
	}
	return caches;
}

/* All workers are parked and hold their objects. */
static void trial_inspect(struct trial *t)
{
	struct nslab_world_usage usage;
	uint64_t nr_pages;

	nslab_world_usage(t->crew.world, &usage);
	nr_pages = usage.nr_pages + usage.nr_vmalloc_pages + usage.nr_cma_pages;
	json_object_set_new(t->result, "page_check", trial_page_check(t));
	json_object_set_new(t->result, "caches", trial_caches(t));
	if (t->crew.rss_bytes)
		json_object_set_new(t->result, "rss_bytes",
				    json_integer((json_int_t)t->crew.rss_bytes));
	if (t->allocator->caps & NSLAB_CAP_PAGES)
		json_object_set_new(t->result, "held_bytes",
				    json_integer((json_int_t)(nr_pages << NSLAB_PAGE_SHIFT)));
	if (json_is_true(json_object_get(t->spec, "slabinfo")))
		json_object_set_new(t->result, "slabinfo", nslab_slabinfo_json(t->crew.world));
}

static json_t *trial_counter(const struct nslab_counter_reading *reading)
{
	bool has_value = !reading->count.err;

	return json_pack("{s:s, s:s?, s:o, s:I, s:I, s:o}", "name", reading->name, "source",
			 reading->source, "value",
			 has_value ? json_integer((json_int_t)reading->count.value) : json_null(),
			 "enabled_ns", (json_int_t)reading->count.enabled_ns, "running_ns",
			 (json_int_t)reading->count.running_ns, "reason",
			 has_value ? json_null() : json_string(reading->reason));
}

static json_t *trial_counters(const struct nslab_counter_reading *readings, int nr)
{
	json_t *counters = json_array();

	for (int i = 0; i < nr; i++)
		json_array_append_new(counters, trial_counter(&readings[i]));
	return counters;
}

static void trial_collect(struct trial *t)
{
	json_t *windows = json_object_get(t->result, "windows");
	json_t *workers = json_object_get(t->result, "workers");

	for (int i = 0; i < t->nr_workers; i++) {
		struct nslab_worker_thread *thread = &t->threads[i];

		for (int w = 0; w < t->nr_windows; w++) {
			struct nslab_window *window = &thread->windows[w];

			json_array_append_new(
				windows, json_pack("[i, i, I, I, I, b]", i, window->index,
						   (json_int_t)window->ops, (json_int_t)window->ns,
						   (json_int_t)window->cpu_ns, thread->is_counted));
		}
		json_array_append_new(
			workers,
			json_pack("{s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o}", "run_delay_ns",
				  (json_int_t)thread->sched.run_delay_ns, "cpu_ns",
				  (json_int_t)thread->sched.cpu_ns, "involuntary_switches",
				  (json_int_t)thread->sched.nr_involuntary_switches,
				  "voluntary_switches",
				  (json_int_t)thread->sched.nr_voluntary_switches,
				  "precondition_ops", (json_int_t)thread->precondition_ops,
				  "is_steady", thread->is_steady, "counters",
				  trial_counters(thread->counters, thread->nr_counters),
				  "warm_counters",
				  trial_counters(thread->warm_counters, thread->nr_warm_counters)));
		if (thread->err.text[0] && !t->err.text[0])
			t->err = thread->err;
	}
}

/* Null when there was no second pass: "hist" is then not in the result. */
static void trial_collect_latency(struct trial *t)
{
	size_t nr = t->nr_workers > 0 ? (size_t)t->nr_workers : 0;
	const struct nslab_latency_found **found = calloc(nr + 1, sizeof(*found));
	json_t *hist = NULL;

	for (int i = 0; found && t->latencies && i < t->nr_workers; i++)
		found[i] = t->threads[i].is_counted ? &t->latencies[i] : NULL;
	if (found && t->latencies)
		hist = nslab_latency_json(&t->latency, found, t->nr_workers);
	if (hist)
		json_object_set_new(t->result, "hist", hist);
	free(found);
}

/* Starts every worker or none: a crew that is not complete would wait at its barriers for ever. */
static int trial_work(struct trial *t)
{
	const json_t *sampler = json_object_get(t->spec, "sampler");

	if (sampler && nslab_sampler_start(sampler, t->crew.world, &t->sampler, &t->err))
		return -EIO;
	for (int i = 0; i < t->nr_workers; i++) {
		int rc = nslab_worker_start(&t->threads[i]);

		t->is_abandoned = rc && i; /* those that started wait at their barriers */
		if (rc)
			return nslab_fail(&t->err, rc, "cannot start worker %d: %s", i,
					  strerror(-rc));
	}
	pthread_barrier_wait(&t->crew.parked);
	nslab_sampler_park(t->sampler);
	trial_inspect(t);
	pthread_barrier_wait(&t->crew.released);
	for (int i = 0; i < t->nr_workers; i++)
		nslab_worker_join(&t->threads[i]);
	trial_collect(t);
	trial_collect_latency(t);
	return t->err.text[0] ? -EIO : 0;
}

/* ---- afterwards ---- */

/* The caches that the workload made. */
static int trial_destroy_caches(struct trial *t)
{
	struct nslab_list *head = &t->run.heap->caches;
	int rc = 0;

	for (struct nslab_list *pos = head->next, *next; pos != head && !rc; pos = next) {
		struct kmem_cache *s = nslab_container_of(pos, struct kmem_cache, link);
		char name[NSLAB_NAME_MAX];

		next = pos->next;
		if (nslab_kmalloc_cache_type(t->run.heap, s) >= 0)
			continue;
		memcpy(name, s->name, sizeof(name));
		rc = nslab_world_cache_destroy(t->crew.world, s);
		if (rc)
			nslab_fail(&t->err, rc, "objects of cache '%s' were lost: %s", name,
				   strerror(-rc));
	}
	return rc;
}

struct trial_figures {
	struct nslab_figures base;
	json_t *figures, *points;
};

static void trial_figure(struct nslab_figures *base, const char *name, double value,
			 const char *unit)
{
	struct trial_figures *f = nslab_container_of(base, struct trial_figures, base);

	json_array_append_new(f->figures, json_pack("[s, f, s]", name, value, unit));
}

static void trial_point(struct nslab_figures *base, const char *series, double x, double y)
{
	struct trial_figures *f = nslab_container_of(base, struct trial_figures, base);

	json_array_append_new(f->points, json_pack("[s, f, f]", series, x, y));
}

static void trial_ask_figures(struct trial *t)
{
	struct trial_figures f = {
		.base = {trial_figure, trial_point},
		.figures = json_array(),
		.points = json_array(),
	};

	if (t->workload_ops->figures)
		t->workload_ops->figures(t->workload, &f.base);
	nslab_sampler_result(t->sampler, f.figures, f.points);
	json_object_set_new(t->result, "figures", f.figures);
	json_object_set_new(t->result, "points", f.points);
}

static void trial_finish(struct trial *t)
{
	int rc = t->workload_ops->verify(t->workload);

	if (rc && !t->err.text[0])
		nslab_fail(&t->err, rc, "workload '%s' found its invariants broken: %s",
			   t->workload_ops->name, strerror(-rc));
	trial_ask_figures(t);
	t->workload_ops->teardown(t->workload);
	if (!trial_destroy_caches(t))
		nslab_world_close(t->crew.world);
}

static int trial_steps(struct trial *t)
{
	int rc;

	t->nr_workers = (int)json_array_size(json_object_get(t->spec, "workers"));
	t->nr_windows = (int)get_int(t->spec, "windows");
	if (t->nr_workers < 1 || t->nr_windows < 1)
		return nslab_fail(&t->err, -EINVAL, "a trial needs workers and windows");
	rc = trial_plugins(t);
	if (!rc)
		rc = trial_topo(t);
	if (!rc)
		rc = trial_world(t);
	if (!rc)
		rc = trial_workload(t);
	if (!rc)
		rc = trial_crew(t);
	if (!rc)
		rc = trial_work(t);
	if (!rc)
		trial_finish(t);
	return rc;
}

/* Frees what the process would otherwise leave to the kernel, so that leak checkers stay quiet. */
static void trial_free(struct trial *t)
{
	free(t->topo.nodes);
	free(t->topo.distances);
	free(t->node_has_pus);
	for (int i = 0; t->latencies && i < t->nr_workers; i++)
		nslab_latency_found_free(&t->latencies[i]);
	free(t->latencies);
	nslab_sampler_free(t->sampler);
	free(t->threads);
	free(t->windows);
	free(t->allocator_params);
	free(t->page_params);
	free(t->area_params);
	free(t->workload_params);
	nslab_registry_destroy(t->registry);
	free(t);
}

int nslab_trial_run(json_t *spec, json_t **result)
{
	struct trial *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	t->spec = spec;
	t->result = json_pack("{s:n, s:[], s:[], s:[]}", "error", "windows", "workers", "reports");
	if (!t->result) {
		free(t);
		return -ENOMEM;
	}
	rc = trial_steps(t);
	if (rc && !t->err.text[0])
		nslab_fail(&t->err, rc, "the trial failed: %s", strerror(-rc));
	if (t->err.text[0])
		json_object_set_new(t->result, "error", json_string(t->err.text));
	*result = t->result;
	if (!t->is_abandoned)
		trial_free(t);
	return 0;
}
