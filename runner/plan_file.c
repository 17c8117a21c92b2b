/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_file.c: a plan file as sections of keys, each with its line.
 *
 * inih splits lines into names and values; it knows no line numbers in its handler and cuts what is
 * too long without a word. So it is fed through a reader of our own, which sees every line first:
 * it counts, refuses what inih would cut or misread, notes each section (also one without keys) and
 * tells the handler whether a line continues the value before it. The first thing that is wrong
 * ends the input, and its text is the error.
 *
 * Rules: one section per job, [global] holds what all jobs inherit; names are unique in the file
 * and keys in their section; a line that begins with a blank continues the list before it; `;` and
 * `#` begin comments. The file is at most 1 MiB of UTF-8 without control characters.
 *
 * Left out: meaning. Which keys there are, and which values, is plan_keys.c.
 */
#define _GNU_SOURCE
#include "runner/plan_internal.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PLAN_FILE_MAX ((size_t)1 << 20)

struct reader {
	struct plan_file *file;
	struct nslab_err *err;
	const char *next; /* the line that inih will be given next */
	int line;
	bool is_continuation;
	bool has_key; /* of this section: what an indented line continues */
	int rc;	      /* of the first thing that was wrong */
};

int nslab_plan_fail_at(const struct plan_file *file, int line, struct nslab_err *err, int rc)
{
	if (line)
		return nslab_fail_in(err, rc, "%s:%d", file->path, line);
	return nslab_fail_in(err, rc, "command line");
}

#define refuse(r, ...)                                                                             \
 ((r)->rc = nslab_plan_fail_at((r)->file, (r)->line, (r)->err,                                     \
			       nslab_fail((r)->err, -EINVAL, __VA_ARGS__)))

const struct plan_key *nslab_plan_section_find(const struct plan_section *section, const char *name)
{
	for (size_t i = 0; i < section->nr_keys; i++) {
		if (!strcmp(section->keys[i].name, name))
			return &section->keys[i];
	}
	return NULL;
}

const struct plan_key *nslab_plan_key_find(const struct plan_file *file,
					   const struct plan_section *job, const char *name)
{
	const struct plan_key *key = job ? nslab_plan_section_find(job, name) : NULL;

	return key ? key : nslab_plan_section_find(&file->sections[0], name);
}

static struct plan_section *current_section(struct plan_file *file)
{
	return &file->sections[file->nr_sections - 1];
}

static int add_section(struct plan_file *file, const char *name, size_t len, int line)
{
	struct plan_section *section;

	file->sections =
		nslab_pool_grow(file->pool, file->sections, file->nr_sections, sizeof(*section));
	if (!file->sections)
		return -ENOMEM;
	section = &file->sections[file->nr_sections++];
	*section = (struct plan_section){.line = line};
	section->name = nslab_pool_copy(file->pool, name, len);
	return section->name ? 0 : -ENOMEM;
}

static int add_key(struct plan_file *file, struct plan_section *section, const char *name,
		   const char *value, int line)
{
	struct plan_key *key;

	section->keys = nslab_pool_grow(file->pool, section->keys, section->nr_keys, sizeof(*key));
	if (!section->keys)
		return -ENOMEM;
	key = &section->keys[section->nr_keys++];
	key->name = nslab_pool_copy(file->pool, name, strlen(name));
	key->value = nslab_pool_copy(file->pool, value, strlen(value));
	key->line = line;
	return key->name && key->value ? 0 : -ENOMEM;
}

/* A line "[name]"; every later key belongs to it. */
static int note_section(struct reader *r, const char *text)
{
	const char *end = strchr(text, ']');
	struct plan_file *file = r->file;
	size_t len;

	if (!end)
		return refuse(r, "section '%s' has no closing ']'", text);
	len = (size_t)(end - text - 1);
	if (!len || len > PLAN_NAME_MAX)
		return refuse(r, "section name of %zu bytes; it may have 1..%d", len,
			      PLAN_NAME_MAX);
	end += 1 + strspn(end + 1, " \t\r");
	if (*end && *end != ';' && *end != '#')
		return refuse(r, "'%s' after the section's ']'", end);
	r->has_key = false;
	if (len == 6 && !strncmp(text + 1, "global", 6)) {
		if (file->sections[0].line || file->nr_sections > 1)
			return refuse(r, "section [global] must come once, before every job");
		file->sections[0].line = r->line;
		return 0;
	}
	for (size_t i = 1; i < file->nr_sections; i++) {
		if (!strncmp(file->sections[i].name, text + 1, len) && !file->sections[i].name[len])
			return refuse(r, "section [%.*s] is also in line %d", (int)len, text + 1,
				      file->sections[i].line);
	}
	r->rc = add_section(file, text + 1, len, r->line);
	return r->rc;
}

/* A line "key=value", as far as inih would misread it. */
static int check_key_line(struct reader *r, const char *text)
{
	size_t len = strcspn(text, "=:;");

	if (text[len] != '=')
		return refuse(r, "'%s' is neither key=value nor [section]", text);
	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (!len || len > PLAN_NAME_MAX)
		return refuse(r, "key of %zu bytes before '='; it may have 1..%d", len,
			      PLAN_NAME_MAX);
	if (r->file->nr_sections == 1 && !r->file->sections[0].line)
		return refuse(r, "key '%.*s' before the first section", (int)len, text);
	r->has_key = true;
	return 0;
}

static int check_continuation(struct reader *r, const char *text)
{
	if (strchr(text, '='))
		return refuse(r,
			      "'%s' is indented, so it would continue the value before it; a key "
			      "begins in the first column",
			      text);
	return 0;
}

