/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_plots.c: tables, scripts and pictures from runs that the test itself writes.
 *
 * The numbers are made by a formula, so that a table can be checked row by row. Names hold what
 * breaks scripts: quotes, tabs, backticks, percent signs. Pictures are drawn when gnuplot is there;
 * whether they are good to look at is for eyes: give a folder as the argument and two large
 * made-up runs stay in it with their pictures (tests/cli/test_plot.sh reads them, too).
 */
#define _GNU_SOURCE
#include "tests/unit/made_run.h"

/* ---- tests ---- */

static void plots_write_the_cells_of_a_run(void **state)
{
	static const char *const arms[] = {"null", "libc", "slub"};
	static const char *const missing[] = {"scaling", "matrix", "order", "regret",	"curves",
					      "latency", "memory", "buddy", "handover", "locks"};
	struct made_run made = {.label = "quick look, n = 6"};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_throughput(&made, arms, 3, 2);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, NULL, 0, &outcome, &err), 0);
	assert_string_equal(outcome.plots[0].name, "throughput");
	assert_true(outcome.plots[0].is_written);
	assert_false(outcome.plots[0].is_drawn);
	assert_string_equal(outcome.plots[0].title, "Time per operation by allocator and size");
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		assert_false(made_outcome(&outcome, missing[i])->is_written);
		assert_true(strlen(made_outcome(&outcome, missing[i])->reason) > 20);
	}
	/* libc, batch, 256 B: 1.5 + 4 + 3 + 1; of 6 trials the interval is the range, +-5 % */
	assert_string_equal(made_field(made_text("throughput.dat"), 3, "libc\tbatch", "256 B"),
			    "9.5");
	assert_string_equal(made_field(made_text("throughput.dat"), 4, "libc\tbatch", "256 B"),
			    "9.025");
	assert_string_equal(made_field(made_text("throughput.dat"), 5, "libc\tbatch", "256 B"),
			    "9.975");
	assert_string_equal(made_field(made_text("throughput.dat"), 6, "libc\tbatch", "256 B"),
			    "6");
	/* sizes stand at 0, 1, .. */
	assert_string_equal(made_field(made_text("throughput.dat"), 2, "libc\tbatch", "\t64 B"),
			    "0");
	assert_string_equal(made_field(made_text("throughput.dat"), 2, "libc\tbatch", "256 B"),
			    "1");
	assert_non_null(strstr(made_text("throughput.dat"), "n = 6 trials"));
	assert_non_null(strstr(made_text("throughput.dat"), "4 nodes, 64 PUs; Linux 6.1.0 x86_64"));
	assert_non_null(strstr(made_text("throughput.dat"), "A, A') differs by up to 1 %"));
	assert_non_null(strstr(made_text("throughput.gp"), "quick look, n = 6"));
	assert_null(strchr(made_text("throughput.gp"), '@')
			    ? strstr(made_text("throughput.gp"), "@NAME@")
			    : NULL);
	nslab_store_close(made.store);
}

static void plots_keep_hostile_names_apart(void **state)
{
	static const char *const arms[] = {"it's `touch x`", "tab\there\nnew", "%s #\"@NAME@\""};
	struct made_run made = {.label = "a 'label'\nwith `id`"};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;
	const char *text;

	(void)state;
	made_open(&made);
	made_throughput(&made, arms, 3, 2);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "throughput", 0, &outcome, &err), 0);
	text = made_text("throughput.gp");
	assert_non_null(strstr(text, "'it''s `touch x`'"));
	assert_non_null(strstr(text, "'tab here new'"));
	assert_non_null(strstr(text, "a ''label'' with `id`"));
	assert_string_equal(
		made_field(made_text("throughput.dat"), 3, "tab here new\tbatch", "256 B"), "9.5");
	if (!nslab_gnuplot_probe(err.text, sizeof(err.text))) {
		assert_int_equal(
			made_plots(&made, NULL, NSLAB_PLOT_PNG | NSLAB_PLOT_SVG, &outcome, &err),
			0);
		assert_string_equal(outcome.plots[0].reason, "");
		assert_true(outcome.plots[0].is_drawn);
		assert_non_null(strstr(made_text("throughput.svg"), "touch x`"));
		assert_null(made_text("x"));
	}
	nslab_store_close(made.store);
}

