/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_plot.c: `numaslab plot RUN [NAME...]`: tables, scripts and pictures from a result file or
 * from the folder that `numaslab tune` made; with `--table FILE` a heat map from a small table
 * instead.
 *
 * With `--terminal dumb` a plot is drawn with characters and goes to stdout itself. Otherwise what
 * was written goes to stdout, one path a line; what could not be drawn, and why, to stderr.
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
#include <unistd.h>

extern const struct nslab_command nslab_command_plot;

struct plot_options {
	const char *output, *format, *theme, *terminal, *table;
	bool is_list, is_dark;
	unsigned formats;
};

static void plot_print_names(void)
{
	const char *summary;
	const char *name;

	for (size_t i = 0; (name = nslab_plots_name(i, &summary)); i++)
		printf("%-12s %s\n", name, summary);
	for (size_t i = 0; (name = nslab_plots_advice_name(i, &summary)); i++)
		printf("%-12s %s\n", name, summary);
}

static void plot_print_help(void)
{
	const char *summary;
	const char *name;

	printf("\nplots (without a name: all that the run has figures for):\n");
	for (size_t i = 0; (name = nslab_plots_name(i, &summary)); i++)
		printf("  %-12s %s\n", name, summary);
	printf("\nof a folder that numaslab tune made:\n");
	for (size_t i = 0; (name = nslab_plots_advice_name(i, &summary)); i++)
		printf("  %-12s %s\n", name, summary);
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

/* The drawing itself on stdout. */
static void plot_show(const char *folder, const char *name)
{
	char file[128], path[PATH_MAX], buffer[4096];
	FILE *text;
	size_t nr;

	nslab_plots_file(name, NSLAB_PLOT_TEXT, false, 1, file, sizeof(file));
	if (snprintf(path, sizeof(path), "%s/%s", folder, file) >= (int)sizeof(path))
		return;
	text = fopen(path, "re");
	while (text && (nr = fread(buffer, 1, sizeof(buffer), text)))
		fwrite(buffer, 1, nr, stdout);
	if (text)
		fclose(text);
}

static void plot_print_files(const char *folder, unsigned formats,
			     const struct nslab_plot_outcome *plot)
{
	bool has_light = formats & NSLAB_PLOT_LIGHT || !(formats & NSLAB_PLOT_DARK);

	for (unsigned format = NSLAB_PLOT_PNG; format <= NSLAB_PLOT_TEXT; format <<= 1) {
		for (int page = 1; page <= plot->nr_pages && (formats & format); page++) {
			char file[128];

			nslab_plots_file(plot->name, format, false, page, file, sizeof(file));
			if (has_light || format == NSLAB_PLOT_TEXT)
				printf("%s/%s\n", folder, file);
			nslab_plots_file(plot->name, format, true, page, file, sizeof(file));
			if ((formats & NSLAB_PLOT_DARK) && format != NSLAB_PLOT_TEXT)
				printf("%s/%s\n", folder, file);
		}
	}
}

/* Returns the exit status that the outcome asks for. */
static int plot_report(const char *folder, const struct plot_options *options, bool is_all,
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
		if (!options->terminal)
			printf("%s/%s.dat\n%s/%s.gp\n", folder, plot->name, folder, plot->name);
		if (!plot->is_drawn) {
			fprintf(stderr, "numaslab: plot '%s' is a table only: %s\n", plot->name,
				plot->reason);
			status = NSLAB_EXIT_FAILED;
		} else if (options->terminal) {
			plot_show(folder, plot->name);
		} else {
			plot_print_files(folder, options->formats, plot);
		}
	}
	return status;
}

/* A run of which nothing at all can be drawn says why. */
static int plot_complain_empty(const struct nslab_plots_outcome *outcome)
{
	for (size_t i = 0; i < outcome->nr; i++) {
		if (outcome->plots[i].is_written)
			return NSLAB_EXIT_DONE;
	}
	fprintf(stderr, "numaslab: %s\n",
		outcome->nr ? outcome->plots[0].reason : "the run has no plots");
	return NSLAB_EXIT_FAILED;
}

/* Every name is looked at before the first plot is drawn. */
static int plot_check_names(char *const *names, int nr_names)
{
	struct nslab_err err = {.text = ""};

	for (int i = 0; i < nr_names; i++) {
		int rc = nslab_plots_check_name(names[i], &err);

		if (rc)
			return nslab_complain(&err, rc);
	}
	return NSLAB_EXIT_DONE;
}

/* What is drawn: a run, or without one an advice. */
struct plot_source {
	struct nslab_run_file file;
	char advice[PATH_MAX];
};

static int plot_make(struct plot_source *source, const char *folder,
		     const struct plot_options *options, char *const *names, int nr_names)
{
	struct nslab_plots_outcome outcome;
	struct nslab_err err = {.text = ""};
	struct nslab_store *store = source->file.store;
	int status = store ? plot_check_names(names, nr_names) : NSLAB_EXIT_DONE;

	for (int i = 0; !status && (i < nr_names || (!nr_names && !i)); i++) {
		const char *name = nr_names ? names[i] : NULL;
		int rc = store ? nslab_plots_make(store, folder, name, options->formats, &outcome,
						  &err)
			       : nslab_plots_advice(source->advice, folder, name, options->formats,
						    &outcome, &err);

		if (rc)
			return nslab_complain(&err, rc);
		status = plot_report(folder, options, !name, &outcome);
		status = !name && !status ? plot_complain_empty(&outcome) : status;
	}
	return status;
}

