/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slab_order.h: the rules of SLAB (Linux 6.1 mm/slab.c): order, place of the index, array sizes.
 *
 * Pure functions in the modelled page of 4096 bytes. A slab's free objects are named by an array of
 * indexes; where that array lies decides how many objects fit, so order and place are found
 * together. Indexes have one byte, which limits a slab to 255 objects; an order that is forced from
 * outside may need two bytes, as kernels with larger pages have.
 */
#ifndef NSLAB_SLAB_ORDER_H
#define NSLAB_SLAB_ORDER_H

#include "allocators/common/kmalloc.h"

#include <errno.h>
#include <numaslab/allocator.h>

#define NSLAB_SLAB_MIN_SIZE	16u    /* bytes from one object to the next */
#define NSLAB_SLAB_BYTE_OBJECTS 255u   /* in a slab whose indexes have one byte */
#define NSLAB_SLAB_MAX_OBJECTS	65535u /* the same, two bytes */
#define NSLAB_SLAB_MIN_CLASS	2u     /* kmalloc has no class below this one: 32 bytes */
#define NSLAB_SLAB_ALIEN_LIMIT	12u    /* objects on their way to another node */
#define NSLAB_SLAB_IDLE_BATCH	16u    /* refill of an array not used since the last reap */

enum nslab_slab_index {
	NSLAB_SLAB_IN_OBJECT, /* in an object that is free itself */
	NSLAB_SLAB_OFF_SLAB,  /* in an object of kmalloc */
	NSLAB_SLAB_ON_SLAB,   /* behind the last object */
};

struct nslab_slab_shape {
	unsigned order;
	unsigned objects;
	unsigned index_bytes; /* of one index: 1 or 2 */
	unsigned left_bytes;  /* of the slab that nobody uses */
	enum nslab_slab_index index;
};

/* What decides the shape of a cache's slabs. */
struct nslab_slab_rule {
	size_t size; /* from one object to the next */
	size_t object_size;
	unsigned flags;	    /* SLAB_* */
	bool has_ctor;	    /* objects keep their contents while they are free */
	unsigned max_order; /* slab_max_order: no more search above it; 1, or 0 up to 32 MiB of RAM
			     */
	int order;	    /* that is forced, or NSLAB_AUTO */
};

/* ---- arrays ---- */

struct nslab_slab_tuning {
	unsigned limit;	     /* objects in a CPU's array */
	unsigned batchcount; /* that move at once */
	unsigned shared;     /* batches in a node's shared array */
};

static inline void nslab_slab_tune(size_t size, int nr_cpus, struct nslab_slab_tuning *tuning)
{
	if (size > 131072)
		tuning->limit = 1;
	else if (size > NSLAB_PAGE_SIZE)
		tuning->limit = 8;
	else if (size > 1024)
		tuning->limit = 24;
	else if (size > 256)
		tuning->limit = 54;
	else
		tuning->limit = 120;
	tuning->batchcount = (tuning->limit + 1) / 2;
	tuning->shared = size <= NSLAB_PAGE_SIZE && nr_cpus > 1 ? 8 : 0;
}

/* Free objects that a node may hold in slabs before it gives empty slabs back. */
static inline uint64_t nslab_slab_free_limit(unsigned nr_cpus_of_node, unsigned batchcount,
					     unsigned objects)
{
	return (uint64_t)(1 + nr_cpus_of_node) * batchcount + objects;
}

/* Objects that one reap takes out of an array that was not used. */
static inline unsigned nslab_slab_reap_objects(unsigned limit, unsigned avail)
{
	unsigned nr = (limit + 4) / 5;

	return nr > avail ? (avail + 1) / 2 : nr;
}

/* Empty slabs that one reap gives back from a node whose empty slabs were not used. */
static inline uint64_t nslab_slab_reap_slabs(uint64_t free_limit, unsigned objects)
{
	return (free_limit + 5 * (uint64_t)objects - 1) / (5 * (uint64_t)objects);
}

/* ---- order and place of the index ---- */

static inline size_t nslab_slab_stride(size_t object_size, size_t align)
{
	size_t least = object_size < NSLAB_SLAB_MIN_SIZE ? NSLAB_SLAB_MIN_SIZE : object_size;

	return (least + align - 1) & ~(align - 1);
}

static inline unsigned nslab_slab_class(size_t size_bytes)
{
	unsigned index = nslab_kmalloc_index(size_bytes);

	return index < NSLAB_SLAB_MIN_CLASS ? NSLAB_SLAB_MIN_CLASS : index;
}

