/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buddy.h: what the files of the page plug-in "buddy" share.
 *
 * buddy.c has the requests and the table, buddy_zone.c the free lists of a zone, buddy_pcp.c the
 * slow half of the per-CPU lists, buddy_range.c contiguous ranges and buddy_open.c how it all
 * begins.
 */
#ifndef NSLAB_BUDDY_H
#define NSLAB_BUDDY_H

#include "allocators/buddy_open.h"
#include "allocators/common/zone.h"
#include "core/list.h"
#include "core/lock.h"

#include <numaslab/plugin.h>

#define BUDDY_NR_ORDERS	    (NSLAB_MAX_ORDER + 1)
#define BUDDY_MAX_FRAMES    ((size_t)1 << NSLAB_MAX_ORDER)
#define BUDDY_BLOCK_FRAMES  ((size_t)1 << NSLAB_PAGEBLOCK_ORDER)
#define BUDDY_PCP_ORDERS    4 /* 0..3, and the order of a pageblock */
#define BUDDY_PCP_TYPES	    3
#define BUDDY_PCP_SMALL	    (BUDDY_PCP_ORDERS * BUDDY_PCP_TYPES)
#define BUDDY_PCP_LISTS	    (BUDDY_PCP_SMALL + 2)
#define BUDDY_PCP_SCALE_MAX 5 /* a batch grows to at most batch << 5 */
#define BUDDY_NO_FRAME	    SIZE_MAX

/*
 * What the page layer knows about a frame, one byte each in frame_state[], all of it under the lock
 * of the frame's zone. It is not in the frame's record, since the owner of an allocated block
 * writes that without any lock.
 */
#define BUDDY_STATE_ORDER     0x0fu /* of the block that starts here, when one of the next is set */
#define BUDDY_STATE_FREE      0x10u /* a free block on a list */
#define BUDDY_STATE_ALLOCATED 0x20u /* has left the zone: allocated, or on a per-CPU list */
#define BUDDY_STATE_MOVABLE   0x40u /* it left for a movable request */
#define BUDDY_STATE_MOVER     0x80u /* priv[1] of its record is a struct nslab_page_mover */

struct buddy_zone {
	struct nslab_lock lock;
	int node;
	int first_type;	     /* of blocks that were never used */
	size_t start;	     /* first frame */
	size_t stop;	     /* behind the last frame; multiples of 1024 */
	size_t fresh, end;   /* frames fresh .. end - 1 were never used; multiples of 1024 */
	uint64_t nr_managed; /* frames without those reserved early */
	/* pages on lists and above fresh; written under the lock, read without it as a hint */
	_Atomic uint64_t nr_free;
	_Atomic uint64_t nr_free_cma, nr_free_highatomic; /* of them */
	_Atomic uint64_t boost;				  /* pages on top of the watermarks */
	struct nslab_list free[BUDDY_NR_ORDERS][NSLAB_NR_MIGRATE_TYPES];
	uint64_t nr_blocks[BUDDY_NR_ORDERS][NSLAB_NR_MIGRATE_TYPES]; /* on free[][] */
	uint64_t nr_alloc[BUDDY_NR_ORDERS]; /* not counting what per-CPU lists served */
	uint64_t nr_lock;
	uint64_t nr_extfrag, nr_claimed;
	uint64_t nr_highatomic; /* pages in pageblocks of that type */
	_Atomic uint64_t nr_failed, nr_fallback, nr_below_low;
	struct nslab_zone_marks marks;
	uint64_t reserve; /* pages kept from requests that a higher zone could serve */
	unsigned batch, high_min, high_max; /* pages, for per-CPU lists */
} NSLAB_ALIGNED(NSLAB_CACHE_LINE);

