/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mstress.c: trees of linked objects, built and dropped at random, some of them handed to other
 * workers.
 *
 * After mstress of mimalloc-bench (Daan Leijen; with Leijen, Zorn and de Moura, "Mimalloc: Free
 * List Sharding in Action", APLAS 2019): the load of a server, with objects of powers of two bytes
 * that migrate between threads, some short-lived and some long-lived. In the kernel these are
 * structures that own others, a request with its buffers or an inode with its pages' nodes, built
 * on one CPU and torn down on whichever holds the last reference.
 *
 * How it works: each worker has slots, each with a tree. It builds a tree of 1 to `tree_objects`
 * nodes in the objects' own bytes, drops the tree of a slot and puts the new one there. The slot is
 * the square of a uniform number, so trees of low slots live short and those of high slots long.
 * One new tree in `hand_over` is left at a random one of 64 places that all workers share, and what
 * lay there is kept instead. A tree is freed by rotating left children up until there are none, so
 * that neither a stack nor a parent link is needed, and every node's stamp is checked on the way.
 * One operation is one object of a new tree; a batch does whole trees.
 *
 * What differs: the original ends all threads after each phase and lets objects survive into the
 * next; threads belong to the runner here, so a worker's trees live on with it. Its threads have
 * unequal loads, ours equal ones. It links objects in arrays; here they are trees, as nodes that
 * own others are. The entry without allocator is missing: it hands out the same bytes every time.
 *
 * Invariants: a slot holds a tree except after a failed allocation; a tree is in a worker's slot or
 * at a shared place; over all workers number and sum of addresses of allocated and freed objects
 * are equal, and every node is freed with the stamp that it was built with.
 */
#include "workloads/sized.h"
#include "workloads/swap.h"

#include <numaslab/plugin.h>

#define MSTRESS_TREE_MAX 64
#define MSTRESS_SHARED	 64

struct mstress_params {
	int64_t min_size, max_size;
	int64_t trees;
	int64_t tree_objects;
	int64_t hand_over;
};

struct mstress_node {
	uint64_t stamp; /* the node's own address, stored by its allocation */
	struct mstress_node *left, *right;
	uint32_t draw;
	int32_t built_by; /* worker */
};

struct mstress {
	struct nslab_sized_workload sized;
	struct mstress_params params;
	struct nslab_swap *shared; /* [MSTRESS_SHARED] of struct mstress_node, or NULL */
	atomic_uint_fast64_t nr_handed, nr_remote; /* added up when workers leave */
};

struct mstress_worker {
	struct nslab_sized_worker sized;
	struct mstress_node **trees; /* [nr_trees] */
	size_t nr_trees;
	uint32_t tree_objects;
	uint32_t hand_over;    /* one tree in so many */
	uint32_t to_hand_over; /* trees until the next one */
	uint64_t nr_handed;    /* trees */
	uint64_t nr_remote;    /* objects freed that another worker built */
};

static const struct nslab_param mstress_rows[] = {
	{
		.name = "min_size",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct mstress_params, min_size),
		.def = "32",
		.min = sizeof(struct mstress_node),
		.max = NSLAB_SIZES_MAX,
		.help = "bytes of the smallest object; sizes are rounded down to a power of two",
	},
	NSLAB_MAX_SIZE_ROW(mstress_params, "1024"),
	{
		.name = "trees",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct mstress_params, trees),
		.def = "512",
		.min = 1,
		.max = 1 << 20,
		.help = "trees that each worker keeps alive",
	},
	{
		.name = "tree_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct mstress_params, tree_objects),
		.def = "15",
		.min = 1,
		.max = MSTRESS_TREE_MAX,
		.help = "most objects of a tree",
	},
	{
		.name = "hand_over",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct mstress_params, hand_over),
		.def = "4",
		.min = 1,
		.max = 1 << 30,
		.help = "one new tree in so many goes to a shared place",
	},
	NSLAB_PARAM_END,
};

static struct mstress *mstress_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct mstress, sized.base);
}

/* The largest power of two that is not above it. */
static int64_t mstress_power(int64_t size)
{
	int64_t power = 1;

	while (power * 2 <= size)
		power *= 2;
	return power;
}

/* ---- trees ---- */

