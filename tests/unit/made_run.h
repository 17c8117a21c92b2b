/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * made_run.h: made-up runs for the tests of plots, and how the tests read what came out.
 *
 * A test opens a run, adds cells, reopens it for reading, draws, and looks at the files that are
 * in made_folder/out then.
 */
#ifndef NSLAB_MADE_RUN_H
#define NSLAB_MADE_RUN_H

#include "plots/figure.h"
#include "plots/plots.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MADE_BLOCKS 6

struct made_run {
	struct nslab_store *store;
	const char *label;
	const char *topology_json;
	bool is_simulated;
};

/* A cell of MADE_BLOCKS trials around ns; lock < 0: not counted. */
struct made_cell {
	const char *more; /* words of the family */
	const char *workload, *arm, *allocator, *placement, *skipped, *params, *pus;
	int threads, nr_blocks;
	int64_t size;
	double ns, held, lock;
	double remote; /* frees an operation, where locks are counted */
	double jitter; /* of the cell's own, in percent: +, -, +, - */
	bool is_baseline, is_twin, has_curve;
};

extern char made_folder[];
extern const char *made_run_folder; /* where made_open puts run.db */
extern const char *const made_arms[7];

void made_open(struct made_run *made);
void made_add(struct made_run *made, struct made_cell c);
void made_reopen(struct made_run *made);

void made_throughput(struct made_run *made, const char *const *arms, int nr_arms, int nr_sizes);
void made_scaling(struct made_run *made, const char *const *arms, int nr_arms, int max_threads);
/* Nodes 0, step, 2 * step.. */
void made_matrix(struct made_run *made, int nr_arms, int nr_nodes, int step);
void made_orders(struct made_run *made, int nr_sizes, double lock);
void made_curves(struct made_run *made);

/* Draws into made_folder/out, which is emptied first. */
int made_plots(struct made_run *made, const char *name, unsigned formats,
	       struct nslab_plots_outcome *outcome, struct nslab_err *err);
/* What became of the plot. */
const struct nslab_plot_outcome *made_outcome(const struct nslab_plots_outcome *outcome,
					      const char *name);
/* A file in made_folder/out, or NULL; good until the next call. */
char *made_text(const char *name);
/* Field number `field` (from 0) of the first row whose text contains both; changes the table. */
const char *made_field(char *table, int field, const char *a, const char *b);

/* Makes the folder's name; for the end of the group: takes it away. */
int made_begin(void);
int made_remove(void **state);

#endif
