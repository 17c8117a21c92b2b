/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_slub_merge.c: caches that share slabs, and freelists that are disguised or shuffled.
 *
 * Which caches merge is written from the kernel's rule; one row for each condition. That objects
 * are sound under these options is the conformance suite's business.
 */
#include "allocators/slub_control.h"
#include "runner/slabinfo.h"
#include "tests/support/small_world.h"

#include <errno.h>
#include <numaslab/slab.h>

static struct small_world w;

static void open_with(const struct slub_params *params)
{
	const struct nslab_world_spec spec = {.allocator_params = params};

	small_open(&w, "slub", &spec);
}

static struct nslab_cache_spec spec_of(const char *name, size_t size, size_t align, unsigned flags)
{
	const struct nslab_cache_spec spec = {
		.name = name,
		.object_size = size,
		.align = align,
		.flags = flags,
		.order = NSLAB_AUTO,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.sheaf_capacity = NSLAB_AUTO,
	};

	return spec;
}

static struct kmem_cache *create(const struct nslab_cache_spec *spec)
{
	struct kmem_cache *s = NULL;

	assert_int_equal(w.ops->cache_create(w.heap, spec, &s), 0);
	return s;
}

static struct kmem_cache *make(const char *name, size_t size)
{
	const struct nslab_cache_spec spec = spec_of(name, size, 0, 0);

	return create(&spec);
}

static void drop(struct kmem_cache *s)
{
	assert_int_equal(nslab_world_cache_destroy(w.world, s), 0);
}

static void no_ctor(void *obj)
{
	(void)obj;
}

/* ---- merging ---- */

static void slub_merge_follows_the_kernels_rule(void **state)
{
	static const struct {
		size_t size, align;
		unsigned flags;
		void (*ctor)(void *obj);
		int min_partial;
		bool is_merged;
	} rows[] = {
		{200, 0, 0, NULL, -1, true},
		{193, 8, 0, NULL, -1, true},
		{192, 0, 0, NULL, -1, false}, /* a word smaller */
		{201, 0, 0, NULL, -1, false},
		{200, 16, 0, NULL, -1, false}, /* 200 is no multiple */
		{200, 0, SLAB_HWCACHE_ALIGN, NULL, -1, false},
		{200, 0, SLAB_NO_MERGE, NULL, -1, false},
		{200, 0, SLAB_TYPESAFE_BY_RCU, NULL, -1, false},
		{200, 0, SLAB_ACCOUNT, NULL, -1, false},
		{200, 0, SLAB_RECLAIM_ACCOUNT, NULL, -1, false},
		{200, 0, SLAB_CACHE_DMA, NULL, -1, false},
		{200, 0, SLAB_STORE_USER, NULL, -1, false},
		{200, 0, SLAB_CONSISTENCY_CHECKS, NULL, -1, false},
		{200, 0, 0, no_ctor, -1, false},
		{200, 0, 0, NULL, 5, true}, /* as the rule gives */
		{200, 0, 0, NULL, 6, false},
	};
	struct kmem_cache *first, *s;

	(void)state;
	open_with(&slub_default_params);
	first = make("first", 200);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct nslab_cache_spec spec =
			spec_of("second", rows[i].size, rows[i].align, rows[i].flags);

		spec.ctor = rows[i].ctor;
		spec.min_partial = rows[i].min_partial;
		s = create(&spec);
		if (!!(s->flags & SLAB_ALIAS) != rows[i].is_merged)
			fail_msg("row %zu: merged is not %d", i, rows[i].is_merged);
		assert_int_equal(s->object_size, rows[i].size);
		assert_string_equal(s->name, "second");
		drop(s);
	}
	drop(first);
	small_close(&w);
}

static void slub_merge_is_off_when_told(void **state)
{
	struct slub_params params = slub_default_params;
	struct kmem_cache *a, *b;

	(void)state;
	params.merge = false;
	open_with(&params);
	a = make("a", 200);
	b = make("b", 200);
	assert_int_equal((a->flags | b->flags) & SLAB_ALIAS, 0);
	drop(a);
	drop(b);
	small_close(&w);
}

static void slub_merge_leaves_sheaves_alone(void **state)
{
	struct slub_params params = slub_default_params;
	struct kmem_cache *a, *b;

	(void)state;
	params.generation = SLUB_6_18;
	params.sheaf_capacity = 32;
	open_with(&params);
	a = make("a", 200);
	b = make("b", 200);
	assert_int_equal(b->flags & SLAB_ALIAS, 0);
	drop(a);
	drop(b);
	small_close(&w);
}

