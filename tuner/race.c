// SPDX-License-Identifier: GPL-2.0-only
/*
 * race.c: candidates of one cache against each other in blocks, and the winner once more against
 * the setting of now.
 *
 * A heat is a table of blocks by arms. In each block every arm that is still in runs once, in an
 * order drawn from the seed, so that whatever the host does hits all of them alike; a block in
 * which the host spoiled a trial runs again as a whole. From first_blocks on, after every block,
 * those are dropped that need not be the answer: whose interval against the setting of now, or
 * against the leader, leaves no room for a gain beyond the margin; those slower than the leader;
 * and the slower half where many are left. Slower is told of three or more arms by ranks within
 * blocks, which pool the noise of all arms (F-race), of two by the signed-rank test; p values are
 * adjusted by Holm. A race ends with one left, when all that are left are known as well as the
 * margin asks, or with blocks or time.
 *
 * Who won a race did so by luck too, so only the hold-out counts: other seeds, another segment, two
 * arms, and up to twice its blocks where they are not precise. Both end by precision, never by
 * significance. It keeps its time: no block of the race starts that would leave too little for it.
 *
 * Invariants: a decision is made of whole blocks only; every arm that is in has a time in each of
 * them, the setting of now always. Nothing is dropped for one value. Without a confirmed winner the
 * answer is the setting of now. Left out: where times come from (bench.c), and choosing among
 * caches (search.h).
 */
#include "tuner/race.h"

#include "core/rng.h"
#include "results/stats.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RACE_LEVEL	0.05
#define RACE_CONFIDENCE 0.95
#define RACE_RERUNS	5  /* one block in so many may run again */
#define RACE_FIELD	8  /* arms; of more than these only the faster half goes on */
#define RACE_HOLDOUTS	2  /* times holdout_blocks, where fewer are not precise */
#define RACE_NOW	0  /* arm: the setting of now */
#define RACE_TEXT	96 /* bytes of a setting in words */

struct race_heat {
	enum nslab_tuner_segment segment;
	size_t *arms; /* [nr_arms] candidates */
	bool *is_in;  /* [nr_arms] may still be the answer */
	size_t *order;
	size_t nr_arms;
	int nr_blocks;
	/* [block * nr_arms + arm] logarithms; NaN: none */
	double *ns, *p999;
	double *scratch; /* room for either, and a row and a column */
	struct nslab_rank_cache *cache;
};

struct race {
	struct nslab_tuner_group *group;
	const struct nslab_tuner_race_source *source;
	const struct nslab_tuner_race_rules *rules;
	struct nslab_tuner_race_result *result;
	uint64_t start_left_ns;
	int nr_reruns;
	bool is_for_memory; /* the hold-out asks only that it is not slower */
	struct nslab_err *err;
};

/* ---- a heat's table ---- */

static void heat_free(struct race_heat *heat)
{
	free(heat->arms);
	free(heat->is_in);
	free(heat->order);
	free(heat->ns);
	free(heat->p999);
	free(heat->scratch);
	nslab_rank_cache_free(heat->cache);
}

static int heat_init(struct race_heat *heat, enum nslab_tuner_segment segment, size_t most_arms,
		     int most_blocks)
{
	size_t nr = most_arms * (size_t)most_blocks;

	*heat = (struct race_heat){.segment = segment};
	heat->arms = calloc(most_arms, sizeof(*heat->arms));
	heat->is_in = calloc(most_arms, sizeof(*heat->is_in));
	heat->order = calloc(most_arms, sizeof(*heat->order));
	heat->ns = calloc(nr, sizeof(*heat->ns));
	heat->p999 = calloc(nr, sizeof(*heat->p999));
	heat->scratch = calloc(nr + most_arms + (size_t)most_blocks, sizeof(*heat->scratch));
	heat->cache = nslab_rank_cache_create();
	return heat->arms && heat->is_in && heat->order && heat->ns && heat->p999 &&
			       heat->scratch && heat->cache
		       ? 0
		       : -ENOMEM;
}

