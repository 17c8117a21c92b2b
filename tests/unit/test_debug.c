// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_debug.c: the debug layer: each fault is planted, on several backends, and must be told in
 * one line that names it.
 *
 * ASan and Valgrind are told nothing in these tests, since they would stop the program at the
 * fault; what they find is debug_tools.sh's. A fault must also leave the backend whole, which the
 * close at the end of each test shows. Nothing depends on which addresses the backend gives out.
 */
#include "tests/support/small_world.h"

#include <errno.h>
#include <stdlib.h>

static const char *const backends[] = {"null", "slub", "nodelocal", "heap", "libc"};
#define NR_BACKENDS (sizeof(backends) / sizeof(*backends))

static struct small_world w;

static void open_on(const char *allocator, unsigned quarantine)
{
	const struct nslab_world_spec spec = {
		.is_debug = true,
		.debug_quarantine = quarantine,
		.debug_has_no_tools = true,
	};

	small_open(&w, allocator, &spec);
}

/* Exactly one line was reported and it has both texts. */
static void expect_line(const char *fault, const char *detail)
{
	if (w.nr_lines != 1 || !strstr(w.lines[0], fault) || !strstr(w.lines[0], detail))
		fail_msg("%s: wanted one line with '%s' and '%s', got %u, the first: %s",
			 w.ops->name, fault, detail, w.nr_lines, w.nr_lines ? w.lines[0] : "-");
	w.nr_lines = 0;
}

static void drop(struct kmem_cache *s)
{
	assert_int_equal(nslab_world_cache_destroy(w.world, s), 0);
}

static void debug_finds_nothing_when_all_is_well(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		struct kmem_cache *s;
		void *objs[100];

		open_on(backends[i], 0);
		s = small_cache(&w, "well", 100, 0, NULL);
		assert_int_equal(s->object_size, 100);
		for (size_t k = 0; k < 100; k++) {
			objs[k] = kmem_cache_alloc(w.cpu[k % SMALL_CPUS], s, GFP_KERNEL);
			memset(objs[k], 1, 100);
		}
		for (size_t k = 0; k < 100; k++)
			kmem_cache_free(w.cpu[(k + 1) % SMALL_CPUS], s, objs[k]);
		assert_int_equal(kmem_cache_alloc_bulk(w.cpu[1], s, GFP_KERNEL, 100, objs), 100);
		kmem_cache_free_bulk(w.cpu[2], s, 100, objs);
		assert_int_equal(w.ops->cache_validate(s), 0);
		drop(s);
		small_close(&w);
	}
}

static void debug_tells_double_free(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		struct kmem_cache *s;
		void *obj;

		open_on(backends[i], 4);
		s = small_cache(&w, "twice", 72, 0, NULL);
		obj = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
		kmem_cache_free(w.cpu[0], s, obj);
		kmem_cache_free(w.cpu[1], s, obj);
		expect_line("double free: kmem_cache_free of 72 bytes at", "(twice) on CPU 1 by ");
		/* long after the backend has it again, which may have used it for others since */
		for (int k = 0; k < 20; k++)
			kfree(w.cpu[0], kmalloc(w.cpu[0], 4000, GFP_KERNEL));
		kfree(w.cpu[2], obj);
		expect_line("double free: kfree of ", "operations ago on CPU 0 by ");
		drop(s);
		small_close(&w);
	}
}

static void debug_tells_foreign_pointer(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		char here[64], *obj;

		open_on(backends[i], 0);
		kfree(w.cpu[0], here);
		expect_line("foreign pointer: kfree of", "which was never allocated here");
		obj = kmalloc(w.cpu[0], 100, GFP_KERNEL);
		kfree(w.cpu[3], obj + 24);
		expect_line("foreign pointer: kfree of", "24 bytes inside of 100 bytes at");
		assert_int_equal(ksize(w.cpu[0], obj + 8), 0);
		expect_line("foreign pointer: ksize", "8 bytes inside");
		kfree(w.cpu[0], obj);
		small_close(&w);
	}
}

