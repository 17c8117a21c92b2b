/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * registry.c: plug-ins of all kinds in one list; the only user of dlfcn.
 *
 * Adding a plug-in copies min(its ops_size, ours) bytes of its table into a zeroed one of our size,
 * so that a plug-in built against an older header loads (its missing tail reads NULL) and a newer
 * one does too (its extra tail is ignored). Then each required slot is checked by name, and each
 * NULL slot from the first optional one to the end is taken from the kind's default table. All of
 * that happens once; callers use the copy.
 *
 * Left out on purpose: unloading one plug-in (the list only grows until destroy), constructors,
 * and any search outside the paths that were asked for.
 */
#define _GNU_SOURCE
#include "core/registry.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct required {
	const char *callback;
	size_t offset;
};

struct kind {
	const char *word;
	size_t ops_size;
	size_t first_optional; /* ops_size when there are no optional callbacks */
	struct required required[12];
};

#define REQUIRED(type, field)                                                                      \
 {                                                                                                 \
#  field, offsetof(struct type, field)                                                             \
 }

static const struct kind kinds[NSLAB_NR_PLUGIN_KINDS] = {
	[NSLAB_PLUGIN_ALLOCATOR] =
		{
			.word = "allocator",
			.ops_size = sizeof(struct nslab_allocator_ops),
			.first_optional = offsetof(struct nslab_allocator_ops, quiesce),
			.required =
				{
					REQUIRED(nslab_allocator_ops, name),
					REQUIRED(nslab_allocator_ops, summary),
					REQUIRED(nslab_allocator_ops, open),
					REQUIRED(nslab_allocator_ops, close),
					REQUIRED(nslab_allocator_ops, cpu_online),
					REQUIRED(nslab_allocator_ops, cpu_offline),
					REQUIRED(nslab_allocator_ops, cache_create),
					REQUIRED(nslab_allocator_ops, cache_destroy),
					REQUIRED(nslab_allocator_ops, alloc),
					REQUIRED(nslab_allocator_ops, free),
				},
		},
	[NSLAB_PLUGIN_PAGE] =
		{
			.word = "page",
			.ops_size = sizeof(struct nslab_page_ops),
			.first_optional = offsetof(struct nslab_page_ops, cpu_drain),
			.required =
				{
					REQUIRED(nslab_page_ops, name),
					REQUIRED(nslab_page_ops, summary),
					REQUIRED(nslab_page_ops, open),
					REQUIRED(nslab_page_ops, close),
					REQUIRED(nslab_page_ops, alloc_pages),
					REQUIRED(nslab_page_ops, free_pages),
				},
		},
	[NSLAB_PLUGIN_WORKLOAD] =
		{
			.word = "workload",
			.ops_size = sizeof(struct nslab_workload_ops),
			.first_optional = sizeof(struct nslab_workload_ops),
			.required =
				{
					REQUIRED(nslab_workload_ops, name),
					REQUIRED(nslab_workload_ops, summary),
					REQUIRED(nslab_workload_ops, setup),
					REQUIRED(nslab_workload_ops, worker_init),
					REQUIRED(nslab_workload_ops, worker_exit),
					REQUIRED(nslab_workload_ops, verify),
					REQUIRED(nslab_workload_ops, teardown),
				},
		},
	[NSLAB_PLUGIN_COUNTER] =
		{
			.word = "counter",
			.ops_size = sizeof(struct nslab_counter_ops),
			.first_optional = sizeof(struct nslab_counter_ops),
			.required =
				{
					REQUIRED(nslab_counter_ops, name),
					REQUIRED(nslab_counter_ops, summary),
					REQUIRED(nslab_counter_ops, events),
					REQUIRED(nslab_counter_ops, probe),
					REQUIRED(nslab_counter_ops, open),
					REQUIRED(nslab_counter_ops, start),
					REQUIRED(nslab_counter_ops, stop),
					REQUIRED(nslab_counter_ops, read),
					REQUIRED(nslab_counter_ops, close),
				},
		},
};

struct entry {
	struct nslab_entry_record record;
	void *table;  /* our copy */
	void *handle; /* of dlopen, or NULL */
	struct entry *next;
};

