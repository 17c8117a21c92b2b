/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_cma.c: contiguous ranges out of memory that movable pages use in the meantime.
 *
 * The movable pages belong to a small owner that knows where each of its blocks is, as a user of
 * movable pages has to: its mover copies a block and changes the pointer under the owner's lock. So
 * every test can say whether contents and pointers survived. The last test has threads that
 * allocate and free movable blocks while others claim ranges.
 */
#define _GNU_SOURCE
#include "allocators/common/cma.h"
#include "core/list.h"
#include "core/lock.h"
#include "core/rng.h"
#include "tests/unit/page_fixture.h"

#include <errno.h>
#include <pthread.h>

#define MOVABLE	   (GFP_KERNEL | __GFP_MOVABLE)
#define MAX_OWNED  16384
#define AREA_PAGES 2048 /* 8 MiB */

struct owner {
	struct nslab_page_mover mover;
	struct fixture *f;
	struct nslab_lock lock;
	struct nslab_page *page[MAX_OWNED];
	unsigned nr_moved;
	bool is_stubborn;
};

static uint64_t *first_word(struct fixture *f, struct nslab_page *page)
{
	return nslab_arena_address(&f->arena, page);
}

/* priv[0] of a block is its number with the owner, plus one; the record's words move too. */
static int owner_move(struct nslab_page_mover *mover, struct nslab_page *from,
		      struct nslab_page *to)
{
	struct owner *o = nslab_container_of(mover, struct owner, mover);
	int rc = -ENOENT;

	if (o->is_stubborn)
		return -EAGAIN;
	nslab_lock_acquire(&o->lock);
	for (int i = 0; i < MAX_OWNED; i++) {
		if (o->page[i] != from)
			continue;
		memcpy(first_word(o->f, to), first_word(o->f, from),
		       NSLAB_PAGE_SIZE << from->order);
		assert_int_equal(to->order, from->order);
		o->page[i] = to;
		o->nr_moved++;
		rc = 0;
		break;
	}
	nslab_lock_release(&o->lock);
	return rc;
}

static void owner_init(struct owner *o, struct fixture *f)
{
	memset(o, 0, sizeof(*o));
	o->mover.move = owner_move;
	o->f = f;
	nslab_lock_init(&o->lock, NSLAB_RANK_CACHE);
}

/* The mover may come as soon as it is set, so the pointer is there before. */
static bool owner_take(struct owner *o, struct nslab_cpu *cpu, int i, unsigned order)
{
	struct nslab_page *page = take(o->f, cpu, order, MOVABLE, 0);

	if (!page)
		return false;
	*first_word(o->f, page) = (uint64_t)i * 77;
	first_word(o->f, page)[((NSLAB_PAGE_SIZE << order) / 8) - 1] = (uint64_t)i * 78;
	nslab_lock_acquire(&o->lock);
	o->page[i] = page;
	nslab_lock_release(&o->lock);
	assert_int_equal(ops()->set_mover(o->f->source, page, &o->mover), 0);
	return true;
}

static void owner_give(struct owner *o, struct nslab_cpu *cpu, int i)
{
	struct nslab_page *page;

	nslab_lock_acquire(&o->lock);
	page = o->page[i];
	o->page[i] = NULL;
	nslab_lock_release(&o->lock);
	assert_int_equal(*first_word(o->f, page), (uint64_t)i * 77);
	assert_int_equal(first_word(o->f, page)[((NSLAB_PAGE_SIZE << page->order) / 8) - 1],
			 (uint64_t)i * 78);
	give(o->f, cpu, page, page->order);
}

/* Orders 0..2, until none is left or there are enough. */
static int owner_fill(struct owner *o, struct nslab_cpu *cpu, uint64_t *rng, int nr)
{
	int i = 0;

	while (i < nr && owner_take(o, cpu, i, nslab_rng_below(rng, 3)))
		i++;
	return i;
}

static void owner_empty(struct owner *o, struct nslab_cpu *cpu)
{
	for (int i = 0; i < MAX_OWNED; i++) {
		if (o->page[i])
			owner_give(o, cpu, i);
	}
}

static bool is_in(struct fixture *f, const struct nslab_page *page, const struct nslab_page *first,
		  size_t nr)
{
	(void)f;
	return page >= first && page < first + nr;
}

/* The area stands at the end of the node, as it is lent before anything is used. */
static struct nslab_page *area_of(struct fixture *f)
{
	return f->arena.pages + (f->arena.node_bytes >> NSLAB_PAGE_SHIFT) - AREA_PAGES;
}

