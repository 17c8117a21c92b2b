/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_buddy.c: the buddy page allocator against a bitmap, and against the kernel's rules.
 *
 * The arena is made here from plain memory, so the tests see exactly the frames that they planned:
 * a node of 4 MiB is one block of order 10. Lists are observed from outside, by what the next
 * request gets and by the statistics.
 */
#define _GNU_SOURCE
#include "allocators/common/zone.h"
#include "core/list.h"
#include "core/rng.h"
#include "tests/unit/page_fixture.h"

#include <pthread.h>

#define MAX_BLOCKS 512

/* Everything came back and merged. */
static void assert_whole(struct fixture *f)
{
	for (int node = 0; node < f->arena.nr_nodes; node++) {
		struct nslab_page_stats stats = stats_of(f, node);

		assert_int_equal(stats.nr_pcp_pages, 0);
		assert_int_equal(stats.nr_free_pages, f->arena.node_bytes >> NSLAB_PAGE_SHIFT);
		for (int order = 0; order < NSLAB_MAX_ORDER; order++)
			assert_int_equal(stats.nr_free_blocks[order], 0);
		assert_int_equal(stats.nr_free_blocks[NSLAB_MAX_ORDER],
				 f->arena.node_bytes / (4 * MIB));
	}
}

/* ---- a model: which frames are in use ---- */

struct model {
	struct fixture *f;
	struct nslab_page *page[MAX_BLOCKS];
	unsigned order[MAX_BLOCKS];
	unsigned nr;
	unsigned char *is_used;
};

static void model_take(struct model *m, struct nslab_cpu *cpu, unsigned order, int node)
{
	struct nslab_page *page = take(m->f, cpu, order, 0, node);
	size_t pfn;

	if (!page)
		return;
	pfn = nslab_arena_pfn(&m->f->arena, page);
	assert_int_equal(pfn & ((1u << order) - 1), 0);
	assert_int_equal(page->order, order);
	assert_int_equal(page->flags, NSLAB_PAGE_HEAD);
	for (size_t i = 0; i < (size_t)1 << order; i++) {
		assert_int_equal(m->is_used[pfn + i], 0);
		m->is_used[pfn + i] = 1;
		assert_int_equal(page[i].node, pfn >> (m->f->arena.node_shift - NSLAB_PAGE_SHIFT));
	}
	m->page[m->nr] = page;
	m->order[m->nr++] = order;
}

static void model_give(struct model *m, struct nslab_cpu *cpu, unsigned i)
{
	size_t pfn = nslab_arena_pfn(&m->f->arena, m->page[i]);

	memset(m->is_used + pfn, 0, (size_t)1 << m->order[i]);
	give(m->f, cpu, m->page[i], m->order[i]);
	m->nr--;
	m->page[i] = m->page[m->nr];
	m->order[i] = m->order[m->nr];
}

static void model_run(struct fixture *f, struct nslab_cpu *const *cpus, uint64_t rng)
{
	struct model m = {.f = f};

	m.is_used = calloc(f->record_bytes / 64, 1);
	assert_non_null(m.is_used);
	for (int i = 0; i < 20000; i++) {
		struct nslab_cpu *cpu = cpus[nslab_rng_below(&rng, 4)];
		bool is_full = m.nr == MAX_BLOCKS;
		unsigned order = (unsigned)__builtin_ctz(nslab_rng_below(&rng, 1024) | 1024);

		if (m.nr && (is_full || nslab_rng_below(&rng, 2)))
			model_give(&m, cpu, nslab_rng_below(&rng, m.nr));
		else
			model_take(&m, cpu, order, (int)nslab_rng_below(&rng, 3) - 1);
	}
	while (m.nr)
		model_give(&m, cpus[m.nr % 4], m.nr - 1);
	for (int i = 0; i < 3; i++)
		ops()->cpu_drain(f->source, cpus[i]);
	free(m.is_used);
}

static void buddy_keeps_blocks_apart_and_merges_them_when_orders_mix(void **state)
{
	static const char *const pcp[] = {"yes", "no"};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct nslab_cpu cpu[3] = {{.id = 0}, {.id = 1, .node = 1}, {.id = 2}};
		struct nslab_cpu *cpus[4] = {&cpu[0], &cpu[1], &cpu[2], NULL};
		struct fixture f;

		fixture_map(&f, 2, 8 * MIB);
		fixture_open(&f, "pcp", pcp[i], NULL);
		model_run(&f, cpus, 7 + i);
		assert_whole(&f);
		assert_null(cpu[0].page_state);
		fixture_close(&f);
	}
}

