// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub_control.c: the control calls of the SLUB model; slub.c tells the design.
 *
 * A cache has a number; the number says which slot of which chunk is its own in every CPU handle.
 * Slots of a number that no cache has belong to the control side, which clears their counts when
 * the number is given out again; all other words of a live handle are only read, and only where
 * the contract asks for quiesced handles. Chains that are walked for counting are checked at every
 * step against the bounds of their slab, so that a corrupted one ends the walk and not the program.
 *
 * Shrinking takes each node's list_lock once, frees the empty slabs after it dropped the lock, and
 * puts the fullest of the others first, which lets the emptier ones drain. Destroying does the same
 * and refuses when a slab is left. Left out: the sysfs view itself.
 *
 * Caches with sheaves in front of cpu slabs have two numbers. What the fast paths did follows from
 * what flowed through the layers: for cpu slabs see slub_fill_fastpath(), for sheaves
 * slub_fill_sheaf_fastpath().
 *
 * Locks: node list_lock (NSLAB_RANK_NODE).
 */
#include "allocators/slub_slab.h"

#define SLUB_SHRINK_SORT 32 /* slabs with up to this many free objects are sorted */
#define SLUB_DEBUG_FLAGS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

/* ---- slabs to the page layer ---- */

void slub_node_account(struct slub_node *n, int64_t slabs, uint64_t objects, unsigned order)
{
	__atomic_fetch_add(&n->nr_slabs, (uint64_t)slabs, __ATOMIC_RELAXED);
	__atomic_fetch_add(&n->nr_objects, (uint64_t)slabs * objects, __ATOMIC_RELAXED);
	__atomic_fetch_add(&n->nr_pages, (uint64_t)slabs << order, __ATOMIC_RELAXED);
}

void slub_discard(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot,
		  struct nslab_page *page)
{
	const struct nslab_env *env = s->base.heap->env;
	unsigned order = page->order;

	slub_count(s, slot, NSLAB_STAT_FREE_SLAB);
	slub_node_account(slub_node_of(s, page), -1, slub_objects(page->counters), order);
	page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_SLAB);
	page->s = NULL;
	env->free_pages(env, cpu ? &cpu->base : NULL, page, order);
}

/* ---- heap and CPUs ---- */

int slub_open(const struct nslab_env *env, const void *params, enum slub_generation least,
	      struct nslab_heap **heap)
{
	struct slub_heap *h = env->alloc_meta(env, sizeof(*h), NUMA_NO_NODE);

	if (!h)
		return -ENOMEM;
	nslab_heap_init(&h->base, env);
	h->params = slub_default_params;
	if (params)
		h->params = *(const struct slub_params *)params;
	if (h->params.generation < (int64_t)least)
		h->params.generation = (int64_t)least;
	*heap = &h->base;
	return 0;
}

void slub_close(struct nslab_heap *heap)
{
	struct slub_heap *h = nslab_container_of(heap, struct slub_heap, base);

	heap->env->free_meta(heap->env, h, sizeof(*h));
}

/* Nodes nearest first; of equal distance the lower number first, after the home node itself. */
static void slub_sort_nodes(const struct nslab_arena *arena, int home, int16_t *by_distance)
{
	for (int node = 0; node < arena->nr_nodes; node++) {
		const uint8_t *row = arena->distance + (size_t)home * (size_t)arena->nr_nodes;
		int at = node;

		while (at > 0 && by_distance[at - 1] != home &&
		       (node == home || row[node] < row[by_distance[at - 1]])) {
			by_distance[at] = by_distance[at - 1];
			at--;
		}
		by_distance[at] = (int16_t)node;
	}
}

int slub_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu)
{
	const struct nslab_env *env = heap->env;
	struct slub_cpu *c;

	if (id < 0 || id >= NSLAB_MAX_CPUS || node < 0 || node >= env->arena->nr_nodes)
		return -EINVAL;
	c = env->alloc_meta(env, sizeof(*c), node);
	if (!c)
		return -ENOMEM;
	c->arena_base = env->arena->base;
	c->pages = env->arena->pages;
	for (int i = 0; i < SLUB_CHUNKS; i++)
		c->chunk[i] = &slub_no_chunk;
	c->rng = nslab_rng_mix(env->seed, (uint64_t)id);
	nslab_list_init(&c->rcu_sheaves);
	slub_sort_nodes(env->arena, node, c->by_distance);
	nslab_cpu_init(&c->base, heap, id, node);
	*cpu = &c->base;
	return 0;
}

