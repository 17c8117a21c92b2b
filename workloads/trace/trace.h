/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.h: a recorded stream of a kernel's allocations: what it holds, and how it is read.
 *
 * A trace is one time-ordered stream of 12-byte events, resolved when written: a replayer needs no
 * hash table and no text. An event names a *slot*, a *shape*, a CPU and the time since the event
 * before it. Everything about an event but its slot, CPU and time is in its shape: one row for each
 * combination of kind, flags, cache, call site and attributes that occurs. A replayer makes one
 * action for each shape up front, and looks nothing else up.
 *
 * A slot is the number of a live object. It belongs to one cache for the whole trace and is given
 * to another object of that cache once it is free (first freed, first reused: two CPUs that
 * swap the order of their events seldom meet in one slot). So a replayer holds one array of
 * nr_slots pointers, and no order of events can mix objects of two types.
 *
 * What the kernel's events do not tell is made explicit:
 *  - an address is allocated again although its free was not seen (bulk, RCU): a free with
 *    NSLAB_TRACE_IMPLICIT stands before the allocation. It counts as no traced event.
 *  - an object is freed that was never seen allocated: its free carries NSLAB_TRACE_BORN, its
 *    slot is in the `born` table; a replayer allocates those before the first event.
 *  - frees of NULL and failed allocations are counted (struct nslab_trace_tally), not stored.
 * Files are described in docs/trace-format.md. writer.h makes them.
 */
#ifndef NSLAB_TRACE_H
#define NSLAB_TRACE_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSLAB_TRACE_VERSION	 1
#define NSLAB_TRACE_BLOCK_EVENTS 4096	    /* in each block but the last */
#define NSLAB_TRACE_MAX_INDEX	 UINT16_MAX /* largest number of shapes, caches, sites, CPUs */
#define NSLAB_TRACE_NOT_TOLD	 (-1)	    /* of an attribute: not recorded, which is not 0 */

enum nslab_trace_kind {
	NSLAB_TRACE_CACHE_ALLOC,
	NSLAB_TRACE_CACHE_FREE,
	NSLAB_TRACE_KMALLOC,
	NSLAB_TRACE_KFREE, /* of any cache: a kernel may kfree() what a kmem cache gave */
	NSLAB_TRACE_PAGE_ALLOC,
	NSLAB_TRACE_PAGE_FREE,
	NSLAB_TRACE_NR_EVENT_KINDS, /* those above are the kernel's; they have a slot */
	/* Time passes: (slot << 32) + delta_ns nanoseconds, since 4.3 s do not fit in delta_ns. */
	NSLAB_TRACE_TIME = NSLAB_TRACE_NR_EVENT_KINDS,
	NSLAB_TRACE_LOST, /* `slot` events were lost on `cpu` before this one */
	NSLAB_TRACE_NR_KINDS,
};

/* The event's name in the kernel ("kmem_cache_alloc"), "time" or "lost". */
const char *nslab_trace_kind_word(enum nslab_trace_kind kind);

static inline bool nslab_trace_is_alloc(enum nslab_trace_kind kind)
{
	return kind == NSLAB_TRACE_CACHE_ALLOC || kind == NSLAB_TRACE_KMALLOC ||
	       kind == NSLAB_TRACE_PAGE_ALLOC;
}

static inline bool nslab_trace_is_free(enum nslab_trace_kind kind)
{
	return kind == NSLAB_TRACE_CACHE_FREE || kind == NSLAB_TRACE_KFREE ||
	       kind == NSLAB_TRACE_PAGE_FREE;
}

enum {
	NSLAB_TRACE_IMPLICIT = 1, /* no event of the kernel: the address was seen allocated anew */
	NSLAB_TRACE_BORN = 2,	  /* free of an object that was never seen allocated */
};

struct nslab_trace_event {
	uint32_t slot;	   /* < nr_slots; TIME and LOST: see there */
	uint32_t delta_ns; /* since the event before, of whatever CPU */
	uint16_t cpu;	   /* index of the CPU table */
	uint16_t shape;	   /* index of the shape table */
};

struct nslab_trace_shape {
	uint16_t cache; /* index of the cache table; 0 for TIME and LOST */
	uint16_t site;	/* index of the call sites; 0 is "(unknown)" */
	uint16_t attr;	/* index of the attributes; 0 for frees */
	uint8_t kind;	/* enum nslab_trace_kind */
	uint8_t flags;
};

/* An object in the trace that was allocated before its first event. */
struct nslab_trace_born {
	uint32_t slot, cache;
};

enum nslab_trace_cache_type {
	NSLAB_TRACE_UNKNOWN, /* cache 0: kfree of what was never seen allocated; of no size */
	NSLAB_TRACE_KMEM,
	NSLAB_TRACE_SIZE, /* kmalloc: one entry for each size that was asked for */
	NSLAB_TRACE_PAGES,
};

enum nslab_trace_kmalloc_type {
	NSLAB_TRACE_NORMAL,
	NSLAB_TRACE_RCL,    /* __GFP_RECLAIMABLE */
	NSLAB_TRACE_CGROUP, /* accounted */
	NSLAB_TRACE_DMA,
};

/*
 * What objects are allocated from. Sizes are bytes; object_size 0 says that it was never seen (a
 * cache that was only freed to). For kmalloc object_size is what was asked for and size what was
 * given; `name` is the kernel's cache ("kmalloc-rcl-96"), or "kmalloc-large" beyond 8 KiB. Pages
 * have 4096 << order, name "pages-ORDER". A kmem cache whose name no event told is "size-N".
 */
