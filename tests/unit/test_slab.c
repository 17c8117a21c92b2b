/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_slab.c: the SLAB model step by step: what each path moved between arrays, lists and nodes.
 *
 * A world of 2 nodes with 2 CPUs each (or fewer, where a count depends on it), driven by one
 * thread, so that every count is exact. Expected values are written from the description of the
 * kernel's rules. Tests look into the model's own structures where addresses alone do not tell
 * which array holds an object. That objects are sound is the conformance suite's business.
 */
#include "allocators/slab.h"
#include "runner/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NODES	2
#define CPUS	4
#define OBJECTS 700

static struct nslab_registry *registry;
static struct nslab_world *world;
static const struct nslab_allocator_ops *ops;
static struct nslab_cpu *cpu[CPUS]; /* CPU i on node i / 2 */
static int nr_cpus;
static struct kmem_cache *s;
static unsigned nr_reports;
static void *objs[OBJECTS];

static const struct slab_params defaults = {
	.order = NSLAB_AUTO,
	.limit = NSLAB_AUTO,
	.batchcount = NSLAB_AUTO,
	.shared = NSLAB_AUTO,
	.slab_max_order = 1,
};

static void count_report(void *context, const char *line)
{
	(void)context;
	(void)line;
	nr_reports++;
}

/* A world of `backend`; returns what opening it gave. */
static int try_world(const char *backend, const void *params, int cpus, size_t node_bytes)
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
		.node_bytes = node_bytes,
		.nr_cpus = cpus,
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
		nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, backend, &record, &err), 0);
	ops = spec.allocator = record->ops.allocator;
	assert_int_equal(nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, "buddy", &record, &err),
			 0);
	spec.page = record->ops.page;
	return nslab_world_open(&spec, &world, &err);
}

/* CPUs 0 .. cpus - 1, two on each node, or one on each when there are only two. */
static void open_backend(const char *backend, const void *params, int cpus)
{
	assert_int_equal(try_world(backend, params, cpus, 64 << 20), 0);
	nr_cpus = cpus;
	for (int i = 0; i < cpus; i++)
		assert_int_equal(nslab_world_cpu_online(world, i, i * NODES / (cpus > 1 ? cpus : 2),
							&cpu[i]),
				 0);
	nr_reports = 0;
}

static void open_world(const struct slab_params *params)
{
	open_backend("slab", params, CPUS);
}

static struct kmem_cache *make_with(size_t object_size, int order, void (*ctor)(void *obj))
{
	const struct nslab_cache_spec spec = {
		.name = "test",
		.object_size = object_size,
		.order = order,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.sheaf_capacity = NSLAB_AUTO,
		.ctor = ctor,
	};
	struct kmem_cache *made;

	assert_int_equal(ops->cache_create(nslab_world_heap(world), &spec, &made), 0);
	return made;
}

static struct kmem_cache *make(size_t object_size)
{
	s = make_with(object_size, NSLAB_AUTO, NULL);
	return s;
}

static void close_world(void)
{
	struct nslab_world_usage usage;

	if (s)
		assert_int_equal(nslab_world_cache_destroy(world, s), 0);
	s = NULL;
	for (int i = 0; i < nr_cpus; i++)
		nslab_world_cpu_offline(world, cpu[i]);
	nslab_world_usage(world, &usage);
	assert_int_equal(usage.nr_pages, 0);
	nr_reports = 0;
	nslab_world_close(world);
	assert_int_equal(nr_reports, 0);
	nslab_registry_destroy(registry);
}

static struct slab_array *array_of(int by, struct kmem_cache *cache)
{
	return slab_cpu_of(cpu[by])->array[slab_cache_of(cache)->number];
}

static struct slab_node *node_of(int node)
{
	return slab_cache_of(s)->node[node];
}

static uint64_t stat(enum nslab_stat which)
{
	struct nslab_cache_stats stats;

	ops->cache_stats(s, &stats);
	return stats.stat[which];
}

#define assert_stat(which, want) assert_int_equal(stat(NSLAB_STAT_##which), want)

