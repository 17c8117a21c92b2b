/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_workloads.c WORKLOAD [KEY=VALUE...]: one workload on every allocator that has what it needs.
 *
 * Each allocator is run through every entry that the workload has (cache, kmalloc, malloc for those
 * that are called directly, pages once), in three shapes: one worker, two workers, and eight, each
 * a thread with a CPU of its own; CPU i is of node i / 2 of four made-up nodes. A worker does a
 * counted number of operations in small batches, as the runner's workers do in time: who has done
 * its share goes on until all have, and the last one stops them. Afterwards the workload's own
 * invariants must hold, its caches must go, and the world must close without a page left.
 *
 * A shape that the workload cannot have (too few workers, not a multiple of its group, no node
 * without PUs, refused together with the parameters) is told and left out; a workload that ran in
 * no shape at all fails. Left out: time, pinning, and peers' libraries other than the one the test
 * is linked with.
 */
#define _GNU_SOURCE
#include "allocators/common/kmalloc.h"
#include "core/param.h"
#include "tests/support/machine.h"

#include <errno.h>
#include <numaslab/workload.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODE_BYTES ((size_t)64 << 20)
#define SEED	   1
#define CHUNK	   16	/* operations of a batch */
#define SHARE	   1500 /* operations of a worker */

struct shape {
	const char *name;
	int nr_workers;
};

static const struct shape shapes[] = {{"1 worker", 1}, {"2 workers", 2}, {"8 workers", 8}};

struct crew {
	struct machine machine;
	struct nslab_run run;
	struct nslab_workload *workload;
	const struct nslab_workload_ops *ops;
	bool node_has_pus[MACHINE_NODES];
	int nr_workers;
	size_t share;
	atomic_int nr_done, nr_inside;
	atomic_int rc; /* the first error of a worker */
};

struct member {
	struct crew *crew;
	pthread_t thread;
	int index;
	size_t nr_ops;
};

static const char *const entry_words[] = {"none", "cache", "kmalloc", "malloc", "pages"};

/* ---- the workers ---- */

static void crew_failed(struct crew *crew, int rc)
{
	int none = 0;

	atomic_compare_exchange_strong(&crew->rc, &none, rc);
	atomic_store(&crew->run.is_stopping, true);
}

/* Its share, and then on until the others have theirs. */
static void member_work(struct member *member, struct nslab_worker *worker)
{
	struct crew *crew = member->crew;
	nslab_batch_fn batch = crew->ops->batch[crew->run.entry];
	bool is_done = false;

	while (!atomic_load(&crew->run.is_stopping)) {
		size_t nr = batch(worker, CHUNK);

		if (!nr && !atomic_load(&crew->run.is_stopping)) {
			crew_failed(crew, -ENODATA);
			return;
		}
		member->nr_ops += nr;
		if (is_done || member->nr_ops < crew->share)
			continue;
		is_done = true;
		if (atomic_fetch_add(&crew->nr_done, 1) + 1 == crew->nr_workers)
			atomic_store(&crew->run.is_stopping, true);
	}
}

/* Objects of the others must be there until all have stopped, as in a trial. */
static void member_wait(struct crew *crew)
{
	atomic_fetch_sub(&crew->nr_inside, 1);
	while (atomic_load(&crew->nr_inside))
		sched_yield();
}

static void *member_main(void *arg)
{
	struct member *member = arg;
	struct crew *crew = member->crew;
	struct nslab_cpu *cpu = crew->machine.cpu[member->index];
	struct nslab_worker *worker = NULL;
	int rc = crew->ops->worker_init(crew->workload, cpu, member->index, &worker);

	if (rc)
		crew_failed(crew, rc);
	else
		member_work(member, worker);
	cpu->ops->quiesce(cpu);
	member_wait(crew);
	if (worker)
		crew->ops->worker_exit(worker);
	return NULL;
}

static int crew_work(struct crew *crew)
{
	struct member members[MACHINE_CPUS] = {{0}};

	atomic_store(&crew->nr_inside, crew->nr_workers);
	for (int i = 0; i < crew->nr_workers; i++) {
		members[i] = (struct member){.crew = crew, .index = i};
		if (pthread_create(&members[i].thread, NULL, member_main, &members[i]))
			abort();
	}
	for (int i = 0; i < crew->nr_workers; i++)
		pthread_join(members[i].thread, NULL);
	return atomic_load(&crew->rc);
}

