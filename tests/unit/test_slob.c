/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_slob.c: the SLOB model by the addresses it hands out.
 *
 * A world of 2 nodes with one CPU each, driven by one thread. SLOB has no layers, so where an
 * object lands follows from the sizes asked for before, and every expected address is written from
 * the description of the kernel's rules. Sizes are chosen so that a page is filled to its last unit
 * where that matters. That objects are sound is the conformance suite's business.
 */
#include "runner/world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NODES	   2
#define MAX_CACHES 8

static struct nslab_registry *registry;
static struct nslab_world *world;
static const struct nslab_allocator_ops *ops;
static const struct nslab_env *env;
static struct nslab_cpu *cpu[NODES]; /* CPU i on node i */
static struct kmem_cache *caches[MAX_CACHES];
static int nr_caches;
static unsigned nr_reports;

static void count_report(void *context, const char *line)
{
	(void)context;
	(void)line;
	nr_reports++;
}

static int setup(void **state)
{
	static struct nslab_topo_node nodes[NODES] = {
		{.memory_bytes = 64 << 20, .nr_pus = 1},
		{.os_index = 1, .logical_index = 1, .memory_bytes = 64 << 20, .nr_pus = 1},
	};
	static unsigned distances[NODES * NODES] = {10, 20, 20, 10};
	static struct nslab_topo topo = {
		.is_simulated = true,
		.nr_nodes = NODES,
		.nodes = nodes,
		.distances = distances,
	};
	const struct nslab_arena_spec arena = {
		.topo = &topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = 16 << 20,
		.nr_cpus = NODES,
	};
	struct nslab_world_spec spec = {.arena = &arena, .seed = 3, .report = count_report};
	const struct nslab_entry_record *record;
	struct nslab_err err = {""};

	(void)state;
	assert_int_equal(nslab_registry_open(NULL, &registry, &err), 0);
	assert_int_equal(
		nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, "slob", &record, &err), 0);
	ops = spec.allocator = record->ops.allocator;
	assert_int_equal(nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, "buddy", &record, &err),
			 0);
	spec.page = record->ops.page;
	assert_int_equal(nslab_world_open(&spec, &world, &err), 0);
	env = nslab_world_env(world);
	for (int i = 0; i < NODES; i++)
		assert_int_equal(nslab_world_cpu_online(world, i, i, &cpu[i]), 0);
	nr_reports = 0;
	return 0;
}

static uint64_t nr_pages(void)
{
	struct nslab_world_usage usage;

	nslab_world_usage(world, &usage);
	return usage.nr_pages;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(nr_pages(), 0); /* nothing is ever held back */
	while (nr_caches)
		assert_int_equal(nslab_world_cache_destroy(world, caches[--nr_caches]), 0);
	nslab_world_close(world);
	assert_int_equal(nr_reports, 0);
	nslab_registry_destroy(registry);
	return 0;
}

static struct kmem_cache *make_with(size_t object_size, unsigned flags, void (*ctor)(void *obj))
{
	const struct nslab_cache_spec spec = {
		.name = "test",
		.object_size = object_size,
		.flags = flags,
		.order = NSLAB_AUTO,
		.ctor = ctor,
	};

	assert_int_equal(ops->cache_create(nslab_world_heap(world), &spec, &caches[nr_caches]), 0);
	return caches[nr_caches++];
}

static struct kmem_cache *make(size_t object_size)
{
	return make_with(object_size, 0, NULL);
}

static char *get(struct kmem_cache *s)
{
	char *obj = kmem_cache_alloc(cpu[0], s, GFP_KERNEL);

	assert_non_null(obj);
	return obj;
}

static void put(struct kmem_cache *s, void *obj)
{
	kmem_cache_free(cpu[0], s, obj);
	assert_int_equal(ops->cache_validate(s), 0);
}

/* ---- inside a page ---- */

static void slob_takes_the_lowest_block_that_fits(void **state)
{
	struct kmem_cache *s = make(64), *larger = make(128);
	char *obj[6];

	(void)state;
	for (int i = 0; i < 6; i++)
		obj[i] = get(s);
	for (int i = 1; i < 6; i++)
		assert_ptr_equal(obj[i], obj[0] + 64 * i);
	/* holes of one object at 3 and then at 1: address order, not order of freeing */
	put(s, obj[3]);
	put(s, obj[1]);
	assert_ptr_equal(get(larger), obj[0] + 64 * 6); /* neither is large enough */
	assert_ptr_equal(get(s), obj[1]);
	assert_ptr_equal(get(s), obj[3]);
	put(larger, obj[0] + 64 * 6);
	for (int i = 0; i < 6; i++)
		put(s, obj[i]);
}

