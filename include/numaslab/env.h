/* SPDX-License-Identifier: MIT */
/*
 * env.h: the services of the host that a backend or a workload may ask for.
 */
#ifndef NUMASLAB_ENV_H
#define NUMASLAB_ENV_H

#include <numaslab/page.h>
#include <numaslab/types.h>

struct nslab_cma;

/*
 * Everything a backend may ask for. Pages come ONLY from here: one place for placement, huge
 * pages, accounting, failure injection and simulated nodes.
 */
struct nslab_env {
	const struct nslab_arena *arena;
	uint64_t seed; /* of this trial; every random choice of a backend derives from it */
	/*
	 * 2^order pages. node NUMA_NO_NODE: the CPU's node first, then others by distance. With a
	 * node: that one first, and only that one under __GFP_THISNODE. cpu may be NULL (control
	 * calls). NULL when nothing is left. Tail frames lead to the head (nslab_page_of).
	 */
	struct nslab_page *(*alloc_pages)(const struct nslab_env *env, struct nslab_cpu *cpu,
					  unsigned order, gfp_t gfp, int node);
	void (*free_pages)(const struct nslab_env *env, struct nslab_cpu *cpu,
			   struct nslab_page *page, unsigned order);
	/* Zeroed, cache-line aligned memory for handles and tables, on `node` when it can be. */
	void *(*alloc_meta)(const struct nslab_env *env, size_t bytes, int node);
	void (*free_meta)(const struct nslab_env *env, void *ptr, size_t bytes);
	/*
	 * One line for the user (a found corruption, a leak); no newline in it. It fails the trial
	 * or check, unless it begins with "note: ".
	 */
	void (*report)(const struct nslab_env *env, const char *format, ...)
		__attribute__((format(printf, 2, 3)));
	/*
	 * Virtually contiguous memory from single pages of an arena of its own; both NULL when the
	 * host has none. NULL when pages or mappings run out, reported unless __GFP_NOWARN. vfree:
	 * false when no such area starts at ptr.
	 */
	void *(*vmalloc)(const struct nslab_env *env, struct nslab_cpu *cpu, size_t size_bytes,
			 gfp_t gfp, int node);
	bool (*vfree)(const struct nslab_env *env, struct nslab_cpu *cpu, const void *ptr);
	/*
	 * What workloads of the page layer need besides; NULL in the env that a backend behind the
	 * debug layer gets. An area of nr_pages (rounded up to 4 MiB) of never used memory of a
	 * node, which movable requests may use until a contiguous range is wanted: made off the
	 * clock, closed with everything freed. 0, -EINVAL, -ENOMEM when the node has no such range
	 * left, -EOPNOTSUPP when the page allocator cannot lend.
	 */
	int (*cma_open)(const struct nslab_env *env, int node, size_t nr_pages,
			struct nslab_cma **cma);
	void (*cma_close)(const struct nslab_env *env, struct nslab_cma *cma);
	/*
	 * nr_pages in a row from a multiple of 2^align_order pages. By any thread. -EINVAL, -ENOMEM
	 * when no run is free or there is nowhere to move what stands there, -EBUSY when every free
	 * run held something that cannot be moved. cma_free: -EINVAL when it is no such range.
	 */
	int (*cma_alloc)(const struct nslab_env *env, struct nslab_cma *cma, size_t nr_pages,
			 unsigned align_order, struct nslab_page **first);
	int (*cma_free)(const struct nslab_env *env, struct nslab_cma *cma,
			struct nslab_page *first, size_t nr_pages);
	/* As the page plug-in's calls of these names. */
	int (*set_mover)(const struct nslab_env *env, struct nslab_page *page,
			 struct nslab_page_mover *mover);
	int (*zone_stats)(const struct nslab_env *env, int zone, struct nslab_zone_stats *stats);
};

static inline int nslab_node_of(const struct nslab_env *env, const void *ptr)
{
	return (int)(((uintptr_t)ptr - env->arena->base) >> env->arena->node_shift);
}

/* True when ptr lies in the arena at all. */
static inline bool nslab_is_arena(const struct nslab_env *env, const void *ptr)
{
	const struct nslab_arena *a = env->arena;

	return (uintptr_t)ptr - a->base < (uintptr_t)a->nr_nodes << a->node_shift;
}

/* Record of the frame that holds ptr, which may be a tail of its block. */
static inline struct nslab_page *nslab_frame_of(const struct nslab_env *env, const void *ptr)
{
	return env->arena->pages + (((uintptr_t)ptr - env->arena->base) >> NSLAB_PAGE_SHIFT);
}

/* Record of the head of the block that holds ptr; ptr must lie in an allocated block. */
static inline struct nslab_page *nslab_page_of(const struct nslab_env *env, const void *ptr)
{
	struct nslab_page *frame = nslab_frame_of(env, ptr);

	return frame - frame->head;
}

static inline void *nslab_page_address(const struct nslab_env *env, const struct nslab_page *page)
{
	return nslab_arena_address(env->arena, page);
}

#endif
