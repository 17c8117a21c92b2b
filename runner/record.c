/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.c: the JSON that a trial gets, and the database record that its answer becomes.
 *
 * The document of a trial comes from another process that may have been shot or may be a broken
 * plug-in's, so every field is looked up by name and type; what is not there is not a value. A
 * trial counts when its process ended well, told no error, and at least 95 % of its sampled pages
 * lay where the plan asked (where the kernel lets us ask at all).
 */
#define _GNU_SOURCE
#include "runner/record.h"

#include "results/reduce.h"
#include "runner/counters/choice_json.h"
#include "runner/counters/derive.h"
#include "runner/provenance.h"
#include "runner/sampler.h"
#include "topology/measure.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PLACEMENT_NEEDED     0.95
#define PRECONDITION_WARMUPS 5 /* longest that memory may take to be steady, in warm-ups */

/* ---- plan to trial ---- */

static json_t *settings_json(const struct nslab_setting *settings, size_t nr)
{
	json_t *object = json_object();

	for (size_t i = 0; i < nr; i++)
		json_object_set_new(object, settings[i].key, json_string(settings[i].value));
	return object;
}

static json_t *nodes_json(const struct nslab_topo *topo)
{
	json_t *nodes = json_array();

	for (int i = 0; i < topo->nr_nodes; i++)
		json_array_append_new(nodes, json_pack("{s:i, s:I, s:b}", "os_index",
						       topo->nodes[i].os_index, "memory_bytes",
						       (json_int_t)topo->nodes[i].memory_bytes,
						       "has_pus", !topo->nodes[i].is_memory_only));
	return nodes;
}

static json_t *distances_json(const struct nslab_topo *topo)
{
	json_t *distances = json_array();

	for (int i = 0; i < topo->nr_nodes * topo->nr_nodes; i++)
		json_array_append_new(distances, json_integer((json_int_t)topo->distances[i]));
	return distances;
}

static json_t *workers_json(const struct nslab_topo *topo, const struct nslab_memory *memory,
			    const int *pus, int nr_pus)
{
	json_t *workers = json_array();

	for (int i = 0; i < nr_pus; i++)
		json_array_append_new(workers,
				      json_pack("{s:i, s:i}", "pu", topo->pus[pus[i]].os_index,
						"node", nslab_memory_node(topo, memory, pus[i])));
	return workers;
}

static json_t *plugins_json(const char *const *plugins)
{
	json_t *paths = json_array();

	for (; plugins && *plugins; plugins++)
		json_array_append_new(paths, json_string(*plugins));
	return paths;
}

/* What every trial of a plan has in common. */
static json_t *common_spec(const struct nslab_plan *plan, const struct nslab_memory *memory,
			   const int *pus, int nr_pus, uint64_t seed)
{
	const struct nslab_topo *topo = plan->topo;

	return json_pack("{s:I, s:o, s:o, s:o, s:b, s:{s:i, s:i}, s:i, s:I, s:i, s:I, s:I, s:I,"
			 " s:{s:s, s:o}, s:{s:o}, s:b}",
			 "seed", (json_int_t)seed, "workers",
			 workers_json(topo, memory, pus, nr_pus), "nodes", nodes_json(topo),
			 "distances", distances_json(topo), "is_simulated", topo->is_simulated,
			 "memory", "kind", (int)memory->kind, "node", memory->node, "huge",
			 (int)plan->huge, "node_bytes", (json_int_t)plan->node_bytes, "nr_cpus",
			 plan->nr_cpus, "window_ns", (json_int_t)plan->window_ns, "warmup_ns",
			 (json_int_t)plan->warmup_ns, "precondition_ns",
			 (json_int_t)(PRECONDITION_WARMUPS * plan->warmup_ns), "page", "name",
			 plan->page->name, "params",
			 settings_json(plan->page_settings, plan->nr_page_settings), "areas",
			 "params", settings_json(plan->area_settings, plan->nr_area_settings),
			 "debug", plan->is_debug);
}

