/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slub_control.h: what the control calls of the SLUB models share: slots that are only looked at,
 * and the calls that both plug-ins have in their tables.
 */
#ifndef NSLAB_SLUB_CONTROL_H
#define NSLAB_SLUB_CONTROL_H

#include "allocators/slub_slab.h"

extern const struct nslab_param slub_param_rows[], sheaves_param_rows[];
extern const struct slub_params slub_default_params;

/* 0, or -EINVAL after a report when slab_debug is none. */
int slub_debug_check_text(const struct nslab_env *env, const struct slub_params *params);
/* What slab_debug says of a cache of that name. -EINVAL for a text that is none. */
int slub_debug_parse(const char *text, const char *name, unsigned *flags, bool *may_grow);

static inline struct slub_chunk *slub_chunk_of(const struct slub_cpu *cpu, unsigned number)
{
	/* pairs with the release in slub_make_chunk */
	return __atomic_load_n(&cpu->chunk[number], __ATOMIC_ACQUIRE);
}

static inline struct slub_cpu_slab *slub_seen(const struct nslab_list *link, unsigned chunk_number,
					      unsigned offset)
{
	struct nslab_cpu *base = nslab_list_entry(link, struct nslab_cpu, link);
	struct slub_chunk *chunk = slub_chunk_of(slub_cpu_of(base), chunk_number);

	return chunk == &slub_no_chunk ? NULL : (struct slub_cpu_slab *)((char *)chunk + offset);
}

/* The slot with the cpu slab, for reading; or NULL when the CPU never used the cache. */
static inline struct slub_cpu_slab *slub_slot_seen(const struct nslab_list *link,
						   const struct slub_cache *s)
{
	return slub_seen(link, s->inner_chunk, s->inner_offset);
}

/* The one with the sheaves. */
static inline struct slub_cpu_slab *slub_outer_slot_seen(const struct nslab_list *link,
							 const struct slub_cache *s)
{
	return slub_seen(link, s->chunk, s->slot_offset);
}

static inline bool slub_has_two_slots(const struct slub_cache *s)
{
	return s->chunk != s->inner_chunk || s->slot_offset != s->inner_offset;
}

/* ---- in slub_control.c ---- */

/* `least` is the generation when params say nothing; SLUB_7_0 is never chosen by them. */
int slub_open(const struct nslab_env *env, const void *params, enum slub_generation least,
	      struct nslab_heap **heap);
void slub_close(struct nslab_heap *heap);
int slub_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu);
void slub_cpu_offline(struct nslab_cpu *cpu);
int slub_cache_destroy(struct kmem_cache *s);
size_t slub_cache_shrink(struct kmem_cache *s);
int slub_cache_validate(struct kmem_cache *s);
void slub_cache_stats(struct kmem_cache *s, struct nslab_cache_stats *stats);

/* ---- in slub_create.c ---- */

int slub_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
		      const struct sheaves_source *source, struct kmem_cache **s);
/* The last step of its life: everything of it that is not slabs. */
void slub_cache_free(struct slub_heap *h, struct slub_cache *s);
size_t slub_cache_bytes(const struct nslab_env *env);

/* ---- in slub_merge.c ---- */

/* The oldest cache that can serve `s`, which is shaped but has no slots yet, as well; or NULL. */
struct slub_cache *slub_find_mergeable(struct slub_heap *h, const struct slub_cache *s);
int slub_alias_create(struct slub_cache *root, const struct nslab_cache_spec *spec, unsigned align,
		      struct kmem_cache **cache);
/* One user less; false when it was the last, whose slabs have to go first. */
bool slub_drop_user(struct slub_heap *h, struct slub_cache *s);

#endif
