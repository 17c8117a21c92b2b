/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store.c: writing a run, one transaction for each finished trial.
 *
 * The file is created, filled with tables and the run row in one transaction, and then only grows.
 * SQLite keeps a rollback journal beside the file while a transaction commits; when the process is
 * killed in the middle, the next reader finds the journal and undoes what was half written, so
 * every trial whose nslab_store_add_trial() returned is whole and nothing else is there.
 *
 * Why a rollback journal and not a write-ahead log: the log is a second file that must travel with
 * the first, and it cannot be read from a folder that is not writable. TRUNCATE keeps the journal's
 * name and saves a directory update for each trial. Why synchronous=NORMAL: kill -9 needs no fsync
 * (the kernel keeps what was written), a power cut does. A commit costs 0.7 ms for 20 windows and
 * 3 ms for 1280 (ext4 on a virtual disk; 0.1 and 2 ms without fsync), falls between two trials and
 * never inside a timed window, so the run pays for it and the measurement does not.
 *
 * Invariants: statements are prepared once; NaN and absent texts become NULL; a failed trial leaves
 * nothing behind. Left out: merging of files and writing over NFS from several machines.
 */
#define _GNU_SOURCE
#include "results/schema.h"
#include "results/store_impl.h"
#include "results/trials.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORE_BUSY_MS 20000 /* a reader may hold the file for as long before a commit gives up */

static const char *const store_sql[NSLAB_STORE_NR_STATEMENTS] = {
	[NSLAB_STORE_ADD_CELL] =
		"INSERT INTO cell(run, key, family, arm, workload, allocator, version, entry,"
		" placement, pus, memory, threads, size_bytes, params_json, is_baseline, is_twin,"
		" skipped) VALUES(1,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[NSLAB_STORE_ADD_TRIAL] =
		"INSERT INTO trial(cell, block, position, attempt, seed, wall_ns, cpu_ns,"
		" run_delay_ns, nr_involuntary_switches, nr_migrations, is_valid, taint,"
		" exit_status, ns_per_op, page_hit_rate, nr_pages_sampled, rss_bytes, held_bytes)"
		" VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
	[NSLAB_STORE_ADD_WINDOW] = "INSERT INTO trial_window(trial, worker, idx, ops, ns, cpu_ns,"
				   " is_counted) VALUES(?,?,?,?,?,?,?)",
	[NSLAB_STORE_ADD_COUNTER] = "INSERT INTO counter(trial, worker, name, value, enabled_ns,"
				    " running_ns, source, reason) VALUES(?,?,?,?,?,?,?,?)",
	[NSLAB_STORE_ADD_PHASE_COUNTER] =
		"INSERT INTO phase_counter(phase, trial, worker, name, value, enabled_ns,"
		" running_ns, source, reason) VALUES(?,?,?,?,?,?,?,?,?)",
	[NSLAB_STORE_ADD_CACHE] =
		"INSERT INTO cachestat(trial, cache, nr_objects, nr_slabs, nr_pages, nr_partial,"
		" nr_cpu_free, stat_json) VALUES(?,?,?,?,?,?,?,?)",
	[NSLAB_STORE_ADD_FIGURE] = "INSERT INTO figure(trial, name, value, unit) VALUES(?,?,?,?)",
	[NSLAB_STORE_ADD_POINT] = "INSERT INTO point(trial, series, idx, x, y) VALUES(?,?,?,?,?)",
	[NSLAB_STORE_ADD_HIST] = "INSERT INTO hist(trial, name, unit, scheme, n, min, max, clock,"
				 " clock_ns, mean_gap, ops_per_value, overhead, buckets_json)"
				 " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)",
};

/* Binds one value after the other and remembers the first failure. */
struct store_row {
	sqlite3_stmt *statement;
	int at;
	int rc;
};

static void row_done(struct store_row *row, int rc)
{
	if (row->rc == SQLITE_OK)
		row->rc = rc;
}

static void row_text(struct store_row *row, const char *text)
{
	int at = ++row->at;

	row_done(row, text ? sqlite3_bind_text(row->statement, at, text, -1, SQLITE_TRANSIENT)
			   : sqlite3_bind_null(row->statement, at));
}

