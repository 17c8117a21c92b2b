/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_timer_skew.c: the offset between two CPUs' clocks, on clocks of the test's own.
 *
 * The clock is one counter that goes up by a step with each reading, on whatever thread, and a PU
 * may be ahead by an offset that the fake pin gives to its thread. So the interval is known to the
 * tick, however the two threads are scheduled, and no time is taken.
 */
#include "runner/timer_check.h"
#include "runner/timer_skew.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define START UINT64_C(1000000000)

static struct {
	_Atomic uint64_t now;
	uint64_t step;
	unsigned slow_every; /* readings, of which one takes 100 steps; 0: none */
	_Atomic unsigned nr_reads;
	int64_t offset; /* of PU 1 */
	int refused;	/* PU that cannot be had; -1: none */
} fake;

static _Thread_local int64_t my_offset;

static void fake_init(uint64_t step, int64_t offset)
{
	memset(&fake, 0, sizeof(fake));
	fake.now = START;
	fake.step = step;
	fake.offset = offset;
	fake.refused = -1;
}

static int fake_pin(int pu_os_index)
{
	if (pu_os_index == fake.refused)
		return -EINVAL;
	my_offset = pu_os_index == 1 ? fake.offset : 0;
	return 0;
}

static uint64_t fake_read(void)
{
	unsigned nr = atomic_fetch_add(&fake.nr_reads, 1);
	bool is_slow = fake.slow_every && nr % fake.slow_every;
	uint64_t step = is_slow ? 100 * fake.step : fake.step;

	return atomic_fetch_add(&fake.now, step) + step + (uint64_t)my_offset;
}

static uint64_t fake_ticks(const struct nslab_ticker *ticker)
{
	(void)ticker;
	return fake_read();
}

static uint64_t fake_ns(const struct nslab_clock *clock)
{
	(void)clock;
	return fake_read();
}

static const struct nslab_ticker fake_ticker = {"fake", fake_ticks};
static const struct nslab_clock fake_clock = {fake_ns, fake_ns};

static void skew_is_known_to_a_hand_over(void **state)
{
	static const int64_t offsets[] = {0, 1000, -1000, 7, 50000000};
	struct nslab_skew skew;

	(void)state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		double offset = (double)offsets[i];

		fake_init(10, offsets[i]);
		assert_int_equal(nslab_skew_measure(&fake_ticker, fake_pin, 0, 1, 20, &skew), 0);
		assert_true(skew.lo == offset - 10 && skew.hi == offset + 10);
		assert_true(nslab_skew_proven(&skew) == fmax(0, fabs(offset) - 10));
		assert_true(nslab_skew_bound(&skew) == fabs(offset) + 10);
	}
}

/* Hand-overs of any length: the true offset is never left out. */
static void slow_hand_overs_tell_less_and_nothing_wrong(void **state)
{
	struct nslab_skew skew;

	(void)state;
	for (unsigned every = 2; every < 12; every++) {
		fake_init(10, 300);
		fake.slow_every = every;
		assert_int_equal(nslab_skew_measure(&fake_ticker, fake_pin, 0, 1, 50, &skew), 0);
		assert_true(skew.lo < 300 && skew.hi > 300);
		assert_true(skew.lo >= 300 - 1000 && skew.hi <= 300 + 1000);
	}
}

static void skew_is_an_error_when_a_pu_cannot_be_had(void **state)
{
	struct nslab_skew skew;

	(void)state;
	for (int refused = 0; refused < 2; refused++) {
		fake_init(10, 0);
		fake.refused = refused;
		assert_int_equal(nslab_skew_measure(&fake_ticker, fake_pin, 0, 1, 20, &skew),
				 -EINVAL);
	}
}

static void timer_check_reports_the_bound_over_all_pus(void **state)
{
	static const int pus[] = {0, 2, 5, 7};
	struct nslab_timer_spec spec = {&fake_ticker, &fake_clock, pus, 4, 2, fake_pin, 20};
	struct nslab_timer_check check;
	struct nslab_err err = {""};
	char why[160];

	(void)state;
	fake_init(1000, 0);
	fake.refused = 5;
	assert_int_equal(nslab_timer_check(&spec, &check, &err), 0);
	assert_int_equal(check.nr_skew_pus, 2);
	assert_true(fabs(check.skew_bound_ns - 1000) < 1);
	assert_true(check.skew_proven_ns == 0);
	check.drift_ppm = check.ticker_cost_ns = check.clock_cost_ns = 0; /* of a clock so coarse */
	assert_true(nslab_timer_is_good(&check, why, sizeof(why)));
	spec.nr_pus = 1;
	assert_int_equal(nslab_timer_check(&spec, &check, &err), 0);
	assert_int_equal(check.nr_skew_pus, 0);
}

static void timer_check_is_not_good_when_a_skew_is_proven(void **state)
{
	struct nslab_timer_check check = {
		.ticker = "fake", .nr_skew_pus = 3, .skew_proven_ns = 99, .worst_skew_pu = 2};
	char why[160];
	json_t *json;

	(void)state;
	assert_true(nslab_timer_is_good(&check, why, sizeof(why)));
	check.skew_proven_ns = 400;
	assert_false(nslab_timer_is_good(&check, why, sizeof(why)));
	assert_string_equal(why, "the clock of PU 2 is at least 400 ns off the first's");
	json = nslab_timer_json(&check);
	assert_true(json_real_value(json_object_get(json, "skew_proven_ns")) == 400);
	json_decref(json);
	check.nr_skew_pus = 0;
	json = nslab_timer_json(&check);
	assert_true(json_is_null(json_object_get(json, "skew_bound_ns")));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(skew_is_known_to_a_hand_over),
		cmocka_unit_test(slow_hand_overs_tell_less_and_nothing_wrong),
		cmocka_unit_test(skew_is_an_error_when_a_pu_cannot_be_had),
		cmocka_unit_test(timer_check_reports_the_bound_over_all_pus),
		cmocka_unit_test(timer_check_is_not_good_when_a_skew_is_proven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
