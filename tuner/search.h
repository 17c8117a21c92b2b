/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * search.h: what follows from formulas alone: candidates, dominance, the choice under budgets, the
 * best boot parameters. Pure functions of their arguments: no clock, no random numbers, no files.
 */
#ifndef NSLAB_TUNER_SEARCH_H
#define NSLAB_TUNER_SEARCH_H

#include "tuner/tuner.h"

/* ---- formulas ---- */

/* Order that the snapshot's kernel gives a stride under these boot parameters, or -E2BIG. */
int nslab_tuner_order(const struct nslab_tuner_snapshot *snapshot,
		      const struct nslab_tuner_cache *cache, const struct nslab_order_knobs *knobs);

/*
 * Memory of `live` objects in slabs of that order on nr_cpus and nr_nodes, by formula: full slabs
 * plus what CPUs and nodes keep. Fills the byte fields of cost, whose sum with the live objects is
 * memory_bytes. Live objects that nobody told count as none.
 */
void nslab_tuner_memory(const struct nslab_tuner_snapshot *snapshot,
			const struct nslab_tuner_cache *cache,
			const struct nslab_tuner_setting *setting, struct nslab_tuner_cost *cost);

/*
 * Share of the free pages that lie in blocks of that order or larger: 1 plenty .. 0 none; NaN when
 * the snapshot does not tell.
 */
double nslab_tuner_scarcity(const struct nslab_tuner_snapshot *snapshot, int order);

/*
 * An advice with a group for each cache: candidates at orders 0..NSLAB_TUNER_MAX_ORDER that hold an
 * object, the setting of now always among them, and at the order of now the kernel's further
 * dimensions where they exist (cpu_partial x 1/2, 2, 4; min_partial x 2, 4; sheaf_capacity x 1/2,
 * 2). Memory and scarcity are filled in, other costs are NaN, nothing is marked; advised == now
 * everywhere. An order that nobody told is the one that the rule gives.
 */
int nslab_tuner_candidates(const struct nslab_tuner_snapshot *snapshot,
			   struct nslab_tuner_advice **advice, struct nslab_err *err);

/* ---- losses ---- */

/*
 * What a candidate changes against the setting of now; all 0 for now itself. Counts where the
 * candidate and now have both been counted, formulas otherwise.
 */
struct nslab_tuner_terms {
	double time;	     /* relative: 0.1 is 10 % more per operation */
	bool is_measured;    /* time: by the clock, not from counts */
	double memory_bytes; /* on this machine */
	/* pages per 1000 operations of the cache, each weighted by nslab_tuner_page_weight() */
	double high_pages_per_kop;
	/* of these, pages in larger blocks than now's, or more of the same: what a budget counts */
	double larger_pages_per_kop;
};
void nslab_tuner_terms(const struct nslab_tuner_advice *advice,
		       const struct nslab_tuner_group *group,
		       const struct nslab_tuner_candidate *candidate,
		       struct nslab_tuner_terms *terms);

/*
 * What one page in a block of that order weighs: the 2^order - 1 pages that must be free beside
 * it, over the scarcity of such blocks (1 when NaN; at least 0.01, and just that above order 3).
 * 0 for order 0; never falls with the order.
 */
double nslab_tuner_page_weight(int order, double scarcity);

/* What all caches together have now: that to which a cache's change is put in proportion. */
struct nslab_tuner_scale {
	double memory_bytes;
	double operations; /* per second; live objects where not every cache's rate is known */
	bool by_rate;
};
void nslab_tuner_scale(const struct nslab_tuner_snapshot *snapshot,
		       struct nslab_tuner_scale *scale);
/* Of all operations, those of that cache: 0..1. */
double nslab_tuner_share(const struct nslab_tuner_scale *scale,
			 const struct nslab_tuner_snapshot *snapshot,
			 const struct nslab_tuner_cache *cache);

/*
 * Charge for any change, in units of a loss: what gains less than one part in 1000 of the machine's
 * slab time and memory is not worth a line of advice.
 */
#define NSLAB_TUNER_INERTIA 1e-3

/*
 * Loss of a change in the whole machine's proportion: sums over caches make sense, 0.01 is "1 % of
 * all time and memory". loss.c has the formula.
 */
double nslab_tuner_loss_of(const struct nslab_tuner_advice *advice,
			   const struct nslab_tuner_scale *scale,
			   const struct nslab_tuner_group *group,
			   const struct nslab_tuner_candidate *candidate);

/* The same for one candidate by its index: 0 is "as now". */
double nslab_tuner_loss(const struct nslab_tuner_advice *advice,
			const struct nslab_tuner_group *group, size_t candidate);

/* ---- search ---- */

/*
 * Marks candidates that another is nowhere worse than, over memory, locks, slab work, weighted
 * high-order pages and what of these a budget counts, with the reason. Before anything was counted
 * only candidates that differ in nothing but their order are compared, more objects in a slab
 * standing for fewer locks. The setting of now is never marked, and one of equals stays.
 */
void nslab_tuner_prune(struct nslab_tuner_group *group);

/*
 * The Pareto front of (time, memory) among all candidates: indexes (room for nr_candidates) in
 * order of memory; returns how many.
 */
size_t nslab_tuner_front(const struct nslab_tuner_advice *advice,
			 const struct nslab_tuner_group *group, size_t *indexes);

/*
 * Sets groups[].advised and loss_ideal: the exact optimum over all caches of the sum of losses
 * under the memory and the high-order budget (multiple-choice knapsack), among candidates that are
 * not marked. -ENOSPC when nothing fits: err tells by how much.
 *
 * Memory: all caches together at most (1 + memory_share) of now. High orders: the mean over caches
 * of larger_pages_per_kop, by their shares of operations; a budget of 0 gives no cache larger
 * blocks than it has now, whatever others give up, since small blocks do not grow together.
 */
int nslab_tuner_choose(struct nslab_tuner_advice *advice, struct nslab_err *err);

/*
 * Every triple of boot parameters (max order 0..5, min order 0..3, min objects auto, 4..256),
 * scored over all caches with the losses of their candidates; fills advice->now, ->booted and
 * groups[].order_booted. booted stays now unless another fits the budgets and is better by more
 * than 0.01. A cache whose order is not what the rule gives it now keeps its order. After choose.
 */
int nslab_tuner_boot(struct nslab_tuner_advice *advice, struct nslab_err *err);

/* The triples that nslab_tuner_boot() tries, by number; false behind the last. */
bool nslab_tuner_triple(enum nslab_order_kernel kernel, size_t number,
			struct nslab_order_knobs *knobs);

/* ---- for tests and for who asks why ---- */

struct nslab_tuner_item { /* one way to set one cache */
	double loss, memory_bytes, high_pages;
};
struct nslab_tuner_choice { /* of one cache */
	const struct nslab_tuner_item *items;
	size_t nr_items;
	size_t chosen; /* out */
};
/*
 * Exact (to 1e-12 of the range of losses); each choice has an item. Budgets are sums over the
 * chosen items; INFINITY: none. -ENOSPC when nothing fits, -ENOMEM.
 */
int nslab_tuner_knapsack(struct nslab_tuner_choice *choices, size_t nr_choices, double memory_bytes,
			 double high_pages);

#endif
