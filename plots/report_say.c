/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * report_say.c: what a run says, in sentences.
 *
 * First the sentence that a comparison opens with. Then each arm against its baseline, by the
 * verdicts of its cells, with the range of its ratios where a verdict exists. Then what a reader
 * must know before he believes it: how far the baseline differs from itself, what is missing, what
 * kind of times these are. The same rules as everywhere: below the blocks that an interval needs
 * there is no verdict, so no arm is called faster.
 *
 * Arms past SAY_ARMS_MAX are counted, not described. Left out: advice.
 */
#include "plots/report.h"

#include "results/table.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAY_ARMS_MAX 12

struct say_arm {
	const char *arm;
	const char *base;				      /* NULL when it has several */
	size_t nr, nr_faster, nr_slower, nr_same, nr_without; /* an interval */
	double lo, hi; /* ratios of the cells with a verdict of a change */
};

struct say_arms {
	struct say_arm arms[SAY_ARMS_MAX];
	size_t nr, nr_more; /* cells of arms that found no place */
};

struct say_to {
	void (*say)(void *context, const char *sentence);
	void *context;
};

/* The allocator that does nothing shows what a loop costs: nothing is said of it. */
static bool say_is_judged(const struct nslab_contrast *row)
{
	const char *allocator = row->cell->cell.allocator;

	return (!allocator || strcmp(allocator, "null") != 0) && row->base &&
	       row->base != row->cell && !row->cell->cell.is_twin && row->paired.n;
}

static struct say_arm *say_find_arm(struct say_arms *arms, const struct nslab_contrast *row)
{
	for (size_t i = 0; i < arms->nr; i++) {
		if (!strcmp(arms->arms[i].arm, row->cell->cell.arm))
			return &arms->arms[i];
	}
	if (arms->nr == SAY_ARMS_MAX) {
		arms->nr_more++;
		return NULL;
	}
	arms->arms[arms->nr] = (struct say_arm){.arm = row->cell->cell.arm,
						.base = row->base->cell.arm,
						.lo = INFINITY,
						.hi = -INFINITY};
	return &arms->arms[arms->nr++];
}

static void say_count(struct say_arms *arms, const struct nslab_contrast *row)
{
	struct say_arm *arm = say_find_arm(arms, row);
	bool has_verdict = !isnan(row->lo);

	if (!arm)
		return;
	if (arm->base && strcmp(arm->base, row->base->cell.arm) != 0)
		arm->base = NULL;
	arm->nr++;
	arm->nr_without += !has_verdict;
	arm->nr_same += has_verdict && row->verdict == NSLAB_EQUIVALENT;
	if (!has_verdict || row->verdict != NSLAB_CHANGED)
		return;
	arm->nr_faster += row->ratio < 1.0;
	arm->nr_slower += row->ratio > 1.0;
	arm->lo = fmin(arm->lo, row->ratio);
	arm->hi = fmax(arm->hi, row->ratio);
}

static void say_add(char *text, size_t bytes, size_t nr, const char *word)
{
	size_t len = strlen(text);

	if (nr && len < bytes)
		snprintf(text + len, bytes - len, "%s%s in %zu", len ? ", " : "", word, nr);
}

/* "nodelocal against slub, 4 cells: faster in 3, unclear in 1 (takes 0.64 to 0.91 of its time)." */
static void say_arm(const struct say_arm *arm, const struct say_to *to)
{
	char text[900], verdicts[160] = "", range[96] = "";

	say_add(verdicts, sizeof(verdicts), arm->nr_faster, "faster");
	say_add(verdicts, sizeof(verdicts), arm->nr_slower, "slower");
	say_add(verdicts, sizeof(verdicts), arm->nr_same, "the same within 1 %");
	say_add(verdicts, sizeof(verdicts),
		arm->nr - arm->nr_faster - arm->nr_slower - arm->nr_same - arm->nr_without,
		"unclear");
	say_add(verdicts, sizeof(verdicts), arm->nr_without, "too few blocks for a verdict");
	if (arm->lo < arm->hi)
		snprintf(range, sizeof(range), " (changes: %.3g to %.3g times its time)", arm->lo,
			 arm->hi);
	else if (arm->lo == arm->hi)
		snprintf(range, sizeof(range), " (%.3g times its time)", arm->lo);
	snprintf(text, sizeof(text), "%.300s against %.300s, %zu cell%s: %s%s.", arm->arm,
		 arm->base ? arm->base : "its baselines", arm->nr, arm->nr == 1 ? "" : "s",
		 verdicts, range);
	to->say(to->context, text);
}

static void say_each_arm(const struct nslab_report *report, const struct say_to *to)
{
	struct say_arms arms = {.nr = 0};
	char text[128];

	for (size_t i = 0; i < report->run->list->nr; i++) {
		const struct nslab_contrast *row = &report->comparison.rows[report->order[i]];

		if (say_is_judged(row))
			say_count(&arms, row);
	}
	for (size_t i = 0; i < arms.nr; i++)
		say_arm(&arms.arms[i], to);
	if (!arms.nr_more)
		return;
	snprintf(text, sizeof(text), "%zu more cells are of other arms: see the table.",
		 arms.nr_more);
	to->say(to->context, text);
}

