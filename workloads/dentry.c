/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dentry.c: a hash of directory entries with their inodes grows, then shrinks from the cold end of
 * an LRU list, over and over.
 *
 * It imitates a walk through a file tree that fills memory until reclaim drops what was not used
 * lately. Entries die in another order than they were made in, and those that were looked up again
 * survive, so slabs are left partly full by both caches: how much memory a design gives back, and
 * what the next growth costs, depends on which partial slabs it takes first.
 *
 * How it works: each worker has a tree of its own. One step makes an entry and an inode, puts them
 * into hash and LRU, and looks up one random earlier name, which marks it as used. At `entries` the
 * tree shrinks: the list is walked from its cold end, used entries lose their mark and go round
 * once more, others die, until `shrink` percent are gone. Links lie in the objects themselves.
 * One operation is one object, so a step is two, and a batch may do one more than asked; shrinking
 * belongs to the step that it comes before.
 *
 * Invariants: an entry is in its hash chain and in the list, and it and its inode point to each
 * other; checked when a worker leaves. Left out: the entry without an allocator, where all entries
 * would be one; trees that CPUs share, and frees after a grace period.
 */
#include "workloads/structure.h"

#include "core/list.h"

#include <numaslab/plugin.h>

struct dentry_params {
	int64_t entries;
	int64_t shrink;
	int64_t inode_size;
};

struct dentry_inode {
	uint64_t stamp; /* the store that every object gets */
	struct dentry_entry *entry;
};

struct dentry_entry {
	uint64_t stamp;
	struct dentry_entry *chain;
	struct nslab_list lru; /* hot end first */
	struct dentry_inode *inode;
	uint32_t name;
	bool is_used; /* looked up since it came, or since it was spared */
};

#define DENTRY_SIZE 192 /* bytes; that of a dentry in 64-bit kernels */

struct dentry {
	struct nslab_workload base;
	struct nslab_object_type entry_type, inode_type;
	struct dentry_params params;
	struct nslab_tally tally;
	atomic_uint_fast64_t nr_made, nr_reclaimed, nr_spared, nr_hits, nr_broken;
};

struct dentry_worker {
	struct nslab_worker base;
	struct nslab_object_type entry_type, inode_type;
	struct dentry_entry **buckets;
	uint32_t mask; /* buckets - 1 */
	uint32_t next_name;
	struct nslab_list lru;
	size_t nr, max, low; /* entries: now, when it shrinks, until which it does */
	uint64_t rng;
	uint64_t nr_made, nr_reclaimed, nr_spared, nr_hits;
	bool is_failed;
};

static const struct nslab_param dentry_rows[] = {
	{
		.name = "entries",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct dentry_params, entries),
		.def = "8192",
		.min = 2,
		.max = 1 << 24,
		.help = "entries of each worker at which reclaim begins; an operation is an object",
	},
	{
		.name = "shrink",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct dentry_params, shrink),
		.def = "50",
		.min = 1,
		.max = 100,
		.help = "percent of the entries that reclaim frees",
	},
	{
		.name = "inode_size",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct dentry_params, inode_size),
		.def = "1120",
		.min = sizeof(struct dentry_inode),
		.max = 8192,
		.help = "bytes of an inode",
	},
	NSLAB_PARAM_END,
};

static struct dentry *dentry_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct dentry, base);
}

static struct dentry_worker *dentry_worker_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct dentry_worker, base);
}

static void dentry_teardown(struct nslab_workload *w)
{
	nslab_object_exit(&dentry_of(w)->entry_type);
	nslab_object_exit(&dentry_of(w)->inode_type);
	free(dentry_of(w));
}

static int dentry_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct dentry *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	memcpy(&state->params, params, sizeof(state->params));
	rc = nslab_object_create(run, "dentry", DENTRY_SIZE, 0, SLAB_RECLAIM_ACCOUNT,
				 &state->entry_type);
	if (!rc)
		rc = nslab_object_create(run, "inode", (size_t)state->params.inode_size, 0,
					 SLAB_RECLAIM_ACCOUNT, &state->inode_type);
	if (rc) {
		dentry_teardown(&state->base);
		return rc;
	}
	*w = &state->base;
	return 0;
}

