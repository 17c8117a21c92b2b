/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * perf_none.c: stands where libperf would, in a build without it.
 *
 * Every probe of the source `perf` then answers with one reason, so hardware events read null and
 * never zero. Events of the kernel are taken by the next source that has them (softstat.c). Nothing
 * can be opened, so the other functions only refuse.
 */
#include "runner/counters/perf_group.h"

#include <errno.h>

const char *const nslab_perf_missing = "built without libperf";

int nslab_perf_try(const struct nslab_perf_event *event)
{
	(void)event;
	return -ENOSYS;
}

int nslab_perf_open(const struct nslab_perf_event *const *events, int nr, pid_t tid,
		    struct nslab_counter_set **set)
{
	(void)events;
	(void)nr;
	(void)tid;
	*set = NULL;
	return -ENOSYS;
}

int nslab_perf_start(struct nslab_counter_set *set)
{
	(void)set;
	return -ENOSYS;
}

int nslab_perf_stop(struct nslab_counter_set *set)
{
	(void)set;
	return -ENOSYS;
}

int nslab_perf_read(struct nslab_counter_set *set, struct nslab_count *values)
{
	(void)set;
	(void)values;
	return -ENOSYS;
}

void nslab_perf_close(struct nslab_counter_set *set)
{
	(void)set;
}
