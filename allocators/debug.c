// SPDX-License-Identifier: GPL-2.0-only
/*
 * debug.c: the debug layer: stands in front of any backend and checks those who use it.
 *
 * Every call goes on to the backend. Objects get a red zone behind them, new ones are filled with
 * 0x5a, and freed ones with 0x6b before they wait in a quarantine of the CPU that freed them, so
 * that a write after the free is seen when they leave it: the backend itself only gets them back
 * then, since its own links in free objects would look the same. A record of each object
 * (debug_record.c) has where and when it was allocated and freed. Found, each told in one line:
 * leaks at close with their allocation site and age (as kmemleak does), double free, foreign
 * pointer, free to another cache, overrun, write after free; and through ASan and Valgrind, where
 * built so, reads of freed and of uninitialised memory as well (as kmemcheck did).
 *
 * A power-of-two kmalloc asks for twice its size, so that its natural alignment stays; one of the
 * largest size, and a cache object that fills its forced order, go without a red zone. Time is the
 * number of operations. The layer has an environment of its own for the backend, which leads page
 * requests to the outer CPU handle: that one has the page lists.
 *
 * Invariant: an object is live, in the quarantine of exactly one CPU, or the backend's.
 *
 * Left out: zones in front of objects, and the backend's bulk free (objects return one by one).
 *
 * Locks: those of debug_record.c; no call into the backend is made under one.
 */
#include "allocators/debug.h"

#include "allocators/common/base.h"
#include "allocators/common/defaults.h"
#include "allocators/common/kmalloc.h"
#include "allocators/debug_tools.h"

#include <stdarg.h>
#include <string.h>

#define DEBUG_LARGEST (NSLAB_PAGE_SIZE << NSLAB_MAX_ORDER)
#define DEBUG_SITE    __builtin_return_address(0)

static const struct nslab_allocator_ops *debug_inner(const struct nslab_cpu *cpu)
{
	return debug_heap_of(cpu->heap)->options.inner;
}

static struct debug_event debug_event(struct nslab_cpu *cpu, const void *site)
{
	struct debug_heap *d = debug_heap_of(cpu->heap);

	return (struct debug_event){
		.site = site,
		.time = atomic_fetch_add_explicit(&d->time, 1, memory_order_relaxed),
		.cpu = cpu->id,
	};
}

/* ---- the backend's environment ---- */

static struct debug_heap *debug_of_env(const struct nslab_env *env)
{
	return nslab_container_of((uintptr_t)env, struct debug_heap, env);
}

/* The outer handle of the backend's. */
static struct nslab_cpu *debug_outer(struct debug_heap *d, const struct nslab_cpu *cpu)
{
	return cpu ? &d->cpus[cpu->id]->base : NULL;
}

static struct nslab_page *debug_alloc_pages(const struct nslab_env *env, struct nslab_cpu *cpu,
					    unsigned order, gfp_t gfp, int node)
{
	struct debug_heap *d = debug_of_env(env);
	const struct nslab_env *outer = d->base.env;

	return outer->alloc_pages(outer, debug_outer(d, cpu), order, gfp, node);
}

static void debug_free_pages(const struct nslab_env *env, struct nslab_cpu *cpu,
			     struct nslab_page *page, unsigned order)
{
	struct debug_heap *d = debug_of_env(env);
	const struct nslab_env *outer = d->base.env;

	outer->free_pages(outer, debug_outer(d, cpu), page, order);
}

static void *debug_alloc_meta(const struct nslab_env *env, size_t bytes, int node)
{
	const struct nslab_env *outer = debug_of_env(env)->base.env;

	return outer->alloc_meta(outer, bytes, node);
}

static void debug_free_meta(const struct nslab_env *env, void *ptr, size_t bytes)
{
	const struct nslab_env *outer = debug_of_env(env)->base.env;

	outer->free_meta(outer, ptr, bytes);
}

static void __attribute__((format(printf, 2, 3)))
debug_report(const struct nslab_env *env, const char *format, ...)
{
	const struct nslab_env *outer = debug_of_env(env)->base.env;
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	outer->report(outer, "%s", line);
}

static void *debug_vmalloc(const struct nslab_env *env, struct nslab_cpu *cpu, size_t size_bytes,
			   gfp_t gfp, int node)
{
	struct debug_heap *d = debug_of_env(env);
	const struct nslab_env *outer = d->base.env;

	return outer->vmalloc(outer, debug_outer(d, cpu), size_bytes, gfp, node);
}

