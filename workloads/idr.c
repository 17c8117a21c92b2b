/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * idr.c: objects under numbers in a radix tree of 64-slot nodes, both from caches under test.
 *
 * It imitates process ids, file handles, timers' ids and the page cache's index: a number is given
 * out, leads to its object through a few nodes, and is given back. Nodes are 576 bytes, 28 to a
 * slab of order 2, the kernel's radix_tree_node, and live as long as one of their 64 numbers does;
 * so a few long-lived numbers hold many nodes, and slabs, that are otherwise empty.
 *
 * How it works: each worker has a tree of fixed height over at least four times `objects` numbers.
 * With cyclic=yes a new number is the first free one behind the last, as for process ids, so that
 * nodes come and go all the time; otherwise the lowest free one, as for files. One operation is one
 * object allocated and put under a new number and one random object taken out and freed; nodes that
 * this makes or empties are allocated and freed besides and counted in the figures.
 *
 * Invariants: a node's `count` is the number of its slots in use, and bit i of its `free` is set
 * while a number beneath slot i is free; every node knows parent and place; no node is empty; an
 * object carries its number and is found under it. Checked when the worker leaves; verify() answers
 * -EILSEQ when one was broken.
 *
 * Left out: growing the tree at the top, tags other than `free`, preloading, and readers beside the
 * one that writes.
 */
#include "workloads/structure.h"

#include <numaslab/plugin.h>

#define IDR_NODE_BYTES 576
#define IDR_BITS       6
#define IDR_SLOTS      64u
#define IDR_NONE       UINT64_MAX

struct idr_params {
	int64_t size, objects;
	bool cyclic;
};

struct idr_object {
	uint64_t stamp;
	uint64_t id;
};

struct idr_node {
	uint64_t stamp;
	struct idr_node *parent;
	uint64_t free;
	uint8_t shift, offset, count;
	void *slots[IDR_SLOTS]; /* of nodes, or of objects where shift is 0 */
};

_Static_assert(sizeof(struct idr_node) <= IDR_NODE_BYTES, "a node fits in the kernel's size");

struct idr {
	struct nslab_structure base;
	struct idr_params params;
	struct nslab_object_type node_type;
	atomic_uint_fast64_t nr_nodes_made;
};

struct idr_worker {
	struct nslab_structure_worker base;
	struct nslab_object_type node_type; /* its own copy */
	struct idr_node *root;		    /* NULL: no numbers in use */
	unsigned top_shift;
	uint64_t *ids; /* [nr] in use */
	uint64_t nr, next;
	uint64_t nr_nodes_made;
	bool is_cyclic;
};

static const struct nslab_param idr_rows[] = {
	NSLAB_STRUCTURE_SIZE_ROW(idr_params, "128", idr_object),
	{
		.name = "objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct idr_params, objects),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "objects in each worker's tree",
	},
	{
		.name = "cyclic",
		.type = NSLAB_PARAM_BOOL,
		.offset = offsetof(struct idr_params, cyclic),
		.def = "yes",
		.help = "a new number comes behind the last; no: the lowest free one",
	},
	NSLAB_PARAM_END,
};

static void idr_teardown(struct nslab_workload *w)
{
	nslab_object_exit(&nslab_container_of(w, struct idr, base.base)->node_type);
	nslab_structure_teardown(w);
}

static int idr_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct idr_params *p = params;
	struct idr *state;
	int rc = nslab_structure_setup(run, "idr", p->size, sizeof(*state), w);

	if (rc)
		return rc;
	state = nslab_container_of(*w, struct idr, base.base);
	state->params = *p;
	rc = nslab_object_init(run, "idr_node", IDR_NODE_BYTES, &state->node_type);
	if (rc)
		idr_teardown(*w);
	return rc;
}

/* ---- the tree ---- */

/* The first free number at or behind `from` beneath a node; IDR_NONE when there is none. */
static uint64_t idr_next_free(const struct idr_node *node, unsigned shift, uint64_t from)
{
	unsigned first = (unsigned)(from >> shift);
	uint64_t mask;

	if (!node)
		return from;
	if (first >= IDR_SLOTS)
		return IDR_NONE;
	for (mask = node->free & (~UINT64_C(0) << first); mask; mask &= mask - 1) {
		unsigned i = (unsigned)__builtin_ctzll(mask);
		uint64_t low = i == first ? from & ((UINT64_C(1) << shift) - 1) : 0;

		if (shift)
			low = idr_next_free(node->slots[i], shift - IDR_BITS, low);
		if (low != IDR_NONE)
			return ((uint64_t)i << shift) + low;
	}
	return IDR_NONE;
}

/* Half of the numbers are free at least, so there is one. */
static uint64_t idr_new_id(struct idr_worker *self)
{
	uint64_t id = idr_next_free(self->root, self->top_shift, self->next);

	if (id == IDR_NONE)
		id = idr_next_free(self->root, self->top_shift, 0);
	if (self->is_cyclic)
		self->next = (id + 1) & ((UINT64_C(1) << (self->top_shift + IDR_BITS)) - 1);
	return id;
}

