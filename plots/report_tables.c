/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report_tables.c: the tables of a report.
 *
 * One row is one fact with the cell that it is about, so that a filter finds it alone. The cell is
 * its family without what all families say alike, which stands above the tables. The table of
 * results has every cell, also those without values, with the reason; the others have what was
 * measured and are folded away where few look at them. '-' is "not measured", never 0.
 *
 * Left out: whatever is longer than a page can hold; the files beside the report have it.
 */
#include "plots/report_doc.h"
#include "results/stats.h"
#include "results/table.h"
#include "results/text.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

#define TABLES_COMMON_BYTES 1024

static void put(struct nslab_doc *doc, const char *text)
{
	doc->ops->cell(doc, text, false);
}

static void put_number(struct nslab_doc *doc, struct nslab_cell_text number)
{
	doc->ops->cell(doc, number.text, true);
}

static void put_count(struct nslab_doc *doc, uint64_t nr)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, nr);
	doc->ops->cell(doc, text, true);
}

/* As many digits as carry information; '-' for NaN. */
static void put_value(struct nslab_doc *doc, double value)
{
	struct nslab_cell_text text = {"-"};

	if (isfinite(value))
		snprintf(text.text, sizeof(text.text), "%.5g", value);
	put_number(doc, text);
}

/* The two columns that say which cell a row is about. */
static void put_cell_names(struct nslab_doc *doc, const struct nslab_cell_record *cell,
			   const char *common)
{
	char text[1024];

	nslab_report_short(cell->family, common, text, sizeof(text));
	put(doc, text);
	nslab_arm_text(cell, text, sizeof(text));
	put(doc, text);
}

/* ---- results ---- */

static const struct nslab_doc_column results_columns[] = {
	{"cell", "what was done, without what all cells share", false},
	{"arm", "what was compared; A: the baseline, A': the baseline a second time", false},
	{"ns/op", "median over trials", true},
	{"spread", "1.48 MAD of the trials, as a share of the median", true},
	{"n", "trials that count", true},
	{"ratio", "ns/op against the baseline in the same block; below 1 is faster", true},
	{"95 % interval", "of the ratio; there is none below n = 6", true},
	{"is", "faster, slower, same: the whole interval lies beyond or within 1 %", false},
	{"MiB", "memory held at the end", true},
	{"hit", "share of pages on the node that they were asked for", true},
	{"remark", NULL, false},
};

/* Nobody needs a column without a word. */
static bool results_has_remarks(const struct nslab_cell_list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (!list->cells[i].nr || list->cells[i].nr_failed)
			return true;
	}
	return false;
}

static const char *results_word(const struct nslab_contrast *row)
{
	if (!row->cell->nr)
		return "-";
	return row->base == row->cell ? "baseline" : nslab_contrast_word(row);
}

static void results_row(struct nslab_doc *doc, const struct nslab_contrast *row, const char *common,
			bool has_remarks)
{
	const struct nslab_cell_values *cell = row->cell;
	bool has_ratio = row->base && row->base != cell && cell->nr;
	const char *word = results_word(row);
	char cause[600];

	doc->ops->row_begin(doc, !strcmp(word, "baseline") ? "base"
				 : has_ratio && (!strcmp(word, "faster") || !strcmp(word, "slower"))
					 ? word
					 : "");
	put_cell_names(doc, &cell->cell, common);
	put_number(doc, nslab_text_ns(cell->nr ? row->cell_value : NAN));
	put_number(doc, nslab_text_percent(nslab_cell_spread(cell), 0));
	put_count(doc, cell->nr);
	put_number(doc, nslab_text_ratio(has_ratio ? row->ratio : NAN));
	put_number(doc, has_ratio ? nslab_text_interval(row->lo, row->hi)
				  : (struct nslab_cell_text){"-"});
	put(doc, word);
	put_number(doc, nslab_text_mib(cell->held_bytes));
	put_number(doc, nslab_text_percent(cell->hit_rate, 0));
	nslab_cell_cause(cell, cause, sizeof(cause));
	if (has_remarks)
		put(doc, cause);
	doc->ops->row_end(doc);
}