static bool debug_vfree(const struct nslab_env *env, struct nslab_cpu *cpu, const void *ptr)
{
	struct debug_heap *d = debug_of_env(env);
	const struct nslab_env *outer = d->base.env;

	return outer->vfree(outer, debug_outer(d, cpu), ptr);
}

/* Call by call: whatever else an environment offers must not see this one as its own. */
static void debug_env_init(struct debug_heap *d)
{
	d->env.arena = d->base.env->arena;
	d->env.seed = d->base.env->seed;
	d->env.alloc_pages = debug_alloc_pages;
	d->env.free_pages = debug_free_pages;
	d->env.alloc_meta = debug_alloc_meta;
	d->env.free_meta = debug_free_meta;
	d->env.report = debug_report;
	d->env.vmalloc = d->base.env->vmalloc ? debug_vmalloc : NULL;
	d->env.vfree = d->base.env->vfree ? debug_vfree : NULL;
}

/* ---- quarantine ---- */

/* The object goes back to the backend. */
static void debug_let_go(struct nslab_cpu *base, struct debug_record *r)
{
	const struct nslab_allocator_ops *ops = debug_inner(base);
	struct nslab_cpu *inner = debug_cpu_of(base)->inner;
	struct debug_cache *s = r->s;
	void *obj = r->obj;

	/* the record is another object's as soon as the backend has it */
	debug_release(debug_heap_of(base->heap), r);
	if (!s) {
		ops->kfree(inner, obj);
		return;
	}
	atomic_fetch_sub_explicit(&s->nr_quarantined, 1, memory_order_relaxed);
	ops->free(inner, s->inner, obj);
}

static unsigned debug_quarantine_size(const struct debug_heap *d)
{
	return d->options.quarantine ? d->options.quarantine : NSLAB_DEBUG_QUARANTINE;
}

static void debug_drain(struct nslab_cpu *base)
{
	struct debug_cpu *cpu = debug_cpu_of(base);
	unsigned size = debug_quarantine_size(debug_heap_of(base->heap));

	while (cpu->nr) {
		struct debug_record *r = cpu->quarantine[cpu->first];

		cpu->first = (cpu->first + 1) % size;
		cpu->nr--;
		debug_let_go(base, r);
	}
}

static void debug_put(struct nslab_cpu *base, struct debug_record *r)
{
	struct debug_heap *d = debug_heap_of(base->heap);
	struct debug_cpu *cpu = debug_cpu_of(base);
	unsigned size = debug_quarantine_size(d);
	struct debug_record *oldest;

	debug_poison(d, r);
	if (r->s)
		atomic_fetch_add_explicit(&r->s->nr_quarantined, 1, memory_order_relaxed);
	if (cpu->nr == size) {
		oldest = cpu->quarantine[cpu->first];
		cpu->first = (cpu->first + 1) % size;
		cpu->nr--;
		debug_let_go(base, oldest);
	}
	cpu->quarantine[(cpu->first + cpu->nr++) % size] = r;
}

static void debug_quiesce(struct nslab_cpu *base)
{
	unsigned epoch;

	if (nslab_flush_is_due(base, &epoch)) {
		/* a free may serve the backend's request half way through: it is made once more */
		if (debug_cpu_of(base)->nr) {
			debug_drain(base);
			nslab_flush_request(debug_heap_of(base->heap)->inner);
		}
		nslab_flush_serve(base, epoch);
	}
	debug_inner(base)->quiesce(debug_cpu_of(base)->inner);
}

/* ---- objects ---- */

/* obj from the backend; returns it, or NULL when there is no memory for its record. */
static void *debug_enter(struct nslab_cpu *base, struct debug_cache *s, void *obj, size_t bytes,
			 size_t zone, gfp_t gfp, struct debug_event event)
{
	bool keeps = s && (s->base.ctor || (s->base.flags & SLAB_TYPESAFE_BY_RCU));
	struct debug_record new = {
		.obj = obj,
		.bytes = bytes,
		.zone = zone,
		.s = s,
		.alloc = event,
		.state = DEBUG_LIVE,
		.has_poison = !keeps,
	};

	memcpy(new.name, s ? s->base.name : "kmalloc", s ? sizeof(new.name) : sizeof("kmalloc"));
	if (!debug_track(debug_heap_of(base->heap), &new, !keeps && !(gfp & __GFP_ZERO)))
		return obj;
	if (s)
		debug_inner(base)->free(debug_cpu_of(base)->inner, s->inner, obj);
	else
		debug_inner(base)->kfree(debug_cpu_of(base)->inner, obj);
	return NULL;
}

