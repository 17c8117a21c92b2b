/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pin.c: pinning, and the scheduler's account of a thread.
 *
 * A pin that the kernel accepts can still be narrowed later by a cpuset, so the mask is read back.
 * Run delay comes from /proc/thread-self/schedstat, which needs only CONFIG_SCHED_INFO; it is the
 * best single sign of a noisy host (facts: it separates slow trials where steal time does not).
 */
#define _GNU_SOURCE
#include "runner/pin.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>

int nslab_pin_self(int pu_os_index)
{
	size_t bytes = CPU_ALLOC_SIZE((size_t)pu_os_index + 1);
	cpu_set_t *set = CPU_ALLOC((size_t)pu_os_index + 1);
	int rc = 0;

	if (!set)
		return -ENOMEM;
	CPU_ZERO_S(bytes, set);
	CPU_SET_S((size_t)pu_os_index, bytes, set);
	if (sched_setaffinity(0, bytes, set))
		rc = -errno;
	else if (sched_getcpu() != pu_os_index)
		rc = -EBUSY;
	CPU_FREE(set);
	return rc;
}

void nslab_sched_counts(struct nslab_sched_counts *counts)
{
	FILE *file = fopen("/proc/thread-self/schedstat", "re");
	struct rusage usage;

	*counts = (struct nslab_sched_counts){0};
	if (file) {
		if (fscanf(file, "%" SCNu64 " %" SCNu64, &counts->cpu_ns, &counts->run_delay_ns) !=
		    2)
			counts->run_delay_ns = 0;
		fclose(file);
	}
	if (!getrusage(RUSAGE_THREAD, &usage)) {
		counts->nr_involuntary_switches = (uint64_t)usage.ru_nivcsw;
		counts->nr_voluntary_switches = (uint64_t)usage.ru_nvcsw;
	}
}
