/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.c: order statistics of a trial and the paired comparison of two arms.
 *
 * A comparison gets one number per block, the log ratio of the two arms that ran in it. The
 * estimate is the median of all pairwise means (Hodges-Lehmann), the interval takes the pairwise
 * means at the exact critical values of the signed-rank statistic, and the p value is the exact
 * tail of that statistic under "each sign is a fair coin". The distribution comes from one
 * recurrence: adding an observation of rank r moves half of the mass up by r. Ranks are kept
 * doubled, so that the mid-ranks of ties are whole numbers and the same loop serves ties.
 *
 * Invariants: input is never changed; a result that does not exist is NaN, never 0. Left out:
 * multiplicity (many cells at once) and unpaired tests, which a caller puts on top.
 */
#include "results/stats.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int stats_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A sorted copy; NULL when there is nothing to sort, a NaN among it or no memory. */
static double *stats_sorted(const double *x, size_t n)
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
	qsort(copy, n, sizeof(*copy), stats_order);
	return copy;
}

static double stats_sorted_quantile(const double *sorted, size_t n, double q)
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
	sorted = stats_sorted(x, n);
	if (!sorted)
		return NAN;
	result = stats_sorted_quantile(sorted, n, q);
	free(sorted);
	return result;
}

double nslab_median(const double *x, size_t n)
{
	return nslab_quantile(x, n, 0.5);
}

double nslab_mad(const double *x, size_t n)
{
	double *deviations = stats_sorted(x, n);
	double median, result;

	if (!deviations)
		return NAN;
	median = stats_sorted_quantile(deviations, n, 0.5);
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

/*
 * mass[s] = probability that the ranks with a plus sign sum to s, for s = 0 .. sum of the ranks.
 * Returns NULL when memory is out.
 */
static double *stats_signed_rank(const unsigned *ranks, size_t n, size_t *top)
{
	size_t sum = 0, reached = 0;
	double *mass;

	for (size_t i = 0; i < n; i++)
		sum += ranks[i];
	mass = calloc(sum + 1, sizeof(*mass));
	if (!mass)
		return NULL;
	mass[0] = 1.0;
	for (size_t i = 0; i < n; i++) {
		size_t rank = ranks[i];

		reached += rank;
		/* downwards: mass[s - rank] must still be without this observation */
		for (size_t s = reached + 1; s-- > 0;)
			mass[s] = 0.5 * mass[s] + (s >= rank ? 0.5 * mass[s - rank] : 0.0);
	}
	*top = sum;
	return mass;
}

static double stats_tail(const double *mass, size_t upto)
{
	double sum = 0.0;

	for (size_t s = 0; s <= upto; s++)
		sum += mass[s];
	return sum;
}

/* Doubled mid-ranks of the sorted values: 2, 4, 6 .. when there are no ties. */
static void stats_double_ranks(const double *sorted, size_t n, unsigned *ranks)
{
	for (size_t first = 0, last; first < n; first = last) {
		for (last = first + 1; last < n && sorted[last] == sorted[first];)
			last++;
		for (size_t i = first; i < last; i++)
			ranks[i] = (unsigned)(first + 1 + last);
	}
}

struct stats_signed {
	double size;
	bool is_positive;
};

static int stats_signed_order(const void *a, const void *b)
{
	return stats_order(&((const struct stats_signed *)a)->size,
			   &((const struct stats_signed *)b)->size);
}

/* Room for the rank sum of n observations. */
struct stats_scratch {
	struct stats_signed *values;
	double *sizes;
	unsigned *ranks;
};

static void stats_scratch_free(struct stats_scratch *scratch)
{
	free(scratch->values);
	free(scratch->sizes);
	free(scratch->ranks);
}

static int stats_scratch_alloc(struct stats_scratch *scratch, size_t n)
{
	scratch->values = calloc(n, sizeof(*scratch->values));
	scratch->sizes = calloc(n, sizeof(*scratch->sizes));
	scratch->ranks = calloc(n, sizeof(*scratch->ranks));
	if (scratch->values && scratch->sizes && scratch->ranks)
		return 0;
	stats_scratch_free(scratch);
	return -ENOMEM;
}

/* Doubled ranks of the m values that are not 0, and the doubled rank sum of the positive ones. */
static size_t stats_rank_sum(const double *d, size_t n, struct stats_scratch *scratch, size_t *plus)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		if (d[i] != 0.0)
			scratch->values[m++] = (struct stats_signed){fabs(d[i]), d[i] > 0.0};
	}
	qsort(scratch->values, m, sizeof(*scratch->values), stats_signed_order);
	for (size_t i = 0; i < m; i++)
		scratch->sizes[i] = scratch->values[i].size;
	stats_double_ranks(scratch->sizes, m, scratch->ranks);
	*plus = 0;
	for (size_t i = 0; i < m; i++)
		*plus += scratch->values[i].is_positive ? scratch->ranks[i] : 0;
	return m;
}