static void buddy_leads_to_the_head_when_asked_from_any_frame(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 8 * MIB);
	fixture_open(&f, NULL);
	for (int pass = 0; pass < 2; pass++) {
		for (unsigned order = 0; order <= NSLAB_MAX_ORDER; order++) {
			struct nslab_page *page = take(&f, &cpu, order, 0, 0);
			char *start = nslab_arena_address(&f.arena, page);

			for (size_t i = 0; i < (size_t)1 << order; i++) {
				char *ptr = start + i * NSLAB_PAGE_SIZE + i % NSLAB_PAGE_SIZE;

				assert_ptr_equal(nslab_page_of(&f.env, ptr), page);
			}
			give(&f, &cpu, page, order);
		}
	}
	fixture_close(&f);
}

/* ---- the kernel's rules ---- */

static void assert_fallback_order(struct fixture *f, int from, const int *expected)
{
	struct nslab_page *page[4];

	for (int i = 0; i < f->arena.nr_nodes; i++) {
		page[i] = take(f, NULL, NSLAB_MAX_ORDER, 0, from);
		assert_non_null(page[i]);
		assert_int_equal(page[i]->node, expected[i]);
	}
	assert_null(take(f, NULL, NSLAB_MAX_ORDER, 0, from));
	for (int i = 0; i < f->arena.nr_nodes; i++)
		give(f, NULL, page[i], NSLAB_MAX_ORDER);
}

static void buddy_starts_fallback_above_itself_when_distances_are_equal(void **state)
{
	static const int expected[4][4] = {{0, 1, 2, 3}, {1, 2, 3, 0}, {2, 3, 0, 1}, {3, 0, 1, 2}};
	struct fixture f;

	(void)state;
	fixture_map(&f, 4, 4 * MIB);
	fixture_open(&f, NULL);
	for (int from = 0; from < 4; from++)
		assert_fallback_order(&f, from, expected[from]);
	assert_int_equal(stats_of(&f, 1).nr_fallback, 3);
	fixture_close(&f);
}

/* Two pairs of nodes, near across the pairs: who was chosen before is less attractive. */
static void buddy_rotates_fallback_when_nodes_are_equally_near(void **state)
{
	static const uint8_t distance[16] = {10, 30, 20, 20, 30, 10, 20, 20,
					     20, 20, 10, 30, 20, 20, 30, 10};
	static const int expected[4][4] = {{0, 2, 3, 1}, {1, 3, 2, 0}, {2, 0, 1, 3}, {3, 1, 0, 2}};
	struct fixture f;

	(void)state;
	fixture_map(&f, 4, 4 * MIB);
	memcpy(f.distance, distance, sizeof(distance));
	fixture_open(&f, NULL);
	for (int from = 0; from < 4; from++)
		assert_fallback_order(&f, from, expected[from]);
	fixture_close(&f);
}

static void buddy_falls_back_to_the_nearest_when_distances_differ(void **state)
{
	static const uint8_t distance[9] = {10, 30, 20, 30, 10, 15, 20, 15, 10};
	static const int expected[3][3] = {{0, 2, 1}, {1, 2, 0}, {2, 1, 0}};
	struct fixture f;

	(void)state;
	fixture_map(&f, 3, 4 * MIB);
	memcpy(f.distance, distance, sizeof(distance));
	fixture_open(&f, NULL);
	for (int from = 0; from < 3; from++)
		assert_fallback_order(&f, from, expected[from]);
	fixture_close(&f);
}

static void buddy_prefers_a_node_without_cpus_when_distances_are_equal(void **state)
{
	static const int expected[3] = {0, 2, 1};
	struct fixture f;

	(void)state;
	fixture_map(&f, 3, 4 * MIB);
	f.has_cpus[2] = 0;
	fixture_open(&f, NULL);
	assert_fallback_order(&f, 0, expected);
	fixture_close(&f);
}