json_t *nslab_record_spec(const struct nslab_plan *plan, const struct nslab_family *family,
			  const struct nslab_arm *arm, uint64_t seed, const char *const *plugins)
{
	json_t *spec = common_spec(plan, &family->memory, family->pus, family->nr_threads, seed);
	json_t *rest = json_pack(
		"{s:{s:s, s:o}, s:{s:s, s:o}, s:s, s:{s:i, s:i, s:i, s:i}, s:i, s:o, s:o, s:b}",
		"workload", "name", family->workload->name, "params",
		settings_json(family->settings, family->nr_settings), "allocator", "name",
		arm->allocator->name, "params", settings_json(arm->settings, arm->nr_settings),
		"entry", nslab_entry_word(arm->entry), "cache", "order", arm->cache.order,
		"min_partial", arm->cache.min_partial, "cpu_partial", arm->cache.cpu_partial,
		"sheaf_capacity", arm->cache.sheaf_capacity, "windows", plan->nr_windows,
		"counters", nslab_choice_events_json(plan->choice), "plugins",
		plugins_json(plugins), "latency", plan->has_latency);
	json_t *sampler =
		nslab_sampler_place(plan->topo, family->pus, family->nr_threads, plan->sampler);

	if (spec && rest)
		json_object_update(spec, rest);
	if (spec && sampler)
		json_object_set(spec, "sampler", sampler);
	json_decref(sampler);
	json_decref(rest);
	return spec;
}

json_t *nslab_record_floor_spec(const struct nslab_plan *plan, const char *size, int nr_windows,
				uint64_t seed)
{
	const struct nslab_memory local = {.kind = NSLAB_MEMORY_LOCAL, .node = -1};
	const int *pus = NULL;
	json_t *spec, *rest;

	for (size_t f = 0; f < plan->nr_families && !pus; f++)
		pus = plan->families[f].pus;
	spec = common_spec(plan, &local, pus, pus ? 1 : 0, seed);
	rest = json_pack("{s:{s:s, s:{s:s}}, s:{s:s}, s:s, s:{s:i, s:i, s:i, s:i}, s:i, s:b}",
			 "workload", "name", "pingpong", "params", "size", size, "allocator",
			 "name", "null", "entry", nslab_entry_word(NSLAB_ENTRY_NONE), "cache",
			 "order", NSLAB_AUTO, "min_partial", NSLAB_AUTO, "cpu_partial", NSLAB_AUTO,
			 "sheaf_capacity", NSLAB_AUTO, "windows", nr_windows, "counters", 0);
	if (spec && rest)
		json_object_update(spec, rest);
	json_decref(rest);
	return spec;
}

/* ---- trial to store ---- */

static uint64_t get_u64(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static uint64_t get_bytes(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? (uint64_t)json_integer_value(value) : NSLAB_BYTES_UNKNOWN;
}

static struct nslab_window read_window(const json_t *row)
{
	return (struct nslab_window){
		.worker = (int)json_integer_value(json_array_get(row, 0)),
		.index = (int)json_integer_value(json_array_get(row, 1)),
		.ops = (uint64_t)json_integer_value(json_array_get(row, 2)),
		.ns = (uint64_t)json_integer_value(json_array_get(row, 3)),
		.cpu_ns = (uint64_t)json_integer_value(json_array_get(row, 4)),
		.is_counted = json_is_true(json_array_get(row, 5)),
	};
}

/* Measured, and in the order of workers and indices: what a worker did not come to is left out. */
static bool is_window(const struct nslab_window *window, const struct nslab_window *before)
{
	return window->ops && window->ns &&
	       (!before || window->worker > before->worker ||
		(window->worker == before->worker && window->index > before->index));
}

static int fill_windows(json_t *document, struct nslab_trial_record *record,
			struct nslab_trial_buffers *buffers)
{
	json_t *rows = json_object_get(document, "windows");
	size_t nr = json_array_size(rows), kept = 0;

	buffers->windows = calloc(nr + 1, sizeof(*buffers->windows));
	if (!buffers->windows)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		struct nslab_window window = read_window(json_array_get(rows, i));

		if (!is_window(&window, kept ? &buffers->windows[kept - 1] : NULL))
			continue;
		buffers->windows[kept++] = window;
		record->cpu_ns += window.cpu_ns;
	}
	record->windows = buffers->windows;
	record->nr_windows = kept;
	return 0;
}

