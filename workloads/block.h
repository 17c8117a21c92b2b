/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * block.h: blocks of pages that a worker holds: marked at both ends, checked before they go.
 */
#ifndef NSLAB_WORKLOADS_BLOCK_H
#define NSLAB_WORKLOADS_BLOCK_H

#include "workloads/common.h"

/* The words at both ends of a block of at least 16 bytes. */
static inline void nslab_block_mark(void *start, size_t bytes, uint64_t mark)
{
	*(volatile uint64_t *)start = mark;
	*(volatile uint64_t *)((char *)start + bytes - sizeof(mark)) = ~mark;
}

static inline bool nslab_block_is_marked(const void *start, size_t bytes, uint64_t mark)
{
	return *(const volatile uint64_t *)start == mark &&
	       *(const volatile uint64_t *)((const char *)start + bytes - sizeof(mark)) == ~mark;
}

/* Of a workload: what its workers add up when they leave, and how verify() judges it. */
struct nslab_block_tally {
	struct nslab_tally tally;
	atomic_uint_fast64_t nr_bad; /* blocks whose marks were gone */
};

static inline int nslab_block_verdict(const struct nslab_block_tally *tally)
{
	return atomic_load(&tally->nr_bad) ? -EILSEQ : nslab_tally_verdict(&tally->tally);
}

/* Next number of a stream whose high bits are good, scaled to 0 .. bound - 1; bound < 2^32. */
static inline size_t nslab_block_draw(uint64_t *rng, size_t bound)
{
	*rng = *rng * UINT64_C(0xd1342543de82ef95) + 1;
	return (size_t)(((*rng >> 32) * bound) >> 32);
}

#endif
