/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare_data.c: a comparison for programs: one JSON object, or CSV.
 *
 * Both carry every figure of every row in the order of the list of cells, with null or an empty
 * field for what does not exist: a cell without trials, an interval below six blocks, Holm's p of a
 * cell that is not primary. Text from the file is escaped for the format it goes to. Left out: raw
 * trials, which the exports have.
 */
#include "results/compare.h"
#include "results/encode.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* NULL when the cell has its values. */
static const char *data_cause(const struct nslab_cell_values *cell)
{
	if (cell->nr)
		return NULL;
	return cell->cell.skipped ? cell->cell.skipped : cell->cause;
}

static const char *const data_modes[] = {
	[NSLAB_COMPARE_ARMS] = "arms",
	[NSLAB_COMPARE_TIMES] = "times",
	[NSLAB_COMPARE_RATIOS] = "ratios",
	[NSLAB_COMPARE_UNPAIRED] = "unpaired",
};

static json_t *data_run(const struct nslab_run_file *file)
{
	const struct nslab_run_record *run = &file->run;

	return json_pack(
		"{so so so so so so so so sb so so sI sI}", "path", nslab_json_text(file->path),
		"uuid", nslab_json_text(run->uuid), "name", nslab_json_text(run->name), "label",
		nslab_json_text(run->label), "host_name", nslab_json_text(run->host_name),
		"cpu_model", nslab_json_text(run->cpu_model), "kernel",
		nslab_json_text(run->kernel), "statistic", nslab_json_text(run->statistic),
		"is_simulated", run->is_simulated, "placement_unavailable",
		nslab_json_text(run->placement_unavailable), "status",
		nslab_json_text(file->status), "nr_trials", (json_int_t)file->list->nr_trials,
		"nr_trials_planned", (json_int_t)run->nr_trials_planned);
}

static json_t *data_row(const struct nslab_contrast *row)
{
	const struct nslab_cell_record *cell = &row->cell->cell;

	return json_pack("{so so so sb sb so so so sI sI sI so so so so sb sb so so so ss so}",
			 "key", nslab_json_text(cell->key), "family", nslab_json_text(cell->family),
			 "arm", nslab_json_text(cell->arm), "is_baseline",
			 cell->is_baseline && !cell->is_twin, "is_twin", cell->is_twin, "base",
			 nslab_json_text(row->base ? row->base->cell.key : NULL), "base_value",
			 nslab_json_real(row->base_value), "value",
			 nslab_json_real(row->cell_value), "nr_trials", (json_int_t)row->cell->nr,
			 "nr_base_trials", (json_int_t)(row->base ? row->base->nr : 0), "n",
			 (json_int_t)row->paired.n, "ratio", nslab_json_real(row->ratio), "lo",
			 nslab_json_real(row->lo), "hi", nslab_json_real(row->hi), "p",
			 nslab_json_real(row->paired.p), "is_approximate", row->is_approximate,
			 "is_primary", row->is_primary, "p_holm", nslab_json_real(row->p_holm), "q",
			 nslab_json_real(row->q), "mde", nslab_json_real(expm1(row->paired.mde)),
			 "verdict", row->paired.n ? nslab_verdict_word(row->verdict) : "none",
			 "cause", nslab_json_text(data_cause(row->cell)));
}

int nslab_comparison_json(const struct nslab_comparison *comparison, FILE *out)
{
	bool is_two = comparison->mode != NSLAB_COMPARE_ARMS;
	json_t *rows = json_array();
	json_t *root;
	char sentence[1024];
	int rc = 0;

	nslab_comparison_sentence(comparison, sentence, sizeof(sentence));
	for (size_t i = 0; rows && i < comparison->list->nr; i++)
		rc |= json_array_append_new(rows, data_row(&comparison->rows[i]));
	root = json_pack(
		"{so ss so so sf sf so sI sI sI sI so}", "sentence", nslab_json_text(sentence),
		"mode", data_modes[comparison->mode], "a", data_run(comparison->a), "b",
		is_two ? data_run(comparison->b) : json_null(), "confidence", NSLAB_CONFIDENCE,
		"margin", NSLAB_MARGIN, "note", nslab_json_text(is_two ? comparison->note : NULL),
		"nr_only_a", (json_int_t)comparison->nr_only_a, "nr_only_b",
		(json_int_t)comparison->nr_only_b, "nr_tested", (json_int_t)comparison->nr_tested,
		"nr_primary", (json_int_t)comparison->nr_primary, "rows", rows);
	if (!root || rc)
		rc = -ENOMEM;
	else if (json_dumpf(root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) ||
		 fputc('\n', out) == EOF)
		rc = -EIO;
	json_decref(root);
	return rc;
}

static void data_csv_row(const struct nslab_comparison *comparison,
			 const struct nslab_contrast *row, FILE *out)
{
	const struct nslab_cell_record *cell = &row->cell->cell;
	const double values[] = {row->base_value, row->cell_value, row->ratio,
				 row->lo,	  row->hi,	   row->paired.p,
				 row->p_holm,	  row->q,	   expm1(row->paired.mde)};

	nslab_csv_text(out, cell->family, ',');
	nslab_csv_text(out, cell->arm, ',');
	nslab_csv_text(out, cell->key, ',');
	nslab_csv_text(out, data_modes[comparison->mode], ',');
	nslab_csv_text(out, row->base ? row->base->cell.key : NULL, ',');
	fprintf(out, "%d,%d,%zu,%zu,", cell->is_twin, row->is_primary, row->cell->nr,
		row->paired.n);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		nslab_csv_real(out, values[i], ',');
	nslab_csv_text(out, row->paired.n ? nslab_verdict_word(row->verdict) : "none", ',');
	nslab_csv_text(out, data_cause(row->cell), '\n');
}

int nslab_comparison_csv(const struct nslab_comparison *comparison, FILE *out)
{
	fputs("family,arm,key,mode,base,is_twin,is_primary,nr_trials,n,base_value,value,ratio,lo,"
	      "hi,p,p_holm,q,mde,verdict,cause\n",
	      out);
	for (size_t i = 0; i < comparison->list->nr; i++)
		data_csv_row(comparison, &comparison->rows[i], out);
	return ferror(out) ? -EIO : 0;
}
