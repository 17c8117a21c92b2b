/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_slab_order.c: the rules of SLAB against computed vectors.
 *
 * The vectors are those of the fact sheet that the model was written from: computed for 4096-byte
 * pages, one-byte indexes and a slab_max_order of 1. They say for each size where the index array
 * lies, the order and the objects of a slab. Everything here is a pure function.
 */
#include "allocators/common/slab_order.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void shape_matches_the_computed_vectors(void **state)
{
	static const struct {
		size_t size;
		enum nslab_slab_index index;
		unsigned order, objects;
	} want[] = {
		{32, NSLAB_SLAB_ON_SLAB, 0, 124},   {64, NSLAB_SLAB_IN_OBJECT, 0, 64},
		{96, NSLAB_SLAB_IN_OBJECT, 0, 42},  {128, NSLAB_SLAB_IN_OBJECT, 0, 32},
		{192, NSLAB_SLAB_IN_OBJECT, 0, 21}, {256, NSLAB_SLAB_IN_OBJECT, 0, 16},
		{512, NSLAB_SLAB_IN_OBJECT, 0, 8},  {576, NSLAB_SLAB_IN_OBJECT, 0, 7},
		{1024, NSLAB_SLAB_IN_OBJECT, 0, 4}, {1088, NSLAB_SLAB_IN_OBJECT, 1, 7},
		{2048, NSLAB_SLAB_IN_OBJECT, 0, 2}, {4096, NSLAB_SLAB_IN_OBJECT, 0, 1},
		{8192, NSLAB_SLAB_IN_OBJECT, 1, 1}, {16384, NSLAB_SLAB_IN_OBJECT, 2, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		const struct nslab_slab_rule rule = {
			.size = want[i].size,
			.object_size = want[i].size,
			.max_order = 1,
			.order = NSLAB_AUTO,
		};
		struct nslab_slab_shape shape;

		assert_int_equal(nslab_slab_shape(&rule, &shape), 0);
		assert_int_equal(shape.index, want[i].index);
		assert_int_equal(shape.order, want[i].order);
		assert_int_equal(shape.objects, want[i].objects);
		assert_int_equal(shape.index_bytes, 1);
	}
}

static struct nslab_slab_shape shape_of(struct nslab_slab_rule rule, int rc)
{
	struct nslab_slab_shape shape = {.order = 99};

	rule.object_size = rule.size;
	assert_int_equal(nslab_slab_shape(&rule, &shape), rc);
	return shape;
}

static void shape_puts_the_index_where_the_object_allows(void **state)
{
	struct nslab_slab_shape shape;

	(void)state;
	/* a constructed object cannot hold it; 8 bytes are not left over: outside */
	shape = shape_of(
		(struct nslab_slab_rule){512, .has_ctor = true, .max_order = 1, .order = -1}, 0);
	assert_int_equal(shape.index, NSLAB_SLAB_OFF_SLAB);
	assert_int_equal(shape.objects, 8);
	shape = shape_of((struct nslab_slab_rule){512, .flags = SLAB_TYPESAFE_BY_RCU,
						  .max_order = 1, .order = -1},
			 0);
	assert_int_equal(shape.index, NSLAB_SLAB_OFF_SLAB);
	/* 64 bytes are left over anyway */
	shape = shape_of(
		(struct nslab_slab_rule){576, .has_ctor = true, .max_order = 1, .order = -1}, 0);
	assert_int_equal(shape.index, NSLAB_SLAB_ON_SLAB);
	assert_int_equal(shape.objects, 7);
	/* the smallest class of kmalloc is more than half an object */
	shape = shape_of(
		(struct nslab_slab_rule){48, .has_ctor = true, .max_order = 1, .order = -1}, 0);
	assert_int_equal(shape.index, NSLAB_SLAB_ON_SLAB);
	assert_int_equal(shape.objects, 83);
}

static void shape_stops_at_the_first_good_order(void **state)
{
	struct nslab_slab_shape shape;

	(void)state;
	shape = shape_of((struct nslab_slab_rule){1088, .flags = SLAB_RECLAIM_ACCOUNT,
						  .max_order = 1, .order = -1},
			 0);
	assert_int_equal(shape.order, 0);
	assert_int_equal(shape.objects, 3);
	shape = shape_of((struct nslab_slab_rule){1088, .max_order = 0, .order = -1}, 0);
	assert_int_equal(shape.order, 0);
	/* left over of 4, 8 and 16 KiB: 1296, 1192 and 984 bytes; an eighth is good enough */
	shape = shape_of((struct nslab_slab_rule){1400, .max_order = 3, .order = -1}, 0);
	assert_int_equal(shape.order, 2);
	assert_int_equal(shape.objects, 11);
	assert_int_equal(shape.left_bytes, 984);
}

static void shape_keeps_to_a_forced_order(void **state)
{
	struct nslab_slab_shape shape;

	(void)state;
	shape = shape_of((struct nslab_slab_rule){256, .max_order = 1, .order = 4}, 0);
	assert_int_equal(shape.order, 4);
	assert_int_equal(shape.objects, 255);
	assert_int_equal(shape.index_bytes, 1);
	shape = shape_of((struct nslab_slab_rule){128, .max_order = 1, .order = 4}, 0);
	assert_int_equal(shape.objects, 65536 / 130);
	assert_int_equal(shape.index_bytes, 2);
	shape_of((struct nslab_slab_rule){5000, .max_order = 1, .order = 0}, -E2BIG);
	shape_of((struct nslab_slab_rule){16, .max_order = 1, .order = 10}, -ERANGE);
	shape_of((struct nslab_slab_rule){((size_t)4 << 20) + 8, .max_order = 1, .order = -1},
		 -E2BIG);
}

static void stride_is_at_least_16_bytes(void **state)
{
	(void)state;
	assert_int_equal(nslab_slab_stride(1, 8), 16);
	assert_int_equal(nslab_slab_stride(17, 8), 24);
	assert_int_equal(nslab_slab_stride(8, 64), 64);
	assert_int_equal(nslab_slab_colour_bytes(8), 64);
	assert_int_equal(nslab_slab_colour_bytes(256), 256);
}

static void tuning_follows_the_size(void **state)
{
	static const unsigned want[][4] = {
		/* size, limit, batchcount, shared */
		{16, 120, 60, 8},  {256, 120, 60, 8}, {257, 54, 27, 8},
		{1024, 54, 27, 8}, {1025, 24, 12, 8}, {4096, 24, 12, 8},
		{4097, 8, 4, 0},   {131072, 8, 4, 0}, {131073, 1, 1, 0},
	};
	struct nslab_slab_tuning tuning;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		nslab_slab_tune(want[i][0], 2, &tuning);
		assert_int_equal(tuning.limit, want[i][1]);
		assert_int_equal(tuning.batchcount, want[i][2]);
		assert_int_equal(tuning.shared, want[i][3]);
	}
	nslab_slab_tune(64, 1, &tuning);
	assert_int_equal(tuning.shared, 0);
	assert_int_equal(nslab_slab_free_limit(2, 60, 64), 3 * 60 + 64);
	assert_int_equal(nslab_slab_reap_objects(120, 120), 24);
	assert_int_equal(nslab_slab_reap_objects(120, 23), 12);
	assert_int_equal(nslab_slab_reap_slabs(244, 64), 1);
	assert_int_equal(nslab_slab_reap_slabs(321, 64), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shape_matches_the_computed_vectors),
		cmocka_unit_test(shape_puts_the_index_where_the_object_allows),
		cmocka_unit_test(shape_stops_at_the_first_good_order),
		cmocka_unit_test(shape_keeps_to_a_forced_order),
		cmocka_unit_test(stride_is_at_least_16_bytes),
		cmocka_unit_test(tuning_follows_the_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
