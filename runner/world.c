/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world.c: registry, arena, page allocator and heap wired together, and the services in between.
 *
 * A world is opened bottom up (arena, page source, services, heap, kmalloc caches) and closed top
 * down. The services of struct nslab_env are thin: they count, inject failures, check what is freed
 * and pass the call on to the page plug-in. Counting must not become the bottleneck that it
 * measures, so each CPU counts in a cache line of its own and only moves a batch of pages to the
 * shared total. The peak is exact with one CPU, and otherwise short by what the other CPUs had not
 * moved yet, below WORLD_BATCH pages each.
 *
 * A CPU handle and its per-CPU page lists end together, but the handle's memory belongs to the
 * backend. So going offline first drains the lists, and from then on the handle's page calls are
 * passed on without it, until the backend has given everything back and freed the handle.
 *
 * Freeing a block that is not allocated, or with another order, is reported and not passed on.
 *
 * Locks: control_lock serialises control calls of the world, outermost. Handles and slots of a CPU
 * are touched by its own thread, or under control_lock while no worker runs.
 *
 * Left out: handles that a backend makes up by itself (they must not ask for pages), and undoing a
 * plug-in's corruption of page records.
 */
#define _GNU_SOURCE
#include "runner/world.h"

#include "allocators/common/debug.h"
#include "allocators/common/defaults.h"
#include "allocators/common/vmalloc.h"
#include "core/list.h"
#include "core/param.h"
#include "runner/builtin.h"
#include "runner/world_areas.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WORLD_BATCH	       32 /* pages */
#define WORLD_DESTROY_ATTEMPTS 8

/* The last slot is for calls without a CPU handle, which several threads may make. */
#define WORLD_NO_CPU NSLAB_MAX_CPUS

struct world_slot {
	struct nslab_cpu *cpu; /* NULL: offline */
	bool is_leaving;       /* page calls go on without the handle */
	bool is_linked;	       /* the backend did not put the handle on heap->cpus, the world did */
	_Atomic uint64_t nr_calls;
	_Atomic int64_t nr_pages; /* not in the total yet */
} NSLAB_ALIGNED(NSLAB_CACHE_LINE);

struct nslab_world {
	struct nslab_env env;
	const struct nslab_allocator_ops *allocator; /* what the heap's users call */
	bool is_debug;
	struct nslab_allocator_ops debug_table;	  /* with is_debug, `allocator` */
	struct nslab_debug_options debug_options; /* its parameters */
	struct nslab_arena_map *map;
	struct nslab_page_source *source;
	struct nslab_heap *heap;
	void *allocator_params, *page_params; /* made here, or NULL */
	void (*report)(void *context, const char *line);
	void *report_context;
	pthread_mutex_t control_lock;
	struct world_slot *slots;
	_Atomic int64_t nr_pages, nr_pages_peak;
	_Atomic int64_t meta_bytes;
	_Atomic uint64_t fail_at, fail_nr; /* fail_at 0: never */
	_Atomic uint64_t nr_armed_calls;   /* calls so far, kept while fail_at is set */
	struct world_areas areas;
};

static struct nslab_world *world_of(const struct nslab_env *env)
{
	return nslab_container_of((uintptr_t)env, struct nslab_world, env);
}

/* ---- registry ---- */

static int add_builtins(struct nslab_registry *registry, struct nslab_err *err)
{
	for (size_t i = 0; nslab_builtin_plugins[i]; i++) {
		int rc = nslab_registry_add(registry, nslab_builtin_plugins[i], "built-in", err);

		if (rc)
			return rc;
	}
	return 0;
}

int nslab_registry_open(const char *const *plugin_paths, struct nslab_registry **registry,
			struct nslab_err *err)
{
	const void *const defaults[NSLAB_NR_PLUGIN_KINDS] = {
		[NSLAB_PLUGIN_ALLOCATOR] = &nslab_allocator_defaults,
		[NSLAB_PLUGIN_PAGE] = &nslab_page_defaults,
	};
	const char *folders = secure_getenv("NUMASLAB_PLUGIN_PATH");
	struct nslab_registry *r;
	int rc = nslab_registry_create(defaults, &r);

