// SPDX-License-Identifier: GPL-2.0-only
/*
 * heap.c: a segregated free-list heap with boundary tags, one for each node.
 *
 * Every object, from a cache or from kmalloc, is a block of a chunk: a header before it says its
 * magic, size, whether it is free and whether the block before it is. Free blocks hang in 32 bins
 * by size (heap_block.c). Requests above large_bytes are pages of their own and have no header.
 * Empty chunks beyond keep_chunks of a node go back to the page allocator at once, all of them
 * when a cache is destroyed or the last CPU goes offline. An optional ring per node keeps the last
 * operations (pointer, size, time as an operation number, CPU); each of the 32 classes counts
 * calls, live bytes and fragmentation bytes.
 *
 * It is the heap that "Day 65: a scalable, thread-safe allocator" describes, without the faults of
 * the code published there: a lock for each node instead of one; a last block that is never free
 * and a first that never looks back, so that merging stays inside; size 0 gives the pointer that
 * kmalloc gives; no class below the smallest block; headers are checked before they are believed.
 *
 * Invariants: blocks tile their chunk; no two free blocks touch; a free block is in the bin of its
 * class exactly once; page->priv[0] of a chunk is the number of its live blocks.
 *
 * A cache is only a name for requests of one size. Since its memory is cut anew each time, a
 * constructor runs at every allocation, as in SLOB, and the capability is not claimed. Left out:
 * per-CPU layers (nothing to flush), slab orders, and SLAB_TYPESAFE_BY_RCU.
 *
 * Locks: a node's lock (rank NODE), one at a time; pages are asked for and given back without it.
 */
#include "allocators/heap.h"

#include "allocators/common/base.h"
#include "allocators/common/kmalloc.h"

#include <inttypes.h>
#include <numaslab/plugin.h>
#include <string.h>

/* One request, as all layers see it. */
struct heap_want {
	struct nslab_cpu *cpu;
	size_t bytes, align;
	uint32_t block_bytes;
	uint32_t owner;		  /* number of the cache */
	struct heap_share *share; /* [nr_nodes] */
	gfp_t gfp;
	int node;
};

/* ---- counting, under the node's lock ---- */

static void heap_trace_add(struct heap *h, struct heap_node *node, const struct nslab_cpu *cpu,
			   const void *ptr, size_t bytes, int what)
{
	if (!node->trace)
		return;
	node->trace[node->nr_traced++ & (uint64_t)(h->params.trace - 1)] = (struct heap_trace){
		.ptr = ptr,
		.bytes = bytes,
		.time = atomic_fetch_add_explicit(&h->time, 1, memory_order_relaxed),
		.cpu = cpu->id,
		.what = what,
	};
}

static void heap_count_alloc(struct heap *h, int nid, const struct heap_want *want,
			     struct heap_block *b)
{
	struct heap_node *node = &h->nodes[nid];
	struct heap_class_stats *class = &node->class[heap_class(heap_size(b))];

	b->u.live = (struct heap_live){(uint32_t)want->bytes, want->owner};
	want->share[nid].nr_live++;
	want->share[nid].nr_alloc++;
	class->nr_alloc++;
	class->live_bytes += heap_size(b);
	class->requested_bytes += want->bytes;
	if (class->live_bytes - class->requested_bytes > class->fragmentation_bytes_peak)
		class->fragmentation_bytes_peak = class->live_bytes - class->requested_bytes;
	heap_trace_add(h, node, want->cpu, heap_payload(b), want->bytes, HEAP_TRACE_ALLOC);
}

static struct heap_share *heap_share_of(struct heap *h, uint32_t owner)
{
	return owner == HEAP_KMALLOC ? h->kmalloc : h->caches[owner]->share;
}

static void heap_count_free(struct heap *h, int nid, const struct nslab_cpu *cpu,
			    struct heap_block *b)
{
	struct heap_node *node = &h->nodes[nid];
	struct heap_class_stats *class = &node->class[heap_class(heap_size(b))];
	struct heap_share *share = &heap_share_of(h, b->u.live.owner)[nid];

	share->nr_live--;
	share->nr_free++;
	share->nr_lock++;
	share->nr_remote_free += cpu->node != nid;
	class->nr_free++;
	class->live_bytes -= heap_size(b);
	class->requested_bytes -= b->u.live.requested;
	heap_trace_add(h, node, cpu, heap_payload(b), b->u.live.requested, HEAP_TRACE_FREE);
}

