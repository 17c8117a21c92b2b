// SPDX-License-Identifier: GPL-2.0-only
/*
 * sheaves_cpu.c: sheaves of a CPU, the barns of nodes, and objects that wait for a grace period.
 *
 * A sheaf is a stack of objects. A CPU has a main sheaf, from which and to which it works, and a
 * spare one; when main is empty (or full) it changes places with the spare, else with a full (an
 * empty) sheaf of the node's barn, else objects move between sheaf and slabs. A barn keeps at most
 * max_full full sheaves, so a CPU frees 2 * capacity + max_full * capacity objects before the first
 * goes to a slab. Objects freed after a grace period fill a sheaf of their own, which goes to the
 * barn as a whole when the period is over. Where objects come from and go to is behind struct
 * sheaves_source: cpu slabs (6.18) or the slabs of nodes (7.0).
 *
 * A flush request empties main and spare and frees them, so that a control call that destroys a
 * cache finds nothing of it in a live handle; the kernel keeps an empty main.
 *
 * Invariants. (1) An object in a sheaf is used as far as its slab knows. (2) While the local lock
 * is free, main exists. (3) A sheaf that is being filled or emptied through the source belongs to
 * no slot, or loses its objects before they are passed on: the source may serve a flush request,
 * which empties main and spare. (4) Objects that wait for a grace period are flushed by nobody
 * but sheaves_end_grace_period().
 *
 * Exclusion belongs to the handle, so the local lock never fails for its owner and the kernel's
 * races after it was dropped have no counterpart. The lock counts the operations of the fast path,
 * so that statistics cost it nothing. A prefilled sheaf counts as handed out. Left out: reserves
 * for emergencies, and the kmalloc caches that the kernel takes its sheaves from (here: metadata).
 *
 * Locks: barn lock (NSLAB_RANK_NODE), alone.
 */
#include "allocators/common/defaults.h"
#include "allocators/slub_slab.h"

/* ---- sheaves ---- */

static struct nslab_sheaf *sheaves_new(struct slub_cpu *cpu, struct slub_cache *s, size_t capacity)
{
	const struct nslab_env *env = s->base.heap->env;
	struct nslab_sheaf *sheaf = NULL;

	if (capacity <= UINT32_MAX)
		sheaf = env->alloc_meta(env, sheaves_bytes(capacity), cpu->base.node);
	if (!sheaf)
		return NULL;
	nslab_list_init(&sheaf->link);
	sheaf->s = s;
	sheaf->capacity = (uint32_t)capacity;
	slub_count(s, slub_own_outer_slot(cpu, s), NSLAB_STAT_SHEAF_ALLOC);
	return sheaf;
}

static void sheaves_delete(struct slub_cpu *cpu, struct nslab_sheaf *sheaf)
{
	const struct nslab_env *env = cpu->base.heap->env;

	slub_count(sheaf->s, slub_own_outer_slot(cpu, sheaf->s), NSLAB_STAT_SHEAF_FREE);
	env->free_meta(env, sheaf, sheaves_bytes(sheaf->capacity));
}

/* To slabs, in batches that have left the sheaf before they are passed on. */
static void sheaves_flush(struct slub_cpu *cpu, struct nslab_sheaf *sheaf)
{
	struct slub_cache *s = sheaf->s;

	slub_count_many(s, slub_own_outer_slot(cpu, s), NSLAB_STAT_SHEAF_FLUSH, sheaf->size);
	while (sheaf->size) {
		uint32_t nr = sheaf->size < SHEAVES_FLUSH_BATCH ? sheaf->size : SHEAVES_FLUSH_BATCH;
		void *objs[SHEAVES_FLUSH_BATCH];

		sheaf->size -= nr;
		memcpy(objs, &sheaf->objects[sheaf->size], nr * sizeof(void *));
		s->sheaves.source->give(cpu, s, nr, objs);
	}
}

static void sheaves_discard(struct slub_cpu *cpu, struct nslab_sheaf *sheaf)
{
	sheaves_flush(cpu, sheaf);
	sheaves_delete(cpu, sheaf);
}

/* Fills up to the sheaf's capacity; false when not all of it came. */
static bool sheaves_refill(struct slub_cpu *cpu, struct nslab_sheaf *sheaf, gfp_t gfp)
{
	struct slub_cache *s = sheaf->s;
	size_t want = sheaf->capacity - sheaf->size;
	size_t got = s->sheaves.source->take(cpu, s,
					     (gfp | __GFP_NOMEMALLOC | __GFP_NOWARN) & ~__GFP_ZERO,
					     want, &sheaf->objects[sheaf->size]);

	sheaf->size += (uint32_t)got;
	slub_count_many(s, slub_own_outer_slot(cpu, s), NSLAB_STAT_SHEAF_REFILL, got);
	return got == want;
}

