/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * small_world.h: a world of 2 simulated nodes with 2 CPUs each, whose reports are kept.
 *
 * The test names the allocator, its parameters and what else it wants in the spec. Lines that the
 * world reports are counted and can be searched; small_close() wants all pages back.
 */
#ifndef NSLAB_TESTS_SMALL_WORLD_H
#define NSLAB_TESTS_SMALL_WORLD_H

#include "runner/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SMALL_NODES 2
#define SMALL_CPUS  4
#define SMALL_LINES 64
#define SMALL_BYTES ((size_t)16 << 20)

struct small_world {
	struct nslab_registry *registry;
	struct nslab_world *world;
	struct nslab_heap *heap;
	const struct nslab_allocator_ops *ops;
	struct nslab_cpu *cpu[SMALL_CPUS]; /* CPU i on node i / 2 */
	unsigned nr_lines;
	char lines[SMALL_LINES][512];
};

static inline void small_report(void *context, const char *line)
{
	struct small_world *w = context;

	if (w->nr_lines < SMALL_LINES)
		snprintf(w->lines[w->nr_lines++], sizeof(w->lines[0]), "%s", line);
}

/* Lines that hold the text. */
static inline unsigned small_count(const struct small_world *w, const char *text)
{
	unsigned nr = 0;

	for (unsigned i = 0; i < w->nr_lines; i++)
		nr += strstr(w->lines[i], text) != NULL;
	return nr;
}

static inline void small_open(struct small_world *w, const char *allocator,
			      const struct nslab_world_spec *more)
{
	struct nslab_topo_node nodes[SMALL_NODES] = {
		{.memory_bytes = SMALL_BYTES, .nr_pus = 2},
		{.os_index = 1, .logical_index = 1, .memory_bytes = SMALL_BYTES, .nr_pus = 2},
	};
	unsigned distances[SMALL_NODES * SMALL_NODES] = {10, 20, 20, 10};
	struct nslab_topo topo = {
		.is_simulated = true,
		.nr_nodes = SMALL_NODES,
		.nodes = nodes,
		.distances = distances,
	};
	const struct nslab_arena_spec arena = {
		.topo = &topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = SMALL_BYTES,
		.nr_cpus = SMALL_CPUS,
	};
	struct nslab_world_spec spec = *more;
	const struct nslab_entry_record *record;
	struct nslab_err err = {""};

	memset(w, 0, sizeof(*w));
	assert_int_equal(nslab_registry_open(NULL, &w->registry, &err), 0);
	assert_int_equal(
		nslab_registry_get(w->registry, NSLAB_PLUGIN_ALLOCATOR, allocator, &record, &err),
		0);
	spec.allocator = record->ops.allocator;
	assert_int_equal(nslab_registry_get(w->registry, NSLAB_PLUGIN_PAGE, "buddy", &record, &err),
			 0);
	spec.page = record->ops.page;
	spec.arena = &arena;
	spec.seed = 7;
	spec.report = small_report;
	spec.report_context = w;
	if (nslab_world_open(&spec, &w->world, &err))
		fail_msg("%s", err.text);
	w->heap = nslab_world_heap(w->world);
	w->ops = w->heap->ops;
	for (int i = 0; i < SMALL_CPUS; i++)
		assert_int_equal(nslab_world_cpu_online(w->world, i, i / 2, &w->cpu[i]), 0);
}

static inline struct kmem_cache *small_cache(struct small_world *w, const char *name, size_t size,
					     size_t align, void (*ctor)(void *obj))
{
	const struct nslab_cache_spec spec = {
		.name = name,
		.object_size = size,
		.align = align,
		.ctor = ctor,
		.order = NSLAB_AUTO,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.sheaf_capacity = NSLAB_AUTO,
	};
	struct kmem_cache *s = NULL;

	assert_int_equal(w->ops->cache_create(w->heap, &spec, &s), 0);
	return s;
}

static inline uint64_t small_pages(const struct small_world *w)
{
	struct nslab_world_usage usage;

	nslab_world_usage(w->world, &usage);
	return usage.nr_pages;
}

/* Whatever was found is in the lines; the test judges them. */
static inline void small_end(struct small_world *w)
{
	nslab_world_close(w->world);
	nslab_registry_destroy(w->registry);
}

/* Everything was freed and nothing was reported. */
static inline void small_close(struct small_world *w)
{
	small_end(w);
	if (w->nr_lines)
		fail_msg("%u reports, the first: %s", w->nr_lines, w->lines[0]);
}

#endif
