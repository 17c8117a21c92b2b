/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * design.c: seeds of trials and the order of arms, mixed from the plan's seed and their place.
 *
 * Both depend on the place alone and on nothing that happened before, so a run that goes on after
 * it was killed has the same, and a file can be held against its own seed. The order is a shuffle
 * of Fisher and Yates. A block that runs again gets another order and other seeds: what spoiled it
 * may have been its place in time.
 */
#include "results/design.h"

#include "core/rng.h"

static uint64_t design_again(uint64_t seed, int attempt)
{
	return attempt ? nslab_rng_mix(seed, (uint64_t)attempt) : seed;
}

uint64_t nslab_design_seed(uint64_t seed, int block, size_t family, size_t arm, int attempt)
{
	uint64_t of_block = nslab_rng_mix(seed, (uint64_t)block);

	return design_again(nslab_rng_mix(nslab_rng_mix(of_block, family), arm), attempt);
}

void nslab_design_order(uint64_t seed, int block, int attempt, size_t family, size_t nr_families,
			size_t *order, size_t nr_arms)
{
	uint64_t place = (uint64_t)block * nr_families + family;
	uint64_t state = design_again(nslab_rng_mix(seed, place), attempt);

	for (size_t i = 0; i < nr_arms; i++)
		order[i] = i;
	for (size_t i = nr_arms; i > 1; i--) {
		size_t j = nslab_rng_below(&state, (uint32_t)i);
		size_t swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
}
