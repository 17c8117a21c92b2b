/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_slub_debug.c: debug caches of the SLUB models: each fault is found, named, and repaired.
 *
 * The first group does what the kernel's own tests (KUnit, slub) do. KUnit counts the BUG and the
 * FIX of a fault as two errors, here both are one line: its 2 is a 1 here, and its 3, 2, 0 for a
 * clobbered free pointer (chain, count, its FIX; count, its FIX; none) are 2, 1, 0. Every test runs
 * on each generation and on `sheaves`, whose debug caches have no sheaves.
 */
#include "allocators/slub_debug.h"

#include "allocators/slub_control.h"
#include "tests/support/small_world.h"

#include <errno.h>
#include <numaslab/slab.h>

static struct small_world w;

struct model {
	const char *allocator;
	int64_t generation;
};

static void open_with(const struct model *model, const char *slab_debug)
{
	struct slub_params params = slub_default_params;
	const struct nslab_world_spec spec = {.allocator_params = &params};

	params.generation = model->generation;
	snprintf(params.slab_debug, sizeof(params.slab_debug), "%s", slab_debug);
	small_open(&w, model->allocator, &spec);
}

static struct kmem_cache *make(const char *name, size_t size, unsigned flags)
{
	const struct nslab_cache_spec spec = {
		.name = name,
		.object_size = size,
		.flags = flags,
		.order = NSLAB_AUTO,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.sheaf_capacity = NSLAB_AUTO,
	};
	struct kmem_cache *s = NULL;

	assert_int_equal(w.ops->cache_create(w.heap, &spec, &s), 0);
	return s;
}

static void drop(struct kmem_cache *s)
{
	assert_int_equal(nslab_world_cache_destroy(w.world, s), 0);
}

/* The fault is told once, with these words, and gone the next time. */
static void assert_found(struct kmem_cache *s, const char *words)
{
	w.nr_lines = 0;
	assert_int_equal(w.ops->cache_validate(s), 1);
	assert_int_equal(w.nr_lines, 1);
	if (!strstr(w.lines[0], words))
		fail_msg("'%s' is not in '%s'", words, w.lines[0]);
	assert_int_equal(w.ops->cache_validate(s), 0);
	assert_int_equal(w.nr_lines, 1);
	w.nr_lines = 0;
}

/* ---- as KUnit does ---- */

static void slub_debug_finds_a_clobbered_zone_behind_an_object(void **state)
{
	struct kmem_cache *s;
	unsigned char *p;

	open_with(*state, "");
	s = make("TestSlub_RZ_alloc", 64, SLAB_RED_ZONE);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	p[64] = 0x12;
	assert_found(s, "BUG TestSlub_RZ_alloc (Not tainted): Right Redzone overwritten 0x");
	p[65] = 0x12;
	assert_found(s, "First byte 0x12 instead of 0xcc; FIX: restored with 0xcc");
	p[-1] = 0;
	assert_found(s, "Left Redzone overwritten");
	kmem_cache_free(w.cpu[0], s, p);
	drop(s);
	small_close(&w);
}

static void slub_debug_finds_a_clobbered_free_pointer(void **state)
{
	struct kmem_cache *s;
	uint64_t *word, kept;
	unsigned char *p;

	open_with(*state, "");
	s = make("TestSlub_next_ptr_free", 64, SLAB_POISON);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	kmem_cache_free(w.cpu[0], s, p);
	word = slub_free_word(slub_cache_of(s), (uintptr_t)p);
	kept = *word;
	*word = 0x12345678;
	/* the chain is cut, so the count is wrong as well */
	assert_int_equal(w.ops->cache_validate(s), 2);
	assert_int_equal(small_count(&w, "Freechain corrupt, next is 0x12345678"), 1);
	assert_int_equal(small_count(&w, "Wrong object count"), 1);
	/* the chain is whole again, and the count that was adjusted is wrong */
	*word = kept;
	assert_int_equal(w.ops->cache_validate(s), 1);
	assert_int_equal(small_count(&w, "Wrong object count"), 2);
	assert_int_equal(w.ops->cache_validate(s), 0);
	assert_int_equal(w.nr_lines, 3);
	w.nr_lines = 0;
	drop(s);
	small_close(&w);
}

static void slub_debug_finds_what_is_written_after_free(void **state)
{
	struct kmem_cache *s;
	unsigned char *p;

	open_with(*state, "");
	s = make("TestSlub_1th_word_free", 64, SLAB_POISON);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	kmem_cache_free(w.cpu[0], s, p);
	*(uint32_t *)(void *)p = 0x78;
	assert_found(s, "Poison overwritten");
	p[50] = 0x9a;
	assert_found(s, "First byte 0x9a instead of 0x6b");
	p[63] = 0x9a;
	assert_found(s, "End Poison overwritten");
	drop(s);
	s = make("TestSlub_RZ_free", 64, SLAB_RED_ZONE);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	kmem_cache_free(w.cpu[0], s, p);
	p[64] = 0xab;
	assert_found(s, "First byte 0xab instead of 0xbb");
	drop(s);
	small_close(&w);
}

