/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_list.c: what there is: allocators, workloads, page allocators, counter sources.
 *
 * Rows come from the registry in the order of registration, plug-ins last. Peers whose library is
 * not on this machine are listed too, with the reason.
 */
#include "cli/command.h"
#include "results/text.h"
#include "runner/counters/group.h"
#include "runner/peer.h"
#include "runner/world.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_COLUMNS 80
#define LIST_INDENT  17

static int list_command(int argc, char **argv);

const struct nslab_command nslab_command_list = {
	.name = "list",
	.summary = "allocators, workloads, page allocators and counter sources",
	.usage = "[allocators|workloads|pages|counters]",
	.run = list_command,
};

static const struct {
	const char *word;
	enum nslab_plugin_kind kind;
} kinds[] = {
	{"allocators", NSLAB_PLUGIN_ALLOCATOR},
	{"workloads", NSLAB_PLUGIN_WORKLOAD},
	{"pages", NSLAB_PLUGIN_PAGE},
	{"counters", NSLAB_PLUGIN_COUNTER},
};

/* A peer's version, or why it cannot be measured here. */
static void describe_peer(const struct nslab_allocator_ops *peer, char *version, size_t bytes,
			  char *absent, size_t absent_bytes)
{
	char path[4096];

	if (peer->preload && nslab_peer_library(peer->preload, path, sizeof(path)))
		snprintf(absent, absent_bytes, "absent: no %s in the library folders",
			 peer->preload);
	else
		nslab_peer_version(peer->preload ? path : NULL, version, bytes);
}

/* "Linux 6.1 mm/slub.c", a peer's version, or why it cannot be used here. */
static void describe(const struct nslab_entry_record *record, char *models, size_t bytes,
		     char *absent, size_t absent_bytes)
{
	const char *text = NULL;

	models[0] = absent[0] = '\0';
	if (record->kind == NSLAB_PLUGIN_ALLOCATOR)
		text = record->ops.allocator->models;
	else if (record->kind == NSLAB_PLUGIN_WORKLOAD)
		text = record->ops.workload->models;
	else if (record->kind == NSLAB_PLUGIN_PAGE)
		text = record->ops.page->models;
	snprintf(models, bytes, "%s", text ? text : "-");
	if (record->kind == NSLAB_PLUGIN_ALLOCATOR &&
	    record->ops.allocator->caps & NSLAB_CAP_DIRECT)
		describe_peer(record->ops.allocator, models, bytes, absent, absent_bytes);
}

static json_t *list_record(const struct nslab_entry_record *record)
{
	char models[128], absent[128];

	describe(record, models, sizeof(models), absent, sizeof(absent));
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", record->name, "summary",
			 record->summary, "models", models, "origin", record->origin, "absent",
			 *absent ? json_string(absent) : json_null());
}

static void print_record(const struct nslab_entry_record *record)
{
	char models[128], absent[128], label[64], text[512];

	describe(record, models, sizeof(models), absent, sizeof(absent));
	snprintf(label, sizeof(label), "  %-14s", record->name);
	/* which kernel a backend models is what its users look for; a workload's is in its help */
	if (record->kind == NSLAB_PLUGIN_ALLOCATOR)
		snprintf(text, sizeof(text), "[%s] %s", models, *absent ? absent : record->summary);
	else
		snprintf(text, sizeof(text), "%s", record->summary);
	nslab_text_fold(stdout, label, text, LIST_INDENT, LIST_COLUMNS);
	if (strcmp(record->origin, "built-in"))
		printf("  %-14s from %s\n", "", record->origin);
}

static void list_kind(const struct nslab_registry *registry, size_t k, json_t *document)
{
	const struct nslab_entry_record *record;
	json_t *rows = document ? json_array() : NULL;

	if (!document)
		printf("%s\n", kinds[k].word);
	for (size_t i = 0; (record = nslab_registry_at(registry, kinds[k].kind, i)); i++) {
		if (document)
			json_array_append_new(rows, list_record(record));
		else
			print_record(record);
	}
	if (document)
		json_object_set_new(document, kinds[k].word, rows);
}

static void list_group(const struct nslab_group *group, bool is_own)
{
	char label[40];

	snprintf(label, sizeof(label), "%c %-16s ", is_own ? '*' : ' ', group->name);
	nslab_text_fold(stdout, label, group->summary, LIST_INDENT + 3, LIST_COLUMNS);
}

/* The groups of counters, which are files and no plug-ins. */
static int list_groups(json_t *document, struct nslab_err *err)
{
	json_t *rows = document ? json_array() : NULL;
	struct nslab_groups groups;
	struct nslab_cpu_id id;
	int rc = nslab_groups_load(&groups, err);

	if (!document && !rc)
		printf("groups of counters (counters=auto takes the one of this CPU, *)\n");
	nslab_cpu_id_read(&id);
	for (size_t i = 0; !rc && i < groups.nr; i++) {
		const struct nslab_group *group = groups.group[i];
		bool is_own = nslab_group_fits(group, &id);

		if (document)
			json_array_append_new(rows,
					      json_pack("{s:s, s:s, s:b}", "name", group->name,
							"summary", group->summary, "fits", is_own));
		else
			list_group(group, is_own);
	}
	if (document)
		json_object_set_new(document, "groups", rows);
	if (!rc)
		nslab_groups_free(&groups);
	return rc;
}

static int check_word(const char *word)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i].word, word))
			return 0;
	}
	fprintf(stderr,
		"numaslab: cannot list '%s'; there are allocators, workloads, pages, counters\n",
		word);
	return NSLAB_EXIT_USAGE;
}

static int list_command(int argc, char **argv)
{
	const char *plugins[NSLAB_OPTION_LIST_MAX] = {NULL};
	bool is_json = false;
	const struct nslab_option rows[] = {
		{"json", 0, NSLAB_OPTION_FLAG, &is_json, NULL, "print JSON"},
		{"plugin", 0, NSLAB_OPTION_LIST, plugins, "FILE", "load a plug-in"},
		{.name = NULL},
	};
	struct nslab_registry *registry = NULL;
	struct nslab_err err = {""};
	json_t *document;
	int nr_operands;
	int rc = nslab_options_parse(&nslab_command_list, rows, argc, argv, &nr_operands);

	for (int i = 1; rc < 0 && i <= nr_operands; i++) {
		if (check_word(argv[i]))
			return NSLAB_EXIT_USAGE;
	}
	if (rc >= 0)
		return rc;
	rc = nslab_registry_open(plugins, &registry, &err);
	if (rc)
		return nslab_complain(&err, rc);
	document = is_json ? json_object() : NULL;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		bool is_wanted = !nr_operands;

		for (int i = 1; i <= nr_operands; i++)
			is_wanted |= !strcmp(argv[i], kinds[k].word);
		if (is_wanted)
			list_kind(registry, k, document);
		if (is_wanted && kinds[k].kind == NSLAB_PLUGIN_COUNTER && !rc)
			rc = list_groups(document, &err);
	}
	if (document) {
		json_dumpf(document, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(document);
	}
	nslab_registry_destroy(registry);
	return rc ? nslab_complain(&err, rc) : NSLAB_EXIT_DONE;
}
