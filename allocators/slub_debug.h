/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slub_debug.h: checked objects: what slub_debug.c (bytes and reports) and slub_debug_path.c
 * (allocating and freeing) offer to the SLUB models.
 */
#ifndef NSLAB_SLUB_DEBUG_H
#define NSLAB_SLUB_DEBUG_H

#include "allocators/slub_slab.h"

/* The kernel's bytes. */
#define SLUB_BYTE_PAD	   0x5a /* around objects */
#define SLUB_BYTE_FREE	   0x6b /* in a free object */
#define SLUB_BYTE_END	   0xa5 /* the last one of it */
#define SLUB_BYTE_INACTIVE 0xbb /* red zone of a free object */
#define SLUB_BYTE_ACTIVE   0xcc

enum slub_track_kind {
	SLUB_TRACK_ALLOC,
	SLUB_TRACK_FREE
};

/* One record behind an object. */
struct slub_track {
	const void *site;
	uint64_t when; /* calls on the cache before it */
	int32_t cpu, node;
	uint64_t is_set;
};

_Static_assert(sizeof(struct slub_track) == NSLAB_LAYOUT_TRACK_BYTES, "as the layout rule says");

/* Who asks: a call on a debug cache. */
struct slub_debug_call {
	struct slub_cpu *cpu;
	struct slub_cache *s;
	struct slub_cpu_slab *slot;
	const void *site;
	size_t request_bytes; /* of kmalloc, else the object's */
	gfp_t gfp;
	int node;
};

/* ---- slub_debug.c; under list_lock of the slab's node, unless nobody else knows the slab ---- */

/* Fills a new slab, and one object of it. */
void slub_debug_fill_slab(const struct slub_cache *s, const struct nslab_page *page);
void slub_debug_fill(const struct slub_cache *s, uint64_t object, bool is_active);
void slub_debug_set_track(const struct slub_debug_call *call, uint64_t object,
			  enum slub_track_kind kind);
void slub_debug_set_request(const struct slub_cache *s, uint64_t object, size_t bytes);

/* Faults of one object, each reported and repaired. page NULL is not accepted. */
int slub_debug_check(const struct slub_cache *s, const struct nslab_page *page, uint64_t object,
		     bool is_active);
/* Does an object begin there? */
bool slub_debug_is_object(const struct slub_cache *s, const struct nslab_page *page,
			  uint64_t object);
/* Walks the freelist, cuts it where it is broken; *is_found: `object` is on it. */
int slub_debug_walk(struct slub_cache *s, struct nslab_page *page, uint64_t object, bool *is_found);
/* Everything in one slab. */
int slub_debug_validate(struct slub_cache *s, struct nslab_page *page);
/* A slab that goes back to the page layer. */
void slub_debug_discarded(struct slub_cache *s, struct nslab_page *page);
/* Notes of live objects when a cache should go. */
void slub_debug_tell_remaining(struct slub_cache *s);
/* One line about an object, or about a page when it is 0. */
void slub_debug_report(const struct slub_cache *s, const struct nslab_page *page, uint64_t object,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- slub_debug_path.c ---- */

void *slub_debug_alloc(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, int node,
		       const void *site);
size_t slub_debug_alloc_bulk(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, int node,
			     size_t nr, void **objs, const void *site);
void slub_debug_free(struct slub_cpu *cpu, struct slub_cache *s, void *obj, const void *site);
void slub_debug_free_bulk(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs,
			  const void *site);
/* Points a new handle to calls that look at a pointer before they follow it. */
void slub_debug_watch(struct slub_heap *h, struct nslab_cpu *cpu);

#endif
