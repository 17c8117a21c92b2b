/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * made_run.c: made-up runs for the tests of plots, and how the tests read what came out.
 *
 * Every number is made by a formula from what the cell says, so that a table can be checked row by
 * row. Trials of a cell lie at +-1, 3, 5.. % around its value, the same in all cells of a block.
 * Anything that fails here fails the test that asked for it. Left out: what a real run measures.
 */
#define _GNU_SOURCE
#include "tests/unit/made_run.h"

#include <ftw.h>

char made_folder[] = "/tmp/nslab-plots-XXXXXX";
const char *made_run_folder = made_folder; /* where made_open puts run.db */
static char made_path[700];

void made_open(struct made_run *made)
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
		.topology_json = made->topology_json,
		.statistic = "q25",
		.started = "2024-01-01T00:00:00Z",
	};
	struct nslab_err err;

	snprintf(made_path, sizeof(made_path), "%s/run.db", made_run_folder);
	unlink(made_path);
	assert_int_equal(nslab_store_create(made_path, &run, &made->store, &err), 0);
}

static void made_trials(struct made_run *made, const struct made_cell *c, int64_t id)
{
	char stats[96];
	int nr_blocks = c->nr_blocks ? c->nr_blocks : MADE_BLOCKS;
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
		{"memory buddy 0", 0, 8},
		{"memory buddy 0", 3, 0},
		{"memory buddy 0", 5, 0},
		{"memory buddy 10", 0, 200},
		{"memory buddy 10", 5, 100},
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

	snprintf(stats, sizeof(stats), "{\"list_lock\": %d, \"remote_free\": %d}",
		 (int)(c->lock * 1000 * c->threads), (int)(c->remote * 1000 * c->threads));
	for (int t = 0; t < c->threads; t++)
		windows[t] = (struct nslab_window){.worker = t,
						   .ops = 1000,
						   .ns = (uint64_t)(c->ns * 1000),
						   .is_counted = true};
	for (int block = 0; block < nr_blocks; block++) {
		struct nslab_trial_record trial = {
			.cell = id,
			.block = block,
			.is_valid = true,
			.ns_per_op = c->ns * (1 + 0.02 * (block % 6 - 2.5)) *
				     (1 + (block % 2 ? -0.01 : 0.01) * c->jitter),
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

void made_add(struct made_run *made, struct made_cell c)
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
		.pus = c.pus,
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

void made_reopen(struct made_run *made)
{
	struct nslab_err err;

	assert_int_equal(
		nslab_store_finish(made->store, "done", 0.21, "2024-01-01T00:01:00Z", &err), 0);
	nslab_store_close(made->store);
	assert_int_equal(nslab_store_open(made_path, &made->store, &err), 0);
}

const char *const made_arms[7] = {"null", "libc",      "slub",	  "sheaves",
				  "slab", "nodelocal", "mimalloc"};
static const char *const made_workloads[] = {"pingpong", "batch", "churn", "remote_free"};

void made_throughput(struct made_run *made, const char *const *arms, int nr_arms, int nr_sizes)
{
	for (int w = 0; w < 4; w++) {
		for (int a = 0; a < nr_arms; a++) {
			for (int s = 0; s < nr_sizes; s++)
				made_add(made,
					 (struct made_cell){
						 .workload = made_workloads[w],
						 .arm = arms[a],
						 .size = 64 << (2 * s),
						 .ns = 1.5 + 4 * a + 3 * w + a * s,
						 .skipped = a == 4 && w == 3 ? "needs pairs" : NULL,
						 .is_baseline = a == 2,
						 .lock = -1,
					 });
		}
		made_add(made, (struct made_cell){.workload = made_workloads[w],
						  .arm = arms[2 % nr_arms],
						  .size = 64,
						  .ns = (1.5 + 8 + 3 * w) * 1.01,
						  .is_twin = true,
						  .lock = -1});
	}
}

void made_scaling(struct made_run *made, const char *const *arms, int nr_arms, int max_threads)
{
	for (int w = 0; w < 2; w++) {
		for (int a = 1; a < nr_arms; a++) {
			for (int t = 1; t <= max_threads; t *= 2)
				made_add(made, (struct made_cell){.workload = made_workloads[w],
								  .arm = arms[a],
								  .size = 128,
								  .threads = t,
								  .ns = 5 + a + 0.2 * a * (t - 1),
								  .lock = -1});
		}
	}
}

void made_matrix(struct made_run *made, int nr_arms, int nr_nodes, int step)
{
	for (int a = 0; a < nr_arms; a++) {
		for (int i = 0; i < nr_nodes * step; i += step) {
			for (int j = 0; j < nr_nodes * step; j += step) {
				char placement[32];

				snprintf(placement, sizeof(placement),
					 i == j ? "node:%d" : "cross:%d,%d", i, j);
				made_add(made,
					 (struct made_cell){.workload = "remote_free",
							    .arm = made_arms[2 + a],
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

void made_orders(struct made_run *made, int nr_sizes, double lock)
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

void made_curves(struct made_run *made)
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

char *made_text(const char *name)
{
	static char text[1 << 20];
	char at[600];
	FILE *file;
	size_t len;

	snprintf(at, sizeof(at), "%s/out/%s", made_folder, name);
	file = fopen(at, "r");
	if (!file)
		return NULL;
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

const char *made_field(char *table, int field, const char *a, const char *b)
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

static int made_remove_one(const char *at, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(at);
}

static void made_clear(void)
{
	char at[600];

	snprintf(at, sizeof(at), "%s/out", made_folder);
	nftw(at, made_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int made_plots(struct made_run *made, const char *name, unsigned formats,
	       struct nslab_plots_outcome *outcome, struct nslab_err *err)
{
	char at[600];

	made_clear();
	snprintf(at, sizeof(at), "%s/out", made_folder);
	return nslab_plots_make(made->store, at, name, formats, outcome, err);
}

const struct nslab_plot_outcome *made_outcome(const struct nslab_plots_outcome *outcome,
					      const char *name)
{
	for (size_t i = 0; i < outcome->nr; i++) {
		if (!strcmp(outcome->plots[i].name, name))
			return &outcome->plots[i];
	}
	fail_msg("no plot '%s'", name);
	return NULL;
}

int made_remove(void **state)
{
	(void)state;
	return nftw(made_folder, made_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int made_begin(void)
{
	return mkdtemp(made_folder) ? 0 : -errno;
}
