// SPDX-License-Identifier: GPL-2.0-only
/*
 * count_group.c: every candidate of a cache counted, first as the machine is, then where it hurts.
 *
 * A setting that is good on an idle machine may be bad when fewer CPUs are busy or when the page
 * allocator has no large blocks left. So each candidate is counted at nominal conditions, which
 * fill its costs, and at corners, of which only the most locks and the share of fallbacks are kept.
 * Not every corner is counted: failing requests make locks and never save many, so fewer CPUs are
 * only looked at where most requests fail, and a slab of the smallest order never falls back. Left
 * out: which candidates there are (candidates.c).
 */
#include "tuner/counts.h"

#include <math.h>

#define GROUP_SEED 1

#define GROUP_FAIL_SOME 0.1 /* of requests for large blocks */
#define GROUP_FAIL_MOST 0.5

struct group_task {
	struct nslab_tuner_counter *counter;
	const struct nslab_tuner_cache *cache;
	const struct nslab_tuner_load *load;
	struct nslab_tuner_candidate *candidate;
	int nr_cpus;
	struct nslab_err *err;
};

static bool group_can_fall_back(const struct group_task *t)
{
	int order = t->candidate->setting.order;

	order = order == NSLAB_AUTO ? t->cache->order : order;
	return order < 0 || (unsigned)order > nslab_order_of(t->cache->size);
}

/* One where most requests fail also tells the share of fallbacks. */
static int group_corner(const struct group_task *t, int nr_cpus, double fail_share)
{
	const struct nslab_tuner_conditions conditions = {
		.nr_cpus = nr_cpus, .fail_share = fail_share, .seed = GROUP_SEED};
	struct nslab_tuner_cost *cost = &t->candidate->cost, corner = *cost;
	int rc = nslab_tuner_count(t->counter, t->cache, &t->candidate->setting, t->load,
				   &conditions, &corner, t->err);

	if (rc)
		return rc;
	cost->worst_locks_per_kop = fmax(cost->worst_locks_per_kop, corner.locks_per_kop);
	if (nr_cpus == t->nr_cpus && fail_share >= GROUP_FAIL_MOST)
		cost->fallback_share = corner.fallback_share;
	return 0;
}

static int group_nominal(const struct group_task *t)
{
	const struct nslab_tuner_conditions conditions = {.nr_cpus = t->nr_cpus,
							  .seed = GROUP_SEED};
	struct nslab_tuner_cost *cost = &t->candidate->cost;
	int rc = nslab_tuner_count(t->counter, t->cache, &t->candidate->setting, t->load,
				   &conditions, cost, t->err);

	cost->worst_locks_per_kop = cost->locks_per_kop;
	return rc;
}

/* Both shares on all CPUs, which are the busiest; fewer CPUs where most requests fail. */
static int group_corners(const struct group_task *t)
{
	bool can_fall_back = group_can_fall_back(t);
	double most = can_fall_back ? GROUP_FAIL_MOST : 0;
	int rc = 0;

	if (can_fall_back)
		rc = group_corner(t, t->nr_cpus, GROUP_FAIL_SOME);
	if (!rc && can_fall_back)
		rc = group_corner(t, t->nr_cpus, GROUP_FAIL_MOST);
	if (!rc && t->nr_cpus > 1)
		rc = group_corner(t, 1, most);
	if (!rc && t->nr_cpus / 2 > 1)
		rc = group_corner(t, t->nr_cpus / 2, most);
	return rc;
}

static int group_count(const struct group_task *t, bool is_quick)
{
	int rc = group_nominal(t);

	if (rc)
		return rc;
	if (is_quick)
		return group_can_fall_back(t) ? group_corner(t, t->nr_cpus, GROUP_FAIL_MOST) : 0;
	return group_corners(t);
}

int nslab_tuner_count_group(struct nslab_tuner_counter *counter, struct nslab_tuner_group *group,
			    const struct nslab_tuner_load *load, bool is_quick,
			    struct nslab_err *err)
{
	struct group_task t = {.counter = counter,
			       .cache = group->cache,
			       .load = load,
			       .nr_cpus = nslab_tuner_counter_cpus(counter),
			       .err = err};
	int rc = 0;

	for (size_t i = 0; !rc && i < group->nr_candidates; i++) {
		t.candidate = &group->candidates[i];
		if (t.candidate->fate == NSLAB_TUNER_KEPT)
			rc = group_count(&t, is_quick);
	}
	return rc;
}
