/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_plots_tune.c: plots of an advice, from small advice.json files that are made up here.
 *
 * Two caches are enough: `inodes`, which should go from order 2 to 3, and `same`, which stays; its
 * name would end a quote. Every figure of a table follows from the losses, bytes and counts that
 * the file gives. Files that are cut, of other types, or refer to what is not there must fail in
 * words.
 */
#define _GNU_SOURCE
#include "tests/unit/made_run.h"

static char tune_path[256];
static char tune_folder[256];

static const char tune_no_race[] =
	"\"race\": {\"estimate\": null}, \"holdout\": {\"estimate\": null}";
/* the hold-out: -20 % [-30 %, -10 %] */
static const char tune_raced[] =
	"\"race\": {\"estimate\": 0.5, \"lo\": 0.4, \"hi\": 0.6}, \"holdout\": {\"estimate\": "
	"-0.2231435513, \"lo\": -0.3566749439, \"hi\": -0.1053605157}";

struct tune_candidate {
	int order;
	const char *cpu_partial, *loss, *bytes, *locks;
};

/* 8 MiB now at order 2, 3 is advised; booted: order 1 */
static const char tune_inodes[] = "{\"cache\": \"inodes\", \"memory_bytes\": 8388608, \"now\": 1, "
				  "\"advised\": 2, \"order_booted\": 1, \"candidates\": [";
static const struct tune_candidate tune_of_inodes[] = {
	{1, "null", "0.004", "4194304", "40"},
	{2, "null", "0", "0", "20"},
	{3, "null", "-0.006", "-4194304", "10"},
	{2, "60", "-0.0055", "0", "null"},
	{.order = -1},
};
static const char tune_same[] =
	"{\"cache\": \"sa%me \\\"it's\", \"memory_bytes\": 1048576, \"now\": 0, \"advised\": 0, "
	"\"order_booted\": 0, \"candidates\": [";
static const struct tune_candidate tune_of_same[] = {
	{0, "null", "0", "0", "3"}, {1, "null", "0.0005", "1048576", "2"}, {.order = -1}};

static FILE *tune_open(bool is_measured, int nr_changed)
{
	FILE *file = fopen(tune_path, "w");

	assert_non_null(file);
	fprintf(file,
		"{\"machine\": {\"source\": \"a test\", \"release\": \"6.12.1\", \"rules\": "
		"\"6.12\", \"cpus\": 64, \"nodes\": 4}, \"objective\": \"memory\", "
		"\"is_measured\": %s, \"booted\": {\"line\": \"slab_max_order=1\", "
		"\"nr_changed\": %d}, \"caches\": [",
		is_measured ? "true" : "false", nr_changed);
	return file;
}

static void tune_close(FILE *file)
{
	fprintf(file, "]}");
	assert_int_equal(fclose(file), 0);
}

/* race: of what is advised */
static void tune_cache(FILE *file, const char *head, const struct tune_candidate *candidates,
		       const char *race)
{
	fputs(head, file);
	for (const struct tune_candidate *c = candidates; c->order >= 0; c++)
		fprintf(file,
			"%s{\"fate\": \"%s\", \"setting\": {\"order\": %d, \"cpu_partial\": %s}, "
			"\"loss\": %s, "
			"\"change\": {\"memory_bytes\": %s}, \"cost\": {\"locks_per_kop\": %s, "
			"\"worst_locks_per_kop\": 50, %s}}",
			c == candidates ? "" : ", ", c->order == 2 ? "kept" : "confirmed", c->order,
			c->cpu_partial, c->loss, c->bytes, c->locks,
			c->order == 3 ? race : tune_no_race);
	fprintf(file, "]}");
}

/* An advice for nr_same caches that stay, and inodes behind them. */
static void tune_make(int nr_same, const char *race, int nr_changed)
{
	FILE *file = tune_open(race == tune_raced, nr_changed);

	for (int i = 0; i < nr_same; i++) {
		tune_cache(file, tune_same, tune_of_same, tune_no_race);
		fprintf(file, ", ");
	}
	tune_cache(file, tune_inodes, tune_of_inodes, race);
	tune_close(file);
}

