/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages_internal.h: what pages.c, pages_bind.c, pages_meta.c and pages_verify.c share.
 *
 * A part is one arena node: a stretch of the reservation and the set of OS nodes that its pages may
 * come from.
 */
#ifndef NSLAB_PAGES_INTERNAL_H
#define NSLAB_PAGES_INTERNAL_H

#include "topology/pages.h"

#include <pthread.h>

#define PART_ALIGN     ((size_t)4 << 20) /* one block of the largest order */
#define NODE_MASK_BITS 1024		 /* OS node numbers that a mask can hold */
#define NODE_MASK_WORD (8 * sizeof(unsigned long))
#define REASON_BYTES   256

struct node_mask {
	unsigned long word[NODE_MASK_BITS / (8 * sizeof(unsigned long))];
};

static inline void node_mask_add(struct node_mask *mask, int node)
{
	if (node >= 0 && node < NODE_MASK_BITS)
		mask->word[(unsigned)node / NODE_MASK_WORD] |= 1ul
							       << (unsigned)node % NODE_MASK_WORD;
}

static inline bool node_mask_has(const struct node_mask *mask, int node)
{
	return node >= 0 && node < NODE_MASK_BITS &&
	       (mask->word[(unsigned)node / NODE_MASK_WORD] >> (unsigned)node % NODE_MASK_WORD & 1);
}

static inline unsigned node_mask_weight(const struct node_mask *mask)
{
	unsigned nr = 0;

	for (size_t i = 0; i < sizeof(mask->word) / sizeof(mask->word[0]); i++)
		nr += (unsigned)__builtin_popcountl(mask->word[i]);
	return nr;
}

/* How the pages of an arena are placed. */
enum part_policy {
	PART_BIND,
	PART_INTERLEAVE,
	PART_NO_POLICY
};

struct arena_part {
	int topo_node;		 /* position in topo->nodes, or -1 for the single part */
	struct node_mask wanted; /* OS nodes that its pages may lie on */
};

/* Metadata: chunks of one part, and what was given back to it. */
#define META_GRAIN	 64u /* bytes */
#define META_NR_SMALL	 32u /* classes of 64, 128 .. 2048 bytes */
#define META_NR_CLASSES	 39u /* and 4 KiB, 8 KiB .. 256 KiB */
#define META_MAX_CLASSED ((size_t)256 << 10)
#define META_CHUNK_BYTES ((size_t)1 << 20)

struct meta_free {
	struct meta_free *next;
};

struct meta_chunk {
	struct meta_chunk *next;
};

struct meta_part {
	struct meta_free *free[META_NR_CLASSES];
	struct meta_chunk *chunks;
	char *at, *end; /* what is left of the newest chunk */
};

struct nslab_arena_map {
	struct nslab_arena arena;
	enum part_policy policy;
	enum nslab_huge_policy huge;
	bool is_simulated;
	bool is_bound; /* policy was applied, or none was wanted */
	struct arena_part *parts;
	uint8_t *distance;
	uint8_t *node_has_cpus;
	int *node_os_index;
	int fd;		   /* of a shared arena's file, or -1 */
	void *reservation; /* as mmap gave it, before alignment */
	size_t reservation_bytes;
	size_t pages_bytes;
	char unavailable[REASON_BYTES];
	pthread_mutex_t meta_lock;
	struct meta_part *meta;
};

static inline size_t arena_map_part_stride(const struct nslab_arena_map *map)
{
	return (size_t)1 << map->arena.node_shift;
}

/* ---- pages_bind.c ---- */

/* Asks the kernel whether placement can be had at all; fills reason and returns false if not. */
bool arena_probe(const struct nslab_arena_map *map, char reason[REASON_BYTES]);

/* Applies the part's policy to untouched memory. 0, or -errno with a reason. */
int arena_bind(const struct nslab_arena_map *map, int part, void *start, size_t bytes,
	       char reason[REASON_BYTES]);

/* move_pages as a query: the node of each address, or a negative errno. */
int arena_query(size_t nr, void **addresses, int *status);

/* Huge-page policy of a stretch; what the kernel does not know is no error. */
void arena_advise(const struct nslab_arena_map *map, void *start, size_t bytes);

/* ---- pages_meta.c ---- */

int arena_meta_open(struct nslab_arena_map *map);
void arena_meta_close(struct nslab_arena_map *map);

#endif
