/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_core.c: lists, double-word CAS, parameter tables, guesses at mistyped words, the registry.
 * Nothing here needs a machine: every case is a pure function of its input. Plug-in tables for the
 * registry are made here, whole, short, and wrong in one place each.
 */
#include "core/cas.h"
#include "core/list.h"
#include "core/param.h"
#include "core/registry.h"
#include "core/rng.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void list_keeps_order_when_entries_move(void **state)
{
	struct nslab_list a, b, entry[4];
	int i = 0;

	(void)state;
	nslab_list_init(&a);
	nslab_list_init(&b);
	assert_true(nslab_list_is_empty(&a));
	for (int n = 0; n < 4; n++)
		nslab_list_add_tail(&entry[n], &a);
	nslab_list_del(&entry[1]);
	nslab_list_add(&entry[1], &b);
	nslab_list_splice_tail(&a, &b); /* 1 0 2 3 */
	assert_true(nslab_list_is_empty(&a));
	nslab_list_for_each (pos, &b) {
		static const int order[] = {1, 0, 2, 3};

		assert_ptr_equal(pos, &entry[order[i++]]);
	}
	assert_int_equal(i, 4);
	nslab_list_del(&entry[0]);
	nslab_list_del(&entry[0]); /* harmless twice */
	assert_ptr_equal(entry[1].next, &entry[2]);
}

static void cas2_replaces_both_words_or_none(void **state)
{
	_Alignas(16) uint64_t words[2] = {1, 2};

	(void)state;
	assert_false(nslab_cas2(words, 1, 3, 8, 9));
	assert_int_equal(words[0], 1);
	assert_true(nslab_cas2(words, 1, 2, 8, 9));
	assert_int_equal(words[0], 8);
	assert_int_equal(words[1], 9);
	assert_false(nslab_cas2_local(words, 0, 9, 1, 1));
	assert_true(nslab_cas2_local(words, 8, 9, 10, 11));
	assert_int_equal(words[0], 10);
	assert_int_equal(words[1], 11);
}

static void rng_stays_below_bound_and_streams_differ(void **state)
{
	uint64_t s = 1;

	(void)state;
	for (int i = 0; i < 10000; i++)
		assert_in_range(nslab_rng_below(&s, 7), 0, 6);
	assert_int_not_equal(nslab_rng_mix(1, 0), nslab_rng_mix(1, 1));
	assert_int_not_equal(nslab_rng_mix(1, 0), nslab_rng_mix(2, 0));
}

struct options {
	int64_t order;
	bool stats;
	int64_t mode;
	double ratio;
};

static const char *const auto_word[] = {"auto", NULL};
static const char *const modes[] = {"fifo", "lifo", NULL};
static const struct nslab_param rows[] = {
	{"order", NSLAB_PARAM_INT, 0, offsetof(struct options, order), "auto", 0, 10, auto_word,
	 ""},
	{"stats", NSLAB_PARAM_BOOL, 0, offsetof(struct options, stats), "no", 0, 0, NULL, ""},
	{"mode", NSLAB_PARAM_CHOICE, 0, offsetof(struct options, mode), "fifo", 0, 0, modes, ""},
	{"ratio", NSLAB_PARAM_DOUBLE, 0, offsetof(struct options, ratio), "0.5", 0, 1, NULL, ""},
	NSLAB_PARAM_END,
};

static void param_stores_values_when_in_range(void **state)
{
	struct nslab_err err = {""};
	struct options o = {0};
	int64_t n;

	(void)state;
	assert_int_equal(nslab_param_defaults(rows, &o, &err), 0);
	assert_int_equal(o.order, -1);
	assert_false(o.stats);
	assert_true(o.ratio == 0.5);
	assert_int_equal(nslab_param_set(&rows[0], "3", &o, &err), 0);
	assert_int_equal(nslab_param_set(&rows[1], "yes", &o, &err), 0);
	assert_int_equal(nslab_param_set(&rows[2], "lifo", &o, &err), 0);
	assert_int_equal(o.order, 3);
	assert_true(o.stats);
	assert_int_equal(o.mode, 1);
	assert_int_equal(nslab_parse_int("4k", &n), 0);
	assert_int_equal(n, 4096);
	assert_int_equal(nslab_parse_int("9223372036854775807k", &n), -ERANGE);
}

static void param_names_what_is_accepted_when_value_is_wrong(void **state)
{
	static const char *const wrong[][2] = {
		{"order", "11"},  {"order", "-1"},  {"order", "x"},
		{"order", ""},	  {"order", "1x"},  {"stats", "maybe"},
		{"mode", "filo"}, {"ratio", "1.5"}, {"ratio", "nan"}};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct nslab_err err = {""};
		const struct nslab_param *row = nslab_param_find(rows, wrong[i][0]);
		char accepted[64];

		assert_non_null(row);
		assert_int_equal(nslab_param_check(row, wrong[i][1], &err), -EINVAL);
		nslab_param_accepts(row, accepted, sizeof(accepted));
		assert_non_null(strstr(err.text, wrong[i][0]));
		assert_non_null(strstr(err.text, accepted));
	}
	assert_null(nslab_param_find(rows, "nothing"));
}

