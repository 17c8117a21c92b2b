// SPDX-License-Identifier: GPL-2.0-only
/*
 * boot.c: the best three boot parameters, which act on all caches at once (level L2), by trying
 * every triple.
 *
 * What each order does to each cache is computed once; a triple is then the kernel's rule for every
 * stride and three sums. Marks remove nothing here: a triple may have to take an order that nobody
 * would choose, and pays its loss. An order that is no candidate is judged by formula. A cache to
 * which the rule does not give the order that it has (it follows something else) keeps that order
 * under every triple.
 *
 * In an advice that is measured a change that the clock did not confirm gains nothing here either,
 * so that no boot line comes out better than the settings that each cache by itself was refused.
 *
 * The least loss wins; of equals the one that changes fewer caches, then the one nearer to the
 * parameters of now, then the first. Triples that break a budget are out; if now breaks one itself,
 * any that fits is better.
 */
#include "tuner/loss.h"

#include <stdlib.h>

#define BOOT_MARGIN 0.01 /* of the machine's time and memory, that a reboot must gain */

struct boot_effect {
	double loss, memory_bytes, larger_pages;
};

struct boot_cache {
	struct boot_effect by_order[NSLAB_TUNER_ORDERS];
	int now;
	bool is_pinned;
};

struct boot_sum {
	struct boot_effect effect;
	size_t nr_changed;
	unsigned distance; /* parameters that differ from now's */
	bool fits;
};

static const unsigned boot_min_objects[] = {0,	4,  8,	12, 16, 20, 24, 28,  32,  36,
					    40, 44, 48, 56, 64, 80, 96, 128, 192, 256};

#define BOOT_NR_OBJECTS (sizeof(boot_min_objects) / sizeof(*boot_min_objects))
#define BOOT_NR_MIN	4
#define BOOT_NR_MAX	6

bool nslab_tuner_triple(enum nslab_order_kernel kernel, size_t number,
			struct nslab_order_knobs *knobs)
{
	size_t pair = number / BOOT_NR_OBJECTS;

	if (pair >= BOOT_NR_MIN * BOOT_NR_MAX)
		return false;
	*knobs = (struct nslab_order_knobs)NSLAB_ORDER_KNOBS_DEFAULT;
	knobs->min_objects = boot_min_objects[number % BOOT_NR_OBJECTS];
	nslab_order_set_max(kernel, knobs, (unsigned)(pair / BOOT_NR_MIN));
	nslab_order_set_min(kernel, knobs, (unsigned)(pair % BOOT_NR_MIN));
	return true;
}

/* The candidate of that order and nothing else, or one made up by formula. */
static const struct nslab_tuner_candidate *boot_candidate(const struct nslab_tuner_advice *advice,
							  const struct nslab_tuner_group *group,
							  int order,
							  struct nslab_tuner_candidate *made)
{
	const struct nslab_tuner_setting want = {order, NSLAB_AUTO, NSLAB_AUTO, NSLAB_AUTO};

	for (size_t i = 0; i < group->nr_candidates; i++) {
		const struct nslab_tuner_setting *setting = &group->candidates[i].setting;

		if (setting->order == want.order && setting->cpu_partial == want.cpu_partial &&
		    setting->min_partial == want.min_partial &&
		    setting->sheaf_capacity == want.sheaf_capacity)
			return &group->candidates[i];
	}
	*made = *nslab_tuner_now(group);
	made->setting = want;
	made->cost.locks_per_kop = NAN;
	made->cost.high_pages_per_kop = NAN;
	made->cost.race.estimate = made->cost.holdout.estimate = NAN;
	made->cost.scarcity = nslab_tuner_scarcity(advice->snapshot, order);
	return made;
}

static double boot_loss(const struct nslab_tuner_advice *advice,
			const struct nslab_tuner_scale *scale,
			const struct nslab_tuner_group *group,
			const struct nslab_tuner_candidate *candidate)
{
	double loss = nslab_tuner_loss_of(advice, scale, group, candidate);

	return advice->is_measured && !nslab_tuner_is_open(candidate) ? fmax(loss, 0) : loss;
}

static void boot_prepare(const struct nslab_tuner_advice *advice,
			 const struct nslab_tuner_scale *scale,
			 const struct nslab_tuner_group *group, struct boot_cache *cache)
{
	const struct nslab_tuner_snapshot *snapshot = advice->snapshot;
	double share = nslab_tuner_share(scale, snapshot, group->cache);

	cache->now = nslab_tuner_now(group)->setting.order;
	cache->is_pinned =
		nslab_tuner_order(snapshot, group->cache, &snapshot->knobs) != cache->now;
	for (int order = 0; order < NSLAB_TUNER_ORDERS; order++) {
		struct nslab_tuner_candidate made;
		const struct nslab_tuner_candidate *candidate =
			boot_candidate(advice, group, order, &made);
		struct nslab_tuner_terms terms;

		nslab_tuner_terms(advice, group, candidate, &terms);
		cache->by_order[order] = (struct boot_effect){
			.loss = boot_loss(advice, scale, group, candidate),
			.memory_bytes = terms.memory_bytes,
			.larger_pages = share * terms.larger_pages_per_kop,
		};
	}
}

