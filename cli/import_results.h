/* SPDX-License-Identifier: GPL-2.0-only */
/* import_results.h: the half of `numaslab import` that reads results instead of traces. */
#ifndef NSLAB_IMPORT_RESULTS_H
#define NSLAB_IMPORT_RESULTS_H

#include <stdbool.h>

/* A regular file whose first words are the beginning of a JSON object; a trace never is one. */
bool nslab_is_json_file(const char *path);

/* Google Benchmark's JSON at path becomes the run at output. An exit status. */
int nslab_import_results(const char *path, const char *output, const char *host_name);

#endif
