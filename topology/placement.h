/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * placement.h: which PU each worker is pinned to, and which node its memory comes from.
 *
 * Placements: compact (fill a core's first thread, the next core of the same L3, package, ...),
 * scatter (round robin over nodes), l3 (one thread for each L3), node:N, cross:I,J (workers 0, 2,
 * .. on node I, 1, 3, .. on node J), smt (both threads of a core), pus:LIST. N, I, J are OS indices
 * of nodes, LIST holds OS indices of PUs. Two threads share a core only under smt and pus. Memory:
 * local, node:N, remote (the farthest node with memory), interleave, first-touch.
 */
#ifndef NSLAB_PLACEMENT_H
#define NSLAB_PLACEMENT_H

#include "topology/topology.h"

/*
 * Chooses nr_threads PUs; pus[] receives positions in topo->pus. -EINVAL when the text is unknown
 * or names no such node or PU, -ENOSPC when the placement has fewer PUs than threads; the error
 * says how many there are.
 */
int nslab_placement_select(const struct nslab_topo *topo, const char *placement, int nr_threads,
			   int *pus, struct nslab_err *err);

/* Most threads that the placement can take, or -EINVAL with an error. */
int nslab_placement_max_threads(const struct nslab_topo *topo, const char *placement,
				struct nslab_err *err);

/*
 * "node:all" and "cross:all" become one text for each usable node or ordered pair of nodes;
 * any other text becomes itself. The list is NULL-terminated; free with nslab_placement_free_list.
 */
int nslab_placement_expand(const struct nslab_topo *topo, const char *placement, char ***list,
			   struct nslab_err *err);
void nslab_placement_free_list(char **list);

enum nslab_memory_kind {
	NSLAB_MEMORY_LOCAL,
	NSLAB_MEMORY_NODE,
	NSLAB_MEMORY_REMOTE,
	NSLAB_MEMORY_INTERLEAVE,
	NSLAB_MEMORY_FIRST_TOUCH,
};

struct nslab_memory {
	enum nslab_memory_kind kind;
	int node; /* position in topo->nodes, for NSLAB_MEMORY_NODE; else -1 */
};

int nslab_memory_parse(const struct nslab_topo *topo, const char *text, struct nslab_memory *memory,
		       struct nslab_err *err);

/*
 * Position in topo->nodes of the node that a worker on pus[pu] allocates from. For interleave and
 * first-touch there is no such node: -1. -ENXIO under `remote` when there is no other node.
 */
int nslab_memory_node(const struct nslab_topo *topo, const struct nslab_memory *memory, int pu);

#endif
