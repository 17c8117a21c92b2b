/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tune.c: the tuner's way from a snapshot to an advice, one step after the other.
 *
 * Candidates come from the rules, their counts from replaying each cache's load on the kernel's
 * model; both are exact and are done for every cache. Measuring takes time, so caches queue for it
 * by the loss that counts promise to save, in proportion of the whole machine. Of each only the few
 * best candidates run. When the time is up the rest keeps its setting: nothing is advised that the
 * hold-out did not confirm. Without measuring counts decide alone, confirmed by those of the
 * hold-out (recount.c), and every output says so.
 *
 * Invariants: the order of caches in an advice is that of the snapshot; the setting of now is
 * always open; two runs without measuring do the same arithmetic in the same order.
 * Left out: the oracle and files (cmd_tune.c puts them behind).
 */
#include "tuner/tune.h"

#include "tuner/counts.h"
#include "tuner/loss.h"
#include "tuner/race.h"
#include "tuner/search.h"

#include <errno.h>
#include <stdlib.h>

#define TUNE_COSTLY    3 /* PAGE_ALLOC_COSTLY_ORDER */
#define TUNE_COARSE    8 /* slabs that a load's live objects fill at least, for counts to tell */
#define TUNE_RACERS    4 /* candidates of a cache that are measured beside the setting of now */
#define TUNE_MAX_RACES 40
#define TUNE_SHARES    8 /* of the time: no cache takes more than one, when so many could gain */
#define TUNE_LEAST_NS  UINT64_C(2000000000) /* nothing can be told in less */

struct tune {
	const struct nslab_tune_options *o;
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_bench *bench;
	struct nslab_tuner_counter *counter;
	struct nslab_tuner_load **loads; /* [nr_caches] of the trace; NULL: no events */
	size_t nr_without_events, nr_raced, nr_noisy, nr_promising;
	char noise[128]; /* that spoiled the last trial of a cache that was too noisy */
};

static bool tune_is_stopped(const struct tune *t)
{
	return t->o->is_interrupted && *t->o->is_interrupted;
}

/* ---- counts ---- */

/* The load of the trace, or a standard one; the caller frees it. */
static int tune_load(struct tune *t, size_t number, struct nslab_tuner_load **load,
		     struct nslab_err *err)
{
	*load = t->loads[number];
	t->loads[number] = NULL;
	if (*load)
		return 0;
	t->nr_without_events += t->o->trace != NULL;
	return nslab_tuner_load_standard(t->o->snapshot, &t->o->snapshot->caches[number],
					 NSLAB_TUNER_SEARCH, t->o->seed, load, err);
}

/* A load of some thousand objects fits into a slab or two of the largest: all would look free. */
static void tune_drop_coarse(struct nslab_tuner_group *group, const struct nslab_tuner_load *load)
{
	for (size_t i = 0; i < group->nr_candidates; i++) {
		struct nslab_tuner_candidate *candidate = &group->candidates[i];
		double objects = nslab_tuner_objects(group->cache, candidate->setting.order);

		if (candidate->setting.order <= nslab_tuner_now(group)->setting.order ||
		    TUNE_COARSE * objects <= load->nr_live_peak)
			continue;
		candidate->fate = NSLAB_TUNER_COARSE;
		snprintf(candidate->why, sizeof(candidate->why),
			 "%.0f objects in a slab, of %u that the load has live: counts of so few "
			 "slabs tell nothing",
			 objects, load->nr_live_peak);
	}
}

/* Larger blocks are for who asks for speed alone: the kernel gives up early when there are none. */
static void tune_drop_costly(const struct tune *t, struct nslab_tuner_group *group)
{
	int most = nslab_tuner_now(group)->setting.order;

	if (t->o->objective == NSLAB_TUNER_SPEED)
		return;
	if (most < TUNE_COSTLY)
		most = TUNE_COSTLY;
	for (size_t i = 0; i < group->nr_candidates; i++) {
		struct nslab_tuner_candidate *candidate = &group->candidates[i];

		if (candidate->setting.order <= most)
			continue;
		candidate->fate = NSLAB_TUNER_COARSE;
		snprintf(candidate->why, sizeof(candidate->why),
			 "above order %d the kernel neither reclaims nor compacts for a slab; "
			 "asked for with --objective speed only",
			 TUNE_COSTLY);
	}
}

