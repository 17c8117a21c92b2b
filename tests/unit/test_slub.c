/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_slub.c: the SLUB model step by step: which path each operation takes, by its statistics.
 *
 * A world of 2 nodes with 2 CPUs each, driven by one thread except in the last
 * test, so that every count is exact. The
 * cache that most tests use has slabs of order 0 with 8 objects, so that a test can say which slab
 * an object is in. Expected counts are written from the description of the kernel's paths and not
 * from what the model gave. That objects are sound is the conformance suite's business.
 */
#include "core/rng.h"
#include "runner/world.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NODES	2
#define CPUS	4
#define OBJECTS 8 /* in a slab of the cache that make() makes */

static struct nslab_registry *registry;
static struct nslab_world *world;
static const struct nslab_allocator_ops *ops;
static struct nslab_cpu *cpu[CPUS]; /* CPU i on node i / 2 */
static struct kmem_cache *s;
static unsigned nr_reports;

/* Same order as struct slub_params: what the rows of the table describe. */
struct params {
	int64_t order, min_partial, cpu_partial;
	int64_t slab_min_order, slab_max_order, slab_min_objects;
	int64_t remote_node_defrag_ratio;
	int64_t generation, sheaf_capacity, max_full, max_empty;
	bool remote_bypass, refill_when_nonblocking, remote_trylock;
	bool merge, hardened, random;
	char slab_debug[NSLAB_TEXT_MAX];
};

static void count_report(void *context, const char *line)
{
	(void)context;
	(void)line;
	nr_reports++;
}

static void open_world(const struct params *params)
{
	static struct nslab_topo_node nodes[NODES] = {
		{.memory_bytes = 64 << 20, .nr_pus = 2},
		{.os_index = 1, .logical_index = 1, .memory_bytes = 64 << 20, .nr_pus = 2},
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
		.node_bytes = 64 << 20,
		.nr_cpus = CPUS,
	};
	struct nslab_world_spec spec = {
		.allocator_params = params,
		.arena = &arena,
		.seed = 7,
		.report = count_report,
	};
	const struct nslab_entry_record *record;
	struct nslab_err err = {""};

	assert_int_equal(nslab_registry_open(NULL, &registry, &err), 0);
	assert_int_equal(
		nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, "slub", &record, &err), 0);
	ops = spec.allocator = record->ops.allocator;
	assert_int_equal(nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, "buddy", &record, &err),
			 0);
	spec.page = record->ops.page;
	assert_int_equal(nslab_world_open(&spec, &world, &err), 0);
	for (int i = 0; i < CPUS; i++)
		assert_int_equal(nslab_world_cpu_online(world, i, i / 2, &cpu[i]), 0);
	nr_reports = 0;
}

static struct kmem_cache *make(int min_partial, int cpu_partial)
{
	const struct nslab_cache_spec spec = {
		.name = "test",
		.object_size = NSLAB_PAGE_SIZE / OBJECTS,
		.order = 0,
		.min_partial = min_partial,
		.cpu_partial = cpu_partial,
	};

	assert_int_equal(ops->cache_create(nslab_world_heap(world), &spec, &s), 0);
	assert_int_equal(s->objects, OBJECTS);
	return s;
}

static int setup(void **state)
{
	(void)state;
	open_world(NULL);
	return 0;
}

static int teardown(void **state)
{
	struct nslab_world_usage usage;

	(void)state;
	if (s)
		assert_int_equal(nslab_world_cache_destroy(world, s), 0);
	s = NULL;
	for (int i = 0; i < CPUS; i++)
		nslab_world_cpu_offline(world, cpu[i]);
	nslab_world_usage(world, &usage);
	assert_int_equal(usage.nr_pages, 0);
	nr_reports = 0;
	nslab_world_close(world);
	assert_int_equal(nr_reports, 0);
	nslab_registry_destroy(registry);
	return 0;
}

static uint64_t stat(enum nslab_stat which)
{
	struct nslab_cache_stats stats;

	ops->cache_stats(s, &stats);
	return stats.stat[which];
}

#define assert_stat(which, want) assert_int_equal(stat(NSLAB_STAT_##which), want)

