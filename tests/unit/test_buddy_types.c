/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_buddy_types.c: types of pages, watermarks, zones and early memory of the buddy allocator.
 *
 * Every rule is driven on a zone of a few pageblocks, where each block is known, and seen by what
 * is handed out and by the zone's statistics. The random test mixes everything on three zones
 * against a map of frames in use, and checks after every thousand steps that the lists add up. Its
 * seed is printed, and taken from the first argument when there is one.
 */
#define _GNU_SOURCE
#include "allocators/buddy.h"
#include "allocators/common/zone.h"
#include "core/rng.h"
#include "runner/page_text.h"
#include "tests/unit/page_fixture.h"

#define MAX_LIVE 512

static uint64_t seed = 20240611;

static uint64_t sum_of_blocks(const struct nslab_zone_stats *zone, int type)
{
	return nslab_zone_free_pages(zone->nr_free_blocks[type]);
}

static void assert_zone_adds_up(struct fixture *f, int number)
{
	struct nslab_zone_stats zone = zone_of(f, number);
	uint64_t nr = 0;

	for (int type = 0; type < NSLAB_NR_MIGRATE_TYPES; type++)
		nr += type == NSLAB_MIGRATE_ISOLATE ? 0 : sum_of_blocks(&zone, type);
	assert_int_equal(nr, zone.nr_free_pages);
}

/* ---- formulas ---- */

static void zone_marks_are_the_kernels_when_the_zone_is_known(void **state)
{
	struct nslab_zone_marks marks = nslab_zone_marks(3840, 3840, 232, 10);

	(void)state;
	assert_int_equal(marks.min, 58);
	assert_int_equal(marks.low, 72);
	assert_int_equal(marks.high, 86);
	assert_int_equal(marks.promo, 100);
	/* 16 GiB: the gap of 10 / 10000 of the zone is more than a quarter of min */
	assert_int_equal(nslab_zone_min_free_kib(4194304), 16384);
	marks = nslab_zone_marks(4194304, 4194304, 16384, 10);
	assert_int_equal(marks.min, 4096);
	assert_int_equal(marks.low, 4096 + 4194);
	assert_int_equal(nslab_zone_min_free_kib(1), 128);
	assert_int_equal(nslab_zone_min_free_kib(UINT64_C(1) << 40), 262144);
	assert_int_equal(nslab_zone_floor(400, 0), 400);
	assert_int_equal(nslab_zone_floor(400, NSLAB_ZONE_NON_BLOCK), 400);
	assert_int_equal(nslab_zone_floor(400, NSLAB_ZONE_HIGH), 200);
	assert_int_equal(nslab_zone_floor(400, NSLAB_ZONE_HIGH | NSLAB_ZONE_NON_BLOCK), 150);
	assert_int_equal(nslab_zone_floor(400, NSLAB_ZONE_NO_MARK), 0);
	assert_int_equal(nslab_zone_lowmem_reserve(262144, 256), 1024);
}

static void zone_tells_fragmentation_when_a_request_would_fail(void **state)
{
	uint64_t nr[NSLAB_MAX_ORDER + 1] = {100};

	(void)state;
	assert_int_equal(nslab_zone_extfrag_index(nr, 3), 865);
	assert_int_equal(nslab_zone_unusable_index(nr, 3), 1000);
	assert_int_equal(nslab_zone_extfrag_index(nr, 0), -1000);
	assert_int_equal(nslab_zone_unusable_index(nr, 0), 0);
	/* one block of order 4 among them: 16 of 116 pages are usable at order 3 */
	nr[4] = 1;
	assert_int_equal(nslab_zone_extfrag_index(nr, 3), -1000);
	assert_int_equal(nslab_zone_unusable_index(nr, 3), 862);
	memset(nr, 0, sizeof(nr));
	assert_int_equal(nslab_zone_extfrag_index(nr, 3), 0);
	assert_int_equal(nslab_zone_unusable_index(nr, 3), 1000);
}

/* ---- types ---- */

static size_t pageblock_of(struct fixture *f, const struct nslab_page *page)
{
	return nslab_arena_pfn(&f->arena, page) >> NSLAB_PAGEBLOCK_ORDER;
}

