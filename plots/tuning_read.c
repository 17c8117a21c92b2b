/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tuning_read.c: advice.json as numbers.
 *
 * The file may have been changed by hand, so everything is looked at before it is used: what must
 * be there (caches, candidates, what is now and what is advised) fails with the place that lacks
 * it, and a figure that is missing or null is NaN. Texts stay in the JSON, which the result keeps.
 *
 * In an advice that is measured a change that was not confirmed gains nothing, as in the tuner's
 * own choices.
 *
 * Invariant: now and advised are indexes of candidates that are there. Left out: settings other
 * than orders, which no plot has an axis for.
 */
#include "plots/tuning.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double tuning_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* 0..65535, or -1 */
static int tuning_int(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;

	return number >= 0 && number < 65536 ? (int)number : -1;
}

static const char *tuning_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* The hold-out's figures, else the race's. */
static void tuning_time(const json_t *cost, struct nslab_tuning_candidate *candidate)
{
	const json_t *change = json_object_get(cost, "holdout");

	if (isnan(tuning_number(change, "estimate")))
		change = json_object_get(cost, "race");
	candidate->time = expm1(tuning_number(change, "estimate"));
	candidate->time_lo = expm1(tuning_number(change, "lo"));
	candidate->time_hi = expm1(tuning_number(change, "hi"));
}

static bool tuning_is_open(const json_t *candidate)
{
	const char *fate = tuning_text(candidate, "fate");

	return !strcmp(fate, "kept") || !strcmp(fate, "confirmed");
}

static void tuning_candidate(const struct nslab_tuning *tuning,
			     const struct nslab_tuning_cache *cache, const json_t *json,
			     struct nslab_tuning_candidate *candidate)
{
	const json_t *setting = json_object_get(json, "setting");
	const json_t *cost = json_object_get(json, "cost");

	candidate->order = tuning_int(setting, "order");
	candidate->is_plain = tuning_int(setting, "cpu_partial") < 0 &&
			      tuning_int(setting, "min_partial") < 0 &&
			      tuning_int(setting, "sheaf_capacity") < 0;
	candidate->loss = tuning_number(json, "loss");
	candidate->is_refused = tuning->is_measured && !tuning_is_open(json);
	if (candidate->is_refused && candidate->loss < 0)
		candidate->loss = 0;
	candidate->memory_bytes = cache->memory_bytes +
				  tuning_number(json_object_get(json, "change"), "memory_bytes");
	candidate->locks = tuning_number(cost, "locks_per_kop");
	candidate->worst_locks = tuning_number(cost, "worst_locks_per_kop");
	tuning_time(cost, candidate);
}

static int tuning_cache(const struct nslab_tuning *tuning, const json_t *json,
			struct nslab_tuning_cache *cache)
{
	const json_t *list = json_object_get(json, "candidates");
	int now = tuning_int(json, "now"), advised = tuning_int(json, "advised");
	size_t nr = json_array_size(list);

	if (now < 0 || advised < 0 || (size_t)now >= nr || (size_t)advised >= nr)
		return -EINVAL;
	cache->name = tuning_text(json, "cache");
	cache->memory_bytes = tuning_number(json, "memory_bytes");
	cache->now = (size_t)now;
	cache->advised = (size_t)advised;
	cache->order_booted = tuning_int(json, "order_booted");
	cache->candidates = calloc(nr, sizeof(*cache->candidates));
	if (!cache->candidates)
		return -ENOMEM;
	cache->nr_candidates = nr;
	for (size_t i = 0; i < nr; i++)
		tuning_candidate(tuning, cache, json_array_get(list, i), &cache->candidates[i]);
	return 0;
}

static void tuning_machine(struct nslab_tuning *tuning)
{
	const json_t *machine = json_object_get(tuning->json, "machine");
	int nr_cpus = tuning_int(machine, "cpus"), nr_nodes = tuning_int(machine, "nodes");

	snprintf(tuning->machine, sizeof(tuning->machine),
		 "%.120s; %d CPU%s, %d node%s; Linux %.60s, rules of %.8s",
		 tuning_text(machine, "source"), nr_cpus, nr_cpus == 1 ? "" : "s", nr_nodes,
		 nr_nodes == 1 ? "" : "s",
		 *tuning_text(machine, "release") ? tuning_text(machine, "release")
						  : "of a release that is not known",
		 tuning_text(machine, "rules"));
}

static int tuning_caches(const char *path, struct nslab_tuning *tuning, struct nslab_err *err)
{
	const json_t *list = json_object_get(tuning->json, "caches");
	size_t nr = json_array_size(list);

	if (!nr)
		return nslab_fail(err, -EINVAL, "'%s' is no advice: it has no list 'caches'", path);
	tuning->caches = calloc(nr, sizeof(*tuning->caches));
	for (size_t i = 0; i < nr && tuning->caches; i++) {
		int rc = tuning_cache(tuning, json_array_get(list, i), &tuning->caches[i]);

		tuning->nr_caches++;
		if (rc == -EINVAL)
			return nslab_fail(
				err, rc,
				"'%s': cache %zu lacks candidates, or 'now' and 'advised' "
				"that are among them",
				path, i + 1);
		if (rc)
			return nslab_fail(err, rc, "cannot read '%s': out of memory", path);
	}
	return tuning->caches ? 0
			      : nslab_fail(err, -ENOMEM, "cannot read '%s': out of memory", path);
}

int nslab_tuning_read(const char *path, struct nslab_tuning *tuning, struct nslab_err *err)
{
	const json_t *booted;
	json_error_t error;

	memset(tuning, 0, sizeof(*tuning));
	tuning->json = json_load_file(path, 0, &error);
	if (!tuning->json)
		return nslab_fail(err,
				  json_error_code(&error) == json_error_cannot_open_file ? -ENOENT
											 : -EINVAL,
				  "cannot read '%s' as JSON: %.120s", path, error.text);
	booted = json_object_get(tuning->json, "booted");
	tuning->objective = tuning_text(tuning->json, "objective");
	tuning->boot_line = tuning_text(booted, "line");
	tuning->is_booted = tuning_int(booted, "nr_changed") > 0;
	tuning->is_measured = json_is_true(json_object_get(tuning->json, "is_measured"));
	tuning_machine(tuning);
	return tuning_caches(path, tuning, err);
}

void nslab_tuning_free(struct nslab_tuning *tuning)
{
	for (size_t i = 0; i < tuning->nr_caches; i++)
		free(tuning->caches[i].candidates);
	free(tuning->caches);
	json_decref(tuning->json);
	memset(tuning, 0, sizeof(*tuning));
}

const struct nslab_tuning_candidate *nslab_tuning_order(const struct nslab_tuning_cache *cache,
							int order)
{
	const struct nslab_tuning_candidate *now = &cache->candidates[cache->now];

	if (now->order == order)
		return now;
	for (size_t i = 0; i < cache->nr_candidates; i++) {
		const struct nslab_tuning_candidate *candidate = &cache->candidates[i];

		if (candidate->is_plain && candidate->order == order)
			return candidate;
	}
	return NULL;
}
