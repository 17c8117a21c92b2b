// SPDX-License-Identifier: GPL-2.0-only
/*
 * glibc.c: the C library's malloc, called directly.
 *
 * The peer is the malloc that every process has, so nothing is preloaded; the workload calls malloc
 * and free itself, so no table stands between. The table here serves set-up and the conformance
 * suite and is the same for every malloc. It is measured as shipped: no tuning, its own memory, and
 * no node argument, so placement is the kernel's first touch.
 */
#include "allocators/common/malloc_table.h"

NSLAB_MALLOC_TABLE(glibc_ops, "glibc", "peer: glibc's malloc, called directly", "ptmalloc (glibc)",
		   NULL, NSLAB_CAP_DIRECT);
