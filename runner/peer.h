/* SPDX-License-Identifier: GPL-2.0-only */
/* peer.h: where a peer allocator's shared library is on this machine, and which version it is. */
#ifndef NSLAB_PEER_H
#define NSLAB_PEER_H

#include <stddef.h>

/* Full path of a shared library, e.g. "libjemalloc.so.2"; -ENOENT when no library folder has it. */
int nslab_peer_library(const char *soname, char *path, size_t path_bytes);

/*
 * Which release it is: the version of the package that owns the file ("5.3.0-1"), else the name of
 * the real file ("libmimalloc.so.2.0"); "glibc 2.36", this process's C library, when path is NULL.
 */
int nslab_peer_version(const char *path, char *version, size_t version_bytes);

/* From the package manager's files in the folder dpkg; -ENOENT when it knows no such file. */
int nslab_peer_package_version(const char *dpkg, const char *real, char *version,
			       size_t version_bytes);

#endif
