/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_compare.c: planted effects are found, A against A' is not, and what must not be compared is
 * refused.
 *
 * Runs are made by synthetic_run.h: blocks that differ by 10 % and trials that differ by 0.4 %. The
 * text is checked for its width and its words, CSV and JSON by reading them again. Left out: how
 * the tables look, which no program can judge.
 */
#define _GNU_SOURCE
#include "tests/unit/synthetic_run.h"

#include "results/compare.h"
#include "results/export.h"
#include "results/table.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct runs {
	char dir[64];
	char paths[2][96];
	struct nslab_run_file files[2];
	int nr_open;
};

static int runs_setup(void **state)
{
	struct runs *runs = calloc(1, sizeof(*runs));
	char dir[] = "/tmp/numaslab-test-XXXXXX";

	if (!runs)
		return -1;
	if (!mkdtemp(dir))
		return -1;
	memcpy(runs->dir, dir, sizeof(dir));
	for (int i = 0; i < 2; i++)
		snprintf(runs->paths[i], sizeof(runs->paths[i]), "%s/%c.db", dir, 'a' + i);
	*state = runs;
	return 0;
}

static int runs_teardown(void **state)
{
	struct runs *runs = *state;

	for (int i = 0; i < 2; i++) {
		if (i < runs->nr_open)
			nslab_run_file_close(&runs->files[i]);
		unlink(runs->paths[i]);
	}
	rmdir(runs->dir);
	free(runs);
	return 0;
}

static struct nslab_run_file *open_run(struct runs *runs, const struct synthetic_spec *spec)
{
	struct nslab_run_file *file = &runs->files[runs->nr_open];
	struct nslab_err err = {""};

	if (synthetic_write(runs->paths[runs->nr_open], spec, &err) ||
	    nslab_run_file_open(runs->paths[runs->nr_open], file, &err))
		fail_msg("%s", err.text);
	runs->nr_open++;
	return file;
}

static void arms_find_the_planted_ratios(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 12, .scale = 1.0, .seed = 3};
	struct nslab_run_file *file = open_run(*state, &spec);
	struct nslab_comparison comparison;
	struct nslab_err err = {""};

	assert_int_equal(nslab_compare_one(file, &comparison, &err), 0);
	for (size_t i = 0; i < file->list->nr; i++) {
		const struct synthetic_arm *arm = &synthetic_arms[i % SYNTHETIC_NR_ARMS];
		const struct nslab_contrast *row = &comparison.rows[i];
		double want = arm->ns / synthetic_arms[0].ns;

		if (arm->is_baseline || arm->skipped) {
			assert_int_equal(row->paired.n, 0);
			assert_string_equal(nslab_contrast_word(row), "-");
			continue;
		}
		assert_int_equal(row->paired.n, 12);
		assert_true(fabs(row->ratio / want - 1.0) < 0.004);
		assert_true(row->lo < row->ratio && row->ratio < row->hi);
		assert_string_equal(nslab_contrast_word(row), want > 1.1   ? "slower"
							      : want < 0.9 ? "faster"
									   : "same");
		assert_int_equal(nslab_contrast_is_worse(row), want > 1.1);
	}
	nslab_comparison_exit(&comparison);
}

static void arms_are_paired_by_block_when_trials_are_missing(void **state)
{
	double ns[2][4] = {{10, 20, 40, 80}, {30, 60, 120, 11}};
	int blocks[2][4] = {{0, 1, 2, 5}, {1, 2, 5, 7}};
	struct nslab_cell_values cells[2] = {{.id = 1}, {.id = 2}};
	struct nslab_cell_list list = {.nr = 2, .cells = cells};
	struct nslab_contrast *rows;

	(void)state;
	for (int i = 0; i < 2; i++) {
		cells[i].cell.family = "f";
		cells[i].cell.key = i ? "k1" : "k0";
		cells[i].cell.arm = i ? "x" : "base";
		cells[i].cell.is_baseline = !i;
		cells[i].nr = 4;
		cells[i].blocks = blocks[i];
		cells[i].ns_per_op = ns[i];
	}
	assert_int_equal(nslab_compare_arms(&list, &rows, NULL), 0);
	assert_int_equal(rows[1].paired.n, 3);
	assert_true(fabs(rows[1].ratio - 1.5) < 1e-12);
	assert_string_equal(nslab_contrast_word(&rows[1]), "unclear");
	free(rows);
}

