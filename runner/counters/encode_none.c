/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encode_none.c: stands where libpfm4 would, in a build without it.
 *
 * Every name is refused with one reason; raw codes never get here (encode.c). Group files carry a
 * raw code behind most names, so this build counts nearly all that the other one does. Event names
 * of a user's own plan are what it cannot do.
 */
#include "runner/counters/encode.h"

#include <errno.h>
#include <stdio.h>

int nslab_event_encode_named(const char *name, struct nslab_perf_event *event, bool *is_here,
			     char *why, size_t why_bytes)
{
	(void)name;
	(void)event;
	*is_here = false;
	snprintf(why, why_bytes, "built without libpfm4");
	return -ENOSYS;
}