static void plots_mark_cells_without_trials(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_throughput(&made, made_arms, 7, 1);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "throughput", 0, &outcome, &err), 0);
	assert_string_equal(made_field(made_text("throughput.dat"), 3, "slab\tremote_free", "64 B"),
			    "NaN");
	assert_string_equal(
		made_field(made_text("throughput.dat"), 10, "slab\tremote_free", "64 B"),
		"needs pairs");
	nslab_store_close(made.store);
}

static void scaling_counts_all_workers(void **state)
{
	struct made_run made = {.is_simulated = true};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_scaling(&made, made_arms, 3, 4);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "scaling", 0, &outcome, &err), 0);
	/* libc with 4 threads: 4 workers at 5 + 1 + 0.6 ns */
	assert_string_equal(made_field(made_text("scaling.dat"), 3, "libc\tpingpong", "\t4\tlibc"),
			    "606.061");
	assert_string_equal(made_field(made_text("scaling.dat"), 2, "libc\tpingpong", "\t4\tlibc"),
			    "4");
	assert_non_null(strstr(made_text("scaling.gp"), "simulated nodes"));
	assert_non_null(strstr(made_text("scaling.dat"), "(SIMULATED)"));
	nslab_store_close(made.store);
}

static void matrix_keeps_pairs_and_leaves_throughput_alone(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_matrix(&made, 2, 3, 5);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, NULL, 0, &outcome, &err), 0);
	assert_null(strstr(made_text("throughput.dat"), "cross:"));
	assert_non_null(strstr(made_text("throughput.dat"), "node:10"));
	assert_true(made_outcome(&outcome, "matrix")->is_written);
	assert_string_equal(
		made_field(made_text("matrix.dat"), 3, "1\t2\t1\t", "slub: remote_free"), "20");
	/* from node 10, the third, to node 5, the second: 20 + 60 + 3 * 5 */
	assert_string_equal(
		made_field(made_text("matrix.dat"), 3, "1\t3\t1\t", "slub: remote_free"), "95");
	assert_string_equal(
		made_field(made_text("matrix.dat"), 8, "1\t3\t1\t", "slub: remote_free"), "10");
	assert_string_equal(
		made_field(made_text("matrix.dat"), 3, "2\t1\t0\t", "sheaves: remote_free"), "27");
	nslab_store_close(made.store);
}

static void order_shows_time_memory_and_locks(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_orders(&made, 2, 0.4);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "order", 0, &outcome, &err), 0);
	/* churn at 96 B, order 2: 30 - 8 ns, 12 MiB, 0.1 locks an operation */
	assert_string_equal(made_field(made_text("order.dat"), 3, "1\t1\t2\t", "churn, 96 B"),
			    "22");
	assert_string_equal(made_field(made_text("order.dat"), 3, "2\t1\t2\t", "churn, 96 B"),
			    "12");
	assert_string_equal(made_field(made_text("order.dat"), 3, "3\t1\t2\t", "churn, 96 B"),
			    "100");
	assert_string_equal(made_field(made_text("order.dat"), 3, "1\t1\t-1\t", "auto"), "26");
	nslab_store_close(made.store);
}

static void curves_draws_each_series_of_a_family(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_curves(&made);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "curves", 0, &outcome, &err), 0);
	assert_string_equal(made_field(made_text("curves.dat"), 3, "1\t2\t10\t", "all slabs"),
			    "40");
	assert_string_equal(made_field(made_text("curves.dat"), 3, "1\t1\t20\t", "slub"), "12");
	nslab_store_close(made.store);
}

