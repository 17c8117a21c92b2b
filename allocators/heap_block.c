// SPDX-License-Identifier: GPL-2.0-only
/*
 * heap_block.c: blocks of one node's heap: bins, splitting, merging, chunks.
 *
 * A request looks into the bin of its size, of which it tries HEAP_TRIES blocks, and then takes the
 * first block of the next bin that is not empty: every block there is large enough. What a block
 * has too much becomes a free block again when it can hold one: in front for the sake of
 * alignment, behind for the rest. A freed block merges with the free block behind it and, by that
 * one's footer, with the one before it, so no two free blocks ever touch. Headers that end inside
 * of a merged block keep the magic of a free one, so that a second free is still named.
 *
 * Left out: best fit in a bin and any order of blocks by address.
 *
 * Locks: everything is under the node's lock (rank NODE), which callers hold; only heap_trim takes
 * it itself, and gives pages back without it.
 */
#include "allocators/heap.h"

#include "core/list.h"

#define HEAP_TRIES 16 /* blocks of a request's own bin */

static uint64_t *heap_footer(struct heap_block *b)
{
	return (uint64_t *)(void *)((char *)b + heap_size(b) - sizeof(uint64_t));
}

/* Only for a block with HEAP_PREV_FREE. */
static struct heap_block *heap_before(struct heap_block *b)
{
	return (struct heap_block *)(void *)((char *)b - *((uint64_t *)(void *)b - 1));
}

static void heap_bin_del(struct heap_node *node, struct heap_block *b)
{
	unsigned class = heap_class(heap_size(b));

	if (b->u.next)
		b->u.next->prev = b->prev;
	if (b->prev)
		b->prev->u.next = b->u.next;
	else
		node->bin[class] = b->u.next;
	if (!node->bin[class])
		node->bin_mask &= ~(1u << class);
	node->class[class].nr_free_blocks--;
}

/* size bytes from b on become a free block; the block behind is told. */
static void heap_bin_add(struct heap_node *node, struct heap_block *b, uint32_t size)
{
	unsigned class = heap_class(size);

	b->magic = heap_magic(b, HEAP_FREE_MAGIC);
	b->word = size | HEAP_FREE;
	b->prev = NULL;
	b->u.next = node->bin[class];
	if (b->u.next)
		b->u.next->prev = b;
	node->bin[class] = b;
	node->bin_mask |= 1u << class;
	node->class[class].nr_free_blocks++;
	*heap_footer(b) = size;
	heap_next(b)->word |= HEAP_PREV_FREE;
}

/* Bytes to leave in front of b's payload: 0, or enough for a block. */
static uint32_t heap_lead(struct heap_block *b, size_t align)
{
	uintptr_t at = (uintptr_t)heap_payload(b);
	uintptr_t aligned = (at + align - 1) & ~(uintptr_t)(align - 1);

	while (aligned != at && aligned - at < HEAP_MIN_BLOCK)
		aligned += align;
	return (uint32_t)(aligned - at);
}

static bool heap_fits(struct heap_block *b, uint32_t block_bytes, size_t align)
{
	return heap_size(b) >= block_bytes + heap_lead(b, align);
}

static struct heap_block *heap_find(struct heap_node *node, uint32_t block_bytes, size_t align)
{
	/* with this much, any address will do */
	uint32_t enough =
		align > HEAP_GRAIN ? block_bytes + (uint32_t)align + HEAP_MIN_BLOCK : block_bytes;
	unsigned class = heap_class(block_bytes), last = heap_class(enough);
	uint32_t above;

	for (; class <= last; class ++) {
		struct heap_block *b = node->bin[class];

		/* the last bin has no next one */
		for (int i = 0; b && (i < HEAP_TRIES || class == HEAP_CLASSES - 1); i++) {
			if (heap_fits(b, block_bytes, align))
				return b;
			b = b->u.next;
		}
	}
	above = last + 1 < HEAP_CLASSES ? node->bin_mask >> (last + 1) << (last + 1) : 0;
	return above ? node->bin[__builtin_ctz(above)] : NULL;
}

