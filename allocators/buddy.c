/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buddy.c: a node-local binary buddy allocator with per-CPU page lists (page plug-in "buddy").
 *
 * Each arena node is one zone with free lists for orders 0..10. A request takes the first block of
 * the smallest order that suffices and gives the upper halves back while splitting; a freed block
 * merges with its buddy (frame number XOR its size) as long as that is free too. It then goes to
 * the head of its list, or to the tail when the next larger merge is likely soon. A zone starts as
 * whole 4 MiB blocks that were never used: they are not on a list but above the mark `fresh`, as if
 * they stood at the tail of the largest list in address order, so that opening a huge arena
 * touches nothing.
 *
 * Orders 0..3 are cached per CPU and zone, refilled and given back in batches whose sizes float
 * with the pressure, as Linux 6.12 does. These lists hang at cpu->page_state. A CPU handle is used
 * by one thread at a time and nobody else touches its lists, so they need no lock; the kernel's
 * lock on them exists for remote draining, which is left out here. When every zone is empty the
 * caller's own lists are drained and the request is tried once more; lists of other CPUs are not.
 *
 * Whether a frame heads a free block is kept in `free_order`, one byte for each frame, and not in
 * its record: a neighbour that merges reads it under the zone lock, while the owner of an allocated
 * block writes its record without any.
 *
 * Invariants: flags are non-zero only in the head record of a block; a block of order o starts at a
 * multiple of 2^o frames; free_order[pfn] is o + 1 exactly for the head of a free block on a list.
 *
 * Locks: zone->lock (NSLAB_RANK_ZONE) for its lists, counters and free_order; source->cpus_lock
 * (NSLAB_RANK_ZONE) for the list of per-CPU states. Never two of them at once.
 *
 * Left out: migrate types and their fallback (every page is of one type), watermarks as a reason
 * to refuse (they only size the lists), compaction, the list of huge pages, and the slow decay of
 * list sizes by time. Double frees are found by the host, which sees all calls (runner/world.c).
 */
#include "allocators/common/zone.h"
#include "core/list.h"
#include "core/lock.h"

#include <errno.h>
#include <limits.h>
#include <numaslab/plugin.h>
#include <stdlib.h>
#include <string.h>

#define BUDDY_NR_ORDERS	     (NSLAB_MAX_ORDER + 1)
#define BUDDY_MAX_FRAMES     ((size_t)1 << NSLAB_MAX_ORDER)
#define BUDDY_PAGEBLOCK	     9 /* order; above it a merge is not anticipated */
#define BUDDY_PCP_ORDERS     4 /* 0..3 */
#define BUDDY_PCP_SCALE_MAX  5 /* a batch grows to at most batch << 5 */
#define BUDDY_NO_FRAME	     SIZE_MAX
#define BUDDY_HAS_CPUS_COST  1u /* added to the distance of a node that has CPUs */
#define BUDDY_PARAM_HIGH_MAX 1048576

struct buddy_params {
	bool pcp;
	int64_t pcp_high;
	int64_t pcp_batch;
};

struct buddy_zone {
	struct nslab_lock lock;
	int node;
	size_t fresh, end; /* frames fresh .. end - 1 were never used; multiples of 1024 */
	/* pages on lists and above fresh; written under the lock, read without it as a hint */
	_Atomic uint64_t nr_free;
	struct nslab_list free[BUDDY_NR_ORDERS];
	uint64_t nr_blocks[BUDDY_NR_ORDERS]; /* on free[] */
	uint64_t nr_alloc[BUDDY_NR_ORDERS];  /* not counting what per-CPU lists served */
	uint64_t nr_lock;
	_Atomic uint64_t nr_failed, nr_fallback;
	unsigned batch, high_min, high_max; /* pages, for per-CPU lists */
} NSLAB_ALIGNED(NSLAB_CACHE_LINE);

/* One CPU's free pages of one zone. */
struct buddy_pcp {
	struct nslab_list list[BUDDY_PCP_ORDERS]; /* most recently freed first */
	unsigned count;				  /* pages on them */
	unsigned high;				  /* pages at which some go back */
	unsigned nr_freed_in_row;		  /* pages; halved by every allocation */
	uint8_t refill_scale;			  /* log2 of the next refill in batches */
	bool was_high_order;			  /* the last free was of order 1..3 */
	uint64_t nr_alloc[BUDDY_PCP_ORDERS];
};

