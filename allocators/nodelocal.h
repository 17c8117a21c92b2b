/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nodelocal.h: the structures and the fast path of the nodelocal backend.
 *
 * They stand in a header so that the same code serves the plug-in's table and a caller that wants
 * the fast path inlined, as the kernel inlines its own. The design is told in nodelocal.c; here is
 * only what a fast path touches, and the slow functions that it falls into.
 */
#ifndef NSLAB_NODELOCAL_H
#define NSLAB_NODELOCAL_H

#include "allocators/common/kmalloc.h"
#include "core/lock.h"

#include <numaslab/allocator.h>

#define NODELOCAL_NR_STACKS	512 /* number 0 is never used by a cache */
#define NODELOCAL_BATCH_MAX	62  /* objects in a batch, so that it fills 512 bytes */
#define NODELOCAL_STACK_SLOTS	511 /* objects in a page of slots, after the sentinel */
#define NODELOCAL_KMALLOC_TABLE (NSLAB_KMALLOC_MAX_SIZE / 8 + 1)

#define nodelocal_likely(x)   __builtin_expect(!!(x), 1)
#define nodelocal_unlikely(x) __builtin_expect(!!(x), 0)

/* Never inlined into the fast path, which would then save registers for it. */
#define NODELOCAL_SLOW __attribute__((noinline))
/* The table's functions fit into one cache line of code each when they begin at one. */
#define NODELOCAL_HOT __attribute__((aligned(64)))

/* Pointers to free objects of one cache and one home node, on their way through the depot. */
struct nodelocal_batch {
	struct nodelocal_batch *next;
	uint16_t nr;
	int16_t home;
	uint32_t unused;
	void *objs[NODELOCAL_BATCH_MAX];
};

_Static_assert(sizeof(struct nodelocal_batch) == 512, "eight batches fill a page");

/* Free objects that one CPU handle holds of one cache. Slot 0 of `base` is NULL. */
struct nodelocal_stack {
	void **top;   /* the object that alloc takes next, or slot 0 */
	void **limit; /* the last slot that free may fill */
	void **base;  /* slot 0 */
	struct nodelocal_cache *s;
	struct nodelocal_batch *out; /* batches being filled for other nodes */
	uint32_t capacity;
	uint32_t nr_spilt; /* objects, since it last ran empty */
	bool is_short;	   /* ran empty since the capacity last grew */
	uint64_t unused;
};

_Static_assert(sizeof(struct nodelocal_stack) == 64, "a stack is one cache line");

/* Calls on one cache by one handle. The first two only with the parameter `stats`. */
struct nodelocal_counts {
	uint64_t nr_alloc, nr_free;
	uint64_t nr_alloc_slow, nr_free_slow, nr_remote;
};

struct nodelocal_cpu {
	struct nslab_cpu base;
	uintptr_t local_base; /* of the handle's node */
	size_t local_bytes;
	const uint16_t *local_map;     /* of the frame at local_base, see nodelocal_heap */
	void *nothing[1];	       /* slot 0 of every stack without a page */
	size_t stack_bytes;	       /* capacity of all stacks, in bytes of objects */
	size_t out_bytes;	       /* the same of batches for other nodes */
	struct nodelocal_batch *spare; /* an empty batch or NULL */
	unsigned nr_stacks;	       /* above the highest that was ever opened */
	unsigned hand;		       /* whose turn it is to be closed */
	/* offset of the stack of a kmalloc size, by (size + 7) / 8 */
	uint16_t stack_of[NODELOCAL_KMALLOC_TABLE];
	NSLAB_ALIGNED(64) struct nodelocal_stack stacks[NODELOCAL_NR_STACKS];
	struct nodelocal_counts counts[NODELOCAL_NR_STACKS];
};

_Static_assert(sizeof(struct nodelocal_cpu) <= UINT16_MAX, "offsets of stacks are 16 bits");

/* Slabs of one cache on one node. */
struct nodelocal_node {
	struct nslab_lock list_lock;
	int id;
	struct nodelocal_batch *depot;	 /* full batches */
	struct nodelocal_batch *empties; /* batches without objects */
	unsigned nr_depot, nr_empties, nr_partial, nr_slabs;
	uint64_t nr_pages, nr_objects, nr_free; /* nr_free: in slabs only */
	struct nslab_list partial;		/* slabs with a free object; empty ones last */
	struct nslab_list full;
	uint64_t stat[NSLAB_NR_STATS];
	/* Batches sent by CPUs of other nodes, see nodelocal_send(). */
	NSLAB_ALIGNED(64) atomic_uint_least64_t incoming;
	atomic_uint colour_next;
};

struct nodelocal_cache {
	struct kmem_cache base;
	uint32_t stack_offset; /* bytes from a CPU handle to its stack of this cache */
	uint32_t reciprocal;   /* 2^32 / size, rounded up */
	unsigned index;
	unsigned min_order, min_objects; /* of a slab when memory is short */
	unsigned min_partial;
	unsigned batch_objects, stack_objects, depot_batches;
	unsigned destroy_epoch;
	bool is_dying;		       /* destroy_epoch was asked for */
	struct nodelocal_node *node[]; /* one for each arena node */
};

