/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay_fill.c: the slabs that a recorded kernel had when its recording began.
 *
 * For each cache of its own, sysfs told slabs, live objects and partial slabs. All objects of that
 * many slabs are allocated, which fills slab after slab; then objects of as many slabs as were
 * partial are freed in turn, spread evenly over them, until as many are left as were live. Which
 * slabs are partial is drawn from the seed. Objects that the trace frees although it never saw them
 * allocated (born) are among the live ones: drawn from the seed as well. When there are more of
 * them than sysfs counted, the others came unseen during the recording (bulk): with untraced=yes
 * they are not there in the counted pass, and their frees do nothing. Workers that share a trace
 * allocate born objects themselves, so there the fill leaves them out.
 *
 * What it leaves out: where on a partial list a slab stood, which objects of it were free, and the
 * caches of kmalloc, whose objects sysfs counts by class and not by size asked for. No more than
 * half of the arena is filled; a trace of a larger kernel is scaled down, which is reported.
 */
#include "workloads/replay.h"

#include "core/rng.h"

static const struct nslab_trace_kernel_cache *fill_kernel(const struct replay *r, uint32_t cache)
{
	const struct nslab_trace_cache *c = &r->tables->caches[cache];
	const struct nslab_trace_kernel_cache *k;

	if (c->type != NSLAB_TRACE_KMEM || c->kernel < 0 || !r->caches[cache].type.size_bytes)
		return NULL;
	k = &r->tables->kernel_caches[c->kernel];
	return k->slabs_before > 0 && k->objects_before >= 0 && k->objs_per_slab > 0 ? k : NULL;
}

/* 1, or by how much everything must shrink to fit in half of the arena. */
static double fill_scale(const struct replay *r)
{
	const struct nslab_arena *arena = r->base.run->env->arena;
	double bytes = 1.0, room = 0.5 * (double)arena->node_bytes * (double)arena->nr_nodes;

	for (uint32_t i = 0; i < r->tables->nr_caches; i++) {
		const struct nslab_trace_kernel_cache *k = fill_kernel(r, i);

		if (k)
			bytes += (double)k->slabs_before * (double)k->objs_per_slab *
				 (double)r->caches[i].type.size_bytes;
	}
	return bytes > room ? room / bytes : 1.0;
}