static void *debug_alloc(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node)
{
	const struct nslab_allocator_ops *ops = debug_inner(base);
	struct debug_event event = debug_event(base, DEBUG_SITE);
	struct nslab_cpu *inner = debug_cpu_of(base)->inner;
	struct debug_cache *s = debug_cache_of(ks);
	void *obj = ops->alloc(inner, s->inner, gfp, node);

	if (!obj) {
		debug_drain(base);
		obj = ops->alloc(inner, s->inner, gfp, node);
	}
	return obj ? debug_enter(base, s, obj, ks->object_size, s->zone, gfp, event) : NULL;
}

static void debug_free_by(struct nslab_cpu *base, struct debug_cache *s, void *obj,
			  struct debug_event event, const char *what)
{
	struct debug_heap *d = debug_heap_of(base->heap);
	struct debug_record *r;

	debug_ask_tools(d, &event);
	r = debug_untrack(d, s, obj, &event, what);
	if (r)
		debug_put(base, r);
}

static void debug_free(struct nslab_cpu *base, struct kmem_cache *s, void *obj)
{
	debug_free_by(base, debug_cache_of(s), obj, debug_event(base, DEBUG_SITE),
		      "kmem_cache_free");
}

static void debug_free_bulk(struct nslab_cpu *base, struct kmem_cache *s, size_t nr, void **objs)
{
	const void *site = DEBUG_SITE;

	for (size_t i = 0; i < nr; i++)
		debug_free_by(base, debug_cache_of(s), objs[i], debug_event(base, site),
			      "kmem_cache_free_bulk");
}

static size_t debug_alloc_bulk(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp, int node,
			       size_t nr, void **objs)
{
	const struct nslab_allocator_ops *ops = debug_inner(base);
	struct nslab_cpu *inner = debug_cpu_of(base)->inner;
	struct debug_cache *s = debug_cache_of(ks);
	const void *site = DEBUG_SITE;
	size_t nr_entered = 0;

	if (ops->alloc_bulk(inner, s->inner, gfp, node, nr, objs) != nr) {
		debug_drain(base);
		if (ops->alloc_bulk(inner, s->inner, gfp, node, nr, objs) != nr)
			return 0;
	}
	while (nr_entered < nr && debug_enter(base, s, objs[nr_entered], ks->object_size, s->zone,
					      gfp, debug_event(base, site)))
		nr_entered++;
	if (nr_entered == nr)
		return nr;
	/* the one that could not be entered is the backend's again */
	ops->free_bulk(inner, s->inner, nr - nr_entered - 1, objs + nr_entered + 1);
	debug_free_bulk(base, ks, nr_entered, objs);
	return 0;
}

/* ---- kmalloc ---- */

/* Bytes to ask the backend for, and the red zone that fits in them. */
static size_t debug_kmalloc_bytes(size_t size_bytes, size_t *zone)
{
	bool is_power = !(size_bytes & (size_bytes - 1));

	*zone = DEBUG_ZONE;
	if (size_bytes >= DEBUG_LARGEST - DEBUG_ZONE) {
		*zone = 0;
		return size_bytes;
	}
	return is_power && size_bytes >= DEBUG_ZONE ? 2 * size_bytes : size_bytes + DEBUG_ZONE;
}

static void *debug_kmalloc_by(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp, int node,
			      const void *site)
{
	const struct nslab_allocator_ops *ops = debug_inner(base);
	struct nslab_cpu *inner = debug_cpu_of(base)->inner;
	struct debug_event event = debug_event(base, site);
	size_t zone, bytes = debug_kmalloc_bytes(size_bytes, &zone);
	void *obj;

	if (!size_bytes)
		return NSLAB_ZERO_SIZE_PTR;
	obj = ops->kmalloc(inner, bytes, gfp, node);
	if (!obj) {
		debug_drain(base);
		obj = ops->kmalloc(inner, bytes, gfp, node);
	}
	return obj ? debug_enter(base, NULL, obj, size_bytes, zone, gfp, event) : NULL;
}

