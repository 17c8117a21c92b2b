// SPDX-License-Identifier: GPL-2.0-only
/*
 * slob.c: SLOB as Linux 6.1 has it, the small allocator that kernels up to 6.3 could be built with.
 *
 * One heap for everything: objects of all caches and of kmalloc lie side by side in pages of order
 * 0, cut in units of 2 bytes. Free blocks of a page form a list in address order, which lies in the
 * blocks themselves: a block of more units begins with its length and the unit number of the next
 * block, a block of one unit holds minus that number; number 2048, the end of the page, ends the
 * list. Pages with a free unit are on one of three lists, for objects below 256 bytes, below 1024
 * and above; full pages are on none. A request takes the first block that fits in the first page of
 * its list that has one, and the list is turned so that the next search starts at that page (next
 * fit). A page whose last object goes is given back at once.
 *
 * kmalloc puts a header of 8 bytes with the size in front of an object, or takes whole pages when
 * that does not leave room in one page. kfree tells the two by the page's NSLAB_PAGE_SLAB mark.
 * Caches know their size and need no header; from a page on they take pages directly. A full page
 * that gets its first free block joins the list of the size that was freed, at its head.
 *
 * Invariants. (1) A page is on a list exactly when it has a free unit. (2) Blocks of a page's list
 * rise in address and never touch: what touches was merged. (3) Every word of a heap page that is
 * not in an object changes under the one lock.
 *
 * What it claims. The constructor runs at EVERY allocation, so NSLAB_CAP_CTOR, once for each
 * object, is not claimed; it runs all the same. The node argument is honoured, but a request
 * without one is served from any node's page, so NSLAB_CAP_NODE is not claimed. Nothing is held
 * back, so there is nothing to shrink. Pages serve all caches together: statistics count a cache's
 * live objects as its objects and only pages that a cache has alone as its slabs; all operations
 * are slow paths, and list_lock counts the lock of the heap. Validation looks at the whole heap,
 * whatever the cache. Left out: debug options (-EOPNOTSUPP), waiting for a grace period under
 * SLAB_TYPESAFE_BY_RCU (its record is part of the size).
 *
 * Locks: the heap's lock (NSLAB_RANK_NODE); no page is asked for or given back under it.
 */
#include "allocators/common/base.h"
#include "allocators/common/defaults.h"
#include "allocators/common/kmalloc.h"
#include "core/lock.h"

#include <numaslab/plugin.h>
#include <string.h>

#define SLOB_UNIT	 2u /* bytes */
#define SLOB_PAGE_UNITS	 2048u
#define SLOB_SMALL_BYTES 256u /* first size that is not on the first list */
#define SLOB_LARGE_BYTES 1024u
#define SLOB_NR_LISTS	 3
#define SLOB_HEADER	 8u  /* bytes in front of a kmalloc object */
#define SLOB_RCU_BYTES	 24u /* behind an object under SLAB_TYPESAFE_BY_RCU */
#define SLOB_DEBUG_FLAGS (SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER)

struct slob_heap {
	struct nslab_heap base;
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) struct nslab_lock lock;
	struct nslab_list pages[SLOB_NR_LISTS]; /* head record: freelist is the first free */
						/* unit's number, counters the free units */
};

/* Counters change under the heap's lock, or atomically in caches that take pages directly. */
struct slob_cache {
	struct kmem_cache base;
	bool is_paged; /* every object is a block of pages */
	uint64_t stat[NSLAB_NR_STATS];
};

/* What one request asks for: where it looks and how its block must lie. */
struct slob_request {
	size_t bytes;
	size_t align;
	size_t offset; /* bytes from the block's start to what must be aligned */
	int node;
};

static struct slob_heap *slob_heap_of(struct nslab_heap *heap)
{
	return nslab_container_of(heap, struct slob_heap, base);
}

static struct slob_cache *slob_cache_of(struct kmem_cache *s)
{
	return nslab_container_of(s, struct slob_cache, base);
}

