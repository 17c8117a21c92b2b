/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * derive.c: evaluates the formulas of groups over one trial.
 *
 * An event's value is its sum over all workers and `ops` is what the counted windows did, as in the
 * store's own values per operation. Metrics are computed once, when the trial ends, from the same
 * document that is stored: a reader of the result needs no group file, and can check each one.
 *
 * Invariants: a metric is null as soon as one worker lacks one of its events, with that event's
 * reason; a division by zero is null too and says so. Left out: metrics of single workers, which
 * would need the operations of each to mean anything.
 */
#include "runner/counters/derive.h"

#include "runner/counters/choice_json.h"
#include "runner/counters/formula.h"
#include "runner/counters/simulated.h"

#include <numaslab/types.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

struct derive {
	struct nslab_formula_names names;
	const struct nslab_group *group;
	const json_t *workers;
	double ops;
	json_int_t enabled_ns, running_ns; /* of the event that ran for the least share */
	char reason[256];		   /* of the first event without a value */
};

static const json_t *derive_find(const json_t *worker, const char *name)
{
	const json_t *rows = json_object_get(worker, "counters");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *here = json_string_value(json_object_get(row, "name"));

		if (here && !strcmp(here, name))
			return row;
	}
	return NULL;
}

static void derive_note_share(struct derive *d, const json_t *row)
{
	json_int_t enabled_ns = json_integer_value(json_object_get(row, "enabled_ns"));
	json_int_t running_ns = json_integer_value(json_object_get(row, "running_ns"));

	if (!d->enabled_ns || (double)running_ns * (double)d->enabled_ns <
				      (double)d->running_ns * (double)enabled_ns) {
		d->enabled_ns = enabled_ns;
		d->running_ns = running_ns;
	}
}

static double derive_sum(struct derive *d, const char *alias, const char *name)
{
	double sum = json_array_size(d->workers) ? 0 : NAN;

	for (size_t w = 0; w < json_array_size(d->workers); w++) {
		const json_t *row = derive_find(json_array_get(d->workers, w), name);
		const json_t *value = json_object_get(row, "value");
		const char *reason = json_string_value(json_object_get(row, "reason"));

		if (!json_is_integer(value)) {
			if (!d->reason[0])
				snprintf(d->reason, sizeof(d->reason), "%s: %s", alias,
					 reason ? reason : "not counted");
			return NAN;
		}
		derive_note_share(d, row);
		sum += (double)json_integer_value(value);
	}
	return sum;
}

static bool derive_value(struct nslab_formula_names *names, const char *name, size_t len,
			 double *value)
{
	struct derive *d = nslab_container_of(names, struct derive, names);

	*value = d->ops;
	if (len == 3 && !strncmp(name, "ops", 3))
		return true;
	for (int i = 0; i < d->group->nr_events; i++) {
		const struct nslab_group_event *event = &d->group->events[i];

		if (strlen(event->alias) != len || strncmp(event->alias, name, len) != 0)
			continue;
		*value = derive_sum(d, event->alias, nslab_choice_event_name(d->group, event).text);
		return true;
	}
	return false;
}

static double derive_ops(const json_t *document)
{
	const json_t *windows = json_object_get(document, "windows");
	double ops = 0;

	for (size_t i = 0; i < json_array_size(windows); i++) {
		const json_t *row = json_array_get(windows, i);

		if (json_is_true(json_array_get(row, 5)))
			ops += (double)json_integer_value(json_array_get(row, 2));
	}
	return ops;
}

/* Makes room for a metric that several groups have: false when the row that is there stays. */
static bool derive_replaces(json_t *document, const char *name, double value)
{
	json_t *rows = json_object_get(document, "counters");

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (strcmp(json_string_value(json_object_get(row, "name")), name) != 0)
			continue;
		if (isnan(value) || !json_is_null(json_object_get(row, "value")))
			return false;
		json_array_remove(rows, i);
		return true;
	}
	return true;
}

static json_t *derive_row(json_t *document, const char *name, const char *source, double value,
			  const char *reason)
{
	json_t *rows = json_object_get(document, "counters");
	json_t *row = json_pack("{s:s, s:s, s:o, s:o}", "name", name, "source", source, "value",
				isnan(value) ? json_null() : json_real(value), "reason",
				isnan(value) ? json_string(reason) : json_null());

	if (!rows) {
		rows = json_array();
		json_object_set_new(document, "counters", rows);
	}
	json_array_append_new(rows, row);
	return row;
}

void nslab_derive_add(json_t *document, const char *name, const char *source, double value,
		      const char *reason)
{
	derive_row(document, name, source, value, reason);
}

static void derive_metric(struct derive *d, const struct nslab_group_metric *metric,
			  json_t *document)
{
	struct nslab_err err;
	double value;
	json_t *row;

	d->enabled_ns = d->running_ns = 0;
	d->reason[0] = '\0';
	if (nslab_formula_eval(metric->formula, &d->names, &value, &err))
		return; /* the group was checked when it was read */
	if (!derive_replaces(document, metric->name, value))
		return; /* one plan may name the groups of several machines */
	row = derive_row(document, metric->name, "formula", value,
			 d->reason[0] ? d->reason : "a division by zero");
	json_object_set_new(row, "enabled_ns", json_integer(d->enabled_ns));
	json_object_set_new(row, "running_ns", json_integer(d->running_ns));
}

void nslab_derive_metrics(const struct nslab_counter_choice *choice, json_t *document)
{
	struct derive d = {
		.names = {derive_value},
		.workers = json_object_get(document, "workers"),
		.ops = derive_ops(document),
	};

	for (size_t g = 0; choice && d.ops > 0 && g < choice->nr_groups; g++) {
		d.group = choice->groups[g];
		for (int i = 0; i < d.group->nr_metrics; i++)
			derive_metric(&d, &d.group->metrics[i], document);
	}
}

/* One PU stands for the run, so that its caches need telling only once. */
static void derive_caches(const struct nslab_plan *plan, struct nslab_simulated_caches *caches)
{
	int pu = 0;

	for (size_t f = plan->nr_families; f-- > 0;) {
		if (plan->families[f].pus)
			pu = plan->families[f].pus[0];
	}
	nslab_simulated_caches(plan->topo, plan->topo->pus[pu].os_index, caches);
}

void nslab_derive_trial(const struct nslab_plan *plan, const struct nslab_launch *launch,
			bool is_first, json_t *document)
{
	struct nslab_simulated_caches caches;

	if (!document || !plan->choice)
		return;
	nslab_derive_metrics(plan->choice, document);
	if (!is_first || !plan->choice->is_simulated)
		return;
	derive_caches(plan, &caches);
	nslab_simulated_run(launch, &caches, document);
}

json_t *nslab_derive_notes_json(const struct nslab_plan *plan)
{
	json_t *notes = nslab_choice_notes_json(plan->choice);
	struct nslab_simulated_caches caches;

	if (plan->choice && plan->choice->is_simulated) {
		derive_caches(plan, &caches);
		json_object_set_new(notes, "simulated", nslab_simulated_json(&caches));
	}
	return notes;
}
