/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats.h: statistics as pure functions: no I/O, no clock, no random numbers.
 */
#ifndef NSLAB_STATS_H
#define NSLAB_STATS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Linear interpolation between order statistics (type 7); x is not changed. NaN when n == 0, when x
 * holds a NaN, or when q is not in 0..1; the same holds for what is built on it.
 */
double nslab_quantile(const double *x, size_t n, double q);
double nslab_median(const double *x, size_t n);
/* Median absolute deviation from the median, not scaled. */
double nslab_mad(const double *x, size_t n);

/*
 * Interval of the median from the order statistics that the sign test cannot refuse; it holds for
 * any continuous distribution. NaN where none exists (below n = 6 at 95 %). 0, -EINVAL for a NaN
 * or no memory.
 */
int nslab_median_interval(const double *x, size_t n, double confidence, double *lo, double *hi);
/* z with P(Z > z) = tail of a standard normal Z; NaN when tail is not in 0 .. 0.5. */
double nslab_normal_upper(double tail);
/* Smallest effect found with 80 % power at 5 %, from an interval: 1.43 half-widths. */
double nslab_mde(double lo, double hi);

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

/*
 * The null distributions of the sizes that were asked for; many comparisons share one. Not for use
 * by two threads at once. NULL when memory is out.
 */
struct nslab_rank_cache;
struct nslab_rank_cache *nslab_rank_cache_create(void);
void nslab_rank_cache_free(struct nslab_rank_cache *cache); /* NULL is fine */
int nslab_paired_compare_with(struct nslab_rank_cache *cache, const double *d, size_t n,
			      double confidence, struct nslab_paired *result);

/*
 * Two samples without common blocks: shift b - a (Hodges-Lehmann), its interval and the two-sided p
 * of Mann-Whitney's test (twice the smaller tail). Exact, with mid-ranks for ties, while nr_a *
 * nr_b is at most NSLAB_UNPAIRED_EXACT (with ties NSLAB_UNPAIRED_EXACT_TIED); above that p is of a
 * normal approximation, corrected for ties and continuity, and is_exact is false. -EINVAL when a
 * value is not finite or a sample has more than NSLAB_UNPAIRED_MAX values.
 */
#define NSLAB_UNPAIRED_MAX	  2048
#define NSLAB_UNPAIRED_EXACT	  10000
#define NSLAB_UNPAIRED_EXACT_TIED 2500

struct nslab_unpaired {
	size_t nr_a, nr_b;
	double estimate, lo, hi; /* in the units of the values */
	double p, mde;
	bool is_exact; /* p */
};
int nslab_unpaired_compare(const double *a, size_t nr_a, const double *b, size_t nr_b,
			   double confidence, struct nslab_unpaired *result);
int nslab_unpaired_compare_with(struct nslab_rank_cache *cache, const double *a, size_t nr_a,
				const double *b, size_t nr_b, double confidence,
				struct nslab_unpaired *result);

/*
 * Many arms in common blocks: two-sided p of "no difference to the arm `best`" for each, from ranks
 * within blocks (Friedman's, compared as Conover does, by Student's t). x[block * nr_arms + arm].
 * NaN for `best` itself. It pools the noise of all arms, so that few blocks suffice where there are
 * many arms; two arms are better compared by nslab_paired_compare. Not adjusted for their number.
 * 0, -EINVAL below 2 blocks or 2 arms or for a value that is not finite, -ENOMEM.
 */
int nslab_blocks_compare(const double *x, size_t nr_blocks, size_t nr_arms, size_t best, double *p);
/* P(|T| > |t|) of Student's t with df degrees of freedom; NaN when df is 0. */
double nslab_student_both(double t, size_t df);

/*
 * Adjusted p values, in the order of p: family-wise (Holm) and false discovery rate (Benjamini and
 * Hochberg). NaN stays NaN and does not count. 0 or -ENOMEM.
 */
int nslab_holm(const double *p, size_t n, double *adjusted);
int nslab_benjamini_hochberg(const double *p, size_t n, double *adjusted);

/*
 * Variance by level of repetition, level 0 innermost: windows in trials in builds. x holds
 * sizes[0] values of the first group, then of the next, the outermost level slowest; every size at
 * least 2. costs[i]: what one more repetition at level i costs beside what it contains, in any
 * unit. Of logarithms the variances are relative. 0, -EINVAL or -ENOMEM.
 */
#define NSLAB_LEVELS_MAX      4
#define NSLAB_LEVEL_COUNT_MAX 1000

struct nslab_level {
	double of_means; /* variance of the means of the level below */
	double variance; /* the level's own part of it; never negative */
	double share;	 /* of the sum of own variances; NaN when nothing varies */
	size_t nr_best;	 /* repetitions at this level; 0 at the outermost */
};
int nslab_levels(const double *x, const size_t *sizes, const double *costs, size_t nr_levels,
		 struct nslab_level *levels);
/*
 * Outermost repetitions that give an interval of +-half_width, by the normal distribution, with
 * nr_best below; 0 when half_width or confidence make no sense.
 */
size_t nslab_levels_outer(const struct nslab_level *levels, size_t nr_levels, double half_width,
			  double confidence);

enum nslab_verdict {
	NSLAB_INCONCLUSIVE,
	NSLAB_CHANGED,
	NSLAB_EQUIVALENT
};
/* margin: log ratio, e.g. log(1.01) */
enum nslab_verdict nslab_verdict(const struct nslab_paired *paired, double margin);
const char *nslab_verdict_word(enum nslab_verdict verdict);

#endif