static void memory_stacks_what_the_heap_holds(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_curves(&made);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "memory", 0, &outcome, &err), 0);
	/* facet, arm, x: low and high of the layer in MiB */
	assert_string_equal(made_field(made_text("memory.dat"), 5, "1\t1\t0\t", "in use"), "3");
	assert_string_equal(made_field(made_text("memory.dat"), 4, "1\t3\t0\t", "free, in"), "3");
	assert_string_equal(made_field(made_text("memory.dat"), 5, "1\t3\t0\t", "free, in"), "7");
	assert_string_equal(made_field(made_text("memory.dat"), 4, "1\t2\t5\t", "held by"), "2");
	assert_string_equal(made_field(made_text("memory.dat"), 4, "2\t3\t5\t", "free, in"), "3");
	assert_string_equal(made_field(made_text("memory.dat"), 3, "2\t7\t5\t", "resident"), "9");
	nslab_store_close(made.store);
}

static void latency_draws_percentiles_of_all_trials(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_curves(&made);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "latency", 0, &outcome, &err), 0);
	/* three quarters are 70 ns: x = -log10(0.25); then p99 */
	assert_string_equal(made_field(made_text("latency.dat"), 3, "1\t1\t0.60206\t", "slub"),
			    "70");
	assert_string_equal(made_field(made_text("latency.dat"), 3, "1\t2\t2\t", "slab"), "100");
	nslab_store_close(made.store);
}

static void order_leaves_uncounted_locks_empty(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_orders(&made, 1, -1);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "order", 0, &outcome, &err), 0);
	assert_string_equal(made_field(made_text("order.dat"), 3, "3\t1\t2\t", "churn"), "NaN");
	assert_string_equal(made_field(made_text("order.dat"), 10, "3\t1\t2\t", "churn"),
			    "not counted");
	nslab_store_close(made.store);
}

static void plots_refuse_what_they_cannot_do(void **state)
{
	static const char *const arms[] = {"null", "libc", "slub"};
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;
	unsigned formats = 0;

	(void)state;
	made_open(&made);
	made_throughput(&made, arms, 3, 1);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "scalin", 0, &outcome, &err), -EINVAL);
	assert_non_null(strstr(err.text, "did you mean 'scaling'"));
	assert_int_equal(made_plots(&made, "matrix", 0, &outcome, &err), -ENODATA);
	assert_non_null(strstr(err.text, "placement=cross:I,J"));
	assert_int_equal(nslab_plots_make(made.store, "/proc/nowhere/x", NULL, 0, &outcome, &err),
			 -ENOENT);
	assert_non_null(strstr(err.text, "cannot make folder '/proc/nowhere'"));
	assert_int_equal(nslab_plots_formats("png,pdf", &formats, &err), -EINVAL);
	assert_int_equal(nslab_plots_formats("", &formats, &err), -EINVAL);
	assert_int_equal(nslab_plots_formats("svg,png", &formats, &err), 0);
	assert_int_equal(formats, NSLAB_PLOT_PNG | NSLAB_PLOT_SVG);
	nslab_store_close(made.store);
}

static void plots_leave_tables_without_gnuplot(void **state)
{
	static const char *const arms[] = {"null", "libc", "slub"};
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_throughput(&made, arms, 3, 1);
	made_reopen(&made);
	setenv("NUMASLAB_GNUPLOT", "/no/such/gnuplot", 1);
	assert_int_equal(made_plots(&made, "throughput", NSLAB_PLOT_PNG, &outcome, &err), 0);
	unsetenv("NUMASLAB_GNUPLOT");
	assert_true(outcome.plots[0].is_written);
	assert_false(outcome.plots[0].is_drawn);
	assert_non_null(strstr(outcome.plots[0].reason, "gnuplot-nox"));
	assert_non_null(made_text("throughput.dat"));
	assert_non_null(made_text("throughput.gp"));
	assert_null(made_text("throughput.png"));
	/* a program that runs, succeeds and draws nothing is not believed */
	setenv("NUMASLAB_GNUPLOT", "true", 1);
	assert_int_equal(made_plots(&made, "throughput", NSLAB_PLOT_PNG, &outcome, &err), 0);
	unsetenv("NUMASLAB_GNUPLOT");
	assert_false(outcome.plots[0].is_drawn);
	setenv("NUMASLAB_DATA_DIR", "/no/such/folder", 1);
	assert_int_equal(made_plots(&made, "throughput", 0, &outcome, &err), -ENOENT);
	unsetenv("NUMASLAB_DATA_DIR");
	assert_non_null(strstr(err.text, "NUMASLAB_DATA_DIR"));
	assert_null(made_text("throughput.gp"));
	assert_null(made_text("throughput.gp.part"));
	nslab_store_close(made.store);
}

