/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report_markdown.c: a report as Markdown, for a repository or a mail.
 *
 * Tables are those of GitHub's dialect, which most renderers read; long ones are cut and those
 * that an HTML page folds away are left out, with the file that has all rows named, since nobody
 * scrolls through a thousand lines of a mail. Pictures
 * are links to PNG files beside the page. Plans are indented, which no text inside can end.
 *
 * Invariants: every text of the run goes through markdown_text, which leaves no character with a
 * meaning and no line break. Left out: dark pictures.
 */
#include "plots/report_doc.h"

#include <string.h>

static void markdown_text(FILE *out, const char *text)
{
	char bytes[5];
	unsigned code;

	while ((code = nslab_doc_next(&text, bytes))) {
		if (code < 0x80 && strchr("|\\`*_<>[]#&~!$", (int)code))
			fputc('\\', out);
		fputs(code == '\n' || code == '\t' ? " " : bytes, out);
	}
}

static void markdown_begin(struct nslab_doc *doc, const char *title)
{
	fputs("# ", doc->out);
	markdown_text(doc->out, title);
	fputs("\n", doc->out);
}

static void markdown_end(struct nslab_doc *doc)
{
	(void)doc;
}

static void markdown_section(struct nslab_doc *doc, const char *id, const char *heading)
{
	(void)id;
	fputs("\n## ", doc->out);
	markdown_text(doc->out, heading);
	fputs("\n", doc->out);
}

static void markdown_paragraph(struct nslab_doc *doc, const char *text, bool is_lead)
{
	fputs(is_lead ? "\n**" : "\n", doc->out);
	markdown_text(doc->out, text);
	fputs(is_lead ? "**\n" : "\n", doc->out);
}

static void markdown_list_begin(struct nslab_doc *doc, bool is_warning)
{
	(void)is_warning;
	fputs("\n", doc->out);
}

static void markdown_list_item(struct nslab_doc *doc, const char *label, const char *text)
{
	fputs("- ", doc->out);
	if (label) {
		fputs("**", doc->out);
		markdown_text(doc->out, label);
		fputs("**: ", doc->out);
	}
	markdown_text(doc->out, text);
	fputs("\n", doc->out);
}

static void markdown_list_end(struct nslab_doc *doc)
{
	(void)doc;
}

static void markdown_table_begin(struct nslab_doc *doc, const struct nslab_doc_table *table)
{
	doc->table = table;
	doc->nr_rows = 0;
	doc->nr_rows_max = table->is_folded ? 0 : doc->nr_rows_most;
	if (table->is_folded)
		return;
	fputs("\n", doc->out);
	markdown_text(doc->out, table->caption);
	fputs("\n\n|", doc->out);
	for (size_t i = 0; i < table->nr_columns; i++) {
		fputs(" ", doc->out);
		markdown_text(doc->out, table->columns[i].name);
		fputs(" |", doc->out);
	}
	fputs("\n|", doc->out);
	for (size_t i = 0; i < table->nr_columns; i++)
		fputs(table->columns[i].is_number ? "--:|" : "---|", doc->out);
	fputs("\n", doc->out);
}

static void markdown_row_begin(struct nslab_doc *doc, const char *word)
{
	(void)word;
	if (doc->nr_rows++ < doc->nr_rows_max)
		fputs("|", doc->out);
}

static void markdown_cell(struct nslab_doc *doc, const char *text, bool is_number)
{
	(void)is_number;
	if (doc->nr_rows > doc->nr_rows_max)
		return;
	fputs(" ", doc->out);
	markdown_text(doc->out, text);
	fputs(" |", doc->out);
}

static void markdown_row_end(struct nslab_doc *doc)
{
	if (doc->nr_rows <= doc->nr_rows_max)
		fputs("\n", doc->out);
}

static void markdown_table_end(struct nslab_doc *doc)
{
	const char *file = doc->table->whole_file ? doc->table->whole_file : NSLAB_REPORT_DB;

	if (doc->table->is_folded)
		fprintf(doc->out, "\n%s: %zu row%s, in %s.\n", doc->table->caption, doc->nr_rows,
			doc->nr_rows == 1 ? "" : "s", file);
	else if (doc->nr_rows > doc->nr_rows_max)
		fprintf(doc->out, "\n%zu more rows are in %s.\n", doc->nr_rows - doc->nr_rows_max,
			file);
}

static void markdown_picture(struct nslab_doc *doc, const char *folder,
			     const struct nslab_plot_outcome *plot, const char *summary)
{
	char file[128];

	(void)folder;
	for (int page = 1; page <= plot->nr_pages; page++) {
		nslab_plots_file(plot->name, NSLAB_PLOT_PNG, false, page, file, sizeof(file));
		fputs("\n![", doc->out);
		markdown_text(doc->out, plot->title);
		fprintf(doc->out, ": %s](%s/%s)\n", summary, NSLAB_REPORT_PLOTS, file);
	}
}

static void markdown_code(struct nslab_doc *doc, const char *text)
{
	bool is_new_line = true;
	char bytes[5];
	unsigned code;

	fputs("\n", doc->out);
	while ((code = nslab_doc_next(&text, bytes))) {
		if (is_new_line && code != '\n')
			fputs("    ", doc->out);
		is_new_line = code == '\n';
		fputs(bytes, doc->out);
	}
	if (!is_new_line)
		fputs("\n", doc->out);
}

static void markdown_file(struct nslab_doc *doc, const char *name, const char *what)
{
	fprintf(doc->out, "- [%s](%s): ", name, name);
	markdown_text(doc->out, what);
	fputs("\n", doc->out);
}

const struct nslab_doc_ops nslab_doc_markdown = {
	.begin = markdown_begin,
	.end = markdown_end,
	.section = markdown_section,
	.paragraph = markdown_paragraph,
	.list_begin = markdown_list_begin,
	.list_item = markdown_list_item,
	.list_end = markdown_list_end,
	.table_begin = markdown_table_begin,
	.row_begin = markdown_row_begin,
	.cell = markdown_cell,
	.row_end = markdown_row_end,
	.table_end = markdown_table_end,
	.picture = markdown_picture,
	.code = markdown_code,
	.file = markdown_file,
};
