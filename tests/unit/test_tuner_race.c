// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_tuner_race.c: the race on planted truths.
 *
 * A landscape gives every setting a cost that only the test knows. What the race sees of it is what
 * method.md 1.2 and 2.3 found on a shared machine: a host that drifts from block to block, trials
 * that scatter by a few per cent, and now and then one that something slowed down a lot. All of it
 * comes from seeds, so the counts are the same at every run. The race alone is tested: no formula
 * and no count helps it. Left out: real trials (test_tuner_bench.c).
 */
#include "core/rng.h"
#include "tuner/race.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ORDERS	      6
#define CPU_PARTIALS  4
#define MIN_PARTIALS  3
#define NR_CANDIDATES (ORDERS * CPU_PARTIALS * MIN_PARTIALS)
#define SEEDS	      100
#define NEEDED	      95
#define REGRET	      0.03
#define TRIALS_SHARE  0.25
#define TRIAL_SIGMA   0.015 /* of a trial; method.md 1.3: 1 % is found in 20 blocks */
#define SLOWED_SHARE  20    /* one trial in so many is slowed down */
#define SLOWED_BY     0.3   /* mean of an exponential distribution */
#define DRIFT_STEP    0.02  /* from block to block */

/* ---- a planted machine ---- */

struct planted {
	struct nslab_tuner_cache cache;
	struct nslab_tuner_group group;
	struct nslab_tuner_candidate candidates[NR_CANDIDATES];
	double truth[NR_CANDIDATES]; /* ln of ns per operation */
	uint64_t noise;		     /* state */
	double drift;
	int block; /* at hand */
	enum nslab_tuner_segment segment;
	uint64_t seed;
	bool is_again;
	int nr_trials;
	int fail_at, fail_every; /* trial number that the host spoils; 0: none */
	int fail_rc;
	uint64_t left_ns, trial_ns;
	double p999_worse;    /* ln, of every setting but that of now */
	double truth_holdout; /* ln, added to theirs in the segment that is held out */
};

/* In 0 .. 1, both excluded. */
static double uniform(uint64_t *state)
{
	return ((double)(nslab_rng_next(state) >> 12) + 0.5) / 4503599627370496.0;
}

static double normal(uint64_t *state)
{
	return sqrt(-2 * log(uniform(state))) * cos(6.283185307179586 * uniform(state));
}

static size_t planted_find(const struct planted *m, const struct nslab_tuner_setting *setting)
{
	for (size_t i = 0; i < m->group.nr_candidates; i++) {
		if (!memcmp(&m->candidates[i].setting, setting, sizeof(*setting)))
			return i;
	}
	fail_msg("a setting that nobody offered");
	return 0;
}

static int planted_trial(void *state, const struct nslab_tuner_setting *setting, int block,
			 uint64_t seed, enum nslab_tuner_segment segment, double *ns,
			 double *p999_ns)
{
	struct planted *m = state;
	bool is_new = block != m->block || segment != m->segment;
	size_t at = planted_find(m, setting);
	double y = 0;

	if (m->left_ns < m->trial_ns)
		return -ECANCELED;
	m->left_ns -= m->trial_ns;
	m->nr_trials++;
	if (m->nr_trials == m->fail_at || (m->fail_every && !(m->nr_trials % m->fail_every))) {
		m->is_again = true;
		return m->fail_rc;
	}
	if (is_new)
		m->drift += DRIFT_STEP * normal(&m->noise);
	/* all trials of a block do the same, unless it runs again */
	assert_true(is_new || m->is_again || seed == m->seed);
	m->block = block;
	m->segment = segment;
	m->seed = seed;
	m->is_again = false;
	if (at != m->group.now && segment == NSLAB_TUNER_HOLDOUT)
		y += m->truth_holdout;
	y += m->truth[at] + m->drift + TRIAL_SIGMA * normal(&m->noise);
	if (!nslab_rng_below(&m->noise, SLOWED_SHARE))
		y -= SLOWED_BY * log(uniform(&m->noise));
	*ns = 20 * exp(y);
	*p999_ns = m->p999_worse > 0 ? 200 * exp(at == m->group.now ? 0 : m->p999_worse) : NAN;
	return 0;
}

static uint64_t planted_left(void *state)
{
	return ((struct planted *)state)->left_ns;
}

