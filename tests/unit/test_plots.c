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
#include "plots/figure.h"
#include "plots/plots.h"

#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NR_BLOCKS 6

static char folder[] = "/tmp/nslab-plots-XXXXXX";
static const char *run_folder = folder; /* where made_open puts run.db */
static char path[700];

struct made_run {
	struct nslab_store *store;
	const char *label;
	bool is_simulated;
};

static void made_open(struct made_run *made)
{
	struct nslab_run_record run = {
		.uuid = "u",
		.name = "made up",
		.label = made->label,
		.host_name = "h",
		.cpu_model = "Example CPU 9000 'Quote' @ 2.0GHz",
		.kernel = "Linux 6.1.0 x86_64",
		.nr_packages = 2,
		.nr_nodes = 4,
		.nr_pus = 64,
		.is_simulated = made->is_simulated,
		.statistic = "q25",
		.started = "2024-01-01T00:00:00Z",
	};
	struct nslab_err err;

	snprintf(path, sizeof(path), "%s/run.db", run_folder);
	unlink(path);
	assert_int_equal(nslab_store_create(path, &run, &made->store, &err), 0);
}

/* A cell of NR_BLOCKS trials around ns; lock < 0: not counted. */
struct made_cell {
	const char *more; /* words of the family */
	const char *workload, *arm, *allocator, *placement, *skipped, *params;
	int threads;
	int64_t size;
	double ns, held, lock;
	bool is_baseline, is_twin, has_curve;
};

static void made_trials(struct made_run *made, const struct made_cell *c, int64_t id)
{
	char stats[64];
	struct nslab_cachestat_record cache = {
		.cache = "c",
		.nr_pages = 1,
		.stat_json = c->lock >= 0 ? stats : NULL,
	};
	const struct nslab_point_record points[] = {
		{"all slabs", 0, 5},
		{"all slabs", 10, 40},
		{"all slabs", 20, 12},
		/* MiB: 3 in use, then 2 and 1 held by CPUs; 4 free */
		{"memory free", 0, 4 << 20},
		{"memory free", 5, 4 << 20},
		{"memory queued", 5, 1 << 20},
		{"memory rss", 0, 9 << 20},
		{"memory rss", 5, 9 << 20},
		{"memory used", 0, 3 << 20},
		{"memory used", 5, 2 << 20},
	};
	/* 2000 values: 1500 of 70 ns, 480 of 100, 20 of 1024..1039 */
	const struct nslab_hist_record hist = {
		.name = "operation",
		.unit = "ns",
		.scheme = NSLAB_HIST_SCHEME,
		.n = 2000,
		.min = 70,
		.max = 1030,
		.clock = "tsc",
		.clock_ns = 20,
		.mean_gap = 512,
		.ops_per_value = 1,
		.overhead = 0.004,
		.buckets_json = "[[70,1500],[100,480],[320,20]]",
	};
	struct nslab_window windows[64];
	struct nslab_err err;

	snprintf(stats, sizeof(stats), "{\"list_lock\": %d}", (int)(c->lock * 1000 * c->threads));
	for (int t = 0; t < c->threads; t++)
		windows[t] = (struct nslab_window){.worker = t,
						   .ops = 1000,
						   .ns = (uint64_t)(c->ns * 1000),
						   .is_counted = true};
	for (int block = 0; block < NR_BLOCKS; block++) {
		struct nslab_trial_record trial = {
			.cell = id,
			.block = block,
			.is_valid = true,
			.ns_per_op = c->ns * (1 + 0.02 * (block - 2.5)),
			.page_hit_rate = NAN,
			.held_bytes = (uint64_t)c->held,
			.nr_windows = (size_t)c->threads,
			.windows = windows,
			.nr_caches = 1,
			.caches = &cache,
			.nr_points = c->has_curve ? sizeof(points) / sizeof(points[0]) : 0,
			.points = points,
			.nr_hists = c->has_curve,
			.hists = &hist,
		};

		assert_int_equal(nslab_store_add_trial(made->store, &trial, &err), 0);
	}
}

