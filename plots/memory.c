/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory.c: the plot `memory`: what a trial's memory was made of while it ran.
 *
 * A facet is one cell, from its first trial that has a timeline. Areas are stacked: objects in use,
 * free objects that CPUs hold, free objects in slabs, padding, the tails of slabs, and pages of the
 * heap that are no slabs; together they are what the heap holds. The resident set is a line with a
 * scale of its own on the right, since it holds program and libraries too. A cell of a peer has the
 * line alone: what it holds inside cannot be seen.
 *
 * While workers run, objects that CPUs hold free are in the first area; the last point of each
 * facet, taken with the workers parked, is exact. A part that is not known adds nothing.
 */
#include "plots/figure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_FACETS_MAX 12
#define MEMORY_MIB	  1048576.0

static const struct {
	const char *series, *label;
} layers[] = {
	{"memory used", "in use"},
	{"memory queued", "free, held by CPUs"},
	{"memory free", "free, in slabs"},
	{"memory padding", "padding"},
	{"memory tail", "tails of slabs"},
	{"memory other", "other pages"},
	{"memory rss", "resident set (right)"},
};

#define MEMORY_RSS ((int)(sizeof(layers) / sizeof(layers[0])) - 1)

/* The points of one cell, and what the layers so far add up to at each x of its first one. */
struct memory_stack {
	const struct nslab_cell_point *points;
	size_t nr; /* points of the cell */
	size_t nr_x;
	double *x, *sum;
};

static bool is_of(const struct nslab_cell_point *point, int layer)
{
	return !strcmp(point->series, layers[layer].series);
}

static int stack_init(struct memory_stack *stack)
{
	stack->x = calloc(stack->nr + 1, sizeof(*stack->x));
	stack->sum = calloc(stack->nr + 1, sizeof(*stack->sum));
	if (!stack->x || !stack->sum)
		return -ENOMEM;
	for (size_t i = 0; i < stack->nr; i++) {
		if (is_of(&stack->points[i], 0))
			stack->x[stack->nr_x++] = stack->points[i].x;
	}
	return 0;
}

static void memory_row(struct nslab_figure *figure, int facet, int layer, double x, double lo,
		       double value)
{
	struct nslab_figure_row *row = nslab_figure_add(figure, facet, layer, x);

	if (!row)
		return;
	row->value = value / MEMORY_MIB;
	row->lo = lo / MEMORY_MIB;
	row->hi = (lo + value) / MEMORY_MIB;
	row->n = 1;
}

/* Both the stack and a series are in the order of x. */
static void memory_layer(struct memory_stack *stack, struct nslab_figure *figure, int facet,
			 int layer)
{
	size_t at = 0;

	for (size_t i = 0; i < stack->nr; i++) {
		const struct nslab_cell_point *p = &stack->points[i];

		if (!is_of(p, layer))
			continue;
		if (layer == MEMORY_RSS) {
			memory_row(figure, facet, layer, p->x, 0, p->y);
			continue;
		}
		while (at < stack->nr_x && stack->x[at] < p->x)
			at++;
		if (at == stack->nr_x)
			return;
		memory_row(figure, facet, layer, p->x, stack->sum[at], p->y);
		stack->sum[at] += p->y;
	}
}

static int memory_facet(const struct nslab_plot_input *input, size_t cell,
			struct nslab_figure *figure)
{
	const struct nslab_cell_record *record = &input->list->cells[cell].cell;
	char id[1200], title[400], parts[256];

	nslab_cell_title(input, record, NSLAB_PART_SIZE | NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT,
			 parts, sizeof(parts));
	snprintf(id, sizeof(id), "%s %s", record->family, record->arm);
	snprintf(title, sizeof(title), "%s: %.120s", parts, record->arm);
	return nslab_figure_facet(figure, id, title);
}

static void memory_cell(const struct nslab_plot_input *input, size_t from, size_t to,
			struct nslab_figure *figure)
{
	struct memory_stack stack = {.points = &input->figures->points[from], .nr = to - from};

	if (stack_init(&stack)) {
		figure->is_out_of_memory = true;
	} else {
		int facet = memory_facet(input, stack.points->cell, figure);

		for (int layer = 0; layer <= MEMORY_RSS; layer++)
			memory_layer(&stack, figure, facet, layer);
	}
	free(stack.x);
	free(stack.sum);
}

static int memory_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			struct nslab_err *err)
{
	const struct nslab_figure_list *list = input->figures;

	for (int i = 0; i <= MEMORY_RSS; i++)
		nslab_names_add(figure, &figure->arms, layers[i].label);
	nslab_names_push(figure, &figure->ylabels, "MiB held by the heap");
	for (size_t from = 0, to; from < list->nr_points; from = to) {
		size_t cell = list->points[from].cell;
		bool has_memory = false;

		for (to = from; to < list->nr_points && list->points[to].cell == cell; to++)
			has_memory |= nslab_is_memory_series(list->points[to].series);
		if (has_memory && !input->list->cells[cell].cell.is_twin &&
		    figure->facets.nr < MEMORY_FACETS_MAX)
			memory_cell(input, from, to, figure);
	}
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'memory': no trial was sampled (every PU had a "
				  "worker? see plan key 'sampler')");
	snprintf(figure->title, sizeof(figure->title), "Memory while the trial ran");
	snprintf(figure->spread, sizeof(figure->spread), "the first trial of each cell");
	snprintf(figure->remark, sizeof(figure->remark),
		 "exact at the right end only; before it, objects that CPUs hold free count as in "
		 "use");
	figure->cols = 2;
	figure->facet_width = 460;
	figure->facet_height = 240;
	return 0;
}

const struct nslab_plot nslab_plot_memory = {
	.name = "memory",
	.summary = "what the heap's memory was made of while a trial ran",
	.build = memory_build,
};
