/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_tune.c: `numaslab tune`: which slab order and per-CPU setting each cache should have.
 *
 * Machine (this one, a snapshot, a trace, or caches that are spelled out) -> advice -> files,
 * pictures, and a kernel that boots with the advised line. The table goes to stdout, progress to
 * stderr. Nothing is applied. Without a kernel to boot the advice says "unconfirmed" and why.
 */
#include "cli/command.h"
#include "cli/session.h"
#include "plots/plots.h"
#include "runner/folder.h"
#include "runner/world.h"
#include "tuner/artefacts.h"
#include "tuner/oracle.h"
#include "tuner/tune.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

static int tune_command(int argc, char **argv);

extern const struct nslab_command nslab_command_tune;
const struct nslab_command nslab_command_tune = {
	.name = "tune",
	.summary = "advise slab orders and per-CPU settings, checked in a real kernel",
	.usage = "",
	.run = tune_command,
};

struct tune_arguments {
	const char *snapshot, *trace, *sysroot, *kernel, *vmlinuz;
	const char *caches[NSLAB_OPTION_LIST_MAX];
	const char *objective, *memory, *high_order, *budget;
	const char *explain, *output;
	long nr_cpus, nr_nodes, seed;
	bool is_json, is_all, is_quiet, has_no_measure, has_no_oracle, has_no_plots;
};

struct tune_state {
	const struct tune_arguments *a;
	struct nslab_registry *registry;
	struct nslab_tuner_snapshot *snapshot;
	struct nslab_tuner_advice *advice;
	struct nslab_tune_options options;
	char folder[PATH_BYTES];
};

/* ---- options ---- */

/* "+5%" -> 0.05; "5", "-2%" */
static int tune_share(const char *text, double *share, struct nslab_err *err)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || (*end && strcmp(end, "%") != 0) || !(fabs(value) <= 100))
		return nslab_fail(err, -EINVAL,
				  "'%s' is not a value for '--memory', which accepts a change in "
				  "per cent, like +5%%",
				  text);
	*share = value / 100;
	return 0;
}

static int tune_pages(const char *text, double *pages, struct nslab_err *err)
{
	char *end;

	*pages = strtod(text, &end);
	if (end == text || *end || !(*pages >= 0))
		return nslab_fail(err, -EINVAL,
				  "'%s' is not a value for '--high-order', which accepts pages per "
				  "thousand operations, 0 and up",
				  text);
	return 0;
}

static int tune_check(struct tune_state *t, struct nslab_err *err)
{
	const struct tune_arguments *a = t->a;
	int nr_sources = !!a->snapshot + !!a->trace + !!a->caches[0] + !!a->sysroot;
	int rc = 0;

	t->options.budget.memory_share = NAN;
	t->options.budget.high_pages_per_kop = NAN;
	t->options.seed = (uint64_t)a->seed;
	t->options.is_measured = !a->has_no_measure;
	t->options.trace = a->trace;
	t->options.talk = a->is_quiet ? NULL : stderr;
	if (nr_sources > 1)
		return nslab_fail(err, -EINVAL,
				  "give one of --snapshot, --trace, --cache and --sysroot, not %d",
				  nr_sources);
	rc = nslab_tuner_objective_parse(a->objective, &t->options.objective, err);
	if (!rc && a->memory)
		rc = tune_share(a->memory, &t->options.budget.memory_share, err);
	if (!rc && a->high_order)
		rc = tune_pages(a->high_order, &t->options.budget.high_pages_per_kop, err);
	if (!rc)
		rc = nslab_plan_duration(a->budget, &t->options.budget_ns, err);
	return rc;
}

/* ---- the machine ---- */

/* To two digits, so that 117390 and 117402 are one number. */
static uint64_t tune_two_digits(uint64_t value)
{
	uint64_t step = 1;

	while (value / step >= 100)
		step *= 10;
	return (value + step / 2) / step * step;
}

