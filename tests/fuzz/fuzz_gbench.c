/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_gbench.c: libFuzzer feeds any bytes as the JSON of Google Benchmark.
 *
 * What is accepted must be sound: trials belong to cells that exist, are counted there, and have a
 * time above 0 or a reason. The comparison that a user would make next gets the same times. What is
 * refused must say why in one line. Left out: the file that is written, which the store's own tests
 * cover.
 */
#include "results/import.h"
#include "results/stats.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

static void fuzz_require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "an import was accepted that %s\n", what);
	abort();
}

static void fuzz_check(const struct nslab_import *import)
{
	size_t nr_counted = 0;

	for (size_t i = 0; i < import->nr_cells; i++)
		nr_counted += (size_t)import->cells[i].nr_trials;
	fuzz_require(nr_counted == import->nr_trials && nr_counted > 0, "miscounts its trials");
	for (size_t i = 0; i < import->nr_trials; i++) {
		const struct nslab_import_trial *trial = &import->trials[i];

		fuzz_require(trial->cell < import->nr_cells, "has a trial of no cell");
		fuzz_require(trial->block < import->cells[trial->cell].nr_trials,
			     "has a trial out of its cell");
		fuzz_require(trial->taint || trial->ns_per_op > 0.0, "has a trial without a time");
	}
}

static void fuzz_compare(const struct nslab_import *import)
{
	size_t nr = import->nr_trials < 64 ? import->nr_trials : 64;
	struct nslab_unpaired result;
	double logs[64];

	for (size_t i = 0; i < nr; i++)
		logs[i] = import->trials[i].taint ? 0.0 : log(import->trials[i].ns_per_op);
	fuzz_require(
		!nslab_unpaired_compare(logs, nr / 2, logs + nr / 2, nr - nr / 2, 0.95, &result),
		"cannot be compared");
	fuzz_require(isnan(result.p) || (result.p >= 0.0 && result.p <= 1.0), "has no p");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
	struct nslab_import import;
	struct nslab_err err = {""};

	if (nslab_import_gbench((const char *)data, nr_bytes, "fuzz", &import, &err)) {
		if (!err.text[0] || strchr(err.text, '\n'))
			abort();
		return 0;
	}
	fuzz_check(&import);
	fuzz_compare(&import);
	nslab_import_exit(&import);
	return 0;
}
