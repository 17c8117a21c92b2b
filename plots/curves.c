/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * curves.c: the plot `curves`: what workloads told over time or operations: slabs while a trace is
 * replayed, fragmentation while pages come and go.
 *
 * A facet is one series of one family, a line one arm. Series that all arms of the family have come
 * first, and among those the ones that tell more: sums before single caches, as their workload
 * named them. No interval is drawn: a curve is of one trial, and the counts of a replay by one
 * worker are the same in each.
 */
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CURVES_FACETS_MAX 12

/* How many points of the series the family's cells have: where there is room for few, the most. */
static size_t curves_weight(const struct nslab_plot_input *input, size_t point)
{
	const struct nslab_figure_list *list = input->figures;
	const char *family = input->list->cells[list->points[point].cell].cell.family;
	size_t nr = 0;

	for (size_t i = 0; i < list->nr_points; i++)
		nr += !strcmp(list->points[i].series, list->points[point].series) &&
		      !strcmp(input->list->cells[list->points[i].cell].cell.family, family);
	return nr;
}

/* "frees by worker" is over workers; a series that does not name its x is over time. */
static const char *curves_x(const char *series)
{
	const char *by = strstr(series, " by ");

	return by ? by + 4 : "ms";
}

static int curves_facet(const struct nslab_plot_input *input, size_t point,
			struct nslab_figure *figure)
{
	const struct nslab_cell_point *p = &input->figures->points[point];
	const struct nslab_cell_record *cell = &input->list->cells[p->cell].cell;
	char id[800], title[400], parts[256];
	int at;

	snprintf(id, sizeof(id), "%s %s", p->series, cell->family);
	at = nslab_figure_find(figure, id);
	if (at >= 0)
		return at;
	if (figure->facets.nr == CURVES_FACETS_MAX)
		return -1;
	nslab_cell_title(input, cell, NSLAB_PART_SIZE | NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT,
			 parts, sizeof(parts));
	snprintf(title, sizeof(title), "%s: %s", parts, p->series);
	nslab_names_push(figure, &figure->ylabels, p->series);
	nslab_names_push(figure, &figure->xlabels, curves_x(p->series));
	return nslab_figure_facet(figure, id, title);
}

/* Adds the points of series with the given weight. */
static void curves_add(const struct nslab_plot_input *input, size_t lowest, size_t highest,
		       struct nslab_figure *figure)
{
	const struct nslab_figure_list *list = input->figures;
	size_t weight = 0;

	for (size_t i = 0; i < list->nr_points; i++) {
		const struct nslab_cell_point *p = &list->points[i];
		const struct nslab_cell_record *cell = &input->list->cells[p->cell].cell;
		struct nslab_figure_row *row;
		int facet;

		if (!i || p->cell != p[-1].cell || strcmp(p->series, p[-1].series))
			weight = curves_weight(input, i);
		if (cell->is_twin || weight < lowest || weight >= highest)
			continue;
		facet = curves_facet(input, i, figure);
		if (facet < 0)
			continue;
		row = nslab_figure_add(figure, facet,
				       nslab_names_add(figure, &figure->arms, cell->arm), p->x);
		if (!row)
			return;
		row->value = row->lo = row->hi = p->y;
		row->n = 1;
	}
}

static size_t curves_most(const struct nslab_plot_input *input)
{
	size_t most = 0;

	for (size_t i = 0; i < input->figures->nr_points; i++) {
		const struct nslab_cell_point *p = &input->figures->points[i];
		size_t weight = 0;

		if (i && p->cell == p[-1].cell && !strcmp(p->series, p[-1].series))
			continue;
		weight = curves_weight(input, i);
		most = weight > most ? weight : most;
	}
	return most;
}

static int curves_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			struct nslab_err *err)
{
	size_t most;

	if (!input->figures || !input->figures->nr_points)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'curves': no workload of the run told any");
	snprintf(figure->title, sizeof(figure->title), "What the workload saw on the way");
	snprintf(figure->spread, sizeof(figure->spread), "line: the first trial of the cell");
	figure->cols = 2;
	figure->facet_width = 460;
	figure->facet_height = 240;
	most = curves_most(input);
	curves_add(input, most, most + 1, figure);
	curves_add(input, 0, most, figure);
	return 0;
}

const struct nslab_plot nslab_plot_curves = {
	.name = "curves",
	.summary = "what a workload told on the way: slabs over time, fragmentation",
	.build = curves_build,
};