static void slob_merges_with_both_neighbours(void **state)
{
	struct kmem_cache *s = make(64), *three = make(192), *two = make(128);
	char *obj[5];

	(void)state;
	for (int i = 0; i < 5; i++)
		obj[i] = get(s);
	put(s, obj[1]);
	put(s, obj[3]);
	put(s, obj[2]); /* between two free blocks */
	assert_ptr_equal(get(three), obj[1]);
	put(three, obj[1]);
	assert_ptr_equal(get(two), obj[1]); /* the block is cut at its front */
	assert_ptr_equal(get(s), obj[3]);
	put(two, obj[1]);
	put(s, obj[0]); /* before the first free block, which it touches */
	assert_ptr_equal(get(three), obj[0]);
	put(three, obj[0]);
	put(s, obj[3]);
	put(s, obj[4]);
}

static void slob_splits_a_head_for_alignment(void **state)
{
	struct nslab_cache_spec spec = {
		.name = "aligned", .object_size = 32, .align = 256, .order = NSLAB_AUTO};
	struct kmem_cache *s = make(24), *aligned;
	char *first, *obj;

	(void)state;
	assert_int_equal(ops->cache_create(nslab_world_heap(world), &spec, &aligned), 0);
	caches[nr_caches++] = aligned;
	first = get(s); /* 24 of 4096 bytes */
	obj = get(aligned);
	assert_ptr_equal(obj, first + 256);
	assert_ptr_equal(get(s), first + 24); /* what was skipped is not lost */
	put(s, first + 24);
	put(aligned, obj);
	put(s, first);
}

