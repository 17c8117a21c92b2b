/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slab_rules.c: reads the caches that a kernel shows, and predicts what it must show.
 *
 * A table's cells and sysfs' attribute files have the same names, so both end as one array of texts
 * for each cache, and one function turns those into a row. Columns that nobody knows are passed
 * over, columns that are missing are not compared. A table is refused, with file and line, when it
 * lacks name or slab_size, when a number is none, when a cache is there twice or when a stride
 * contradicts the object or the alignment: a verdict on such a table would mean nothing.
 *
 * Invariant: an alias (a row with alias_of, a symbolic link in sysfs) is kept by name only, its
 * numbers are those of the cache that it joined. Left out: prediction of the stride, and sheaves.
 */
#define _GNU_SOURCE
#include "runner/slab_rules.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHES_MAX 100000 /* a kernel has a few hundred */

/* Columns of a table and attributes of sysfs; the compared ones stand first. */
enum slab_field {
	FIELD_ORDER = NSLAB_SLAB_ORDER,
	FIELD_OBJECTS = NSLAB_SLAB_OBJECTS,
	FIELD_MIN_PARTIAL = NSLAB_SLAB_MIN_PARTIAL,
	FIELD_CPU_PARTIAL = NSLAB_SLAB_CPU_PARTIAL,
	FIELD_SIZE,
	FIELD_OBJECT_SIZE,
	FIELD_ALIGN,
	FIELD_FIRST_DEBUG,
	FIELD_RED_ZONE = FIELD_FIRST_DEBUG,
	FIELD_POISON,
	FIELD_STORE_USER,
	FIELD_SANITY_CHECKS,
	FIELD_TRACE,
	FIELD_NAME,
	FIELD_ALIAS_OF,
	NR_FIELDS
};

static const char *const field_words[NR_FIELDS] = {
	[FIELD_ORDER] = "order",
	[FIELD_OBJECTS] = "objs_per_slab",
	[FIELD_MIN_PARTIAL] = "min_partial",
	[FIELD_CPU_PARTIAL] = "cpu_partial",
	[FIELD_SIZE] = "slab_size",
	[FIELD_OBJECT_SIZE] = "object_size",
	[FIELD_ALIGN] = "align",
	[FIELD_RED_ZONE] = "red_zone",
	[FIELD_POISON] = "poison",
	[FIELD_STORE_USER] = "store_user",
	[FIELD_SANITY_CHECKS] = "sanity_checks",
	[FIELD_TRACE] = "trace",
	[FIELD_NAME] = "name",
	[FIELD_ALIAS_OF] = "alias_of",
};

/* The texts of one cache; NULL where there is none. */
struct slab_texts {
	const char *field[NR_FIELDS];
};

/* ---- rules ---- */

const char *nslab_slab_column_word(enum nslab_slab_column column)
{
	return field_words[column];
}

int nslab_slab_kernel_parse(const char *word, enum nslab_order_kernel *kernel,
			    struct nslab_err *err)
{
	for (int i = 0; i < NSLAB_NR_ORDER_KERNELS; i++) {
		if (strcmp(word, nslab_order_kernel_word((enum nslab_order_kernel)i)) != 0)
			continue;
		*kernel = (enum nslab_order_kernel)i;
		return 0;
	}
	return nslab_fail(err, -EINVAL,
			  "unknown kernel '%s'; the rules of 6.1 (up to 6.6), 6.12 (6.8 to 6.17) "
			  "and 6.18 (6.18 and 6.19) are known",
			  word);
}

int nslab_slab_predict(const struct nslab_slab_rules *rules, size_t size, bool is_debug,
		       unsigned values[NSLAB_NR_SLAB_COLUMNS], struct nslab_err *err)
{
	size_t most = nslab_order_bytes(NSLAB_MAX_ORDER);
	int order = -E2BIG;

	if (size && size <= most)
		order = nslab_order_by_kernel(rules->kernel, size, &rules->knobs, rules->nr_cpus);
	if (order < 0)
		return nslab_fail(err, -EINVAL,
				  "no slab holds an object of %zu bytes; 1 to %zu are accepted",
				  size, most);
	values[NSLAB_SLAB_ORDER] = (unsigned)order;
	values[NSLAB_SLAB_OBJECTS] = (unsigned)nslab_order_objects(size, (unsigned)order);
	values[NSLAB_SLAB_MIN_PARTIAL] = nslab_order_min_partial(size);
	values[NSLAB_SLAB_CPU_PARTIAL] = is_debug ? 0 : nslab_order_cpu_partial(size);
	return 0;
}

