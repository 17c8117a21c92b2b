/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_stats_vectors.c: statistics against what R computes, and against the promises they make.
 *
 * tests/data/stats/vectors.tsv was made by the script beside it; every line names a function, its
 * parameters, what R returns and the sample, and must agree to 1e-9. Coverage of intervals and the
 * rate of false positives are counted on seeded noise, so the counts are the same at every run.
 * Left out: the paired comparison with ties, which test_stats.c holds against an enumeration.
 */
#define _GNU_SOURCE
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

#define VECTOR_FIELDS 5
#define VECTOR_MAX    512

static const char *vectors_path;
static struct nslab_rank_cache *vectors_cache;

struct vector {
	const char *kind;
	size_t nr[VECTOR_FIELDS]; /* parameters, wanted values, first and second sample */
	double x[VECTOR_FIELDS][VECTOR_MAX];
};

enum vector_field {
	VECTOR_PARAMETERS,
	VECTOR_WANT,
	VECTOR_A,
	VECTOR_B
};

static void vector_parse(char *line, struct vector *v)
{
	char *next = line;

	memset(v->nr, 0, sizeof(v->nr));
	line[strcspn(line, "\n")] = '\0';
	v->kind = strsep(&next, "\t");
	for (int field = 0; next; field++) {
		char *at = strsep(&next, "\t");

		assert_true(field < VECTOR_FIELDS);
		while (at && *at) {
			assert_true(v->nr[field] < VECTOR_MAX);
			v->x[field][v->nr[field]++] = strtod(strsep(&at, ","), NULL);
		}
	}
}

static void assert_near(const struct vector *v, double got, double want)
{
	if (isnan(want) ? isnan(got) : fabs(got - want) <= 1e-9 * fmax(1.0, fabs(want)))
		return;
	fail_msg("%s of %zu and %zu values: got %.17g, want %.17g", v->kind, v->nr[VECTOR_A],
		 v->nr[VECTOR_B], got, want);
}

static void check_order(const struct vector *v)
{
	const double *x = v->x[VECTOR_A], *want = v->x[VECTOR_WANT];
	double parameter = v->x[VECTOR_PARAMETERS][0], lo, hi;
	size_t n = v->nr[VECTOR_A];

	if (!strcmp(v->kind, "quantile")) {
		assert_near(v, nslab_quantile(x, n, parameter), want[0]);
	} else if (!strcmp(v->kind, "mad")) {
		assert_near(v, nslab_mad(x, n), want[0]);
	} else if (!strcmp(v->kind, "normal")) {
		assert_near(v, nslab_normal_upper(parameter), want[0]);
	} else {
		assert_string_equal(v->kind, "median_interval");
		assert_int_equal(nslab_median_interval(x, n, parameter, &lo, &hi), 0);
		assert_near(v, lo, want[0]);
		assert_near(v, hi, want[1]);
	}
}

static void check_paired(const struct vector *v)
{
	const double *want = v->x[VECTOR_WANT];
	struct nslab_paired got;

	assert_int_equal(nslab_paired_compare(v->x[VECTOR_A], v->nr[VECTOR_A],
					      v->x[VECTOR_PARAMETERS][0], &got),
			 0);
	assert_near(v, got.estimate, want[0]);
	assert_near(v, got.lo, want[1]);
	assert_near(v, got.hi, want[2]);
	assert_near(v, got.p, want[3]);
}

static void check_unpaired(const struct vector *v)
{
	const double *want = v->x[VECTOR_WANT];
	bool is_tied = !strcmp(v->kind, "tied");
	struct nslab_unpaired got;

	assert_int_equal(nslab_unpaired_compare_with(vectors_cache, v->x[VECTOR_A], v->nr[VECTOR_A],
						     v->x[VECTOR_B], v->nr[VECTOR_B],
						     is_tied ? 0.95 : v->x[VECTOR_PARAMETERS][0],
						     &got),
			 0);
	if (!is_tied) {
		assert_near(v, got.estimate, want[0]);
		assert_near(v, got.lo, want[1]);
		assert_near(v, got.hi, want[2]);
	}
	assert_near(v, got.p, want[is_tied ? 0 : 3]);
	assert_int_equal(got.is_exact, (int)want[is_tied ? 1 : 4]);
}

static void check_adjusted(const struct vector *v)
{
	static double got[VECTOR_MAX];
	size_t n = v->nr[VECTOR_A];

	assert_int_equal(v->nr[VECTOR_WANT], n);
	assert_int_equal((strcmp(v->kind, "bh") ? nslab_holm
						: nslab_benjamini_hochberg)(v->x[VECTOR_A], n, got),
			 0);
	for (size_t i = 0; i < n; i++)
		assert_near(v, got[i], v->x[VECTOR_WANT][i]);
}

