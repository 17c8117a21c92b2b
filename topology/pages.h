/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages.h: node arenas: one contiguous reservation whose parts are bound to NUMA nodes.
 *
 * Memory is mapped without backing, bound with mbind before anything touches it, and verified
 * afterwards by asking the kernel where a sample of touched pages really is. What the kernel
 * refuses (seccomp, cpuset, no such node) is found by probing and told as a reason; nothing
 * pretends that a page is where it was asked to be.
 */
#ifndef NSLAB_PAGES_H
#define NSLAB_PAGES_H

#include "topology/placement.h"

#include <numaslab/page.h>

enum nslab_huge_policy {
	NSLAB_HUGE_NEVER, /* MADV_NOHUGEPAGE: the default, so that runs do not depend on THP mode */
	NSLAB_HUGE_THP,	  /* MADV_HUGEPAGE */
	NSLAB_HUGE_SYSTEM,  /* whatever the system does */
	NSLAB_HUGE_HUGETLB, /* MAP_HUGETLB: of the kernel's pool, which must hold the arena; a node
			     * whose share of the pool is too small shows as SIGBUS on first touch
			     */
};

struct nslab_arena_spec {
	const struct nslab_topo *topo;
	struct nslab_memory memory; /* decides which parts there are and how each is bound */
	enum nslab_huge_policy huge;
	size_t node_bytes; /* of each part; rounded up to 4 MiB; 0: a default */
	int nr_cpus;	   /* for struct nslab_arena */
};

struct nslab_arena_map;

/* What nslab_arena_verify found. */
struct nslab_page_check {
	unsigned nr_sampled;   /* touched host pages that were asked for */
	unsigned nr_resident;  /* of them, resident */
	unsigned nr_right;     /* of them, on a node that the policy allows */
	double hit_rate;       /* nr_right / nr_resident; 1 is all; NaN when nothing was resident */
	char unavailable[256]; /* "" or why placement could not be asked for or checked */
};

/*
 * local, node:N and remote: one part per node with memory, each bound (MPOL_BIND) to it.
 * interleave: one part, MPOL_INTERLEAVE. first-touch: one part, no policy. Simulated topologies:
 * one part per simulated node, no policy. When the kernel refuses binding, the arena is made
 * without it and nslab_arena_unavailable() gives the reason.
 */
int nslab_arena_map_open(const struct nslab_arena_spec *spec, struct nslab_arena_map **map,
			 struct nslab_err *err);
/*
 * A second arena, placed as this one is, over a file in memory, so that its pages can be mapped
 * once more. node_bytes 0: as large. The first one may be closed before.
 */
int nslab_arena_map_open_shared(const struct nslab_arena_map *like, size_t node_bytes,
				struct nslab_arena_map **map, struct nslab_err *err);
void nslab_arena_map_close(struct nslab_arena_map *map);

const struct nslab_arena *nslab_arena_map_arena(const struct nslab_arena_map *map);

/* The file behind a shared arena (byte 0 is at the arena's base), else -1. */
int nslab_arena_map_fd(const struct nslab_arena_map *map);

/* Arena node of a position in topo->nodes; -1 asks for the single part of interleave etc. */
int nslab_arena_map_node(const struct nslab_arena_map *map, int topo_node);

/* "" or "seccomp: mbind: Operation not permitted", "cpuset allows no node 1", ... */
const char *nslab_arena_unavailable(const struct nslab_arena_map *map);

/*
 * Asks the kernel for the node of up to max_pages host pages that hold allocated frames (records
 * with NSLAB_PAGE_HEAD), chosen with `seed`.
 */
int nslab_arena_verify(struct nslab_arena_map *map, unsigned max_pages, uint64_t seed,
		       struct nslab_page_check *check, struct nslab_err *err);

/* Zeroed, cache-line aligned memory on an arena node, for handles and tables. */
void *nslab_arena_alloc_meta(struct nslab_arena_map *map, size_t bytes, int node);
void nslab_arena_free_meta(struct nslab_arena_map *map, void *ptr, size_t bytes);

#endif