static void slub_debug_guards_what_kmalloc_was_not_asked_for(void **state)
{
	const struct model *model = *state;
	struct kmem_cache *s;
	unsigned char *p;

	open_with(model, "ZU,kmalloc-*");
	p = kmalloc(w.cpu[0], 18, GFP_KERNEL | __GFP_ZERO);
	s = w.heap->kmalloc[nslab_kmalloc_index(18)];
	assert_int_equal(w.ops->cache_validate(s), 0);
	p[18] = 0xab;
	p[19] = 0xab;
	if (model->generation != SLUB_6_1 || !strcmp(model->allocator, "sheaves"))
		assert_found(s, "kmalloc Redzone overwritten");
	else
		assert_int_equal(w.ops->cache_validate(s), 0); /* a later invention */
	/* who asks how much there is may use it */
	assert_int_equal(ksize(w.cpu[0], p), 32);
	memset(p, 1, 32);
	assert_int_equal(w.ops->cache_validate(s), 0);
	kfree(w.cpu[0], p);
	small_close(&w);
}

static void slub_debug_tells_what_is_left_when_a_cache_should_go(void **state)
{
	struct kmem_cache *s;
	void *p;

	open_with(*state, "");
	s = make("TestSlub_kmem_cache_destroy", 64, SLAB_STORE_USER);
	p = kmem_cache_alloc(w.cpu[2], s, GFP_KERNEL);
	assert_int_equal(nslab_world_cache_destroy(w.world, s), -EBUSY);
	assert_int_equal(w.nr_lines, 1); /* a note: the caller has the error */
	assert_int_equal(small_count(&w, "note: BUG TestSlub_kmem_cache_destroy (Not tainted)"), 1);
	assert_int_equal(small_count(&w, "remains at kmem_cache_destroy(); allocated at"), 1);
	assert_int_equal(small_count(&w, "cpu=2 node=1"), 1);
	kmem_cache_free(w.cpu[0], s, p);
	w.nr_lines = 0;
	drop(s);
	small_close(&w);
}

/* ---- what a free finds ---- */

static void slub_debug_refuses_a_second_free(void **state)
{
	struct nslab_cache_stats stats;
	struct kmem_cache *s;
	void *p, *q;

	open_with(*state, "");
	s = make("twice", 64, SLAB_CONSISTENCY_CHECKS | SLAB_STORE_USER);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	q = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	kmem_cache_free(w.cpu[1], s, p);
	kmem_cache_free(w.cpu[0], s, p);
	assert_int_equal(w.nr_lines, 1);
	assert_int_equal(small_count(&w, "BUG twice (Not tainted): Object already free"), 1);
	assert_int_equal(small_count(&w, "cpu=0 node=0; freed at"), 1);
	assert_int_equal(small_count(&w, "age=1 calls cpu=1 node=0"), 1);
	w.ops->cache_stats(s, &stats);
	assert_int_equal(stats.nr_objects - stats.nr_free, 1);
	assert_int_equal(w.ops->cache_validate(s), 0);
	kmem_cache_free(w.cpu[0], s, q);
	w.nr_lines = 0;
	drop(s);
	small_close(&w);
}

static void slub_debug_refuses_pointers_that_are_no_objects(void **state)
{
	struct kmem_cache *s, *other;
	unsigned char *p, *large;
	int on_stack = 0;

	open_with(*state, "FZ");
	s = make("first", 100, 0);
	other = make("other", 100, 0);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	large = kmalloc(w.cpu[0], 20000, GFP_KERNEL);
	kmem_cache_free(w.cpu[0], s, &on_stack);
	assert_int_equal(small_count(&w, "BUG first (Not tainted): Invalid object pointer"), 1);
	kmem_cache_free(w.cpu[0], s, p + 8);
	assert_int_equal(small_count(&w, "Invalid object pointer"), 2);
	kmem_cache_free(w.cpu[0], s, large);
	assert_int_equal(small_count(&w, "outside of slab"), 1);
	kfree(w.cpu[0], &on_stack);
	assert_int_equal(small_count(&w, "BUG kmalloc (Not tainted): Invalid object pointer"), 1);
	assert_int_equal(w.nr_lines, 4);
	/* of another cache: freed where it belongs */
	kmem_cache_free(w.cpu[0], other, p);
	assert_int_equal(small_count(&w, "BUG other (Not tainted): Wrong slab cache"), 1);
	assert_int_equal(small_count(&w, "is from first"), 1);
	kfree(w.cpu[0], large);
	assert_int_equal(w.nr_lines, 5);
	w.nr_lines = 0;
	drop(other);
	drop(s);
	small_close(&w);
}

