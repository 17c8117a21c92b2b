/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency.c: histograms of single operations read back and merged.
 *
 * One query gives them in the order of the cells; those of one cell's trials are added, bucket by
 * bucket, which is exact, so percentiles are of all values and not means of percentiles. Where a
 * block was run again, its last valid trial counts, as everywhere else.
 *
 * Buckets come from a file that may be damaged: a bucket that does not exist, a count below one,
 * and counts whose sum is not n are an error of one line.
 */
#include "results/latency.h"

#include "results/store_impl.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct latency_reader {
	struct nslab_store *store;
	const struct nslab_cell_list *cells;
	struct nslab_latency_list *list;
	size_t room, cell;
	struct nslab_err *err;
};

void nslab_latency_list_free(struct nslab_latency_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->nr; i++)
		free(list->cells[i].log_overheads);
	free(list->cells);
	nslab_texts_free(list->texts);
	free(list);
}

int nslab_hist_parse(const char *json, struct nslab_hist *hist)
{
	json_t *rows = json ? json_loads(json, 0, NULL) : NULL;
	uint64_t nr = 0;
	int rc = json_is_array(rows) ? 0 : -EILSEQ;

	for (size_t i = 0; !rc && i < json_array_size(rows); i++) {
		json_int_t bucket, count;

		if (json_unpack(json_array_get(rows, i), "[I, I!]", &bucket, &count) ||
		    bucket < 0 || bucket >= (json_int_t)NSLAB_HIST_BUCKETS || count < 1 ||
		    (uint64_t)count > hist->nr - nr) {
			rc = -EILSEQ;
			break;
		}
		hist->buckets[bucket] += (uint64_t)count;
		nr += (uint64_t)count;
	}
	json_decref(rows);
	return !rc && nr != hist->nr ? -EILSEQ : rc;
}

enum latency_column {
	COLUMN_CELL,
	COLUMN_TRIAL,
	COLUMN_NAME,
	COLUMN_UNIT,
	COLUMN_SCHEME,
	COLUMN_N,
	COLUMN_MIN,
	COLUMN_MAX,
	COLUMN_CLOCK,
	COLUMN_CLOCK_NS,
	COLUMN_GAP,
	COLUMN_OPS,
	COLUMN_OVERHEAD,
	COLUMN_BUCKETS,
};

static const char latency_sql[] =
	"SELECT t.cell, t.id, h.name, h.unit, h.scheme, h.n, h.min, h.max, h.clock, h.clock_ns,"
	" h.mean_gap, h.ops_per_value, h.overhead, h.buckets_json FROM hist h JOIN trial t ON"
	" t.id = h.trial WHERE t.is_valid AND t.id = (SELECT max(u.id) FROM trial u WHERE"
	" u.cell = t.cell AND u.block = t.block AND u.is_valid) ORDER BY t.cell, h.name, t.block";

static const char *column_text(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text ? text : "";
}

static uint64_t column_count(sqlite3_stmt *row, int column)
{
	int64_t value = sqlite3_column_int64(row, column);

	return value > 0 ? (uint64_t)value : 0;
}

/* The entry that the row belongs to: the last one, or a new one. NULL when memory is out. */
static struct nslab_cell_latency *latency_entry(struct latency_reader *r, sqlite3_stmt *row)
{
	struct nslab_latency_list *list = r->list;
	struct nslab_cell_latency *last = list->nr ? &list->cells[list->nr - 1] : NULL;
	const char *name = column_text(row, COLUMN_NAME);
	const char *unit = column_text(row, COLUMN_UNIT);
	const char *clock = column_text(row, COLUMN_CLOCK);

