/* SPDX-License-Identifier: GPL-2.0-only */
/* progress.h: a bar on a terminal, a plain line now and then elsewhere. Always on stderr. */
#ifndef NSLAB_PROGRESS_H
#define NSLAB_PROGRESS_H

#include "core/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct progress_cell;

struct nslab_progress {
	FILE *out; /* NULL: silent */
	bool is_terminal, is_begun;
	const struct nslab_clock *clock;
	struct progress_cell *cells;
	size_t nr_cells, nr_rounds;
	size_t nr_done, nr_total; /* trials */
	size_t nr_timed;	  /* of those done: by this run */
	uint64_t start_ns, trial_ns, last_line_ns;
	uint64_t limit_ns; /* of all trials; 0: none. Set it after start */
};

/*
 * Every cell is to have nr_rounds trials. -ENOMEM leaves a progress that may be used and does not
 * know the time left. End it in any case.
 */
int nslab_progress_start(struct nslab_progress *progress, FILE *out,
			 const struct nslab_clock *clock, size_t nr_cells, size_t nr_rounds);
/* A trial begins: only what lies between this and its step tells how long a cell takes. */
void nslab_progress_begin(struct nslab_progress *progress);
/* One more trial of the cell is done; `what` names it. Without a begin it was done before. */
void nslab_progress_step(struct nslab_progress *progress, size_t cell, const char *what);
/* No more trials of this cell, now or ever. */
void nslab_progress_drop(struct nslab_progress *progress, size_t cell);
/* Time that the trials to come will take; 0 while no trial is finished. */
uint64_t nslab_progress_left_ns(const struct nslab_progress *progress);
/* A line of talk that does not collide with the bar. */
void nslab_progress_say(struct nslab_progress *progress, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void nslab_progress_end(struct nslab_progress *progress);

#endif