static void heat_add(struct race_heat *heat, size_t candidate)
{
	heat->arms[heat->nr_arms] = candidate;
	heat->is_in[heat->nr_arms++] = true;
}

static size_t heat_nr_in(const struct race_heat *heat)
{
	size_t nr = 0;

	for (size_t i = 0; i < heat->nr_arms; i++)
		nr += heat->is_in[i];
	return nr;
}

static struct nslab_tuner_candidate *heat_candidate(const struct race *race,
						    const struct race_heat *heat, size_t arm)
{
	return &race->group->candidates[heat->arms[arm]];
}

static const struct nslab_tuner_change not_measured = {
	.estimate = NAN, .lo = NAN, .hi = NAN, .p = NAN};

/* Arm against another over the blocks in which both have a value. */
static int heat_change(const struct race_heat *heat, const double *values, size_t arm, size_t base,
		       struct nslab_tuner_change *change)
{
	struct nslab_paired paired;
	size_t n = 0;
	int rc;

	*change = not_measured;
	for (int b = 0; b < heat->nr_blocks; b++) {
		const double *row = values + (size_t)b * heat->nr_arms;

		if (isfinite(row[arm]) && isfinite(row[base]))
			heat->scratch[n++] = row[arm] - row[base];
	}
	if (!n)
		return 0;
	rc = nslab_paired_compare_with(heat->cache, heat->scratch, n, RACE_CONFIDENCE, &paired);
	if (!rc)
		*change = (struct nslab_tuner_change){.estimate = paired.estimate,
						      .lo = paired.lo,
						      .hi = paired.hi,
						      .n = paired.n,
						      .p = paired.p};
	return rc;
}

/* ---- blocks ---- */

/* Is there time for so many trials, by what those before took? */
static bool race_has_time(const struct race *race, size_t nr_trials)
{
	uint64_t left_ns = race->source->left_ns(race->source->state);
	double spent_ns = (double)(race->start_left_ns - left_ns);
	double each_ns = race->result->nr_trials ? spent_ns / (double)race->result->nr_trials : 1.0;

	return each_ns * (double)nr_trials <= (double)left_ns;
}

static void heat_shuffle(struct race_heat *heat, uint64_t seed)
{
	for (size_t i = 0; i < heat->nr_arms; i++)
		heat->order[i] = i;
	for (size_t i = heat->nr_arms; i > 1; i--) {
		size_t j = nslab_rng_below(&seed, (uint32_t)i);
		size_t swap = heat->order[i - 1];

		heat->order[i - 1] = heat->order[j];
		heat->order[j] = swap;
	}
}

static int race_trial(struct race *race, struct race_heat *heat, size_t arm, uint64_t seed)
{
	size_t at = (size_t)heat->nr_blocks * heat->nr_arms + arm;
	double ns = NAN, p999_ns = NAN;
	int rc = race->source->trial(race->source->state, &heat_candidate(race, heat, arm)->setting,
				     heat->nr_blocks, seed, heat->segment, &ns, &p999_ns);

	race->result->nr_trials += rc != -ECANCELED;
	race->result->nr_spoiled += rc == -EAGAIN;
	if (rc)
		return rc;
	if (!(ns > 0) || !isfinite(ns))
		return nslab_fail(race->err, -EINVAL, "a trial took %g ns per operation", ns);
	heat->ns[at] = log(ns);
	heat->p999[at] = p999_ns > 0 ? log(p999_ns) : NAN;
	return 0;
}

static int race_attempt(struct race *race, struct race_heat *heat, uint64_t seed)
{
	int rc = 0;

	heat_shuffle(heat, seed);
	for (size_t i = 0; !rc && i < heat->nr_arms; i++) {
		size_t arm = heat->order[i];
		size_t at = (size_t)heat->nr_blocks * heat->nr_arms + arm;

		heat->ns[at] = heat->p999[at] = NAN;
		if (heat->is_in[arm] || arm == RACE_NOW)
			rc = race_trial(race, heat, arm, seed);
	}
	return rc;
}