/*
 * What a running machine has live moves while it is read, by the reading too. Advice that hangs on
 * the third digit is none, and without the others it is the same each time. Free blocks move most:
 * a power of two is kept of them.
 */
static void tune_settle(struct nslab_tuner_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->nr_caches; i++) {
		if (snapshot->caches[i].live > 0)
			snapshot->caches[i].live =
				(int64_t)tune_two_digits((uint64_t)snapshot->caches[i].live);
	}
	for (size_t i = 0; i < NSLAB_TUNER_ORDERS; i++) {
		uint64_t least = 1;

		while (least * 2 <= snapshot->free_blocks[i])
			least *= 2;
		if (snapshot->free_blocks[i])
			snapshot->free_blocks[i] = least;
	}
}

static int tune_snapshot(struct tune_state *t, struct nslab_err *err)
{
	const struct tune_arguments *a = t->a;
	struct nslab_tuner_given given = {(int)a->nr_cpus, (int)a->nr_nodes, a->kernel};
	int rc;

	if (a->trace)
		return nslab_tuner_snapshot_of_trace(a->trace, &given, &t->snapshot, err);
	if (a->snapshot)
		return nslab_tuner_snapshot_read(a->snapshot, &given, &t->snapshot, err);
	if (a->caches[0])
		return nslab_tuner_snapshot_make(a->caches, &given, &t->snapshot, err);
	rc = nslab_tuner_snapshot_take(a->sysroot ? a->sysroot : "", &given, &t->snapshot, err);
	if (!rc)
		tune_settle(t->snapshot);
	return rc;
}

/* ---- a kernel that boots with it ---- */

static int tune_oracle(struct tune_state *t, struct nslab_err *err)
{
	char apply[PATH_BYTES + 32], undo[PATH_BYTES + 32];
	struct nslab_tuner_oracle_options options = {.kernel = t->a->vmlinuz,
						     .sysfs_script = apply,
						     .sysfs_undo = undo,
						     .talk = t->options.talk};
	struct nslab_tuner_oracle_result result = {0};
	int rc;

	if (t->a->has_no_oracle) {
		snprintf(t->advice->oracle, sizeof(t->advice->oracle),
			 "unconfirmed: not asked for (--no-oracle)");
		return 0;
	}
	snprintf(apply, sizeof(apply), "%s/sysfs-apply.sh", t->folder);
	snprintf(undo, sizeof(undo), "%s/sysfs-undo.sh", t->folder);
	rc = nslab_tuner_oracle(t->snapshot, &t->advice->booted.knobs, &options, &result, err);
	if (rc)
		snprintf(t->advice->oracle, sizeof(t->advice->oracle), "unconfirmed: %.200s",
			 err->text);
	else
		snprintf(t->advice->oracle, sizeof(t->advice->oracle), "%.150s%s%.100s",
			 result.verdict, result.sysfs[0] ? "; sysfs script: " : "", result.sysfs);
	nslab_tuner_oracle_free(&result);
	return rc == -ENOMEM ? rc : 0;
}

/* ---- what is left ---- */

static int tune_write_snapshot(const struct tune_state *t, struct nslab_err *err)
{
	json_t *json = nslab_tuner_snapshot_json(t->snapshot);
	char path[PATH_BYTES + 32];
	int rc = 0;

	snprintf(path, sizeof(path), "%s/snapshot.json", t->folder);
	if (!json)
		rc = nslab_fail(err, -ENOMEM, "no memory for '%s'", path);
	else if (json_dump_file(json, path, JSON_INDENT(1)))
		rc = nslab_fail(err, -EIO, "cannot write '%s'", path);
	json_decref(json);
	return rc;
}

static int tune_write_table(const struct tune_state *t, struct nslab_err *err)
{
	char path[PATH_BYTES + 32];
	FILE *out;
	int rc;

	snprintf(path, sizeof(path), "%s/advice.txt", t->folder);
	out = fopen(path, "w");
	if (!out)
		return nslab_fail(err, -errno, "cannot write '%s': %s", path, strerror(errno));
	rc = nslab_tune_print(t->advice, true, out);
	if (fclose(out) && !rc)
		rc = -EIO;
	return rc ? nslab_fail(err, rc, "cannot write '%s': %s", path, strerror(-rc)) : 0;
}

