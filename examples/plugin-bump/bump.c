/* SPDX-License-Identifier: MIT */
/*
 * bump.c: a small allocator that is built outside numaslab, to start your own from.
 *
 * Each CPU handle has a bump region and a stack of free objects for each cache. Alloc pops the
 * stack, else takes the next bytes of the region, else asks for a new block of pages. Free pushes
 * onto the stack of the CPU that frees, whatever CPU or node the object came from. Blocks are
 * chained to their cache and go back when it is destroyed, for which every handle must first give
 * its counts back (`quiesce`). An object's link is behind it, so constructed objects stay intact.
 *
 * Invariant: cache->nr_live is the number of live objects once every handle has quiesced.
 * Left out: giving single blocks back, node placement, and a bound on what a stack holds. Objects
 * that a handle freed serve only that handle until it goes offline.
 */
#include <errno.h>
#include <numaslab/plugin.h>
#include <stdio.h>

#define BUMP_MAX_CACHES 512

struct bump_cache {
	struct kmem_cache base;
	unsigned number;		     /* of its slot in every handle */
	unsigned epoch;			     /* that a destroy waits for; 0: none */
	_Atomic(struct nslab_page *) blocks; /* chained by priv[0] */
	_Atomic int64_t nr_live;
	_Atomic(void *) left; /* free objects of handles that quiesced */
};

struct bump_slot {
	struct bump_cache *cache; /* NULL: never used by this CPU */
	char *next, *end;	  /* the region */
	void *stack;
	int64_t nr_taken; /* allocs less frees since the last quiesce */
};

struct bump_cpu {
	struct nslab_cpu base;
	struct bump_slot slot[BUMP_MAX_CACHES];
};

struct bump_heap {
	struct nslab_heap base;
	bool is_used[BUMP_MAX_CACHES];
};

static void **bump_link(const struct bump_cache *s, void *obj)
{
	return (void **)((char *)obj + (s->base.object_size + 7) / 8 * 8);
}

static void bump_list_add(struct nslab_list *entry, struct nslab_list *head)
{
	entry->next = head;
	entry->prev = head->prev;
	head->prev->next = entry;
	head->prev = entry;
}

static void bump_list_del(struct nslab_list *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
}

/* ---- heap and CPUs ---- */

static int bump_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	struct bump_heap *h = env->alloc_meta(env, sizeof(*h), NUMA_NO_NODE);

	(void)params;
	if (!h)
		return -ENOMEM;
	h->base.env = env;
	h->base.cpus.next = h->base.cpus.prev = &h->base.cpus;
	h->base.caches.next = h->base.caches.prev = &h->base.caches;
	*heap = &h->base;
	return 0;
}

static void bump_close(struct nslab_heap *heap)
{
	heap->env->free_meta(heap->env, heap, sizeof(struct bump_heap));
}

static int bump_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu)
{
	struct bump_cpu *c = heap->env->alloc_meta(heap->env, sizeof(*c), node);

	if (!c)
		return -ENOMEM;
	c->base.ops = heap->ops;
	c->base.heap = heap;
	c->base.id = id;
	c->base.node = node;
	atomic_store(&c->base.flushed_epoch, atomic_load(&heap->flush_epoch));
	bump_list_add(&c->base.link, &heap->cpus);
	heap->nr_cpus++;
	*cpu = &c->base;
	return 0;
}

/* A handle's objects of one cache become everybody's. */
static void bump_give_back(struct bump_slot *slot)
{
	struct bump_cache *s = slot->cache;
	void *last = slot->stack;
	void *left;

	atomic_fetch_add(&s->nr_live, slot->nr_taken);
	slot->nr_taken = 0;
	if (!last)
		return;
	while (*bump_link(s, last))
		last = *bump_link(s, last);
	left = atomic_load(&s->left);
	do
		*bump_link(s, last) = left;
	while (!atomic_compare_exchange_weak(&s->left, &left, slot->stack));
	slot->stack = NULL;
}

/* Everything but the rest of the regions, which only this handle can cut up. */
static void bump_flush(struct bump_cpu *cpu)
{
	for (unsigned i = 0; i < BUMP_MAX_CACHES; i++) {
		if (cpu->slot[i].cache)
			bump_give_back(&cpu->slot[i]);
	}
}

