/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_help.c: `help NAME` describes a command, an allocator, a workload, a page allocator or a
 * group of counters.
 *
 * Everything is printed from the thing's own table, so that help cannot disagree with what is
 * accepted. A name may belong to several kinds; all of them are shown.
 */
#include "cli/command.h"
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
	.summary = "describe a command, an allocator or a workload",
	.usage = "[NAME]",
	.run = help_command,
};

static void print_params(const struct nslab_param *rows)
{
	char accepted[256], text[1024];

	if (rows && rows->name)
		puts("\nparameters (default; accepted values)");
	for (; rows && rows->name; rows++) {
		nslab_param_accepts(rows, accepted, sizeof(accepted));
		snprintf(text, sizeof(text), "%s (%s; %s)", rows->help,
			 *rows->def ? rows->def : "empty", accepted);
		nslab_text_fold(stdout, rows->name, text, HELP_INDENT, HELP_COLUMNS);
	}
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
	const struct nslab_param *params = NULL;
	const struct nslab_event *events = NULL;
	const char *models = NULL;

	switch (record->kind) {
	case NSLAB_PLUGIN_ALLOCATOR:
		params = record->ops.allocator->params;
		models = record->ops.allocator->models;
		break;
	case NSLAB_PLUGIN_WORKLOAD:
		params = record->ops.workload->params;
		models = record->ops.workload->models;
		break;
	case NSLAB_PLUGIN_PAGE:
		params = record->ops.page->params;
		models = record->ops.page->models;
		break;
	case NSLAB_PLUGIN_COUNTER:
		events = record->ops.counter->events;
		break;
	default:
		break;
	}
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

/* A command may have the name of a plug-in, as `list` has: then both are told. */
static int help_record(const char *name, const char *const *plugins, bool is_command)
{
	struct nslab_registry *registry = NULL;
	struct nslab_err err = {""};
	bool is_found = is_command;
	int rc = nslab_registry_open(plugins, &registry, &err);

	if (rc)
		return nslab_complain(&err, rc);
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
	nslab_registry_destroy(registry);
	if (is_found || help_group(name))
		return NSLAB_EXIT_DONE;
	fprintf(stderr,
		"numaslab: nothing is called '%s'; `numaslab list` and `numaslab --help` tell what "
		"there is\n",
		name);
	return NSLAB_EXIT_USAGE;
}

static int help_command(int argc, char **argv)
{
	const char *plugins[NSLAB_OPTION_LIST_MAX] = {NULL};
	const struct nslab_option rows[] = {
		{"plugin", 0, NSLAB_OPTION_LIST, plugins, "FILE", "load a plug-in"},
		{.name = NULL},
	};
	bool is_command = false;
	int nr_operands;
	int rc = nslab_options_parse(&nslab_command_help, rows, argc, argv, &nr_operands);

	if (rc >= 0)
		return rc;
	if (!nr_operands) {
		for (size_t i = 0; nslab_commands[i]; i++) {
			if (!nslab_commands[i]->is_hidden)
				printf("%-10s %s\n", nslab_commands[i]->name,
				       nslab_commands[i]->summary);
		}
		return NSLAB_EXIT_DONE;
	}
	for (size_t i = 0; nslab_commands[i]; i++) {
		char help[] = "--help";
		char *args[] = {argv[1], help, NULL};

		if (!strcmp(nslab_commands[i]->name, argv[1])) {
			nslab_commands[i]->run(2, args);
			is_command = true;
		}
	}
	return help_record(argv[1], plugins, is_command);
}
