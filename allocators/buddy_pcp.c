/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buddy_pcp.c: the slow half of the per-CPU page lists: refill, give back, come and go.
 *
 * A CPU has one set of lists for each zone: orders 0..3 by three types, and the order of a
 * pageblock by one type (Linux 6.1) or two (6.12). They are refilled and given back in batches.
 * In 6.1 the mark `high` at which pages go back is fixed, a refill is one batch, and what goes back
 * doubles with every time in a row; freeing a large block right after pages went back empties
 * everything. From 6.7 on `high` floats between two bounds, a refill doubles with every refill in a
 * row, and what goes back follows the number of pages freed in a row.
 *
 * A CPU handle is used by one thread at a time and nobody else touches its lists, so they need no
 * lock; the kernel's lock on them exists for remote draining, which is left out here. For the same
 * reason pages of lent memory and of the reserve for large requests never stand on these lists:
 * whoever wants the range could not get them out.
 *
 * Locks: zone->lock and source->cpus_lock (both NSLAB_RANK_ZONE), never both at once.
 *
 * Left out: the decay of `high` by time and under reclaim, and draining of lists of remote nodes.
 */
#include "allocators/buddy.h"

#include <stdlib.h>
#include <string.h>

static void buddy_pcp_init(const struct buddy_source *b, const struct buddy_zone *zone,
			   struct buddy_pcp *pcp)
{
	bool is_old = b->generation == BUDDY_LINUX_6_1;

	for (int i = 0; i < BUDDY_PCP_LISTS; i++)
		nslab_list_init(&pcp->list[i]);
	pcp->high = zone->high_min;
	pcp->row_max = is_old ? 0 : zone->batch << BUDDY_PCP_SCALE_MAX;
	pcp->row_min = is_old ? 1 : zone->batch;
	pcp->ignores_last = is_old;
	pcp->was_high_order = is_old;
}

struct buddy_cpu *buddy_cpu_open(struct buddy_source *b, struct nslab_cpu *cpu)
{
	size_t bytes = sizeof(struct buddy_cpu) + (size_t)b->nr_zones * sizeof(struct buddy_pcp);
	struct buddy_cpu *c;

	bytes = (bytes + NSLAB_CACHE_LINE - 1) / NSLAB_CACHE_LINE * NSLAB_CACHE_LINE;
	c = aligned_alloc(NSLAB_CACHE_LINE, bytes);
	if (!c)
		return NULL;
	memset(c, 0, bytes);
	for (int i = 0; i < b->nr_zones; i++)
		buddy_pcp_init(b, &b->zones[i], &c->pcp[i]);
	nslab_lock_acquire(&b->cpus_lock);
	nslab_list_add_tail(&c->link, &b->cpus);
	nslab_lock_release(&b->cpus_lock);
	cpu->page_state = c;
	return c;
}

void buddy_cpu_close(struct buddy_source *b, struct buddy_cpu *c)
{
	for (int i = 0; i < b->nr_zones; i++) {
		struct buddy_zone *zone = &b->zones[i];
		struct buddy_pcp *pcp = &c->pcp[i];

		buddy_pcp_give(b, zone, pcp, 0, buddy_pcp_count(pcp));
		nslab_lock_acquire(&zone->lock);
		for (int order = 0; order < BUDDY_NR_ORDERS; order++)
			zone->nr_alloc[order] += pcp->nr_alloc[order];
		nslab_lock_release(&zone->lock);
	}
	nslab_lock_acquire(&b->cpus_lock);
	nslab_list_del(&c->link);
	nslab_lock_release(&b->cpus_lock);
	free(c);
}

/* ---- refill ---- */

/* Blocks to fetch at once: more with every refill in a row, within what the list may hold. */
static unsigned buddy_refill_size(const struct buddy_source *b, const struct buddy_zone *zone,
				  struct buddy_pcp *pcp, unsigned order)
{
	unsigned nr = zone->batch << (order ? 0 : pcp->refill_scale);
	unsigned room;

	if (b->generation == BUDDY_LINUX_6_1)
		return zone->batch > 1 ? buddy_max(zone->batch >> order, 2) : 1;
	pcp->high = buddy_min(pcp->high + nr, zone->high_max);
	if (order)
		return buddy_max(nr >> order, 2);
	room = zone->batch;
	if (pcp->high > buddy_pcp_count(pcp) + 2 * zone->batch)
		room = pcp->high - buddy_pcp_count(pcp) - zone->batch;
	if (nr <= room && pcp->refill_scale < BUDDY_PCP_SCALE_MAX)
		pcp->refill_scale++;
	return buddy_min(nr, room);
}

