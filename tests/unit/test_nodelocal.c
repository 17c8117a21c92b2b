// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_nodelocal.c: the backends of this folder against the contract, without the runner.
 *
 * Each test opens a heap on the simple environment with simulated nodes and drives any number of
 * CPU handles from one thread, or from two where the hand-over between threads is the subject. At
 * the end of every test all pages and all metadata must be back.
 */
#include "allocators/common/defaults.h"
#include "allocators/common/kmalloc.h"
#include "allocators/nodelocal.h"
#include "core/list.h"
#include "core/param.h"
#include "core/rng.h"
#include "tests/support/simple_env.h"

#include <numaslab/plugin.h>
#include <numaslab/slab.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define NR_CPUS	 8
#define NR_NODES 4
#define NODE_MIB ((size_t)32 << 20)

extern const struct nslab_plugin nslab_plugin_nodelocal, nslab_plugin_null, nslab_plugin_libc;

struct rig {
	struct simple_env *simple;
	struct nslab_allocator_ops ops;
	struct nslab_heap *heap;
	struct nslab_cpu *cpu[NR_CPUS];
	int nr_cpus;
};

/* What the registry does once at load. */
static void rig_fill(struct nslab_allocator_ops *ops, const struct nslab_plugin *plugin)
{
	const struct nslab_allocator_ops *d = &nslab_allocator_defaults;

	*ops = *(const struct nslab_allocator_ops *)plugin->ops;
	ops->quiesce = ops->quiesce ? ops->quiesce : d->quiesce;
	ops->alloc_bulk = ops->alloc_bulk ? ops->alloc_bulk : d->alloc_bulk;
	ops->free_bulk = ops->free_bulk ? ops->free_bulk : d->free_bulk;
	ops->cache_shrink = ops->cache_shrink ? ops->cache_shrink : d->cache_shrink;
	ops->cache_validate = ops->cache_validate ? ops->cache_validate : d->cache_validate;
	ops->cache_stats = ops->cache_stats ? ops->cache_stats : d->cache_stats;
	ops->kmalloc = ops->kmalloc ? ops->kmalloc : d->kmalloc;
	ops->kfree = ops->kfree ? ops->kfree : d->kfree;
	ops->ksize = ops->ksize ? ops->ksize : d->ksize;
	ops->krealloc = ops->krealloc ? ops->krealloc : d->krealloc;
}

static void rig_open_params(struct rig *rig, const struct nslab_plugin *plugin, int nr_nodes,
			    size_t node_bytes, const void *params)
{
	memset(rig, 0, sizeof(*rig));
	rig_fill(&rig->ops, plugin);
	assert_int_equal(simple_env_open(nr_nodes, node_bytes, &rig->simple), 0);
	assert_int_equal(rig->ops.open(simple_env_get(rig->simple), params, &rig->heap), 0);
	rig->heap->ops = &rig->ops;
	rig->nr_cpus = NR_CPUS;
	for (int i = 0; i < NR_CPUS; i++)
		assert_int_equal(rig->ops.cpu_online(rig->heap, i, i % nr_nodes, &rig->cpu[i]), 0);
}

static void rig_open_with(struct rig *rig, const struct nslab_plugin *plugin, int nr_nodes,
			  size_t node_bytes)
{
	rig_open_params(rig, plugin, nr_nodes, node_bytes, NULL);
}

static void rig_open(struct rig *rig)
{
	rig_open_with(rig, &nslab_plugin_nodelocal, NR_NODES, NODE_MIB);
}

static void rig_quiesce(struct rig *rig)
{
	for (int i = 0; i < rig->nr_cpus; i++)
		rig->ops.quiesce(rig->cpu[i]);
}

static int rig_destroy(struct rig *rig, struct kmem_cache *s)
{
	int rc = rig->ops.cache_destroy(s);

	if (rc == -EAGAIN) {
		rig_quiesce(rig);
		rc = rig->ops.cache_destroy(s);
	}
	return rc;
}

