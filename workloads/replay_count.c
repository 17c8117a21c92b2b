/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay_count.c: one whole pass of a trace, off the clock, with a look at every cache on the way.
 *
 * One worker plays it, so nothing depends on timing: the same trace, allocator, parameters and seed
 * give the same counts each time. Looks are equally far apart in events; the first is when the
 * objects that were born earlier stand there, the last right after the last event. What a look
 * finds is kept for all caches and told for those that had the most live bytes in the trace.
 *
 * For caches of which the recorded kernel's own numbers are in the trace (sysfs before and after)
 * both movements are told side by side: slabs and objects of the kernel, slabs of the model, and
 * the objects that the events moved. What the events do not show (bulk, RCU) is the difference of
 * the last two; method.md's gate compares slabs only where that share is known.
 *
 * Left out: allocators without caches (peers) have no slabs to look at.
 */
#include "workloads/replay.h"

#include <math.h>
#include <stdio.h>

#define REPLAY_CURVES 8 /* caches with a curve of their own */
#define REPLAY_MOVED                                                                               \
 10 /* slabs: the kernel's caches that moved no further are told with untraced=yes */

struct replay_look {
	uint64_t nr_slabs, nr_pages, nr_partial;
};

struct replay_curves {
	struct kmem_cache **caches; /* [nr_caches] of the heap, whichever event uses them */
	size_t nr_caches, nr_looks, max_looks;
	double *x_ms;		   /* [max_looks] */
	double *locks, *remote;	   /* [max_looks] sums over caches since the start */
	struct replay_look *looks; /* [max_looks * nr_caches] */
	bool is_counted;	   /* locks and remote frees were */
	uint64_t nr_events, nr_remote_frees, nr_cross_node_frees, nr_skipped; /* of the pass */
};

void replay_curves_free(struct replay *r)
{
	struct replay_curves *c = r->curves;

	if (!c)
		return;
	free(c->caches);
	free(c->x_ms);
	free(c->locks);
	free(c->remote);
	free(c->looks);
	free(c);
	r->curves = NULL;
}

static size_t curves_list(const struct nslab_heap *heap, struct kmem_cache **caches)
{
	const struct nslab_list *head = &heap->caches;
	size_t nr = 0;

	for (const struct nslab_list *pos = head->next; pos != head; pos = pos->next, nr++) {
		if (caches)
			caches[nr] = nslab_container_of((struct nslab_list *)(uintptr_t)pos,
							struct kmem_cache, link);
	}
	return nr;
}

static int curves_open(struct replay *r)
{
	struct replay_curves *c = calloc(1, sizeof(*c));

	r->curves = c;
	if (!c)
		return -ENOMEM;
	c->nr_caches = curves_list(r->base.run->heap, NULL);
	c->max_looks = (size_t)r->params.points + 4;
	c->caches = calloc(c->nr_caches + 1, sizeof(struct kmem_cache *));
	c->x_ms = calloc(c->max_looks, sizeof(*c->x_ms));
	c->locks = calloc(c->max_looks, sizeof(*c->locks));
	c->remote = calloc(c->max_looks, sizeof(*c->remote));
	c->looks = calloc(c->max_looks * (c->nr_caches + 1), sizeof(*c->looks));
	if (!c->caches || !c->x_ms || !c->locks || !c->remote || !c->looks)
		return -ENOMEM;
	curves_list(r->base.run->heap, c->caches);
	return 0;
}

static void curves_look(struct replay_curves *c, const struct replay_worker *self)
{
	const struct nslab_allocator_ops *ops = self->base.cpu->ops;
	size_t at = c->nr_looks;

	if (at == c->max_looks)
		return;
	c->x_ms[at] = (double)self->trace_ns / 1e6;
	for (size_t i = 0; i < c->nr_caches; i++) {
		struct nslab_cache_stats stats = {0};

		ops->cache_stats(c->caches[i], &stats);
		c->looks[at * c->nr_caches + i] =
			(struct replay_look){stats.nr_slabs, stats.nr_pages, stats.nr_partial};
		c->is_counted |= stats.is_counted;
		c->locks[at] += (double)stats.stat[NSLAB_STAT_LIST_LOCK];
		c->remote[at] += (double)stats.stat[NSLAB_STAT_REMOTE_FREE];
	}
	c->nr_looks++;
}

