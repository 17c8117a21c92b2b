/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmalloc.h: virtually contiguous memory from single pages, mapped a second time.
 *
 * The pages come from a page source whose arena is one shared mapping of a file (memfd), and only
 * this arena needs to be. May be called by many threads, each with a CPU handle of its own or NULL.
 */
#ifndef NSLAB_COMMON_VMALLOC_H
#define NSLAB_COMMON_VMALLOC_H

#include <numaslab/page.h>

#define NSLAB_VMALLOC_POOL_MAX 256 /* pages of the largest area that is pooled, with its guard */

struct nslab_vmalloc;

/* Numbers: -1 lets this system decide. */
struct nslab_vmalloc_params {
	int64_t virtual_mib;
	int64_t lazy_mib;
	int64_t max_map_count;
	bool pools;
};

struct nslab_vmalloc_stats {
	uint64_t nr_areas, nr_pages; /* in use */
	uint64_t nr_runs;	     /* of pages that are neighbours: mappings made for them */
	uint64_t nr_maps;	     /* mappings that the process pays for all this at most */
	uint64_t max_maps;	     /* that it may, see nslab_vmalloc_alloc */
	uint64_t nr_lazy_pages;	     /* virtual pages that wait for a purge */
	uint64_t nr_purges, nr_pool_hits;
	uint64_t nr_largest_pages; /* largest free virtual range */
};

/*
 * fd is the file behind the source's arena: byte 0 is at arena->base. params: NULL for defaults.
 * nr_cpus decides how many virtual pages may wait for a purge. -ENOMEM.
 */
int nslab_vmalloc_open(struct nslab_page_source *source, int fd, int nr_cpus,
		       const struct nslab_vmalloc_params *params, struct nslab_vmalloc **vmalloc);
/* Areas still in use are unmapped; their number comes back. */
size_t nslab_vmalloc_close(struct nslab_vmalloc *v);

/*
 * bytes are rounded up to pages; one unmapped guard page follows. Pages come from `node` as
 * alloc_pages means it. -EINVAL for 0 bytes, -ENOMEM: then why has one line that names what ran
 * out: pages, virtual range, or mappings (vm.max_map_count; areas of neighbouring pages cost few).
 */
int nslab_vmalloc_alloc(struct nslab_vmalloc *v, struct nslab_cpu *cpu, size_t bytes, gfp_t gfp,
			int node, char *why, size_t why_bytes, void **ptr);
/*
 * -EINVAL when no area starts at ptr. The pages go back at once; the range is unmapped by the next
 * purge, until which a stale pointer still reaches them, as through a TLB that was not flushed.
 */
int nslab_vmalloc_free(struct nslab_vmalloc *v, struct nslab_cpu *cpu, void *ptr);
/* Pages of the area that starts at ptr, 0 when none does. */
size_t nslab_vmalloc_pages(struct nslab_vmalloc *v, const void *ptr);
/* The page at an address within an area, in order of address; NULL when there is none. */
struct nslab_page *nslab_vmalloc_page(struct nslab_vmalloc *v, const void *ptr, size_t index);

/* Unmaps everything that waits, and empties the pools. */
void nslab_vmalloc_purge(struct nslab_vmalloc *v);
void nslab_vmalloc_stats(struct nslab_vmalloc *v, struct nslab_vmalloc_stats *stats);

#endif
