/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * choice_json.c: the chosen counters as JSON, on their way to a trial and into the result.
 *
 * A trial is a process of its own that gets codes and no files, so the events are written into its
 * description and read back there. A result keeps the groups as they were, formulas and notes
 * included, because the files may change and the reader may have none.
 *
 * Invariant: what nslab_choice_apply_json reads is checked like any input, since a person may write
 * a trial's description by hand. Left out: reading groups back from a result.
 */
#include "runner/counters/choice_json.h"

#include <errno.h>
#include <stdio.h>

json_t *nslab_choice_events_json(const struct nslab_counter_choice *choice)
{
	json_t *array = json_array();

	for (size_t i = 0; choice && i < choice->nr_events; i++) {
		const struct nslab_pmu_event *event = &choice->events[i];

		json_array_append_new(array,
				      json_pack("{s:s, s:i, s:I, s:I, s:i, s:s}", "name",
						event->name, "type", (int)event->event.type,
						"config", (json_int_t)event->event.config,
						"config1", (json_int_t)event->event.config1, "set",
						event->event.group, "reason", event->reason));
	}
	return array;
}

static uint64_t choice_number(const json_t *row, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(row, key));
}

int nslab_choice_apply_json(const json_t *array, struct nslab_err *err)
{
	struct nslab_pmu_event events[NSLAB_PMU_MAX] = {0};
	size_t nr = json_array_size(array);

	if (nr > NSLAB_PMU_MAX)
		return nslab_fail(err, -E2BIG, "a trial counts %d events of the CPU at most",
				  NSLAB_PMU_MAX);
	for (size_t i = 0; i < nr; i++) {
		const json_t *row = json_array_get(array, i);
		const char *name = json_string_value(json_object_get(row, "name"));
		const char *reason = json_string_value(json_object_get(row, "reason"));

		if (!name || !*name)
			return nslab_fail(err, -EINVAL, "counter %zu of the trial has no name", i);
		snprintf(events[i].name, sizeof(events[i].name), "%s", name);
		snprintf(events[i].reason, sizeof(events[i].reason), "%s", reason ? reason : "");
		events[i].event = (struct nslab_perf_event){
			.type = (uint32_t)choice_number(row, "type"),
			.config = choice_number(row, "config"),
			.config1 = choice_number(row, "config1"),
			.group = (int)choice_number(row, "set"),
			.is_hardware = true,
		};
	}
	return nslab_pmu_choose(events, nr);
}

static json_t *choice_group_json(const struct nslab_group *group)
{
	json_t *events = json_object(), *metrics = json_object(), *notes = json_array();

	for (int i = 0; i < group->nr_events; i++)
		json_object_set_new(events, group->events[i].alias,
				    json_string(group->events[i].names[0]));
	for (int i = 0; i < group->nr_metrics; i++)
		json_object_set_new(metrics, group->metrics[i].name,
				    json_pack("{s:s, s:s}", "unit", group->metrics[i].unit,
					      "formula", group->metrics[i].formula));
	for (int i = 0; i < group->nr_notes; i++)
		json_array_append_new(notes, json_string(group->notes[i]));
	return json_pack("{s:s, s:o, s:o, s:o}", "summary", group->summary, "events", events,
			 "metrics", metrics, "notes", notes);
}

json_t *nslab_choice_notes_json(const struct nslab_counter_choice *choice)
{
	json_t *object = json_object();

	for (size_t i = 0; choice && i < choice->nr_groups; i++)
		json_object_set_new(object, choice->groups[i]->name,
				    choice_group_json(choice->groups[i]));
	return object;
}
