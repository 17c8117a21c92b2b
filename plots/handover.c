/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handover.c: the plot `handover`: how long a cache line takes from one PU to another.
 *
 * The figures are those of `numaslab topo --measure`, which a run stores with its topology when its
 * plan says measure=yes. Nothing is computed here: a square is what was measured, and a pair that
 * was not stays white. Where the machine is a guest the footnote says so in the words of the
 * measurement.
 *
 * Invariant: rows and columns are the measured PUs by OS index, in the order of the measurement.
 */
#include "plots/figure.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

static void handover_row(struct nslab_figure *figure, int from, const json_t *places)
{
	size_t to;
	const json_t *ns;

	json_array_foreach(places, to, ns)
	{
		struct nslab_figure_row *row;

		if (!json_is_number(ns) || to >= figure->ticks.nr)
			continue;
		row = nslab_figure_add(figure, 0, from, (double)to);
		if (!row || figure->is_out_of_memory)
			return;
		row->value = row->lo = row->hi = json_number_value(ns);
		row->tick = figure->ticks.texts[to];
		row->n = 1;
	}
}

static void handover_fill(const json_t *measured, struct nslab_figure *figure)
{
	const json_t *rows = json_object_get(measured, "handover_ns");
	const json_t *pus = json_object_get(measured, "pus");
	size_t i;
	const json_t *value;

	json_array_foreach(pus, i, value)
	{
		char text[24];

		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
		nslab_names_push(figure, &figure->arms, text);
		nslab_names_push(figure, &figure->ticks, text);
	}
	nslab_figure_facet(figure, "handover", "");
	json_array_foreach(rows, i, value)
	{
		if (i < figure->arms.nr)
			handover_row(figure, (int)i, value);
	}
}

static void handover_frame(const json_t *measured, struct nslab_figure *figure)
{
	const char *note = json_string_value(json_object_get(measured, "note"));
	int side = 130 + 34 * (int)figure->ticks.nr;

	snprintf(figure->title, sizeof(figure->title), "Hand-over of a cache line between PUs");
	snprintf(figure->spread, sizeof(figure->spread),
		 "value: median of one way, measured before the run (numaslab topo --measure)");
	snprintf(figure->remark, sizeof(figure->remark), "%s", note ? note : "");
	nslab_names_push(figure, &figure->ylabels, "PU (OS index)");
	nslab_names_push(figure, &figure->ylabels, "ns one way");
	figure->shape = "heat";
	figure->has_no_key = true;
	figure->has_no_trials = true;
	figure->cols = 1;
	figure->facet_width = side < 460 ? 460 : side > 900 ? 900 : side;
	figure->facet_height = figure->facet_width - 60;
}

static int handover_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			  struct nslab_err *err)
{
	const char *text = input->run.topology_json;
	json_t *topology = text ? json_loads(text, 0, NULL) : NULL;
	const json_t *measured = json_object_get(topology, "measured");

	handover_fill(measured, figure);
	if (figure->nr_rows)
		handover_frame(measured, figure);
	json_decref(topology);
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'handover': the machine was not measured with the "
				  "run, or has one PU; plan key 'measure=yes' does");
	return 0;
}

const struct nslab_plot nslab_plot_handover = {
	.name = "handover",
	.summary = "PU x PU heat map: ns that a cache line takes",
	.build = handover_build,
};
