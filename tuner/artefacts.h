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
 * kernel must read them; "" when nothing differs from the kernel's defaults.
 */
int nslab_tuner_boot_line(const struct nslab_tuner_snapshot *snapshot,
			  const struct nslab_order_knobs *knobs, char *text, size_t text_bytes,
			  struct nslab_err *err);

/*
 * Writes into folder (made when missing): boot.txt (the line, its undo, and every cache that it
 * changes), sysfs-apply.sh and sysfs-undo.sh (POSIX sh, values of now in the undo; merged caches
 * by their real folder, aliases named), tuned/numaslab/tuned.conf, patch-table.txt (name -> order,
 * or sheaf_capacity), plan.ini (a numaslab plan of the candidates), advice.json. Files for which
 * there is nothing to say are written with that sentence.
 */
int nslab_tuner_artefacts(const struct nslab_tuner_advice *advice, const char *folder,
			  struct nslab_err *err);

#endif
