/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_help.c: `help NAME` describes a command, an allocator, a workload, a page allocator or a
 * group of counters.
 *
 * Everything is printed from the thing's own table, so that help cannot disagree with what is
 * accepted. A name may belong to several kinds; all of them are shown.
 */
#include "cli/command.h"
#include "cli/help_pages.h"
#include "core/param.h"
#include "results/text.h"
#include "runner/counters/group.h"
#include "runner/plan.h"
#include "runner/world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HELP_COLUMNS 80
#define HELP_INDENT  20

static int help_command(int argc, char **argv);

const struct nslab_command nslab_command_help = {
	.name = "help",
	.summary = "describe a command, a plug-in, or the keys of a plan",
	.usage = "[TOPIC|keys]",
	.run = help_command,
};

static void print_param(const struct nslab_param *row)
{
	char accepted[256], text[1024];

	nslab_param_accepts(row, accepted, sizeof(accepted));
	snprintf(text, sizeof(text), "%s (%s; %s)", row->help, *row->def ? row->def : "empty",
		 accepted);
	nslab_text_fold(stdout, row->name, text, HELP_INDENT, HELP_COLUMNS);
}

static void print_params(const struct nslab_param *rows)
{
	if (rows && rows->name)
		puts("\nparameters (default; accepted values)");
	for (; rows && rows->name; rows++)
		print_param(rows);
}

static void print_line(const char *label, const char *text)
{
	if (text)
		nslab_text_fold(stdout, label, text, HELP_INDENT, HELP_COLUMNS);
}

/* Which entries, how many workers, what an allocator must have. */
static void print_needs(const struct nslab_workload_ops *ops)
{
	char text[256] = "";
	size_t len = 0;

	for (int i = 0; i < NSLAB_NR_ENTRIES; i++) {
		if (ops->batch[i] && i != NSLAB_ENTRY_NONE)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						len ? ", " : "",
						nslab_entry_word((enum nslab_entry)i));
	}
	print_line("entries", text);
	len = (size_t)snprintf(text, sizeof(text), "at least %d thread%s", ops->min_workers,
			       ops->min_workers == 1 ? "" : "s");
	if (ops->max_workers)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ", at most %d",
					ops->max_workers);
	if (ops->worker_group > 1)
		len += (size_t)snprintf(text + len, sizeof(text) - len, ", a multiple of %d",
					ops->worker_group);
	if (ops->needs & NSLAB_CAP_REMOTE_FREE)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"; frees on other CPUs than the object was made on");
	if (ops->needs & NSLAB_CAP_NODE)
		snprintf(text + len, sizeof(text) - len, "; an allocator that honours nodes");
	print_line("needs", text);
}

static void print_record(const struct nslab_entry_record *record)
{
	const struct nslab_event *events = NULL;
	const char *models;
	const struct nslab_param *params = nslab_help_params(record, &models);

	if (record->kind == NSLAB_PLUGIN_COUNTER)
		events = record->ops.counter->events;
	printf("%s (%s, %s)\n", record->name, nslab_kind_word(record->kind), record->origin);
	print_line("what", record->summary);
	print_line("models", models);
	if (record->kind == NSLAB_PLUGIN_WORKLOAD) {
		print_line("catches", record->ops.workload->catches);
		print_needs(record->ops.workload);
	}
	print_params(params);
	for (; events && events->name; events++)
		printf("  %-18s %s\n", events->name, events->help);
}

static void print_group(const struct nslab_group *group)
{
	printf("%s (group of counters)\n  %s\n\n  %-14s %s\n", group->name, group->summary, "event",
	       "encoding");
	for (int i = 0; i < group->nr_events; i++) {
		const struct nslab_group_event *event = &group->events[i];

		printf("  %-14s %s\n", event->alias, event->names[0]);
		if (event->names[1])
			printf("  %-14s or %s\n", "", event->names[1]);
	}
	printf("\n  %-22s %-8s %s\n", "metric", "unit", "formula");
	for (int i = 0; i < group->nr_metrics; i++)
		printf("  %-22s %-8s %s\n", group->metrics[i].name, group->metrics[i].unit,
		       group->metrics[i].formula);
	putchar('\n');
	for (int i = 0; i < group->nr_notes; i++)
		nslab_text_fold(stdout, "  -", group->notes[i], 4, 78);
}

static bool help_group(const char *name)
{
	struct nslab_groups groups;
	struct nslab_err err = {""};
	const struct nslab_group *group;

	if (nslab_groups_load(&groups, &err)) {
		nslab_complain(&err, -EINVAL);
		return false;
	}
	group = nslab_groups_find(&groups, name);
	if (group)
		print_group(group);
	nslab_groups_free(&groups);
	return group != NULL;
}

