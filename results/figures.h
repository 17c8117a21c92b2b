/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * figures.h: what workloads told beside their speed: counts of a trial, and curves.
 */
#ifndef NSLAB_RESULTS_FIGURES_H
#define NSLAB_RESULTS_FIGURES_H

#include "results/store.h"
#include "results/text.h"

#include <stdio.h>

/* One count of one cell. */
struct nslab_cell_figure {
	size_t cell; /* position in the list of cells */
	const char *name, *unit;
	double value; /* median over the cell's valid trials */
	size_t nr;    /* trials that told it */
};

/* One point of a curve, of the cell's first valid trial that has any. */
struct nslab_cell_point {
	size_t cell;
	const char *series;
	double x, y;
};

/* By cell, then by name; points of a series in the order of x. */
struct nslab_figure_list {
	size_t nr_figures, nr_points;
	struct nslab_cell_figure *figures;
	struct nslab_cell_point *points;
	struct nslab_texts *texts;
};

/* Empty for a file of a schema before 2. */
int nslab_store_figures(struct nslab_store *store, const struct nslab_cell_list *cells,
			struct nslab_figure_list **list, struct nslab_err *err);
void nslab_figure_list_free(struct nslab_figure_list *list); /* NULL is fine */

/*
 * For each family that has any: a row for each count, a column for each arm; of counts whose names
 * have several words (one for each cache, say) only the first few. Nothing when there is none.
 */
void nslab_figures_table(const struct nslab_figure_list *list, const struct nslab_cell_list *cells,
			 FILE *out, int columns);

/* One sentence when counters had to take turns (after nslab_store_counters); else nothing. */
void nslab_counters_note(const struct nslab_cell_list *cells, FILE *out, int columns);

/* One row for each count / point, with family and arm. 0 or -EIO. */
int nslab_figures_csv(const struct nslab_figure_list *list, const struct nslab_cell_list *cells,
		      FILE *out);
int nslab_points_csv(const struct nslab_figure_list *list, const struct nslab_cell_list *cells,
		     FILE *out);

#endif
