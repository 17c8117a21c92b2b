/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tuning_points.c: plots of an advice with a panel for each cache: its candidates as time against
 * memory (`tune-pareto`), and its lock acquisitions against the slab order (`tune-locks`).
 *
 * Time stands on the pareto plot of a cache whose candidates were measured; of any other it is lock
 * acquisitions, which are counted and have no noise. The axis says which. The front joins, as
 * steps, the candidates that none beats in both. Caches that should change come first.
 *
 * Invariant: arms are the same in every panel, so that one key explains all. Left out: p99.9.
 */
#include "plots/tuning_figure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define POINTS_PANELS	12
#define POINTS_PER_PAGE 6
#define POINTS_MIB	1048576.0

static void points_frame(struct nslab_figure *figure)
{
	figure->cols = figure->facets.nr > 2 ? 3 : (int)figure->facets.nr;
	figure->per_page = POINTS_PER_PAGE;
	figure->facet_width = figure->facets.nr > 1 ? 330 : 560;
	figure->facet_height = figure->facets.nr > 1 ? 270 : 360;
}

static int points_panel(const struct nslab_tuning_cache *cache, struct nslab_figure *figure)
{
	return nslab_figure_facet(figure, cache->name, cache->name);
}

static void points_remark(const struct nslab_tuning *tuning, const char *what,
			  struct nslab_figure *figure)
{
	snprintf(figure->remark, sizeof(figure->remark),
		 "%zu of %zu caches, those that should change first, then by memory; %s",
		 figure->facets.nr, tuning->nr_caches, what);
}

/* ---- tune-pareto ---- */

enum {
	PARETO_ORDERS,
	PARETO_OTHERS,
	PARETO_NOW,
	PARETO_ADVISED,
	PARETO_FRONT
};

static bool pareto_is_timed(const struct nslab_tuning_cache *cache)
{
	for (size_t i = 0; i < cache->nr_candidates; i++) {
		if (i != cache->now && isfinite(cache->candidates[i].time))
			return true;
	}
	return false;
}

/* Where a candidate stands; y is NaN when that is not known. */
static double pareto_y(const struct nslab_tuning_cache *cache, size_t at, bool is_timed)
{
	const struct nslab_tuning_candidate *c = &cache->candidates[at];

	if (!is_timed)
		return c->locks;
	return at == cache->now ? 0 : 100 * c->time;
}

static bool pareto_is_beaten(const struct nslab_tuning_cache *cache, size_t at, bool is_timed)
{
	double x = cache->candidates[at].memory_bytes, y = pareto_y(cache, at, is_timed);

	for (size_t i = 0; i < cache->nr_candidates; i++) {
		double other_x = cache->candidates[i].memory_bytes;
		double other_y = pareto_y(cache, i, is_timed);

		if (other_x <= x && other_y <= y && (other_x < x || other_y < y))
			return true;
	}
	return false;
}

static struct nslab_figure_row *pareto_put(const struct nslab_tuning_cache *cache, size_t at,
					   bool is_timed, int facet, int arm,
					   struct nslab_figure *figure)
{
	const struct nslab_tuning_candidate *c = &cache->candidates[at];
	struct nslab_figure_row *row =
		nslab_figure_add(figure, facet, arm, c->memory_bytes / POINTS_MIB);

	if (!row)
		return NULL;
	row->value = row->lo = row->hi = pareto_y(cache, at, is_timed);
	if (is_timed && at != cache->now && isfinite(c->time_lo) && isfinite(c->time_hi)) {
		row->lo = 100 * c->time_lo;
		row->hi = 100 * c->time_hi;
	}
	return row;
}

/* What a panel shows of both axes. */
struct pareto_span {
	double x, y;
};

static struct pareto_span pareto_span(const struct nslab_figure *figure, size_t from)
{
	double x[2] = {NAN, NAN}, y[2] = {NAN, 0};

	for (size_t i = from; i < figure->nr_rows; i++) {
		x[0] = fmin(x[0], figure->rows[i].x);
		x[1] = fmax(x[1], figure->rows[i].x);
		y[0] = fmin(fmin(y[0], figure->rows[i].lo), 0);
		y[1] = fmax(y[1], figure->rows[i].hi);
	}
	return (struct pareto_span){x[1] - x[0], y[1] - y[0]};
}

