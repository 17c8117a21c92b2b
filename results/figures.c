/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * figures.c: counts and curves that workloads told, read back, printed and exported.
 *
 * Counts are medians over the valid trials of a cell; a curve is that of the first valid trial,
 * because curves of several trials have no common x. Both are read by one query each, ordered like
 * the cells, so that the list of cells is walked once beside them.
 *
 * Invariants: figures and points are sorted by cell; texts live in the list. Left out: intervals of
 * counts, which are exact or of a workload that says how it made them.
 */
#include "results/figures.h"

#include "results/encode.h"
#include "results/stats.h"
#include "results/store_impl.h"
#include "results/table.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FIGURES_NAME_WIDTH  30
#define FIGURES_ARM_WIDTH   12
#define FIGURES_ROWS_MAX    24	 /* of a family's table; the CSV has all */
#define FIGURES_WHOLE_SHARE 0.99 /* of the time; below, a count is an estimate */

struct figures_reader {
	struct nslab_store *store;
	const struct nslab_cell_list *cells;
	struct nslab_figure_list *list;
	size_t room, cell;
	const char *last[2]; /* texts that the row before had: most repeat */
	double *values;	     /* of the figure in hand */
	size_t nr_values, values_room;
};

void nslab_figure_list_free(struct nslab_figure_list *list)
{
	if (!list)
		return;
	free(list->figures);
	free(list->points);
	nslab_texts_free(list->texts);
	free(list);
}

static const char *figures_text(struct figures_reader *r, sqlite3_stmt *row, int column, int slot)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	if (!text)
		return "";
	if (!r->last[slot] || strcmp(r->last[slot], text))
		r->last[slot] = nslab_texts_keep(r->list->texts, text, strlen(text));
	return r->last[slot];
}

/* Position of the cell called id; cells come in the order of the list. False: none. */
static bool figures_cell(struct figures_reader *r, int64_t id)
{
	while (r->cell < r->cells->nr && r->cells->cells[r->cell].id != id)
		r->cell++;
	return r->cell < r->cells->nr;
}

static void *figures_grow(void *array, size_t nr, size_t *room, size_t bytes)
{
	void *larger = array;

	if (nr < *room)
		return array;
	*room = *room ? 2 * *room : 256;
	larger = realloc(array, *room * bytes);
	if (!larger)
		free(array);
	return larger;
}

/* ---- counts ---- */

/* The figure in hand is complete. */
static void figures_close(struct figures_reader *r)
{
	if (!r->nr_values)
		return;
	r->list->figures[r->list->nr_figures - 1].value = nslab_median(r->values, r->nr_values);
	r->list->figures[r->list->nr_figures - 1].nr = r->nr_values;
	r->nr_values = 0;
}

static int figures_add(struct figures_reader *r, sqlite3_stmt *row)
{
	struct nslab_figure_list *list = r->list;
	const char *name = figures_text(r, row, 1, 0);
	struct nslab_cell_figure *last =
		list->nr_figures ? &list->figures[list->nr_figures - 1] : NULL;

	if (!name)
		return -ENOMEM;
	if (!last || last->cell != r->cell || strcmp(last->name, name)) {
		figures_close(r);
		list->figures = figures_grow(list->figures, list->nr_figures, &r->room,
					     sizeof(*list->figures));
		if (!list->figures)
			return -ENOMEM;
		last = &list->figures[list->nr_figures++];
		*last = (struct nslab_cell_figure){r->cell, name, figures_text(r, row, 2, 1), NAN,
						   0};
	}
	r->values = figures_grow(r->values, r->nr_values, &r->values_room, sizeof(*r->values));
	if (!r->values || !last->unit)
		return -ENOMEM;
	r->values[r->nr_values++] = sqlite3_column_double(row, 3);
	return 0;
}

static int figures_read(struct figures_reader *r, struct nslab_err *err)
{
	sqlite3_stmt *statement;
	int rc = nslab_store_prepare(r->store,
				     "SELECT t.cell, f.name AS name, f.unit, f.value FROM figure f"
				     " JOIN trial t ON t.id = f.trial WHERE t.is_valid"
				     " UNION ALL SELECT t.cell, c.name, c.source ||"
				     " iif(c.running_ns < 0.99 * c.enabled_ns, ', estimated', ''),"
				     " c.value"
				     " FROM counter c JOIN trial t ON t.id = c.trial"
				     " WHERE t.is_valid AND c.value IS NOT NULL"
				     " AND c.source IN ('formula', 'simulated')"
				     " ORDER BY 1, 2",
				     &statement, err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(r->store, statement, err)) > 0) {
		if (figures_cell(r, sqlite3_column_int64(statement, 0)))
			rc = figures_add(r, statement);
		if (rc < 0)
			break;
	}
	if (!rc)
		figures_close(r);
	sqlite3_finalize(statement);
	return rc;
}

/* ---- curves ---- */