static void slub_debug_looks_at_objects_that_come_and_go(void **state)
{
	unsigned char *p, *again;
	struct kmem_cache *s;

	open_with(*state, "");
	s = make("checked", 64, SLUB_DEBUG_FLAGS);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	p[64] = 0;
	kmem_cache_free(w.cpu[0], s, p);
	assert_int_equal(small_count(&w, "Right Redzone overwritten"), 1);
	p[7] = 0;
	again = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	assert_ptr_equal(again, p);
	assert_int_equal(small_count(&w, "Poison overwritten"), 1);
	assert_int_equal(w.nr_lines, 2);
	assert_int_equal(w.ops->cache_validate(s), 0);
	kmem_cache_free(w.cpu[0], s, p);
	p[20] = 0; /* nobody looks again but the cache's end */
	w.nr_lines = 0;
	drop(s);
	assert_int_equal(small_count(&w, "Poison overwritten"), 1);
	w.nr_lines = 0;
	small_close(&w);
}

/* ---- slabs ---- */

static void slub_debug_finds_damage_behind_the_last_object_of_a_slab(void **state)
{
	struct kmem_cache *s;
	unsigned char *p;
	size_t bytes;

	open_with(*state, "");
	s = make("padded", 700, SLAB_POISON);
	bytes = NSLAB_PAGE_SIZE << s->order;
	assert_true(bytes % s->size);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	((unsigned char *)nslab_page_address(w.heap->env,
					     nslab_page_of(w.heap->env, p)))[bytes - 1] = 0;
	assert_found(s, "Slab padding overwritten");
	p[700] = 0;
	assert_found(s, "Alignment padding overwritten");
	kmem_cache_free(w.cpu[0], s, p);
	drop(s);
	small_close(&w);
}

static void slub_debug_keeps_full_slabs_and_nothing_on_cpus(void **state)
{
	struct nslab_cache_stats stats;
	struct kmem_cache *s;
	void *p[200];
	size_t nr;

	open_with(*state, "");
	s = make("full", 200, SLUB_DEBUG_FLAGS);
	nr = s->objects;
	assert_in_range(nr, 2, 200);
	for (size_t i = 0; i < nr; i++)
		p[i] = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	w.ops->cache_stats(s, &stats);
	assert_int_equal(stats.nr_slabs, 1);
	assert_int_equal(stats.nr_partial, 0);
	assert_int_equal(stats.stat[NSLAB_STAT_ALLOC_SLOWPATH], nr);
	assert_int_equal(stats.stat[NSLAB_STAT_ALLOC_FROM_PARTIAL], nr - 1);
	assert_int_equal(stats.stat[NSLAB_STAT_ALLOC_FASTPATH], 0);
	assert_int_equal(stats.stat[NSLAB_STAT_LIST_LOCK], nr);
	/* a full slab is on no list of other caches; here it is validated */
	((unsigned char *)p[1])[200] = 0;
	assert_found(s, "Right Redzone");
	for (size_t i = 0; i < nr; i++)
		kmem_cache_free(w.cpu[3], s, p[i]);
	w.ops->cache_stats(s, &stats);
	assert_int_equal(stats.nr_cpu_free, 0);
	assert_int_equal(stats.nr_partial, 1);
	assert_int_equal(stats.stat[NSLAB_STAT_FREE_SLOWPATH], nr);
	assert_int_equal(stats.stat[NSLAB_STAT_FREE_ADD_PARTIAL], 1);
	assert_int_equal(stats.stat[NSLAB_STAT_REMOTE_FREE], nr);
	drop(s);
	small_close(&w);
}

static void slub_debug_survives_a_freelist_that_leads_astray(void **state)
{
	struct nslab_cache_stats stats;
	struct kmem_cache *s;
	void *p, *q;

	open_with(*state, "");
	s = make("astray", 64, SLAB_CONSISTENCY_CHECKS);
	p = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	kmem_cache_free(w.cpu[0], s, p);
	*slub_free_word(slub_cache_of(s), (uintptr_t)p) = 3;
	assert_ptr_equal(kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL), p);
	assert_int_equal(small_count(&w, "Freechain corrupt, next is 0x3"), 1);
	assert_int_equal(w.nr_lines, 2);
	/* the rest of that slab is lost, the cache works on */
	q = kmem_cache_alloc(w.cpu[0], s, GFP_KERNEL);
	assert_non_null(q);
	w.ops->cache_stats(s, &stats);
	assert_int_equal(stats.nr_slabs, 2);
	assert_int_equal(w.ops->cache_validate(s), 0);
	kmem_cache_free(w.cpu[0], s, q);
	kmem_cache_free(w.cpu[0], s, p);
	assert_int_equal(nslab_world_cache_destroy(w.world, s), -EBUSY);
	small_end(&w);
}

