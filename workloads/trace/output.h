/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * output.h: the file under construction: blocks as they fill, then the tables, then the header.
 */
#ifndef NSLAB_TRACE_OUTPUT_H
#define NSLAB_TRACE_OUTPUT_H

#include "workloads/trace/format.h"

struct nslab_trace_output {
	char *path, *temporary; /* temporary: NULL once there is none to remove */
	int fd;
	uint64_t nr_events, nr_blocks;
	struct nslab_trace_block block;
	struct nslab_trace_event events[NSLAB_TRACE_BLOCK_EVENTS];
};

/* -EINVAL where PATH is something else than a regular file. */
int nslab_trace_output_open(struct nslab_trace_output *output, const char *path,
			    struct nslab_err *err);
int nslab_trace_output_flush(struct nslab_trace_output *output, struct nslab_err *err);

static inline int nslab_trace_output_event(struct nslab_trace_output *output,
					   struct nslab_trace_event event, struct nslab_err *err)
{
	output->events[output->block.nr_events++] = event;
	output->nr_events++;
	if (output->block.nr_events < NSLAB_TRACE_BLOCK_EVENTS)
		return 0;
	return nslab_trace_output_flush(output, err);
}

/* Writes tables->shapes, tables->born and json, the header, and renames. */
int nslab_trace_output_finish(struct nslab_trace_output *output,
			      const struct nslab_trace_tables *tables, const char *json,
			      struct nslab_err *err);

/* Closes, and removes what was not finished. */
void nslab_trace_output_close(struct nslab_trace_output *output);

#endif