static void buddy_keeps_types_in_different_pageblocks_when_they_mix(void **state)
{
	static const gfp_t gfp[3] = {GFP_KERNEL, GFP_KERNEL | __GFP_MOVABLE,
				     GFP_KERNEL | __GFP_RECLAIMABLE};
	struct nslab_cpu cpu = {.id = 0};
	int type_at[16], nr_of_type[3] = {0};
	struct fixture f;

	(void)state;
	memset(type_at, -1, sizeof(type_at));
	fixture_map(&f, 1, 32 * MIB);
	fixture_open(&f, NULL);
	for (int i = 0; i < 2400; i++) {
		struct nslab_page *page = take(&f, &cpu, 0, gfp[i % 3], 0);
		size_t block = pageblock_of(&f, page);

		if (type_at[block] < 0)
			type_at[block] = i % 3;
		assert_int_equal(type_at[block], i % 3);
	}
	for (int i = 0; i < 16; i++) {
		if (type_at[i] >= 0)
			nr_of_type[type_at[i]]++;
	}
	assert_true(nr_of_type[0] == 2 && nr_of_type[1] == 2 && nr_of_type[2] == 2);
	/* each of the other types took one block of 4 MiB as its own, labels of both halves */
	assert_int_equal(zone_of(&f, 0).nr_pageblocks[NSLAB_MIGRATE_UNMOVABLE], 2);
	assert_int_equal(zone_of(&f, 0).nr_pageblocks[NSLAB_MIGRATE_RECLAIMABLE], 2);
	assert_int_equal(zone_of(&f, 0).nr_pageblocks[NSLAB_MIGRATE_MOVABLE], 12);
	assert_int_equal(zone_of(&f, 0).nr_extfrag, 2);
	assert_int_equal(zone_of(&f, 0).nr_claimed, 2);
	assert_int_equal(zone_of(&f, 0).nr_below_low, 0);
	fixture_close(&f);
}

static void buddy_has_one_type_when_memory_is_too_small_or_grouping_is_off(void **state)
{
	static const size_t node_bytes[] = {8 * MIB, 32 * MIB};
	static const char *const grouped[] = {"yes", "no"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct fixture f;

		fixture_map(&f, 1, node_bytes[i]);
		fixture_open(&f, "group_by_mobility", grouped[i], NULL);
		assert_non_null(take(&f, NULL, 0, __GFP_MOVABLE, 0));
		assert_ptr_equal(take(&f, NULL, 0, __GFP_RECLAIMABLE, 0), f.arena.pages + 1);
		assert_ptr_equal(take(&f, NULL, 0, 0, 0), f.arena.pages + 2);
		assert_int_equal(zone_of(&f, 0).nr_extfrag, 0);
		fixture_close(&f);
	}
}

/* A zone of 16 MiB in which only one pageblock has free pages, movable, and `nr` of it are in use.
 */
static struct nslab_page *open_one_pageblock(struct fixture *f, unsigned nr, gfp_t gfp)
{
	struct nslab_page *block, *page = NULL;

	fixture_map(f, 1, 16 * MIB);
	fixture_open(f, "pcp", "no", NULL);
	for (int i = 0; i < 3; i++)
		assert_non_null(take(f, NULL, 10, gfp, 0));
	assert_non_null(take(f, NULL, 9, gfp, 0));
	block = take(f, NULL, 9, gfp, 0);
	assert_non_null(block);
	give(f, NULL, block, 9);
	for (unsigned i = 0; i < nr; i++) {
		page = take(f, NULL, 0, gfp, 0);
		assert_int_equal(pageblock_of(f, page), pageblock_of(f, block));
	}
	return block;
}

static void buddy_claims_a_pageblock_when_half_of_it_is_free(void **state)
{
	struct nslab_page *block, *page;
	struct nslab_zone_stats zone;
	struct fixture f;

	(void)state;
	block = open_one_pageblock(&f, 256, __GFP_MOVABLE);
	page = take(&f, NULL, 0, GFP_KERNEL, 0);
	zone = zone_of(&f, 0);
	assert_int_equal(pageblock_of(&f, page), pageblock_of(&f, block));
	assert_int_equal(zone.nr_pageblocks[NSLAB_MIGRATE_UNMOVABLE], 1);
	assert_int_equal(sum_of_blocks(&zone, NSLAB_MIGRATE_UNMOVABLE), 255);
	assert_int_equal(sum_of_blocks(&zone, NSLAB_MIGRATE_MOVABLE), 0);
	assert_int_equal(zone.nr_claimed, 1);
	fixture_close(&f);
}

