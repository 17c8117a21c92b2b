/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * export_lines.c: a run as lines: OpenMetrics text, and the lines of the kernel's slab tests.
 *
 * OpenMetrics is for a monitor: of every cell the median, its interval, the ratio to the baseline
 * with its interval, trials and memory, labelled by the key that is unique in the run. The text is
 * also valid for the older parser of node_exporter's textfile collector, which is why build_info is
 * a gauge. The lines of prototype-kernel's modules are what commit messages of kernel memory
 * management quote: nanoseconds per element, and cycles where they were counted.
 *
 * Invariants: a value that does not exist has no line; "-" stands where the format wants a number.
 * Left out: histograms.
 */
#include "results/compare.h"
#include "results/export.h"
#include "results/figures.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A label's value: backslash, quote and line break are escaped, bytes outside ASCII become '?'. */
static void lines_label(FILE *out, const char *name, const char *value, const char *end)
{
	fprintf(out, "%s=\"", name);
	for (; value && *value; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			fprintf(out, "\\%c", *value);
		else
			fputc((unsigned char)*value < 0x20 || (unsigned char)*value > 0x7e ? '?'
											   : *value,
			      out);
	}
	fprintf(out, "\"%s", end);
}

struct lines_cell {
	const struct nslab_contrast *row;
	double median, lo, hi;
};

struct lines_metric {
	const char *name, *help;
	double (*value)(const struct lines_cell *cell);
};

static double lines_median(const struct lines_cell *cell)
{
	return cell->median * 1e-9;
}

static double lines_lower(const struct lines_cell *cell)
{
	return cell->lo * 1e-9;
}

static double lines_upper(const struct lines_cell *cell)
{
	return cell->hi * 1e-9;
}

static double lines_ratio(const struct lines_cell *cell)
{
	return cell->row->ratio;
}

static double lines_ratio_lower(const struct lines_cell *cell)
{
	return cell->row->lo;
}

static double lines_ratio_upper(const struct lines_cell *cell)
{
	return cell->row->hi;
}

static double lines_trials(const struct lines_cell *cell)
{
	return (double)cell->row->cell->nr;
}

static double lines_failed(const struct lines_cell *cell)
{
	return (double)cell->row->cell->nr_failed;
}

static double lines_held(const struct lines_cell *cell)
{
	return cell->row->cell->held_bytes;
}

static const struct lines_metric lines_metrics[] = {
	{"numaslab_operation_seconds", "Time of one operation, median over trials.", lines_median},
	{"numaslab_operation_lower_seconds", "Lower end of the median's 95 % interval.",
	 lines_lower},
	{"numaslab_operation_upper_seconds", "Upper end of the median's 95 % interval.",
	 lines_upper},
	{"numaslab_baseline_ratio", "Time against the baseline in the same block.", lines_ratio},
	{"numaslab_baseline_ratio_lower", "Lower end of the ratio's 95 % interval.",
	 lines_ratio_lower},
	{"numaslab_baseline_ratio_upper", "Upper end of the ratio's 95 % interval.",
	 lines_ratio_upper},
	{"numaslab_trials", "Trials that count.", lines_trials},
	{"numaslab_trials_left_out", "Trials that do not count.", lines_failed},
	{"numaslab_held_bytes", "Memory held at the end of a trial, median.", lines_held},
};

static void lines_metric(const struct lines_metric *metric, const struct lines_cell *cells,
			 size_t nr, FILE *out)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", metric->name, metric->help, metric->name);
	for (size_t i = 0; i < nr; i++) {
		const struct nslab_cell_record *cell = &cells[i].row->cell->cell;
		double value = metric->value(&cells[i]);

		if (!isfinite(value))
			continue;
		fprintf(out, "%s{", metric->name);
		lines_label(out, "key", cell->key, ",");
		lines_label(out, "workload", cell->workload, ",");
		lines_label(out, "arm", cell->arm, ",");
		lines_label(out, "role",
			    cell->is_twin	? "twin"
			    : cell->is_baseline ? "baseline"
						: "arm",
			    "} ");
		fprintf(out, "%.10g\n", value);
	}
}

static void lines_build(const struct nslab_run_record *run, FILE *out)
{
	fputs("# HELP numaslab_build_info What made the run, and where.\n"
	      "# TYPE numaslab_build_info gauge\nnumaslab_build_info{",
	      out);
	lines_label(out, "version", run->tool_version, ",");
	lines_label(out, "run", run->uuid, ",");
	lines_label(out, "plan", run->name, ",");
	lines_label(out, "host", run->host_name, ",");
	lines_label(out, "kernel", run->kernel, ",");
	lines_label(out, "statistic", run->statistic, ",");
	lines_label(out, "started", run->started, ",");
	lines_label(out, "simulated", run->is_simulated ? "true" : "false", "} 1\n");
}

int nslab_export_openmetrics(struct nslab_run_file *file, FILE *out, struct nslab_err *err)
{
	size_t nr = file->list->nr;
	struct nslab_contrast *rows = NULL;
	struct lines_cell *cells = calloc(nr + 1, sizeof(*cells));
	int rc = nslab_compare_arms(file->list, &rows, err);

	if (!cells && !rc)
		rc = nslab_fail(err, -ENOMEM, "cannot write the export: out of memory");
	for (size_t i = 0; !rc && i < nr; i++) {
		const struct nslab_cell_values *values = rows[i].cell;

		cells[i].row = &rows[i];
		cells[i].median = rows[i].cell_value;
		rc = nslab_median_interval(values->ns_per_op, values->nr, NSLAB_CONFIDENCE,
					   &cells[i].lo, &cells[i].hi);
		if (rc)
			nslab_fail(err, rc, "cannot write the export: %s", strerror(-rc));
	}
	if (rc)
		goto out;
	lines_build(&file->run, out);
	for (size_t i = 0; i < sizeof(lines_metrics) / sizeof(lines_metrics[0]); i++)
		lines_metric(&lines_metrics[i], cells, nr, out);
	fputs("# EOF\n", out);
	if (ferror(out))
		rc = nslab_fail(err, -EIO, "cannot write the export: %s", strerror(errno));
out:
	free(rows);
	free(cells);
	return rc;
}

