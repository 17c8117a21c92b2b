// SPDX-License-Identifier: GPL-2.0-only
/*
 * slub_slab.c: slabs and node lists, which are the same in every SLUB from 6.1 to 7.0.
 *
 * A slab is made of a block of pages and all of its objects are on one chain through their free
 * pointers: by address, or with the parameter `random` in the cache's own permutation, which each
 * slab begins at another place; a slab of a smaller order skips what it does not have. Freeing
 * pushes a chain onto the page's freelist by CAS; when that makes a full slab partial, or a listed
 * slab empty, the node's list_lock is taken before the CAS and the slab moves in the same section.
 * A slab that somebody took off its list without freezing it (later kernels) looks partial and is
 * not listed: frees into it change its words and nothing else. Left out: what a CPU keeps, which
 * is slub.c's and sheaves_cpu.c's.
 *
 * Locks: node list_lock (NSLAB_RANK_NODE), one at a time; the page layer's locks are never taken
 * under it.
 */
#include "allocators/slub_debug.h"

#include <inttypes.h>

#define SLUB_LOCKED                                                                                \
 {                                                                                                 \
  .sheaves = {.lock = 1 }                                                                          \
 }
#define SLUB_LOCKED_4 SLUB_LOCKED, SLUB_LOCKED, SLUB_LOCKED, SLUB_LOCKED

struct slub_chunk slub_no_chunk = {
	.slot = {SLUB_LOCKED_4, SLUB_LOCKED_4, SLUB_LOCKED_4, SLUB_LOCKED_4},
};

/* ---- slabs from the page layer ---- */

/*
 * The block for a slab: of the cache's order if that needs no effort, else of the smallest order
 * that holds an object, with all the effort that the caller allows.
 */
static struct nslab_page *slub_get_block(struct slub_cpu *cpu, struct slub_cache *s,
					 struct slub_cpu_slab *slot, gfp_t gfp, int node)
{
	const struct nslab_env *env = s->base.heap->env;
	gfp_t easy = (gfp | __GFP_NOWARN | __GFP_NORETRY) & ~__GFP_NOFAIL;
	struct nslab_page *page;

	if ((easy & __GFP_DIRECT_RECLAIM) && s->base.order > s->min_order)
		easy = (easy | __GFP_NOMEMALLOC) & ~(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM);
	page = env->alloc_pages(env, &cpu->base, s->base.order, easy, node);
	if (page)
		return page;
	page = env->alloc_pages(env, &cpu->base, s->min_order, gfp, node);
	if (page)
		slub_count(s, slot, NSLAB_STAT_ORDER_FALLBACK);
	return page;
}

/* Which object of a new slab comes next; in a smaller slab some of the sequence do not exist. */
static uint64_t slub_next_in_sequence(const struct slub_cache *s, uint64_t nr, uint64_t *turn)
{
	uint64_t number;

	if (!s->sequence)
		return (*turn)++;
	do {
		number = s->sequence[*turn];
		*turn = *turn + 1 == s->base.objects ? 0 : *turn + 1;
	} while (number >= nr);
	return number;
}

/* Objects of a new slab on one chain: by address, or from a random place in the sequence on. */
static uint64_t slub_make_freelist(struct slub_cpu *cpu, const struct slub_cache *s,
				   const struct nslab_page *page, uint64_t nr)
{
	uint64_t start = (uintptr_t)nslab_page_address(s->base.heap->env, page), first, last;
	uint64_t turn = s->sequence ? nslab_rng_below(&cpu->rng, s->base.objects) : 0;

	start += s->layout.red_left;
	first = last = start + slub_next_in_sequence(s, nr, &turn) * s->base.size;
	for (uint64_t i = 1; i <= nr; i++) {
		uint64_t next = 0;

		if (i < nr)
			next = start + slub_next_in_sequence(s, nr, &turn) * s->base.size;
		if (s->base.ctor)
			s->base.ctor((void *)(uintptr_t)last);
		slub_set_next_free(s, last, next);
		last = next;
	}
	return first;
}

struct nslab_page *slub_new_slab(struct slub_cpu *cpu, struct slub_cache *s,
				 struct slub_cpu_slab *slot, gfp_t gfp, int node, uint64_t *list)
{
	struct nslab_page *page = slub_get_block(cpu, s, slot, gfp & ~__GFP_ZERO, node);
	uint64_t nr;

