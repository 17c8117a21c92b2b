/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tuning.c: plots of an advice: what orders cost cache by cache (`tune-regret`), memory before and
 * after (`tune-memory`), and what no boot line can reach (`tune-gap`).
 *
 * A machine has some 200 caches and most of them do not matter. A picture shows those that matter
 * most to it, and its footnote says how many there are: first caches whose setting should change,
 * by what that gains, then others. Losses are the tuner's own, so that a picture shows what the
 * choice was made from: parts of the machine's slab time and memory, here in thousandths, under the
 * objective that was asked for.
 *
 * Left out: points and lines over a cache's candidates, which are in tuning_points.c.
 */
#include "plots/tuning_figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TUNING_ROWS	25  /* caches of a map */
#define TUNING_BARS	16  /* caches with bars */
#define TUNING_CHANGED	1e9 /* puts caches that should change before all others */
#define TUNING_MIB	1048576.0
#define TUNING_THOUSAND 1000.0

/* ---- which caches ---- */

static double tuning_gain(const struct nslab_tuning_cache *cache)
{
	return -cache->candidates[cache->advised].loss;
}

bool nslab_tuning_changes(const struct nslab_tuning_cache *cache)
{
	return cache->advised != cache->now;
}

double nslab_tuning_by_memory(const struct nslab_tuning_cache *cache)
{
	if (nslab_tuning_changes(cache) && isfinite(tuning_gain(cache)))
		return TUNING_CHANGED + tuning_gain(cache);
	return cache->memory_bytes > 0 ? cache->memory_bytes / TUNING_MIB : NAN;
}

size_t nslab_tuning_top(const struct nslab_tuning *tuning,
			double (*key)(const struct nslab_tuning_cache *),
			const struct nslab_tuning_cache **top, size_t max)
{
	size_t nr = 0;

	for (size_t i = 0; i < tuning->nr_caches; i++) {
		const struct nslab_tuning_cache *cache = &tuning->caches[i];
		double value = key(cache);
		size_t at = nr;

		if (isnan(value))
			continue;
		while (at && key(top[at - 1]) < value)
			at--;
		if (at == max)
			continue;
		nr += nr < max;
		memmove(&top[at + 1], &top[at], (nr - at - 1) * sizeof(*top));
		top[at] = cache;
	}
	return nr;
}

/* ---- what all pictures say ---- */

void nslab_tuning_head(const struct nslab_tuning *tuning, struct nslab_figure *figure,
		       const char *title, const char *from)
{
	snprintf(figure->machine, sizeof(figure->machine), "%.200s; objective %.20s",
		 tuning->machine, tuning->objective);
	snprintf(figure->title, sizeof(figure->title), "%s", title);
	snprintf(figure->spread, sizeof(figure->spread), "%s", from);
	figure->has_no_trials = true;
}

static const char *tuning_from(const struct nslab_tuning *tuning)
{
	return tuning->is_measured ? "losses: from formulas, counts of a replay, and measured time"
				   : "losses: from formulas and counts of a replay; nothing was "
				     "measured";
}

int nslab_tuning_none(struct nslab_err *err, const char *name, const char *why)
{
	return nslab_fail(err, -ENODATA, "cannot draw '%s': %s", name, why);
}

/* "dentry 0>5", "kmalloc-64 0" */
static void tuning_label(const struct nslab_tuning_cache *cache, char *text, size_t text_bytes)
{
	int now = cache->candidates[cache->now].order;
	int then = cache->candidates[cache->advised].order;

	if (now == then)
		snprintf(text, text_bytes, "%.30s %d%s", cache->name, now,
			 nslab_tuning_changes(cache) ? "*" : "");
	else
		snprintf(text, text_bytes, "%.30s %d>%d", cache->name, now, then);
}

/* ---- tune-regret ---- */

static double tuning_best(const struct nslab_tuning_cache *cache, double *worst)
{
	double best = NAN;

	*worst = NAN;
	for (int order = 0; order < NSLAB_TUNING_ORDERS; order++) {
		const struct nslab_tuning_candidate *c = nslab_tuning_order(cache, order);

		best = fmin(best, c ? c->loss : NAN);
		*worst = fmax(*worst, c ? c->loss : NAN);
	}
	return best;
}

/* Two orders have a loss. */
static double tuning_by_spread(const struct nslab_tuning_cache *cache)
{
	double worst, best = tuning_best(cache, &worst);

	return worst > best ? nslab_tuning_by_memory(cache) : NAN;
}

static void tuning_regret_row(const struct nslab_tuning_cache *cache, int arm,
			      struct nslab_figure *figure)
{
	double worst, best = tuning_best(cache, &worst);

