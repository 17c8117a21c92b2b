/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * help_man.c: manual pages from the tables that the program itself goes by.
 *
 * A page holds what --help and `help NAME` print, in the macros of man(7), so a page cannot
 * disagree with what is accepted. Texts go through one function, which keeps a leading dot or quote
 * from being taken for a request and a hyphen for a dash. The pages carry no date: the same source
 * makes the same bytes.
 *
 * Left out: prose. Why and when stand in docs/.
 */
#include "cli/command.h"
#include "cli/help_pages.h"
#include "core/param.h"
#include "runner/plan.h"
#include "runner/provenance.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct nslab_help_kind nslab_help_kinds[] = {
	{"allocators", NSLAB_PLUGIN_ALLOCATOR, "slab allocators that numaslab compares"},
	{"workloads", NSLAB_PLUGIN_WORKLOAD, "patterns of allocation that numaslab measures"},
	{"pages", NSLAB_PLUGIN_PAGE, "page allocators below numaslab's models"},
	{.page = NULL},
};

const char *const nslab_help_variables[][2] = {
	{"NUMASLAB_PLANS", "folder of plans that is looked into first"},
	{"NUMASLAB_GROUPS", "folder of groups of counters that is looked into first"},
	{"NUMASLAB_DATA_DIR", "folder that has the templates of plots and plug-ins"},
	{"NUMASLAB_PLUGIN_PATH", "folders, separated by colons, whose plug-ins are loaded"},
	{"NUMASLAB_RUNS", "folder below which runs are kept; untold ./numaslab-runs"},
	{"NUMASLAB_IGNORE", "rules of `env check`, by name, that neither refuse a run nor warn"},
	{"NO_COLOR", "no colours, whatever it is set to"},
	{NULL, NULL},
};

const char *const nslab_help_statuses[][2] = {
	{"0", "done"},
	{"1", "a case failed, or a comparison is worse"},
	{"2", "wrong usage or bad input"},
	{"3", "the host is too noisy"},
	{"77", "skipped, with the reason on standard error"},
	{NULL, NULL},
};

static void man_text(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\\')
			fputs("\\e", stdout);
		else
			putchar(*text);
	}
}

static void man_line(const char *macro, const char *text)
{
	fputs(macro, stdout);
	man_text(text);
	putchar('\n');
}

/* Upper case, as titles are. */
static void man_begin(const char *name, int section, const char *summary)
{
	fputs(".TH ", stdout);
	for (const char *c = name; *c; c++)
		putchar(toupper((unsigned char)*c));
	printf(" %d \"\" \"numaslab %s\" \"numaslab manual\"\n.SH NAME\n%s ", section,
	       nslab_version(), name);
	man_line("\\- ", summary);
}

static void man_pairs(const char *heading, const char *const (*rows)[2])
{
	printf(".SH %s\n", heading);
	for (; (*rows)[0]; rows++) {
		printf(".TP\n.B %s\n", (*rows)[0]);
		man_line("", (*rows)[1]);
	}
}

/* ---- commands ---- */

static void man_option(const struct nslab_option *row)
{
	fputs(".TP\n", stdout);
	if (row->letter)
		printf("\\fB\\-%c\\fR, ", row->letter);
	fputs("\\fB\\-\\-", stdout);
	man_text(row->name);
	fputs("\\fR", stdout);
	if (row->argument) {
		fputs(" \\fI", stdout);
		man_text(row->argument);
		fputs("\\fR", stdout);
	}
	man_line("\n", row->help);
}

static void man_command(void *context, const struct nslab_command *command,
			const struct nslab_option *rows)
{
	char name[64];

	(void)context;
	snprintf(name, sizeof(name), "numaslab-%s", command->name);
	man_begin(name, 1, command->summary);
	man_line(".SH SYNOPSIS\n.B numaslab ", command->name);
	man_line("[options] ", command->usage);
	puts(".SH OPTIONS");
	for (; rows->name; rows++)
		man_option(rows);
	puts(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nprint the options");
	man_pairs("EXIT STATUS", nslab_help_statuses);
	puts(".SH SEE ALSO\n.BR numaslab (1),\n.BR numaslab-keys (5)");
}

static void man_program(void)
{
	man_begin("numaslab", 1, "compare and tune slab allocators on this machine");
	puts(".SH SYNOPSIS\n.B numaslab\n.I COMMAND\n[options]\n.SH DESCRIPTION\n"
	     "Standard output is data, standard error is talk.\n"
	     ".B numaslab run\nmeasures for a minute and leaves tables and plots.\n"
	     ".SH COMMANDS");
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (nslab_commands[i]->is_hidden)
			continue;
		printf(".TP\n.BR numaslab-%s (1)\n", nslab_commands[i]->name);
		man_line("", nslab_commands[i]->summary);
	}
	man_pairs("ENVIRONMENT", nslab_help_variables);
	man_pairs("EXIT STATUS", nslab_help_statuses);
	puts(".SH SEE ALSO\n.BR numaslab-keys (5),\n.BR numaslab-allocators (7),\n"
	     ".BR numaslab-workloads (7),\n.BR numaslab-pages (7)");
}

