/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_report.c: `numaslab report RUN -o DIR`: a folder that can be sent, with a page to open in it.
 *
 * The page is report.html, or report.md with --markdown; beside it lie the data that it links to: a
 * copy of the run, cells and windows as CSV, the plan. Each file appears when it is complete. For
 * HTML the plots are drawn in a folder of their own, which goes away, since the page holds them;
 * for Markdown they stay in plots/. The path of the page goes to stdout. A plot that could not be
 * drawn is told there and on the page; the exit status is 0 all the same, since the tables are
 * there.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "plots/report.h"
#include "results/export.h"
#include "runner/folder.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct nslab_command nslab_command_report;

struct report_job {
	const char *output;
	bool is_markdown;
	struct nslab_run_file file;
	struct nslab_report report;
};

static int report_write_page(void *state, FILE *out, struct nslab_err *err)
{
	const struct report_job *job = state;

	return job->is_markdown ? nslab_report_markdown(&job->report, out, err)
				: nslab_report_html(&job->report, out, err);
}

static int report_write_cells(void *state, FILE *out, struct nslab_err *err)
{
	const struct report_job *job = state;
	int rc = nslab_comparison_csv(&job->report.comparison, out);

	return rc ? nslab_fail(err, rc, "cannot write: %s", strerror(-rc)) : 0;
}

static int report_write_windows(void *state, FILE *out, struct nslab_err *err)
{
	struct report_job *job = state;

	return nslab_export_csv(&job->file, out, err);
}

static int report_write_plan(void *state, FILE *out, struct nslab_err *err)
{
	const struct report_job *job = state;

	(void)err;
	fputs(job->file.run.plan_text, out);
	return 0;
}

/* True when the file there is this run too: copied by an earlier report. */
static bool report_is_copy(const struct report_job *job, const char *path)
{
	struct nslab_run_file there = {.store = NULL};
	bool is_copy = false;

	if (!nslab_run_file_open(path, &there, NULL)) {
		is_copy = there.run.uuid && job->file.run.uuid &&
			  !strcmp(there.run.uuid, job->file.run.uuid);
		nslab_run_file_close(&there);
	}
	return is_copy;
}

/* The run itself, unless the report goes to where it is. Another run is never replaced. */
static int report_copy_run(struct report_job *job, const char *path, struct nslab_err *err)
{
	struct stat here, there;
	char temporary[PATH_MAX];
	int rc;

	if (!stat(path, &there)) {
		if (!stat(job->file.path, &here) && here.st_dev == there.st_dev &&
		    here.st_ino == there.st_ino)
			return 0;
		if (!report_is_copy(job, path))
			return nslab_fail(err, -EEXIST,
					  "cannot write '%s': another run is there; give the report"
					  " a folder of its own",
					  path);
	}
	if (snprintf(temporary, sizeof(temporary), "%s.tmp.%ld", path, (long)getpid()) >=
	    (int)sizeof(temporary))
		return nslab_fail(err, -ENAMETOOLONG, "cannot write '%.64s...'", path);
	unlink(temporary);
	rc = nslab_store_copy(job->file.store, temporary, err);
	if (!rc && rename(temporary, path))
		rc = nslab_fail(err, -errno, "cannot write '%s': %s", path, strerror(errno));
	if (rc)
		unlink(temporary);
	return rc;
}

static int report_write_files(struct report_job *job, struct nslab_err *err)
{
	const struct {
		const char *name;
		nslab_output_fn write;
	} files[] = {
		{NSLAB_REPORT_DB, NULL},
		{NSLAB_REPORT_CELLS, report_write_cells},
		{NSLAB_REPORT_WINDOWS, report_write_windows},
		{NSLAB_REPORT_PLAN, job->file.run.plan_text ? report_write_plan : NULL},
		{job->is_markdown ? "report.md" : "report.html", report_write_page},
	};
	char path[PATH_MAX] = "";
	int rc = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !rc; i++) {
		if (snprintf(path, sizeof(path), "%s/%s", job->output, files[i].name) >=
		    (int)sizeof(path))
			return nslab_fail(err, -ENAMETOOLONG, "cannot write into '%.64s...'",
					  job->output);
		if (!strcmp(files[i].name, NSLAB_REPORT_DB))
			rc = report_copy_run(job, path, err);
		else if (files[i].write)
			rc = nslab_output(path, files[i].write, job, err);
	}
	if (!rc)
		printf("%s\n", path);
	return rc;
}

