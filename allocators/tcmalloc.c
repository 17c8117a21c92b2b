// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcmalloc.c: tcmalloc without its profiler, called directly.
 *
 * The peer is a malloc library, preloaded into the trial's process; the workload calls malloc and
 * free itself, so no table stands between. The table here serves set-up and the conformance suite
 * and is the same for every malloc. It is measured as shipped: no tuning, its own memory, and no
 * node argument, so placement is the kernel's first touch.
 */
#include "allocators/common/malloc_table.h"

NSLAB_MALLOC_TABLE(tcmalloc_ops, "tcmalloc",
		   "peer: tcmalloc_minimal, preloaded and called directly", "gperftools tcmalloc",
		   "libtcmalloc_minimal.so.4", NSLAB_CAP_DIRECT);
