/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_plots_kinds.c: what each plot makes of a run: rows of its table, marks of what cannot be
 * told apart, and what it says when the run has nothing for it.
 *
 * Runs are made up (made_run.h), so every expected figure follows from a formula. Nothing is drawn
 * here but texts, which show without a look that labels arrive as they were written.
 */
#define _GNU_SOURCE
#include "tests/unit/made_run.h"

static void draw(struct made_run *made, const char *name, unsigned formats)
{
	struct nslab_plots_outcome outcome;
	struct nslab_err err = {.text = ""};

	if (made_plots(made, name, formats, &outcome, &err))
		fail_msg("%s: %s", name, err.text);
}

static void draw_and_close(struct made_run *made, const char *name)
{
	made_reopen(made);
	draw(made, name, 0);
	nslab_store_close(made->store);
}

static const char *field(const char *file, int number, const char *a, const char *b)
{
	return made_field(made_text(file), number, a, b);
}

/* Baseline of 10 ns and its twin, one arm 20 % slower, one as fast but uneven. */
static void made_contrast(struct made_run *made, int nr_blocks)
{
	const struct made_cell cells[] = {
		{.arm = "slub", .ns = 10, .is_baseline = true, .held = 2 << 20},
		{.arm = "slub", .ns = 10, .is_twin = true, .held = 2 << 20, .jitter = 0.5},
		{.arm = "slab", .ns = 12, .held = 3 << 20},
		{.arm = "sheaves", .ns = 10, .held = 8 << 20, .jitter = 5},
		{.arm = "nodelocal", .ns = 4, .held = 4 << 20},
	};

	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		struct made_cell cell = cells[i];

		cell.workload = "batch";
		cell.size = 64;
		cell.lock = i == 2 ? 0.25 : -1;
		cell.remote = 0.5;
		cell.nr_blocks = nr_blocks;
		made_add(made, cell);
	}
}

static void forest_judges_each_arm_against_its_baseline(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_contrast(&made, 12);
	draw_and_close(&made, "forest");
	assert_string_equal(field("forest.dat", 3, "\tslab: batch", "slower"), "1.2");
	assert_string_equal(field("forest.dat", 12, "\tslab: batch", "slower"), "0");
	assert_string_equal(field("forest.dat", 3, "\tnodelocal: batch", "faster"), "0.4");
	assert_string_equal(field("forest.dat", 12, "\tsheaves: batch", "unclear"), "1");
	assert_string_equal(field("forest.dat", 12, "\tslub A': batch", "same"), "0");
	assert_non_null(strstr(made_text("forest.gp"), "'nodelocal: batch'"));
}

static void forest_has_no_verdict_when_blocks_are_few(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_contrast(&made, 4);
	draw_and_close(&made, "forest");
	assert_string_equal(field("forest.dat", 8, "\tslab: batch", ""), "unclear");
	assert_string_equal(field("forest.dat", 10, "\tslab: batch", ""),
			    "too few blocks for an interval");
}

static void throughput_is_pale_where_arms_cannot_be_told_apart(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_contrast(&made, 12);
	draw_and_close(&made, "throughput");
	assert_string_equal(field("throughput.dat", 12, "\tsheaves\t", ""), "1");
	assert_string_equal(field("throughput.dat", 12, "\tslab\t", ""), "0");
	assert_string_equal(field("throughput.dat", 12, "\tslub\t", ""), "0");
	assert_non_null(strstr(made_text("throughput.dat"), "pale: cannot be told"));
}

static void spread_draws_violins_of_enough_trials_only(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_contrast(&made, 12);
	draw_and_close(&made, "spread");
	/* trials of all arms but the uneven one: -5, -3, .. 5 % */
	assert_string_equal(field("spread.dat", 3, "\t0\t-5\t", "slab"), "-5");
	assert_string_equal(field("spread.dat", 7, "median", "slab"), "12 ns");
	assert_non_null(strstr(made_text("spread.dat"), "\toutline\t"));
	made_open(&made);
	made_contrast(&made, 11);
	draw_and_close(&made, "spread");
	assert_null(strstr(made_text("spread.dat"), "\toutline\t"));
}