static unsigned slob_units(size_t bytes)
{
	return (unsigned)((bytes + SLOB_UNIT - 1) / SLOB_UNIT);
}

static struct nslab_list *slob_list(struct slob_heap *h, size_t bytes)
{
	return &h->pages[bytes < SLOB_SMALL_BYTES ? 0 : bytes < SLOB_LARGE_BYTES ? 1 : 2];
}

/* s NULL: kmalloc, which nobody asks for statistics. The lock is held. */
static void slob_count(struct slob_cache *s, int what)
{
	if (s)
		__atomic_store_n(&s->stat[what], s->stat[what] + 1, __ATOMIC_RELAXED);
}

static void slob_lock(struct slob_heap *h, struct slob_cache *s)
{
	nslab_lock_acquire(&h->lock);
	slob_count(s, NSLAB_STAT_LIST_LOCK);
}

/* ---- free blocks of a page; `at` and `next` are unit numbers ---- */

static int16_t *slob_base(const struct slob_heap *h, const struct nslab_page *page)
{
	return nslab_page_address(h->base.env, page);
}

static unsigned slob_block_units(const int16_t *base, unsigned at)
{
	return base[at] > 0 ? (unsigned)base[at] : 1;
}

static unsigned slob_block_next(const int16_t *base, unsigned at)
{
	return (unsigned)(base[at] > 0 ? base[at + 1] : -base[at]);
}

static void slob_set_block(int16_t *base, unsigned at, unsigned units, unsigned next)
{
	if (units == 1) {
		base[at] = (int16_t)(0 - (int)next);
	} else {
		base[at] = (int16_t)units;
		base[at + 1] = (int16_t)next;
	}
}

/* The block before gets a new follower; SLOB_PAGE_UNITS stands for no block before. */
static void slob_set_next(struct nslab_page *page, int16_t *base, unsigned prev, unsigned next)
{
	if (prev == SLOB_PAGE_UNITS)
		page->freelist = next;
	else
		slob_set_block(base, prev, slob_block_units(base, prev), next);
}

/* Takes `units` of a free block, from `skip` units after its start on. */
static void slob_cut(struct nslab_page *page, int16_t *base, unsigned prev, unsigned at,
		     unsigned skip, unsigned units)
{
	unsigned left = slob_block_units(base, at) - skip - units;
	unsigned next = slob_block_next(base, at);

	if (left) {
		slob_set_block(base, at + skip + units, left, next);
		next = at + skip + units;
	}
	if (skip)
		slob_set_block(base, at, skip, next);
	else
		slob_set_next(page, base, prev, next);
	page->counters -= units;
}

/* The first block of the page that fits, or NULL. */
static void *slob_take(const struct slob_heap *h, struct nslab_page *page,
		       const struct slob_request *r)
{
	int16_t *base = slob_base(h, page);
	unsigned units = slob_units(r->bytes), prev = SLOB_PAGE_UNITS;
	unsigned next;

	for (unsigned at = (unsigned)page->freelist; at < SLOB_PAGE_UNITS; at = next) {
		uintptr_t start = (uintptr_t)(base + at) + r->offset;
		uintptr_t skipped = -start & (r->align - 1);
		unsigned skip = (unsigned)(skipped / SLOB_UNIT);

		next = slob_block_next(base, at);
		if (slob_block_units(base, at) >= units + skip) {
			slob_cut(page, base, prev, at, skip, units);
			return base + at + skip;
		}
		prev = at;
	}
	return NULL;
}

/* Puts a block back among the free ones of a page that has some, and joins what touches. */
static void slob_insert(struct nslab_page *page, int16_t *base, unsigned at, unsigned units)
{
	unsigned prev = SLOB_PAGE_UNITS, next = (unsigned)page->freelist;

	page->counters += units;
	while (next < at) {
		prev = next;
		next = slob_block_next(base, prev);
	}
	if (at + units == next && next < SLOB_PAGE_UNITS) {
		units += slob_block_units(base, next);
		next = slob_block_next(base, next);
	}
	if (prev != SLOB_PAGE_UNITS && prev + slob_block_units(base, prev) == at) {
		slob_set_block(base, prev, slob_block_units(base, prev) + units, next);
		return;
	}
	slob_set_block(base, at, units, next);
	slob_set_next(page, base, prev, at);
}

