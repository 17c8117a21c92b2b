/* SPDX-License-Identifier: GPL-2.0-only */
/* child.h: another program, run to its end without a shell. */
#ifndef NSLAB_CORE_CHILD_H
#define NSLAB_CORE_CHILD_H

#include <stddef.h>

/*
 * Runs argv (NULL-terminated, argv[0] looked for on the path) in folder (NULL: this one) with an
 * empty stdin. What it says on stdout and stderr goes into text, NUL-terminated, and what does not
 * fit is dropped. Exit status, 128 + signal, or -errno when it could not be started.
 */
int nslab_child_run(const char *folder, char *const *argv, char *text, size_t text_bytes);

#endif
