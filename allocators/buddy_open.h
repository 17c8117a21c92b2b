/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buddy_open.h: parameters of the page plug-in "buddy", and how it begins.
 */
#ifndef NSLAB_BUDDY_OPEN_H
#define NSLAB_BUDDY_OPEN_H

#include "allocators/memblock.h"

#include <numaslab/page.h>

enum buddy_generation {
	BUDDY_LINUX_6_1,
	BUDDY_LINUX_6_12
};

struct buddy_params {
	bool pcp;
	int64_t pcp_high;
	int64_t pcp_batch;
	int64_t pcp_generation; /* enum buddy_generation */
	bool watermarks;
	int64_t watermark_scale_factor;
	int64_t min_free_kib;
	bool group_by_mobility;
	int64_t dma_zone_mib;
	int64_t early_mib;
};

extern const struct nslab_param nslab_buddy_params[];

int buddy_open(const struct nslab_arena *arena, const void *params,
	       struct nslab_page_source **source);
void buddy_close(struct nslab_page_source *source);

/*
 * The same with memory that was handed out early: memblock holds the arena's frames as byte ranges
 * from 0 on (frame number << 12), node by node. What it has reserved stays reserved for good.
 */
int nslab_buddy_open_early(const struct nslab_arena *arena, const void *params,
			   const struct nslab_memblock *memblock,
			   struct nslab_page_source **source);

#endif