	if (last && last->cell == r->cell && !strcmp(last->name, name))
		return last;
	if (list->nr == r->room) {
		struct nslab_cell_latency *more;

		r->room = r->room ? 2 * r->room : 16;
		more = realloc(list->cells, r->room * sizeof(*more));
		if (!more)
			return NULL;
		list->cells = more;
	}
	last = &list->cells[list->nr];
	memset(last, 0, sizeof(*last));
	last->cell = r->cell;
	last->name = nslab_texts_keep(list->texts, name, strlen(name));
	last->unit = nslab_texts_keep(list->texts, unit, strlen(unit));
	last->clock = nslab_texts_keep(list->texts, clock, strlen(clock));
	if (!last->name || !last->unit || !last->clock)
		return NULL;
	list->nr++;
	return last;
}

static int latency_overhead(struct nslab_cell_latency *entry, sqlite3_stmt *row)
{
	double overhead = sqlite3_column_double(row, COLUMN_OVERHEAD), *more;

	if (sqlite3_column_type(row, COLUMN_OVERHEAD) == SQLITE_NULL || !(overhead > -1))
		return 0;
	more = realloc(entry->log_overheads, (entry->nr_overheads + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	entry->log_overheads = more;
	more[entry->nr_overheads++] = log1p(overhead);
	return 0;
}

/* A running mean. */
static void mean_add(double *mean, size_t nr, double value)
{
	*mean += (value - *mean) / (double)nr;
}

static int latency_add(struct latency_reader *r, sqlite3_stmt *row)
{
	struct nslab_cell_latency *entry = latency_entry(r, row);
	struct nslab_hist *hist = entry ? calloc(1, sizeof(*hist)) : NULL;
	const char *scheme = column_text(row, COLUMN_SCHEME);
	int rc;

	if (!hist)
		return nslab_fail(r->err, -ENOMEM, "cannot read histograms: out of memory");
	hist->nr = column_count(row, COLUMN_N);
	hist->min = column_count(row, COLUMN_MIN);
	hist->max = column_count(row, COLUMN_MAX);
	rc = strcmp(scheme, NSLAB_HIST_SCHEME)
		     ? -EILSEQ
		     : nslab_hist_parse(column_text(row, COLUMN_BUCKETS), hist);
	if (rc) {
		free(hist);
		return nslab_fail(
			r->err, rc, "cannot read '%s': the histogram of trial %lld is damaged",
			r->store->path, (long long)sqlite3_column_int64(row, COLUMN_TRIAL));
	}
	nslab_hist_merge(&entry->hist, hist);
	free(hist);
	entry->nr_trials++;
	mean_add(&entry->clock_ns, entry->nr_trials, sqlite3_column_double(row, COLUMN_CLOCK_NS));
	mean_add(&entry->mean_gap, entry->nr_trials, sqlite3_column_double(row, COLUMN_GAP));
	mean_add(&entry->ops_per_value, entry->nr_trials, sqlite3_column_double(row, COLUMN_OPS));
	return latency_overhead(entry, row);
}

static int latency_read(struct latency_reader *r)
{
	sqlite3_stmt *statement;
	int rc = nslab_store_prepare(r->store, latency_sql, &statement, r->err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(r->store, statement, r->err)) > 0) {
		int64_t id = sqlite3_column_int64(statement, COLUMN_CELL);

		while (r->cell < r->cells->nr && r->cells->cells[r->cell].id != id)
			r->cell++;
		if (r->cell == r->cells->nr) {
			rc = 0;
			break;
		}
		rc = latency_add(r, statement);
		if (rc)
			break;
	}
	sqlite3_finalize(statement);
	return rc;
}

int nslab_store_latencies(struct nslab_store *store, const struct nslab_cell_list *cells,
			  struct nslab_latency_list **list, struct nslab_err *err)
{
	struct latency_reader r = {.store = store, .cells = cells, .err = err};
	int rc = 0;

	r.list = calloc(1, sizeof(*r.list));
	if (r.list)
		r.list->texts = nslab_texts_create();
	if (!r.list || !r.list->texts)
		rc = nslab_fail(err, -ENOMEM, "cannot read histograms: out of memory");
	else if (nslab_store_has_table(store, "hist"))
		rc = latency_read(&r);
	if (rc)
		nslab_latency_list_free(r.list);
	else
		*list = r.list;
	return rc;
}
