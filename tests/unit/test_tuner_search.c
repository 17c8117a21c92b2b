// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_tuner_search.c: the tuner's search against searches that try everything.
 *
 * Each exact method meets a plain loop over all possibilities, written here from the definitions:
 * the boot parameters over all triples by the order rules themselves, pruning over all candidates
 * under random losses. Small machines are made up at random from fixed seeds; the cache that made
 * the case for a tuner comes from a recorded table.
 */
#include "core/rng.h"
#include "tests/support/make_snapshot.h"
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
static const struct nslab_tuner_candidate *test_find(const struct nslab_tuner_group *group,
						     struct nslab_tuner_setting setting)
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
			    nslab_tuner_page_weight(order - 1,
						    nslab_tuner_scarcity(snapshot, order - 1)));
	make_snapshot_free(snapshot);
}

/* ---- random machines ---- */

static struct nslab_tuner_snapshot *random_machine(uint64_t *seed, int nr_caches)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(
		(enum nslab_order_kernel)nslab_rng_below(seed, NSLAB_NR_ORDER_KERNELS),
		1 << nslab_rng_below(seed, 8), 1);

	snapshot->has_free_blocks = nslab_rng_below(seed, 2);
	for (int i = 0; i < NSLAB_TUNER_ORDERS; i++)
		snapshot->free_blocks[i] = nslab_rng_below(seed, 1000u >> i);
	for (int i = 0; i < nr_caches; i++) {
		struct nslab_tuner_cache *cache =
			make_snapshot_cache(snapshot, "a", 8 + 8 * nslab_rng_below(seed, 1600),
					    1 + nslab_rng_below(seed, 100000));

		cache->allocs_per_s = cache->frees_per_s = nslab_rng_below(seed, 10000);
	}
	return snapshot;
}

/* Whole numbers, so that ties and dominated candidates are common. */
static void random_counts(struct nslab_tuner_advice *advice, uint64_t *seed)
{
	bool has_worst = nslab_rng_below(seed, 2);

	for (size_t i = 0; i < advice->nr_groups; i++) {
		struct nslab_tuner_group *group = &advice->groups[i];

		for (size_t j = 0; j < group->nr_candidates; j++) {
			struct nslab_tuner_cost *cost = &group->candidates[j].cost;

			cost->locks_per_kop = 5.0 * nslab_rng_below(seed, 6);
			cost->slab_allocs_per_kop = nslab_rng_below(seed, 4);
			cost->high_pages_per_kop =
				group->candidates[j].setting.order ? nslab_rng_below(seed, 5) : 0;
			cost->memory_bytes = 4096.0 * (8 + nslab_rng_below(seed, 5));
			if (has_worst)
				cost->worst_locks_per_kop = 4 * cost->locks_per_kop;
		}
	}
}

static void random_wishes(struct nslab_tuner_advice *advice, uint64_t *seed)
{
	advice->objective = (enum nslab_tuner_objective)nslab_rng_below(seed, 3);
	advice->budget.memory_share =
		nslab_rng_below(seed, 2) ? test_between(seed, -0.1, 0.1) : NAN;
	advice->budget.high_pages_per_kop =
		nslab_rng_below(seed, 2) ? test_between(seed, 0, 20) : NAN;
}

static void prune_never_removes_the_optimum(void **state)
{
	uint64_t seed = 2;
	size_t nr_marked = 0;

	(void)state;
	for (int round = 0; round < 600; round++) {
		struct nslab_tuner_snapshot *snapshot = random_machine(&seed, 3);
		struct nslab_tuner_advice *advice = test_advice(snapshot);
		struct nslab_err err;
		double best;
		int rc;

		if (round % 8)
			random_counts(advice, &seed);
		random_wishes(advice, &seed);
		rc = nslab_tuner_choose(advice, &err);
		best = advice->loss_ideal;
		for (size_t i = 0; i < advice->nr_groups; i++) {
			struct nslab_tuner_group *group = &advice->groups[i];

			nslab_tuner_prune(group);
			assert_int_equal(group->candidates[group->now].fate, NSLAB_TUNER_KEPT);
			for (size_t j = 0; j < group->nr_candidates; j++) {
				nr_marked += group->candidates[j].fate == NSLAB_TUNER_DOMINATED;
				assert_int_equal(group->candidates[j].fate == NSLAB_TUNER_KEPT,
						 !*group->candidates[j].why);
			}
		}
		assert_int_equal(nslab_tuner_choose(advice, &err), rc);
		if (!rc)
			assert_true(fabs(advice->loss_ideal - best) < 1e-12);
		nslab_tuner_advice_free(advice);
		make_snapshot_free(snapshot);
	}
	assert_true(nr_marked > 600);
}

