/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * formula.c: arithmetic over counted values: + - * / ( ), numbers and names.
 *
 * One pass of recursive descent over the text: a sum is made of products, a product of terms, a
 * term is a number, a name, a bracket or a negated term. Brackets nest DEPTH_MAX deep at most, so
 * that a hostile file cannot use up the stack. Nothing is kept from one evaluation to the next: a
 * formula is a dozen characters and is evaluated once a trial.
 *
 * Invariants: a value that is not measured is NaN and makes every result that it is part of NaN; a
 * division by zero is NaN too, never infinite. The first error ends the walk.
 *
 * Left out: powers, functions and comparisons, which no group has needed.
 */
#include "runner/counters/formula.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

struct formula {
	const char *text, *at;
	struct nslab_formula_names *names;
	struct nslab_err *err;
	int depth;
	int rc;
};

static double formula_sum(struct formula *f);

static double formula_fail(struct formula *f, const char *expected)
{
	if (!f->rc)
		f->rc = nslab_fail(f->err, -EINVAL, "formula '%s': %s at '%.20s'", f->text,
				   expected, f->at);
	return NAN;
}

/* The next character that counts. */
static char formula_peek(struct formula *f)
{
	while (isspace((unsigned char)*f->at))
		f->at++;
	return *f->at;
}

static double formula_name(struct formula *f)
{
	size_t len = 0;
	double value = NAN;

	while (isalnum((unsigned char)f->at[len]) || f->at[len] == '_')
		len++;
	if (!f->names->value(f->names, f->at, len, &value))
		return formula_fail(f, "there is no such name");
	f->at += len;
	return value;
}

static double formula_number(struct formula *f)
{
	size_t len = strspn(f->at, "0123456789.");
	char text[32], *end;
	double value;

	if (len >= sizeof(text))
		return formula_fail(f, "a number is too long");
	memcpy(text, f->at, len);
	text[len] = '\0';
	value = strtod(text, &end);
	if (*end)
		return formula_fail(f, "this is no number");
	f->at += len;
	return value;
}

static double formula_bracket(struct formula *f)
{
	double value;

	f->at++;
	value = formula_sum(f);
	if (formula_peek(f) != ')')
		return formula_fail(f, "a ')' is missing");
	f->at++;
	return value;
}

static double formula_term(struct formula *f)
{
	char c = formula_peek(f);
	double value;

	if (f->rc || ++f->depth > DEPTH_MAX)
		return formula_fail(f, "it is nested too deeply");
	if (c == '(') {
		value = formula_bracket(f);
	} else if (c == '-') {
		f->at++;
		value = -formula_term(f);
	} else if (isdigit((unsigned char)c) || c == '.') {
		value = formula_number(f);
	} else if (isalpha((unsigned char)c) || c == '_') {
		value = formula_name(f);
	} else {
		value = formula_fail(f, "a number, a name or '(' is missing");
	}
	f->depth--;
	return value;
}

static double formula_product(struct formula *f)
{
	double value = formula_term(f);

	while (!f->rc && (formula_peek(f) == '*' || *f->at == '/')) {
		bool is_division = *f->at++ == '/';
		double other = formula_term(f);

		if (!is_division)
			value *= other;
		else
			value = other == 0 ? NAN : value / other;
	}
	return value;
}

static double formula_sum(struct formula *f)
{
	double value = formula_product(f);

	while (!f->rc && (formula_peek(f) == '+' || *f->at == '-')) {
		bool is_minus = *f->at++ == '-';
		double other = formula_product(f);

		value = is_minus ? value - other : value + other;
	}
	return value;
}

int nslab_formula_eval(const char *text, struct nslab_formula_names *names, double *value,
		       struct nslab_err *err)
{
	struct formula f = {.text = text, .at = text, .names = names, .err = err};

	*value = formula_sum(&f);
	if (!f.rc && formula_peek(&f))
		formula_fail(&f, "this is left over");
	if (f.rc || !isfinite(*value))
		*value = NAN;
	return f.rc;
}