static void take(int by, void **objs, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		objs[i] = kmem_cache_alloc(cpu[by], s, GFP_KERNEL);
		assert_non_null(objs[i]);
	}
}

static void give(int by, void **objs, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		kmem_cache_free(cpu[by], s, objs[i]);
}

static void quiesce_all(void)
{
	for (int i = 0; i < CPUS; i++)
		ops->quiesce(cpu[i]);
}

static void slub_takes_one_slow_path_for_each_new_slab(void **state)
{
	void *objs[3 * OBJECTS];

	(void)state;
	make(5, 0);
	take(0, objs, 3 * OBJECTS);
	assert_stat(ALLOC_SLOWPATH, 3);
	assert_stat(ALLOC_FASTPATH, 3 * OBJECTS - 3);
	assert_stat(ALLOC_SLAB, 3);
	assert_stat(DEACTIVATE_BYPASS, 2);
	/* the last slab is the cpu slab: its objects go back fast */
	give(0, objs + 2 * OBJECTS, OBJECTS);
	assert_stat(FREE_FASTPATH, OBJECTS);
	assert_stat(FREE_SLOWPATH, 0);
	give(0, objs, 2 * OBJECTS);
	assert_stat(FREE_SLOWPATH, 2 * OBJECTS);
}

static void slub_reuses_last_freed_object_first(void **state)
{
	void *objs[3], *again[3];

	(void)state;
	make(5, 30);
	take(1, objs, 3);
	give(1, objs, 3);
	take(1, again, 3);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(again[i], objs[2 - i]);
	give(1, again, 3);
}

static void slub_keeps_full_slab_on_cpu_partial_list_when_freed_into(void **state)
{
	void *objs[3 * OBJECTS], *again[2];

	(void)state;
	make(5, 30);
	take(0, objs, 2 * OBJECTS + 1);
	give(0, objs, 1); /* the first slab was full and on no list */
	assert_stat(CPU_PARTIAL_FREE, 1);
	assert_stat(LIST_LOCK, 0);
	give(0, objs + 1, 1); /* frozen now: only its page changes */
	assert_stat(FREE_FROZEN, 1);
	take(0, objs + 2 * OBJECTS + 1, OBJECTS - 1); /* the rest of the cpu slab */
	assert_stat(CPU_PARTIAL_ALLOC, 0);
	take(0, again, 2); /* now the partial slab's turn comes */
	assert_stat(CPU_PARTIAL_ALLOC, 1);
	assert_stat(ALLOC_REFILL, 1);
	assert_stat(ALLOC_SLAB, 3);
	assert_ptr_equal(again[0], objs[1]);
	assert_ptr_equal(again[1], objs[0]);
	assert_int_equal(nslab_world_cache_destroy(world, s), -EBUSY);
	give(0, objs, 3 * OBJECTS);
}

static void slub_gives_remote_frees_back_through_the_page(void **state)
{
	void *objs[OBJECTS], *again[OBJECTS];

	(void)state;
	make(5, 30);
	take(0, objs, OBJECTS);
	give(3, objs, 4);
	assert_stat(FREE_FROZEN, 4);
	assert_stat(REMOTE_FREE, 4);
	assert_stat(FREE_FASTPATH, 0);
	take(0, again, 4); /* what CPU 3 freed, taken at once */
	assert_stat(ALLOC_REFILL, 1);
	assert_stat(ALLOC_SLAB, 1);
	assert_ptr_equal(again[0], objs[3]);
	give(0, again, 4);
	give(0, objs + 4, 4);
}

static void slub_drains_cpu_partial_list_when_it_is_full(void **state)
{
	void *objs[8 * OBJECTS + 1];

	(void)state;
	make(5, 2 * OBJECTS); /* 4 slabs */
	take(0, objs, 8 * OBJECTS + 1);
	for (int i = 0; i < 4; i++)
		give(0, objs + i * OBJECTS, 1);
	assert_stat(CPU_PARTIAL_DRAIN, 0);
	give(0, objs + 4 * OBJECTS, 1);
	assert_stat(CPU_PARTIAL_DRAIN, 1);
	assert_stat(CPU_PARTIAL_FREE, 5);
	assert_stat(FREE_ADD_PARTIAL, 4);
	assert_stat(LIST_LOCK, 1); /* one node, one acquisition */
	for (int i = 0; i < 8; i++)
		give(0, objs + i * OBJECTS + (i < 5), (size_t)(OBJECTS - (i < 5)));
	give(0, objs + 8 * OBJECTS, 1);
}

