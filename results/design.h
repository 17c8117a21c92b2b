/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * design.h: what a run's seed decides: the seed of each trial and the order of arms in a block.
 *
 * Whoever runs a plan and whoever checks a result must agree on it, so it stands here once. A
 * change of it would make older results fail their verification.
 */
#ifndef NSLAB_DESIGN_H
#define NSLAB_DESIGN_H

#include <stddef.h>
#include <stdint.h>

/* family, arm: positions in the plan. The first attempt is 0, each further one has another layout.
 */
uint64_t nslab_design_seed(uint64_t seed, int block, size_t family, size_t arm, int attempt);

/* order[nr_arms]: positions of the arms, skipped ones among them, as the block runs them. */
void nslab_design_order(uint64_t seed, int block, int attempt, size_t family, size_t nr_families,
			size_t *order, size_t nr_arms);

#endif