/* Of an order that is not labelled yet, with those of all orders that lie too close to it. */
static void pareto_label(struct nslab_figure *figure, size_t from, size_t at,
			 const struct pareto_span *span)
{
	const struct nslab_figure_row point = figure->rows[at];
	char text[32] = "";

	for (size_t i = from; i < figure->nr_rows; i++) {
		struct nslab_figure_row *row = &figure->rows[i];
		size_t len = strlen(text);

		if (row->arm != PARETO_ORDERS || row->tick ||
		    fabs(row->x - point.x) > 0.07 * span->x ||
		    fabs(row->value - point.value) > 0.07 * span->y)
			continue;
		snprintf(text + len, sizeof(text) - len, "%s%d", len ? "," : "", row->slot);
		row->tick = "";
	}
	nslab_names_push(figure, &figure->ticks, text);
	if (figure->ticks.nr)
		figure->rows[at].tick = figure->ticks.texts[figure->ticks.nr - 1];
}

static void pareto_labels(struct nslab_figure *figure, size_t from)
{
	struct pareto_span span = pareto_span(figure, from);

	for (size_t i = from; i < figure->nr_rows && !figure->is_out_of_memory; i++) {
		if (figure->rows[i].arm == PARETO_ORDERS && !figure->rows[i].tick)
			pareto_label(figure, from, i, &span);
	}
}

static void pareto_candidate(const struct nslab_tuning_cache *cache, size_t at, bool is_timed,
			     int facet, struct nslab_figure *figure)
{
	const struct nslab_tuning_candidate *c = &cache->candidates[at];
	bool is_order = c->is_plain || at == cache->now;
	struct nslab_figure_row *row = pareto_put(cache, at, is_timed, facet,
						  is_order ? PARETO_ORDERS : PARETO_OTHERS, figure);

	if (row && is_order)
		row->slot = c->order; /* until it is sorted: what the label says */
	if (at == cache->now)
		pareto_put(cache, at, is_timed, facet, PARETO_NOW, figure);
	if (at == cache->advised)
		pareto_put(cache, at, is_timed, facet, PARETO_ADVISED, figure);
	if (!pareto_is_beaten(cache, at, is_timed))
		pareto_put(cache, at, is_timed, facet, PARETO_FRONT, figure);
}

static void pareto_cache(const struct nslab_tuning_cache *cache, struct nslab_figure *figure)
{
	bool is_timed = pareto_is_timed(cache);
	int facet = points_panel(cache, figure);
	size_t from = figure->nr_rows;

	nslab_names_push(figure, &figure->ylabels,
			 is_timed ? "time, % over now" : "locks per 1000 operations");
	for (size_t i = 0; i < cache->nr_candidates; i++) {
		if (isfinite(cache->candidates[i].memory_bytes) &&
		    isfinite(pareto_y(cache, i, is_timed)))
			pareto_candidate(cache, i, is_timed, facet, figure);
	}
	pareto_labels(figure, from);
}

/* Two candidates can be drawn. */
static double pareto_key(const struct nslab_tuning_cache *cache)
{
	bool is_timed = pareto_is_timed(cache);
	size_t nr = 0;

	for (size_t i = 0; i < cache->nr_candidates; i++)
		nr += isfinite(cache->candidates[i].memory_bytes) &&
		      isfinite(pareto_y(cache, i, is_timed));
	return nr > 1 ? nslab_tuning_by_memory(cache) : NAN;
}

static int tuning_pareto(const struct nslab_plot_input *input, struct nslab_figure *figure,
			 struct nslab_err *err)
{
	static const char *const arms[] = {"an order (its number beside it)",
					   "another setting at the order of now", "now", "advised",
					   "front: none better in both"};
	const struct nslab_tuning_cache *top[POINTS_PANELS];
	size_t nr = nslab_tuning_top(input->tuning, pareto_key, top, POINTS_PANELS);

