/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * folders.c: the folders in which plans, groups of counters and the like are looked for.
 *
 * A user's own folder comes first, then the working directory's, which is a checkout's for whoever
 * works on numaslab, then what `make install` filled, then the checkout of a build that is run from
 * elsewhere. Folders are reached from the program's own place, so that an installation may be
 * moved. A path that does not fit is left out, as is one that cannot be told.
 *
 * Left out: whether a folder is there; who reads it finds out.
 */
#define _GNU_SOURCE
#include "core/folders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Folder of the running program with `up` and `name` behind it; "" when unknown. */
static void folders_beside_program(char *path, const char *up, const char *name)
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *slash;

	path[0] = '\0';
	program[len > 0 ? len : 0] = '\0';
	slash = strrchr(program, '/');
	if (!slash)
		return;
	*slash = '\0';
	if (strlen(program) + strlen(up) + strlen(name) < PATH_MAX)
		stpcpy(stpcpy(stpcpy(path, program), up), name);
}

void nslab_folders_list(struct nslab_folders *folders, const char *variable, const char *source,
			const char *installed)
{
	const char *asked = getenv(variable);

	if (snprintf(folders->path[0], PATH_MAX, "%s", asked ? asked : "") >= PATH_MAX)
		folders->path[0][0] = '\0';
	snprintf(folders->path[1], PATH_MAX, "%s", source);
	folders_beside_program(folders->path[2], "/../share/numaslab/", installed);
	/* build/cli/numaslab, build/PRESET/cli/numaslab and build/PRESET/tests/unit/test_x */
	folders_beside_program(folders->path[3], "/../../", source);
	folders_beside_program(folders->path[4], "/../../../", source);
	folders_beside_program(folders->path[5], "/../../../../", source);
}
