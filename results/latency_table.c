/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency_table.c: percentiles of single operations, as a table for a mail and as CSV.
 *
 * A family has one block: arms in rows, p50 to p99.99, the largest value and the number of values.
 * A percentile with fewer than 10 values beyond it is '-'. Below the rows stands what is part of
 * the values (the clock) and what sampling cost, as the median of the trials' contrasts with an
 * interval where there are enough trials. Times are as measured: nothing is subtracted.
 */
#include "results/latency.h"

#include "results/encode.h"
#include "results/stats.h"
#include "results/table.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define LATENCY_COLUMN_WIDTH 8
#define LATENCY_COUNT_WIDTH  10

const double nslab_latency_quantiles[NSLAB_LATENCY_QUANTILES] = {0.5, 0.9, 0.99, 0.999, 0.9999};
const char *const nslab_latency_words[NSLAB_LATENCY_QUANTILES] = {"p50", "p90", "p99", "p99.9",
								  "p99.99"};

static int arm_width(int columns)
{
	return columns - (NSLAB_LATENCY_QUANTILES + 1) * LATENCY_COLUMN_WIDTH - LATENCY_COUNT_WIDTH;
}

static void put_value(double ns, FILE *out)
{
	char text[32];

	if (isnan(ns))
		snprintf(text, sizeof(text), "-");
	else if (ns < 1e6)
		snprintf(text, sizeof(text), "%.0f", ns);
	else
		snprintf(text, sizeof(text), "%.3gms", ns / 1e6);
	fprintf(out, "%*s", LATENCY_COLUMN_WIDTH, text);
}

static void put_head(const char *unit, FILE *out, int columns)
{
	char title[64];

	snprintf(title, sizeof(title), "one operation, %.16s", unit);
	nslab_text_put(out, title, arm_width(columns));
	for (int q = 0; q < NSLAB_LATENCY_QUANTILES; q++)
		fprintf(out, "%*s", LATENCY_COLUMN_WIDTH, nslab_latency_words[q]);
	fprintf(out, "%*s%*s\n", LATENCY_COLUMN_WIDTH, "max", LATENCY_COUNT_WIDTH, "values");
}

static void put_row(const struct nslab_cell_latency *entry, const struct nslab_cell_record *cell,
		    FILE *out, int columns)
{
	char arm[256];
	int width = arm_width(columns);

	nslab_arm_text(cell, arm, sizeof(arm));
	arm[width - 1 < (int)sizeof(arm) ? width - 1 : (int)sizeof(arm) - 1] = '\0';
	nslab_text_put(out, arm, width);
	for (int q = 0; q < NSLAB_LATENCY_QUANTILES; q++)
		put_value(nslab_hist_quantile(&entry->hist, nslab_latency_quantiles[q]), out);
	put_value(entry->hist.nr ? (double)entry->hist.max : NAN, out);
	fprintf(out, "%*" PRIu64 "\n", LATENCY_COUNT_WIDTH, entry->hist.nr);
}

/* "sampling costs +0.3% [-0.1%, +0.7%] of the time (n = 6)" */
static void put_overhead(const struct nslab_cell_latency *entry, char *text, size_t bytes)
{
	struct nslab_paired paired;
	struct nslab_cell_text estimate, interval;

	if (!entry->nr_overheads ||
	    nslab_paired_compare(entry->log_overheads, entry->nr_overheads, 0.95, &paired)) {
		snprintf(text, bytes, "what sampling costs is not known");
		return;
	}
	estimate = nslab_text_percent(expm1(paired.estimate), 1);
	interval = nslab_text_change(expm1(paired.lo), expm1(paired.hi));
	snprintf(text, bytes, "sampling costs %s%s%s of the time (n = %zu)", estimate.text,
		 isnan(paired.lo) ? "" : " ", isnan(paired.lo) ? "" : interval.text,
		 entry->nr_overheads);
}