static void rig_close(struct rig *rig)
{
	for (int i = 0; i < rig->nr_cpus; i++)
		rig->ops.cpu_offline(rig->cpu[i]);
	rig->ops.close(rig->heap);
	assert_int_equal(simple_env_nr_pages(rig->simple), 0);
	assert_int_equal(simple_env_meta_bytes(rig->simple), 0);
	assert_int_equal(simple_env_nr_reports(rig->simple), 0);
	simple_env_close(rig->simple);
}

static struct kmem_cache *rig_cache(struct rig *rig, size_t size, size_t align,
				    void (*ctor)(void *))
{
	struct nslab_cache_spec spec = {
		.name = "test",
		.object_size = size,
		.align = align,
		.ctor = ctor,
		.order = NSLAB_AUTO,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.sheaf_capacity = NSLAB_AUTO,
	};
	struct kmem_cache *s = NULL;

	assert_int_equal(rig->ops.cache_create(rig->heap, &spec, &s), 0);
	return s;
}

/* ---- a random run against a reference ---- */

#define NR_LIVE 3000

struct live {
	unsigned char *obj;
	size_t size;
	uint8_t stamp;
};

static void live_stamp(struct live *live, uint8_t stamp)
{
	live->stamp = stamp;
	memset(live->obj, stamp, live->size);
}

static void live_check(const struct live *live)
{
	for (size_t i = 0; i < live->size; i++)
		assert_int_equal(live->obj[i], live->stamp);
}

/* One step on a random CPU: a slot is emptied or filled. */
static void random_step(struct rig *rig, struct kmem_cache *s, struct live *live, uint64_t *rng)
{
	struct live *slot = &live[nslab_rng_below(rng, NR_LIVE)];
	struct nslab_cpu *cpu = rig->cpu[nslab_rng_below(rng, NR_CPUS)];
	int node = (int)nslab_rng_below(rng, NR_NODES + 4) - 4;

	if (slot->obj) {
		live_check(slot);
		if (s)
			kmem_cache_free(cpu, s, slot->obj);
		else
			kfree(cpu, slot->obj);
		slot->obj = NULL;
		return;
	}
	node = node < 0 ? NUMA_NO_NODE : node;
	slot->size = s ? s->object_size : 1 + nslab_rng_below(rng, 3000);
	slot->obj = s ? kmem_cache_alloc_node(cpu, s, GFP_KERNEL, node)
		      : kmalloc_node(cpu, slot->size, GFP_KERNEL, node);
	assert_non_null(slot->obj);
	if (node >= 0)
		assert_int_equal(nslab_node_of(rig->heap->env, slot->obj), node);
	if (!s)
		assert_true(ksize(cpu, slot->obj) >= slot->size);
	live_stamp(slot, (uint8_t)nslab_rng_next(rng));
}

static void random_drop(struct rig *rig, struct kmem_cache *s, struct live *live)
{
	for (int i = 0; i < NR_LIVE; i++) {
		struct nslab_cpu *cpu = rig->cpu[i % NR_CPUS];

		if (!live[i].obj)
			continue;
		live_check(&live[i]);
		if (s)
			kmem_cache_free(cpu, s, live[i].obj);
		else
			kfree(cpu, live[i].obj);
	}
}

static void random_run(struct rig *rig, struct kmem_cache *s, uint64_t seed, int nr_steps)
{
	struct live *live = calloc(NR_LIVE, sizeof(*live));
	uint64_t rng = seed;

	assert_non_null(live);
	for (int i = 0; i < nr_steps; i++) {
		random_step(rig, s, live, &rng);
		if (s && i % (nr_steps / 8) == 0)
			assert_int_equal(rig->ops.cache_validate(s), 0);
	}
	random_drop(rig, s, live);
	free(live);
}

static void nodelocal_keeps_objects_apart_when_cpus_and_nodes_mix(void **state)
{
	static const size_t sizes[] = {8, 24, 64, 200, 1024, 4096};
	struct rig rig;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct nslab_cache_stats stats;
		struct kmem_cache *s;

		rig_open(&rig);
		s = rig_cache(&rig, sizes[i], 0, NULL);
		random_run(&rig, s, 42 + i, 60000);
		rig.ops.cache_shrink(s);
		rig_quiesce(&rig);
		assert_int_equal(rig.ops.cache_shrink(s), 0);
		rig.ops.cache_stats(s, &stats);
		assert_int_equal(stats.nr_slabs, 0);
		assert_int_equal(stats.nr_free, 0);
		assert_int_equal(rig_destroy(&rig, s), 0);
		rig_close(&rig);
	}
}

