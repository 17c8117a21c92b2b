/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buddy.c: a node-local binary buddy allocator with per-CPU page lists (page plug-in "buddy").
 *
 * Each arena node is one zone ("Normal"); the first 16 MiB of node 0 are a zone of their own
 * ("DMA") for requests with __GFP_DMA, which others get only when the rest of the node is used up.
 * A zone has free lists by order and by type (buddy_zone.c). The type comes from the request, so
 * that pages which can be moved or given up do not mix with those that stay. Blocks of orders 0..3
 * and 9 are cached per CPU and zone (buddy_pcp.c); these lists hang at cpu->page_state, and a
 * request that finds a block there asks nobody else. This file has that fast path and what follows
 * when it fails: the zones of the node, then of other nodes by distance, first above the low
 * watermark, then down to what the request has a right to; then once more after the caller's own
 * lists were drained; and once more without the reserve for large requests that cannot wait, when
 * the caller may sleep.
 *
 * There is no reclaim: a request that may sleep fails where the kernel would begin to reclaim, and
 * a boost of the watermarks lasts until the first request that it sends to the slow path.
 *
 * Whether a frame heads a free block is kept in `frame_state`, one byte for each frame, and not in
 * its record: a neighbour that merges reads it under the zone lock, while the owner of an allocated
 * block writes its record without any.
 *
 * Invariants: flags are non-zero only in the head record of a block; a block of order o starts at a
 * multiple of 2^o frames; cpu->page_state is NULL unless that CPU has lists.
 *
 * Locks: zone->lock (NSLAB_RANK_ZONE) for its lists, counters, frame_state and the labels of its
 * pageblocks, which are read without it; source->cpus_lock (NSLAB_RANK_ZONE) for the list of
 * per-CPU states. Never two of them at once.
 *
 * Left out: reclaim and compaction; the watermark check before a block from the CPU's own list (it
 * is made when the list is refilled); lists of other CPUs, which nobody but their owner can drain.
 * Double frees are found by the host, which sees all calls (runner/world.c).
 */
#include "allocators/buddy.h"

#include <errno.h>
#include <string.h>

/* ---- blocks outside the zone ---- */

void buddy_prepare(struct nslab_page *page, unsigned order, int node, uint8_t flags)
{
	page->order = (uint8_t)order;
	for (uint32_t i = 0; i < 1u << order; i++) {
		page[i].head = i;
		page[i].node = (int16_t)node;
	}
	page->flags = flags;
}

static struct nslab_page *buddy_deliver(struct buddy_source *b, size_t pfn, unsigned order,
					int node)
{
	struct nslab_page *page = &b->pages[pfn];

	buddy_prepare(page, order, node, 0);
	buddy_hand_out(page);
	return page;
}

static size_t buddy_zone_alloc(struct buddy_source *b, struct buddy_zone *zone,
			       const struct buddy_request *r)
{
	size_t pfn;

	if (!buddy_zone_may_serve(b, zone, r))
		return BUDDY_NO_FRAME;
	buddy_zone_lock(zone);
	pfn = buddy_zone_take(b, zone, r);
	zone->nr_alloc[r->order] += pfn != BUDDY_NO_FRAME;
	nslab_lock_release(&zone->lock);
	return pfn;
}

/* ---- per-CPU lists ---- */

static inline struct nslab_page *buddy_pcp_pop(struct buddy_pcp *pcp, unsigned index,
					       unsigned order)
{
	struct nslab_list *list = &pcp->list[index];
	struct nslab_page *page;

	if (nslab_list_is_empty(list))
		return NULL;
	page = nslab_list_first(list, struct nslab_page, list);
	nslab_list_del(&page->list);
	buddy_pcp_count_add(pcp, -(1u << order));
	pcp->nr_freed_in_row >>= 1;
	pcp->nr_alloc[order]++;
	buddy_hand_out(page);
	return page;
}

static inline void buddy_pcp_push(struct buddy_source *b, size_t zone, struct buddy_pcp *pcp,
				  struct nslab_page *page, unsigned index, unsigned order)
{
	bool is_run = order && order < BUDDY_PCP_ORDERS && pcp->was_high_order &&
		      pcp->nr_freed_in_row >= pcp->row_min;

