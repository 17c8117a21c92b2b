/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay.h: what the parts of the replay workload share (replay.c tells how it works).
 */
#ifndef NSLAB_WORKLOADS_REPLAY_H
#define NSLAB_WORKLOADS_REPLAY_H

#include "core/hist.h"
#include "workloads/live.h"
#include "workloads/trace/trace.h"

#define REPLAY_TEXT 128 /* bytes of a figure's or curve's name */

enum replay_op {
	REPLAY_SKIP, /* page events unless asked for, objects of unknown size */
	REPLAY_ALLOC,
	REPLAY_FREE,
	REPLAY_PAGE_ALLOC,
	REPLAY_PAGE_FREE,
};

/* What one shape of the trace means; made at setup, so that events need no look-up but this. */
struct replay_action {
	struct nslab_object_type type;
	enum replay_op op;
	gfp_t gfp;
	int node;	/* asked for, or NUMA_NO_NODE */
	unsigned order; /* of pages */
	bool is_event;	/* has a slot: neither time nor lost events */
	bool is_kmem;	/* of a cache of its own; else kmalloc, whatever the entry */
};

enum replay_segment { /* values of a parameter */
	REPLAY_ALL,
	REPLAY_SEARCH,
	REPLAY_HOLDOUT
};

struct replay_params {
	char trace[NSLAB_TEXT_MAX];
	char only[NSLAB_TEXT_MAX]; /* names of caches, a space between two; "": all */
	int64_t segment;
	bool has_pages, is_paced, is_filled, has_untraced;
	int64_t order_rule; /* index: 0 model, 1 recorded */
	int64_t points;
};

/* Where the object of a slot is. `turn` counts the events on it when workers share the trace. */
struct replay_slot {
	void *obj;
	atomic_uint turn;
	uint16_t cpu, node; /* that allocated it: the trace's CPU, the arena's node of its handle */
};

/* One cache of the trace. */
struct replay_cache {
	struct nslab_object_type type;
	char name[64];	       /* of a cache that stands for a size of kmalloc */
	int64_t moved_objects; /* allocated minus freed by the events of one pass */
	int64_t nr_born;       /* objects of the trace that stood there before its first event */
	int64_t peak_objects;  /* most of the trace's objects at a time */
};

struct replay {
	struct nslab_workload base;
	struct replay_params params;
	struct nslab_trace *trace;
	const struct nslab_trace_tables *tables;
	struct replay_action *actions;	/* [nr_shapes] */
	struct replay_action *of_cache; /* [2 * nr_caches]: allocate one, free one */
	struct replay_cache *caches;	/* [nr_caches] */
	struct replay_slot *slots;	/* [nr_slots] */
	uint32_t *slot_cache;		/* [nr_slots]: a slot belongs to one cache */
	const struct nslab_trace_born
		*born; /* live when it begins: the tables' own, or part_born */
	uint32_t nr_born;
	struct nslab_trace_born *leftovers; /* live when the trace ends */
	uint32_t nr_leftovers;
	struct nslab_trace_event *part; /* [nr_part] in place of the stream, or NULL */
	int nr_part;
	struct nslab_trace_born *part_born;
	struct nslab_tally tally;
	atomic_int nr_inside;
	atomic_uint_fast64_t epoch_ns; /* when the first worker began, by the run's clock */
	/* added up when workers leave */
	atomic_uint_fast64_t nr_events, nr_skipped, nr_passes;
	atomic_uint_fast64_t nr_remote_frees, nr_cross_node_frees;
	struct nslab_hist latency; /* merged under latency_lock */
	atomic_flag latency_lock;
	struct replay_curves *curves; /* of the counting pass, or NULL */
};

enum replay_phase {
	REPLAY_BORN,   /* objects that stood there before the first event */
	REPLAY_STREAM, /* the events */
	REPLAY_LEFT,   /* frees of what is left */
};

struct replay_worker {
	struct nslab_worker base;
	struct replay *replay;
	struct nslab_trace_cursor *cursor;
	const struct nslab_trace_event *events; /* of the block in hand */
	int nr_events, pos;			/* in the block */
	uint32_t row;				/* in the tables of born and left objects */
	enum replay_phase phase;
	uint32_t *turns;	 /* [nr_slots] events seen of each slot; NULL: alone */
	struct nslab_cpu **cpus; /* [nr_cpus] of the trace: this worker's handles, or NULL */
	uint64_t trace_ns;	 /* of the event in hand, since the first of the pass */
	uint64_t nr_done, nr_skipped, nr_refused, nr_passes;
	uint64_t nr_remote_frees, nr_cross_node_frees;
	bool is_counting;	    /* stops between the parts of a pass */
	bool is_broken;		    /* the trace could not be read on */
	struct nslab_hist *latency; /* from the intended start; NULL: not paced */
	struct nslab_live *fill;    /* [nr_caches] what stood there before, or NULL */
	bool *is_born; /* [nr_born] rows that the first pass does not allocate, or NULL */
	struct nslab_live *untraced; /* [nr_caches] what no event told of, or NULL */
	int64_t *counted_before; /* [nr_caches] objects before the events, as sysfs counts them */
};

/* ---- replay_play.c: batch() for each entry, callable off the clock too ---- */

size_t replay_none(struct nslab_worker *worker, size_t n);
size_t replay_cache(struct nslab_worker *worker, size_t n);
size_t replay_kmalloc(struct nslab_worker *worker, size_t n);
size_t replay_malloc(struct nslab_worker *worker, size_t n);
nslab_batch_fn replay_batch_of(enum nslab_entry entry);
/* Frees what every slot still holds, with the worker's own handle. */
void replay_drain(struct replay_worker *self);

/* ---- replay_count.c: one whole pass off the clock by a single worker, curves on the way ---- */

int replay_count_pass(struct replay_worker *self);
void replay_curves_tell(const struct replay *r, struct nslab_figures *figures);
void replay_curves_free(struct replay *r);

/* ---- replay_fill.c: full and partial slabs that the recorded kernel had before ---- */

int replay_fill(struct replay_worker *self);
void replay_fill_free(struct replay_worker *self);

/* ---- replay_part.c: some caches, or a segment, of the trace ---- */

bool replay_is_part(const struct replay_params *params);
bool replay_is_chosen(const struct replay *r, uint32_t cache);
/* The first chosen cache of the same stride, whose slabs this one shares; -1: none. */
int replay_chosen_before(const struct replay *r, uint32_t cache);
int replay_part_make(struct replay *r);
void replay_part_free(struct replay *r);

/* ---- replay_untraced.c: objects that sysfs counted and no event told of ---- */

/* Free objects that CPUs must have held before, since they are allocated but not more to sysfs. */
uint64_t replay_held_before(const struct replay *r, uint32_t cache);
/* Before the first event. */
int replay_untraced_begin(struct replay_worker *self);
int replay_untraced(struct replay_worker *self);
void replay_untraced_free(struct replay_worker *self);

#endif
