/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workers.c: how many workers of each cell do operations that count.
 *
 * ns per operation is stored per worker, and not every thread of a cell has to do counted
 * operations (a consumer undoes a producer's), so a rate of the whole cell needs their number. It
 * is read from the windows of the cell's valid trials in one query that is ordered like the list.
 * Where trials disagree the largest number is taken: a window may be missing, never invented.
 */
#include "results/store_impl.h"

#include <string.h>

static const char workers_sql[] =
	"SELECT cell, max(nr) FROM (SELECT t.cell AS cell, count(DISTINCT w.worker) AS nr"
	" FROM trial t JOIN trial_window w ON w.trial = t.id"
	" WHERE t.is_valid AND w.is_counted GROUP BY t.id) GROUP BY cell ORDER BY cell";

int nslab_store_counted_workers(struct nslab_store *store, const struct nslab_cell_list *list,
				int *nr_workers, struct nslab_err *err)
{
	sqlite3_stmt *statement = NULL;
	size_t at = 0;
	int rc = nslab_store_prepare(store, workers_sql, &statement, err);

	if (rc)
		return rc;
	memset(nr_workers, 0, list->nr * sizeof(*nr_workers));
	while ((rc = nslab_store_step(store, statement, err)) > 0) {
		int64_t id = sqlite3_column_int64(statement, 0);

		while (at < list->nr && list->cells[at].id < id)
			at++;
		if (at < list->nr && list->cells[at].id == id)
			nr_workers[at] = sqlite3_column_int(statement, 1);
	}
	sqlite3_finalize(statement);
	return rc;
}