/* Any text, with ' for ". */
static void tune_put(FILE *file, const char *text)
{
	for (; *text; text++)
		fputc(*text == '\'' ? '"' : *text, file);
}

static int tune_draw(const char *name, unsigned formats, struct nslab_plots_outcome *outcome,
		     struct nslab_err *err)
{
	return nslab_plots_advice(tune_path, tune_folder, name, formats, outcome, err);
}

static void tune_draw_all(int nr_same, const char *race, int nr_changed)
{
	struct nslab_plots_outcome outcome;
	struct nslab_err err = {.text = ""};

	tune_make(nr_same, race, nr_changed);
	if (tune_draw(NULL, 0, &outcome, &err))
		fail_msg("%s", err.text);
	assert_int_equal(outcome.nr, 5);
	for (size_t i = 0; i < outcome.nr; i++)
		assert_true(outcome.plots[i].is_written);
}

static const char *field(const char *file, int number, const char *a, const char *b)
{
	return made_field(made_text(file), number, a, b);
}

static void advice_is_drawn_from_its_losses(void **state)
{
	(void)state;
	tune_draw_all(1, tune_no_race, 1);
	/* thousandths above the best order, which is 3 */
	assert_string_equal(field("tune-regret.dat", 3, "\t1\tinodes 2>3\t", ""), "10");
	assert_string_equal(field("tune-regret.dat", 3, "\t2\tinodes 2>3\t", ""), "6");
	assert_string_equal(field("tune-regret.dat", 3, "\t3\tinodes 2>3\t", ""), "0");
	/* less than the charge for a change */
	assert_string_equal(field("tune-regret.dat", 12, "\t1\tsa%me", ""), "1");
	/* 0.004 at order 1 against -0.006 */
	assert_string_equal(field("tune-gap.dat", 3, "\tinodes\t", ""), "10");
	assert_non_null(strstr(made_text("tune-gap.dat"), "1 of 1 caches with a gap"));
	assert_non_null(
		strstr(made_text("tune-gap.dat"), "a test; 64 CPUs, 4 nodes; Linux 6.12.1"));
	assert_non_null(strstr(made_text("tune-gap.dat"), "nothing was measured"));
}

static void advice_shows_memory_before_and_after(void **state)
{
	(void)state;
	tune_draw_all(1, tune_no_race, 1);
	assert_string_equal(field("tune-memory.dat", 3, "\tinodes\tnow", ""), "8");
	assert_string_equal(field("tune-memory.dat", 3, "\tinodes\tL1", ""), "4");
	assert_string_equal(field("tune-memory.dat", 3, "\tinodes\tL2: slab_max_order=1", ""),
			    "12");
	assert_non_null(strstr(made_text("tune-memory.dat"), "now 9.0, L1 5.0, L2 13.0"));
	tune_draw_all(1, tune_no_race, 0);
	assert_null(strstr(made_text("tune-memory.dat"), "L2"));
}

static void advice_puts_locks_on_an_axis_where_no_time_is_known(void **state)
{
	(void)state;
	tune_draw_all(0, tune_no_race, 1);
	assert_non_null(strstr(made_text("tune-pareto.gp"), "'locks per 1000 operations'"));
	assert_string_equal(field("tune-pareto.dat", 3, "\tadvised\tinodes", ""), "10");
	assert_string_equal(field("tune-pareto.dat", 2, "\tadvised\tinodes", ""), "4");
	/* what was not counted has no point, what is beaten is not on the front */
	assert_null(strstr(made_text("tune-pareto.dat"), "another setting"));
	assert_string_equal(field("tune-pareto.dat", 3, "\tfront", ""), "10");
	assert_string_equal(field("tune-locks.dat", 3, "\tnow\tinodes", ""), "20");
	assert_string_equal(field("tune-locks.dat", 3, "\tworst", ""), "50");
}