/* ---- pages of the heap ---- */

/* A block of a page on the list; that page is where the next search begins. */
static void *slob_search(const struct slob_heap *h, struct nslab_list *list,
			 const struct slob_request *r)
{
	nslab_list_for_each (pos, list) {
		struct nslab_page *page = nslab_list_entry(pos, struct nslab_page, list);
		void *block;

		if (r->node != NUMA_NO_NODE && page->node != r->node)
			continue;
		if (page->counters < slob_units(r->bytes))
			continue;
		block = slob_take(h, page, r);
		if (!block)
			continue;
		if (!page->counters) {
			nslab_list_del(&page->list);
		} else if (list->next != pos) {
			nslab_list_del(list);
			nslab_list_add_tail(list, pos);
		}
		return block;
	}
	return NULL;
}

/* A block of a new page; the lock is not held. */
static void *slob_grow(struct nslab_cpu *cpu, struct slob_heap *h, struct slob_cache *s, gfp_t gfp,
		       const struct slob_request *r)
{
	const struct nslab_env *env = h->base.env;
	struct nslab_page *page;
	void *block;

	page = env->alloc_pages(env, cpu, 0, gfp & ~__GFP_ZERO, r->node);
	if (!page)
		return NULL;
	page->s = NULL;
	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_SLAB);
	slob_lock(h, s);
	page->freelist = 0;
	page->counters = SLOB_PAGE_UNITS;
	slob_set_block(slob_base(h, page), 0, SLOB_PAGE_UNITS, SLOB_PAGE_UNITS);
	block = slob_take(h, page, r); /* fits: aligned from the page's start on */
	if (page->counters)
		nslab_list_add(&page->list, slob_list(h, r->bytes));
	slob_count(s, NSLAB_STAT_ALLOC_SLAB);
	slob_count(s, NSLAB_STAT_ALLOC_SLOWPATH);
	nslab_lock_release(&h->lock);
	return block;
}

static void *slob_alloc_block(struct nslab_cpu *cpu, struct slob_cache *s, gfp_t gfp,
			      const struct slob_request *r)
{
	struct slob_heap *h = slob_heap_of(cpu->heap);
	void *block;

	slob_lock(h, s);
	block = slob_search(h, slob_list(h, r->bytes), r);
	if (block)
		slob_count(s, NSLAB_STAT_ALLOC_SLOWPATH);
	nslab_lock_release(&h->lock);
	if (!block)
		block = slob_grow(cpu, h, s, gfp, r);
	if (block && (gfp & __GFP_ZERO))
		memset(block, 0, r->bytes);
	return block;
}

/* Returns whether the page holds nothing any more; it is on no list then. */
static bool slob_free_locked(struct slob_heap *h, struct nslab_page *page, void *block,
			     size_t bytes)
{
	int16_t *base = slob_base(h, page);
	unsigned at = (unsigned)((int16_t *)block - base), units = slob_units(bytes);

	if (page->counters + units == SLOB_PAGE_UNITS) {
		if (page->counters)
			nslab_list_del(&page->list);
		return true;
	}
	if (page->counters) {
		slob_insert(page, base, at, units);
		return false;
	}
	page->freelist = at;
	page->counters = units;
	slob_set_block(base, at, units, SLOB_PAGE_UNITS);
	nslab_list_add(&page->list, slob_list(h, bytes));
	return false;
}

