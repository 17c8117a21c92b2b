/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * export.c: raw windows as CSV.
 *
 * One query joins windows, trials and cells in the order of the run, and its columns are the
 * columns of the CSV, so that the header line cannot drift from the rows. Rows are streamed: a run
 * of any size needs no memory. Left out: counters, whose number differs from trial to trial; they
 * are in the JSON.
 */
#include "results/export.h"

#include "results/encode.h"
#include "results/store_impl.h"

#include <errno.h>
#include <string.h>

static const char export_csv_sql[] =
	"SELECT run.uuid AS run, run.started, host.name AS host, host.cpu_model, run.kernel,"
	" run.is_simulated, run.placement_unavailable, c.family, c.arm, c.key, c.workload,"
	" c.allocator, c.version, c.entry, c.placement, c.memory, c.pus, c.threads, c.size_bytes,"
	" c.is_baseline, c.is_twin, t.block, t.position, t.attempt, t.id AS trial, t.seed,"
	" t.is_valid, t.taint, t.exit_status, t.page_hit_rate, t.rss_bytes, t.held_bytes,"
	" w.worker, w.idx AS window, w.is_counted, w.ops, w.ns, w.cpu_ns,"
	" CASE WHEN w.ops > 0 THEN 1.0 * w.ns / w.ops END AS ns_per_op"
	" FROM trial t JOIN cell c ON c.id = t.cell JOIN run ON run.id = c.run"
	" JOIN host ON host.id = run.host LEFT JOIN trial_window w ON w.trial = t.id"
	" ORDER BY t.id, w.worker, w.idx";

static void export_csv_header(sqlite3_stmt *statement, FILE *out)
{
	int nr = sqlite3_column_count(statement);

	for (int i = 0; i < nr; i++)
		nslab_csv_text(out, sqlite3_column_name(statement, i), i + 1 < nr ? ',' : '\n');
}

static void export_csv_row(sqlite3_stmt *statement, FILE *out)
{
	int nr = sqlite3_column_count(statement);

	for (int i = 0; i < nr; i++) {
		char end = i + 1 < nr ? ',' : '\n';

		if (sqlite3_column_type(statement, i) == SQLITE_FLOAT)
			nslab_csv_real(out, sqlite3_column_double(statement, i), end);
		else
			nslab_csv_text(out, (const char *)sqlite3_column_text(statement, i), end);
	}
}

int nslab_export_csv(struct nslab_run_file *file, FILE *out, struct nslab_err *err)
{
	sqlite3_stmt *statement;
	int rc = nslab_store_prepare(file->store, export_csv_sql, &statement, err);

	if (rc)
		return rc;
	export_csv_header(statement, out);
	while (!ferror(out) && (rc = nslab_store_step(file->store, statement, err)) > 0)
		export_csv_row(statement, out);
	if (ferror(out))
		rc = nslab_fail(err, -EIO, "cannot write the export: %s", strerror(errno));
	sqlite3_finalize(statement);
	return rc;
}