	if (rc)
		return nslab_fail(err, rc, "cannot make the registry: %s", strerror(-rc));
	rc = add_builtins(r, err);
	for (; !rc && plugin_paths && *plugin_paths; plugin_paths++)
		rc = nslab_registry_load(r, *plugin_paths, NULL, err);
	if (!rc && folders) {
		rc = nslab_registry_load_folders(r, folders, err);
		if (rc)
			nslab_fail_in(err, rc, "NUMASLAB_PLUGIN_PATH");
	}
	if (rc) {
		nslab_registry_destroy(r);
		return rc;
	}
	*registry = r;
	return 0;
}

/* ---- services: accounting and failure injection ---- */

static void __attribute__((format(printf, 2, 3)))
world_report(const struct nslab_env *env, const char *format, ...)
{
	const struct nslab_world *w = world_of(env);
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (w->report) {
		w->report(w->report_context, line);
		return;
	}
	fputs(line, stderr);
	fputc('\n', stderr);
}

static struct world_slot *world_slot(const struct nslab_world *w, const struct nslab_cpu *cpu)
{
	return &w->slots[cpu ? cpu->id : WORLD_NO_CPU];
}

static void world_raise_peak(struct nslab_world *w, int64_t nr)
{
	int64_t peak = atomic_load_explicit(&w->nr_pages_peak, memory_order_relaxed);

	while (nr > peak &&
	       !atomic_compare_exchange_weak_explicit(&w->nr_pages_peak, &peak, nr,
						      memory_order_relaxed, memory_order_relaxed))
		;
}

static void world_add_total(struct nslab_world *w, int64_t nr)
{
	world_raise_peak(w, atomic_fetch_add_explicit(&w->nr_pages, nr, memory_order_relaxed) + nr);
}

/*
 * The owner alone writes its slot, so a load and a store do, without a locked operation. The peak
 * is seen from here: the total and what this CPU has not moved there yet.
 */
static void world_account(struct nslab_world *w, const struct nslab_cpu *cpu, int64_t nr)
{
	struct world_slot *slot = world_slot(w, cpu);

	if (!cpu) {
		world_add_total(w, nr);
		return;
	}
	nr += atomic_load_explicit(&slot->nr_pages, memory_order_relaxed);
	if (nr >= WORLD_BATCH || nr <= -WORLD_BATCH) {
		atomic_store_explicit(&slot->nr_pages, 0, memory_order_relaxed);
		world_add_total(w, nr);
		return;
	}
	atomic_store_explicit(&slot->nr_pages, nr, memory_order_relaxed);
	world_raise_peak(w, atomic_load_explicit(&w->nr_pages, memory_order_relaxed) + nr);
}

static void world_count_call(struct nslab_world *w, const struct nslab_cpu *cpu)
{
	struct world_slot *slot = world_slot(w, cpu);
	uint64_t nr;

	if (!cpu) {
		atomic_fetch_add_explicit(&slot->nr_calls, 1, memory_order_relaxed);
		return;
	}
	nr = atomic_load_explicit(&slot->nr_calls, memory_order_relaxed);
	atomic_store_explicit(&slot->nr_calls, nr + 1, memory_order_relaxed);
}

static uint64_t world_nr_calls(const struct nslab_world *w)
{
	uint64_t nr = 0;

	for (int i = 0; i <= WORLD_NO_CPU; i++)
		nr += atomic_load_explicit(&w->slots[i].nr_calls, memory_order_relaxed);
	return nr;
}

