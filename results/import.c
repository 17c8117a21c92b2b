/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * import.c: what was read of another tool becomes a run in a file.
 *
 * Nothing is written before the whole source was read and checked, and then in one transaction, so
 * that ten thousand repetitions cost one write to the disk and none is there alone. The plan of the
 * run says that it was imported and from what, which is how a comparison knows that its trials have
 * no blocks in common with anybody's. Left out: windows, which no other tool keeps.
 */
#include "results/import.h"
#include "results/store.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int import_add_cells(const struct nslab_import *import, struct nslab_store *store,
			    int64_t *ids, struct nslab_err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < import->nr_cells; i++) {
		const struct nslab_import_cell *cell = &import->cells[i];
		const char *family = cell->family ? cell->family : import->family;
		const struct nslab_cell_record record = {
			.key = cell->name,
			.family = family ? family : "benchmarks",
			.arm = cell->arm ? cell->arm : cell->name,
			.threads = cell->threads,
		};

		rc = nslab_store_add_cell(store, &record, &ids[i], err);
	}
	return rc;
}

static int import_add_trials(const struct nslab_import *import, struct nslab_store *store,
			     const int64_t *ids, struct nslab_err *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < import->nr_trials; i++) {
		const struct nslab_import_trial *trial = &import->trials[i];
		const struct nslab_trial_record record = {
			.cell = ids[trial->cell],
			.block = trial->block,
			.is_valid = !trial->taint,
			.taint = trial->taint,
			.ns_per_op = trial->ns_per_op,
			.page_hit_rate = NAN,
			.rss_bytes = NSLAB_BYTES_UNKNOWN,
			.held_bytes = NSLAB_BYTES_UNKNOWN,
		};

		rc = nslab_store_add_trial(store, &record, err);
	}
	return rc;
}

int nslab_import_store(const struct nslab_import *import, const char *host_name, const char *path,
		       struct nslab_err *err)
{
	const struct nslab_run_record run = {
		.name = "import",
		.label = "imported from Google Benchmark",
		.host_name = host_name ? host_name : import->host_name,
		.cpu_model = import->cpu_model,
		.kernel = import->kernel,
		.nr_pus = import->nr_pus,
		.is_simulated = import->is_simulated,
		.plan_json = "{\"imported\":\"google-benchmark\"}",
		.statistic = import->statistic,
		.started = import->date,
		.nr_trials_planned = (int64_t)import->nr_trials,
	};
	int64_t *ids = calloc(import->nr_cells + 1, sizeof(*ids));
	struct nslab_store *store;
	int rc = ids ? nslab_store_create(path, &run, &store, err)
		     : nslab_fail(err, -ENOMEM, "cannot write '%.200s': out of memory", path);

	if (rc)
		goto out;
	rc = nslab_store_bulk(store, err);
	if (!rc)
		rc = import_add_cells(import, store, ids, err);
	if (!rc)
		rc = import_add_trials(import, store, ids, err);
	if (!rc)
		rc = nslab_store_finish(store, "done", NAN, NULL, err);
	nslab_store_close(store);
out:
	free(ids);
	return rc;
}
