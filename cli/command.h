/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * command.h: a subcommand and its options. stdout is data, stderr is talk.
 *
 * Exit statuses: 0 done, 1 a case failed or a comparison is worse, 2 usage or bad input, 3 host too
 * noisy, 77 skipped.
 */
#ifndef NSLAB_COMMAND_H
#define NSLAB_COMMAND_H

#include "core/err.h"

#include <stdbool.h>
#include <stdio.h>

enum nslab_exit {
	NSLAB_EXIT_DONE = 0,
	NSLAB_EXIT_FAILED = 1,
	NSLAB_EXIT_USAGE = 2,
	NSLAB_EXIT_NOISY = 3,
	NSLAB_EXIT_SKIPPED = 77,
};

struct nslab_command {
	const char *name;
	const char *summary; /* one line, lower case */
	const char *usage;   /* operands: "[FILE...]" */
	bool is_hidden;
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand */
	void (*print_more)(void);	   /* at the end of --help, or NULL */
};

extern const struct nslab_command *const nslab_commands[]; /* NULL-terminated */

enum nslab_option_type {
	NSLAB_OPTION_FLAG,
	NSLAB_OPTION_TEXT,
	NSLAB_OPTION_INT,
	NSLAB_OPTION_LIST
};

#define NSLAB_OPTION_LIST_MAX 64

/* A LIST option may be given many times; the values are NULL-terminated. */
struct nslab_option {
	const char *name; /* without the dashes */
	char letter;	  /* or 0 */
	enum nslab_option_type type;
	void *value; /* bool *, const char **, long *, const char *[NSLAB_OPTION_LIST_MAX] */
	const char *argument; /* "FILE"; NULL for a flag */
	const char *help;
};

/*
 * Takes options out of argv (in any position; `--` ends them), leaves the operands at
 * argv[1..]. *nr_operands says how many. Returns -1 to go on, or the exit status: --help was
 * printed (0) or the line was wrong (2, told on stderr). rows end with name NULL.
 */
int nslab_options_parse(const struct nslab_command *command, const struct nslab_option *rows,
			int argc, char **argv, int *nr_operands);

typedef int (*nslab_output_fn)(void *state, FILE *out, struct nslab_err *err);

/* Calls write for stdout (path NULL or "-"), or for a file that appears when it is complete. */
int nslab_output(const char *path, nslab_output_fn write, void *state, struct nslab_err *err);

typedef void (*nslab_help_fn)(void *context, const struct nslab_command *command,
			      const struct nslab_option *rows);

/* Calls show() with the command's rows; only names, letters, arguments and help mean something. */
void nslab_options_visit(const struct nslab_command *command, nslab_help_fn show, void *context);

/* The word that a usage text or an option's argument gives as it is ("show|check" holds two): the
 * next one at *text, whose length it returns, or 0 past the last. */
size_t nslab_usage_word(const char **text);

/* "numaslab: TEXT" on stderr; returns the exit status for rc: 2 for -EINVAL and the like. */
int nslab_complain(const struct nslab_err *err, int rc);

#endif
