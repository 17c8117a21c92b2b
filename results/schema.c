/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * schema.c: the tables and views of a result file.
 *
 * One file is one run: host, topology, run, its cells, their trials, and below each trial its raw
 * windows, counters and caches. Rows are only added, but for two: the run row is updated when the
 * run ends, and the trials of a block that is run again turn invalid, all of them. Not measured is
 * NULL, with the reason beside it. Seeds are decimal text, since they use all 64 bits and SQLite's
 * integers have a sign. The views answer the first questions of somebody who opens the file with
 * sqlite3 or a notebook. A change of tables raises NSLAB_STORE_SCHEMA and adds the SQL that makes
 * the new tables out of the old to nslab_schema_migrations.
 */
#include "results/schema.h"

/* What a workload tells beside its speed: counts of the trial, points of its curves. */
static const char schema_figures[] =
	"CREATE TABLE figure(trial INTEGER NOT NULL REFERENCES trial(id), name TEXT, value REAL,"
	" unit TEXT, PRIMARY KEY(trial, name)) WITHOUT ROWID;"
	"CREATE TABLE point(trial INTEGER NOT NULL REFERENCES trial(id), series TEXT, idx INTEGER,"
	" x REAL, y REAL, PRIMARY KEY(trial, series, idx)) WITHOUT ROWID;";

/* Single operations of a trial, timed; buckets: [[number, count], ...] of the scheme. */
static const char schema_hists[] =
	"CREATE TABLE hist(trial INTEGER NOT NULL REFERENCES trial(id), name TEXT, unit TEXT,"
	" scheme TEXT, n INTEGER, min INTEGER, max INTEGER, clock TEXT, clock_ns REAL,"
	" mean_gap REAL, ops_per_value REAL, overhead REAL, buckets_json TEXT,"
	" PRIMARY KEY(trial, name)) WITHOUT ROWID;";

/* Counters of a trial's other phases; table counter holds those of the windows alone. */
static const char schema_phases[] =
	"CREATE TABLE IF NOT EXISTS phase_counter(trial INTEGER NOT NULL REFERENCES trial(id),"
	" phase TEXT, worker INTEGER, name TEXT, value REAL, enabled_ns INTEGER,"
	" running_ns INTEGER, source TEXT, reason TEXT,"
	" PRIMARY KEY(trial, phase, worker, name)) WITHOUT ROWID;";

