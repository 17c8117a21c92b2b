/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * encode.h: the tables of a trace as JSON, and back.
 */
#ifndef NSLAB_TRACE_ENCODE_H
#define NSLAB_TRACE_ENCODE_H

#include "workloads/trace/trace.h"

#include <jansson.h>

/* All but shapes, born and what the header has: a text to free(), or NULL without memory. */
char *nslab_trace_encode(const struct nslab_trace_tables *tables);

/* Rows made from JSON; their texts live in the JSON. All zeros is empty. */
struct nslab_trace_decoded {
	struct nslab_trace_cache *caches;
	struct nslab_trace_kernel_cache *kernel_caches;
	struct nslab_trace_attr *attrs;
	struct nslab_trace_cpu *cpus;
	const char **sites;
};

/* Fills `tables` and `decoded`, which the caller frees in any case: -EINVAL, -ENOMEM. */
int nslab_trace_decode(json_t *json, struct nslab_trace_tables *tables,
		       struct nslab_trace_decoded *decoded, struct nslab_err *err);
void nslab_trace_decoded_free(struct nslab_trace_decoded *decoded);

/* "normal", "rcl", "cgroup", "dma". */
const char *nslab_trace_kmalloc_word(enum nslab_trace_kmalloc_type type);

#endif
