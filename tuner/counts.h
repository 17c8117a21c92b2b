/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counts.h: a cache's load replayed on a model, one thread driving all CPUs, so that every count is
 * the same each time: locks, remote frees, slabs, pages by order, memory and its parts.
 */
#ifndef NSLAB_TUNER_COUNTS_H
#define NSLAB_TUNER_COUNTS_H

#include "core/registry.h"
#include "tuner/load.h"
#include "tuner/tuner.h"

struct nslab_tuner_conditions {
	int nr_cpus;	   /* at most the snapshot's; the load's CPUs are folded onto them */
	double fail_share; /* of requests above the smallest order that fail; deterministic */
	uint64_t seed;	   /* of those */
};

/*
 * A world of simulated CPUs and nodes, as many as the snapshot has, with the model of its kernel.
 * It is opened once and used by one thread for count after count; no count leaves a trace in it,
 * so their order does not matter. The registry and the snapshot outlive it.
 */
struct nslab_tuner_counter;
int nslab_tuner_counter_open(const struct nslab_registry *registry,
			     const struct nslab_tuner_snapshot *snapshot,
			     struct nslab_tuner_counter **counter, struct nslab_err *err);
int nslab_tuner_counter_cpus(const struct nslab_tuner_counter *counter); /* that it simulates */
void nslab_tuner_counter_close(struct nslab_tuner_counter *counter);	 /* NULL is fine */

/*
 * Fills the byte and count fields of cost, of what was judged of the load (tuner.h names what is of
 * all of it); fallback_share too, but neither worst_locks_per_kop nor scarcity. Bytes are those of
 * cache->live objects: objects that the load left out are in full slabs. They are NaN where
 * cache->live is unknown.
 */
int nslab_tuner_count(struct nslab_tuner_counter *counter, const struct nslab_tuner_cache *cache,
		      const struct nslab_tuner_setting *setting,
		      const struct nslab_tuner_load *load,
		      const struct nslab_tuner_conditions *conditions,
		      struct nslab_tuner_cost *cost, struct nslab_err *err);

/*
 * All unmarked candidates of a group: nominal conditions, fallback_share at p = 0.5, and the most
 * locks on n CPUs at p = 0, 0.1, 0.5 and on 1 and n/2 CPUs at p = 0.5. is_quick: nominal and the
 * corner of n CPUs and p = 0.5 only.
 */
int nslab_tuner_count_group(struct nslab_tuner_counter *counter, struct nslab_tuner_group *group,
			    const struct nslab_tuner_load *load, bool is_quick,
			    struct nslab_err *err);

/*
 * Chooses (search.h) by counts alone, and counts each change again on the hold-out: `advised` is
 * then CONFIRMED, or the setting of now. trace: path; NULL: standard loads.
 */
int nslab_tuner_recount(const struct nslab_registry *registry, const char *trace, uint64_t seed,
			struct nslab_tuner_advice *advice, struct nslab_err *err);

#endif