/* ---- large: whole pages ---- */

static void heap_count_large(struct heap *h, const struct nslab_cpu *cpu, struct nslab_page *page,
			     int what)
{
	struct heap_node *node = &h->nodes[page->node];
	struct heap_share *share = &heap_share_of(h, (uint32_t)page->priv[1])[page->node];
	uint64_t nr_pages = (uint64_t)1 << page->order;
	bool is_alloc = what == HEAP_TRACE_ALLOC;

	nslab_lock_acquire(&node->lock);
	share->nr_lock++;
	share->nr_alloc += is_alloc;
	share->nr_free += !is_alloc;
	share->nr_live += is_alloc ? 1 : UINT64_MAX;
	share->nr_large += is_alloc ? 1 : UINT64_MAX;
	share->nr_large_pages += is_alloc ? nr_pages : 0 - nr_pages;
	share->nr_remote_free += !is_alloc && cpu->node != page->node;
	heap_trace_add(h, node, cpu, nslab_page_address(h->base.env, page), page->priv[0], what);
	nslab_lock_release(&node->lock);
}

static void *heap_alloc_large(struct heap *h, const struct heap_want *want)
{
	const struct nslab_env *env = h->base.env;
	unsigned order = nslab_order_of(want->bytes);
	struct nslab_page *page;

	if (order > NSLAB_MAX_ORDER)
		return NULL;
	page = env->alloc_pages(env, want->cpu, order, want->gfp | __GFP_COMP, want->node);
	if (!page)
		return NULL;
	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_LARGE);
	page->priv[0] = want->bytes;
	page->priv[1] = want->owner;
	heap_count_large(h, want->cpu, page, HEAP_TRACE_ALLOC);
	return nslab_page_address(env, page);
}

static void heap_free_large(struct heap *h, struct nslab_cpu *cpu, struct nslab_page *page)
{
	const struct nslab_env *env = h->base.env;

	heap_count_large(h, cpu, page, HEAP_TRACE_FREE);
	page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_LARGE);
	env->free_pages(env, cpu, page, page->order);
}

/* ---- blocks ---- */

static struct heap_block *heap_try(struct heap *h, int nid, const struct heap_want *want)
{
	struct heap_node *node = &h->nodes[nid];
	struct heap_block *b;

	nslab_lock_acquire(&node->lock);
	want->share[nid].nr_lock++;
	b = heap_take(h, node, want->block_bytes, want->align);
	if (b)
		heap_count_alloc(h, nid, want, b);
	nslab_lock_release(&node->lock);
	return b;
}

/* Bytes of a chunk that surely holds the request. */
static size_t heap_least_chunk(uint32_t block_bytes, size_t align)
{
	return block_bytes + HEAP_HEADER + (align > HEAP_GRAIN ? align + HEAP_MIN_BLOCK : 0);
}

/* A new chunk, a smaller one when there is no large one; the request is served from it first. */
static struct heap_block *heap_grow(struct heap *h, const struct heap_want *want)
{
	const struct nslab_env *env = h->base.env;
	unsigned order = (unsigned)h->params.chunk_order;
	unsigned least = nslab_order_of(heap_least_chunk(want->block_bytes, want->align));
	gfp_t gfp = (want->gfp & ~__GFP_ZERO) | __GFP_COMP;
	struct nslab_page *page;
	struct heap_node *node;
	struct heap_block *b;

	page = env->alloc_pages(env, want->cpu, order, gfp, want->node);
	if (!page && least < order)
		page = env->alloc_pages(env, want->cpu, least, gfp, want->node);
	if (!page)
		return NULL;
	node = &h->nodes[page->node];
	nslab_lock_acquire(&node->lock);
	want->share[page->node].nr_lock++;
	heap_chunk_add(h, node, page);
	b = heap_take(h, node, want->block_bytes, want->align);
	heap_count_alloc(h, page->node, want, b);
	nslab_lock_release(&node->lock);
	return b;
}

static void *heap_alloc_block(struct heap *h, const struct heap_want *want)
{
	int home = want->node == NUMA_NO_NODE ? want->cpu->node : want->node;
	struct heap_block *b = heap_try(h, home, want);

	if (!b)
		b = heap_grow(h, want);
	/* no pages anywhere, but other nodes may have free blocks */
	for (int i = 1; !b && !(want->gfp & __GFP_THISNODE) && i < h->nr_nodes; i++)
		b = heap_try(h, (home + i) % h->nr_nodes, want);
	if (!b)
		return NULL;
	if (want->gfp & __GFP_ZERO)
		memset(heap_payload(b), 0, want->bytes);
	return heap_payload(b);
}