/* Order of one cache under a triple, or -E2BIG. */
static int boot_order(const struct nslab_tuner_advice *advice, const struct boot_cache *caches,
		      size_t i, const struct nslab_order_knobs *knobs)
{
	if (caches[i].is_pinned)
		return caches[i].now;
	return nslab_tuner_order(advice->snapshot, advice->groups[i].cache, knobs);
}

static unsigned boot_distance(const struct nslab_order_knobs *a, const struct nslab_order_knobs *b)
{
	return (unsigned)(a->min_order != b->min_order) + (a->max_order != b->max_order) +
	       (a->min_objects != b->min_objects);
}

static bool boot_fits(const struct nslab_tuner_advice *advice,
		      const struct nslab_tuner_scale *scale, const struct boot_effect *effect)
{
	const struct nslab_tuner_budget *budget = &advice->budget;

	if (!isnan(budget->memory_share) &&
	    effect->memory_bytes > budget->memory_share * scale->memory_bytes)
		return false;
	return isnan(budget->high_pages_per_kop) ||
	       effect->larger_pages <= budget->high_pages_per_kop;
}

static void boot_score(const struct nslab_tuner_advice *advice,
		       const struct nslab_tuner_scale *scale, const struct boot_cache *caches,
		       const struct nslab_order_knobs *knobs, struct boot_sum *sum)
{
	*sum = (struct boot_sum){.distance = boot_distance(knobs, &advice->snapshot->knobs)};
	for (size_t i = 0; i < advice->nr_groups; i++) {
		int order = boot_order(advice, caches, i, knobs);
		const struct boot_effect *effect;

		if (order < 0) {
			sum->effect.loss = INFINITY;
			return;
		}
		effect = &caches[i].by_order[order];
		sum->effect.loss += effect->loss;
		sum->effect.memory_bytes += effect->memory_bytes;
		sum->effect.larger_pages += effect->larger_pages;
		sum->nr_changed += order != caches[i].now;
	}
	sum->fits = boot_fits(advice, scale, &sum->effect);
}

static bool boot_is_better(const struct boot_sum *a, const struct boot_sum *b)
{
	if (a->fits != b->fits)
		return a->fits;
	if (a->effect.loss != b->effect.loss)
		return a->effect.loss < b->effect.loss;
	if (a->nr_changed != b->nr_changed)
		return a->nr_changed < b->nr_changed;
	return a->distance < b->distance;
}

static void boot_tell(const struct nslab_tuner_advice *advice,
		      const struct nslab_tuner_scale *scale, const struct boot_sum *sum,
		      const struct nslab_order_knobs *knobs, struct nslab_tuner_triple *triple)
{
	*triple = (struct nslab_tuner_triple){
		.knobs = *knobs,
		.loss = sum->effect.loss,
		.regret = sum->effect.loss - advice->loss_ideal,
		.memory_bytes = scale->memory_bytes + sum->effect.memory_bytes,
		.nr_changed = sum->nr_changed,
	};
}

static void boot_search(struct nslab_tuner_advice *advice, const struct nslab_tuner_scale *scale,
			const struct boot_cache *caches)
{
	const struct nslab_order_knobs *now_knobs = &advice->snapshot->knobs;
	struct nslab_order_knobs knobs, best_knobs = *now_knobs;
	struct boot_sum now, sum, best;

	boot_score(advice, scale, caches, now_knobs, &now);
	best = now;
	for (size_t i = 0; nslab_tuner_triple(advice->snapshot->kernel, i, &knobs); i++) {
		boot_score(advice, scale, caches, &knobs, &sum);
		if (boot_is_better(&sum, &best)) {
			best = sum;
			best_knobs = knobs;
		}
	}
	boot_tell(advice, scale, &now, now_knobs, &advice->now);
	advice->booted = advice->now;
	if (best.fits && (!now.fits || best.effect.loss < now.effect.loss - BOOT_MARGIN))
		boot_tell(advice, scale, &best, &best_knobs, &advice->booted);
}

int nslab_tuner_boot(struct nslab_tuner_advice *advice, struct nslab_err *err)
{
	struct boot_cache *caches = calloc(advice->nr_groups + 1, sizeof(*caches));
	struct nslab_tuner_scale scale;

	if (!caches)
		return nslab_fail(err, -ENOMEM, "cannot hold the orders of %zu caches",
				  advice->nr_groups);
	nslab_tuner_scale(advice->snapshot, &scale);
	for (size_t i = 0; i < advice->nr_groups; i++)
		boot_prepare(advice, &scale, &advice->groups[i], &caches[i]);
	boot_search(advice, &scale, caches);
	for (size_t i = 0; i < advice->nr_groups; i++)
		advice->groups[i].order_booted =
			boot_order(advice, caches, i, &advice->booted.knobs);
	free(caches);
	return 0;
}
