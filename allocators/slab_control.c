// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab_control.c: the control calls of the SLAB model; slab.c tells the design.
 *
 * A cache has a number, and the number says which array of a CPU handle is its own. Arrays are made
 * by the owner of the handle when it first needs one, and end when it serves the flush request of a
 * cache that is being destroyed; a cache whose arrays have not all ended is not destroyed. All
 * other words of a live handle are only read, and only where the contract asks for quiesced
 * handles.
 *
 * Shrinking sends the objects of other nodes home first, then empties the shared arrays, then gives
 * the empty slabs back: each step feeds the next. Validation checks each slab against its list, its
 * index array and the counts of its node, and then looks for objects that are free twice: in two
 * arrays, or in an array and in their slab. Left out: /proc/slabinfo itself.
 *
 * Locks: lock of an alien array (NSLAB_RANK_CACHE), node list_lock (NSLAB_RANK_NODE).
 */
#include "allocators/slab.h"

#include <stdlib.h>

#define SLAB_DEBUG_FLAGS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

/* ---- parameters ---- */

static const char *const slab_auto[] = {"auto", NULL};

#define SLAB_ROW(field, row_flags, row_def, row_min, row_max, row_choices, row_help)               \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_INT, .flags = (row_flags),                                   \
  .offset = offsetof(struct slab_params, field), .def = (row_def), .min = (row_min),               \
  .max = (row_max), .choices = (row_choices), .help = (row_help),                                  \
 }
#define SLAB_PER_CACHE (NSLAB_PARAM_TUNABLE | NSLAB_PARAM_PER_CACHE)

const struct nslab_param slab_param_rows[] = {
	SLAB_ROW(order, SLAB_PER_CACHE, "auto", 0, NSLAB_MAX_ORDER, slab_auto,
		 "order of slabs of caches that ask for none, raised to what an object needs"),
	SLAB_ROW(limit, SLAB_PER_CACHE, "auto", 1, 16384, slab_auto,
		 "objects in the array of a CPU; auto goes by object size, 120 to 1"),
	SLAB_ROW(batchcount, SLAB_PER_CACHE, "auto", 1, 16384, slab_auto,
		 "objects that move between an array and its node at once, at most limit; auto is "
		 "half of limit"),
	SLAB_ROW(shared, SLAB_PER_CACHE, "auto", 0, 64, slab_auto,
		 "batches in the array that the CPUs of a node share; auto is 8 up to a page"),
	SLAB_ROW(slab_max_order, NSLAB_PARAM_TUNABLE, "1", 0, NSLAB_MAX_ORDER, NULL,
		 "order at which the order rule stops while an object fits"),
	SLAB_ROW(reap_ops, NSLAB_PARAM_TUNABLE, "1m", 0, INT64_MAX, NULL,
		 "operations of a CPU that stand for the 2 seconds between reaps; 0 never reaps"),
	{.name = "noaliencache",
	 .type = NSLAB_PARAM_BOOL,
	 .flags = NSLAB_PARAM_TUNABLE,
	 .offset = offsetof(struct slab_params, noaliencache),
	 .def = "no",
	 .help = "objects of other nodes are freed there one by one instead of in batches"},
	NSLAB_PARAM_END,
};

static const struct slab_params slab_default_params = {
	.order = NSLAB_AUTO,
	.limit = NSLAB_AUTO,
	.batchcount = NSLAB_AUTO,
	.shared = NSLAB_AUTO,
	.slab_max_order = 1,
	.reap_ops = 1 << 20,
};

/* ---- heap ---- */

/* The classes of kmalloc that SLAB has: from 32 bytes on. */
static int slab_kmalloc_create(struct nslab_heap *heap)
{
	int rc = 0;

	for (unsigned i = NSLAB_SLAB_MIN_CLASS; i < NSLAB_KMALLOC_CLASSES && !rc; i++) {
		unsigned size = nslab_kmalloc_class_size(i);
		char name[NSLAB_NAME_MAX];
		const struct nslab_cache_spec spec = {
			.name = name,
			.object_size = size,
			.align = nslab_kmalloc_class_align(i),
			.order = NSLAB_AUTO,
		};

		snprintf(name, sizeof(name), "kmalloc-%u%s", size < 1024 ? size : size / 1024,
			 size < 1024 ? "" : "k");
		rc = slab_cache_create(heap, &spec, &heap->kmalloc[i]);
	}
	return rc;
}

