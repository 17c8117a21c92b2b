// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_slab.c: the fast path of slab against its ceiling, run by hand.
 *
 * The ceiling is what the design cannot go below: an array of pointers as a stack, a plain word
 *taken and given back around it, and one look-up of the page record for each free. It is reached
 *through the same two indirect calls with the same arguments, by the same loop. A block runs both
 *arms once, in random order; the statistic of an arm is the lower quartile of its windows, and what
 *is printed is the median over blocks of the ratio, with the lowest and the highest. With --count N
 *it does N pairs of one arm and prints nothing, for callgrind. Left out: pinning, storing of
 *results.
 *
 *	bench_slab [--blocks N] [--count N --arm 0|1|2]
 */
#include "allocators/common/defaults.h"
#include "core/clock.h"
#include "core/rng.h"
#include "tests/support/simple_env.h"

#include <numaslab/plugin.h>
#include <numaslab/slab.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NR_WINDOWS 20
#define WINDOW_OPS 200000
#define MAX_BLOCKS 201
#define BURST	   32
#define LIMIT	   120

extern const struct nslab_plugin nslab_plugin_slab;

/* ---- the ceiling ---- */

struct ceiling_array {
	volatile uint32_t is_busy;
	uint32_t avail, limit;
	void *entry[LIMIT];
};

struct ceiling_cpu {
	struct nslab_cpu base;
	uintptr_t arena_base;
	struct nslab_page *pages;
	struct ceiling_array array;
};

static void *ceiling_alloc(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp, int node)
{
	struct ceiling_array *a = &nslab_container_of(base, struct ceiling_cpu, base)->array;
	void *obj = NULL;

	(void)s;
	(void)gfp;
	(void)node;
	if (a->is_busy)
		return NULL;
	a->is_busy = 1;
	atomic_signal_fence(memory_order_acquire);
	if (a->avail)
		obj = a->entry[--a->avail];
	atomic_signal_fence(memory_order_release);
	a->is_busy = 0;
	return obj;
}

static void ceiling_free(struct nslab_cpu *base, struct kmem_cache *s, void *obj)
{
	struct ceiling_cpu *cpu = nslab_container_of(base, struct ceiling_cpu, base);
	const struct nslab_page *page =
		cpu->pages + (((uintptr_t)obj - cpu->arena_base) >> NSLAB_PAGE_SHIFT);
	struct ceiling_array *a = &cpu->array;

	(void)s;
	if (page->node != base->node || a->is_busy)
		return;
	a->is_busy = 1;
	atomic_signal_fence(memory_order_acquire);
	if (a->avail < a->limit)
		a->entry[a->avail++] = obj;
	atomic_signal_fence(memory_order_release);
	a->is_busy = 0;
}

/* ---- arms ---- */

enum arm {
	ARM_CEILING,
	ARM_CACHE,
	ARM_KMALLOC,
	NR_ARMS
};

static const char *const arm_names[] = {"ceiling", "slab, cache", "slab, kmalloc"};

struct bench {
	struct nslab_allocator_ops slab_ops, ceiling_ops;
	struct nslab_heap *heap;
	struct nslab_cpu *cpu;
	struct kmem_cache *s;
	struct ceiling_cpu ceiling;
	size_t size_bytes;
};

static struct simple_env *simple;

static void bench_open(struct bench *b, size_t size_bytes)
{
	const struct nslab_cache_spec spec = {
		.name = "bench", .object_size = size_bytes, .order = NSLAB_AUTO};

	memset(b, 0, sizeof(*b));
	b->size_bytes = size_bytes;
	b->slab_ops = *(const struct nslab_allocator_ops *)nslab_plugin_slab.ops;
	if (simple_env_open(1, (size_t)16 << 20, &simple) ||
	    b->slab_ops.open(simple_env_get(simple), NULL, &b->heap))
		exit(2);
	b->heap->ops = &b->slab_ops;
	if (b->slab_ops.cpu_online(b->heap, 0, 0, &b->cpu) ||
	    b->slab_ops.cache_create(b->heap, &spec, &b->s))
		exit(2);
	b->ceiling_ops.alloc = ceiling_alloc;
	b->ceiling_ops.free = ceiling_free;
	b->ceiling.base.ops = &b->ceiling_ops;
	b->ceiling.arena_base = b->heap->env->arena->base;
	b->ceiling.pages = b->heap->env->arena->pages;
	b->ceiling.array.limit = LIMIT;
	for (unsigned i = 0; i < LIMIT / 2; i++) {
		void *obj = kmem_cache_alloc(b->cpu, b->s, GFP_KERNEL);

		ceiling_free(&b->ceiling.base, b->s, obj);
	}
}

