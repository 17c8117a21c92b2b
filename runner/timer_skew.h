/* SPDX-License-Identifier: GPL-2.0-only */
/* timer_skew.h: how far apart a clock may be on two CPUs, by handing its readings to and fro. */
#ifndef NSLAB_TIMER_SKEW_H
#define NSLAB_TIMER_SKEW_H

#include "runner/ticker.h"

#define NSLAB_SKEW_ROUNDS 500

/* What the clock of another PU is ahead of ours, in ticks: somewhere in lo .. hi. */
struct nslab_skew {
	double lo, hi; /* lo > hi: the clock went backward on one of them */
};

/*
 * nr_rounds hand-overs between the calling thread, moved to here for good, and one of its own on
 * there (OS indices). 0, what pin says, or -errno when there is no thread to be had.
 */
int nslab_skew_measure(const struct nslab_ticker *ticker, int (*pin)(int pu_os_index), int here,
		       int there, int nr_rounds, struct nslab_skew *skew);

/* How far apart they are for certain: 0 when lo .. hi holds 0. */
double nslab_skew_proven(const struct nslab_skew *skew);
/* How far apart they are at most. */
double nslab_skew_bound(const struct nslab_skew *skew);

#endif