static unsigned idr_slot(uint64_t id, unsigned shift)
{
	return (unsigned)(id >> shift) % IDR_SLOTS;
}

static inline __attribute__((always_inline)) struct idr_node *
idr_make_node(struct idr_worker *self, struct idr_node *parent, unsigned shift, unsigned offset,
	      const enum nslab_entry entry)
{
	struct idr_node *node = nslab_object_alloc(self->base.base.cpu, &self->node_type, entry);

	if (!node)
		return NULL;
	memset(node, 0, sizeof(*node));
	node->stamp = nslab_structure_stamp(node, shift);
	node->parent = parent;
	node->free = ~UINT64_C(0);
	node->shift = (uint8_t)shift;
	node->offset = (uint8_t)offset;
	self->nr_nodes_made++;
	if (parent) {
		parent->slots[offset] = node;
		parent->count++;
	} else {
		self->root = node;
	}
	return node;
}

/* Takes empty nodes out from here upwards, and says that numbers beneath the others are free. */
static inline __attribute__((always_inline)) void
idr_release(struct idr_worker *self, struct idr_node *node, const enum nslab_entry entry)
{
	while (node) {
		struct idr_node *parent = node->parent;
		unsigned offset = node->offset;

		if (parent)
			parent->free |= UINT64_C(1) << offset;
		if (!node->count) {
			if (parent) {
				parent->slots[offset] = NULL;
				parent->count--;
			} else {
				self->root = NULL;
			}
			nslab_object_free(self->base.base.cpu, &self->node_type, node, entry);
		}
		node = parent;
	}
}

/* False when memory is out: then the tree is as before. */
static inline __attribute__((always_inline)) bool idr_insert(struct idr_worker *self, uint64_t id,
							     struct idr_object *object,
							     const enum nslab_entry entry)
{
	struct idr_node *node = self->root;
	unsigned shift = self->top_shift;

	if (!node)
		node = idr_make_node(self, NULL, shift, 0, entry);
	while (node && shift) {
		unsigned offset = idr_slot(id, shift);
		struct idr_node *child = node->slots[offset];

		shift -= IDR_BITS;
		if (!child)
			child = idr_make_node(self, node, shift, offset, entry);
		if (!child)
			idr_release(self, node, entry);
		node = child;
	}
	if (!node)
		return false;
	object->id = id;
	object->stamp = nslab_structure_stamp(object, id);
	node->slots[idr_slot(id, 0)] = object;
	node->count++;
	node->free &= ~(UINT64_C(1) << idr_slot(id, 0));
	for (; !node->free && node->parent; node = node->parent)
		node->parent->free &= ~(UINT64_C(1) << node->offset);
	return true;
}

/* The node that has the number's slot, or NULL. */
static struct idr_node *idr_leaf(const struct idr_worker *self, uint64_t id)
{
	struct idr_node *node = self->root;

	while (node && node->shift)
		node = node->slots[idr_slot(id, node->shift)];
	return node;
}

/* NULL when the number leads nowhere, which is a broken tree. */
static inline __attribute__((always_inline)) struct idr_object *
idr_remove(struct idr_worker *self, uint64_t id, const enum nslab_entry entry)
{
	struct idr_node *leaf = idr_leaf(self, id);
	struct idr_object *object = leaf ? leaf->slots[idr_slot(id, 0)] : NULL;

	self->base.nr_broken += !object || object->stamp != nslab_structure_stamp(object, id);
	if (!object)
		return NULL;
	leaf->slots[idr_slot(id, 0)] = NULL;
	leaf->count--;
	leaf->free |= UINT64_C(1) << idr_slot(id, 0);
	idr_release(self, leaf, entry);
	return object;
}

/* ---- operations ---- */

/* A new object under a new number, which goes into ids[slot]. */
static inline __attribute__((always_inline)) bool idr_add(struct idr_worker *self, uint64_t slot,
							  const enum nslab_entry entry)
{
	struct nslab_cpu *cpu = self->base.base.cpu;
	struct idr_object *object = nslab_object_alloc(cpu, &self->base.type, entry);
	uint64_t id = idr_new_id(self);

	if (object && idr_insert(self, id, object, entry)) {
		self->ids[slot] = id;
		return true;
	}
	if (object)
		nslab_object_free(cpu, &self->base.type, object, entry);
	return false;
}

static inline __attribute__((always_inline)) size_t idr_loop(struct nslab_worker *worker, size_t n,
							     const enum nslab_entry entry)
{
	struct idr_worker *self = nslab_container_of(worker, struct idr_worker, base.base);
	size_t done = 0;

	for (; done < n; done++) {
		uint64_t slot = nslab_structure_draw(&self->base.rng, self->nr);
		uint64_t old_id = self->ids[slot];
		struct idr_object *old;

		if (!idr_add(self, slot, entry)) {
			self->base.is_failed = true;
			break;
		}
		old = idr_remove(self, old_id, entry);
		if (old)
			nslab_object_free(worker->cpu, &self->base.type, old, entry);
	}
	return done;
}