static void *debug_kmalloc(struct nslab_cpu *base, size_t size_bytes, gfp_t gfp, int node)
{
	return debug_kmalloc_by(base, size_bytes, gfp, node, DEBUG_SITE);
}

static void debug_kfree(struct nslab_cpu *base, void *obj)
{
	if (!nslab_is_zero_or_null(obj))
		debug_free_by(base, NULL, obj, debug_event(base, DEBUG_SITE), "kfree");
}

/* What was asked for: more would be the red zone. */
static size_t debug_ksize(struct nslab_cpu *base, const void *obj)
{
	struct debug_event event = debug_event(base, DEBUG_SITE);
	size_t bytes = 0;

	if (!nslab_is_zero_or_null(obj))
		debug_look(debug_heap_of(base->heap), obj, &event, "ksize", &bytes);
	return bytes;
}

static void *debug_krealloc(struct nslab_cpu *base, void *obj, size_t size_bytes, gfp_t gfp)
{
	const void *site = DEBUG_SITE;
	struct debug_event event = debug_event(base, site);
	size_t bytes;
	void *grown;

	if (nslab_is_zero_or_null(obj))
		return debug_kmalloc_by(base, size_bytes, gfp, NUMA_NO_NODE, site);
	if (size_bytes == 0) {
		debug_free_by(base, NULL, obj, event, "krealloc");
		return NSLAB_ZERO_SIZE_PTR;
	}
	if (!debug_look(debug_heap_of(base->heap), obj, &event, "krealloc", &bytes))
		return NULL;
	if (size_bytes <= bytes)
		return obj;
	grown = debug_kmalloc_by(base, size_bytes, gfp, NUMA_NO_NODE, site);
	if (!grown)
		return NULL;
	memcpy(grown, obj, bytes);
	debug_free_by(base, NULL, obj, event, "krealloc");
	return grown;
}

/* ---- calls that only some backends have ---- */

static void debug_free_rcu(struct nslab_cpu *base, struct kmem_cache *ks, void *obj)
{
	struct debug_heap *d = debug_heap_of(base->heap);
	struct debug_event event = debug_event(base, DEBUG_SITE);
	struct debug_record *r = debug_untrack(d, debug_cache_of(ks), obj, &event, "free_rcu");

	if (!r)
		return;
	/* it may be read until the grace period ends, so it is not overwritten */
	r->has_poison = false;
	if (!d->options.has_no_tools)
		debug_tool_free(obj);
	debug_release(d, r);
	debug_inner(base)->free_rcu(debug_cpu_of(base)->inner, debug_cache_of(ks)->inner, obj);
}

static void debug_rcu_barrier(struct nslab_cpu *base)
{
	struct nslab_cpu *inner = debug_cpu_of(base)->inner;

	do { /* until the default's table is gone too, which only its own handle knows of */
		debug_inner(base)->rcu_barrier(inner);
	} while (inner->rcu_pending);
}

static int debug_sheaf_prefill(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp, size_t nr,
			       struct nslab_sheaf **sheaf)
{
	return debug_inner(base)->sheaf_prefill(debug_cpu_of(base)->inner, debug_cache_of(s)->inner,
						gfp, nr, sheaf);
}

static void *debug_sheaf_alloc(struct nslab_cpu *base, struct kmem_cache *ks, gfp_t gfp,
			       struct nslab_sheaf *sheaf)
{
	struct debug_event event = debug_event(base, DEBUG_SITE);
	struct debug_cache *s = debug_cache_of(ks);
	void *obj = debug_inner(base)->sheaf_alloc(debug_cpu_of(base)->inner, s->inner, gfp, sheaf);

	return obj ? debug_enter(base, s, obj, ks->object_size, s->zone, gfp, event) : NULL;
}

static void debug_sheaf_return(struct nslab_cpu *base, struct kmem_cache *s, gfp_t gfp,
			       struct nslab_sheaf *sheaf)
{
	debug_inner(base)->sheaf_return(debug_cpu_of(base)->inner, debug_cache_of(s)->inner, gfp,
					sheaf);
}

/* ---- caches ---- */