/* A plot that has nothing to show is left out; one that cannot be drawn is told once. */
static int tune_plots(const struct tune_state *t, struct nslab_err *err)
{
	char advice[PATH_BYTES + 32], folder[PATH_BYTES + 32];
	struct nslab_plots_outcome outcome;
	int rc;

	if (t->a->has_no_plots)
		return 0;
	snprintf(advice, sizeof(advice), "%s/advice.json", t->folder);
	snprintf(folder, sizeof(folder), "%s/plots", t->folder);
	rc = nslab_plots_advice(advice, folder, NULL, NSLAB_PLOT_PNG | NSLAB_PLOT_SVG, &outcome,
				err);
	for (size_t i = 0; !rc && t->options.talk && i < outcome.nr; i++) {
		if (!outcome.plots[i].is_written || outcome.plots[i].is_drawn)
			continue;
		fprintf(t->options.talk, "plots are tables only: %s\n", outcome.plots[i].reason);
		break;
	}
	return rc;
}

static int tune_folder(struct tune_state *t, struct nslab_err *err)
{
	int rc = nslab_folder_name(t->a->output, "tune", t->folder, sizeof(t->folder));

	return rc ? nslab_fail(err, rc, "the name of the output folder is too long")
		  : nslab_folder_make(t->folder, err);
}

/* Twice: the kernel tries the files of the first time, those of the second tell what it said. */
static int tune_files(struct tune_state *t, struct nslab_err *err)
{
	int rc = tune_folder(t, err);

	if (!rc)
		rc = nslab_tuner_artefacts(t->advice, t->folder, err);
	if (!rc)
		rc = tune_oracle(t, err);
	if (!rc)
		rc = nslab_tuner_artefacts(t->advice, t->folder, err);
	if (!rc)
		rc = tune_write_snapshot(t, err);
	if (!rc)
		rc = tune_write_table(t, err);
	if (!rc)
		rc = tune_plots(t, err);
	if (!rc && t->options.talk)
		fprintf(t->options.talk, "written to %s: nothing was applied\n", t->folder);
	return rc;
}

static int tune_show(const struct tune_state *t, struct nslab_err *err)
{
	json_t *json;
	int rc;

	if (t->a->explain)
		return nslab_tune_explain(t->advice, t->a->explain, stdout, err);
	if (!t->a->is_json) {
		rc = nslab_tune_print(t->advice, t->a->is_all, stdout);
		return rc ? nslab_fail(err, rc, "cannot print: %s", strerror(-rc)) : 0;
	}
	json = nslab_tuner_advice_json(t->advice);
	rc = json && !json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) ? 0 : -EIO;
	putchar('\n');
	json_decref(json);
	return rc ? nslab_fail(err, rc, "cannot print JSON: %s", strerror(-rc)) : 0;
}

static int tune_known(const struct tune_state *t, struct nslab_err *err)
{
	if (!t->a->explain || nslab_tuner_snapshot_find(t->snapshot, t->a->explain))
		return 0;
	return nslab_tune_unknown(t->snapshot, t->a->explain, err);
}

static int tune_all(struct tune_state *t, struct nslab_err *err)
{
	int rc = tune_check(t, err);

	if (!rc)
		rc = nslab_registry_open(NULL, &t->registry, err);
	if (!rc)
		rc = tune_snapshot(t, err);
	if (!rc)
		rc = tune_known(t, err); /* before minutes of measuring */
	if (rc)
		return rc;
	t->options.registry = t->registry;
	t->options.snapshot = t->snapshot;
	t->options.is_interrupted = nslab_session_interrupted();
	rc = nslab_tune(&t->options, &t->advice, err);
	if (!rc)
		rc = tune_files(t, err);
	if (!rc)
		rc = tune_show(t, err);
	return rc;
}

