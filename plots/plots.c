/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plots.c: which plots there are, and the way from a store to files.
 *
 * The store is read once into an input that all plots share. Each plot fills a figure, whose table
 * and script are written; then gnuplot, which is looked for once, draws the script in each format.
 * A plot that the run has no cells for is passed over when all are asked for, and an error when it
 * was asked for by name. Missing gnuplot is never an error here: the outcome says so, and table
 * and script stay.
 *
 * Invariant: the outcome has one entry for each plot that was looked at, in the order of the list.
 */
#define _GNU_SOURCE
#include "plots/plots.h"
#include "plots/figure.h"
#include "plots/table.h"
#include "plots/tuning.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct nslab_plot *const plots[] = {
	&nslab_plot_throughput, &nslab_plot_forest,   &nslab_plot_spread, &nslab_plot_scaling,
	&nslab_plot_latency,	&nslab_plot_pareto,   &nslab_plot_order,  &nslab_plot_regret,
	&nslab_plot_matrix,	&nslab_plot_handover, &nslab_plot_locks,  &nslab_plot_memory,
	&nslab_plot_buddy,	&nslab_plot_curves,   &nslab_plot_noise,
};

#define NR_PLOTS (sizeof(plots) / sizeof(*plots))
_Static_assert(NR_PLOTS <= NSLAB_PLOTS_MAX, "an outcome has room for every plot");

static const struct nslab_plot *const advice_plots[] = {
	&nslab_plot_tune_regret, &nslab_plot_tune_pareto, &nslab_plot_tune_memory,
	&nslab_plot_tune_locks,	 &nslab_plot_tune_gap,
};

#define NR_ADVICE_PLOTS (sizeof(advice_plots) / sizeof(*advice_plots))
_Static_assert(NR_ADVICE_PLOTS <= NR_PLOTS, "names of both kinds have room");

const char *nslab_plots_name(size_t number, const char **summary)
{
	if (number >= NR_PLOTS)
		return NULL;
	*summary = plots[number]->summary;
	return plots[number]->name;
}

const char *nslab_plots_advice_name(size_t number, const char **summary)
{
	if (number >= NR_ADVICE_PLOTS)
		return NULL;
	*summary = advice_plots[number]->summary;
	return advice_plots[number]->name;
}

/* A word of a list with commas, and the bits it stands for. */
struct plots_word {
	const char *word;
	unsigned bits;
};

static int plots_parse(const char *text, const struct plots_word *words, const char *what,
		       unsigned *formats, struct nslab_err *err)
{
	const char *rest = text;

	do {
		size_t len = strcspn(rest, ",");
		const struct plots_word *word = words;

		while (word->word && (strlen(word->word) != len || strncmp(rest, word->word, len)))
			word++;
		if (!word->word)
			return nslab_fail(err, -EINVAL, "unknown %.*s '%.*s'; there are %s",
					  (int)strcspn(what, ":"), what, (int)len, rest,
					  strchr(what, ':') + 2);
		*formats |= word->bits;
		rest += len + (rest[len] == ',');
	} while (*rest);
	return 0;
}

int nslab_plots_formats(const char *text, unsigned *formats, struct nslab_err *err)
{
	static const struct plots_word words[] = {
		{"png", NSLAB_PLOT_PNG}, {"svg", NSLAB_PLOT_SVG}, {"txt", NSLAB_PLOT_TEXT}, {0}};

	return plots_parse(text, words, "format: png, svg and txt", formats, err);
}

int nslab_plots_themes(const char *text, unsigned *formats, struct nslab_err *err)
{
	static const struct plots_word words[] = {{"light", NSLAB_PLOT_LIGHT},
						  {"dark", NSLAB_PLOT_DARK},
						  {"both", NSLAB_PLOT_LIGHT | NSLAB_PLOT_DARK},
						  {0}};

	return plots_parse(text, words, "theme: light, dark and both", formats, err);
}

static bool differs(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
}

/* No list of arms is kept: the cells that bring a new one are marked. */
static void plots_mark_arms(struct nslab_plot_input *input)
{
	const struct nslab_cell_values *cells = input->list->cells;

	for (size_t i = 0; i < input->list->nr; i++) {
		bool is_new = !cells[i].cell.is_twin;

		for (size_t k = 0; k < i && is_new; k++)
			is_new = !input->is_new_arm[k] ||
				 strcmp(cells[k].cell.arm, cells[i].cell.arm) != 0;
		input->is_new_arm[i] = is_new;
	}
}

static int plots_read(struct nslab_store *store, struct nslab_plot_input *input,
		      struct nslab_err *err)
{
	int rc = nslab_store_run(store, &input->run, input->status, &input->harness_ns, err);

