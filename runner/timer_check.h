/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * timer_check.h: can the clocks of this machine be believed? For `numaslab selftest timer`.
 */
#ifndef NSLAB_TIMER_CHECK_H
#define NSLAB_TIMER_CHECK_H

#include "core/err.h"
#include "runner/ticker.h"

#include <jansson.h>

/* What is checked; tests plant their own. */
struct nslab_timer_spec {
	const struct nslab_ticker *ticker; /* from nslab_ticker_best */
	const struct nslab_clock *clock;   /* nslab_real_clock */
	const int *pus;			   /* OS indices to hop over */
	int nr_pus;
	int nr_rounds; /* over all PUs; at least 2 * NSLAB_TICKER_WATCH_NS are watched anyway */
	int (*pin)(int pu_os_index); /* nslab_pin_self; moves the calling thread for good */
	int nr_skew_rounds;	     /* of each PU with the first; 0: skew is not looked at */
};

struct nslab_timer_check {
	const char *ticker;    /* "tsc", "cntvct", "clock_gettime" */
	double ns_per_tick;    /* over the whole time watched */
	double ticker_cost_ns; /* of one reading */
	double ticker_step_ns; /* smallest difference seen that is not 0 */
	double clock_cost_ns;  /* the same of the clock that windows are taken with */
	double clock_step_ns;
	double drift_ppm;	  /* rate of the second half against the first, in millionths */
	int nr_pus;		  /* that were visited */
	int nr_refused;		  /* that pin refused */
	uint64_t nr_hops;	  /* from PU to PU */
	uint64_t nr_backward;	  /* hops after which the ticker or the clock was behind */
	double worst_backward_ns; /* 0 when it never was */
	uint64_t watched_ns;
	int nr_skew_pus;       /* whose clocks were held against the first PU's; 0: not measured */
	double skew_bound_ns;  /* no two of ticker or clock, that PU and another, are further apart
				*/
	double skew_proven_ns; /* the worst that is certain; 0: none */
	int worst_skew_pu;     /* OS index, -1: none */
};

/* Takes about half a second. 0, or -EIO with a line when a clock stands still. */
int nslab_timer_check(const struct nslab_timer_spec *spec, struct nslab_timer_check *check,
		      struct nslab_err *err);
/*
 * True when windows and samples can be believed: nothing went backward, the rate held within 100
 * ppm, no PU's clock is for certain more than 100 ns off, and a reading costs less than 1 us. Else
 * the first reason in why.
 */
bool nslab_timer_is_good(const struct nslab_timer_check *check, char *why, size_t why_bytes);
json_t *nslab_timer_json(const struct nslab_timer_check *check);
void nslab_timer_print(const struct nslab_timer_check *check, FILE *out);

#endif
