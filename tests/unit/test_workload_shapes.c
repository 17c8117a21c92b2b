// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_workload_shapes.c: what the kernel's patterns do to the models of its allocators, in counts.
 *
 * One worker of a workload runs on the made-up machine, and the counters of its cache tell of the
 * operations between two looks: bulk calls leave SLUB's fast path beyond the objects of a slab and
 * SLAB's not, a burst that sheaves and barn can hold is served by them and a deeper one is not,
 * one object holds each slab, deferred objects come back by the sheaf. Nothing depends on time.
 */
#include "core/param.h"
#include "tests/support/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct shape {
	struct machine machine;
	struct nslab_run run;
	const struct nslab_workload_ops *ops;
	struct nslab_workload *w;
	struct nslab_worker *worker;
	struct kmem_cache *s;
	struct nslab_cache_stats before;
};

/* Settings are names and values in turn, ended by NULL. One worker, on CPU 0. */
static void shape_open(struct shape *shape, const char *allocator, const char *workload,
		       const char *const *settings)
{
	_Alignas(16) char params[512] = {0};
	const struct nslab_entry_record *record;
	struct nslab_err err = {""};

	memset(shape, 0, sizeof(*shape));
	assert_int_equal(machine_find(&shape->machine, allocator, NULL), 0);
	assert_int_equal(machine_open(&shape->machine, (size_t)64 << 20, 1), 0);
	assert_int_equal(nslab_registry_get(shape->machine.registry, NSLAB_PLUGIN_WORKLOAD,
					    workload, &record, &err),
			 0);
	shape->ops = record->ops.workload;
	assert_true(shape->ops->params_size <= sizeof(params));
	assert_int_equal(nslab_param_defaults(shape->ops->params, params, &err), 0);
	for (; settings[0]; settings += 2)
		assert_int_equal(nslab_param_set(nslab_param_find(shape->ops->params, settings[0]),
						 settings[1], params, &err),
				 0);
	shape->run = (struct nslab_run){
		.env = shape->machine.env,
		.heap = shape->machine.heap,
		.entry = NSLAB_ENTRY_CACHE,
		.nr_workers = 1,
		.seed = 1,
		.cache_defaults = machine_spec("", 0),
	};
	assert_int_equal(shape->ops->setup(&shape->run, params, &shape->w), 0);
	shape->s = nslab_container_of(shape->machine.heap->caches.prev, struct kmem_cache, link);
	assert_string_equal(shape->s->name, workload);
	assert_int_equal(
		shape->ops->worker_init(shape->w, shape->machine.cpu[0], 0, &shape->worker), 0);
}

/* Warms up, then does at least nr operations between two looks; now in *stats. */
static void shape_run(struct shape *shape, size_t nr, struct nslab_cache_stats *stats)
{
	shape->ops->batch[NSLAB_ENTRY_CACHE](shape->worker, nr);
	shape->machine.ops->cache_stats(shape->s, &shape->before);
	assert_true(shape->before.is_counted);
	assert_true(shape->ops->batch[NSLAB_ENTRY_CACHE](shape->worker, nr) >= nr);
	shape->machine.ops->cache_stats(shape->s, stats);
	for (int i = 0; i < NSLAB_NR_STATS; i++)
		stats->stat[i] -= shape->before.stat[i];
}

static void shape_close(struct shape *shape)
{
	shape->ops->worker_exit(shape->worker);
	assert_int_equal(shape->ops->verify(shape->w), 0);
	shape->ops->teardown(shape->w);
	assert_int_equal(nslab_world_cache_destroy(shape->machine.world, shape->s), 0);
	machine_close(&shape->machine);
	assert_int_equal(shape->machine.nr_reports, 0);
	machine_forget(&shape->machine);
}

/* ---- bulk ---- */

/* Slow paths for each object that was allocated and freed, 256 bytes each. */
static double bulk_slow(const char *allocator, const char *nr_objects, const char *objects)
{
	const char *settings[] = {"size",  "256", "bulk_objects", nr_objects, "objects",
				  objects, NULL};
	struct nslab_cache_stats now;
	struct shape shape;

	shape_open(&shape, allocator, "bulk", settings);
	shape_run(&shape, 25600, &now);
	shape_close(&shape);
	return (double)(now.stat[NSLAB_STAT_ALLOC_SLOWPATH] + now.stat[NSLAB_STAT_FREE_SLOWPATH]) /
	       25600;
}

/* A slab of 8 CPUs holds 32. */
static void bulk_leaves_slubs_fast_path_beyond_a_slab(void **state)
{
	(void)state;
	assert_true(bulk_slow("slub", "1", "neighbours") == 0);
	assert_true(bulk_slow("slub", "32", "neighbours") == 0);
	assert_true(bulk_slow("slub", "33", "neighbours") > 0.03);
	assert_true(bulk_slow("slub", "128", "neighbours") > 0.03);
}

/* Each stranger is of another slab; the more of them, the more share one by chance. */
static void bulk_of_strangers_costs_slub_a_slow_path_each(void **state)
{
	double of_16 = bulk_slow("slub", "16", "scattered");
	double of_256 = bulk_slow("slub", "256", "scattered");

	(void)state;
	assert_true(of_16 > 1.5);
	assert_true(of_256 > 0.2 && of_256 < 0.5 * of_16);
}