	for (int order = 0; order < NSLAB_TUNING_ORDERS; order++) {
		const struct nslab_tuning_candidate *c = nslab_tuning_order(cache, order);
		struct nslab_figure_row *row;

		if (!c || isnan(c->loss))
			continue;
		row = nslab_figure_add(figure, nslab_regret_facet(figure, arm), arm, order);
		if (!row || figure->is_out_of_memory)
			return;
		row->tick = figure->ticks.texts[order];
		row->value = row->lo = row->hi = TUNING_THOUSAND * (c->loss - best);
		row->is_unclear = row->value < 1 && (row->value > 0 || c->is_refused);
	}
}

static int tuning_regret(const struct nslab_plot_input *input, struct nslab_figure *figure,
			 struct nslab_err *err)
{
	const struct nslab_tuning *tuning = input->tuning;
	const struct nslab_tuning_cache *top[TUNING_ROWS];
	size_t nr = nslab_tuning_top(tuning, tuning_by_spread, top, TUNING_ROWS);
	char text[64];

	if (!nr)
		return nslab_tuning_none(err, "tune-regret", "no cache has two orders with a loss");
	for (int order = 0; order < NSLAB_TUNING_ORDERS; order++) {
		snprintf(text, sizeof(text), "%d", order);
		nslab_names_push(figure, &figure->ticks, text);
	}
	for (size_t i = 0; i < nr && !figure->is_out_of_memory; i++) {
		tuning_label(top[i], text, sizeof(text));
		nslab_names_push(figure, &figure->arms, text);
		tuning_regret_row(top[i], (int)i, figure);
	}
	nslab_tuning_head(tuning, figure, "", tuning_from(tuning));
	snprintf(figure->remark, sizeof(figure->remark),
		 "%zu of %zu caches, with their order now > advised (*: another setting); any "
		 "change is charged 1%s, so in brackets: no reason to change",
		 nr, tuning->nr_caches,
		 tuning->is_measured ? " and gains what the clock confirmed" : "");
	nslab_regret_frame(figure, "What each slab order costs over the cache's best one",
			   "1/1000 of all slab time and memory", "cache",
			   "slab order (pages: 2 to its power)");
	return 0;
}

const struct nslab_plot nslab_plot_tune_regret = {
	.name = "tune-regret",
	.summary = "order x cache heat map: loss over the cache's best order",
	.build = tuning_regret,
};

/* ---- bars ---- */

static void tuning_bars_frame(struct nslab_figure *figure, const char *unit, bool has_key)
{
	int nr = (int)figure->ticks.nr;

	nslab_names_push(figure, &figure->ylabels, unit);
	figure->shape = "tune-bars";
	figure->has_user_ticks = true;
	figure->has_no_key = !has_key;
	figure->cols = 1;
	figure->facet_width = 760;
	figure->facet_height = 84 + (10 + 9 * (int)figure->arms.nr) * nr;
	if (figure->facet_height < 200)
		figure->facet_height = 200;
}

/* base: what the change is told against */
static void tuning_bar(struct nslab_figure *figure, int facet, int arm, size_t at, double value,
		       double base)
{
	struct nslab_figure_row *row = nslab_figure_add(figure, facet, arm, (double)at);

	if (!row)
		return;
	row->tick = at < figure->ticks.nr ? figure->ticks.texts[at] : NULL;
	row->value = row->hi = value;
	row->lo = base;
}

static double tuning_booted_bytes(const struct nslab_tuning_cache *cache)
{
	const struct nslab_tuning_candidate *booted =
		nslab_tuning_order(cache, cache->order_booted);

	return booted ? booted->memory_bytes : NAN;
}

static void tuning_memory_arms(const struct nslab_tuning *tuning, struct nslab_figure *figure)
{
	char text[160];

	nslab_names_push(figure, &figure->arms, "now");
	nslab_names_push(figure, &figure->arms, "L1: a setting for each cache");
	if (!tuning->is_booted)
		return;
	snprintf(text, sizeof(text), "L2: %.140s", tuning->boot_line);
	nslab_names_push(figure, &figure->arms, text);
}

/* All caches: now, L1 and L2 in MiB. */
static void tuning_memory_sums(const struct nslab_tuning *tuning, double *sums)
{
	for (size_t i = 0; i < tuning->nr_caches; i++) {
		const struct nslab_tuning_cache *cache = &tuning->caches[i];
		double values[] = {cache->memory_bytes,
				   cache->candidates[cache->advised].memory_bytes,
				   tuning_booted_bytes(cache)};

		for (int k = 0; k < 3; k++)
			sums[k] += isfinite(values[k]) ? values[k] / TUNING_MIB : 0;
	}
}

static void tuning_memory_remark(const struct nslab_tuning *tuning, size_t nr,
				 struct nslab_figure *figure)
{
	double sums[3] = {0, 0, 0};
	char booted[48] = "";