int slab_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	const struct slab_params *p = params ? params : &slab_default_params;
	struct slab_heap *h;
	int rc;

	if (p->limit > 0 && p->batchcount > p->limit)
		return -EINVAL;
	h = env->alloc_meta(env, sizeof(*h), NUMA_NO_NODE);
	if (!h)
		return -ENOMEM;
	nslab_heap_init(&h->base, env);
	h->params = *p;
	rc = slab_kmalloc_create(&h->base);
	if (rc) {
		slab_close(&h->base);
		return rc;
	}
	*heap = &h->base;
	return 0;
}

void slab_close(struct nslab_heap *heap)
{
	for (unsigned i = 0; i < NSLAB_KMALLOC_CLASSES; i++) {
		if (heap->kmalloc[i] && slab_cache_destroy(heap->kmalloc[i]))
			heap->env->report(heap->env, "cache '%s': objects still allocated at close",
					  heap->kmalloc[i]->name);
	}
	heap->env->free_meta(heap->env, slab_heap_of(heap), sizeof(struct slab_heap));
}

/* ---- CPUs ---- */

/* Nodes nearest first, the home node before all; of equal distance the lower number first. */
static void slab_sort_nodes(const struct nslab_arena *arena, int home, int16_t *by_distance)
{
	const uint8_t *row = arena->distance + (size_t)home * (size_t)arena->nr_nodes;
	int nr = 0;

	by_distance[nr++] = (int16_t)home;
	for (unsigned distance = 0; distance <= UINT8_MAX && nr < arena->nr_nodes; distance++) {
		for (int node = 0; node < arena->nr_nodes; node++) {
			if (node != home && row[node] == distance)
				by_distance[nr++] = (int16_t)node;
		}
	}
}

int slab_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu)
{
	const struct nslab_env *env = heap->env;
	struct slab_cpu *c;

	if (id < 0 || id >= NSLAB_MAX_CPUS || node < 0 || node >= env->arena->nr_nodes)
		return -EINVAL;
	c = env->alloc_meta(env, sizeof(*c), node);
	if (!c)
		return -ENOMEM;
	for (int i = 0; i < SLAB_MAX_CACHES; i++)
		c->array[i] = &slab_no_array;
	c->arena_base = env->arena->base;
	c->pages = env->arena->pages;
	c->kmalloc = heap->kmalloc;
	c->reap_node = (node + 1) % env->arena->nr_nodes;
	slab_sort_nodes(env->arena, node, c->by_distance);
	nslab_cpu_init(&c->base, heap, id, node);
	__atomic_fetch_add(&slab_heap_of(heap)->nr_cpus_of_node[node], 1, __ATOMIC_RELAXED);
	*cpu = &c->base;
	return 0;
}

/*
 * The last CPU of a node left. What it kept for other nodes goes there; nodes without CPUs keep
 * nothing, also if it came from this one.
 */
static void slab_node_offline(struct slab_heap *h, int node)
{
	nslab_list_for_each (pos, &h->base.caches) {
		struct slab_cache *s =
			slab_cache_of(nslab_list_entry(pos, struct kmem_cache, link));

		slab_drain_aliens(s, s->node[node]);
		for (int i = 0; i < h->base.env->arena->nr_nodes; i++) {
			if (!h->nr_cpus_of_node[i])
				slab_drain_node(s, s->node[i]);
		}
	}
}

