/* SPDX-License-Identifier: GPL-2.0-only */
/* perf_why.h: why an event cannot be counted, and what would help, in one line. */
#ifndef NSLAB_PERF_WHY_H
#define NSLAB_PERF_WHY_H

#include <stdbool.h>
#include <stddef.h>

/* What the explanation depends on besides the errno. */
struct nslab_perf_host {
	int paranoid;	  /* kernel.perf_event_paranoid, or NSLAB_PARANOID_UNKNOWN */
	bool is_virtual;  /* a hypervisor announces itself */
	bool is_filtered; /* a seccomp filter is on this process */
	bool has_pmu;	  /* some hardware event can be opened */
};

#define NSLAB_PARANOID_UNKNOWN (-100)

/* has_pmu is left to the caller. */
void nslab_perf_host_read(struct nslab_perf_host *host);

/* rc: negative errno of opening an event of the CPU (is_hardware) or of the kernel. */
void nslab_perf_explain(int rc, bool is_hardware, const struct nslab_perf_host *host, char *why,
			size_t why_bytes);

#endif
