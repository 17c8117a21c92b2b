/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * defaults.h: what stands in for the optional callbacks that a plug-in leaves out.
 *
 * The registry copies these into the table once at load. The default kmalloc runs on the caches
 * heap->kmalloc[]: whoever opens a heap whose table has nslab_allocator_defaults.kmalloc calls
 * nslab_kmalloc_caches_create() after it has filled heap->ops. The default kfree and ksize find an
 * object's cache in the head record of its page, so a backend that uses them sets `s` there and
 * NSLAB_PAGE_SLAB.
 */
#ifndef NSLAB_COMMON_DEFAULTS_H
#define NSLAB_COMMON_DEFAULTS_H

#include <numaslab/allocator.h>

extern const struct nslab_allocator_ops nslab_allocator_defaults;
extern const struct nslab_page_ops nslab_page_defaults;

/* The default kmalloc, in kmalloc.c; for the table of defaults. */
void *nslab_default_kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node);
void nslab_default_kfree(struct nslab_cpu *cpu, void *obj);
size_t nslab_default_ksize(struct nslab_cpu *cpu, const void *obj);
void *nslab_default_krealloc(struct nslab_cpu *cpu, void *obj, size_t size_bytes, gfp_t gfp);
size_t nslab_default_size_roundup(const struct nslab_heap *heap, size_t size_bytes);

/* True when heap's table takes kmalloc from the defaults, so that it needs the caches. */
bool nslab_kmalloc_is_default(const struct nslab_heap *heap);

/*
 * Creates kmalloc-8 .. kmalloc-8k and the same for the other types; on error none is left and the
 * error is returned. A backend that has no room for so many caches (-ENOSPC) goes without the
 * other types.
 */
int nslab_kmalloc_caches_create(struct nslab_heap *heap);

/*
 * The normal type alone, for a backend's own open(), when heap->ops is not filled yet. On error
 * those made so far stay in heap->kmalloc[] for the backend to undo.
 */
int nslab_kmalloc_caches_make(struct nslab_heap *heap,
			      int (*cache_create)(struct nslab_heap *heap,
						  const struct nslab_cache_spec *spec,
						  struct kmem_cache **s));

/*
 * Destroys those that exist. 0, or the first -EBUSY or -EAGAIN; a cache that could not be
 * destroyed stays, so the call may be repeated after the handles have quiesced.
 */
int nslab_kmalloc_caches_destroy(struct nslab_heap *heap);

/*
 * Large requests, for backends with a kmalloc of their own. The page must come from the first one.
 * heap->nr_large and nr_large_pages follow.
 */
void *nslab_kmalloc_large(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node);
void nslab_kfree_large(struct nslab_cpu *cpu, struct nslab_page *page);

#endif
