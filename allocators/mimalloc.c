// SPDX-License-Identifier: GPL-2.0-only
/*
 * mimalloc.c: mimalloc, called directly.
 *
 * The peer is a malloc library, preloaded into the trial's process; the workload calls malloc and
 * free itself, so no table stands between. The table here serves set-up and the conformance suite
 * and is the same for every malloc. It is measured as shipped: no tuning, its own memory, and no
 * node argument, so placement is the kernel's first touch.
 */
#include "allocators/common/malloc_table.h"

NSLAB_MALLOC_TABLE(mimalloc_ops, "mimalloc", "peer: mimalloc, preloaded and called directly",
		   "mimalloc 2", "libmimalloc.so.2.0", NSLAB_CAP_DIRECT);