	if (!nr)
		return nslab_tuning_none(err, "tune-pareto",
					 "no cache has two candidates that were counted");
	for (size_t i = 0; i < sizeof(arms) / sizeof(*arms); i++)
		nslab_names_push(figure, &figure->arms, arms[i]);
	for (size_t i = 0; i < nr && !figure->is_out_of_memory; i++)
		pareto_cache(top[i], figure);
	nslab_tuning_head(
		input->tuning, figure, "Time or locks against memory, by cache",
		input->tuning->is_measured
			? "time: measured, whisker: 95 % interval; locks: counts of a replay"
			: "locks: counts of a replay; nothing was measured");
	points_remark(input->tuning, "memory is the machine's; left and low is better", figure);
	points_frame(figure);
	figure->has_user_ticks = true; /* they are labels of points */
	return 0;
}

const struct nslab_plot nslab_plot_tune_pareto = {
	.name = "tune-pareto",
	.summary = "time or locks against MiB, with the chosen point, by cache",
	.build = tuning_pareto,
};

/* ---- tune-locks ---- */

enum {
	LOCKS_COUNTED,
	LOCKS_WORST,
	LOCKS_NOW,
	LOCKS_ADVISED
};

static double locks_key(const struct nslab_tuning_cache *cache)
{
	size_t nr = 0;

	for (int order = 0; order < NSLAB_TUNING_ORDERS; order++) {
		const struct nslab_tuning_candidate *c = nslab_tuning_order(cache, order);

		nr += c && isfinite(c->locks);
	}
	return nr > 1 ? nslab_tuning_by_memory(cache) : NAN;
}

static void locks_put(struct nslab_figure *figure, int facet, int arm, int order, double value)
{
	struct nslab_figure_row *row;

	if (!isfinite(value) || order < 0)
		return;
	row = nslab_figure_add(figure, facet, arm, order);
	if (row)
		row->value = row->lo = row->hi = value;
}

static void locks_cache(const struct nslab_tuning_cache *cache, struct nslab_figure *figure)
{
	const struct nslab_tuning_candidate *now = &cache->candidates[cache->now];
	const struct nslab_tuning_candidate *advised = &cache->candidates[cache->advised];
	int facet = points_panel(cache, figure);

	for (int order = 0; order < NSLAB_TUNING_ORDERS; order++) {
		const struct nslab_tuning_candidate *c = nslab_tuning_order(cache, order);

		locks_put(figure, facet, LOCKS_COUNTED, order, c ? c->locks : NAN);
		locks_put(figure, facet, LOCKS_WORST, order, c ? c->worst_locks : NAN);
	}
	locks_put(figure, facet, LOCKS_NOW, now->order, now->locks);
	locks_put(figure, facet, LOCKS_ADVISED, advised->order, advised->locks);
}

static int tuning_locks(const struct nslab_plot_input *input, struct nslab_figure *figure,
			struct nslab_err *err)
{
	static const char *const arms[] = {"all CPUs, no page fails",
					   "worst of fewer CPUs, failing pages", "now", "advised"};
	const struct nslab_tuning_cache *top[POINTS_PANELS];
	size_t nr = nslab_tuning_top(input->tuning, locks_key, top, POINTS_PANELS);

	if (!nr)
		return nslab_tuning_none(err, "tune-locks",
					 "no cache has two orders whose locks were counted");
	for (size_t i = 0; i < sizeof(arms) / sizeof(*arms); i++)
		nslab_names_push(figure, &figure->arms, arms[i]);
	for (size_t i = 0; i < nr && !figure->is_out_of_memory; i++)
		locks_cache(top[i], figure);
	nslab_names_push(figure, &figure->ylabels, "locks per 1000 operations");
	nslab_tuning_head(input->tuning, figure,
			  "Lock acquisitions against the slab order, by cache",
			  "counts of a replay of the load, without noise; no time is in them");
	points_remark(input->tuning, "advised beside the line: another setting than the order",
		      figure);
	points_frame(figure);
	return 0;
}

const struct nslab_plot nslab_plot_tune_locks = {
	.name = "tune-locks",
	.summary = "lock acquisitions against the order, by cache",
	.build = tuning_locks,
};