static void slub_merge_shares_slabs_and_shows_them_once(void **state)
{
	struct nslab_cache_stats of_a, of_b;
	struct kmem_cache *a, *b;
	const char *text, *line;
	void *p, *q, *zeroed;
	json_t *tables;

	(void)state;
	open_with(&slub_default_params);
	a = make("inode_a", 200);
	b = make("inode_b", 196);
	p = kmem_cache_alloc(w.cpu[0], a, GFP_KERNEL);
	q = kmem_cache_alloc(w.cpu[0], b, GFP_KERNEL);
	assert_ptr_equal(nslab_page_of(w.heap->env, p), nslab_page_of(w.heap->env, q));
	assert_ptr_equal(nslab_page_of(w.heap->env, q)->s, a);
	memset(q, 1, 196);
	kmem_cache_free(w.cpu[0], b, q);
	zeroed = kmem_cache_zalloc(w.cpu[0], a, GFP_KERNEL);
	assert_ptr_equal(zeroed, q);
	for (int i = 0; i < 200; i++)
		assert_int_equal(((char *)zeroed)[i], 0);
	w.ops->cache_stats(a, &of_a);
	w.ops->cache_stats(b, &of_b);
	assert_memory_equal(&of_a, &of_b, sizeof(of_a));
	assert_int_equal(of_a.nr_slabs, 1);
	assert_int_equal(of_a.nr_objects - of_a.nr_free, 2);
	assert_int_equal(w.ops->cache_validate(b), 0);

	tables = nslab_slabinfo_json(w.world);
	text = json_string_value(json_object_get(tables, "slabinfo"));
	line = strstr(text, "inode_a ");
	assert_non_null(line);
	assert_null(strstr(line + 1, "inode_"));
	json_decref(tables);
	kfree(w.cpu[0], p);
	kmem_cache_free(w.cpu[1], b, zeroed);
	drop(b);
	drop(a);
	small_close(&w);
}

/* Whoever goes first takes nothing with it, and the last one cannot go while objects live. */
static void slub_merge_keeps_objects_when_one_of_two_goes(void **state)
{
	struct nslab_cache_stats stats;
	struct kmem_cache *s[3];
	void *p;

	(void)state;
	for (int first = 0; first < 3; first++) {
		struct kmem_cache *last;

		open_with(&slub_default_params);
		s[0] = make("zero", 120);
		s[1] = make("one", 120);
		s[2] = make("two", 120);
		p = kmem_cache_alloc(w.cpu[3], s[first], GFP_KERNEL);
		drop(s[first]);
		drop(s[(first + 1) % 3]);
		last = s[(first + 2) % 3];
		assert_int_equal(last->flags & SLAB_ALIAS, 0); /* shown now */
		w.ops->cache_stats(last, &stats);
		assert_int_equal(stats.nr_objects - stats.nr_free, 1);
		assert_int_equal(nslab_world_cache_destroy(w.world, last), -EBUSY);
		kmem_cache_free(w.cpu[0], last, p);
		nslab_world_cpu_offline(w.world, w.cpu[3]);
		assert_int_equal(nslab_world_cpu_online(w.world, 3, 1, &w.cpu[3]), 0);
		w.ops->cache_stats(last, &stats);
		assert_int_equal(stats.stat[NSLAB_STAT_ALLOC_SLOWPATH], 1);
		drop(last);
		small_close(&w);
	}
}

/* ---- hardened freelists ---- */

static void slub_hardened_stores_no_pointer_as_it_is(void **state)
{
	struct slub_params params = slub_default_params;
	struct kmem_cache *s, *other;
	void *p[3];
	uint64_t word;

	params.generation = (int64_t)(intptr_t)*state;
	params.hardened = true;
	params.merge = false;
	open_with(&params);
	s = make("s", 64);
	other = make("other", 64);
	assert_int_not_equal(slub_cache_of(s)->secret, slub_cache_of(other)->secret);
	for (int i = 0; i < 3; i++)
		p[i] = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	kmem_cache_free(w.cpu[0], s, p[0]);
	kmem_cache_free(w.cpu[0], s, p[1]);
	word = *slub_free_word(slub_cache_of(s), (uintptr_t)p[1]);
	assert_int_not_equal(word, (uintptr_t)p[0]);
	assert_int_equal(word ^ slub_cache_of(s)->secret ^
				 __builtin_bswap64((uintptr_t)p[1] + slub_cache_of(s)->offset),
			 (uintptr_t)p[0]);
	assert_ptr_equal(kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL), p[1]);
	assert_ptr_equal(kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL), p[0]);
	kmem_cache_free_bulk(w.cpu[1], s, 3, p);
	assert_int_equal(w.ops->cache_validate(s), 0);
	drop(other);
	drop(s);
	small_close(&w);
}

static void slub_hardened_tells_a_second_free_in_a_row(void **state)
{
	struct slub_params params = slub_default_params;
	struct kmem_cache *s;
	void *p, *q;

	params.generation = (int64_t)(intptr_t)*state;
	params.hardened = true;
	open_with(&params);
	s = make("twice", 64);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	q = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	kmem_cache_free(w.cpu[0], s, p);
	assert_int_equal(w.nr_lines, 0);
	kmem_cache_free(w.cpu[0], s, p); /* in the cpu slab */
	assert_int_equal(w.nr_lines, 1);
	assert_int_equal(small_count(&w, "BUG twice (Not tainted): object 0x"), 1);
	kmem_cache_free(w.cpu[2], s, q); /* on the page */
	kmem_cache_free(w.cpu[2], s, q);
	assert_int_equal(small_count(&w, "heads the freelist"), 2);
	w.nr_lines = 0;
	assert_int_equal(w.ops->cache_validate(s), 0);
	drop(s);
	small_close(&w);
}

