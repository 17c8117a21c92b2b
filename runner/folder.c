/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * folder.c: a folder for results, named after time and subject.
 *
 * Inside a checkout, which the store's header gives away, results go to the folder that git
 * ignores there. Two commands in the same second get different names; whoever makes a folder that
 * another process made in the meantime must lock or refuse it himself.
 *
 * Left out: removing old results.
 */
#define _GNU_SOURCE
#include "runner/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FOLDER_TRIES 100

static const char *folder_parent(void)
{
	const char *runs = getenv("NUMASLAB_RUNS");

	if (runs && *runs)
		return runs;
	return access("results/store.h", F_OK) ? "numaslab-runs" : "results/runs";
}

int nslab_folder_name(const char *output, const char *name, char *folder, size_t folder_bytes)
{
	time_t now = time(NULL);
	char stamp[32], more[8] = "";
	struct tm tm;
	int length = 0;

	if (output)
		length = snprintf(folder, folder_bytes, "%s", output);
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	for (int k = 1; !output && k < FOLDER_TRIES; k++) {
		if (k > 1)
			snprintf(more, sizeof(more), "-%d", k);
		length = snprintf(folder, folder_bytes, "%s/%s-%s%s", folder_parent(), stamp, name,
				  more);
		if (access(folder, F_OK))
			break;
	}
	return length < 0 || (size_t)length >= folder_bytes ? -ENAMETOOLONG : 0;
}

static int make_failed(const char *path, struct nslab_err *err)
{
	int rc = -errno;

	return nslab_fail(err, rc, "cannot make folder '%s': %s", path, strerror(-rc));
}

int nslab_folder_make(const char *folder, struct nslab_err *err)
{
	char partial[4096];

	snprintf(partial, sizeof(partial), "%s", folder);
	for (char *slash = partial + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		if (mkdir(partial, 0777) && errno != EEXIST)
			return make_failed(partial, err);
		*slash = '/';
	}
	return mkdir(folder, 0777) && errno != EEXIST ? make_failed(folder, err) : 0;
}
