/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scaling.c: the plot `scaling`: operations per second of all workers against their number.
 *
 * One facet for each family that was run with more than one number of threads, one line for each
 * arm. The grey line is what the best arm's smallest run would become if every further thread
 * added as much as the first. Only workers whose operations count are in the rate: the consumers
 * of a producer-consumer pair undo what the producers did.
 *
 * Behind every line lies its interval as a band; bands that overlap say that the arms may be the
 * same. A dotted line stands where a further worker lands on a node that had none before, which is
 * read from the PUs of the facet's largest cell.
 *
 * Invariant: a rate is counted workers over the median time per operation and worker. A cell whose
 * windows are not in the file is left out rather than guessed.
 */
#include "plots/figure.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Position of the node whose PUs hold the OS index, or -1. */
static int scaling_node(const json_t *nodes, long pu)
{
	size_t i, k;
	const json_t *node, *other;

	json_array_foreach(nodes, i, node)
	{
		json_array_foreach(json_object_get(node, "pus"), k, other)
		{
			if (json_integer_value(other) == pu)
				return (int)i;
		}
	}
	return -1;
}

/* "2.5 4.5": between which workers a node is new, in the order of pus ("0,1,2"). */
static void scaling_edges(const json_t *nodes, const char *pus, char *edges, size_t edges_bytes)
{
	unsigned char has[1024] = {0};
	int worker = 0;

	*edges = '\0';
	while (pus && *pus) {
		char *end;
		int node = scaling_node(nodes, strtol(pus, &end, 10));
		size_t len = strlen(edges);

		if (end == pus)
			break;
		if (node >= 0 && node < (int)sizeof(has) && !has[node]) {
			has[node] = 1;
			if (worker)
				snprintf(edges + len, edges_bytes - len, "%s%.1f", len ? " " : "",
					 worker + 0.5);
		}
		worker++;
		pus = end + (*end == ',');
	}
}

/* Of each facet, from its cell with the most threads. */
static void scaling_nodes(const struct nslab_plot_input *input, struct nslab_figure *figure)
{
	const char *text = input->run.topology_json;
	json_t *topology = text ? json_loads(text, 0, NULL) : NULL;

	for (size_t facet = 0; facet < figure->ids.nr; facet++) {
		const struct nslab_cell_record *largest = NULL;
		char id[512], edges[256];

		for (size_t i = 0; i < input->list->nr; i++) {
			const struct nslab_cell_values *cell = &input->list->cells[i];

			scaling_id(cell, id, sizeof(id));
			if (strcmp(id, figure->ids.texts[facet]) != 0)
				continue;
			if (!largest || cell->cell.threads > largest->threads)
				largest = &cell->cell;
		}
		scaling_edges(json_object_get(topology, "nodes"), largest ? largest->pus : NULL,
			      edges, sizeof(edges));
		nslab_names_push(figure, &figure->xlabels, edges);
	}
	json_decref(topology);
}

static int scaling_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			 struct nslab_err *err)
{
	for (size_t i = 0; i < input->list->nr && input->has_threads; i++) {
		if (!input->list->cells[i].cell.is_twin && input->nr_counted[i])
			scaling_add(input, i, figure);
	}
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'scaling': the run has no family with more than "
				  "one number of threads");
	scaling_nodes(input, figure);
	snprintf(figure->title, sizeof(figure->title), "Scaling with the number of threads");
	snprintf(figure->spread, sizeof(figure->spread),
		 "point: median, band: " NSLAB_INTERVAL_WORDS);
	snprintf(figure->remark, sizeof(figure->remark),
		 "ideal: the best arm's smallest run, times threads; dotted: workers from here on "
		 "are on a further node");
	nslab_names_push(figure, &figure->ylabels, "million operations/s, all threads");
	figure->cols = figure->facets.nr > 1 ? 2 : 1;
	figure->facet_width = figure->cols > 1 ? 480 : 640;
	figure->facet_height = figure->cols > 1 ? 320 : 400;
	return 0;
}

const struct nslab_plot nslab_plot_scaling = {
	.name = "scaling",
	.summary = "operations per second against threads: interval, ideal, node boundaries",
	.build = scaling_build,
};
