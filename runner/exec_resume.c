/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec_resume.c: goes on with a run that was killed or ended early.
 *
 * Half a run on one kernel and half on another would be compared as if nothing had changed, so
 * host, kernel, topology, program and the expanded plan must be what they were, and the first thing
 * that is not is the error. Finished trials are taken as they are; nothing of them is run again. A
 * run that was killed before its cells were stored has no trial either, and starts with them.
 *
 * Left out: a run that was killed before its file existed; there is nothing to go on with.
 */
#include "runner/exec_impl.h"

#include "runner/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_BYTES 60 /* of a value that differs */

/* The place where two documents differ first, and both values as text. */
struct difference {
	char path[256];
	char was[SHOWN_BYTES + 1], is[SHOWN_BYTES + 1];
};

static void show(const json_t *value, char text[SHOWN_BYTES + 1])
{
	char *dump = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	snprintf(text, SHOWN_BYTES + 1, "%s", dump ? dump : "absent");
	free(dump);
}

static void find_difference(const json_t *was, const json_t *is, struct difference *d);

/* True when the member differs; its name then ends the path. */
static bool in_member(const json_t *was, const json_t *is, struct difference *d, const char *name)
{
	size_t len = strlen(d->path);

	if (json_equal(was, is))
		return false;
	snprintf(d->path + len, sizeof(d->path) - len, "%s%s", len ? "." : "", name);
	find_difference(was, is, d);
	return true;
}

static void find_difference(const json_t *was, const json_t *is, struct difference *d)
{
	const char *key;
	json_t *value;
	char number[24];
	size_t i;

	if (json_is_object(was) && json_is_object(is)) {
		json_object_foreach((json_t *)(uintptr_t)was, key, value)
		{
			if (in_member(value, json_object_get(is, key), d, key))
				return;
		}
	}
	if (json_is_array(was) && json_array_size(was) == json_array_size(is)) {
		json_array_foreach(was, i, value)
		{
			snprintf(number, sizeof(number), "%zu", i);
			if (in_member(value, json_array_get(is, i), d, number))
				return;
		}
	}
	show(was, d->was);
	show(is, d->is);
}

/* 0, or the error: "cannot go on with 'X': WHAT was A and is B". */
static int check_text(const struct exec *e, const char *what, const char *was, const char *is)
{
	if (was && is && !strcmp(was, is))
		return 0;
	return nslab_fail(e->err, -EINVAL, "cannot go on with '%s': %s was '%.*s' and is '%.*s'",
			  e->options->resume, what, SHOWN_BYTES, was ? was : "unknown", SHOWN_BYTES,
			  is ? is : "unknown");
}

static int check_json(const struct exec *e, const char *what, const char *was, const char *is)
{
	struct difference d = {.path = ""};
	json_t *a = was ? json_loads(was, 0, NULL) : NULL;
	json_t *b = is ? json_loads(is, 0, NULL) : NULL;
	int rc = 0;

	/* what was measured of the machine (measure=yes) is never twice the same */
	json_object_del(a, "measured");
	json_object_del(b, "measured");
	if (!a || !b || !json_equal(a, b)) {
		find_difference(a, b, &d);
		rc = nslab_fail(e->err, -EINVAL,
				"cannot go on with '%s': %s differs: %s%swas %s and is %s",
				e->options->resume, what, d.path, *d.path ? " " : "", d.was, d.is);
	}
	json_decref(a);
	json_decref(b);
	return rc;
}

static int check_same(const struct exec *e, const struct nslab_run_record *was,
		      const struct nslab_run_record *is)
{
	int rc = check_text(e, "the host", was->host_name, is->host_name);

	if (!rc)
		rc = check_text(e, "the CPU", was->cpu_model, is->cpu_model);
	if (!rc)
		rc = check_text(e, "the kernel", was->kernel, is->kernel);
	if (!rc)
		rc = check_json(e, "the topology", was->topology_json, is->topology_json);
	if (!rc)
		rc = check_json(e, "the program", was->build_json, is->build_json);
	if (!rc)
		rc = check_json(e, "the plan", was->plan_json, is->plan_json);
	return rc;
}

