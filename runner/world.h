/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world.h: registry, arena, page allocator and one allocator's heap, wired together.
 *
 * The same wiring serves a timed trial, the conformance suite and unit tests. A world is opened by
 * one thread; workers then bring their CPUs online.
 */
#ifndef NSLAB_WORLD_H
#define NSLAB_WORLD_H

#include "allocators/common/vmalloc.h"
#include "core/registry.h"
#include "topology/pages.h"

#include <numaslab/slab.h>

/* Every built-in plug-in, then `--plugin` files, then NUMASLAB_PLUGIN_PATH. */
int nslab_registry_open(const char *const *plugin_paths, struct nslab_registry **registry,
			struct nslab_err *err);

/* Of what lies beside the timed arena: plan keys `vmalloc.KEY` and `cma.KEY`. */
struct nslab_area_params {
	struct nslab_vmalloc_params vmalloc;
	int64_t cma_order_per_bit;
};

extern const struct nslab_param nslab_area_rows[];

struct nslab_world_spec {
	const struct nslab_allocator_ops *allocator; /* from the registry */
	const void *allocator_params;		     /* params_size bytes, or NULL: defaults */
	const struct nslab_page_ops *page;	     /* from the registry */
	const void *page_params;		     /* or NULL: defaults */
	const struct nslab_area_params *area_params; /* or NULL: defaults */
	const struct nslab_arena_spec *arena; /* node_bytes is 4 MiB without NSLAB_CAP_PAGES */
	uint64_t seed;
	/* called for each env->report line; NULL: stderr */
	void (*report)(void *context, const char *line);
	void *report_context;
	/* page allocations number fail_at .. fail_at + fail_nr - 1 fail, counted from 1 as
	 * nr_page_calls is; fail_nr 0 is one; fail_at 0: never */
	uint64_t fail_at, fail_nr;
	/* the debug layer stands in front of the allocator; what it finds is reported */
	bool is_debug;
	/* with is_debug: the objects it keeps from the backend on each CPU, 0 for its default; and
	 * no word of objects to ASan and Valgrind, so that every fault becomes a report */
	unsigned debug_quarantine;
	bool debug_has_no_tools;
};

/*
 * Pages and metadata that the heap holds now. Exact while no worker runs, except that the peak may
 * be short by up to 32 pages for each CPU when more than one is online.
 */
struct nslab_world_usage {
	uint64_t
		nr_pages; /* allocated through env and not given back; the next two are not in it */
	uint64_t nr_vmalloc_pages; /* in areas of env->vmalloc */
	uint64_t nr_cma_pages;	   /* in contiguous ranges */
	uint64_t nr_pages_peak;
	uint64_t nr_page_calls; /* calls of env->alloc_pages so far */
	uint64_t meta_bytes;
};

struct nslab_world;

int nslab_world_open(const struct nslab_world_spec *spec, struct nslab_world **world,
		     struct nslab_err *err);
/*
 * Takes CPUs that are still online offline, then reports what is still held: caches, pages,
 * metadata. A heap that still has a cache is abandoned, not closed.
 */
void nslab_world_close(struct nslab_world *world);

/*
 * What env->vmalloc works on: made, with a second arena, when it is asked for first. -ENOMEM, or
 * what opening an arena can fail with.
 */
int nslab_world_vmalloc(struct nslab_world *world, struct nslab_vmalloc **vmalloc,
			struct nslab_err *err);

struct nslab_heap *nslab_world_heap(struct nslab_world *world);
const struct nslab_env *nslab_world_env(struct nslab_world *world);
struct nslab_arena_map *nslab_world_arena(struct nslab_world *world);
/* Of the page plug-in, for one arena node; while nobody allocates. */
void nslab_world_page_stats(struct nslab_world *world, int node, struct nslab_page_stats *stats);
/* Of the page plug-in, zone by zone as /proc/zoneinfo has them; -ENOENT past the last one. */
int nslab_world_zone_stats(struct nslab_world *world, int zone, struct nslab_zone_stats *stats);
/* For areas of one's own on the world's pages (CMA). */
struct nslab_page_source *nslab_world_page_source(struct nslab_world *world);
/*
 * /proc/buddyinfo or /proc/pagetypeinfo of the page plug-in, while nobody allocates; the caller
 * frees the text. NULL when memory ran out or the plug-in has no zones to tell of.
 */
char *nslab_world_buddyinfo(struct nslab_world *world);
char *nslab_world_pagetypeinfo(struct nslab_world *world);
/* The same for debugfs extfrag/extfrag_index and extfrag/unusable_index. */
char *nslab_world_extfrag_index(struct nslab_world *world);
char *nslab_world_unusable_index(struct nslab_world *world);
void nslab_world_usage(struct nslab_world *world, struct nslab_world_usage *usage);
/* While nobody allocates. Counts as fail_at of the specification does: from the world's start. */
void nslab_world_fail_at(struct nslab_world *world, uint64_t fail_at, uint64_t fail_nr);

/*
 * Thread-safe: workers bring their own handle online from their own pinned thread. -EINVAL for an
 * id or node that does not exist, -EBUSY when the id is online, or the backend's error.
 */
int nslab_world_cpu_online(struct nslab_world *world, int id, int arena_node,
			   struct nslab_cpu **cpu);
void nslab_world_cpu_offline(struct nslab_world *world, struct nslab_cpu *cpu);

/*
 * Destroys a cache while no worker runs: asks, quiesces every handle from this thread, asks again.
 * 0, or -EBUSY when objects live.
 */
int nslab_world_cache_destroy(struct nslab_world *world, struct kmem_cache *s);

#endif
