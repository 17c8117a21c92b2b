// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay_part.c: some caches of a trace, or a piece of it, in place of the whole.
 *
 * With only=NAMES the events of these caches are kept; of those, segment=search takes the first two
 * thirds and segment=holdout the rest, so that what is judged on the one can be confirmed on the
 * other. The kept events lie in one array that the workers play like a block of the stream: what is
 * left out costs no time while time is taken. Objects that the events before a segment left are
 * born for it. A time between two kept events is the sum of those in between, spread over the next
 * ones where it does not fit.
 *
 * The caches of `only` are one cache to the kernel, under several names or with several sizes asked
 * for: those of one stride share their slabs here too, and sizes of kmalloc are slab caches.
 *
 * Invariant: a part begins and ends between two events, so a slot is held exactly where the whole
 * trace would hold it. Left out: pages, and the paced replay, whose times are of the whole trace.
 */
#include "workloads/replay.h"

#include <limits.h>

#define PART_SEARCH_THIRDS 2 /* of three */

bool replay_is_part(const struct replay_params *p)
{
	return p->only[0] || p->segment != REPLAY_ALL;
}

/* Is the name a word of the list? */
static bool part_is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; (at = strstr(at, name)); at++) {
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	}
	return false;
}

bool replay_is_chosen(const struct replay *r, uint32_t cache)
{
	const struct nslab_trace_cache *c = &r->tables->caches[cache];

	if (!r->params.only[0])
		return true;
	return (c->type == NSLAB_TRACE_KMEM || c->type == NSLAB_TRACE_SIZE) &&
	       part_is_listed(r->params.only, c->name);
}

static uint64_t part_stride(const struct nslab_trace_cache *cache)
{
	return cache->size ? cache->size : cache->object_size;
}

int replay_chosen_before(const struct replay *r, uint32_t cache)
{
	for (uint32_t i = 0; r->params.only[0] && i < cache; i++) {
		if (r->caches[i].type.size_bytes &&
		    part_stride(&r->tables->caches[i]) == part_stride(&r->tables->caches[cache]))
			return (int)i;
	}
	return -1;
}

/* ---- the events ---- */

static bool part_keeps(const struct replay *r, const struct nslab_trace_event *event)
{
	const struct nslab_trace_shape *shape = &r->tables->shapes[event->shape];

	return shape->kind < NSLAB_TRACE_NR_EVENT_KINDS && replay_is_chosen(r, shape->cache);
}

/* Stores the kept events when there is room for them; counts them in any case. */
static int part_scan(struct replay *r, struct nslab_trace_cursor *cursor, uint64_t *nr_kept)
{
	const struct nslab_trace_event *events;
	struct nslab_err err = {""};
	uint64_t gap_ns = 0;
	int nr;

	*nr_kept = 0;
	while ((nr = nslab_trace_cursor_next(cursor, &events, &err)) > 0) {
		for (int i = 0; i < nr; i++) {
			gap_ns += nslab_trace_step_ns(&events[i], r->tables->shapes);
			if (!part_keeps(r, &events[i]))
				continue;
			if (r->part) {
				r->part[*nr_kept] = events[i];
				r->part[*nr_kept].delta_ns =
					gap_ns < UINT32_MAX ? (uint32_t)gap_ns : UINT32_MAX;
				gap_ns -= r->part[*nr_kept].delta_ns;
			}
			(*nr_kept)++;
		}
	}
	return nr;
}

static int part_read(struct replay *r, uint64_t *nr_kept)
{
	struct nslab_trace_cursor *cursor;
	struct nslab_err err = {""};
	int rc = nslab_trace_cursor_open(r->trace, &cursor, &err);

	if (rc)
		return rc;
	rc = part_scan(r, cursor, nr_kept);
	if (!rc && *nr_kept > INT_MAX)
		rc = -EFBIG;
	if (!rc) {
		r->part = calloc((size_t)*nr_kept + 1, sizeof(*r->part));
		nslab_trace_cursor_rewind(cursor);
		rc = r->part ? part_scan(r, cursor, nr_kept) : -ENOMEM;
	}
	nslab_trace_cursor_close(cursor);
	return rc;
}

/* ---- where a segment begins ---- */

/* Which slots are held after the first nr events of the part, and by which cache. */
static void part_held(const struct replay *r, uint64_t nr, bool *is_held, uint32_t *cache)
{
	for (uint32_t i = 0; i < r->tables->nr_born; i++) {
		const struct nslab_trace_born *row = &r->tables->born[i];

		is_held[row->slot] = replay_is_chosen(r, row->cache);
		cache[row->slot] = row->cache;
	}
	for (uint64_t i = 0; i < nr; i++) {
		const struct nslab_trace_shape *shape = &r->tables->shapes[r->part[i].shape];

		is_held[r->part[i].slot] = nslab_trace_is_alloc((enum nslab_trace_kind)shape->kind);
		cache[r->part[i].slot] = shape->cache;
	}
}

static int part_born(struct replay *r, uint64_t nr_before)
{
	uint32_t nr_slots = r->tables->nr_slots;
	bool *is_held = calloc((size_t)nr_slots + 1, sizeof(*is_held));
	uint32_t *cache = calloc((size_t)nr_slots + 1, sizeof(*cache));
	struct nslab_trace_born *born = calloc((size_t)nr_slots + 1, sizeof(*born));
	int rc = is_held && cache && born ? 0 : -ENOMEM;

	r->part_born = born;
	r->born = born;
	r->nr_born = 0;
	if (!rc)
		part_held(r, nr_before, is_held, cache);
	for (uint32_t i = 0; !rc && i < nr_slots; i++) {
		if (is_held[i])
			born[r->nr_born++] = (struct nslab_trace_born){i, cache[i]};
	}
	free(is_held);
	free(cache);
	return rc;
}

int replay_part_make(struct replay *r)
{
	uint64_t nr, from = 0, cut;
	int rc;

	if (!replay_is_part(&r->params))
		return 0;
	rc = part_read(r, &nr);
	if (rc)
		return rc;
	cut = nr * PART_SEARCH_THIRDS / 3;
	if (r->params.segment == REPLAY_HOLDOUT)
		from = cut;
	else if (r->params.segment == REPLAY_SEARCH)
		nr = cut;
	if (from == nr) {
		r->base.run->env->report(r->base.run->env, "replay: no events of '%s' in '%s'",
					 r->params.only[0] ? r->params.only : "any cache",
					 r->params.trace);
		return -ENODATA;
	}
	rc = part_born(r, from);
	r->nr_part = (int)(nr - from);
	memmove(r->part, r->part + from, (size_t)r->nr_part * sizeof(*r->part));
	return rc;
}

void replay_part_free(struct replay *r)
{
	free(r->part);
	free(r->part_born);
}