static void fill_counter(json_t *row, int worker, struct nslab_counter_record *counter)
{
	json_t *value = json_object_get(row, "value");

	*counter = (struct nslab_counter_record){
		.name = json_string_value(json_object_get(row, "name")),
		.worker = worker,
		.has_value = json_is_number(value),
		.value = json_number_value(value),
		.enabled_ns = get_u64(row, "enabled_ns"),
		.running_ns = get_u64(row, "running_ns"),
		.source = json_string_value(json_object_get(row, "source")),
		.reason = json_string_value(json_object_get(row, "reason")),
	};
}

/* Those of the windows, and after them those of the warm-up. */
static size_t fill_worker(json_t *worker, int index, struct nslab_trial_record *record,
			  struct nslab_counter_record *counters)
{
	size_t at = 0, c;
	json_t *row;

	json_array_foreach(json_object_get(worker, "counters"), c, row)
	{
		struct nslab_counter_record *counter = &counters[at++];

		fill_counter(row, index, counter);
		if (counter->name && !strcmp(counter->name, "cpu-migrations") && counter->has_value)
			record->nr_migrations += (uint64_t)counter->value;
	}
	json_array_foreach(json_object_get(worker, "warm_counters"), c, row)
	{
		fill_counter(row, index, &counters[at]);
		counters[at++].phase = "warm-up";
	}
	return at;
}

static int fill_workers(json_t *document, struct nslab_trial_record *record,
			struct nslab_trial_buffers *buffers)
{
	json_t *workers = json_object_get(document, "workers");
	json_t *derived = json_object_get(document, "counters");
	json_t *worker, *row;
	size_t w, c, nr = json_array_size(derived), at = 0;

	json_array_foreach(workers, w, worker) nr +=
		json_array_size(json_object_get(worker, "counters")) +
		json_array_size(json_object_get(worker, "warm_counters"));
	buffers->counters = calloc(nr + 1, sizeof(*buffers->counters));
	if (!buffers->counters)
		return -ENOMEM;
	json_array_foreach(workers, w, worker)
	{
		record->run_delay_ns += get_u64(worker, "run_delay_ns");
		record->nr_involuntary_switches += get_u64(worker, "involuntary_switches");
		at += fill_worker(worker, (int)w, record, &buffers->counters[at]);
	}
	json_array_foreach(derived, c, row) fill_counter(row, -1, &buffers->counters[at++]);
	record->counters = buffers->counters;
	record->nr_counters = at;
	return 0;
}

static int fill_caches(json_t *document, struct nslab_trial_record *record,
		       struct nslab_trial_buffers *buffers)
{
	json_t *rows = json_object_get(document, "caches");
	size_t nr = json_array_size(rows);

	buffers->caches = calloc(nr + 1, sizeof(*buffers->caches));
	buffers->stat_texts = calloc(nr + 1, sizeof(*buffers->stat_texts));
	buffers->nr_stat_texts = buffers->stat_texts ? nr : 0;
	if (!buffers->caches || !buffers->stat_texts)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		json_t *row = json_array_get(rows, i);
		json_t *stat = json_object_get(row, "stat");

		buffers->stat_texts[i] =
			json_is_object(stat) ? json_dumps(stat, JSON_COMPACT) : NULL;
		buffers->caches[i] = (struct nslab_cachestat_record){
			.cache = json_string_value(json_object_get(row, "cache")),
			.nr_objects = get_u64(row, "objects"),
			.nr_slabs = get_u64(row, "slabs"),
			.nr_pages = get_u64(row, "pages"),
			.nr_partial = get_u64(row, "partial"),
			.nr_cpu_free = get_u64(row, "cpu_free"),
			.stat_json = buffers->stat_texts[i],
		};
	}
	record->caches = buffers->caches;
	record->nr_caches = nr;
	return 0;
}

static int fill_figures(json_t *document, struct nslab_trial_record *record,
			struct nslab_trial_buffers *buffers)
{
	json_t *rows = json_object_get(document, "figures");
	size_t nr = json_array_size(rows);

	buffers->figures = calloc(nr + 1, sizeof(*buffers->figures));
	if (!buffers->figures)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		json_t *row = json_array_get(rows, i);

		buffers->figures[i] = (struct nslab_figure_record){
			.name = json_string_value(json_array_get(row, 0)),
			.value = json_number_value(json_array_get(row, 1)),
			.unit = json_string_value(json_array_get(row, 2)),
		};
	}
	record->figures = buffers->figures;
	record->nr_figures = nr;
	return 0;
}

