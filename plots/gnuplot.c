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

int nslab_gnuplot_run(const char *folder, const char *name, const char *format, char *why,
		      size_t why_bytes)
{
	char program[PATH_MAX], set[32], script[96], picture[PATH_MAX], text[2048];
	char *argv[] = {program, "-e", set, script, NULL};
	struct stat st;
	int rc;

	snprintf(program, sizeof(program), "%s", gnuplot_program());
	snprintf(set, sizeof(set), "format='%.8s'", format);
	snprintf(script, sizeof(script), "%.80s.gp", name);
	if (snprintf(picture, sizeof(picture), "%s/%.80s.%.8s", folder, name, format) >=
	    (int)sizeof(picture))
		return -ENAMETOOLONG;
	unlink(picture); /* a picture of an earlier run would look like success */
	rc = nslab_child_run(folder, argv, text, sizeof(text));
	if (!rc && !stat(picture, &st) && st.st_size > 0)
		return 0;
	if (rc < 0)
		snprintf(why, why_bytes, "cannot run '%.100s': %s", program, strerror(-rc));
	else
		gnuplot_first_words(text, why, why_bytes);
	unlink(picture);
	return rc < 0 ? rc : -EIO;
}
