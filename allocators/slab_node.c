// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab_node.c: the slabs of the SLAB model and the lists of a node; slab.c tells the design.
 *
 * Here an object is taken out of a slab or put back into one, slabs move between the three lists of
 * their node, and slabs are made and given back to the page layer. Functions that change a list are
 * called under the node's list_lock and never give anything back themselves: slabs that must go are
 * collected on a list called `dead`, which the caller empties once it holds no lock. Left out: who
 * decides how many objects move, which is the business of slab.c.
 *
 * Locks: as in slab.c; slab_free_direct() and the draining functions take them themselves.
 */
#include "allocators/slab_node.h"

/* ---- slabs and their indexes ---- */

static inline struct nslab_page *slab_page_of(const struct slab_cache *s, const void *obj)
{
	return nslab_page_of(s->base.heap->env, obj);
}

static inline void slab_put_object(const struct slab_cache *s, struct nslab_page *page, void *obj)
{
	if (!page->freelist) /* of a full slab: the first object that comes back holds the indexes
			      */
		page->freelist = (uintptr_t)obj;
	slab_set_index(s, page, --page->counters, slab_number_of(s, page, obj));
}

/* The slab is on no list. */
static void slab_discard(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac,
			 struct nslab_page *page)
{
	const struct nslab_env *env = s->base.heap->env;
	void *index = (void *)page->freelist;

	page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_SLAB);
	page->s = NULL;
	env->free_pages(env, cpu ? &cpu->base : NULL, page, s->base.order);
	slab_count(s, ac, NSLAB_STAT_FREE_SLAB);
	if (s->shape.index != NSLAB_SLAB_OFF_SLAB)
		return;
	if (cpu)
		slab_free(&cpu->base, &s->index_cache->base, index);
	else
		slab_free_direct(NULL, s->index_cache, NULL, index);
}

void slab_discard_all(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac,
		      struct nslab_list *dead)
{
	nslab_list_for_each_safe (pos, tmp, dead)
		slab_discard(cpu, s, ac, nslab_list_entry(pos, struct nslab_page, list));
}

/* Address of the indexes of a new slab, or NULL when there is no memory for them. */
static void *slab_place_index(struct slab_cpu *cpu, const struct slab_cache *s, gfp_t gfp,
			      const struct nslab_page *page)
{
	char *start = nslab_page_address(s->base.heap->env, page);
	size_t bytes = (size_t)s->shape.objects * s->shape.index_bytes;

	switch (s->shape.index) {
	case NSLAB_SLAB_OFF_SLAB:
		return slab_alloc(&cpu->base, &s->index_cache->base, gfp, page->node);
	case NSLAB_SLAB_ON_SLAB:
		return start + (NSLAB_PAGE_SIZE << s->base.order) - bytes;
	default:
		return (char *)slab_object(s, page, s->shape.objects - 1);
	}
}

/* Bytes that the objects of the node's next slab are moved by; two makers may get the same. */
static unsigned slab_next_colour(const struct slab_cache *s, struct slab_node *n)
{
	unsigned colour = __atomic_load_n(&n->colour_next, __ATOMIC_RELAXED);
	unsigned next = colour + 1 < s->colours ? colour + 1 : 0;

	__atomic_store_n(&n->colour_next, next, __ATOMIC_RELAXED);
	return colour < s->colours ? colour * s->colour_bytes : 0;
}

struct nslab_page *slab_grow_begin(struct slab_cpu *cpu, struct slab_cache *s,
				   struct slab_array *ac, gfp_t gfp, int node)
{
	const struct nslab_env *env = s->base.heap->env;
	struct nslab_page *page;
	void *index;

	gfp &= ~__GFP_ZERO;
	page = env->alloc_pages(env, &cpu->base, s->base.order, gfp, node);
	if (!page)
		return NULL;
	page->priv[0] =
		(uintptr_t)nslab_page_address(env, page) + slab_next_colour(s, s->node[page->node]);
	index = slab_place_index(cpu, s, gfp, page);
	if (!index) {
		env->free_pages(env, &cpu->base, page, s->base.order);
		return NULL;
	}
	page->freelist = (uintptr_t)index;
	page->counters = 0;
	page->s = &s->base;
	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_SLAB);
	for (unsigned i = 0; i < s->shape.objects; i++) {
		if (s->base.ctor)
			s->base.ctor(slab_object(s, page, i));
		slab_set_index(s, page, i, i);
	}
	slab_count(s, ac, NSLAB_STAT_ALLOC_SLAB);
	return page;
}

/* ---- lists of a node, all under its list_lock ---- */

struct nslab_page *slab_first(struct slab_cache *s, struct slab_array *ac, struct slab_node *n)
{
	struct nslab_page *page;

	if (!nslab_list_is_empty(&n->partial)) {
		page = nslab_list_first(&n->partial, struct nslab_page, list);
		n->nr_partial--;
		slab_count(s, ac, NSLAB_STAT_ALLOC_FROM_PARTIAL);
	} else {
		n->is_free_touched = true;
		if (nslab_list_is_empty(&n->free))
			return NULL;
		page = nslab_list_first(&n->free, struct nslab_page, list);
		n->nr_free--;
	}
	nslab_list_del(&page->list);
	return page;
}

/* After objects were taken: to the list where the slab belongs. */
void slab_put_taken(struct slab_cache *s, struct slab_array *ac, struct slab_node *n,
		    struct nslab_page *page)
{
	if (!slab_is_full(s, page)) {
		nslab_list_add(&page->list, &n->partial);
		n->nr_partial++;
		return;
	}
	nslab_list_add(&page->list, &n->full);
	if (s->shape.index == NSLAB_SLAB_IN_OBJECT)
		page->freelist = 0; /* the object that held them is in use now */
	slab_count(s, ac, NSLAB_STAT_DEACTIVATE_FULL);
}

