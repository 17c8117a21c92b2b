/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_internal.h: what the plan_*.c files share and nobody else needs: the pool that a plan lives
 * in, the file as sections of keys, and lists of values.
 */
#ifndef NSLAB_PLAN_INTERNAL_H
#define NSLAB_PLAN_INTERNAL_H

#include "core/param.h"
#include "runner/plan.h"

#define PLAN_LINE_MAX  199 /* bytes of a line: inih cuts what is longer without a word */
#define PLAN_NAME_MAX  49  /* bytes of a section or key name: likewise */
#define PLAN_ITEMS_MAX 4096
#define PLAN_ARMS_MAX  1024
#define PLAN_CELLS_MAX 200000

/* ---- plan_pool.c: memory that is freed all at once ---- */

struct nslab_plan_pool *nslab_pool_create(void);
void nslab_pool_destroy(struct nslab_plan_pool *pool);
void *nslab_pool_alloc(struct nslab_plan_pool *pool, size_t bytes); /* zeroed */
char *nslab_pool_copy(struct nslab_plan_pool *pool, const char *text, size_t len);
char *nslab_pool_print(struct nslab_plan_pool *pool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Room for one more item after nr; call it before every append, starting with NULL and 0. */
void *nslab_pool_grow(struct nslab_plan_pool *pool, void *items, size_t nr, size_t item_bytes);

/* ---- plan_file.c: the file as sections of keys ---- */

struct plan_key {
	const char *name;
	const char *value;
	int line; /* 0: from the command line */
};

struct plan_section {
	const char *name;
	int line;
	struct plan_key *keys;
	size_t nr_keys;
};

/* sections[0] is [global], empty when the file has none. */
struct plan_file {
	struct nslab_plan_pool *pool;
	const char *path;
	const char *text; /* NULL: to be read from path */
	struct plan_section *sections;
	size_t nr_sections;
};

int nslab_plan_file_read(struct plan_file *file, struct nslab_err *err);
/* "key=value": set in [global], taken out of every job. */
int nslab_plan_file_override(struct plan_file *file, const char *text, struct nslab_err *err);
const struct plan_key *nslab_plan_section_find(const struct plan_section *section,
					       const char *name);
/* Of the job, else of [global], else NULL. */
const struct plan_key *nslab_plan_key_find(const struct plan_file *file,
					   const struct plan_section *job, const char *name);
/* Puts "FILE:LINE: " (or "command line: ") before the error. */
int nslab_plan_fail_at(const struct plan_file *file, int line, struct nslab_err *err, int rc);

/* ---- plan_find.c ---- */

/* Path of the plan called `name`, in the pool. */
int nslab_plan_find(struct nslab_plan_pool *pool, const char *name, const char **path,
		    struct nslab_err *err);

/* ---- plan_values.c: lists and ranges ---- */

struct plan_list {
	const char **items;
	size_t nr;
};

/* Words between commas; numbers join the item before them when it has a ':' ("cross:0,1"). */
int nslab_plan_words(struct nslab_plan_pool *pool, const char *text, struct plan_list *list,
		     struct nslab_err *err);
/* Words, with A..B, A..B+K and A..B*K expanded; the word max is a number when max > 0. */
int nslab_plan_numbers(struct nslab_plan_pool *pool, const char *text, int64_t max,
		       struct plan_list *list, struct nslab_err *err);
/* Values of a parameter: checked, written as the table would print them, without repeats. */
int nslab_plan_values(struct nslab_plan_pool *pool, const struct nslab_param *row, const char *text,
		      struct plan_list *list, struct nslab_err *err);

/* "1%", "0.5 %" -> 0.01, 0.005; above 0 and at most 50 %. */
int nslab_plan_percent(const char *text, double *share, struct nslab_err *err);

/* ---- plan_keys.c: which keys there are ---- */

/* Values of the keys that hold for the whole plan; plan_rows describe it. */
struct plan_numbers {
	int64_t seed, blocks, windows, window_ms, warmup_ms, time_limit_s;
	int64_t statistic, huge, node_mib, cpus, latency, sampler, invalidate, memory_limit_mib;
	bool twin, debug, measure;
};

struct plan_cache {
	int64_t order, min_partial, cpu_partial, sheaf_capacity;
};

extern const struct nslab_param nslab_plan_rows[];
extern const struct nslab_param nslab_plan_cache_rows[];

/* Every key known, in its place, with values that its row accepts. */
int nslab_plan_check_keys(const struct plan_file *file, const struct nslab_registry *registry,
			  struct nslab_err *err);

/* ---- plan_arms.c ---- */

/* The row that judges a cache key for this allocator; NULL when it means nothing to it. */
const struct nslab_param *nslab_plan_cache_row(const struct nslab_allocator_ops *ops,
					       const char *name);

/* The arms of a job before a family is known: no key, nothing skipped but what is not here. */
int nslab_plan_arms(struct nslab_plan *plan, const struct plan_file *file,
		    const struct plan_section *job, const struct nslab_registry *registry,
		    struct nslab_arm **arms, size_t *nr, struct nslab_err *err);
/* Copies the arms into a family, with keys, skip reasons, baseline and twin. */
int nslab_plan_family_arms(struct nslab_plan *plan, struct nslab_family *family,
			   const struct nslab_arm *arms, size_t nr, const char *skipped);

/* ---- plan_expand.c ---- */

int nslab_plan_expand(struct nslab_plan *plan, const struct plan_file *file,
		      const struct nslab_registry *registry, struct nslab_err *err);

#endif
