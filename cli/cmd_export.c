/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_export.c: a run's raw data as CSV or JSON, to stdout or to a file.
 *
 * A file is written under a temporary name beside it and renamed when it is complete, so that no
 * half-written export is ever found under the name that was asked for.
 */
#include "cli/command.h"
#include "results/export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const struct nslab_command nslab_command_export;

struct export_options {
	bool is_csv, is_json;
	const char *output;
};

static int export_write(const struct export_options *options, struct nslab_run_file *file,
			FILE *out, struct nslab_err *err)
{
	int rc = options->is_csv ? nslab_export_csv(file, out, err)
				 : nslab_export_json(file, out, err);

	if (!rc && fflush(out))
		rc = nslab_fail(err, -errno, "cannot write the export: %s", strerror(errno));
	return rc;
}

static int export_to_file(const struct export_options *options, struct nslab_run_file *file,
			  struct nslab_err *err)
{
	char temporary[4200];
	FILE *out;
	int rc;

	if (snprintf(temporary, sizeof(temporary), "%s.tmp.%ld", options->output, (long)getpid()) >=
	    (int)sizeof(temporary))
		return nslab_fail(err, -ENAMETOOLONG, "cannot write '%s': the path is too long",
				  options->output);
	out = fopen(temporary, "wx");
	if (!out) {
		rc = -errno;
		return nslab_fail(err, rc, "cannot write '%s': %s", options->output, strerror(-rc));
	}
	rc = export_write(options, file, out, err);
	if (fclose(out) && !rc)
		rc = nslab_fail(err, -errno, "cannot write the export: %s", strerror(errno));
	if (!rc && rename(temporary, options->output))
		rc = nslab_fail(err, -errno, "cannot write the export: %s", strerror(errno));
	if (rc) {
		unlink(temporary);
		nslab_fail_in(err, rc, "'%s'", options->output);
	}
	return rc;
}

static int export_run(int argc, char **argv)
{
	static struct export_options options;
	const struct nslab_option rows[] = {
		{"csv", 0, NSLAB_OPTION_FLAG, &options.is_csv, NULL,
		 "one row for each window (trials without one: an empty one)"},
		{"json", 0, NSLAB_OPTION_FLAG, &options.is_json, NULL,
		 "the whole run: cells, trials, windows, counters"},
		{"output", 'o', NSLAB_OPTION_TEXT, &options.output, "FILE",
		 "write FILE instead of stdout"},
		{0},
	};
	struct nslab_run_file file;
	struct nslab_err err = {""};
	int nr, rc;
	int status = nslab_options_parse(&nslab_command_export, rows, argc, argv, &nr);

	if (status >= 0)
		return status;
	if (nr != 1 || options.is_csv == options.is_json) {
		fprintf(stderr, "numaslab: export takes one run and one of '--csv' and '--json';"
				" see numaslab export --help\n");
		return NSLAB_EXIT_USAGE;
	}
	rc = nslab_run_file_open(argv[1], &file, &err);
	if (rc)
		return nslab_complain(&err, rc);
	if (options.output && strcmp(options.output, "-"))
		rc = export_to_file(&options, &file, &err);
	else
		rc = export_write(&options, &file, stdout, &err);
	nslab_run_file_close(&file);
	return rc ? nslab_complain(&err, rc) : NSLAB_EXIT_DONE;
}

const struct nslab_command nslab_command_export = {
	.name = "export",
	.summary = "write a run's raw data as CSV or JSON",
	.usage = "RUN",
	.run = export_run,
};
