// SPDX-License-Identifier: GPL-2.0-only
/*
 * slab.c: SLAB as Linux 6.1 has it, the allocator that kernels up to 6.7 could be built with.
 *
 * Free objects are kept as POINTERS IN ARRAYS, last in first out, at three levels: each CPU has an
 * array of its own (array_cache), the CPUs of a node share another, and objects of other nodes wait
 * in an alien array for each pair of nodes until twelve of them go home at once. Only when arrays
 * run full or empty do objects move from or to slabs, in batches of half an array, under the node's
 * list_lock. So neither the fast path nor a batch depends on how many objects a slab holds.
 *
 * A slab is a block of pages with an array of indexes used as a stack: indexes at `active` and
 * above name free objects. That array lies in an object that is free itself (always the one that is
 * handed out last), in an object of kmalloc, or behind the last object; common/slab_order.h
 * decides. A slab is on one of three lists of its node: partial, full, or free (no object in use).
 * Objects of successive slabs start at different cache lines (colours) as far as space is left
 * over. Page words: freelist is the address of the indexes (0 while their object is in use),
 * counters the number of objects in use, priv[0] the address of the first object.
 *
 * Invariants. (1) A CPU's array and a node's shared array hold objects of that node only. (2) For
 * the slab, objects in arrays are in use. (3) A slab's words and lists change under the list_lock
 * of its node only, except while its maker has not attached it yet. (4) free_objects is the number
 * of free objects in the attached slabs of the node.
 *
 * Exclusion. The kernel switches interrupts off; here a handle has one owner at a time, and a plain
 * word is taken and given back, which is what a local trylock costs. Whoever finds it taken goes to
 * the node's lists instead. Every pop is counted where the kernel marks the array as touched: that
 * gives the mark and, with what slow paths moved, the number of fast operations, so that statistics
 * are always kept and cost nothing. Operations are added up when a CPU leaves the fast path; every
 * `reap_ops` of them stand for the two seconds between reaps, and as many reaps of a node's CPUs
 * for the four seconds between reaps of the node.
 *
 * Words of the statistics: slowpath counts what the CPU's array could not do (alien frees too),
 * alloc_refill refills of it, alloc_from_partial partial slabs that were taken from,
 * deactivate_full slabs that got full, free_add_partial full ones that got partial,
 * free_remove_partial partial ones that got empty, remote_batch alien arrays that went home.
 *
 * Differences that are meant: a reap covers the caches that this CPU uses and never has to wait for
 * the kernel's global mutex; a slab made as the last resort serves its maker before it is attached;
 * a forced order may need two-byte indexes. Left out: debug options (-EOPNOTSUPP), random free
 * lists, delayed freeing under SLAB_TYPESAFE_BY_RCU, pfmemalloc reserves, merging, accounting.
 *
 * Locks, outermost first: lock of an alien array (NSLAB_RANK_CACHE); node list_lock
 * (NSLAB_RANK_NODE). One of each at a time, and no page or other object is asked for or given back
 * under either.
 */
#include "allocators/slab_node.h"

#include "allocators/common/defaults.h"

#include <numaslab/plugin.h>

struct slab_array slab_no_array = {.is_busy = 1};

/* ---- the local lock ---- */

/* The fences keep the compiler from moving accesses out; another CPU never looks. */
static inline bool slab_local_try(struct slab_array *ac)
{
	if (SLAB_UNLIKELY(ac->is_busy))
		return false;
	ac->is_busy = 1;
	atomic_signal_fence(memory_order_acquire);
	return true;
}

static inline void slab_local_release(struct slab_array *ac)
{
	atomic_signal_fence(memory_order_release);
	ac->is_busy = 0;
}

static inline bool slab_is_touched(const struct slab_array *ac)
{
	return ac->nr_pops != ac->unused_pops;
}

/* ---- moving objects out of a CPU's array ---- */

