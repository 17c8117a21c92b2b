/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * timer_check.c: resolution, cost, order across CPUs, and drift of the clocks that are used here.
 *
 * One thread reads both clocks, moves to the next PU, and reads again: a reading behind the one
 * before the move means that the PUs' counters are apart by more than a move takes, which is what
 * times taken on two CPUs would suffer from. Drift is found by calibrating twice, over the first
 * and over the second half of the time watched; a counter whose rate follows the CPU's frequency
 * shows there. Cost is that of a row of readings, a step the smallest difference between two.
 *
 * A move takes about a microsecond, so what is less apart is found by two threads (timer_skew.c):
 * every PU's clocks are held against the first one's, which bounds how far they can be apart.
 *
 * Invariant: no result depends on which PU the caller started on.
 */
#include "runner/timer_check.h"

#include "runner/timer_skew.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define CHECK_READS	  4096
#define CHECK_DRIFT_PPM	  100.0
#define CHECK_COST_NS	  1000.0
#define CHECK_SKEW_NS	  100.0
#define CHECK_STUCK_READS 100000000u /* a clock that does not move in so many stands still */

/* The clock of the windows, read like a ticker of 1 ns. */
struct clock_ticker {
	struct nslab_ticker ticker;
	const struct nslab_clock *clock;
};

static uint64_t clock_ticker_now(const struct nslab_ticker *ticker)
{
	return nslab_now_ns(((const struct clock_ticker *)(const void *)ticker)->clock);
}

/* Smallest step above 0; NaN when the ticker stood still. */
static double check_step(const struct nslab_ticker *ticker)
{
	uint64_t before = nslab_ticks(ticker), least = UINT64_MAX;

	for (int i = 0; i < CHECK_READS; i++) {
		uint64_t now = nslab_ticks(ticker);

		if (now > before && now - before < least)
			least = now - before;
		before = now;
	}
	return least == UINT64_MAX ? NAN : (double)least;
}

static double behind(uint64_t before, uint64_t after)
{
	return after < before ? (double)(before - after) : 0;
}

/* The furthest that each clock went back. */
struct check_losses {
	double ticks, ns;
};

/* One move. Both clocks are read on either side of it. */
static void check_hop(const struct nslab_timer_spec *spec, int pu, struct nslab_timer_check *check,
		      struct check_losses *worst)
{
	uint64_t ticks = nslab_ticks(spec->ticker);
	uint64_t ns = nslab_now_ns(spec->clock);
	double lost_ticks, lost_ns;

	if (spec->pin(pu)) {
		check->nr_refused++;
		return;
	}
	lost_ticks = behind(ticks, nslab_ticks(spec->ticker));
	lost_ns = behind(ns, nslab_now_ns(spec->clock));
	check->nr_hops++;
	check->nr_backward += lost_ticks > 0 || lost_ns > 0;
	worst->ticks = fmax(worst->ticks, lost_ticks);
	worst->ns = fmax(worst->ns, lost_ns);
}

static void check_hops(const struct nslab_timer_spec *spec, struct nslab_timer_check *check,
		       struct check_losses *worst)
{
	int nr_refused = 0;

	for (int round = 0; round < spec->nr_rounds; round++) {
		check->nr_refused = 0;
		for (int i = 0; i < spec->nr_pus; i++)
			check_hop(spec, spec->pus[i], check, worst);
		nr_refused = check->nr_refused > nr_refused ? check->nr_refused : nr_refused;
	}
	check->nr_refused = nr_refused;
	check->nr_pus = spec->nr_rounds > 0 ? spec->nr_pus - nr_refused : 0;
}

/* Until the clock is at until_ns, or -EIO when it does not get on. */
static int check_wait(const struct nslab_clock *clock, uint64_t until_ns)
{
	uint64_t last = nslab_now_ns(clock);
	unsigned nr_same = 0;

	for (;;) {
		uint64_t now = nslab_now_ns(clock);

		if (now >= until_ns)
			return 0;
		nr_same = now == last ? nr_same + 1 : 0;
		if (nr_same > CHECK_STUCK_READS)
			return -EIO;
		last = now;
	}
}

