/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report.c: reads a run for a report and says what stands on its page, in which order.
 *
 * Whoever opens a report wants the answer, so it comes first; then whether to believe it; then the
 * figures, as tables and as pictures; at last what one needs to check it or to do it again. The
 * order is told once, as calls of a document's writer (report_doc.h); HTML and Markdown differ only
 * in the writer. Pictures are drawn when the report is opened and read when it is written.
 *
 * Invariants: whatever is missing is told with its reason; a run without cells or values has a
 * report too. Left out: reports of several runs.
 */
#define _GNU_SOURCE
#include "plots/report_doc.h"
#include "results/table.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of one table. A browser holds more; a page that takes long to open is not looked at. */
#define REPORT_HTML_ROWS     20000
#define REPORT_MARKDOWN_ROWS 100

int nslab_report_open(struct nslab_run_file *run, const char *folder, unsigned formats,
		      struct nslab_report *report, struct nslab_err *err)
{
	struct nslab_err why = {""};
	int rc;

	*report = (struct nslab_report){.run = run};
	if (snprintf(report->plots_folder, sizeof(report->plots_folder), "%s", folder) >=
	    (int)sizeof(report->plots_folder))
		return nslab_fail(err, -ENAMETOOLONG, "cannot draw into '%.64s...': too long",
				  folder);
	rc = nslab_store_counters(run->store, run->list, err);
	if (!rc)
		rc = nslab_compare_one(run, &report->comparison, err);
	if (!rc)
		rc = nslab_store_latencies(run->store, run->list, &report->latencies, err);
	if (!rc)
		rc = nslab_store_figures(run->store, run->list, &report->figures, err);
	if (rc)
		return rc;
	report->order = nslab_family_order(run->list);
	if (!report->order)
		return nslab_fail(err, -ENOMEM, "cannot report: out of memory");
	if (nslab_plots_make(run->store, folder, NULL, formats, &report->plots, &why))
		snprintf(report->plots_reason, sizeof(report->plots_reason), "%.250s", why.text);
	return 0;
}

void nslab_report_close(struct nslab_report *report)
{
	free(report->order);
	nslab_latency_list_free(report->latencies);
	nslab_figure_list_free(report->figures);
	nslab_comparison_exit(&report->comparison);
}

/* ---- the answer ---- */

struct report_to {
	struct nslab_doc *doc;
	bool has_begun;
};

static void report_sentence(void *context, const char *sentence)
{
	struct report_to *to = context;

	if (!to->has_begun) {
		to->doc->ops->paragraph(to->doc, sentence, true);
		to->doc->ops->list_begin(to->doc, false);
	} else {
		to->doc->ops->list_item(to->doc, NULL, sentence);
	}
	to->has_begun = true;
}

static void report_answer(const struct nslab_report *report, struct nslab_doc *doc)
{
	struct report_to to = {.doc = doc};

	doc->ops->section(doc, "answer", "The answer");
	nslab_report_say(report, report_sentence, &to);
	doc->ops->list_end(doc);
}

/* ---- the host ---- */

static void report_warning(void *context, const char *label, const char *text)
{
	struct report_to *to = context;

	if (!to->has_begun)
		to->doc->ops->list_begin(to->doc, true);
	to->has_begun = true;
	to->doc->ops->list_item(to->doc, label, text);
}

static void report_header_line(void *context, const char *label, const char *text)
{
	struct nslab_doc *doc = context;

	doc->ops->list_item(doc, label, text);
}

static void report_host(const struct nslab_report *report, struct nslab_doc *doc)
{
	const struct nslab_run_file *run = report->run;
	struct report_to to = {.doc = doc};

	doc->ops->section(doc, "host", "Where and how it was measured");
	nslab_report_warn(report, report_warning, &to);
	if (to.has_begun)
		doc->ops->list_end(doc);
	else
		doc->ops->paragraph(doc,
				    run->run.env_json
					    ? "No probe of the host warned before the run."
					    : "The state of the host was not recorded.",
				    false);
	doc->ops->list_begin(doc, false);
	nslab_results_header_lines(run->list, &run->run, run->status, run->harness_ns,
				   report_header_line, doc);
	doc->ops->list_end(doc);
	nslab_report_probes(report, doc);
}

/* ---- figures ---- */

static void report_tables(const struct nslab_report *report, struct nslab_doc *doc)
{
	char common[1024], text[1100];

	doc->ops->section(doc, "tables", "Tables");
	nslab_report_common(report->run->list, common, sizeof(common));
	if (common[0]) {
		snprintf(text, sizeof(text), "All cells: %s.", common);
		doc->ops->paragraph(doc, text, false);
	}
	nslab_report_results(report, doc);
	doc->ops->paragraph(doc,
			    "ratio: ns/op against baseline A in the same block, below 1 is faster;"
			    " A' is A a second time. faster, slower, same: the whole 95 % interval"
			    " lies beyond or within 1 %; unclear: neither, more blocks would tell"
			    " (no interval exists below n = 6). -: not measured.",
			    false);
	nslab_report_latencies(report, doc);
	nslab_report_figures(report, doc);
	nslab_report_counters(report, doc);
}

static const char *report_summary(const char *name)
{
	const char *summary, *found;

	for (size_t i = 0; (found = nslab_plots_name(i, &summary)); i++) {
		if (!strcmp(found, name))
			return summary;
	}
	return name;
}