/* True when this call is one of those that shall fail. */
static bool world_injects(struct nslab_world *w)
{
	uint64_t at = atomic_load_explicit(&w->fail_at, memory_order_relaxed);
	uint64_t number;

	if (!at)
		return false;
	number = atomic_fetch_add_explicit(&w->nr_armed_calls, 1, memory_order_relaxed) + 1;
	return number >= at &&
	       number - at < atomic_load_explicit(&w->fail_nr, memory_order_relaxed);
}

void nslab_world_fail_at(struct nslab_world *w, uint64_t fail_at, uint64_t fail_nr)
{
	atomic_store(&w->nr_armed_calls, world_nr_calls(w));
	atomic_store(&w->fail_nr, fail_nr ? fail_nr : 1);
	atomic_store(&w->fail_at, fail_at);
}

/* ---- services: pages and metadata ---- */

static struct nslab_page *world_alloc_pages(const struct nslab_env *env, struct nslab_cpu *cpu,
					    unsigned order, gfp_t gfp, int node)
{
	struct nslab_world *w = world_of(env);
	struct nslab_cpu *lists = cpu;
	struct nslab_page *page;

	world_count_call(w, cpu);
	if (world_injects(w))
		return NULL;
	if (cpu && world_slot(w, cpu)->is_leaving) {
		lists = NULL;
		node = node == NUMA_NO_NODE ? cpu->node : node;
	}
	page = w->source->ops->alloc_pages(w->source, lists, order, gfp, node);
	if (page)
		world_account(w, cpu, (int64_t)1 << order);
	return page;
}

/* What a backend frees must be the head of an allocated block of that order. */
static bool world_may_free(const struct nslab_world *w, const struct nslab_page *page,
			   unsigned order)
{
	const struct nslab_arena *a = w->env.arena;
	size_t nr = (size_t)a->nr_nodes << (a->node_shift - NSLAB_PAGE_SHIFT);

	if (page < a->pages || page >= a->pages + nr) {
		w->env.report(&w->env, "'%s' frees %p, which is no page record", w->allocator->name,
			      (const void *)page);
		return false;
	}
	if (!(page->flags & NSLAB_PAGE_HEAD)) {
		w->env.report(&w->env, "'%s' frees page %zu, which heads no allocated block",
			      w->allocator->name, nslab_arena_pfn(a, page));
		return false;
	}
	if (page->order != order) {
		w->env.report(&w->env, "'%s' frees page %zu with order %u, its order is %u",
			      w->allocator->name, nslab_arena_pfn(a, page), order, page->order);
		return false;
	}
	return true;
}

static void world_free_pages(const struct nslab_env *env, struct nslab_cpu *cpu,
			     struct nslab_page *page, unsigned order)
{
	struct nslab_world *w = world_of(env);
	struct nslab_cpu *lists = cpu;

	if (!world_may_free(w, page, order))
		return;
	if (cpu && world_slot(w, cpu)->is_leaving)
		lists = NULL;
	w->source->ops->free_pages(w->source, lists, page, order);
	world_account(w, cpu, -((int64_t)1 << order));
}

static void *world_alloc_meta(const struct nslab_env *env, size_t bytes, int node)
{
	struct nslab_world *w = world_of(env);
	void *ptr = nslab_arena_alloc_meta(w->map, bytes, node);

	if (ptr)
		atomic_fetch_add_explicit(&w->meta_bytes, (int64_t)bytes, memory_order_relaxed);
	return ptr;
}

static void world_free_meta(const struct nslab_env *env, void *ptr, size_t bytes)
{
	struct nslab_world *w = world_of(env);

	if (!ptr)
		return;
	nslab_arena_free_meta(w->map, ptr, bytes);
	atomic_fetch_sub_explicit(&w->meta_bytes, (int64_t)bytes, memory_order_relaxed);
}