static void buddy_refuses_when_only_the_asked_node_may_serve(void **state)
{
	struct nslab_cpu cpu = {.id = 0, .node = 1};
	struct nslab_page *page;
	struct fixture f;

	(void)state;
	fixture_map(&f, 2, 4 * MIB);
	fixture_open(&f, NULL);
	assert_non_null(take(&f, &cpu, NSLAB_MAX_ORDER, __GFP_THISNODE, NUMA_NO_NODE));
	assert_null(take(&f, &cpu, 0, __GFP_THISNODE, 1));
	assert_int_equal(stats_of(&f, 1).nr_failed, 1);
	assert_int_equal(stats_of(&f, 0).nr_failed, 0);
	page = take(&f, &cpu, 0, 0, NUMA_NO_NODE);
	assert_non_null(page);
	assert_int_equal(page->node, 0);
	assert_int_equal(stats_of(&f, 0).nr_fallback, 1);
	assert_null(take(&f, &cpu, 0, 0, 2));
	assert_null(take(&f, &cpu, NSLAB_MAX_ORDER + 1, 0, 0));
	fixture_close(&f);
}

static void buddy_refuses_and_counts_when_nothing_is_left(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page_stats stats;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 4 * MIB);
	fixture_open(&f, NULL);
	for (size_t i = 0; i < NR_FRAMES; i++)
		assert_non_null(take(&f, &cpu, 0, 0, 0));
	assert_null(take(&f, &cpu, 0, 0, 0));
	stats = stats_of(&f, 0);
	assert_int_equal(stats.nr_free_pages, 0);
	assert_int_equal(stats.nr_alloc[0], NR_FRAMES);
	assert_int_equal(stats.nr_failed, 1);
	/* eight neighbours on the CPU's lists are one block of order 3 once they are drained */
	for (unsigned i = 0; i < 8; i++)
		give(&f, &cpu, &f.arena.pages[64 + i], 0);
	assert_ptr_equal(take(&f, &cpu, 3, 0, 0), &f.arena.pages[64]);
	fixture_close(&f);
}

static void buddy_clears_pages_when_zero_is_asked(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 4 * MIB);
	fixture_open(&f, NULL);
	for (unsigned order = 0; order < 6; order++) {
		struct nslab_page *page = take(&f, &cpu, order, 0, 0);
		size_t bytes = NSLAB_PAGE_SIZE << order;
		unsigned char *start = nslab_arena_address(&f.arena, page);
		struct nslab_page *again;

		memset(start, 0xa5, bytes);
		give(&f, &cpu, page, order);
		again = take(&f, &cpu, order, __GFP_ZERO, 0);
		assert_ptr_equal(again, page);
		for (size_t i = 0; i < bytes; i++)
			assert_int_equal(start[i], 0);
	}
	fixture_close(&f);
}

static void buddy_hands_out_clean_owner_words_when_a_page_was_used(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page *page;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 4 * MIB);
	fixture_open(&f, NULL);
	page = take(&f, &cpu, 1, 0, 0);
	page->freelist = 1;
	page->counters = 2;
	page->priv[1] = 3;
	page->flags = NSLAB_PAGE_HEAD | NSLAB_PAGE_SLAB;
	give(&f, &cpu, page, 1);
	assert_ptr_equal(take(&f, &cpu, 1, 0, 0), page);
	assert_int_equal(page->flags, NSLAB_PAGE_HEAD);
	assert_true(!page->freelist && !page->counters && !page->s && !page->priv[1]);
	fixture_close(&f);
}

static void buddy_starts_at_the_lowest_address_when_nothing_was_used(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 16 * MIB);
	fixture_open(&f, NULL);
	for (size_t i = 0; i < 100; i++)
		assert_ptr_equal(take(&f, &cpu, 0, 0, 0), &f.arena.pages[i]);
	for (size_t i = 1; i < 4; i++)
		assert_ptr_equal(take(&f, &cpu, NSLAB_MAX_ORDER, 0, 0),
				 &f.arena.pages[i * NR_FRAMES]);
	fixture_close(&f);
}