void slab_cpu_offline(struct nslab_cpu *base)
{
	struct slab_heap *h = slab_heap_of(base->heap);
	const struct nslab_env *env = base->heap->env;
	struct slab_cpu *cpu = slab_cpu_of(base);
	int node = base->node;

	cpu->depth++; /* nothing else is served any more */
	slab_flush_cpu(cpu);
	for (unsigned i = 0; i < cpu->nr_arrays; i++) {
		if (cpu->array[i] != &slab_no_array)
			slab_drop_array(cpu, cpu->array[i]);
	}
	nslab_cpu_exit(base);
	env->free_meta(env, cpu, sizeof(*cpu));
	if (__atomic_sub_fetch(&h->nr_cpus_of_node[node], 1, __ATOMIC_RELAXED) == 0)
		slab_node_offline(h, node);
}

static struct slab_array *slab_array_seen(const struct nslab_list *link, const struct slab_cache *s)
{
	struct nslab_cpu *base = nslab_list_entry(link, struct nslab_cpu, link);
	/* pairs with the release in slab_own_array */
	struct slab_array *ac =
		__atomic_load_n(&slab_cpu_of(base)->array[s->number], __ATOMIC_ACQUIRE);

	return ac == &slab_no_array ? NULL : ac;
}

/* ---- creation ---- */

static void slab_tune(const struct slab_params *p, int nr_cpus, struct slab_cache *s)
{
	struct nslab_slab_tuning tuning;

	nslab_slab_tune(s->base.size, nr_cpus, &tuning);
	s->limit = p->limit > 0 ? (unsigned)p->limit : tuning.limit;
	s->batchcount = p->batchcount > 0 ? (unsigned)p->batchcount : (s->limit + 1) / 2;
	if (s->batchcount > s->limit) /* a batchcount for all caches, a limit by size */
		s->batchcount = s->limit;
	s->shared = p->shared >= 0 ? (unsigned)p->shared : tuning.shared;
}

/* The shape of the cache's slabs; an order for all caches gives way to what an object needs. */
static int slab_find_shape(const struct slab_heap *h, const struct nslab_cache_spec *spec,
			   struct nslab_slab_shape *shape)
{
	struct nslab_slab_rule rule = {
		.size = nslab_slab_stride(spec->object_size, nslab_spec_align(spec)),
		.object_size = spec->object_size,
		.flags = spec->flags,
		.has_ctor = spec->ctor,
		.max_order = (unsigned)h->params.slab_max_order,
		.order = spec->order,
	};
	int rc;

	if (spec->order >= 0 || h->params.order < 0)
		return nslab_slab_shape(&rule, shape);
	rule.order = (int)h->params.order;
	rc = nslab_slab_shape(&rule, shape);
	while (rc == -E2BIG && rule.order < NSLAB_MAX_ORDER) {
		rule.order++;
		rc = nslab_slab_shape(&rule, shape);
	}
	while (rc == -ERANGE && rule.order > 0) {
		rule.order--;
		rc = nslab_slab_shape(&rule, shape);
	}
	return rc;
}

static int slab_take_number(struct slab_heap *h, struct slab_cache *s)
{
	for (unsigned number = 0; number < SLAB_MAX_CACHES; number++) {
		uint64_t bit = UINT64_C(1) << number % 64;

		if (h->used_numbers[number / 64] & bit)
			continue;
		h->used_numbers[number / 64] |= bit;
		s->number = number;
		return 0;
	}
	return -ENOSPC;
}

static void slab_give_number(struct slab_heap *h, const struct slab_cache *s)
{
	h->used_numbers[s->number / 64] &= ~(UINT64_C(1) << s->number % 64);
}

static size_t slab_shared_bytes(const struct slab_cache *s)
{
	return sizeof(struct slab_shared) + (size_t)s->shared * s->batchcount * sizeof(void *);
}

static size_t slab_alien_bytes(const struct nslab_env *env)
{
	return (size_t)env->arena->nr_nodes * sizeof(struct slab_alien);
}

static size_t slab_cache_bytes(const struct nslab_env *env)
{
	return sizeof(struct slab_cache) +
	       (size_t)env->arena->nr_nodes * sizeof(struct slab_node *);
}

