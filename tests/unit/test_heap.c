// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_heap.c: the boundary-tag heap's own rules: classes, splitting, merging, chunks, the ring.
 *
 * A world of 2 nodes with 2 CPUs each, driven by one thread. What the conformance suite asks of
 * every allocator is not asked again here. Expected sizes follow from the description in heap.h
 * (header of 16 bytes, blocks of multiples of 16), not from what the heap gave. The random test
 * holds every step against the heap's own validation and prints its seed.
 */
#include "allocators/heap.h"

#include "allocators/common/kmalloc.h"
#include "core/rng.h"
#include "tests/support/small_world.h"

#include <errno.h>

static struct small_world w;

static void open_with(const struct heap_params *params)
{
	const struct nslab_world_spec spec = {.allocator_params = params};

	small_open(&w, "heap", &spec);
}

static void open_plain(void)
{
	open_with(NULL);
}

static struct heap *heap(void)
{
	return heap_of(w.heap);
}

static void heap_classes_are_32_and_contiguous(void **state)
{
	unsigned last = 0;

	(void)state;
	assert_int_equal(heap_class(HEAP_MIN_BLOCK), 0);
	for (uint32_t size = HEAP_MIN_BLOCK; size <= 1u << 20; size += HEAP_GRAIN) {
		unsigned class = heap_class(size);

		assert_true(class == last || class == last + 1);
		assert_true(size >= heap_class_min(class));
		if (class + 1 < HEAP_CLASSES)
			assert_true(size < heap_class_min(class + 1));
		last = class;
	}
	assert_int_equal(last, HEAP_CLASSES - 1);
	assert_int_equal(heap_class(UINT32_MAX & ~HEAP_FLAGS), HEAP_CLASSES - 1);
	/* small classes end below 4096 */
	assert_int_equal(heap_class_min(heap_class(4096)), 4096);
}

static void heap_splits_a_chunk_and_merges_it_again(void **state)
{
	struct heap_class_stats stats;
	void *a, *b, *c;

	(void)state;
	open_plain();
	a = kmalloc(w.cpu[0], 100, GFP_KERNEL);
	b = kmalloc(w.cpu[0], 100, GFP_KERNEL);
	c = kmalloc(w.cpu[0], 100, GFP_KERNEL);
	/* 100 + 16 rounded up to 128 */
	assert_int_equal((char *)b - (char *)a, 128);
	assert_int_equal((char *)c - (char *)b, 128);
	assert_int_equal(heap()->nodes[0].nr_chunks, 1);
	kfree(w.cpu[0], a);
	kfree(w.cpu[0], c);
	heap_class_read(w.heap, heap_class(128), &stats);
	assert_int_equal(stats.nr_free_blocks, 1); /* a; c merged with the rest */
	kfree(w.cpu[0], b);			   /* with both neighbours */
	heap_class_read(w.heap, heap_class(128), &stats);
	assert_int_equal(stats.nr_free_blocks, 0);
	heap_class_read(w.heap, heap_class(0x10000 - HEAP_HEADER), &stats);
	assert_int_equal(stats.nr_free_blocks, 1);
	assert_int_equal(heap()->nodes[0].nr_empty, 1);
	small_close(&w);
}

static void heap_never_merges_across_chunks(void **state)
{
	const struct heap_params params = {
		.chunk_order = 0, .large_bytes = 4096, .keep_chunks = 64};
	struct kmem_cache *s;
	void *obj[64];

	(void)state;
	open_with(&params);
	s = small_cache(&w, "near", 1000, 0, NULL);
	for (int i = 0; i < 64; i++)
		obj[i] = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	for (int i = 0; i < 64; i++) {
		kmem_cache_free(w.cpu[0], s, obj[i * 37 % 64]);
		assert_int_equal(heap_cache_validate(s), 0);
	}
	assert_int_equal(heap()->nodes[0].nr_empty, heap()->nodes[0].nr_chunks);
	assert_int_equal(nslab_world_cache_destroy(w.world, s), 0);
	small_close(&w);
}

static void heap_leaves_a_block_in_front_when_it_aligns(void **state)
{
	struct kmem_cache *s;
	void *lead, *obj;

	(void)state;
	open_plain();
	s = small_cache(&w, "page", 100, 4096, NULL);
	lead = kmalloc(w.cpu[0], 24, GFP_KERNEL);
	obj = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	assert_int_equal((uintptr_t)obj % 4096, 0);
	assert_int_equal(heap_cache_validate(s), 0);
	/* the bytes in front are of use */
	assert_true((char *)kmalloc(w.cpu[0], 24, GFP_KERNEL) < (char *)obj);
	kfree(w.cpu[0], (char *)lead + 48);
	kmem_cache_free(w.cpu[0], s, obj);
	kfree(w.cpu[0], lead);
	assert_int_equal(nslab_world_cache_destroy(w.world, s), 0);
	small_close(&w);
}

