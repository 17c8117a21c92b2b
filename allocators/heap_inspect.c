// SPDX-License-Identifier: GPL-2.0-only
/*
 * heap_inspect.c: what the heap can tell about itself: validity, counts, classes, the trace ring.
 *
 * Validation walks every chunk from its first to its last header and holds each against its
 * neighbours, its bin and the counts; a walk ends at the first header that cannot be believed,
 * since there is no next one then. Statistics of a cache count chunks in which it has an object at
 * the time: chunks are shared, so the sum over caches may exceed the chunks that exist. Nothing
 * here is on a timed path.
 *
 * Locks: a node's lock (rank NODE), one at a time, while its chunks are walked. Reports are made
 * under it, which the host allows since they take none of our locks.
 */
#include "allocators/heap.h"

#include "core/list.h"

#include <inttypes.h>
#include <string.h>

/* ---- validation ---- */

struct heap_walk {
	struct heap *h;
	struct heap_node *node;
	const struct heap_cache *s; /* whose live objects are counted */
	uint64_t nr_live, nr_free;  /* of s; of all free blocks */
	int nr_bad;
};

static void heap_bad(struct heap_walk *walk, const struct heap_block *b, const char *what)
{
	const struct nslab_env *env = walk->h->base.env;

	walk->nr_bad++;
	env->report(env, "heap: block %p: %s", (const void *)b, what);
}

/* Can the block be believed, so that there is a next one? */
static bool heap_check_header(struct heap_walk *walk, struct heap_block *b, const char *end)
{
	uint32_t state = b->word & HEAP_FREE ? HEAP_FREE_MAGIC : HEAP_LIVE_MAGIC;

	if (b->magic != heap_magic(b, state)) {
		heap_bad(walk, b, "its header was overwritten");
		return false;
	}
	if (heap_size(b) < HEAP_MIN_BLOCK || heap_size(b) > (size_t)(end - (char *)b)) {
		heap_bad(walk, b, "its size leads out of the chunk");
		return false;
	}
	return true;
}

static bool heap_is_in_bin(const struct heap_node *node, const struct heap_block *b)
{
	const struct heap_block *at = node->bin[heap_class(heap_size(b))];

	/* the links are believed only as far as they agree with each other */
	return b->prev ? b->prev->u.next == b : at == b;
}

static void heap_check_free(struct heap_walk *walk, struct heap_block *b)
{
	uint32_t size = heap_size(b);
	uint64_t footer;

	memcpy(&footer, (char *)b + size - sizeof(footer), sizeof(footer));
	walk->nr_free++;
	if (b->word & HEAP_PREV_FREE)
		heap_bad(walk, b, "two free blocks touch");
	if (footer != size)
		heap_bad(walk, b, "its footer was overwritten");
	if (!(heap_next(b)->word & HEAP_PREV_FREE))
		heap_bad(walk, b, "the block behind it does not know that it is free");
	if (!heap_is_in_bin(walk->node, b))
		heap_bad(walk, b, "it is not in the bin of its size");
}

static void heap_check_live(struct heap_walk *walk, struct heap_block *b)
{
	if (b->u.live.owner >= HEAP_MAX_CACHES ||
	    (b->u.live.owner != HEAP_KMALLOC && !walk->h->caches[b->u.live.owner]))
		heap_bad(walk, b, "it belongs to no cache");
	if (b->u.live.requested > heap_size(b) - HEAP_HEADER)
		heap_bad(walk, b, "more was asked for than it holds");
	if (heap_next(b)->word & HEAP_PREV_FREE)
		heap_bad(walk, b, "the block behind it takes it for free");
	walk->nr_live += b->u.live.owner == walk->s->number;
}

static void heap_check_chunk(struct heap_walk *walk, struct nslab_page *page)
{
	char *start = nslab_page_address(walk->h->base.env, page);
	char *end = start + (NSLAB_PAGE_SIZE << page->order) - HEAP_HEADER;
	struct heap_block *b = (struct heap_block *)(void *)start;
	uint64_t nr_live = 0;

	if (b->word & HEAP_PREV_FREE)
		heap_bad(walk, b, "the first block of a chunk looks back");
	while ((char *)b < end) {
		if (!heap_check_header(walk, b, end))
			return;
		if (b->word & HEAP_FREE) {
			heap_check_free(walk, b);
		} else {
			heap_check_live(walk, b);
			nr_live++;
		}
		b = heap_next(b);
	}
	if (b->magic || heap_size(b))
		heap_bad(walk, b, "the end of the chunk was overwritten");
	if (nr_live != page->priv[0])
		heap_bad(walk, (struct heap_block *)(void *)start,
			 "its chunk counts another number of live blocks");
}

