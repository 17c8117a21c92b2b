/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.h: between plan and trial (a JSON description), between trial and store (a record).
 */
#ifndef NSLAB_RECORD_H
#define NSLAB_RECORD_H

#include "results/stats.h"
#include "results/store.h"
#include "runner/exec.h"
#include "runner/launch.h"
#include "runner/noise.h"
#include "runner/plan.h"

/* The description of one trial, see runner/trial.h. NULL when memory is out. */
json_t *nslab_record_spec(const struct nslab_plan *plan, const struct nslab_family *family,
			  const struct nslab_arm *arm, uint64_t seed, const char *const *plugins);

/* The empty loop on the first PU of the plan. */
json_t *nslab_record_floor_spec(const struct nslab_plan *plan, const char *size, int nr_windows,
				uint64_t seed);

/* What a trial record points to. */
struct nslab_trial_buffers {
	struct nslab_window *windows;
	struct nslab_counter_record *counters;
	struct nslab_cachestat_record *caches;
	struct nslab_figure_record *figures;
	struct nslab_point_record *points;
	struct nslab_hist_record hist;
	char *hist_text;
	char **stat_texts;
	size_t nr_stat_texts;
};

/*
 * Fills the record from what the trial's process gave, decides whether it counts, and says in
 * launched->cause why it does not. cell, block, position and seed are the caller's.
 */
int nslab_record_fill(struct nslab_launch_result *launched, enum nslab_statistic statistic,
		      struct nslab_trial_record *record, struct nslab_trial_buffers *buffers);
/* The part of it that latency=sampled adds. 0 or -ENOMEM. */
int nslab_record_fill_hist(json_t *document, struct nslab_trial_record *record,
			   struct nslab_trial_buffers *buffers);
/* What the trial's process saw of the host. After nslab_record_fill. */
void nslab_record_noise(const struct nslab_launch_result *launched,
			const struct nslab_trial_record *record, const struct nslab_family *family,
			struct nslab_noise_trial *noise);
void nslab_record_free(struct nslab_trial_buffers *buffers);

/* The run row as this process on this machine would write it now. NULL: no memory. */
struct nslab_record_texts;
struct nslab_record_texts *nslab_record_texts_create(const struct nslab_exec_options *options);
const struct nslab_run_record *nslab_record_texts_run(const struct nslab_record_texts *texts);
void nslab_record_texts_free(struct nslab_record_texts *texts);
/* FOLDER/plan.json; what is there is replaced as a whole. */
int nslab_record_write_plan(const struct nslab_record_texts *texts, const char *folder,
			    struct nslab_err *err);

/* Creates FOLDER/run.db with the run's provenance, and FOLDER/plan.json. */
int nslab_record_run(const struct nslab_exec_options *options, const char *folder,
		     struct nslab_store **store, struct nslab_err *err);

#endif
