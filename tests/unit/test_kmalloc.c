// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_kmalloc.c: the kmalloc front end: classes, types, large requests, resizing, groups.
 *
 * The default front end is driven on slub, and what every backend must do also on those with a
 * kmalloc of their own. Class boundaries and names are the kernel's (mm/slab_common.c of 6.1 and
 * /proc/slabinfo), written out here by hand. The order in which a group frees is seen through its
 * actions.
 */
#include "allocators/common/kmalloc.h"

#include "tests/support/small_world.h"

#include <errno.h>
#include <numaslab/managed.h>

static const char *const backends[] = {"slub", "null", "nodelocal", "heap", "libc"};
#define NR_BACKENDS (sizeof(backends) / sizeof(*backends))

static struct small_world w;

static void open_on(const char *allocator)
{
	const struct nslab_world_spec spec = {.seed = 1};

	small_open(&w, allocator, &spec);
}

static struct kmem_cache *cache_of(const void *obj)
{
	return nslab_page_of(w.heap->env, obj)->s;
}

static void kmalloc_classes_are_those_of_the_kernel(void **state)
{
	static const struct {
		size_t from, to;
		const char *name;
	} rows[] = {
		{1, 8, "kmalloc-8"},	    {9, 16, "kmalloc-16"},	{17, 32, "kmalloc-32"},
		{33, 64, "kmalloc-64"},	    {65, 96, "kmalloc-96"},	{97, 128, "kmalloc-128"},
		{129, 192, "kmalloc-192"},  {193, 256, "kmalloc-256"},	{257, 512, "kmalloc-512"},
		{513, 1024, "kmalloc-1k"},  {1025, 2048, "kmalloc-2k"}, {2049, 4096, "kmalloc-4k"},
		{4097, 8192, "kmalloc-8k"},
	};

	(void)state;
	open_on("slub");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		for (size_t size = rows[i].from; size <= rows[i].to;
		     size += rows[i].to - rows[i].from) {
			void *obj = kmalloc(w.cpu[0], size, GFP_KERNEL);

			assert_string_equal(cache_of(obj)->name, rows[i].name);
			assert_int_equal(ksize(w.cpu[0], obj), rows[i].to);
			assert_int_equal(kmalloc_size_roundup(w.cpu[0], size), rows[i].to);
			/* powers of two are naturally aligned */
			if (!(rows[i].to & (rows[i].to - 1)))
				assert_int_equal((uintptr_t)obj %
							 (rows[i].to > 4096 ? 4096 : rows[i].to),
						 0);
			kfree(w.cpu[0], obj);
		}
	}
	small_close(&w);
}

static void kmalloc_types_follow_the_flags(void **state)
{
	static const struct {
		gfp_t gfp;
		const char *name;
		unsigned flag;
	} rows[] = {
		{0, "kmalloc-192", SLAB_NO_MERGE},
		{__GFP_ACCOUNT, "kmalloc-cg-192", SLAB_ACCOUNT},
		{__GFP_RECLAIMABLE, "kmalloc-rcl-192", SLAB_RECLAIM_ACCOUNT},
		{__GFP_RECLAIMABLE | __GFP_ACCOUNT, "kmalloc-rcl-192", SLAB_RECLAIM_ACCOUNT},
		{__GFP_DMA, "dma-kmalloc-192", SLAB_CACHE_DMA},
		{__GFP_DMA | __GFP_RECLAIMABLE, "dma-kmalloc-192", SLAB_CACHE_DMA},
	};
	unsigned nr_caches = 0;

	(void)state;
	open_on("slub");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		void *obj = kmalloc(w.cpu[0], 150, GFP_KERNEL | rows[i].gfp);

		assert_string_equal(cache_of(obj)->name, rows[i].name);
		assert_int_equal(cache_of(obj)->flags, SLAB_KMALLOC | rows[i].flag);
		assert_int_equal(nslab_kmalloc_cache_type(w.heap, cache_of(obj)),
				 nslab_kmalloc_type_of(rows[i].gfp));
		kfree(w.cpu[0], obj);
	}
	for (struct nslab_list *pos = w.heap->caches.next; pos != &w.heap->caches; pos = pos->next)
		nr_caches++;
	assert_int_equal(nr_caches, 4 * 13); /* as on a live 6.18 */
	small_close(&w);
}

