/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_export.c: a run as CSV, JSON or what other tools read, to stdout or to a file.
 *
 * What is written is decided in results/, and where it goes in output.c; this file finds the format
 * and the run. Exactly one of the ways to name a format must be used. Left out: exports of several
 * runs at once.
 */
#include "cli/command.h"
#include "results/export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern const struct nslab_command nslab_command_export;

typedef int (*export_fn)(struct nslab_run_file *file, FILE *out, struct nslab_err *err);

struct export_options {
	export_fn write;
	const char *output;
	struct nslab_run_file file;
};

static const struct {
	const char *name;
	export_fn write;
} export_formats[] = {
	{"csv", nslab_export_csv},
	{"json", nslab_export_json},
	{"gbench", nslab_export_gbench},
	{"openmetrics", nslab_export_openmetrics},
	{"slab_test", nslab_export_slab_test},
};

/* NULL when there is no such format. */
static export_fn export_find(const char *name)
{
	for (size_t i = 0; i < sizeof(export_formats) / sizeof(export_formats[0]); i++) {
		if (!strcmp(export_formats[i].name, name))
			return export_formats[i].write;
	}
	return NULL;
}

static int export_write(void *state, FILE *out, struct nslab_err *err)
{
	struct export_options *options = state;

	return options->write(&options->file, out, err);
}

static int export_run(int argc, char **argv)
{
	static struct export_options options;
	const char *format = NULL;
	bool is_csv = false, is_json = false;
	const struct nslab_option rows[] = {
		{"format", 0, NSLAB_OPTION_TEXT, &format, "FORMAT",
		 "csv, json, gbench, openmetrics or slab_test"},
		{"csv", 0, NSLAB_OPTION_FLAG, &is_csv, NULL,
		 "one row for each window (trials without one: an empty one)"},
		{"json", 0, NSLAB_OPTION_FLAG, &is_json, NULL,
		 "the whole run: cells, trials, windows, counters"},
		{"output", 'o', NSLAB_OPTION_TEXT, &options.output, "FILE",
		 "write FILE instead of stdout"},
		{0},
	};
	struct nslab_err err = {""};
	int nr, rc;
	int status = nslab_options_parse(&nslab_command_export, rows, argc, argv, &nr);

	if (status >= 0)
		return status;
	if (nr != 1 || is_csv + is_json + !!format != 1) {
		fprintf(stderr, "numaslab: export takes one run and one of '--format', '--csv' and"
				" '--json'; see numaslab export --help\n");
		return NSLAB_EXIT_USAGE;
	}
	options.write = export_find(format ? format : is_csv ? "csv" : "json");
	if (!options.write) {
		fprintf(stderr,
			"numaslab: unknown format '%s'; csv, json, gbench, openmetrics or"
			" slab_test are accepted\n",
			format);
		return NSLAB_EXIT_USAGE;
	}
	rc = nslab_run_file_open(argv[1], &options.file, &err);
	if (rc)
		return nslab_complain(&err, rc);
	rc = nslab_output(options.output, export_write, &options, &err);
	nslab_run_file_close(&options.file);
	return rc ? nslab_complain(&err, rc) : NSLAB_EXIT_DONE;
}

const struct nslab_command nslab_command_export = {
	.name = "export",
	.summary = "write a run as CSV, JSON or what other tools read",
	.usage = "RUN",
	.run = export_run,
};