/* Reference cycles tick like the time stamp counter; NaN when nobody counted them. */
static double lines_cycles(const struct nslab_cell_values *cell)
{
	for (size_t i = 0; i < cell->nr_counters; i++) {
		if (!strcmp(cell->counters[i].name, "ref-cycles"))
			return cell->counters[i].per_op;
	}
	return NAN;
}

/* A name without blanks or what ends it, as the modules' own names are. */
static void lines_name(FILE *out, const char *text)
{
	for (; text && *text; text++)
		fputc(*text <= ' ' || *text > '~' ? '_' : *text, out);
}

/* The point of a series at x = worker; NaN when the cell told none. */
static double lines_point(const struct nslab_figure_list *list, size_t cell, const char *series,
			  int worker)
{
	for (size_t i = 0; i < list->nr_points; i++) {
		const struct nslab_cell_point *p = &list->points[i];

		if (p->cell == cell && !strcmp(p->series, series) && (int)p->x == worker)
			return p->y;
	}
	return NAN;
}

static void lines_ns(FILE *out, double ns)
{
	if (isnan(ns))
		fputc('-', out);
	else
		fprintf(out, "%.1f", ns);
}

/* What the classic calls the phase that the family's key names. */
static const char *lines_phase_name(const char *family)
{
	static const char *const names[][2] = {
		{"phase=n_n ", "N*alloc N*free"},
		{"phase=pairs ", "N*(alloc free)"},
		{"phase=concurrent_n_n ", "Concurrent N*alloc N*free"},
		{"phase=concurrent_pairs ", "Concurrent N*(alloc free)"},
		{"phase=remote_free ", "N*remote free"},
		{"phase=one_alloc ", "1 alloc N free"},
	};

	for (size_t i = 0; family && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strstr(family, names[i][0]))
			return names[i][1];
	}
	return "unknown phase";
}

/*
 * "slub N*alloc N*free(64): 0=12.1/8.4 1=12.3/8.6 Average=12.2/8.5": for each worker the ns of an
 * allocation and of a free, per object that it handled itself; one figure where both are one loop.
 */
static void lines_phase(const struct nslab_figure_list *list, size_t at,
			const struct nslab_cell_record *cell, FILE *out)
{
	bool is_pairs = !isnan(lines_point(list, at, "pair ns by worker", 0));
	const char *first = is_pairs ? "pair ns by worker" : "alloc ns by worker";
	double sum[2] = {0, 0};
	int nr[2] = {0, 0};

	lines_name(out, cell->arm);
	fprintf(out, " %s(%lld):", lines_phase_name(cell->family), (long long)cell->size_bytes);
	for (int worker = 0; worker < cell->threads; worker++) {
		double ns[2] = {lines_point(list, at, first, worker),
				lines_point(list, at, "free ns by worker", worker)};

		for (int half = 0; half < 2; half++) {
			sum[half] += isnan(ns[half]) ? 0 : ns[half];
			nr[half] += !isnan(ns[half]);
		}
		fprintf(out, " %d=", worker);
		lines_ns(out, ns[0]);
		if (!is_pairs) {
			fputc('/', out);
			lines_ns(out, ns[1]);
		}
	}
	fputs(" Average=", out);
	lines_ns(out, nr[0] ? sum[0] / nr[0] : NAN);
	if (!is_pairs) {
		fputc('/', out);
		lines_ns(out, nr[1] ? sum[1] / nr[1] : NAN);
	}
	fputc('\n', out);
}

/* Lines of the workload that has the classic's phases. */
static int lines_phases(struct nslab_run_file *file, FILE *out, struct nslab_err *err)
{
	struct nslab_figure_list *list;
	int rc = nslab_store_figures(file->store, file->list, &list, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < file->list->nr; i++) {
		const struct nslab_cell_values *cell = &file->list->cells[i];

		if (cell->nr && cell->cell.workload && !cell->cell.is_twin &&
		    !strcmp(cell->cell.workload, "slab_test"))
			lines_phase(list, i, &cell->cell, out);
	}
	nslab_figure_list_free(list);
	return 0;
}

int nslab_export_slab_test(struct nslab_run_file *file, FILE *out, struct nslab_err *err)
{
	int rc = nslab_store_counters(file->store, file->list, err);

	if (!rc)
		rc = lines_phases(file, out, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < file->list->nr; i++) {
		const struct nslab_cell_values *cell = &file->list->cells[i];
		double cycles = lines_cycles(cell);

		if (!cell->nr || (cell->cell.workload && !strcmp(cell->cell.workload, "slab_test")))
			continue;
		fputs("Type:", out);
		lines_name(out, cell->cell.key);
		if (isfinite(cycles))
			fprintf(out, " Per elem: %.0f cycles(tsc)", cycles);
		else
			fputs(" Per elem: - cycles(tsc)", out);
		fprintf(out, " %.3f ns (step:0) - (median of %zu trials)\n",
			nslab_median(cell->ns_per_op, cell->nr), cell->nr);
	}
	if (ferror(out))
		rc = nslab_fail(err, -EIO, "cannot write the export: %s", strerror(errno));
	return rc;
}