static int fill_points(json_t *document, struct nslab_trial_record *record,
		       struct nslab_trial_buffers *buffers)
{
	json_t *rows = json_object_get(document, "points");
	size_t nr = json_array_size(rows);

	buffers->points = calloc(nr + 1, sizeof(*buffers->points));
	if (!buffers->points)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		json_t *row = json_array_get(rows, i);

		buffers->points[i] = (struct nslab_point_record){
			.series = json_string_value(json_array_get(row, 0)),
			.x = json_number_value(json_array_get(row, 1)),
			.y = json_number_value(json_array_get(row, 2)),
		};
	}
	record->points = buffers->points;
	record->nr_points = nr;
	return 0;
}

static void check_placement(json_t *document, struct nslab_launch_result *launched,
			    struct nslab_trial_record *record)
{
	json_t *check = json_object_get(document, "page_check");
	json_t *rate = json_object_get(check, "hit_rate");

	record->page_hit_rate = json_is_number(rate) ? json_number_value(rate) : NAN;
	record->nr_pages_sampled = (unsigned)get_u64(check, "sampled");
	if (record->page_hit_rate < PLACEMENT_NEEDED && !launched->cause[0])
		snprintf(launched->cause, sizeof(launched->cause),
			 "placement: only %.0f %% of %u sampled pages lie where the plan asked",
			 100 * record->page_hit_rate, record->nr_pages_sampled);
}

/* Time lost by the worst worker: shares are held against its own windows. */
static void noise_worker(const struct nslab_trial_record *record, const json_t *worker, int index,
			 struct nslab_noise_trial *noise)
{
	uint64_t ns = 0, cpu_ns = 0;
	double run_delay, off_cpu;

	for (size_t i = 0; i < record->nr_windows; i++) {
		if (record->windows[i].worker == index) {
			ns += record->windows[i].ns;
			cpu_ns += record->windows[i].cpu_ns;
		}
	}
	if (get_u64(worker, "voluntary_switches"))
		noise->has_sleepers = true;
	if (!ns)
		return;
	run_delay = (double)get_u64(worker, "run_delay_ns") / (double)ns;
	off_cpu = cpu_ns < ns ? (double)(ns - cpu_ns) / (double)ns : 0;
	noise->run_delay = fmax(noise->run_delay, run_delay);
	noise->off_cpu = fmax(noise->off_cpu, off_cpu);
	noise->window_ns = ns > noise->window_ns ? ns : noise->window_ns;
}

void nslab_record_noise(const struct nslab_launch_result *launched,
			const struct nslab_trial_record *record, const struct nslab_family *family,
			struct nslab_noise_trial *noise)
{
	json_t *workers = json_object_get(launched->document, "workers"), *worker;
	size_t w;

	*noise = (struct nslab_noise_trial){.nr_migrations = record->nr_migrations};
	json_array_foreach(workers, w, worker) noise_worker(record, worker, (int)w, noise);
	for (int i = 1; family->pus && i < family->nr_threads; i++) {
		for (int j = 0; j < i; j++)
			noise->has_shared_pus |= family->pus[i] == family->pus[j];
	}
}

/* What the backend reported (leaks, corruption) makes the trial fail. */
static void check_reports(json_t *document, struct nslab_launch_result *launched)
{
	json_t *reports = json_object_get(document, "reports"), *report;
	size_t i;

	json_array_foreach(reports, i, report)
	{
		const char *line = json_string_value(report);

		if (line && strncmp(line, "note: ", 6) != 0 && !launched->cause[0])
			snprintf(launched->cause, sizeof(launched->cause), "reported: %s", line);
	}
}

int nslab_record_fill(struct nslab_launch_result *launched, enum nslab_statistic statistic,
		      struct nslab_trial_record *record, struct nslab_trial_buffers *buffers)
{
	json_t *document = launched->document;
	double *scratch;
	int rc = fill_windows(document, record, buffers);