static const char handover[] = "{\"measured\": {\"pus\": [0, 5], \"note\": \"a guest\","
			       " \"handover_ns\": [[null, 41.5], [43, null]]}}";

static void plots_draw_every_plot(void **state)
{
	struct made_run made = {.topology_json = handover};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	if (nslab_gnuplot_probe(err.text, sizeof(err.text))) {
		print_message("%s\n", err.text);
		skip();
	}
	made_open(&made);
	made_throughput(&made, made_arms, 3, 2);
	made_scaling(&made, made_arms, 3, 32);
	made_matrix(&made, 1, 3, 1);
	made_orders(&made, 1, 0.4);
	made_curves(&made);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, NULL, NSLAB_PLOT_SVG | NSLAB_PLOT_TEXT, &outcome, &err),
			 0);
	for (size_t i = 0; i < outcome.nr; i++) {
		const char *plot = outcome.plots[i].name;
		char name[64];

		assert_string_equal(outcome.plots[i].reason, "");
		assert_true(outcome.plots[i].is_drawn);
		snprintf(name, sizeof(name), "%s.svg", plot);
		assert_non_null(strstr(made_text(name), "</svg>"));
		snprintf(name, sizeof(name), "%s.txt", plot);
		/* a title at the top, the machine below */
		assert_memory_equal(made_text(name), outcome.plots[i].title,
				    strlen(outcome.plots[i].title));
		assert_non_null(strstr(made_text(name), "Example CPU 9000"));
	}
	nslab_store_close(made.store);
}

static void plots_are_drawn_light_and_dark(void **state)
{
	const unsigned all = NSLAB_PLOT_PNG | NSLAB_PLOT_SVG | NSLAB_PLOT_LIGHT | NSLAB_PLOT_DARK;
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	if (nslab_gnuplot_probe(err.text, sizeof(err.text))) {
		print_message("%s\n", err.text);
		skip();
	}
	made_open(&made);
	made_throughput(&made, made_arms, 3, 2);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "throughput", all, &outcome, &err), 0);
	assert_memory_equal(made_text("throughput.png"), "\x89PNG", 4);
	assert_memory_equal(made_text("throughput-dark.png"), "\x89PNG", 4);
	assert_null(strstr(made_text("throughput.svg"), "#14171c"));
	assert_non_null(strstr(made_text("throughput-dark.svg"), "#14171c"));
	assert_int_equal(
		made_plots(&made, "throughput", NSLAB_PLOT_SVG | NSLAB_PLOT_DARK, &outcome, &err),
		0);
	assert_null(made_text("throughput.svg"));
	assert_non_null(made_text("throughput-dark.svg"));
	nslab_store_close(made.store);
}

static void titles_tell_parameters_that_differ(void **state)
{
	static const char *const more[] = {" nr=64 way=fifo", " nr=4096 way=fifo"};
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	for (int i = 0; i < 2; i++) {
		for (int size = 64; size <= 128; size *= 2)
			made_add(&made, (struct made_cell){.workload = "batch",
							   .arm = "slub",
							   .more = more[i],
							   .size = size,
							   .ns = 5,
							   .lock = -1});
	}
	made_add(&made,
		 (struct made_cell){
			 .workload = "churn", .arm = "slub", .size = 64, .ns = 5, .lock = -1});
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "throughput", 0, &outcome, &err), 0);
	assert_non_null(
		strstr(made_text("throughput.gp"), "['batch, nr=64', 'batch, nr=4096', 'churn']"));
	nslab_store_close(made.store);
}

