/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world_areas.c: the second arena of a world, its contiguous areas, and what its page plug-in
 * tells.
 *
 * Virtually contiguous memory maps its pages a second time, which takes a file behind them. The
 * arena that is timed stays private anonymous memory, so vmalloc has an arena and a page source of
 * its own, of the same size, placement and parameters. They are made on the first call, so a world
 * that never asks pays nothing. Areas of contiguous memory lie in the first arena and are kept on a
 * list, so that what is held there is known. The texts shaped like /proc/buddyinfo and
 * /proc/pagetypeinfo are of the first arena.
 *
 * Locks: areas->lock while the arena is made and around the list; a world's control_lock may be
 * held.
 *
 * Left out: per-CPU page lists for vmalloc (a handle's lists belong to the first source).
 */
#include "runner/world_areas.h"

#include "core/list.h"
#include "core/param.h"
#include "runner/page_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct world_cma {
	struct nslab_list link;
	struct nslab_cma *cma;
};

static const char *const area_auto[] = {"auto", NULL};

#define AREA_INT(word, field, d, lo, hi, words, text)                                              \
 {                                                                                                 \
  .name = word, .type = NSLAB_PARAM_INT, .offset = offsetof(struct nslab_area_params, field),      \
  .def = (d), .min = (lo), .max = (hi), .choices = (words), .help = (text)                         \
 }

const struct nslab_param nslab_area_rows[] = {
	AREA_INT("vmalloc.virtual_mib", vmalloc.virtual_mib, "auto", 1, 16777216, area_auto,
		 "MiB of address space for areas; auto: four times the memory"),
	AREA_INT("vmalloc.lazy_mib", vmalloc.lazy_mib, "auto", 0, 1048576, area_auto,
		 "MiB of freed addresses that wait for a purge; auto: 32 for each digit of CPUs"),
	AREA_INT("vmalloc.max_map_count", vmalloc.max_map_count, "auto", 2, 1073741824, area_auto,
		 "mappings that a process may have; auto: vm.max_map_count of this system"),
	{
		.name = "vmalloc.pools",
		.type = NSLAB_PARAM_BOOL,
		.offset = offsetof(struct nslab_area_params, vmalloc.pools),
		.def = "yes",
		.help = "keep purged ranges of up to 256 pages by size, to be used again first",
	},
	AREA_INT("cma.order_per_bit", cma_order_per_bit, "0", 0, NSLAB_MAX_ORDER, NULL,
		 "a contiguous range is handed out in multiples of 2^order pages"),
	NSLAB_PARAM_END,
};

void world_areas_init(struct world_areas *areas, const struct nslab_world_spec *spec)
{
	areas->page = spec->page;
	areas->node_bytes = spec->arena->node_bytes;
	nslab_list_init(&areas->contiguous);
	if (spec->area_params)
		areas->params = *spec->area_params;
	else
		nslab_param_defaults(nslab_area_rows, &areas->params, NULL);
	pthread_mutex_init(&areas->lock, NULL);
}

int world_areas_set(struct world_areas *areas, const struct nslab_arena_map *like,
		    const void *params, struct nslab_err *err)
{
	areas->like = like;
	if (!params || !areas->page->params_size)
		return 0;
	areas->page_params = malloc(areas->page->params_size);
	if (!areas->page_params)
		return nslab_fail(err, -ENOMEM, "out of memory");
	memcpy(areas->page_params, params, areas->page->params_size);
	return 0;
}

static int world_areas_open_source(struct world_areas *areas, struct nslab_err *err)
{
	const struct nslab_arena *arena = nslab_arena_map_arena(areas->map);
	int rc;

	if (areas->source)
		return 0;
	rc = areas->page->open(arena, areas->page_params, &areas->source);
	if (rc)
		return nslab_fail(err, rc, "cannot open page allocator '%s': %s", areas->page->name,
				  strerror(-rc));
	areas->source->ops = areas->page;
	areas->source->arena = arena;
	return 0;
}

/* Under the lock. What was made before an error is closed with the world. */
static int world_areas_open(struct world_areas *areas, struct nslab_err *err)
{
	struct nslab_vmalloc *vmalloc;
	int rc = 0;

	if (!areas->map)
		rc = nslab_arena_map_open_shared(areas->like, areas->node_bytes, &areas->map, err);
	if (!rc)
		rc = world_areas_open_source(areas, err);
	if (rc)
		return nslab_fail_in(err, rc, "arena of vmalloc");
	rc = nslab_vmalloc_open(areas->source, nslab_arena_map_fd(areas->map),
				areas->source->arena->nr_cpus, &areas->params.vmalloc, &vmalloc);
	if (rc)
		return nslab_fail(err, rc, "cannot open the window of vmalloc: %s", strerror(-rc));
	atomic_store_explicit(&areas->vmalloc, vmalloc, memory_order_release);
	return 0;
}

