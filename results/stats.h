/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.h: statistics as pure functions: no I/O, no clock, no random numbers.
 */
#ifndef NSLAB_STATS_H
#define NSLAB_STATS_H

#include <stddef.h>

/*
 * Linear interpolation between order statistics (type 7); x is not changed. NaN when n == 0, when x
 * holds a NaN, or when q is not in 0..1; the same holds for what is built on it.
 */
double nslab_quantile(const double *x, size_t n, double q);
double nslab_median(const double *x, size_t n);
/* Median absolute deviation from the median, not scaled. */
double nslab_mad(const double *x, size_t n);

/* How a trial's windows become one number. */
enum nslab_statistic {
	NSLAB_STATISTIC_Q25,
	NSLAB_STATISTIC_MEDIAN,
	NSLAB_STATISTIC_MIN
};
int nslab_statistic_parse(const char *text, enum nslab_statistic *statistic);
double nslab_reduce(const double *x, size_t n, enum nslab_statistic statistic);

/*
 * Paired comparison of d[0..n): median effect (Hodges-Lehmann), the interval that the exact
 * signed-rank test inverts (Walsh averages), and the exact two-sided p of "no effect" (distribution
 * of the rank sum by recurrence, mid-ranks for ties, zeros dropped). Below n = 6 no 95 % interval
 * exists: lo and hi are NaN. -EINVAL when a value is not finite or n is over NSLAB_PAIRED_MAX,
 * whose pairwise means take 64 MiB.
 */
#define NSLAB_PAIRED_MAX 4096

struct nslab_paired {
	size_t n;
	double estimate, lo, hi; /* in the units of d */
	double p;		 /* NaN when n == 0 */
	double mde;		 /* smallest effect found with 80 % power: 1.43 x half-width */
};
int nslab_paired_compare(const double *d, size_t n, double confidence, struct nslab_paired *result);

enum nslab_verdict {
	NSLAB_INCONCLUSIVE,
	NSLAB_CHANGED,
	NSLAB_EQUIVALENT
};
/* margin: log ratio, e.g. log(1.01) */
enum nslab_verdict nslab_verdict(const struct nslab_paired *paired, double margin);
const char *nslab_verdict_word(enum nslab_verdict verdict);

#endif
