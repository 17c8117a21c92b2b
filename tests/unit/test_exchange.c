/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_exchange.c: what goes to other tools and comes from them, and how many cells are judged.
 *
 * A synthetic run goes out as Google Benchmark's JSON and comes back; what was planted must still
 * be found, now by the unpaired comparison. Sources that are wrong are refused with a line that
 * says what is wrong. Left out: OpenMetrics' syntax, which cli.compare checks line by line.
 */
#define _GNU_SOURCE
#include "tests/unit/synthetic_run.h"

#include "results/compare.h"
#include "results/export.h"
#include "results/import.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

struct runs {
	char dir[64];
	char paths[3][96];
	struct nslab_run_file files[3];
	int nr_open;
};

static int runs_setup(void **state)
{
	struct runs *runs = calloc(1, sizeof(*runs));
	char dir[] = "/tmp/numaslab-test-XXXXXX";

	if (!runs || !mkdtemp(dir))
		return -1;
	memcpy(runs->dir, dir, sizeof(dir));
	for (int i = 0; i < 3; i++)
		snprintf(runs->paths[i], sizeof(runs->paths[i]), "%s/%c.db", dir, 'a' + i);
	*state = runs;
	return 0;
}

static int runs_teardown(void **state)
{
	struct runs *runs = *state;

	for (int i = 0; i < 3; i++) {
		if (i < runs->nr_open)
			nslab_run_file_close(&runs->files[i]);
		unlink(runs->paths[i]);
	}
	rmdir(runs->dir);
	free(runs);
	return 0;
}

static struct nslab_run_file *open_next(struct runs *runs)
{
	struct nslab_run_file *file = &runs->files[runs->nr_open];
	struct nslab_err err = {""};

	if (nslab_run_file_open(runs->paths[runs->nr_open], file, &err))
		fail_msg("%s", err.text);
	runs->nr_open++;
	return file;
}

static struct nslab_run_file *open_synthetic(struct runs *runs, const struct synthetic_spec *spec)
{
	struct nslab_err err = {""};

	if (synthetic_write(runs->paths[runs->nr_open], spec, &err))
		fail_msg("%s", err.text);
	return open_next(runs);
}

/* The run as Google Benchmark's JSON; free() it. */
static char *exported(struct nslab_run_file *file)
{
	struct nslab_err err = {""};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (nslab_export_gbench(file, out, &err))
		fail_msg("%s", err.text);
	fclose(out);
	return text;
}

static struct nslab_run_file *import_next(struct runs *runs, const char *text, const char *host)
{
	struct nslab_import import;
	struct nslab_err err = {""};

	if (nslab_import_gbench(text, strlen(text), "x.json", &import, &err) ||
	    nslab_import_store(&import, host, runs->paths[runs->nr_open], &err))
		fail_msg("%s", err.text);
	nslab_import_exit(&import);
	return open_next(runs);
}

static void gbench_has_one_entry_for_each_trial_that_counts(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 3, .scale = 1.0, .has_crash = true};
	struct nslab_run_file *file = open_synthetic(*state, &spec);
	char *text = exported(file);
	json_t *root = json_loads(text, 0, NULL), *entries, *entry;

	assert_non_null(root);
	entries = json_object_get(root, "benchmarks");
	/* two families of six arms that ran, one of which crashed in all three blocks */
	assert_int_equal(json_array_size(entries), (2 * 6 - 1) * 3);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(root, "context"),
							    "numaslab_trials_left_out")),
			 3);
	entry = json_array_get(entries, 5);
	assert_int_equal(json_integer_value(json_object_get(entry, "family_index")), 1);
	assert_int_equal(json_integer_value(json_object_get(entry, "repetition_index")), 2);
	assert_int_equal(json_integer_value(json_object_get(entry, "repetitions")), 3);
	assert_int_equal(json_integer_value(json_object_get(entry, "threads")), 2);
	assert_int_equal(json_integer_value(json_object_get(entry, "iterations")), 20000000);
	assert_true(json_real_value(json_object_get(entry, "real_time")) ==
		    file->list->cells[1].ns_per_op[2]);
	assert_true(fabs(json_real_value(json_object_get(entry, "cpu_time")) - 9.999) < 1e-12);
	assert_string_equal(json_string_value(json_object_get(entry, "run_type")), "iteration");
	assert_string_equal(json_string_value(json_object_get(entry, "run_name")),
			    file->list->cells[1].cell.key);
	json_decref(root);
	free(text);
}

