/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest_placement.c: allocates on each node and asks the kernel where the pages are.
 *
 * For each node a world is opened as a trial would open it, a handle of that node allocates objects
 * through slub, every object is written to, and two things are checked that do not depend on one
 * another: the object's address lies in the node's part of the arena, which is what the model
 * believes, and move_pages names the same node for the page behind it, which is what is so. What
 * the kernel refuses to tell is a reason and no result. Simulated nodes have no pages of their own:
 * there only the first check says anything.
 */
#include "runner/selftest.h"
#include "runner/world.h"

#include <errno.h>
#include <numaslab/slab.h>
#include <stdlib.h>
#include <string.h>

#define PROOF_OBJECTS	 1024
#define PROOF_SIZE	 1024
#define PROOF_PAGES	 400
#define PROOF_NODE_BYTES ((size_t)8 << 20)

struct proof {
	struct nslab_world *world;
	struct nslab_cpu *cpu;
	struct kmem_cache *s;
	void *objects[PROOF_OBJECTS];
	int arena_node;
};

static void proof_ignore(void *context, const char *line)
{
	(void)context, (void)line;
}

static int proof_open(struct proof *p, const struct nslab_topo *topo,
		      const struct nslab_registry *registry, int node, struct nslab_err *err)
{
	struct nslab_cache_spec cache = {
		.name = "placement",
		.object_size = PROOF_SIZE,
		.order = NSLAB_AUTO,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.sheaf_capacity = NSLAB_AUTO,
	};
	struct nslab_arena_spec arena = {
		.topo = topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = PROOF_NODE_BYTES,
		.nr_cpus = 1,
	};
	const struct nslab_entry_record *allocator, *page;
	struct nslab_world_spec spec = {.arena = &arena, .report = proof_ignore};
	struct nslab_heap *heap;
	int rc = nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, "slub", &allocator, err);

	if (!rc)
		rc = nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, "buddy", &page, err);
	if (rc)
		return rc;
	spec.allocator = allocator->ops.allocator;
	spec.page = page->ops.page;
	rc = nslab_world_open(&spec, &p->world, err);
	if (rc)
		return rc;
	heap = nslab_world_heap(p->world);
	p->arena_node = nslab_arena_map_node(nslab_world_arena(p->world), node);
	rc = heap->ops->cache_create(heap, &cache, &p->s);
	if (!rc)
		rc = nslab_world_cpu_online(p->world, 0, p->arena_node, &p->cpu);
	return rc ? nslab_fail(err, rc, "cannot allocate on node %d: %s",
			       topo->nodes[node].os_index, strerror(-rc))
		  : 0;
}

static void proof_close(struct proof *p)
{
	for (int i = 0; p->cpu && i < PROOF_OBJECTS; i++) {
		if (p->objects[i])
			kmem_cache_free(p->cpu, p->s, p->objects[i]);
	}
	if (p->cpu)
		nslab_world_cpu_offline(p->world, p->cpu);
	if (p->s)
		nslab_world_cache_destroy(p->world, p->s);
	if (p->world)
		nslab_world_close(p->world);
}

static int proof_objects(struct proof *p, struct nslab_node_proof *proof, struct nslab_err *err)
{
	const struct nslab_arena *arena = nslab_world_env(p->world)->arena;

	for (int i = 0; i < PROOF_OBJECTS; i++) {
		uintptr_t at;

		p->objects[i] = kmem_cache_alloc_node(p->cpu, p->s, GFP_KERNEL, p->arena_node);
		if (!p->objects[i])
			return nslab_fail(err, -ENOMEM, "cannot allocate on node %d after %d KiB",
					  proof->os_index, i * PROOF_SIZE / 1024);
		memset(p->objects[i], i, PROOF_SIZE);
		proof->nr_objects++;
		at = (uintptr_t)p->objects[i] - arena->base;
		proof->nr_elsewhere += (int)(at >> arena->node_shift) != p->arena_node;
	}
	return nslab_arena_verify(nslab_world_arena(p->world), PROOF_PAGES, 1, &proof->check, err);
}

static int prove_node(const struct nslab_topo *topo, const struct nslab_registry *registry,
		      int node, struct nslab_node_proof *proof, struct nslab_err *err)
{
	struct proof *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	*proof = (struct nslab_node_proof){.os_index = topo->nodes[node].os_index};
	rc = proof_open(p, topo, registry, node, err);
	if (!rc)
		rc = proof_objects(p, proof, err);
	proof_close(p);
	free(p);
	return rc;
}

int nslab_placement_prove(const struct nslab_topo *topo, const struct nslab_registry *registry,
			  struct nslab_node_proof *proofs, int *nr, struct nslab_err *err)
{
	int rc = 0;

	*nr = 0;
	for (int node = 0; node < topo->nr_nodes && !rc; node++) {
		if (!topo->nodes[node].memory_bytes)
			continue;
		rc = prove_node(topo, registry, node, &proofs[*nr], err);
		(*nr)++;
	}
	return rc;
}
