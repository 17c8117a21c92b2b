/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * help_reference.c: docs/reference.md, from the tables that the program itself goes by.
 *
 * It has what the manual pages have, as one page of Markdown: commands with their options, keys of
 * a plan, plug-ins with their parameters, variables, exit statuses. What a user types stands
 * between backquotes; there nothing but the bar of a table needs care, elsewhere angle brackets and
 * stars do as well.
 *
 * Invariant: the same source prints the same bytes on every machine: no version, date or path. Left
 * out: prose, and what depends on the machine, as versions of peers do.
 */
#include "cli/command.h"
#include "cli/help_pages.h"
#include "runner/plan.h"

#include <stdio.h>
#include <string.h>

static void reference_text(const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", stdout);
		else if (*text == '|' || *text == '*')
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void reference_code(const char *before, const char *text)
{
	printf("`%s", before);
	for (; *text; text++) {
		if (*text == '|')
			putchar('\\');
		putchar(*text);
	}
	putchar('`');
}

static void reference_pairs(const char *heading, const char *head, const char *const (*rows)[2])
{
	printf("\n## %s\n\n| %s | means |\n| --- | --- |\n", heading, head);
	for (; (*rows)[0]; rows++) {
		printf("| `%s` | ", (*rows)[0]);
		reference_text((*rows)[1]);
		puts(" |");
	}
}

static void reference_command(void *context, const struct nslab_command *command,
			      const struct nslab_option *rows)
{
	(void)context;
	printf("\n### numaslab %s\n\n    numaslab %s [options]%s%s\n\n", command->name,
	       command->name, *command->usage ? " " : "", command->usage);
	reference_text(command->summary);
	puts("\n\n| option | what |\n| --- | --- |");
	for (; rows->name; rows++) {
		fputs("| ", stdout);
		if (rows->letter)
			printf("`-%c`, ", rows->letter);
		reference_code("--", rows->name);
		if (rows->argument) {
			putchar(' ');
			reference_code("", rows->argument);
		}
		fputs(" | ", stdout);
		reference_text(rows->help);
		puts(" |");
	}
}

/* context: the plug-in that a parameter belongs to, NULL for a key of a plan */
static void reference_row(void *context, const struct nslab_param *row)
{
	const char *plugin = context;
	char accepted[1024];

	nslab_param_accepts(row, accepted, sizeof(accepted));
	printf("| `%s%s%s` | ", plugin ? plugin : "", plugin ? "." : "", row->name);
	reference_text(row->help);
	fputs(" | ", stdout);
	if (row->def && *row->def)
		reference_code("", row->def);
	else
		fputs("none", stdout);
	fputs(" | ", stdout);
	reference_text(accepted);
	puts(" |");
}

static void reference_rows_head(const char *first)
{
	printf("\n| %s | what | default | accepts |\n| --- | --- | --- | --- |\n", first);
}

static void reference_record(const struct nslab_entry_record *record)
{
	const char *models;
	const struct nslab_param *rows = nslab_help_params(record, &models);
	char plugin[64];

	printf("\n### %s\n\n", record->name);
	reference_text(record->summary);
	if (models && strcmp(models, "-")) {
		fputs("; models ", stdout);
		reference_text(models);
	}
	putchar('\n');
	if (rows && rows->name)
		reference_rows_head("parameter");
	snprintf(plugin, sizeof(plugin), "%s", record->name);
	for (; rows && rows->name; rows++)
		reference_row(plugin, rows);
}

static void reference_kind(const struct nslab_help_kind *kind,
			   const struct nslab_registry *registry)
{
	const struct nslab_entry_record *record;

	printf("\n## %c%s: %s\n", kind->page[0] - 'a' + 'A', kind->page + 1, kind->title);
	for (size_t i = 0; (record = nslab_registry_at(registry, kind->kind, i)); i++)
		reference_record(record);
}

void nslab_help_reference(const struct nslab_registry *registry)
{
	puts("# Reference\n\n"
	     "Printed by `numaslab help --reference` from the tables of the program itself; the\n"
	     "test `docs.reference` compares. `numaslab help NAME` tells the same of one thing.\n\n"
	     "## Commands\n\nStandard output is data, standard error is talk. Every command has "
	     "`--help`.");
	for (size_t i = 0; nslab_commands[i]; i++) {
		if (!nslab_commands[i]->is_hidden)
			nslab_options_visit(nslab_commands[i], reference_command, NULL);
	}
	puts("\n## Keys of a plan\n\n"
	     "A plan is an INI file: a section `[global]`, then one for each job. A line is\n"
	     "`KEY=VALUE`; `numaslab run PLAN KEY=VALUE` overrides it. A parameter of a plug-in\n"
	     "is written `PLUGIN.KEY`.");
	reference_rows_head("key");
	nslab_plan_each_key(reference_row, NULL);
	for (const struct nslab_help_kind *kind = nslab_help_kinds; kind->page; kind++)
		reference_kind(kind, registry);
	reference_pairs("Variables", "variable", nslab_help_variables);
	reference_pairs("Exit statuses", "status", nslab_help_statuses);
}