	tuning_memory_sums(tuning, sums);
	if (tuning->is_booted)
		snprintf(booted, sizeof(booted), ", L2 %.1f", sums[2]);
	snprintf(figure->remark, sizeof(figure->remark),
		 "%zu of %zu caches, those that change first; all together in MiB: now %.1f, L1 "
		 "%.1f%s",
		 nr, tuning->nr_caches, sums[0], sums[1], booted);
}

static int tuning_memory(const struct nslab_plot_input *input, struct nslab_figure *figure,
			 struct nslab_err *err)
{
	const struct nslab_tuning *tuning = input->tuning;
	const struct nslab_tuning_cache *top[TUNING_BARS];
	size_t nr = nslab_tuning_top(tuning, nslab_tuning_by_memory, top, TUNING_BARS);
	int facet;

	if (!nr)
		return nslab_tuning_none(err, "tune-memory", "the memory of no cache is known");
	tuning_memory_arms(tuning, figure);
	for (size_t i = 0; i < nr; i++)
		nslab_names_push(figure, &figure->ticks, top[i]->name);
	facet = nslab_figure_facet(figure, "memory", "");
	for (size_t i = 0; i < nr && !figure->is_out_of_memory; i++) {
		double now = top[i]->memory_bytes / TUNING_MIB;

		tuning_bar(figure, facet, 0, i, now, now);
		tuning_bar(figure, facet, 1, i,
			   top[i]->candidates[top[i]->advised].memory_bytes / TUNING_MIB, now);
		if (tuning->is_booted)
			tuning_bar(figure, facet, 2, i, tuning_booted_bytes(top[i]) / TUNING_MIB,
				   now);
	}
	nslab_tuning_head(
		tuning, figure, "Memory of caches before and after the advice",
		"now: by formula from live objects; after: by the change that formulas and "
		"counts of a replay give");
	tuning_memory_remark(tuning, nr, figure);
	tuning_bars_frame(figure, "MiB", true);
	return 0;
}

const struct nslab_plot nslab_plot_tune_memory = {
	.name = "tune-memory",
	.summary = "memory of caches now, at L1 and at L2",
	.build = tuning_memory,
};

/* ---- tune-gap ---- */

static double tuning_gap_of(const struct nslab_tuning_cache *cache)
{
	const struct nslab_tuning_candidate *booted =
		nslab_tuning_order(cache, cache->order_booted);
	double gap = booted ? booted->loss - cache->candidates[cache->advised].loss : NAN;

	return fabs(gap) > 0 ? TUNING_THOUSAND * gap : NAN;
}

static double tuning_by_gap(const struct nslab_tuning_cache *cache)
{
	return fabs(tuning_gap_of(cache));
}

static int tuning_gap(const struct nslab_plot_input *input, struct nslab_figure *figure,
		      struct nslab_err *err)
{
	const struct nslab_tuning *tuning = input->tuning;
	const struct nslab_tuning_cache *top[TUNING_ROWS];
	size_t nr = nslab_tuning_top(tuning, tuning_by_gap, top, TUNING_ROWS), nr_all = 0;
	double sum = 0;
	int facet;

	if (!nr)
		return nslab_tuning_none(err, "tune-gap",
					 "boot parameters give every cache what is advised for it");
	for (size_t i = 0; i < tuning->nr_caches; i++) {
		double gap = tuning_gap_of(&tuning->caches[i]);

		nr_all += isnan(gap) ? 0 : 1;
		sum += isnan(gap) ? 0 : gap;
	}
	nslab_names_push(figure, &figure->arms, "L1-L2 gap");
	for (size_t i = 0; i < nr; i++)
		nslab_names_push(figure, &figure->ticks, top[i]->name);
	facet = nslab_figure_facet(figure, "gap", "");
	for (size_t i = 0; i < nr && !figure->is_out_of_memory; i++)
		tuning_bar(figure, facet, 0, i, tuning_gap_of(top[i]), 0);
	nslab_tuning_head(tuning, figure, "What boot parameters cannot give each cache (L1-L2 gap)",
			  tuning_from(tuning));
	snprintf(figure->remark, sizeof(figure->remark),
		 "%zu of %zu caches with a gap, %.4g together; any change is charged 1; L2: %.100s",
		 nr, nr_all, sum,
		 tuning->is_booted ? tuning->boot_line
				   : "parameters of now, no others are advised");
	tuning_bars_frame(figure, "loss at L2 over loss at L1, 1/1000 of all slab time and memory",
			  false);
	return 0;
}

const struct nslab_plot nslab_plot_tune_gap = {
	.name = "tune-gap",
	.summary = "loss that no boot line can take back, by cache",
	.build = tuning_gap,
};
