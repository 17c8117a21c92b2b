/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_find.c: where plans lie.
 *
 * A name with a slash or ending in .ini is a file. Any other name is looked for as NAME.ini in, by
 * precedence: the folder in NUMASLAB_PLANS, examples/plans of the working directory, the folder
 * that `make install` fills beside the program, and examples/plans of the checkout that the
 * program was built in (core/folders.c).
 *
 * A name that is nowhere is an error that lists what there is.
 */
#define _GNU_SOURCE
#include "core/folders.h"
#include "runner/plan_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 64

struct names {
	char *name[NAMES_MAX];
	char *path[NAMES_MAX];
	size_t nr;
};

static bool has_name(const struct names *names, const char *name, size_t len)
{
	for (size_t i = 0; i < names->nr; i++) {
		if (!strncmp(names->name[i], name, len) && !names->name[i][len])
			return true;
	}
	return false;
}

static int is_plan(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && !strcmp(entry->d_name + len - 4, ".ini");
}

/* A name that an earlier folder has hides the later one. */
static void collect(struct nslab_plan_pool *pool, const char *folder, struct names *names)
{
	struct dirent **entries;
	int nr = *folder ? scandir(folder, &entries, is_plan, alphasort) : -1;

	for (int i = 0; i < nr; i++) {
		const char *file = entries[i]->d_name;
		size_t len = strlen(file) - 4;

		if (names->nr < NAMES_MAX && !has_name(names, file, len)) {
			names->name[names->nr] = nslab_pool_copy(pool, file, len);
			names->path[names->nr] = nslab_pool_print(pool, "%s/%s", folder, file);
			if (names->name[names->nr] && names->path[names->nr])
				names->nr++;
		}
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
}

static int collect_all(struct nslab_plan_pool *pool, struct names *names)
{
	struct nslab_folders *f = malloc(sizeof(*f));

	names->nr = 0;
	if (!f)
		return -ENOMEM;
	nslab_folders_list(f, "NUMASLAB_PLANS", "examples/plans", "plans");
	for (int i = 0; i < NSLAB_NR_FOLDERS; i++)
		collect(pool, f->path[i], names);
	free(f);
	return 0;
}

static int no_such_plan(const struct names *names, const char *name, struct nslab_err *err)
{
	const char *guess = nslab_nearest(name, (const char *const *)names->name, names->nr);
	char list[512] = "";

	for (size_t i = 0; i < names->nr; i++) {
		size_t len = strlen(list);

		snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", names->name[i]);
	}
	return nslab_fail(err, -ENOENT,
			  "no plan '%s'%s%s%s; there are %s, or name a file ending in "
			  ".ini",
			  name, guess ? ", did you mean '" : "", guess ? guess : "",
			  guess ? "'" : "", *list ? list : "none");
}

int nslab_plan_find(struct nslab_plan_pool *pool, const char *name, const char **path,
		    struct nslab_err *err)
{
	size_t len = strlen(name);
	struct names names;
	int rc;

	if (strchr(name, '/') || (len > 4 && !strcmp(name + len - 4, ".ini"))) {
		*path = nslab_pool_copy(pool, name, len);
		return *path ? 0 : -ENOMEM;
	}
	rc = collect_all(pool, &names);
	if (rc)
		return rc;
	for (size_t i = 0; i < names.nr; i++) {
		if (!strcmp(names.name[i], name)) {
			*path = names.path[i];
			return 0;
		}
	}
	return no_such_plan(&names, name, err);
}

void nslab_plan_each(void (*each)(void *context, const char *name, const char *path), void *context)
{
	struct nslab_plan_pool *pool = nslab_pool_create();
	struct names names;

	if (pool && !collect_all(pool, &names)) {
		for (size_t i = 0; i < names.nr; i++)
			each(context, names.name[i], names.path[i]);
	}
	nslab_pool_destroy(pool);
}