/* ---- the barn ---- */

static struct sheaves_barn *sheaves_barn_of(const struct slub_cpu *cpu, const struct slub_cache *s)
{
	return &s->node[cpu->base.node]->barn;
}

static unsigned sheaves_nr(const unsigned *nr)
{
	return __atomic_load_n(nr, __ATOMIC_RELAXED);
}

static void sheaves_put(struct nslab_sheaf *sheaf, struct nslab_list *list, unsigned *nr)
{
	nslab_list_add(&sheaf->link, list);
	__atomic_store_n(nr, *nr + 1, __ATOMIC_RELAXED);
}

/* Under the lock; NULL when the list is empty. */
static struct nslab_sheaf *sheaves_get(struct nslab_list *list, unsigned *nr)
{
	struct nslab_sheaf *sheaf;

	if (nslab_list_is_empty(list))
		return NULL;
	sheaf = nslab_list_first(list, struct nslab_sheaf, link);
	nslab_list_del(&sheaf->link);
	__atomic_store_n(nr, *nr - 1, __ATOMIC_RELAXED);
	return sheaf;
}

static void sheaves_barn_put(struct sheaves_barn *barn, struct nslab_sheaf *sheaf)
{
	nslab_lock_acquire(&barn->lock);
	if (sheaf->size)
		sheaves_put(sheaf, &barn->full, &barn->nr_full);
	else
		sheaves_put(sheaf, &barn->empty, &barn->nr_empty);
	nslab_lock_release(&barn->lock);
}

static struct nslab_sheaf *sheaves_barn_get_empty(struct sheaves_barn *barn)
{
	struct nslab_sheaf *sheaf;

	if (!sheaves_nr(&barn->nr_empty))
		return NULL;
	nslab_lock_acquire(&barn->lock);
	sheaf = sheaves_get(&barn->empty, &barn->nr_empty);
	nslab_lock_release(&barn->lock);
	return sheaf;
}

/* A full sheaf for an empty one, or NULL and nothing changed. `empty` may be NULL. */
static struct nslab_sheaf *sheaves_barn_get_full(struct sheaves_barn *barn,
						 struct nslab_sheaf *empty)
{
	struct nslab_sheaf *full;

	if (!sheaves_nr(&barn->nr_full))
		return NULL;
	nslab_lock_acquire(&barn->lock);
	full = sheaves_get(&barn->full, &barn->nr_full);
	if (full && empty)
		sheaves_put(empty, &barn->empty, &barn->nr_empty);
	nslab_lock_release(&barn->lock);
	return full;
}

/* An empty sheaf for a full one: 0, -E2BIG (enough full ones) or -ENOMEM (no empty one). */
static int sheaves_barn_swap_full(struct slub_cache *s, struct sheaves_barn *barn,
				  struct nslab_sheaf *full, struct nslab_sheaf **empty)
{
	int rc = -E2BIG;

	if (sheaves_nr(&barn->nr_full) >= s->sheaves.max_full)
		return rc;
	nslab_lock_acquire(&barn->lock);
	if (barn->nr_full < s->sheaves.max_full) {
		*empty = sheaves_get(&barn->empty, &barn->nr_empty);
		rc = *empty ? 0 : -ENOMEM;
	}
	if (!rc)
		sheaves_put(full, &barn->full, &barn->nr_full);
	nslab_lock_release(&barn->lock);
	return rc;
}

/* An empty sheaf that nobody needs now. */
static void sheaves_put_shell(struct slub_cpu *cpu, struct nslab_sheaf *sheaf)
{
	struct sheaves_barn *barn = sheaves_barn_of(cpu, sheaf->s);

	if (sheaves_nr(&barn->nr_empty) < sheaf->s->sheaves.max_empty)
		sheaves_barn_put(barn, sheaf);
	else
		sheaves_delete(cpu, sheaf);
}

static struct nslab_sheaf *sheaves_get_empty(struct slub_cpu *cpu, struct slub_cache *s)
{
	struct nslab_sheaf *sheaf = sheaves_barn_get_empty(sheaves_barn_of(cpu, s));

