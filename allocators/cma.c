/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cma.c: the contiguous memory allocator, after Linux 6.12 mm/cma.c.
 *
 * The area is a range that the page allocator lends to movable requests (range_lend). A bitmap has
 * one bit for each 2^order_per_bit pages and says which of them CMA has handed out; pages that
 * movable requests use meanwhile are not in it. A request looks for the first aligned run of zero
 * bits, sets it, and then has the page allocator empty and claim the range. When something there
 * cannot be moved, the bits are cleared and the search goes on behind that run, until the bitmap
 * ends. Searching is first fit, so the area fragments by itself; the statistics tell the longest
 * free run beside what is free.
 *
 * Invariants: a set bit is a claimed range, or one being claimed; whoever sets bits clears them.
 *
 * Locks: bitmap_lock (NSLAB_RANK_ZONE), innermost; it is not held while a range is claimed.
 *
 * Left out: areas over several ranges, waiting for a pinned page, and the debugfs files.
 */
#include "allocators/common/cma.h"

#include "core/lock.h"

#include <errno.h>
#include <stdlib.h>

#define CMA_WORD_BITS  64u
#define CMA_AREA_ALIGN ((size_t)1 << NSLAB_MAX_ORDER)

struct nslab_cma {
	struct nslab_page_source *source;
	struct nslab_page *first;
	size_t nr_bits;
	unsigned order_per_bit;
	struct nslab_lock bitmap_lock;
	uint64_t nr_alloc, nr_failed, nr_busy; /* under bitmap_lock */
	uint64_t bitmap[];
};

int nslab_cma_open(struct nslab_page_source *source, int node, size_t nr_pages,
		   unsigned order_per_bit, struct nslab_cma **cma)
{
	size_t nr = (nr_pages + CMA_AREA_ALIGN - 1) & ~(CMA_AREA_ALIGN - 1);
	size_t nr_bits = nr >> order_per_bit;
	struct nslab_cma *c;
	int rc;

	if (!nr_pages || nr < nr_pages || order_per_bit > NSLAB_MAX_ORDER)
		return -EINVAL;
	c = calloc(1, sizeof(*c) + (nr_bits + CMA_WORD_BITS - 1) / CMA_WORD_BITS * 8);
	if (!c)
		return -ENOMEM;
	rc = source->ops->range_lend(source, node, nr, &c->first);
	if (rc) {
		free(c);
		return rc;
	}
	c->source = source;
	c->nr_bits = nr_bits;
	c->order_per_bit = order_per_bit;
	nslab_lock_init(&c->bitmap_lock, NSLAB_RANK_ZONE);
	*cma = c;
	return 0;
}

void nslab_cma_close(struct nslab_cma *cma)
{
	free(cma);
}

/* ---- the bitmap, under its lock ---- */

static bool cma_bit(const struct nslab_cma *c, size_t bit)
{
	return c->bitmap[bit / CMA_WORD_BITS] >> bit % CMA_WORD_BITS & 1;
}

static void cma_set(struct nslab_cma *c, size_t bit, size_t nr, bool is_used)
{
	for (size_t i = bit; i < bit + nr; i++) {
		uint64_t mask = (uint64_t)1 << i % CMA_WORD_BITS;

		if (is_used)
			c->bitmap[i / CMA_WORD_BITS] |= mask;
		else
			c->bitmap[i / CMA_WORD_BITS] &= ~mask;
	}
}

/* Bits in a row from here on that are as asked for, at most nr. */
static size_t cma_run(const struct nslab_cma *c, size_t bit, size_t nr, bool is_used)
{
	size_t length = 0;

	while (length < nr && bit + length < c->nr_bits && cma_bit(c, bit + length) == is_used)
		length++;
	return length;
}

/* First aligned run of nr zero bits at or after `from`; nr_bits when there is none. */
static size_t cma_find(const struct nslab_cma *c, size_t from, size_t nr, size_t align)
{
	size_t bit = (from + align - 1) & ~(align - 1);

	while (bit < c->nr_bits && nr <= c->nr_bits - bit) {
		size_t length = cma_run(c, bit, nr, false);

		if (length == nr)
			return bit;
		bit = (bit + length + 1 + align - 1) & ~(align - 1);
	}
	return c->nr_bits;
}

/* ---- calls ---- */

