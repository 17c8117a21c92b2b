// SPDX-License-Identifier: GPL-2.0-only
/*
 * defaults.c: the optional half of an allocator, built on the required half.
 *
 * Bulk calls are loops, and an allocation that fails half way is undone, so that it is all or
 * nothing. kmalloc and its kin are in kmalloc.c beside this file. Nothing here keeps state and
 * nothing locks: everything goes through the tables of the handle. Left out: defaults for the
 * calls that only some designs have (sheaves, deferred frees), which stay NULL.
 */
#include "allocators/common/defaults.h"

#include "allocators/common/kmalloc.h"

#include <errno.h>
#include <string.h>

static void defaults_quiesce(struct nslab_cpu *cpu)
{
	(void)cpu;
}

static void defaults_free_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr, void **objs)
{
	for (size_t i = 0; i < nr; i++)
		cpu->ops->free(cpu, s, objs[i]);
}

static size_t defaults_alloc_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node,
				  size_t nr, void **objs)
{
	for (size_t i = 0; i < nr; i++) {
		objs[i] = cpu->ops->alloc(cpu, s, gfp, node);
		if (!objs[i]) {
			cpu->ops->free_bulk(cpu, s, i, objs);
			return 0;
		}
	}
	return nr;
}

/* A backend without shrink frees nothing; what remains is what its statistics tell. */
static size_t defaults_cache_shrink(struct kmem_cache *s)
{
	struct nslab_cache_stats stats;

	s->heap->ops->cache_stats(s, &stats);
	return (size_t)stats.nr_slabs;
}

static int defaults_cache_validate(struct kmem_cache *s)
{
	(void)s;
	return 0;
}

static void defaults_cache_stats(struct kmem_cache *s, struct nslab_cache_stats *stats)
{
	(void)s;
	memset(stats, 0, sizeof(*stats));
}

static void defaults_cpu_drain(struct nslab_page_source *source, struct nslab_cpu *cpu)
{
	(void)source;
	(void)cpu;
}

static void defaults_page_stats(struct nslab_page_source *source, int node,
				struct nslab_page_stats *stats)
{
	(void)source;
	(void)node;
	memset(stats, 0, sizeof(*stats));
}

static int defaults_zone_stats(struct nslab_page_source *source, int zone,
			       struct nslab_zone_stats *stats)
{
	(void)source;
	(void)zone;
	(void)stats;
	return -ENOENT;
}

static int defaults_range_lend(struct nslab_page_source *source, int node, size_t nr_pages,
			       struct nslab_page **first)
{
	(void)source;
	(void)node;
	(void)nr_pages;
	(void)first;
	return -EOPNOTSUPP;
}

static int defaults_range_claim(struct nslab_page_source *source, struct nslab_page *first,
				size_t nr_pages)
{
	(void)source;
	(void)first;
	(void)nr_pages;
	return -EOPNOTSUPP;
}

static void defaults_range_free(struct nslab_page_source *source, struct nslab_page *first,
				size_t nr_pages)
{
	(void)source;
	(void)first;
	(void)nr_pages;
}

static int defaults_set_mover(struct nslab_page_source *source, struct nslab_page *page,
			      struct nslab_page_mover *mover)
{
	(void)source;
	(void)page;
	(void)mover;
	return -EOPNOTSUPP;
}

const struct nslab_allocator_ops nslab_allocator_defaults = {
	.quiesce = defaults_quiesce,
	.alloc_bulk = defaults_alloc_bulk,
	.free_bulk = defaults_free_bulk,
	.cache_shrink = defaults_cache_shrink,
	.cache_validate = defaults_cache_validate,
	.cache_stats = defaults_cache_stats,
	.kmalloc = nslab_default_kmalloc,
	.kfree = nslab_default_kfree,
	.ksize = nslab_default_ksize,
	.krealloc = nslab_default_krealloc,
	.size_roundup = nslab_default_size_roundup,
};

const struct nslab_page_ops nslab_page_defaults = {
	.cpu_drain = defaults_cpu_drain,
	.stats = defaults_page_stats,
	.zone_stats = defaults_zone_stats,
	.range_lend = defaults_range_lend,
	.range_claim = defaults_range_claim,
	.range_free = defaults_range_free,
	.set_mover = defaults_set_mover,
};