static void planted_init(struct planted *m, size_t nr_candidates, uint64_t seed)
{
	*m = (struct planted){
		.cache = {.name = (char *)(uintptr_t) "planted"},
		.noise = nslab_rng_mix(seed, 1),
		.left_ns = UINT64_MAX,
		.block = -1,
		.fail_rc = -EAGAIN,
	};
	m->group = (struct nslab_tuner_group){
		.cache = &m->cache, .candidates = m->candidates, .nr_candidates = nr_candidates};
	for (size_t i = 0; i < nr_candidates; i++) {
		m->candidates[i].setting = (struct nslab_tuner_setting){
			.order = (int)(i % ORDERS),
			.cpu_partial = 15 << (i / ORDERS % CPU_PARTIALS),
			.min_partial = 5 << (i / ORDERS / CPU_PARTIALS),
			.sheaf_capacity = NSLAB_AUTO,
		};
		m->candidates[i].cost =
			(struct nslab_tuner_cost){.memory_bytes = NAN, .locks_per_kop = NAN};
	}
}

/* A bowl with a bottom anywhere, sides of any slope, some of them nearly flat, and bumps. */
static void planted_bowl(struct planted *m, uint64_t seed)
{
	uint64_t state = nslab_rng_mix(seed, 2);
	double order = (ORDERS - 1) * uniform(&state);
	double cpu = (CPU_PARTIALS - 1) * uniform(&state);
	double node = (MIN_PARTIALS - 1) * uniform(&state);
	double by_order = 0.01 + 0.03 * uniform(&state), by_cpu = 0.03 * uniform(&state);
	double by_node = 0.01 * uniform(&state), bumps = 0.01 * uniform(&state);

	m->group.now = nslab_rng_below(&state, NR_CANDIDATES);
	for (size_t i = 0; i < NR_CANDIDATES; i++) {
		double x = (double)(i % ORDERS) - order;
		double y = (double)(i / ORDERS % CPU_PARTIALS) - cpu;
		double z = (double)(i / ORDERS / CPU_PARTIALS) - node;

		m->truth[i] = by_order * x * x + by_cpu * y * y + by_node * z * z +
			      bumps * normal(&state);
	}
}

static double planted_regret(const struct planted *m, size_t winner)
{
	double best = INFINITY;

	for (size_t i = 0; i < m->group.nr_candidates; i++)
		best = fmin(best, m->truth[i]);
	return expm1(m->truth[winner] - best);
}

static void planted_race(struct planted *m, const struct nslab_tuner_race_rules *rules,
			 struct nslab_tuner_race_result *result)
{
	const struct nslab_tuner_race_source source = {m, planted_trial, planted_left};
	struct nslab_err err = {""};

	if (nslab_tuner_race(&m->group, &source, rules, result, &err))
		fail_msg("%s", err.text);
	assert_int_equal(result->nr_trials, m->nr_trials);
}

/* Every candidate in every block of the race, and each held out as the winner is. */
static double exhaustive_trials(const struct nslab_tuner_race_rules *rules, size_t nr_candidates)
{
	return (double)nr_candidates * (rules->max_blocks + rules->holdout_blocks);
}

/* ---- what the issue asks ---- */

static void race_finds_the_planted_optimum(void **state)
{
	struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	int nr_right = 0, nr_stayed = 0;
	double trials = 0, most = 0, regret = 0, worst = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct nslab_tuner_race_result result;
		static struct planted m;
		double share, lost;

		planted_init(&m, NR_CANDIDATES, seed);
		planted_bowl(&m, seed);
		rules.seed = seed;
		planted_race(&m, &rules, &result);
		lost = planted_regret(&m, result.winner);
		share = (double)result.nr_trials / exhaustive_trials(&rules, NR_CANDIDATES);
		nr_right += lost <= REGRET && share <= TRIALS_SHARE;
		nr_stayed += result.winner == m.group.now;
		regret += lost / SEEDS;
		trials += share / SEEDS;
		worst = fmax(worst, lost);
		most = fmax(most, share);
	}
	print_message("planted optimum, %d settings: regret <= %.0f %% with <= %.0f %% of "
		      "exhaustive search's trials in %d of %d seeds\n"
		      "  regret: mean %.2f %%, most %.2f %%; trials: mean %.1f %%, most %.1f %%; "
		      "no change in %d seeds\n",
		      NR_CANDIDATES, 100 * REGRET, 100 * TRIALS_SHARE, nr_right, SEEDS,
		      100 * regret, 100 * worst, 100 * trials, 100 * most, nr_stayed);
	assert_true(nr_right >= NEEDED);
}

