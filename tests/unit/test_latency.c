/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_latency.c: the pass that times single operations, and the check of the timers, on a ticker
 * and a clock of their own. Both move only by planted costs: of an operation, of a reading, of a
 * rare slow operation. So every percentile and the sampling's cost are known beforehand.
 */
#include "core/rng.h"
#include "results/latency.h"
#include "runner/latency.h"
#include "runner/timer_check.h"

#include <errno.h>
#include <math.h>
#include <numaslab/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NS_PER_TICK 0.4
#define PAIRS	    10

/* One source of time behind both clocks, in ns. */
struct fake {
	struct nslab_timed timed;
	double now_ns;
	double op_ns, read_ns;
	double slow_ns; /* of one operation in slow_every, drawn by the seed */
	uint32_t slow_every;
	uint64_t seed, nr_ops, nr_calls, limit;
	size_t extra; /* operations that a call does more than asked */
	double drift; /* of the ticker, per ns */
	int backward; /* pin number at which the ticker falls back */
	int nr_pins, refused;
};

static struct fake fake;

static uint64_t fake_ticks(const struct nslab_ticker *ticker)
{
	double rate = (1 + fake.drift * fake.now_ns) / NS_PER_TICK;

	(void)ticker;
	fake.now_ns += fake.read_ns;
	return (uint64_t)(fake.now_ns * rate) -
	       (fake.backward && fake.nr_pins >= fake.backward ? 20000 : 0);
}

static uint64_t fake_now(const struct nslab_clock *clock)
{
	(void)clock;
	fake.now_ns += fake.read_ns;
	return (uint64_t)fake.now_ns;
}

static const struct nslab_ticker fake_ticker = {"fake", fake_ticks};
static const struct nslab_clock fake_clock = {fake_now, fake_now};

static size_t fake_batch(struct nslab_timed *timed, size_t n)
{
	(void)timed;
	if (fake.nr_ops >= fake.limit)
		return 0;
	n += fake.extra;
	fake.nr_calls++;
	for (size_t i = 0; i < n; i++) {
		fake.nr_ops++;
		fake.now_ns += fake.slow_every && !nslab_rng_below(&fake.seed, fake.slow_every)
				       ? fake.slow_ns
				       : fake.op_ns;
	}
	return n;
}

static void fake_init(double op_ns)
{
	fake = (struct fake){.timed = {fake_batch},
			     .now_ns = 1e6,
			     .op_ns = op_ns,
			     .read_ns = 10,
			     .limit = UINT64_MAX,
			     .seed = 5};
}

static int run_pass(struct nslab_latency *latency, struct nslab_latency_found *found,
		    atomic_bool *is_stopping)
{
	*latency = (struct nslab_latency){
		.window_ns = 1000000, .nr_pairs = PAIRS, .is_stopping = is_stopping};
	nslab_latency_start(latency, &fake_ticker, &fake_clock);
	assert_int_equal(nslab_latency_found_init(latency, found), 0);
	return nslab_latency_run(latency, &fake.timed, 2000, 11, found);
}

static void ticker_is_calibrated_when_it_was_watched_for_long_enough(void **state)
{
	struct nslab_tick_mark from, to;

	(void)state;
	fake_init(1);
	nslab_tick_mark(&fake_ticker, &fake_clock, &from);
	fake.now_ns += 1e8;
	nslab_tick_mark(&fake_ticker, &fake_clock, &to);
	assert_true(isnan(nslab_ns_per_tick(&from, &to)));
	fake.now_ns += 1e8 + 1000;
	nslab_tick_mark(&fake_ticker, &fake_clock, &to);
	assert_true(fabs(nslab_ns_per_tick(&from, &to) - NS_PER_TICK) < 1e-6);
	assert_true(fabs(nslab_ticker_cost(&fake_ticker) * NS_PER_TICK - 10) < 0.5);
}

static void latency_finds_planted_times_when_one_operation_in_50_is_slow(void **state)
{
	struct nslab_latency_found found;
	atomic_bool is_stopping = false;
	struct nslab_latency latency;

	(void)state;
	fake_init(40);
	fake.slow_every = 50;
	fake.slow_ns = 3000;
	assert_int_equal(run_pass(&latency, &found, &is_stopping), 0);
	assert_true(found.hist.nr > 500);
	assert_int_equal(found.nr_ops, found.hist.nr);
	/* the clock's 10 ns are in the value; ticks of 0.4 ns round it by one */
	assert_true(fabs(nslab_hist_quantile(&found.hist, 0.5) - 50) <= 1);
	assert_true(fabs(nslab_hist_quantile(&found.hist, 0.9) - 50) <= 1);
	assert_true(fabs(nslab_hist_quantile(&found.hist, 0.985) - 3010) <= 3010.0 / 64 + 1);
	nslab_latency_found_free(&found);
}

