// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub_create.c: how a cache of the SLUB models comes into being.
 *
 * The spec, the heap's parameters and the rules of the generation give the layout of an object, the
 * order of its slabs and what CPUs and nodes keep (slub_shape). If an existing cache serves as well
 * the new one becomes its alias (slub_merge.c); else it gets node structures, a number, which says
 * which slot of which chunk is its own in every CPU handle, and its secrets. Slots of a number that
 * no cache has belong to the control side, which clears their counts when the number is given out
 * again. Caches with sheaves in front of cpu slabs, and hardened ones, have two numbers: the fast
 * path finds the first slot empty and leaves. Debug caches never use their slot but for counting.
 * Left out: the window for copies from user space, and per-object accounting.
 */
#include "allocators/slub_control.h"

/* The order that the rule gives, or the one that was asked for; or -errno. */
static int slub_order(const struct slub_heap *h, const struct nslab_cache_spec *spec, size_t size)
{
	const struct slub_params *p = &h->params;
	struct nslab_order_knobs knobs = {
		.min_order = (unsigned)p->slab_min_order,
		.max_order = (unsigned)p->slab_max_order,
		.min_objects = p->slab_min_objects < 0 ? 0 : (unsigned)p->slab_min_objects,
	};
	unsigned least = nslab_order_of(size);
	unsigned order;

	if (least > NSLAB_MAX_ORDER)
		return -E2BIG;
	if (spec->order >= 0) {
		order = (unsigned)spec->order;
		if (order < least)
			return -E2BIG;
		if (nslab_order_objects(size, order) > NSLAB_ORDER_OBJECTS_MAX)
			return -ERANGE;
		return spec->order;
	}
	if (p->order < 0 && p->generation == SLUB_6_1)
		return nslab_order_old(size, &knobs, h->base.env->arena->nr_cpus);
	if (p->order < 0)
		return nslab_order_new(size, &knobs, h->base.env->arena->nr_cpus);
	order = nslab_order_max((unsigned)p->order, least);
	while (nslab_order_objects(size, order) > NSLAB_ORDER_OBJECTS_MAX)
		order--;
	return (int)order;
}

static unsigned slub_choose(int asked, int64_t param, unsigned rule)
{
	if (asked >= 0)
		return (unsigned)asked;
	return param >= 0 ? (unsigned)param : rule;
}

/* Objects in a sheaf; 0 for none, as in debug caches. */
static unsigned slub_sheaf_capacity(const struct slub_params *p,
				    const struct nslab_cache_spec *spec, const struct slub_cache *s)
{
	unsigned least = p->generation == SLUB_7_0 ? sheaves_default_capacity(s->base.size) : 0;
	unsigned asked = slub_choose(spec->sheaf_capacity > 0 ? spec->sheaf_capacity : NSLAB_AUTO,
				     p->sheaf_capacity, 0);

	if (p->generation < SLUB_6_18 || s->debug_flags)
		return 0;
	if (asked > SHEAVES_MAX_CAPACITY)
		asked = SHEAVES_MAX_CAPACITY;
	return asked > least ? asked : least;
}

static void slub_shape_sheaves(const struct slub_heap *h, const struct nslab_cache_spec *spec,
			       const struct sheaves_source *source, struct slub_cache *s)
{
	const struct slub_params *p = &h->params;

	s->generation = (unsigned)p->generation;
	s->sheaves.source = source;
	s->sheaves.capacity = slub_sheaf_capacity(p, spec, s);
	s->sheaves.max_full = SLUB_MAX_SHEAVES;
	s->sheaves.max_empty = SLUB_MAX_SHEAVES;
	s->sheaves.remote_bypass = true;
	if (s->generation == SLUB_7_0) {
		s->sheaves.max_full = (unsigned)p->max_full;
		s->sheaves.max_empty = (unsigned)p->max_empty;
		s->sheaves.remote_bypass = p->remote_bypass;
		s->sheaves.refill_when_nonblocking = p->refill_when_nonblocking;
		s->sheaves.remote_trylock = p->remote_trylock;
	}
}

static enum nslab_order_kernel slub_layout_kernel(const struct slub_params *p)
{
	return p->generation == SLUB_6_1    ? NSLAB_ORDER_6_1
	       : p->generation == SLUB_6_12 ? NSLAB_ORDER_6_12
					    : NSLAB_ORDER_6_18;
}

/* The layout of an object, with the debug options that the creator or slab_debug ask for. */
static int slub_lay_out(const struct slub_heap *h, const struct nslab_cache_spec *spec,
			struct slub_cache *s)
{
	struct nslab_layout_rule rule = {
		.kernel = slub_layout_kernel(&h->params),
		.object_size = spec->object_size,
		.align = spec->align,
		.flags = spec->flags,
		.has_ctor = spec->ctor,
	};
	bool may_grow = true;
	unsigned flags = 0;
	int rc = slub_debug_parse(h->params.slab_debug, spec->name, &flags, &may_grow);

