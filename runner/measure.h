/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure.h: turns "do n operations" into timed windows, on whatever clock it is given.
 */
#ifndef NSLAB_MEASURE_H
#define NSLAB_MEASURE_H

#include "core/clock.h"
#include "results/store.h"

#include <stdatomic.h>

/* What one trial's workers have in common while they measure. */
struct nslab_meter {
	const struct nslab_clock *clock;
	uint64_t precondition_ns; /* at most so long until memory is steady; 0: not at all */
	uint64_t warmup_ns;
	uint64_t window_ns;
	int nr_windows;
	int nr_workers;
	atomic_int nr_warm;	/* workers that finished warming up */
	atomic_int nr_measured; /* workers that have all their windows */
	atomic_int nr_done;	/* and have nothing more to measure */
	atomic_bool *is_stopping;
};

/* The thing that is timed: does about n operations, returns how many it did. */
struct nslab_timed {
	size_t (*batch)(struct nslab_timed *timed, size_t n);
};

/*
 * Runs `timed` until the footprint is steady, then through warm-up and nr_windows windows;
 * windows[i] gets ops, ns, cpu_ns and index. on_start and on_stop are called by this thread right
 * before the first and right after the last window (counters). Returns 0, -ECANCELED when the trial
 * is being stopped, -ENODATA when a batch did nothing although nobody asked it to stop.
 */
struct nslab_meter_hooks {
	/* right before and after the warm-up; NULL: nobody asks */
	void (*on_warm_up)(struct nslab_meter_hooks *hooks);
	void (*on_warm)(struct nslab_meter_hooks *hooks);
	void (*on_start)(struct nslab_meter_hooks *hooks);
	void (*on_stop)(struct nslab_meter_hooks *hooks);
	void (*on_all_done)(
		struct nslab_meter_hooks *hooks); /* last worker only, before stopping */
	/* memory that the allocator holds, in any unit; NULL: nobody knows */
	uint64_t (*footprint)(struct nslab_meter_hooks *hooks);
	uint64_t precondition_ops; /* written by nslab_meter_run: done before the warm-up */
	bool is_steady;		   /* so is this: the footprint had stopped growing */
	/*
	 * A second pass, or NULL: when every worker has its windows. n: operations of a chunk. 0 or
	 * an error as nslab_meter_run's.
	 */
	int (*on_second_pass)(struct nslab_meter_hooks *hooks, struct nslab_timed *timed, size_t n);
};

int nslab_meter_run(struct nslab_meter *meter, struct nslab_timed *timed, uint64_t seed,
		    struct nslab_meter_hooks *hooks, struct nslab_window *windows);

#endif