static void take(int by, size_t from, size_t to)
{
	assert_true(to <= OBJECTS);
	for (size_t i = from; i < to; i++) {
		objs[i] = kmem_cache_alloc(cpu[by], s, GFP_KERNEL);
		assert_non_null(objs[i]);
	}
}

static void give(int by, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		kmem_cache_free(cpu[by], s, objs[i]);
}

/* ---- arrays ---- */

static void slab_refills_16_when_untouched_and_a_batch_after(void **state)
{
	(void)state;
	open_world(&defaults);
	make(64);
	take(0, 0, 1);
	assert_int_equal(array_of(0, s)->avail, 15);
	take(0, 1, 17);
	/* a batch is 60, but the slab of 64 has only 48 left, and that is enough for now */
	assert_int_equal(array_of(0, s)->avail, 47);
	assert_stat(ALLOC_SLAB, 1);
	take(0, 17, 65);
	assert_int_equal(array_of(0, s)->avail, 59);
	assert_stat(ALLOC_SLAB, 2);
	assert_stat(ALLOC_SLOWPATH, 3);
	assert_stat(ALLOC_REFILL, 3);
	assert_stat(ALLOC_FASTPATH, 62);
	give(0, 0, 65);
	assert_stat(FREE_FASTPATH, 64); /* 59 + 61 fill the array, then one flush */
	assert_stat(FREE_SLOWPATH, 1);
	close_world();
}

static void slab_flushes_its_oldest_batch_to_the_shared_array(void **state)
{
	struct slab_array *ac;

	(void)state;
	open_world(&defaults);
	make(64);
	take(0, 0, 200);
	ac = array_of(0, s);
	ops->free_bulk(cpu[0], s, 120 - ac->avail, objs);
	assert_int_equal(ac->avail, 120);
	for (unsigned i = 0; i < 120; i++)
		objs[300 + i] = ac->entry[i];
	give(0, 199, 200);
	assert_int_equal(ac->avail, 61);
	assert_int_equal(node_of(0)->shared->avail, 60);
	assert_memory_equal(node_of(0)->shared->entry, objs + 300, 60 * sizeof(*objs));
	assert_memory_equal(ac->entry, objs + 360, 60 * sizeof(*objs));
	assert_ptr_equal(ac->entry[60], objs[199]);
	/* the other CPU of the node gets the newest of them before any slab */
	objs[500] = kmem_cache_alloc(cpu[1], s, GFP_KERNEL);
	assert_ptr_equal(objs[500], objs[359]);
	assert_int_equal(node_of(0)->shared->avail, 44);
	kmem_cache_free(cpu[1], s, objs[500]);
	for (size_t i = 0; i < 200; i++) {
		bool is_free = false;

		for (size_t k = 300; k < 420; k++)
			is_free |= objs[i] == objs[k];
		if (!is_free && i != 199)
			kmem_cache_free(cpu[0], s, objs[i]);
	}
	assert_int_equal(ops->cache_validate(s), 0);
	close_world();
}

static void slab_flushes_to_slabs_when_the_shared_array_is_full(void **state)
{
	struct slab_params p = defaults;

	(void)state;
	p.shared = 1;
	open_world(&p);
	make(64);
	take(0, 0, 500);
	give(0, 0, 500);
	assert_int_equal(node_of(0)->shared->limit, 60);
	assert_int_equal(node_of(0)->shared->avail, 60);
	/* what is not in the two arrays went home; no more than free_limit stays in slabs */
	assert_true(node_of(0)->free_objects <= 3 * 60 + 64);
	assert_true(stat(NSLAB_STAT_FREE_SLAB) > 0);
	assert_int_equal(ops->cache_validate(s), 0);
	close_world();
}

