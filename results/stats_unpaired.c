/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats_unpaired.c: two samples that share no blocks, as other tools' results are.
 *
 * Mann-Whitney's test asks in how many of all draws of this size the rank sum would lie as far out;
 * the draws are counted by a recurrence, over doubled mid-ranks when there are ties. The estimate
 * of the shift is the median of all differences between the two samples (Hodges-Lehmann), its
 * interval takes the differences at the critical values of the same test. Where counting would
 * take too long a normal approximation with the correction for ties and for continuity stands in,
 * and the result says so.
 *
 * Invariants: the smaller sample is the one that is drawn, which bounds memory. Left out: Welch's
 * test, since times have tails.
 */
#include "results/stats.h"

#include "results/stats_impl.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Both samples ranked together; a is the smaller one. */
struct unpaired_ranks {
	size_t nr_a, nr_b;
	unsigned *ranks; /* doubled, ascending */
	size_t sum_a;	 /* doubled rank sum of a */
	bool has_ties;
	double ties; /* sum of t^3 - t over groups of t equal values */
};

struct unpaired_value {
	double value;
	bool is_a;
};

static int unpaired_order(const void *a, const void *b)
{
	return nslab_stats_order(&((const struct unpaired_value *)a)->value,
				 &((const struct unpaired_value *)b)->value);
}

static double unpaired_ties(const double *sorted, size_t nr)
{
	double sum = 0.0;

	for (size_t first = 0, last; first < nr; first = last) {
		double t;

		for (last = first + 1; last < nr && sorted[last] == sorted[first];)
			last++;
		t = (double)(last - first);
		sum += t * t * t - t;
	}
	return sum;
}

static int unpaired_rank(const double *a, const double *b, struct unpaired_ranks *r)
{
	size_t nr = r->nr_a + r->nr_b;
	struct unpaired_value *values = calloc(nr, sizeof(*values));
	double *sorted = calloc(nr, sizeof(*sorted));
	int rc = -ENOMEM;

	r->ranks = calloc(nr, sizeof(*r->ranks));
	if (!values || !sorted || !r->ranks)
		goto out;
	for (size_t i = 0; i < nr; i++)
		values[i] =
			(struct unpaired_value){i < r->nr_a ? a[i] : b[i - r->nr_a], i < r->nr_a};
	qsort(values, nr, sizeof(*values), unpaired_order);
	for (size_t i = 0; i < nr; i++)
		sorted[i] = values[i].value;
	r->has_ties = nslab_stats_double_ranks(sorted, nr, r->ranks);
	r->ties = unpaired_ties(sorted, nr);
	for (size_t i = 0; i < nr; i++)
		r->sum_a += values[i].is_a ? r->ranks[i] : 0;
	rc = 0;
out:
	free(values);
	free(sorted);
	return rc;
}

/* Twice the smaller tail; with ties the distribution need not be symmetric. */
static int unpaired_tied_p(const struct unpaired_ranks *r, double *p)
{
	size_t top;
	double *mass = nslab_rank_sum_mass(r->ranks, r->nr_a + r->nr_b, r->nr_a, &top);
	double below = 0.0, above = 0.0;

	if (!mass)
		return -ENOMEM;
	for (size_t s = 0; s <= r->sum_a; s++)
		below += mass[s];
	for (size_t s = top + 1; s-- > r->sum_a;)
		above += mass[s];
	*p = fmin(1.0, 2.0 * fmin(below, above));
	free(mass);
	return 0;
}

static double unpaired_normal_p(const struct unpaired_ranks *r)
{
	double a = (double)r->nr_a, b = (double)r->nr_b, nr = a + b;
	double u = 0.5 * (double)r->sum_a - a * (a + 1.0) / 2.0;
	double variance = a * b / 12.0 * (nr + 1.0 - r->ties / (nr * (nr - 1.0)));
	double far = fmax(0.0, fabs(u - a * b / 2.0) - 0.5);

	if (!(variance > 0.0))
		return 1.0; /* all values are equal */
	return erfc(far / sqrt(2.0 * variance));
}

static int unpaired_p(struct nslab_rank_cache *cache, const struct unpaired_ranks *r,
		      struct nslab_unpaired *result)
{
	size_t pairs = r->nr_a * r->nr_b, u;
	const double *cumulative;

