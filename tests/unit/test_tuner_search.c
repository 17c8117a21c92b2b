// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_tuner_search.c: the tuner's search against searches that try everything.
 *
 * Each exact method meets a plain loop over all possibilities, written here from the definitions:
 * the knapsack over all selections, the boot parameters over all triples by the order rules
 * themselves, pruning over all candidates under random losses. Small machines are made up at random
 * from fixed seeds; the cache that made the case for a tuner comes from a recorded table.
 */
#include "../support/make_snapshot.h"
#include "core/rng.h"
#include "tuner/search.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TABLE TEST_DATA "/slabinfo-6.18-2cpu.tsv"

static double test_uniform(uint64_t *seed)
{
	return (double)nslab_rng_below(seed, 1u << 30) / (1u << 30);
}

static double test_between(uint64_t *seed, double from, double to)
{
	return from + (to - from) * test_uniform(seed);
}

/* ---- the knapsack ---- */

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
	double step = is_whole ? 1 : 1e-3;

	small->nr = 1 + nslab_rng_below(seed, SMALL_CHOICES);
	for (size_t i = 0; i < small->nr; i++) {
		size_t nr = 1 + nslab_rng_below(seed, SMALL_ITEMS);

		for (size_t j = 0; j < nr; j++)
			small->items[i][j] = (struct nslab_tuner_item){
				.loss = step * (nslab_rng_below(seed, is_whole ? 9 : 9999) - 4.0),
				.memory_bytes =
					step * (nslab_rng_below(seed, is_whole ? 9 : 9999) - 4.0),
				.high_pages = step * nslab_rng_below(seed, is_whole ? 5 : 9999),
			};
		small->choices[i] = (struct nslab_tuner_choice){small->items[i], nr, 99};
	}
	small->memory = nslab_rng_below(seed, 8) ? step * nslab_rng_below(seed, 12) - 4 * step
						 : INFINITY;
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
	assert_true(nr_none > 100 && nr_full > 300); /* both kinds were there */
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

/* ---- memory and candidates ---- */

static void memory_adds_up_to_its_parts(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_18, 16, 2);
	struct nslab_tuner_cache *cache = make_snapshot_cache(snapshot, "a", 1128, 117386);
	double before = 0;

	(void)state;
	cache->object_size = 1120;
	cache->sheaf_capacity = 12;
	for (int order = 0; order <= NSLAB_TUNER_MAX_ORDER; order++) {
		const struct nslab_tuner_setting setting = {order, NSLAB_AUTO, NSLAB_AUTO,
							    NSLAB_AUTO};
		struct nslab_tuner_cost cost;
		double live = (double)cache->live * cache->object_size;

		nslab_tuner_memory(snapshot, cache, &setting, &cost);
		assert_true(cost.tail_bytes >= 0 && cost.queued_bytes > 0 && cost.free_bytes >= 0);
		assert_true(fabs(live + cost.tail_bytes + cost.padding_bytes + cost.queued_bytes +
				 cost.free_bytes - cost.memory_bytes) < 1);
		assert_true(cost.padding_bytes == 8.0 * (double)cache->live);
		assert_true(cost.queued_bytes > before); /* larger slabs on every CPU */
		before = cost.queued_bytes;
	}
	make_snapshot_free(snapshot);
}

static void memory_of_an_idle_cache_is_none(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 64, 4);
	const struct nslab_tuner_setting setting = {3, NSLAB_AUTO, NSLAB_AUTO, NSLAB_AUTO};
	struct nslab_tuner_cost cost;

	(void)state;
	make_snapshot_cache(snapshot, "idle", 256, 0);
	nslab_tuner_memory(snapshot, &snapshot->caches[0], &setting, &cost);
	assert_true(cost.memory_bytes == 0 && cost.free_bytes == 0 && cost.tail_bytes == 0);
	snapshot->caches[0].live = NSLAB_TUNER_UNKNOWN;
	nslab_tuner_memory(snapshot, &snapshot->caches[0], &setting, &cost);
	assert_true(cost.memory_bytes == 0);
	make_snapshot_free(snapshot);
}

static struct nslab_tuner_advice *test_advice(const struct nslab_tuner_snapshot *snapshot)
{
	struct nslab_tuner_advice *advice = NULL;
	struct nslab_err err;