static void latency_costs_under_a_percent_when_operations_are_as_quick_as_the_clock(void **state)
{
	struct nslab_latency_found found;
	atomic_bool is_stopping = false;
	struct nslab_latency latency;
	json_t *json;
	double overhead;
	const struct nslab_latency_found *list[] = {&found, NULL};

	(void)state;
	fake_init(10);
	assert_int_equal(run_pass(&latency, &found, &is_stopping), 0);
	assert_int_equal(found.nr_ratios, PAIRS);
	json = nslab_latency_json(&latency, list, 2);
	assert_non_null(json);
	overhead = json_real_value(json_object_get(json, "overhead"));
	assert_true(overhead > 0.0005 && overhead < 0.01);
	assert_true(fabs(json_real_value(json_object_get(json, "clock_ns")) - 10) < 0.5);
	json_decref(json);
	nslab_latency_found_free(&found);
}

/* A gap of one length would time the same position of every slab. */
static void latency_gaps_are_geometric_when_many_are_drawn(void **state)
{
	struct nslab_latency_found found;
	atomic_bool is_stopping = false;
	struct nslab_latency latency;
	uint64_t in_windows;

	(void)state;
	fake_init(1000);
	assert_int_equal(run_pass(&latency, &found, &is_stopping), 0);
	assert_true(found.mean_gap >= 16);
	/* sampled windows are half of the time: one value for each gap and the operation behind */
	in_windows = (uint64_t)(PAIRS * 1e6 / 1000);
	assert_true(fabs((double)in_windows / (double)found.hist.nr - (found.mean_gap + 1)) <
		    0.25 * found.mean_gap);
	nslab_latency_found_free(&found);
}

static void latency_tells_operations_per_value_when_a_call_does_more(void **state)
{
	struct nslab_latency_found found;
	atomic_bool is_stopping = false;
	struct nslab_latency latency;

	(void)state;
	fake_init(20);
	fake.extra = 7;
	assert_int_equal(run_pass(&latency, &found, &is_stopping), 0);
	assert_int_equal(found.nr_ops, 8 * found.hist.nr);
	nslab_latency_found_free(&found);
}

static void latency_ends_when_the_trial_stops_or_a_batch_does_nothing(void **state)
{
	struct nslab_latency_found found;
	atomic_bool is_stopping = true;
	struct nslab_latency latency;
	const struct nslab_latency_found *list[] = {&found};

	(void)state;
	fake_init(20);
	assert_int_equal(run_pass(&latency, &found, &is_stopping), -ECANCELED);
	assert_null(nslab_latency_json(&latency, list, 1)); /* nothing found is no histogram */
	nslab_latency_found_free(&found);
	atomic_store(&is_stopping, false);
	fake_init(20);
	fake.limit = 10500000; /* in the middle of the windows */
	assert_int_equal(run_pass(&latency, &found, &is_stopping), -ENODATA);
	nslab_latency_found_free(&found);
}

/* What is written is what is read. */
static void latency_histogram_survives_json_when_it_is_read_back(void **state)
{
	struct nslab_hist *hist = calloc(1, sizeof(*hist));
	struct nslab_latency_found found;
	atomic_bool is_stopping = false;
	struct nslab_latency latency;
	const struct nslab_latency_found *list[] = {&found};
	json_t *json;
	char *text;

	(void)state;
	assert_non_null(hist);
	fake_init(40);
	fake.slow_every = 9;
	fake.slow_ns = 100000;
	assert_int_equal(run_pass(&latency, &found, &is_stopping), 0);
	json = nslab_latency_json(&latency, list, 1);
	text = json_dumps(json_object_get(json, "buckets"), 0);
	hist->nr = found.hist.nr;
	hist->min = found.hist.min;
	hist->max = found.hist.max;
	assert_int_equal(nslab_hist_parse(text, hist), 0);
	assert_memory_equal(hist, &found.hist, sizeof(*hist));
	free(text);
	json_decref(json);
	free(hist);
	nslab_latency_found_free(&found);
}

static void latency_refuses_buckets_when_they_are_damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"7",
		"{}",
		"[1]",
		"[[1]]",
		"[[1,2,3]]",
		"[[2560,10]]",
		"[[-1,10]]",
		"[[3,-10]]",
		"[[3,0],[4,10]]",
		"[[3,9]]",
		"[[3,11]]",
		"[[3,9223372036854775807],[4,1]]",
		"[[\"3\",10]]",
		"[[3,1e1]]",
	};
	struct nslab_hist *hist = calloc(1, sizeof(*hist));

	(void)state;
	assert_non_null(hist);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*hist = (struct nslab_hist){.nr = 10};
		assert_int_equal(nslab_hist_parse(texts[i], hist), -EILSEQ);
	}
	assert_int_equal(nslab_hist_parse(NULL, hist), -EILSEQ);
	*hist = (struct nslab_hist){.nr = 10};
	assert_int_equal(nslab_hist_parse("[[3,4],[5,6]]", hist), 0);
	free(hist);
}