static void gbench_leaves_out_what_was_not_measured(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 1, .scale = 1.0, .is_bare = true};
	char *text = exported(open_synthetic(*state, &spec));

	assert_null(strstr(text, "cpu_time"));
	assert_null(strstr(text, "iterations\":"));
	free(text);
}

static void imported_run_compares_unpaired(void **state)
{
	struct synthetic_spec before = {.nr_blocks = 8, .scale = 1.0, .seed = 3, .is_bare = true};
	struct synthetic_spec after = {.nr_blocks = 10, .scale = 1.5, .seed = 4, .is_bare = true};
	struct nslab_run_file *a = open_synthetic(*state, &before);
	struct nslab_run_file *b = open_synthetic(*state, &after), *c;
	struct nslab_comparison comparison;
	struct nslab_unpaired want;
	struct nslab_err err = {""};
	char *text = exported(b);
	double logs[2][10];

	c = import_next(*state, text, NULL);
	free(text);
	assert_true(nslab_run_is_imported(&c->run));
	assert_false(nslab_run_is_imported(&a->run));
	if (nslab_compare_two(a, c, false, &comparison, &err))
		fail_msg("%s", err.text);
	assert_int_equal(comparison.mode, NSLAB_COMPARE_UNPAIRED);
	assert_non_null(strstr(comparison.note, "Mann-Whitney"));
	for (int i = 0; i < 10; i++) {
		logs[0][i] = i < 8 ? log(a->list->cells[3].ns_per_op[i]) : 0.0;
		logs[1][i] = log(b->list->cells[3].ns_per_op[i]);
	}
	assert_int_equal(nslab_unpaired_compare(logs[0], 8, logs[1], 10, 0.95, &want), 0);
	assert_string_equal(comparison.rows[3].cell->cell.arm, "nodelocal");
	assert_int_equal(comparison.rows[3].paired.n, 8);
	assert_true(fabs(comparison.rows[3].paired.estimate - want.estimate) < 1e-12);
	assert_true(comparison.rows[3].paired.p == want.p && want.is_exact);
	assert_string_equal(nslab_contrast_word(&comparison.rows[3]), "slower");
	assert_true(nslab_contrast_is_worse(&comparison.rows[3]));
	nslab_comparison_exit(&comparison);
}

static void times_of_two_machines_are_refused(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 6, .scale = 1.0, .is_bare = true};
	struct nslab_run_file *a = open_synthetic(*state, &spec), *b;
	struct nslab_comparison comparison;
	struct nslab_err err = {""};
	char *text = exported(a);

	b = import_next(*state, text, "elsewhere");
	free(text);
	assert_int_equal(nslab_compare_two(a, b, false, &comparison, &err), -EINVAL);
	assert_non_null(strstr(err.text, "times of different machines do not compare"));
	b->run.host_name = NULL;
	assert_int_equal(nslab_compare_two(a, b, false, &comparison, &err), -EINVAL);
}

static void import_takes_units_failures_and_old_files(void **state)
{
	static const char text[] =
		"{\"context\":{\"host_name\":\"h\",\"num_cpus\":2,\"executable\":\"./dir/bench\"},"
		"\"benchmarks\":[{\"name\":\"a\",\"real_time\":2,\"time_unit\":\"us\"},"
		"{\"name\":\"a_mean\",\"real_time\":2},"
		"{\"name\":\"b\",\"real_time\":2.5},"
		"{\"name\":\"a\",\"error_occurred\":true,\"error_message\":\"no memory\"},"
		"{\"name\":\"a\",\"run_type\":\"aggregate\",\"real_time\":3},"
		"{\"name\":\"a\",\"threads\":-5,\"real_time\":0.004,\"time_unit\":\"ms\"}]}";
	struct nslab_run_file *file = import_next(*state, text, NULL);
	const struct nslab_cell_values *cells = file->list->cells;

	assert_int_equal(file->list->nr, 2);
	assert_string_equal(cells[0].cell.key, "a");
	assert_string_equal(cells[0].cell.family, "bench");
	assert_int_equal(cells[0].nr, 2);
	assert_true(cells[0].ns_per_op[0] == 2000.0 && cells[0].ns_per_op[1] == 4000.0);
	assert_int_equal(cells[0].nr_failed, 1);
	assert_string_equal(cells[0].cause, "no memory");
	assert_true(cells[1].nr == 1 && cells[1].ns_per_op[0] == 2.5);
	assert_string_equal(file->run.statistic, "mean");
	assert_string_equal(file->status, "done");
}

