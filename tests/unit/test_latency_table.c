/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_latency_table.c: histograms through the store: written with trials, merged per cell,
 * printed, exported. Trials that do not count and attempts that were repeated must leave no value
 * behind. A file of before this schema has none, and a damaged histogram is one line.
 */
#define _GNU_SOURCE
#include "results/export.h"
#include "results/latency.h"
#include "results/table.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct made {
	char folder[32], path[64];
	struct nslab_store *store;
	int64_t cells[2];
};

static int made_setup(void **state)
{
	const struct nslab_run_record run = {.uuid = "u", .name = "made", .host_name = "h"};
	struct made *made = calloc(1, sizeof(*made));
	struct nslab_err err;

	assert_non_null(made);
	strcpy(made->folder, "/tmp/nslab-latency-XXXXXX");
	assert_non_null(mkdtemp(made->folder));
	snprintf(made->path, sizeof(made->path), "%s/run.db", made->folder);
	assert_int_equal(nslab_store_create(made->path, &run, &made->store, &err), 0);
	for (int i = 0; i < 2; i++) {
		const struct nslab_cell_record cell = {.key = i ? "f slab" : "f slub",
						       .family = "f",
						       .arm = i ? "slab" : "slub",
						       .is_baseline = !i};

		assert_int_equal(nslab_store_add_cell(made->store, &cell, &made->cells[i], &err),
				 0);
	}
	*state = made;
	return 0;
}

static int made_teardown(void **state)
{
	struct made *made = *state;

	nslab_store_close(made->store);
	unlink(made->path);
	rmdir(made->folder);
	free(made);
	return 0;
}

/* nr values in one bucket; overhead in thousandths. */
static void add_trial(struct made *made, int cell, int block, int attempt, bool is_valid,
		      unsigned bucket, unsigned nr, double overhead)
{
	char buckets[64];
	const struct nslab_hist_record hist = {
		.name = "operation",
		.unit = "ns",
		.scheme = NSLAB_HIST_SCHEME,
		.n = nr,
		.min = nslab_hist_floor(bucket),
		.max = nslab_hist_floor(bucket),
		.clock = "tsc",
		.clock_ns = 20 + block,
		.mean_gap = 400,
		.ops_per_value = 1,
		.overhead = overhead,
		.buckets_json = buckets,
	};
	const struct nslab_trial_record trial = {
		.cell = made->cells[cell],
		.block = block,
		.attempt = attempt,
		.is_valid = is_valid,
		.ns_per_op = 10,
		.page_hit_rate = NAN,
		.nr_hists = 1,
		.hists = &hist,
	};
	struct nslab_err err;

	snprintf(buckets, sizeof(buckets), "[[%u,%u]]", bucket, nr);
	assert_int_equal(nslab_store_add_trial(made->store, &trial, &err), 0);
}

/* slub: 900 of 50 ns and 100 of 90 ns that count; slab: 15 of 60 ns. */
static void add_trials(struct made *made)
{
	add_trial(made, 0, 0, 0, true, 50, 900, 0.002);
	add_trial(made, 0, 1, 0, true, 2000, 500, 0.5); /* run again below */
	add_trial(made, 0, 1, 1, true, 90, 100, 0.004);
	add_trial(made, 0, 2, 0, false, 2000, 500, 0.5);
	add_trial(made, 1, 0, 0, true, 60, 15, NAN);
}

static void made_reopen(struct made *made, struct nslab_run_file *file)
{
	struct nslab_err err = {""};

	assert_int_equal(nslab_store_finish(made->store, "done", NAN, "", &err), 0);
	nslab_store_close(made->store);
	made->store = NULL;
	if (nslab_run_file_open(made->path, file, &err))
		fail_msg("%s", err.text);
}

static void latency_is_merged_over_the_trials_that_count(void **state)
{
	struct nslab_latency_list *list;
	struct nslab_run_file file;
	struct nslab_err err = {""};

	add_trials(*state);
	made_reopen(*state, &file);
	assert_int_equal(nslab_store_latencies(file.store, file.list, &list, &err), 0);
	assert_int_equal(list->nr, 2);
	assert_int_equal(list->cells[0].hist.nr, 1000);
	assert_int_equal(list->cells[0].nr_trials, 2);
	assert_int_equal(list->cells[0].nr_overheads, 2);
	assert_true(nslab_hist_quantile(&list->cells[0].hist, 0.9) == 50);
	assert_true(nslab_hist_quantile(&list->cells[0].hist, 0.95) == 90);
	assert_true(fabs(list->cells[0].clock_ns - 20.5) < 1e-9);
	assert_int_equal(list->cells[1].nr_overheads, 0);
	nslab_latency_list_free(list);
	nslab_run_file_close(&file);
}