void slab_grow_end(struct slab_cache *s, struct slab_array *ac, struct nslab_page *page)
{
	struct slab_node *n = s->node[page->node];

	slab_lock(n);
	slab_add(&n->nr_slabs, 1);
	slab_add(&n->free_objects, s->shape.objects - page->counters);
	slab_put_taken(s, ac, n, page);
	slab_unlock(n);
}

/* One object back into its slab, which moves to the list where it then belongs. */
static void slab_put_back(struct slab_cache *s, struct slab_array *ac, struct slab_node *n,
			  void *obj)
{
	struct nslab_page *page = slab_page_of(s, obj);
	bool was_full = slab_is_full(s, page);

	nslab_list_del(&page->list);
	if (!was_full)
		n->nr_partial--;
	slab_put_object(s, page, obj);
	if (page->counters) {
		nslab_list_add_tail(&page->list, &n->partial);
		n->nr_partial++;
	} else {
		nslab_list_add(&page->list, &n->free);
		n->nr_free++;
	}
	if (was_full && page->counters)
		slab_count(s, ac, NSLAB_STAT_FREE_ADD_PARTIAL);
	else if (!was_full && !page->counters)
		slab_count(s, ac, NSLAB_STAT_FREE_REMOVE_PARTIAL);
}

uint64_t slab_free_limit(const struct slab_cache *s, const struct slab_node *n)
{
	unsigned nr_cpus = __atomic_load_n(&slab_heap_of(s->base.heap)->nr_cpus_of_node[n->id],
					   __ATOMIC_RELAXED);

	return nslab_slab_free_limit(nr_cpus, s->batchcount, s->shape.objects);
}

void slab_condemn(struct slab_cache *s, struct slab_node *n, struct nslab_list *dead)
{
	struct nslab_page *page = nslab_list_entry(n->free.prev, struct nslab_page, list);

	nslab_list_del(&page->list);
	nslab_list_add(&page->list, dead);
	n->nr_free--;
	slab_add(&n->nr_slabs, (uint64_t)-1);
	slab_add(&n->free_objects, (uint64_t)0 - s->shape.objects);
}

/* Objects of this node back into their slabs; what the node need not keep goes to `dead`. */
static void slab_free_block(struct slab_cache *s, struct slab_array *ac, struct slab_node *n,
			    void **objs, unsigned nr, struct nslab_list *dead)
{
	uint64_t free_limit = slab_free_limit(s, n);

	for (unsigned i = 0; i < nr; i++)
		slab_put_back(s, ac, n, objs[i]);
	slab_add(&n->free_objects, nr);
	while (n->free_objects > free_limit && n->nr_free)
		slab_condemn(s, n, dead);
}

void slab_free_direct(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac, void *obj)
{
	struct slab_node *n = s->node[slab_page_of(s, obj)->node];
	struct nslab_list dead;

	nslab_list_init(&dead);
	slab_lock(n);
	slab_free_block(s, ac, n, &obj, 1, &dead);
	slab_unlock(n);
	slab_discard_all(cpu, s, ac, &dead);
}

/* ---- moving objects between arrays ---- */

unsigned slab_to_shared(struct slab_shared *shared, void **from, unsigned nr)
{
	unsigned room = shared ? shared->limit - shared->avail : 0;
	unsigned moved = nr < room ? nr : room;

	if (moved) {
		memcpy(shared->entry + shared->avail, from + nr - moved, moved * sizeof(*from));
		slab_set_avail(&shared->avail, shared->avail + moved);
	}
	return moved;
}

void slab_free_oldest(struct slab_cache *s, struct slab_array *ac, struct slab_node *n,
		      void **entry, uint32_t *avail, unsigned nr, struct nslab_list *dead)
{
	slab_free_block(s, ac, n, entry, nr, dead);
	slab_set_avail(avail, *avail - nr);
	memmove(entry, entry + nr, *avail * sizeof(*entry));
}

void slab_drain_alien(struct slab_cache *s, struct slab_array *ac, struct slab_alien *alien,
		      int home, struct nslab_list *dead)
{
	struct slab_node *n = s->node[home];
	unsigned nr = alien->avail;

	if (!nr)
		return;
	slab_lock(n);
	nr -= slab_to_shared(n->shared, alien->entry, nr);
	slab_free_block(s, ac, n, alien->entry, nr, dead);
	slab_unlock(n);
	slab_set_avail(&alien->avail, 0);
	slab_count(s, ac, NSLAB_STAT_REMOTE_BATCH);
}

/* ---- draining of what is shared, for control calls ---- */

void slab_drain_aliens(struct slab_cache *s, struct slab_node *n)
{
	for (int i = 0; n->alien && i < s->base.heap->env->arena->nr_nodes; i++) {
		struct nslab_list dead;

		nslab_list_init(&dead);
		nslab_lock_acquire(&n->alien[i].lock);
		slab_drain_alien(s, NULL, &n->alien[i], i, &dead);
		nslab_lock_release(&n->alien[i].lock);
		slab_discard_all(NULL, s, NULL, &dead);
	}
}

void slab_drain_node(struct slab_cache *s, struct slab_node *n)
{
	struct nslab_list dead;

	nslab_list_init(&dead);
	slab_lock(n);
	if (n->shared)
		slab_free_oldest(s, NULL, n, n->shared->entry, &n->shared->avail, n->shared->avail,
				 &dead);
	while (n->nr_free)
		slab_condemn(s, n, &dead);
	slab_unlock(n);
	slab_discard_all(NULL, s, NULL, &dead);
}
