/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * count_world.h: the simulated machine that counts are made on.
 */
#ifndef NSLAB_TUNER_COUNT_WORLD_H
#define NSLAB_TUNER_COUNT_WORLD_H

#include "runner/world.h"
#include "tuner/counts.h"

/* The page allocator with one more wish: that requests above the smallest order fail. */
struct count_pages {
	struct nslab_page_ops table; /* what the world calls */
	const struct nslab_page_ops *inner;
	uint64_t rng;
	uint64_t fail_below;	/* of 2^32 */
	unsigned min_order;	/* requests up to it never fail */
	uint64_t nr_high_pages; /* given in blocks of order >= 1 */
};

struct nslab_tuner_counter {
	const struct nslab_tuner_snapshot *snapshot;
	struct count_pages pages;
	struct nslab_world *world;
	struct nslab_cpu **cpus; /* [nr_cpus] handles; NULL: offline */
	int nr_cpus, nr_nodes;
	void **objs; /* [max_slots] of the load in hand */
	uint16_t *owners;
	size_t max_slots;
};

int count_world_open(struct nslab_tuner_counter *c, const struct nslab_registry *registry,
		     struct nslab_err *err);
void count_world_close(struct nslab_tuner_counter *c);

/* CPUs 0 .. nr_cpus - 1; those that are online stay so. */
int count_world_cpus(struct nslab_tuner_counter *c, int nr_cpus);
/* Leaves the world as a later count wants to find it. */
void count_world_rest(struct nslab_tuner_counter *c);

#endif