/* 0, or -ECANCELED when time or the host put an end to it. */
static int race_block(struct race *race, struct race_heat *heat)
{
	const struct nslab_tuner_race_rules *rules = race->rules;
	uint64_t seed = nslab_rng_mix(rules->seed, heat->segment);
	int rc = -EAGAIN;

	seed = nslab_rng_mix(seed, (uint64_t)heat->nr_blocks);
	for (uint64_t attempt = 0; rc == -EAGAIN; attempt++) {
		rc = race_attempt(race, heat, attempt ? nslab_rng_mix(seed, attempt) : seed);
		if (rc == -EAGAIN &&
		    ++race->nr_reruns * RACE_RERUNS > rules->max_blocks + rules->holdout_blocks) {
			race->result->is_noisy = true;
			return -ECANCELED;
		}
	}
	if (!rc)
		heat->nr_blocks++;
	race->result->is_cut |= rc == -ECANCELED;
	return rc;
}

/* ---- who is dropped ---- */

/* Median effect of an arm against the middle of those that are in. */
static int heat_level(const struct race_heat *heat, size_t arm, double *level)
{
	struct nslab_paired paired;
	double *d = heat->scratch, *in = d + heat->nr_blocks;
	int rc;

	for (int b = 0; b < heat->nr_blocks; b++) {
		const double *row = heat->ns + (size_t)b * heat->nr_arms;
		size_t nr = 0;

		for (size_t i = 0; i < heat->nr_arms; i++) {
			if (heat->is_in[i])
				in[nr++] = row[i];
		}
		d[b] = row[arm] - nslab_median(in, nr);
	}
	rc = nslab_paired_compare_with(heat->cache, d, (size_t)heat->nr_blocks, RACE_CONFIDENCE,
				       &paired);
	*level = paired.estimate;
	return rc;
}

static int heat_leader(const struct race_heat *heat, size_t *leader)
{
	double best = INFINITY, level;

	for (size_t i = 0; i < heat->nr_arms; i++) {
		int rc;

		if (!heat->is_in[i])
			continue;
		rc = heat_level(heat, i, &level);
		if (rc)
			return rc;
		if (level < best) {
			best = level;
			*leader = i;
		}
	}
	return 0;
}

/* Of every arm that is in, against the leader; adjusted. in[] and p[] go together. */
static int heat_p_values(const struct race_heat *heat, size_t leader, const size_t *in,
			 size_t nr_in, double *p)
{
	size_t best = 0;

	if (nr_in == 2) {
		struct nslab_tuner_change change;
		int rc = heat_change(heat, heat->ns, in[0], in[1], &change);

		p[0] = in[0] == leader ? NAN : change.p;
		p[1] = in[1] == leader ? NAN : change.p;
		return rc;
	}
	for (size_t i = 0; i < nr_in; i++) {
		if (in[i] == leader)
			best = i;
		for (int b = 0; b < heat->nr_blocks; b++)
			heat->scratch[(size_t)b * nr_in + i] =
				heat->ns[(size_t)b * heat->nr_arms + in[i]];
	}
	return nslab_blocks_compare(heat->scratch, (size_t)heat->nr_blocks, nr_in, best, p);
}

static void race_drop(struct race *race, struct race_heat *heat, size_t arm)
{
	heat->is_in[arm] = false;
	if (arm != RACE_NOW)
		heat_candidate(race, heat, arm)->fate = NSLAB_TUNER_RACED_OUT;
}

/* in[] has room for all arms, p[] for two values of each. */
static int race_drop_slower_of(struct race *race, struct race_heat *heat, size_t leader, size_t *in,
			       double *p)
{
	double *adjusted = p + heat->nr_arms;
	char words[RACE_TEXT];
	size_t nr_in = 0;
	int rc;

	for (size_t i = 0; i < heat->nr_arms; i++) {
		if (heat->is_in[i])
			in[nr_in++] = i;
	}
	if (nr_in < 2)
		return 0;
	rc = heat_p_values(heat, leader, in, nr_in, p);
	if (!rc)
		rc = nslab_holm(p, nr_in, adjusted);
	nslab_tuner_setting_text(&heat_candidate(race, heat, leader)->setting, words,
				 sizeof(words));
	for (size_t i = 0; !rc && i < nr_in; i++) {
		struct nslab_tuner_candidate *candidate = heat_candidate(race, heat, in[i]);
		struct nslab_tuner_change change;

		if (!(adjusted[i] < RACE_LEVEL))
			continue;
		rc = heat_change(heat, heat->ns, in[i], leader, &change);
		if (rc || !(change.estimate > 0))
			continue;
		race_drop(race, heat, in[i]);
		if (in[i] != RACE_NOW)
			snprintf(candidate->why, sizeof(candidate->why),
				 "%.1f %% slower than %.60s (%d blocks, p %.2g)",
				 100 * expm1(change.estimate), words, heat->nr_blocks, adjusted[i]);
	}
	return rc;
}

