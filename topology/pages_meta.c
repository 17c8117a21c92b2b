/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pages_meta.c: memory for handles and tables, on the node that uses them.
 *
 * Each part has chunks of 1 MiB that are bound as the part is and handed out from the start to the
 * end. What is given back goes to a list of its size class (multiples of 64 bytes up to 2 KiB,
 * then powers of two up to 256 KiB) and is zeroed when it is handed out again; fresh chunks are
 * zero already. Larger requests get a mapping of their own. Every address is 64-byte aligned, so
 * two handles never share a cache line.
 *
 * Locks: meta_lock, innermost, held for a few instructions or for the mapping of a chunk. Metadata
 * is asked for at set-up, never on a timed path.
 *
 * Left out: returning chunks before the arena is closed.
 */
#define _GNU_SOURCE
#include "topology/pages_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int arena_meta_open(struct nslab_arena_map *map)
{
	map->meta = calloc((size_t)map->arena.nr_nodes, sizeof(*map->meta));
	return map->meta ? 0 : -ENOMEM;
}

void arena_meta_close(struct nslab_arena_map *map)
{
	for (int part = 0; map->meta && part < map->arena.nr_nodes; part++) {
		struct meta_chunk *chunk = map->meta[part].chunks;

		while (chunk) {
			struct meta_chunk *next = chunk->next;

			munmap(chunk, META_CHUNK_BYTES);
			chunk = next;
		}
	}
	free(map->meta);
}

/* Class of a size, and the bytes that the class takes. bytes is 1 .. META_MAX_CLASSED. */
static unsigned meta_class(size_t bytes, size_t *rounded)
{
	unsigned number = META_NR_SMALL;

	if (bytes <= META_NR_SMALL * META_GRAIN) {
		number = (unsigned)((bytes - 1) / META_GRAIN);
		*rounded = (number + 1) * META_GRAIN;
		return number;
	}
	*rounded = 2 * META_NR_SMALL * META_GRAIN;
	while (*rounded < bytes) {
		*rounded *= 2;
		number++;
	}
	return number;
}

static void *map_bound(struct nslab_arena_map *map, int part, size_t bytes)
{
	char reason[REASON_BYTES];
	void *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (start == MAP_FAILED)
		return NULL;
	arena_advise(map, start, bytes);
	/* a refusal here is the one that the arena itself has told of already */
	if (map->is_bound)
		arena_bind(map, part, start, bytes, reason);
	return start;
}

/* From the newest chunk, or from a new one; the rest of a chunk that is too small is left. */
static void *meta_carve(struct nslab_arena_map *map, int part, size_t bytes)
{
	struct meta_part *meta = &map->meta[part];
	struct meta_chunk *chunk;
	void *ptr;

	if ((size_t)(meta->end - meta->at) < bytes) {
		chunk = map_bound(map, part, META_CHUNK_BYTES);
		if (!chunk)
			return NULL;
		chunk->next = meta->chunks;
		meta->chunks = chunk;
		meta->at = (char *)chunk + META_GRAIN;
		meta->end = (char *)chunk + META_CHUNK_BYTES;
	}
	ptr = meta->at;
	meta->at += bytes;
	return ptr;
}

/* free_meta is not told the part, and a plug-in's wrong byte count must not mix up the lists. */
struct meta_header {
	uint64_t part;
	uint64_t bytes;
	uint64_t unused[6];
};

_Static_assert(sizeof(struct meta_header) == META_GRAIN, "keeps what follows aligned");

static void *meta_take(struct nslab_arena_map *map, int part, size_t bytes)
{
	struct meta_free *block;
	unsigned number;
	size_t rounded;

	if (bytes > META_MAX_CLASSED)
		return map_bound(map, part, bytes);
	number = meta_class(bytes, &rounded);
	block = map->meta[part].free[number];
	if (!block)
		return meta_carve(map, part, rounded);
	map->meta[part].free[number] = block->next;
	memset(block, 0, rounded);
	return block;
}

void *nslab_arena_alloc_meta(struct nslab_arena_map *map, size_t bytes, int node)
{
	int part = node >= 0 && node < map->arena.nr_nodes ? node : 0;
	struct meta_header *header;
	size_t total;

	if (__builtin_add_overflow(bytes, sizeof(*header), &total))
		return NULL;
	pthread_mutex_lock(&map->meta_lock);
	header = meta_take(map, part, total);
	pthread_mutex_unlock(&map->meta_lock);
	if (!header)
		return NULL;
	header->part = (uint64_t)part;
	header->bytes = bytes;
	return header + 1;
}

void nslab_arena_free_meta(struct nslab_arena_map *map, void *ptr, size_t bytes)
{
	struct meta_header *header = (struct meta_header *)ptr - 1;
	struct meta_part *meta;
	struct meta_free *block;
	unsigned number;
	size_t rounded;

	if (!ptr)
		return;
	bytes = (size_t)header->bytes + sizeof(*header);
	if (bytes > META_MAX_CLASSED) {
		munmap(header, bytes);
		return;
	}
	number = meta_class(bytes, &rounded);
	meta = &map->meta[header->part];
	block = (struct meta_free *)(void *)header;
	pthread_mutex_lock(&map->meta_lock);
	block->next = meta->free[number];
	meta->free[number] = block;
	pthread_mutex_unlock(&map->meta_lock);
}
