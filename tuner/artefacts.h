/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * artefacts.h: an advice as files that a person applies, each with its undo. Nothing is applied
 * here.
 */
#ifndef NSLAB_TUNER_ARTEFACTS_H
#define NSLAB_TUNER_ARTEFACTS_H

#include "tuner/tuner.h"

/*
 * "slab_max_order=4 slab_min_objects=64" in the spelling of that kernel, in the order in which the
 * kernel must read them; "" when nothing differs from the kernel's defaults. -EINVAL for knobs that
 * no command line gives (since 6.8 the smallest order is never above the largest).
 */
int nslab_tuner_boot_line(const struct nslab_tuner_snapshot *snapshot,
			  const struct nslab_order_knobs *knobs, char *text, size_t text_bytes,
			  struct nslab_err *err);

/*
 * The other way: the knobs that such a kernel takes from a command line. Words of other subjects,
 * and slab_* in 6.1, which knows slub_* only, are passed over. -EINVAL names a word whose value is
 * no number or out of range.
 */
int nslab_tuner_boot_parse(enum nslab_order_kernel kernel, const char *text,
			   struct nslab_order_knobs *knobs, struct nslab_err *err);

/*
 * Writes into folder (made when missing, with its parents): boot.txt (the line, its undo, and every
 * cache that it changes), sysfs-apply.sh and sysfs-undo.sh (POSIX sh, values of now in the undo;
 * merged caches by their real folder, aliases named), tuned/numaslab/tuned.conf, patch-table.txt
 * (name -> order, or sheaf_capacity), plan.ini (a numaslab plan of the candidates), advice.json.
 * Files for which there is nothing to say are written with that sentence. -EINVAL for caches that
 * can be no folder of sysfs.
 *
 * The scripts take --sysroot DIR (a tree that stands for /) and --skip-missing; status 1 when they
 * refused or the kernel kept another value, 2 for bad usage. A refusal writes nothing.
 */
int nslab_tuner_artefacts(const struct nslab_tuner_advice *advice, const char *folder,
			  struct nslab_err *err);

/* What advice.json holds; NULL when memory is out. What is not known (NaN) is null. */
json_t *nslab_tuner_advice_json(const struct nslab_tuner_advice *advice);

#endif
