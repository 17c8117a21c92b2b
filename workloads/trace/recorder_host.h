/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorder_host.h: what a trace's header says of the machine: CPUs, their nodes, the slab caches.
 */
#ifndef NSLAB_TRACE_RECORDER_HOST_H
#define NSLAB_TRACE_RECORDER_HOST_H

#include "workloads/trace/writer.h"

struct nslab_recorder_caches;

/*
 * Counts slabs, objects and partial slabs of every cache in `root`/proc/slabinfo by
 * `root`/sys/kernel/slab; root is "" but in tests. *caches is NULL on failure.
 */
int nslab_recorder_caches_before(const char *root, struct nslab_recorder_caches **caches,
				 struct nslab_err *err);

/* Counts again, caches of which came or went meanwhile are 0 at the other end. */
int nslab_recorder_caches_after(const char *root, struct nslab_recorder_caches *caches,
				struct nslab_err *err);

/* Reads the caches' attributes and tells the writer of caches, and of CPUs and their nodes. */
int nslab_recorder_caches_write(const char *root, const struct nslab_recorder_caches *caches,
				struct nslab_trace_writer *writer, struct nslab_err *err);
void nslab_recorder_caches_free(struct nslab_recorder_caches *caches);
int nslab_recorder_cpus_write(const char *root, struct nslab_trace_writer *writer,
			      struct nslab_err *err);

#endif