static struct slub_chunk *slub_chunk_of(const struct slub_cpu *cpu, unsigned number)
{
	/* pairs with the release in slub_own_slot */
	return __atomic_load_n(&cpu->chunk[number], __ATOMIC_ACQUIRE);
}

static struct slub_cpu_slab *slub_seen(const struct nslab_list *link, unsigned chunk_number,
				       unsigned offset)
{
	struct nslab_cpu *base = nslab_list_entry(link, struct nslab_cpu, link);
	struct slub_chunk *chunk = slub_chunk_of(slub_cpu_of(base), chunk_number);

	return chunk == &slub_no_chunk ? NULL : (struct slub_cpu_slab *)((char *)chunk + offset);
}

/* The slot with the cpu slab, for reading; or NULL when the CPU never used the cache. */
static struct slub_cpu_slab *slub_slot_seen(const struct nslab_list *link,
					    const struct slub_cache *s)
{
	return slub_seen(link, s->inner_chunk, s->inner_offset);
}

/* The one with the sheaves. */
static struct slub_cpu_slab *slub_outer_slot_seen(const struct nslab_list *link,
						  const struct slub_cache *s)
{
	return slub_seen(link, s->chunk, s->slot_offset);
}

static bool slub_has_two_slots(const struct slub_cache *s)
{
	return s->chunk != s->inner_chunk || s->slot_offset != s->inner_offset;
}

/* Adds what a slot counted to counts of its cache. */
static void slub_add_counts(const struct slub_cpu_slab *slot, uint64_t count[SLUB_NR_COUNTS],
			    uint64_t *ops, uint64_t *sheaf_ops)
{
	for (int i = 0; slot && i < SLUB_NR_COUNTS; i++)
		count[i] += slub_load(&slot->count[i]);
	if (slot) {
		*ops += slub_load(&slot->tid) / SLUB_TID_STEP;
		*sheaf_ops += slub_load(&slot->sheaves.lock) / 2;
	}
}

/* What a CPU counted for a cache, in both of its slots. */
static void slub_cpu_counts(const struct nslab_list *link, const struct slub_cache *s,
			    uint64_t count[SLUB_NR_COUNTS], uint64_t *ops, uint64_t *sheaf_ops)
{
	slub_add_counts(slub_slot_seen(link, s), count, ops, sheaf_ops);
	if (slub_has_two_slots(s))
		slub_add_counts(slub_outer_slot_seen(link, s), count, ops, sheaf_ops);
}

/* What the CPU counted outlives it in the caches; its sheaves do not. */
static void slub_retire_cpu(struct slub_cpu *cpu)
{
	nslab_list_for_each (pos, &cpu->base.heap->caches) {
		struct slub_cache *s =
			slub_cache_of(nslab_list_entry(pos, struct kmem_cache, link));
		struct slub_cpu_slab *slot = slub_outer_slot_seen(&cpu->base.link, s);
		uint64_t count[SLUB_NR_COUNTS] = {0};

		slub_cpu_counts(&cpu->base.link, s, count, &s->retired_ops, &s->retired_sheaf_ops);
		for (int i = 0; i < SLUB_NR_COUNTS; i++)
			__atomic_fetch_add(&s->count[i], count[i], __ATOMIC_RELAXED);
		if (slot)
			sheaves_retire_slot(cpu->base.heap->env, slot);
	}
}

void slub_cpu_offline(struct nslab_cpu *base)
{
	const struct nslab_env *env = base->heap->env;
	struct slub_cpu *cpu = slub_cpu_of(base);

	sheaves_rcu_barrier(base); /* nobody can read what waits on a CPU that is gone */
	slub_flush_cpu(cpu);
	slub_retire_cpu(cpu);
	for (int i = 0; i < SLUB_CHUNKS; i++) {
		if (cpu->chunk[i] != &slub_no_chunk)
			env->free_meta(env, cpu->chunk[i], sizeof(*cpu->chunk[i]));
	}
	nslab_cpu_exit(base);
	env->free_meta(env, cpu, sizeof(*cpu));
}

/* ---- creation ---- */

