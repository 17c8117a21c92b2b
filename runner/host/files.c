/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * files.c: reads and writes settings below a root folder.
 *
 * The machine's own root is opened like any other path. Another root (a copied tree, a fixture) is
 * entered by openat2 with RESOLVE_IN_ROOT, so that neither ".." nor an absolute link leads out of
 * it, whatever the tree holds; where the kernel or a filter refuses openat2 such a root is refused
 * too. Files are opened without O_CREAT and without blocking: a pipe or a lease cannot stop the
 * program. A write is one write(), as attributes of sysfs want it; O_TRUNC matters only to copies.
 */
#define _GNU_SOURCE
#include "runner/host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int host_open(const struct nslab_host_root *root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
		.resolve = root->is_machine ? 0 : RESOLVE_IN_ROOT,
	};
	long fd;

	if (root->is_machine)
		fd = open(path, (int)how.flags);
	else
		fd = syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	return fd < 0 ? -errno : (int)fd;
}

int nslab_host_root_open(const char *sysroot, struct nslab_host_root *root, struct nslab_err *err)
{
	int rc;

	*root = (struct nslab_host_root){.fd = -1};
	if (!realpath(sysroot ? sysroot : "/", root->path)) {
		rc = -errno;
		return nslab_fail(err, rc, "cannot open root '%s': %s", sysroot, strerror(-rc));
	}
	root->is_machine = !strcmp(root->path, "/");
	root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rc = root->fd < 0 ? -errno : 0;
	if (!rc && !root->is_machine) {
		int fd = host_open(root, ".", O_RDONLY | O_DIRECTORY);

		if (fd < 0)
			rc = fd;
		else
			close(fd);
	}
	if (!rc)
		return 0;
	nslab_host_root_close(root);
	return nslab_fail(err, rc, "cannot open root '%s': %s", sysroot, strerror(-rc));
}

void nslab_host_root_close(struct nslab_host_root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	root->fd = -1;
}

/* Attributes do not tell their length, so the buffer grows until nothing more comes. */
static int host_read_all(int fd, char **text, size_t *bytes)
{
	size_t nr = 0, room = 4096;
	char *buffer = malloc(room);

	while (buffer) {
		ssize_t got = read(fd, buffer + nr, room - nr - 1);
		char *more;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			int rc = got ? -errno : 0;

			buffer[nr] = '\0';
			*text = buffer;
			*bytes = nr;
			return rc;
		}
		nr += (size_t)got;
		if (room - nr > 1)
			continue;
		if (room >= NSLAB_HOST_FILE_BYTES_MAX) {
			*text = buffer;
			return -EFBIG;
		}
		room *= 2;
		more = realloc(buffer, room);
		if (!more)
			free(buffer);
		buffer = more;
	}
	return -ENOMEM;
}

int nslab_host_read(const struct nslab_host_root *root, const char *path, char **text,
		    size_t *bytes)
{
	int fd = host_open(root, path, O_RDONLY);
	size_t nr = 0;
	int rc;

	*text = NULL;
	if (fd < 0)
		return fd;
	rc = host_read_all(fd, text, &nr);
	close(fd);
	if (rc) {
		free(*text);
		*text = NULL;
	}
	if (bytes)
		*bytes = nr;
	return rc;
}

void nslab_host_trim(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(" \n\t", text[n - 1]))
		n--;
	text[n] = '\0';
}

void nslab_host_read_word(const struct nslab_host_root *root, const char *path, char *word,
			  size_t word_bytes)
{
	char *text;

	snprintf(word, word_bytes, "unknown");
	if (nslab_host_read(root, path, &text, NULL))
		return;
	text[strcspn(text, " \t\n")] = '\0';
	if (*text)
		snprintf(word, word_bytes, "%s", text);
	free(text);
}

int nslab_host_write(const struct nslab_host_root *root, const char *path, const char *bytes,
		     size_t nr)
{
	int fd = host_open(root, path, O_WRONLY | O_TRUNC);
	ssize_t done;
	int rc = 0;

	if (fd < 0)
		return fd;
	done = nr ? write(fd, bytes, nr) : 0;
	if (done < 0)
		rc = -errno;
	else if ((size_t)done != nr)
		rc = -EIO;
	if (close(fd) && !rc)
		rc = -errno;
	return rc;
}

/* The root may hold characters that mean something to glob(). */
static char *host_pattern(const struct nslab_host_root *root, const char *pattern)
{
	size_t nr = strlen(root->path);
	char *full = malloc(2 * nr + strlen(pattern) + 1);
	char *at = full;

	if (!full)
		return NULL;
	for (size_t i = 0; !root->is_machine && i < nr; i++) {
		if (strchr("*?[]\\", root->path[i]))
			*at++ = '\\';
		*at++ = root->path[i];
	}
	strcpy(at, pattern);
	return full;
}

static int host_compare(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int host_take(const struct nslab_host_root *root, const glob_t *found,
		     struct nslab_host_paths *paths)
{
	size_t skip = root->is_machine ? 0 : strlen(root->path);

	paths->paths = calloc(found->gl_pathc + 1, sizeof(*paths->paths));
	if (!paths->paths)
		return -ENOMEM;
	for (; paths->nr < found->gl_pathc; paths->nr++) {
		paths->paths[paths->nr] = strdup(found->gl_pathv[paths->nr] + skip);
		if (!paths->paths[paths->nr])
			return -ENOMEM;
	}
	qsort(paths->paths, paths->nr, sizeof(*paths->paths), host_compare);
	return 0;
}

int nslab_host_match(const struct nslab_host_root *root, const char *pattern,
		     struct nslab_host_paths *paths)
{
	char *full = host_pattern(root, pattern);
	glob_t found = {0};
	int rc;

	*paths = (struct nslab_host_paths){0};
	if (!full)
		return -ENOMEM;
	rc = glob(full, GLOB_NOSORT, NULL, &found);
	if (!rc)
		rc = host_take(root, &found, paths);
	else
		rc = rc == GLOB_NOSPACE ? -ENOMEM : 0;
	globfree(&found);
	free(full);
	return rc;
}

void nslab_host_paths_free(struct nslab_host_paths *paths)
{
	for (size_t i = 0; i < paths->nr; i++)
		free(paths->paths[i]);
	free(paths->paths);
	*paths = (struct nslab_host_paths){0};
}
