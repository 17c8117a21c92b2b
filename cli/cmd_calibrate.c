/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_calibrate.c: `numaslab calibrate`: how often must one repeat here, and at which level?
 *
 * Runs every family's baseline of a plan many times and prints the shares of variance of windows
 * and of processes with the numbers of repeats that a precision takes. Nothing is stored: it is a
 * question about the machine, asked before a run is planned.
 */
#include "cli/command.h"
#include "cli/host_gate.h"
#include "cli/selftest_print.h"
#include "cli/session.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CALIBRATE_OVERRIDES 64

static int calibrate_command(int argc, char **argv);

extern const struct nslab_command nslab_command_calibrate;
const struct nslab_command nslab_command_calibrate = {
	.name = "calibrate",
	.summary = "tell how many repeats a precision takes on this machine",
	.usage = "[PLAN] [KEY=VALUE...]",
	.run = calibrate_command,
};

struct calibrate_options {
	const char *plan, *precision_text;
	const char *overrides[CALIBRATE_OVERRIDES];
	const char *ignore[NSLAB_OPTION_LIST_MAX];
	struct nslab_host_gate gate;
	double precision;
	long nr_processes;
	bool is_json;
};

static int calibrate_check(struct calibrate_options *o, int nr, char **argv, struct nslab_err *err)
{
	size_t nr_overrides = 0;
	char *end = NULL;

	o->plan = "quick";
	for (int i = 1; i <= nr; i++) {
		if (strchr(argv[i], '=') && nr_overrides + 1 < CALIBRATE_OVERRIDES)
			o->overrides[nr_overrides++] = argv[i];
		else if (i == 1)
			o->plan = argv[i];
		else
			return nslab_fail(err, -EINVAL,
					  "one plan at a time; overrides look like key=value");
	}
	o->precision = strtod(o->precision_text, &end) / 100;
	if (end == o->precision_text || *end || !(o->precision > 0 && o->precision < 1))
		return nslab_fail(err, -EINVAL,
				  "'%s' is not a value for '--precision', which accepts per cent "
				  "above 0 and below 100",
				  o->precision_text);
	if (o->nr_processes < 2 || o->nr_processes > NSLAB_LEVEL_COUNT_MAX)
		return nslab_fail(err, -EINVAL,
				  "'%ld' is not a value for '--processes', which accepts 2..%d",
				  o->nr_processes, NSLAB_LEVEL_COUNT_MAX);
	return 0;
}

static int calibrate_print(const struct calibrate_options *o, const struct nslab_calibration *rows,
			   size_t nr)
{
	json_t *json;

	if (!o->is_json) {
		nslab_calibration_print(rows, nr, o->precision, stdout);
		return 0;
	}
	json = nslab_calibration_json(rows, nr, o->precision);
	if (!json)
		return -ENOMEM;
	json_dumpf(json, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(json);
	return 0;
}

static int calibrate_run(struct calibrate_options *o, size_t *nr_failed, struct nslab_err *err)
{
	struct nslab_prober prober = {.launch = nslab_launch_trial};
	struct nslab_calibration *rows = NULL;
	struct nslab_session session;
	int rc = nslab_session_open(&session, o->plan, o->overrides, err);

	o->gate.ignore = o->ignore;
	if (!rc)
		rc = nslab_host_gate_pass(&o->gate, session.plan, err);
	if (rc)
		goto out_close;
	rows = calloc(session.plan->nr_families + 1, sizeof(*rows));
	prober.plan = session.plan;
	prober.is_interrupted = nslab_session_interrupted();
	if (!rows)
		rc = -ENOMEM;
	if (!rc)
		rc = nslab_calibrate(&prober, (size_t)o->nr_processes, o->precision, rows, err);
	for (size_t f = 0; !rc && f < session.plan->nr_families; f++)
		*nr_failed += rows[f].cause[0] && rows[f].arm && !rows[f].arm->skipped;
	if (!rc)
		rc = calibrate_print(o, rows, session.plan->nr_families);
	free(rows);
out_close:
	nslab_session_close(&session);
	return rc;
}

static int calibrate_command(int argc, char **argv)
{
	struct calibrate_options o = {.precision_text = "1", .nr_processes = 20};
	const struct nslab_option rows[] = {
		{"processes", 0, NSLAB_OPTION_INT, &o.nr_processes, "N",
		 "trials of each family's baseline (20)"},
		{"precision", 0, NSLAB_OPTION_TEXT, &o.precision_text, "PER CENT",
		 "half-width of the 95 % interval that is wanted (1)"},
		{"ignore", 0, NSLAB_OPTION_LIST, o.ignore, "RULE",
		 "do not refuse, or warn, for this rule (see env check)"},
		{"sysroot", 0, NSLAB_OPTION_TEXT, &o.gate.sysroot, "DIR",
		 "read the host's settings below DIR"},
		{"json", 0, NSLAB_OPTION_FLAG, &o.is_json, NULL, "print JSON"},
		{.name = NULL},
	};
	struct nslab_err err = {""};
	size_t nr_failed = 0;
	int nr, rc;

	rc = nslab_options_parse(&nslab_command_calibrate, rows, argc, argv, &nr);
	if (rc >= 0)
		return rc;
	rc = calibrate_check(&o, nr, argv, &err);
	if (!rc)
		rc = calibrate_run(&o, &nr_failed, &err);
	if (rc)
		return nslab_complain(&err, rc);
	return nr_failed ? NSLAB_EXIT_FAILED : NSLAB_EXIT_DONE;
}
