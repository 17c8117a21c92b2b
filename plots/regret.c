/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * regret.c: the plot `regret`: what each slab order costs over the best one, cache by cache.
 *
 * A row is a cache: what was run with several orders and is otherwise the same. A square is the
 * paired ratio of its time to that of the row's best order, in percent. A figure in brackets cannot
 * be told from the best: its 95 % interval holds 0, or there are fewer than 6 common blocks. So
 * brackets all over a row say that the order does not matter there.
 *
 * Invariants: the best order of a row (by its median) is 0; arms of one facet are consecutive.
 */
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGRET_ROWS 30 /* on a page */

struct regret_state {
	const struct nslab_plot_input *input;
	const int *orders;
	int *groups;  /* of each cell, or -1 */
	size_t *best; /* of each group: its cell with the least median */
	struct nslab_rank_cache *cache;
};

void nslab_regret_frame(struct nslab_figure *figure, const char *title, const char *unit,
			const char *rows, const char *columns)
{
	size_t nr = figure->arms.nr < REGRET_ROWS ? figure->arms.nr : REGRET_ROWS;

	snprintf(figure->title, sizeof(figure->title), "%s", title);
	nslab_names_push(figure, &figure->ylabels, rows);
	nslab_names_push(figure, &figure->ylabels, unit);
	nslab_names_push(figure, &figure->xlabels, columns);
	figure->shape = "heat";
	figure->has_no_key = true;
	figure->has_user_ticks = true;
	figure->cols = 1;
	figure->per_page = 1;
	figure->facet_width = 380 + 48 * (int)(figure->ticks.nr < 16 ? figure->ticks.nr : 16);
	figure->facet_height = 84 + 20 * (int)nr;
	if (figure->facet_height < 260)
		figure->facet_height = 260;
}

int nslab_regret_facet(struct nslab_figure *figure, int arm)
{
	char id[16];

	snprintf(id, sizeof(id), "%d", arm / REGRET_ROWS);
	return nslab_figure_facet(figure, id, "");
}

/* Numbers the groups by their arms and finds the best cell of each. */
static void regret_groups(struct regret_state *state, struct nslab_figure *figure)
{
	const struct nslab_cell_list *list = state->input->list;
	struct nslab_names ids = {0};

	for (size_t i = 0; i < list->nr; i++) {
		char id[800], arm[256], parts[256], label[520];
		size_t nr = ids.nr;
		int group;

		state->groups[i] = -1;
		if (state->orders[i] == NSLAB_ORDER_NONE || !list->cells[i].nr)
			continue;
		nslab_order_id(&list->cells[i].cell, id, sizeof(id));
		group = nslab_names_add(figure, &ids, id);
		if (figure->is_out_of_memory)
			break;
		state->groups[i] = group;
		if (ids.nr > nr) {
			nslab_key_without(list->cells[i].cell.arm, "order", arm, sizeof(arm));
			nslab_cell_title(state->input, &list->cells[i].cell,
					 NSLAB_PART_SIZE | NSLAB_PART_THREADS |
						 NSLAB_PART_PLACEMENT,
					 parts, sizeof(parts));
			snprintf(label, sizeof(label), "%s: %s", arm, parts);
			nslab_names_push(figure, &figure->arms, label);
			state->best[group] = i;
		} else if (nslab_median(list->cells[i].ns_per_op, list->cells[i].nr) <
			   nslab_median(list->cells[state->best[group]].ns_per_op,
					list->cells[state->best[group]].nr)) {
			state->best[group] = i;
		}
	}
	nslab_names_clear(&ids);
}

/* Tick names in rising order, auto first. */
static void regret_ticks(const struct regret_state *state, struct nslab_figure *figure)
{
	for (int order = NSLAB_ORDER_AUTO; order <= 64; order++) {
		bool is_there = false;
		char text[16] = "auto";

		for (size_t i = 0; i < state->input->list->nr && !is_there; i++)
			is_there = state->groups[i] >= 0 && state->orders[i] == order;
		if (order >= 0)
			snprintf(text, sizeof(text), "%d", order);
		if (is_there)
			nslab_names_push(figure, &figure->ticks, text);
	}
}

