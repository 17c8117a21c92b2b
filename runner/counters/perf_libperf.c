/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf_libperf.c: groups of events through the kernel's libperf; the only file that includes it.
 *
 * One evlist is one group. Its first evsel leads: it is created disabled, the members follow it, so
 * one call starts and one stops them all. An evsel is opened right after it joined its evlist
 * instead of by perf_evlist__open, which closes everything when one event fails; a member that the
 * group has no room for gets a group of its own. Members are read one by one, since a read of a
 * PERF_FORMAT_GROUP event gives libperf's caller the leader only. Values add up from start to stop
 * over any number of rounds; scaling is done by nslab_count_scale.
 *
 * Invariants: lists[0..nr_lists) are not empty; evsels[i] is NULL exactly when errs[i] is set; an
 * evlist owns its evsels. No maps are given to an evlist, because an evsel would keep a reference
 * to the thread map that libperf never drops.
 *
 * Locks: perf_open_lock, because libperf makes its default CPU map on first use without one.
 * It is held while opening, and nothing else is taken under it.
 *
 * Left out: CPU maps (an event follows its thread) and reads by rdpmc.
 */
#define _GNU_SOURCE
#include "runner/counters/perf_group.h"
#include "runner/counters/scale.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <perf/core.h>
#include <perf/evlist.h>
#include <perf/evsel.h>
#include <perf/threadmap.h>
#include <pthread.h>
#include <stdlib.h>

const char *const nslab_perf_missing = NULL;

static pthread_mutex_t perf_open_lock = PTHREAD_MUTEX_INITIALIZER;

struct perf_list {
	struct perf_evlist *evlist;
	int group;
};

struct nslab_counter_set {
	int nr, nr_lists;
	struct perf_list lists[NSLAB_PERF_MAX_EVENTS];
	struct perf_evsel *evsels[NSLAB_PERF_MAX_EVENTS];
	int errs[NSLAB_PERF_MAX_EVENTS];
};

/* The library's own messages would land in the middle of the user's terminal. */
static int perf_silence(enum libperf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static struct perf_thread_map *perf_thread(pid_t tid)
{
	struct perf_thread_map *threads = perf_thread_map__new_dummy();

	if (threads)
		perf_thread_map__set_pid(threads, 0, tid);
	return threads;
}

static struct perf_evsel *perf_evsel(const struct nslab_perf_event *event, bool is_leader)
{
	struct perf_event_attr attr = {
		.type = event->type,
		.size = sizeof(attr),
		.config = event->config,
		.config1 = event->config1,
		.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
		.disabled = is_leader,
		.exclude_kernel = event->is_hardware,
		.exclude_hv = event->is_hardware,
	};

	return perf_evsel__new(&attr);
}

int nslab_perf_try(const struct nslab_perf_event *event)
{
	struct perf_thread_map *threads = perf_thread(0);
	struct perf_evsel *evsel = perf_evsel(event, true);
	int rc = -ENOMEM;

	if (threads && evsel) {
		pthread_mutex_lock(&perf_open_lock);
		libperf_init(perf_silence);
		rc = perf_evsel__open(evsel, NULL, threads);
		pthread_mutex_unlock(&perf_open_lock);
		if (!rc)
			perf_evsel__close(evsel);
	}
	if (evsel)
		perf_evsel__delete(evsel);
	perf_thread_map__put(threads);
	return rc;
}

/* Opens the event as the last member of the evlist; the evlist is as before when that fails. */
static int perf_join(struct perf_evlist *evlist, const struct nslab_perf_event *event,
		     struct perf_thread_map *threads, struct perf_evsel **evsel)
{
	bool is_leader = !perf_evlist__next(evlist, NULL);
	int rc;

	*evsel = perf_evsel(event, is_leader);
	if (!*evsel)
		return -ENOMEM;
	perf_evlist__add(evlist, *evsel);
	perf_evlist__set_leader(evlist);
	rc = perf_evsel__open(*evsel, NULL, threads);
	if (!rc)
		return 0;
	perf_evlist__remove(evlist, *evsel);
	perf_evsel__delete(*evsel);
	*evsel = NULL;
	return rc;
}

/* The event in an evlist of its own, which is added to the set. */
static int perf_lead(struct nslab_counter_set *set, const struct nslab_perf_event *event,
		     struct perf_thread_map *threads, struct perf_evsel **evsel)
{
	struct perf_evlist *evlist = perf_evlist__new();
	int rc = evlist ? perf_join(evlist, event, threads, evsel) : -ENOMEM;

	if (rc) {
		perf_evlist__delete(evlist);
		return rc;
	}
	set->lists[set->nr_lists].evlist = evlist;
	set->lists[set->nr_lists].group = event->group;
	set->nr_lists++;
	return 0;
}

static int perf_add(struct nslab_counter_set *set, const struct nslab_perf_event *event,
		    struct perf_thread_map *threads, struct perf_evsel **evsel)
{
	for (int i = 0; i < set->nr_lists; i++) {
		if (set->lists[i].group == event->group &&
		    !perf_join(set->lists[i].evlist, event, threads, evsel))
			return 0;
	}
	return perf_lead(set, event, threads, evsel);
}

int nslab_perf_open(const struct nslab_perf_event *const *events, int nr, pid_t tid,
		    struct nslab_counter_set **result)
{
	struct perf_thread_map *threads = perf_thread(tid);
	struct nslab_counter_set *set = calloc(1, sizeof(*set));
	int rc = -ENOMEM;

	if (!set || !threads)
		goto out;
	pthread_mutex_lock(&perf_open_lock);
	libperf_init(perf_silence);
	for (set->nr = 0; set->nr < nr; set->nr++)
		set->errs[set->nr] = perf_add(set, events[set->nr], threads, &set->evsels[set->nr]);
	pthread_mutex_unlock(&perf_open_lock);
	rc = set->nr_lists ? 0 : set->errs[0];
out:
	perf_thread_map__put(threads);
	if (rc)
		nslab_perf_close(set);
	else
		*result = set;
	return rc;
}

int nslab_perf_start(struct nslab_counter_set *set)
{
	int rc = 0;

	for (int i = 0; i < set->nr_lists && !rc; i++)
		rc = perf_evsel__enable(perf_evlist__next(set->lists[i].evlist, NULL));
	return rc;
}

int nslab_perf_stop(struct nslab_counter_set *set)
{
	int rc = 0;

	for (int i = set->nr_lists; i-- > 0;) {
		int one = perf_evsel__disable(perf_evlist__next(set->lists[i].evlist, NULL));

		rc = rc ? rc : one;
	}
	return rc;
}

int nslab_perf_read(struct nslab_counter_set *set, struct nslab_count *values)
{
	for (int i = 0; i < set->nr; i++) {
		struct perf_counts_values raw = {.val = 0};
		int rc = set->errs[i];

		if (!rc)
			rc = perf_evsel__read(set->evsels[i], 0, 0, &raw);
		nslab_count_scale(rc, raw.val, raw.ena, raw.run, &values[i]);
	}
	return 0;
}

void nslab_perf_close(struct nslab_counter_set *set)
{
	if (!set)
		return;
	for (int i = 0; i < set->nr_lists; i++)
		perf_evlist__delete(set->lists[i].evlist);
	free(set);
}
