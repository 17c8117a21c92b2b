/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * machine.c: the topology that is made up, and the world that is opened on it.
 *
 * The same shape as the conformance suite's: distances 10, 20 and 30 in a ring, so that there is a
 * nearest other node and a farthest. Lines that the world reports are counted and the first one is
 * kept, for the test to judge. Left out: more than one world at a time for one struct machine.
 */
#include "tests/support/machine.h"

#include <stdio.h>
#include <string.h>

static int machine_pus[MACHINE_NODES][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}};
static unsigned machine_distances[MACHINE_NODES * MACHINE_NODES] = {
	10, 20, 30, 20, 20, 10, 20, 30, 30, 20, 10, 20, 20, 30, 20, 10,
};

static void machine_topology(struct nslab_topo *topo, struct nslab_topo_node *nodes,
			     size_t node_bytes)
{
	memset(topo, 0, sizeof(*topo));
	memset(nodes, 0, MACHINE_NODES * sizeof(*nodes));
	for (int i = 0; i < MACHINE_NODES; i++) {
		nodes[i].os_index = i;
		nodes[i].logical_index = i;
		nodes[i].memory_bytes = node_bytes;
		nodes[i].nr_pus = 2;
		nodes[i].pus = machine_pus[i];
	}
	snprintf(topo->source, sizeof(topo->source), "test machine");
	topo->is_simulated = true;
	topo->nr_nodes = MACHINE_NODES;
	topo->nodes = nodes;
	topo->has_distances = true;
	topo->distances = machine_distances;
}

static void machine_report(void *context, const char *line)
{
	struct machine *m = context;

	if (!strncmp(line, "note: ", 6))
		return;
	if (!m->nr_reports++)
		snprintf(m->report, sizeof(m->report), "%s", line);
}

int machine_find(struct machine *m, const char *name, const char *plugin)
{
	const struct nslab_entry_record *allocator = NULL, *page = NULL;
	struct nslab_err err = {""};
	int rc = nslab_registry_open(NULL, &m->registry, &err);

	if (!rc && plugin)
		rc = nslab_registry_load(m->registry, plugin, &allocator, &err);
	else if (!rc)
		rc = nslab_registry_get(m->registry, NSLAB_PLUGIN_ALLOCATOR, name, &allocator,
					&err);
	if (!rc)
		rc = nslab_registry_get(m->registry, NSLAB_PLUGIN_PAGE, "buddy", &page, &err);
	if (rc) {
		fprintf(stderr, "%s\n", err.text);
		return rc;
	}
	m->ops = allocator->ops.allocator;
	m->page = page->ops.page;
	return 0;
}

void machine_forget(struct machine *m)
{
	nslab_registry_destroy(m->registry);
	m->registry = NULL;
}

int machine_open(struct machine *m, size_t node_bytes, uint64_t seed)
{
	struct nslab_topo_node nodes[MACHINE_NODES];
	struct nslab_topo topo;
	const struct nslab_arena_spec arena = {
		.topo = &topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = node_bytes,
		.nr_cpus = MACHINE_CPUS,
	};
	const struct nslab_world_spec spec = {
		.allocator = m->ops,
		.page = m->page,
		.arena = &arena,
		.seed = seed,
		.report = machine_report,
		.report_context = m,
		.is_debug = m->is_debug,
	};
	struct nslab_err err = {""};
	int rc;

	machine_topology(&topo, nodes, node_bytes);
	m->nr_reports = 0;
	rc = nslab_world_open(&spec, &m->world, &err);
	if (rc) {
		fprintf(stderr, "%s\n", err.text);
		return rc;
	}
	m->env = nslab_world_env(m->world);
	m->heap = nslab_world_heap(m->world);
	m->ops = m->heap->ops;
	for (int i = 0; i < MACHINE_CPUS && !rc; i++)
		rc = machine_online(m, i);
	return rc;
}

void machine_close(struct machine *m)
{
	for (int i = 0; i < MACHINE_CPUS; i++) {
		if (m->cpu[i])
			machine_offline(m, i);
	}
	nslab_world_close(m->world);
	m->world = NULL;
}

int machine_online(struct machine *m, int cpu)
{
	return nslab_world_cpu_online(m->world, cpu, cpu / 2, &m->cpu[cpu]);
}

void machine_offline(struct machine *m, int cpu)
{
	nslab_world_cpu_offline(m->world, m->cpu[cpu]);
	m->cpu[cpu] = NULL;
}

void machine_quiesce(struct machine *m)
{
	for (int i = 0; i < MACHINE_CPUS; i++) {
		if (m->cpu[i])
			m->ops->quiesce(m->cpu[i]);
	}
}

struct nslab_world_usage machine_usage(const struct machine *m)
{
	struct nslab_world_usage usage;

	nslab_world_usage(m->world, &usage);
	return usage;
}

struct nslab_cache_spec machine_spec(const char *name, size_t object_size)
{
	const struct nslab_cache_spec spec = {
		.name = name,
		.object_size = object_size,
		.order = NSLAB_AUTO,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.sheaf_capacity = NSLAB_AUTO,
	};

	return spec;
}
