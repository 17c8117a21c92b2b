// SPDX-License-Identifier: GPL-2.0-only
/*
 * nodelocal.c: per-CPU array stacks over node-local slabs.
 *
 * Four layers, each of which moves whole batches to the next:
 *
 *   stack     for each CPU handle and cache: an array of pointers to free objects of the handle's
 *             own node. alloc loads the top and steps down, free steps up and stores. Slot 0 holds
 *             NULL, so "empty" needs no bound: the loaded object is NULL. No lock, no atomic.
 *   depot     for each cache and node: full batches of up to 62 pointers. A full stack gives one
 *             batch, an empty stack takes one: one short lock for each. Producer and consumer on
 *             one node thus pass batches round and never reach the slabs.
 *   incoming  an object of another node is recognised by its address alone. It goes into a batch
 *             for its home, and the full batch goes home with one compare-and-swap: the word holds
 *             the newest batch and how many there are. The home takes all with one exchange when
 *             its depot is empty.
 *   slabs     for each cache and node: blocks of pages of that node, a bitmap for each, a list of
 *             partial and a list of full ones (nodelocal_slab.h).
 *
 * Invariants, and why they hold:
 *   1. A stack holds only objects of its cache and its handle's node. Objects enter by free, which
 *      compares the address with the node's range, by a batch from the node's depot, or from the
 *      node's slabs. When a slab of another node has to help out, its object goes to the caller
 *      directly. A depot holds only its node's objects: the stacks that fill it are of that node,
 *      and senders sort by home.
 *   2. An object is in exactly one place: with its user, in one stack, in one batch, or free in
 *      its slab's bitmap. Each move takes it from the one before it adds it to the other, both
 *      within one handle or under one list_lock; a batch changes hands by the swap or the lock.
 *      So a slab whose bitmap is full of ones has no object anywhere else, and its pages can go.
 *   3. The push onto `incoming` is not open to ABA: nothing but the exchange takes from it, and
 *      the exchange takes all. A swap that succeeds links to whatever is the newest batch at that
 *      moment, even when it is the same address for the second time.
 *   4. kfree needs no page record: the heap's map has the offset of the right stack in a handle
 *      for every frame. It is written before any object of the slab is handed out and not until
 *      the slab is empty again; for all other frames, large blocks too, it leads to stack 0,
 *      which is always full and always empty.
 *   5. Bounds. The capacities of all stacks of a handle are at most NODELOCAL_STACK_BYTES of
 *      objects: opening one closes others until it fits, and growing stops there. Batches being
 *      filled for other nodes are at most NODELOCAL_OUT_BYTES. A depot has at most depot_batches
 *      batches and no more objects than are outside of it and of slabs, `incoming` at most
 *      NODELOCAL_INCOMING batches plus one for each CPU that is just sending (whoever reaches the
 *      bound empties it), the partial list min_partial empty slabs. The pointers' own memory is
 *      one page for each open stack and 512 bytes for each batch.
 *      Such an object pins its slab, which is small for that reason. A stack which more objects
 *      left in a row than any stack can keep goes back to two batches; so when everything is freed,
 *      in whatever order, a cache keeps for each handle two batches of objects and one for each
 *      other node, for each node NODELOCAL_INCOMING batches, as many in depots as all that, and
 *      one slab at most for each of them, besides the empty ones. cache_shrink and the handles'
 *      quiesce give all of it back. A stack that is not freed through is not cut: it keeps up to
 *      511 objects, hence as many slabs.
 *   6. Nothing writes into a free object, so what a constructor made stays.
 *   7. Running out of pages loses nothing: without a page of slots or a batch, objects move
 *      one by one between the slabs and the caller, which needs no memory.
 *
 * Slabs have the smallest order that wastes little (nodelocal_auto_order): after nine of ten
 * objects were freed at random, one of k objects is still there with probability 1 - 0.9^k. Taking
 * and giving batches at a time makes up for what small slabs cost.
 *
 * Colouring: successive slabs start at different lines as far as the slack allows. Objects that are
 * a multiple of 1 KiB apart fall into few sets of a level-1 cache and leave no slack; where a slab
 * has so many of them that it costs 1/16 at most (order 3 for 1 KiB, 4 for 4 KiB: an order that the
 * cache has to ask for), and no more than a cache line of alignment was asked for, each gets one
 * line more. kmalloc's classes are naturally aligned and stay.
 *
 * Statistics: with the parameter `stats` the handles get a table of their own, whose functions
 * count and then do the same; without it the fast path has nothing to test.
 *
 * Left out: merging of caches, debug fields around objects, moving batches back to the node whose
 * memory they are while a depot keeps them. Objects too large for four on a stack go to the slabs
 * directly.
 *
 * Locks, in order: list_lock of a node (rank NODE); none is taken while another is held. Pages and
 * metadata are asked for without any.
 */
