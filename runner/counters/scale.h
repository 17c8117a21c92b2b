/* SPDX-License-Identifier: GPL-2.0-only */
/* scale.h: one value from what the kernel gives for an event that may have been multiplexed. */
#ifndef NSLAB_SCALE_H
#define NSLAB_SCALE_H

#include <numaslab/counter.h>

#include <errno.h>

/* Scaled up when it was counted only part of the time; -ENODATA when it never was. */
static inline void nslab_count_scale(int err, uint64_t raw, uint64_t enabled_ns,
				     uint64_t running_ns, struct nslab_count *count)
{
	double share = running_ns ? (double)enabled_ns / (double)running_ns : 0;

	count->value = 0;
	count->enabled_ns = enabled_ns;
	count->running_ns = running_ns;
	count->err = err ? err : running_ns ? 0 : -ENODATA;
	if (!count->err)
		count->value = share > 1 ? (uint64_t)((double)raw * share + 0.5) : raw;
}

#endif
