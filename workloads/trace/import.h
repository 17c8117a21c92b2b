/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * import.h: traces from the text that `perf script` and tracefs print.
 */
#ifndef NSLAB_TRACE_IMPORT_H
#define NSLAB_TRACE_IMPORT_H

#include "workloads/trace/writer.h"

/* One text on its way into a writer. Set up by the two functions below, or by hand: all zeros. */
struct nslab_trace_importer {
	struct nslab_trace_writer *writer;
	const char *name; /* of the text, for errors */
	bool skip_unknown;
	uint64_t nr_lines;  /* read so far */
	uint64_t nr_events; /* of the kernel */
	uint64_t last_ns;   /* time of the last event, for lines that have none */
	struct nslab_trace_info info;
	char kernel[64], machine[64]; /* what perf's header tells */
};

/*
 * One line, without its newline. Comments and empty lines say nothing; -EINVAL names the line, its
 * number and what is wrong with it, unless unknown lines are skipped (and counted).
 */
int nslab_trace_import_line(struct nslab_trace_importer *importer, const char *line, size_t length,
			    struct nslab_err *err);

/*
 * All of TEXT ("-": standard input), plain or gzipped, into the trace PATH. `tally` (or NULL) and
 * `nr_lines` (or NULL) tell what was read.
 */
int nslab_trace_import(const char *text, const char *path, bool skip_unknown,
		       struct nslab_trace_tally *tally, uint64_t *nr_lines, struct nslab_err *err);

#endif