static void buddy_steals_one_block_when_a_pageblock_is_mostly_in_use(void **state)
{
	struct nslab_zone_stats zone;
	struct fixture f;

	(void)state;
	open_one_pageblock(&f, 257, __GFP_MOVABLE);
	assert_non_null(take(&f, NULL, 0, GFP_KERNEL, 0));
	zone = zone_of(&f, 0);
	assert_int_equal(zone.nr_pageblocks[NSLAB_MIGRATE_UNMOVABLE], 0);
	assert_int_equal(sum_of_blocks(&zone, NSLAB_MIGRATE_MOVABLE), 512 - 258);
	assert_int_equal(zone.nr_extfrag, 1);
	assert_int_equal(zone.nr_claimed, 0);
	fixture_close(&f);
}

/* Pages in use count as compatible: by other than movable requests for an unmovable one. */
static void buddy_counts_compatible_pages_when_it_wants_to_claim(void **state)
{
	struct nslab_page *block;
	struct fixture f;

	(void)state;
	block = open_one_pageblock(&f, 257, __GFP_MOVABLE);
	/* stolen, so neither of them changes the label */
	assert_non_null(take(&f, NULL, 0, GFP_KERNEL, 0));
	assert_non_null(take(&f, NULL, 0, GFP_KERNEL, 0));
	assert_int_equal(zone_of(&f, 0).nr_claimed, 0);
	/* one movable page less, and 254 free ones with 2 unmovable are half of the pageblock */
	give(&f, NULL, block, 0);
	assert_non_null(take(&f, NULL, 0, GFP_KERNEL, 0));
	assert_int_equal(zone_of(&f, 0).nr_claimed, 1);
	fixture_close(&f);
}

static void buddy_steals_small_when_a_movable_request_falls_back(void **state)
{
	struct nslab_page *block, *page[512];
	uint64_t nr_claimed;
	struct fixture f;
	int nr = 0;

	(void)state;
	block = open_one_pageblock(&f, 0, GFP_KERNEL);
	while (nr < 512 && (page[nr] = take(&f, NULL, 0, GFP_KERNEL, 0)))
		nr++;
	assert_int_equal(nr, 512);
	nr_claimed = zone_of(&f, 0).nr_claimed;
	/* 256 pages are free in runs of 8: nothing of order 4, so nothing may be claimed */
	for (int i = 0; i < 512; i++) {
		if (i & 8)
			give(&f, NULL, block + i, 0);
	}
	give(&f, NULL, block, 0);
	assert_ptr_equal(take(&f, NULL, 0, __GFP_MOVABLE, 0), block);
	assert_int_equal(zone_of(&f, 0).nr_claimed, nr_claimed);
	/* a run of 16 may: half of the pageblock is free */
	for (int i = 0; i < 8; i++)
		give(&f, NULL, block + 16 + i, 0);
	assert_non_null(take(&f, NULL, 0, __GFP_MOVABLE, 0));
	assert_int_equal(zone_of(&f, 0).nr_claimed, nr_claimed + 1);
	fixture_close(&f);
}

/* ---- watermarks and reserves ---- */

static unsigned take_all(struct fixture *f, struct nslab_cpu *cpu, gfp_t gfp)
{
	unsigned nr = 0;

	while (take(f, cpu, 0, gfp, 0))
		nr++;
	return nr;
}

static void buddy_keeps_a_reserve_when_watermarks_are_on(void **state)
{
	struct nslab_zone_stats zone;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 64 * MIB);
	fixture_open(&f, "watermarks", "yes", "pcp", "no", NULL);
	zone = zone_of(&f, 0);
	/* 64 MiB: 4 * sqrt(65536) KiB */
	assert_int_equal(zone.min_pages, 256);
	assert_int_equal(zone.low_pages, 320);
	assert_int_equal(zone.high_pages, 384);
	take_all(&f, NULL, GFP_KERNEL);
	assert_int_equal(zone_of(&f, 0).nr_free_pages, 256);
	take_all(&f, NULL, GFP_KERNEL | __GFP_HIGH);
	assert_int_equal(zone_of(&f, 0).nr_free_pages, 128);
	take_all(&f, NULL, GFP_ATOMIC | __GFP_NOMEMALLOC);
	assert_int_equal(zone_of(&f, 0).nr_free_pages, 128);
	take_all(&f, NULL, GFP_ATOMIC);
	assert_int_equal(zone_of(&f, 0).nr_free_pages, 96);
	assert_null(take(&f, NULL, 0, __GFP_MEMALLOC | __GFP_NOMEMALLOC, 0));
	take_all(&f, NULL, GFP_KERNEL | __GFP_MEMALLOC);
	assert_int_equal(zone_of(&f, 0).nr_free_pages, 0);
	fixture_close(&f);
}

