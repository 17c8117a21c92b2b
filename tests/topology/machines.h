/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * machines.h: topologies for tests: synthetic, recorded, and recorded ones with text replaced.
 */
#ifndef NSLAB_TEST_MACHINES_H
#define NSLAB_TEST_MACHINES_H

#include "topology/topology.h"

#define MACHINES_MAX 64

/* Paths of recorded topologies: the repository's, then those of the shared folder. */
struct machines {
	char paths[MACHINES_MAX][512];
	int nr, nr_shared;
};

/* Fills the list; NUMASLAB_SHARED names the shared folder. */
void machines_find(struct machines *machines);

/* Loads and fails the test when that does not work. */
struct nslab_topo *machine_synthetic(const char *text);
struct nslab_topo *machine_simulated(const char *text, int nr_nodes);
struct nslab_topo *machine_xml(const char *path);
struct nslab_topo *machine_recorded(const char *name); /* of the repository */

/* The text of a file; the caller frees. */
char *machine_text(const char *path);

/* A temporary file holding text; `path` must have room for 64 bytes. */
void machine_write(char *path, const char *text, size_t len);

/* Loads a recorded machine after replacing every `from` by `to`, of equal length. */
struct nslab_topo *machine_altered(const char *name, const char *from, const char *to);

#endif
