/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_pool.c: memory for a plan: many small texts and arrays that live and die together.
 *
 * Chunks are linked; an allocation takes the next bytes of the newest chunk, and one that does not
 * fit gets a chunk of at least its size. Nothing is freed before the pool. Growing an array copies
 * it to twice its size and leaves the old one behind, which costs at most as much again.
 */
#include "runner/plan_internal.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)128 << 10)
#define ALIGN_BYTES 16u

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(ALIGN_BYTES) char bytes[];
};

struct nslab_plan_pool {
	struct chunk *first;
};

struct nslab_plan_pool *nslab_pool_create(void)
{
	return calloc(1, sizeof(struct nslab_plan_pool));
}

void nslab_pool_destroy(struct nslab_plan_pool *pool)
{
	struct chunk *chunk = pool ? pool->first : NULL;

	while (chunk) {
		struct chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	free(pool);
}

void *nslab_pool_alloc(struct nslab_plan_pool *pool, size_t bytes)
{
	size_t need = (bytes + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
	struct chunk *chunk = pool->first;

	if (!chunk || chunk->size - chunk->used < need) {
		size_t size = need > CHUNK_BYTES ? need : CHUNK_BYTES;

		chunk = calloc(1, sizeof(*chunk) + size);
		if (!chunk)
			return NULL;
		chunk->size = size;
		chunk->next = pool->first;
		pool->first = chunk;
	}
	chunk->used += need;
	return chunk->bytes + chunk->used - need;
}

char *nslab_pool_copy(struct nslab_plan_pool *pool, const char *text, size_t len)
{
	char *copy = nslab_pool_alloc(pool, len + 1);

	return copy ? memcpy(copy, text, len) : NULL;
}

char *nslab_pool_print(struct nslab_plan_pool *pool, const char *format, ...)
{
	char text[512];
	va_list args, again;
	char *copy;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0) {
		copy = NULL;
	} else if ((size_t)len < sizeof(text)) {
		copy = nslab_pool_copy(pool, text, (size_t)len);
	} else {
		copy = nslab_pool_alloc(pool, (size_t)len + 1);
		if (copy)
			vsnprintf(copy, (size_t)len + 1, format, again);
	}
	va_end(again);
	return copy;
}

void *nslab_pool_grow(struct nslab_plan_pool *pool, void *items, size_t nr, size_t item_bytes)
{
	void *larger;

	if (nr & (nr - 1) || (nr && nr < 4))
		return items;
	larger = nslab_pool_alloc(pool, (nr ? 2 * nr : 4) * item_bytes);
	if (larger && nr)
		memcpy(larger, items, nr * item_bytes);
	return larger;
}
