/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buddy_open.c: how the page plug-in "buddy" begins and ends: zones, sizes, fallback order.
 *
 * Memory first belongs to an early allocator (memblock.c), which a user of nslab_buddy_open_early
 * may have taken from; what is free then is handed to the zones in the largest aligned blocks. The
 * part of a zone that is whole 4 MiB blocks from its first free address on is not put on lists: it
 * stays "fresh", so that opening touches nothing of it. With the zones known, their sizes decide
 * the watermarks, the batches of the per-CPU lists and what the DMA zone keeps from ordinary
 * requests.
 *
 * The zonelist of a node has its own zones first, then those of other nodes: the nearest first, and
 * among equally near ones those that stand less often at a front already, as Linux does.
 *
 * Invariants: zone n is the normal zone of node n, also when it is small; all zones start and stop
 * at multiples of 4 MiB; nothing here runs while pages are allocated.
 *
 * Left out: a DMA32 zone (the arenas have no addresses that a device sees), and zones of movable
 * memory only.
 */
#include "allocators/buddy.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define BUDDY_HAS_CPUS_COST  1u /* added to the distance of a node that has CPUs */
#define BUDDY_PARAM_HIGH_MAX 1048576
#define BUDDY_DMA_RATIO	     256
#define BUDDY_DMA_SHARE	     4 /* the DMA zone is at most a quarter of its node */
#define BUDDY_BLOCK_BYTES    (NSLAB_PAGE_SIZE << NSLAB_MAX_ORDER)

/* ---- fallback order ---- */

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

/* The zones of one node, the normal one first. */
static uint16_t *buddy_zonelist_add(const struct buddy_source *b, uint16_t *list, int node)
{
	*list++ = (uint16_t)node;
	if (node == 0 && b->dma_stop)
		*list++ = (uint16_t)b->nr_nodes;
	return list;
}

/* load[] lives through all nodes, so that nodes at equal distance take turns as first fallback. */
static void buddy_zonelist_fill(struct buddy_source *b, int from, unsigned *load)
{
	const struct nslab_arena *a = b->base.arena;
	uint16_t *list = b->zonelist + from * b->nr_zones;
	bool is_used[NSLAB_MAX_NODES] = {false};
	int last = from;

	list = buddy_zonelist_add(b, list, from);
	is_used[from] = true;
	for (int i = 1; i < a->nr_nodes; i++) {
		int node = buddy_nearest(a, from, is_used, load);

		if (a->distance[from * a->nr_nodes + node] !=
		    a->distance[from * a->nr_nodes + last])
			load[node]++;
		list = buddy_zonelist_add(b, list, node);
		is_used[node] = true;
		last = node;
	}
}

/* ---- zones ---- */

static void buddy_zone_open(struct buddy_source *b, int number, size_t start, size_t stop)
{
	struct buddy_zone *zone = &b->zones[number];

	nslab_lock_init(&zone->lock, NSLAB_RANK_ZONE);
	zone->node = number < b->nr_nodes ? number : 0;
	zone->first_type = b->is_grouped ? NSLAB_MIGRATE_MOVABLE : NSLAB_MIGRATE_UNMOVABLE;
	zone->start = zone->fresh = zone->end = start;
	zone->stop = stop;
	for (int order = 0; order < BUDDY_NR_ORDERS; order++) {
		for (int type = 0; type < NSLAB_NR_MIGRATE_TYPES; type++)
			nslab_list_init(&zone->free[order][type]);
	}
}

/* Onto the lists, in the largest aligned blocks; in address order for each list. */
static void buddy_hand_over_blocks(struct buddy_source *b, struct buddy_zone *zone, size_t pfn,
				   size_t end)
{
	while (pfn < end) {
		unsigned order = nslab_memblock_order(pfn, end);

		buddy_zone_add(b, zone, pfn, order, zone->first_type, true);
		pfn += (size_t)1 << order;
	}
}

