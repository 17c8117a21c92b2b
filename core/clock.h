/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.h: the time, from a source that tests can replace.
 *
 * Everything that measures takes a struct nslab_clock, so that CI runs the same code on a clock of
 * its own with planted noise. Times are nanoseconds.
 */
#ifndef NSLAB_CORE_CLOCK_H
#define NSLAB_CORE_CLOCK_H

#include <stdint.h>

struct nslab_clock {
	uint64_t (*now_ns)(const struct nslab_clock *clock);	    /* monotonic, not slewed */
	uint64_t (*thread_cpu_ns)(const struct nslab_clock *clock); /* CPU time of this thread */
};

/* CLOCK_MONOTONIC_RAW and CLOCK_THREAD_CPUTIME_ID. */
extern const struct nslab_clock nslab_real_clock;

static inline uint64_t nslab_now_ns(const struct nslab_clock *clock)
{
	return clock->now_ns(clock);
}

static inline uint64_t nslab_thread_cpu_ns(const struct nslab_clock *clock)
{
	return clock->thread_cpu_ns(clock);
}

#endif
