/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest_probe.c: trials that are no run: what repetition is worth here, and what observing
 * costs.
 *
 * Both questions need trials that a plan cannot describe: one arm alone many times with every
 * window in hand, and one arm with and without its observers. So trials are launched as a run
 * launches them, and their documents are read as a run reads them, but nothing is stored.
 *
 * Calibration puts the logarithms of windows in processes into nslab_levels and adds what a paired
 * contrast needs: the declared statistic of a trial is far steadier than the mean of its windows,
 * so the number of blocks is reckoned from the spread of the former, about 1.05 (1.96 sqrt(2) sd /
 * precision)^2 for the median of paired differences. Overhead pairs a trial with counters, latency
 * pass and memory sampler against one without, in random order. The clock is read in both, between
 * chunks; its share is reckoned from the cost of a reading and added to the interval.
 *
 * Left out: the level of builds, which needs a second compiler run.
 */
#define _GNU_SOURCE
#include "core/clock.h"
#include "core/rng.h"
#include "runner/record.h"
#include "runner/selftest.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define OVERHEAD_LIMIT	    0.01
#define CLOCK_READS	    64 /* in a window, at most: measure.c */
#define CLOCK_ROUNDS	    10000
#define SEED_CALIBRATE	    UINT64_C(0x20000)
#define SEED_OVERHEAD	    UINT64_C(0x30000)
#define SD_OF_MAD	    1.4826
#define QUANTILE_95	    1.96 /* of the normal distribution, two-sided */
#define SIGNED_RANK_PENALTY 1.05 /* against the t test, on normal noise */
#define FEWEST_BLOCKS	    6

/* One trial, as it came back. */
struct probe {
	struct nslab_launch_result launched;
	struct nslab_trial_record record;
	struct nslab_trial_buffers buffers;
};

static void probe_free(struct probe *p)
{
	nslab_record_free(&p->buffers);
	json_decref(p->launched.document);
}

static bool prober_is_interrupted(const struct nslab_prober *prober)
{
	return prober->is_interrupted && *prober->is_interrupted;
}

/* What runs beside the windows or at their ends, and is not the clock. */
static void probe_observe(json_t *spec, bool is_observed)
{
	json_object_set_new(spec, "counters", json_boolean(is_observed));
	json_object_set_new(spec, "latency", json_boolean(is_observed));
	if (!is_observed)
		json_object_del(spec, "sampler");
}

/* 0 also for a trial that failed: then p->launched.cause says why. Free with probe_free. */
static int probe_run(const struct nslab_prober *prober, const struct nslab_family *family,
		     const struct nslab_arm *arm, uint64_t seed, bool is_observed, struct probe *p,
		     struct nslab_err *err)
{
	json_t *spec = nslab_record_spec(prober->plan, family, arm, seed, NULL);
	struct nslab_launch launch = {
		.preload = arm->library,
		.spec = spec,
		.seed = seed,
		.time_limit_ns = prober->plan->time_limit_ns,
	};
	enum nslab_statistic statistic;
	int rc = -ENOMEM;

	*p = (struct probe){.record = {.ns_per_op = NAN}};
	if (!spec)
		return rc;
	probe_observe(spec, is_observed);
	rc = nslab_statistic_parse(family->statistic, &statistic);
	if (!rc)
		rc = prober->launch(&launch, &p->launched);
	json_decref(spec);
	if (!rc)
		rc = nslab_record_fill(&p->launched, statistic, &p->record, &p->buffers);
	if (rc) {
		probe_free(p);
		return nslab_fail(err, rc, "cannot start a trial: %s", strerror(-rc));
	}
	return 0;
}

/* ---- calibration ---- */

struct calibration_state {
	double *windows; /* [trial][window] log ns per operation */
	double *values;	 /* [trial] */
	double windows_ns, rest_ns;
};

static const struct nslab_arm *baseline_of(const struct nslab_family *family)
{
	for (size_t a = 0; a < family->nr_arms; a++) {
		if (family->arms[a].is_baseline)
			return &family->arms[a];
	}
	return NULL;
}