	if (!rc)
		rc = nslab_store_cells(store, &input->list, err);
	if (!rc)
		rc = nslab_store_counters(store, input->list, err);
	if (!rc)
		rc = nslab_store_figures(store, input->list, &input->figures, err);
	if (!rc)
		rc = nslab_store_latencies(store, input->list, &input->latencies, err);
	if (!rc)
		rc = nslab_compare_arms(input->list, &input->contrasts, err);
	if (rc)
		return rc;
	input->nr_counted = calloc(input->list->nr + 1, sizeof(int));
	input->is_new_arm = calloc(input->list->nr + 1, sizeof(bool));
	if (!input->nr_counted || !input->is_new_arm)
		return nslab_fail(err, -ENOMEM, "cannot draw: out of memory");
	for (size_t i = 0; i < input->list->nr; i++) {
		const struct nslab_cell_record *cell = &input->list->cells[i].cell;
		const struct nslab_cell_record *first = &input->list->cells[0].cell;

		input->has_sizes |= cell->size_bytes != first->size_bytes;
		input->has_threads |= cell->threads != first->threads;
		input->has_placements |= differs(cell->placement, first->placement);
		input->has_memories |= differs(cell->memory, first->memory);
	}
	plots_mark_arms(input);
	return nslab_store_counted_workers(store, input->list, input->nr_counted, err);
}

/* Table and script of a figure, and in the outcome what they are. */
static int plots_put(const struct nslab_plot_input *input, struct nslab_figure *figure,
		     const char *folder, struct nslab_plot_outcome *outcome, struct nslab_err *err)
{
	int rc;

	nslab_figure_sort(figure);
	rc = nslab_script_write(input, figure, folder, &outcome->nr_pages, err);
	outcome->is_written = !rc;
	snprintf(outcome->title, sizeof(outcome->title), "%s", figure->title);
	return rc;
}

static int plots_write(const struct nslab_plot_input *input, const struct nslab_plot *plot,
		       const char *folder, struct nslab_plot_outcome *outcome,
		       struct nslab_err *err)
{
	struct nslab_figure figure = {.name = plot->name};
	int rc = plot->build(input, &figure, err);

	if (figure.is_out_of_memory)
		rc = nslab_fail(err, -ENOMEM, "cannot draw '%s': out of memory", plot->name);
	if (!rc)
		rc = plots_put(input, &figure, folder, outcome, err);
	nslab_figure_clear(&figure);
	return rc;
}

/* Pages of one format and theme; those of an earlier run that had more are taken away. */
static int plots_draw_pages(struct nslab_gnuplot_job job, int nr_pages,
			    struct nslab_plot_outcome *outcome)
{
	int rc = 0;

	for (job.page = 1; job.page <= NSLAB_PLOT_PAGES_MAX && !rc; job.page++) {
		char file[128], path[PATH_MAX];

		if (job.page <= nr_pages) {
			rc = nslab_gnuplot_run(&job, outcome->reason, sizeof(outcome->reason));
			continue;
		}
		nslab_plots_file(job.name, job.format, job.is_dark, job.page, file, sizeof(file));
		if (snprintf(path, sizeof(path), "%s/%s", job.folder, file) < (int)sizeof(path))
			unlink(path);
	}
	return rc;
}

static void plots_draw(const char *folder, unsigned formats, struct nslab_plot_outcome *outcome)
{
	int rc = nslab_gnuplot_probe(outcome->reason, sizeof(outcome->reason));

	if (!(formats & (NSLAB_PLOT_LIGHT | NSLAB_PLOT_DARK)))
		formats |= NSLAB_PLOT_LIGHT;
	if (outcome->nr_pages > NSLAB_PLOT_PAGES_MAX)
		outcome->nr_pages = NSLAB_PLOT_PAGES_MAX;
	for (unsigned format = NSLAB_PLOT_PNG; format <= NSLAB_PLOT_TEXT && !rc; format <<= 1) {
		struct nslab_gnuplot_job job = {
			.folder = folder, .name = outcome->name, .format = format};

		if (!(formats & format))
			continue;
		if ((formats & NSLAB_PLOT_LIGHT) || format == NSLAB_PLOT_TEXT)
			rc = plots_draw_pages(job, outcome->nr_pages, outcome);
		job.is_dark = true;
		if (!rc && (formats & NSLAB_PLOT_DARK) && format != NSLAB_PLOT_TEXT)
			rc = plots_draw_pages(job, outcome->nr_pages, outcome);
	}
	outcome->is_drawn = !rc;
}

static bool plots_wants_pictures(unsigned formats)
{
	return formats & (NSLAB_PLOT_PNG | NSLAB_PLOT_SVG | NSLAB_PLOT_TEXT);
}

static int make_folder(const char *folder, struct nslab_err *err)
{
	char path[PATH_MAX];
	int rc = 0;

	if (!*folder || snprintf(path, sizeof(path), "%s", folder) >= (int)sizeof(path))
		return nslab_fail(err, -EINVAL, "cannot make folder '%.64s': bad name", folder);
	for (char *at = path + 1; !rc; at++) {
		char end = *at;

		if (end && end != '/')
			continue;
		*at = '\0';
		if (mkdir(path, 0777) && errno != EEXIST)
			rc = -errno;
		if (!end || rc)
			break;
		*at = end;
	}
	return rc ? nslab_fail(err, rc, "cannot make folder '%s': %s", path, strerror(-rc)) : 0;
}