/* The same for a CPU's array, with the lock; its local lock is held. */
static void slab_drain_array(struct slab_cpu *cpu, struct slab_array *ac, unsigned nr)
{
	struct slab_node *n = ac->s->node[cpu->base.node];
	struct nslab_list dead;

	nslab_list_init(&dead);
	slab_lock(n);
	slab_free_oldest(ac->s, ac, n, ac->entry, &ac->avail, nr, &dead);
	slab_unlock(n);
	ac->nr_moved -= nr;
	slab_discard_all(cpu, ac->s, ac, &dead);
}

/* A full array gives its oldest batch to the shared one, or to the slabs when that is full. */
static void slab_flush_batch(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac)
{
	struct slab_node *n = s->node[cpu->base.node];
	struct slab_shared *shared = n->shared;
	unsigned room, nr = ac->batchcount;
	struct nslab_list dead;

	nslab_list_init(&dead);
	slab_lock(n);
	room = shared ? shared->limit - shared->avail : 0;
	if (room) {
		nr = nr < room ? nr : room;
		slab_to_shared(shared, ac->entry, nr);
		ac->avail -= nr;
		memmove(ac->entry, ac->entry + nr, ac->avail * sizeof(*ac->entry));
	} else {
		slab_free_oldest(s, ac, n, ac->entry, &ac->avail, nr, &dead);
	}
	slab_unlock(n);
	ac->nr_moved -= nr;
	slab_discard_all(cpu, s, ac, &dead);
}

/* ---- what a CPU holds ---- */

static struct slab_array *slab_own_array(struct slab_cpu *cpu, struct slab_cache *s)
{
	const struct nslab_env *env = cpu->base.heap->env;
	struct slab_array *ac = cpu->array[s->number];

	if (SLAB_LIKELY(ac != &slab_no_array))
		return ac;
	ac = env->alloc_meta(env, sizeof(*ac) + s->limit * sizeof(*ac->entry), cpu->base.node);
	if (!ac)
		return NULL;
	ac->limit = s->limit;
	ac->batchcount = s->batchcount;
	ac->s = s;
	if (cpu->nr_arrays <= s->number)
		cpu->nr_arrays = s->number + 1;
	/* pairs with the acquire of control calls that read counts */
	__atomic_store_n(&cpu->array[s->number], ac, __ATOMIC_RELEASE);
	return ac;
}

/* What an array counted outlives it in its cache. It must be empty. */
void slab_drop_array(struct slab_cpu *cpu, struct slab_array *ac)
{
	const struct nslab_env *env = cpu->base.heap->env;
	struct slab_cache *s = ac->s;

	for (int i = 0; i < SLAB_NR_COUNTS; i++)
		__atomic_fetch_add(&s->count[i], ac->count[i], __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->count[SLAB_FAST_ALLOCS], ac->nr_pops, __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->count[SLAB_FAST_FREES], slab_fast_frees(ac), __ATOMIC_RELAXED);
	__atomic_store_n(&cpu->array[s->number], &slab_no_array, __ATOMIC_RELEASE);
	env->free_meta(env, ac, sizeof(*ac) + ac->limit * sizeof(*ac->entry));
}

static void slab_empty_array(struct slab_cpu *cpu, struct slab_array *ac)
{
	if (!ac->avail)
		return;
	slab_drain_array(cpu, ac, ac->avail);
	slab_count(ac->s, ac, NSLAB_STAT_CPUSLAB_FLUSH);
}

/* Twice: emptying one array may put off-slab indexes into another. */
void slab_flush_cpu(struct slab_cpu *cpu)
{
	for (unsigned i = 0; i < cpu->nr_arrays; i++)
		slab_empty_array(cpu, cpu->array[i]);
	for (unsigned i = 0; i < cpu->nr_arrays; i++) {
		struct slab_array *ac = cpu->array[i];

		slab_empty_array(cpu, ac);
		if (ac != &slab_no_array &&
		    atomic_load_explicit(&ac->s->is_destroying, memory_order_relaxed))
			slab_drop_array(cpu, ac);
	}
}

