/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec_folder.c: where a run goes, and that only one process writes there.
 *
 * A new run gets a folder of its own (folder.c). The folder is locked with flock() for as long as
 * the process lives, whatever kills it, so that nobody goes on with a run that is
 * still at work. A file system without such locks does not stop a run.
 */
#define _GNU_SOURCE
#include "runner/exec_impl.h"
#include "runner/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

int exec_make_folder(struct exec *e)
{
	char *folder = e->result->folder, database[4200];
	int rc = nslab_folder_name(e->options->output, e->plan->name, folder,
				   sizeof(e->result->folder));

	if (rc)
		return nslab_fail(e->err, rc, "the name of the run's folder is too long");
	snprintf(database, sizeof(database), "%s/run.db", folder);
	if (!access(database, F_OK))
		return nslab_fail(e->err, -EEXIST,
				  "'%s' holds a run already; choose another --output", folder);
	return nslab_folder_make(folder, e->err);
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
