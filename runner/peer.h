/* SPDX-License-Identifier: GPL-2.0-only */
/* peer.h: where a peer allocator's shared library is on this machine, and which version it is. */
#ifndef NSLAB_PEER_H
#define NSLAB_PEER_H

#include <stddef.h>

/* Full path of a shared library, e.g. "libjemalloc.so.2"; -ENOENT when no library folder has it. */
int nslab_peer_library(const char *soname, char *path, size_t path_bytes);

/*
 * What the library calls itself: the version in its real file name ("2.0" for libmimalloc.so.2.0),
 * or "glibc 2.36" of this process's C library when path is NULL.
 */
int nslab_peer_version(const char *path, char *version, size_t version_bytes);

#endif
