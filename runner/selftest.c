/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest.c: judges runs whose truth is known: contrasts of nothing, and a change of a known size.
 *
 * A/A: a long run of one cell and its twin is cut into contrasts of a few blocks each that share no
 * trial, so their verdicts are independent and a binomial count. The rate of false findings must
 * not be above the level of the test beyond chance: 5 % lies in, or above, the exact interval of
 * the rate. "Above" passes too, since an exact test at few blocks cannot use up its level. Beside
 * it the same trials are judged as a sequential design would have run them: those of a contrast's
 * first blocks under one name and those of its last under another, by a Mann-Whitney test. That
 * rate is why blocks exist.
 *
 * Injection: found means that the interval leaves out zero; sized, that the estimate is within one
 * point of what was put in; and the twin must not be called changed. A run whose smallest
 * detectable effect is above the share could not have found it: that says something about the host
 * only.
 *
 * Nothing here reads a clock or runs anything: tests give cells with planted noise.
 */
#include "runner/selftest.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FEWEST_BLOCKS 6 /* below there is no 95 % interval */
#define POINT	      0.01

/* ---- rates ---- */

/* P(X <= nr_found) of a binomial. */
static double binomial_below(size_t nr_found, size_t nr, double p)
{
	double sum = 0;

	for (size_t k = 0; k <= nr_found; k++)
		sum += exp(lgamma((double)nr + 1) - lgamma((double)k + 1) -
			   lgamma((double)(nr - k) + 1) + (double)k * log(p) +
			   (double)(nr - k) * log1p(-p));
	return sum;
}

/* The p at which P(X <= nr_found) is `tail`; it falls as p grows. */
static double binomial_solve(size_t nr_found, size_t nr, double tail)
{
	double lo = 0, hi = 1;

	for (int i = 0; i < 60; i++) {
		double p = (lo + hi) / 2;

		if (binomial_below(nr_found, nr, p) > tail)
			lo = p;
		else
			hi = p;
	}
	return (lo + hi) / 2;
}

void nslab_rate_set(struct nslab_rate *rate, size_t nr_found, size_t nr)
{
	const double tail = (1 - NSLAB_CONFIDENCE) / 2;

	*rate = (struct nslab_rate){
		.nr = nr, .nr_found = nr_found, .rate = NAN, .lo = NAN, .hi = NAN};
	if (!nr)
		return;
	rate->rate = (double)nr_found / (double)nr;
	rate->lo = nr_found ? binomial_solve(nr_found - 1, nr, 1 - tail) : 0;
	rate->hi = nr_found < nr ? binomial_solve(nr_found, nr, tail) : 1;
}

/* ---- A/A ---- */

/* The values of a cell's blocks first .. first + nr - 1, all of them or false. */
static bool take_blocks(const struct nslab_cell_values *cell, size_t first, size_t nr,
			double *values)
{
	size_t found = 0;

	for (size_t i = 0; i < cell->nr; i++) {
		size_t block = (size_t)cell->blocks[i];

		if (block >= first && block < first + nr && cell->ns_per_op[i] > 0) {
			values[block - first] = log(cell->ns_per_op[i]);
			found++;
		}
	}
	return found == nr;
}

/* Found something between A and A', in blocks? */
static int contrast_paired(const double *a, const double *twin, size_t nr, double *scratch,
			   bool *is_found)
{
	struct nslab_paired paired;
	int rc;

	for (size_t i = 0; i < nr; i++)
		scratch[i] = twin[i] - a[i];
	rc = nslab_paired_compare(scratch, nr, NSLAB_CONFIDENCE, &paired);
	*is_found = !rc && paired.p < NSLAB_SELFTEST_LEVEL;
	return rc;
}

