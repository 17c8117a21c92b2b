/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ticker.c: reads the CPU's own counter, and calibrates it.
 *
 * On x86 the time stamp counter is used when CPUID says that it is invariant: then it runs at one
 * rate whatever the CPU's frequency and idle state. Two LFENCEs keep the reading in its place; a
 * guest may hide the flag, and then clock_gettime is used, which costs twice as much and is never
 * wrong. On arm64 the virtual counter is always invariant; ISB keeps its place.
 *
 * Invariant: a tick is a unit without a name until two marks, at least 200 ms apart, were taken.
 * Left out: counters that differ between CPUs; timer_check.c looks for those.
 */
#include "runner/ticker.h"

#include <math.h>

#if defined(__x86_64__)
# include <cpuid.h>
#endif

#define MARK_TRIES 15
#define COST_ROWS  16
#define COST_READS 64

static uint64_t ticker_clock_now(const struct nslab_ticker *ticker)
{
	(void)ticker;
	return nslab_now_ns(&nslab_real_clock);
}

static const struct nslab_ticker ticker_clock = {"clock_gettime", ticker_clock_now};

#if defined(__x86_64__)
# define TICKER_LEAF_POWER    0x80000007u
# define TICKER_INVARIANT_BIT (1u << 8)

static uint64_t ticker_tsc_now(const struct nslab_ticker *ticker)
{
	uint32_t low, high;

	(void)ticker;
	__asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static const struct nslab_ticker ticker_cpu = {"tsc", ticker_tsc_now};

static bool ticker_cpu_is_usable(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(TICKER_LEAF_POWER, &a, &b, &c, &d) && (d & TICKER_INVARIANT_BIT);
}
#elif defined(__aarch64__)
static uint64_t ticker_cntvct_now(const struct nslab_ticker *ticker)
{
	uint64_t ticks;

	(void)ticker;
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(ticks) : : "memory");
	return ticks;
}

static const struct nslab_ticker ticker_cpu = {"cntvct", ticker_cntvct_now};

static bool ticker_cpu_is_usable(void)
{
	return true;
}
#else
# define ticker_cpu ticker_clock

static bool ticker_cpu_is_usable(void)
{
	return false;
}
#endif

const struct nslab_ticker *nslab_ticker_best(void)
{
	return ticker_cpu_is_usable() ? &ticker_cpu : &ticker_clock;
}

void nslab_tick_mark(const struct nslab_ticker *ticker, const struct nslab_clock *clock,
		     struct nslab_tick_mark *mark)
{
	uint64_t closest = UINT64_MAX;

	for (int i = 0; i < MARK_TRIES; i++) {
		uint64_t before = nslab_ticks(ticker);
		uint64_t ns = nslab_now_ns(clock);
		uint64_t after = nslab_ticks(ticker);

		if (after - before >= closest)
			continue;
		closest = after - before;
		mark->ticks = before + closest / 2;
		mark->ns = ns;
	}
}

double nslab_ns_per_tick(const struct nslab_tick_mark *from, const struct nslab_tick_mark *to)
{
	if (to->ns - from->ns < NSLAB_TICKER_WATCH_NS || to->ticks <= from->ticks)
		return NAN;
	return (double)(to->ns - from->ns) / (double)(to->ticks - from->ticks);
}

double nslab_ticker_cost(const struct nslab_ticker *ticker)
{
	uint64_t least = UINT64_MAX;

	for (int row = 0; row < COST_ROWS; row++) {
		uint64_t start = nslab_ticks(ticker);
		uint64_t end = start;

		for (int i = 0; i < COST_READS; i++)
			end = nslab_ticks(ticker);
		least = end - start < least ? end - start : least;
	}
	return (double)least / COST_READS;
}
