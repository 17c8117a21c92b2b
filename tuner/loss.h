/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * loss.h: the figures of one candidate that losses and dominance share, from counts or, where
 * nothing was counted, from formulas that stand in for them.
 */
#ifndef NSLAB_TUNER_LOSS_H
#define NSLAB_TUNER_LOSS_H

#include "tuner/search.h"

#include <math.h>

static inline const struct nslab_tuner_candidate *
nslab_tuner_now(const struct nslab_tuner_group *group)
{
	return &group->candidates[group->now];
}

static inline bool nslab_tuner_is_counted(const struct nslab_tuner_candidate *candidate)
{
	const struct nslab_tuner_cost *cost = &candidate->cost;

	return !isnan(cost->locks_per_kop) && !isnan(cost->slab_allocs_per_kop) &&
	       !isnan(cost->high_pages_per_kop);
}

/* Can that candidate be compared with now by counts? */
static inline bool nslab_tuner_has_counts(const struct nslab_tuner_group *group,
					  const struct nslab_tuner_candidate *candidate)
{
	return nslab_tuner_is_counted(candidate) && nslab_tuner_is_counted(nslab_tuner_now(group));
}

double nslab_tuner_objects(const struct nslab_tuner_cache *cache, int order);

/* Per 1000 operations of the cache; slab work is in operations, pages are weighted. */
double nslab_tuner_locks(const struct nslab_tuner_group *group,
			 const struct nslab_tuner_candidate *candidate, bool by_counts);
double nslab_tuner_slab_work(const struct nslab_tuner_group *group,
			     const struct nslab_tuner_candidate *candidate, bool by_counts);
double nslab_tuner_high_pages(const struct nslab_tuner_group *group,
			      const struct nslab_tuner_candidate *candidate, bool by_counts);
double nslab_tuner_larger_pages(const struct nslab_tuner_group *group,
				const struct nslab_tuner_candidate *candidate, bool by_counts);

/* Relative change in words: "-3.4 %", "x12", "as now" or "new" when there was none. */
void nslab_tuner_percent(double now, double then, char *text, size_t text_bytes);

#endif