	if (rc)
		return rc;
	rule.flags |= flags;
	nslab_object_layout(&rule, &s->layout);
	if (!may_grow && nslab_order_of(s->layout.size) > nslab_order_of(spec->object_size)) {
		rule.flags &= ~(SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER);
		nslab_object_layout(&rule, &s->layout);
	}
	s->debug_flags = rule.flags & SLUB_DEBUG_FLAGS;
	return 0;
}

/* What the rules make of the spec, without slots and lists. */
static int slub_shape(const struct slub_heap *h, const struct nslab_cache_spec *spec,
		      const struct sheaves_source *source, struct slub_cache *s)
{
	const struct slub_params *p = &h->params;
	int rc = slub_lay_out(h, spec, s), order;
	unsigned kept;

	if (rc)
		return rc;
	order = slub_order(h, spec, s->layout.size);
	if (order < 0)
		return order;
	s->base.size = s->layout.size;
	s->base.align = s->layout.align;
	s->base.flags = spec->flags | s->debug_flags;
	s->base.ctor = spec->ctor;
	s->base.order = (unsigned)order;
	s->base.objects = (unsigned)nslab_order_objects(s->layout.size, s->base.order);
	s->offset = s->layout.offset;
	s->min_order = nslab_order_of(s->layout.size);
	s->min_partial = slub_choose(spec->min_partial, p->min_partial,
				     nslab_order_min_partial(s->layout.size));
	kept = slub_choose(spec->cpu_partial, p->cpu_partial,
			   nslab_order_cpu_partial(s->layout.size));
	kept = s->debug_flags ? 0 : kept;
	s->cpu_partial_slabs = nslab_order_cpu_partial_slabs(kept, s->base.objects);
	s->defrag_ratio = (unsigned)p->remote_node_defrag_ratio * 10;
	s->is_hardened = p->hardened;
	slub_shape_sheaves(h, spec, source, s);
	return 0;
}

/* Takes the lowest free number; its slots in live handles start anew. */
static int slub_take_number(struct slub_heap *h, unsigned *chunk, unsigned *offset)
{
	unsigned number = 0;

	while (number < SLUB_MAX_CACHES && (h->used_slots[number / 64] >> number % 64 & 1))
		number++;
	if (number == SLUB_MAX_CACHES)
		return -ENOSPC;
	h->used_slots[number / 64] |= UINT64_C(1) << number % 64;
	*chunk = number / SLUB_CHUNK_SLOTS;
	*offset = (unsigned)(number % SLUB_CHUNK_SLOTS * sizeof(struct slub_cpu_slab));
	nslab_list_for_each (pos, &h->base.cpus) {
		struct slub_cpu_slab *slot = slub_seen(pos, *chunk, *offset);

		if (slot) {
			memset(slot->count, 0, sizeof(slot->count));
			slot->tid = (uint64_t)nslab_list_entry(pos, struct nslab_cpu, link)->id;
			sheaves_retire_slot(h->base.env, slot);
		}
	}
	return 0;
}

static void slub_put_number(struct slub_heap *h, unsigned chunk, unsigned offset)
{
	unsigned number =
		chunk * SLUB_CHUNK_SLOTS + (unsigned)(offset / sizeof(struct slub_cpu_slab));

	h->used_slots[number / 64] &= ~(UINT64_C(1) << number % 64);
}

/* One slot, or two when the first is not to have the cpu slab. */
static int slub_take_slots(struct slub_heap *h, struct slub_cache *s)
{
	int rc = slub_take_number(h, &s->chunk, &s->slot_offset);

	s->inner_chunk = s->chunk;
	s->inner_offset = s->slot_offset;
	if (rc || s->generation == SLUB_7_0 || !(s->sheaves.capacity || s->is_hardened))
		return rc;
	rc = slub_take_number(h, &s->inner_chunk, &s->inner_offset);
	if (rc)
		slub_put_number(h, s->chunk, s->slot_offset);
	return rc;
}

static void slub_put_slots(struct slub_heap *h, struct slub_cache *s)
{
	nslab_list_for_each (pos, &h->base.cpus) {
		struct slub_cpu_slab *slot = slub_outer_slot_seen(pos, s);

		if (slot)
			sheaves_retire_slot(h->base.env, slot);
	}
	slub_put_number(h, s->chunk, s->slot_offset);
	slub_put_number(h, s->inner_chunk, s->inner_offset);
}

