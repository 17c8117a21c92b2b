/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency.h: times of single operations, merged over the trials of a cell.
 */
#ifndef NSLAB_RESULTS_LATENCY_H
#define NSLAB_RESULTS_LATENCY_H

#include "core/hist.h"
#include "results/store.h"
#include "results/text.h"

#include <stdio.h>

/* One sort of operation of one cell. */
struct nslab_cell_latency {
	size_t cell; /* position in the list of cells */
	const char *name, *unit, *clock;
	struct nslab_hist hist; /* of all valid trials */
	size_t nr_trials;
	double clock_ns;       /* mean over trials: cost of one reading, part of every value */
	double ops_per_value;  /* likewise; 1: a value is of one operation */
	double mean_gap;       /* likewise */
	size_t nr_overheads;   /* trials that compared sampled windows with twins */
	double *log_overheads; /* [nr_overheads] ln(1 + fraction of the time) */
};

/* By cell. */
struct nslab_latency_list {
	size_t nr;
	struct nslab_cell_latency *cells;
	struct nslab_texts *texts;
};

/* Empty for a file of a schema before 3. -EILSEQ for a histogram that is damaged. */
int nslab_store_latencies(struct nslab_store *store, const struct nslab_cell_list *cells,
			  struct nslab_latency_list **list, struct nslab_err *err);
void nslab_latency_list_free(struct nslab_latency_list *list); /* NULL is fine */

/* "[[number, count], ...]" added to hist, whose nr, min and max are set already. 0 or -EILSEQ. */
int nslab_hist_parse(const char *json, struct nslab_hist *hist);

#define NSLAB_LATENCY_QUANTILES 5
extern const double nslab_latency_quantiles[NSLAB_LATENCY_QUANTILES];
extern const char *const nslab_latency_words[NSLAB_LATENCY_QUANTILES]; /* "p50", ... */

/*
 * For each family that has any: a row for each arm with its percentiles, '-' where fewer than 10
 * values lie beyond one, then what clock and sampling cost. Nothing when there is none.
 */
void nslab_latency_table(const struct nslab_latency_list *list, const struct nslab_cell_list *cells,
			 FILE *out, int columns);

/* Reads a run's and prints title and table; nothing when it has none. */
int nslab_latency_print(struct nslab_run_file *run, const char *title, FILE *out, int columns,
			struct nslab_err *err);

/* One row for each cell and sort of operation. 0 or -EIO. */
int nslab_latency_csv(const struct nslab_latency_list *list, const struct nslab_cell_list *cells,
		      FILE *out);

#endif
