/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_memblock.c: early memory against a map of bytes, and its rules one by one.
 *
 * The random test adds, removes, reserves, frees and allocates on 4096 units and compares both
 * arrays with one byte of truth for each unit after every step. Its seed is printed, and taken from
 * the first argument when there is one.
 */
#include "allocators/memblock.h"
#include "core/rng.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NR_UNITS 4096

static uint64_t seed = 17;
static struct nslab_memblock m;

static int open_memblock(void **state)
{
	(void)state;
	nslab_memblock_init(&m);
	return 0;
}

static int close_memblock(void **state)
{
	(void)state;
	nslab_memblock_exit(&m);
	return 0;
}

static void assert_region(const struct nslab_memblock_array *a, size_t i, uint64_t base,
			  uint64_t size)
{
	assert_true(i < a->nr);
	assert_int_equal(a->regions[i].base, base);
	assert_int_equal(a->regions[i].size, size);
}

static void memblock_merges_neighbours_when_node_and_flags_agree(void **state)
{
	(void)state;
	assert_int_equal(nslab_memblock_add(&m, 100, 100, 0, 0), 0);
	assert_int_equal(nslab_memblock_add(&m, 300, 100, 0, 0), 0);
	assert_int_equal(m.memory.nr, 2);
	assert_int_equal(nslab_memblock_add(&m, 200, 100, 0, 0), 0);
	assert_int_equal(m.memory.nr, 1);
	assert_region(&m.memory, 0, 100, 300);
	assert_int_equal(nslab_memblock_add(&m, 400, 50, 1, 0), 0);
	assert_int_equal(nslab_memblock_add(&m, 450, 50, 1, 7), 0);
	assert_int_equal(m.memory.nr, 3);
}

static void memblock_adds_what_is_new_when_ranges_overlap(void **state)
{
	(void)state;
	assert_int_equal(nslab_memblock_add(&m, 100, 50, 0, 0), 0);
	assert_int_equal(nslab_memblock_add(&m, 200, 50, 0, 0), 0);
	assert_int_equal(nslab_memblock_add(&m, 50, 300, 1, 0), 0);
	assert_int_equal(m.memory.nr, 5);
	assert_region(&m.memory, 0, 50, 50);
	assert_region(&m.memory, 2, 150, 50);
	assert_region(&m.memory, 4, 250, 100);
	assert_int_equal(m.memory.regions[1].node, 0);
	assert_int_equal(m.memory.regions[2].node, 1);
	assert_int_equal(nslab_memblock_bytes(&m.memory), 300);
	assert_int_equal(nslab_memblock_remove(&m, 120, 160), 0);
	assert_int_equal(m.memory.nr, 3);
	assert_region(&m.memory, 1, 100, 20);
	assert_region(&m.memory, 2, 280, 70);
}

static void memblock_refuses_when_a_range_makes_no_sense(void **state)
{
	uint64_t base = 5;

	(void)state;
	assert_int_equal(nslab_memblock_add(&m, UINT64_MAX - 10, 20, 0, 0), -EINVAL);
	assert_int_equal(nslab_memblock_free(&m, UINT64_MAX, 2), -EINVAL);
	assert_int_equal(nslab_memblock_add(&m, 10, 0, 0, 0), 0);
	assert_int_equal(m.memory.nr, 0);
	assert_int_equal(nslab_memblock_alloc(&m, 0, 8, 0, false, &base), -EINVAL);
	assert_int_equal(nslab_memblock_alloc(&m, 8, 0, 0, false, &base), -EINVAL);
	assert_int_equal(nslab_memblock_alloc(&m, 8, 12, 0, false, &base), -EINVAL);
	assert_int_equal(nslab_memblock_alloc(&m, 8, 8, 0, false, &base), -ENOMEM);
	assert_int_equal(base, 5);
}

static void memblock_allocates_from_the_top_of_the_node_when_it_can(void **state)
{
	uint64_t base;

	(void)state;
	nslab_memblock_add(&m, 0, 1000, 0, 0);
	nslab_memblock_add(&m, 1000, 1000, 1, 0);
	assert_int_equal(nslab_memblock_alloc(&m, 100, 64, 0, true, &base), 0);
	assert_int_equal(base, 896);
	assert_int_equal(nslab_memblock_alloc(&m, 100, 1, NUMA_NO_NODE, false, &base), 0);
	assert_int_equal(base, 1900);
	/* what is left of node 0 above the first one is 4 bytes */
	assert_int_equal(nslab_memblock_alloc(&m, 4, 1, 0, true, &base), 0);
	assert_int_equal(base, 996);
	assert_int_equal(nslab_memblock_alloc(&m, 897, 1, 0, true, &base), -ENOMEM);
	assert_int_equal(nslab_memblock_alloc(&m, 897, 1, 0, false, &base), 0);
	assert_int_equal(base, 1003);
	m.is_bottom_up = true;
	assert_int_equal(nslab_memblock_alloc(&m, 10, 1, NUMA_NO_NODE, false, &base), 0);
	assert_int_equal(base, 0);
}

static void memblock_doubles_its_arrays_when_they_are_full(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(nslab_memblock_reserve(&m, i * 10, 5), 0);
	assert_int_equal(m.reserved.nr, 1000);
	assert_int_equal(m.reserved.max, 1024);
	assert_int_equal(nslab_memblock_bytes(&m.reserved), 5000);
	assert_int_equal(nslab_memblock_reserve(&m, 0, 10000), 0);
	assert_int_equal(m.reserved.nr, 1);
}