/* Above low at home, else above low elsewhere; only then down to min. */
static void buddy_prefers_another_node_when_its_own_is_at_the_low_mark(void **state)
{
	struct nslab_page *page;
	struct fixture f;
	uint64_t low;

	(void)state;
	fixture_map(&f, 2, 64 * MIB);
	fixture_open(&f, "watermarks", "yes", "pcp", "no", NULL);
	low = zone_of(&f, 0).low_pages;
	while (zone_of(&f, 0).nr_free_pages > low)
		assert_int_equal(take(&f, NULL, 0, GFP_KERNEL, 0)->node, 0);
	assert_int_equal(take(&f, NULL, 0, GFP_KERNEL, 0)->node, 1);
	page = take(&f, NULL, 0, GFP_KERNEL | __GFP_THISNODE, 0);
	assert_int_equal(page->node, 0);
	assert_int_equal(stats_of(&f, 1).nr_fallback, 1);
	assert_int_equal(zone_of(&f, 0).nr_below_low, 1);
	fixture_close(&f);
}

static void buddy_boosts_watermarks_when_pageblocks_become_mixed(void **state)
{
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 64 * MIB);
	fixture_open(&f, "watermarks", "yes", "pcp", "no", NULL);
	/* everything is in use but the last pageblock, in whole blocks */
	for (int i = 0; i < 15; i++)
		assert_non_null(take(&f, NULL, 10, __GFP_MOVABLE | __GFP_MEMALLOC, 0));
	assert_non_null(take(&f, NULL, 9, __GFP_MOVABLE | __GFP_MEMALLOC, 0));
	assert_non_null(take(&f, NULL, 0, __GFP_MOVABLE | __GFP_MEMALLOC, 0));
	assert_int_equal(zone_of(&f, 0).boost_pages, 0);
	assert_non_null(take(&f, NULL, 0, GFP_KERNEL, 0));
	assert_int_equal(zone_of(&f, 0).nr_claimed, 1);
	/* one and a half times the high mark is 576; a pageblock is 512 */
	assert_int_equal(zone_of(&f, 0).boost_pages, 512);
	/* who runs into it makes it go */
	assert_non_null(take(&f, NULL, 0, GFP_KERNEL, 0));
	assert_int_equal(zone_of(&f, 0).boost_pages, 0);
	assert_int_equal(zone_of(&f, 0).nr_below_low, 1);
	fixture_close(&f);
}

static void buddy_keeps_pageblocks_when_large_requests_cannot_wait(void **state)
{
	struct nslab_page *page;
	struct nslab_zone_stats zone;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 256 * MIB);
	fixture_open(&f, "watermarks", "yes", "pcp", "no", NULL);
	/* one page less than low, so that the request has to insist */
	while (zone_of(&f, 0).nr_free_pages > zone_of(&f, 0).low_pages)
		assert_non_null(take(&f, NULL, 0, GFP_KERNEL, 0));
	page = take(&f, NULL, 3, GFP_ATOMIC, 0);
	assert_non_null(page);
	zone = zone_of(&f, 0);
	assert_int_equal(zone.nr_pageblocks[NSLAB_MIGRATE_HIGHATOMIC], 1);
	assert_true(sum_of_blocks(&zone, NSLAB_MIGRATE_HIGHATOMIC) > 0);
	/* the next one comes from there, ordinary ones do not */
	assert_int_equal(pageblock_of(&f, take(&f, NULL, 3, GFP_ATOMIC, 0)),
			 pageblock_of(&f, page));
	take_all(&f, NULL, GFP_NOWAIT);
	assert_true(sum_of_blocks(&zone, NSLAB_MIGRATE_HIGHATOMIC) > 0);
	assert_int_equal(zone_of(&f, 0).nr_pageblocks[NSLAB_MIGRATE_HIGHATOMIC], 1);
	/* who may sleep gets it in the end */
	take_all(&f, NULL, GFP_KERNEL | __GFP_MEMALLOC);
	assert_int_equal(zone_of(&f, 0).nr_pageblocks[NSLAB_MIGRATE_HIGHATOMIC], 0);
	assert_int_equal(zone_of(&f, 0).nr_free_pages, 0);
	fixture_close(&f);
}

