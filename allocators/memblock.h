/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memblock.h: memory before there is a page allocator: what exists, and what is taken.
 *
 * Addresses are bytes of any space the user likes; the page layer uses frame numbers << 12.
 */
#ifndef NSLAB_MEMBLOCK_H
#define NSLAB_MEMBLOCK_H

#include <numaslab/types.h>

#define NSLAB_MEMBLOCK_STATIC 128 /* regions before the first doubling */

struct nslab_memblock_region {
	uint64_t base, size; /* bytes */
	int node;	     /* NUMA_NO_NODE in the reserved array */
	unsigned flags;	     /* the user's; regions with different flags do not merge */
};

/* Sorted by base, without overlap; neighbours differ in node or flags, or do not touch. */
struct nslab_memblock_array {
	size_t nr, max;
	struct nslab_memblock_region *regions; /* fixed[], or allocated once that was too small */
	struct nslab_memblock_region fixed[NSLAB_MEMBLOCK_STATIC];
};

struct nslab_memblock {
	struct nslab_memblock_array memory, reserved;
	bool is_bottom_up; /* false at first: from the highest address down */
};

/* Must not be moved or copied afterwards. */
void nslab_memblock_init(struct nslab_memblock *m);
void nslab_memblock_exit(struct nslab_memblock *m);

/*
 * Ranges may overlap what is there; only what is new is added. -EINVAL for a range that wraps
 * around, -ENOMEM when an array cannot grow (nothing has changed then).
 */
int nslab_memblock_add(struct nslab_memblock *m, uint64_t base, uint64_t size, int node,
		       unsigned flags);
int nslab_memblock_remove(struct nslab_memblock *m, uint64_t base, uint64_t size);
int nslab_memblock_reserve(struct nslab_memblock *m, uint64_t base, uint64_t size);
int nslab_memblock_free(struct nslab_memblock *m, uint64_t base, uint64_t size);

/*
 * Reserves size bytes at a multiple of align (a power of two): on `node`, else on any node unless
 * is_exact. -EINVAL, -ENOMEM.
 */
int nslab_memblock_alloc(struct nslab_memblock *m, uint64_t size, uint64_t align, int node,
			 bool is_exact, uint64_t *base);

/* The range of memory that is not reserved, at or after `from`; false when there is none. */
bool nslab_memblock_next_free(const struct nslab_memblock *m, uint64_t from,
			      struct nslab_memblock_region *range);

uint64_t nslab_memblock_bytes(const struct nslab_memblock_array *array);

/*
 * Cuts frames pfn .. end - 1 into the largest aligned blocks, in address order, for whoever takes
 * over: order of the block that starts at pfn.
 */
static inline unsigned nslab_memblock_order(uint64_t pfn, uint64_t end)
{
	unsigned order = pfn ? (unsigned)__builtin_ctzll(pfn) : NSLAB_MAX_ORDER;

	if (order > NSLAB_MAX_ORDER)
		order = NSLAB_MAX_ORDER;
	while (pfn + ((uint64_t)1 << order) > end)
		order--;
	return order;
}

#endif