static void slab_takes_partial_slabs_before_empty_ones(void **state)
{
	struct slab_params p = defaults;

	(void)state;
	p.limit = p.batchcount = 1; /* every operation reaches the slabs */
	p.shared = 0;
	open_world(&p);
	make(512); /* 8 in a slab; free_limit 3 * 1 + 8 */
	take(0, 0, 16);
	give(0, 0, 9); /* the last one is in the array, the first slab is empty */
	assert_int_equal(node_of(0)->nr_free, 1);
	assert_int_equal(node_of(0)->nr_partial, 0);
	give(0, 9, 10);
	assert_int_equal(node_of(0)->nr_partial, 1);
	take(0, 20, 22); /* the array's own, and the only one of the partial slab */
	assert_ptr_equal(objs[20], objs[9]);
	assert_ptr_equal(objs[21], objs[8]);
	assert_int_equal(node_of(0)->nr_free, 1);
	assert_int_equal(node_of(0)->nr_partial, 0);
	give(0, 20, 22);
	give(0, 10, 16);
	close_world();
}

static void slab_starts_slabs_at_changing_colours(void **state)
{
	(void)state;
	open_world(&defaults);
	make(1088); /* 7 in 8192 bytes, 576 left over: 9 colours of 64 bytes */
	assert_int_equal(slab_cache_of(s)->colours, 9);
	take(0, 0, 7 * 12);
	for (size_t i = 0; i < 7 * 12; i++) {
		const struct nslab_page *page = nslab_page_of(nslab_world_env(world), objs[i]);
		uintptr_t start = (uintptr_t)nslab_page_address(nslab_world_env(world), page);

		assert_int_equal(page->priv[0] - start, i / 7 % 9 * 64);
	}
	give(0, 0, 7 * 12);
	close_world();
}

/* ---- other nodes ---- */

static void slab_sends_twelve_objects_home_at_once(void **state)
{
	(void)state;
	open_world(&defaults);
	make(64);
	take(0, 0, 40);
	give(2, 0, 12);
	assert_int_equal(node_of(1)->alien[0].avail, 12);
	assert_stat(REMOTE_FREE, 12);
	assert_stat(REMOTE_BATCH, 0);
	assert_int_equal(node_of(0)->shared->avail, 0);
	give(2, 12, 13);
	assert_stat(REMOTE_BATCH, 1);
	assert_int_equal(node_of(1)->alien[0].avail, 1);
	/* the shared array of their node takes them first */
	assert_int_equal(node_of(0)->shared->avail, 12);
	assert_memory_equal(node_of(0)->shared->entry, objs, 12 * sizeof(*objs));
	give(2, 13, 40);
	assert_stat(REMOTE_BATCH, 3);
	assert_int_equal(node_of(1)->alien[0].avail, 4);
	assert_int_equal(array_of(2, s)->avail, 0);
	assert_int_equal(ops->cache_validate(s), 0);
	close_world();
}

static void slab_sends_each_object_home_without_alien_arrays(void **state)
{
	struct slab_params p = defaults;
	uint64_t locked;

	(void)state;
	p.noaliencache = true;
	open_world(&p);
	make(64);
	take(0, 0, 40);
	locked = stat(NSLAB_STAT_LIST_LOCK);
	give(2, 0, 40);
	assert_stat(LIST_LOCK, locked + 40);
	assert_stat(REMOTE_FREE, 40);
	assert_stat(REMOTE_BATCH, 0);
	assert_int_equal(node_of(0)->shared->avail, 0);
	close_world();
}

static void slab_alien_limit_is_one_when_the_limit_is(void **state)
{
	struct slab_params p = defaults;

	(void)state;
	p.limit = 1;
	open_world(&p);
	make(64);
	assert_int_equal(node_of(0)->alien[1].limit, 1);
	close_world();
	open_world(&defaults);
	make(200000);
	assert_int_equal(node_of(0)->alien[1].limit, 1);
	close_world();
	open_world(&defaults);
	make(8192);
	assert_int_equal(node_of(0)->alien[1].limit, 12);
	close_world();
}