	if (!rc)
		rc = fill_workers(document, record, buffers);
	if (!rc)
		rc = fill_caches(document, record, buffers);
	if (!rc)
		rc = fill_figures(document, record, buffers);
	if (!rc)
		rc = fill_points(document, record, buffers);
	if (!rc)
		rc = nslab_record_fill_hist(document, record, buffers);
	if (rc)
		return rc;
	scratch = calloc(record->nr_windows + 1, sizeof(*scratch));
	if (!scratch)
		return -ENOMEM;
	check_placement(document, launched, record);
	check_reports(document, launched);
	record->wall_ns = launched->wall_ns;
	record->exit_status = launched->exit_status;
	record->rss_bytes = get_bytes(document, "rss_bytes");
	record->held_bytes = get_bytes(document, "held_bytes");
	record->ns_per_op =
		nslab_trial_ns_per_op(record->windows, record->nr_windows, statistic, scratch);
	if (isnan(record->ns_per_op) && !launched->cause[0])
		snprintf(launched->cause, sizeof(launched->cause), "no window was counted");
	record->is_valid = !launched->cause[0];
	record->taint = record->is_valid ? NULL : launched->cause;
	free(scratch);
	return 0;
}

void nslab_record_free(struct nslab_trial_buffers *buffers)
{
	for (size_t i = 0; i < buffers->nr_stat_texts; i++)
		free(buffers->stat_texts[i]);
	free(buffers->stat_texts);
	free(buffers->hist_text);
	free(buffers->points);
	free(buffers->figures);
	free(buffers->caches);
	free(buffers->counters);
	free(buffers->windows);
}

/* ---- the run itself ---- */

/* "" or why nodes cannot be bound here, found by trying. */
static void probe_placement(const struct nslab_plan *plan, char *why, size_t why_bytes)
{
	const struct nslab_arena_spec spec = {
		.topo = plan->topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = 4 << 20,
		.nr_cpus = 1,
	};
	struct nslab_arena_map *map;
	struct nslab_err err = {""};

	if (nslab_arena_map_open(&spec, &map, &err)) {
		snprintf(why, why_bytes, "%.*s", (int)why_bytes - 1, err.text);
		return;
	}
	snprintf(why, why_bytes, "%s", nslab_arena_unavailable(map));
	nslab_arena_map_close(map);
}

struct nslab_record_texts {
	char uuid[37], host[256], kernel[256], started[32], unavailable[256];
	char *topology, *plan, *env, *build;
	struct nslab_run_record run;
};

/* Where it cannot be measured, why not stands in its place. */
static void add_matrix(json_t *topology, const struct nslab_topo *topo)
{
	struct nslab_err err = {""};
	struct nslab_matrix *matrix;
	json_t *json;

	if (nslab_matrix_measure(topo, &matrix, &err)) {
		json = json_pack("{s:s}", "unavailable", err.text);
	} else {
		json = nslab_matrix_json(matrix, topo);
		nslab_matrix_free(matrix);
	}
	json_object_set_new(topology, "measured", json);
}

/* Takes over json. */
static char *dump(json_t *json, size_t flags)
{
	char *text = json ? json_dumps(json, flags) : NULL;

	json_decref(json);
	return text;
}

/* What a plug-in is called from, wherever the run is gone on with. */
static json_t *plugin_paths(const char *const *plugins)
{
	json_t *paths = json_array();

	for (; plugins && *plugins; plugins++) {
		char *path = realpath(*plugins, NULL);

		json_array_append_new(paths, json_string(path ? path : *plugins));
		free(path);
	}
	return paths;
}

static json_t *run_topology_json(const struct nslab_plan *plan)
{
	json_t *topology = nslab_topo_json(plan->topo);

	if (topology && plan->has_matrix)
		add_matrix(topology, plan->topo);
	return topology;
}

static json_t *run_env_json(const struct nslab_exec_options *options)
{
	const struct nslab_plan *plan = options->plan;
	json_t *env = nslab_provenance_env(options->sysroot, plan->text, plan->topo->hwloc_xml);
	json_t *ignored = json_array();

	for (size_t i = 0; options->ignored && options->ignored[i]; i++)
		json_array_append_new(ignored, json_string(options->ignored[i]));
	if (env)
		json_object_set_new(env, "counters", nslab_derive_notes_json(plan));
	if (env && options->sysroot)
		json_object_set_new(env, "sysroot", json_string(options->sysroot));
	if (env)
		json_object_set(env, "ignored", ignored);
	json_decref(ignored);
	return env;
}