	page->flags = NSLAB_PAGE_PCP;
	nslab_list_add(&page->list, &pcp->list[index]);
	buddy_pcp_count_add(pcp, 1u << order);
	pcp->refill_scale >>= 1;
	pcp->was_high_order = order || pcp->ignores_last;
	if (pcp->nr_freed_in_row < pcp->row_max)
		pcp->nr_freed_in_row += 1u << order;
	if (is_run || buddy_pcp_count(pcp) >= pcp->high)
		buddy_pcp_trim(b, &b->zones[zone], pcp, index, is_run);
}

/* NULL: work without lists, since there is no handle, no memory, or they are switched off. */
static struct buddy_cpu *buddy_cpu_of(struct buddy_source *b, struct nslab_cpu *cpu, unsigned order)
{
	if (!cpu || !b->has_pcp || (order >= BUDDY_PCP_ORDERS && order != NSLAB_PAGEBLOCK_ORDER))
		return NULL;
	return cpu->page_state ? cpu->page_state : buddy_cpu_open(b, cpu);
}

/* ---- requests that the CPU's list cannot serve at once ---- */

/* The zones that may serve, in the order to ask them. */
struct buddy_zones {
	const uint16_t *zone;
	int nr;
};

static inline int buddy_type_of(const struct buddy_source *b, gfp_t gfp)
{
	_Static_assert(__GFP_MOVABLE == __GFP_RECLAIMABLE << 1, "the two bits are an index");
	return b->type_of[gfp / __GFP_RECLAIMABLE & 3];
}

static struct buddy_zones buddy_zones_of(const struct buddy_source *b, gfp_t gfp, int node)
{
	struct buddy_zones zones = {b->zonelist + node * b->nr_zones, b->nr_zones};
	bool has_dma = b->dma_stop != 0;

	if (gfp & __GFP_THISNODE)
		zones.nr = node == 0 && has_dma ? 2 : 1;
	if (!(gfp & __GFP_DMA))
		return zones;
	zones.nr = gfp & __GFP_THISNODE && node != 0 ? 0 : 1;
	/* node 0's own list starts with its normal zone, and goes on with the DMA zone */
	zones.zone = b->zonelist + has_dma;
	return zones;
}

static struct buddy_request buddy_request_of(const struct buddy_source *b, unsigned order,
					     gfp_t gfp)
{
	struct buddy_request r = {.order = order, .type = buddy_type_of(b, gfp)};

	r.may_use_cma = gfp & __GFP_MOVABLE && !(gfp & __GFP_RECLAIMABLE);
	r.is_dma = gfp & __GFP_DMA;
	r.at_low = b->has_marks;
	if (gfp & __GFP_HIGH)
		r.rights |= NSLAB_ZONE_HIGH;
	if (!(gfp & __GFP_DIRECT_RECLAIM) && !(gfp & __GFP_NOMEMALLOC))
		r.rights |= NSLAB_ZONE_NON_BLOCK;
	if (gfp & __GFP_MEMALLOC && !(gfp & __GFP_NOMEMALLOC))
		r.rights |= NSLAB_ZONE_NO_MARK;
	return r;
}

/* What served a large request that cannot wait may be kept for the next one. */
static void buddy_keep(struct buddy_source *b, struct buddy_zone *zone, size_t pfn)
{
	buddy_zone_lock(zone);
	buddy_highatomic_keep(b, zone, pfn);
	nslab_lock_release(&zone->lock);
}

static struct nslab_page *buddy_ask_zone(struct buddy_source *b, struct buddy_cpu *c,
					 const struct buddy_request *r, int number)
{
	struct buddy_zone *zone = &b->zones[number];
	struct nslab_page *page;
	size_t pfn;

	if (c) {
		page = buddy_pcp_pop(&c->pcp[number], buddy_pcp_index(b, r->order, r->type),
				     r->order);
		if (page)
			return page;
		pfn = buddy_pcp_refill(b, zone, &c->pcp[number], r);
	} else {
		pfn = buddy_zone_alloc(b, zone, r);
	}
	if (pfn == BUDDY_NO_FRAME)
		return NULL;
	page = buddy_deliver(b, pfn, r->order, zone->node);
	if (r->is_highatomic)
		buddy_keep(b, zone, pfn);
	return page;
}

