/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rbtree.c: intervals in a red-black tree whose nodes come from the cache under test.
 *
 * It imitates an address space whose mappings come and go, extents of a file, or timers: the node
 * lies in the object, the search walks over objects of many ages and slabs, and rebalancing writes
 * to neighbours in key order, which are no neighbours in memory. So placement of objects shows in
 * the search as much as the allocator's own path does.
 *
 * How it works: each worker has a tree (libbsd's <bsd/sys/tree.h>: macros on intrusive nodes) of
 * `intervals` intervals that do not overlap, of 1 to 8 units in a space eight times as large as all
 * of them. One operation erases the interval at or behind a random place and frees it, then
 * allocates one and puts it into the first gap at or behind another random place.
 *
 * Invariants: starts rise in key order and intervals do not overlap; no red node has a red child,
 * every way down has the same number of black nodes, every child knows its parent; every stamp is
 * right and as many nodes are reached as were put in. Checked when the worker leaves; verify()
 * answers -EILSEQ when one was broken.
 *
 * Left out: trees that CPUs share under a lock, and the subtree maxima of an interval tree.
 */
#include "workloads/structure.h"

#include <bsd/sys/tree.h>
#include <numaslab/plugin.h>

#define RBTREE_LENGTH_MAX 8u
#define RBTREE_ROOM	  (8 * RBTREE_LENGTH_MAX) /* units of space for each interval */
#define RBTREE_DEPTH_MAX  64			  /* twice the height of the largest tree */

struct rbtree_params {
	int64_t size, intervals;
};

struct rbtree_node {
	uint64_t stamp;
	RB_ENTRY(rbtree_node) link;
	uint64_t start, end; /* end is the first unit behind it */
};

RB_HEAD(rbtree_head, rbtree_node);

struct rbtree {
	struct nslab_structure base;
	struct rbtree_params params;
};

struct rbtree_worker {
	struct nslab_structure_worker base;
	struct rbtree_head head;
	uint64_t nr;	/* nodes in the tree */
	uint64_t space; /* units; the last RBTREE_LENGTH_MAX are never drawn */
};

static const struct nslab_param rbtree_rows[] = {
	NSLAB_STRUCTURE_SIZE_ROW(rbtree_params, "184", rbtree_node),
	{
		.name = "intervals",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct rbtree_params, intervals),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "intervals in each worker's tree",
	},
	NSLAB_PARAM_END,
};

static int rbtree_compare(const struct rbtree_node *a, const struct rbtree_node *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

/* What RB_GENERATE_STATIC stands for, whose __unused is not there without libbsd's own headers. */
RB_GENERATE_INTERNAL(rbtree_head, rbtree_node, link, rbtree_compare, static __attribute__((unused)))

static int rbtree_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct rbtree_params *p = params;
	int rc = nslab_structure_setup(run, "rbtree", p->size, sizeof(struct rbtree), w);

	if (!rc)
		nslab_container_of(*w, struct rbtree, base.base)->params = *p;
	return rc;
}

/* ---- operations ---- */

/* The interval at or behind a place; beyond the last one it is the first. The tree has one. */
static struct rbtree_node *rbtree_at(struct rbtree_worker *self, uint64_t place)
{
	struct rbtree_node key = {.start = place};
	struct rbtree_node *node = RB_NFIND(rbtree_head, &self->head, &key);

	return node ? node : RB_MIN(rbtree_head, &self->head);
}

/* The first gap at or behind a place; behind the last interval there always is one. */
static void rbtree_insert(struct rbtree_worker *self, struct rbtree_node *node)
{
	uint64_t place = nslab_structure_draw(&self->base.rng, self->space);
	uint64_t length = 1 + nslab_structure_draw(&self->base.rng, RBTREE_LENGTH_MAX);
	struct rbtree_node key = {.start = place};
	struct rbtree_node *next = RB_NFIND(rbtree_head, &self->head, &key);
	struct rbtree_node *before =
		next ? RB_PREV(rbtree_head, &self->head, next) : RB_MAX(rbtree_head, &self->head);

	if (before && before->end > place)
		place = before->end;
	while (next && next->start <= place) {
		place = next->end;
		next = RB_NEXT(rbtree_head, &self->head, next);
	}
	node->start = place;
	node->end = place + length;
	if (next && node->end > next->start)
		node->end = next->start;
	node->stamp = nslab_structure_stamp(node, place);
	RB_INSERT(rbtree_head, &self->head, node);
	self->nr++;
}

static struct rbtree_node *rbtree_erase(struct rbtree_worker *self)
{
	uint64_t place = nslab_structure_draw(&self->base.rng, self->space);
	struct rbtree_node *node = rbtree_at(self, place);

	self->base.nr_broken += node->stamp != nslab_structure_stamp(node, node->start);
	RB_REMOVE(rbtree_head, &self->head, node);
	self->nr--;
	return node;
}

