/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_measure.c: the window loop on a clock of its own. Noise comes from a seeded generator. The
 * fake clock moves only when work is
 * done, by a planted cost per operation plus seeded noise, so every figure is known beforehand and
 * no test depends on this machine's speed.
 */
#include "runner/measure.h"

#include "core/rng.h"
#include "results/reduce.h"

#include <numaslab/types.h>

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define WINDOWS 20
#define SLOT_NS 30000000

struct fake {
	struct nslab_clock clock;
	struct nslab_timed timed;
	struct nslab_meter_hooks hooks;
	uint64_t now_ns;
	double ns_per_op;
	double noise; /* fraction by which a quarter of all time slots is slower */
	uint64_t seed;
	uint64_t nr_ops;
	uint64_t limit; /* batches do nothing after so many operations */
	int nr_started, nr_stopped, nr_all_done;
	uint64_t grows_until; /* operations that still make the footprint larger */
};

static struct fake *current; /* clocks carry no context of their own */

static uint64_t fake_now(const struct nslab_clock *clock)
{
	(void)clock;
	return current->now_ns;
}

static size_t fake_batch(struct nslab_timed *timed, size_t n)
{
	struct fake *f = nslab_container_of(timed, struct fake, timed);
	bool is_slow = nslab_rng_mix(f->seed, f->now_ns / SLOT_NS) % 4 == 0;
	double slow = is_slow ? f->noise : 0;

	if (f->nr_ops >= f->limit)
		return 0;
	f->nr_ops += n;
	f->now_ns += (uint64_t)(f->ns_per_op * (1 + slow) * (double)n);
	return n;
}

static void fake_start(struct nslab_meter_hooks *hooks)
{
	nslab_container_of(hooks, struct fake, hooks)->nr_started++;
}

static void fake_stop(struct nslab_meter_hooks *hooks)
{
	nslab_container_of(hooks, struct fake, hooks)->nr_stopped++;
}

static void fake_all_done(struct nslab_meter_hooks *hooks)
{
	nslab_container_of(hooks, struct fake, hooks)->nr_all_done++;
}

static uint64_t fake_footprint(struct nslab_meter_hooks *hooks)
{
	struct fake *f = nslab_container_of(hooks, struct fake, hooks);

	return f->nr_ops < f->grows_until ? f->nr_ops : f->grows_until;
}

static void fake_init(struct fake *f, double ns_per_op)
{
	*f = (struct fake){
		.clock = {fake_now, fake_now},
		.timed = {fake_batch},
		.hooks = {.on_start = fake_start,
			  .on_stop = fake_stop,
			  .on_all_done = fake_all_done,
			  .footprint = fake_footprint},
		.ns_per_op = ns_per_op,
		.seed = 1,
		.limit = UINT64_MAX,
	};
	current = f;
}

static uint64_t precondition_ns; /* of the meter */

static int measure(struct fake *f, struct nslab_window *windows, atomic_bool *is_stopping)
{
	struct nslab_meter meter = {
		.clock = &f->clock,
		.precondition_ns = precondition_ns,
		.warmup_ns = 20000000,
		.window_ns = 10000000,
		.nr_windows = WINDOWS,
		.nr_workers = 1,
		.is_stopping = is_stopping,
	};

	return nslab_meter_run(&meter, &f->timed, 7, &f->hooks, windows);
}

static void measure_finds_planted_cost_when_clock_is_quiet(void **state)
{
	struct nslab_window windows[WINDOWS] = {{0}};
	double scratch[WINDOWS];
	atomic_bool is_stopping = false;
	struct fake f;

	(void)state;
	fake_init(&f, 3.5);
	assert_int_equal(measure(&f, windows, &is_stopping), 0);
	for (int i = 0; i < WINDOWS; i++) {
		windows[i].is_counted = true;
		assert_int_equal(windows[i].index, i);
		/* the wished 10 ms, plus at most 20 % of jitter and a chunk */
		assert_in_range(windows[i].ns, 9900000, 12200000);
	}
	assert_true(fabs(nslab_trial_ns_per_op(windows, WINDOWS, NSLAB_STATISTIC_Q25, scratch) -
			 3.5) < 1e-3);
	assert_int_equal(f.nr_started, 1);
	assert_int_equal(f.nr_stopped, 1);
	assert_int_equal(f.nr_all_done, 1);
	assert_true(atomic_load(&is_stopping));
}

static void measure_jitters_windows_when_asked_for_equal_ones(void **state)
{
	struct nslab_window windows[WINDOWS] = {{0}};
	atomic_bool is_stopping = false;
	unsigned nr_different = 0;
	struct fake f;

	(void)state;
	fake_init(&f, 2);
	assert_int_equal(measure(&f, windows, &is_stopping), 0);
	for (int i = 1; i < WINDOWS; i++)
		nr_different += windows[i].ops != windows[0].ops;
	assert_true(nr_different > WINDOWS / 2);
}