static int check_watch(const struct nslab_timer_spec *spec, struct nslab_timer_check *check)
{
	struct nslab_tick_mark start, middle, end;
	struct check_losses worst = {0, 0};
	double first, second;
	int rc;

	nslab_tick_mark(spec->ticker, spec->clock, &start);
	check_hops(spec, check, &worst);
	rc = check_wait(spec->clock, start.ns + NSLAB_TICKER_WATCH_NS);
	if (rc)
		return rc;
	nslab_tick_mark(spec->ticker, spec->clock, &middle);
	rc = check_wait(spec->clock, middle.ns + NSLAB_TICKER_WATCH_NS);
	if (rc)
		return rc;
	nslab_tick_mark(spec->ticker, spec->clock, &end);
	first = nslab_ns_per_tick(&start, &middle);
	second = nslab_ns_per_tick(&middle, &end);
	check->ns_per_tick = nslab_ns_per_tick(&start, &end);
	check->worst_backward_ns = fmax(worst.ticks * check->ns_per_tick, worst.ns);
	check->watched_ns = end.ns - start.ns;
	/* ticks per ns: a counter that runs faster later has a positive drift */
	check->drift_ppm = (first / second - 1) * 1e6;
	return 0;
}

static void check_take_skew(const struct nslab_skew *skew, double ns_per_tick, int pu,
			    struct nslab_timer_check *check)
{
	double proven_ns = nslab_skew_proven(skew) * ns_per_tick;

	check->skew_bound_ns = fmax(check->skew_bound_ns, nslab_skew_bound(skew) * ns_per_tick);
	if (proven_ns <= check->skew_proven_ns)
		return;
	check->skew_proven_ns = proven_ns;
	check->worst_skew_pu = pu;
}

/* A PU that refuses is left out; it was counted by the moves. */
static void check_skew(const struct nslab_timer_spec *spec, const struct nslab_ticker *clock,
		       struct nslab_timer_check *check)
{
	struct nslab_skew of_ticker, of_clock;

	check->worst_skew_pu = -1;
	for (int i = 1; spec->nr_skew_rounds > 0 && i < spec->nr_pus; i++) {
		int first = spec->pus[0], pu = spec->pus[i];

		if (nslab_skew_measure(spec->ticker, spec->pin, first, pu, spec->nr_skew_rounds,
				       &of_ticker) ||
		    nslab_skew_measure(clock, spec->pin, first, pu, spec->nr_skew_rounds,
				       &of_clock))
			continue;
		check_take_skew(&of_ticker, check->ns_per_tick, pu, check);
		check_take_skew(&of_clock, 1, pu, check);
		check->nr_skew_pus++;
	}
}

int nslab_timer_check(const struct nslab_timer_spec *spec, struct nslab_timer_check *check,
		      struct nslab_err *err)
{
	struct clock_ticker clock = {{"clock", clock_ticker_now}, spec->clock};
	int rc;

	*check = (struct nslab_timer_check){.ticker = spec->ticker->name};
	check->ticker_step_ns = check_step(spec->ticker);
	check->clock_step_ns = check_step(&clock.ticker);
	if (isnan(check->ticker_step_ns) || isnan(check->clock_step_ns))
		return nslab_fail(err, -EIO, "cannot check '%s': it stands still",
				  isnan(check->ticker_step_ns) ? spec->ticker->name : "clock");
	check->clock_cost_ns = nslab_ticker_cost(&clock.ticker);
	check->ticker_cost_ns = nslab_ticker_cost(spec->ticker);
	rc = check_watch(spec, check);
	if (rc || isnan(check->ns_per_tick))
		return nslab_fail(err, -EIO, "cannot calibrate '%s': %s", spec->ticker->name,
				  rc ? "the clock stands still" : "it went backward");
	check_skew(spec, &clock.ticker, check);
	check->ticker_step_ns *= check->ns_per_tick;
	check->ticker_cost_ns *= check->ns_per_tick;
	return 0;
}