static void slab_quiesce(struct nslab_cpu *base)
{
	struct slab_cpu *cpu = slab_cpu_of(base);
	unsigned epoch;

	if (SLAB_LIKELY(!nslab_flush_is_due(base, &epoch)) || cpu->depth)
		return;
	cpu->depth++;
	slab_flush_cpu(cpu);
	cpu->depth--;
	nslab_flush_serve(base, epoch);
}

/* ---- reaping ---- */

static void slab_reap_alien(struct slab_cpu *cpu, struct slab_array *ac, struct slab_node *n)
{
	struct slab_alien *alien = n->alien ? &n->alien[cpu->reap_node] : NULL;
	struct nslab_list dead;

	if (!alien || !slab_avail(&alien->avail) || !nslab_lock_try(&alien->lock))
		return;
	nslab_list_init(&dead);
	slab_drain_alien(ac->s, ac, alien, cpu->reap_node, &dead);
	nslab_lock_release(&alien->lock);
	slab_discard_all(cpu, ac->s, ac, &dead);
}

/* Used since the last reap: only the mark goes. Else a fifth of it. */
static void slab_reap_array(struct slab_cpu *cpu, struct slab_array *ac)
{
	if (!ac->avail || !slab_local_try(ac))
		return;
	if (slab_is_touched(ac))
		ac->unused_pops = ac->nr_pops;
	else
		slab_drain_array(cpu, ac, nslab_slab_reap_objects(ac->limit, ac->avail));
	slab_local_release(ac);
}

/* The same of what the node shares; empty slabs when nobody looked for one. */
static void slab_reap_node(struct slab_cpu *cpu, struct slab_array *ac, struct slab_node *n)
{
	struct slab_shared *shared = n->shared;
	struct slab_cache *s = ac->s;
	struct nslab_list dead;
	uint64_t nr;

	nslab_list_init(&dead);
	slab_lock(n);
	if (shared && shared->avail && shared->is_touched)
		shared->is_touched = false;
	else if (shared && shared->avail)
		slab_free_oldest(s, ac, n, shared->entry, &shared->avail,
				 nslab_slab_reap_objects(shared->limit, shared->avail), &dead);
	nr = n->is_free_touched ? 0
				: nslab_slab_reap_slabs(slab_free_limit(s, n), s->shape.objects);
	n->is_free_touched = false;
	for (; nr && n->nr_free; nr--)
		slab_condemn(s, n, &dead);
	slab_unlock(n);
	slab_discard_all(cpu, s, ac, &dead);
}

static void slab_reap(struct slab_cpu *cpu)
{
	const struct slab_heap *h = slab_heap_of(cpu->base.heap);
	int node = cpu->base.node;
	unsigned per_turn = 2 * __atomic_load_n(&h->nr_cpus_of_node[node], __ATOMIC_RELAXED);

	for (unsigned i = 0; i < cpu->nr_arrays; i++) {
		struct slab_array *ac = cpu->array[i];
		struct slab_node *n;

		if (ac == &slab_no_array)
			continue;
		n = ac->s->node[node];
		slab_reap_alien(cpu, ac, n);
		slab_reap_array(cpu, ac);
		if (__atomic_add_fetch(&n->nr_reaps, 1, __ATOMIC_RELAXED) % per_turn == 0)
			slab_reap_node(cpu, ac, n);
	}
	cpu->reap_node = (cpu->reap_node + 1) % cpu->base.heap->env->arena->nr_nodes;
}

/* Adds up what the fast path did since the last time; reaps when its time has come. */
static void slab_note_ops(struct slab_cpu *cpu, struct slab_array *ac)
{
	uint64_t ops = ac->nr_pops + slab_fast_frees(ac) + ac->count[NSLAB_STAT_ALLOC_SLOWPATH] +
		       ac->count[NSLAB_STAT_FREE_SLOWPATH];
	int64_t reap_ops = slab_heap_of(cpu->base.heap)->params.reap_ops;

	cpu->nr_ops += ops - ac->seen_ops;
	ac->seen_ops = ops;
	if (reap_ops && cpu->nr_ops >= (uint64_t)reap_ops && !cpu->depth) {
		cpu->nr_ops = 0;
		cpu->depth++;
		slab_reap(cpu);
		cpu->depth--;
	}
}

