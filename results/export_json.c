/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * export_json.c: a whole run as one JSON object.
 *
 * The outer object is written by hand and every trial as one jansson value on a line of its own, so
 * that memory stays at one trial whatever the run's size, and a line-based tool can pick trials
 * out. Members carry the names of the columns they come from. What was not measured is null; a
 * counter without a value keeps its reason. 64-bit seeds are strings, since many readers of JSON
 * hold numbers as doubles. Left out: the hwloc XML, which `topo --export` writes as a file.
 */
#include "results/encode.h"
#include "results/export.h"
#include "results/export_impl.h"
#include "results/store_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Columns named is_* are booleans, those named *_json hold JSON. */
static json_t *export_value(sqlite3_stmt *statement, int column, const char *name)
{
	size_t len = strlen(name);

	switch (sqlite3_column_type(statement, column)) {
	case SQLITE_NULL:
		return json_null();
	case SQLITE_INTEGER:
		if (!strncmp(name, "is_", 3))
			return json_boolean(sqlite3_column_int64(statement, column) != 0);
		return json_integer(sqlite3_column_int64(statement, column));
	case SQLITE_FLOAT:
		return nslab_json_real(sqlite3_column_double(statement, column));
	default:
		if (len > 5 && !strcmp(name + len - 5, "_json"))
			return nslab_json_parsed(
				(const char *)sqlite3_column_text(statement, column));
		return nslab_json_text((const char *)sqlite3_column_text(statement, column));
	}
}

