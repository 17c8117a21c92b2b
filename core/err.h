/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * err.h: one line that tells what failed, with what, why, and what to do.
 *
 * Functions return 0 or a negative errno; those that a user's input can make fail also fill a
 * struct nslab_err. Text rules: lower case, no full stop, the subject quoted.
 */
#ifndef NSLAB_CORE_ERR_H
#define NSLAB_CORE_ERR_H

#include <stddef.h>

struct nslab_err {
	char text[1024];
};

/* Sets the text and returns rc, so that `return nslab_fail(err, -EINVAL, ...)` reads well. */
int nslab_fail(struct nslab_err *err, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text that is already there. */
int nslab_fail_in(struct nslab_err *err, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The name in `names` (nr of them) that `word` most likely meant, or NULL when none is near
 * (Damerau-Levenshtein distance at most 2 and below half of the word).
 */
const char *nslab_nearest(const char *word, const char *const *names, size_t nr);

#endif
