/* SPDX-License-Identifier: GPL-2.0-only */
/* folders.h: where files that come with numaslab lie, installed or not. */
#ifndef NSLAB_FOLDERS_H
#define NSLAB_FOLDERS_H

#include <limits.h>

#define NSLAB_NR_FOLDERS 6

/* By precedence; "" where there is none. */
struct nslab_folders {
	char path[NSLAB_NR_FOLDERS][PATH_MAX];
};

/*
 * The folder in the environment's variable, `source` ("examples/plans") in the working directory,
 * ../share/numaslab/`installed` beside the program, and `source` of the checkout that the program
 * was built in.
 */
void nslab_folders_list(struct nslab_folders *folders, const char *variable, const char *source,
			const char *installed);

#endif
