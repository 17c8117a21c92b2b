// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_tuner_knapsack.c: the choice under two budgets against trying every selection.
 *
 * Thousands of small problems from a fixed seed: whole numbers, where ties and exact fits are
 * common, and real ones, with and without each budget, solvable and not. What is compared is the
 * sum of losses, since equal sums have many selections.
 */
#include "core/rng.h"
#include "tuner/search.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SMALL_CHOICES 6
#define SMALL_ITEMS   4

struct small_knapsack {
	struct nslab_tuner_item items[SMALL_CHOICES][SMALL_ITEMS];
	struct nslab_tuner_choice choices[SMALL_CHOICES];
	size_t nr;
	double memory, pages;
};

/* Whole numbers make ties and exact fits; real ones make neither. */
static void small_make(struct small_knapsack *small, uint64_t *seed)
{
	bool is_whole = nslab_rng_below(seed, 2);
	uint32_t wide = is_whole ? 9 : 9000;
	double step = is_whole ? 1 : 1e-3, low = wide / 2.0 - 0.5 * is_whole;

	small->nr = 1 + nslab_rng_below(seed, SMALL_CHOICES);
	for (size_t i = 0; i < small->nr; i++) {
		size_t nr = 1 + nslab_rng_below(seed, SMALL_ITEMS);

		for (size_t j = 0; j < nr; j++)
			small->items[i][j] = (struct nslab_tuner_item){
				.loss = step * (nslab_rng_below(seed, wide) - low),
				.memory_bytes = step * (nslab_rng_below(seed, wide) - low),
				.high_pages = step * nslab_rng_below(seed, wide),
			};
		small->choices[i] = (struct nslab_tuner_choice){small->items[i], nr, 99};
	}
	small->memory =
		nslab_rng_below(seed, 8) ? step * nslab_rng_below(seed, 12) - 4 * step : INFINITY;
	small->pages = nslab_rng_below(seed, 8) ? step * nslab_rng_below(seed, 12) : INFINITY;
	if (!is_whole) {
		small->memory *= 1000;
		small->pages *= 1000;
	}
}

static double small_loss(const struct small_knapsack *small, const size_t *chosen)
{
	struct nslab_tuner_item sum = {0, 0, 0};

	for (size_t i = 0; i < small->nr; i++) {
		const struct nslab_tuner_item *item = &small->items[i][chosen[i]];

		sum.loss += item->loss;
		sum.memory_bytes += item->memory_bytes;
		sum.high_pages += item->high_pages;
	}
	if (sum.memory_bytes > small->memory || sum.high_pages > small->pages)
		return INFINITY;
	return sum.loss;
}

/* Least loss of all selections; INFINITY: none fits. */
static double small_best(const struct small_knapsack *small)
{
	size_t chosen[SMALL_CHOICES] = {0}, at = 0;
	double best = INFINITY;

	while (at < small->nr) {
		best = fmin(best, small_loss(small, chosen));
		for (at = 0; at < small->nr && ++chosen[at] == small->choices[at].nr_items; at++)
			chosen[at] = 0;
	}
	return best;
}

static void knapsack_agrees_with_brute_force(void **state)
{
	uint64_t seed = 1;
	int nr_full = 0, nr_none = 0;

	(void)state;
	for (int round = 0; round < 5000; round++) {
		struct small_knapsack small;
		size_t chosen[SMALL_CHOICES];
		double best;
		int rc;

		small_make(&small, &seed);
		best = small_best(&small);
		rc = nslab_tuner_knapsack(small.choices, small.nr, small.memory, small.pages);
		assert_int_equal(rc, isfinite(best) ? 0 : -ENOSPC);
		nr_none += rc != 0;
		if (rc)
			continue;
		for (size_t i = 0; i < small.nr; i++) {
			chosen[i] = small.choices[i].chosen;
			assert_true(chosen[i] < small.choices[i].nr_items);
		}
		assert_true(fabs(small_loss(&small, chosen) - best) < 1e-9);
		nr_full += small.nr == SMALL_CHOICES;
	}
	assert_true(nr_none > 100 && nr_full > 100); /* both kinds were there */
}

static void knapsack_takes_the_first_of_equals(void **state)
{
	const struct nslab_tuner_item equal[] = {{0, 0, 0}, {0, 0, 0}, {0, -1, 0}};
	struct nslab_tuner_choice choices[] = {{equal, 3, 9}, {equal, 3, 9}};

	(void)state;
	assert_int_equal(nslab_tuner_knapsack(choices, 2, INFINITY, INFINITY), 0);
	assert_int_equal(choices[0].chosen, 0);
	assert_int_equal(choices[1].chosen, 0);
	assert_int_equal(nslab_tuner_knapsack(choices, 2, 0, 0), 0);
	assert_int_equal(choices[0].chosen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knapsack_agrees_with_brute_force),
		cmocka_unit_test(knapsack_takes_the_first_of_equals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
