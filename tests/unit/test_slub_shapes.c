// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_slub_shapes.c: how the counts of the SLUB model move with bulk size, order and limits.
 *
 * Known of the kernel's allocator: bulk calls cost more as soon as they exceed the objects of a
 * slab, and on many CPUs the list_lock is taken less often with larger orders and with longer
 * partial lists of CPUs, while min_partial matters little. Everything is held against counts of
 * simulated CPUs that one thread drives in seeded random order, never against time. What one path
 * does is test_slub.c's business.
 */
#include "allocators/slub.h"
#include "core/rng.h"
#include "runner/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define MAX_CPUS 16

static struct nslab_registry *registry;
static struct nslab_world *world;
static const struct nslab_allocator_ops *ops;
static struct nslab_cpu *cpu[MAX_CPUS];
static int nr_cpus;
static struct kmem_cache *s;

static void ignore_report(void *context, const char *line)
{
	(void)context;
	(void)line;
}

/* One node, `nr` CPUs. */
static void open_world(int nr, enum slub_generation generation)
{
	static struct nslab_topo_node node = {.memory_bytes = 256 << 20, .nr_pus = MAX_CPUS};
	static unsigned distance = 10;
	static struct nslab_topo topo = {
		.is_simulated = true, .nr_nodes = 1, .nodes = &node, .distances = &distance};
	const struct slub_params params = {
		.order = NSLAB_AUTO,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.slab_max_order = 3,
		.slab_min_objects = NSLAB_AUTO,
		.remote_node_defrag_ratio = 100,
		.generation = generation,
		.sheaf_capacity = NSLAB_AUTO,
	};
	const struct nslab_arena_spec arena = {
		.topo = &topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = 256 << 20,
		.nr_cpus = nr,
	};
	struct nslab_world_spec spec = {
		.allocator_params = &params, .arena = &arena, .seed = 7, .report = ignore_report};
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
	nr_cpus = nr;
	for (int i = 0; i < nr; i++)
		assert_int_equal(nslab_world_cpu_online(world, i, 0, &cpu[i]), 0);
}

static void close_world(void)
{
	for (int i = 0; i < nr_cpus; i++)
		nslab_world_cpu_offline(world, cpu[i]);
	nslab_world_close(world);
	nslab_registry_destroy(registry);
}

static void make(size_t object_size, int order, int min_partial, int cpu_partial)
{
	const struct nslab_cache_spec spec = {
		.name = "shape",
		.object_size = object_size,
		.order = order,
		.min_partial = min_partial,
		.cpu_partial = cpu_partial,
	};

	assert_int_equal(ops->cache_create(nslab_world_heap(world), &spec, &s), 0);
}

static void drop(void)
{
	assert_int_equal(nslab_world_cache_destroy(world, s), 0);
}

struct rates {
	double slow, locks; /* for each object that was allocated and freed */
};

static struct rates rates_since(const struct nslab_cache_stats *before, uint64_t nr_objects)
{
	struct nslab_cache_stats now;
	struct rates rates;

	ops->cache_stats(s, &now);
	rates.slow =
		(double)(now.stat[NSLAB_STAT_ALLOC_SLOWPATH] + now.stat[NSLAB_STAT_FREE_SLOWPATH] -
			 before->stat[NSLAB_STAT_ALLOC_SLOWPATH] -
			 before->stat[NSLAB_STAT_FREE_SLOWPATH]) /
		(double)nr_objects;
	rates.locks =
		(double)(now.stat[NSLAB_STAT_LIST_LOCK] - before->stat[NSLAB_STAT_LIST_LOCK]) /
		(double)nr_objects;
	return rates;
}

/* ---- bulk size ---- */

#define BULK_ROUNDS 1000
#define BULK_MAX    256

static struct rates bulk_rates(size_t bulk, int cpu_partial)
{
	struct nslab_cache_stats before;
	struct rates rates;
	void *objs[BULK_MAX];

	make(256, NSLAB_AUTO, NSLAB_AUTO, cpu_partial);
	assert_int_equal(s->objects, 16);
	for (int i = 0; i < 2 * BULK_ROUNDS; i++) {
		if (i == BULK_ROUNDS)
			ops->cache_stats(s, &before);
		assert_int_equal(kmem_cache_alloc_bulk(cpu[0], s, GFP_KERNEL, bulk, objs), bulk);
		kmem_cache_free_bulk(cpu[0], s, bulk, objs);
	}
	rates = rates_since(&before, BULK_ROUNDS * bulk);
	drop();
	return rates;
}

