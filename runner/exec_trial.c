/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec_trial.c: one trial of a plan: describe, launch, judge, store.
 *
 * A trial may fail by its own fault (a crash, a hang, pages on the wrong node) or be spoiled by the
 * host (noise.c judges). Both are stored with their cause. Where the plan does not invalidate, a
 * disturbed trial counts and carries the cause as a note, so that the table can tell.
 *
 * The host's counters are read right before and right after the process, which is longer than the
 * windows: what disturbs the start of a trial is held against it too.
 */
#define _GNU_SOURCE
#include "runner/exec_impl.h"

#include "core/rng.h"
#include "results/design.h"
#include "runner/counters/derive.h"
#include "runner/record.h"
#include "runner/slabinfo.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLOOR_WINDOWS	   10
#define FLOOR_SIZE	   "64"
#define ARENA_NODE_BYTES   (UINT64_C(1) << 30) /* most that a node's part is by default */
#define MEMORY_SHARE	   5		       /* of what is free, one part stays so */
#define MEMORY_LEAST_BYTES (UINT64_C(1) << 31)
#define PAGES_OF_A_RECORD  64			/* a record of 64 bytes stands for a page of 4096 */
#define TRIAL_OWN_BYTES	   (UINT64_C(32) << 20) /* stacks and tables, mostly untouched */

const struct nslab_noise_source *exec_noise(const struct exec *e)
{
	return e->options->noise ? e->options->noise : &nslab_real_noise_source;
}

/* What a trial may take beside its arena: most of what is free now. */
static uint64_t exec_memory_bytes(const struct exec *e)
{
	uint64_t bytes = nslab_noise_free_bytes(exec_noise(e));

	if (e->plan->memory_limit_bytes)
		return e->plan->memory_limit_bytes;
	bytes -= bytes / MEMORY_SHARE;
	return bytes > MEMORY_LEAST_BYTES ? bytes : MEMORY_LEAST_BYTES;
}

static struct nslab_launch exec_describe(const struct exec *e, const json_t *spec,
					 const char *preload, uint64_t seed)
{
	const struct nslab_plan *plan = e->plan;
	uint64_t node_bytes = plan->node_bytes ? plan->node_bytes : ARENA_NODE_BYTES;
	uint64_t arena_bytes = node_bytes * (uint64_t)plan->topo->nr_nodes;

	return (struct nslab_launch){
		.spec = spec,
		.preload = preload,
		.seed = seed,
		.time_limit_ns = plan->time_limit_ns,
		.memory_bytes = exec_memory_bytes(e),
		.arena_bytes = arena_bytes + arena_bytes / PAGES_OF_A_RECORD + TRIAL_OWN_BYTES,
	};
}

static int exec_launch(struct exec *e, const struct nslab_launch *launch,
		       struct nslab_launch_result *launched)
{
	nslab_launch_fn start = e->options->launch ? e->options->launch : nslab_launch_trial;
	int rc = launch->spec ? start(launch, launched) : -ENOMEM;

	if (rc)
		return nslab_fail(e->err, rc, "cannot start a trial: %s", strerror(-rc));
	return 0;
}

/* ---- what the host did ---- */

static void exec_look(const struct exec *e, const struct nslab_family *family,
		      struct nslab_noise_counts *counts)
{
	int pus[NSLAB_MAX_CPUS];
	int nr = 0;

	for (; family->pus && nr < family->nr_threads && nr < NSLAB_MAX_CPUS; nr++)
		pus[nr] = e->plan->topo->pus[family->pus[nr]].os_index;
	nslab_noise_read(exec_noise(e), pus, nr, counts);
}

/* A trial that is whole may have been disturbed; cause is where a fault of its own would be. */
static void exec_judge(const struct exec *e, const struct nslab_family *family,
		       const struct nslab_noise_counts *before,
		       const struct nslab_noise_counts *after, struct nslab_launch_result *launched,
		       struct nslab_trial_record *record)
{
	struct nslab_noise_trial noise;

	if (!record->is_valid)
		return;
	nslab_record_noise(launched, record, family, &noise);
	if (!nslab_noise_judge(&noise, before, after, launched->cause, sizeof(launched->cause)))
		return;
	record->taint = launched->cause;
	record->is_valid = !e->plan->is_invalidating;
}

/* ---- one trial ---- */

static enum nslab_statistic exec_statistic(const char *word)
{
	enum nslab_statistic statistic;

	return nslab_statistic_parse(word, &statistic) ? NSLAB_STATISTIC_MEDIAN : statistic;
}