static inline __attribute__((always_inline)) void mstress_drop(struct mstress_worker *self,
							       struct nslab_cursor *cur,
							       struct mstress_node *node,
							       const enum nslab_entry entry)
{
	while (node) {
		struct mstress_node *next = node->left;

		if (next) {
			node->left = next->right;
			next->right = node;
		} else {
			const struct nslab_sized slot = {.obj = node, .draw = node->draw};

			next = node->right;
			self->sized.nr_bad += node->stamp != (uintptr_t)node;
			self->nr_remote += node->built_by != self->sized.base.index;
			nslab_cursor_free(cur, &slot, entry);
		}
		node = next;
	}
}

/* A complete binary tree of nr nodes, or NULL when memory is out. */
static inline __attribute__((always_inline)) struct mstress_node *
mstress_build(struct mstress_worker *self, struct nslab_cursor *cur, size_t nr,
	      const enum nslab_entry entry)
{
	struct mstress_node *nodes[MSTRESS_TREE_MAX];

	for (size_t k = 0; k < nr; k++) {
		struct nslab_sized slot;

		if (!nslab_cursor_alloc(cur, &slot, entry)) {
			mstress_drop(self, cur, k ? nodes[0] : NULL, entry);
			return NULL;
		}
		nodes[k] = slot.obj;
		nodes[k]->left = nodes[k]->right = NULL;
		nodes[k]->draw = slot.draw;
		nodes[k]->built_by = self->sized.base.index;
		if (k & 1)
			nodes[(k - 1) / 2]->left = nodes[k];
		else if (k)
			nodes[(k - 1) / 2]->right = nodes[k];
	}
	return nodes[0];
}

/* The tree that lay at a shared place, or NULL, for this one. */
static struct mstress_node *mstress_exchange(struct mstress_worker *self, struct mstress_node *tree,
					     uint64_t random)
{
	struct mstress *state = mstress_of(self->sized.base.workload);

	self->to_hand_over = self->hand_over;
	self->nr_handed++;
	return nslab_swap(&state->shared[random % MSTRESS_SHARED], tree);
}

/* Objects of the new tree; 0 when memory is out. */
static inline __attribute__((always_inline)) size_t
mstress_replace(struct mstress_worker *self, struct nslab_cursor *cur, const enum nslab_entry entry)
{
	uint64_t random = nslab_rng_next(&self->sized.rng);
	uint64_t u = random >> 32;
	size_t nr = 1 + (size_t)(((random & 0xffff) * self->tree_objects) >> 16);
	struct mstress_node *tree = mstress_build(self, cur, nr, entry);
	struct mstress_node **slot;

	if (!tree)
		return 0;
	if (--self->to_hand_over == 0)
		tree = mstress_exchange(self, tree, random >> 16);
	slot = &self->trees[(((u * u) >> 32) * self->nr_trees) >> 32];
	mstress_drop(self, cur, *slot, entry);
	*slot = tree;
	return nr;
}

static inline __attribute__((always_inline)) size_t
mstress_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct mstress_worker *self = nslab_container_of(worker, struct mstress_worker, sized.base);
	struct nslab_cursor cur = self->sized.cur;
	size_t done = 0;

	while (done < n && !self->sized.is_failed) {
		size_t nr = mstress_replace(self, &cur, entry);

		done += nr;
		self->sized.is_failed = !nr;
	}
	self->sized.cur = cur;
	return done;
}

static size_t mstress_cache(struct nslab_worker *worker, size_t n)
{
	return mstress_loop(worker, n, NSLAB_ENTRY_CACHE);
}

static size_t mstress_kmalloc(struct nslab_worker *worker, size_t n)
{
	return mstress_loop(worker, n, NSLAB_ENTRY_KMALLOC);
}

static size_t mstress_malloc(struct nslab_worker *worker, size_t n)
{
	return mstress_loop(worker, n, NSLAB_ENTRY_MALLOC);
}

/* ---- life ---- */

static void mstress_teardown(struct nslab_workload *w)
{
	struct mstress *state = mstress_of(w);

	free(state->shared);
	nslab_sizes_exit(&state->sized.sizes);
	free(state);
}

static int mstress_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct mstress_params *p = params;
	struct mstress *state;
	int rc;

	if (p->min_size > p->max_size)
		return -EINVAL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->params = *p;
	rc = nslab_sized_init(&state->sized, run, "mstress", NSLAB_LAW_POWER,
			      mstress_power(p->min_size), mstress_power(p->max_size));
	state->shared = nslab_apart_alloc(MSTRESS_SHARED * sizeof(*state->shared));
	if (!rc && !state->shared)
		rc = -ENOMEM;
	if (rc) {
		mstress_teardown(&state->sized.base);
		return rc;
	}
	*w = &state->sized.base;
	return 0;
}