static void heap_aligns_to_cache_lines_when_asked(void **state)
{
	const struct heap_params params = {
		.chunk_order = 4, .large_bytes = 16384, .align_bytes = 48, .keep_chunks = 1};
	void *obj[20];

	(void)state;
	open_with(&params); /* 48 is rounded up to 64 */
	for (size_t i = 0; i < 20; i++) {
		obj[i] = kmalloc(w.cpu[0], 1 + i * 13, GFP_KERNEL);
		assert_int_equal((uintptr_t)obj[i] % NSLAB_CACHE_LINE, 0);
	}
	for (int i = 0; i < 20; i++)
		kfree(w.cpu[0], obj[i]);
	small_close(&w);
}

static void heap_maps_large_blocks_directly(void **state)
{
	uint64_t before;
	void *obj;

	(void)state;
	open_plain();
	before = small_pages(&w);
	obj = kmalloc(w.cpu[0], 16385, GFP_KERNEL);
	assert_int_equal((uintptr_t)obj % NSLAB_PAGE_SIZE, 0);
	assert_int_equal(small_pages(&w), before + 8);
	assert_int_equal(ksize(w.cpu[0], obj), 32768);
	assert_int_equal(kmalloc_size_roundup(w.cpu[0], 16385), 32768);
	kfree(w.cpu[0], obj);
	assert_int_equal(small_pages(&w), before);
	small_close(&w);
}

static void heap_rounds_sizes_up_as_its_blocks_are(void **state)
{
	(void)state;
	open_plain();
	assert_int_equal(kmalloc_size_roundup(w.cpu[0], 0), 0);
	for (size_t size = 1; size <= 9000; size += 7) {
		void *obj = kmalloc(w.cpu[1], size, GFP_KERNEL);

		assert_true(kmalloc_size_roundup(w.cpu[1], size) >= size);
		/* a rest that is no block stays with the object */
		assert_true(ksize(w.cpu[1], obj) >= kmalloc_size_roundup(w.cpu[1], size));
		assert_true(ksize(w.cpu[1], obj) <
			    kmalloc_size_roundup(w.cpu[1], size) + HEAP_MIN_BLOCK);
		kfree(w.cpu[1], obj);
	}
	small_close(&w);
}

static void heap_counts_fragmentation_by_class(void **state)
{
	struct heap_class_stats stats;
	void *obj[10];

	(void)state;
	open_plain();
	for (int i = 0; i < 10; i++)
		obj[i] = kmalloc(w.cpu[i % SMALL_CPUS], 50, GFP_KERNEL);
	heap_class_read(w.heap, heap_class(80), &stats); /* 50 + 16 in a block of 80 */
	assert_int_equal(stats.nr_alloc, 10);
	assert_int_equal(stats.live_bytes, 800);
	assert_int_equal(stats.requested_bytes, 500);
	assert_int_equal(stats.fragmentation_bytes_peak, 300);
	for (int i = 0; i < 10; i++)
		kfree(w.cpu[0], obj[i]);
	heap_class_read(w.heap, heap_class(80), &stats);
	assert_int_equal(stats.nr_free, 10);
	assert_int_equal(stats.live_bytes, 0);
	assert_int_equal(stats.fragmentation_bytes_peak, 300);
	small_close(&w);
}

static void heap_tells_its_classes_at_close_when_asked(void **state)
{
	const struct heap_params params = {
		.chunk_order = 4, .large_bytes = 16384, .keep_chunks = 1, .report = true};

	(void)state;
	open_with(&params);
	kfree(w.cpu[0], kmalloc(w.cpu[0], 50, GFP_KERNEL));
	small_end(&w);
	assert_int_equal(w.nr_lines, 1);
	assert_non_null(strstr(w.lines[0], "note: heap: class 3 (blocks from 80 bytes): 1 "
					   "allocations, 1 frees, 0 bytes live"));
}