	assert_int_equal(nslab_tuner_candidates(snapshot, &advice, &err), 0);
	return advice;
}

/* The candidate that sets a value, by its place in the setting; NULL. */
static const struct nslab_tuner_candidate *
test_find(const struct nslab_tuner_group *group, struct nslab_tuner_setting setting)
{
	for (size_t i = 0; i < group->nr_candidates; i++) {
		if (!memcmp(&group->candidates[i].setting, &setting, sizeof(setting)))
			return &group->candidates[i];
	}
	return NULL;
}

static void candidates_hold_now_and_each_dimension(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_18, 2, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_group *group;

	(void)state;
	make_snapshot_cache(snapshot, "maple_node", 256, 900)->sheaf_capacity = 32;
	make_snapshot_cache(snapshot, "large", 16384, 4);
	make_snapshot_cache(snapshot, "huge", 1u << 20, 1);
	make_snapshot_cache(snapshot, "debug", 512, 10)->is_debug = true;
	make_snapshot_cache(snapshot, "untold", 1128, 10)->order = NSLAB_TUNER_UNKNOWN;
	advice = test_advice(snapshot);
	group = advice->groups;
	assert_int_equal(advice->nr_groups, 5);
	assert_int_equal(group[0].nr_candidates, 6 + 3 + 2 + 2);
	assert_int_equal(group[0].candidates[group[0].now].setting.order, 0);
	assert_non_null(test_find(group, (struct nslab_tuner_setting){0, 26, -1, -1}));
	assert_non_null(test_find(group, (struct nslab_tuner_setting){0, 208, -1, -1}));
	assert_non_null(test_find(group, (struct nslab_tuner_setting){0, -1, 20, -1}));
	assert_non_null(test_find(group, (struct nslab_tuner_setting){0, -1, -1, 16}));
	assert_non_null(test_find(group, (struct nslab_tuner_setting){0, -1, -1, 64}));
	assert_null(test_find(group + 1, (struct nslab_tuner_setting){1, -1, -1, -1}));
	assert_int_equal(group[2].candidates[group[2].now].setting.order, 8); /* above all others */
	assert_null(test_find(group + 3, (struct nslab_tuner_setting){1, 26, -1, -1}));
	assert_int_equal(group[4].candidates[group[4].now].setting.order, 2);
	for (size_t i = 0; i < advice->nr_groups; i++) {
		assert_int_equal(group[i].advised, group[i].now);
		assert_true(isnan(group[i].candidates[0].cost.locks_per_kop));
		assert_int_equal(group[i].candidates[0].fate, NSLAB_TUNER_KEPT);
	}
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

static void candidates_refuse_what_no_slab_holds(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 2, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_err err;

	(void)state;
	make_snapshot_cache(snapshot, "fine", 64, 1);
	make_snapshot_cache(snapshot, "broken", 64, 1)->size = 0;
	assert_int_equal(nslab_tuner_candidates(snapshot, &advice, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'broken'"));
	snapshot->caches[1].size = 1u << 30;
	snapshot->caches[1].order = NSLAB_TUNER_UNKNOWN;
	assert_int_equal(nslab_tuner_candidates(snapshot, &advice, &err), -EINVAL);
	make_snapshot_free(snapshot);
}

static void scarcity_is_the_share_in_large_blocks(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 2, 1);

	(void)state;
	assert_true(isnan(nslab_tuner_scarcity(snapshot, 0)));
	snapshot->has_free_blocks = true;
	assert_true(nslab_tuner_scarcity(snapshot, 0) == 0); /* nothing is free */
	snapshot->free_blocks[0] = 60;
	snapshot->free_blocks[3] = 5;
	assert_true(nslab_tuner_scarcity(snapshot, 0) == 1);
	assert_true(nslab_tuner_scarcity(snapshot, 1) == 0.4);
	assert_true(nslab_tuner_scarcity(snapshot, 3) == 0.4);
	assert_true(nslab_tuner_scarcity(snapshot, 4) == 0);
	for (int order = 1; order <= NSLAB_TUNER_MAX_ORDER; order++)
		assert_true(nslab_tuner_page_weight(order, nslab_tuner_scarcity(snapshot, order)) >
			    nslab_tuner_page_weight(
				    order - 1, nslab_tuner_scarcity(snapshot, order - 1)));
	make_snapshot_free(snapshot);
}