/* Powers of two, each half as often as the one before it. */
static void mstress_draw_sizes(struct mstress_worker *self, const struct mstress *state)
{
	for (size_t i = 0; i < NSLAB_NR_DRAWS; i++) {
		uint64_t bits = nslab_rng_next(&self->sized.rng);
		int64_t size = state->sized.min_size;

		for (; (bits & 1) && size < state->sized.max_size; bits >>= 1)
			size *= 2;
		self->sized.draws[i] = nslab_draw_of((size_t)size);
	}
}

/* Off the clock. */
static int mstress_fill(struct mstress_worker *self, enum nslab_entry entry)
{
	for (size_t i = 0; i < self->nr_trees; i++) {
		size_t nr = 1 + nslab_rng_below(&self->sized.rng, self->tree_objects);

		self->trees[i] = mstress_build(self, &self->sized.cur, nr, entry);
		if (!self->trees[i])
			return -ENOMEM;
	}
	return 0;
}

static void mstress_worker_free(struct mstress_worker *self)
{
	enum nslab_entry entry = self->sized.base.workload->run->entry;

	for (size_t i = 0; self->trees && i < self->nr_trees; i++)
		mstress_drop(self, &self->sized.cur, self->trees[i], entry);
	free(self->trees);
	nslab_sized_worker_exit(&self->sized);
	free(self);
}

static int mstress_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			       struct nslab_worker **worker)
{
	struct mstress *state = mstress_of(w);
	struct mstress_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->nr_trees = (size_t)state->params.trees;
	self->tree_objects = (uint32_t)state->params.tree_objects;
	self->to_hand_over = self->hand_over = (uint32_t)state->params.hand_over;
	self->trees = nslab_apart_alloc(self->nr_trees * sizeof(struct mstress_node *));
	rc = nslab_sized_worker_init(&self->sized, w, cpu, index);
	if (!rc && !self->trees)
		rc = -ENOMEM;
	if (!rc) {
		mstress_draw_sizes(self, state);
		rc = mstress_fill(self, w->run->entry);
	}
	if (rc) {
		mstress_worker_free(self);
		return rc;
	}
	nslab_swap_enter(&state->shared[0]);
	*worker = &self->sized.base;
	return 0;
}

static void mstress_worker_exit(struct nslab_worker *worker)
{
	struct mstress_worker *self = nslab_container_of(worker, struct mstress_worker, sized.base);
	struct mstress *state = mstress_of(worker->workload);

	atomic_fetch_add(&state->nr_handed, self->nr_handed);
	atomic_fetch_add(&state->nr_remote, self->nr_remote);
	/* place 0 counts the workers for all places */
	if (nslab_swap_leave(&state->shared[0])) {
		for (size_t i = 0; i < MSTRESS_SHARED; i++)
			mstress_drop(self, &self->sized.cur, nslab_swap(&state->shared[i], NULL),
				     worker->workload->run->entry);
	}
	mstress_worker_free(self);
}

static int mstress_verify(struct nslab_workload *w)
{
	return nslab_sized_verdict(&mstress_of(w)->sized);
}

/* Objects freed in the end, when all leave, are not counted: nobody had to free them elsewhere. */
static void mstress_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct mstress *state = mstress_of(w);

	figures->figure(figures, "handed_over", (double)atomic_load(&state->nr_handed), "trees");
	figures->figure(figures, "remote_frees", (double)atomic_load(&state->nr_remote), "objects");
}

static const struct nslab_workload_ops mstress_ops = {
	.name = "mstress",
	.summary = "build and drop trees of linked objects, some handed to other workers",
	.models = "mstress of mimalloc-bench (Leijen and others, 2019): the load of a server",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 1,
	.params = mstress_rows,
	.params_size = sizeof(struct mstress_params),
	.setup = mstress_setup,
	.worker_init = mstress_worker_init,
	.batch = {[NSLAB_ENTRY_CACHE] = mstress_cache,
		  [NSLAB_ENTRY_KMALLOC] = mstress_kmalloc,
		  [NSLAB_ENTRY_MALLOC] = mstress_malloc},
	.worker_exit = mstress_worker_exit,
	.verify = mstress_verify,
	.teardown = mstress_teardown,
	.figures = mstress_figures,
};
NSLAB_WORKLOAD_PLUGIN(mstress_ops);
