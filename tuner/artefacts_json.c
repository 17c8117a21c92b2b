/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * artefacts_json.c: an advice as JSON, with everything that was found on the way to it.
 *
 * Keys are the names of the fields, so that tuner.h explains the file. A number that is not known
 * is null, never 0, and so is an integer that stays as it is. Caches are told by name and folder;
 * the rest of the snapshot is not repeated but for what a reader needs to make sense of the orders.
 * A candidate's cost is that of the replay, which holds fewer objects than the machine; its loss
 * and change are in the machine's proportion, and a cache's memory_bytes is that of the machine.
 *
 * Left out: when and where the advice was made, so that equal advice gives equal bytes.
 */
#include "tuner/artefacts.h"
#include "tuner/search.h"

#include <math.h>

struct advice_json {
	const struct nslab_tuner_advice *advice;
	struct nslab_tuner_scale scale;
};

static json_t *advice_real(double number)
{
	return isfinite(number) ? json_real(number) : json_null();
}

static json_t *advice_int(int64_t number)
{
	return number < 0 ? json_null() : json_integer((json_int_t)number);
}

/* NULL when a part is NULL or memory is out; all parts are taken. */
static json_t *advice_change(const struct nslab_tuner_change *change)
{
	return json_pack("{s:o, s:o, s:o, s:I, s:o}", "estimate", advice_real(change->estimate),
			 "lo", advice_real(change->lo), "hi", advice_real(change->hi), "n",
			 (json_int_t)change->n, "p", advice_real(change->p));
}

static json_t *advice_setting(const struct nslab_tuner_setting *setting)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "order", advice_int(setting->order), "cpu_partial",
			 advice_int(setting->cpu_partial), "min_partial",
			 advice_int(setting->min_partial), "sheaf_capacity",
			 advice_int(setting->sheaf_capacity));
}

struct advice_number {
	const char *name;
	double value;
};

static int advice_numbers(json_t *json, const struct advice_number *numbers, size_t nr)
{
	int failed = 0;

	for (size_t i = 0; i < nr; i++)
		failed |= json_object_set_new(json, numbers[i].name, advice_real(numbers[i].value));
	return failed;
}

static json_t *advice_cost(const struct nslab_tuner_cost *cost)
{
	const struct advice_number numbers[] = {
		{"memory_bytes", cost->memory_bytes},
		{"tail_bytes", cost->tail_bytes},
		{"padding_bytes", cost->padding_bytes},
		{"free_bytes", cost->free_bytes},
		{"queued_bytes", cost->queued_bytes},
		{"locks_per_kop", cost->locks_per_kop},
		{"remote_frees_per_kop", cost->remote_frees_per_kop},
		{"slow_per_kop", cost->slow_per_kop},
		{"slab_allocs_per_kop", cost->slab_allocs_per_kop},
		{"high_pages_per_kop", cost->high_pages_per_kop},
		{"high_pages_per_s", cost->high_pages_per_s},
		{"scarcity", cost->scarcity},
		{"fallback_share", cost->fallback_share},
		{"worst_locks_per_kop", cost->worst_locks_per_kop},
	};
	json_t *json = json_object();
	int failed = !json || advice_numbers(json, numbers, sizeof(numbers) / sizeof(numbers[0]));

	failed |= json_object_set_new(json, "race", advice_change(&cost->race));
	failed |= json_object_set_new(json, "holdout", advice_change(&cost->holdout));
	failed |= json_object_set_new(json, "race_p999", advice_change(&cost->race_p999));
	failed |= json_object_set_new(json, "holdout_p999", advice_change(&cost->holdout_p999));
	if (!failed)
		return json;
	json_decref(json);
	return NULL;
}

/* NaN throughout for a setting that leaves the order open: formulas want one. */
static double advice_loss(const struct advice_json *json, const struct nslab_tuner_group *group,
			  const struct nslab_tuner_candidate *c, struct nslab_tuner_terms *terms)
{
	*terms = (struct nslab_tuner_terms){NAN, false, NAN, NAN, NAN};
	if (c->setting.order < 0 || group->candidates[group->now].setting.order < 0)
		return NAN;
	nslab_tuner_terms(json->advice, group, c, terms);
	return nslab_tuner_loss_of(json->advice, &json->scale, group, c);
}

static json_t *advice_candidate(const struct advice_json *json,
				const struct nslab_tuner_group *group,
				const struct nslab_tuner_candidate *c)
{
	struct nslab_tuner_terms terms;
	double loss = advice_loss(json, group, c, &terms);

	return json_pack("{s:o, s:s, s:s, s:o, s:{s:o, s:b, s:o, s:o}, s:o}", "setting",
			 advice_setting(&c->setting), "fate", nslab_tuner_fate_word(c->fate), "why",
			 c->why, "loss", advice_real(loss), "change", "time",
			 advice_real(terms.time), "is_measured", terms.is_measured, "memory_bytes",
			 advice_real(terms.memory_bytes), "high_pages_per_kop",
			 advice_real(terms.high_pages_per_kop), "cost", advice_cost(&c->cost));
}

