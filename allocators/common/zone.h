/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zone.h: the sizes that Linux derives from a zone's number of pages.
 *
 * Pure functions, so that a test can hold them against figures of real machines. All zones are of
 * one size here and share what the kernel splits by size equally.
 */
#ifndef NSLAB_COMMON_ZONE_H
#define NSLAB_COMMON_ZONE_H

#include <numaslab/types.h>

/* Largest number whose square is at most n. */
static inline uint64_t nslab_zone_sqrt(uint64_t n)
{
	uint64_t root = 0;

	for (uint64_t bit = (uint64_t)1 << 31; bit; bit >>= 1) {
		if ((root + bit) * (root + bit) <= n)
			root += bit;
	}
	return root;
}

/*
 * Low watermark in pages of one of nr_zones zones with `managed` pages: the share of
 * 4 * sqrt(KiB of memory) within 128..262144 KiB, and the gap above it: a quarter of that, or
 * 0.1 % of the zone.
 */
static inline uint64_t nslab_zone_low_pages(uint64_t managed, int nr_zones)
{
	uint64_t nr = (uint64_t)nr_zones;
	uint64_t min_kib = 4 * nslab_zone_sqrt(managed * nr << (NSLAB_PAGE_SHIFT - 10));
	uint64_t min, gap;

	if (min_kib < 128)
		min_kib = 128;
	if (min_kib > 262144)
		min_kib = 262144;
	min = (min_kib >> (NSLAB_PAGE_SHIFT - 10)) / nr;
	gap = managed / 1000;
	return min + (gap > min / 4 ? gap : min / 4);
}

/* Pages that move between a CPU's lists and the zone at once: one below a power of two. */
static inline unsigned nslab_zone_batch(uint64_t managed)
{
	uint64_t pages = managed / 1024 < 256 ? managed / 1024 : 256;
	uint64_t quarter = pages / 4 ? pages / 4 : 1;
	unsigned power = 1;

	while (power * 2 <= quarter + quarter / 2)
		power *= 2;
	return power > 1 ? power - 1 : 1;
}

#endif