static int points_add(struct figures_reader *r, sqlite3_stmt *row)
{
	struct nslab_figure_list *list = r->list;
	const char *series = figures_text(r, row, 1, 0);

	list->points = figures_grow(list->points, list->nr_points, &r->room, sizeof(*list->points));
	if (!series || !list->points)
		return -ENOMEM;
	list->points[list->nr_points++] = (struct nslab_cell_point){
		r->cell, series, sqlite3_column_double(row, 2), sqlite3_column_double(row, 3)};
	return 0;
}

static int points_read(struct figures_reader *r, struct nslab_err *err)
{
	sqlite3_stmt *statement;
	int rc = nslab_store_prepare(
		r->store,
		"SELECT t.cell, p.series, p.x, p.y FROM point p JOIN trial t ON t.id = p.trial"
		" WHERE t.id = (SELECT min(u.id) FROM trial u WHERE u.cell = t.cell AND u.is_valid"
		" AND EXISTS (SELECT 1 FROM point q WHERE q.trial = u.id))"
		" ORDER BY t.cell, p.series, p.idx",
		&statement, err);

	if (rc)
		return rc;
	r->cell = r->room = 0;
	r->last[0] = NULL;
	while ((rc = nslab_store_step(r->store, statement, err)) > 0) {
		if (figures_cell(r, sqlite3_column_int64(statement, 0)))
			rc = points_add(r, statement);
		if (rc < 0)
			break;
	}
	sqlite3_finalize(statement);
	return rc;
}

static bool figures_are_there(struct nslab_store *store)
{
	sqlite3_stmt *statement;
	bool is_there = false;

	if (nslab_store_prepare(store,
				"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name ="
				" 'figure'",
				&statement, NULL))
		return false;
	is_there = nslab_store_step(store, statement, NULL) > 0;
	sqlite3_finalize(statement);
	return is_there;
}

int nslab_store_figures(struct nslab_store *store, const struct nslab_cell_list *cells,
			struct nslab_figure_list **list, struct nslab_err *err)
{
	struct figures_reader r = {.store = store, .cells = cells};
	int rc = -ENOMEM;

	r.list = calloc(1, sizeof(*r.list));
	if (r.list)
		r.list->texts = nslab_texts_create();
	if (r.list && r.list->texts) {
		rc = 0;
		if (figures_are_there(store)) {
			rc = figures_read(&r, err);
			if (!rc)
				rc = points_read(&r, err);
		}
	}
	free(r.values);
	if (!rc) {
		*list = r.list;
		return 0;
	}
	nslab_figure_list_free(r.list);
	return rc == -ENOMEM ? nslab_fail(err, rc, "cannot read figures: out of memory") : rc;
}

/* ---- the table ---- */

/* A family's arms and the names of what they told. */
struct figures_block {
	const struct nslab_figure_list *list;
	const struct nslab_cell_list *cells;
	size_t *arms;	    /* cells of the family that told something, the twin aside */
	const char **names; /* plain ones first, then those of several words */
	const char **units;
	size_t nr_arms, nr_names, nr_hidden;
};

static void block_add_name(struct figures_block *b, const struct nslab_cell_figure *figure,
			   bool is_plain)
{
	if (!strchr(figure->name, ' ') != is_plain)
		return;
	for (size_t i = 0; i < b->nr_names; i++) {
		if (!strcmp(b->names[i], figure->name))
			return;
	}
	b->names[b->nr_names] = figure->name;
	b->units[b->nr_names++] = figure->unit;
}

static bool block_is_of(const struct figures_block *b, const struct nslab_cell_figure *figure,
			const char *family)
{
	const struct nslab_cell_record *cell = &b->cells->cells[figure->cell].cell;

	return !cell->is_twin && !strcmp(cell->family, family);
}

static void block_fill(struct figures_block *b, const char *family)
{
	const struct nslab_figure_list *list = b->list;

	b->nr_arms = b->nr_names = 0;
	for (size_t i = 0; i < list->nr_figures; i++) {
		size_t cell = list->figures[i].cell;

		if (!block_is_of(b, &list->figures[i], family))
			continue;
		block_add_name(b, &list->figures[i], true);
		if (!b->nr_arms || b->arms[b->nr_arms - 1] != cell)
			b->arms[b->nr_arms++] = cell;
	}
	for (size_t i = 0; i < list->nr_figures; i++) {
		if (block_is_of(b, &list->figures[i], family))
			block_add_name(b, &list->figures[i], false);
	}
	b->nr_hidden = b->nr_names > FIGURES_ROWS_MAX ? b->nr_names - FIGURES_ROWS_MAX : 0;
	b->nr_names -= b->nr_hidden;
}

static double block_value(const struct figures_block *b, size_t cell, const char *name)
{
	for (size_t i = 0; i < b->list->nr_figures; i++) {
		const struct nslab_cell_figure *figure = &b->list->figures[i];

		if (figure->cell == cell && !strcmp(figure->name, name))
			return figure->value;
	}
	return NAN;
}

static void block_put_value(double value, FILE *out)
{
	if (isnan(value))
		fprintf(out, " %*s", FIGURES_ARM_WIDTH - 1, "-");
	else if (fabs(value) < 1e9 && value == rint(value))
		fprintf(out, " %*.0f", FIGURES_ARM_WIDTH - 1, value);
	else
		fprintf(out, " %*.4g", FIGURES_ARM_WIDTH - 1, value);
}

