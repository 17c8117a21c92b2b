/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency.c: the plot `latency`: percentiles of single operations.
 *
 * A facet is one family, a line one arm. The x axis is -log10(1 - q), so that p50, p90, p99, p99.9
 * and p99.99 stand at about equal distances and the tail has as much room as the middle; the y axis
 * is logarithmic. A line has a point for each bucket of the histogram that holds something and ends
 * where fewer than 10 values lie beyond, as the table's percentiles do.
 *
 * Invariant: a line never falls. Values hold the cost of reading the clock, which the footnote
 * tells for the dearest cell.
 */
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

static void latency_line(const struct nslab_cell_latency *entry, int facet, int arm,
			 struct nslab_figure *figure)
{
	const struct nslab_hist *hist = &entry->hist;
	uint64_t seen = 0;

	for (unsigned i = 0; i < NSLAB_HIST_BUCKETS; i++) {
		struct nslab_figure_row *row;

		if (!hist->buckets[i])
			continue;
		seen += hist->buckets[i];
		if (hist->nr - seen < 10)
			return;
		row = nslab_figure_add(figure, facet, arm,
				       -log10((double)(hist->nr - seen) / (double)hist->nr));
		if (!row)
			return;
		row->value = row->lo = row->hi = nslab_hist_middle(hist, i);
		row->n = entry->nr_trials;
	}
}

static int latency_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			 struct nslab_err *err)
{
	const struct nslab_latency_list *list = input->latencies;
	double dearest = 0;

	for (size_t i = 0; i < list->nr; i++) {
		const struct nslab_cell_record *cell =
			&input->list->cells[list->cells[i].cell].cell;
		char title[256];

		if (cell->is_twin)
			continue;
		nslab_cell_title(input, cell,
				 NSLAB_PART_SIZE | NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT, title,
				 sizeof(title));
		latency_line(&list->cells[i], nslab_figure_facet(figure, cell->family, title),
			     nslab_names_add(figure, &figure->arms, cell->arm), figure);
		dearest = fmax(dearest, list->cells[i].clock_ns);
	}
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'latency': no trial timed single operations; plan "
				  "key 'latency=sampled' does");
	nslab_names_push(figure, &figure->ylabels, "ns of one operation");
	snprintf(figure->title, sizeof(figure->title), "Time of single operations");
	snprintf(figure->spread, sizeof(figure->spread), "line: percentiles of all their values");
	snprintf(figure->remark, sizeof(figure->remark),
		 "values hold up to %.0f ns of reading the clock; a line ends 10 values "
		 "from its top",
		 dearest);
	figure->cols = 2;
	figure->facet_width = 460;
	figure->facet_height = 260;
	return 0;
}

const struct nslab_plot nslab_plot_latency = {
	.name = "latency",
	.summary = "percentiles of single operations, to p99.99",
	.build = latency_build,
};