static int race_drop_slower(struct race *race, struct race_heat *heat, size_t leader)
{
	size_t *in = calloc(heat->nr_arms, sizeof(*in));
	double *p = calloc(2 * heat->nr_arms, sizeof(*p));
	int rc = in && p ? race_drop_slower_of(race, heat, leader, in, p) : -ENOMEM;

	free(in);
	free(p);
	return rc;
}

/* Those for which there is no room left to be faster than now by more than the margin. */
static int race_drop_futile(struct race *race, struct race_heat *heat)
{
	for (size_t i = 0; i < heat->nr_arms; i++) {
		struct nslab_tuner_candidate *candidate = heat_candidate(race, heat, i);
		struct nslab_tuner_change *change = &candidate->cost.race;
		int rc;

		if (!heat->is_in[i] || i == RACE_NOW)
			continue;
		rc = heat_change(heat, heat->ns, i, RACE_NOW, change);
		if (!rc)
			rc = heat_change(heat, heat->p999, i, RACE_NOW, &candidate->cost.race_p999);
		if (rc)
			return rc;
		if (!(change->lo > -race->rules->margin))
			continue;
		race_drop(race, heat, i);
		snprintf(candidate->why, sizeof(candidate->why),
			 "no faster than now: %+.1f %% [%+.1f, %+.1f] in %zu blocks",
			 100 * expm1(change->estimate), 100 * expm1(change->lo),
			 100 * expm1(change->hi), change->n);
	}
	return 0;
}

/* Those that can no longer be faster than the leader by more than the margin. */
static int race_drop_matched(struct race *race, struct race_heat *heat, size_t leader)
{
	struct nslab_tuner_change change;
	char words[RACE_TEXT];

	nslab_tuner_setting_text(&heat_candidate(race, heat, leader)->setting, words,
				 sizeof(words));
	for (size_t i = 0; i < heat->nr_arms; i++) {
		struct nslab_tuner_candidate *candidate = heat_candidate(race, heat, i);
		int rc;

		if (!heat->is_in[i] || i == leader || i == RACE_NOW)
			continue;
		rc = heat_change(heat, heat->ns, i, leader, &change);
		if (rc)
			return rc;
		if (!(change.lo > -race->rules->margin))
			continue;
		race_drop(race, heat, i);
		snprintf(candidate->why, sizeof(candidate->why),
			 "no faster than %.60s: %+.1f %% [%+.1f, %+.1f] in %zu blocks", words,
			 100 * expm1(change.estimate), 100 * expm1(change.lo),
			 100 * expm1(change.hi), change.n);
	}
	return 0;
}

/* A large field that nothing tells apart: the slower half leaves it. */
static int race_drop_half(struct race *race, struct race_heat *heat)
{
	double *levels = calloc(heat->nr_arms, sizeof(*levels)), middle;
	size_t nr_in = 0;
	int rc = levels ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < heat->nr_arms; i++) {
		if (heat->is_in[i])
			rc = heat_level(heat, i, &levels[nr_in++]);
	}
	middle = nr_in > RACE_FIELD ? nslab_median(levels, nr_in) : INFINITY;
	nr_in = 0;
	for (size_t i = 0; !rc && i < heat->nr_arms; i++) {
		struct nslab_tuner_candidate *candidate = heat_candidate(race, heat, i);

		if (!heat->is_in[i] || levels[nr_in++] <= middle || i == RACE_NOW)
			continue;
		race_drop(race, heat, i);
		snprintf(candidate->why, sizeof(candidate->why),
			 "in the slower half of those left after %d blocks", heat->nr_blocks);
	}
	free(levels);
	return rc;
}