/* Same seed, hence the same noise: the change of every arm is exact. */
static void two_runs_find_what_changed(void **state)
{
	struct synthetic_spec before = {.nr_blocks = 10, .scale = 1.0, .seed = 3};
	struct synthetic_spec after = {.nr_blocks = 12, .scale = 1.05, .seed = 3};
	struct nslab_run_file *a = open_run(*state, &before), *b = open_run(*state, &after);
	struct nslab_comparison comparison;
	struct nslab_err err = {""};

	assert_int_equal(nslab_compare_two(a, b, false, &comparison, &err), 0);
	assert_int_equal(comparison.mode, NSLAB_COMPARE_TIMES);
	assert_non_null(strstr(comparison.note, "paired by number"));
	assert_int_equal(comparison.rows[0].paired.n, 10);
	assert_string_equal(nslab_contrast_word(&comparison.rows[0]), "same");
	assert_string_equal(nslab_contrast_word(&comparison.rows[1]), "same");
	assert_string_equal(nslab_contrast_word(&comparison.rows[3]), "slower");
	assert_true(fabs(comparison.rows[3].ratio - 1.05) < 1e-9);
	assert_int_equal(comparison.nr_only_a + comparison.nr_only_b, 0);
	nslab_comparison_exit(&comparison);
	assert_int_equal(nslab_compare_two(b, a, false, &comparison, &err), 0);
	assert_string_equal(nslab_contrast_word(&comparison.rows[3]), "faster");
	nslab_comparison_exit(&comparison);
}

static void two_hosts_compare_ratios_and_never_times(void **state)
{
	struct synthetic_spec here = {.nr_blocks = 12, .scale = 1.0, .seed = 3};
	struct synthetic_spec there = {
		.nr_blocks = 12, .scale = 1.05, .seed = 4, .host_name = "elsewhere"};
	struct nslab_run_file *a = open_run(*state, &here), *b = open_run(*state, &there);
	struct nslab_comparison comparison;
	struct nslab_err err = {""};

	assert_int_equal(nslab_compare_two(a, b, false, &comparison, &err), 0);
	assert_int_equal(comparison.mode, NSLAB_COMPARE_RATIOS);
	assert_int_equal(comparison.rows[0].paired.n, 0);
	assert_int_equal(comparison.rows[3].paired.n, 12);
	assert_true(fabs(comparison.rows[3].base_value - 5.2 / 8.0) < 0.004);
	assert_string_equal(nslab_contrast_word(&comparison.rows[3]), "slower");
	nslab_comparison_exit(&comparison);
	for (size_t i = 0; i < b->list->nr; i++)
		b->list->cells[i].cell.is_baseline = false;
	assert_true(nslab_compare_two(a, b, false, &comparison, &err) < 0);
	assert_non_null(strstr(err.text, "times of different machines do not compare"));
}

static void runs_that_do_not_fit_are_refused(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 2, .scale = 1.0};
	struct nslab_run_file *a = open_run(*state, &spec), *b = open_run(*state, &spec);
	struct nslab_comparison comparison;
	struct nslab_err err = {""};

	b->run.is_simulated = true;
	assert_true(nslab_compare_two(a, b, false, &comparison, &err) < 0);
	assert_non_null(strstr(err.text, "are simulated"));
	b->run.is_simulated = false;
	b->run.statistic = "median";
	assert_true(nslab_compare_two(a, b, false, &comparison, &err) < 0);
	assert_non_null(strstr(err.text, "statistic q25 against median"));
	b->run.statistic = "q25";
	for (size_t i = 0; i < b->list->nr; i++)
		b->list->cells[i].cell.key = "another";
	assert_true(nslab_compare_two(a, b, false, &comparison, &err) < 0);
	assert_non_null(strstr(err.text, "no cell is in both"));
}

/* Everything printed, as a text; free() it. */
static char *printed_table(struct nslab_run_file *file)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(nslab_results_table(file->list, &file->run, file->status, file->harness_ns,
					     out, NSLAB_TABLE_COLUMNS),
			 0);
	fclose(out);
	return text;
}

static void check_width(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len > NSLAB_TABLE_COLUMNS || (len && text[len - 1] == ' '))
			fail_msg("%zu columns: '%.*s'", len, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void table_fits_and_tells_what_is_missing(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 6, .scale = 1.0, .has_crash = true};
	struct nslab_run_file *file = open_run(*state, &spec);
	char *text;

	file->run.is_simulated = true;
	file->run.placement_unavailable = "seccomp: mbind: Operation not permitted";
	file->run.nr_trials_planned = 99;
	file->list->cells[2].ns_per_op[1] = 4.2e9;
	file->list->cells[2].held_bytes = 9e18;
	text = printed_table(file);
	check_width(text);
	assert_non_null(strstr(text, "slub A'"));
	assert_non_null(strstr(text, "baseline"));
	assert_non_null(strstr(text, "failed: crash: SIGSEGV"));
	assert_non_null(strstr(text, "skipped: libmimalloc.so.2 is not installed"));
	assert_non_null(strstr(text, "jemalloc 5.3.0-0-g54eaed1d"));
	assert_non_null(strstr(text, "interrupted: 72 of 99 trials"));
	assert_non_null(strstr(text, "SIMULATED"));
	assert_non_null(strstr(text, "unavailable: seccomp: mbind: Operation not permitted"));
	assert_non_null(strstr(text, "empty loop not measured"));
	free(text);
}

