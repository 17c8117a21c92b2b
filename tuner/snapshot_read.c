// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot_read.c: a snapshot from a file, of whichever kind, and from caches that were spelled
 * out.
 *
 * The file is read once into memory, so that a pipe will do, and its first line that is no remark
 * tells the kind: an opening brace is JSON, "slabinfo" the text of /proc, a tab makes a table. A
 * trace is named as such, since it wants another option. Explicit caches have their own little
 * language of key=value, from which an order and its objects follow by the rules of the kernel.
 *
 * Left out: compressed files.
 */
#define _GNU_SOURCE
#include "tuner/snapshot_impl.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FILE_BYTES_MAX (16u << 20) /* a snapshot of 1000 caches has 300 KiB */

/* ---- files ---- */

static int read_table(struct nslab_tuner_snapshot *s, const char *path, FILE *file,
		      struct nslab_err *err)
{
	struct nslab_slab_table table;
	int rc = nslab_slab_table_read_stream(file, path, &table, err);

	if (!rc)
		rc = nslab_tuner_snapshot_rows(s, path, &table, err);
	nslab_slab_table_free(&table);
	return rc;
}

typedef int (*read_fn)(struct nslab_tuner_snapshot *s, const char *path, FILE *file,
		       struct nslab_err *err);

static int read_lines(struct nslab_tuner_snapshot *s, const char *path, const char *text,
		      size_t bytes, read_fn read, struct nslab_err *err)
{
	FILE *file = fmemopen((char *)(uintptr_t)text, bytes, "r");
	int rc;

	if (!file)
		return nslab_fail(err, -ENOMEM, "out of memory");
	rc = read(s, path, file, err);
	fclose(file);
	return rc;
}

/* The first line that is neither empty nor a remark; NULL. */
static const char *read_first(const char *text, const char *end)
{
	while (text < end && strchr("#\r\n", *text)) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		text = newline ? newline + 1 : end;
	}
	return text < end ? text : NULL;
}

/* Bytes that a terminal would obey are in no kind of snapshot. */
static int read_check_bytes(const char *path, const char *text, size_t bytes, struct nslab_err *err)
{
	size_t line = 1;

	for (size_t i = 0; i < bytes; i++) {
		unsigned char byte = (unsigned char)text[i];

		line += byte == '\n';
		if ((byte < ' ' && !strchr("\t\r\n", byte)) || !byte || byte >= 0x7f)
			return nslab_fail(err, -EINVAL, "%s:%zu: byte 0x%02x is no text", path,
					  line, byte);
	}
	return 0;
}

static int read_any(struct nslab_tuner_snapshot *s, const char *path, const char *text,
		    size_t bytes, struct nslab_err *err)
{
	const char *first = read_first(text, text + bytes);
	size_t length = first ? strcspn(first, "\n") : 0;
	int rc;

	if (!first)
		return nslab_fail(err, -EINVAL, "'%s' is empty", path);
	if (!strncmp(first, "NSLABTRC", 8))
		return nslab_fail(err, -EINVAL, "'%s' is a trace; give it as --trace", path);
	rc = read_check_bytes(path, text, bytes, err);
	if (rc)
		return rc;
	if (*first == '{')
		return nslab_tuner_snapshot_parse_json(s, path, text, bytes, err);
	if (!strncmp(first, "slabinfo", 8))
		return read_lines(s, path, text, bytes, nslab_tuner_snapshot_slabinfo, err);
	if (memchr(first, '\t', length))
		return read_lines(s, path, text, bytes, read_table, err);
	return nslab_fail(err, -EINVAL,
			  "%s:1: neither JSON of numaslab snapshot, nor a table with tabs, nor "
			  "slabinfo",
			  path);
}

int nslab_tuner_snapshot_parse(const char *path, const char *text, size_t bytes,
			       const struct nslab_tuner_given *given,
			       struct nslab_tuner_snapshot **snapshot, struct nslab_err *err)
{
	struct nslab_tuner_snapshot *s = nslab_tuner_snapshot_new(path);
	int rc =
		s ? read_any(s, path, text, bytes, err) : nslab_fail(err, -ENOMEM, "out of memory");

	if (!rc)
		rc = nslab_tuner_snapshot_finish(s, given, err);
	if (rc)
		nslab_tuner_snapshot_free(s);
	else
		*snapshot = s;
	return rc;
}

/* The whole file and a 0 behind it. */
static int read_file(const char *path, char **text, size_t *bytes, struct nslab_err *err)
{
	FILE *file = fopen(path, "re"), *out = NULL;
	char part[4096];
	int rc = 0;

	*text = NULL;
	if (file)
		out = open_memstream(text, bytes);
	if (!out)
		rc = -errno;
	*bytes = 0;
	for (size_t nr = 1, total = 0; !rc && nr; total += nr) {
		nr = fread(part, 1, sizeof(part), file);
		fwrite(part, 1, nr, out);
		rc = ferror(file) ? -EIO : total > FILE_BYTES_MAX ? -EFBIG : 0;
	}
	if (file && ferror(file) && errno == EISDIR)
		rc = -EISDIR;
	if (out && fclose(out) && !rc)
		rc = -ENOMEM;
	if (file)
		fclose(file);
	return rc ? nslab_fail(err, rc, "cannot read '%s': %s", path, strerror(-rc)) : 0;
}

