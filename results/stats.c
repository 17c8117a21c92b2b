/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.c: order statistics of a trial, the interval of a median, and verdicts.
 *
 * A quantile interpolates between neighbours of a sorted copy (type 7), everything else is built on
 * it. The interval of a median takes the order statistics that the sign test cannot refuse, so it
 * needs no assumption about the shape of the distribution. The comparison of two arms is in
 * stats_paired.c and stats_unpaired.c, the null distributions in stats_rank.c, many cells at once
 * in stats_many.c, levels of repetition in stats_levels.c.
 *
 * Invariants: input is never changed; a result that does not exist is NaN, never 0. Left out:
 * means and variances of times, whose tails make them say little.
 */
#include "results/stats.h"

#include "results/stats_impl.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

double *nslab_stats_sorted(const double *x, size_t n)
{
	double *copy;

	for (size_t i = 0; i < n; i++) {
		if (isnan(x[i]))
			return NULL;
	}
	if (!n || n > SIZE_MAX / sizeof(*copy))
		return NULL;
	copy = malloc(n * sizeof(*copy));
	if (!copy)
		return NULL;
	memcpy(copy, x, n * sizeof(*copy));
	qsort(copy, n, sizeof(*copy), nslab_stats_order);
	return copy;
}

double nslab_stats_sorted_quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t below = (size_t)at;

	if (below >= n - 1)
		return sorted[n - 1];
	if (sorted[below] == sorted[below + 1])
		return sorted[below]; /* equal infinities have no difference */
	return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

double nslab_quantile(const double *x, size_t n, double q)
{
	double *sorted;
	double result;

	if (!(q >= 0.0 && q <= 1.0))
		return NAN;
	sorted = nslab_stats_sorted(x, n);
	if (!sorted)
		return NAN;
	result = nslab_stats_sorted_quantile(sorted, n, q);
	free(sorted);
	return result;
}

double nslab_median(const double *x, size_t n)
{
	return nslab_quantile(x, n, 0.5);
}

double nslab_mad(const double *x, size_t n)
{
	double *deviations = nslab_stats_sorted(x, n);
	double median, result;

	if (!deviations)
		return NAN;
	median = nslab_stats_sorted_quantile(deviations, n, 0.5);
	for (size_t i = 0; i < n; i++)
		deviations[i] = fabs(deviations[i] - median);
	result = nslab_median(deviations, n);
	free(deviations);
	return result;
}

static const char *const stats_statistic_words[] = {
	[NSLAB_STATISTIC_Q25] = "q25",
	[NSLAB_STATISTIC_MEDIAN] = "median",
	[NSLAB_STATISTIC_MIN] = "min",
};

int nslab_statistic_parse(const char *text, enum nslab_statistic *statistic)
{
	for (unsigned i = 0; i < 3; i++) {
		if (text && !strcmp(text, stats_statistic_words[i])) {
			*statistic = (enum nslab_statistic)i;
			return 0;
		}
	}
	return -EINVAL;
}

double nslab_reduce(const double *x, size_t n, enum nslab_statistic statistic)
{
	switch (statistic) {
	case NSLAB_STATISTIC_Q25:
		return nslab_quantile(x, n, 0.25);
	case NSLAB_STATISTIC_MEDIAN:
		return nslab_quantile(x, n, 0.5);
	case NSLAB_STATISTIC_MIN:
		return nslab_quantile(x, n, 0.0);
	}
	return NAN;
}

int nslab_median_interval(const double *x, size_t n, double confidence, double *lo, double *hi)
{
	double *sorted = nslab_stats_sorted(x, n);
	double below = 0.0, mass = exp2(-(double)n);
	size_t k = 0;

	*lo = NAN;
	*hi = NAN;
	if (!sorted)
		return n ? -EINVAL : 0;
	/* largest k with P(fewer than k of n fall below the median) <= alpha / 2 */
	while (k < n && below + mass <= (1.0 - confidence) / 2.0) {
		below += mass;
		mass *= (double)(n - k) / (double)(k + 1);
		k++;
	}
	if (k && 2 * k <= n) {
		*lo = sorted[k - 1];
		*hi = sorted[n - k];
	}
	free(sorted);
	return 0;
}

double nslab_mde(double lo, double hi)
{
	return 1.43 * 0.5 * (hi - lo);
}

enum nslab_verdict nslab_verdict(const struct nslab_paired *paired, double margin)
{
	if (isnan(paired->lo) || isnan(paired->hi))
		return NSLAB_INCONCLUSIVE;
	if (paired->lo > margin || paired->hi < -margin)
		return NSLAB_CHANGED;
	if (paired->lo >= -margin && paired->hi <= margin)
		return NSLAB_EQUIVALENT;
	return NSLAB_INCONCLUSIVE;
}

const char *nslab_verdict_word(enum nslab_verdict verdict)
{
	switch (verdict) {
	case NSLAB_CHANGED:
		return "changed";
	case NSLAB_EQUIVALENT:
		return "equivalent";
	case NSLAB_INCONCLUSIVE:
		break;
	}
	return "inconclusive";
}