/* Window i of all counted workers together: log ns per operation and worker; NaN: there is none. */
static double window_value(const struct nslab_trial_record *record, int i, uint64_t *ns)
{
	double rate = 0;
	int nr = 0;

	for (size_t w = 0; w < record->nr_windows; w++) {
		const struct nslab_window *window = &record->windows[w];

		if (window->index != i || !window->is_counted || !window->ops || !window->ns)
			continue;
		rate += (double)window->ops / (double)window->ns;
		*ns = window->ns;
		nr++;
	}
	return nr ? log(nr / rate) : NAN;
}

static void calibration_take(const struct nslab_prober *prober, size_t trial, const struct probe *p,
			     struct calibration_state *state, struct nslab_calibration *row)
{
	int nr = prober->plan->nr_windows;
	uint64_t sum_ns = 0;

	if (!p->record.is_valid) {
		snprintf(row->cause, sizeof(row->cause), "%.255s", p->launched.cause);
		return;
	}
	for (int i = 0; i < nr; i++) {
		uint64_t ns = 0;
		double value = window_value(&p->record, i, &ns);

		if (isnan(value))
			snprintf(row->cause, sizeof(row->cause), "a trial lacks window %d", i);
		state->windows[trial * (size_t)nr + (size_t)i] = value;
		sum_ns += ns;
	}
	state->values[trial] = p->record.ns_per_op;
	state->windows_ns += (double)sum_ns;
	state->rest_ns += (double)p->launched.wall_ns - (double)sum_ns;
}

static int calibration_judge(const struct nslab_prober *prober, size_t nr_trials, double precision,
			     struct calibration_state *state, struct nslab_calibration *row)
{
	size_t sizes[2] = {(size_t)prober->plan->nr_windows, nr_trials};
	double nr_windows = (double)(sizes[0] * nr_trials);
	double costs[2] = {state->windows_ns / nr_windows, state->rest_ns / (double)nr_trials};
	double sd;
	int rc = nslab_levels(state->windows, sizes, costs, 2, row->level);

	if (rc)
		return rc;
	row->nr_windows = sizes[0];
	row->nr_trials = nr_trials;
	row->nr_processes = nslab_levels_outer(row->level, 2, log1p(precision), NSLAB_CONFIDENCE);
	row->ns_per_op = nslab_median(state->values, nr_trials);
	row->spread = SD_OF_MAD * nslab_mad(state->values, nr_trials) / row->ns_per_op;
	sd = QUANTILE_95 * sqrt(2) * row->spread / precision;
	row->nr_blocks = (size_t)ceil(SIGNED_RANK_PENALTY * sd * sd);
	if (row->nr_blocks < FEWEST_BLOCKS)
		row->nr_blocks = FEWEST_BLOCKS;
	return 0;
}

static int calibrate_round(const struct nslab_prober *prober, size_t trial,
			   struct calibration_state *states, struct nslab_calibration *rows,
			   struct nslab_err *err)
{
	for (size_t f = 0; f < prober->plan->nr_families; f++) {
		uint64_t seed = nslab_rng_mix(prober->plan->seed + f, SEED_CALIBRATE + trial);
		struct probe p;
		int rc;

		if (rows[f].cause[0])
			continue;
		if (prober_is_interrupted(prober))
			return nslab_fail(err, -ECANCELED, "interrupted after %zu trials of each",
					  trial);
		rc = probe_run(prober, rows[f].family, rows[f].arm, seed, true, &p, err);
		if (rc)
			return rc;
		calibration_take(prober, trial, &p, &states[f], &rows[f]);
		probe_free(&p);
	}
	return 0;
}

static void calibrate_start(const struct nslab_prober *prober, struct nslab_calibration *rows)
{
	for (size_t f = 0; f < prober->plan->nr_families; f++) {
		const struct nslab_family *family = &prober->plan->families[f];
		const struct nslab_arm *arm = baseline_of(family);
		const char *skipped = arm ? arm->skipped : "no arm can run";

		rows[f] = (struct nslab_calibration){.family = family, .arm = arm};
		if (skipped)
			snprintf(rows[f].cause, sizeof(rows[f].cause), "%.255s", skipped);
	}
}

