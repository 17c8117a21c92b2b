/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace_fidelity.c: what the slub model makes of a recording, beside what the kernel's sysfs
 * counted.
 *
 * The trace holds slabs and objects of every cache before and after. One trial is run in this
 * process: the replay workload begins with the slabs that were there, plays the events once with a
 * single worker, and brings in at the end what sysfs counted but no event told of. So the result
 * depends on nothing but the trace. The movement of slabs is compared for each cache that moved by
 * more than `moved` slabs in the kernel or in the model; of a cache without a model (it has no
 * events, or is a kmalloc size) only the kernel's side is told, and it is outside if it moved that
 * far.
 *
 * The untraced share is what no event told, of all that moved: without it a match of slabs would be
 * taken for one of events. The model has one node, whatever the recorded machine has.
 */
#define _GNU_SOURCE
#include "cli/trace_fidelity.h"

#include "cli/command.h"
#include "runner/trial.h"
#include "workloads/trace/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fidelity_row {
	const struct nslab_trace_kernel_cache *kernel;
	double model, traced; /* slabs, objects; NAN: no model */
};

struct fidelity {
	const struct nslab_fidelity_options *options;
	const struct nslab_trace_tables *tables;
	struct fidelity_row *rows; /* caches of which the kernel's slabs are known */
	size_t nr_rows, nr_judged, nr_outside;
	json_t *result; /* of the trial */
	char generation[16];
};

/* ---- the trial ---- */

/* The newest model that is not newer than the kernel: "6.1.0-56-cloud-amd64" is 6.1. */
static void fidelity_generation(struct fidelity *f)
{
	unsigned major = 0, minor = 0;

	if (f->options->kernel)
		snprintf(f->generation, sizeof(f->generation), "%s", f->options->kernel);
	else if (sscanf(f->tables->info.kernel, "%u.%u", &major, &minor) == 2 &&
		 (major < 6 || (major == 6 && minor < 8)))
		strcpy(f->generation, "6.1");
	else
		strcpy(f->generation, major == 6 && minor < 18 ? "6.12" : "6.18");
}

static int64_t fidelity_slabs_bytes(const struct nslab_trace_kernel_cache *k)
{
	int64_t order = k->order >= 0 && k->order <= 10 ? k->order : 0;
	int64_t slabs = k->slabs_before > k->slabs_after ? k->slabs_before : k->slabs_after;

	return slabs > 0 && slabs < (int64_t)1 << 32 ? slabs << (12 + order) : 0;
}

/* Room for four times what the kernel had, of which the fill takes at most a half. */
static int64_t fidelity_arena_bytes(const struct nslab_trace_tables *t)
{
	const int64_t most = (int64_t)64 << 30;
	int64_t bytes = (int64_t)512 << 20;

	for (uint32_t i = 0; i < t->nr_kernel_caches && bytes < most; i++)
		bytes += 4 * fidelity_slabs_bytes(&t->kernel_caches[i]);
	return bytes < most ? bytes : most;
}

static json_t *fidelity_spec(const struct fidelity *f)
{
	int64_t node_bytes = fidelity_arena_bytes(f->tables);
	int pu = sched_getcpu();

	return json_pack("{s:{s:s, s:{s:s, s:s, s:s, s:s}}, s:{s:s, s:{s:s}}, s:{s:s}, s:s, s:i,"
			 " s:{s:i, s:i, s:i, s:i}, s:[{s:i, s:i}], s:[{s:i, s:I}], s:[i], s:b,"
			 " s:{s:i, s:i}, s:i, s:I, s:i, s:i, s:i, s:i}",
			 "workload", "name", "replay", "params", "trace", f->options->path, "fill",
			 "yes", "untraced", "yes", "points", "1", "allocator", "name", "slub",
			 "params", "generation", f->generation, "page", "name", "buddy", "entry",
			 "cache", "seed", 1, "cache", "order", -1, "min_partial", -1, "cpu_partial",
			 -1, "sheaf_capacity", -1, "workers", "pu", pu < 0 ? 0 : pu, "node", 0,
			 "nodes", "os_index", 0, "memory_bytes", (json_int_t)node_bytes,
			 "distances", 10, "is_simulated", 1, "memory", "kind", 0, "node", -1,
			 "huge", 0, "node_bytes", (json_int_t)node_bytes, "nr_cpus",
			 (int)(f->options->nr_cpus ? f->options->nr_cpus : f->tables->nr_cpus),
			 "windows", 1, "window_ns", 1000, "warmup_ns", 0);
}