/* One CPU's free pages of one zone. */
struct buddy_pcp {
	atomic_uint count;	  /* pages on the lists; written by the owner alone */
	unsigned high;		  /* pages at which some go back */
	unsigned nr_freed_in_row; /* 6.12: pages; 6.1: times; halved by every allocation */
	unsigned row_max;	  /* it is not counted beyond; 0: not in the fast path */
	unsigned row_min;	  /* from here on large blocks go straight back */
	uint8_t refill_scale;	  /* log2 of the next refill in batches */
	bool was_high_order;	  /* the last free was of order 1..3, or that does not matter */
	bool ignores_last;	  /* it never matters (6.1) */
	struct nslab_list list[BUDDY_PCP_LISTS]; /* most recently freed first */
	uint64_t nr_alloc[BUDDY_NR_ORDERS];
} NSLAB_ALIGNED(NSLAB_CACHE_LINE);

/* At cpu->page_state. */
struct buddy_cpu {
	struct nslab_list link; /* source->cpus */
	struct buddy_pcp pcp[]; /* by zone */
};

struct buddy_source {
	struct nslab_page_source base;
	bool has_pcp;
	bool has_marks;
	bool is_grouped; /* by type */
	enum buddy_generation generation;
	int nr_nodes, nr_zones;
	unsigned frame_shift; /* log2 of frames from one node to the next */
	size_t dma_stop;      /* frames below are the DMA zone's */
	struct nslab_page *pages;
	uint8_t type_of[4];		 /* by the two type bits of a request */
	_Atomic uint8_t *pageblock_type; /* written under the zone's lock */
	uint8_t *frame_state;
	/* number n is the normal zone of node n; then comes node 0's DMA zone, if there is one */
	struct buddy_zone *zones;
	uint16_t *zonelist;	      /* [from * nr_zones + position]: zone */
	struct nslab_lock claim_lock; /* of ranges, one at a time */
	struct nslab_lock cpus_lock;
	struct nslab_list cpus;
};

/* What a request may do in a zone. */
struct buddy_request {
	unsigned order;
	int type;
	unsigned rights; /* NSLAB_ZONE_* */
	bool may_use_cma;
	bool is_highatomic; /* large and cannot wait: has a reserve of its own */
	bool is_dma;
	bool at_low; /* leave the low mark alone */
};

static inline struct buddy_source *buddy_source_of(struct nslab_page_source *source)
{
	return nslab_container_of(source, struct buddy_source, base);
}

static inline size_t buddy_pfn(const struct buddy_source *b, const struct nslab_page *page)
{
	return (size_t)(page - b->pages);
}

static inline size_t buddy_zone_number(const struct buddy_source *b, size_t pfn)
{
	return pfn < b->dma_stop ? (size_t)b->nr_nodes : pfn >> b->frame_shift;
}

static inline struct buddy_zone *buddy_zone_of(struct buddy_source *b, size_t pfn)
{
	return &b->zones[buddy_zone_number(b, pfn)];
}

static inline int buddy_type_at(const struct buddy_source *b, size_t pfn)
{
	return atomic_load_explicit(&b->pageblock_type[pfn >> NSLAB_PAGEBLOCK_ORDER],
				    memory_order_relaxed);
}

static inline bool buddy_is_free(const struct buddy_source *b, size_t pfn, unsigned order)
{
	return b->frame_state[pfn] == (BUDDY_STATE_FREE | order);
}

