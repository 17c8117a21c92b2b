/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare_judge.c: many contrasts at once: which are primary, what their p values become, and the
 * one sentence that a comparison comes down to.
 *
 * Primary cells are the few that a claim or a gate is about. They are named by patterns, or are the
 * first ten of the report, the null allocator aside; Holm's procedure keeps the chance of a single
 * false claim among them. Benjamini and Hochberg's q is over every contrast. A twin is a control
 * and in neither. The sentence tells the largest change among the primary cells, or how large a
 * change could hide.
 *
 * Invariants: a cell counts as worse only when the whole interval lies beyond the margin and its p
 * is below 5 % after Holm. Left out: patterns in plan files.
 */
#define _GNU_SOURCE
#include "results/compare.h"

#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JUDGE_LEVEL (1.0 - NSLAB_CONFIDENCE)

static bool judge_is_tested(const struct nslab_contrast *row)
{
	return row->paired.n && !row->cell->cell.is_twin;
}

/* The allocator that does nothing shows what a loop costs: nobody makes claims about it. */
static bool judge_is_default(const struct nslab_cell_record *cell)
{
	return !cell->allocator || strcmp(cell->allocator, "null") != 0;
}

static bool judge_matches(const struct nslab_cell_record *cell, const char *const *patterns)
{
	for (; *patterns; patterns++) {
		if (!fnmatch(*patterns, cell->key, 0) || !fnmatch(*patterns, cell->arm, 0))
			return true;
	}
	return false;
}

static int judge_primary(struct nslab_comparison *comparison, const char *const *patterns)
{
	size_t *order = nslab_family_order(comparison->list);

	if (!order)
		return -ENOMEM;
	comparison->nr_primary = 0;
	comparison->nr_tested = 0;
	for (size_t i = 0; i < comparison->list->nr; i++) {
		struct nslab_contrast *row = &comparison->rows[order[i]];

		row->is_primary = false;
		if (!judge_is_tested(row))
			continue;
		comparison->nr_tested++;
		row->is_primary = patterns ? judge_matches(&row->cell->cell, patterns)
					   : judge_is_default(&row->cell->cell) &&
						     comparison->nr_primary < NSLAB_PRIMARY_MAX;
		comparison->nr_primary += row->is_primary;
	}
	free(order);
	return 0;
}

static int judge_adjust(struct nslab_comparison *comparison)
{
	size_t nr = comparison->list->nr;
	double *p = calloc(3 * nr + 1, sizeof(*p));
	double *primary = p + nr, *adjusted = p + 2 * nr;
	int rc;

	if (!p)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		const struct nslab_contrast *row = &comparison->rows[i];

		p[i] = judge_is_tested(row) ? row->paired.p : NAN;
		primary[i] = row->is_primary ? row->paired.p : NAN;
	}
	rc = nslab_holm(primary, nr, adjusted);
	for (size_t i = 0; !rc && i < nr; i++)
		comparison->rows[i].p_holm = adjusted[i];
	if (!rc)
		rc = nslab_benjamini_hochberg(p, nr, adjusted);
	for (size_t i = 0; !rc && i < nr; i++)
		comparison->rows[i].q = adjusted[i];
	free(p);
	return rc;
}

#define JUDGE_NAMES 256

static int judge_no_match(const struct nslab_comparison *comparison, const char *pattern,
			  struct nslab_err *err)
{
	const char *names[JUDGE_NAMES];
	const char *guess;
	size_t nr = 0;

	for (size_t i = 0; i < comparison->list->nr && nr < JUDGE_NAMES; i++) {
		if (judge_is_tested(&comparison->rows[i]))
			names[nr++] = comparison->rows[i].cell->cell.arm;
	}
	guess = nslab_nearest(pattern, names, nr);
	return nslab_fail(err, -EINVAL,
			  "no cell that was compared matches '%s'%s%s%s; a pattern is held against"
			  " the arm and against the whole key",
			  pattern, guess ? ", did you mean '" : "", guess ? guess : "",
			  guess ? "'" : "");
}

int nslab_comparison_judge(struct nslab_comparison *comparison, const char *const *patterns,
			   struct nslab_err *err)
{
	int rc;

	if (patterns && !patterns[0])
		patterns = NULL;
	rc = judge_primary(comparison, patterns);
	if (!rc && patterns && !comparison->nr_primary)
		return judge_no_match(comparison, patterns[0], err);
	if (!rc)
		rc = judge_adjust(comparison);
	if (rc)
		nslab_fail(err, rc, "cannot compare: %s", strerror(-rc));
	return rc;
}