/* Log ratios at common blocks, judged. */
static int regret_compare(const struct regret_state *state, const struct nslab_cell_values *cell,
			  const struct nslab_cell_values *best, struct nslab_paired *paired)
{
	double *logs = calloc(cell->nr + 1, sizeof(*logs));
	size_t i = 0, j = 0, nr = 0;
	int rc = -ENOMEM;

	while (logs && i < cell->nr && j < best->nr && nr < NSLAB_PAIRED_MAX) {
		if (cell->blocks[i] < best->blocks[j])
			i++;
		else if (cell->blocks[i] > best->blocks[j])
			j++;
		else
			logs[nr++] = log(cell->ns_per_op[i++] / best->ns_per_op[j++]);
	}
	if (logs)
		rc = nslab_paired_compare_with(state->cache, logs, nr, NSLAB_CONFIDENCE, paired);
	free(logs);
	return rc;
}

static void regret_add(const struct regret_state *state, size_t at, struct nslab_figure *figure)
{
	const struct nslab_cell_list *list = state->input->list;
	int arm = state->groups[at], order = state->orders[at];
	struct nslab_paired paired = {.estimate = NAN, .lo = NAN, .hi = NAN};
	struct nslab_figure_row *row;
	char text[16] = "auto";
	int tick;

	if (order >= 0)
		snprintf(text, sizeof(text), "%d", order);
	tick = nslab_names_add(figure, &figure->ticks, text);
	row = nslab_figure_add(figure, nslab_regret_facet(figure, arm), arm, tick);
	if (!row || figure->is_out_of_memory)
		return;
	row->tick = figure->ticks.texts[tick];
	row->n = list->cells[at].nr;
	row->value = row->lo = row->hi = 0;
	if (at == state->best[arm] ||
	    regret_compare(state, &list->cells[at], &list->cells[state->best[arm]], &paired))
		return;
	row->value = 100 * expm1(paired.estimate);
	row->is_unclear = !(paired.lo > 0 || paired.hi < 0);
	row->lo = isnan(paired.lo) ? row->value : 100 * expm1(paired.lo);
	row->hi = isnan(paired.hi) ? row->value : 100 * expm1(paired.hi);
}

static int regret_fill(struct regret_state *state, struct nslab_figure *figure)
{
	size_t nr = state->input->list->nr;

	state->groups = calloc(nr + 1, sizeof(*state->groups));
	state->best = calloc(nr + 1, sizeof(*state->best));
	state->cache = nslab_rank_cache_create();
	if (!state->groups || !state->best || !state->cache)
		return -ENOMEM;
	regret_groups(state, figure);
	regret_ticks(state, figure);
	for (size_t i = 0; i < nr && !figure->is_out_of_memory; i++) {
		if (state->groups[i] >= 0)
			regret_add(state, i, figure);
	}
	return 0;
}

static int regret_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			struct nslab_err *err)
{
	struct regret_state state = {.input = input};
	int *orders = nslab_cell_orders(input->list);
	int rc = -ENOMEM;

	state.orders = orders;
	if (orders)
		rc = regret_fill(&state, figure);
	nslab_rank_cache_free(state.cache);
	free(state.best);
	free(state.groups);
	free(orders);
	if (rc)
		return nslab_fail(err, rc, "cannot draw 'regret': out of memory");
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'regret': no allocator was run with more than one "
				  "order");
	snprintf(figure->spread, sizeof(figure->spread), "value: paired ratio to the row's best");
	snprintf(figure->remark, sizeof(figure->remark),
		 "in brackets: cannot be told from the best (95 %% interval, or fewer than 6 "
		 "blocks)");
	nslab_regret_frame(figure, "What each slab order costs over the best one",
			   "% more time per operation", "cache",
			   "slab order (pages: 2 to its power)");
	return 0;
}

const struct nslab_plot nslab_plot_regret = {
	.name = "regret",
	.summary = "order x cache heat map: time over the best order's",
	.build = regret_build,
};
