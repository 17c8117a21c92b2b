/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec.c: runs a plan: blocks, families, arms in seeded random order, one process per trial.
 *
 * Order: for each block, for each family, every arm once, the baseline twice (A and A'), shuffled
 * with a seed that is in the result. So slow drifts of the machine hit all arms alike, and every
 * comparison is paired inside a block. Before each block the empty loop is timed: what the harness
 * itself costs is part of every result.
 *
 * A trial that crashes, hangs or finds its pages on the wrong node is stored with its cause and
 * does not count; the run goes on. After EXEC_GIVE_UP failures a cell is not tried again, so that
 * one hanging plug-in costs minutes at most. A block of a family in which the host disturbed any
 * trial is run again as a whole, so that no arm gains from a second chance: after 1, 2, 4, 4, ...
 * seconds, until it is quiet or RERUN_SHARE of all blocks are spent; then the host is too noisy
 * and the run ends with what it has.
 *
 * Trials are stored as they finish: a killed run keeps all of them. What to do next depends on the
 * plan and on the finished trials only, so a run that goes on does what the killed one would have.
 */
#define _GNU_SOURCE
#include "runner/exec_impl.h"

#include "results/design.h"
#include "runner/gate.h"
#include "runner/provenance.h"
#include "runner/record.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RERUN_SHARE   5 /* one block in so many may run again */
#define BACK_OFF_NS   UINT64_C(1000000000)
#define BACK_OFF_MOST 2 /* doublings */
#define CALM_NS	      UINT64_C(5000000000)
#define CALM_TRIES    3 /* waits in vain, after which nobody waits any more */

/* ---- cells and their trials ---- */

static int exec_add_cell(struct exec *e, const struct nslab_family *family,
			 const struct nslab_arm *arm, struct exec_cell *cell)
{
	json_t *params = nslab_plan_cell_json(e->plan, family, arm);
	char *text = params ? json_dumps(params, JSON_COMPACT) : NULL;
	char pus[512] = "";
	struct nslab_cell_record record = {
		.key = arm->key,
		.family = family->key,
		.arm = arm->label,
		.workload = family->workload->name,
		.allocator = arm->allocator->name,
		.version = arm->version,
		.entry = nslab_entry_word(arm->entry),
		.placement = family->placement,
		.pus = pus,
		.memory = family->memory_text,
		.threads = family->nr_threads,
		.size_bytes = family->size_bytes,
		.params_json = text,
		.is_baseline = arm->is_baseline,
		.is_twin = arm->is_twin,
		.skipped = arm->skipped,
	};
	int rc;

	for (int i = 0; family->pus && i < family->nr_threads; i++) {
		size_t len = strlen(pus);

		snprintf(pus + len, sizeof(pus) - len, "%s%d", i ? "," : "",
			 e->plan->topo->pus[family->pus[i]].os_index);
	}
	rc = text ? nslab_store_add_cell(e->store, &record, &cell->id, e->err) : -ENOMEM;
	free(text);
	json_decref(params);
	return rc;
}

static int exec_alloc_cells(struct exec *e)
{
	size_t most_arms = 1;

	e->cells = calloc(e->plan->nr_families + 1, sizeof(*e->cells));
	if (!e->cells)
		return -ENOMEM;
	for (size_t f = 0; f < e->plan->nr_families; f++) {
		const struct nslab_family *family = &e->plan->families[f];

		e->cells[f] = calloc(family->nr_arms + 1, sizeof(**e->cells));
		if (!e->cells[f])
			return -ENOMEM;
		if (family->nr_arms > most_arms)
			most_arms = family->nr_arms;
	}
	e->order = calloc(most_arms, sizeof(*e->order));
	e->floor_ns = calloc((size_t)e->plan->nr_blocks + 1, sizeof(*e->floor_ns));
	return e->order && e->floor_ns ? 0 : -ENOMEM;
}

static int exec_add_cells(struct exec *e)
{
	int rc = 0;

	for (size_t f = 0; f < e->plan->nr_families; f++) {
		const struct nslab_family *family = &e->plan->families[f];

		for (size_t a = 0; !rc && a < family->nr_arms; a++)
			rc = exec_add_cell(e, family, &family->arms[a], &e->cells[f][a]);
	}
	return rc ? rc : nslab_store_flush(e->store, e->err);
}

struct exec_slot *exec_slot(const struct exec_cell *cell, int block)
{
	if ((size_t)block >= cell->nr_slots || cell->slots[block].attempt < 0)
		return NULL;
	return &cell->slots[block];
}

static int exec_grow_slots(struct exec_cell *cell, int block)
{
	size_t nr = cell->nr_slots ? cell->nr_slots : 8;
	struct exec_slot *slots;

	while (nr <= (size_t)block)
		nr *= 2;
	if (nr <= cell->nr_slots)
		return 0;
	slots = realloc(cell->slots, nr * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = cell->nr_slots; i < nr; i++)
		slots[i] = (struct exec_slot){.attempt = -1};
	cell->slots = slots;
	cell->nr_slots = nr;
	return 0;
}

int exec_take_trial(struct exec *e, struct exec_cell *cell,
		    const struct nslab_finished_trial *trial)
{
	bool is_noise = nslab_taint_is_noise(trial->taint);
	int rc = exec_grow_slots(cell, trial->block);

	if (rc)
		return rc;
	cell->slots[trial->block] = (struct exec_slot){
		.attempt = trial->attempt,
		.is_disturbed = is_noise && !trial->is_valid,
		.ns_per_op = trial->is_valid ? trial->ns_per_op : NAN,
	};
	if (!trial->is_valid && !is_noise) {
		cell->nr_failed++;
		e->result->nr_failed++;
	}
	e->result->nr_trials++;
	e->trials_ns += trial->wall_ns;
	return 0;
}

/* ---- blocks ---- */

static bool exec_is_interrupted(const struct exec *e)
{
	return e->options->is_interrupted && *e->options->is_interrupted;
}

/* What the first block saw, so that a user has figures within seconds. */
static void exec_first_look(struct exec *e, size_t f)
{
	const struct nslab_family *family = &e->plan->families[f];
	char line[512];
	int len = snprintf(line, sizeof(line), "%s (n = 1, ns/op):", family->key);

	for (size_t a = 0; a < family->nr_arms && len < (int)sizeof(line); a++) {
		const struct exec_slot *slot = exec_slot(&e->cells[f][a], 0);

		if (slot && !isnan(slot->ns_per_op) && !family->arms[a].is_twin)
			len += snprintf(line + len, sizeof(line) - (size_t)len, " %s %.2f",
					family->arms[a].label, slot->ns_per_op);
	}
	nslab_progress_say(&e->progress, "%s", line);
}

/* The attempt that this block of the family is at, and whether the host disturbed it. */
static int exec_attempt(const struct exec *e, int block, size_t f, bool *is_disturbed)
{
	int attempt = 0;

	*is_disturbed = false;
	for (size_t a = 0; a < e->plan->families[f].nr_arms; a++) {
		const struct exec_slot *slot = exec_slot(&e->cells[f][a], block);

		if (slot && slot->attempt > attempt)
			attempt = slot->attempt;
	}
	for (size_t a = 0; a < e->plan->families[f].nr_arms; a++) {
		const struct exec_slot *slot = exec_slot(&e->cells[f][a], block);

		*is_disturbed |= slot && slot->attempt == attempt && slot->is_disturbed;
	}
	return attempt;
}

static bool exec_has_trial(const struct exec_cell *cell, int block, int attempt)
{
	const struct exec_slot *slot = exec_slot(cell, block);

	return slot && slot->attempt >= attempt;
}

/* Its number among all of them, as progress counts. */
static size_t exec_number(const struct exec *e, size_t f, size_t a)
{
	size_t number = a;

	for (size_t i = 0; i < f; i++)
		number += e->plan->families[i].nr_arms;
	return number;
}

/* Its place in the block is taken when there is a trial of it, of now or of before. */
static int exec_arm(struct exec *e, int block, int attempt, size_t f, size_t a, int *position)
{
	size_t number = exec_number(e, f, a);
	int rc = 0;

	if (exec_has_trial(&e->cells[f][a], block, attempt)) {
		(*position)++;
	} else if (exec_is_interrupted(e)) {
		return -ECANCELED;
	} else if (e->cells[f][a].nr_failed >= EXEC_GIVE_UP) {
		nslab_progress_drop(&e->progress, number);
		return 0;
	} else {
		if (!attempt)
			nslab_progress_begin(&e->progress);
		rc = exec_trial(e, block, attempt, f, a, (*position)++);
	}
	if (!rc && !attempt)
		nslab_progress_step(&e->progress, number, e->plan->families[f].arms[a].key);
	return rc;
}

/* Every arm once; what is finished already keeps its place. */
static int exec_arms(struct exec *e, int block, int attempt, size_t f)
{
	const struct nslab_family *family = &e->plan->families[f];
	int position = 0;

	nslab_design_order(e->plan->seed, block, attempt, f, e->plan->nr_families, e->order,
			   family->nr_arms);
	for (size_t i = 0; i < family->nr_arms; i++) {
		int rc = 0;

		if (!family->arms[e->order[i]].skipped)
			rc = exec_arm(e, block, attempt, f, e->order[i], &position);
		if (rc)
			return rc;
	}
	return 0;
}

/* How many blocks of a family may run again. */
static size_t exec_most_reruns(const struct exec *e)
{
	return ((size_t)e->plan->nr_blocks * e->plan->nr_families + RERUN_SHARE - 1) / RERUN_SHARE;
}

/* Makes room for the next attempt: nothing of the last one counts. */
static int exec_spoil(struct exec *e, int block, int attempt, size_t f)
{
	int doublings = attempt < BACK_OFF_MOST ? attempt : BACK_OFF_MOST;

	if (e->result->nr_reruns >= exec_most_reruns(e)) {
		e->result->is_noisy = true;
		return -ECANCELED;
	}
	e->result->nr_reruns++;
	exec_noise(e)->sleep_ns(exec_noise(e), BACK_OFF_NS << doublings);
	return nslab_store_spoil(e->store, e->plan->families[f].key, block, attempt,
				 NSLAB_TAINT_RERUN "another trial of this block was disturbed",
				 e->err);
}

/* Our own trials may be all that makes the host busy, so there is an end to waiting. */
static void exec_wait(struct exec *e)
{
	if (!e->plan->is_invalidating || e->nr_vain_waits >= CALM_TRIES)
		return;
	if (nslab_noise_wait(exec_noise(e), CALM_NS))
		e->nr_vain_waits = 0;
	else if (++e->nr_vain_waits == CALM_TRIES)
		nslab_progress_say(&e->progress,
				   "the host does not come to rest; going on without waiting");
}

static bool exec_has_all(const struct exec *e, int block, int attempt, size_t f)
{
	const struct nslab_family *family = &e->plan->families[f];

	for (size_t a = 0; a < family->nr_arms; a++) {
		if (!family->arms[a].skipped && e->cells[f][a].nr_failed < EXEC_GIVE_UP &&
		    !exec_has_trial(&e->cells[f][a], block, attempt))
			return false;
	}
	return true;
}

static int exec_family(struct exec *e, int block, size_t f)
{
	bool is_disturbed;
	int attempt = exec_attempt(e, block, f, &is_disturbed);
	int rc;

	for (;;) {
		if (!exec_has_all(e, block, attempt, f))
			exec_wait(e);
		rc = exec_arms(e, block, attempt, f);
		exec_attempt(e, block, f, &is_disturbed);
		if (!rc && !is_disturbed)
			break;
		if (!rc)
			rc = exec_spoil(e, block, attempt, f);
		if (rc)
			return rc;
		attempt++;
	}
	if (!block)
		exec_first_look(e, f);
	return 0;
}

static int exec_block(struct exec *e, int block)
{
	bool is_disturbed, has_all = true;
	int rc = 0;

	for (size_t f = 0; f < e->plan->nr_families; f++)
		has_all &= exec_has_all(e, block, exec_attempt(e, block, f, &is_disturbed), f);
	if (!has_all)
		rc = exec_floor(e, block);
	for (size_t f = 0; !rc && f < e->plan->nr_families; f++)
		rc = exec_family(e, block, f);
	return rc;
}

static int exec_blocks(struct exec *e)
{
	for (int block = 0; block < e->plan->nr_blocks && !exec_is_enough(e, block); block++) {
		int rc = exec_block(e, block);

		if (rc == -ECANCELED) {
			e->result->is_interrupted = !e->result->is_noisy;
			return 0;
		}
		if (rc)
			return rc;
	}
	return e->nr_floor ? 0 : exec_floor(e, 0); /* a run that was only to be ended */
}

/* ---- the whole run ---- */

static const char *exec_status(const struct exec *e, int rc)
{
	if (rc)
		return "failed";
	if (e->result->is_noisy)
		return "noisy";
	return e->result->is_interrupted ? "interrupted" : "done";
}

/* Adds to the host's state of now what of it speaks against the run, and tells it. */
static int exec_env_changes(struct exec *e, json_t *after)
{
	struct nslab_run_record run;
	double harness_ns;
	char status[16];
	int rc = nslab_store_run(e->store, &run, status, &harness_ns, e->err);
	json_t *env = rc || !run.env_json ? NULL : json_loads(run.env_json, 0, NULL);
	json_t *changes, *change;
	size_t i;

	changes = nslab_host_changes_json(json_object_get(json_object_get(env, "before"), "probes"),
					  json_object_get(after, "probes"));
	json_decref(env);
	json_array_foreach(changes, i, change)
	{
		const char *probe = json_string_value(json_object_get(change, "probe"));

		if (nslab_gate_is_ignored(e->options->ignored, probe))
			json_array_remove(changes, i--);
		else
			nslab_progress_say(&e->progress, "warning: during the run: %s: %s", probe,
					   json_string_value(json_object_get(change, "why")));
	}
	json_object_set_new(after, "changes", changes);
	return rc;
}

/* The host once more: what changed during the run can be seen from the file. */
static int exec_env_after(struct exec *e)
{
	json_t *env = nslab_provenance_snapshot(e->options->sysroot);
	int rc = env ? exec_env_changes(e, env) : -ENOMEM;
	char *text = env ? json_dumps(env, JSON_COMPACT) : NULL;

	if (!rc)
		rc = text ? nslab_store_env_after(e->store, text, e->err)
			  : nslab_fail(e->err, -ENOMEM, "cannot keep the host's settings");
	free(text);
	json_decref(env);
	return rc;
}

static int exec_finish(struct exec *e, int rc)
{
	char ended[32];
	double floor_ns = e->nr_floor ? nslab_median(e->floor_ns, (size_t)e->nr_floor) : NAN;
	int finish_rc;

	nslab_provenance_now(ended);
	if (!rc)
		rc = exec_env_after(e);
	finish_rc = nslab_store_finish(e->store, exec_status(e, rc), floor_ns, ended,
				       rc ? NULL : e->err);
	return rc ? rc : finish_rc;
}

static void exec_free(struct exec *e)
{
	for (size_t f = 0; e->cells && f < e->plan->nr_families; f++) {
		for (size_t a = 0; e->cells[f] && a < e->plan->families[f].nr_arms; a++)
			free(e->cells[f][a].slots);
		free(e->cells[f]);
	}
	free(e->cells);
	free(e->order);
	free(e->floor_ns);
	nslab_store_close(e->store);
	if (e->lock_fd >= 0)
		close(e->lock_fd);
}

/* A run of its own, or the one to go on with, up to where trials can start. */
static int exec_open(struct exec *e)
{
	bool is_resumed = e->options->resume;
	int rc;

	if (is_resumed)
		snprintf(e->result->folder, sizeof(e->result->folder), "%s", e->options->resume);
	else if ((rc = exec_make_folder(e)))
		return rc;
	rc = exec_lock_folder(e);
	if (!rc)
		rc = is_resumed
			     ? exec_reopen(e)
			     : nslab_record_run(e->options, e->result->folder, &e->store, e->err);
	if (!rc)
		rc = exec_alloc_cells(e);
	if (rc)
		return rc;
	rc = is_resumed ? exec_find_cells(e) : -ENOENT;
	if (rc == -ENOENT) /* a new run, or one that was killed before it had cells */
		return exec_add_cells(e);
	return rc ? rc : exec_take_trials(e);
}

/* Without memory for it a run has no time left to show, and goes on. */
static void exec_progress(struct exec *e)
{
	const struct nslab_plan *plan = e->plan;

	nslab_progress_start(&e->progress, e->options->talk, &nslab_real_clock,
			     exec_number(e, plan->nr_families, 0), (size_t)plan->nr_blocks);
	if (plan->budget_ns > e->trials_ns)
		e->progress.limit_ns = plan->budget_ns - e->trials_ns;
	for (size_t f = 0; f < plan->nr_families; f++) {
		for (size_t a = 0; a < plan->families[f].nr_arms; a++) {
			if (plan->families[f].arms[a].skipped)
				nslab_progress_drop(&e->progress, exec_number(e, f, a));
		}
	}
}

int nslab_exec_run(const struct nslab_exec_options *options, struct nslab_exec_result *result,
		   struct nslab_err *err)
{
	struct exec e = {
		.options = options,
		.plan = options->plan,
		.result = result,
		.lock_fd = -1,
		.err = err,
	};
	int rc;

	*result = (struct nslab_exec_result){.nr_planned = nslab_plan_nr_trials(options->plan)};
	rc = exec_open(&e);
	if (rc)
		goto out_free;
	exec_progress(&e);
	rc = exec_finish(&e, exec_blocks(&e));
	nslab_progress_end(&e.progress);
out_free:
	exec_free(&e);
	return rc;
}