/* 0 or the store's error; a trial that failed is stored too. */
static int exec_store_trial(struct exec *e, const struct nslab_family *family,
			    struct exec_cell *cell, const struct nslab_noise_counts *before,
			    const struct nslab_noise_counts *after,
			    struct nslab_trial_record *record, struct nslab_launch_result *launched)
{
	struct nslab_trial_buffers buffers = {0};
	int rc = nslab_record_fill(launched, exec_statistic(family->statistic), record, &buffers);

	if (!rc) {
		exec_judge(e, family, before, after, launched, record);
		rc = nslab_store_add_trial(e->store, record, e->err);
	}
	if (!rc)
		rc = exec_take_trial(e, cell,
				     &(struct nslab_finished_trial){
					     .block = record->block,
					     .attempt = record->attempt,
					     .is_valid = record->is_valid,
					     .taint = record->taint,
					     .ns_per_op = record->ns_per_op,
					     .wall_ns = record->wall_ns,
				     });
	nslab_record_free(&buffers);
	return rc;
}

/* One block is enough for the tables: they show a state, and it is alike in all of them. */
static bool exec_wants_slabinfo(const struct exec *e, int block, int attempt,
				const struct nslab_arm *arm)
{
	return e->options->has_slabinfo && !block && !attempt && !arm->is_twin;
}

/*
 * What is wrong with a trial is told at once; what the host did, only where it costs a re-run. Who
 * asked for every trial hears of each.
 */
static void exec_tell(struct exec *e, const struct nslab_family *family,
		      const struct nslab_arm *arm, const struct nslab_trial_record *record,
		      const char *cause)
{
	if (e->options->is_verbose && !isnan(record->ns_per_op))
		nslab_progress_say(&e->progress, "block %d %s %s: %.2f ns/op%s%s", record->block,
				   family->key, arm->label, record->ns_per_op, *cause ? ", " : "",
				   cause);
	else if (*cause && (e->plan->is_invalidating || !nslab_taint_is_noise(cause)))
		nslab_progress_say(&e->progress, "%s %s: %s", family->key, arm->label, cause);
}

int exec_trial(struct exec *e, int block, int attempt, size_t f, size_t a, int position)
{
	const struct nslab_family *family = &e->plan->families[f];
	const struct nslab_arm *arm = &family->arms[a];
	struct nslab_launch_result launched;
	struct nslab_noise_counts before, after;
	struct nslab_trial_record record = {
		.cell = e->cells[f][a].id,
		.block = block,
		.position = position,
		.attempt = attempt,
		.seed = nslab_design_seed(e->plan->seed, block, f, a, attempt),
	};
	bool has_tables = exec_wants_slabinfo(e, block, attempt, arm);
	json_t *spec = nslab_record_spec(e->plan, family, arm, record.seed, e->options->plugins);
	const struct nslab_launch launch = exec_describe(e, spec, arm->library, record.seed);
	int rc;

	if (has_tables && spec)
		json_object_set_new(spec, "slabinfo", json_true());
	exec_look(e, family, &before);
	rc = exec_launch(e, &launch, &launched);
	if (!rc)
		exec_look(e, family, &after);
	if (!rc)
		nslab_derive_trial(e->plan, &launch, !block && !attempt && !arm->is_twin,
				   launched.document);
	json_decref(spec);
	if (rc)
		return rc;
	rc = exec_store_trial(e, family, &e->cells[f][a], &before, &after, &record, &launched);
	if (!rc && has_tables)
		rc = nslab_slabinfo_append(e->result->folder, arm->key, launched.document,
					   launched.cause, e->err);
	exec_tell(e, family, arm, &record, launched.cause);
	json_decref(launched.document);
	return rc;
}

/* The same loop with no allocator at all. A failure here is told once and is not fatal. */
int exec_floor(struct exec *e, int block)
{
	uint64_t seed = nslab_rng_mix(e->plan->seed, (uint64_t)block + UINT64_C(0x10000));
	json_t *spec = nslab_record_floor_spec(e->plan, FLOOR_SIZE, FLOOR_WINDOWS, seed);
	struct nslab_trial_record record = {.block = block};
	struct nslab_trial_buffers buffers = {0};
	struct nslab_launch_result launched;
	const struct nslab_launch launch = exec_describe(e, spec, NULL, seed);
	int rc = exec_launch(e, &launch, &launched);

	json_decref(spec);
	if (rc)
		return rc;
	rc = nslab_record_fill(&launched, NSLAB_STATISTIC_Q25, &record, &buffers);
	if (!rc && record.is_valid)
		e->floor_ns[e->nr_floor++] = record.ns_per_op;
	else if (!block)
		nslab_progress_say(&e->progress, "empty loop: %s", launched.cause);
	nslab_record_free(&buffers);
	json_decref(launched.document);
	return rc;
}