static void slab_serves_the_asked_node_past_the_arrays(void **state)
{
	const struct nslab_env *env;

	(void)state;
	open_world(&defaults);
	env = nslab_world_env(world);
	make(64);
	for (int i = 0; i < 80; i++) {
		objs[i] = kmem_cache_alloc_node(cpu[0], s, GFP_KERNEL, i < 70 ? 1 : 0);
		assert_int_equal(nslab_node_of(env, objs[i]), i < 70 ? 1 : 0);
	}
	assert_stat(ALLOC_NODE_MISMATCH, 70);
	assert_stat(ALLOC_SLAB, 3);
	assert_null(array_of(2, s)->s); /* the other node's CPU was not asked */
	give(2, 0, 70);
	give(0, 70, 80);
	close_world();
}

static void slab_falls_back_to_other_nodes_unless_told_not_to(void **state)
{
	const struct nslab_env *env;
	int nr = 0, nr_other = 0;

	(void)state;
	assert_int_equal(try_world("slab", &defaults, 2, 4 << 20), 0);
	nr_cpus = 1;
	assert_int_equal(nslab_world_cpu_online(world, 0, 0, &cpu[0]), 0);
	env = nslab_world_env(world);
	make(65536); /* 64 of them at most in a node */
	while (nr < 64 &&
	       (objs[nr] = kmem_cache_alloc_node(cpu[0], s, GFP_KERNEL | __GFP_THISNODE, 1)))
		nr++;
	assert_in_range(nr, 32, 64);
	for (int i = 0; i < nr; i++)
		assert_int_equal(nslab_node_of(env, objs[i]), 1);
	/* the asked node has nothing left: the nearest that has */
	for (; nr_other < 8; nr_other++) {
		objs[nr + nr_other] = kmem_cache_alloc_node(cpu[0], s, GFP_KERNEL, 1);
		assert_int_equal(nslab_node_of(env, objs[nr + nr_other]), 0);
	}
	while (nr + nr_other < OBJECTS &&
	       (objs[nr + nr_other] = kmem_cache_alloc(cpu[0], s, GFP_KERNEL)))
		nr_other++;
	assert_in_range(nr_other, 32, 64);
	give(0, 0, (size_t)(nr + nr_other));
	assert_int_equal(ops->cache_validate(s), 0);
	close_world();
}

/* ---- reaping ---- */

/* Operations of another cache that leave the fast path often. */
static void pass_ops(int by, struct kmem_cache *other, size_t nr)
{
	void *held[200];

	for (size_t done = 0; done < nr; done += 400) {
		for (int i = 0; i < 200; i++)
			held[i] = kmem_cache_alloc(cpu[by], other, GFP_KERNEL);
		ops->free_bulk(cpu[by], other, 200, held);
	}
}

static void slab_reaps_a_fifth_of_what_was_not_used(void **state)
{
	struct slab_params p = defaults;
	struct kmem_cache *other;
	struct slab_array *ac;
	unsigned held, shared;

	(void)state;
	p.reap_ops = 10000;
	open_backend("slab", &p, 2); /* one CPU on each node */
	make(64);
	other = make_with(256, NSLAB_AUTO, NULL);
	take(0, 0, 300);
	give(0, 0, 300);
	ac = array_of(0, s);
	held = ac->avail;
	shared = node_of(0)->shared->avail;
	assert_true(held >= 24 && shared >= 96);
	pass_ops(0, other, 10000); /* 600 above and these: the first reap clears the mark */
	assert_int_equal(node_of(0)->nr_reaps, 1);
	assert_int_equal(ac->avail, held);
	assert_int_equal(ac->unused_pops, ac->nr_pops);
	pass_ops(0, other, 10400); /* the second takes a fifth, and is the node's first as well */
	assert_int_equal(node_of(0)->nr_reaps, 2);
	assert_int_equal(ac->avail, held - 24);
	assert_int_equal(node_of(0)->shared->avail, shared - 96);
	/* the allocations looked for empty slabs, so that mark is all that went */
	assert_false(node_of(0)->is_free_touched);
	ops->cache_shrink(other);
	for (int i = 0; i < NODES; i++)
		ops->quiesce(cpu[i]);
	assert_int_equal(nslab_world_cache_destroy(world, other), 0);
	close_world();
}