/* The order that the rule gives, or the one that was asked for; or -errno. */
static int slub_order(const struct slub_heap *h, const struct nslab_cache_spec *spec, size_t size)
{
	const struct slub_params *p = &h->params;
	struct nslab_order_knobs knobs = {
		.min_order = (unsigned)p->slab_min_order,
		.max_order = (unsigned)p->slab_max_order,
		.min_objects = p->slab_min_objects < 0 ? 0 : (unsigned)p->slab_min_objects,
	};
	unsigned least = nslab_order_of(size);
	unsigned order;

	if (least > NSLAB_MAX_ORDER)
		return -E2BIG;
	if (spec->order >= 0) {
		order = (unsigned)spec->order;
		if (order < least)
			return -E2BIG;
		if (nslab_order_objects(size, order) > NSLAB_ORDER_OBJECTS_MAX)
			return -ERANGE;
		return spec->order;
	}
	if (p->order < 0 && p->generation == SLUB_6_1)
		return nslab_order_old(size, &knobs, h->base.env->arena->nr_cpus);
	if (p->order < 0)
		return nslab_order_new(size, &knobs, h->base.env->arena->nr_cpus);
	order = nslab_order_max((unsigned)p->order, least);
	while (nslab_order_objects(size, order) > NSLAB_ORDER_OBJECTS_MAX)
		order--;
	return (int)order;
}

static unsigned slub_choose(int asked, int64_t param, unsigned rule)
{
	if (asked >= 0)
		return (unsigned)asked;
	return param >= 0 ? (unsigned)param : rule;
}

/* Objects in a sheaf; 0 for none. */
static unsigned slub_sheaf_capacity(const struct slub_params *p,
				    const struct nslab_cache_spec *spec, size_t size)
{
	unsigned least = p->generation == SLUB_7_0 ? sheaves_default_capacity(size) : 0;
	unsigned asked = slub_choose(spec->sheaf_capacity > 0 ? spec->sheaf_capacity : NSLAB_AUTO,
				     p->sheaf_capacity, 0);

	if (p->generation < SLUB_6_18)
		return 0;
	if (asked > SHEAVES_MAX_CAPACITY)
		asked = SHEAVES_MAX_CAPACITY;
	return asked > least ? asked : least;
}

static void slub_shape_sheaves(const struct slub_heap *h, const struct nslab_cache_spec *spec,
			       const struct sheaves_source *source, struct slub_cache *s)
{
	const struct slub_params *p = &h->params;

	s->generation = (unsigned)p->generation;
	s->sheaves.source = source;
	s->sheaves.capacity = slub_sheaf_capacity(p, spec, s->base.size);
	s->sheaves.max_full = SLUB_MAX_SHEAVES;
	s->sheaves.max_empty = SLUB_MAX_SHEAVES;
	s->sheaves.remote_bypass = true;
	if (s->generation == SLUB_7_0) {
		s->sheaves.max_full = (unsigned)p->max_full;
		s->sheaves.max_empty = (unsigned)p->max_empty;
		s->sheaves.remote_bypass = p->remote_bypass;
		s->sheaves.refill_when_nonblocking = p->refill_when_nonblocking;
		s->sheaves.remote_trylock = p->remote_trylock;
	}
}

/* Everything that the spec decides; base.size and base.align are nslab_cache_init's before. */
static void slub_shape(const struct slub_heap *h, const struct nslab_cache_spec *spec,
		       const struct nslab_object_layout *layout, unsigned order,
		       struct slub_cache *s)
{
	unsigned kept;

	s->base.size = layout->size;
	s->base.align = layout->align;
	s->base.order = order;
	s->base.objects = (unsigned)nslab_order_objects(layout->size, order);
	s->offset = layout->offset;
	s->min_order = nslab_order_of(layout->size);
	s->min_partial = slub_choose(spec->min_partial, h->params.min_partial,
				     nslab_order_min_partial(layout->size));
	kept = slub_choose(spec->cpu_partial, h->params.cpu_partial,
			   nslab_order_cpu_partial(layout->size));
	s->cpu_partial_slabs = nslab_order_cpu_partial_slabs(kept, s->base.objects);
	s->defrag_ratio = (unsigned)h->params.remote_node_defrag_ratio * 10;
}

