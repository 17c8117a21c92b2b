/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare.h: arms against their baseline in one run, and the same cells in two runs.
 *
 * Lists must outlive what is built from them. Rows are parallel to the cells of a list: row i is
 * about list->cells[i].
 */
#ifndef NSLAB_COMPARE_H
#define NSLAB_COMPARE_H

#include "results/stats.h"
#include "results/store.h"

#include <stdio.h>

#define NSLAB_CONFIDENCE 0.95
#define NSLAB_MARGIN	 0.01 /* +-1 %: what nobody needs to care about */

#define NSLAB_PRIMARY_MAX 10 /* cells of the primary list when nobody names it */

/*
 * One cell against its base: the log ratio cell / base of each block that both have. Unpaired
 * samples fill the same fields: the shift of the logarithms, n of the smaller sample.
 */
struct nslab_contrast {
	const struct nslab_cell_values *base; /* NULL: there is nothing to compare with */
	const struct nslab_cell_values *cell;
	double base_value, cell_value; /* medians: ns per operation, or ratios to the baseline */
	struct nslab_paired paired;    /* of log ratios; n = 0 for the baseline itself */
	double ratio, lo, hi;	       /* exp of paired; NaN when there is none */
	enum nslab_verdict verdict;
	bool is_primary;
	bool is_approximate; /* p: of the normal approximation */
	double p_holm;	     /* over the primary cells; NaN elsewhere */
	double q;	     /* Benjamini-Hochberg over all but twins */
};

/* "faster", "slower", "same", "unclear"; "-" when nothing was compared. */
const char *nslab_contrast_word(const struct nslab_contrast *contrast);
/* A primary cell that is slower: beyond the margin, and at 5 % after Holm. */
bool nslab_contrast_is_worse(const struct nslab_contrast *contrast);

/*
 * Every cell against the baseline of its family; for A' that is the A/A' row. list->nr rows; free
 * them with free().
 */
int nslab_compare_arms(const struct nslab_cell_list *list, struct nslab_contrast **rows,
		       struct nslab_err *err);

enum nslab_compare_mode {
	NSLAB_COMPARE_ARMS,	/* one run */
	NSLAB_COMPARE_TIMES,	/* two runs of one host: ns per operation */
	NSLAB_COMPARE_RATIOS,	/* two runs: what each arm costs against its own run's baseline */
	NSLAB_COMPARE_UNPAIRED, /* two runs of one host, one or both of another tool: no blocks */
};

/* Two runs. Row i is about b->list->cells[i]; its base is the cell of run a with the same key. */
struct nslab_comparison {
	enum nslab_compare_mode mode;
	const struct nslab_run_file *a, *b;
	const struct nslab_cell_list *list; /* b->list, or that of the only run */
	struct nslab_contrast *rows;
	size_t nr_only_a, nr_only_b;
	size_t nr_primary, nr_tested; /* contrasts; twins are not tested */
	char note[512];		      /* how the runs were paired, and what speaks against it */
};

/* One run: arms against baselines. */
int nslab_compare_one(const struct nslab_run_file *run, struct nslab_comparison *comparison,
		      struct nslab_err *err);
/*
 * Two runs. Times of different machines are never held against each other: there the ratios to a
 * baseline that both runs have are compared, and without one it is -EINVAL. So are runs that share
 * no cell, differ in the statistic, or of which only one has simulated nodes. want_ratios: ratios
 * on one machine too.
 */
int nslab_compare_two(const struct nslab_run_file *a, const struct nslab_run_file *b,
		      bool want_ratios, struct nslab_comparison *comparison, struct nslab_err *err);
void nslab_comparison_exit(struct nslab_comparison *comparison);

/*
 * Makes the cells primary of which the arm or the key matches one of the NULL-terminated shell
 * patterns; NULL or none: the first NSLAB_PRIMARY_MAX in the order of a report, which is what a
 * comparison starts with. -EINVAL when none matches.
 */
int nslab_comparison_judge(struct nslab_comparison *comparison, const char *const *patterns,
			   struct nslab_err *err);
/* What a mail would say first: the largest change of a primary cell, or that there is none. */
void nslab_comparison_sentence(const struct nslab_comparison *comparison, char *text,
			       size_t text_bytes);

/* True for a run that was imported from another tool. */
bool nslab_run_is_imported(const struct nslab_run_record *run);

/*
 * A text of at most `columns`, a table in Markdown, one JSON object, or CSV with a header line. 0
 * or -EIO / -ENOMEM.
 */
int nslab_comparison_print(const struct nslab_comparison *comparison, FILE *out, int columns);
int nslab_comparison_markdown(const struct nslab_comparison *comparison, FILE *out);
int nslab_comparison_json(const struct nslab_comparison *comparison, FILE *out);
int nslab_comparison_csv(const struct nslab_comparison *comparison, FILE *out);

/*
 * The cells' positions in the order of a report: families as they first appear, in each the
 * baseline, its twin, then the arms as they were added. list->nr entries, NULL when memory is out.
 */
size_t *nslab_family_order(const struct nslab_cell_list *list);

#endif