static int tune_command(int argc, char **argv)
{
	struct tune_arguments a = {
		.objective = "balanced", .budget = "60s", .seed = 1, .nr_cpus = -1, .nr_nodes = -1};
	const struct nslab_option rows[] = {
		{"snapshot", 0, NSLAB_OPTION_TEXT, &a.snapshot, "FILE",
		 "another machine: of `snapshot`, a table of sysfs, or slabinfo text"},
		{"trace", 0, NSLAB_OPTION_TEXT, &a.trace, "FILE",
		 "loads and caches of a trace that was recorded or imported"},
		{"cache", 0, NSLAB_OPTION_LIST, a.caches, "name=N,size=BYTES,...",
		 "one cache (also live=, rate=, object_size=, order=, remote=)"},
		{"cpus", 0, NSLAB_OPTION_INT, &a.nr_cpus, "N", "where the file does not tell"},
		{"nodes", 0, NSLAB_OPTION_INT, &a.nr_nodes, "N", "the same"},
		{"kernel", 0, NSLAB_OPTION_TEXT, &a.kernel, "V", "the same: 6.1, 6.12, 6.18"},
		{"objective", 0, NSLAB_OPTION_TEXT, &a.objective, "WORD",
		 "balanced (default), speed or memory"},
		{"memory", 0, NSLAB_OPTION_TEXT, &a.memory, "+N%",
		 "how much slab memory may change over all caches"},
		{"high-order", 0, NSLAB_OPTION_TEXT, &a.high_order, "N",
		 "pages of order >= 1 per thousand operations that may be added; 0: none"},
		{"budget", 0, NSLAB_OPTION_TEXT, &a.budget, "TIME", "of measuring (60s)"},
		{"no-measure", 0, NSLAB_OPTION_FLAG, &a.has_no_measure, NULL,
		 "counts and formulas only: the same each time, in seconds"},
		{"seed", 0, NSLAB_OPTION_INT, &a.seed, "N", "of loads and order of trials (1)"},
		{"no-oracle", 0, NSLAB_OPTION_FLAG, &a.has_no_oracle, NULL, "boot no kernel"},
		{"no-plots", 0, NSLAB_OPTION_FLAG, &a.has_no_plots, NULL, "draw no pictures"},
		{"vmlinuz", 0, NSLAB_OPTION_TEXT, &a.vmlinuz, "FILE",
		 "kernel to boot; else one of Debian that is fetched"},
		{"explain", 0, NSLAB_OPTION_TEXT, &a.explain, "CACHE",
		 "the whole reasoning for one cache"},
		{"all", 0, NSLAB_OPTION_FLAG, &a.is_all, NULL, "a row for every cache"},
		{"output", 'o', NSLAB_OPTION_TEXT, &a.output, "DIR", "folder of the files"},
		{"sysroot", 0, NSLAB_OPTION_TEXT, &a.sysroot, "DIR", "tree that stands for /"},
		{"json", 0, NSLAB_OPTION_FLAG, &a.is_json, NULL, "print JSON"},
		{"quiet", 'q', NSLAB_OPTION_FLAG, &a.is_quiet, NULL, "no progress"},
		{.name = NULL},
	};
	struct tune_state t = {.a = &a};
	struct nslab_err err = {""};
	int nr, rc = nslab_options_parse(&nslab_command_tune, rows, argc, argv, &nr);

	if (rc >= 0)
		return rc;
	rc = nr ? nslab_fail(&err, -EINVAL, "'%s' is too much: tune takes options only", argv[1])
		: tune_all(&t, &err);
	nslab_tuner_advice_free(t.advice);
	nslab_tuner_snapshot_free(t.snapshot);
	nslab_registry_destroy(t.registry);
	return rc ? nslab_complain(&err, rc) : NSLAB_EXIT_DONE;
}