static int debug_cache_create(struct nslab_heap *base, const struct nslab_cache_spec *spec,
			      struct kmem_cache **s)
{
	struct debug_heap *d = debug_heap_of(base);
	struct nslab_cache_spec wide = *spec;
	struct debug_cache *new = base->env->alloc_meta(base->env, sizeof(*new), NUMA_NO_NODE);
	int rc;

	if (!new)
		return -ENOMEM;
	rc = nslab_cache_init(&new->base, base, spec);
	if (rc)
		goto free_cache;
	wide.object_size = ((spec->object_size + 7) & ~(size_t)7) + DEBUG_ZONE;
	new->zone = wide.object_size - spec->object_size;
	rc = d->options.inner->cache_create(d->inner, &wide, &new->inner);
	if (rc == -E2BIG || rc == -EINVAL) {
		new->zone = 0;
		rc = d->options.inner->cache_create(d->inner, spec, &new->inner);
	}
	if (rc)
		goto unlink_cache;
	new->base.size = new->inner->size;
	new->base.align = new->inner->align;
	new->base.order = new->inner->order;
	new->base.objects = new->inner->objects;
	*s = &new->base;
	return 0;
unlink_cache:
	nslab_cache_exit(&new->base);
free_cache:
	base->env->free_meta(base->env, new, sizeof(*new));
	return rc;
}

/* Quarantined objects first, then the backend's own request; both are asked for again. */
static int debug_cache_destroy(struct kmem_cache *ks)
{
	struct debug_heap *d = debug_heap_of(ks->heap);
	struct debug_cache *s = debug_cache_of(ks);
	int rc;

	if (!s->is_dying) {
		s->epoch = nslab_flush_request(ks->heap);
		s->is_dying = true;
	}
	if (!nslab_flush_is_done(ks->heap, s->epoch))
		return -EAGAIN;
	rc = d->options.inner->cache_destroy(s->inner);
	if (rc == -EAGAIN)
		return rc;
	s->is_dying = false;
	if (rc)
		return rc;
	nslab_cache_exit(ks);
	d->base.env->free_meta(d->base.env, s, sizeof(*s));
	return 0;
}

static size_t debug_cache_shrink(struct kmem_cache *s)
{
	nslab_flush_request(s->heap);
	return debug_heap_of(s->heap)->options.inner->cache_shrink(debug_cache_of(s)->inner);
}

static int debug_cache_validate(struct kmem_cache *s)
{
	struct debug_heap *d = debug_heap_of(s->heap);

	return debug_validate(d, debug_cache_of(s)) +
	       d->options.inner->cache_validate(debug_cache_of(s)->inner);
}

static void debug_cache_stats(struct kmem_cache *ks, struct nslab_cache_stats *stats)
{
	struct debug_cache *s = debug_cache_of(ks);
	uint64_t nr = atomic_load_explicit(&s->nr_quarantined, memory_order_relaxed);

	debug_heap_of(ks->heap)->options.inner->cache_stats(s->inner, stats);
	if (stats->nr_objects) {
		stats->nr_free += nr;
		stats->nr_cpu_free += nr;
	}
}

/* ---- life ---- */

static size_t debug_cpu_bytes(const struct debug_heap *d)
{
	return sizeof(struct debug_cpu) + debug_quarantine_size(d) * sizeof(struct debug_record *);
}

static int debug_cpu_online(struct nslab_heap *base, int id, int node, struct nslab_cpu **cpu)
{
	struct debug_heap *d = debug_heap_of(base);
	struct debug_cpu *new = base->env->alloc_meta(base->env, debug_cpu_bytes(d), node);
	int rc;

	if (!new)
		return -ENOMEM;
	nslab_cpu_init(&new->base, base, id, node);
	d->cpus[id] = new;
	rc = d->options.inner->cpu_online(d->inner, id, node, &new->inner);
	if (rc) {
		d->cpus[id] = NULL;
		nslab_cpu_exit(&new->base);
		base->env->free_meta(base->env, new, debug_cpu_bytes(d));
		return rc;
	}
	new->inner->ops = d->options.inner;
	new->inner->heap = d->inner;
	new->inner->id = id;
	new->inner->node = node;
	new->is_linked = !new->inner->link.next;
	if (new->is_linked) {
		nslab_list_add_tail(&new->inner->link, &d->inner->cpus);
		d->inner->nr_cpus++;
	}
	*cpu = &new->base;
	return 0;
}

