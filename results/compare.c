/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compare.c: which pairs of cells may be held against each other, and with what outcome.
 *
 * Inside a run an arm and its baseline ran in the same blocks, so each block gives one log ratio
 * that the machine's slow changes do not touch. Two runs of one machine have no common blocks:
 * they are paired by block number, which is a fair pairing but cancels nothing, and the note says
 * so. Two machines have nothing in common but the question, so only ratios to a baseline that both
 * measured are compared.
 *
 * A run that was imported from another tool has no blocks: its trials are an unpaired sample. That
 * costs power, but the machine must be the same all the same.
 *
 * Invariants: only blocks that both sides have count; no value is dropped for its size; a verdict
 * is never given without an interval. Left out: many cells at once, which is
 * compare_judge.c, and pooling of more than two runs.
 */
#define _GNU_SOURCE
#include "results/compare.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Logarithms of a cell's values by block, ascending. */
struct compare_series {
	size_t nr;
	int *blocks;
	double *logs;
};

static void series_free(struct compare_series *series)
{
	free(series->blocks);
	free(series->logs);
	*series = (struct compare_series){0};
}

static int series_alloc(struct compare_series *series, size_t nr)
{
	series->nr = 0;
	series->blocks = calloc(nr + 1, sizeof(*series->blocks));
	series->logs = calloc(nr + 1, sizeof(*series->logs));
	if (series->blocks && series->logs)
		return 0;
	series_free(series);
	return -ENOMEM;
}

static int series_of(const struct nslab_cell_values *cell, struct compare_series *series)
{
	int rc = series_alloc(series, cell->nr);

	if (rc)
		return rc;
	for (size_t i = 0; i < cell->nr; i++) {
		series->blocks[i] = cell->blocks[i];
		series->logs[i] = log(cell->ns_per_op[i]);
	}
	series->nr = cell->nr;
	return 0;
}

/* a - b at the blocks that both have. */
static int series_minus(const struct compare_series *a, const struct compare_series *b,
			struct compare_series *result)
{
	size_t i = 0, j = 0;
	int rc = series_alloc(result, a->nr < b->nr ? a->nr : b->nr);

	if (rc)
		return rc;
	while (i < a->nr && j < b->nr) {
		if (a->blocks[i] < b->blocks[j]) {
			i++;
		} else if (a->blocks[i] > b->blocks[j]) {
			j++;
		} else {
			result->blocks[result->nr] = a->blocks[i];
			result->logs[result->nr++] = a->logs[i++] - b->logs[j++];
		}
	}
	return 0;
}

/* Log ratio of two cells of one run at their common blocks. */
static int series_ratio(const struct nslab_cell_values *cell, const struct nslab_cell_values *base,
			struct compare_series *result)
{
	struct compare_series of_cell = {0}, of_base = {0};
	int rc = series_of(cell, &of_cell);

	if (!rc)
		rc = series_of(base, &of_base);
	if (!rc)
		rc = series_minus(&of_cell, &of_base, result);
	series_free(&of_cell);
	series_free(&of_base);
	return rc;
}

static void contrast_init(struct nslab_contrast *row, const struct nslab_cell_values *base,
			  const struct nslab_cell_values *cell)
{
	*row = (struct nslab_contrast){
		.base = base,
		.cell = cell,
		.base_value = base ? nslab_median(base->ns_per_op, base->nr) : NAN,
		.cell_value = nslab_median(cell->ns_per_op, cell->nr),
		.paired = {0, NAN, NAN, NAN, NAN, NAN},
		.ratio = NAN,
		.lo = NAN,
		.hi = NAN,
		.verdict = NSLAB_INCONCLUSIVE,
		.p_holm = NAN,
		.q = NAN,
	};
}

static void contrast_finish(struct nslab_contrast *row)
{
	row->ratio = exp(row->paired.estimate);
	row->lo = exp(row->paired.lo);
	row->hi = exp(row->paired.hi);
	row->verdict = nslab_verdict(&row->paired, log1p(NSLAB_MARGIN));
}

