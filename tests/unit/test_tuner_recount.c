// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_tuner_recount.c: advice by counts, counted again on a load that nobody searched.
 *
 * One made-up machine has one cache. Its counts are those of the model, or are planted so that the
 * search sees a gain that no other load can have. Loads come from seeds, so nothing here depends on
 * a clock. Left out: traces, whose segments test_tuner_counts.c looks at.
 */
#include "runner/world.h"
#include "tests/support/make_snapshot.h"
#include "tuner/counts.h"
#include "tuner/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LIVE 100000

static struct nslab_registry *registry;

static int open_registry(void **state)
{
	struct nslab_err err = {""};

	(void)state;
	return nslab_registry_open(NULL, &registry, &err);
}

static int close_registry(void **state)
{
	(void)state;
	nslab_registry_destroy(registry);
	return 0;
}

static struct nslab_tuner_snapshot *recount_machine(unsigned size, int order)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 2, 1);

	make_snapshot_cache(snapshot, "a", size, LIVE)->order = order;
	return snapshot;
}

static struct nslab_tuner_advice *recount_advice(const struct nslab_tuner_snapshot *snapshot)
{
	struct nslab_tuner_counter *counter = NULL;
	struct nslab_tuner_advice *advice = NULL;
	struct nslab_tuner_load *load = NULL;
	struct nslab_err err = {""};

	if (nslab_tuner_candidates(snapshot, &advice, &err) ||
	    nslab_tuner_counter_open(registry, snapshot, &counter, &err) ||
	    nslab_tuner_load_standard(snapshot, snapshot->caches, NSLAB_TUNER_SEARCH, 1, &load,
				      &err) ||
	    nslab_tuner_count_group(counter, &advice->groups[0], load, true, &err))
		fail_msg("%s", err.text);
	nslab_tuner_load_free(load);
	nslab_tuner_counter_close(counter);
	advice->objective = NSLAB_TUNER_MEMORY;
	return advice;
}

static void recount_confirms_what_saves_memory_everywhere(void **state)
{
	struct nslab_tuner_snapshot *snapshot = recount_machine(1128, 2);
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_group *group;
	struct nslab_err err = {""};

	(void)state;
	advice = recount_advice(snapshot);
	group = &advice->groups[0];
	assert_int_equal(nslab_tuner_recount(registry, NULL, 1, advice, &err), 0);
	assert_int_equal(group->candidates[group->advised].setting.order, 3);
	assert_int_equal(group->candidates[group->advised].fate, NSLAB_TUNER_CONFIRMED);
	assert_non_null(strstr(group->candidates[group->advised].why, "held out by counts"));
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

/* Counts that another load does not have: no memory and no work at order 0. */
static void recount_refutes_what_only_the_search_saw(void **state)
{
	struct nslab_tuner_snapshot *snapshot = recount_machine(4096, 3);
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_group *group;
	struct nslab_tuner_cost *cost;
	struct nslab_err err = {""};

	(void)state;
	advice = recount_advice(snapshot);
	group = &advice->groups[0];
	for (size_t i = 0; i < group->nr_candidates; i++) {
		if (i && i != group->now)
			group->candidates[i].fate = NSLAB_TUNER_DOMINATED;
	}
	cost = &group->candidates[0].cost;
	cost->memory_bytes /= 2;
	cost->locks_per_kop = cost->worst_locks_per_kop = cost->slab_allocs_per_kop = 0;
	assert_int_equal(nslab_tuner_choose(advice, &err), 0);
	assert_int_equal(group->advised, 0);
	assert_int_equal(nslab_tuner_recount(registry, NULL, 1, advice, &err), 0);
	assert_int_equal(group->advised, group->now);
	assert_int_equal(group->candidates[0].fate, NSLAB_TUNER_REFUTED);
	assert_non_null(strstr(group->candidates[0].why, "the hold-out did not confirm it"));
	assert_string_equal(group->why, "order 0 was refuted by the hold-out");
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recount_confirms_what_saves_memory_everywhere),
		cmocka_unit_test(recount_refutes_what_only_the_search_saw),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