static int check_line(struct reader *r, const char *line)
{
	const char *text = line + strspn(line, " \t\r\v\f");
	json_t *probe = json_string(line);

	r->is_continuation = false;
	if (!probe)
		return refuse(r, "the line is not UTF-8 text");
	json_decref(probe);
	for (const char *c = line; *c; c++) {
		if (iscntrl((unsigned char)*c) && !isspace((unsigned char)*c))
			return refuse(r, "control character 0x%02x in column %td",
				      (unsigned)(unsigned char)*c, c - line + 1);
	}
	if (!*text || *text == ';' || *text == '#')
		return 0;
	if (text > line && r->has_key) {
		r->is_continuation = true;
		return check_continuation(r, text);
	}
	return *text == '[' ? note_section(r, text) : check_key_line(r, text);
}

/* ini_reader: the next line, or NULL at the end and after an error. */
static char *read_line(char *line, int line_bytes, void *stream)
{
	struct reader *r = stream;
	size_t len = strcspn(r->next, "\n");

	if (r->rc || !*r->next)
		return NULL;
	r->line++;
	if (len > PLAN_LINE_MAX || len >= (size_t)line_bytes) {
		refuse(r, "line of %zu bytes; at most %d fit: continue lists on indented lines",
		       len, PLAN_LINE_MAX);
		return NULL;
	}
	memcpy(line, r->next, len);
	line[len] = '\0';
	r->next += len + (r->next[len] == '\n');
	return check_line(r, line) ? NULL : line;
}

/* Length without a comment behind blanks: inih takes it off first lines only. */
static size_t uncommented(const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++) {
		if (value[i] == ';' && (!i || isspace((unsigned char)value[i - 1])))
			len = i;
	}
	while (len && isspace((unsigned char)value[len - 1]))
		len--;
	return len;
}

static int continue_value(struct reader *r, const char *value)
{
	struct plan_section *section = current_section(r->file);
	struct plan_key *key = &section->keys[section->nr_keys - 1];
	size_t len = strlen(key->value);
	bool is_joined = !len || key->value[len - 1] == ',' || value[0] == ',';

	key->value = nslab_pool_print(r->file->pool, "%s%s%.*s", key->value, is_joined ? "" : ",",
				      (int)uncommented(value), value);
	if (!key->value)
		r->rc = -ENOMEM;
	return 1;
}

/* ini_handler; the section is the one that the reader saw last. */
static int take_key(void *user, const char *section_name, const char *name, const char *value)
{
	struct reader *r = user;
	struct plan_section *section = current_section(r->file);
	const struct plan_key *twin;

	(void)section_name;
	if (r->rc)
		return 1;
	if (r->is_continuation)
		return continue_value(r, value);
	twin = nslab_plan_section_find(section, name);
	if (twin)
		refuse(r, "key '%s' is also in line %d", name, twin->line);
	else
		r->rc = add_key(r->file, section, name, value, r->line);
	return 1;
}

static int load_text(struct plan_file *file, struct nslab_err *err)
{
	FILE *stream = fopen(file->path, "re");
	size_t len = 0;
	struct stat st;
	char *text;
	int rc = 0;

	if (!stream)
		return nslab_fail(err, -errno, "cannot open plan '%s': %s", file->path,
				  strerror(errno));
	if (!fstat(fileno(stream), &st) && S_ISDIR(st.st_mode))
		rc = -EISDIR;
	text = nslab_pool_alloc(file->pool, PLAN_FILE_MAX + 2);
	if (!rc && !text)
		rc = -ENOMEM;
	if (!rc) {
		len = fread(text, 1, PLAN_FILE_MAX + 1, stream);
		if (ferror(stream))
			rc = -EIO;
		else if (len > PLAN_FILE_MAX)
			rc = -EFBIG;
		else if (memchr(text, '\0', len))
			rc = -EINVAL;
	}
	fclose(stream);
	if (rc == -EINVAL)
		return nslab_fail(err, rc, "cannot read plan '%s': it holds a NUL byte",
				  file->path);
	if (rc)
		return nslab_fail(err, rc, "cannot read plan '%s': %s", file->path, strerror(-rc));
	file->text = text;
	return 0;
}

int nslab_plan_file_read(struct plan_file *file, struct nslab_err *err)
{
	struct reader r = {.file = file, .err = err};
	int line;
	int rc = file->text ? 0 : load_text(file, err);

	if (!rc)
		rc = add_section(file, "global", 6, 0);
	if (rc)
		return rc;
	r.next = file->text;
	/* a byte order mark is inih's to skip, but our reader sees the line first */
	if (!strncmp(r.next, "\xef\xbb\xbf", 3))
		r.next += 3;
	line = ini_parse_stream(read_line, &r, take_key, &r);
	if (!r.rc && line > 0) {
		r.line = line;
		refuse(&r, "the line is neither key=value nor [section]");
	}
	if (!r.rc && file->nr_sections < 2)
		r.rc = nslab_fail(err, -EINVAL, "%s: there is no job: no section but [global]",
				  file->path);
	return r.rc;
}

static void remove_key(struct plan_section *section, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < section->nr_keys; i++) {
		if (strcmp(section->keys[i].name, name))
			section->keys[kept++] = section->keys[i];
	}
	section->nr_keys = kept;
}

int nslab_plan_file_override(struct plan_file *file, const char *text, struct nslab_err *err)
{
	const char *equals = strchr(text, '=');
	json_t *probe = json_string(text);
	const char *name;

	if (!probe || !equals || equals == text) {
		json_decref(probe);
		return nslab_fail(err, -EINVAL, "command line: '%s' is not key=value", text);
	}
	json_decref(probe);
	name = nslab_pool_copy(file->pool, text, (size_t)(equals - text));
	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < file->nr_sections; i++)
		remove_key(&file->sections[i], name);
	return add_key(file, &file->sections[0], name, equals + 1, 0);
}