static void memblock_cuts_into_the_largest_aligned_blocks(void **state)
{
	static const unsigned expected[] = {0, 1, 10, 10, 9, 2, 0};
	uint64_t pfn = 1021, end = 4096 - 1024 + 512 + 5;
	unsigned nr = 0;

	(void)state;
	while (pfn < end) {
		assert_true(nr < 7);
		assert_int_equal(nslab_memblock_order(pfn, end), expected[nr]);
		pfn += (uint64_t)1 << expected[nr++];
	}
	assert_int_equal(pfn, end);
	assert_int_equal(nslab_memblock_order(0, 1 << 20), NSLAB_MAX_ORDER);
}

/* ---- at random ---- */

struct truth {
	signed char node[NR_UNITS]; /* -1: no memory */
	bool is_reserved[NR_UNITS];
};

static void assert_array(const struct nslab_memblock_array *a, const signed char *value)
{
	size_t i = 0;

	for (uint64_t unit = 0; unit < NR_UNITS; unit++) {
		while (i < a->nr && a->regions[i].base + a->regions[i].size <= unit)
			i++;
		if (i < a->nr && a->regions[i].base <= unit)
			assert_int_equal(a->regions[i].node, value[unit] - 1);
		else
			assert_int_equal(value[unit], 0);
	}
	for (i = 1; i < a->nr; i++) {
		const struct nslab_memblock_region *x = &a->regions[i - 1], *y = x + 1;

		assert_true(x->base + x->size <= y->base);
		assert_true(x->size && (x->base + x->size < y->base || x->node != y->node));
	}
}

/* Array values are node + 1; 0 is no memory. */
static void assert_truth(const struct truth *t)
{
	signed char value[NR_UNITS];
	struct nslab_memblock_region range = {0, 0, 0, 0};
	uint64_t nr_free = 0, nr_found = 0;

	for (int i = 0; i < NR_UNITS; i++) {
		value[i] = (signed char)(t->node[i] + 1);
		nr_free += t->node[i] >= 0 && !t->is_reserved[i];
	}
	assert_array(&m.memory, value);
	while (nslab_memblock_next_free(&m, range.base + range.size, &range)) {
		for (uint64_t i = range.base; i < range.base + range.size; i++)
			assert_true(t->node[i] == range.node && !t->is_reserved[i]);
		nr_found += range.size;
	}
	assert_int_equal(nr_found, nr_free);
}

static void random_alloc(struct truth *t, uint64_t size, uint64_t align, int node)
{
	uint64_t base;

	if (nslab_memblock_alloc(&m, size, align, node, true, &base))
		return;
	assert_int_equal(base % align, 0);
	for (uint64_t i = base; i < base + size; i++) {
		assert_true(t->node[i] == node && !t->is_reserved[i]);
		t->is_reserved[i] = true;
	}
}

static void random_step(struct truth *t, uint64_t *rng)
{
	uint64_t base = nslab_rng_below(rng, NR_UNITS);
	uint64_t size = 1 + nslab_rng_below(rng, 200);
	int node = (int)nslab_rng_below(rng, 3);
	uint32_t what = nslab_rng_below(rng, 6);

	if (size > NR_UNITS - base)
		size = NR_UNITS - base;
	if (what <= 1)
		assert_int_equal(nslab_memblock_add(&m, base, size, node, 0), 0);
	else if (what == 2)
		assert_int_equal(nslab_memblock_remove(&m, base, size), 0);
	else if (what == 3)
		assert_int_equal(nslab_memblock_reserve(&m, base, size), 0);
	else if (what == 4)
		assert_int_equal(nslab_memblock_free(&m, base, size), 0);
	else
		random_alloc(t, size, (uint64_t)1 << nslab_rng_below(rng, 5), node);
	for (uint64_t i = base; i < base + size; i++) {
		if (what <= 1 && t->node[i] < 0)
			t->node[i] = (signed char)node;
		else if (what == 2)
			t->node[i] = -1;
		else if (what == 3 || what == 4)
			t->is_reserved[i] = what == 3;
	}
}

static void memblock_agrees_with_a_map_when_calls_are_random(void **state)
{
	static struct truth t;
	uint64_t rng = seed;

	(void)state;
	memset(t.node, -1, sizeof(t.node));
	for (int i = 0; i < 3000; i++) {
		random_step(&t, &rng);
		assert_truth(&t);
	}
}

#define MEMBLOCK_TEST(name) cmocka_unit_test_setup_teardown(name, open_memblock, close_memblock)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		MEMBLOCK_TEST(memblock_merges_neighbours_when_node_and_flags_agree),
		MEMBLOCK_TEST(memblock_adds_what_is_new_when_ranges_overlap),
		MEMBLOCK_TEST(memblock_refuses_when_a_range_makes_no_sense),
		MEMBLOCK_TEST(memblock_allocates_from_the_top_of_the_node_when_it_can),
		MEMBLOCK_TEST(memblock_doubles_its_arrays_when_they_are_full),
		MEMBLOCK_TEST(memblock_cuts_into_the_largest_aligned_blocks),
		MEMBLOCK_TEST(memblock_agrees_with_a_map_when_calls_are_random),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	printf("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests_name("memblock", tests, NULL, NULL);
}