	return sheaf ? sheaf : sheaves_new(cpu, s, s->sheaves.capacity);
}

/* ---- the CPU's own ---- */

static void sheaves_unlock(struct slub_cpu_slab *slot, uint64_t nr_ops)
{
	__atomic_store_n(&slot->sheaves.lock, (slot->sheaves.lock & ~UINT64_C(1)) + 2 * nr_ops,
			 __ATOMIC_RELAXED);
}

/* The slot, locked and with a main sheaf; NULL without memory for it. */
static struct slub_cpu_slab *sheaves_lock(struct slub_cpu *cpu, struct slub_cache *s)
{
	struct slub_cpu_slab *slot;

	slub_quiesce(&cpu->base);
	slot = slub_own_outer_slot(cpu, s);
	if (!slot)
		return NULL;
	if (!slot->sheaves.main) {
		slot->sheaves.main = sheaves_new(cpu, s, s->sheaves.capacity);
		if (!slot->sheaves.main)
			return NULL;
	} else if (slot->sheaves.lock & 1) {
		return NULL;
	}
	__atomic_store_n(&slot->sheaves.lock, slot->sheaves.lock | 1, __ATOMIC_RELAXED);
	return slot;
}

static void sheaves_swap(struct sheaves_cpu *own)
{
	struct nslab_sheaf *main = own->main;

	own->main = own->spare;
	own->spare = main;
}

/* Main is empty: is there another with objects at hand? */
static bool sheaves_find_full(struct slub_cpu *cpu, struct slub_cache *s,
			      struct slub_cpu_slab *slot)
{
	struct sheaves_cpu *own = &slot->sheaves;
	struct nslab_sheaf *full;

	if (own->spare && own->spare->size) {
		sheaves_swap(own);
		return true;
	}
	full = sheaves_barn_get_full(sheaves_barn_of(cpu, s), own->main);
	slub_count(s, slot, full ? NSLAB_STAT_BARN_GET : NSLAB_STAT_BARN_GET_FAIL);
	if (full)
		own->main = full;
	return full != NULL;
}

/* Main is empty and no other is at hand: one is filled from slabs. */
static bool sheaves_fill_main(struct slub_cpu *cpu, struct slub_cache *s,
			      struct slub_cpu_slab *slot, gfp_t gfp)
{
	struct sheaves_cpu *own = &slot->sheaves;
	struct nslab_sheaf *sheaf = own->spare;

	if (!s->sheaves.refill_when_nonblocking && !(gfp & __GFP_DIRECT_RECLAIM))
		return false;
	own->spare = NULL;
	if (!sheaf)
		sheaf = sheaves_get_empty(cpu, s);
	if (!sheaf)
		return false;
	if (!sheaves_refill(cpu, sheaf, gfp)) {
		sheaves_discard(cpu, sheaf);
		return false;
	}
	own->spare = own->main;
	own->main = sheaf;
	return true;
}

/* Main is full: makes room without slabs. 0, or what the barn said. */
static int sheaves_find_room(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot)
{
	struct sheaves_barn *barn = sheaves_barn_of(cpu, s);
	struct sheaves_cpu *own = &slot->sheaves;
	struct nslab_sheaf *empty;
	int rc;

	if (own->spare && own->spare->size < own->spare->capacity) {
		sheaves_swap(own);
		return 0;
	}
	if (!own->spare) {
		empty = sheaves_barn_get_empty(barn);
		if (!empty)
			return -ENOMEM;
		own->spare = own->main;
		own->main = empty;
		return 0;
	}
	rc = sheaves_barn_swap_full(s, barn, own->main, &empty);
	if (rc)
		return rc;
	slub_count(s, slot, NSLAB_STAT_BARN_PUT);
	own->main = empty;
	return 0;
}

/* Main is full, and the barn could not help. */
static void sheaves_make_room(struct slub_cpu *cpu, struct slub_cache *s,
			      struct slub_cpu_slab *slot, int why)
{
	struct sheaves_cpu *own = &slot->sheaves;
	struct nslab_sheaf *sheaf;

	if (why == -E2BIG) {
		slub_count(s, slot, NSLAB_STAT_BARN_PUT_FAIL);
		sheaf = own->spare;
		own->spare = own->main;
		own->main = sheaf;
		sheaves_flush(cpu, sheaf);
		return;
	}
	sheaf = sheaves_new(cpu, s, s->sheaves.capacity);
	if (!sheaf) {
		sheaves_flush(cpu, own->main);
		return;
	}
	if (own->spare) {
		slub_count(s, slot, NSLAB_STAT_BARN_PUT);
		sheaves_barn_put(sheaves_barn_of(cpu, s), own->main);
	} else {
		own->spare = own->main;
	}
	own->main = sheaf;
}

