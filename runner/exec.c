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
 * does not count; the run goes on. After GIVE_UP failures a cell is not tried again, so that one
 * hanging plug-in costs minutes at most. Trials are stored as they finish: a killed run keeps all
 * of them.
 *
 * Left out: re-queuing of blocks that a noisy host spoiled.
 */
#define _GNU_SOURCE
#include "runner/exec.h"

#include "core/rng.h"
#include "results/store.h"
#include "runner/counters/derive.h"
#include "runner/launch.h"
#include "runner/measure.h"
#include "runner/progress.h"
#include "runner/provenance.h"
#include "runner/record.h"
#include "runner/slabinfo.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GIVE_UP	      2
#define FLOOR_WINDOWS 10
#define FLOOR_SIZE    "64"

struct cell {
	int64_t id;
	int nr_failed;
	double first_ns_per_op;
};

struct exec {
	const struct nslab_exec_options *options;
	const struct nslab_plan *plan;
	struct nslab_exec_result *result;
	struct nslab_store *store;
	struct nslab_progress progress;
	struct cell **cells; /* [family][arm] */
	size_t *order;	     /* of the arms of the family at hand */
	double *floor_ns;    /* [block] empty loop, ns per operation */
	int nr_floor;
	struct nslab_err *err;
};

/* ---- where the run goes ---- */

static void exec_parent_folder(char *path, size_t bytes)
{
	const char *runs = getenv("NUMASLAB_RUNS");

	if (runs && *runs)
		snprintf(path, bytes, "%s", runs);
	else
		snprintf(path, bytes, "%s",
			 access("results/store.h", F_OK) ? "numaslab-runs" : "results/runs");
}

static int make_folders(const char *path, struct nslab_err *err)
{
	char partial[4096];

	snprintf(partial, sizeof(partial), "%s", path);
	for (char *slash = partial + 1; *slash; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		if (mkdir(partial, 0777) && errno != EEXIST)
			break;
		*slash = '/';
	}
	if (mkdir(path, 0777) && errno != EEXIST)
		return nslab_fail(err, -errno, "cannot make folder '%s': %s", path,
				  strerror(errno));
	return 0;
}

static int exec_folder(struct exec *e)
{
	char parent[2048], stamp[32], database[4200];
	time_t now = time(NULL);
	struct tm tm;
	char *folder = e->result->folder;
	int rc = 0;

	if (e->options->output) {
		snprintf(folder, sizeof(e->result->folder), "%s", e->options->output);
	} else {
		exec_parent_folder(parent, sizeof(parent));
		gmtime_r(&now, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
		for (int k = 1; k < 100; k++) {
			snprintf(folder, sizeof(e->result->folder), "%s/%s-%s%s%.0d", parent, stamp,
				 e->plan->name, k > 1 ? "-" : "", k > 1 ? k : 0);
			if (access(folder, F_OK))
				break;
		}
	}
	snprintf(database, sizeof(database), "%s/run.db", folder);
	if (!access(database, F_OK))
		return nslab_fail(e->err, -EEXIST,
				  "'%s' holds a run already; choose another --output", folder);
	rc = make_folders(folder, e->err);
	return rc;
}

/* ---- cells ---- */

static int exec_add_cell(struct exec *e, const struct nslab_family *family,
			 const struct nslab_arm *arm, struct cell *cell)
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

static int exec_cells(struct exec *e)
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
		for (size_t a = 0; a < family->nr_arms; a++) {
			int rc = exec_add_cell(e, family, &family->arms[a], &e->cells[f][a]);

			if (rc)
				return rc;
		}
	}
	e->order = calloc(most_arms, sizeof(*e->order));
	e->floor_ns = calloc((size_t)e->plan->nr_blocks + 1, sizeof(*e->floor_ns));
	return e->order && e->floor_ns ? nslab_store_flush(e->store, e->err) : -ENOMEM;
}

/* ---- one trial ---- */

static enum nslab_statistic exec_statistic(const char *word)
{
	enum nslab_statistic statistic;

