/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * import_gbench.c: Google Benchmark's JSON read and checked.
 *
 * Every entry that is a repetition becomes a trial of the cell that bears its run name; aggregates
 * are left out, since they can be computed again and their inputs cannot. A repetition that failed
 * becomes a trial that does not count, with its message. The statistic is
 * "mean", because that is what the format holds, unless the file came from numaslab and says
 * another.
 *
 * Invariants: texts point into the parsed JSON; every trial belongs to a cell and has a time above
 * 0 or a reason. Left out: counters, cpu_time, and complexity fits.
 */
#include "results/import.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *gbench_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static int gbench_int(const json_t *object, const char *name, int otherwise)
{
	const json_t *value = json_object_get(object, name);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number > INT_MAX)
		return otherwise;
	return (int)number;
}

static double gbench_unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"ns", 1.0}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};

	if (!unit)
		return 1.0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!strcmp(unit, units[i].name))
			return units[i].ns;
	}
	return NAN;
}

/* Old files have no run_type: there an aggregate is known by its name. */
static bool gbench_is_aggregate(const json_t *entry, const char *name)
{
	static const char *const ends[] = {"_mean", "_median", "_stddev", "_cv", "_BigO", "_RMS"};
	const char *type = gbench_text(entry, "run_type");
	size_t len = strlen(name);

	if (type)
		return strcmp(type, "iteration") != 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);

		if (len > end && !strcmp(name + len - end, ends[i]))
			return true;
	}
	return false;
}

/* The cell of that name, new when it is not there yet. */
static int gbench_cell(struct nslab_import *import, const char *name, const json_t *entry,
		       size_t *at)
{
	json_t *known = json_object_get(import->names, name);

	if (known) {
		*at = (size_t)json_integer_value(known);
		return 0;
	}
	*at = import->nr_cells;
	if (json_object_set_new(import->names, name, json_integer((json_int_t)*at)))
		return -ENOMEM;
	import->cells[import->nr_cells++] = (struct nslab_import_cell){
		.name = name,
		.family = gbench_text(entry, "numaslab_family"),
		.arm = gbench_text(entry, "numaslab_arm"),
		.threads = gbench_int(entry, "threads", 1),
	};
	return 0;
}

/* ns of one iteration, or why there is none. */
static const char *gbench_time(const json_t *entry, struct nslab_import_trial *trial)
{
	const json_t *time = json_object_get(entry, "real_time");
	double unit = gbench_unit_ns(gbench_text(entry, "time_unit"));
	const char *message = gbench_text(entry, "error_message");

	trial->ns_per_op = NAN;
	if (json_is_true(json_object_get(entry, "error_occurred")) ||
	    json_is_true(json_object_get(entry, "skipped"))) {
		trial->taint = message ? message : "failed";
		return NULL;
	}
	if (!json_is_number(time))
		return "real_time is no number";
	if (isnan(unit))
		return "time_unit is none of ns, us, ms, s";
	trial->ns_per_op = json_number_value(time) * unit;
	if (!(trial->ns_per_op > 0.0 && trial->ns_per_op < 1e300))
		return "real_time is not above 0";
	return NULL;
}

static int gbench_entry(struct nslab_import *import, const json_t *entry, size_t index,
			const char *file, struct nslab_err *err)
{
	const char *name = gbench_text(entry, "run_name");
	struct nslab_import_trial trial = {0};
	const char *wrong;

	if (!name)
		name = gbench_text(entry, "name");
	if (!name || !*name)
		return nslab_fail(err, -EINVAL, "'%.200s': benchmark %zu has no name", file,
				  index + 1);
	if (gbench_is_aggregate(entry, name))
		return 0;
	wrong = gbench_time(entry, &trial);
	if (wrong)
		return nslab_fail(err, -EINVAL, "'%.200s': benchmark %zu ('%.100s'): %s", file,
				  index + 1, name, wrong);
	if (gbench_cell(import, name, entry, &trial.cell))
		return nslab_fail(err, -ENOMEM, "cannot read '%.200s': out of memory", file);
	trial.block = import->cells[trial.cell].nr_trials++;
	import->trials[import->nr_trials++] = trial;
	return 0;
}

static void gbench_context(struct nslab_import *import, const json_t *context)
{
	const char *statistic = gbench_text(context, "numaslab_statistic");

	const char *executable = gbench_text(context, "executable");
	const char *slash = executable ? strrchr(executable, '/') : NULL;

	import->family = slash ? slash + 1 : executable;
	import->date = gbench_text(context, "date");
	import->host_name = gbench_text(context, "host_name");
	import->nr_pus = gbench_int(context, "num_cpus", 0);
	import->cpu_model = gbench_text(context, "numaslab_cpu_model");
	import->kernel = gbench_text(context, "numaslab_kernel");
	import->statistic = statistic ? statistic : "mean";
	import->is_simulated = json_is_true(json_object_get(context, "numaslab_simulated"));
}

static int gbench_read(struct nslab_import *import, const char *file, struct nslab_err *err)
{
	const json_t *benchmarks = json_object_get(import->root, "benchmarks"), *entry;
	size_t nr = json_array_size(benchmarks), index;
	int rc = 0;

	if (!json_is_array(benchmarks))
		return nslab_fail(err, -EINVAL,
				  "'%.200s' is JSON, but not of Google Benchmark: it has no"
				  " 'benchmarks'",
				  file);
	gbench_context(import, json_object_get(import->root, "context"));
	import->names = json_object();
	import->cells = calloc(nr + 1, sizeof(*import->cells));
	import->trials = calloc(nr + 1, sizeof(*import->trials));
	if (!import->names || !import->cells || !import->trials)
		return nslab_fail(err, -ENOMEM, "cannot read '%.200s': out of memory", file);
	json_array_foreach(benchmarks, index, entry)
	{
		rc = gbench_entry(import, entry, index, file, err);
		if (rc)
			return rc;
	}
	if (!import->nr_trials)
		return nslab_fail(err, -EINVAL, "'%.200s' holds no repetitions%s", file,
				  nr ? ", only aggregates: run with"
				       " --benchmark_report_aggregates_only=false"
				     : "");
	return 0;
}

/* A message names benchmarks and files as they are called, but stays one line of ASCII. */
static void gbench_one_line(struct nslab_err *err)
{
	for (char *c = err->text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
}

int nslab_import_gbench(const char *text, size_t nr_bytes, const char *name,
			struct nslab_import *import, struct nslab_err *err)
{
	json_error_t error;
	int rc;

	*import = (struct nslab_import){0};
	import->root = json_loadb(text, nr_bytes, 0, &error);
	if (import->root)
		rc = gbench_read(import, name, err);
	else
		rc = nslab_fail(err, -EINVAL, "'%.200s' is not JSON: line %d: %.150s", name,
				error.line, error.text);
	if (!rc)
		return 0;
	nslab_import_exit(import);
	if (err)
		gbench_one_line(err);
	return rc;
}

void nslab_import_exit(struct nslab_import *import)
{
	json_decref(import->root);
	json_decref(import->names);
	free(import->cells);
	free(import->trials);
	*import = (struct nslab_import){0};
}
