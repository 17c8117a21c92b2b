/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * table.c: a heat map from a small table that somebody else wrote, the tuner or a person.
 *
 * The file is text: `# KEY: text` lines say what it is, rows of tab-separated fields follow. It is
 * read into the same figure that `regret` makes from a run, so script, template and escaping are
 * the same. Rows and columns of the map are in the order of their first appearance.
 *
 * Invariant: a line that cannot be understood stops the reading with its number; nothing is
 * guessed. Left out: quoting; a name cannot hold a tab.
 */
#define _GNU_SOURCE
#include "plots/table.h"
#include "plots/figure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_ROWS_MAX 100000

struct table {
	const char *path;
	int line;
	char title[160], unit[80], rows[80], columns[80];
	struct nslab_figure *figure;
};

static int table_fail(const struct table *table, struct nslab_err *err, const char *what)
{
	return nslab_fail(err, -EINVAL, "cannot read '%s' line %d: %s", table->path, table->line,
			  what);
}

/* `# KEY: text`; a key that is not known is a comment. */
static void table_comment(struct table *table, char *line)
{
	const struct {
		const char *key;
		char *text;
		size_t bytes;
	} keys[] = {
		{"title", table->title, sizeof(table->title)},
		{"unit", table->unit, sizeof(table->unit)},
		{"rows", table->rows, sizeof(table->rows)},
		{"columns", table->columns, sizeof(table->columns)},
		{"machine", table->figure->machine, sizeof(table->figure->machine)},
		{"remark", table->figure->remark, sizeof(table->figure->remark)},
	};
	char *key = line + 1 + strspn(line + 1, " ");
	char *text = strstr(key, ": ");

	if (!text)
		return;
	*text = '\0';
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!strcmp(key, keys[i].key))
			snprintf(keys[i].text, keys[i].bytes, "%s", text + 2);
	}
}

static int table_number(const char *text, double *value)
{
	char *end;

	*value = NAN;
	if (!strcmp(text, "-"))
		return 0;
	*value = strtod(text, &end);
	return end == text || *end || !isfinite(*value) ? -EINVAL : 0;
}

static int table_row(struct table *table, char *line, struct nslab_err *err)
{
	struct nslab_figure *figure = table->figure;
	char *fields[5] = {"", "", "", "", ""};
	struct nslab_figure_row *row;
	double value, n = 0;
	int arm, tick;

	for (int i = 0; i < 5 && line; i++)
		fields[i] = strsep(&line, "\t");
	if (line || !*fields[0] || !*fields[1] || table_number(fields[2], &value))
		return table_fail(
			table, err,
			"wanted row, column, value or '-', and maybe n and 'unclear', with "
			"tabs between");
	if ((*fields[3] && (table_number(fields[3], &n) || !(n >= 0 && n < 1e9))) ||
	    (*fields[4] && strcmp(fields[4], "unclear") != 0))
		return table_fail(table, err, "wanted n as a number, then 'unclear' or nothing");
	if (figure->nr_rows == TABLE_ROWS_MAX)
		return table_fail(table, err, "more rows than a map can show");
	arm = nslab_names_add(figure, &figure->arms, fields[0]);
	tick = nslab_names_add(figure, &figure->ticks, fields[1]);
	row = nslab_figure_add(figure, nslab_regret_facet(figure, arm), arm, tick);
	if (!row || figure->is_out_of_memory)
		return nslab_fail(err, -ENOMEM, "cannot read '%s': out of memory", table->path);
	row->value = row->lo = row->hi = value;
	row->n = (size_t)n;
	row->is_unclear = *fields[4] != '\0';
	return 0;
}

static int table_read(struct table *table, FILE *file, struct nslab_err *err)
{
	char *line = NULL;
	size_t line_bytes = 0;
	ssize_t len;
	int rc = 0;

	while (!rc && (len = getline(&line, &line_bytes, file)) > 0) {
		table->line++;
		line[strcspn(line, "\r\n")] = '\0';
		if (memchr(line, '\0', (size_t)len) && strlen(line) + 2 < (size_t)len)
			rc = table_fail(table, err, "it is no text");
		else if (*line == '#')
			table_comment(table, line);
		else if (*line)
			rc = table_row(table, line, err);
	}
	free(line);
	return rc;
}

int nslab_table_figure(const char *path, struct nslab_figure *figure, struct nslab_err *err)
{
	struct table table = {.path = path,
			      .figure = figure,
			      .unit = "value",
			      .rows = "cache",
			      .columns = "slab order"};
	FILE *file = fopen(path, "re");
	int rc = file ? 0 : -errno;

	if (!file)
		return nslab_fail(err, rc, "cannot open '%s': %s", path, strerror(-rc));
	rc = table_read(&table, file, err);
	fclose(file);
	if (rc)
		return rc;
	if (!*table.title || !*figure->machine || !figure->nr_rows)
		return nslab_fail(
			err, -EINVAL,
			"cannot draw '%s': it wants '# title: ..', '# machine: ..' and at "
			"least one row",
			path);
	/* the places of ticks do not move any more */
	for (size_t i = 0; i < figure->nr_rows; i++)
		figure->rows[i].tick = figure->ticks.texts[(size_t)figure->rows[i].x];
	nslab_regret_frame(figure, table.title, table.unit, table.rows, table.columns);
	return figure->is_out_of_memory
		       ? nslab_fail(err, -ENOMEM, "cannot read '%s': out of memory", path)
		       : 0;
}