static void nodelocal_kmalloc_keeps_objects_apart_when_sizes_mix(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	random_run(&rig, NULL, 7, 200000);
	for (int i = 0; i < NSLAB_KMALLOC_CLASSES; i++)
		assert_int_equal(rig.ops.cache_validate(rig.heap->kmalloc[i]), 0);
	rig_close(&rig);
}

static void backends_keep_objects_apart_when_cpus_mix(void **state)
{
	const struct nslab_plugin *plugins[] = {&nslab_plugin_null, &nslab_plugin_libc};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct live *live = calloc(NR_LIVE, sizeof(*live));
		struct kmem_cache *s;
		struct rig rig;

		rig_open_with(&rig, plugins[i], 1, NODE_MIB);
		s = rig_cache(&rig, 104, 0, NULL);
		for (int j = 0; j < 4 * NR_LIVE; j++) {
			struct live *slot = &live[j % NR_LIVE];
			struct nslab_cpu *cpu = rig.cpu[j % 7];

			if (slot->obj) {
				live_check(slot);
				kmem_cache_free(cpu, s, slot->obj);
			}
			slot->obj = kmem_cache_alloc(cpu, s, GFP_KERNEL);
			slot->size = 104;
			live_stamp(slot, (uint8_t)j);
		}
		assert_int_equal(rig_destroy(&rig, s), -EBUSY);
		random_drop(&rig, s, live);
		free(live);
		assert_int_equal(rig_destroy(&rig, s), 0);
		rig_close(&rig);
	}
}

/* ---- the contract, point by point ---- */

static void nodelocal_kmalloc_aligns_when_size_is_a_power_of_two(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	for (size_t size = 1; size <= 20000; size += size < 300 ? 1 : 97) {
		void *obj = kzalloc(rig.cpu[1], size, GFP_KERNEL);
		size_t align = 8;

		while (align * 2 <= 4096 && size % (align * 2) == 0 && (size & (size - 1)) == 0)
			align *= 2;
		assert_non_null(obj);
		assert_int_equal((uintptr_t)obj % align, 0);
		assert_true(ksize(rig.cpu[1], obj) >= size);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(((unsigned char *)obj)[i], 0);
		memset(obj, 0xff, size);
		obj = krealloc(rig.cpu[2], obj, size + 100, GFP_KERNEL);
		assert_int_equal(((unsigned char *)obj)[size - 1], 0xff);
		kfree(rig.cpu[3], obj);
	}
	rig_close(&rig);
}

static void nodelocal_kmalloc_accepts_the_edges_when_size_is_zero_or_huge(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	assert_ptr_equal(kmalloc(rig.cpu[0], 0, GFP_KERNEL), NSLAB_ZERO_SIZE_PTR);
	kfree(rig.cpu[0], NSLAB_ZERO_SIZE_PTR);
	kfree(rig.cpu[0], NULL);
	assert_null(kmalloc(rig.cpu[0], ((size_t)4 << 20) + 1, GFP_KERNEL));
	assert_null(kmalloc(rig.cpu[0], SIZE_MAX, GFP_KERNEL));
	assert_null(kmalloc_node(rig.cpu[0], 64, GFP_KERNEL, NR_NODES));
	assert_null(kmalloc_node(rig.cpu[0], 64, GFP_KERNEL, -2));
	for (int i = 0; i < 3; i++) {
		void *obj = kmalloc(rig.cpu[i], (size_t)4 << 20, GFP_KERNEL);

		assert_non_null(obj);
		assert_int_equal(ksize(rig.cpu[i], obj), (size_t)4 << 20);
		kfree(rig.cpu[i + 1], obj);
	}
	rig_close(&rig);
}

static unsigned nr_constructed;

static void construct(void *obj)
{
	nr_constructed++;
	memset(obj, 0x5a, 48);
}

