/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tuning.h: an advice as the plots see it: caches, their candidates, and what was chosen.
 *
 * It comes from the JSON that the tuner writes, since plots know nothing of the tuner itself.
 */
#ifndef NSLAB_PLOTS_TUNING_H
#define NSLAB_PLOTS_TUNING_H

#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define NSLAB_TUNING_ORDERS 6 /* 0..5 are candidates */

/* NaN: not known. */
struct nslab_tuning_candidate {
	int order;
	bool is_plain;		       /* nothing but the order differs from what the rule gives */
	double loss;		       /* 0.01: 1 % of the machine's slab time and memory */
	bool is_refused;	       /* measured, or should have been, and not confirmed */
	double memory_bytes;	       /* of the machine */
	double locks, worst_locks;     /* per thousand operations */
	double time, time_lo, time_hi; /* measured: change against now, 0.1 is 10 % more */
};

struct nslab_tuning_cache {
	const char *name;
	double memory_bytes; /* now */
	size_t now, advised; /* indexes of candidates */
	int order_booted;    /* under the advised boot parameters, or -1 */
	struct nslab_tuning_candidate *candidates;
	size_t nr_candidates;
};

struct nslab_tuning {
	json_t *json; /* owns all texts */
	char machine[256];
	const char *objective, *boot_line;
	bool is_measured, is_booted; /* booted: boot parameters are advised */
	struct nslab_tuning_cache *caches;
	size_t nr_caches;
};

/* -EINVAL: what is wrong with the file; *tuning is to be freed in any case. */
int nslab_tuning_read(const char *path, struct nslab_tuning *tuning, struct nslab_err *err);
void nslab_tuning_free(struct nslab_tuning *tuning);

/* The candidate of that order that differs in nothing else, now's first; NULL: there is none. */
const struct nslab_tuning_candidate *nslab_tuning_order(const struct nslab_tuning_cache *cache,
							int order);

#endif
