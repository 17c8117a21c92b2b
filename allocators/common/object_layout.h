/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * object_layout.h: what surrounds one object in a slab of SLUB, with debug options and without.
 *
 * From low to high: left red zone, object, right red zone, free pointer (when it may not lie in the
 * object), records of the last allocation and the last free, the size that kmalloc was asked for,
 * padding. Offsets count from the object, not from its place in the slab, which begins red_left
 * bytes before. Pure functions of their arguments; the strides were compared with kernels that were
 * booted with all options on.
 */
#ifndef NSLAB_OBJECT_LAYOUT_H
#define NSLAB_OBJECT_LAYOUT_H

#include "allocators/common/order.h"

#define NSLAB_LAYOUT_WORD	 8u
#define NSLAB_LAYOUT_TRACK_BYTES 32u /* of one record: who, where, when */

/* What decides a layout. */
struct nslab_layout_rule {
	enum nslab_order_kernel kernel;
	size_t object_size, align;
	unsigned flags; /* SLAB_* */
	bool has_ctor;
};

struct nslab_object_layout {
	unsigned align;
	unsigned inuse;	 /* bytes up to the end of the right red zone */
	unsigned offset; /* of the free pointer */
	unsigned red_left;
	unsigned track;	   /* offset of two records; 0: there are none */
	unsigned request;  /* offset of the size that was asked for; 0: it is not kept */
	unsigned info_end; /* offset of the padding */
	unsigned size;	   /* from one object to the next */
};

static inline size_t nslab_layout_round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static inline size_t nslab_layout_align(size_t object_size, size_t align, unsigned flags)
{
	size_t line = NSLAB_CACHE_LINE;

	if (flags & SLAB_HWCACHE_ALIGN) {
		while (line > NSLAB_LAYOUT_WORD && object_size <= line / 2)
			line /= 2;
		align = align > line ? align : line;
	}
	return nslab_layout_round_up(align > NSLAB_LAYOUT_WORD ? align : NSLAB_LAYOUT_WORD,
				     NSLAB_LAYOUT_WORD);
}

/* Does the cache keep the size that each kmalloc asked for? */
static inline bool nslab_layout_keeps_request(unsigned flags)
{
	return (flags & SLAB_KMALLOC) && (flags & SLAB_STORE_USER);
}

/* Are the bytes between what was asked for and the object's end a red zone too? */
static inline bool nslab_layout_guards_request(enum nslab_order_kernel kernel, unsigned flags)
{
	return kernel != NSLAB_ORDER_6_1 && (flags & SLAB_RED_ZONE) &&
	       nslab_layout_keeps_request(flags);
}

/*
 * A free object's pointer to the next one lies in its middle, far from both neighbours, unless the
 * object must stay intact while it is free, or there is something to look at in it.
 */
static inline bool nslab_layout_is_pointer_outside(const struct nslab_layout_rule *rule)
{
	return rule->has_ctor || (rule->flags & (SLAB_TYPESAFE_BY_RCU | SLAB_POISON)) ||
	       ((rule->flags & SLAB_RED_ZONE) && rule->object_size < NSLAB_LAYOUT_WORD) ||
	       nslab_layout_guards_request(rule->kernel, rule->flags);
}

static inline void nslab_object_layout(const struct nslab_layout_rule *rule,
				       struct nslab_object_layout *layout)
{
	size_t word = NSLAB_LAYOUT_WORD;
	size_t align = nslab_layout_align(rule->object_size, rule->align, rule->flags);
	size_t at = nslab_layout_round_up(rule->object_size, word);
	bool has_zones = rule->flags & SLAB_RED_ZONE;

	*layout = (struct nslab_object_layout){.align = (unsigned)align};
	if (has_zones && at == rule->object_size)
		at += word;
	layout->inuse = (unsigned)at;
	layout->offset = (unsigned)(rule->object_size / 2 / word * word);
	if (nslab_layout_is_pointer_outside(rule)) {
		layout->offset = (unsigned)at;
		at += word;
	}
	if (rule->flags & SLAB_STORE_USER) {
		layout->track = (unsigned)at;
		at += 2 * NSLAB_LAYOUT_TRACK_BYTES;
	}
	if (nslab_layout_keeps_request(rule->flags)) {
		layout->request = (unsigned)at;
		at += rule->kernel == NSLAB_ORDER_6_1 ? word / 2 : word;
	}
	layout->info_end = (unsigned)at;
	if (has_zones) {
		layout->red_left = (unsigned)nslab_layout_round_up(word, align);
		at += word + layout->red_left;
	}
	layout->size = (unsigned)nslab_layout_round_up(at, align);
}

#endif