int nslab_tuner_snapshot_read(const char *path, const struct nslab_tuner_given *given,
			      struct nslab_tuner_snapshot **snapshot, struct nslab_err *err)
{
	char *text;
	size_t bytes;
	int rc = read_file(path, &text, &bytes, err);

	if (!rc)
		rc = nslab_tuner_snapshot_parse(path, text, bytes, given, snapshot, err);
	free(text);
	return rc;
}

/* ---- explicit caches ---- */

struct spelled {
	double size, live, rate, object_size, align, order, remote;
};

static const struct spelled_key {
	const char *word;
	size_t offset;
	double least, most;
	bool is_whole;
} spelled_keys[] = {
	{"size", offsetof(struct spelled, size), 1, 4u << 20, true},
	{"live", offsetof(struct spelled, live), 0, 1e15, true},
	{"rate", offsetof(struct spelled, rate), 0, 1e12, false},
	{"object_size", offsetof(struct spelled, object_size), 1, 4u << 20, true},
	{"align", offsetof(struct spelled, align), 1, 4u << 20, true},
	{"order", offsetof(struct spelled, order), 0, NSLAB_MAX_ORDER, true},
	{"remote", offsetof(struct spelled, remote), 0, 1, false},
};

static int spelled_number(struct spelled *spelled, const char *word, const char *value,
			  struct nslab_err *err)
{
	for (size_t i = 0; i < sizeof(spelled_keys) / sizeof(spelled_keys[0]); i++) {
		const struct spelled_key *key = &spelled_keys[i];
		double *number = (double *)(void *)((char *)spelled + key->offset);
		char *end;

		if (strcmp(key->word, word) != 0)
			continue;
		if (!isnan(*number))
			return nslab_fail(err, -EINVAL, "'%s' is there twice", word);
		*number = strtod(value, &end);
		if (end == value || *end || !(*number >= key->least && *number <= key->most) ||
		    (key->is_whole && *number != floor(*number)))
			return nslab_fail(err, -EINVAL, "%s is '%.32s'; %s%.15g..%.15g is accepted",
					  word, value, key->is_whole ? "a whole number of " : "",
					  key->least, key->most);
		return 0;
	}
	return nslab_fail(err, -EINVAL,
			  "unknown word '%.32s'; name, size, live, rate, object_size, align, order "
			  "and remote are known",
			  word);
}

static int spelled_parse(char *text, const char **name, struct spelled *spelled,
			 struct nslab_err *err)
{
	int rc = 0;

	*name = NULL;
	*spelled = (struct spelled){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	for (char *word; !rc && (word = strsep(&text, ","));) {
		char *value = strchr(word, '=');

		if (!value)
			return nslab_fail(err, -EINVAL, "'%.32s' is no WORD=VALUE", word);
		*value++ = '\0';
		if (strcmp(word, "name") != 0)
			rc = spelled_number(spelled, word, value, err);
		else
			*name = value;
	}
	if (!rc && (!*name || isnan(spelled->size) || isnan(spelled->live)))
		rc = nslab_fail(err, -EINVAL, "name, size and live are needed, %s is missing",
				!*name		       ? "name"
				: isnan(spelled->size) ? "size"
						       : "live");
	return rc;
}

static int spelled_add(struct nslab_tuner_snapshot *s, const char *name,
		       const struct spelled *spelled, struct nslab_err *err)
{
	struct nslab_tuner_cache *cache = nslab_tuner_snapshot_add(s, name);

	if (!cache)
		return nslab_fail(err, -ENOMEM, "out of memory");
	cache->size = (unsigned)spelled->size;
	cache->object_size =
		isnan(spelled->object_size) ? cache->size : (unsigned)spelled->object_size;
	cache->align = isnan(spelled->align) ? 0 : (unsigned)spelled->align;
	cache->order = isnan(spelled->order) ? NSLAB_TUNER_UNKNOWN : (int)spelled->order;
	cache->live = (int64_t)spelled->live;
	cache->allocs_per_s = cache->frees_per_s = spelled->rate;
	cache->remote_share = spelled->remote;
	return nslab_tuner_snapshot_check(cache, err);
}

static int spelled_take(struct nslab_tuner_snapshot *s, const char *text, struct nslab_err *err)
{
	struct spelled spelled;
	char *copy = strdup(text);
	const char *name = NULL;
	int rc = copy ? spelled_parse(copy, &name, &spelled, err)
		      : nslab_fail(err, -ENOMEM, "out of memory");

	if (!rc)
		rc = spelled_add(s, name, &spelled, err);
	free(copy);
	return rc ? nslab_fail_in(err, rc, "cache '%.200s'", text) : 0;
}

int nslab_tuner_snapshot_make(const char *const *caches, const struct nslab_tuner_given *given,
			      struct nslab_tuner_snapshot **snapshot, struct nslab_err *err)
{
	struct nslab_tuner_snapshot *s = nslab_tuner_snapshot_new("given caches");
	int rc = s ? 0 : nslab_fail(err, -ENOMEM, "out of memory");

	for (size_t i = 0; !rc && caches[i]; i++)
		rc = spelled_take(s, caches[i], err);
	if (!rc)
		rc = nslab_tuner_snapshot_finish(s, given, err);
	if (rc)
		nslab_tuner_snapshot_free(s);
	else
		*snapshot = s;
	return rc;
}
