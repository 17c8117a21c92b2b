/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_stats.c: statistics against values that were computed some other way.
 *
 * The paired comparison is held against data/paired.tsv, which a script made by enumerating sign
 * flips and by exact fractions. Quantiles are held against hand-computed values. Coverage is
 * counted on seeded noise, so the count is the same at every run. Left out: speed.
 */
#include "core/rng.h"
#include "results/stats.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VECTOR_MAX 256

static const char *vectors_path;

static void assert_near(double got, double want)
{
	if (isnan(want) && isnan(got))
		return;
	if (!(fabs(got - want) <= 1e-12 * fmax(1.0, fabs(want))))
		fail_msg("got %.17g, want %.17g", got, want);
}

static void quantile_interpolates_between_order_statistics(void **state)
{
	const double x[] = {40.0, 10.0, 30.0, 20.0};

	(void)state;
	assert_near(nslab_quantile(x, 4, 0.0), 10.0);
	assert_near(nslab_quantile(x, 4, 0.25), 17.5);
	assert_near(nslab_quantile(x, 4, 0.5), 25.0);
	assert_near(nslab_quantile(x, 4, 0.9), 37.0);
	assert_near(nslab_quantile(x, 4, 1.0), 40.0);
	assert_near(nslab_quantile(x, 1, 0.3), 40.0);
	assert_near(x[0], 40.0);
}

static void quantile_is_nan_when_there_is_none(void **state)
{
	const double x[] = {1.0, NAN, 3.0};

	(void)state;
	assert_true(isnan(nslab_quantile(x, 0, 0.5)));
	assert_true(isnan(nslab_quantile(x, 3, 0.5)));
	assert_true(isnan(nslab_quantile(x, 1, -0.1)));
	assert_true(isnan(nslab_quantile(x, 1, 1.1)));
	assert_true(isnan(nslab_median(x, 0)));
	assert_true(isnan(nslab_mad(x, 0)));
}

static void mad_ignores_one_outlier(void **state)
{
	const double x[] = {1.0, 2.0, 3.0, 4.0, 1000.0};

	(void)state;
	assert_near(nslab_median(x, 5), 3.0);
	assert_near(nslab_mad(x, 5), 1.0);
}

static void reduce_follows_the_named_statistic(void **state)
{
	const double x[] = {5.0, 1.0, 2.0, 3.0, 4.0};
	enum nslab_statistic statistic = NSLAB_STATISTIC_MIN;

	(void)state;
	assert_int_equal(nslab_statistic_parse("q25", &statistic), 0);
	assert_near(nslab_reduce(x, 5, statistic), 2.0);
	assert_int_equal(nslab_statistic_parse("median", &statistic), 0);
	assert_near(nslab_reduce(x, 5, statistic), 3.0);
	assert_int_equal(nslab_statistic_parse("min", &statistic), 0);
	assert_near(nslab_reduce(x, 5, statistic), 1.0);
	assert_int_equal(nslab_statistic_parse("mean", &statistic), -EINVAL);
	assert_int_equal(nslab_statistic_parse(NULL, &statistic), -EINVAL);
}

/* One line of the file; returns how many values it has. */
static size_t parse_vector(char *line, double head[5], double *values)
{
	size_t nr = 0;
	char *at = line;

	for (int i = 0; i < 5; i++)
		head[i] = strtod(at, &at);
	while (nr < VECTOR_MAX && *at && *at != '\n') {
		char *end;

		values[nr++] = strtod(at + 1, &end);
		assert_ptr_not_equal(end, at + 1);
		at = end;
	}
	return nr;
}

static void paired_agrees_with_enumeration(void **state)
{
	FILE *file = fopen(vectors_path, "r");
	static char line[65536];
	size_t nr_vectors = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		struct nslab_paired got;
		double head[5], values[VECTOR_MAX];
		size_t nr = parse_vector(line, head, values);

		assert_int_equal(nslab_paired_compare(values, nr, head[0], &got), 0);
		assert_int_equal(got.n, nr);
		assert_near(got.estimate, head[1]);
		assert_near(got.lo, head[2]);
		assert_near(got.hi, head[3]);
		assert_near(got.p, head[4]);
		nr_vectors++;
	}
	fclose(file);
	assert_true(nr_vectors >= 50);
}

static void paired_has_no_interval_below_six(void **state)
{
	const double d[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6};
	struct nslab_paired got;

	(void)state;
	assert_int_equal(nslab_paired_compare(d, 5, 0.95, &got), 0);
	assert_near(got.estimate, 0.3);
	assert_true(isnan(got.lo) && isnan(got.hi) && isnan(got.mde));
	assert_near(got.p, 0.0625);
	assert_int_equal(nslab_paired_compare(d, 6, 0.95, &got), 0);
	assert_near(got.lo, 0.1);
	assert_near(got.hi, 0.6);
	assert_near(got.mde, 1.43 * 0.25);
	assert_near(got.p, 0.03125);
}

static void paired_refuses_what_it_cannot_rank(void **state)
{
	const double bad[] = {0.1, NAN, 0.2}, infinite[] = {INFINITY};
	struct nslab_paired got;

	(void)state;
	assert_int_equal(nslab_paired_compare(bad, 3, 0.95, &got), -EINVAL);
	assert_int_equal(nslab_paired_compare(infinite, 1, 0.95, &got), -EINVAL);
	assert_int_equal(nslab_paired_compare(bad, 1, 1.0, &got), -EINVAL);
	assert_int_equal(nslab_paired_compare(bad, NSLAB_PAIRED_MAX + 1, 0.95, &got), -EINVAL);
	assert_int_equal(nslab_paired_compare(NULL, 0, 0.95, &got), 0);
	assert_int_equal(got.n, 0);
	assert_true(isnan(got.p) && isnan(got.estimate));
}

