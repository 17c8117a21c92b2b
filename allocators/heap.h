/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * heap.h: blocks, bins and nodes of the segregated free-list heap; what a test may ask of it.
 *
 * A chunk is a run of pages cut into blocks that tile it. A block is a header of 16 bytes and the
 * payload. A free block keeps its list links in the header's last word and at the start of the
 * payload, and its size once more in its last 8 bytes (the footer), so that the block behind it
 * finds its start. The last header of a chunk is an empty block that is never free, and the first
 * block never has HEAP_PREV_FREE: neither side of a merge can leave the chunk.
 */
#ifndef NSLAB_ALLOCATORS_HEAP_H
#define NSLAB_ALLOCATORS_HEAP_H

#include "core/lock.h"

#include <numaslab/allocator.h>

#define HEAP_CLASSES	 32
#define HEAP_GRAIN	 16u /* bytes; blocks and payloads are multiples, aligned to it */
#define HEAP_HEADER	 16u /* bytes */
#define HEAP_MIN_BLOCK	 32u /* header, one link and the footer */
#define HEAP_SMALL	 4096u
#define HEAP_MAX_CACHES	 4096u
#define HEAP_KMALLOC	 0u /* number that stands for kmalloc instead of a cache */
#define HEAP_FREE	 1u
#define HEAP_PREV_FREE	 2u
#define HEAP_FLAGS	 (HEAP_GRAIN - 1)
#define HEAP_LIVE_MAGIC	 0x5eedb10cu
#define HEAP_FREE_MAGIC	 0xf4eeb10cu
#define HEAP_TRACE_ALLOC 0
#define HEAP_TRACE_FREE	 1

struct heap_live {
	uint32_t requested; /* bytes */
	uint32_t owner;	    /* number of the cache, or HEAP_KMALLOC */
};

struct heap_block {
	uint32_t magic; /* of the state, mixed with the address */
	uint32_t word;	/* size in bytes with header | HEAP_FREE | HEAP_PREV_FREE */
	union {
		struct heap_live live;
		struct heap_block *next; /* free: in its bin */
	} u;
	struct heap_block *prev; /* free: in its bin; live: the first payload bytes */
};

/* What one size class did, on one node or on all. Bytes are of live blocks. */
struct heap_class_stats {
	uint64_t nr_alloc, nr_free;	   /* calls */
	uint64_t live_bytes;		   /* of blocks, headers included */
	uint64_t requested_bytes;	   /* of them, asked for */
	uint64_t fragmentation_bytes_peak; /* most that live_bytes - requested_bytes was */
	uint64_t nr_free_blocks;	   /* in the bin now */
};

/* One record of the trace ring. Plug-ins have no clock: time is the number of the operation. */
struct heap_trace {
	const void *ptr;
	size_t bytes;
	uint64_t time; /* operations of the whole heap before this one */
	int cpu;
	int what; /* HEAP_TRACE_* */
};

/* What one cache has on one node; changed under the node's lock. */
struct heap_share {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) uint64_t nr_live;
	uint64_t nr_alloc, nr_free, nr_remote_free, nr_lock;
	uint64_t nr_large, nr_large_pages; /* live objects that are whole pages */
};

struct heap_node {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) struct nslab_lock lock;
	uint32_t bin_mask; /* bit i: bin[i] is not empty */
	struct heap_block *bin[HEAP_CLASSES];
	struct nslab_list chunks; /* of struct nslab_page: priv[0] live blocks */
	uint64_t nr_chunks, nr_empty;
	struct heap_class_stats class[HEAP_CLASSES];
	struct heap_trace *trace; /* ring, or NULL */
	uint64_t nr_traced;
};

struct heap_params {
	int64_t chunk_order;
	int64_t large_bytes;
	int64_t align_bytes;
	int64_t keep_chunks;
	int64_t trace;
	bool report;
};

struct heap_cache {
	struct kmem_cache base;
	uint32_t number;
	struct heap_share share[]; /* [nr_nodes] */
};

