/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats_impl.h: what the files of statistics share: sorting, mid-ranks, null distributions.
 *
 * A null distribution is given as its cumulative: cumulative[s] = P(statistic <= s), which belongs
 * to the cache and stays until the cache is cleared.
 */
#ifndef NSLAB_STATS_IMPL_H
#define NSLAB_STATS_IMPL_H

#include "results/stats.h"

#include <stdbool.h>

/* Sizes up to this one have a slot each; of larger ones the last is kept. */
#define NSLAB_RANK_CACHE_MAX 256

struct nslab_rank_cache {
	double *signed_rank[NSLAB_RANK_CACHE_MAX + 1];
	double *large;
	size_t large_n;
	double *rank_sum;
	size_t rank_sum_a, rank_sum_b;
};

static inline int nslab_stats_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A sorted copy; NULL when there is nothing to sort, a NaN among it or no memory. */
double *nslab_stats_sorted(const double *x, size_t n);
double nslab_stats_sorted_quantile(const double *sorted, size_t n, double q);

/*
 * Median of x[0..n), and when c > 0 its c-th smallest and c-th largest value, without sorting all
 * of it. Reorders x; 2 c <= n.
 */
double nslab_stats_middle(double *x, size_t n, size_t c, double *lo, double *hi);

/* Doubled mid-ranks of sorted values: 2, 4, 6 .. without ties. True: there are ties. */
bool nslab_stats_double_ranks(const double *sorted, size_t n, unsigned *ranks);

/* P(sum of the ranks with a plus sign = s) for any ranks; *top is their sum. free() it. */
double *nslab_signed_rank_mass(const unsigned *ranks, size_t n, size_t *top);
/* P(sum of nr_a ranks drawn from nr = s); *top is the largest sum. free() it. */
double *nslab_rank_sum_mass(const unsigned *ranks, size_t nr, size_t nr_a, size_t *top);

/* Of ranks 1..n: s = 0 .. n (n + 1) / 2. NULL when memory is out. */
const double *nslab_signed_rank_cumulative(struct nslab_rank_cache *cache, size_t n);
/* Of Mann-Whitney's U without ties: u = 0 .. nr_a nr_b. NULL when memory is out. */
const double *nslab_rank_sum_cumulative(struct nslab_rank_cache *cache, size_t nr_a, size_t nr_b);
void nslab_rank_cache_clear(struct nslab_rank_cache *cache);

/* Largest c with P(statistic < c) <= alpha / 2; 0: there is no interval. */
size_t nslab_stats_critical(const double *cumulative, size_t top, double alpha);

#endif
