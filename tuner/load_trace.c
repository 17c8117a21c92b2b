// SPDX-License-Identifier: GPL-2.0-only
/*
 * load_trace.c: the events of caches in a recorded trace as loads.
 *
 * Two passes over the trace serve all caches at once: the first counts the events and the live
 * objects of each, the second hands every event to the load of its cache. A slot of the trace
 * belongs to one cache, so one table renumbers the slots of all. Objects that stood there before
 * the trace are allocated first, in turn on all CPUs, since no event tells where.
 *
 * A cache with more live objects than a load may have is thinned: of each so many objects one is
 * kept, drawn by its slot, with all of its events. Events that contradict those before them (lost
 * ones in between) are left out.
 *
 * Invariants: the judged events of both segments together are the events of the cache, each once;
 * what HOLDOUT begins with is the state that SEARCH ends with. Left out: pages, and caches that the
 * trace knows only by a size; time.
 */
#include "tuner/load.h"

#include "core/rng.h"
#include "workloads/trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define LOAD_TRACE_SEED 1
#define LOAD_NO_SLOT	UINT32_MAX

/* What becomes of one cache's events. */
struct load_target {
	const struct nslab_tuner_cache *cache;
	struct nslab_tuner_load *load; /* NULL: no events */
	uint64_t nr_events, nr_live, nr_live_peak;
	uint64_t nr_born;
	uint32_t nr_slots;
};

struct load_reader {
	struct nslab_trace *trace;
	const struct nslab_trace_tables *tables;
	struct nslab_trace_cursor *cursor;
	struct load_target *targets;
	size_t nr_targets;
	struct load_target **of_cache; /* [trace cache] or NULL */
	uint32_t *slot_of;	       /* [trace slot] slot of the load, or NO_SLOT */
	bool *is_held;		       /* [trace slot] */
};

/* ---- which cache ---- */

static bool load_is_called(const struct nslab_tuner_cache *cache, const char *name)
{
	if (!strcmp(cache->name, name) || (cache->folder && !strcmp(cache->folder, name)))
		return true;
	for (size_t i = 0; i < cache->nr_aliases; i++) {
		if (!strcmp(cache->aliases[i], name))
			return true;
	}
	return false;
}

static struct load_target *load_target_of(const struct load_reader *r,
					  const struct nslab_trace_cache *cache)
{
	if (cache->type != NSLAB_TRACE_KMEM && cache->type != NSLAB_TRACE_SIZE)
		return NULL;
	for (size_t i = 0; i < r->nr_targets; i++) {
		if (load_is_called(r->targets[i].cache, cache->name))
			return &r->targets[i];
	}
	return NULL;
}

/* ---- two passes ---- */

typedef int (*load_event_fn)(struct load_reader *r, struct load_target *t, uint32_t slot, int cpu,
			     bool is_free);

static int load_each(struct load_reader *r, load_event_fn each, struct nslab_err *err)
{
	const struct nslab_trace_event *events;
	int nr;

	nslab_trace_cursor_rewind(r->cursor);
	memset(r->is_held, 0, r->tables->nr_slots * sizeof(*r->is_held));
	for (uint32_t i = 0; i < r->tables->nr_born; i++)
		r->is_held[r->tables->born[i].slot] = true;
	while ((nr = nslab_trace_cursor_next(r->cursor, &events, err)) > 0) {
		for (int i = 0; i < nr; i++) {
			const struct nslab_trace_shape *shape = &r->tables->shapes[events[i].shape];
			bool is_free = nslab_trace_is_free(shape->kind);
			uint32_t slot = events[i].slot;
			int rc;

			if (!is_free && !nslab_trace_is_alloc(shape->kind))
				continue;
			if (!r->of_cache[shape->cache] || r->is_held[slot] != is_free)
				continue;
			r->is_held[slot] = !is_free;
			rc = each(r, r->of_cache[shape->cache], slot, events[i].cpu, is_free);
			if (rc)
				return nslab_fail(err, rc, "out of memory");
		}
	}
	return nr;
}

static int load_count_event(struct load_reader *r, struct load_target *t, uint32_t slot, int cpu,
			    bool is_free)
{
	(void)r;
	(void)slot;
	(void)cpu;
	t->nr_events++;
	t->nr_live += is_free ? UINT64_MAX : 1;
	if (t->nr_live > t->nr_live_peak)
		t->nr_live_peak = t->nr_live;
	return 0;
}

static uint32_t load_renumber(struct load_reader *r, struct load_target *t, uint32_t slot)
{
	if (r->slot_of[slot] == LOAD_NO_SLOT)
		r->slot_of[slot] = t->nr_slots++;
	return r->slot_of[slot];
}

static int load_keep_event(struct load_reader *r, struct load_target *t, uint32_t slot, int cpu,
			   bool is_free)
{
	if (t->load->thinning > 1 && nslab_rng_mix(LOAD_TRACE_SEED, slot) % t->load->thinning)
		return 0;
	return nslab_tuner_load_push(t->load, load_renumber(r, t, slot), cpu, is_free);
}

