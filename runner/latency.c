/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * latency.c: times single operations between chunks of operations that nobody times.
 *
 * The pass runs after the measured windows, so those are as they would be without it. It is a row
 * of pairs of windows. In the sampled one a worker does batch(gap), then batch(1) between two
 * readings of the ticker, and so on; its twin is a window like the measured ones. Which of the two
 * comes first is drawn, and the log ratio of their speeds is what sampling costs. Gaps are
 * geometric: a fixed gap would meet the same position of every slab. Their mean makes the two
 * readings cost a quarter of a percent of the time between them: fences and cold
 * caches cost as much again.
 *
 * Before the first pair a worker keeps the load up until the ticker was watched for 200 ms since
 * the trial's start. A value is the time of the call, the cost of one reading included. Operations
 * that wait for another worker include the wait: it is service time in a closed loop.
 */
#include "runner/latency.h"

#include "results/stats.h"

#include "core/rng.h"

#include <errno.h>
#include <math.h>
#include <numaslab/types.h>
#include <stdlib.h>

#define LATENCY_GAP_MIN 16.0
#define LATENCY_GAP_MAX 65536.0
#define LATENCY_SHARE	0.0025 /* of the time, for two readings */
#define LATENCY_LONGEST 20.0   /* gaps, of the mean */

void nslab_latency_start(struct nslab_latency *latency, const struct nslab_ticker *ticker,
			 const struct nslab_clock *clock)
{
	latency->ticker = ticker;
	latency->clock = clock;
	latency->cost_ticks = nslab_ticker_cost(ticker);
	nslab_tick_mark(ticker, clock, &latency->start);
}

int nslab_latency_found_init(const struct nslab_latency *latency, struct nslab_latency_found *found)
{
	*found = (struct nslab_latency_found){.ns_per_tick = NAN};
	found->log_ratios = calloc((size_t)latency->nr_pairs, sizeof(*found->log_ratios));
	return found->log_ratios ? 0 : -ENOMEM;
}

void nslab_latency_found_free(struct nslab_latency_found *found)
{
	free(found->log_ratios);
	found->log_ratios = NULL;
}

/* One worker in its pass. */
struct latency_pass {
	const struct nslab_latency *latency;
	struct nslab_timed *timed;
	struct nslab_latency_found *found;
	size_t n;
	uint64_t seed;
	double log_stay; /* ln(1 - 1 / mean gap) */
};

static int latency_check(const struct latency_pass *p, size_t ops)
{
	if (atomic_load_explicit(p->latency->is_stopping, memory_order_relaxed))
		return -ECANCELED;
	return ops ? 0 : -ENODATA;
}

static size_t latency_gap(struct latency_pass *p)
{
	/* 2^-53 .. 1: its logarithm is finite */
	double u = (double)((nslab_rng_next(&p->seed) >> 11) + 1) * 0x1p-53;
	double gap = floor(log(u) / p->log_stay);

	return (size_t)fmin(gap, LATENCY_LONGEST * p->found->mean_gap);
}

/* Keeps the load up until the ticker is calibrated; what an operation takes sets the gap. */
static int latency_watch(struct latency_pass *p)
{
	const struct nslab_latency *l = p->latency;
	uint64_t start = nslab_now_ns(l->clock), ops = 0;
	struct nslab_tick_mark mark;
	double op_ticks;

	do {
		size_t done = p->timed->batch(p->timed, p->n);
		int rc = latency_check(p, done);

		if (rc)
			return rc;
		ops += done;
		nslab_tick_mark(l->ticker, l->clock, &mark);
		p->found->ns_per_tick = nslab_ns_per_tick(&l->start, &mark);
	} while (isnan(p->found->ns_per_tick));
	op_ticks = (double)(mark.ns - start) / p->found->ns_per_tick / (double)ops;
	p->found->mean_gap =
		fmin(fmax(ceil(2 * l->cost_ticks / (LATENCY_SHARE * op_ticks)), LATENCY_GAP_MIN),
		     LATENCY_GAP_MAX);
	p->log_stay = log1p(-1 / p->found->mean_gap);
	return 0;
}

/* Ticks per operation of a window like the measured ones. */
static int latency_twin_window(struct latency_pass *p, uint64_t wished, double *per_op)
{
	const struct nslab_ticker *ticker = p->latency->ticker;
	uint64_t start = nslab_ticks(ticker), now, ops = 0;

	do {
		size_t done = p->timed->batch(p->timed, p->n);
		int rc = latency_check(p, done);

		if (rc)
			return rc;
		ops += done;
		now = nslab_ticks(ticker);
	} while (now - start < wished);
	*per_op = (double)(now - start) / (double)ops;
	return 0;
}