static void bulk_costs_more_beyond_a_slab(enum slub_generation generation)
{
	open_world(2, generation);
	for (size_t bulk = 1; bulk <= 16; bulk *= 2) {
		assert_true(bulk_rates(bulk, NSLAB_AUTO).slow == 0);
		assert_true(bulk_rates(bulk, 0).locks == 0);
	}
	for (size_t bulk = 17; bulk <= 64; bulk += 15)
		assert_true(bulk_rates(bulk, NSLAB_AUTO).slow > 0.03);
	/* one more slab waits on the CPU's list, or seven by default; what is beyond meets the lock
	 */
	assert_true(bulk_rates(2 * 16, 0).locks == 0);
	assert_true(bulk_rates(2 * 16 + 1, 0).locks > 0.02);
	assert_true(bulk_rates(8 * 16, NSLAB_AUTO).locks == 0);
	assert_true(bulk_rates(8 * 16 + 1, NSLAB_AUTO).locks > 0.005);
	close_world();
}

static void slub_bulk_costs_more_beyond_a_slab_in_6_1(void **state)
{
	(void)state;
	bulk_costs_more_beyond_a_slab(SLUB_6_1);
}

static void slub_bulk_costs_more_beyond_a_slab_in_6_12(void **state)
{
	(void)state;
	bulk_costs_more_beyond_a_slab(SLUB_6_12);
}

/* ---- many CPUs ---- */

#define BURST_MAX   400
#define BURST_STEPS 6000

/*
 * CPUs take turns; one allocates a burst of random size and frees it in the same order, as calls
 * that build something and drop it do. Returns list_lock acquisitions for each object.
 */
static double burst_locks(int order, int min_partial, int cpu_partial)
{
	struct nslab_cache_stats before;
	uint64_t rng = 11, nr_objects = 0;
	double locks;

	make(256, order, min_partial, cpu_partial);
	for (int i = 0; i < BURST_STEPS; i++) {
		struct nslab_cpu *by = cpu[nslab_rng_below(&rng, (uint32_t)nr_cpus)];
		uint32_t nr = nslab_rng_below(&rng, BURST_MAX) + 1;
		void *objs[BURST_MAX];

		if (i == BURST_STEPS / 4) {
			ops->cache_stats(s, &before);
			nr_objects = 0;
		}
		nr_objects += nr;
		for (uint32_t j = 0; j < nr; j++)
			objs[j] = kmem_cache_alloc(by, s, GFP_KERNEL);
		for (uint32_t j = 0; j < nr; j++)
			kmem_cache_free(by, s, objs[j]);
	}
	locks = rates_since(&before, nr_objects).locks;
	drop();
	print_message("order %d min_partial %d cpu_partial %d: %.4f locks\n", order, min_partial,
		      cpu_partial, locks);
	return locks;
}

static void locks_fall(enum slub_generation generation)
{
	double base, last, few, many;

	open_world(MAX_CPUS, generation);
	base = last = burst_locks(0, 5, 52);
	for (int order = 1; order <= 3; order++) {
		double locks = burst_locks(order, 5, 52);

		assert_true(locks < last);
		last = locks;
	}
	assert_true(last < 0.75 * base);
	base = last = burst_locks(1, 5, 13);
	for (int cpu_partial = 26; cpu_partial <= 208; cpu_partial *= 2) {
		double locks = burst_locks(1, 5, cpu_partial);

		assert_true(locks < last);
		last = locks;
	}
	assert_true(last < 0.5 * base);
	few = burst_locks(1, 5, 52);
	many = burst_locks(1, 64, 52);
	assert_true(many < 1.15 * few && many > few / 1.15);
	close_world();
}

static void slub_takes_fewer_locks_with_order_and_cpu_partial_in_6_1(void **state)
{
	(void)state;
	locks_fall(SLUB_6_1);
}

static void slub_takes_fewer_locks_with_order_and_cpu_partial_in_6_12(void **state)
{
	(void)state;
	locks_fall(SLUB_6_12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slub_bulk_costs_more_beyond_a_slab_in_6_1),
		cmocka_unit_test(slub_bulk_costs_more_beyond_a_slab_in_6_12),
		cmocka_unit_test(slub_takes_fewer_locks_with_order_and_cpu_partial_in_6_1),
		cmocka_unit_test(slub_takes_fewer_locks_with_order_and_cpu_partial_in_6_12),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
