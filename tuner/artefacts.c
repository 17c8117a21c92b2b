/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * artefacts.c: the folder in which an advice becomes files that a person applies.
 *
 * All texts that a file needs are worked out first, and everything that could be wrong with names
 * is found before the first file is made; then each file is written by its own function, whose
 * errors its stream remembers. Names of caches come from a snapshot, which is anyone's file, and
 * end in scripts: only names that can be a folder of sysfs are taken, none with a control character
 * that would end a comment, and scripts quote them besides.
 *
 * Invariant: nothing outside of the folder is written, and equal advice gives equal bytes. Left
 * out: JSON (artefacts_json.c) and what each of the other files says (artefacts_sysfs.c,
 * artefacts_files.c).
 */
#define _GNU_SOURCE
#include "tuner/artefacts_impl.h"

#include "runner/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct nslab_tuner_setting *nslab_artefact_setting(const struct nslab_tuner_group *group)
{
	if (group->advised == group->now || group->advised >= group->nr_candidates ||
	    group->now >= group->nr_candidates)
		return NULL;
	return &group->candidates[group->advised].setting;
}

void nslab_artefact_names(FILE *out, const struct nslab_tuner_cache *cache)
{
	for (size_t i = 0; i < cache->nr_aliases; i++)
		fprintf(out, "%s%s", i ? ", " : "", cache->aliases[i]);
	fputs(cache->nr_aliases ? " (merged)" : cache->name, out);
}

/* ---- what is written where ---- */

static bool artefact_is_name(const char *name)
{
	if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || strlen(name) > NAME_MAX)
		return false;
	for (const char *at = name; *at; at++) {
		if (*at < ' ' || *at > '~' || *at == '/')
			return false;
	}
	return true;
}

static int artefact_check_names(const struct nslab_tuner_snapshot *snapshot, struct nslab_err *err)
{
	for (size_t i = 0; i < snapshot->nr_caches; i++) {
		const struct nslab_tuner_cache *cache = &snapshot->caches[i];
		const char *wrong = NULL;

		if (!artefact_is_name(cache->name))
			wrong = cache->name;
		if (!artefact_is_name(cache->folder))
			wrong = cache->folder;
		for (size_t j = 0; j < cache->nr_aliases; j++) {
			if (!artefact_is_name(cache->aliases[j]))
				wrong = cache->aliases[j];
		}
		if (wrong)
			return nslab_fail(err, -EINVAL,
					  "'%.64s' can be no cache: no folder of sysfs has that "
					  "name",
					  wrong);
	}
	return 0;
}

static void artefact_add_write(struct nslab_artefacts *a, const struct nslab_tuner_cache *cache,
			       const char *file, int now, int then)
{
	if (then != NSLAB_AUTO && now != NSLAB_TUNER_UNKNOWN && then != now)
		a->writes[a->nr_writes++] = (struct nslab_artefact_write){cache, file, now, then};
}

/*
 * A setting whose order nobody can have is no reason to change what goes with it: cpu_partial was
 * judged together with the order.
 */
static bool artefact_has_order(const struct nslab_tuner_group *group,
			       const struct nslab_tuner_setting *setting)
{
	return setting->order == NSLAB_AUTO || setting->order == group->cache->order ||
	       setting->order == group->order_booted;
}

static int artefact_find_writes(struct nslab_artefacts *a)
{
	const struct nslab_tuner_advice *advice = a->advice;

	a->writes = calloc(2 * advice->nr_groups + 1, sizeof(*a->writes));
	if (!a->writes)
		return -ENOMEM;
	for (size_t i = 0; i < advice->nr_groups; i++) {
		const struct nslab_tuner_group *group = &advice->groups[i];
		const struct nslab_tuner_setting *setting = nslab_artefact_setting(group);

		if (!setting || !artefact_has_order(group, setting))
			continue;
		artefact_add_write(a, group->cache, "cpu_partial", group->cache->cpu_partial,
				   setting->cpu_partial);
		artefact_add_write(a, group->cache, "min_partial", group->cache->min_partial,
				   setting->min_partial);
	}
	return 0;
}

static bool artefact_is_equal(const struct nslab_order_knobs *a, const struct nslab_order_knobs *b)
{
	return a->min_order == b->min_order && a->max_order == b->max_order &&
	       a->min_objects == b->min_objects;
}

/* ---- files ---- */

static void artefact_json(FILE *out, const struct nslab_artefacts *a)
{
	json_dumpf(a->json, out, JSON_INDENT(1) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
	fputc('\n', out);
}

static const struct artefact_file {
	const char *name;
	mode_t mode;
	void (*write)(FILE *out, const struct nslab_artefacts *a);
} artefact_files[] = {
	{"boot.txt", 0666, nslab_artefact_boot},
	{"sysfs-apply.sh", 0777, nslab_artefact_apply},
	{"sysfs-undo.sh", 0777, nslab_artefact_undo},
	{"tuned/numaslab/tuned.conf", 0666, nslab_artefact_tuned},
	{"patch-table.txt", 0666, nslab_artefact_patch},
	{"plan.ini", 0666, nslab_artefact_plan},
	{"advice.json", 0666, artefact_json},
};

static int artefact_write(const struct nslab_artefacts *a, const char *folder,
			  const struct artefact_file *file, struct nslab_err *err)
{
	char path[PATH_MAX];
	mode_t mask = umask(0);
	int failed = ENAMETOOLONG;
	FILE *out = NULL;

	umask(mask);
	if (snprintf(path, sizeof(path), "%s/%s", folder, file->name) < (int)sizeof(path)) {
		out = fopen(path, "we");
		failed = errno;
	}
	if (!out)
		return nslab_fail(err, -failed, "cannot write '%s/%s': %s", folder, file->name,
				  strerror(failed));
	file->write(out, a);
	failed = ferror(out) || fchmod(fileno(out), file->mode & ~mask);
	if (fclose(out) || failed)
		return nslab_fail(err, -EIO, "cannot write '%s': %s", path, strerror(EIO));
	return 0;
}

int nslab_tuner_artefacts(const struct nslab_tuner_advice *advice, const char *folder,
			  struct nslab_err *err)
{
	struct nslab_artefacts a = {.advice = advice};
	char tuned[PATH_MAX];
	int rc = artefact_check_names(advice->snapshot, err);

	a.is_booted = !artefact_is_equal(&advice->now.knobs, &advice->booted.knobs);
	if (!rc)
		rc = nslab_tuner_boot_line(advice->snapshot, &advice->booted.knobs, a.line,
					   sizeof(a.line), err);
	a.json = rc ? NULL : nslab_tuner_advice_json(advice);
	if (!rc && (!a.json || artefact_find_writes(&a)))
		rc = nslab_fail(err, -ENOMEM, "cannot write '%s': %s", folder, strerror(ENOMEM));
	if (!rc && snprintf(tuned, sizeof(tuned), "%s/tuned/numaslab", folder) >= PATH_MAX)
		rc = nslab_fail(err, -ENAMETOOLONG, "cannot make folder '%.64s...': %s", folder,
				strerror(ENAMETOOLONG));
	if (!rc)
		rc = nslab_folder_make(tuned, err);
	for (size_t i = 0; !rc && i < sizeof(artefact_files) / sizeof(artefact_files[0]); i++)
		rc = artefact_write(&a, folder, &artefact_files[i], err);
	json_decref(a.json);
	free(a.writes);
	return rc;
}
