/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * store.h: one run, one SQLite file.
 *
 * Append-only: a finished trial is one transaction, so that kill -9 at any moment leaves a file in
 * which every finished trial is whole. Raw windows are kept; summaries are computed when read.
 */
#ifndef NSLAB_STORE_H
#define NSLAB_STORE_H

#include "core/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nslab_store;

/* Texts may be NULL, then they are stored as NULL. */
struct nslab_run_record {
	const char *uuid;
	const char *name;  /* of the plan, e.g. "quick" */
	const char *label; /* "quick look, n = 6", or NULL */
	const char *host_name;
	const char *cpu_model;
	const char *kernel; /* uname -srm */
	int nr_packages, nr_nodes, nr_pus;
	int64_t memory_bytes;
	bool is_simulated;		   /* nodes are simulated */
	const char *placement_unavailable; /* NULL, or why placement could not be had */
	const char *topology_json;	   /* of numaslab topo --json */
	const char *topology_xml;	   /* hwloc */
	const char *plan_json;
	const char *plan_text; /* the plan file as read */
	const char *argv_text;
	const char *tool_version;
	const char *build_json; /* compiler, flags, options */
	const char *env_json;	/* the host: {..., "before": probes}, see nslab_store_env_after */
	const char *statistic;	/* "q25" or "median": what a trial's windows are reduced to */
	uint64_t seed;
	const char *started;	   /* ISO 8601, UTC */
	int64_t nr_trials_planned; /* 0 when unknown; a killed run tells how far it came */
};

struct nslab_cell_record {
	const char *key;    /* unique in the run: every key=value that defines the cell */
	const char *family; /* the key without the arm */
	const char *arm;    /* what differs inside a family: "slub", "slub order=2", ... */
	const char *workload;
	const char *allocator;
	const char *version; /* of the peer library, or NULL */
	const char *entry;   /* "cache", "kmalloc", "malloc", "none" */
	const char *placement;
	const char *pus; /* OS indices, "0,1" */
	const char *memory;
	int threads;
	int64_t size_bytes;
	const char *params_json;
	bool is_baseline;    /* A */
	bool is_twin;	     /* A': the baseline a second time */
	const char *skipped; /* NULL, or why no trial of this cell will run */
};

struct nslab_window {
	int worker;
	int index;
	uint64_t ops;
	uint64_t ns;
	uint64_t cpu_ns;
	bool is_counted;
};

struct nslab_counter_record {
	const char *name;
	int worker; /* -1: of the whole trial */
	bool has_value;
	double value; /* scaled */
	uint64_t enabled_ns, running_ns;
	const char *source;
	const char *reason; /* when there is no value */
	const char *phase;  /* NULL: of the windows; "warm-up": kept apart from them */
};

/* Slabs and pages of one cache at the end of a trial, with its statistics as JSON. */
struct nslab_cachestat_record {
	const char *cache;
	uint64_t nr_objects, nr_slabs, nr_pages, nr_partial, nr_cpu_free;
	const char *stat_json; /* {"alloc_fastpath": ...} or NULL when not counted */
};

/* What the workload itself had to tell: a count of the whole trial, a point of a curve. */
struct nslab_figure_record {
	const char *name; /* unique in the trial */
	double value;
	const char *unit;
};

struct nslab_point_record {
	const char *series;
	double x, y;
};

/* Times of single operations, see runner/latency.h. */
struct nslab_hist_record {
	const char *name; /* "operation"; unique in the trial */
	const char *unit; /* "ns" */
	const char *scheme;
	uint64_t n, min, max;
	const char *clock; /* "tsc" */
	double clock_ns;   /* that one reading takes; part of every value */
	double mean_gap;   /* operations between two that were timed */
	double ops_per_value;
	double overhead; /* of sampling, as a fraction of the time; NaN when unknown */
	const char *buckets_json;
};

#define NSLAB_BYTES_UNKNOWN UINT64_MAX /* stored as NULL, shown as '-' */

struct nslab_trial_record {
	int64_t cell; /* id from nslab_store_add_cell */
	int block, position, attempt;
	uint64_t seed;
	uint64_t wall_ns, cpu_ns, run_delay_ns;
	uint64_t nr_involuntary_switches, nr_migrations;
	bool is_valid;
	const char *taint; /* NULL, or why it does not count ("crash: SIGSEGV") or was disturbed */
	int exit_status;   /* of the process; 128 + signal */
	double ns_per_op;  /* NaN when there is none */
	double page_hit_rate; /* NaN when not checked */
	unsigned nr_pages_sampled;
	uint64_t rss_bytes, held_bytes; /* at the end of the windows, or unknown */
	size_t nr_windows, nr_counters, nr_caches, nr_figures, nr_points, nr_hists;
	const struct nslab_window *windows;
	const struct nslab_counter_record *counters;
	const struct nslab_cachestat_record *caches;
	const struct nslab_figure_record *figures;
	const struct nslab_point_record *points; /* of one series: in the order of x */
	const struct nslab_hist_record *hists;
};

/* Creates FILE, for writing and reading; -EEXIST when it is there. */
int nslab_store_create(const char *path, const struct nslab_run_record *run,
		       struct nslab_store **store, struct nslab_err *err);
