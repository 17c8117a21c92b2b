/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare_print.c: a comparison as text, as JSON and as CSV.
 *
 * The three show the same rows in the same order, so that a script and a reader never disagree. The
 * text keeps to the given width; JSON and CSV carry every figure, with null or an empty field for
 * what does not exist. Text from the file is escaped for the format it goes to. Left out: colour
 * and links.
 */
#include "results/compare.h"
#include "results/encode.h"
#include "results/table.h"
#include "results/text.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRINT_ARM_WIDTH 17

/* NULL when the cell has its values. */
static const char *print_cause(const struct nslab_cell_values *cell)
{
	if (cell->nr)
		return NULL;
	return cell->cell.skipped ? cell->cell.skipped : cell->cause;
}

static void print_arms_row(const struct nslab_contrast *row, FILE *out)
{
	if (row->base == row->cell) {
		fprintf(out, " %8s  baseline, n = %zu\n", nslab_text_ns(row->cell_value).text,
			row->cell->nr);
		return;
	}
	fprintf(out, " %8s %7s %18s %3zu", nslab_text_ns(row->cell_value).text,
		nslab_text_percent(row->ratio - 1.0, 1).text,
		nslab_text_change(row->lo - 1.0, row->hi - 1.0).text, row->paired.n);
	if (isnan(row->paired.p))
		fprintf(out, " %6s", "-");
	else
		fprintf(out, " %6.4f", row->paired.p);
	fprintf(out, " %5s %s\n", nslab_text_percent(expm1(row->paired.mde), 0).text,
		nslab_contrast_word(row));
}

static struct nslab_cell_text print_value(enum nslab_compare_mode mode, double value)
{
	return mode == NSLAB_COMPARE_RATIOS ? nslab_text_ratio(value) : nslab_text_ns(value);
}

static void print_two_row(enum nslab_compare_mode mode, const struct nslab_contrast *row, FILE *out)
{
	fprintf(out, " %9s %9s %7s %18s %3zu %s\n", print_value(mode, row->base_value).text,
		print_value(mode, row->cell_value).text,
		nslab_text_percent(row->ratio - 1.0, 1).text,
		nslab_text_change(row->lo - 1.0, row->hi - 1.0).text, row->paired.n,
		nslab_contrast_word(row));
}

/* What is missing, on either side; told once when both sides miss it for one reason. */
static void print_causes(const struct nslab_comparison *comparison,
			 const struct nslab_contrast *row, FILE *out, int columns)
{
	const char *in_a = row->base ? print_cause(row->base) : NULL;
	const char *in_b = print_cause(row->cell);

	if (comparison->mode == NSLAB_COMPARE_ARMS) {
		nslab_print_cause(row->cell, "", out, columns);
	} else if (in_a && in_b && !strcmp(in_a, in_b)) {
		nslab_print_cause(row->cell, "in both ", out, columns);
	} else {
		nslab_print_cause(row->base, "in A ", out, columns);
		nslab_print_cause(row->cell, "in B ", out, columns);
	}
}

static void print_row(const struct nslab_comparison *comparison, const struct nslab_contrast *row,
		      FILE *out, int columns)
{
	bool is_one = comparison->mode == NSLAB_COMPARE_ARMS;
	char arm[256];

	if (row->cell->nr && (is_one || row->base->nr)) {
		nslab_arm_text(&row->cell->cell, arm, sizeof(arm));
		nslab_text_put(out, arm, PRINT_ARM_WIDTH);
		if (strlen(arm) > PRINT_ARM_WIDTH)
			fprintf(out, "\n%*s", PRINT_ARM_WIDTH, "");
		if (is_one)
			print_arms_row(row, out);
		else
			print_two_row(comparison->mode, row, out);
	}
	print_causes(comparison, row, out, columns);
}

static void print_family(enum nslab_compare_mode mode, const char *family, FILE *out, int columns)
{
	fputc('\n', out);
	nslab_text_fold(out, "", family, 0, columns);
	if (mode == NSLAB_COMPARE_ARMS)
		fprintf(out, "%-*s %8s %7s %18s %3s %6s %5s %s\n", PRINT_ARM_WIDTH, "arm", "ns/op",
			"change", "95 % interval", "n", "p", "MDE", "is");
	else
		fprintf(out, "%-*s %9s %9s %7s %18s %3s %s\n", PRINT_ARM_WIDTH, "arm",
			mode == NSLAB_COMPARE_TIMES ? "A ns/op" : "A ratio",
			mode == NSLAB_COMPARE_TIMES ? "B ns/op" : "B ratio", "change",
			"95 % interval", "n", "B is");
}

