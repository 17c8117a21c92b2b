// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub_merge.c: caches that share slabs because an older one serves the newer as well.
 *
 * The kernel hands out the older cache itself and counts its users. Here every creation returns a
 * kmem_cache of its own, with its own name and object size, since a host lists, names and destroys
 * what it created. The cache with the slabs is the ROOT; a later one is an ALIAS: a copy of what is
 * constant in the root (slot numbers, free pointer, node structures by pointer), so that the fast
 * paths need not know, and a pointer to the root, where everything that changes is. A slab's owner
 * is always the root. Statistics, validation and shrinking of an alias are those of its root;
 * SLAB_ALIAS tells a host which caches to leave out where /proc/slabinfo shows one line.
 *
 * Destroying one of several users gives nothing back and always succeeds, as in the kernel, which
 * cannot tell whose objects are left; the last one gives the slabs back, or -EBUSY. A root whose
 * creator destroyed it first lives on unlisted, and the oldest alias is shown in its place.
 *
 * A cache whose order, min_partial or cpu_partial was chosen for it merges only with one that has
 * the same: the kernel has no such choices at creation. SLAB_NO_MERGE is honoured in 6.1 too, which
 * has no such flag but sets its normal kmalloc caches apart in another way. Left out: the window
 * for copies from user space, by which 6.1 and hardened later kernels refuse a merge.
 *
 * Only control calls come here; nothing locks.
 */
#include "allocators/slub_control.h"

#define SLUB_NEVER_MERGE                                                                           \
 (SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER | SLAB_TYPESAFE_BY_RCU | SLAB_NO_MERGE)
#define SLUB_MERGE_SAME (SLAB_RECLAIM_ACCOUNT | SLAB_CACHE_DMA | SLAB_ACCOUNT)

static bool slub_is_mergeable(const struct slub_cache *s)
{
	return !s->base.ctor && !(s->base.flags & SLUB_NEVER_MERGE) && !s->sheaves.capacity;
}

/* Can `s` live in the slabs of `root`? Both may be merged at all. */
static bool slub_serves(const struct slub_cache *root, const struct slub_cache *s)
{
	unsigned differ = root->base.flags ^ s->base.flags;

	return root->base.size >= s->base.size && root->base.size - s->base.size < 8 &&
	       root->base.size % s->base.align == 0 &&
	       !(differ & (SLUB_MERGE_SAME | SLUB_DEBUG_FLAGS)) &&
	       root->base.order == s->base.order && root->min_partial == s->min_partial &&
	       root->cpu_partial_slabs == s->cpu_partial_slabs;
}

struct slub_cache *slub_find_mergeable(struct slub_heap *h, const struct slub_cache *s)
{
	if (!h->params.merge || !slub_is_mergeable(s))
		return NULL;
	nslab_list_for_each (pos, &h->roots) {
		struct slub_cache *root = nslab_list_entry(pos, struct slub_cache, root_link);

		if (slub_is_mergeable(root) && slub_serves(root, s))
			return root;
	}
	return NULL;
}

int slub_alias_create(struct slub_cache *root, const struct nslab_cache_spec *spec, unsigned align,
		      struct kmem_cache **cache)
{
	const struct nslab_env *env = root->base.heap->env;
	size_t node_bytes = (size_t)env->arena->nr_nodes * sizeof(*root->node);
	struct slub_cache *s = env->alloc_meta(env, slub_cache_bytes(env), NUMA_NO_NODE);
	int rc;

	if (!s)
		return -ENOMEM;
	memcpy(s, root, offsetof(struct slub_cache, root));
	memcpy(s->node, root->node, node_bytes);
	rc = nslab_cache_init(&s->base, root->base.heap, spec);
	if (rc) {
		env->free_meta(env, s, slub_cache_bytes(env));
		return rc;
	}
	s->base.size = root->base.size;
	s->base.align = align;
	s->base.flags |= SLAB_ALIAS;
	s->root = root;
	nslab_list_add_tail(&s->root_link, &root->aliases);
	root->nr_users++;
	*cache = &s->base;
	return 0;
}

bool slub_drop_user(struct slub_heap *h, struct slub_cache *s)
{
	struct slub_cache *root = s->root;

	if (root->nr_users == 1)
		return false;
	root->nr_users--;
	nslab_cache_exit(&s->base);
	if (s == root) {
		root->is_unlisted = true;
	} else {
		nslab_list_del(&s->root_link);
		h->base.env->free_meta(h->base.env, s, slub_cache_bytes(h->base.env));
	}
	if (root->is_unlisted)
		nslab_list_first(&root->aliases, struct slub_cache, root_link)->base.flags &=
			~SLAB_ALIAS;
	return true;
}