static void pareto_joins_what_nothing_beats(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_contrast(&made, 6);
	draw_and_close(&made, "pareto");
	assert_string_equal(field("pareto.dat", 3, "\t5\t2\t", "front"), "10");
	assert_string_equal(field("pareto.dat", 3, "\t5\t4\t", "front"), "4");
	assert_null(strstr(made_text("pareto.dat"), "\t5\t3\t"));
	assert_null(strstr(made_text("pareto.dat"), "\t5\t8\t"));
}

static void locks_counts_for_a_thousand_operations(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_contrast(&made, 6);
	draw_and_close(&made, "locks");
	assert_string_equal(field("locks.dat", 3, "slab", "list lock"), "250");
	assert_string_equal(field("locks.dat", 3, "slab", "another node"), "500");
	/* who counts nothing is not there, instead of being there with 0 */
	assert_null(strstr(made_text("locks.dat"), "nodelocal"));
}

static void noise_tells_what_the_blocks_would_find(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_contrast(&made, 8);
	draw_and_close(&made, "noise");
	/* A' is 0.5 % above and below A in turn */
	assert_string_equal(field("noise.dat", 3, "1\t1\t1\t", "batch"), "0.5");
	assert_string_equal(field("noise.dat", 3, "1\t1\t2\t", "batch"), "-0.5");
	/* 1.43 half-widths of an interval from -0.5 to 0.5 % */
	assert_true(fabs(atof(field("noise.dat", 3, "2\t1\t8\t", "batch")) - 0.717) < 0.01);
	assert_null(strstr(made_text("noise.dat"), "\n2\t1\t5\t"));
	assert_non_null(strstr(made_text("noise.dat"), "told apart (95 % interval) in 0 of 1"));
}

static void regret_is_nothing_for_the_best_order(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_orders(&made, 2, -1);
	draw_and_close(&made, "regret");
	/* 96 B: 30 - 4 * order; order 0 is 30 / 18 */
	assert_string_equal(field("regret.dat", 3, "\t3\tslub: churn, 96 B", ""), "0");
	assert_string_equal(field("regret.dat", 3, "\t0\tslub: churn, 96 B", ""), "66.6667");
	assert_string_equal(field("regret.dat", 2, "\tauto\tslub: churn, 96 B", ""), "0");
	assert_string_equal(field("regret.dat", 12, "\t0\tslub: churn, 96 B", ""), "0");
}

static void handover_shows_what_was_measured(void **state)
{
	struct made_run made = {.topology_json =
					"{\"measured\": {\"pus\": [0, 5], \"note\": \"a guest\","
					" \"handover_ns\": [[null, 41.5], [43, null], [1, 2]]}}"};

	(void)state;
	made_open(&made);
	made_contrast(&made, 2);
	draw_and_close(&made, "handover");
	assert_string_equal(field("handover.dat", 3, "1\t1\t1\t", "5\t0"), "41.5");
	assert_string_equal(field("handover.dat", 3, "1\t2\t0\t", "0\t5"), "43");
	assert_null(strstr(made_text("handover.dat"), "1\t1\t0\t"));
	assert_non_null(strstr(made_text("handover.dat"), "# a guest"));
}

static void handover_wants_a_measurement(void **state)
{
	static const char *const texts[] = {NULL, "{}", "[", "{\"measured\": {\"pus\": 3}}",
					    "{\"measured\": {\"pus\": [1], \"handover_ns\": [4]}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct made_run made = {.topology_json = texts[i]};
		struct nslab_plots_outcome outcome;
		struct nslab_err err;

		made_open(&made);
		made_contrast(&made, 2);
		made_reopen(&made);
		assert_int_equal(made_plots(&made, "handover", 0, &outcome, &err), -ENODATA);
		assert_non_null(strstr(err.text, "measure=yes"));
		nslab_store_close(made.store);
	}
}

static void buddy_keeps_a_count_until_it_changes(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_curves(&made);
	draw_and_close(&made, "buddy");
	/* 40 slices of 0.125 ms: 8 blocks up to 3 ms, then none */
	assert_string_equal(field("buddy.dat", 3, "1\t1\t0\t", ""), "8");
	assert_string_equal(field("buddy.dat", 3, "1\t1\t22\t", ""), "8");
	assert_string_equal(field("buddy.dat", 3, "1\t1\t23\t", ""), "NaN");
	assert_string_equal(field("buddy.dat", 10, "1\t1\t23\t", ""), "none");
	assert_string_equal(field("buddy.dat", 3, "1\t11\t38\t", ""), "200");
	assert_string_equal(field("buddy.dat", 3, "1\t11\t39\t", ""), "100");
}

