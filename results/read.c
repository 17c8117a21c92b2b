/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * read.c: the run row and the cells with the values of their trials.
 *
 * Cells are read in the order in which they were added, then all trials in one query that is
 * ordered like them, so that both are walked once. A block that was run again counts once, with its
 * last valid trial. Medians are taken here and never stored, so that a rule can change without
 * touching old files.
 *
 * Invariants: what the file does not hold is NaN or NULL; a crafted file may hold any type in any
 * column and only ever gives odd numbers. Left out: raw windows, which the exports read themselves.
 */
#include "results/stats.h"
#include "results/store_impl.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int read_no_memory(struct nslab_store *store, struct nslab_err *err)
{
	return nslab_fail(err, -ENOMEM, "cannot read '%s': out of memory", store->path);
}

/* Reads one column after the other and keeps the texts. */
struct read_row {
	sqlite3_stmt *statement;
	struct nslab_texts *texts;
	int at;
	bool is_out_of_memory;
};

static const char *read_text(struct read_row *row)
{
	const char *text = (const char *)sqlite3_column_text(row->statement, row->at);
	int len = sqlite3_column_bytes(row->statement, row->at++);
	const char *kept;

	if (!text)
		return NULL;
	kept = nslab_texts_keep(row->texts, text, (size_t)len);
	row->is_out_of_memory |= !kept;
	return kept;
}

/* For columns that the schema forbids to be NULL. */
static const char *read_name(struct read_row *row)
{
	const char *text = read_text(row);

	return text ? text : "";
}

static int64_t read_int64(struct read_row *row)
{
	return sqlite3_column_int64(row->statement, row->at++);
}

static int read_int(struct read_row *row)
{
	int64_t value = read_int64(row);

	return value > INT_MAX ? INT_MAX : value < INT_MIN ? INT_MIN : (int)value;
}

static double read_real(struct read_row *row)
{
	int at = row->at++;

	if (sqlite3_column_type(row->statement, at) == SQLITE_NULL)
		return NAN;
	return sqlite3_column_double(row->statement, at);
}

static void read_run_row(struct read_row *row, struct nslab_run_record *run, char status[16],
			 double *harness_ns)
{
	const char *text;

	run->uuid = read_text(row);
	run->name = read_text(row);
	run->label = read_text(row);
	run->host_name = read_text(row);
	run->cpu_model = read_text(row);
	run->kernel = read_text(row);
	run->nr_packages = read_int(row);
	run->nr_nodes = read_int(row);
	run->nr_pus = read_int(row);
	run->memory_bytes = read_int64(row);
	run->is_simulated = read_int64(row) != 0;
	run->placement_unavailable = read_text(row);
	run->topology_json = read_text(row);
	run->topology_xml = read_text(row);
	run->plan_json = read_text(row);
	run->plan_text = read_text(row);
	run->argv_text = read_text(row);
	run->tool_version = read_text(row);
	run->build_json = read_text(row);
	run->env_json = read_text(row);
	run->statistic = read_text(row);
	text = read_text(row);
	run->seed = text ? strtoull(text, NULL, 10) : 0;
	run->started = read_text(row);
	run->nr_trials_planned = read_int64(row);
	snprintf(status, 16, "%.15s", read_name(row));
	*harness_ns = read_real(row);
}

int nslab_store_run(struct nslab_store *store, struct nslab_run_record *run, char status[16],
		    double *harness_ns, struct nslab_err *err)
{
	struct read_row row = {.texts = store->texts};
	int rc = nslab_store_prepare(
		store,
		"SELECT uuid, run.name, label, host.name, cpu_model, kernel, nr_packages, nr_nodes,"
		" nr_pus, memory_bytes, is_simulated, placement_unavailable, json, hwloc_xml,"
		" plan_json, plan_text, argv, tool_version, build_json, env_json, statistic, seed,"
		" started, nr_trials_planned, status, harness_ns FROM run"
		" JOIN host ON host.id = run.host JOIN topology ON topology.id = run.topology"
		" ORDER BY run.id LIMIT 1",
		&row.statement, err);

	if (rc)
		return rc;
	rc = nslab_store_step(store, row.statement, err);
	if (!rc)
		rc = nslab_fail(err, -EINVAL,
				"'%s' holds no run: it was stopped before the first record",
				store->path);
	if (rc < 0)
		goto out;
	memset(run, 0, sizeof(*run));
	read_run_row(&row, run, status, harness_ns);
	rc = row.is_out_of_memory ? read_no_memory(store, err) : 0;
out:
	sqlite3_finalize(row.statement);
	return rc;
}

