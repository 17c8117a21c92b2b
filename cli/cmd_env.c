/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_env.c: `numaslab env`: the settings of a host that move figures: shown, checked, changed for
 * measuring, and restored.
 *
 * Everything is read and written below --sysroot. show prints every probe, check only what is not
 * fine, with the fix; what could not be read stands apart, since it is neither. tune prints what it
 * will write and does so only when it is told to (--yes, or a word at the terminal). Statuses:
 * check ends with 1 when something is wrong; tune and reset with 1 when a write failed.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "results/text.h"
#include "runner/host/probes.h"
#include "runner/host/tune.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ENV_COLUMNS   80
#define ENV_VALUE_MAX 240 /* longer values are cut in tables, never in JSON */

static int env_command(int argc, char **argv);

extern const struct nslab_command nslab_command_env;

const struct nslab_command nslab_command_env = {
	.name = "env",
	.summary = "show, check, tune and reset the settings of this host that move figures",
	.usage = "show|check|tune|reset",
	.run = env_command,
};

struct env_options {
	const char *sysroot, *undo, *smt;
	long latency_most_us, perf;
	bool is_json, is_yes;
	struct nslab_host_root root;
	char undo_path[PATH_MAX];
};

/* ---- show and check ---- */

/* A value as one line; long ones as their number of lines. */
static void env_value(const struct nslab_host_finding *finding, char *text, size_t bytes)
{
	const char *value = finding->value ? finding->value : "";
	size_t nr_lines = 1, len;

	for (const char *at = value; *at; at++)
		nr_lines += *at == '\n';
	if (finding->probe->is_long && finding->value) {
		snprintf(text, bytes, "%zu line%s, see --json", nr_lines, nr_lines == 1 ? "" : "s");
		return;
	}
	snprintf(text, bytes, "%s", value);
	len = strlen(value);
	if (len > ENV_VALUE_MAX)
		snprintf(text + ENV_VALUE_MAX - 3, 4, "...");
	for (char *at = text; *at; at++)
		*at = *at == '\n' ? ';' : *at;
}

static void env_print(const struct nslab_host_finding *finding, bool has_fix)
{
	char label[64], value[ENV_VALUE_MAX + 64];

	snprintf(label, sizeof(label), "%-8s%s%s", nslab_host_state_word(finding->state),
		 finding->probe->name, finding->value ? "  " : "");
	env_value(finding, value, sizeof(value));
	nslab_text_fold(stdout, label, finding->value ? value : finding->why,
			finding->value ? 29 : 13, ENV_COLUMNS);
	if (!finding->value || !*finding->why)
		return;
	nslab_text_fold(stdout, "        why:", finding->why, 13, ENV_COLUMNS);
	if (has_fix && finding->probe->fix)
		nslab_text_fold(stdout, "        fix:", finding->probe->fix, 13, ENV_COLUMNS);
}

static void env_show(const struct nslab_host_report *report)
{
	for (size_t i = 0; i < report->nr; i++)
		env_print(&report->findings[i], false);
	for (int state = 0; state < NSLAB_HOST_NR_STATES; state++)
		printf("%s%zu %s", state ? ", " : "",
		       nslab_host_report_count(report, (enum nslab_host_state)state),
		       nslab_host_state_word((enum nslab_host_state)state));
	putchar('\n');
}

static bool env_is_wrong(const struct nslab_host_finding *finding)
{
	return finding->state == NSLAB_HOST_WARN || finding->state == NSLAB_HOST_REFUSE;
}

static void env_check(const struct nslab_host_report *report)
{
	size_t nr_unknown = nslab_host_report_count(report, NSLAB_HOST_UNKNOWN);

	for (size_t i = 0; i < report->nr; i++) {
		if (env_is_wrong(&report->findings[i]))
			env_print(&report->findings[i], true);
	}
	printf("%zu refuse, %zu warn, %zu ok, %zu unknown\n",
	       nslab_host_report_count(report, NSLAB_HOST_REFUSE),
	       nslab_host_report_count(report, NSLAB_HOST_WARN),
	       nslab_host_report_count(report, NSLAB_HOST_OK), nr_unknown);
	if (nr_unknown)
		printf("\nnot to be read here, so neither fine nor wrong:\n");
	for (size_t i = 0; i < report->nr; i++) {
		if (report->findings[i].state == NSLAB_HOST_UNKNOWN)
			env_print(&report->findings[i], false);
	}
}