/* ---- one run ---- */

static int crew_cpu_online(struct nslab_run *run, int id, int node, struct nslab_cpu **cpu)
{
	struct crew *crew = nslab_container_of(run, struct crew, run);

	return nslab_world_cpu_online(crew->machine.world, id, node, cpu);
}

static void crew_cpu_offline(struct nslab_run *run, struct nslab_cpu *cpu)
{
	struct crew *crew = nslab_container_of(run, struct crew, run);

	nslab_world_cpu_offline(crew->machine.world, cpu);
}

/* Time jumps a long way at each look, so that nobody waits for it. */
static uint64_t crew_now_ns(const struct nslab_run *run)
{
	static atomic_ullong now;

	(void)run;
	return atomic_fetch_add(&now, 1000000000u);
}

static void ignore_figure(struct nslab_figures *figures, const char *name, double value,
			  const char *unit)
{
	(void)figures;
	if (!name || !unit || value != value)
		abort();
}

static void ignore_point(struct nslab_figures *figures, const char *series, double x, double y)
{
	(void)figures;
	if (!series || x != x || y != y)
		abort();
}

/* The workers' CPUs are online; the workload may bring others. */
static int crew_open(struct crew *crew, enum nslab_entry entry, int nr_workers, const void *params)
{
	struct machine *m = &crew->machine;
	int rc = machine_open(m, NODE_BYTES, SEED);

	if (rc)
		return rc;
	crew->nr_workers = nr_workers;
	for (int i = MACHINE_CPUS - 1; i >= 0; i--) {
		if (i >= nr_workers)
			machine_offline(m, i);
		else
			crew->node_has_pus[i / 2] = true;
	}
	crew->run = (struct nslab_run){
		.env = m->env,
		.heap = m->heap,
		.entry = entry,
		.nr_workers = nr_workers,
		.seed = SEED,
		.cache_defaults = machine_spec("", 0),
		.node_has_pus = crew->node_has_pus,
		.cpu_online = crew_cpu_online,
		.cpu_offline = crew_cpu_offline,
		.now_ns = crew_now_ns,
	};
	rc = crew->ops->setup(&crew->run, params, &crew->workload);
	if (rc)
		return rc;
	crew->workload->ops = crew->ops;
	crew->workload->run = &crew->run;
	return 0;
}

static int destroy_caches(struct machine *m)
{
	struct nslab_list *head = &m->heap->caches;
	int rc = 0;

	for (struct nslab_list *pos = head->next, *next; pos != head && !rc; pos = next) {
		struct kmem_cache *s = nslab_container_of(pos, struct kmem_cache, link);

		next = pos->next;
		if (nslab_kmalloc_cache_type(m->heap, s) < 0)
			rc = nslab_world_cache_destroy(m->world, s);
	}
	return rc;
}

static int crew_finish(struct crew *crew)
{
	struct nslab_figures figures = {ignore_figure, ignore_point};
	int rc = crew->ops->verify(crew->workload);

	if (!rc && crew->ops->figures)
		crew->ops->figures(crew->workload, &figures);
	crew->ops->teardown(crew->workload);
	crew->workload = NULL;
	return rc ? rc : destroy_caches(&crew->machine);
}

/* 0: ran and left nothing; 1: cannot have this shape; negative: failed, and said so. */
static int run_shape(struct crew *crew, enum nslab_entry entry, const struct shape *shape,
		     const void *params)
{
	struct machine *m = &crew->machine;
	const char *step = "setup";
	int rc = crew_open(crew, entry, shape->nr_workers, params);

	m->nr_reports = 0;
	if (rc == -ENXIO || rc == -EINVAL) {
		printf("%s: %s with %s\n", crew->ops->name,
		       rc == -ENXIO ? "no node that it needs" : "not with these parameters",
		       shape->name);
		destroy_caches(m);
		machine_close(m);
		return 1;
	}
	if (!rc) {
		step = "work";
		rc = crew_work(crew);
	}
	if (!rc) {
		step = "verify and clean up";
		rc = crew_finish(crew);
	}
	if (!rc) {
		step = "close";
		machine_close(m);
		rc = m->nr_reports ? -EBUSY : 0;
	}
	if (rc)
		fprintf(stderr, "%s on %s, entry %s, %s: %s failed: %s%s%s\n", crew->ops->name,
			m->ops->name, entry_words[entry], shape->name, step, strerror(-rc),
			m->nr_reports ? "; first report: " : "", m->nr_reports ? m->report : "");
	return rc;
}

