/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_new.c: `numaslab new allocator NAME`: a plug-in that compiles and passes the suite.
 *
 * The files come from templates in which @name@ and @NAME@ stand for the name in lower and upper
 * case. Templates lie in a folder `templates`, looked for in NUMASLAB_DATA_DIR, in the installation
 * that the program belongs to, and in the checkout that it was built in. All files are checked
 * before the first is written, and a file that exists is never touched: then nothing is written at
 * all. Without templates the command is skipped (77), since nothing of the request was wrong.
 *
 * Left out: other kinds of plug-ins, which are small enough to start from one in the tree.
 */
#define _GNU_SOURCE
#include "cli/command.h"
#include "runner/world.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_NAME_MAX	 32
#define NEW_NR_FILES	 2
#define NEW_FOLDER_MAX	 3072
#define NEW_TEMPLATE_MAX (1 << 20) /* bytes */

static int new_command(int argc, char **argv);

const struct nslab_command nslab_command_new = {
	.name = "new",
	.summary = "write a plug-in to start from, which compiles and passes the suite",
	.usage = "allocator NAME",
	.run = new_command,
};

struct new_file {
	char path[PATH_MAX]; /* to write */
	char *text;	     /* of the template */
};

struct new_job {
	const char *name;
	const char *folder; /* to write to */
	char folder_text[NEW_FOLDER_MAX];
	bool is_json;
	struct new_file files[NEW_NR_FILES];
};

/* ---- templates ---- */

