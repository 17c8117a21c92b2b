/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verify_design.c: holds seeds and places of trials against the plan's seed.
 *
 * plan.json names families and arms in the order that seeds are mixed from, so every trial's seed
 * and its place in its block can be had again without the program that ran it. Places are those of
 * the arms that ran: one that is skipped, or was given up after its faults, leaves none free; so of
 * each block the arms that are there must stand in the order of the shuffle, from 0 up. That a
 * block lacks arms at its end is no difference: a run may be killed.
 *
 * A run without families in its plan (an import) has no design, and nothing is counted as checked.
 */
#include "results/design.h"
#include "results/store_impl.h"
#include "results/verify_impl.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Where the plan has a cell. */
struct design_place {
	const char *key;
	size_t family, arm, nr_arms;
};

/* A trial that ran, with where its cell stands in the plan. */
struct design_trial {
	const struct design_place *place;
	int block, attempt, position;
};

struct design {
	struct verify *v;
	uint64_t seed;
	size_t nr_families, nr_places, most_arms;
	struct design_place *places; /* sorted by key */
	size_t *order;		     /* [most_arms] */
	/* of the block, family and attempt at hand, by position */
	struct design_trial *trials; /* [most_arms] */
	size_t nr_trials;
};

static int place_compare(const void *a, const void *b)
{
	const struct design_place *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static size_t design_count(const json_t *families)
{
	size_t nr = 0;

	for (size_t f = 0; f < json_array_size(families); f++)
		nr += json_array_size(json_object_get(json_array_get(families, f), "arms"));
	return nr;
}

static void design_fill(struct design *d, const json_t *families)
{
	d->nr_families = json_array_size(families);
	for (size_t f = 0; f < d->nr_families; f++) {
		const json_t *arms = json_object_get(json_array_get(families, f), "arms");
		size_t nr_arms = json_array_size(arms);

		if (nr_arms > d->most_arms)
			d->most_arms = nr_arms;
		for (size_t a = 0; a < nr_arms; a++) {
			const char *key =
				json_string_value(json_object_get(json_array_get(arms, a), "key"));

			d->places[d->nr_places++] =
				(struct design_place){key ? key : "", f, a, nr_arms};
		}
	}
	qsort(d->places, d->nr_places, sizeof(*d->places), place_compare);
}

static int design_open(struct design *d, const json_t *plan)
{
	const json_t *families = json_object_get(plan, "families");

	d->seed = (uint64_t)json_integer_value(json_object_get(plan, "seed"));
	d->places = calloc(design_count(families) + 1, sizeof(*d->places));
	if (!d->places)
		return nslab_fail(d->v->err, -ENOMEM, "out of memory");
	design_fill(d, families);
	d->order = calloc(d->most_arms + 1, sizeof(*d->order));
	d->trials = calloc(d->most_arms + 1, sizeof(*d->trials));
	if (!d->order || !d->trials)
		return nslab_fail(d->v->err, -ENOMEM, "out of memory");
	return 0;
}

static void design_close(struct design *d)
{
	free(d->places);
	free(d->order);
	free(d->trials);
}

/* ---- places ---- */

/* The trials at hand must be the shuffled arms, those that are not there left out. */
static void design_check_order(struct design *d)
{
	const struct design_trial *first = d->trials;
	size_t nr_arms = d->nr_trials ? first->place->nr_arms : 0;
	int at = 0;

	if (nr_arms)
		nslab_design_order(d->seed, first->block, first->attempt, first->place->family,
				   d->nr_families, d->order, nr_arms);
	for (size_t i = 0; i < nr_arms; i++) {
		const struct design_trial *trial = NULL;

		for (size_t k = 0; k < d->nr_trials && !trial; k++) {
			if (d->trials[k].place->arm == d->order[i])
				trial = &d->trials[k];
		}
		if (trial && trial->position != at)
			verify_differ(
				d->v,
				"%s block %d attempt %d: it ran as number %d of its block, the "
				"plan's seed makes it number %d",
				trial->place->key, trial->block, trial->attempt, trial->position,
				at);
		at += trial != NULL;
	}
	d->nr_trials = 0;
}

static void design_add(struct design *d, const struct design_trial *trial)
{
	const struct design_trial *first = d->trials;

	if (d->nr_trials && (first->block != trial->block || first->attempt != trial->attempt ||
			     first->place->family != trial->place->family))
		design_check_order(d);
	if (d->nr_trials < d->most_arms) /* more are there twice, which was told */
		d->trials[d->nr_trials++] = *trial;
}

/* ---- trials ---- */

static void design_trial(struct design *d, sqlite3_stmt *row)
{
	const char *key = (const char *)sqlite3_column_text(row, 0);
	const char *text = (const char *)sqlite3_column_text(row, 4);
	const struct design_place wanted = {.key = key ? key : ""};
	struct design_trial trial = {
		.block = sqlite3_column_int(row, 1),
		.attempt = sqlite3_column_int(row, 2),
		.position = sqlite3_column_int(row, 3),
	};
	uint64_t seed = text ? strtoull(text, NULL, 10) : 0, want;

	trial.place = bsearch(&wanted, d->places, d->nr_places, sizeof(*d->places), place_compare);
	if (!trial.place) {
		verify_differ(d->v, "%s: it has trials and is not in the plan", wanted.key);
		return;
	}
	want = nslab_design_seed(d->seed, trial.block, trial.place->family, trial.place->arm,
				 trial.attempt);
	if (seed != want)
		verify_differ(d->v,
			      "%s block %d attempt %d: seed %llu is stored, the plan's seed gives "
			      "%llu",
			      wanted.key, trial.block, trial.attempt, (unsigned long long)seed,
			      (unsigned long long)want);
	d->v->result->nr_designed++;
	design_add(d, &trial);
}

static int design_trials(struct design *d)
{
	struct nslab_store *store = d->v->file->store;
	sqlite3_stmt *row;
	int rc = nslab_store_prepare(store,
				     "SELECT key, block, attempt, position, seed FROM trial JOIN"
				     " cell ON cell.id = trial.cell"
				     " ORDER BY block, family, attempt, position, trial.id",
				     &row, d->v->err);

	if (rc)
		return rc;
	while ((rc = nslab_store_step(store, row, d->v->err)) > 0)
		design_trial(d, row);
	design_check_order(d);
	sqlite3_finalize(row);
	return rc;
}

int verify_design(struct verify *v)
{
	const struct nslab_run_record *run = &v->file->run;
	json_t *plan = run->plan_json ? json_loads(run->plan_json, 0, NULL) : NULL;
	struct design d = {.v = v};
	int rc = 0;

	if (json_array_size(json_object_get(plan, "families"))) {
		rc = design_open(&d, plan);
		if (!rc && d.seed != run->seed)
			verify_differ(v, "the run's seed is %llu, its plan's is %llu",
				      (unsigned long long)run->seed, (unsigned long long)d.seed);
		if (!rc)
			rc = design_trials(&d);
	}
	design_close(&d);
	json_decref(plan);
	return rc;
}
