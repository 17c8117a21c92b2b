/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_plot.c: `numaslab plot RUN [NAME...]`: tables, scripts and pictures from a result file.
 *
 * What was written goes to stdout, one path a line; what could not be drawn, and why, to stderr.
 * Without names every plot that the run has cells for is drawn. The exit status is 1 when a table
 * was written but its picture could not be drawn. Reading a run never changes it.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "plots/plots.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

extern const struct nslab_command nslab_command_plot;

static void plot_print_names(void)
{
	const char *summary;
	const char *name;

	for (size_t i = 0; (name = nslab_plots_name(i, &summary)); i++)
		printf("%-12s %s\n", name, summary);
}

static int plot_default_folder(const char *path, char *folder, size_t folder_bytes,
			       struct nslab_err *err)
{
	const char *slash = strrchr(path, '/');
	int len = slash ? (int)(slash - path) : 1;

	if (snprintf(folder, folder_bytes, "%.*s/plots", len, slash ? path : ".") >=
	    (int)folder_bytes)
		return nslab_fail(err, -ENAMETOOLONG, "cannot make a folder beside '%.64s...'",
				  path);
	return 0;
}

/* Returns the exit status that the outcome asks for. */
static int plot_report(const char *folder, unsigned formats, bool is_all,
		       const struct nslab_plots_outcome *outcome)
{
	int status = NSLAB_EXIT_DONE;

	for (size_t i = 0; i < outcome->nr; i++) {
		const struct nslab_plot_outcome *plot = &outcome->plots[i];

		if (!plot->is_written) {
			if (!is_all)
				fprintf(stderr, "numaslab: %s\n", plot->reason);
			continue;
		}
		printf("%s/%s.dat\n%s/%s.gp\n", folder, plot->name, folder, plot->name);
		if (!plot->is_drawn) {
			fprintf(stderr, "numaslab: plot '%s' is a table only: %s\n", plot->name,
				plot->reason);
			status = NSLAB_EXIT_FAILED;
			continue;
		}
		if (formats & NSLAB_PLOT_PNG)
			printf("%s/%s.png\n", folder, plot->name);
		if (formats & NSLAB_PLOT_SVG)
			printf("%s/%s.svg\n", folder, plot->name);
	}
	return status;
}

static int plot_make(struct nslab_run_file *file, const char *folder, unsigned formats,
		     char *const *names, int nr_names)
{
	struct nslab_plots_outcome outcome;
	struct nslab_err err = {.text = ""};
	int status = NSLAB_EXIT_DONE;

	for (int i = 0; i < nr_names || (!nr_names && !i); i++) {
		const char *name = nr_names ? names[i] : NULL;
		int rc = nslab_plots_make(file->store, folder, name, formats, &outcome, &err);
		int one;

		if (rc)
			return nslab_complain(&err, rc);
		one = plot_report(folder, formats, !name, &outcome);
		status = one ? one : status;
	}
	return status;
}

static int plot_run(int argc, char **argv)
{
	const char *output = NULL, *format = "png,svg";
	bool is_list = false;
	const struct nslab_option rows[] = {
		{"output", 'o', NSLAB_OPTION_TEXT, &output, "DIR",
		 "where to (default: plots/ beside the run's file)"},
		{"format", 'f', NSLAB_OPTION_TEXT, &format, "LIST", "png, svg or both"},
		{"list", 'l', NSLAB_OPTION_FLAG, &is_list, NULL, "print the names of the plots"},
		{0},
	};
	struct nslab_run_file file = {.store = NULL};
	struct nslab_err err = {.text = ""};
	char folder[PATH_MAX];
	unsigned formats = 0;
	int nr_operands, status, rc;

	status = nslab_options_parse(&nslab_command_plot, rows, argc, argv, &nr_operands);
	if (status >= 0)
		return status;
	if (is_list) {
		plot_print_names();
		return NSLAB_EXIT_DONE;
	}
	if (!nr_operands) {
		fprintf(stderr, "numaslab: give a run: its folder or its run.db; see numaslab plot "
				"--help\n");
		return NSLAB_EXIT_USAGE;
	}
	rc = nslab_plots_formats(format, &formats, &err);
	if (!rc)
		rc = nslab_run_file_open(argv[1], &file, &err);
	if (rc)
		return nslab_complain(&err, rc);
	rc = output ? 0 : plot_default_folder(file.path, folder, sizeof(folder), &err);
	if (rc)
		status = nslab_complain(&err, rc);
	else
		status = plot_make(&file, output ? output : folder, formats, argv + 2,
				   nr_operands - 1);
	nslab_run_file_close(&file);
	return status;
}

const struct nslab_command nslab_command_plot = {
	.name = "plot",
	.summary = "draw a run: tables, gnuplot scripts, PNG and SVG",
	.usage = "RUN [NAME...]",
	.run = plot_run,
};