static void kmalloc_types_share_where_the_backend_has_its_own(void **state)
{
	void *obj;

	(void)state;
	open_on("nodelocal");
	assert_null(w.heap->kmalloc_types);
	obj = kmalloc(w.cpu[0], 100, GFP_KERNEL | __GFP_ACCOUNT | __GFP_DMA);
	assert_string_equal(cache_of(obj)->name, "kmalloc-128");
	kfree(w.cpu[0], obj);
	small_close(&w);
}

static void kmalloc_counts_large_requests(void **state)
{
	static const char *const front_ends[] = {"slub", "null", "nodelocal"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		void *a, *b;

		open_on(front_ends[i]);
		a = kmalloc(w.cpu[0], 8193, GFP_KERNEL);
		b = kmalloc(w.cpu[2], 5 << 12, GFP_KERNEL);
		assert_int_equal(ksize(w.cpu[0], a), 16384);
		assert_int_equal(kmalloc_size_roundup(w.cpu[0], 8193), 16384);
		assert_int_equal(atomic_load(&w.heap->nr_large), 2);
		assert_int_equal(atomic_load(&w.heap->nr_large_pages), 4 + 8);
		kfree(w.cpu[0], b);
		assert_int_equal(atomic_load(&w.heap->nr_large_pages), 4);
		kfree(w.cpu[0], a);
		assert_int_equal(atomic_load(&w.heap->nr_large), 0);
		assert_null(kmalloc(w.cpu[0], ((size_t)4 << 20) + 1, GFP_KERNEL | __GFP_NOWARN));
		small_close(&w);
	}
}

static void kmalloc_of_nothing_is_neither_null_nor_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		void *obj;

		open_on(backends[i]);
		obj = kmalloc(w.cpu[0], 0, GFP_KERNEL);
		assert_int_equal((uintptr_t)obj, 16);
		assert_int_equal(ksize(w.cpu[0], obj), 0);
		assert_int_equal(ksize(w.cpu[0], NULL), 0);
		assert_int_equal(kmalloc_size_roundup(w.cpu[0], 0), 0);
		obj = krealloc(w.cpu[0], obj, 40, GFP_KERNEL);
		assert_true((uintptr_t)obj > 16);
		assert_int_equal((uintptr_t)krealloc(w.cpu[0], obj, 0, GFP_KERNEL), 16);
		kfree(w.cpu[0], NULL);
		kfree(w.cpu[0], (void *)16);
		small_close(&w);
	}
}

static void krealloc_keeps_the_pointer_while_it_fits(void **state)
{
	unsigned char *obj, *grown;

	(void)state;
	open_on("slub");
	obj = krealloc(w.cpu[0], NULL, 100, GFP_KERNEL);
	memset(obj, 7, 100);
	assert_ptr_equal(krealloc(w.cpu[0], obj, 128, GFP_KERNEL), obj);
	assert_ptr_equal(krealloc(w.cpu[0], obj, 1, GFP_KERNEL), obj);
	grown = krealloc(w.cpu[0], obj, 300, GFP_KERNEL | __GFP_ZERO);
	assert_ptr_not_equal(grown, obj);
	assert_int_equal(grown[99], 7);
	for (int i = 128; i < 300; i++)
		assert_int_equal(grown[i], 0);
	nslab_world_fail_at(w.world, 1, UINT64_MAX);
	assert_null(krealloc(w.cpu[0], grown, 100000, GFP_KERNEL));
	nslab_world_fail_at(w.world, 0, 0);
	assert_int_equal(grown[99], 7); /* a failure leaves it alone */
	assert_null(krealloc_array(w.cpu[0], grown, SIZE_MAX / 2, 4, GFP_KERNEL));
	kfree(w.cpu[0], grown);
	small_close(&w);
}

static void kcalloc_refuses_an_overflow(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		unsigned char *obj;

		open_on(backends[i]);
		assert_null(kcalloc(w.cpu[0], SIZE_MAX / 4, 8, GFP_KERNEL));
		assert_null(kmalloc_array(w.cpu[0], 1ul << 33, 1ul << 33, GFP_KERNEL));
		assert_null(kvcalloc(w.cpu[0], SIZE_MAX, 2, GFP_KERNEL));
		obj = kmalloc(w.cpu[0], 700, GFP_KERNEL);
		memset(obj, 0xff, 700);
		kfree(w.cpu[0], obj);
		obj = kcalloc(w.cpu[0], 7, 100, GFP_KERNEL);
		for (int k = 0; k < 700; k++)
			assert_int_equal(obj[k], 0);
		kfree_sensitive(w.cpu[0], obj);
		obj = kmemdup(w.cpu[0], "twelve bytes", 13, GFP_KERNEL);
		assert_string_equal((char *)obj, "twelve bytes");
		kfree(w.cpu[0], obj);
		small_close(&w);
	}
}

