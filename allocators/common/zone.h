/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * zone.h: the sizes that Linux derives from a zone's number of pages.
 *
 * Pure functions, so that a test can hold them against figures of real machines: watermarks and who
 * may go below them, per-CPU list sizes, and the two numbers by which fragmentation is told.
 */
#ifndef NSLAB_COMMON_ZONE_H
#define NSLAB_COMMON_ZONE_H

#include <numaslab/page.h>

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

/* Watermarks of one zone, in pages. */
struct nslab_zone_marks {
	uint64_t min, low, high, promo;
};

/* What the whole system keeps free: 4 * sqrt(KiB of memory) KiB, within 128..262144. */
static inline uint64_t nslab_zone_min_free_kib(uint64_t total_pages)
{
	uint64_t kib = 4 * nslab_zone_sqrt(total_pages << (NSLAB_PAGE_SHIFT - 10));

	if (kib < 128)
		return 128;
	return kib > 262144 ? 262144 : kib;
}

/*
 * The zone's share of that is min. From one mark to the next it is a quarter of min, or
 * scale_factor / 10000 of the zone (vm.watermark_scale_factor, 10).
 */
static inline struct nslab_zone_marks nslab_zone_marks(uint64_t managed, uint64_t total_pages,
						       uint64_t min_free_kib, uint64_t scale_factor)
{
	struct nslab_zone_marks marks = {0, 0, 0, 0};
	uint64_t gap = managed * scale_factor / 10000;

	if (total_pages)
		marks.min = (min_free_kib >> (NSLAB_PAGE_SHIFT - 10)) * managed / total_pages;
	if (gap < marks.min / 4)
		gap = marks.min / 4;
	marks.low = marks.min + gap;
	marks.high = marks.low + gap;
	marks.promo = marks.high + gap;
	return marks;
}

/* The low mark of one of nr_zones zones with `managed` pages each. */
static inline uint64_t nslab_zone_low_pages(uint64_t managed, int nr_zones)
{
	uint64_t total = managed * (uint64_t)nr_zones;

	return nslab_zone_marks(managed, total, nslab_zone_min_free_kib(total), 10).low;
}

/* Who may go below the low mark, and how far. */
#define NSLAB_ZONE_HIGH	     (1u << 0) /* __GFP_HIGH: half of min */
#define NSLAB_ZONE_NON_BLOCK (1u << 1) /* with it: a quarter less again */
#define NSLAB_ZONE_NO_MARK   (1u << 2) /* __GFP_MEMALLOC: everything */

/* What must stay free for a request with these rights: mark is min or low. */
static inline uint64_t nslab_zone_floor(uint64_t mark, unsigned rights)
{
	if (rights & NSLAB_ZONE_NO_MARK)
		return 0;
	if (rights & NSLAB_ZONE_HIGH) {
		mark -= mark / 2;
		if (rights & NSLAB_ZONE_NON_BLOCK)
			mark -= mark / 4;
	}
	return mark;
}

/*
 * Pages of a low zone that requests for a higher zone leave alone: a share (ratio 256 for DMA) of
 * what the higher zones of the node manage.
 */
static inline uint64_t nslab_zone_lowmem_reserve(uint64_t managed_above, uint64_t ratio)
{
	return ratio ? managed_above / ratio : 0;
}

/* Adds the free blocks of a zone, of whatever type, to nr_blocks, which is indexed by order. */
static inline void nslab_zone_add_blocks(const struct nslab_zone_stats *zone, uint64_t *nr_blocks)
{
	for (unsigned o = 0; o <= NSLAB_MAX_ORDER; o++) {
		for (int type = 0; type < NSLAB_NR_MIGRATE_TYPES; type++)
			nr_blocks[o] += zone->nr_free_blocks[type][o];
	}
}

/* Free pages in blocks of any order, and free blocks of `order` that could be cut from them. */
static inline uint64_t nslab_zone_free_pages(const uint64_t *nr_blocks)
{
	uint64_t nr = 0;

	for (unsigned o = 0; o <= NSLAB_MAX_ORDER; o++)
		nr += nr_blocks[o] << o;
	return nr;
}

static inline uint64_t nslab_zone_suitable_blocks(const uint64_t *nr_blocks, unsigned order)
{
	uint64_t nr = 0;

	for (unsigned o = order; o <= NSLAB_MAX_ORDER; o++)
		nr += nr_blocks[o] << (o - order);
	return nr;
}

/*
 * Why would a request of this order fail, in thousandths: 0 for lack of memory, towards 1000 for
 * fragmentation; -1000 when it would not fail. nr_blocks is indexed by order, as in
 * /proc/buddyinfo. Divisions round down at each step, as the kernel's do.
 */
static inline int nslab_zone_extfrag_index(const uint64_t *nr_blocks, unsigned order)
{
	uint64_t nr = 0;

	for (unsigned o = 0; o <= NSLAB_MAX_ORDER; o++)
		nr += nr_blocks[o];
	if (!nr)
		return 0;
	if (nslab_zone_suitable_blocks(nr_blocks, order))
		return -1000;
	return 1000 - (int)((1000 + (nslab_zone_free_pages(nr_blocks) * 1000 >> order)) / nr);
}

/* Thousandths of the free memory that a request of this order cannot use; 1000 when none is free.
 */
static inline int nslab_zone_unusable_index(const uint64_t *nr_blocks, unsigned order)
{
	uint64_t nr = nslab_zone_free_pages(nr_blocks);

	if (!nr)
		return 1000;
	return (int)((nr - (nslab_zone_suitable_blocks(nr_blocks, order) << order)) * 1000 / nr);
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