static void help_key(void *context, const struct nslab_param *row)
{
	(void)context;
	print_param(row);
}

static void help_keys(void)
{
	puts("keys of a plan (default; accepted values); parameters of a plug-in are PLUGIN.KEY");
	nslab_plan_each_key(help_key, NULL);
}

/* ---- names that are nowhere ---- */

#define HELP_NAMES 256

static int help_nothing(const char *name, const struct nslab_registry *registry)
{
	const char *names[HELP_NAMES] = {"keys"};
	const struct nslab_entry_record *record;
	const char *guess;
	size_t nr = 1;

	for (size_t i = 0; nslab_commands[i] && nr < HELP_NAMES; i++) {
		if (!nslab_commands[i]->is_hidden)
			names[nr++] = nslab_commands[i]->name;
	}
	for (int kind = 0; kind < NSLAB_NR_PLUGIN_KINDS; kind++) {
		for (size_t i = 0; nr < HELP_NAMES; i++) {
			record = nslab_registry_at(registry, (enum nslab_plugin_kind)kind, i);
			if (!record)
				break;
			names[nr++] = record->name;
		}
	}
	guess = nslab_nearest(name, names, nr);
	fprintf(stderr,
		"numaslab: nothing is called '%s'%s%s%s; `numaslab list` and `numaslab --help` "
		"tell what there is\n",
		name, guess ? ", did you mean '" : "", guess ? guess : "", guess ? "'" : "");
	return NSLAB_EXIT_USAGE;
}

/* A command may have the name of a plug-in, as `list` has: then both are told. */
static int help_record(const char *name, const struct nslab_registry *registry, bool is_command)
{
	bool is_found = is_command;

	for (int kind = 0; kind < NSLAB_NR_PLUGIN_KINDS; kind++) {
		const struct nslab_entry_record *record =
			nslab_registry_find(registry, (enum nslab_plugin_kind)kind, name);

		if (record) {
			if (is_found)
				putchar('\n');
			print_record(record);
			is_found = true;
		}
	}
	return is_found || help_group(name) ? NSLAB_EXIT_DONE : help_nothing(name, registry);
}

static int help_topic(char *name, const struct nslab_registry *registry)
{
	bool is_found = !strcmp(name, "keys");

	if (is_found)
		help_keys();
	for (size_t i = 0; nslab_commands[i]; i++) {
		char help[] = "--help";
		char *args[] = {name, help, NULL};

		if (!strcmp(nslab_commands[i]->name, name)) {
			nslab_commands[i]->run(2, args);
			is_found = true;
		}
	}
	return help_record(name, registry, is_found);
}

static void help_commands(void)
{
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (!nslab_commands[i]->is_hidden)
			printf("%-10s %s\n", nslab_commands[i]->name, nslab_commands[i]->summary);
	}
}

static int help_command(int argc, char **argv)
{
	const char *plugins[NSLAB_OPTION_LIST_MAX] = {NULL};
	const char *man = NULL, *shell = NULL;
	bool is_reference = false;
	const struct nslab_option rows[] = {
		{"man", 0, NSLAB_OPTION_TEXT, &man, "PAGE",
		 "print a manual page: numaslab, keys, allocators, workloads, pages, a command"},
		{"completion", 0, NSLAB_OPTION_TEXT, &shell, "bash|zsh|fish",
		 "print the completion of a shell"},
		{"reference", 0, NSLAB_OPTION_FLAG, &is_reference, NULL,
		 "print all of this help as one page of Markdown"},
		{"plugin", 0, NSLAB_OPTION_LIST, plugins, "FILE", "load a plug-in"},
		{.name = NULL},
	};
	struct nslab_registry *registry = NULL;
	struct nslab_err err = {""};
	int nr_operands, rc;
	int status = nslab_options_parse(&nslab_command_help, rows, argc, argv, &nr_operands);

	if (status >= 0)
		return status;
	rc = nslab_registry_open(plugins, &registry, &err);
	if (!rc && man)
		rc = nslab_help_man(man, registry, &err);
	else if (!rc && shell)
		rc = nslab_help_completion(shell, registry, &err);
	else if (!rc && is_reference)
		nslab_help_reference(registry);
	else if (!rc && !nr_operands)
		help_commands();
	else if (!rc)
		status = help_topic(argv[1], registry);
	nslab_registry_destroy(registry);
	if (rc)
		return nslab_complain(&err, rc);
	return status > 0 ? status : NSLAB_EXIT_DONE;
}