static inline unsigned buddy_min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static inline unsigned buddy_max(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* List of a CPU for blocks of this order; the order must have one. */
static inline unsigned buddy_pcp_index(const struct buddy_source *b, unsigned order, int type)
{
	if (order < BUDDY_PCP_ORDERS)
		return order * BUDDY_PCP_TYPES + (unsigned)type;
	if (b->generation >= BUDDY_LINUX_6_12 && type == NSLAB_MIGRATE_MOVABLE)
		return BUDDY_PCP_SMALL + 1;
	return BUDDY_PCP_SMALL;
}

static inline unsigned buddy_pcp_order(unsigned index)
{
	return index < BUDDY_PCP_SMALL ? index / BUDDY_PCP_TYPES : NSLAB_PAGEBLOCK_ORDER;
}

static inline unsigned buddy_pcp_count(const struct buddy_pcp *pcp)
{
	return atomic_load_explicit(&pcp->count, memory_order_relaxed);
}

/* By the owner: statistics may read meanwhile, nobody else writes. */
static inline void buddy_pcp_count_add(struct buddy_pcp *pcp, unsigned nr_pages)
{
	atomic_store_explicit(&pcp->count, buddy_pcp_count(pcp) + nr_pages, memory_order_relaxed);
}

/* ---- buddy_zone.c; under zone->lock unless said otherwise ---- */

void buddy_zone_lock(struct buddy_zone *zone); /* takes it, and counts that */
void buddy_zone_count(struct buddy_zone *zone, int type, int64_t nr_pages);
void buddy_zone_add(struct buddy_source *b, struct buddy_zone *zone, size_t pfn, unsigned order,
		    int type, bool is_tail);
void buddy_zone_del(struct buddy_source *b, struct buddy_zone *zone, size_t pfn, unsigned order,
		    int type);
void buddy_zone_free(struct buddy_source *b, struct buddy_zone *zone, size_t pfn, unsigned order);
/* A block for this request, off its list and marked allocated, or BUDDY_NO_FRAME. */
size_t buddy_zone_take(struct buddy_source *b, struct buddy_zone *zone,
		       const struct buddy_request *r);
void buddy_pageblock_label(struct buddy_source *b, size_t pfn, int type);
/* The free blocks in the 2^order frames at pfn go to another type's lists, labels too. */
void buddy_zone_relabel(struct buddy_source *b, struct buddy_zone *zone, size_t pfn, unsigned order,
			int type);
/* Keeps the pageblock of this frame for requests that cannot wait, if there may be another. */
void buddy_highatomic_keep(struct buddy_source *b, struct buddy_zone *zone, size_t pfn);
/* Gives up one such pageblock that has a free page; true when there was one. */
bool buddy_highatomic_give_up(struct buddy_source *b, struct buddy_zone *zone, int type);
/* Without the lock: may this request go on in this zone, as far as the counts tell? */
bool buddy_zone_may_serve(const struct buddy_source *b, struct buddy_zone *zone,
			  const struct buddy_request *r);

/* ---- buddy_pcp.c; for the owner of the CPU handle ---- */

struct buddy_cpu *buddy_cpu_open(struct buddy_source *b, struct nslab_cpu *cpu);
void buddy_cpu_close(struct buddy_source *b, struct buddy_cpu *c);
/* The list that would serve this is empty; a block for the caller, the rest on the list. */
size_t buddy_pcp_refill(struct buddy_source *b, struct buddy_zone *zone, struct buddy_pcp *pcp,
			const struct buddy_request *r);
/* At least nr_pages (or all) back to the zone: oldest first, list number `index` first. */
void buddy_pcp_give(struct buddy_source *b, struct buddy_zone *zone, struct buddy_pcp *pcp,
		    unsigned index, unsigned nr_pages);
/* After a free: too many on the list, or too many large ones in a row. */
void buddy_pcp_trim(struct buddy_source *b, struct buddy_zone *zone, struct buddy_pcp *pcp,
		    unsigned index, bool is_high_order_run);

/* ---- buddy.c ---- */

extern const struct nslab_page_ops nslab_buddy_ops;

/* Every frame of a block that leaves the zone learns its node and its way to the head. */
void buddy_prepare(struct nslab_page *page, unsigned order, int node, uint8_t flags);
/* The words that the owner may use start out as zeros. */
static inline void buddy_hand_out(struct nslab_page *page)
{
	page->flags = NSLAB_PAGE_HEAD;
	page->freelist = 0;
	page->counters = 0;
	page->s = NULL;
	page->priv[0] = 0;
	page->priv[1] = 0;
}
/* A block to move something to: near this node, and not lent memory. */
struct nslab_page *buddy_alloc_target(struct buddy_source *b, int node, unsigned order);

/* ---- buddy_range.c: the calls of the table ---- */

int buddy_range_lend(struct nslab_page_source *source, int node, size_t nr_pages,
		     struct nslab_page **first);
int buddy_range_claim(struct nslab_page_source *source, struct nslab_page *first, size_t nr_pages);
void buddy_range_free(struct nslab_page_source *source, struct nslab_page *first, size_t nr_pages);
int buddy_set_mover(struct nslab_page_source *source, struct nslab_page *page,
		    struct nslab_page_mover *mover);

#endif
