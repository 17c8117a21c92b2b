/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * env_tree.h: copies of the made-up servers of tests/data/sysroots/, in a folder of this process.
 */
#ifndef ENV_TREE_H
#define ENV_TREE_H

#include "runner/host/probes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CPU0 "/sys/devices/system/cpu/cpu0/"
#define CPUS "/sys/devices/system/cpu/"
#define MM   "/sys/kernel/mm/"

static char env_dir[] = "/tmp/numaslab-env-XXXXXX";

/* ---- trees ---- */

__attribute__((format(printf, 1, 2))) static inline void shell(const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static inline int make_trees(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(env_dir));
	shell("bash '%s' %s", TEST_SYSROOTS, env_dir);
	return 0;
}

static inline int remove_trees(void **state)
{
	(void)state;
	shell("rm -rf %s", env_dir);
	return 0;
}

struct tree {
	struct nslab_host_root root;
	char undo[128];
	char path[64];
};

/* A copy of one of the trees, or (NULL) an empty one. */
static inline struct tree tree_open(const char *kind)
{
	struct tree tree = {.undo = ""};

	snprintf(tree.path, sizeof(tree.path), "%s/tree", env_dir);
	snprintf(tree.undo, sizeof(tree.undo), "%s/state/deep/undo", env_dir);
	shell("cd %s && rm -rf tree state && mkdir -p state/deep && %s %s tree", env_dir,
	      kind ? "cp -a" : "mkdir", kind ? kind : "");
	assert_int_equal(nslab_host_root_open(tree.path, &tree.root, NULL), 0);
	return tree;
}

/* Folders are made, and a file that is not writable gives way to one that is. */
static inline void tree_put(const struct tree *tree, const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", tree->path, path);
	if (access(full, W_OK))
		shell("rm -f '%s' && mkdir -p \"$(dirname '%s')\"", full, full);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static inline void assert_tree_says(const struct tree *tree, const char *path, const char *text)
{
	char *now;

	assert_int_equal(nslab_host_read(&tree->root, path, &now, NULL), 0);
	assert_string_equal(now, text);
	free(now);
}

/* Names, modes, owners and bytes of everything in the tree. */
static inline void tree_digest(const struct tree *tree, char hex[65])
{
	char command[512];
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "cd %s && { find . -printf '%%P %%m %%U %%G %%y\\n' | sort;"
		 " find . -type f -print0 | sort -z | xargs -0 sha256sum; } | sha256sum",
		 tree->path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fread(hex, 1, 64, pipe), 64);
	hex[64] = '\0';
	assert_int_equal(pclose(pipe), 0);
}

static inline const struct nslab_host_finding *find(const struct nslab_host_report *report,
						    const char *name)
{
	for (size_t i = 0; i < report->nr; i++) {
		if (!strcmp(report->findings[i].probe->name, name))
			return &report->findings[i];
	}
	fail_msg("no probe is called '%s'", name);
	return NULL;
}

static inline size_t nr_wrong(const struct nslab_host_report *report)
{
	return nslab_host_report_count(report, NSLAB_HOST_WARN) +
	       nslab_host_report_count(report, NSLAB_HOST_REFUSE);
}

#endif
