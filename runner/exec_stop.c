/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec_stop.c: when a run has enough blocks.
 *
 * Two rules end a run before its last block. Precision: from LEAST_BLOCKS on, every LOOK_EVERY
 * blocks, the interval of every contrast that the plan declares (each arm against the baseline of
 * its family) is looked at, and the run ends when all are narrow enough. Only the width is asked,
 * never whether the interval excludes zero: stopping on significance finds differences where there
 * are none (one in five times, facts of the design), stopping on width does not. Budget: no block
 * starts when the trials so far have taken that long.
 *
 * Both look at stored values only, so that a run that goes on after it was killed decides alike. A
 * contrast that can have no interval, since an arm keeps failing, is not waited for.
 */
#include "runner/exec_impl.h"

#include "results/stats.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_BLOCKS 10
#define LOOK_EVERY   5
#define CONFIDENCE   0.95

static size_t stop_baseline(const struct nslab_family *family)
{
	for (size_t a = 0; a < family->nr_arms; a++) {
		if (family->arms[a].is_baseline)
			return a;
	}
	return family->nr_arms;
}

static double stop_value(const struct exec_cell *cell, int block)
{
	const struct exec_slot *slot = exec_slot(cell, block);

	return slot ? slot->ns_per_op : NAN;
}

/* Half of the interval of ln(arm / baseline); infinite while there is none, 0 when none will be. */
static double stop_half_width(const struct exec *e, size_t f, size_t a, size_t base, int nr_blocks,
			      double *d)
{
	const struct exec_cell *cells = e->cells[f];
	struct nslab_paired paired;
	size_t n = 0;

	if (a == base || e->plan->families[f].arms[a].skipped ||
	    cells[a].nr_failed >= EXEC_GIVE_UP || cells[base].nr_failed >= EXEC_GIVE_UP)
		return 0;
	for (int block = 0; block < nr_blocks; block++) {
		double ratio = stop_value(&cells[a], block) / stop_value(&cells[base], block);

		if (ratio > 0 && isfinite(ratio) && n < NSLAB_PAIRED_MAX)
			d[n++] = log(ratio);
	}
	if (nslab_paired_compare(d, n, CONFIDENCE, &paired) || isnan(paired.lo))
		return INFINITY;
	return (paired.hi - paired.lo) / 2;
}

static double stop_widest(const struct exec *e, int nr_blocks)
{
	double *d = calloc((size_t)nr_blocks, sizeof(*d));
	double widest = 0;

	for (size_t f = 0; d && f < e->plan->nr_families; f++) {
		size_t base = stop_baseline(&e->plan->families[f]);

		for (size_t a = 0;
		     base < e->plan->families[f].nr_arms && a < e->plan->families[f].nr_arms; a++)
			widest = fmax(widest, stop_half_width(e, f, a, base, nr_blocks, d));
	}
	free(d);
	return d ? widest : INFINITY;
}

bool exec_is_enough(struct exec *e, int nr_blocks)
{
	const struct nslab_plan *plan = e->plan;
	double widest;

	if (plan->budget_ns && nr_blocks && e->trials_ns >= plan->budget_ns) {
		nslab_progress_say(
			&e->progress,
			"%d blocks: the budget of %.3g s is used up; the widest interval "
			"is +-%.2g %%",
			nr_blocks, (double)plan->budget_ns / 1e9, 100 * stop_widest(e, nr_blocks));
		return true;
	}
	if (!(plan->precision > 0) || nr_blocks < LEAST_BLOCKS ||
	    (nr_blocks - LEAST_BLOCKS) % LOOK_EVERY)
		return false;
	widest = stop_widest(e, nr_blocks);
	nslab_progress_say(&e->progress,
			   "%d blocks: the widest interval is +-%.2g %%, wanted %.2g %%", nr_blocks,
			   100 * widest, 100 * plan->precision);
	return widest <= plan->precision;
}
