/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * page_fixture.h: an arena of plain memory and a page plug-in "buddy" over it, for tests.
 */
#ifndef NSLAB_TESTS_PAGE_FIXTURE_H
#define NSLAB_TESTS_PAGE_FIXTURE_H

#include "core/param.h"

#include <numaslab/plugin.h>
#include <numaslab/slab.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define MIB	  ((size_t)1 << 20)
#define NR_FRAMES ((size_t)1024) /* of a 4 MiB node */

extern const struct nslab_plugin nslab_plugin_buddy;

static inline const struct nslab_page_ops *ops(void)
{
	return nslab_plugin_buddy.ops;
}

struct fixture {
	struct nslab_arena arena;
	struct nslab_env env; /* only its arena is used, by nslab_page_of */
	uint8_t distance[16];
	uint8_t has_cpus[4];
	size_t bytes, record_bytes;
	void *mapping;
	void *params;
	struct nslab_page_source *source;
};

static inline void *map_memory(size_t bytes)
{
	void *ptr = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	assert_ptr_not_equal(ptr, MAP_FAILED);
	return ptr;
}

static inline void fixture_map(struct fixture *f, int nr_nodes, size_t node_bytes)
{
	memset(f, 0, sizeof(*f));
	f->arena.nr_nodes = nr_nodes;
	f->arena.nr_cpus = 2;
	f->arena.node_bytes = node_bytes;
	f->arena.node_shift = (unsigned)__builtin_ctzl(node_bytes);
	f->bytes = (size_t)nr_nodes * node_bytes + 4 * MIB;
	f->mapping = map_memory(f->bytes);
	f->arena.base = ((uintptr_t)f->mapping + 4 * MIB - 1) & ~(uintptr_t)(4 * MIB - 1);
	f->record_bytes = (size_t)nr_nodes * (node_bytes >> NSLAB_PAGE_SHIFT) * 64;
	f->arena.pages = map_memory(f->record_bytes);
	for (int i = 0; i < nr_nodes * nr_nodes; i++)
		f->distance[i] = i % (nr_nodes + 1) ? 20 : 10;
	memset(f->has_cpus, 1, sizeof(f->has_cpus));
	f->arena.distance = f->distance;
	f->arena.node_has_cpus = f->has_cpus;
	f->env.arena = &f->arena;
}

static inline void set_param(struct fixture *f, const char *key, const char *value)
{
	const struct nslab_param *row = nslab_param_find(ops()->params, key);
	struct nslab_err err;

	assert_non_null(row);
	assert_int_equal(nslab_param_set(row, value, f->params, &err), 0);
}

/*
 * settings: "pcp", "no", "pcp_high", "8", ... up to a NULL. What a test does not ask for stays out
 * of its way: one zone for each node, and every page may be used.
 */
static inline void fixture_open(struct fixture *f, ...)
{
	struct nslab_err err;
	const char *key;
	va_list args;

	f->params = calloc(1, ops()->params_size);
	assert_non_null(f->params);
	assert_int_equal(nslab_param_defaults(ops()->params, f->params, &err), 0);
	set_param(f, "watermarks", "no");
	set_param(f, "dma_zone_mib", "0");
	va_start(args, f);
	while ((key = va_arg(args, const char *)))
		set_param(f, key, va_arg(args, const char *));
	va_end(args);
	assert_int_equal(ops()->open(&f->arena, f->params, &f->source), 0);
}

static inline void fixture_close(struct fixture *f)
{
	ops()->close(f->source);
	munmap(f->arena.pages, f->record_bytes);
	munmap(f->mapping, f->bytes);
	free(f->params);
}

static inline struct nslab_page *take(struct fixture *f, struct nslab_cpu *cpu, unsigned order,
				      gfp_t gfp, int node)
{
	return ops()->alloc_pages(f->source, cpu, order, gfp, node);
}

static inline void give(struct fixture *f, struct nslab_cpu *cpu, struct nslab_page *page,
			unsigned order)
{
	ops()->free_pages(f->source, cpu, page, order);
}

static inline struct nslab_page_stats stats_of(struct fixture *f, int node)
{
	struct nslab_page_stats stats;

	ops()->stats(f->source, node, &stats);
	return stats;
}

static inline struct nslab_zone_stats zone_of(struct fixture *f, int zone)
{
	struct nslab_zone_stats stats;

	assert_int_equal(ops()->zone_stats(f->source, zone, &stats), 0);
	return stats;
}

#endif
