/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorder_merge.h: the ring-buffer pages of all CPUs, as one stream of events in order of time.
 */
#ifndef NSLAB_TRACE_RECORDER_MERGE_H
#define NSLAB_TRACE_RECORDER_MERGE_H

#include "workloads/trace/recorder_events.h"

struct nslab_recorder_merge;

/* page_bytes: of one sub-buffer of the kernel. */
int nslab_recorder_merge_new(struct nslab_recorder_events *events,
			     struct nslab_trace_writer *writer, size_t page_bytes,
			     struct nslab_recorder_merge **merge);
void nslab_recorder_merge_free(struct nslab_recorder_merge *merge);

/* fd: the CPU's trace_pipe_raw, not blocking; it is the merge's from here on, also on failure. */
int nslab_recorder_merge_cpu(struct nslab_recorder_merge *merge, unsigned cpu, int fd);

/*
 * Reads up to 1 MiB of each CPU and puts events that no other can precede any more; all that is
 * there if nothing is being recorded any more (is_last). Returns 1 when some CPU had more to read.
 */
int nslab_recorder_merge_round(struct nslab_recorder_merge *merge, bool is_last,
			       struct nslab_err *err);

/*
 * nr_lost: how many events of a CPU the kernel lost, by its own count; those that no page has
 * told of are put as lost at the end.
 */
int nslab_recorder_merge_lost(struct nslab_recorder_merge *merge, unsigned cpu, uint64_t nr_lost,
			      struct nslab_err *err);

uint64_t nslab_recorder_merge_nr_late(const struct nslab_recorder_merge *merge);

#endif
