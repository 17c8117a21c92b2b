/* SPDX-License-Identifier: GPL-2.0-only */
/* verify_impl.h: what the verify*.c files share and nobody else needs. */
#ifndef NSLAB_VERIFY_IMPL_H
#define NSLAB_VERIFY_IMPL_H

#include "results/verify.h"

struct verify {
	struct nslab_run_file *file;
	void (*tell)(void *context, const char *text);
	void *context;
	struct nslab_verification *result;
	struct nslab_err *err;
	bool is_imported;	      /* no tool but ours keeps windows */
	struct nslab_window *windows; /* of the trial at hand */
	double *scratch;
	size_t nr_windows, nr_room;
};

void verify_differ(struct verify *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* verify_design.c: seeds and places of all trials against the plan's seed. */
int verify_design(struct verify *v);

#endif
