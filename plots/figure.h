/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * figure.h: what all plots have in common: facets, arms, rows of numbers, and their files.
 *
 * A plot is a function that fills a figure from the cells of a run; script.c turns any figure into
 * a table and a gnuplot script, gnuplot.c runs it.
 */
#ifndef NSLAB_FIGURE_H
#define NSLAB_FIGURE_H

#include "plots/plots.h"
#include "results/compare.h"
#include "results/figures.h"
#include "results/latency.h"
#include "results/table.h"

/* Texts without repeats, numbered in the order of their coming. */
struct nslab_names {
	size_t nr;
	char **texts;
};

struct nslab_figure_row {
	int facet, arm;
	int slot;	      /* number of the arm among those of its facet */
	double x;	      /* position on the x axis of its facet */
	double value, lo, hi; /* NaN: not measured */
	size_t n;	      /* trials behind it */
	const char *tick;     /* label of x, owned by `ticks` */
	const char *note;     /* why there is no value, owned by the cells; or NULL */
	bool is_unclear;      /* cannot be told from what it is held against */
};

struct nslab_figure {
	const char *name;
	const char *shape; /* template behind NAME.gp that several plots share, or NULL */
	char machine[256]; /* first line of the footnote; "" in a figure of a run */
	char title[256];
	char spread[128];	   /* what bar and whisker are */
	char remark[256];	   /* one more line of the footnote, or "" */
	struct nslab_names ids;	   /* of facets, as the cells tell them */
	struct nslab_names facets; /* their titles, one for each id */
	struct nslab_names arms;
	struct nslab_names ticks;
	struct nslab_names ylabels; /* one for each facet, or one; of a heat map: y axis, colours */
	struct nslab_names xlabels; /* what a template asks for: one for each facet, one, none */
	size_t nr_rows, max_rows;
	struct nslab_figure_row *rows;
	int cols;		       /* facets side by side */
	int facet_width, facet_height; /* pixels */
	int per_page;		       /* facets; 0: 12 */
	bool has_no_trials;	       /* the footnote tells `spread` and no trials */
	bool has_user_ticks;	       /* texts of ticks come from users */
	bool has_no_key;	       /* arms are no series: all of them are on every page */
	bool is_out_of_memory;
};

/* What plots are drawn from. */
struct nslab_plot_input {
	struct nslab_run_record run;
	char status[16];
	double harness_ns;
	struct nslab_cell_list *list;
	struct nslab_figure_list *figures;
	struct nslab_latency_list *latencies;
	struct nslab_contrast *contrasts; /* of each cell, against its family's baseline */
	bool *is_new_arm;		  /* of each cell: its arm is in no earlier one */
	int *nr_counted; /* of each cell: workers whose operations count, 0 when unknown */
	const struct nslab_tuning *tuning; /* of an advice, which has nothing but this; or NULL */
	/* what is not the same in all cells must stand in titles */
	bool has_sizes, has_threads, has_placements, has_memories;
};

struct nslab_plot {
	const char *name;
	const char *summary;
	/* 0, or -ENODATA and in err what the run would need */
	int (*build)(const struct nslab_plot_input *input, struct nslab_figure *figure,
		     struct nslab_err *err);
};

extern const struct nslab_plot nslab_plot_throughput;
extern const struct nslab_plot nslab_plot_scaling;
extern const struct nslab_plot nslab_plot_matrix;
extern const struct nslab_plot nslab_plot_order;
extern const struct nslab_plot nslab_plot_curves;
extern const struct nslab_plot nslab_plot_latency;
extern const struct nslab_plot nslab_plot_memory;
extern const struct nslab_plot nslab_plot_forest;
extern const struct nslab_plot nslab_plot_spread;
extern const struct nslab_plot nslab_plot_pareto;
extern const struct nslab_plot nslab_plot_locks;
extern const struct nslab_plot nslab_plot_noise;
extern const struct nslab_plot nslab_plot_regret;
extern const struct nslab_plot nslab_plot_handover;
extern const struct nslab_plot nslab_plot_buddy;
/* of an advice */
extern const struct nslab_plot nslab_plot_tune_regret;
extern const struct nslab_plot nslab_plot_tune_pareto;
extern const struct nslab_plot nslab_plot_tune_memory;
extern const struct nslab_plot nslab_plot_tune_locks;
extern const struct nslab_plot nslab_plot_tune_gap;

/* ---- figure.c ---- */