/* nr more blocks for the list, as far as there are any. */
static void buddy_pcp_fill(struct buddy_source *b, struct buddy_zone *zone, struct buddy_pcp *pcp,
			   const struct buddy_request *r, unsigned nr, struct nslab_list *list)
{
	struct buddy_request more = *r;

	more.may_use_cma = false;
	more.rights = 0;
	for (; nr; nr--) {
		size_t pfn = buddy_zone_take(b, zone, &more);

		if (pfn == BUDDY_NO_FRAME)
			return;
		nslab_list_add_tail(&b->pages[pfn].list, list);
		buddy_pcp_count_add(pcp, 1u << r->order);
	}
}

size_t buddy_pcp_refill(struct buddy_source *b, struct buddy_zone *zone, struct buddy_pcp *pcp,
			const struct buddy_request *r)
{
	struct nslab_list *list = &pcp->list[buddy_pcp_index(b, r->order, r->type)];
	size_t first;

	if (!buddy_zone_may_serve(b, zone, r))
		return BUDDY_NO_FRAME;
	buddy_zone_lock(zone);
	first = buddy_zone_take(b, zone, r);
	if (first != BUDDY_NO_FRAME && buddy_type_at(b, first) < BUDDY_PCP_TYPES &&
	    !r->is_highatomic)
		buddy_pcp_fill(b, zone, pcp, r, buddy_refill_size(b, zone, pcp, r->order) - 1,
			       list);
	nslab_lock_release(&zone->lock);
	if (first == BUDDY_NO_FRAME)
		return first;
	nslab_list_for_each (pos, list)
		buddy_prepare(nslab_list_entry(pos, struct nslab_page, list), r->order, zone->node,
			      NSLAB_PAGE_PCP);
	pcp->nr_freed_in_row >>= 1;
	pcp->nr_alloc[r->order]++;
	return first;
}

/* ---- give back ---- */

void buddy_pcp_give(struct buddy_source *b, struct buddy_zone *zone, struct buddy_pcp *pcp,
		    unsigned index, unsigned nr_pages)
{
	unsigned left = buddy_pcp_count(pcp) > nr_pages ? buddy_pcp_count(pcp) - nr_pages : 0;

	if (buddy_pcp_count(pcp) == left)
		return;
	buddy_zone_lock(zone);
	for (; buddy_pcp_count(pcp) > left; index = (index + 1) % BUDDY_PCP_LISTS) {
		struct nslab_list *list = &pcp->list[index];
		unsigned order = buddy_pcp_order(index);

		while (buddy_pcp_count(pcp) > left && !nslab_list_is_empty(list)) {
			struct nslab_list *oldest = list->prev;

			nslab_list_del(oldest);
			buddy_pcp_count_add(pcp, -(1u << order));
			buddy_zone_free(
				b, zone,
				buddy_pfn(b, nslab_list_entry(oldest, struct nslab_page, list)),
				order);
		}
	}
	nslab_lock_release(&zone->lock);
}

/* Pages to give back now: none below the mark, else as many as were freed in a row. */
static unsigned buddy_surplus(const struct buddy_zone *zone, struct buddy_pcp *pcp,
			      bool is_high_order_run)
{
	unsigned most = zone->batch << BUDDY_PCP_SCALE_MAX;
	unsigned high = pcp->high;
	unsigned nr;

	if (is_high_order_run) {
		pcp->high = high > most + zone->high_min ? high - most : zone->high_min;
		return buddy_min(buddy_pcp_count(pcp), most);
	}
	if (buddy_pcp_count(pcp) < high)
		return 0;
	nr = pcp->nr_freed_in_row + zone->batch;
	pcp->high = buddy_max(high, buddy_min(nr, zone->high_max));
	if (high < 2 * zone->batch)
		return zone->batch;
	return buddy_max(zone->batch, buddy_min(pcp->nr_freed_in_row, high - zone->batch));
}

/* 6.1: twice as many as last time, while the count of times is not halved by allocations. */
static unsigned buddy_surplus_old(const struct buddy_zone *zone, struct buddy_pcp *pcp,
				  bool is_high_order_run)
{
	unsigned most = pcp->high > 2 * zone->batch ? pcp->high - zone->batch : zone->batch;
	unsigned nr = zone->batch << pcp->nr_freed_in_row;

	if (is_high_order_run)
		return buddy_pcp_count(pcp);
	if (buddy_pcp_count(pcp) < pcp->high)
		return 0;
	if (nr < most && pcp->nr_freed_in_row < BUDDY_PCP_SCALE_MAX)
		pcp->nr_freed_in_row++;
	return buddy_min(nr, most);
}

void buddy_pcp_trim(struct buddy_source *b, struct buddy_zone *zone, struct buddy_pcp *pcp,
		    unsigned index, bool is_high_order_run)
{
	unsigned nr;

	if (b->generation == BUDDY_LINUX_6_1)
		nr = buddy_surplus_old(zone, pcp, is_high_order_run);
	else
		nr = buddy_surplus(zone, pcp, is_high_order_run);
	if (nr)
		buddy_pcp_give(b, zone, pcp, index, nr);
}