/* ---- one cache ---- */

static struct nslab_slab_row *table_add(struct nslab_slab_table *table, const char *name)
{
	struct nslab_slab_row *row;

	if (table->nr == table->capacity) {
		size_t capacity = table->capacity ? 2 * table->capacity : 256;
		void *rows = realloc(table->rows, capacity * sizeof(*row));

		if (!rows)
			return NULL;
		table->rows = rows;
		table->capacity = capacity;
	}
	row = &table->rows[table->nr];
	*row = (struct nslab_slab_row){.name = strdup(name)};
	if (!row->name)
		return NULL;
	table->nr++;
	return row;
}

void nslab_slab_table_free(struct nslab_slab_table *table)
{
	for (size_t i = 0; i < table->nr; i++)
		free(table->rows[i].name);
	free(table->rows);
	*table = (struct nslab_slab_table){0};
}

/* 0 also when there is no such text: then *number stays. */
static int field_number(const struct slab_texts *texts, enum slab_field field, unsigned *number,
			struct nslab_err *err)
{
	const char *text = texts->field[field];
	unsigned long value;

	if (!text)
		return 0;
	if (!*text || text[strspn(text, "0123456789")] || strlen(text) > 9)
		return nslab_fail(err, -EINVAL,
				  "cache '%.64s': %s is '%.64s', not a whole number of up to 9 "
				  "digits",
				  texts->field[FIELD_NAME], field_words[field], text);
	value = strtoul(text, NULL, 10);
	*number = (unsigned)value;
	return 0;
}

/* What no kernel shows: then the stride is not this cache's. */
static int row_check(const struct nslab_slab_row *row, const unsigned *number,
		     const struct slab_texts *texts, struct nslab_err *err)
{
	if (!row->size || row->size > nslab_order_bytes(NSLAB_MAX_ORDER))
		return nslab_fail(err, -EINVAL,
				  "cache '%.64s': slab_size is %u, but 1 to %zu bytes fit a slab",
				  row->name, row->size, nslab_order_bytes(NSLAB_MAX_ORDER));
	if (number[FIELD_OBJECT_SIZE] > row->size)
		return nslab_fail(err, -EINVAL,
				  "cache '%.64s' contradicts itself: object_size %u is larger than "
				  "slab_size %u",
				  row->name, number[FIELD_OBJECT_SIZE], row->size);
	if (texts->field[FIELD_ALIGN] &&
	    (!number[FIELD_ALIGN] || row->size % number[FIELD_ALIGN] != 0))
		return nslab_fail(err, -EINVAL,
				  "cache '%.64s' contradicts itself: slab_size %u is no multiple "
				  "of align %u",
				  row->name, row->size, number[FIELD_ALIGN]);
	return 0;
}

static int row_fill(struct nslab_slab_row *row, const struct slab_texts *texts,
		    struct nslab_err *err)
{
	unsigned number[FIELD_NAME] = {0};

	for (int i = 0; i < FIELD_NAME; i++) {
		int rc = field_number(texts, (enum slab_field)i, &number[i], err);

		if (rc)
			return rc;
	}
	row->size = number[FIELD_SIZE];
	for (int i = 0; i < NSLAB_NR_SLAB_COLUMNS; i++) {
		row->has_value[i] = texts->field[i] != NULL;
		row->value[i] = number[i];
	}
	for (int i = FIELD_FIRST_DEBUG; i < FIELD_NAME; i++)
		row->is_debug = row->is_debug || number[i];
	return row_check(row, number, texts, err);
}

static int table_take(struct nslab_slab_table *table, const struct slab_texts *texts, size_t line,
		      struct nslab_err *err)
{
	const char *alias_of = texts->field[FIELD_ALIAS_OF];
	struct nslab_slab_row *row;

	if (table->nr == CACHES_MAX)
		return nslab_fail(err, -EINVAL, "more than %d caches", CACHES_MAX);
	row = table_add(table, texts->field[FIELD_NAME]);
	if (!row)
		return nslab_fail(err, -ENOMEM, "out of memory");
	row->line = line;
	row->is_alias = alias_of && *alias_of && strcmp(alias_of, "-") != 0;
	return row->is_alias ? 0 : row_fill(row, texts, err);
}

static int by_name(const void *a, const void *b)
{
	const struct nslab_slab_row *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : ((*x)->line > (*y)->line) - ((*x)->line < (*y)->line);
}

