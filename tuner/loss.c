// SPDX-License-Identifier: GPL-2.0-only
/*
 * loss.c: what one candidate of one cache costs the machine, in one number that can be added up.
 *
 *	loss = time_weight   * share * time
 *	     + memory_weight * memory_bytes / memory of all caches now
 *	     + page_weight   * share * high_pages_per_kop / 1000
 *	     + 0.001, for any change
 *
 * All three are changes against the setting of now, whose loss is 0. share is the cache's part of
 * all operations (of all live objects where rates are not known). So 0.01 is one percent of the
 * machine's slab time or memory, whichever cache it comes from, and an objective is nothing but
 * three weights:
 *
 *	            time  memory  pages
 *	speed        1     0.1    0.0005
 *	memory       0.1   1      0.0005
 *	balanced     1     1      0.002
 *
 * time is measured where it can be: the hold-out's estimate, else the race's, and 0 when the
 * interval holds 0, so that noise moves no advice. Otherwise work stands for it, in operations that
 * stay on a CPU's fast path: 1000 + w * locks + slab work, against the same of now. In an advice
 * that is measured, a gain in time that was not measured is none.
 *
 * Locks count half at nominal conditions, half at the worst. A lock that nobody else wants costs
 * about what two operations do; with many CPUs on a node it is waited for (13 to 44 % of all cycles
 * were published for 224 CPUs on two nodes), so w is 2 and an eighth for each CPU of a node, at
 * most 20.
 *
 * A new slab is a block from the page allocator, which goes back some day, and a chain through its
 * objects. tests/bench/bench_slabs.c tells its price on the model (an AMD EPYC, the fastest of 400
 * rounds; 5.4 ns for an operation): making one took 7 operations from a single page, 10 from blocks
 * of 2 to 32, and 0.3 more for each object; giving it back 0.6 to 0.8 times the instructions of
 * making it, objects aside (callgrind). So 11 operations, 7 more for a block, and 0.3 for each
 * object. New slabs hold as many objects at any order: small ones pay in blocks what they save in
 * locks.
 *
 * A high-order page is weighted by what its block asks of the page allocator: the 2^order - 1
 * pages that must be free beside it, divided by the share of free memory in such blocks. It grows
 * faster with the order than tails shrink, so larger blocks never come out cheaper. Above order 3
 * the kernel neither reclaims nor compacts for a slab: what is free today says nothing of tomorrow,
 * so there blocks count as the scarcest. By the page weights above, a block of order 3 (8 pages of
 * weight 7) of which there is plenty is worth 0.03 to 0.1 operations, at a share of one percent as
 * much as 3 to 11, and one of order 5 fifty to two hundred.
 *
 * Where nothing was counted: one operation in ten misses what its CPU keeps, so 100 / objects locks
 * and 50 / objects slabs per 1000 operations. These stand-ins know the order alone: other
 * dimensions gain nothing by them. Left out: p99.9 and hardware counters, which are shown beside
 * the loss.
 */
#include "tuner/loss.h"

#include <stdio.h>

#define LOSS_LOCK_OPERATIONS   2.0 /* nobody waits */
#define LOSS_LOCK_CPUS	       8.0 /* on a node, for one operation more */
#define LOSS_LOCK_MOST	       20.0
#define LOSS_LOCKS_BY_FORMULA  100.0
#define LOSS_ALLOCS_BY_FORMULA 50.0
#define LOSS_SCARCITY_LEAST    0.01
#define LOSS_COSTLY_ORDER      3    /* above it the kernel gives up early */
#define LOSS_SLAB	       11.0 /* operations: a page, to and fro */
#define LOSS_SLAB_BLOCK	       7.0  /* more for a block of pages */
#define LOSS_SLAB_OBJECT       0.3

static const struct {
	double time, memory, pages;
} loss_weights[] = {
	[NSLAB_TUNER_BALANCED] = {1, 1, 0.002},
	[NSLAB_TUNER_SPEED] = {1, 0.1, 0.0005},
	[NSLAB_TUNER_MEMORY] = {0.1, 1, 0.0005},
};

double nslab_tuner_page_weight(int order, double scarcity)
{
	if (order <= 0)
		return 0;
	if (isnan(scarcity))
		scarcity = 1;
	if (order > LOSS_COSTLY_ORDER)
		scarcity = 0;
	return (double)((1u << order) - 1) / fmax(scarcity, LOSS_SCARCITY_LEAST);
}

