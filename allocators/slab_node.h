/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slab_node.h: what the paths of SLAB ask of a node's slabs. Private to allocators/slab*.c.
 *
 * ac is the array of the CPU at work, for its counters: NULL in control calls, as cpu is then.
 */
#ifndef NSLAB_SLAB_NODE_H
#define NSLAB_SLAB_NODE_H

#include "allocators/slab.h"

static inline bool slab_is_full(const struct slab_cache *s, const struct nslab_page *page)
{
	return page->counters == s->shape.objects;
}

static inline void *slab_take_object(const struct slab_cache *s, struct nslab_page *page)
{
	return slab_object(s, page, slab_index_at(s, page, page->counters++));
}

/* Of that node or none. */
static inline gfp_t slab_exact_node(gfp_t gfp)
{
	return (gfp | __GFP_THISNODE | __GFP_NOWARN) & ~__GFP_NOFAIL;
}

/* ---- under no lock ---- */

/* A new slab, not attached to its node yet; NULL when there is no memory. */
struct nslab_page *slab_grow_begin(struct slab_cpu *cpu, struct slab_cache *s,
				   struct slab_array *ac, gfp_t gfp, int node);
/* Attaches it, from which some objects were taken already. */
void slab_grow_end(struct slab_cache *s, struct slab_array *ac, struct nslab_page *page);
/* Gives unlinked slabs back to the page layer. */
void slab_discard_all(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac,
		      struct nslab_list *dead);
/* Frees one object of any node to its slab. */
void slab_free_direct(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac, void *obj);

/* ---- under the node's list_lock ---- */

/* A slab with a free object, unlinked, or NULL; slab_put_taken() links it again. */
struct nslab_page *slab_first(struct slab_cache *s, struct slab_array *ac, struct slab_node *n);
void slab_put_taken(struct slab_cache *s, struct slab_array *ac, struct slab_node *n,
		    struct nslab_page *page);
uint64_t slab_free_limit(const struct slab_cache *s, const struct slab_node *n);
/* The empty slab that waited longest, which must exist, goes to `dead`. */
void slab_condemn(struct slab_cache *s, struct slab_node *n, struct nslab_list *dead);
/* The newest of an array to the top of the shared one (or NULL); how many fitted. */
unsigned slab_to_shared(struct slab_shared *shared, void **from, unsigned nr);
/* Frees the `nr` oldest entries of an array that holds *avail. */
void slab_free_oldest(struct slab_cache *s, struct slab_array *ac, struct slab_node *n,
		      void **entry, uint32_t *avail, unsigned nr, struct nslab_list *dead);

/* ---- under the alien array's lock ---- */

/* Its objects go home to node `home`. */
void slab_drain_alien(struct slab_cache *s, struct slab_array *ac, struct slab_alien *alien,
		      int home, struct nslab_list *dead);

#endif
