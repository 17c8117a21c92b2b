/* SPDX-License-Identifier: GPL-2.0-only */
/* choice_json.h: the chosen events for a trial, and what a result says about them. */
#ifndef NSLAB_CHOICE_JSON_H
#define NSLAB_CHOICE_JSON_H

#include "runner/counters/choice.h"

#include <jansson.h>

/* [{"name", "type", "config", "config1", "set", "reason"}]: "counters" of a trial's description. */
json_t *nslab_choice_events_json(const struct nslab_counter_choice *choice);

/* Makes them what this process counts. An array as above; true stands for none. */
int nslab_choice_apply_json(const json_t *events, struct nslab_err *err);

/*
 * {GROUP: {"summary", "events": {name: encoding}, "metrics": {name: {"unit", "formula"}},
 * "notes": [text]}}: stored once a run, so that the numbers never travel without their meaning.
 */
json_t *nslab_choice_notes_json(const struct nslab_counter_choice *choice);

#endif
