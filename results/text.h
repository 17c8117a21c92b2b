/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text.h: keeping and printing texts: strings that live together, numbers of a fixed width, folds.
 */
#ifndef NSLAB_TEXT_H
#define NSLAB_TEXT_H

#include <stddef.h>
#include <stdio.h>

struct nslab_texts;

/* NULL when memory is out. */
struct nslab_texts *nslab_texts_create(void);
void nslab_texts_free(struct nslab_texts *texts); /* NULL is fine */
/* A copy that lives as long as texts; NULL when memory is out. */
const char *nslab_texts_keep(struct nslab_texts *texts, const char *text, size_t len);

/* A number in at most 8 characters, '-' for NaN. */
struct nslab_cell_text {
	char text[24];
};
struct nslab_cell_text nslab_text_ns(double ns);
struct nslab_cell_text nslab_text_mib(double bytes);
struct nslab_cell_text nslab_text_ratio(double ratio);
/* "+1.2%" with is_signed, "1.2%" without, of a fraction. */
struct nslab_cell_text nslab_text_percent(double fraction, int is_signed);
/* "[0.981, 1.012]" */
struct nslab_cell_text nslab_text_interval(double lo, double hi);
/* "[-1.2%, +0.4%]" */
struct nslab_cell_text nslab_text_change(double lo, double hi);

/*
 * Prints text, then blanks up to `width`. Bytes that are not printable ASCII become '?', here and
 * below, so that a crafted file cannot drive the terminal.
 */
void nslab_text_put(FILE *out, const char *text, int width);

/*
 * Prints label, then text wrapped at words; following lines are indented by `indent`. A label
 * that is longer than the indent gets a line of its own.
 */
void nslab_text_fold(FILE *out, const char *label, const char *text, int indent, int columns);

#endif
