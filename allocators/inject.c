// SPDX-License-Identifier: GPL-2.0-only
/*
 * inject.c: slub that does a known share more operations than it is asked for.
 *
 * `numaslab selftest inject` measures it against itself with 0 per cent: a change whose size is
 * known, made of the work that is measured and not of a spin. Each CPU handle counts the objects
 * that are freed through it; after every 1000th it allocates and frees 10 x extra_pct objects of
 * the same cache through its own table, so that an extra pair costs all that a pair costs, and the
 * branch that is taken once in a thousand frees costs nothing that could be seen. With 0 per cent
 * the same counter counts to a number that it never reaches: both arms run the same instructions.
 *
 * Invariant: a handle's table is its own copy; what it counts lies behind that table, so slub's
 * handle stays as it is. Nothing may put another table into the handle, which is why the kernel's
 * debug flags are taken off a cache.
 *
 * Left out: extra_pct for bulk calls on their own; they go object by object, as the defaults do.
 * Parameters of slub: it runs with its defaults.
 */
#include "allocators/slub_control.h"

#include <numaslab/plugin.h>

#define INJECT_EVERY	   1000 /* pairs */
#define INJECT_PER_PERCENT (INJECT_EVERY / 100)
#define INJECT_DEBUG_FLAGS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

struct inject_params {
	int64_t extra_pct;
};

struct inject_cpu {
	struct nslab_allocator_ops table; /* what the handle's ops points to */
	uint64_t nr_left;		  /* frees until the next extra pairs */
	uint64_t nr_extra;		  /* pairs each time */
};

extern const struct nslab_plugin nslab_plugin_slub;

static const struct nslab_allocator_ops *inject_slub(void)
{
	return nslab_plugin_slub.ops;
}

static struct inject_cpu *inject_cpu_of(const struct nslab_cpu *cpu)
{
	return nslab_container_of((uintptr_t)cpu->ops, struct inject_cpu, table);
}

static void *inject_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node)
{
	return inject_slub()->alloc(cpu, s, gfp, node);
}

/* The counter counts these frees too: it is set so that it ends INJECT_EVERY after them. */
static __attribute__((noinline)) void inject_more(struct nslab_cpu *cpu, struct inject_cpu *own,
						  struct kmem_cache *s)
{
	own->nr_left = INJECT_EVERY + own->nr_extra;
	for (uint64_t i = 0; i < own->nr_extra; i++) {
		void *obj = cpu->ops->alloc(cpu, s, GFP_KERNEL, NUMA_NO_NODE);

		if (obj)
			cpu->ops->free(cpu, s, obj);
		else
			own->nr_left--;
	}
}

static void inject_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	struct inject_cpu *own = inject_cpu_of(cpu);

	inject_slub()->free(cpu, s, obj);
	if (!--own->nr_left)
		inject_more(cpu, own, s);
}

/* ---- life ---- */

static int inject_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
			       struct kmem_cache **s)
{
	struct nslab_cache_spec plain = *spec;

	plain.flags &= ~INJECT_DEBUG_FLAGS;
	return inject_slub()->cache_create(heap, &plain, s);
}

static int inject_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	const struct inject_params *p = params;
	int rc = inject_slub()->open(env, NULL, heap);

	if (!rc)
		nslab_container_of(*heap, struct slub_heap, base)->extra_pct = p ? p->extra_pct : 0;
	return rc;
}

static int inject_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu)
{
	int64_t extra_pct = nslab_container_of(heap, struct slub_heap, base)->extra_pct;
	struct inject_cpu *own = heap->env->alloc_meta(heap->env, sizeof(*own), node);
	int rc;

	if (!own)
		return -ENOMEM;
	rc = inject_slub()->cpu_online(heap, id, node, cpu);
	if (rc) {
		heap->env->free_meta(heap->env, own, sizeof(*own));
		return rc;
	}
	own->table = *heap->ops;
	own->nr_extra = (uint64_t)extra_pct * INJECT_PER_PERCENT;
	own->nr_left = extra_pct ? INJECT_EVERY : UINT64_MAX;
	(*cpu)->ops = &own->table;
	return 0;
}

static void inject_cpu_offline(struct nslab_cpu *cpu)
{
	const struct nslab_env *env = cpu->heap->env;
	struct inject_cpu *own = inject_cpu_of(cpu);

	inject_slub()->cpu_offline(cpu);
	env->free_meta(env, own, sizeof(*own));
}

static const struct nslab_param inject_rows[] = {
	{"extra_pct", NSLAB_PARAM_INT, 0, offsetof(struct inject_params, extra_pct), "0", 0, 100,
	 NULL, "operations done beside those asked for, in per cent"},
	NSLAB_PARAM_END,
};

static const struct nslab_allocator_ops inject_ops = {
	.name = "inject",
	.summary = "slub that does a known share more operations: for selftest inject",
	.models = "-",
	.caps = NSLAB_CAP_NODE | NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_ORDER | NSLAB_CAP_CACHE |
		NSLAB_CAP_CTOR | NSLAB_CAP_SHRINK | NSLAB_CAP_PAGES,
	.params = inject_rows,
	.params_size = sizeof(struct inject_params),
	.open = inject_open,
	.close = slub_close,
	.cpu_online = inject_cpu_online,
	.cpu_offline = inject_cpu_offline,
	.cache_create = inject_cache_create,
	.cache_destroy = slub_cache_destroy,
	.alloc = inject_alloc,
	.free = inject_free,
	.quiesce = slub_quiesce,
	.cache_shrink = slub_cache_shrink,
	.cache_validate = slub_cache_validate,
	.cache_stats = slub_cache_stats,
};
NSLAB_ALLOCATOR_PLUGIN(inject_ops);