/* All probes, or (check) only those that are not fine; both with fixes. */
static int env_print_json(const struct env_options *o, const struct nslab_host_report *report,
			  bool is_check, struct nslab_err *err)
{
	json_t *probes = nslab_host_report_json(report);
	json_t *json = json_object();
	int rc = -ENOMEM;

	for (size_t i = 0; probes && i < report->nr; i++) {
		const struct nslab_host_finding *finding = &report->findings[i];
		const char *name = finding->probe->name;

		if (is_check && finding->state <= NSLAB_HOST_RECORD)
			json_object_del(probes, name);
		else if (env_is_wrong(finding) && finding->probe->fix)
			json_object_set_new(json_object_get(probes, name), "fix",
					    json_string(finding->probe->fix));
	}
	if (!json || !probes)
		goto out_free;
	json_object_set_new(json, "root", json_string(o->root.path));
	for (int state = 0; state < NSLAB_HOST_NR_STATES; state++) {
		size_t nr = nslab_host_report_count(report, (enum nslab_host_state)state);

		json_object_set_new(json, nslab_host_state_word((enum nslab_host_state)state),
				    json_integer((json_int_t)nr));
	}
	json_object_set(json, "probes", probes);
	rc = json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) ? -EIO : 0;
	putchar('\n');
out_free:
	json_decref(json);
	json_decref(probes);
	return rc ? nslab_fail(err, rc, "cannot print JSON: %s", strerror(-rc)) : 0;
}

static int env_report(const struct env_options *o, bool is_check, struct nslab_err *err)
{
	struct nslab_host_report report;
	int rc = nslab_host_report_read(&o->root, &report);
	bool is_wrong;

	if (rc)
		nslab_fail(err, rc, "cannot read the host's settings: %s", strerror(-rc));
	else if (o->is_json)
		rc = env_print_json(o, &report, is_check, err);
	else if (is_check)
		env_check(&report);
	else
		env_show(&report);
	is_wrong = nslab_host_report_count(&report, NSLAB_HOST_WARN) ||
		   nslab_host_report_count(&report, NSLAB_HOST_REFUSE);
	nslab_host_report_free(&report);
	return rc ? rc : is_check && is_wrong;
}

static int env_show_command(struct env_options *o, struct nslab_err *err)
{
	return env_report(o, false, err);
}

static int env_check_command(struct env_options *o, struct nslab_err *err)
{
	return env_report(o, true, err);
}

/* ---- tune and reset ---- */

static int env_tuning(const struct env_options *o, struct nslab_host_tuning *tuning,
		      struct nslab_err *err)
{
	*tuning = (struct nslab_host_tuning){
		.is_smt_off = o->smt,
		.latency_most_us = o->latency_most_us,
		.perf_event_paranoid = o->perf,
	};
	if (o->smt && strcmp(o->smt, "off"))
		return nslab_fail(err, -EINVAL, "option '--smt' takes off, not '%s'", o->smt);
	if (o->latency_most_us != NSLAB_HOST_LEAVE && o->latency_most_us < 0)
		return nslab_fail(err, -EINVAL, "option '--max-latency' takes 0 or more, not %ld",
				  o->latency_most_us);
	if (o->perf != NSLAB_HOST_LEAVE && (o->perf < -1 || o->perf > 4))
		return nslab_fail(err, -EINVAL, "option '--perf' takes -1..4, not %ld", o->perf);
	return 0;
}

static int env_confirm(const struct env_options *o, struct nslab_err *err)
{
	char answer[16];

	if (o->is_yes)
		return 0;
	if (!isatty(STDIN_FILENO))
		return nslab_fail(err, -EINVAL, "nothing is changed: give --yes to write these");
	fprintf(stderr, "write these, with the undo file '%s'? [y/N] ", o->undo_path);
	if (fgets(answer, sizeof(answer), stdin) && (*answer == 'y' || *answer == 'Y'))
		return 0;
	return nslab_fail(err, -ECANCELED, "nothing is changed");
}

static void env_print_changes(const struct nslab_host_changes *changes)
{
	for (size_t i = 0; i < changes->nr; i++) {
		const struct nslab_host_change *change = &changes->changes[i];

		printf("%s: %s -> %s\n", change->path, change->old_word, change->new_word);
	}
	fflush(stdout);
}

/* Bad input stays what it is; a file that cannot be written is a failure: 1. */
static int env_failed(int rc, const struct nslab_err *err)
{
	if (rc >= 0 || rc == -EINVAL)
		return rc;
	nslab_complain(err, rc);
	return NSLAB_EXIT_FAILED;
}

