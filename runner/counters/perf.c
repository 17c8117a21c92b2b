/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf.c: the counter source `perf`: events of the CPU and of the kernel, per thread.
 *
 * Hardware events count user mode only, so that a run as root and a run without privilege read the
 * same thing and page-fault handling is not charged to the allocator; events of the kernel count
 * everything, because they happen in it. Each event is probed by opening it alone, since an event
 * that is missing would take its whole group down. The names are perf's own.
 *
 * Groups are small on purpose: a ratio (instructions per cycle, misses per reference) comes from
 * two events of one group, and small groups fit into what counters a machine has left.
 *
 * Left out: sampling, system-wide and uncore events. Events of one CPU model are in pmu.c.
 */
#include "runner/counters/perf_group.h"
#include "runner/counters/perf_why.h"

#include <numaslab/plugin.h>

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>

#define CACHE_READ_MISS(cache)                                                                     \
 ((cache) | (PERF_COUNT_HW_CACHE_OP_READ << 8) | (PERF_COUNT_HW_CACHE_RESULT_MISS << 16))

enum {
	PERF_NR_EVENTS = 9
};
_Static_assert(PERF_NR_EVENTS <= NSLAB_PERF_MAX_EVENTS, "a set holds all events");

static const struct nslab_event perf_events[PERF_NR_EVENTS + 1] = {
	{"cycles", "events", "CPU cycles in user mode"},
	{"instructions", "events", "instructions retired in user mode"},
	{"cache-references", "events", "accesses to the last-level cache"},
	{"cache-misses", "events", "misses of the last-level cache"},
	{"dTLB-load-misses", "events", "loads that missed the data TLB"},
	{"node-load-misses", "events", "loads served by another node's memory"},
	{"page-faults", "events", "page faults"},
	{"context-switches", "events", "times the thread left its CPU"},
	{"cpu-migrations", "events", "times the thread came back on another CPU"},
};

static const struct nslab_perf_event perf_rows[PERF_NR_EVENTS] = {
	{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 0, true, 0},
	{PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS, 0, true, 0},
	{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_REFERENCES, 1, true, 0},
	{PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES, 1, true, 0},
	{PERF_TYPE_HW_CACHE, CACHE_READ_MISS(PERF_COUNT_HW_CACHE_DTLB), 2, true, 0},
	{PERF_TYPE_HW_CACHE, CACHE_READ_MISS(PERF_COUNT_HW_CACHE_NODE), 3, true, 0},
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS, 4, false, 0},
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, 4, false, 0},
	{PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS, 4, false, 0},
};

bool nslab_perf_has(const char *name)
{
	for (int i = 0; i < PERF_NR_EVENTS; i++) {
		if (!strcmp(perf_events[i].name, name))
			return true;
	}
	return false;
}

bool nslab_perf_is_hardware(const char *name)
{
	for (int i = 0; i < PERF_NR_EVENTS; i++) {
		if (!strcmp(perf_events[i].name, name))
			return perf_rows[i].is_hardware;
	}
	return false;
}

int nslab_perf_probe(const struct nslab_perf_event *event, char *why, size_t why_bytes)
{
	struct nslab_perf_host host;
	int rc;

	if (nslab_perf_missing) {
		snprintf(why, why_bytes, "%s", nslab_perf_missing);
		return -ENOSYS;
	}
	rc = nslab_perf_try(event);
	if (!rc)
		return 0;
	nslab_perf_host_read(&host);
	/* every PMU counts cycles: row 0 tells a machine without one from a CPU without an event */
	host.has_pmu = nslab_perf_try(&perf_rows[0]) != -ENOENT;
	nslab_perf_explain(rc, event->is_hardware, &host, why, why_bytes);
	return rc;
}

static int perf_probe(int event, char *why, size_t why_bytes)
{
	if (event >= 0 && event < PERF_NR_EVENTS)
		return nslab_perf_probe(&perf_rows[event], why, why_bytes);
	snprintf(why, why_bytes, "no event number %d", event);
	return -EINVAL;
}

static int perf_open(const int *events, int nr, pid_t tid, struct nslab_counter_set **set)
{
	const struct nslab_perf_event *rows[PERF_NR_EVENTS];

	if (nr < 1 || nr > PERF_NR_EVENTS)
		return -EINVAL;
	for (int i = 0; i < nr; i++) {
		if (events[i] < 0 || events[i] >= PERF_NR_EVENTS)
			return -EINVAL;
		rows[i] = &perf_rows[events[i]];
	}
	return nslab_perf_open(rows, nr, tid, set);
}

static const struct nslab_counter_ops perf_ops = {
	.name = "perf",
	.summary = "events of the CPU (user mode) and of the kernel, through libperf",
	.events = perf_events,
	.probe = perf_probe,
	.open = perf_open,
	.start = nslab_perf_start,
	.stop = nslab_perf_stop,
	.read = nslab_perf_read,
	.close = nslab_perf_close,
};
NSLAB_COUNTER_PLUGIN(perf_ops);