static int tune_count(struct tune *t, size_t number, struct nslab_err *err)
{
	struct nslab_tuner_group *group = &t->advice->groups[number];
	struct nslab_tuner_load *load = NULL;
	int rc = tune_load(t, number, &load, err);

	if (!rc)
		rc = nslab_tuner_count_group(t->counter, group, load, false, err);
	if (!rc) {
		tune_drop_coarse(group, load);
		tune_drop_costly(t, group);
	}
	nslab_tuner_load_free(load);
	if (rc)
		return nslab_fail_in(err, rc, "cache '%s'", group->cache->name);
	nslab_tuner_prune(group);
	return 0;
}

static int tune_count_open(struct tune *t, struct nslab_err *err)
{
	const struct nslab_tuner_snapshot *snapshot = t->o->snapshot;
	int rc = 0;

	t->loads = calloc(snapshot->nr_caches + 1, sizeof(struct nslab_tuner_load *));
	if (!t->loads)
		return nslab_fail(err, -ENOMEM, "no memory for the loads of caches");
	if (t->o->trace)
		rc = nslab_tuner_loads_of_trace(t->o->trace, snapshot, NSLAB_TUNER_SEARCH, t->loads,
						err);
	if (!rc)
		rc = nslab_tuner_counter_open(t->o->registry, snapshot, &t->counter, err);
	return rc;
}

static void tune_count_close(struct tune *t)
{
	nslab_tuner_counter_close(t->counter);
	for (size_t i = 0; t->loads && i < t->o->snapshot->nr_caches; i++)
		nslab_tuner_load_free(t->loads[i]);
	free(t->loads);
}

static int tune_count_all(struct tune *t, struct nslab_err *err)
{
	int rc = tune_count_open(t, err);

	for (size_t i = 0; !rc && i < t->advice->nr_groups; i++)
		rc = tune_is_stopped(t) ? -EINTR : tune_count(t, i, err);
	tune_count_close(t);
	if (rc == -EINTR)
		return nslab_fail(err, rc, "interrupted before anything could be advised");
	return rc;
}

/* ---- the queue for measuring ---- */

struct tune_turn {
	struct nslab_tuner_group *group;
	double promise; /* loss that its best candidate saves */
};

static double tune_best_loss(const struct tune *t, const struct nslab_tuner_group *group)
{
	double best = 0;

	for (size_t i = 0; i < group->nr_candidates; i++) {
		double loss;

		if (!nslab_tuner_is_open(&group->candidates[i]))
			continue;
		loss = nslab_tuner_loss(t->advice, group, i);
		if (loss < best)
			best = loss;
	}
	return best;
}

static int tune_by_promise(const void *a, const void *b)
{
	const struct tune_turn *x = a, *y = b;

	if (x->promise != y->promise)
		return x->promise > y->promise ? -1 : 1;
	return x->group < y->group ? -1 : 1;
}

static size_t tune_queue(const struct tune *t, struct tune_turn *turns)
{
	size_t nr = 0;

	for (size_t i = 0; i < t->advice->nr_groups; i++) {
		struct nslab_tuner_group *group = &t->advice->groups[i];
		double promise = -tune_best_loss(t, group);

		if (promise > 0)
			turns[nr++] = (struct tune_turn){group, promise};
	}
	qsort(turns, nr, sizeof(*turns), tune_by_promise);
	return nr;
}

/* Candidates that come before this one by their loss, the setting of now not counted. */
static size_t tune_rank(const struct tune *t, const struct nslab_tuner_group *group, size_t number)
{
	double loss = nslab_tuner_loss(t->advice, group, number);
	size_t rank = 0;

	for (size_t i = 0; i < group->nr_candidates; i++) {
		double other;

		if (i == number || i == group->now || !nslab_tuner_is_open(&group->candidates[i]))
			continue;
		other = nslab_tuner_loss(t->advice, group, i);
		rank += other < loss || (other == loss && i < number);
	}
	return rank;
}