static void slab_free_node(const struct nslab_env *env, struct slab_cache *s, struct slab_node *n)
{
	if (n->shared)
		env->free_meta(env, n->shared, slab_shared_bytes(s));
	if (n->alien)
		env->free_meta(env, n->alien, slab_alien_bytes(env));
	env->free_meta(env, n, sizeof(*n));
}

static int slab_make_aliens(const struct nslab_env *env, const struct slab_cache *s,
			    struct slab_node *n)
{
	n->alien = env->alloc_meta(env, slab_alien_bytes(env), n->id);
	if (!n->alien)
		return -ENOMEM;
	for (int i = 0; i < env->arena->nr_nodes; i++) {
		nslab_lock_init(&n->alien[i].lock, NSLAB_RANK_CACHE);
		n->alien[i].limit = s->limit > 1 ? NSLAB_SLAB_ALIEN_LIMIT : 1;
	}
	return 0;
}

static int slab_make_node(const struct slab_heap *h, struct slab_cache *s, int id)
{
	const struct nslab_env *env = h->base.env;
	struct slab_node *n = env->alloc_meta(env, sizeof(*n), id);

	if (!n)
		return -ENOMEM;
	s->node[id] = n;
	n->id = id;
	nslab_lock_init(&n->list_lock, NSLAB_RANK_NODE);
	nslab_list_init(&n->partial);
	nslab_list_init(&n->full);
	nslab_list_init(&n->free);
	if (s->shared) {
		n->shared = env->alloc_meta(env, slab_shared_bytes(s), id);
		if (!n->shared)
			return -ENOMEM;
		n->shared->limit = s->shared * s->batchcount;
	}
	if (env->arena->nr_nodes > 1 && !h->params.noaliencache)
		return slab_make_aliens(env, s, n);
	return 0;
}

static void slab_free_cache(const struct nslab_env *env, struct slab_cache *s)
{
	for (int i = 0; i < env->arena->nr_nodes; i++) {
		if (s->node[i])
			slab_free_node(env, s, s->node[i]);
	}
	env->free_meta(env, s, slab_cache_bytes(env));
}

/* Everything that the spec and the parameters decide, after nslab_cache_init(). */
static void slab_fill(struct slab_heap *h, const struct nslab_slab_shape *shape,
		      struct slab_cache *s)
{
	s->base.size = (unsigned)nslab_slab_stride(s->base.object_size, s->base.align);
	s->base.order = shape->order;
	s->base.objects = shape->objects;
	s->shape = *shape;
	s->reciprocal = (unsigned)(((UINT64_C(1) << 32) + s->base.size - 1) / s->base.size);
	s->colour_bytes = nslab_slab_colour_bytes(s->base.align);
	s->colours = shape->left_bytes / s->colour_bytes;
	if (shape->index == NSLAB_SLAB_OFF_SLAB)
		s->index_cache = slab_cache_of(h->base.kmalloc[nslab_slab_class(
			(size_t)shape->objects * shape->index_bytes)]);
	slab_tune(&h->params, h->base.env->arena->nr_cpus, s);
}

int slab_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
		      struct kmem_cache **cache)
{
	struct slab_heap *h = slab_heap_of(heap);
	const struct nslab_env *env = heap->env;
	struct nslab_slab_shape shape;
	int rc = nslab_spec_check(spec);
	struct slab_cache *s;

	if (rc)
		return rc;
	if (spec->flags & SLAB_DEBUG_FLAGS)
		return -EOPNOTSUPP;
	rc = slab_find_shape(h, spec, &shape);
	if (rc)
		return rc;
	s = env->alloc_meta(env, slab_cache_bytes(env), NUMA_NO_NODE);
	if (!s)
		return -ENOMEM;
	rc = nslab_cache_init(&s->base, heap, spec);
	if (rc)
		goto out_free;
	slab_fill(h, &shape, s);
	for (int i = 0; i < env->arena->nr_nodes && !rc; i++)
		rc = slab_make_node(h, s, i);
	if (!rc)
		rc = slab_take_number(h, s);
	if (rc)
		goto out_unlink;
	*cache = &s->base;
	return 0;
out_unlink:
	nslab_cache_exit(&s->base);
out_free:
	slab_free_cache(env, s);
	return rc;
}

