/* SPDX-License-Identifier: GPL-2.0-only */
/* pmu.h: the events of the source `pmu`: those of the CPU that a plan chose, already encoded. */
#ifndef NSLAB_PMU_H
#define NSLAB_PMU_H

#include "runner/counters/perf_group.h"

#define NSLAB_PMU_MAX 20

struct nslab_pmu_event {
	char name[96]; /* "intel-icx/REMOTE_DRAM", or as the plan spelled it */
	struct nslab_perf_event event;
	char reason[128]; /* "", or why it must not be opened here */
};

/*
 * What the source has from now on, for the whole process; called before any set is opened, while
 * there is one thread. -E2BIG when there are more than NSLAB_PMU_MAX, and nothing has changed.
 */
int nslab_pmu_choose(const struct nslab_pmu_event *events, size_t nr);

#endif
