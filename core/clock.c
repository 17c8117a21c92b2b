/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.c: the real clock.
 *
 * CLOCK_MONOTONIC_RAW is used because NTP does not slew it: a window's length must not depend on
 * the time daemon. Thread CPU time costs a system call, so callers read it once a window only.
 */
#define _GNU_SOURCE
#include "core/clock.h"

#include <time.h>

static uint64_t read_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

static uint64_t real_now_ns(const struct nslab_clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_MONOTONIC_RAW);
}

static uint64_t real_thread_cpu_ns(const struct nslab_clock *clock)
{
	(void)clock;
	return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

const struct nslab_clock nslab_real_clock = {
	.now_ns = real_now_ns,
	.thread_cpu_ns = real_thread_cpu_ns,
};