static void kmalloc_node_takes_memory_of_that_node(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_BACKENDS; i++) {
		open_on(backends[i]);
		for (int node = 0; w.ops->caps & NSLAB_CAP_NODE && node < SMALL_NODES; node++) {
			void *small = kmalloc_node(w.cpu[0], 100, GFP_KERNEL, node);
			void *large = kvmalloc_node(w.cpu[0], 100000, GFP_KERNEL, node);

			assert_int_equal(nslab_node_of(w.heap->env, small), node);
			assert_int_equal(nslab_node_of(w.heap->env, large), node);
			kfree(w.cpu[0], small);
			kvfree(w.cpu[0], large);
		}
		small_close(&w);
	}
}

static void kvmalloc_tries_twice_above_a_page(void **state)
{
	struct nslab_world_usage before, after;
	void *obj;

	(void)state;
	open_on("slub");
	nslab_world_usage(w.world, &before);
	nslab_world_fail_at(w.world, before.nr_page_calls + 1, 1);
	obj = kvzalloc(w.cpu[0], 20000, GFP_KERNEL);
	nslab_world_usage(w.world, &after);
	nslab_world_fail_at(w.world, 0, 0);
	assert_non_null(obj);
	assert_int_equal(after.nr_page_calls, before.nr_page_calls + 2);
	kvfree(w.cpu[0], obj);
	small_close(&w);
}

static char order_of_actions[8];

static void note_action(void *context)
{
	size_t len = strlen(order_of_actions);

	order_of_actions[len] = *(const char *)context;
}

static void managed_group_frees_in_reverse_order(void **state)
{
	struct nslab_managed group;
	char *a, *b;

	(void)state;
	open_on("slub");
	memset(order_of_actions, 0, sizeof(order_of_actions));
	nslab_managed_init(&group);
	a = nslab_managed_alloc(w.cpu[0], &group, 100, GFP_KERNEL);
	assert_int_equal(nslab_managed_action(w.cpu[0], &group, note_action, "1", GFP_KERNEL), 0);
	b = nslab_managed_calloc(w.cpu[0], &group, 10, 100, GFP_KERNEL);
	assert_int_equal(nslab_managed_action(w.cpu[0], &group, note_action, "2", GFP_KERNEL), 0);
	memset(a, 1, 100);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(b[i], 0);
	assert_int_equal(group.nr, 4);
	nslab_managed_free(w.cpu[0], &group, b);
	nslab_managed_free(w.cpu[0], &group, NULL);
	assert_int_equal(group.nr, 3);
	assert_null(nslab_managed_calloc(w.cpu[0], &group, SIZE_MAX, 2, GFP_KERNEL));
	assert_null(nslab_managed_alloc(w.cpu[0], &group, SIZE_MAX - 8, GFP_KERNEL));
	nslab_managed_release(w.cpu[0], &group);
	assert_string_equal(order_of_actions, "21");
	assert_int_equal(group.nr, 0);
	assert_null(group.last);
	small_close(&w); /* which finds what a group forgot */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kmalloc_classes_are_those_of_the_kernel),
		cmocka_unit_test(kmalloc_types_follow_the_flags),
		cmocka_unit_test(kmalloc_types_share_where_the_backend_has_its_own),
		cmocka_unit_test(kmalloc_counts_large_requests),
		cmocka_unit_test(kmalloc_of_nothing_is_neither_null_nor_memory),
		cmocka_unit_test(krealloc_keeps_the_pointer_while_it_fits),
		cmocka_unit_test(kcalloc_refuses_an_overflow),
		cmocka_unit_test(kmalloc_node_takes_memory_of_that_node),
		cmocka_unit_test(kvmalloc_tries_twice_above_a_page),
		cmocka_unit_test(managed_group_frees_in_reverse_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
