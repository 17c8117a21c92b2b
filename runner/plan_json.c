/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_json.c: plan.json, the explicit plan that every stage after this one can read.
 *
 * Objects are written in the order of struct nslab_plan and keep that order, so the same plan on
 * the same topology is the same text. PUs are given as the kernel numbers them. What was not asked
 * for is null or `auto`, never a number that means neither. Durations are nanoseconds.
 */
#include "runner/plan_internal.h"

#include <string.h>

/* A path may hold any bytes; what is not UTF-8 is told as such instead of losing the plan. */
static json_t *text_json(const char *text)
{
	json_t *json;

	if (!text)
		return json_null();
	json = json_string(text);
	return json ? json : json_string("(not UTF-8)");
}

static json_t *texts_json(const char *const *texts)
{
	json_t *array = json_array();

	for (; array && texts && *texts; texts++)
		json_array_append_new(array, text_json(*texts));
	return array;
}

static json_t *settings_json(const struct nslab_setting *settings, size_t nr)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < nr; i++)
		json_object_set_new(object, settings[i].key, text_json(settings[i].value));
	return object;
}

static json_t *auto_json(int value)
{
	return value == NSLAB_AUTO ? json_string("auto") : json_integer(value);
}

static json_t *pus_json(const struct nslab_plan *plan, const struct nslab_family *family)
{
	json_t *array;

	if (!family->pus)
		return json_null();
	array = json_array();
	for (int i = 0; array && i < family->nr_threads; i++)
		json_array_append_new(array,
				      json_integer(plan->topo->pus[family->pus[i]].os_index));
	return array;
}

/* A null for one member would stand for "not asked": what could not be made fails the whole. */
static int set(json_t *object, const char *key, json_t *value)
{
	return value ? json_object_set_new(object, key, value) : -1;
}

static int set_family(const struct nslab_plan *plan, const struct nslab_family *family,
		      json_t *object)
{
	int rc = 0;

	rc |= set(object, "family", text_json(family->key));
	rc |= set(object, "job", text_json(family->job));
	rc |= set(object, "workload", text_json(family->workload->name));
	rc |= set(object, "params", settings_json(family->settings, family->nr_settings));
	rc |= set(object, "size_bytes", json_integer(family->size_bytes));
	rc |= set(object, "threads", json_integer(family->nr_threads));
	rc |= set(object, "placement", text_json(family->placement));
	rc |= set(object, "pus", pus_json(plan, family));
	rc |= set(object, "memory", text_json(family->memory_text));
	rc |= set(object, "entry", text_json(nslab_entry_word(family->entry)));
	rc |= set(object, "statistic", text_json(family->statistic));
	return rc;
}

static int set_arm(const struct nslab_arm *arm, json_t *object)
{
	int rc = 0;

	rc |= set(object, "arm", text_json(arm->label));
	rc |= set(object, "key", text_json(arm->key));
	rc |= set(object, "allocator", text_json(arm->allocator->name));
	rc |= set(object, "origin", text_json(arm->allocator->origin));
	rc |= set(object, "allocator_params", settings_json(arm->settings, arm->nr_settings));
	rc |= set(object, "order", auto_json(arm->cache.order));
	rc |= set(object, "min_partial", auto_json(arm->cache.min_partial));
	rc |= set(object, "cpu_partial", auto_json(arm->cache.cpu_partial));
	rc |= set(object, "sheaf_capacity", auto_json(arm->cache.sheaf_capacity));
	rc |= set(object, "arm_entry", text_json(nslab_entry_word(arm->entry)));
	rc |= set(object, "library", text_json(arm->library));
	rc |= set(object, "version", text_json(arm->version));
	rc |= set(object, "is_baseline", json_boolean(arm->is_baseline));
	rc |= set(object, "is_twin", json_boolean(arm->is_twin));
	rc |= set(object, "skipped", text_json(arm->skipped));
	return rc;
}

static json_t *checked(json_t *object, int rc)
{
	if (!rc)
		return object;
	json_decref(object);
	return NULL;
}

json_t *nslab_plan_cell_json(const struct nslab_plan *plan, const struct nslab_family *family,
			     const struct nslab_arm *arm)
{
	json_t *object = json_object();

	if (!object)
		return NULL;
	return checked(object, set_family(plan, family, object) | set_arm(arm, object));
}

