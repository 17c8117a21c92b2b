/* SPDX-License-Identifier: GPL-2.0-only */
/* export.h: a whole run for other programs. */
#ifndef NSLAB_EXPORT_RUN_H
#define NSLAB_EXPORT_RUN_H

#include "results/store.h"

#include <stdio.h>

/*
 * Tidy CSV with a header line: one row for each window, with everything that defines its trial and
 * cell. A trial without windows (it crashed, say) has one row whose window fields are empty.
 */
int nslab_export_csv(struct nslab_run_file *file, FILE *out, struct nslab_err *err);

/*
 * {"schema", "run": {..}, "cells": [{.., "trials": [{.., "windows", "counters", "caches"}]}],
 * "invalidated": [..], "disturbed": [..], "families": [..]}, the last three as in export_impl.h.
 */
int nslab_export_json(struct nslab_run_file *file, FILE *out, struct nslab_err *err);

/* Google Benchmark's JSON, one entry for each trial that counts. */
int nslab_export_gbench(struct nslab_run_file *file, FILE *out, struct nslab_err *err);

/* OpenMetrics text, for a monitor: medians, intervals, ratios; ends with "# EOF". */
int nslab_export_openmetrics(struct nslab_run_file *file, FILE *out, struct nslab_err *err);

/* "Type:KEY Per elem: N cycles(tsc) N.NNN ns (step:0)" for each cell; adds counters to the list. */
int nslab_export_slab_test(struct nslab_run_file *file, FILE *out, struct nslab_err *err);

#endif