static void tune_shortlist(const struct tune *t, struct nslab_tuner_group *group)
{
	bool *is_out = calloc(group->nr_candidates, sizeof(*is_out));

	for (size_t i = 0; is_out && i < group->nr_candidates; i++)
		is_out[i] = i != group->now && nslab_tuner_is_open(&group->candidates[i]) &&
			    tune_rank(t, group, i) >= TUNE_RACERS;
	for (size_t i = 0; is_out && i < group->nr_candidates; i++) {
		if (!is_out[i])
			continue;
		group->candidates[i].fate = NSLAB_TUNER_OUTRANKED;
		snprintf(group->candidates[i].why, sizeof(group->candidates[i].why),
			 "%d others cost less by their counts", TUNE_RACERS);
	}
	free(is_out);
}

static void tune_close(struct nslab_tuner_group *group, const char *why)
{
	for (size_t i = 0; i < group->nr_candidates; i++) {
		struct nslab_tuner_candidate *candidate = &group->candidates[i];

		if (i == group->now || candidate->fate != NSLAB_TUNER_KEPT)
			continue;
		candidate->fate = NSLAB_TUNER_UNMEASURED;
		snprintf(candidate->why, sizeof(candidate->why), "%s", why);
	}
}

/* ---- measuring ---- */

/* What saves most besides time, which was not measured for it; or the setting of now. */
static size_t tune_thriftiest(struct tune *t, const struct nslab_tuner_group *group)
{
	size_t best = group->now;
	double least = 0;

	t->advice->is_measured = true; /* an unmeasured gain of time is none */
	for (size_t i = 0; i < group->nr_candidates; i++) {
		double loss;

		if (i == group->now || group->candidates[i].fate == NSLAB_TUNER_DOMINATED ||
		    group->candidates[i].fate == NSLAB_TUNER_COARSE)
			continue;
		loss = nslab_tuner_loss(t->advice, group, i);
		if (loss < least) {
			least = loss;
			best = i;
		}
	}
	t->advice->is_measured = false;
	return best;
}

static uint64_t tune_share_ns(const struct tune *t)
{
	size_t nr = t->nr_promising < TUNE_SHARES ? t->nr_promising : TUNE_SHARES;

	return t->o->budget_ns / (nr ? nr : 1);
}

/* The race for time; then, when it changed nothing, what saves memory without being slower. */
static int tune_race(struct tune *t, struct nslab_tuner_group *group,
		     struct nslab_tuner_race_result *result, struct nslab_err *err)
{
	struct nslab_tuner_race_rules rules = NSLAB_TUNER_RACE_RULES_DEFAULT;
	struct nslab_tuner_race_source source;
	size_t thriftiest;
	bool was_noisy;
	int rc;

	rules.seed = t->o->seed;
	rules.objective = t->o->objective;
	tune_shortlist(t, group);
	*result = (struct nslab_tuner_race_result){.winner = group->now};
	rc = nslab_tuner_bench_source(t->bench, group->cache, t->o->trace, tune_share_ns(t),
				      &source, err);
	if (!rc && t->o->objective != NSLAB_TUNER_MEMORY)
		rc = nslab_tuner_race(group, &source, &rules, result, err);
	if (rc || result->winner != group->now || t->o->objective == NSLAB_TUNER_SPEED)
		return rc;
	thriftiest = tune_thriftiest(t, group);
	if (thriftiest == group->now || !source.left_ns(source.state))
		return 0;
	was_noisy = result->is_noisy;
	rc = nslab_tuner_hold_out(group, thriftiest, &source, &rules, result, err);
	result->is_noisy |= was_noisy && result->winner == group->now;
	return rc;
}

static void tune_say(const struct tune *t, const struct tune_turn *turn, size_t number, size_t nr)
{
	if (t->o->talk)
		fprintf(t->o->talk, "measuring %s (%zu of at most %zu)\n", turn->group->cache->name,
			number + 1, nr);
}

/* A cache that cannot be measured costs no more than itself. */
static int tune_turn(struct tune *t, struct nslab_tuner_group *group)
{
	struct nslab_tuner_race_result result;
	struct nslab_err err = {""};
	int rc = tune_race(t, group, &result, &err);

	t->nr_raced++;
	t->nr_noisy += !rc && result.is_noisy;
	if (!rc && result.is_noisy)
		snprintf(t->noise, sizeof(t->noise), "%s", nslab_tuner_bench_cause(t->bench));
	if (rc == -ENOMEM || !rc)
		return rc;
	tune_close(group, "it could not be measured");
	return nslab_tuner_note(t->advice, "%s was not measured: %s%s%s", group->cache->name,
				err.text, *nslab_tuner_bench_cause(t->bench) ? ": " : "",
				nslab_tuner_bench_cause(t->bench));
}