void nslab_world_usage(struct nslab_world *w, struct nslab_world_usage *usage)
{
	int64_t nr = atomic_load(&w->nr_pages);
	int64_t peak = atomic_load(&w->nr_pages_peak);

	for (int i = 0; i < WORLD_NO_CPU; i++)
		nr += atomic_load_explicit(&w->slots[i].nr_pages, memory_order_relaxed);
	usage->nr_pages = nr > 0 ? (uint64_t)nr : 0;
	usage->nr_pages_peak = (uint64_t)(peak > nr ? peak : nr);
	usage->nr_page_calls = world_nr_calls(w);
	usage->meta_bytes = (uint64_t)atomic_load(&w->meta_bytes);
	world_areas_usage(&w->areas, usage);
}

void nslab_world_page_stats(struct nslab_world *w, int node, struct nslab_page_stats *stats)
{
	w->source->ops->stats(w->source, node, stats);
}

int nslab_world_zone_stats(struct nslab_world *w, int zone, struct nslab_zone_stats *stats)
{
	return w->source->ops->zone_stats(w->source, zone, stats);
}

struct nslab_page_source *nslab_world_page_source(struct nslab_world *w)
{
	return w->source;
}

/* ---- services: virtually contiguous memory ---- */

int nslab_world_vmalloc(struct nslab_world *w, struct nslab_vmalloc **vmalloc,
			struct nslab_err *err)
{
	return world_areas_vmalloc(&w->areas, vmalloc, err);
}

/*
 * A CPU's page lists belong to the first arena, so the second one works without. Failure injection
 * counts the call as one.
 */
static void *world_vmalloc(const struct nslab_env *env, struct nslab_cpu *cpu, size_t size_bytes,
			   gfp_t gfp, int node)
{
	struct nslab_world *w = world_of(env);
	struct nslab_vmalloc *vmalloc;
	struct nslab_err err;
	void *ptr;
	int rc;

	world_count_call(w, cpu);
	if (world_injects(w))
		return NULL;
	if (node == NUMA_NO_NODE && cpu)
		node = cpu->node;
	rc = world_areas_vmalloc(&w->areas, &vmalloc, &err);
	if (!rc)
		rc = nslab_vmalloc_alloc(vmalloc, NULL, size_bytes, gfp, node, err.text,
					 sizeof(err.text), &ptr);
	if (!rc)
		return ptr;
	if (!(gfp & __GFP_NOWARN))
		env->report(env, "vmalloc of '%s': %s", w->allocator->name, err.text);
	return NULL;
}

static bool world_vfree(const struct nslab_env *env, struct nslab_cpu *cpu, const void *ptr)
{
	struct nslab_vmalloc *vmalloc = world_areas_made(&world_of(env)->areas);

	(void)cpu;
	return vmalloc && !nslab_vmalloc_free(vmalloc, NULL, (void *)(uintptr_t)ptr);
}

/* ---- services: contiguous memory, movers, statistics ---- */

static int world_cma_open(const struct nslab_env *env, int node, size_t nr_pages,
			  struct nslab_cma **cma)
{
	struct nslab_world *w = world_of(env);

	return world_areas_cma_open(&w->areas, w->source, node, nr_pages, cma);
}

static void world_cma_close(const struct nslab_env *env, struct nslab_cma *cma)
{
	world_areas_cma_close(&world_of(env)->areas, cma);
}

/* Failure injection counts the call as one. */
static int world_cma_alloc(const struct nslab_env *env, struct nslab_cma *cma, size_t nr_pages,
			   unsigned align_order, struct nslab_page **first)
{
	struct nslab_world *w = world_of(env);

	world_count_call(w, NULL);
	if (world_injects(w))
		return -ENOMEM;
	return nslab_cma_alloc(cma, nr_pages, align_order, first);
}

static int world_cma_free(const struct nslab_env *env, struct nslab_cma *cma,
			  struct nslab_page *first, size_t nr_pages)
{
	(void)env;
	return nslab_cma_free(cma, first, nr_pages);
}

static int world_set_mover(const struct nslab_env *env, struct nslab_page *page,
			   struct nslab_page_mover *mover)
{
	struct nslab_world *w = world_of(env);

	return w->source->ops->set_mover(w->source, page, mover);
}

