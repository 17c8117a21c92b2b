/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * common.h: what every built-in workload repeats: worker states on cache lines of their own, and
 * the counts that verify() judges after all workers left.
 */
#ifndef NSLAB_WORKLOADS_COMMON_H
#define NSLAB_WORKLOADS_COMMON_H

#include <numaslab/object.h>

/* Two lines: the prefetcher of many CPUs fetches lines in pairs. */
#define NSLAB_APART 128 /* bytes */

/* Largest object a built-in workload asks for; kmalloc goes beyond it, a cache of one type rarely.
 */
#define NSLAB_WORKLOAD_SIZE_MAX 65536 /* bytes */

/* The row that every workload of one object type has; `state` begins with an int64_t size. */
#define NSLAB_SIZE_ROW(params)                                                                     \
 {                                                                                                 \
  .name = "size", .type = NSLAB_PARAM_INT, .offset = offsetof(struct params, size), .def = "64",   \
  .min = 8, .max = NSLAB_WORKLOAD_SIZE_MAX, .help = "bytes of each object"                         \
 }

/* Zeroed memory that shares no pair of cache lines with anything else. */
static inline void *nslab_apart_alloc(size_t bytes)
{
	size_t rounded = (bytes + NSLAB_APART - 1) & ~(size_t)(NSLAB_APART - 1);
	void *ptr = aligned_alloc(NSLAB_APART, rounded);

	return ptr ? memset(ptr, 0, rounded) : NULL;
}

/* What workers report when they leave; touched only then. */
struct nslab_tally {
	atomic_uint_fast64_t nr_failed; /* workers that met an allocation failure */
};

static inline int nslab_tally_verdict(const struct nslab_tally *tally)
{
	return atomic_load(&tally->nr_failed) ? -ENOMEM : 0;
}

/*
 * The worker's own copy of an object type: with the compiler keeping it in registers the loop reads
 * nothing shared, and NSLAB_ENTRY_NONE stores into memory that no other worker touches.
 */
static inline int nslab_object_type_copy(const struct nslab_object_type *from,
					 struct nslab_object_type *to)
{
	*to = *from;
	to->scratch = nslab_apart_alloc(from->size_bytes);
	return to->scratch ? 0 : -ENOMEM;
}

#endif
