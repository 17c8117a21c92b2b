/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare_print.c: a comparison for people: a text made to be pasted into a mail, and Markdown.
 *
 * One plain sentence stands on top, then who was measured, then a row for each cell in the order of
 * a report: base, new, change, interval, n, the smallest change that would be found, p, q and the
 * verdict. Columns are as narrow as their figures allow, since the text keeps to the given width;
 * a figure too large for its column becomes a bound, never a longer line. A name that does not fit
 * gets a line of its own, a reason is folded.
 *
 * Invariants: '-' is "does not exist". Left out: colour and links.
 */
#include "results/compare.h"
#include "results/table.h"
#include "results/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PRINT_ARM_WIDTH 12

struct print_cell {
	char text[32];
};

static struct print_cell print_fixed(int digits, double value, const char *unit)
{
	struct print_cell cell;

	snprintf(cell.text, sizeof(cell.text), "%.*f%s", digits, value, unit);
	return cell;
}

static const struct print_cell print_absent = {"-"};

/* ns per operation, or a ratio, in at most 6 characters */
static struct print_cell print_value(enum nslab_compare_mode mode, double value)
{
	struct print_cell cell;

	if (!isfinite(value))
		return print_absent;
	if (value < 9.9995 && mode == NSLAB_COMPARE_RATIOS)
		return print_fixed(3, value, "");
	if (value < 999.95)
		return print_fixed(2, value, "");
	if (value < 999999.5)
		return print_fixed(0, value, "");
	snprintf(cell.text, sizeof(cell.text), "%.0e", value);
	return cell;
}

/* "+1.2", "-34.8", "+123" in at most 5 characters */
static struct print_cell print_signed(double fraction)
{
	struct print_cell cell;
	double percent = 100.0 * fraction;

	if (!isfinite(fraction))
		return print_absent;
	if (percent >= 9999.5)
		return (struct print_cell){">9999"};
	snprintf(cell.text, sizeof(cell.text), "%+.*f", fabs(percent) < 99.95 ? 1 : 0, percent);
	return cell;
}

static struct print_cell print_change(double fraction)
{
	struct print_cell cell = print_signed(fraction);

	if (isfinite(fraction))
		strcat(cell.text, "%");
	return cell;
}

static struct print_cell print_interval(double lo, double hi)
{
	struct print_cell cell;

	if (isnan(lo) || isnan(hi))
		return print_absent;
	snprintf(cell.text, sizeof(cell.text), "%.14s..%.14s", print_signed(lo).text,
		 print_signed(hi).text);
	return cell;
}

static struct print_cell print_count(size_t n)
{
	struct print_cell cell;

	if (n < 1000)
		snprintf(cell.text, sizeof(cell.text), "%zu", n);
	else
		snprintf(cell.text, sizeof(cell.text), "%zuk", n / 1000);
	return cell;
}

/* Smallest change that would be found, in at most 4 characters. */
static struct print_cell print_mde(double mde)
{
	double percent = 100.0 * expm1(mde);

	if (!isfinite(percent))
		return print_absent;
	if (percent >= 999.5)
		return (struct print_cell){">999"};
	return print_fixed(percent < 9.95 ? 1 : 0, percent, "%");
}

/* ".012", "5e-4" */
static struct print_cell print_p(double p)
{
	struct print_cell cell;

	if (isnan(p))
		return print_absent;
	if (p >= 0.9995)
		return (struct print_cell){"1"};
	if (p >= 0.0009995) {
		snprintf(cell.text, sizeof(cell.text), "%.3f", p);
		memmove(cell.text, cell.text + 1, strlen(cell.text));
		return cell;
	}
	if (p < 1e-9)
		return (struct print_cell){"<e-9"};
	snprintf(cell.text, sizeof(cell.text), "%.0e", p); /* "5e-04" */
	memmove(cell.text + 3, cell.text + 4, strlen(cell.text + 3));
	return cell;
}

/* p as the row is judged by it: of a primary cell after Holm. */
static double print_judged_p(const struct nslab_contrast *row)
{
	return row->is_primary ? row->p_holm : row->paired.p;
}

static const char *print_verdict(const struct nslab_contrast *row)
{
	return isnan(row->lo) ? "-" : nslab_verdict_word(row->verdict);
}

/* ---- text ---- */

/* NULL when the cell has its values. */
static const char *print_cause(const struct nslab_cell_values *cell)
{
	if (cell->nr)
		return NULL;
	return cell->cell.skipped ? cell->cell.skipped : cell->cause;
}

