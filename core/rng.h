/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rng.h: seeded random numbers (splitmix64; Steele, Lea, Flood, OOPSLA 2014).
 *
 * One 64-bit word of state, so a stream costs one cache line at most and every worker has its own.
 * nslab_rng_mix derives independent streams from one recorded seed: run seed, block, arm, worker.
 */
#ifndef NSLAB_CORE_RNG_H
#define NSLAB_CORE_RNG_H

#include <stdint.h>

static inline uint64_t nslab_rng_finish(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline uint64_t nslab_rng_next(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	return nslab_rng_finish(*state);
}

/* 0 .. bound - 1 by multiplication; the bias is below 2^-32 for bounds below 2^32. */
static inline uint32_t nslab_rng_below(uint64_t *state, uint32_t bound)
{
	return (uint32_t)(((nslab_rng_next(state) >> 32) * bound) >> 32);
}

static inline uint64_t nslab_rng_mix(uint64_t seed, uint64_t stream)
{
	return nslab_rng_finish(seed + UINT64_C(0x9e3779b97f4a7c15) * (stream + 1));
}

#endif
