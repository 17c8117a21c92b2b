/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_counter_results.c: from chosen events to rows of a result, without a PMU and without
 * valgrind.
 *
 * Documents of trials are written by hand, so that sums, nulls and shares are exact; machines are
 * tables of caches. That callgrind counts the same twice is tests/cli/test_counters.sh's.
 */
#define _GNU_SOURCE
#include "results/figures.h"
#include "runner/counters/choice_json.h"
#include "runner/counters/derive.h"
#include "runner/counters/simulated.h"
#include "runner/record.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- metrics ---- */

static const char test_group[] = "summary test\nevent A a\nevent B b\nevent C cycles\n"
				 "metric a/op events = A / ops\n"
				 "metric share share = A / (A + B)\n"
				 "metric zero ratio = A / (B - B)\n"
				 "metric c/op events = C / ops\n";

/* Two workers; 100 + 300 operations count, 1000 of a consumer do not. */
static const char test_document[] =
	"{\"windows\": [[0, 0, 100, 9, 9, true], [1, 0, 300, 9, 9, true], [1, 1, 1000, 9, 9, "
	"false]],"
	" \"workers\": [{\"counters\": ["
	"  {\"name\": \"test/A\", \"value\": 10, \"enabled_ns\": 100, \"running_ns\": 100},"
	"  {\"name\": \"test/B\", \"value\": 20, \"enabled_ns\": 100, \"running_ns\": 40},"
	"  {\"name\": \"cycles\", \"value\": 5, \"enabled_ns\": 100, \"running_ns\": 100}]},"
	" {\"counters\": ["
	"  {\"name\": \"test/A\", \"value\": 30, \"enabled_ns\": 100, \"running_ns\": 90},"
	"  {\"name\": \"test/B\", \"value\": 20, \"enabled_ns\": 100, \"running_ns\": 50},"
	"  {\"name\": \"cycles\", \"value\": null, \"reason\": \"no PMU here\"}]}]}";

static struct nslab_group *parse_group(const char *file, const char *text)
{
	struct nslab_group *group = NULL;
	struct nslab_err err;

	if (nslab_group_parse(file, text, &group, &err))
		fail_msg("%s", err.text);
	return group;
}

static const json_t *row_of(const json_t *document, const char *name)
{
	const json_t *rows = json_object_get(document, "counters");
	const json_t *found = NULL;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (strcmp(json_string_value(json_object_get(row, "name")), name) != 0)
			continue;
		assert_null(found); /* names are unique in a trial */
		found = row;
	}
	assert_non_null(found);
	return found;
}

static void check_value(const json_t *document, const char *name, double value)
{
	const json_t *row = row_of(document, name);

	assert_true(json_number_value(json_object_get(row, "value")) == value);
	assert_true(json_is_null(json_object_get(row, "reason")));
	assert_string_equal(json_string_value(json_object_get(row, "source")), "formula");
}

static void check_null(const json_t *document, const char *name, const char *reason)
{
	const json_t *row = row_of(document, name);

	assert_true(json_is_null(json_object_get(row, "value")));
	assert_string_equal(json_string_value(json_object_get(row, "reason")), reason);
}

static void metrics_are_of_all_workers_and_counted_operations(void **state)
{
	struct nslab_group *group = parse_group("test.txt", test_group);
	struct nslab_counter_choice choice = {.nr_groups = 1, .groups = {group}};
	json_t *document = json_loads(test_document, 0, NULL);
	const json_t *row;

	(void)state;
	nslab_derive_metrics(&choice, document);
	assert_int_equal(json_array_size(json_object_get(document, "counters")), 4);
	check_value(document, "a/op", 0.1);
	check_value(document, "share", 0.5);
	check_null(document, "zero", "a division by zero");
	check_null(document, "c/op", "C: no PMU here");
	/* the share of the event that was on the hardware least */
	row = row_of(document, "share");
	assert_int_equal(json_integer_value(json_object_get(row, "enabled_ns")), 100);
	assert_int_equal(json_integer_value(json_object_get(row, "running_ns")), 40);
	json_decref(document);
	nslab_group_free(group);
}

static void metrics_of_two_groups_keep_the_one_with_a_value(void **state)
{
	struct nslab_group *absent =
		parse_group("absent.txt", "summary x\nevent A a\nmetric a/op events = A / ops\n");
	struct nslab_group *group = parse_group("test.txt", test_group);
	struct nslab_counter_choice choice = {.nr_groups = 3, .groups = {absent, group, absent}};
	json_t *document = json_loads(test_document, 0, NULL);

	(void)state;
	nslab_derive_metrics(&choice, document);
	assert_int_equal(json_array_size(json_object_get(document, "counters")), 4);
	check_value(document, "a/op", 0.1);
	json_decref(document);
	nslab_group_free(group);
	nslab_group_free(absent);
}