static int plots_check_name(const struct nslab_plot *const *set, size_t nr_set, const char *name,
			    struct nslab_err *err)
{
	const char *names[NR_PLOTS];
	char list[256] = "";
	const char *guess;

	for (size_t i = 0; i < nr_set; i++) {
		size_t len = strlen(list);

		if (!strcmp(name, set[i]->name))
			return 0;
		names[i] = set[i]->name;
		snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "", names[i]);
	}
	guess = nslab_nearest(name, names, nr_set);
	return nslab_fail(err, -EINVAL, "unknown plot '%.40s'%s%s%s; there are %s", name,
			  guess ? ", did you mean '" : "", guess ? guess : "", guess ? "'" : "",
			  list);
}

int nslab_plots_check_name(const char *name, struct nslab_err *err)
{
	return plots_check_name(plots, NR_PLOTS, name, err);
}

static int plots_one(const struct nslab_plot_input *input, const struct nslab_plot *plot,
		     const char *folder, unsigned formats, bool is_named,
		     struct nslab_plot_outcome *outcome, struct nslab_err *err)
{
	struct nslab_err why = {.text = ""};
	int rc;

	*outcome = (struct nslab_plot_outcome){.name = plot->name};
	rc = plots_write(input, plot, folder, outcome, &why);
	if (rc)
		snprintf(outcome->reason, sizeof(outcome->reason), "%.250s", why.text);
	else if (plots_wants_pictures(formats))
		plots_draw(folder, formats, outcome);
	if (!rc || (rc == -ENODATA && !is_named))
		return 0;
	return nslab_fail(err, rc, "%s", why.text);
}

static int table_write(const char *path, const char *folder, struct nslab_plot_outcome *outcome,
		       struct nslab_err *err)
{
	const struct nslab_plot_input input = {.status = "done", .harness_ns = NAN};
	struct nslab_figure figure = {
		.name = outcome->name, .has_no_trials = true, .spread = "a table, drawn as it is"};
	int rc = nslab_table_figure(path, &figure, err);

	if (!rc)
		rc = make_folder(folder, err);
	if (!rc)
		rc = plots_put(&input, &figure, folder, outcome, err);
	nslab_figure_clear(&figure);
	return rc;
}

int nslab_plots_table(const char *path, const char *folder, unsigned formats,
		      struct nslab_plots_outcome *outcome, struct nslab_err *err)
{
	struct nslab_plot_outcome *plot = &outcome->plots[0];
	int rc;

	memset(outcome, 0, sizeof(*outcome));
	plot->name = nslab_plot_regret.name;
	rc = table_write(path, folder, plot, err);
	outcome->nr = rc ? 0 : 1;
	if (!rc && plots_wants_pictures(formats))
		plots_draw(folder, formats, plot);
	return rc;
}

/* One plot of a set, or with NULL all that there are figures for. */
static int plots_set(const struct nslab_plot_input *input, const struct nslab_plot *const *set,
		     size_t nr_set, const char *name, const char *folder, unsigned formats,
		     struct nslab_plots_outcome *outcome, struct nslab_err *err)
{
	int rc = make_folder(folder, err);

	for (size_t i = 0; i < nr_set && !rc; i++) {
		if (name && strcmp(name, set[i]->name))
			continue;
		rc = plots_one(input, set[i], folder, formats, name, &outcome->plots[outcome->nr++],
			       err);
	}
	return rc;
}

int nslab_plots_advice(const char *path, const char *folder, const char *name, unsigned formats,
		       struct nslab_plots_outcome *outcome, struct nslab_err *err)
{
	struct nslab_tuning tuning = {.json = NULL};
	const struct nslab_plot_input input = {
		.status = "done", .harness_ns = NAN, .tuning = &tuning};
	int rc = name ? plots_check_name(advice_plots, NR_ADVICE_PLOTS, name, err) : 0;

	memset(outcome, 0, sizeof(*outcome));
	if (!rc)
		rc = nslab_tuning_read(path, &tuning, err);
	if (!rc)
		rc = plots_set(&input, advice_plots, NR_ADVICE_PLOTS, name, folder, formats,
			       outcome, err);
	nslab_tuning_free(&tuning);
	return rc;
}

int nslab_plots_make(struct nslab_store *store, const char *folder, const char *name,
		     unsigned formats, struct nslab_plots_outcome *outcome, struct nslab_err *err)
{
	struct nslab_plot_input input = {.list = NULL};
	int rc = name ? nslab_plots_check_name(name, err) : 0;

	memset(outcome, 0, sizeof(*outcome));
	if (!rc)
		rc = plots_read(store, &input, err);
	if (!rc)
		rc = plots_set(&input, plots, NR_PLOTS, name, folder, formats, outcome, err);
	free(input.nr_counted);
	free(input.contrasts);
	free(input.is_new_arm);
	nslab_figure_list_free(input.figures);
	nslab_latency_list_free(input.latencies);
	nslab_cell_list_free(input.list);
	return rc;
}