/* Arms from..to side by side. */
static void block_print_part(const struct figures_block *b, size_t from, size_t to, FILE *out)
{
	nslab_text_put(out, "figure", FIGURES_NAME_WIDTH);
	for (size_t a = from; a < to; a++) {
		char arm[256], cut[FIGURES_ARM_WIDTH];

		nslab_arm_text(&b->cells->cells[b->arms[a]].cell, arm, sizeof(arm));
		snprintf(cut, sizeof(cut), "%.*s", FIGURES_ARM_WIDTH - 1, arm);
		fprintf(out, " %*s", FIGURES_ARM_WIDTH - 1, cut);
	}
	fputc('\n', out);
	for (size_t n = 0; n < b->nr_names; n++) {
		nslab_text_put(out, b->names[n], FIGURES_NAME_WIDTH);
		if (strlen(b->names[n]) > FIGURES_NAME_WIDTH)
			fprintf(out, "\n%*s", FIGURES_NAME_WIDTH, "");
		for (size_t a = from; a < to; a++)
			block_put_value(block_value(b, b->arms[a], b->names[n]), out);
		fputc('\n', out);
	}
}

static void block_print(const struct figures_block *b, const char *family, FILE *out, int columns)
{
	size_t at_once = (size_t)((columns - FIGURES_NAME_WIDTH) / FIGURES_ARM_WIDTH);

	fputc('\n', out);
	nslab_text_fold(out, "", family, 0, columns);
	for (size_t from = 0; from < b->nr_arms; from += at_once)
		block_print_part(b, from, from + at_once < b->nr_arms ? from + at_once : b->nr_arms,
				 out);
	if (b->nr_hidden)
		fprintf(out, "and %zu more in figures.csv\n", b->nr_hidden);
}

void nslab_figures_table(const struct nslab_figure_list *list, const struct nslab_cell_list *cells,
			 FILE *out, int columns)
{
	struct figures_block b = {.list = list, .cells = cells};
	const char *family = NULL;

	b.arms = calloc(list->nr_figures + 1, sizeof(*b.arms));
	b.names = calloc(list->nr_figures + 1, sizeof(const char *));
	b.units = calloc(list->nr_figures + 1, sizeof(const char *));
	for (size_t i = 0; b.arms && b.names && b.units && i < list->nr_figures; i++) {
		const char *here = cells->cells[list->figures[i].cell].cell.family;

		if (family && !strcmp(family, here))
			continue;
		family = here;
		block_fill(&b, family);
		if (b.nr_arms)
			block_print(&b, family, out, columns);
	}
	free(b.arms);
	free(b.names);
	free(b.units);
}

void nslab_counters_note(const struct nslab_cell_list *cells, FILE *out, int columns)
{
	const struct nslab_cell_counter *worst = NULL;
	char text[256];

	for (size_t i = 0; i < cells->nr; i++) {
		for (size_t k = 0; k < cells->cells[i].nr_counters; k++) {
			const struct nslab_cell_counter *counter = &cells->cells[i].counters[k];

			if (counter->nr && (!worst || counter->running < worst->running))
				worst = counter;
		}
	}
	if (!worst || worst->running >= FIGURES_WHOLE_SHARE)
		return;
	snprintf(text, sizeof(text),
		 "counters took turns on the hardware: '%.80s' was counted %.0f %% of its time at "
		 "least, and such values are scaled",
		 worst->name, 100 * worst->running);
	fputc('\n', out);
	nslab_text_fold(out, "", text, 0, columns);
}

/* ---- CSV ---- */

static void csv_cell(const struct nslab_cell_list *cells, size_t cell, FILE *out)
{
	nslab_csv_text(out, cells->cells[cell].cell.family, ',');
	nslab_csv_text(out, cells->cells[cell].cell.arm, ',');
	fprintf(out, "%d,", cells->cells[cell].cell.is_twin);
}

int nslab_figures_csv(const struct nslab_figure_list *list, const struct nslab_cell_list *cells,
		      FILE *out)
{
	fputs("family,arm,is_twin,figure,median,n,unit\n", out);
	for (size_t i = 0; i < list->nr_figures; i++) {
		const struct nslab_cell_figure *figure = &list->figures[i];

		csv_cell(cells, figure->cell, out);
		nslab_csv_text(out, figure->name, ',');
		nslab_csv_real(out, figure->value, ',');
		fprintf(out, "%zu,", figure->nr);
		nslab_csv_text(out, figure->unit, '\n');
	}
	return ferror(out) ? -EIO : 0;
}

int nslab_points_csv(const struct nslab_figure_list *list, const struct nslab_cell_list *cells,
		     FILE *out)
{
	fputs("family,arm,is_twin,series,x,y\n", out);
	for (size_t i = 0; i < list->nr_points; i++) {
		const struct nslab_cell_point *point = &list->points[i];

		csv_cell(cells, point->cell, out);
		nslab_csv_text(out, point->series, ',');
		nslab_csv_real(out, point->x, ',');
		nslab_csv_real(out, point->y, '\n');
	}
	return ferror(out) ? -EIO : 0;
}