	result->is_exact =
		pairs <= (r->has_ties ? NSLAB_UNPAIRED_EXACT_TIED : NSLAB_UNPAIRED_EXACT);
	if (!result->is_exact) {
		result->p = unpaired_normal_p(r);
		return 0;
	}
	if (r->has_ties)
		return unpaired_tied_p(r, &result->p);
	cumulative = nslab_rank_sum_cumulative(cache, r->nr_a, r->nr_b);
	if (!cumulative)
		return -ENOMEM;
	u = r->sum_a / 2 - r->nr_a * (r->nr_a + 1) / 2;
	result->p = fmin(1.0, 2.0 * cumulative[u < pairs - u ? u : pairs - u]);
	return 0;
}

double nslab_normal_upper(double tail)
{
	double lo = 0.0, hi = 40.0;

	if (!(tail > 0.0 && tail <= 0.5))
		return NAN;
	for (int i = 0; i < 100; i++) {
		double middle = 0.5 * (lo + hi);

		if (0.5 * erfc(middle / sqrt(2.0)) > tail)
			lo = middle;
		else
			hi = middle;
	}
	return lo;
}

/* As for the paired interval: from the c-th smallest to the c-th largest difference. */
static int unpaired_critical(struct nslab_rank_cache *cache, size_t nr_a, size_t nr_b, double alpha,
			     size_t *critical)
{
	double a = (double)nr_a, b = (double)nr_b;
	const double *cumulative;

	if (nr_a * nr_b > NSLAB_UNPAIRED_EXACT) {
		*critical = (size_t)fmax(0.0, 0.5 * a * b + 0.5 -
						      nslab_normal_upper(0.5 * alpha) *
							      sqrt(a * b * (a + b + 1.0) / 12.0));
		return 0;
	}
	cumulative = nslab_rank_sum_cumulative(cache, nr_a, nr_b);
	if (!cumulative)
		return -ENOMEM;
	*critical = nslab_stats_critical(cumulative, nr_a * nr_b, alpha);
	return 0;
}

static int unpaired_interval(struct nslab_rank_cache *cache, const double *a, const double *b,
			     double confidence, struct nslab_unpaired *result)
{
	size_t nr_a = result->nr_a, nr_b = result->nr_b, critical, k = 0;
	double *differences = malloc(nr_a * nr_b * sizeof(*differences));
	int rc;

	if (!differences)
		return -ENOMEM;
	for (size_t i = 0; i < nr_a; i++) {
		for (size_t j = 0; j < nr_b; j++)
			differences[k++] = b[j] - a[i];
	}
	rc = unpaired_critical(cache, nr_a < nr_b ? nr_a : nr_b, nr_a < nr_b ? nr_b : nr_a,
			       1.0 - confidence, &critical);
	if (!rc) {
		result->estimate =
			nslab_stats_middle(differences, k, critical, &result->lo, &result->hi);
		result->mde = nslab_mde(result->lo, result->hi);
	}
	free(differences);
	return rc;
}

static bool unpaired_is_finite(const double *x, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(x[i]))
			return false;
	}
	return true;
}

int nslab_unpaired_compare_with(struct nslab_rank_cache *cache, const double *a, size_t nr_a,
				const double *b, size_t nr_b, double confidence,
				struct nslab_unpaired *result)
{
	bool is_a_smaller = nr_a <= nr_b;
	struct unpaired_ranks ranks = {.nr_a = is_a_smaller ? nr_a : nr_b,
				       .nr_b = is_a_smaller ? nr_b : nr_a};
	struct nslab_unpaired unpaired = {nr_a, nr_b, NAN, NAN, NAN, NAN, NAN, true};
	int rc = 0;

	if (nr_a > NSLAB_UNPAIRED_MAX || nr_b > NSLAB_UNPAIRED_MAX ||
	    !(confidence > 0.0 && confidence < 1.0) || !unpaired_is_finite(a, nr_a) ||
	    !unpaired_is_finite(b, nr_b))
		return -EINVAL;
	if (nr_a && nr_b) {
		rc = unpaired_rank(is_a_smaller ? a : b, is_a_smaller ? b : a, &ranks);
		if (!rc)
			rc = unpaired_p(cache, &ranks, &unpaired);
		if (!rc)
			rc = unpaired_interval(cache, a, b, confidence, &unpaired);
	}
	free(ranks.ranks);
	if (!rc)
		*result = unpaired;
	return rc;
}

int nslab_unpaired_compare(const double *a, size_t nr_a, const double *b, size_t nr_b,
			   double confidence, struct nslab_unpaired *result)
{
	struct nslab_rank_cache cache = {0};
	int rc = nslab_unpaired_compare_with(&cache, a, nr_a, b, nr_b, confidence, result);

	nslab_rank_cache_clear(&cache);
	return rc;
}
