/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_run.c: plan, run, table, CSV, plots.
 *
 * --resume goes on with a run that was killed or ended early: plan, overrides, plug-ins and nodes
 * are those that its file holds, so nothing but the folder is given.
 *
 * Before anything runs the host is looked at (host_gate.c).
 *
 * The table goes to stdout, everything else that is said to stderr. Ctrl-C once ends the run after
 * the trial in hand with what there is; twice ends it at once.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "cli/host_gate.h"
#include "cli/session.h"
#include "core/paint.h"
#include "plots/plots.h"
#include "results/export.h"
#include "results/figures.h"
#include "results/latency.h"
#include "results/table.h"
#include "runner/counters/choice.h"
#include "runner/counters/counters.h"
#include "runner/counters/simulated.h"
#include "runner/exec.h"
#include "runner/provenance.h"
#include "runner/world.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int run_command(int argc, char **argv);

const struct nslab_command nslab_command_run = {
	.name = "run",
	.summary = "run a plan (default: quick) and leave table, CSV and plots",
	.usage = "[PLAN] [KEY=VALUE...]",
	.run = run_command,
};

struct run_arguments {
	const char *plan;
	const char **overrides;
	const char *plugins[NSLAB_OPTION_LIST_MAX];
	const char *ignore[NSLAB_OPTION_LIST_MAX];
	const char *output, *resume, *sysroot;
	long sim_nodes;
	bool is_dry, is_json, is_quiet, is_verbose, has_no_plots, has_slabinfo, is_simulated;
	char argv_text[2048];
};

struct run_state {
	struct run_arguments *arguments;
	struct nslab_err err;
	struct nslab_topo *topo;
	struct nslab_registry *registry;
	struct nslab_plan *plan;
	struct nslab_run_file earlier; /* with --resume */
	json_t *earlier_plan;
	struct nslab_host_gate gate;
	struct nslab_exec_result result;
};

/* Room for the texts of a JSON array and the NULL at the end; they live as long as the array. */
static const char **array_texts(const json_t *array)
{
	const char **texts = calloc(json_array_size(array) + 1, sizeof(*texts));
	json_t *value;
	size_t i;

	if (texts)
		json_array_foreach(array, i, value)
		{
			texts[i] = json_string_value(value) ? json_string_value(value) : "";
		}
	return texts;
}

/* What the run was started with takes the place of what was not said now. */
static int run_earlier(struct run_state *r)
{
	struct run_arguments *a = r->arguments;
	const char **plugins;
	int rc = nslab_run_file_open(a->resume, &r->earlier, &r->err);

	if (rc)
		return rc;
	if (r->earlier.run.plan_json)
		r->earlier_plan = json_loads(r->earlier.run.plan_json, 0, NULL);
	if (!r->earlier_plan || !r->earlier.run.plan_text || !r->earlier.run.name)
		return nslab_fail(&r->err, -EINVAL, "cannot go on with '%s': it holds no plan",
				  a->resume);
	free(a->overrides);
	a->overrides = array_texts(json_object_get(r->earlier_plan, "overrides"));
	plugins = array_texts(json_object_get(r->earlier_plan, "plugins"));
	if (!a->overrides || !plugins)
		rc = -ENOMEM;
	for (size_t i = 0; !rc && plugins[i] && i + 1 < NSLAB_OPTION_LIST_MAX; i++)
		a->plugins[i] = plugins[i];
	free(plugins);
	a->plan = r->earlier.run.name;
	a->sim_nodes = r->earlier.run.is_simulated ? r->earlier.run.nr_nodes : 0;
	return rc;
}

static int run_plan(struct run_state *r)
{
	struct nslab_topo_source source = {
		.origin = NSLAB_TOPO_MACHINE,
		.sim_nodes = (int)r->arguments->sim_nodes,
	};
	struct nslab_plan_source plan = {
		.name = r->arguments->plan,
		.text = r->earlier.run.plan_text,
		.overrides = (const char *const *)r->arguments->overrides,
	};
	int rc = nslab_topo_load(&source, &r->topo, &r->err);

	if (!rc)
		rc = nslab_registry_open(r->arguments->plugins, &r->registry, &r->err);
	if (rc)
		return rc;
	plan.registry = r->registry;
	plan.topo = r->topo;
	return nslab_plan_load(&plan, &r->plan, &r->err);
}