static void nodelocal_constructs_once_when_objects_are_reused(void **state)
{
	struct nslab_cache_stats stats;
	struct kmem_cache *s;
	unsigned char *objs[500];
	struct rig rig;

	(void)state;
	nr_constructed = 0;
	rig_open(&rig);
	s = rig_cache(&rig, 48, 0, construct);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 500; i++) {
			objs[i] = kmem_cache_alloc(rig.cpu[round % 4], s, GFP_KERNEL);
			for (int j = 0; j < 48; j++)
				assert_int_equal(objs[i][j], 0x5a);
		}
		for (int i = 0; i < 500; i++)
			kmem_cache_free(rig.cpu[i % 8], s, objs[i]);
	}
	rig.ops.cache_stats(s, &stats);
	assert_int_equal(nr_constructed,
			 stats.stat[NSLAB_STAT_ALLOC_SLAB] * (stats.nr_objects / stats.nr_slabs));
	assert_int_equal(stats.nr_free, stats.nr_objects);
	assert_int_equal(rig_destroy(&rig, s), 0);
	rig_close(&rig);
}

static void nodelocal_bulk_is_all_or_nothing_when_pages_run_out(void **state)
{
	static void *objs[20000];
	struct kmem_cache *s;
	struct rig rig;
	size_t nr = 20000;

	(void)state;
	rig_open_with(&rig, &nslab_plugin_nodelocal, 1, (size_t)8 << 20);
	s = rig_cache(&rig, 1024, 0, NULL);
	assert_int_equal(kmem_cache_alloc_bulk(rig.cpu[0], s, GFP_KERNEL, nr, objs), 0);
	nr = 4000;
	assert_int_equal(kmem_cache_alloc_bulk(rig.cpu[0], s, GFP_KERNEL, nr, objs), nr);
	for (size_t i = 0; i < nr; i++)
		memset(objs[i], (int)i, 1024);
	kmem_cache_free_bulk(rig.cpu[5], s, nr, objs);
	assert_int_equal(rig_destroy(&rig, s), 0);
	rig_close(&rig);
}

/* Refuses every n-th page call in turn; whatever was got must be intact and go back. */
static void nodelocal_loses_nothing_when_any_page_is_refused(void **state)
{
	struct rig rig;

	(void)state;
	for (uint64_t n = 1; n <= 40; n++) {
		void *objs[600];
		struct kmem_cache *s;
		int nr_failed = 0;

		rig_open_with(&rig, &nslab_plugin_nodelocal, 2, (size_t)8 << 20);
		s = rig_cache(&rig, 256, 0, NULL);
		simple_env_fail(rig.simple, n, n % 3 ? 1 : 1000);
		for (int i = 0; i < 600; i++) {
			objs[i] = kmem_cache_alloc_node(rig.cpu[i % 3], s, GFP_KERNEL,
							i % 5 ? NUMA_NO_NODE : i % 2);
			nr_failed += !objs[i];
			if (objs[i])
				memset(objs[i], i, 256);
		}
		assert_true(nr_failed > 0 || n % 3 || n > 20);
		for (int i = 0; i < 600; i++) {
			if (objs[i]) {
				assert_int_equal(*(unsigned char *)objs[i], i & 255);
				kmem_cache_free(rig.cpu[i % 4], s, objs[i]);
			}
		}
		assert_int_equal(rig.ops.cache_validate(s), 0);
		assert_int_equal(rig_destroy(&rig, s), 0);
		rig_close(&rig);
	}
}

static void nodelocal_refuses_the_spec_when_it_is_absurd(void **state)
{
	const struct nslab_cache_spec specs[] = {
		{.name = "a", .object_size = 0, .order = -1},
		{.name = "a", .object_size = 8, .align = 24, .order = -1},
		{.name = "a", .object_size = 8, .align = 8192, .order = -1},
		{.name = "a", .object_size = 8, .order = 11},
		{.name = "a", .object_size = (4 << 20) + 1, .order = -1},
		{.name = "a", .object_size = 8192, .order = 0},
	};
	struct rig rig;

	(void)state;
	rig_open(&rig);
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct kmem_cache *s = NULL;

		assert_int_equal(rig.ops.cache_create(rig.heap, &specs[i], &s),
				 i < 4 ? -EINVAL : -E2BIG);
		assert_null(s);
	}
	rig_close(&rig);
}

