/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * permutation.h: a random order drawn ahead, so that a timed loop draws no number for each object.
 *
 * It is written twice, one behind the other: from any of its first nr places on, nr entries are
 * distinct.
 */
#ifndef NSLAB_WORKLOADS_PERMUTATION_H
#define NSLAB_WORKLOADS_PERMUTATION_H

#include "core/rng.h"
#include "workloads/common.h"

/* [2 * nr], by Fisher and Yates; freed with free(). NULL when memory is out. */
static inline uint32_t *nslab_permutation_create(uint32_t nr, uint64_t *rng)
{
	uint32_t *slots = nslab_apart_alloc(2 * (size_t)nr * sizeof(*slots));

	if (!slots)
		return NULL;
	for (uint32_t i = 0; i < nr; i++) {
		uint32_t j = nslab_rng_below(rng, i + 1);

		slots[i] = slots[j];
		slots[j] = i;
	}
	memcpy(slots + nr, slots, nr * sizeof(*slots));
	return slots;
}

#endif
