/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slab_rules.h: what the rules of a kernel say of a cache, held against what the kernel itself
 * says.
 *
 * The caches come from /sys/kernel/slab or from a table of it with tabs. The stride (slab_size) is
 * always an input: it cannot be derived from what sysfs shows.
 */
#ifndef NSLAB_SLAB_RULES_H
#define NSLAB_SLAB_RULES_H

#include "allocators/common/order.h"
#include "core/err.h"

struct nslab_slab_rules {
	enum nslab_order_kernel kernel;
	struct nslab_order_knobs knobs;
	int nr_cpus; /* present ones */
};

/* What is predicted and compared, under the names of sysfs. */
enum nslab_slab_column {
	NSLAB_SLAB_ORDER,
	NSLAB_SLAB_OBJECTS,
	NSLAB_SLAB_MIN_PARTIAL,
	NSLAB_SLAB_CPU_PARTIAL,
	NSLAB_NR_SLAB_COLUMNS
};

/* "order", "objs_per_slab", "min_partial", "cpu_partial" */
const char *nslab_slab_column_word(enum nslab_slab_column column);

/* "6.1", "6.12", "6.18"; the error lists them. */
int nslab_slab_kernel_parse(const char *word, enum nslab_order_kernel *kernel,
			    struct nslab_err *err);

/* Values by column; is_debug: the cache has a debug option. -EINVAL when no slab holds an object.
 */
int nslab_slab_predict(const struct nslab_slab_rules *rules, size_t size, bool is_debug,
		       unsigned values[NSLAB_NR_SLAB_COLUMNS], struct nslab_err *err);

struct nslab_slab_row {
	char *name;
	size_t line; /* of the table; 0: a folder of sysfs */
	bool is_alias;
	bool is_debug;
	unsigned size; /* bytes from one object to the next */
	bool has_value[NSLAB_NR_SLAB_COLUMNS];
	unsigned value[NSLAB_NR_SLAB_COLUMNS];
};

struct nslab_slab_table {
	struct nslab_slab_row *rows;
	size_t nr, capacity;
};

/*
 * Reads a folder shaped like /sys/kernel/slab or a table with tabs whose first line names the
 * columns. Errors begin with path:line. The table must be freed also after an error.
 */
int nslab_slab_table_read(const char *path, struct nslab_slab_table *table, struct nslab_err *err);
void nslab_slab_table_free(struct nslab_slab_table *table);

#endif
