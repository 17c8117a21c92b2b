/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan.h: a plan file, expanded with a topology into every trial that will run.
 *
 * experiment > family > arm; every block runs each arm of a family once. A family is one workload
 * with its parameters, threads, placement and memory; the arms of a family are what is compared. A
 * plan is read-only after nslab_plan_load() and holds every text that it points to, but the records
 * are the registry's and the positions in pus[] are those of the topology: both must outlive it.
 */
#ifndef NSLAB_PLAN_H
#define NSLAB_PLAN_H

#include "core/registry.h"
#include "topology/pages.h"
#include "topology/placement.h"

#include <jansson.h>
#include <stdio.h>

/* Memory over time: auto samples where a PU is left for it. */
enum nslab_sampler_mode {
	NSLAB_SAMPLER_AUTO,
	NSLAB_SAMPLER_ON,
	NSLAB_SAMPLER_OFF,
};

/* One parameter of a plug-in, as its table prints it ("1024", never "1k"). */
struct nslab_setting {
	const char *key;
	const char *value;
};

struct nslab_arm {
	const char *label; /* unique in its family: "slub", "slub order=2", "slub A'" */
	const char *key;   /* of the cell: the family's key, then what makes the arm */
	const struct nslab_entry_record *allocator;
	struct nslab_setting *settings; /* of the allocator's parameter table; only what was said */
	size_t nr_settings;
	struct nslab_cache_spec cache; /* order, min_partial, cpu_partial, sheaf_capacity */
	enum nslab_entry entry;	       /* malloc for peers, whatever the family asks */
	const char *library;	       /* file to preload in the trial process, or NULL */
	const char *version;	       /* of the peer, or NULL */
	bool is_baseline;	       /* A */
	bool is_twin;		       /* A': the baseline a second time */
	const char *skipped;	       /* NULL, or why no trial of it can run */
};

struct nslab_family {
	const char *key; /* every key=value that makes the family */
	const char *job; /* section of the plan file */
	const struct nslab_entry_record *workload;
	struct nslab_setting *settings; /* every parameter of the workload's table */
	size_t nr_settings;
	int64_t size_bytes; /* the workload's parameter `size`, or 0 */
	int nr_threads;
	const char *placement;
	int *pus; /* [nr_threads] positions in topo->pus; NULL when the placement failed */
	const char *memory_text;
	struct nslab_memory memory;
	enum nslab_entry entry;
	const char *statistic; /* "q25", "median" or "min": what a trial's windows become */
	struct nslab_arm *arms;
	size_t nr_arms;
};

struct nslab_plan {
	const char *name;  /* "quick" */
	const char *path;  /* of the file */
	const char *text;  /* the file as read */
	const char *label; /* "quick look, n = 6", or NULL */
	const struct nslab_topo *topo;
	uint64_t seed;
	int nr_blocks, nr_windows; /* blocks: the most, when a precision may end the run before */
	bool is_blocks_auto;	   /* blocks=auto: nr_blocks is a bound that nobody asked for */
	double precision;	/* half-width of every contrast to stop at, 0.01 is 1 %; 0: none */
	uint64_t budget_ns;	/* of trials; no block starts after it; 0: none */
	const char *invalidate; /* "auto", "on", "off" */
	bool is_invalidating;	/* a block that the host disturbed is run again */
	uint64_t window_ns, warmup_ns, time_limit_ns; /* the limit is of one trial */
	const char *statistic;			      /* "auto", "q25", "median", "min" */
	const char *baseline; /* allocator or arm label, or NULL: the first */
	bool has_twin;
	bool is_debug;	  /* allocators run behind the debug layer */
	bool has_latency; /* trials sample single operations after their windows */
	bool has_matrix;  /* the run measures the machine first */
	enum nslab_sampler_mode sampler;
	enum nslab_huge_policy huge;
	size_t node_bytes;	     /* of the arena; 0: its default */
	uint64_t memory_limit_bytes; /* of a trial beside its arena; 0: most of what is free */
	int nr_cpus;		     /* that allocators' rules count with */
	const char *const *counters; /* NULL-terminated; empty: the runner's choice */
	const char *const *ignored;  /* NULL-terminated; rules that do not refuse, see gate.h */
	struct nslab_counter_choice *choice; /* what these mean on this CPU */
	const struct nslab_entry_record *page;
	struct nslab_setting *page_settings;
	size_t nr_page_settings;
	struct nslab_setting *area_settings; /* of nslab_area_rows */
	size_t nr_area_settings;
	const char *const *overrides; /* NULL-terminated key=value from the command line */
	struct nslab_family *families;
	size_t nr_families;
	struct nslab_plan_pool *pool; /* holds all of the above */
};

struct nslab_plan_source {
	const char *name;	      /* a file, or the name of a shipped plan */
	const char *text;	      /* the file as it was read once: then nothing is looked up */
	const char *const *overrides; /* NULL-terminated "key=value", or NULL */
	const struct nslab_registry *registry;
	const struct nslab_topo *topo;
};

/*
 * Reads, checks and expands. -ENOENT when there is no such plan, -EINVAL with file, line, key,
 * value and what is accepted. A cell that cannot run here stays in the plan with its reason; when
 * that holds for every cell, -ENOTSUP with the first reason.
 */
int nslab_plan_load(const struct nslab_plan_source *source, struct nslab_plan **plan,
		    struct nslab_err *err);
void nslab_plan_free(struct nslab_plan *plan);

/* plan.json: everything above, in the order above. NULL when memory is out. */
json_t *nslab_plan_json(const struct nslab_plan *plan);
/* The same for one cell: what a trial needs besides the plan's own numbers. */
json_t *nslab_plan_cell_json(const struct nslab_plan *plan, const struct nslab_family *family,
			     const struct nslab_arm *arm);

/* What --dry-run shows: families, arms, skipped cells, trials, expected duration. */
void nslab_plan_print(const struct nslab_plan *plan, FILE *out);

size_t nslab_plan_nr_cells(const struct nslab_plan *plan);  /* skipped ones included */
size_t nslab_plan_nr_trials(const struct nslab_plan *plan); /* of cells that run */
uint64_t nslab_plan_expected_ns(const struct nslab_plan *plan);

/* Defaults, then settings, into zeroed params of the table's params_size. */
int nslab_settings_apply(const struct nslab_param *rows, const struct nslab_setting *settings,
			 size_t nr_settings, void *params, struct nslab_err *err);

/* "500ms", "60s", "10m", "2h" -> ns; above 0. */
int nslab_plan_duration(const char *text, uint64_t *ns, struct nslab_err *err);

/* "none", "cache", "kmalloc", "malloc", "pages". */
const char *nslab_entry_word(enum nslab_entry entry);

/* Calls each(context, name, path) for every shipped plan that is found, in name order. */
void nslab_plan_each(void (*each)(void *context, const char *name, const char *path),
		     void *context);

/*
 * Calls each(context, row) for every key of a plan, parameters of plug-ins left out. Rows are for
 * printing: only type, default, bounds, choices (of a text: words to begin with) and help count.
 */
void nslab_plan_each_key(void (*each)(void *context, const struct nslab_param *row), void *context);

#endif
