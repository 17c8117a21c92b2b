/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec_folder.c: where a run goes, and that only one process writes there.
 *
 * A new run gets a folder of its own, named after time and plan. The folder is locked with flock()
 * for as long as the process lives, whatever kills it, so that nobody goes on with a run that is
 * still at work. A file system without such locks does not stop a run.
 */
#define _GNU_SOURCE
#include "runner/exec_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void exec_parent_folder(char *path, size_t bytes)
{
	const char *runs = getenv("NUMASLAB_RUNS");

	if (runs && *runs)
		snprintf(path, bytes, "%s", runs);
	else
		snprintf(path, bytes, "%s",
			 access("results/store.h", F_OK) ? "numaslab-runs" : "results/runs");
}

static int make_failed(const char *path, struct nslab_err *err)
{
	return nslab_fail(err, -errno, "cannot make folder '%s': %s", path, strerror(errno));
}

static int make_folders(const char *path, struct nslab_err *err)
{
	char partial[4096];

	snprintf(partial, sizeof(partial), "%s", path);
	for (char *slash = partial + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		if (mkdir(partial, 0777) && errno != EEXIST)
			return make_failed(partial, err);
		*slash = '/';
	}
	return mkdir(path, 0777) && errno != EEXIST ? make_failed(path, err) : 0;
}

int exec_make_folder(struct exec *e)
{
	char parent[2048], stamp[32], database[4200];
	time_t now = time(NULL);
	struct tm tm;
	char *folder = e->result->folder;
	int rc = 0;

	if (e->options->output) {
		snprintf(folder, sizeof(e->result->folder), "%s", e->options->output);
	} else {
		exec_parent_folder(parent, sizeof(parent));
		gmtime_r(&now, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
		for (int k = 1; k < 100; k++) {
			snprintf(folder, sizeof(e->result->folder), "%s/%s-%s%s%.0d", parent, stamp,
				 e->plan->name, k > 1 ? "-" : "", k > 1 ? k : 0);
			if (access(folder, F_OK))
				break;
		}
	}
	snprintf(database, sizeof(database), "%s/run.db", folder);
	if (!access(database, F_OK))
		return nslab_fail(e->err, -EEXIST,
				  "'%s' holds a run already; choose another --output", folder);
	rc = make_folders(folder, e->err);
	return rc;
}

int exec_lock_folder(struct exec *e)
{
	const char *folder = e->result->folder;

	e->lock_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (e->lock_fd < 0)
		return nslab_fail(e->err, -errno, "cannot open folder '%s': %s", folder,
				  strerror(errno));
	if (flock(e->lock_fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return nslab_fail(e->err, -EBUSY, "a run is at work in '%s'; wait for its end",
				  folder);
	return 0;
}