static void race_says_no_change_on_a_flat_landscape(void **state)
{
	struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	int nr_right = 0;
	double trials = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct nslab_tuner_race_result result;
		static struct planted m;

		planted_init(&m, NR_CANDIDATES, seed);
		m.group.now = seed % NR_CANDIDATES;
		rules.seed = seed;
		planted_race(&m, &rules, &result);
		nr_right += result.winner == m.group.now;
		trials += (double)result.nr_trials;
		for (size_t i = 0; i < NR_CANDIDATES; i++)
			assert_int_equal(nslab_tuner_is_open(&m.candidates[i]),
					 i == m.group.now || i == result.winner);
	}
	trials /= SEEDS * exhaustive_trials(&rules, NR_CANDIDATES);
	print_message("flat landscape, %d settings: no change in %d of %d seeds, %.1f %% of "
		      "exhaustive search's trials\n",
		      NR_CANDIDATES, nr_right, SEEDS, 100 * trials);
	assert_true(nr_right >= NEEDED);
}

/* ---- what spoils a race, and what ends it ---- */

/* The setting of now and one that takes `gain` less time. */
static void planted_pair(struct planted *m, double gain, uint64_t seed)
{
	planted_init(m, 2, seed);
	m->truth[1] = log1p(-gain);
}

static void race_runs_the_whole_block_again_when_the_host_spoils_a_trial(void **state)
{
	const struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	const struct nslab_tuner_cost *cost;
	struct nslab_tuner_race_result result;
	static struct planted m;

	(void)state;
	planted_pair(&m, 0.2, 1);
	m.fail_at = 2; /* the second of two trials of a block */
	planted_race(&m, &rules, &result);
	cost = &m.candidates[1].cost;
	assert_int_equal(result.nr_spoiled, 1);
	assert_int_equal(result.nr_trials, 2 * (cost->race.n + cost->holdout.n) + 2);
	assert_int_equal(result.winner, 1);
	assert_int_equal(m.candidates[1].fate, NSLAB_TUNER_CONFIRMED);
	assert_false(result.is_noisy);
}

static void race_ends_without_a_change_when_the_host_is_too_noisy(void **state)
{
	const struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	struct nslab_tuner_race_result result;
	static struct planted m;

	(void)state;
	planted_pair(&m, 0.2, 1);
	m.fail_every = 2;
	planted_race(&m, &rules, &result);
	assert_int_equal(result.winner, 0);
	assert_true(result.is_noisy);
	assert_int_equal(m.candidates[1].fate, NSLAB_TUNER_UNMEASURED);
	assert_int_equal(result.nr_spoiled, 7); /* a fifth of 20 + 12 blocks, and one too many */
}

static void race_gives_up_at_once_when_time_cannot_suffice(void **state)
{
	const struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	struct nslab_tuner_race_result result;
	static struct planted m;

	(void)state;
	planted_pair(&m, 0.2, 1);
	m.trial_ns = 10;
	m.left_ns = 300; /* 6 blocks of 2 and the hold-out's 24 are 360 */
	planted_race(&m, &rules, &result);
	assert_int_equal(result.winner, 0);
	assert_true(result.is_cut);
	assert_int_equal(result.nr_trials, 2);
	assert_non_null(strstr(m.candidates[1].why, "not enough time"));
	assert_true(isnan(m.candidates[1].cost.holdout.estimate));
}

static void race_keeps_its_budget(void **state)
{
	const struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	struct nslab_tuner_race_result result;
	static struct planted m;

	(void)state;
	planted_init(&m, NR_CANDIDATES, 1);
	m.trial_ns = 10;
	m.left_ns = 10 * (6 * NR_CANDIDATES + 24 + 15);
	planted_race(&m, &rules, &result);
	assert_true(result.is_cut);
	assert_in_range(result.nr_trials, 6 * NR_CANDIDATES, 6 * NR_CANDIDATES + 24 + 15);
}

static void race_fails_when_a_time_is_none(void **state)
{
	const struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	static struct planted m;
	const struct nslab_tuner_race_source source = {&m, planted_trial, planted_left};
	struct nslab_tuner_race_result result;
	struct nslab_err err = {""};

	(void)state;
	planted_pair(&m, 0.2, 1);
	m.truth[1] = INFINITY;
	assert_int_equal(nslab_tuner_race(&m.group, &source, &rules, &result, &err), -EINVAL);
	assert_non_null(strstr(err.text, "inf ns"));
	planted_pair(&m, 0.2, 1);
	m.fail_at = 3;
	m.fail_rc = -EIO;
	err.text[0] = '\0';
	assert_int_equal(nslab_tuner_race(&m.group, &source, &rules, &result, &err), -EIO);
	assert_non_null(strstr(err.text, "'planted'"));
}

