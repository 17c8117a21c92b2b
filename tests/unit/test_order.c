/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_order.c: the order rules against two files of expected results.
 *
 * order-vectors.tsv holds both formulas' results for many sizes, CPU counts and boot parameters.
 * slabinfo-6.18-2cpu.tsv is what a live 6.18 kernel with 2 CPUs shows of each of its caches, so the
 * rules are held against a kernel and not only against themselves. Every row of both must match;
 * one cache is known not to follow from what sysfs shows and is named below. The strides of debug
 * caches are those of two kernels that were booted with all debug options on.
 */
#define _DEFAULT_SOURCE
#include "allocators/common/object_layout.h"
#include "allocators/common/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char line[4096];

static FILE *open_data(const char *name)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", TEST_DATA, name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open '%s'", path);
	return file;
}

/* Cuts the line at tabs; returns the number of fields. */
static size_t cut(char **fields, size_t max)
{
	char *rest = line;
	size_t nr = 0;

	line[strcspn(line, "\n")] = '\0';
	while (rest && nr < max)
		fields[nr++] = strsep(&rest, "\t");
	return nr;
}

static void check_vector(char **f)
{
	size_t size = strtoul(f[0], NULL, 10);
	int nr_cpus = atoi(f[1]);
	struct nslab_order_knobs knobs = {
		.min_order = (unsigned)atoi(f[2]),
		.max_order = (unsigned)atoi(f[3]),
		.min_objects = (unsigned)atoi(f[4]),
	};
	int order_new = nslab_order_new(size, &knobs, nr_cpus);
	int order_old = nslab_order_old(size, &knobs, nr_cpus);

	if (order_new != atoi(f[5]) || order_old != atoi(f[7]) ||
	    nslab_order_objects(size, (unsigned)order_new) != strtoul(f[6], NULL, 10) ||
	    nslab_order_objects(size, (unsigned)order_old) != strtoul(f[8], NULL, 10))
		fail_msg("size %s, %s CPUs, knobs %s %s %s: new %d not %s, old %d not %s", f[0],
			 f[1], f[2], f[3], f[4], order_new, f[5], order_old, f[7]);
}

static void order_matches_every_vector(void **state)
{
	FILE *file = open_data("order-vectors.tsv");
	char *fields[16];
	int nr = 0;

	(void)state;
	while (fgets(line, sizeof(line), file)) {
		if (line[0] < '0' || line[0] > '9')
			continue;
		assert_int_equal(cut(fields, 16), 9);
		check_vector(fields);
		nr++;
	}
	fclose(file);
	assert_int_equal(nr, 860);
}

/* Columns of slabinfo-6.18-2cpu.tsv. */
enum {
	NAME,
	ALIAS_OF,
	OBJECT_SIZE,
	SLAB_SIZE,
	ALIGN,
	ORDER,
	OBJECTS,
	CPU_PARTIAL,
	MIN_PARTIAL,
	SHEAF_CAPACITY,
	HWCACHE_ALIGN,
	CTOR,
	RECLAIM_ACCOUNT,
	CACHE_DMA,
	DESTROY_BY_RCU,
	SLABS_CPU_PARTIAL = 26
};

static unsigned number(char **f, int column)
{
	return (unsigned)strtoul(f[column], NULL, 10);
}

static void check_cache(char **f)
{
	const struct nslab_order_knobs knobs = NSLAB_ORDER_KNOBS_DEFAULT;
	size_t size = number(f, SLAB_SIZE);
	int order = nslab_order_new(size, &knobs, 2);

	if (order != (int)number(f, ORDER) || nslab_order_old(size, &knobs, 2) != order ||
	    nslab_order_objects(size, (unsigned)order) != number(f, OBJECTS))
		fail_msg("cache '%s': order %d, the kernel has %s", f[NAME], order, f[ORDER]);
	if (nslab_order_min_partial(size) != number(f, MIN_PARTIAL) ||
	    nslab_order_cpu_partial(size) != number(f, CPU_PARTIAL))
		fail_msg("cache '%s': min_partial %u or cpu_partial %u differs from the kernel's",
			 f[NAME], nslab_order_min_partial(size), nslab_order_cpu_partial(size));
}

static void lay_out(size_t object_size, size_t align, unsigned flags, bool has_ctor,
		    struct nslab_object_layout *layout)
{
	const struct nslab_layout_rule rule = {
		.kernel = NSLAB_ORDER_6_18,
		.object_size = object_size,
		.align = align,
		.flags = flags,
		.has_ctor = has_ctor,
	};

	nslab_object_layout(&rule, layout);
}