/* ---- zones ---- */

static void buddy_has_a_dma_zone_when_node_0_is_large_enough(void **state)
{
	struct nslab_cpu cpu = {.id = 0, .node = 1};
	struct nslab_page *page;
	struct fixture f;

	(void)state;
	fixture_map(&f, 2, 64 * MIB);
	fixture_open(&f, "dma_zone_mib", "16", NULL);
	assert_string_equal(zone_of(&f, 0).name, "DMA");
	assert_int_equal(zone_of(&f, 0).nr_managed_pages, 4096);
	assert_int_equal(zone_of(&f, 1).nr_managed_pages, 12288);
	assert_int_equal(zone_of(&f, 2).node, 1);
	assert_int_equal(ops()->zone_stats(f.source, 3, &(struct nslab_zone_stats){0}), -ENOENT);
	page = take(&f, &cpu, 0, GFP_KERNEL, 0);
	assert_true(nslab_arena_pfn(&f.arena, page) >= 4096);
	give(&f, &cpu, page, 0);
	for (int i = 0; i < 4096; i++) {
		page = take(&f, &cpu, 0, __GFP_DMA, NUMA_NO_NODE);
		assert_true(nslab_arena_pfn(&f.arena, page) < 4096);
	}
	assert_null(take(&f, &cpu, 0, __GFP_DMA, NUMA_NO_NODE));
	assert_null(take(&f, &cpu, 0, __GFP_DMA | __GFP_THISNODE, 1));
	give(&f, &cpu, page, 0);
	assert_ptr_equal(take(&f, &cpu, 0, __GFP_DMA | __GFP_THISNODE, 0), page);
	fixture_close(&f);
}

static void buddy_spares_the_dma_zone_when_the_rest_is_used_up(void **state)
{
	struct nslab_zone_stats dma;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 64 * MIB);
	fixture_open(&f, "dma_zone_mib", "16", "watermarks", "yes", "pcp", "no", NULL);
	dma = zone_of(&f, 0);
	assert_int_equal(dma.reserve_pages, 12288 / 256);
	take_all(&f, NULL, GFP_KERNEL);
	assert_int_equal(zone_of(&f, 0).nr_free_pages, dma.min_pages + dma.reserve_pages);
	assert_int_equal(zone_of(&f, 1).nr_free_pages, zone_of(&f, 1).min_pages);
	assert_int_equal(stats_of(&f, 0).nr_fallback, 0);
	take_all(&f, NULL, GFP_KERNEL | __GFP_DMA);
	assert_int_equal(zone_of(&f, 0).nr_free_pages, dma.min_pages);
	fixture_close(&f);
}

static void buddy_has_no_dma_zone_when_node_0_is_small(void **state)
{
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 8 * MIB);
	fixture_open(&f, "dma_zone_mib", "16", NULL);
	assert_string_equal(zone_of(&f, 0).name, "Normal");
	assert_ptr_equal(take(&f, NULL, 0, __GFP_DMA, 0), f.arena.pages);
	fixture_close(&f);
}

/* ---- per-CPU lists ---- */

static void buddy_refills_by_one_batch_when_the_kernel_is_6_1(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 1024 * MIB);
	fixture_open(&f, "pcp_generation", "6.1", NULL);
	for (int i = 0; i < 4; i++) {
		for (int j = 0; j < 63; j++)
			assert_non_null(take(&f, &cpu, 0, 0, 0));
		assert_int_equal(stats_of(&f, 0).nr_zone_lock, i + 1);
		assert_int_equal(stats_of(&f, 0).nr_pcp_pages, 0);
	}
	assert_int_equal(zone_of(&f, 0).pcp_batch, 63);
	/* low is 1286 pages, shared by two CPUs; it is fixed */
	assert_int_equal(zone_of(&f, 0).pcp_high_min, 643);
	assert_int_equal(zone_of(&f, 0).pcp_high_max, 643);
	fixture_close(&f);
}