/* By a CPU that goes again, so that no recorded CPU begins with slabs of its own. */
static int count_born(struct replay_worker *self, nslab_batch_fn batch)
{
	struct nslab_run *run = self->replay->base.run;
	struct nslab_cpu *own = self->base.cpu, *cpu;
	int rc = run->cpu_online(run, (int)self->replay->tables->nr_cpus, own->node, &cpu);

	if (rc)
		return rc;
	self->base.cpu = cpu;
	while (self->phase == REPLAY_BORN)
		batch(&self->base, SIZE_MAX);
	self->base.cpu = own;
	run->cpu_offline(run, cpu);
	return 0;
}

int replay_count_pass(struct replay_worker *self)
{
	struct replay *r = self->replay;
	nslab_batch_fn batch = replay_batch_of(r->base.run->entry);
	uint64_t nr_events = r->part ? (uint64_t)r->nr_part : r->tables->nr_events;
	size_t step = (size_t)(nr_events / (uint64_t)r->params.points) + 1;
	int rc = curves_open(r);

	self->is_counting = true;
	if (!rc)
		rc = count_born(self, batch);
	if (!rc && r->params.has_untraced)
		rc = replay_untraced_begin(self);
	if (rc)
		return rc;
	curves_look(r->curves, self);
	while (self->phase == REPLAY_STREAM && !self->is_broken) {
		batch(&self->base, step);
		curves_look(r->curves, self);
	}
	if (r->params.has_untraced && !self->is_broken) {
		rc = replay_untraced(self);
		curves_look(r->curves, self);
		replay_untraced_free(self);
	}
	r->curves->nr_events = self->nr_done;
	r->curves->nr_skipped = self->nr_skipped;
	r->curves->nr_remote_frees = self->nr_remote_frees;
	r->curves->nr_cross_node_frees = self->nr_cross_node_frees;
	while (self->phase == REPLAY_LEFT && !self->is_broken)
		batch(&self->base, SIZE_MAX);
	self->is_counting = false;
	return self->is_broken ? -EIO : rc;
}

/* ---- telling ---- */

static uint64_t curves_peak(const struct replay_curves *c, size_t cache)
{
	uint64_t peak = 0;

	for (size_t i = 0; i < c->nr_looks; i++) {
		uint64_t nr = c->looks[i * c->nr_caches + cache].nr_slabs;

		peak = nr > peak ? nr : peak;
	}
	return peak;
}

static size_t curves_find(const struct replay_curves *c, const struct kmem_cache *s)
{
	size_t i = 0;

	while (i < c->nr_caches && c->caches[i] != s)
		i++;
	return i;
}

static void curves_tell_cache(const struct replay_curves *c, size_t cache, struct nslab_figures *f)
{
	char name[REPLAY_TEXT];

	snprintf(name, sizeof(name), "slabs %s", c->caches[cache]->name);
	for (size_t i = 0; i < c->nr_looks; i++)
		f->point(f, name, c->x_ms[i], (double)c->looks[i * c->nr_caches + cache].nr_slabs);
}

static double curves_peak_bytes(const struct replay *r, uint32_t cache)
{
	if (r->tables->caches[cache].type != NSLAB_TRACE_KMEM)
		return 0;
	return (double)r->caches[cache].peak_objects * (double)r->caches[cache].type.size_bytes;
}

/* Those with the most live bytes in the trace, so the same ones for every allocator. */
static void curves_tell_largest(const struct replay *r, struct nslab_figures *f)
{
	const struct replay_curves *c = r->curves;
	bool *is_told = calloc((size_t)r->tables->nr_caches + 1, sizeof(*is_told));

	for (int n = 0; is_told && n < REPLAY_CURVES; n++) {
		uint32_t which = 0;
		double most = 0;
		size_t at;

		for (uint32_t i = 0; i < r->tables->nr_caches; i++) {
			double bytes = is_told[i] ? 0 : curves_peak_bytes(r, i);

			which = bytes > most ? i : which;
			most = bytes > most ? bytes : most;
		}
		if (most <= 0)
			break;
		is_told[which] = true;
		at = curves_find(c, r->caches[which].type.s);
		if (at < c->nr_caches && curves_peak(c, at))
			curves_tell_cache(c, at, f);
	}
	free(is_told);
}

