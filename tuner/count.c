// SPDX-License-Identifier: GPL-2.0-only
/*
 * count.c: what a load costs at one setting, counted on the model.
 *
 * One thread plays all CPUs: each event goes through the handle of its CPU, folded when fewer CPUs
 * are asked for than the load has. What the cache says of itself after the setup is taken off what
 * it says in the end. Since nothing runs beside it and nothing is drawn but from seeds, a count is
 * the same each time.
 *
 * Memory is that of the machine's live objects, while a load has some thousands of them. What CPUs
 * and nodes keep does not grow with the objects, so it is taken from the model as it is; objects
 * that the load left out fill slabs of the setting's order, one after the other.
 *
 * Left out: time, pages that a cache does not own (kmalloc of more than 8 KiB), and how crowded the
 * locks are: acquisitions are counted, not waits.
 */
#include "tuner/count_world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_DEBUG SLAB_CONSISTENCY_CHECKS

/* ---- a counter ---- */

int nslab_tuner_counter_open(const struct nslab_registry *registry,
			     const struct nslab_tuner_snapshot *snapshot,
			     struct nslab_tuner_counter **counter, struct nslab_err *err)
{
	struct nslab_tuner_counter *c = calloc(1, sizeof(*c));
	int rc;

	if (!c)
		return nslab_fail(err, -ENOMEM, "out of memory");
	c->snapshot = snapshot;
	c->nr_cpus = snapshot->nr_cpus < NSLAB_MAX_CPUS ? snapshot->nr_cpus : NSLAB_MAX_CPUS;
	c->nr_nodes = snapshot->nr_nodes < NSLAB_MAX_NODES ? snapshot->nr_nodes : NSLAB_MAX_NODES;
	c->nr_cpus = c->nr_cpus < 1 ? 1 : c->nr_cpus;
	c->nr_nodes = c->nr_nodes < 1 ? 1 : c->nr_nodes;
	rc = count_world_open(c, registry, err);
	if (rc) {
		nslab_fail_in(err, rc, "cannot simulate %d CPUs on %d nodes", c->nr_cpus,
			      c->nr_nodes);
		nslab_tuner_counter_close(c);
		return rc;
	}
	*counter = c;
	return 0;
}

int nslab_tuner_counter_cpus(const struct nslab_tuner_counter *counter)
{
	return counter->nr_cpus;
}

void nslab_tuner_counter_close(struct nslab_tuner_counter *c)
{
	if (!c)
		return;
	count_world_close(c);
	free(c->objs);
	free(c->owners);
	free(c);
}

/* ---- one replay ---- */

struct count_run {
	struct nslab_tuner_counter *counter;
	const struct nslab_tuner_load *load;
	struct kmem_cache *s;
	int nr_cpus;
	uint64_t nr_remote;	/* frees on another CPU than the allocation, since the setup */
	uint64_t nr_high_pages; /* in the end; and before what is judged */
	uint64_t nr_high_setup;
	double size, objects, slab_bytes; /* of the cache: stride, and its slabs */
	struct nslab_cache_stats before, after;
};

static int count_choose(int asked, int now)
{
	if (asked != NSLAB_AUTO)
		return asked;
	return now < 0 ? NSLAB_AUTO : now;
}

/* Of a cache whose order nobody told: what the kernel's rule gives. */
static int count_order(const struct nslab_tuner_snapshot *snapshot,
		       const struct nslab_tuner_cache *cache,
		       const struct nslab_tuner_setting *setting)
{
	int order = count_choose(setting->order, cache->order);

	if (order != NSLAB_AUTO)
		return order;
	return nslab_order_by_kernel(snapshot->kernel, cache->size, &snapshot->knobs,
				     snapshot->nr_cpus);
}