/*
 * Opens every slow path: the array, or NULL, after all that is due was done. A slow path inside
 * another, for the indexes of a slab, leaves that to the next one.
 */
static struct slab_array *slab_enter(struct slab_cpu *cpu, struct slab_cache *s, int what)
{
	struct slab_array *ac;

	slab_quiesce(&cpu->base);
	ac = slab_own_array(cpu, s);
	slab_count(s, ac, what);
	if (ac)
		slab_note_ops(cpu, ac);
	cpu->depth++;
	return ac;
}

static void slab_leave(struct slab_cpu *cpu)
{
	cpu->depth--;
}

/* ---- allocation ---- */

/* Objects of slabs, partial ones first, to a CPU's array. Under list_lock. */
static void slab_take_batch(struct slab_cache *s, struct slab_array *ac, struct slab_node *n,
			    unsigned batch)
{
	unsigned before = ac->avail;

	while (batch) {
		struct nslab_page *page = slab_first(s, ac, n);

		if (!page)
			break;
		for (; batch && !slab_is_full(s, page); batch--)
			ac->entry[ac->avail++] = slab_take_object(s, page);
		slab_put_taken(s, ac, n, page);
	}
	slab_add(&n->free_objects, (uint64_t)0 - (ac->avail - before));
}

/* From the shared array or else from slabs of the node. */
static void slab_refill_from_node(struct slab_cache *s, struct slab_array *ac, struct slab_node *n,
				  unsigned batch)
{
	struct slab_shared *shared = n->shared;

	slab_lock(n);
	if (shared && shared->avail) {
		unsigned nr = batch < shared->avail ? batch : shared->avail;

		slab_set_avail(&shared->avail, shared->avail - nr);
		memcpy(ac->entry, shared->entry + shared->avail, nr * sizeof(*ac->entry));
		ac->avail = nr;
		shared->is_touched = true;
	} else {
		slab_take_batch(s, ac, n, batch);
	}
	slab_unlock(n);
}

/* Fills an empty array; a node that has nothing gets a slab of its own or nothing. */
static void slab_refill(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac,
			gfp_t gfp)
{
	struct slab_node *n = s->node[cpu->base.node];
	unsigned batch = ac->batchcount;
	struct nslab_page *page;

	if (!slab_is_touched(ac) && batch > NSLAB_SLAB_IDLE_BATCH)
		batch = NSLAB_SLAB_IDLE_BATCH;
	if (slab_load(&n->free_objects) || (n->shared && slab_avail(&n->shared->avail)))
		slab_refill_from_node(s, ac, n, batch);
	if (!ac->avail) {
		page = slab_grow_begin(cpu, s, ac, slab_exact_node(gfp), n->id);
		if (!page)
			return;
		for (; batch && !slab_is_full(s, page); batch--)
			ac->entry[ac->avail++] = slab_take_object(s, page);
		slab_grow_end(s, ac, page);
	}
	ac->nr_moved += ac->avail;
	slab_count(s, ac, NSLAB_STAT_ALLOC_REFILL);
}

/* Through the CPU's array, whose local lock is held. */
static void *slab_alloc_array(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac,
			      gfp_t gfp)
{
	if (!ac->avail)
		slab_refill(cpu, s, ac, gfp);
	if (!ac->avail)
		return NULL;
	ac->unused_pops = ac->nr_pops - 1; /* touched */
	ac->nr_moved--;
	return ac->entry[--ac->avail];
}