#include "allocators/nodelocal.h"

#include "allocators/common/base.h"
#include "allocators/common/defaults.h"
#include "allocators/nodelocal_depot.h"
#include "allocators/nodelocal_inspect.h"
#include "allocators/nodelocal_layout.h"
#include "allocators/nodelocal_remote.h"
#include "allocators/nodelocal_slab.h"
#include "allocators/nodelocal_stack.h"

#include <numaslab/plugin.h>
#include <string.h>

struct nodelocal_params {
	int64_t stack_objects;
	int64_t batch_objects;
	bool colour;
	bool stats;
};

/* ---- flushing ---- */

/* Everything that the handle holds goes back. */
static void nodelocal_flush(struct nodelocal_cpu *cpu)
{
	struct nodelocal_batch *spare;

	for (unsigned i = 1; i < cpu->nr_stacks; i++) {
		nodelocal_stack_close(cpu, &cpu->stacks[i]);
		nodelocal_send_all(cpu, &cpu->stacks[i]);
	}
	spare = cpu->spare;
	cpu->spare = NULL;
	if (spare) {
		spare->next = NULL;
		nodelocal_batches_put(NULL, cpu->base.heap, spare);
	}
}

static void nodelocal_quiesce(struct nslab_cpu *base)
{
	unsigned epoch;

	if (!nslab_flush_is_due(base, &epoch))
		return;
	nodelocal_flush(nodelocal_cpu_of(base));
	nslab_flush_serve(base, epoch);
}

/* ---- slow paths ---- */

/* The handle's stack of a cache; from here on its slot number counts as used. */
static struct nodelocal_stack *nodelocal_stack_enter(struct nodelocal_cpu *cpu,
						     struct nodelocal_cache *s)
{
	struct nodelocal_stack *stack = &cpu->stacks[s->index];

	nodelocal_quiesce(&cpu->base);
	stack->s = s;
	if (cpu->nr_stacks <= s->index)
		cpu->nr_stacks = s->index + 1;
	return stack;
}

/* The CPU's node has nothing more: pages of the nearest node that has, then any free object. */
static void *nodelocal_take_elsewhere(struct nodelocal_cpu *cpu, struct nodelocal_cache *s,
				      gfp_t gfp, int nid)
{
	struct nslab_page *page = nodelocal_slab_create(cpu, s, gfp, nid);
	int nr_nodes = s->base.heap->env->arena->nr_nodes;
	void *obj = NULL;

	if (page) {
		nodelocal_lock(s->node[page->node]);
		nodelocal_slab_add_locked(s, s->node[page->node], page);
		nodelocal_take_locked(s, s->node[page->node], 1, &obj);
		nodelocal_unlock(s->node[page->node]);
		return obj;
	}
	for (int i = 0; i < nr_nodes && !obj; i++) {
		struct nodelocal_node *node = s->node[(nid + i) % nr_nodes];

		nodelocal_drain(cpu, s, node, 0);
		nodelocal_lock(node);
		nodelocal_take_locked(s, node, 1, &obj);
		nodelocal_unlock(node);
	}
	return obj;
}

static void *nodelocal_take(struct nodelocal_cpu *cpu, struct nodelocal_cache *s, gfp_t gfp,
			    int nid)
{
	struct nodelocal_stack *stack = nodelocal_stack_enter(cpu, s);
	void *obj = NULL;

	if (nid == cpu->base.node) {
		obj = nodelocal_pop(&cpu->base, s->stack_offset);
		if (!obj && nodelocal_refill(cpu, stack, gfp))
			return nodelocal_pop(&cpu->base, s->stack_offset);
	}
	if (!obj)
		nodelocal_slabs_take(cpu, s, gfp, nid, 1, &obj);
	if (!obj && !(gfp & __GFP_THISNODE))
		obj = nodelocal_take_elsewhere(cpu, s, gfp, nid);
	return obj;
}

