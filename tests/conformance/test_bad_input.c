/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_bad_input.c NAME...: absurd requests to each allocator named, which must be refused without
 * harm.
 *
 * Caches that no allocator can make are asked for, by every absurd value alone; nodes that do not
 * exist are asked for, by caches, in bulk and by kmalloc, of handles that are warm and of handles
 * that are new; and a small arena is filled until there is no page. Afterwards pages and metadata
 * must be what they were, and the allocator must still serve.
 *
 * An allocator that claims NSLAB_CAP_NODE gives NULL for a node that is not there; one that ignores
 * the argument may give an object. Both must be able to free all they gave. Left out: pointers that
 * were never given or already freed, which only the debug layer can tell and whose tests are its
 * own.
 */
#include "tests/support/machine.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BAD_NODE_BYTES ((size_t)4 << 20)
#define BAD_MOST       200000 /* objects that a full arena can hold, and more */

static char **names;

static void bad_open(struct machine *m, const char *name)
{
	memset(m, 0, sizeof(*m));
	assert_int_equal(machine_find(m, name, NULL), 0);
	assert_int_equal(machine_open(m, BAD_NODE_BYTES, 20), 0);
}

static void bad_close(struct machine *m, const char *name)
{
	machine_close(m);
	if (m->nr_reports)
		fail_msg("%s: %s", name, m->report);
	machine_forget(m);
}

/* ---- caches ---- */

static const struct {
	const char *what;
	size_t size, align;
	int order;
	int rc;
} absurd[] = {
	{"size 0", 0, 0, NSLAB_AUTO, -EINVAL},
	{"align 3", 64, 3, NSLAB_AUTO, -EINVAL},
	{"align 24", 64, 24, NSLAB_AUTO, -EINVAL},
	{"align 8192", 64, 8192, NSLAB_AUTO, -EINVAL},
	{"align SIZE_MAX", 64, SIZE_MAX, NSLAB_AUTO, -EINVAL},
	{"order 11", 64, 0, NSLAB_MAX_ORDER + 1, -EINVAL},
	{"order INT_MAX", 64, 0, INT_MAX, -EINVAL},
	{"order -2", 64, 0, -2, -EINVAL},
	{"a byte above the largest slab", ((size_t)4 << 20) + 1, 0, NSLAB_AUTO, -E2BIG},
	{"size SIZE_MAX", SIZE_MAX, 0, NSLAB_AUTO, -E2BIG},
	{"size 2^32", (size_t)1 << 32, 0, NSLAB_AUTO, -E2BIG},
	{"object above the slab of its order", 4097, 0, 0, -E2BIG},
};

static void bad_caches(struct machine *m, const char *name)
{
	struct nslab_world_usage before = machine_usage(m), after;

	for (size_t i = 0; i < sizeof(absurd) / sizeof(*absurd); i++) {
		struct nslab_cache_spec spec = machine_spec("absurd", absurd[i].size);
		struct kmem_cache *s = NULL;
		int rc;

		spec.align = absurd[i].align;
		spec.order = absurd[i].order;
		rc = m->ops->cache_create(m->heap, &spec, &s);
		if (rc != absurd[i].rc || s)
			fail_msg("%s: cache of %s gave %d, expected %d", name, absurd[i].what, rc,
				 absurd[i].rc);
	}
	after = machine_usage(m);
	if (after.nr_pages != before.nr_pages || after.meta_bytes != before.meta_bytes)
		fail_msg("%s: absurd caches took pages or metadata", name);
}

static void absurd_caches_are_refused_and_nothing_is_lost(void **state)
{
	(void)state;
	for (char **name = names; *name; name++) {
		struct machine m;

		bad_open(&m, *name);
		bad_caches(&m, *name);
		bad_close(&m, *name);
	}
}

/* ---- nodes ---- */

static void bad_node(struct machine *m, const char *name, struct kmem_cache *s, int node)
{
	bool is_strict = machine_has(m, NSLAB_CAP_NODE);
	struct nslab_cpu *cpu = m->cpu[0];
	size_t sizes[] = {1, 100, 8192, 20000}, nr;
	void *objs[8];

	objs[0] = kmem_cache_alloc_node(cpu, s, GFP_KERNEL, node);
	if (is_strict && objs[0])
		fail_msg("%s: a cache gave an object of node %d", name, node);
	if (objs[0])
		kmem_cache_free(cpu, s, objs[0]);
	nr = cpu->ops->alloc_bulk(cpu, s, GFP_KERNEL | __GFP_THISNODE, node, 8, objs);
	if (is_strict && nr)
		fail_msg("%s: a bulk allocation gave objects of node %d", name, node);
	kmem_cache_free_bulk(cpu, s, nr, objs);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		objs[0] = kmalloc_node(cpu, sizes[i], GFP_KERNEL, node);
		if (is_strict && objs[0])
			fail_msg("%s: kmalloc gave %zu bytes of node %d", name, sizes[i], node);
		kfree(cpu, objs[0]);
	}
}

