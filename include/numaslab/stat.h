/* SPDX-License-Identifier: MIT */
/*
 * stat.h: what a cache can tell about itself: slabs and objects now, events since it was made.
 */
#ifndef NUMASLAB_STAT_H
#define NUMASLAB_STAT_H

#include <numaslab/types.h>

enum nslab_stat {
	NSLAB_STAT_ALLOC_FASTPATH,
	NSLAB_STAT_ALLOC_SLOWPATH,
	NSLAB_STAT_FREE_FASTPATH,
	NSLAB_STAT_FREE_SLOWPATH,
	NSLAB_STAT_FREE_FROZEN,
	NSLAB_STAT_FREE_ADD_PARTIAL,
	NSLAB_STAT_FREE_REMOVE_PARTIAL,
	NSLAB_STAT_ALLOC_FROM_PARTIAL,
	NSLAB_STAT_ALLOC_SLAB,
	NSLAB_STAT_ALLOC_REFILL,
	NSLAB_STAT_ALLOC_NODE_MISMATCH,
	NSLAB_STAT_FREE_SLAB,
	NSLAB_STAT_CPUSLAB_FLUSH,
	NSLAB_STAT_DEACTIVATE_FULL,
	NSLAB_STAT_DEACTIVATE_EMPTY,
	NSLAB_STAT_DEACTIVATE_TO_HEAD,
	NSLAB_STAT_DEACTIVATE_TO_TAIL,
	NSLAB_STAT_DEACTIVATE_REMOTE_FREES,
	NSLAB_STAT_DEACTIVATE_BYPASS,
	NSLAB_STAT_ORDER_FALLBACK,
	NSLAB_STAT_CMPXCHG_DOUBLE_CPU_FAIL,
	NSLAB_STAT_CMPXCHG_DOUBLE_FAIL,
	NSLAB_STAT_CPU_PARTIAL_ALLOC,
	NSLAB_STAT_CPU_PARTIAL_FREE,
	NSLAB_STAT_CPU_PARTIAL_NODE,
	NSLAB_STAT_CPU_PARTIAL_DRAIN,
	/* per-CPU sheaves, from Linux 6.18 on */
	NSLAB_STAT_ALLOC_CPU_SHEAF,
	NSLAB_STAT_FREE_CPU_SHEAF,
	NSLAB_STAT_FREE_RCU_SHEAF,
	NSLAB_STAT_FREE_RCU_SHEAF_FAIL,
	NSLAB_STAT_SHEAF_FLUSH,
	NSLAB_STAT_SHEAF_REFILL,
	NSLAB_STAT_SHEAF_ALLOC,
	NSLAB_STAT_SHEAF_FREE,
	NSLAB_STAT_BARN_GET,
	NSLAB_STAT_BARN_GET_FAIL,
	NSLAB_STAT_BARN_PUT,
	NSLAB_STAT_BARN_PUT_FAIL,
	NSLAB_STAT_SHEAF_PREFILL_FAST,
	NSLAB_STAT_SHEAF_PREFILL_SLOW,
	NSLAB_STAT_SHEAF_PREFILL_OVERSIZE,
	NSLAB_STAT_SHEAF_RETURN_FAST,
	NSLAB_STAT_SHEAF_RETURN_SLOW,
	/* numaslab's own, for every backend that has the thing */
	NSLAB_STAT_LIST_LOCK,	 /* acquisitions of a node's list lock */
	NSLAB_STAT_REMOTE_FREE,	 /* objects freed on a CPU of another node */
	NSLAB_STAT_REMOTE_BATCH, /* batches in which remote objects went home */
	NSLAB_NR_STATS
};

struct nslab_cache_stats {
	uint64_t nr_slabs;    /* slabs that exist */
	uint64_t nr_pages;    /* pages in them */
	uint64_t nr_partial;  /* slabs on node partial lists */
	uint64_t nr_objects;  /* object slots in all slabs */
	uint64_t nr_free;     /* slots not handed out: in slabs and in per-CPU layers */
	uint64_t nr_cpu_free; /* of nr_free, held by per-CPU layers; needs quiesced handles */
	uint64_t stat[NSLAB_NR_STATS]; /* 0 unless counted; see `is_counted` */
	bool is_counted;	       /* stat[] was kept (parameter `stats` or a debug build) */
};

#endif