static void read_cell_row(struct read_row *row, struct nslab_cell_values *values)
{
	struct nslab_cell_record *cell = &values->cell;

	values->id = read_int64(row);
	cell->key = read_name(row);
	cell->family = read_name(row);
	cell->arm = read_name(row);
	cell->workload = read_text(row);
	cell->allocator = read_text(row);
	cell->version = read_text(row);
	cell->entry = read_text(row);
	cell->placement = read_text(row);
	cell->pus = read_text(row);
	cell->memory = read_text(row);
	cell->threads = read_int(row);
	cell->size_bytes = read_int64(row);
	cell->params_json = read_text(row);
	cell->is_baseline = read_int64(row) != 0;
	cell->is_twin = read_int64(row) != 0;
	cell->skipped = read_text(row);
	values->rss_bytes = NAN;
	values->held_bytes = NAN;
	values->hit_rate = NAN;
}

/* Room for one more element of `bytes` in an array of nr; doubles at powers of two. */
static void *read_grow(void *array, size_t nr, size_t bytes)
{
	if (nr & (nr - 1))
		return array;
	return realloc(array, (nr ? 2 * nr : 1) * bytes);
}

static int read_cell_rows(struct nslab_store *store, struct nslab_cell_list *list,
			  struct nslab_err *err)
{
	struct read_row row = {.texts = list->texts};
	struct nslab_cell_values *cells;
	int rc = nslab_store_prepare(
		store,
		"SELECT id, key, family, arm, workload, allocator, version, entry, placement, pus,"
		" memory, threads, size_bytes, params_json, is_baseline, is_twin, skipped FROM cell"
		" ORDER BY id",
		&row.statement, err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(store, row.statement, err)) > 0) {
		cells = read_grow(list->cells, list->nr, sizeof(*cells));
		if (!cells) {
			rc = read_no_memory(store, err);
			break;
		}
		list->cells = cells;
		memset(&cells[list->nr], 0, sizeof(*cells));
		row.at = 0;
		read_cell_row(&row, &cells[list->nr++]);
	}
	sqlite3_finalize(row.statement);
	return !rc && row.is_out_of_memory ? read_no_memory(store, err) : rc;
}

/* Values of the cell that is being read. */
struct read_trials {
	struct nslab_cell_list *list;
	size_t at;	     /* cell */
	double *rss, *held;  /* of its valid trials */
	size_t nr_rss;	     /* entries of both */
	int64_t last_block;  /* block of the row before, of this cell */
	bool has_last_block; /* it had one */
};

static void read_cell_done(struct read_trials *trials)
{
	struct nslab_cell_values *cell = &trials->list->cells[trials->at];

	cell->rss_bytes = nslab_median(trials->rss, trials->nr_rss);
	cell->held_bytes = nslab_median(trials->held, trials->nr_rss);
	trials->nr_rss = 0;
	trials->has_last_block = false;
	trials->at++;
}

/* A later valid trial of the same block takes the place of the earlier one. */
static int read_trial_slot(struct read_trials *trials, int block)
{
	struct nslab_cell_values *cell = &trials->list->cells[trials->at];
	int *blocks;
	double *values;

	if (cell->nr && cell->blocks[cell->nr - 1] == block)
		return 0;
	blocks = read_grow(cell->blocks, cell->nr, sizeof(*blocks));
	if (blocks)
		cell->blocks = blocks;
	values = read_grow(cell->ns_per_op, cell->nr, sizeof(*values));
	if (values)
		cell->ns_per_op = values;
	if (!blocks || !values)
		return -ENOMEM;
	values = read_grow(trials->rss, trials->nr_rss, sizeof(*values));
	if (!values)
		return -ENOMEM;
	trials->rss = values;
	values = read_grow(trials->held, trials->nr_rss, sizeof(*values));
	if (!values)
		return -ENOMEM;
	trials->held = values;
	trials->nr_rss++;
	cell->nr++;
	return 0;
}

static int read_valid_trial(struct read_trials *trials, struct read_row *row, int block)
{
	struct nslab_cell_values *cell = &trials->list->cells[trials->at];
	double hit_rate;
	int rc = read_trial_slot(trials, block);

	if (rc)
		return rc;
	cell->blocks[cell->nr - 1] = block;
	cell->ns_per_op[cell->nr - 1] = read_real(row);
	trials->rss[trials->nr_rss - 1] = read_real(row);
	trials->held[trials->nr_rss - 1] = read_real(row);
	hit_rate = read_real(row);
	cell->hit_rate = fmin(cell->hit_rate, hit_rate);
	return 0;
}

