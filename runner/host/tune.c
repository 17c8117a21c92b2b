/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tune.c: plans, applies and takes back changes of a host's settings.
 *
 * A table says which files may be written, which words are fine in them and which one is wanted.
 * The same table guards reset: an undo file that names another file is refused before anything is
 * written. Some attributes answer "always [madvise] never" and want one word: the word is written,
 * and where the file then does not read as before (a copied tree) its bytes are. Every write is
 * read back. Threads of cores go offline last and come back first, since the files of their PUs
 * come and go with them.
 *
 * Left out: what lasts over a boot, and files whose mode would have to be changed.
 */
#define _GNU_SOURCE
#include "runner/host/tune.h"

#include "runner/host/probes.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPUS "/sys/devices/system/cpu/"

enum tune_when {
	TUNE_ALWAYS,
	TUNE_CSTATES,
	TUNE_PERF,
	TUNE_SMT
};

static const struct tune_setting {
	const char *pattern;
	const char *wanted;
	const char *accept; /* left alone; NULL: the wanted word only */
	enum tune_when when;
} tune_settings[] = {
	{CPUS "cpu[0-9]*/cpufreq/scaling_governor", "performance", NULL, TUNE_ALWAYS},
	{CPUS "intel_pstate/no_turbo", "1", NULL, TUNE_ALWAYS},
	{CPUS "cpufreq/boost", "0", NULL, TUNE_ALWAYS},
	{CPUS "cpu[0-9]*/cpufreq/boost", "0", NULL, TUNE_ALWAYS},
	{"/sys/kernel/mm/transparent_hugepage/enabled", "madvise", "madvise|never", TUNE_ALWAYS},
	{"/proc/sys/kernel/numa_balancing", "0", NULL, TUNE_ALWAYS},
	{"/sys/kernel/mm/ksm/run", "0", "0|2", TUNE_ALWAYS},
	{CPUS "cpu[0-9]*/cpuidle/state[0-9]*/disable", "1", NULL, TUNE_CSTATES},
	{"/proc/sys/kernel/perf_event_paranoid", NULL, NULL, TUNE_PERF},
	{CPUS "smt/control", "off", "off|forceoff|notsupported|notimplemented", TUNE_SMT},
};

#define TUNE_NR (sizeof(tune_settings) / sizeof(tune_settings[0]))

/* ---- planning ---- */

static bool tune_is_asked(const struct nslab_host_tuning *tuning, enum tune_when when)
{
	switch (when) {
	case TUNE_ALWAYS:
		return true;
	case TUNE_CSTATES:
		return tuning->latency_most_us != NSLAB_HOST_LEAVE;
	case TUNE_PERF:
		return tuning->perf_event_paranoid != NSLAB_HOST_LEAVE;
	case TUNE_SMT:
		return tuning->is_smt_off;
	}
	return false;
}

/* "DIR/disable" -> is DIR/latency above the most? */
static bool tune_is_deep(const struct nslab_host_root *root, const char *path, long most_us)
{
	char latency[PATH_MAX], word[32], *end;
	long us;

	snprintf(latency, sizeof(latency), "%.*s/latency", (int)(strrchr(path, '/') - path), path);
	nslab_host_read_word(root, latency, word, sizeof(word));
	us = strtol(word, &end, 10);
	return end != word && us > most_us;
}

static int tune_add(struct nslab_host_changes *changes, const struct nslab_host_change *change)
{
	if (changes->nr == changes->room) {
		size_t room = changes->room ? 2 * changes->room : 16;
		struct nslab_host_change *more =
			realloc(changes->changes, room * sizeof(*changes->changes));

		if (!more)
			return -ENOMEM;
		changes->changes = more;
		changes->room = room;
	}
	changes->changes[changes->nr++] = *change;
	return 0;
}

static void tune_word(const char *bytes, char *word, size_t word_bytes)
{
	nslab_host_choice(bytes, word, word_bytes);
	nslab_host_trim(word);
}

/* Adds the file unless it is fine. An absent one is not there to be tuned. */
static int tune_file(const struct nslab_host_root *root, const struct tune_setting *setting,
		     const char *path, const char *wanted, struct nslab_host_changes *changes)
{
	struct nslab_host_change change = {.path = NULL};
	int rc = nslab_host_read(root, path, &change.old, &change.old_bytes);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	tune_word(change.old, change.old_word, sizeof(change.old_word));
	if (nslab_host_is_one_of(change.old_word, setting->accept ? setting->accept : wanted))
		goto out_free;
	snprintf(change.new_word, sizeof(change.new_word), "%s", wanted);
	change.path = strdup(path);
	rc = change.path ? tune_add(changes, &change) : -ENOMEM;
	if (!rc)
		return 0;
out_free:
	free(change.path);
	free(change.old);
	return rc;
}

static int tune_setting_plan(const struct nslab_host_root *root,
			     const struct nslab_host_tuning *tuning,
			     const struct tune_setting *setting, struct nslab_host_changes *changes,
			     struct nslab_err *err)
{
	struct nslab_host_paths paths;
	char level[32];
	int rc = nslab_host_match(root, setting->pattern, &paths);

