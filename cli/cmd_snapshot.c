// SPDX-License-Identifier: GPL-2.0-only
/*
 * cmd_snapshot.c: `numaslab snapshot`: what the tuner needs to know of this machine, in a file that
 * can be carried to another one.
 *
 * What is in it is decided in tuner/; this file opens and closes. A file is written under a
 * temporary name and renamed when it is complete. Notes (what could not be read) go to stderr too,
 * since whoever takes a snapshot can still change what the reader of it cannot.
 */
#include "cli/command.h"
#include "tuner/snapshot.h"

#include <errno.h>
#include <stdio.h>

extern const struct nslab_command nslab_command_snapshot;

struct snapshot_options {
	const char *output, *sysroot, *kernel;
};

static int snapshot_write(void *state, FILE *out, struct nslab_err *err)
{
	return nslab_tuner_snapshot_write(state, out, err);
}

static int snapshot_run(int argc, char **argv)
{
	struct snapshot_options o = {NULL, NULL, NULL};
	const struct nslab_option rows[] = {
		{"output", 'o', NSLAB_OPTION_TEXT, &o.output, "FILE",
		 "write FILE instead of stdout"},
		{"sysroot", 0, NSLAB_OPTION_TEXT, &o.sysroot, "DIR", "read below DIR instead of /"},
		{"kernel", 'k', NSLAB_OPTION_TEXT, &o.kernel, "VERSION",
		 "whose rules hold, for a release that is not known: 6.1, 6.12 or 6.18"},
		{.name = NULL},
	};
	struct nslab_tuner_snapshot *snapshot = NULL;
	struct nslab_tuner_given given = {-1, -1, NULL};
	struct nslab_err err = {""};
	int nr, rc;
	int status = nslab_options_parse(&nslab_command_snapshot, rows, argc, argv, &nr);

	if (status >= 0)
		return status;
	given.kernel = o.kernel;
	if (nr)
		rc = nslab_fail(&err, -EINVAL,
				"snapshot takes no operand, not '%.80s'; -o FILE "
				"names the file",
				argv[1]);
	else
		rc = nslab_tuner_snapshot_take(o.sysroot, &given, &snapshot, &err);
	if (!rc)
		rc = nslab_output(o.output, snapshot_write, snapshot, &err);
	for (size_t i = 0; !rc && i < snapshot->nr_notes; i++)
		fprintf(stderr, "note: %s\n", snapshot->notes[i]);
	nslab_tuner_snapshot_free(snapshot);
	return rc ? nslab_complain(&err, rc) : NSLAB_EXIT_DONE;
}

const struct nslab_command nslab_command_snapshot = {
	.name = "snapshot",
	.summary = "write down this machine's slab caches, for numaslab tune elsewhere",
	.usage = "[-o FILE]",
	.run = snapshot_run,
};