static void bump_quiesce(struct nslab_cpu *base)
{
	struct bump_cpu *cpu = nslab_container_of(base, struct bump_cpu, base);
	unsigned epoch = atomic_load(&base->heap->flush_epoch);

	if (atomic_load(&base->flushed_epoch) == epoch)
		return;
	bump_flush(cpu);
	atomic_store(&base->flushed_epoch, epoch);
}

static void bump_cpu_offline(struct nslab_cpu *base)
{
	struct nslab_heap *heap = base->heap;

	bump_flush(nslab_container_of(base, struct bump_cpu, base));
	bump_list_del(&base->link);
	heap->nr_cpus--;
	heap->env->free_meta(heap->env, base, sizeof(struct bump_cpu));
}

/* ---- caches ---- */

static unsigned bump_align(const struct nslab_cache_spec *spec)
{
	size_t line = NSLAB_CACHE_LINE, align = spec->align < 8 ? 8 : spec->align;

	if (!(spec->flags & SLAB_HWCACHE_ALIGN))
		return (unsigned)align;
	while (spec->object_size <= line / 2)
		line /= 2;
	return (unsigned)(align > line ? align : line);
}

static void bump_shape(struct kmem_cache *s, const struct nslab_cache_spec *spec)
{
	size_t size = (spec->object_size + 7) / 8 * 8 + sizeof(void *);

	snprintf(s->name, sizeof(s->name), "%s", spec->name);
	s->object_size = (unsigned)spec->object_size;
	s->align = bump_align(spec);
	s->size = (unsigned)((size + s->align - 1) / s->align * s->align);
	s->flags = spec->flags;
	s->ctor = spec->ctor;
	while (s->order < NSLAB_MAX_ORDER && NSLAB_PAGE_SIZE << s->order < (size_t)s->size * 8)
		s->order++;
	s->objects = (unsigned)((NSLAB_PAGE_SIZE << s->order) / s->size);
}

static int bump_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
			     struct kmem_cache **cache)
{
	struct bump_heap *h = nslab_container_of(heap, struct bump_heap, base);
	struct bump_cache *s;
	unsigned number = 0;

	while (number < BUMP_MAX_CACHES && h->is_used[number])
		number++;
	if (number == BUMP_MAX_CACHES)
		return -ENOSPC;
	if (!spec->object_size || spec->object_size > NSLAB_PAGE_SIZE << (NSLAB_MAX_ORDER - 1))
		return -EINVAL;
	s = heap->env->alloc_meta(heap->env, sizeof(*s), NUMA_NO_NODE);
	if (!s)
		return -ENOMEM;
	s->base.heap = heap;
	s->number = number;
	bump_shape(&s->base, spec);
	h->is_used[number] = true;
	bump_list_add(&s->base.link, &heap->caches);
	*cache = &s->base;
	return 0;
}

/* 0, or -EAGAIN while a handle has not served the request. */
static int bump_wait(struct bump_cache *s)
{
	struct nslab_heap *heap = s->base.heap;

	if (!s->epoch)
		s->epoch = atomic_fetch_add(&heap->flush_epoch, 1) + 1;
	for (struct nslab_list *l = heap->cpus.next; l != &heap->cpus; l = l->next) {
		struct nslab_cpu *cpu = nslab_container_of(l, struct nslab_cpu, link);

		if ((int)(atomic_load(&cpu->flushed_epoch) - s->epoch) < 0)
			return -EAGAIN;
	}
	s->epoch = 0;
	return 0;
}

static void bump_free_blocks(struct bump_cache *s)
{
	const struct nslab_env *env = s->base.heap->env;
	struct nslab_page *page = atomic_load(&s->blocks), *next;

	for (; page; page = next) {
		next = (struct nslab_page *)(uintptr_t)page->priv[0];
		page->s = NULL;
		page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_SLAB);
		env->free_pages(env, NULL, page, page->order);
	}
}

/* Handles have quiesced and nothing is live, so nobody uses the slots of this cache any more. */
static void bump_forget(struct bump_cache *s)
{
	struct nslab_heap *heap = s->base.heap;

	for (struct nslab_list *l = heap->cpus.next; l != &heap->cpus; l = l->next) {
		struct nslab_cpu *base = nslab_container_of(l, struct nslab_cpu, link);
		struct bump_cpu *cpu = nslab_container_of(base, struct bump_cpu, base);

		cpu->slot[s->number] = (struct bump_slot){.cache = NULL};
	}
}