/* The freed block whose merge is near goes to the tail: the other one is handed out first. */
static void buddy_spares_a_block_when_its_merge_is_near(void **state)
{
	struct nslab_page *page[8];
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 4 * MIB);
	fixture_open(&f, "pcp", "no", NULL);
	for (int i = 0; i < 8; i++)
		page[i] = take(&f, NULL, 0, 0, 0);
	give(&f, NULL, page[0], 0);
	give(&f, NULL, page[4], 0);
	give(&f, NULL, page[5], 0);
	assert_int_equal(stats_of(&f, 0).nr_free_blocks[1], 1);
	give(&f, NULL, page[6], 0);
	assert_ptr_equal(take(&f, NULL, 0, 0, 0), page[0]);
	/* 3's merge with 2 would not go on, as 0 is in use: to the head */
	give(&f, NULL, page[3], 0);
	assert_ptr_equal(take(&f, NULL, 0, 0, 0), page[3]);
	assert_ptr_equal(take(&f, NULL, 0, 0, 0), page[6]);
	fixture_close(&f);
}

/* ---- per-CPU lists ---- */

static void zone_sizes_are_the_kernels_when_the_zone_is_known(void **state)
{
	(void)state;
	assert_int_equal(nslab_zone_batch(3840), 1); /* a DMA zone of 15 MiB */
	assert_int_equal(nslab_zone_batch(262144), 63);
	assert_int_equal(nslab_zone_batch(UINT64_C(1) << 28), 63);
	assert_int_equal(nslab_zone_batch(1), 1);
	/* 1 GiB: 4 * sqrt(2^20) KiB is 1024 pages, and a gap of 0.1 % of 262144 */
	assert_int_equal(nslab_zone_low_pages(262144, 1), 1024 + 262);
	/* 4 MiB: the least reserve is 128 KiB, the gap a quarter of it */
	assert_int_equal(nslab_zone_low_pages(1024, 1), 64 + 16);
}

static void buddy_refills_in_growing_batches_when_a_list_runs_dry(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page_stats stats;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 1024 * MIB);
	fixture_open(&f, NULL);
	assert_non_null(take(&f, &cpu, 0, 0, 0));
	stats = stats_of(&f, 0);
	assert_int_equal(stats.nr_pcp_pages, 62); /* a batch of a 1 GiB zone is 63 */
	assert_int_equal(stats.nr_zone_lock, 1);
	for (int i = 0; i < 63; i++)
		assert_non_null(take(&f, &cpu, 0, 0, 0));
	stats = stats_of(&f, 0);
	assert_int_equal(stats.nr_pcp_pages, 2 * 63 - 1);
	assert_int_equal(stats.nr_zone_lock, 2);
	assert_non_null(take(&f, &cpu, 3, 0, 0));
	assert_int_equal(stats_of(&f, 0).nr_pcp_pages, 2 * 63 - 1 + 8 * (63 / 8 - 1));
	fixture_close(&f);
}

static void buddy_takes_no_zone_lock_when_the_same_page_comes_and_goes(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	uint64_t nr_locks;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 1024 * MIB);
	fixture_open(&f, NULL);
	for (unsigned order = 0; order < 4; order++) {
		give(&f, &cpu, take(&f, &cpu, order, 0, 0), order);
		nr_locks = stats_of(&f, 0).nr_zone_lock;
		for (int i = 0; i < 1000; i++)
			give(&f, &cpu, take(&f, &cpu, order, 0, 0), order);
		assert_int_equal(stats_of(&f, 0).nr_zone_lock, nr_locks);
	}
	fixture_close(&f);
}

/* A small zone has batches of 3 pages, so blocks of 8 that are freed in a row go straight back. */
static void buddy_gives_large_blocks_back_when_they_come_in_a_row(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page *page[4];
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 64 * MIB);
	fixture_open(&f, NULL);
	for (int i = 0; i < 4; i++)
		page[i] = take(&f, &cpu, 3, 0, 0);
	give(&f, &cpu, page[0], 3);
	assert_int_equal(stats_of(&f, 0).nr_pcp_pages, 8);
	for (int i = 1; i < 4; i++) {
		give(&f, &cpu, page[i], 3);
		assert_int_equal(stats_of(&f, 0).nr_pcp_pages, 0);
	}
	assert_whole(&f);
	fixture_close(&f);
}

