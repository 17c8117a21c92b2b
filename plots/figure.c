/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * figure.c: facets, arms and rows, and the words that name them.
 *
 * A facet is told apart by an identity (a family's text without what the x axis or the arms show)
 * and shown by a title with only those parts that differ within the run; where two identities
 * would get one title, the later one shows its identity. Running out of memory sets a flag in the
 * figure that the caller looks at once, when it is complete.
 *
 * What goes on in a further facet is told by a number behind the title.
 *
 * Invariants: facets.nr == ids.nr; rows point into names of the same figure and into the cells it
 * was made from, so it must not outlive them. Left out: any drawing.
 */
#define _GNU_SOURCE
#include "plots/figure.h"
#include "results/stats.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nslab_names_push(struct nslab_figure *figure, struct nslab_names *names, const char *text)
{
	char **texts = realloc(names->texts, (names->nr + 1) * sizeof(*texts));
	char *copy = strdup(text);

	if (texts)
		names->texts = texts;
	if (texts && copy)
		names->texts[names->nr++] = copy;
	else
		free(copy);
	figure->is_out_of_memory |= !texts || !copy;
}

static int names_find(const struct nslab_names *names, const char *text)
{
	for (size_t i = 0; i < names->nr; i++) {
		if (!strcmp(names->texts[i], text))
			return (int)i;
	}
	return -1;
}

int nslab_names_add(struct nslab_figure *figure, struct nslab_names *names, const char *text)
{
	int at = names_find(names, text);

	if (at >= 0)
		return at;
	nslab_names_push(figure, names, text);
	return names->nr ? (int)names->nr - 1 : 0;
}

void nslab_names_clear(struct nslab_names *names)
{
	for (size_t i = 0; i < names->nr; i++)
		free(names->texts[i]);
	free(names->texts);
	memset(names, 0, sizeof(*names));
}

void nslab_figure_clear(struct nslab_figure *figure)
{
	nslab_names_clear(&figure->ids);
	nslab_names_clear(&figure->facets);
	nslab_names_clear(&figure->arms);
	nslab_names_clear(&figure->ticks);
	nslab_names_clear(&figure->ylabels);
	nslab_names_clear(&figure->xlabels);
	free(figure->rows);
	memset(figure, 0, sizeof(*figure));
}

struct nslab_figure_row *nslab_figure_add(struct nslab_figure *figure, int facet, int arm, double x)
{
	struct nslab_figure_row *row;

	if (figure->nr_rows == figure->max_rows) {
		size_t max = figure->max_rows ? 2 * figure->max_rows : 64;
		struct nslab_figure_row *rows = realloc(figure->rows, max * sizeof(*rows));

		if (!rows) {
			figure->is_out_of_memory = true;
			return NULL;
		}
		figure->rows = rows;
		figure->max_rows = max;
	}
	row = &figure->rows[figure->nr_rows++];
	*row = (struct nslab_figure_row){
		.facet = facet, .arm = arm, .x = x, .value = NAN, .lo = NAN, .hi = NAN};
	return row;
}

/* A rate is `scale_inverse` over a time, so its lower quartile comes from the time's upper one. */
void nslab_figure_values(struct nslab_figure_row *row, const struct nslab_cell_values *cell,
			 double scale_inverse)
{
	if (!row)
		return;
	row->n = cell->nr;
	row->value = nslab_median(cell->ns_per_op, cell->nr);
	nslab_median_interval(cell->ns_per_op, cell->nr, NSLAB_CONFIDENCE, &row->lo, &row->hi);
	if (isnan(row->lo)) {
		row->lo = nslab_quantile(cell->ns_per_op, cell->nr, 0);
		row->hi = nslab_quantile(cell->ns_per_op, cell->nr, 1);
	}
	if (scale_inverse > 0) {
		double lo = row->lo;

		row->value = scale_inverse / row->value;
		row->lo = scale_inverse / row->hi;
		row->hi = scale_inverse / lo;
	}
	if (isfinite(row->value))
		return;
	row->value = row->lo = row->hi = NAN;
	row->note = cell->cell.skipped ? cell->cell.skipped
		    : cell->cause      ? cell->cause
				       : "no trial";
}

int nslab_figure_find(const struct nslab_figure *figure, const char *id)
{
	return names_find(&figure->ids, id);
}

int nslab_figure_facet(struct nslab_figure *figure, const char *id, const char *title)
{
	int at = names_find(&figure->ids, id);

	if (at >= 0)
		return at;
	nslab_names_push(figure, &figure->ids, id);
	nslab_names_push(figure, &figure->facets,
			 names_find(&figure->facets, title) < 0 ? title : id);
	return figure->ids.nr ? (int)figure->ids.nr - 1 : 0;
}

static bool figure_same_x(const struct nslab_figure_row *a, const struct nslab_figure_row *b)
{
	return a->facet == b->facet && !(a->x < b->x) && !(b->x < a->x);
}

void nslab_figure_rank(struct nslab_figure *figure)
{
	size_t nr = figure->nr_rows;
	double *ranks = calloc(nr + 1, sizeof(*ranks));

	figure->is_out_of_memory |= !ranks;
	for (size_t j = 0; ranks && j < nr; j++) {
		const struct nslab_figure_row *row = &figure->rows[j];
		bool is_first = true; /* with this x in this facet */

		for (size_t i = 0; i < j && is_first; i++)
			is_first = !figure_same_x(&figure->rows[i], row);
		for (size_t i = 0; i < nr && is_first; i++)
			ranks[i] +=
				figure->rows[i].facet == row->facet && row->x < figure->rows[i].x;
	}
	for (size_t i = 0; ranks && i < nr; i++)
		figure->rows[i].x = ranks[i];
	free(ranks);
}

void nslab_figure_split(struct nslab_figure *figure, int max_x)
{
	for (size_t i = 0; i < figure->nr_rows; i++) {
		struct nslab_figure_row *row = &figure->rows[i];
		int part = (int)(row->x / max_x);
		char id[1300], title[480];

		if (!part || figure->is_out_of_memory)
			continue;
		snprintf(id, sizeof(id), "%.1200s (%d)", figure->ids.texts[row->facet], part + 1);
		snprintf(title, sizeof(title), "%.400s (%d)", figure->facets.texts[row->facet],
			 part + 1);
		row->facet = nslab_figure_facet(figure, id, title);
		row->x -= part * max_x;
	}
}

static int figure_compare(const void *a, const void *b)
{
	const struct nslab_figure_row *x = a, *y = b;

	if (x->facet != y->facet)
		return x->facet < y->facet ? -1 : 1;
	if (x->arm != y->arm)
		return x->arm < y->arm ? -1 : 1;
	return x->x < y->x ? -1 : x->x > y->x;
}

void nslab_figure_sort(struct nslab_figure *figure)
{
	qsort(figure->rows, figure->nr_rows, sizeof(*figure->rows), figure_compare);
	for (size_t i = 1; i < figure->nr_rows; i++) {
		struct nslab_figure_row *row = &figure->rows[i];
		const struct nslab_figure_row *before = row - 1;

		if (row->facet == before->facet)
			row->slot = before->slot + (row->arm != before->arm);
	}
}

/* A value may hold commas (cross:0,1): a comma ends it only where another `word=` follows. */
static size_t key_value_len(const char *value)
{
	size_t len = 0;

	for (; value[len] && !strchr(" ;/|&", value[len]); len++) {
		const char *next = value + len + 1;

		if (value[len] == ',' && (isalpha((unsigned char)*next) || *next == '_') &&
		    next[strcspn(next, " ,;/|&=")] == '=')
			break;
	}
	return len;
}

void nslab_key_without(const char *key, const char *word, char *out, size_t out_bytes)
{
	size_t word_len = strlen(word);
	const char *at = key;
	size_t cut = 0;

	while ((at = strstr(at, word))) {
		if ((at == key || strchr(" ,;/|&", at[-1])) && at[word_len] == '=')
			break;
		at += word_len;
	}
	if (at) {
		cut = word_len + 1 + key_value_len(at + word_len + 1);
		if (at[cut]) /* with the separator behind it */
			cut++;
		else if (at > key) { /* or, at the end, before it */
			at--;
			cut++;
		}
	}
	if (at)
		snprintf(out, out_bytes, "%.*s%s", (int)(at - key), key, at + cut);
	else
		snprintf(out, out_bytes, "%s", key);
}

void nslab_size_text(int64_t bytes, char *out, size_t out_bytes)
{
	if (bytes >= 1024 * 1024 && bytes % (1024 * 1024) == 0)
		snprintf(out, out_bytes, "%lld MiB", (long long)(bytes / (1024 * 1024)));
	else if (bytes >= 1024 && bytes % 1024 == 0)
		snprintf(out, out_bytes, "%lld KiB", (long long)(bytes / 1024));
	else
		snprintf(out, out_bytes, "%lld B", (long long)bytes);
}

static void title_append(char *out, size_t out_bytes, const char *text)
{
	size_t len = strlen(out);

	snprintf(out + len, out_bytes - len, "%s%s", len ? ", " : "", text);
}

/* Is `key=value` (len characters) one of the blank-separated words of the family? */
static bool family_has(const char *family, const char *word, size_t len)
{
	for (const char *at = family; (at = memmem(at, strlen(at), word, len)); at++) {
		if ((at == family || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
	}
	return false;
}

static bool title_tells(const char *word)
{
	static const char *const told[] = {
		"workload=", "size=", "threads=", "placement=", "memory=", "entry="};

	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
		if (!strncmp(word, told[i], strlen(told[i])))
			return true;
	}
	return false;
}

/* Parameters that some other cell of the same workload has at another value. */
static void title_append_params(const struct nslab_plot_input *input,
				const struct nslab_cell_record *cell, char *out, size_t out_bytes)
{
	const char *workload = cell->workload ? cell->workload : "";
	size_t len;

	for (const char *word = cell->family; *word; word += len + strspn(word + len, " ")) {
		bool differs = false;
		char text[64];

		len = strcspn(word, " ");
		if (title_tells(word) || !memchr(word, '=', len))
			continue;
		for (size_t i = 0; i < input->list->nr && !differs; i++) {
			const struct nslab_cell_record *other = &input->list->cells[i].cell;

			differs = other->workload && !strcmp(other->workload, workload) &&
				  !family_has(other->family, word, len);
		}
		snprintf(text, sizeof(text), "%.*s", (int)len, word);
		if (differs)
			title_append(out, out_bytes, text);
	}
}

void nslab_cell_title(const struct nslab_plot_input *input, const struct nslab_cell_record *cell,
		      unsigned parts, char *out, size_t out_bytes)
{
	char text[64];

	snprintf(out, out_bytes, "%s", cell->workload ? cell->workload : "");
	if ((parts & NSLAB_PART_SIZE) && input->has_sizes) {
		nslab_size_text(cell->size_bytes, text, sizeof(text));
		title_append(out, out_bytes, text);
	}
	if ((parts & NSLAB_PART_THREADS) && input->has_threads) {
		snprintf(text, sizeof(text), "%d thread%s", cell->threads,
			 cell->threads == 1 ? "" : "s");
		title_append(out, out_bytes, text);
	}
	if ((parts & NSLAB_PART_PLACEMENT) && input->has_placements && cell->placement)
		title_append(out, out_bytes, cell->placement);
	if (input->has_memories && cell->memory) {
		snprintf(text, sizeof(text), "memory %.40s", cell->memory);
		title_append(out, out_bytes, text);
	}
	title_append_params(input, cell, out, out_bytes);
}
