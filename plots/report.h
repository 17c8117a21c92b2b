/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.h: a run as one page for people: HTML that needs nothing beside it, or Markdown.
 *
 * Both say the same in the same order: the answer, the host and what speaks against it, tables,
 * pictures, raw data, how to do it again. Texts of the run are shown as they are, whatever
 * characters are in them.
 */
#ifndef NSLAB_REPORT_H
#define NSLAB_REPORT_H

#include "plots/plots.h"
#include "results/compare.h"
#include "results/figures.h"
#include "results/latency.h"

#include <stdio.h>

/* Files that a report links to, beside it. */
#define NSLAB_REPORT_DB	     "run.db"
#define NSLAB_REPORT_CELLS   "cells.csv"
#define NSLAB_REPORT_WINDOWS "windows.csv"
#define NSLAB_REPORT_PLAN    "plan.ini"
#define NSLAB_REPORT_PLOTS   "plots"

struct nslab_report {
	struct nslab_run_file *run;
	struct nslab_comparison comparison;
	size_t *order; /* of cells */
	struct nslab_latency_list *latencies;
	struct nslab_figure_list *figures;
	struct nslab_plots_outcome plots;
	char plots_reason[256];	 /* why drawing ended early, else "" */
	char plots_folder[4096]; /* where the pictures are */
};

/*
 * Reads what a report tells, adds counters to the run's list and draws the run into folder:
 * `formats` as nslab_plots_make takes them. A picture that cannot be drawn, or no gnuplot, is told
 * in the report; it is no failure. Close it also after a failure.
 */
int nslab_report_open(struct nslab_run_file *run, const char *folder, unsigned formats,
		      struct nslab_report *report, struct nslab_err *err);
void nslab_report_close(struct nslab_report *report);

/* SVG pictures of both themes are put into the page. 0, -EIO or -ENOMEM. */
int nslab_report_html(const struct nslab_report *report, FILE *out, struct nslab_err *err);
/* PNG pictures are linked: NSLAB_REPORT_PLOTS/NAME.png. */
int nslab_report_markdown(const struct nslab_report *report, FILE *out, struct nslab_err *err);

/*
 * The answer, sentence by sentence: the largest change, each arm against its baseline, the baseline
 * against itself, what is missing and what the figures do not say.
 */
void nslab_report_say(const struct nslab_report *report,
		      void (*say)(void *context, const char *sentence), void *context);

/* What speaks against the host, from its probes before and after the run; label: the probe. */
void nslab_report_warn(const struct nslab_report *report,
		       void (*warn)(void *context, const char *label, const char *text),
		       void *context);

#endif
