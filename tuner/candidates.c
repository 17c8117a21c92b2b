// SPDX-License-Identifier: GPL-2.0-only
/*
 * candidates.c: what a cache could be set to, and what that takes in memory, by formula.
 *
 * Candidates are the orders that hold an object, and at the order of now each further dimension by
 * itself: a product of all dimensions would be ten times as many candidates that nobody can replay
 * in the time there is. The setting of now is always there, even at an order that is no candidate.
 *
 * Memory: slabs for the live objects and for the free ones that CPUs and nodes keep. A CPU keeps
 * half of its slab, half of its limit of partial slabs, and one and a half sheaves; a node half of
 * its limit of empty slabs and half of its barn (10 full sheaves). A cache never keeps more objects
 * than it uses, and every CPU that uses it has a slab of its own. These are expectations for a
 * machine at rest, there to tell orders apart; a replay counts what a load really leaves. Left out:
 * slabs that a past peak left behind partly filled.
 */
#include "tuner/loss.h"

#include <stdlib.h>

#define CANDIDATES_MAX	   (NSLAB_TUNER_MAX_ORDER + 2 + 3 + 2 + 2)
#define CANDIDATES_BARN	   10  /* full sheaves that a node keeps at most */
#define CANDIDATES_SHEAVES 1.5 /* that a CPU has full: its main one, half of its spare */

double nslab_tuner_objects(const struct nslab_tuner_cache *cache, int order)
{
	size_t objects = nslab_order_objects(cache->size ? cache->size : 1, (unsigned)order);

	return objects ? (double)objects : 1;
}

int nslab_tuner_order(const struct nslab_tuner_snapshot *snapshot,
		      const struct nslab_tuner_cache *cache, const struct nslab_order_knobs *knobs)
{
	if (!cache->size)
		return -E2BIG;
	return nslab_order_by_kernel(snapshot->kernel, cache->size, knobs, snapshot->nr_cpus);
}

/* What is set, or what is now; 0 when nobody told. */
static double candidates_value(int set, int now)
{
	int value = set == NSLAB_AUTO ? now : set;

	return value < 0 ? 0 : value;
}

/* Free objects that all CPUs keep. */
static double candidates_queued(const struct nslab_tuner_snapshot *snapshot,
				const struct nslab_tuner_cache *cache,
				const struct nslab_tuner_setting *setting, double objects)
{
	double partial = candidates_value(setting->cpu_partial, cache->cpu_partial);
	double sheaf = candidates_value(setting->sheaf_capacity, cache->sheaf_capacity);

	if (cache->is_debug)
		return 0;
	return snapshot->nr_cpus * ((objects + partial) / 2 + CANDIDATES_SHEAVES * sheaf);
}

/* Free objects that all nodes keep. */
static double candidates_kept(const struct nslab_tuner_snapshot *snapshot,
			      const struct nslab_tuner_cache *cache,
			      const struct nslab_tuner_setting *setting, double objects)
{
	double partial = candidates_value(setting->min_partial, cache->min_partial);
	double sheaf = candidates_value(setting->sheaf_capacity, cache->sheaf_capacity);

	return snapshot->nr_nodes * (partial * objects + CANDIDATES_BARN * sheaf) / 2;
}

void nslab_tuner_memory(const struct nslab_tuner_snapshot *snapshot,
			const struct nslab_tuner_cache *cache,
			const struct nslab_tuner_setting *setting, struct nslab_tuner_cost *cost)
{
	int order = (int)candidates_value(setting->order, cache->order);
	double block = (double)nslab_order_bytes((unsigned)order);
	double objects = nslab_tuner_objects(cache, order);
	double live = cache->live > 0 ? (double)cache->live : 0;
	double queued = candidates_queued(snapshot, cache, setting, objects);
	double kept = candidates_kept(snapshot, cache, setting, objects);
	double slabs = ceil((live + fmin(live, queued + kept)) / objects);
	double nr_free;

	slabs = fmax(slabs, fmin(live, snapshot->nr_cpus));
	nr_free = slabs * objects - live;
	queued = fmin(queued, nr_free);
	cost->memory_bytes = slabs * block;
	cost->tail_bytes = slabs * (block - objects * cache->size);
	cost->padding_bytes = live * (cache->size - cache->object_size);
	cost->queued_bytes = queued * cache->size;
	cost->free_bytes = (nr_free - queued) * cache->size;
}

double nslab_tuner_scarcity(const struct nslab_tuner_snapshot *snapshot, int order)
{
	double all = 0, fit = 0;

	if (!snapshot->has_free_blocks)
		return NAN;
	for (int i = 0; i < NSLAB_TUNER_ORDERS; i++) {
		double pages = (double)snapshot->free_blocks[i] * (double)(1u << i);

		all += pages;
		fit += i >= order ? pages : 0;
	}
	return all > 0 ? fit / all : 0;
}

