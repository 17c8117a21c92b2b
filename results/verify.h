/* SPDX-License-Identifier: GPL-2.0-only */
/* verify.h: a result file held against its own raw windows. */
#ifndef NSLAB_VERIFY_H
#define NSLAB_VERIFY_H

#include "results/store.h"

struct nslab_verification {
	size_t nr_trials, nr_windows; /* that were computed again */
	size_t nr_designed; /* trials whose seed and place were had again from the plan's seed */
	size_t nr_differences;
};

/*
 * Computes again what the file says of its trials and cells: the time of each trial from its raw
 * windows by the statistic that its cell declares, its CPU time, whether its windows are complete,
 * each cell's number of trials and median, that no trial is there twice, and that seeds of trials
 * and the order of arms in each block are those that the plan's seed gives. SQLite checks the file
 * itself. Calls tell for every difference. 0 also when there are some; negative errno when the
 * file cannot be read.
 */
int nslab_verify(struct nslab_run_file *file, void (*tell)(void *context, const char *text),
		 void *context, struct nslab_verification *verification, struct nslab_err *err);

#endif
