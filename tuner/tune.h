/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tune.h: from a snapshot to an advice, and the advice as text.
 */
#ifndef NSLAB_TUNER_TUNE_H
#define NSLAB_TUNER_TUNE_H

#include "core/registry.h"
#include "tuner/tuner.h"

#include <stdio.h>

#define NSLAB_TUNE_BUDGET_S 60 /* of measuring, unless said otherwise */

struct nslab_tune_options {
	const struct nslab_registry *registry;
	const struct nslab_tuner_snapshot *snapshot; /* outlives the advice */
	const char *trace;			     /* path; NULL: standard loads */
	enum nslab_tuner_objective objective;
	struct nslab_tuner_budget budget;
	bool is_measured;
	uint64_t budget_ns; /* of measuring */
	uint64_t seed;
	FILE *talk; /* progress; NULL: silent */
	volatile const int *is_interrupted;
};

/* 0; the advice is the caller's. Without measuring equal inputs give an equal advice. */
int nslab_tune(const struct nslab_tune_options *options, struct nslab_tuner_advice **advice,
	       struct nslab_err *err);

/*
 * The table (caches whose setting should change; is_all: every cache), the boot parameters, and
 * what was not possible. At most 78 columns.
 */
int nslab_tune_print(const struct nslab_tuner_advice *advice, bool is_all, FILE *out);

/* -EINVAL; err says that there is no such cache, and which name is near. */
int nslab_tune_unknown(const struct nslab_tuner_snapshot *snapshot, const char *name,
		       struct nslab_err *err);

/* The whole reasoning for one cache, on a page. -EINVAL: no such cache. */
int nslab_tune_explain(const struct nslab_tuner_advice *advice, const char *cache, FILE *out,
		       struct nslab_err *err);

#endif
