/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * param.c: parameter tables.
 *
 * One row describes one option, and everything that handles options walks rows: there is no parsing
 * code per option anywhere. Numbers accept k, m and g as powers of 1024. An INT row whose choices[]
 * is not NULL has names for its negative values: choices[0] stands for -1 ("auto"), and so on.
 */
#include "core/param.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int nslab_parse_int(const char *text, int64_t *value)
{
	int shift = 0;
	char *end;
	long long n;

	if (!*text || isspace((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (end == text)
		return -EINVAL;
	switch (tolower((unsigned char)*end)) {
	case 'g':
		shift += 10; /* fall through */
	case 'm':
		shift += 10; /* fall through */
	case 'k':
		shift += 10;
		end++;
		break;
	default:
		break;
	}
	if (*end)
		return -EINVAL;
	return __builtin_mul_overflow(n, (int64_t)1 << shift, value) ? -ERANGE : 0;
}

const struct nslab_param *nslab_param_find(const struct nslab_param *rows, const char *name)
{
	for (; rows && rows->name; rows++) {
		if (!strcmp(rows->name, name))
			return rows;
	}
	return NULL;
}

static int choice_index(const struct nslab_param *row, const char *text)
{
	for (int i = 0; row->choices && row->choices[i]; i++) {
		if (!strcmp(row->choices[i], text))
			return i;
	}
	return -1;
}

static void append(char *text, size_t text_bytes, const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, text_bytes - len, "%s%s", len ? " | " : "", word);
}

void nslab_param_accepts(const struct nslab_param *row, char *text, size_t text_bytes)
{
	char range[64];

	text[0] = '\0';
	for (int i = 0; row->choices && row->choices[i]; i++)
		append(text, text_bytes, row->choices[i]);
	switch (row->type) {
	case NSLAB_PARAM_INT:
	case NSLAB_PARAM_DOUBLE:
		snprintf(range, sizeof(range), "%" PRId64 "..%" PRId64, row->min, row->max);
		append(text, text_bytes, range);
		break;
	case NSLAB_PARAM_BOOL:
		append(text, text_bytes, "yes | no");
		break;
	case NSLAB_PARAM_CHOICE:
		break;
	case NSLAB_PARAM_TEXT:
		if (row->choices)
			break;
		snprintf(range, sizeof(range), "a text of at most %d bytes", NSLAB_TEXT_MAX - 1);
		append(text, text_bytes, range);
		break;
	}
}

static int refuse(const struct nslab_param *row, const char *text, struct nslab_err *err)
{
	char accepted[256];

	nslab_param_accepts(row, accepted, sizeof(accepted));
	return nslab_fail(err, -EINVAL, "'%s' is not a value for '%s', which accepts %s", text,
			  row->name, accepted);
}

static int parse_bool(const char *text, bool *value)
{
	static const char *const words[] = {"no", "yes", "off", "on", "0", "1", "false", "true"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i], text)) {
			*value = i & 1;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_int(const struct nslab_param *row, const char *text, int64_t *field)
{
	int name = choice_index(row, text);
	int64_t n;

	if (name >= 0)
		n = -1 - name;
	else if (nslab_parse_int(text, &n) || n < row->min || n > row->max)
		return -EINVAL;
	if (field)
		*field = n;
	return 0;
}

static int set_double(const struct nslab_param *row, const char *text, double *field)
{
	char *end;
	double x = strtod(text, &end);

	if (end == text || *end || !isfinite(x) || x < (double)row->min || x > (double)row->max)
		return -EINVAL;
	if (field)
		*field = x;
	return 0;
}

static int set_text(const char *text, char *field)
{
	size_t len = strlen(text);

	if (len >= NSLAB_TEXT_MAX)
		return -EINVAL;
	if (field)
		memcpy(field, text, len + 1);
	return 0;
}

/* Stores only when params is not NULL. */
static int set(const struct nslab_param *row, const char *text, void *params)
{
	void *field = params ? (char *)params + row->offset : NULL;
	bool b;
	int i;

	switch (row->type) {
	case NSLAB_PARAM_INT:
		return set_int(row, text, field);
	case NSLAB_PARAM_DOUBLE:
		return set_double(row, text, field);
	case NSLAB_PARAM_BOOL:
		if (parse_bool(text, &b))
			return -EINVAL;
		if (field)
			*(bool *)field = b;
		return 0;
	case NSLAB_PARAM_CHOICE:
		i = choice_index(row, text);
		if (i < 0)
			return -EINVAL;
		if (field)
			*(int64_t *)field = i;
		return 0;
	case NSLAB_PARAM_TEXT:
		return set_text(text, field);
	}
	return -EINVAL;
}

int nslab_param_check(const struct nslab_param *row, const char *text, struct nslab_err *err)
{
	return set(row, text, NULL) ? refuse(row, text, err) : 0;
}

int nslab_param_set(const struct nslab_param *row, const char *text, void *params,
		    struct nslab_err *err)
{
	return set(row, text, params) ? refuse(row, text, err) : 0;
}

int nslab_param_defaults(const struct nslab_param *rows, void *params, struct nslab_err *err)
{
	for (; rows && rows->name; rows++) {
		int rc = nslab_param_set(rows, rows->def, params, err);

		if (rc)
			return nslab_fail_in(err, rc, "default");
	}
	return 0;
}
