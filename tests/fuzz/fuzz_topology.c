/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_topology.c: libFuzzer feeds any bytes as hwloc XML, and as a synthetic description.
 *
 * The first byte chooses which. What is accepted must be a machine that the rest of the program can
 * walk: indexes stay inside their arrays, JSON and picture can be made. What is refused must say
 * why in one line. hwloc parses the XML itself and its libxml2 backend is switched off, so that
 * faults of that library are not found here; our reading of what it built is.
 *
 * Left out: files of more than 64 KiB, and machines of thousands of PUs: hwloc's time grows with
 * the square of their number, half a second for 2000, and under sanitizers that is a time-out.
 */
#define _GNU_SOURCE
#include "topology/topology.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUZZ_MAX_BYTES	65536
#define FUZZ_MAX_DIGITS 3 /* of a number in a description */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

static void fuzz_require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "a topology was accepted that %s\n", what);
	abort();
}

static void fuzz_check(const struct nslab_topo *topo, FILE *nowhere)
{
	json_t *json = nslab_topo_json(topo);

	fuzz_require(json != NULL, "has no JSON");
	json_decref(json);
	fuzz_require(topo->nr_pus > 0 && topo->nr_nodes > 0, "has no PU or no node");
	for (int i = 0; i < topo->nr_pus; i++) {
		const struct nslab_topo_pu *pu = &topo->pus[i];

		fuzz_require(pu->node >= -1 && pu->node < topo->nr_nodes, "has a PU of no node");
		fuzz_require(pu->l3 >= -1 && pu->l3 < topo->nr_caches, "has a PU of no cache");
		fuzz_require(nslab_topo_pu_index(topo, pu->os_index) >= 0, "loses a PU");
	}
	for (int i = 0; i < topo->nr_nodes; i++)
		fuzz_require(nslab_topo_node_index(topo, topo->nodes[i].os_index) >= 0,
			     "loses a node");
	nslab_topo_print(topo, nowhere, 80);
}

/* A number of four digits in a description, or many numbers: a machine that takes hwloc seconds. */
static bool fuzz_is_huge(const char *text)
{
	unsigned long long product = 1;

	for (; *text; text++) {
		size_t digits = strspn(text, "0123456789");
		unsigned long long count;

		if (!digits)
			continue;
		if (digits > FUZZ_MAX_DIGITS)
			return true;
		count = strtoull(text, NULL, 10);
		product *= count ? count : 1;
		if (product > 999)
			return true;
		text += digits - 1;
	}
	return false;
}

/* hwloc reads XML from a file; one of the memory keeps the disk out of it. */
static int fuzz_file(const uint8_t *data, size_t nr_bytes, char *path, size_t path_bytes)
{
	int fd = memfd_create("fuzz", 0);

	if (fd < 0 || write(fd, data, nr_bytes) != (ssize_t)nr_bytes)
		abort();
	snprintf(path, path_bytes, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
	static FILE *nowhere;
	struct nslab_topo_source source = {.origin = NSLAB_TOPO_XML};
	struct nslab_topo *topo = NULL;
	struct nslab_err err = {""};
	char path[64], text[256];
	int fd = -1, rc;

	if (!nowhere) {
		setenv("HWLOC_LIBXML", "0", 1);
		setenv("HWLOC_HIDE_ERRORS", "2", 1);
		nowhere = fopen("/dev/null", "w");
	}
	if (!nr_bytes || nr_bytes > FUZZ_MAX_BYTES)
		return -1;
	if (data[0] == '<') {
		fd = fuzz_file(data, nr_bytes, path, sizeof(path));
		source.text = path;
	} else {
		if (nr_bytes >= sizeof(text) || memchr(data, '\0', nr_bytes))
			return -1;
		memcpy(text, data, nr_bytes);
		text[nr_bytes] = '\0';
		if (fuzz_is_huge(text))
			return -1;
		source = (struct nslab_topo_source){.origin = NSLAB_TOPO_SYNTHETIC, .text = text};
	}
	rc = nslab_topo_load(&source, &topo, &err);
	if (rc)
		fuzz_require(err.text[0] && !strchr(err.text, '\n'), "was refused in no line");
	else
		fuzz_check(topo, nowhere);
	nslab_topo_free(topo);
	if (fd >= 0)
		close(fd);
	return 0;
}