void nslab_report_results(const struct nslab_report *report, struct nslab_doc *doc)
{
	const struct nslab_cell_list *list = report->run->list;
	bool has_remarks = results_has_remarks(list);
	const struct nslab_doc_table table = {.id = "t-results",
					      .caption = "Results, one row for each cell",
					      .columns = results_columns,
					      .nr_columns = NR(results_columns) - !has_remarks,
					      .nr_rows = list->nr,
					      .whole_file = NSLAB_REPORT_CELLS};
	char common[TABLES_COMMON_BYTES];

	nslab_report_common(list, common, sizeof(common));
	doc->ops->table_begin(doc, &table);
	for (size_t i = 0; i < list->nr; i++)
		results_row(doc, &report->comparison.rows[report->order[i]], common, has_remarks);
	doc->ops->table_end(doc);
}

/* ---- single operations ---- */

static const struct nslab_doc_column latency_columns[] = {
	{"cell", NULL, false},
	{"arm", NULL, false},
	{"of", "what one value is", false},
	{"unit", NULL, false},
	{"p50", NULL, true},
	{"p90", NULL, true},
	{"p99", NULL, true},
	{"p99.9", NULL, true},
	{"p99.99", "- where fewer than 10 values lie beyond", true},
	{"max", NULL, true},
	{"values", NULL, true},
	{"clock", "one reading of it, part of every value", true},
};

static void latency_row(struct nslab_doc *doc, const struct nslab_cell_latency *entry,
			const struct nslab_cell_record *cell, const char *common)
{
	doc->ops->row_begin(doc, "");
	put_cell_names(doc, cell, common);
	put(doc, entry->name ? entry->name : "-");
	put(doc, entry->unit ? entry->unit : "-");
	for (int q = 0; q < NSLAB_LATENCY_QUANTILES; q++)
		put_value(doc, nslab_hist_quantile(&entry->hist, nslab_latency_quantiles[q]));
	put_value(doc, entry->hist.nr ? (double)entry->hist.max : NAN);
	put_count(doc, entry->hist.nr);
	put_value(doc, entry->clock_ns);
	doc->ops->row_end(doc);
}

void nslab_report_latencies(const struct nslab_report *report, struct nslab_doc *doc)
{
	const struct nslab_latency_list *list = report->latencies;
	const struct nslab_doc_table table = {.id = "t-latency",
					      .caption = "Single operations",
					      .columns = latency_columns,
					      .nr_columns = NR(latency_columns),
					      .nr_rows = list->nr};
	char common[TABLES_COMMON_BYTES];

	if (!list->nr)
		return;
	nslab_report_common(report->run->list, common, sizeof(common));
	doc->ops->table_begin(doc, &table);
	for (size_t i = 0; i < list->nr; i++)
		latency_row(doc, &list->cells[i],
			    &report->run->list->cells[list->cells[i].cell].cell, common);
	doc->ops->table_end(doc);
}

/* ---- what workloads told ---- */

static const struct nslab_doc_column figures_columns[] = {
	{"cell", NULL, false},	{"arm", NULL, false},
	{"count", NULL, false}, {"value", "median over trials", true},
	{"unit", NULL, false},	{"n", "trials that told it", true},
};

void nslab_report_figures(const struct nslab_report *report, struct nslab_doc *doc)
{
	const struct nslab_figure_list *list = report->figures;
	const struct nslab_doc_table table = {.id = "t-figures",
					      .caption = "What the workloads counted",
					      .columns = figures_columns,
					      .nr_columns = NR(figures_columns),
					      .nr_rows = list->nr_figures,
					      .is_folded = true};
	char common[TABLES_COMMON_BYTES];

	if (!list->nr_figures)
		return;
	nslab_report_common(report->run->list, common, sizeof(common));
	doc->ops->table_begin(doc, &table);
	for (size_t i = 0; i < list->nr_figures; i++) {
		const struct nslab_cell_figure *figure = &list->figures[i];

		doc->ops->row_begin(doc, "");
		put_cell_names(doc, &report->run->list->cells[figure->cell].cell, common);
		put(doc, figure->name);
		put_value(doc, figure->value);
		put(doc, figure->unit ? figure->unit : "");
		put_count(doc, figure->nr);
		doc->ops->row_end(doc);
	}
	doc->ops->table_end(doc);
}

/* ---- counters ---- */

static const struct nslab_doc_column counters_columns[] = {
	{"cell", NULL, false},
	{"arm", NULL, false},
	{"counter", NULL, false},
	{"source", "slab: statistics of the caches", false},
	{"per op", "median over trials", true},
	{"value", "median over trials, of all workers", true},
	{"n", "trials that have it", true},
	{"counted", "least share of the time that it was on the hardware", true},
	{"remark", NULL, false},
};

