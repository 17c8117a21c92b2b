/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * group_files.c: finds and reads the files of groups.
 *
 * Groups lie like plans do (core/folders.c): in the folder NUMASLAB_GROUPS, in a checkout, or where
 * `make install` put them. A user changes a group by putting a file of the same name into the first
 * folder. Files are a few lines long; a larger one than GROUP_BYTES_MAX is something else.
 *
 * Invariant: after a failed load nothing is left to free. Left out: reading only the group that is
 * wanted, since all of them take less than a millisecond.
 */
#define _GNU_SOURCE
#include "core/folders.h"
#include "runner/counters/group.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_BYTES_MAX 16384

static int groups_is_file(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && !strcmp(entry->d_name + len - 4, ".txt");
}

static int groups_read(struct nslab_groups *groups, const char *path, struct nslab_err *err)
{
	char text[GROUP_BYTES_MAX];
	FILE *file = fopen(path, "re");
	size_t nr;
	int rc;

	if (!file)
		return nslab_fail(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	nr = fread(text, 1, sizeof(text) - 1, file);
	text[nr] = '\0';
	fclose(file);
	if (nr == sizeof(text) - 1 || strlen(text) != nr)
		return nslab_fail(err, -EINVAL, "'%s' is no group of counters", path);
	rc = nslab_group_parse(path, text, &groups->group[groups->nr], err);
	groups->nr += !rc;
	return rc;
}

static int groups_file(struct nslab_groups *groups, const char *folder, const char *name,
		       struct nslab_err *err)
{
	char path[PATH_MAX + 256], base[256];

	snprintf(base, sizeof(base), "%.*s", (int)strcspn(name, "."), name);
	if (nslab_groups_find(groups, base) || groups->nr == NSLAB_GROUPS_MAX)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return groups_read(groups, path, err);
}

static int groups_folder(struct nslab_groups *groups, const char *folder, struct nslab_err *err)
{
	struct dirent **entries;
	int nr = *folder ? scandir(folder, &entries, groups_is_file, alphasort) : -1;
	int rc = 0;

	for (int i = 0; i < nr; i++) {
		if (!rc)
			rc = groups_file(groups, folder, entries[i]->d_name, err);
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
	return rc;
}

int nslab_groups_load(struct nslab_groups *groups, struct nslab_err *err)
{
	struct nslab_folders *folders = malloc(sizeof(*folders));
	int rc = 0;

	*groups = (struct nslab_groups){0};
	if (!folders)
		return nslab_fail(err, -ENOMEM, "cannot look for groups of counters: %s",
				  strerror(ENOMEM));
	nslab_folders_list(folders, "NUMASLAB_GROUPS", "runner/counters/groups", "groups");
	for (int i = 0; i < NSLAB_NR_FOLDERS && !rc; i++)
		rc = groups_folder(groups, folders->path[i], err);
	free(folders);
	if (rc)
		nslab_groups_free(groups);
	return rc;
}

void nslab_groups_free(struct nslab_groups *groups)
{
	for (size_t i = 0; i < groups->nr; i++)
		nslab_group_free(groups->group[i]);
	groups->nr = 0;
}

struct nslab_group *nslab_groups_find(const struct nslab_groups *groups, const char *name)
{
	for (size_t i = 0; i < groups->nr; i++) {
		if (!strcmp(groups->group[i]->name, name))
			return groups->group[i];
	}
	return NULL;
}

struct nslab_group *nslab_groups_for(const struct nslab_groups *groups,
				     const struct nslab_cpu_id *id)
{
	for (size_t i = 0; i < groups->nr; i++) {
		if (nslab_group_fits(groups->group[i], id))
			return groups->group[i];
	}
	return NULL;
}