static json_t *run_plan_json(const struct nslab_exec_options *options)
{
	json_t *plan = nslab_plan_json(options->plan);

	if (plan)
		json_object_set_new(plan, "plugins", plugin_paths(options->plugins));
	return plan;
}

static int64_t machine_bytes(const struct nslab_topo *topo)
{
	uint64_t bytes = 0;

	for (int i = 0; i < topo->nr_nodes; i++)
		bytes += topo->nodes[i].memory_bytes;
	return (int64_t)bytes;
}

static void texts_fill(struct nslab_record_texts *t, const struct nslab_exec_options *options)
{
	nslab_provenance_uuid(t->uuid);
	nslab_provenance_host(t->host, sizeof(t->host));
	nslab_provenance_kernel(t->kernel, sizeof(t->kernel));
	nslab_provenance_now(t->started);
	probe_placement(options->plan, t->unavailable, sizeof(t->unavailable));
	t->topology = dump(run_topology_json(options->plan), JSON_COMPACT);
	t->plan = dump(run_plan_json(options), JSON_INDENT(1));
	t->env = dump(run_env_json(options), JSON_COMPACT);
	t->build = dump(nslab_provenance_build(), JSON_COMPACT);
}

static void texts_fill_run(struct nslab_record_texts *t, const struct nslab_exec_options *options)
{
	const struct nslab_plan *plan = options->plan;
	const struct nslab_topo *topo = plan->topo;

	t->run = (struct nslab_run_record){
		.uuid = t->uuid,
		.name = plan->name,
		.label = plan->label,
		.host_name = t->host,
		.cpu_model = topo->machine,
		.kernel = t->kernel,
		.nr_packages = topo->nr_packages,
		.nr_nodes = topo->nr_nodes,
		.nr_pus = topo->nr_pus,
		.memory_bytes = machine_bytes(topo),
		.is_simulated = topo->is_simulated,
		.placement_unavailable = t->unavailable[0] ? t->unavailable : NULL,
		.topology_json = t->topology,
		.topology_xml = topo->hwloc_xml,
		.plan_json = t->plan,
		.plan_text = plan->text,
		.argv_text = options->argv_text,
		.tool_version = nslab_version(),
		.build_json = t->build,
		.env_json = t->env,
		.statistic = strcmp(plan->statistic, "auto")
				     ? plan->statistic
				     : "q25 (median with more than one thread)",
		.seed = plan->seed,
		.nr_trials_planned = (int64_t)nslab_plan_nr_trials(plan),
		.started = t->started,
	};
}

struct nslab_record_texts *nslab_record_texts_create(const struct nslab_exec_options *options)
{
	struct nslab_record_texts *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	texts_fill(t, options);
	if (!t->topology || !t->plan || !t->env || !t->build) {
		nslab_record_texts_free(t);
		return NULL;
	}
	texts_fill_run(t, options);
	return t;
}

const struct nslab_run_record *nslab_record_texts_run(const struct nslab_record_texts *texts)
{
	return &texts->run;
}

void nslab_record_texts_free(struct nslab_record_texts *t)
{
	free(t->topology);
	free(t->plan);
	free(t->env);
	free(t->build);
	free(t);
}

int nslab_record_write_plan(const struct nslab_record_texts *texts, const char *folder,
			    struct nslab_err *err)
{
	char path[4200], partial[4200];
	FILE *file;
	int is_whole;

	snprintf(path, sizeof(path), "%s/plan.json", folder);
	snprintf(partial, sizeof(partial), "%s/plan.json.part", folder);
	file = fopen(partial, "we");
	is_whole = file && fputs(texts->plan, file) >= 0 && fputc('\n', file) >= 0;
	if (file && fclose(file))
		is_whole = 0;
	if (!is_whole || rename(partial, path))
		return nslab_fail(err, -errno, "cannot write '%s': %s", path, strerror(errno));
	return 0;
}

int nslab_record_run(const struct nslab_exec_options *options, const char *folder,
		     struct nslab_store **store, struct nslab_err *err)
{
	struct nslab_record_texts *texts = nslab_record_texts_create(options);
	char path[4200];
	int rc;

	if (!texts)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/run.db", folder);
	rc = nslab_store_create(path, &texts->run, store, err);
	if (!rc)
		rc = nslab_record_write_plan(texts, folder, err);
	nslab_record_texts_free(texts);
	return rc;
}