static uint32_t heap_block_bytes(size_t bytes)
{
	uint32_t block = ((uint32_t)bytes + HEAP_HEADER + HEAP_GRAIN - 1) & ~(HEAP_GRAIN - 1);

	return block < HEAP_MIN_BLOCK ? HEAP_MIN_BLOCK : block;
}

static bool heap_is_large(const struct heap *h, size_t bytes, size_t align)
{
	return bytes > (size_t)h->params.large_bytes ||
	       heap_least_chunk(heap_block_bytes(bytes), align) > h->largest;
}

static void *heap_get(struct heap *h, struct heap_want *want)
{
	if (want->node < NUMA_NO_NODE || want->node >= h->nr_nodes)
		return NULL;
	if (want->align < (size_t)h->params.align_bytes)
		want->align = (size_t)h->params.align_bytes;
	if (heap_is_large(h, want->bytes, want->align))
		return heap_alloc_large(h, want);
	want->block_bytes = heap_block_bytes(want->bytes);
	return heap_alloc_block(h, want);
}

/* ---- freeing ---- */

static void heap_complain(struct heap *h, const struct nslab_cpu *cpu, const void *obj,
			  const char *what)
{
	const struct nslab_env *env = h->base.env;
	struct heap_trace last;

	if (heap_trace_find(&h->base, obj, &last))
		env->report(env, "heap: %s: %p on CPU %d; %s on CPU %d %" PRIu64 " operations ago",
			    what, obj, cpu->id,
			    last.what == HEAP_TRACE_FREE ? "freed" : "allocated", last.cpu,
			    atomic_load(&h->time) - last.time);
	else
		env->report(env, "heap: %s: %p on CPU %d", what, obj, cpu->id);
}

/* Head of the pages that the object lies in, or NULL when they are not of this heap. */
static struct nslab_page *heap_chunk_of(struct heap *h, const void *obj)
{
	const struct nslab_env *env = h->base.env;
	struct nslab_page *page;

	if (!nslab_is_arena(env, obj))
		return NULL;
	page = nslab_page_of(env, obj);
	if (!(page->flags & NSLAB_PAGE_HEAD) ||
	    !(page->flags & (NSLAB_PAGE_SLAB | NSLAB_PAGE_LARGE)))
		return NULL;
	return page;
}

/* What is wrong with freeing obj as an object of `owner`, or NULL. Under the node's lock. */
static const char *heap_fault(const struct heap_block *b, uint32_t owner)
{
	if (b->magic == heap_magic(b, HEAP_FREE_MAGIC))
		return "double free";
	if (b->magic != heap_magic(b, HEAP_LIVE_MAGIC))
		return "free of a pointer that starts no object, or its header was overwritten";
	if (owner != HEAP_KMALLOC && b->u.live.owner != owner)
		return "free of an object of another cache";
	return NULL;
}

static void heap_free_block(struct heap *h, struct nslab_cpu *cpu, void *obj, uint32_t owner)
{
	struct heap_block *b = heap_block_of(obj);
	int nid = nslab_node_of(h->base.env, obj);
	struct heap_node *node = &h->nodes[nid];
	struct nslab_page *spare = NULL;
	const char *fault;

	nslab_lock_acquire(&node->lock);
	fault = heap_fault(b, owner);
	if (!fault) {
		heap_count_free(h, nid, cpu, b);
		heap_give(h, node, b);
		spare = heap_chunk_spare(h, node, (uint64_t)h->params.keep_chunks);
	}
	nslab_lock_release(&node->lock);
	if (fault)
		heap_complain(h, cpu, obj, fault);
	if (spare)
		h->base.env->free_pages(h->base.env, cpu, spare, spare->order);
}

/* owner HEAP_KMALLOC: whoever's it is, as kfree takes objects of caches too. */
static void heap_put(struct nslab_cpu *cpu, void *obj, uint32_t owner)
{
	struct heap *h = heap_of(cpu->heap);
	struct nslab_page *page = heap_chunk_of(h, obj);

	if (!page || (uintptr_t)obj % HEAP_GRAIN)
		heap_complain(h, cpu, obj, "free of a foreign pointer");
	else if (page->flags & NSLAB_PAGE_SLAB)
		heap_free_block(h, cpu, obj, owner);
	else if (obj != nslab_page_address(h->base.env, page))
		heap_complain(h, cpu, obj, "free of a pointer that starts no object");
	else if (owner != HEAP_KMALLOC && page->priv[1] != owner)
		heap_complain(h, cpu, obj, "free of an object of another cache");
	else
		heap_free_large(h, cpu, page);
}