NSLAB_STRUCTURE_BATCH(idr)

/* ---- invariants ---- */

static bool idr_object_is_sound(const struct idr_object *object, uint64_t id)
{
	return object->id == id && object->stamp == nslab_structure_stamp(object, id);
}

/* *nr counts the objects beneath the node, whose first number is id. */
static bool idr_node_is_sound(const struct idr_node *node, const struct idr_node *parent,
			      unsigned shift, uint64_t id, uint64_t *nr)
{
	unsigned count = 0;

	if (node->stamp != nslab_structure_stamp(node, shift) || node->parent != parent ||
	    node->shift != shift || node->offset != idr_slot(id, shift + IDR_BITS))
		return false;
	for (unsigned i = 0; i < IDR_SLOTS; i++, id += UINT64_C(1) << shift) {
		const struct idr_node *child = shift ? node->slots[i] : NULL;
		bool is_free = shift ? !child || child->free : !node->slots[i];

		if ((node->free >> i & 1) != is_free)
			return false;
		if (!node->slots[i])
			continue;
		count++;
		*nr += !shift;
		if (shift ? !idr_node_is_sound(child, node, shift - IDR_BITS, id, nr)
			  : !idr_object_is_sound(node->slots[i], id))
			return false;
	}
	return count && count == node->count;
}

/* Numbers in use differ, so when all lead somewhere and as many objects are there, each is known.
 */
static bool idr_is_sound(const struct idr_worker *self)
{
	uint64_t nr = 0;

	if (self->root && !idr_node_is_sound(self->root, NULL, self->top_shift, 0, &nr))
		return false;
	for (uint64_t i = 0; i < self->nr; i++) {
		const struct idr_node *leaf = idr_leaf(self, self->ids[i]);

		if (!leaf || !leaf->slots[idr_slot(self->ids[i], 0)])
			return false;
	}
	return nr == self->nr;
}

static void idr_free(struct idr_worker *self, struct idr_node *node, unsigned shift)
{
	enum nslab_entry entry = self->base.base.workload->run->entry;

	for (unsigned i = 0; i < IDR_SLOTS; i++) {
		if (node->slots[i] && shift)
			idr_free(self, node->slots[i], shift - IDR_BITS);
		else if (node->slots[i])
			nslab_object_free(self->base.base.cpu, &self->base.type, node->slots[i],
					  entry);
	}
	nslab_object_free(self->base.base.cpu, &self->node_type, node, entry);
}

static void idr_worker_exit(struct nslab_worker *worker)
{
	struct idr_worker *self = nslab_container_of(worker, struct idr_worker, base.base);
	struct idr *state = nslab_container_of(worker->workload, struct idr, base.base);

	self->base.nr_broken += !idr_is_sound(self);
	if (self->root)
		idr_free(self, self->root, self->top_shift);
	atomic_fetch_add(&state->nr_nodes_made, self->nr_nodes_made);
	nslab_structure_worker_exit(&self->base);
	nslab_object_exit(&self->node_type);
	free(self->ids);
	free(self);
}

static int idr_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			   struct nslab_worker **worker)
{
	struct idr *state = nslab_container_of(w, struct idr, base.base);
	struct idr_worker *self = nslab_apart_alloc(sizeof(*self));
	uint64_t nr = (uint64_t)state->params.objects;
	int rc;

	if (!self)
		return -ENOMEM;
	self->is_cyclic = state->params.cyclic;
	while (UINT64_C(1) << (self->top_shift + IDR_BITS) < 4 * nr)
		self->top_shift += IDR_BITS;
	rc = nslab_structure_worker_init(&self->base, w, cpu, index);
	if (!rc)
		rc = nslab_object_type_copy(&state->node_type, &self->node_type);
	self->ids = nslab_apart_alloc(nr * sizeof(*self->ids));
	if (!self->ids)
		rc = -ENOMEM;
	for (; !rc && self->nr < nr; self->nr++) {
		if (!idr_add(self, self->nr, w->run->entry)) {
			rc = -ENOMEM;
			break;
		}
	}
	if (rc)
		idr_worker_exit(&self->base.base);
	else
		*worker = &self->base.base;
	return rc;
}

static void idr_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct idr *state = nslab_container_of(w, struct idr, base.base);

	figures->figure(figures, "nodes_made", (double)atomic_load(&state->nr_nodes_made), "nodes");
}

static const struct nslab_workload_ops idr_ops = {
	.name = "idr",
	.summary = "objects under numbers in a radix tree, whose nodes come and go with them",
	.models = "lib/idr.c and radix_tree_node: process ids, file handles, the page cache",
	.min_workers = 1,
	.params = idr_rows,
	.params_size = sizeof(struct idr_params),
	.setup = idr_setup,
	.worker_init = idr_worker_init,
	.batch = NSLAB_STRUCTURE_ENTRIES(idr),
	.worker_exit = idr_worker_exit,
	.verify = nslab_structure_verify,
	.figures = idr_figures,
	.teardown = idr_teardown,
};
NSLAB_WORKLOAD_PLUGIN(idr_ops);
