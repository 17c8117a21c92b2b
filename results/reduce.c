/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reduce.c: from raw windows to ns per operation.
 *
 * The runner stores the number with each trial and `numaslab verify` computes it again from the
 * windows, so there is one function for both. Workers are combined by their rates: what counts is
 * how much all of them did together. Workers that do not count (consumers, for instance) and
 * windows without operations leave no trace.
 */
#include "results/reduce.h"

#include <math.h>

static double worker_rate(const struct nslab_window *windows, size_t nr_windows, int worker,
			  enum nslab_statistic statistic, double *scratch)
{
	size_t n = 0;

	for (size_t i = 0; i < nr_windows; i++) {
		if (windows[i].worker == worker && windows[i].is_counted && windows[i].ops)
			scratch[n++] = (double)windows[i].ns / (double)windows[i].ops;
	}
	return n ? 1 / nslab_reduce(scratch, n, statistic) : 0;
}

double nslab_trial_ns_per_op(const struct nslab_window *windows, size_t nr_windows,
			     enum nslab_statistic statistic, double *scratch)
{
	double rate = 0;
	int nr_counted = 0;
	int last_worker = -1;

	for (size_t i = 0; i < nr_windows; i++) {
		if (windows[i].worker > last_worker)
			last_worker = windows[i].worker;
	}
	for (int worker = 0; worker <= last_worker; worker++) {
		double r = worker_rate(windows, nr_windows, worker, statistic, scratch);

		rate += r;
		nr_counted += r > 0;
	}
	return nr_counted ? nr_counted / rate : NAN;
}
