/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * peer.c: finds the shared libraries that are preloaded into a trial, without loading them.
 *
 * The folders are those that the dynamic linker would look into: LD_LIBRARY_PATH, then the lines of
 * /etc/ld.so.conf.d, then the standard folders. Only names are looked at: loading a
 * peer here would put its allocator into the runner, and asking ldconfig would start a process.
 *
 * The version is the package's, read from the files of dpkg where there are any: the number in a
 * library's file name is that of its interface (2 for jemalloc 5.3.0). Elsewhere it is the file
 * name, which says what it is.
 *
 * Left out: include lines in ld.so.conf beside the folder, hardware sub-folders, rpaths.
 */
#define _GNU_SOURCE
#include "runner/peer.h"

#include <errno.h>
#include <glob.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int peer_try(const char *folder, size_t len, const char *soname, char *path,
		    size_t path_bytes)
{
	int need = snprintf(path, path_bytes, "%.*s/%s", (int)len, folder, soname);

	if (need < 0 || (size_t)need >= path_bytes)
		return -ENAMETOOLONG;
	return access(path, R_OK) ? -ENOENT : 0;
}

static int peer_in_list(const char *folders, const char *soname, char *path, size_t path_bytes)
{
	int rc = -ENOENT;

	while (rc && folders && *folders) {
		size_t len = strcspn(folders, ":");

		if (len)
			rc = peer_try(folders, len, soname, path, path_bytes);
		folders += len + (folders[len] == ':');
	}
	return rc;
}

static int peer_in_conf(const char *conf, const char *soname, char *path, size_t path_bytes)
{
	FILE *file = fopen(conf, "re");
	char line[PATH_MAX];
	int rc = -ENOENT;

	if (!file)
		return rc;
	while (rc && fgets(line, sizeof(line), file)) {
		if (line[0] == '/')
			rc = peer_try(line, strcspn(line, " \t\r\n#"), soname, path, path_bytes);
	}
	fclose(file);
	return rc;
}

/* Every match of a shell pattern: configuration files or folders. */
static int peer_in_glob(const char *pattern, const char *soname, char *path, size_t path_bytes)
{
	glob_t found = {0};
	int rc = -ENOENT;

	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; rc && i < found.gl_pathc; i++) {
			const char *match = found.gl_pathv[i];
			const char *end = strrchr(match, '.');

			if (end && !strcmp(end, ".conf"))
				rc = peer_in_conf(match, soname, path, path_bytes);
			else
				rc = peer_try(match, strlen(match), soname, path, path_bytes);
		}
	}
	globfree(&found);
	return rc;
}

int nslab_peer_library(const char *soname, char *path, size_t path_bytes)
{
	static const char *const patterns[] = {
#ifdef __x86_64__
		"/lib/x86_64-linux-gnu",
		"/usr/lib/x86_64-linux-gnu",
#elif defined(__aarch64__)
		"/lib/aarch64-linux-gnu",
		"/usr/lib/aarch64-linux-gnu",
#endif
		"/lib64",
		"/usr/lib64",
		"/lib",
		"/usr/lib",
		"/usr/local/lib",
	};
	int rc;

	if (strchr(soname, '/')) {
		rc = snprintf(path, path_bytes, "%s", soname);
		return rc < 0 || (size_t)rc >= path_bytes ? -ENAMETOOLONG
		       : access(path, R_OK)		  ? -ENOENT
							  : 0;
	}
	rc = peer_in_list(getenv("LD_LIBRARY_PATH"), soname, path, path_bytes);
	if (rc)
		rc = peer_in_glob("/etc/ld.so.conf.d/*.conf", soname, path, path_bytes);
	for (size_t i = 0; rc && i < sizeof(patterns) / sizeof(patterns[0]); i++)
		rc = peer_in_glob(patterns[i], soname, path, path_bytes);
	return rc;
}

static bool has_line(const char *path, const char *wanted)
{
	FILE *file = fopen(path, "re");
	char line[PATH_MAX + 1];
	bool is_found = false;

	while (file && !is_found && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		is_found = !strcmp(line, wanted);
	}
	if (file)
		fclose(file);
	return is_found;
}

/* Name of the package whose list of files holds `real`: PACKAGE.list or PACKAGE:ARCH.list. */
static int owning_package(const char *dpkg, const char *real, char *package, size_t package_bytes)
{
	const char *name = strrchr(real, '/') + 1;
	char pattern[PATH_MAX];
	glob_t found = {0};
	int rc = -ENOENT;

	/* packages are called after their library; all lists would be read otherwise */
	snprintf(pattern, sizeof(pattern), "%s/info/%.*s*.list", dpkg,
		 (int)strcspn(name, "_-.0123456789"), name);
	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; rc && i < found.gl_pathc; i++) {
			const char *list = strrchr(found.gl_pathv[i], '/') + 1;
			size_t len = strlen(list) - strlen(".list");

			if (!has_line(found.gl_pathv[i], real))
				continue;
			if (memchr(list, ':', len))
				len = strcspn(list, ":");
			snprintf(package, package_bytes, "%.*s", (int)len, list);
			rc = 0;
		}
	}
	globfree(&found);
	return rc;
}

int nslab_peer_package_version(const char *dpkg, const char *real, char *version,
			       size_t version_bytes)
{
	char path[PATH_MAX], line[1024], package[256];
	bool is_in = false;
	FILE *file;
	int rc = owning_package(dpkg, real, package, sizeof(package));

	if (rc)
		return rc;
	snprintf(path, sizeof(path), "%s/status", dpkg);
	file = fopen(path, "re");
	rc = -ENOENT;
	while (file && rc && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "Package: ", 9))
			is_in = !strcmp(line + 9, package);
		if (!is_in || strncmp(line, "Version: ", 9) != 0)
			continue;
		snprintf(version, version_bytes, "%s", line + 9);
		rc = 0;
	}
	if (file)
		fclose(file);
	return rc;
}

int nslab_peer_version(const char *path, char *version, size_t version_bytes)
{
	char real[PATH_MAX];

	if (!path) {
		snprintf(version, version_bytes, "glibc %s", gnu_get_libc_version());
		return 0;
	}
	if (!realpath(path, real))
		return -errno;
	if (nslab_peer_package_version("/var/lib/dpkg", real, version, version_bytes))
		snprintf(version, version_bytes, "%s", strrchr(real, '/') + 1);
	return 0;
}
