/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plots.h: from a result file to NAME.dat, NAME.gp and pictures.
 *
 * Every plot leaves its numbers (tab separated) and a gnuplot script that draws them; both can be
 * opened and changed by hand, and `gnuplot NAME.gp` in that folder draws the picture again. Without
 * gnuplot the two files are still written.
 */
#ifndef NSLAB_PLOTS_H
#define NSLAB_PLOTS_H

#include "core/err.h"
#include "results/store.h"

#define NSLAB_PLOT_PNG (1u << 0)
#define NSLAB_PLOT_SVG (1u << 1)

#define NSLAB_PLOTS_MAX 8

struct nslab_plot_outcome {
	const char *name;
	bool is_written;  /* NAME.dat and NAME.gp are there */
	bool is_drawn;	  /* and every picture that was asked for */
	char reason[256]; /* why not, else "" */
};

struct nslab_plots_outcome {
	size_t nr;
	struct nslab_plot_outcome plots[NSLAB_PLOTS_MAX];
};

/*
 * Writes the plot called name, or with NULL all that the run has cells for, into folder (made when
 * missing). formats: NSLAB_PLOT_ bits; 0 writes no picture. Fails for an unknown name, for a named
 * plot that the run has no cells for (-ENODATA) and when a file cannot be written; a picture that
 * gnuplot could not draw is told in the outcome only.
 */
int nslab_plots_make(struct nslab_store *store, const char *folder, const char *name,
		     unsigned formats, struct nslab_plots_outcome *outcome, struct nslab_err *err);

/* "png", "svg" or "png,svg" -> bits */
int nslab_plots_formats(const char *text, unsigned *formats, struct nslab_err *err);

/* Names and one line each, in order; NULL past the end. */
const char *nslab_plots_name(size_t number, const char **summary);

#endif