	return nslab_statistic_parse(word, &statistic) ? NSLAB_STATISTIC_MEDIAN : statistic;
}

/* 0 or the store's error; a trial that failed is stored too. */
static int exec_store_trial(struct exec *e, const struct nslab_family *family, struct cell *cell,
			    struct nslab_trial_record *record, struct nslab_launch_result *launched)
{
	struct nslab_trial_buffers buffers = {0};
	int rc = nslab_record_fill(launched, exec_statistic(family->statistic), record, &buffers);

	if (!rc)
		rc = nslab_store_add_trial(e->store, record, e->err);
	if (!record->is_valid) {
		cell->nr_failed++;
		e->result->nr_failed++;
	} else if (record->block == 0) {
		cell->first_ns_per_op = record->ns_per_op;
	}
	nslab_record_free(&buffers);
	return rc;
}

/* One block is enough for the tables: they show a state, and it is alike in all of them. */
static bool exec_wants_slabinfo(const struct exec *e, int block, const struct nslab_arm *arm)
{
	return e->options->has_slabinfo && !block && !arm->is_twin;
}

static int exec_trial(struct exec *e, int block, size_t f, size_t a, int position)
{
	const struct nslab_family *family = &e->plan->families[f];
	const struct nslab_arm *arm = &family->arms[a];
	uint64_t seed = nslab_plan_trial_seed(e->plan, block, f, a);
	struct nslab_launch_result launched;
	struct nslab_launch launch = {
		.preload = arm->library,
		.seed = seed,
		.time_limit_ns = e->plan->time_limit_ns,
	};
	struct nslab_trial_record record = {
		.cell = e->cells[f][a].id,
		.block = block,
		.position = position,
		.seed = seed,
	};
	bool has_tables = exec_wants_slabinfo(e, block, arm);
	json_t *spec = nslab_record_spec(e->plan, family, arm, seed, e->options->plugins);
	int rc;

	if (has_tables && spec)
		json_object_set_new(spec, "slabinfo", json_true());
	launch.spec = spec;
	rc = spec ? nslab_launch_trial(&launch, &launched) : -ENOMEM;
	if (!rc)
		nslab_derive_trial(e->plan, &launch, !block && !arm->is_twin, launched.document);
	json_decref(spec);
	if (rc)
		return nslab_fail(e->err, rc, "cannot start a trial: %s", strerror(-rc));
	rc = exec_store_trial(e, family, &e->cells[f][a], &record, &launched);
	if (!rc && has_tables)
		rc = nslab_slabinfo_append(e->result->folder, arm->key, launched.document,
					   launched.cause, e->err);
	if (launched.cause[0])
		nslab_progress_say(&e->progress, "%s %s: %s", family->key, arm->label,
				   launched.cause);
	json_decref(launched.document);
	e->result->nr_trials++;
	return rc;
}

/* The same loop with no allocator at all. A failure here is told once and is not fatal. */
static int exec_floor(struct exec *e, int block)
{
	uint64_t seed = nslab_rng_mix(e->plan->seed, (uint64_t)block + UINT64_C(0x10000));
	struct nslab_launch_result launched;
	struct nslab_launch launch = {
		.spec = nslab_record_floor_spec(e->plan, FLOOR_SIZE, FLOOR_WINDOWS, seed),
		.seed = seed,
		.time_limit_ns = e->plan->time_limit_ns,
	};
	struct nslab_trial_record record = {.block = block};
	struct nslab_trial_buffers buffers = {0};
	int rc = launch.spec ? nslab_launch_trial(&launch, &launched) : -ENOMEM;

	json_decref((json_t *)(uintptr_t)launch.spec);
	if (rc)
		return nslab_fail(e->err, rc, "cannot start a trial: %s", strerror(-rc));
	rc = nslab_record_fill(&launched, NSLAB_STATISTIC_Q25, &record, &buffers);
	if (!rc && record.is_valid)
		e->floor_ns[e->nr_floor++] = record.ns_per_op;
	else if (!block)
		nslab_progress_say(&e->progress, "empty loop: %s", launched.cause);
	nslab_record_free(&buffers);
	json_decref(launched.document);
	return rc;
}