/* Returns whether the stride follows from the object size, the alignment, ctor and RCU. */
static bool is_stride_right(char **f)
{
	struct nslab_object_layout layout;
	unsigned flags = number(f, HWCACHE_ALIGN) ? SLAB_HWCACHE_ALIGN : 0;

	if (number(f, DESTROY_BY_RCU))
		flags |= SLAB_TYPESAFE_BY_RCU;
	lay_out(number(f, OBJECT_SIZE), number(f, ALIGN), flags, strcmp(f[CTOR], "-") != 0,
		&layout);
	return layout.size == number(f, SLAB_SIZE) && layout.align == number(f, ALIGN);
}

static void order_matches_every_cache_of_a_live_kernel(void **state)
{
	FILE *file = open_data("slabinfo-6.18-2cpu.tsv");
	char *fields[32];
	int nr = 0, nr_wrong = 0;

	(void)state;
	assert_non_null(fgets(line, sizeof(line), file));
	while (fgets(line, sizeof(line), file)) {
		assert_true(cut(fields, 32) > SLABS_CPU_PARTIAL);
		check_cache(fields);
		if (strcmp(fields[ALIAS_OF], "-") != 0)
			continue; /* an alias shows the object size of the cache it joined */
		nr++;
		if (is_stride_right(fields))
			continue;
		/* made with a free-pointer offset of its own, which sysfs does not show */
		assert_string_equal(fields[NAME], "vm_area_struct");
		nr_wrong++;
	}
	fclose(file);
	assert_int_equal(nr, 235);
	assert_int_equal(nr_wrong, 1);
}

static void order_min_objects_grows_with_cpus(void **state)
{
	static const int cpus[] = {0, 1, 2, 3, 4, 7, 8, 64, 127, 128, 511, 512};
	static const unsigned want[] = {8, 8, 12, 12, 16, 16, 20, 32, 32, 36, 40, 44};

	(void)state;
	for (size_t i = 0; i < sizeof(cpus) / sizeof(*cpus); i++)
		assert_int_equal(nslab_order_min_objects(cpus[i]), want[i]);
}

/* The two generations part only between 10928 and 12280 bytes when the knobs are untouched. */
static void order_generations_differ_only_where_known(void **state)
{
	const struct nslab_order_knobs knobs = NSLAB_ORDER_KNOBS_DEFAULT;

	(void)state;
	for (size_t size = 8; size <= 32768; size += 8) {
		for (int cpus = 1; cpus <= 512; cpus *= 2) {
			int order_new = nslab_order_new(size, &knobs, cpus);
			int order_old = nslab_order_old(size, &knobs, cpus);

			if (size >= 10928 && size <= 12280) {
				assert_int_equal(order_old, 2);
				assert_int_equal(order_new, 3);
			} else {
				assert_int_equal(order_old, order_new);
			}
		}
	}
}

static void order_refuses_what_no_block_holds(void **state)
{
	const struct nslab_order_knobs knobs = NSLAB_ORDER_KNOBS_DEFAULT;
	size_t most = NSLAB_PAGE_SIZE << NSLAB_MAX_ORDER;

	(void)state;
	assert_int_equal(nslab_order_new(most, &knobs, 4), NSLAB_MAX_ORDER);
	assert_int_equal(nslab_order_old(most, &knobs, 4), NSLAB_MAX_ORDER);
	assert_int_equal(nslab_order_new(most + 8, &knobs, 4), -E2BIG);
	assert_int_equal(nslab_order_old(most + 8, &knobs, 4), -E2BIG);
}

static void order_keeps_object_count_in_15_bits(void **state)
{
	const struct nslab_order_knobs knobs = {.min_order = 7, .max_order = 10};

	(void)state;
	assert_int_equal(nslab_order_new(8, &knobs, 1), 5);
	assert_int_equal(nslab_order_old(8, &knobs, 1), 5);
	assert_true(nslab_order_objects(8, 5) <= NSLAB_ORDER_OBJECTS_MAX);
}

static void order_of_6_1_keeps_min_order_above_max_order(void **state)
{
	struct nslab_order_knobs knobs = NSLAB_ORDER_KNOBS_DEFAULT;

	(void)state;
	nslab_order_set_min(NSLAB_ORDER_6_1, &knobs, 5);
	assert_int_equal(knobs.min_order, 5);
	assert_int_equal(knobs.max_order, 3);
	assert_int_equal(nslab_order_by_kernel(NSLAB_ORDER_6_1, 64, &knobs, 2), 5);
	assert_int_equal(nslab_order_by_kernel(NSLAB_ORDER_6_1, 8192, &knobs, 2), 5);
	assert_int_equal(nslab_order_by_kernel(NSLAB_ORDER_6_1, 1 << 20, &knobs, 2), 8);
}

static void order_limits_move_along_since_6_8(void **state)
{
	struct nslab_order_knobs knobs = NSLAB_ORDER_KNOBS_DEFAULT;

	(void)state;
	nslab_order_set_min(NSLAB_ORDER_6_12, &knobs, 5);
	assert_int_equal(knobs.max_order, 5);
	nslab_order_set_max(NSLAB_ORDER_6_18, &knobs, 1);
	assert_int_equal(knobs.min_order, 1);
	assert_int_equal(knobs.max_order, 1);
	nslab_order_set_max(NSLAB_ORDER_6_12, &knobs, 99);
	assert_int_equal(knobs.min_order, 1);
	assert_int_equal(knobs.max_order, NSLAB_MAX_ORDER);
}

