/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buddy_range.c: contiguous ranges: lent to movable requests, and claimed back (for CMA).
 *
 * A lent range is cut off the end of the never used part of a node's zone; its pageblocks are
 * labelled CMA, so that only movable requests get pages of it. A claim labels the 4 MiB blocks
 * around the range ISOLATE, so that nothing more is allocated there and what is freed stays there;
 * then it walks the blocks that are left in the range and asks the owner of each to move to a block
 * elsewhere. When the range is empty its frames leave the zone as single allocated pages, and the
 * labels go back to CMA, also when the claim failed.
 *
 * The kernel finds whoever maps a page and moves it without asking. Here an owner has pointers into
 * its pages that only itself knows, so it has to register a mover (buddy_set_mover); a block
 * without one is pinned and makes the claim fail with -EBUSY, as a pinned page does in the kernel.
 *
 * Invariants: lent ranges are multiples of 4 MiB, so a block never reaches beyond one; pages of
 * lent memory are never on per-CPU lists; a mover is called under no lock of this layer but
 * claim_lock.
 *
 * Locks: zone->lock (NSLAB_RANK_ZONE). One claim at a time for each source, which the caller sees
 * to.
 *
 * Left out: ranges of ordinary memory (alloc_contig_pages), and giving a lent range back for good.
 */
#include "allocators/buddy.h"

#include <errno.h>

#define BUDDY_RANGE_RETRIES 1000 /* of one block whose owner is about to free it */

/* A claim and the 4 MiB blocks around it. */
struct buddy_range {
	struct buddy_zone *zone;
	size_t pfn, end;
	size_t low, high;
};

int buddy_range_lend(struct nslab_page_source *source, int node, size_t nr_pages,
		     struct nslab_page **first)
{
	struct buddy_source *b = buddy_source_of(source);
	struct buddy_zone *zone;
	int rc = -ENOMEM;

	if (node < 0 || node >= b->nr_nodes || !nr_pages || nr_pages % BUDDY_MAX_FRAMES)
		return -EINVAL;
	zone = &b->zones[node];
	buddy_zone_lock(zone);
	if (zone->end - zone->fresh < nr_pages)
		goto out_unlock;
	zone->end -= nr_pages;
	buddy_zone_count(zone, zone->first_type, -(int64_t)nr_pages);
	for (size_t pfn = zone->end; pfn < zone->end + nr_pages; pfn += BUDDY_MAX_FRAMES) {
		for (size_t i = 0; i < BUDDY_MAX_FRAMES; i += BUDDY_BLOCK_FRAMES)
			buddy_pageblock_label(b, pfn + i, NSLAB_MIGRATE_CMA);
		buddy_zone_add(b, zone, pfn, NSLAB_MAX_ORDER, NSLAB_MIGRATE_CMA, true);
	}
	buddy_zone_count(zone, NSLAB_MIGRATE_CMA, (int64_t)nr_pages);
	*first = &b->pages[zone->end];
	rc = 0;
out_unlock:
	nslab_lock_release(&zone->lock);
	return rc;
}

int buddy_set_mover(struct nslab_page_source *source, struct nslab_page *page,
		    struct nslab_page_mover *mover)
{
	struct buddy_source *b = buddy_source_of(source);
	size_t pfn = buddy_pfn(b, page);
	struct buddy_zone *zone = buddy_zone_of(b, pfn);
	int type = buddy_type_at(b, pfn);
	int rc = 0;

	/* what is not lent is never claimed */
	if (type != NSLAB_MIGRATE_CMA && type != NSLAB_MIGRATE_ISOLATE)
		return 0;
	buddy_zone_lock(zone);
	if (!(b->frame_state[pfn] & BUDDY_STATE_ALLOCATED)) {
		rc = -EINVAL;
		goto out_unlock;
	}
	page->priv[1] = (uintptr_t)mover;
	b->frame_state[pfn] = (uint8_t)(b->frame_state[pfn] | BUDDY_STATE_MOVER);
out_unlock:
	nslab_lock_release(&zone->lock);
	return rc;
}

/* ---- one claim ---- */

static int buddy_range_of(struct buddy_source *b, struct nslab_page *first, size_t nr_pages,
			  struct buddy_range *range)
{
	const size_t mask = BUDDY_MAX_FRAMES - 1;

	range->pfn = buddy_pfn(b, first);
	range->end = range->pfn + nr_pages;
	range->low = range->pfn & ~mask;
	range->high = (range->end + mask) & ~mask;
	range->zone = buddy_zone_of(b, range->pfn);
	if (!nr_pages || range->high > range->zone->stop)
		return -EINVAL;
	for (size_t pfn = range->low; pfn < range->high; pfn += BUDDY_BLOCK_FRAMES) {
		if (buddy_type_at(b, pfn) != NSLAB_MIGRATE_CMA)
			return -EINVAL;
	}
	return 0;
}

static void buddy_range_label(struct buddy_source *b, const struct buddy_range *range, int type)
{
	buddy_zone_lock(range->zone);
	for (size_t pfn = range->low; pfn < range->high; pfn += BUDDY_MAX_FRAMES)
		buddy_zone_relabel(b, range->zone, pfn, NSLAB_MAX_ORDER, type);
	nslab_lock_release(&range->zone->lock);
}

