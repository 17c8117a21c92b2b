/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_hist.c: the log-linear histogram against sorted values. Buckets are checked over all of
 * their borders, percentiles against order statistics of seeded random values, and the rule of 10
 * values beyond at the very counts where it begins to hold. A damaged histogram has no percentile.
 */
#include "core/hist.h"

#include "core/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define VALUES 20000

static void hist_buckets_are_in_order_without_gaps_when_all_are_walked(void **state)
{
	(void)state;
	for (unsigned i = 0; i < NSLAB_HIST_BUCKETS; i++) {
		uint64_t low = nslab_hist_floor(i);

		assert_int_equal(nslab_hist_bucket(low), i);
		if (i)
			assert_int_equal(nslab_hist_bucket(low - 1), i - 1);
		/* known to within 1/64 of itself */
		if (i + 1 < NSLAB_HIST_BUCKETS)
			assert_true(nslab_hist_floor(i + 1) - low <= low / 64 + 1);
	}
}

static void hist_holds_the_largest_when_it_is_beyond_all_buckets(void **state)
{
	struct nslab_hist *hist = calloc(1, sizeof(*hist));

	(void)state;
	assert_non_null(hist);
	for (int i = 0; i < 40; i++)
		nslab_hist_add(hist, UINT64_MAX);
	assert_int_equal(hist->buckets[NSLAB_HIST_BUCKETS - 1], 40);
	assert_true(nslab_hist_quantile(hist, 0.5) == (double)UINT64_MAX);
	free(hist);
}

static void hist_is_exact_when_values_are_below_128(void **state)
{
	struct nslab_hist *hist = calloc(1, sizeof(*hist));

	(void)state;
	assert_non_null(hist);
	for (int i = 0; i < 50; i++)
		nslab_hist_add(hist, 101);
	for (int i = 0; i < 50; i++)
		nslab_hist_add(hist, 103);
	assert_true(nslab_hist_quantile(hist, 0.5) == 101);
	assert_true(nslab_hist_quantile(hist, 0.9) == 103);
	free(hist);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void hist_percentiles_are_within_a_bucket_when_values_span_octaves(void **state)
{
	static const double qs[] = {0.01, 0.25, 0.5, 0.9, 0.99, 0.999};
	uint64_t *values = calloc(VALUES, sizeof(*values)), seed = 3;
	struct nslab_hist *hist = calloc(2, sizeof(*hist));

	(void)state;
	assert_non_null(values);
	assert_non_null(hist);
	for (int i = 0; i < VALUES; i++) {
		values[i] = nslab_rng_next(&seed) >> (24 + nslab_rng_below(&seed, 40));
		nslab_hist_add(&hist[i % 2], values[i]);
	}
	nslab_hist_merge(&hist[0], &hist[1]);
	qsort(values, VALUES, sizeof(*values), by_value);
	assert_int_equal(hist[0].nr, VALUES);
	assert_int_equal(hist[0].min, values[0]);
	assert_int_equal(hist[0].max, values[VALUES - 1]);
	for (size_t i = 0; i < sizeof(qs) / sizeof(qs[0]); i++) {
		double exact = (double)values[(size_t)ceil(qs[i] * VALUES - 1e-6) - 1];
		double found = nslab_hist_quantile(&hist[0], qs[i]);

		assert_true(fabs(found - exact) <= exact / 64 + 1);
	}
	free(values);
	free(hist);
}

/* 0.1 * 100 is not 10 in binary, and 0.0001 * 100000 neither: the rule must not see that. */
static void hist_gives_a_percentile_when_exactly_ten_values_lie_beyond(void **state)
{
	static const struct {
		double q;
		uint64_t nr;
	} rows[] = {{0.5, 20}, {0.9, 100}, {0.99, 1000}, {0.999, 10000}, {0.9999, 100000}};
	struct nslab_hist *hist = calloc(1, sizeof(*hist));

	(void)state;
	assert_non_null(hist);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*hist = (struct nslab_hist){0};
		for (uint64_t v = 0; v + 1 < rows[i].nr; v++)
			nslab_hist_add(hist, 7);
		assert_true(isnan(nslab_hist_quantile(hist, rows[i].q)));
		nslab_hist_add(hist, 7);
		assert_true(nslab_hist_quantile(hist, rows[i].q) == 7);
	}
	free(hist);
}

static void hist_has_no_percentile_when_it_is_empty_or_damaged(void **state)
{
	struct nslab_hist *hist = calloc(2, sizeof(*hist));

	(void)state;
	assert_non_null(hist);
	assert_true(isnan(nslab_hist_quantile(hist, 0.5)));
	nslab_hist_add(hist, 5);
	nslab_hist_merge(hist, &hist[1]); /* an empty one changes nothing */
	assert_int_equal(hist->min, 5);
	hist->nr = 1000; /* says more than its buckets hold */
	assert_true(isnan(nslab_hist_quantile(hist, 0.9)));
	assert_true(isnan(nslab_hist_quantile(hist, NAN)));
	assert_true(isnan(nslab_hist_quantile(hist, -1)));
	free(hist);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hist_buckets_are_in_order_without_gaps_when_all_are_walked),
		cmocka_unit_test(hist_holds_the_largest_when_it_is_beyond_all_buckets),
		cmocka_unit_test(hist_is_exact_when_values_are_below_128),
		cmocka_unit_test(hist_percentiles_are_within_a_bucket_when_values_span_octaves),
		cmocka_unit_test(hist_gives_a_percentile_when_exactly_ten_values_lie_beyond),
		cmocka_unit_test(hist_has_no_percentile_when_it_is_empty_or_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
