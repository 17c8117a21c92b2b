/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * make_advice.h: advice for the tuner's tests, without the search that leads to one.
 */
#ifndef NSLAB_TESTS_MAKE_ADVICE_H
#define NSLAB_TESTS_MAKE_ADVICE_H

#include "tuner/tuner.h"

/*
 * No change: each cache has its setting of now as its only candidate, and costs that nobody knows.
 * Ends the program without memory; nslab_tuner_advice_free() ends the advice.
 */
struct nslab_tuner_advice *make_advice(const struct nslab_tuner_snapshot *snapshot);

/* One more candidate of the cache with that name, which is advised; NSLAB_AUTO: as it is. */
struct nslab_tuner_candidate *make_advice_setting(struct nslab_tuner_advice *advice,
						  const char *name,
						  struct nslab_tuner_setting setting);

/* These boot parameters are advised. */
void make_advice_boot(struct nslab_tuner_advice *advice, struct nslab_order_knobs knobs);

/* Adds to the snapshot every cache of a table of sysfs attributes; how many, 0 when unreadable. */
size_t make_advice_caches(struct nslab_tuner_snapshot *snapshot, const char *path);

/* A name that a script must quote. */
#define MAKE_ADVICE_QUOTED "it's $(touch broken) \"here\""

/*
 * A machine of four caches: "dentry", which is merged with that name, "ext4_inode_cache", another
 * one of that name, and kmalloc-4k. And an advice for it: slab_max_order=4, settings of sysfs for
 * dentry, order 3 for ext4_inode_cache, both kinds for the third, nothing for the last.
 */
struct nslab_tuner_snapshot *make_advice_machine(enum nslab_order_kernel kernel);
struct nslab_tuner_advice *make_advice_of_machine(const struct nslab_tuner_snapshot *snapshot);

#endif