static void print_counts(const struct nslab_comparison *comparison, FILE *out, int columns)
{
	size_t nr = 0, nr_slower = 0, nr_faster = 0, nr_same = 0;
	char text[512];

	for (size_t i = 0; i < comparison->list->nr; i++) {
		const char *word = nslab_contrast_word(&comparison->rows[i]);

		nr += *word != '-';
		nr_slower += !strcmp(word, "slower");
		nr_faster += !strcmp(word, "faster");
		nr_same += !strcmp(word, "same");
	}
	fputc('\n', out);
	snprintf(text, sizeof(text),
		 "%zu compared: %zu slower, %zu faster, %zu same, %zu unclear. Beyond or within"
		 " +-1 %% counts with the whole 95 %% interval; below n = 6 there is none.%s",
		 nr, nr_slower, nr_faster, nr_same, nr - nr_slower - nr_faster - nr_same,
		 comparison->mode == NSLAB_COMPARE_ARMS
			 ? " A' is A a second time. MDE: smallest change found with 80 % power."
			 : "");
	nslab_text_fold(out, "", text, 0, columns);
	if (comparison->nr_only_a || comparison->nr_only_b) {
		snprintf(text, sizeof(text), "%zu cells are only in A, %zu only in B",
			 comparison->nr_only_a, comparison->nr_only_b);
		nslab_text_fold(out, "", text, 0, columns);
	}
}

static void print_head(const struct nslab_comparison *comparison, FILE *out, int columns)
{
	const struct nslab_run_file *a = comparison->a, *b = comparison->b;

	if (comparison->mode == NSLAB_COMPARE_ARMS) {
		nslab_results_header(a->list, &a->run, a->status, a->harness_ns, out, columns);
		return;
	}
	nslab_text_fold(out, "A", a->path, 2, columns);
	nslab_results_header(a->list, &a->run, a->status, a->harness_ns, out, columns);
	fputc('\n', out);
	nslab_text_fold(out, "B", b->path, 2, columns);
	if (comparison->mode == NSLAB_COMPARE_TIMES)
		nslab_results_brief(b->list, &b->run, b->status, out, columns);
	else
		nslab_results_header(b->list, &b->run, b->status, b->harness_ns, out, columns);
	fputc('\n', out);
	nslab_text_fold(out, "pairing", comparison->note, 11, columns);
}

int nslab_comparison_print(const struct nslab_comparison *comparison, FILE *out, int columns)
{
	size_t *order = nslab_family_order(comparison->list);
	const char *family = NULL;

	if (!order)
		return -ENOMEM;
	print_head(comparison, out, columns);
	for (size_t i = 0; i < comparison->list->nr; i++) {
		const struct nslab_contrast *row = &comparison->rows[order[i]];

		if (comparison->mode != NSLAB_COMPARE_ARMS && !row->base)
			continue;
		if (!family || strcmp(family, row->cell->cell.family)) {
			family = row->cell->cell.family;
			print_family(comparison->mode, family, out, columns);
		}
		print_row(comparison, row, out, columns);
	}
	print_counts(comparison, out, columns);
	free(order);
	return ferror(out) ? -EIO : 0;
}

/* ---- for programs ---- */

static const char *const print_modes[] = {
	[NSLAB_COMPARE_ARMS] = "arms",
	[NSLAB_COMPARE_TIMES] = "times",
	[NSLAB_COMPARE_RATIOS] = "ratios",
};

