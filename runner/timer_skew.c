/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * timer_skew.c: bounds the offset between the clocks of two CPUs.
 *
 * One thread reads its clock and hands over a word; the other sees it, reads its own clock and
 * hands the word back; the first reads again. The reading in the middle happened between the other
 * two, so what the other clock is ahead lies between (middle - last) and (middle - first). Every
 * round cuts that interval from both sides: a slow one (an interrupt, a thread that lost its CPU)
 * only tells less, never something wrong, so the result needs no quiet host. What is left is as
 * wide as the quickest hand-over, some 100 ns, and that is the bound that can be claimed.
 *
 * The turn word is the only thing both write. Its releases and acquires order the readings; a
 * ticker orders itself against the instructions around it. A waiter gives way now and then, since
 * both threads may have been put on one CPU. Left out: drift, which is seen by timer_check.c.
 */
#define _GNU_SOURCE
#include "runner/timer_skew.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define SKEW_SPINS 1000 /* before a waiter gives way */
#define SKEW_LEAVE (-1) /* there is nobody on the other side, or no more rounds */

struct skew_table {
	const struct nslab_ticker *ticker;
	int (*pin)(int pu_os_index);
	int there, rc;
	atomic_int turn; /* odd: the other's; even: ours; SKEW_LEAVE */
	uint64_t middle; /* its owner is whose turn it is */
};

/* What the turn became that was `from`. */
static int skew_wait(struct skew_table *table, int from)
{
	int turn;

	for (unsigned spins = 1;; spins++) {
		turn = atomic_load_explicit(&table->turn, memory_order_acquire);
		if (turn != from)
			return turn;
		if (!(spins % SKEW_SPINS))
			sched_yield();
	}
}

static void skew_hand(struct skew_table *table, int turn)
{
	atomic_store_explicit(&table->turn, turn, memory_order_release);
}

static void *skew_other(void *argument)
{
	struct skew_table *table = argument;
	int turn = 0;

	table->rc = table->pin(table->there);
	skew_hand(table, table->rc ? SKEW_LEAVE : 2); /* here I am */
	turn = table->rc ? SKEW_LEAVE : skew_wait(table, 2);
	while (turn != SKEW_LEAVE) {
		table->middle = nslab_ticks(table->ticker);
		skew_hand(table, turn + 1);
		turn = skew_wait(table, turn + 1);
	}
	return NULL;
}

static double skew_difference(uint64_t a, uint64_t b)
{
	return a < b ? -(double)(b - a) : (double)(a - b);
}

static void skew_rounds(struct skew_table *table, int nr_rounds, struct nslab_skew *skew)
{
	for (int turn = 3; turn < 3 + 2 * nr_rounds; turn += 2) {
		uint64_t first = nslab_ticks(table->ticker), last;

		skew_hand(table, turn);
		skew_wait(table, turn);
		last = nslab_ticks(table->ticker);
		skew->lo = fmax(skew->lo, skew_difference(table->middle, last));
		skew->hi = fmin(skew->hi, skew_difference(table->middle, first));
	}
}

int nslab_skew_measure(const struct nslab_ticker *ticker, int (*pin)(int pu_os_index), int here,
		       int there, int nr_rounds, struct nslab_skew *skew)
{
	struct skew_table table = {.ticker = ticker, .pin = pin, .there = there};
	pthread_t other;
	int rc = pin(here);

	*skew = (struct nslab_skew){-INFINITY, INFINITY};
	if (!rc)
		rc = -pthread_create(&other, NULL, skew_other, &table);
	if (rc)
		return rc;
	if (skew_wait(&table, 0) != SKEW_LEAVE) {
		skew_rounds(&table, nr_rounds, skew);
		skew_hand(&table, SKEW_LEAVE);
	}
	pthread_join(other, NULL);
	return table.rc;
}

double nslab_skew_proven(const struct nslab_skew *skew)
{
	return fmax(0, fmax(skew->lo, -skew->hi));
}

double nslab_skew_bound(const struct nslab_skew *skew)
{
	return fmax(fabs(skew->lo), fabs(skew->hi));
}