/* Takes the lowest free number; its slots in live handles start anew. */
static int slub_take_number(struct slub_heap *h, unsigned *chunk, unsigned *offset)
{
	unsigned number = 0;

	while (number < SLUB_MAX_CACHES && (h->used_slots[number / 64] >> number % 64 & 1))
		number++;
	if (number == SLUB_MAX_CACHES)
		return -ENOSPC;
	h->used_slots[number / 64] |= UINT64_C(1) << number % 64;
	*chunk = number / SLUB_CHUNK_SLOTS;
	*offset = (unsigned)(number % SLUB_CHUNK_SLOTS * sizeof(struct slub_cpu_slab));
	nslab_list_for_each (pos, &h->base.cpus) {
		struct slub_cpu_slab *slot = slub_seen(pos, *chunk, *offset);

		if (slot) {
			memset(slot->count, 0, sizeof(slot->count));
			slot->tid = (uint64_t)nslab_list_entry(pos, struct nslab_cpu, link)->id;
			sheaves_retire_slot(h->base.env, slot);
		}
	}
	return 0;
}

static void slub_put_number(struct slub_heap *h, unsigned chunk, unsigned offset)
{
	unsigned number =
		chunk * SLUB_CHUNK_SLOTS + (unsigned)(offset / sizeof(struct slub_cpu_slab));

	h->used_slots[number / 64] &= ~(UINT64_C(1) << number % 64);
}

/* One slot, or two when sheaves stand in front of cpu slabs. */
static int slub_take_slots(struct slub_heap *h, struct slub_cache *s)
{
	int rc = slub_take_number(h, &s->chunk, &s->slot_offset);

	s->inner_chunk = s->chunk;
	s->inner_offset = s->slot_offset;
	if (rc || !s->sheaves.capacity || s->generation == SLUB_7_0)
		return rc;
	rc = slub_take_number(h, &s->inner_chunk, &s->inner_offset);
	if (rc)
		slub_put_number(h, s->chunk, s->slot_offset);
	return rc;
}

static void slub_put_slots(struct slub_heap *h, struct slub_cache *s)
{
	nslab_list_for_each (pos, &h->base.cpus) {
		struct slub_cpu_slab *slot = slub_outer_slot_seen(pos, s);

		if (slot)
			sheaves_retire_slot(h->base.env, slot);
	}
	slub_put_number(h, s->chunk, s->slot_offset);
	slub_put_number(h, s->inner_chunk, s->inner_offset);
}

static size_t slub_cache_bytes(const struct nslab_env *env)
{
	return sizeof(struct slub_cache) +
	       (size_t)env->arena->nr_nodes * sizeof(struct slub_node *);
}

static void slub_free_cache(const struct nslab_env *env, struct slub_cache *s)
{
	for (int i = 0; i < env->arena->nr_nodes; i++) {
		if (s->node[i])
			env->free_meta(env, s->node[i], sizeof(*s->node[i]));
	}
	env->free_meta(env, s, slub_cache_bytes(env));
}

/* The cache with its node structures, each in its own node's memory. */
static struct slub_cache *slub_alloc_cache(const struct nslab_env *env)
{
	struct slub_cache *s = env->alloc_meta(env, slub_cache_bytes(env), NUMA_NO_NODE);

	for (int i = 0; s && i < env->arena->nr_nodes; i++) {
		struct slub_node *n = env->alloc_meta(env, sizeof(*n), i);

		if (!n) {
			slub_free_cache(env, s);
			return NULL;
		}
		nslab_lock_init(&n->list_lock, NSLAB_RANK_NODE);
		nslab_list_init(&n->partial);
		sheaves_barn_init(&n->barn);
		s->node[i] = n;
	}
	return s;
}

int slub_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
		      const struct sheaves_source *source, struct kmem_cache **cache)
{
	struct slub_heap *h = nslab_container_of(heap, struct slub_heap, base);
	struct nslab_object_layout layout;
	int rc = nslab_spec_check(spec), order;
	struct slub_cache *s;

	if (rc)
		return rc;
	if (spec->flags & SLUB_DEBUG_FLAGS)
		return -EOPNOTSUPP;
	nslab_object_layout(spec->object_size, spec->align, spec->flags, spec->ctor, &layout);
	order = slub_order(h, spec, layout.size);
	if (order < 0)
		return order;
	s = slub_alloc_cache(heap->env);
	if (!s)
		return -ENOMEM;
	s->base.size = layout.size;
	slub_shape_sheaves(h, spec, source, s);
	rc = slub_take_slots(h, s);
	if (rc)
		goto out_free;
	rc = nslab_cache_init(&s->base, heap, spec);
	if (rc)
		goto out_slots;
	slub_shape(h, spec, &layout, (unsigned)order, s);
	*cache = &s->base;
	return 0;
out_slots:
	slub_put_slots(h, s);
out_free:
	slub_free_cache(heap->env, s);
	return rc;
}