/* A free range within one zone, in address order. */
static void buddy_hand_over(struct buddy_source *b, struct buddy_zone *zone, size_t pfn, size_t end)
{
	size_t first = (pfn + BUDDY_MAX_FRAMES - 1) & ~(BUDDY_MAX_FRAMES - 1);
	size_t last = end & ~(BUDDY_MAX_FRAMES - 1);

	zone->nr_managed += end - pfn;
	buddy_zone_count(zone, zone->first_type, (int64_t)(end - pfn));
	if (zone->fresh != zone->end || first >= last) {
		buddy_hand_over_blocks(b, zone, pfn, end);
		return;
	}
	zone->fresh = first;
	zone->end = last;
	buddy_hand_over_blocks(b, zone, pfn, first);
	buddy_hand_over_blocks(b, zone, last, end);
}

/* Frames pfn .. end - 1 are never given to anyone. */
static void buddy_keep_reserved(struct buddy_source *b, size_t pfn, size_t end)
{
	memset(b->frame_state + pfn, BUDDY_STATE_ALLOCATED, end - pfn);
}

/* Whole frames of what is free; a frame that is reserved in part is reserved. */
static void buddy_take_over(struct buddy_source *b, struct buddy_zone *zone,
			    const struct nslab_memblock *m)
{
	uint64_t from = (uint64_t)zone->start << NSLAB_PAGE_SHIFT;
	size_t done = zone->start;
	struct nslab_memblock_region range;

	while (nslab_memblock_next_free(m, from, &range)) {
		size_t pfn = (range.base + NSLAB_PAGE_SIZE - 1) >> NSLAB_PAGE_SHIFT;
		size_t end = (range.base + range.size) >> NSLAB_PAGE_SHIFT;

		from = range.base + range.size;
		if (pfn >= zone->stop)
			break;
		end = end < zone->stop ? end : zone->stop;
		if (pfn >= end)
			continue;
		buddy_keep_reserved(b, done, pfn);
		buddy_hand_over(b, zone, pfn, end);
		done = end;
	}
	buddy_keep_reserved(b, done, zone->stop);
}

/* ---- sizes ---- */

static void buddy_zone_size_pcp(const struct buddy_source *b, struct buddy_zone *zone,
				const struct buddy_params *params)
{
	uint64_t managed = zone->nr_managed;
	unsigned nr_cpus = buddy_max((unsigned)b->base.arena->nr_cpus / (unsigned)b->nr_nodes, 1);
	uint64_t most = managed / 8 / nr_cpus;

	zone->batch =
		params->pcp_batch > 0 ? (unsigned)params->pcp_batch : nslab_zone_batch(managed);
	zone->high_min = buddy_max((unsigned)(zone->marks.low / nr_cpus), 4 * zone->batch);
	zone->high_max = most > BUDDY_PARAM_HIGH_MAX ? BUDDY_PARAM_HIGH_MAX : (unsigned)most;
	zone->high_max = buddy_max(zone->high_max, zone->high_min);
	if (b->generation == BUDDY_LINUX_6_1)
		zone->high_max = zone->high_min;
	if (params->pcp_high <= 0)
		return;
	zone->high_min = zone->high_max = (unsigned)params->pcp_high;
	zone->batch = buddy_min(zone->batch, zone->high_min);
}

static void buddy_size_zones(struct buddy_source *b, const struct buddy_params *params)
{
	uint64_t total = 0, min_free_kib;

	for (int i = 0; i < b->nr_zones; i++)
		total += b->zones[i].nr_managed;
	min_free_kib = params->min_free_kib < 0 ? nslab_zone_min_free_kib(total)
						: (uint64_t)params->min_free_kib;
	for (int i = 0; i < b->nr_zones; i++) {
		struct buddy_zone *zone = &b->zones[i];

		zone->marks = nslab_zone_marks(zone->nr_managed, total, min_free_kib,
					       (uint64_t)params->watermark_scale_factor);
		buddy_zone_size_pcp(b, zone, params);
	}
	if (b->dma_stop)
		b->zones[b->nr_nodes].reserve =
			nslab_zone_lowmem_reserve(b->zones[0].nr_managed, BUDDY_DMA_RATIO);
}

/* ---- open and close ---- */

void buddy_close(struct nslab_page_source *source)
{
	struct buddy_source *b = buddy_source_of(source);

	while (!nslab_list_is_empty(&b->cpus))
		buddy_cpu_close(b, nslab_list_first(&b->cpus, struct buddy_cpu, link));
	free(b->zonelist);
	free(b->zones);
	free(b->frame_state);
	free(b->pageblock_type);
	free(b);
}

