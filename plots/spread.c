/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * spread.c: the plot `spread`: how the trials of every arm scatter around their own median.
 *
 * A facet is one family. Each arm has its trials as points, the interval of their median as a bar,
 * and from SPREAD_VIOLIN trials on a violin: the density of the trials by Gaussian kernels
 * (Silverman's width). Values are percent of the arm's own median, because allocators differ by
 * factors and their trials by percents; the median in ns stands below. Points lie side by side in
 * the order of the blocks, so a drift shows as a slope.
 *
 * Invariant: rows are of three kinds, told by `note`: "median" (low and high are its interval),
 * "trial" (low: where it stands beside its arm, -0.3 to 0.3) and "outline" (a corner of the violin,
 * likewise; x counts them from 1000).
 */
#include "plots/figure.h"
#include "results/stats.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SPREAD_VIOLIN  12 /* trials; fewer have no shape worth drawing */
#define SPREAD_CORNERS 48 /* of one side */
#define SPREAD_WIDTH   0.36

static double spread_density(const double *values, size_t n, double width, double at)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		double z = (values[i] - at) / width;

		sum += exp(-0.5 * z * z);
	}
	return sum / (double)n;
}

static double spread_width(const double *values, size_t n)
{
	double mean = 0, square = 0, deviation;
	double quarters = nslab_quantile(values, n, 0.75) - nslab_quantile(values, n, 0.25);

	for (size_t i = 0; i < n; i++)
		mean += values[i] / (double)n;
	for (size_t i = 0; i < n; i++)
		square += (values[i] - mean) * (values[i] - mean) / (double)(n - 1);
	deviation = sqrt(square);
	if (quarters > 0 && quarters / 1.34 < deviation)
		deviation = quarters / 1.34;
	return 0.9 * deviation * pow((double)n, -0.2);
}

static void spread_corner(struct nslab_figure *figure, int facet, int arm, int number, double x,
			  double value)
{
	struct nslab_figure_row *row = nslab_figure_add(figure, facet, arm, 1000 + number);

	if (!row)
		return;
	row->value = value;
	row->lo = row->hi = x;
	row->note = "outline";
}

/* Up on the right side, down on the left one. */
static void spread_violin(struct nslab_figure *figure, int facet, int arm, const double *values,
			  size_t n)
{
	double width = spread_width(values, n), most = 0, density[SPREAD_CORNERS];
	double low = nslab_quantile(values, n, 0) - width, high = nslab_quantile(values, n, 1);
	double step = (high + width - low) / (SPREAD_CORNERS - 1);

	if (!(width > 0))
		return;
	for (int i = 0; i < SPREAD_CORNERS; i++) {
		density[i] = spread_density(values, n, width, low + i * step);
		most = fmax(most, density[i]);
	}
	for (int i = 0; i < 2 * SPREAD_CORNERS; i++) {
		int k = i < SPREAD_CORNERS ? i : 2 * SPREAD_CORNERS - 1 - i;
		double x = SPREAD_WIDTH * density[k] / most;

		spread_corner(figure, facet, arm, i, i < SPREAD_CORNERS ? x : -x, low + k * step);
	}
}

static void spread_median(struct nslab_figure *figure, int facet, int arm,
			  const struct nslab_cell_values *cell, double median)
{
	struct nslab_figure_row *row = nslab_figure_add(figure, facet, arm, -1);
	char tick[32];
	int at;

	nslab_figure_values(row, cell, 0);
	snprintf(tick, sizeof(tick), median < 100 ? "%.3g ns" : "%.0f ns", median);
	at = nslab_names_add(figure, &figure->ticks, tick);
	if (!row || figure->is_out_of_memory)
		return;
	row->value = 0;
	row->lo = 100 * (row->lo / median - 1);
	row->hi = 100 * (row->hi / median - 1);
	row->tick = figure->ticks.texts[at];
	row->note = "median";
}

static void spread_cell(struct nslab_figure *figure, int facet, int arm,
			const struct nslab_cell_values *cell)
{
	double median = nslab_median(cell->ns_per_op, cell->nr);
	double *values = calloc(cell->nr, sizeof(*values));

	figure->is_out_of_memory |= !values;
	if (!values || !(median > 0)) {
		free(values);
		return;
	}
	spread_median(figure, facet, arm, cell, median);
	for (size_t i = 0; i < cell->nr; i++) {
		struct nslab_figure_row *row = nslab_figure_add(figure, facet, arm, (double)i);

		values[i] = 100 * (cell->ns_per_op[i] / median - 1);
		if (!row)
			break;
		row->value = values[i];
		row->lo = row->hi = -0.3 + 0.6 * ((double)i + 0.5) / (double)cell->nr;
		row->note = "trial";
	}
	if (cell->nr >= SPREAD_VIOLIN)
		spread_violin(figure, facet, arm, values, cell->nr);
	free(values);
}

static int spread_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			struct nslab_err *err)
{
	for (size_t i = 0; i < input->list->nr; i++) {
		const struct nslab_cell_values *cell = &input->list->cells[i];
		char title[256], arm[256];

		if (cell->nr < 2)
			continue;
		nslab_cell_title(input, &cell->cell,
				 NSLAB_PART_SIZE | NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT, title,
				 sizeof(title));
		nslab_arm_text(&cell->cell, arm, sizeof(arm));
		spread_cell(figure, nslab_figure_facet(figure, cell->cell.family, title),
			    nslab_names_add(figure, &figure->arms, arm), cell);
	}
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'spread': no cell has two trials that count");
	snprintf(figure->title, sizeof(figure->title), "How trials scatter");
	snprintf(figure->spread, sizeof(figure->spread),
		 "point: trial, bar: " NSLAB_INTERVAL_WORDS);
	snprintf(figure->remark, sizeof(figure->remark),
		 "percent of each arm's own median, which stands below; trials in the order of "
		 "their blocks; outline: density, from %d trials on",
		 SPREAD_VIOLIN);
	nslab_names_push(figure, &figure->ylabels, "% of its median");
	figure->cols = figure->facets.nr > 1 ? 2 : 1;
	figure->facet_width = figure->cols > 1 ? 500 : 720;
	figure->facet_height = figure->cols > 1 ? 250 : 360;
	return 0;
}

const struct nslab_plot nslab_plot_spread = {
	.name = "spread",
	.summary = "violins: how the trials of each allocator scatter",
	.build = spread_build,
};
