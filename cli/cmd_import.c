/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_import.c: `numaslab import`: a trace from the text of perf script or tracefs, or a run from
 * the JSON of Google Benchmark.
 *
 * A file that begins like a JSON object is handed to import_results.c. For traces everything is
 * done in workloads/trace/; this file says on stderr how many events there were and what was left
 * out. The output is a trace of numaslab, to be looked at with `numaslab trace info`.
 */
#include "cli/command.h"
#include "cli/import_results.h"
#include "workloads/trace/import.h"

#include <inttypes.h>
#include <stdio.h>

static int import_command(int argc, char **argv);

extern const struct nslab_command nslab_command_import;

const struct nslab_command nslab_command_import = {
	.name = "import",
	.summary = "make a trace from the text of perf script or tracefs, a run from gbench JSON",
	.usage = "TEXT|FILE.json|- -o FILE",
	.run = import_command,
};

static void import_report(const char *path, const struct nslab_trace_tally *tally,
			  uint64_t nr_lines)
{
	uint64_t nr_events = 0;

	for (int kind = 0; kind < NSLAB_TRACE_NR_EVENT_KINDS; kind++)
		nr_events += tally->events[kind];
	fprintf(stderr, "%s: %" PRIu64 " events of %" PRIu64 " lines", path, nr_events, nr_lines);
	if (tally->lost)
		fprintf(stderr, ", %" PRIu64 " lost by the recorder", tally->lost);
	if (tally->ignored)
		fprintf(stderr, ", %" PRIu64 " lines of no use", tally->ignored);
	if (tally->skipped)
		fprintf(stderr, ", %" PRIu64 " unknown lines skipped", tally->skipped);
	fprintf(stderr, "\n");
}

static int import_command(int argc, char **argv)
{
	const char *output = NULL, *host_name = NULL;
	bool skip_unknown = false;
	const struct nslab_option rows[] = {
		{"output", 'o', NSLAB_OPTION_TEXT, &output, "FILE",
		 "the trace, or the run, to write"},
		{"host", 0, NSLAB_OPTION_TEXT, &host_name, "NAME",
		 "results: the machine, when the file is silent"},
		{"skip-unknown", 0, NSLAB_OPTION_FLAG, &skip_unknown, NULL,
		 "count lines that are not understood instead of stopping"},
		{0},
	};
	struct nslab_trace_tally tally;
	struct nslab_err err = {""};
	uint64_t nr_lines;
	int nr, rc;
	int status = nslab_options_parse(&nslab_command_import, rows, argc, argv, &nr);

	if (status >= 0)
		return status;
	if (nr != 1 || !output) {
		fprintf(stderr, "numaslab: import takes one text and '-o FILE'; see numaslab "
				"import --help\n");
		return NSLAB_EXIT_USAGE;
	}
	if (nslab_is_json_file(argv[1]))
		return nslab_import_results(argv[1], output, host_name);
	rc = nslab_trace_import(argv[1], output, skip_unknown, &tally, &nr_lines, &err);
	if (rc)
		return nslab_complain(&err, rc);
	import_report(output, &tally, nr_lines);
	return NSLAB_EXIT_DONE;
}
