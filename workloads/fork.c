/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fork.c: the objects of a process, made together and freed together.
 *
 * It imitates fork and exit: a task with its signal tables, files, credentials and address space,
 * whose maps are areas and tree nodes. A dozen caches of very different sizes move at once, so the
 * per-CPU layers of many caches share what the CPU's own cache holds; the large ones have few
 * objects in a slab. Tree nodes come as the kernel takes them: reserved in advance from a sheaf
 * (sheaf_prefill) when the map is copied, or in one bulk call with `nodes=bulk`, or one by one.
 *
 * How it works: sizes and alignments are those of a 6.18 kernel's caches. A worker keeps
 * `processes` alive; one round makes a new one and ends the oldest, object by object in the order
 * of making, as exit goes. batch(n) does whole rounds, at least one; one operation is one object.
 * Through kmalloc and malloc the same sizes come from size classes, and nodes one by one.
 *
 * Invariants: a process is there with all its objects or not at all: when memory runs out, what it
 * had is freed, the batch ends, and verify() answers -ENOMEM. Left out: page tables, kernel stacks,
 * frees of areas and nodes after a grace period, and copying what is in the objects.
 */
#include "workloads/common.h"

#include <numaslab/plugin.h>

enum fork_nodes {
	FORK_PREFILL,
	FORK_BULK,
	FORK_SINGLE
};

enum {
	FORK_NODE, /* the tree nodes' row below */
	FORK_NR_TYPES = 11
};

struct fork_params {
	int64_t processes;
	int64_t areas;
	int64_t nodes_from;
};

struct fork_type {
	const char *name;
	unsigned size_bytes, align;
	bool is_per_area;
};

/* Nodes are counted by themselves: one for ten areas, and the root. */
static const struct fork_type fork_types[FORK_NR_TYPES] = {
	[FORK_NODE] = {"maple_node", 256, 256, false},
	{"task_struct", 5840, 64, false},
	{"cred", 184, 64, false},
	{"pid", 184, 64, false},
	{"files_cache", 704, 64, false},
	{"fs_cache", 64, 64, false},
	{"sighand_cache", 2080, 64, false},
	{"signal_cache", 1152, 64, false},
	{"mm_struct", 1568, 64, false},
	{"vm_area_struct", 192, 64, true},
	{"anon_vma_chain", 64, 8, true},
};

struct fork {
	struct nslab_workload base;
	struct nslab_object_type types[FORK_NR_TYPES];
	struct fork_params params;
	struct nslab_tally tally;
	atomic_uint_fast64_t nr_processes, nr_prefilled;
};

struct fork_worker {
	struct nslab_worker base;
	struct nslab_object_type types[FORK_NR_TYPES];
	size_t nr_each[FORK_NR_TYPES]; /* objects of a process */
	size_t nr_objects;	       /* their sum */
	enum fork_nodes nodes_from;
	void **objs; /* [room * nr_objects], of processes that are alive or being made */
	size_t room, at, nr_alive; /* at: the slot that the next process gets */
	uint64_t nr_processes, nr_prefilled;
	bool is_failed;
};

static const char *const fork_nodes[] = {"prefill", "bulk", "single", NULL};

static const struct nslab_param fork_rows[] = {
	{
		.name = "processes",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct fork_params, processes),
		.def = "8",
		.min = 1,
		.max = 1 << 16,
		.help = "processes that each worker keeps alive; an operation is an object",
	},
	{
		.name = "areas",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct fork_params, areas),
		.def = "40",
		.min = 1,
		.max = 4096,
		.help = "mapped areas of a process; each ten need a tree node",
	},
	{
		.name = "nodes",
		.type = NSLAB_PARAM_CHOICE,
		.offset = offsetof(struct fork_params, nodes_from),
		.def = "prefill",
		.choices = fork_nodes,
		.help = "tree nodes come from a prefilled sheaf, in one bulk call, or one by one",
	},
	NSLAB_PARAM_END,
};