/* ---- one object ---- */

void *sheaves_pop(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, int node)
{
	struct slub_cpu_slab *slot;
	struct nslab_sheaf *main;
	void *obj = NULL;

	if (node != NUMA_NO_NODE && node != cpu->base.node) {
		slub_count(s, slub_own_outer_slot(cpu, s), NSLAB_STAT_ALLOC_NODE_MISMATCH);
		return NULL;
	}
	slot = sheaves_lock(cpu, s);
	if (!slot)
		return NULL;
	if (slot->sheaves.main->size || sheaves_find_full(cpu, s, slot) ||
	    sheaves_fill_main(cpu, s, slot, gfp)) {
		main = slot->sheaves.main;
		obj = main->objects[main->size - 1];
		if (node != NUMA_NO_NODE && slub_page_of(cpu, obj)->node != node)
			obj = NULL;
		else
			main->size--;
	}
	sheaves_unlock(slot, obj != NULL);
	return obj;
}

static bool sheaves_bypasses(const struct slub_cpu *cpu, const struct slub_cache *s, void *obj)
{
	return s->sheaves.remote_bypass && slub_page_of(cpu, obj)->node != cpu->base.node;
}

bool sheaves_push(struct slub_cpu *cpu, struct slub_cache *s, void *obj)
{
	struct slub_cpu_slab *slot;
	struct nslab_sheaf *main;
	int why;

	if (sheaves_bypasses(cpu, s, obj))
		return false;
	slot = sheaves_lock(cpu, s);
	if (!slot)
		return false;
	main = slot->sheaves.main;
	if (main->size == main->capacity) {
		why = sheaves_find_room(cpu, s, slot);
		if (why)
			sheaves_make_room(cpu, s, slot, why);
		main = slot->sheaves.main;
	}
	main->objects[main->size++] = obj;
	sheaves_unlock(slot, 1);
	return true;
}

/* ---- many objects ---- */

size_t sheaves_pop_bulk(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs)
{
	struct slub_cpu_slab *slot = sheaves_lock(cpu, s);
	size_t got = 0;

	if (!slot)
		return 0;
	while (got < nr && (slot->sheaves.main->size || sheaves_find_full(cpu, s, slot))) {
		struct nslab_sheaf *main = slot->sheaves.main;
		size_t part = main->size < nr - got ? main->size : nr - got;

		main->size -= (uint32_t)part;
		memcpy(objs + got, &main->objects[main->size], part * sizeof(void *));
		got += part;
	}
	sheaves_unlock(slot, got);
	return got;
}

static void sheaves_give_remote(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs)
{
	if (!nr)
		return;
	if (s->generation == SLUB_7_0) {
		slub_count_many(s, slub_own_outer_slot(cpu, s), NSLAB_STAT_FREE_SLOWPATH, nr);
		slub_count_many(s, slub_own_outer_slot(cpu, s), NSLAB_STAT_REMOTE_FREE, nr);
	}
	s->sheaves.source->give(cpu, s, nr, objs);
}

size_t sheaves_push_bulk(struct slub_cpu *cpu, struct slub_cache *s, size_t nr, void **objs)
{
	struct slub_cpu_slab *slot = sheaves_lock(cpu, s);
	void *remote[SHEAVES_FLUSH_BATCH];
	size_t nr_remote = 0, nr_pushed = 0;

	if (!slot)
		return nr;
	for (; nr; nr--) {
		struct nslab_sheaf *main = slot->sheaves.main;

		if (sheaves_bypasses(cpu, s, objs[nr - 1])) {
			remote[nr_remote++] = objs[nr - 1];
			if (nr_remote == SHEAVES_FLUSH_BATCH) {
				sheaves_give_remote(cpu, s, nr_remote, remote);
				nr_remote = 0;
			}
			continue;
		}
		if (main->size == main->capacity && sheaves_find_room(cpu, s, slot)) {
			slub_count(s, slot, NSLAB_STAT_BARN_PUT_FAIL);
			break;
		}
		main = slot->sheaves.main;
		main->objects[main->size++] = objs[nr - 1];
		nr_pushed++;
	}
	sheaves_unlock(slot, nr_pushed);
	sheaves_give_remote(cpu, s, nr_remote, remote);
	return nr;
}