static void debug_cpu_offline(struct nslab_cpu *base)
{
	struct debug_heap *d = debug_heap_of(base->heap);
	struct debug_cpu *cpu = debug_cpu_of(base);

	debug_drain(base);
	if (cpu->is_linked) {
		nslab_list_del(&cpu->inner->link);
		d->inner->nr_cpus--;
	}
	d->options.inner->cpu_offline(cpu->inner);
	d->cpus[base->id] = NULL;
	nslab_cpu_exit(base);
	d->base.env->free_meta(d->base.env, cpu, debug_cpu_bytes(d));
}

/* A backend with something left is abandoned; its pages are the host's to count. */
static void debug_close_inner(struct debug_heap *d)
{
	int rc = nslab_kmalloc_caches_destroy(d->inner);

	if (!rc && nslab_list_is_empty(&d->inner->caches))
		d->options.inner->close(d->inner);
}

static void debug_close(struct nslab_heap *base)
{
	struct debug_heap *d = debug_heap_of(base);

	nslab_debug_report_leaks(base);
	if (d->inner)
		debug_close_inner(d);
	debug_records_close(d);
	base->env->free_meta(base->env, d, sizeof(*d));
}

/* What the host does after an open. */
static int debug_open_inner(struct debug_heap *d)
{
	const struct nslab_allocator_ops *ops = d->options.inner;
	int rc = ops->open(&d->env, d->options.inner_params, &d->inner);

	if (rc)
		return rc;
	d->inner->ops = ops;
	d->inner->env = &d->env;
	if (!d->inner->cpus.next)
		nslab_list_init(&d->inner->cpus);
	if (!d->inner->caches.next)
		nslab_list_init(&d->inner->caches);
	return nslab_kmalloc_is_default(d->inner) ? nslab_kmalloc_caches_create(d->inner) : 0;
}

static int debug_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	struct debug_heap *d = env->alloc_meta(env, sizeof(*d), NUMA_NO_NODE);
	int rc;

	if (!d)
		return -ENOMEM;
	nslab_heap_init(&d->base, env);
	d->options = *(const struct nslab_debug_options *)params;
	atomic_init(&d->nr_tool_errors, debug_tool_errors());
	debug_env_init(d);
	rc = debug_records_open(d);
	if (!rc)
		rc = debug_open_inner(d);
	if (rc) {
		debug_close(&d->base);
		return rc;
	}
	*heap = &d->base;
	return 0;
}

uint64_t nslab_debug_report_leaks(struct nslab_heap *heap)
{
	struct debug_heap *d = debug_heap_of(heap);

	return d->shards ? debug_leaks(d) : 0;
}

void nslab_debug_table(const struct nslab_allocator_ops *inner, struct nslab_allocator_ops *table)
{
	*table = (struct nslab_allocator_ops){
		.name = inner->name,
		.summary = inner->summary,
		.models = inner->models,
		.preload = inner->preload,
		.caps = inner->caps,
		.open = debug_open,
		.close = debug_close,
		.cpu_online = debug_cpu_online,
		.cpu_offline = debug_cpu_offline,
		.cache_create = debug_cache_create,
		.cache_destroy = debug_cache_destroy,
		.alloc = debug_alloc,
		.free = debug_free,
		.quiesce = debug_quiesce,
		.alloc_bulk = debug_alloc_bulk,
		.free_bulk = debug_free_bulk,
		.cache_shrink = debug_cache_shrink,
		.cache_validate = debug_cache_validate,
		.cache_stats = debug_cache_stats,
		.kmalloc = debug_kmalloc,
		.kfree = debug_kfree,
		.ksize = debug_ksize,
		.krealloc = debug_krealloc,
		.free_rcu = inner->free_rcu ? debug_free_rcu : NULL,
		.rcu_barrier = inner->rcu_barrier ? debug_rcu_barrier : NULL,
		.sheaf_prefill = inner->sheaf_prefill ? debug_sheaf_prefill : NULL,
		.sheaf_alloc = inner->sheaf_alloc ? debug_sheaf_alloc : NULL,
		.sheaf_return = inner->sheaf_return ? debug_sheaf_return : NULL,
		.size_roundup = nslab_size_as_asked,
	};
}