/* ---- the table's calls ---- */

static void *heap_alloc(struct nslab_cpu *cpu, struct kmem_cache *base, gfp_t gfp, int node)
{
	struct heap_cache *s = heap_cache_of(base);
	struct heap_want want = {
		.cpu = cpu,
		.bytes = base->object_size,
		.align = base->align,
		.owner = s->number,
		.share = s->share,
		.gfp = gfp,
		.node = node,
	};
	void *obj = heap_get(heap_of(cpu->heap), &want);

	if (obj && base->ctor)
		base->ctor(obj);
	return obj;
}

static void heap_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	heap_put(cpu, obj, heap_cache_of(s)->number);
}

static void *heap_kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	struct heap *h = heap_of(cpu->heap);
	struct heap_want want = {
		.cpu = cpu,
		.bytes = size_bytes,
		.align = HEAP_GRAIN,
		.owner = HEAP_KMALLOC,
		.share = h->kmalloc,
		.gfp = gfp,
		.node = node,
	};

	return size_bytes ? heap_get(h, &want) : NSLAB_ZERO_SIZE_PTR;
}

static void heap_kfree(struct nslab_cpu *cpu, void *obj)
{
	if (!nslab_is_zero_or_null(obj))
		heap_put(cpu, obj, HEAP_KMALLOC);
}

/* The header is read under the lock: neighbours change its flags. */
static size_t heap_ksize(struct nslab_cpu *cpu, const void *obj)
{
	struct heap *h = heap_of(cpu->heap);
	struct nslab_page *page;
	struct heap_node *node;
	size_t bytes;

	if (nslab_is_zero_or_null(obj))
		return 0;
	page = heap_chunk_of(h, obj);
	if (!page)
		return 0;
	if (page->flags & NSLAB_PAGE_LARGE)
		return NSLAB_PAGE_SIZE << page->order;
	node = &h->nodes[page->node];
	nslab_lock_acquire(&node->lock);
	bytes = heap_size(heap_block_of(obj)) - HEAP_HEADER;
	nslab_lock_release(&node->lock);
	return bytes;
}

static size_t heap_size_roundup(const struct nslab_heap *base, size_t size_bytes)
{
	const struct heap *h = heap_of(base);

	if (!size_bytes || nslab_order_of(size_bytes) > NSLAB_MAX_ORDER)
		return size_bytes;
	if (heap_is_large(h, size_bytes, (size_t)h->params.align_bytes))
		return NSLAB_PAGE_SIZE << nslab_order_of(size_bytes);
	return heap_block_bytes(size_bytes) - HEAP_HEADER;
}

/* ---- caches ---- */

static void heap_cache_shape(const struct heap *h, struct kmem_cache *s)
{
	size_t align =
		s->align < (size_t)h->params.align_bytes ? (size_t)h->params.align_bytes : s->align;

	if (heap_is_large(h, s->object_size, align)) {
		s->order = nslab_order_of(s->object_size);
		s->objects = 1;
		s->size = (unsigned)(NSLAB_PAGE_SIZE << s->order);
		return;
	}
	s->order = (unsigned)h->params.chunk_order;
	s->size = (unsigned)((heap_block_bytes(s->object_size) + align - 1) & ~(align - 1));
	s->objects = (unsigned)((h->chunk_bytes - HEAP_HEADER) / s->size);
}

static size_t heap_cache_bytes(const struct heap *h)
{
	return sizeof(struct heap_cache) + (size_t)h->nr_nodes * sizeof(struct heap_share);
}

static int heap_cache_create(struct nslab_heap *base, const struct nslab_cache_spec *spec,
			     struct kmem_cache **s)
{
	struct heap *h = heap_of(base);
	uint32_t number = 1;
	struct heap_cache *new;
	int rc;

	while (number < HEAP_MAX_CACHES && h->caches[number])
		number++;
	if (number == HEAP_MAX_CACHES)
		return -ENOSPC;
	new = base->env->alloc_meta(base->env, heap_cache_bytes(h), NUMA_NO_NODE);
	if (!new)
		return -ENOMEM;
	rc = nslab_cache_init(&new->base, base, spec);
	if (rc) {
		base->env->free_meta(base->env, new, heap_cache_bytes(h));
		return rc;
	}
	heap_cache_shape(h, &new->base);
	new->number = number;
	h->caches[number] = new;
	*s = &new->base;
	return 0;
}

