/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorder_events.h: binary records of a kernel's kmem events, read by the kernel's own format
 * files.
 */
#ifndef NSLAB_TRACE_RECORDER_EVENTS_H
#define NSLAB_TRACE_RECORDER_EVENTS_H

#include "workloads/trace/writer.h"

#include <stddef.h>

/* Names of the events, in no order; NULL-terminated. Not every kernel has the *_node ones. */
extern const char *const nslab_recorder_event_names[];

struct nslab_recorder_events;

/* own_pid: events of this process are dropped, except those of interrupts that it suffered. */
int nslab_recorder_events_new(int own_pid, struct nslab_recorder_events **events);
void nslab_recorder_events_free(struct nslab_recorder_events *events);

/* One file `format` of an event named above, `bytes` long. */
int nslab_recorder_events_format(struct nslab_recorder_events *events, const char *text,
				 size_t bytes, struct nslab_err *err);

/* /proc/kallsyms, NUL-terminated, so that call sites have names. Without it they are "0x...". */
int nslab_recorder_events_symbols(struct nslab_recorder_events *events, const char *text);

/*
 * One record; *raw gets everything but time and CPU, its ids come from `writer`. Returns 1; 0 for
 * an event to leave out (own, or none of those named above), which is counted; -EINVAL for a
 * record that is too short for its event; or what the writer fails with.
 */
int nslab_recorder_events_decode(struct nslab_recorder_events *events,
				 struct nslab_trace_writer *writer, const void *record,
				 size_t bytes, struct nslab_trace_raw *raw);

uint64_t nslab_recorder_events_nr_own(const struct nslab_recorder_events *events);

#endif