static void slub_refills_cpu_partial_list_from_node(void **state)
{
	void *objs[8 * OBJECTS + 1], *one;
	struct nslab_cache_stats stats;

	(void)state;
	make(5, 2 * OBJECTS); /* 4 slabs, so a refill brings 1 + 3 */
	take(0, objs, 8 * OBJECTS + 1);
	for (int i = 0; i < 8; i++)
		give(0, objs + i * OBJECTS, 1);
	ops->cache_shrink(s);
	quiesce_all();
	ops->cache_stats(s, &stats);
	assert_int_equal(stats.nr_partial, 9); /* eight, and the cpu slab */
	one = kmem_cache_alloc(cpu[1], s, GFP_KERNEL);
	assert_stat(ALLOC_FROM_PARTIAL, 1);
	assert_stat(CPU_PARTIAL_NODE, 3);
	ops->cache_stats(s, &stats);
	assert_int_equal(stats.nr_partial, 5);
	/* six in what was CPU 0's cpu slab, which went to the head; one in each of three more */
	assert_int_equal(stats.nr_cpu_free, OBJECTS - 2 + 3);
	kmem_cache_free(cpu[1], s, one);
	for (int i = 0; i < 8; i++)
		give(1, objs + i * OBJECTS + 1, OBJECTS - 1);
	give(1, objs + 8 * OBJECTS, 1);
}

static void slub_discards_empty_slabs_beyond_min_partial(void **state)
{
	void *objs[6 * OBJECTS];
	struct nslab_cache_stats stats;

	(void)state;
	make(2, 0);
	take(0, objs, 6 * OBJECTS);
	for (int i = 0; i < 6; i++) /* all six become partial */
		give(1, objs + i * OBJECTS, 1);
	ops->cache_shrink(s);
	quiesce_all();
	for (int i = 0; i < 6; i++)
		give(1, objs + i * OBJECTS + 1, OBJECTS - 1);
	ops->cache_stats(s, &stats);
	/* each that empties while two or more are listed goes, so only the last one stays */
	assert_int_equal(stats.stat[NSLAB_STAT_FREE_REMOVE_PARTIAL], 5);
	assert_int_equal(stats.nr_slabs, 1);
	assert_int_equal(stats.nr_free, OBJECTS);
}

static void slub_leaves_cpu_slab_of_another_node(void **state)
{
	void *a, *b, *c;

	(void)state;
	make(5, 30);
	a = kmem_cache_alloc(cpu[0], s, GFP_KERNEL);
	b = kmem_cache_alloc_node(cpu[0], s, GFP_KERNEL, 1);
	assert_stat(ALLOC_NODE_MISMATCH, 1);
	assert_stat(DEACTIVATE_TO_HEAD, 1);
	assert_stat(ALLOC_SLAB, 2);
	assert_int_equal(nslab_node_of(nslab_world_env(world), b), 1);
	c = kmem_cache_alloc(cpu[0], s, GFP_KERNEL); /* no node asked: any will do */
	assert_stat(ALLOC_NODE_MISMATCH, 1);
	assert_int_equal(nslab_node_of(nslab_world_env(world), c), 1);
	kmem_cache_free(cpu[0], s, a);
	kmem_cache_free(cpu[0], s, b);
	kmem_cache_free(cpu[0], s, c);
}

