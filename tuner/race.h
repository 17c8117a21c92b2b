/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * race.h: candidates of one cache measured in blocks until all but the best are out, then the
 * winner against the setting of now once more on what nobody has seen: the hold-out.
 *
 * The race asks a source for times and knows nothing else: real trials and planted truths go
 * through the same code.
 */
#ifndef NSLAB_TUNER_RACE_H
#define NSLAB_TUNER_RACE_H

#include "core/registry.h"
#include "runner/launch.h"
#include "runner/noise.h"
#include "tuner/counts.h"

struct nslab_tuner_race_source {
	void *state;
	/*
	 * One trial: ns per operation, and p99.9 (NaN when there is none). 0, -EAGAIN when the host
	 * spoiled it (the block runs again, at most 20 % of them), -ECANCELED when time is up. All
	 * trials of a block get the same seed, so that they do the same; a block that runs again
	 * gets another one, and the hold-out has blocks and seeds of its own.
	 */
	int (*trial)(void *state, const struct nslab_tuner_setting *setting, int block,
		     uint64_t seed, enum nslab_tuner_segment segment, double *ns, double *p999_ns);
	/* Nanoseconds that may still be spent on this cache; UINT64_MAX: no limit. */
	uint64_t (*left_ns)(void *state);
};

struct nslab_tuner_race_rules {
	int first_blocks;   /* before anybody is dropped: 6 */
	int max_blocks;	    /* of the race: 20 */
	int holdout_blocks; /* 12; up to twice as many where they are not precise */
	double margin;	    /* differences below it are nobody's concern: 0.01 */
	enum nslab_tuner_objective objective; /* what else may get worse for the sake of time */
	uint64_t seed;
};
#define NSLAB_TUNER_RACE_RULES_DEFAULT                                                             \
 {                                                                                                 \
  .first_blocks = 6, .max_blocks = 20, .holdout_blocks = 12, .margin = 0.01, .seed = 1             \
 }

struct nslab_tuner_race_result {
	size_t winner;	   /* index in group->candidates; now when nothing was confirmed */
	size_t nr_trials;  /* of race and hold-out, spoiled ones included */
	size_t nr_spoiled; /* of them */
	bool is_cut;	   /* time was up before the race or its hold-out was over */
	bool is_noisy;	   /* the host spoiled more blocks than may run again, or most trials */
};

/*
 * Fills cost.race, cost.holdout (and those of p99.9), fate and why of the candidates that are still
 * in question. The setting of now runs in every block, and stays NSLAB_TUNER_KEPT:
 * every change is against it. With no candidate beside it nothing runs.
 *
 * The winner is NSLAB_TUNER_CONFIRMED only when the hold-out's whole interval is below -margin and
 * nothing else that is known of both gets worse: p99.9 never, beyond the margin; memory and locks
 * by no more than the margin under the objective `memory`, by no more than the time that is gained
 * under `balanced`, by anything under `speed`. Pages of high order are the budget's concern.
 *
 * Nobody else stays in question: NSLAB_TUNER_RACED_OUT (slower, not told apart from now, or of a
 * price that the objective does not allow), NSLAB_TUNER_UNMEASURED when time or host ended it.
 *
 * 0 also when time was up or the host too noisy; -EINVAL when a source gives a time that is none,
 * or its own errno.
 */
int nslab_tuner_race(struct nslab_tuner_group *group, const struct nslab_tuner_race_source *source,
		     const struct nslab_tuner_race_rules *rules,
		     struct nslab_tuner_race_result *result, struct nslab_err *err);

/*
 * For a setting that is wanted for its memory, which counts tell exactly: NSLAB_TUNER_CONFIRMED
 * when the hold-out's whole interval is below +margin, so that it is not slower, and p99.9 does not
 * get worse. Fills cost.holdout, cost.holdout_p999, fate and why of that candidate, and the winner.
 */
int nslab_tuner_hold_out(struct nslab_tuner_group *group, size_t candidate,
			 const struct nslab_tuner_race_source *source,
			 const struct nslab_tuner_race_rules *rules,
			 struct nslab_tuner_race_result *result, struct nslab_err *err);

/*
 * Real trials: each a fresh pinned process of this program that replays the load of the cache on
 * the kernel's model at that setting. budget_ns: of all trials through this source.
 */
struct nslab_tuner_bench;
#define NSLAB_TUNER_LATENCY_NS UINT64_C(240000000000) /* budget from which p99.9 is measured */
int nslab_tuner_bench_open(const struct nslab_registry *registry,
			   const struct nslab_tuner_snapshot *snapshot, uint64_t budget_ns,
			   struct nslab_tuner_bench **bench, struct nslab_err *err);
/*
 * trace: path; NULL, or a trace without events of the cache: the standard load. share_ns: of the
 * budget, all that this cache may have, its pauses on a noisy host included.
 */
int nslab_tuner_bench_source(struct nslab_tuner_bench *bench, const struct nslab_tuner_cache *cache,
			     const char *trace, uint64_t share_ns,
			     struct nslab_tuner_race_source *source, struct nslab_err *err);
/* Once the flag is set no time is left. */
void nslab_tuner_bench_watch(struct nslab_tuner_bench *bench, volatile const int *is_interrupted);
/* Of its budget, what is left. */
uint64_t nslab_tuner_bench_left_ns(const struct nslab_tuner_bench *bench);
/* Why the last trial did not count, "noise: run delay: ..."; "" when it did. */
const char *nslab_tuner_bench_cause(const struct nslab_tuner_bench *bench);
/* Trials that do not run, on a host that is made up: for tests. */
void nslab_tuner_bench_use(struct nslab_tuner_bench *bench, nslab_launch_fn launch,
			   const struct nslab_noise_source *noise);
void nslab_tuner_bench_close(struct nslab_tuner_bench *bench); /* NULL is fine */

#endif
