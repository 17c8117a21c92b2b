/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * paint.c: words in colour, on a terminal only.
 *
 * Four meanings, each with one of the eight colours that every terminal has, so that a user's own
 * theme decides how they look on light and on dark. A colour never says what the words do not,
 * since files, pipes, NO_COLOR and people who do not see it get the words alone.
 */
#define _GNU_SOURCE
#include "core/paint.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool nslab_paint_is_on(FILE *out)
{
	const char *refused = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && !(refused && *refused) && term && *term &&
	       strcmp(term, "dumb");
}

void nslab_paint(FILE *out, enum nslab_paint paint, const char *format, ...)
{
	static const char *const begin[] = {
		[NSLAB_PAINT_BAD] = "\033[31m",
		[NSLAB_PAINT_WARN] = "\033[33m",
		[NSLAB_PAINT_GOOD] = "\033[32m",
		[NSLAB_PAINT_HEAD] = "\033[1m",
	};
	bool is_on = nslab_paint_is_on(out);
	va_list args;

	if (is_on)
		fputs(begin[paint], out);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	if (is_on)
		fputs("\033[0m", out);
}
