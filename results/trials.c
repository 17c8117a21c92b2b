/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trials.c: trials one by one, and what their taints say about the host.
 *
 * A run that goes on after it was killed walks over what there is and takes it from there. The
 * table tells how often the host disturbed trials; both rest on the taint of a trial, whose first
 * words say whether the host or the trial itself is to blame. Taints come from a file and may be
 * anything: what begins with no mark is the trial's own.
 */
#include "results/trials.h"
#include "results/store_impl.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool nslab_taint_is_noise(const char *taint)
{
	return taint && (!strncmp(taint, NSLAB_TAINT_NOISE, strlen(NSLAB_TAINT_NOISE)) ||
			 !strncmp(taint, NSLAB_TAINT_RERUN, strlen(NSLAB_TAINT_RERUN)));
}

int nslab_store_each_trial(struct nslab_store *store,
			   int (*each)(void *context, const struct nslab_finished_trial *trial),
			   void *context, struct nslab_err *err)
{
	sqlite3_stmt *row;
	int rc = nslab_store_prepare(store,
				     "SELECT cell, block, attempt, is_valid, taint, ns_per_op,"
				     " wall_ns FROM trial ORDER BY id",
				     &row, err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(store, row, err)) > 0) {
		const struct nslab_finished_trial trial = {
			.cell = sqlite3_column_int64(row, 0),
			.block = sqlite3_column_int(row, 1),
			.attempt = sqlite3_column_int(row, 2),
			.is_valid = sqlite3_column_int(row, 3),
			.taint = (const char *)sqlite3_column_text(row, 4),
			.ns_per_op = sqlite3_column_type(row, 5) == SQLITE_NULL
					     ? NAN
					     : sqlite3_column_double(row, 5),
			.wall_ns = (uint64_t)sqlite3_column_int64(row, 6),
		};

		rc = each(context, &trial);
		if (rc)
			break;
	}
	sqlite3_finalize(row);
	return rc;
}

/* The one number that the query gives. */
static int trials_count(struct nslab_store *store, const char *sql, size_t *nr,
			struct nslab_err *err)
{
	sqlite3_stmt *row;
	int rc = nslab_store_prepare(store, sql, &row, err);

	if (rc)
		return rc;
	rc = nslab_store_step(store, row, err);
	if (rc > 0)
		*nr = (size_t)sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return rc < 0 ? rc : 0;
}

/* "run delay 4, steal 1", most frequent first. */
static int trials_causes(struct nslab_store *store, char *text, size_t bytes, struct nslab_err *err)
{
	sqlite3_stmt *row;
	size_t len = 0;
	int rc = nslab_store_prepare(
		store,
		"SELECT substr(rest, 1, instr(rest, ':') - 1) AS cause, count(*) AS nr FROM"
		" (SELECT substr(taint, 8) AS rest FROM trial WHERE taint LIKE 'noise: %:%')"
		" GROUP BY cause ORDER BY nr DESC, cause",
		&row, err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(store, row, err)) > 0 && len < bytes)
		len += (size_t)snprintf(text + len, bytes - len, "%s%.40s %lld", len ? ", " : "",
					(const char *)sqlite3_column_text(row, 0),
					(long long)sqlite3_column_int64(row, 1));
	sqlite3_finalize(row);
	return rc < 0 ? rc : 0;
}

int nslab_store_noise(struct nslab_store *store, struct nslab_texts *texts,
		      struct nslab_noise_summary *noise, struct nslab_err *err)
{
	char causes[512] = "";
	int rc = trials_count(store,
			      "SELECT count(*) FROM (SELECT DISTINCT family, block, attempt FROM"
			      " trial JOIN cell ON cell.id = trial.cell WHERE attempt > 0)",
			      &noise->nr_reruns, err);

	if (!rc)
		rc = trials_count(store,
				  "SELECT count(*) FROM trial WHERE is_valid AND"
				  " taint LIKE 'noise: %'",
				  &noise->nr_kept, err);
	if (!rc)
		rc = trials_causes(store, causes, sizeof(causes), err);
	if (rc || !*causes)
		return rc;
	noise->causes = nslab_texts_keep(texts, causes, strlen(causes));
	return noise->causes ? 0 : nslab_fail(err, -ENOMEM, "out of memory");
}
