/* SPDX-License-Identifier: GPL-2.0-only */
/* reduce.h: the windows of a trial become its one number. */
#ifndef NSLAB_REDUCE_H
#define NSLAB_REDUCE_H

#include "results/stats.h"
#include "results/store.h"

/*
 * In ns per operation and worker: each counted worker's windows are reduced with the statistic,
 * then combined as throughput (harmonic mean). NaN without counted windows. scratch holds
 * nr_windows values.
 */
double nslab_trial_ns_per_op(const struct nslab_window *windows, size_t nr_windows,
			     enum nslab_statistic statistic, double *scratch);

#endif
