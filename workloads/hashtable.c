/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hashtable.c: objects found by key in a table of buckets, the links in the objects.
 *
 * It imitates dentry, inode and connection hashes: a lookup walks a bucket's objects, each in a
 * slab of its own age, and what goes is found by its key first. The table itself never changes, so
 * besides the lookups one operation is one object that comes and one that goes.
 *
 * How it works: each worker has a table with about one bucket for each of its `objects` objects
 * (sys/queue.h lists; the number is a power of two, so that a shift finds the bucket) and knows the
 * keys that are in it. One operation looks up `lookups` random keys, then allocates an object under
 * a new key and frees the one of a random key.
 *
 * Invariants: every known key is found in the bucket of its hash, exactly as many objects as keys
 * are reached, and each has the stamp it got; a lookup of a known key succeeds. Checked when the
 * worker leaves; verify() answers -EILSEQ when one was broken.
 *
 * Left out: growing the table, and readers of other CPUs beside one writer.
 */
#include "workloads/structure.h"

#include <numaslab/plugin.h>
#include <sys/queue.h>

struct hashtable_params {
	int64_t size, objects, lookups;
};

struct hashtable_node {
	uint64_t stamp;
	LIST_ENTRY(hashtable_node) link;
	uint64_t key;
};

LIST_HEAD(hashtable_bucket, hashtable_node);

struct hashtable {
	struct nslab_structure base;
	struct hashtable_params params;
};

struct hashtable_worker {
	struct nslab_structure_worker base;
	struct hashtable_bucket *buckets;
	unsigned bits;	/* log2 of the number of buckets, 1 or more */
	uint64_t *keys; /* [nr] that are in the table */
	uint64_t nr, next_key;
	int64_t lookups;
};

static const struct nslab_param hashtable_rows[] = {
	NSLAB_STRUCTURE_SIZE_ROW(hashtable_params, "192", hashtable_node),
	{
		.name = "objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct hashtable_params, objects),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "objects in each worker's table",
	},
	{
		.name = "lookups",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct hashtable_params, lookups),
		.def = "2",
		.min = 0,
		.max = 1 << 16,
		.help = "keys that are looked up before each change",
	},
	NSLAB_PARAM_END,
};

static int hashtable_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct hashtable_params *p = params;
	int rc = nslab_structure_setup(run, "hashtable", p->size, sizeof(struct hashtable), w);

	if (!rc)
		nslab_container_of(*w, struct hashtable, base.base)->params = *p;
	return rc;
}

/* ---- operations ---- */

static inline struct hashtable_bucket *hashtable_bucket(const struct hashtable_worker *self,
							uint64_t key)
{
	return &self->buckets[key * UINT64_C(0x9e3779b97f4a7c15) >> (64 - self->bits)];
}

/* NULL when it is not there, which is a broken table. */
static inline struct hashtable_node *hashtable_find(struct hashtable_worker *self, uint64_t key)
{
	struct hashtable_node *node;

	LIST_FOREACH(node, hashtable_bucket(self, key), link)
	{
		if (node->key == key)
			break;
	}
	self->base.nr_broken += !node || node->stamp != nslab_structure_stamp(node, key);
	return node;
}

static inline void hashtable_insert(struct hashtable_worker *self, struct hashtable_node *node,
				    uint64_t slot)
{
	uint64_t key = self->next_key++;

	node->key = key;
	node->stamp = nslab_structure_stamp(node, key);
	self->keys[slot] = key;
	LIST_INSERT_HEAD(hashtable_bucket(self, key), node, link);
}

static inline __attribute__((always_inline)) size_t
hashtable_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct hashtable_worker *self =
		nslab_container_of(worker, struct hashtable_worker, base.base);
	const struct nslab_object_type type = self->base.type;
	size_t done = 0;

	for (; done < n; done++) {
		uint64_t slot = nslab_structure_draw(&self->base.rng, self->nr);
		struct hashtable_node *node, *old;

		for (int64_t i = 0; i < self->lookups; i++)
			hashtable_find(self,
				       self->keys[nslab_structure_draw(&self->base.rng, self->nr)]);
		node = nslab_object_alloc(worker->cpu, &type, entry);
		if (!node) {
			self->base.is_failed = true;
			break;
		}
		old = hashtable_find(self, self->keys[slot]);
		hashtable_insert(self, node, slot);
		if (!old)
			continue;
		LIST_REMOVE(old, link);
		nslab_object_free(worker->cpu, &type, old, entry);
	}
	return done;
}