int exec_reopen(struct exec *e)
{
	struct nslab_run_record was;
	struct nslab_record_texts *texts;
	char path[4200], status[16];
	double harness_ns;
	int rc = nslab_run_path(e->options->resume, path, sizeof(path), e->err);

	if (!rc)
		rc = nslab_store_reopen(path, &e->store, e->err);
	if (!rc)
		rc = nslab_store_run(e->store, &was, status, &harness_ns, e->err);
	if (rc)
		return rc;
	texts = nslab_record_texts_create(e->options);
	if (!texts)
		return -ENOMEM;
	rc = check_same(e, &was, nslab_record_texts_run(texts));
	if (!rc)
		rc = nslab_record_write_plan(texts, e->result->folder, e->err);
	nslab_record_texts_free(texts);
	return rc ? rc : nslab_store_go_on(e->store, e->err);
}

static const struct nslab_cell_values *find_cell(const struct nslab_cell_list *list,
						 const char *key, size_t at)
{
	if (at < list->nr && !strcmp(list->cells[at].cell.key, key))
		return &list->cells[at];
	return NULL;
}

int exec_find_cells(struct exec *e)
{
	struct nslab_cell_list *list;
	size_t at = 0;
	int rc = nslab_store_cells(e->store, &list, e->err);

	if (rc)
		return rc;
	if (!list->nr)
		rc = -ENOENT;
	for (size_t f = 0; !rc && f < e->plan->nr_families; f++) {
		const struct nslab_family *family = &e->plan->families[f];

		for (size_t a = 0; !rc && a < family->nr_arms; a++) {
			const struct nslab_cell_values *found =
				find_cell(list, family->arms[a].key, at++);

			if (found)
				e->cells[f][a].id = found->id;
			else
				rc = nslab_fail(e->err, -EINVAL,
						"cannot go on with '%s': it has no cell '%s'",
						e->options->resume, family->arms[a].key);
		}
	}
	nslab_cell_list_free(list);
	return rc;
}

struct take {
	struct exec *e;
	size_t f; /* family of the trial before: the next one is near */
};

static struct exec_cell *take_cell(struct take *take, int64_t id)
{
	const struct nslab_plan *plan = take->e->plan;

	for (size_t f = 0; f < plan->nr_families; f++) {
		size_t at = (take->f + f) % plan->nr_families;

		for (size_t a = 0; a < plan->families[at].nr_arms; a++) {
			if (take->e->cells[at][a].id == id) {
				take->f = at;
				return &take->e->cells[at][a];
			}
		}
	}
	return NULL;
}

static int take_trial(void *context, const struct nslab_finished_trial *trial)
{
	struct take *take = context;
	struct exec_cell *cell = take_cell(take, trial->cell);
	const struct exec_slot *before;

	if (!cell || trial->block < 0 || trial->block >= take->e->plan->nr_blocks)
		return nslab_fail(take->e->err, -EINVAL,
				  "cannot go on with '%s': it holds a trial that is not the plan's",
				  take->e->options->resume);
	before = exec_slot(cell, trial->block);
	if (before && before->attempt >= trial->attempt)
		return nslab_fail(take->e->err, -EINVAL,
				  "cannot go on with '%s': it holds a trial twice",
				  take->e->options->resume);
	return exec_take_trial(take->e, cell, trial);
}

/* The attempts beyond the first of a block are those of the arm that has most. */
static size_t count_reruns(const struct exec *e, size_t f)
{
	size_t nr = 0;

	for (int block = 0; block < e->plan->nr_blocks; block++) {
		int most = 0;

		for (size_t a = 0; a < e->plan->families[f].nr_arms; a++) {
			const struct exec_slot *slot = exec_slot(&e->cells[f][a], block);

			if (slot && slot->attempt > most)
				most = slot->attempt;
		}
		nr += (size_t)most;
	}
	return nr;
}

int exec_take_trials(struct exec *e)
{
	struct take take = {.e = e};
	int rc = nslab_store_each_trial(e->store, take_trial, &take, e->err);

	for (size_t f = 0; !rc && f < e->plan->nr_families; f++)
		e->result->nr_reruns += count_reruns(e, f);
	return rc;
}