static void slob_free_block(struct nslab_cpu *cpu, struct slob_cache *s, void *block, size_t bytes)
{
	struct slob_heap *h = slob_heap_of(cpu->heap);
	const struct nslab_env *env = h->base.env;
	struct nslab_page *page = nslab_page_of(env, block);
	bool is_empty;

	slob_lock(h, s);
	slob_count(s, NSLAB_STAT_FREE_SLOWPATH);
	if (page->node != cpu->node)
		slob_count(s, NSLAB_STAT_REMOTE_FREE);
	is_empty = slob_free_locked(h, page, block, bytes);
	if (is_empty)
		slob_count(s, NSLAB_STAT_FREE_SLAB);
	nslab_lock_release(&h->lock);
	if (!is_empty)
		return;
	page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_SLAB);
	env->free_pages(env, cpu, page, 0);
}

/* ---- objects of a cache ---- */

static void slob_count_paged(struct slob_cache *s, int what)
{
	__atomic_fetch_add(&s->stat[what], 1, __ATOMIC_RELAXED);
}

static void *slob_alloc_paged(struct nslab_cpu *cpu, struct slob_cache *s, gfp_t gfp, int node)
{
	const struct nslab_env *env = cpu->heap->env;
	struct nslab_page *page = env->alloc_pages(env, cpu, s->base.order, gfp | __GFP_COMP, node);

	if (!page)
		return NULL;
	slob_count_paged(s, NSLAB_STAT_ALLOC_SLAB);
	slob_count_paged(s, NSLAB_STAT_ALLOC_SLOWPATH);
	return nslab_page_address(env, page);
}

static void slob_free_paged(struct nslab_cpu *cpu, struct slob_cache *s, void *obj)
{
	const struct nslab_env *env = cpu->heap->env;
	struct nslab_page *page = nslab_page_of(env, obj);

	if (page->node != cpu->node)
		slob_count_paged(s, NSLAB_STAT_REMOTE_FREE);
	env->free_pages(env, cpu, page, s->base.order);
	slob_count_paged(s, NSLAB_STAT_FREE_SLAB);
	slob_count_paged(s, NSLAB_STAT_FREE_SLOWPATH);
}

static bool slob_has_node(const struct nslab_cpu *cpu, int node)
{
	return node >= NUMA_NO_NODE && node < cpu->heap->env->arena->nr_nodes;
}

static void *slob_alloc(struct nslab_cpu *cpu, struct kmem_cache *ks, gfp_t gfp, int node)
{
	struct slob_cache *s = slob_cache_of(ks);
	const struct slob_request r = {
		.bytes = ks->size,
		.align = ks->align,
		.node = node,
	};
	void *obj;

	if (!slob_has_node(cpu, node))
		return NULL;
	obj = s->is_paged ? slob_alloc_paged(cpu, s, gfp, r.node)
			  : slob_alloc_block(cpu, s, gfp, &r);
	if (obj && ks->ctor)
		ks->ctor(obj);
	return obj;
}

static void slob_free(struct nslab_cpu *cpu, struct kmem_cache *ks, void *obj)
{
	struct slob_cache *s = slob_cache_of(ks);

	if (s->is_paged)
		slob_free_paged(cpu, s, obj);
	else
		slob_free_block(cpu, s, obj, ks->size);
}

/* ---- kmalloc ---- */

static void *slob_kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	struct slob_request r = {
		.bytes = size_bytes + SLOB_HEADER,
		.align = SLOB_HEADER,
		.offset = SLOB_HEADER,
		.node = node,
	};
	char *block;

	if (size_bytes == 0)
		return NSLAB_ZERO_SIZE_PTR;
	if (!slob_has_node(cpu, node))
		return NULL;
	if (size_bytes >= NSLAB_PAGE_SIZE - SLOB_HEADER)
		return nslab_kmalloc_large(cpu, size_bytes, gfp, r.node);
	if ((size_bytes & (size_bytes - 1)) == 0 && size_bytes > r.align)
		r.align = size_bytes;
	block = slob_alloc_block(cpu, NULL, gfp, &r);
	if (!block)
		return NULL;
	*(uint32_t *)(void *)block = (uint32_t)size_bytes;
	return block + SLOB_HEADER;
}

static uint32_t *slob_header(const void *obj)
{
	return (uint32_t *)((uintptr_t)obj - SLOB_HEADER);
}