static void print_figures(enum nslab_compare_mode mode, const struct nslab_contrast *row, FILE *out)
{
	if (row->base == row->cell) {
		fprintf(out, " %6s %6s  baseline, n = %zu\n",
			print_value(mode, row->cell_value).text, "", row->cell->nr);
		return;
	}
	fprintf(out, " %6s %6s %6s %12s %3s %4s %4s %4s%c%s\n",
		print_value(mode, row->base_value).text, print_value(mode, row->cell_value).text,
		print_change(row->ratio - 1.0).text,
		print_interval(row->lo - 1.0, row->hi - 1.0).text, print_count(row->paired.n).text,
		print_mde(row->paired.mde).text, print_p(print_judged_p(row)).text,
		print_p(row->q).text, row->is_primary ? '*' : ' ', print_verdict(row));
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

/* An arm without a baseline has nothing but its own value, which the table of the run tells. */
static bool print_has_figures(const struct nslab_comparison *comparison,
			      const struct nslab_contrast *row)
{
	return row->cell->nr &&
	       (comparison->mode == NSLAB_COMPARE_ARMS || (row->base && row->base->nr));
}

static void print_row(const struct nslab_comparison *comparison, const struct nslab_contrast *row,
		      FILE *out, int columns)
{
	char arm[256];

	if (print_has_figures(comparison, row)) {
		nslab_arm_text(&row->cell->cell, arm, sizeof(arm));
		if (strlen(arm) > PRINT_ARM_WIDTH)
			nslab_text_fold(out, "", arm, 0, columns);
		nslab_text_put(out, strlen(arm) > PRINT_ARM_WIDTH ? "" : arm, PRINT_ARM_WIDTH);
		print_figures(comparison->mode, row, out);
	}
	print_causes(comparison, row, out, columns);
}

static void print_family(enum nslab_compare_mode mode, const char *family, FILE *out, int columns)
{
	bool is_one = mode == NSLAB_COMPARE_ARMS;

	fputc('\n', out);
	nslab_text_fold(out, "", family, 0, columns);
	fprintf(out, "%-*s %6s %6s %6s %12s %3s %4s %4s %4s %s\n", PRINT_ARM_WIDTH, "arm",
		is_one ? "base" : "A base", is_one ? "new" : "B new", "change", "95 % int., %", "n",
		"MDE", "p", "q", "verdict");
}

struct print_tally {
	size_t nr, nr_slower, nr_faster, nr_same, nr_approximate, nr_ungated;
};

static struct print_tally print_count_rows(const struct nslab_comparison *comparison)
{
	struct print_tally tally = {0};

	for (size_t i = 0; i < comparison->list->nr; i++) {
		const struct nslab_contrast *row = &comparison->rows[i];
		bool is_changed = row->paired.n && row->verdict == NSLAB_CHANGED;
		bool is_slower = is_changed && row->paired.lo > 0.0;

		if (!row->paired.n || row->cell->cell.is_twin)
			continue;
		tally.nr++;
		tally.nr_slower += is_slower;
		tally.nr_faster += is_changed && !is_slower;
		tally.nr_same += row->verdict == NSLAB_EQUIVALENT;
		tally.nr_approximate += row->is_approximate;
		tally.nr_ungated += is_slower && !nslab_contrast_is_worse(row);
	}
	return tally;
}

static void print_legend(const struct nslab_comparison *comparison, const struct print_tally *tally,
			 FILE *out, int columns)
{
	bool is_unpaired = comparison->mode == NSLAB_COMPARE_UNPAIRED;
	char text[1024], approximate[80] = "";

	if (tally->nr_approximate)
		snprintf(approximate, sizeof(approximate),
			 " (normal approximation in %zu rows of large samples)",
			 tally->nr_approximate);
	snprintf(text, sizeof(text),
		 "base, new: %s. changed, equivalent: the whole 95 %% interval lies beyond or"
		 " within +-1 %%; there is none below %s. MDE: smallest change found with 80 %%"
		 " power. p: exact %s test%s; * primary cell: after Holm over %zu of them. q:"
		 " Benjamini-Hochberg over %zu cells.%s",
		 comparison->mode == NSLAB_COMPARE_RATIOS ? "ratio to the run's own baseline"
							  : "ns per operation",
		 is_unpaired ? "about 4 trials each" : "n = 6",
		 is_unpaired ? "Mann-Whitney" : "signed-rank", approximate, comparison->nr_primary,
		 comparison->nr_tested,
		 comparison->mode == NSLAB_COMPARE_ARMS ? " A' is A a second time." : "");
	nslab_text_fold(out, "", text, 0, columns);
}

static void print_foot(const struct nslab_comparison *comparison, FILE *out, int columns)
{
	struct print_tally tally = print_count_rows(comparison);
	char text[512];

	fputc('\n', out);
	snprintf(text, sizeof(text),
		 "%zu compared: %zu slower, %zu faster, %zu equivalent, %zu inconclusive", tally.nr,
		 tally.nr_slower, tally.nr_faster, tally.nr_same,
		 tally.nr - tally.nr_slower - tally.nr_faster - tally.nr_same);
	nslab_text_fold(out, "", text, 0, columns);
	if (tally.nr_ungated) {
		snprintf(text, sizeof(text),
			 "%zu of the slower cells fail%s no gate: not primary, or p after Holm is"
			 " above .05 (--primary names fewer, more blocks lower p)",
			 tally.nr_ungated, tally.nr_ungated == 1 ? "s" : "");
		nslab_text_fold(out, "", text, 0, columns);
	}
	if (comparison->nr_only_a || comparison->nr_only_b) {
		snprintf(text, sizeof(text), "%zu cells are only in A, %zu only in B",
			 comparison->nr_only_a, comparison->nr_only_b);
		nslab_text_fold(out, "", text, 0, columns);
	}
	print_legend(comparison, &tally, out, columns);
}

static void print_head(const struct nslab_comparison *comparison, FILE *out, int columns)
{
	const struct nslab_run_file *a = comparison->a, *b = comparison->b;
	char sentence[1024];

	nslab_comparison_sentence(comparison, sentence, sizeof(sentence));
	nslab_text_fold(out, "", sentence, 0, columns);
	fputc('\n', out);
	if (comparison->mode == NSLAB_COMPARE_ARMS) {
		nslab_results_header(a->list, &a->run, a->status, a->harness_ns, out, columns);
		return;
	}
	nslab_text_fold(out, "A", a->path, 2, columns);
	nslab_results_header(a->list, &a->run, a->status, a->harness_ns, out, columns);
	fputc('\n', out);
	nslab_text_fold(out, "B", b->path, 2, columns);
	if (comparison->mode == NSLAB_COMPARE_RATIOS)
		nslab_results_header(b->list, &b->run, b->status, b->harness_ns, out, columns);
	else
		nslab_results_brief(b->list, &b->run, b->status, out, columns);
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
	print_foot(comparison, out, columns);
	free(order);
	return ferror(out) ? -EIO : 0;
}

/* ---- Markdown ---- */

/* Text in a table: what has a meaning there is escaped, what is not printable becomes '?'. */
static void markdown_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("|\\`*_<>[]", *text))
			fputc('\\', out);
		fputc((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e ? '?' : *text,
		      out);
	}
}

