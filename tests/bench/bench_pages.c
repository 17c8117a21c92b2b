// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_pages.c: what one page costs through the table of the page allocator.
 *
 * bench_pages [PAIRS [ORDER [BURST]]] opens the page plug-in "buddy" with default parameters on one
 * node of 1 GiB, takes BURST blocks, gives them back, and so on until PAIRS blocks came and went.
 * A burst of 1 stays on the CPU's lists. It prints nanoseconds for each pair. Under callgrind, run
 * it with two counts and divide the difference, so that opening does not count. Left out: blocks of
 * trials, since this is for a look at one machine and for instruction counts.
 */
#define _GNU_SOURCE
#include "core/clock.h"
#include "core/param.h"

#include <numaslab/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BENCH_BYTES ((size_t)1 << 30)
#define BENCH_ALIGN ((size_t)4 << 20)
#define BENCH_BURST 4096

extern const struct nslab_plugin nslab_plugin_buddy;

static void *bench_map(size_t bytes)
{
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

static __attribute__((noinline)) void bench_pairs(struct nslab_page_source *source,
						  struct nslab_cpu *cpu, unsigned long nr,
						  unsigned order, unsigned burst)
{
	static struct nslab_page *page[BENCH_BURST];
	const struct nslab_page_ops *ops = source->ops;

	for (unsigned long i = 0; i < nr; i += burst) {
		for (unsigned j = 0; j < burst; j++)
			page[j] = ops->alloc_pages(source, cpu, order, GFP_KERNEL, NUMA_NO_NODE);
		for (unsigned j = 0; j < burst; j++) {
			if (page[j])
				ops->free_pages(source, cpu, page[j], order);
		}
	}
}

static struct nslab_page_source *bench_open(struct nslab_arena *arena)
{
	const struct nslab_page_ops *ops = nslab_plugin_buddy.ops;
	void *params = calloc(1, ops->params_size);
	char *base = bench_map(BENCH_BYTES + BENCH_ALIGN);
	struct nslab_page_source *source;
	struct nslab_err err;

	arena->base = ((uintptr_t)base + BENCH_ALIGN - 1) & ~(uintptr_t)(BENCH_ALIGN - 1);
	arena->pages = bench_map((BENCH_BYTES >> NSLAB_PAGE_SHIFT) * sizeof(struct nslab_page));
	if (!params || !base || !arena->pages || nslab_param_defaults(ops->params, params, &err) ||
	    ops->open(arena, params, &source))
		exit(2);
	free(params);
	source->ops = ops;
	return source;
}

static unsigned long bench_number(int argc, char **argv, int i, unsigned long otherwise)
{
	return argc > i ? strtoul(argv[i], NULL, 0) : otherwise;
}

int main(int argc, char **argv)
{
	static const uint8_t distance = 10;
	static const int os_index = -1;
	struct nslab_arena arena = {.node_shift = 30,
				    .nr_nodes = 1,
				    .node_bytes = BENCH_BYTES,
				    .distance = &distance,
				    .node_os_index = &os_index,
				    .nr_cpus = 2};
	unsigned long nr = bench_number(argc, argv, 1, 20000000);
	unsigned order = (unsigned)bench_number(argc, argv, 2, 0);
	unsigned burst = (unsigned)bench_number(argc, argv, 3, 1);
	struct nslab_cpu cpu = {.id = 0};
	struct nslab_page_source *source;
	uint64_t start_ns;

	if (order > NSLAB_MAX_ORDER || burst < 1 || burst > BENCH_BURST) {
		fprintf(stderr, "usage: bench_pages [PAIRS [ORDER [BURST]]]\n");
		return 2;
	}
	source = bench_open(&arena);
	bench_pairs(source, &cpu, nr / 10 + 1, order, burst);
	start_ns = nslab_now_ns(&nslab_real_clock);
	bench_pairs(source, &cpu, nr, order, burst);
	printf("order %u burst %u: %.3f ns for each pair\n", order, burst,
	       (double)(nslab_now_ns(&nslab_real_clock) - start_ns) / (double)(nr ? nr : 1));
	source->ops->cpu_drain(source, &cpu);
	source->ops->close(source);
	return 0;
}