static void nodelocal_honours_the_order_when_it_is_forced(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig);
	for (int order = 0; order <= 5; order++) {
		struct nslab_cache_spec spec = {
			.name = "o", .object_size = 700, .order = order, .min_partial = 0};
		struct nslab_cache_stats stats;
		struct kmem_cache *s = NULL;
		void *obj;

		assert_int_equal(rig.ops.cache_create(rig.heap, &spec, &s), 0);
		obj = kmem_cache_alloc(rig.cpu[0], s, GFP_KERNEL);
		rig.ops.cache_stats(s, &stats);
		assert_int_equal(stats.nr_pages / stats.nr_slabs, 1 << order);
		kmem_cache_free(rig.cpu[0], s, obj);
		assert_int_equal(rig_destroy(&rig, s), 0);
	}
	rig_close(&rig);
}

static void nodelocal_spreads_large_objects_when_a_slab_has_many(void **state)
{
	struct nslab_cache_spec spec = {.name = "c", .object_size = 1024, .order = 3};
	struct kmem_cache *few, *many;
	struct rig rig;

	(void)state;
	rig_open(&rig);
	few = rig_cache(&rig, 1024, 8, NULL);
	assert_int_equal(rig.ops.cache_create(rig.heap, &spec, &many), 0);
	/* four in a page: nothing is spent on colours */
	assert_int_equal(few->size, 1024);
	assert_int_equal(few->order, 0);
	assert_int_equal(many->size, 1024 + NSLAB_CACHE_LINE);
	assert_int_equal(rig_destroy(&rig, few), 0);
	assert_int_equal(rig_destroy(&rig, many), 0);
	rig_close(&rig);
}

static void nodelocal_refuses_to_destroy_when_an_object_lives(void **state)
{
	struct kmem_cache *s;
	struct rig rig;
	void *obj;

	(void)state;
	rig_open(&rig);
	s = rig_cache(&rig, 64, 0, NULL);
	obj = kmem_cache_alloc(rig.cpu[0], s, GFP_KERNEL);
	assert_int_equal(rig.ops.cache_destroy(s), -EAGAIN);
	assert_int_equal(rig_destroy(&rig, s), -EBUSY);
	kmem_cache_free(rig.cpu[1], s, obj);
	assert_int_equal(rig_destroy(&rig, s), 0);
	rig_close(&rig);
}

static void nodelocal_holds_a_bounded_amount_when_all_classes_were_used(void **state)
{
	static void *objs[4000];
	struct rig rig;
	size_t held = 0;

	(void)state;
	rig_open_with(&rig, &nslab_plugin_nodelocal, 1, (size_t)256 << 20);
	for (int round = 0; round < 3; round++) {
		for (size_t size = 8; size <= 8192; size *= 2) {
			size_t nr = size > 1024 ? 1000 : 4000;

			for (size_t i = 0; i < nr; i++)
				objs[i] = kmalloc(rig.cpu[0], size, GFP_KERNEL);
			for (size_t i = 0; i < nr; i++)
				kfree(rig.cpu[0], objs[i]);
		}
	}
	for (int i = 0; i < NSLAB_KMALLOC_CLASSES; i++) {
		struct nslab_cache_stats stats;

		rig.ops.cache_stats(rig.heap->kmalloc[i], &stats);
		held += stats.nr_cpu_free * rig.heap->kmalloc[i]->size;
	}
	assert_true(held <= (size_t)2 << 20);
	rig_close(&rig);
}

static void nodelocal_sends_one_batch_when_many_objects_are_remote(void **state)
{
	struct nslab_cache_stats stats;
	struct kmem_cache *s;
	void *objs[1000];
	struct rig rig;

	(void)state;
	rig_open(&rig);
	s = rig_cache(&rig, 64, 0, NULL);
	for (int i = 0; i < 1000; i++)
		objs[i] = kmem_cache_alloc(rig.cpu[0], s, GFP_KERNEL);
	for (int i = 0; i < 1000; i++)
		kmem_cache_free(rig.cpu[1], s, objs[i]);
	rig.ops.cache_stats(s, &stats);
	assert_int_equal(stats.stat[NSLAB_STAT_REMOTE_FREE], 1000);
	assert_int_equal(stats.stat[NSLAB_STAT_REMOTE_BATCH], 1000 / NODELOCAL_BATCH_MAX);
	assert_int_equal(stats.nr_free, stats.nr_objects);
	assert_int_equal(rig_destroy(&rig, s), 0);
	rig_close(&rig);
}

