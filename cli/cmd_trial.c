/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_trial.c: one trial from standard input to standard output.
 *
 * The runner calls it, and a person can, to repeat a single trial: runner/trial.h describes both
 * documents. A trial that fails still exits 0 with an "error" in its document; only a description
 * that cannot be read is wrong usage.
 */
#include "cli/command.h"
#include "runner/trial.h"

#include <errno.h>
#include <stdio.h>

static int trial_command(int argc, char **argv);

const struct nslab_command nslab_command_trial = {
	.name = "trial",
	.summary = "run one trial described as JSON on standard input",
	.usage = "",
	.is_hidden = true,
	.run = trial_command,
};

static int trial_command(int argc, char **argv)
{
	const struct nslab_option rows[] = {{.name = NULL}};
	struct nslab_err err = {""};
	json_error_t where;
	json_t *spec, *result;
	int nr_operands;
	int rc = nslab_options_parse(&nslab_command_trial, rows, argc, argv, &nr_operands);

	if (rc >= 0)
		return rc;
	json_object_seed(1); /* a random one would move what the caches hold from trial to trial */
	spec = json_loadf(stdin, 0, &where);
	if (!spec) {
		nslab_fail(&err, -EINVAL, "standard input, line %d: %s", where.line, where.text);
		return nslab_complain(&err, -EINVAL);
	}
	rc = nslab_trial_run(spec, &result);
	json_decref(spec);
	if (rc)
		return nslab_complain(&err, rc);
	rc = json_dumpf(result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_decref(result);
	return rc || fflush(stdout) ? NSLAB_EXIT_FAILED : NSLAB_EXIT_DONE;
}