static void nearest_guesses_when_one_slip_away(void **state)
{
	static const char *const names[] = {"slub", "nodelocal", "pingpong"};

	(void)state;
	assert_string_equal(nslab_nearest("slbu", names, 3), "slub");
	assert_string_equal(nslab_nearest("nodlocal", names, 3), "nodelocal");
	assert_null(nslab_nearest("jemalloc", names, 3));
	assert_null(nslab_nearest("x", names, 3));
}

/* ---- registry ---- */

static int stub_probe(int event, char *why, size_t why_bytes)
{
	(void)event, (void)why, (void)why_bytes;
	return 0;
}
static int stub_open(const int *events, int nr, pid_t tid, struct nslab_counter_set **set)
{
	(void)events, (void)nr, (void)tid, (void)set;
	return 0;
}
static int stub_set(struct nslab_counter_set *set)
{
	(void)set;
	return 0;
}
static int stub_read(struct nslab_counter_set *set, struct nslab_count *values)
{
	(void)set, (void)values;
	return 0;
}
static void stub_close(struct nslab_counter_set *set)
{
	(void)set;
}

static const struct nslab_event no_events[] = {{NULL, NULL, NULL}};
static const struct nslab_counter_ops good_ops = {
	.name = "fake",
	.summary = "counts nothing",
	.events = no_events,
	.probe = stub_probe,
	.open = stub_open,
	.start = stub_set,
	.stop = stub_set,
	.read = stub_read,
	.close = stub_close,
};

static struct nslab_registry *empty_registry(void)
{
	const void *const defaults[NSLAB_NR_PLUGIN_KINDS] = {NULL};
	struct nslab_registry *registry;

	assert_int_equal(nslab_registry_create(defaults, &registry), 0);
	return registry;
}

static void registry_finds_what_was_added(void **state)
{
	const struct nslab_plugin plugin = {NSLAB_PLUGIN_ABI, NSLAB_PLUGIN_COUNTER,
					    sizeof(good_ops), &good_ops};
	struct nslab_registry *registry = empty_registry();
	const struct nslab_entry_record *record;
	struct nslab_err err = {""};

	(void)state;
	assert_int_equal(nslab_registry_add(registry, &plugin, "built-in", &err), 0);
	assert_int_equal(nslab_registry_add(registry, &plugin, "again", &err), -EEXIST);
	assert_non_null(nslab_registry_find(registry, NSLAB_PLUGIN_COUNTER, "fake"));
	assert_null(nslab_registry_find(registry, NSLAB_PLUGIN_ALLOCATOR, "fake"));
	assert_int_equal(nslab_registry_get(registry, NSLAB_PLUGIN_COUNTER, "fkae", &record, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "did you mean 'fake'"));
	assert_null(nslab_registry_at(registry, NSLAB_PLUGIN_COUNTER, 1));
	nslab_registry_destroy(registry);
}

static void registry_refuses_and_names_when_envelope_is_wrong(void **state)
{
	struct nslab_counter_ops no_read = good_ops;
	struct nslab_plugin plugin = {NSLAB_PLUGIN_ABI + 1, NSLAB_PLUGIN_COUNTER, sizeof(good_ops),
				      &good_ops};
	struct nslab_registry *registry = empty_registry();
	struct nslab_err err = {""};

	(void)state;
	assert_int_equal(nslab_registry_add(registry, &plugin, "x.so", &err), -EPROTO);
	assert_non_null(strstr(err.text, "x.so"));
	plugin.abi = NSLAB_PLUGIN_ABI;
	plugin.kind = 99;
	assert_int_equal(nslab_registry_add(registry, &plugin, "x.so", &err), -EINVAL);
	plugin.kind = NSLAB_PLUGIN_COUNTER;
	no_read.read = NULL;
	plugin.ops = &no_read;
	assert_int_equal(nslab_registry_add(registry, &plugin, "x.so", &err), -EINVAL);
	assert_non_null(strstr(err.text, "'read' is missing"));
	assert_non_null(strstr(err.text, "'fake'"));
	/* a table that ends before `read`, as an older header might give */
	plugin.ops = &good_ops;
	plugin.ops_size = offsetof(struct nslab_counter_ops, read);
	assert_int_equal(nslab_registry_add(registry, &plugin, "x.so", &err), -EINVAL);
	assert_int_equal(nslab_registry_load(registry, "/nonexistent.so", NULL, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent.so"));
	nslab_registry_destroy(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_keeps_order_when_entries_move),
		cmocka_unit_test(cas2_replaces_both_words_or_none),
		cmocka_unit_test(rng_stays_below_bound_and_streams_differ),
		cmocka_unit_test(param_stores_values_when_in_range),
		cmocka_unit_test(param_names_what_is_accepted_when_value_is_wrong),
		cmocka_unit_test(nearest_guesses_when_one_slip_away),
		cmocka_unit_test(registry_finds_what_was_added),
		cmocka_unit_test(registry_refuses_and_names_when_envelope_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