static void nodelocal_counts_every_call_when_asked(void **state)
{
	const struct nslab_allocator_ops *ops = nslab_plugin_nodelocal.ops;
	NSLAB_ALIGNED(16) char params[256] = {0};
	struct nslab_cache_stats stats;
	struct kmem_cache *s;
	struct nslab_err err;
	void *objs[300];
	struct rig rig;

	(void)state;
	assert_true(ops->params_size <= sizeof(params));
	assert_int_equal(nslab_param_defaults(ops->params, params, &err), 0);
	assert_int_equal(
		nslab_param_set(nslab_param_find(ops->params, "stats"), "yes", params, &err), 0);
	rig_open_params(&rig, &nslab_plugin_nodelocal, 1, NODE_MIB, params);
	s = rig.heap->kmalloc[nslab_kmalloc_index(64)];
	for (int i = 0; i < 300; i++)
		objs[i] = kmalloc(rig.cpu[0], 64, GFP_KERNEL);
	for (int i = 0; i < 200; i++)
		kfree(rig.cpu[1], objs[i]);
	kmem_cache_free_bulk(rig.cpu[1], s, 100, objs + 200);
	rig.ops.cache_stats(s, &stats);
	assert_true(stats.is_counted);
	assert_int_equal(
		stats.stat[NSLAB_STAT_ALLOC_FASTPATH] + stats.stat[NSLAB_STAT_ALLOC_SLOWPATH], 300);
	assert_int_equal(
		stats.stat[NSLAB_STAT_FREE_FASTPATH] + stats.stat[NSLAB_STAT_FREE_SLOWPATH], 300);
	assert_true(stats.stat[NSLAB_STAT_ALLOC_SLOWPATH] <= 10);
	assert_true(stats.stat[NSLAB_STAT_FREE_SLOWPATH] <= 10);
	rig_close(&rig);
}

static void nodelocal_validate_tells_when_the_map_was_damaged(void **state)
{
	struct kmem_cache *s;
	struct nslab_page *page;
	struct rig rig;
	void *obj;

	(void)state;
	rig_open(&rig);
	s = rig_cache(&rig, 64, 0, NULL);
	obj = kmem_cache_alloc(rig.cpu[0], s, GFP_KERNEL);
	page = nslab_page_of(rig.heap->env, obj);
	page->freelist ^= 1;
	assert_true(rig.ops.cache_validate(s) > 0);
	page->freelist ^= 1;
	assert_int_equal(rig.ops.cache_validate(s), 0);
	kmem_cache_free(rig.cpu[0], s, obj);
	assert_int_equal(rig_destroy(&rig, s), 0);
	for (int i = 0; i < rig.nr_cpus; i++)
		rig.ops.cpu_offline(rig.cpu[i]);
	rig.ops.close(rig.heap);
	assert_true(simple_env_nr_reports(rig.simple) > 0);
	simple_env_close(rig.simple);
}

/* ---- two threads ---- */

#define NR_SLOTS   256
#define NR_HANDOFF 200000

struct handoff {
	struct rig *rig;
	struct kmem_cache *s;
	_Atomic(uint64_t *) slots[NR_SLOTS];
	int consumer;
};

static void *handoff_consume(void *arg)
{
	struct handoff *h = arg;
	struct nslab_cpu *cpu = h->rig->cpu[h->consumer];

	for (uint64_t i = 0; i < NR_HANDOFF; i++) {
		uint64_t *obj;

		while (!(obj = atomic_load_explicit(&h->slots[i % NR_SLOTS], memory_order_acquire)))
			sched_yield();
		atomic_store_explicit(&h->slots[i % NR_SLOTS], NULL, memory_order_release);
		if (obj[0] != i || obj[12] != ~i)
			return h;
		kmem_cache_free(cpu, h->s, obj);
	}
	return NULL;
}