static int latency_sampled_window(struct latency_pass *p, uint64_t wished, double *per_op)
{
	const struct nslab_ticker *ticker = p->latency->ticker;
	struct nslab_latency_found *found = p->found;
	uint64_t start = nslab_ticks(ticker), after, ops = 0;

	do {
		size_t gap = latency_gap(p);
		size_t passed = gap ? p->timed->batch(p->timed, gap) : 0;
		int rc = gap ? latency_check(p, passed) : 0;
		uint64_t before;
		size_t done;

		if (rc)
			return rc;
		before = nslab_ticks(ticker);
		done = p->timed->batch(p->timed, 1);
		after = nslab_ticks(ticker);
		rc = latency_check(p, done);
		if (rc)
			return rc;
		nslab_hist_add(&found->hist,
			       (uint64_t)((double)(after - before) * found->ns_per_tick + 0.5));
		found->nr_ops += done;
		ops += passed + done;
	} while (after - start < wished);
	*per_op = (double)(after - start) / (double)ops;
	return 0;
}

int nslab_latency_run(const struct nslab_latency *latency, struct nslab_timed *timed, size_t n,
		      uint64_t seed, struct nslab_latency_found *found)
{
	struct latency_pass p = {
		.latency = latency, .timed = timed, .found = found, .n = n, .seed = seed};
	int rc = latency_watch(&p);

	for (int i = 0; !rc && i < latency->nr_pairs; i++) {
		uint64_t wished = (uint64_t)((double)latency->window_ns / found->ns_per_tick);
		bool is_twin_first = nslab_rng_below(&p.seed, 2);
		double sampled = NAN, twin = NAN;

		if (is_twin_first)
			rc = latency_twin_window(&p, wished, &twin);
		if (!rc)
			rc = latency_sampled_window(&p, wished, &sampled);
		if (!rc && !is_twin_first)
			rc = latency_twin_window(&p, wished, &twin);
		if (!rc)
			found->log_ratios[found->nr_ratios++] = log(sampled / twin);
	}
	return rc;
}

/* ---- the result ---- */

static json_t *latency_buckets(const struct nslab_hist *hist)
{
	json_t *buckets = json_array();

	for (unsigned i = 0; i < NSLAB_HIST_BUCKETS; i++) {
		if (hist->buckets[i])
			json_array_append_new(
				buckets, json_pack("[i, I]", (int)i, (json_int_t)hist->buckets[i]));
	}
	return buckets;
}

/* e^(median of all workers' log ratios) - 1, or null. */
static json_t *latency_overhead(const struct nslab_latency_found *const *found, int nr)
{
	double *all, overhead = NAN;
	size_t at = 0, room = 1;

	for (int i = 0; i < nr; i++)
		room += found[i] ? (size_t)found[i]->nr_ratios : 0;
	all = calloc(room, sizeof(*all));
	if (!all)
		return json_null();
	for (int i = 0; i < nr; i++) {
		for (int k = 0; found[i] && k < found[i]->nr_ratios; k++)
			all[at++] = found[i]->log_ratios[k];
	}
	if (at)
		overhead = expm1(nslab_median(all, at));
	free(all);
	return isfinite(overhead) ? json_real(overhead) : json_null();
}

json_t *nslab_latency_json(const struct nslab_latency *latency,
			   const struct nslab_latency_found *const *found, int nr)
{
	struct nslab_hist *all = calloc(1, sizeof(*all));
	double gap = 0, clock_ns = 0;
	json_t *json = NULL;
	uint64_t ops = 0;
	int nr_found = 0;

	if (!all)
		return NULL;
	for (int i = 0; i < nr; i++) {
		if (!found[i] || !found[i]->hist.nr)
			continue;
		nslab_hist_merge(all, &found[i]->hist);
		ops += found[i]->nr_ops;
		gap += found[i]->mean_gap;
		clock_ns += latency->cost_ticks * found[i]->ns_per_tick;
		nr_found++;
	}
	if (nr_found)
		json = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:f, s:f, s:f, s:o, s:o}",
				 "name", "operation", "unit", "ns", "scheme", NSLAB_HIST_SCHEME,
				 "n", (json_int_t)all->nr, "min", (json_int_t)all->min, "max",
				 (json_int_t)all->max, "clock", latency->ticker->name, "clock_ns",
				 clock_ns / nr_found, "mean_gap", gap / nr_found, "ops_per_value",
				 (double)ops / (double)all->nr, "overhead",
				 latency_overhead(found, nr), "buckets", latency_buckets(all));
	free(all);
	return json;
}