/* A cache that is there twice would count twice. */
static int table_check_names(const struct nslab_slab_table *table, const char *path,
			     struct nslab_err *err)
{
	const struct nslab_slab_row **rows = calloc(table->nr + 1, sizeof(*rows));
	int rc = 0;

	if (!rows)
		return nslab_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < table->nr; i++)
		rows[i] = &table->rows[i];
	qsort(rows, table->nr, sizeof(*rows), by_name);
	for (size_t i = 1; i < table->nr && !rc; i++) {
		if (!strcmp(rows[i - 1]->name, rows[i]->name))
			rc = nslab_fail(err, -EINVAL,
					"%s:%zu: cache '%.64s' is there already, in line %zu", path,
					rows[i]->line, rows[i]->name, rows[i - 1]->line);
	}
	free(rows);
	return rc;
}

/* ---- a table with tabs ---- */

struct slab_reader {
	const char *path;
	size_t line;
	size_t nr_columns;
	int *field_of; /* [nr_columns] enum slab_field, or -1 */
};

/* Bytes that a terminal would obey have no place in a table. */
static int line_check(const char *line, size_t len, struct nslab_err *err)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)line[i];

		if ((byte < ' ' && byte != '\t') || byte >= 0x7f)
			return nslab_fail(err, -EINVAL, "byte 0x%02x is no text", byte);
	}
	return 0;
}

static int field_find(const char *word)
{
	for (int i = 0; i < NR_FIELDS; i++) {
		if (!strcmp(field_words[i], word))
			return i;
	}
	return -1;
}

static int header_check(const struct slab_reader *r, struct nslab_err *err)
{
	size_t column_of[NR_FIELDS] = {0};
	bool is_compared = false;

	for (size_t i = 0; i < r->nr_columns; i++) {
		int field = r->field_of[i];

		if (field >= 0 && column_of[field]++)
			return nslab_fail(err, -EINVAL, "column '%s' is there twice",
					  field_words[field]);
	}
	for (int i = 0; i < NSLAB_NR_SLAB_COLUMNS; i++)
		is_compared = is_compared || column_of[i];
	if (!column_of[FIELD_NAME] || !column_of[FIELD_SIZE])
		return nslab_fail(err, -EINVAL,
				  "the columns name and slab_size are needed, '%s' is missing",
				  column_of[FIELD_NAME] ? "slab_size" : "name");
	if (!is_compared)
		return nslab_fail(err, -EINVAL,
				  "nothing to compare: one of the columns order, objs_per_slab, "
				  "min_partial, cpu_partial is needed");
	return 0;
}

static int header_take(struct slab_reader *r, char *line, struct nslab_err *err)
{
	char *word;

	r->nr_columns = 1;
	for (const char *at = line; *at; at++)
		r->nr_columns += *at == '\t';
	r->field_of = calloc(r->nr_columns, sizeof(*r->field_of));
	if (!r->field_of)
		return nslab_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < r->nr_columns; i++) {
		word = strsep(&line, "\t");
		r->field_of[i] = field_find(word);
	}
	return header_check(r, err);
}

static int row_take(struct slab_reader *r, char *line, struct nslab_slab_table *table,
		    struct nslab_err *err)
{
	struct slab_texts texts = {{NULL}};
	size_t nr = 0;

	for (char *word; (word = strsep(&line, "\t")); nr++) {
		if (nr < r->nr_columns && r->field_of[nr] >= 0)
			texts.field[r->field_of[nr]] = word;
	}
	if (nr != r->nr_columns)
		return nslab_fail(err, -EINVAL, "%zu columns where the first line has %zu", nr,
				  r->nr_columns);
	if (!*texts.field[FIELD_NAME])
		return nslab_fail(err, -EINVAL, "a cache without a name");
	return table_take(table, &texts, r->line, err);
}

static int line_take(struct slab_reader *r, char *line, size_t len, struct nslab_slab_table *table,
		     struct nslab_err *err)
{
	int rc;

	if (len && line[len - 1] == '\n')
		line[--len] = '\0';
	if (len && line[len - 1] == '\r')
		line[--len] = '\0';
	if (!len || line[0] == '#')
		return 0;
	rc = line_check(line, len, err);
	if (!rc)
		rc = r->field_of ? row_take(r, line, table, err) : header_take(r, line, err);
	return rc ? nslab_fail_in(err, rc, "%s:%zu", r->path, r->line) : 0;
}