static void curves_tell_sums(const struct replay_curves *c, struct nslab_figures *f)
{
	for (size_t i = 0; i < c->nr_looks; i++) {
		struct replay_look sum = {0};

		for (size_t k = 0; k < c->nr_caches; k++) {
			const struct replay_look *look = &c->looks[i * c->nr_caches + k];

			sum.nr_slabs += look->nr_slabs;
			sum.nr_pages += look->nr_pages;
			sum.nr_partial += look->nr_partial;
		}
		f->point(f, "all slabs", c->x_ms[i], (double)sum.nr_slabs);
		f->point(f, "all partial slabs", c->x_ms[i], (double)sum.nr_partial);
		f->point(f, "MiB in slabs", c->x_ms[i],
			 (double)sum.nr_pages * (double)NSLAB_PAGE_SIZE / 1048576.0);
		if (!c->is_counted)
			continue;
		f->point(f, "list_lock", c->x_ms[i], c->locks[i]);
		if (c->remote[c->nr_looks - 1] > 0)
			f->point(f, "free_remote", c->x_ms[i], c->remote[i]);
	}
}

static void curves_figure(struct nslab_figures *f, const char *what, const char *cache,
			  double value, const char *unit)
{
	char name[REPLAY_TEXT];

	snprintf(name, sizeof(name), "%s %s", what, cache);
	f->figure(f, name, value, unit);
}

static void curves_tell_moved(const struct replay *r, uint32_t cache, struct nslab_figures *f)
{
	const struct nslab_trace_cache *t = &r->tables->caches[cache];
	const struct nslab_trace_kernel_cache *k = &r->tables->kernel_caches[t->kernel];
	const struct replay_curves *c = r->curves;
	size_t at = curves_find(c, r->caches[cache].type.s);
	double model, kernel = (double)(k->slabs_after - k->slabs_before);

	if (at == c->nr_caches)
		return;
	model = (double)c->looks[(c->nr_looks - 1) * c->nr_caches + at].nr_slabs -
		(double)c->looks[at].nr_slabs;
	if (!r->params.has_untraced && fabs(kernel) <= REPLAY_MOVED)
		return;
	if (curves_peak(c, at) || !r->caches[cache].peak_objects) /* else: has no slabs */
		curves_figure(f, "model slabs", t->name, model, "slabs more than before");
	curves_figure(f, "kernel slabs", t->name, kernel, "slabs more than before");
	curves_figure(f, "traced objects", t->name, (double)r->caches[cache].moved_objects,
		      "objects more than before");
	if (k->objects_before >= 0 && k->objects_after >= 0)
		curves_figure(f, "kernel objects", t->name,
			      (double)(k->objects_after - k->objects_before),
			      "objects more than before");
}

/* The model's movement beside the recorded kernel's. */
static void curves_tell_kernel(const struct replay *r, struct nslab_figures *f)
{
	for (uint32_t i = 0; i < r->tables->nr_caches; i++) {
		const struct nslab_trace_cache *cache = &r->tables->caches[i];
		const struct nslab_trace_kernel_cache *k;

		if (cache->kernel < 0 || cache->type != NSLAB_TRACE_KMEM)
			continue;
		k = &r->tables->kernel_caches[cache->kernel];
		if (k->slabs_before >= 0 && k->slabs_after >= 0)
			curves_tell_moved(r, i, f);
	}
}

/* An allocator without slabs has nothing to say of them, which is not the same as none. */
static bool curves_has_slabs(const struct replay_curves *c)
{
	for (size_t i = 0; i < c->nr_caches; i++) {
		if (curves_peak(c, i))
			return true;
	}
	return false;
}

void replay_curves_tell(const struct replay *r, struct nslab_figures *f)
{
	const struct replay_curves *c = r->curves;

	if (!c || !c->nr_looks)
		return;
	f->figure(f, "events", (double)c->nr_events, "events of one pass");
	f->figure(f, "skipped", (double)c->nr_skipped, "events of one pass");
	f->figure(f, "remote_frees", (double)c->nr_remote_frees, "objects of one pass");
	f->figure(f, "cross_node_frees", (double)c->nr_cross_node_frees, "objects of one pass");
	if (!curves_has_slabs(c))
		return;
	curves_tell_sums(c, f);
	curves_tell_largest(r, f);
	curves_tell_kernel(r, f);
}