static void import_refuses_what_it_cannot_use(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{"", "is not JSON: line 1"},
		{"{\"benchmarks\":[", "is not JSON"},
		{"{\"benchmarks\":{}}", "has no 'benchmarks'"},
		{"{\"schema\":2}", "has no 'benchmarks'"},
		{"{\"benchmarks\":[]}", "holds no repetitions"},
		{"{\"benchmarks\":[{\"name\":\"a\",\"run_type\":\"aggregate\"}]}",
		 "--benchmark_report_aggregates_only=false"},
		{"{\"benchmarks\":[3]}", "benchmark 1 has no name"},
		{"{\"benchmarks\":[{\"name\":\"a\"}]}", "('a'): real_time is no number"},
		{"{\"benchmarks\":[{\"name\":\"a\",\"real_time\":0}]}", "is not above 0"},
		{"{\"benchmarks\":[{\"name\":\"a\",\"real_time\":1,\"time_unit\":\"h\"}]}",
		 "none of ns, us, ms, s"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct nslab_import import;
		struct nslab_err err = {""};

		assert_int_equal(nslab_import_gbench(bad[i].text, strlen(bad[i].text), "x.json",
						     &import, &err),
				 -EINVAL);
		if (!strstr(err.text, bad[i].says) || strchr(err.text, '\n'))
			fail_msg("'%s' does not say '%s'", err.text, bad[i].says);
	}
}

/* ---- many cells ---- */

static void primary_cells_are_the_first_ten_or_what_is_named(void **state)
{
	struct synthetic_spec spec = {
		.nr_blocks = 9, .scale = 1.0, .seed = 3, .is_bare = true, .nr_families = 4};
	struct nslab_run_file *file = open_synthetic(*state, &spec);
	const char *const named[] = {"*size=72*allocator=jemalloc", "nodelocal", NULL};
	const char *const none[] = {"nobody", NULL};
	struct nslab_comparison comparison;
	struct nslab_err err = {""};

	assert_int_equal(nslab_compare_one(file, &comparison, &err), 0);
	assert_int_equal(comparison.nr_primary, NSLAB_PRIMARY_MAX);
	assert_int_equal(comparison.nr_tested, 4 * 4);
	assert_false(comparison.rows[1].is_primary); /* the twin */
	assert_false(comparison.rows[2].is_primary); /* null */
	assert_true(comparison.rows[3].is_primary);
	assert_true(isnan(comparison.rows[1].q) && isnan(comparison.rows[2].p_holm));
	assert_true(fabs(comparison.rows[3].p_holm - 10.0 * 2.0 / 512.0) < 1e-15);
	assert_int_equal(nslab_comparison_judge(&comparison, named, &err), 0);
	assert_int_equal(comparison.nr_primary, 2 + 4);
	assert_true(fabs(comparison.rows[3].p_holm - 6.0 * 2.0 / 512.0) < 1e-15);
	assert_true(isnan(comparison.rows[5].p_holm));
	assert_int_equal(nslab_comparison_judge(&comparison, none, &err), -EINVAL);
	assert_non_null(strstr(err.text, "matches 'nobody'"));
	nslab_comparison_exit(&comparison);
}

static void gate_needs_p_after_holm(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 6, .scale = 1.0, .seed = 3, .is_bare = true};
	struct nslab_run_file *file = open_synthetic(*state, &spec);
	const char *const one[] = {"*pingpong*jemalloc", NULL};
	struct nslab_comparison comparison;
	struct nslab_err err = {""};

	assert_int_equal(nslab_compare_one(file, &comparison, &err), 0);
	assert_string_equal(nslab_contrast_word(&comparison.rows[5]), "slower");
	assert_false(nslab_contrast_is_worse(&comparison.rows[5]));
	assert_int_equal(nslab_comparison_judge(&comparison, one, &err), 0);
	assert_true(nslab_contrast_is_worse(&comparison.rows[5]));
	nslab_comparison_exit(&comparison);
}

