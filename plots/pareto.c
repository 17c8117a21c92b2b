/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pareto.c: the plot `pareto`: time per operation against memory held, one point an arm.
 *
 * A facet is one family. The front joins, as steps, the arms that no other arm beats in both: what
 * can be had for so much memory. It is of medians; an arm whose whisker reaches the front may as
 * well lie on it. The null allocator, which holds next to nothing, and peers, whose memory
 * cannot be seen, are left out, for they would be on the front for nothing.
 *
 * Invariant: the last arm of the figure is the front itself, with its points in the order of x.
 */
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PARETO_MIB 1048576.0

static bool pareto_has(const struct nslab_cell_values *cell)
{
	const char *allocator = cell->cell.allocator ? cell->cell.allocator : "";

	return !cell->cell.is_twin && cell->nr && cell->held_bytes > 0 &&
	       strcmp(allocator, "null") != 0;
}

static void pareto_point(const struct nslab_plot_input *input, const struct nslab_cell_values *cell,
			 struct nslab_figure *figure)
{
	char title[256];
	struct nslab_figure_row *row;
	int facet = nslab_figure_find(figure, cell->cell.family);

	if (facet < 0) {
		nslab_cell_title(input, &cell->cell,
				 NSLAB_PART_SIZE | NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT, title,
				 sizeof(title));
		facet = nslab_figure_facet(figure, cell->cell.family, title);
	}
	row = nslab_figure_add(figure, facet,
			       nslab_names_add(figure, &figure->arms, cell->cell.arm),
			       cell->held_bytes / PARETO_MIB);
	nslab_figure_values(row, cell, 0);
}

static bool pareto_beats(const struct nslab_figure_row *a, const struct nslab_figure_row *b)
{
	bool is_less = a->x < b->x || a->value < b->value;

	return a->facet == b->facet && a->x <= b->x && a->value <= b->value && is_less;
}

/* Adds the points of the front again as an arm of their own. */
static void pareto_front(struct nslab_figure *figure)
{
	size_t nr = figure->nr_rows;
	int front = (int)figure->arms.nr;

	nslab_names_push(figure, &figure->arms, "front: no arm is better in both");
	for (size_t i = 0; i < nr; i++) {
		const struct nslab_figure_row point = figure->rows[i];
		struct nslab_figure_row *row;
		bool is_front = true;

		for (size_t j = 0; j < nr && is_front; j++)
			is_front = !pareto_beats(&figure->rows[j], &point);
		row = is_front ? nslab_figure_add(figure, point.facet, front, point.x) : NULL;
		if (row)
			row->value = row->lo = row->hi = point.value;
	}
}

/* Has the cell's family a second arm with memory? */
static bool pareto_has_other(const struct nslab_cell_list *list, size_t at)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (i != at && pareto_has(&list->cells[i]) &&
		    !strcmp(list->cells[i].cell.family, list->cells[at].cell.family))
			return true;
	}
	return false;
}

static int pareto_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			struct nslab_err *err)
{
	for (size_t i = 0; i < input->list->nr; i++) {
		if (pareto_has(&input->list->cells[i]) && pareto_has_other(input->list, i))
			pareto_point(input, &input->list->cells[i], figure);
	}
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'pareto': no family has two arms whose memory is "
				  "known");
	pareto_front(figure);
	snprintf(figure->title, sizeof(figure->title), "Time per operation against memory held");
	snprintf(figure->spread, sizeof(figure->spread),
		 "point: median, whisker: " NSLAB_INTERVAL_WORDS);
	snprintf(figure->remark, sizeof(figure->remark),
		 "memory: pages that the heap holds at the end of a trial, median; left and low is "
		 "better");
	nslab_names_push(figure, &figure->ylabels, "ns per operation");
	figure->cols = figure->facets.nr > 1 ? 2 : 1;
	figure->facet_width = figure->cols > 1 ? 440 : 640;
	figure->facet_height = figure->cols > 1 ? 290 : 380;
	return 0;
}

const struct nslab_plot nslab_plot_pareto = {
	.name = "pareto",
	.summary = "ns per operation against MiB held, with the front",
	.build = pareto_build,
};