/* An array of pointers knows no slabs. */
static void bulk_of_strangers_costs_slab_what_neighbours_do(void **state)
{
	(void)state;
	assert_true(bulk_slow("slab", "32", "neighbours") == 0);
	assert_true(bulk_slow("slab", "32", "scattered") == 0);
	assert_true(bulk_slow("slab", "256", "neighbours") ==
		    bulk_slow("slab", "256", "scattered"));
}

/* ---- spill ---- */

static struct nslab_cache_stats spill_stats(const char *allocator, const char *burst)
{
	const char *settings[] = {"burst_objects", burst, NULL};
	struct nslab_cache_stats now;
	struct shape shape;

	shape_open(&shape, allocator, "spill", settings);
	shape_run(&shape, 40960, &now);
	shape_close(&shape);
	return now;
}

/* Two sheaves of 60 on the CPU and ten full ones in the barn; the default burst is deeper. */
static void spill_goes_past_sheaves_and_barn(void **state)
{
	struct nslab_cache_stats held = spill_stats("sheaves", "720");
	struct nslab_cache_stats spilt = spill_stats("sheaves", "1024");

	(void)state;
	assert_true(held.stat[NSLAB_STAT_BARN_PUT] > 0);
	assert_int_equal(held.stat[NSLAB_STAT_BARN_PUT_FAIL], 0);
	assert_int_equal(held.stat[NSLAB_STAT_SHEAF_FLUSH], 0);
	assert_true(spilt.stat[NSLAB_STAT_BARN_PUT_FAIL] > 0);
	assert_true(spilt.stat[NSLAB_STAT_SHEAF_FLUSH] > 0);
	assert_true(spilt.stat[NSLAB_STAT_LIST_LOCK] > 0);
}

static void spill_goes_past_array_and_partial_lists(void **state)
{
	static const char *const names[] = {"slab", "slub"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(spill_stats(names[i], "60").stat[NSLAB_STAT_LIST_LOCK], 0);
		assert_true(spill_stats(names[i], "1024").stat[NSLAB_STAT_LIST_LOCK] > 0);
	}
}

/* ---- pinning ---- */

struct heard {
	struct nslab_figures figures;
	double pinned, held, needed;
};

static void heard_figure(struct nslab_figures *figures, const char *name, double value,
			 const char *unit)
{
	struct heard *heard = nslab_container_of(figures, struct heard, figures);

	assert_non_null(unit);
	if (strcmp(name, "pinned_objects") == 0)
		heard->pinned = value;
	else if (strcmp(name, "pages_held") == 0)
		heard->held = value;
	else
		heard->needed = value;
}

/* 4096 objects of 256 bytes fill their slabs, and no slab goes back. */
static void pinning_holds_every_slab_that_was_filled(void **state)
{
	static const char *const names[] = {"slub", "slab", "sheaves"};
	static const char *const settings[] = {"size", "256", NULL};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct heard heard = {.figures = {.figure = heard_figure}};
		struct nslab_cache_stats now;
		unsigned nr_slab_pages;
		struct shape shape;

		shape_open(&shape, names[i], "pinning", settings);
		shape_run(&shape, 40960, &now);
		shape.ops->figures(shape.w, &heard.figures);
		nr_slab_pages = 1u << shape.s->order;
		/* beside them one that the CPU had begun, or works on */
		assert_true(heard.held >= 256 && heard.held <= 256 + nr_slab_pages);
		assert_true(heard.pinned * nr_slab_pages == heard.held);
		assert_true(heard.needed == (double)((uint64_t)(heard.pinned + 15) / 16));
		assert_in_range(now.nr_pages, 256, 256 + nr_slab_pages);
		shape_close(&shape);
	}
}

/* ---- rcu_free ---- */

static struct nslab_cache_stats rcu_stats(const char *allocator)
{
	static const char *const settings[] = {NULL};
	struct nslab_cache_stats now;
	struct shape shape;

	shape_open(&shape, allocator, "rcu_free", settings);
	shape_run(&shape, 25600, &now);
	shape_close(&shape);
	return now;
}

static void rcu_free_goes_by_the_sheaf_where_there_are_sheaves(void **state)
{
	struct nslab_cache_stats sheaves = rcu_stats("sheaves"), slub = rcu_stats("slub");

	(void)state;
	assert_int_equal(sheaves.stat[NSLAB_STAT_FREE_RCU_SHEAF], 25600);
	assert_int_equal(slub.stat[NSLAB_STAT_FREE_RCU_SHEAF], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bulk_leaves_slubs_fast_path_beyond_a_slab),
		cmocka_unit_test(bulk_of_strangers_costs_slub_a_slow_path_each),
		cmocka_unit_test(bulk_of_strangers_costs_slab_what_neighbours_do),
		cmocka_unit_test(spill_goes_past_sheaves_and_barn),
		cmocka_unit_test(spill_goes_past_array_and_partial_lists),
		cmocka_unit_test(pinning_holds_every_slab_that_was_filled),
		cmocka_unit_test(rcu_free_goes_by_the_sheaf_where_there_are_sheaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
