/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * locks.c: the plot `locks`: what crosses between CPUs: acquisitions of a node's list lock, objects
 * freed on another node, and batches in which such objects went home, per 1000 operations.
 *
 * A facet is one of these counts in one family without its size; in it a group of bars for each
 * size and a bar for each arm. The scale is the facet's own, since counts differ by thousands. An
 * arm that counted none of them is left out; a cross is a cell of another arm that did not count.
 *
 * Invariant: a facet is there only when some arm counted more than one in a million operations.
 */
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *counter, *label;
} locks_counts[] = {
	{"list_lock", "list lock taken"},
	{"remote_free", "freed on another node"},
	{"remote_batch", "batches sent home"},
};

#define LOCKS_LEAST	0.001 /* per 1000 operations: less is what setting up took */
#define LOCKS_NR_COUNTS (sizeof(locks_counts) / sizeof(locks_counts[0]))

static double locks_value(const struct nslab_cell_values *cell, const char *counter)
{
	for (size_t i = 0; i < cell->nr_counters; i++) {
		if (!strcmp(cell->counters[i].name, counter))
			return 1000 * cell->counters[i].per_op;
	}
	return NAN;
}

static void locks_id(const struct nslab_cell_record *cell, size_t count, char *id, size_t id_bytes)
{
	char rest[512];

	nslab_key_without(cell->family, "size", rest, sizeof(rest));
	snprintf(id, id_bytes, "%zu %s", count, rest);
}

/* The facet of a cell that counted something, made when it is new. */
static void locks_facet(const struct nslab_plot_input *input, const struct nslab_cell_values *cell,
			size_t count, struct nslab_figure *figure)
{
	char id[600], parts[256], title[400];

	if (!(locks_value(cell, locks_counts[count].counter) > LOCKS_LEAST))
		return;
	locks_id(&cell->cell, count, id, sizeof(id));
	if (nslab_figure_find(figure, id) >= 0)
		return;
	nslab_cell_title(input, &cell->cell, NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT, parts,
			 sizeof(parts));
	snprintf(title, sizeof(title), "%s: %s", parts, locks_counts[count].label);
	nslab_figure_facet(figure, id, title);
	nslab_names_add(figure, &figure->arms, cell->cell.arm);
}

static void locks_add(const struct nslab_cell_values *cell, size_t count,
		      struct nslab_figure *figure)
{
	char id[600], tick[32] = "many sizes";
	struct nslab_figure_row *row;
	double value = locks_value(cell, locks_counts[count].counter);
	int facet, at;

	locks_id(&cell->cell, count, id, sizeof(id));
	facet = nslab_figure_find(figure, id);
	if (facet < 0 || !cell->nr_counters || (isnan(value) && cell->nr))
		return;
	if (cell->cell.size_bytes)
		nslab_size_text(cell->cell.size_bytes, tick, sizeof(tick));
	at = nslab_names_add(figure, &figure->ticks, tick);
	row = nslab_figure_add(figure, facet,
			       nslab_names_add(figure, &figure->arms, cell->cell.arm),
			       (double)cell->cell.size_bytes);
	if (!row || figure->is_out_of_memory)
		return;
	row->tick = figure->ticks.texts[at];
	row->value = row->lo = row->hi = value;
	row->n = cell->nr;
	row->note = isnan(value) ? "not counted" : NULL;
}

static int locks_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
		       struct nslab_err *err)
{
	const struct nslab_cell_list *list = input->list;

	for (size_t i = 0; i < list->nr; i++) {
		for (size_t k = 0; k < LOCKS_NR_COUNTS && !list->cells[i].cell.is_twin; k++)
			locks_facet(input, &list->cells[i], k, figure);
	}
	for (size_t i = 0; i < list->nr; i++) {
		for (size_t k = 0; k < LOCKS_NR_COUNTS && !list->cells[i].cell.is_twin; k++)
			locks_add(&list->cells[i], k, figure);
	}
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'locks': no allocator counted a list lock or a "
				  "remote free");
	nslab_figure_rank(figure);
	nslab_figure_split(figure, NSLAB_BAR_PLACES);
	snprintf(figure->title, sizeof(figure->title), "Locks and remote frees");
	snprintf(figure->spread, sizeof(figure->spread), "bar: median count");
	snprintf(figure->remark, sizeof(figure->remark),
		 "counts of the allocator's model, no times; each panel has its own scale");
	nslab_names_push(figure, &figure->ylabels, "per 1000 operations");
	figure->shape = "bars";
	figure->cols = figure->facets.nr > 1 ? 2 : 1;
	figure->facet_width = figure->cols > 1 ? 460 : 640;
	figure->facet_height = figure->cols > 1 ? 260 : 360;
	return 0;
}

const struct nslab_plot nslab_plot_locks = {
	.name = "locks",
	.summary = "list locks and remote frees per 1000 operations",
	.build = locks_build,
};
