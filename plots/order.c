/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * order.c: the plot `order`: what a larger slab order buys and what it costs.
 *
 * Three panels over the same orders: time per operation, memory held at the end, and acquisitions
 * of a node's list lock per thousand operations. A line is one allocator in one family; `auto`, the
 * order that the allocator would choose, stands to the left of order 0 and is not joined to the
 * line, because it is one of the other orders under another name. The order is read from the cell's
 * parameters, or from its arm or key.
 *
 * Invariant: the panels are facets 0, 1 and 2, also when a run did not count one of them; then the
 * panel says so.
 */
#include "plots/figure.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int order_from_text(const char *text)
{
	char *end;
	long order = strtol(text, &end, 10);

	if (!strncmp(text, "auto", 4))
		return NSLAB_ORDER_AUTO;
	return end > text && order >= -1 && order <= 64 ? (int)order : NSLAB_ORDER_NONE;
}

/* In the parameters' object itself or one level down (allocator, workload). */
static int order_from_json(const json_t *params, int depth)
{
	const json_t *value = json_object_get(params, "order");
	const char *key;
	json_t *child;

	if (json_is_integer(value)) {
		json_int_t order = json_integer_value(value);

		return order >= -1 && order <= 64 ? (int)order : NSLAB_ORDER_NONE;
	}
	if (json_is_string(value))
		return order_from_text(json_string_value(value));
	if (!depth)
		return NSLAB_ORDER_NONE;
	json_object_foreach((json_t *)params, key, child)
	{
		int order = order_from_json(child, depth - 1);

		if (order != NSLAB_ORDER_NONE)
			return order;
	}
	return NSLAB_ORDER_NONE;
}

static int order_from_key(const char *key)
{
	for (const char *at = key; (at = strstr(at, "order=")); at++) {
		if (at == key || strchr(" ,;/|&", at[-1]))
			return order_from_text(at + strlen("order="));
	}
	return NSLAB_ORDER_NONE;
}

int nslab_cell_order(const struct nslab_cell_record *cell)
{
	json_t *params = cell->params_json ? json_loads(cell->params_json, 0, NULL) : NULL;
	int order = order_from_json(params, 1);

	json_decref(params);
	if (order == NSLAB_ORDER_NONE)
		order = order_from_key(cell->arm);
	return order == NSLAB_ORDER_NONE ? order_from_key(cell->key) : order;
}

void nslab_order_id(const struct nslab_cell_record *cell, char *id, size_t id_bytes)
{
	char arm[256], family[512];

	nslab_key_without(cell->arm, "order", arm, sizeof(arm));
	nslab_key_without(cell->family, "order", family, sizeof(family));
	snprintf(id, id_bytes, "%s %s", arm, family);
}

/* Does the cell's line have a point at another order? */
static bool order_varies(const struct nslab_cell_list *list, const int *orders, size_t at)
{
	char id[800], other[800];

	nslab_order_id(&list->cells[at].cell, id, sizeof(id));
	for (size_t i = 0; i < list->nr; i++) {
		if (orders[i] == NSLAB_ORDER_NONE || orders[i] == orders[at])
			continue;
		nslab_order_id(&list->cells[i].cell, other, sizeof(other));
		if (!strcmp(id, other))
			return true;
	}
	return false;
}

int *nslab_cell_orders(const struct nslab_cell_list *list)
{
	int *orders = calloc(2 * list->nr + 1, sizeof(*orders));

	for (size_t i = 0; orders && i < list->nr; i++) {
		const struct nslab_cell_record *cell = &list->cells[i].cell;

		orders[list->nr + i] = cell->is_twin ? NSLAB_ORDER_NONE : nslab_cell_order(cell);
	}
	for (size_t i = 0; orders && i < list->nr; i++) {
		int order = orders[list->nr + i];
		bool varies = order != NSLAB_ORDER_NONE && order_varies(list, orders + list->nr, i);

		orders[i] = varies ? order : NSLAB_ORDER_NONE;
	}
	return orders;
}

static double order_locks(const struct nslab_cell_values *cell)
{
	for (size_t i = 0; i < cell->nr_counters; i++) {
		if (!strcmp(cell->counters[i].name, "list_lock"))
			return 1000 * cell->counters[i].per_op;
	}
	return NAN;
}

static void order_add(const struct nslab_plot_input *input, const struct nslab_cell_values *cell,
		      int order, struct nslab_figure *figure)
{
	const double values[] = {0, cell->held_bytes / (1 << 20), order_locks(cell)};
	char arm[256], parts[256], line[520], tick[16] = "auto";
	int number, at;

	nslab_key_without(cell->cell.arm, "order", arm, sizeof(arm));
	nslab_cell_title(input, &cell->cell,
			 NSLAB_PART_SIZE | NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT, parts,
			 sizeof(parts));
	snprintf(line, sizeof(line), "%s: %s", arm, parts);
	number = nslab_names_add(figure, &figure->arms, line);
	if (order != NSLAB_ORDER_AUTO)
		snprintf(tick, sizeof(tick), "%d", order);
	at = nslab_names_add(figure, &figure->ticks, tick);
	for (int panel = 0; panel < 3; panel++) {
		struct nslab_figure_row *row = nslab_figure_add(figure, panel, number, order);

		if (!row)
			return;
		nslab_figure_values(row, cell, 0);
		row->tick = figure->is_out_of_memory ? "" : figure->ticks.texts[at];
		if (!panel)
			continue;
		row->value = row->lo = row->hi = values[panel];
		row->note = isnan(values[panel]) ? "not counted" : NULL;
	}
}

static void order_frame(struct nslab_figure *figure)
{
	static const char *const panels[] = {"Time per operation", "Memory held at the end",
					     "List-lock acquisitions"};
	static const char *const units[] = {"ns per operation", "MiB", "per 1000 operations"};

	for (int panel = 0; panel < 3; panel++) {
		nslab_figure_facet(figure, panels[panel], panels[panel]);
		nslab_names_push(figure, &figure->ylabels, units[panel]);
	}
	snprintf(figure->title, sizeof(figure->title), "What the slab order buys and costs");
	snprintf(figure->spread, sizeof(figure->spread),
		 "point: median, whisker: " NSLAB_INTERVAL_WORDS);
	figure->cols = 1;
	figure->facet_width = 560;
	figure->facet_height = 230;
}

static int order_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
		       struct nslab_err *err)
{
	const struct nslab_cell_list *list = input->list;
	int *orders = nslab_cell_orders(list);

	if (!orders)
		return nslab_fail(err, -ENOMEM, "cannot draw 'order': out of memory");
	order_frame(figure);
	for (size_t i = 0; i < list->nr; i++) {
		if (orders[i] != NSLAB_ORDER_NONE)
			order_add(input, &list->cells[i], orders[i], figure);
	}
	free(orders);
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'order': no allocator was run with more than one "
				  "order");
	return 0;
}

const struct nslab_plot nslab_plot_order = {
	.name = "order",
	.summary = "time, memory and list-lock acquisitions against the slab order",
	.build = order_build,
};
