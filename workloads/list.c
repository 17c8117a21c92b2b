/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * list.c: objects on a list in order of their last use; the least recently used one makes room.
 *
 * It imitates the lists by which a kernel ages dentries, inodes and pages: a hit moves an object to
 * the tail, and what nobody asked for reaches the head and is evicted. So objects live for very
 * different times, each hit writes to objects that are not in the cache of the CPU any more, and
 * what is freed is old, from slabs that were filled long ago.
 *
 * How it works: each worker has a list of `objects` objects (sys/queue.h) and a table from slots to
 * objects, which stands for whatever finds them. One operation is `touches` hits on random slots,
 * then the eviction of the head and a new object in its slot: one object freed and one allocated.
 *
 * Invariants: every slot's object is on the list exactly once; times of last use rise from head to
 * tail; an object that is evicted has the slot and stamp that it got. They are checked when the
 * worker leaves, the last one also at each eviction; verify() answers -EILSEQ when one was broken.
 *
 * Left out: lists that several CPUs share under a lock, and the second, inactive list.
 */
#include "workloads/structure.h"

#include <numaslab/plugin.h>
#include <sys/queue.h>

struct list_params {
	int64_t size, objects, touches;
};

struct list_node {
	uint64_t stamp;
	TAILQ_ENTRY(list_node) link;
	uint64_t last_use;
	uint64_t slot;
};

TAILQ_HEAD(list_head, list_node);

struct list {
	struct nslab_structure base;
	struct list_params params;
};

struct list_worker {
	struct nslab_structure_worker base;
	struct list_head head;
	struct list_node **slots;
	uint64_t nr; /* slots in use: all but while the worker begins */
	uint64_t clock;
	int64_t touches;
};

static const struct nslab_param list_rows[] = {
	NSLAB_STRUCTURE_SIZE_ROW(list_params, "192", list_node),
	{
		.name = "objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct list_params, objects),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "objects on each worker's list",
	},
	{
		.name = "touches",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct list_params, touches),
		.def = "2",
		.min = 0,
		.max = 1 << 16,
		.help = "hits before each eviction",
	},
	NSLAB_PARAM_END,
};

static int list_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct list_params *p = params;
	int rc = nslab_structure_setup(run, "list", p->size, sizeof(struct list), w);

	if (!rc)
		nslab_container_of(*w, struct list, base.base)->params = *p;
	return rc;
}

/* ---- operations ---- */

static inline __attribute__((always_inline)) void list_put(struct list_worker *self,
							   struct list_node *node, uint64_t slot)
{
	node->stamp = nslab_structure_stamp(node, slot);
	node->slot = slot;
	node->last_use = self->clock++;
	self->slots[slot] = node;
	TAILQ_INSERT_TAIL(&self->head, node, link);
}

static inline __attribute__((always_inline)) void list_touch(struct list_worker *self)
{
	uint64_t slot = nslab_structure_draw(&self->base.rng, self->nr);
	struct list_node *node = self->slots[slot];

	TAILQ_REMOVE(&self->head, node, link);
	TAILQ_INSERT_TAIL(&self->head, node, link);
	node->last_use = self->clock++;
}

/* The head leaves list and table; its slot comes back. */
static inline __attribute__((always_inline)) uint64_t list_evict(struct list_worker *self,
								 struct list_node *node)
{
	uint64_t slot = node->slot;

	self->base.nr_broken += node->stamp != nslab_structure_stamp(node, slot);
	TAILQ_REMOVE(&self->head, node, link);
	return slot;
}

static inline __attribute__((always_inline)) size_t list_loop(struct nslab_worker *worker, size_t n,
							      const enum nslab_entry entry)
{
	struct list_worker *self = nslab_container_of(worker, struct list_worker, base.base);
	const struct nslab_object_type type = self->base.type;
	size_t done = 0;

	for (; done < n; done++) {
		struct list_node *node, *oldest;

		for (int64_t i = 0; i < self->touches; i++)
			list_touch(self);
		node = nslab_object_alloc(worker->cpu, &type, entry);
		if (!node) {
			self->base.is_failed = true;
			break;
		}
		oldest = TAILQ_FIRST(&self->head);
		list_put(self, node, list_evict(self, oldest));
		nslab_object_free(worker->cpu, &type, oldest, entry);
	}
	return done;
}

NSLAB_STRUCTURE_BATCH(list)

/* ---- invariants ---- */

static bool list_is_sound(const struct list_worker *self)
{
	const struct list_node *node;
	uint64_t nr = 0, last_use = 0;

	TAILQ_FOREACH(node, &self->head, link)
	{
		if (nr == self->nr || node->slot >= self->nr || self->slots[node->slot] != node ||
		    node->stamp != nslab_structure_stamp(node, node->slot) ||
		    (nr && node->last_use <= last_use))
			return false;
		last_use = node->last_use;
		nr++;
	}
	return nr == self->nr;
}

static void list_worker_exit(struct nslab_worker *worker)
{
	struct list_worker *self = nslab_container_of(worker, struct list_worker, base.base);

	self->base.nr_broken += !list_is_sound(self);
	for (uint64_t i = 0; i < self->nr; i++)
		nslab_object_free(worker->cpu, &self->base.type, self->slots[i],
				  worker->workload->run->entry);
	nslab_structure_worker_exit(&self->base);
	free(self->slots);
	free(self);
}

static int list_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			    struct nslab_worker **worker)
{
	const struct list *state = nslab_container_of(w, struct list, base.base);
	struct list_worker *self = nslab_apart_alloc(sizeof(*self));
	uint64_t nr = (uint64_t)state->params.objects;
	int rc;

	if (!self)
		return -ENOMEM;
	TAILQ_INIT(&self->head);
	self->touches = state->params.touches;
	rc = nslab_structure_worker_init(&self->base, w, cpu, index);
	self->slots = nslab_apart_alloc(nr * sizeof(struct list_node *));
	if (!self->slots)
		rc = -ENOMEM;
	while (!rc && self->nr < nr) {
		struct list_node *node = nslab_object_alloc(cpu, &self->base.type, w->run->entry);

		if (node)
			list_put(self, node, self->nr++);
		else
			rc = -ENOMEM;
	}
	if (rc)
		list_worker_exit(&self->base.base);
	else
		*worker = &self->base.base;
	return rc;
}

static const struct nslab_workload_ops list_ops = {
	.name = "list",
	.summary = "a list by last use: objects are touched, the oldest is replaced",
	.models = "list_lru of dentries and inodes",
	.min_workers = 1,
	.params = list_rows,
	.params_size = sizeof(struct list_params),
	.setup = list_setup,
	.worker_init = list_worker_init,
	.batch = NSLAB_STRUCTURE_ENTRIES(list),
	.worker_exit = list_worker_exit,
	.verify = nslab_structure_verify,
	.teardown = nslab_structure_teardown,
};
NSLAB_WORKLOAD_PLUGIN(list_ops);
