/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buddy_zone.c: the free lists of one zone, by order and by type.
 *
 * A request takes the first block of the smallest order that suffices among the blocks of its own
 * type, and gives the upper halves back while splitting. When its type has none, it looks at other
 * types, in an order that depends on its own: from the largest order down for a block whose whole
 * pageblock it may claim, and if nothing could be claimed, for one block of the smallest sufficient
 * order, which it takes without changing the pageblock's label. A pageblock is claimed when the
 * block is that large, or when at least half of it is free or in use by compatible requests; its
 * free blocks then change lists. A freed block merges with its buddy (frame number XOR its size)
 * while that is free too, and goes to the list of its pageblock's label.
 *
 * A zone starts as whole 4 MiB blocks that were never used: they are not on a list but above the
 * mark `fresh`, as if they stood at the tail of the largest list of type first_type, in address
 * order, so that opening a huge arena touches nothing.
 *
 * Invariants, under zone->lock: a free block is on the list of its order and of the label of all
 * its pageblocks, and frame_state of its first frame says so; frame_state of any other frame of a
 * free block is 0; nr_free counts all free blocks except isolated ones.
 *
 * Locks: all functions but buddy_zone_lock and buddy_zone_may_serve are called under zone->lock
 * (NSLAB_RANK_ZONE).
 *
 * Left out: compaction, and what the kernel knows of pages on the LRU: a page counts as movable
 * when it left the zone for a movable request, which a page that was stolen alone and came back
 * through a per-CPU list may not be.
 */
#include "allocators/buddy.h"

#define BUDDY_RESERVE_SHARE 100 /* of a zone may be kept for large requests that cannot wait */
#define BUDDY_CLAIM_ORDER   (NSLAB_PAGEBLOCK_ORDER / 2)

static const int buddy_fallbacks[BUDDY_PCP_TYPES][2] = {
	[NSLAB_MIGRATE_UNMOVABLE] = {NSLAB_MIGRATE_RECLAIMABLE, NSLAB_MIGRATE_MOVABLE},
	[NSLAB_MIGRATE_MOVABLE] = {NSLAB_MIGRATE_RECLAIMABLE, NSLAB_MIGRATE_UNMOVABLE},
	[NSLAB_MIGRATE_RECLAIMABLE] = {NSLAB_MIGRATE_UNMOVABLE, NSLAB_MIGRATE_MOVABLE},
};

void buddy_zone_lock(struct buddy_zone *zone)
{
	nslab_lock_acquire(&zone->lock);
	zone->nr_lock++;
}

/* The holder of the lock is the only writer: a load and a store do. */
static void buddy_counter_add(_Atomic uint64_t *counter, int64_t nr)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + (uint64_t)nr, memory_order_relaxed);
}

void buddy_zone_count(struct buddy_zone *zone, int type, int64_t nr_pages)
{
	if (type == NSLAB_MIGRATE_ISOLATE)
		return;
	buddy_counter_add(&zone->nr_free, nr_pages);
	if (type == NSLAB_MIGRATE_CMA)
		buddy_counter_add(&zone->nr_free_cma, nr_pages);
	else if (type == NSLAB_MIGRATE_HIGHATOMIC)
		buddy_counter_add(&zone->nr_free_highatomic, nr_pages);
}

void buddy_zone_add(struct buddy_source *b, struct buddy_zone *zone, size_t pfn, unsigned order,
		    int type, bool is_tail)
{
	struct nslab_page *page = &b->pages[pfn];

	page->flags = NSLAB_PAGE_FREE;
	page->order = (uint8_t)order;
	b->frame_state[pfn] = (uint8_t)(BUDDY_STATE_FREE | order);
	zone->nr_blocks[order][type]++;
	if (is_tail)
		nslab_list_add_tail(&page->list, &zone->free[order][type]);
	else
		nslab_list_add(&page->list, &zone->free[order][type]);
}