static void report_plots(const struct nslab_report *report, struct nslab_doc *doc)
{
	const char *reason = "the run has no figures that a picture could show";
	size_t nr = 0;
	char text[600];

	doc->ops->section(doc, "plots", "Plots");
	for (size_t i = 0; i < report->plots.nr; i++) {
		const struct nslab_plot_outcome *plot = &report->plots.plots[i];

		if (plot->is_drawn)
			doc->ops->picture(doc, report->plots_folder, plot,
					  report_summary(plot->name));
		else if (plot->is_written)
			reason = plot->reason;
		nr += plot->is_drawn;
	}
	if (report->plots_reason[0])
		reason = report->plots_reason;
	if (nr && !report->plots_reason[0])
		return;
	snprintf(text, sizeof(text), "There are no %splots: %s.", nr ? "more " : "", reason);
	doc->ops->paragraph(doc, text, false);
}

/* ---- to check it, to do it again ---- */

static void report_data(const struct nslab_report *report, struct nslab_doc *doc)
{
	doc->ops->section(doc, "data", "Raw data");
	doc->ops->list_begin(doc, false);
	doc->ops->file(doc, NSLAB_REPORT_DB,
		       "the whole run, an SQLite file; numaslab verify recomputes what it says");
	doc->ops->file(doc, NSLAB_REPORT_CELLS, "one row for each comparison");
	doc->ops->file(doc, NSLAB_REPORT_WINDOWS, "one row for each window of each trial");
	if (report->run->run.plan_text)
		doc->ops->file(doc, NSLAB_REPORT_PLAN, "the plan");
	doc->ops->list_end(doc);
}

/* A word of a command line, quoted where a shell would take it apart. */
static void report_shell_word(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-+=:,./@%";

	fputc(' ', out);
	if (*word && !word[strspn(word, plain)]) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

/* "numaslab run plan.ini blocks=2 seed=1\n" and how to hold the result against this one. */
static void report_commands(const struct nslab_run_record *run, FILE *out)
{
	json_t *plan = run->plan_json ? json_loads(run->plan_json, 0, NULL) : NULL;
	json_t *override;
	size_t i;

	fputs("numaslab run " NSLAB_REPORT_PLAN, out);
	json_array_foreach(json_object_get(plan, "overrides"), i, override)
	{
		if (json_is_string(override))
			report_shell_word(out, json_string_value(override));
	}
	fprintf(out, " seed=%llu -o again\nnumaslab compare " NSLAB_REPORT_DB " again\n",
		(unsigned long long)run->seed);
	json_decref(plan);
}

static int report_reproduce(const struct nslab_report *report, struct nslab_doc *doc)
{
	const struct nslab_run_record *run = &report->run->run;
	char *commands = NULL, text[256];
	size_t bytes;
	FILE *out;

	doc->ops->section(doc, "again", "How to do it again");
	if (nslab_run_is_imported(run) || !run->plan_text) {
		doc->ops->paragraph(doc, "The run has no plan, so it cannot be repeated.", false);
		return 0;
	}
	out = open_memstream(&commands, &bytes);
	if (!out)
		return -ENOMEM;
	report_commands(run, out);
	if (fclose(out)) {
		free(commands);
		return -ENOMEM;
	}
	snprintf(text, sizeof(text), "numaslab %.60s, seed %llu, on the same machine:",
		 run->tool_version ? run->tool_version : "of an unknown version",
		 (unsigned long long)run->seed);
	doc->ops->paragraph(doc, text, false);
	doc->ops->code(doc, commands);
	free(commands);
	if (run->argv_text) {
		doc->ops->paragraph(doc, "The command that made this run:", false);
		doc->ops->code(doc, run->argv_text);
	}
	doc->ops->paragraph(doc, "The plan, " NSLAB_REPORT_PLAN ":", false);
	doc->ops->code(doc, run->plan_text);
	return 0;
}

int nslab_report_compose(const struct nslab_report *report, struct nslab_doc *doc,
			 struct nslab_err *err)
{
	const struct nslab_run_record *run = &report->run->run;
	char title[600];
	int rc;

	snprintf(title, sizeof(title), "numaslab: %.200s%s%.200s, on %.100s",
		 run->name ? run->name : "a run", run->label ? ": " : "",
		 run->label ? run->label : "", run->host_name ? run->host_name : "an unknown host");
	doc->ops->begin(doc, title);
	report_answer(report, doc);
	report_host(report, doc);
	report_tables(report, doc);
	report_plots(report, doc);
	report_data(report, doc);
	rc = report_reproduce(report, doc);
	doc->ops->end(doc);
	if (!rc && ferror(doc->out))
		rc = -EIO;
	return rc ? nslab_fail(err, rc, "cannot write the report: %s", strerror(-rc)) : 0;
}

int nslab_report_html(const struct nslab_report *report, FILE *out, struct nslab_err *err)
{
	struct nslab_doc doc = {
		.ops = &nslab_doc_html, .out = out, .nr_rows_most = REPORT_HTML_ROWS};

	return nslab_report_compose(report, &doc, err);
}

int nslab_report_markdown(const struct nslab_report *report, FILE *out, struct nslab_err *err)
{
	struct nslab_doc doc = {
		.ops = &nslab_doc_markdown, .out = out, .nr_rows_most = REPORT_MARKDOWN_ROWS};

	return nslab_report_compose(report, &doc, err);
}
