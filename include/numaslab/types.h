/* SPDX-License-Identifier: MIT */
/*
 * types.h: the words every plug-in shares.
 *
 * Pages are the *modelled* page: always 4096 bytes, whatever the host's page size is, so that
 * order rules and slab counts mean the same on every machine. Nodes are arena nodes: dense
 * numbers from 0, one for each NUMA node that has memory and is in use; the topology layer maps
 * them to the OS index. gfp flags carry the kernel's names; the bit numbers are numaslab's own
 * (the kernel's differ from release to release).
 */
#ifndef NUMASLAB_TYPES_H
#define NUMASLAB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSLAB_PAGE_SHIFT 12
#define NSLAB_PAGE_SIZE	 ((size_t)1 << NSLAB_PAGE_SHIFT)
#define NSLAB_MAX_ORDER	 10 /* largest block: 4 MiB, as MAX_PAGE_ORDER since Linux 6.8 */
#define NSLAB_CACHE_LINE 64 /* bytes; used for alignment of shared words */
#define NSLAB_NAME_MAX	 48 /* bytes with the ending NUL, for names of caches and plug-ins */
#define NSLAB_MAX_CPUS	 1024
#define NSLAB_MAX_NODES	 256

#define NUMA_NO_NODE (-1)

#define NSLAB_ALIGNED(n) __attribute__((aligned(n)))
#define NSLAB_EXPORT	 __attribute__((visibility("default")))

typedef uint32_t gfp_t;

#define __GFP_ZERO	     ((gfp_t)1 << 0) /* clear the memory */
#define __GFP_HIGH	     ((gfp_t)1 << 1) /* may use part of the reserve */
#define __GFP_DIRECT_RECLAIM ((gfp_t)1 << 2) /* the caller may sleep */
#define __GFP_KSWAPD_RECLAIM ((gfp_t)1 << 3)
#define __GFP_THISNODE	     ((gfp_t)1 << 4) /* the asked node or nothing */
#define __GFP_NOWARN	     ((gfp_t)1 << 5)
#define __GFP_NORETRY	     ((gfp_t)1 << 6)
#define __GFP_NOFAIL	     ((gfp_t)1 << 7)
#define __GFP_COMP	     ((gfp_t)1 << 8) /* compound page: tail frames find their head */
#define __GFP_ACCOUNT	     ((gfp_t)1 << 9)
#define __GFP_RECLAIMABLE    ((gfp_t)1 << 10)
#define __GFP_MOVABLE	     ((gfp_t)1 << 11)
#define __GFP_DMA	     ((gfp_t)1 << 12)
#define __GFP_MEMALLOC	     ((gfp_t)1 << 13)
#define __GFP_NOMEMALLOC     ((gfp_t)1 << 14)

#define GFP_KERNEL (__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define GFP_ATOMIC (__GFP_HIGH | __GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT (__GFP_KSWAPD_RECLAIM | __GFP_NOWARN)

/* A doubly linked list with a head of its own, as in the kernel; the code is in core/list.h. */
struct nslab_list {
	struct nslab_list *next, *prev;
};

struct nslab_env;
struct nslab_cpu;
struct nslab_heap;
struct kmem_cache;
struct nslab_sheaf;
struct nslab_page;

/* The structure that holds `member` at `ptr`: how a plug-in reaches its own data from a base. */
#define nslab_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
