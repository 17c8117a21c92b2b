/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * faulty.c: the example plug-in with one thing broken, which the suite must name.
 *
 * Compiled once for each fault: FAULT_OVERLAP hands out objects closer than they are large,
 * FAULT_LEAK asks for a page with each cache and forgets it, FAULT_ALIGN ignores what a cache asks
 * for, FAULT_CRASH writes through NULL when memory is to be cleared, FAULT_DIE whenever it is asked
 * for an object, where FAULT_HANG loops for ever, FAULT_EAT takes a MiB more each time and
 * FAULT_SCRIBBLE writes behind the object. Everything else is the
 * example's own code, included here, so that nothing but the fault can be what is found.
 */
#include <stdlib.h>
#include <string.h>

#define NSLAB_PLUGIN_SYMBOL faulty_original
#include "bump.c"

#undef NSLAB_PLUGIN_SYMBOL
#define NSLAB_PLUGIN_SYMBOL nslab_plugin

static int faulty_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
			       struct kmem_cache **s)
{
	struct nslab_cache_spec changed = *spec;
	int rc;

#ifdef FAULT_ALIGN
	changed.align = 0;
	changed.flags &= ~SLAB_HWCACHE_ALIGN;
#endif
#ifdef FAULT_LEAK
	if (!heap->env->alloc_pages(heap->env, NULL, 0, GFP_KERNEL, 0))
		return -ENOMEM;
#endif
	rc = bump_cache_create(heap, &changed, s);
#ifdef FAULT_OVERLAP
	/* half an object from one to the next, where the alignment leaves room for that */
	if (!rc && (*s)->object_size >= 2 * (*s)->align)
		(*s)->size = (*s)->object_size / 2 / (*s)->align * (*s)->align;
#endif
	return rc;
}

static void *faulty_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node)
{
#ifdef FAULT_EAT
	char *eaten = malloc(1 << 20);

	if (!eaten)
		return NULL;
	memset(eaten, 1, 1 << 20);
	__asm__ volatile("" : : "r"(eaten) : "memory"); /* else the memory is never touched */
#endif
#ifdef FAULT_SCRIBBLE
	char *object = bump_alloc(cpu, s, gfp, node);

	if (object)
		memset(object + s->size, 0x55, 8);
	return object;
#endif
#ifdef FAULT_DIE
	*(volatile char *)NULL = 0;
#endif
#ifdef FAULT_HANG
	for (volatile bool is_stuck = true; is_stuck;)
		;
#endif
#ifdef FAULT_CRASH
	if (gfp & __GFP_ZERO)
		*(volatile char *)NULL = 0;
#endif
	return bump_alloc(cpu, s, gfp, node);
}

static const struct nslab_allocator_ops faulty_ops = {
	.name = "faulty",
	.summary = "the example plug-in with one thing broken",
	.models = "-",
	.caps = NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_CACHE | NSLAB_CAP_CTOR | NSLAB_CAP_PAGES,
	.open = bump_open,
	.close = bump_close,
	.cpu_online = bump_cpu_online,
	.cpu_offline = bump_cpu_offline,
	.cache_create = faulty_cache_create,
	.cache_destroy = bump_cache_destroy,
	.alloc = faulty_alloc,
	.free = bump_free,
	.quiesce = bump_quiesce,
};
NSLAB_ALLOCATOR_PLUGIN(faulty_ops);