static void buddy_gives_back_twice_as_much_each_time_when_the_kernel_is_6_1(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	static struct nslab_page *page[2000];
	uint64_t before = 0, nr_back[3];
	struct fixture f;
	int nr = 0;

	(void)state;
	fixture_map(&f, 1, 1024 * MIB);
	fixture_open(&f, "pcp_generation", "6.1", NULL);
	for (int i = 0; i < 2000; i++)
		page[i] = take(&f, &cpu, 0, 0, 0);
	for (int i = 0; i < 2000 && nr < 3; i++) {
		uint64_t now;

		give(&f, &cpu, page[i], 0);
		now = stats_of(&f, 0).nr_pcp_pages;
		if (now < before)
			nr_back[nr++] = before + 1 - now;
		before = now;
	}
	assert_int_equal(nr_back[0], 63);
	assert_int_equal(nr_back[1], 126);
	assert_int_equal(nr_back[2], 252);
	fixture_close(&f);
}

static void buddy_lists_pageblocks_when_they_come_and_go(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page *page;
	uint64_t nr_locks;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 1024 * MIB);
	fixture_open(&f, NULL);
	page = take(&f, &cpu, 9, __GFP_MOVABLE, 0);
	give(&f, &cpu, page, 9);
	nr_locks = stats_of(&f, 0).nr_zone_lock;
	assert_ptr_equal(take(&f, &cpu, 9, __GFP_MOVABLE, 0), page);
	give(&f, &cpu, page, 9);
	assert_int_equal(stats_of(&f, 0).nr_zone_lock, nr_locks);
	ops()->cpu_drain(f.source, &cpu);
	assert_int_equal(stats_of(&f, 0).nr_free_blocks[10], 256);
	assert_int_equal(stats_of(&f, 0).nr_alloc[9], 2);
	fixture_close(&f);
}

/* ---- early memory ---- */

static void buddy_never_hands_out_what_was_reserved_early(void **state)
{
	static struct nslab_memblock m;
	struct fixture f;
	uint64_t base;
	unsigned nr = 0;

	(void)state;
	fixture_map(&f, 2, 32 * MIB);
	nslab_memblock_init(&m);
	for (int node = 0; node < 2; node++)
		assert_int_equal(
			nslab_memblock_add(&m, (uint64_t)node * 32 * MIB, 32 * MIB, node, 0), 0);
	/* five and a half pages, of which whole frames are lost; and a large one on node 1 */
	assert_int_equal(nslab_memblock_reserve(&m, 9 * MIB + 2048, 5 * NSLAB_PAGE_SIZE), 0);
	assert_int_equal(nslab_memblock_alloc(&m, 7 * MIB, MIB, 1, true, &base), 0);
	assert_int_equal(base, 57 * MIB);
	fixture_open(&f, NULL);
	ops()->close(f.source);
	assert_int_equal(nslab_buddy_open_early(&f.arena, f.params, &m, &f.source), 0);
	assert_int_equal(zone_of(&f, 0).nr_managed_pages, 8192 - 6);
	assert_int_equal(zone_of(&f, 1).nr_managed_pages, 8192 - 7 * 256);
	assert_zone_adds_up(&f, 0);
	for (struct nslab_page *page; (page = take(&f, NULL, 0, GFP_KERNEL, 0)); nr++) {
		size_t pfn = nslab_arena_pfn(&f.arena, page);

		assert_false(pfn >= 9 * 256 && pfn < 9 * 256 + 6);
		assert_false(pfn >= 57 * 256);
	}
	assert_int_equal(nr, 16384 - 6 - 7 * 256);
	nslab_memblock_exit(&m);
	fixture_close(&f);
}

static void buddy_takes_early_memory_from_the_top_when_a_parameter_asks(void **state)
{
	struct fixture f;

	(void)state;
	fixture_map(&f, 2, 32 * MIB);
	fixture_open(&f, "early_mib", "3", NULL);
	for (int node = 0; node < 2; node++) {
		struct nslab_zone_stats zone = zone_of(&f, node);

		assert_int_equal(zone.nr_present_pages, 8192);
		assert_int_equal(zone.nr_managed_pages, 8192 - 768);
		assert_int_equal(zone.nr_free_blocks[NSLAB_MIGRATE_MOVABLE][8], 1);
		assert_int_equal(zone.nr_free_blocks[NSLAB_MIGRATE_MOVABLE][10], 7);
	}
	fixture_close(&f);
	fixture_map(&f, 1, 4 * MIB);
	f.params = calloc(1, ops()->params_size);
	assert_int_equal(nslab_param_defaults(ops()->params, f.params, &(struct nslab_err){""}), 0);
	set_param(&f, "early_mib", "5");
	assert_int_equal(ops()->open(&f.arena, f.params, &f.source), -ENOMEM);
	munmap(f.arena.pages, f.record_bytes);
	munmap(f.mapping, f.bytes);
	free(f.params);
}

