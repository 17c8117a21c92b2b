/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.h: the table that a run ends with, made to be pasted into a mail.
 */
#ifndef NSLAB_TABLE_H
#define NSLAB_TABLE_H

#include "results/store.h"

#include <stdio.h>

#define NSLAB_TABLE_COLUMNS 78

/*
 * Machine, kernel, what was measured and how, then a block of rows for each family, with the
 * reason of everything that is missing. status NULL or "done": the run is complete. harness_ns NaN:
 * not measured. 0, -EIO or -ENOMEM.
 */
int nslab_results_table(const struct nslab_cell_list *list, const struct nslab_run_record *run,
			const char *status, double harness_ns, FILE *out, int columns);

/* The lines above the families. */
void nslab_results_header(const struct nslab_cell_list *list, const struct nslab_run_record *run,
			  const char *status, double harness_ns, FILE *out, int columns);

/* The same lines one by one, not folded. */
typedef void (*nslab_header_fn)(void *context, const char *label, const char *text);
void nslab_results_header_lines(const struct nslab_cell_list *list,
				const struct nslab_run_record *run, const char *status,
				double harness_ns, nslab_header_fn line, void *context);

/* Those of them that differ between two runs of one machine. */
void nslab_results_brief(const struct nslab_cell_list *list, const struct nslab_run_record *run,
			 const char *status, FILE *out, int columns);

/* "slub", "slub A" for the baseline, "slub A'" for its twin. */
void nslab_arm_text(const struct nslab_cell_record *cell, char *text, size_t text_bytes);

/* Spread of a cell's trials: 1.48 MAD as a fraction of the median; NaN below two. */
double nslab_cell_spread(const struct nslab_cell_values *cell);

/* Why a cell has no values, or which of its trials do not count; "" for a cell that is whole. */
void nslab_cell_cause(const struct nslab_cell_values *cell, char *text, size_t text_bytes);

/* That as a line, nothing for a cell that is whole. `where` stands before it: "" or "in A ". */
void nslab_print_cause(const struct nslab_cell_values *cell, const char *where, FILE *out,
		       int columns);

#endif