	snprintf(level, sizeof(level), "%ld", tuning->perf_event_paranoid);
	for (size_t i = 0; !rc && i < paths.nr; i++) {
		const char *path = paths.paths[i];

		if (setting->when == TUNE_CSTATES &&
		    !tune_is_deep(root, path, tuning->latency_most_us))
			continue;
		rc = tune_file(root, setting, path, setting->wanted ? setting->wanted : level,
			       changes);
		if (rc)
			nslab_fail(err, rc, "cannot read '%s': %s", path, strerror(-rc));
	}
	nslab_host_paths_free(&paths);
	return rc;
}

int nslab_host_tune_plan(const struct nslab_host_root *root, const struct nslab_host_tuning *tuning,
			 struct nslab_host_changes *changes, struct nslab_err *err)
{
	int rc = 0;

	*changes = (struct nslab_host_changes){0};
	for (size_t i = 0; !rc && i < TUNE_NR; i++) {
		if (tune_is_asked(tuning, tune_settings[i].when))
			rc = tune_setting_plan(root, tuning, &tune_settings[i], changes, err);
	}
	return rc;
}

void nslab_host_changes_free(struct nslab_host_changes *changes)
{
	for (size_t i = 0; i < changes->nr; i++) {
		free(changes->changes[i].path);
		free(changes->changes[i].old);
	}
	free(changes->changes);
	*changes = (struct nslab_host_changes){0};
}

/* ---- writing ---- */

/* 1: the file holds just these bytes. */
static int tune_reads(const struct nslab_host_root *root, const char *path, const char *bytes,
		      size_t nr)
{
	size_t nr_now;
	char *now;
	int rc = nslab_host_read(root, path, &now, &nr_now);

	if (rc)
		return rc;
	rc = nr == nr_now && !memcmp(now, bytes, nr);
	free(now);
	return rc;
}

static int tune_restore(const struct nslab_host_root *root, const char *path, const char *bytes,
			size_t nr)
{
	char word[64];
	int rc = tune_reads(root, path, bytes, nr);

	if (!rc && strchr(bytes, '[')) {
		tune_word(bytes, word, sizeof(word));
		rc = nslab_host_write(root, path, word, strlen(word));
		if (!rc)
			rc = tune_reads(root, path, bytes, nr);
	}
	if (rc)
		return rc < 0 ? rc : 0;
	rc = nslab_host_write(root, path, bytes, nr);
	if (!rc)
		rc = tune_reads(root, path, bytes, nr);
	return rc ? (rc < 0 ? rc : 0) : -EIO;
}

static int tune_write(const struct nslab_host_root *root, const struct nslab_host_change *change)
{
	char text[80], word[64], *now;
	int len = snprintf(text, sizeof(text), "%s\n", change->new_word);
	int rc = nslab_host_write(root, change->path, text, (size_t)len);

	if (!rc)
		rc = nslab_host_read(root, change->path, &now, NULL);
	if (rc)
		return rc;
	tune_word(now, word, sizeof(word));
	free(now);
	return strcmp(word, change->new_word) ? -EIO : 0;
}

/* Takes back changes[nr - 1] to changes[0]; the number of those that could not be. */
static size_t tune_take_back(const struct nslab_host_root *root,
			     const struct nslab_host_change *changes, size_t nr)
{
	size_t nr_failed = 0;

	while (nr--) {
		if (tune_restore(root, changes[nr].path, changes[nr].old, changes[nr].old_bytes))
			nr_failed++;
	}
	return nr_failed;
}

/* ---- the undo file ---- */

/* Reads it for tuning: a missing or outlived one is an empty one. */
static int tune_undo_open(const struct nslab_host_root *root, const char *file,
			  struct nslab_host_undo *undo, struct nslab_err *err)
{
	struct nslab_host_undo fresh;
	int rc = nslab_host_undo_read(file, undo, err);

	if (rc && rc != -ENOENT)
		return rc;
	nslab_host_undo_init(&fresh, root);
	if (!rc && strcmp(fresh.root, undo->root))
		return nslab_fail(err, -EINVAL,
				  "undo file '%s' is for root '%.400s': reset that one first, or "
				  "give another --undo FILE",
				  file, undo->root);
	if (!rc && !strcmp(fresh.boot, undo->boot))
		return 0;
	nslab_host_undo_free(undo);
	*undo = fresh;
	return 0;
}

static int tune_undo_extend(struct nslab_host_undo *undo, const struct nslab_host_changes *changes)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < changes->nr; i++) {
		const struct nslab_host_change *change = &changes->changes[i];

		if (!nslab_host_undo_holds(undo, change->path))
			rc = nslab_host_undo_add(undo, change->path, change->old,
						 change->old_bytes);
	}
	return rc;
}