void buddy_zone_del(struct buddy_source *b, struct buddy_zone *zone, size_t pfn, unsigned order,
		    int type)
{
	struct nslab_page *page = &b->pages[pfn];

	page->flags = 0;
	b->frame_state[pfn] = 0;
	zone->nr_blocks[order][type]--;
	nslab_list_del(&page->list);
}

void buddy_pageblock_label(struct buddy_source *b, size_t pfn, int type)
{
	atomic_store_explicit(&b->pageblock_type[pfn >> NSLAB_PAGEBLOCK_ORDER], (uint8_t)type,
			      memory_order_relaxed);
}

/* ---- freeing ---- */

/* The merge above this block would be complete once this block's buddy is freed. */
static bool buddy_merges_soon(const struct buddy_source *b, size_t pfn, unsigned order)
{
	size_t parent = pfn & ~((size_t)1 << order);

	return order < NSLAB_PAGEBLOCK_ORDER &&
	       buddy_is_free(b, parent ^ (size_t)2 << order, order + 1);
}

/* Two whole pageblocks become one block only when their labels agree or may be made to. */
static bool buddy_may_merge_above(struct buddy_source *b, size_t buddy, int type, int *buddy_type)
{
	*buddy_type = buddy_type_at(b, buddy);
	if (*buddy_type == type)
		return true;
	if (*buddy_type >= BUDDY_PCP_TYPES || type >= BUDDY_PCP_TYPES)
		return false;
	buddy_pageblock_label(b, buddy, type);
	return true;
}

void buddy_zone_free(struct buddy_source *b, struct buddy_zone *zone, size_t pfn, unsigned order)
{
	int type = buddy_type_at(b, pfn);

	b->pages[pfn].flags = 0;
	b->frame_state[pfn] = 0;
	buddy_zone_count(zone, type, (int64_t)1 << order);
	while (order < NSLAB_MAX_ORDER) {
		size_t buddy = pfn ^ (size_t)1 << order;
		int buddy_type = type;

		if (!buddy_is_free(b, buddy, order))
			break;
		if (order >= NSLAB_PAGEBLOCK_ORDER &&
		    !buddy_may_merge_above(b, buddy, type, &buddy_type))
			break;
		buddy_zone_del(b, zone, buddy, order, buddy_type);
		pfn &= buddy;
		order++;
	}
	buddy_zone_add(b, zone, pfn, order, type, buddy_merges_soon(b, pfn, order));
}

/* ---- taking a block of one type ---- */

static bool buddy_zone_has_fresh(const struct buddy_zone *zone, int type)
{
	return type == zone->first_type && zone->fresh != zone->end;
}

static bool buddy_zone_has(const struct buddy_zone *zone, unsigned order, int type)
{
	return !nslab_list_is_empty(&zone->free[order][type]) ||
	       (order == NSLAB_MAX_ORDER && buddy_zone_has_fresh(zone, type));
}

/* The zone has one. */
static size_t buddy_zone_pop(struct buddy_source *b, struct buddy_zone *zone, unsigned order,
			     int type)
{
	size_t pfn;

	if (!nslab_list_is_empty(&zone->free[order][type])) {
		pfn = buddy_pfn(
			b, nslab_list_first(&zone->free[order][type], struct nslab_page, list));
		buddy_zone_del(b, zone, pfn, order, type);
		return pfn;
	}
	pfn = zone->fresh;
	zone->fresh += BUDDY_MAX_FRAMES;
	return pfn;
}

/* What is above `order` in this block of order `from` goes to the lists of `type`. */
static void buddy_zone_split(struct buddy_source *b, struct buddy_zone *zone, size_t pfn,
			     unsigned from, unsigned order, int type)
{
	while (from > order) {
		from--;
		buddy_zone_add(b, zone, pfn + ((size_t)1 << from), from, type, false);
	}
	buddy_zone_count(zone, type, -((int64_t)1 << order));
}