static json_t *advice_candidates(const struct advice_json *json,
				 const struct nslab_tuner_group *group)
{
	json_t *list = json_array();
	int failed = !list;

	for (size_t i = 0; !failed && i < group->nr_candidates; i++)
		failed = json_array_append_new(
			list, advice_candidate(json, group, &group->candidates[i]));
	if (!failed)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *advice_texts(char *const *texts, size_t nr)
{
	json_t *list = json_array();
	int failed = !list;

	for (size_t i = 0; !failed && i < nr; i++)
		failed = json_array_append_new(list, json_string(texts[i]));
	if (!failed)
		return list;
	json_decref(list);
	return NULL;
}

/* Of the machine, by formula: what changes of a candidate's memory are to be added to. */
static double advice_memory(const struct advice_json *json, const struct nslab_tuner_group *group)
{
	struct nslab_tuner_cost cost;

	nslab_tuner_memory(json->advice->snapshot, group->cache,
			   &group->candidates[group->now].setting, &cost);
	return cost.memory_bytes;
}

static json_t *advice_group(const struct advice_json *json, const struct nslab_tuner_group *group)
{
	const struct nslab_tuner_cache *cache = group->cache;

	return json_pack(
		"{s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:s, s:o}",
		"cache", cache->name, "folder", cache->folder, "aliases",
		advice_texts(cache->aliases, cache->nr_aliases), "slab_size",
		(json_int_t)cache->size, "live", advice_int(cache->live), "memory_bytes",
		advice_real(advice_memory(json, group)), "order_now", advice_int(cache->order),
		"cpu_partial_now", advice_int(cache->cpu_partial), "min_partial_now",
		advice_int(cache->min_partial), "sheaf_capacity_now",
		advice_int(cache->sheaf_capacity), "now", (json_int_t)group->now, "advised",
		(json_int_t)group->advised, "order_booted", advice_int(group->order_booted), "why",
		group->why, "candidates", advice_candidates(json, group));
}

static json_t *advice_triple(const struct nslab_tuner_snapshot *snapshot,
			     const struct nslab_tuner_triple *triple)
{
	char line[128];

	if (nslab_tuner_boot_line(snapshot, &triple->knobs, line, sizeof(line), NULL))
		*line = '\0';
	return json_pack("{s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:I}", "line", line, "min_order",
			 (json_int_t)triple->knobs.min_order, "max_order",
			 (json_int_t)triple->knobs.max_order, "min_objects",
			 (json_int_t)triple->knobs.min_objects, "loss", advice_real(triple->loss),
			 "regret", advice_real(triple->regret), "memory_bytes",
			 advice_real(triple->memory_bytes), "nr_changed",
			 (json_int_t)triple->nr_changed);
}

static json_t *advice_machine(const struct nslab_tuner_snapshot *snapshot)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:s}", "source", snapshot->source,
			 "release", snapshot->release, "rules",
			 nslab_order_kernel_word(snapshot->kernel), "arch", snapshot->arch, "cpus",
			 snapshot->nr_cpus, "nodes", snapshot->nr_nodes, "cmdline_slab",
			 snapshot->cmdline_slab ? snapshot->cmdline_slab : "");
}

static json_t *advice_groups(const struct nslab_tuner_advice *advice)
{
	struct advice_json json = {.advice = advice};
	json_t *list = json_array();
	int failed = !list;

	nslab_tuner_scale(advice->snapshot, &json.scale);
	for (size_t i = 0; !failed && i < advice->nr_groups; i++)
		failed = json_array_append_new(list, advice_group(&json, &advice->groups[i]));
	if (!failed)
		return list;
	json_decref(list);
	return NULL;
}

json_t *nslab_tuner_advice_json(const struct nslab_tuner_advice *advice)
{
	static const char *const objectives[] = {
		[NSLAB_TUNER_BALANCED] = "balanced",
		[NSLAB_TUNER_SPEED] = "speed",
		[NSLAB_TUNER_MEMORY] = "memory",
	};
	const struct nslab_tuner_budget *budget = &advice->budget;

	return json_pack(
		"{s:o, s:s, s:{s:o, s:o}, s:b, s:o, s:o, s:o, s:s, s:o, s:o}", "machine",
		advice_machine(advice->snapshot), "objective", objectives[advice->objective],
		"budget", "memory_share", advice_real(budget->memory_share), "high_pages_per_kop",
		advice_real(budget->high_pages_per_kop), "is_measured", advice->is_measured, "now",
		advice_triple(advice->snapshot, &advice->now), "booted",
		advice_triple(advice->snapshot, &advice->booted), "loss_ideal",
		advice_real(advice->loss_ideal), "oracle", advice->oracle, "notes",
		advice_texts(advice->notes, advice->nr_notes), "caches", advice_groups(advice));
}