/* Between the passes: who had no events has no load, who has too many objects is thinned. */
static int load_begin(struct load_reader *r)
{
	for (size_t i = 0; i < r->nr_targets; i++) {
		struct load_target *t = &r->targets[i];
		uint64_t bytes = t->nr_live_peak * t->cache->size;

		if (!t->nr_events)
			continue;
		t->load = nslab_tuner_load_new((int)r->tables->nr_cpus);
		if (!t->load)
			return -ENOMEM;
		t->load->thinning = (unsigned)(bytes / NSLAB_TUNER_LOAD_BYTES) + 1;
	}
	for (uint32_t i = 0; i < r->tables->nr_born; i++) {
		const struct nslab_trace_born *born = &r->tables->born[i];
		struct load_target *t = r->of_cache[born->cache];
		int rc = 0;

		if (t && t->load)
			rc = load_keep_event(r, t, born->slot, (int)(i % r->tables->nr_cpus),
					     false);
		if (rc)
			return rc;
	}
	for (size_t i = 0; i < r->nr_targets; i++) {
		if (r->targets[i].load)
			r->targets[i].load->nr_setup = r->targets[i].load->nr_events;
	}
	return 0;
}

/* Cuts at 2/3 of the cache's own events; of one event SEARCH has none, and so no load. */
static int load_cut(struct load_target *t, enum nslab_tuner_segment segment)
{
	struct nslab_tuner_load *load = t->load;
	size_t cut;

	if (!load)
		return 0;
	cut = load->nr_setup + (load->nr_events - load->nr_setup) * 2 / 3;
	if (segment == NSLAB_TUNER_HOLDOUT)
		load->nr_setup = cut;
	else
		load->nr_events = cut;
	if (load->nr_setup < load->nr_events)
		return nslab_tuner_load_finish(load);
	nslab_tuner_load_free(load);
	t->load = NULL;
	return 0;
}

/* ---- a trace and its tables ---- */

static int load_reader_open(struct load_reader *r, const char *path, struct nslab_err *err)
{
	int rc = nslab_trace_open(path, &r->trace, err);

	if (rc)
		return rc;
	r->tables = nslab_trace_tables(r->trace);
	if (!r->tables->nr_cpus)
		return nslab_fail(err, -EINVAL, "trace '%s' names no CPU", path);
	rc = nslab_trace_cursor_open(r->trace, &r->cursor, err);
	if (rc)
		return rc;
	r->of_cache = calloc((size_t)r->tables->nr_caches + 1, sizeof(struct load_target *));
	r->slot_of = malloc(((size_t)r->tables->nr_slots + 1) * sizeof(*r->slot_of));
	r->is_held = calloc((size_t)r->tables->nr_slots + 1, sizeof(*r->is_held));
	if (!r->of_cache || !r->slot_of || !r->is_held)
		return nslab_fail(err, -ENOMEM, "out of memory");
	memset(r->slot_of, 0xff, ((size_t)r->tables->nr_slots + 1) * sizeof(*r->slot_of));
	for (uint32_t i = 0; i < r->tables->nr_caches; i++)
		r->of_cache[i] = load_target_of(r, &r->tables->caches[i]);
	for (uint32_t i = 0; i < r->tables->nr_born; i++) {
		struct load_target *t = r->of_cache[r->tables->born[i].cache];

		if (t)
			t->nr_live_peak = ++t->nr_live;
	}
	return 0;
}

static void load_reader_close(struct load_reader *r)
{
	if (r->cursor)
		nslab_trace_cursor_close(r->cursor);
	if (r->trace)
		nslab_trace_close(r->trace);
	free(r->of_cache);
	free(r->slot_of);
	free(r->is_held);
}

static int load_read(const char *path, struct load_target *targets, size_t nr_targets,
		     enum nslab_tuner_segment segment, struct nslab_err *err)
{
	struct load_reader r = {.targets = targets, .nr_targets = nr_targets};
	int rc = load_reader_open(&r, path, err);

	if (!rc)
		rc = load_each(&r, load_count_event, err);
	if (!rc) {
		rc = load_begin(&r);
		if (rc)
			nslab_fail(err, rc, "out of memory");
	}
	if (!rc)
		rc = load_each(&r, load_keep_event, err);
	for (size_t i = 0; !rc && i < nr_targets; i++) {
		rc = load_cut(&targets[i], segment);
		if (rc)
			nslab_fail(err, rc, "cannot use the events of cache '%s': %s",
				   targets[i].cache->name, strerror(-rc));
	}
	load_reader_close(&r);
	for (size_t i = 0; rc && i < nr_targets; i++)
		nslab_tuner_load_free(targets[i].load);
	return rc;
}

int nslab_tuner_load_of_trace(const char *path, const struct nslab_tuner_cache *cache,
			      enum nslab_tuner_segment segment, struct nslab_tuner_load **load,
			      struct nslab_err *err)
{
	struct load_target target = {.cache = cache};
	int rc = load_read(path, &target, 1, segment, err);

	if (rc)
		return rc;
	if (!target.load)
		return nslab_fail(err, -ENODATA, "trace '%s' has no events of cache '%s'", path,
				  cache->name);
	*load = target.load;
	return 0;
}

int nslab_tuner_loads_of_trace(const char *path, const struct nslab_tuner_snapshot *snapshot,
			       enum nslab_tuner_segment segment, struct nslab_tuner_load **loads,
			       struct nslab_err *err)
{
	struct load_target *targets = calloc(snapshot->nr_caches + 1, sizeof(*targets));
	int rc;

	if (!targets)
		return nslab_fail(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < snapshot->nr_caches; i++)
		targets[i].cache = &snapshot->caches[i];
	rc = load_read(path, targets, snapshot->nr_caches, segment, err);
	for (size_t i = 0; !rc && i < snapshot->nr_caches; i++)
		loads[i] = targets[i].load;
	free(targets);
	return rc;
}
