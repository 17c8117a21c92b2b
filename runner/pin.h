/* SPDX-License-Identifier: GPL-2.0-only */
/* pin.h: one thread on one PU, and where the kernel says it ran. */
#ifndef NSLAB_PIN_H
#define NSLAB_PIN_H

#include <stdint.h>

/* Pins the calling thread to a PU (OS index); -errno when the kernel refuses. */
int nslab_pin_self(int pu_os_index);

/* What the scheduler did to the calling thread since it started. */
struct nslab_sched_counts {
	uint64_t run_delay_ns; /* time runnable but not running; 0 when unknown */
	uint64_t cpu_ns;
	uint64_t nr_involuntary_switches;
	uint64_t nr_voluntary_switches; /* it slept by itself */
};
void nslab_sched_counts(struct nslab_sched_counts *counts);

#endif
