/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world_areas.h: what a world has besides its timed arena: the arena of virtually contiguous
 * memory, and areas of contiguous memory in the timed one.
 */
#ifndef NSLAB_WORLD_AREAS_H
#define NSLAB_WORLD_AREAS_H

#include "allocators/common/cma.h"
#include "allocators/common/vmalloc.h"
#include "runner/world.h"

#include <pthread.h>
#include <stdatomic.h>

struct world_areas {
	const struct nslab_page_ops *page;
	void *page_params; /* a copy, or NULL */
	struct nslab_area_params params;
	const struct nslab_arena_map *like; /* the timed arena */
	size_t node_bytes;
	pthread_mutex_t lock;	      /* while they are made, and around `contiguous` */
	struct nslab_list contiguous; /* of struct world_cma */
	struct nslab_arena_map *map;
	struct nslab_page_source *source;
	_Atomic(struct nslab_vmalloc *) vmalloc;
};

void world_areas_init(struct world_areas *areas, const struct nslab_world_spec *spec);
/* The timed arena, and parameters of the page plug-in, of which params_size bytes are copied. */
int world_areas_set(struct world_areas *areas, const struct nslab_arena_map *like,
		    const void *params, struct nslab_err *err);
/* Made when it is asked for first. Thread-safe. */
int world_areas_vmalloc(struct world_areas *areas, struct nslab_vmalloc **vmalloc,
			struct nslab_err *err);
/* NULL when nobody has asked yet. */
static inline struct nslab_vmalloc *world_areas_made(struct world_areas *areas)
{
	/* pairs with the release of the maker */
	return atomic_load_explicit(&areas->vmalloc, memory_order_acquire);
}
/* Areas that were not freed. */
size_t world_areas_close_vmalloc(struct world_areas *areas);

/* Of `source`, the timed arena's. */
int world_areas_cma_open(struct world_areas *areas, struct nslab_page_source *source, int node,
			 size_t nr_pages, struct nslab_cma **cma);
void world_areas_cma_close(struct world_areas *areas, struct nslab_cma *cma);

/* The pages of all areas that are handed out. */
void world_areas_usage(struct world_areas *areas, struct nslab_world_usage *usage);
void world_areas_close(struct world_areas *areas);

#endif