/* ---- shrinking and destroying ---- */

static size_t slab_shrink_nodes(struct slab_cache *s)
{
	int nr_nodes = s->base.heap->env->arena->nr_nodes;
	size_t left = 0;

	for (int i = 0; i < nr_nodes; i++)
		slab_drain_aliens(s, s->node[i]);
	for (int i = 0; i < nr_nodes; i++) {
		slab_drain_node(s, s->node[i]);
		left += slab_load(&s->node[i]->nr_slabs);
	}
	return left;
}

size_t slab_cache_shrink(struct kmem_cache *ks)
{
	nslab_flush_request(ks->heap);
	return slab_shrink_nodes(slab_cache_of(ks));
}

static bool slab_has_array(const struct slab_cache *s)
{
	nslab_list_for_each (pos, &s->base.heap->cpus) {
		if (slab_array_seen(pos, s))
			return true;
	}
	return false;
}

int slab_cache_destroy(struct kmem_cache *ks)
{
	struct slab_cache *s = slab_cache_of(ks);
	struct nslab_heap *heap = ks->heap;
	bool has_array;

	if (!atomic_exchange(&s->is_destroying, true))
		s->destroy_epoch = nslab_flush_request(heap);
	if (!nslab_flush_is_done(heap, s->destroy_epoch))
		return -EAGAIN;
	has_array = slab_has_array(s); /* again: used after it was flushed */
	atomic_store(&s->is_destroying, false);
	if (slab_shrink_nodes(s))
		return -EBUSY;
	if (has_array)
		return -EAGAIN;
	nslab_cache_exit(ks);
	slab_give_number(slab_heap_of(heap), s);
	for (unsigned i = 0; i < NSLAB_KMALLOC_CLASSES; i++) {
		if (heap->kmalloc[i] == ks)
			heap->kmalloc[i] = NULL;
	}
	slab_free_cache(heap->env, s);
	return 0;
}

/* ---- validation ---- */

static int slab_complain(const struct slab_cache *s, const void *where, const char *what)
{
	const struct nslab_env *env = s->base.heap->env;

	env->report(env, "cache '%s': %p of node %d: %s", s->base.name, where,
		    nslab_node_of(env, where), what);
	return 1;
}

/* The indexes of a slab's free objects: in bounds and different from each other. */
static int slab_validate_index(const struct slab_cache *s, const struct nslab_page *page)
{
	const void *start = nslab_page_address(s->base.heap->env, page);
	uint64_t seen[(NSLAB_SLAB_MAX_OBJECTS + 64) / 64] = {0};

	if (page->counters < s->shape.objects && !page->freelist)
		return slab_complain(s, start, "slab has free objects but no indexes");
	for (uint64_t at = page->counters; at < s->shape.objects; at++) {
		unsigned nr = slab_index_at(s, page, at);

		if (nr >= s->shape.objects || (seen[nr / 64] >> nr % 64 & 1))
			return slab_complain(s, start, "slab's indexes are corrupted");
		seen[nr / 64] |= UINT64_C(1) << nr % 64;
	}
	return 0;
}

/* Slabs on one list; their objects in use must be in least..most. */
static int slab_validate_list(const struct slab_cache *s, const struct slab_node *n,
			      const struct nslab_list *list, uint64_t least, uint64_t most,
			      uint64_t sums[2])
{
	int nr_bad = 0;

	nslab_list_for_each (pos, list) {
		const struct nslab_page *page = nslab_list_entry(pos, struct nslab_page, list);
		const void *start = nslab_page_address(s->base.heap->env, page);

		if (page->s != &s->base || !(page->flags & NSLAB_PAGE_SLAB))
			return nr_bad + slab_complain(s, start, "slab belongs to another cache");
		if (page->node != n->id)
			nr_bad += slab_complain(s, start, "slab is on another node's list");
		if (page->counters < least || page->counters > most)
			nr_bad += slab_complain(s, start, "slab is on the wrong list");
		if (page->counters <= s->shape.objects)
			nr_bad += slab_validate_index(s, page);
		sums[0]++;
		sums[1] += s->shape.objects - page->counters;
	}
	return nr_bad;
}