static int tune_measure(struct tune *t, struct nslab_err *err)
{
	struct tune_turn *turns = calloc(t->advice->nr_groups + 1, sizeof(*turns));
	int rc = turns ? 0 : nslab_fail(err, -ENOMEM, "no memory for the queue of caches");

	if (!rc)
		rc = nslab_tuner_bench_open(t->o->registry, t->o->snapshot, t->o->budget_ns,
					    &t->bench, err);
	if (!rc) {
		nslab_tuner_bench_watch(t->bench, t->o->is_interrupted);
		t->nr_promising = tune_queue(t, turns);
	}
	for (size_t i = 0; !rc && i < t->nr_promising && i < TUNE_MAX_RACES; i++) {
		if (nslab_tuner_bench_left_ns(t->bench) < TUNE_LEAST_NS)
			break;
		tune_say(t, &turns[i], i, t->nr_promising);
		rc = tune_turn(t, turns[i].group);
	}
	for (size_t i = 0; !rc && i < t->advice->nr_groups; i++)
		tune_close(&t->advice->groups[i], "its turn to be measured did not come");
	nslab_tuner_bench_close(t->bench);
	free(turns);
	return rc;
}

/* ---- all of it ---- */

static int tune_notes(struct tune *t)
{
	const struct nslab_tuner_snapshot *snapshot = t->o->snapshot;
	int rc = 0;

	for (size_t i = 0; !rc && i < snapshot->nr_notes; i++)
		rc = nslab_tuner_note(t->advice, "%s", snapshot->notes[i]);
	if (!rc && t->nr_without_events)
		rc = nslab_tuner_note(t->advice,
				      "%zu caches have no events in the trace; a standard load "
				      "stands in for them",
				      t->nr_without_events);
	if (!rc && !t->o->is_measured)
		rc = nslab_tuner_note(t->advice, "nothing was measured: the advice follows from "
						 "counts and formulas alone");
	if (!rc && t->o->is_measured && t->nr_raced < t->nr_promising)
		rc = nslab_tuner_note(t->advice,
				      "%zu of the %zu caches that could gain were measured; the "
				      "others keep their setting; a larger --budget reaches more",
				      t->nr_raced, t->nr_promising);
	if (!rc && t->nr_raced && t->o->budget_ns < NSLAB_TUNER_LATENCY_NS)
		rc = nslab_tuner_note(t->advice,
				      "p99.9 was not measured: its trials are eight times as long; "
				      "they run with --budget %llus or more",
				      (unsigned long long)(NSLAB_TUNER_LATENCY_NS / 1000000000));
	if (!rc && t->nr_noisy)
		rc = nslab_tuner_note(t->advice,
				      "the host was too noisy to tell for %zu of %zu caches that "
				      "were measured%s%s; --no-measure advises by counts",
				      t->nr_noisy, t->nr_raced, t->noise[0] ? "; " : "", t->noise);
	return rc;
}

int nslab_tune(const struct nslab_tune_options *options, struct nslab_tuner_advice **advice,
	       struct nslab_err *err)
{
	struct tune t = {.o = options};
	int rc = nslab_tuner_candidates(options->snapshot, &t.advice, err);

	if (rc)
		return rc;
	t.advice->objective = options->objective;
	t.advice->budget = options->budget;
	rc = tune_count_all(&t, err);
	if (!rc && options->is_measured)
		rc = tune_measure(&t, err);
	t.advice->is_measured = options->is_measured; /* not before: counts rank who is measured */
	if (!rc && options->is_measured)
		rc = nslab_tuner_choose(t.advice, err);
	if (!rc && !options->is_measured)
		rc = nslab_tuner_recount(options->registry, options->trace, options->seed, t.advice,
					 err);
	if (!rc)
		rc = nslab_tuner_boot(t.advice, err);
	if (!rc)
		rc = tune_notes(&t);
	if (rc) {
		nslab_tuner_advice_free(t.advice);
		return rc;
	}
	*advice = t.advice;
	return 0;
}