/* Sum of four uniform numbers: symmetric about 0, with tails. */
static double noise(uint64_t *state)
{
	double sum = -2.0;

	for (int i = 0; i < 4; i++)
		sum += (double)(nslab_rng_next(state) >> 11) / 9007199254740992.0;
	return sum;
}

static void paired_interval_covers_the_effect_as_often_as_promised(void **state)
{
	const double effect = 0.05;
	uint64_t rng = 7;
	int nr_covered = 0, nr_false = 0;

	(void)state;
	for (int run = 0; run < 2000; run++) {
		struct nslab_paired got;
		double d[10];

		for (int i = 0; i < 10; i++)
			d[i] = effect + noise(&rng);
		assert_int_equal(nslab_paired_compare(d, 10, 0.95, &got), 0);
		nr_covered += got.lo <= effect && effect <= got.hi;
		for (int i = 0; i < 10; i++)
			d[i] -= effect;
		assert_int_equal(nslab_paired_compare(d, 10, 0.95, &got), 0);
		nr_false += got.p <= 0.05;
	}
	/* at n = 10 the exact levels are 95.1 % and 4.9 %; 4 standard errors on either side */
	assert_in_range(nr_covered, 1864, 1941);
	assert_in_range(nr_false, 59, 136);
}

/* Quantiles of printed tables. */
static void student_agrees_with_tables(void **state)
{
	(void)state;
	assert_true(fabs(nslab_student_both(12.706, 1) - 0.05) < 1e-5);
	assert_true(fabs(nslab_student_both(-4.3027, 2) - 0.05) < 1e-5);
	assert_true(fabs(nslab_student_both(2.2281, 10) - 0.05) < 1e-5);
	assert_true(fabs(nslab_student_both(2.0345, 33) - 0.05) < 1e-5);
	assert_true(fabs(nslab_student_both(3.3735, 1000) - 0.00077) < 1e-5);
	assert_near(nslab_student_both(0, 7), 1.0);
	assert_true(isnan(nslab_student_both(1, 0)));
}

/*
 * Ranks 1 2 3, 2 1 3, 1 2 3, 1 3 2: sums 5, 8, 11; squares 56 in all. 2 (4 * 56 - 210) / 6 = 14/3
 * is the square of a difference's error, with 6 degrees of freedom.
 */
static void blocks_compare_by_ranks(void **state)
{
	const double x[] = {10, 20, 30, 220, 210, 230, 1, 2, 9, 5, 7, 6.5};
	const double same[] = {1, 2, 3, 11, 12, 13, 21, 22, 23};
	double p[3];

	(void)state;
	assert_int_equal(nslab_blocks_compare(x, 4, 3, 0, p), 0);
	assert_true(isnan(p[0]));
	assert_near(p[1], nslab_student_both(3 / sqrt(14.0 / 3), 6));
	assert_near(p[2], nslab_student_both(6 / sqrt(14.0 / 3), 6));
	assert_int_equal(nslab_blocks_compare(same, 3, 3, 1, p), 0);
	assert_near(p[0], 0.0);
	assert_near(p[2], 0.0);
	assert_int_equal(nslab_blocks_compare(x, 1, 3, 0, p), -EINVAL);
	assert_int_equal(nslab_blocks_compare(x, 4, 1, 0, p), -EINVAL);
	assert_int_equal(nslab_blocks_compare(x, 4, 3, 3, p), -EINVAL);
	assert_int_equal(nslab_blocks_compare((const double[]){1, NAN, 2, 3}, 2, 2, 0, p), -EINVAL);
}

static void verdict_needs_the_whole_interval(void **state)
{
	const double margin = log(1.01);
	struct nslab_paired paired = {.n = 10};

	(void)state;
	paired.lo = 0.02;
	paired.hi = 0.03;
	assert_int_equal(nslab_verdict(&paired, margin), NSLAB_CHANGED);
	paired.lo = -0.03;
	paired.hi = -0.02;
	assert_int_equal(nslab_verdict(&paired, margin), NSLAB_CHANGED);
	paired.lo = -0.005;
	paired.hi = 0.005;
	assert_int_equal(nslab_verdict(&paired, margin), NSLAB_EQUIVALENT);
	paired.lo = 0.001;
	paired.hi = 0.03;
	assert_int_equal(nslab_verdict(&paired, margin), NSLAB_INCONCLUSIVE);
	paired.lo = NAN;
	assert_int_equal(nslab_verdict(&paired, margin), NSLAB_INCONCLUSIVE);
	assert_string_equal(nslab_verdict_word(NSLAB_CHANGED), "changed");
	assert_string_equal(nslab_verdict_word(NSLAB_EQUIVALENT), "equivalent");
	assert_string_equal(nslab_verdict_word(NSLAB_INCONCLUSIVE), "inconclusive");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantile_interpolates_between_order_statistics),
		cmocka_unit_test(quantile_is_nan_when_there_is_none),
		cmocka_unit_test(mad_ignores_one_outlier),
		cmocka_unit_test(reduce_follows_the_named_statistic),
		cmocka_unit_test(paired_agrees_with_enumeration),
		cmocka_unit_test(paired_has_no_interval_below_six),
		cmocka_unit_test(paired_refuses_what_it_cannot_rank),
		cmocka_unit_test(paired_interval_covers_the_effect_as_often_as_promised),
		cmocka_unit_test(student_agrees_with_tables),
		cmocka_unit_test(blocks_compare_by_ranks),
		cmocka_unit_test(verdict_needs_the_whole_interval),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: test_stats PAIRED.TSV\n");
		return 2;
	}
	vectors_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
