/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle_guest.c: a kernel in QEMU that tells its caches, by the scripts of tuner/guest/.
 *
 * kernel.sh fetches Debian's kernel once, guest.sh packs an initramfs of busybox, boots it without
 * help of hardware and brings files back over a serial port; both are installed beside the plans.
 * They are looked for beside the program, never in the working directory, since they are run. Every
 * argument reaches QEMU as one word: no text of a user passes a shell, on this side or in the
 * guest, whose own command is a constant. What goes in and comes out lies in a folder below TMPDIR
 * that is removed at the end.
 *
 * Invariant: after a run, `why` is empty or all tables were read. Left out: what they mean
 * (oracle.c).
 */
#define _GNU_SOURCE
#include "tuner/oracle_impl.h"

#include "core/child.h"
#include "core/folders.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GUEST_NODE_MIB	   384 /* a kernel with its initramfs, and room to make no difference */
#define GUEST_LIMIT_S	   60  /* and 10 for each CPU: they share one thread */
#define GUEST_TEXT_BYTES   4096
#define GUEST_WORDS	   96
#define GUEST_UNSUPPORTED  77  /* of kernel.sh */
#define GUEST_BAD_USE	   126 /* of guest.sh: something is missing here */
#define GUEST_SCRIPT_BYTES (1 << 20)

static const char guest_command[] =
	"uname -r >/out/release\n"
	"sh /in/slab_tsv.sh >/out/booted.tsv\n"
	"[ -e /in/apply ] || exit 0\n"
	"sh /in/apply --skip-missing >/out/apply.txt 2>&1; echo $? >/out/apply.status\n"
	"sh /in/slab_tsv.sh >/out/applied.tsv\n"
	"sh /in/undo --skip-missing >/out/undo.txt 2>&1; echo $? >/out/undo.status\n"
	"sh /in/slab_tsv.sh >/out/undone.tsv\n";

static const char *const guest_scratch_files[] = {"out/release",
						  "out/booted.tsv",
						  "out/applied.tsv",
						  "out/undone.tsv",
						  "out/apply.txt",
						  "out/apply.status",
						  "out/undo.status",
						  "out/undo.txt",
						  "out",
						  "apply",
						  "undo"};

struct guest_paths {
	char folder[PATH_MAX - 32]; /* of the scripts */
	char scratch[PATH_MAX - 32];
	char kernel[PATH_MAX];
};

/* ---- what is needed ---- */

static int guest_find_scripts(struct guest_paths *paths, struct nslab_err *err)
{
	struct nslab_folders folders;
	char script[PATH_MAX];

	nslab_folders_list(&folders, "NUMASLAB_GUEST", "tuner/guest", "guest");
	for (int i = 0; i < NSLAB_NR_FOLDERS; i++) {
		/* 1 is the working directory: not a place to run scripts from */
		if (i == 1 || !*folders.path[i] || strlen(folders.path[i]) >= sizeof(paths->folder))
			continue;
		strcpy(paths->folder, folders.path[i]);
		snprintf(script, sizeof(script), "%s/guest.sh", paths->folder);
		if (!access(script, R_OK))
			return 0;
	}
	return nslab_fail(err, -ENOTSUP,
			  "cannot find 'guest.sh': it is installed in share/numaslab/guest beside "
			  "the program, or its folder is given in NUMASLAB_GUEST");
}

static int guest_cache_folder(const struct nslab_oracle_guest *guest, char *path,
			      struct nslab_err *err)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	int len;

	if (guest->cache_folder)
		len = snprintf(path, PATH_MAX, "%s", guest->cache_folder);
	else if (xdg && *xdg == '/')
		len = snprintf(path, PATH_MAX, "%s/numaslab/kernels", xdg);
	else if (home && *home)
		len = snprintf(path, PATH_MAX, "%s/.cache/numaslab/kernels", home);
	else
		return nslab_fail(err, -ENOTSUP,
				  "no folder to keep a kernel in: HOME and XDG_CACHE_HOME are not "
				  "set");
	if (len >= PATH_MAX)
		return nslab_fail(err, -ENAMETOOLONG,
				  "cannot keep a kernel in a folder of %d bytes", len);
	return 0;
}

/* The last line of what a program said. */
static const char *guest_last_line(char *text)
{
	char *line;

	for (size_t len = strlen(text); len && text[len - 1] == '\n';)
		text[--len] = '\0';
	line = strrchr(text, '\n');
	return line ? line + 1 : text;
}

static int guest_fetch_kernel(const struct nslab_oracle_guest *guest, struct guest_paths *paths,
			      struct nslab_err *err)
{
	char script[PATH_MAX], folder[PATH_MAX], series[32], text[GUEST_TEXT_BYTES];
	char *argv[] = {(char[]){"bash"}, script, folder, series, NULL};
	const char *last;
	int rc = guest_cache_folder(guest, folder, err);