/* ---- texts ---- */

static void page_text_has_the_kernels_columns(void **state)
{
	struct nslab_zone_stats zones[2] = {{.name = "DMA"}, {.name = "Normal", .node = 1}};
	char *text;

	(void)state;
	zones[0].nr_free_blocks[NSLAB_MIGRATE_UNMOVABLE][0] = 60;
	zones[0].nr_free_blocks[NSLAB_MIGRATE_MOVABLE][0] = 40;
	zones[1].nr_free_blocks[NSLAB_MIGRATE_MOVABLE][10] = 255;
	zones[1].nr_pageblocks[NSLAB_MIGRATE_MOVABLE] = 510;
	text = nslab_page_buddyinfo(zones, 2);
	assert_string_equal(text, "Node 0, zone      DMA    100      0      0      0      0      0 "
				  "     0      0      0      0      0 \n"
				  "Node 1, zone   Normal      0      0      0      0      0      0 "
				  "     0      0      0      0    255 \n");
	free(text);
	text = nslab_page_extfrag_index(zones, 1);
	assert_string_equal(text, "Node 0, zone      DMA -1.000  0.490  0.740  0.865  0.928  0.959 "
				  " 0.975  0.983  0.987  0.989  0.990 \n");
	free(text);
	text = nslab_page_unusable_index(zones, 1);
	assert_string_equal(text, "Node 0, zone      DMA 0.000 1.000 1.000 1.000 1.000 1.000 1.000 "
				  "1.000 1.000 1.000 1.000 \n");
	free(text);
	text = nslab_page_pagetypeinfo(zones, 2);
	assert_non_null(strstr(text, "Page block order: 9\nPages per block:  512\n\n"));
	assert_non_null(
		strstr(text, "\nNode    0, zone      DMA, type    Unmovable     60      0 "));
	assert_non_null(
		strstr(text, "\nNode    1, zone   Normal, type      Movable      0      0 "));
	assert_non_null(
		strstr(text, "\nNumber of blocks type     Unmovable      Movable  Reclaimable "));
	assert_non_null(strstr(text, "\nNode 1, zone   Normal            0          510 "));
	free(text);
	assert_string_equal(nslab_migrate_word(NSLAB_NR_MIGRATE_TYPES), "?");
}

/* ---- everything at random ---- */

struct live {
	struct nslab_page *page;
	unsigned order;
};

static const gfp_t random_gfp[] = {
	GFP_KERNEL,
	GFP_KERNEL | __GFP_MOVABLE,
	GFP_KERNEL | __GFP_RECLAIMABLE,
	GFP_ATOMIC,
	GFP_NOWAIT | __GFP_MOVABLE,
	GFP_KERNEL | __GFP_DMA,
	GFP_ATOMIC | __GFP_RECLAIMABLE,
	GFP_KERNEL | __GFP_THISNODE,
	GFP_KERNEL | __GFP_MEMALLOC,
};

static void random_take(struct fixture *f, struct nslab_cpu *cpu, uint64_t *rng, struct live *live,
			unsigned char *is_used)
{
	unsigned order = (unsigned)__builtin_ctz(nslab_rng_below(rng, 1024) | 1024);
	gfp_t gfp = random_gfp[nslab_rng_below(rng, 9)];
	int node = (int)nslab_rng_below(rng, 3) - 1;
	size_t pfn;

	live->order = order;
	live->page = take(f, cpu, order, gfp, node);
	if (!live->page)
		return;
	pfn = nslab_arena_pfn(&f->arena, live->page);
	assert_int_equal(live->page->flags, NSLAB_PAGE_HEAD);
	assert_int_equal(pfn & ((1u << order) - 1), 0);
	if (gfp & __GFP_DMA)
		assert_true(pfn < 4096);
	if (gfp & __GFP_THISNODE && node >= 0)
		assert_int_equal(live->page->node, node);
	for (size_t i = pfn; i < pfn + ((size_t)1 << order); i++) {
		assert_int_equal(is_used[i], 0);
		is_used[i] = 1;
	}
}