/* All that are in are known, against the leader, as well as the margin asks. */
static int heat_is_precise(const struct race_heat *heat, size_t leader, double margin,
			   bool *is_precise)
{
	struct nslab_tuner_change change;

	*is_precise = true;
	for (size_t i = 0; *is_precise && i < heat->nr_arms; i++) {
		int rc;

		if (!heat->is_in[i] || i == leader)
			continue;
		rc = heat_change(heat, heat->ns, i, leader, &change);
		if (rc)
			return rc;
		*is_precise = change.hi - change.lo < 2 * margin;
	}
	return 0;
}

/* After a block. */
static int race_look(struct race *race, struct race_heat *heat, bool *is_over)
{
	size_t leader = RACE_NOW;
	int rc = race_drop_futile(race, heat);

	if (rc || heat->nr_blocks < race->rules->first_blocks)
		return rc;
	rc = heat_leader(heat, &leader);
	if (!rc)
		rc = race_drop_slower(race, heat, leader);
	if (!rc)
		rc = race_drop_matched(race, heat, leader);
	if (!rc)
		rc = race_drop_half(race, heat);
	if (!rc)
		rc = heat_is_precise(heat, leader, race->rules->margin, is_over);
	*is_over |= heat_nr_in(heat) < 2;
	return rc;
}