static json_t *json_run(const struct nslab_run_file *file)
{
	const struct nslab_run_record *run = &file->run;

	return json_pack(
		"{so so so so so so so so sb so so sI sI}", "path", nslab_json_text(file->path),
		"uuid", nslab_json_text(run->uuid), "name", nslab_json_text(run->name), "label",
		nslab_json_text(run->label), "host_name", nslab_json_text(run->host_name),
		"cpu_model", nslab_json_text(run->cpu_model), "kernel",
		nslab_json_text(run->kernel), "statistic", nslab_json_text(run->statistic),
		"is_simulated", run->is_simulated, "placement_unavailable",
		nslab_json_text(run->placement_unavailable), "status",
		nslab_json_text(file->status), "nr_trials", (json_int_t)file->list->nr_trials,
		"nr_trials_planned", (json_int_t)run->nr_trials_planned);
}

static json_t *json_row(const struct nslab_contrast *row)
{
	const struct nslab_cell_record *cell = &row->cell->cell;

	return json_pack("{so so so sb sb so so so sI sI so so so so so ss so}", "key",
			 nslab_json_text(cell->key), "family", nslab_json_text(cell->family), "arm",
			 nslab_json_text(cell->arm), "is_baseline",
			 cell->is_baseline && !cell->is_twin, "is_twin", cell->is_twin, "base",
			 nslab_json_text(row->base ? row->base->cell.key : NULL), "base_value",
			 nslab_json_real(row->base_value), "value",
			 nslab_json_real(row->cell_value), "nr_trials", (json_int_t)row->cell->nr,
			 "n", (json_int_t)row->paired.n, "ratio", nslab_json_real(row->ratio), "lo",
			 nslab_json_real(row->lo), "hi", nslab_json_real(row->hi), "p",
			 nslab_json_real(row->paired.p), "mde",
			 nslab_json_real(expm1(row->paired.mde)), "verdict",
			 row->paired.n ? nslab_verdict_word(row->verdict) : "none", "cause",
			 nslab_json_text(print_cause(row->cell)));
}

int nslab_comparison_json(const struct nslab_comparison *comparison, FILE *out)
{
	bool is_two = comparison->mode != NSLAB_COMPARE_ARMS;
	json_t *rows = json_array();
	json_t *root;
	int rc = 0;

	for (size_t i = 0; rows && i < comparison->list->nr; i++)
		rc |= json_array_append_new(rows, json_row(&comparison->rows[i]));
	root = json_pack("{ss so so sf sf so sI sI so}", "mode", print_modes[comparison->mode], "a",
			 json_run(comparison->a), "b",
			 is_two ? json_run(comparison->b) : json_null(), "confidence",
			 NSLAB_CONFIDENCE, "margin", NSLAB_MARGIN, "note",
			 nslab_json_text(is_two ? comparison->note : NULL), "nr_only_a",
			 (json_int_t)comparison->nr_only_a, "nr_only_b",
			 (json_int_t)comparison->nr_only_b, "rows", rows);
	if (!root || rc)
		rc = -ENOMEM;
	else if (json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) ||
		 fputc('\n', out) == EOF)
		rc = -EIO;
	json_decref(root);
	return rc;
}

static void csv_row(const struct nslab_comparison *comparison, const struct nslab_contrast *row,
		    FILE *out)
{
	const struct nslab_cell_record *cell = &row->cell->cell;
	const double values[] = {
		row->base_value, row->cell_value,	row->ratio, row->lo, row->hi,
		row->paired.p,	 expm1(row->paired.mde)};

	nslab_csv_text(out, cell->family, ',');
	nslab_csv_text(out, cell->arm, ',');
	nslab_csv_text(out, cell->key, ',');
	nslab_csv_text(out, print_modes[comparison->mode], ',');
	nslab_csv_text(out, row->base ? row->base->cell.key : NULL, ',');
	fprintf(out, "%d,%zu,%zu,", cell->is_twin, row->cell->nr, row->paired.n);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		nslab_csv_real(out, values[i], ',');
	nslab_csv_text(out, row->paired.n ? nslab_verdict_word(row->verdict) : "none", ',');
	nslab_csv_text(out, print_cause(row->cell), '\n');
}

int nslab_comparison_csv(const struct nslab_comparison *comparison, FILE *out)
{
	fputs("family,arm,key,mode,base,is_twin,nr_trials,n,base_value,value,ratio,lo,hi,p,mde,"
	      "verdict,cause\n",
	      out);
	for (size_t i = 0; i < comparison->list->nr; i++)
		csv_row(comparison, &comparison->rows[i], out);
	return ferror(out) ? -EIO : 0;
}
