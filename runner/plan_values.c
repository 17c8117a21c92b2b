/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_values.c: the right-hand side of a key: lists and ranges.
 *
 * A value is a list of items between commas. Among numbers an item may be a range: A..B counts up
 * by one, A..B+K by K, A..B*K multiplies by K and ends with B itself, so that `1..max*2` is 1, 2,
 * 4, .. and the whole machine. Placements hold commas of their own (cross:0,1 and pus:0-3,8), so a
 * number after an item with a colon belongs to that item. Repeats are dropped, order is kept.
 *
 * Values of a parameter come out as its table would print them (1k is 1024, on is yes), so that the
 * same cell has the same key however it was written.
 */
#include "runner/plan_internal.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int append(struct nslab_plan_pool *pool, struct plan_list *list, const char *item,
		  struct nslab_err *err)
{
	if (!item)
		return -ENOMEM;
	for (size_t i = 0; i < list->nr; i++) {
		if (!strcmp(list->items[i], item))
			return 0;
	}
	if (list->nr >= PLAN_ITEMS_MAX)
		return nslab_fail(err, -E2BIG, "a list of more than %d values", PLAN_ITEMS_MAX);
	list->items = nslab_pool_grow(pool, list->items, list->nr, sizeof(*list->items));
	if (!list->items)
		return -ENOMEM;
	list->items[list->nr++] = item;
	return 0;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\v\f");
}

/* True when the item before a comma takes the number after it: "pus:0-3" "8". */
static bool is_joined(const char *item, size_t len, const char *rest)
{
	rest = skip_blanks(rest);
	return memchr(item, ':', len) && isdigit((unsigned char)*rest);
}

/* Length of the item that text begins with, without blanks at its end; *next is behind its comma.
 */
static size_t item_length(const char *text, const char **next)
{
	size_t len = strcspn(text, ",");

	while (text[len] && is_joined(text, len, text + len + 1))
		len += 1 + strcspn(text + len + 1, ",");
	*next = text[len] ? text + len + 1 : NULL;
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	return len;
}

typedef int (*item_fn)(struct nslab_plan_pool *pool, const char *item, int64_t max,
		       struct plan_list *list, struct nslab_err *err);

static int each_item(struct nslab_plan_pool *pool, const char *text, int64_t max,
		     struct plan_list *list, item_fn item, struct nslab_err *err)
{
	const char *at = text;
	int rc = 0;

	*list = (struct plan_list){0};
	while (at && !rc) {
		const char *next, *word;
		size_t len;

		at = skip_blanks(at);
		len = item_length(at, &next);
		if (!len)
			return nslab_fail(err, -EINVAL, "a value is missing in '%s'", text);
		word = nslab_pool_copy(pool, at, len);
		rc = word ? item(pool, word, max, list, err) : -ENOMEM;
		at = next;
	}
	return rc;
}

static int word_item(struct nslab_plan_pool *pool, const char *item, int64_t max,
		     struct plan_list *list, struct nslab_err *err)
{
	(void)max;
	return append(pool, list, item, err);
}

int nslab_plan_words(struct nslab_plan_pool *pool, const char *text, struct plan_list *list,
		     struct nslab_err *err)
{
	return each_item(pool, text, 0, list, word_item, err);
}

struct range {
	int64_t from, to, step;
	char how; /* '+' or '*' */
};

static int parse_bound(const char *text, size_t len, int64_t max, int64_t *value)
{
	char word[32];

	if (len >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, len);
	word[len] = '\0';
	if (max > 0 && !strcmp(word, "max")) {
		*value = max;
		return 0;
	}
	return nslab_parse_int(word, value);
}

static int parse_range(const char *item, const char *dots, int64_t max, struct range *range)
{
	const char *to = dots + 2;
	size_t len = strcspn(to, "+*");

	*range = (struct range){.step = 1, .how = '+'};
	if (parse_bound(item, (size_t)(dots - item), max, &range->from) ||
	    parse_bound(to, len, max, &range->to))
		return -EINVAL;
	if (to[len]) {
		range->how = to[len];
		if (parse_bound(to + len + 1, strlen(to + len + 1), 0, &range->step))
			return -EINVAL;
	}
	/* 2..max where max is 1: the 2 stays, for the placement to refuse with its reason */
	if (range->from > range->to && len == 3 && !strncmp(to, "max", len))
		range->to = range->from;
	if (range->from > range->to || range->step < (range->how == '*' ? 2 : 1) ||
	    (range->how == '*' && range->from < 1))
		return -EINVAL;
	return 0;
}

