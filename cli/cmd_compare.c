/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_compare.c: arms of one run against their baseline, or the same cells of two runs.
 *
 * One operand compares inside the run, two compare A (before) with B (after). Exit status 1 means
 * that a primary cell of B is slower than in A, at 5 % after Holm over the primary cells; inside
 * one run an arm that is slower than the baseline is an ordinary finding, so there it needs --gate.
 */
#include "cli/command.h"
#include "results/compare.h"
#include "results/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

extern const struct nslab_command nslab_command_compare;

struct compare_options {
	bool is_json, is_csv, is_markdown, is_gate, want_ratios;
	const char *primary[NSLAB_OPTION_LIST_MAX];
	struct nslab_run_file a, b;
	bool has_a, has_b;
};

static int compare_print(const struct compare_options *options,
			 const struct nslab_comparison *comparison)
{
	struct nslab_err err = {""};
	bool is_worse = false;
	int rc;

	if (options->is_json)
		rc = nslab_comparison_json(comparison, stdout);
	else if (options->is_csv)
		rc = nslab_comparison_csv(comparison, stdout);
	else if (options->is_markdown)
		rc = nslab_comparison_markdown(comparison, stdout);
	else
		rc = nslab_comparison_print(comparison, stdout, NSLAB_TABLE_COLUMNS);
	if (!rc && fflush(stdout))
		rc = -EIO;
	if (rc) {
		nslab_fail(&err, rc, "cannot write the comparison: %s", strerror(-rc));
		return nslab_complain(&err, rc);
	}
	for (size_t i = 0; i < comparison->list->nr; i++)
		is_worse |= nslab_contrast_is_worse(&comparison->rows[i]);
	if (is_worse && (options->has_b || options->is_gate))
		return NSLAB_EXIT_FAILED;
	return NSLAB_EXIT_DONE;
}

static int compare_runs(struct compare_options *options, int nr, char **operands)
{
	struct nslab_comparison comparison = {.mode = NSLAB_COMPARE_ARMS};
	struct nslab_err err = {""};
	int rc = nslab_run_file_open(operands[0], &options->a, &err);
	int status;

	options->has_a = !rc;
	if (!rc && nr == 2) {
		rc = nslab_run_file_open(operands[1], &options->b, &err);
		options->has_b = !rc;
	}
	if (!rc && nr == 2)
		rc = nslab_compare_two(&options->a, &options->b, options->want_ratios, &comparison,
				       &err);
	else if (!rc)
		rc = nslab_compare_one(&options->a, &comparison, &err);
	if (!rc && options->primary[0])
		rc = nslab_comparison_judge(&comparison, options->primary, &err);
	status = rc ? nslab_complain(&err, rc) : compare_print(options, &comparison);
	nslab_comparison_exit(&comparison);
	if (options->has_a)
		nslab_run_file_close(&options->a);
	if (options->has_b)
		nslab_run_file_close(&options->b);
	return status;
}

static int compare_run(int argc, char **argv)
{
	static struct compare_options options;
	const struct nslab_option rows[] = {
		{"json", 0, NSLAB_OPTION_FLAG, &options.is_json, NULL, "print JSON"},
		{"csv", 0, NSLAB_OPTION_FLAG, &options.is_csv, NULL, "print CSV"},
		{"markdown", 0, NSLAB_OPTION_FLAG, &options.is_markdown, NULL,
		 "print a table in Markdown"},
		{"primary", 0, NSLAB_OPTION_LIST, options.primary, "PATTERN",
		 "gate on cells with this arm or key (default: 10)"},
		{"ratios", 0, NSLAB_OPTION_FLAG, &options.want_ratios, NULL,
		 "two runs: compare ratios to each run's baseline"},
		{"gate", 0, NSLAB_OPTION_FLAG, &options.is_gate, NULL,
		 "one run: exit 1 when a primary arm is slower"},
		{0},
	};
	int nr;
	int status = nslab_options_parse(&nslab_command_compare, rows, argc, argv, &nr);

	if (status >= 0)
		return status;
	if (nr < 1 || nr > 2) {
		fprintf(stderr, "numaslab: compare takes one run or two; see numaslab compare"
				" --help\n");
		return NSLAB_EXIT_USAGE;
	}
	if (options.is_json + options.is_csv + options.is_markdown > 1) {
		fprintf(stderr, "numaslab: choose one of '--json', '--csv' and '--markdown'\n");
		return NSLAB_EXIT_USAGE;
	}
	return compare_runs(&options, nr, argv + 1);
}

const struct nslab_command nslab_command_compare = {
	.name = "compare",
	.summary = "compare the arms of a run, or two runs",
	.usage = "RUN [RUN]",
	.run = compare_run,
};
