/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_slab_threads.c: SLAB with threads that free each other's objects while all else goes on.
 *
 * Four threads own a CPU handle each, two on each of two nodes, and pass objects round in rings, so
 * that every object is freed by another thread than made it. Reaping is set to come often, and the
 * main thread keeps asking all handles to give back what they hold by shrinking a cache that nobody
 * uses. Each object carries the mark of its maker, which must still be there when it arrives. The
 * test proves nothing about speed; under ThreadSanitizer it shows what is not ordered.
 */
#include "allocators/slab.h"
#include "runner/world.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NODES	4 /* two of them without CPUs of their own */
#define THREADS 4
#define SLOTS	128
#define OBJECTS 20000

struct ring {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) atomic_size_t head;
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) atomic_size_t tail;
	uint64_t *slot[SLOTS];
};

struct worker {
	struct nslab_cpu *cpu;
	struct kmem_cache *s;
	struct ring *in, *out;
	uint64_t mark;
	atomic_size_t *nr_done;
	unsigned nr_bad;
};

static struct nslab_world *world;

static bool worker_put(struct worker *w, uint64_t *obj)
{
	size_t tail = atomic_load_explicit(&w->out->tail, memory_order_relaxed);

	if (tail - atomic_load_explicit(&w->out->head, memory_order_acquire) == SLOTS)
		return false;
	w->out->slot[tail % SLOTS] = obj;
	atomic_store_explicit(&w->out->tail, tail + 1, memory_order_release);
	return true;
}

static size_t worker_drain(struct worker *w)
{
	size_t head = atomic_load_explicit(&w->in->head, memory_order_relaxed), from = head;

	while (head != atomic_load_explicit(&w->in->tail, memory_order_acquire)) {
		uint64_t *obj = w->in->slot[head % SLOTS];

		w->nr_bad += obj[0] != (w->mark + 1) % THREADS || obj[0] != obj[7];
		kmem_cache_free(w->cpu, w->s, obj);
		atomic_store_explicit(&w->in->head, ++head, memory_order_release);
	}
	return head - from;
}

static void *worker_main(void *context)
{
	struct worker *w = context;
	size_t nr_sent = 0, nr_freed = 0;
	uint64_t *obj = NULL;

	while (nr_sent < OBJECTS || nr_freed < OBJECTS) {
		nr_freed += worker_drain(w);
		while (nr_sent < OBJECTS) {
			int node = nr_sent % 50 ? NUMA_NO_NODE : (int)(nr_sent / 50 % NODES);

			if (!obj)
				obj = kmem_cache_alloc_node(w->cpu, w->s, GFP_KERNEL, node);
			if (!obj)
				break; /* others may free some */
			obj[0] = obj[7] = w->mark;
			if (!worker_put(w, obj))
				break;
			obj = NULL;
			nr_sent++;
		}
		sched_yield();
	}
	atomic_fetch_add(w->nr_done, 1);
	return NULL;
}

static void open_world(const struct slab_params *params, const struct nslab_allocator_ops **ops,
		       struct nslab_registry **registry)
{
	static struct nslab_topo_node nodes[NODES];
	static unsigned distances[NODES * NODES];
	static struct nslab_topo topo = {
		.is_simulated = true, .nr_nodes = NODES, .nodes = nodes, .distances = distances};
	const struct nslab_arena_spec arena = {
		.topo = &topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = 32 << 20,
		.nr_cpus = THREADS,
	};
	struct nslab_world_spec spec = {.allocator_params = params, .arena = &arena};
	const struct nslab_entry_record *record;
	struct nslab_err err = {""};

	for (int i = 0; i < NODES * NODES; i++) {
		nodes[i % NODES] = (struct nslab_topo_node){.os_index = i % NODES,
							    .logical_index = i % NODES,
							    .memory_bytes = 32 << 20};
		distances[i] = i % NODES == i / NODES ? 10 : 20;
	}
	assert_int_equal(nslab_registry_open(NULL, registry, &err), 0);
	assert_int_equal(
		nslab_registry_get(*registry, NSLAB_PLUGIN_ALLOCATOR, "slab", &record, &err), 0);
	*ops = spec.allocator = record->ops.allocator;
	assert_int_equal(nslab_registry_get(*registry, NSLAB_PLUGIN_PAGE, "buddy", &record, &err),
			 0);
	spec.page = record->ops.page;
	assert_int_equal(nslab_world_open(&spec, &world, &err), 0);
}

static void pass_objects_round(const struct nslab_allocator_ops *ops)
{
	const struct nslab_cache_spec spec = {.name = "round", .object_size = 64, .order = -1};
	const struct nslab_cache_spec idle = {.name = "idle", .object_size = 64, .order = -1};
	static struct ring rings[THREADS];
	struct nslab_heap *heap = nslab_world_heap(world);
	struct worker workers[THREADS];
	struct kmem_cache *s, *other;
	pthread_t threads[THREADS];
	atomic_size_t nr_done;

	memset(rings, 0, sizeof(rings));
	atomic_init(&nr_done, 0);
	assert_int_equal(ops->cache_create(heap, &spec, &s), 0);
	assert_int_equal(ops->cache_create(heap, &idle, &other), 0);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.s = s, .mark = (uint64_t)i, .nr_done = &nr_done};
		workers[i].out = &rings[i];
		workers[i].in = &rings[(i + 1) % THREADS];
		assert_int_equal(nslab_world_cpu_online(world, i, i / 2, &workers[i].cpu), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, worker_main, &workers[i]), 0);
	while (atomic_load(&nr_done) < THREADS) {
		ops->cache_shrink(other);
		sched_yield();
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(workers[i].nr_bad, 0);
	}
	assert_int_equal(ops->cache_validate(s), 0);
	assert_int_equal(nslab_world_cache_destroy(world, s), 0);
	assert_int_equal(nslab_world_cache_destroy(world, other), 0);
	for (int i = 0; i < THREADS; i++)
		nslab_world_cpu_offline(world, workers[i].cpu);
}

static void run(int64_t limit, bool noaliencache)
{
	const struct slab_params params = {
		.order = NSLAB_AUTO,
		.limit = limit,
		.batchcount = NSLAB_AUTO,
		.shared = NSLAB_AUTO,
		.slab_max_order = 1,
		.reap_ops = 700,
		.noaliencache = noaliencache,
	};
	const struct nslab_allocator_ops *ops;
	struct nslab_world_usage usage;
	struct nslab_registry *registry;

	open_world(&params, &ops, &registry);
	pass_objects_round(ops);
	nslab_world_usage(world, &usage);
	assert_int_equal(usage.nr_pages, 0);
	nslab_world_close(world);
	nslab_registry_destroy(registry);
}

static void slab_keeps_objects_apart_between_threads(void **state)
{
	(void)state;
	run(NSLAB_AUTO, false);
}

static void slab_keeps_objects_apart_without_alien_arrays(void **state)
{
	(void)state;
	run(4, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slab_keeps_objects_apart_between_threads),
		cmocka_unit_test(slab_keeps_objects_apart_without_alien_arrays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