/* At cpu->page_state. */
struct buddy_cpu {
	struct nslab_list link; /* source->cpus */
	struct buddy_pcp pcp[];
};

struct buddy_source {
	struct nslab_page_source base;
	bool has_pcp;
	int nr_nodes;
	unsigned frame_shift; /* log2 of frames from one node to the next */
	struct nslab_page *pages;
	uint8_t *free_order;
	struct buddy_zone *zones;
	uint8_t *zonelist; /* [from * nr_nodes + position]: node */
	struct nslab_lock cpus_lock;
	struct nslab_list cpus;
};

static struct buddy_source *buddy_source_of(struct nslab_page_source *source)
{
	return nslab_container_of(source, struct buddy_source, base);
}

static size_t buddy_pfn(const struct buddy_source *b, const struct nslab_page *page)
{
	return (size_t)(page - b->pages);
}

/* ---- one zone; all of these under its lock ---- */

static void buddy_zone_lock(struct buddy_zone *zone)
{
	nslab_lock_acquire(&zone->lock);
	zone->nr_lock++;
}

static void buddy_zone_count(struct buddy_zone *zone, int64_t nr_pages)
{
	uint64_t nr = atomic_load_explicit(&zone->nr_free, memory_order_relaxed);

	atomic_store_explicit(&zone->nr_free, nr + (uint64_t)nr_pages, memory_order_relaxed);
}

static void buddy_zone_add(struct buddy_source *b, struct buddy_zone *zone, size_t pfn,
			   unsigned order, bool is_tail)
{
	struct nslab_page *page = &b->pages[pfn];

	page->flags = NSLAB_PAGE_FREE;
	page->order = (uint8_t)order;
	b->free_order[pfn] = (uint8_t)(order + 1);
	zone->nr_blocks[order]++;
	if (is_tail)
		nslab_list_add_tail(&page->list, &zone->free[order]);
	else
		nslab_list_add(&page->list, &zone->free[order]);
}

static void buddy_zone_del(struct buddy_source *b, struct buddy_zone *zone, size_t pfn,
			   unsigned order)
{
	struct nslab_page *page = &b->pages[pfn];

	page->flags = 0;
	b->free_order[pfn] = 0;
	zone->nr_blocks[order]--;
	nslab_list_del(&page->list);
}

static bool buddy_is_free(const struct buddy_source *b, size_t pfn, unsigned order)
{
	return b->free_order[pfn] == order + 1;
}

/* The merge above this block would be complete once this block's buddy is freed. */
static bool buddy_merges_soon(const struct buddy_source *b, size_t pfn, unsigned order)
{
	size_t parent = pfn & ~((size_t)1 << order);

	return order < BUDDY_PAGEBLOCK && buddy_is_free(b, parent ^ (size_t)2 << order, order + 1);
}

static void buddy_zone_free(struct buddy_source *b, struct buddy_zone *zone, size_t pfn,
			    unsigned order)
{
	b->pages[pfn].flags = 0;
	buddy_zone_count(zone, (int64_t)1 << order);
	while (order < NSLAB_MAX_ORDER) {
		size_t buddy = pfn ^ (size_t)1 << order;

		if (!buddy_is_free(b, buddy, order))
			break;
		buddy_zone_del(b, zone, buddy, order);
		pfn &= buddy;
		order++;
	}
	buddy_zone_add(b, zone, pfn, order, buddy_merges_soon(b, pfn, order));
}

/* First block of the smallest sufficient order, taken off its list; its order comes back too. */
static size_t buddy_zone_find(struct buddy_source *b, struct buddy_zone *zone, unsigned *order)
{
	size_t pfn;

	for (unsigned o = *order; o < BUDDY_NR_ORDERS; o++) {
		if (nslab_list_is_empty(&zone->free[o]))
			continue;
		pfn = buddy_pfn(b, nslab_list_first(&zone->free[o], struct nslab_page, list));
		buddy_zone_del(b, zone, pfn, o);
		*order = o;
		return pfn;
	}
	if (zone->fresh == zone->end)
		return BUDDY_NO_FRAME;
	pfn = zone->fresh;
	zone->fresh += BUDDY_MAX_FRAMES;
	*order = NSLAB_MAX_ORDER;
	return pfn;
}

