/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * noise.c: the plot `noise`: the baseline held against itself, block after block.
 *
 * Above: A' over A in every block, in the order in which the blocks ran; only the machine makes it
 * differ from nothing. Below: the smallest effect that the blocks so far would find (80 % power at
 * 5 %), which says whether more blocks would have helped. A line is one family. The footnote counts
 * the families in which A and A' were told apart all the same: about one in twenty should be.
 *
 * Invariant: facet 0 has a point for each common block of A and A', facet 1 from the sixth on.
 */
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct noise_state {
	struct nslab_figure *figure;
	struct nslab_rank_cache *cache;
	size_t nr_blocks; /* of the family at hand */
	int nr_judged, nr_apart;
};

static void noise_row(struct noise_state *state, int facet, int arm, double x, double value)
{
	struct nslab_figure_row *row = nslab_figure_add(state->figure, facet, arm, x);

	if (!row)
		return;
	row->value = row->lo = row->hi = 100 * value;
	row->n = state->nr_blocks;
}

/* Log ratios twin / base of the blocks that both have, with a row for each. */
static size_t noise_logs(struct noise_state *state, int arm, const struct nslab_cell_values *twin,
			 const struct nslab_cell_values *base, double *logs)
{
	size_t i = 0, j = 0, nr = 0;

	while (i < twin->nr && j < base->nr) {
		if (twin->blocks[i] < base->blocks[j]) {
			i++;
		} else if (twin->blocks[i] > base->blocks[j]) {
			j++;
		} else {
			double ratio = twin->ns_per_op[i] / base->ns_per_op[j++];

			if (ratio > 0 && isfinite(ratio) && nr < NSLAB_PAIRED_MAX) {
				noise_row(state, 0, arm, twin->blocks[i] + 1, ratio - 1);
				logs[nr++] = log(ratio);
			}
			i++;
		}
	}
	return nr;
}

/* After 6 blocks, then after every one; of a long run about 40 of them. */
static void noise_effects(struct noise_state *state, int arm, const double *logs, size_t nr)
{
	struct nslab_paired paired = {.mde = NAN};
	size_t step = 1 + nr / 40;

	for (size_t n = 6; n <= nr; n = n + step > nr && n < nr ? nr : n + step) {
		if (nslab_paired_compare_with(state->cache, logs, n, NSLAB_CONFIDENCE, &paired))
			continue;
		if (isfinite(paired.mde))
			noise_row(state, 1, arm, (double)n, expm1(paired.mde));
	}
	if (!isfinite(paired.lo))
		return;
	state->nr_judged++;
	state->nr_apart += paired.lo > 0 || paired.hi < 0;
}

static void noise_family(const struct nslab_plot_input *input, const struct nslab_cell_values *twin,
			 const struct nslab_cell_values *base, struct noise_state *state)
{
	double *logs = calloc(twin->nr + 1, sizeof(*logs));
	char title[256];
	int arm;

	if (!logs) {
		state->figure->is_out_of_memory = true;
		return;
	}
	nslab_cell_title(input, &twin->cell,
			 NSLAB_PART_SIZE | NSLAB_PART_THREADS | NSLAB_PART_PLACEMENT, title,
			 sizeof(title));
	arm = nslab_names_add(state->figure, &state->figure->arms, title);
	state->nr_blocks = twin->nr < base->nr ? twin->nr : base->nr;
	noise_effects(state, arm, logs, noise_logs(state, arm, twin, base, logs));
	free(logs);
}

static void noise_frame(const struct noise_state *state)
{
	struct nslab_figure *figure = state->figure;

	snprintf(figure->title, sizeof(figure->title), "The baseline against itself");
	snprintf(figure->spread, sizeof(figure->spread), "point: one block of A and A'");
	if (state->nr_judged)
		snprintf(figure->remark, sizeof(figure->remark),
			 "A and A' were told apart (95 %% interval) in %d of %d families; one in "
			 "twenty is what chance does; band: +-1 %%",
			 state->nr_apart, state->nr_judged);
	else
		snprintf(figure->remark, sizeof(figure->remark),
			 "fewer than 6 blocks: there is no interval yet; band: +-1 %%");
	nslab_names_push(figure, &figure->ylabels, "A' over A, %");
	nslab_names_push(figure, &figure->ylabels, "smallest effect found, %");
	figure->cols = 1;
	figure->facet_width = 640;
	figure->facet_height = 250;
}

static int noise_build(const struct nslab_plot_input *input, struct nslab_figure *figure,
		       struct nslab_err *err)
{
	struct noise_state state = {.figure = figure, .cache = nslab_rank_cache_create()};

	figure->is_out_of_memory |= !state.cache;
	nslab_figure_facet(figure, "ratio", "Difference of the two, block by block");
	nslab_figure_facet(figure, "effect", "What the blocks so far would find");
	for (size_t i = 0; i < input->list->nr && state.cache; i++) {
		const struct nslab_contrast *contrast = &input->contrasts[i];

		if (contrast->cell && contrast->cell->cell.is_twin && contrast->base)
			noise_family(input, contrast->cell, contrast->base, &state);
	}
	nslab_rank_cache_free(state.cache);
	if (!figure->nr_rows)
		return nslab_fail(err, -ENODATA,
				  "cannot draw 'noise': no family ran its baseline twice");
	noise_frame(&state);
	return 0;
}

const struct nslab_plot nslab_plot_noise = {
	.name = "noise",
	.summary = "A/A: the baseline against itself by block, and the smallest effect found",
	.build = noise_build,
};