static void markdown_row(const struct nslab_comparison *comparison,
			 const struct nslab_contrast *row, FILE *out)
{
	char arm[256];

	fputs("| ", out);
	markdown_text(out, row->cell->cell.family);
	fputs(" | ", out);
	nslab_arm_text(&row->cell->cell, arm, sizeof(arm));
	markdown_text(out, arm);
	fprintf(out, " | %s | %s | %s | %s | %zu | %s | %s | %s | %s%s |\n",
		print_value(comparison->mode, row->base_value).text,
		print_value(comparison->mode, row->cell_value).text,
		print_change(row->ratio - 1.0).text,
		print_interval(row->lo - 1.0, row->hi - 1.0).text, row->paired.n,
		print_mde(row->paired.mde).text, print_p(print_judged_p(row)).text,
		print_p(row->q).text, print_verdict(row), row->is_primary ? " \\*" : "");
}

int nslab_comparison_markdown(const struct nslab_comparison *comparison, FILE *out)
{
	size_t *order = nslab_family_order(comparison->list);
	char sentence[1024];

	if (!order)
		return -ENOMEM;
	nslab_comparison_sentence(comparison, sentence, sizeof(sentence));
	markdown_text(out, sentence);
	fputs("\n\n| family | arm | base | new | change | 95 % interval, % | n | MDE | p | q |"
	      " verdict |\n|---|---|--:|--:|--:|--:|--:|--:|--:|--:|---|\n",
	      out);
	for (size_t i = 0; i < comparison->list->nr; i++) {
		const struct nslab_contrast *row = &comparison->rows[order[i]];

		if (row->paired.n)
			markdown_row(comparison, row, out);
	}
	fprintf(out,
		"\nbase, new: %s. \\* primary cell: p is after Holm over %zu of them. q:"
		" Benjamini-Hochberg over %zu cells.\n",
		comparison->mode == NSLAB_COMPARE_RATIOS ? "ratio to the run's own baseline"
							 : "ns per operation",
		comparison->nr_primary, comparison->nr_tested);
	free(order);
	return ferror(out) ? -EIO : 0;
}
