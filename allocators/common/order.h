/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * order.h: the rules that turn a stride into a slab: order, and how many slabs are kept. What makes
 * the stride is in object_layout.h.
 *
 * Pure functions of their arguments, in the modelled page of 4096 bytes, so that a model, a test
 * and a tuner compute the same numbers. Two generations of the order rule are here: `old` is that
 * of Linux 6.1, `new` that of 6.8 and later; they differ for objects of 10928 to 12280 bytes and
 * for unusual knobs. Orders are errors (-E2BIG) above NSLAB_MAX_ORDER.
 *
 * A kernel is named by the release whose rules were checked: 6.1 stands for all up to 6.6, 6.12 for
 * 6.8 to 6.17, 6.18 for 6.18 and 6.19.
 */
#ifndef NSLAB_ORDER_H
#define NSLAB_ORDER_H

#include "allocators/common/kmalloc.h"

#include <errno.h>
#include <numaslab/allocator.h>

/* A slab's object count has 15 bits in its counter word. */
#define NSLAB_ORDER_OBJECTS_MAX 32767u

/* The three boot parameters, all of them global. */
struct nslab_order_knobs {
	unsigned min_order;   /* slab_min_order, 0 */
	unsigned max_order;   /* slab_max_order, 3 */
	unsigned min_objects; /* slab_min_objects, 0: by the number of CPUs */
};

#define NSLAB_ORDER_KNOBS_DEFAULT                                                                  \
 {                                                                                                 \
  .min_order = 0, .max_order = 3, .min_objects = 0                                                 \
 }

enum nslab_order_kernel {
	NSLAB_ORDER_6_1,
	NSLAB_ORDER_6_12,
	NSLAB_ORDER_6_18,
	NSLAB_NR_ORDER_KERNELS
};

static inline const char *nslab_order_kernel_word(enum nslab_order_kernel kernel)
{
	static const char *const words[NSLAB_NR_ORDER_KERNELS] = {"6.1", "6.12", "6.18"};

	return words[kernel];
}

static inline size_t nslab_order_bytes(unsigned order)
{
	return NSLAB_PAGE_SIZE << order;
}

static inline size_t nslab_order_objects(size_t size, unsigned order)
{
	return nslab_order_bytes(order) / size;
}

static inline unsigned nslab_order_log2(size_t n)
{
	return n ? 63u - (unsigned)__builtin_clzll(n) : 0;
}

/* Objects that a slab should hold on a machine with that many CPUs. */
static inline unsigned nslab_order_min_objects(int nr_cpus)
{
	return 4 * (nslab_order_log2((size_t)(nr_cpus < 1 ? 1 : nr_cpus)) + 2);
}