static void buddy_gives_pages_back_when_a_cpu_holds_too_many(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page *page[64];
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 4 * MIB);
	fixture_open(&f, "pcp_high", "8", "pcp_batch", "4", NULL);
	for (int i = 0; i < 64; i++)
		page[i] = take(&f, &cpu, 0, 0, 0);
	for (int i = 0; i < 64; i++) {
		give(&f, &cpu, page[i], 0);
		assert_in_range(stats_of(&f, 0).nr_pcp_pages, 0, 7);
	}
	ops()->cpu_drain(f.source, &cpu);
	assert_whole(&f);
	assert_int_equal(stats_of(&f, 0).nr_alloc[0], 64);
	fixture_close(&f);
}

/* ---- threads ---- */

#define NR_THREADS 4
#define NR_SLOTS   64

struct shared {
	struct fixture *f;
	_Atomic(struct nslab_page *) slot[NR_SLOTS];
};

struct worker {
	pthread_t thread;
	struct nslab_cpu cpu;
	struct shared *shared;
};

/* Each exchange moves a block to another thread, which frees what was there. */
static void *worker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t rng = (uint64_t)w->cpu.id + 1;

	for (int i = 0; i < 20000; i++) {
		unsigned order = nslab_rng_below(&rng, 5);
		struct nslab_page *page = take(w->shared->f, &w->cpu, order, 0, NUMA_NO_NODE);

		if (page)
			*(int *)nslab_arena_address(&w->shared->f->arena, page) = i;
		page = atomic_exchange(&w->shared->slot[nslab_rng_below(&rng, NR_SLOTS)], page);
		if (page)
			give(w->shared->f, &w->cpu, page, page->order);
	}
	ops()->cpu_drain(w->shared->f->source, &w->cpu);
	return NULL;
}

static void buddy_loses_nothing_when_threads_free_each_others_pages(void **state)
{
	struct worker worker[NR_THREADS];
	static struct shared shared;
	struct fixture f;

	(void)state;
	fixture_map(&f, 2, 8 * MIB);
	fixture_open(&f, NULL);
	shared.f = &f;
	memset(worker, 0, sizeof(worker));
	for (int i = 0; i < NR_THREADS; i++) {
		worker[i].cpu.id = i;
		worker[i].cpu.node = i % 2;
		worker[i].shared = &shared;
		assert_int_equal(pthread_create(&worker[i].thread, NULL, worker_main, &worker[i]),
				 0);
	}
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(worker[i].thread, NULL);
	for (int i = 0; i < NR_SLOTS; i++) {
		if (shared.slot[i])
			give(&f, NULL, shared.slot[i], shared.slot[i]->order);
	}
	assert_whole(&f);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buddy_keeps_blocks_apart_and_merges_them_when_orders_mix),
		cmocka_unit_test(buddy_leads_to_the_head_when_asked_from_any_frame),
		cmocka_unit_test(buddy_starts_fallback_above_itself_when_distances_are_equal),
		cmocka_unit_test(buddy_rotates_fallback_when_nodes_are_equally_near),
		cmocka_unit_test(buddy_falls_back_to_the_nearest_when_distances_differ),
		cmocka_unit_test(buddy_prefers_a_node_without_cpus_when_distances_are_equal),
		cmocka_unit_test(buddy_refuses_when_only_the_asked_node_may_serve),
		cmocka_unit_test(buddy_refuses_and_counts_when_nothing_is_left),
		cmocka_unit_test(buddy_clears_pages_when_zero_is_asked),
		cmocka_unit_test(buddy_hands_out_clean_owner_words_when_a_page_was_used),
		cmocka_unit_test(buddy_starts_at_the_lowest_address_when_nothing_was_used),
		cmocka_unit_test(buddy_spares_a_block_when_its_merge_is_near),
		cmocka_unit_test(zone_sizes_are_the_kernels_when_the_zone_is_known),
		cmocka_unit_test(buddy_refills_in_growing_batches_when_a_list_runs_dry),
		cmocka_unit_test(buddy_takes_no_zone_lock_when_the_same_page_comes_and_goes),
		cmocka_unit_test(buddy_gives_large_blocks_back_when_they_come_in_a_row),
		cmocka_unit_test(buddy_gives_pages_back_when_a_cpu_holds_too_many),
		cmocka_unit_test(buddy_loses_nothing_when_threads_free_each_others_pages),
	};

	return cmocka_run_group_tests_name("buddy", tests, NULL, NULL);
}