static int buddy_tables_open(struct buddy_source *b)
{
	size_t nr_frames = (size_t)b->nr_nodes << b->frame_shift;
	size_t zone_bytes = (size_t)b->nr_zones * sizeof(struct buddy_zone);

	b->frame_state = calloc(nr_frames, 1);
	b->pageblock_type = malloc(nr_frames >> NSLAB_PAGEBLOCK_ORDER);
	b->zonelist = malloc((size_t)b->nr_nodes * (size_t)b->nr_zones * sizeof(*b->zonelist));
	b->zones = aligned_alloc(NSLAB_CACHE_LINE, zone_bytes);
	if (!b->frame_state || !b->pageblock_type || !b->zonelist || !b->zones)
		return -ENOMEM;
	for (size_t pfn = 0; pfn < nr_frames; pfn += BUDDY_BLOCK_FRAMES)
		buddy_pageblock_label(
			b, pfn, b->is_grouped ? NSLAB_MIGRATE_MOVABLE : NSLAB_MIGRATE_UNMOVABLE);
	memset(b->zones, 0, zone_bytes);
	return 0;
}

/* Grouping wants a few pageblocks for each type. */
static void buddy_set_types(struct buddy_source *b, const struct buddy_params *params)
{
	size_t nr_pages = (size_t)b->nr_nodes * (b->base.arena->node_bytes >> NSLAB_PAGE_SHIFT);

	b->is_grouped = params->group_by_mobility &&
			nr_pages >= BUDDY_BLOCK_FRAMES * NSLAB_NR_MIGRATE_TYPES;
	if (!b->is_grouped)
		return;
	b->type_of[1] = NSLAB_MIGRATE_RECLAIMABLE;
	b->type_of[2] = NSLAB_MIGRATE_MOVABLE;
}

/* End of the DMA zone in frames, or 0. */
static size_t buddy_dma_stop(const struct nslab_arena *a, const struct buddy_params *params)
{
	size_t most = a->node_bytes / BUDDY_DMA_SHARE / BUDDY_BLOCK_BYTES * BUDDY_BLOCK_BYTES;
	size_t bytes = (size_t)params->dma_zone_mib << 20;

	return (bytes < most ? bytes : most) / BUDDY_BLOCK_BYTES * BUDDY_MAX_FRAMES;
}

static const struct buddy_params buddy_defaults = {
	.pcp = true,
	.pcp_high = NSLAB_AUTO,
	.pcp_batch = NSLAB_AUTO,
	.pcp_generation = BUDDY_LINUX_6_12,
	.watermarks = true,
	.watermark_scale_factor = 10,
	.min_free_kib = NSLAB_AUTO,
	.group_by_mobility = true,
	.dma_zone_mib = 16,
};

static void buddy_fill_zones(struct buddy_source *b, const struct nslab_memblock *m)
{
	size_t node_frames = b->base.arena->node_bytes >> NSLAB_PAGE_SHIFT;
	unsigned load[NSLAB_MAX_NODES] = {0};

	for (int node = 0; node < b->nr_nodes; node++) {
		size_t start = (size_t)node << b->frame_shift;

		buddy_zone_open(b, node, node ? start : b->dma_stop, start + node_frames);
		buddy_zonelist_fill(b, node, load);
	}
	if (b->dma_stop)
		buddy_zone_open(b, b->nr_nodes, 0, b->dma_stop);
	for (int i = 0; i < b->nr_zones; i++)
		buddy_take_over(b, &b->zones[i], m);
}

int nslab_buddy_open_early(const struct nslab_arena *arena, const void *params,
			   const struct nslab_memblock *memblock, struct nslab_page_source **source)
{
	const struct buddy_params *p = params ? params : &buddy_defaults;
	struct buddy_source *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return -ENOMEM;
	b->base.ops = &nslab_buddy_ops;
	b->base.arena = arena;
	b->has_pcp = p->pcp;
	b->has_marks = p->watermarks;
	b->generation = (enum buddy_generation)p->pcp_generation;
	b->nr_nodes = arena->nr_nodes;
	b->frame_shift = arena->node_shift - NSLAB_PAGE_SHIFT;
	b->dma_stop = buddy_dma_stop(arena, p);
	b->nr_zones = b->nr_nodes + (b->dma_stop != 0);
	b->pages = arena->pages;
	buddy_set_types(b, p);
	nslab_lock_init(&b->claim_lock, NSLAB_RANK_AREA);
	nslab_lock_init(&b->cpus_lock, NSLAB_RANK_ZONE);
	nslab_list_init(&b->cpus);
	rc = buddy_tables_open(b);
	if (rc) {
		buddy_close(&b->base);
		return rc;
	}
	buddy_fill_zones(b, memblock);
	buddy_size_zones(b, p);
	*source = &b->base;
	return 0;
}

