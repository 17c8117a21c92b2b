/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay_untraced.c: the objects that a recorded kernel counted and no event told of.
 *
 * Bulk allocation and bulk free have no event, nor have frees that sheaves batch, and the
 * recorder's own events are left out. For a cache whose live objects sysfs counted before and
 * after, what is missing is the difference to what the events moved. After the last event of the
 * counted pass that many objects more are allocated, or as many of those that the events left are
 * freed, so that the slabs of the model hold as many objects as the kernel's did.
 *
 * sysfs counts the free objects that CPUs hold as live ones, so the model's objects are counted in
 * the same way. Where the kernel's grew by less than the events allocated, and CPUs may hold that
 * many, they held them before: the fill begins so. What is not known is when the objects came and
 * went, on which CPU, and which were freed.
 */
#include "workloads/replay.h"

#define SHEAVES_ON_CPU	3  /* at most: two full, one for deferred frees */
#define SHEAVES_ON_NODE 10 /* full ones that a kernel's barn keeps */

/* An attribute from a file: 0 where it was not told, and no more than makes sense. */
static int64_t untraced_attr(int64_t value)
{
	return value < 0 ? 0 : value > UINT16_MAX ? UINT16_MAX : value;
}

/* Free objects that per-CPU layers may hold, each of which sysfs counts as live. */
static int64_t untraced_doubt(const struct nslab_trace_tables *t,
			      const struct nslab_trace_kernel_cache *k)
{
	int64_t capacity = untraced_attr(k->sheaf_capacity);
	/* slabs of a partial list are taken for half full when they are counted out */
	int64_t on_cpu = untraced_attr(k->objs_per_slab) + 2 * untraced_attr(k->cpu_partial) +
			 SHEAVES_ON_CPU * capacity;

	return t->nr_cpus * on_cpu + SHEAVES_ON_NODE * capacity;
}

/* Objects that sysfs says came in beyond those of the events; below 0: went. */
static int64_t untraced_of(const struct replay *r, uint32_t cache)
{
	const struct nslab_trace_cache *c = &r->tables->caches[cache];
	const struct nslab_trace_kernel_cache *k;

	if (c->type != NSLAB_TRACE_KMEM || c->kernel < 0 || !r->caches[cache].type.size_bytes)
		return 0;
	k = &r->tables->kernel_caches[c->kernel];
	if (k->objects_before < 0 || k->objects_after < 0)
		return 0;
	return k->objects_after - k->objects_before - r->caches[cache].moved_objects;
}

uint64_t replay_held_before(const struct replay *r, uint32_t cache)
{
	int64_t nr = -untraced_of(r, cache);
	int kernel = r->tables->caches[cache].kernel;

	if (nr <= 0 || nr > untraced_doubt(r->tables, &r->tables->kernel_caches[kernel]))
		return 0;
	return (uint64_t)nr;
}

/* What sysfs would count as live: all but the free objects of slabs on node lists. */
static int64_t untraced_count(const struct replay *r, uint32_t cache)
{
	struct kmem_cache *s = r->caches[cache].type.s;
	struct nslab_cache_stats stats = {0};

	if (s)
		s->heap->ops->cache_stats(s, &stats);
	return (int64_t)(stats.nr_objects - stats.nr_free + stats.nr_cpu_free);
}

/* Until sysfs would have counted as many more as the kernel's did, or `nr` are there. */
static int untraced_alloc(struct replay_worker *self, uint32_t cache, size_t nr)
{
	struct replay *r = self->replay;
	const struct nslab_trace_kernel_cache *k =
		&r->tables->kernel_caches[r->tables->caches[cache].kernel];
	const struct nslab_arena *arena = r->base.run->env->arena;
	size_t room = arena->node_bytes * (size_t)arena->nr_nodes;
	struct nslab_live *live = &self->untraced[cache];
	int64_t wanted = self->counted_before[cache] + k->objects_after - k->objects_before;
	int rc = -ENOMEM;

	if (nr <= room / r->caches[cache].type.size_bytes)
		rc = nslab_live_init(live, &r->caches[cache].type, nr);
	while (!rc && live->nr < nr) {
		int64_t missing = wanted - untraced_count(r, cache);
		size_t step = missing < (int64_t)(nr - live->nr) ? (size_t)missing : nr - live->nr;

		if (missing <= 0)
			break;
		rc = nslab_live_fill(live, self->base.cpu, live->nr + step, r->base.run->entry);
	}
	return rc;
}

/* Frees `missing[cache]` objects of each cache, of those that the events left, first slots first.
 */
static void untraced_free(struct replay_worker *self, int64_t *missing)
{
	struct replay *r = self->replay;

	for (uint32_t i = 0; i < r->nr_leftovers; i++) {
		const struct nslab_trace_born *left = &r->leftovers[i];
		struct replay_slot *slot = &r->slots[left->slot];

		if (missing[left->cache] >= 0 || !slot->obj)
			continue;
		nslab_object_free(self->base.cpu, &r->caches[left->cache].type, slot->obj,
				  r->base.run->entry);
		slot->obj = NULL;
		missing[left->cache]++;
	}
}

int replay_untraced_begin(struct replay_worker *self)
{
	struct replay *r = self->replay;

	self->counted_before = calloc((size_t)r->tables->nr_caches + 1, sizeof(int64_t));
	if (!self->counted_before)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->tables->nr_caches; i++)
		self->counted_before[i] = untraced_count(r, i);
	return 0;
}

int replay_untraced(struct replay_worker *self)
{
	struct replay *r = self->replay;
	int64_t *missing = calloc((size_t)r->tables->nr_caches + 1, sizeof(*missing));
	int rc = 0;

	self->untraced = calloc((size_t)r->tables->nr_caches + 1, sizeof(*self->untraced));
	if (!missing || !self->untraced)
		rc = -ENOMEM;
	for (uint32_t i = 0; !rc && i < r->tables->nr_caches; i++) {
		missing[i] = replay_held_before(r, i) ? 0 : untraced_of(r, i);
		if (missing[i] > 0)
			rc = untraced_alloc(self, i, (size_t)missing[i]);
	}
	if (rc)
		r->base.run->env->report(r->base.run->env,
					 "replay: no memory for the objects that no event told of");
	else
		untraced_free(self, missing);
	free(missing);
	return rc;
}

void replay_untraced_free(struct replay_worker *self)
{
	struct replay *r = self->replay;

	for (uint32_t i = 0; self->untraced && i < r->tables->nr_caches; i++)
		nslab_live_exit(&self->untraced[i], self->base.cpu, r->base.run->entry);
	free(self->untraced);
	free(self->counted_before);
	self->untraced = NULL;
	self->counted_before = NULL;
}
