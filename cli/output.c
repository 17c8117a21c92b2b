// SPDX-License-Identifier: GPL-2.0-only
/*
 * output.c: stdout, or a file that appears when it is complete.
 *
 * A file is written under a temporary name beside it and renamed at its end, so that nobody ever
 * finds half of one under the name that was asked for; a failure removes it. "-" is stdout too.
 * What is written is the caller's part.
 */
#include "cli/command.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int output_write(FILE *out, nslab_output_fn write, void *state, struct nslab_err *err)
{
	int rc = write(state, out, err);

	if (!rc && (fflush(out) || ferror(out)))
		rc = nslab_fail(err, errno ? -errno : -EIO, "cannot write: %s",
				strerror(errno ? errno : EIO));
	return rc;
}

static int output_to_file(const char *path, nslab_output_fn write, void *state,
			  struct nslab_err *err)
{
	char temporary[4200];
	FILE *out;
	int rc;

	if (snprintf(temporary, sizeof(temporary), "%s.tmp.%ld", path, (long)getpid()) >=
	    (int)sizeof(temporary))
		return nslab_fail(err, -ENAMETOOLONG,
				  "cannot write '%.200s...': the path is too long", path);
	out = fopen(temporary, "wx");
	if (!out) {
		rc = -errno;
		return nslab_fail(err, rc, "cannot write '%s': %s", path, strerror(-rc));
	}
	rc = output_write(out, write, state, err);
	if (fclose(out) && !rc)
		rc = nslab_fail(err, -errno, "cannot write: %s", strerror(errno));
	if (!rc && rename(temporary, path))
		rc = nslab_fail(err, -errno, "cannot rename: %s", strerror(errno));
	if (rc) {
		unlink(temporary);
		nslab_fail_in(err, rc, "'%s'", path);
	}
	return rc;
}

int nslab_output(const char *path, nslab_output_fn write, void *state, struct nslab_err *err)
{
	if (path && strcmp(path, "-") != 0)
		return output_to_file(path, write, state, err);
	return output_write(stdout, write, state, err);
}