/*
 * Is an index array outside worth its place? Its class of kmalloc may not be off-slab itself, which
 * holds by itself: without a constructor that would take an array larger than the object and at
 * the same time not larger than half of it.
 */
static inline bool nslab_slab_may_be_off(const struct nslab_slab_rule *rule, size_t array_bytes)
{
	return array_bytes <= NSLAB_KMALLOC_MAX_SIZE &&
	       nslab_kmalloc_class_size(nslab_slab_class(array_bytes)) <= rule->size / 2;
}

/* Objects in a slab of that order, for one width of the index. */
static inline size_t nslab_slab_objects(const struct nslab_slab_rule *rule, unsigned order,
					enum nslab_slab_index index, unsigned index_bytes)
{
	return (NSLAB_PAGE_SIZE << order) /
	       (rule->size + (index == NSLAB_SLAB_ON_SLAB ? index_bytes : 0));
}

/* Fills the shape that one order gives; false when it holds no object, or too many. */
static inline bool nslab_slab_try(const struct nslab_slab_rule *rule, unsigned order,
				  enum nslab_slab_index index, struct nslab_slab_shape *shape)
{
	unsigned width = 1, in_slab;
	size_t nr = nslab_slab_objects(rule, order, index, width);

	if (nr > NSLAB_SLAB_BYTE_OBJECTS && rule->order >= 0) {
		width = 2;
		nr = nslab_slab_objects(rule, order, index, width);
	}
	if (nr == 0 || nr > (width == 1 ? NSLAB_SLAB_BYTE_OBJECTS : NSLAB_SLAB_MAX_OBJECTS))
		return false;
	if (index == NSLAB_SLAB_OFF_SLAB && !nslab_slab_may_be_off(rule, nr * width))
		return false;
	in_slab = index == NSLAB_SLAB_ON_SLAB ? width : 0;
	shape->order = order;
	shape->objects = (unsigned)nr;
	shape->index_bytes = width;
	shape->left_bytes = (unsigned)((NSLAB_PAGE_SIZE << order) - nr * (rule->size + in_slab));
	shape->index = index;
	return true;
}

/* The order for one place of the index: the last that was acceptable, the first that is good. */
static inline bool nslab_slab_search(const struct nslab_slab_rule *rule,
				     enum nslab_slab_index index, struct nslab_slab_shape *shape)
{
	bool is_found = false;

	if (rule->order >= 0)
		return nslab_slab_try(rule, (unsigned)rule->order, index, shape);
	for (unsigned order = 0; order <= NSLAB_MAX_ORDER; order++) {
		if (nslab_slab_objects(rule, order, index, 1) > NSLAB_SLAB_BYTE_OBJECTS)
			break;
		if (!nslab_slab_try(rule, order, index, shape))
			continue;
		is_found = true;
		if ((rule->flags & SLAB_RECLAIM_ACCOUNT) || order >= rule->max_order ||
		    shape->left_bytes * 8 <= NSLAB_PAGE_SIZE << order)
			break;
	}
	return is_found;
}

/* 0, or -E2BIG when no order holds an object; -ERANGE when the forced one holds too many. */
static inline int nslab_slab_shape(const struct nslab_slab_rule *rule,
				   struct nslab_slab_shape *shape)
{
	bool is_kept = rule->has_ctor || (rule->flags & SLAB_TYPESAFE_BY_RCU);

	if (!is_kept && nslab_slab_search(rule, NSLAB_SLAB_IN_OBJECT, shape) &&
	    shape->objects * shape->index_bytes <= rule->object_size)
		return 0;
	/* what is left over could hold the array for nothing: then it goes there */
	if (nslab_slab_search(rule, NSLAB_SLAB_OFF_SLAB, shape) &&
	    shape->left_bytes < shape->objects * shape->index_bytes)
		return 0;
	if (nslab_slab_search(rule, NSLAB_SLAB_ON_SLAB, shape))
		return 0;
	if (rule->order >= 0 && NSLAB_PAGE_SIZE << rule->order >= rule->size + 2)
		return -ERANGE;
	return -E2BIG;
}

/* Bytes by which the objects of one slab may start later than those of the one before. */
static inline unsigned nslab_slab_colour_bytes(unsigned align)
{
	return align > NSLAB_CACHE_LINE ? align : NSLAB_CACHE_LINE;
}

#endif