static struct fork *fork_of(struct nslab_workload *w)
{
	return nslab_container_of(w, struct fork, base);
}

static struct fork_worker *fork_worker_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct fork_worker, base);
}

static void fork_teardown(struct nslab_workload *w)
{
	for (int i = 0; i < FORK_NR_TYPES; i++)
		nslab_object_exit(&fork_of(w)->types[i]);
	free(fork_of(w));
}

static int fork_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct fork *state = calloc(1, sizeof(*state));
	int rc = 0;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	memcpy(&state->params, params, sizeof(state->params));
	for (int i = 0; !rc && i < FORK_NR_TYPES; i++)
		rc = nslab_object_create(run, fork_types[i].name, fork_types[i].size_bytes,
					 fork_types[i].align, SLAB_NO_MERGE, &state->types[i]);
	if (rc) {
		fork_teardown(&state->base);
		return rc;
	}
	*w = &state->base;
	return 0;
}

/* ---- the objects of one process ---- */

/* Nodes from a private reserve, which must hold them all. */
static inline __attribute__((always_inline)) size_t fork_prefill(struct fork_worker *self,
								 size_t nr, void **objs)
{
	struct nslab_cpu *cpu = self->base.cpu;
	struct kmem_cache *s = self->types[FORK_NODE].s;
	struct nslab_sheaf *sheaf;
	size_t done = 0;

	if (cpu->ops->sheaf_prefill(cpu, s, GFP_KERNEL, nr, &sheaf))
		return 0;
	for (; done < nr; done++) {
		objs[done] = cpu->ops->sheaf_alloc(cpu, s, GFP_KERNEL, sheaf);
		if (!objs[done])
			break;
		*(volatile uint64_t *)objs[done] = (uint64_t)(uintptr_t)objs[done];
	}
	cpu->ops->sheaf_return(cpu, s, GFP_KERNEL, sheaf);
	self->nr_prefilled += done;
	return done;
}

/* All objects of one type; returns how many there was memory for. */
static inline __attribute__((always_inline)) size_t
fork_take(struct fork_worker *self, int i, void **objs, const enum nslab_entry entry)
{
	const struct nslab_object_type *type = &self->types[i];
	const size_t nr = self->nr_each[i];
	size_t done = 0;

	if (entry == NSLAB_ENTRY_CACHE && i == FORK_NODE && self->nodes_from == FORK_PREFILL)
		return fork_prefill(self, nr, objs);
	if (entry == NSLAB_ENTRY_CACHE && i == FORK_NODE && self->nodes_from == FORK_BULK)
		return nslab_object_alloc_bulk(self->base.cpu, type, nr, objs, entry);
	for (; done < nr; done++) {
		objs[done] = nslab_object_alloc(self->base.cpu, type, entry);
		if (!objs[done])
			break;
	}
	return done;
}

/* The first nr objects of a process, in the order in which they were made. */
static inline __attribute__((always_inline)) void fork_end(struct fork_worker *self, void **objs,
							   size_t nr, const enum nslab_entry entry)
{
	for (int i = 0; i < FORK_NR_TYPES && nr; i++) {
		size_t part = self->nr_each[i] < nr ? self->nr_each[i] : nr;

		for (size_t j = 0; j < part; j++)
			nslab_object_free(self->base.cpu, &self->types[i], objs[j], entry);
		objs += part;
		nr -= part;
	}
}

/* False, with nothing left, when memory is out. */
static inline __attribute__((always_inline)) bool fork_make(struct fork_worker *self, void **objs,
							    const enum nslab_entry entry)
{
	size_t done = 0;

	for (int i = 0; i < FORK_NR_TYPES; i++) {
		size_t nr = fork_take(self, i, objs + done, entry);

		done += nr;
		if (nr < self->nr_each[i]) {
			fork_end(self, objs, done, entry);
			return false;
		}
	}
	self->nr_processes++;
	return true;
}