/* Four partial slabs on node 0 and none on node 1; then CPU 2 of node 1 wants an object. */
static void take_from_far(uint64_t want_from_partial)
{
	void *objs[4 * OBJECTS], *far;

	take(0, objs, 4 * OBJECTS);
	for (int i = 0; i < 4; i++)
		give(0, objs + i * OBJECTS, 1);
	ops->cache_shrink(s);
	quiesce_all();
	far = kmem_cache_alloc(cpu[2], s, GFP_KERNEL);
	assert_stat(ALLOC_FROM_PARTIAL, want_from_partial);
	assert_int_equal(nslab_node_of(nslab_world_env(world), far), want_from_partial ? 0 : 1);
	kmem_cache_free(cpu[2], s, far);
	for (int i = 0; i < 4; i++)
		give(0, objs + i * OBJECTS + 1, OBJECTS - 1);
}

static void slub_takes_from_another_node_only_what_it_can_spare(void **state)
{
	(void)state;
	make(3, 0);
	take_from_far(1); /* four are more than three */
	assert_int_equal(nslab_world_cache_destroy(world, s), 0);
	make(4, 0);
	take_from_far(0);
}

static int setup_no_defrag(void **state)
{
	const struct params params = {
		.order = -1, .min_partial = -1, .cpu_partial = -1, .slab_max_order = 3};

	(void)state;
	open_world(&params);
	return 0;
}

static void slub_never_takes_from_another_node_when_ratio_is_0(void **state)
{
	(void)state;
	make(0, 0);
	take_from_far(0);
}

static void slub_falls_back_to_smallest_order(void **state)
{
	const struct nslab_cache_spec spec = {.name = "fallback",
					      .object_size = 256,
					      .order = 3,
					      .min_partial = -1,
					      .cpu_partial = -1};
	struct nslab_world_usage usage;
	struct nslab_cache_stats stats;
	void *objs[17];

	(void)state;
	assert_int_equal(ops->cache_create(nslab_world_heap(world), &spec, &s), 0);
	assert_int_equal(s->objects, 128);
	nslab_world_usage(world, &usage);
	nslab_world_fail_at(world, usage.nr_page_calls + 1, 1);
	take(0, objs, 17); /* 16 fit in the small slab */
	nslab_world_fail_at(world, 0, 0);
	ops->cache_stats(s, &stats);
	assert_int_equal(stats.stat[NSLAB_STAT_ORDER_FALLBACK], 1);
	assert_int_equal(stats.nr_slabs, 2);
	assert_int_equal(stats.nr_pages, 1 + 8);
	assert_int_equal(stats.nr_objects, 16 + 128);
	assert_int_equal(nslab_page_of(nslab_world_env(world), objs[0])->order, 0);
	assert_int_equal(nslab_page_of(nslab_world_env(world), objs[16])->order, 3);
	give(0, objs, 17);
}

/* The derived counts against counts kept here, with bulk calls and a CPU that goes away. */
static void slub_derives_fast_counts_exactly(void **state)
{
	void *objs[200] = {NULL}, *bulk[40];
	uint64_t rng = 3, nr_allocs = 0, nr_frees = 0;

	(void)state;
	make(5, 20);
	for (int i = 0; i < 20000; i++) {
		size_t at = nslab_rng_below(&rng, 200);
		int by = (int)nslab_rng_below(&rng, CPUS);

		if (objs[at]) {
			kmem_cache_free(cpu[by], s, objs[at]);
			objs[at] = NULL;
			nr_frees++;
		} else {
			take(by, &objs[at], 1);
			nr_allocs++;
		}
		if (i % 100 == 0) {
			assert_int_equal(kmem_cache_alloc_bulk(cpu[by], s, GFP_KERNEL, 40, bulk),
					 40);
			kmem_cache_free_bulk(cpu[CPUS - 1 - by], s, 40, bulk);
			nr_allocs += 40;
		}
		if (i == 10000) {
			nslab_world_cpu_offline(world, cpu[1]);
			assert_int_equal(nslab_world_cpu_online(world, 1, 1, &cpu[1]), 0);
		}
	}
	assert_stat(ALLOC_FASTPATH, nr_allocs - stat(NSLAB_STAT_ALLOC_SLOWPATH));
	/* single frees count one call each; a bulk free one for each run of a slab */
	assert_true(stat(NSLAB_STAT_FREE_FASTPATH) + stat(NSLAB_STAT_FREE_SLOWPATH) >= nr_frees);
	assert_stat(CMPXCHG_DOUBLE_CPU_FAIL, 0);
	assert_int_equal(ops->cache_validate(s), 0);
	for (int i = 0; i < 200; i++) {
		if (objs[i])
			kmem_cache_free(cpu[0], s, objs[i]);
	}
}

