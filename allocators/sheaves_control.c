// SPDX-License-Identifier: GPL-2.0-only
/*
 * sheaves_control.c: what control calls do with sheaves: empty barns, count objects, check them.
 *
 * Barns are locked; the sheaves of a live handle are only read, and only where the contract asks
 * for quiesced handles. The sheaves of a slot are freed when its cache or its CPU is gone. Every
 * object in a sheaf must be the start of an object of a slab of the sheaf's cache; that none is in
 * two sheaves is not checked here but follows from the counts of a cache that has nothing live.
 *
 * Locks: barn lock (NSLAB_RANK_NODE), never with another.
 */
#include "allocators/slub_slab.h"

void sheaves_barn_init(struct sheaves_barn *barn)
{
	nslab_lock_init(&barn->lock, NSLAB_RANK_NODE);
	nslab_list_init(&barn->full);
	nslab_list_init(&barn->empty);
}

static void sheaves_free_shell(struct slub_cache *s, struct nslab_sheaf *sheaf)
{
	const struct nslab_env *env = s->base.heap->env;

	slub_count(s, NULL, NSLAB_STAT_SHEAF_FREE);
	env->free_meta(env, sheaf, sheaves_bytes(sheaf->capacity));
}

void sheaves_empty_barn(struct slub_cache *s, struct slub_node *n)
{
	struct nslab_list all;

	nslab_list_init(&all);
	nslab_lock_acquire(&n->barn.lock);
	nslab_list_splice_tail(&n->barn.full, &all);
	nslab_list_splice_tail(&n->barn.empty, &all);
	__atomic_store_n(&n->barn.nr_full, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&n->barn.nr_empty, 0, __ATOMIC_RELAXED);
	nslab_lock_release(&n->barn.lock);
	nslab_list_for_each_safe (pos, tmp, &all) {
		struct nslab_sheaf *sheaf = nslab_list_entry(pos, struct nslab_sheaf, link);

		slub_count_many(s, NULL, NSLAB_STAT_SHEAF_FLUSH, sheaf->size);
		s->sheaves.source->give(NULL, s, sheaf->size, sheaf->objects);
		sheaves_free_shell(s, sheaf);
	}
}

void sheaves_retire_slot(const struct nslab_env *env, struct slub_cpu_slab *slot)
{
	struct nslab_sheaf *own[] = {slot->sheaves.main, slot->sheaves.spare,
				     slot->sheaves.rcu_free};

	__atomic_store_n(&slot->sheaves.lock, 1, __ATOMIC_RELAXED);
	if (!own[0] && !own[2])
		return; /* the owner may be looking at these words, on its way to others */
	for (int i = 0; i < 3; i++) {
		if (own[i])
			env->free_meta(env, own[i], sheaves_bytes(own[i]->capacity));
	}
	slot->sheaves.main = slot->sheaves.spare = slot->sheaves.rcu_free = NULL;
}

/* ---- counting ---- */

static uint64_t sheaves_size(const struct nslab_sheaf *sheaf)
{
	return sheaf ? sheaf->size : 0;
}

uint64_t sheaves_cpu_held(const struct slub_cpu_slab *slot)
{
	return sheaves_size(slot->sheaves.main) + sheaves_size(slot->sheaves.spare);
}

uint64_t sheaves_barn_held(struct slub_node *n)
{
	uint64_t nr = 0;

	nslab_lock_acquire(&n->barn.lock);
	nslab_list_for_each (pos, &n->barn.full)
		nr += sheaves_size(nslab_list_entry(pos, struct nslab_sheaf, link));
	nslab_lock_release(&n->barn.lock);
	return nr;
}

uint64_t sheaves_rcu_held(const struct slub_cpu *cpu, const struct slub_cache *s,
			  const struct slub_cpu_slab *slot)
{
	uint64_t nr = sheaves_size(slot->sheaves.rcu_free);

	nslab_list_for_each (pos, &cpu->rcu_sheaves) {
		const struct nslab_sheaf *sheaf = nslab_list_entry(pos, struct nslab_sheaf, link);

		if (sheaf->s == s)
			nr += sheaf->size;
	}
	return nr;
}

/* ---- validation ---- */

static int sheaves_complain(const struct slub_cache *s, const void *what, const char *text)
{
	const struct nslab_env *env = s->base.heap->env;

	env->report(env, "cache '%s': %p in a sheaf: %s", s->base.name, what, text);
	return 1;
}

static int sheaves_validate_object(const struct slub_cache *s, const void *obj)
{
	const struct nslab_env *env = s->base.heap->env;
	const struct nslab_page *page;
	uintptr_t at;

	if (!nslab_is_arena(env, obj))
		return sheaves_complain(s, obj, "is not memory of the arena");
	page = nslab_page_of(env, obj);
	if (page->s != &s->base || !(page->flags & NSLAB_PAGE_SLAB))
		return sheaves_complain(s, obj, "belongs to another cache");
	at = (uintptr_t)obj - (uintptr_t)nslab_page_address(env, page);
	if (at % s->base.size || at / s->base.size >= slub_objects(slub_page_counters(page)))
		return sheaves_complain(s, obj, "is not the start of an object");
	if (!slub_inuse(slub_page_counters(page)))
		return sheaves_complain(s, obj, "is free in its slab as well");
	return 0;
}

static int sheaves_validate(const struct slub_cache *s, const struct nslab_sheaf *sheaf)
{
	int nr_bad = 0;

	if (!sheaf)
		return 0;
	if (sheaf->s != s || sheaf->size > sheaf->capacity)
		return sheaves_complain(s, sheaf, "its header is corrupted");
	for (uint32_t i = 0; i < sheaf->size; i++)
		nr_bad += sheaves_validate_object(s, sheaf->objects[i]);
	return nr_bad;
}

int sheaves_validate_slot(const struct slub_cache *s, const struct slub_cpu_slab *slot)
{
	return sheaves_validate(s, slot->sheaves.main) + sheaves_validate(s, slot->sheaves.spare) +
	       sheaves_validate(s, slot->sheaves.rcu_free);
}

int sheaves_validate_barn(const struct slub_cache *s, struct slub_node *n)
{
	unsigned nr = 0;
	int nr_bad = 0;

	nslab_lock_acquire(&n->barn.lock);
	nslab_list_for_each (pos, &n->barn.full) {
		nr_bad += sheaves_validate(s, nslab_list_entry(pos, struct nslab_sheaf, link));
		nr++;
	}
	if (nr != n->barn.nr_full)
		nr_bad += sheaves_complain(s, &n->barn, "a barn's count of full sheaves is wrong");
	nslab_lock_release(&n->barn.lock);
	return nr_bad;
}