static size_t buddy_zone_take(struct buddy_source *b, struct buddy_zone *zone, unsigned order)
{
	unsigned found = order;
	size_t pfn = buddy_zone_find(b, zone, &found);

	if (pfn == BUDDY_NO_FRAME)
		return pfn;
	while (found > order) {
		found--;
		buddy_zone_add(b, zone, pfn + ((size_t)1 << found), found, false);
	}
	buddy_zone_count(zone, -((int64_t)1 << order));
	return pfn;
}

/* ---- blocks outside the zone ---- */

/* Every frame of a block that leaves the zone learns its node and its way to the head. */
static void buddy_prepare(struct nslab_page *page, unsigned order, int node, uint8_t flags)
{
	page->order = (uint8_t)order;
	for (uint32_t i = 0; i < 1u << order; i++) {
		page[i].head = i;
		page[i].node = (int16_t)node;
	}
	page->flags = flags;
}

/* The words that the owner may use start out as zeros. */
static void buddy_hand_out(struct nslab_page *page)
{
	page->flags = NSLAB_PAGE_HEAD;
	page->freelist = 0;
	page->counters = 0;
	page->s = NULL;
	page->priv[0] = 0;
	page->priv[1] = 0;
}

static bool buddy_zone_may_have(struct buddy_zone *zone, unsigned order)
{
	return atomic_load_explicit(&zone->nr_free, memory_order_relaxed) >= 1u << order;
}

static struct nslab_page *buddy_zone_alloc(struct buddy_source *b, struct buddy_zone *zone,
					   unsigned order)
{
	size_t pfn;

	if (!buddy_zone_may_have(zone, order))
		return NULL;
	buddy_zone_lock(zone);
	pfn = buddy_zone_take(b, zone, order);
	zone->nr_alloc[order] += pfn != BUDDY_NO_FRAME;
	nslab_lock_release(&zone->lock);
	if (pfn == BUDDY_NO_FRAME)
		return NULL;
	buddy_prepare(&b->pages[pfn], order, zone->node, 0);
	buddy_hand_out(&b->pages[pfn]);
	return &b->pages[pfn];
}

/* ---- per-CPU lists ---- */

