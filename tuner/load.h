/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * load.h: what happens to one cache: a stream of allocations and frees by CPU, from a standard
 * shape or from a recorded trace.
 *
 * A load is plain data that anybody may walk: events[0 .. nr_setup - 1] bring the cache to where it
 * begins and are not judged, the rest is. An object is a slot; an allocation puts one into a slot
 * that is empty, a free takes it out. What is live after the last event stays live.
 */
#ifndef NSLAB_TUNER_LOAD_H
#define NSLAB_TUNER_LOAD_H

#include "tuner/snapshot.h"

#include <stddef.h>

#define NSLAB_TUNER_LOAD_LIVE  2048 /* objects of a standard load that stand, at most */
#define NSLAB_TUNER_LOAD_BYTES ((size_t)64 << 20) /* of live objects at a time, of any load */

enum nslab_tuner_segment {
	/* of a trace or of the seeds: what is judged is never what was searched */
	NSLAB_TUNER_SEARCH,
	NSLAB_TUNER_HOLDOUT
};

struct nslab_tuner_load_event {
	uint32_t slot; /* < nr_slots */
	uint16_t cpu;  /* < nr_cpus */
	uint16_t is_free;
};

struct nslab_tuner_load {
	struct nslab_tuner_load_event *events;
	size_t nr_events, nr_setup;
	uint32_t nr_slots;
	int nr_cpus;
	size_t max_events;		/* room */
	uint32_t nr_live, nr_live_peak; /* objects: after the last event, and at most */
	unsigned thinning; /* of a trace: one object in so many is kept with its events; 1: all */
};

/*
 * A standard load for a cache whose events nobody recorded: of its live objects, scaled down where
 * they are many, some stand and the others come and go in bursts of 1 to 256 on all CPUs, with the
 * cache's share of remote frees, 5 % when unknown. Deterministic from seed; the segments are two
 * streams of the same shape.
 */
int nslab_tuner_load_standard(const struct nslab_tuner_snapshot *snapshot,
			      const struct nslab_tuner_cache *cache,
			      enum nslab_tuner_segment segment, uint64_t seed,
			      struct nslab_tuner_load **load, struct nslab_err *err);

/*
 * The events of that cache (all its aliases) in a trace. SEARCH judges the first 2/3 of them, after
 * the objects that stood there before; HOLDOUT the rest, with the first 2/3 as its setup. -ENODATA
 * when there is nothing to judge.
 */
int nslab_tuner_load_of_trace(const char *path, const struct nslab_tuner_cache *cache,
			      enum nslab_tuner_segment segment, struct nslab_tuner_load **load,
			      struct nslab_err *err);
/*
 * The same for every cache of a snapshot in two passes over the trace: loads[nr_caches], NULL for a
 * cache without events to judge. The caller frees each.
 */
int nslab_tuner_loads_of_trace(const char *path, const struct nslab_tuner_snapshot *snapshot,
			       enum nslab_tuner_segment segment, struct nslab_tuner_load **loads,
			       struct nslab_err *err);

void nslab_tuner_load_free(struct nslab_tuner_load *load); /* NULL is fine */

/* ---- for who makes one ---- */

/* Without events; thinning is 1. NULL when memory is out. */
struct nslab_tuner_load *nslab_tuner_load_new(int nr_cpus);
int nslab_tuner_load_push(struct nslab_tuner_load *load, uint32_t slot, int cpu, bool is_free);
/* Counts slots and live objects. -EINVAL: an event does not fit those before it. */
int nslab_tuner_load_finish(struct nslab_tuner_load *load);

#endif
