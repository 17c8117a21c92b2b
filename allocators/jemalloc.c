// SPDX-License-Identifier: GPL-2.0-only
/*
 * jemalloc.c: jemalloc, called directly.
 *
 * The peer is a malloc library, preloaded into the trial's process; the workload calls malloc and
 * free itself, so no table stands between. The table here serves set-up and the conformance suite
 * and is the same for every malloc. It is measured as shipped: no tuning, its own memory, and no
 * node argument, so placement is the kernel's first touch.
 */
#include "allocators/common/malloc_table.h"

NSLAB_MALLOC_TABLE(jemalloc_ops, "jemalloc", "peer: jemalloc, preloaded and called directly",
		   "jemalloc 5", "libjemalloc.so.2", NSLAB_CAP_DIRECT);