static void heap_traces_the_last_operations(void **state)
{
	const struct heap_params params = {
		.chunk_order = 4, .large_bytes = 16384, .keep_chunks = 1, .trace = 3};
	struct heap_trace r[16];
	void *a, *b;

	(void)state;
	open_with(&params); /* a ring of 4 on each node */
	a = kmalloc(w.cpu[0], 100, GFP_KERNEL);
	b = kmalloc(w.cpu[3], 20000, GFP_KERNEL);
	kfree(w.cpu[1], a);
	assert_int_equal(heap_trace_read(w.heap, r, 16), 3);
	assert_ptr_equal(r[0].ptr, a);
	assert_int_equal(r[0].what, HEAP_TRACE_FREE);
	assert_int_equal(r[0].cpu, 1);
	assert_int_equal(r[0].bytes, 100);
	assert_int_equal(r[0].time, 2);
	assert_ptr_equal(r[1].ptr, b);
	assert_int_equal(r[1].bytes, 20000);
	assert_int_equal(r[2].what, HEAP_TRACE_ALLOC);
	for (int i = 0; i < 6; i++)
		kfree(w.cpu[0], kmalloc(w.cpu[0], 64, GFP_KERNEL));
	/* node 0 keeps 4, node 1 its only one */
	assert_int_equal(heap_trace_read(w.heap, r, 16), 5);
	assert_int_equal(heap_trace_read(w.heap, r, 2), 2);
	kfree(w.cpu[3], b);
	small_close(&w);
}

static void heap_names_bad_frees_and_survives_them(void **state)
{
	const struct heap_params params = {
		.chunk_order = 4, .large_bytes = 16384, .keep_chunks = 1, .trace = 64};
	struct kmem_cache *s, *other;
	char *a, *large;
	int here;

	(void)state;
	open_with(&params);
	s = small_cache(&w, "one", 64, 0, NULL);
	other = small_cache(&w, "two", 64, 0, NULL);
	a = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	kmem_cache_free(w.cpu[0], other, a);
	assert_int_equal(small_count(&w, "free of an object of another cache"), 1);
	kfree(w.cpu[0], a + 16);
	assert_int_equal(small_count(&w, "starts no object"), 1);
	kfree(w.cpu[0], &here);
	assert_int_equal(small_count(&w, "foreign pointer"), 1);
	kmem_cache_free(w.cpu[0], s, a);
	kmem_cache_free(w.cpu[1], s, a);
	assert_int_equal(small_count(&w, "double free"), 1);
	assert_int_equal(small_count(&w, "freed on CPU 0 1 operations ago"), 1);
	large = kmalloc(w.cpu[0], 40000, GFP_KERNEL);
	kfree(w.cpu[0], large + 4096);
	assert_int_equal(small_count(&w, "starts no object"), 2);
	kfree(w.cpu[0], large);
	kfree(w.cpu[0], large);
	assert_int_equal(small_count(&w, "foreign pointer"), 2);
	assert_int_equal(w.nr_lines, 6);
	assert_int_equal(heap_cache_validate(s), 0);
	assert_int_equal(nslab_world_cache_destroy(w.world, s), 0);
	assert_int_equal(nslab_world_cache_destroy(w.world, other), 0);
	w.nr_lines = 0;
	small_close(&w);
}

static void heap_validation_finds_what_was_overwritten(void **state)
{
	struct kmem_cache *s;
	uint32_t saved;
	char *a, *b, *c;

	(void)state;
	open_plain();
	s = small_cache(&w, "dirty", 48, 0, NULL);
	a = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	b = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	c = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	assert_int_equal(heap_cache_validate(s), 0);
	/* one byte behind a is the magic of b */
	memcpy(&saved, a + 48, 4);
	a[48] = (char)~a[48];
	assert_int_not_equal(heap_cache_validate(s), 0);
	assert_int_equal(small_count(&w, "its header was overwritten"), 1);
	memcpy(a + 48, &saved, 4);
	/* a footer */
	kmem_cache_free(w.cpu[0], s, b);
	memcpy(&saved, b + 40, 4);
	b[40] = (char)~b[40];
	assert_int_not_equal(heap_cache_validate(s), 0);
	assert_int_equal(small_count(&w, "its footer was overwritten"), 1);
	memcpy(b + 40, &saved, 4);
	assert_int_equal(heap_cache_validate(s), 0);
	kmem_cache_free(w.cpu[0], s, a);
	kmem_cache_free(w.cpu[0], s, c);
	assert_int_equal(nslab_world_cache_destroy(w.world, s), 0);
	w.nr_lines = 0;
	small_close(&w);
}

static unsigned nr_ctor;

static void count_ctor(void *obj)
{
	memset(obj, 0x33, 32);
	nr_ctor++;
}

