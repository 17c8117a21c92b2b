/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * registry.h: every plug-in the program knows, built in or loaded.
 *
 * A registered table is a COPY of the plug-in's: as large as the host's structure, checked for
 * required callbacks, with the defaults filled in. Hot paths never test a pointer.
 */
#ifndef NSLAB_CORE_REGISTRY_H
#define NSLAB_CORE_REGISTRY_H

#include "core/err.h"

#include <numaslab/plugin.h>

struct nslab_registry;

/* One registered plug-in. */
struct nslab_entry_record {
	enum nslab_plugin_kind kind;
	const char *name;
	const char *summary;
	char origin[256]; /* "built-in" or the path it was loaded from */
	union {
		const void *table;
		const struct nslab_allocator_ops *allocator;
		const struct nslab_page_ops *page;
		const struct nslab_workload_ops *workload;
		const struct nslab_counter_ops *counter;
	} ops;
};

/*
 * defaults[kind] is a table of that kind whose optional callbacks stand in for missing ones, or
 * NULL when the kind has none.
 */
int nslab_registry_create(const void *const defaults[NSLAB_NR_PLUGIN_KINDS],
			  struct nslab_registry **registry);
void nslab_registry_destroy(struct nslab_registry *registry); /* unloads what was loaded */

/* Errors name origin, plug-in and callback. */
int nslab_registry_add(struct nslab_registry *registry, const struct nslab_plugin *plugin,
		       const char *origin, struct nslab_err *err);

/* Loads a shared object (RTLD_NOW | RTLD_LOCAL) and adds its `nslab_plugin`. */
int nslab_registry_load(struct nslab_registry *registry, const char *path,
			const struct nslab_entry_record **record, struct nslab_err *err);

/* Loads every *.so in each folder of a colon-separated list, in name order. */
int nslab_registry_load_folders(struct nslab_registry *registry, const char *folders,
				struct nslab_err *err);

/* NULL when there is none. */
const struct nslab_entry_record *nslab_registry_find(const struct nslab_registry *registry,
						     enum nslab_plugin_kind kind, const char *name);

/* The same, and an error that lists the accepted names and guesses at a typing slip. */
int nslab_registry_get(const struct nslab_registry *registry, enum nslab_plugin_kind kind,
		       const char *name, const struct nslab_entry_record **record,
		       struct nslab_err *err);

/* The number-th plug-in of a kind in order of registration, or NULL past the end. */
const struct nslab_entry_record *nslab_registry_at(const struct nslab_registry *registry,
						   enum nslab_plugin_kind kind, size_t number);

/*
 * Names a code address for people: "NAME+0x1f (FILE+0x4a1f)", without NAME where none is exported.
 * The second form is what addr2line -e FILE takes.
 */
void nslab_symbol_of(const void *address, char *text, size_t text_bytes);

/* "allocator", "page", "workload", "counter". */
const char *nslab_kind_word(enum nslab_plugin_kind kind);

#endif