	if (rc)
		return rc;
	snprintf(script, sizeof(script), "%s/kernel.sh", paths->folder);
	snprintf(series, sizeof(series), "%s", guest->series);
	rc = nslab_child_run(NULL, argv, text, sizeof(text));
	last = guest_last_line(text);
	if (rc < 0)
		return nslab_fail(err, -ENOTSUP, "cannot run 'bash': %s", strerror(-rc));
	if (rc)
		return nslab_fail(err, -ENOTSUP, "cannot get kernel %s: %.300s; give a vmlinuz",
				  guest->series, strncmp(last, "skip: ", 6) ? last : last + 6);
	snprintf(paths->kernel, sizeof(paths->kernel), "%s", last);
	return 0;
}

static int guest_find_kernel(const struct nslab_oracle_guest *guest, struct guest_paths *paths,
			     struct nslab_err *err)
{
	if (!guest->file)
		return guest_fetch_kernel(guest, paths, err);
	if (!realpath(guest->file, paths->kernel) || access(paths->kernel, R_OK))
		return nslab_fail(err, -errno, "cannot read kernel '%s': %s", guest->file,
				  strerror(errno));
	return 0;
}

/* ---- files in and out ---- */

static int guest_copy(const char *from, const struct guest_paths *paths, const char *name,
		      struct nslab_err *err)
{
	char path[PATH_MAX], *bytes = malloc(GUEST_SCRIPT_BYTES);
	FILE *in = NULL, *out = NULL;
	size_t len = 0;
	int rc = -ENOMEM;

	if (!bytes)
		goto out_fail;
	snprintf(path, sizeof(path), "%s/%s", paths->scratch, name);
	in = fopen(from, "re");
	out = in ? fopen(path, "we") : NULL;
	rc = out ? 0 : -errno;
	if (!rc)
		len = fread(bytes, 1, GUEST_SCRIPT_BYTES, in);
	if (!rc && (ferror(in) || !feof(in)))
		rc = ferror(in) ? -EIO : -EFBIG;
	if (!rc && fwrite(bytes, 1, len, out) != len)
		rc = -EIO;
	if (in)
		fclose(in);
	if (out && fclose(out) && !rc)
		rc = -EIO;
out_fail:
	free(bytes);
	return rc ? nslab_fail(err, rc, "cannot bring '%s' into the guest: %s", from, strerror(-rc))
		  : 0;
}

static int guest_make_scratch(const struct nslab_oracle_guest *guest, struct guest_paths *paths,
			      struct nslab_err *err)
{
	const char *below = getenv("TMPDIR");
	int rc = 0;

	if (snprintf(paths->scratch, sizeof(paths->scratch), "%s/numaslab-oracle-XXXXXX",
		     below && *below ? below : "/tmp") >= (int)sizeof(paths->scratch))
		rc = -ENAMETOOLONG;
	else if (!mkdtemp(paths->scratch))
		rc = -errno;
	if (rc) {
		*paths->scratch = '\0';
		return nslab_fail(err, rc, "cannot make a folder for the guest: %s", strerror(-rc));
	}
	if (guest->sysfs_script)
		rc = guest_copy(guest->sysfs_script, paths, "apply", err);
	if (!rc && guest->sysfs_script)
		rc = guest_copy(guest->sysfs_undo, paths, "undo", err);
	return rc;
}

static void guest_remove_scratch(const struct guest_paths *paths)
{
	char path[PATH_MAX];

	if (!*paths->scratch)
		return;
	for (size_t i = 0; i < sizeof(guest_scratch_files) / sizeof(*guest_scratch_files); i++) {
		snprintf(path, sizeof(path), "%s/%s", paths->scratch, guest_scratch_files[i]);
		remove(path);
	}
	rmdir(paths->scratch);
}

/* The last line of a file that the guest left; "" when there is none. */
static void guest_read(const struct guest_paths *paths, const char *name, char *text,
		       size_t text_bytes)
{
	char path[PATH_MAX], bytes[GUEST_TEXT_BYTES];
	FILE *in;
	size_t len = 0;

	snprintf(path, sizeof(path), "%s/out/%s", paths->scratch, name);
	in = fopen(path, "re");
	if (in) {
		len = fread(bytes, 1, sizeof(bytes) - 1, in);
		fclose(in);
	}
	bytes[len] = '\0';
	snprintf(text, text_bytes, "%s", guest_last_line(bytes));
}

static int guest_status(const struct guest_paths *paths, const char *name)
{
	char text[16];

	guest_read(paths, name, text, sizeof(text));
	return *text ? atoi(text) : GUEST_BAD_USE;
}

static int guest_read_table(const struct guest_paths *paths, const char *name,
			    struct nslab_slab_table *table, struct nslab_err *err)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/out/%s", paths->scratch, name);
	return nslab_slab_table_read(path, table, err);
}

static int guest_read_all(struct nslab_oracle_guest *guest, const struct guest_paths *paths,
			  struct nslab_err *err)
{
	int rc = guest_read_table(paths, "booted.tsv", &guest->booted, err);