static struct nslab_page *buddy_walk(struct buddy_source *b, struct buddy_cpu *c,
				     const struct buddy_request *r, const struct buddy_zones *zones)
{
	for (int i = 0; i < zones->nr; i++) {
		struct buddy_zone *zone = &b->zones[zones->zone[i]];
		struct nslab_page *page = buddy_ask_zone(b, c, r, zones->zone[i]);

		if (!page)
			continue;
		if (zone->node != b->zones[zones->zone[0]].node)
			atomic_fetch_add_explicit(&zone->nr_fallback, 1, memory_order_relaxed);
		return page;
	}
	return NULL;
}

struct nslab_page *buddy_alloc_target(struct buddy_source *b, int node, unsigned order)
{
	const struct buddy_request r = {.order = order, .type = b->type_of[2]};
	struct buddy_zones zones = buddy_zones_of(b, 0, node);

	return buddy_walk(b, NULL, &r, &zones);
}

/* True when some page went back to one of the zones. */
static bool buddy_drain_own(struct buddy_source *b, struct nslab_cpu *cpu,
			    const struct buddy_zones *zones)
{
	struct buddy_cpu *c = cpu ? cpu->page_state : NULL;
	bool is_any = false;

	for (int i = 0; c && i < zones->nr; i++) {
		struct buddy_pcp *pcp = &c->pcp[zones->zone[i]];

		if (!buddy_pcp_count(pcp))
			continue;
		buddy_pcp_give(b, &b->zones[zones->zone[i]], pcp, 0, buddy_pcp_count(pcp));
		is_any = true;
	}
	return is_any;
}

static bool buddy_give_up_reserves(struct buddy_source *b, const struct buddy_zones *zones,
				   int type)
{
	bool is_any = false;

	for (int i = 0; i < zones->nr; i++) {
		struct buddy_zone *zone = &b->zones[zones->zone[i]];

		if (!atomic_load_explicit(&zone->nr_free_highatomic, memory_order_relaxed))
			continue;
		buddy_zone_lock(zone);
		is_any |= buddy_highatomic_give_up(b, zone, type);
		nslab_lock_release(&zone->lock);
	}
	return is_any;
}

/* The low marks are in the way: what a background reclaimer would answer to is done at once. */
static void buddy_end_boosts(struct buddy_source *b, const struct buddy_zones *zones)
{
	for (int i = 0; i < zones->nr; i++) {
		struct buddy_zone *zone = &b->zones[zones->zone[i]];

		atomic_store_explicit(&zone->boost, 0, memory_order_relaxed);
		atomic_fetch_add_explicit(&zone->nr_below_low, 1, memory_order_relaxed);
	}
}

static struct nslab_page *buddy_try_hard(struct buddy_source *b, struct nslab_cpu *cpu,
					 struct buddy_request *r, gfp_t gfp,
					 const struct buddy_zones *zones)
{
	struct buddy_cpu *c = buddy_cpu_of(b, cpu, r->order);
	struct nslab_page *page = NULL;

	if (r->at_low) {
		r->at_low = false;
		r->is_highatomic =
			r->order && (gfp & __GFP_HIGH) && r->rights & NSLAB_ZONE_NON_BLOCK;
		buddy_end_boosts(b, zones);
		page = buddy_walk(b, c, r, zones);
	}
	if (!page && buddy_drain_own(b, cpu, zones))
		page = buddy_walk(b, c, r, zones);
	while (!page && gfp & __GFP_DIRECT_RECLAIM && buddy_give_up_reserves(b, zones, r->type))
		page = buddy_walk(b, c, r, zones);
	return page;
}

static __attribute__((noinline)) struct nslab_page *
buddy_alloc_slow(struct buddy_source *b, struct nslab_cpu *cpu, unsigned order, gfp_t gfp, int node)
{
	struct buddy_zones zones = buddy_zones_of(b, gfp, node);
	struct buddy_request r = buddy_request_of(b, order, gfp);
	struct nslab_page *page = buddy_walk(b, buddy_cpu_of(b, cpu, order), &r, &zones);

	if (!page)
		page = buddy_try_hard(b, cpu, &r, gfp, &zones);
	if (!page)
		atomic_fetch_add_explicit(&b->zones[node].nr_failed, 1, memory_order_relaxed);
	else if (gfp & __GFP_ZERO)
		memset(nslab_arena_address(b->base.arena, page), 0, NSLAB_PAGE_SIZE << order);
	return page;
}

/* ---- the calls of the table ---- */