static void table_survives_hostile_texts(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 2, .scale = 1.0};
	struct nslab_run_file *file = open_run(*state, &spec);
	char *text, *longest = malloc(5001);

	memset(longest, 'x', 5000);
	longest[5000] = '\0';
	file->run.cpu_model = longest;
	file->run.kernel = "\033[2Jgone";
	file->list->cells[3].cell.arm = longest;
	file->list->cells[3].cell.version = longest;
	file->list->cells[6].cell.skipped = longest;
	text = printed_table(file);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "?[2Jgone"));
	free(text);
	free(longest);
}

static void json_comparison_has_null_for_what_does_not_exist(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 4, .scale = 1.0};
	struct nslab_run_file *file = open_run(*state, &spec);
	struct nslab_comparison comparison;
	json_t *root, *row;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(nslab_compare_one(file, &comparison, NULL), 0);
	assert_int_equal(nslab_comparison_json(&comparison, out), 0);
	fclose(out);
	nslab_comparison_exit(&comparison);
	root = json_loads(text, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "mode")), "arms");
	assert_true(json_is_null(json_object_get(root, "b")));
	row = json_array_get(json_object_get(root, "rows"), 3);
	assert_int_equal(json_integer_value(json_object_get(row, "n")), 4);
	assert_true(json_is_real(json_object_get(row, "ratio")));
	assert_true(json_is_null(json_object_get(row, "lo")));
	row = json_array_get(json_object_get(root, "rows"), 6);
	assert_true(json_is_null(json_object_get(row, "value")));
	assert_string_equal(json_string_value(json_object_get(row, "verdict")), "none");
	assert_true(json_is_string(json_object_get(row, "cause")));
	json_decref(root);
	free(text);
}

static char *exported(struct nslab_run_file *file,
		      int (*export)(struct nslab_run_file *, FILE *, struct nslab_err *))
{
	struct nslab_err err = {""};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (export(file, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	return text;
}

static void json_export_holds_every_window_and_reason(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 2, .scale = 1.0, .has_crash = true};
	struct nslab_run_file *file = open_run(*state, &spec);
	char *text = exported(file, nslab_export_json);
	json_error_t error;
	json_t *root = json_loads(text, 0, &error), *run, *cells, *trial, *counter;

	if (!root)
		fail_msg("line %d: %s", error.line, error.text);
	run = json_object_get(root, "run");
	assert_string_equal(json_string_value(json_object_get(run, "seed")),
			    "18364758544493064720");
	assert_true(json_is_object(json_object_get(run, "plan")));
	assert_true(json_is_null(json_object_get(run, "harness_ns")));
	cells = json_object_get(root, "cells");
	assert_int_equal(json_array_size(cells), 2 * SYNTHETIC_NR_ARMS);
	trial = json_array_get(json_object_get(json_array_get(cells, 0), "trials"), 1);
	assert_int_equal(json_array_size(json_object_get(trial, "windows")), SYNTHETIC_WINDOWS);
	assert_true(json_is_true(json_object_get(trial, "is_valid")));
	assert_int_equal(json_array_size(json_object_get(trial, "counters")), 3);
	counter = json_array_get(json_object_get(trial, "phase_counters"), 0);
	assert_string_equal(json_string_value(json_object_get(counter, "phase")), "warm-up");
	assert_true(json_number_value(json_object_get(counter, "value")) == 900);
	counter = json_array_get(json_object_get(trial, "counters"), 0);
	assert_true(json_is_null(json_object_get(counter, "value")));
	assert_string_equal(json_string_value(json_object_get(counter, "reason")),
			    "no PMU in this VM");
	trial = json_array_get(
		json_object_get(json_array_get(cells, SYNTHETIC_NR_ARMS + 5), "trials"), 0);
	assert_true(json_is_null(json_object_get(trial, "ns_per_op")));
	assert_int_equal(json_array_size(json_object_get(trial, "windows")), 0);
	json_decref(root);
	free(text);
}

static double number_at(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

/* The same figures as the comparison's own, and a cause for each trial that does not count. */
static void json_export_holds_what_a_reviewer_asks(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 8, .scale = 1.0, .has_crash = true};
	struct nslab_run_file *file = open_run(*state, &spec);
	char *text = exported(file, nslab_export_json);
	json_t *root = json_loads(text, 0, NULL), *families, *family, *twin, *arm, *lost;
	struct nslab_contrast *rows;
	struct nslab_err err;

	assert_int_equal(nslab_compare_arms(file->list, &rows, &err), 0);
	families = json_object_get(root, "families");
	assert_int_equal(json_array_size(families), 2);
	for (size_t f = 0; f < 2; f++) {
		const struct nslab_contrast *first = &rows[f * SYNTHETIC_NR_ARMS];

		family = json_array_get(families, f);
		twin = json_object_get(family, "aa");
		assert_string_equal(json_string_value(json_object_get(family, "family")),
				    first->cell->cell.family);
		assert_int_equal(number_at(twin, "n"), 8);
		assert_true(number_at(twin, "lo") == first[1].lo);
		assert_true(number_at(twin, "p") == first[1].paired.p);
		/* null, nodelocal, an order and, where it did not crash, jemalloc */
		assert_int_equal(json_array_size(json_object_get(family, "arms")), f ? 3 : 4);
		arm = json_array_get(json_object_get(family, "arms"), 0);
		assert_true(fabs(number_at(arm, "mde") - expm1(first[2].paired.mde)) < 1e-12);
		assert_true(number_at(family, "mde") >= number_at(arm, "mde"));
	}
	lost = json_object_get(root, "invalidated");
	assert_int_equal(json_array_size(lost), 8);
	assert_string_equal(json_string_value(json_object_get(json_array_get(lost, 7), "cause")),
			    "crash: SIGSEGV");
	assert_int_equal(number_at(json_array_get(lost, 7), "block"), 7);
	assert_int_equal(json_array_size(json_object_get(root, "disturbed")), 0);
	json_decref(root);
	free(rows);
	free(text);
}

static void json_export_has_null_where_blocks_are_too_few(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 2, .scale = 1.0};
	struct nslab_run_file *file = open_run(*state, &spec);
	char *text = exported(file, nslab_export_json);
	json_t *root = json_loads(text, 0, NULL);
	json_t *family = json_array_get(json_object_get(root, "families"), 0);

	assert_int_equal(number_at(json_object_get(family, "aa"), "n"), 2);
	assert_true(json_is_null(json_object_get(json_object_get(family, "aa"), "lo")));
	assert_true(json_is_null(json_object_get(family, "mde")));
	json_decref(root);
	free(text);
}