static void key_without_takes_one_pair_out(void **state)
{
	static const char *const rows[][3] = {
		{"workload=a size=64 threads=2", "size", "workload=a threads=2"},
		{"size=64 threads=2", "size", "threads=2"},
		{"workload=a size=64", "size", "workload=a"},
		{"size=64", "size", ""},
		{"a=1,size=64,b=2", "size", "a=1,b=2"},
		{"workload=a placement=cross:0,1 memory=local", "placement",
		 "workload=a memory=local"},
		{"workload=a,placement=cross:0,1,memory=local", "placement",
		 "workload=a,memory=local"},
		{"maxsize=3 b=2", "size", "maxsize=3 b=2"},
		{"slub order=2", "order", "slub"},
		{"slub", "order", "slub"},
		{"border=1 order=2", "order", "border=1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char out[128];

		nslab_key_without(rows[i][0], rows[i][1], out, sizeof(out));
		assert_string_equal(out, rows[i][2]);
	}
}

/* Runs and pictures for the eye: one as the default plan makes it, one with all the rest. */
static int leave_pictures(const char *out)
{
	int rc = 0;

	for (int which = 0; which < 2 && !rc; which++) {
		struct made_run made = {.label = "quick look, n = 6",
					.is_simulated = which,
					.topology_json = handover};
		struct nslab_plots_outcome outcome;
		struct nslab_err err = {.text = ""};
		char at[600], pictures[640];

		snprintf(at, sizeof(at), "%s/%d", out, which);
		snprintf(pictures, sizeof(pictures), "%s/plots", at);
		mkdir(out, 0777);
		mkdir(at, 0777);
		made_run_folder = at;
		made_open(&made);
		if (which == 0)
			made_throughput(&made, made_arms, 7, 4);
		else {
			made_curves(&made);
			made_scaling(&made, made_arms, 7, 8);
			made_matrix(&made, 3, 4, 1);
			made_orders(&made, 3, 0.4);
		}
		made_reopen(&made);
		rc = nslab_plots_make(made.store, pictures, NULL, NSLAB_PLOT_PNG | NSLAB_PLOT_SVG,
				      &outcome, &err);
		for (size_t i = 0; i < outcome.nr; i++)
			printf("%s %d %s\n", outcome.plots[i].name, outcome.plots[i].is_drawn,
			       outcome.plots[i].reason);
		nslab_store_close(made.store);
	}
	return rc != 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plots_write_the_cells_of_a_run),
		cmocka_unit_test(plots_keep_hostile_names_apart),
		cmocka_unit_test(plots_mark_cells_without_trials),
		cmocka_unit_test(scaling_counts_all_workers),
		cmocka_unit_test(matrix_keeps_pairs_and_leaves_throughput_alone),
		cmocka_unit_test(order_shows_time_memory_and_locks),
		cmocka_unit_test(curves_draws_each_series_of_a_family),
		cmocka_unit_test(memory_stacks_what_the_heap_holds),
		cmocka_unit_test(latency_draws_percentiles_of_all_trials),
		cmocka_unit_test(order_leaves_uncounted_locks_empty),
		cmocka_unit_test(plots_refuse_what_they_cannot_do),
		cmocka_unit_test(plots_leave_tables_without_gnuplot),
		cmocka_unit_test(plots_draw_every_plot),
		cmocka_unit_test(plots_are_drawn_light_and_dark),
		cmocka_unit_test(titles_tell_parameters_that_differ),
		cmocka_unit_test(key_without_takes_one_pair_out),
	};

	if (made_begin())
		return 1;
	if (argc > 1) {
		int rc = leave_pictures(argv[1]);

		made_remove(NULL);
		return rc;
	}
	return cmocka_run_group_tests(tests, NULL, made_remove);
}
