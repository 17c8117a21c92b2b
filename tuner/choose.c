// SPDX-License-Identifier: GPL-2.0-only
/*
 * choose.c: one setting for each cache, so that the losses add up to the least that the budgets
 * allow (level L1).
 *
 * Candidates that are not marked become items, that of now first, so that it wins all ties. Memory
 * enters as the change against now: "nothing more" is then exactly 0, whatever the sums round to.
 * High-order pages enter by the cache's share of operations, so that their sum is the mean over all
 * operations, and now is 0 again. Left out: which level can do what was chosen.
 */
#include "tuner/loss.h"

#include <stdio.h>
#include <stdlib.h>

struct choose_items {
	struct nslab_tuner_item *items; /* of all groups, one after the other */
	size_t *candidates;		/* [item] its index in the group */
	struct nslab_tuner_choice *choices;
};

static bool choose_is_open(const struct nslab_tuner_group *group, size_t i)
{
	enum nslab_tuner_fate fate = group->candidates[i].fate;

	return i == group->now || fate == NSLAB_TUNER_KEPT || fate == NSLAB_TUNER_CONFIRMED;
}

static struct nslab_tuner_item choose_item(const struct nslab_tuner_advice *advice,
					   const struct nslab_tuner_scale *scale,
					   const struct nslab_tuner_group *group,
					   const struct nslab_tuner_candidate *candidate)
{
	struct nslab_tuner_terms terms;

	nslab_tuner_terms(advice, group, candidate, &terms);
	return (struct nslab_tuner_item){
		.loss = nslab_tuner_loss_of(advice, scale, group, candidate),
		.memory_bytes = terms.memory_bytes,
		.high_pages = terms.larger_pages_per_kop *
			      nslab_tuner_share(scale, advice->snapshot, group->cache),
	};
}

/* Appends the items of one group behind nr; returns how many there are then. */
static size_t choose_group(const struct nslab_tuner_advice *advice,
			   const struct nslab_tuner_scale *scale,
			   const struct nslab_tuner_group *group, struct choose_items *all,
			   size_t nr)
{
	all->items[nr] = choose_item(advice, scale, group, nslab_tuner_now(group));
	all->candidates[nr++] = group->now;
	for (size_t i = 0; i < group->nr_candidates; i++) {
		if (i == group->now || !choose_is_open(group, i))
			continue;
		all->items[nr] = choose_item(advice, scale, group, &group->candidates[i]);
		all->candidates[nr++] = i;
	}
	return nr;
}

static int choose_items(const struct nslab_tuner_advice *advice,
			const struct nslab_tuner_scale *scale, struct choose_items *all)
{
	size_t nr = 0;

	for (size_t i = 0; i < advice->nr_groups; i++)
		nr += advice->groups[i].nr_candidates;
	all->items = calloc(nr + 1, sizeof(*all->items));
	all->candidates = calloc(nr + 1, sizeof(*all->candidates));
	all->choices = calloc(advice->nr_groups + 1, sizeof(*all->choices));
	if (!all->items || !all->candidates || !all->choices)
		return -ENOMEM;
	nr = 0;
	for (size_t i = 0; i < advice->nr_groups; i++) {
		size_t first = nr;

		nr = choose_group(advice, scale, &advice->groups[i], all, nr);
		all->choices[i] = (struct nslab_tuner_choice){&all->items[first], nr - first, 0};
	}
	return 0;
}

static void choose_free(struct choose_items *all)
{
	free(all->items);
	free(all->candidates);
	free(all->choices);
}

static void choose_why_not(struct nslab_tuner_group *group)
{
	snprintf(group->why, sizeof(group->why), "nothing gains more than it costs");
	for (size_t i = 0; i < group->nr_candidates; i++) {
		char setting[48];

		if (group->candidates[i].fate != NSLAB_TUNER_REFUTED)
			continue;
		nslab_tuner_setting_text(&group->candidates[i].setting, setting, sizeof(setting));
		snprintf(group->why, sizeof(group->why), "%s was refuted by the hold-out", setting);
	}
}

