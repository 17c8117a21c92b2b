/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hist.h: a log-linear histogram of 64-bit values (nanoseconds, mostly), in 20 KiB.
 *
 * Each octave has 64 buckets of one width, so a value is known to within 1/64 of itself (values
 * below 128 exactly). One thread adds, and whoever joins the threads merges. What is above 2^45
 * (9.7 hours of nanoseconds) is counted in the last bucket; largest and smallest are exact.
 */
#ifndef NSLAB_CORE_HIST_H
#define NSLAB_CORE_HIST_H

#include <math.h>
#include <stdint.h>

#define NSLAB_HIST_SUB	   64u /* buckets of an octave */
#define NSLAB_HIST_OCTAVES 40u
#define NSLAB_HIST_BUCKETS (NSLAB_HIST_SUB * NSLAB_HIST_OCTAVES)
#define NSLAB_HIST_SCHEME  "log-linear 64x40" /* names the buckets in result files */

struct nslab_hist {
	uint64_t nr, min, max; /* min and max mean nothing while nr is 0 */
	uint64_t buckets[NSLAB_HIST_BUCKETS];
};

static inline unsigned nslab_hist_bucket(uint64_t value)
{
	unsigned octave, bucket;

	if (value < NSLAB_HIST_SUB)
		return (unsigned)value;
	octave = 63u - (unsigned)__builtin_clzll(value) - 6u; /* 0: 64..127 */
	bucket = NSLAB_HIST_SUB * (octave + 1) + (unsigned)((value >> octave) & 63u);
	return bucket < NSLAB_HIST_BUCKETS ? bucket : NSLAB_HIST_BUCKETS - 1;
}

/* Smallest value of the bucket. */
static inline uint64_t nslab_hist_floor(unsigned bucket)
{
	unsigned octave = bucket / NSLAB_HIST_SUB;

	if (!octave)
		return bucket;
	return (uint64_t)(NSLAB_HIST_SUB + bucket % NSLAB_HIST_SUB) << (octave - 1);
}

static inline void nslab_hist_add(struct nslab_hist *hist, uint64_t value)
{
	hist->buckets[nslab_hist_bucket(value)]++;
	hist->min = hist->nr && hist->min < value ? hist->min : value;
	hist->max = hist->nr && hist->max > value ? hist->max : value;
	hist->nr++;
}

static inline void nslab_hist_merge(struct nslab_hist *into, const struct nslab_hist *from)
{
	if (!from->nr)
		return;
	for (unsigned i = 0; i < NSLAB_HIST_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	into->min = into->nr && into->min < from->min ? into->min : from->min;
	into->max = into->nr && into->max > from->max ? into->max : from->max;
	into->nr += from->nr;
}

/* Values beyond the quantile q of nr. 1e-6: 0.1 * 100 is a little less than 10 in binary. */
static inline uint64_t nslab_hist_beyond(uint64_t nr, double q)
{
	return (uint64_t)floor((1.0 - q) * (double)nr + 1e-6);
}

/* What a value of the bucket is taken for: itself where the bucket has one value, else the middle.
 */
static inline double nslab_hist_middle(const struct nslab_hist *hist, unsigned bucket)
{
	uint64_t floor_of = nslab_hist_floor(bucket);
	double middle = (double)floor_of;

	if (bucket == NSLAB_HIST_BUCKETS - 1) /* has no upper end */
		return (double)hist->max;
	if (nslab_hist_floor(bucket + 1) > floor_of + 1)
		middle = (middle + (double)nslab_hist_floor(bucket + 1)) / 2.0;
	if (middle < (double)hist->min)
		return (double)hist->min;
	return middle < (double)hist->max ? middle : (double)hist->max;
}

/*
 * The value below or at which a share q of all lies: the middle of its bucket, never outside of
 * smallest and largest. NaN with fewer than 10 values beyond it, which would be a quantile of luck.
 */
static inline double nslab_hist_quantile(const struct nslab_hist *hist, double q)
{
	uint64_t beyond, seen = 0;

	if (!(q >= 0.0 && q <= 1.0))
		return NAN;
	beyond = nslab_hist_beyond(hist->nr, q);
	if (beyond < 10)
		return NAN;
	for (unsigned i = 0; i < NSLAB_HIST_BUCKETS; i++) {
		seen += hist->buckets[i];
		if (seen && seen >= hist->nr - beyond)
			return nslab_hist_middle(hist, i);
	}
	return NAN; /* the buckets hold less than nr says */
}

#endif