/* The row as an object; "plan_json" becomes "plan". Column 0 is the id and left out. */
static json_t *export_object(sqlite3_stmt *statement)
{
	json_t *object = json_object();

	for (int i = 1; object && i < sqlite3_column_count(statement); i++) {
		const char *name = sqlite3_column_name(statement, i);
		size_t len = strlen(name);
		char member[64];

		if (len > 5 && !strcmp(name + len - 5, "_json"))
			len -= 5;
		snprintf(member, sizeof(member), "%.*s", (int)len, name);
		if (json_object_set_new(object, member, export_value(statement, i, name))) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

enum export_statement {
	EXPORT_RUN,
	EXPORT_CELLS,
	EXPORT_TRIALS,
	EXPORT_WINDOWS,
	EXPORT_COUNTERS,
	EXPORT_CACHES,
	EXPORT_HISTS,	       /* not in files before schema 3 */
	EXPORT_PHASE_COUNTERS, /* before schema 4 */
	EXPORT_NR
};

static const char *const export_sql[EXPORT_NR] = {
	[EXPORT_RUN] = "SELECT run.id, uuid, run.name, label, started, ended, status, host.name AS"
		       " host_name, cpu_model, kernel, nr_packages, nr_nodes, nr_pus, memory_bytes,"
		       " is_simulated, placement_unavailable, statistic, harness_ns, seed,"
		       " nr_trials_planned, tool_version, argv, json AS topology_json, plan_json,"
		       " plan_text, build_json, env_json FROM run JOIN host ON host.id = run.host"
		       " JOIN topology ON topology.id = run.topology ORDER BY run.id LIMIT 1",
	[EXPORT_CELLS] = "SELECT id, key, family, arm, workload, allocator, version, entry,"
			 " placement, pus, memory, threads, size_bytes, params_json, is_baseline,"
			 " is_twin, skipped FROM cell ORDER BY id",
	[EXPORT_TRIALS] = "SELECT id, block, position, attempt, seed, wall_ns, cpu_ns,"
			  " run_delay_ns, nr_involuntary_switches, nr_migrations, is_valid, taint,"
			  " exit_status, ns_per_op, page_hit_rate, nr_pages_sampled, rss_bytes,"
			  " held_bytes FROM trial WHERE cell = ? ORDER BY block, attempt, id",
	[EXPORT_WINDOWS] = "SELECT trial, worker, idx AS \"index\", ops, ns, cpu_ns, is_counted"
			   " FROM trial_window WHERE trial = ? ORDER BY worker, idx",
	[EXPORT_COUNTERS] = "SELECT trial, name, worker, value, enabled_ns, running_ns, source,"
			    " reason FROM counter WHERE trial = ? ORDER BY name, worker",
	[EXPORT_PHASE_COUNTERS] = "SELECT trial, phase, name, worker, value, enabled_ns,"
				  " running_ns, source, reason FROM phase_counter WHERE trial = ?"
				  " ORDER BY phase, name, worker",
	[EXPORT_CACHES] = "SELECT trial, cache, nr_objects, nr_slabs, nr_pages, nr_partial,"
			  " nr_cpu_free, stat_json FROM cachestat WHERE trial = ? ORDER BY cache",
	[EXPORT_HISTS] = "SELECT trial, name, unit, scheme, n, min, max, clock, clock_ns,"
			 " mean_gap, ops_per_value, overhead, buckets_json FROM hist"
			 " WHERE trial = ? ORDER BY name",
};

struct export
{
	struct nslab_store *store;
	FILE *out;
	struct nslab_err *err;
	sqlite3_stmt *statements[EXPORT_NR];
};

static int export_no_memory(struct export *export)
{
	return nslab_fail(export->err, -ENOMEM, "cannot write the export: out of memory");
}

/* Every row below a trial, as an array in object[name]. */
static int export_children(struct export *export, enum export_statement which, int64_t trial,
			   json_t *object, const char *name)
{
	sqlite3_stmt *statement = export->statements[which];
	json_t *array = json_array();
	int rc;

	sqlite3_bind_int64(statement, 1, trial);
	while ((rc = nslab_store_step(export->store, statement, export->err)) > 0) {
		if (json_array_append_new(array, export_object(statement))) {
			rc = export_no_memory(export);
			break;
		}
	}
	sqlite3_reset(statement);
	if (json_object_set_new(object, name, array) && !rc)
		rc = export_no_memory(export);
	return rc;
}

static int export_dump(struct export *export, const json_t *object)
{
	if (!json_dumpf(object, export->out, JSON_COMPACT))
		return 0;
	return nslab_fail(export->err, -EIO, "cannot write the export: %s", strerror(errno));
}

static int export_trial(struct export *export)
{
	sqlite3_stmt *statement = export->statements[EXPORT_TRIALS];
	int64_t id = sqlite3_column_int64(statement, 0);
	json_t *object = export_object(statement);
	int rc = object ? 0 : export_no_memory(export);

	if (!rc)
		rc = export_children(export, EXPORT_WINDOWS, id, object, "windows");
	if (!rc)
		rc = export_children(export, EXPORT_COUNTERS, id, object, "counters");
	if (!rc)
		rc = export_children(export, EXPORT_CACHES, id, object, "caches");
	if (!rc && export->statements[EXPORT_PHASE_COUNTERS])
		rc = export_children(export, EXPORT_PHASE_COUNTERS, id, object, "phase_counters");
	if (!rc && export->statements[EXPORT_HISTS])
		rc = export_children(export, EXPORT_HISTS, id, object, "hists");
	if (!rc)
		rc = export_dump(export, object);
	json_decref(object);
	return rc;
}

/* "{cell", "trials":[ .. ]}": the cell's own closing brace is written after its trials. */
static int export_cell(struct export *export)
{
	sqlite3_stmt *cells = export->statements[EXPORT_CELLS];
	sqlite3_stmt *trials = export->statements[EXPORT_TRIALS];
	json_t *object = export_object(cells);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	const char *separator = "\n";
	int rc;

	json_decref(object);
	if (!text)
		return export_no_memory(export);
	fprintf(export->out, "%.*s,\"trials\":[", (int)strlen(text) - 1, text);
	free(text);
	sqlite3_bind_int64(trials, 1, sqlite3_column_int64(cells, 0));
	while ((rc = nslab_store_step(export->store, trials, export->err)) > 0) {
		fputs(separator, export->out);
		separator = ",\n";
		rc = export_trial(export);
		if (rc)
			break;
	}
	sqlite3_reset(trials);
	fputs("]}", export->out);
	return rc;
}

static int export_run(struct export *export, struct nslab_run_file *file)
{
	sqlite3_stmt *run = export->statements[EXPORT_RUN];
	sqlite3_stmt *cells = export->statements[EXPORT_CELLS];
	const char *separator = "\n";
	json_t *object;
	int rc = nslab_store_step(export->store, run, export->err);

	if (rc < 0)
		return rc;
	object = export_object(run);
	fprintf(export->out, "{\"schema\":%d,\n\"run\":", NSLAB_STORE_SCHEMA);
	rc = object ? export_dump(export, object) : export_no_memory(export);
	json_decref(object);
	if (rc)
		return rc;
	fputs(",\n\"cells\":[", export->out);
	while ((rc = nslab_store_step(export->store, cells, export->err)) > 0) {
		fputs(separator, export->out);
		separator = ",\n";
		rc = export_cell(export);
		if (rc)
			break;
	}
	fputs("]", export->out);
	if (!rc)
		rc = nslab_export_evidence(file, export->out, export->err);
	fputs("}\n", export->out);
	return rc;
}

/* Files of an older schema lack tables. */
static bool export_has(struct nslab_store *store, int statement)
{
	switch (statement) {
	case EXPORT_HISTS:
		return nslab_store_has_table(store, "hist");
	case EXPORT_PHASE_COUNTERS:
		return nslab_store_has_table(store, "phase_counter");
	default:
		return true;
	}
}

int nslab_export_json(struct nslab_run_file *file, FILE *out, struct nslab_err *err)
{
	struct export export = {.store = file->store, .out = out, .err = err};
	int rc = 0;

	for (int i = 0; !rc && i < EXPORT_NR; i++) {
		if (export_has(file->store, i))
			rc = nslab_store_prepare(file->store, export_sql[i], &export.statements[i],
						 err);
	}
	if (!rc)
		rc = export_run(&export, file);
	if (!rc && ferror(out))
		rc = nslab_fail(err, -EIO, "cannot write the export: %s", strerror(errno));
	for (int i = 0; i < EXPORT_NR; i++)
		sqlite3_finalize(export.statements[i]);
	return rc;
}
