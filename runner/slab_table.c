// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab_table.c: reads the caches that a kernel shows.
 *
 * A table's cells and sysfs' attribute files have the same names, so both end as one array of texts
 * for each cache, and one function turns those into a row. Columns that nobody knows are passed
 * over, those that are missing are untold. A table is refused, with file and line, when it lacks
 * name or slab_size, when a number is none, when a cache is there twice or when a stride
 * contradicts the object or the alignment: whatever is said of such a table would mean nothing.
 * sysfs follows some numbers by their parts of each node ("6 N0=4 N1=2"), which are left out.
 *
 * Invariant: an alias (a row with alias_of, a symbolic link in sysfs) is kept by name only, its
 * numbers are those of the cache that it joined. A cache that goes while its folder is read was
 * never there. Left out: what the numbers should be (slab_rules.c).
 */
#define _GNU_SOURCE
#include "runner/slab_table.h"

#include "allocators/common/order.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHES_MAX 100000 /* a kernel has a few hundred */

/* Columns of a table and attributes of sysfs: numbers, then texts. */
enum slab_field {
	FIELD_CTOR = NSLAB_NR_SLAB_COLUMNS,
	NR_ATTRIBUTES,
	FIELD_NAME = NR_ATTRIBUTES,
	FIELD_ALIAS_OF,
	NR_FIELDS
};

static const char *const field_words[NR_FIELDS] = {
	[NSLAB_SLAB_ORDER] = "order",
	[NSLAB_SLAB_OBJECTS] = "objs_per_slab",
	[NSLAB_SLAB_MIN_PARTIAL] = "min_partial",
	[NSLAB_SLAB_CPU_PARTIAL] = "cpu_partial",
	[NSLAB_SLAB_SIZE] = "slab_size",
	[NSLAB_SLAB_OBJECT_SIZE] = "object_size",
	[NSLAB_SLAB_ALIGN] = "align",
	[NSLAB_SLAB_SHEAF_CAPACITY] = "sheaf_capacity",
	[NSLAB_SLAB_SLABS] = "slabs",
	[NSLAB_SLAB_TOTAL] = "total_objects",
	[NSLAB_SLAB_LIVE] = "objects",
	[NSLAB_SLAB_PARTIAL] = "partial",
	[NSLAB_SLAB_HWCACHE_ALIGN] = "hwcache_align",
	[NSLAB_SLAB_RECLAIM_ACCOUNT] = "reclaim_account",
	[NSLAB_SLAB_CACHE_DMA] = "cache_dma",
	[NSLAB_SLAB_DESTROY_BY_RCU] = "destroy_by_rcu",
	[NSLAB_SLAB_RED_ZONE] = "red_zone",
	[NSLAB_SLAB_POISON] = "poison",
	[NSLAB_SLAB_STORE_USER] = "store_user",
	[NSLAB_SLAB_SANITY_CHECKS] = "sanity_checks",
	[NSLAB_SLAB_TRACE] = "trace",
	[FIELD_CTOR] = "ctor",
	[FIELD_NAME] = "name",
	[FIELD_ALIAS_OF] = "alias_of",
};

/* The texts of one cache; NULL where there is none. */
struct slab_texts {
	const char *field[NR_FIELDS];
};

const char *nslab_slab_column_word(enum nslab_slab_column column)
{
	return field_words[column];
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
	for (int i = 0; i < NSLAB_NR_SLAB_COLUMNS; i++)
		row->value[i] = NSLAB_SLAB_UNTOLD;
	table->nr++;
	return row;
}

void nslab_slab_table_free(struct nslab_slab_table *table)
{
	for (size_t i = 0; i < table->nr; i++) {
		free(table->rows[i].name);
		free(table->rows[i].alias_of);
	}
	free(table->rows);
	*table = (struct nslab_slab_table){0};
}

/* Counts of objects and slabs may be large; everything else is small in any kernel. */
static size_t column_digits(int column)
{
	return column >= NSLAB_SLAB_SLABS && column <= NSLAB_SLAB_PARTIAL ? 15 : 9;
}