/* First block at or after *pfn that is in use and reaches into the range. Under the lock. */
static bool buddy_range_next(const struct buddy_source *b, const struct buddy_range *range,
			     size_t *pfn, unsigned *state)
{
	size_t i = *pfn;

	/* what stood here may have merged with what is before it */
	if (!b->frame_state[i])
		i &= ~(BUDDY_MAX_FRAMES - 1);
	while (i < range->end) {
		size_t nr = (size_t)1 << (b->frame_state[i] & BUDDY_STATE_ORDER);

		if (i + nr > range->pfn && b->frame_state[i] & BUDDY_STATE_ALLOCATED) {
			*pfn = i;
			*state = b->frame_state[i];
			return true;
		}
		i += nr;
	}
	return false;
}

/* 0: moved, or gone meanwhile. The block at pfn is in use and has a mover. */
static int buddy_range_move(struct buddy_source *b, struct buddy_zone *zone, size_t pfn,
			    unsigned order, struct nslab_page_mover *mover)
{
	struct nslab_page *from = &b->pages[pfn];
	struct nslab_page *to = buddy_alloc_target(b, zone->node, order);
	struct nslab_page *given_up;
	struct buddy_zone *its_zone;
	int rc;

	if (!to)
		return -ENOMEM;
	rc = mover->move(mover, from, to);
	/* with -ENOENT the old block is the owner's to free, and the walk will see it go */
	given_up = rc ? to : from;
	its_zone = buddy_zone_of(b, buddy_pfn(b, given_up));
	buddy_zone_lock(its_zone);
	buddy_zone_free(b, its_zone, buddy_pfn(b, given_up), order);
	nslab_lock_release(&its_zone->lock);
	return rc && rc != -ENOENT ? -EBUSY : 0;
}

static int buddy_range_empty(struct buddy_source *b, const struct buddy_range *range)
{
	size_t pfn = range->low, last = SIZE_MAX;
	unsigned state, nr_times = 0;
	int rc = 0;

	buddy_zone_lock(range->zone);
	while (!rc && buddy_range_next(b, range, &pfn, &state)) {
		struct nslab_page_mover *mover = NULL;

		if (state & BUDDY_STATE_MOVER)
			mover = (struct nslab_page_mover *)(uintptr_t)b->pages[pfn].priv[1];
		nr_times = pfn == last ? nr_times + 1 : 0;
		last = pfn;
		if (!mover || nr_times > BUDDY_RANGE_RETRIES) {
			rc = -EBUSY;
			break;
		}
		nslab_lock_release(&range->zone->lock);
		if (nr_times)
			sched_yield();
		rc = buddy_range_move(b, range->zone, pfn, state & BUDDY_STATE_ORDER, mover);
		buddy_zone_lock(range->zone);
	}
	nslab_lock_release(&range->zone->lock);
	return rc;
}

/* Of a free block of the range: frames from .. to - 1 go back to the lists. */
static void buddy_range_put_back(struct buddy_source *b, struct buddy_zone *zone, size_t from,
				 size_t to)
{
	while (from < to) {
		unsigned order = nslab_memblock_order(from, to);

		buddy_zone_add(b, zone, from, order, NSLAB_MIGRATE_ISOLATE, true);
		from += (size_t)1 << order;
	}
}

/* The isolated range holds nothing but free blocks: its frames become pages of order 0. */
static void buddy_range_take(struct buddy_source *b, const struct buddy_range *range)
{
	struct buddy_zone *zone = range->zone;

	buddy_zone_lock(zone);
	for (size_t i = range->low; i < range->end;) {
		unsigned order = b->frame_state[i] & BUDDY_STATE_ORDER;
		size_t next = i + ((size_t)1 << order);

		if (next > range->pfn) {
			buddy_zone_del(b, zone, i, order, NSLAB_MIGRATE_ISOLATE);
			buddy_range_put_back(b, zone, i, range->pfn);
			buddy_range_put_back(b, zone, range->end, next);
		}
		i = next;
	}
	for (size_t i = range->pfn; i < range->end; i++)
		b->frame_state[i] = BUDDY_STATE_ALLOCATED | BUDDY_STATE_MOVABLE;
	zone->nr_alloc[0] += range->end - range->pfn;
	nslab_lock_release(&zone->lock);
	for (size_t i = range->pfn; i < range->end; i++) {
		buddy_prepare(&b->pages[i], 0, zone->node, 0);
		buddy_hand_out(&b->pages[i]);
	}
}

int buddy_range_claim(struct nslab_page_source *source, struct nslab_page *first, size_t nr_pages)
{
	struct buddy_source *b = buddy_source_of(source);
	struct buddy_range range;
	int rc;

	nslab_lock_acquire(&b->claim_lock);
	rc = buddy_range_of(b, first, nr_pages, &range);
	if (rc)
		goto out_unlock;
	buddy_range_label(b, &range, NSLAB_MIGRATE_ISOLATE);
	rc = buddy_range_empty(b, &range);
	if (!rc)
		buddy_range_take(b, &range);
	buddy_range_label(b, &range, NSLAB_MIGRATE_CMA);
out_unlock:
	nslab_lock_release(&b->claim_lock);
	return rc;
}

void buddy_range_free(struct nslab_page_source *source, struct nslab_page *first, size_t nr_pages)
{
	struct buddy_source *b = buddy_source_of(source);
	size_t pfn = buddy_pfn(b, first);
	struct buddy_zone *zone = buddy_zone_of(b, pfn);

	buddy_zone_lock(zone);
	for (size_t i = pfn; i < pfn + nr_pages; i++)
		buddy_zone_free(b, zone, i, 0);
	nslab_lock_release(&zone->lock);
}
