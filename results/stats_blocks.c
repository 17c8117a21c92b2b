// SPDX-License-Identifier: GPL-2.0-only
/*
 * stats_blocks.c: many arms that ran in common blocks, each against the best.
 *
 * Within each block the arms are ranked, mid-ranks for ties, so that a slow block or a stray value
 * counts no more than any other. Two arms differ by their rank sums; what rank sums vary by is
 * estimated from all arms together, less what the arms themselves explain (Conover, Practical
 * Nonparametric Statistics, 5.8). Where all blocks agree there is nothing left to vary, and every
 * difference is certain. Student's t has closed forms for whole degrees of freedom, so no series is
 * cut off. Left out: the joint test of all arms, which who wants to drop some does not need.
 */
#include "results/stats.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define HALF_PI 1.57079632679489661923

double nslab_student_both(double t, size_t df)
{
	double angle = atan(fabs(t) / sqrt((double)df));
	double square = cos(angle) * cos(angle);
	double term = df % 2 ? cos(angle) : 1.0, sum = 0.0;

	if (!df || isnan(t))
		return NAN;
	for (size_t i = df % 2 ? 3 : 2; i <= df; i += 2) {
		sum += term;
		term *= square * (double)(i - 1) / (double)i;
	}
	if (df % 2)
		return fmax(0.0, 1.0 - (angle + sin(angle) * sum) / HALF_PI);
	return fmax(0.0, 1.0 - sin(angle) * sum);
}

/* Mid-rank of x[at] among x[0..n). */
static double blocks_rank(const double *x, size_t n, size_t at)
{
	double below = 0.0, equal = 0.0;

	for (size_t i = 0; i < n; i++) {
		below += x[i] < x[at];
		equal += x[i] == x[at];
	}
	return below + (equal + 1.0) / 2.0;
}

/* Rank sum of each arm; returns the sum of the squares of all single ranks. */
static double blocks_sums(const double *x, size_t nr_blocks, size_t nr_arms, double *sums)
{
	double squares = 0.0;

	for (size_t b = 0; b < nr_blocks; b++) {
		for (size_t i = 0; i < nr_arms; i++) {
			double rank = blocks_rank(x + b * nr_arms, nr_arms, i);

			sums[i] += rank;
			squares += rank * rank;
		}
	}
	return squares;
}

static double blocks_p(double difference, double error, size_t df)
{
	if (difference == 0.0)
		return 1.0;
	return error > 0.0 ? nslab_student_both(difference / error, df) : 0.0;
}

int nslab_blocks_compare(const double *x, size_t nr_blocks, size_t nr_arms, size_t best, double *p)
{
	size_t df = nr_blocks && nr_arms ? (nr_blocks - 1) * (nr_arms - 1) : 0;
	double *sums, unexplained;

	if (!df || best >= nr_arms)
		return -EINVAL;
	for (size_t i = 0; i < nr_blocks * nr_arms; i++) {
		if (!isfinite(x[i]))
			return -EINVAL;
	}
	sums = calloc(nr_arms, sizeof(*sums));
	if (!sums)
		return -ENOMEM;
	unexplained = (double)nr_blocks * blocks_sums(x, nr_blocks, nr_arms, sums);
	for (size_t i = 0; i < nr_arms; i++)
		unexplained -= sums[i] * sums[i];
	for (size_t i = 0; i < nr_arms; i++)
		p[i] = i == best ? NAN
				 : blocks_p(sums[i] - sums[best],
					    sqrt(fmax(0.0, 2.0 * unexplained / (double)df)), df);
	free(sums);
	return 0;
}