struct heap {
	struct nslab_heap base;
	struct heap_params params;
	size_t chunk_bytes, largest; /* of a block; larger requests are pages */
	struct heap_node *nodes;
	int nr_nodes;
	struct heap_share *kmalloc; /* [nr_nodes] */
	struct heap_cache **caches; /* [HEAP_MAX_CACHES]; 0 stays empty */
	_Atomic uint64_t time;
};

static inline struct heap *heap_of(const struct nslab_heap *base)
{
	return nslab_container_of((uintptr_t)base, struct heap, base);
}

static inline struct heap_cache *heap_cache_of(struct kmem_cache *s)
{
	return nslab_container_of(s, struct heap_cache, base);
}

static inline uint32_t heap_size(const struct heap_block *b)
{
	return b->word & ~HEAP_FLAGS;
}

static inline void *heap_payload(struct heap_block *b)
{
	return (char *)b + HEAP_HEADER;
}

static inline struct heap_block *heap_block_of(const void *obj)
{
	return (struct heap_block *)((uintptr_t)obj - HEAP_HEADER);
}

static inline struct heap_block *heap_next(struct heap_block *b)
{
	return (struct heap_block *)(void *)((char *)b + heap_size(b));
}

/* A header that was copied or that lies at another address is none. */
static inline uint32_t heap_magic(const struct heap_block *b, uint32_t state)
{
	return state ^ (uint32_t)((uintptr_t)b >> 4);
}

/*
 * Class of a block's size: four for each doubling from 64 to 4095 bytes, two below, and one for
 * each doubling above; the last one is open.
 */
static inline unsigned heap_class(uint32_t block_bytes)
{
	unsigned log = 31u - (unsigned)__builtin_clz(block_bytes);
	unsigned class;

	if (block_bytes < 64)
		return block_bytes >= 48;
	if (block_bytes < HEAP_SMALL)
		return 2 + (log - 6) * 4 + ((block_bytes >> (log - 2)) & 3);
	class = 26 + (log - 12);
	return class < HEAP_CLASSES ? class : HEAP_CLASSES - 1;
}

/* Smallest block that is in the class. */
static inline uint32_t heap_class_min(unsigned class)
{
	if (class < 2)
		return class ? 48 : HEAP_MIN_BLOCK;
	if (class < 26)
		return (4u + (class - 2) % 4) << (4 + (class - 2) / 4);
	return HEAP_SMALL << (class - 26);
}

/* ---- heap_block.c: all under the node's lock ---- */

/* A live block with at least `block_bytes` whose payload is aligned, or NULL. */
struct heap_block *heap_take(struct heap *h, struct heap_node *node, uint32_t block_bytes,
			     size_t align);
/* Merges with free neighbours; the chunk may then be empty. */
void heap_give(struct heap *h, struct heap_node *node, struct heap_block *b);
/* Makes the pages one free block. */
void heap_chunk_add(struct heap *h, struct heap_node *node, struct nslab_page *page);
/* An empty chunk beyond `keep` of them, taken out of the heap, or NULL. */
struct nslab_page *heap_chunk_spare(struct heap *h, struct heap_node *node, uint64_t keep);
/* Gives empty chunks beyond `keep` back. Takes the lock itself. */
void heap_trim(struct heap *h, struct heap_node *node, struct nslab_cpu *cpu, uint64_t keep);

/* ---- heap_inspect.c: control side, and what a test may ask ---- */

int heap_cache_validate(struct kmem_cache *s);
void heap_cache_stats(struct kmem_cache *s, struct nslab_cache_stats *stats);
/* Chunks in which the cache has a live object; large objects count as one each. */
uint64_t heap_count_chunks(struct heap_cache *s, uint64_t *nr_pages);
/* Sum over all nodes. class: 0 .. HEAP_CLASSES - 1. */
void heap_class_read(struct nslab_heap *heap, unsigned class, struct heap_class_stats *stats);
/* Newest first, at most max; returns how many. */
size_t heap_trace_read(struct nslab_heap *heap, struct heap_trace *records, size_t max);
/* What the ring knows last about ptr; false when nothing. */
bool heap_trace_find(struct nslab_heap *heap, const void *ptr, struct heap_trace *record);
void heap_report(struct heap *h);

#endif
