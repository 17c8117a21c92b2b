/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kmalloc.h: the size classes of kmalloc.
 *
 * Thirteen classes: powers of two from 8 to 8192 bytes, and 96 and 192 between them, as every
 * kernel from 6.1 to 6.12 has with 8-byte minimum alignment (mm/slab_common.c). Small sizes go
 * through a table of one byte for each 8 bytes of size, the others through their highest bit. A
 * class of a power of two is naturally aligned; 96 and 192 have the alignment of their largest
 * power-of-two divisor. Larger requests are whole pages. There are four types of the thirteen:
 * normal, accounted (cg), reclaimable (rcl) and DMA; the flags of a request choose.
 */
#ifndef NSLAB_COMMON_KMALLOC_H
#define NSLAB_COMMON_KMALLOC_H

#include <numaslab/allocator.h>

#define NSLAB_KMALLOC_MAX_SIZE	 ((size_t)8192) /* largest class; above are pages */
#define NSLAB_KMALLOC_TABLE_SIZE ((size_t)192)	/* largest size that the table answers */

/* What a request of 0 bytes gets: not NULL, not memory; freeing it does nothing. */
#define NSLAB_ZERO_SIZE_PTR ((void *)16)

/* True for NULL and for the pointer of size 0. */
static inline bool nslab_is_zero_or_null(const void *obj)
{
	return (uintptr_t)obj <= (uintptr_t)NSLAB_ZERO_SIZE_PTR;
}

/* Class of a size in 1 .. NSLAB_KMALLOC_MAX_SIZE: 0 .. NSLAB_KMALLOC_CLASSES - 1. */
static inline unsigned nslab_kmalloc_index(size_t size_bytes)
{
	static const uint8_t class_of[NSLAB_KMALLOC_TABLE_SIZE / 8 + 1] = {
		0, 0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6,
	};

	if (size_bytes <= NSLAB_KMALLOC_TABLE_SIZE)
		return class_of[(size_bytes + 7) >> 3];
	return 63u - (unsigned)__builtin_clzll(size_bytes - 1);
}

/* Object size of a class, in bytes. */
static inline unsigned nslab_kmalloc_class_size(unsigned index)
{
	static const uint16_t size_of[NSLAB_KMALLOC_CLASSES] = {
		8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192,
	};

	return size_of[index];
}

/* Alignment of a class, in bytes: the largest power of two that divides its size, within a page. */
static inline unsigned nslab_kmalloc_class_align(unsigned index)
{
	unsigned size = nslab_kmalloc_class_size(index);
	unsigned align = size & (0u - size);

	return align > NSLAB_PAGE_SIZE ? (unsigned)NSLAB_PAGE_SIZE : align;
}

/* Smallest order whose block holds `bytes`; above NSLAB_MAX_ORDER when none does. */
static inline unsigned nslab_order_of(size_t bytes)
{
	if (bytes <= NSLAB_PAGE_SIZE)
		return 0;
	return 64u - (unsigned)__builtin_clzll((bytes - 1) >> NSLAB_PAGE_SHIFT);
}

/* Type of a request: DMA before reclaimable before accounted, as in Linux. */
static inline enum nslab_kmalloc_type nslab_kmalloc_type_of(gfp_t gfp)
{
	if (__builtin_expect(!(gfp & (__GFP_ACCOUNT | __GFP_RECLAIMABLE | __GFP_DMA)), 1))
		return NSLAB_KMALLOC_NORMAL;
	if (gfp & __GFP_DMA)
		return NSLAB_KMALLOC_DMA;
	return gfp & __GFP_RECLAIMABLE ? NSLAB_KMALLOC_RECLAIM : NSLAB_KMALLOC_CGROUP;
}

/* Cache of a class for a request's flags. */
static inline struct kmem_cache *nslab_kmalloc_cache(const struct nslab_heap *heap, unsigned index,
						     gfp_t gfp)
{
	enum nslab_kmalloc_type type = nslab_kmalloc_type_of(gfp);

	if (__builtin_expect(type == NSLAB_KMALLOC_NORMAL, 1) || !heap->kmalloc_types)
		return heap->kmalloc[index];
	return heap->kmalloc_types[type - 1][index];
}

/* Type of one of the heap's kmalloc caches, or -1 for any other cache. */
static inline int nslab_kmalloc_cache_type(const struct nslab_heap *heap,
					   const struct kmem_cache *s)
{
	for (unsigned i = 0; i < NSLAB_KMALLOC_CLASSES; i++) {
		if (heap->kmalloc[i] == s)
			return NSLAB_KMALLOC_NORMAL;
		for (int type = 1; heap->kmalloc_types && type < NSLAB_NR_KMALLOC_TYPES; type++) {
			if (heap->kmalloc_types[type - 1][i] == s)
				return type;
		}
	}
	return -1;
}

#endif