static void slab_reaps_aliens_in_turn_and_idle_slabs(void **state)
{
	struct slab_params p = defaults;
	struct kmem_cache *other;
	uint64_t slabs;

	(void)state;
	p.reap_ops = 4000;
	open_backend("slab", &p, 2);
	make(1024); /* 4 in a slab; free_limit 2 * 27 + 4 */
	other = make_with(256, NSLAB_AUTO, NULL);
	take(1, 0, 5);
	give(0, 0, 5);
	take(0, 5, 6); /* an array of its own, so that CPU 0 reaps here */
	give(0, 5, 6);
	assert_int_equal(node_of(0)->alien[1].avail, 5);
	pass_ops(0, other, 8800); /* its turn comes at the first or second reap */
	assert_int_equal(node_of(0)->alien[1].avail, 0);
	slabs = node_of(0)->nr_slabs;
	assert_true(slabs > 0);
	pass_ops(0, other, 200000); /* a fifth again and again, then the empty slabs */
	assert_true(node_of(0)->nr_slabs < slabs);
	assert_int_equal(array_of(0, s)->avail, 0);
	assert_int_equal(nslab_world_cache_destroy(world, other), 0);
	close_world();
}

static void slab_never_reaps_at_zero(void **state)
{
	struct kmem_cache *other;

	(void)state;
	open_world(&defaults);
	make(64);
	other = make_with(256, NSLAB_AUTO, NULL);
	take(0, 0, 120);
	give(0, 0, 120);
	pass_ops(0, other, 100000);
	assert_int_equal(node_of(0)->nr_reaps, 0);
	assert_int_equal(nslab_world_cache_destroy(world, other), 0);
	close_world();
}

/* ---- shapes, in counts ---- */

struct shape {
	double slow, locks; /* per object */
};

/* Slow paths and list_lock acquisitions per object of bulk allocation and bulk free, warm. */
static struct shape bulk_shape(size_t bulk)
{
	const int rounds = 64;
	uint64_t slow = 0, locks = 0;

	for (int i = -8; i < rounds; i++) {
		if (i == 0) {
			slow = stat(NSLAB_STAT_ALLOC_SLOWPATH) + stat(NSLAB_STAT_FREE_SLOWPATH);
			locks = stat(NSLAB_STAT_LIST_LOCK);
		}
		assert_int_equal(kmem_cache_alloc_bulk(cpu[0], s, GFP_KERNEL, bulk, objs), bulk);
		kmem_cache_free_bulk(cpu[0], s, bulk, objs);
	}
	slow = stat(NSLAB_STAT_ALLOC_SLOWPATH) + stat(NSLAB_STAT_FREE_SLOWPATH) - slow;
	locks = stat(NSLAB_STAT_LIST_LOCK) - locks;
	return (struct shape){(double)slow / (double)bulk / rounds,
			      (double)locks / (double)bulk / rounds};
}

/* 256 bytes: 16 objects in a slab of 2 CPUs. The array of 120 does not know that number. */
static void slab_bulk_has_no_cliff_at_the_slab(void **state)
{
	static const size_t bulks[] = {1, 8, 16, 17, 30, 32, 48, 60};
	struct shape shape;

	(void)state;
	open_backend("slab", &defaults, 2);
	make(256);
	assert_int_equal(s->objects, 16);
	for (size_t i = 0; i < sizeof(bulks) / sizeof(*bulks); i++) {
		shape = bulk_shape(bulks[i]);
		assert_true(shape.slow == 0);
		assert_true(shape.locks == 0);
	}
	/* further on, one acquisition for half an array at most, alloc and free alike */
	for (size_t bulk = 160; bulk <= 640; bulk += 96) {
		shape = bulk_shape(bulk);
		assert_true(shape.slow > 0 && shape.slow <= 2.0 / 60);
		assert_true(shape.locks > 0 && shape.locks <= 2.0 / 60);
	}
	close_world();
}