static int world_zone_stats(const struct nslab_env *env, int zone, struct nslab_zone_stats *stats)
{
	return nslab_world_zone_stats(world_of(env), zone, stats);
}

/* ---- CPUs ---- */

static void world_fill_cpu(struct nslab_world *w, struct nslab_cpu *cpu, int id, int node)
{
	struct world_slot *slot = &w->slots[id];

	if (!cpu->ops) /* else the backend chose a table for this handle */
		cpu->ops = w->allocator;
	cpu->heap = w->heap;
	cpu->id = id;
	cpu->node = node;
	slot->cpu = cpu;
	slot->is_leaving = false;
	slot->is_linked = !cpu->link.next;
	if (slot->is_linked) {
		nslab_list_add_tail(&cpu->link, &w->heap->cpus);
		w->heap->nr_cpus++;
	}
}

int nslab_world_cpu_online(struct nslab_world *w, int id, int arena_node, struct nslab_cpu **cpu)
{
	struct nslab_cpu *c = NULL;
	int rc = -EINVAL;

	if (id < 0 || id >= NSLAB_MAX_CPUS || arena_node < 0 ||
	    arena_node >= w->env.arena->nr_nodes)
		return rc;
	pthread_mutex_lock(&w->control_lock);
	rc = -EBUSY;
	if (w->slots[id].cpu)
		goto out_unlock;
	rc = w->allocator->cpu_online(w->heap, id, arena_node, &c);
	if (rc)
		goto out_unlock;
	world_fill_cpu(w, c, id, arena_node);
	*cpu = c;
out_unlock:
	pthread_mutex_unlock(&w->control_lock);
	return rc;
}

static void world_offline(struct nslab_world *w, struct nslab_cpu *cpu)
{
	struct world_slot *slot = &w->slots[cpu->id];

	/* what waits on a CPU that goes would wait for ever; the default's table goes last */
	do {
		w->allocator->rcu_barrier(cpu);
	} while (cpu->rcu_pending);
	w->source->ops->cpu_drain(w->source, cpu);
	slot->is_leaving = true;
	if (slot->is_linked) {
		nslab_list_del(&cpu->link);
		w->heap->nr_cpus--;
	}
	w->allocator->cpu_offline(cpu);
	slot->cpu = NULL;
	world_add_total(w, atomic_exchange(&slot->nr_pages, 0));
}

void nslab_world_cpu_offline(struct nslab_world *w, struct nslab_cpu *cpu)
{
	pthread_mutex_lock(&w->control_lock);
	world_offline(w, cpu);
	pthread_mutex_unlock(&w->control_lock);
}

static void world_quiesce(struct nslab_world *w)
{
	for (int i = 0; i < WORLD_NO_CPU; i++) {
		if (w->slots[i].cpu)
			w->allocator->quiesce(w->slots[i].cpu);
	}
}

int nslab_world_cache_destroy(struct nslab_world *w, struct kmem_cache *s)
{
	int rc;

	pthread_mutex_lock(&w->control_lock);
	rc = w->allocator->cache_destroy(s);
	for (int i = 1; rc == -EAGAIN && i < WORLD_DESTROY_ATTEMPTS; i++) {
		world_quiesce(w);
		rc = w->allocator->cache_destroy(s);
	}
	pthread_mutex_unlock(&w->control_lock);
	return rc;
}

/* ---- open and close ---- */

/* The parameters given, or a new structure of defaults that goes to *made. */
static int world_params(const struct nslab_param *rows, size_t bytes, const void *given,
			void **made, const void **params, struct nslab_err *err)
{
	int rc;

	*params = given;
	if (given || !bytes)
		return 0;
	*made = calloc(1, bytes);
	if (!*made)
		return nslab_fail(err, -ENOMEM, "out of memory");
	rc = nslab_param_defaults(rows, *made, err);
	*params = *made;
	return rc;
}

