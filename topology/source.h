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
 * Calls attempt(context) in a child process, with its output closed and its time limited. What it
 * returned and told when it came back; -EINVAL and a text that names `subject` when it died.
 */
int nslab_source_try(int (*attempt)(void *context, struct nslab_err *err), void *context,
		     const char *subject, struct nslab_err *err);

#endif