static void counters_row(struct nslab_doc *doc, const struct nslab_cell_counter *counter,
			 const struct nslab_cell_record *cell, const char *common)
{
	doc->ops->row_begin(doc, "");
	put_cell_names(doc, cell, common);
	put(doc, counter->name);
	put(doc, counter->source ? counter->source : "");
	put_value(doc, counter->per_op);
	put_value(doc, counter->value);
	put_count(doc, counter->nr);
	put_number(doc, nslab_text_percent(counter->nr ? counter->running : NAN, 0));
	put(doc, counter->reason ? counter->reason : "");
	doc->ops->row_end(doc);
}

void nslab_report_counters(const struct nslab_report *report, struct nslab_doc *doc)
{
	const struct nslab_cell_list *list = report->run->list;
	struct nslab_doc_table table = {.id = "t-counters",
					.caption = "Counters",
					.columns = counters_columns,
					.nr_columns = NR(counters_columns),
					.is_folded = true};
	char common[TABLES_COMMON_BYTES];

	for (size_t i = 0; i < list->nr; i++)
		table.nr_rows += list->cells[i].nr_counters;
	if (!table.nr_rows)
		return;
	nslab_report_common(list, common, sizeof(common));
	doc->ops->table_begin(doc, &table);
	for (size_t i = 0; i < list->nr; i++) {
		const struct nslab_cell_values *cell = &list->cells[report->order[i]];

		for (size_t k = 0; k < cell->nr_counters; k++)
			counters_row(doc, &cell->counters[k], &cell->cell, common);
	}
	doc->ops->table_end(doc);
}

/* ---- the host ---- */

#define PROBES_VALUE_MAX 160 /* bytes of a value; some are whole files */

static const struct nslab_doc_column probes_columns[] = {
	{"probe", NULL, false},
	{"state", "record: there is no better or worse", false},
	{"before the run", NULL, false},
	{"after the run", "where it differs", false},
	{"why", NULL, false},
};

static void probes_value(json_t *probe, char *text, size_t text_bytes)
{
	const char *value = json_string_value(json_object_get(probe, "value"));
	int len = value ? (int)strlen(value) : 0;

	if (len <= PROBES_VALUE_MAX) {
		snprintf(text, text_bytes, "%s", value ? value : "-");
		return;
	}
	len = PROBES_VALUE_MAX;
	while (len && ((unsigned char)value[len] & 0xc0) == 0x80)
		len--;
	snprintf(text, text_bytes, "%.*s ...", len, value);
}

static void probes_row(struct nslab_doc *doc, const char *name, json_t *before, json_t *after)
{
	const char *state = json_string_value(json_object_get(before, "state"));
	const char *why = json_string_value(json_object_get(before, "why"));
	bool has_changed =
		!json_equal(json_object_get(before, "value"), json_object_get(after, "value"));
	char value[PROBES_VALUE_MAX + 8];
	bool is_known = state && (!strcmp(state, "warn") || !strcmp(state, "refuse") ||
				  !strcmp(state, "ok"));

	doc->ops->row_begin(doc, is_known ? state : "");
	put(doc, name);
	put(doc, state ? state : "-");
	probes_value(before, value, sizeof(value));
	put(doc, value);
	probes_value(after, value, sizeof(value));
	put(doc, after && has_changed ? value : "");
	put(doc, why ? why : "");
	doc->ops->row_end(doc);
}

void nslab_report_probes(const struct nslab_report *report, struct nslab_doc *doc)
{
	const char *text = report->run->run.env_json;
	json_t *env = text ? json_loads(text, 0, NULL) : NULL;
	json_t *before = json_object_get(json_object_get(env, "before"), "probes");
	json_t *after = json_object_get(json_object_get(env, "after"), "probes");
	const struct nslab_doc_table table = {.id = "t-host",
					      .caption = "Probes of the host",
					      .columns = probes_columns,
					      .nr_columns = NR(probes_columns),
					      .nr_rows = json_object_size(before),
					      .is_folded = true};
	const char *name;
	json_t *probe;

	if (table.nr_rows) {
		doc->ops->table_begin(doc, &table);
		json_object_foreach(before, name, probe)
			probes_row(doc, name, probe, json_object_get(after, name));
		doc->ops->table_end(doc);
	}
	json_decref(env);
}