static int read_trial_row(struct read_trials *trials, struct read_row *row)
{
	struct nslab_cell_list *list = trials->list;
	struct nslab_cell_values *cell;
	int64_t id = read_int64(row);
	int block;

	while (trials->at < list->nr && list->cells[trials->at].id < id)
		read_cell_done(trials);
	if (trials->at == list->nr || list->cells[trials->at].id != id)
		return 0; /* a trial of no cell: only in a crafted file */
	cell = &list->cells[trials->at];
	block = read_int(row);
	if (!trials->has_last_block || trials->last_block != block)
		list->nr_trials++;
	trials->has_last_block = true;
	trials->last_block = block;
	if (read_int64(row))
		return read_valid_trial(trials, row, block);
	row->at += 4;
	cell->nr_failed++;
	if (!cell->cause)
		cell->cause = read_text(row);
	return row->is_out_of_memory ? -ENOMEM : 0;
}

static int read_trials(struct nslab_store *store, struct nslab_cell_list *list,
		       struct nslab_err *err)
{
	struct read_trials trials = {.list = list};
	struct read_row row = {.texts = list->texts};
	int rc = nslab_store_prepare(
		store,
		"SELECT cell, block, is_valid AND ns_per_op > 0 AND ns_per_op < 1e300, ns_per_op,"
		" rss_bytes, held_bytes, page_hit_rate, coalesce(taint, 'no time was measured')"
		" FROM trial WHERE is_valid OR NOT EXISTS (SELECT 1 FROM trial later WHERE"
		" later.cell = trial.cell AND later.block = trial.block AND"
		" later.attempt > trial.attempt) ORDER BY cell, block, attempt, id",
		&row.statement, err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(store, row.statement, err)) > 0) {
		row.at = 0;
		rc = read_trial_row(&trials, &row);
		if (rc) {
			rc = read_no_memory(store, err);
			break;
		}
	}
	while (trials.at < list->nr)
		read_cell_done(&trials);
	sqlite3_finalize(row.statement);
	free(trials.rss);
	free(trials.held);
	return rc;
}

void nslab_cell_list_free(struct nslab_cell_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->nr; i++) {
		free(list->cells[i].blocks);
		free(list->cells[i].ns_per_op);
		free(list->cells[i].counters);
	}
	free(list->cells);
	nslab_texts_free(list->texts);
	free(list);
}

int nslab_store_cells(struct nslab_store *store, struct nslab_cell_list **result,
		      struct nslab_err *err)
{
	struct nslab_cell_list *list = calloc(1, sizeof(*list));
	int rc;

	if (list)
		list->texts = nslab_texts_create();
	if (!list || !list->texts) {
		rc = read_no_memory(store, err);
		goto free;
	}
	rc = read_cell_rows(store, list, err);
	if (!rc)
		rc = read_trials(store, list, err);
	if (!rc)
		rc = nslab_store_noise(store, list->texts, &list->noise, err);
	if (rc)
		goto free;
	*result = list;
	return 0;
free:
	nslab_cell_list_free(list);
	return rc;
}

/*
 * One row for each trial and name. A value of the whole trial (worker -1) stands before a sum over
 * workers, and a sum is only there when every worker has a value.
 */
static const char read_counter_sql[] =
	"WITH ops AS (SELECT trial, total(ops) AS n FROM trial_window WHERE is_counted"
	" GROUP BY trial),"
	" stat AS (SELECT s.trial, j.key AS name, total(j.value) AS value FROM cachestat s,"
	" json_each(CASE WHEN json_valid(s.stat_json) THEN s.stat_json ELSE '{}' END) j"
	" WHERE j.type IN ('integer', 'real') GROUP BY s.trial, j.key"
	" UNION ALL SELECT trial, 'nr_slabs', total(nr_slabs) FROM cachestat GROUP BY trial"
	" UNION ALL SELECT trial, 'nr_pages', total(nr_pages) FROM cachestat GROUP BY trial),"
	" value AS (SELECT trial, name, min(source) AS source,"
	" CASE WHEN max(CASE WHEN worker < 0 THEN value END) IS NOT NULL"
	" THEN max(CASE WHEN worker < 0 THEN value END)"
	" WHEN count(value) = count(*) THEN total(value) END AS value,"
	" min(CASE WHEN enabled_ns > 0 THEN 1.0 * running_ns / enabled_ns ELSE 1.0 END) AS running,"
	" min(reason) AS reason FROM counter GROUP BY trial, name"
	" UNION ALL SELECT trial, name, 'slab', value, 1.0, NULL FROM stat)"
	/* a metric is what its formula says; what was simulated is of operations of its own */
	" SELECT t.cell, v.source, v.name, v.value, CASE v.source WHEN 'formula' THEN NULL"
	" WHEN 'simulated' THEN v.value ELSE v.value / nullif(o.n, 0) END, v.running, v.reason"
	" FROM trial t JOIN value v ON v.trial = t.id LEFT JOIN ops o ON o.trial = t.id"
	" WHERE t.is_valid ORDER BY t.cell, v.source, v.name";

