/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tuning_figure.h: what the plots of an advice share.
 */
#ifndef NSLAB_PLOTS_TUNING_FIGURE_H
#define NSLAB_PLOTS_TUNING_FIGURE_H

#include "plots/figure.h"
#include "plots/tuning.h"

/* Is another setting advised? */
bool nslab_tuning_changes(const struct nslab_tuning_cache *cache);
/* Keys for nslab_tuning_top(): caches that change by what they gain, then others by memory. */
double nslab_tuning_by_memory(const struct nslab_tuning_cache *cache);

/*
 * The max caches with the largest keys, falling; those whose key is NaN are passed over. Returns
 * how many there are.
 */
size_t nslab_tuning_top(const struct nslab_tuning *tuning,
			double (*key)(const struct nslab_tuning_cache *),
			const struct nslab_tuning_cache **top, size_t max);

/* Title and first lines of the footnote; from: where the figures come from. */
void nslab_tuning_head(const struct nslab_tuning *tuning, struct nslab_figure *figure,
		       const char *title, const char *from);
/* -ENODATA in these words. */
int nslab_tuning_none(struct nslab_err *err, const char *name, const char *why);

#endif