/* All memory of all nodes, less what the parameter takes from each. */
static int buddy_early_memory(const struct nslab_arena *arena, const struct buddy_params *p,
			      struct nslab_memblock *m)
{
	int rc = 0;

	for (int node = 0; node < arena->nr_nodes && !rc; node++)
		rc = nslab_memblock_add(m, (uint64_t)node << arena->node_shift, arena->node_bytes,
					node, 0);
	for (int node = 0; p->early_mib && node < arena->nr_nodes && !rc; node++) {
		uint64_t base;

		rc = nslab_memblock_alloc(m, (uint64_t)p->early_mib << 20, NSLAB_PAGE_SIZE, node,
					  true, &base);
	}
	return rc;
}

int buddy_open(const struct nslab_arena *arena, const void *params,
	       struct nslab_page_source **source)
{
	const struct buddy_params *p = params ? params : &buddy_defaults;
	struct nslab_memblock *m = malloc(sizeof(*m));
	int rc;

	if (!m)
		return -ENOMEM;
	nslab_memblock_init(m);
	rc = buddy_early_memory(arena, p, m);
	if (!rc)
		rc = nslab_buddy_open_early(arena, p, m, source);
	nslab_memblock_exit(m);
	free(m);
	return rc;
}

/* ---- parameters ---- */

static const char *const buddy_auto[] = {"auto", NULL};
static const char *const buddy_generations[] = {"6.1", "6.12", NULL};

#define BUDDY_ROW(field, row_type)                                                                 \
 .name = #field, .type = NSLAB_PARAM_##row_type, .flags = NSLAB_PARAM_TUNABLE,                     \
 .offset = offsetof(struct buddy_params, field)

const struct nslab_param nslab_buddy_params[] = {
	{BUDDY_ROW(pcp, BOOL), .def = "yes",
	 .help = "keep free pages of orders 0..3 and 9 on lists of each CPU"},
	{BUDDY_ROW(pcp_high, INT), .def = "auto", .min = 4, .max = BUDDY_PARAM_HIGH_MAX,
	 .choices = buddy_auto,
	 .help = "pages on a CPU's lists of one zone at which some go back; auto: as the kernel"},
	{BUDDY_ROW(pcp_batch, INT), .def = "auto", .min = 1, .max = 4096, .choices = buddy_auto,
	 .help = "pages that move between a CPU's lists and the zone at once"},
	{BUDDY_ROW(pcp_generation, CHOICE), .def = "6.12", .choices = buddy_generations,
	 .help = "kernel whose per-CPU list sizes are modelled: fixed in 6.1, floating in 6.12"},
	{BUDDY_ROW(watermarks, BOOL), .def = "yes",
	 .help = "keep a reserve that only urgent requests may use"},
	{BUDDY_ROW(watermark_scale_factor, INT), .def = "10", .min = 1, .max = 3000,
	 .help = "least distance between watermarks, in 1/10000 of the zone"},
	{BUDDY_ROW(min_free_kib, INT), .def = "auto", .min = 0, .max = 262144,
	 .choices = buddy_auto,
	 .help = "KiB to keep free over all zones (vm.min_free_kbytes); auto: by the memory"},
	{BUDDY_ROW(group_by_mobility, BOOL), .def = "yes",
	 .help = "keep unmovable, movable and reclaimable pages in different pageblocks"},
	{BUDDY_ROW(dma_zone_mib, INT), .def = "16", .min = 0, .max = 65536,
	 .help = "MiB of node 0 for __GFP_DMA, at most a quarter of the node; 0: none"},
	{BUDDY_ROW(early_mib, INT), .def = "0", .min = 0, .max = 1048576,
	 .help = "MiB of each node that are taken for good before the page allocator starts"},
	NSLAB_PARAM_END,
};
