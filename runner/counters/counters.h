/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counters.h: every event that some source can count for one thread, as one set.
 *
 * A worker opens a set in its own thread, starts and stops it around its measured windows (any
 * number of times: values add up), reads it and closes it. A set is used by one thread at a time.
 *
 *	struct nslab_counters *set;
 *	struct nslab_counter_reading readings[NSLAB_COUNTERS_MAX];
 *
 *	rc = nslab_counters_open(&set);
 *	nslab_counters_start(set); ...windows...; nslab_counters_stop(set);
 *	nr = nslab_counters_read(set, readings, NSLAB_COUNTERS_MAX);
 *	nslab_counters_close(set);
 */
#ifndef NSLAB_COUNTERS_H
#define NSLAB_COUNTERS_H

#include "core/err.h"

#include <numaslab/counter.h>

#define NSLAB_COUNTERS_MAX	   32 /* events in a set */
#define NSLAB_COUNTERS_MAX_SOURCES 8

struct nslab_counter_reading {
	const char *name;   /* lives as long as the plug-in */
	const char *source; /* the plug-in that counted, or the first one that has the event */
	struct nslab_count count; /* count.err: no value */
	char reason[128];	  /* "" when there is a value */
};

struct nslab_counters;

/*
 * The built-in sources, for the calling thread. Fails only for want of memory: an event that cannot
 * be counted stays in the set with its reason.
 */
int nslab_counters_open(struct nslab_counters **set);

/*
 * The same with sources of the caller's choice (from the registry), for thread tid (0: the calling
 * one). An event that several sources have goes to the first that can count it.
 */
int nslab_counters_open_from(const struct nslab_counter_ops *const *sources, size_t nr, pid_t tid,
			     struct nslab_counters **set, struct nslab_err *err);

/* 0 or the first -errno; on a failed start nothing is left running. */
int nslab_counters_start(struct nslab_counters *set);
int nslab_counters_stop(struct nslab_counters *set);

/* Returns the number of readings, in a fixed order; -ENOSPC when there are more than max. */
int nslab_counters_read(struct nslab_counters *set, struct nslab_counter_reading *readings,
			int max);
void nslab_counters_close(struct nslab_counters *set);

/*
 * What is absent and why, a line for each reason, each ending in a newline:
 * "hardware counters: absent (no PMU in this virtual machine)". Empty when nothing is absent.
 * Returns the number of lines.
 */
size_t nslab_counters_reasons(const struct nslab_counters *set, char *text, size_t bytes);

#endif