/* ---- the tree ---- */

/* The bucket of a name: multiplied, so that names in a row are spread. */
static inline struct dentry_entry **dentry_bucket(struct dentry_worker *self, uint32_t name)
{
	return &self->buckets[(name * UINT32_C(0x9e3779b1) >> 8) & self->mask];
}

/* Through the chain, as a look-up goes. The link that leads to the name, or to NULL. */
static inline struct dentry_entry **dentry_find(struct dentry_worker *self, uint32_t name)
{
	struct dentry_entry **link = dentry_bucket(self, name);

	while (*link && (*link)->name != name)
		link = &(*link)->chain;
	return link;
}

static inline __attribute__((always_inline)) bool dentry_add(struct dentry_worker *self,
							     const enum nslab_entry entry)
{
	struct nslab_cpu *cpu = self->base.cpu;
	struct dentry_entry *e = nslab_object_alloc(cpu, &self->entry_type, entry), **bucket;
	struct dentry_inode *inode;

	if (!e)
		return false;
	inode = nslab_object_alloc(cpu, &self->inode_type, entry);
	if (!inode) {
		nslab_object_free(cpu, &self->entry_type, e, entry);
		return false;
	}
	inode->entry = e;
	e->inode = inode;
	e->name = self->next_name++;
	e->is_used = false;
	bucket = dentry_bucket(self, e->name);
	e->chain = *bucket;
	*bucket = e;
	nslab_list_add(&e->lru, &self->lru);
	self->nr++;
	self->nr_made++;
	return true;
}

/* A random name among the last `max`: it may be gone. */
static inline void dentry_look_up(struct dentry_worker *self)
{
	uint32_t age = (uint32_t)nslab_structure_draw(&self->rng, self->max);
	struct dentry_entry *e = *dentry_find(self, self->next_name - 1 - age);

	if (!e)
		return;
	e->is_used = true;
	self->nr_hits++;
}

static inline __attribute__((always_inline)) void
dentry_kill(struct dentry_worker *self, struct dentry_entry *e, const enum nslab_entry entry)
{
	struct dentry_entry **link = dentry_find(self, e->name);

	*link = e->chain;
	nslab_list_del(&e->lru);
	nslab_object_free(self->base.cpu, &self->inode_type, e->inode, entry);
	nslab_object_free(self->base.cpu, &self->entry_type, e, entry);
	self->nr--;
}

static inline __attribute__((always_inline)) void dentry_shrink(struct dentry_worker *self,
								const enum nslab_entry entry)
{
	while (self->nr > self->low) {
		struct dentry_entry *e =
			nslab_container_of(self->lru.prev, struct dentry_entry, lru);

		if (e->is_used) {
			e->is_used = false;
			nslab_list_del(&e->lru);
			nslab_list_add(&e->lru, &self->lru);
			self->nr_spared++;
			continue;
		}
		dentry_kill(self, e, entry);
		self->nr_reclaimed++;
	}
}

/* ---- workers ---- */

static void dentry_worker_free(struct dentry_worker *self)
{
	nslab_object_exit(&self->entry_type);
	nslab_object_exit(&self->inode_type);
	free(self->buckets);
	free(self);
}

static int dentry_prepare(struct dentry_worker *self, const struct dentry *state, int index)
{
	uint32_t nr_buckets = 1;
	int rc = nslab_object_type_copy(&state->entry_type, &self->entry_type);

	if (!rc)
		rc = nslab_object_type_copy(&state->inode_type, &self->inode_type);
	self->max = (size_t)state->params.entries;
	self->low = self->max - (self->max * (size_t)state->params.shrink + 99) / 100;
	while (nr_buckets < self->max)
		nr_buckets *= 2;
	self->mask = nr_buckets - 1;
	self->buckets = nslab_apart_alloc(nr_buckets * sizeof(*self->buckets));
	self->rng = nslab_rng_mix(state->base.run->seed, (uint64_t)index);
	nslab_list_init(&self->lru);
	return self->buckets ? rc : -ENOMEM;
}

