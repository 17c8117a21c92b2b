/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * simulate.c: made-up nodes on any machine, for developing and for teaching.
 *
 * The nodes of a loaded topology are replaced by N equal ones: cores are dealt to them in logical
 * order, round robin, with their threads together, so that no two nodes share a core; when there
 * are fewer cores than nodes PUs are dealt instead, and nodes that get none are memory-only.
 * Usable PUs are dealt first, so that a CPU mask does not leave a node empty that could have some.
 * Distances are 10 and 20, and count as untold. Everything is built aside and swapped in at the
 * end, so a failure leaves the topology as it was. Caches and packages stay real: a simulated node
 * says nothing about speed, and the flag is_simulated follows it everywhere.
 */
#include "topology/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct simulation {
	struct nslab_topo_node *nodes;
	unsigned *distances;
	int *owner; /* node of each position in pus[] */
	int nr_nodes;
};

static int nr_usable_cores(const struct nslab_topo *topo)
{
	int nr = 0, last = -1;

	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].is_usable && topo->pus[i].core != last) {
			last = topo->pus[i].core;
			nr++;
		}
	}
	return nr;
}

/* Deals the PUs whose is_usable is `usable`, going on at node `next`; returns where to go on. */
static int deal(const struct nslab_topo *topo, struct simulation *simulation, bool usable,
		bool by_core, int next)
{
	int last = -1, node = next;

	for (int i = 0; i < topo->nr_pus; i++) {
		const struct nslab_topo_pu *pu = &topo->pus[i];

		if (pu->is_usable != usable)
			continue;
		if (!by_core || pu->core != last) {
			node = next;
			next = (next + 1) % simulation->nr_nodes;
			last = pu->core;
		}
		simulation->owner[i] = node;
	}
	return next;
}

static int fill_node(const struct nslab_topo *topo, const struct simulation *simulation, int index,
		     uint64_t memory_bytes)
{
	struct nslab_topo_node *node = &simulation->nodes[index];

	node->os_index = index;
	node->logical_index = index;
	node->memory_bytes = memory_bytes;
	node->pus = calloc((size_t)topo->nr_pus + 1, sizeof(*node->pus));
	if (!node->pus)
		return -ENOMEM;
	for (int i = 0; i < topo->nr_pus; i++) {
		if (simulation->owner[i] == index)
			node->pus[node->nr_pus++] = topo->pus[i].os_index;
	}
	qsort(node->pus, (size_t)node->nr_pus, sizeof(*node->pus), nslab_by_value);
	node->is_memory_only = !node->nr_pus;
	return 0;
}

static void drop(struct simulation *simulation)
{
	for (int i = 0; simulation->nodes && i < simulation->nr_nodes; i++)
		free(simulation->nodes[i].pus);
	free(simulation->nodes);
	free(simulation->distances);
	free(simulation->owner);
}

static int build(const struct nslab_topo *topo, struct simulation *simulation)
{
	size_t nr = (size_t)simulation->nr_nodes;
	bool by_core = nr_usable_cores(topo) >= simulation->nr_nodes;
	uint64_t memory_bytes = 0;
	int next, rc;

	simulation->nodes = calloc(nr, sizeof(*simulation->nodes));
	simulation->distances = calloc(nr * nr, sizeof(*simulation->distances));
	simulation->owner = calloc((size_t)topo->nr_pus + 1, sizeof(*simulation->owner));
	if (!simulation->nodes || !simulation->distances || !simulation->owner)
		return -ENOMEM;
	for (int i = 0; i < topo->nr_nodes; i++)
		memory_bytes += topo->nodes[i].memory_bytes;
	next = deal(topo, simulation, true, by_core, 0);
	deal(topo, simulation, false, by_core, next);
	for (int i = 0; i < simulation->nr_nodes; i++) {
		rc = fill_node(topo, simulation, i, memory_bytes / nr);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < nr * nr; i++)
		simulation->distances[i] = i / nr == i % nr ? 10 : 20;
	return 0;
}

static void swap_in(struct nslab_topo *topo, struct simulation *simulation)
{
	struct simulation old = {topo->nodes, topo->distances, NULL, topo->nr_nodes};

	topo->nodes = simulation->nodes;
	topo->distances = simulation->distances;
	topo->nr_nodes = simulation->nr_nodes;
	topo->has_distances = false;
	topo->is_simulated = true;
	for (int i = 0; i < topo->nr_pus; i++) {
		topo->pus[i].node = simulation->owner[i];
		topo->pus[i].home = simulation->owner[i];
	}
	/* attributes describe the nodes that are gone */
	for (int i = 0; i < topo->nr_memattrs; i++)
		free((char *)topo->memattrs[i].name);
	topo->nr_memattrs = 0;
	old.owner = simulation->owner;
	drop(&old);
}

int nslab_topo_simulate(struct nslab_topo *topo, int nr_nodes, struct nslab_err *err)
{
	struct simulation simulation = {.nr_nodes = nr_nodes};
	int rc = build(topo, &simulation);

	if (rc) {
		drop(&simulation);
		return nslab_fail(err, rc, "cannot simulate %d nodes: out of memory", nr_nodes);
	}
	swap_in(topo, &simulation);
	return 0;
}