int nslab_calibrate(const struct nslab_prober *prober, size_t nr_trials, double precision,
		    struct nslab_calibration *rows, struct nslab_err *err)
{
	size_t nr = prober->plan->nr_families;
	size_t nr_windows = nr_trials * (size_t)prober->plan->nr_windows;
	struct calibration_state *states = calloc(nr + 1, sizeof(*states));
	int rc = states ? 0 : -ENOMEM;

	calibrate_start(prober, rows);
	for (size_t f = 0; f < nr && !rc; f++) {
		states[f].windows = calloc(nr_windows, sizeof(double));
		states[f].values = calloc(nr_trials, sizeof(double));
		rc = states[f].windows && states[f].values ? 0 : -ENOMEM;
	}
	for (size_t trial = 0; trial < nr_trials && !rc; trial++)
		rc = calibrate_round(prober, trial, states, rows, err);
	for (size_t f = 0; f < nr && !rc; f++) {
		if (!rows[f].cause[0])
			rc = calibration_judge(prober, nr_trials, precision, &states[f], &rows[f]);
	}
	for (size_t f = 0; states && f < nr; f++) {
		free(states[f].windows);
		free(states[f].values);
	}
	free(states);
	return rc;
}

/* ---- overhead ---- */

static double clock_cost_ns(const struct nslab_clock *clock)
{
	uint64_t start = nslab_now_ns(clock), end = start;

	for (int i = 0; i < CLOCK_ROUNDS; i++)
		end = nslab_now_ns(clock);
	return (double)(end - start) / CLOCK_ROUNDS;
}

int nslab_overhead_judge(const double *d, size_t n, double clock_ns, uint64_t window_ns,
			 struct nslab_overhead *overhead)
{
	int rc = nslab_paired_compare(d, n, NSLAB_CONFIDENCE, &overhead->paired);

	if (rc)
		return rc;
	overhead->estimate = exp(overhead->paired.estimate) - 1;
	overhead->lo = exp(overhead->paired.lo) - 1;
	overhead->hi = exp(overhead->paired.hi) - 1;
	overhead->clock_share = CLOCK_READS * clock_ns / (double)window_ns;
	overhead->is_within = overhead->hi + overhead->clock_share <= OVERHEAD_LIMIT;
	overhead->is_beyond = overhead->lo + overhead->clock_share > OVERHEAD_LIMIT;
	return 0;
}

/* Log ratio of one pair in random order; NaN when a trial of it failed. */
static int overhead_pair(const struct nslab_prober *prober, size_t block, double *d,
			 struct nslab_overhead *overhead, struct nslab_err *err)
{
	const struct nslab_family *family = &prober->plan->families[0];
	uint64_t seed = nslab_rng_mix(prober->plan->seed, SEED_OVERHEAD + block);
	double value[2];

	for (unsigned i = 0; i < 2; i++) {
		unsigned is_observed = i ^ (seed & 1);
		struct probe p;
		int rc = probe_run(prober, family, baseline_of(family), nslab_rng_mix(seed, i),
				   is_observed, &p, err);

		if (rc)
			return rc;
		value[is_observed] = p.record.is_valid ? p.record.ns_per_op : NAN;
		probe_free(&p);
	}
	*d = log(value[1] / value[0]);
	if (isnan(*d))
		overhead->nr_failed++;
	return 0;
}

int nslab_overhead_measure(const struct nslab_prober *prober, size_t nr_blocks,
			   struct nslab_overhead *overhead, struct nslab_err *err)
{
	double *d = calloc(nr_blocks + 1, sizeof(*d));
	size_t n = 0;
	int rc = d ? 0 : -ENOMEM;

	*overhead = (struct nslab_overhead){0};
	for (size_t block = 0; block < nr_blocks && !rc; block++) {
		if (prober_is_interrupted(prober))
			rc = nslab_fail(err, -ECANCELED, "interrupted after %zu pairs", block);
		else
			rc = overhead_pair(prober, block, &d[n], overhead, err);
		if (!rc && !isnan(d[n]))
			n++;
	}
	if (!rc)
		rc = nslab_overhead_judge(d, n, clock_cost_ns(&nslab_real_clock),
					  prober->plan->window_ns, overhead);
	free(d);
	return rc;
}