/* 0 also when there is no such text: then the value stays untold. */
static int row_number(struct nslab_slab_row *row, const struct slab_texts *texts, int column,
		      struct nslab_err *err)
{
	const char *text = texts->field[column];
	size_t nr_digits, nr_most = column_digits(column);

	if (!text)
		return 0;
	nr_digits = strspn(text, "0123456789");
	if (!nr_digits || (text[nr_digits] && text[nr_digits] != ' ') || nr_digits > nr_most)
		return nslab_fail(err, -EINVAL,
				  "cache '%.64s': %s is '%.64s', not a whole number of up to %zu "
				  "digits",
				  row->name, field_words[column], text, nr_most);
	row->value[column] = strtoll(text, NULL, 10);
	return 0;
}

int nslab_slab_sizes_check(const char *name, int64_t object_size, int64_t size, int64_t align,
			   struct nslab_err *err)
{
	if (size <= 0 || (size_t)size > nslab_order_bytes(NSLAB_MAX_ORDER))
		return nslab_fail(err, -EINVAL,
				  "cache '%.64s': slab_size is %" PRId64
				  ", but 1 to %zu bytes fit a slab",
				  name, size, nslab_order_bytes(NSLAB_MAX_ORDER));
	if (object_size > size)
		return nslab_fail(err, -EINVAL,
				  "cache '%.64s' contradicts itself: object_size %" PRId64
				  " is larger than slab_size %" PRId64,
				  name, object_size, size);
	if (align && size % align != 0)
		return nslab_fail(err, -EINVAL,
				  "cache '%.64s' contradicts itself: slab_size %" PRId64
				  " is no multiple of align %" PRId64,
				  name, size, align);
	return 0;
}

static int row_fill(struct nslab_slab_row *row, const struct slab_texts *texts,
		    struct nslab_err *err)
{
	const char *ctor = texts->field[FIELD_CTOR];
	const int64_t *value = row->value;

	for (int i = 0; i < NSLAB_NR_SLAB_COLUMNS; i++) {
		int rc = row_number(row, texts, i, err);

		if (rc)
			return rc;
	}
	for (int i = NSLAB_SLAB_RED_ZONE; i < NSLAB_NR_SLAB_COLUMNS; i++)
		row->is_debug = row->is_debug || value[i] > 0;
	row->has_ctor = ctor && *ctor && strcmp(ctor, "-") != 0;
	row->size = (unsigned)value[NSLAB_SLAB_SIZE];
	if (!value[NSLAB_SLAB_ALIGN])
		return nslab_fail(err, -EINVAL, "cache '%.64s': align is 0", row->name);
	return nslab_slab_sizes_check(
		row->name, value[NSLAB_SLAB_OBJECT_SIZE], value[NSLAB_SLAB_SIZE],
		value[NSLAB_SLAB_ALIGN] < 0 ? 0 : value[NSLAB_SLAB_ALIGN], err);
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
	if (!alias_of || !*alias_of || !strcmp(alias_of, "-"))
		return row_fill(row, texts, err);
	row->alias_of = strdup(alias_of);
	return row->alias_of ? 0 : nslab_fail(err, -ENOMEM, "out of memory");
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

static int header_check(const struct slab_reader *r, struct nslab_slab_table *table,
			struct nslab_err *err)
{
	bool has_field[NR_FIELDS] = {false};

	for (size_t i = 0; i < r->nr_columns; i++) {
		int field = r->field_of[i];

		if (field >= 0 && has_field[field])
			return nslab_fail(err, -EINVAL, "column '%s' is there twice",
					  field_words[field]);
		if (field >= 0)
			has_field[field] = true;
	}
	if (!has_field[FIELD_NAME] || !has_field[NSLAB_SLAB_SIZE])
		return nslab_fail(err, -EINVAL,
				  "the columns name and slab_size are needed, '%s' is missing",
				  has_field[FIELD_NAME] ? "slab_size" : "name");
	memcpy(table->has_column, has_field, sizeof(table->has_column));
	table->header_line = r->line;
	return 0;
}

static int header_take(struct slab_reader *r, char *line, struct nslab_slab_table *table,
		       struct nslab_err *err)
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
	return header_check(r, table, err);
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
		rc = r->field_of ? row_take(r, line, table, err) : header_take(r, line, table, err);
	return rc ? nslab_fail_in(err, rc, "%s:%zu", r->path, r->line) : 0;
}