static void debug_tells_wrong_cache(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		struct kmem_cache *a, *b;
		void *obj;

		open_on(backends[i], 0);
		a = small_cache(&w, "right", 64, 0, NULL);
		b = small_cache(&w, "wrong", 64, 0, NULL);
		obj = kmem_cache_alloc(w.cpu[0], a, GFP_KERNEL);
		kmem_cache_free(w.cpu[0], b, obj);
		expect_line("wrong cache: kmem_cache_free",
			    "as an object of 'wrong', it is of 'right'");
		kmem_cache_free(w.cpu[0], a, obj);
		drop(a);
		drop(b);
		small_close(&w);
	}
}

static void debug_tells_overrun(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		unsigned char *volatile obj; /* so that no compiler sees the fault */
		struct kmem_cache *s;

		open_on(backends[i], 0);
		s = small_cache(&w, "short", 61, 0, NULL);
		obj = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
		obj[61] = 0;
		kmem_cache_free(w.cpu[0], s, obj);
		expect_line("overrun: 1 bytes behind 61 bytes at", "the first at offset 61");
		obj = kmalloc(w.cpu[0], 4096, GFP_KERNEL);
		obj[4100] = 0;
		obj = krealloc(w.cpu[0], obj, 5000, GFP_KERNEL);
		expect_line("overrun: 1 bytes behind 4096 bytes", "(kmalloc)");
		kfree(w.cpu[0], obj);
		obj = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
		obj[62] = obj[63] = 0;
		assert_int_equal(w.ops->cache_validate(s), 1);
		expect_line("overrun: 2 bytes", "the first at offset 62");
		kmem_cache_free(w.cpu[0], s, obj);
		drop(s);
		small_close(&w);
	}
}

static void debug_tells_use_after_free(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		unsigned char *volatile obj;

		open_on(backends[i], 8);
		obj = kmalloc(w.cpu[1], 100, GFP_KERNEL);
		obj[7] = 1;
		kfree(w.cpu[1], obj);
		assert_int_equal(obj[7], 0x6b);
		assert_int_equal(obj[99], 0xa5);
		obj[7] = 1;
		/* seen when it leaves the quarantine */
		for (int k = 0; k < 8; k++)
			kfree(w.cpu[1], kmalloc(w.cpu[1], 32, GFP_KERNEL));
		expect_line("use after free: 1 bytes of 100 bytes at",
			    "the first at offset 7; freed");
		obj = kmalloc(w.cpu[1], 50, GFP_KERNEL);
		kfree(w.cpu[1], obj);
		assert_null(krealloc(w.cpu[0], obj, 60, GFP_KERNEL));
		expect_line("use after free: krealloc of 50 bytes", "freed before");
		small_close(&w);
	}
}

static void debug_fills_what_is_new(void **state)
{
	unsigned char *obj;

	(void)state;
	open_on("slub", 0);
	obj = kmalloc(w.cpu[0], 20, GFP_KERNEL);
	for (int i = 0; i < 20; i++)
		assert_int_equal(obj[i], 0x5a);
	kfree(w.cpu[0], obj);
	obj = kzalloc(w.cpu[0], 20, GFP_KERNEL);
	for (int i = 0; i < 20; i++)
		assert_int_equal(obj[i], 0);
	assert_int_equal(ksize(w.cpu[0], obj), 20);
	kfree(w.cpu[0], obj);
	small_close(&w);
}

static void debug_tells_leaks_at_close(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		struct kmem_cache *s;
		bool is_mallocs;
		void *obj;

		open_on(backends[i], 0);
		s = small_cache(&w, "lost", 40, 0, NULL);
		obj = kmem_cache_alloc(w.cpu[2], s, GFP_KERNEL);
		assert_non_null(obj);
		for (int k = 0; k < 5; k++)
			kfree(w.cpu[0], kmalloc(w.cpu[0], 9, GFP_KERNEL));
		assert_int_equal(nslab_world_cache_destroy(w.world, s), -EBUSY);
		is_mallocs = !(w.ops->caps & NSLAB_CAP_PAGES);
		small_end(&w);
		if (is_mallocs)
			free(obj); /* the others' memory goes with the arena */
		assert_int_equal(small_count(&w, "debug: leak: "), 1);
		assert_int_equal(small_count(&w, "leak: 40 bytes at"), 1);
		/* itself, then five pairs */
		assert_int_equal(
			small_count(&w, "(lost), allocated 11 operations ago on CPU 2 by "), 1);
		/* the site is in this program */
		assert_int_equal(small_count(&w, "test_unit_debug+0x"), 1);
	}
}

