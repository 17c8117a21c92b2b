/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slab_rules.h: what the rules of a kernel say of a cache, to be held against what the kernel
 * itself says (slab_table.h).
 *
 * The stride (slab_size) is always an input: it cannot be derived from what sysfs shows.
 */
#ifndef NSLAB_SLAB_RULES_H
#define NSLAB_SLAB_RULES_H

#include "allocators/common/order.h"
#include "runner/slab_table.h"

struct nslab_slab_rules {
	enum nslab_order_kernel kernel;
	struct nslab_order_knobs knobs;
	int nr_cpus; /* present ones */
};

/* A release: "6.1", "6.12.48", "6.18.44-amd64"; the error lists those whose rules are known. */
int nslab_slab_kernel_parse(const char *word, enum nslab_order_kernel *kernel,
			    struct nslab_err *err);

/* Values by column; is_debug: the cache has a debug option. -EINVAL when no slab holds an object.
 */
int nslab_slab_predict(const struct nslab_slab_rules *rules, size_t size, bool is_debug,
		       unsigned values[NSLAB_NR_SLAB_RULES], struct nslab_err *err);

#endif