/* ---- everything ---- */

static bool fits(const struct nslab_workload_ops *ops, int nr_workers)
{
	return nr_workers >= ops->min_workers &&
	       (!ops->max_workers || nr_workers <= ops->max_workers) &&
	       (!ops->worker_group || nr_workers % ops->worker_group == 0);
}

static bool has_entry(const struct nslab_workload_ops *ops, uint64_t caps, enum nslab_entry entry)
{
	bool is_peer = caps & NSLAB_CAP_DIRECT;

	if (!ops->batch[entry] || entry == NSLAB_ENTRY_NONE)
		return false;
	if (entry == NSLAB_ENTRY_MALLOC)
		return is_peer;
	if (entry == NSLAB_ENTRY_CACHE)
		return caps & NSLAB_CAP_CACHE;
	return true;
}

static bool is_runnable(const struct nslab_workload_ops *ops, uint64_t caps, const char *name)
{
	if (caps & NSLAB_CAP_DIRECT)
		caps |= NSLAB_CAP_REMOTE_FREE;
	if (!(ops->needs & ~caps))
		return true;
	printf("%s: %s lacks what it needs\n", ops->name, name);
	return false;
}

/* Number of shapes that ran, or a negative errno. */
static int run_allocator(const struct nslab_workload_ops *ops, const char *name, const void *params)
{
	int nr = 0;

	for (int entry = 0; entry < NSLAB_NR_ENTRIES; entry++) {
		for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
			struct crew crew = {.ops = ops, .share = SHARE};
			int rc = machine_find(&crew.machine, name, NULL);
			uint64_t caps = rc ? 0 : crew.machine.ops->caps;

			if (!rc && has_entry(ops, caps, (enum nslab_entry)entry) &&
			    fits(ops, shapes[i].nr_workers) && is_runnable(ops, caps, name)) {
				rc = run_shape(&crew, (enum nslab_entry)entry, &shapes[i], params);
				nr += !rc;
			}
			if (rc < 0)
				return rc; /* what is left is left to the leak checker */
			machine_forget(&crew.machine);
		}
	}
	return nr;
}

static int parse_params(const struct nslab_workload_ops *ops, char **words, void *params)
{
	struct nslab_err err = {""};
	int rc = nslab_param_defaults(ops->params, params, &err);

	for (; !rc && *words; words++) {
		char *value = strchr(*words, '=');
		const struct nslab_param *row;

		if (!value)
			return -EINVAL;
		*value++ = '\0';
		row = nslab_param_find(ops->params, *words);
		rc = row ? nslab_param_set(row, value, params, &err) : -EINVAL;
	}
	if (rc)
		fprintf(stderr, "parameters of %s: %s\n", ops->name, err.text);
	return rc;
}

int main(int argc, char **argv)
{
	static const char *const allocators[] = {"null",    "libc", "glibc", "nodelocal", "slub",
						 "sheaves", "slab", "slob",  "heap"};
	const struct nslab_entry_record *record;
	struct nslab_registry *registry;
	struct nslab_err err = {""};
	void *params;
	int nr = 0, rc;

	if (argc < 2 || nslab_registry_open(NULL, &registry, &err) ||
	    nslab_registry_get(registry, NSLAB_PLUGIN_WORKLOAD, argv[1], &record, &err)) {
		fprintf(stderr, "%s\n", err.text[0] ? err.text : "WORKLOAD [KEY=VALUE...]");
		return 2;
	}
	params = calloc(1, record->ops.workload->params_size + 1);
	rc = params ? parse_params(record->ops.workload, argv + 2, params) : -ENOMEM;
	for (size_t i = 0; rc >= 0 && i < sizeof(allocators) / sizeof(allocators[0]); i++) {
		rc = run_allocator(record->ops.workload, allocators[i], params);
		nr += rc > 0 ? rc : 0;
	}
	free(params);
	nslab_registry_destroy(registry);
	if (rc < 0 || !nr) {
		fprintf(stderr, "%s: %s\n", argv[1], nr ? "failed" : "ran in no shape at all");
		return 1;
	}
	printf("%s: %d runs, nothing left behind\n", argv[1], nr);
	return 0;
}
