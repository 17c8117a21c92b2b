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
#define TRIAL_SIGMA   0.02 /* of a trial, as method.md 1.3 has it for one that was not disturbed */
#define SLOWED_SHARE  20   /* one trial in so many is slowed down */
#define SLOWED_BY     0.3  /* mean of an exponential distribution */
#define DRIFT_STEP    0.02 /* from block to block */

/* ---- a planted machine ---- */

struct planted {
	struct nslab_tuner_cache cache;
	struct nslab_tuner_group group;
	struct nslab_tuner_candidate candidates[NR_CANDIDATES];
	double truth[NR_CANDIDATES]; /* ln of ns per operation */
	uint64_t noise;		     /* state */
	double drift;
	int drift_block, drift_segment;
	int nr_trials, nr_holdout;
	int fail_at, fail_every; /* trial number that the host spoils; 0: none */
	int fail_rc;
	uint64_t left_ns, trial_ns;
	double p999_worse; /* ln, of every setting but that of now */
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
	size_t at = planted_find(m, setting);
	double y;

	(void)seed;
	if (m->left_ns < m->trial_ns)
		return -ECANCELED;
	m->left_ns -= m->trial_ns;
	m->nr_trials++;
	m->nr_holdout += segment == NSLAB_TUNER_HOLDOUT;
	if (m->nr_trials == m->fail_at || (m->fail_every && !(m->nr_trials % m->fail_every)))
		return m->fail_rc;
	if (block != m->drift_block || (int)segment != m->drift_segment)
		m->drift += DRIFT_STEP * normal(&m->noise);
	m->drift_block = block;
	m->drift_segment = (int)segment;
	y = m->truth[at] + m->drift + TRIAL_SIGMA * normal(&m->noise);
	if (!nslab_rng_below(&m->noise, SLOWED_SHARE))
		y -= SLOWED_BY * log(uniform(&m->noise));
	*ns = 20 * exp(y);
	*p999_ns = m->p999_worse ? 200 * exp(at == m->group.now ? 0 : m->p999_worse) : NAN;
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
		.drift_block = -1,
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
	double trials = 0, most_trials = 0, regret = 0, worst = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct nslab_tuner_race_result result;
		static struct planted m;
		double share;

		planted_init(&m, NR_CANDIDATES, seed);
		planted_bowl(&m, seed);
		rules.seed = seed;
		planted_race(&m, &rules, &result);
		nr_right += planted_regret(&m, result.winner) <= REGRET;
		nr_stayed += result.winner == m.group.now;
		regret += planted_regret(&m, result.winner);
		worst = fmax(worst, planted_regret(&m, result.winner));
		share = (double)result.nr_trials / exhaustive_trials(&rules, NR_CANDIDATES);
		trials += share;
		most_trials = fmax(most_trials, share);
	}
	print_message("planted optimum, %d settings: within %.0f %% in %d of %d seeds (mean regret "
		      "%.2f %%, worst %.2f %%; no change in %d), %.1f %% of exhaustive search's "
		      "trials (worst seed %.1f %%)\n",
		      NR_CANDIDATES, 100 * REGRET, nr_right, SEEDS, 100 * regret / SEEDS,
		      100 * worst, nr_stayed, 100 * trials / SEEDS, 100 * most_trials);
	assert_true(nr_right >= NEEDED);
	assert_true(trials / SEEDS <= TRIALS_SHARE);
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
	}
	trials /= SEEDS * exhaustive_trials(&rules, NR_CANDIDATES);
	print_message("flat landscape, %d settings: no change in %d of %d seeds, %.1f %% of "
		      "exhaustive search's trials\n",
		      NR_CANDIDATES, nr_right, SEEDS, 100 * trials);
	assert_true(nr_right >= NEEDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(race_finds_the_planted_optimum),
		cmocka_unit_test(race_says_no_change_on_a_flat_landscape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