static void made_add(struct made_run *made, struct made_cell c)
{
	char family[256], key[512];
	struct nslab_cell_record cell = {
		.key = key,
		.family = family,
		.arm = c.arm,
		.workload = c.workload,
		.allocator = c.allocator ? c.allocator : c.arm,
		.entry = "cache",
		.placement = c.placement ? c.placement : "compact",
		.memory = "local",
		.threads = c.threads ? c.threads : 1,
		.size_bytes = c.size,
		.params_json = c.params ? c.params : "{}",
		.is_baseline = c.is_baseline,
		.is_twin = c.is_twin,
		.skipped = c.skipped,
	};
	struct nslab_err err;
	int64_t id;

	c.threads = cell.threads;
	snprintf(family, sizeof(family),
		 "workload=%s%s size=%lld threads=%d placement=%s memory=local", c.workload,
		 c.more ? c.more : "", (long long)c.size, c.threads, cell.placement);
	snprintf(key, sizeof(key), "%s arm=%s%s", family, c.arm, c.is_twin ? "'" : "");
	assert_int_equal(nslab_store_add_cell(made->store, &cell, &id, &err), 0);
	if (!c.skipped)
		made_trials(made, &c, id);
}

static void made_reopen(struct made_run *made)
{
	struct nslab_err err;

	assert_int_equal(
		nslab_store_finish(made->store, "done", 0.21, "2024-01-01T00:01:00Z", &err), 0);
	nslab_store_close(made->store);
	assert_int_equal(nslab_store_open(path, &made->store, &err), 0);
}

static const char *const large_arms[] = {"null", "libc",      "slub",	 "sheaves",
					 "slab", "nodelocal", "mimalloc"};
static const char *const large_workloads[] = {"pingpong", "batch", "churn", "remote_free"};

static void made_throughput(struct made_run *made, const char *const *arms, int nr_arms,
			    int nr_sizes)
{
	for (int w = 0; w < 4; w++) {
		for (int a = 0; a < nr_arms; a++) {
			for (int s = 0; s < nr_sizes; s++)
				made_add(made,
					 (struct made_cell){
						 .workload = large_workloads[w],
						 .arm = arms[a],
						 .size = 64 << (2 * s),
						 .ns = 1.5 + 4 * a + 3 * w + a * s,
						 .skipped = a == 4 && w == 3 ? "needs pairs" : NULL,
						 .is_baseline = a == 2,
						 .lock = -1,
					 });
		}
		made_add(made, (struct made_cell){.workload = large_workloads[w],
						  .arm = arms[2 % nr_arms],
						  .size = 64,
						  .ns = (1.5 + 8 + 3 * w) * 1.01,
						  .is_twin = true,
						  .lock = -1});
	}
}

static void made_scaling(struct made_run *made, const char *const *arms, int nr_arms,
			 int max_threads)
{
	for (int w = 0; w < 2; w++) {
		for (int a = 1; a < nr_arms; a++) {
			for (int t = 1; t <= max_threads; t *= 2)
				made_add(made, (struct made_cell){.workload = large_workloads[w],
								  .arm = arms[a],
								  .size = 128,
								  .threads = t,
								  .ns = 5 + a + 0.2 * a * (t - 1),
								  .lock = -1});
		}
	}
}

/* Nodes 0, step, 2 * step.. */
static void made_matrix(struct made_run *made, int nr_arms, int nr_nodes, int step)
{
	for (int a = 0; a < nr_arms; a++) {
		for (int i = 0; i < nr_nodes * step; i += step) {
			for (int j = 0; j < nr_nodes * step; j += step) {
				char placement[32];

				snprintf(placement, sizeof(placement),
					 i == j ? "node:%d" : "cross:%d,%d", i, j);
				made_add(made,
					 (struct made_cell){.workload = "remote_free",
							    .arm = large_arms[2 + a],
							    .placement = placement,
							    .threads = 2,
							    .size = 256,
							    .ns = 20 + 7 * a + (i == j ? 0 : 60) +
								  3 * abs(i - j),
							    .lock = -1});
			}
		}
	}
}

static void made_orders(struct made_run *made, int nr_sizes, double lock)
{
	for (int s = 0; s < nr_sizes; s++) {
		for (int order = -1; order < 4; order++) {
			char arm[32], params[64];
			int real = order < 0 ? 1 : order;

			snprintf(arm, sizeof(arm), order < 0 ? "slub" : "slub order=%d", order);
			snprintf(params, sizeof(params), "{\"allocator\": {\"order\": %d}}", order);
			made_add(made,
				 (struct made_cell){.workload = "churn",
						    .arm = arm,
						    .allocator = "slub",
						    .params = params,
						    .size = 96 << (2 * s),
						    .ns = 30 + 5 * s - 4 * real,
						    .held = (4 << 20) * (s + 1.0 + real),
						    .lock = lock < 0 ? -1 : lock / (1 << real)});
		}
	}
}

static void made_curves(struct made_run *made)
{
	static const char *const arms[] = {"slub", "slab"};

	for (int i = 0; i < 2; i++)
		made_add(made, (struct made_cell){.workload = "replay",
						  .arm = arms[i],
						  .allocator = arms[i],
						  .size = 0,
						  .ns = 40,
						  .held = 1 << 20,
						  .lock = -1,
						  .has_curve = true});
}

