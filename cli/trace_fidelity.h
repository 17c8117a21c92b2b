/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace_fidelity.h: `numaslab trace fidelity`: a recorded kernel's slab counts against the model's.
 */
#ifndef NSLAB_TRACE_FIDELITY_H
#define NSLAB_TRACE_FIDELITY_H

#include "core/err.h"

#include <stdbool.h>

struct nslab_fidelity_options {
	const char *path;
	const char *kernel;	    /* generation of the slub model; NULL: that of the trace */
	long nr_cpus;		    /* that rules count with; 0: those of the trace */
	long moved, slabs, percent; /* judged beyond `moved`; within max(slabs, percent) */
	bool is_json, is_all;
};

/*
 * Prints the comparison. 0 when every cache that moved is within the bound, 1 when one is not, 77
 * when none moved enough, or a negative errno.
 */
int nslab_trace_fidelity(const struct nslab_fidelity_options *options, struct nslab_err *err);

#endif
