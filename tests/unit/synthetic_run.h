/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * synthetic_run.h: a run as the runner would store it, with effects that are known.
 *
 * Block effects are shared by all arms of a block (a slow minute of the machine), trial noise is
 * not; so the paired comparison must find the planted ratios although blocks differ by 10 %.
 */
#ifndef NSLAB_SYNTHETIC_RUN_H
#define NSLAB_SYNTHETIC_RUN_H

#include "core/rng.h"
#include "results/store.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYNTHETIC_WINDOWS 20

struct synthetic_spec {
	int nr_blocks;
	double scale; /* of every arm but the baseline and its twin: 1.05 is 5 % slower */
	uint64_t seed;
	const char *host_name;
	bool is_simulated, is_finished, has_crash;
	bool is_bare;	 /* trials have a time and nothing below it */
	bool is_odd;	 /* names with a meaning in HTML, Markdown and shells */
	bool is_bulk;	 /* in one transaction, as an import */
	int nr_families; /* 0: one for each workload */
};

struct synthetic_arm {
	const char *arm, *allocator, *version, *entry;
	double ns;
	double held_bytes;
	bool is_baseline, is_twin;
	const char *skipped;
};

static const struct synthetic_arm synthetic_arms[] = {
	{"slub", "slub", NULL, "cache", 8.0, 262144.0, true, false, NULL},
	{"slub", "slub", NULL, "cache", 8.0, 262144.0, false, true, NULL},
	{"null", "null", NULL, "cache", 2.4, 0.0, false, false, NULL},
	{"nodelocal", "nodelocal", NULL, "cache", 5.2, 524288.0, false, false, NULL},
	{"slub order=3 cpu_partial=0", "slub", NULL, "cache", 8.0, 1048576.0, false, false, NULL},
	{"jemalloc", "jemalloc", "5.3.0-0-g54eaed1d", "malloc", 12.7, NAN, false, false, NULL},
	{"mimalloc", "mimalloc", NULL, "malloc", 0.0, NAN, false, false,
	 "libmimalloc.so.2 is not installed; apt-get install libmimalloc2.0 brings it"},
};

#define SYNTHETIC_ODD	  "<script>document.title='taken'</script> | \"q\" 'a' &amp; `b` \xc3\xbc"
#define SYNTHETIC_NR_ARMS (sizeof(synthetic_arms) / sizeof(synthetic_arms[0]))

static const char *const synthetic_workloads[] = {"pingpong", "remote_free"};

/* Uniform in -1 .. 1. */
static inline double synthetic_noise(uint64_t *state)
{
	return (double)(nslab_rng_next(state) >> 11) / (double)(1ull << 52) - 1.0;
}

static inline void synthetic_record(const struct synthetic_spec *spec, struct nslab_run_record *run)
{
	*run = (struct nslab_run_record){
		.uuid = "7d1c2b34-1111-4222-8333-944455556666",
		.name = "quick",
		.label = "quick look, n = 6",
		.host_name = spec->host_name ? spec->host_name : "box",
		.cpu_model = "AMD EPYC 9R14",
		.kernel = "Linux 6.18.44 x86_64",
		.nr_packages = 1,
		.nr_nodes = spec->is_simulated ? 4 : 1,
		.nr_pus = 2,
		.memory_bytes = (int64_t)47 << 30,
		.is_simulated = spec->is_simulated,
		.topology_json = "{\"pus\":2}",
		.plan_json = "{\"cells\":14}",
		.plan_text = "[global]\nsize=64\n",
		.argv_text = "numaslab run \"quick\"",
		.tool_version = "0.1.0",
		.statistic = "q25",
		.seed = UINT64_C(0xfedcba9876543210),
		.started = "2025-01-02T03:04:05Z",
		.nr_trials_planned = (int64_t)(2 * (SYNTHETIC_NR_ARMS - 1)) * spec->nr_blocks,
	};
	if (!spec->is_odd)
		return;
	run->label = SYNTHETIC_ODD;
	run->host_name = SYNTHETIC_ODD;
	run->plan_text = "; " SYNTHETIC_ODD "\n[global]\nsize=64\n";
	run->argv_text = "numaslab run '" SYNTHETIC_ODD "'";
	run->env_json = "{\"before\":{\"probes\":{\"<b>\":{\"state\":\"warn\",\"value\":\"<i>\","
			"\"why\":\"<img src=x onerror=alert(1)>\"}}}}";
}

static inline int synthetic_add_sized_cell(struct nslab_store *store,
					   const struct synthetic_arm *arm, const char *workload,
					   int64_t size_bytes, int64_t *id, struct nslab_err *err)
{
	char family[160], key[320];
	struct nslab_cell_record cell;

	snprintf(family, sizeof(family),
		 "workload=%s size=%lld threads=2 placement=compact memory=local", workload,
		 (long long)size_bytes);
	snprintf(key, sizeof(key), "%s allocator=%s%s", family, arm->arm,
		 arm->is_twin ? " twin" : "");
	cell = (struct nslab_cell_record){
		.key = key,
		.family = family,
		.arm = arm->arm,
		.workload = workload,
		.allocator = arm->allocator,
		.version = arm->version,
		.entry = arm->entry,
		.placement = "compact",
		.pus = "0,1",
		.memory = "local",
		.threads = 2,
		.size_bytes = size_bytes,
		.params_json = "{\"size\":64}",
		.is_baseline = arm->is_baseline,
		.is_twin = arm->is_twin,
		.skipped = arm->skipped,
	};
	return nslab_store_add_cell(store, &cell, id, err);
}

static inline int synthetic_add_cell(struct nslab_store *store, const struct synthetic_arm *arm,
				     const char *workload, int64_t *id, struct nslab_err *err)
{
	return synthetic_add_sized_cell(store, arm, workload, 64, id, err);
}