static void slob_kfree(struct nslab_cpu *cpu, void *obj)
{
	struct nslab_page *page;

	if (nslab_is_zero_or_null(obj))
		return;
	page = nslab_page_of(cpu->heap->env, obj);
	if (page->flags & NSLAB_PAGE_SLAB)
		slob_free_block(cpu, NULL, slob_header(obj), *slob_header(obj) + SLOB_HEADER);
	else
		nslab_kfree_large(cpu, page);
}

/* What was asked for, in whole units. */
static size_t slob_ksize(struct nslab_cpu *cpu, const void *obj)
{
	const struct nslab_page *page;

	if (nslab_is_zero_or_null(obj))
		return 0;
	page = nslab_page_of(cpu->heap->env, obj);
	if (page->flags & NSLAB_PAGE_SLAB)
		return slob_units(*slob_header(obj)) * SLOB_UNIT;
	return NSLAB_PAGE_SIZE << page->order;
}

static size_t slob_size_roundup(const struct nslab_heap *heap, size_t size_bytes)
{
	unsigned order = nslab_order_of(size_bytes);

	(void)heap;
	if (order > NSLAB_MAX_ORDER)
		return size_bytes;
	if (size_bytes >= NSLAB_PAGE_SIZE - SLOB_HEADER)
		return NSLAB_PAGE_SIZE << order;
	return slob_units(size_bytes) * SLOB_UNIT;
}

/* ---- control ---- */

static int slob_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	struct slob_heap *h = env->alloc_meta(env, sizeof(*h), NUMA_NO_NODE);

	(void)params;
	if (!h)
		return -ENOMEM;
	nslab_heap_init(&h->base, env);
	nslab_lock_init(&h->lock, NSLAB_RANK_NODE);
	for (int i = 0; i < SLOB_NR_LISTS; i++)
		nslab_list_init(&h->pages[i]);
	*heap = &h->base;
	return 0;
}

static void slob_close(struct nslab_heap *heap)
{
	heap->env->free_meta(heap->env, slob_heap_of(heap), sizeof(struct slob_heap));
}

static int slob_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu)
{
	const struct nslab_env *env = heap->env;
	struct nslab_cpu *c;

	if (id < 0 || id >= NSLAB_MAX_CPUS || node < 0 || node >= env->arena->nr_nodes)
		return -EINVAL;
	c = env->alloc_meta(env, sizeof(*c), node);
	if (!c)
		return -ENOMEM;
	nslab_cpu_init(c, heap, id, node);
	*cpu = c;
	return 0;
}

static void slob_cpu_offline(struct nslab_cpu *cpu)
{
	const struct nslab_env *env = cpu->heap->env;

	nslab_cpu_exit(cpu);
	env->free_meta(env, cpu, sizeof(*cpu));
}

static int slob_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
			     struct kmem_cache **cache)
{
	const struct nslab_env *env = heap->env;
	int rc = nslab_spec_check(spec);
	struct slob_cache *s;
	size_t size;

	if (rc)
		return rc;
	if (spec->flags & SLOB_DEBUG_FLAGS)
		return -EOPNOTSUPP;
	size = spec->object_size + (spec->flags & SLAB_TYPESAFE_BY_RCU ? SLOB_RCU_BYTES : 0);
	if (nslab_order_of(size) > NSLAB_MAX_ORDER)
		return -E2BIG;
	s = env->alloc_meta(env, sizeof(*s), NUMA_NO_NODE);
	if (!s)
		return -ENOMEM;
	rc = nslab_cache_init(&s->base, heap, spec);
	if (rc) {
		env->free_meta(env, s, sizeof(*s));
		return rc;
	}
	s->is_paged = size >= NSLAB_PAGE_SIZE;
	s->base.size = (unsigned)size;
	s->base.order = nslab_order_of(size);
	s->base.objects = (unsigned)((NSLAB_PAGE_SIZE << s->base.order) / size);
	*cache = &s->base;
	return 0;
}

static uint64_t slob_stat(const struct slob_cache *s, int what)
{
	return __atomic_load_n(&s->stat[what], __ATOMIC_RELAXED);
}

