/* SPDX-License-Identifier: GPL-2.0-only */
/* table.h: a figure from a table in a file; its format is told in plots.h. */
#ifndef NSLAB_PLOTS_TABLE_H
#define NSLAB_PLOTS_TABLE_H

#include "plots/figure.h"

/* 0, -EINVAL with the line, or -errno; the figure is to be cleared in any case. */
int nslab_table_figure(const char *path, struct nslab_figure *figure, struct nslab_err *err);

#endif