struct nslab_registry {
	const void *defaults[NSLAB_NR_PLUGIN_KINDS];
	struct entry *first;
	struct entry **last;
};

/* Every table begins so. */
struct table_head {
	const char *name;
	const char *summary;
};

void nslab_symbol_of(const void *address, char *text, size_t text_bytes)
{
	uintptr_t at = (uintptr_t)address;
	const char *slash;
	Dl_info info;

	if (!dladdr(address, &info) || !info.dli_fname) {
		snprintf(text, text_bytes, "%p", address);
		return;
	}
	slash = strrchr(info.dli_fname, '/');
	slash = slash ? slash + 1 : info.dli_fname;
	if (info.dli_sname)
		snprintf(text, text_bytes, "%s+0x%zx (%s+0x%zx)", info.dli_sname,
			 (size_t)(at - (uintptr_t)info.dli_saddr), slash,
			 (size_t)(at - (uintptr_t)info.dli_fbase));
	else
		snprintf(text, text_bytes, "%s+0x%zx", slash,
			 (size_t)(at - (uintptr_t)info.dli_fbase));
}

const char *nslab_kind_word(enum nslab_plugin_kind kind)
{
	return kinds[kind].word;
}

int nslab_registry_create(const void *const defaults[NSLAB_NR_PLUGIN_KINDS],
			  struct nslab_registry **registry)
{
	struct nslab_registry *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	memcpy(r->defaults, defaults, sizeof(r->defaults));
	r->last = &r->first;
	*registry = r;
	return 0;
}

void nslab_registry_destroy(struct nslab_registry *registry)
{
	struct entry *entry = registry ? registry->first : NULL;

	while (entry) {
		struct entry *next = entry->next;

		if (entry->handle)
			dlclose(entry->handle);
		free(entry->table);
		free(entry);
		entry = next;
	}
	free(registry);
}

static void *slot(const void *table, size_t offset)
{
	void *value;

	memcpy(&value, (const char *)table + offset, sizeof(value));
	return value;
}

static void fill_defaults(const struct kind *kind, const void *defaults, void *table)
{
	for (size_t at = kind->first_optional; defaults && at < kind->ops_size;
	     at += sizeof(void *)) {
		if (!slot(table, at))
			memcpy((char *)table + at, (const char *)defaults + at, sizeof(void *));
	}
}

static int check_envelope(const struct nslab_plugin *plugin, const char *origin,
			  struct nslab_err *err)
{
	if (plugin->abi != NSLAB_PLUGIN_ABI)
		return nslab_fail(
			err, -EPROTO,
			"cannot use plug-in '%s': it was built for ABI %u, this is ABI %u; "
			"build it against the installed headers",
			origin, plugin->abi, NSLAB_PLUGIN_ABI);
	if (plugin->kind >= NSLAB_NR_PLUGIN_KINDS || !plugin->ops)
		return nslab_fail(err, -EINVAL, "cannot use plug-in '%s': unknown kind %u", origin,
				  plugin->kind);
	return 0;
}

static int check_required(const struct kind *kind, const void *table, const char *origin,
			  struct nslab_err *err)
{
	const struct table_head *head = table;

	for (const struct required *r = kind->required; r->callback; r++) {
		if (!slot(table, r->offset))
			return nslab_fail(err, -EINVAL,
					  "cannot use %s plug-in '%s' from '%s': '%s' is missing",
					  kind->word, head->name ? head->name : "?", origin,
					  r->callback);
	}
	return 0;
}

int nslab_registry_add(struct nslab_registry *registry, const struct nslab_plugin *plugin,
		       const char *origin, struct nslab_err *err)
{
	const struct kind *kind;
	struct table_head *head;
	struct entry *entry;
	void *table;
	int rc = check_envelope(plugin, origin, err);

	if (rc)
		return rc;
	kind = &kinds[plugin->kind];
	entry = calloc(1, sizeof(*entry));
	table = calloc(1, kind->ops_size);
	rc = -ENOMEM;
	if (!entry || !table)
		goto out_free;
	memcpy(table, plugin->ops,
	       plugin->ops_size < kind->ops_size ? plugin->ops_size : kind->ops_size);
	rc = check_required(kind, table, origin, err);
	if (rc)
		goto out_free;
	head = table;
	rc = -EEXIST;
	if (nslab_registry_find(registry, plugin->kind, head->name)) {
		nslab_fail(err, rc, "cannot use %s plug-in '%s' from '%s': the name is taken",
			   kind->word, head->name, origin);
		goto out_free;
	}
	fill_defaults(kind, registry->defaults[plugin->kind], table);
	entry->table = table;
	entry->record.kind = (enum nslab_plugin_kind)plugin->kind;
	entry->record.name = head->name;
	entry->record.summary = head->summary;
	entry->record.ops.table = table;
	snprintf(entry->record.origin, sizeof(entry->record.origin), "%s", origin);
	*registry->last = entry;
	registry->last = &entry->next;
	return 0;

out_free:
	free(table);
	free(entry);
	return rc;
}