static int plot_table(const struct plot_options *options)
{
	const char *folder = options->output ? options->output : "plots";
	struct nslab_plots_outcome outcome;
	struct nslab_err err = {.text = ""};
	int rc = nslab_plots_table(options->table, folder, options->formats, &outcome, &err);

	return rc ? nslab_complain(&err, rc) : plot_report(folder, options, false, &outcome);
}

static int plot_check_options(struct plot_options *options, struct nslab_err *err)
{
	int rc = nslab_plots_formats(options->format, &options->formats, err);

	if (!rc && options->theme)
		rc = nslab_plots_themes(options->theme, &options->formats, err);
	if (options->is_dark)
		options->formats |= NSLAB_PLOT_DARK;
	if (rc || !options->terminal)
		return rc;
	options->formats = NSLAB_PLOT_TEXT;
	if (strcmp(options->terminal, "dumb") != 0)
		return nslab_fail(err, -EINVAL, "unknown terminal '%.40s'; there is dumb",
				  options->terminal);
	return 0;
}

/* advice.json itself, or a folder with one and without a run. */
static bool plot_is_advice(const char *path, char *advice, size_t advice_bytes)
{
	size_t len = strlen(path), name_len = strlen("advice.json");
	char run[PATH_MAX];

	if (len >= name_len && !strcmp(path + len - name_len, "advice.json"))
		return snprintf(advice, advice_bytes, "%s", path) < (int)advice_bytes;
	if (snprintf(advice, advice_bytes, "%s/advice.json", path) >= (int)advice_bytes ||
	    snprintf(run, sizeof(run), "%s/run.db", path) >= (int)sizeof(run))
		return false;
	return access(run, F_OK) && !access(advice, R_OK);
}

static int plot_of_run(const struct plot_options *options, char **operands, int nr_operands)
{
	struct plot_source source = {.file = {.store = NULL}};
	struct nslab_err err = {.text = ""};
	char folder[PATH_MAX];
	int status, rc = 0;
	bool is_advice;

	if (!nr_operands) {
		fprintf(stderr, "numaslab: give a run: its folder or its run.db; see numaslab plot "
				"--help\n");
		return NSLAB_EXIT_USAGE;
	}
	is_advice = plot_is_advice(operands[0], source.advice, sizeof(source.advice));
	if (!is_advice)
		rc = nslab_run_file_open(operands[0], &source.file, &err);
	if (rc)
		return nslab_complain(&err, rc);
	rc = options->output ? 0
			     : plot_default_folder(is_advice ? source.advice : source.file.path,
						   folder, sizeof(folder), &err);
	if (rc)
		status = nslab_complain(&err, rc);
	else
		status = plot_make(&source, options->output ? options->output : folder, options,
				   operands + 1, nr_operands - 1);
	nslab_run_file_close(&source.file);
	return status;
}

static int plot_run(int argc, char **argv)
{
	struct plot_options options = {.format = "png,svg"};
	const struct nslab_option rows[] = {
		{"output", 'o', NSLAB_OPTION_TEXT, &options.output, "DIR",
		 "where to (default: plots/ beside the run's file)"},
		{"format", 'f', NSLAB_OPTION_TEXT, &options.format, "LIST",
		 "png, svg, txt or several (default: png,svg)"},
		{"theme", 't', NSLAB_OPTION_TEXT, &options.theme, "NAME",
		 "light, dark or both (default: light)"},
		{"dark", 'd', NSLAB_OPTION_FLAG, &options.is_dark, NULL,
		 "the same as --theme dark"},
		{"terminal", 'T', NSLAB_OPTION_TEXT, &options.terminal, "dumb",
		 "draw with characters, here"},
		{"table", 0, NSLAB_OPTION_TEXT, &options.table, "FILE",
		 "draw a heat map from a table (docs/plots.md)"},
		{"list", 'l', NSLAB_OPTION_FLAG, &options.is_list, NULL,
		 "print the names of the plots"},
		{0},
	};
	struct nslab_err err = {.text = ""};
	int nr_operands, status, rc;

	status = nslab_options_parse(&nslab_command_plot, rows, argc, argv, &nr_operands);
	if (status >= 0)
		return status;
	if (options.is_list) {
		plot_print_names();
		return NSLAB_EXIT_DONE;
	}
	rc = plot_check_options(&options, &err);
	if (rc)
		return nslab_complain(&err, rc);
	if (options.table)
		return plot_table(&options);
	return plot_of_run(&options, argv + 1, nr_operands);
}

const struct nslab_command nslab_command_plot = {
	.name = "plot",
	.summary = "draw a run: tables, gnuplot scripts, PNG and SVG",
	.usage = "RUN [NAME...]",
	.run = plot_run,
	.print_more = plot_print_help,
};