static inline __attribute__((always_inline)) size_t
rbtree_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct rbtree_worker *self = nslab_container_of(worker, struct rbtree_worker, base.base);
	const struct nslab_object_type type = self->base.type;
	size_t done = 0;

	for (; done < n; done++) {
		struct rbtree_node *node = nslab_object_alloc(worker->cpu, &type, entry);

		if (!node) {
			self->base.is_failed = true;
			break;
		}
		rbtree_insert(self, node);
		nslab_object_free(worker->cpu, &type, rbtree_erase(self), entry);
	}
	return done;
}

NSLAB_STRUCTURE_BATCH(rbtree)

/* ---- invariants ---- */

static int rbtree_color(const struct rbtree_node *node)
{
	return node ? RB_COLOR(node, link) : RB_BLACK;
}

/* Black nodes on each way down, or -1 when something is broken. *nr counts the nodes. */
static int rbtree_height(const struct rbtree_node *node, const struct rbtree_node *parent,
			 int depth, uint64_t *nr)
{
	int left, right;

	if (!node)
		return 0;
	if (depth == RBTREE_DEPTH_MAX || RB_PARENT(node, link) != parent ||
	    node->stamp != nslab_structure_stamp(node, node->start))
		return -1;
	if (rbtree_color(node) == RB_RED && (rbtree_color(RB_LEFT(node, link)) == RB_RED ||
					     rbtree_color(RB_RIGHT(node, link)) == RB_RED))
		return -1;
	++*nr;
	left = rbtree_height(RB_LEFT(node, link), node, depth + 1, nr);
	right = rbtree_height(RB_RIGHT(node, link), node, depth + 1, nr);
	if (left < 0 || left != right)
		return -1;
	return left + (rbtree_color(node) == RB_BLACK);
}

static bool rbtree_is_sound(struct rbtree_worker *self)
{
	struct rbtree_node *node;
	uint64_t nr = 0, end = 0;

	if (rbtree_height(RB_ROOT(&self->head), NULL, 0, &nr) < 0 || nr != self->nr ||
	    rbtree_color(RB_ROOT(&self->head)) != RB_BLACK)
		return false;
	RB_FOREACH(node, rbtree_head, &self->head)
	{
		if (node->start < end || node->end <= node->start)
			return false;
		end = node->end;
	}
	return true;
}

/* Children before their parent: the tree is taken down as it stands, even if it is no search tree.
 */
static void rbtree_free(struct rbtree_worker *self, struct rbtree_node *node)
{
	while (node) {
		struct rbtree_node *right = RB_RIGHT(node, link);

		rbtree_free(self, RB_LEFT(node, link));
		nslab_object_free(self->base.base.cpu, &self->base.type, node,
				  self->base.base.workload->run->entry);
		node = right;
	}
}

static void rbtree_worker_exit(struct nslab_worker *worker)
{
	struct rbtree_worker *self = nslab_container_of(worker, struct rbtree_worker, base.base);

	self->base.nr_broken += !rbtree_is_sound(self);
	rbtree_free(self, RB_ROOT(&self->head));
	nslab_structure_worker_exit(&self->base);
	free(self);
}

static int rbtree_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			      struct nslab_worker **worker)
{
	const struct rbtree *state = nslab_container_of(w, struct rbtree, base.base);
	struct rbtree_worker *self = nslab_apart_alloc(sizeof(*self));
	uint64_t nr = (uint64_t)state->params.intervals;
	int rc;

	if (!self)
		return -ENOMEM;
	RB_INIT(&self->head);
	self->space = nr * RBTREE_ROOM;
	rc = nslab_structure_worker_init(&self->base, w, cpu, index);
	while (!rc && self->nr < nr) {
		struct rbtree_node *node = nslab_object_alloc(cpu, &self->base.type, w->run->entry);

		if (node)
			rbtree_insert(self, node);
		else
			rc = -ENOMEM;
	}
	if (rc)
		rbtree_worker_exit(&self->base.base);
	else
		*worker = &self->base.base;
	return rc;
}

static const struct nslab_workload_ops rbtree_ops = {
	.name = "rbtree",
	.summary = "intervals that come and go in a red-black tree of the objects themselves",
	.models = "lib/rbtree.c under mappings, extents and timers",
	.min_workers = 1,
	.params = rbtree_rows,
	.params_size = sizeof(struct rbtree_params),
	.setup = rbtree_setup,
	.worker_init = rbtree_worker_init,
	.batch = NSLAB_STRUCTURE_ENTRIES(rbtree),
	.worker_exit = rbtree_worker_exit,
	.verify = nslab_structure_verify,
	.teardown = nslab_structure_teardown,
};
NSLAB_WORKLOAD_PLUGIN(rbtree_ops);
