/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tuner.h: words that all parts of the tuner share: a setting of a cache, what it costs, the
 * candidates of a cache, and the advice for a machine.
 *
 * Three levels. L1: the best setting of each cache by itself, which only a patched kernel (or one
 * of our backends) can have. L2: the best three boot parameters, which act on all caches at once.
 * L3: what sysfs can change while a machine runs. "No change" is the default of each.
 *
 * The way: snapshot -> candidates (formulas; dominated ones marked) -> counts by replay, without
 * noise -> race of the survivors in blocks, by the clock -> hold-out on fresh seeds and another
 * segment -> choice under budgets -> artefacts -> oracle. Each step fills its part of the
 * candidates, and leaves a reason in words.
 */
#ifndef NSLAB_TUNER_H
#define NSLAB_TUNER_H

#include "tuner/snapshot.h"

#define NSLAB_TUNER_MAX_ORDER 5 /* of a candidate */

/* Of one cache. Fields that a kernel does not have, or that stay as they are, are NSLAB_AUTO. */
struct nslab_tuner_setting {
	int order;
	int cpu_partial;    /* objects; up to 6.19 */
	int min_partial;    /* slabs */
	int sheaf_capacity; /* objects; 6.18 and later */
};

/* A change against the setting of now, as log ratio; all NaN when it was not measured. */
struct nslab_tuner_change {
	double estimate, lo, hi; /* 95 % */
	size_t n;		 /* blocks */
	double p;
};

/* What a setting costs. NaN: not known (never 0). */
struct nslab_tuner_cost {
	/*
	 * Memory of the live objects at the end of the load, and what of it is not objects:
	 * the ends of slabs, the ends of live objects, free objects in slabs that no CPU holds
	 * (and in barns), and free objects that CPUs hold. With object_size x live they add up.
	 */
	double memory_bytes, tail_bytes, padding_bytes, free_bytes, queued_bytes;
	/*
	 * Noise-free counts of the replay, per thousand operations (one alloc or one free):
	 * list and barn locks, frees on another CPU than the allocation, operations that leave
	 * the fast path, new slabs.
	 */
	double locks_per_kop, remote_frees_per_kop, slow_per_kop;
	double slab_allocs_per_kop;
	/*
	 * Pages in blocks of order >= 1: per thousand operations of the whole load, so that
	 * what the cache is made of counts; and per second, of what is judged alone, where
	 * rates are known.
	 */
	double high_pages_per_kop, high_pages_per_s;
	double scarcity; /* of blocks of this order in the snapshot: 1 plenty .. 0 none; NaN */
	double fallback_share; /* slabs that got a smaller order when high orders fail at p = 0.5 */
	double worst_locks_per_kop;		 /* over the corners that counts.h names */
	struct nslab_tuner_change race, holdout; /* ns per operation */
	struct nslab_tuner_change race_p999, holdout_p999;
};

enum nslab_tuner_fate {
	NSLAB_TUNER_KEPT,	/* still in question */
	NSLAB_TUNER_DOMINATED,	/* by exact formulas or counts: another is nowhere worse */
	NSLAB_TUNER_COARSE,	/* its slabs are too large, for the load or for the objective */
	NSLAB_TUNER_OUTRANKED,	/* by counts; only the first few are measured */
	NSLAB_TUNER_UNMEASURED, /* time was up before its cache's turn */
	NSLAB_TUNER_RACED_OUT,	/* slower than the leader in the race */
	NSLAB_TUNER_REFUTED,	/* the hold-out did not confirm it */
	NSLAB_TUNER_CONFIRMED,
};

struct nslab_tuner_candidate {
	struct nslab_tuner_setting setting;
	struct nslab_tuner_cost cost;
	enum nslab_tuner_fate fate;
	char why[192]; /* "order 3 is nowhere worse: memory -3.4 %, ..." */
};

/* One cache of the snapshot, and what is thought of it. */
struct nslab_tuner_group {
	const struct nslab_tuner_cache *cache;
	struct nslab_tuner_candidate *candidates;
	size_t nr_candidates;
	size_t now;	  /* index of the setting in force */
	size_t advised;	  /* L1: index; == now: no change */
	int order_booted; /* L2: under the advised boot parameters */
	char why[160];	  /* of the advice, a few words: "0.2 % tail instead of 3.6 %" */
};

enum nslab_tuner_objective {
	NSLAB_TUNER_BALANCED,
	NSLAB_TUNER_SPEED,
	NSLAB_TUNER_MEMORY
};

/* What may be spent over all caches; NaN: no limit. */
struct nslab_tuner_budget {
	double memory_share;	   /* 0.05: 5 % more slab memory than now */
	double high_pages_per_kop; /* mean over caches, by weight; 0: no block of order >= 1 more */
};

/* One choice of the three boot parameters. */
struct nslab_tuner_triple {
	struct nslab_order_knobs knobs;
	double loss;	     /* of the whole system, in the objective's unit; lower is better */
	double regret;	     /* against L1: loss - loss of L1 */
	double memory_bytes; /* of all caches */
	size_t nr_changed;   /* caches that get another order than now */
};

struct nslab_tuner_advice {
	const struct nslab_tuner_snapshot *snapshot;
	enum nslab_tuner_objective objective;
	struct nslab_tuner_budget budget;
	struct nslab_tuner_group *groups; /* one for each cache, in the snapshot's order */
	size_t nr_groups;
	struct nslab_tuner_triple now, booted; /* booted == now: no boot parameter is advised */
	double loss_ideal;		       /* L1 */
	bool is_measured;
	char oracle[288]; /* "confirmed", "rule confirmed on 6.12", "unconfirmed: REASON" or "" */
	char **notes;	  /* for the user, one line each */
	size_t nr_notes;
};

/*
 * "kept", "dominated", "too coarse", "outranked", "not measured", "out of the race", "refuted",
 * "confirmed"
 */
const char *nslab_tuner_fate_word(enum nslab_tuner_fate fate);
/* True for KEPT and CONFIRMED: what may be advised. */
bool nslab_tuner_is_open(const struct nslab_tuner_candidate *candidate);
/* "balanced", "speed", "memory" */
const char *nslab_tuner_objective_word(enum nslab_tuner_objective objective);
int nslab_tuner_objective_parse(const char *word, enum nslab_tuner_objective *objective,
				struct nslab_err *err);

/* Adds a line to advice->notes. 0 or -ENOMEM. */
int nslab_tuner_note(struct nslab_tuner_advice *advice, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "order 3", "order 3, cpu_partial 60": what differs from AUTO. */
void nslab_tuner_setting_text(const struct nslab_tuner_setting *setting, char *text,
			      size_t text_bytes);

/* The same of what `then` has otherwise than `now`; "no change". */
void nslab_tuner_setting_change(const struct nslab_tuner_setting *now,
				const struct nslab_tuner_setting *then, char *text,
				size_t text_bytes);

void nslab_tuner_advice_free(struct nslab_tuner_advice *advice); /* not the snapshot */

#endif
