/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * swap.h: a place where workers leave something and take what another left there.
 *
 * It always holds the same number of things, one, so an exchange of pointers is all that a
 * hand-over takes: nobody waits, and what a worker takes is what the worker before it left. The
 * exchange releases what the giver wrote and acquires what the taker reads.
 */
#ifndef NSLAB_WORKLOADS_SWAP_H
#define NSLAB_WORKLOADS_SWAP_H

#include "workloads/common.h"

/* Zeroed and aligned to NSLAB_APART. */
struct nslab_swap {
	NSLAB_ALIGNED(NSLAB_APART) _Atomic(void *) held;
	atomic_int nr_inside; /* workers that may still touch it */
};

static inline void nslab_swap_enter(struct nslab_swap *swap)
{
	atomic_fetch_add(&swap->nr_inside, 1);
}

/* True for the worker that leaves last: what is held is its to free. */
static inline bool nslab_swap_leave(struct nslab_swap *swap)
{
	return atomic_fetch_sub_explicit(&swap->nr_inside, 1, memory_order_acq_rel) == 1;
}

static inline void *nslab_swap(struct nslab_swap *swap, void *mine)
{
	return atomic_exchange_explicit(&swap->held, mine, memory_order_acq_rel);
}

#endif