static int contrast_fill(struct nslab_rank_cache *cache, struct nslab_contrast *row,
			 const struct compare_series *differences)
{
	int rc = nslab_paired_compare_with(cache, differences->logs, differences->nr,
					   NSLAB_CONFIDENCE, &row->paired);

	if (!rc)
		contrast_finish(row);
	return rc;
}

static int contrast_fill_unpaired(struct nslab_rank_cache *cache, struct nslab_contrast *row,
				  const struct compare_series *a, const struct compare_series *b)
{
	struct nslab_unpaired u;
	int rc = nslab_unpaired_compare_with(cache, a->logs, a->nr, b->logs, b->nr,
					     NSLAB_CONFIDENCE, &u);

	if (rc)
		return rc;
	row->paired = (struct nslab_paired){
		u.nr_a < u.nr_b ? u.nr_a : u.nr_b, u.estimate, u.lo, u.hi, u.p, u.mde};
	row->is_approximate = !u.is_exact;
	contrast_finish(row);
	return 0;
}

const char *nslab_contrast_word(const struct nslab_contrast *contrast)
{
	if (!contrast->paired.n)
		return "-";
	switch (contrast->verdict) {
	case NSLAB_CHANGED:
		return contrast->paired.lo > 0.0 ? "slower" : "faster";
	case NSLAB_EQUIVALENT:
		return "same";
	case NSLAB_INCONCLUSIVE:
		break;
	}
	return "unclear";
}

/* ---- finding cells by family and by key ---- */

typedef const char *(*compare_name_fn)(const struct nslab_cell_values *cell);

static const char *compare_family(const struct nslab_cell_values *cell)
{
	return cell->cell.family;
}

static const char *compare_key(const struct nslab_cell_values *cell)
{
	return cell->cell.key;
}

/* Cells sorted by a name, then by their position in the list. */
struct compare_index {
	size_t nr;
	const struct nslab_cell_values **cells;
	compare_name_fn name;
};

static int index_order(const void *a, const void *b, void *context)
{
	const struct nslab_cell_values *x = *(const struct nslab_cell_values *const *)a;
	const struct nslab_cell_values *y = *(const struct nslab_cell_values *const *)b;
	compare_name_fn name = *(compare_name_fn *)context;
	int order = strcmp(name(x), name(y));

	return order ? order : (x > y) - (x < y);
}

/* only_baselines: cells marked as baseline A. */
static int index_build(const struct nslab_cell_list *list, compare_name_fn name,
		       bool only_baselines, struct compare_index *index)
{
	index->nr = 0;
	index->name = name;
	index->cells = calloc(list->nr + 1, sizeof(struct nslab_cell_values *));
	if (!index->cells)
		return -ENOMEM;
	for (size_t i = 0; i < list->nr; i++) {
		const struct nslab_cell_record *cell = &list->cells[i].cell;

		if (!only_baselines || (cell->is_baseline && !cell->is_twin))
			index->cells[index->nr++] = &list->cells[i];
	}
	qsort_r(index->cells, index->nr, sizeof(struct nslab_cell_values *), index_order,
		&index->name);
	return 0;
}