double nslab_tuner_locks(const struct nslab_tuner_group *group,
			 const struct nslab_tuner_candidate *candidate, bool by_counts)
{
	const struct nslab_tuner_cost *cost = &candidate->cost;

	if (!by_counts)
		return LOSS_LOCKS_BY_FORMULA /
		       nslab_tuner_objects(group->cache, candidate->setting.order);
	if (isnan(cost->worst_locks_per_kop))
		return cost->locks_per_kop;
	return (cost->locks_per_kop + cost->worst_locks_per_kop) / 2;
}

double nslab_tuner_slab_work(const struct nslab_tuner_group *group,
			     const struct nslab_tuner_candidate *candidate, bool by_counts)
{
	int order = candidate->setting.order;
	double objects = nslab_tuner_objects(group->cache, order);
	double slabs =
		by_counts ? candidate->cost.slab_allocs_per_kop : LOSS_ALLOCS_BY_FORMULA / objects;

	return slabs * (LOSS_SLAB + (order > 0 ? LOSS_SLAB_BLOCK : 0) + LOSS_SLAB_OBJECT * objects);
}

double nslab_tuner_high_pages(const struct nslab_tuner_group *group,
			      const struct nslab_tuner_candidate *candidate, bool by_counts)
{
	int order = candidate->setting.order;
	double pages = candidate->cost.high_pages_per_kop;

	if (!by_counts)
		pages = LOSS_ALLOCS_BY_FORMULA * (double)(1u << order) /
			nslab_tuner_objects(group->cache, order);
	return pages * nslab_tuner_page_weight(order, candidate->cost.scarcity);
}

double nslab_tuner_larger_pages(const struct nslab_tuner_group *group,
				const struct nslab_tuner_candidate *candidate, bool by_counts)
{
	const struct nslab_tuner_candidate *now = nslab_tuner_now(group);
	double pages = nslab_tuner_high_pages(group, candidate, by_counts);

	if (candidate->setting.order > now->setting.order)
		return pages;
	if (candidate->setting.order < now->setting.order)
		return 0;
	return fmax(pages - nslab_tuner_high_pages(group, now, by_counts), 0);
}

/* What 1000 operations take with their locks and slabs, in operations. */
static double loss_operations(const struct nslab_tuner_snapshot *snapshot,
			      const struct nslab_tuner_group *group,
			      const struct nslab_tuner_candidate *candidate, bool by_counts)
{
	double cpus = (double)snapshot->nr_cpus / (snapshot->nr_nodes > 0 ? snapshot->nr_nodes : 1);
	double lock = fmin(LOSS_LOCK_OPERATIONS + cpus / LOSS_LOCK_CPUS, LOSS_LOCK_MOST);

	return 1000 + lock * nslab_tuner_locks(group, candidate, by_counts) +
	       nslab_tuner_slab_work(group, candidate, by_counts);
}

/* Fills time and is_measured. */
static void loss_time(const struct nslab_tuner_advice *advice,
		      const struct nslab_tuner_group *group,
		      const struct nslab_tuner_candidate *candidate, bool by_counts,
		      struct nslab_tuner_terms *terms)
{
	const struct nslab_tuner_change *change = &candidate->cost.holdout;
	const struct nslab_tuner_snapshot *snapshot = advice->snapshot;
	double now = loss_operations(snapshot, group, nslab_tuner_now(group), by_counts);

	if (isnan(change->estimate))
		change = &candidate->cost.race;
	terms->is_measured = !isnan(change->estimate);
	if (!terms->is_measured) {
		terms->time = loss_operations(snapshot, group, candidate, by_counts) / now - 1;
		if (advice->is_measured)
			terms->time = fmax(terms->time, 0);
	} else if (change->lo > 0 || change->hi < 0) {
		terms->time = expm1(change->estimate);
	}
}

static double loss_formula_bytes(const struct nslab_tuner_advice *advice,
				 const struct nslab_tuner_group *group,
				 const struct nslab_tuner_candidate *candidate)
{
	struct nslab_tuner_cost cost;

	nslab_tuner_memory(advice->snapshot, group->cache, &candidate->setting, &cost);
	return cost.memory_bytes;
}

/* A replay holds fewer objects than the machine: its change in proportion is what counts. */
static double loss_memory(const struct nslab_tuner_advice *advice,
			  const struct nslab_tuner_group *group,
			  const struct nslab_tuner_candidate *candidate, bool by_counts)
{
	const struct nslab_tuner_candidate *now = nslab_tuner_now(group);
	double bytes = loss_formula_bytes(advice, group, now);

	if (by_counts && now->cost.memory_bytes > 0)
		return bytes * (candidate->cost.memory_bytes / now->cost.memory_bytes - 1);
	return loss_formula_bytes(advice, group, candidate) - bytes;
}