static void slob_cuts_units_of_two_bytes(void **state)
{
	struct kmem_cache *s = make(9);
	char *obj[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		obj[i] = get(s);
	/* 5 units each; the next multiple of 8 follows after 3 units that nobody can use */
	assert_ptr_equal(obj[1], obj[0] + 16);
	assert_ptr_equal(obj[2], obj[0] + 32);
	for (int i = 0; i < 3; i++)
		put(s, obj[i]);
}

/* ---- among pages ---- */

/* Fills a page to its last unit; returns the first object. */
static char *fill_page(struct kmem_cache *s)
{
	char *first = get(s);

	for (size_t i = 1; i < NSLAB_PAGE_SIZE / s->size; i++)
		assert_ptr_equal(get(s), first + i * s->size);
	return first;
}

static void empty_page(struct kmem_cache *s, char *first)
{
	for (size_t i = 0; i < NSLAB_PAGE_SIZE / s->size; i++)
		put(s, first + i * s->size);
}

static void slob_searches_on_where_it_found_something(void **state)
{
	struct kmem_cache *s = make(64), *larger = make(128);
	char *a, *b, *c;

	(void)state;
	a = fill_page(s);
	b = get(s); /* of a second page */
	assert_int_equal(nr_pages(), 2);
	put(s, a + 64);	 /* the first page goes to the head of the list */
	c = get(larger); /* which has no room for this one: the list turns to the second page */
	assert_ptr_equal(c, b + 64);
	assert_ptr_equal(get(s), b + 192); /* though the first page has a hole that fits */
	put(s, b + 192);
	put(larger, c);
	put(s, b);
	assert_ptr_equal(get(s), a + 64);
	empty_page(s, a);
}

static void slob_keeps_sizes_on_three_lists(void **state)
{
	struct kmem_cache *small = make(248), *medium = make(256), *large = make(1024);
	char *a = get(small), *b = get(medium), *c = get(large);

	(void)state;
	assert_int_equal(nr_pages(), 3);
	assert_ptr_equal(get(small), a + 248);
	assert_ptr_equal(get(medium), b + 256);
	assert_ptr_equal(get(large), c + 1024);
	assert_int_equal(nr_pages(), 3);
	put(small, a);
	put(small, a + 248);
	assert_int_equal(nr_pages(), 2); /* an empty page is given back at once */
	put(medium, b);
	put(medium, b + 256);
	put(large, c);
	put(large, c + 1024);
}

static void slob_lists_a_full_page_by_the_size_that_was_freed(void **state)
{
	struct kmem_cache *medium = make(512), *other = make(256), *small = make(64);
	char *a = fill_page(medium), *b = fill_page(medium);

	(void)state;
	put(medium, a + 512);
	put(medium, b); /* listed later, so found first */
	assert_ptr_equal(get(other), b);
	assert_ptr_equal(get(other), b + 256);
	assert_ptr_equal(get(other), a + 512);
	put(small, get(small)); /* another list: a page of its own, which comes and goes */
	put(other, b);
	put(other, b + 256);
	put(other, a + 512);
	assert_ptr_equal(get(medium), b); /* full in between, so it came to the head again */
	assert_ptr_equal(get(medium), a + 512);
	empty_page(medium, a);
	empty_page(medium, b);
}

/* ---- kmalloc ---- */

static void slob_kmalloc_has_a_header_and_natural_alignment(void **state)
{
	char *odd, *power, *next;

	(void)state;
	odd = kmalloc(cpu[0], 10, GFP_KERNEL);
	assert_int_equal((uintptr_t)odd % NSLAB_PAGE_SIZE, 8);
	assert_int_equal(*(uint32_t *)(void *)(odd - 8), 10);
	assert_int_equal(ksize(cpu[0], odd), 10);
	next = kmalloc(cpu[0], 11, GFP_KERNEL);
	assert_ptr_equal(next, odd + 24); /* 18 bytes, up to a multiple of 8, and a header */
	assert_int_equal(ksize(cpu[0], next), 12);
	power = kmalloc(cpu[0], 128, GFP_KERNEL);
	assert_int_equal((uintptr_t)power % 128, 0);
	assert_int_equal(ksize(cpu[0], power), 128);
	kfree(cpu[1], power);
	kfree(cpu[0], next);
	kfree(cpu[0], odd);
}

static void slob_rounds_up_to_what_ksize_says(void **state)
{
	(void)state;
	assert_int_equal(kmalloc_size_roundup(cpu[0], 0), 0);
	for (size_t size = 1; size < 20000; size += size < 100 ? 1 : 77) {
		void *obj = kmalloc(cpu[0], size, GFP_KERNEL);

		assert_int_equal(kmalloc_size_roundup(cpu[0], size), ksize(cpu[0], obj));
		kfree(cpu[0], obj);
	}
	assert_int_equal(kmalloc_size_roundup(cpu[0], SIZE_MAX), SIZE_MAX);
}

static void slob_kfree_tells_pages_from_blocks(void **state)
{
	char *block, *page, *pages;

	(void)state;
	block = kmalloc(cpu[0], 4087, GFP_KERNEL); /* with its header one byte below a page */
	assert_true(nslab_page_of(env, block)->flags & NSLAB_PAGE_SLAB);
	assert_int_equal(ksize(cpu[0], block), 4088);
	page = kmalloc(cpu[0], 4088, GFP_KERNEL);
	assert_false(nslab_page_of(env, page)->flags & NSLAB_PAGE_SLAB);
	assert_int_equal(ksize(cpu[0], page), 4096);
	pages = kmalloc(cpu[0], 12288, GFP_KERNEL);
	assert_int_equal(ksize(cpu[0], pages), 16384);
	assert_int_equal(nr_pages(), 6);
	kfree(cpu[0], block);
	kfree(cpu[0], page);
	kfree(cpu[0], pages);
}

/* ---- caches ---- */

static unsigned nr_made;

static void count_ctor(void *obj)
{
	nr_made++;
	memset(obj, 0x3c, 40);
}

static void slob_constructs_at_every_allocation(void **state)
{
	struct kmem_cache *s = make_with(40, 0, count_ctor);
	char *obj;

	(void)state;
	nr_made = 0;
	for (int i = 0; i < 3; i++) {
		obj = get(s);
		assert_int_equal(obj[39], 0x3c);
		obj[39] = 0;
		put(s, obj);
	}
	assert_int_equal(nr_made, 3);
	assert_false(ops->caps & NSLAB_CAP_CTOR);
}

static void slob_takes_pages_for_a_page_and_more(void **state)
{
	struct kmem_cache *s = make(4096), *rcu = make_with(4090, SLAB_TYPESAFE_BY_RCU, NULL);
	struct nslab_cache_stats stats;
	char *obj = get(s), *kept = get(rcu);

	(void)state;
	assert_int_equal(rcu->size, 4090 + 24);
	assert_int_equal(rcu->order, 1);
	assert_int_equal(nr_pages(), 3);
	ops->cache_stats(rcu, &stats);
	assert_int_equal(stats.nr_slabs, 1);
	assert_int_equal(stats.nr_pages, 2);
	assert_int_equal(ops->cache_destroy(rcu), -EBUSY);
	put(rcu, kept);
	put(s, obj);
}

static void slob_skips_pages_of_other_nodes_when_asked(void **state)
{
	struct kmem_cache *s = make(64);
	char *first = get(s), *far, *any;

	(void)state;
	assert_int_equal(nslab_node_of(env, first), 0);
	far = kmem_cache_alloc_node(cpu[0], s, GFP_KERNEL, 1);
	assert_int_equal(nslab_node_of(env, far), 1);
	/* who asks for none gets the page at hand: the new one is at the head */
	any = get(s);
	assert_ptr_equal(any, far + 64);
	assert_ptr_equal(kmem_cache_alloc_node(cpu[1], s, GFP_KERNEL, 0), first + 64);
	put(s, first + 64);
	put(s, any);
	put(s, far);
	put(s, first);
}

static void slob_takes_one_lock_for_everything(void **state)
{
	struct kmem_cache *s = make(64);
	struct nslab_cache_stats stats;
	void *objs[100];

	(void)state;
	assert_int_equal(kmem_cache_alloc_bulk(cpu[0], s, GFP_KERNEL, 100, objs), 100);
	kmem_cache_free_bulk(cpu[1], s, 100, objs);
	ops->cache_stats(s, &stats);
	/* bulk calls are loops; a new page costs a second acquisition */
	assert_int_equal(stats.stat[NSLAB_STAT_LIST_LOCK], 202);
	assert_int_equal(stats.stat[NSLAB_STAT_ALLOC_SLAB], 2);
	assert_int_equal(stats.stat[NSLAB_STAT_FREE_SLAB], 2);
	assert_int_equal(stats.stat[NSLAB_STAT_REMOTE_FREE], 100);
	assert_int_equal(stats.stat[NSLAB_STAT_ALLOC_FASTPATH], 0);
	assert_int_equal(stats.nr_objects, 0);
}

static void slob_validation_finds_a_broken_list(void **state)
{
	struct kmem_cache *s = make(64);
	char *obj = get(s);
	int16_t *block = (int16_t *)(void *)(obj + 64), units = block[0], next = block[1];

	(void)state;
	assert_int_equal(units, 2048 - 32);
	assert_int_equal(next, 2048);
	block[0] = (int16_t)(units + 1); /* written to after it was freed */
	assert_int_equal(ops->cache_validate(s), 1);
	block[0] = units;
	block[1] = 3; /* backwards */
	assert_int_equal(ops->cache_validate(s), 1);
	block[0] = -2048; /* one unit, although the page has more */
	assert_int_equal(ops->cache_validate(s), 1);
	assert_int_equal(nr_reports, 3);
	nr_reports = 0;
	block[0] = units;
	block[1] = next;
	put(s, obj);
}

#define slob_test(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		slob_test(slob_takes_the_lowest_block_that_fits),
		slob_test(slob_merges_with_both_neighbours),
		slob_test(slob_splits_a_head_for_alignment),
		slob_test(slob_cuts_units_of_two_bytes),
		slob_test(slob_searches_on_where_it_found_something),
		slob_test(slob_keeps_sizes_on_three_lists),
		slob_test(slob_lists_a_full_page_by_the_size_that_was_freed),
		slob_test(slob_kmalloc_has_a_header_and_natural_alignment),
		slob_test(slob_rounds_up_to_what_ksize_says),
		slob_test(slob_kfree_tells_pages_from_blocks),
		slob_test(slob_constructs_at_every_allocation),
		slob_test(slob_takes_pages_for_a_page_and_more),
		slob_test(slob_skips_pages_of_other_nodes_when_asked),
		slob_test(slob_takes_one_lock_for_everything),
		slob_test(slob_validation_finds_a_broken_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