static int dentry_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			      struct nslab_worker **worker)
{
	struct dentry_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	rc = dentry_prepare(self, dentry_of(w), index);
	if (rc) {
		dentry_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) size_t
dentry_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct dentry_worker *self = dentry_worker_of(worker);
	size_t done = 0;

	for (; done < n; done += 2) {
		if (self->nr >= self->max)
			dentry_shrink(self, entry);
		if (!dentry_add(self, entry)) {
			self->is_failed = true;
			break;
		}
		dentry_look_up(self);
	}
	return done;
}

NSLAB_STRUCTURE_BATCH(dentry)

/* Entries that are not as the file's opening says. */
static uint64_t dentry_count_broken(struct dentry_worker *self)
{
	uint64_t nr_listed = 0, nr_broken = 0;

	for (struct nslab_list *pos = self->lru.next; pos != &self->lru; pos = pos->next) {
		struct dentry_entry *e = nslab_container_of(pos, struct dentry_entry, lru);

		nr_broken += *dentry_find(self, e->name) != e || e->inode->entry != e;
		nr_listed++;
	}
	for (uint32_t i = 0; i <= self->mask; i++) {
		for (const struct dentry_entry *e = self->buckets[i]; e; e = e->chain)
			nr_listed--;
	}
	return nr_broken + (nr_listed != 0) + (self->nr_made != self->nr_reclaimed + self->nr);
}

static void dentry_worker_exit(struct nslab_worker *worker)
{
	struct dentry_worker *self = dentry_worker_of(worker);
	struct dentry *state = dentry_of(worker->workload);

	atomic_fetch_add(&state->nr_broken, dentry_count_broken(self));
	atomic_fetch_add(&state->nr_made, self->nr_made);
	atomic_fetch_add(&state->nr_reclaimed, self->nr_reclaimed);
	atomic_fetch_add(&state->nr_spared, self->nr_spared);
	atomic_fetch_add(&state->nr_hits, self->nr_hits);
	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	while (self->nr)
		dentry_kill(self, nslab_container_of(self->lru.next, struct dentry_entry, lru),
			    worker->workload->run->entry);
	dentry_worker_free(self);
}

static int dentry_verify(struct nslab_workload *w)
{
	if (atomic_load(&dentry_of(w)->nr_broken))
		return -EILSEQ;
	return nslab_tally_verdict(&dentry_of(w)->tally);
}

static void dentry_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct dentry *state = dentry_of(w);

	figures->figure(figures, "entries_made", (double)atomic_load(&state->nr_made), "entries");
	figures->figure(figures, "entries_reclaimed", (double)atomic_load(&state->nr_reclaimed),
			"entries");
	figures->figure(figures, "entries_spared", (double)atomic_load(&state->nr_spared),
			"entries");
	figures->figure(figures, "hits", (double)atomic_load(&state->nr_hits), "look-ups");
}

static const struct nslab_workload_ops dentry_ops = {
	.name = "dentry",
	.summary = "entries and inodes in a hash grow, then shrink from the cold end of an LRU; an "
		   "operation is an object",
	.models = "a walk through a file tree under memory pressure",
	.min_workers = 1,
	.params = dentry_rows,
	.params_size = sizeof(struct dentry_params),
	.setup = dentry_setup,
	.worker_init = dentry_worker_init,
	.batch = NSLAB_STRUCTURE_ENTRIES(dentry),
	.worker_exit = dentry_worker_exit,
	.verify = dentry_verify,
	.teardown = dentry_teardown,
	.figures = dentry_figures,
};
NSLAB_WORKLOAD_PLUGIN(dentry_ops);