static void random_give(struct fixture *f, struct nslab_cpu *cpu, struct live *live,
			unsigned char *is_used)
{
	if (live->page)
		memset(is_used + nslab_arena_pfn(&f->arena, live->page), 0,
		       (size_t)1 << live->order);
	if (live->page)
		give(f, cpu, live->page, live->order);
	live->page = NULL;
}

static void buddy_adds_up_when_types_orders_and_rights_mix(void **state)
{
	static const char *const generation[] = {"6.1", "6.12"};
	static struct live live[MAX_LIVE];

	(void)state;
	for (uint64_t run = 0; run < 4; run++) {
		struct nslab_cpu cpus[2] = {{.id = 0}, {.id = 1, .node = 1}};
		struct nslab_cpu *cpu[3] = {&cpus[0], &cpus[1], NULL};
		unsigned char *is_used = calloc(32768, 1);
		uint64_t rng = nslab_rng_mix(seed, run);
		struct fixture f;

		fixture_map(&f, 2, 64 * MIB);
		fixture_open(&f, "dma_zone_mib", "16", "watermarks", run < 2 ? "yes" : "no",
			     "pcp_generation", generation[run % 2], NULL);
		for (int i = 0; i < 40000; i++) {
			struct live *l = &live[nslab_rng_below(&rng, MAX_LIVE)];
			struct nslab_cpu *c = cpu[nslab_rng_below(&rng, 3)];

			if (l->page)
				random_give(&f, c, l, is_used);
			else
				random_take(&f, c, &rng, l, is_used);
			for (int zone = 0; i % 1000 == 0 && zone < 3; zone++)
				assert_zone_adds_up(&f, zone);
		}
		for (int i = 0; i < MAX_LIVE; i++)
			random_give(&f, cpu[i % 3], &live[i], is_used);
		for (int i = 0; i < 2; i++)
			ops()->cpu_drain(f.source, &cpus[i]);
		for (int i = 0; i < 2; i++)
			assert_int_equal(stats_of(&f, i).nr_free_blocks[10], 16);
		assert_int_equal(stats_of(&f, 0).nr_pcp_pages + stats_of(&f, 1).nr_pcp_pages, 0);
		fixture_close(&f);
		free(is_used);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zone_marks_are_the_kernels_when_the_zone_is_known),
		cmocka_unit_test(zone_tells_fragmentation_when_a_request_would_fail),
		cmocka_unit_test(buddy_keeps_types_in_different_pageblocks_when_they_mix),
		cmocka_unit_test(buddy_has_one_type_when_memory_is_too_small_or_grouping_is_off),
		cmocka_unit_test(buddy_claims_a_pageblock_when_half_of_it_is_free),
		cmocka_unit_test(buddy_steals_one_block_when_a_pageblock_is_mostly_in_use),
		cmocka_unit_test(buddy_counts_compatible_pages_when_it_wants_to_claim),
		cmocka_unit_test(buddy_steals_small_when_a_movable_request_falls_back),
		cmocka_unit_test(buddy_keeps_a_reserve_when_watermarks_are_on),
		cmocka_unit_test(buddy_prefers_another_node_when_its_own_is_at_the_low_mark),
		cmocka_unit_test(buddy_boosts_watermarks_when_pageblocks_become_mixed),
		cmocka_unit_test(buddy_keeps_pageblocks_when_large_requests_cannot_wait),
		cmocka_unit_test(buddy_has_a_dma_zone_when_node_0_is_large_enough),
		cmocka_unit_test(buddy_spares_the_dma_zone_when_the_rest_is_used_up),
		cmocka_unit_test(buddy_has_no_dma_zone_when_node_0_is_small),
		cmocka_unit_test(buddy_refills_by_one_batch_when_the_kernel_is_6_1),
		cmocka_unit_test(buddy_gives_back_twice_as_much_each_time_when_the_kernel_is_6_1),
		cmocka_unit_test(buddy_lists_pageblocks_when_they_come_and_go),
		cmocka_unit_test(buddy_never_hands_out_what_was_reserved_early),
		cmocka_unit_test(buddy_takes_early_memory_from_the_top_when_a_parameter_asks),
		cmocka_unit_test(page_text_has_the_kernels_columns),
		cmocka_unit_test(buddy_adds_up_when_types_orders_and_rights_mix),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	printf("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests_name("buddy types", tests, NULL, NULL);
}