static void prune_leaves_what_cannot_be_compared(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 4, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_group *group;

	(void)state;
	make_snapshot_cache(snapshot, "a", 512, 1000);
	advice = test_advice(snapshot);
	group = &advice->groups[0];
	/* more per-CPU objects take more memory, and what they gain is not known yet */
	nslab_tuner_prune(group);
	for (size_t i = 0; i < group->nr_candidates; i++)
		assert_int_equal(group->candidates[i].fate, NSLAB_TUNER_KEPT);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

static void front_is_what_nothing_beats(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct nslab_tuner_snapshot *snapshot = random_machine(&seed, 1);
		struct nslab_tuner_advice *advice = test_advice(snapshot);
		const struct nslab_tuner_group *group = &advice->groups[0];
		struct nslab_tuner_terms terms[32];
		size_t indexes[32], nr;

		random_counts(advice, &seed);
		nr = nslab_tuner_front(advice, group, indexes);
		assert_in_range(nr, 1, group->nr_candidates);
		for (size_t i = 0; i < group->nr_candidates; i++)
			nslab_tuner_terms(advice, group, &group->candidates[i], &terms[i]);
		for (size_t i = 1; i < nr; i++) { /* ever more memory for ever less time */
			assert_true(terms[indexes[i]].memory_bytes >
				    terms[indexes[i - 1]].memory_bytes);
			assert_true(terms[indexes[i]].time < terms[indexes[i - 1]].time);
		}
		for (size_t i = 0; i < group->nr_candidates; i++) { /* and nobody is left out */
			bool is_covered = false;

			for (size_t j = 0; j < nr; j++)
				is_covered |=
					terms[indexes[j]].time <= terms[i].time &&
					terms[indexes[j]].memory_bytes <= terms[i].memory_bytes;
			assert_true(is_covered);
		}
		nslab_tuner_advice_free(advice);
		make_snapshot_free(snapshot);
	}
}

/* ---- boot parameters ---- */

struct brute {
	double loss;
	size_t nr_triples, nr_changed;
};

static int brute_order(const struct nslab_tuner_snapshot *snapshot, size_t cache,
		       const struct nslab_order_knobs *knobs)
{
	size_t size = snapshot->caches[cache].size;

	return snapshot->kernel == NSLAB_ORDER_6_1
		       ? nslab_order_old(size, knobs, snapshot->nr_cpus)
		       : nslab_order_new(size, knobs, snapshot->nr_cpus);
}

static void brute_triple(const struct nslab_tuner_advice *advice,
			 const struct nslab_order_knobs *knobs, struct brute *best)
{
	double loss = 0, memory = 0, pages = 0;
	struct nslab_tuner_scale scale;

	nslab_tuner_scale(advice->snapshot, &scale);
	for (size_t i = 0; i < advice->nr_groups; i++) {
		const struct nslab_tuner_group *group = &advice->groups[i];
		int order = brute_order(advice->snapshot, i, knobs);
		const struct nslab_tuner_candidate *candidate =
			test_find(group, (struct nslab_tuner_setting){order, -1, -1, -1});
		struct nslab_tuner_terms terms;

		assert_non_null(candidate);
		loss += nslab_tuner_loss(advice, group, (size_t)(candidate - group->candidates));
		nslab_tuner_terms(advice, group, candidate, &terms);
		memory += terms.memory_bytes;
		pages += terms.larger_pages_per_kop *
			 nslab_tuner_share(&scale, advice->snapshot, group->cache);
	}
	best->nr_triples++;
	if (memory > advice->budget.memory_share * scale.memory_bytes ||
	    pages > advice->budget.high_pages_per_kop) /* NaN: never */
		return;
	best->loss = fmin(best->loss, loss);
}

/* From the definition of the three parameters; min above max only where a kernel can have that. */
static struct brute brute_search(const struct nslab_tuner_advice *advice)
{
	static const unsigned wanted[] = {0,  4,  8,  12, 16, 20, 24, 28,  32,	36,
					  40, 44, 48, 56, 64, 80, 96, 128, 192, 256};
	struct brute best = {.loss = INFINITY};

	for (unsigned max = 0; max <= 5; max++) {
		for (unsigned min = 0; min <= 3; min++) {
			for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
				struct nslab_order_knobs knobs = {min, max, wanted[i]};

				if (min > max && advice->snapshot->kernel != NSLAB_ORDER_6_1)
					knobs.max_order = min;
				brute_triple(advice, &knobs, &best);
			}
		}
	}
	return best;
}

