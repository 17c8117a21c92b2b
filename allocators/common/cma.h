/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cma.h: contiguous memory from an area that movable pages may use in the meantime.
 */
#ifndef NSLAB_CMA_H
#define NSLAB_CMA_H

#include <numaslab/page.h>

#define NSLAB_CMA_ALIGN_MAX 8 /* order; a larger request is aligned to that only */

struct nslab_cma;

struct nslab_cma_stats {
	uint64_t nr_pages;
	uint64_t nr_used_pages;	      /* handed out */
	uint64_t nr_largest_pages;    /* longest run that the bitmap has free */
	uint64_t nr_alloc, nr_failed; /* calls */
	uint64_t nr_busy;	      /* ranges that could not be emptied */
};

/*
 * An area of nr_pages (rounded up to 4 MiB) on an arena node. One bit stands for 2^order_per_bit
 * pages. -EINVAL, -ENOMEM when the node has no such range that was never used, -EOPNOTSUPP when the
 * page allocator cannot lend.
 */
int nslab_cma_open(struct nslab_page_source *source, int node, size_t nr_pages,
		   unsigned order_per_bit, struct nslab_cma **cma);
/* Everything was freed; the area stays lent to movable pages. */
void nslab_cma_close(struct nslab_cma *cma);

/*
 * nr_pages in a row, starting at a multiple of 2^align_order pages. May be called by many threads.
 * -EINVAL, -ENOMEM when no run is free or there is nowhere to move what stands there, -EBUSY when
 * every free run held something that cannot be moved.
 */
int nslab_cma_alloc(struct nslab_cma *cma, size_t nr_pages, unsigned align_order,
		    struct nslab_page **first);
/* -EINVAL for pages that are not an allocated range of this area. */
int nslab_cma_free(struct nslab_cma *cma, struct nslab_page *first, size_t nr_pages);

void nslab_cma_stats(struct nslab_cma *cma, struct nslab_cma_stats *stats);

#endif