/* ---- shrinking and destroying ---- */

static void slub_discard_list(struct slub_cache *s, struct nslab_list *list)
{
	nslab_list_for_each_safe (pos, tmp, list)
		slub_discard(NULL, s, NULL, nslab_list_entry(pos, struct nslab_page, list));
}

static void slub_shrink_node(struct slub_cache *s, struct slub_node *n)
{
	struct nslab_list by_free[SLUB_SHRINK_SORT + 1], sorted;

	for (int i = 0; i <= SLUB_SHRINK_SORT; i++)
		nslab_list_init(&by_free[i]);
	nslab_list_init(&sorted);
	slub_lock(n);
	nslab_list_for_each_safe (pos, tmp, &n->partial) {
		struct nslab_page *page = nslab_list_entry(pos, struct nslab_page, list);
		uint64_t counters = slub_page_counters(page);
		uint64_t nr_free = slub_objects(counters) - slub_inuse(counters);

		if (!slub_inuse(counters)) {
			slub_remove_partial(n, page);
			nslab_list_add_tail(&page->list, &by_free[0]);
		} else if (nr_free <= SLUB_SHRINK_SORT) {
			nslab_list_del(&page->list);
			nslab_list_add_tail(&page->list, &by_free[nr_free]);
		}
	}
	for (int i = 1; i <= SLUB_SHRINK_SORT; i++)
		nslab_list_splice_tail(&by_free[i], &sorted);
	nslab_list_splice_tail(&n->partial, &sorted);
	nslab_list_splice_tail(&sorted, &n->partial);
	slub_unlock(n);
	slub_discard_list(s, &by_free[0]);
}

/* Frees the empty slabs of every node; returns the slabs that remain anywhere. */
static size_t slub_shrink_nodes(struct slub_cache *s)
{
	size_t left = 0;

	for (int i = 0; i < s->base.heap->env->arena->nr_nodes; i++) {
		if (s->sheaves.capacity)
			sheaves_empty_barn(s, s->node[i]);
	}
	for (int i = 0; i < s->base.heap->env->arena->nr_nodes; i++) {
		slub_shrink_node(s, s->node[i]);
		left += slub_load(&s->node[i]->nr_slabs);
	}
	return left;
}

size_t slub_cache_shrink(struct kmem_cache *ks)
{
	nslab_flush_request(ks->heap);
	return slub_shrink_nodes(slub_cache_of(ks));
}

int slub_cache_destroy(struct kmem_cache *ks)
{
	struct slub_heap *h = nslab_container_of(ks->heap, struct slub_heap, base);
	struct slub_cache *s = slub_cache_of(ks);

	if (!s->is_destroying) {
		s->is_destroying = true;
		s->destroy_epoch = nslab_flush_request(ks->heap);
	}
	if (!nslab_flush_is_done(ks->heap, s->destroy_epoch))
		return -EAGAIN;
	s->is_destroying = false;
	if (slub_shrink_nodes(s))
		return -EBUSY;
	nslab_cache_exit(ks);
	slub_put_slots(h, s);
	slub_free_cache(h->base.env, s);
	return 0;
}

/* ---- validation ---- */

/* Objects on a list inside one slab, or -1 when it leaves the slab, repeats, or is misaligned. */
static int64_t slub_list_length(const struct slub_cache *s, const struct nslab_page *page,
				uint64_t list)
{
	uint64_t start = (uintptr_t)nslab_page_address(s->base.heap->env, page);
	uint64_t objects = slub_objects(slub_page_counters(page));
	int64_t nr = 0;

	for (; list; list = slub_next_free(s, list)) {
		if (list - start >= objects * s->base.size || (list - start) % s->base.size ||
		    (uint64_t)nr++ >= objects)
			return -1;
	}
	return nr;
}

static int slub_complain(const struct slub_cache *s, const struct nslab_page *page,
			 const char *what)
{
	const struct nslab_env *env = s->base.heap->env;

	env->report(env, "cache '%s': slab at %p of node %d: %s", s->base.name,
		    nslab_page_address(env, page), (int)page->node, what);
	return 1;
}

