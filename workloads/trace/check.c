/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.c: one pass over a trace that proves what a replayer relies on.
 *
 * A slot is empty or holds an object; objects born before the trace are held from the start. An
 * allocation must find its slot empty, a free must find it held, and both must be of the cache that
 * the slot had at its first event. What the reader checks (sums, ranges) is checked on the way.
 */
#include "workloads/trace/trace.h"

#include <errno.h>
#include <stdlib.h>

struct check_slot {
	uint16_t cache;
	bool has_cache, is_held;
};

/* What is wrong with the event, or NULL. */
static const char *check_event(struct check_slot *slot, const struct nslab_trace_shape *shape)
{
	bool is_alloc = nslab_trace_is_alloc((enum nslab_trace_kind)shape->kind);

	if (slot->has_cache && slot->cache != shape->cache)
		return "its slot is of another cache";
	if (slot->is_held == is_alloc)
		return is_alloc ? "its slot is in use" : "its slot is empty";
	slot->cache = shape->cache;
	slot->has_cache = true;
	slot->is_held = is_alloc;
	return NULL;
}

static int check_pass(const struct nslab_trace *trace, struct nslab_trace_cursor *cursor,
		      struct check_slot *slots, struct nslab_err *err)
{
	const struct nslab_trace_tables *tables = nslab_trace_tables(trace);
	const struct nslab_trace_event *events;
	uint64_t nr_done = 0;
	int nr;

	while ((nr = nslab_trace_cursor_next(cursor, &events, err)) > 0) {
		for (int i = 0; i < nr; i++) {
			const struct nslab_trace_shape *shape = &tables->shapes[events[i].shape];
			const char *wrong = NULL;

			if (shape->kind < NSLAB_TRACE_NR_EVENT_KINDS)
				wrong = check_event(&slots[events[i].slot], shape);
			if (wrong)
				return nslab_fail(err, -EINVAL, "event %llu of the trace: %s",
						  (unsigned long long)nr_done + (unsigned)i, wrong);
		}
		nr_done += (unsigned)nr;
	}
	return nr;
}

int nslab_trace_check(const struct nslab_trace *trace, struct nslab_err *err)
{
	const struct nslab_trace_tables *tables = nslab_trace_tables(trace);
	struct check_slot *slots = calloc(tables->nr_slots + (size_t)1, sizeof(*slots));
	struct nslab_trace_cursor *cursor = NULL;
	int rc;

	if (!slots)
		return nslab_fail(err, -ENOMEM, "cannot check the trace: no memory");
	for (uint32_t i = 0; i < tables->nr_born; i++)
		slots[tables->born[i].slot] =
			(struct check_slot){.cache = (uint16_t)tables->born[i].cache,
					    .has_cache = true,
					    .is_held = true};
	rc = nslab_trace_cursor_open(trace, &cursor, err);
	if (!rc)
		rc = check_pass(trace, cursor, slots, err);
	nslab_trace_cursor_close(cursor);
	free(slots);
	return rc;
}