void sheaves_flush_slot(struct slub_cpu *cpu, struct slub_cpu_slab *slot)
{
	struct nslab_sheaf *main = slot->sheaves.main, *spare = slot->sheaves.spare;

	if (!main)
		return;
	slot->sheaves.spare = NULL;
	if (spare)
		sheaves_discard(cpu, spare);
	if (slot->sheaves.lock & 1) {
		sheaves_flush(cpu, main); /* an operation that asked the source is using it */
		return;
	}
	__atomic_store_n(&slot->sheaves.lock, slot->sheaves.lock | 1, __ATOMIC_RELAXED);
	slot->sheaves.main = NULL;
	sheaves_discard(cpu, main);
}

/* ---- grace periods ---- */

bool sheaves_push_rcu(struct slub_cpu *cpu, struct slub_cache *s, void *obj)
{
	struct slub_cpu_slab *slot = sheaves_lock(cpu, s);
	struct nslab_sheaf *sheaf;

	if (slot && !slot->sheaves.rcu_free)
		slot->sheaves.rcu_free = sheaves_get_empty(cpu, s);
	sheaf = slot ? slot->sheaves.rcu_free : NULL;
	slub_count(s, slot, sheaf ? NSLAB_STAT_FREE_RCU_SHEAF : NSLAB_STAT_FREE_RCU_SHEAF_FAIL);
	if (sheaf) {
		sheaf->objects[sheaf->size++] = obj;
		if (sheaf->size == sheaf->capacity) {
			nslab_list_add_tail(&sheaf->link, &cpu->rcu_sheaves);
			slot->sheaves.rcu_free = NULL;
		}
	}
	if (slot)
		sheaves_unlock(slot, 0);
	return sheaf != NULL;
}

/* A full sheaf whose grace period is over goes to the barn, unless remote objects are in it. */
static void sheaves_settle_rcu(struct slub_cpu *cpu, struct nslab_sheaf *sheaf)
{
	struct slub_cache *s = sheaf->s;
	struct sheaves_barn *barn = sheaves_barn_of(cpu, s);
	bool has_remote = false;

	for (uint32_t i = 0; i < sheaf->size && !has_remote; i++)
		has_remote = sheaves_bypasses(cpu, s, sheaf->objects[i]);
	if (!has_remote && sheaves_nr(&barn->nr_full) < s->sheaves.max_full) {
		slub_count(s, slub_own_outer_slot(cpu, s), NSLAB_STAT_BARN_PUT);
		sheaves_barn_put(barn, sheaf);
		return;
	}
	if (!has_remote)
		slub_count(s, slub_own_outer_slot(cpu, s), NSLAB_STAT_BARN_PUT_FAIL);
	sheaves_flush(cpu, sheaf);
	sheaves_put_shell(cpu, sheaf);
}

void sheaves_end_grace_period(struct slub_cpu *cpu)
{
	struct nslab_sheaf *sheaf;

	while (!nslab_list_is_empty(&cpu->rcu_sheaves)) {
		sheaf = nslab_list_first(&cpu->rcu_sheaves, struct nslab_sheaf, link);
		nslab_list_del(&sheaf->link);
		sheaves_settle_rcu(cpu, sheaf);
	}
	for (int c = 0; c < SLUB_CHUNKS; c++) {
		for (int i = 0; cpu->chunk[c] != &slub_no_chunk && i < SLUB_CHUNK_SLOTS; i++) {
			struct slub_cpu_slab *slot = &cpu->chunk[c]->slot[i];

			sheaf = slot->sheaves.rcu_free;
			if (!sheaf)
				continue;
			slot->sheaves.rcu_free = NULL;
			sheaves_flush(cpu, sheaf); /* not full, so not for a barn */
			sheaves_put_shell(cpu, sheaf);
		}
	}
}

/* ---- prefilled sheaves ---- */

/* A sheaf that may hold nr objects and is nobody's; NULL without memory. */
static struct nslab_sheaf *sheaves_get_private(struct slub_cpu *cpu, struct slub_cache *s,
					       struct slub_cpu_slab *slot, size_t nr)
{
	struct nslab_sheaf *sheaf = slot->sheaves.spare;