static void check_levels(const struct vector *v)
{
	const double costs[] = {1.0, 1.0, 1.0};
	struct nslab_level got[NSLAB_LEVELS_MAX];
	size_t sizes[NSLAB_LEVELS_MAX] = {0}, nr = v->nr[VECTOR_PARAMETERS];

	for (size_t i = 0; i < nr; i++)
		sizes[i] = (size_t)v->x[VECTOR_PARAMETERS][i];
	assert_int_equal(nslab_levels(v->x[VECTOR_A], sizes, costs, nr, got), 0);
	for (size_t i = 0; i < nr; i++)
		assert_near(v, got[i].variance, v->x[VECTOR_WANT][i]);
}

static void statistics_agree_with_r(void **state)
{
	static const struct {
		const char *kind;
		void (*check)(const struct vector *v);
		int least;
	} kinds[] = {
		{"quantile", check_order, 36}, {"mad", check_order, 6},
		{"normal", check_order, 7},    {"median_interval", check_order, 18},
		{"paired", check_paired, 30},  {"unpaired", check_unpaired, 36},
		{"tied", check_unpaired, 29},  {"holm", check_adjusted, 5},
		{"bh", check_adjusted, 5},     {"levels", check_levels, 7},
	};
	int nr_seen[sizeof(kinds) / sizeof(kinds[0])] = {0};
	static struct vector vector;
	static char line[65536];
	FILE *file = fopen(vectors_path, "r");

	(void)state;
	vectors_cache = nslab_rank_cache_create();
	assert_non_null(file);
	assert_non_null(vectors_cache);
	while (fgets(line, sizeof(line), file)) {
		if (*line == '#')
			continue;
		vector_parse(line, &vector);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			if (strcmp(kinds[i].kind, vector.kind))
				continue;
			kinds[i].check(&vector);
			nr_seen[i]++;
		}
	}
	fclose(file);
	nslab_rank_cache_free(vectors_cache);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		assert_int_equal(nr_seen[i], kinds[i].least);
}

/* ---- promises ---- */

/* Logistic noise: symmetric, with longer tails than the normal's. */
static double noise(uint64_t *state)
{
	double u = ((double)(nslab_rng_next(state) >> 11) + 0.5) / 9007199254740992.0;

	return log(u / (1.0 - u));
}

#define SIMULATED 2000

/* 93 to 97 % and a false-positive rate of 3 to 7 %: the exact levels lie within half a point of 5.
 */
static void assert_promised(int nr_covered, int nr_false)
{
	assert_in_range(nr_covered, SIMULATED * 93 / 100, SIMULATED * 97 / 100);
	assert_in_range(nr_false, SIMULATED * 3 / 100, SIMULATED * 7 / 100);
}

static void paired_keeps_its_promise(void **state)
{
	static const size_t sizes[] = {10, 20, 30};
	const double effect = 0.03;
	uint64_t rng = 11;

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct nslab_rank_cache *cache = nslab_rank_cache_create();
		int nr_covered = 0, nr_false = 0;
		struct nslab_paired got;
		double d[30];

		for (int run = 0; run < SIMULATED; run++) {
			for (size_t i = 0; i < sizes[k]; i++)
				d[i] = noise(&rng);
			nslab_paired_compare_with(cache, d, sizes[k], 0.95, &got);
			nr_false += got.p <= 0.05;
			for (size_t i = 0; i < sizes[k]; i++)
				d[i] += effect;
			nslab_paired_compare_with(cache, d, sizes[k], 0.95, &got);
			nr_covered += got.lo <= effect && effect <= got.hi;
		}
		nslab_rank_cache_free(cache);
		assert_promised(nr_covered, nr_false);
	}
}

static void unpaired_keeps_its_promise(void **state)
{
	static const size_t sizes[][2] = {{10, 12}, {9, 30}, {20, 20}};
	const double effect = 0.4;
	uint64_t rng = 13;

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		struct nslab_rank_cache *cache = nslab_rank_cache_create();
		int nr_covered = 0, nr_false = 0;
		struct nslab_unpaired got;
		double a[30], b[30];

		for (int run = 0; run < SIMULATED; run++) {
			for (size_t i = 0; i < sizes[k][0]; i++)
				a[i] = noise(&rng);
			for (size_t i = 0; i < sizes[k][1]; i++)
				b[i] = noise(&rng);
			nslab_unpaired_compare_with(cache, a, sizes[k][0], b, sizes[k][1], 0.95,
						    &got);
			nr_false += got.p <= 0.05;
			for (size_t i = 0; i < sizes[k][1]; i++)
				b[i] += effect;
			nslab_unpaired_compare_with(cache, a, sizes[k][0], b, sizes[k][1], 0.95,
						    &got);
			nr_covered += got.lo <= effect && effect <= got.hi;
		}
		nslab_rank_cache_free(cache);
		assert_promised(nr_covered, nr_false);
	}
}

