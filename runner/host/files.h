/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * files.h: the files in which a kernel shows its settings, below a root that may be a copy.
 *
 * Paths are absolute as seen from that root: "/proc/version". Nothing is ever created, and no link
 * leads out of a root that is not the machine's own.
 */
#ifndef NSLAB_HOST_FILES_H
#define NSLAB_HOST_FILES_H

#include "core/err.h"

#include <limits.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <stddef.h>

#define NSLAB_HOST_FILE_BYTES_MAX (8u << 20) /* more is not read: -EFBIG */

struct nslab_host_root {
	int fd;
	bool is_machine;
	char path[PATH_MAX]; /* resolved; "/" for the machine */
};

/* sysroot: a folder; NULL or "/" is the machine itself. */
int nslab_host_root_open(const char *sysroot, struct nslab_host_root *root, struct nslab_err *err);
void nslab_host_root_close(struct nslab_host_root *root);

/* The whole file and a 0 behind it; *text is the caller's to free. bytes may be NULL. */
int nslab_host_read(const struct nslab_host_root *root, const char *path, char **text,
		    size_t *bytes);
/* The first word of the file, or "unknown". */
void nslab_host_read_word(const struct nslab_host_root *root, const char *path, char *word,
			  size_t word_bytes);
/* Takes white space off the end. */
void nslab_host_trim(char *text);
/* Replaces what the file holds, by one write. -ENOENT when it is not there. */
int nslab_host_write(const struct nslab_host_root *root, const char *path, const char *bytes,
		     size_t nr);

struct nslab_host_paths {
	size_t nr;
	char **paths; /* as seen from the root, sorted with numbers as numbers */
};

/* Files that match PATTERN ('*', '?', '[]'); none is no error. Free the list also then. */
int nslab_host_match(const struct nslab_host_root *root, const char *pattern,
		     struct nslab_host_paths *paths);
void nslab_host_paths_free(struct nslab_host_paths *paths);

#endif