/* The number of the text, which is added when it is new. */
int nslab_names_add(struct nslab_figure *figure, struct nslab_names *names, const char *text);
/* Adds even when the text is there already. */
void nslab_names_push(struct nslab_figure *figure, struct nslab_names *names, const char *text);
void nslab_names_clear(struct nslab_names *names);
struct nslab_figure_row *nslab_figure_add(struct nslab_figure *figure, int facet, int arm,
					  double x);
/* Median of the cell's trials with its 95 % interval (below n = 6 their range), or the reason that
 * there are none. The words are for a format. */
#define NSLAB_INTERVAL_WORDS "95 %% interval of the median, below n = 6 the range"
void nslab_figure_values(struct nslab_figure_row *row, const struct nslab_cell_values *cell,
			 double scale_inverse);
/* The facet called id, or -1. */
int nslab_figure_find(const struct nslab_figure *figure, const char *id);
/* The facet called id; a new one gets the title, or the id where two would look the same. */
int nslab_figure_facet(struct nslab_figure *figure, const char *id, const char *title);
/* Puts x at 0, 1, 2.. in the order of the values that a facet has. */
void nslab_figure_rank(struct nslab_figure *figure);
/* Sorts rows by facet, arm and x, and gives arms their slots; arms without values in a facet keep
 * theirs. */
void nslab_figure_sort(struct nslab_figure *figure);
#define NSLAB_BAR_PLACES 8 /* groups of bars whose names stand side by side */
/* After nslab_figure_rank: a facet with more than max_x places goes on in a further one. */
void nslab_figure_split(struct nslab_figure *figure, int max_x);
void nslab_figure_clear(struct nslab_figure *figure);

/* Takes `key=value` out of a cell's key or family. */
void nslab_key_without(const char *key, const char *word, char *out, size_t out_bytes);
/*
 * "pingpong, 64 B, 2 threads, node:1": the parts that are in `parts` and differ within the run, and
 * the workload's parameters that differ between its cells. It looks at every cell: ask once a
 * facet.
 */
#define NSLAB_PART_SIZE	     (1u << 0)
#define NSLAB_PART_THREADS   (1u << 1)
#define NSLAB_PART_PLACEMENT (1u << 2)
void nslab_cell_title(const struct nslab_plot_input *input, const struct nslab_cell_record *cell,
		      unsigned parts, char *out, size_t out_bytes);
/* 64 -> "64 B", 8192 -> "8 KiB" */
void nslab_size_text(int64_t bytes, char *out, size_t out_bytes);

/* ---- regret.c ---- */

/* Names, sizes and units of a map with caches as arms and orders as ticks. */
void nslab_regret_frame(struct nslab_figure *figure, const char *title, const char *unit,
			const char *rows, const char *columns);
/* The facet of an arm of such a map. */
int nslab_regret_facet(struct nslab_figure *figure, int arm);

/* ---- order.c ---- */

#define NSLAB_ORDER_AUTO (-1)
#define NSLAB_ORDER_NONE (-2)

/* Slab order that the cell was run with, from its parameters, arm or key. */
int nslab_cell_order(const struct nslab_cell_record *cell);
/* What cells that differ in their order alone have in common. */
void nslab_order_id(const struct nslab_cell_record *cell, char *id, size_t id_bytes);
/* Orders of all cells, NONE where no other order was run or the cell is a twin; NULL: no memory. */
int *nslab_cell_orders(const struct nslab_cell_list *list);

/* ---- script.c ---- */

/* Pictures of one format and theme; -> *nr_pages, of which NSLAB_PLOT_PAGES_MAX are drawn. */
int nslab_script_write(const struct nslab_plot_input *input, const struct nslab_figure *figure,
		       const char *folder, int *nr_pages, struct nslab_err *err);
/* Text for a single-quoted gnuplot string: quotes doubled, control characters blank, bytes that are
 * no UTF-8 question marks. */
void nslab_script_quote(const char *text, char *out, size_t out_bytes);

/* ---- gnuplot.c ---- */

/* 0, or -errno and in why a line that says what to install. */
int nslab_gnuplot_probe(char *why, size_t why_bytes);
/* Runs NAME.gp in folder for one NSLAB_PLOT_ format; a page from 1. */
struct nslab_gnuplot_job {
	const char *folder, *name;
	unsigned format;
	bool is_dark;
	int page;
};
int nslab_gnuplot_run(const struct nslab_gnuplot_job *job, char *why, size_t why_bytes);

#endif