int nslab_registry_load(struct nslab_registry *registry, const char *path,
			const struct nslab_entry_record **record, struct nslab_err *err)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct nslab_plugin *plugin;
	struct entry **last = registry->last;
	int rc;

	if (!handle)
		return nslab_fail(err, -ENOENT, "cannot load plug-in: %s", dlerror());
	plugin = dlsym(handle, "nslab_plugin");
	if (!plugin)
		rc = nslab_fail(err, -EINVAL,
				"cannot use plug-in '%s': it exports no symbol 'nslab_plugin'",
				path);
	else
		rc = nslab_registry_add(registry, plugin, path, err);
	if (rc) {
		dlclose(handle);
		return rc;
	}
	(*last)->handle = handle;
	if (record)
		*record = &(*last)->record;
	return 0;
}

static int is_shared_object(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && !strcmp(entry->d_name + len - 3, ".so");
}

static int load_folder(struct nslab_registry *registry, const char *folder, struct nslab_err *err)
{
	struct dirent **names;
	int nr = scandir(folder, &names, is_shared_object, alphasort);
	int rc = 0;

	if (nr < 0)
		return nslab_fail(err, -errno, "cannot read plug-in folder '%s': %s", folder,
				  strerror(errno));
	for (int i = 0; i < nr; i++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (!rc)
			rc = nslab_registry_load(registry, path, NULL, err);
		free(names[i]);
	}
	free(names);
	return rc;
}

int nslab_registry_load_folders(struct nslab_registry *registry, const char *folders,
				struct nslab_err *err)
{
	char *copy = strdup(folders);
	char *rest = copy;
	int rc = copy ? 0 : -ENOMEM;

	while (rest && !rc) {
		char *folder = strsep(&rest, ":");

		if (*folder)
			rc = load_folder(registry, folder, err);
	}
	free(copy);
	return rc;
}

const struct nslab_entry_record *nslab_registry_at(const struct nslab_registry *registry,
						   enum nslab_plugin_kind kind, size_t number)
{
	for (struct entry *entry = registry->first; entry; entry = entry->next) {
		if (entry->record.kind == kind && number-- == 0)
			return &entry->record;
	}
	return NULL;
}

const struct nslab_entry_record *nslab_registry_find(const struct nslab_registry *registry,
						     enum nslab_plugin_kind kind, const char *name)
{
	for (struct entry *entry = registry->first; entry; entry = entry->next) {
		if (entry->record.kind == kind && !strcmp(entry->record.name, name))
			return &entry->record;
	}
	return NULL;
}

int nslab_registry_get(const struct nslab_registry *registry, enum nslab_plugin_kind kind,
		       const char *name, const struct nslab_entry_record **record,
		       struct nslab_err *err)
{
	const struct nslab_entry_record *found = nslab_registry_find(registry, kind, name);
	const char *names[64];
	char list[512] = "";
	const char *guess;
	size_t nr = 0;

	if (found) {
		*record = found;
		return 0;
	}
	while (nr < 64 && (found = nslab_registry_at(registry, kind, nr))) {
		size_t len = strlen(list);

		names[nr++] = found->name;
		snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", found->name);
	}
	guess = nslab_nearest(name, names, nr);
	return nslab_fail(err, -EINVAL, "unknown %s '%s'%s%s%s; there are %s", kinds[kind].word,
			  name, guess ? ", did you mean '" : "", guess ? guess : "",
			  guess ? "'" : "", list);
}