static char *printed(struct nslab_run_file *file, bool is_csv)
{
	struct nslab_latency_list *list;
	struct nslab_err err = {""};
	size_t bytes;
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	assert_int_equal(nslab_store_latencies(file->store, file->list, &list, &err), 0);
	if (is_csv)
		assert_int_equal(nslab_latency_csv(list, file->list, out), 0);
	else
		nslab_latency_table(list, file->list, out, NSLAB_TABLE_COLUMNS);
	fclose(out);
	nslab_latency_list_free(list);
	return text;
}

static void latency_table_has_percentiles_only_where_values_lie_beyond(void **state)
{
	struct nslab_run_file file;
	char *text;

	add_trials(*state);
	made_reopen(*state, &file);
	text = printed(&file, false);
	assert_string_equal(
		text,
		"\nf\n"
		"one operation, ns        p50     p90     p99   p99.9  p99.99     max    values\n"
		"slub A                    50      50      90       -       -      90      1000\n"
		"slab                       -       -       -       -       -      60        15\n"
		"  slub A: values hold the clock's 20 ns (tsc); one in 401 is timed; sampling\n"
		"  costs +0.3% of the time (n = 2)\n"
		"  slab: values hold the clock's 20 ns (tsc); one in 401 is timed; what\n"
		"  sampling costs is not known\n");
	free(text);
	text = printed(&file, true);
	assert_non_null(
		strstr(text, "\nf,slub,0,operation,ns,2,1000,50,50,90,,,90,tsc,20.5,400,1,"));
	assert_non_null(strstr(text, "\nf,slab,0,operation,ns,1,15,,,,,,60,tsc,20,400,1,\n"));
	free(text);
	nslab_run_file_close(&file);
}

static void latency_is_in_the_json_of_the_run(void **state)
{
	struct nslab_run_file file;
	struct nslab_err err = {""};
	size_t bytes;
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);
	json_t *json, *hist;

	add_trials(*state);
	made_reopen(*state, &file);
	assert_int_equal(nslab_export_json(&file, out, &err), 0);
	fclose(out);
	json = json_loads(text, 0, NULL);
	hist = json_array_get(json_object_get(json, "cells"), 0);
	hist = json_array_get(json_object_get(hist, "trials"), 0);
	hist = json_array_get(json_object_get(hist, "hists"), 0);
	assert_int_equal(json_integer_value(json_object_get(hist, "n")), 900);
	hist = json_array_get(json_object_get(hist, "buckets"), 0);
	assert_int_equal(json_integer_value(json_array_get(hist, 0)), 50);
	json_decref(json);
	free(text);
	nslab_run_file_close(&file);
}

static void alter(const struct made *made, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(made->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void latency_is_one_line_when_a_histogram_is_damaged(void **state)
{
	static const char *const damages[] = {
		"UPDATE hist SET buckets_json = '[[50,899]]' WHERE n = 900",
		"UPDATE hist SET buckets_json = NULL", "UPDATE hist SET scheme = 'other'",
		"UPDATE hist SET n = -5"};
	struct made *made = *state;
	struct nslab_latency_list *list;
	struct nslab_run_file file;
	struct nslab_err err = {""};

	add_trials(made);
	made_reopen(made, &file);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		alter(made, damages[i]);
		assert_int_equal(nslab_store_latencies(file.store, file.list, &list, &err),
				 -EILSEQ);
		assert_non_null(strstr(err.text, "is damaged"));
	}
	nslab_run_file_close(&file);
}

static void latency_is_empty_when_the_file_is_older(void **state)
{
	struct made *made = *state;
	struct nslab_latency_list *list;
	struct nslab_run_file file;
	struct nslab_err err = {""};
	FILE *out = fopen("/dev/null", "w");

	add_trials(made);
	made_reopen(made, &file);
	nslab_run_file_close(&file);
	alter(made, "DROP TABLE hist; PRAGMA user_version = 2");
	assert_int_equal(nslab_run_file_open(made->path, &file, &err), 0);
	assert_int_equal(nslab_store_latencies(file.store, file.list, &list, &err), 0);
	assert_int_equal(list->nr, 0);
	assert_int_equal(nslab_export_json(&file, out, &err), 0);
	fclose(out);
	nslab_latency_list_free(list);
	nslab_run_file_close(&file);
}

#define TABLE_TEST(f) cmocka_unit_test_setup_teardown(f, made_setup, made_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(latency_is_merged_over_the_trials_that_count),
		TABLE_TEST(latency_table_has_percentiles_only_where_values_lie_beyond),
		TABLE_TEST(latency_is_in_the_json_of_the_run),
		TABLE_TEST(latency_is_one_line_when_a_histogram_is_damaged),
		TABLE_TEST(latency_is_empty_when_the_file_is_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
