/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * matrix.c: the plot `matrix`: ns per operation for each pair of nodes.
 *
 * Cells placed `cross:I,J` allocate on node I and free on node J; cells of the same family placed
 * `node:I` are the diagonal. One facet for each arm and
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

static bool matrix_cross(const struct nslab_cell_values *cell, int *from, int *to)
{
	char end;

	return !cell->cell.is_twin && cell->cell.placement &&
	       sscanf(cell->cell.placement, "cross:%d,%d%c", from, to, &end) == 2 && *from >= 0 &&
	       *to >= 0;
}

/* `node:N` is the pair of a node with itself where the same family has pairs. */
static bool matrix_node(const struct nslab_cell_values *cell, int *from, int *to)
{
	char end;

	if (cell->cell.is_twin || !cell->cell.placement ||
	    sscanf(cell->cell.placement, "node:%d%c", from, &end) != 1 || *from < 0)
		return false;
	*to = *from;
	return true;
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

			if (!matrix_cross(&input->list->cells[i], &pair[0], &pair[1]))
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

static void matrix_id(const struct nslab_cell_values *cell, char *id, size_t id_bytes)
{
	char rest[512];

	nslab_key_without(cell->cell.family, "placement", rest, sizeof(rest));
	snprintf(id, id_bytes, "%.60s %s", cell->cell.arm, rest);
}

static int matrix_facet(const struct nslab_plot_input *input, const struct nslab_cell_values *cell,
			const char *id, struct nslab_figure *figure)
{
	char parts[256], title[320];
	int facet = nslab_figure_find(figure, id);

	if (facet >= 0)
		return facet;
	nslab_cell_title(input, &cell->cell, NSLAB_PART_SIZE | NSLAB_PART_THREADS, parts,
			 sizeof(parts));
	snprintf(title, sizeof(title), "%.60s: %s", cell->cell.arm, parts);
	return nslab_figure_facet(figure, id, title);
}

static void matrix_add(const struct nslab_plot_input *input, const struct nslab_cell_values *cell,
		       bool is_diagonal, struct nslab_figure *figure)
{
	struct nslab_figure_row *row;
	char id[600], text[16];
	int from, to, at;

	if (is_diagonal ? !matrix_node(cell, &from, &to) : !matrix_cross(cell, &from, &to))
		return;
	matrix_id(cell, id, sizeof(id));
	if (is_diagonal && nslab_figure_find(figure, id) < 0)
		return;
	snprintf(text, sizeof(text), "%d", to);
	at = nslab_names_add(figure, &figure->ticks, text);
	snprintf(text, sizeof(text), "%d", from);
	row = nslab_figure_add(figure, matrix_facet(input, cell, id, figure),
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
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < input->list->nr; i++)
			matrix_add(input, &input->list->cells[i], pass, figure);
	}
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'matrix': the run has no cell with "
				  "placement=cross:I,J");
	snprintf(figure->title, sizeof(figure->title),
		 "Time per operation by allocating and freeing node");
	snprintf(figure->spread, sizeof(figure->spread), "value: median");
	nslab_names_push(figure, &figure->ylabels, "allocating node");
	nslab_names_push(figure, &figure->ylabels, "ns per operation");
	figure->shape = "heat";
	figure->has_no_key = true;
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
