/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorder.h: writes a trace of the running kernel's kmem and page events, through tracefs.
 *
 * The caller owns time and processes: it opens, starts, calls nslab_recorder_round() every few
 * milliseconds while what it records runs, and stops. The process that calls is left out of the
 * trace. One thread.
 */
#ifndef NSLAB_TRACE_RECORDER_H
#define NSLAB_TRACE_RECORDER_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

#define NSLAB_RECORDER_BUFFER_MIB     16   /* of each CPU, unless told */
#define NSLAB_RECORDER_MAX_BUFFER_MIB 4096 /* of each CPU */

struct nslab_recorder;

struct nslab_recorder_options {
	const char *path;    /* of the trace */
	const char *command; /* what is recorded, for the trace's header; NULL: not told */
	/* The kernel's buffer of each CPU in MiB; 0: 16, less where all took over 1/8 of memory. */
	unsigned buffer_mib;
};

struct nslab_recorder_result {
	uint64_t nr_events; /* of the kernel, in the trace or its tally */
	uint64_t nr_own;    /* of this process, left out */
	uint64_t nr_lost;   /* by the kernel, since a buffer was full */
	uint64_t nr_late;   /* so late that their time had to be moved up */
	unsigned nr_cpus, buffer_mib;
};

/*
 * Makes a private tracefs instance with everything off. -EINVAL for wrong options, -EACCES and
 * -EPERM where a right is missing, -ENOENT without tracefs or its kmem events, -ENOTSUP for a
 * build without libtracefs.
 */
int nslab_recorder_open(const struct nslab_recorder_options *options,
			struct nslab_recorder **recorder, struct nslab_err *err);

/* Notes the kernel's caches, then lets events flow. */
int nslab_recorder_start(struct nslab_recorder *recorder, struct nslab_err *err);

/*
 * Takes what the buffers hold and writes what is sure to be in order. Returns 1 when there is
 * more to take at once, 0 when there is time to sleep, or a negative errno.
 */
int nslab_recorder_round(struct nslab_recorder *recorder, struct nslab_err *err);

/* Ends the flow, notes the caches again, takes the rest and finishes the file. */
int nslab_recorder_stop(struct nslab_recorder *recorder, struct nslab_recorder_result *result,
			struct nslab_err *err);

/* Removes the instance, and the file unless it was finished. NULL does nothing. */
void nslab_recorder_close(struct nslab_recorder *recorder);

#endif
