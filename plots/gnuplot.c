/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gnuplot.c: finds gnuplot and runs a script with it, without a shell.
 *
 * The program is the one in NUMASLAB_GNUPLOT or `gnuplot` on the path. It runs in the folder of
 * the script, so that the script names its table and pictures without a path; nothing of a user's
 * text is on its command line. What it says on stderr is read through a pipe, and the first line of
 * it becomes the reason when no picture came out; warnings beside a picture are dropped.
 *
 * Left out: a time limit; scripts are ours and read one table.
 */
#define _GNU_SOURCE
#include "core/child.h"
#include "plots/figure.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Arrays and key entries of our scripts need it. */
#define GNUPLOT_NEEDED 5.4

static const char *gnuplot_program(void)
{
	const char *program = getenv("NUMASLAB_GNUPLOT");

	return program && *program ? program : "gnuplot";
}

int nslab_gnuplot_probe(char *why, size_t why_bytes)
{
	char program[PATH_MAX], text[256];
	char *argv[] = {program, "--version", NULL};
	const char *digits;
	double version;
	int rc;

	snprintf(program, sizeof(program), "%s", gnuplot_program());
	rc = nslab_child_run(NULL, argv, text, sizeof(text));
	if (rc) {
		snprintf(why, why_bytes,
			 "cannot run '%.100s': %s; install gnuplot 5.4 or newer (Debian: "
			 "gnuplot-nox)",
			 program, rc < 0 ? strerror(-rc) : "it failed");
		return rc < 0 ? rc : -EIO;
	}
	digits = strpbrk(text, "0123456789");
	version = digits ? strtod(digits, NULL) : 0;
	if (version + 0.001 >= GNUPLOT_NEEDED)
		return 0;
	snprintf(why, why_bytes, "'%.100s' is version %.3g; 5.4 or newer is needed", program,
		 version);
	return -ENOTSUP;
}

/* The first line with letters, which is gnuplot's message (line numbers come before it). */
static void gnuplot_first_words(const char *text, char *out, size_t out_bytes)
{
	const char *best = "it wrote no picture";
	int len = (int)strlen(best);

	while (*text) {
		int line_len = (int)strcspn(text, "\n");
		int blank = (int)strspn(text, " \t^");

		if (blank < line_len && isalpha((unsigned char)text[blank]) &&
		    !memmem(text, (size_t)line_len, "warning", 7)) {
			best = text + blank;
			len = line_len - blank;
			break;
		}
		if (blank < line_len && text[blank] == '"' && strstr(text, ": ")) {
			best = text + blank;
			len = line_len - blank;
		}
		text += line_len;
		text += *text == '\n';
	}
	snprintf(out, out_bytes, "gnuplot: %.*s", len, best);
}

/* gnuplot begins a text with a form feed, whatever it is told, and ends its lines with blanks. */
static void gnuplot_trim(const char *path)
{
	FILE *file = fopen(path, "r+e");
	char *line = NULL;
	size_t line_bytes = 0;
	off_t from = 0, to = 0;

	while (file && !fseeko(file, from, SEEK_SET) && getline(&line, &line_bytes, file) > 0) {
		size_t feed = strspn(line, "\f"), len = strcspn(line, "\n");

		from = ftello(file);
		while (len > feed && line[len - 1] == ' ')
			len--;
		fseeko(file, to, SEEK_SET);
		fprintf(file, "%.*s\n", (int)(len - feed), line + feed);
		to = ftello(file);
	}
	free(line);
	if (file && (fflush(file) || ftruncate(fileno(file), to)))
		unlink(path); /* half a text */
	if (file)
		fclose(file);
}

static const char *gnuplot_ending(unsigned format)
{
	return format == NSLAB_PLOT_PNG ? "png" : format == NSLAB_PLOT_SVG ? "svg" : "txt";
}

void nslab_plots_file(const char *name, unsigned format, bool is_dark, int page, char *file,
		      size_t file_bytes)
{
	char number[16] = "";

	if (page > 1)
		snprintf(number, sizeof(number), "-%d", page);
	snprintf(file, file_bytes, "%.80s%s%s.%s", name, number, is_dark ? "-dark" : "",
		 gnuplot_ending(format));
}

int nslab_gnuplot_run(const struct nslab_gnuplot_job *job, char *why, size_t why_bytes)
{
	char program[PATH_MAX], set[80], script[96], file[128], picture[PATH_MAX], text[2048];
	char *argv[] = {program, "-e", set, script, NULL};
	struct stat st;
	int rc;

	snprintf(program, sizeof(program), "%s", gnuplot_program());
	snprintf(set, sizeof(set), "format='%s'; theme='%s'; page=%d", gnuplot_ending(job->format),
		 job->is_dark ? "dark" : "light", job->page);
	snprintf(script, sizeof(script), "%.80s.gp", job->name);
	nslab_plots_file(job->name, job->format, job->is_dark, job->page, file, sizeof(file));
	if (snprintf(picture, sizeof(picture), "%s/%s", job->folder, file) >= (int)sizeof(picture))
		return -ENAMETOOLONG;
	unlink(picture); /* a picture of an earlier run would look like success */
	rc = nslab_child_run(job->folder, argv, text, sizeof(text));
	if (!rc && job->format == NSLAB_PLOT_TEXT)
		gnuplot_trim(picture);
	if (!rc && !stat(picture, &st) && st.st_size > 0)
		return 0;
	if (rc < 0)
		snprintf(why, why_bytes, "cannot run '%.100s': %s", program, strerror(-rc));
	else
		gnuplot_first_words(text, why, why_bytes);
	unlink(picture);
	return rc < 0 ? rc : -EIO;
}