static void metrics_are_none_when_nothing_was_done(void **state)
{
	struct nslab_group *group = parse_group("test.txt", test_group);
	struct nslab_counter_choice choice = {.nr_groups = 1, .groups = {group}};
	json_t *document = json_loads("{\"error\": \"it broke\", \"windows\": []}", 0, NULL);

	(void)state;
	nslab_derive_metrics(&choice, document);
	assert_null(json_object_get(document, "counters"));
	nslab_derive_metrics(&choice, NULL);
	nslab_derive_metrics(NULL, document);
	json_decref(document);
	nslab_group_free(group);
}

/* ---- choice as JSON ---- */

static void events_survive_the_way_to_a_trial(void **state)
{
	struct nslab_counter_choice choice = {
		.nr_events = 2,
		.events = {{"icx/A", {4, 0x12a, 3, true, UINT64_C(0x8104000001)}, ""},
			   {"icx/B", {4, 1, 4, true, 0}, "not for this CPU"}},
	};
	json_t *array = nslab_choice_events_json(&choice);
	json_t *again;
	struct nslab_err err;
	char *text;

	(void)state;
	assert_int_equal(nslab_choice_apply_json(array, &err), 0);
	text = json_dumps(array, JSON_COMPACT);
	assert_non_null(strstr(text, "\"config1\":554117890049"));
	assert_non_null(strstr(text, "\"reason\":\"not for this CPU\""));
	again = nslab_choice_events_json(NULL);
	assert_int_equal(json_array_size(again), 0);
	assert_int_equal(nslab_choice_apply_json(again, &err), 0);
	json_decref(again);
	json_decref(array);
	free(text);
}

static void events_of_a_broken_description_are_refused(void **state)
{
	struct nslab_err err;
	json_t *nameless = json_pack("[{s:i}]", "type", 4);
	json_t *many = json_array();

	(void)state;
	assert_int_equal(nslab_choice_apply_json(nameless, &err), -EINVAL);
	assert_non_null(strstr(err.text, "has no name"));
	for (int i = 0; i <= NSLAB_PMU_MAX; i++)
		json_array_append_new(many, json_pack("{s:s}", "name", "x"));
	assert_int_equal(nslab_choice_apply_json(many, &err), -E2BIG);
	assert_int_equal(nslab_choice_apply_json(json_true(), &err), 0);
	assert_int_equal(nslab_choice_apply_json(NULL, &err), 0);
	json_decref(nameless);
	json_decref(many);
}

static void notes_carry_formulas_and_prose(void **state)
{
	struct nslab_group *group = parse_group("test.txt", "summary s\nevent A a\nnote n 1\n"
							    "metric m u = A\nnote n 2\n");
	struct nslab_counter_choice choice = {.nr_groups = 1, .groups = {group}};
	json_t *notes = nslab_choice_notes_json(&choice);
	const json_t *test = json_object_get(notes, "test");

	(void)state;
	assert_string_equal(json_string_value(json_array_get(json_object_get(test, "notes"), 1)),
			    "n 2");
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(json_object_get(test, "metrics"), "m"), "formula")),
		"A");
	json_decref(notes);
	nslab_group_free(group);
}

static void note_is_told_only_when_counters_took_turns(void **state)
{
	struct nslab_cell_counter counters[] = {
		{"absent", "pmu", 0, 0, 0, 0.1, "not here"},
		{"cycles", "perf", 3, 5, 1, 1.0, NULL},
		{"icx/A", "pmu", 3, 5, 1, 0.42, NULL},
	};
	struct nslab_cell_values cell = {.nr_counters = 3, .counters = counters};
	struct nslab_cell_list list = {.nr = 1, .cells = &cell};
	char text[512] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	nslab_counters_note(&list, out, 200);
	fflush(out);
	assert_non_null(strstr(text, "'icx/A' was counted 42 % of its time"));
	fclose(out);
	memset(text, 0, sizeof(text));
	cell.nr_counters = 2;
	out = fmemopen(text, sizeof(text), "w");
	nslab_counters_note(&list, out, 200);
	fclose(out);
	assert_string_equal(text, "");
}