/* For reading; a file of another kind, cut short or of a newer schema is an error of one line. */
int nslab_store_open(const char *path, struct nslab_store **store, struct nslab_err *err);
void nslab_store_close(struct nslab_store *store); /* NULL is fine */
/* A whole copy at path, also of a run that was killed or is still at work. */
int nslab_store_copy(struct nslab_store *store, const char *path, struct nslab_err *err);

/*
 * Cells collect in one transaction, which the next trial, nslab_store_flush or nslab_store_finish
 * commits: thousands of cells cost one write to the disk. Flush before the first trial starts.
 */
int nslab_store_add_cell(struct nslab_store *store, const struct nslab_cell_record *cell,
			 int64_t *id, struct nslab_err *err);
int nslab_store_flush(struct nslab_store *store, struct nslab_err *err);
/*
 * From here to nslab_store_finish everything is one transaction: for a source that is there as a
 * whole, where half of it would be worth nothing. Closing the store before drops it.
 */
int nslab_store_bulk(struct nslab_store *store, struct nslab_err *err);
/* The trial with its windows, counters and caches, or nothing. */
int nslab_store_add_trial(struct nslab_store *store, const struct nslab_trial_record *trial,
			  struct nslab_err *err);
/* Adds a JSON text to the run's env_json, as "after": the probes at the end of the run. */
int nslab_store_env_after(struct nslab_store *store, const char *json, struct nslab_err *err);
/* status: "done", "interrupted", "noisy", "failed". harness_ns: NaN when not measured. */
int nslab_store_finish(struct nslab_store *store, const char *status, double harness_ns,
		       const char *ended, struct nslab_err *err);

/* ---- reading ---- */

/* Read-back of the run row; texts live as long as the store is open. status of a run whose writer
 * was killed, or is still at work, is "running". */
int nslab_store_run(struct nslab_store *store, struct nslab_run_record *run, char status[16],
		    double *harness_ns, struct nslab_err *err);

/* A number that a cell's trials have: a counter, or a statistic summed over the trial's caches. */
struct nslab_cell_counter {
	const char *name;   /* "page-faults", "list_lock" */
	const char *source; /* "slab" for statistics of caches */
	size_t nr;	    /* trials that have a value */
	double value;	    /* median over them, summed over workers; NaN when nr is 0 */
	double per_op;	    /* median of value / counted operations; NaN when there is none */
	double running;	    /* least share of the time it was on the hardware; 1: not scaled */
	const char *reason; /* why there is no value, or NULL */
};

/* One cell with the values of its valid trials, ordered by block. */
struct nslab_cell_values {
	int64_t id;
	struct nslab_cell_record cell; /* texts owned by the list */
	size_t nr;		       /* valid trials */
	int *blocks;		       /* [nr] */
	double *ns_per_op;	       /* [nr] */
	double rss_bytes, held_bytes;  /* medians; NaN when unknown */
	double hit_rate;	       /* lowest seen; NaN when not checked */
	size_t nr_failed;	       /* trials that do not count */
	const char *cause;	       /* of the first of them, or NULL */
	size_t nr_counters;	       /* filled by nslab_store_counters, else 0 */
	struct nslab_cell_counter *counters;
};

struct nslab_texts; /* the list's texts */

/* What the host did, in the words of the trials' taints. */
struct nslab_noise_summary {
	size_t nr_reruns;   /* blocks of a family that were run again */
	size_t nr_kept;	    /* trials that were disturbed and count all the same */
	const char *causes; /* "run delay 4, steal 1": of the trials that were disturbed; or NULL */
};

struct nslab_cell_list {
	size_t nr;
	struct nslab_cell_values *cells;
	size_t nr_trials; /* that have run: one for each block of each cell */
	struct nslab_noise_summary noise;
	struct nslab_texts *texts;
};

/* Where a block was run again, a cell's last valid trial counts; those before are no failures. */
int nslab_store_cells(struct nslab_store *store, struct nslab_cell_list **list,
		      struct nslab_err *err);
/* Adds counters and cache statistics to a list that nslab_store_cells made. */
int nslab_store_counters(struct nslab_store *store, struct nslab_cell_list *list,
			 struct nslab_err *err);
/* nr_workers[list->nr]: workers of each cell whose operations count; 0 when no window says so. */
int nslab_store_counted_workers(struct nslab_store *store, const struct nslab_cell_list *list,
				int *nr_workers, struct nslab_err *err);
void nslab_cell_list_free(struct nslab_cell_list *list); /* NULL is fine */

/* Folder of a run, or its file, as users give it -> path of the file. */
int nslab_run_path(const char *operand, char *path, size_t path_bytes, struct nslab_err *err);

/* A run as readers want it: path, run row and cells. */
struct nslab_run_file {
	char path[4096];
	struct nslab_store *store;
	struct nslab_run_record run;
	char status[16]; /* "done", "interrupted", "noisy", "failed", "running" */
	double harness_ns;
	struct nslab_cell_list *list;
};

int nslab_run_file_open(const char *operand, struct nslab_run_file *file, struct nslab_err *err);
void nslab_run_file_close(struct nslab_run_file *file);

#endif
