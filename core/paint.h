/* SPDX-License-Identifier: GPL-2.0-only */
/* paint.h: words in colour, on a terminal only. */
#ifndef NSLAB_PAINT_H
#define NSLAB_PAINT_H

#include <stdbool.h>
#include <stdio.h>

enum nslab_paint {
	NSLAB_PAINT_BAD,  /* an error */
	NSLAB_PAINT_WARN, /* a warning */
	NSLAB_PAINT_GOOD, /* what is done */
	NSLAB_PAINT_HEAD, /* a heading */
};

/*
 * Is `out` a terminal that shows colours? Never with NO_COLOR in the environment, unless it is
 * empty, nor where TERM is dumb or missing.
 */
bool nslab_paint_is_on(FILE *out);

/* fprintf() in that colour, or without any. */
void nslab_paint(FILE *out, enum nslab_paint paint, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