/* ---- random order ---- */

/* Objects of the first slab, in the order in which they come, as numbers. */
static size_t first_slab(struct kmem_cache *s, unsigned *numbers, void **objs)
{
	uintptr_t start;

	for (size_t i = 0; i < s->objects; i++)
		objs[i] = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	start = (uintptr_t)nslab_page_address(w.heap->env, nslab_page_of(w.heap->env, objs[0]));
	for (size_t i = 0; i < s->objects; i++)
		numbers[i] = (unsigned)(((uintptr_t)objs[i] - start) / s->size);
	return s->objects;
}

static void slub_random_gives_every_object_once(void **state)
{
	struct slub_params params = slub_default_params;
	unsigned numbers[3][64], nr_moved = 0;
	struct kmem_cache *s, *large;
	void *objs[3][64];
	size_t nr = 0;

	(void)state;
	params.random = true;
	open_with(&params);
	s = make("s", 64);
	assert_int_equal(s->objects, 64);
	for (int slab = 0; slab < 3; slab++) {
		uint64_t seen = 0;

		nr = first_slab(s, numbers[slab], objs[slab]);
		for (size_t i = 0; i < nr; i++) {
			seen |= UINT64_C(1) << numbers[slab][i];
			nr_moved += numbers[slab][i] != i;
		}
		assert_int_equal(seen, UINT64_MAX);
	}
	assert_true(nr_moved > 64);
	/* one permutation for all slabs, begun at different places */
	assert_memory_not_equal(numbers[0], numbers[1], sizeof(numbers[0]));
	for (size_t i = 0; i < nr; i++) {
		size_t at = 0;

		while (numbers[1][at] != numbers[0][i])
			at++;
		assert_int_equal(numbers[1][(at + 1) % nr], numbers[0][(i + 1) % nr]);
	}
	for (int slab = 0; slab < 3; slab++)
		kmem_cache_free_bulk(w.cpu[0], s, nr, objs[slab]);
	large = make("large", 30000);
	assert_null(slub_cache_of(large)->sequence); /* one object: nothing to shuffle */
	drop(large);
	drop(s);
	small_close(&w);
}

/* A slab of the smallest order has fewer objects than the sequence. */
static void slub_random_skips_what_a_smaller_slab_does_not_have(void **state)
{
	struct nslab_cache_spec spec = spec_of("s", 512, 0, 0);
	struct slub_params params = slub_default_params;
	struct nslab_world_usage usage;
	struct nslab_cache_stats stats;
	struct kmem_cache *s;
	unsigned seen = 0;
	void *objs[8];

	(void)state;
	params.random = true;
	open_with(&params);
	spec.order = 2;
	s = create(&spec);
	assert_int_equal(s->objects, 32);
	nslab_world_usage(w.world, &usage);
	nslab_world_fail_at(w.world, usage.nr_page_calls + 1, 1);
	for (int i = 0; i < 8; i++)
		objs[i] = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	w.ops->cache_stats(s, &stats);
	assert_int_equal(stats.nr_slabs, 1);
	assert_int_equal(stats.nr_objects, 8);
	for (int i = 0; i < 8; i++)
		seen |= 1u << ((uintptr_t)objs[i] % NSLAB_PAGE_SIZE / 512);
	assert_int_equal(seen, 0xff);
	kmem_cache_free_bulk(w.cpu[0], s, 8, objs);
	drop(s);
	small_close(&w);
}

#define ON(test, generation)                                                                       \
 {                                                                                                 \
  .name = #test " on " #generation, .test_func = test,                                             \
  .initial_state = (void *)(intptr_t)(generation),                                                 \
 }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slub_merge_follows_the_kernels_rule),
		cmocka_unit_test(slub_merge_is_off_when_told),
		cmocka_unit_test(slub_merge_leaves_sheaves_alone),
		cmocka_unit_test(slub_merge_shares_slabs_and_shows_them_once),
		cmocka_unit_test(slub_merge_keeps_objects_when_one_of_two_goes),
		ON(slub_hardened_stores_no_pointer_as_it_is, SLUB_6_1),
		ON(slub_hardened_stores_no_pointer_as_it_is, SLUB_6_12),
		ON(slub_hardened_tells_a_second_free_in_a_row, SLUB_6_1),
		ON(slub_hardened_tells_a_second_free_in_a_row, SLUB_6_12),
		cmocka_unit_test(slub_random_gives_every_object_once),
		cmocka_unit_test(slub_random_skips_what_a_smaller_slab_does_not_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