static void measure_q25_ignores_slow_windows_when_noise_is_one_sided(void **state)
{
	struct nslab_window windows[WINDOWS] = {{0}};
	double scratch[WINDOWS];
	atomic_bool is_stopping = false;
	struct fake f;

	(void)state;
	fake_init(&f, 2);
	f.noise = 0.5;
	assert_int_equal(measure(&f, windows, &is_stopping), 0);
	for (int i = 0; i < WINDOWS; i++)
		windows[i].is_counted = true;
	assert_true(fabs(nslab_trial_ns_per_op(windows, WINDOWS, NSLAB_STATISTIC_Q25, scratch) -
			 2) < 1e-3);
}

static void measure_windows_stay_long_when_warm_up_is_disturbed(void **state)
{
	struct nslab_window windows[WINDOWS] = {{0}};
	atomic_bool is_stopping = false;

	(void)state;
	for (uint64_t seed = 1; seed < 50; seed++) {
		struct fake f;

		fake_init(&f, 2);
		f.noise = 20;
		f.seed = seed;
		atomic_store(&is_stopping, false);
		assert_int_equal(measure(&f, windows, &is_stopping), 0);
		for (int i = 0; i < WINDOWS; i++)
			assert_true(windows[i].ns >= 9900000);
	}
}

static void measure_fails_when_batch_does_nothing(void **state)
{
	struct nslab_window windows[WINDOWS] = {{0}};
	atomic_bool is_stopping = false;
	struct fake f;

	(void)state;
	fake_init(&f, 2);
	f.limit = 30000000; /* some windows later */
	assert_int_equal(measure(&f, windows, &is_stopping), -ENODATA);
	assert_int_equal(f.nr_all_done, 0);
}

static void measure_is_cancelled_when_another_worker_failed(void **state)
{
	struct nslab_window windows[WINDOWS] = {{0}};
	atomic_bool is_stopping = true;
	struct fake f;

	(void)state;
	fake_init(&f, 2);
	assert_int_equal(measure(&f, windows, &is_stopping), -ECANCELED);
}

/* By operations, not by time: a host ten times slower does as many. */
static void measure_preconditions_until_footprint_is_steady(void **state)
{
	struct nslab_window windows[WINDOWS] = {{0}};
	atomic_bool is_stopping;
	struct fake f;

	(void)state;
	precondition_ns = UINT64_C(1000000000);
	for (double ns_per_op = 2; ns_per_op < 30; ns_per_op += 18) {
		fake_init(&f, ns_per_op);
		f.grows_until = 100000;
		atomic_init(&is_stopping, false);
		assert_int_equal(measure(&f, windows, &is_stopping), 0);
		assert_true(f.hooks.is_steady);
		/* rounds of 4096: the 25th reaches the end, three more see no growth */
		assert_int_equal(f.hooks.precondition_ops, 28 * 4096);
	}
	precondition_ns = 0;
}

static void measure_cuts_preconditioning_when_memory_grows_for_ever(void **state)
{
	struct nslab_window windows[WINDOWS] = {{0}};
	atomic_bool is_stopping = false;
	struct fake f;

	(void)state;
	precondition_ns = 1000000;
	fake_init(&f, 2);
	f.grows_until = UINT64_MAX;
	assert_int_equal(measure(&f, windows, &is_stopping), 0);
	precondition_ns = 0;
	assert_false(f.hooks.is_steady);
	assert_in_range(f.hooks.precondition_ops, 500000, 510000);
}

static void trial_value_is_harmonic_over_counted_workers(void **state)
{
	/* worker 0: 2 ns, worker 1: 4 ns, worker 2 is a consumer: not counted */
	const struct nslab_window windows[] = {
		{.worker = 0, .ops = 100, .ns = 200, .is_counted = true},
		{.worker = 1, .ops = 100, .ns = 400, .is_counted = true},
		{.worker = 2, .ops = 100, .ns = 9000, .is_counted = false},
	};
	double scratch[3];
	double value = nslab_trial_ns_per_op(windows, 3, NSLAB_STATISTIC_MEDIAN, scratch);

	(void)state;
	assert_true(fabs(value - 2 / (1.0 / 2 + 1.0 / 4)) < 1e-12);
	assert_true(isnan(nslab_trial_ns_per_op(windows + 2, 1, NSLAB_STATISTIC_MEDIAN, scratch)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measure_finds_planted_cost_when_clock_is_quiet),
		cmocka_unit_test(measure_jitters_windows_when_asked_for_equal_ones),
		cmocka_unit_test(measure_q25_ignores_slow_windows_when_noise_is_one_sided),
		cmocka_unit_test(measure_windows_stay_long_when_warm_up_is_disturbed),
		cmocka_unit_test(measure_fails_when_batch_does_nothing),
		cmocka_unit_test(measure_is_cancelled_when_another_worker_failed),
		cmocka_unit_test(measure_preconditions_until_footprint_is_steady),
		cmocka_unit_test(measure_cuts_preconditioning_when_memory_grows_for_ever),
		cmocka_unit_test(trial_value_is_harmonic_over_counted_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