static struct nslab_page *buddy_alloc_pages(struct nslab_page_source *source, struct nslab_cpu *cpu,
					    unsigned order, gfp_t gfp, int node)
{
	struct buddy_source *b = buddy_source_of(source);
	struct buddy_cpu *c = cpu ? cpu->page_state : NULL;
	struct nslab_page *page;

	if (node == NUMA_NO_NODE)
		node = cpu ? cpu->node : 0;
	if (order > NSLAB_MAX_ORDER || node < 0 || node >= b->nr_nodes)
		return NULL;
	if (c && order < BUDDY_PCP_ORDERS && !(gfp & (__GFP_DMA | __GFP_ZERO))) {
		unsigned index = order * BUDDY_PCP_TYPES + (unsigned)buddy_type_of(b, gfp);

		page = buddy_pcp_pop(&c->pcp[node], index, order);
		if (page)
			return page;
	}
	return buddy_alloc_slow(b, cpu, order, gfp, node);
}

static __attribute__((noinline)) void buddy_free_slow(struct buddy_source *b, struct nslab_cpu *cpu,
						      size_t pfn, unsigned order)
{
	size_t number = buddy_zone_number(b, pfn);
	struct buddy_zone *zone = &b->zones[number];
	int type = buddy_type_at(b, pfn);
	struct buddy_cpu *c = type < BUDDY_PCP_TYPES ? buddy_cpu_of(b, cpu, order) : NULL;

	if (c) {
		buddy_pcp_push(b, number, &c->pcp[number], &b->pages[pfn],
			       buddy_pcp_index(b, order, type), order);
		return;
	}
	buddy_zone_lock(zone);
	buddy_zone_free(b, zone, pfn, order);
	nslab_lock_release(&zone->lock);
}

static void buddy_free_pages(struct nslab_page_source *source, struct nslab_cpu *cpu,
			     struct nslab_page *page, unsigned order)
{
	struct buddy_source *b = buddy_source_of(source);
	struct buddy_cpu *c = cpu ? cpu->page_state : NULL;
	size_t pfn = buddy_pfn(b, page);
	size_t number = buddy_zone_number(b, pfn);
	unsigned type = (unsigned)buddy_type_at(b, pfn);

	if (!c || order >= BUDDY_PCP_ORDERS || type >= BUDDY_PCP_TYPES) {
		buddy_free_slow(b, cpu, pfn, order);
		return;
	}
	buddy_pcp_push(b, number, &c->pcp[number], page, order * BUDDY_PCP_TYPES + type, order);
}

static void buddy_cpu_drain(struct nslab_page_source *source, struct nslab_cpu *cpu)
{
	if (!cpu->page_state)
		return;
	buddy_cpu_close(buddy_source_of(source), cpu->page_state);
	cpu->page_state = NULL;
}

/* ---- statistics ---- */

static uint64_t buddy_fresh_blocks(const struct buddy_zone *zone)
{
	return (zone->end - zone->fresh) / BUDDY_MAX_FRAMES;
}

static uint64_t buddy_pcp_pages(struct buddy_source *b, int number)
{
	uint64_t nr = 0;

	nslab_lock_acquire(&b->cpus_lock);
	nslab_list_for_each (pos, &b->cpus)
		nr += buddy_pcp_count(&nslab_list_entry(pos, struct buddy_cpu, link)->pcp[number]);
	nslab_lock_release(&b->cpus_lock);
	return nr;
}

static void buddy_stats_add(struct buddy_source *b, int number, struct nslab_page_stats *stats)
{
	struct buddy_zone *zone = &b->zones[number];
	uint64_t nr_pcp = buddy_pcp_pages(b, number);

	for (int order = 0; order < BUDDY_NR_ORDERS; order++) {
		for (int type = 0; type < NSLAB_NR_MIGRATE_TYPES; type++)
			stats->nr_free_blocks[order] += zone->nr_blocks[order][type];
		stats->nr_alloc[order] += zone->nr_alloc[order];
		nslab_list_for_each (pos, &b->cpus)
			stats->nr_alloc[order] += nslab_list_entry(pos, struct buddy_cpu, link)
							  ->pcp[number]
							  .nr_alloc[order];
	}
	stats->nr_free_blocks[NSLAB_MAX_ORDER] += buddy_fresh_blocks(zone);
	stats->nr_pcp_pages += nr_pcp;
	stats->nr_free_pages += zone->nr_free + nr_pcp;
	stats->nr_failed += zone->nr_failed;
	stats->nr_fallback += zone->nr_fallback;
	stats->nr_zone_lock += zone->nr_lock;
}