static json_t *arms_json(const struct nslab_family *family)
{
	json_t *array = json_array();
	int rc = array ? 0 : -1;

	for (size_t i = 0; !rc && i < family->nr_arms; i++) {
		json_t *arm = json_object();

		rc = arm ? set_arm(&family->arms[i], arm) : -1;
		rc |= json_array_append_new(array, arm);
	}
	return checked(array, rc);
}

static json_t *families_json(const struct nslab_plan *plan)
{
	json_t *array = json_array();
	int rc = array ? 0 : -1;

	for (size_t i = 0; !rc && i < plan->nr_families; i++) {
		json_t *family = json_object();

		rc = family ? set_family(plan, &plan->families[i], family) : -1;
		if (!rc)
			rc = set(family, "arms", arms_json(&plan->families[i]));
		rc |= json_array_append_new(array, family);
	}
	return checked(array, rc);
}

static int set_design(const struct nslab_plan *plan, json_t *object)
{
	static const char *const huge[] = {"never", "thp", "system", "hugetlb"};
	static const char *const samplers[] = {"auto", "on", "off"};
	int rc = 0;

	rc |= set(object, "seed", json_integer((json_int_t)plan->seed));
	rc |= set(object, "blocks", json_integer(plan->nr_blocks));
	rc |= set(object, "blocks_auto", json_boolean(plan->is_blocks_auto));
	rc |= set(object, "precision",
		  plan->precision > 0 ? json_real(plan->precision) : json_null());
	rc |= set(object, "budget_ns",
		  plan->budget_ns ? json_integer((json_int_t)plan->budget_ns) : json_null());
	rc |= set(object, "invalidate", text_json(plan->invalidate));
	rc |= set(object, "windows", json_integer(plan->nr_windows));
	rc |= set(object, "window_ns", json_integer((json_int_t)plan->window_ns));
	rc |= set(object, "warmup_ns", json_integer((json_int_t)plan->warmup_ns));
	rc |= set(object, "time_limit_ns", json_integer((json_int_t)plan->time_limit_ns));
	rc |= set(object, "statistic", text_json(plan->statistic));
	rc |= set(object, "baseline", text_json(plan->baseline));
	rc |= set(object, "twin", json_boolean(plan->has_twin));
	rc |= set(object, "debug", json_boolean(plan->is_debug));
	rc |= set(object, "huge", text_json(huge[plan->huge]));
	rc |= set(object, "latency", text_json(plan->has_latency ? "sampled" : "off"));
	rc |= set(object, "sampler", text_json(samplers[plan->sampler]));
	rc |= set(object, "measure", json_boolean(plan->has_matrix));
	rc |= set(object, "cpus", json_integer(plan->nr_cpus));
	rc |= set(object, "node_bytes",
		  plan->node_bytes ? json_integer((json_int_t)plan->node_bytes)
				   : json_string("auto"));
	rc |= set(object, "memory_limit_bytes",
		  plan->memory_limit_bytes ? json_integer((json_int_t)plan->memory_limit_bytes)
					   : json_string("auto"));
	rc |= set(object, "counters", texts_json(plan->counters));
	rc |= set(object, "ignore", texts_json(plan->ignored));
	return rc;
}

json_t *nslab_plan_json(const struct nslab_plan *plan)
{
	json_t *object = json_object();
	int rc;

	if (!object)
		return NULL;
	rc = set(object, "plan", text_json(plan->name));
	rc |= set(object, "label", text_json(plan->label));
	rc |= set(object, "topology", text_json(plan->topo->source));
	rc |= set(object, "is_simulated", json_boolean(plan->topo->is_simulated));
	rc |= set(object, "overrides", texts_json(plan->overrides));
	rc |= set_design(plan, object);
	rc |= set(object, "page", text_json(plan->page ? plan->page->name : NULL));
	rc |= set(object, "page_params",
		  settings_json(plan->page_settings, plan->nr_page_settings));
	rc |= set(object, "area_params",
		  settings_json(plan->area_settings, plan->nr_area_settings));
	rc |= set(object, "cells", json_integer((json_int_t)nslab_plan_nr_cells(plan)));
	rc |= set(object, "trials", json_integer((json_int_t)nslab_plan_nr_trials(plan)));
	rc |= set(object, "expected_ns", json_integer((json_int_t)nslab_plan_expected_ns(plan)));
	rc |= set(object, "families", families_json(plan));
	return checked(object, rc);
}