static void row_int(struct store_row *row, int64_t value)
{
	row_done(row, sqlite3_bind_int64(row->statement, ++row->at, value));
}

/* Counts fit 63 bits for the next 292 years of nanoseconds; more is held at the top. */
static void row_count(struct store_row *row, uint64_t value)
{
	row_int(row, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static void row_seed(struct store_row *row, uint64_t seed)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
	row_text(row, text);
}

static void row_real(struct store_row *row, double value)
{
	int at = ++row->at;

	row_done(row, isfinite(value) ? sqlite3_bind_double(row->statement, at, value)
				      : sqlite3_bind_null(row->statement, at));
}

static void row_bytes(struct store_row *row, uint64_t bytes)
{
	if (bytes == NSLAB_BYTES_UNKNOWN)
		row_text(row, NULL);
	else
		row_count(row, bytes);
}

/* Runs the statement and makes it ready for the next row. */
static int row_insert(struct store_row *row)
{
	int rc = row->rc;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(row->statement);
	sqlite3_reset(row->statement);
	return rc == SQLITE_DONE ? 0 : rc;
}

static struct store_row store_row(struct nslab_store *store, enum nslab_store_statement which)
{
	return (struct store_row){store->statements[which], 0, SQLITE_OK};
}

static int store_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EACCES;
	case SQLITE_IOERR:
		return -EIO;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	default:
		return -EINVAL;
	}
}

static const char *store_reason(sqlite3 *db, int code)
{
	switch (code & 0xff) {
	case SQLITE_FULL:
		return "no space left on the device";
	case SQLITE_NOTADB:
		return "not a result file of numaslab";
	case SQLITE_CORRUPT:
		return "the file is damaged or cut short";
	case SQLITE_BUSY:
		return "another process holds the file";
	default:
		return db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
	}
}

int nslab_store_failed(struct nslab_store *store, const char *verb, struct nslab_err *err)
{
	int code = sqlite3_extended_errcode(store->db);
	int system = sqlite3_system_errno(store->db);
	bool is_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;

	if (is_system && system)
		return nslab_fail(err, system == ENOSPC || system == EDQUOT ? -ENOSPC : -EIO,
				  "cannot %s '%s': %s", verb, store->path, strerror(system));
	return nslab_fail(err, store_errno(code), "cannot %s '%s': %s", verb, store->path,
			  store_reason(store->db, code));
}

int nslab_store_prepare(struct nslab_store *store, const char *sql, sqlite3_stmt **statement,
			struct nslab_err *err)
{
	if (sqlite3_prepare_v2(store->db, sql, -1, statement, NULL) == SQLITE_OK)
		return 0;
	return nslab_store_failed(store, store->is_writer ? "write" : "read", err);
}

bool nslab_store_has_table(struct nslab_store *store, const char *name)
{
	sqlite3_stmt *statement;
	bool is_there = false;

	if (nslab_store_prepare(store,
				"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
				&statement, NULL))
		return false;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	is_there = nslab_store_step(store, statement, NULL) > 0;
	sqlite3_finalize(statement);
	return is_there;
}

int nslab_store_step(struct nslab_store *store, sqlite3_stmt *statement, struct nslab_err *err)
{
	int rc = sqlite3_step(statement);

	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return rc == SQLITE_ROW;
	return nslab_store_failed(store, store->is_writer ? "write" : "read", err);
}

static int store_exec(struct nslab_store *store, const char *sql, struct nslab_err *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return nslab_store_failed(store, "write", err);
}