/* One slab: owner, frozen bit, and free objects against its counters. */
static int slub_validate_page(const struct slub_cache *s, const struct nslab_page *page,
			      bool is_frozen)
{
	uint64_t counters = slub_page_counters(page);
	int64_t nr_free;

	if (page->s != &s->base || !(page->flags & NSLAB_PAGE_SLAB))
		return slub_complain(s, page, "belongs to another cache");
	if (!!(counters & SLUB_FROZEN) != is_frozen)
		return slub_complain(s, page, "its frozen bit does not match its list");
	nr_free = slub_list_length(s, page, slub_page_freelist(page));
	if (nr_free < 0)
		return slub_complain(s, page, "its freelist is corrupted");
	if ((uint64_t)nr_free != slub_objects(counters) - slub_inuse(counters))
		return slub_complain(s, page, "its freelist and its counters disagree");
	return 0;
}

static int slub_validate_node(struct slub_cache *s, int node)
{
	const struct nslab_env *env = s->base.heap->env;
	struct slub_node *n = s->node[node];
	uint64_t nr = 0;
	int nr_bad = 0;

	nslab_lock_acquire(&n->list_lock);
	nslab_list_for_each (pos, &n->partial) {
		const struct nslab_page *page = nslab_list_entry(pos, struct nslab_page, list);

		nr_bad += slub_validate_page(s, page, false);
		if (!slub_page_freelist(page))
			nr_bad += slub_complain(s, page, "is listed although it is full");
		if (page->node != node)
			nr_bad += slub_complain(s, page, "is on another node's list");
		nr++;
	}
	if (nr != slub_load(&n->nr_partial)) {
		env->report(env, "cache '%s': node %d lists %llu slabs, its counter says %llu",
			    s->base.name, node, (unsigned long long)nr,
			    (unsigned long long)slub_load(&n->nr_partial));
		nr_bad++;
	}
	slub_unlock(n);
	return nr_bad;
}

static int slub_validate_slot(const struct slub_cache *s, const struct slub_cpu_slab *slot)
{
	int nr_bad = 0;

	if (slot->page) {
		nr_bad += slub_validate_page(s, slot->page, true);
		if (slub_list_length(s, slot->page, slot->freelist) < 0)
			nr_bad += slub_complain(s, slot->page, "its CPU's freelist is corrupted");
	}
	for (const struct nslab_page *page = slot->partial; page; page = slub_chained(page))
		nr_bad += slub_validate_page(s, page, slub_is_freezing(s));
	return nr_bad;
}

int slub_cache_validate(struct kmem_cache *ks)
{
	struct slub_cache *s = slub_cache_of(ks);
	int nr_bad = 0;

	for (int i = 0; i < ks->heap->env->arena->nr_nodes; i++)
		nr_bad += slub_validate_node(s, i) + sheaves_validate_barn(s, s->node[i]);
	nslab_list_for_each (pos, &ks->heap->cpus) {
		const struct slub_cpu_slab *slot = slub_slot_seen(pos, s);
		const struct slub_cpu_slab *outer = slub_outer_slot_seen(pos, s);

		if (slot)
			nr_bad += slub_validate_slot(s, slot);
		if (outer)
			nr_bad += sheaves_validate_slot(s, outer);
	}
	return nr_bad;
}

/* ---- statistics ---- */

static uint64_t slub_page_free(const struct nslab_page *page)
{
	uint64_t counters = slub_page_counters(page);

	return slub_objects(counters) - slub_inuse(counters);
}

static uint64_t slub_slot_free(const struct slub_cache *s, const struct slub_cpu_slab *slot)
{
	uint64_t nr = 0;

	if (slot->page) {
		int64_t held = slub_list_length(s, slot->page, slot->freelist);

		nr = slub_page_free(slot->page) + (held > 0 ? (uint64_t)held : 0);
	}
	for (const struct nslab_page *page = slot->partial; page; page = slub_chained(page))
		nr += slub_page_free(page);
	return nr;
}

static void slub_node_stats(struct slub_node *n, struct nslab_cache_stats *stats)
{
	stats->stat[NSLAB_STAT_LIST_LOCK] += slub_load(&n->nr_lock);
	nslab_lock_acquire(&n->list_lock); /* looking is not counted as using */
	nslab_list_for_each (pos, &n->partial)
		stats->nr_free += slub_page_free(nslab_list_entry(pos, struct nslab_page, list));
	stats->nr_partial += slub_load(&n->nr_partial);
	slub_unlock(n);
	stats->nr_slabs += slub_load(&n->nr_slabs);
	stats->nr_objects += slub_load(&n->nr_objects);
	stats->nr_pages += slub_load(&n->nr_pages);
}

