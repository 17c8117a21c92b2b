// SPDX-License-Identifier: GPL-2.0-only
/*
 * count_world.c: a world of as many simulated CPUs and nodes as the snapshot's machine has.
 *
 * The allocator is the model of the snapshot's kernel. The page allocator is wrapped: the wrapper's
 * table stands where the plug-in's would, so that a request finds the wrapper by its table, and the
 * plug-in underneath knows nothing of it. A request above the smallest order fails by a draw from a
 * generator that every count starts anew; the model then falls back as the kernel does. The
 * smallest order itself never fails, because then there would be no object.
 *
 * Nothing that one count leaves in the world may reach the next. Caches are destroyed; blocks come
 * back at other addresses, which no count depends on; but with more than one node the model draws
 * from a generator in each CPU's handle, so there the handles go offline after a count.
 *
 * Locks: none, one thread uses a world. Left out: memory that runs short; nodes are larger than any
 * load.
 */
#include "tuner/count_world.h"

#include "core/list.h"
#include "core/param.h"
#include "core/rng.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_NODE_BYTES ((size_t)512 << 20) /* reserved, not touched */
#define COUNT_NEAR	 10u		     /* distances of nodes */
#define COUNT_FAR	 20u
#define COUNT_SEED	 1

/* ---- pages ---- */

static struct nslab_page *count_alloc_pages(struct nslab_page_source *source, struct nslab_cpu *cpu,
					    unsigned order, gfp_t gfp, int node)
{
	struct count_pages *p =
		nslab_container_of((uintptr_t)source->ops, struct count_pages, table);
	struct nslab_page *page;

	if (p->fail_below && order > p->min_order && nslab_rng_next(&p->rng) >> 32 < p->fail_below)
		return NULL;
	page = p->inner->alloc_pages(source, cpu, order, gfp, node);
	if (page && order)
		p->nr_high_pages += UINT64_C(1) << order;
	return page;
}

/* ---- which model ---- */

static const char *count_model(const struct nslab_tuner_snapshot *snapshot)
{
	return snapshot->release && atoi(snapshot->release) >= 7 ? "sheaves" : "slub";
}

static int count_params(const struct nslab_tuner_snapshot *snapshot,
			const struct nslab_allocator_ops *ops, void **params, struct nslab_err *err)
{
	const struct nslab_param *row = nslab_param_find(ops->params, "generation");
	int rc;

	*params = calloc(1, ops->params_size);
	if (!*params)
		return nslab_fail(err, -ENOMEM, "out of memory");
	rc = nslab_param_defaults(ops->params, *params, err);
	if (!rc && row)
		rc = nslab_param_set(row, nslab_order_kernel_word(snapshot->kernel), *params, err);
	return rc;
}

/* ---- the world ---- */

/* Nodes of equal size, each as far from every other. */
static int count_topo(struct nslab_topo *topo, int nr_nodes)
{
	*topo = (struct nslab_topo){.is_simulated = true, .nr_nodes = nr_nodes};
	topo->nodes = calloc((size_t)nr_nodes, sizeof(*topo->nodes));
	topo->distances = calloc((size_t)nr_nodes * (size_t)nr_nodes, sizeof(*topo->distances));
	if (!topo->nodes || !topo->distances)
		return -ENOMEM;
	for (int i = 0; i < nr_nodes; i++) {
		topo->nodes[i] = (struct nslab_topo_node){.os_index = i,
							  .logical_index = i,
							  .memory_bytes = COUNT_NODE_BYTES,
							  .nr_pus = 1};
		for (int k = 0; k < nr_nodes; k++)
			topo->distances[i * nr_nodes + k] = i == k ? COUNT_NEAR : COUNT_FAR;
	}
	return 0;
}

static int count_open_models(struct nslab_tuner_counter *c, const struct nslab_registry *registry,
			     const struct nslab_topo *topo, struct nslab_err *err)
{
	const struct nslab_arena_spec arena = {
		.topo = topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = COUNT_NODE_BYTES,
		.nr_cpus = c->nr_cpus,
	};
	const struct nslab_entry_record *model, *buddy;
	struct nslab_world_spec spec = {.arena = &arena, .seed = COUNT_SEED};
	void *params = NULL;
	int rc = nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, count_model(c->snapshot),
				    &model, err);

	if (!rc)
		rc = nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, "buddy", &buddy, err);
	if (!rc)
		rc = count_params(c->snapshot, model->ops.allocator, &params, err);
	if (!rc) {
		c->pages.inner = buddy->ops.page;
		c->pages.table = *buddy->ops.page;
		c->pages.table.alloc_pages = count_alloc_pages;
		spec.allocator = model->ops.allocator;
		spec.allocator_params = params;
		spec.page = &c->pages.table;
		rc = nslab_world_open(&spec, &c->world, err);
	}
	free(params);
	return rc;
}

int count_world_open(struct nslab_tuner_counter *c, const struct nslab_registry *registry,
		     struct nslab_err *err)
{
	struct nslab_topo topo;
	int rc = count_topo(&topo, c->nr_nodes);

	c->cpus = calloc((size_t)c->nr_cpus, sizeof(struct nslab_cpu *));
	if (rc || !c->cpus)
		rc = nslab_fail(err, -ENOMEM, "out of memory");
	if (!rc)
		rc = count_open_models(c, registry, &topo, err);
	free(topo.nodes);
	free(topo.distances);
	return rc;
}

void count_world_close(struct nslab_tuner_counter *c)
{
	nslab_world_close(c->world);
	free(c->cpus);
}

/* ---- CPUs ---- */

static int count_node_of(const struct nslab_tuner_counter *c, int cpu)
{
	int node = cpu * c->nr_nodes / c->nr_cpus;

	if (c->snapshot->cpu_nodes && c->snapshot->cpu_nodes[cpu] >= 0)
		node = c->snapshot->cpu_nodes[cpu] % c->nr_nodes;
	return node;
}

int count_world_cpus(struct nslab_tuner_counter *c, int nr_cpus)
{
	for (int i = 0; i < nr_cpus; i++) {
		int rc = c->cpus[i] ? 0
				    : nslab_world_cpu_online(c->world, i, count_node_of(c, i),
							     &c->cpus[i]);

		if (rc)
			return rc;
	}
	return 0;
}

void count_world_rest(struct nslab_tuner_counter *c)
{
	for (int i = 0; c->nr_nodes > 1 && i < c->nr_cpus; i++) {
		if (c->cpus[i])
			nslab_world_cpu_offline(c->world, c->cpus[i]);
		c->cpus[i] = NULL;
	}
}