static void order_converts_cpu_partial_to_slabs(void **state)
{
	static const unsigned want[][3] = {
		/* size, objects, slabs of the reference host */
		{64, 64, 4},   {192, 21, 12}, {256, 16, 7}, {512, 16, 7},
		{1024, 16, 3}, {2048, 16, 3}, {4096, 8, 2}, {8192, 4, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		unsigned objects = nslab_order_cpu_partial(want[i][0]);

		assert_int_equal(nslab_order_cpu_partial_slabs(objects, want[i][1]), want[i][2]);
	}
	assert_int_equal(nslab_order_cpu_partial_slabs(0, 32), 0);
}

/* Columns of the tables that kernels showed with slab_debug=FZPU; the last four are all 1. */
enum {
	DEBUG_NAME,
	DEBUG_OBJECT_SIZE,
	DEBUG_SLAB_SIZE,
	DEBUG_ALIGN,
	DEBUG_COLUMNS = 12
};

static void check_debug_stride(char **f, enum nslab_order_kernel kernel)
{
	struct nslab_object_layout layout;
	struct nslab_layout_rule rule = {
		.kernel = kernel,
		.object_size = number(f, DEBUG_OBJECT_SIZE),
		.align = number(f, DEBUG_ALIGN),
		.flags = SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER,
	};

	for (int i = DEBUG_COLUMNS - 4; i < DEBUG_COLUMNS; i++)
		assert_string_equal(f[i], "1");
	if (strstr(f[DEBUG_NAME], "kmalloc-"))
		rule.flags |= SLAB_KMALLOC;
	nslab_object_layout(&rule, &layout);
	if (layout.size != number(f, DEBUG_SLAB_SIZE))
		fail_msg("cache '%s': %u bytes, the kernel has %s", f[DEBUG_NAME], layout.size,
			 f[DEBUG_SLAB_SIZE]);
}

static void layout_matches_debug_caches_of_real_kernels(void **state)
{
	static const struct {
		const char *name;
		enum nslab_order_kernel kernel;
		int nr;
	} tables[] = {
		{"kernels/6.1-2cpu-slub_debug=FZPU.tsv", NSLAB_ORDER_6_1, 211},
		{"kernels/6.12-2cpu-slab_debug=FZPU.tsv", NSLAB_ORDER_6_12, 248},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		FILE *file = open_data(tables[i].name);
		char *fields[DEBUG_COLUMNS];
		int nr = 0;

		assert_non_null(fgets(line, sizeof(line), file));
		for (; fgets(line, sizeof(line), file); nr++) {
			assert_int_equal(cut(fields, DEBUG_COLUMNS), DEBUG_COLUMNS);
			check_debug_stride(fields, tables[i].kernel);
		}
		fclose(file);
		assert_int_equal(nr, tables[i].nr);
	}
}

static void layout_puts_free_pointer_where_the_object_allows(void **state)
{
	struct nslab_object_layout layout;

	(void)state;
	lay_out(184, 64, 0, false, &layout);
	assert_int_equal(layout.size, 192);
	assert_int_equal(layout.offset, 88);
	lay_out(576, 8, 0, true, &layout);
	assert_int_equal(layout.size, 584);
	assert_int_equal(layout.offset, 576);
	lay_out(1, 0, 0, false, &layout);
	assert_int_equal(layout.size, 8);
	assert_int_equal(layout.offset, 0);
	lay_out(20, 0, SLAB_HWCACHE_ALIGN, false, &layout);
	assert_int_equal(layout.align, 32);
	assert_int_equal(layout.size, 32);
	lay_out(9, 4096, SLAB_TYPESAFE_BY_RCU, false, &layout);
	assert_int_equal(layout.offset, 16);
	assert_int_equal(layout.size, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_matches_every_vector),
		cmocka_unit_test(order_matches_every_cache_of_a_live_kernel),
		cmocka_unit_test(order_min_objects_grows_with_cpus),
		cmocka_unit_test(order_generations_differ_only_where_known),
		cmocka_unit_test(order_refuses_what_no_block_holds),
		cmocka_unit_test(order_keeps_object_count_in_15_bits),
		cmocka_unit_test(order_of_6_1_keeps_min_order_above_max_order),
		cmocka_unit_test(order_limits_move_along_since_6_8),
		cmocka_unit_test(order_converts_cpu_partial_to_slabs),
		cmocka_unit_test(layout_matches_debug_caches_of_real_kernels),
		cmocka_unit_test(layout_puts_free_pointer_where_the_object_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
