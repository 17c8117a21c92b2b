/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encode_pfm.c: event names through libpfm4; the only file that includes it.
 *
 * libpfm4 is told to encode events of CPUs that are not here (LIBPFM_ENCODE_INACTIVE), since
 * whether an event can be counted is the kernel's to say and group files are tested on any machine.
 * Whether the event belongs to this CPU is asked apart. Only type, config and config1 are taken:
 * privilege levels are the same for all events of numaslab.
 *
 * Invariant: the library is set up once, by the first call. It stays set up, it has no locks of its
 * own, and only the supervisor, which has one thread, encodes. Its header carries its own copy of
 * the kernel's perf_event.h, so this file must not include that.
 */
#define _GNU_SOURCE
#include "runner/counters/encode.h"

#include <errno.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int pfm_ready(void)
{
	static int rc = -1;

	if (rc >= 0)
		return rc;
	setenv("LIBPFM_ENCODE_INACTIVE", "1", 1);
	rc = pfm_initialize() == PFM_SUCCESS ? 0 : ENOSYS;
	return rc;
}

static bool pfm_is_here(int index)
{
	pfm_event_info_t info;
	pfm_pmu_info_t pmu;

	memset(&info, 0, sizeof(info));
	memset(&pmu, 0, sizeof(pmu));
	info.size = sizeof(info);
	pmu.size = sizeof(pmu);
	return pfm_get_event_info(index, PFM_OS_PERF_EVENT, &info) == PFM_SUCCESS &&
	       pfm_get_pmu_info(info.pmu, &pmu) == PFM_SUCCESS && pmu.is_present;
}

int nslab_event_encode_named(const char *name, struct nslab_perf_event *event, bool *is_here,
			     char *why, size_t why_bytes)
{
	struct perf_event_attr attr;
	pfm_perf_encode_arg_t arg;
	int rc;

	if (pfm_ready()) {
		snprintf(why, why_bytes, "libpfm4 cannot be set up");
		return -ENOSYS;
	}
	memset(&attr, 0, sizeof(attr));
	memset(&arg, 0, sizeof(arg));
	attr.size = sizeof(attr);
	arg.size = sizeof(arg);
	arg.attr = &attr;
	rc = pfm_get_os_event_encoding(name, PFM_PLM3, PFM_OS_PERF_EVENT, &arg);
	if (rc != PFM_SUCCESS) {
		snprintf(why, why_bytes, "libpfm4: %s", pfm_strerror(rc));
		return -EINVAL;
	}
	event->type = attr.type;
	event->config = attr.config;
	event->config1 = attr.config1;
	*is_here = pfm_is_here(arg.idx);
	return 0;
}