/* Ends the transaction; after a failure nothing of it is left. */
static int store_end(struct nslab_store *store, int rc, struct nslab_err *err)
{
	if (!rc)
		rc = store_exec(store, "COMMIT", err);
	if (rc && !sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

/* A statement used once. bind fills its row. */
static int store_insert_once(struct nslab_store *store, const char *sql, const void *record,
			     void (*bind)(struct store_row *row, const void *record),
			     struct nslab_err *err)
{
	struct store_row row = {.rc = SQLITE_OK};
	int rc = nslab_store_prepare(store, sql, &row.statement, err);

	if (rc)
		return rc;
	bind(&row, record);
	if (row_insert(&row))
		rc = nslab_store_failed(store, "write", err);
	sqlite3_finalize(row.statement);
	return rc;
}

static void bind_host(struct store_row *row, const void *record)
{
	const struct nslab_run_record *run = record;

	row_text(row, run->host_name);
	row_text(row, run->cpu_model);
	row_int(row, run->nr_packages);
	row_int(row, run->nr_nodes);
	row_int(row, run->nr_pus);
	row_int(row, run->memory_bytes);
}

static void bind_topology(struct store_row *row, const void *record)
{
	const struct nslab_run_record *run = record;

	row_text(row, run->topology_json);
	row_text(row, run->topology_xml);
}

static void bind_run(struct store_row *row, const void *record)
{
	const struct nslab_run_record *run = record;

	row_text(row, run->uuid);
	row_text(row, run->name);
	row_text(row, run->label);
	row_text(row, run->kernel);
	row_int(row, run->is_simulated);
	row_text(row, run->placement_unavailable);
	row_text(row, run->plan_json);
	row_text(row, run->plan_text);
	row_text(row, run->argv_text);
	row_text(row, run->tool_version);
	row_text(row, run->build_json);
	row_text(row, run->env_json);
	row_text(row, run->statistic);
	row_seed(row, run->seed);
	row_int(row, run->nr_trials_planned);
	row_text(row, run->started);
}

static int store_add_run(struct nslab_store *store, const struct nslab_run_record *run,
			 struct nslab_err *err)
{
	int rc = store_insert_once(
		store,
		"INSERT INTO host(id, name, cpu_model, nr_packages, nr_nodes, nr_pus,"
		" memory_bytes) VALUES(1,?,?,?,?,?,?)",
		run, bind_host, err);

	if (!rc)
		rc = store_insert_once(store,
				       "INSERT INTO topology(id, host, json, hwloc_xml)"
				       " VALUES(1,1,?,?)",
				       run, bind_topology, err);
	if (!rc)
		rc = store_insert_once(
			store,
			"INSERT INTO run(id, host, topology, status, uuid, name, label, kernel,"
			" is_simulated, placement_unavailable, plan_json, plan_text, argv,"
			" tool_version, build_json, env_json, statistic, seed, nr_trials_planned,"
			" started) VALUES(1,1,1,'running',?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
			run, bind_run, err);
	return rc;
}

int nslab_store_prepare_writing(struct nslab_store *store, struct nslab_err *err)
{
	int rc = 0;

	for (int i = 0; !rc && i < NSLAB_STORE_NR_STATEMENTS; i++)
		rc = nslab_store_prepare(store, store_sql[i], &store->statements[i], err);
	return rc;
}

static int store_make(struct nslab_store *store, const struct nslab_run_record *run,
		      struct nslab_err *err)
{
	char versions[96];
	int rc;

	snprintf(versions, sizeof(versions), "PRAGMA application_id=%d; PRAGMA user_version=%d",
		 NSLAB_STORE_APPLICATION, NSLAB_STORE_SCHEMA);
	rc = store_exec(store,
			"PRAGMA journal_mode=TRUNCATE; PRAGMA synchronous=NORMAL;"
			"PRAGMA foreign_keys=ON; BEGIN IMMEDIATE",
			err);
	if (rc)
		return rc;
	rc = store_exec(store, versions, err);
	if (!rc)
		rc = store_exec(store, nslab_schema_sql, err);
	for (int i = 1; !rc && i < NSLAB_STORE_SCHEMA; i++)
		rc = store_exec(store, nslab_schema_migrations[i - 1], err);
	if (!rc)
		rc = store_add_run(store, run, err);
	rc = store_end(store, rc, err);
	return rc ? rc : nslab_store_prepare_writing(store, err);
}

/* Claims the name, so that two runs never share a file. */
static int store_claim(const char *path, struct nslab_err *err)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
	int rc = -errno;

	if (fd < 0)
		return nslab_fail(err, rc, "cannot create '%s': %s", path, strerror(-rc));
	close(fd);
	return 0;
}

int nslab_store_create(const char *path, const struct nslab_run_record *run,
		       struct nslab_store **result, struct nslab_err *err)
{
	struct nslab_store *store = calloc(1, sizeof(*store));
	int rc = -ENOMEM;

	if (store) {
		store->path = strdup(path);
		store->texts = nslab_texts_create();
	}
	if (!store || !store->path || !store->texts) {
		nslab_fail(err, rc, "cannot create '%s': out of memory", path);
		goto close;
	}
	rc = store_claim(path, err);
	if (rc)
		goto close;
	store->is_writer = true;
	if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
		rc = store->db ? nslab_store_failed(store, "create", err) : -ENOMEM;
		goto unlink;
	}
	sqlite3_busy_timeout(store->db, STORE_BUSY_MS);
	rc = store_make(store, run, err);
	if (rc)
		goto unlink;
	*result = store;
	return 0;
unlink:
	nslab_store_close(store);
	unlink(path);
	return rc;
close:
	nslab_store_close(store);
	return rc;
}

