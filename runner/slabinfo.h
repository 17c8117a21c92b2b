/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slabinfo.h: a backend's caches and free blocks in the shape of /proc/slabinfo and
 * /proc/buddyinfo, so that eyes and scripts that know a kernel's tables read a model's.
 */
#ifndef NSLAB_SLABINFO_H
#define NSLAB_SLABINFO_H

#include "runner/world.h"

#include <jansson.h>

/*
 * Both tables of a world in which nobody allocates:
 * {"slabinfo": text or null, "buddyinfo": text or null, "unavailable": reason or ""}.
 * NULL when memory is out.
 */
json_t *nslab_slabinfo_json(struct nslab_world *world);

/*
 * Appends what a trial's result document has of them to FOLDER/slabinfo.txt, under the cell's
 * name. document may be NULL or without tables: then cause says why, in their place.
 */
int nslab_slabinfo_append(const char *folder, const char *cell, const json_t *document,
			  const char *cause, struct nslab_err *err);

#endif