static void open_area(struct fixture *f, unsigned order_per_bit, struct nslab_cma **cma)
{
	fixture_map(f, 1, 32 * MIB);
	fixture_open(f, NULL);
	assert_int_equal(nslab_cma_open(f->source, 0, AREA_PAGES, order_per_bit, cma), 0);
}

static void close_area(struct fixture *f, struct nslab_cpu *cpu, struct nslab_cma *cma)
{
	struct nslab_zone_stats zone;

	ops()->cpu_drain(f->source, cpu);
	zone = zone_of(f, 0);
	assert_int_equal(zone.nr_free_pages, f->arena.node_bytes >> NSLAB_PAGE_SHIFT);
	assert_int_equal(zone.nr_free_blocks[NSLAB_MIGRATE_CMA][10], 2);
	assert_int_equal(zone.nr_pageblocks[NSLAB_MIGRATE_CMA], 4);
	nslab_cma_close(cma);
	fixture_close(f);
}

static void cma_lends_to_movable_requests_only(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page *page;
	struct nslab_cma *cma;
	struct fixture f;
	int nr_lent = 0;

	(void)state;
	open_area(&f, 0, &cma);
	assert_int_equal(zone_of(&f, 0).nr_pageblocks[NSLAB_MIGRATE_CMA], 4);
	while ((page = take(&f, &cpu, 0, GFP_KERNEL, 0)))
		assert_false(is_in(&f, page, area_of(&f), AREA_PAGES));
	while ((page = take(&f, &cpu, 0, MOVABLE, 0))) {
		assert_true(is_in(&f, page, area_of(&f), AREA_PAGES));
		nr_lent++;
	}
	assert_int_equal(nr_lent, AREA_PAGES);
	nslab_cma_close(cma);
	fixture_close(&f);
}

static void cma_is_used_first_when_most_free_memory_is_lent(void **state)
{
	struct nslab_page *first, *page;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 32 * MIB);
	fixture_open(&f, NULL);
	assert_int_equal(ops()->range_lend(f.source, 0, 6 * NR_FRAMES, &first), 0);
	page = take(&f, NULL, 0, MOVABLE, 0);
	assert_true(is_in(&f, page, first, 6 * NR_FRAMES));
	give(&f, NULL, page, 0);
	assert_int_equal(ops()->range_lend(f.source, 0, 3 * NR_FRAMES, &first), -ENOMEM);
	assert_int_equal(ops()->range_lend(f.source, 0, 5, &first), -EINVAL);
	assert_int_equal(ops()->range_lend(f.source, 1, NR_FRAMES, &first), -EINVAL);
	fixture_close(&f);
}

static void cma_moves_what_is_there_when_a_range_is_claimed(void **state)
{
	static struct owner o;
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page *first;
	struct nslab_cma *cma;
	struct fixture f;
	uint64_t rng = 3;

	(void)state;
	open_area(&f, 0, &cma);
	owner_init(&o, &f);
	owner_fill(&o, &cpu, &rng, MAX_OWNED);
	/* everything is full: there must be somewhere to move to */
	assert_int_equal(nslab_cma_alloc(cma, 600, 8, &first), -ENOMEM);
	for (int i = 0; i < MAX_OWNED; i++) {
		if (o.page[i] && !is_in(&f, o.page[i], area_of(&f), AREA_PAGES))
			owner_give(&o, &cpu, i);
	}
	assert_int_equal(nslab_cma_alloc(cma, 600, 8, &first), 0);
	assert_ptr_equal(first, area_of(&f));
	assert_true(o.nr_moved > 100);
	for (int i = 0; i < 600; i++) {
		assert_int_equal(first[i].flags, NSLAB_PAGE_HEAD);
		assert_int_equal(first[i].order, 0);
		assert_int_equal(first[i].head, 0);
		memset(nslab_arena_address(&f.arena, first + i), 0xee, NSLAB_PAGE_SIZE);
	}
	for (int i = 0; i < MAX_OWNED; i++)
		assert_false(o.page[i] && is_in(&f, o.page[i], first, 600));
	owner_empty(&o, &cpu);
	assert_int_equal(nslab_cma_free(cma, first, 600), 0);
	close_area(&f, &cpu, cma);
}