/* Six blocks in which x takes 1.42 times less, with a spread that the interval must show. */
static void sentence_tells_the_largest_change(void **state)
{
	double ns[2][6] = {{142, 142, 142, 142, 142, 142}, {101, 100, 100, 100, 100, 99}};
	int blocks[6] = {0, 1, 2, 3, 4, 5};
	struct nslab_cell_values cells[2] = {{.id = 1}, {.id = 2}};
	struct nslab_cell_list list = {.nr = 2, .cells = cells};
	struct nslab_run_file file = {.list = &list};
	struct nslab_comparison comparison;
	struct nslab_err err = {""};
	char text[400];

	(void)state;
	for (int i = 0; i < 2; i++) {
		cells[i].cell = (struct nslab_cell_record){.key = i ? "k1" : "k0",
							   .family = "f",
							   .arm = i ? "sheaves" : "slub",
							   .workload = "batch",
							   .size_bytes = 256,
							   .is_baseline = !i};
		cells[i].nr = 6;
		cells[i].blocks = blocks;
		cells[i].ns_per_op = ns[i];
	}
	assert_int_equal(nslab_compare_one(&file, &comparison, &err), 0);
	nslab_comparison_sentence(&comparison, text, sizeof(text));
	assert_string_equal(text, "sheaves is 1.42x faster than slub on batch/256, 95 % interval"
				  " 1.41 to 1.43, n 6");
	nslab_comparison_exit(&comparison);
	cells[1].ns_per_op = ns[0];
	assert_int_equal(nslab_compare_one(&file, &comparison, &err), 0);
	nslab_comparison_sentence(&comparison, text, sizeof(text));
	assert_string_equal(text,
			    "no primary cell changed: 1 of 1 equivalent within 1 %, 0"
			    " inconclusive (smallest changes that would be found: 0.0 to 0.0 %)");
	nslab_comparison_exit(&comparison);
	cells[1].nr = 5;
	assert_int_equal(nslab_compare_one(&file, &comparison, &err), 0);
	nslab_comparison_sentence(&comparison, text, sizeof(text));
	assert_non_null(strstr(text, "no verdict: none of the 1 primary cells has the 6 blocks"));
	nslab_comparison_exit(&comparison);
}

/* Figures beyond their columns become bounds; nothing is wider than a mail. */
static void text_stays_narrow_whatever_the_figures(void **state)
{
	struct synthetic_spec spec = {.nr_blocks = 6, .scale = 1.0, .is_bare = true};
	struct nslab_run_file *file = open_synthetic(*state, &spec);
	struct nslab_comparison comparison;
	char *text = NULL, *line, *rest;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (int i = 0; i < 6; i++) {
		file->list->cells[2].ns_per_op[i] = 4.2e12 * (i + 1);
		file->list->cells[3].ns_per_op[i] = 1e-9;
	}
	file->list->cells[4].cell.arm = "an arm whose name is longer than a line of a mail may be"
					" order=3 cpu_partial=0 min_partial=128";
	assert_int_equal(nslab_compare_one(file, &comparison, NULL), 0);
	comparison.rows[5].paired.n = 4096;
	assert_int_equal(nslab_comparison_print(&comparison, out, 78), 0);
	fclose(out);
	nslab_comparison_exit(&comparison);
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (strlen(line) > 78)
			fail_msg("%zu columns: '%s'", strlen(line), line);
	free(text);
}

#define EXCHANGE_TEST(f) cmocka_unit_test_setup_teardown(f, runs_setup, runs_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EXCHANGE_TEST(gbench_has_one_entry_for_each_trial_that_counts),
		EXCHANGE_TEST(gbench_leaves_out_what_was_not_measured),
		EXCHANGE_TEST(imported_run_compares_unpaired),
		EXCHANGE_TEST(times_of_two_machines_are_refused),
		EXCHANGE_TEST(import_takes_units_failures_and_old_files),
		cmocka_unit_test(import_refuses_what_it_cannot_use),
		EXCHANGE_TEST(primary_cells_are_the_first_ten_or_what_is_named),
		EXCHANGE_TEST(gate_needs_p_after_holm),
		cmocka_unit_test(sentence_tells_the_largest_change),
		EXCHANGE_TEST(text_stays_narrow_whatever_the_figures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
