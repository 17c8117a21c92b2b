/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * import_results.c: `numaslab import FILE.json -o RUN.db`: results of Google Benchmark as a run.
 *
 * The command is one for traces and results, since a user has a file and not a theory of it: JSON
 * goes here, any other text is a trace. The file is read whole, its meaning is decided in results/,
 * and stderr is told what became of it. A run that could not be written whole is removed. Left
 * out: JSON on stdin, which cannot be looked at twice.
 */
#define _GNU_SOURCE
#include "cli/import_results.h"

#include "cli/command.h"
#include "results/import.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool nslab_is_json_file(const char *path)
{
	struct stat st;
	FILE *file;
	int c = EOF;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return false;
	file = fopen(path, "re");
	if (!file)
		return false;
	while ((c = getc(file)) != EOF && isspace(c))
		;
	if (c == '{') {
		while ((c = getc(file)) != EOF && isspace(c))
			;
	} else {
		c = EOF;
	}
	fclose(file);
	return c == '"' || c == '}';
}

/* The whole file; free() it. */
static int import_read(const char *path, char **text, size_t *nr_bytes, struct nslab_err *err)
{
	FILE *file = fopen(path, "re");
	struct stat st;
	int rc = 0;

	*text = NULL;
	if (!file || fstat(fileno(file), &st)) {
		rc = nslab_fail(err, -errno, "cannot open '%s': %s", path, strerror(errno));
		goto out;
	}
	if (st.st_size > (off_t)NSLAB_IMPORT_BYTES_MAX) {
		rc = nslab_fail(err, -EFBIG, "cannot import '%s': it is larger than %u MiB", path,
				NSLAB_IMPORT_BYTES_MAX >> 20);
		goto out;
	}
	*text = malloc((size_t)st.st_size + 1);
	if (!*text) {
		rc = nslab_fail(err, -ENOMEM, "cannot read '%s': out of memory", path);
		goto out;
	}
	*nr_bytes = fread(*text, 1, (size_t)st.st_size, file);
	if (ferror(file))
		rc = nslab_fail(err, -EIO, "cannot read '%s': %s", path, strerror(errno));
out:
	if (file)
		fclose(file);
	return rc;
}

int nslab_import_results(const char *path, const char *output, const char *host_name)
{
	struct nslab_import import = {0};
	struct nslab_err err = {""};
	size_t nr_bytes = 0;
	char *text;
	int rc = import_read(path, &text, &nr_bytes, &err);

	if (!rc)
		rc = nslab_import_gbench(text, nr_bytes, path, &import, &err);
	if (!rc) {
		rc = nslab_import_store(&import, host_name, output, &err);
		if (rc && rc != -EEXIST)
			unlink(output);
	}
	if (!rc)
		fprintf(stderr,
			"%s: %zu trials of %zu benchmarks; numaslab compare takes them as"
			" unpaired samples\n",
			output, import.nr_trials, import.nr_cells);
	nslab_import_exit(&import);
	free(text);
	return rc ? nslab_complain(&err, rc) : NSLAB_EXIT_DONE;
}
