/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * undo.h: the file that remembers what settings were before they were changed.
 *
 *	numaslab undo 1
 *	root <TAB> FOLDER that the paths are seen from, "/" for the machine
 *	boot <TAB> /proc/sys/kernel/random/boot_id of that root, or "unknown"
 *	file <TAB> PATH <TAB> the bytes it held     (one line for each file, in order of change)
 *	end <TAB> number of file lines
 *
 * Bytes that are not printable ASCII, and the backslash, are written as \xHH. Owner and mode of the
 * files are not kept, since they are never changed.
 */
#ifndef NSLAB_HOST_UNDO_H
#define NSLAB_HOST_UNDO_H

#include "runner/host/files.h"

struct nslab_host_bytes {
	char *path;
	char *bytes; /* with a 0 behind them */
	size_t nr;
};

struct nslab_host_undo {
	char root[PATH_MAX];
	char boot[64];
	size_t nr, room;
	struct nslab_host_bytes *files;
};

void nslab_host_undo_init(struct nslab_host_undo *undo, const struct nslab_host_root *root);
void nslab_host_undo_free(struct nslab_host_undo *undo);
bool nslab_host_undo_holds(const struct nslab_host_undo *undo, const char *path);
/* Copies both. -ENOMEM. */
int nslab_host_undo_add(struct nslab_host_undo *undo, const char *path, const char *bytes,
			size_t nr);

/* -ENOENT without an error text when there is no file; else what is wrong, with its line. Free the
 * undo in any case. */
int nslab_host_undo_read(const char *file, struct nslab_host_undo *undo, struct nslab_err *err);
/* The first `nr` files. The file is replaced as a whole, and is on the disk when this returns;
 * missing folders are made. */
int nslab_host_undo_write(const char *file, const struct nslab_host_undo *undo, size_t nr,
			  struct nslab_err *err);

#endif
