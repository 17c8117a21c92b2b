/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * err.c: error texts and the guess at what a mistyped word meant.
 *
 * The text lives in the caller's structure, so there is no global last error and no allocation on a
 * failure path. Texts that do not fit are cut, never overrun.
 */
#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int nslab_fail(struct nslab_err *err, int rc, const char *format, ...)
{
	va_list args;

	if (!err)
		return rc;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return rc;
}

int nslab_fail_in(struct nslab_err *err, int rc, const char *format, ...)
{
	char rest[sizeof(err->text)];
	va_list args;
	int len;

	if (!err)
		return rc;
	memcpy(rest, err->text, sizeof(rest));
	va_start(args, format);
	len = vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(err->text))
		return rc;
	/* a tail that does not fit is cut: what failed first stands in front */
	if (snprintf(err->text + len, sizeof(err->text) - (size_t)len, ": %s", rest) < 0)
		err->text[len] = '\0';
	return rc;
}

#define WORD_MAX 40

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static unsigned edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];

	for (size_t i = 0; i <= na; i++)
		d[i][0] = (unsigned)i;
	for (size_t j = 0; j <= nb; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = a[i - 1] != b[j - 1];

			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[na][nb];
}

const char *nslab_nearest(const char *word, const char *const *names, size_t nr)
{
	size_t len = strlen(word);
	const char *best = NULL;
	unsigned best_distance = 3;

	if (len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < nr; i++) {
		size_t n = strlen(names[i]);
		unsigned distance;

		if (n > WORD_MAX)
			continue;
		distance = edit_distance(word, len, names[i], n);
		if (distance < best_distance && 2 * distance < len) {
			best = names[i];
			best_distance = distance;
		}
	}
	return best;
}
