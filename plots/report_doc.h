/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report_doc.h: a page as a sequence of calls, and what writes it as HTML or as Markdown.
 *
 * Texts are raw: the writer escapes them for the place that they stand in. Nothing returns an
 * error; the stream remembers it.
 */
#ifndef NSLAB_REPORT_DOC_H
#define NSLAB_REPORT_DOC_H

#include "plots/report.h"

struct nslab_doc;

struct nslab_doc_column {
	const char *name;
	const char *help; /* one line, or NULL */
	bool is_number;	  /* cells begin with a number, or are "-" */
};

struct nslab_doc_table {
	const char *id; /* an XML name */
	const char *caption;
	const struct nslab_doc_column *columns;
	size_t nr_columns, nr_rows;
	bool is_folded;		/* of use to few: opened by a click */
	const char *whole_file; /* that has all rows, when the page cannot; or NULL */
};

struct nslab_doc_ops {
	void (*begin)(struct nslab_doc *doc, const char *title);
	void (*end)(struct nslab_doc *doc);
	void (*section)(struct nslab_doc *doc, const char *id, const char *heading);
	void (*paragraph)(struct nslab_doc *doc, const char *text, bool is_lead);
	void (*list_begin)(struct nslab_doc *doc, bool is_warning);
	void (*list_item)(struct nslab_doc *doc, const char *label, const char *text);
	void (*list_end)(struct nslab_doc *doc);
	void (*table_begin)(struct nslab_doc *doc, const struct nslab_doc_table *table);
	void (*row_begin)(struct nslab_doc *doc, const char *word); /* how it is told apart, "" */
	void (*cell)(struct nslab_doc *doc, const char *text, bool is_number);
	void (*row_end)(struct nslab_doc *doc);
	void (*table_end)(struct nslab_doc *doc);
	void (*picture)(struct nslab_doc *doc, const char *folder,
			const struct nslab_plot_outcome *plot, const char *summary);
	void (*code)(struct nslab_doc *doc, const char *text);
	void (*file)(struct nslab_doc *doc, const char *name, const char *what); /* a list item */
};

struct nslab_doc {
	const struct nslab_doc_ops *ops;
	FILE *out;
	size_t nr_rows_most; /* of a table */
	size_t nr_rows_max;  /* of this table */
	size_t nr_rows;	     /* of this table, so far */
	const struct nslab_doc_table *table;
	bool has_section;
	int nr_pictures;
};

extern const struct nslab_doc_ops nslab_doc_html, nslab_doc_markdown;

/* The whole report. */
int nslab_report_compose(const struct nslab_report *report, struct nslab_doc *doc,
			 struct nslab_err *err);
/* Its tables: results, single operations, what workloads told, counters, probes of the host. */
void nslab_report_results(const struct nslab_report *report, struct nslab_doc *doc);
void nslab_report_latencies(const struct nslab_report *report, struct nslab_doc *doc);
void nslab_report_figures(const struct nslab_report *report, struct nslab_doc *doc);
void nslab_report_counters(const struct nslab_report *report, struct nslab_doc *doc);
void nslab_report_probes(const struct nslab_report *report, struct nslab_doc *doc);

/*
 * The next character of *text as valid UTF-8, NUL-terminated; 0 at the end, else its code. What is
 * not UTF-8, control characters and those that turn the direction of writing become U+FFFD; line
 * breaks and tabs are left.
 */
unsigned nslab_doc_next(const char **text, char bytes[5]);

/* Text for HTML, between tags or in a quoted attribute. */
void nslab_doc_html_text(FILE *out, const char *text);

/*
 * An SVG of gnuplot as a part of a page, with the colours of `dark` where its user prefers dark
 * screens. prefix: of its identifiers; label: what it shows. Nothing when `light` is no SVG.
 */
void nslab_doc_svg(FILE *out, const char *light, const char *dark, const char *prefix,
		   const char *label);

/*
 * What all families say alike ("threads=2 memory=local"), and a family without it. Words stand
 * between blanks.
 */
void nslab_report_common(const struct nslab_cell_list *list, char *common, size_t common_bytes);
void nslab_report_short(const char *family, const char *common, char *text, size_t text_bytes);

#endif