/* What a user must know before reading figures, once a run. */
static void run_warnings(const struct run_state *r)
{
	const char *warning = nslab_provenance_build_warning();
	struct nslab_counters *counters;
	char text[2048];

	if (*warning) {
		nslab_paint(stderr, NSLAB_PAINT_WARN, "warning:");
		fprintf(stderr, " this numaslab was %s\n", warning);
	}
	if (r->topo->mask_note[0])
		fprintf(stderr, "note: %s\n", r->topo->mask_note);
	if (r->topo->is_this_machine && access("/sys/devices/system", F_OK))
		fprintf(stderr, "note: /sys cannot be read: nodes, caches and distances of this "
				"machine are unknown, one node is assumed\n");
	if (r->plan->choice->is_simulated && *nslab_simulated_missing())
		fprintf(stderr, "simulated counters: absent (%s)\n", nslab_simulated_missing());
	if (r->plan->choice->nr_events)
		nslab_pmu_choose(r->plan->choice->events, r->plan->choice->nr_events);
	if (nslab_counters_open(&counters))
		return;
	if (nslab_counters_reasons(counters, text, sizeof(text)))
		fputs(text, stderr);
	nslab_counters_close(counters);
}

/* Opens NAME in the run's folder; NULL with an error. */
static FILE *run_file(struct run_state *r, const char *name)
{
	char path[4200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", r->result.folder, name);
	file = fopen(path, "we");
	if (!file)
		nslab_fail(&r->err, -errno, "cannot write '%s': %s", path, strerror(errno));
	return file;
}

/* What the workloads told: after the table, and whole in two files. */
static int run_figures(struct run_state *r, struct nslab_run_file *run)
{
	struct nslab_figure_list *list;
	int rc = nslab_store_figures(run->store, run->list, &list, &r->err);
	FILE *figures, *points, *memory;

	if (rc)
		return rc;
	nslab_figures_table(list, run->list, stdout, NSLAB_TABLE_COLUMNS);
	rc = nslab_store_counters(run->store, run->list, &r->err);
	nslab_counters_note(run->list, stdout, NSLAB_TABLE_COLUMNS);
	figures = list->nr_figures ? run_file(r, "figures.csv") : NULL;
	points = nslab_points_has(list, false) ? run_file(r, "points.csv") : NULL;
	memory = nslab_points_has(list, true) ? run_file(r, "memory.csv") : NULL;
	if (figures && !rc)
		rc = nslab_figures_csv(list, run->list, figures);
	if (points && !rc)
		rc = nslab_points_csv(list, run->list, false, points);
	if (memory && !rc)
		rc = nslab_points_csv(list, run->list, true, memory);
	if (figures && fclose(figures))
		rc = -EIO;
	if (points && fclose(points))
		rc = -EIO;
	if (memory && fclose(memory))
		rc = -EIO;
	nslab_figure_list_free(list);
	return rc;
}

/* Of single operations, where the plan asked for them. */
static int run_latency(struct run_state *r, struct nslab_run_file *run)
{
	struct nslab_latency_list *list;
	int rc = nslab_store_latencies(run->store, run->list, &list, &r->err);
	FILE *file;

	if (rc)
		return rc;
	nslab_latency_table(list, run->list, stdout, NSLAB_TABLE_COLUMNS);
	file = list->nr ? run_file(r, "latency.csv") : NULL;
	if (file)
		rc = nslab_latency_csv(list, run->list, file);
	if (file && fclose(file))
		rc = -EIO;
	nslab_latency_list_free(list);
	return rc;
}

static int run_tables(struct run_state *r, struct nslab_run_file *run)
{
	FILE *file = run_file(r, "table.txt");
	int rc = nslab_results_table(run->list, &run->run, run->status, run->harness_ns, stdout,
				     NSLAB_TABLE_COLUMNS);

	if (!file)
		return -EIO;
	if (!rc)
		rc = nslab_results_table(run->list, &run->run, run->status, run->harness_ns, file,
					 NSLAB_TABLE_COLUMNS);
	fclose(file);
	file = run_file(r, "windows.csv");
	if (!file)
		return -EIO;
	if (!rc)
		rc = nslab_export_csv(run, file, &r->err);
	return fclose(file) && !rc ? -EIO : rc;
}

/* The tables that the trials left; the file stays in the run's folder. */
static int run_slabinfo(struct run_state *r)
{
	char path[4200], buffer[4096];
	size_t nr;
	FILE *file;

	snprintf(path, sizeof(path), "%s/slabinfo.txt", r->result.folder);
	file = fopen(path, "re");
	if (!file && errno == ENOENT) /* interrupted before the first */
		return 0;
	if (!file)
		return nslab_fail(&r->err, -errno, "cannot read '%s': %s", path, strerror(errno));
	putchar('\n');
	while ((nr = fread(buffer, 1, sizeof(buffer), file)))
		fwrite(buffer, 1, nr, stdout);
	fclose(file);
	return 0;
}

/* Pictures are a service: without them the run is still whole, so nothing here fails it. */
static void run_plots(struct run_state *r, struct nslab_run_file *run)
{
	struct nslab_plots_outcome outcome = {0};
	const char *last_reason = "";
	struct nslab_err why = {""};

	if (nslab_plots_make(run->store, r->result.folder, NULL, NSLAB_PLOT_PNG | NSLAB_PLOT_SVG,
			     &outcome, &why))
		fprintf(stderr, "no plots: %s\n", why.text);
	for (size_t i = 0; i < outcome.nr; i++) {
		if (outcome.plots[i].is_written && !outcome.plots[i].is_drawn &&
		    strcmp(outcome.plots[i].reason, last_reason))
			fprintf(stderr, "plot %s: %s\n", outcome.plots[i].name,
				outcome.plots[i].reason);
		last_reason = outcome.plots[i].reason;
	}
}

static int run_report(struct run_state *r)
{
	struct nslab_run_file run;
	int rc = nslab_run_file_open(r->result.folder, &run, &r->err);

	if (rc)
		return rc;
	rc = run_tables(r, &run);
	if (!rc)
		rc = run_latency(r, &run);
	if (!rc)
		rc = run_figures(r, &run);
	if (!rc && r->arguments->has_slabinfo)
		rc = run_slabinfo(r);
	if (!rc && !r->arguments->has_no_plots)
		run_plots(r, &run);
	nslab_run_file_close(&run);
	fprintf(stderr, "results: %s\n", r->result.folder);
	return rc;
}

static int run_trials(struct run_state *r)
{
	struct nslab_exec_options options = {
		.plan = r->plan,
		.plugins = r->arguments->plugins,
		.output = r->arguments->output,
		.resume = r->arguments->resume,
		.argv_text = r->arguments->argv_text,
		.ignored = r->gate.ignored,
		.sysroot = r->arguments->sysroot,
		.has_slabinfo = r->arguments->has_slabinfo,
		.talk = r->arguments->is_quiet ? NULL : stderr,
		.is_verbose = r->arguments->is_verbose,
		.is_interrupted = nslab_session_interrupted(),
	};

	if (!r->arguments->is_quiet) {
		run_warnings(r);
		fprintf(stderr, "%s: %s%zu trials, about %.0f s\n", r->plan->name,
			r->plan->precision > 0 || r->plan->budget_ns ? "at most " : "",
			nslab_plan_nr_trials(r->plan),
			(double)nslab_plan_expected_ns(r->plan) / 1e9);
	}
	return nslab_exec_run(&options, &r->result, &r->err);
}

static int run_dry(struct run_state *r)
{
	json_t *json;

	if (!r->arguments->is_json) {
		nslab_plan_print(r->plan, stdout);
		return 0;
	}
	json = nslab_plan_json(r->plan);
	if (!json)
		return -ENOMEM;
	json_dumpf(json, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(json);
	return 0;
}

/* What a user must know of how the run ended, below the table. */
static void run_ending(const struct run_state *r)
{
	if (r->result.is_noisy)
		fprintf(stderr,
			"host too noisy: %zu blocks were run again and that is all a run may have; "
			"the trials so far are kept. Close what else is running, or say "
			"invalidate=off to keep disturbed trials\n",
			r->result.nr_reruns);
	if (r->result.is_interrupted)
		fprintf(stderr, "go on with: numaslab run --resume %s\n", r->result.folder);
}

/* A run that is whole is shown again, whatever has changed since. */
static bool is_whole(const struct run_state *r)
{
	return r->arguments->resume && !strcmp(r->earlier.status, "done");
}

static int run_finished(struct run_state *r)
{
	snprintf(r->result.folder, sizeof(r->result.folder), "%s", r->arguments->resume);
	fprintf(stderr, "'%s' is complete: nothing is left to run\n", r->arguments->resume);
	return run_report(r);
}

static int run_all(struct run_state *r)
{
	int rc = r->arguments->resume ? run_earlier(r) : 0;

	if (!rc && is_whole(r))
		return run_finished(r);
	if (!rc)
		rc = run_plan(r);
	if (!rc && r->arguments->is_dry)
		return run_dry(r);
	if (!rc)
		rc = nslab_host_gate_pass(&r->gate, r->plan, &r->err);
	if (!rc)
		rc = run_trials(r);
	if (!rc)
		rc = run_report(r);
	if (!rc)
		run_ending(r);
	return rc;
}

/* PLAN is the first operand without '='; the others are overrides. */
static int take_operands(struct run_arguments *a, int nr, char **argv)
{
	int nr_overrides = 0;

	a->plan = "quick";
	a->overrides = calloc((size_t)nr + 2, sizeof(*a->overrides));
	if (!a->overrides)
		return -ENOMEM;
	for (int i = 1; i <= nr; i++) {
		if (strchr(argv[i], '='))
			a->overrides[nr_overrides++] = argv[i];
		else if (i == 1)
			a->plan = argv[i];
		else
			return -EINVAL;
	}
	if (a->is_simulated)
		a->overrides[nr_overrides] = "counters=simulated";
	return 0;
}

static void keep_argv(struct run_arguments *a, int argc, char **argv)
{
	size_t len = 0;

	for (int i = 0; i < argc && len < sizeof(a->argv_text); i++)
		len += (size_t)snprintf(a->argv_text + len, sizeof(a->argv_text) - len, "%s%s",
					i ? " " : "numaslab ", argv[i]);
}

static int run_command(int argc, char **argv)
{
	struct run_arguments a = {0};
	struct run_state r = {.arguments = &a};
	const struct nslab_option rows[] = {
		{"output", 'o', NSLAB_OPTION_TEXT, &a.output, "DIR", "folder of this run's files"},
		{"resume", 0, NSLAB_OPTION_TEXT, &a.resume, "RUN",
		 "go on with a run that was killed or ended early"},
		{"dry-run", 'n', NSLAB_OPTION_FLAG, &a.is_dry, NULL, "print the plan and stop"},
		{"json", 0, NSLAB_OPTION_FLAG, &a.is_json, NULL, "with --dry-run: plan.json"},
		{"plugin", 0, NSLAB_OPTION_LIST, a.plugins, "FILE", "load a plug-in"},
		{"sim-nodes", 0, NSLAB_OPTION_INT, &a.sim_nodes, "N", "N simulated nodes"},
		{"ignore", 0, NSLAB_OPTION_LIST, a.ignore, "RULE",
		 "do not refuse, or warn, for this rule (see env check)"},
		{"sysroot", 0, NSLAB_OPTION_TEXT, &a.sysroot, "DIR",
		 "read the host's settings below DIR"},
		{"no-plots", 0, NSLAB_OPTION_FLAG, &a.has_no_plots, NULL, "draw nothing"},
		{"slabinfo", 0, NSLAB_OPTION_FLAG, &a.has_slabinfo, NULL,
		 "print each cell's caches and free blocks as /proc/slabinfo and buddyinfo do"},
		{"simulate-counters", 0, NSLAB_OPTION_FLAG, &a.is_simulated, NULL,
		 "as counters=simulated: misses of simulated caches, once a cell (needs valgrind)"},
		{"quiet", 'q', NSLAB_OPTION_FLAG, &a.is_quiet, NULL, "no progress, no notes"},
		{"verbose", 'v', NSLAB_OPTION_FLAG, &a.is_verbose, NULL,
		 "a line for each trial: its figure, or why it has none"},
		{.name = NULL},
	};
	int nr_operands;
	int rc;

	keep_argv(&a, argc, argv);
	rc = nslab_options_parse(&nslab_command_run, rows, argc, argv, &nr_operands);
	if (rc >= 0)
		return rc;
	rc = take_operands(&a, nr_operands, argv);
	if (rc == -EINVAL)
		nslab_fail(&r.err, rc, "one plan at a time; overrides look like key=value");
	if (!rc && a.resume && (nr_operands || a.output || a.plugins[0] || a.sim_nodes))
		rc = nslab_fail(&r.err, -EINVAL,
				"--resume takes plan, overrides and plug-ins from the run itself");
	r.gate.ignore = a.ignore;
	r.gate.sysroot = a.sysroot;
	r.gate.is_quiet = a.is_quiet;
	if (!rc)
		rc = run_all(&r);
	nslab_plan_free(r.plan);
	nslab_run_file_close(&r.earlier);
	nslab_registry_destroy(r.registry);
	nslab_topo_free(r.topo);
	free(a.overrides);
	json_decref(r.earlier_plan);
	if (rc)
		return nslab_complain(&r.err, rc);
	if (r.result.is_noisy)
		return NSLAB_EXIT_NOISY;
	return r.result.nr_failed ? NSLAB_EXIT_FAILED : NSLAB_EXIT_DONE;
}