static inline __attribute__((always_inline)) void *
bench_alloc(struct nslab_cpu *cpu, const struct bench *b, bool is_kmalloc)
{
	uint64_t *obj = is_kmalloc ? kmalloc(cpu, b->size_bytes, GFP_KERNEL)
				   : kmem_cache_alloc(cpu, b->s, GFP_KERNEL);

	__asm__ volatile("" : "+r"(obj) : : "memory");
	*(volatile uint64_t *)obj = (uint64_t)(uintptr_t)obj;
	return obj;
}

static inline __attribute__((always_inline)) void
bench_loop(struct nslab_cpu *cpu, const struct bench *b, size_t nr, size_t burst, bool is_kmalloc)
{
	void *objs[BURST];

	for (size_t done = 0; done < nr; done += burst) {
		for (size_t i = 0; i < burst; i++)
			objs[i] = bench_alloc(cpu, b, is_kmalloc);
		for (size_t i = 0; i < burst; i++) {
			if (is_kmalloc)
				kfree(cpu, objs[i]);
			else
				kmem_cache_free(cpu, b->s, objs[i]);
		}
	}
}

static __attribute__((noinline)) void bench_run(struct bench *b, enum arm arm, size_t nr,
						size_t burst)
{
	struct nslab_cpu *cpu = arm == ARM_CEILING ? &b->ceiling.base : b->cpu;

	if (arm == ARM_KMALLOC)
		bench_loop(cpu, b, nr, burst, true);
	else
		bench_loop(cpu, b, nr, burst, false);
}

/* ---- blocks ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Lower quartile of the windows, ns for one pair. */
static double bench_time(struct bench *b, enum arm arm, size_t burst)
{
	double ns[NR_WINDOWS];

	bench_run(b, arm, WINDOW_OPS, burst);
	for (int i = 0; i < NR_WINDOWS; i++) {
		uint64_t start = nslab_now_ns(&nslab_real_clock);

		bench_run(b, arm, WINDOW_OPS, burst);
		ns[i] = (double)(nslab_now_ns(&nslab_real_clock) - start) / WINDOW_OPS;
	}
	qsort(ns, NR_WINDOWS, sizeof(*ns), by_value);
	return ns[NR_WINDOWS / 4];
}

static void bench_blocks(struct bench *b, int nr_blocks, size_t burst)
{
	static double ns[NR_ARMS][MAX_BLOCKS], ratio[MAX_BLOCKS], sorted[MAX_BLOCKS];
	uint64_t rng = 1;

	for (int block = 0; block < nr_blocks; block++) {
		unsigned first = nslab_rng_below(&rng, NR_ARMS);

		for (unsigned i = 0; i < NR_ARMS; i++) {
			enum arm arm = (enum arm)((first + i) % NR_ARMS);

			ns[arm][block] = bench_time(b, arm, burst);
		}
	}
	for (int arm = 0; arm < NR_ARMS; arm++) {
		for (int block = 0; block < nr_blocks; block++)
			ratio[block] = ns[arm][block] / ns[ARM_CEILING][block];
		qsort(ratio, (size_t)nr_blocks, sizeof(*ratio), by_value);
		memcpy(sorted, ns[arm], sizeof(sorted));
		qsort(sorted, (size_t)nr_blocks, sizeof(*sorted), by_value);
		printf("%5zu B  burst %2zu  %-14s %6.2f ns  ratio %.3f  [%.3f .. %.3f]  n = %d\n",
		       b->size_bytes, burst, arm_names[arm], sorted[nr_blocks / 2],
		       ratio[nr_blocks / 2], ratio[0], ratio[nr_blocks - 1], nr_blocks);
	}
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {64, 256, 1024};
	static struct bench b;
	int nr_blocks = 21;
	long count = 0, arm = 0;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--blocks"))
			nr_blocks = atoi(argv[i + 1]);
		else if (!strcmp(argv[i], "--count"))
			count = atol(argv[i + 1]);
		else if (!strcmp(argv[i], "--arm"))
			arm = atol(argv[i + 1]);
	}
	if (nr_blocks < 1 || nr_blocks > MAX_BLOCKS || arm < 0 || arm >= NR_ARMS || count < 0)
		return 2;
	for (size_t i = 0; i < (count ? 1 : sizeof(sizes) / sizeof(*sizes)); i++) {
		bench_open(&b, sizes[i]);
		if (count) {
			bench_run(&b, (enum arm)arm, (size_t)count, 1);
			return 0;
		}
		bench_blocks(&b, nr_blocks, 1);
		bench_blocks(&b, nr_blocks, BURST);
	}
	return 0;
}
