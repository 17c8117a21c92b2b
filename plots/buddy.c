/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * buddy.c: the plot `buddy`: free blocks of each order while a trial ran.
 *
 * A facet is one cell, from its first trial that was sampled; a column is a slice of time, a row an
 * order of the buddy allocator, summed over its zones. Values differ by thousands, so the colours
 * are logarithmic; a square without a block is blank. The sampler stores a count only when it has
 * changed, so a slice has the last one that was told before its end.
 *
 * Invariant: all facets have the same slices; those behind a cell's last sample are empty.
 */
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUDDY_FACETS_MAX 12
#define BUDDY_SLICES	 40
#define BUDDY_SERIES	 "memory buddy "

/* Order of the point's series, or -1. */
static int buddy_order(const struct nslab_cell_point *point)
{
	size_t len = strlen(BUDDY_SERIES);
	char *end;
	long order;

	if (strncmp(point->series, BUDDY_SERIES, len))
		return -1;
	order = strtol(point->series + len, &end, 10);
	return *end || order < 0 || order > 32 ? -1 : (int)order;
}

static bool buddy_is_twin(const struct nslab_plot_input *input,
			  const struct nslab_cell_point *point)
{
	return input->list->cells[point->cell].cell.is_twin;
}

static void buddy_square(struct nslab_figure *figure, int facet, int order, int slice, double value)
{
	struct nslab_figure_row *row = nslab_figure_add(figure, facet, order, slice);

	if (!row)
		return;
	row->value = row->lo = row->hi = value > 0 ? value : NAN;
	row->note = value > 0 ? NULL : "none";
	row->n = 1;
}

/* The points from..to are one order of one cell. */
static void buddy_line(const struct nslab_cell_point *points, size_t nr, int facet, double step,
		       struct nslab_figure *figure)
{
	int order = buddy_order(points);
	size_t at = 0;

	for (int slice = 0; slice < BUDDY_SLICES; slice++) {
		double end = (slice + 1) * step;

		if (points[nr - 1].x < slice * step)
			return;
		while (at + 1 < nr && points[at + 1].x <= end)
			at++;
		buddy_square(figure, facet, order, slice, points[at].y);
	}
}

static int buddy_facet(const struct nslab_plot_input *input, const struct nslab_cell_point *point,
		       struct nslab_figure *figure)
{
	const struct nslab_cell_record *cell = &input->list->cells[point->cell].cell;
	char id[1200], parts[256], title[400];
	int facet;

	snprintf(id, sizeof(id), "%s %s", cell->family, cell->arm);
	facet = nslab_figure_find(figure, id);
	if (facet >= 0 || figure->facets.nr == BUDDY_FACETS_MAX)
		return facet;
	nslab_cell_title(input, cell, NSLAB_PART_SIZE | NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT,
			 parts, sizeof(parts));
	snprintf(title, sizeof(title), "%s: %.120s", parts, cell->arm);
	return nslab_figure_facet(figure, id, title);
}

static void buddy_fill(const struct nslab_plot_input *input, double step,
		       struct nslab_figure *figure)
{
	const struct nslab_figure_list *list = input->figures;

	for (size_t from = 0, to; from < list->nr_points; from = to) {
		const struct nslab_cell_point *point = &list->points[from];
		int facet;

		for (to = from + 1; to < list->nr_points; to++) {
			if (list->points[to].cell != point->cell ||
			    strcmp(list->points[to].series, point->series) != 0)
				break;
		}
		if (buddy_order(point) < 0 || buddy_is_twin(input, point))
			continue;
		facet = buddy_facet(input, point, figure);
		if (facet >= 0)
			buddy_line(point, to - from, facet, step, figure);
	}
}

static void buddy_names(struct nslab_figure *figure, int nr_orders, double step)
{
	for (int order = 0; order < nr_orders; order++) {
		char text[16];

		snprintf(text, sizeof(text), "%d", order);
		nslab_names_push(figure, &figure->arms, text);
	}
	for (int slice = 0; slice < BUDDY_SLICES; slice++) {
		char text[24];

		snprintf(text, sizeof(text), step < 1 ? "%.1f" : "%.0f", (slice + 0.5) * step);
		nslab_names_push(figure, &figure->ticks, text);
	}
}

static int buddy_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
		       struct nslab_err *err)
{
	const struct nslab_figure_list *list = input->figures;
	int nr_orders = 0;
	double step = 0;

	for (size_t i = 0; i < list->nr_points; i++) {
		int order = buddy_order(&list->points[i]);

		if (order < 0 || buddy_is_twin(input, &list->points[i]))
			continue;
		nr_orders = order >= nr_orders ? order + 1 : nr_orders;
		step = fmax(step, list->points[i].x / BUDDY_SLICES);
	}
	if (!nr_orders)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'buddy': no trial on arena pages was sampled (every "
				  "PU had a worker? see plan key 'sampler')");
	step = step > 0 ? step : 1;
	buddy_names(figure, nr_orders, step);
	buddy_fill(input, step, figure);
	snprintf(figure->title, sizeof(figure->title), "Free blocks of the buddy allocator");
	snprintf(figure->spread, sizeof(figure->spread), "the first trial of each cell");
	snprintf(figure->remark, sizeof(figure->remark),
		 "sum of all zones; blank: none; memory never used counts as blocks of the largest "
		 "order");
	nslab_names_push(figure, &figure->ylabels, "order");
	nslab_names_push(figure, &figure->ylabels, "free blocks");
	figure->shape = "heat";
	figure->has_no_key = true;
	figure->cols = figure->facets.nr > 1 ? 2 : 1;
	figure->facet_width = 460;
	figure->facet_height = 260;
	return 0;
}

const struct nslab_plot nslab_plot_buddy = {
	.name = "buddy",
	.summary = "free blocks of each order over time, as a heat map",
	.build = buddy_build,
};
