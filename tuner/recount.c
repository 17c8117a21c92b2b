// SPDX-License-Identifier: GPL-2.0-only
/*
 * recount.c: what counts advise, counted again on a load that nobody searched.
 *
 * Without measuring, counts choose. They have no noise, but a setting can still fit the very events
 * that it was chosen by, so each advised one meets the setting of now once more on the hold-out
 * segment of the trace, or on a standard load of other seeds. It stays only when its loss is a gain
 * there too and it is not slower than the margin that the clock would grant it; else it is refuted,
 * and the caches choose again, since a budget may now go to others. Each turn refutes one setting
 * at least, so this ends.
 *
 * Invariant: what is advised in the end was confirmed. Left out: the boot parameters, which are
 * scored by the counts of the search.
 */
#include "tuner/counts.h"
#include "tuner/loss.h"

#include <errno.h>

#define RECOUNT_MARGIN 0.01 /* of time, as in a race for memory */

struct recount {
	const char *trace; /* path, or NULL */
	uint64_t seed;
	struct nslab_tuner_advice *advice;
	struct nslab_tuner_counter *counter;
};

/* A cache that the trace does not know has a standard load, as in the search. */
static int recount_load(const struct recount *r, const struct nslab_tuner_cache *cache,
			struct nslab_tuner_load **load, struct nslab_err *err)
{
	int rc = -ENODATA;

	if (r->trace)
		rc = nslab_tuner_load_of_trace(r->trace, cache, NSLAB_TUNER_HOLDOUT, load, err);
	if (rc != -ENODATA)
		return rc;
	return nslab_tuner_load_standard(r->advice->snapshot, cache, NSLAB_TUNER_HOLDOUT, r->seed,
					 load, err);
}

static void recount_judge(const struct recount *r, const struct nslab_tuner_group *pair,
			  struct nslab_tuner_candidate *advised)
{
	struct nslab_tuner_terms terms;
	char memory[24];
	bool is_gain = nslab_tuner_loss(r->advice, pair, 1) < 0;

	nslab_tuner_terms(r->advice, pair, &pair->candidates[1], &terms);
	nslab_tuner_percent(pair->candidates[0].cost.memory_bytes,
			    pair->candidates[1].cost.memory_bytes, memory, sizeof(memory));
	is_gain &= terms.time < RECOUNT_MARGIN;
	advised->fate = is_gain ? NSLAB_TUNER_CONFIRMED : NSLAB_TUNER_REFUTED;
	snprintf(advised->why, sizeof(advised->why), "%s by counts: memory %s, time %+.1f %%",
		 is_gain ? "held out" : "the hold-out did not confirm it", memory,
		 100 * terms.time);
}

static int recount_group(const struct recount *r, struct nslab_tuner_group *group,
			 struct nslab_err *err)
{
	struct nslab_tuner_candidate *advised = &group->candidates[group->advised];
	struct nslab_tuner_candidate both[2] = {*nslab_tuner_now(group), *advised};
	struct nslab_tuner_group pair = {
		.cache = group->cache, .candidates = both, .nr_candidates = 2};
	struct nslab_tuner_load *load = NULL;
	int rc = recount_load(r, group->cache, &load, err);

	if (!rc)
		rc = nslab_tuner_count_group(r->counter, &pair, load, false, err);
	nslab_tuner_load_free(load);
	if (rc)
		return nslab_fail_in(err, rc, "cache '%s'", group->cache->name);
	recount_judge(r, &pair, advised);
	return 0;
}

/* nr: of settings that were refuted. */
static int recount_all(const struct recount *r, size_t *nr, struct nslab_err *err)
{
	int rc = nslab_tuner_choose(r->advice, err);

	*nr = 0;
	for (size_t i = 0; !rc && i < r->advice->nr_groups; i++) {
		struct nslab_tuner_group *group = &r->advice->groups[i];
		const struct nslab_tuner_candidate *advised = &group->candidates[group->advised];

		if (group->advised == group->now || advised->fate == NSLAB_TUNER_CONFIRMED)
			continue;
		rc = recount_group(r, group, err);
		*nr += !rc && advised->fate == NSLAB_TUNER_REFUTED;
	}
	return rc;
}

int nslab_tuner_recount(const struct nslab_registry *registry, const char *trace, uint64_t seed,
			struct nslab_tuner_advice *advice, struct nslab_err *err)
{
	struct recount r = {.trace = trace, .seed = seed, .advice = advice};
	size_t nr_refuted = 1;
	int rc = nslab_tuner_counter_open(registry, advice->snapshot, &r.counter, err);

	while (!rc && nr_refuted)
		rc = recount_all(&r, &nr_refuted, err);
	nslab_tuner_counter_close(r.counter);
	return rc;
}
