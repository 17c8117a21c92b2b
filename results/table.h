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

/* Those of them that differ between two runs of one machine. */
void nslab_results_brief(const struct nslab_cell_list *list, const struct nslab_run_record *run,
			 const char *status, FILE *out, int columns);

/* "slub", "slub A" for the baseline, "slub A'" for its twin. */
void nslab_arm_text(const struct nslab_cell_record *cell, char *text, size_t text_bytes);

/*
 * A line that says why a cell has no values, or which of its trials do not count; nothing for a
 * cell that is whole. `where` stands before it: "" or "in A ".
 */
void nslab_print_cause(const struct nslab_cell_values *cell, const char *where, FILE *out,
		       int columns);

#endif