static int fidelity_trial(struct fidelity *f, struct nslab_err *err)
{
	json_t *spec = fidelity_spec(f), *reports, *report;
	const char *error;
	size_t i;
	int rc = spec ? nslab_trial_run(spec, &f->result) : -ENOMEM;

	json_decref(spec);
	if (rc)
		return nslab_fail(err, rc, "cannot replay '%s': %s", f->options->path,
				  strerror(-rc));
	error = json_string_value(json_object_get(f->result, "error"));
	if (error)
		return nslab_fail(err, -EINVAL, "cannot replay '%s': %s", f->options->path, error);
	reports = json_object_get(f->result, "reports");
	json_array_foreach(reports, i, report) fprintf(stderr, "%s\n", json_string_value(report));
	return 0;
}

/* ---- rows ---- */

static double fidelity_figure(const struct fidelity *f, const char *what, const char *cache)
{
	json_t *figures = json_object_get(f->result, "figures"), *figure;
	size_t length = strlen(what), i;

	json_array_foreach(figures, i, figure)
	{
		const char *name = json_string_value(json_array_get(figure, 0));

		if (name && !strncmp(name, what, length) && name[length] == ' ' &&
		    !strcmp(name + length + 1, cache))
			return json_number_value(json_array_get(figure, 1));
	}
	return NAN;
}

static double row_kernel(const struct fidelity_row *row)
{
	return (double)(row->kernel->slabs_after - row->kernel->slabs_before);
}

/* NAN where sysfs did not tell. */
static double row_objects(const struct fidelity_row *row)
{
	const struct nslab_trace_kernel_cache *k = row->kernel;

	if (k->objects_before < 0 || k->objects_after < 0)
		return NAN;
	return (double)(k->objects_after - k->objects_before);
}

/* 0..1: of what moved by events and without. */
static double row_untraced(const struct fidelity_row *row)
{
	double traced = isnan(row->traced) ? 0 : row->traced;
	double untraced = fabs(row_objects(row) - traced);

	return untraced + fabs(traced) <= 0 ? 0 : untraced / (untraced + fabs(traced));
}

static double row_moved(const struct fidelity_row *row)
{
	double kernel = fabs(row_kernel(row)), model = isnan(row->model) ? 0 : fabs(row->model);

	return kernel > model ? kernel : model;
}

static bool row_is_judged(const struct fidelity *f, const struct fidelity_row *row)
{
	return row_moved(row) > (double)f->options->moved;
}

static bool row_is_within(const struct fidelity *f, const struct fidelity_row *row)
{
	double share = fabs(row_kernel(row)) * (double)f->options->percent / 100;
	double slabs = (double)f->options->slabs;

	return fabs(row->model - row_kernel(row)) <= (share > slabs ? share : slabs);
}

static const char *row_verdict(const struct fidelity *f, const struct fidelity_row *row)
{
	if (!row_is_judged(f, row))
		return "-";
	if (isnan(row->model))
		return "no model";
	return row_is_within(f, row) ? "within" : "OUTSIDE";
}