static size_t buddy_zone_take_type(struct buddy_source *b, struct buddy_zone *zone, unsigned order,
				   int type)
{
	for (unsigned o = order; o < BUDDY_NR_ORDERS; o++) {
		size_t pfn;

		if (!buddy_zone_has(zone, o, type))
			continue;
		pfn = buddy_zone_pop(b, zone, o, type);
		buddy_zone_split(b, zone, pfn, o, order, type);
		return pfn;
	}
	return BUDDY_NO_FRAME;
}

/* ---- taking a block of another type ---- */

/* First other type that has a block of exactly this order, or -1. */
static int buddy_zone_other(const struct buddy_zone *zone, unsigned order, int type)
{
	for (int i = 0; i < 2; i++) {
		if (buddy_zone_has(zone, order, buddy_fallbacks[type][i]))
			return buddy_fallbacks[type][i];
	}
	return -1;
}

/* Frames of this pageblock that are free, and that left for movable requests. */
static void buddy_pageblock_survey(const struct buddy_source *b, size_t block, size_t *nr_free,
				   size_t *nr_movable)
{
	*nr_free = *nr_movable = 0;
	for (size_t i = 0; i < BUDDY_BLOCK_FRAMES;) {
		unsigned state = b->frame_state[block + i];
		size_t nr = (size_t)1 << (state & BUDDY_STATE_ORDER);

		if (state & BUDDY_STATE_FREE)
			*nr_free += nr;
		else if (state & BUDDY_STATE_MOVABLE)
			*nr_movable += nr;
		i += nr;
	}
}

static bool buddy_pageblock_is_mostly(const struct buddy_source *b, size_t block, int label,
				      int type)
{
	size_t nr_free, nr_movable, nr_alike = 0;

	buddy_pageblock_survey(b, block, &nr_free, &nr_movable);
	if (type == NSLAB_MIGRATE_MOVABLE)
		nr_alike = nr_movable;
	else if (label == NSLAB_MIGRATE_MOVABLE)
		nr_alike = BUDDY_BLOCK_FRAMES - nr_free - nr_movable;
	return nr_free + nr_alike >= BUDDY_BLOCK_FRAMES / 2;
}

void buddy_zone_relabel(struct buddy_source *b, struct buddy_zone *zone, size_t pfn, unsigned order,
			int type)
{
	size_t end = pfn + ((size_t)1 << order);

	for (size_t i = pfn; i < end;) {
		unsigned state = b->frame_state[i];
		unsigned o = state & BUDDY_STATE_ORDER;

		if (state & BUDDY_STATE_FREE) {
			int from = buddy_type_at(b, i);

			buddy_zone_del(b, zone, i, o, from);
			buddy_zone_count(zone, from, -((int64_t)1 << o));
			buddy_zone_add(b, zone, i, o, type, false);
			buddy_zone_count(zone, type, (int64_t)1 << o);
		}
		i += (size_t)1 << o;
	}
	for (size_t i = pfn; i < end; i += BUDDY_BLOCK_FRAMES)
		buddy_pageblock_label(b, i, type);
}

/* A mixed pageblock is a reason to keep more free, so that mixing becomes rarer. */
static void buddy_zone_boost(struct buddy_zone *zone)
{
	uint64_t most = zone->marks.high * 3 / 2;
	uint64_t boost = atomic_load_explicit(&zone->boost, memory_order_relaxed);

	if (zone->nr_managed < 4 * BUDDY_BLOCK_FRAMES)
		return;
	most = most < BUDDY_BLOCK_FRAMES ? BUDDY_BLOCK_FRAMES : most;
	boost += BUDDY_BLOCK_FRAMES;
	atomic_store_explicit(&zone->boost, boost < most ? boost : most, memory_order_relaxed);
}

