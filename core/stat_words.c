/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stat_words.c: the names of the counters.
 *
 * The first 26 are those of Linux 6.1 with CONFIG_SLUB_STATS, the next 17 came with sheaves
 * in 6.18, the last are numaslab's own. Names are never reused for another meaning: where a kernel
 * changed what a counter means (7.0 counts fast paths at the sheaf), the backend's documentation
 * says so.
 */
#include "core/stat_words.h"

static const char *const stat_words[NSLAB_NR_STATS] = {
	[NSLAB_STAT_ALLOC_FASTPATH] = "alloc_fastpath",
	[NSLAB_STAT_ALLOC_SLOWPATH] = "alloc_slowpath",
	[NSLAB_STAT_FREE_FASTPATH] = "free_fastpath",
	[NSLAB_STAT_FREE_SLOWPATH] = "free_slowpath",
	[NSLAB_STAT_FREE_FROZEN] = "free_frozen",
	[NSLAB_STAT_FREE_ADD_PARTIAL] = "free_add_partial",
	[NSLAB_STAT_FREE_REMOVE_PARTIAL] = "free_remove_partial",
	[NSLAB_STAT_ALLOC_FROM_PARTIAL] = "alloc_from_partial",
	[NSLAB_STAT_ALLOC_SLAB] = "alloc_slab",
	[NSLAB_STAT_ALLOC_REFILL] = "alloc_refill",
	[NSLAB_STAT_ALLOC_NODE_MISMATCH] = "alloc_node_mismatch",
	[NSLAB_STAT_FREE_SLAB] = "free_slab",
	[NSLAB_STAT_CPUSLAB_FLUSH] = "cpuslab_flush",
	[NSLAB_STAT_DEACTIVATE_FULL] = "deactivate_full",
	[NSLAB_STAT_DEACTIVATE_EMPTY] = "deactivate_empty",
	[NSLAB_STAT_DEACTIVATE_TO_HEAD] = "deactivate_to_head",
	[NSLAB_STAT_DEACTIVATE_TO_TAIL] = "deactivate_to_tail",
	[NSLAB_STAT_DEACTIVATE_REMOTE_FREES] = "deactivate_remote_frees",
	[NSLAB_STAT_DEACTIVATE_BYPASS] = "deactivate_bypass",
	[NSLAB_STAT_ORDER_FALLBACK] = "order_fallback",
	[NSLAB_STAT_CMPXCHG_DOUBLE_CPU_FAIL] = "cmpxchg_double_cpu_fail",
	[NSLAB_STAT_CMPXCHG_DOUBLE_FAIL] = "cmpxchg_double_fail",
	[NSLAB_STAT_CPU_PARTIAL_ALLOC] = "cpu_partial_alloc",
	[NSLAB_STAT_CPU_PARTIAL_FREE] = "cpu_partial_free",
	[NSLAB_STAT_CPU_PARTIAL_NODE] = "cpu_partial_node",
	[NSLAB_STAT_CPU_PARTIAL_DRAIN] = "cpu_partial_drain",
	[NSLAB_STAT_ALLOC_CPU_SHEAF] = "alloc_cpu_sheaf",
	[NSLAB_STAT_FREE_CPU_SHEAF] = "free_cpu_sheaf",
	[NSLAB_STAT_FREE_RCU_SHEAF] = "free_rcu_sheaf",
	[NSLAB_STAT_FREE_RCU_SHEAF_FAIL] = "free_rcu_sheaf_fail",
	[NSLAB_STAT_SHEAF_FLUSH] = "sheaf_flush",
	[NSLAB_STAT_SHEAF_REFILL] = "sheaf_refill",
	[NSLAB_STAT_SHEAF_ALLOC] = "sheaf_alloc",
	[NSLAB_STAT_SHEAF_FREE] = "sheaf_free",
	[NSLAB_STAT_BARN_GET] = "barn_get",
	[NSLAB_STAT_BARN_GET_FAIL] = "barn_get_fail",
	[NSLAB_STAT_BARN_PUT] = "barn_put",
	[NSLAB_STAT_BARN_PUT_FAIL] = "barn_put_fail",
	[NSLAB_STAT_SHEAF_PREFILL_FAST] = "sheaf_prefill_fast",
	[NSLAB_STAT_SHEAF_PREFILL_SLOW] = "sheaf_prefill_slow",
	[NSLAB_STAT_SHEAF_PREFILL_OVERSIZE] = "sheaf_prefill_oversize",
	[NSLAB_STAT_SHEAF_RETURN_FAST] = "sheaf_return_fast",
	[NSLAB_STAT_SHEAF_RETURN_SLOW] = "sheaf_return_slow",
	[NSLAB_STAT_LIST_LOCK] = "list_lock",
	[NSLAB_STAT_REMOTE_FREE] = "remote_free",
	[NSLAB_STAT_REMOTE_BATCH] = "remote_batch",
};

const char *nslab_stat_word(enum nslab_stat stat)
{
	return stat_words[stat];
}
