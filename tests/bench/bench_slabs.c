// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_slabs.c: what a new slab costs on the model of the kernel, beside an operation that stays
 * on a CPU's fast path.
 *
 * usage: bench_slabs SIZE ORDER [ROUNDS]. One CPU of a simulated machine allocates and frees one
 * object again and again; then it allocates enough objects for 256 slabs and frees them all, which
 * gives almost every slab back to the page allocator. Of each the fastest round counts, since
 * whatever disturbs makes it slower. It prints nanoseconds for one fast operation, and those of
 * growing that it does not explain, for each slab. For counts that no noise touches run it under
 * callgrind and divide the inclusive instructions of slub_new_slab and slub_discard by their calls.
 * The price of a slab in tuner/loss.c comes from here. Left out: zeroing, more CPUs, pages that are
 * short.
 */
#include "core/clock.h"
#include "core/registry.h"
#include "runner/world.h"
#include "tuner/count_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BENCH_SLABS  256
#define BENCH_ROUNDS 50

struct bench {
	struct nslab_tuner_counter counter;
	struct kmem_cache *s;
	void **objs;
	size_t nr;
};

static void bench_pairs(struct bench *b)
{
	const struct nslab_allocator_ops *ops = b->s->heap->ops;
	struct nslab_cpu *cpu = b->counter.cpus[0];

	for (size_t i = 0; i < b->nr; i++)
		ops->free(cpu, b->s, ops->alloc(cpu, b->s, GFP_KERNEL, NUMA_NO_NODE));
}

static void bench_grow(struct bench *b)
{
	const struct nslab_allocator_ops *ops = b->s->heap->ops;
	struct nslab_cpu *cpu = b->counter.cpus[0];

	for (size_t i = 0; i < b->nr; i++)
		b->objs[i] = ops->alloc(cpu, b->s, GFP_KERNEL, NUMA_NO_NODE);
}

static void bench_shrink(struct bench *b)
{
	for (size_t i = 0; i < b->nr; i++)
		b->s->heap->ops->free(b->counter.cpus[0], b->s, b->objs[i]);
}

/* Nanoseconds for each object, in the fastest round. */
static double bench_time(struct bench *b, int rounds, void (*round)(struct bench *b),
			 void (*undo)(struct bench *b))
{
	double best_ns = INFINITY;

	for (int i = 0; i <= rounds; i++) {
		uint64_t start_ns = nslab_now_ns(&nslab_real_clock);

		round(b);
		best_ns = fmin(best_ns, (double)(nslab_now_ns(&nslab_real_clock) - start_ns));
		if (undo)
			undo(b);
	}
	return best_ns / (double)b->nr;
}

static int bench_open(struct bench *b, const struct nslab_registry *registry, size_t size,
		      int order)
{
	static const struct nslab_tuner_snapshot snapshot = {
		.kernel = NSLAB_ORDER_6_12, .release = (char *)(uintptr_t) "6.12", .nr_cpus = 1};
	const struct nslab_cache_spec spec = {
		.name = "bench",
		.object_size = size,
		.align = sizeof(void *),
		.flags = SLAB_NO_MERGE,
		.order = order,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.sheaf_capacity = NSLAB_AUTO,
	};
	struct nslab_heap *heap;
	struct nslab_err err;

	b->counter =
		(struct nslab_tuner_counter){.snapshot = &snapshot, .nr_cpus = 1, .nr_nodes = 1};
	if (count_world_open(&b->counter, registry, &err) || count_world_cpus(&b->counter, 1))
		return -1;
	heap = nslab_world_heap(b->counter.world);
	if (heap->ops->cache_create(heap, &spec, &b->s))
		return -1;
	b->nr = BENCH_SLABS * b->s->objects;
	b->objs = calloc(b->nr, sizeof(void *));
	return b->objs ? 0 : -1;
}

int main(int argc, char **argv)
{
	size_t size = argc > 2 ? strtoul(argv[1], NULL, 0) : 0;
	int order = argc > 2 ? atoi(argv[2]) : 0;
	int rounds = argc > 3 ? atoi(argv[3]) : BENCH_ROUNDS;
	struct nslab_registry *registry;
	struct bench b = {.s = NULL};
	double fast_ns, slab_ns;
	struct nslab_err err;

	if (!size || nslab_registry_open(NULL, &registry, &err) ||
	    bench_open(&b, registry, size, order)) {
		fprintf(stderr, "usage: bench_slabs SIZE ORDER [ROUNDS]\n");
		return 2;
	}
	fast_ns = bench_time(&b, rounds, bench_pairs, NULL) / 2;
	slab_ns =
		(bench_time(&b, rounds, bench_grow, bench_shrink) - fast_ns) * (double)b.s->objects;
	printf("size %zu order %d objects %u: fast operation %.2f ns, new slab %.1f ns or %.1f "
	       "operations\n",
	       size, order, (unsigned)b.s->objects, fast_ns, slab_ns, slab_ns / fast_ns);
	nslab_world_cache_destroy(b.counter.world, b.s);
	free(b.objs);
	count_world_close(&b.counter);
	nslab_registry_destroy(registry);
	return 0;
}