static int slab_validate_node(const struct slab_cache *s, struct slab_node *n)
{
	const struct nslab_env *env = s->base.heap->env;
	uint64_t partial[2] = {0}, full[2] = {0}, empty[2] = {0}, nr = s->shape.objects;
	int nr_bad = 0;

	nslab_lock_acquire(&n->list_lock); /* looking is not counted as using */
	nr_bad += slab_validate_list(s, n, &n->partial, 1, nr - 1, partial);
	nr_bad += slab_validate_list(s, n, &n->full, nr, nr, full);
	nr_bad += slab_validate_list(s, n, &n->free, 0, 0, empty);
	if (partial[0] != n->nr_partial || empty[0] != n->nr_free ||
	    partial[0] + full[0] + empty[0] != n->nr_slabs ||
	    partial[1] + full[1] + empty[1] != n->free_objects) {
		env->report(env, "cache '%s': node %d: lists and counters disagree", s->base.name,
			    n->id);
		nr_bad++;
	}
	nslab_lock_release(&n->list_lock);
	return nr_bad;
}

/* Free objects outside slabs, gathered from all arrays. */
struct slab_gather {
	const struct slab_cache *s;
	void **objs;
	size_t nr;
	int nr_bad;
};

static bool slab_is_free_in_slab(const struct slab_cache *s, const struct nslab_page *page,
				 const void *obj)
{
	unsigned nr = slab_number_of(s, page, obj);

	for (uint64_t at = page->counters; page->freelist && at < s->shape.objects; at++) {
		if (slab_index_at(s, page, at) == nr)
			return true;
	}
	return false;
}

static void slab_gather(struct slab_gather *g, int home, void *const *entry, uint32_t nr)
{
	const struct nslab_env *env = g->s->base.heap->env;

	for (uint32_t i = 0; i < nr; i++) {
		const struct nslab_page *page =
			nslab_is_arena(env, entry[i]) ? nslab_page_of(env, entry[i]) : NULL;

		if (!page || page->s != &g->s->base || page->node != home ||
		    ((uintptr_t)entry[i] - page->priv[0]) % g->s->base.size)
			g->nr_bad += slab_complain(g->s, entry[i], "not an object for this array");
		else if (slab_is_free_in_slab(g->s, page, entry[i]))
			g->nr_bad += slab_complain(g->s, entry[i], "free in an array and its slab");
		if (g->objs)
			g->objs[g->nr] = entry[i];
		g->nr++;
	}
}

/* Without objs it only looks and counts. */
static void slab_gather_all(struct slab_gather *g)
{
	const struct slab_cache *s = g->s;
	int nr_nodes = s->base.heap->env->arena->nr_nodes;

	g->nr = 0;
	g->nr_bad = 0;
	for (int i = 0; i < nr_nodes; i++) {
		const struct slab_node *n = s->node[i];

		if (n->shared)
			slab_gather(g, i, n->shared->entry, n->shared->avail);
		for (int home = 0; n->alien && home < nr_nodes; home++)
			slab_gather(g, home, n->alien[home].entry, n->alien[home].avail);
	}
	nslab_list_for_each (pos, &s->base.heap->cpus) {
		const struct slab_array *ac = slab_array_seen(pos, s);

		if (ac)
			slab_gather(g, nslab_list_entry(pos, struct nslab_cpu, link)->node,
				    ac->entry, ac->avail);
	}
}

static int slab_by_address(const void *a, const void *b)
{
	uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;

	return (x > y) - (x < y);
}