/* One object of a slab made for it. */
static void *slab_grow_one(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac,
			   gfp_t gfp, int node)
{
	struct nslab_page *page = slab_grow_begin(cpu, s, ac, gfp, node);
	void *obj;

	if (!page)
		return NULL;
	obj = slab_take_object(s, page);
	slab_grow_end(s, ac, page);
	return obj;
}

/* One object of that node's slabs, past all arrays. */
static void *slab_alloc_node(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac,
			     gfp_t gfp, int node)
{
	struct slab_node *n = s->node[node];
	struct nslab_page *page;
	void *obj = NULL;

	slab_lock(n);
	page = slab_first(s, ac, n);
	if (page) {
		obj = slab_take_object(s, page);
		slab_add(&n->free_objects, (uint64_t)-1);
		slab_put_taken(s, ac, n, page);
	}
	slab_unlock(n);
	return obj ? obj : slab_grow_one(cpu, s, ac, slab_exact_node(gfp), node);
}

/* Any node that has free objects, nearest first; then a slab from anywhere. */
static void *slab_alloc_fallback(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac,
				 gfp_t gfp)
{
	int nr_nodes = s->base.heap->env->arena->nr_nodes;
	void *obj = NULL;

	if (gfp & __GFP_THISNODE)
		return NULL;
	for (int i = 0; i < nr_nodes && !obj; i++) {
		int node = cpu->by_distance[i];

		if (slab_load(&s->node[node]->free_objects))
			obj = slab_alloc_node(cpu, s, ac, gfp, node);
	}
	return obj ? obj : slab_grow_one(cpu, s, ac, gfp, cpu->base.node);
}

static __attribute__((noinline)) void *slab_alloc_slow(struct slab_cpu *cpu, struct slab_cache *s,
						       gfp_t gfp, int node)
{
	struct slab_array *ac;
	void *obj = NULL;

	if (node < NUMA_NO_NODE || node >= s->base.heap->env->arena->nr_nodes)
		return NULL; /* no such node */
	if (node == NUMA_NO_NODE)
		node = cpu->base.node;
	ac = slab_enter(cpu, s, NSLAB_STAT_ALLOC_SLOWPATH);
	if (node != cpu->base.node) {
		slab_count(s, ac, NSLAB_STAT_ALLOC_NODE_MISMATCH);
	} else if (ac && slab_local_try(ac)) {
		obj = slab_alloc_array(cpu, s, ac, gfp);
		slab_local_release(ac);
	}
	if (!obj)
		obj = slab_alloc_node(cpu, s, ac, gfp, node);
	if (!obj)
		obj = slab_alloc_fallback(cpu, s, ac, gfp);
	slab_leave(cpu);
	return obj;
}

static inline __attribute__((always_inline)) void *
slab_alloc_dirty(struct slab_cpu *cpu, struct slab_cache *s, gfp_t gfp, int node)
{
	struct slab_array *ac = cpu->array[s->number];
	void *obj;

	if (SLAB_UNLIKELY(node != NUMA_NO_NODE && node != cpu->base.node))
		goto slow;
	if (!slab_local_try(ac))
		goto slow;
	if (SLAB_UNLIKELY(!ac->avail))
		goto slow_release;
	obj = ac->entry[--ac->avail];
	ac->nr_pops++;
	slab_local_release(ac);
	return obj;
slow_release:
	slab_local_release(ac);
slow:
	return slab_alloc_slow(cpu, s, gfp, node);
}

static __attribute__((noinline)) void *slab_alloc_zeroed(struct slab_cpu *cpu, struct slab_cache *s,
							 gfp_t gfp, int node)
{
	void *obj = slab_alloc_dirty(cpu, s, gfp, node);

	if (obj)
		memset(obj, 0, s->base.object_size);
	return obj;
}

/* Clearing is out of line, so that the usual case keeps everything in registers. */
static inline __attribute__((always_inline)) void *
slab_alloc_inline(struct slab_cpu *cpu, struct slab_cache *s, gfp_t gfp, int node)
{
	if (SLAB_UNLIKELY(gfp & __GFP_ZERO))
		return slab_alloc_zeroed(cpu, s, gfp, node);
	return slab_alloc_dirty(cpu, s, gfp, node);
}

