/* SPDX-License-Identifier: GPL-2.0-only */
/* import.h: results of other tools as a run of ours, to be compared as unpaired samples. */
#ifndef NSLAB_IMPORT_RUN_H
#define NSLAB_IMPORT_RUN_H

#include "core/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define NSLAB_IMPORT_BYTES_MAX (256u << 20)

/* One repetition of one benchmark. */
struct nslab_import_trial {
	size_t cell;
	int block;	  /* repetition, counted within the cell */
	double ns_per_op; /* NaN for one that failed */
	const char *taint;
};

struct nslab_import_cell {
	const char *name;
	const char *family, *arm; /* what numaslab's export says, or NULL */
	int threads;
	int nr_trials;
};

/* Texts live as long as the import. */
struct nslab_import {
	json_t *root, *names;
	const char *family; /* the program, or NULL */
	const char *date, *host_name, *cpu_model, *kernel, *statistic;
	int nr_pus;
	bool is_simulated;
	size_t nr_cells, nr_trials;
	struct nslab_import_cell *cells;
	struct nslab_import_trial *trials;
};

/*
 * Google Benchmark's JSON. Repetitions become trials, aggregates are skipped. -EINVAL with a line
 * that says what is wrong; name: of the file, for that line.
 */
int nslab_import_gbench(const char *text, size_t nr_bytes, const char *name,
			struct nslab_import *import, struct nslab_err *err);
void nslab_import_exit(struct nslab_import *import);

/* Writes a run. host_name NULL: the file's own. */
int nslab_import_store(const struct nslab_import *import, const char *host_name, const char *path,
		       struct nslab_err *err);

#endif
