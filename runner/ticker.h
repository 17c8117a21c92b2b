/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ticker.h: the cheapest clock that can be read around one operation, and what it is worth.
 *
 * Ticks are of whatever the CPU counts. They become nanoseconds by watching CLOCK_MONOTONIC_RAW
 * beside them for a while: nothing here believes a frequency that somebody states.
 */
#ifndef NSLAB_TICKER_H
#define NSLAB_TICKER_H

#include "core/clock.h"

#include <stdbool.h>

#define NSLAB_TICKER_WATCH_NS UINT64_C(200000000) /* shortest time that calibrates */

struct nslab_ticker {
	const char *name; /* "tsc", "cntvct", "clock_gettime" */
	/* ordered against the instructions before and after it */
	uint64_t (*now)(const struct nslab_ticker *ticker);
};

/* The CPU's counter where it runs at one rate in all idle states, else clock_gettime. */
const struct nslab_ticker *nslab_ticker_best(void);

static inline uint64_t nslab_ticks(const struct nslab_ticker *ticker)
{
	return ticker->now(ticker);
}

/* Both clocks at one moment. */
struct nslab_tick_mark {
	uint64_t ticks, ns;
};

/* The closest of several tries, so that an interrupt between the two readings does not count. */
void nslab_tick_mark(const struct nslab_ticker *ticker, const struct nslab_clock *clock,
		     struct nslab_tick_mark *mark);
/* NaN when the marks lie less than NSLAB_TICKER_WATCH_NS apart, or no tick passed. */
double nslab_ns_per_tick(const struct nslab_tick_mark *from, const struct nslab_tick_mark *to);

/* Ticks that one reading takes, in a row of them: the quietest of several rows. */
double nslab_ticker_cost(const struct nslab_ticker *ticker);

#endif