/* The same counts of SLUB, whose CPU owns one slab at a time. */
static void slub_bulk_has_a_cliff_at(int order, unsigned objects)
{
	struct shape shape, beyond;

	open_backend("slub", NULL, 2);
	s = make_with(256, order, NULL);
	assert_int_equal(s->objects, objects);
	for (size_t bulk = 1; bulk <= objects; bulk *= 2) {
		shape = bulk_shape(bulk);
		assert_true(shape.slow == 0);
		assert_true(shape.locks == 0);
	}
	beyond = bulk_shape(2 * objects);
	assert_true(beyond.slow >= 1.0 / objects);
	/* and once more where the CPU's partial list is full */
	beyond = bulk_shape(20 * objects);
	assert_true(beyond.slow >= 1.0 / objects);
	assert_true(beyond.locks > 0);
	close_world();
}

static void slub_bulk_has_a_cliff_at_its_objects_per_slab(void **state)
{
	(void)state;
	slub_bulk_has_a_cliff_at(NSLAB_AUTO, 16);
	slub_bulk_has_a_cliff_at(1, 32);
}

/* ---- indexes and exclusion ---- */

static unsigned nr_made;

static void count_ctor(void *obj)
{
	nr_made++;
	memset(obj, 0x5c, 512);
}

static void slab_takes_off_slab_indexes_from_kmalloc(void **state)
{
	struct nslab_cache_stats stats;
	struct kmem_cache *indexes;

	(void)state;
	open_world(&defaults);
	nr_made = 0;
	s = make_with(512, NSLAB_AUTO, count_ctor);
	assert_int_equal(slab_cache_of(s)->shape.index, NSLAB_SLAB_OFF_SLAB);
	indexes = nslab_world_heap(world)->kmalloc[NSLAB_SLAB_MIN_CLASS];
	take(0, 0, 160);
	ops->cache_stats(indexes, &stats);
	assert_int_equal(stats.nr_objects - stats.nr_free, 20);
	assert_stat(ALLOC_SLAB, 20);
	assert_int_equal(nr_made, 160);
	for (size_t i = 0; i < 160; i++) {
		const unsigned char *bytes = objs[i];

		assert_true(bytes[0] == 0x5c && bytes[511] == 0x5c);
	}
	assert_int_equal(ops->cache_validate(s), 0);
	give(2, 0, 80); /* some of them come home by way of an alien array */
	give(0, 80, 160);
	assert_int_equal(nr_made, 160);
	assert_int_equal(nslab_world_cache_destroy(world, s), 0);
	s = NULL;
	ops->cache_stats(indexes, &stats);
	assert_int_equal(stats.nr_objects - stats.nr_free, 0);
	close_world();
}

static void slab_goes_to_the_lists_when_the_array_is_busy(void **state)
{
	struct slab_array *ac;

	(void)state;
	open_world(&defaults);
	make(64);
	take(0, 0, 1);
	ac = array_of(0, s);
	ac->is_busy = 1;
	take(0, 1, 3);
	assert_int_equal(ac->avail, 15);
	give(0, 1, 3);
	assert_int_equal(ac->avail, 15);
	assert_stat(ALLOC_SLOWPATH, 3);
	assert_stat(FREE_SLOWPATH, 2);
	ac->is_busy = 0;
	give(0, 0, 1);
	assert_int_equal(ac->avail, 16);
	assert_int_equal(ops->cache_validate(s), 0);
	close_world();
}

static void slab_kmalloc_begins_at_32_bytes(void **state)
{
	void *small, *large;

	(void)state;
	open_world(&defaults);
	assert_null(nslab_world_heap(world)->kmalloc[1]);
	small = kmalloc(cpu[0], 1, GFP_KERNEL);
	assert_int_equal(ksize(cpu[0], small), 32);
	assert_int_equal(kmalloc_size_roundup(cpu[0], 1), 32);
	assert_int_equal(kmalloc_size_roundup(cpu[0], 33), 64);
	assert_int_equal(kmalloc_size_roundup(cpu[0], 8193), 16384);
	kfree(cpu[2], small);
	large = kmalloc(cpu[0], 8192, GFP_KERNEL);
	assert_int_equal(ksize(cpu[0], large), 8192);
	assert_string_equal(nslab_page_of(nslab_world_env(world), large)->s->name, "kmalloc-8k");
	kfree(cpu[0], large);
	close_world();
}