static void handoff_produce(struct handoff *h)
{
	for (uint64_t i = 0; i < NR_HANDOFF; i++) {
		uint64_t *obj = kmem_cache_alloc(h->rig->cpu[0], h->s, GFP_KERNEL);

		assert_non_null(obj);
		obj[0] = i;
		obj[12] = ~i;
		while (atomic_load_explicit(&h->slots[i % NR_SLOTS], memory_order_acquire))
			sched_yield();
		atomic_store_explicit(&h->slots[i % NR_SLOTS], obj, memory_order_release);
	}
}

static void nodelocal_passes_objects_when_two_threads_share_a_cache(void **state)
{
	(void)state;
	for (int consumer = 1; consumer <= 4; consumer += 3) {
		struct handoff h = {.consumer = consumer};
		struct rig rig;
		pthread_t thread;
		void *failed;

		rig_open(&rig);
		h.rig = &rig;
		h.s = rig_cache(&rig, 104, 0, NULL);
		assert_int_equal(pthread_create(&thread, NULL, handoff_consume, &h), 0);
		handoff_produce(&h);
		pthread_join(thread, &failed);
		assert_null(failed);
		assert_int_equal(rig.ops.cache_validate(h.s), 0);
		assert_int_equal(rig_destroy(&rig, h.s), 0);
		rig_close(&rig);
	}
}

static void kmalloc_index_matches_the_kernel_when_size_varies(void **state)
{
	(void)state;
	for (size_t size = 1; size <= NSLAB_KMALLOC_MAX_SIZE; size++) {
		unsigned index = nslab_kmalloc_index(size);

		assert_true(nslab_kmalloc_class_size(index) >= size);
		assert_true(index == 0 || nslab_kmalloc_class_size(index - 1) < size);
	}
	assert_int_equal(nslab_kmalloc_class_align(nslab_kmalloc_index(96)), 32);
	assert_int_equal(nslab_kmalloc_class_align(nslab_kmalloc_index(192)), 64);
	assert_int_equal(nslab_kmalloc_class_align(nslab_kmalloc_index(512)), 512);
	assert_int_equal(nslab_order_of(1), 0);
	assert_int_equal(nslab_order_of(4097), 1);
	assert_int_equal(nslab_order_of((size_t)4 << 20), 10);
	assert_int_equal(nslab_order_of(((size_t)4 << 20) + 1), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kmalloc_index_matches_the_kernel_when_size_varies),
		cmocka_unit_test(nodelocal_keeps_objects_apart_when_cpus_and_nodes_mix),
		cmocka_unit_test(nodelocal_kmalloc_keeps_objects_apart_when_sizes_mix),
		cmocka_unit_test(backends_keep_objects_apart_when_cpus_mix),
		cmocka_unit_test(nodelocal_kmalloc_aligns_when_size_is_a_power_of_two),
		cmocka_unit_test(nodelocal_kmalloc_accepts_the_edges_when_size_is_zero_or_huge),
		cmocka_unit_test(nodelocal_constructs_once_when_objects_are_reused),
		cmocka_unit_test(nodelocal_bulk_is_all_or_nothing_when_pages_run_out),
		cmocka_unit_test(nodelocal_loses_nothing_when_any_page_is_refused),
		cmocka_unit_test(nodelocal_refuses_the_spec_when_it_is_absurd),
		cmocka_unit_test(nodelocal_honours_the_order_when_it_is_forced),
		cmocka_unit_test(nodelocal_spreads_large_objects_when_a_slab_has_many),
		cmocka_unit_test(nodelocal_refuses_to_destroy_when_an_object_lives),
		cmocka_unit_test(nodelocal_holds_a_bounded_amount_when_all_classes_were_used),
		cmocka_unit_test(nodelocal_sends_one_batch_when_many_objects_are_remote),
		cmocka_unit_test(nodelocal_counts_every_call_when_asked),
		cmocka_unit_test(nodelocal_validate_tells_when_the_map_was_damaged),
		cmocka_unit_test(nodelocal_passes_objects_when_two_threads_share_a_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