/* The first cell of that name, or NULL. */
static const struct nslab_cell_values *index_find(const struct compare_index *index,
						  const char *name)
{
	size_t lo = 0, hi = index->nr;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (strcmp(index->name(index->cells[middle]), name) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	if (lo == index->nr || strcmp(index->name(index->cells[lo]), name))
		return NULL;
	return index->cells[lo];
}

/* Place of a cell in a report. */
struct compare_place {
	size_t family; /* position of the family's first cell */
	int rank;      /* 0 baseline, 1 its twin, 2 an arm */
	size_t at;
};

static int place_order(const void *a, const void *b)
{
	const struct compare_place *x = a, *y = b;

	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank - y->rank;
	return x->at < y->at ? -1 : 1;
}

size_t *nslab_family_order(const struct nslab_cell_list *list)
{
	struct compare_place *places = calloc(list->nr + 1, sizeof(*places));
	size_t *order = calloc(list->nr + 1, sizeof(*order));
	struct compare_index families = {0};

	if (!places || !order || index_build(list, compare_family, false, &families)) {
		free(order);
		order = NULL;
		goto out;
	}
	for (size_t i = 0; i < list->nr; i++) {
		const struct nslab_cell_record *cell = &list->cells[i].cell;

		places[i].family = (size_t)(index_find(&families, cell->family) - list->cells);
		places[i].rank = cell->is_twin ? 1 : cell->is_baseline ? 0 : 2;
		places[i].at = i;
	}
	qsort(places, list->nr, sizeof(*places), place_order);
	for (size_t i = 0; i < list->nr; i++)
		order[i] = places[i].at;
out:
	free(families.cells);
	free(places);
	return order;
}

/* ---- one run ---- */

static int compare_arm(struct nslab_rank_cache *cache, const struct compare_index *baselines,
		       const struct nslab_cell_values *cell, struct nslab_contrast *row)
{
	const struct nslab_cell_values *base = index_find(baselines, cell->cell.family);
	struct compare_series ratio = {0};
	int rc;

	contrast_init(row, base, cell);
	if (!base || base == cell)
		return 0;
	rc = series_ratio(cell, base, &ratio);
	if (!rc)
		rc = contrast_fill(cache, row, &ratio);
	series_free(&ratio);
	return rc;
}

int nslab_compare_arms(const struct nslab_cell_list *list, struct nslab_contrast **result,
		       struct nslab_err *err)
{
	struct nslab_contrast *rows = calloc(list->nr + 1, sizeof(*rows));
	struct nslab_rank_cache *cache = nslab_rank_cache_create();
	struct compare_index baselines = {0};
	int rc = rows && cache ? index_build(list, compare_family, true, &baselines) : -ENOMEM;

	for (size_t i = 0; !rc && i < list->nr; i++)
		rc = compare_arm(cache, &baselines, &list->cells[i], &rows[i]);
	nslab_rank_cache_free(cache);
	free(baselines.cells);
	if (rc) {
		free(rows);
		return nslab_fail(err, rc, "cannot compare: %s", strerror(-rc));
	}
	*result = rows;
	return 0;
}

int nslab_compare_one(const struct nslab_run_file *run, struct nslab_comparison *comparison,
		      struct nslab_err *err)
{
	int rc;

	*comparison = (struct nslab_comparison){
		.mode = NSLAB_COMPARE_ARMS,
		.a = run,
		.b = run,
		.list = run->list,
	};
	rc = nslab_compare_arms(run->list, &comparison->rows, err);

	if (!rc)
		rc = nslab_comparison_judge(comparison, NULL, err);
	return rc;
}

/* ---- two runs ---- */

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool is_same_host(const struct nslab_run_record *a, const struct nslab_run_record *b)
{
	return is_same_text(a->host_name, b->host_name) &&
	       is_same_text(a->cpu_model, b->cpu_model) && a->nr_pus == b->nr_pus;
}

bool nslab_run_is_imported(const struct nslab_run_record *run)
{
	json_t *plan = run->plan_json ? json_loads(run->plan_json, 0, NULL) : NULL;
	bool is_imported = json_is_string(json_object_get(plan, "imported"));

	json_decref(plan);
	return is_imported;
}

struct compare_pair {
	struct nslab_rank_cache *cache;
	struct compare_index a_cells, a_baselines, b_baselines;
	size_t nr_common, nr_with_baseline;
};

/* Ratios need the same arm as baseline in both runs, and are about every other arm. */
static bool pair_baselines(const struct compare_pair *pair, const struct nslab_cell_values *cell,
			   const struct nslab_cell_values **a_base,
			   const struct nslab_cell_values **b_base)
{
	*a_base = index_find(&pair->a_baselines, cell->cell.family);
	*b_base = index_find(&pair->b_baselines, cell->cell.family);
	return *a_base && *b_base && !strcmp((*a_base)->cell.key, (*b_base)->cell.key) &&
	       cell != *b_base;
}

static int compare_ratio_series(const struct compare_pair *pair,
				const struct nslab_cell_values *a_cell,
				const struct nslab_cell_values *b_cell, struct nslab_contrast *row,
				struct compare_series *a, struct compare_series *b)
{
	const struct nslab_cell_values *a_base, *b_base;
	int rc = 0;

	row->base_value = NAN;
	row->cell_value = NAN;
	if (!pair_baselines(pair, b_cell, &a_base, &b_base))
		return 0;
	rc = series_ratio(a_cell, a_base, a);
	if (!rc)
		rc = series_ratio(b_cell, b_base, b);
	if (rc)
		return rc;
	row->base_value = exp(nslab_median(a->logs, a->nr));
	row->cell_value = exp(nslab_median(b->logs, b->nr));
	return 0;
}

static int compare_cell(struct compare_pair *pair, enum nslab_compare_mode mode,
			const struct nslab_cell_values *cell, struct nslab_contrast *row)
{
	const struct nslab_cell_values *base = index_find(&pair->a_cells, cell->cell.key);
	struct compare_series a = {0}, b = {0}, change = {0};
	int rc = 0;

	contrast_init(row, base, cell);
	if (!base)
		return 0;
	if (mode == NSLAB_COMPARE_RATIOS) {
		rc = compare_ratio_series(pair, base, cell, row, &a, &b);
	} else {
		rc = series_of(base, &a);
		if (!rc)
			rc = series_of(cell, &b);
	}
	if (!rc && mode == NSLAB_COMPARE_UNPAIRED) {
		rc = contrast_fill_unpaired(pair->cache, row, &a, &b);
		goto out;
	}
	if (!rc)
		rc = series_minus(&b, &a, &change);
	if (!rc)
		rc = contrast_fill(pair->cache, row, &change);
out:
	series_free(&a);
	series_free(&b);
	series_free(&change);
	return rc;
}

static int pair_build(struct compare_pair *pair, const struct nslab_cell_list *a,
		      const struct nslab_cell_list *b)
{
	int rc = index_build(a, compare_key, false, &pair->a_cells);

	pair->cache = nslab_rank_cache_create();
	if (!rc && !pair->cache)
		rc = -ENOMEM;
	if (!rc)
		rc = index_build(a, compare_family, true, &pair->a_baselines);
	if (!rc)
		rc = index_build(b, compare_family, true, &pair->b_baselines);
	if (rc)
		return rc;
	for (size_t i = 0; i < b->nr; i++) {
		const struct nslab_cell_values *a_base, *b_base;

		if (!index_find(&pair->a_cells, b->cells[i].cell.key))
			continue;
		pair->nr_common++;
		pair->nr_with_baseline += pair_baselines(pair, &b->cells[i], &a_base, &b_base);
	}
	return 0;
}

static void pair_free(struct compare_pair *pair)
{
	nslab_rank_cache_free(pair->cache);
	free(pair->a_cells.cells);
	free(pair->a_baselines.cells);
	free(pair->b_baselines.cells);
}

static const char *text_or_dash(const char *text)
{
	return text ? text : "-";
}

/* What makes two runs incomparable, whatever they measured. */
static int check_runs(const struct nslab_run_file *a, const struct nslab_run_file *b,
		      bool is_unpaired, struct nslab_err *err)
{
	if (!is_unpaired && !is_same_text(a->run.statistic, b->run.statistic))
		return nslab_fail(err, -EINVAL,
				  "cannot compare '%.300s' with '%.300s': statistic %s against %s",
				  a->path, b->path, text_or_dash(a->run.statistic),
				  text_or_dash(b->run.statistic));
	if (a->run.is_simulated != b->run.is_simulated)
		return nslab_fail(
			err, -EINVAL,
			"cannot compare '%.300s' with '%.300s': only the nodes of '%.300s'"
			" are simulated",
			a->path, b->path, a->run.is_simulated ? a->path : b->path);
	return 0;
}

/* Another tool tells less about its machine; what both tell must agree. */
static int choose_unpaired(struct nslab_comparison *comparison, struct nslab_err *err)
{
	const struct nslab_run_record *a = &comparison->a->run, *b = &comparison->b->run;
	bool is_one_statistic = is_same_text(a->statistic, b->statistic);

	if (!a->host_name || !b->host_name || strcmp(a->host_name, b->host_name) ||
	    a->nr_pus != b->nr_pus ||
	    (a->cpu_model && b->cpu_model && strcmp(a->cpu_model, b->cpu_model)))
		return nslab_fail(err, -EINVAL,
				  "cannot compare '%.300s' with '%.300s': times of different"
				  " machines do not compare (%.60s, %d PUs against %.60s, %d PUs)",
				  comparison->a->path, comparison->b->path,
				  text_or_dash(a->host_name), a->nr_pus, text_or_dash(b->host_name),
				  b->nr_pus);
	comparison->mode = NSLAB_COMPARE_UNPAIRED;
	snprintf(
		comparison->note, sizeof(comparison->note),
		"none: an imported run has no blocks, so trials are two unpaired samples"
		" (Mann-Whitney, median of all differences), and what the machine did in between is"
		" part of the change%s%.20s%s%.20s",
		is_one_statistic ? "" : "; a trial of A is told by its ",
		is_one_statistic ? "" : text_or_dash(a->statistic),
		is_one_statistic ? "" : ", one of B by its ",
		is_one_statistic ? "" : text_or_dash(b->statistic));
	return 0;
}

static int choose_mode(const struct compare_pair *pair, bool want_ratios,
		       struct nslab_comparison *comparison, struct nslab_err *err)
{
	const struct nslab_run_record *a = &comparison->a->run, *b = &comparison->b->run;
	bool is_one_host = is_same_host(a, b);

	if (!pair->nr_common)
		return nslab_fail(err, -EINVAL,
				  "cannot compare '%.400s' with '%.400s': no cell is in both",
				  comparison->a->path, comparison->b->path);
	if (nslab_run_is_imported(a) || nslab_run_is_imported(b))
		return choose_unpaired(comparison, err);
	if (is_one_host && !want_ratios) {
		comparison->mode = NSLAB_COMPARE_TIMES;
		snprintf(comparison->note, sizeof(comparison->note),
			 "blocks of the two runs are paired by number; they did not run side by"
			 " side, so what the machine did in between is part of the change%s",
			 is_same_text(a->kernel, b->kernel) ? "" : "; the kernels differ");
		return 0;
	}
	if (!pair->nr_with_baseline)
		return nslab_fail(err, -EINVAL,
				  "cannot compare '%.300s' with '%.300s': %s no arm of theirs has"
				  " the same baseline in both",
				  comparison->a->path, comparison->b->path,
				  is_one_host ? ""
					      : "times of different machines do not compare, and");
	comparison->mode = NSLAB_COMPARE_RATIOS;
	snprintf(comparison->note, sizeof(comparison->note),
		 "%sratios to each run's own baseline are compared, paired by block number",
		 is_one_host ? "" : "the machines differ, so times do not compare: ");
	return 0;
}

int nslab_compare_two(const struct nslab_run_file *a, const struct nslab_run_file *b,
		      bool want_ratios, struct nslab_comparison *comparison, struct nslab_err *err)
{
	bool is_unpaired = nslab_run_is_imported(&a->run) || nslab_run_is_imported(&b->run);
	struct compare_pair pair = {0};
	int rc = check_runs(a, b, is_unpaired, err);

	*comparison = (struct nslab_comparison){.a = a, .b = b, .list = b->list};
	if (rc)
		return rc;
	comparison->rows = calloc(b->list->nr + 1, sizeof(*comparison->rows));
	rc = comparison->rows ? pair_build(&pair, a->list, b->list) : -ENOMEM;
	if (rc) {
		nslab_fail(err, rc, "cannot compare: %s", strerror(-rc));
		goto out;
	}
	rc = choose_mode(&pair, want_ratios, comparison, err);
	if (rc)
		goto out;
	for (size_t i = 0; !rc && i < b->list->nr; i++)
		rc = compare_cell(&pair, comparison->mode, &b->list->cells[i],
				  &comparison->rows[i]);
	comparison->nr_only_a = a->list->nr - pair.nr_common;
	comparison->nr_only_b = b->list->nr - pair.nr_common;
	if (rc)
		nslab_fail(err, rc, "cannot compare: %s", strerror(-rc));
	else
		rc = nslab_comparison_judge(comparison, NULL, err);
out:
	pair_free(&pair);
	if (rc)
		nslab_comparison_exit(comparison);
	return rc;
}

void nslab_comparison_exit(struct nslab_comparison *comparison)
{
	free(comparison->rows);
	comparison->rows = NULL;
}