struct nodelocal_heap {
	struct nslab_heap base;
	int64_t stack_objects, batch_objects; /* parameters; NSLAB_AUTO: by size */
	bool is_coloured, is_counted;
	struct nslab_allocator_ops counted_ops; /* of all handles when is_counted */
	/*
	 * For each frame of the arena the offset in a CPU handle of the stack that takes an object
	 * of this frame back. Two bytes for a frame: kfree finds 32 frames in a cache line.
	 */
	uint16_t *map;
	size_t map_bytes;
	struct nodelocal_cache *containers; /* the batches' own slabs */
	struct nodelocal_cache *caches[NODELOCAL_NR_STACKS];
};

static inline size_t nodelocal_offset_of(const struct kmem_cache *s)
{
	return ((const struct nodelocal_cache *)(const void *)s)->stack_offset;
}

NODELOCAL_SLOW void *nodelocal_alloc_slow(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp,
					  int node);
NODELOCAL_SLOW void nodelocal_free_slow(struct nslab_cpu *base, struct kmem_cache *s, void *obj);
NODELOCAL_SLOW void *nodelocal_kmalloc_slow(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp,
					    int node);
NODELOCAL_SLOW void nodelocal_kfree_slow(struct nslab_cpu *base, void *obj);

static inline struct nodelocal_stack *nodelocal_stack_at(struct nslab_cpu *base, size_t offset)
{
	return (struct nodelocal_stack *)(void *)((char *)base + offset);
}

/*
 * The same, but the compiler does not know that it is: else it adds once and keeps the sum, which
 * takes an instruction more than an index in each access. With one less, kfree took a sixth off a
 * churn pair on the machine of docs/speed.md; see docs/instructions.md.
 */
static inline struct nodelocal_stack *nodelocal_stack_again(struct nslab_cpu *base, size_t offset)
{
	__asm__("" : "+r"(offset));
	return nodelocal_stack_at(base, offset);
}

/* NULL when the stack is empty: then its top is slot 0. */
static inline void *nodelocal_pop(struct nslab_cpu *base, size_t offset)
{
	void **top = nodelocal_stack_at(base, offset)->top;
	void *obj = *top;

	if (nodelocal_likely(obj))
		nodelocal_stack_again(base, offset)->top = top - 1;
	return obj;
}

static inline bool nodelocal_push(struct nslab_cpu *base, size_t offset, void *obj)
{
	void **top = nodelocal_stack_at(base, offset)->top;

	if (nodelocal_unlikely(top == nodelocal_stack_again(base, offset)->limit))
		return false;
	top[1] = obj;
	nodelocal_stack_again(base, offset)->top = top + 1;
	return true;
}

/* No zeroing and no node asked for. */
static inline bool nodelocal_is_plain(gfp_t gfp, int node)
{
	return nodelocal_likely(node == NUMA_NO_NODE) && nodelocal_likely(!(gfp & __GFP_ZERO));
}

static inline struct nodelocal_stack *nodelocal_stack_of(struct nslab_cpu *base,
							 const struct kmem_cache *s)
{
	return nodelocal_stack_at(base, nodelocal_offset_of(s));
}

static inline void *nodelocal_alloc_fast(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp,
					 int node)
{
	if (nodelocal_likely(nodelocal_is_plain(gfp, node))) {
		void *obj = nodelocal_pop(base, nodelocal_offset_of(s));

		if (nodelocal_likely(obj))
			return obj;
	}
	return nodelocal_alloc_slow(base, s, gfp, node);
}

static inline void nodelocal_free_fast(struct nslab_cpu *base, struct kmem_cache *s, void *obj)
{
	struct nodelocal_cpu *cpu = (struct nodelocal_cpu *)(void *)base;

	if (nodelocal_likely((uintptr_t)obj - cpu->local_base < cpu->local_bytes) &&
	    nodelocal_likely(nodelocal_push(base, nodelocal_offset_of(s), obj)))
		return;
	nodelocal_free_slow(base, s, obj);
}

static inline void *nodelocal_kmalloc_fast(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp,
					   int node)
{
	struct nodelocal_cpu *cpu = (struct nodelocal_cpu *)(void *)base;

	if (nodelocal_likely(nodelocal_is_plain(gfp, node)) &&
	    nodelocal_likely(size_bytes <= NSLAB_KMALLOC_MAX_SIZE)) {
		void *obj = nodelocal_pop(base, cpu->stack_of[(size_bytes + 7) >> 3]);

		if (nodelocal_likely(obj))
			return obj;
	}
	return nodelocal_kmalloc_slow(base, size_bytes, gfp, node);
}

/*
 * The map of a slab's frames leads to the cache's stack, of all others to stack 0, which takes
 * nothing. NULL and the pointer of size 0 lie in no node.
 */
static inline void nodelocal_kfree_fast(struct nslab_cpu *base, void *obj)
{
	struct nodelocal_cpu *cpu = (struct nodelocal_cpu *)(void *)base;
	uintptr_t offset = (uintptr_t)obj - cpu->local_base;

	if (nodelocal_likely(offset < cpu->local_bytes)) {
		if (nodelocal_likely(
			    nodelocal_push(base, cpu->local_map[offset >> NSLAB_PAGE_SHIFT], obj)))
			return;
	}
	nodelocal_kfree_slow(base, obj);
}

#endif