bool nslab_timer_is_good(const struct nslab_timer_check *check, char *why, size_t why_bytes)
{
	if (check->nr_backward)
		snprintf(why, why_bytes,
			 "time went backward by up to %.0f ns in %" PRIu64 " of %" PRIu64
			 " moves between PUs",
			 check->worst_backward_ns, check->nr_backward, check->nr_hops);
	else if (check->skew_proven_ns > CHECK_SKEW_NS)
		snprintf(why, why_bytes, "the clock of PU %d is at least %.0f ns off the first's",
			 check->worst_skew_pu, check->skew_proven_ns);
	else if (!(fabs(check->drift_ppm) < CHECK_DRIFT_PPM))
		snprintf(why, why_bytes, "'%s' changed its rate by %.0f ppm", check->ticker,
			 check->drift_ppm);
	else if (!(check->ticker_cost_ns < CHECK_COST_NS && check->clock_cost_ns < CHECK_COST_NS))
		snprintf(why, why_bytes, "reading the time costs %.0f ns",
			 fmax(check->ticker_cost_ns, check->clock_cost_ns));
	else
		return true;
	return false;
}

json_t *nslab_timer_json(const struct nslab_timer_check *check)
{
	char why[160] = "";
	bool is_good = nslab_timer_is_good(check, why, sizeof(why));
	bool has_skew = check->nr_skew_pus;

	return json_pack("{s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:i, s:I, s:I, s:f, s:I, s:b,"
			 " s:s?, s:i, s:o, s:o}",
			 "ticker", check->ticker, "ns_per_tick", check->ns_per_tick,
			 "ticker_cost_ns", check->ticker_cost_ns, "ticker_step_ns",
			 check->ticker_step_ns, "clock_cost_ns", check->clock_cost_ns,
			 "clock_step_ns", check->clock_step_ns, "drift_ppm", check->drift_ppm,
			 "pus", check->nr_pus, "pus_refused", check->nr_refused, "hops",
			 (json_int_t)check->nr_hops, "backward", (json_int_t)check->nr_backward,
			 "worst_backward_ns", check->worst_backward_ns, "watched_ns",
			 (json_int_t)check->watched_ns, "is_good", is_good, "reason",
			 is_good ? NULL : why, "skew_pus", check->nr_skew_pus, "skew_bound_ns",
			 has_skew ? json_real(check->skew_bound_ns) : json_null(), "skew_proven_ns",
			 has_skew ? json_real(check->skew_proven_ns) : json_null());
}

void nslab_timer_print(const struct nslab_timer_check *check, FILE *out)
{
	char why[160];

	fprintf(out, "%-14s cost %6.1f ns   step %6.1f ns   %.6f ns a tick\n", check->ticker,
		check->ticker_cost_ns, check->ticker_step_ns, check->ns_per_tick);
	fprintf(out, "%-14s cost %6.1f ns   step %6.1f ns\n", "monotonic raw", check->clock_cost_ns,
		check->clock_step_ns);
	fprintf(out, "drift          %+.2f ppm between two halves of %.1f s\n", check->drift_ppm,
		(double)check->watched_ns / 1e9);
	fprintf(out, "order          %" PRIu64 " moves over %d PUs, %" PRIu64 " backward\n",
		check->nr_hops, check->nr_pus, check->nr_backward);
	if (check->nr_skew_pus)
		fprintf(out,
			"skew           %d PU%s against the first: at most %.0f ns apart, %.0f ns "
			"for certain\n",
			check->nr_skew_pus, check->nr_skew_pus == 1 ? "" : "s",
			check->skew_bound_ns, check->skew_proven_ns);
	else
		fprintf(out, "skew           not measured: it takes two PUs\n");
	if (check->nr_refused)
		fprintf(out, "               %d PUs refused\n", check->nr_refused);
	if (nslab_timer_is_good(check, why, sizeof(why)))
		fprintf(out, "good\n");
	else
		fprintf(out, "not good: %s\n", why);
}
