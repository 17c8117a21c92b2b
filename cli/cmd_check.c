/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_check.c: holds allocators against the conformance suite, one line for each check.
 *
 * Every check runs in a child process that sends its verdict through a pipe. A child that ends
 * without one has crashed, and one that does not end in time has hung; both are failures of that
 * check and the next one goes on. Without names all built-in allocators are checked, and with
 * --plugin those of the given files. Peers whose library must be preloaded are skipped, since this
 * process would call another malloc in their name.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "runner/conformance.h"
#include "runner/world.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_SEED	    1
#define CHECK_TIME_LIMIT_MS 180000

static int check_command(int argc, char **argv);

const struct nslab_command nslab_command_check = {
	.name = "check",
	.summary = "hold allocators and plug-ins against the conformance suite",
	.usage = "[ALLOCATOR...]",
	.run = check_command,
};

struct check_run {
	struct nslab_registry *registry;
	const struct nslab_page_ops *page;
	const char *plugins[NSLAB_OPTION_LIST_MAX];
	const char *only; /* name of one check, or NULL */
	bool is_json, is_debug;
	json_t *rows;
	unsigned nr[3]; /* by verdict */
};

/* ---- one check in a child ---- */

static void set_failure(struct nslab_conformance_result *result, const char *what,
			const char *detail, const char *check)
{
	result->verdict = NSLAB_VERDICT_FAIL;
	snprintf(result->text, sizeof(result->text), "%s: %s in check '%s'", what, detail, check);
}

/* Why the child ended without a verdict. */
static void tell_end(int status, const char *check, struct nslab_conformance_result *result)
{
	char detail[64];

	if (WIFSIGNALED(status) && sigabbrev_np(WTERMSIG(status)))
		snprintf(detail, sizeof(detail), "SIG%s", sigabbrev_np(WTERMSIG(status)));
	else if (WIFSIGNALED(status))
		snprintf(detail, sizeof(detail), "signal %d", WTERMSIG(status));
	else
		snprintf(detail, sizeof(detail), "exit status %d", WEXITSTATUS(status));
	set_failure(result, "crash", detail, check);
}

/* True when a whole verdict came through the pipe. */
static bool read_verdict(int fd, pid_t child, const char *check,
			 struct nslab_conformance_result *result)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	int rc = poll(&poll_fd, 1, CHECK_TIME_LIMIT_MS);

	if (rc > 0)
		return read(fd, result, sizeof(*result)) == (ssize_t)sizeof(*result);
	if (rc == 0) {
		kill(child, SIGKILL);
		set_failure(result, "hang", "no end within 180 s", check);
		return true;
	}
	return false;
}

static void run_in_child(const struct nslab_conformance_target *target, size_t number,
			 struct nslab_conformance_result *result)
{
	const char *name = nslab_conformance_at(number).name;
	int fds[2], status = 0;
	pid_t child;

	fflush(stdout);
	if (pipe(fds)) {
		set_failure(result, "no pipe", strerror(errno), name);
		return;
	}
	child = fork();
	if (child == 0) {
		ssize_t written;

		nslab_conformance_run(target, number, result);
		written = write(fds[1], result, sizeof(*result));
		_exit(written == (ssize_t)sizeof(*result) ? 0 : 1);
	}
	close(fds[1]);
	if (child < 0) {
		set_failure(result, "no process", strerror(errno), name);
	} else {
		bool is_told = read_verdict(fds[0], child, name, result);

		waitpid(child, &status, 0);
		if (!is_told)
			tell_end(status, name, result);
	}
	close(fds[0]);
}

/* ---- lines ---- */

static void tell(struct check_run *run, const char *allocator, const char *check,
		 const char *summary, const struct nslab_conformance_result *result)
{
	const char *word = nslab_check_verdict_word(result->verdict);

	run->nr[result->verdict]++;
	if (run->is_json)
		json_array_append_new(run->rows,
				      json_pack("{s:s, s:s, s:s, s:s, s:s}", "allocator", allocator,
						"check", check, "summary", summary, "verdict", word,
						"text", result->text));
	else
		printf("%-12s %-4s  %-14s %s\n", allocator, word, check,
		       result->text[0] ? result->text : summary);
}

static void check_one(struct check_run *run, const struct nslab_allocator_ops *ops)
{
	const struct nslab_conformance_target target = {
		.allocator = ops,
		.page = run->page,
		.seed = CHECK_SEED,
		.is_debug = run->is_debug,
	};
	const struct nslab_conformance_result peer = {
		.verdict = NSLAB_VERDICT_SKIP,
		.text = "a peer: its library is only loaded into trial processes",
	};

	if (ops->preload) {
		tell(run, ops->name, "all", "every check", &peer);
		return;
	}
	for (size_t i = 0; nslab_conformance_at(i).name; i++) {
		const struct nslab_conformance_check check = nslab_conformance_at(i);
		struct nslab_conformance_result result;

		if (run->only && strcmp(run->only, check.name) != 0)
			continue;
		memset(&result, 0, sizeof(result));
		run_in_child(&target, i, &result);
		tell(run, ops->name, check.name, check.summary, &result);
	}
}