static int env_tune_command(struct env_options *o, struct nslab_err *err)
{
	struct nslab_host_tuning tuning;
	struct nslab_host_changes changes = {0};
	int rc = env_tuning(o, &tuning, err);

	if (!rc)
		rc = nslab_host_tune_plan(&o->root, &tuning, &changes, err);
	if (!rc && !changes.nr)
		printf("nothing to change\n");
	if (rc || !changes.nr)
		goto out_free;
	env_print_changes(&changes);
	rc = env_confirm(o, err);
	if (rc)
		goto out_free;
	rc = nslab_host_tune_apply(&o->root, o->undo_path, &changes, err);
	if (!rc)
		fprintf(stderr, "%zu files changed; numaslab env reset restores them from '%s'\n",
			changes.nr, o->undo_path);
	rc = env_failed(rc, err);
out_free:
	nslab_host_changes_free(&changes);
	return rc;
}

static int env_reset_command(struct env_options *o, struct nslab_err *err)
{
	size_t nr;
	int rc = nslab_host_tune_reset(&o->root, o->undo_path, &nr, err);

	if (!rc)
		fprintf(stderr, "%zu files restored\n", nr);
	return rc == -ENOENT ? rc : env_failed(rc, err);
}

/* ---- the command ---- */

static const struct env_verb {
	const char *name;
	int (*run)(struct env_options *o, struct nslab_err *err);
	bool has_json, has_undo;
} env_verbs[] = {
	{"show", env_show_command, true, false},
	{"check", env_check_command, true, false},
	{"tune", env_tune_command, false, true},
	{"reset", env_reset_command, false, true},
};

static int env_find(const struct env_options *o, char **operands, int nr,
		    const struct env_verb **verb, struct nslab_err *err)
{
	*verb = NULL;
	for (size_t i = 0; nr && i < sizeof(env_verbs) / sizeof(env_verbs[0]); i++) {
		if (!strcmp(operands[0], env_verbs[i].name))
			*verb = &env_verbs[i];
	}
	if (nr != 1 || !*verb)
		return nslab_fail(err, -EINVAL,
				  "env takes one of show, check, tune, reset%s%.80s%s",
				  nr ? ", not '" : "", nr ? operands[nr - 1] : "", nr ? "'" : "");
	if (o->is_json && !(*verb)->has_json)
		return nslab_fail(err, -EINVAL, "option '--json' is for show and check");
	return 0;
}

static int env_run(struct env_options *o, char **operands, int nr, struct nslab_err *err)
{
	const struct env_verb *verb;
	int rc = env_find(o, operands, nr, &verb, err);

	if (!rc && verb->has_undo && o->undo)
		snprintf(o->undo_path, sizeof(o->undo_path), "%s", o->undo);
	else if (!rc && verb->has_undo)
		rc = nslab_host_undo_path(o->undo_path, sizeof(o->undo_path), err);
	if (!rc)
		rc = nslab_host_root_open(o->sysroot, &o->root, err);
	if (rc)
		return rc;
	rc = verb->run(o, err);
	nslab_host_root_close(&o->root);
	return rc;
}

static int env_command(int argc, char **argv)
{
	struct env_options o = {.latency_most_us = NSLAB_HOST_LEAVE, .perf = NSLAB_HOST_LEAVE};
	const struct nslab_option rows[] = {
		{"sysroot", 0, NSLAB_OPTION_TEXT, &o.sysroot, "DIR",
		 "read and write below DIR instead of /"},
		{"json", 0, NSLAB_OPTION_FLAG, &o.is_json, NULL, "show, check: print JSON"},
		{"yes", 'y', NSLAB_OPTION_FLAG, &o.is_yes, NULL, "tune: do not ask"},
		{"undo", 0, NSLAB_OPTION_TEXT, &o.undo, "FILE",
		 "where tune keeps what was; untold numaslab/env-undo in $XDG_STATE_HOME"},
		{"smt", 0, NSLAB_OPTION_TEXT, &o.smt, "off",
		 "tune: take the second thread of each core offline"},
		{"max-latency", 0, NSLAB_OPTION_INT, &o.latency_most_us, "US",
		 "tune: disable idle states that take longer to leave"},
		{"perf", 0, NSLAB_OPTION_INT, &o.perf, "LEVEL",
		 "tune: set perf_event_paranoid; lower is less protected"},
		{.name = NULL},
	};
	struct nslab_err err = {""};
	int nr_operands, rc;

	rc = nslab_options_parse(&nslab_command_env, rows, argc, argv, &nr_operands);
	if (rc >= 0)
		return rc;
	rc = env_run(&o, argv + 1, nr_operands, &err);
	if (rc >= 0 && fflush(stdout))
		rc = nslab_fail(&err, -errno, "cannot write to stdout: %s", strerror(errno));
	return rc < 0 ? nslab_complain(&err, rc) : rc;
}