/* The next run to try, marked as ours; nr_bits when there is none. */
static size_t cma_take(struct nslab_cma *c, size_t from, size_t nr, size_t align)
{
	size_t bit;

	nslab_lock_acquire(&c->bitmap_lock);
	bit = cma_find(c, from, nr, align);
	if (bit < c->nr_bits)
		cma_set(c, bit, nr, true);
	nslab_lock_release(&c->bitmap_lock);
	return bit;
}

static int cma_claim(struct nslab_cma *c, size_t bit, size_t nr, size_t nr_pages)
{
	int rc = c->source->ops->range_claim(c->source, c->first + (bit << c->order_per_bit),
					     nr_pages);

	if (!rc)
		return 0;
	nslab_lock_acquire(&c->bitmap_lock);
	cma_set(c, bit, nr, false);
	c->nr_busy += rc == -EBUSY;
	nslab_lock_release(&c->bitmap_lock);
	return rc;
}

int nslab_cma_alloc(struct nslab_cma *cma, size_t nr_pages, unsigned align_order,
		    struct nslab_page **first)
{
	size_t nr = (nr_pages + ((size_t)1 << cma->order_per_bit) - 1) >> cma->order_per_bit;
	size_t align = 1, from = 0, bit;
	int rc = -ENOMEM;

	if (!nr_pages || nr > cma->nr_bits)
		return nr_pages ? -ENOMEM : -EINVAL;
	if (align_order > NSLAB_CMA_ALIGN_MAX)
		align_order = NSLAB_CMA_ALIGN_MAX;
	if (align_order > cma->order_per_bit)
		align = (size_t)1 << (align_order - cma->order_per_bit);
	while ((bit = cma_take(cma, from, nr, align)) < cma->nr_bits) {
		rc = cma_claim(cma, bit, nr, nr_pages);
		if (rc != -EBUSY)
			break;
		from = bit + align;
	}
	nslab_lock_acquire(&cma->bitmap_lock);
	if (rc)
		cma->nr_failed++;
	else
		cma->nr_alloc++;
	nslab_lock_release(&cma->bitmap_lock);
	if (!rc)
		*first = cma->first + (bit << cma->order_per_bit);
	return rc;
}

int nslab_cma_free(struct nslab_cma *cma, struct nslab_page *first, size_t nr_pages)
{
	size_t nr = (nr_pages + ((size_t)1 << cma->order_per_bit) - 1) >> cma->order_per_bit;
	size_t pages = cma->nr_bits << cma->order_per_bit;
	size_t offset = (size_t)(first - cma->first);
	bool is_ours;

	if (first < cma->first || offset >= pages || !nr_pages || nr_pages > pages - offset ||
	    offset & (((size_t)1 << cma->order_per_bit) - 1))
		return -EINVAL;
	nslab_lock_acquire(&cma->bitmap_lock);
	is_ours = cma_run(cma, offset >> cma->order_per_bit, nr, true) == nr;
	nslab_lock_release(&cma->bitmap_lock);
	if (!is_ours)
		return -EINVAL;
	/* the pages first: a bit that is clear may be claimed by another thread at once */
	cma->source->ops->range_free(cma->source, first, nr_pages);
	nslab_lock_acquire(&cma->bitmap_lock);
	cma_set(cma, offset >> cma->order_per_bit, nr, false);
	nslab_lock_release(&cma->bitmap_lock);
	return 0;
}

void nslab_cma_stats(struct nslab_cma *cma, struct nslab_cma_stats *stats)
{
	uint64_t run = 0, longest = 0, nr_used = 0;

	nslab_lock_acquire(&cma->bitmap_lock);
	for (size_t bit = 0; bit < cma->nr_bits; bit++) {
		bool is_used = cma_bit(cma, bit);

		nr_used += is_used;
		run = is_used ? 0 : run + 1;
		longest = run > longest ? run : longest;
	}
	*stats = (struct nslab_cma_stats){
		.nr_pages = (uint64_t)cma->nr_bits << cma->order_per_bit,
		.nr_used_pages = nr_used << cma->order_per_bit,
		.nr_largest_pages = longest << cma->order_per_bit,
		.nr_alloc = cma->nr_alloc,
		.nr_failed = cma->nr_failed,
		.nr_busy = cma->nr_busy,
	};
	nslab_lock_release(&cma->bitmap_lock);
}