void *nodelocal_alloc_slow(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp, int node)
{
	int nid = node == NUMA_NO_NODE ? base->node : node;
	void *obj;

	if (nid < 0 || nid >= base->heap->env->arena->nr_nodes)
		return NULL;
	nodelocal_cpu_of(base)->counts[nodelocal_cache_of(s)->index].nr_alloc_slow++;
	obj = nodelocal_take(nodelocal_cpu_of(base), nodelocal_cache_of(s), gfp, nid);
	if (obj && (gfp & __GFP_ZERO) && !s->ctor)
		memset(obj, 0, s->object_size);
	return obj;
}

void nodelocal_free_slow(struct nslab_cpu *base, struct kmem_cache *s, void *obj)
{
	struct nodelocal_cpu *cpu = nodelocal_cpu_of(base);
	const struct nslab_env *env = base->heap->env;
	struct nodelocal_stack *stack;
	int home;

	if (!nslab_is_arena(env, obj) || nslab_frame_of(env, obj)->s != s) {
		env->report(env, "cache '%s': free of %p, which is no object", s->name, obj);
		return;
	}
	stack = nodelocal_stack_enter(cpu, nodelocal_cache_of(s));
	cpu->counts[stack->s->index].nr_free_slow++;
	home = nslab_node_of(env, obj);
	if (home != base->node) {
		nodelocal_free_remote(cpu, stack, home, obj);
	} else if (!nodelocal_stack_open(cpu, stack)) {
		nodelocal_slabs_put(cpu, stack->s, home, 1, &obj);
	} else if (!nodelocal_push(base, stack->s->stack_offset, obj)) {
		if (!nodelocal_stack_grow(cpu, stack))
			nodelocal_spill(cpu, stack);
		nodelocal_push(base, stack->s->stack_offset, obj);
	}
}

void *nodelocal_kmalloc_slow(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp, int node)
{
	if (size_bytes == 0)
		return NSLAB_ZERO_SIZE_PTR;
	if (size_bytes <= NSLAB_KMALLOC_MAX_SIZE)
		return nodelocal_alloc_slow(
			base, base->heap->kmalloc[nslab_kmalloc_index(size_bytes)], gfp, node);
	return nslab_kmalloc_large(base, size_bytes, gfp, node);
}

void nodelocal_kfree_slow(struct nslab_cpu *base, void *obj)
{
	const struct nslab_env *env = base->heap->env;
	struct nslab_page *page;

	if (nslab_is_zero_or_null(obj))
		return;
	if (!nslab_is_arena(env, obj)) {
		env->report(env, "kfree of %p, which is no object", obj);
		return;
	}
	page = nslab_page_of(env, obj);
	if (page->flags & NSLAB_PAGE_LARGE)
		nslab_kfree_large(base, page);
	else if (page->flags & NSLAB_PAGE_SLAB)
		nodelocal_free_slow(base, page->s, obj);
	else
		env->report(env, "kfree of %p, which is no object", obj);
}

/* ---- the table's functions ---- */

static NODELOCAL_HOT void *nodelocal_alloc(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp,
					   int node)
{
	return nodelocal_alloc_fast(base, s, gfp, node);
}

static NODELOCAL_HOT void nodelocal_free(struct nslab_cpu *base, struct kmem_cache *s, void *obj)
{
	nodelocal_free_fast(base, s, obj);
}

static NODELOCAL_HOT void *nodelocal_kmalloc(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp,
					     int node)
{
	return nodelocal_kmalloc_fast(base, size_bytes, gfp, node);
}

static NODELOCAL_HOT void nodelocal_kfree(struct nslab_cpu *base, void *obj)
{
	nodelocal_kfree_fast(base, obj);
}

static void nodelocal_free_bulk(struct nslab_cpu *base, struct kmem_cache *s, size_t nr,
				void **objs)
{
	for (size_t i = 0; i < nr; i++)
		nodelocal_free_fast(base, s, objs[i]);
}

static size_t nodelocal_alloc_bulk(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp,
				   int node, size_t nr, void **objs)
{
	struct nodelocal_stack *stack = nodelocal_stack_of(base, s);
	size_t done = 0;

	while (done < nr) {
		if (nodelocal_is_plain(gfp, node)) {
			size_t held = (size_t)(stack->top - stack->base);
			size_t step = held < nr - done ? held : nr - done;

			stack->top -= step;
			memcpy(objs + done, stack->top + 1, step * sizeof(void *));
			done += step;
			if (done == nr)
				break;
		}
		objs[done] = nodelocal_alloc_slow(base, s, gfp, node);
		if (!objs[done]) {
			nodelocal_free_bulk(base, s, done, objs);
			return 0;
		}
		done++;
	}
	return nr;
}

