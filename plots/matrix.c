/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * matrix.c: the plot `matrix`: ns per operation for each pair of nodes.
 *
 * Cells placed `cross:I,J` allocate on node I and free on node J. One facet for each arm and
 * family, one square for each ordered pair, coloured and labelled with its median. All facets share
 * one colour scale, so that allocators can be compared by eye as well as pairs.
 *
 * Invariant: rows and columns are the nodes' OS indices in rising order, the same in all facets; a
 * pair that was not measured stays white.
 */
#include "plots/figure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool matrix_pair(const struct nslab_cell_values *cell, int *from, int *to)
{
	char end;

	return !cell->cell.is_twin && cell->cell.placement &&
	       sscanf(cell->cell.placement, "cross:%d,%d%c", from, to, &end) == 2 && *from >= 0 &&
	       *to >= 0;
}

/* Every node of any pair, in rising order, into arms (y axis) and ticks (x axis). */
static void matrix_nodes(const struct nslab_plot_input *input, struct nslab_figure *figure)
{
	int last = -1;

	for (;;) {
		int next = -1;
		char text[16];

		for (size_t i = 0; i < input->list->nr; i++) {
			int pair[2];

			if (!matrix_pair(&input->list->cells[i], &pair[0], &pair[1]))
				continue;
			for (int k = 0; k < 2; k++) {
				if (pair[k] > last && (next < 0 || pair[k] < next))
					next = pair[k];
			}
		}
		if (next < 0 || figure->is_out_of_memory)
			return;
		snprintf(text, sizeof(text), "%d", next);
		nslab_names_push(figure, &figure->arms, text);
		nslab_names_push(figure, &figure->ticks, text);
		last = next;
	}
}

static void matrix_add(const struct nslab_plot_input *input, const struct nslab_cell_values *cell,
		       struct nslab_figure *figure)
{
	struct nslab_figure_row *row;
	char id[600], rest[512], parts[256], title[320], text[16];
	int from, to, at;

	if (!matrix_pair(cell, &from, &to))
		return;
	nslab_key_without(cell->cell.family, "placement", rest, sizeof(rest));
	snprintf(id, sizeof(id), "%.60s %s", cell->cell.arm, rest);
	nslab_cell_title(input, &cell->cell, NSLAB_PART_SIZE | NSLAB_PART_THREADS, parts,
			 sizeof(parts));
	snprintf(title, sizeof(title), "%.60s: %s", cell->cell.arm, parts);
	snprintf(text, sizeof(text), "%d", to);
	at = nslab_names_add(figure, &figure->ticks, text);
	snprintf(text, sizeof(text), "%d", from);
	row = nslab_figure_add(figure, nslab_figure_facet(figure, id, title),
			       nslab_names_add(figure, &figure->arms, text), at);
	nslab_figure_values(row, cell, 0);
	if (row)
		row->tick = figure->is_out_of_memory ? "" : figure->ticks.texts[at];
}

static int matrix_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			struct nslab_err *err)
{
	int side;

	matrix_nodes(input, figure);
	for (size_t i = 0; i < input->list->nr; i++)
		matrix_add(input, &input->list->cells[i], figure);
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'matrix': the run has no cell with "
				  "placement=cross:I,J");
	snprintf(figure->title, sizeof(figure->title),
		 "Time per operation by allocating and freeing node");
	snprintf(figure->spread, sizeof(figure->spread), "value: median");
	nslab_names_push(figure, &figure->ylabels, "allocating node");
	figure->cols = figure->facets.nr > 2 ? 3 : (int)figure->facets.nr;
	side = 130 + 44 * (int)figure->ticks.nr;
	figure->facet_width = side < 300 ? 300 : side > 800 ? 800 : side;
	figure->facet_height = figure->facet_width - 40;
	return 0;
}

const struct nslab_plot nslab_plot_matrix = {
	.name = "matrix",
	.summary = "ns per operation for each pair of nodes, as a heat map",
	.build = matrix_build,
};
