/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report_html.c: a report as one HTML file that needs neither a network nor a file beside it.
 *
 * Style, script and pictures are in the page. A policy in its head forbids everything else, so that
 * opening it can never fetch anything; it names the script by its checksum, so that no other one
 * runs, whatever a name that slipped through might hold. The script (page/report.js) adds sorting,
 * filters and pages to tables that are whole without it. Words carry every meaning, colours only
 * repeat it.
 *
 * Invariants: every text of the run goes through nslab_doc_html_text. Left out:
 * pictures that one could zoom.
 */
#include "plots/report_assets.h"
#define _GNU_SOURCE
#include "plots/report_doc.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>

/* In a text and in a quoted attribute alike. */
void nslab_doc_html_text(FILE *out, const char *text)
{
	char bytes[5];
	unsigned code;

	while ((code = nslab_doc_next(&text, bytes))) {
		if (code == '&')
			fputs("&amp;", out);
		else if (code == '<')
			fputs("&lt;", out);
		else if (code == '>')
			fputs("&gt;", out);
		else if (code == '"')
			fputs("&quot;", out);
		else if (code == '\'')
			fputs("&#39;", out);
		else
			fputs(bytes, out);
	}
}

static unsigned html_digit(char digit)
{
	return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* The 32 bytes of a checksum as a policy wants them: base64. */
static void html_checksum(FILE *out, const char *hex)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	/* 3 digits are 12 bits, which are 2 letters; 64 digits leave one, and 0 bits fill up */
	for (size_t i = 0; i < 64; i += 3) {
		unsigned bits = html_digit(hex[i]) << 8 |
				(i + 1 < 64 ? html_digit(hex[i + 1]) << 4 : 0u) |
				(i + 2 < 64 ? html_digit(hex[i + 2]) : 0u);

		fputc(letters[bits >> 6], out);
		if (i + 2 < 64)
			fputc(letters[bits & 63], out);
	}
	fputc('=', out);
}

static void html_begin(struct nslab_doc *doc, const char *title)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta name=\"color-scheme\" content=\"light dark\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "img-src data:; style-src 'unsafe-inline'; script-src 'sha256-",
	      doc->out);
	html_checksum(doc->out, nslab_report_js_sha256);
	fputs("'\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n<title>",
	      doc->out);
	nslab_doc_html_text(doc->out, title);
	fputs("</title>\n<style>\n", doc->out);
	fputs(nslab_report_css, doc->out);
	fputs("</style>\n</head>\n<body>\n<main>\n<h1>", doc->out);
	nslab_doc_html_text(doc->out, title);
	fputs("</h1>\n", doc->out);
}

static void html_end(struct nslab_doc *doc)
{
	fprintf(doc->out, "%s</main>\n<script>%s</script>\n</body>\n</html>\n",
		doc->has_section ? "</section>\n" : "", nslab_report_js);
}

static void html_section(struct nslab_doc *doc, const char *id, const char *heading)
{
	fprintf(doc->out, "%s<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">",
		doc->has_section ? "</section>\n" : "", id, id);
	nslab_doc_html_text(doc->out, heading);
	fputs("</h2>\n", doc->out);
	doc->has_section = true;
}

static void html_paragraph(struct nslab_doc *doc, const char *text, bool is_lead)
{
	fprintf(doc->out, "<p%s>", is_lead ? " class=\"lead\"" : "");
	nslab_doc_html_text(doc->out, text);
	fputs("</p>\n", doc->out);
}

static void html_list_begin(struct nslab_doc *doc, bool is_warning)
{
	fprintf(doc->out, "<ul%s>\n", is_warning ? " class=\"warning\"" : "");
}

static void html_list_item(struct nslab_doc *doc, const char *label, const char *text)
{
	fputs("<li>", doc->out);
	if (label) {
		fputs("<b>", doc->out);
		nslab_doc_html_text(doc->out, label);
		fputs("</b>: ", doc->out);
	}
	nslab_doc_html_text(doc->out, text);
	fputs("</li>\n", doc->out);
}

static void html_list_end(struct nslab_doc *doc)
{
	fputs("</ul>\n", doc->out);
}

static void html_column(FILE *out, const struct nslab_doc_column *column)
{
	fprintf(out, "<th scope=\"col\"%s", column->is_number ? " class=\"n\"" : "");
	if (column->help) {
		fputs(" title=\"", out);
		nslab_doc_html_text(out, column->help);
		fputs("\"", out);
	}
	fputs(">", out);
	nslab_doc_html_text(out, column->name);
	fputs("</th>", out);
}

