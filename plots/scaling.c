/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scaling.c: the plot `scaling`: operations per second of all workers against their number.
 *
 * One facet for each family that was run with more than one number of threads, one line for each
 * arm. The grey line is what the best arm's smallest run would become if every further thread
 * added as much as the first. Only workers whose operations count are in the rate: the consumers
 * of a producer-consumer pair undo what the producers did.
 *
 * Invariant: a rate is counted workers over the median time per operation and worker. A cell whose
 * windows are not in the file is left out rather than guessed.
 */
#include "plots/figure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void scaling_id(const struct nslab_cell_values *cell, char *id, size_t id_bytes)
{
	nslab_key_without(cell->cell.family, "threads", id, id_bytes);
}

static bool scaling_has_other_threads(const struct nslab_cell_list *list, const char *id,
				      int threads)
{
	for (size_t i = 0; i < list->nr; i++) {
		char other[512];

		if (list->cells[i].cell.threads == threads)
			continue;
		scaling_id(&list->cells[i], other, sizeof(other));
		if (!strcmp(other, id))
			return true;
	}
	return false;
}

static void scaling_add(const struct nslab_plot_input *input, size_t number,
			struct nslab_figure *figure)
{
	const struct nslab_cell_values *cell = &input->list->cells[number];
	struct nslab_figure_row *row;
	char id[512], title[256], tick[32];
	int facet, at;

	scaling_id(cell, id, sizeof(id));
	if (!scaling_has_other_threads(input->list, id, cell->cell.threads))
		return;
	facet = nslab_figure_find(figure, id);
	if (facet < 0) {
		nslab_cell_title(input, &cell->cell, NSLAB_PART_SIZE | NSLAB_PART_PLACEMENT, title,
				 sizeof(title));
		facet = nslab_figure_facet(figure, id, title);
	}
	row = nslab_figure_add(figure, facet,
			       nslab_names_add(figure, &figure->arms, cell->cell.arm),
			       cell->cell.threads);
	/* workers / (ns per operation) is operations per ns; a thousand times that is million/s */
	nslab_figure_values(row, cell, 1000.0 * input->nr_counted[number]);
	snprintf(tick, sizeof(tick), "%d", cell->cell.threads);
	at = nslab_names_add(figure, &figure->ticks, tick);
	if (row)
		row->tick = figure->is_out_of_memory ? "" : figure->ticks.texts[at];
}

static int scaling_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			 struct nslab_err *err)
{
	for (size_t i = 0; i < input->list->nr; i++) {
		if (!input->list->cells[i].cell.is_twin && input->nr_counted[i])
			scaling_add(input, i, figure);
	}
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'scaling': the run has no family with more than "
				  "one number of threads");
	snprintf(figure->title, sizeof(figure->title), "Scaling with the number of threads");
	snprintf(figure->spread, sizeof(figure->spread), "point: median, whisker: quartiles");
	snprintf(figure->remark, sizeof(figure->remark),
		 "ideal: the best arm's smallest run, times threads");
	nslab_names_push(figure, &figure->ylabels, "million operations/s, all threads");
	figure->cols = figure->facets.nr > 1 ? 2 : 1;
	figure->facet_width = figure->cols > 1 ? 480 : 640;
	figure->facet_height = figure->cols > 1 ? 320 : 400;
	return 0;
}

const struct nslab_plot nslab_plot_scaling = {
	.name = "scaling",
	.summary = "operations per second against threads, with the ideal line",
	.build = scaling_build,
};