static int count_create(struct count_run *r, const struct nslab_tuner_cache *cache,
			const struct nslab_tuner_setting *setting)
{
	struct nslab_heap *heap = nslab_world_heap(r->counter->world);
	const struct nslab_cache_spec spec = {
		.name = cache->name,
		.object_size = cache->size,
		.align = sizeof(void *),
		.flags = SLAB_NO_MERGE | (cache->is_debug ? COUNT_DEBUG : 0),
		.order = count_order(r->counter->snapshot, cache, setting),
		.min_partial = count_choose(setting->min_partial, cache->min_partial),
		.cpu_partial = count_choose(setting->cpu_partial, cache->cpu_partial),
		.sheaf_capacity = count_choose(setting->sheaf_capacity, cache->sheaf_capacity),
	};

	int rc = heap->ops->cache_create(heap, &spec, &r->s);

	if (rc)
		return rc;
	r->size = r->s->size;
	r->objects = r->s->objects;
	r->slab_bytes = (double)nslab_order_bytes(r->s->order);
	return 0;
}

static int count_room(struct nslab_tuner_counter *c, size_t nr_slots)
{
	void *objs, *owners;

	if (nr_slots > c->max_slots) {
		objs = realloc(c->objs, nr_slots * sizeof(void *));
		c->objs = objs ? objs : c->objs;
		owners = realloc(c->owners, nr_slots * sizeof(*c->owners));
		c->owners = owners ? owners : c->owners;
		if (!objs || !owners)
			return -ENOMEM;
		c->max_slots = nr_slots;
	}
	if (nr_slots)
		memset(c->objs, 0, nr_slots * sizeof(void *));
	return 0;
}

/* Events from..to - 1. */
static int count_play(struct count_run *r, size_t from, size_t to)
{
	struct nslab_tuner_counter *c = r->counter;
	const struct nslab_allocator_ops *ops = r->s->heap->ops;
	int nr_cpus = r->nr_cpus;

	for (size_t i = from; i < to; i++) {
		const struct nslab_tuner_load_event *e = &r->load->events[i];
		int cpu = e->cpu < nr_cpus ? e->cpu : e->cpu % nr_cpus;

		if (e->is_free) {
			r->nr_remote += c->owners[e->slot] != cpu;
			ops->free(c->cpus[cpu], r->s, c->objs[e->slot]);
			c->objs[e->slot] = NULL;
			continue;
		}
		c->objs[e->slot] = ops->alloc(c->cpus[cpu], r->s, GFP_KERNEL, NUMA_NO_NODE);
		c->owners[e->slot] = (uint16_t)cpu;
		if (!c->objs[e->slot])
			return -ENOMEM;
	}
	return 0;
}

static int count_judge(struct count_run *r)
{
	const struct nslab_allocator_ops *ops = r->s->heap->ops;
	int rc = count_play(r, 0, r->load->nr_setup);

	if (rc)
		return rc;
	ops->cache_stats(r->s, &r->before);
	r->nr_remote = 0;
	r->nr_high_setup = r->counter->pages.nr_high_pages;
	rc = count_play(r, r->load->nr_setup, r->load->nr_events);
	ops->cache_stats(r->s, &r->after);
	r->nr_high_pages = r->counter->pages.nr_high_pages;
	return rc;
}

/* Everything back, by the CPU that has it. */
static int count_end(struct count_run *r)
{
	struct nslab_tuner_counter *c = r->counter;
	const struct nslab_allocator_ops *ops = r->s->heap->ops;

	for (uint32_t i = 0; i < r->load->nr_slots; i++) {
		if (c->objs[i])
			ops->free(c->cpus[c->owners[i]], r->s, c->objs[i]);
	}
	return nslab_world_cache_destroy(c->world, r->s);
}

static int count_run(struct count_run *r, const struct nslab_tuner_cache *cache,
		     const struct nslab_tuner_setting *setting)
{
	struct nslab_tuner_counter *c = r->counter;
	int rc = count_room(c, r->load->nr_slots), end;

	if (!rc)
		rc = count_world_cpus(c, r->nr_cpus);
	if (!rc)
		rc = count_create(r, cache, setting);
	if (!rc) {
		rc = count_judge(r);
		end = count_end(r);
		rc = rc ? rc : end;
	}
	count_world_rest(c);
	return rc;
}

/* ---- what it costs ---- */

static double count_grown(const struct count_run *r, enum nslab_stat what)
{
	return (double)(r->after.stat[what] - r->before.stat[what]);
}