static size_t heap_cache_shrink(struct kmem_cache *s)
{
	struct heap *h = heap_of(s->heap);
	uint64_t nr_pages;

	for (int i = 0; i < h->nr_nodes; i++)
		heap_trim(h, &h->nodes[i], NULL, 0);
	return (size_t)heap_count_chunks(heap_cache_of(s), &nr_pages);
}

static int heap_cache_destroy(struct kmem_cache *base)
{
	struct heap_cache *s = heap_cache_of(base);
	struct heap *h = heap_of(base->heap);
	uint64_t nr_live = 0;

	for (int i = 0; i < h->nr_nodes; i++) {
		nslab_lock_acquire(&h->nodes[i].lock);
		nr_live += s->share[i].nr_live;
		nslab_lock_release(&h->nodes[i].lock);
	}
	if (nr_live)
		return -EBUSY;
	for (int i = 0; i < h->nr_nodes; i++)
		heap_trim(h, &h->nodes[i], NULL, 0);
	h->caches[s->number] = NULL;
	nslab_cache_exit(base);
	base->heap->env->free_meta(base->heap->env, s, heap_cache_bytes(h));
	return 0;
}

/* ---- life ---- */

static int heap_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu)
{
	*cpu = heap->env->alloc_meta(heap->env, sizeof(**cpu), node);
	if (!*cpu)
		return -ENOMEM;
	nslab_cpu_init(*cpu, heap, id, node);
	return 0;
}

static void heap_cpu_offline(struct nslab_cpu *cpu)
{
	struct heap *h = heap_of(cpu->heap);

	for (int i = 0; h->base.nr_cpus == 1 && i < h->nr_nodes; i++)
		heap_trim(h, &h->nodes[i], cpu, 0);
	nslab_cpu_exit(cpu);
	h->base.env->free_meta(h->base.env, cpu, sizeof(*cpu));
}

static void heap_node_exit(struct heap *h, struct heap_node *node)
{
	const struct nslab_env *env = h->base.env;

	while (!nslab_list_is_empty(&node->chunks)) {
		struct nslab_page *page = nslab_list_first(&node->chunks, struct nslab_page, list);

		if (page->priv[0])
			env->report(env, "heap: %" PRIu64 " objects still allocated at close",
				    page->priv[0]);
		nslab_list_del(&page->list);
		page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_SLAB);
		env->free_pages(env, NULL, page, page->order);
	}
	env->free_meta(env, node->trace, (size_t)h->params.trace * sizeof(*node->trace));
}

static void heap_close(struct nslab_heap *base)
{
	const struct nslab_env *env = base->env;
	struct heap *h = heap_of(base);
	size_t nr = (size_t)h->nr_nodes;

	if (h->params.report)
		heap_report(h);
	for (int i = 0; h->nodes && i < h->nr_nodes; i++)
		heap_node_exit(h, &h->nodes[i]);
	env->free_meta(env, h->nodes, nr * sizeof(*h->nodes));
	env->free_meta(env, h->kmalloc, nr * sizeof(*h->kmalloc));
	env->free_meta(env, h->caches, HEAP_MAX_CACHES * sizeof(struct heap_cache *));
	env->free_meta(env, h, sizeof(*h));
}

static int heap_node_init(struct heap *h, int nid)
{
	const struct nslab_env *env = h->base.env;
	struct heap_node *node = &h->nodes[nid];

	nslab_lock_init(&node->lock, NSLAB_RANK_NODE);
	nslab_list_init(&node->chunks);
	if (!h->params.trace)
		return 0;
	node->trace = env->alloc_meta(env, (size_t)h->params.trace * sizeof(*node->trace), nid);
	return node->trace ? 0 : -ENOMEM;
}

