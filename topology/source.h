/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * source.h: checks on what a user hands over as a topology, before hwloc sees it.
 */
#ifndef NSLAB_TOPOLOGY_SOURCE_H
#define NSLAB_TOPOLOGY_SOURCE_H

#include "core/err.h"

#include <stddef.h>

/*
 * The whole of an XML file, NUL-terminated; *bytes counts the NUL. Refuses what is empty, cut off,
 * too large or in a format that is newer than hwloc 2. The caller frees.
 */
int nslab_source_read_xml(const char *path, char **text, size_t *bytes, struct nslab_err *err);

/* Refuses a synthetic string that stands for more PUs or nodes than can be meant. */
int nslab_source_check_synthetic(const char *text, struct nslab_err *err);

/*
 * Calls attempt(context) in a child process first, with its output closed and time limited. 0 when
 * it came back, whatever it returned; -EINVAL when it died (err tells how).
 */
int nslab_source_survives(void (*attempt)(void *context), void *context, struct nslab_err *err);

#endif
