/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * debug.h: records of objects and what the parts of the debug layer share. Private to debug*.c.
 *
 * Every object that the backend gave out has a record in a hash table by address. A record stays
 * when its object is freed, so that a second free finds out who was first; it is used again when
 * the backend gives the same address out. Records of 64 shards, each with a lock of its own.
 */
#ifndef NSLAB_ALLOCATORS_DEBUG_H
#define NSLAB_ALLOCATORS_DEBUG_H

#include "allocators/common/debug.h"
#include "core/lock.h"

#include <numaslab/allocator.h>

#define DEBUG_SHARDS	64
#define DEBUG_BUCKETS	1024 /* of a shard */
#define DEBUG_ZONE	16u  /* bytes behind an object, at least */
#define DEBUG_LEAKS_MAX 16   /* told one by one */

/* The kernel's debug bytes. */
#define DEBUG_BYTE_NEW	0x5a /* never written */
#define DEBUG_BYTE_FREE 0x6b
#define DEBUG_BYTE_LAST 0xa5 /* last of a freed object */
#define DEBUG_BYTE_ZONE 0xcc

enum debug_state {
	DEBUG_LIVE,
	DEBUG_QUARANTINED, /* freed, and kept from the backend by a CPU */
	DEBUG_RELEASED	   /* the backend's */
};

/* Who did it, where and when. */
struct debug_event {
	const void *site;
	uint64_t time; /* operations before it */
	int cpu;
};

struct debug_record {
	struct debug_record *next; /* in its bucket */
	unsigned char *obj;
	size_t bytes, zone;	   /* asked for; behind them */
	struct debug_cache *s;	   /* NULL: kmalloc. Only while it is not released */
	char name[NSLAB_NAME_MAX]; /* of the cache, or "kmalloc" */
	struct debug_event alloc, free;
	enum debug_state state;
	bool has_poison; /* freed contents may be overwritten: no constructor, no RCU */
	bool is_told;	 /* as a leak */
};

struct debug_shard {
	NSLAB_ALIGNED(NSLAB_CACHE_LINE) struct nslab_lock lock;
	struct debug_record *bucket[DEBUG_BUCKETS];
	struct debug_record *unused; /* chained by next */
	void *blocks;		     /* of records, chained by their first word */
};

struct debug_cache {
	struct kmem_cache base;
	struct kmem_cache *inner;
	size_t zone; /* bytes behind an object that is asked for */
	unsigned epoch;
	bool is_dying;
	_Atomic uint64_t nr_quarantined;
};

struct debug_cpu {
	struct nslab_cpu base;
	struct nslab_cpu *inner;
	bool is_linked; /* the backend did not put its handle on the list */
	unsigned first, nr;
	struct debug_record *quarantine[];
};

struct debug_heap {
	struct nslab_heap base;
	struct nslab_env env; /* the backend's */
	struct nslab_heap *inner;
	struct nslab_debug_options options;
	struct debug_cpu *cpus[NSLAB_MAX_CPUS];
	struct debug_shard *shards;
	_Atomic uint64_t time;
	_Atomic uint64_t nr_tool_errors;
};

static inline struct debug_heap *debug_heap_of(const struct nslab_heap *base)
{
	return nslab_container_of((uintptr_t)base, struct debug_heap, base);
}

static inline struct debug_cpu *debug_cpu_of(struct nslab_cpu *base)
{
	return nslab_container_of(base, struct debug_cpu, base);
}

static inline struct debug_cache *debug_cache_of(struct kmem_cache *s)
{
	return nslab_container_of(s, struct debug_cache, base);
}

/* ---- debug_record.c ---- */

int debug_records_open(struct debug_heap *d);
void debug_records_close(struct debug_heap *d);

/*
 * Enters an object that the backend gave out, fills it and its red zone. 0, or -ENOMEM. An address
 * that is in use already is reported and stays as it was.
 */
int debug_track(struct debug_heap *d, const struct debug_record *new, bool is_filled);

/*
 * Marks obj freed. NULL after a report: it is foreign, freed already, or of another cache (s NULL:
 * of whichever). `what` says what is being done, for the report.
 */
struct debug_record *debug_untrack(struct debug_heap *d, const struct debug_cache *s, void *obj,
				   const struct debug_event *event, const char *what);
/* Size of a live object; false after a report. Its red zone is looked at. */
bool debug_look(struct debug_heap *d, const void *obj, const struct debug_event *event,
		const char *what, size_t *bytes);

/* Freed contents are overwritten and closed; opened and looked at when they leave quarantine. */
void debug_poison(struct debug_heap *d, struct debug_record *r);
void debug_release(struct debug_heap *d, struct debug_record *r);

/* Number of faults in the objects of a cache, each reported. */
int debug_validate(struct debug_heap *d, const struct debug_cache *s);
uint64_t debug_leaks(struct debug_heap *d);
/* Tells when Valgrind has found more than it had. */
void debug_ask_tools(struct debug_heap *d, const struct debug_event *event);

#endif
