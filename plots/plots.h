/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plots.h: from a result file to NAME.dat, NAME.gp and pictures.
 *
 * Every plot leaves its numbers (tab separated) and a gnuplot script that draws them; both can be
 * opened and changed by hand, and `gnuplot NAME.gp` in that folder draws the picture again. Without
 * gnuplot the two files are still written.
 *
 * Pictures: NAME.png, NAME.svg; dark ones NAME-dark.png, NAME-dark.svg. What does not fit on one
 * picture goes on in NAME-2.png (NAME-2-dark.png) and so on, NSLAB_PLOT_PAGES_MAX of them; the
 * footnote says how many there are and how the others are drawn.
 */
#ifndef NSLAB_PLOTS_H
#define NSLAB_PLOTS_H

#include "core/err.h"
#include "results/store.h"

/* Formats, */
#define NSLAB_PLOT_PNG	(1u << 0)
#define NSLAB_PLOT_SVG	(1u << 1)
#define NSLAB_PLOT_TEXT (1u << 2) /* NAME.txt: drawn with characters, 78 columns */
/* and themes: light when neither is asked for. A text has none. */
#define NSLAB_PLOT_LIGHT (1u << 3)
#define NSLAB_PLOT_DARK	 (1u << 4)

#define NSLAB_PLOTS_MAX	     24
#define NSLAB_PLOT_PAGES_MAX 4

struct nslab_plot_outcome {
	const char *name;
	char title[256];  /* of the picture, for a reader who cannot see it */
	bool is_written;  /* NAME.dat and NAME.gp are there */
	bool is_drawn;	  /* and every picture that was asked for */
	int nr_pages;	  /* that were drawn of each format and theme */
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

/*
 * A heat map from a small table in a file, drawn as the plot `regret`. Lines `# KEY: text` before
 * the first row: `title`, `machine` (both wanted), `unit`, `rows` and `columns` (what stands on the
 * axes), `remark`. Then rows of tab-separated fields: row, column, value ("-": not known), and
 * optionally n (trials behind it) and "unclear" for a value that cannot be told from the best.
 * -EINVAL names the line that is wrong.
 */
int nslab_plots_table(const char *path, const char *folder, unsigned formats,
		      struct nslab_plots_outcome *outcome, struct nslab_err *err);

/*
 * The same of an advice: path is the advice.json of a folder that `numaslab tune` made. Names are
 * those of nslab_plots_advice_name(). -EINVAL for an unknown name and a file that is no advice.
 */
int nslab_plots_advice(const char *path, const char *folder, const char *name, unsigned formats,
		       struct nslab_plots_outcome *outcome, struct nslab_err *err);

/* "png", "svg", "txt" or several with commas -> bits */
int nslab_plots_formats(const char *text, unsigned *formats, struct nslab_err *err);
/* "light", "dark" or "both" -> bits */
int nslab_plots_themes(const char *text, unsigned *formats, struct nslab_err *err);

/* -EINVAL with a guess for a name that no plot has. */
int nslab_plots_check_name(const char *name, struct nslab_err *err);

/* Names and one line each, in order; NULL past the end. */
const char *nslab_plots_name(size_t number, const char **summary);
const char *nslab_plots_advice_name(size_t number, const char **summary);
/* File of one picture, without the folder: "NAME-2-dark.png". page from 1; text: "NAME.txt". */
void nslab_plots_file(const char *name, unsigned format, bool is_dark, int page, char *file,
		      size_t file_bytes);

#endif
