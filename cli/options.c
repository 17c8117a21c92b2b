/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.c: command lines from tables.
 *
 * Every subcommand describes its options as rows; --help is printed from the same rows, and a
 * mistyped option gets a guess. Options may stand before or after the operands. Rows point at
 * variables of the command that is running, so whoever wants all of them, to write a manual page,
 * has each command asked for its help and takes the place of the printer.
 */
#include "cli/command.h"

#include "core/paint.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void complain(const char *format, ...)
{
	va_list args;

	nslab_paint(stderr, NSLAB_PAINT_BAD, "numaslab:");
	fputc(' ', stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
}

static const struct nslab_option *find_long(const struct nslab_option *rows, const char *name,
					    size_t len)
{
	for (; rows->name; rows++) {
		if (!strncmp(rows->name, name, len) && !rows->name[len])
			return rows;
	}
	return NULL;
}

static const struct nslab_option *find_letter(const struct nslab_option *rows, char letter)
{
	for (; rows->name; rows++) {
		if (rows->letter == letter)
			return rows;
	}
	return NULL;
}

static void print_help(const struct nslab_command *command, const struct nslab_option *rows)
{
	printf("usage: numaslab %s [options]%s%s\n%s\n\n", command->name,
	       *command->usage ? " " : "", command->usage, command->summary);
	for (; rows->name; rows++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", rows->name, rows->argument ? " " : "",
			 rows->argument ? rows->argument : "");
		printf("  %c%c%c %-24s %s\n", rows->letter ? '-' : ' ',
		       rows->letter ? rows->letter : ' ', rows->letter ? ',' : ' ', left,
		       rows->help);
	}
	printf("  -h, %-24s %s\n", "--help", "print this");
	if (command->print_more)
		command->print_more();
}

static struct {
	nslab_help_fn show;
	void *context;
} options_visitor;

void nslab_options_visit(const struct nslab_command *command, nslab_help_fn show, void *context)
{
	char name[] = "numaslab", help[] = "--help";
	char *args[] = {name, help, NULL};

	options_visitor.show = show;
	options_visitor.context = context;
	command->run(2, args);
	options_visitor.show = NULL;
}

static int unknown_option(const struct nslab_command *command, const struct nslab_option *rows,
			  const char *text)
{
	const char *names[64];
	const char *guess;
	size_t nr = 0;

	for (; rows->name && nr < 64; rows++)
		names[nr++] = rows->name;
	guess = nslab_nearest(text + strspn(text, "-"), names, nr);
	complain("unknown option '%s'%s%s%s; see numaslab %s --help\n", text,
		 guess ? ", did you mean '--" : "", guess ? guess : "", guess ? "'" : "",
		 command->name);
	return NSLAB_EXIT_USAGE;
}

static int store(const struct nslab_option *row, const char *text)
{
	const char **list = row->value;
	char *end;

	switch (row->type) {
	case NSLAB_OPTION_FLAG:
		*(bool *)row->value = true;
		return 0;
	case NSLAB_OPTION_TEXT:
		*(const char **)row->value = text;
		return 0;
	case NSLAB_OPTION_INT:
		*(long *)row->value = strtol(text, &end, 10);
		if (*text && !*end)
			return 0;
		complain("option '--%s' takes a whole number, not '%s'\n", row->name, text);
		return NSLAB_EXIT_USAGE;
	case NSLAB_OPTION_LIST:
		for (size_t i = 0; i + 1 < NSLAB_OPTION_LIST_MAX; i++) {
			if (!list[i]) {
				list[i] = text;
				return 0;
			}
		}
		complain("option '--%s' was given too often\n", row->name);
		return NSLAB_EXIT_USAGE;
	}
	return NSLAB_EXIT_USAGE;
}

/* One option at argv[at]; *at moves past its argument. */
static int take(const struct nslab_command *command, const struct nslab_option *rows, int argc,
		char **argv, int *at)
{
	char *text = argv[*at];
	bool is_long = text[1] == '-';
	char *equals = is_long ? strchr(text, '=') : NULL;
	const char *argument = equals ? equals + 1 : NULL;
	const struct nslab_option *row;

	if (is_long)
		row = find_long(rows, text + 2,
				equals ? (size_t)(equals - text - 2) : strlen(text + 2));
	else
		row = find_letter(rows, text[1]);
	if (!row || (!is_long && row->type == NSLAB_OPTION_FLAG && text[2]))
		return unknown_option(command, rows, text);
	if (!is_long && text[2])
		argument = text + 2;
	if (row->type == NSLAB_OPTION_FLAG && argument) {
		complain("option '--%s' takes no value\n", row->name);
		return NSLAB_EXIT_USAGE;
	}
	if (row->type != NSLAB_OPTION_FLAG && !argument) {
		if (*at + 1 >= argc) {
			complain("option '--%s' needs a value: %s\n", row->name, row->argument);
			return NSLAB_EXIT_USAGE;
		}
		argument = argv[++*at];
	}
	return store(row, argument);
}

int nslab_options_parse(const struct nslab_command *command, const struct nslab_option *rows,
			int argc, char **argv, int *nr_operands)
{
	bool is_ended = false;
	int nr = 0;

	for (int at = 1; at < argc; at++) {
		char *text = argv[at];
		int rc;

		if (is_ended || text[0] != '-' || !text[1]) {
			argv[1 + nr++] = text;
			continue;
		}
		if (!strcmp(text, "--")) {
			is_ended = true;
			continue;
		}
		if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
			if (options_visitor.show)
				options_visitor.show(options_visitor.context, command, rows);
			else
				print_help(command, rows);
			return NSLAB_EXIT_DONE;
		}
		rc = take(command, rows, argc, argv, &at);
		if (rc)
			return rc;
	}
	*nr_operands = nr;
	return -1;
}

int nslab_complain(const struct nslab_err *err, int rc)
{
	complain("%s\n", err->text[0] ? err->text : strerror(-rc));
	return NSLAB_EXIT_USAGE;
}
