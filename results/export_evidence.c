/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * export_evidence.c: what a reviewer of a run asks first, as members of its JSON.
 *
 * Three arrays, all derived when they are written and none of them stored: the trials that do not
 * count, each with its cause; those that were disturbed and count all the same; and for each family
 * what no difference looked like (A against A'), and the smallest difference that each arm's trials
 * could have shown with 80 % power. Whatever could not be computed is null, as everywhere.
 */
#include "results/compare.h"
#include "results/encode.h"
#include "results/export_impl.h"
#include "results/store_impl.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct evidence {
	struct nslab_run_file *file;
	FILE *out;
	struct nslab_err *err;
	struct nslab_contrast *rows; /* parallel to the cells */
	size_t *order;
};

/* Writes the object as a line of an array and releases it. */
static int evidence_line(struct evidence *e, size_t nr, json_t *object)
{
	int rc = 0;

	fputs(nr ? ",\n" : "\n", e->out);
	if (!object)
		rc = nslab_fail(e->err, -ENOMEM, "cannot write the export: out of memory");
	else if (json_dumpf(object, e->out, JSON_COMPACT))
		rc = nslab_fail(e->err, -EIO, "cannot write the export: %s", strerror(errno));
	json_decref(object);
	return rc;
}

/* Trials with a cause, those that count or those that do not. */
static int evidence_trials(struct evidence *e, const char *name, bool is_valid)
{
	struct nslab_store *store = e->file->store;
	sqlite3_stmt *row;
	size_t nr = 0;
	int rc =
		nslab_store_prepare(store,
				    "SELECT cell.key, block, attempt, taint FROM trial JOIN cell ON"
				    " cell.id = trial.cell WHERE is_valid = ?1 AND"
				    " (taint IS NOT NULL OR NOT ?1) ORDER BY trial.id",
				    &row, e->err);

	if (rc)
		return rc;
	sqlite3_bind_int(row, 1, is_valid);
	fprintf(e->out, ",\n\"%s\":[", name);
	while ((rc = nslab_store_step(store, row, e->err)) > 0) {
		json_t *cell = nslab_json_text((const char *)sqlite3_column_text(row, 0));
		json_t *cause = nslab_json_text((const char *)sqlite3_column_text(row, 3));

		rc = evidence_line(e, nr++,
				   json_pack("{s:o, s:i, s:i, s:o}", "cell", cell, "block",
					     sqlite3_column_int(row, 1), "attempt",
					     sqlite3_column_int(row, 2), "cause", cause));
		if (rc)
			break;
	}
	fputs("]", e->out);
	sqlite3_finalize(row);
	return rc;
}

static bool evidence_is_tested(const struct nslab_contrast *row)
{
	return row->base && row->base != row->cell && row->paired.n;
}

static json_t *evidence_twin(const struct nslab_contrast *row)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:o, s:s}", "n", (json_int_t)row->paired.n, "ratio",
			 nslab_json_real(row->ratio), "lo", nslab_json_real(row->lo), "hi",
			 nslab_json_real(row->hi), "p", nslab_json_real(row->paired.p), "verdict",
			 nslab_verdict_word(row->verdict));
}

static json_t *evidence_arm(const struct nslab_contrast *row)
{
	return json_pack("{s:o, s:I, s:o}", "arm", nslab_json_text(row->cell->cell.arm), "n",
			 (json_int_t)row->paired.n, "mde", nslab_json_real(expm1(row->paired.mde)));
}

/* The family whose first cell is at order[from]; *next is where the following one begins. */
static json_t *evidence_family(const struct evidence *e, size_t from, size_t *next)
{
	const struct nslab_cell_list *list = e->file->list;
	const char *name = list->cells[e->order[from]].cell.family;
	json_t *arms = json_array(), *twin = json_null();
	double worst = NAN;
	size_t i;

	for (i = from; i < list->nr && !strcmp(list->cells[e->order[i]].cell.family, name); i++) {
		const struct nslab_contrast *row = &e->rows[e->order[i]];

		if (!evidence_is_tested(row))
			continue;
		if (row->cell->cell.is_twin) {
			json_decref(twin);
			twin = evidence_twin(row);
			continue;
		}
		worst = fmax(worst, expm1(row->paired.mde));
		json_array_append_new(arms, evidence_arm(row));
	}
	*next = i;
	return json_pack("{s:o, s:o, s:o, s:o}", "family", nslab_json_text(name), "aa", twin, "mde",
			 nslab_json_real(worst), "arms", arms);
}

static int evidence_families(struct evidence *e)
{
	size_t nr = 0;
	int rc = 0;

	fputs(",\n\"families\":[", e->out);
	for (size_t i = 0; !rc && i < e->file->list->nr;)
		rc = evidence_line(e, nr++, evidence_family(e, i, &i));
	fputs("]", e->out);
	return rc;
}

int nslab_export_evidence(struct nslab_run_file *file, FILE *out, struct nslab_err *err)
{
	struct evidence e = {.file = file, .out = out, .err = err};
	int rc = nslab_compare_arms(file->list, &e.rows, err);

	e.order = rc ? NULL : nslab_family_order(file->list);
	if (!rc && !e.order)
		rc = nslab_fail(err, -ENOMEM, "cannot write the export: out of memory");
	if (!rc)
		rc = evidence_trials(&e, "invalidated", false);
	if (!rc)
		rc = evidence_trials(&e, "disturbed", true);
	if (!rc)
		rc = evidence_families(&e);
	free(e.order);
	free(e.rows);
	return rc;
}
