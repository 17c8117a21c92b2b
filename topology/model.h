/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h: what the files of topology/ share about struct nslab_topo; nobody else includes it.
 */
#ifndef NSLAB_TOPOLOGY_MODEL_H
#define NSLAB_TOPOLOGY_MODEL_H

#include "topology/topology.h"

/* Largest OS index of a node or PU that is believed. */
#define NSLAB_TOPO_MAX_OS_INDEX (1 << 20)

/* Replaces the nodes by nr_nodes simulated ones. Leaves the topology as it was on -ENOMEM. */
int nslab_topo_simulate(struct nslab_topo *topo, int nr_nodes, struct nslab_err *err);

/* Intersects the PUs with the calling thread's CPU mask and tells in mask_note what is left. */
int nslab_topo_apply_mask(struct nslab_topo *topo, struct nslab_err *err);

/*
 * Position in pus[] for each OS index below *nr, -1 where there is no such PU. The caller frees.
 * NULL when memory is out.
 */
int *nslab_topo_pu_positions(const struct nslab_topo *topo, int *nr);

/* Fills pus[].home from the nodes. 0 or -ENOMEM. */
int nslab_topo_fill_homes(struct nslab_topo *topo);

/* Whether the node has memory; all have when the source gives no size for any. */
bool nslab_topo_has_memory(const struct nslab_topo *topo, int node);

unsigned nslab_topo_distance(const struct nslab_topo *topo, int from, int to);

/*
 * Ascending numbers as "0-3,8,16-30:2". False when the text did not fit: it then ends in "...".
 */
bool nslab_index_text(const int *list, int nr, char *text, size_t text_bytes);

/* Ascending order of ints, for qsort and bsearch. */
int nslab_by_value(const void *a, const void *b);

/* The OS indices of every node or PU, as a list. */
void nslab_topo_node_text(const struct nslab_topo *topo, char *text, size_t text_bytes);
void nslab_topo_pu_text(const struct nslab_topo *topo, bool only_usable, char *text,
			size_t text_bytes);

#endif
