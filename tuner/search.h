/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * search.h: what follows from formulas alone: candidates, dominance, the choice under budgets, the
 * best boot parameters. Pure functions of their arguments: no clock, no random numbers, no files.
 */
#ifndef NSLAB_TUNER_SEARCH_H
#define NSLAB_TUNER_SEARCH_H

#include "tuner/tuner.h"

/* Order that the snapshot's kernel gives a stride under these boot parameters, or -E2BIG. */
int nslab_tuner_order(const struct nslab_tuner_snapshot *snapshot,
		      const struct nslab_tuner_cache *cache, const struct nslab_order_knobs *knobs);

/*
 * Memory of `live` objects in slabs of that order on nr_cpus and nr_nodes, by formula: full slabs
 * plus what CPUs and nodes keep. Fills the byte fields of cost.
 */
void nslab_tuner_memory(const struct nslab_tuner_snapshot *snapshot,
			const struct nslab_tuner_cache *cache,
			const struct nslab_tuner_setting *setting, struct nslab_tuner_cost *cost);

/*
 * An advice with a group for each cache: candidates at orders 0..NSLAB_TUNER_MAX_ORDER that hold an
 * object, the setting of now always among them, and the kernel's further dimensions where they
 * exist (cpu_partial x 1/2, 2, 4; min_partial; sheaf_capacity). Memory is filled in, nothing is
 * marked yet; advised == now everywhere.
 */
int nslab_tuner_candidates(const struct nslab_tuner_snapshot *snapshot,
			   struct nslab_tuner_advice **advice, struct nslab_err *err);

/*
 * Marks candidates that another is nowhere worse than, over every cost that both know (memory,
 * locks, high-order pages), with the reason. The setting of now is never marked.
 */
void nslab_tuner_prune(struct nslab_tuner_group *group);

/* The Pareto front of (loss of time or locks, memory): indexes in order of memory; returns nr. */
size_t nslab_tuner_front(const struct nslab_tuner_group *group, size_t *indexes);

/* Loss of one candidate under an objective, relative to the setting of now: 0 is "as now". */
double nslab_tuner_loss(const struct nslab_tuner_advice *advice,
			const struct nslab_tuner_group *group, size_t candidate);

/*
 * Sets groups[].advised: the exact optimum over all caches of the sum of losses under the memory
 * and the high-order budget (multiple-choice knapsack), among candidates that are not marked.
 * -ENOSPC when not even "no change" fits: err tells by how much.
 */
int nslab_tuner_choose(struct nslab_tuner_advice *advice, struct nslab_err *err);

/*
 * Every triple of boot parameters (max order 0..5, min order 0..3, min objects auto, 4..256),
 * scored over all caches with the losses of their candidates; fills advice->now, ->booted,
 * groups[].order_booted and losses. booted stays now unless it is better by more than 1 % of the
 * loss's scale.
 */
int nslab_tuner_boot(struct nslab_tuner_advice *advice, struct nslab_err *err);

/* ---- for tests and for who asks why ---- */

struct nslab_tuner_item { /* one way to set one cache */
	double loss, memory_bytes, high_pages;
};
struct nslab_tuner_choice { /* of one cache */
	const struct nslab_tuner_item *items;
	size_t nr_items;
	size_t chosen; /* out */
};
/* Exact. Budgets are sums over the chosen items; INFINITY: none. -ENOSPC when nothing fits. */
int nslab_tuner_knapsack(struct nslab_tuner_choice *choices, size_t nr_choices, double memory_bytes,
			 double high_pages);

#endif