static void advice_puts_the_holdout_before_the_race(void **state)
{
	(void)state;
	tune_draw_all(0, tune_raced, 1);
	assert_non_null(strstr(made_text("tune-pareto.gp"), "'time, % over now'"));
	assert_string_equal(field("tune-pareto.dat", 3, "\tadvised\tinodes", ""), "-20");
	assert_string_equal(field("tune-pareto.dat", 4, "\tadvised\tinodes", ""), "-30");
	assert_string_equal(field("tune-pareto.dat", 5, "\tadvised\tinodes", ""), "-10");
	assert_string_equal(field("tune-pareto.dat", 3, "\tnow\tinodes", ""), "0");
}

static void advice_shows_no_gain_that_the_clock_refused(void **state)
{
	static const char caches[] =
		"{'cache': 'a', 'memory_bytes': 4096, 'now': 0, 'advised': 0, 'order_booted': 0, "
		"'candidates': [{'fate': 'kept', 'setting': {'order': 0}, 'loss': 0}, "
		"{'fate': 'refuted', 'setting': {'order': 1}, 'loss': -0.02}, "
		"{'fate': 'out of the race', 'setting': {'order': 2}, 'loss': 0.03}]}";

	(void)state;
	for (int is_measured = 0; is_measured < 2; is_measured++) {
		struct nslab_plots_outcome outcome;
		struct nslab_err err = {.text = ""};
		FILE *file = tune_open(is_measured, 0);

		tune_put(file, caches);
		tune_close(file);
		assert_int_equal(tune_draw("tune-regret", 0, &outcome, &err), 0);
		assert_string_equal(field("tune-regret.dat", 3, "\t0\ta 0\t", ""),
				    is_measured ? "0" : "20");
		assert_string_equal(field("tune-regret.dat", 12, "\t1\ta 0\t", ""),
				    is_measured ? "1" : "0");
		assert_string_equal(field("tune-regret.dat", 12, "\t2\ta 0\t", ""), "0");
	}
}

static void advice_of_many_caches_shows_some_and_says_so(void **state)
{
	(void)state;
	tune_draw_all(40, tune_no_race, 1);
	assert_non_null(strstr(made_text("tune-regret.dat"), "25 of 41 caches"));
	assert_string_equal(field("tune-regret.dat", 1, "\t3\tinodes 2>3\t", ""), "1");
}

static void advice_is_drawn_whatever_caches_are_called(void **state)
{
	struct nslab_plots_outcome outcome;
	struct nslab_err err = {.text = ""};

	(void)state;
	tune_make(1, tune_raced, 1);
	assert_int_equal(tune_draw(NULL, NSLAB_PLOT_TEXT, &outcome, &err), 0);
	for (size_t i = 0; i < outcome.nr; i++) {
		if (!outcome.plots[i].is_drawn && strstr(outcome.plots[i].reason, "gnuplot-nox"))
			skip();
		if (!outcome.plots[i].is_drawn)
			fail_msg("%s: %s", outcome.plots[i].name, outcome.plots[i].reason);
	}
	assert_non_null(strstr(made_text("tune-regret.txt"), "sa%me \"it's 0"));
}

static void advice_with_nothing_to_show_says_why(void **state)
{
	static const char *const reasons[] = {
		"no cache has two orders with a loss",
		"no cache has two candidates that were counted", "the memory of no cache is known",
		"no cache has two orders whose locks were counted", "boot parameters give every"};
	struct nslab_plots_outcome outcome;
	struct nslab_err err = {.text = ""};
	FILE *file = tune_open(false, 0);

	(void)state;
	tune_put(file, "{'now': 0, 'advised': 0, 'candidates': [{}]}");
	tune_close(file);
	assert_int_equal(tune_draw(NULL, 0, &outcome, &err), 0);
	assert_int_equal(outcome.nr, 5);
	for (size_t i = 0; i < outcome.nr; i++) {
		assert_false(outcome.plots[i].is_written);
		assert_non_null(strstr(outcome.plots[i].reason, reasons[i]));
	}
	assert_int_equal(tune_draw("tune-gap", 0, &outcome, &err), -ENODATA);
	assert_int_equal(tune_draw("tune-gab", 0, &outcome, &err), -EINVAL);
	assert_non_null(strstr(err.text, "did you mean 'tune-gap'"));
}