static unsigned buddy_min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned buddy_max(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

static struct buddy_cpu *buddy_cpu_open(struct buddy_source *b, struct nslab_cpu *cpu)
{
	size_t bytes = sizeof(struct buddy_cpu) + (size_t)b->nr_nodes * sizeof(struct buddy_pcp);
	struct buddy_cpu *c;

	bytes = (bytes + NSLAB_CACHE_LINE - 1) / NSLAB_CACHE_LINE * NSLAB_CACHE_LINE;
	c = aligned_alloc(NSLAB_CACHE_LINE, bytes);
	if (!c)
		return NULL;
	memset(c, 0, bytes);
	for (int node = 0; node < b->nr_nodes; node++) {
		for (int order = 0; order < BUDDY_PCP_ORDERS; order++)
			nslab_list_init(&c->pcp[node].list[order]);
		c->pcp[node].high = b->zones[node].high_min;
	}
	nslab_lock_acquire(&b->cpus_lock);
	nslab_list_add_tail(&c->link, &b->cpus);
	nslab_lock_release(&b->cpus_lock);
	cpu->page_state = c;
	return c;
}

/* NULL: work without lists, since there is no handle, no memory, or they are switched off. */
static inline struct buddy_cpu *buddy_cpu_of(struct buddy_source *b, struct nslab_cpu *cpu)
{
	if (!cpu || !b->has_pcp)
		return NULL;
	return cpu->page_state ? cpu->page_state : buddy_cpu_open(b, cpu);
}

static inline struct nslab_page *buddy_pcp_pop(struct buddy_pcp *pcp, unsigned order)
{
	struct nslab_page *page;

	if (nslab_list_is_empty(&pcp->list[order]))
		return NULL;
	page = nslab_list_first(&pcp->list[order], struct nslab_page, list);
	nslab_list_del(&page->list);
	pcp->count -= 1u << order;
	pcp->nr_freed_in_row >>= 1;
	pcp->nr_alloc[order]++;
	buddy_hand_out(page);
	return page;
}

/* Blocks to fetch at once: more with every refill in a row, within what the list may hold. */
static unsigned buddy_refill_size(const struct buddy_zone *zone, struct buddy_pcp *pcp,
				  unsigned order)
{
	unsigned nr = zone->batch << (order ? 0 : pcp->refill_scale);
	unsigned room;

	pcp->high = buddy_min(pcp->high + nr, zone->high_max);
	if (order)
		return buddy_max(nr >> order, 2);
	room = zone->batch;
	if (pcp->high > pcp->count + 2 * zone->batch)
		room = pcp->high - pcp->count - zone->batch;
	if (nr <= room && pcp->refill_scale < BUDDY_PCP_SCALE_MAX)
		pcp->refill_scale++;
	return buddy_min(nr, room);
}

/* The list of this order is empty before. */
static struct nslab_page *buddy_pcp_refill(struct buddy_source *b, struct buddy_zone *zone,
					   struct buddy_pcp *pcp, unsigned order)
{
	struct nslab_list *list = &pcp->list[order];
	unsigned nr;

	if (!buddy_zone_may_have(zone, order))
		return NULL;
	buddy_zone_lock(zone);
	for (nr = buddy_refill_size(zone, pcp, order); nr; nr--) {
		size_t pfn = buddy_zone_take(b, zone, order);

		if (pfn == BUDDY_NO_FRAME)
			break;
		nslab_list_add_tail(&b->pages[pfn].list, list);
		pcp->count += 1u << order;
	}
	nslab_lock_release(&zone->lock);
	nslab_list_for_each (pos, list)
		buddy_prepare(nslab_list_entry(pos, struct nslab_page, list), order, zone->node,
			      NSLAB_PAGE_PCP);
	return buddy_pcp_pop(pcp, order);
}

/* At least nr_pages (or all) back to the zone: oldest first, this order's list first. */
static void buddy_pcp_give(struct buddy_source *b, struct buddy_zone *zone, struct buddy_pcp *pcp,
			   unsigned order, unsigned nr_pages)
{
	unsigned left = pcp->count > nr_pages ? pcp->count - nr_pages : 0;

	if (pcp->count == left)
		return;
	buddy_zone_lock(zone);
	for (; pcp->count > left; order = (order + 1) % BUDDY_PCP_ORDERS) {
		struct nslab_list *list = &pcp->list[order];

		while (pcp->count > left && !nslab_list_is_empty(list)) {
			struct nslab_list *oldest = list->prev;

			nslab_list_del(oldest);
			pcp->count -= 1u << order;
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
		return buddy_min(pcp->count, most);
	}
	if (pcp->count < high)
		return 0;
	nr = pcp->nr_freed_in_row + zone->batch;
	pcp->high = buddy_max(high, buddy_min(nr, zone->high_max));
	if (high < 2 * zone->batch)
		return zone->batch;
	return buddy_max(zone->batch, buddy_min(pcp->nr_freed_in_row, high - zone->batch));
}

static void buddy_pcp_free(struct buddy_source *b, struct buddy_zone *zone, struct buddy_pcp *pcp,
			   struct nslab_page *page, unsigned order)
{
	bool is_run = order && pcp->was_high_order && pcp->nr_freed_in_row >= zone->batch;
	unsigned nr;

	page->flags = NSLAB_PAGE_PCP;
	nslab_list_add(&page->list, &pcp->list[order]);
	pcp->count += 1u << order;
	pcp->refill_scale >>= 1;
	pcp->was_high_order = order;
	if (pcp->nr_freed_in_row < zone->batch << BUDDY_PCP_SCALE_MAX)
		pcp->nr_freed_in_row += 1u << order;
	if (!is_run && pcp->count < pcp->high)
		return;
	nr = buddy_surplus(zone, pcp, is_run);
	if (nr)
		buddy_pcp_give(b, zone, pcp, order, nr);
}

/* ---- requests ---- */

/* True when some page went back to a zone of the zonelist's first nr_zones. */
static bool buddy_drain_own(struct buddy_source *b, struct nslab_cpu *cpu, const uint8_t *zonelist,
			    int nr_zones)
{
	struct buddy_cpu *c = cpu ? cpu->page_state : NULL;
	bool is_any = false;

	for (int i = 0; c && i < nr_zones; i++) {
		struct buddy_pcp *pcp = &c->pcp[zonelist[i]];

		if (!pcp->count)
			continue;
		buddy_pcp_give(b, &b->zones[zonelist[i]], pcp, 0, pcp->count);
		is_any = true;
	}
	return is_any;
}

static struct nslab_page *buddy_walk(struct buddy_source *b, struct buddy_cpu *c, unsigned order,
				     const uint8_t *zonelist, int nr_zones)
{
	for (int i = 0; i < nr_zones; i++) {
		struct buddy_zone *zone = &b->zones[zonelist[i]];
		struct nslab_page *page;

		if (c) {
			page = buddy_pcp_pop(&c->pcp[zone->node], order);
			if (!page)
				page = buddy_pcp_refill(b, zone, &c->pcp[zone->node], order);
		} else {
			page = buddy_zone_alloc(b, zone, order);
		}
		if (!page)
			continue;
		if (i)
			atomic_fetch_add_explicit(&zone->nr_fallback, 1, memory_order_relaxed);
		return page;
	}
	return NULL;
}

static struct nslab_page *buddy_get(struct buddy_source *b, struct nslab_cpu *cpu, unsigned order,
				    gfp_t gfp, int node)
{
	struct buddy_cpu *c = order < BUDDY_PCP_ORDERS ? buddy_cpu_of(b, cpu) : NULL;
	int nr_zones = gfp & __GFP_THISNODE ? 1 : b->nr_nodes;
	const uint8_t *zonelist;
	struct nslab_page *page = c ? buddy_pcp_pop(&c->pcp[node], order) : NULL;

	if (page)
		return page;
	zonelist = b->zonelist + node * b->nr_nodes;
	page = buddy_walk(b, c, order, zonelist, nr_zones);
	if (!page && buddy_drain_own(b, cpu, zonelist, nr_zones))
		page = buddy_walk(b, c, order, zonelist, nr_zones);
	if (!page)
		atomic_fetch_add_explicit(&b->zones[node].nr_failed, 1, memory_order_relaxed);
	return page;
}

static struct nslab_page *buddy_alloc_pages(struct nslab_page_source *source, struct nslab_cpu *cpu,
					    unsigned order, gfp_t gfp, int node)
{
	struct buddy_source *b = buddy_source_of(source);
	struct nslab_page *page;

	if (node == NUMA_NO_NODE)
		node = cpu ? cpu->node : 0;
	if (order > NSLAB_MAX_ORDER || node < 0 || node >= b->nr_nodes)
		return NULL;
	page = buddy_get(b, cpu, order, gfp, node);
	if (page && gfp & __GFP_ZERO)
		memset(nslab_arena_address(b->base.arena, page), 0, NSLAB_PAGE_SIZE << order);
	return page;
}

static void buddy_free_pages(struct nslab_page_source *source, struct nslab_cpu *cpu,
			     struct nslab_page *page, unsigned order)
{
	struct buddy_source *b = buddy_source_of(source);
	size_t pfn = buddy_pfn(b, page);
	int node = (int)(pfn >> b->frame_shift);
	struct buddy_zone *zone = &b->zones[node];
	struct buddy_cpu *c = order < BUDDY_PCP_ORDERS ? buddy_cpu_of(b, cpu) : NULL;

	if (c) {
		buddy_pcp_free(b, zone, &c->pcp[node], page, order);
		return;
	}
	buddy_zone_lock(zone);
	buddy_zone_free(b, zone, pfn, order);
	nslab_lock_release(&zone->lock);
}

/* ---- control ---- */

static void buddy_cpu_close(struct buddy_source *b, struct buddy_cpu *c)
{
	for (int node = 0; node < b->nr_nodes; node++) {
		struct buddy_zone *zone = &b->zones[node];
		struct buddy_pcp *pcp = &c->pcp[node];

		buddy_pcp_give(b, zone, pcp, 0, pcp->count);
		nslab_lock_acquire(&zone->lock);
		for (int order = 0; order < BUDDY_PCP_ORDERS; order++)
			zone->nr_alloc[order] += pcp->nr_alloc[order];
		nslab_lock_release(&zone->lock);
	}
	nslab_lock_acquire(&b->cpus_lock);
	nslab_list_del(&c->link);
	nslab_lock_release(&b->cpus_lock);
	free(c);
}

static void buddy_cpu_drain(struct nslab_page_source *source, struct nslab_cpu *cpu)
{
	if (!cpu->page_state)
		return;
	buddy_cpu_close(buddy_source_of(source), cpu->page_state);
	cpu->page_state = NULL;
}

static void buddy_stats(struct nslab_page_source *source, int node, struct nslab_page_stats *stats)
{
	struct buddy_source *b = buddy_source_of(source);
	struct buddy_zone *zone = &b->zones[node];

	memset(stats, 0, sizeof(*stats));
	stats->nr_free_pages = zone->nr_free;
	for (int order = 0; order < BUDDY_NR_ORDERS; order++) {
		stats->nr_free_blocks[order] = zone->nr_blocks[order];
		stats->nr_alloc[order] = zone->nr_alloc[order];
	}
	stats->nr_free_blocks[NSLAB_MAX_ORDER] += (zone->end - zone->fresh) / BUDDY_MAX_FRAMES;
	stats->nr_failed = zone->nr_failed;
	stats->nr_fallback = zone->nr_fallback;
	stats->nr_zone_lock = zone->nr_lock;
	nslab_list_for_each (pos, &b->cpus) {
		struct buddy_pcp *pcp = &nslab_list_entry(pos, struct buddy_cpu, link)->pcp[node];

		stats->nr_pcp_pages += pcp->count;
		for (int order = 0; order < BUDDY_PCP_ORDERS; order++)
			stats->nr_alloc[order] += pcp->nr_alloc[order];
	}
	stats->nr_free_pages += stats->nr_pcp_pages;
}

/* ---- open and close ---- */

static void buddy_zone_size_pcp(const struct buddy_source *b, struct buddy_zone *zone,
				const struct buddy_params *params)
{
	uint64_t managed = zone->end - zone->fresh;
	unsigned nr_cpus = buddy_max((unsigned)b->base.arena->nr_cpus / (unsigned)b->nr_nodes, 1);
	uint64_t low = nslab_zone_low_pages(managed, b->nr_nodes);
	uint64_t most = managed / 8 / nr_cpus;

	zone->batch =
		params->pcp_batch > 0 ? (unsigned)params->pcp_batch : nslab_zone_batch(managed);
	zone->high_min = buddy_max((unsigned)(low / nr_cpus), 4 * zone->batch);
	zone->high_max = most > BUDDY_PARAM_HIGH_MAX ? BUDDY_PARAM_HIGH_MAX : (unsigned)most;
	zone->high_max = buddy_max(zone->high_max, zone->high_min);
	if (params->pcp_high <= 0)
		return;
	zone->high_min = zone->high_max = (unsigned)params->pcp_high;
	zone->batch = buddy_min(zone->batch, zone->high_min);
}

static void buddy_zone_open(struct buddy_source *b, int node, const struct buddy_params *params)
{
	struct buddy_zone *zone = &b->zones[node];

	nslab_lock_init(&zone->lock, NSLAB_RANK_ZONE);
	zone->node = node;
	zone->fresh = (size_t)node << b->frame_shift;
	zone->end = zone->fresh + (b->base.arena->node_bytes >> NSLAB_PAGE_SHIFT);
	zone->nr_free = zone->end - zone->fresh;
	for (int order = 0; order < BUDDY_NR_ORDERS; order++)
		nslab_list_init(&zone->free[order]);
	buddy_zone_size_pcp(b, zone, params);
}

/* Smallest is nearest: distance, a little for lower numbers and for CPUs, then how often chosen. */
static unsigned buddy_reluctance(const struct nslab_arena *a, int from, int to, unsigned load)
{
	unsigned cost = a->distance[from * a->nr_nodes + to];

	cost += to < from;
	if (!a->node_has_cpus || a->node_has_cpus[to])
		cost += BUDDY_HAS_CPUS_COST;
	return cost * NSLAB_MAX_NODES + load;
}

static int buddy_nearest(const struct nslab_arena *a, int from, const bool *is_used,
			 const unsigned *load)
{
	unsigned best_cost = UINT_MAX;
	int best = -1;

	for (int to = 0; to < a->nr_nodes; to++) {
		unsigned cost = buddy_reluctance(a, from, to, load[to]);

		if (is_used[to] || cost >= best_cost)
			continue;
		best_cost = cost;
		best = to;
	}
	return best;
}

/* load[] lives through all nodes, so that nodes at equal distance take turns as first fallback. */
static void buddy_zonelist_fill(struct buddy_source *b, int from, unsigned *load)
{
	const struct nslab_arena *a = b->base.arena;
	uint8_t *list = b->zonelist + from * a->nr_nodes;
	bool is_used[NSLAB_MAX_NODES] = {false};
	int last = from;

	list[0] = (uint8_t)from;
	is_used[from] = true;
	for (int i = 1; i < a->nr_nodes; i++) {
		int node = buddy_nearest(a, from, is_used, load);

		if (a->distance[from * a->nr_nodes + node] !=
		    a->distance[from * a->nr_nodes + last])
			load[node]++;
		list[i] = (uint8_t)node;
		is_used[node] = true;
		last = node;
	}
}

static void buddy_close(struct nslab_page_source *source)
{
	struct buddy_source *b = buddy_source_of(source);

	while (!nslab_list_is_empty(&b->cpus))
		buddy_cpu_close(b, nslab_list_first(&b->cpus, struct buddy_cpu, link));
	free(b->zonelist);
	free(b->zones);
	free(b->free_order);
	free(b);
}

static int buddy_tables_open(struct buddy_source *b)
{
	size_t nr = (size_t)b->nr_nodes;
	size_t zone_bytes = nr * sizeof(struct buddy_zone);

	b->free_order = calloc(nr << b->frame_shift, 1);
	b->zonelist = malloc(nr * nr);
	b->zones = aligned_alloc(NSLAB_CACHE_LINE, zone_bytes);
	if (!b->free_order || !b->zonelist || !b->zones)
		return -ENOMEM;
	memset(b->zones, 0, zone_bytes);
	return 0;
}

static const struct nslab_page_ops buddy_ops;

static int buddy_open(const struct nslab_arena *arena, const void *params,
		      struct nslab_page_source **source)
{
	static const struct buddy_params defaults = {
		.pcp = true, .pcp_high = NSLAB_AUTO, .pcp_batch = NSLAB_AUTO};
	const struct buddy_params *p = params ? params : &defaults;
	unsigned load[NSLAB_MAX_NODES] = {0};
	struct buddy_source *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return -ENOMEM;
	b->base.ops = &buddy_ops;
	b->base.arena = arena;
	b->has_pcp = p->pcp;
	b->nr_nodes = arena->nr_nodes;
	b->frame_shift = arena->node_shift - NSLAB_PAGE_SHIFT;
	b->pages = arena->pages;
	nslab_lock_init(&b->cpus_lock, NSLAB_RANK_ZONE);
	nslab_list_init(&b->cpus);
	rc = buddy_tables_open(b);
	if (rc) {
		buddy_close(&b->base);
		return rc;
	}
	for (int node = 0; node < b->nr_nodes; node++) {
		buddy_zone_open(b, node, p);
		buddy_zonelist_fill(b, node, load);
	}
	*source = &b->base;
	return 0;
}

static const char *const buddy_auto[] = {"auto", NULL};

static const struct nslab_param buddy_rows[] = {
	{.name = "pcp",
	 .type = NSLAB_PARAM_BOOL,
	 .flags = NSLAB_PARAM_TUNABLE,
	 .offset = offsetof(struct buddy_params, pcp),
	 .def = "yes",
	 .help = "keep free pages of orders 0..3 on lists of each CPU"},
	{.name = "pcp_high",
	 .type = NSLAB_PARAM_INT,
	 .flags = NSLAB_PARAM_TUNABLE,
	 .offset = offsetof(struct buddy_params, pcp_high),
	 .def = "auto",
	 .min = 4,
	 .max = BUDDY_PARAM_HIGH_MAX,
	 .choices = buddy_auto,
	 .help = "pages on a CPU's lists of one node at which some go back; auto floats"},
	{.name = "pcp_batch",
	 .type = NSLAB_PARAM_INT,
	 .flags = NSLAB_PARAM_TUNABLE,
	 .offset = offsetof(struct buddy_params, pcp_batch),
	 .def = "auto",
	 .min = 1,
	 .max = 4096,
	 .choices = buddy_auto,
	 .help = "pages that move between a CPU's lists and the zone at once"},
	NSLAB_PARAM_END,
};

static const struct nslab_page_ops buddy_ops = {
	.name = "buddy",
	.summary = "binary buddy, one zone for each node, per-CPU page lists",
	.models = "Linux 6.12 mm/page_alloc.c, without migrate types",
	.params = buddy_rows,
	.params_size = sizeof(struct buddy_params),
	.open = buddy_open,
	.close = buddy_close,
	.alloc_pages = buddy_alloc_pages,
	.free_pages = buddy_free_pages,
	.cpu_drain = buddy_cpu_drain,
	.stats = buddy_stats,
};

NSLAB_PAGE_PLUGIN(buddy_ops);
