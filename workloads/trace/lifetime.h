/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lifetime.h: a log-linear histogram of times: 16 steps for each power of two, so within 3.2 %.
 */
#ifndef NSLAB_TRACE_LIFETIME_H
#define NSLAB_TRACE_LIFETIME_H

#include <stdint.h>

#define NSLAB_LIFETIME_STEPS   16
#define NSLAB_LIFETIME_BUCKETS (61 * NSLAB_LIFETIME_STEPS)

struct nslab_lifetimes {
	uint64_t nr, max_ns;
	uint32_t counts[NSLAB_LIFETIME_BUCKETS]; /* of nanoseconds; below 16 ns exactly */
};

/* Values below 16 have a bucket each; then bucket = 16 steps of each power of two. */
static inline unsigned nslab_lifetime_bucket(uint64_t ns)
{
	unsigned log;

	if (ns < NSLAB_LIFETIME_STEPS)
		return (unsigned)ns;
	log = 63 - (unsigned)__builtin_clzll(ns);
	return (log - 3) * NSLAB_LIFETIME_STEPS +
	       (unsigned)((ns >> (log - 4)) % NSLAB_LIFETIME_STEPS);
}

/* The middle of a bucket. */
static inline double nslab_lifetime_middle_ns(unsigned bucket)
{
	unsigned log = bucket / NSLAB_LIFETIME_STEPS + 3;
	double step;

	if (bucket < NSLAB_LIFETIME_STEPS)
		return (double)bucket;
	step = (double)((uint64_t)1 << (log - 4));
	return step * ((double)(bucket % NSLAB_LIFETIME_STEPS) + 16.5);
}

static inline void nslab_lifetimes_add(struct nslab_lifetimes *lifetimes, uint64_t ns)
{
	lifetimes->nr++;
	lifetimes->counts[nslab_lifetime_bucket(ns)]++;
	if (ns > lifetimes->max_ns)
		lifetimes->max_ns = ns;
}

/* The time that a share q (0..1) of the objects do not outlive; -1 when there is none. */
static inline double nslab_lifetimes_quantile_ns(const struct nslab_lifetimes *lifetimes, double q)
{
	uint64_t rank = (uint64_t)(q * (double)lifetimes->nr);
	uint64_t seen = 0;

	if (!lifetimes->nr)
		return -1;
	for (unsigned i = 0; i < NSLAB_LIFETIME_BUCKETS; i++) {
		seen += lifetimes->counts[i];
		if (seen > rank)
			return nslab_lifetime_middle_ns(i);
	}
	return (double)lifetimes->max_ns;
}

#endif