void nslab_store_close(struct nslab_store *store)
{
	if (!store)
		return;
	if (store->is_collecting)
		sqlite3_exec(store->db, store->is_bulk ? "ROLLBACK" : "COMMIT", NULL, NULL, NULL);
	for (int i = 0; i < NSLAB_STORE_NR_STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	/* the empty journal's name goes away with the writer */
	if (store->is_writer && store->db)
		sqlite3_exec(store->db, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL);
	sqlite3_close(store->db);
	nslab_texts_free(store->texts);
	free(store->path);
	free(store);
}

/* Opens the transaction in which cells, and in bulk trials, wait. */
static int store_collect(struct nslab_store *store, struct nslab_err *err)
{
	int rc = store->is_collecting ? 0 : store_exec(store, "BEGIN IMMEDIATE", err);

	if (!rc)
		store->is_collecting = true;
	return rc;
}

int nslab_store_bulk(struct nslab_store *store, struct nslab_err *err)
{
	int rc = nslab_store_flush(store, err);

	if (!rc)
		rc = store_collect(store, err);
	store->is_bulk = !rc;
	return rc;
}

static void bind_cell(struct store_row *row, const struct nslab_cell_record *cell)
{
	row_text(row, cell->key);
	row_text(row, cell->family);
	row_text(row, cell->arm);
	row_text(row, cell->workload);
	row_text(row, cell->allocator);
	row_text(row, cell->version);
	row_text(row, cell->entry);
	row_text(row, cell->placement);
	row_text(row, cell->pus);
	row_text(row, cell->memory);
	row_int(row, cell->threads);
	row_int(row, cell->size_bytes);
	row_text(row, cell->params_json);
	row_int(row, cell->is_baseline);
	row_int(row, cell->is_twin);
	row_text(row, cell->skipped);
}

int nslab_store_add_cell(struct nslab_store *store, const struct nslab_cell_record *cell,
			 int64_t *id, struct nslab_err *err)
{
	struct store_row row = store_row(store, NSLAB_STORE_ADD_CELL);
	int rc = store_collect(store, err);

	if (rc)
		return rc;
	bind_cell(&row, cell);
	if (!row_insert(&row)) {
		*id = sqlite3_last_insert_rowid(store->db);
		return 0;
	}
	rc = nslab_store_failed(store, "write", err);
	/* most failures undo the whole transaction, this one statement's at the least */
	store->is_collecting = !sqlite3_get_autocommit(store->db);
	return nslab_fail_in(err, rc, "cell '%s'", cell->key ? cell->key : "-");
}

int nslab_store_flush(struct nslab_store *store, struct nslab_err *err)
{
	if (!store->is_collecting || store->is_bulk)
		return 0;
	store->is_collecting = false;
	return store_end(store, 0, err);
}

static void bind_trial(struct store_row *row, const struct nslab_trial_record *trial)
{
	row_int(row, trial->cell);
	row_int(row, trial->block);
	row_int(row, trial->position);
	row_int(row, trial->attempt);
	row_seed(row, trial->seed);
	row_count(row, trial->wall_ns);
	row_count(row, trial->cpu_ns);
	row_count(row, trial->run_delay_ns);
	row_count(row, trial->nr_involuntary_switches);
	row_count(row, trial->nr_migrations);
	row_int(row, trial->is_valid);
	row_text(row, trial->taint);
	row_int(row, trial->exit_status);
	row_real(row, trial->ns_per_op);
	row_real(row, trial->page_hit_rate);
	row_int(row, trial->nr_pages_sampled);
	row_bytes(row, trial->rss_bytes);
	row_bytes(row, trial->held_bytes);
}

static int store_add_windows(struct nslab_store *store, int64_t id,
			     const struct nslab_trial_record *trial)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < trial->nr_windows; i++) {
		const struct nslab_window *window = &trial->windows[i];
		struct store_row row = store_row(store, NSLAB_STORE_ADD_WINDOW);

		row_int(&row, id);
		row_int(&row, window->worker);
		row_int(&row, window->index);
		row_count(&row, window->ops);
		row_count(&row, window->ns);
		row_count(&row, window->cpu_ns);
		row_int(&row, window->is_counted);
		rc = row_insert(&row);
	}
	return rc;
}

