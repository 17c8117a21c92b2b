/* SPDX-License-Identifier: GPL-2.0-only */
/* derive.h: the metrics of the chosen groups, from what a trial has counted. */
#ifndef NSLAB_DERIVE_H
#define NSLAB_DERIVE_H

#include "runner/counters/choice.h"

#include "runner/launch.h"
#include "runner/plan.h"

/*
 * What the plan wants besides counters, once the trial of `launch` has left its document: metrics,
 * and on the cell's first trial the simulated caches.
 */
void nslab_derive_trial(const struct nslab_plan *plan, const struct nslab_launch *launch,
			bool is_first, json_t *document);

/* What a result says about its counters: groups, and the sizes of simulated caches. */
json_t *nslab_derive_notes_json(const struct nslab_plan *plan);

/*
 * Adds to the document's "counters" one row for each metric: source "formula", worker -1, a value
 * or a reason, and enabled and running time of that event of the formula which was on the hardware
 * for the least share of its time. document: of runner/trial.h; NULL, or one of a trial that
 * failed, is left alone.
 */
void nslab_derive_metrics(const struct nslab_counter_choice *choice, json_t *document);

/* A row of "counters" of the whole trial; a NaN is a null with the reason. */
void nslab_derive_add(json_t *document, const char *name, const char *source, double value,
		      const char *reason);

#endif