static void scaling_tells_where_a_node_begins(void **state)
{
	struct made_run made = {.topology_json =
					"{\"nodes\": [{\"pus\": [0, 2]}, {\"pus\": [1, 3]}]}"};

	(void)state;
	made_open(&made);
	for (int threads = 1; threads <= 4; threads += 3)
		made_add(&made, (struct made_cell){.workload = "batch",
						   .arm = "slub",
						   .size = 64,
						   .threads = threads,
						   .pus = threads == 1 ? "0" : "0,2,3,1",
						   .ns = 5,
						   .lock = -1});
	draw_and_close(&made, "scaling");
	assert_non_null(strstr(made_text("scaling.gp"), "array edges[1] = ['2.5']"));
}

static void colours_stay_with_an_arm_in_all_plots(void **state)
{
	struct made_run made = {.label = NULL};

	(void)state;
	made_open(&made);
	made_contrast(&made, 12);
	made_reopen(&made);
	draw(&made, "throughput", 0);
	assert_non_null(strstr(made_text("throughput.gp"), "array tone[4] = [0, 1, 2, 3]"));
	draw(&made, "locks", 0); /* slab alone */
	assert_non_null(strstr(made_text("locks.gp"), "array tone[1] = [1]"));
	draw(&made, "spread", 0); /* the twin behind all arms */
	assert_non_null(strstr(made_text("spread.gp"), "array tone[5] = [0, 4, 1, 2, 3]"));
	nslab_store_close(made.store);
}

/* ---- what would break a picture ---- */

static void names_arrive_as_they_are_written(void **state)
{
	static const char *const arms[] = {"<script>alert(1)</script>", "a_b^{c} @x %d",
					   "Stra\303\237e & \"co\"", "bad \xff\xc3 byte"};
	struct made_run made = {.label = "`touch x` $(y)"};
	struct nslab_err err;

	(void)state;
	made_open(&made);
	for (int i = 0; i < 4; i++)
		made_add(&made, (struct made_cell){.workload = "batch",
						   .arm = arms[i],
						   .size = 64,
						   .ns = 5 + i,
						   .is_baseline = !i,
						   .lock = -1});
	made_reopen(&made);
	draw(&made, "forest", 0);
	assert_non_null(strstr(made_text("forest.gp"), "'bad ?? byte: batch'"));
	if (!nslab_gnuplot_probe(err.text, sizeof(err.text))) {
		draw(&made, "throughput", NSLAB_PLOT_SVG | NSLAB_PLOT_TEXT);
		assert_null(strstr(made_text("throughput.svg"), "<script>"));
		assert_non_null(strstr(made_text("throughput.svg"), "&lt;script"));
		assert_non_null(strstr(made_text("throughput.svg"), "a_b^{c} @x %d"));
		assert_non_null(strstr(made_text("throughput.svg"), "bad ?? byte"));
		assert_non_null(strstr(made_text("throughput.svg"), "Stra\303\237e &amp; "));
		assert_non_null(strstr(made_text("throughput.txt"), "<script>alert(1)</script>"));
		draw(&made, "spread", NSLAB_PLOT_SVG);
		assert_non_null(strstr(made_text("spread.svg"), "@x %d<"));
		draw(&made, "forest", NSLAB_PLOT_SVG);
		assert_non_null(strstr(made_text("forest.svg"), "@x %d: batch"));
		assert_null(strstr(made_text("forest.svg"), "<script>"));
		assert_null(made_text("x"));
	}
	nslab_store_close(made.store);
}

static void quotes_cut_no_character_in_two(void **state)
{
	char out[16];

	(void)state;
	nslab_script_quote("it's\n\xe2\x82\xac", out, sizeof(out));
	assert_string_equal(out, "it''s \xe2\x82\xac");
	nslab_script_quote("\xe2\x82\xe2\x82\xac\xc0\x80", out, sizeof(out));
	assert_string_equal(out, "??\xe2\x82\xac??");
	nslab_script_quote("123456789\xe2\x82\xac\xe2\x82\xac", out, sizeof(out));
	assert_string_equal(out, "123456789\xe2\x82\xac");
}

