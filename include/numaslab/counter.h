/* SPDX-License-Identifier: MIT */
/*
 * counter.h: a source of counted events (kind "counter"): hardware, kernel software, simulated.
 *
 * A value that could not be counted is not zero: `err` says why, and a sentence says what would
 * help. A value that was counted only part of the time keeps enabled and running time, so that
 * readers can see how much of it is an estimate.
 */
#ifndef NUMASLAB_COUNTER_H
#define NUMASLAB_COUNTER_H

#include <numaslab/types.h>
#include <sys/types.h>

struct nslab_count {
	uint64_t value;	     /* scaled to the enabled time when multiplexed */
	uint64_t enabled_ns; /* time the event was asked for */
	uint64_t running_ns; /* time it was on the hardware; less than enabled: an estimate */
	int err;	     /* 0, or negative errno: there is no value */
};

struct nslab_event {
	const char *name; /* perf's spelling, e.g. cache-misses */
	const char *unit; /* "events", "ns", "bytes" */
	const char *help;
};

struct nslab_counter_set;

struct nslab_counter_ops {
	const char *name;
	const char *summary;
	const struct nslab_event *events; /* ends with name NULL */
	/* Can event number `event` be counted here? 0, or -errno and one sentence in why. */
	int (*probe)(int event, char *why, size_t why_bytes);
	/* Prepares nr events (numbers into events[]) of thread tid; all of them passed probe. */
	int (*open)(const int *events, int nr, pid_t tid, struct nslab_counter_set **set);
	int (*start)(struct nslab_counter_set *set);
	int (*stop)(struct nslab_counter_set *set);
	/* nr values in the order given to open */
	int (*read)(struct nslab_counter_set *set, struct nslab_count *values);
	void (*close)(struct nslab_counter_set *set);
};

#endif