/* The same trials as a sequential design has them: what ran first against what ran last. */
static int contrast_sequential(const double *a, const double *twin, size_t nr, double *scratch,
			       bool *is_found)
{
	struct nslab_unpaired unpaired;
	size_t half = nr / 2, rest = nr - half;
	int rc;

	memcpy(scratch, a, half * sizeof(*a));
	memcpy(scratch + half, twin, half * sizeof(*a));
	memcpy(scratch + 2 * half, a + half, rest * sizeof(*a));
	memcpy(scratch + 2 * half + rest, twin + half, rest * sizeof(*a));
	rc = nslab_unpaired_compare(scratch, 2 * half, scratch + 2 * half, 2 * rest,
				    NSLAB_CONFIDENCE, &unpaired);
	*is_found = !rc && unpaired.p < NSLAB_SELFTEST_LEVEL;
	return rc;
}

int nslab_aa_judge(const struct nslab_cell_values *a, const struct nslab_cell_values *twin,
		   size_t nr_contrasts, size_t nr_blocks, struct nslab_aa *aa)
{
	double *values = calloc(4 * nr_blocks + 1, sizeof(*values));
	double *of_twin = values + nr_blocks, *scratch = values + 2 * nr_blocks;
	size_t nr = 0, nr_paired = 0, nr_sequential = 0;
	int rc = nr_blocks < FEWEST_BLOCKS ? -EINVAL : 0;

	*aa = (struct nslab_aa){.nr_blocks = nr_blocks};
	if (!values)
		return -ENOMEM;
	for (size_t k = 0; k < nr_contrasts && !rc; k++) {
		bool is_paired = false, is_sequential = false;

		if (!take_blocks(a, k * nr_blocks, nr_blocks, values) ||
		    !take_blocks(twin, k * nr_blocks, nr_blocks, of_twin)) {
			aa->nr_left_out++;
			continue;
		}
		rc = contrast_paired(values, of_twin, nr_blocks, scratch, &is_paired);
		if (!rc)
			rc = contrast_sequential(values, of_twin, nr_blocks, scratch,
						 &is_sequential);
		nr++;
		nr_paired += !rc && is_paired;
		nr_sequential += !rc && is_sequential;
	}
	nslab_rate_set(&aa->paired, nr_paired, nr);
	nslab_rate_set(&aa->sequential, nr_sequential, nr);
	aa->is_passed = nr && aa->paired.lo <= NSLAB_SELFTEST_LEVEL;
	free(values);
	return rc;
}

/* ---- injection ---- */

static const struct nslab_contrast *find_twin(const struct nslab_contrast *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (rows[i].base && rows[i].cell->cell.is_twin)
			return &rows[i];
	}
	return NULL;
}

static const struct nslab_contrast *find_arm(const struct nslab_contrast *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (rows[i].base && !rows[i].cell->cell.is_twin && !rows[i].cell->cell.is_baseline)
			return &rows[i];
	}
	return NULL;
}

int nslab_injection_judge(const struct nslab_cell_list *list, double share,
			  struct nslab_injection *injection, struct nslab_err *err)
{
	const struct nslab_contrast *twin, *arm;
	struct nslab_contrast *rows;
	int rc = nslab_compare_arms(list, &rows, err);

	if (rc)
		return rc;
	twin = find_twin(rows, list->nr);
	arm = find_arm(rows, list->nr);
	if (!twin || !arm) {
		rc = nslab_fail(err, -EINVAL, "the run has no %s with a value",
				arm ? "twin of its baseline" : "arm beside its baseline");
		goto out_free;
	}
	*injection = (struct nslab_injection){
		.share = share,
		.nr_blocks = arm->paired.n,
		.estimate = arm->ratio - 1,
		.lo = arm->lo - 1,
		.hi = arm->hi - 1,
		.mde = expm1(arm->paired.mde),
		.twin = twin->verdict,
		.twin_estimate = twin->ratio - 1,
		.twin_lo = twin->lo - 1,
		.twin_hi = twin->hi - 1,
		.is_found = arm->lo > 1 || arm->hi < 1,
		.is_sized = fabs(arm->ratio - 1 - share) <= POINT,
		.is_twin_same = twin->paired.n && twin->verdict != NSLAB_CHANGED,
	};
	injection->is_blind =
		(!injection->is_found || !injection->is_sized) && !(injection->mde <= share);
	injection->is_passed =
		injection->is_found && injection->is_sized && injection->is_twin_same;
out_free:
	free(rows);
	return rc;
}