static void slab_refuses_a_batch_above_the_limit(void **state)
{
	struct slab_params p = defaults;

	(void)state;
	p.limit = 10;
	p.batchcount = 11;
	assert_int_equal(try_world("slab", &p, 2, 4 << 20), -EINVAL);
	nslab_registry_destroy(registry);
	p.limit = NSLAB_AUTO;
	open_world(&p);
	make(8192); /* a limit by size gives way to nobody */
	assert_int_equal(slab_cache_of(s)->limit, 8);
	assert_int_equal(slab_cache_of(s)->batchcount, 8);
	close_world();
}

/* ---- validation ---- */

static void slab_validation_finds_what_is_wrong(void **state)
{
	struct nslab_page *page;
	struct slab_array *ac;
	uint8_t kept;

	(void)state;
	open_world(&defaults);
	make(64);
	take(0, 0, 1); /* 16 of the first slab are in use, for the slab */
	assert_int_equal(ops->cache_validate(s), 0);
	ac = array_of(0, s);
	page = nslab_page_of(nslab_world_env(world), objs[0]);
	/* an index twice */
	kept = ((uint8_t *)page->freelist)[63];
	((uint8_t *)page->freelist)[63] = ((uint8_t *)page->freelist)[62];
	assert_int_equal(ops->cache_validate(s), 1);
	((uint8_t *)page->freelist)[63] = kept;
	/* a count that nobody agrees with */
	page->counters--;
	assert_true(ops->cache_validate(s) > 0);
	page->counters++;
	assert_int_equal(ops->cache_validate(s), 0);
	/* an object twice */
	give(0, 0, 1);
	ac->entry[ac->avail++] = objs[0];
	nr_reports = 0;
	assert_int_equal(ops->cache_validate(s), 1);
	assert_int_equal(nr_reports, 1);
	/* an object of nobody */
	ac->entry[ac->avail - 1] = (char *)objs[0] + 1;
	assert_int_equal(ops->cache_validate(s), 1);
	ac->avail--;
	nr_reports = 0;
	assert_int_equal(ops->cache_validate(s), 0);
	close_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slab_refills_16_when_untouched_and_a_batch_after),
		cmocka_unit_test(slab_flushes_its_oldest_batch_to_the_shared_array),
		cmocka_unit_test(slab_flushes_to_slabs_when_the_shared_array_is_full),
		cmocka_unit_test(slab_takes_partial_slabs_before_empty_ones),
		cmocka_unit_test(slab_starts_slabs_at_changing_colours),
		cmocka_unit_test(slab_sends_twelve_objects_home_at_once),
		cmocka_unit_test(slab_sends_each_object_home_without_alien_arrays),
		cmocka_unit_test(slab_alien_limit_is_one_when_the_limit_is),
		cmocka_unit_test(slab_serves_the_asked_node_past_the_arrays),
		cmocka_unit_test(slab_falls_back_to_other_nodes_unless_told_not_to),
		cmocka_unit_test(slab_reaps_a_fifth_of_what_was_not_used),
		cmocka_unit_test(slab_reaps_aliens_in_turn_and_idle_slabs),
		cmocka_unit_test(slab_never_reaps_at_zero),
		cmocka_unit_test(slab_bulk_has_no_cliff_at_the_slab),
		cmocka_unit_test(slub_bulk_has_a_cliff_at_its_objects_per_slab),
		cmocka_unit_test(slab_takes_off_slab_indexes_from_kmalloc),
		cmocka_unit_test(slab_goes_to_the_lists_when_the_array_is_busy),
		cmocka_unit_test(slab_kmalloc_begins_at_32_bytes),
		cmocka_unit_test(slab_refuses_a_batch_above_the_limit),
		cmocka_unit_test(slab_validation_finds_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