void nslab_tuner_terms(const struct nslab_tuner_advice *advice,
		       const struct nslab_tuner_group *group,
		       const struct nslab_tuner_candidate *candidate,
		       struct nslab_tuner_terms *terms)
{
	const struct nslab_tuner_candidate *now = nslab_tuner_now(group);
	bool by_counts = nslab_tuner_has_counts(group, candidate);

	*terms = (struct nslab_tuner_terms){.time = 0};
	if (candidate == now)
		return;
	loss_time(advice, group, candidate, by_counts, terms);
	terms->memory_bytes = loss_memory(advice, group, candidate, by_counts);
	terms->high_pages_per_kop = nslab_tuner_high_pages(group, candidate, by_counts) -
				    nslab_tuner_high_pages(group, now, by_counts);
	terms->larger_pages_per_kop = nslab_tuner_larger_pages(group, candidate, by_counts);
}

/* Operations per second, or the live objects. */
static double loss_operations_of(const struct nslab_tuner_cache *cache, bool by_rate)
{
	if (by_rate)
		return cache->allocs_per_s + cache->frees_per_s;
	return cache->live > 0 ? (double)cache->live : 0;
}

void nslab_tuner_scale(const struct nslab_tuner_snapshot *snapshot, struct nslab_tuner_scale *scale)
{
	const struct nslab_tuner_setting as_now = {NSLAB_AUTO, NSLAB_AUTO, NSLAB_AUTO, NSLAB_AUTO};

	*scale = (struct nslab_tuner_scale){.by_rate = true};
	for (size_t i = 0; i < snapshot->nr_caches; i++)
		scale->by_rate &= !isnan(loss_operations_of(&snapshot->caches[i], true));
	for (size_t i = 0; i < snapshot->nr_caches; i++) {
		struct nslab_tuner_cache cache = snapshot->caches[i];
		struct nslab_tuner_cost cost;

		if (cache.order == NSLAB_TUNER_UNKNOWN)
			cache.order = nslab_tuner_order(snapshot, &cache, &snapshot->knobs);
		nslab_tuner_memory(snapshot, &cache, &as_now, &cost);
		scale->memory_bytes += cost.memory_bytes;
		scale->operations += loss_operations_of(&cache, scale->by_rate);
	}
}

double nslab_tuner_share(const struct nslab_tuner_scale *scale,
			 const struct nslab_tuner_snapshot *snapshot,
			 const struct nslab_tuner_cache *cache)
{
	if (scale->operations > 0)
		return loss_operations_of(cache, scale->by_rate) / scale->operations;
	return 1.0 / (double)(snapshot->nr_caches ? snapshot->nr_caches : 1);
}

double nslab_tuner_loss_of(const struct nslab_tuner_advice *advice,
			   const struct nslab_tuner_scale *scale,
			   const struct nslab_tuner_group *group,
			   const struct nslab_tuner_candidate *candidate)
{
	double share = nslab_tuner_share(scale, advice->snapshot, group->cache);
	struct nslab_tuner_terms terms;
	double loss;

	if (candidate == nslab_tuner_now(group))
		return 0;
	nslab_tuner_terms(advice, group, candidate, &terms);
	loss = loss_weights[advice->objective].time * share * terms.time +
	       loss_weights[advice->objective].pages * share * terms.high_pages_per_kop / 1000;
	if (scale->memory_bytes > 0)
		loss += loss_weights[advice->objective].memory * terms.memory_bytes /
			scale->memory_bytes;
	return loss + NSLAB_TUNER_INERTIA;
}

double nslab_tuner_loss(const struct nslab_tuner_advice *advice,
			const struct nslab_tuner_group *group, size_t candidate)
{
	struct nslab_tuner_scale scale;

	nslab_tuner_scale(advice->snapshot, &scale);
	return nslab_tuner_loss_of(advice, &scale, group, &group->candidates[candidate]);
}

void nslab_tuner_percent(double now, double then, char *text, size_t text_bytes)
{
	if (now == then)
		snprintf(text, text_bytes, "as now");
	else if (now > 0 && then > 10 * now)
		snprintf(text, text_bytes, "x%.0f", then / now);
	else if (now > 0)
		snprintf(text, text_bytes, "%+.1f %%", 100 * (then / now - 1));
	else
		snprintf(text, text_bytes, "new");
}