static void buddy_stats(struct nslab_page_source *source, int node, struct nslab_page_stats *stats)
{
	struct buddy_source *b = buddy_source_of(source);

	memset(stats, 0, sizeof(*stats));
	for (int number = 0; number < b->nr_zones; number++) {
		if (b->zones[number].node == node)
			buddy_stats_add(b, number, stats);
	}
}

static void buddy_zone_blocks(const struct buddy_zone *zone, struct nslab_zone_stats *stats)
{
	for (int type = 0; type < NSLAB_NR_MIGRATE_TYPES; type++) {
		for (int order = 0; order < BUDDY_NR_ORDERS; order++)
			stats->nr_free_blocks[type][order] = zone->nr_blocks[order][type];
	}
	stats->nr_free_blocks[zone->first_type][NSLAB_MAX_ORDER] += buddy_fresh_blocks(zone);
}

/* As long as the zone is large, so nobody waits for it: labels may change meanwhile. */
static void buddy_zone_pageblocks(const struct buddy_source *b, const struct buddy_zone *zone,
				  struct nslab_zone_stats *stats)
{
	for (size_t pfn = zone->start; pfn < zone->stop; pfn += BUDDY_BLOCK_FRAMES)
		stats->nr_pageblocks[buddy_type_at(b, pfn)]++;
}

/* Under the lock. */
static void buddy_zone_read(struct buddy_source *b, const struct buddy_zone *zone,
			    struct nslab_zone_stats *stats)
{
	stats->nr_present_pages = zone->stop - zone->start;
	stats->nr_managed_pages = zone->nr_managed;
	stats->nr_free_pages = zone->nr_free;
	buddy_zone_blocks(zone, stats);
	if (b->has_marks) {
		stats->min_pages = zone->marks.min;
		stats->low_pages = zone->marks.low;
		stats->high_pages = zone->marks.high;
		stats->boost_pages = zone->boost;
		stats->reserve_pages = zone->reserve;
	}
	stats->nr_extfrag = zone->nr_extfrag;
	stats->nr_claimed = zone->nr_claimed;
	stats->nr_below_low = zone->nr_below_low;
}

static int buddy_zone_stats(struct nslab_page_source *source, int number,
			    struct nslab_zone_stats *stats)
{
	struct buddy_source *b = buddy_source_of(source);
	struct buddy_zone *zone;

	if (number < 0 || number >= b->nr_zones)
		return -ENOENT;
	/* the kernel tells the DMA zone first */
	if (b->dma_stop)
		number = number ? number - 1 : b->nr_nodes;
	zone = &b->zones[number];
	memset(stats, 0, sizeof(*stats));
	stats->name = number == b->nr_nodes ? "DMA" : "Normal";
	stats->node = zone->node;
	stats->nr_pcp_pages = buddy_pcp_pages(b, number);
	stats->pcp_batch = zone->batch;
	stats->pcp_high_min = zone->high_min;
	stats->pcp_high_max = zone->high_max;
	/* not counted as one of its acquisitions: who looks changes nothing */
	nslab_lock_acquire(&zone->lock);
	buddy_zone_read(b, zone, stats);
	nslab_lock_release(&zone->lock);
	buddy_zone_pageblocks(b, zone, stats);
	return 0;
}

const struct nslab_page_ops nslab_buddy_ops = {
	.name = "buddy",
	.summary = "binary buddy by type, a zone for each node and one for DMA, per-CPU page lists",
	.models = "Linux 6.12 mm/page_alloc.c (per-CPU lists also as in 6.1), without reclaim",
	.params = nslab_buddy_params,
	.params_size = sizeof(struct buddy_params),
	.open = buddy_open,
	.close = buddy_close,
	.alloc_pages = buddy_alloc_pages,
	.free_pages = buddy_free_pages,
	.cpu_drain = buddy_cpu_drain,
	.stats = buddy_stats,
	.zone_stats = buddy_zone_stats,
	.range_lend = buddy_range_lend,
	.range_claim = buddy_range_claim,
	.range_free = buddy_range_free,
	.set_mover = buddy_set_mover,
};

NSLAB_PAGE_PLUGIN(nslab_buddy_ops);
