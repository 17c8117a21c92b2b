/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encode.h: from the name of an event to what perf_event_open takes.
 *
 * A name is libpfm4's ("icx::MEM_LOAD_RETIRED:L3_MISS"), or a raw code "raw:CONFIG" or
 * "raw:CONFIG:CONFIG1" in hexadecimal, which needs no table.
 */
#ifndef NSLAB_ENCODE_H
#define NSLAB_ENCODE_H

#include "runner/counters/perf_group.h"

/*
 * 0 with type, config and config1 set (group and is_hardware are left alone), or -EINVAL (no such
 * event, or a broken code), -ENOSYS (a build without libpfm4), with a sentence in why. *is_here:
 * libpfm4 says that the event is one of this CPU; a raw code is always believed. The first call
 * sets up libpfm4 and must not race another.
 */
int nslab_event_encode(const char *name, struct nslab_perf_event *event, bool *is_here, char *why,
		       size_t why_bytes);

/* One of encode_pfm.c and encode_none.c is linked: libpfm4's part of the above. */
int nslab_event_encode_named(const char *name, struct nslab_perf_event *event, bool *is_here,
			     char *why, size_t why_bytes);

#endif