static void html_table_begin(struct nslab_doc *doc, const struct nslab_doc_table *table)
{
	FILE *out = doc->out;

	doc->table = table;
	doc->nr_rows = 0;
	doc->nr_rows_max = doc->nr_rows_most;
	if (table->is_folded) {
		fputs("<details>\n<summary>", out);
		nslab_doc_html_text(out, table->caption);
		fprintf(out, " (%zu row%s)</summary>\n", table->nr_rows,
			table->nr_rows == 1 ? "" : "s");
	}
	fprintf(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
	nslab_doc_html_text(out, table->caption);
	fprintf(out, "\">\n<table id=\"%s\" class=\"data\">\n<caption>", table->id);
	nslab_doc_html_text(out, table->caption);
	fputs("</caption>\n<thead>\n<tr>", out);
	for (size_t i = 0; i < table->nr_columns; i++)
		html_column(out, &table->columns[i]);
	fputs("</tr>\n</thead>\n<tbody>\n", out);
}

static void html_row_begin(struct nslab_doc *doc, const char *word)
{
	if (doc->nr_rows++ >= doc->nr_rows_max)
		return;
	if (*word)
		fprintf(doc->out, "<tr class=\"%s\">", word);
	else
		fputs("<tr>", doc->out);
}

static void html_cell(struct nslab_doc *doc, const char *text, bool is_number)
{
	if (doc->nr_rows > doc->nr_rows_max)
		return;
	fputs(is_number ? "<td class=\"n\">" : "<td>", doc->out);
	nslab_doc_html_text(doc->out, text);
	fputs("</td>", doc->out);
}

static void html_row_end(struct nslab_doc *doc)
{
	if (doc->nr_rows <= doc->nr_rows_max)
		fputs("</tr>\n", doc->out);
}

static void html_table_end(struct nslab_doc *doc)
{
	fputs("</tbody>\n</table>\n</div>\n", doc->out);
	if (doc->nr_rows > doc->nr_rows_max)
		fprintf(doc->out, "<p>%zu more rows are in %s.</p>\n",
			doc->nr_rows - doc->nr_rows_max,
			doc->table->whole_file ? doc->table->whole_file : NSLAB_REPORT_DB);
	if (doc->table->is_folded)
		fputs("</details>\n", doc->out);
}

/* The whole file, "" when it cannot be read; the caller frees it. NULL when memory is out. */
static char *html_read(const char *folder, const char *name, bool is_dark, int page)
{
	char file[128], path[PATH_MAX], *text = NULL;
	size_t bytes = 0;
	FILE *in;

	nslab_plots_file(name, NSLAB_PLOT_SVG, is_dark, page, file, sizeof(file));
	if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= (int)sizeof(path))
		return strdup("");
	in = fopen(path, "re");
	if (!in || getdelim(&text, &bytes, '\0', in) < 0) {
		free(text);
		text = strdup("");
	}
	if (in)
		fclose(in);
	return text;
}

static void html_page(struct nslab_doc *doc, const char *folder,
		      const struct nslab_plot_outcome *plot, const char *summary, int page)
{
	char *light = html_read(folder, plot->name, false, page);
	char *dark = html_read(folder, plot->name, true, page);
	char prefix[24], label[400];

	snprintf(prefix, sizeof(prefix), "p%d-", ++doc->nr_pictures);
	snprintf(label, sizeof(label), "%s: %.100s", plot->title, summary);
	fputs("<figure>\n<div class=\"scroll\">\n", doc->out);
	if (light && dark)
		nslab_doc_svg(doc->out, light, dark, prefix, label);
	fputs("</div>\n<figcaption>", doc->out);
	nslab_doc_html_text(doc->out, summary);
	if (plot->nr_pages > 1)
		fprintf(doc->out, " (%d of %d)", page, plot->nr_pages);
	fputs("</figcaption>\n</figure>\n", doc->out);
	free(light);
	free(dark);
}

static void html_picture(struct nslab_doc *doc, const char *folder,
			 const struct nslab_plot_outcome *plot, const char *summary)
{
	for (int page = 1; page <= plot->nr_pages; page++)
		html_page(doc, folder, plot, summary, page);
}

static void html_code(struct nslab_doc *doc, const char *text)
{
	fputs("<pre tabindex=\"0\"><code>", doc->out);
	nslab_doc_html_text(doc->out, text);
	fputs("</code></pre>\n", doc->out);
}

static void html_file(struct nslab_doc *doc, const char *name, const char *what)
{
	fprintf(doc->out, "<li><a href=\"%s\">%s</a>: ", name, name);
	nslab_doc_html_text(doc->out, what);
	fputs("</li>\n", doc->out);
}

const struct nslab_doc_ops nslab_doc_html = {
	.begin = html_begin,
	.end = html_end,
	.section = html_section,
	.paragraph = html_paragraph,
	.list_begin = html_list_begin,
	.list_item = html_list_item,
	.list_end = html_list_end,
	.table_begin = html_table_begin,
	.row_begin = html_row_begin,
	.cell = html_cell,
	.row_end = html_row_end,
	.table_end = html_table_end,
	.picture = html_picture,
	.code = html_code,
	.file = html_file,
};
