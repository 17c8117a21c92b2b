/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * simulated.h: misses of simulated caches, for machines without a PMU: one short trial of a cell
 * under callgrind, with the cache sizes that hwloc reports.
 */
#ifndef NSLAB_SIMULATED_H
#define NSLAB_SIMULATED_H

#include "core/clock.h"
#include "runner/launch.h"
#include "topology/topology.h"

struct nslab_simulated_cache {
	uint64_t size_bytes; /* simulated: the sets are a power of two */
	unsigned ways, line_bytes;
	uint64_t real_bytes; /* of the machine */
};

struct nslab_simulated_caches {
	struct nslab_simulated_cache l1i, l1d, last;
};

/*
 * Those of the PU: its first level, and its largest level. What hwloc does not know is taken as
 * 32 KiB of 8 ways and 1 MiB of 16 ways.
 */
void nslab_simulated_caches(const struct nslab_topo *topo, int pu_os_index,
			    struct nslab_simulated_caches *caches);

/* {"L1i": {"bytes", "ways", "line_bytes", "machine_bytes"}, "L1d": .., "LL": .., "notes": [..]} */
json_t *nslab_simulated_json(const struct nslab_simulated_caches *caches);

/* "", or why nothing can be simulated here. */
const char *nslab_simulated_missing(void);

/*
 * Repeats the trial of `launch` under callgrind, with counted instead of timed windows, and adds to
 * the document rows of source "simulated", per operation: instructions, data accesses, L1i, L1d
 * and LL misses; or nulls with the reason. Equal seeds give equal values with one worker.
 */
void nslab_simulated_run(const struct nslab_launch *launch,
			 const struct nslab_simulated_caches *caches, json_t *document);

/* ---- inside the trial ---- */

/* A clock of each thread that goes on by 1 whenever it is read: so time counts chunks. */
extern const struct nslab_clock nslab_simulated_clock;

/* Switches the simulation on, with empty caches, before the first worker's warm-up. */
void nslab_simulated_begin(void);

/* Starts, or stops, collecting for the calling thread. Nothing outside callgrind. */
void nslab_simulated_toggle(void);

#endif