bool nslab_contrast_is_worse(const struct nslab_contrast *contrast)
{
	return contrast->is_primary && contrast->verdict == NSLAB_CHANGED &&
	       contrast->paired.lo > 0.0 && contrast->p_holm <= JUDGE_LEVEL;
}

/* ---- the sentence ---- */

/* "batch/256"; the whole family when another one has the same workload and size. */
static void judge_place(const struct nslab_cell_list *list, const struct nslab_cell_record *cell,
			char *text, size_t text_bytes)
{
	for (size_t i = 0; cell->workload && i < list->nr; i++) {
		const struct nslab_cell_record *other = &list->cells[i].cell;

		if (other->workload && !strcmp(other->workload, cell->workload) &&
		    other->size_bytes == cell->size_bytes && strcmp(other->family, cell->family)) {
			snprintf(text, text_bytes, "%s", cell->family);
			return;
		}
	}
	if (!cell->workload)
		snprintf(text, text_bytes, "%s", cell->family);
	else if (cell->size_bytes)
		snprintf(text, text_bytes, "%s/%lld", cell->workload, (long long)cell->size_bytes);
	else
		snprintf(text, text_bytes, "%s", cell->workload);
}

/* "1.42x faster than slub on batch/256, 95 % interval 1.40 to 1.44, n 30" */
static void judge_change(const struct nslab_comparison *comparison,
			 const struct nslab_contrast *row, char *text, size_t text_bytes)
{
	bool is_faster = row->ratio < 1.0;
	double lo = is_faster ? 1.0 / row->hi : row->lo, hi = is_faster ? 1.0 / row->lo : row->hi;
	int digits = lo < 1.1 ? 3 : 2;
	char place[400], than[200] = "B than in A";

	judge_place(comparison->list, &row->cell->cell, place, sizeof(place));
	if (comparison->mode == NSLAB_COMPARE_ARMS)
		snprintf(than, sizeof(than), "%.199s", row->base->cell.arm);
	snprintf(text, text_bytes,
		 "%.199s%s is %.*fx %s %s %s on %s, 95 %% interval %.*f to %.*f, n %zu",
		 row->cell->cell.arm,
		 comparison->mode == NSLAB_COMPARE_RATIOS ? ", against its own baseline," : "",
		 digits, is_faster ? 1.0 / row->ratio : row->ratio, is_faster ? "faster" : "slower",
		 comparison->mode == NSLAB_COMPARE_ARMS ? "than" : "in", than, place, digits, lo,
		 digits, hi, row->paired.n);
}

struct judge_tally {
	const struct nslab_contrast *largest; /* change */
	size_t nr_changed, nr_equivalent, nr_without;
	double mde_lo, mde_hi;
};

static void judge_count(const struct nslab_contrast *row, struct judge_tally *tally)
{
	if (isnan(row->lo)) {
		tally->nr_without++;
		return;
	}
	tally->mde_lo = fmin(tally->mde_lo, expm1(row->paired.mde));
	tally->mde_hi = fmax(tally->mde_hi, expm1(row->paired.mde));
	tally->nr_equivalent += row->verdict == NSLAB_EQUIVALENT;
	if (row->verdict != NSLAB_CHANGED)
		return;
	tally->nr_changed++;
	if (!tally->largest || fabs(row->paired.estimate) > fabs(tally->largest->paired.estimate))
		tally->largest = row;
}

void nslab_comparison_sentence(const struct nslab_comparison *comparison, char *text,
			       size_t text_bytes)
{
	struct judge_tally tally = {.mde_lo = NAN, .mde_hi = NAN};
	size_t nr = comparison->nr_primary, len;

	for (size_t i = 0; i < comparison->list->nr; i++) {
		if (comparison->rows[i].is_primary)
			judge_count(&comparison->rows[i], &tally);
	}
	if (!nr) {
		snprintf(text, text_bytes,
			 "nothing was compared: no cell has trials and a base with trials");
	} else if (tally.nr_without == nr) {
		snprintf(text, text_bytes,
			 "no verdict: none of the %zu primary cells has the 6 blocks that a 95 %%"
			 " interval needs",
			 nr);
	} else if (!tally.largest) {
		snprintf(text, text_bytes,
			 "no primary cell changed: %zu of %zu equivalent within 1 %%, %zu"
			 " inconclusive (smallest changes that would be found: %.1f to %.1f %%)",
			 tally.nr_equivalent, nr, nr - tally.nr_equivalent, 100.0 * tally.mde_lo,
			 100.0 * tally.mde_hi);
	} else {
		judge_change(comparison, tally.largest, text, text_bytes);
		len = strlen(text);
		if (nr > 1)
			snprintf(text + len, text_bytes - len,
				 "; the largest change of %zu in %zu primary cells",
				 tally.nr_changed, nr);
	}
}