/* ---- blocks ---- */

static bool exec_is_interrupted(const struct exec *e)
{
	return e->options->is_interrupted && *e->options->is_interrupted;
}

static void shuffle(size_t *order, size_t n, uint64_t seed)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t j = nslab_rng_below(&seed, (uint32_t)i);
		size_t swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
}

/* What the first block saw, so that a user has figures within seconds. */
static void exec_first_look(struct exec *e, size_t f)
{
	const struct nslab_family *family = &e->plan->families[f];
	char line[512];
	int len = snprintf(line, sizeof(line), "%s (n = 1, ns/op):", family->key);

	for (size_t a = 0; a < family->nr_arms && len < (int)sizeof(line); a++) {
		if (!family->arms[a].skipped && !family->arms[a].is_twin &&
		    !e->cells[f][a].nr_failed)
			len += snprintf(line + len, sizeof(line) - (size_t)len, " %s %.2f",
					family->arms[a].label, e->cells[f][a].first_ns_per_op);
	}
	nslab_progress_say(&e->progress, "%s", line);
}

static int exec_family(struct exec *e, int block, size_t f)
{
	const struct nslab_family *family = &e->plan->families[f];
	int position = 0;

	shuffle(e->order, family->nr_arms,
		nslab_rng_mix(e->plan->seed, (uint64_t)block * e->plan->nr_families + f));
	for (size_t i = 0; i < family->nr_arms; i++) {
		size_t a = e->order[i];
		int rc = 0;

		if (family->arms[a].skipped)
			continue;
		if (exec_is_interrupted(e))
			return -ECANCELED;
		if (e->cells[f][a].nr_failed < GIVE_UP)
			rc = exec_trial(e, block, f, a, position++);
		if (rc)
			return rc;
		nslab_progress_step(&e->progress, family->arms[a].key);
	}
	if (!block)
		exec_first_look(e, f);
	return 0;
}

static int exec_blocks(struct exec *e)
{
	for (int block = 0; block < e->plan->nr_blocks; block++) {
		int rc = exec_floor(e, block);

		for (size_t f = 0; !rc && f < e->plan->nr_families; f++)
			rc = exec_family(e, block, f);
		if (rc == -ECANCELED) {
			e->result->is_interrupted = true;
			return 0;
		}
		if (rc)
			return rc;
	}
	return 0;
}

/* The host once more: what changed during the run can be seen from the file. */
static int exec_env_after(struct exec *e)
{
	json_t *env = nslab_provenance_snapshot(NULL);
	char *text = env ? json_dumps(env, JSON_COMPACT) : NULL;
	int rc = text ? nslab_store_env_after(e->store, text, e->err)
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
	finish_rc = nslab_store_finish(e->store,
				       rc			   ? "failed"
				       : e->result->is_interrupted ? "interrupted"
								   : "done",
				       floor_ns, ended, rc ? NULL : e->err);
	return rc ? rc : finish_rc;
}

static void exec_free(struct exec *e)
{
	for (size_t f = 0; e->cells && f < e->plan->nr_families; f++)
		free(e->cells[f]);
	free(e->cells);
	free(e->order);
	free(e->floor_ns);
	nslab_store_close(e->store);
}

int nslab_exec_run(const struct nslab_exec_options *options, struct nslab_exec_result *result,
		   struct nslab_err *err)
{
	struct exec e = {.options = options, .plan = options->plan, .result = result, .err = err};
	int rc;

	*result = (struct nslab_exec_result){.nr_planned = nslab_plan_nr_trials(options->plan)};
	rc = exec_folder(&e);
	if (!rc)
		rc = nslab_record_run(options, result->folder, &e.store, err);
	if (!rc)
		rc = exec_cells(&e);
	if (rc)
		goto out_free;
	nslab_progress_start(&e.progress, options->talk, result->nr_planned);
	rc = exec_finish(&e, exec_blocks(&e));
	nslab_progress_end(&e.progress);
out_free:
	exec_free(&e);
	return rc;
}