/* ---- keys and plug-ins ---- */

static void man_row(void *context, const struct nslab_param *row)
{
	const char *plugin = context;
	char accepted[256];

	nslab_param_accepts(row, accepted, sizeof(accepted));
	fputs(".TP\n.B ", stdout);
	if (plugin)
		printf("%s.", plugin);
	man_line("", row->name);
	man_text(row->help);
	if (row->def && *row->def) {
		fputs("; default ", stdout);
		man_text(row->def);
	}
	man_line("; accepts ", accepted);
}

static void man_keys(void)
{
	man_begin("numaslab-keys", 5, "keys of a numaslab plan");
	puts(".SH DESCRIPTION\nA plan is an INI file: a section [global], then one section for each"
	     "\njob. A line is KEY=VALUE. The same is given to\n.B numaslab run\nto override the"
	     " plan.\nA parameter of one plug-in is written PLUGIN.KEY.\n.SH KEYS");
	nslab_plan_each_key(man_row, NULL);
	puts(".SH SEE ALSO\n.BR numaslab-run (1),\n.BR numaslab-allocators (7),\n"
	     ".BR numaslab-workloads (7)");
}

const struct nslab_param *nslab_help_params(const struct nslab_entry_record *record,
					    const char **models)
{
	*models = NULL;
	switch (record->kind) {
	case NSLAB_PLUGIN_ALLOCATOR:
		*models = record->ops.allocator->models;
		return record->ops.allocator->params;
	case NSLAB_PLUGIN_WORKLOAD:
		*models = record->ops.workload->models;
		return record->ops.workload->params;
	case NSLAB_PLUGIN_PAGE:
		*models = record->ops.page->models;
		return record->ops.page->params;
	default:
		return NULL;
	}
}

static void man_record(const struct nslab_entry_record *record)
{
	const char *models;
	const struct nslab_param *rows = nslab_help_params(record, &models);
	char plugin[64];

	snprintf(plugin, sizeof(plugin), "%s", record->name);
	man_line(".SS ", record->name);
	man_line("", record->summary);
	if (models && strcmp(models, "-"))
		man_line(".PP\nModels: ", models);
	for (; rows && rows->name; rows++)
		man_row(plugin, rows);
}

static void man_kind(const struct nslab_help_kind *kind, const struct nslab_registry *registry)
{
	const struct nslab_entry_record *record;
	char name[64];

	snprintf(name, sizeof(name), "numaslab-%s", kind->page);
	man_begin(name, 7, kind->title);
	puts(".SH DESCRIPTION");
	for (size_t i = 0; (record = nslab_registry_at(registry, kind->kind, i)); i++)
		man_record(record);
	puts(".SH SEE ALSO\n.BR numaslab-list (1),\n.BR numaslab-keys (5)");
}

int nslab_help_man(const char *page, const struct nslab_registry *registry, struct nslab_err *err)
{
	for (const struct nslab_help_kind *kind = nslab_help_kinds; kind->page; kind++) {
		if (!strcmp(page, kind->page)) {
			man_kind(kind, registry);
			return 0;
		}
	}
	if (!strcmp(page, "numaslab") || !strcmp(page, "keys")) {
		strcmp(page, "keys") ? man_program() : man_keys();
		return 0;
	}
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (!strcmp(page, nslab_commands[i]->name)) {
			nslab_options_visit(nslab_commands[i], man_command, NULL);
			return 0;
		}
	}
	return nslab_fail(
		err, -ENOENT,
		"no page '%s'; there are numaslab, keys, allocators, workloads, pages and "
		"each command",
		page);
}
