/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify.c: computes every stored summary again from raw windows.
 *
 * A summary that a table shows is only worth what can be had again from the raw figures, so this is
 * done in C from the windows, with the function that the runner used, and not by the file's own
 * views. Trials are walked in the order of their windows; a trial without any is walked too. Each
 * difference names cell and block, what is stored and what was computed. Times may differ in the
 * last bits only (RELATIVE), since compilers order a sum as they like.
 *
 * Seeds and order of the trials are held against the plan's seed (verify_design.c).
 *
 * What was never a number is not checked: a trial that failed need not have windows. Left out:
 * whether the windows themselves are true.
 */
#include "results/verify_impl.h"

#include "results/compare.h"
#include "results/reduce.h"
#include "results/store_impl.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define RELATIVE 1e-9

/* The trial at hand, as stored. */
struct verify_trial {
	int64_t id, cell;
	int block, attempt;
	bool is_valid, has_taint;
	double ns_per_op;
	uint64_t cpu_ns;
};

void verify_differ(struct verify *v, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	v->result->nr_differences++;
	v->tell(v->context, text);
}

/* Every row of a query that checks something is a difference; its first column says which. */
static int verify_query(struct verify *v, const char *what, const char *sql)
{
	struct nslab_store *store = v->file->store;
	sqlite3_stmt *row;
	int rc = nslab_store_prepare(store, sql, &row, v->err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(store, row, v->err)) > 0) {
		const char *text = (const char *)sqlite3_column_text(row, 0);

		verify_differ(v, "%s: %s", what, text ? text : "?");
	}
	sqlite3_finalize(row);
	return rc;
}

static int verify_file(struct verify *v)
{
	int rc = verify_query(v, "the file",
			      "SELECT integrity_check FROM pragma_integrity_check"
			      " WHERE integrity_check <> 'ok'");

	if (!rc)
		rc = verify_query(v, "a row that belongs to nothing, in table",
				  "SELECT \"table\" FROM pragma_foreign_key_check");
	if (!rc)
		rc = verify_query(v, "a trial is there twice",
				  "SELECT key || ' block ' || block || ' attempt ' || attempt FROM"
				  " trial JOIN cell ON cell.id = trial.cell"
				  " GROUP BY cell, block, attempt HAVING count(*) > 1");
	if (!rc)
		rc = verify_query(v, "a cell is skipped and has trials",
				  "SELECT key FROM cell WHERE skipped IS NOT NULL AND id IN"
				  " (SELECT cell FROM trial)");
	return rc;
}

/* ---- trials ---- */

static const struct nslab_cell_values *verify_cell(const struct verify *v, int64_t id)
{
	const struct nslab_cell_list *list = v->file->list;

	for (size_t i = 0; i < list->nr; i++) {
		if (list->cells[i].id == id)
			return &list->cells[i];
	}
	return NULL;
}

/* What the cell's windows become: it is in its parameters. */
static int verify_statistic(const struct nslab_cell_values *cell, enum nslab_statistic *statistic)
{
	json_t *params =
		cell->cell.params_json ? json_loads(cell->cell.params_json, 0, NULL) : NULL;
	const char *word = json_string_value(json_object_get(params, "statistic"));
	int rc = word ? nslab_statistic_parse(word, statistic) : -EINVAL;

	json_decref(params);
	return rc;
}

static bool is_close(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b);
	return fabs(a - b) <= RELATIVE * fmax(fabs(a), fabs(b));
}

static void verify_value(struct verify *v, const struct verify_trial *trial,
			 const struct nslab_cell_values *cell)
{
	enum nslab_statistic statistic;
	double value;

	if (verify_statistic(cell, &statistic)) {
		if (v->nr_windows)
			verify_differ(v, "%s block %d: the cell declares no statistic",
				      cell->cell.key, trial->block);
		return;
	}
	value = nslab_trial_ns_per_op(v->windows, v->nr_windows, statistic, v->scratch);
	if (!is_close(value, trial->ns_per_op))
		verify_differ(v, "%s block %d: %.9g ns/op is stored, its windows give %.9g",
			      cell->cell.key, trial->block, trial->ns_per_op, value);
}

static void verify_trial(struct verify *v, const struct verify_trial *trial)
{
	const struct nslab_cell_values *cell = verify_cell(v, trial->cell);
	uint64_t cpu_ns = 0;
	size_t nr_empty = 0;

	v->result->nr_trials++;
	v->result->nr_windows += v->nr_windows;
	if (!cell)
		return; /* told by the file's own check */
	for (size_t i = 0; i < v->nr_windows; i++) {
		cpu_ns += v->windows[i].cpu_ns;
		nr_empty += !v->windows[i].ops || !v->windows[i].ns;
	}
	verify_value(v, trial, cell);
	if (cpu_ns != trial->cpu_ns)
		verify_differ(v,
			      "%s block %d: %llu ns of CPU time are stored, its windows give %llu",
			      cell->cell.key, trial->block, (unsigned long long)trial->cpu_ns,
			      (unsigned long long)cpu_ns);
	if (trial->is_valid && cell->cell.threads > 0 && !v->is_imported &&
	    (!v->nr_windows || v->nr_windows % (size_t)cell->cell.threads || nr_empty))
		verify_differ(
			v,
			"%s block %d: it counts, but of %zu windows for %d workers %zu are empty",
			cell->cell.key, trial->block, v->nr_windows, cell->cell.threads, nr_empty);
	if (!trial->is_valid && !trial->has_taint)
		verify_differ(v, "%s block %d: it does not count and says no reason",
			      cell->cell.key, trial->block);
}