static inline int synthetic_add_trial(struct nslab_store *store, const struct synthetic_spec *spec,
				      int64_t cell, int block, double ns, double held_bytes,
				      struct nslab_err *err)
{
	struct nslab_window windows[SYNTHETIC_WINDOWS];
	struct nslab_counter_record counters[] = {
		{"page-faults", 0, true, 12.0, 1000, 1000, "software", NULL, NULL},
		{"page-faults", 1, true, 30.0, 1000, 500, "software", NULL, NULL},
		{"cache-misses", 0, false, 0.0, 0, 0, "hardware", "no PMU in this VM", NULL},
		{"page-faults", 1, true, 900.0, 10, 10, "software", NULL, "warm-up"},
	};
	struct nslab_cachestat_record cache = {
		"object", 640, 10, 20, 3, 40, "{\"alloc_fastpath\": 90, \"list_lock\": 10}"};
	const struct nslab_figure_record figures[] = {
		{"remote_frees", 100.0 + block, "objects"},
		{spec->is_odd ? "slabs " SYNTHETIC_ODD : "slabs dentry", 7, "slabs"}};
	const struct nslab_point_record points[] = {{"slabs dentry", 0, block},
						    {"slabs dentry", 1, 9}};
	struct nslab_trial_record trial = {
		.cell = cell,
		.block = block,
		.position = (int)(cell % 7),
		.seed = nslab_rng_mix(UINT64_C(42), (uint64_t)block),
		.wall_ns = 400000000,
		.is_valid = !isnan(ns),
		.taint = isnan(ns) ? "crash: SIGSEGV" : NULL,
		.exit_status = isnan(ns) ? 139 : 0,
		.ns_per_op = ns,
		.page_hit_rate = isnan(ns) ? NAN : 1.0,
		.nr_pages_sampled = 64,
		.rss_bytes = UINT64_C(4) << 20,
		.held_bytes = isnan(held_bytes) ? NSLAB_BYTES_UNKNOWN : (uint64_t)held_bytes,
		.nr_windows = isnan(ns) || spec->is_bare ? 0u : SYNTHETIC_WINDOWS,
		.nr_counters = isnan(ns) || spec->is_bare ? 0u : 4u,
		.nr_caches = isnan(ns) || spec->is_bare ? 0u : 1u,
		.windows = windows,
		.counters = counters,
		.caches = &cache,
		.nr_figures = isnan(ns) || spec->is_bare ? 0u : 2u,
		.figures = figures,
		.nr_points = isnan(ns) || spec->is_bare ? 0u : 2u,
		.points = points,
	};

	for (int i = 0; i < SYNTHETIC_WINDOWS; i++)
		windows[i] = (struct nslab_window){i % 2, i / 2, 1000000, 10000000, 9999000, true};
	return nslab_store_add_trial(store, &trial, err);
}

static inline size_t synthetic_families(const struct synthetic_spec *spec)
{
	return spec->nr_families > 0 ? (size_t)spec->nr_families : 2;
}

static inline int synthetic_add_block(struct nslab_store *store, const struct synthetic_spec *spec,
				      const int64_t *cells, int block, uint64_t *state,
				      struct nslab_err *err)
{
	int rc = 0;

	for (size_t w = 0; !rc && w < synthetic_families(spec); w++) {
		double slow = 1.0 + 0.1 * synthetic_noise(state);

		for (size_t i = 0; !rc && i < SYNTHETIC_NR_ARMS; i++) {
			const struct synthetic_arm *arm = &synthetic_arms[i];
			double ns = arm->ns * slow * (1.0 + 0.004 * synthetic_noise(state));

			if (arm->skipped)
				continue;
			if (!arm->is_baseline && !arm->is_twin)
				ns *= spec->scale;
			if (spec->has_crash && w == 1 && !strcmp(arm->arm, "jemalloc"))
				ns = NAN;
			rc = synthetic_add_trial(store, spec, cells[w * SYNTHETIC_NR_ARMS + i],
						 block, ns, arm->held_bytes, err);
		}
	}
	return rc;
}

/* The whole run. */
static inline int synthetic_write(const char *path, const struct synthetic_spec *spec,
				  struct nslab_err *err)
{
	size_t nr_cells = synthetic_families(spec) * SYNTHETIC_NR_ARMS;
	int64_t *cells = calloc(nr_cells, sizeof(*cells));
	uint64_t state = spec->seed;
	struct nslab_run_record run;
	struct nslab_store *store = NULL;
	int rc;

	synthetic_record(spec, &run);
	rc = cells ? nslab_store_create(path, &run, &store, err) : -1;
	if (!rc && spec->is_bulk)
		rc = nslab_store_bulk(store, err);
	for (size_t i = 0; !rc && i < nr_cells; i++) {
		struct synthetic_arm arm = synthetic_arms[i % SYNTHETIC_NR_ARMS];
		size_t family = i / SYNTHETIC_NR_ARMS;

		if (spec->is_odd && !strcmp(arm.arm, "nodelocal"))
			arm.arm = SYNTHETIC_ODD;
		rc = synthetic_add_sized_cell(store, &arm, synthetic_workloads[family % 2],
					      64 + 8 * (int64_t)(family / 2), &cells[i], err);
	}
	for (int block = 0; !rc && block < spec->nr_blocks; block++)
		rc = synthetic_add_block(store, spec, cells, block, &state, err);
	if (!rc && spec->is_finished)
		rc = nslab_store_finish(store, "done", 0.21, "2025-01-02T03:05:05Z", err);
	nslab_store_close(store);
	free(cells);
	return rc;
}

#endif
