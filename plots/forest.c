/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * forest.c: the plot `forest`: every arm held against its family's baseline, with the interval.
 *
 * A line is one cell: the paired ratio of its time to the baseline's, the 95 % interval, and a
 * colour for the verdict. The band is what nobody needs to care about (+-1 %): an interval inside
 * it is "same", one that crosses its edge is "unclear" and grey, however far its middle lies off.
 * The second run of the baseline stands among the others, because it must come out as no different.
 *
 * Invariants: the arms of the figure are the verdicts, in the order of the template's colours; tick
 * number i belongs to line i, counted over all pages. Left out: cells with nothing to compare with.
 */
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOREST_LINES 36 /* on a page */

static const char *const forest_verdicts[] = {"faster", "slower", "same", "unclear"};

static int forest_verdict(const struct nslab_contrast *contrast)
{
	const char *word = nslab_contrast_word(contrast);

	for (int i = 0; i < 3; i++) {
		if (!strcmp(word, forest_verdicts[i]))
			return i;
	}
	return 3;
}

static void forest_add(const struct nslab_plot_input *input, size_t number,
		       struct nslab_figure *figure)
{
	const struct nslab_contrast *contrast = &input->contrasts[number];
	const struct nslab_cell_record *cell = &input->list->cells[number].cell;
	int facet = (int)(figure->nr_rows / FOREST_LINES);
	char arm[256], parts[256], label[520], id[16];
	struct nslab_figure_row *row;

	nslab_arm_text(cell, arm, sizeof(arm));
	nslab_cell_title(input, cell, NSLAB_PART_SIZE | NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT,
			 parts, sizeof(parts));
	snprintf(label, sizeof(label), "%s: %s", arm, parts);
	snprintf(id, sizeof(id), "%d", facet);
	row = nslab_figure_add(figure, nslab_figure_facet(figure, id, ""), forest_verdict(contrast),
			       (double)(figure->nr_rows % FOREST_LINES));
	nslab_names_push(figure, &figure->ticks, label);
	if (!row || figure->is_out_of_memory)
		return;
	row->tick = figure->ticks.texts[figure->ticks.nr - 1];
	row->n = contrast->paired.n;
	row->value = contrast->ratio;
	row->is_unclear = row->arm == 3;
	row->lo = isnan(contrast->lo) ? contrast->ratio : contrast->lo;
	row->hi = isnan(contrast->hi) ? contrast->ratio : contrast->hi;
	row->note = isnan(contrast->lo) ? "too few blocks for an interval" : NULL;
}

static void forest_frame(struct nslab_figure *figure)
{
	size_t nr = figure->nr_rows < FOREST_LINES ? figure->nr_rows : FOREST_LINES;

	snprintf(figure->title, sizeof(figure->title), "Every arm against its baseline");
	snprintf(figure->spread, sizeof(figure->spread),
		 "point: paired ratio, line: its 95 %% interval");
	snprintf(figure->remark, sizeof(figure->remark),
		 "band: +-1 %%; unclear: the interval crosses an edge of it, or there are fewer "
		 "than 6 blocks and no interval");
	nslab_names_push(figure, &figure->ylabels,
			 "time per operation over the baseline's (left is faster)");
	figure->has_user_ticks = true;
	figure->cols = 1;
	figure->per_page = 1;
	figure->facet_width = 820;
	figure->facet_height = 84 + 17 * (int)nr;
}

static int forest_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
			struct nslab_err *err)
{
	size_t *order = nslab_family_order(input->list);

	if (!order)
		return nslab_fail(err, -ENOMEM, "cannot draw 'forest': out of memory");
	for (int i = 0; i < 4; i++)
		nslab_names_push(figure, &figure->arms, forest_verdicts[i]);
	for (size_t i = 0; i < input->list->nr; i++) {
		if (input->contrasts[order[i]].paired.n)
			forest_add(input, order[i], figure);
	}
	free(order);
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'forest': no arm ran in the same blocks as a "
				  "baseline");
	forest_frame(figure);
	return 0;
}

const struct nslab_plot nslab_plot_forest = {
	.name = "forest",
	.summary = "paired ratio of every arm to its baseline, with interval and +-1 % band",
	.build = forest_build,
};