/* 40 arms at 30 sizes: sheets of 14 arms, panels of 8 sizes. */
static void many_cells_go_on_in_further_pages(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	for (int arm = 0; arm < 40; arm++) {
		for (int size = 1; size <= 30; size++) {
			char name[16];

			snprintf(name, sizeof(name), "arm%d", arm);
			made_add(&made, (struct made_cell){.workload = "batch",
							   .arm = name,
							   .size = 8 * size,
							   .skipped = "not wanted"});
		}
	}
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "throughput", 0, &outcome, &err), 0);
	assert_int_equal(outcome.plots[0].nr_pages, 3);
	assert_non_null(strstr(made_text("throughput.gp"),
			       "'batch', 'batch (2)', 'batch (3)', 'batch (4)'"));
	assert_string_equal(field("throughput.dat", 7, "2\t40\t0\t", ""), "72 B");
	if (!nslab_gnuplot_probe(err.text, sizeof(err.text))) {
		draw(&made, "throughput", NSLAB_PLOT_SVG);
		assert_non_null(strstr(made_text("throughput-3.svg"), "arm39"));
		assert_null(strstr(made_text("throughput-3.svg"), "arm27"));
		assert_null(made_text("throughput-4.svg"));
	}
	nslab_store_close(made.store);
}

/* 4 x 36 lines are drawn by themselves. */
static void pages_that_are_not_drawn_are_told(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	for (int arm = 0; arm < 4 * 36 + 2; arm++) {
		char name[16];

		snprintf(name, sizeof(name), "arm%d", arm);
		made_add(&made, (struct made_cell){.workload = "batch",
						   .arm = name,
						   .size = 64,
						   .ns = 5 + arm,
						   .is_baseline = !arm,
						   .nr_blocks = 1,
						   .lock = -1});
	}
	made_reopen(&made);
	assert_int_equal(made_plots(&made, "forest", 0, &outcome, &err), 0);
	assert_int_equal(outcome.plots[0].nr_pages, 5);
	assert_non_null(strstr(made_text("forest.dat"), "pages 5 to 5 are not drawn"));
	nslab_store_close(made.store);
}

static void runs_without_figures_say_why(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_reopen(&made);
	assert_int_equal(made_plots(&made, NULL, NSLAB_PLOT_SVG, &outcome, &err), 0);
	for (size_t i = 0; i < outcome.nr; i++) {
		assert_false(outcome.plots[i].is_written);
		assert_non_null(strstr(outcome.plots[i].reason, "cannot draw"));
	}
	nslab_store_close(made.store);
	/* one cell, which was skipped */
	made_open(&made);
	made_add(&made, (struct made_cell){
				.workload = "batch", .arm = "slub", .size = 64, .skipped = "no"});
	made_reopen(&made);
	assert_int_equal(made_plots(&made, NULL, NSLAB_PLOT_TEXT, &outcome, &err), 0);
	assert_true(made_outcome(&outcome, "throughput")->is_written);
	assert_false(made_outcome(&outcome, "forest")->is_written);
	assert_string_equal(field("throughput.dat", 10, "slub", ""), "no");
	nslab_store_close(made.store);
	/* one cell with one trial */
	made_open(&made);
	made_add(&made, (struct made_cell){.workload = "batch",
					   .arm = "slub",
					   .size = 64,
					   .ns = 5,
					   .nr_blocks = 1,
					   .lock = -1});
	draw_and_close(&made, "throughput");
	assert_non_null(strstr(made_text("throughput.dat"), "n = 1 trial,"));
}

/* ---- words and tables ---- */

static void themes_and_files_have_their_names(void **state)
{
	struct nslab_err err;
	unsigned formats = 0;
	char file[64];

	(void)state;
	assert_int_equal(nslab_plots_themes("both", &formats, &err), 0);
	assert_int_equal(formats, NSLAB_PLOT_LIGHT | NSLAB_PLOT_DARK);
	assert_int_equal(nslab_plots_themes("dim", &formats, &err), -EINVAL);
	assert_string_equal(err.text, "unknown theme 'dim'; there are light, dark and both");
	nslab_plots_file("order", NSLAB_PLOT_PNG, false, 1, file, sizeof(file));
	assert_string_equal(file, "order.png");
	nslab_plots_file("order", NSLAB_PLOT_SVG, true, 2, file, sizeof(file));
	assert_string_equal(file, "order-2-dark.svg");
	assert_int_equal(nslab_plots_check_name("parto", &err), -EINVAL);
	assert_non_null(strstr(err.text, "did you mean 'pareto'"));
	assert_int_equal(nslab_plots_check_name("pareto", &err), 0);
}