/* What moved before the windows spoils none of them, and is not added to what they count. */
static void counters_of_the_warm_up_are_kept_apart(void **state)
{
	static const char document[] =
		"{\"error\": null, \"windows\": [[0, 0, 100, 1000, 9, true]], \"workers\": ["
		"{\"counters\": [{\"name\": \"cpu-migrations\", \"value\": 2}],"
		" \"warm_counters\": [{\"name\": \"cpu-migrations\", \"value\": 7}]}],"
		" \"counters\": [{\"name\": \"a/b\", \"value\": 1.5}]}";
	struct nslab_launch_result launched = {.document = json_loads(document, 0, NULL)};
	struct nslab_trial_record record = {.cell = 1};
	struct nslab_trial_buffers buffers = {0};

	(void)state;
	assert_non_null(launched.document);
	assert_int_equal(nslab_record_fill(&launched, NSLAB_STATISTIC_MEDIAN, &record, &buffers),
			 0);
	assert_int_equal(record.nr_counters, 3);
	assert_int_equal(record.nr_migrations, 2);
	assert_null(record.counters[0].phase);
	assert_string_equal(record.counters[1].phase, "warm-up");
	assert_true(record.counters[1].value == 7 && record.counters[1].worker == 0);
	assert_null(record.counters[2].phase);
	assert_int_equal(record.counters[2].worker, -1);
	nslab_record_free(&buffers);
	json_decref(launched.document);
}

/* ---- simulated caches ---- */

static void caches_have_a_power_of_two_of_sets(void **state)
{
	int pus[] = {0, 1}, other[] = {2};
	struct nslab_topo_cache rows[] = {
		{1, NSLAB_CPU_CACHE_INSTRUCTION, 32 << 10, 64, 8, 2, pus},
		{1, NSLAB_CPU_CACHE_DATA, 48 << 10, 64, 12, 2, pus},
		{2, NSLAB_CPU_CACHE_UNIFIED, 2 << 20, 64, 16, 2, pus},
		{3, NSLAB_CPU_CACHE_UNIFIED, 36 << 20, 64, 12, 2, pus},
		{3, NSLAB_CPU_CACHE_UNIFIED, 64 << 20, 64, 16, 1, other},
		{0, NSLAB_CPU_CACHE_MEMORY_SIDE, UINT64_C(1) << 34, 64, 1, 2, pus},
	};
	struct nslab_topo topo = {.nr_caches = 6, .caches = rows};
	struct nslab_simulated_caches caches;

	(void)state;
	nslab_simulated_caches(&topo, 1, &caches);
	assert_int_equal(caches.l1i.size_bytes, 32 << 10);
	assert_int_equal(caches.l1d.size_bytes, 48 << 10);  /* 64 sets */
	assert_int_equal(caches.last.size_bytes, 24 << 20); /* 32768 of 49152 sets */
	assert_int_equal(caches.last.real_bytes, 36 << 20);
	assert_int_equal(caches.last.ways, 12);
	nslab_simulated_caches(&topo, 2, &caches); /* a PU of which little is known */
	assert_int_equal(caches.l1d.size_bytes, 32 << 10);
	assert_int_equal(caches.l1d.real_bytes, 0);
	assert_int_equal(caches.last.size_bytes, 64 << 20);
	topo.nr_caches = 0;
	nslab_simulated_caches(&topo, 0, &caches);
	assert_int_equal(caches.last.size_bytes, 1 << 20);
	assert_int_equal(caches.last.line_bytes, 64);
}

static void simulated_clock_counts_its_readings(void **state)
{
	uint64_t first = nslab_now_ns(&nslab_simulated_clock);

	(void)state;
	assert_int_equal(nslab_thread_cpu_ns(&nslab_simulated_clock), 0);
	assert_int_equal(nslab_now_ns(&nslab_simulated_clock), first + 1);
	nslab_simulated_toggle(); /* nothing happens outside callgrind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_are_of_all_workers_and_counted_operations),
		cmocka_unit_test(metrics_of_two_groups_keep_the_one_with_a_value),
		cmocka_unit_test(metrics_are_none_when_nothing_was_done),
		cmocka_unit_test(events_survive_the_way_to_a_trial),
		cmocka_unit_test(events_of_a_broken_description_are_refused),
		cmocka_unit_test(notes_carry_formulas_and_prose),
		cmocka_unit_test(note_is_told_only_when_counters_took_turns),
		cmocka_unit_test(counters_of_the_warm_up_are_kept_apart),
		cmocka_unit_test(caches_have_a_power_of_two_of_sets),
		cmocka_unit_test(simulated_clock_counts_its_readings),
	};

	return cmocka_run_group_tests_name("counter results", tests, NULL, NULL);
}