/* ---- the same, counted: the table of the handles under `stats` ---- */

static struct nodelocal_counts *nodelocal_counts_of(struct nslab_cpu *base, struct kmem_cache *s)
{
	return &nodelocal_cpu_of(base)->counts[nodelocal_cache_of(s)->index];
}

static void *nodelocal_counted_alloc(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp,
				     int node)
{
	nodelocal_counts_of(base, s)->nr_alloc++;
	return nodelocal_alloc_fast(base, s, gfp, node);
}

static void nodelocal_counted_free(struct nslab_cpu *base, struct kmem_cache *s, void *obj)
{
	nodelocal_counts_of(base, s)->nr_free++;
	nodelocal_free_fast(base, s, obj);
}

static size_t nodelocal_counted_alloc_bulk(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp,
					   int node, size_t nr, void **objs)
{
	nodelocal_counts_of(base, s)->nr_alloc += nr;
	return nodelocal_alloc_bulk(base, s, gfp, node, nr, objs);
}

static void nodelocal_counted_free_bulk(struct nslab_cpu *base, struct kmem_cache *s, size_t nr,
					void **objs)
{
	nodelocal_counts_of(base, s)->nr_free += nr;
	nodelocal_free_bulk(base, s, nr, objs);
}

static void *nodelocal_counted_kmalloc(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp,
				       int node)
{
	if (size_bytes && size_bytes <= NSLAB_KMALLOC_MAX_SIZE)
		nodelocal_counts_of(base, base->heap->kmalloc[nslab_kmalloc_index(size_bytes)])
			->nr_alloc++;
	return nodelocal_kmalloc_fast(base, size_bytes, gfp, node);
}

static void nodelocal_counted_kfree(struct nslab_cpu *base, void *obj)
{
	const struct nslab_env *env = base->heap->env;

	if (nslab_is_arena(env, obj) && (nslab_page_of(env, obj)->flags & NSLAB_PAGE_SLAB))
		nodelocal_counts_of(base, nslab_page_of(env, obj)->s)->nr_free++;
	nodelocal_kfree_fast(base, obj);
}

/* The host's table of the heap with the counting functions in it. */
static const struct nslab_allocator_ops *nodelocal_counted_table(struct nodelocal_heap *heap)
{
	struct nslab_allocator_ops *ops = &heap->counted_ops;

	if (ops->alloc)
		return ops;
	*ops = *heap->base.ops;
	ops->alloc = nodelocal_counted_alloc;
	ops->free = nodelocal_counted_free;
	ops->alloc_bulk = nodelocal_counted_alloc_bulk;
	ops->free_bulk = nodelocal_counted_free_bulk;
	ops->kmalloc = nodelocal_counted_kmalloc;
	ops->kfree = nodelocal_counted_kfree;
	return ops;
}

/* ---- caches ---- */

static int nodelocal_cache_create(struct nslab_heap *base, const struct nslab_cache_spec *spec,
				  struct kmem_cache **s)
{
	struct nodelocal_heap *heap = nodelocal_heap_of(base);
	struct nodelocal_cache *new;
	unsigned index = 1;
	int rc;

	rc = nslab_spec_check(spec);
	if (rc)
		return rc;
	while (index < NODELOCAL_NR_STACKS && heap->caches[index])
		index++;
	if (index == NODELOCAL_NR_STACKS)
		return -ENOSPC;
	rc = nodelocal_cache_make(heap, spec, index, &new);
	if (!rc)
		*s = &new->base;
	return rc;
}

static void nodelocal_cache_release(struct nodelocal_cache *s)
{
	const struct nslab_env *env = s->base.heap->env;

	nodelocal_heap_of(s->base.heap)->caches[s->index] = NULL;
	nslab_cache_exit(&s->base);
	nodelocal_nodes_free(s, env);
	env->free_meta(env, s, nodelocal_cache_bytes(env));
}