size_t slub_cache_bytes(const struct nslab_env *env)
{
	return sizeof(struct slub_cache) +
	       (size_t)env->arena->nr_nodes * sizeof(struct slub_node *);
}

static size_t slub_sequence_bytes(const struct slub_cache *s)
{
	return s->base.objects * sizeof(*s->sequence);
}

static void slub_free_cache(const struct nslab_env *env, struct slub_cache *s)
{
	if (s->sequence)
		env->free_meta(env, s->sequence, slub_sequence_bytes(s));
	for (int i = 0; i < env->arena->nr_nodes; i++) {
		if (s->node[i])
			env->free_meta(env, s->node[i], sizeof(*s->node[i]));
	}
	env->free_meta(env, s, slub_cache_bytes(env));
}

/* The cache with its node structures, each in its own node's memory. */
static struct slub_cache *slub_alloc_cache(const struct nslab_env *env)
{
	struct slub_cache *s = env->alloc_meta(env, slub_cache_bytes(env), NUMA_NO_NODE);

	if (!s)
		return NULL;
	s->root = s;
	s->nr_users = 1;
	nslab_list_init(&s->aliases);
	for (int i = 0; i < env->arena->nr_nodes; i++) {
		struct slub_node *n = env->alloc_meta(env, sizeof(*n), i);

		if (!n) {
			slub_free_cache(env, s);
			return NULL;
		}
		nslab_lock_init(&n->list_lock, NSLAB_RANK_NODE);
		nslab_list_init(&n->partial);
		nslab_list_init(&n->full);
		sheaves_barn_init(&n->barn);
		s->node[i] = n;
	}
	return s;
}

/* A permutation of the objects of a slab; slabs begin it anywhere. */
static int slub_make_sequence(const struct slub_heap *h, struct slub_cache *s, uint64_t *rng)
{
	const struct nslab_env *env = h->base.env;
	unsigned nr = s->base.objects;

	if (!h->params.random || nr < 2)
		return 0;
	s->sequence = env->alloc_meta(env, slub_sequence_bytes(s), NUMA_NO_NODE);
	if (!s->sequence)
		return -ENOMEM;
	for (unsigned i = 0; i < nr; i++) {
		unsigned at = (unsigned)nslab_rng_below(rng, i + 1);

		s->sequence[i] = s->sequence[at];
		s->sequence[at] = (uint16_t)i;
	}
	return 0;
}

/* Draws what hardening and randomisation want; each cache has its own numbers. */
static int slub_draw(const struct slub_heap *h, struct slub_cache *s)
{
	uint64_t rng = nslab_rng_mix(h->base.env->seed,
				     s->inner_chunk * UINT64_C(0x10000) + s->inner_offset + 1);

	s->secret = s->is_hardened ? nslab_rng_next(&rng) : 0;
	return slub_make_sequence(h, s, &rng);
}

void slub_cache_free(struct slub_heap *h, struct slub_cache *s)
{
	nslab_list_del(&s->root_link);
	slub_put_slots(h, s);
	slub_free_cache(h->base.env, s);
}

/* A cache with slabs of its own. */
static int slub_root_create(struct slub_heap *h, const struct nslab_cache_spec *spec,
			    struct slub_cache *s)
{
	const struct kmem_cache shape = s->base;
	int rc = slub_take_slots(h, s);

	if (rc)
		return rc;
	rc = slub_draw(h, s);
	if (!rc)
		rc = nslab_cache_init(&s->base, &h->base, spec);
	if (rc) {
		slub_put_slots(h, s);
		return rc;
	}
	s->base.size = shape.size;
	s->base.align = shape.align;
	s->base.flags = shape.flags;
	s->base.order = shape.order;
	s->base.objects = shape.objects;
	nslab_list_add_tail(&s->root_link, &h->roots);
	return 0;
}

int slub_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
		      const struct sheaves_source *source, struct kmem_cache **cache)
{
	struct slub_heap *h = nslab_container_of(heap, struct slub_heap, base);
	struct slub_cache *s, *root;
	int rc = nslab_spec_check(spec);

	if (rc)
		return rc;
	s = slub_alloc_cache(heap->env);
	if (!s)
		return -ENOMEM;
	rc = slub_shape(h, spec, source, s);
	if (rc)
		goto out_free;
	root = slub_find_mergeable(h, s);
	if (root) {
		rc = slub_alias_create(root, spec, s->layout.align, cache);
		goto out_free;
	}
	rc = slub_root_create(h, spec, s);
	if (rc)
		goto out_free;
	*cache = &s->base;
	return 0;
out_free:
	slub_free_cache(heap->env, s);
	return rc;
}
