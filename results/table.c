/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.c: the table of one run.
 *
 * Every family is a block of rows under its key: baseline first, its twin A' second, then the arms.
 * A row tells the median over trials, its spread, n, the ratio to the baseline with the interval
 * and what that means, memory held and the share of pages that were where they were asked to be.
 * Lines are as wide as `columns` and no wider; a name that does not fit gets a line of its own, a
 * reason is folded. Invariants: '-' is "not measured"; simulated nodes and refused placement stand
 * at the top, where nobody can paste the figures without them. Left out: colour.
 */
#include "results/table.h"

#include "results/compare.h"
#include "results/text.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_ARM_WIDTH	  16
#define TABLE_LABEL_WIDTH 11

void nslab_arm_text(const struct nslab_cell_record *cell, char *text, size_t text_bytes)
{
	size_t len = strlen(cell->arm);
	bool is_marked = len > 3 && !strcmp(cell->arm + len - 3, " A'"); /* the plan's own label */
	const char *mark = cell->is_twin ? " A'" : cell->is_baseline ? " A" : "";

	snprintf(text, text_bytes, "%s%s", cell->arm, is_marked ? "" : mark);
}

/* Where the lines above the families go. */
struct header_sink {
	nslab_header_fn line;
	void *context;
};

static void header_line(const struct header_sink *sink, const char *label, const char *text)
{
	sink->line(sink->context, label, text);
}

struct header_page {
	FILE *out;
	int columns;
};

static void header_fold(void *context, const char *label, const char *text)
{
	const struct header_page *page = context;

	nslab_text_fold(page->out, label, text, TABLE_LABEL_WIDTH, page->columns);
}

static const char *text_or_unknown(const char *text)
{
	return text && *text ? text : "unknown";
}

static void header_machine(const struct nslab_run_record *run, const struct header_sink *sink)
{
	char text[1024];

	snprintf(text, sizeof(text), "%s (%s)", text_or_unknown(run->cpu_model),
		 text_or_unknown(run->host_name));
	header_line(sink, "machine", text);
	snprintf(text, sizeof(text), "%d package%s, %d %snode%s, %d PU%s, %.1f GiB",
		 run->nr_packages, run->nr_packages == 1 ? "" : "s", run->nr_nodes,
		 run->is_simulated ? "simulated " : "", run->nr_nodes == 1 ? "" : "s", run->nr_pus,
		 run->nr_pus == 1 ? "" : "s",
		 (double)run->memory_bytes / (1024.0 * 1024.0 * 1024.0));
	header_line(sink, "topology", text);
	header_line(sink, "kernel", text_or_unknown(run->kernel));
	if (run->is_simulated)
		header_line(sink, "SIMULATED",
			    "the nodes are simulated: counts and placement mean something, times"
			    " between nodes do not");
	if (run->placement_unavailable) {
		snprintf(text, sizeof(text), "unavailable: %s", run->placement_unavailable);
		header_line(sink, "placement", text);
	}
}

/* n of the cells that have values: "6", or "4..6". */
static void header_trials(const struct nslab_cell_list *list, char *text, size_t text_bytes)
{
	size_t least = 0, most = 0;

	for (size_t i = 0; i < list->nr; i++) {
		size_t nr = list->cells[i].nr;

		if (nr && (!least || nr < least))
			least = nr;
		if (nr > most)
			most = nr;
	}
	if (least == most)
		snprintf(text, text_bytes, "n = %zu", most);
	else
		snprintf(text, text_bytes, "n = %zu..%zu", least, most);
}

/* "jemalloc 5.3.0, mimalloc 2.0.9", each once. */
static void header_versions(const struct nslab_cell_list *list, const struct header_sink *sink)
{
	char text[1024] = "", one[128];
	size_t len = 0;

	for (size_t i = 0; i < list->nr; i++) {
		const struct nslab_cell_record *cell = &list->cells[i].cell;

		if (!cell->version || !cell->allocator)
			continue;
		snprintf(one, sizeof(one), "%.60s %.60s", cell->allocator, cell->version);
		if (strstr(text, one) || len + strlen(one) + 3 > sizeof(text))
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", len ? ", " : "",
					one);
	}
	if (len)
		header_line(sink, "versions", text);
}

static const char *header_status_word(const char *status)
{
	if (!strcmp(status, "running"))
		return "interrupted";
	return strcmp(status, "noisy") ? status : "host too noisy";
}

