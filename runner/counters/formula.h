/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * formula.h: the value of "REMOTE / (LOCAL + REMOTE)", given values for the names.
 *
 * Names are letters, digits and '_'; numbers are decimal. NaN is "not measured": it goes through
 * every operation, and a division by zero makes it.
 */
#ifndef NSLAB_FORMULA_H
#define NSLAB_FORMULA_H

#include "core/err.h"

#include <stdbool.h>

/* Embedded in what knows the values. */
struct nslab_formula_names {
	/* False: there is no such name. name is len characters long and not terminated. */
	bool (*value)(struct nslab_formula_names *names, const char *name, size_t len,
		      double *value);
};

/* 0, or -EINVAL with what is wrong and where: a name that is not known, a bracket not closed. */
int nslab_formula_eval(const char *text, struct nslab_formula_names *names, double *value,
		       struct nslab_err *err);

#endif
