// SPDX-License-Identifier: GPL-2.0-only
/*
 * libc.c: the C library's malloc behind the plug-in table.
 *
 * Shows what the table itself costs a malloc: the same library as glibc's row, called through two
 * more indirect calls. Ratios to peers never use this row as their base. It has no memory of the
 * arena and ignores the node argument; a constructor runs at each allocation, since malloc keeps
 * no objects, so it does not claim constructors.
 */
#include "allocators/common/malloc_table.h"

NSLAB_MALLOC_TABLE(libc_ops, "libc", "the C library's malloc, called through the table",
		   "the process's malloc", NULL, 0);