static int row_compare(const void *a, const void *b)
{
	double x = row_moved(a), y = row_moved(b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static int fidelity_rows(struct fidelity *f, struct nslab_err *err)
{
	const struct nslab_trace_tables *t = f->tables;

	f->rows = calloc((size_t)t->nr_kernel_caches + 1, sizeof(*f->rows));
	if (!f->rows)
		return nslab_fail(err, -ENOMEM, "no memory for the list of caches");
	for (uint32_t i = 0; i < t->nr_kernel_caches; i++) {
		const struct nslab_trace_kernel_cache *k = &t->kernel_caches[i];
		struct fidelity_row *row = &f->rows[f->nr_rows];

		if (k->slabs_before < 0 || k->slabs_after < 0)
			continue;
		*row = (struct fidelity_row){k, fidelity_figure(f, "model slabs", k->name),
					     fidelity_figure(f, "traced objects", k->name)};
		f->nr_rows++;
		f->nr_judged += row_is_judged(f, row);
		f->nr_outside += row_is_judged(f, row) && !row_is_within(f, row);
	}
	qsort(f->rows, f->nr_rows, sizeof(*f->rows), row_compare);
	return 0;
}

/* ---- printing ---- */

static void print_count(double value)
{
	if (isnan(value))
		printf(" %8s", "-");
	else
		printf(" %+8.0f", value);
}

static void print_share(double value)
{
	if (isnan(value))
		printf(" %8s", "-");
	else
		printf(" %7.1f%%", 100 * value);
}

static void fidelity_print(const struct fidelity *f)
{
	const struct nslab_fidelity_options *o = f->options;

	printf("%s\nkernel %s against slub generation=%s, %ld CPUs\n\n", o->path,
	       f->tables->info.kernel, f->generation,
	       o->nr_cpus ? o->nr_cpus : (long)f->tables->nr_cpus);
	printf("%-24s %17s %8s %17s\n", "", "more objects", "not", "more slabs");
	printf("%-24.24s %8s %8s %8s %8s %8s %9s\n", "cache", "kernel", "traced", "traced",
	       "kernel", "model", "verdict");
	for (size_t i = 0; i < f->nr_rows; i++) {
		const struct fidelity_row *row = &f->rows[i];

		if (row_moved(row) <= 0 || (!o->is_all && !row_is_judged(f, row)))
			continue;
		printf("%-24.24s", row->kernel->name);
		print_count(row_objects(row));
		print_count(row->traced);
		print_share(row_untraced(row));
		print_count(row_kernel(row));
		print_count(row->model);
		printf(" %9s\n", row_verdict(f, row));
	}
	printf("\n%zu of %zu caches that moved by more than %ld slabs ",
	       f->nr_judged - f->nr_outside, f->nr_judged, o->moved);
	printf("are within max(%ld slabs, %ld %%)\n", o->slabs, o->percent);
	printf("# counts of slabs are validated here; timings are of a user-space model\n");
}

static json_t *json_number(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

static json_t *fidelity_json(const struct fidelity *f)
{
	json_t *caches = json_array();

	for (size_t i = 0; i < f->nr_rows; i++) {
		const struct fidelity_row *row = &f->rows[i];

		if (row_moved(row) <= 0)
			continue;
		json_array_append_new(caches,
				      json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "name",
						row->kernel->name, "kernel_objects",
						json_number(row_objects(row)), "traced_objects",
						json_number(row->traced), "untraced_share",
						json_number(row_untraced(row)), "kernel_slabs",
						json_number(row_kernel(row)), "model_slabs",
						json_number(row->model), "is_judged",
						row_is_judged(f, row), "is_within",
						row_is_within(f, row)));
	}
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "trace", f->options->path,
			 "kernel", f->tables->info.kernel, "generation", f->generation, "judged",
			 (json_int_t)f->nr_judged, "outside", (json_int_t)f->nr_outside, "moved",
			 (json_int_t)f->options->moved, "slabs", (json_int_t)f->options->slabs,
			 "percent", (json_int_t)f->options->percent, "caches", caches);
}

static int fidelity_tell(const struct fidelity *f, struct nslab_err *err)
{
	json_t *json;
	int rc = 0;

	if (f->options->is_json) {
		json = fidelity_json(f);
		rc = json ? json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) : -1;
		json_decref(json);
		putchar('\n');
	} else {
		fidelity_print(f);
	}
	if (rc || fflush(stdout))
		return nslab_fail(err, -EIO, "cannot write to stdout");
	if (!f->nr_judged)
		return NSLAB_EXIT_SKIPPED;
	return f->nr_outside ? NSLAB_EXIT_FAILED : NSLAB_EXIT_DONE;
}

/* ---- command ---- */

int nslab_trace_fidelity(const struct nslab_fidelity_options *options, struct nslab_err *err)
{
	struct fidelity f = {.options = options};
	struct nslab_trace *trace = NULL;
	int rc = nslab_trace_open(options->path, &trace, err);

	if (rc)
		return rc;
	f.tables = nslab_trace_tables(trace);
	if (!f.tables->nr_kernel_caches)
		rc = nslab_fail(err, -EINVAL,
				"trace '%s' does not have its kernel's slabs: only `numaslab "
				"record` notes them",
				options->path);
	fidelity_generation(&f);
	if (!rc)
		rc = fidelity_trial(&f, err);
	if (!rc)
		rc = fidelity_rows(&f, err);
	if (!rc)
		rc = fidelity_tell(&f, err);
	json_decref(f.result);
	free(f.rows);
	nslab_trace_close(trace);
	return rc;
}