static struct nslab_tuner_candidate *candidates_add(const struct nslab_tuner_snapshot *snapshot,
						    struct nslab_tuner_group *group,
						    const struct nslab_tuner_setting *setting)
{
	const struct nslab_tuner_change unknown = {NAN, NAN, NAN, 0, NAN};
	struct nslab_tuner_candidate *candidate = &group->candidates[group->nr_candidates++];

	*candidate = (struct nslab_tuner_candidate){
		.setting = *setting,
		.cost =
			{
				.locks_per_kop = NAN,
				.remote_frees_per_kop = NAN,
				.slow_per_kop = NAN,
				.slab_allocs_per_kop = NAN,
				.high_pages_per_kop = NAN,
				.high_pages_per_s = NAN,
				.scarcity = nslab_tuner_scarcity(snapshot, setting->order),
				.fallback_share = NAN,
				.worst_locks_per_kop = NAN,
				.race = unknown,
				.holdout = unknown,
				.race_p999 = unknown,
				.holdout_p999 = unknown,
			},
	};
	nslab_tuner_memory(snapshot, group->cache, setting, &candidate->cost);
	return candidate;
}

static void candidates_orders(const struct nslab_tuner_snapshot *snapshot,
			      struct nslab_tuner_group *group, int now)
{
	struct nslab_tuner_setting setting = {now, NSLAB_AUTO, NSLAB_AUTO, NSLAB_AUTO};

	for (int order = 0; order <= NSLAB_TUNER_MAX_ORDER; order++) {
		size_t objects = nslab_order_objects(group->cache->size, (unsigned)order);

		if (order != now && (!objects || objects > NSLAB_ORDER_OBJECTS_MAX))
			continue;
		if (order == now)
			group->now = group->nr_candidates;
		setting.order = order;
		candidates_add(snapshot, group, &setting);
	}
	if (now > NSLAB_TUNER_MAX_ORDER) {
		setting.order = now;
		group->now = group->nr_candidates;
		candidates_add(snapshot, group, &setting);
	}
}

/* One further dimension at the order of now: value_of points into setting. */
static void candidates_scale(const struct nslab_tuner_snapshot *snapshot,
			     struct nslab_tuner_group *group, struct nslab_tuner_setting *setting,
			     int *value_of, int now, bool has_half, int most)
{
	if (now <= 0)
		return;
	for (int i = has_half ? -1 : 1; i <= 2 && (1 << (i > 0 ? i : 0)) <= most; i++) {
		*value_of = i < 0 ? now / 2 : now << i;
		if (i && *value_of)
			candidates_add(snapshot, group, setting);
	}
	*value_of = NSLAB_AUTO;
}

static void candidates_dimensions(const struct nslab_tuner_snapshot *snapshot,
				  struct nslab_tuner_group *group, int now)
{
	const struct nslab_tuner_cache *cache = group->cache;
	struct nslab_tuner_setting setting = {now, NSLAB_AUTO, NSLAB_AUTO, NSLAB_AUTO};

	if (!cache->is_debug)
		candidates_scale(snapshot, group, &setting, &setting.cpu_partial,
				 cache->cpu_partial, true, 4);
	candidates_scale(snapshot, group, &setting, &setting.min_partial, cache->min_partial, false,
			 4);
	if (snapshot->kernel == NSLAB_ORDER_6_18)
		candidates_scale(snapshot, group, &setting, &setting.sheaf_capacity,
				 cache->sheaf_capacity, true, 2);
}

static int candidates_group(const struct nslab_tuner_snapshot *snapshot,
			    const struct nslab_tuner_cache *cache, struct nslab_tuner_group *group,
			    struct nslab_err *err)
{
	int now = cache->order;

	if (now == NSLAB_TUNER_UNKNOWN)
		now = nslab_tuner_order(snapshot, cache, &snapshot->knobs);
	if (now < 0 || now >= NSLAB_TUNER_ORDERS || !cache->size)
		return nslab_fail(err, -EINVAL,
				  "cache '%s': no slab of up to 4 MiB holds an object of %u bytes",
				  cache->name, cache->size);
	group->cache = cache;
	group->candidates = calloc(CANDIDATES_MAX, sizeof(*group->candidates));
	if (!group->candidates)
		return nslab_fail(err, -ENOMEM, "cannot hold the candidates of '%s'", cache->name);
	candidates_orders(snapshot, group, now);
	candidates_dimensions(snapshot, group, now);
	group->advised = group->now;
	group->order_booted = now;
	return 0;
}

int nslab_tuner_candidates(const struct nslab_tuner_snapshot *snapshot,
			   struct nslab_tuner_advice **advice, struct nslab_err *err)
{
	struct nslab_tuner_advice *made = calloc(1, sizeof(*made));
	int rc = 0;

	if (made)
		made->groups = calloc(snapshot->nr_caches + 1, sizeof(*made->groups));
	if (!made || !made->groups) {
		nslab_tuner_advice_free(made);
		return nslab_fail(err, -ENOMEM, "cannot hold the candidates of %zu caches",
				  snapshot->nr_caches);
	}
	made->snapshot = snapshot;
	made->budget = (struct nslab_tuner_budget){NAN, NAN};
	made->now.knobs = snapshot->knobs;
	made->booted = made->now;
	for (size_t i = 0; i < snapshot->nr_caches && !rc; i++)
		rc = candidates_group(snapshot, &snapshot->caches[i],
				      &made->groups[made->nr_groups++], err);
	if (rc) {
		nslab_tuner_advice_free(made);
		return rc;
	}
	*advice = made;
	return 0;
}
