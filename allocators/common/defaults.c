// SPDX-License-Identifier: GPL-2.0-only
/*
 * defaults.c: the optional half of an allocator, built on the required half.
 *
 * Bulk calls are loops, and an allocation that fails half way is undone, so that it is all or
 * nothing. kmalloc and its kin are in kmalloc.c beside this file. A sheaf is an array that is
 * filled at once; objects that wait for a grace period stand in an array of their handle, and when
 * it cannot grow the grace period ends there and then, as the kernel waits for one when it has no
 * memory. That array is the only state here. Nothing locks: everything goes through the tables of
 * the handle. Left out: any reader that would hold a grace period open.
 */
#include "allocators/common/defaults.h"

#include "allocators/common/kmalloc.h"

#include <errno.h>
#include <string.h>

static void defaults_quiesce(struct nslab_cpu *cpu)
{
	(void)cpu;
}

static void defaults_free_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr, void **objs)
{
	for (size_t i = 0; i < nr; i++)
		cpu->ops->free(cpu, s, objs[i]);
}

static size_t defaults_alloc_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node,
				  size_t nr, void **objs)
{
	for (size_t i = 0; i < nr; i++) {
		objs[i] = cpu->ops->alloc(cpu, s, gfp, node);
		if (!objs[i]) {
			cpu->ops->free_bulk(cpu, s, i, objs);
			return 0;
		}
	}
	return nr;
}

/* A backend without shrink frees nothing; what remains is what its statistics tell. */
static size_t defaults_cache_shrink(struct kmem_cache *s)
{
	struct nslab_cache_stats stats;

	s->heap->ops->cache_stats(s, &stats);
	return (size_t)stats.nr_slabs;
}

static int defaults_cache_validate(struct kmem_cache *s)
{
	(void)s;
	return 0;
}

static void defaults_cache_stats(struct kmem_cache *s, struct nslab_cache_stats *stats)
{
	(void)s;
	memset(stats, 0, sizeof(*stats));
}

/* ---- objects that wait for a grace period ---- */

#define DEFAULTS_RCU_FIRST 64 /* entries of the first array */

struct defaults_rcu {
	size_t nr, capacity;
	struct {
		struct kmem_cache *s;
		void *obj;
	} entry[];
};

static size_t defaults_rcu_bytes(size_t capacity)
{
	return sizeof(struct defaults_rcu) +
	       capacity * sizeof(((struct defaults_rcu *)NULL)->entry[0]);
}

/* The table stays for the next batch; a barrier that finds it empty gives it back. */
static void defaults_rcu_barrier(struct nslab_cpu *cpu)
{
	struct defaults_rcu *rcu = cpu->rcu_pending;

	if (!rcu)
		return;
	if (rcu->nr) {
		for (size_t i = 0; i < rcu->nr; i++)
			cpu->ops->free(cpu, rcu->entry[i].s, rcu->entry[i].obj);
		rcu->nr = 0;
		return;
	}
	cpu->rcu_pending = NULL;
	cpu->heap->env->free_meta(cpu->heap->env, rcu, defaults_rcu_bytes(rcu->capacity));
}

/* The handle's array with room for one more, or NULL. */
static struct defaults_rcu *defaults_rcu_room(struct nslab_cpu *cpu)
{
	const struct nslab_env *env = cpu->heap->env;
	struct defaults_rcu *rcu = cpu->rcu_pending, *grown;
	size_t capacity = rcu ? 2 * rcu->capacity : DEFAULTS_RCU_FIRST;

	if (rcu && rcu->nr < rcu->capacity)
		return rcu;
	grown = env->alloc_meta(env, defaults_rcu_bytes(capacity), cpu->node);
	if (!grown)
		return NULL;
	if (rcu) {
		memcpy(grown, rcu, defaults_rcu_bytes(rcu->nr));
		env->free_meta(env, rcu, defaults_rcu_bytes(rcu->capacity));
	}
	grown->capacity = capacity;
	cpu->rcu_pending = grown;
	return grown;
}

static void defaults_free_rcu(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	struct defaults_rcu *rcu = defaults_rcu_room(cpu);

	if (!rcu) {
		defaults_rcu_barrier(cpu);
		cpu->ops->free(cpu, s, obj);
		return;
	}
	rcu->entry[rcu->nr].s = s;
	rcu->entry[rcu->nr].obj = obj;
	rcu->nr++;
}

/* ---- sheaves: reserves of objects ---- */