static int bump_cache_destroy(struct kmem_cache *base)
{
	struct bump_cache *s = nslab_container_of(base, struct bump_cache, base);
	struct bump_heap *h = nslab_container_of(base->heap, struct bump_heap, base);
	int rc = bump_wait(s);

	if (rc)
		return rc;
	if (atomic_load(&s->nr_live))
		return -EBUSY;
	bump_forget(s);
	bump_free_blocks(s);
	bump_list_del(&base->link);
	h->is_used[s->number] = false;
	base->heap->env->free_meta(base->heap->env, s, sizeof(*s));
	return 0;
}

/* ---- objects ---- */

/* A new block becomes the region; what is left of the old one is less than an object. */
static bool bump_grow(struct bump_cpu *cpu, struct bump_slot *slot, struct bump_cache *s, gfp_t gfp)
{
	const struct nslab_env *env = cpu->base.heap->env;
	struct nslab_page *page, *first;

	page = env->alloc_pages(env, &cpu->base, s->base.order, gfp & ~__GFP_ZERO, NUMA_NO_NODE);
	if (!page)
		return false;
	page->s = &s->base;
	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_SLAB);
	first = atomic_load(&s->blocks);
	do
		page->priv[0] = (uintptr_t)first;
	while (!atomic_compare_exchange_weak(&s->blocks, &first, page));
	slot->next = nslab_page_address(env, page);
	slot->end = slot->next + (size_t)s->base.objects * s->base.size;
	return true;
}

/* An object that no stack has: somebody else's, the region's, or a new block's. */
static void *bump_fetch(struct bump_cpu *cpu, struct bump_slot *slot, struct bump_cache *s,
			gfp_t gfp)
{
	void *obj;

	bump_quiesce(&cpu->base);
	slot->cache = s;
	obj = atomic_exchange(&s->left, NULL);
	if (obj) {
		slot->stack = *bump_link(s, obj);
		return obj;
	}
	if (slot->next == slot->end && !bump_grow(cpu, slot, s, gfp))
		return NULL;
	obj = slot->next;
	slot->next += s->base.size;
	if (s->base.ctor)
		s->base.ctor(obj);
	return obj;
}

static void *bump_alloc(struct nslab_cpu *base, struct kmem_cache *cache, gfp_t gfp, int node)
{
	struct bump_cpu *cpu = nslab_container_of(base, struct bump_cpu, base);
	struct bump_cache *s = nslab_container_of(cache, struct bump_cache, base);
	struct bump_slot *slot = &cpu->slot[s->number];
	char *obj = slot->stack;

	(void)node;
	if (obj)
		slot->stack = *bump_link(s, obj);
	else
		obj = bump_fetch(cpu, slot, s, gfp);
	if (!obj)
		return NULL;
	slot->nr_taken++;
	for (size_t i = 0; (gfp & __GFP_ZERO) && i < cache->object_size; i++)
		obj[i] = 0;
	return obj;
}

static void bump_free(struct nslab_cpu *base, struct kmem_cache *cache, void *obj)
{
	struct bump_cpu *cpu = nslab_container_of(base, struct bump_cpu, base);
	struct bump_cache *s = nslab_container_of(cache, struct bump_cache, base);
	struct bump_slot *slot = &cpu->slot[s->number];

	slot->cache = s;
	*bump_link(s, obj) = slot->stack;
	slot->stack = obj;
	slot->nr_taken--;
}

static const struct nslab_allocator_ops bump_ops = {
	.name = "bump",
	.summary = "example: a bump region and a stack of free objects for each CPU and cache",
	.models = "-",
	.caps = NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_CACHE | NSLAB_CAP_CTOR | NSLAB_CAP_PAGES,
	.open = bump_open,
	.close = bump_close,
	.cpu_online = bump_cpu_online,
	.cpu_offline = bump_cpu_offline,
	.cache_create = bump_cache_create,
	.cache_destroy = bump_cache_destroy,
	.alloc = bump_alloc,
	.free = bump_free,
	.quiesce = bump_quiesce,
};
NSLAB_ALLOCATOR_PLUGIN(bump_ops);