static int number_item(struct nslab_plan_pool *pool, const char *item, int64_t max,
		       struct plan_list *list, struct nslab_err *err)
{
	const char *dots = strstr(item, "..");
	struct range range;
	int64_t value;
	int rc = 0;

	if (!dots) {
		if (parse_bound(item, strlen(item), max, &value))
			return append(pool, list, item, err); /* a name: the table judges it */
		return append(pool, list, nslab_pool_print(pool, "%" PRId64, value), err);
	}
	if (parse_range(item, dots, max, &range))
		return nslab_fail(err, -EINVAL,
				  "'%s' is not a range: A..B, A..B+STEP or A..B*FACTOR with A <= B",
				  item);
	for (value = range.from; !rc;) {
		rc = append(pool, list, nslab_pool_print(pool, "%" PRId64, value), err);
		if (value >= range.to)
			break;
		if (range.how == '*' ? __builtin_mul_overflow(value, range.step, &value)
				     : __builtin_add_overflow(value, range.step, &value))
			break;
		if (value > range.to && range.how == '+')
			break;
		if (value > range.to)
			value = range.to;
	}
	return rc;
}

int nslab_plan_numbers(struct nslab_plan_pool *pool, const char *text, int64_t max,
		       struct plan_list *list, struct nslab_err *err)
{
	return each_item(pool, text, max, list, number_item, err);
}

/* As the table prints it; the value was checked. */
static const char *canonical(struct nslab_plan_pool *pool, const struct nslab_param *row,
			     const char *text)
{
	const struct nslab_param at_start = {
		.name = row->name, .type = NSLAB_PARAM_BOOL, .offset = 0};
	int64_t value;
	bool is_set = false;

	switch (row->type) {
	case NSLAB_PARAM_INT:
		if (!nslab_parse_int(text, &value))
			return nslab_pool_print(pool, "%" PRId64, value);
		return text;
	case NSLAB_PARAM_BOOL:
		nslab_param_set(&at_start, text, &is_set, NULL);
		return is_set ? "yes" : "no";
	case NSLAB_PARAM_CHOICE:
	case NSLAB_PARAM_DOUBLE:
	case NSLAB_PARAM_TEXT:
		return text;
	}
	return text;
}

/* The number at the start of text, and the word behind it without blanks; false: no such thing. */
static bool split_unit(const char *text, double *number, const char **unit)
{
	char *end;

	*number = strtod(text, &end);
	if (end == text || !isfinite(*number))
		return false;
	*unit = end + strspn(end, " ");
	return true;
}

int nslab_plan_percent(const char *text, double *share, struct nslab_err *err)
{
	const char *unit;
	double number;

	if (!split_unit(text, &number, &unit) || strcmp(unit, "%") != 0 || !(number > 0) ||
	    number > 50)
		return nslab_fail(err, -EINVAL,
				  "'%s' is not a value for 'precision', which accepts a percentage "
				  "above 0 %% and up to 50 %%, like 1%%",
				  text);
	*share = number / 100;
	return 0;
}

int nslab_plan_duration(const char *text, uint64_t *ns, struct nslab_err *err)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
	const char *unit;
	double number;

	if (split_unit(text, &number, &unit)) {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			double value = number * units[i].ns;

			if (!strcmp(unit, units[i].unit) && value >= 1e6 && value <= 3e15) {
				*ns = (uint64_t)value;
				return 0;
			}
		}
	}
	return nslab_fail(err, -EINVAL,
			  "'%s' is not a value for 'budget', which accepts a time with its unit, "
			  "1ms and up: ms, s, m or h, like 60s",
			  text);
}

int nslab_plan_values(struct nslab_plan_pool *pool, const struct nslab_param *row, const char *text,
		      struct plan_list *list, struct nslab_err *err)
{
	struct plan_list raw = {0};
	int rc;

	*list = (struct plan_list){0};
	if (row->type == NSLAB_PARAM_TEXT && !*text)
		return append(pool, list, text, err);
	if (row->type == NSLAB_PARAM_INT)
		rc = nslab_plan_numbers(pool, text, 0, &raw, err);
	else
		rc = nslab_plan_words(pool, text, &raw, err);
	if (rc)
		return nslab_fail_in(err, rc, "key '%s'", row->name);
	for (size_t i = 0; !rc && i < raw.nr; i++) {
		rc = nslab_param_check(row, raw.items[i], err);
		if (!rc)
			rc = append(pool, list, canonical(pool, row, raw.items[i]), err);
	}
	return rc;
}
