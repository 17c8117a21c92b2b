/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_verify.c: holds a result file against its own raw windows.
 *
 * Every summary is computed again, and seeds and order of the trials from the plan's seed
 * (results/verify.c); each that differs is a line on stdout, and
 * then the exit status is 1. A last line says how much was looked at, so that "no difference" can
 * be told from "nothing to compare". The file is never changed.
 */
#include "cli/command.h"
#include "results/verify.h"

#include <errno.h>
#include <stdio.h>

static int verify_command(int argc, char **argv);

const struct nslab_command nslab_command_verify = {
	.name = "verify",
	.summary = "compute every summary of a result file again from its raw windows",
	.usage = "RUN",
	.run = verify_command,
};

static void verify_tell(void *context, const char *text)
{
	(void)context;
	puts(text);
}

static int verify_run(const char *operand, struct nslab_verification *verification,
		      struct nslab_err *err)
{
	struct nslab_run_file file;
	int rc = nslab_run_file_open(operand, &file, err);

	if (rc)
		return rc;
	rc = nslab_verify(&file, verify_tell, NULL, verification, err);
	if (!rc)
		printf("%zu cells, %zu trials, %zu windows: %zu differences\n", file.list->nr,
		       verification->nr_trials, verification->nr_windows,
		       verification->nr_differences);
	if (!rc && verification->nr_trials > verification->nr_designed)
		printf("%zu trials have no place in a plan: their seeds and order were not "
		       "checked\n",
		       verification->nr_trials - verification->nr_designed);
	nslab_run_file_close(&file);
	return rc;
}

static int verify_command(int argc, char **argv)
{
	const struct nslab_option rows[] = {{.name = NULL}};
	struct nslab_verification verification;
	struct nslab_err err = {""};
	int nr_operands;
	int rc = nslab_options_parse(&nslab_command_verify, rows, argc, argv, &nr_operands);

	if (rc >= 0)
		return rc;
	if (nr_operands != 1)
		rc = nslab_fail(&err, -EINVAL, "verify takes one run: its folder or its run.db");
	else
		rc = verify_run(argv[1], &verification, &err);
	if (rc)
		return nslab_complain(&err, rc);
	return verification.nr_differences ? NSLAB_EXIT_FAILED : NSLAB_EXIT_DONE;
}
