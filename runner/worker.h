/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * worker.h: one pinned thread of a trial.
 */
#ifndef NSLAB_WORKER_H
#define NSLAB_WORKER_H

#include "runner/counters/counters.h"
#include "runner/latency.h"
#include "runner/measure.h"
#include "runner/pin.h"
#include "runner/world.h"

#include <numaslab/workload.h>
#include <pthread.h>

/* Shared by all workers of the trial. */
struct nslab_crew {
	struct nslab_meter meter;
	struct nslab_world *world;
	struct nslab_workload *workload;
	enum nslab_entry entry;
	bool has_counters;
	const struct nslab_latency *latency; /* NULL: no second pass */
	bool is_simulated;		     /* under callgrind */
	pthread_barrier_t parked;   /* workers and the trial's own thread: objects still live */
	pthread_barrier_t released; /* the trial has looked at the pages */
	uint64_t rss_bytes;	    /* at the end of the measured windows */
};

struct nslab_worker_thread {
	struct nslab_crew *crew;
	pthread_t thread;
	int index;
	int pu_os_index;
	int arena_node;
	uint64_t seed;
	struct nslab_window *windows; /* [meter.nr_windows] */
	bool is_counted;
	struct nslab_sched_counts sched; /* during the measured windows */
	struct nslab_counter_reading counters[NSLAB_COUNTERS_MAX];
	struct nslab_counter_reading warm_counters[NSLAB_COUNTERS_MAX]; /* of the warm-up */
	uint64_t precondition_ops;
	bool is_steady;			     /* memory had stopped growing before the warm-up */
	int nr_counters, nr_warm_counters;   /* negative: they could not be read */
	struct nslab_latency_found *latency; /* NULL: no second pass */
	struct nslab_err err;		     /* text is "" when all went well */
};

/* Starts, and joins, every worker; errors are in each worker's err. */
int nslab_worker_start(struct nslab_worker_thread *worker);
void nslab_worker_join(struct nslab_worker_thread *worker);

#endif
