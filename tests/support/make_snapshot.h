/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * make_snapshot.h: snapshots for the tuner's tests, built in memory.
 */
#ifndef NSLAB_TESTS_MAKE_SNAPSHOT_H
#define NSLAB_TESTS_MAKE_SNAPSHOT_H

#include "tuner/snapshot.h"

/* No cache yet; default boot parameters, free blocks not told. Ends the program without memory. */
struct nslab_tuner_snapshot *make_snapshot(enum nslab_order_kernel kernel, int nr_cpus,
					   int nr_nodes);

/*
 * A cache of that stride (bytes) with `live` objects: order, objects and limits as the kernel's
 * rules have them, no rates, no sheaves. The pointer holds until the next one is added.
 */
struct nslab_tuner_cache *make_snapshot_cache(struct nslab_tuner_snapshot *snapshot,
					      const char *name, unsigned size, int64_t live);

/* Adds all caches (aliases aside) of a table of sysfs attributes; how many, or -errno. */
int make_snapshot_table(struct nslab_tuner_snapshot *snapshot, const char *path);

void make_snapshot_free(struct nslab_tuner_snapshot *snapshot);

#endif
