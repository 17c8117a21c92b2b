/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counts.h: a cache's load replayed on a model, one thread driving all CPUs, so that every count is
 * the same each time: locks, remote frees, slabs, pages by order, memory and its parts.
 */
#ifndef NSLAB_TUNER_COUNTS_H
#define NSLAB_TUNER_COUNTS_H

#include "core/registry.h"
#include "tuner/tuner.h"

/* What happens to one cache: a stream of allocations and frees by CPU. */
struct nslab_tuner_load;

enum nslab_tuner_segment { /* of a trace or of the seeds: what is judged is never what was searched
			    */
	NSLAB_TUNER_SEARCH,
	NSLAB_TUNER_HOLDOUT
};

/*
 * A standard load for a cache whose events nobody recorded: its live objects (at most max_live of
 * them, scaled) come and go in bursts on all CPUs with the cache's share of remote frees, 5 % when
 * unknown. Deterministic from seed.
 */
int nslab_tuner_load_standard(const struct nslab_tuner_snapshot *snapshot,
			      const struct nslab_tuner_cache *cache,
			      enum nslab_tuner_segment segment, uint64_t seed,
			      struct nslab_tuner_load **load, struct nslab_err *err);
/* The events of that cache (all its aliases) in a trace: first 2/3 to search, last 1/3 held out. */
int nslab_tuner_load_of_trace(const char *path, const struct nslab_tuner_cache *cache,
			      enum nslab_tuner_segment segment, struct nslab_tuner_load **load,
			      struct nslab_err *err);
void nslab_tuner_load_free(struct nslab_tuner_load *load);

struct nslab_tuner_conditions {
	int nr_cpus, nr_nodes;
	double fail_share; /* of requests for order >= 1 pages that fail; deterministic */
	uint64_t seed;
};

/* Fills every count and byte field of cost; the model is that of the snapshot's kernel. */
int nslab_tuner_count(const struct nslab_registry *registry,
		      const struct nslab_tuner_snapshot *snapshot,
		      const struct nslab_tuner_cache *cache,
		      const struct nslab_tuner_setting *setting,
		      const struct nslab_tuner_load *load,
		      const struct nslab_tuner_conditions *conditions,
		      struct nslab_tuner_cost *cost, struct nslab_err *err);

/*
 * All unmarked candidates of a group: nominal conditions, then the worst over 1, n/2, n CPUs and
 * p = 0, 0.1, 0.5. is_quick: nominal and the worst corner only.
 */
int nslab_tuner_count_group(const struct nslab_registry *registry,
			    const struct nslab_tuner_snapshot *snapshot,
			    struct nslab_tuner_group *group, const struct nslab_tuner_load *load,
			    bool is_quick, struct nslab_err *err);

#endif