static void header_status(const struct nslab_cell_list *list, const struct nslab_run_record *run,
			  const char *status, const struct header_sink *sink)
{
	char text[192], planned[40] = "an unknown number";

	if (!status || !strcmp(status, "done"))
		return;
	if (run->nr_trials_planned > 0)
		snprintf(planned, sizeof(planned), "%lld", (long long)run->nr_trials_planned);
	snprintf(text, sizeof(text), "%.20s: %zu of %s trials%s", header_status_word(status),
		 list->nr_trials, planned,
		 strcmp(status, "running") ? "" : " (killed, or still at work)");
	header_line(sink, "status", text);
}

/* What the host did to the run; nothing when it kept quiet. */
static void header_noise(const struct nslab_noise_summary *noise, const struct header_sink *sink)
{
	char text[768];

	if (noise->nr_reruns)
		snprintf(text, sizeof(text),
			 "%zu block%s run again because the host disturbed trials: %s",
			 noise->nr_reruns, noise->nr_reruns == 1 ? "" : "s",
			 noise->causes ? noise->causes : "no cause was kept");
	else if (noise->nr_kept)
		snprintf(text, sizeof(text),
			 "the host disturbed %zu trials, which are kept: %s; invalidate=on runs "
			 "their blocks again",
			 noise->nr_kept, noise->causes ? noise->causes : "no cause was kept");
	else
		return;
	header_line(sink, "noise", text);
}

/* What the host's state of before and after the run says against it. */
static void header_changes(const struct nslab_run_record *run, const struct header_sink *sink)
{
	json_t *env = run->env_json ? json_loads(run->env_json, 0, NULL) : NULL;
	json_t *changes = json_object_get(json_object_get(env, "after"), "changes");
	json_t *change;
	char text[512];
	size_t i;

	json_array_foreach(changes, i, change)
	{
		const char *probe = json_string_value(json_object_get(change, "probe"));
		const char *why = json_string_value(json_object_get(change, "why"));

		snprintf(text, sizeof(text), "during the run: %s: %s", text_or_unknown(probe),
			 text_or_unknown(why));
		header_line(sink, "host", text);
	}
	json_decref(env);
}

static void header_run(const struct nslab_run_record *run, const struct header_sink *sink)
{
	char text[512];

	snprintf(text, sizeof(text), "%s%s%s, %s", text_or_unknown(run->name),
		 run->label ? ": " : "", run->label ? run->label : "",
		 text_or_unknown(run->started));
	header_line(sink, "run", text);
}

static void header_statistic(const struct nslab_cell_list *list, const struct nslab_run_record *run,
			     const struct header_sink *sink)
{
	char text[256], trials[64];

	header_trials(list, trials, sizeof(trials));
	snprintf(text, sizeof(text), "%s of a trial's windows, median over trials, %s",
		 text_or_unknown(run->statistic), trials);
	header_line(sink, "statistic", text);
}

void nslab_results_header_lines(const struct nslab_cell_list *list,
				const struct nslab_run_record *run, const char *status,
				double harness_ns, nslab_header_fn line, void *context)
{
	const struct header_sink sink = {line, context};
	char text[128];

	header_run(run, &sink);
	header_machine(run, &sink);
	header_statistic(list, run, &sink);
	if (isnan(harness_ns))
		snprintf(text, sizeof(text), "empty loop not measured");
	else
		snprintf(text, sizeof(text), "empty loop %.2f ns/op, included in every row",
			 harness_ns);
	header_line(&sink, "harness", text);
	header_noise(&list->noise, &sink);
	header_changes(run, &sink);
	header_versions(list, &sink);
	header_status(list, run, status, &sink);
}

void nslab_results_header(const struct nslab_cell_list *list, const struct nslab_run_record *run,
			  const char *status, double harness_ns, FILE *out, int columns)
{
	struct header_page page = {out, columns};

	nslab_results_header_lines(list, run, status, harness_ns, header_fold, &page);
}

void nslab_results_brief(const struct nslab_cell_list *list, const struct nslab_run_record *run,
			 const char *status, FILE *out, int columns)
{
	struct header_page page = {out, columns};
	const struct header_sink sink = {header_fold, &page};

	header_run(run, &sink);
	header_line(&sink, "kernel", text_or_unknown(run->kernel));
	header_statistic(list, run, &sink);
	header_noise(&list->noise, &sink);
	header_changes(run, &sink);
	header_versions(list, &sink);
	header_status(list, run, status, &sink);
}