/*
 * Fast and slow allocations less fast and slow frees are the live objects; fast allocations and
 * fast frees together are what the tids counted. Two equations, two unknowns.
 */
static void slub_fill_fastpath(struct nslab_cache_stats *stats, uint64_t ops,
			       const uint64_t count[SLUB_NR_COUNTS])
{
	uint64_t live = stats->nr_objects - stats->nr_free;
	uint64_t slow = count[NSLAB_STAT_ALLOC_SLOWPATH] - count[SLUB_ALLOC_FAILED];
	uint64_t twice = ops + live + count[SLUB_FREED_SLOW] - slow;

	stats->stat[NSLAB_STAT_ALLOC_FASTPATH] = twice / 2;
	stats->stat[NSLAB_STAT_FREE_FASTPATH] = ops - twice / 2;
}

/*
 * What came into the sheaves and is not there any more has left them: fast allocations less fast
 * frees follow, and both together are what the local locks counted.
 */
static void slub_fill_sheaf_fastpath(const struct slub_cache *s, struct nslab_cache_stats *stats,
				     uint64_t ops, uint64_t held,
				     const uint64_t count[SLUB_NR_COUNTS])
{
	bool is_only = s->generation == SLUB_7_0;
	uint64_t in = count[NSLAB_STAT_SHEAF_REFILL] + count[NSLAB_STAT_FREE_RCU_SHEAF] +
		      count[SLUB_SHEAF_IN];
	uint64_t out = count[NSLAB_STAT_SHEAF_FLUSH] + count[SLUB_SHEAF_OUT] + held;
	uint64_t allocs = (ops + in - out) / 2;

	stats->stat[is_only ? NSLAB_STAT_ALLOC_FASTPATH : NSLAB_STAT_ALLOC_CPU_SHEAF] = allocs;
	stats->stat[is_only ? NSLAB_STAT_FREE_FASTPATH : NSLAB_STAT_FREE_CPU_SHEAF] = ops - allocs;
}

/* Adds free objects in sheaves; returns all objects in them. */
static uint64_t slub_sheaf_stats(const struct slub_cache *s, struct nslab_cache_stats *stats)
{
	uint64_t cpus = 0, barns = 0, waiting = 0;

	for (int i = 0; i < s->base.heap->env->arena->nr_nodes; i++)
		barns += sheaves_barn_held(s->node[i]);
	nslab_list_for_each (pos, &s->base.heap->cpus) {
		struct nslab_cpu *cpu = nslab_list_entry(pos, struct nslab_cpu, link);
		const struct slub_cpu_slab *slot = slub_outer_slot_seen(pos, s);

		if (!slot)
			continue;
		cpus += sheaves_cpu_held(slot);
		waiting += sheaves_rcu_held(slub_cpu_of(cpu), s, slot);
	}
	stats->nr_cpu_free += cpus;
	stats->nr_free += cpus + barns;
	return cpus + barns + waiting;
}

void slub_cache_stats(struct kmem_cache *ks, struct nslab_cache_stats *stats)
{
	struct slub_cache *s = slub_cache_of(ks);
	uint64_t count[SLUB_NR_COUNTS], ops = s->retired_ops, sheaf_ops = s->retired_sheaf_ops;

	memset(stats, 0, sizeof(*stats));
	for (int i = 0; i < SLUB_NR_COUNTS; i++)
		count[i] = slub_load(&s->count[i]);
	nslab_list_for_each (pos, &ks->heap->cpus) {
		const struct slub_cpu_slab *slot = slub_slot_seen(pos, s);

		slub_cpu_counts(pos, s, count, &ops, &sheaf_ops);
		if (slot)
			stats->nr_cpu_free += slub_slot_free(s, slot);
	}
	memcpy(stats->stat, count, sizeof(stats->stat));
	for (int i = 0; i < ks->heap->env->arena->nr_nodes; i++)
		slub_node_stats(s->node[i], stats);
	stats->nr_free += stats->nr_cpu_free;
	if (s->generation != SLUB_7_0)
		slub_fill_fastpath(stats, ops, count);
	if (s->sheaves.capacity)
		slub_fill_sheaf_fastpath(s, stats, sheaf_ops, slub_sheaf_stats(s, stats), count);
	stats->is_counted = true;
}