int world_areas_vmalloc(struct world_areas *areas, struct nslab_vmalloc **vmalloc,
			struct nslab_err *err)
{
	int rc = 0;

	*vmalloc = world_areas_made(areas);
	if (*vmalloc)
		return 0;
	pthread_mutex_lock(&areas->lock);
	if (!world_areas_made(areas))
		rc = world_areas_open(areas, err);
	*vmalloc = world_areas_made(areas);
	pthread_mutex_unlock(&areas->lock);
	return rc;
}

size_t world_areas_close_vmalloc(struct world_areas *areas)
{
	struct nslab_vmalloc *vmalloc = world_areas_made(areas);

	atomic_store(&areas->vmalloc, NULL);
	return vmalloc ? nslab_vmalloc_close(vmalloc) : 0;
}

/* ---- contiguous memory ---- */

int world_areas_cma_open(struct world_areas *areas, struct nslab_page_source *source, int node,
			 size_t nr_pages, struct nslab_cma **cma)
{
	struct world_cma *area = malloc(sizeof(*area));
	int rc;

	if (!area)
		return -ENOMEM;
	rc = nslab_cma_open(source, node, nr_pages, (unsigned)areas->params.cma_order_per_bit,
			    &area->cma);
	if (rc) {
		free(area);
		return rc;
	}
	pthread_mutex_lock(&areas->lock);
	nslab_list_add_tail(&area->link, &areas->contiguous);
	pthread_mutex_unlock(&areas->lock);
	*cma = area->cma;
	return 0;
}

/* Under the lock. */
static void world_cma_close(struct world_cma *area)
{
	nslab_list_del(&area->link);
	nslab_cma_close(area->cma);
	free(area);
}

void world_areas_cma_close(struct world_areas *areas, struct nslab_cma *cma)
{
	pthread_mutex_lock(&areas->lock);
	nslab_list_for_each (pos, &areas->contiguous) {
		struct world_cma *area = nslab_list_entry(pos, struct world_cma, link);

		if (area->cma == cma) {
			world_cma_close(area);
			break;
		}
	}
	pthread_mutex_unlock(&areas->lock);
}

void world_areas_usage(struct world_areas *areas, struct nslab_world_usage *usage)
{
	struct nslab_vmalloc *vmalloc = world_areas_made(areas);
	struct nslab_vmalloc_stats mapped = {0};

	if (vmalloc)
		nslab_vmalloc_stats(vmalloc, &mapped);
	usage->nr_vmalloc_pages = mapped.nr_pages;
	usage->nr_cma_pages = 0;
	pthread_mutex_lock(&areas->lock);
	nslab_list_for_each (pos, &areas->contiguous) {
		struct nslab_cma_stats stats;

		nslab_cma_stats(nslab_list_entry(pos, struct world_cma, link)->cma, &stats);
		usage->nr_cma_pages += stats.nr_used_pages;
	}
	pthread_mutex_unlock(&areas->lock);
}

void world_areas_close(struct world_areas *areas)
{
	while (!nslab_list_is_empty(&areas->contiguous))
		world_cma_close(nslab_list_first(&areas->contiguous, struct world_cma, link));
	world_areas_close_vmalloc(areas);
	if (areas->source)
		areas->page->close(areas->source);
	nslab_arena_map_close(areas->map);
	pthread_mutex_destroy(&areas->lock);
	free(areas->page_params);
}

/* ---- what the page plug-in tells ---- */

static char *world_page_text(struct nslab_world *w,
			     char *(*text)(const struct nslab_zone_stats *zones, size_t nr))
{
	struct nslab_zone_stats one, *zones;
	char *result = NULL;
	int nr = 0;

	while (!nslab_world_zone_stats(w, nr, &one))
		nr++;
	zones = calloc((size_t)nr + 1, sizeof(*zones));
	for (int i = 0; zones && i < nr; i++) {
		const int *os_index = nslab_world_env(w)->arena->node_os_index;

		nslab_world_zone_stats(w, i, &zones[i]);
		if (os_index && os_index[zones[i].node] >= 0)
			zones[i].node = os_index[zones[i].node];
	}
	if (zones && nr)
		result = text(zones, (size_t)nr);
	free(zones);
	return result;
}

char *nslab_world_buddyinfo(struct nslab_world *w)
{
	return world_page_text(w, nslab_page_buddyinfo);
}

char *nslab_world_pagetypeinfo(struct nslab_world *w)
{
	return world_page_text(w, nslab_page_pagetypeinfo);
}

char *nslab_world_extfrag_index(struct nslab_world *w)
{
	return world_page_text(w, nslab_page_extfrag_index);
}

char *nslab_world_unusable_index(struct nslab_world *w)
{
	return world_page_text(w, nslab_page_unusable_index);
}
