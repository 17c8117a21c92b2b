// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub_control.c: the control calls of the SLUB model; slub.c tells the design.
 *
 * A cache has a number, which says which slot of which chunk is its own in every CPU handle. Words
 * of a live handle are only read, and only where the contract asks for quiesced handles. An alias
 * is shrunk, validated and counted as its root (slub_merge.c); slabs of debug caches are validated
 * byte by byte (slub_debug.c). Chains that are walked for counting are checked at every
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
#include "allocators/slub_control.h"
#include "allocators/slub_debug.h"

#define SLUB_SHRINK_SORT 32 /* slabs with up to this many free objects are sorted */

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

	if (s->debug_flags)
		slub_debug_discarded(s, page);
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
	struct slub_heap *h;
	int rc = params ? slub_debug_check_text(env, params) : 0;

	if (rc)
		return rc;
	h = env->alloc_meta(env, sizeof(*h), NUMA_NO_NODE);
	if (!h)
		return -ENOMEM;
	nslab_heap_init(&h->base, env);
	nslab_list_init(&h->roots);
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
	slub_debug_watch(nslab_container_of(heap, struct slub_heap, base), &c->base);
	*cpu = &c->base;
	return 0;
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
	struct slub_heap *h = nslab_container_of(cpu->base.heap, struct slub_heap, base);

	nslab_list_for_each (pos, &h->roots) {
		struct slub_cache *s = nslab_list_entry(pos, struct slub_cache, root_link);
		struct slub_cpu_slab *slot = slub_outer_slot_seen(&cpu->base.link, s);
		uint64_t count[SLUB_NR_COUNTS] = {0};

		slub_cpu_counts(&cpu->base.link, s, count, &s->retired_ops, &s->retired_sheaf_ops);
		for (int i = 0; i < SLUB_NR_COUNTS; i++) {
			if (count[i])
				__atomic_fetch_add(&s->count[i], count[i], __ATOMIC_RELAXED);
		}
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
	return slub_shrink_nodes(slub_cache_of(ks)->root);
}

int slub_cache_destroy(struct kmem_cache *ks)
{
	struct slub_heap *h = nslab_container_of(ks->heap, struct slub_heap, base);
	struct slub_cache *given = slub_cache_of(ks), *s = given->root;

	if (slub_drop_user(h, given))
		return 0;
	if (!s->is_destroying) {
		s->is_destroying = true;
		s->destroy_epoch = nslab_flush_request(ks->heap);
	}
	if (!nslab_flush_is_done(ks->heap, s->destroy_epoch))
		return -EAGAIN;
	s->is_destroying = false;
	if (slub_shrink_nodes(s)) {
		if (s->debug_flags)
			slub_debug_tell_remaining(s);
		return -EBUSY;
	}
	nslab_cache_exit(ks);
	if (given != s)
		h->base.env->free_meta(h->base.env, given, slub_cache_bytes(h->base.env));
	slub_cache_free(h, s);
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
		struct nslab_page *page = nslab_list_entry(pos, struct nslab_page, list);

		nr_bad += s->debug_flags ? slub_debug_validate(s, page)
					 : slub_validate_page(s, page, false);
		if (!slub_page_freelist(page))
			nr_bad += slub_complain(s, page, "is listed although it is full");
		if (page->node != node)
			nr_bad += slub_complain(s, page, "is on another node's list");
		nr++;
	}
	nslab_list_for_each (pos, &n->full)
		nr_bad += slub_debug_validate(s, nslab_list_entry(pos, struct nslab_page, list));
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
	struct slub_cache *s = slub_cache_of(ks)->root;
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
	struct slub_cache *s = slub_cache_of(ks)->root;
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
	if (s->generation != SLUB_7_0 && !s->debug_flags)
		slub_fill_fastpath(stats, ops, count);
	if (s->sheaves.capacity)
		slub_fill_sheaf_fastpath(s, stats, sheaf_ops, slub_sheaf_stats(s, stats), count);
	stats->is_counted = true;
}

bool slub_cache_glance(struct kmem_cache *ks, struct nslab_cache_stats *stats)
{
	struct slub_cache *s = slub_cache_of(ks)->root;

	memset(stats, 0, sizeof(*stats));
	for (int i = 0; i < ks->heap->env->arena->nr_nodes; i++) {
		slub_node_stats(s->node[i], stats);
		stats->nr_free += sheaves_barn_held(s->node[i]);
	}
	memset(stats->stat, 0, sizeof(stats->stat));
	return true;
}
