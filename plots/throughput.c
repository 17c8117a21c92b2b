/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * throughput.c: the plot `throughput`: ns per operation of each arm, by object size.
 *
 * One facet for each workload (and whatever else differs between families except the size), in it
 * a group of bars for each size, one bar for each arm. The second run of the baseline, A', is no
 * bar; what it differs from A by is told in the footnote, since any smaller difference between two
 * bars means nothing. A bar is pale when the paired comparison cannot tell its arm from the
 * baseline. A cell without a valid trial leaves a cross where its bar would be.
 *
 * Invariant: nothing is averaged here; a bar is one cell. Cells of a node matrix (more than two
 * pairs) are left out, they have a plot of their own.
 */
#include "plots/figure.h"
#include "results/stats.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void throughput_add(const struct nslab_plot_input *input, size_t number,
			   struct nslab_figure *figure)
{
	const struct nslab_cell_values *cell = &input->list->cells[number];
	const struct nslab_contrast *contrast = &input->contrasts[number];
	struct nslab_figure_row *row;
	char id[512], title[256], tick[32];
	int facet;

	nslab_key_without(cell->cell.family, "size", id, sizeof(id));
	facet = nslab_figure_find(figure, id);
	if (facet < 0) {
		nslab_cell_title(input, &cell->cell, NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT,
				 title, sizeof(title));
		facet = nslab_figure_facet(figure, id, title);
	}
	row = nslab_figure_add(figure, facet,
			       nslab_names_add(figure, &figure->arms, cell->cell.arm),
			       (double)cell->cell.size_bytes);
	nslab_figure_values(row, cell, 0);
	if (cell->cell.size_bytes)
		nslab_size_text(cell->cell.size_bytes, tick, sizeof(tick));
	else
		snprintf(tick, sizeof(tick), "many sizes");
	if (row) {
		int at = nslab_names_add(figure, &figure->ticks, tick);

		row->is_unclear = contrast->base && contrast->base != cell &&
				  contrast->verdict == NSLAB_INCONCLUSIVE;
		row->tick = figure->is_out_of_memory ? "" : figure->ticks.texts[at];
	}
}

/* Largest difference between A and A' over all families, in percent; NaN when there is no pair. */
static double throughput_noise(const struct nslab_cell_list *list)
{
	double largest = NAN;

	for (size_t i = 0; i < list->nr; i++) {
		const struct nslab_cell_values *twin = &list->cells[i];

		for (size_t j = 0; twin->cell.is_twin && j < list->nr; j++) {
			const struct nslab_cell_values *a = &list->cells[j];
			double percent;

			if (!a->cell.is_baseline || strcmp(a->cell.family, twin->cell.family))
				continue;
			percent = 100 * fabs(nslab_median(twin->ns_per_op, twin->nr) /
						     nslab_median(a->ns_per_op, a->nr) -
					     1);
			if (isfinite(percent) && !(percent <= largest))
				largest = percent;
		}
	}
	return largest;
}

/* Are there so many pairs of nodes that they are a matrix and not a placement or two? */
static bool throughput_has_matrix(const struct nslab_cell_list *list)
{
	const char *pairs[2] = {NULL, NULL};

	for (size_t i = 0; i < list->nr; i++) {
		const char *placement = list->cells[i].cell.placement;
		int k = 0;

		if (!placement || strncmp(placement, "cross:", 6))
			continue;
		while (k < 2 && pairs[k] && strcmp(pairs[k], placement))
			k++;
		if (k == 2)
			return true;
		pairs[k] = placement;
	}
	return false;
}

static void throughput_remark(struct nslab_figure *figure, double noise)
{
	bool has_gaps = false, has_pale = false;
	char gaps[60] = "", pale[90] = "", twins[90] = "";

	for (size_t i = 0; i < figure->nr_rows; i++) {
		has_gaps |= figure->rows[i].note != NULL;
		has_pale |= figure->rows[i].is_unclear && !figure->rows[i].note;
	}
	if (has_pale)
		snprintf(pale, sizeof(pale),
			 "pale: cannot be told from the baseline (paired 95 %% "
			 "interval); ");
	if (isfinite(noise))
		snprintf(twins, sizeof(twins),
			 "the baseline run twice (A, A') differs by up to %.2g %%; ", noise);
	if (has_gaps)
		snprintf(gaps, sizeof(gaps), "x: no result, the table tells why; ");
	snprintf(figure->remark, sizeof(figure->remark), "%s%s%s", pale, twins, gaps);
	if (*figure->remark) /* the last "; " */
		figure->remark[strlen(figure->remark) - 2] = '\0';
}

static int throughput_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			    struct nslab_err *err)
{
	double noise = throughput_noise(input->list);
	bool has_matrix = throughput_has_matrix(input->list);

	for (size_t i = 0; i < input->list->nr; i++) {
		const struct nslab_cell_values *cell = &input->list->cells[i];

		if (has_matrix && cell->cell.placement &&
		    !strncmp(cell->cell.placement, "cross:", 6))
			continue;
		if (!cell->cell.is_twin)
			throughput_add(input, i, figure);
	}
	if (!figure->nr_rows)
		return nslab_fail(
			err, -ENODATA,
			"cannot draw 'throughput': the run has no cells outside the node matrix");
	nslab_figure_rank(figure);
	nslab_figure_split(figure, NSLAB_BAR_PLACES);
	figure->shape = "bars";
	snprintf(figure->title, sizeof(figure->title), "Time per operation by allocator and size");
	snprintf(figure->spread, sizeof(figure->spread),
		 "bar: median, whisker: " NSLAB_INTERVAL_WORDS);
	throughput_remark(figure, noise);
	nslab_names_push(figure, &figure->ylabels, "ns per operation (less is better)");
	figure->cols = figure->facets.nr > 1 ? 2 : 1;
	figure->facet_width = figure->cols > 1 ? 500 : 720;
	figure->facet_height = figure->cols > 1 ? 300 : 400;
	return 0;
}

const struct nslab_plot nslab_plot_throughput = {
	.name = "throughput",
	.summary = "ns per operation by allocator and object size",
	.build = throughput_build,
};