static int nodelocal_cache_destroy(struct kmem_cache *base)
{
	struct nodelocal_cache *s = nodelocal_cache_of(base);

	if (!s->is_dying) {
		s->destroy_epoch = nslab_flush_request(base->heap);
		s->is_dying = true;
	}
	if (!nslab_flush_is_done(base->heap, s->destroy_epoch))
		return -EAGAIN;
	s->is_dying = false;
	if (nodelocal_reap(s))
		return -EBUSY;
	nslab_list_for_each (pos, &base->heap->cpus) {
		struct nslab_cpu *cpu = nslab_list_entry(pos, struct nslab_cpu, link);

		memset(&nodelocal_cpu_of(cpu)->counts[s->index], 0,
		       sizeof(struct nodelocal_counts));
	}
	nodelocal_cache_release(s);
	return 0;
}

static size_t nodelocal_cache_shrink(struct kmem_cache *s)
{
	nslab_flush_request(s->heap);
	return nodelocal_reap(nodelocal_cache_of(s));
}

/* ---- opening and closing ---- */

static int nodelocal_containers_make(struct nodelocal_heap *heap)
{
	/* order 0: a page of eight goes back as soon as all eight are back */
	const struct nslab_cache_spec spec = {
		.name = "nodelocal-batch",
		.object_size = sizeof(struct nodelocal_batch),
		.align = sizeof(struct nodelocal_batch),
		.order = 0,
		.min_partial = 2,
	};
	int rc = nodelocal_cache_make(heap, &spec, 0, &heap->containers);

	if (!rc)
		nslab_cache_exit(&heap->containers->base); /* not one of the user's caches */
	return rc;
}

/* Whatever is still there goes, live objects too: nobody can use them any more. */
static void nodelocal_cache_force(struct nodelocal_cache *s)
{
	const struct nslab_env *env = s->base.heap->env;

	if (nodelocal_reap(s))
		env->report(env, "cache '%s': objects still allocated at close", s->base.name);
	for (int nid = 0; nid < env->arena->nr_nodes; nid++) {
		nslab_list_splice_tail(&s->node[nid]->partial, &s->node[nid]->full);
		nodelocal_slabs_release(NULL, s, &s->node[nid]->full);
	}
	nodelocal_cache_release(s);
}

static void nodelocal_close(struct nslab_heap *base)
{
	struct nodelocal_heap *heap = nodelocal_heap_of(base);

	for (unsigned i = 1; i < NODELOCAL_NR_STACKS; i++) {
		if (heap->caches[i])
			nodelocal_cache_force(heap->caches[i]);
	}
	if (heap->containers)
		nodelocal_cache_force(heap->containers);
	if (heap->map)
		base->env->free_meta(base->env, heap->map, heap->map_bytes);
	base->env->free_meta(base->env, heap, sizeof(*heap));
}

static int nodelocal_map_make(struct nodelocal_heap *heap)
{
	const struct nslab_env *env = heap->base.env;
	size_t frames =
		((size_t)env->arena->nr_nodes << env->arena->node_shift) >> NSLAB_PAGE_SHIFT;

	heap->map_bytes = frames * sizeof(heap->map[0]);
	heap->map = env->alloc_meta(env, heap->map_bytes, NUMA_NO_NODE);
	if (!heap->map)
		return -ENOMEM;
	for (size_t i = 0; i < frames; i++)
		heap->map[i] = offsetof(struct nodelocal_cpu, stacks);
	return 0;
}

static int nodelocal_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	const struct nodelocal_params *p = params;
	struct nodelocal_heap *new = env->alloc_meta(env, sizeof(*new), NUMA_NO_NODE);
	int rc;

	if (!new)
		return -ENOMEM;
	nslab_heap_init(&new->base, env);
	new->stack_objects = p ? p->stack_objects : NSLAB_AUTO;
	new->batch_objects = p ? p->batch_objects : NSLAB_AUTO;
	new->is_coloured = p ? p->colour : true;
	new->is_counted = p && p->stats;
	rc = nodelocal_map_make(new);
	if (!rc)
		rc = nodelocal_containers_make(new);
	if (!rc)
		rc = nslab_kmalloc_caches_make(&new->base, nodelocal_cache_create);
	if (rc) {
		nodelocal_close(&new->base);
		return rc;
	}
	*heap = &new->base;
	return 0;
}

