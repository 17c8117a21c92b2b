/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slab_table.h: the caches that a kernel shows, with their attributes, from /sys/kernel/slab or
 * from a table of it with tabs.
 */
#ifndef NSLAB_SLAB_TABLE_H
#define NSLAB_SLAB_TABLE_H

#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define NSLAB_SLAB_UNTOLD (-1) /* of a value: there is no such attribute or column */

/* Numbers of a cache; nslab_slab_column_word() gives the names that sysfs has for them. */
enum nslab_slab_column {
	NSLAB_SLAB_ORDER,
	NSLAB_SLAB_OBJECTS, /* objs_per_slab */
	NSLAB_SLAB_MIN_PARTIAL,
	NSLAB_SLAB_CPU_PARTIAL,
	NSLAB_NR_SLAB_RULES,		       /* those above are what rules predict */
	NSLAB_SLAB_SIZE = NSLAB_NR_SLAB_RULES, /* bytes from one object to the next */
	NSLAB_SLAB_OBJECT_SIZE,
	NSLAB_SLAB_ALIGN,
	NSLAB_SLAB_SHEAF_CAPACITY,
	NSLAB_SLAB_SLABS,
	NSLAB_SLAB_TOTAL,
	NSLAB_SLAB_LIVE, /* objects */
	NSLAB_SLAB_PARTIAL,
	NSLAB_SLAB_HWCACHE_ALIGN, /* from here on 0 or 1 */
	NSLAB_SLAB_RECLAIM_ACCOUNT,
	NSLAB_SLAB_CACHE_DMA,
	NSLAB_SLAB_DESTROY_BY_RCU,
	NSLAB_SLAB_RED_ZONE, /* from here on debug options */
	NSLAB_SLAB_POISON,
	NSLAB_SLAB_STORE_USER,
	NSLAB_SLAB_SANITY_CHECKS,
	NSLAB_SLAB_TRACE,
	NSLAB_NR_SLAB_COLUMNS
};

/* "order", "objs_per_slab", "min_partial", "cpu_partial", "slab_size", ... */
const char *nslab_slab_column_word(enum nslab_slab_column column);

struct nslab_slab_row {
	char *name;
	size_t line;	/* of the table; 0: a folder of sysfs */
	char *alias_of; /* the cache that it joined, which has the values; NULL */
	bool is_debug, has_ctor;
	unsigned size; /* = value[NSLAB_SLAB_SIZE] */
	int64_t value[NSLAB_NR_SLAB_COLUMNS];
};

struct nslab_slab_table {
	struct nslab_slab_row *rows;
	size_t nr, capacity;
	size_t header_line; /* where the columns are named; 0: a folder of sysfs */
	bool has_column[NSLAB_NR_SLAB_COLUMNS]; /* of a table */
};

/*
 * Reads a folder shaped like /sys/kernel/slab or a table with tabs whose first line names the
 * columns. Errors begin with path:line. The table must be freed also after an error.
 */
int nslab_slab_table_read(const char *path, struct nslab_slab_table *table, struct nslab_err *err);
/* A table that is open already; path is what errors call it. */
int nslab_slab_table_read_stream(FILE *file, const char *path, struct nslab_slab_table *table,
				 struct nslab_err *err);
void nslab_slab_table_free(struct nslab_slab_table *table);

/* -EINVAL for sizes that no kernel has together, in bytes; align 0: not told. */
int nslab_slab_sizes_check(const char *name, int64_t object_size, int64_t size, int64_t align,
			   struct nslab_err *err);

#endif