static void slub_counts_start_at_zero_when_a_number_is_reused(void **state)
{
	void *objs[20];

	(void)state;
	make(5, 20);
	take(0, objs, 20);
	give(0, objs, 20);
	assert_int_equal(nslab_world_cache_destroy(world, s), 0);
	make(5, 20);
	for (int i = 0; i < NSLAB_NR_STATS; i++)
		assert_int_equal(stat((enum nslab_stat)i), 0);
}

static void slub_validate_notices_overwritten_free_object(void **state)
{
	void *objs[2 * OBJECTS];
	uint64_t *link;

	(void)state;
	make(5, 30);
	take(0, objs, 2 * OBJECTS);
	give(0, objs, 2);
	ops->cache_shrink(s);
	quiesce_all();
	assert_int_equal(ops->cache_validate(s), 0);
	/* the free pointer lies in the middle of the object */
	link = (uint64_t *)((char *)objs[1] + s->object_size / 2);
	assert_int_equal(*link, (uintptr_t)objs[0]);
	*link += 1;
	assert_int_equal(ops->cache_validate(s), 1);
	assert_int_equal(nr_reports, 1);
	*link -= 1;
	give(0, objs + 2, 2 * OBJECTS - 2);
}

static void slub_refuses_what_it_does_not_model(void **state)
{
	struct nslab_cache_spec spec = {.name = "bad",
					.object_size = 5000,
					.order = -1,
					.min_partial = -1,
					.cpu_partial = -1};
	struct kmem_cache *none = NULL;
	struct nslab_heap *heap = nslab_world_heap(world);

	(void)state;
	spec.order = 0;
	assert_int_equal(ops->cache_create(heap, &spec, &none), -E2BIG);
	spec.object_size = 8;
	spec.order = 10; /* 524288 objects do not fit the counter */
	assert_int_equal(ops->cache_create(heap, &spec, &none), -ERANGE);
	assert_null(none);
}

static int setup_params(void **state)
{
	const struct params params = {.order = 1,
				      .min_partial = 9,
				      .cpu_partial = 64,
				      .slab_max_order = 3,
				      .slab_min_objects = -1,
				      .remote_node_defrag_ratio = 100};

	(void)state;
	open_world(&params);
	return 0;
}

static void slub_takes_order_from_parameters_unless_the_cache_asks(void **state)
{
	struct nslab_cache_spec spec = {.name = "one",
					.object_size = 64,
					.order = -1,
					.min_partial = -1,
					.cpu_partial = -1};

	(void)state;
	assert_int_equal(ops->cache_create(nslab_world_heap(world), &spec, &s), 0);
	assert_int_equal(s->order, 1);
	assert_int_equal(nslab_world_cache_destroy(world, s), 0);
	/* kmalloc-8k does not fit in less; kmalloc-64 follows the parameter */
	assert_int_equal(nslab_world_heap(world)->kmalloc[12]->order, 1);
	assert_int_equal(nslab_world_heap(world)->kmalloc[3]->order, 1);
	spec.order = 2;
	assert_int_equal(ops->cache_create(nslab_world_heap(world), &spec, &s), 0);
	assert_int_equal(s->order, 2);
}

/* ---- generation 6.12 ---- */

static int setup_6_12(void **state)
{
	const struct params params = {.order = -1,
				      .min_partial = -1,
				      .cpu_partial = -1,
				      .slab_max_order = 3,
				      .slab_min_objects = -1,
				      .remote_node_defrag_ratio = 100,
				      .generation = 1};

	(void)state;
	open_world(&params);
	return 0;
}