struct nslab_sheaf {
	size_t nr, capacity;
	void *objects[];
};

static size_t defaults_sheaf_bytes(size_t capacity)
{
	return sizeof(struct nslab_sheaf) + capacity * sizeof(void *);
}

static int defaults_sheaf_prefill(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, size_t nr,
				  struct nslab_sheaf **sheaf)
{
	const struct nslab_env *env = cpu->heap->env;
	struct nslab_sheaf *made;

	if (nr > SIZE_MAX / 2 / sizeof(void *))
		return -ENOMEM;
	made = env->alloc_meta(env, defaults_sheaf_bytes(nr), cpu->node);
	if (!made)
		return -ENOMEM;
	made->capacity = nr;
	made->nr = nr;
	if (nr && cpu->ops->alloc_bulk(cpu, s, gfp & ~__GFP_ZERO, NUMA_NO_NODE, nr,
				       made->objects) != nr) {
		env->free_meta(env, made, defaults_sheaf_bytes(nr));
		return -ENOMEM;
	}
	*sheaf = made;
	return 0;
}

static void *defaults_sheaf_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
				  struct nslab_sheaf *sheaf)
{
	void *obj;

	(void)cpu;
	if (!sheaf->nr)
		return NULL;
	obj = sheaf->objects[--sheaf->nr];
	if (gfp & __GFP_ZERO)
		memset(obj, 0, s->object_size);
	return obj;
}

static void defaults_sheaf_return(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
				  struct nslab_sheaf *sheaf)
{
	(void)gfp;
	cpu->ops->free_bulk(cpu, s, sheaf->nr, sheaf->objects);
	cpu->heap->env->free_meta(cpu->heap->env, sheaf, defaults_sheaf_bytes(sheaf->capacity));
}

static void defaults_cpu_drain(struct nslab_page_source *source, struct nslab_cpu *cpu)
{
	(void)source;
	(void)cpu;
}

static void defaults_page_stats(struct nslab_page_source *source, int node,
				struct nslab_page_stats *stats)
{
	(void)source;
	(void)node;
	memset(stats, 0, sizeof(*stats));
}

static int defaults_zone_stats(struct nslab_page_source *source, int zone,
			       struct nslab_zone_stats *stats)
{
	(void)source;
	(void)zone;
	(void)stats;
	return -ENOENT;
}

static int defaults_range_lend(struct nslab_page_source *source, int node, size_t nr_pages,
			       struct nslab_page **first)
{
	(void)source;
	(void)node;
	(void)nr_pages;
	(void)first;
	return -EOPNOTSUPP;
}

static int defaults_range_claim(struct nslab_page_source *source, struct nslab_page *first,
				size_t nr_pages)
{
	(void)source;
	(void)first;
	(void)nr_pages;
	return -EOPNOTSUPP;
}

static void defaults_range_free(struct nslab_page_source *source, struct nslab_page *first,
				size_t nr_pages)
{
	(void)source;
	(void)first;
	(void)nr_pages;
}

static int defaults_set_mover(struct nslab_page_source *source, struct nslab_page *page,
			      struct nslab_page_mover *mover)
{
	(void)source;
	(void)page;
	(void)mover;
	return -EOPNOTSUPP;
}

const struct nslab_allocator_ops nslab_allocator_defaults = {
	.quiesce = defaults_quiesce,
	.alloc_bulk = defaults_alloc_bulk,
	.free_bulk = defaults_free_bulk,
	.cache_shrink = defaults_cache_shrink,
	.cache_validate = defaults_cache_validate,
	.cache_stats = defaults_cache_stats,
	.kmalloc = nslab_default_kmalloc,
	.kfree = nslab_default_kfree,
	.ksize = nslab_default_ksize,
	.krealloc = nslab_default_krealloc,
	.size_roundup = nslab_default_size_roundup,
	.free_rcu = defaults_free_rcu,
	.rcu_barrier = defaults_rcu_barrier,
	.sheaf_prefill = defaults_sheaf_prefill,
	.sheaf_alloc = defaults_sheaf_alloc,
	.sheaf_return = defaults_sheaf_return,
};

const struct nslab_page_ops nslab_page_defaults = {
	.cpu_drain = defaults_cpu_drain,
	.stats = defaults_page_stats,
	.zone_stats = defaults_zone_stats,
	.range_lend = defaults_range_lend,
	.range_claim = defaults_range_claim,
	.range_free = defaults_range_free,
	.set_mover = defaults_set_mover,
};