/* ---- timers ---- */

static int fake_pin(int pu_os_index)
{
	fake.now_ns += 2000;
	if (pu_os_index == fake.refused)
		return -EINVAL;
	fake.nr_pins++;
	return 0;
}

static int check(struct nslab_timer_check *found, struct nslab_err *err)
{
	static const int pus[] = {0, 2, 5, 7};
	const struct nslab_timer_spec spec = {&fake_ticker, &fake_clock, pus, 4, 25, fake_pin, 0};

	return nslab_timer_check(&spec, found, err);
}

static void timer_check_finds_planted_figures_when_clocks_are_good(void **state)
{
	struct nslab_timer_check found;
	struct nslab_err err = {""};
	char why[160];

	(void)state;
	fake_init(1);
	fake.refused = 5;
	assert_int_equal(check(&found, &err), 0);
	assert_true(fabs(found.ns_per_tick - NS_PER_TICK) < 1e-6);
	assert_true(fabs(found.ticker_cost_ns - 10) < 0.5);
	assert_true(fabs(found.clock_step_ns - 10) < 0.5);
	assert_true(fabs(found.drift_ppm) < 1);
	assert_int_equal(found.nr_hops, 75);
	assert_int_equal(found.nr_pus, 3);
	assert_int_equal(found.nr_refused, 1);
	assert_int_equal(found.nr_backward, 0);
	assert_true(nslab_timer_is_good(&found, why, sizeof(why)));
}

static void timer_check_finds_a_pu_that_is_behind_when_a_thread_moves_there(void **state)
{
	struct nslab_timer_check found;
	struct nslab_err err = {""};
	char why[160];

	(void)state;
	fake_init(1);
	fake.backward = 30;
	fake.refused = -1;
	assert_int_equal(check(&found, &err), 0);
	assert_int_equal(found.nr_backward, 1);
	/* 20000 ticks are 8000 ns: the move and the readings took some of that back */
	assert_true(found.worst_backward_ns > 0 && found.worst_backward_ns < 8000);
	assert_false(nslab_timer_is_good(&found, why, sizeof(why)));
	assert_non_null(strstr(why, "backward"));
}

static void timer_check_finds_drift_when_the_rate_changes(void **state)
{
	struct nslab_timer_check found;
	struct nslab_err err = {""};
	char why[160];
	json_t *json;

	(void)state;
	fake_init(1);
	fake.drift = 2e-12; /* per ns: 2 * 2e-12 * 2e8 ns apart = 800 ppm */
	fake.refused = -1;
	assert_int_equal(check(&found, &err), 0);
	assert_true(fabs(found.drift_ppm - 800) < 40);
	assert_false(nslab_timer_is_good(&found, why, sizeof(why)));
	json = nslab_timer_json(&found);
	assert_true(json_is_false(json_object_get(json, "is_good")));
	json_decref(json);
}

static void timer_check_says_so_when_a_clock_stands_still(void **state)
{
	struct nslab_timer_check found;
	struct nslab_err err = {""};

	(void)state;
	fake_init(1);
	fake.read_ns = 0;
	assert_int_equal(check(&found, &err), -EIO);
	assert_non_null(strstr(err.text, "stands still"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticker_is_calibrated_when_it_was_watched_for_long_enough),
		cmocka_unit_test(latency_finds_planted_times_when_one_operation_in_50_is_slow),
		cmocka_unit_test(
			latency_costs_under_a_percent_when_operations_are_as_quick_as_the_clock),
		cmocka_unit_test(latency_gaps_are_geometric_when_many_are_drawn),
		cmocka_unit_test(latency_tells_operations_per_value_when_a_call_does_more),
		cmocka_unit_test(latency_ends_when_the_trial_stops_or_a_batch_does_nothing),
		cmocka_unit_test(latency_histogram_survives_json_when_it_is_read_back),
		cmocka_unit_test(latency_refuses_buckets_when_they_are_damaged),
		cmocka_unit_test(timer_check_finds_planted_figures_when_clocks_are_good),
		cmocka_unit_test(timer_check_finds_a_pu_that_is_behind_when_a_thread_moves_there),
		cmocka_unit_test(timer_check_finds_drift_when_the_rate_changes),
		cmocka_unit_test(timer_check_says_so_when_a_clock_stands_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