static int stats_exact_p(const double *d, size_t n, double *p)
{
	struct stats_scratch scratch;
	size_t m, plus, top;
	double *mass;
	int rc = stats_scratch_alloc(&scratch, n);

	if (rc)
		return rc;
	m = stats_rank_sum(d, n, &scratch, &plus);
	mass = stats_signed_rank(scratch.ranks, m, &top);
	if (!mass) {
		rc = -ENOMEM;
		goto out;
	}
	/* the distribution is symmetric: the upper tail at plus is the lower one at top - plus */
	*p = fmin(1.0, 2.0 * stats_tail(mass, plus < top - plus ? plus : top - plus));
	free(mass);
out:
	stats_scratch_free(&scratch);
	return rc;
}

/*
 * Largest c with P(rank sum < c) <= alpha / 2 without ties: the interval runs from the c-th
 * smallest to the c-th largest pairwise mean. 0: there is no interval at this n.
 */
static int stats_critical(size_t n, double alpha, size_t *critical)
{
	unsigned *ranks = calloc(n, sizeof(*ranks));
	double *mass = NULL;
	double sum = 0.0;
	size_t top;
	int rc = -ENOMEM;

	if (!ranks)
		goto out;
	for (size_t i = 0; i < n; i++)
		ranks[i] = (unsigned)(i + 1);
	mass = stats_signed_rank(ranks, n, &top);
	if (!mass)
		goto out;
	*critical = 0;
	while (*critical <= top && sum + mass[*critical] <= alpha / 2.0)
		sum += mass[(*critical)++];
	rc = 0;
out:
	free(mass);
	free(ranks);
	return rc;
}

/* All n (n + 1) / 2 pairwise means, each value with itself included, ascending. */
static double *stats_walsh(const double *d, size_t n, size_t *nr)
{
	double *means = malloc(n * (n + 1) / 2 * sizeof(*means));
	size_t k = 0;

	if (!means)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i; j < n; j++)
			means[k++] = 0.5 * d[i] + 0.5 * d[j];
	}
	qsort(means, k, sizeof(*means), stats_order);
	*nr = k;
	return means;
}

static int stats_interval(const double *d, size_t n, double confidence, struct nslab_paired *result)
{
	size_t nr, critical;
	double *means = stats_walsh(d, n, &nr);
	int rc;

	if (!means)
		return -ENOMEM;
	result->estimate = stats_sorted_quantile(means, nr, 0.5);
	rc = stats_critical(n, 1.0 - confidence, &critical);
	if (!rc && critical) {
		result->lo = means[critical - 1];
		result->hi = means[nr - critical];
		result->mde = 1.43 * 0.5 * (result->hi - result->lo);
	}
	free(means);
	return rc;
}

int nslab_paired_compare(const double *d, size_t n, double confidence, struct nslab_paired *result)
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
		rc = stats_interval(d, n, confidence, &paired);
		if (!rc)
			rc = stats_exact_p(d, n, &paired.p);
		if (rc)
			return rc;
	}
	*result = paired;
	return 0;
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
