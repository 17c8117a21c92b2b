/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * intern.c: byte strings to dense numbers, by an open hash table of numbers with linear probing.
 *
 * Keys live in chunks that never move, so a pointer to one holds until the table is freed. The
 * table has at least twice as many buckets as keys. A key's hash is kept, so that growing
 * reads no bytes and a look-up compares bytes hardly ever in vain. Nothing is ever removed.
 */
#include "workloads/trace/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define CHUNK_BYTES ((size_t)64 << 10)

struct nslab_trace_chunk {
	struct nslab_trace_chunk *next;
	size_t nr_used, nr_bytes;
	char bytes[];
};

/* The bucket of the key, or the empty one where it would go. */
static uint32_t intern_bucket(const struct nslab_trace_intern *intern, const void *bytes,
			      size_t length, uint32_t hash)
{
	uint32_t i = hash & intern->mask;

	for (; intern->buckets[i]; i = (i + 1) & intern->mask) {
		const struct nslab_trace_key *key = &intern->keys[intern->buckets[i] - 1];

		if (key->hash == hash && key->length == length &&
		    !memcmp(key->bytes, bytes, length))
			break;
	}
	return i;
}

int nslab_trace_intern_find(const struct nslab_trace_intern *intern, const void *bytes,
			    size_t length)
{
	uint32_t found;

	if (!intern->nr)
		return -ENOENT;
	found = intern->buckets[intern_bucket(intern, bytes, length,
					      (uint32_t)XXH3_64bits(bytes, length))];
	return found ? (int)found - 1 : -ENOENT;
}

static int intern_grow(struct nslab_trace_intern *intern)
{
	uint32_t nr_keys_max = intern->nr_keys_max ? 2 * intern->nr_keys_max : 64;
	struct nslab_trace_key *keys = realloc(intern->keys, nr_keys_max * sizeof(*keys));
	uint32_t *buckets = calloc((size_t)2 * nr_keys_max, sizeof(*buckets));

	if (keys)
		intern->keys = keys;
	if (!keys || !buckets) {
		free(buckets);
		return -ENOMEM;
	}
	free(intern->buckets);
	intern->buckets = buckets;
	intern->nr_keys_max = nr_keys_max;
	intern->mask = 2 * nr_keys_max - 1;
	for (uint32_t k = 0; k < intern->nr; k++) {
		uint32_t i = keys[k].hash & intern->mask;

		while (buckets[i])
			i = (i + 1) & intern->mask;
		buckets[i] = k + 1;
	}
	return 0;
}

static const char *intern_copy(struct nslab_trace_intern *intern, const void *bytes, size_t length)
{
	struct nslab_trace_chunk *chunk = intern->chunks;
	char *copy;

	if (!chunk || chunk->nr_bytes - chunk->nr_used < length + 1) {
		size_t nr_bytes = length + 1 > CHUNK_BYTES ? length + 1 : CHUNK_BYTES;

		chunk = malloc(sizeof(*chunk) + nr_bytes);
		if (!chunk)
			return NULL;
		*chunk = (struct nslab_trace_chunk){intern->chunks, 0, nr_bytes};
		intern->chunks = chunk;
	}
	copy = chunk->bytes + chunk->nr_used;
	memcpy(copy, bytes, length);
	copy[length] = 0;
	chunk->nr_used += length + 1;
	return copy;
}

int nslab_trace_intern(struct nslab_trace_intern *intern, const void *bytes, size_t length,
		       uint32_t limit)
{
	uint32_t hash = (uint32_t)XXH3_64bits(bytes, length);
	uint32_t bucket;
	const char *copy;

	if (intern->nr == intern->nr_keys_max && intern_grow(intern))
		return -ENOMEM;
	bucket = intern_bucket(intern, bytes, length, hash);
	if (intern->buckets[bucket])
		return (int)intern->buckets[bucket] - 1;
	if (intern->nr >= limit)
		return -EOVERFLOW;
	copy = intern_copy(intern, bytes, length);
	if (!copy)
		return -ENOMEM;
	intern->keys[intern->nr] = (struct nslab_trace_key){copy, (uint32_t)length, hash};
	intern->buckets[bucket] = ++intern->nr;
	return (int)intern->nr - 1;
}

void nslab_trace_intern_free(struct nslab_trace_intern *intern)
{
	while (intern->chunks) {
		struct nslab_trace_chunk *chunk = intern->chunks;

		intern->chunks = chunk->next;
		free(chunk);
	}
	free(intern->keys);
	free(intern->buckets);
	*intern = (struct nslab_trace_intern){0};
}