static int store_add_counters(struct nslab_store *store, int64_t id,
			      const struct nslab_trial_record *trial)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < trial->nr_counters; i++) {
		const struct nslab_counter_record *counter = &trial->counters[i];
		struct store_row row =
			store_row(store, counter->phase ? NSLAB_STORE_ADD_PHASE_COUNTER
							: NSLAB_STORE_ADD_COUNTER);

		if (counter->phase)
			row_text(&row, counter->phase);
		row_int(&row, id);
		row_int(&row, counter->worker);
		row_text(&row, counter->name);
		row_real(&row, counter->has_value ? counter->value : NAN);
		row_count(&row, counter->enabled_ns);
		row_count(&row, counter->running_ns);
		row_text(&row, counter->source);
		row_text(&row, counter->reason);
		rc = row_insert(&row);
	}
	return rc;
}

static int store_add_caches(struct nslab_store *store, int64_t id,
			    const struct nslab_trial_record *trial)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < trial->nr_caches; i++) {
		const struct nslab_cachestat_record *cache = &trial->caches[i];
		struct store_row row = store_row(store, NSLAB_STORE_ADD_CACHE);

		row_int(&row, id);
		row_text(&row, cache->cache);
		row_count(&row, cache->nr_objects);
		row_count(&row, cache->nr_slabs);
		row_count(&row, cache->nr_pages);
		row_count(&row, cache->nr_partial);
		row_count(&row, cache->nr_cpu_free);
		row_text(&row, cache->stat_json);
		rc = row_insert(&row);
	}
	return rc;
}

static int store_add_figures(struct nslab_store *store, int64_t id,
			     const struct nslab_trial_record *trial)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < trial->nr_figures; i++) {
		const struct nslab_figure_record *figure = &trial->figures[i];
		struct store_row row = store_row(store, NSLAB_STORE_ADD_FIGURE);

		row_int(&row, id);
		row_text(&row, figure->name);
		row_real(&row, figure->value);
		row_text(&row, figure->unit);
		rc = row_insert(&row);
	}
	return rc;
}

static int store_add_points(struct nslab_store *store, int64_t id,
			    const struct nslab_trial_record *trial)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < trial->nr_points; i++) {
		const struct nslab_point_record *point = &trial->points[i];
		struct store_row row = store_row(store, NSLAB_STORE_ADD_POINT);

		row_int(&row, id);
		row_text(&row, point->series);
		row_int(&row, (int64_t)i);
		row_real(&row, point->x);
		row_real(&row, point->y);
		rc = row_insert(&row);
	}
	return rc;
}

static int store_add_hists(struct nslab_store *store, int64_t id,
			   const struct nslab_trial_record *trial)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < trial->nr_hists; i++) {
		const struct nslab_hist_record *hist = &trial->hists[i];
		struct store_row row = store_row(store, NSLAB_STORE_ADD_HIST);

		row_int(&row, id);
		row_text(&row, hist->name);
		row_text(&row, hist->unit);
		row_text(&row, hist->scheme);
		row_count(&row, hist->n);
		row_count(&row, hist->min);
		row_count(&row, hist->max);
		row_text(&row, hist->clock);
		row_real(&row, hist->clock_ns);
		row_real(&row, hist->mean_gap);
		row_real(&row, hist->ops_per_value);
		row_real(&row, hist->overhead);
		row_text(&row, hist->buckets_json);
		rc = row_insert(&row);
	}
	return rc;
}