static void put_foot(const struct nslab_cell_latency *entry, const struct nslab_cell_record *cell,
		     FILE *out, int columns)
{
	char overhead[160], ops[96] = "", text[768], arm[256];

	nslab_arm_text(cell, arm, sizeof(arm));
	put_overhead(entry, overhead, sizeof(overhead));
	if (entry->ops_per_value > 1.001)
		snprintf(ops, sizeof(ops), "; a value is of %.1f operations", entry->ops_per_value);
	snprintf(text, sizeof(text),
		 "%s: values hold the clock's %.0f ns (%.32s); one in %.0f is timed; %s%s", arm,
		 entry->clock_ns, entry->clock, entry->mean_gap + 1, overhead, ops);
	nslab_text_fold(out, "", text, 2, columns);
}

/* The entries from..to are of one family. */
static void put_family(const struct nslab_latency_list *list, const struct nslab_cell_list *cells,
		       size_t from, size_t to, FILE *out, int columns)
{
	fputc('\n', out);
	nslab_text_fold(out, "", cells->cells[list->cells[from].cell].cell.family, 0, columns);
	put_head(list->cells[from].unit, out, columns);
	for (size_t i = from; i < to; i++)
		put_row(&list->cells[i], &cells->cells[list->cells[i].cell].cell, out, columns);
	for (size_t i = from; i < to; i++)
		put_foot(&list->cells[i], &cells->cells[list->cells[i].cell].cell, out, columns);
}

void nslab_latency_table(const struct nslab_latency_list *list, const struct nslab_cell_list *cells,
			 FILE *out, int columns)
{
	for (size_t from = 0, to; from < list->nr; from = to) {
		const char *family = cells->cells[list->cells[from].cell].cell.family;

		for (to = from + 1; to < list->nr; to++) {
			if (strcmp(cells->cells[list->cells[to].cell].cell.family, family))
				break;
		}
		put_family(list, cells, from, to, out, columns);
	}
}

int nslab_latency_print(struct nslab_run_file *run, const char *title, FILE *out, int columns,
			struct nslab_err *err)
{
	struct nslab_latency_list *list;
	int rc = nslab_store_latencies(run->store, run->list, &list, err);

	if (rc)
		return rc;
	if (list->nr)
		fprintf(out, "\n%s\n", title);
	nslab_latency_table(list, run->list, out, columns);
	nslab_latency_list_free(list);
	return 0;
}

static void csv_entry(const struct nslab_cell_latency *entry, const struct nslab_cell_record *cell,
		      FILE *out)
{
	double overhead = NAN;

	if (entry->nr_overheads)
		overhead = expm1(nslab_median(entry->log_overheads, entry->nr_overheads));
	nslab_csv_text(out, cell->family, ',');
	nslab_csv_text(out, cell->arm, ',');
	fprintf(out, "%d,", cell->is_twin);
	nslab_csv_text(out, entry->name, ',');
	nslab_csv_text(out, entry->unit, ',');
	fprintf(out, "%zu,%" PRIu64 ",", entry->nr_trials, entry->hist.nr);
	for (int q = 0; q < NSLAB_LATENCY_QUANTILES; q++)
		nslab_csv_real(out, nslab_hist_quantile(&entry->hist, nslab_latency_quantiles[q]),
			       ',');
	nslab_csv_real(out, entry->hist.nr ? (double)entry->hist.max : NAN, ',');
	nslab_csv_text(out, entry->clock, ',');
	nslab_csv_real(out, entry->clock_ns, ',');
	nslab_csv_real(out, entry->mean_gap, ',');
	nslab_csv_real(out, entry->ops_per_value, ',');
	nslab_csv_real(out, overhead, '\n');
}

int nslab_latency_csv(const struct nslab_latency_list *list, const struct nslab_cell_list *cells,
		      FILE *out)
{
	fputs("family,arm,is_twin,name,unit,trials,values", out);
	for (int q = 0; q < NSLAB_LATENCY_QUANTILES; q++)
		fprintf(out, ",%s", nslab_latency_words[q]);
	fputs(",max,clock,clock_ns,mean_gap,ops_per_value,overhead\n", out);
	for (size_t i = 0; i < list->nr; i++)
		csv_entry(&list->cells[i], &cells->cells[list->cells[i].cell].cell, out);
	return ferror(out) ? -EIO : 0;
}