static void nodes_that_do_not_exist_give_nothing(void **state)
{
	static const int nodes[] = {MACHINE_NODES, 99, INT_MAX, -2, INT_MIN};

	(void)state;
	for (char **name = names; *name; name++) {
		struct nslab_cache_spec spec = machine_spec("bad-node", 72);
		struct kmem_cache *s = NULL;
		struct machine m;
		void *warm;

		bad_open(&m, *name);
		assert_int_equal(m.ops->cache_create(m.heap, &spec, &s), 0);
		for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
			bad_node(&m, *name, s, nodes[i]);
		warm = kmem_cache_alloc(m.cpu[0], s, GFP_KERNEL);
		assert_non_null(warm);
		for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
			bad_node(&m, *name, s, nodes[i]);
		kmem_cache_free(m.cpu[0], s, warm);
		assert_int_equal(nslab_world_cache_destroy(m.world, s), 0);
		bad_close(&m, *name);
	}
}

/* ---- no page is left ---- */

/* s NULL: kmalloc. Returns how many there were until every CPU gave NULL. */
static size_t bad_fill(struct machine *m, struct kmem_cache *s, size_t size, void **objs)
{
	size_t nr = 0;

	for (int cpu = 0, nr_dry = 0; nr < BAD_MOST && nr_dry < MACHINE_CPUS;) {
		objs[nr] = s ? kmem_cache_alloc(m->cpu[cpu], s, GFP_KERNEL)
			     : kmalloc(m->cpu[cpu], size, GFP_KERNEL);
		cpu = (cpu + 1) % MACHINE_CPUS;
		nr_dry = objs[nr] ? 0 : nr_dry + 1;
		if (objs[nr])
			memset(objs[nr++], 0x5a, size);
	}
	return nr;
}

static void bad_drain(struct machine *m, struct kmem_cache *s, void **objs, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct nslab_cpu *cpu = m->cpu[(i + 3) % MACHINE_CPUS];

		if (s)
			kmem_cache_free(cpu, s, objs[i]);
		else
			kfree(cpu, objs[i]);
	}
}

/* Fills the arena twice: what was freed after the first time must serve the second. */
static void bad_exhaust(struct machine *m, const char *name, size_t size, bool is_kmalloc,
			void **objs)
{
	struct nslab_cache_spec spec = machine_spec("exhaust", size);
	struct kmem_cache *s = NULL;
	size_t nr[2];

	if (!is_kmalloc)
		assert_int_equal(m->ops->cache_create(m->heap, &spec, &s), 0);
	for (int round = 0; round < 2; round++) {
		nr[round] = bad_fill(m, s, size, objs);
		if (nr[round] == BAD_MOST)
			fail_msg("%s: the arena of 16 MiB never ran out", name);
		/* a bulk request may look where a single one does not, but gives all or nothing */
		if (!is_kmalloc) {
			size_t got = m->ops->alloc_bulk(m->cpu[1], s, GFP_KERNEL, NUMA_NO_NODE, 16,
							objs + nr[round]);

			assert_true(got == 0 || got == 16);
			nr[round] += got;
		}
		bad_drain(m, s, objs, nr[round]);
	}
	/* what handles keep from each other is bounded: three quarters are there again */
	if (!nr[0] || nr[1] * 4 < nr[0] * 3)
		fail_msg("%s: %zu objects of %zu bytes fill the arena, then %zu", name, nr[0], size,
			 nr[1]);
	if (!is_kmalloc)
		assert_int_equal(nslab_world_cache_destroy(m->world, s), 0);
}

static void a_full_arena_gives_null_and_all_can_be_freed(void **state)
{
	static const size_t sizes[] = {200, 700, 4096};
	void **objs = calloc(BAD_MOST + 16, sizeof(*objs));

	(void)state;
	assert_non_null(objs);
	/* each in a world of its own: `null` gives no page of a kmalloc class back */
	for (char **name = names; *name; name++) {
		for (size_t i = 0; i < 6; i++) {
			struct machine m;

			bad_open(&m, *name);
			if (machine_has(&m, NSLAB_CAP_PAGES))
				bad_exhaust(&m, *name, sizes[i / 2], i % 2, objs);
			else if (!i)
				printf("%s takes no pages from the arena: not exhausted\n", *name);
			bad_close(&m, *name);
		}
	}
	free(objs);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absurd_caches_are_refused_and_nothing_is_lost),
		cmocka_unit_test(nodes_that_do_not_exist_give_nothing),
		cmocka_unit_test(a_full_arena_gives_null_and_all_can_be_freed),
	};

	if (argc < 2) {
		fprintf(stderr, "names of allocators, please\n");
		return 2;
	}
	names = argv + 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
