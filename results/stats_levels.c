/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stats_levels.c: how much each level of repetition varies, and how often to repeat there.
 *
 * After Kalibera and Jones (Rigorous Benchmarking in Reasonable Time, 2013): values are repeated at
 * nested levels, windows within trials within builds. At each level the variance of the means of
 * the level below holds that level's own part and what the level below left over; the difference is
 * the level's own variance. Repeating pays where own variance per cost is large, which gives the
 * best number of repetitions at every level but the outermost; that one follows from the precision
 * that is asked for.
 *
 * Invariants: every group of a level has the same size; an own variance that comes out negative is
 * 0. Left out: levels of different sizes, for which callers drop the surplus.
 */
#include "results/stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Replaces each group of `size` values by its mean; returns the mean of the groups' variances. */
static double levels_reduce(double *x, size_t nr_groups, size_t size)
{
	double variances = 0.0;

	for (size_t g = 0; g < nr_groups; g++) {
		double mean = 0.0, squares = 0.0;

		for (size_t i = 0; i < size; i++)
			mean += x[g * size + i];
		mean /= (double)size;
		for (size_t i = 0; i < size; i++)
			squares += (x[g * size + i] - mean) * (x[g * size + i] - mean);
		variances += squares / (double)(size - 1);
		x[g] = mean;
	}
	return variances / (double)nr_groups;
}

static size_t levels_count(double value)
{
	return (size_t)fmin(NSLAB_LEVEL_COUNT_MAX, fmax(1.0, ceil(value)));
}

static void levels_finish(struct nslab_level *levels, const double *costs, size_t nr_levels)
{
	double total = 0.0;

	for (size_t i = 0; i < nr_levels; i++)
		total += levels[i].variance;
	for (size_t i = 0; i < nr_levels; i++) {
		levels[i].share = total > 0.0 ? levels[i].variance / total : NAN;
		levels[i].nr_best = 0;
		if (i + 1 == nr_levels)
			break;
		if (levels[i + 1].variance > 0.0)
			levels[i].nr_best =
				levels_count(sqrt(costs[i + 1] / costs[i] * levels[i].variance /
						  levels[i + 1].variance));
		else
			levels[i].nr_best = levels[i].variance > 0.0 ? NSLAB_LEVEL_COUNT_MAX : 1;
	}
}

static int levels_check(const double *x, const size_t *sizes, const double *costs, size_t nr_levels,
			size_t *total)
{
	if (!nr_levels || nr_levels > NSLAB_LEVELS_MAX)
		return -EINVAL;
	*total = 1;
	for (size_t i = 0; i < nr_levels; i++) {
		if (sizes[i] < 2 || !(costs[i] > 0.0) ||
		    __builtin_mul_overflow(*total, sizes[i], total))
			return -EINVAL;
	}
	for (size_t i = 0; i < *total; i++) {
		if (!isfinite(x[i]))
			return -EINVAL;
	}
	return 0;
}

int nslab_levels(const double *x, const size_t *sizes, const double *costs, size_t nr_levels,
		 struct nslab_level *levels)
{
	double *means, below = 0.0;
	size_t nr;
	int rc = levels_check(x, sizes, costs, nr_levels, &nr);

	if (rc)
		return rc;
	means = calloc(nr, sizeof(*means));
	if (!means)
		return -ENOMEM;
	memcpy(means, x, nr * sizeof(*means));
	for (size_t i = 0; i < nr_levels; i++) {
		nr /= sizes[i];
		levels[i].of_means = levels_reduce(means, nr, sizes[i]);
		levels[i].variance = fmax(0.0, levels[i].of_means - below);
		below = levels[i].of_means / (double)sizes[i];
	}
	levels_finish(levels, costs, nr_levels);
	free(means);
	return 0;
}

size_t nslab_levels_outer(const struct nslab_level *levels, size_t nr_levels, double half_width,
			  double confidence)
{
	double z = nslab_normal_upper(0.5 * (1.0 - confidence));
	double variance = 0.0;

	if (!(half_width > 0.0) || isnan(z))
		return 0;
	for (size_t i = 0; i < nr_levels; i++) {
		variance += levels[i].variance;
		if (i + 1 < nr_levels)
			variance /= (double)levels[i].nr_best;
	}
	return levels_count(z * z * variance / (half_width * half_width));
}
