/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats_paired.c: the paired comparison of two arms.
 *
 * A comparison gets one number per block, the log ratio of the two arms that ran in it. The
 * estimate is the median of all pairwise means (Hodges-Lehmann), the interval takes the pairwise
 * means at the exact critical values of the signed-rank statistic, and the p value is the exact
 * tail of that statistic under "each sign is a fair coin". With ties the same recurrence runs over
 * doubled mid-ranks. Of the pairwise means only three order statistics are wanted, so they are
 * selected instead of sorted.
 *
 * Invariants: input is never changed; a result that does not exist is NaN, never 0. Left out:
 * multiplicity (many cells at once), which stats_many.c puts on top.
 */
#include "results/stats.h"

#include "results/stats_impl.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static void paired_swap(double *a, double *b)
{
	double t = *a;

	*a = *b;
	*b = t;
}

/* Puts the k-th smallest of x[lo..hi] at k, nothing larger before it, nothing smaller behind. */
static void paired_select(double *x, size_t lo, size_t hi, size_t k)
{
	while (lo < hi) {
		size_t i = lo, j = hi;
		double pivot;

		/* the median of three, so that sorted input is the easy case */
		if (x[hi] < x[lo])
			paired_swap(&x[lo], &x[hi]);
		pivot = x[lo + (hi - lo) / 2];
		pivot = pivot < x[lo] ? x[lo] : pivot > x[hi] ? x[hi] : pivot;
		for (;;) {
			while (x[i] < pivot)
				i++;
			while (pivot < x[j])
				j--;
			if (i >= j)
				break;
			paired_swap(&x[i++], &x[j--]);
		}
		if (i == j)
			i++;
		/* x[lo..i-1] <= pivot <= x[i..hi], both parts shorter than the whole */
		if (k < i)
			hi = i - 1;
		else
			lo = i;
	}
}

double nslab_stats_middle(double *x, size_t n, size_t c, double *lo, double *hi)
{
	size_t first = 0, last = n - 1, k = (n - 1) / 2;
	double above;

	if (c) {
		paired_select(x, 0, n - 1, c - 1);
		paired_select(x, c - 1, n - 1, n - c);
		*lo = x[c - 1];
		*hi = x[n - c];
		first = c - 1;
		last = n - c;
	}
	paired_select(x, first, last, k);
	if (n % 2)
		return x[k];
	above = x[k + 1];
	for (size_t i = k + 2; i <= last; i++)
		above = fmin(above, x[i]);
	return x[k] + 0.5 * (above - x[k]);
}

struct paired_signed {
	double size;
	bool is_positive;
};

static int paired_signed_order(const void *a, const void *b)
{
	return nslab_stats_order(&((const struct paired_signed *)a)->size,
				 &((const struct paired_signed *)b)->size);
}

/* Room for the rank sum of n observations. */
struct paired_scratch {
	struct paired_signed *values;
	double *sizes;
	unsigned *ranks; /* doubled */
	size_t nr;	 /* values that are not 0 */
	size_t plus;	 /* doubled rank sum of the positive ones */
	bool has_ties;
};

static void paired_scratch_free(struct paired_scratch *scratch)
{
	free(scratch->values);
	free(scratch->sizes);
	free(scratch->ranks);
}

static int paired_rank(const double *d, size_t n, struct paired_scratch *scratch)
{
	scratch->values = calloc(n, sizeof(*scratch->values));
	scratch->sizes = calloc(n, sizeof(*scratch->sizes));
	scratch->ranks = calloc(n, sizeof(*scratch->ranks));
	if (!scratch->values || !scratch->sizes || !scratch->ranks)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (d[i] != 0.0)
			scratch->values[scratch->nr++] =
				(struct paired_signed){fabs(d[i]), d[i] > 0.0};
	}
	qsort(scratch->values, scratch->nr, sizeof(*scratch->values), paired_signed_order);
	for (size_t i = 0; i < scratch->nr; i++)
		scratch->sizes[i] = scratch->values[i].size;
	scratch->has_ties = nslab_stats_double_ranks(scratch->sizes, scratch->nr, scratch->ranks);
	for (size_t i = 0; i < scratch->nr; i++)
		scratch->plus += scratch->values[i].is_positive ? scratch->ranks[i] : 0;
	return 0;
}