	if (nr > s->sheaves.capacity) {
		slub_count(s, slot, NSLAB_STAT_SHEAF_PREFILL_OVERSIZE);
		return sheaves_new(cpu, s, nr);
	}
	slot->sheaves.spare = NULL;
	slub_count(s, slot, sheaf ? NSLAB_STAT_SHEAF_PREFILL_FAST : NSLAB_STAT_SHEAF_PREFILL_SLOW);
	if (!sheaf)
		sheaf = sheaves_barn_get_full(sheaves_barn_of(cpu, s), NULL);
	return sheaf ? sheaf : sheaves_get_empty(cpu, s);
}

int sheaves_prefill(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp, size_t nr,
		    struct nslab_sheaf **sheaf)
{
	struct slub_cpu_slab *slot = sheaves_lock(cpu, s);
	struct nslab_sheaf *got;

	if (!slot)
		return -ENOMEM;
	got = sheaves_get_private(cpu, s, slot, nr);
	sheaves_unlock(slot, 0);
	if (!got)
		return -ENOMEM;
	if (got->size < nr && !sheaves_refill(cpu, got, gfp)) {
		sheaves_discard(cpu, got);
		return -ENOMEM;
	}
	slub_count_many(s, slot, SLUB_SHEAF_OUT, got->size);
	*sheaf = got;
	return 0;
}

void *sheaves_take(struct slub_cache *s, gfp_t gfp, struct nslab_sheaf *sheaf)
{
	void *obj;

	if (!sheaf->size)
		return NULL;
	obj = sheaf->objects[--sheaf->size];
	if (gfp & __GFP_ZERO)
		memset(obj, 0, s->base.object_size);
	return obj;
}

void sheaves_return(struct slub_cpu *cpu, struct slub_cache *s, gfp_t gfp,
		    struct nslab_sheaf *sheaf)
{
	struct sheaves_barn *barn = sheaves_barn_of(cpu, s);
	struct slub_cpu_slab *slot = sheaves_lock(cpu, s);
	bool is_fast = slot && !slot->sheaves.spare && sheaf->capacity == s->sheaves.capacity;

	slub_count_many(s, slot, SLUB_SHEAF_IN, sheaf->size);
	if (is_fast)
		slot->sheaves.spare = sheaf;
	if (slot)
		sheaves_unlock(slot, 0);
	if (sheaf->capacity != s->sheaves.capacity) {
		sheaves_discard(cpu, sheaf);
		return;
	}
	slub_count(s, slot, is_fast ? NSLAB_STAT_SHEAF_RETURN_FAST : NSLAB_STAT_SHEAF_RETURN_SLOW);
	if (is_fast)
		return;
	if (sheaves_nr(&barn->nr_full) < s->sheaves.max_full && sheaves_refill(cpu, sheaf, gfp))
		sheaves_barn_put(barn, sheaf);
	else
		sheaves_discard(cpu, sheaf);
}

/* ---- the optional calls of a plug-in ---- */

void sheaves_free_rcu(struct nslab_cpu *base, struct kmem_cache *ks, void *obj)
{
	struct slub_cache *s = slub_cache_of(ks);

	if (!s->sheaves.capacity || !sheaves_push_rcu(slub_cpu_of(base), s, obj))
		nslab_allocator_defaults.free_rcu(base, ks, obj);
}

void sheaves_rcu_barrier(struct nslab_cpu *base)
{
	sheaves_end_grace_period(slub_cpu_of(base));
	nslab_allocator_defaults.rcu_barrier(base);
}

int sheaves_sheaf_prefill(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, size_t nr,
			  struct nslab_sheaf **sheaf)
{
	struct slub_cache *s = slub_cache_of(ks);

	if (!s->sheaves.capacity)
		return nslab_allocator_defaults.sheaf_prefill(base, ks, gfp, nr, sheaf);
	return sheaves_prefill(slub_cpu_of(base), s, gfp, nr, sheaf);
}

void *sheaves_sheaf_alloc(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp,
			  struct nslab_sheaf *sheaf)
{
	struct slub_cache *s = slub_cache_of(ks);

	if (!s->sheaves.capacity)
		return nslab_allocator_defaults.sheaf_alloc(base, ks, gfp, sheaf);
	return sheaves_take(s, gfp, sheaf);
}

void sheaves_sheaf_return(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp,
			  struct nslab_sheaf *sheaf)
{
	struct slub_cache *s = slub_cache_of(ks);

	if (!s->sheaves.capacity)
		nslab_allocator_defaults.sheaf_return(base, ks, gfp, sheaf);
	else
		sheaves_return(slub_cpu_of(base), s, gfp, sheaf);
}