/* Counts fields by RFC 4180; every record must have as many as the first. */
static size_t csv_records(const char *text, size_t *nr_fields)
{
	size_t nr_records = 0, fields = 1;
	bool is_quoted = false;

	*nr_fields = 0;
	for (; *text; text++) {
		if (*text == '"')
			is_quoted = !is_quoted;
		else if (*text == ',' && !is_quoted)
			fields++;
		else if (*text == '\n' && !is_quoted) {
			if (!*nr_fields)
				*nr_fields = fields;
			assert_int_equal(fields, *nr_fields);
			nr_records++;
			fields = 1;
		}
	}
	assert_false(is_quoted);
	return nr_records;
}

static void csv_export_has_one_row_for_each_window(void **state)
{
	struct synthetic_spec spec = {
		.nr_blocks = 2, .scale = 1.0, .has_crash = true, .host_name = "a, \"b\"\nc"};
	struct nslab_run_file *file = open_run(*state, &spec);
	char *text = exported(file, nslab_export_csv);
	size_t nr_fields;

	/* header, eleven arms that ran, and the crashed one: one row a trial */
	assert_int_equal(csv_records(text, &nr_fields), 1 + 11 * 2 * SYNTHETIC_WINDOWS + 2);
	assert_int_equal(nr_fields, 39);
	assert_non_null(strstr(text, "\"a, \"\"b\"\"\nc\""));
	assert_int_equal(strncmp(text, "run,started,host,", 17), 0);
	free(text);
}

#define COMPARE_TEST(f) cmocka_unit_test_setup_teardown(f, runs_setup, runs_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COMPARE_TEST(arms_find_the_planted_ratios),
		COMPARE_TEST(arms_are_paired_by_block_when_trials_are_missing),
		COMPARE_TEST(two_runs_find_what_changed),
		COMPARE_TEST(two_hosts_compare_ratios_and_never_times),
		COMPARE_TEST(runs_that_do_not_fit_are_refused),
		COMPARE_TEST(table_fits_and_tells_what_is_missing),
		COMPARE_TEST(table_survives_hostile_texts),
		COMPARE_TEST(json_comparison_has_null_for_what_does_not_exist),
		COMPARE_TEST(json_export_holds_every_window_and_reason),
		COMPARE_TEST(json_export_holds_what_a_reviewer_asks),
		COMPARE_TEST(json_export_has_null_where_blocks_are_too_few),
		COMPARE_TEST(csv_export_has_one_row_for_each_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
