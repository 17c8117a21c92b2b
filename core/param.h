/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * param.h: parameter tables (see numaslab/param.h for a row): defaults, parsing, printing.
 */
#ifndef NSLAB_CORE_PARAM_H
#define NSLAB_CORE_PARAM_H

#include "core/err.h"

#include <numaslab/param.h>

/* "64", "4k", "1m", "2g" (powers of 1024), sign allowed. 0 or -EINVAL / -ERANGE. */
int nslab_parse_int(const char *text, int64_t *value);

/* Row called `name`, or NULL. rows may be NULL. */
const struct nslab_param *nslab_param_find(const struct nslab_param *rows, const char *name);

/* Checks `text` against the row without storing it; the error names key, value, what is accepted.*/
int nslab_param_check(const struct nslab_param *row, const char *text, struct nslab_err *err);

/* Checks and stores at params + row->offset. */
int nslab_param_set(const struct nslab_param *row, const char *text, void *params,
		    struct nslab_err *err);

/* Writes every row's default into params, which must be params_size zeroed bytes. */
int nslab_param_defaults(const struct nslab_param *rows, void *params, struct nslab_err *err);

/* "0..10", "auto | 0..10", "a | b | c", "yes | no": what the row accepts. */
void nslab_param_accepts(const struct nslab_param *row, char *text, size_t text_bytes);

#endif