/* ---- which allocators ---- */

static bool is_chosen(const struct check_run *run, const struct nslab_entry_record *record)
{
	if (!run->plugins[0])
		return !strcmp(record->origin, "built-in");
	for (size_t i = 0; run->plugins[i]; i++) {
		if (!strcmp(record->origin, run->plugins[i]))
			return true;
	}
	return false;
}

static int check_all(struct check_run *run, struct nslab_err *err)
{
	const struct nslab_entry_record *record;
	size_t nr_chosen = 0;

	for (size_t i = 0; (record = nslab_registry_at(run->registry, NSLAB_PLUGIN_ALLOCATOR, i));
	     i++) {
		if (!is_chosen(run, record))
			continue;
		nr_chosen++;
		check_one(run, record->ops.allocator);
	}
	if (nr_chosen)
		return 0;
	return nslab_fail(err, -EINVAL, "no allocator to check in '%s'",
			  run->plugins[0] ? run->plugins[0] : "this build");
}

static int check_named(struct check_run *run, char **names, int nr, struct nslab_err *err)
{
	const struct nslab_entry_record *record;

	for (int i = 0; i < nr; i++) {
		int rc = nslab_registry_get(run->registry, NSLAB_PLUGIN_ALLOCATOR, names[i],
					    &record, err);

		if (rc)
			return rc;
	}
	for (int i = 0; i < nr; i++) {
		record = nslab_registry_find(run->registry, NSLAB_PLUGIN_ALLOCATOR, names[i]);
		check_one(run, record->ops.allocator);
	}
	return 0;
}

static int find_check(const char *name, struct nslab_err *err)
{
	const char *names[64];
	const char *guess;
	size_t nr = 0;

	for (; nr < 64 && nslab_conformance_at(nr).name; nr++) {
		names[nr] = nslab_conformance_at(nr).name;
		if (!strcmp(names[nr], name))
			return 0;
	}
	guess = nslab_nearest(name, names, nr);
	return nslab_fail(err, -EINVAL, "unknown check '%s'%s%s%s", name,
			  guess ? ", did you mean '" : "", guess ? guess : "", guess ? "'" : "");
}

static int open_run(struct check_run *run, struct nslab_err *err)
{
	const struct nslab_entry_record *page;
	int rc = run->only ? find_check(run->only, err) : 0;

	if (!rc)
		rc = nslab_registry_open(run->plugins, &run->registry, err);
	if (!rc)
		rc = nslab_registry_get(run->registry, NSLAB_PLUGIN_PAGE, "buddy", &page, err);
	if (!rc)
		run->page = page->ops.page;
	return rc;
}

/* What is printed last, and the exit status. */
static int conclude(struct check_run *run)
{
	unsigned nr_pass = run->nr[NSLAB_VERDICT_PASS], nr_fail = run->nr[NSLAB_VERDICT_FAIL];

	if (run->is_json) {
		json_dumpf(run->rows, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
		putchar('\n');
	}
	fflush(stdout); /* where both go to one place, the rows come first */
	fprintf(stderr, "%u passed, %u failed, %u skipped\n", nr_pass, nr_fail,
		run->nr[NSLAB_VERDICT_SKIP]);
	if (nr_fail)
		return NSLAB_EXIT_FAILED;
	return nr_pass ? NSLAB_EXIT_DONE : NSLAB_EXIT_SKIPPED;
}

static int check_command(int argc, char **argv)
{
	struct check_run run = {.registry = NULL};
	const struct nslab_option rows[] = {
		{"plugin", 'p', NSLAB_OPTION_LIST, run.plugins, "FILE",
		 "load this shared object; without names its allocators are checked"},
		{"check", 'c', NSLAB_OPTION_TEXT, &run.only, "NAME", "run this check only"},
		{"debug", 0, NSLAB_OPTION_FLAG, &run.is_debug, NULL,
		 "through the debug layer, which must find nothing"},
		{"json", 0, NSLAB_OPTION_FLAG, &run.is_json, NULL, "print a JSON array"},
		{NULL, 0, NSLAB_OPTION_FLAG, NULL, NULL, NULL},
	};
	struct nslab_err err = {""};
	int nr_names, status, rc;

	status = nslab_options_parse(&nslab_command_check, rows, argc, argv, &nr_names);
	if (status >= 0)
		return status;
	run.rows = json_array();
	rc = open_run(&run, &err);
	if (!rc)
		rc = nr_names ? check_named(&run, argv + 1, nr_names, &err) : check_all(&run, &err);
	status = rc ? nslab_complain(&err, rc) : conclude(&run);
	nslab_registry_destroy(run.registry);
	json_decref(run.rows);
	return status;
}