/* A folder with files only. */
static void report_remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[PATH_MAX];

	while (dir && (entry = readdir(dir))) {
		if (snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) <
		    (int)sizeof(path))
			unlink(path);
	}
	if (dir)
		closedir(dir);
	rmdir(folder);
}

static void report_tell_plots(const struct nslab_report *report)
{
	const struct nslab_plots_outcome *plots = &report->plots;

	if (report->plots_reason[0])
		fprintf(stderr, "numaslab: plots are missing: %s\n", report->plots_reason);
	for (size_t i = 0; i < plots->nr; i++) {
		if (!plots->plots[i].is_written || plots->plots[i].is_drawn)
			continue;
		fprintf(stderr, "numaslab: plot '%s' is missing: %s\n", plots->plots[i].name,
			plots->plots[i].reason);
		return; /* the others most likely for the same reason */
	}
}

/* plots: where they are drawn. */
static int report_make(struct report_job *job, const char *plots, struct nslab_err *err)
{
	unsigned formats = job->is_markdown ? NSLAB_PLOT_PNG
					    : NSLAB_PLOT_SVG | NSLAB_PLOT_LIGHT | NSLAB_PLOT_DARK;
	int rc = nslab_folder_make(job->output, err);

	if (rc)
		return rc;
	rc = nslab_report_open(&job->file, plots, formats, &job->report, err);
	if (!rc)
		rc = report_write_files(job, err);
	if (!rc)
		report_tell_plots(&job->report);
	nslab_report_close(&job->report);
	return rc;
}

static int report_make_markdown(struct report_job *job, struct nslab_err *err)
{
	char plots[PATH_MAX];

	snprintf(plots, sizeof(plots), "%.*s/%s", PATH_MAX - 16, job->output, NSLAB_REPORT_PLOTS);
	return report_make(job, plots, err);
}

static int report_make_html(struct report_job *job, struct nslab_err *err)
{
	const char *parent = getenv("TMPDIR");
	char plots[400];
	int rc;

	snprintf(plots, sizeof(plots), "%.300s/numaslab-report.XXXXXX",
		 parent && *parent ? parent : "/tmp");
	if (!mkdtemp(plots)) {
		rc = -errno;
		return nslab_fail(err, rc, "cannot make folder '%s': %s", plots, strerror(-rc));
	}
	rc = report_make(job, plots, err);
	report_remove_folder(plots);
	return rc;
}

static int report_run(int argc, char **argv)
{
	static struct report_job job;
	const struct nslab_option rows[] = {
		{"output", 'o', NSLAB_OPTION_TEXT, &job.output, "DIR",
		 "the folder of the report; made when it is not there"},
		{"markdown", 'm', NSLAB_OPTION_FLAG, &job.is_markdown, NULL,
		 "report.md for a repository or a mail, instead of report.html"},
		{0},
	};
	struct nslab_err err = {""};
	int status, nr, rc;

	status = nslab_options_parse(&nslab_command_report, rows, argc, argv, &nr);
	if (status >= 0)
		return status;
	if (nr != 1 || !job.output || !*job.output) {
		fprintf(stderr, "numaslab: report takes one run and '--output DIR'; see numaslab "
				"report --help\n");
		return NSLAB_EXIT_USAGE;
	}
	rc = nslab_run_file_open(argv[1], &job.file, &err);
	if (rc)
		return nslab_complain(&err, rc);
	rc = job.is_markdown ? report_make_markdown(&job, &err) : report_make_html(&job, &err);
	nslab_run_file_close(&job.file);
	return rc ? nslab_complain(&err, rc) : NSLAB_EXIT_DONE;
}

const struct nslab_command nslab_command_report = {
	.name = "report",
	.summary = "write a page for people: answer, tables, plots, how to do it again",
	.usage = "RUN -o DIR",
	.run = report_run,
};