static uint64_t slob_nr_live(const struct slob_cache *s)
{
	return slob_stat(s, NSLAB_STAT_ALLOC_SLOWPATH) - slob_stat(s, NSLAB_STAT_FREE_SLOWPATH);
}

static int slob_cache_destroy(struct kmem_cache *ks)
{
	struct slob_cache *s = slob_cache_of(ks);
	const struct nslab_env *env = ks->heap->env;

	if (slob_nr_live(s))
		return -EBUSY;
	nslab_cache_exit(ks);
	env->free_meta(env, s, sizeof(*s));
	return 0;
}

static void slob_cache_stats(struct kmem_cache *ks, struct nslab_cache_stats *stats)
{
	const struct slob_cache *s = slob_cache_of(ks);

	memset(stats, 0, sizeof(*stats));
	for (int i = 0; i < NSLAB_NR_STATS; i++)
		stats->stat[i] = slob_stat(s, i);
	stats->nr_objects = slob_nr_live(s);
	if (s->is_paged) {
		stats->nr_slabs = stats->nr_objects;
		stats->nr_pages = stats->nr_slabs << ks->order;
	}
	stats->is_counted = true;
}

/* What is wrong with a page's free blocks, or NULL. */
static const char *slob_page_fault(const struct slob_heap *h, const struct nslab_page *page)
{
	const int16_t *base = slob_base(h, page);
	uint64_t nr_free = 0, end = 0;

	if (!(page->flags & NSLAB_PAGE_SLAB))
		return "is listed but not of the heap";
	if (page->counters == 0 || page->counters >= SLOB_PAGE_UNITS)
		return "is listed although it is full or empty";
	for (uint64_t at = page->freelist; at != SLOB_PAGE_UNITS;) {
		if (at > SLOB_PAGE_UNITS || base[at] == 0 || (nr_free && at <= end))
			return "has a corrupted list of free blocks";
		end = at + slob_block_units(base, (unsigned)at);
		nr_free += end - at;
		if (end > SLOB_PAGE_UNITS)
			return "has a free block that is too long";
		at = slob_block_next(base, (unsigned)at);
	}
	return nr_free == page->counters ? NULL : "has other free blocks than it counts";
}

static int slob_cache_validate(struct kmem_cache *ks)
{
	struct slob_heap *h = slob_heap_of(ks->heap);
	const struct nslab_env *env = ks->heap->env;
	int nr_bad = 0;

	nslab_lock_acquire(&h->lock); /* looking is not counted as using */
	for (int i = 0; i < SLOB_NR_LISTS; i++) {
		nslab_list_for_each (pos, &h->pages[i]) {
			const struct nslab_page *page =
				nslab_list_entry(pos, struct nslab_page, list);
			const char *fault = slob_page_fault(h, page);

			if (!fault)
				continue;
			env->report(env, "page at %p of node %d %s", nslab_page_address(env, page),
				    (int)page->node, fault);
			nr_bad++;
		}
	}
	nslab_lock_release(&h->lock);
	return nr_bad;
}

static const struct nslab_allocator_ops slob_ops = {
	.name = "slob",
	.summary = "one heap of 2-byte units for all caches, next fit, under one lock",
	.models = "Linux 6.1 mm/slob.c",
	.caps = NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_CACHE | NSLAB_CAP_PAGES,
	.open = slob_open,
	.close = slob_close,
	.cpu_online = slob_cpu_online,
	.cpu_offline = slob_cpu_offline,
	.cache_create = slob_cache_create,
	.cache_destroy = slob_cache_destroy,
	.alloc = slob_alloc,
	.free = slob_free,
	.cache_validate = slob_cache_validate,
	.cache_stats = slob_cache_stats,
	.kmalloc = slob_kmalloc,
	.kfree = slob_kfree,
	.ksize = slob_ksize,
	.size_roundup = slob_size_roundup,
};
NSLAB_ALLOCATOR_PLUGIN(slob_ops);