/* The distribution is symmetric: the upper tail at plus is the lower one at top - plus. */
static int paired_tied_p(const struct paired_scratch *scratch, double *p)
{
	size_t top, at;
	double *mass = nslab_signed_rank_mass(scratch->ranks, scratch->nr, &top);
	double tail = 0.0;

	if (!mass)
		return -ENOMEM;
	at = scratch->plus < top - scratch->plus ? scratch->plus : top - scratch->plus;
	for (size_t s = 0; s <= at; s++)
		tail += mass[s];
	*p = fmin(1.0, 2.0 * tail);
	free(mass);
	return 0;
}

static int paired_exact_p(struct nslab_rank_cache *cache, const double *d, size_t n, double *p)
{
	struct paired_scratch scratch = {0};
	const double *cumulative;
	size_t top, at;
	int rc = paired_rank(d, n, &scratch);

	if (rc)
		goto out;
	if (scratch.has_ties) {
		rc = paired_tied_p(&scratch, p);
		goto out;
	}
	cumulative = nslab_signed_rank_cumulative(cache, scratch.nr);
	if (!cumulative) {
		rc = -ENOMEM;
		goto out;
	}
	top = scratch.nr * (scratch.nr + 1) / 2;
	at = scratch.plus / 2;
	*p = fmin(1.0, 2.0 * cumulative[at < top - at ? at : top - at]);
out:
	paired_scratch_free(&scratch);
	return rc;
}

/* All n (n + 1) / 2 pairwise means, each value with itself included. */
static double *paired_walsh(const double *d, size_t n, size_t *nr)
{
	double *means = malloc(n * (n + 1) / 2 * sizeof(*means));
	size_t k = 0;

	if (!means)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i; j < n; j++)
			means[k++] = 0.5 * d[i] + 0.5 * d[j];
	}
	*nr = k;
	return means;
}

static int paired_interval(struct nslab_rank_cache *cache, const double *d, size_t n,
			   double confidence, struct nslab_paired *result)
{
	const double *cumulative = nslab_signed_rank_cumulative(cache, n);
	size_t nr, critical;
	double *means = paired_walsh(d, n, &nr);

	if (!means || !cumulative) {
		free(means);
		return -ENOMEM;
	}
	critical = nslab_stats_critical(cumulative, nr, 1.0 - confidence);
	result->estimate = nslab_stats_middle(means, nr, critical, &result->lo, &result->hi);
	result->mde = nslab_mde(result->lo, result->hi);
	free(means);
	return 0;
}

int nslab_paired_compare_with(struct nslab_rank_cache *cache, const double *d, size_t n,
			      double confidence, struct nslab_paired *result)
{
	struct nslab_paired paired = {n, NAN, NAN, NAN, NAN, NAN};
	int rc;

	if (n > NSLAB_PAIRED_MAX || !(confidence > 0.0 && confidence < 1.0))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(d[i]))
			return -EINVAL;
	}
	if (n) {
		rc = paired_interval(cache, d, n, confidence, &paired);
		if (!rc)
			rc = paired_exact_p(cache, d, n, &paired.p);
		if (rc)
			return rc;
	}
	*result = paired;
	return 0;
}

int nslab_paired_compare(const double *d, size_t n, double confidence, struct nslab_paired *result)
{
	struct nslab_rank_cache cache = {0};
	int rc = nslab_paired_compare_with(&cache, d, n, confidence, result);

	nslab_rank_cache_clear(&cache);
	return rc;
}
