/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sampler.h: memory over time, by a thread beside the workers.
 */
#ifndef NSLAB_SAMPLER_H
#define NSLAB_SAMPLER_H

#include "core/clock.h"
#include "runner/plan.h"
#include "runner/world.h"

#include <jansson.h>

#define NSLAB_SAMPLER_STEP_NS UINT64_C(5000000)
#define NSLAB_SAMPLER_ROOM    4096 /* samples; then every second goes and the step doubles */

/*
 * Bytes, but the last two sorts. What is stored is the series "memory WORD" over ms; of the buddy's
 * blocks only what has changed.
 */
enum nslab_memory_column {
	NSLAB_MEMORY_SLABS,   /* pages of slabs: the sum of the next five */
	NSLAB_MEMORY_USED,    /* objects handed out; while workers run, with what CPUs hold free */
	NSLAB_MEMORY_QUEUED,  /* free objects that CPUs hold: only while workers are parked */
	NSLAB_MEMORY_FREE,    /* free objects in slabs and shared layers */
	NSLAB_MEMORY_PADDING, /* between what was asked for and the stride, in all objects */
	NSLAB_MEMORY_TAIL,    /* of slabs, behind the last object */
	NSLAB_MEMORY_OTHER,   /* pages of the heap that are no slabs */
	NSLAB_MEMORY_META,    /* handles and tables */
	NSLAB_MEMORY_RSS,     /* of the process */
	NSLAB_MEMORY_NR_SLABS,
	NSLAB_MEMORY_BUDDY, /* free blocks of order 0, of all zones; then of the other orders */
	NSLAB_NR_MEMORY = NSLAB_MEMORY_BUDDY + NSLAB_MAX_ORDER + 1
};

/* Caches are looked at for one part of the time in so many, at most. */
#define NSLAB_SAMPLER_LOOK_SHARE 500

/* Blocks are counted in every so manieth sample, since a zone's lock is held meanwhile. */
#define NSLAB_SAMPLER_BUDDY_STEP 4

/* "used", "buddy 3" */
void nslab_memory_word(int column, char *word, size_t word_bytes);

/* One moment; NaN: not known. */
struct nslab_memory_sample {
	uint64_t at_ns;
	double values[NSLAB_NR_MEMORY];
};

/* What is sampled. is_parked: no worker runs, so handles may be looked into. */
struct nslab_memory_source {
	void (*read)(struct nslab_memory_source *source, bool is_parked,
		     struct nslab_memory_sample *sample);
};

/* Splits what a cache tells into columns of the sample; is_parked: nr_cpu_free is right. */
void nslab_memory_add_cache(struct nslab_memory_sample *sample, const struct kmem_cache *s,
			    const struct nslab_cache_stats *stats, bool is_parked);

/* The samples of a trial; a step doubles when there is no more room. */
struct nslab_timeline {
	struct nslab_memory_sample *samples;
	size_t nr, room;
	uint64_t step_ns, start_ns;
};

/* 0 or -ENOMEM. All memory is touched, so that the process does not grow while it is sampled. */
int nslab_timeline_init(struct nslab_timeline *timeline, size_t room, uint64_t step_ns);
void nslab_timeline_free(struct nslab_timeline *timeline);
void nslab_timeline_take(struct nslab_timeline *timeline, const struct nslab_clock *clock,
			 struct nslab_memory_source *source, bool is_parked);
/* Adds [series, ms, value] for every value that is known. */
void nslab_timeline_points(const struct nslab_timeline *timeline, json_t *points);

/*
 * Where a sampler beside workers on pus[nr] (positions in topo->pus) runs: {"pus": [OS indices]} of
 * PUs that no worker has, if it can be of cores that no worker has. Where every usable PU has a
 * worker: NULL, but with NSLAB_SAMPLER_ON {"pus": [n], "shares": n}.
 */
json_t *nslab_sampler_place(const struct nslab_topo *topo, const int *pus, int nr,
			    enum nslab_sampler_mode mode);

struct nslab_sampler;

/* Starts the thread. spec: from nslab_sampler_place. 0 or -errno. */
int nslab_sampler_start(const json_t *spec, struct nslab_world *world,
			struct nslab_sampler **sampler, struct nslab_err *err);
/* Ends the thread; then, with the workers parked, takes the last sample. NULL is fine. */
void nslab_sampler_park(struct nslab_sampler *sampler);
/* Adds the timeline and, as a figure, the PU that it shared. NULL is fine. */
void nslab_sampler_result(const struct nslab_sampler *sampler, json_t *figures, json_t *points);
void nslab_sampler_free(struct nslab_sampler *sampler); /* NULL is fine */

#endif