void *slab_alloc(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node)
{
	return slab_alloc_inline(slab_cpu_of(base), slab_cache_of(ks), gfp, node);
}

/* ---- freeing ---- */

/* An object of another node waits for company, or goes there under that node's lock. */
static void slab_free_remote(struct slab_cpu *cpu, struct slab_cache *s, struct slab_array *ac,
			     void *obj, int home)
{
	struct slab_node *n = s->node[cpu->base.node];
	struct slab_alien *alien = n->alien ? &n->alien[home] : NULL;
	struct nslab_list dead;

	slab_count(s, ac, NSLAB_STAT_REMOTE_FREE);
	if (!alien) {
		slab_free_direct(cpu, s, ac, obj);
		return;
	}
	nslab_list_init(&dead);
	nslab_lock_acquire(&alien->lock);
	if (alien->avail == alien->limit)
		slab_drain_alien(s, ac, alien, home, &dead);
	alien->entry[alien->avail] = obj;
	slab_set_avail(&alien->avail, alien->avail + 1);
	nslab_lock_release(&alien->lock);
	slab_discard_all(cpu, s, ac, &dead);
}

static __attribute__((noinline)) void slab_free_slow(struct slab_cpu *cpu, struct slab_cache *s,
						     void *obj)
{
	struct slab_array *ac = slab_enter(cpu, s, NSLAB_STAT_FREE_SLOWPATH);
	int home = nslab_frame_of(s->base.heap->env, obj)->node;

	if (home != cpu->base.node) {
		slab_free_remote(cpu, s, ac, obj, home);
	} else if (!ac || !slab_local_try(ac)) {
		slab_free_direct(cpu, s, ac, obj);
	} else {
		if (ac->avail == ac->limit)
			slab_flush_batch(cpu, s, ac);
		ac->entry[ac->avail++] = obj;
		ac->nr_moved++;
		slab_local_release(ac);
	}
	slab_leave(cpu);
}

static inline __attribute__((always_inline)) void
slab_free_inline(struct slab_cpu *cpu, struct slab_cache *s, void *obj, int home)
{
	struct slab_array *ac = cpu->array[s->number];

	if (SLAB_UNLIKELY(home != cpu->base.node))
		goto slow;
	if (!slab_local_try(ac))
		goto slow;
	if (SLAB_UNLIKELY(ac->avail >= ac->limit))
		goto slow_release;
	ac->entry[ac->avail++] = obj;
	slab_local_release(ac);
	return;
slow_release:
	slab_local_release(ac);
slow:
	slab_free_slow(cpu, s, obj);
}

static inline struct nslab_page *slab_frame(const struct slab_cpu *cpu, const void *obj)
{
	return cpu->pages + (((uintptr_t)obj - cpu->arena_base) >> NSLAB_PAGE_SHIFT);
}

void slab_free(struct nslab_cpu *base, struct kmem_cache *ks, void *obj)
{
	struct slab_cpu *cpu = slab_cpu_of(base);

	slab_free_inline(cpu, slab_cache_of(ks), obj, slab_frame(cpu, obj)->node);
}

/* ---- bulk: the local lock once for a run, everything else as above ---- */

static void slab_free_bulk(struct nslab_cpu *base, struct kmem_cache *ks, size_t nr, void **objs)
{
	struct slab_cpu *cpu = slab_cpu_of(base);
	struct slab_cache *s = slab_cache_of(ks);
	size_t i = 0;

	while (i < nr) {
		struct slab_array *ac = cpu->array[s->number];

		if (slab_local_try(ac)) {
			while (i < nr && ac->avail < ac->limit &&
			       slab_frame(cpu, objs[i])->node == base->node)
				ac->entry[ac->avail++] = objs[i++];
			slab_local_release(ac);
		}
		if (i < nr)
			slab_free_slow(cpu, s, objs[i++]);
	}
}