static int nodelocal_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu)
{
	const struct nslab_env *env = heap->env;
	const struct nslab_arena *arena = env->arena;
	struct nodelocal_cpu *new;

	if (node < 0 || node >= arena->nr_nodes)
		return -EINVAL;
	new = env->alloc_meta(env, sizeof(*new), node);
	if (!new)
		return -ENOMEM;
	nslab_cpu_init(&new->base, heap, id, node);
	if (nodelocal_heap_of(heap)->is_counted)
		new->base.ops = nodelocal_counted_table(nodelocal_heap_of(heap));
	new->local_base = arena->base + ((uintptr_t)node << arena->node_shift);
	new->local_bytes = arena->node_bytes;
	new->local_map = nodelocal_heap_of(heap)->map +
			 (((uintptr_t)node << arena->node_shift) >> NSLAB_PAGE_SHIFT);
	new->nr_stacks = 1;
	for (unsigned i = 0; i < NODELOCAL_NR_STACKS; i++)
		nodelocal_stack_reset(new, &new->stacks[i]);
	new->stack_of[0] = offsetof(struct nodelocal_cpu, stacks);
	for (size_t i = 1; i < NODELOCAL_KMALLOC_TABLE; i++) {
		struct kmem_cache *s = heap->kmalloc[nslab_kmalloc_index(8 * i)];

		new->stack_of[i] = (uint16_t)nodelocal_cache_of(s)->stack_offset;
	}
	*cpu = &new->base;
	return 0;
}

static void nodelocal_cpu_offline(struct nslab_cpu *base)
{
	const struct nslab_env *env = base->heap->env;

	nodelocal_flush(nodelocal_cpu_of(base));
	nodelocal_counts_keep(nodelocal_cpu_of(base));
	nslab_cpu_exit(base);
	env->free_meta(env, nodelocal_cpu_of(base), sizeof(struct nodelocal_cpu));
}

static const char *const nodelocal_auto[] = {"auto", NULL};

static const struct nslab_param nodelocal_params[] = {
	{"stack_objects", NSLAB_PARAM_INT, NSLAB_PARAM_TUNABLE,
	 offsetof(struct nodelocal_params, stack_objects), "auto", -1, NODELOCAL_STACK_SLOTS,
	 nodelocal_auto, "free objects that a cpu keeps of one cache, at most; below 4 none"},
	{"batch_objects", NSLAB_PARAM_INT, NSLAB_PARAM_TUNABLE,
	 offsetof(struct nodelocal_params, batch_objects), "auto", -1, NODELOCAL_BATCH_MAX,
	 nodelocal_auto, "objects that move between a cpu and a node at a time; 0 is auto"},
	{"colour", NSLAB_PARAM_BOOL, NSLAB_PARAM_TUNABLE, offsetof(struct nodelocal_params, colour),
	 "yes", 0, 1, NULL, "spread objects that are a multiple of 1 kib apart over cache sets"},
	{"stats", NSLAB_PARAM_BOOL, 0, offsetof(struct nodelocal_params, stats), "no", 0, 1, NULL,
	 "count events, also on the fast paths"},
	NSLAB_PARAM_END,
};

static const struct nslab_allocator_ops nodelocal_ops = {
	.name = "nodelocal",
	.summary = "per-cpu array stacks over node-local slabs, remote frees sent home in batches",
	.models = "-",
	.caps = NSLAB_CAP_NODE | NSLAB_CAP_REMOTE_FREE | NSLAB_CAP_ORDER | NSLAB_CAP_CACHE |
		NSLAB_CAP_CTOR | NSLAB_CAP_SHRINK | NSLAB_CAP_PAGES,
	.params = nodelocal_params,
	.params_size = sizeof(struct nodelocal_params),
	.open = nodelocal_open,
	.close = nodelocal_close,
	.cpu_online = nodelocal_cpu_online,
	.cpu_offline = nodelocal_cpu_offline,
	.cache_create = nodelocal_cache_create,
	.cache_destroy = nodelocal_cache_destroy,
	.alloc = nodelocal_alloc,
	.free = nodelocal_free,
	.quiesce = nodelocal_quiesce,
	.alloc_bulk = nodelocal_alloc_bulk,
	.free_bulk = nodelocal_free_bulk,
	.cache_shrink = nodelocal_cache_shrink,
	.cache_validate = nodelocal_cache_validate,
	.cache_stats = nodelocal_cache_stats,
	.cache_glance = nodelocal_cache_glance,
	.kmalloc = nodelocal_kmalloc,
	.kfree = nodelocal_kfree,
};

NSLAB_ALLOCATOR_PLUGIN(nodelocal_ops);