static void debug_tells_many_leaks_in_few_lines(void **state)
{
	(void)state;
	open_on("slub", 0);
	for (int k = 0; k < 30; k++)
		assert_non_null(kmalloc(w.cpu[0], 10, GFP_KERNEL));
	small_end(&w);
	assert_int_equal(small_count(&w, "debug: leak: 10 bytes at"), 16);
	assert_int_equal(small_count(&w, "leak: and 14 more objects of 140 bytes together"), 1);
}

static void count_ctor(void *obj)
{
	memset(obj, 0x44, 48);
}

static void debug_keeps_what_a_constructor_made(void **state)
{
	struct kmem_cache *s;
	unsigned char *obj;

	(void)state;
	open_on("slub", 2);
	s = small_cache(&w, "made", 48, 0, count_ctor);
	for (int k = 0; k < 50; k++) {
		obj = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
		assert_int_equal(obj[0], 0x44);
		assert_int_equal(obj[47], 0x44);
		kmem_cache_free(w.cpu[0], s, obj);
	}
	drop(s);
	small_close(&w);
}

static void debug_gives_the_quarantine_up_when_pages_are_out(void **state)
{
	void *obj[4];

	(void)state;
	open_on("heap", 16);
	for (int k = 0; k < 4; k++)
		obj[k] = kmalloc(w.cpu[0], (size_t)3 << 20, GFP_KERNEL);
	for (int k = 0; k < 4; k++)
		kfree(w.cpu[0], obj[k]);
	/* 8 blocks of 4 MiB on both nodes, of which the freed ones are needed again */
	for (int round = 0; round < 8; round++) {
		for (int k = 0; k < 4; k++) {
			obj[k] = kmalloc(w.cpu[0], (size_t)3 << 20, GFP_KERNEL);
			assert_non_null(obj[k]);
		}
		for (int k = 0; k < 4; k++)
			kfree(w.cpu[0], obj[k]);
	}
	small_close(&w);
}

static void debug_passes_the_backends_own_lines_on(void **state)
{
	struct kmem_cache *s;
	unsigned char *volatile obj;

	(void)state;
	open_on("heap", 1);
	s = small_cache(&w, "heap", 48, 0, NULL);
	obj = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	/* far behind the red zone of 16 bytes lies the header of the next block */
	obj[64] ^= 0xff;
	assert_int_not_equal(w.ops->cache_validate(s), 0);
	assert_true(small_count(&w, "heap: block ") >= 1);
	obj[64] ^= 0xff;
	w.nr_lines = 0;
	kmem_cache_free(w.cpu[0], s, obj);
	drop(s);
	small_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(debug_finds_nothing_when_all_is_well),
		cmocka_unit_test(debug_tells_double_free),
		cmocka_unit_test(debug_tells_foreign_pointer),
		cmocka_unit_test(debug_tells_wrong_cache),
		cmocka_unit_test(debug_tells_overrun),
		cmocka_unit_test(debug_tells_use_after_free),
		cmocka_unit_test(debug_fills_what_is_new),
		cmocka_unit_test(debug_tells_leaks_at_close),
		cmocka_unit_test(debug_tells_many_leaks_in_few_lines),
		cmocka_unit_test(debug_keeps_what_a_constructor_made),
		cmocka_unit_test(debug_gives_the_quarantine_up_when_pages_are_out),
		cmocka_unit_test(debug_passes_the_backends_own_lines_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