static void brute_check_booted(const struct nslab_tuner_advice *advice)
{
	size_t nr_changed = 0;

	for (size_t i = 0; i < advice->nr_groups; i++) {
		int order = brute_order(advice->snapshot, i, &advice->booted.knobs);

		assert_int_equal(advice->groups[i].order_booted, order);
		nr_changed += order != advice->groups[i].cache->order;
	}
	assert_int_equal(advice->booted.nr_changed, nr_changed);
}

static void boot_agrees_with_brute_force(void **state)
{
	int nr_stay = 0, nr_change = 0;
	uint64_t seed = 4;

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct nslab_tuner_snapshot *snapshot = random_machine(&seed, 4);
		struct nslab_tuner_advice *advice = test_advice(snapshot);
		struct brute best;
		struct nslab_err err;
		bool now_fits;

		if (round % 3)
			random_counts(advice, &seed);
		random_wishes(advice, &seed);
		best = brute_search(advice);
		assert_int_equal(best.nr_triples, 480);
		assert_int_equal(nslab_tuner_boot(advice, &err), 0);
		assert_true(advice->now.loss == 0);
		assert_int_equal(advice->now.nr_changed, 0);
		now_fits = !(advice->budget.memory_share < 0);
		if (isfinite(best.loss) && (!now_fits || best.loss < -0.01)) {
			assert_true(fabs(advice->booted.loss - best.loss) < 1e-12);
			nr_change++;
		} else {
			assert_true(advice->booted.loss == 0);
			nr_stay++;
		}
		brute_check_booted(advice);
		nslab_tuner_advice_free(advice);
		make_snapshot_free(snapshot);
	}
	assert_true(nr_stay > 5 && nr_change > 5);
}