static int heap_check_node(struct heap_walk *walk, int nid)
{
	const struct nslab_env *env = walk->h->base.env;
	uint64_t nr_binned = 0;

	walk->nr_live = walk->nr_free = 0;
	walk->nr_bad = 0;
	nslab_list_for_each (pos, &walk->node->chunks)
		heap_check_chunk(walk, nslab_list_entry(pos, struct nslab_page, list));
	for (unsigned i = 0; i < HEAP_CLASSES; i++)
		nr_binned += walk->node->class[i].nr_free_blocks;
	/* a walk that ended early has counted too few; it has been reported already */
	if (!walk->nr_bad && nr_binned != walk->nr_free) {
		walk->nr_bad++;
		env->report(env, "heap: node %d has %" PRIu64 " free blocks, %" PRIu64 " in bins",
			    nid, walk->nr_free, nr_binned);
	}
	if (!walk->nr_bad &&
	    walk->s->share[nid].nr_live != walk->nr_live + walk->s->share[nid].nr_large) {
		walk->nr_bad++;
		env->report(env,
			    "heap: cache '%s' counts %" PRIu64 " live objects on node %d, %" PRIu64
			    " were found",
			    walk->s->base.name, walk->s->share[nid].nr_live, nid,
			    walk->nr_live + walk->s->share[nid].nr_large);
	}
	return walk->nr_bad;
}

int heap_cache_validate(struct kmem_cache *s)
{
	struct heap *h = heap_of(s->heap);
	int nr_bad = 0;

	for (int i = 0; i < h->nr_nodes; i++) {
		struct heap_walk walk = {.h = h, .node = &h->nodes[i], .s = heap_cache_of(s)};

		nslab_lock_acquire(&walk.node->lock);
		nr_bad += heap_check_node(&walk, i);
		nslab_lock_release(&walk.node->lock);
	}
	return nr_bad;
}

/* ---- counts ---- */

static bool heap_chunk_has(const struct heap *h, struct nslab_page *page, uint32_t owner)
{
	char *start = nslab_page_address(h->base.env, page);
	char *end = start + (NSLAB_PAGE_SIZE << page->order) - HEAP_HEADER;

	for (char *at = start; at < end; at += heap_size((struct heap_block *)(void *)at)) {
		const struct heap_block *b = (struct heap_block *)(void *)at;

		if (heap_size(b) < HEAP_MIN_BLOCK)
			return false;
		if (!(b->word & HEAP_FREE) && b->u.live.owner == owner)
			return true;
	}
	return false;
}

uint64_t heap_count_chunks(struct heap_cache *s, uint64_t *nr_pages)
{
	struct heap *h = heap_of(s->base.heap);
	uint64_t nr = 0;

	*nr_pages = 0;
	for (int i = 0; i < h->nr_nodes; i++) {
		struct heap_node *node = &h->nodes[i];

		nslab_lock_acquire(&node->lock);
		nr += s->share[i].nr_large;
		*nr_pages += s->share[i].nr_large_pages;
		nslab_list_for_each (pos, &node->chunks) {
			struct nslab_page *page = nslab_list_entry(pos, struct nslab_page, list);

			if (!page->priv[0] || !heap_chunk_has(h, page, s->number))
				continue;
			nr++;
			*nr_pages += (uint64_t)1 << page->order;
		}
		nslab_lock_release(&node->lock);
	}
	return nr;
}

