/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * undo.c: writes and reads the undo file (its form stands in undo.h).
 *
 * The file is written beside its name, brought to the disk and renamed, before the first setting is
 * changed: a power cut leaves the old file or the new one, and never a change without its undo.
 * Reading trusts nothing: every line must have its form, and the last one must give the number of
 * files, so that a file that was cut short is known. Whether a path may be written at all is not
 * asked here but by whoever writes.
 */
#define _GNU_SOURCE
#include "runner/host/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNDO_HEADER  "numaslab undo 1"
#define UNDO_BOOT_ID "/proc/sys/kernel/random/boot_id"

void nslab_host_undo_init(struct nslab_host_undo *undo, const struct nslab_host_root *root)
{
	*undo = (struct nslab_host_undo){0};
	memcpy(undo->root, root->path, sizeof(undo->root));
	nslab_host_read_word(root, UNDO_BOOT_ID, undo->boot, sizeof(undo->boot));
}

void nslab_host_undo_free(struct nslab_host_undo *undo)
{
	for (size_t i = 0; i < undo->nr; i++) {
		free(undo->files[i].path);
		free(undo->files[i].bytes);
	}
	free(undo->files);
	*undo = (struct nslab_host_undo){0};
}

bool nslab_host_undo_holds(const struct nslab_host_undo *undo, const char *path)
{
	for (size_t i = 0; i < undo->nr; i++) {
		if (!strcmp(undo->files[i].path, path))
			return true;
	}
	return false;
}

int nslab_host_undo_add(struct nslab_host_undo *undo, const char *path, const char *bytes,
			size_t nr)
{
	struct nslab_host_bytes *file;

	if (undo->nr == undo->room) {
		size_t room = undo->room ? 2 * undo->room : 16;
		struct nslab_host_bytes *files = realloc(undo->files, room * sizeof(*files));

		if (!files)
			return -ENOMEM;
		undo->files = files;
		undo->room = room;
	}
	file = &undo->files[undo->nr];
	file->path = strdup(path);
	file->bytes = malloc(nr + 1);
	file->nr = nr;
	undo->nr++;
	if (!file->path || !file->bytes)
		return -ENOMEM;
	memcpy(file->bytes, bytes, nr);
	file->bytes[nr] = '\0';
	return 0;
}

/* ---- writing ---- */

static void undo_put(FILE *out, const char *bytes, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c < ' ' || c > '~' || c == '\\')
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static void undo_print(FILE *out, const struct nslab_host_undo *undo, size_t nr)
{
	fprintf(out, UNDO_HEADER "\nroot\t");
	undo_put(out, undo->root, strlen(undo->root));
	fprintf(out, "\nboot\t%s\n", undo->boot);
	for (size_t i = 0; i < nr; i++) {
		const struct nslab_host_bytes *file = &undo->files[i];

		fprintf(out, "file\t");
		undo_put(out, file->path, strlen(file->path));
		fputc('\t', out);
		undo_put(out, file->bytes, file->nr);
		fputc('\n', out);
	}
	fprintf(out, "end\t%zu\n", nr);
}

static int undo_make_folders(const char *file)
{
	char path[PATH_MAX];

	if (strlen(file) >= sizeof(path))
		return -ENAMETOOLONG;
	snprintf(path, sizeof(path), "%s", file);
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return -errno;
		*at = '/';
	}
	return 0;
}