static inline unsigned nslab_order_max(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* Is at most 1/fraction of the block left over at its end? */
static inline bool nslab_order_fits(size_t size, unsigned order, unsigned fraction)
{
	size_t block = nslab_order_bytes(order);

	return block >= size && block % size <= block / fraction;
}

/* Smallest order in from..to that fits, or -1. */
static inline int nslab_order_search(size_t size, unsigned from, unsigned to, unsigned fraction)
{
	for (unsigned order = from; order <= to; order++) {
		if (nslab_order_fits(size, order, fraction))
			return (int)order;
	}
	return -1;
}

static inline int nslab_order_checked(unsigned order)
{
	return order <= NSLAB_MAX_ORDER ? (int)order : -E2BIG;
}

/* Wanted objects per slab, never more than the largest allowed slab holds. */
static inline size_t nslab_order_wanted(size_t size, const struct nslab_order_knobs *knobs,
					int nr_cpus)
{
	size_t wanted = knobs->min_objects ? knobs->min_objects : nslab_order_min_objects(nr_cpus);
	size_t most = nslab_order_objects(size, knobs->max_order);

	return wanted < most ? wanted : most;
}

/* Linux 6.8 and later: one range of orders, tried at ever coarser fractions. */
static inline int nslab_order_new(size_t size, const struct nslab_order_knobs *knobs, int nr_cpus)
{
	size_t wanted = nslab_order_wanted(size, knobs, nr_cpus);
	unsigned from =
		nslab_order_max(knobs->min_order, nslab_order_of((wanted ? wanted : 1) * size));

	if (nslab_order_objects(size, from) > NSLAB_ORDER_OBJECTS_MAX)
		return nslab_order_checked(nslab_order_of(size * NSLAB_ORDER_OBJECTS_MAX) - 1);
	for (unsigned fraction = 16; fraction > 1; fraction /= 2) {
		int order = nslab_order_search(size, from, knobs->max_order, fraction);

		if (order >= 0)
			return order;
	}
	return nslab_order_checked(nslab_order_of(size));
}

/* Linux 6.1: gives up objects one by one until a fraction of a quarter or less is left over. */
static inline int nslab_order_old(size_t size, const struct nslab_order_knobs *knobs, int nr_cpus)
{
	unsigned least = nslab_order_max(knobs->min_order, nslab_order_of(size));

	if (nslab_order_objects(size, knobs->min_order) > NSLAB_ORDER_OBJECTS_MAX)
		return nslab_order_checked(nslab_order_of(size * NSLAB_ORDER_OBJECTS_MAX) - 1);
	for (size_t wanted = nslab_order_wanted(size, knobs, nr_cpus); wanted > 1; wanted--) {
		unsigned from = nslab_order_max(knobs->min_order, nslab_order_of(wanted * size));

		for (unsigned fraction = 16; fraction >= 4; fraction /= 2) {
			int order = nslab_order_search(size, from, knobs->max_order, fraction);

			if (order >= 0)
				return order;
		}
	}
	return nslab_order_checked(least); /* one object; min_order holds even above max_order */
}

static inline int nslab_order_by_kernel(enum nslab_order_kernel kernel, size_t size,
					const struct nslab_order_knobs *knobs, int nr_cpus)
{
	return kernel == NSLAB_ORDER_6_1 ? nslab_order_old(size, knobs, nr_cpus)
					 : nslab_order_new(size, knobs, nr_cpus);
}

/*
 * One boot parameter after another, in the order of the kernel's command line: since 6.8 the one
 * that comes later pulls the other along. 6.1 keeps both as they are.
 */
static inline void nslab_order_set_min(enum nslab_order_kernel kernel,
				       struct nslab_order_knobs *knobs, unsigned order)
{
	knobs->min_order = order;
	if (kernel != NSLAB_ORDER_6_1 && knobs->max_order < order)
		knobs->max_order = order;
}

static inline void nslab_order_set_max(enum nslab_order_kernel kernel,
				       struct nslab_order_knobs *knobs, unsigned order)
{
	knobs->max_order = order < NSLAB_MAX_ORDER ? order : NSLAB_MAX_ORDER;
	if (kernel != NSLAB_ORDER_6_1 && knobs->min_order > knobs->max_order)
		knobs->min_order = knobs->max_order;
}

/* Slabs that a node keeps although they are empty. */
static inline unsigned nslab_order_min_partial(size_t size)
{
	unsigned half = nslab_order_log2(size) / 2;

	return half < 5 ? 5 : half > 10 ? 10 : half;
}

/* Objects that a CPU keeps on its partial slabs. */
static inline unsigned nslab_order_cpu_partial(size_t size)
{
	if (size >= NSLAB_PAGE_SIZE)
		return 6;
	if (size >= 1024)
		return 24;
	if (size >= 256)
		return 52;
	return 120;
}

/* The same as slabs, on the assumption that they are half full. */
static inline unsigned nslab_order_cpu_partial_slabs(unsigned cpu_partial, unsigned objects)
{
	return (2 * cpu_partial + objects - 1) / objects;
}

#endif