/* After failing at change `at`: all as it was, or a word about where that is written down. */
static int tune_fail(const struct nslab_host_root *root, const char *file,
		     const struct nslab_host_undo *undo, size_t nr_kept,
		     const struct nslab_host_changes *changes, size_t at, int rc,
		     struct nslab_err *err)
{
	size_t nr_failed = tune_take_back(root, changes->changes, at + 1);
	const struct nslab_host_change *change = &changes->changes[at];

	if (nr_failed)
		return nslab_fail(err, rc,
				  "cannot write '%s' to '%s': %s; %zu files could not be restored, "
				  "their bytes are in '%s'",
				  change->new_word, change->path, strerror(-rc), nr_failed, file);
	if (nr_kept)
		nslab_host_undo_write(file, undo, nr_kept, NULL);
	else
		unlink(file);
	return nslab_fail(err, rc, "cannot write '%s' to '%s': %s; nothing is changed",
			  change->new_word, change->path, strerror(-rc));
}

int nslab_host_tune_apply(const struct nslab_host_root *root, const char *file,
			  const struct nslab_host_changes *changes, struct nslab_err *err)
{
	struct nslab_host_undo undo;
	int rc = tune_undo_open(root, file, &undo, err);
	size_t nr_kept = undo.nr;

	if (rc)
		goto out_free;
	rc = tune_undo_extend(&undo, changes);
	if (rc)
		nslab_fail(err, rc, "cannot write undo file '%s': %s", file, strerror(-rc));
	else
		rc = nslab_host_undo_write(file, &undo, undo.nr, err);
	for (size_t i = 0; !rc && i < changes->nr; i++) {
		rc = tune_write(root, &changes->changes[i]);
		if (rc)
			rc = tune_fail(root, file, &undo, nr_kept, changes, i, rc, err);
	}
out_free:
	nslab_host_undo_free(&undo);
	return rc;
}

static bool tune_may_write(const char *path)
{
	for (size_t i = 0; i < TUNE_NR; i++) {
		if (!fnmatch(tune_settings[i].pattern, path, FNM_PATHNAME))
			return true;
	}
	return false;
}

static int tune_undo_check(const struct nslab_host_root *root, const char *file,
			   const struct nslab_host_undo *undo, struct nslab_err *err)
{
	struct nslab_host_undo here;

	nslab_host_undo_init(&here, root);
	if (strcmp(here.root, undo->root))
		return nslab_fail(err, -EINVAL,
				  "undo file '%s' is for root '%.400s', not for '%.400s'", file,
				  undo->root, here.root);
	if (strcmp(here.boot, undo->boot))
		return nslab_fail(err, -EINVAL,
				  "undo file '%s' is of another boot: its settings are gone, "
				  "remove it",
				  file);
	for (size_t i = 0; i < undo->nr; i++) {
		if (!tune_may_write(undo->files[i].path))
			return nslab_fail(err, -EINVAL,
					  "undo file '%s' names '%.400s', which is never tuned",
					  file, undo->files[i].path);
	}
	return 0;
}

static int tune_restore_all(const struct nslab_host_root *root, const char *file,
			    const struct nslab_host_undo *undo, struct nslab_err *err)
{
	int rc = 0;

	for (size_t i = undo->nr; i--;) {
		const struct nslab_host_bytes *old = &undo->files[i];
		int this_rc = tune_restore(root, old->path, old->bytes, old->nr);

		if (this_rc && !rc)
			rc = nslab_fail(err, this_rc == -ENOENT ? -ENXIO : this_rc,
					"cannot restore '%.400s': %s; undo file '%.400s' is kept",
					old->path, strerror(-this_rc), file);
	}
	if (!rc && unlink(file))
		rc = nslab_fail(err, -errno, "cannot remove undo file '%s': %s", file,
				strerror(errno));
	return rc;
}

int nslab_host_tune_reset(const struct nslab_host_root *root, const char *file, size_t *nr,
			  struct nslab_err *err)
{
	struct nslab_host_undo undo;
	int rc = nslab_host_undo_read(file, &undo, err);

	if (rc == -ENOENT)
		nslab_fail(err, rc, "nothing to reset: there is no undo file '%s'", file);
	if (!rc)
		rc = tune_undo_check(root, file, &undo, err);
	*nr = undo.nr;
	if (!rc)
		rc = tune_restore_all(root, file, &undo, err);
	nslab_host_undo_free(&undo);
	return rc;
}

int nslab_host_undo_path(char *path, size_t path_bytes, struct nslab_err *err)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int len;

	if (state && *state == '/')
		len = snprintf(path, path_bytes, "%s/numaslab/env-undo", state);
	else if (home && *home == '/')
		len = snprintf(path, path_bytes, "%s/.local/state/numaslab/env-undo", home);
	else
		return nslab_fail(err, -EINVAL, "where to keep the undo file? give --undo FILE");
	if (len < 0 || (size_t)len >= path_bytes)
		return nslab_fail(err, -ENAMETOOLONG, "the path of the undo file is too long");
	return 0;
}
