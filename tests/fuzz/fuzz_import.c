/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_import.c: libFuzzer feeds any bytes as the text of a trace.
 *
 * The text goes line by line through the importer, unknown lines skipped in one of two cases. What
 * was written must then open and pass the full check: whatever the text, a finished trace is one
 * that a replayer may trust. Files live in a directory of their own, which the process removes.
 */
#define _GNU_SOURCE
#include "workloads/trace/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

static char fuzz_directory[] = "/tmp/numaslab-fuzz-XXXXXX";
static char fuzz_path[64];

static void fuzz_remove(void)
{
	unlink(fuzz_path);
	rmdir(fuzz_directory);
}

static void fuzz_prepare(void)
{
	if (fuzz_path[0])
		return;
	if (!mkdtemp(fuzz_directory))
		abort();
	snprintf(fuzz_path, sizeof(fuzz_path), "%s/t", fuzz_directory);
	atexit(fuzz_remove);
}

static int fuzz_lines(struct nslab_trace_importer *importer, const char *text, size_t nr_bytes,
		      struct nslab_err *err)
{
	const char *end = text + nr_bytes;
	int rc = 0;

	while (!rc && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;

		rc = nslab_trace_import_line(importer, text, (size_t)(line_end - text), err);
		text = line_end + 1;
	}
	return rc;
}

/* A finished trace must be a good one. */
static void fuzz_check(void)
{
	struct nslab_trace *trace;
	struct nslab_err err = {""};

	if (nslab_trace_open(fuzz_path, &trace, &err) || nslab_trace_check(trace, &err)) {
		fprintf(stderr, "the trace that was written is bad: %s\n", err.text);
		abort();
	}
	nslab_trace_close(trace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
	struct nslab_trace_importer importer = {
		.name = "fuzz", .skip_unknown = nr_bytes % 2, .info = {.source = "import"}};
	struct nslab_err err = {""};

	fuzz_prepare();
	if (nslab_trace_writer_create(fuzz_path, &importer.info, &importer.writer, &err))
		abort();
	if (!fuzz_lines(&importer, (const char *)data, nr_bytes, &err)) {
		if (nslab_trace_writer_finish(importer.writer, &err))
			abort();
		fuzz_check();
	}
	nslab_trace_writer_destroy(importer.writer);
	return 0;
}
