/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encode.c: raw event codes, and the way to libpfm4 for names.
 *
 * A raw code is what the CPU's manual prints, in perf's own layout: PERF_TYPE_RAW with config and,
 * for events that need a second register, config1. It stands in group files behind a libpfm4 name,
 * so that a build without that library, and a CPU that the installed library does not know yet,
 * still count; that both give the same code is tested.
 *
 * Invariant: nothing is written to *event unless 0 is returned. Left out: perf's own format files
 * in sysfs, which only a machine with that PMU has.
 */
#include "runner/counters/encode.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *encode_code(const char *at, uint64_t *code)
{
	char *end;

	if (strncmp(at, "0x", 2) != 0)
		return NULL;
	errno = 0;
	*code = strtoull(at + 2, &end, 16);
	return errno || end == at + 2 ? NULL : end;
}

static int encode_raw(const char *codes, struct nslab_perf_event *event)
{
	uint64_t config, config1 = 0;
	const char *rest = encode_code(codes, &config);

	if (rest && *rest == ':')
		rest = encode_code(rest + 1, &config1);
	if (!rest || *rest)
		return -EINVAL;
	event->type = PERF_TYPE_RAW;
	event->config = config;
	event->config1 = config1;
	return 0;
}

int nslab_event_encode(const char *name, struct nslab_perf_event *event, bool *is_here, char *why,
		       size_t why_bytes)
{
	if (strncmp(name, "raw:", 4) != 0)
		return nslab_event_encode_named(name, event, is_here, why, why_bytes);
	*is_here = true;
	if (!encode_raw(name + 4, event))
		return 0;
	snprintf(why, why_bytes, "a raw event looks like raw:0x4d3 or raw:0x12a:0x104000001");
	return -EINVAL;
}