static int slab_validate_arrays(const struct slab_cache *s)
{
	const struct nslab_env *env = s->base.heap->env;
	struct slab_gather g = {.s = s};
	size_t bytes;
	int nr_bad;

	slab_gather_all(&g);
	nr_bad = g.nr_bad;
	if (nr_bad || !g.nr)
		return nr_bad;
	bytes = g.nr * sizeof(*g.objs);
	g.objs = env->alloc_meta(env, bytes, NUMA_NO_NODE);
	if (!g.objs)
		return 0; /* no memory to look for more */
	slab_gather_all(&g);
	qsort(g.objs, g.nr, sizeof(*g.objs), slab_by_address);
	for (size_t i = 1; i < g.nr; i++) {
		if (g.objs[i] == g.objs[i - 1])
			nr_bad += slab_complain(s, g.objs[i], "object was freed twice");
	}
	env->free_meta(env, g.objs, bytes);
	return nr_bad;
}

int slab_cache_validate(struct kmem_cache *ks)
{
	struct slab_cache *s = slab_cache_of(ks);
	int nr_bad = 0;

	for (int i = 0; i < ks->heap->env->arena->nr_nodes; i++)
		nr_bad += slab_validate_node(s, s->node[i]);
	return nr_bad + slab_validate_arrays(s);
}

/* ---- statistics ---- */

static void slab_node_stats(const struct slab_cache *s, struct slab_node *n,
			    struct nslab_cache_stats *stats)
{
	stats->stat[NSLAB_STAT_LIST_LOCK] += slab_load(&n->nr_lock);
	nslab_lock_acquire(&n->list_lock); /* looking is not counted as using */
	stats->nr_slabs += n->nr_slabs;
	stats->nr_partial += n->nr_partial;
	stats->nr_free += n->free_objects + (n->shared ? n->shared->avail : 0);
	nslab_lock_release(&n->list_lock);
	for (int i = 0; n->alien && i < s->base.heap->env->arena->nr_nodes; i++)
		stats->nr_free += slab_avail(&n->alien[i].avail);
}

static void slab_shared_stats(const struct slab_cache *s, struct nslab_cache_stats *stats)
{
	for (int i = 0; i < s->base.heap->env->arena->nr_nodes; i++)
		slab_node_stats(s, s->node[i], stats);
	stats->nr_objects = stats->nr_slabs * s->shape.objects;
	stats->nr_pages = stats->nr_slabs << s->base.order;
}

bool slab_cache_glance(struct kmem_cache *ks, struct nslab_cache_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	slab_shared_stats(slab_cache_of(ks), stats);
	memset(stats->stat, 0, sizeof(stats->stat));
	return true;
}

void slab_cache_stats(struct kmem_cache *ks, struct nslab_cache_stats *stats)
{
	struct slab_cache *s = slab_cache_of(ks);
	uint64_t count[SLAB_NR_COUNTS];

	memset(stats, 0, sizeof(*stats));
	for (int i = 0; i < SLAB_NR_COUNTS; i++)
		count[i] = slab_load(&s->count[i]);
	nslab_list_for_each (pos, &ks->heap->cpus) {
		const struct slab_array *ac = slab_array_seen(pos, s);

		if (!ac)
			continue;
		for (int i = 0; i < SLAB_NR_COUNTS; i++)
			count[i] += slab_load(&ac->count[i]);
		count[SLAB_FAST_ALLOCS] += ac->nr_pops;
		count[SLAB_FAST_FREES] += slab_fast_frees(ac);
		stats->nr_cpu_free += ac->avail;
	}
	memcpy(stats->stat, count, sizeof(stats->stat));
	stats->stat[NSLAB_STAT_ALLOC_FASTPATH] = count[SLAB_FAST_ALLOCS];
	stats->stat[NSLAB_STAT_FREE_FASTPATH] = count[SLAB_FAST_FREES];
	slab_shared_stats(s, stats);
	stats->nr_free += stats->nr_cpu_free;
	stats->is_counted = true;
}