/* The whole file, or NULL. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = file ? calloc(1, NEW_TEMPLATE_MAX) : NULL;

	if (text)
		text[fread(text, 1, NEW_TEMPLATE_MAX - 1, file)] = '\0';
	if (file)
		fclose(file);
	return text;
}

static char *read_template_in(const char *folder, const char *name)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/%s", folder, name);

	return len < (int)sizeof(path) ? read_file(path) : NULL;
}

/* Folders are reached from the program's own place, so that an installation may be moved. */
static char *read_template_beside_program(const char *name)
{
	static const char *const below[] = {"../share/numaslab/templates",
					    "../../examples/templates",
					    "../../../examples/templates"};
	char self[NEW_FOLDER_MAX], folder[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *text = NULL, *slash;

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	for (size_t i = 0; !text && i < sizeof(below) / sizeof(*below); i++) {
		snprintf(folder, sizeof(folder), "%s/%s", self, below[i]);
		text = read_template_in(folder, name);
	}
	return text;
}

static int read_template(const char *name, char **text, struct nslab_err *err)
{
	const char *asked = getenv("NUMASLAB_DATA_DIR");
	char folder[NEW_FOLDER_MAX];

	*text = NULL;
	if (asked && *asked &&
	    snprintf(folder, sizeof(folder), "%s/templates", asked) < (int)sizeof(folder))
		*text = read_template_in(folder, name);
	if (!*text)
		*text = read_template_beside_program(name);
	if (*text)
		return 0;
	return nslab_fail(err, -ENOENT,
			  "cannot find template '%s'; set NUMASLAB_DATA_DIR to the folder that has "
			  "templates/",
			  name);
}

/* ---- what was asked for ---- */

static bool is_identifier(const char *name)
{
	if (!islower((unsigned char)name[0]))
		return false;
	for (; *name; name++) {
		if (!islower((unsigned char)*name) && !isdigit((unsigned char)*name) &&
		    *name != '_')
			return false;
	}
	return true;
}

/* The name becomes functions and a file, and must be free in every numaslab that loads it. */
static int check_name(const char *name, struct nslab_err *err)
{
	struct nslab_registry *registry;
	int rc = 0;

	if (!is_identifier(name) || strlen(name) > NEW_NAME_MAX)
		return nslab_fail(
			err, -EINVAL,
			"cannot name an allocator '%s': a name is a lower-case letter, then "
			"letters, digits and _, at most %d",
			name, NEW_NAME_MAX);
	rc = nslab_registry_open(NULL, &registry, err);
	if (rc)
		return rc;
	if (nslab_registry_find(registry, NSLAB_PLUGIN_ALLOCATOR, name))
		rc = nslab_fail(err, -EEXIST,
				"cannot name an allocator '%s': there is one of that name", name);
	nslab_registry_destroy(registry);
	return rc;
}

static int check_operands(char **argv, int nr, struct nslab_err *err)
{
	if (nr && strcmp(argv[1], "allocator") != 0)
		return nslab_fail(err, -EINVAL, "cannot write a new '%s'; there is allocator",
				  argv[1]);
	if (nr != 2)
		return nslab_fail(err, -EINVAL,
				  "give a kind and a name: numaslab new allocator NAME");
	return check_name(argv[2], err);
}

/* ---- writing ---- */

static int set_paths(struct new_job *job, struct nslab_err *err)
{
	struct new_file *files = job->files;
	int len[NEW_NR_FILES];

	len[0] = snprintf(files[0].path, PATH_MAX, "%s/%s.c", job->folder, job->name);
	len[1] = snprintf(files[1].path, PATH_MAX, "%s/CMakeLists.txt", job->folder);
	for (int i = 0; i < NEW_NR_FILES; i++) {
		if (len[i] >= PATH_MAX)
			return nslab_fail(err, -ENAMETOOLONG, "cannot write into '%.64s...': %s",
					  job->folder, strerror(ENAMETOOLONG));
		if (!access(files[i].path, F_OK))
			return nslab_fail(err, -EEXIST,
					  "'%s' exists and is not touched; choose another --output",
					  files[i].path);
	}
	return 0;
}

/* The template with the name in place of its words. */
static void put_text(FILE *file, const char *text, const char *name)
{
	const char *at;

	while ((at = strchr(text, '@'))) {
		bool is_upper = !strncmp(at, "@NAME@", 6);

		fwrite(text, 1, (size_t)(at - text), file);
		text = at + 6;
		if (!is_upper && strncmp(at, "@name@", 6) != 0) {
			fputc('@', file);
			text = at + 1;
			continue;
		}
		for (const char *c = name; *c; c++)
			fputc(is_upper ? toupper((unsigned char)*c) : *c, file);
	}
	fputs(text, file);
}

static int write_file(const struct new_file *file, const char *name, struct nslab_err *err)
{
	FILE *out = fopen(file->path, "wxe"); /* x: also not one that came just now */
	bool is_bad;

	if (!out)
		return nslab_fail(err, -errno, "cannot write '%s': %s", file->path,
				  strerror(errno));
	put_text(out, file->text, name);
	is_bad = ferror(out);
	if (fclose(out) || is_bad)
		return nslab_fail(err, -EIO, "cannot write '%s': %s", file->path, strerror(errno));
	return 0;
}

static int write_files(struct new_job *job, struct nslab_err *err)
{
	int rc = 0;

	if (mkdir(job->folder, 0777) && errno != EEXIST)
		return nslab_fail(err, -errno, "cannot make folder '%s': %s", job->folder,
				  strerror(errno));
	for (int i = 0; !rc && i < NEW_NR_FILES; i++)
		rc = write_file(&job->files[i], job->name, err);
	return rc;
}

static void tell(const struct new_job *job)
{
	json_t *paths = json_array();

	for (int i = 0; i < NEW_NR_FILES; i++) {
		if (!job->is_json)
			puts(job->files[i].path);
		json_array_append_new(paths, json_string(job->files[i].path));
	}
	if (job->is_json) {
		json_t *document = json_pack("{s:s, s:s, s:O}", "kind", "allocator", "name",
					     job->name, "files", paths);

		json_dumpf(document, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(document);
	}
	json_decref(paths);
	fprintf(stderr,
		"next: cmake -S %s -B %s/build && cmake --build %s/build\n"
		"      numaslab check --plugin %s/build/%s.so\n"
		"cmake finds an installed numaslab; elsewhere say -DCMAKE_PREFIX_PATH=PREFIX\n",
		job->folder, job->folder, job->folder, job->folder, job->name);
}

static int new_run(struct new_job *job, struct nslab_err *err)
{
	static const char *const templates[NEW_NR_FILES] = {"allocator.c.in", "CMakeLists.txt.in"};
	int status = NSLAB_EXIT_DONE, rc = 0;

	for (int i = 0; i < NEW_NR_FILES; i++) {
		if (read_template(templates[i], &job->files[i].text, err)) {
			nslab_complain(err, -ENOENT);
			status = NSLAB_EXIT_SKIPPED;
			goto out_free;
		}
	}
	rc = set_paths(job, err);
	if (!rc)
		rc = write_files(job, err);
	if (rc)
		status = nslab_complain(err, rc);
	else
		tell(job);
out_free:
	for (int i = 0; i < NEW_NR_FILES; i++)
		free(job->files[i].text);
	return status;
}

static int new_command(int argc, char **argv)
{
	struct new_job job = {.name = NULL};
	const struct nslab_option rows[] = {
		{"output", 'o', NSLAB_OPTION_TEXT, &job.folder, "DIR",
		 "folder for the files, made when it is not there (default: NAME)"},
		{"json", 0, NSLAB_OPTION_FLAG, &job.is_json, NULL,
		 "print what was written as JSON"},
		{.name = NULL},
	};
	struct nslab_err err = {""};
	int nr_operands, rc;
	int status = nslab_options_parse(&nslab_command_new, rows, argc, argv, &nr_operands);

	if (status >= 0)
		return status;
	rc = check_operands(argv, nr_operands, &err);
	if (rc)
		return nslab_complain(&err, rc);
	job.name = argv[2];
	if (!job.folder || !*job.folder) {
		snprintf(job.folder_text, sizeof(job.folder_text), "%s", job.name);
		job.folder = job.folder_text;
	}
	return new_run(&job, &err);
}