void nslab_cell_cause(const struct nslab_cell_values *cell, char *text, size_t text_bytes)
{
	if (cell->cell.skipped && !cell->nr)
		snprintf(text, text_bytes, "skipped: %s", cell->cell.skipped);
	else if (!cell->nr && cell->nr_failed)
		snprintf(text, text_bytes, "failed: %s", text_or_unknown(cell->cause));
	else if (!cell->nr)
		snprintf(text, text_bytes, "not run yet");
	else if (cell->nr_failed)
		snprintf(text, text_bytes, "%zu of its trials do%s not count: %s", cell->nr_failed,
			 cell->nr_failed == 1 ? "es" : "", text_or_unknown(cell->cause));
	else
		snprintf(text, text_bytes, "%s", "");
}

void nslab_print_cause(const struct nslab_cell_values *cell, const char *where, FILE *out,
		       int columns)
{
	char arm[256], cause[960], text[1024];

	nslab_cell_cause(cell, cause, sizeof(cause));
	if (!cause[0])
		return;
	nslab_arm_text(&cell->cell, arm, sizeof(arm));
	snprintf(text, sizeof(text), "%s%s", where, cause);
	nslab_text_fold(out, cell->nr ? "" : arm, text, TABLE_ARM_WIDTH + 1, columns);
}

double nslab_cell_spread(const struct nslab_cell_values *cell)
{
	if (cell->nr < 2)
		return NAN;
	return 1.4826 * nslab_mad(cell->ns_per_op, cell->nr) /
	       nslab_median(cell->ns_per_op, cell->nr);
}

static void table_hit_rate(double rate, char text[16])
{
	if (isnan(rate))
		snprintf(text, 16, "-");
	else
		snprintf(text, 16, "%.0f%%", floor(fmax(0.0, fmin(1.0, rate)) * 100.0));
}

static void table_row(const struct nslab_contrast *row, FILE *out, int columns)
{
	const struct nslab_cell_values *cell = row->cell;
	char arm[256], hit[16];

	if (cell->nr) {
		nslab_arm_text(&cell->cell, arm, sizeof(arm));
		nslab_text_put(out, arm, TABLE_ARM_WIDTH);
		if (strlen(arm) > TABLE_ARM_WIDTH)
			fprintf(out, "\n%*s", TABLE_ARM_WIDTH, "");
		table_hit_rate(cell->hit_rate, hit);
		fprintf(out, " %8s %6s %3zu", nslab_text_ns(row->cell_value).text,
			nslab_text_percent(nslab_cell_spread(cell), 0).text, cell->nr);
		if (row->base == cell)
			fprintf(out, "  %-28s", "baseline");
		else
			fprintf(out, " %6s %14s %-7s", nslab_text_ratio(row->ratio).text,
				nslab_text_interval(row->lo, row->hi).text,
				nslab_contrast_word(row));
		fprintf(out, " %6s %4s\n", nslab_text_mib(cell->held_bytes).text, hit);
	}
	nslab_print_cause(cell, "", out, columns);
}

static void table_family(const char *family, FILE *out, int columns)
{
	fputc('\n', out);
	nslab_text_fold(out, "", family, 0, columns);
	fprintf(out, "%-*s %8s %6s %3s %6s %14s %-7s %6s %4s\n", TABLE_ARM_WIDTH, "arm", "ns/op",
		"spread", "n", "ratio", "95 % interval", "is", "MiB", "hit");
}

static void table_legend(FILE *out, int columns)
{
	fputc('\n', out);
	nslab_text_fold(out, "",
			"ratio: ns/op against baseline A in the same block, below 1 is faster; A'"
			" is A a second time. faster, slower, same: the whole 95 % interval lies"
			" beyond or within +-1 %; unclear: neither, more blocks would tell (no"
			" interval exists below n = 6). spread: 1.48 MAD. MiB: held at the end."
			" hit: pages on the node they were asked for. -: not measured.",
			0, columns);
}

int nslab_results_table(const struct nslab_cell_list *list, const struct nslab_run_record *run,
			const char *status, double harness_ns, FILE *out, int columns)
{
	struct nslab_contrast *rows = NULL;
	const char *family = NULL;
	size_t *order = nslab_family_order(list);
	int rc = order ? nslab_compare_arms(list, &rows, NULL) : -ENOMEM;

	if (rc)
		goto out;
	nslab_results_header(list, run, status, harness_ns, out, columns);
	for (size_t i = 0; i < list->nr; i++) {
		const struct nslab_contrast *row = &rows[order[i]];

		if (!family || strcmp(family, row->cell->cell.family)) {
			family = row->cell->cell.family;
			table_family(family, out, columns);
		}
		table_row(row, out, columns);
	}
	if (list->nr)
		table_legend(out, columns);
	if (ferror(out))
		rc = -EIO;
out:
	free(rows);
	free(order);
	return rc;
}
