/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency.h: how long single operations take, in a pass of its own after the measured windows.
 */
#ifndef NSLAB_LATENCY_H
#define NSLAB_LATENCY_H

#include "core/hist.h"
#include "runner/measure.h"
#include "runner/ticker.h"

#include <jansson.h>

/* What the workers of a trial have in common. */
struct nslab_latency {
	const struct nslab_ticker *ticker;
	const struct nslab_clock *clock;
	struct nslab_tick_mark start; /* taken before the workers started */
	double cost_ticks;	      /* of reading the ticker */
	uint64_t window_ns;
	int nr_pairs; /* of windows: one sampled, its twin not */
	const atomic_bool *is_stopping;
};

/* What one worker found. */
struct nslab_latency_found {
	struct nslab_hist hist; /* ns of a call for one operation, the clock's cost included */
	double ns_per_tick;
	double mean_gap; /* operations between two that are timed */
	uint64_t nr_ops; /* done by the timed calls; more than hist.nr where one call does more */
	double *log_ratios; /* [nr_pairs] ln(sampled / twin) in ns per operation */
	int nr_ratios;
};

/* Marks the start: call it before the workers run, since calibration watches from here on. */
void nslab_latency_start(struct nslab_latency *latency, const struct nslab_ticker *ticker,
			 const struct nslab_clock *clock);

/* 0 or -ENOMEM. */
int nslab_latency_found_init(const struct nslab_latency *latency,
			     struct nslab_latency_found *found);
void nslab_latency_found_free(struct nslab_latency_found *found);

/*
 * Runs nr_pairs pairs of windows. n: operations of a chunk that is not sampled. 0, -ECANCELED when
 * the trial is being stopped, -ENODATA when a batch did nothing.
 */
int nslab_latency_run(const struct nslab_latency *latency, struct nslab_timed *timed, size_t n,
		      uint64_t seed, struct nslab_latency_found *found);

/*
 * The workers' findings as one object of the trial's result, see runner/trial.h; those of the
 * workers that are not counted are left out. NULL when nothing was found or memory is out.
 */
json_t *nslab_latency_json(const struct nslab_latency *latency,
			   const struct nslab_latency_found *const *found, int nr);

#endif