/* One process more; the slot after it is that of the oldest. */
static inline __attribute__((always_inline)) bool fork_one(struct fork_worker *self,
							   const enum nslab_entry entry)
{
	if (!fork_make(self, self->objs + self->at * self->nr_objects, entry)) {
		self->is_failed = true;
		return false;
	}
	self->at = self->at + 1 == self->room ? 0 : self->at + 1;
	self->nr_alive++;
	return true;
}

/* ---- workers ---- */

static void fork_worker_free(struct fork_worker *self)
{
	const enum nslab_entry entry = self->base.workload->run->entry;

	for (; self->nr_alive; self->nr_alive--) {
		self->at = (self->at ? self->at : self->room) - 1;
		fork_end(self, self->objs + self->at * self->nr_objects, self->nr_objects, entry);
	}
	for (int i = 0; i < FORK_NR_TYPES; i++)
		nslab_object_exit(&self->types[i]);
	free(self->objs);
	free(self);
}

static int fork_prepare(struct fork_worker *self, const struct fork *state)
{
	const size_t areas = (size_t)state->params.areas;
	int rc = 0;

	for (int i = 0; !rc && i < FORK_NR_TYPES; i++) {
		self->nr_each[i] = i == FORK_NODE	       ? areas / 10 + 1
				   : fork_types[i].is_per_area ? areas
							       : 1;
		self->nr_objects += self->nr_each[i];
		rc = nslab_object_type_copy(&state->types[i], &self->types[i]);
	}
	if (rc)
		return rc;
	self->nodes_from = (enum fork_nodes)state->params.nodes_from;
	self->room = (size_t)state->params.processes + 1;
	self->objs = nslab_apart_alloc(self->room * self->nr_objects * sizeof(*self->objs));
	if (!self->objs)
		return -ENOMEM;
	for (size_t i = 1; i < self->room; i++) {
		if (!fork_one(self, state->base.run->entry))
			return -ENOMEM;
	}
	return 0;
}

static int fork_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			    struct nslab_worker **worker)
{
	struct fork_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	rc = fork_prepare(self, fork_of(w));
	if (rc) {
		fork_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) size_t fork_loop(struct nslab_worker *worker, size_t n,
							      const enum nslab_entry entry)
{
	struct fork_worker *self = fork_worker_of(worker);
	size_t done = 0;

	while (done < n && fork_one(self, entry)) {
		fork_end(self, self->objs + self->at * self->nr_objects, self->nr_objects, entry);
		self->nr_alive--;
		done += self->nr_objects;
	}
	return done;
}

NSLAB_WORKLOAD_BATCH(fork)

static void fork_worker_exit(struct nslab_worker *worker)
{
	struct fork_worker *self = fork_worker_of(worker);
	struct fork *state = fork_of(worker->workload);

	atomic_fetch_add(&state->nr_processes, self->nr_processes);
	atomic_fetch_add(&state->nr_prefilled, self->nr_prefilled);
	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	fork_worker_free(self);
}

static int fork_verify(struct nslab_workload *w)
{
	return nslab_tally_verdict(&fork_of(w)->tally);
}

static void fork_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct fork *state = fork_of(w);

	figures->figure(figures, "processes", (double)atomic_load(&state->nr_processes),
			"processes");
	figures->figure(figures, "prefilled_nodes", (double)atomic_load(&state->nr_prefilled),
			"objects");
}

static const struct nslab_workload_ops fork_ops = {
	.name = "fork",
	.summary = "the objects of a process, made and freed together; an operation is an object",
	.models = "fork and exit: task, signals, files, areas and tree nodes",
	.min_workers = 1,
	.params = fork_rows,
	.params_size = sizeof(struct fork_params),
	.setup = fork_setup,
	.worker_init = fork_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(fork),
	.worker_exit = fork_worker_exit,
	.verify = fork_verify,
	.teardown = fork_teardown,
	.figures = fork_figures,
};
NSLAB_WORKLOAD_PLUGIN(fork_ops);