static void slub_6_12_uses_the_newer_order_rule(void **state)
{
	const struct nslab_cache_spec spec = {.name = "order",
					      .object_size = 12000,
					      .order = -1,
					      .min_partial = -1,
					      .cpu_partial = -1};

	(void)state;
	assert_int_equal(ops->cache_create(nslab_world_heap(world), &spec, &s), 0);
	assert_int_equal(s->order, 3); /* 6.1 takes 2, with one object */
	assert_int_equal(s->objects, 2);
}

#define FROZEN (UINT64_C(1) << 31) /* in a page's counters */

static bool is_frozen(const void *obj)
{
	return nslab_page_of(nslab_world_env(world), obj)->counters & FROZEN;
}

static void partial_list_of_cpu(bool want_frozen)
{
	void *objs[3 * OBJECTS], *again;

	make(5, 30);
	take(0, objs, 2 * OBJECTS + 1);
	give(0, objs, 1);
	assert_stat(CPU_PARTIAL_FREE, 1);
	assert_int_equal(is_frozen(objs[0]), want_frozen);
	assert_true(is_frozen(objs[2 * OBJECTS])); /* the cpu slab */
	take(0, objs + 2 * OBJECTS + 1, OBJECTS - 1);
	again = kmem_cache_alloc(cpu[0], s, GFP_KERNEL);
	assert_ptr_equal(again, objs[0]);
	assert_stat(CPU_PARTIAL_ALLOC, 1);
	/* objects are still on a frozen page and come from there; else freezing brings them */
	assert_stat(ALLOC_REFILL, want_frozen);
	assert_true(is_frozen(again));
	assert_int_equal(ops->cache_validate(s), 0);
	give(0, objs, 3 * OBJECTS);
}

static void slub_6_1_freezes_slabs_of_a_cpu_partial_list(void **state)
{
	(void)state;
	partial_list_of_cpu(true);
}

static void slub_6_12_does_not(void **state)
{
	(void)state;
	partial_list_of_cpu(false);
}

/* A slab of node 0 waits on CPU 0's list when an object of node 1 is asked for. */
static void slub_6_12_sends_a_popped_slab_of_the_wrong_node_home(void **state)
{
	void *objs[2 * OBJECTS + 1], *far;
	struct nslab_cache_stats stats;

	(void)state;
	make(5, 30);
	take(0, objs, 2 * OBJECTS);
	give(0, objs, 1);
	far = kmem_cache_alloc_node(cpu[0], s, GFP_KERNEL, 1);
	assert_int_equal(nslab_node_of(nslab_world_env(world), far), 1);
	ops->cache_stats(s, &stats);
	assert_int_equal(stats.stat[NSLAB_STAT_CPU_PARTIAL_ALLOC], 1);
	assert_int_equal(stats.stat[NSLAB_STAT_FREE_ADD_PARTIAL], 1);
	assert_int_equal(stats.nr_partial, 1);
	kmem_cache_free(cpu[0], s, far);
	give(0, objs + 1, 2 * OBJECTS - 1);
}

/* Freeing the last object of a slab that is on no list must leave it where it is. */
static void slub_6_12_keeps_an_empty_slab_that_is_not_listed(void **state)
{
	void *objs[3 * OBJECTS];
	struct nslab_cache_stats stats;

	(void)state;
	make(0, 30);
	take(0, objs, 2 * OBJECTS + 1);
	give(1, objs, OBJECTS); /* from full, over partial, to empty, on CPU 1's list */
	ops->cache_stats(s, &stats);
	assert_int_equal(stats.stat[NSLAB_STAT_FREE_SLAB], 0);
	assert_int_equal(stats.stat[NSLAB_STAT_FREE_REMOVE_PARTIAL], 0);
	assert_int_equal(stats.nr_partial, 0);
	assert_int_equal(ops->cache_validate(s), 0);
	ops->cache_shrink(s);
	quiesce_all();
	assert_stat(FREE_SLAB, 1);
	give(0, objs + OBJECTS, OBJECTS + 1);
}

#define EXCHANGE_SLOTS 96
#define EXCHANGE_OPS   400000

static _Atomic(void *) exchange[EXCHANGE_SLOTS];

/*
 * Fills empty places for a while, then empties full ones for a while, whoever filled them, so that
 * slabs pass through the node's list from full to empty.
 */
