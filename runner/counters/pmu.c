/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pmu.c: the counter source `pmu`: events of this CPU model, as the plan's groups name them.
 *
 * The generic events of `perf` exist everywhere and mean something else on each CPU; these mean one
 * thing on one CPU. Names are resolved before a trial starts (choice.c), so a trial gets codes and
 * needs neither group files nor libpfm4. An event of another CPU's group has a reason instead of a
 * code: its code would count something else here.
 *
 * Invariant: pmu_events[] ends with a row without a name, and rows do not change while a set is
 * open. The table is the process's own, because a source is asked by event number.
 *
 * Left out: uncore PMUs, which count a whole package and not a thread.
 */
#include "runner/counters/pmu.h"

#include "runner/counters/perf_why.h"

#include <numaslab/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

_Static_assert(NSLAB_PMU_MAX <= NSLAB_PERF_MAX_EVENTS, "a set holds all events");

static struct nslab_pmu_event pmu_chosen[NSLAB_PMU_MAX];
static struct nslab_event pmu_events[NSLAB_PMU_MAX + 1];
static int pmu_nr;

int nslab_pmu_choose(const struct nslab_pmu_event *events, size_t nr)
{
	if (nr > NSLAB_PMU_MAX)
		return -E2BIG;
	memset(pmu_events, 0, sizeof(pmu_events));
	pmu_nr = (int)nr;
	for (size_t i = 0; i < nr; i++) {
		pmu_chosen[i] = events[i];
		pmu_events[i] = (struct nslab_event){pmu_chosen[i].name, "events",
						     "event of the CPU, user mode"};
	}
	return 0;
}

static int pmu_probe(int event, char *why, size_t why_bytes)
{
	if (event < 0 || event >= pmu_nr) {
		snprintf(why, why_bytes, "no event number %d", event);
		return -EINVAL;
	}
	if (pmu_chosen[event].reason[0]) {
		snprintf(why, why_bytes, "%s", pmu_chosen[event].reason);
		return -ENOENT;
	}
	return nslab_perf_probe(&pmu_chosen[event].event, why, why_bytes);
}

static int pmu_open(const int *events, int nr, pid_t tid, struct nslab_counter_set **set)
{
	const struct nslab_perf_event *rows[NSLAB_PMU_MAX];

	if (nr < 1 || nr > pmu_nr)
		return -EINVAL;
	for (int i = 0; i < nr; i++) {
		if (events[i] < 0 || events[i] >= pmu_nr)
			return -EINVAL;
		rows[i] = &pmu_chosen[events[i]].event;
	}
	return nslab_perf_open(rows, nr, tid, set);
}

static const struct nslab_counter_ops pmu_ops = {
	.name = "pmu",
	.summary = "events of this CPU model, by group or by libpfm4 name (user mode)",
	.events = pmu_events,
	.probe = pmu_probe,
	.open = pmu_open,
	.start = nslab_perf_start,
	.stop = nslab_perf_stop,
	.read = nslab_perf_read,
	.close = nslab_perf_close,
};
NSLAB_COUNTER_PLUGIN(pmu_ops);