static int table_read_lines(FILE *file, const char *path, struct nslab_slab_table *table,
			    struct nslab_err *err)
{
	struct slab_reader r = {.path = path};
	char *line = NULL;
	size_t bytes = 0;
	ssize_t len;
	int rc = 0;

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
	char buffers[NR_ATTRIBUTES][ATTRIBUTE_BYTES];
	struct slab_texts texts = {{[FIELD_NAME] = name}};
	int rc;

	for (int i = 0; i < NR_ATTRIBUTES; i++) {
		rc = attribute_read(folder, name, field_words[i], buffers[i], &texts.field[i]);
		if (rc)
			return nslab_fail(err, rc, "cannot read '%s/%s/%s': %s%s", path, name,
					  field_words[i], strerror(-rc),
					  rc == -EACCES ? "; only root may" : "");
	}
	if (!texts.field[NSLAB_SLAB_SIZE] && faccessat(folder, name, F_OK, 0))
		return 0;
	if (!texts.field[NSLAB_SLAB_SIZE])
		return nslab_fail(err, -EINVAL, "'%s/%s' has no slab_size; is it a slab cache?",
				  path, name);
	rc = table_take(table, &texts, 0, err);
	return rc ? nslab_fail_in(err, rc, "%s", path) : 0;
}

static int alias_read(int folder, const char *path, const char *name,
		      struct nslab_slab_table *table, struct nslab_err *err)
{
	char target[256] = "";
	struct slab_texts texts = {{[FIELD_NAME] = name, [FIELD_ALIAS_OF] = target}};
	const char *slash;

	if (readlinkat(folder, name, target, sizeof(target) - 1) < 0)
		return nslab_fail(err, -errno, "cannot read '%s/%s': %s", path, name,
				  strerror(errno));
	slash = strrchr(target, '/');
	if (slash)
		texts.field[FIELD_ALIAS_OF] = slash + 1;
	return table_take(table, &texts, 0, err);
}

/* A directory is a cache, a symbolic link an alias; anything else is neither. */
static int entry_read(int folder, const char *path, const char *name,
		      struct nslab_slab_table *table, struct nslab_err *err)
{
	struct stat stat;
	int rc = line_check(name, strlen(name), err);

	if (rc)
		return nslab_fail_in(err, rc, "name of a cache in '%s'", path);
	if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW)) {
		rc = -errno;
		return rc == -ENOENT ? 0
				     : nslab_fail(err, rc, "cannot read '%s/%s': %s", path, name,
						  strerror(-rc));
	}
	if (S_ISLNK(stat.st_mode))
		return alias_read(folder, path, name, table, err);
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

/* What holds for both kinds. */
static int table_check(const struct nslab_slab_table *table, const char *path,
		       struct nslab_err *err)
{
	int rc = table_check_names(table, path, err);
	size_t nr_caches = 0;

	for (size_t i = 0; i < table->nr; i++)
		nr_caches += !table->rows[i].alias_of;
	if (!rc && !nr_caches)
		rc = nslab_fail(err, -EINVAL, "'%s' holds no cache", path);
	return rc;
}

int nslab_slab_table_read_stream(FILE *file, const char *path, struct nslab_slab_table *table,
				 struct nslab_err *err)
{
	int rc;

	*table = (struct nslab_slab_table){0};
	rc = table_read_lines(file, path, table, err);
	return rc ? rc : table_check(table, path, err);
}

int nslab_slab_table_read(const char *path, struct nslab_slab_table *table, struct nslab_err *err)
{
	struct stat stat_of;
	bool is_folder = !stat(path, &stat_of) && S_ISDIR(stat_of.st_mode);
	FILE *file;
	int rc;

	*table = (struct nslab_slab_table){0};
	if (is_folder) {
		rc = table_read_folder(path, table, err);
		return rc ? rc : table_check(table, path, err);
	}
	file = fopen(path, "re");
	if (!file)
		return nslab_fail(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	rc = nslab_slab_table_read_stream(file, path, table, err);
	fclose(file);
	return rc;
}