static int heap_open_tables(struct heap *h)
{
	const struct nslab_env *env = h->base.env;
	size_t nr = (size_t)h->nr_nodes;
	int rc = 0;

	h->kmalloc = env->alloc_meta(env, nr * sizeof(*h->kmalloc), NUMA_NO_NODE);
	h->caches =
		env->alloc_meta(env, HEAP_MAX_CACHES * sizeof(struct heap_cache *), NUMA_NO_NODE);
	h->nodes = env->alloc_meta(env, nr * sizeof(*h->nodes), NUMA_NO_NODE);
	if (!h->kmalloc || !h->caches || !h->nodes)
		rc = -ENOMEM;
	/* lists first, so that closing after a failure finds them */
	for (int i = 0; h->nodes && i < h->nr_nodes; i++)
		nslab_list_init(&h->nodes[i].chunks);
	for (int i = 0; !rc && i < h->nr_nodes; i++)
		rc = heap_node_init(h, i);
	return rc;
}

static int heap_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	static const struct heap_params standard = {4, 16384, HEAP_GRAIN, 1, 0, false};
	struct heap *h = env->alloc_meta(env, sizeof(*h), NUMA_NO_NODE);
	int rc;

	if (!h)
		return -ENOMEM;
	nslab_heap_init(&h->base, env);
	h->params = params ? *(const struct heap_params *)params : standard;
	if (h->params.align_bytes < HEAP_GRAIN)
		h->params.align_bytes = HEAP_GRAIN;
	while (h->params.trace & (h->params.trace - 1))
		h->params.trace += h->params.trace & -h->params.trace;
	while (h->params.align_bytes & (h->params.align_bytes - 1))
		h->params.align_bytes += h->params.align_bytes & -h->params.align_bytes;
	h->chunk_bytes = NSLAB_PAGE_SIZE << h->params.chunk_order;
	h->largest = h->chunk_bytes > NSLAB_PAGE_SIZE ? h->chunk_bytes / 2 : h->chunk_bytes;
	h->nr_nodes = env->arena->nr_nodes;
	rc = heap_open_tables(h);
	if (rc) {
		h->params.report = false;
		heap_close(&h->base);
		return rc;
	}
	*heap = &h->base;
	return 0;
}

#define HEAP_INT(field, d, lo, hi, bits, text)                                                     \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_INT, .flags = (bits),                                        \
  .offset = offsetof(struct heap_params, field), .def = (d), .min = (lo), .max = (hi),             \
  .help = (text)                                                                                   \
 }

static const struct nslab_param heap_param_rows[] = {
	HEAP_INT(chunk_order, "4", 0, NSLAB_MAX_ORDER, NSLAB_PARAM_TUNABLE,
		 "pages of a chunk that blocks are cut from: 2^order"),
	HEAP_INT(large_bytes, "16k", 64, 1 << 21, NSLAB_PARAM_TUNABLE,
		 "requests above it are whole pages; never more than half a chunk is cut"),
	HEAP_INT(align_bytes, "16", 16, 4096, NSLAB_PARAM_TUNABLE,
		 "least alignment of every object, rounded up to a power of two; 64 is a cache "
		 "line"),
	HEAP_INT(keep_chunks, "1", 0, 1 << 16, NSLAB_PARAM_TUNABLE,
		 "empty chunks that each node keeps"),
	HEAP_INT(trace, "0", 0, 1 << 20, 0,
		 "operations that each node's trace ring keeps, rounded up to a power of two"),
	{
		.name = "report",
		.type = NSLAB_PARAM_BOOL,
		.offset = offsetof(struct heap_params, report),
		.def = "no",
		.help = "tell the statistics of each size class when the heap is closed",
	},
	NSLAB_PARAM_END,
};

static const struct nslab_allocator_ops heap_ops = {
	.name = "heap",
	.summary = "32 bins of free blocks with boundary tags, one heap for each node",
	.models = "boundary tags: Knuth 1968, vol. 1, 2.5",
	.caps = NSLAB_CAP_NODE | NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_CACHE | NSLAB_CAP_SHRINK |
		NSLAB_CAP_PAGES,
	.params = heap_param_rows,
	.params_size = sizeof(struct heap_params),
	.open = heap_open,
	.close = heap_close,
	.cpu_online = heap_cpu_online,
	.cpu_offline = heap_cpu_offline,
	.cache_create = heap_cache_create,
	.cache_destroy = heap_cache_destroy,
	.alloc = heap_alloc,
	.free = heap_free,
	.cache_shrink = heap_cache_shrink,
	.cache_validate = heap_cache_validate,
	.cache_stats = heap_cache_stats,
	.kmalloc = heap_kmalloc,
	.kfree = heap_kfree,
	.ksize = heap_ksize,
	.size_roundup = heap_size_roundup,
};
NSLAB_ALLOCATOR_PLUGIN(heap_ops);