/* Values of the counter that is being read. */
struct read_counters {
	struct nslab_cell_list *list;
	size_t at; /* cell */
	double *values, *per_op;
};

static struct nslab_cell_counter *read_counter_last(struct nslab_cell_values *cell)
{
	return cell->nr_counters ? &cell->counters[cell->nr_counters - 1] : NULL;
}

static bool read_is_counter(const struct nslab_cell_counter *counter, const char *source,
			    const char *name)
{
	return counter && !strcmp(counter->name, name) && !strcmp(counter->source, source);
}

/* Turns what was gathered for the last counter of the cell into medians. */
static void read_counter_done(struct read_counters *gathered, struct nslab_cell_values *cell)
{
	struct nslab_cell_counter *counter = read_counter_last(cell);

	if (!counter)
		return;
	counter->value = nslab_median(gathered->values, counter->nr);
	counter->per_op = nslab_median(gathered->per_op, counter->nr);
}

static int read_counter_new(struct read_counters *gathered, struct nslab_cell_values *cell,
			    const char *source, const char *name)
{
	struct nslab_cell_counter *counters;

	read_counter_done(gathered, cell);
	counters = read_grow(cell->counters, cell->nr_counters, sizeof(*counters));
	if (!counters)
		return -ENOMEM;
	cell->counters = counters;
	counters[cell->nr_counters++] =
		(struct nslab_cell_counter){name, source, 0, NAN, NAN, 1.0, NULL};
	return 0;
}

static int read_counter_value(struct read_counters *gathered, struct nslab_cell_counter *counter,
			      double value, double per_op)
{
	double *grown;

	grown = read_grow(gathered->values, counter->nr, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	gathered->values = grown;
	grown[counter->nr] = value;
	grown = read_grow(gathered->per_op, counter->nr, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	gathered->per_op = grown;
	grown[counter->nr++] = per_op;
	return 0;
}

static int read_counter_row(struct read_counters *gathered, struct read_row *row)
{
	struct nslab_cell_list *list = gathered->list;
	int64_t id = read_int64(row);
	struct nslab_cell_counter *counter;
	struct nslab_cell_values *cell;
	const char *source, *name, *reason;
	double value, per_op;
	int rc = 0;

	while (gathered->at < list->nr && list->cells[gathered->at].id < id)
		read_counter_done(gathered, &list->cells[gathered->at++]);
	if (gathered->at == list->nr || list->cells[gathered->at].id != id)
		return 0;
	cell = &list->cells[gathered->at];
	source = read_name(row);
	name = read_name(row);
	if (!read_is_counter(read_counter_last(cell), source, name))
		rc = read_counter_new(gathered, cell, source, name);
	counter = read_counter_last(cell);
	value = read_real(row);
	per_op = read_real(row);
	if (!rc && !isnan(value))
		rc = read_counter_value(gathered, counter, value, per_op);
	if (rc)
		return rc;
	counter->running = fmin(counter->running, read_real(row));
	reason = read_text(row);
	if (!counter->reason)
		counter->reason = reason;
	return row->is_out_of_memory ? -ENOMEM : 0;
}

int nslab_store_counters(struct nslab_store *store, struct nslab_cell_list *list,
			 struct nslab_err *err)
{
	struct read_counters gathered = {.list = list};
	struct read_row row = {.texts = list->texts};
	int rc;

	for (size_t i = 0; i < list->nr; i++)
		list->cells[i].nr_counters = 0;
	rc = nslab_store_prepare(store, read_counter_sql, &row.statement, err);
	if (rc)
		return rc;
	while ((rc = nslab_store_step(store, row.statement, err)) > 0) {
		row.at = 0;
		rc = read_counter_row(&gathered, &row);
		if (rc) {
			rc = read_no_memory(store, err);
			break;
		}
	}
	for (; !rc && gathered.at < list->nr; gathered.at++)
		read_counter_done(&gathered, &list->cells[gathered.at]);
	sqlite3_finalize(row.statement);
	free(gathered.values);
	free(gathered.per_op);
	return rc;
}
