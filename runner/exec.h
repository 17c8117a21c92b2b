/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec.h: a plan becomes a run: blocks of trials, one result file.
 */
#ifndef NSLAB_EXEC_H
#define NSLAB_EXEC_H

#include "runner/launch.h"
#include "runner/noise.h"
#include "runner/plan.h"

#include <stdio.h>

struct nslab_exec_options {
	const struct nslab_plan *plan;
	const char *const *plugins; /* paths given with --plugin, NULL-terminated, or NULL */
	const char *output;	    /* the run's folder; NULL: one of its own below the default */
	const char *resume;	    /* folder of a run to go on with, or NULL; then no output */
	const char *argv_text;
	const char *const
		*ignored;    /* rules of gate.h that were silenced, NULL-terminated, or NULL */
	const char *sysroot; /* below which the host's settings are read; NULL: / */
	bool has_slabinfo;   /* keep each cell's tables of the first block in slabinfo.txt */
	FILE *talk;	     /* progress and warnings; NULL: silent */
	bool is_verbose;     /* a line for each trial */
	volatile const int *is_interrupted; /* set by a signal handler; looked at between trials */
	const struct nslab_noise_source *noise; /* NULL: this machine */
	nslab_launch_fn launch;			/* NULL: nslab_launch_trial */
};

struct nslab_exec_result {
	char folder[4096]; /* the run's folder; run.db lies in it */
	size_t nr_trials;  /* finished, whatever became of them */
	size_t nr_failed;  /* do not count */
	size_t nr_planned;
	size_t nr_reruns; /* blocks of a family that the host spoiled and that ran again */
	bool is_noisy;	  /* ended early: more of them than a run may have */
	bool is_interrupted;
};

/*
 * A run that goes on needs the plan that it began with, on the machine and with the program that it
 * began on; -EINVAL says what differs. 0 also when trials failed (they are in the result). Negative
 * errno when the run could not be made or its file could not be written.
 */
int nslab_exec_run(const struct nslab_exec_options *options, struct nslab_exec_result *result,
		   struct nslab_err *err);

#endif
