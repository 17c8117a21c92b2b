/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sizes.h: objects of many sizes: one type for each class of size, and sizes drawn ahead.
 *
 * The classes are those of kmalloc: powers of two from 8 to 8192 bytes, and 96 and 192. On the
 * cache entry an object comes from the cache of its class; kmalloc and malloc get the exact size.
 * A size and its class travel together as one word, a draw, so that the loop looks nothing up: who
 * frees an object needs its draw, and struct nslab_sized keeps both.
 *
 * Draws stand in a table that a worker makes off the clock and reads in order, over and over. Its
 * length is a prime, so that it shares no period with anything else in a loop.
 */
#ifndef NSLAB_WORKLOADS_SIZES_H
#define NSLAB_WORKLOADS_SIZES_H

#include "core/rng.h"
#include "workloads/common.h"

#include <stdio.h>

#define NSLAB_SIZES_MIN	    8	 /* bytes: every object gets an 8-byte store */
#define NSLAB_SIZES_MAX	    8192 /* bytes: the largest class */
#define NSLAB_SIZES_CLASSES 13
#define NSLAB_NR_DRAWS	    4093 /* in a table; a prime */

/* Rows for smallest and largest size; the fields are int64_t min_size, max_size. */
#define NSLAB_MIN_SIZE_ROW(params, bytes)                                                          \
 {                                                                                                 \
  .name = "min_size", .type = NSLAB_PARAM_INT, .offset = offsetof(struct params, min_size),        \
  .def = bytes, .min = NSLAB_SIZES_MIN, .max = NSLAB_SIZES_MAX,                                    \
  .help = "bytes of the smallest object"                                                           \
 }
#define NSLAB_MAX_SIZE_ROW(params, bytes)                                                          \
 {                                                                                                 \
  .name = "max_size", .type = NSLAB_PARAM_INT, .offset = offsetof(struct params, max_size),        \
  .def = bytes, .min = NSLAB_SIZES_MIN, .max = NSLAB_SIZES_MAX,                                    \
  .help = "bytes of the largest object"                                                            \
 }

/* One type for each class that is used; `s` of the others is NULL. */
struct nslab_sizes {
	struct nslab_object_type types[NSLAB_SIZES_CLASSES];
};

/* An object and what freeing it takes. */
struct nslab_sized {
	void *obj;
	uint32_t draw;
};

enum nslab_law {
	NSLAB_LAW_UNIFORM,
	/* power law, density 1 / size^2 between the bounds: half of them below twice the least */
	NSLAB_LAW_POWER
};

static const uint16_t nslab_sizes_of_class[NSLAB_SIZES_CLASSES] = {
	8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192,
};

/* Class of a size in 8 .. 8192 bytes. Off the clock. */
static inline unsigned nslab_sizes_class(size_t size_bytes)
{
	unsigned c = 0;

	while (nslab_sizes_of_class[c] < size_bytes)
		c++;
	return c;
}

/* ---- types ---- */

static inline void nslab_sizes_exit(struct nslab_sizes *sizes)
{
	for (unsigned c = 0; c < NSLAB_SIZES_CLASSES; c++)
		nslab_object_exit(&sizes->types[c]);
}

/*
 * In setup, *sizes zeroed: types "NAME-64" for all classes that sizes of min to max bytes need.
 * 0; -EINVAL when the bounds are no range of 8 .. 8192; -ENOMEM or the backend's error, after which
 * nslab_sizes_exit() is right as well.
 */
static inline int nslab_sizes_init(struct nslab_run *run, const char *name, int64_t min,
				   int64_t max, struct nslab_sizes *sizes)
{
	char full[NSLAB_NAME_MAX];
	int rc = 0;

	if (min < NSLAB_SIZES_MIN || min > max || max > NSLAB_SIZES_MAX)
		return -EINVAL;
	for (unsigned c = nslab_sizes_class((size_t)min);
	     !rc && c <= nslab_sizes_class((size_t)max); c++) {
		snprintf(full, sizeof(full), "%s-%u", name, (unsigned)nslab_sizes_of_class[c]);
		rc = nslab_object_init(run, full, nslab_sizes_of_class[c], &sizes->types[c]);
	}
	return rc;
}

/* The worker's own copy, see nslab_object_type_copy(); *to zeroed. */
static inline int nslab_sizes_copy(const struct nslab_sizes *from, struct nslab_sizes *to)
{
	int rc = 0;

	for (unsigned c = 0; !rc && c < NSLAB_SIZES_CLASSES; c++) {
		if (from->types[c].size_bytes)
			rc = nslab_object_type_copy(&from->types[c], &to->types[c]);
	}
	return rc;
}

/* ---- draws ---- */

static inline uint32_t nslab_draw_of(size_t size_bytes)
{
	return (uint32_t)size_bytes | nslab_sizes_class(size_bytes) << 24;
}

static inline size_t nslab_draw_size(uint32_t draw)
{
	return draw & 0xffffff;
}

static inline unsigned nslab_draw_class(uint32_t draw)
{
	return draw >> 24;
}

static inline size_t nslab_law_size(enum nslab_law law, uint32_t min, uint32_t max, uint64_t *rng)
{
	uint64_t part;

	if (law == NSLAB_LAW_UNIFORM)
		return min + nslab_rng_below(rng, max - min + 1);
	/* the inverse of its distribution: min max / (max - u (max - min)), u in [0, 1) */
	part = ((nslab_rng_next(rng) >> 32) * (max - min)) >> 32;
	return (uint64_t)min * max / (max - part);
}

/* NSLAB_NR_DRAWS of sizes of min to max bytes, or NULL; the caller's to free(). */
static inline uint32_t *nslab_draws_create(enum nslab_law law, int64_t min, int64_t max,
					   uint64_t seed)
{
	uint32_t *draws = nslab_apart_alloc(NSLAB_NR_DRAWS * sizeof(*draws));

	for (size_t i = 0; draws && i < NSLAB_NR_DRAWS; i++)
		draws[i] = nslab_draw_of(nslab_law_size(law, (uint32_t)min, (uint32_t)max, &seed));
	return draws;
}

/* Position after `pos` in a table of nr. */
static inline size_t nslab_draws_next(size_t pos, size_t nr)
{
	return pos + 1 == nr ? 0 : pos + 1;
}

/* ---- one object ---- */

/* False when memory is out; slot->obj is NULL then. */
static inline __attribute__((always_inline)) bool
nslab_sized_alloc(struct nslab_cpu *cpu, const struct nslab_sizes *sizes, uint32_t draw,
		  struct nslab_sized *slot, const enum nslab_entry entry)
{
	const struct nslab_object_type *of_class = &sizes->types[nslab_draw_class(draw)];
	const struct nslab_object_type type = {.size_bytes = nslab_draw_size(draw),
					       .s = of_class->s,
					       .scratch = of_class->scratch};

	slot->obj = nslab_object_alloc(cpu, &type, entry);
	slot->draw = draw;
	return slot->obj != NULL;
}

static inline __attribute__((always_inline)) void nslab_sized_free(struct nslab_cpu *cpu,
								   const struct nslab_sizes *sizes,
								   const struct nslab_sized *slot,
								   const enum nslab_entry entry)
{
	nslab_object_free(cpu, &sizes->types[nslab_draw_class(slot->draw)], slot->obj, entry);
}

#endif