static int draw_table(const char *text, struct nslab_plots_outcome *outcome, struct nslab_err *err)
{
	char path[64], out[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/table.dat", made_folder);
	snprintf(out, sizeof(out), "%s/out", made_folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	return nslab_plots_table(path, out, 0, outcome, err);
}

#define TABLE_HEAD "# title: Regret\n# machine: Box, 2 nodes\n# unit: %\n"

static void tables_become_heat_maps(void **state)
{
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	assert_int_equal(draw_table(TABLE_HEAD "dentry\t0\t12.5\t9\ndentry\t1\t0\t9\n"
					       "in'ode\t1\t3\t9\tunclear\nin'ode\t2\t-\n",
				    &outcome, &err),
			 0);
	assert_int_equal(outcome.nr, 1);
	assert_string_equal(outcome.plots[0].title, "Regret");
	assert_string_equal(field("regret.dat", 3, "dentry", "\t0\tdentry"), "12.5");
	assert_string_equal(field("regret.dat", 12, "in'ode", "\t1\tin"), "1");
	assert_string_equal(field("regret.dat", 3, "in'ode", "\t2\tin"), "NaN");
	assert_non_null(strstr(made_text("regret.gp"), "'dentry', 'in''ode'"));
	assert_non_null(strstr(made_text("regret.dat"), "# Box, 2 nodes"));
}

static void tables_that_are_wrong_name_the_line(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"", "wants '# title"},
		{"# title: a\nx\t1\t2\n", "wants '# title"},
		{TABLE_HEAD, "at least one row"},
		{TABLE_HEAD "x\t1\n", "line 4: wanted row"},
		{TABLE_HEAD "x\t1\tnan\n", "line 4: wanted row"},
		{TABLE_HEAD "x\t1\t2 ns\n", "line 4: wanted row"},
		{TABLE_HEAD "x\t1\t2\t-3\n", "line 4: wanted n"},
		{TABLE_HEAD "x\t1\t2\t3\tmaybe\n", "line 4: wanted n"},
		{TABLE_HEAD "\nx\t1\t2\t3\tunclear\tmore\n", "line 5: wanted row"},
		{TABLE_HEAD "\t1\t2\n", "line 4: wanted row"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nslab_plots_outcome outcome;
		struct nslab_err err = {.text = ""};

		assert_int_equal(draw_table(rows[i].text, &outcome, &err), -EINVAL);
		if (!strstr(err.text, rows[i].says))
			fail_msg("'%s' for %s", err.text, rows[i].text);
		assert_int_equal(outcome.nr, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forest_judges_each_arm_against_its_baseline),
		cmocka_unit_test(forest_has_no_verdict_when_blocks_are_few),
		cmocka_unit_test(throughput_is_pale_where_arms_cannot_be_told_apart),
		cmocka_unit_test(spread_draws_violins_of_enough_trials_only),
		cmocka_unit_test(pareto_joins_what_nothing_beats),
		cmocka_unit_test(locks_counts_for_a_thousand_operations),
		cmocka_unit_test(noise_tells_what_the_blocks_would_find),
		cmocka_unit_test(regret_is_nothing_for_the_best_order),
		cmocka_unit_test(handover_shows_what_was_measured),
		cmocka_unit_test(handover_wants_a_measurement),
		cmocka_unit_test(buddy_keeps_a_count_until_it_changes),
		cmocka_unit_test(scaling_tells_where_a_node_begins),
		cmocka_unit_test(colours_stay_with_an_arm_in_all_plots),
		cmocka_unit_test(names_arrive_as_they_are_written),
		cmocka_unit_test(quotes_cut_no_character_in_two),
		cmocka_unit_test(many_cells_go_on_in_further_pages),
		cmocka_unit_test(pages_that_are_not_drawn_are_told),
		cmocka_unit_test(runs_without_figures_say_why),
		cmocka_unit_test(themes_and_files_have_their_names),
		cmocka_unit_test(tables_become_heat_maps),
		cmocka_unit_test(tables_that_are_wrong_name_the_line),
	};

	if (made_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, made_remove);
}