static int verify_add_window(struct verify *v, sqlite3_stmt *row)
{
	if (v->nr_windows == v->nr_room) {
		size_t room = v->nr_room ? 2 * v->nr_room : 64;
		struct nslab_window *windows = realloc(v->windows, room * sizeof(*windows));
		double *scratch = windows ? realloc(v->scratch, room * sizeof(*scratch)) : NULL;

		if (windows)
			v->windows = windows;
		if (scratch)
			v->scratch = scratch;
		if (!windows || !scratch)
			return nslab_fail(v->err, -ENOMEM, "out of memory");
		v->nr_room = room;
	}
	v->windows[v->nr_windows++] = (struct nslab_window){
		.worker = sqlite3_column_int(row, 8),
		.index = sqlite3_column_int(row, 9),
		.ops = (uint64_t)sqlite3_column_int64(row, 10),
		.ns = (uint64_t)sqlite3_column_int64(row, 11),
		.cpu_ns = (uint64_t)sqlite3_column_int64(row, 12),
		.is_counted = sqlite3_column_int(row, 13),
	};
	return 0;
}

static struct verify_trial verify_read_trial(sqlite3_stmt *row)
{
	return (struct verify_trial){
		.id = sqlite3_column_int64(row, 0),
		.cell = sqlite3_column_int64(row, 1),
		.block = sqlite3_column_int(row, 2),
		.attempt = sqlite3_column_int(row, 3),
		.is_valid = sqlite3_column_int(row, 4),
		.has_taint = sqlite3_column_int(row, 5),
		.ns_per_op = sqlite3_column_type(row, 6) == SQLITE_NULL
				     ? NAN
				     : sqlite3_column_double(row, 6),
		.cpu_ns = (uint64_t)sqlite3_column_int64(row, 7),
	};
}

/* One row for each window, and one without a window for a trial that has none. */
static int verify_trials(struct verify *v)
{
	struct nslab_store *store = v->file->store;
	struct verify_trial trial = {.id = -1};
	bool has_trial = false;
	sqlite3_stmt *row;
	int rc = nslab_store_prepare(
		store,
		"SELECT t.id, t.cell, t.block, t.attempt, t.is_valid, t.taint IS NOT NULL,"
		" t.ns_per_op, t.cpu_ns, w.worker, w.idx, w.ops, w.ns, w.cpu_ns, w.is_counted"
		" FROM trial t LEFT JOIN trial_window w ON w.trial = t.id"
		" ORDER BY t.id, w.worker, w.idx",
		&row, v->err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(store, row, v->err)) > 0) {
		if (!has_trial || sqlite3_column_int64(row, 0) != trial.id) {
			if (has_trial)
				verify_trial(v, &trial);
			trial = verify_read_trial(row);
			has_trial = true;
			v->nr_windows = 0;
		}
		if (sqlite3_column_type(row, 8) != SQLITE_NULL)
			rc = verify_add_window(v, row);
		if (rc < 0)
			break;
	}
	if (!rc && has_trial)
		verify_trial(v, &trial);
	sqlite3_finalize(row);
	return rc;
}

/* ---- cells ---- */

/* The file's own summary against what the reader makes of the trials. */
static int verify_cells(struct verify *v)
{
	struct nslab_store *store = v->file->store;
	sqlite3_stmt *row;
	int rc = nslab_store_prepare(store, "SELECT cell, n, median_ns_per_op FROM cell_summary",
				     &row, v->err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(store, row, v->err)) > 0) {
		const struct nslab_cell_values *cell = verify_cell(v, sqlite3_column_int64(row, 0));
		size_t n = (size_t)sqlite3_column_int64(row, 1);
		double median = sqlite3_column_type(row, 2) == SQLITE_NULL
					? NAN
					: sqlite3_column_double(row, 2);

		if (cell && n != cell->nr)
			verify_differ(v, "%s: its summary has %zu trials, %zu count",
				      cell->cell.key, n, cell->nr);
		else if (cell && !is_close(median, nslab_median(cell->ns_per_op, cell->nr)))
			verify_differ(
				v, "%s: its summary has a median of %.9g, its trials give %.9g",
				cell->cell.key, median, nslab_median(cell->ns_per_op, cell->nr));
	}
	sqlite3_finalize(row);
	return rc;
}

int nslab_verify(struct nslab_run_file *file, void (*tell)(void *context, const char *text),
		 void *context, struct nslab_verification *verification, struct nslab_err *err)
{
	struct verify v = {
		.file = file,
		.is_imported = nslab_run_is_imported(&file->run),
		.tell = tell,
		.context = context,
		.result = verification,
		.err = err,
	};
	int rc;

	*verification = (struct nslab_verification){0};
	rc = verify_file(&v);
	if (!rc)
		rc = verify_trials(&v);
	if (!rc)
		rc = verify_cells(&v);
	if (!rc)
		rc = verify_design(&v);
	free(v.windows);
	free(v.scratch);
	return rc;
}
