/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slots.h: the live objects while a trace is written: address to slot, and the slots that are free.
 */
#ifndef NSLAB_TRACE_SLOTS_H
#define NSLAB_TRACE_SLOTS_H

#include "workloads/trace/trace.h"

#define NSLAB_TRACE_NO_SLOT UINT32_MAX

struct nslab_trace_place {
	uint64_t ptr; /* 0: empty */
	uint32_t slot;
};

struct nslab_trace_slots {
	struct nslab_trace_place *places; /* open hash table with linear probing */
	uint64_t nr_live, mask;
	unsigned shift;
	uint32_t *next;		 /* by slot: the free one that follows in its cache's queue */
	uint16_t *caches;	 /* by slot */
	uint32_t nr, nr_max;	 /* slots given out ever; room in next and caches */
	uint32_t *heads, *tails; /* by cache: the queue of its free slots */
	struct nslab_trace_born *born;
	uint32_t nr_born, nr_born_max;
};

int nslab_trace_slots_init(struct nslab_trace_slots *slots);
void nslab_trace_slots_free(struct nslab_trace_slots *slots);

/* The slot of the live object at ptr (not 0), or NSLAB_TRACE_NO_SLOT. */
uint32_t nslab_trace_slots_find(const struct nslab_trace_slots *slots, uint64_t ptr);

/* An object comes to life where none is known to be: -ENOMEM, -EOVERFLOW. */
int nslab_trace_slots_add(struct nslab_trace_slots *slots, uint64_t ptr, uint16_t cache,
			  uint32_t *slot);

/* The object at ptr, which find() knows, dies; its slot goes to the end of its cache's queue. */
void nslab_trace_slots_remove(struct nslab_trace_slots *slots, uint64_t ptr);

/* A slot never used before, for an object that lived from before the trace and dies now. */
int nslab_trace_slots_add_born(struct nslab_trace_slots *slots, uint16_t cache, uint32_t *slot);

#endif