NSLAB_STRUCTURE_BATCH(hashtable)

/* ---- invariants ---- */

static uint64_t hashtable_nr_buckets(const struct hashtable_worker *self)
{
	return self->buckets ? UINT64_C(1) << self->bits : 0;
}

/* Keys differ, so when all are found and as many nodes are there, each is reached once. */
static bool hashtable_is_sound(struct hashtable_worker *self)
{
	uint64_t nr = 0;

	for (uint64_t i = 0; i < hashtable_nr_buckets(self); i++) {
		const struct hashtable_node *node;

		LIST_FOREACH(node, &self->buckets[i], link)
		{
			if (nr == self->nr ||
			    hashtable_bucket(self, node->key) != &self->buckets[i])
				return false;
			nr++;
		}
	}
	for (uint64_t i = 0; i < self->nr; i++) {
		if (!hashtable_find(self, self->keys[i]))
			return false;
	}
	return nr == self->nr;
}

static void hashtable_worker_exit(struct nslab_worker *worker)
{
	struct hashtable_worker *self =
		nslab_container_of(worker, struct hashtable_worker, base.base);

	self->base.nr_broken += !hashtable_is_sound(self);
	for (uint64_t i = 0; i < hashtable_nr_buckets(self); i++) {
		struct hashtable_node *node = LIST_FIRST(&self->buckets[i]);

		while (node) {
			struct hashtable_node *next = LIST_NEXT(node, link);

			nslab_object_free(worker->cpu, &self->base.type, node,
					  worker->workload->run->entry);
			node = next;
		}
	}
	nslab_structure_worker_exit(&self->base);
	free(self->buckets);
	free(self->keys);
	free(self);
}

static int hashtable_fill(struct hashtable_worker *self, uint64_t nr)
{
	enum nslab_entry entry = self->base.base.workload->run->entry;

	self->bits = 1;
	while (UINT64_C(1) << self->bits < nr)
		self->bits++;
	self->buckets = nslab_apart_alloc(sizeof(*self->buckets) << self->bits);
	self->keys = nslab_apart_alloc(nr * sizeof(*self->keys));
	if (!self->buckets || !self->keys)
		return -ENOMEM;
	while (self->nr < nr) {
		struct hashtable_node *node =
			nslab_object_alloc(self->base.base.cpu, &self->base.type, entry);

		if (!node)
			return -ENOMEM;
		hashtable_insert(self, node, self->nr++);
	}
	return 0;
}

static int hashtable_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
				 struct nslab_worker **worker)
{
	const struct hashtable *state = nslab_container_of(w, struct hashtable, base.base);
	struct hashtable_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->lookups = state->params.lookups;
	rc = nslab_structure_worker_init(&self->base, w, cpu, index);
	if (!rc)
		rc = hashtable_fill(self, (uint64_t)state->params.objects);
	if (rc)
		hashtable_worker_exit(&self->base.base);
	else
		*worker = &self->base.base;
	return rc;
}

static const struct nslab_workload_ops hashtable_ops = {
	.name = "hashtable",
	.summary = "objects in buckets: looked up by key, replaced under a new one",
	.models = "dentry, inode and connection hashes",
	.min_workers = 1,
	.params = hashtable_rows,
	.params_size = sizeof(struct hashtable_params),
	.setup = hashtable_setup,
	.worker_init = hashtable_worker_init,
	.batch = NSLAB_STRUCTURE_ENTRIES(hashtable),
	.worker_exit = hashtable_worker_exit,
	.verify = nslab_structure_verify,
	.teardown = nslab_structure_teardown,
};
NSLAB_WORKLOAD_PLUGIN(hashtable_ops);
