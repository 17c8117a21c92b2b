/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * import_file.c: a text file, plain or gzipped, line by line into the importer.
 *
 * zlib reads both kinds. Lines are handed out where they lie in one buffer; what is left of a line
 * at the end of the buffer moves to its front. So memory is bounded, and a line longer than the
 * buffer is no line of a trace. The trace appears under its name only when all went well.
 */
#include "workloads/trace/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BUFFER_BYTES ((size_t)1 << 20)

struct import_file {
	gzFile gz;
	char *buffer;
	size_t nr_bytes;
};

static int import_file_open(struct import_file *file, const char *text, struct nslab_err *err)
{
	bool is_stdin = !strcmp(text, "-");

	file->buffer = malloc(BUFFER_BYTES);
	if (!file->buffer)
		return nslab_fail(err, -ENOMEM, "cannot read '%s': no memory", text);
	errno = ENOMEM;
	file->gz = is_stdin ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(text, "rbe");
	if (!file->gz)
		return nslab_fail(err, -errno, "cannot open '%s': %s", text, strerror(errno));
	gzbuffer(file->gz, 256 << 10);
	return 0;
}

static void import_file_close(struct import_file *file)
{
	if (file->gz)
		gzclose_r(file->gz);
	free(file->buffer);
}

/* All lines of the buffer; at the end of the file the last may lack its newline. */
static int import_file_lines(struct import_file *file, struct nslab_trace_importer *importer,
			     bool is_end, struct nslab_err *err)
{
	char *at = file->buffer, *end = file->buffer + file->nr_bytes;
	int rc = 0;

	while (!rc && at < end) {
		char *newline = memchr(at, '\n', (size_t)(end - at));

		if (!newline && !is_end)
			break;
		rc = nslab_trace_import_line(importer, at, (size_t)((newline ? newline : end) - at),
					     err);
		at = newline ? newline + 1 : end;
	}
	file->nr_bytes = (size_t)(end - at);
	memmove(file->buffer, at, file->nr_bytes);
	return rc;
}

static int import_file_failed(struct import_file *file, const struct nslab_trace_importer *importer,
			      struct nslab_err *err)
{
	int code;
	const char *text = gzerror(file->gz, &code);

	return nslab_fail(err, code == Z_ERRNO ? -errno : -EINVAL, "'%s' line %llu: %s",
			  importer->name, (unsigned long long)importer->nr_lines + 1,
			  code == Z_ERRNO	? strerror(errno)
			  : code == Z_BUF_ERROR ? "the gzip data are truncated"
						: text);
}

static int import_file_read(struct import_file *file, struct nslab_trace_importer *importer,
			    struct nslab_err *err)
{
	for (;;) {
		size_t room = BUFFER_BYTES - file->nr_bytes;
		int nr, code, rc;

		if (!room)
			return nslab_fail(err, -EINVAL, "'%s' line %llu: longer than %zu bytes",
					  importer->name,
					  (unsigned long long)importer->nr_lines + 1, BUFFER_BYTES);
		nr = gzread(file->gz, file->buffer + file->nr_bytes, (unsigned)room);
		gzerror(file->gz, &code);
		if (nr < 0 || (code != Z_OK && code != Z_STREAM_END))
			return import_file_failed(file, importer, err);
		file->nr_bytes += (size_t)nr;
		rc = import_file_lines(file, importer, !nr, err);
		if (rc || !nr)
			return rc;
	}
}

/* The header of perf came after the writer was made. */
static int import_finish(struct nslab_trace_importer *importer, struct nslab_err *err)
{
	int rc;

	if (!importer->nr_events)
		return nslab_fail(err, -EINVAL,
				  "'%s' holds no event of slabs or pages (%llu lines)",
				  importer->name, (unsigned long long)importer->nr_lines);
	importer->info.kernel = importer->kernel;
	importer->info.machine = importer->machine;
	rc = nslab_trace_writer_info(importer->writer, &importer->info);
	if (rc)
		return nslab_fail(err, rc, "cannot import '%s': %s", importer->name, strerror(-rc));
	return nslab_trace_writer_finish(importer->writer, err);
}

int nslab_trace_import(const char *text, const char *path, bool skip_unknown,
		       struct nslab_trace_tally *tally, uint64_t *nr_lines, struct nslab_err *err)
{
	struct nslab_trace_importer importer = {
		.name = text, .skip_unknown = skip_unknown, .info = {.source = "import"}};
	struct import_file file = {0};
	int rc = import_file_open(&file, text, err);

	if (!rc)
		rc = nslab_trace_writer_create(path, &importer.info, &importer.writer, err);
	if (!rc)
		rc = import_file_read(&file, &importer, err);
	if (!rc)
		rc = import_finish(&importer, err);
	if (!rc && tally)
		*tally = *nslab_trace_writer_tally(importer.writer);
	if (nr_lines)
		*nr_lines = importer.nr_lines;
	nslab_trace_writer_destroy(importer.writer);
	import_file_close(&file);
	return rc;
}