static size_t slab_alloc_bulk(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node,
			      size_t nr, void **objs)
{
	struct slab_cpu *cpu = slab_cpu_of(base);
	struct slab_cache *s = slab_cache_of(ks);
	size_t got = 0;

	while (got < nr) {
		struct slab_array *ac = cpu->array[s->number];

		if ((node == NUMA_NO_NODE || node == base->node) && slab_local_try(ac)) {
			size_t before = got;

			while (got < nr && ac->avail)
				objs[got++] = ac->entry[--ac->avail];
			ac->nr_pops += got - before;
			slab_local_release(ac);
		}
		if (got == nr)
			break;
		objs[got] = slab_alloc_slow(cpu, s, gfp, node);
		if (!objs[got])
			goto undo;
		got++;
	}
	for (size_t i = 0; (gfp & __GFP_ZERO) && i < nr; i++)
		memset(objs[i], 0, s->base.object_size);
	return nr;
undo:
	slab_free_bulk(base, ks, got, objs);
	return 0;
}

/* ---- kmalloc: classes from 32 bytes on ---- */

static void *slab_kmalloc(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp, int node)
{
	struct slab_cpu *cpu = slab_cpu_of(base);

	if (SLAB_UNLIKELY(size_bytes > NSLAB_KMALLOC_MAX_SIZE))
		return nslab_kmalloc_large(base, size_bytes, gfp, node);
	if (SLAB_UNLIKELY(size_bytes == 0))
		return NSLAB_ZERO_SIZE_PTR;
	return slab_alloc_inline(cpu, slab_cache_of(cpu->kmalloc[nslab_slab_class(size_bytes)]),
				 gfp, node);
}

static void slab_kfree(struct nslab_cpu *base, void *obj)
{
	struct slab_cpu *cpu = slab_cpu_of(base);
	struct nslab_page *page;

	if (SLAB_UNLIKELY(nslab_is_zero_or_null(obj)))
		return;
	page = slab_frame(cpu, obj);
	page -= page->head;
	if (SLAB_UNLIKELY(page->flags & NSLAB_PAGE_LARGE))
		nslab_kfree_large(base, page);
	else
		slab_free_inline(cpu, slab_cache_of(page->s), obj, page->node);
}

static size_t slab_size_roundup(const struct nslab_heap *heap, size_t size_bytes)
{
	if (size_bytes == 0 || size_bytes > NSLAB_KMALLOC_MAX_SIZE)
		return nslab_default_size_roundup(heap, size_bytes);
	return nslab_kmalloc_class_size(nslab_slab_class(size_bytes));
}

static const struct nslab_allocator_ops slab_ops = {
	.name = "slab",
	.summary =
		"arrays of pointers for each CPU, shared by a node, and for objects of other nodes",
	.models = "Linux 6.1 mm/slab.c",
	.caps = NSLAB_CAP_NODE | NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_ORDER | NSLAB_CAP_CACHE |
		NSLAB_CAP_CTOR | NSLAB_CAP_SHRINK | NSLAB_CAP_PAGES,
	.params = slab_param_rows,
	.params_size = sizeof(struct slab_params),
	.open = slab_open,
	.close = slab_close,
	.cpu_online = slab_cpu_online,
	.cpu_offline = slab_cpu_offline,
	.cache_create = slab_cache_create,
	.cache_destroy = slab_cache_destroy,
	.alloc = slab_alloc,
	.free = slab_free,
	.quiesce = slab_quiesce,
	.alloc_bulk = slab_alloc_bulk,
	.free_bulk = slab_free_bulk,
	.cache_shrink = slab_cache_shrink,
	.cache_validate = slab_cache_validate,
	.cache_stats = slab_cache_stats,
	.cache_glance = slab_cache_glance,
	.kmalloc = slab_kmalloc,
	.kfree = slab_kfree,
	.size_roundup = slab_size_roundup,
};
NSLAB_ALLOCATOR_PLUGIN(slab_ops);