/* Half of the effects are real: among what is claimed at q = 0.05 at most 5 % are not. */
static void benjamini_hochberg_bounds_the_share_of_false_claims(void **state)
{
	struct nslab_rank_cache *cache = nslab_rank_cache_create();
	int nr_claims = 0, nr_false = 0, nr_families_wrong = 0;
	uint64_t rng = 17;

	(void)state;
	for (int run = 0; run < 200; run++) {
		double p[20], q[20], holm[20], d[12];
		bool is_wrong = false;

		for (int cell = 0; cell < 20; cell++) {
			struct nslab_paired got;

			for (int i = 0; i < 12; i++)
				d[i] = noise(&rng) + (cell < 10 ? 4.0 : 0.0);
			nslab_paired_compare_with(cache, d, 12, 0.95, &got);
			p[cell] = got.p;
		}
		assert_int_equal(nslab_benjamini_hochberg(p, 20, q), 0);
		assert_int_equal(nslab_holm(p, 20, holm), 0);
		for (int cell = 0; cell < 20; cell++) {
			nr_claims += q[cell] <= 0.05;
			nr_false += cell >= 10 && q[cell] <= 0.05;
			is_wrong |= cell >= 10 && holm[cell] <= 0.05;
		}
		nr_families_wrong += is_wrong;
	}
	nslab_rank_cache_free(cache);
	assert_true(nr_claims > 1900);
	assert_true(nr_false * 20 <= nr_claims);
	assert_true(nr_families_wrong <= 20);
}

static void adjusted_values_skip_what_has_no_p(void **state)
{
	const double p[] = {0.01, NAN, 0.04, 0.03};
	double got[4];

	(void)state;
	assert_int_equal(nslab_holm(p, 4, got), 0);
	assert_true(fabs(got[0] - 0.03) < 1e-15 && fabs(got[2] - 0.06) < 1e-15);
	assert_true(isnan(got[1]));
	assert_int_equal(nslab_benjamini_hochberg(p, 4, got), 0);
	assert_true(fabs(got[0] - 0.03) < 1e-15 && fabs(got[3] - 0.04) < 1e-15);
	assert_int_equal(nslab_holm(NULL, 0, got), 0);
}

static void unpaired_refuses_and_leaves_out(void **state)
{
	const double a[] = {1.0, NAN, 2.0}, b[] = {1.0, 2.0, 3.0};
	struct nslab_unpaired got;

	(void)state;
	assert_int_equal(nslab_unpaired_compare(a, 3, b, 3, 0.95, &got), -EINVAL);
	assert_int_equal(nslab_unpaired_compare(b, 3, b, 3, 0.0, &got), -EINVAL);
	assert_int_equal(nslab_unpaired_compare(b, NSLAB_UNPAIRED_MAX + 1, b, 3, 0.95, &got),
			 -EINVAL);
	assert_int_equal(nslab_unpaired_compare(NULL, 0, b, 3, 0.95, &got), 0);
	assert_true(isnan(got.p) && isnan(got.estimate) && got.nr_b == 3);
	assert_int_equal(nslab_unpaired_compare(b, 3, b, 3, 0.95, &got), 0);
	assert_true(got.estimate == 0.0 && got.p == 1.0 && isnan(got.lo));
}

/* Own variances 2 and 1; a trial costs 8 windows beside its own: sqrt(8 * 2) of them pay. */
static void levels_repeat_where_it_pays(void **state)
{
	const double x[] = {-1.0, 1.0, 1.0, 3.0}, costs[] = {1.0, 8.0};
	const size_t sizes[] = {2, 2};
	struct nslab_level got[2];

	(void)state;
	assert_int_equal(nslab_levels(x, sizes, costs, 2, got), 0);
	assert_true(got[0].variance == 2.0 && got[1].of_means == 2.0 && got[1].variance == 1.0);
	assert_true(fabs(got[0].share - 2.0 / 3.0) < 1e-15);
	assert_int_equal(got[0].nr_best, 4);
	assert_int_equal(got[1].nr_best, 0);
	/* (1 + 2 / 4) * 1.96^2 / 0.5^2 */
	assert_int_equal(nslab_levels_outer(got, 2, 0.5, 0.95), 24);
	assert_int_equal(nslab_levels_outer(got, 2, 0.0, 0.95), 0);
	assert_int_equal(nslab_levels(x, sizes, costs, 0, got), -EINVAL);
	assert_int_equal(nslab_levels(x, (size_t[]){4, 1}, costs, 2, got), -EINVAL);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statistics_agree_with_r),
		cmocka_unit_test(paired_keeps_its_promise),
		cmocka_unit_test(unpaired_keeps_its_promise),
		cmocka_unit_test(benjamini_hochberg_bounds_the_share_of_false_claims),
		cmocka_unit_test(adjusted_values_skip_what_has_no_p),
		cmocka_unit_test(unpaired_refuses_and_leaves_out),
		cmocka_unit_test(levels_repeat_where_it_pays),
	};

	if (argc != 2)
		return 2;
	vectors_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