/* "memory -3.4 %, time -6.2 % by counts, ..." */
static void choose_why(const struct nslab_tuner_advice *advice, struct nslab_tuner_group *group)
{
	const struct nslab_tuner_candidate *now = nslab_tuner_now(group);
	const struct nslab_tuner_candidate *advised = &group->candidates[group->advised];
	bool by_counts = nslab_tuner_has_counts(group, advised);
	char memory[24], pages[24];
	struct nslab_tuner_cost cost;
	struct nslab_tuner_terms terms;

	if (group->advised == group->now) {
		choose_why_not(group);
		return;
	}
	nslab_tuner_terms(advice, group, advised, &terms);
	nslab_tuner_memory(advice->snapshot, group->cache, &now->setting, &cost);
	nslab_tuner_percent(cost.memory_bytes, cost.memory_bytes + terms.memory_bytes, memory,
			    sizeof(memory));
	nslab_tuner_percent(nslab_tuner_high_pages(group, now, by_counts),
			    nslab_tuner_high_pages(group, advised, by_counts), pages,
			    sizeof(pages));
	snprintf(group->why, sizeof(group->why),
		 "memory %s, time %+.1f %% %s, weighted high-order pages %s", memory,
		 100 * terms.time,
		 terms.is_measured ? "measured"
		 : by_counts	   ? "by counts"
				   : "by formula",
		 pages);
}

static void choose_apply(struct nslab_tuner_advice *advice, const struct choose_items *all)
{
	advice->loss_ideal = 0;
	for (size_t i = 0; i < advice->nr_groups; i++) {
		const struct nslab_tuner_choice *choice = &all->choices[i];
		const struct nslab_tuner_item *item = &choice->items[choice->chosen];

		advice->groups[i].advised = all->candidates[item - all->items];
		advice->loss_ideal += item->loss;
		choose_why(advice, &advice->groups[i]);
	}
}

/* Least sums that any choice reaches, each by itself. */
static void choose_least(const struct choose_items *all, size_t nr, double *memory, double *pages)
{
	*memory = *pages = 0;
	for (size_t i = 0; i < nr; i++) {
		double least_memory = INFINITY, least_pages = INFINITY;

		for (size_t j = 0; j < all->choices[i].nr_items; j++) {
			const struct nslab_tuner_item *item = &all->choices[i].items[j];

			least_memory = fmin(least_memory, item->memory_bytes);
			least_pages = fmin(least_pages, item->high_pages);
		}
		*memory += least_memory;
		*pages += least_pages;
	}
}

static int choose_fail(const struct nslab_tuner_advice *advice,
		       const struct nslab_tuner_scale *scale, const struct choose_items *all,
		       int rc, struct nslab_err *err)
{
	double memory, pages;

	if (rc != -ENOSPC)
		return nslab_fail(err, rc, "cannot hold the choices of %zu caches",
				  advice->nr_groups);
	choose_least(all, advice->nr_groups, &memory, &pages);
	if (memory > advice->budget.memory_share * scale->memory_bytes)
		return nslab_fail(err, rc,
				  "memory budget '%+.1f%%' is out of reach: no choice of "
				  "settings changes memory by less than %+.1f%%",
				  100 * advice->budget.memory_share,
				  100 * memory / scale->memory_bytes);
	if (pages > advice->budget.high_pages_per_kop)
		return nslab_fail(err, rc,
				  "high-order budget '%g' is out of reach: no choice of settings "
				  "takes less than %g pages per 1000 operations",
				  advice->budget.high_pages_per_kop, pages);
	return nslab_fail(err, rc,
			  "memory budget '%+.1f%%' and high-order budget '%g' exclude each other: "
			  "what saves the memory takes larger blocks",
			  100 * advice->budget.memory_share, advice->budget.high_pages_per_kop);
}

int nslab_tuner_choose(struct nslab_tuner_advice *advice, struct nslab_err *err)
{
	const struct nslab_tuner_budget *budget = &advice->budget;
	struct nslab_tuner_scale scale;
	struct choose_items all = {0};
	int rc;

	nslab_tuner_scale(advice->snapshot, &scale);
	rc = choose_items(advice, &scale, &all);
	if (!rc)
		rc = nslab_tuner_knapsack(
			all.choices, advice->nr_groups,
			isnan(budget->memory_share) ? INFINITY
						    : budget->memory_share * scale.memory_bytes,
			isnan(budget->high_pages_per_kop) ? INFINITY : budget->high_pages_per_kop);
	if (rc)
		rc = choose_fail(advice, &scale, &all, rc, err);
	else
		choose_apply(advice, &all);
	choose_free(&all);
	return rc;
}
