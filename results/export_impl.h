/* SPDX-License-Identifier: GPL-2.0-only */
/* export_impl.h: what the parts of the JSON export share. */
#ifndef NSLAB_EXPORT_IMPL_H
#define NSLAB_EXPORT_IMPL_H

#include "results/store.h"

#include <stdio.h>

/*
 * Writes `,"invalidated":[..],"disturbed":[..],"families":[..]`: trials that do not count and that
 * count although they were disturbed, each {"cell", "block", "attempt", "cause"}; and for each
 * family its A/A contrast ("aa": {"n", "ratio", "lo", "hi", "p", "verdict"} or null) and minimal
 * detectable effects as shares of the baseline's time ("mde": the largest of its arms', "arms":
 * [{"arm", "n", "mde"}]).
 */
int nslab_export_evidence(struct nslab_run_file *file, FILE *out, struct nslab_err *err);

#endif