static void cma_goes_on_behind_a_page_that_cannot_be_moved(void **state)
{
	static struct owner o;
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page *first, *last, *spare = NULL, *pinned[AREA_PAGES];
	struct nslab_cma_stats stats;
	struct nslab_cma *cma;
	struct fixture f;
	int nr = 0;

	(void)state;
	open_area(&f, 0, &cma);
	owner_init(&o, &f);
	/* all ordinary memory, then the area in pages that nobody can move */
	while ((last = take(&f, &cpu, 0, GFP_KERNEL, 0)))
		spare = last;
	while (nr < AREA_PAGES && (pinned[nr] = take(&f, &cpu, 0, MOVABLE, 0)))
		nr++;
	assert_int_equal(nr, AREA_PAGES);
	for (int i = 0; i < nr; i++) {
		if (pinned[i] != area_of(&f) + 700)
			give(&f, &cpu, pinned[i], 0);
	}
	assert_int_equal(nslab_cma_alloc(cma, 256, 8, &first), 0);
	assert_ptr_equal(first, area_of(&f));
	assert_int_equal(nslab_cma_alloc(cma, 512, 8, &first), 0);
	/* 256 and 512 hold the pinned page, so it is 768 */
	assert_ptr_equal(first, area_of(&f) + 768);
	nslab_cma_stats(cma, &stats);
	assert_int_equal(stats.nr_busy, 2);
	assert_int_equal(stats.nr_used_pages, 768);
	assert_int_equal(stats.nr_largest_pages, AREA_PAGES - 1280);
	assert_int_equal(nslab_cma_alloc(cma, 1024, 8, &first), -ENOMEM);
	/* a registered page whose owner refuses is as good as pinned, when it could go somewhere */
	give(&f, NULL, spare, 0);
	o.is_stubborn = true;
	o.page[0] = area_of(&f) + 700;
	assert_int_equal(ops()->set_mover(f.source, o.page[0], &o.mover), 0);
	assert_int_equal(nslab_cma_alloc(cma, 512, 0, &first), 0);
	assert_ptr_equal(first, area_of(&f) + 1280);
	nslab_cma_close(cma);
	fixture_close(&f);
}

static void cma_takes_the_first_aligned_run_when_it_is_fragmented(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_cma_stats stats;
	struct nslab_page *first[16];
	struct nslab_cma *cma;
	struct fixture f;

	(void)state;
	open_area(&f, 2, &cma);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(nslab_cma_alloc(cma, 127, 2, &first[i]), 0);
		assert_ptr_equal(first[i], area_of(&f) + (size_t)i * 128);
	}
	assert_int_equal(nslab_cma_alloc(cma, 1, 0, &first[0]), -ENOMEM);
	for (int i = 0; i < 16; i += 2)
		assert_int_equal(nslab_cma_free(cma, first[i], 127), 0);
	nslab_cma_stats(cma, &stats);
	assert_int_equal(stats.nr_used_pages, 1024);
	assert_int_equal(stats.nr_largest_pages, 128);
	assert_int_equal(nslab_cma_alloc(cma, 129, 0, &first[0]), -ENOMEM);
	assert_int_equal(nslab_cma_alloc(cma, 16, 0, &first[0]), 0);
	assert_ptr_equal(first[0], area_of(&f));
	/* from page 16 on, but aligned to 128: the next hole */
	assert_int_equal(nslab_cma_alloc(cma, 100, 7, &first[2]), 0);
	assert_ptr_equal(first[2], area_of(&f) + 256);
	assert_int_equal(nslab_cma_free(cma, first[0], 16), 0);
	assert_int_equal(nslab_cma_free(cma, first[2], 100), 0);
	for (int i = 1; i < 16; i += 2)
		assert_int_equal(nslab_cma_free(cma, first[i], 127), 0);
	close_area(&f, &cpu, cma);
}

static void cma_refuses_when_arguments_make_no_sense(void **state)
{
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page *first = NULL;
	struct nslab_cma *cma, *other;
	struct fixture f;

	(void)state;
	open_area(&f, 1, &cma);
	assert_int_equal(nslab_cma_open(f.source, 0, 0, 0, &other), -EINVAL);
	assert_int_equal(nslab_cma_open(f.source, 0, NR_FRAMES, 11, &other), -EINVAL);
	assert_int_equal(nslab_cma_open(f.source, 7, NR_FRAMES, 0, &other), -EINVAL);
	assert_int_equal(nslab_cma_open(f.source, 0, 100 * NR_FRAMES, 0, &other), -ENOMEM);
	assert_int_equal(nslab_cma_alloc(cma, 0, 0, &first), -EINVAL);
	assert_int_equal(nslab_cma_alloc(cma, SIZE_MAX / 2, 0, &first), -ENOMEM);
	assert_null(first);
	assert_int_equal(nslab_cma_alloc(cma, 10, 0, &first), 0);
	assert_int_equal(nslab_cma_free(cma, first + 1, 4), -EINVAL);
	assert_int_equal(nslab_cma_free(cma, first, 12), -EINVAL);
	assert_int_equal(nslab_cma_free(cma, first - 2, 4), -EINVAL);
	assert_int_equal(nslab_cma_free(cma, first, AREA_PAGES + 1), -EINVAL);
	assert_int_equal(nslab_cma_free(cma, first, 0), -EINVAL);
	assert_int_equal(nslab_cma_free(cma, first, 10), 0);
	assert_int_equal(nslab_cma_free(cma, first, 10), -EINVAL);
	assert_int_equal(ops()->range_claim(f.source, f.arena.pages, 5), -EINVAL);
	assert_int_equal(ops()->range_claim(f.source, area_of(&f), 0), -EINVAL);
	assert_int_equal(ops()->range_claim(f.source, area_of(&f), AREA_PAGES + 1), -EINVAL);
	close_area(&f, &cpu, cma);
}

