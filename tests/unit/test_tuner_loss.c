// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_tuner_loss.c: the prices in the tuner's loss.
 *
 * Counts are planted so that one term of the loss is left, and that term is compared with the
 * formula that tuner/loss.c documents: what a lock, a slab and a block are worth in operations.
 * Machines are made up and nothing is random. Left out: the search that uses the loss, which
 * test_tuner_search.c holds against brute force.
 */
#include "tests/support/make_snapshot.h"
#include "tuner/search.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct nslab_tuner_advice *test_advice(const struct nslab_tuner_snapshot *snapshot)
{
	struct nslab_tuner_advice *advice = NULL;
	struct nslab_err err;

	assert_int_equal(nslab_tuner_candidates(snapshot, &advice, &err), 0);
	return advice;
}

static void loss_counted(struct nslab_tuner_group *group, size_t candidate, double locks,
			 double slabs)
{
	struct nslab_tuner_cost *cost = &group->candidates[candidate].cost;

	cost->locks_per_kop = locks;
	cost->slab_allocs_per_kop = slabs;
	cost->high_pages_per_kop =
		candidate ? slabs * (1 << group->candidates[candidate].setting.order) : 0;
}

/* One object in a slab: fewer locks, but a block for each. */
static void loss_knows_that_slabs_are_made(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 2, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_group *group;
	struct nslab_tuner_terms terms;
	struct nslab_err err;

	(void)state;
	make_snapshot_cache(snapshot, "kmalloc-4k", 4096, 10000)->order = 3;
	advice = test_advice(snapshot);
	group = &advice->groups[0];
	assert_int_equal(group->now, 3);
	for (size_t i = 0; i < group->nr_candidates; i++)
		loss_counted(group, i, (int)i == 3 ? 80 : 200, 20);
	loss_counted(group, 0, 40, 160);
	nslab_tuner_terms(advice, group, &group->candidates[0], &terms);
	/* 2.25 operations for a lock; 11.3 for the slab of a page, 20.4 for one of 8 */
	assert_true(fabs(terms.time - ((1000 + 40 * 2.25 + 160 * 11.3) /
					       (1000 + 80 * 2.25 + 20 * (11 + 7 + 8 * 0.3)) -
				       1)) < 1e-9);
	assert_true(terms.time > 0.5);
	assert_int_equal(nslab_tuner_choose(advice, &err), 0);
	assert_int_equal(group->advised, group->now);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

/* Operations that one lock is worth. */
static double loss_lock(int nr_cpus, int nr_nodes)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, nr_cpus, nr_nodes);
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_terms terms;
	struct nslab_tuner_group *group;

	make_snapshot_cache(snapshot, "a", 64, 100000)->order = 0;
	advice = test_advice(snapshot);
	group = &advice->groups[0];
	loss_counted(group, 0, 0, 0);
	loss_counted(group, 1, 100, 0);
	nslab_tuner_terms(advice, group, &group->candidates[1], &terms);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
	return 10 * terms.time;
}

static void loss_of_a_lock_grows_with_the_cpus_of_a_node(void **state)
{
	(void)state;
	assert_true(fabs(loss_lock(2, 1) - 2.25) < 1e-9);
	assert_true(fabs(loss_lock(64, 1) - 10) < 1e-9);
	assert_true(fabs(loss_lock(64, 4) - 4) < 1e-9);
	assert_true(fabs(loss_lock(224, 2) - 16) < 1e-9);
	assert_true(fabs(loss_lock(512, 1) - 20) < 1e-9); /* the most */
}

/* What the page weights come to: operations that one block of 2^order pages is worth. */
static double loss_block(enum nslab_tuner_objective objective, int order, double scarcity)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 2, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_group *group;
	double loss;

	make_snapshot_cache(snapshot, "a", 64, 100000);
	advice = test_advice(snapshot);
	advice->objective = objective;
	group = &advice->groups[0];
	for (size_t i = 0; i < group->nr_candidates; i++) {
		loss_counted(group, i, 0, 0);
		group->candidates[i].cost.memory_bytes = 4096;
		group->candidates[i].cost.scarcity = scarcity;
	}
	group->candidates[order].cost.high_pages_per_kop = 1 << order;
	loss = nslab_tuner_loss(advice, group, (size_t)order) - NSLAB_TUNER_INERTIA;
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
	return 1000 * loss;
}

static void loss_of_a_block_grows_with_order_and_scarcity(void **state)
{
	(void)state;
	assert_true(fabs(loss_block(NSLAB_TUNER_SPEED, 3, 1) - 0.028) < 1e-9);
	assert_true(fabs(loss_block(NSLAB_TUNER_BALANCED, 3, NAN) - 0.112) < 1e-9);
	assert_true(fabs(loss_block(NSLAB_TUNER_BALANCED, 3, 0) - 11.2) < 1e-9);
	/* above order 3 what is free today says nothing */
	assert_true(fabs(loss_block(NSLAB_TUNER_BALANCED, 5, 1) - 198.4) < 1e-9);
	assert_true(fabs(loss_block(NSLAB_TUNER_BALANCED, 5, 0) - 198.4) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loss_knows_that_slabs_are_made),
		cmocka_unit_test(loss_of_a_lock_grows_with_the_cpus_of_a_node),
		cmocka_unit_test(loss_of_a_block_grows_with_order_and_scarcity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
