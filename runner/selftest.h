/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selftest.h: does the measurement find what is there, and nothing else? For `numaslab selftest`
 * and `numaslab calibrate`.
 */
#ifndef NSLAB_SELFTEST_H
#define NSLAB_SELFTEST_H

#include "results/compare.h"
#include "results/stats.h"
#include "results/store.h"
#include "runner/launch.h"
#include "runner/plan.h"

#define NSLAB_SELFTEST_LEVEL 0.05 /* of the tests that are tested */

/* ---- judgement of runs: pure functions ---- */

/* How often a test found something, and the exact 95 % interval of that (Clopper and Pearson). */
struct nslab_rate {
	size_t nr, nr_found;
	double rate, lo, hi; /* NaN when nr is 0 */
};

void nslab_rate_set(struct nslab_rate *rate, size_t nr_found, size_t nr);

/* Contrasts of a baseline with itself: whatever is found is false. */
struct nslab_aa {
	size_t nr_blocks;	      /* of a contrast */
	size_t nr_left_out;	      /* contrasts that lack a trial */
	struct nslab_rate paired;     /* as numaslab compares: inside blocks, signed-rank test */
	struct nslab_rate sequential; /* the same trials: first half against second, Mann-Whitney */
	bool is_passed;		      /* 5 % lies in or above the interval of the paired rate */
};

/*
 * Contrast k is of the blocks k * nr_blocks and up, so no trial is in two. a and twin are the cells
 * of A and A'. nr_blocks: 6 or more. 0, -EINVAL or -ENOMEM.
 */
int nslab_aa_judge(const struct nslab_cell_values *a, const struct nslab_cell_values *twin,
		   size_t nr_contrasts, size_t nr_blocks, struct nslab_aa *aa);

/* An arm that does a known share more operations than its baseline. */
struct nslab_injection {
	double share;		 /* 0.03 */
	size_t nr_blocks;	 /* that the arm and the baseline both have */
	double estimate, lo, hi; /* of the share, from the run */
	double mde;		 /* smallest share that is found with 80 % power */
	enum nslab_verdict twin; /* of A', which must not be "changed" */
	double twin_estimate, twin_lo, twin_hi;
	bool is_found, is_sized, is_twin_same, is_passed;
	bool is_blind; /* not found, and the host is too noisy for such a share */
};

/* list: of a run with a baseline, its twin and one more arm. -EINVAL when it has another shape. */
int nslab_injection_judge(const struct nslab_cell_list *list, double share,
			  struct nslab_injection *injection, struct nslab_err *err);

/* ---- trials of one's own ---- */

struct nslab_prober {
	const struct nslab_plan *plan;
	nslab_launch_fn launch;
	volatile const int *is_interrupted; /* or NULL */
};

/* Levels of repetition of one family's baseline: windows in processes. */
struct nslab_calibration {
	const struct nslab_family *family;
	const struct nslab_arm *arm;
	size_t nr_windows, nr_trials;
	double ns_per_op;	     /* median of the trials' declared statistics */
	double spread;		     /* their MAD as a standard deviation, relative */
	struct nslab_level level[2]; /* windows, processes: of log ns per operation */
	size_t nr_processes;	     /* of level[0].nr_best windows, for the mean; at most
				      * NSLAB_LEVEL_COUNT_MAX, 0: unknown */
	size_t nr_blocks;	     /* of a paired contrast at the plan's windows and statistic */
	char cause[256];	     /* "" or why there is no figure */
};

/*
 * Runs every family's baseline nr_trials times, round robin, so that a slow minute of the machine
 * is shared. precision: half-width of the 95 % interval as a share, 0.01. rows[nr_families].
 */
int nslab_calibrate(const struct nslab_prober *prober, size_t nr_trials, double precision,
		    struct nslab_calibration *rows, struct nslab_err *err);

/* What observing costs: trials with all of it against trials with none, in pairs. */
struct nslab_overhead {
	struct nslab_paired paired; /* log ratio, with / without */
	double lo, hi, estimate;    /* as shares */
	size_t nr_failed;	    /* pairs that lack a trial */
	double clock_share;	    /* readings of the clock: in both arms, so reckoned */
	bool is_within, is_beyond;  /* the interval with the clock's share is below, above 1 % */
};

/* Of the first family's baseline, nr_blocks pairs in random order. */
int nslab_overhead_measure(const struct nslab_prober *prober, size_t nr_blocks,
			   struct nslab_overhead *overhead, struct nslab_err *err);
/* The judgement of it: d[n] are log ratios, clock_ns what one reading costs. 0 or -EINVAL. */
int nslab_overhead_judge(const double *d, size_t n, double clock_ns, uint64_t window_ns,
			 struct nslab_overhead *overhead);

/* ---- placement ---- */

/* What was asked of one node, and where the kernel says that it is. */
struct nslab_node_proof {
	int os_index;
	size_t nr_objects;	       /* allocated with this node */
	size_t nr_elsewhere;	       /* of them, in another node's part of the arena */
	struct nslab_page_check check; /* of their pages, by move_pages */
};

/* proofs[topo->nr_nodes], nodes without memory left out; *nr says how many there are. */
int nslab_placement_prove(const struct nslab_topo *topo, const struct nslab_registry *registry,
			  struct nslab_node_proof *proofs, int *nr, struct nslab_err *err);

/* ---- noise on purpose ---- */

struct nslab_hog {
	int pid; /* 0: none runs */
};

/*
 * A process that is busy on a PU (OS index) in bursts of 1 to 40 ms with pauses as long, until it
 * is stopped or its parent is gone. 0 or -errno.
 */
int nslab_hog_start(struct nslab_hog *hog, int pu_os_index, uint64_t seed, struct nslab_err *err);
void nslab_hog_stop(struct nslab_hog *hog);

#endif