static void files_that_are_no_advice_are_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} files[] = {
		{"", "as JSON"},
		{"{'caches': [", "as JSON"},
		{"[]", "no list 'caches'"},
		{"{}", "no list 'caches'"},
		{"{'caches': {'a': 1}}", "no list 'caches'"},
		{"{'caches': [7]}", "cache 1 lacks candidates"},
		{"{'caches': [{'now': 0, 'advised': 0}]}", "cache 1 lacks candidates"},
		{"{'caches': [{'now': 0, 'advised': 0, 'candidates': [{}]}, "
		 "{'now': 0, 'advised': 1, 'candidates': [{}]}]}",
		 "cache 2 lacks candidates"},
		{"{'caches': [{'now': -1, 'advised': 0, 'candidates': [{}]}]}", "cache 1 lacks"},
		{"{'caches': [{'now': 1e300, 'advised': 0, 'candidates': [{}]}]}", "cache 1 lacks"},
	};
	struct nslab_plots_outcome outcome;
	struct nslab_err err = {.text = ""};
	FILE *file;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		file = fopen(tune_path, "w");
		assert_non_null(file);
		tune_put(file, files[i].text);
		fclose(file);
		assert_int_equal(tune_draw(NULL, 0, &outcome, &err), -EINVAL);
		if (!strstr(err.text, files[i].words))
			fail_msg("%s: %s", files[i].text, err.text);
	}
	unlink(tune_path);
	assert_int_equal(tune_draw(NULL, 0, &outcome, &err), -ENOENT);
}

/* Values of other types and absurd sizes: drawn or refused, never a crash. */
static void advice_that_was_cut_or_bent_does_no_harm(void **state)
{
	static const char *const values[] = {"null", "-1", "'x'", "[]", "1e308", "65536", "{}"};
	struct nslab_plots_outcome outcome;
	struct nslab_err err = {.text = ""};
	int nr_drawn = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		FILE *file = tune_open(true, 1);
		char caches[1024];

		snprintf(caches, sizeof(caches),
			 "{'cache': %1$s, 'memory_bytes': %1$s, 'now': 0, 'advised': 1, "
			 "'order_booted': %1$s, 'candidates': [{'setting': {'order': %1$s}, "
			 "'loss': %1$s, 'change': {'memory_bytes': %1$s}, 'cost': %1$s}, "
			 "{'setting': %1$s, 'loss': 1, 'change': %1$s, "
			 "'cost': {'locks_per_kop': %1$s}}]}",
			 values[i]);
		tune_put(file, caches);
		tune_close(file);
		if (!tune_draw(NULL, 0, &outcome, &err))
			nr_drawn++;
	}
	assert_int_equal(nr_drawn, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(advice_is_drawn_from_its_losses),
		cmocka_unit_test(advice_shows_memory_before_and_after),
		cmocka_unit_test(advice_puts_locks_on_an_axis_where_no_time_is_known),
		cmocka_unit_test(advice_puts_the_holdout_before_the_race),
		cmocka_unit_test(advice_shows_no_gain_that_the_clock_refused),
		cmocka_unit_test(advice_of_many_caches_shows_some_and_says_so),
		cmocka_unit_test(advice_is_drawn_whatever_caches_are_called),
		cmocka_unit_test(advice_with_nothing_to_show_says_why),
		cmocka_unit_test(files_that_are_no_advice_are_refused),
		cmocka_unit_test(advice_that_was_cut_or_bent_does_no_harm),
	};

	if (made_begin())
		return 1;
	snprintf(tune_path, sizeof(tune_path), "%s/advice.json", made_folder);
	snprintf(tune_folder, sizeof(tune_folder), "%s/out", made_folder);
	return cmocka_run_group_tests(tests, NULL, made_remove);
}