/* The zone has a block of this order and type. */
static size_t buddy_zone_claim(struct buddy_source *b, struct buddy_zone *zone, unsigned found,
			       int label, unsigned order, int type)
{
	size_t pfn;

	if (found >= NSLAB_PAGEBLOCK_ORDER) {
		int64_t nr = (int64_t)1 << found;

		pfn = buddy_zone_pop(b, zone, found, label);
		for (size_t i = 0; i < (size_t)nr; i += BUDDY_BLOCK_FRAMES)
			buddy_pageblock_label(b, pfn + i, type);
		buddy_zone_count(zone, label, -nr);
		buddy_zone_count(zone, type, nr);
		buddy_zone_split(b, zone, pfn, found, order, type);
		return pfn;
	}
	buddy_zone_boost(zone);
	pfn = buddy_pfn(b, nslab_list_first(&zone->free[found][label], struct nslab_page, list)) &
	      ~(BUDDY_BLOCK_FRAMES - 1);
	if (!buddy_pageblock_is_mostly(b, pfn, label, type))
		return BUDDY_NO_FRAME;
	buddy_zone_relabel(b, zone, pfn, NSLAB_PAGEBLOCK_ORDER, type);
	return buddy_zone_take_type(b, zone, order, type);
}

static size_t buddy_zone_claim_any(struct buddy_source *b, struct buddy_zone *zone, unsigned order,
				   int type)
{
	unsigned least = type == NSLAB_MIGRATE_MOVABLE ? BUDDY_CLAIM_ORDER : 0;

	least = buddy_max(least, order);
	for (unsigned o = NSLAB_MAX_ORDER + 1; o-- > least;) {
		int label = buddy_zone_other(zone, o, type);
		size_t pfn;

		if (label < 0)
			continue;
		pfn = buddy_zone_claim(b, zone, o, label, order, type);
		if (pfn != BUDDY_NO_FRAME)
			return pfn;
	}
	return BUDDY_NO_FRAME;
}

static size_t buddy_zone_take_other(struct buddy_source *b, struct buddy_zone *zone, unsigned order,
				    int type)
{
	size_t pfn = buddy_zone_claim_any(b, zone, order, type);

	if (pfn != BUDDY_NO_FRAME) {
		zone->nr_claimed++;
		zone->nr_extfrag++;
		return pfn;
	}
	for (unsigned o = order; o < BUDDY_NR_ORDERS; o++) {
		int label = buddy_zone_other(zone, o, type);

		if (label < 0)
			continue;
		zone->nr_extfrag++;
		pfn = buddy_zone_pop(b, zone, o, label);
		buddy_zone_split(b, zone, pfn, o, order, label);
		return pfn;
	}
	return BUDDY_NO_FRAME;
}

/* ---- requests ---- */

/* Lent memory is used up first once most of what is free is lent. */
static bool buddy_zone_prefers_cma(struct buddy_zone *zone)
{
	uint64_t nr = atomic_load_explicit(&zone->nr_free, memory_order_relaxed);

	return atomic_load_explicit(&zone->nr_free_cma, memory_order_relaxed) > nr / 2;
}

static size_t buddy_zone_choose(struct buddy_source *b, struct buddy_zone *zone,
				const struct buddy_request *r)
{
	size_t pfn = BUDDY_NO_FRAME;

	if (r->is_highatomic)
		pfn = buddy_zone_take_type(b, zone, r->order, NSLAB_MIGRATE_HIGHATOMIC);
	if (pfn == BUDDY_NO_FRAME && r->may_use_cma && buddy_zone_prefers_cma(zone))
		pfn = buddy_zone_take_type(b, zone, r->order, NSLAB_MIGRATE_CMA);
	if (pfn == BUDDY_NO_FRAME)
		pfn = buddy_zone_take_type(b, zone, r->order, r->type);
	if (pfn == BUDDY_NO_FRAME && r->may_use_cma)
		pfn = buddy_zone_take_type(b, zone, r->order, NSLAB_MIGRATE_CMA);
	if (pfn == BUDDY_NO_FRAME && b->is_grouped)
		pfn = buddy_zone_take_other(b, zone, r->order, r->type);
	if (pfn == BUDDY_NO_FRAME && r->rights & NSLAB_ZONE_NON_BLOCK)
		pfn = buddy_zone_take_type(b, zone, r->order, NSLAB_MIGRATE_HIGHATOMIC);
	return pfn;
}