struct nslab_trace_cache {
	const char *name;
	enum nslab_trace_cache_type type;
	enum nslab_trace_kmalloc_type kmalloc_type;
	uint64_t object_size, size;
	int kernel; /* index of kernel_caches, or -1 */
};

/* A cache of the recorded kernel, from sysfs or slabinfo; NSLAB_TRACE_NOT_TOLD where unknown. */
struct nslab_trace_kernel_cache {
	const char *name;
	int64_t object_size, slab_size; /* bytes; slab_size: from one object to the next */
	int64_t align, order, objs_per_slab, cpu_partial, min_partial;
	int64_t sheaf_capacity;
	const char *flags;		       /* words like "reclaim_account,sanity_checks" */
	int64_t slabs_before, slabs_after;     /* slabs of the cache */
	int64_t objects_before, objects_after; /* live objects */
	int64_t partial_before, partial_after; /* slabs on partial lists */
};

/* How an allocation was asked for. */
struct nslab_trace_attr {
	const char *gfp; /* the kernel's words: "GFP_KERNEL|__GFP_ZERO" */
	int node;	 /* requested, -1: none. The node that was given is in no event. */
	bool is_accounted;
	enum nslab_trace_kmalloc_type kmalloc_type; /* that gfp leads to */
};

struct nslab_trace_cpu {
	unsigned id; /* the kernel's number */
	int node;    /* or -1: not told */
};

/* Where a trace comes from; texts are "" and numbers 0 or NOT_TOLD when not known. */
struct nslab_trace_info {
	const char *source;  /* "record" or "import" */
	const char *kernel;  /* release: "6.18.44" */
	const char *machine; /* "x86_64" */
	const char *command; /* what ran */
	const char *clock;   /* trace clock: "mono" */
	int64_t page_bytes;
	bool has_pages; /* page events were recorded */
};

/* What happened on the way in; the kernel's events = stored ones + those of NULL and failed. */
struct nslab_trace_tally {
	uint64_t events[NSLAB_TRACE_NR_EVENT_KINDS]; /* of the kernel, as traced, NULL included */
	uint64_t null_frees;			     /* in events[KFREE] etc., not stored */
	uint64_t failed_allocs;			     /* likewise */
	uint64_t implicit_frees, born;
	uint64_t lost;	     /* the kernel's or perf's count of lost events */
	uint64_t reordered;  /* came late, put into place */
	uint64_t ignored;    /* known lines that say nothing of objects (pcp drain, ...) */
	uint64_t skipped;    /* unknown lines, left out on demand */
	uint64_t mismatched; /* frees that named another cache than the allocation did */
};

struct nslab_trace_tables {
	struct nslab_trace_info info;
	struct nslab_trace_tally tally;
	uint64_t nr_events;		/* stored, TIME and LOST included */
	uint64_t start_ns, duration_ns; /* of the first event, by the recorded clock; to the last */
	uint32_t nr_slots, nr_born;
	const struct nslab_trace_shape *shapes;
	const struct nslab_trace_born *born; /* by slot */
	const struct nslab_trace_cache *caches;
	const struct nslab_trace_kernel_cache *kernel_caches;
	const struct nslab_trace_attr *attrs;
	const struct nslab_trace_cpu *cpus;
	const char *const *sites; /* "vm_area_alloc+0x1a" */
	uint32_t nr_shapes, nr_caches, nr_kernel_caches, nr_attrs, nr_cpus, nr_sites;
};

/* ---- reading ---- */

struct nslab_trace;

/*
 * Opens, and checks everything but the blocks: -EINVAL with the byte offset for what is no
 * trace, of another version, truncated, damaged or impossible. Memory: the tables only.
 */
int nslab_trace_open(const char *path, struct nslab_trace **trace, struct nslab_err *err);
void nslab_trace_close(struct nslab_trace *trace);
const struct nslab_trace_tables *nslab_trace_tables(const struct nslab_trace *trace);

/*
 * One full pass: every block's checksum, and that each event finds its slot as it must: held for
 * a free, empty for an allocation, of the slot's own cache. After it a replayer may trust the
 * events. 4 bytes of memory for each slot.
 */
int nslab_trace_check(const struct nslab_trace *trace, struct nslab_err *err);

/*
 * Hands out whole blocks. Cursors share nothing but the file descriptor (pread), so each thread
 * has its own: 48 KiB.
 */
struct nslab_trace_cursor;

int nslab_trace_cursor_open(const struct nslab_trace *trace, struct nslab_trace_cursor **cursor,
			    struct nslab_err *err);
void nslab_trace_cursor_close(struct nslab_trace_cursor *cursor);

/*
 * The next block: *events stay valid until the next call. Returns how many, 0 at the end, or a
 * negative errno. All indices and slots are in range; whether a slot is held is not looked at.
 */
int nslab_trace_cursor_next(struct nslab_trace_cursor *cursor,
			    const struct nslab_trace_event **events, struct nslab_err *err);

/* Back to the first block. */
void nslab_trace_cursor_rewind(struct nslab_trace_cursor *cursor);

/* Nanoseconds from the event before to this one. */
static inline uint64_t nslab_trace_step_ns(const struct nslab_trace_event *event,
					   const struct nslab_trace_shape *shapes)
{
	uint64_t high = shapes[event->shape].kind == NSLAB_TRACE_TIME ? event->slot : 0;

	return (high << 32) + event->delta_ns;
}

#endif