	if (!page)
		return NULL;
	nr = nslab_order_objects(s->base.size, page->order);
	if (s->debug_flags)
		slub_debug_fill_slab(s, page);
	*list = slub_make_freelist(cpu, s, page, nr);
	page->s = &s->root->base;
	page->flags = (uint8_t)(page->flags | NSLAB_PAGE_SLAB);
	nslab_list_init(&page->list);
	__atomic_store_n(&page->freelist, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&page->counters, nr | nr << SLUB_OBJECTS_SHIFT | SLUB_FROZEN,
			 __ATOMIC_RELEASE);
	slub_node_account(slub_node_of(s, page), 1, nr, page->order);
	slub_count(s, slot, NSLAB_STAT_ALLOC_SLAB);
	return page;
}

struct slub_chain slub_chain_of(const struct slub_cache *s, uint64_t list)
{
	struct slub_chain chain = {.head = list, .tail = list, .nr = list ? 1 : 0};

	while (list && (list = slub_next_free(s, list))) {
		chain.tail = list;
		chain.nr++;
	}
	return chain;
}

uint64_t slub_seize(struct slub_cache *s, struct slub_cpu_slab *slot, struct nslab_page *page,
		    uint64_t frozen)
{
	uint64_t old[2], new[2];

	do {
		old[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[0] = 0;
		new[1] = slub_all_used(old[1], frozen);
	} while (!slub_page_cas(s, slot, page, old, new));
	return old[0];
}

/* ---- freeing ---- */

bool slub_is_freed_twice(const struct slub_cache *s, uint64_t object, uint64_t list)
{
	const struct nslab_env *env = s->base.heap->env;

	if (!s->is_hardened || object != list)
		return false;
	env->report(env,
		    "BUG %s (Not tainted): object 0x%" PRIx64
		    " is freed although it heads the freelist; a hardened kernel stops here, "
		    "the free is dropped",
		    s->base.name, object);
	return true;
}

/* After the CAS, under the lock: a page that was full, or that lost its last used object. */
static void slub_settle_freed(struct slub_cpu *cpu, struct slub_cache *s,
			      struct slub_cpu_slab *slot, struct nslab_page *page,
			      struct slub_node *n, bool was_full, bool is_empty)
{
	bool is_listed = slub_is_listed(page);
	bool is_surplus = is_empty && slub_node_is_sated(s, n);

	if (!was_full && !is_listed) {
		slub_unlock(n); /* somebody took it off the list to use it */
		return;
	}
	if (is_surplus && is_listed) {
		slub_remove_partial(n, page);
		slub_count(s, slot, NSLAB_STAT_FREE_REMOVE_PARTIAL);
	} else if (!is_surplus && !is_listed) {
		slub_add_partial(n, page, true);
		slub_count(s, slot, NSLAB_STAT_FREE_ADD_PARTIAL);
	}
	slub_unlock(n);
	if (is_surplus)
		slub_discard(cpu, s, slot, page);
}

bool slub_free_to_slab(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot,
		       struct nslab_page *page, const struct slub_chain *chain, bool may_keep)
{
	bool is_frozen, is_kept;
	uint64_t old[2], new[2];
	struct slub_node *n;

	for (;;) {
		old[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[0] = chain->head;
		new[1] = old[1] - chain->nr;
		if (SLUB_UNLIKELY(slub_is_freed_twice(s, chain->tail, old[0])))
			return false;
		slub_set_next_free(s, chain->tail, old[0]);
		is_frozen = old[1] & SLUB_FROZEN;
		is_kept = !is_frozen && !old[0] && may_keep;
		n = NULL;
		if (is_kept && slub_is_freezing(s)) {
			new[1] |= SLUB_FROZEN;
		} else if (!is_kept && !is_frozen && (!old[0] || !slub_inuse(new[1]))) {
			n = slub_node_of(s, page);
			slub_lock(n);
		}
		if (slub_page_cas(s, slot, page, old, new))
			break;
		if (n)
			slub_unlock(n);
	}
	if (n)
		slub_settle_freed(cpu, s, slot, page, n, !old[0], !slub_inuse(new[1]));
	else if (is_frozen)
		slub_count(s, slot, NSLAB_STAT_FREE_FROZEN);
	return is_kept;
}

size_t slub_detach(const struct slub_cache *s, size_t nr, void **objs, struct nslab_page **page,
		   struct slub_chain *chain)
{
	const struct nslab_env *env = s->base.heap->env;
	unsigned misses = 0;
	size_t left = 0;

	*page = nslab_page_of(env, objs[nr - 1]);
	chain->head = chain->tail = (uintptr_t)objs[nr - 1];
	chain->nr = 1;
	for (size_t i = nr - 1; i-- > 0 && misses < SLUB_LOOKAHEAD;) {
		if (!objs[i])
			continue;
		if (nslab_page_of(env, objs[i]) == *page) {
			slub_set_next_free(s, (uintptr_t)objs[i], chain->head);
			chain->head = (uintptr_t)objs[i];
			chain->nr++;
			objs[i] = NULL;
			continue;
		}
		left = left ? left : i + 1;
		misses++;
	}
	return left;
}

/* ---- lists of nodes ---- */

bool slub_may_defrag(struct slub_cpu *cpu, const struct slub_cache *s)
{
	return s->defrag_ratio && nslab_rng_below(&cpu->rng, SLUB_DEFRAG_RANGE) <= s->defrag_ratio;
}

/* Clears the frozen bit under the lock of the page's node; returns the counters. */
static uint64_t slub_thaw(struct slub_cache *s, struct slub_cpu_slab *slot, struct nslab_page *page)
{
	uint64_t old[2], new[2];

	if (!slub_is_freezing(s))
		return slub_page_counters(page);
	do {
		old[0] = new[0] = slub_page_freelist(page);
		old[1] = slub_page_counters(page);
		new[1] = old[1] & ~SLUB_FROZEN;
	} while (!slub_page_cas(s, slot, page, old, new));
	return new[1];
}

void slub_put_partials(struct slub_cpu *cpu, struct slub_cache *s, struct slub_cpu_slab *slot,
		       struct nslab_page *page)
{
	struct nslab_page *empty = NULL, *next;
	struct slub_node *n = NULL;

	for (; page; page = next) {
		next = slub_chained(page);
		if (slub_node_of(s, page) != n) {
			if (n)
				slub_unlock(n);
			n = slub_node_of(s, page);
			slub_lock(n);
		}
		if (!slub_inuse(slub_thaw(s, slot, page)) && slub_node_is_sated(s, n)) {
			page->priv[0] = (uintptr_t)empty;
			empty = page;
		} else {
			slub_add_partial(n, page, true);
			slub_count(s, slot, NSLAB_STAT_FREE_ADD_PARTIAL);
		}
	}
	if (n)
		slub_unlock(n);
	for (; empty; empty = next) {
		next = slub_chained(empty);
		slub_count(s, slot, NSLAB_STAT_DEACTIVATE_EMPTY);
		slub_discard(cpu, s, slot, empty);
	}
}

/* ---- slots ---- */

static bool slub_make_chunk(struct slub_cpu *cpu, unsigned number)
{
	const struct nslab_env *env = cpu->base.heap->env;
	struct slub_chunk *chunk;

	if (SLUB_LIKELY(cpu->chunk[number] != &slub_no_chunk))
		return true;
	chunk = env->alloc_meta(env, sizeof(*chunk), cpu->base.node);
	if (!chunk)
		return false;
	for (int i = 0; i < SLUB_CHUNK_SLOTS; i++) {
		chunk->slot[i].tid = (uint64_t)cpu->base.id;
		chunk->slot[i].sheaves.lock = 1;
	}
	/* pairs with the acquire of control calls that read counts */
	__atomic_store_n(&cpu->chunk[number], chunk, __ATOMIC_RELEASE);
	return true;
}

struct slub_cpu_slab *slub_own_slot(struct slub_cpu *cpu, const struct slub_cache *s)
{
	return slub_make_chunk(cpu, s->inner_chunk) ? slub_inner_slot(cpu, s) : NULL;
}

struct slub_cpu_slab *slub_own_outer_slot(struct slub_cpu *cpu, const struct slub_cache *s)
{
	return slub_make_chunk(cpu, s->chunk) ? slub_slot(cpu, s) : NULL;
}

/* The cache of a slot is known by its slabs, or its sheaf. */
void slub_flush_cpu(struct slub_cpu *cpu)
{
	for (int c = 0; c < SLUB_CHUNKS; c++) {
		for (int i = 0; cpu->chunk[c] != &slub_no_chunk && i < SLUB_CHUNK_SLOTS; i++)
			sheaves_flush_slot(cpu, &cpu->chunk[c]->slot[i]);
	}
	for (int c = 0; c < SLUB_CHUNKS; c++) {
		for (int i = 0; cpu->chunk[c] != &slub_no_chunk && i < SLUB_CHUNK_SLOTS; i++) {
			struct slub_cpu_slab *slot = &cpu->chunk[c]->slot[i];
			struct nslab_page *page = slot->page ? slot->page : slot->partial;

			if (page)
				slub_flush_slot(cpu, slub_cache_of(page->s), slot);
		}
	}
}

/* A flush frees objects, and the slow path of that comes here again. */
void slub_quiesce(struct nslab_cpu *base)
{
	struct slub_cpu *cpu = slub_cpu_of(base);
	unsigned epoch;

	if (SLUB_LIKELY(!nslab_flush_is_due(base, &epoch)) || cpu->is_flushing)
		return;
	cpu->is_flushing = true;
	slub_flush_cpu(cpu);
	cpu->is_flushing = false;
	nslab_flush_serve(base, epoch);
}