/* All rows of a trial, in the transaction that is open. */
static int store_insert_trial(struct nslab_store *store, const struct nslab_trial_record *trial,
			      struct nslab_err *err)
{
	struct store_row row = store_row(store, NSLAB_STORE_ADD_TRIAL);
	int64_t id;
	int rc;

	bind_trial(&row, trial);
	rc = row_insert(&row);
	id = sqlite3_last_insert_rowid(store->db);
	if (!rc)
		rc = store_add_windows(store, id, trial);
	if (!rc)
		rc = store_add_counters(store, id, trial);
	if (!rc)
		rc = store_add_caches(store, id, trial);
	if (!rc)
		rc = store_add_figures(store, id, trial);
	if (!rc)
		rc = store_add_points(store, id, trial);
	if (!rc)
		rc = store_add_hists(store, id, trial);
	return rc ? nslab_store_failed(store, "write", err) : 0;
}

int nslab_store_add_trial(struct nslab_store *store, const struct nslab_trial_record *trial,
			  struct nslab_err *err)
{
	int rc = nslab_store_flush(store, err);

	if (store->is_bulk)
		return store_insert_trial(store, trial, err);
	if (!rc)
		rc = store_exec(store, "BEGIN IMMEDIATE", err);
	return rc ? rc : store_end(store, store_insert_trial(store, trial, err), err);
}

static void bind_env_after(struct store_row *row, const void *record)
{
	row_text(row, record);
}

int nslab_store_env_after(struct nslab_store *store, const char *json, struct nslab_err *err)
{
	int rc = nslab_store_flush(store, err);

	if (rc)
		return rc;
	return store_insert_once(store,
				 "UPDATE run SET env_json ="
				 " json_set(coalesce(env_json, '{}'), '$.after', json(?))",
				 json, bind_env_after, err);
}

/* What is written once, when a run ends. */
struct store_ending {
	const char *status, *ended;
	double harness_ns;
};

static void bind_ending(struct store_row *row, const void *record)
{
	const struct store_ending *ending = record;

	row_text(row, ending->status);
	row_text(row, ending->ended);
	row_real(row, ending->harness_ns);
}

int nslab_store_finish(struct nslab_store *store, const char *status, double harness_ns,
		       const char *ended, struct nslab_err *err)
{
	struct store_ending ending = {status, ended, harness_ns};
	int rc = nslab_store_flush(store, err);

	if (!rc)
		rc = store_insert_once(store, "UPDATE run SET status=?, ended=?, harness_ns=?",
				       &ending, bind_ending, err);
	if (rc)
		return rc;
	store->is_bulk = false;
	return nslab_store_flush(store, err);
}

/* A block of a family whose trials do not count. */
struct store_spoiled {
	const char *taint, *family;
	int block, attempt;
};

static void bind_spoiled(struct store_row *row, const void *record)
{
	const struct store_spoiled *spoiled = record;

	row_text(row, spoiled->taint);
	row_int(row, spoiled->block);
	row_int(row, spoiled->attempt);
	row_text(row, spoiled->family);
}

int nslab_store_spoil(struct nslab_store *store, const char *family, int block, int attempt,
		      const char *taint, struct nslab_err *err)
{
	struct store_spoiled spoiled = {taint, family, block, attempt};

	return store_insert_once(store,
				 "UPDATE trial SET is_valid=0, taint=? WHERE is_valid AND block=?"
				 " AND attempt=? AND cell IN (SELECT id FROM cell WHERE family=?)",
				 &spoiled, bind_spoiled, err);
}

static void bind_nothing(struct store_row *row, const void *record)
{
	(void)row;
	(void)record;
}

int nslab_store_go_on(struct nslab_store *store, struct nslab_err *err)
{
	return store_insert_once(store, "UPDATE run SET status='running', ended=NULL", NULL,
				 bind_nothing, err);
}
