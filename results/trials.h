/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trials.h: trials one by one, for a run that goes on after it was killed, and blocks that are run
 * again because of what the host did.
 */
#ifndef NSLAB_TRIALS_H
#define NSLAB_TRIALS_H

#include "results/store.h"

/* Taints that begin so are the host's doing, all others are the trial's own fault. */
#define NSLAB_TAINT_NOISE "noise: " /* "noise: CAUSE: figures" */
#define NSLAB_TAINT_RERUN "re-run: "
bool nslab_taint_is_noise(const char *taint);

/* For writing on; -EINVAL for another schema. Nothing changes before nslab_store_go_on. */
int nslab_store_reopen(const char *path, struct nslab_store **store, struct nslab_err *err);
int nslab_store_go_on(struct nslab_store *store, struct nslab_err *err);

/* The valid trials of one block of a family no longer count, for this reason: it is run again. */
int nslab_store_spoil(struct nslab_store *store, const char *family, int block, int attempt,
		      const char *taint, struct nslab_err *err);

/* One trial as a run that goes on must know it. */
struct nslab_finished_trial {
	int64_t cell;
	int block, attempt;
	bool is_valid;
	const char *taint; /* NULL, or why it does not count or was disturbed */
	double ns_per_op;  /* NaN when there is none */
	uint64_t wall_ns;
};

/* Calls each for every trial in the order in which they ran; what it returns ends the walk. */
int nslab_store_each_trial(struct nslab_store *store,
			   int (*each)(void *context, const struct nslab_finished_trial *trial),
			   void *context, struct nslab_err *err);

#endif