/* ---- reading what came out ---- */

static char *slurp(const char *name)
{
	static char text[1 << 20];
	char at[600];
	FILE *file;
	size_t len;

	snprintf(at, sizeof(at), "%s/out/%s", folder, name);
	file = fopen(at, "r");
	if (!file)
		return NULL;
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

/* Field number `field` (from 0) of the first row whose text contains all of the given ones. */
static const char *cell_of(char *table, int field, const char *a, const char *b)
{
	static char value[256];

	for (char *line = strtok(table, "\n"); line; line = strtok(NULL, "\n")) {
		const char *at = line;

		if (*line == '#' || !strstr(line, a) || !strstr(line, b))
			continue;
		for (int i = 0; i < field && at; i++) {
			at = strchr(at, '\t');
			at = at ? at + 1 : NULL;
		}
		assert_non_null(at);
		snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\t"), at);
		return value;
	}
	fail_msg("no row with '%s' and '%s'", a, b);
	return NULL;
}

static int remove_one(const char *at, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(at);
}

static void remove_output(void)
{
	char at[600];

	snprintf(at, sizeof(at), "%s/out", folder);
	nftw(at, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int make(struct made_run *made, const char *name, unsigned formats,
		struct nslab_plots_outcome *outcome, struct nslab_err *err)
{
	char at[600];

	remove_output();
	snprintf(at, sizeof(at), "%s/out", folder);
	return nslab_plots_make(made->store, at, name, formats, outcome, err);
}

/* ---- tests ---- */

static void plots_write_the_cells_of_a_run(void **state)
{
	static const char *const arms[] = {"null", "libc", "slub"};
	struct made_run made = {.label = "quick look, n = 6"};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	made_open(&made);
	made_throughput(&made, arms, 3, 2);
	made_reopen(&made);
	assert_int_equal(make(&made, NULL, 0, &outcome, &err), 0);
	assert_int_equal(outcome.nr, 7);
	assert_string_equal(outcome.plots[0].name, "throughput");
	assert_true(outcome.plots[0].is_written);
	assert_false(outcome.plots[0].is_drawn);
	for (size_t i = 1; i < 7; i++) {
		assert_false(outcome.plots[i].is_written);
		assert_true(strlen(outcome.plots[i].reason) > 20);
	}
	/* libc, batch, 256 B: 1.5 + 4 + 3 + 1, and quartiles of +-1.25 steps of 2 % */
	assert_string_equal(cell_of(slurp("throughput.dat"), 3, "libc\tbatch", "256 B"), "9.5");
	assert_string_equal(cell_of(slurp("throughput.dat"), 4, "libc\tbatch", "256 B"), "9.2625");
	assert_string_equal(cell_of(slurp("throughput.dat"), 5, "libc\tbatch", "256 B"), "9.7375");
	assert_string_equal(cell_of(slurp("throughput.dat"), 6, "libc\tbatch", "256 B"), "6");
	/* sizes stand at 0, 1, .. */
	assert_string_equal(cell_of(slurp("throughput.dat"), 2, "libc\tbatch", "\t64 B"), "0");
	assert_string_equal(cell_of(slurp("throughput.dat"), 2, "libc\tbatch", "256 B"), "1");
	assert_non_null(strstr(slurp("throughput.dat"), "n = 6 trials"));
	assert_non_null(strstr(slurp("throughput.dat"), "4 nodes, 64 PUs; Linux 6.1.0 x86_64"));
	assert_non_null(strstr(slurp("throughput.dat"), "A, A') differs by up to 1 %"));
	assert_non_null(strstr(slurp("throughput.gp"), "quick look, n = 6"));
	assert_null(strchr(slurp("throughput.gp"), '@') ? strstr(slurp("throughput.gp"), "@NAME@")
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
	assert_int_equal(make(&made, "throughput", 0, &outcome, &err), 0);
	text = slurp("throughput.gp");
	assert_non_null(strstr(text, "'it''s `touch x`'"));
	assert_non_null(strstr(text, "'tab here new'"));
	assert_non_null(strstr(text, "a ''label'' with `id`"));
	assert_string_equal(cell_of(slurp("throughput.dat"), 3, "tab here new\tbatch", "256 B"),
			    "9.5");
	if (!nslab_gnuplot_probe(err.text, sizeof(err.text))) {
		assert_int_equal(make(&made, NULL, NSLAB_PLOT_PNG | NSLAB_PLOT_SVG, &outcome, &err),
				 0);
		assert_string_equal(outcome.plots[0].reason, "");
		assert_true(outcome.plots[0].is_drawn);
		assert_non_null(strstr(slurp("throughput.svg"), "touch x`"));
		assert_null(slurp("x"));
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
	made_throughput(&made, large_arms, 7, 1);
	made_reopen(&made);
	assert_int_equal(make(&made, "throughput", 0, &outcome, &err), 0);
	assert_string_equal(cell_of(slurp("throughput.dat"), 3, "slab\tremote_free", "64 B"),
			    "NaN");
	assert_string_equal(cell_of(slurp("throughput.dat"), 10, "slab\tremote_free", "64 B"),
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
	made_scaling(&made, large_arms, 3, 4);
	made_reopen(&made);
	assert_int_equal(make(&made, "scaling", 0, &outcome, &err), 0);
	/* libc with 4 threads: 4 workers at 5 + 1 + 0.6 ns */
	assert_string_equal(cell_of(slurp("scaling.dat"), 3, "libc\tpingpong", "\t4\tlibc"),
			    "606.061");
	assert_string_equal(cell_of(slurp("scaling.dat"), 2, "libc\tpingpong", "\t4\tlibc"), "4");
	assert_non_null(strstr(slurp("scaling.gp"), "simulated nodes"));
	assert_non_null(strstr(slurp("scaling.dat"), "(SIMULATED)"));
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
	assert_int_equal(make(&made, NULL, 0, &outcome, &err), 0);
	assert_null(strstr(slurp("throughput.dat"), "cross:"));
	assert_non_null(strstr(slurp("throughput.dat"), "node:10"));
	assert_true(outcome.plots[2].is_written);
	assert_string_equal(cell_of(slurp("matrix.dat"), 3, "1\t2\t1\t", "slub: remote_free"),
			    "20");
	/* from node 10, the third, to node 5, the second: 20 + 60 + 3 * 5 */
	assert_string_equal(cell_of(slurp("matrix.dat"), 3, "1\t3\t1\t", "slub: remote_free"),
			    "95");
	assert_string_equal(cell_of(slurp("matrix.dat"), 8, "1\t3\t1\t", "slub: remote_free"),
			    "10");
	assert_string_equal(cell_of(slurp("matrix.dat"), 3, "2\t1\t0\t", "sheaves: remote_free"),
			    "27");
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
	assert_int_equal(make(&made, "order", 0, &outcome, &err), 0);
	/* churn at 96 B, order 2: 30 - 8 ns, 12 MiB, 0.1 locks an operation */
	assert_string_equal(cell_of(slurp("order.dat"), 3, "1\t1\t2\t", "churn, 96 B"), "22");
	assert_string_equal(cell_of(slurp("order.dat"), 3, "2\t1\t2\t", "churn, 96 B"), "12");
	assert_string_equal(cell_of(slurp("order.dat"), 3, "3\t1\t2\t", "churn, 96 B"), "100");
	assert_string_equal(cell_of(slurp("order.dat"), 3, "1\t1\t-1\t", "auto"), "26");
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
	assert_int_equal(make(&made, "curves", 0, &outcome, &err), 0);
	assert_string_equal(cell_of(slurp("curves.dat"), 3, "1\t2\t10\t", "all slabs"), "40");
	assert_string_equal(cell_of(slurp("curves.dat"), 3, "1\t1\t20\t", "slub"), "12");
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
	assert_int_equal(make(&made, "memory", 0, &outcome, &err), 0);
	/* facet, arm, x: low and high of the layer in MiB */
	assert_string_equal(cell_of(slurp("memory.dat"), 5, "1\t1\t0\t", "in use"), "3");
	assert_string_equal(cell_of(slurp("memory.dat"), 4, "1\t3\t0\t", "free, in"), "3");
	assert_string_equal(cell_of(slurp("memory.dat"), 5, "1\t3\t0\t", "free, in"), "7");
	assert_string_equal(cell_of(slurp("memory.dat"), 4, "1\t2\t5\t", "held by"), "2");
	assert_string_equal(cell_of(slurp("memory.dat"), 4, "2\t3\t5\t", "free, in"), "3");
	assert_string_equal(cell_of(slurp("memory.dat"), 3, "2\t7\t5\t", "resident"), "9");
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
	assert_int_equal(make(&made, "latency", 0, &outcome, &err), 0);
	/* three quarters are 70 ns: x = -log10(0.25); then p99 */
	assert_string_equal(cell_of(slurp("latency.dat"), 3, "1\t1\t0.60206\t", "slub"), "70");
	assert_string_equal(cell_of(slurp("latency.dat"), 3, "1\t2\t2\t", "slab"), "100");
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
	assert_int_equal(make(&made, "order", 0, &outcome, &err), 0);
	assert_string_equal(cell_of(slurp("order.dat"), 3, "3\t1\t2\t", "churn"), "NaN");
	assert_string_equal(cell_of(slurp("order.dat"), 10, "3\t1\t2\t", "churn"), "not counted");
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
	assert_int_equal(make(&made, "scalin", 0, &outcome, &err), -EINVAL);
	assert_non_null(strstr(err.text, "did you mean 'scaling'"));
	assert_int_equal(make(&made, "matrix", 0, &outcome, &err), -ENODATA);
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
	assert_int_equal(make(&made, "throughput", NSLAB_PLOT_PNG, &outcome, &err), 0);
	unsetenv("NUMASLAB_GNUPLOT");
	assert_true(outcome.plots[0].is_written);
	assert_false(outcome.plots[0].is_drawn);
	assert_non_null(strstr(outcome.plots[0].reason, "gnuplot-nox"));
	assert_non_null(slurp("throughput.dat"));
	assert_non_null(slurp("throughput.gp"));
	assert_null(slurp("throughput.png"));
	/* a program that runs, succeeds and draws nothing is not believed */
	setenv("NUMASLAB_GNUPLOT", "true", 1);
	assert_int_equal(make(&made, "throughput", NSLAB_PLOT_PNG, &outcome, &err), 0);
	unsetenv("NUMASLAB_GNUPLOT");
	assert_false(outcome.plots[0].is_drawn);
	setenv("NUMASLAB_DATA_DIR", "/no/such/folder", 1);
	assert_int_equal(make(&made, "throughput", 0, &outcome, &err), -ENOENT);
	unsetenv("NUMASLAB_DATA_DIR");
	assert_non_null(strstr(err.text, "NUMASLAB_DATA_DIR"));
	assert_null(slurp("throughput.gp"));
	assert_null(slurp("throughput.gp.part"));
	nslab_store_close(made.store);
}

static void plots_draw_every_plot(void **state)
{
	struct made_run made = {.label = NULL};
	struct nslab_plots_outcome outcome;
	struct nslab_err err;

	(void)state;
	if (nslab_gnuplot_probe(err.text, sizeof(err.text))) {
		print_message("%s\n", err.text);
		skip();
	}
	made_open(&made);
	made_throughput(&made, large_arms, 3, 2);
	made_scaling(&made, large_arms, 3, 32);
	made_matrix(&made, 1, 3, 1);
	made_orders(&made, 1, -1);
	made_curves(&made);
	made_reopen(&made);
	assert_int_equal(make(&made, NULL, NSLAB_PLOT_PNG | NSLAB_PLOT_SVG, &outcome, &err), 0);
	for (size_t i = 0; i < outcome.nr; i++) {
		char name[64];

		assert_string_equal(outcome.plots[i].reason, "");
		assert_true(outcome.plots[i].is_drawn);
		snprintf(name, sizeof(name), "%s.png", outcome.plots[i].name);
		assert_memory_equal(slurp(name), "\x89PNG", 4);
		snprintf(name, sizeof(name), "%s.svg", outcome.plots[i].name);
		assert_non_null(strstr(slurp(name), "</svg>"));
	}
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
	assert_int_equal(make(&made, "throughput", 0, &outcome, &err), 0);
	assert_non_null(
		strstr(slurp("throughput.gp"), "['batch, nr=64', 'batch, nr=4096', 'churn']"));
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
		struct made_run made = {.label = "quick look, n = 6", .is_simulated = which};
		struct nslab_plots_outcome outcome;
		struct nslab_err err = {.text = ""};
		char at[600], pictures[640];

		snprintf(at, sizeof(at), "%s/%d", out, which);
		snprintf(pictures, sizeof(pictures), "%s/plots", at);
		mkdir(out, 0777);
		mkdir(at, 0777);
		run_folder = at;
		made_open(&made);
		if (which == 0)
			made_throughput(&made, large_arms, 7, 4);
		else {
			made_scaling(&made, large_arms, 7, 8);
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

static int remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
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
		cmocka_unit_test(titles_tell_parameters_that_differ),
		cmocka_unit_test(key_without_takes_one_pair_out),
	};

	if (!mkdtemp(folder))
		return 1;
	if (argc > 1) {
		int rc = leave_pictures(argv[1]);

		remove_folder(NULL);
		return rc;
	}
	return cmocka_run_group_tests(tests, NULL, remove_folder);
}
