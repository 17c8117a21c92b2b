/* SPDX-License-Identifier: MIT */
/*
 * param.h: one row of a parameter table.
 *
 * A plug-in describes each of its options once. The row feeds plan files (`key=value`), the
 * command line, `numaslab help NAME`, plan.json, the result header and the tuner's search space.
 * The host checks a value against the row and writes it at `offset` of a zeroed structure of
 * `params_size` bytes, after the defaults.
 */
#ifndef NUMASLAB_PARAM_H
#define NUMASLAB_PARAM_H

#include <numaslab/types.h>

enum nslab_param_type {
	NSLAB_PARAM_INT,    /* int64_t; min..max; accepts suffixes k, m, g (powers of 1024) */
	NSLAB_PARAM_BOOL,   /* bool; accepts 0, 1, no, yes, off, on */
	NSLAB_PARAM_CHOICE, /* int64_t: index into choices[] */
	NSLAB_PARAM_DOUBLE, /* double; min..max are whole numbers */
	NSLAB_PARAM_TEXT,   /* char[NSLAB_TEXT_MAX]: a file's name, a list; "" is allowed */
};

#define NSLAB_TEXT_MAX 256 /* bytes of a text value, its ending NUL included */

#define NSLAB_PARAM_TUNABLE   (1u << 0) /* the tuner may vary it */
#define NSLAB_PARAM_PER_CACHE (1u << 1) /* may differ from cache to cache */

struct nslab_param {
	const char *name; /* lower case, words joined by _ ; a name with a unit ends in it */
	enum nslab_param_type type;
	unsigned flags;		    /* NSLAB_PARAM_* */
	size_t offset;		    /* of the field in the parameter structure */
	const char *def;	    /* default, as a user would write it */
	int64_t min, max;	    /* inclusive; ignored for BOOL and CHOICE */
	const char *const *choices; /* NULL-terminated; for INT: names for -1, -2, ... or NULL */
	const char *help;	    /* one sentence, lower case, no full stop */
};

/* Ends a table. */
#define NSLAB_PARAM_END                                                                            \
 {                                                                                                 \
  .name = NULL                                                                                     \
 }

#endif