	guest_read(paths, "release", guest->release, sizeof(guest->release));
	if (rc || !guest->sysfs_script)
		return rc;
	guest->apply_status = guest_status(paths, "apply.status");
	guest->undo_status = guest_status(paths, "undo.status");
	if (guest->apply_status || guest->undo_status)
		guest_read(paths, guest->apply_status ? "apply.txt" : "undo.txt",
			   guest->script_text, sizeof(guest->script_text));
	rc = guest_read_table(paths, "applied.tsv", &guest->applied, err);
	return rc ? rc : guest_read_table(paths, "undone.tsv", &guest->undone, err);
}

/* ---- the boot ---- */

struct guest_words {
	char *argv[GUEST_WORDS];
	size_t nr;
	int rc;
};

__attribute__((format(printf, 2, 3))) static void guest_say(struct guest_words *words,
							    const char *format, ...)
{
	va_list args;

	if (words->rc || words->nr + 1 >= GUEST_WORDS) {
		words->rc = -E2BIG;
		return;
	}
	va_start(args, format);
	if (vasprintf(&words->argv[words->nr], format, args) < 0)
		words->rc = -ENOMEM;
	else
		words->nr++;
	va_end(args);
}

static void guest_say_two(struct guest_words *words, const char *option, const char *value)
{
	guest_say(words, "%s", option);
	guest_say(words, "%s", value);
}

/* CPUs go to the nodes one by one; nodes that are left over have memory only. */
static void guest_say_nodes(struct guest_words *words, const struct nslab_oracle_guest *guest)
{
	for (int i = 0; i < guest->nr_nodes; i++) {
		int cpus =
			guest->nr_cpus / guest->nr_nodes + (i < guest->nr_cpus % guest->nr_nodes);

		guest_say(words, "--node");
		guest_say(words, "cpus=%d,mib=%d", cpus, GUEST_NODE_MIB);
	}
}

static void guest_say_all(struct guest_words *words, const struct nslab_oracle_guest *guest,
			  const struct guest_paths *paths)
{
	guest_say(words, "bash");
	guest_say(words, "%s/guest.sh", paths->folder);
	guest_say_two(words, "--kernel", paths->kernel);
	guest_say_two(words, "--append", guest->command_line);
	guest_say_nodes(words, guest);
	guest_say(words, "--file");
	guest_say(words, "%s/slab_tsv.sh", paths->folder);
	for (int i = 0; guest->sysfs_script && i < 2; i++) {
		guest_say(words, "--file");
		guest_say(words, "%s/%s", paths->scratch, i ? "undo" : "apply");
	}
	guest_say(words, "--out");
	guest_say(words, "%s/out", paths->scratch);
	guest_say(words, "--limit");
	guest_say(words, "%d", GUEST_LIMIT_S + 10 * guest->nr_cpus);
	guest_say(words, "%s", guest_command);
}

static int guest_boot(struct nslab_oracle_guest *guest, const struct guest_paths *paths,
		      struct nslab_err *err)
{
	struct guest_words words = {.nr = 0};
	char text[GUEST_TEXT_BYTES];
	const char *last;
	int rc;

	guest_say_all(&words, guest, paths);
	rc = words.rc;
	if (!rc)
		rc = nslab_child_run(NULL, words.argv, text, sizeof(text));
	for (size_t i = 0; i < words.nr; i++)
		free(words.argv[i]);
	if (rc < 0)
		return nslab_fail(err, rc, "cannot boot a guest: %s", strerror(-rc));
	last = rc ? guest_last_line(text) : "";
	if (rc == GUEST_BAD_USE)
		return nslab_fail(
			err, -ENOTSUP,
			"cannot boot a guest: %.300s; the Debian packages qemu-system-x86, "
			"busybox-static and cpio are needed",
			last);
	snprintf(guest->why, sizeof(guest->why), "%s", last);
	if (rc && !*guest->why)
		snprintf(guest->why, sizeof(guest->why), "the guest ended with status %d", rc);
	return 0;
}

int nslab_oracle_guest_run(struct nslab_oracle_guest *guest, struct nslab_err *err)
{
	struct guest_paths paths = {.scratch = ""};
	int rc = guest_find_scripts(&paths, err);

	if (!rc && guest->talk)
		fprintf(guest->talk, "kernel %s%s\n", guest->file ? guest->file : guest->series,
			guest->file ? "" : ", fetched once");
	if (!rc)
		rc = guest_find_kernel(guest, &paths, err);
	if (!rc)
		rc = guest_make_scratch(guest, &paths, err);
	if (!rc && guest->talk)
		fprintf(guest->talk, "booting it, %d CPU%s, %d node%s: %s\n", guest->nr_cpus,
			guest->nr_cpus == 1 ? "" : "s", guest->nr_nodes,
			guest->nr_nodes == 1 ? "" : "s",
			*guest->command_line ? guest->command_line : "no slab parameters");
	if (!rc)
		rc = guest_boot(guest, &paths, err);
	if (!rc && !*guest->why)
		rc = guest_read_all(guest, &paths, err);
	guest_remove_scratch(&paths);
	return rc;
}

void nslab_oracle_guest_free(struct nslab_oracle_guest *guest)
{
	nslab_slab_table_free(&guest->booted);
	nslab_slab_table_free(&guest->applied);
	nslab_slab_table_free(&guest->undone);
}