static void boot_keeps_what_the_rule_does_not_explain(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 64, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_err err;

	(void)state;
	make_snapshot_cache(snapshot, "odd", 256, 100000)->order = 7; /* by the rule 1 */
	make_snapshot_cache(snapshot, "even", 640, 100000);
	snapshot->knobs.max_order = 7;
	advice = test_advice(snapshot);
	advice->objective = NSLAB_TUNER_MEMORY;
	assert_int_equal(nslab_tuner_boot(advice, &err), 0);
	assert_int_equal(advice->groups[0].order_booted, 7);
	assert_int_equal(advice->groups[1].order_booted,
			 brute_order(snapshot, 1, &advice->booted.knobs));
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

/* Parameters of now that no triple has, and an order of now above all candidates. */
static void boot_leaves_an_order_above_the_candidates(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 64, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_err err;

	(void)state;
	snapshot->knobs = (struct nslab_order_knobs){7, 9, 0};
	make_snapshot_cache(snapshot, "a", 256, 100);
	assert_int_equal(snapshot->caches[0].order, 7);
	advice = test_advice(snapshot);
	assert_int_equal(nslab_tuner_boot(advice, &err), 0);
	assert_true(advice->booted.loss < -0.01);
	assert_true(advice->booted.memory_bytes < advice->now.memory_bytes);
	assert_in_range(advice->groups[0].order_booted, 0, 5);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

/* ---- choices ---- */

static void boot_takes_no_gain_that_the_clock_refused(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 2, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_err err;

	(void)state;
	make_snapshot_cache(snapshot, "inodes", 1128, 100000);
	advice = test_advice(snapshot);
	assert_int_equal(nslab_tuner_boot(advice, &err), 0);
	assert_true(advice->booted.loss < -0.01);
	advice->is_measured = true;
	for (size_t i = 0; i < advice->groups[0].nr_candidates; i++) {
		if (i != advice->groups[0].now)
			advice->groups[0].candidates[i].fate = NSLAB_TUNER_REFUTED;
	}
	assert_int_equal(nslab_tuner_boot(advice, &err), 0);
	assert_true(advice->booted.loss >= 0);
	assert_memory_equal(&advice->booted, &advice->now, sizeof(advice->now));
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

static void choose_changes_nothing_when_costs_are_equal(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 8, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_err err;

	(void)state;
	make_snapshot_cache(snapshot, "a", 1128, 100000);
	make_snapshot_cache(snapshot, "b", 64, 100);
	advice = test_advice(snapshot);
	for (size_t i = 0; i < advice->nr_groups; i++) {
		for (size_t j = 0; j < advice->groups[i].nr_candidates; j++) {
			struct nslab_tuner_cost *cost = &advice->groups[i].candidates[j].cost;

			cost->memory_bytes = 1 << 20;
			cost->locks_per_kop = 7;
			cost->slab_allocs_per_kop = 0;
			cost->high_pages_per_kop = 0;
		}
	}
	for (int objective = 0; objective < 3; objective++) {
		advice->objective = (enum nslab_tuner_objective)objective;
		assert_int_equal(nslab_tuner_choose(advice, &err), 0);
		assert_int_equal(nslab_tuner_boot(advice, &err), 0);
		for (size_t i = 0; i < advice->nr_groups; i++)
			assert_int_equal(advice->groups[i].advised, advice->groups[i].now);
		assert_true(advice->loss_ideal == 0 && advice->booted.regret == 0);
		assert_memory_equal(&advice->booted, &advice->now, sizeof(advice->now));
	}
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

static void choose_tells_by_how_much_a_budget_fails(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 2, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_err err;

	(void)state;
	make_snapshot_cache(snapshot, "a", 1128, 100000);
	advice = test_advice(snapshot);
	advice->budget.memory_share = -0.5;
	assert_int_equal(nslab_tuner_choose(advice, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "'-50.0%' is out of reach"));
	assert_non_null(strstr(err.text, "-3.4%"));
	advice->budget = (struct nslab_tuner_budget){NAN, -1};
	assert_int_equal(nslab_tuner_choose(advice, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "high-order budget '-1'"));
	advice->budget =
		(struct nslab_tuner_budget){-0.03, 0}; /* less memory only by larger blocks */
	assert_int_equal(nslab_tuner_choose(advice, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "exclude each other"));
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

/* A measured gain counts only when its interval leaves out 0; an unmeasured one not at all. */
static void loss_trusts_the_clock_before_the_counts(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 2, 1);
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_group *group;
	struct nslab_tuner_candidate *candidate;
	struct nslab_tuner_terms terms;

	(void)state;
	make_snapshot_cache(snapshot, "a", 1128, 100000);
	advice = test_advice(snapshot);
	group = &advice->groups[0];
	candidate = &group->candidates[3];
	nslab_tuner_terms(advice, group, candidate, &terms);
	assert_true(terms.time < 0 && !terms.is_measured);
	advice->is_measured = true;
	nslab_tuner_terms(advice, group, candidate, &terms);
	assert_true(terms.time == 0 && !terms.is_measured);
	candidate->cost.race = (struct nslab_tuner_change){-0.2, -0.3, -0.1, 12, 0.001};
	nslab_tuner_terms(advice, group, candidate, &terms);
	assert_true(fabs(terms.time - expm1(-0.2)) < 1e-12 && terms.is_measured);
	candidate->cost.holdout = (struct nslab_tuner_change){-0.05, -0.11, 0.01, 12, 0.2};
	nslab_tuner_terms(advice, group, candidate, &terms);
	assert_true(terms.time == 0 && terms.is_measured);
	candidate->cost.holdout = (struct nslab_tuner_change){0.05, 0.02, 0.07, 12, 0.01};
	nslab_tuner_terms(advice, group, candidate, &terms);
	assert_true(fabs(terms.time - expm1(0.05)) < 1e-12);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

/* ---- the case of the issue ---- */

static struct nslab_tuner_snapshot *recorded_machine(void)
{
	struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_18, 2, 1);

	assert_int_equal(make_snapshot_table(snapshot, TABLE), 235);
	for (size_t i = 0; i < snapshot->nr_caches; i++) {
		if (!strcmp(snapshot->caches[i].name, "ext4_inode_cache"))
			snapshot->caches[i].live = 117390; /* of another day */
	}
	return snapshot;
}

static struct nslab_tuner_group *recorded_group(const struct nslab_tuner_advice *advice,
						const char *name)
{
	for (size_t i = 0; i < advice->nr_groups; i++) {
		if (!strcmp(advice->groups[i].cache->name, name))
			return &advice->groups[i];
	}
	return NULL;
}

static int recorded_advice(struct nslab_tuner_advice *advice, double high_budget)
{
	struct nslab_tuner_group *group = recorded_group(advice, "ext4_inode_cache");
	struct nslab_err err;

	advice->objective = NSLAB_TUNER_MEMORY;
	advice->budget.high_pages_per_kop = high_budget;
	assert_int_equal(nslab_tuner_choose(advice, &err), 0);
	return group->candidates[group->advised].setting.order;
}

static void ext4_inodes_are_shown_with_gain_and_cost(void **state)
{
	struct nslab_tuner_snapshot *snapshot = recorded_machine();
	struct nslab_tuner_advice *advice = test_advice(snapshot);
	const struct nslab_tuner_group *group = recorded_group(advice, "ext4_inode_cache");
	const struct nslab_tuner_candidate *two =
		test_find(group, (struct nslab_tuner_setting){2, -1, -1, -1});
	const struct nslab_tuner_candidate *three =
		test_find(group, (struct nslab_tuner_setting){3, -1, -1, -1});
	struct nslab_tuner_terms terms;

	(void)state;
	assert_ptr_equal(two, &group->candidates[group->now]);
	assert_int_equal(nslab_order_objects(group->cache->size, 2), 14);
	assert_int_equal(nslab_order_objects(group->cache->size, 3), 29);
	assert_int_equal(lround(1000 * two->cost.tail_bytes / two->cost.memory_bytes), 36);
	assert_int_equal(lround(1000 * three->cost.tail_bytes / three->cost.memory_bytes), 2);
	nslab_tuner_terms(advice, group, three, &terms);
	/* 4.5 MiB less, for pages that weigh more */
	assert_int_equal(lround(10 * terms.memory_bytes / (1 << 20)), -45);
	assert_true(terms.high_pages_per_kop > 0);
	assert_true(terms.larger_pages_per_kop > terms.high_pages_per_kop);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

static void ext4_inodes_follow_objective_and_budget(void **state)
{
	struct nslab_tuner_snapshot *snapshot = recorded_machine();
	struct nslab_tuner_advice *advice = test_advice(snapshot);
	const struct nslab_tuner_group *group = recorded_group(advice, "ext4_inode_cache");

	(void)state;
	assert_int_equal(recorded_advice(advice, NAN), 3);
	assert_non_null(strstr(group->why, "memory -3.4 %"));
	assert_int_equal(recorded_advice(advice, 0), 2);
	for (size_t i = 0; i < advice->nr_groups; i++) /* and nobody else gets larger blocks */
		assert_true(advice->groups[i].candidates[advice->groups[i].advised].setting.order <=
			    advice->groups[i].cache->order);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

/* Free pages: 100000 alone, 80000 in blocks of order 2, and nr_large of order 3. */
static double recorded_pages(uint64_t nr_large, double *loss)
{
	struct nslab_tuner_snapshot *snapshot = recorded_machine();
	struct nslab_tuner_advice *advice;
	const struct nslab_tuner_group *group;
	struct nslab_tuner_terms terms;

	snapshot->has_free_blocks = true;
	snapshot->free_blocks[0] = 100000;
	snapshot->free_blocks[2] = 20000;
	snapshot->free_blocks[3] = nr_large;
	advice = test_advice(snapshot);
	group = recorded_group(advice, "ext4_inode_cache");
	nslab_tuner_terms(advice, group, &group->candidates[3], &terms);
	*loss = nslab_tuner_loss(advice, group, 3);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
	return terms.larger_pages_per_kop;
}

static void ext4_inodes_cost_more_where_large_blocks_are_scarce(void **state)
{
	double plenty_loss, scarce_loss, plenty = recorded_pages(100000, &plenty_loss),
					 scarce = recorded_pages(10, &scarce_loss);

	(void)state;
	assert_true(scarce > 10 * plenty);
	assert_true(scarce_loss > plenty_loss);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_adds_up_to_its_parts),
		cmocka_unit_test(memory_of_an_idle_cache_is_none),
		cmocka_unit_test(candidates_hold_now_and_each_dimension),
		cmocka_unit_test(candidates_refuse_what_no_slab_holds),
		cmocka_unit_test(scarcity_is_the_share_in_large_blocks),
		cmocka_unit_test(prune_never_removes_the_optimum),
		cmocka_unit_test(prune_leaves_what_cannot_be_compared),
		cmocka_unit_test(front_is_what_nothing_beats),
		cmocka_unit_test(boot_agrees_with_brute_force),
		cmocka_unit_test(boot_keeps_what_the_rule_does_not_explain),
		cmocka_unit_test(boot_leaves_an_order_above_the_candidates),
		cmocka_unit_test(boot_takes_no_gain_that_the_clock_refused),
		cmocka_unit_test(choose_changes_nothing_when_costs_are_equal),
		cmocka_unit_test(choose_tells_by_how_much_a_budget_fails),
		cmocka_unit_test(loss_trusts_the_clock_before_the_counts),
		cmocka_unit_test(ext4_inodes_are_shown_with_gain_and_cost),
		cmocka_unit_test(ext4_inodes_follow_objective_and_budget),
		cmocka_unit_test(ext4_inodes_cost_more_where_large_blocks_are_scarce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