static void *exchange_main(void *context)
{
	struct nslab_cpu *by = context;
	uint64_t rng = (uint64_t)by->id;

	for (int i = 0; i < EXCHANGE_OPS; i++) {
		_Atomic(void *) *slot = &exchange[nslab_rng_below(&rng, EXCHANGE_SLOTS)];
		bool is_filling = (i / 128 + by->id) % 2;
		void *obj = NULL;

		if (is_filling && !atomic_load(slot))
			obj = kmem_cache_alloc(by, s, GFP_KERNEL);
		if (obj)
			memset(obj, by->id, s->object_size);
		if (obj || !is_filling)
			obj = atomic_exchange(slot, obj);
		if (obj)
			kmem_cache_free(by, s, obj);
	}
	return NULL;
}

/* Without partial lists of CPUs and without empty slabs, every path ends at the node's list. */
static void slub_survives_threads_that_meet_on_node_lists(void **state)
{
	struct nslab_cache_stats stats;
	pthread_t threads[2];

	(void)state;
	make(0, 0);
	assert_int_equal(pthread_create(&threads[0], NULL, exchange_main, cpu[0]), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, exchange_main, cpu[1]), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	assert_int_equal(ops->cache_validate(s), 0);
	for (int i = 0; i < EXCHANGE_SLOTS; i++) {
		if (exchange[i])
			kmem_cache_free(cpu[2], s, exchange[i]);
		exchange[i] = NULL;
	}
	ops->cache_stats(s, &stats);
	assert_int_equal(stats.nr_free, stats.nr_objects);
	assert_true(stats.stat[NSLAB_STAT_FREE_REMOVE_PARTIAL] > 0);
	ops->cache_shrink(s);
	quiesce_all();
	assert_int_equal(ops->cache_shrink(s), 0);
}

#define SLUB_6_12_TEST(test) cmocka_unit_test_setup_teardown(test, setup_6_12, teardown)
#define SLUB_TEST(test)	     cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLUB_TEST(slub_takes_one_slow_path_for_each_new_slab),
		SLUB_TEST(slub_reuses_last_freed_object_first),
		SLUB_TEST(slub_keeps_full_slab_on_cpu_partial_list_when_freed_into),
		SLUB_TEST(slub_gives_remote_frees_back_through_the_page),
		SLUB_TEST(slub_drains_cpu_partial_list_when_it_is_full),
		SLUB_TEST(slub_refills_cpu_partial_list_from_node),
		SLUB_TEST(slub_discards_empty_slabs_beyond_min_partial),
		SLUB_TEST(slub_leaves_cpu_slab_of_another_node),
		SLUB_TEST(slub_takes_from_another_node_only_what_it_can_spare),
		SLUB_TEST(slub_falls_back_to_smallest_order),
		SLUB_TEST(slub_derives_fast_counts_exactly),
		SLUB_TEST(slub_counts_start_at_zero_when_a_number_is_reused),
		SLUB_TEST(slub_validate_notices_overwritten_free_object),
		SLUB_TEST(slub_refuses_what_it_does_not_model),
		SLUB_TEST(slub_survives_threads_that_meet_on_node_lists),
		cmocka_unit_test_setup_teardown(slub_never_takes_from_another_node_when_ratio_is_0,
						setup_no_defrag, teardown),
		cmocka_unit_test_setup_teardown(
			slub_takes_order_from_parameters_unless_the_cache_asks, setup_params,
			teardown),
		SLUB_TEST(slub_6_1_freezes_slabs_of_a_cpu_partial_list),
		SLUB_6_12_TEST(slub_6_12_does_not),
		SLUB_6_12_TEST(slub_6_12_uses_the_newer_order_rule),
		SLUB_6_12_TEST(slub_6_12_sends_a_popped_slab_of_the_wrong_node_home),
		SLUB_6_12_TEST(slub_6_12_keeps_an_empty_slab_that_is_not_listed),
		SLUB_6_12_TEST(slub_derives_fast_counts_exactly),
		SLUB_6_12_TEST(slub_survives_threads_that_meet_on_node_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