/* A rename is on the disk when its folder is. */
static void undo_sync_folder(const char *file)
{
	char path[PATH_MAX];
	char *slash;
	int fd;

	snprintf(path, sizeof(path), "%s", file);
	slash = strrchr(path, '/');
	if (slash)
		slash[slash == path] = '\0';
	fd = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int undo_replace(const char *file, const struct nslab_host_undo *undo, size_t nr)
{
	char beside[PATH_MAX + 8];
	int fd, rc = 0;
	FILE *out;

	snprintf(beside, sizeof(beside), "%s.XXXXXX", file);
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	out = fdopen(fd, "w");
	if (!out) {
		rc = -errno;
		close(fd);
		goto remove;
	}
	undo_print(out, undo, nr);
	if (fflush(out) || ferror(out) || fsync(fd))
		rc = errno ? -errno : -EIO;
	if (fclose(out) && !rc)
		rc = -errno;
	if (!rc && rename(beside, file))
		rc = -errno;
remove:
	if (rc)
		unlink(beside);
	else
		undo_sync_folder(file);
	return rc;
}

int nslab_host_undo_write(const char *file, const struct nslab_host_undo *undo, size_t nr,
			  struct nslab_err *err)
{
	int rc = undo_make_folders(file);

	if (!rc)
		rc = undo_replace(file, undo, nr);
	if (!rc)
		return 0;
	return nslab_fail(err, rc, "cannot write undo file '%s': %s; --undo FILE names another",
			  file, strerror(-rc));
}

/* ---- reading ---- */

static int undo_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; false when an escape is none. A path or root has no 0 in it. */
static bool undo_unescape(char *text, size_t *nr)
{
	size_t to = 0;

	for (const char *at = text; *at; at++) {
		if (*at != '\\') {
			text[to++] = *at;
			continue;
		}
		int high = at[1] == 'x' ? undo_digit(at[2]) : -1;
		int low = high >= 0 ? undo_digit(at[3]) : -1;

		if (low < 0)
			return false;
		text[to++] = (char)(high * 16 + low);
		at += 3;
	}
	text[to] = '\0';
	*nr = to;
	return true;
}

struct undo_reader {
	FILE *in;
	char *line;
	size_t room, number;
	bool is_ended;	/* the end line was seen */
	bool is_at_end; /* of the file, behind a whole line */
	struct nslab_host_undo *undo;
};

/* The next line without its end. False at the end of the file, and for a line without an end. */
static bool undo_next(struct undo_reader *r)
{
	ssize_t len = getline(&r->line, &r->room, r->in);

	r->number++;
	r->is_at_end = len < 0 && feof(r->in);
	if (len < 1 || r->line[len - 1] != '\n' || strlen(r->line) != (size_t)len)
		return false;
	r->line[len - 1] = '\0';
	return true;
}

/* What stands behind "WORD<TAB>", or NULL. */
static char *undo_field(char *line, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(line, word, len) && line[len] == '\t' ? line + len + 1 : NULL;
}

static int undo_read_head(struct undo_reader *r)
{
	char *root, *boot;
	size_t nr;

	if (!undo_next(r) || strcmp(r->line, UNDO_HEADER) || !undo_next(r))
		return -EINVAL;
	root = undo_field(r->line, "root");
	if (!root || !undo_unescape(root, &nr) || nr != strlen(root) || nr >= sizeof(r->undo->root))
		return -EINVAL;
	memcpy(r->undo->root, root, nr + 1);
	boot = undo_next(r) ? undo_field(r->line, "boot") : NULL;
	if (!boot || !*boot || strlen(boot) >= sizeof(r->undo->boot))
		return -EINVAL;
	strcpy(r->undo->boot, boot);
	return 0;
}

static int undo_read_file(struct undo_reader *r)
{
	char *path = undo_field(r->line, "file");
	char *bytes = path ? strchr(path, '\t') : NULL;
	size_t path_nr, nr;

	if (!bytes)
		return -EINVAL;
	*bytes++ = '\0';
	if (!undo_unescape(path, &path_nr) || path_nr != strlen(path) || !undo_unescape(bytes, &nr))
		return -EINVAL;
	return nslab_host_undo_add(r->undo, path, bytes, nr);
}

static int undo_read_lines(struct undo_reader *r)
{
	int rc = undo_read_head(r);
	char expected[32];

	while (!rc && undo_next(r)) {
		const char *count = undo_field(r->line, "end");

		if (r->is_ended)
			return -EINVAL;
		snprintf(expected, sizeof(expected), "%zu", r->undo->nr);
		if (count)
			r->is_ended = !strcmp(count, expected);
		if (!count || !r->is_ended)
			rc = count ? -EINVAL : undo_read_file(r);
	}
	return rc ? rc : r->is_ended && r->is_at_end ? 0 : -EINVAL;
}

int nslab_host_undo_read(const char *file, struct nslab_host_undo *undo, struct nslab_err *err)
{
	struct undo_reader r = {.undo = undo};
	int rc;

	*undo = (struct nslab_host_undo){0};
	r.in = fopen(file, "re");
	if (!r.in && errno == ENOENT)
		return -ENOENT;
	if (!r.in)
		return nslab_fail(err, -errno, "cannot read undo file '%s': %s", file,
				  strerror(errno));
	rc = undo_read_lines(&r);
	fclose(r.in);
	free(r.line);
	if (rc == -EINVAL)
		nslab_fail(err, rc, "'%s' line %zu: not an undo file of numaslab, or it is damaged",
			   file, r.number);
	else if (rc)
		nslab_fail(err, rc, "cannot read undo file '%s': %s", file, strerror(-rc));
	return rc;
}