static int world_open_pages(struct nslab_world *w, const struct nslab_world_spec *spec,
			    struct nslab_err *err)
{
	const struct nslab_page_ops *ops = spec->page;
	struct nslab_arena_spec arena = *spec->arena;
	const void *params;
	int rc;

	/* a backend that takes no pages from here still gets an arena, but no more than one block
	 */
	if (!(spec->allocator->caps & NSLAB_CAP_PAGES))
		arena.node_bytes = NSLAB_PAGE_SIZE << NSLAB_MAX_ORDER;
	rc = nslab_arena_map_open(&arena, &w->map, err);
	if (rc)
		return rc;
	w->env.arena = nslab_arena_map_arena(w->map);
	rc = world_params(ops->params, ops->params_size, spec->page_params, &w->page_params,
			  &params, err);
	if (!rc)
		rc = world_areas_set(&w->areas, w->map, params, err);
	if (rc)
		return nslab_fail_in(err, rc, "page allocator '%s'", ops->name);
	rc = ops->open(w->env.arena, params, &w->source);
	if (rc)
		return nslab_fail(err, rc, "cannot open page allocator '%s': %s", ops->name,
				  strerror(-rc));
	w->source->ops = ops;
	w->source->arena = w->env.arena;
	return 0;
}

static void world_fill_heap(struct nslab_world *w)
{
	struct nslab_heap *heap = w->heap;

	heap->ops = w->allocator;
	heap->env = &w->env;
	if (!heap->cpus.next)
		nslab_list_init(&heap->cpus);
	if (!heap->caches.next)
		nslab_list_init(&heap->caches);
}

static int world_open_heap(struct nslab_world *w, const struct nslab_world_spec *spec,
			   struct nslab_err *err)
{
	const struct nslab_allocator_ops *ops = spec->allocator;
	const void *params;
	int rc = world_params(ops->params, ops->params_size, spec->allocator_params,
			      &w->allocator_params, &params, err);

	if (rc)
		return nslab_fail_in(err, rc, "allocator '%s'", ops->name);
	w->debug_options.inner_params = params;
	if (w->is_debug) {
		ops = w->allocator;
		params = &w->debug_options;
	}
	rc = ops->open(&w->env, params, &w->heap);
	if (rc)
		return nslab_fail(err, rc, "cannot open allocator '%s': %s", ops->name,
				  strerror(-rc));
	world_fill_heap(w);
	if (!nslab_kmalloc_is_default(w->heap))
		return 0;
	rc = nslab_kmalloc_caches_create(w->heap);
	if (!rc)
		return 0;
	nslab_fail(err, rc, "cannot create the kmalloc caches of allocator '%s': %s", ops->name,
		   strerror(-rc));
	ops->close(w->heap);
	w->heap = NULL;
	return rc;
}

static void world_free(struct nslab_world *w)
{
	world_areas_close(&w->areas);
	if (w->source)
		w->source->ops->close(w->source);
	nslab_arena_map_close(w->map);
	pthread_mutex_destroy(&w->control_lock);
	free(w->allocator_params);
	free(w->page_params);
	free(w->slots);
	free(w);
}

static struct nslab_world *world_new(const struct nslab_world_spec *spec)
{
	struct nslab_world *w = calloc(1, sizeof(*w));
	size_t slot_bytes = (WORLD_NO_CPU + 1) * sizeof(*w->slots);

