/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * machines.c: finds and loads the topologies that tests look at.
 *
 * Two recorded machines are part of the repository, so that every test has something real to read;
 * a folder beside the repository may hold more. A machine that does not load fails the test that
 * asked for it, with the error's text. Temporary files are made in TMPDIR and removed by whoever
 * asked for them.
 */
#define _GNU_SOURCE
#include "machines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <glob.h>

static int add(struct machines *machines, const char *folder)
{
	char pattern[512];
	glob_t found;
	int nr = 0;

	snprintf(pattern, sizeof(pattern), "%s/*.xml", folder);
	if (glob(pattern, 0, NULL, &found))
		return 0;
	for (size_t i = 0; i < found.gl_pathc && machines->nr < MACHINES_MAX; i++, nr++)
		snprintf(machines->paths[machines->nr++], sizeof(machines->paths[0]), "%s",
			 found.gl_pathv[i]);
	globfree(&found);
	return nr;
}

void machines_find(struct machines *machines)
{
	const char *shared = getenv("NUMASLAB_SHARED");
	char folder[400];

	memset(machines, 0, sizeof(*machines));
	add(machines, NSLAB_TOPOLOGY_DATA);
	snprintf(folder, sizeof(folder), "%s/data/topologies",
		 shared ? shared : NSLAB_TOPOLOGY_SHARED);
	machines->nr_shared = add(machines, folder);
}

static struct nslab_topo *load(const struct nslab_topo_source *source)
{
	struct nslab_topo *topo = NULL;
	struct nslab_err err = {""};

	if (nslab_topo_load(source, &topo, &err))
		fail_msg("%s", err.text);
	return topo;
}

struct nslab_topo *machine_synthetic(const char *text)
{
	return load(&(struct nslab_topo_source){NSLAB_TOPO_SYNTHETIC, text, 0});
}

struct nslab_topo *machine_simulated(const char *text, int nr_nodes)
{
	return load(&(struct nslab_topo_source){NSLAB_TOPO_SYNTHETIC, text, nr_nodes});
}

struct nslab_topo *machine_xml(const char *path)
{
	return load(&(struct nslab_topo_source){NSLAB_TOPO_XML, path, 0});
}

struct nslab_topo *machine_recorded(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", NSLAB_TOPOLOGY_DATA, name);
	return machine_xml(path);
}

char *machine_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text;
	long len;

	if (!file || fseek(file, 0, SEEK_END))
		fail_msg("cannot open '%s'", path);
	len = ftell(file);
	rewind(file);
	text = calloc(1, (size_t)len + 1);
	assert_non_null(text);
	assert_int_equal(fread(text, 1, (size_t)len, file), len);
	fclose(file);
	return text;
}

void machine_write(char *path, const char *text, size_t len)
{
	const char *folder = getenv("TMPDIR");
	FILE *file;
	int fd;

	snprintf(path, 64, "%.40s/nslab-XXXXXX", folder ? folder : "/tmp");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

struct nslab_topo *machine_altered(const char *name, const char *from, const char *to)
{
	char path[512], temporary[64];
	struct nslab_topo *topo;
	char *text, *at;
	int nr = 0;

	assert_int_equal(strlen(from), strlen(to));
	snprintf(path, sizeof(path), "%s/%s", NSLAB_TOPOLOGY_DATA, name);
	text = machine_text(path);
	for (at = strstr(text, from); at; at = strstr(at, from), nr++)
		memcpy(at, to, strlen(to));
	assert_true(nr > 0);
	machine_write(temporary, text, strlen(text));
	topo = machine_xml(temporary);
	unlink(temporary);
	free(text);
	return topo;
}