/* The baseline against itself is the yardstick for everything else. */
static void say_twins(const struct nslab_report *report, const struct say_to *to)
{
	size_t nr = 0, nr_changed = 0;
	double most = 0.0;
	char text[320];

	for (size_t i = 0; i < report->run->list->nr; i++) {
		const struct nslab_contrast *row = &report->comparison.rows[i];

		if (!row->cell->cell.is_twin || !row->paired.n)
			continue;
		nr++;
		nr_changed += !isnan(row->lo) && row->verdict == NSLAB_CHANGED;
		most = fmax(most, fabs(row->ratio - 1.0));
	}
	if (!nr)
		return;
	snprintf(text, sizeof(text),
		 "The baseline was measured twice in %zu place%s: paired by block, it differs from"
		 " itself by at most %.1f %%%s.",
		 nr, nr == 1 ? "" : "s", 100.0 * most,
		 nr_changed ? ", and not by chance alone: read small differences with care" : "");
	to->say(to->context, text);
}

static void say_missing(const struct nslab_report *report, const struct say_to *to)
{
	const struct nslab_cell_list *list = report->run->list;
	const struct nslab_cell_values *first = NULL;
	char text[900], cause[512], arm[256];
	size_t nr = 0;

	for (size_t i = 0; i < list->nr; i++) {
		const struct nslab_cell_values *cell = &list->cells[report->order[i]];

		nr += !cell->nr;
		if (!first && !cell->nr)
			first = cell;
	}
	if (!list->nr)
		to->say(to->context, "The run has no cells: there is nothing to tell.");
	if (!nr)
		return;
	nslab_cell_cause(first, cause, sizeof(cause));
	nslab_arm_text(&first->cell, arm, sizeof(arm));
	snprintf(text, sizeof(text), "%zu of %zu cells ha%s no values; the first is %.200s, %s.",
		 nr, list->nr, nr == 1 ? "s" : "ve", arm, cause);
	to->say(to->context, text);
}

static bool say_is_for_tests(const struct nslab_run_record *run)
{
	json_t *build = run->build_json ? json_loads(run->build_json, 0, NULL) : NULL;
	bool is_for_tests = json_is_false(json_object_get(build, "is_for_timing"));

	json_decref(build);
	return is_for_tests;
}

/* What kind of figures these are. */
static void say_kind(const struct nslab_run_record *run, const struct say_to *to)
{
	if (nslab_run_is_imported(run)) {
		to->say(to->context, "The figures were imported from another tool.");
		return;
	}
	to->say(to->context, "Times are of user-space models on this machine: they rank designs"
			     " here and are not the times of a kernel. Counts (orders, slabs,"
			     " pages) were held against kernels.");
	if (run->is_simulated)
		to->say(to->context, "The nodes are simulated: times between nodes mean nothing.");
	if (say_is_for_tests(run))
		to->say(to->context, "This numaslab was built for tests, not for timing (no "
				     "optimisation, or with checks): do not trust the times.");
}

void nslab_report_say(const struct nslab_report *report,
		      void (*say)(void *context, const char *sentence), void *context)
{
	const struct say_to to = {say, context};
	char text[1200];

	nslab_comparison_sentence(&report->comparison, text, sizeof(text) - 1);
	strcat(text, ".");
	say(context, text);
	say_each_arm(report, &to);
	say_twins(report, &to);
	say_missing(report, &to);
	say_kind(&report->run->run, &to);
}

/* ---- the host ---- */

static bool warn_is_ignored(json_t *env, const char *probe)
{
	json_t *name;
	size_t i;

	json_array_foreach(json_object_get(env, "ignored"), i, name)
	{
		if (json_is_string(name) && !strcmp(json_string_value(name), probe))
			return true;
	}
	return false;
}

void nslab_report_warn(const struct nslab_report *report,
		       void (*warn)(void *context, const char *label, const char *text),
		       void *context)
{
	const char *json = report->run->run.env_json;
	json_t *env = json ? json_loads(json, 0, NULL) : NULL;
	json_t *probes = json_object_get(json_object_get(env, "before"), "probes");
	json_t *probe;
	const char *name;
	char text[600];

	json_object_foreach(probes, name, probe)
	{
		const char *state = json_string_value(json_object_get(probe, "state"));
		const char *why = json_string_value(json_object_get(probe, "why"));

		if (!state || (strcmp(state, "warn") != 0 && strcmp(state, "refuse") != 0))
			continue;
		snprintf(text, sizeof(text), "%.400s%s%s", why ? why : "no reason was kept",
			 strcmp(state, "warn") ? " (figures taken so mean nothing)" : "",
			 warn_is_ignored(env, name) ? " (ignored on request)" : "");
		warn(context, name, text);
	}
	json_decref(env);
}