static int race_run(struct race *race, struct race_heat *heat)
{
	const struct nslab_tuner_race_rules *rules = race->rules;
	bool is_over = false;

	while (!is_over && heat->nr_blocks < rules->max_blocks) {
		/* a race that cannot get as far as a decision is not worth its time */
		int nr_blocks = rules->first_blocks - heat->nr_blocks;
		size_t nr_trials = (heat_nr_in(heat) + 1) * (nr_blocks > 1 ? (size_t)nr_blocks : 1);
		int rc;

		if (!race_has_time(race, nr_trials + 2 * (size_t)rules->holdout_blocks)) {
			race->result->is_cut = true;
			return 0;
		}
		rc = race_block(race, heat);
		if (rc == -ECANCELED)
			return 0;
		if (!rc)
			rc = race_look(race, heat, &is_over);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- what else may get worse ---- */

/* ln of after / before; counts per thousand operations of which one more or less is nothing. */
static double race_growth(double before, double after, double least)
{
	if (isnan(before) || isnan(after))
		return NAN;
	return log((after + least) / (before + least));
}

/* gain: of time, as log ratio. Writes why and returns true when the candidate costs too much. */
static bool race_costs_more(const struct race *race, struct nslab_tuner_candidate *candidate,
			    double gain)
{
	const struct nslab_tuner_cost *now = &race->group->candidates[race->group->now].cost;
	const struct nslab_tuner_cost *cost = &candidate->cost;
	const struct {
		const char *what;
		double growth;
	} others[] = {
		{"memory", race_growth(now->memory_bytes, cost->memory_bytes, 1.0)},
		{"locks", race_growth(now->locks_per_kop, cost->locks_per_kop, 1.0)},
	};
	double most = race->rules->margin;

	if (race->rules->objective == NSLAB_TUNER_SPEED)
		most = INFINITY;
	else if (race->rules->objective == NSLAB_TUNER_BALANCED)
		most = fmax(most, gain);
	for (size_t i = 0; i < 2; i++) {
		if (!(others[i].growth > most))
			continue;
		snprintf(candidate->why, sizeof(candidate->why), "%s %+.1f %%: too much for %s",
			 others[i].what, 100 * expm1(others[i].growth),
			 isinf(gain) ? "this objective" : "the time that it saves");
		return true;
	}
	return false;
}

/* ---- the hold-out ---- */

/* The fastest that is in, that was faster than now and does not cost too much for it; or now. */
static int race_winner(struct race *race, struct race_heat *heat, size_t *winner)
{
	*winner = RACE_NOW;
	while (heat_nr_in(heat)) {
		const struct nslab_tuner_change *change;
		size_t leader = RACE_NOW;
		int rc = heat_leader(heat, &leader);

		if (rc || leader == RACE_NOW)
			return rc;
		change = &heat_candidate(race, heat, leader)->cost.race;
		heat->is_in[leader] = false;
		/* where now is out of the race its few blocks need not have an interval below 0 */
		if (heat->is_in[RACE_NOW] && !(change->hi < 0))
			continue;
		if (race_costs_more(race, heat_candidate(race, heat, leader), -change->estimate))
			continue;
		*winner = leader;
		return 0;
	}
	return 0;
}

static void race_judge(struct race *race, struct nslab_tuner_candidate *candidate)
{
	const struct nslab_tuner_change *change = &candidate->cost.holdout;
	const struct nslab_tuner_change *p999 = &candidate->cost.holdout_p999;
	const double margin = race->rules->margin;
	const double most = race->is_for_memory ? margin : -margin;
	const char *refusal = NULL;

	candidate->fate = NSLAB_TUNER_REFUTED;
	if (isnan(change->hi))
		refusal = race->result->is_noisy ? "the host was too noisy for a hold-out"
						 : "time was up before the hold-out";
	else if (!(change->hi < most))
		refusal = race->is_for_memory ? "the hold-out leaves room for a slowdown"
					      : "the hold-out did not confirm it";
	else if (p999->lo > margin)
		refusal = "p99.9 gets worse";
	else if (!race->is_for_memory && race_costs_more(race, candidate, -change->hi))
		return;
	if (!refusal)
		candidate->fate = NSLAB_TUNER_CONFIRMED;
	if (isnan(change->estimate))
		snprintf(candidate->why, sizeof(candidate->why), "%s", refusal);
	else
		snprintf(candidate->why, sizeof(candidate->why),
			 "%s: %+.1f %% [%+.1f, %+.1f] in %zu blocks",
			 refusal	       ? refusal
			 : race->is_for_memory ? "not slower"
					       : "held out",
			 100 * expm1(change->estimate), 100 * expm1(change->lo),
			 100 * expm1(change->hi), change->n);
}

/* Time was up, but most of it went to trials that the host spoiled. */
static void race_blame_noise(struct nslab_tuner_race_result *result)
{
	result->is_noisy |= result->is_cut && 2 * result->nr_spoiled > result->nr_trials;
}

static int race_hold_out(struct race *race, size_t candidate_index)
{
	struct nslab_tuner_candidate *candidate = &race->group->candidates[candidate_index];
	struct race_heat heat;
	int most_blocks = RACE_HOLDOUTS * race->rules->holdout_blocks;
	bool is_precise = false;
	int rc = heat_init(&heat, NSLAB_TUNER_HOLDOUT, 2, most_blocks);

	if (rc)
		goto out_free;
	heat_add(&heat, race->group->now);
	heat_add(&heat, candidate_index);
	while (!rc && !is_precise && heat.nr_blocks < most_blocks) {
		rc = race_block(race, &heat);
		if (!rc && heat.nr_blocks >= race->rules->holdout_blocks)
			rc = heat_is_precise(&heat, RACE_NOW, race->rules->margin, &is_precise);
	}
	if (rc && rc != -ECANCELED)
		goto out_free;
	rc = heat_change(&heat, heat.ns, 1, RACE_NOW, &candidate->cost.holdout);
	if (!rc)
		rc = heat_change(&heat, heat.p999, 1, RACE_NOW, &candidate->cost.holdout_p999);
	if (rc)
		goto out_free;
	race_blame_noise(race->result);
	race_judge(race, candidate);
	if (candidate->fate == NSLAB_TUNER_CONFIRMED)
		race->result->winner = candidate_index;
out_free:
	heat_free(&heat);
	return rc;
}

/* ---- all of it ---- */

/* The setting of now, then all in question that could be accepted at all. */
static void race_line_up(struct race *race, struct race_heat *heat)
{
	struct nslab_tuner_group *group = race->group;

	heat_add(heat, group->now);
	for (size_t i = 0; i < group->nr_candidates; i++) {
		struct nslab_tuner_candidate *candidate = &group->candidates[i];

		candidate->cost.race = candidate->cost.race_p999 = not_measured;
		candidate->cost.holdout = candidate->cost.holdout_p999 = not_measured;
		if (i == group->now || candidate->fate != NSLAB_TUNER_KEPT)
			continue;
		candidate->why[0] = '\0';
		if (race_costs_more(race, candidate, INFINITY))
			candidate->fate = NSLAB_TUNER_RACED_OUT;
		else
			heat_add(heat, i);
	}
}

/* Those that nobody dropped and nobody chose are not confirmed, so they are out as well. */
static void race_close(struct race *race, const struct race_heat *heat)
{
	const char *end = race->result->is_noisy ? "the host was too noisy to tell"
						 : "not enough time to tell";

	for (size_t i = 1; i < heat->nr_arms; i++) {
		struct nslab_tuner_candidate *candidate = heat_candidate(race, heat, i);
		const struct nslab_tuner_change *change = &candidate->cost.race;
		bool is_told = !isnan(change->lo) && !race->result->is_noisy;

		if (candidate->fate != NSLAB_TUNER_KEPT)
			continue;
		candidate->fate = is_told ? NSLAB_TUNER_RACED_OUT : NSLAB_TUNER_UNMEASURED;
		if (candidate->why[0])
			continue;
		if (is_told)
			snprintf(
				candidate->why, sizeof(candidate->why),
				"not told apart: %+.1f %% [%+.1f, %+.1f] against now in %zu blocks",
				100 * expm1(change->estimate), 100 * expm1(change->lo),
				100 * expm1(change->hi), change->n);
		else
			snprintf(candidate->why, sizeof(candidate->why), "%s: %d blocks", end,
				 heat->nr_blocks);
	}
}

int nslab_tuner_race(struct nslab_tuner_group *group, const struct nslab_tuner_race_source *source,
		     const struct nslab_tuner_race_rules *rules,
		     struct nslab_tuner_race_result *result, struct nslab_err *err)
{
	struct race race = {
		.group = group,
		.source = source,
		.rules = rules,
		.result = result,
		.start_left_ns = source->left_ns(source->state),
		.err = err,
	};
	struct race_heat heat;
	size_t winner = RACE_NOW;
	int rc = heat_init(&heat, NSLAB_TUNER_SEARCH, group->nr_candidates, rules->max_blocks);

	*result = (struct nslab_tuner_race_result){.winner = group->now};
	if (rc)
		goto out_free;
	race_line_up(&race, &heat);
	if (heat.nr_arms > 1)
		rc = race_run(&race, &heat);
	if (!rc && heat.nr_blocks >= rules->first_blocks && !result->is_noisy)
		rc = race_winner(&race, &heat, &winner);
	if (!rc && winner != RACE_NOW)
		rc = race_hold_out(&race, heat.arms[winner]);
	race_blame_noise(result);
	if (!rc)
		race_close(&race, &heat);
out_free:
	heat_free(&heat);
	if (rc && !err->text[0])
		nslab_fail(err, rc, "cannot race the settings of '%s': %s", group->cache->name,
			   strerror(-rc));
	return rc;
}

int nslab_tuner_hold_out(struct nslab_tuner_group *group, size_t candidate,
			 const struct nslab_tuner_race_source *source,
			 const struct nslab_tuner_race_rules *rules,
			 struct nslab_tuner_race_result *result, struct nslab_err *err)
{
	struct race race = {
		.group = group,
		.source = source,
		.rules = rules,
		.result = result,
		.start_left_ns = source->left_ns(source->state),
		.is_for_memory = true,
		.err = err,
	};
	int rc;

	*result = (struct nslab_tuner_race_result){.winner = group->now};
	rc = race_hold_out(&race, candidate);
	if (rc && !err->text[0])
		nslab_fail(err, rc, "cannot hold out a setting of '%s': %s", group->cache->name,
			   strerror(-rc));
	return rc;
}