static void race_runs_nothing_when_nothing_is_in_question(void **state)
{
	const struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	struct nslab_tuner_race_result result;
	static struct planted m;

	(void)state;
	planted_pair(&m, 0.2, 1);
	m.candidates[1].fate = NSLAB_TUNER_DOMINATED;
	planted_race(&m, &rules, &result);
	assert_int_equal(result.nr_trials, 0);
	assert_int_equal(result.winner, 0);
	assert_false(result.is_cut);
	assert_int_equal(m.candidates[1].fate, NSLAB_TUNER_DOMINATED);
}

/* ---- what the hold-out and the other objectives refuse ---- */

static void race_refuses_what_only_the_race_saw(void **state)
{
	const struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	static struct planted m;
	struct nslab_tuner_race_result result;

	(void)state;
	planted_pair(&m, 0.2, 1);
	m.truth_holdout = 0.2; /* the other segment does not have it */
	planted_race(&m, &rules, &result);
	assert_int_equal(result.winner, 0);
	assert_int_equal(m.candidates[1].fate, NSLAB_TUNER_REFUTED);
	assert_true(m.candidates[1].cost.race.hi < 0);
	assert_non_null(strstr(m.candidates[1].why, "did not confirm"));
}

static void race_refuses_a_worse_tail(void **state)
{
	const struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	static struct planted m;
	struct nslab_tuner_race_result result;

	(void)state;
	planted_pair(&m, 0.2, 1);
	m.p999_worse = 0.1;
	planted_race(&m, &rules, &result);
	assert_int_equal(result.winner, 0);
	assert_non_null(strstr(m.candidates[1].why, "p99.9"));
	assert_true(fabs(m.candidates[1].cost.holdout_p999.estimate - 0.1) < 1e-9);
}

static size_t winner_under(enum nslab_tuner_objective objective, double memory, double locks)
{
	struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	static struct planted m;
	struct nslab_tuner_race_result result;

	planted_pair(&m, 0.2, 1);
	m.candidates[0].cost.memory_bytes = 1e6;
	m.candidates[1].cost.memory_bytes = 1e6 * memory;
	m.candidates[0].cost.locks_per_kop = 10;
	m.candidates[1].cost.locks_per_kop = 10 * locks;
	rules.objective = objective;
	planted_race(&m, &rules, &result);
	assert_int_equal(!result.nr_trials, objective == NSLAB_TUNER_MEMORY && memory > 1.01);
	return result.winner;
}

static void race_lets_get_worse_what_the_objective_allows(void **state)
{
	(void)state;
	assert_int_equal(winner_under(NSLAB_TUNER_SPEED, 2.0, 2.0), 1);
	assert_int_equal(winner_under(NSLAB_TUNER_BALANCED, 1.1, 1.0), 1);
	assert_int_equal(winner_under(NSLAB_TUNER_BALANCED, 1.5, 1.0), 0);
	assert_int_equal(winner_under(NSLAB_TUNER_BALANCED, 1.0, 1.5), 0);
	assert_int_equal(winner_under(NSLAB_TUNER_MEMORY, 1.0, 1.0), 1);
	assert_int_equal(winner_under(NSLAB_TUNER_MEMORY, 1.1, 1.0), 0);
}

static void race_repeats_when_the_seed_is_the_same(void **state)
{
	const struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	struct nslab_tuner_race_result first, second;
	static struct planted a, b;

	(void)state;
	planted_init(&a, NR_CANDIDATES, 7);
	planted_bowl(&a, 7);
	planted_init(&b, NR_CANDIDATES, 7);
	planted_bowl(&b, 7);
	planted_race(&a, &rules, &first);
	planted_race(&b, &rules, &second);
	assert_int_equal(first.winner, second.winner);
	for (size_t i = 0; i < NR_CANDIDATES; i++)
		assert_string_equal(a.candidates[i].why, b.candidates[i].why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(race_finds_the_planted_optimum),
		cmocka_unit_test(race_says_no_change_on_a_flat_landscape),
		cmocka_unit_test(race_runs_the_whole_block_again_when_the_host_spoils_a_trial),
		cmocka_unit_test(race_ends_without_a_change_when_the_host_is_too_noisy),
		cmocka_unit_test(race_gives_up_at_once_when_time_cannot_suffice),
		cmocka_unit_test(race_keeps_its_budget),
		cmocka_unit_test(race_fails_when_a_time_is_none),
		cmocka_unit_test(race_runs_nothing_when_nothing_is_in_question),
		cmocka_unit_test(race_refuses_what_only_the_race_saw),
		cmocka_unit_test(race_refuses_a_worse_tail),
		cmocka_unit_test(race_lets_get_worse_what_the_objective_allows),
		cmocka_unit_test(race_repeats_when_the_seed_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