const char nslab_schema_sql[] =
	"CREATE TABLE host(id INTEGER PRIMARY KEY, name TEXT, cpu_model TEXT, nr_packages INTEGER,"
	" nr_nodes INTEGER, nr_pus INTEGER, memory_bytes INTEGER);"
	"CREATE TABLE topology(id INTEGER PRIMARY KEY, host INTEGER NOT NULL REFERENCES host(id),"
	" json TEXT, hwloc_xml TEXT);"
	"CREATE TABLE run(id INTEGER PRIMARY KEY, uuid TEXT UNIQUE, name TEXT, label TEXT,"
	" host INTEGER NOT NULL REFERENCES host(id),"
	" topology INTEGER NOT NULL REFERENCES topology(id), kernel TEXT,"
	" is_simulated INTEGER NOT NULL, placement_unavailable TEXT, plan_json TEXT,"
	" plan_text TEXT, argv TEXT, tool_version TEXT, build_json TEXT, env_json TEXT,"
	" statistic TEXT, seed TEXT, nr_trials_planned INTEGER, started TEXT, ended TEXT,"
	" status TEXT NOT NULL, harness_ns REAL);"
	"CREATE TABLE cell(id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run(id),"
	" key TEXT NOT NULL, family TEXT NOT NULL, arm TEXT NOT NULL, workload TEXT,"
	" allocator TEXT, version TEXT, entry TEXT, placement TEXT, pus TEXT, memory TEXT,"
	" threads INTEGER, size_bytes INTEGER, params_json TEXT, is_baseline INTEGER NOT NULL,"
	" is_twin INTEGER NOT NULL, skipped TEXT, UNIQUE(run, key));"
	"CREATE TABLE trial(id INTEGER PRIMARY KEY, cell INTEGER NOT NULL REFERENCES cell(id),"
	" block INTEGER NOT NULL, position INTEGER, attempt INTEGER, seed TEXT, wall_ns INTEGER,"
	" cpu_ns INTEGER, run_delay_ns INTEGER, nr_involuntary_switches INTEGER,"
	" nr_migrations INTEGER, is_valid INTEGER NOT NULL, taint TEXT, exit_status INTEGER,"
	" ns_per_op REAL, page_hit_rate REAL, nr_pages_sampled INTEGER, rss_bytes INTEGER,"
	" held_bytes INTEGER);"
	"CREATE INDEX trial_of_cell ON trial(cell, block, attempt);"
	"CREATE TABLE trial_window(trial INTEGER NOT NULL REFERENCES trial(id), worker INTEGER,"
	" idx INTEGER, ops INTEGER, ns INTEGER, cpu_ns INTEGER, is_counted INTEGER,"
	" PRIMARY KEY(trial, worker, idx)) WITHOUT ROWID;"
	"CREATE TABLE counter(trial INTEGER NOT NULL REFERENCES trial(id), worker INTEGER,"
	" name TEXT, value REAL, enabled_ns INTEGER, running_ns INTEGER, source TEXT, reason TEXT,"
	" PRIMARY KEY(trial, worker, name)) WITHOUT ROWID;"
	"CREATE TABLE cachestat(trial INTEGER NOT NULL REFERENCES trial(id), cache TEXT,"
	" nr_objects INTEGER, nr_slabs INTEGER, nr_pages INTEGER, nr_partial INTEGER,"
	" nr_cpu_free INTEGER, stat_json TEXT, PRIMARY KEY(trial, cache)) WITHOUT ROWID;"
	/* a trial's windows in one row; workers that only consume do not count */
	"CREATE VIEW trial_summary AS SELECT t.id AS trial, c.key, c.family, c.arm, t.block,"
	" t.position, t.attempt, t.is_valid, t.taint, t.ns_per_op, count(w.idx) AS nr_windows,"
	" sum(w.ops) AS nr_ops FROM trial t JOIN cell c ON c.id = t.cell"
	" LEFT JOIN trial_window w ON w.trial = t.id AND w.is_counted GROUP BY t.id;"
	/* n, median, smallest and largest trial of each cell */
	"CREATE VIEW cell_summary AS WITH ranked AS (SELECT cell, ns_per_op,"
	" row_number() OVER (PARTITION BY cell ORDER BY ns_per_op) AS rank,"
	" count(*) OVER (PARTITION BY cell) AS n FROM trial"
	" WHERE is_valid AND ns_per_op IS NOT NULL)"
	" SELECT c.id AS cell, c.family, c.arm, c.is_twin, count(r.rank) AS n,"
	" avg(CASE WHEN 2 * r.rank BETWEEN r.n AND r.n + 2 THEN r.ns_per_op END)"
	" AS median_ns_per_op, min(r.ns_per_op) AS min_ns_per_op,"
	" max(r.ns_per_op) AS max_ns_per_op, c.skipped FROM cell c"
	" LEFT JOIN ranked r ON r.cell = c.id GROUP BY c.id;"
	/* what did not run or does not count, and why */
	"CREATE VIEW cause AS SELECT key, NULL AS block, skipped AS cause FROM cell"
	" WHERE skipped IS NOT NULL UNION ALL"
	" SELECT c.key, t.block, t.taint FROM trial t JOIN cell c ON c.id = t.cell"
	" WHERE NOT t.is_valid;";

const char *const nslab_schema_migrations[] = {
	schema_figures, /* 1 -> 2 */
	schema_hists,	/* 2 -> 3 */
	schema_phases,	/* 3 -> 4 */
};