/* Blocks are cut when they are asked for: there are no free slots of a cache. */
void heap_cache_stats(struct kmem_cache *base, struct nslab_cache_stats *stats)
{
	struct heap_cache *s = heap_cache_of(base);
	struct heap *h = heap_of(base->heap);

	memset(stats, 0, sizeof(*stats));
	stats->nr_slabs = heap_count_chunks(s, &stats->nr_pages);
	stats->is_counted = true;
	for (int i = 0; i < h->nr_nodes; i++) {
		const struct heap_share *share = &s->share[i];

		nslab_lock_acquire(&h->nodes[i].lock);
		stats->nr_objects += share->nr_live;
		stats->stat[NSLAB_STAT_ALLOC_SLOWPATH] += share->nr_alloc;
		stats->stat[NSLAB_STAT_FREE_SLOWPATH] += share->nr_free;
		stats->stat[NSLAB_STAT_LIST_LOCK] += share->nr_lock;
		stats->stat[NSLAB_STAT_REMOTE_FREE] += share->nr_remote_free;
		nslab_lock_release(&h->nodes[i].lock);
	}
}

void heap_class_read(struct nslab_heap *base, unsigned class, struct heap_class_stats *stats)
{
	struct heap *h = heap_of(base);

	memset(stats, 0, sizeof(*stats));
	for (int i = 0; i < h->nr_nodes; i++) {
		const struct heap_class_stats *from = &h->nodes[i].class[class];

		nslab_lock_acquire(&h->nodes[i].lock);
		stats->nr_alloc += from->nr_alloc;
		stats->nr_free += from->nr_free;
		stats->live_bytes += from->live_bytes;
		stats->requested_bytes += from->requested_bytes;
		stats->fragmentation_bytes_peak += from->fragmentation_bytes_peak;
		stats->nr_free_blocks += from->nr_free_blocks;
		nslab_lock_release(&h->nodes[i].lock);
	}
}

/* At close, so live bytes are those that leaked. */
void heap_report(struct heap *h)
{
	const struct nslab_env *env = h->base.env;

	for (unsigned i = 0; i < HEAP_CLASSES; i++) {
		struct heap_class_stats stats;

		heap_class_read(&h->base, i, &stats);
		if (!stats.nr_alloc)
			continue;
		env->report(env,
			    "note: heap: class %u (blocks from %u bytes): %" PRIu64 " allocations, "
			    "%" PRIu64 " frees, %" PRIu64 " bytes live, at most %" PRIu64
			    " bytes of fragmentation",
			    i, heap_class_min(i), stats.nr_alloc, stats.nr_free, stats.live_bytes,
			    stats.fragmentation_bytes_peak);
	}
}

/* ---- the trace ring ---- */

/* Number k of a node's ring, counted back from the newest; NULL past the oldest. */
static const struct heap_trace *heap_trace_at(const struct heap *h, const struct heap_node *node,
					      uint64_t k)
{
	uint64_t size = (uint64_t)h->params.trace;

	if (k >= node->nr_traced || k >= size)
		return NULL;
	return &node->trace[(node->nr_traced - 1 - k) & (size - 1)];
}

/* Each ring is in order of time; the newest head of all rings goes next. */
size_t heap_trace_read(struct nslab_heap *base, struct heap_trace *records, size_t max)
{
	struct heap *h = heap_of(base);
	uint64_t before = UINT64_MAX;
	size_t nr = 0;

	for (; h->params.trace && nr < max; nr++) {
		struct heap_trace newest = {.ptr = NULL};

		for (int i = 0; i < h->nr_nodes; i++) {
			const struct heap_trace *at;

			nslab_lock_acquire(&h->nodes[i].lock);
			for (uint64_t k = 0; (at = heap_trace_at(h, &h->nodes[i], k)); k++) {
				if (at->time >= before)
					continue;
				if (!newest.ptr || at->time > newest.time)
					newest = *at;
				break;
			}
			nslab_lock_release(&h->nodes[i].lock);
		}
		if (!newest.ptr)
			break;
		records[nr] = newest;
		before = newest.time;
	}
	return nr;
}

bool heap_trace_find(struct nslab_heap *base, const void *ptr, struct heap_trace *record)
{
	struct heap *h = heap_of(base);
	bool is_found = false;

	for (int i = 0; h->params.trace && i < h->nr_nodes; i++) {
		const struct heap_trace *at;

		nslab_lock_acquire(&h->nodes[i].lock);
		for (uint64_t k = 0; (at = heap_trace_at(h, &h->nodes[i], k)); k++) {
			if (at->ptr != ptr)
				continue;
			if (!is_found || at->time > record->time)
				*record = *at;
			is_found = true;
			break;
		}
		nslab_lock_release(&h->nodes[i].lock);
	}
	return is_found;
}