static void count_fill_rates(const struct count_run *r, const struct nslab_tuner_cache *cache,
			     struct nslab_tuner_cost *cost)
{
	double kops = (double)(r->load->nr_events - r->load->nr_setup) / 1000;
	double nr_slabs = (double)r->after.stat[NSLAB_STAT_ALLOC_SLAB];

	cost->locks_per_kop =
		(count_grown(r, NSLAB_STAT_LIST_LOCK) + count_grown(r, NSLAB_STAT_BARN_GET) +
		 count_grown(r, NSLAB_STAT_BARN_PUT)) /
		kops;
	cost->remote_frees_per_kop = (double)r->nr_remote / kops;
	cost->slow_per_kop = (count_grown(r, NSLAB_STAT_ALLOC_SLOWPATH) +
			      count_grown(r, NSLAB_STAT_FREE_SLOWPATH)) /
			     kops;
	cost->slab_allocs_per_kop = count_grown(r, NSLAB_STAT_ALLOC_SLAB) / kops;
	cost->high_pages_per_kop = 1000 * (double)r->nr_high_pages / (double)r->load->nr_events;
	cost->high_pages_per_s = (double)(r->nr_high_pages - r->nr_high_setup) / kops *
				 (cache->allocs_per_s + cache->frees_per_s) / 1000;
	cost->fallback_share =
		nr_slabs > 0 ? (double)r->after.stat[NSLAB_STAT_ORDER_FALLBACK] / nr_slabs : NAN;
}

static void count_fill_bytes(const struct count_run *r, const struct nslab_tuner_cache *cache,
			     struct nslab_tuner_cost *cost)
{
	const struct nslab_cache_stats *now = &r->after;
	double in_load = r->load->nr_live;
	double live = cache->live < 0 ? NAN : fmax((double)cache->live, in_load);
	double left_out = live - in_load, slabs = ceil(left_out / r->objects);
	double slots = (double)now->nr_objects + slabs * r->objects;

	cost->memory_bytes =
		(double)now->nr_pages * (double)NSLAB_PAGE_SIZE + slabs * r->slab_bytes;
	cost->tail_bytes = cost->memory_bytes - slots * r->size;
	cost->padding_bytes = live * (r->size - cache->object_size);
	cost->queued_bytes = live >= 0 ? (double)now->nr_cpu_free * r->size : NAN;
	cost->free_bytes = (slots - live - (double)now->nr_cpu_free) * r->size;
}

int nslab_tuner_count(struct nslab_tuner_counter *counter, const struct nslab_tuner_cache *cache,
		      const struct nslab_tuner_setting *setting,
		      const struct nslab_tuner_load *load,
		      const struct nslab_tuner_conditions *conditions,
		      struct nslab_tuner_cost *cost, struct nslab_err *err)
{
	struct count_run r = {.counter = counter, .load = load, .nr_cpus = conditions->nr_cpus};
	struct count_pages *pages = &counter->pages;
	int order = count_order(counter->snapshot, cache, setting), rc;

	if (r.nr_cpus < 1 || r.nr_cpus > counter->nr_cpus)
		return nslab_fail(err, -EINVAL, "cannot count on %d CPUs: 1..%d are simulated",
				  r.nr_cpus, counter->nr_cpus);
	if (!cache->size || order < 0 || load->nr_events == load->nr_setup)
		return nslab_fail(err, -EINVAL, "cannot count cache '%s': no %s", cache->name,
				  load->nr_events == load->nr_setup ? "events" : "order that fits");
	pages->min_order = nslab_order_of(cache->size);
	pages->rng = conditions->seed;
	pages->nr_high_pages = 0;
	pages->fail_below = (uint64_t)(conditions->fail_share * 4294967296.0);
	rc = count_run(&r, cache, setting);
	if (rc)
		return nslab_fail(err, rc, "cannot count cache '%s' at order %d: %s", cache->name,
				  order, strerror(-rc));
	count_fill_rates(&r, cache, cost);
	count_fill_bytes(&r, cache, cost);
	return 0;
}
