/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec_impl.h: what the exec_*.c files share and nobody else needs: the state of a run.
 */
#ifndef NSLAB_EXEC_IMPL_H
#define NSLAB_EXEC_IMPL_H

#include "results/trials.h"
#include "runner/exec.h"
#include "runner/progress.h"

/* The last attempt of one block of one cell. */
struct exec_slot {
	int attempt; /* -1: none is finished */
	bool is_disturbed;
	double ns_per_op; /* NaN: does not count */
};

struct exec_cell {
	int64_t id;
	int nr_failed;		 /* by its own fault */
	struct exec_slot *slots; /* [block] */
	size_t nr_slots;
};

struct exec {
	const struct nslab_exec_options *options;
	const struct nslab_plan *plan;
	struct nslab_exec_result *result;
	struct nslab_store *store;
	struct nslab_progress progress;
	struct exec_cell **cells; /* [family][arm] */
	size_t *order;		  /* of the arms of the family at hand */
	double *floor_ns;	  /* [block] empty loop, ns per operation */
	int nr_floor;
	int lock_fd;	    /* the run's folder: locked while this process writes */
	int nr_vain_waits;  /* for calm, in a row */
	uint64_t trials_ns; /* all trials so far, for the budget */
	struct nslab_err *err;
};

/* After so many faults a cell is not tried again. */
#define EXEC_GIVE_UP 2

/* exec.c: what is known of the block; NULL: none of its trials is finished. */
struct exec_slot *exec_slot(const struct exec_cell *cell, int block);
/* Takes a finished trial into the state, whether it ran now or before. */
int exec_take_trial(struct exec *e, struct exec_cell *cell,
		    const struct nslab_finished_trial *trial);

/* exec_folder.c */
int exec_make_folder(struct exec *e);
int exec_lock_folder(struct exec *e);

/* exec_trial.c */
const struct nslab_noise_source *exec_noise(const struct exec *e);
int exec_trial(struct exec *e, int block, int attempt, size_t family, size_t arm, int position);
int exec_floor(struct exec *e, int block);

/* exec_resume.c: opens the store of options->resume and checks that this is the same run. */
int exec_reopen(struct exec *e);
/* Gives the plan's cells their ids in the store; -ENOENT when the store has none yet. */
int exec_find_cells(struct exec *e);
/* Takes the trials that are there. */
int exec_take_trials(struct exec *e);

/* exec_stop.c: whether no further block is needed; says why. */
bool exec_is_enough(struct exec *e, int nr_blocks);

#endif