/* ---- threads ---- */

#define NR_WORKERS 2
#define NR_OWNED   200

struct worker {
	pthread_t thread;
	struct nslab_cpu cpu;
	struct nslab_cma *cma;
	struct fixture *f;
	struct owner *owner;
	unsigned nr_claims;
};

/* Takes and frees movable blocks of its own, which others may move at any time. */
static void *churn_main(void *arg)
{
	struct worker *w = arg;
	uint64_t rng = (uint64_t)w->cpu.id;
	bool is_there[NR_OWNED] = {false};

	for (int i = 0; i < 20000; i++) {
		int slot = (int)nslab_rng_below(&rng, NR_OWNED);

		if (is_there[slot])
			owner_give(w->owner, &w->cpu, slot);
		is_there[slot] = !is_there[slot] &&
				 owner_take(w->owner, &w->cpu, slot, nslab_rng_below(&rng, 3));
	}
	owner_empty(w->owner, &w->cpu);
	ops()->cpu_drain(w->f->source, &w->cpu);
	return NULL;
}

static void *claim_main(void *arg)
{
	struct worker *w = arg;
	uint64_t rng = (uint64_t)w->cpu.id;

	for (int i = 0; i < 300; i++) {
		size_t nr = 1 + nslab_rng_below(&rng, 300);
		struct nslab_page *first;

		if (nslab_cma_alloc(w->cma, nr, nslab_rng_below(&rng, 9), &first))
			continue;
		for (size_t j = 0; j < nr; j++)
			*first_word(w->f, first + j) = (uint64_t)w->cpu.id;
		sched_yield();
		for (size_t j = 0; j < nr; j++)
			assert_int_equal(*first_word(w->f, first + j), (uint64_t)w->cpu.id);
		w->nr_claims++;
		assert_int_equal(nslab_cma_free(w->cma, first, nr), 0);
	}
	return NULL;
}

static void cma_loses_nothing_when_threads_claim_and_use_the_area(void **state)
{
	static struct owner owner[NR_WORKERS];
	struct worker churn[NR_WORKERS] = {0}, claim[NR_WORKERS] = {0};
	struct nslab_cpu cpu = {.id = 9};
	struct nslab_cma *cma;
	struct fixture f;

	(void)state;
	fixture_map(&f, 1, 16 * MIB);
	fixture_open(&f, NULL);
	assert_int_equal(nslab_cma_open(f.source, 0, AREA_PAGES, 0, &cma), 0);
	for (int i = 0; i < NR_WORKERS; i++) {
		owner_init(&owner[i], &f);
		churn[i] =
			(struct worker){.cpu = {.id = i}, .cma = cma, .f = &f, .owner = &owner[i]};
		claim[i] = (struct worker){.cpu = {.id = i + NR_WORKERS}, .cma = cma, .f = &f};
		pthread_create(&churn[i].thread, NULL, churn_main, &churn[i]);
		pthread_create(&claim[i].thread, NULL, claim_main, &claim[i]);
	}
	for (int i = 0; i < NR_WORKERS; i++) {
		pthread_join(churn[i].thread, NULL);
		pthread_join(claim[i].thread, NULL);
		assert_true(claim[i].nr_claims > 0);
	}
	close_area(&f, &cpu, cma);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cma_lends_to_movable_requests_only),
		cmocka_unit_test(cma_is_used_first_when_most_free_memory_is_lent),
		cmocka_unit_test(cma_moves_what_is_there_when_a_range_is_claimed),
		cmocka_unit_test(cma_goes_on_behind_a_page_that_cannot_be_moved),
		cmocka_unit_test(cma_takes_the_first_aligned_run_when_it_is_fragmented),
		cmocka_unit_test(cma_refuses_when_arguments_make_no_sense),
		cmocka_unit_test(cma_loses_nothing_when_threads_claim_and_use_the_area),
	};

	return cmocka_run_group_tests_name("cma", tests, NULL, NULL);
}