size_t buddy_zone_take(struct buddy_source *b, struct buddy_zone *zone,
		       const struct buddy_request *r)
{
	size_t pfn = buddy_zone_choose(b, zone, r);
	unsigned state = BUDDY_STATE_ALLOCATED | r->order;

	if (pfn == BUDDY_NO_FRAME)
		return pfn;
	if (r->type == NSLAB_MIGRATE_MOVABLE)
		state |= BUDDY_STATE_MOVABLE;
	b->frame_state[pfn] = (uint8_t)state;
	return pfn;
}

bool buddy_zone_may_serve(const struct buddy_source *b, struct buddy_zone *zone,
			  const struct buddy_request *r)
{
	uint64_t nr = atomic_load_explicit(&zone->nr_free, memory_order_relaxed);
	uint64_t floor = ((uint64_t)1 << r->order) - 1;
	unsigned rights = r->at_low ? 0 : r->rights;
	uint64_t mark = r->at_low ? zone->marks.low : zone->marks.min;

	if (!b->has_marks || rights & NSLAB_ZONE_NO_MARK)
		return nr > floor;
	if (!(rights & (NSLAB_ZONE_HIGH | NSLAB_ZONE_NON_BLOCK)))
		floor += atomic_load_explicit(&zone->nr_free_highatomic, memory_order_relaxed);
	if (!r->may_use_cma)
		floor += atomic_load_explicit(&zone->nr_free_cma, memory_order_relaxed);
	if (!r->is_dma)
		floor += zone->reserve;
	mark += atomic_load_explicit(&zone->boost, memory_order_relaxed);
	return nr > floor + nslab_zone_floor(mark, rights);
}

/* ---- the reserve for large requests that cannot wait ---- */

void buddy_highatomic_keep(struct buddy_source *b, struct buddy_zone *zone, size_t pfn)
{
	uint64_t most = zone->nr_managed / BUDDY_RESERVE_SHARE;

	if (most < BUDDY_BLOCK_FRAMES)
		return;
	most = (most + BUDDY_BLOCK_FRAMES - 1) & ~(uint64_t)(BUDDY_BLOCK_FRAMES - 1);
	if (zone->nr_highatomic >= most || buddy_type_at(b, pfn) >= BUDDY_PCP_TYPES ||
	    (b->frame_state[pfn] & BUDDY_STATE_ORDER) > NSLAB_PAGEBLOCK_ORDER)
		return;
	buddy_zone_relabel(b, zone, pfn & ~(BUDDY_BLOCK_FRAMES - 1), NSLAB_PAGEBLOCK_ORDER,
			   NSLAB_MIGRATE_HIGHATOMIC);
	zone->nr_highatomic += BUDDY_BLOCK_FRAMES;
}

bool buddy_highatomic_give_up(struct buddy_source *b, struct buddy_zone *zone, int type)
{
	for (unsigned o = 0; o < BUDDY_NR_ORDERS; o++) {
		struct nslab_list *list = &zone->free[o][NSLAB_MIGRATE_HIGHATOMIC];
		unsigned order = buddy_max(o, NSLAB_PAGEBLOCK_ORDER);
		size_t pfn;

		if (nslab_list_is_empty(list))
			continue;
		pfn = buddy_pfn(b, nslab_list_first(list, struct nslab_page, list));
		pfn &= ~(((size_t)1 << order) - 1);
		buddy_zone_relabel(b, zone, pfn, order, type);
		zone->nr_highatomic -= (uint64_t)1 << order;
		return true;
	}
	return false;
}
