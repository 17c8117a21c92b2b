/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * folder.h: where results go when nobody says so.
 */
#ifndef NSLAB_FOLDER_H
#define NSLAB_FOLDER_H

#include "core/err.h"

/*
 * `output`, or with NULL a folder that does not exist yet, named after the time (UTC) and `name`:
 * below $NUMASLAB_RUNS, else results/runs inside a checkout, else numaslab-runs. -ENAMETOOLONG.
 */
int nslab_folder_name(const char *output, const char *name, char *folder, size_t folder_bytes);

/* Makes it and its parents; one that exists is fine. */
int nslab_folder_make(const char *folder, struct nslab_err *err);

#endif