static int table_read_file(const char *path, struct nslab_slab_table *table, struct nslab_err *err)
{
	struct slab_reader r = {.path = path};
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t bytes = 0;
	ssize_t len;
	int rc = 0;

	if (!file)
		return nslab_fail(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	errno = 0;
	while (!rc && (len = getline(&line, &bytes, file)) >= 0) {
		r.line++;
		rc = line_take(&r, line, (size_t)len, table, err);
		errno = 0;
	}
	if (!rc && (ferror(file) || errno))
		rc = nslab_fail(err, -EIO, "cannot read '%s': %s", path,
				strerror(errno ? errno : EIO));
	free(r.field_of);
	free(line);
	fclose(file);
	return rc;
}

/* ---- sysfs ---- */

#define ATTRIBUTE_BYTES 64

/* The first word of NAME/attribute; NULL in *text when this kernel has no such attribute. */
static int attribute_read(int folder, const char *name, const char *attribute,
			  char buffer[ATTRIBUTE_BYTES], const char **text)
{
	char path[512];
	FILE *file;
	int fd;

	*text = NULL;
	if (snprintf(path, sizeof(path), "%s/%s", name, attribute) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	file = fdopen(fd, "r");
	if (!file) {
		close(fd);
		return -ENOMEM;
	}
	buffer[0] = '\0';
	errno = 0;
	*text = fgets(buffer, ATTRIBUTE_BYTES, file) || !ferror(file) ? buffer : NULL;
	buffer[strcspn(buffer, " \t\n")] = '\0';
	fclose(file);
	return *text ? 0 : -(errno ? errno : EIO);
}

static int cache_read(int folder, const char *path, const char *name,
		      struct nslab_slab_table *table, struct nslab_err *err)
{
	char buffers[FIELD_NAME][ATTRIBUTE_BYTES];
	struct slab_texts texts = {{[FIELD_NAME] = name}};
	int rc;

	for (int i = 0; i < FIELD_NAME; i++) {
		rc = attribute_read(folder, name, field_words[i], buffers[i], &texts.field[i]);
		if (rc)
			return nslab_fail(err, rc, "cannot read '%s/%s/%s': %s%s", path, name,
					  field_words[i], strerror(-rc),
					  rc == -EACCES ? "; only root may" : "");
	}
	if (!texts.field[FIELD_SIZE])
		return nslab_fail(err, -EINVAL, "'%s/%s' has no slab_size; is it a slab cache?",
				  path, name);
	rc = table_take(table, &texts, 0, err);
	return rc ? nslab_fail_in(err, rc, "%s", path) : 0;
}

/* A directory is a cache, a symbolic link an alias; anything else is neither. */
static int entry_read(int folder, const char *path, const char *name,
		      struct nslab_slab_table *table, struct nslab_err *err)
{
	struct slab_texts alias = {{[FIELD_NAME] = name, [FIELD_ALIAS_OF] = "link"}};
	struct stat stat;
	int rc = line_check(name, strlen(name), err);

	if (rc)
		return nslab_fail_in(err, rc, "name of a cache in '%s'", path);
	if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW))
		return nslab_fail(err, -errno, "cannot read '%s/%s': %s", path, name,
				  strerror(errno));
	if (S_ISLNK(stat.st_mode))
		return table_take(table, &alias, 0, err);
	return S_ISDIR(stat.st_mode) ? cache_read(folder, path, name, table, err) : 0;
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int table_read_folder(const char *path, struct nslab_slab_table *table,
			     struct nslab_err *err)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **entries = NULL;
	int nr = folder < 0 ? -1 : scandirat(folder, ".", &entries, no_dots, alphasort);
	int rc = 0;

	if (nr < 0)
		rc = nslab_fail(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	for (int i = 0; i < nr; i++) {
		if (!rc)
			rc = entry_read(folder, path, entries[i]->d_name, table, err);
		free(entries[i]);
	}
	free(entries);
	if (folder >= 0)
		close(folder);
	return rc;
}

int nslab_slab_table_read(const char *path, struct nslab_slab_table *table, struct nslab_err *err)
{
	struct stat stat_of;
	bool is_folder = !stat(path, &stat_of) && S_ISDIR(stat_of.st_mode);
	size_t nr_caches = 0;
	int rc;

	*table = (struct nslab_slab_table){0};
	rc = is_folder ? table_read_folder(path, table, err) : table_read_file(path, table, err);
	if (!rc)
		rc = table_check_names(table, path, err);
	for (size_t i = 0; i < table->nr; i++)
		nr_caches += !table->rows[i].is_alias;
	if (!rc && !nr_caches)
		rc = nslab_fail(err, -EINVAL, "'%s' holds no cache", path);
	return rc;
}
