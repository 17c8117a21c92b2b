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

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct nslab_plot *const plots[] = {
	&nslab_plot_throughput, &nslab_plot_scaling, &nslab_plot_matrix, &nslab_plot_order,
	&nslab_plot_curves,	&nslab_plot_latency, &nslab_plot_memory,
};

#define NR_PLOTS (sizeof(plots) / sizeof(*plots))
_Static_assert(NR_PLOTS <= NSLAB_PLOTS_MAX, "an outcome has room for every plot");

const char *nslab_plots_name(size_t number, const char **summary)
{
	if (number >= NR_PLOTS)
		return NULL;
	*summary = plots[number]->summary;
	return plots[number]->name;
}

int nslab_plots_formats(const char *text, unsigned *formats, struct nslab_err *err)
{
	unsigned bits = 0;

	while (*text) {
		size_t len = strcspn(text, ",");

		if (len == 3 && !strncmp(text, "png", 3))
			bits |= NSLAB_PLOT_PNG;
		else if (len == 3 && !strncmp(text, "svg", 3))
			bits |= NSLAB_PLOT_SVG;
		else
			return nslab_fail(err, -EINVAL,
					  "unknown format '%.*s'; there are png and svg", (int)len,
					  text);
		text += len;
		text += *text == ',';
	}
	if (!bits)
		return nslab_fail(err, -EINVAL, "no format given; there are png and svg");
	*formats = bits;
	return 0;
}

static bool differs(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") != 0;
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
	if (rc)
		return rc;
	input->nr_counted = calloc(input->list->nr + 1, sizeof(int));
	if (!input->nr_counted)
		return nslab_fail(err, -ENOMEM, "cannot draw: out of memory");
	for (size_t i = 0; i < input->list->nr; i++) {
		const struct nslab_cell_record *cell = &input->list->cells[i].cell;
		const struct nslab_cell_record *first = &input->list->cells[0].cell;

		input->has_sizes |= cell->size_bytes != first->size_bytes;
		input->has_threads |= cell->threads != first->threads;
		input->has_placements |= differs(cell->placement, first->placement);
		input->has_memories |= differs(cell->memory, first->memory);
	}
	return nslab_store_counted_workers(store, input->list, input->nr_counted, err);
}

static int plots_write(const struct nslab_plot_input *input, const struct nslab_plot *plot,
		       const char *folder, struct nslab_err *err)
{
	struct nslab_figure figure = {.name = plot->name};
	int rc = plot->build(input, &figure, err);

	if (figure.is_out_of_memory)
		rc = nslab_fail(err, -ENOMEM, "cannot draw '%s': out of memory", plot->name);
	if (!rc) {
		nslab_figure_sort(&figure);
		rc = nslab_script_write(input, &figure, folder, err);
	}
	nslab_figure_clear(&figure);
	return rc;
}

static void plots_draw(const char *folder, unsigned formats, struct nslab_plot_outcome *outcome)
{
	static const char *const words[] = {"png", "svg"};
	int rc = nslab_gnuplot_probe(outcome->reason, sizeof(outcome->reason));

	for (unsigned i = 0; i < 2 && !rc; i++) {
		if (formats & (1u << i))
			rc = nslab_gnuplot_run(folder, outcome->name, words[i], outcome->reason,
					       sizeof(outcome->reason));
	}
	outcome->is_drawn = !rc;
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

static int unknown_plot(const char *name, struct nslab_err *err)
{
	const char *names[NR_PLOTS];
	const char *guess;

	for (size_t i = 0; i < NR_PLOTS; i++)
		names[i] = plots[i]->name;
	guess = nslab_nearest(name, names, NR_PLOTS);
	return nslab_fail(
		err, -EINVAL,
		"unknown plot '%s'%s%s%s; there are throughput, scaling, matrix, order, curves, "
		"latency, memory",
		name, guess ? ", did you mean '" : "", guess ? guess : "", guess ? "'" : "");
}

static int plots_one(const struct nslab_plot_input *input, const struct nslab_plot *plot,
		     const char *folder, unsigned formats, bool is_named,
		     struct nslab_plot_outcome *outcome, struct nslab_err *err)
{
	struct nslab_err why = {.text = ""};
	int rc = plots_write(input, plot, folder, &why);

	*outcome = (struct nslab_plot_outcome){.name = plot->name, .is_written = !rc};
	if (rc)
		snprintf(outcome->reason, sizeof(outcome->reason), "%.250s", why.text);
	else if (formats)
		plots_draw(folder, formats, outcome);
	if (!rc || (rc == -ENODATA && !is_named))
		return 0;
	return nslab_fail(err, rc, "%s", why.text);
}

int nslab_plots_make(struct nslab_store *store, const char *folder, const char *name,
		     unsigned formats, struct nslab_plots_outcome *outcome, struct nslab_err *err)
{
	struct nslab_plot_input input = {.list = NULL};
	bool is_known = !name;
	int rc;

	memset(outcome, 0, sizeof(*outcome));
	for (size_t i = 0; i < NR_PLOTS; i++)
		is_known |= name && !strcmp(name, plots[i]->name);
	if (!is_known)
		return unknown_plot(name, err);
	rc = plots_read(store, &input, err);
	if (!rc)
		rc = make_folder(folder, err);
	for (size_t i = 0; i < NR_PLOTS && !rc; i++) {
		if (name && strcmp(name, plots[i]->name))
			continue;
		rc = plots_one(&input, plots[i], folder, formats, name,
			       &outcome->plots[outcome->nr++], err);
	}
	free(input.nr_counted);
	nslab_figure_list_free(input.figures);
	nslab_latency_list_free(input.latencies);
	nslab_cell_list_free(input.list);
	return rc;
}