static void heap_constructs_at_every_allocation(void **state)
{
	struct kmem_cache *s;

	(void)state;
	open_plain();
	nr_ctor = 0;
	s = small_cache(&w, "ctor", 32, 0, count_ctor);
	for (unsigned i = 1; i <= 5; i++) {
		unsigned char *obj = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);

		assert_int_equal(nr_ctor, i);
		assert_int_equal(obj[31], 0x33);
		memset(obj, 0, 32);
		kmem_cache_free(w.cpu[0], s, obj);
	}
	assert_false(w.ops->caps & NSLAB_CAP_CTOR);
	assert_int_equal(nslab_world_cache_destroy(w.world, s), 0);
	small_close(&w);
}

static void heap_serves_from_other_nodes_when_pages_are_out(void **state)
{
	void *far[2], *obj;

	(void)state;
	open_plain();
	far[0] = kmalloc(w.cpu[2], 500, GFP_KERNEL); /* node 1 now has a chunk with room */
	nslab_world_fail_at(w.world, 1, UINT64_MAX);
	assert_null(kmalloc_node(w.cpu[0], 500, GFP_KERNEL | __GFP_THISNODE, 0));
	far[1] = kmalloc(w.cpu[0], 500, GFP_KERNEL);
	assert_non_null(far[1]);
	assert_int_equal(nslab_node_of(w.heap->env, far[1]), 1);
	nslab_world_fail_at(w.world, 0, 0);
	obj = kmalloc(w.cpu[0], 500, GFP_KERNEL);
	assert_int_equal(nslab_node_of(w.heap->env, obj), 0);
	assert_null(kmalloc_node(w.cpu[0], 500, GFP_KERNEL, 2)); /* there is no node 2 */
	kfree(w.cpu[0], obj);
	kfree(w.cpu[0], far[0]);
	kfree(w.cpu[0], far[1]);
	small_close(&w);
}

#define NR_RANDOM 400

/* Sizes of all classes, aligned and not, on all CPUs; validated every 500 steps. */
static void heap_stays_valid_when_used_at_random(void **state)
{
	static unsigned char *obj[NR_RANDOM];
	static size_t bytes[NR_RANDOM];
	uint64_t rng = 20240611;
	struct kmem_cache *s;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)rng);
	open_plain();
	s = small_cache(&w, "random", 200, 256, NULL);
	memset(obj, 0, sizeof(obj));
	for (int step = 0; step < 40000; step++) {
		uint32_t i = nslab_rng_below(&rng, NR_RANDOM);
		struct nslab_cpu *cpu = w.cpu[nslab_rng_below(&rng, SMALL_CPUS)];

		if (obj[i]) {
			assert_int_equal(obj[i][0], i % 251);
			assert_int_equal(obj[i][bytes[i] - 1], i % 251);
			kfree(cpu, obj[i]); /* those of the cache, too */
			obj[i] = NULL;
		} else {
			bool is_cache = i % 8 == 0;

			bytes[i] = is_cache ? 200 : 1 + nslab_rng_below(&rng, 16u << (i % 11));
			obj[i] = is_cache ? kmem_cache_alloc(cpu, s, GFP_KERNEL)
					  : kmalloc(cpu, bytes[i], GFP_KERNEL);
			assert_non_null(obj[i]);
			memset(obj[i], (int)(i % 251), bytes[i]);
		}
		if (step % 500 == 0)
			assert_int_equal(heap_cache_validate(s), 0);
	}
	for (int i = 0; i < NR_RANDOM; i++)
		kfree(w.cpu[0], obj[i]);
	assert_int_equal(heap_cache_validate(s), 0);
	assert_int_equal(nslab_world_cache_destroy(w.world, s), 0);
	assert_int_equal(small_pages(&w), 0);
	small_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap_classes_are_32_and_contiguous),
		cmocka_unit_test(heap_splits_a_chunk_and_merges_it_again),
		cmocka_unit_test(heap_never_merges_across_chunks),
		cmocka_unit_test(heap_leaves_a_block_in_front_when_it_aligns),
		cmocka_unit_test(heap_aligns_to_cache_lines_when_asked),
		cmocka_unit_test(heap_maps_large_blocks_directly),
		cmocka_unit_test(heap_rounds_sizes_up_as_its_blocks_are),
		cmocka_unit_test(heap_counts_fragmentation_by_class),
		cmocka_unit_test(heap_tells_its_classes_at_close_when_asked),
		cmocka_unit_test(heap_traces_the_last_operations),
		cmocka_unit_test(heap_names_bad_frees_and_survives_them),
		cmocka_unit_test(heap_validation_finds_what_was_overwritten),
		cmocka_unit_test(heap_constructs_at_every_allocation),
		cmocka_unit_test(heap_serves_from_other_nodes_when_pages_are_out),
		cmocka_unit_test(heap_stays_valid_when_used_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
