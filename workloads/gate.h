/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate.h: all workers of a run wait for each other between two steps of their work.
 *
 * Who comes last opens the gate for this epoch and so for all; the others spin briefly, then yield,
 * and give up when the run is stopping. A worker that gave up must not come again.
 *
 * Barriers: each arrival releases what its worker wrote and the last one acquires it; the store of
 * the epoch releases it to those that wait.
 */
#ifndef NSLAB_WORKLOADS_GATE_H
#define NSLAB_WORKLOADS_GATE_H

#include "core/lock.h"
#include "workloads/common.h"

#include <sched.h>

struct nslab_gate {
	NSLAB_ALIGNED(NSLAB_APART) atomic_uint nr_arrived;
	NSLAB_ALIGNED(NSLAB_APART) atomic_uint epoch;
	unsigned nr_workers;
};

/* False when the run is stopping: not everyone may have come. */
static inline bool nslab_gate_pass(struct nslab_gate *gate, const atomic_bool *is_stopping)
{
	const unsigned epoch = atomic_load_explicit(&gate->epoch, memory_order_relaxed);

	if (atomic_fetch_add_explicit(&gate->nr_arrived, 1, memory_order_acq_rel) + 1 ==
	    gate->nr_workers) {
		atomic_store_explicit(&gate->nr_arrived, 0, memory_order_relaxed);
		atomic_store_explicit(&gate->epoch, epoch + 1, memory_order_release);
		return true;
	}
	for (unsigned spins = 1;; spins++) {
		if (atomic_load_explicit(&gate->epoch, memory_order_acquire) != epoch)
			return true;
		if (atomic_load_explicit(is_stopping, memory_order_relaxed))
			return false;
		if (spins % 256)
			nslab_cpu_relax();
		else
			sched_yield();
	}
}

#endif