/* ---- slab_debug ---- */

static unsigned flags_of(const char *text, const char *name, bool *may_grow)
{
	unsigned flags = 0;

	assert_int_equal(slub_debug_parse(text, name, &flags, may_grow), 0);
	return flags;
}

static void slub_debug_parses_what_the_kernel_does(void **state)
{
	const unsigned f = SLAB_CONSISTENCY_CHECKS, z = SLAB_RED_ZONE, p = SLAB_POISON;
	unsigned flags;
	bool grow;

	(void)state;
	assert_int_equal(flags_of("", "a", &grow), 0);
	assert_true(grow);
	assert_int_equal(flags_of("FZ", "a", &grow), f | z);
	assert_int_equal(flags_of("fzpu", "a", &grow), SLUB_DEBUG_FLAGS);
	assert_int_equal(flags_of("-", "a", &grow), 0);
	assert_int_equal(flags_of(",a", "a", &grow), SLUB_DEBUG_FLAGS);
	assert_int_equal(flags_of(",a", "ab", &grow), 0);
	assert_int_equal(flags_of("P,a*", "ab", &grow), p);
	assert_int_equal(flags_of("P:x:a*", "ab", &grow), p);
	assert_int_equal(flags_of("P,abc*", "ab", &grow), 0);
	assert_int_equal(flags_of("P,a*;Z", "ab", &grow), p);
	assert_int_equal(flags_of("P,a*;Z", "b", &grow), z);
	assert_int_equal(flags_of("FZ;-,a,b", "b", &grow), 0);
	assert_int_equal(flags_of("FO", "b", &grow), f);
	assert_false(grow);
	assert_int_equal(slub_debug_parse("FX", "a", &flags, &grow), -EINVAL);
	assert_int_equal(slub_debug_parse("F-", "a", &flags, &grow), -EINVAL);
	assert_int_equal(slub_debug_parse("F;T,a", "a", &flags, &grow), -EINVAL);
}

static void slub_debug_follows_the_parameter(void **state)
{
	struct kmem_cache *s, *plain, *large;

	open_with(*state, "FZPUO,dentry,big*");
	s = make("dentry", 192, 0);
	plain = make("inode", 192, 0);
	large = make("bigger", 4096, 0);
	assert_int_equal(s->flags, SLUB_DEBUG_FLAGS);
	assert_int_equal(plain->flags, 0);
	assert_int_equal(plain->size, 192);
	assert_int_equal(s->size, 192 + 8 + 8 + 64 + 8 + 8);
	/* O: its smallest slab would have grown */
	assert_int_equal(large->flags, SLAB_CONSISTENCY_CHECKS);
	assert_int_equal(large->size, 4096);
	drop(s);
	drop(plain);
	drop(large);
	small_close(&w);
}

#define ON(test, kernel, model)                                                                    \
 {                                                                                                 \
  .name = #test " on " kernel, .test_func = test, .initial_state = (void *)(model)                 \
 }
#define ON_ALL(test)                                                                               \
 ON(test, "6.1", &models[0]), ON(test, "6.12", &models[1]), ON(test, "6.18", &models[2]),          \
	 ON(test, "7.0", &models[3])

int main(void)
{
	static const struct model models[] = {
		{"slub", SLUB_6_1}, {"slub", SLUB_6_12}, {"slub", SLUB_6_18}, {"sheaves", 0}};
	const struct CMUnitTest tests[] = {
		ON_ALL(slub_debug_finds_a_clobbered_zone_behind_an_object),
		ON_ALL(slub_debug_finds_a_clobbered_free_pointer),
		ON_ALL(slub_debug_finds_what_is_written_after_free),
		ON_ALL(slub_debug_guards_what_kmalloc_was_not_asked_for),
		ON_ALL(slub_debug_tells_what_is_left_when_a_cache_should_go),
		ON_ALL(slub_debug_refuses_a_second_free),
		ON_ALL(slub_debug_refuses_pointers_that_are_no_objects),
		ON_ALL(slub_debug_looks_at_objects_that_come_and_go),
		ON_ALL(slub_debug_finds_damage_behind_the_last_object_of_a_slab),
		ON_ALL(slub_debug_keeps_full_slabs_and_nothing_on_cpus),
		ON_ALL(slub_debug_survives_a_freelist_that_leads_astray),
		cmocka_unit_test(slub_debug_parses_what_the_kernel_does),
		ON_ALL(slub_debug_follows_the_parameter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