static struct nslab_page *heap_page_of(struct heap *h, const struct heap_block *b)
{
	return nslab_page_of(h->base.env, b);
}

struct heap_block *heap_take(struct heap *h, struct heap_node *node, uint32_t block_bytes,
			     size_t align)
{
	struct heap_block *b = heap_find(node, block_bytes, align);
	struct nslab_page *page;
	uint32_t lead, size, flags = 0;

	if (!b)
		return NULL;
	heap_bin_del(node, b);
	size = heap_size(b);
	heap_next(b)->word &= ~HEAP_PREV_FREE;
	lead = heap_lead(b, align);
	if (lead) {
		struct heap_block *front = b;

		b = (struct heap_block *)(void *)((char *)b + lead);
		b->word = 0;
		heap_bin_add(node, front, lead);
		flags = HEAP_PREV_FREE;
		size -= lead;
	}
	if (size - block_bytes >= HEAP_MIN_BLOCK) {
		heap_bin_add(node, (struct heap_block *)(void *)((char *)b + block_bytes),
			     size - block_bytes);
		size = block_bytes;
	}
	b->word = size | flags;
	b->magic = heap_magic(b, HEAP_LIVE_MAGIC);
	page = heap_page_of(h, b);
	if (!page->priv[0]++)
		node->nr_empty--;
	return b;
}

void heap_give(struct heap *h, struct heap_node *node, struct heap_block *b)
{
	struct heap_block *next = heap_next(b);
	struct nslab_page *page = heap_page_of(h, b);
	uint32_t size = heap_size(b);
	struct heap_block *start = b;

	if (next->word & HEAP_FREE) {
		heap_bin_del(node, next);
		size += heap_size(next);
	}
	if (b->word & HEAP_PREV_FREE) {
		start = heap_before(b);
		heap_bin_del(node, start);
		size += heap_size(start);
		b->magic = heap_magic(b, HEAP_FREE_MAGIC);
	}
	heap_bin_add(node, start, size);
	if (!--page->priv[0])
		node->nr_empty++;
}

void heap_chunk_add(struct heap *h, struct heap_node *node, struct nslab_page *page)
{
	char *start = nslab_page_address(h->base.env, page);
	size_t bytes = NSLAB_PAGE_SIZE << page->order;
	struct heap_block *end = (struct heap_block *)(void *)(start + bytes - HEAP_HEADER);

	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_SLAB);
	page->priv[0] = 0;
	nslab_list_add(&page->list, &node->chunks);
	node->nr_chunks++;
	node->nr_empty++;
	end->magic = 0;
	end->word = 0;
	heap_bin_add(node, (struct heap_block *)(void *)start, (uint32_t)(bytes - HEAP_HEADER));
}

struct nslab_page *heap_chunk_spare(struct heap *h, struct heap_node *node, uint64_t keep)
{
	if (node->nr_empty <= keep)
		return NULL;
	nslab_list_for_each (pos, &node->chunks) {
		struct nslab_page *page = nslab_list_entry(pos, struct nslab_page, list);

		if (page->priv[0])
			continue;
		heap_bin_del(node, nslab_page_address(h->base.env, page));
		nslab_list_del(&page->list);
		node->nr_chunks--;
		node->nr_empty--;
		page->flags = (uint8_t)(page->flags & ~NSLAB_PAGE_SLAB);
		return page;
	}
	return NULL;
}

void heap_trim(struct heap *h, struct heap_node *node, struct nslab_cpu *cpu, uint64_t keep)
{
	const struct nslab_env *env = h->base.env;
	struct nslab_page *page;

	do {
		nslab_lock_acquire(&node->lock);
		page = heap_chunk_spare(h, node, keep);
		nslab_lock_release(&node->lock);
		if (page)
			env->free_pages(env, cpu, page, page->order);
	} while (page);
}