	if (!w)
		return NULL;
	w->slots = aligned_alloc(NSLAB_CACHE_LINE, slot_bytes);
	if (!w->slots) {
		free(w);
		return NULL;
	}
	memset(w->slots, 0, slot_bytes);
	pthread_mutex_init(&w->control_lock, NULL);
	w->env.seed = spec->seed;
	w->env.alloc_pages = world_alloc_pages;
	w->env.free_pages = world_free_pages;
	w->env.alloc_meta = world_alloc_meta;
	w->env.free_meta = world_free_meta;
	w->env.report = world_report;
	w->env.vmalloc = world_vmalloc;
	w->env.vfree = world_vfree;
	w->env.cma_open = world_cma_open;
	w->env.cma_close = world_cma_close;
	w->env.cma_alloc = world_cma_alloc;
	w->env.cma_free = world_cma_free;
	w->env.set_mover = world_set_mover;
	w->env.zone_stats = world_zone_stats;
	world_areas_init(&w->areas, spec);
	w->allocator = spec->allocator;
	w->is_debug = spec->is_debug;
	if (w->is_debug) {
		w->debug_options.inner = spec->allocator;
		w->debug_options.symbol = nslab_symbol_of;
		w->debug_options.quarantine = spec->debug_quarantine;
		w->debug_options.has_no_tools = spec->debug_has_no_tools;
		nslab_debug_table(spec->allocator, &w->debug_table);
		w->allocator = &w->debug_table;
	}
	w->report = spec->report;
	w->report_context = spec->report_context;
	nslab_world_fail_at(w, spec->fail_at, spec->fail_nr);
	return w;
}

int nslab_world_open(const struct nslab_world_spec *spec, struct nslab_world **world,
		     struct nslab_err *err)
{
	struct nslab_world *w = world_new(spec);
	int rc;

	if (!w)
		return nslab_fail(err, -ENOMEM, "cannot open allocator '%s': out of memory",
				  spec->allocator->name);
	rc = world_open_pages(w, spec, err);
	if (!rc)
		rc = world_open_heap(w, spec, err);
	if (rc) {
		world_free(w);
		return rc;
	}
	*world = w;
	return 0;
}

/* close() may count on all caches being gone; with one left, the heap is abandoned instead. */
static void world_close_heap(struct nslab_world *w)
{
	const char *name = w->allocator->name;
	int rc;

	for (int i = 0; i < WORLD_NO_CPU; i++) {
		if (w->slots[i].cpu)
			world_offline(w, w->slots[i].cpu);
	}
	if (w->is_debug)
		nslab_debug_report_leaks(w->heap);
	/* a backend with a kmalloc of its own may have made these caches as well */
	rc = nslab_kmalloc_caches_destroy(w->heap);
	if (rc)
		w->env.report(&w->env, "'%s' cannot destroy its kmalloc caches: %s", name,
			      strerror(-rc));
	nslab_list_for_each (pos, &w->heap->caches)
		w->env.report(&w->env, "'%s' still has cache '%s'", name,
			      nslab_list_entry(pos, struct kmem_cache, link)->name);
	if (!rc && nslab_list_is_empty(&w->heap->caches))
		w->allocator->close(w->heap);
}

void nslab_world_close(struct nslab_world *w)
{
	struct nslab_world_usage usage;
	size_t nr_areas;

	if (!w)
		return;
	world_close_heap(w);
	nslab_world_usage(w, &usage);
	if (usage.nr_pages)
		w->env.report(&w->env, "'%s' left %" PRIu64 " pages allocated", w->allocator->name,
			      usage.nr_pages);
	if (usage.nr_cma_pages)
		w->env.report(&w->env, "'%s' left %" PRIu64 " pages of contiguous ranges allocated",
			      w->allocator->name, usage.nr_cma_pages);
	nr_areas = world_areas_close_vmalloc(&w->areas);
	if (nr_areas)
		w->env.report(&w->env, "'%s' left %zu vmalloc areas", w->allocator->name, nr_areas);
	if (usage.meta_bytes)
		w->env.report(&w->env, "'%s' left %" PRIu64 " bytes of metadata allocated",
			      w->allocator->name, usage.meta_bytes);
	world_free(w);
}

struct nslab_heap *nslab_world_heap(struct nslab_world *w)
{
	return w->heap;
}

const struct nslab_env *nslab_world_env(struct nslab_world *w)
{
	return &w->env;
}

struct nslab_arena_map *nslab_world_arena(struct nslab_world *w)
{
	return w->map;
}