/* A random order of the numbers below nr. */
static uint32_t *fill_order(uint32_t nr, uint64_t seed)
{
	uint32_t *order = calloc((size_t)nr + 1, sizeof(*order));

	for (uint32_t i = 0; order && i < nr; i++) {
		uint32_t j = nslab_rng_below(&seed, i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	return order;
}

/* Frees nr_free objects, of nr_partial slabs as far as they last; objs[] has no gaps after it. */
static int fill_punch(struct replay_worker *self, struct nslab_cpu *cpu, struct nslab_live *live,
		      uint32_t objs_per_slab, uint32_t nr_partial, size_t nr_free)
{
	uint32_t nr_slabs = (uint32_t)(live->nr / objs_per_slab);
	uint64_t seed = nslab_rng_mix(self->base.workload->run->seed, live->nr);
	uint32_t *order = fill_order(nr_slabs, seed);
	uint32_t group = nr_partial ? nr_partial : 1;

	if (!order)
		return -ENOMEM;
	for (uint32_t from = 0; nr_free && from < nr_slabs; from += group) {
		uint32_t nr = nr_slabs - from < group ? nr_slabs - from : group;

		for (uint64_t i = 0; nr_free && i < (uint64_t)nr * objs_per_slab; i++, nr_free--) {
			size_t at = (size_t)order[from + i % nr] * objs_per_slab + i / nr;

			nslab_object_free(cpu, &live->type, live->objs[at],
					  self->base.workload->run->entry);
			live->objs[at] = NULL;
		}
	}
	nslab_live_pack(live);
	free(order);
	return 0;
}

static int fill_cache(struct replay_worker *self, struct nslab_cpu *cpu, uint32_t cache,
		      const struct nslab_trace_kernel_cache *k, double scale)
{
	struct replay *r = self->replay;
	struct nslab_live *live = &self->fill[cache];
	size_t nr_slabs = (size_t)((double)k->slabs_before * scale);
	size_t room = nr_slabs * (size_t)k->objs_per_slab;
	int64_t nr_born = self->turns ? r->caches[cache].nr_born : 0;
	double want = ((double)k->objects_before - (double)nr_born) * scale;
	size_t nr = want > 0 ? (size_t)want : 0;
	int64_t partial = k->partial_before > 0 ? k->partial_before : 0;
	int rc = nslab_live_init(live, &r->caches[cache].type, room);

	if (!rc)
		rc = nslab_live_fill(live, cpu, room, r->base.run->entry);
	if (rc || nr >= room)
		return rc;
	return fill_punch(self, cpu, live, (uint32_t)k->objs_per_slab,
			  (uint32_t)((double)partial * scale), room - nr);
}

static int fill_caches(struct replay_worker *self, struct nslab_cpu *cpu, double scale)
{
	struct replay *r = self->replay;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < r->tables->nr_caches; i++) {
		const struct nslab_trace_kernel_cache *k = fill_kernel(r, i);

		if (k)
			rc = fill_cache(self, cpu, i, k, scale);
	}
	return rc;
}

/* Born objects out of the live ones, which then belong to their slots. */
static int fill_hand_over(struct replay_worker *self)
{
	struct replay *r = self->replay;
	uint64_t seed = r->base.run->seed;
	uint32_t at;

	self->is_born = calloc((size_t)r->nr_born + 1, sizeof(*self->is_born));
	if (!self->is_born)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->nr_born; i++) {
		const struct nslab_trace_born *row = &r->born[i];
		struct nslab_live *live = &self->fill[row->cache];
		struct replay_slot *slot = &r->slots[row->slot];

		if (!fill_kernel(r, row->cache))
			continue;
		self->is_born[i] = live->nr || r->params.has_untraced;
		if (!live->nr)
			continue;
		at = nslab_rng_below(&seed, (uint32_t)live->nr);
		slot->obj = live->objs[at];
		live->objs[at] = live->objs[--live->nr];
		slot->cpu = (uint16_t)self->base.index;
		slot->node = (uint16_t)self->base.cpu->node;
	}
	return 0;
}

/* What CPUs held before: here the worker's, which frees objects that nobody else has. */
static void fill_hold(struct replay_worker *self)
{
	struct replay *r = self->replay;

	for (uint32_t i = 0; i < r->tables->nr_caches; i++) {
		struct nslab_live *live = &self->fill[i];

		for (uint64_t nr = replay_held_before(r, i); nr && live->nr; nr--)
			nslab_object_free(self->base.cpu, &live->type, live->objs[--live->nr],
					  r->base.run->entry);
	}
}

/* By a CPU that none was recorded of and that goes again: slabs are where sysfs counted them. */
int replay_fill(struct replay_worker *self)
{
	struct replay *r = self->replay;
	struct nslab_run *run = r->base.run;
	double scale = fill_scale(r);
	struct nslab_cpu *cpu;
	int rc;

	self->fill = calloc((size_t)r->tables->nr_caches + 1, sizeof(*self->fill));
	if (!self->fill)
		return -ENOMEM;
	if (scale < 1.0)
		run->env->report(run->env,
				 "note: replay: the recorded kernel's slabs are scaled to %.0f %%",
				 scale * 100);
	rc = run->cpu_online(run, (int)r->tables->nr_cpus, self->base.cpu->node, &cpu);
	if (rc)
		return rc;
	rc = fill_caches(self, cpu, scale);
	run->cpu_offline(run, cpu);
	if (!rc && !self->turns)
		rc = fill_hand_over(self);
	if (!rc && r->params.has_untraced)
		fill_hold(self);
	return rc;
}

void replay_fill_free(struct replay_worker *self)
{
	struct replay *r = self->replay;

	for (uint32_t i = 0; self->fill && i < r->tables->nr_caches; i++)
		nslab_live_exit(&self->fill[i], self->base.cpu, r->base.run->entry);
	free(self->fill);
	free(self->is_born);
	self->fill = NULL;
}
