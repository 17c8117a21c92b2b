/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf_group.h: what the plug-in `perf` needs from the kernel's counting interface.
 *
 * perf_libperf.c does it through libperf; perf_none.c stands in for it in a build without libperf.
 * Exactly one of them is linked, so libperf is met in one file only.
 */
#ifndef NSLAB_PERF_GROUP_H
#define NSLAB_PERF_GROUP_H

#include <numaslab/counter.h>

#define NSLAB_PERF_MAX_EVENTS 20

struct nslab_perf_event {
	uint32_t type;	 /* PERF_TYPE_ */
	uint64_t config; /* PERF_COUNT_, or the CPU's own code */
	int group;	 /* events of one group are on the hardware together */
	bool is_hardware;
	uint64_t config1; /* of events that need a second register */
};

/* NULL, or why this build can open nothing. */
extern const char *const nslab_perf_missing;

/* Opens the event for the calling thread and closes it again: 0 or -errno. */
int nslab_perf_try(const struct nslab_perf_event *event);

/* The same, with a sentence in why when it fails. */
int nslab_perf_probe(const struct nslab_perf_event *event, char *why, size_t why_bytes);

/* As in struct nslab_counter_ops, with rows in place of numbers; nr <= NSLAB_PERF_MAX_EVENTS. */
int nslab_perf_open(const struct nslab_perf_event *const *events, int nr, pid_t tid,
		    struct nslab_counter_set **set);
int nslab_perf_start(struct nslab_counter_set *set);
int nslab_perf_stop(struct nslab_counter_set *set);
int nslab_perf_read(struct nslab_counter_set *set, struct nslab_count *values);
void nslab_perf_close(struct nslab_counter_set *set);

/* Is it a name of perf's own list, which every set counts? */
bool nslab_perf_has(const char *name);
/* Does a name of perf's own list stand for an event of the CPU's hardware? */
bool nslab_perf_is_hardware(const char *name);

#endif
