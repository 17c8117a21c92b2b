/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slots.c: the live objects while a trace is written.
 *
 * A hash table with linear probing leads from an address to its slot; removal moves the followers
 * back, so that there are no tombstones and its size follows the live objects, not the events.
 * Free slots of a cache are a queue: the one that has been free for longest is used first, so that
 * a replay on many CPUs seldom waits for another CPU's free only because of the slot's number.
 * A slot whose object was never seen allocated is always a new one, since its object must be
 * there from the first event on.
 */
#include "workloads/trace/slots.h"

#include <errno.h>
#include <stdlib.h>

#define SLOTS_FIRST_SHIFT 12

static uint64_t slots_home(const struct nslab_trace_slots *slots, uint64_t ptr)
{
	return (ptr * 0x9e3779b97f4a7c15u) >> slots->shift;
}

static uint64_t slots_place(const struct nslab_trace_slots *slots, uint64_t ptr)
{
	uint64_t i = slots_home(slots, ptr);

	while (slots->places[i].ptr && slots->places[i].ptr != ptr)
		i = (i + 1) & slots->mask;
	return i;
}

static int slots_resize(struct nslab_trace_slots *slots, unsigned shift)
{
	struct nslab_trace_place *old = slots->places;
	uint64_t nr_old = old ? slots->mask + 1 : 0;
	struct nslab_trace_place *places = calloc((size_t)1 << shift, sizeof(*places));

	if (!places)
		return -ENOMEM;
	slots->places = places;
	slots->mask = ((uint64_t)1 << shift) - 1;
	slots->shift = 64 - shift;
	for (uint64_t i = 0; i < nr_old; i++) {
		if (old[i].ptr)
			places[slots_place(slots, old[i].ptr)] = old[i];
	}
	free(old);
	return 0;
}

int nslab_trace_slots_init(struct nslab_trace_slots *slots)
{
	*slots = (struct nslab_trace_slots){0};
	slots->heads = malloc((NSLAB_TRACE_MAX_INDEX + 1) * sizeof(*slots->heads));
	slots->tails = malloc((NSLAB_TRACE_MAX_INDEX + 1) * sizeof(*slots->tails));
	if (!slots->heads || !slots->tails || slots_resize(slots, SLOTS_FIRST_SHIFT)) {
		nslab_trace_slots_free(slots);
		return -ENOMEM;
	}
	for (size_t i = 0; i <= NSLAB_TRACE_MAX_INDEX; i++)
		slots->heads[i] = NSLAB_TRACE_NO_SLOT;
	return 0;
}

void nslab_trace_slots_free(struct nslab_trace_slots *slots)
{
	free(slots->places);
	free(slots->next);
	free(slots->caches);
	free(slots->heads);
	free(slots->tails);
	free(slots->born);
	*slots = (struct nslab_trace_slots){0};
}

uint32_t nslab_trace_slots_find(const struct nslab_trace_slots *slots, uint64_t ptr)
{
	const struct nslab_trace_place *place = &slots->places[slots_place(slots, ptr)];

	return place->ptr ? place->slot : NSLAB_TRACE_NO_SLOT;
}

static int slots_new(struct nslab_trace_slots *slots, uint16_t cache, uint32_t *slot)
{
	if (slots->nr == slots->nr_max) {
		uint32_t nr_max = slots->nr_max ? 2 * slots->nr_max : 1024;
		uint32_t *next;
		uint16_t *caches;

		if (slots->nr_max > NSLAB_TRACE_NO_SLOT / 2)
			return -EOVERFLOW;
		next = realloc(slots->next, nr_max * sizeof(*next));
		slots->next = next ? next : slots->next;
		caches = realloc(slots->caches, nr_max * sizeof(*caches));
		slots->caches = caches ? caches : slots->caches;
		if (!next || !caches)
			return -ENOMEM;
		slots->nr_max = nr_max;
	}
	*slot = slots->nr++;
	slots->caches[*slot] = cache;
	return 0;
}

/* The slot's object is dead: to the end of the queue of its cache. */
static void slots_recycle(struct nslab_trace_slots *slots, uint32_t slot)
{
	uint16_t cache = slots->caches[slot];

	slots->next[slot] = NSLAB_TRACE_NO_SLOT;
	if (slots->heads[cache] == NSLAB_TRACE_NO_SLOT)
		slots->heads[cache] = slot;
	else
		slots->next[slots->tails[cache]] = slot;
	slots->tails[cache] = slot;
}

int nslab_trace_slots_add(struct nslab_trace_slots *slots, uint64_t ptr, uint16_t cache,
			  uint32_t *slot)
{
	int rc = 0;

	if (2 * slots->nr_live > slots->mask)
		rc = slots_resize(slots, 64 - slots->shift + 1);
	if (rc)
		return rc;
	*slot = slots->heads[cache];
	if (*slot != NSLAB_TRACE_NO_SLOT)
		slots->heads[cache] = slots->next[*slot];
	else
		rc = slots_new(slots, cache, slot);
	if (rc)
		return rc;
	slots->places[slots_place(slots, ptr)] = (struct nslab_trace_place){ptr, *slot};
	slots->nr_live++;
	return 0;
}

/* Followers that would no longer be found move back into the gap, until an empty place ends it. */
static void slots_close_gap(struct nslab_trace_slots *slots, uint64_t gap)
{
	uint64_t i = gap;

	for (;;) {
		i = (i + 1) & slots->mask;
		if (!slots->places[i].ptr)
			break;
		if (((i - slots_home(slots, slots->places[i].ptr)) & slots->mask) >=
		    ((i - gap) & slots->mask)) {
			slots->places[gap] = slots->places[i];
			gap = i;
		}
	}
	slots->places[gap].ptr = 0;
}

void nslab_trace_slots_remove(struct nslab_trace_slots *slots, uint64_t ptr)
{
	uint64_t i = slots_place(slots, ptr);

	slots_recycle(slots, slots->places[i].slot);
	slots_close_gap(slots, i);
	slots->nr_live--;
}

int nslab_trace_slots_add_born(struct nslab_trace_slots *slots, uint16_t cache, uint32_t *slot)
{
	int rc;

	if (slots->nr_born == slots->nr_born_max) {
		uint32_t nr_max = slots->nr_born_max ? 2 * slots->nr_born_max : 256;
		struct nslab_trace_born *born = realloc(slots->born, nr_max * sizeof(*slots->born));

		if (!born)
			return -ENOMEM;
		slots->born = born;
		slots->nr_born_max = nr_max;
	}
	rc = slots_new(slots, cache, slot);
	if (rc)
		return rc;
	slots->born[slots->nr_born++] = (struct nslab_trace_born){*slot, cache};
	slots_recycle(slots, *slot);
	return 0;
}
