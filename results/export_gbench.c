/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * export_gbench.c: a run as the JSON of Google Benchmark, for the tools that read it.
 *
 * One entry for each trial that counts, because a trial is a fresh process and so the unit that is
 * independent; its windows are not. The context tells the machine in that format's own members and
 * in numaslab's what an import needs to compare the file again. Entries are streamed one a line.
 * Readers must know that their comparison is unpaired: blocks have no place in this format.
 *
 * Invariants: what was not measured is absent, never 0. Left out: trials that do not count, whose
 * number the context has, and counters.
 */
#include "results/encode.h"
#include "results/export.h"
#include "results/store_impl.h"
#include "results/table.h"

#include <errno.h>
#include <string.h>

static const char gbench_sql[] =
	"SELECT t.cell, t.ns_per_op, w.ops, w.cpu_ns FROM trial t"
	" JOIN cell c ON c.id = t.cell LEFT JOIN (SELECT trial, sum(ops) AS ops,"
	" CASE WHEN min(cpu_ns) > 0 THEN sum(cpu_ns) END AS cpu_ns FROM trial_window"
	" WHERE is_counted GROUP BY trial) w ON w.trial = t.id"
	" WHERE t.is_valid AND t.ns_per_op > 0 AND t.ns_per_op < 1e300"
	" AND NOT EXISTS (SELECT 1 FROM trial u WHERE u.cell = t.cell AND u.block = t.block"
	" AND u.is_valid AND u.ns_per_op > 0 AND (u.attempt, u.id) > (t.attempt, t.id))"
	" ORDER BY c.id, t.block";

static json_t *gbench_context(const struct nslab_run_file *file)
{
	const struct nslab_run_record *run = &file->run;
	size_t nr_left_out = 0;

	for (size_t i = 0; i < file->list->nr; i++)
		nr_left_out += file->list->cells[i].nr_failed;
	return json_pack(
		"{so so si so ss sb so so so so so sb sI}", "date", nslab_json_text(run->started),
		"host_name", nslab_json_text(run->host_name), "num_cpus", run->nr_pus, "executable",
		nslab_json_text("numaslab"), "library_build_type", "release", "cpu_scaling_enabled",
		0, "numaslab_version", nslab_json_text(run->tool_version), "numaslab_run",
		nslab_json_text(run->uuid), "numaslab_statistic", nslab_json_text(run->statistic),
		"numaslab_cpu_model", nslab_json_text(run->cpu_model), "numaslab_kernel",
		nslab_json_text(run->kernel), "numaslab_simulated", run->is_simulated,
		"numaslab_trials_left_out", (json_int_t)nr_left_out);
}

/* Where in the list the last row was. */
struct gbench_place {
	bool has_cell;
	size_t cell, family, repetition;
};

/* Rows come in the order of the list, and only of its cells. */
static void gbench_step(const struct nslab_cell_list *list, int64_t id, struct gbench_place *place)
{
	if (place->has_cell && list->cells[place->cell].id == id) {
		place->repetition++;
		return;
	}
	place->family += place->has_cell;
	place->repetition = 0;
	place->has_cell = true;
	while (place->cell + 1 < list->nr && list->cells[place->cell].id != id)
		place->cell++;
}

static json_t *gbench_entry(const struct nslab_cell_list *list, const struct gbench_place *place,
			    sqlite3_stmt *row)
{
	const struct nslab_cell_values *cell = &list->cells[place->cell];
	double ops = sqlite3_column_double(row, 2);
	char arm[256];
	json_t *entry;
	int rc = 0;

	nslab_arm_text(&cell->cell, arm, sizeof(arm));
	entry = json_pack("{so sI si so ss sI sI si sf ss so so}", "name",
			  nslab_json_text(cell->cell.key), "family_index",
			  (json_int_t)place->family, "per_family_instance_index", 0, "run_name",
			  nslab_json_text(cell->cell.key), "run_type", "iteration", "repetitions",
			  (json_int_t)cell->nr, "repetition_index", (json_int_t)place->repetition,
			  "threads", cell->cell.threads, "real_time", sqlite3_column_double(row, 1),
			  "time_unit", "ns", "numaslab_family", nslab_json_text(cell->cell.family),
			  "numaslab_arm", nslab_json_text(arm));
	if (entry && ops >= 1.0)
		rc = json_object_set_new(entry, "iterations",
					 json_integer(sqlite3_column_int64(row, 2)));
	if (entry && ops >= 1.0 && sqlite3_column_type(row, 3) != SQLITE_NULL)
		rc |= json_object_set_new(entry, "cpu_time",
					  json_real(sqlite3_column_double(row, 3) / ops));
	if (rc) {
		json_decref(entry);
		return NULL;
	}
	return entry;
}

/* Takes the value. */
static int gbench_dump(json_t *value, FILE *out, struct nslab_err *err)
{
	int rc = 0;

	if (!value)
		rc = nslab_fail(err, -ENOMEM, "cannot write the export: out of memory");
	else if (json_dumpf(value, out, JSON_COMPACT | JSON_REAL_PRECISION(17)))
		rc = nslab_fail(err, -EIO, "cannot write the export: %s", strerror(errno));
	json_decref(value);
	return rc;
}

int nslab_export_gbench(struct nslab_run_file *file, FILE *out, struct nslab_err *err)
{
	struct gbench_place place = {0};
	const char *separator = "\n";
	sqlite3_stmt *statement;
	int rc = nslab_store_prepare(file->store, gbench_sql, &statement, err);

	if (rc)
		return rc;
	fputs("{\"context\":", out);
	rc = gbench_dump(gbench_context(file), out, err);
	fputs(",\n\"benchmarks\":[", out);
	while (!rc && (rc = nslab_store_step(file->store, statement, err)) > 0) {
		gbench_step(file->list, sqlite3_column_int64(statement, 0), &place);
		fputs(separator, out);
		separator = ",\n";
		rc = gbench_dump(gbench_entry(file->list, &place, statement), out, err);
	}
	fputs("]}\n", out);
	if (!rc && ferror(out))
		rc = nslab_fail(err, -EIO, "cannot write the export: %s", strerror(errno));
	sqlite3_finalize(statement);
	return rc;
}
