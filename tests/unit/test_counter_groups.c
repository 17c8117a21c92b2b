/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_counter_groups.c: formulas, group files, CPU names, encodings and what a plan's words
 * choose.
 *
 * Nothing here needs a PMU: the CPU is a text, encodings are libpfm4's tables, and groups that ship
 * are read from the source folder. Encodings are asserted twice: against the values of the
 * processors' documentation, and each libpfm4 name against the raw code behind it in its file.
 */
#define _GNU_SOURCE
#include "runner/counters/choice.h"
#include "runner/counters/encode.h"
#include "runner/counters/formula.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- formulas ---- */

static bool test_value(struct nslab_formula_names *names, const char *name, size_t len,
		       double *value)
{
	static const struct {
		const char *name;
		double value;
	} rows[] = {{"A", 6}, {"B_2", 3}, {"ZERO", 0}, {"ABSENT", NAN}, {"ops", 2}};

	(void)names;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strlen(rows[i].name) == len && !strncmp(rows[i].name, name, len)) {
			*value = rows[i].value;
			return true;
		}
	}
	return false;
}

static struct nslab_formula_names test_names = {test_value};

static void formula_evaluates_with_the_usual_order(void **state)
{
	static const struct {
		const char *text;
		double value;
	} rows[] = {
		{"A", 6},	  {"A + B_2 * ops", 12}, {"(A + B_2) * ops", 18},
		{"A - 1 - 1", 4}, {"A / B_2 / ops", 1},	 {"-A + 10", 4},
		{"2 * -B_2", -6}, {" 1.5*ops ", 3},	 {"A-B_2", 3},
		{"((((A))))", 6}, {".5 + 0.25", 0.75},	 {"ZERO / A", 0},
		{"A - -B_2", 9},
	};
	struct nslab_err err;
	double value;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(nslab_formula_eval(rows[i].text, &test_names, &value, &err), 0);
		assert_true(value == rows[i].value);
	}
}

static void formula_is_null_when_a_part_is_or_by_zero(void **state)
{
	static const char *const texts[] = {"ABSENT",	     "ABSENT * ZERO", "A / ZERO",
					    "A / (B_2 - 3)", "1 + ABSENT",    "ZERO / ZERO"};
	struct nslab_err err;
	double value;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(nslab_formula_eval(texts[i], &test_names, &value, &err), 0);
		assert_true(isnan(value));
	}
}

static void formula_refuses_what_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		"A +",
		"(A",
		"A)",
		"NOSUCH",
		"A B_2",
		"1.2.3",
		"* A",
		"A // 2",
		"()",
		"A @ 2",
		"11111111111111111111111111111111111111111",
		"((((((((((((((((((((((A))))))))))))))))))))))",
		"------------------------A",
	};
	struct nslab_err err;
	double value;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		err.text[0] = '\0';
		assert_int_equal(nslab_formula_eval(texts[i], &test_names, &value, &err), -EINVAL);
		assert_true(isnan(value));
		assert_non_null(strstr(err.text, "formula"));
	}
}

/* ---- CPU names ---- */

static void cpu_id_reads_x86_and_arm(void **state)
{
	static const struct {
		const char *text, *vendor, *words;
		int family, model;
	} rows[] = {
		{"processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 106\n"
		 "model name\t: Intel(R) Xeon(R)\n\nprocessor\t: 1\nvendor_id\t: other\n",
		 "GenuineIntel", "GenuineIntel family 6 model 106", 6, 106},
		{"processor\t: 0\nBogoMIPS\t: 50\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
		 "CPU variant\t: 0x3\nCPU part\t: 0xd0c\n",
		 "0x41", "implementer 0x41 part 0xd0c", 0xd0c, 0},
		{"", "", "an unknown CPU", -1, -1},
		{"vendor_id", "", "an unknown CPU", -1, -1},
		{"model name\t: 7\nvendor_id\t: V\ncpu family\t: x", "V", "V family -1 model -1",
		 -1, -1},
	};
	struct nslab_cpu_id id;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		nslab_cpu_id_parse(rows[i].text, &id);
		assert_string_equal(id.vendor, rows[i].vendor);
		assert_int_equal(id.family, rows[i].family);
		assert_int_equal(id.model, rows[i].model);
		nslab_cpu_id_text(&id, text, sizeof(text));
		assert_string_equal(text, rows[i].words);
	}
}

/* ---- group files ---- */

static void group_reads_all_kinds_of_lines(void **state)
{
	static const char text[] = "# comment\n"
				   "summary  a  test\n\tof lines\n"
				   "cpu V 6 1-3\ncpu W 0x10\n\n"
				   "event A pfm::A raw:0x1\n"
				   "set\n"
				   "event B\n        pfm::B\n"
				   "metric a/op events = A /\n ops\n"
				   "note one\n     two\n"
				   "note three";
	struct nslab_group *group;
	struct nslab_err err;

	(void)state;
	assert_int_equal(nslab_group_parse("some/folder/test.txt", text, &group, &err), 0);
	assert_string_equal(group->name, "test");
	assert_string_equal(group->summary, "a test of lines");
	assert_int_equal(group->nr_cpus, 2);
	assert_true(nslab_group_fits(group, &(struct nslab_cpu_id){"V", 6, 3}));
	assert_false(nslab_group_fits(group, &(struct nslab_cpu_id){"V", 6, 4}));
	assert_true(nslab_group_fits(group, &(struct nslab_cpu_id){"W", 16, 99}));
	assert_false(nslab_group_fits(group, &(struct nslab_cpu_id){"X", 16, 99}));
	assert_int_equal(group->nr_events, 2);
	assert_string_equal(group->events[0].names[1], "raw:0x1");
	assert_string_equal(group->events[1].names[0], "pfm::B");
	assert_null(group->events[1].names[1]);
	assert_int_equal(group->events[0].set, 0);
	assert_int_equal(group->events[1].set, 1);
	assert_string_equal(group->metrics[0].formula, "A / ops");
	assert_int_equal(group->nr_notes, 2);
	assert_string_equal(group->notes[0], "one two");
	nslab_group_free(group);
}

static void group_names_file_and_line_of_a_mistake(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"", "g.txt: no summary line"},
		{"summary x\n\nevents A b\n", "g.txt:3: a line begins with"},
		{"summary x\n y\nevent A", "g.txt:3: no encoding for event 'A'"},
		{"event A a\nevent A b", "g.txt:2: there is already an event 'A'"},
		{"event 9 a", "g.txt:1: an event's name"},
		{"event ops a", "g.txt:1: an event's name"},
		{"event A a b c", "g.txt:1: too many words"},
		{"metric m u = A / ops", "g.txt:1: formula 'A / ops': there is no such name"},
		{"event A a\nmetric m u = A /", "g.txt:2: formula"},
		{"metric m u 1", "g.txt:1: a metric is NAME UNIT = FORMULA"},
		{"cpu V six", "g.txt:1: a cpu is VENDOR FAMILY"},
		{"cpu V 6 1-x", "g.txt:1: no range of models '1-x'"},
		{"cpu V -6", "g.txt:1: a cpu is"},
		{"set 3", "g.txt:1: 'set' stands alone"},
		{"note", "g.txt:1: a note is missing"},
		{"summary a\nsummary b", "g.txt:2: there is a summary already"},
	};
	struct nslab_group *group;
	struct nslab_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(nslab_group_parse("g.txt", rows[i].text, &group, &err), -EINVAL);
		if (strncmp(err.text, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("'%s' does not begin with '%s'", err.text, rows[i].error);
	}
	assert_int_equal(nslab_group_parse(".txt", "summary x", &group, &err), -EINVAL);
}

static void group_refuses_more_than_it_holds(void **state)
{
	static const char *const lines[] = {"cpu V 6\n", "event E%d raw:0x1\n",
					    "metric m%d u = 1\n", "note %d\n"};
	struct nslab_group *group;
	struct nslab_err err;

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		char text[1024];
		size_t len = (size_t)snprintf(text, sizeof(text), "summary x\n");

		for (int i = 0; i < 13; i++) {
			char digits[12], *mark;

			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", lines[k]);
			mark = strstr(text, "%d");
			snprintf(digits, sizeof(digits), "%02d", i);
			if (mark)
				memcpy(mark, digits, 2);
		}
		assert_int_equal(nslab_group_parse("g.txt", text, &group, &err), -EINVAL);
		assert_non_null(strstr(err.text, "too many"));
	}
}

/* Every prefix of a good file, and every byte of it spoiled, is read or refused. */
static void group_survives_damage(void **state)
{
	static const char good[] = "summary x\ncpu V 6 1-3\nset\nevent A raw:0x1\n y\n"
				   "metric m u = (A + 1.5) / ops\nnote n\n";
	static const char spoils[] = {'\n', ' ', '\v', 'A', '-', '(', '#', '\x80'};
	char text[sizeof(good)];
	int nr_good = 0;

	(void)state;
	for (size_t at = 0; at < sizeof(good) - 1; at++) {
		for (size_t s = 0; s <= sizeof(spoils); s++) {
			struct nslab_group *group;
			struct nslab_err err = {""};

			memcpy(text, good, sizeof(good));
			text[at] = s < sizeof(spoils) ? spoils[s] : '\0';
			if (nslab_group_parse("g.txt", text, &group, &err)) {
				assert_true(err.text[0] != '\0');
				continue;
			}
			nslab_group_free(group);
			nr_good++;
		}
	}
	assert_true(nr_good > 0);
}

/* ---- what ships ---- */

static void ship_groups_are_read_and_say_what_holds(void **state)
{
	static const char *const names[] = {
		"generic",	   "intel-icx",	      "intel-spr",	 "amd-zen2",
		"amd-zen3",	   "amd-zen4",	      "amd-zen5",	 "arm-neoverse-n1",
		"arm-neoverse-n2", "arm-neoverse-v1", "arm-neoverse-v2",
	};
	struct nslab_groups groups;
	struct nslab_err err;

	(void)state;
	assert_int_equal(nslab_groups_load(&groups, &err), 0);
	assert_int_equal(groups.nr, sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < groups.nr; i++) {
		struct nslab_group *group = nslab_groups_find(&groups, names[i]);

		assert_non_null(group);
		assert_true(group->nr_metrics >= 3);
		assert_true(group->nr_notes >= 2);
		assert_int_equal(group->nr_cpus == 0, !strcmp(names[i], "generic"));
	}
	nslab_groups_free(&groups);
}

static void ship_groups_are_chosen_by_cpu(void **state)
{
	static const struct {
		struct nslab_cpu_id id;
		const char *name;
	} rows[] = {
		{{"GenuineIntel", 6, 106}, "intel-icx"},
		{{"GenuineIntel", 6, 108}, "intel-icx"},
		{{"GenuineIntel", 6, 143}, "intel-spr"},
		{{"GenuineIntel", 6, 207}, "intel-spr"},
		{{"GenuineIntel", 6, 85}, NULL},
		{{"AuthenticAMD", 23, 1}, NULL},
		{{"AuthenticAMD", 23, 49}, "amd-zen2"},
		{{"AuthenticAMD", 25, 1}, "amd-zen3"},
		{{"AuthenticAMD", 25, 80}, "amd-zen3"},
		{{"AuthenticAMD", 25, 17}, "amd-zen4"},
		{{"AuthenticAMD", 25, 97}, "amd-zen4"},
		{{"AuthenticAMD", 25, 160}, "amd-zen4"},
		{{"AuthenticAMD", 26, 2}, "amd-zen5"},
		{{"0x41", 0xd0c, 0}, "arm-neoverse-n1"},
		{{"0x41", 0xd49, 0}, "arm-neoverse-n2"},
		{{"0x41", 0xd40, 0}, "arm-neoverse-v1"},
		{{"0x41", 0xd4f, 0}, "arm-neoverse-v2"},
		{{"0x41", 0xd03, 0}, NULL},
		{{"", -1, -1}, NULL},
	};
	struct nslab_groups groups;
	struct nslab_err err;

	(void)state;
	assert_int_equal(nslab_groups_load(&groups, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nslab_group *group = nslab_groups_for(&groups, &rows[i].id);

		if (rows[i].name)
			assert_string_equal(group ? group->name : "none", rows[i].name);
		else
			assert_null(group);
	}
	nslab_groups_free(&groups);
}

/* ---- encodings ---- */

static void check_code(const char *name, unsigned type, uint64_t config, uint64_t config1)
{
	struct nslab_perf_event event = {0};
	char why[128] = "";
	bool is_here;

	if (nslab_event_encode(name, &event, &is_here, why, sizeof(why)))
		fail_msg("%s: %s", name, why);
	if (event.type != type || event.config != config || event.config1 != config1)
		fail_msg("%s is %u 0x%llx 0x%llx", name, event.type,
			 (unsigned long long)event.config, (unsigned long long)event.config1);
}

static bool has_names(void)
{
	struct nslab_perf_event event = {0};
	char why[128];
	bool is_here;

	return nslab_event_encode("perf::CYCLES", &event, &is_here, why, sizeof(why)) != -ENOSYS;
}

#define ZEN2 "amd64_fam17h_zen2::"
#define ZEN3 "amd64_fam19h_zen3::ANY_DATA_CACHE_FILLS_FROM_SYSTEM:"
#define ZEN4 "amd64_fam19h_zen4::ANY_DATA_CACHE_FILLS_FROM_SYSTEM:"

static void encode_knows_the_codes_of_x86(void **state)
{
	static const struct {
		const char *name;
		unsigned type;
		uint64_t config, config1;
	} rows[] = {
		{"icx::MEM_LOAD_RETIRED:L3_MISS", 4, 0x20d1, 0},
		{"icx::LONGEST_LAT_CACHE:MISS", 4, 0x412e, 0},
		{"icx::MEM_LOAD_L3_MISS_RETIRED:LOCAL_DRAM", 4, 0x1d3, 0},
		{"icx::MEM_LOAD_L3_MISS_RETIRED:REMOTE_DRAM", 4, 0x2d3, 0},
		{"icx::OCR:READS_TO_CORE_REMOTE_DRAM", 4, 0x1b7, 0x730000477},
		{"icx::MEM_LOAD_L3_HIT_RETIRED:XSNP_HITM", 4, 0x4d2, 0},
		{"icx::MEM_LOAD_L3_MISS_RETIRED:REMOTE_HITM", 4, 0x4d3, 0},
		{"icx::DTLB_LOAD_MISSES:WALK_COMPLETED", 4, 0xe08, 0},
		{"spr::MEM_LOAD_RETIRED:L3_MISS", 4, 0x20d1, 0},
		{"spr::LONGEST_LAT_CACHE:MISS", 4, 0x412e, 0},
		{"spr::OCR:DEMAND_DATA_RD_LOCAL_DRAM", 4, 0x12a, 0x104000001},
		{"spr::OCR:READS_TO_CORE_REMOTE_DRAM", 4, 0x12a, 0x730004477},
		{"spr::MEM_LOAD_L3_HIT_RETIRED:XSNP_FWD", 4, 0x4d2, 0},
		{"spr::DTLB_LOAD_MISSES:WALK_COMPLETED", 4, 0xe12, 0},
		{ZEN2 "DATA_CACHE_REFILLS_FROM_SYSTEM:LS_MABRESP_RMT_DRAM", 4, 0x4043, 0},
		{ZEN3 "MEM_IO_LCL", 4, 0x844, 0},
		{ZEN3 "MEM_IO_RMT", 4, 0x4044, 0},
		{ZEN3 "EXT_CACHE_RMT", 4, 0x1044, 0},
		{ZEN4 "DRAM_IO_NEAR", 4, 0x844, 0},
		{ZEN4 "DRAM_IO_FAR", 4, 0x4044, 0},
		{ZEN4 "FAR_CACHE_NEAR_FAR", 4, 0x1044, 0},
		{"amd64_fam19h_zen4::L1_DTLB_MISS:TLB_RELOAD_4K_L2_MISS", 4, 0x1045, 0},
		{"perf::LLC-LOAD-MISSES", 3, 0x10002, 0},
		{"perf::NODE-LOAD-MISSES", 3, 0x10006, 0},
		{"perf::DTLB-LOAD-MISSES", 3, 0x10003, 0},
	};

	(void)state;
#if !defined(__x86_64__)
	skip();
#endif
	if (!has_names())
		skip();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_code(rows[i].name, rows[i].type, rows[i].config, rows[i].config1);
}

static void encode_reads_raw_codes(void **state)
{
	static const char *const wrong[] = {"raw:",
					    "raw:4d3",
					    "raw:0x",
					    "raw:0x1:",
					    "raw:0x1:0x2:0x3",
					    "raw:0x1g",
					    "raw:0x1ffffffffffffffff"};
	struct nslab_perf_event event = {0};
	char why[128];
	bool is_here;

	(void)state;
	check_code("raw:0x4d3", PERF_TYPE_RAW, 0x4d3, 0);
	check_code("raw:0x12a:0x104000001", PERF_TYPE_RAW, 0x12a, 0x104000001);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(nslab_event_encode(wrong[i], &event, &is_here, why, sizeof(why)),
				 -EINVAL);
		assert_int_equal(event.config, 0);
	}
}

/* Has libpfm4, as built for this machine, tables for the group's CPU? */
static bool is_own_group(const struct nslab_group *group)
{
	bool is_arm = !strncmp(group->name, "arm-", 4);

#if defined(__x86_64__)
	return !is_arm;
#else
	return is_arm;
#endif
}

/* The first name of an event, where libpfm4 can know it, has the code that stands behind it. */
static int check_event(const struct nslab_group *group, const struct nslab_group_event *event)
{
	struct nslab_perf_event code = {0};
	char why[128] = "";
	bool is_here;

	if (!event->names[1])
		return 0;
	assert_int_equal(nslab_event_encode(event->names[1], &code, &is_here, why, sizeof(why)), 0);
	if (!has_names() || !is_own_group(group))
		return 0;
	check_code(event->names[0], code.type, code.config, code.config1);
	return 1;
}

static void ship_groups_have_names_and_codes_that_agree(void **state)
{
	struct nslab_groups groups;
	struct nslab_err err;
	int nr_checked = 0;

	(void)state;
	assert_int_equal(nslab_groups_load(&groups, &err), 0);
	for (size_t g = 0; g < groups.nr; g++) {
		for (int i = 0; i < groups.group[g]->nr_events; i++)
			nr_checked += check_event(groups.group[g], &groups.group[g]->events[i]);
	}
	assert_true(nr_checked > 0 || !has_names());
	nslab_groups_free(&groups);
}

/* ---- what a plan's words choose ---- */

static const struct nslab_cpu_id test_icx = {"GenuineIntel", 6, 106};
static const struct nslab_cpu_id test_unknown = {"Nobody", 1, 1};

static struct nslab_counter_choice *choose(const struct nslab_cpu_id *id, const char *a,
					   const char *b)
{
	const char *words[] = {a, b, NULL};
	struct nslab_counter_choice *choice = NULL;
	struct nslab_err err;

	if (nslab_choice_make(words, id, &choice, &err))
		fail_msg("%s", err.text);
	return choice;
}

static void choice_is_generic_when_nothing_is_said(void **state)
{
	struct nslab_counter_choice *choice = choose(&test_icx, NULL, NULL);

	(void)state;
	assert_int_equal(choice->nr_groups, 1);
	assert_string_equal(choice->groups[0]->name, "generic");
	assert_int_equal(choice->nr_events, 0);
	assert_false(choice->is_simulated);
	nslab_choice_free(choice);
}

static void choice_takes_the_group_of_this_cpu(void **state)
{
	struct nslab_counter_choice *choice = choose(&test_icx, "auto", "intel-icx");

	(void)state;
	assert_int_equal(choice->nr_groups, 2);
	assert_string_equal(choice->groups[0]->name, "intel-icx");
	assert_string_equal(choice->groups[1]->name, "generic");
	assert_int_equal(choice->nr_events, choice->groups[0]->nr_events);
	assert_string_equal(choice->events[2].name, "intel-icx/REMOTE_DRAM");
	assert_int_equal(choice->events[2].event.config, 0x2d3);
	assert_string_equal(choice->events[2].reason, "");
	assert_int_equal(choice->events[0].event.group, choice->events[3].event.group);
	assert_int_not_equal(choice->events[0].event.group, choice->events[4].event.group);
	nslab_choice_free(choice);
	choice = choose(&test_unknown, "auto", "simulated");
	assert_int_equal(choice->nr_groups, 1);
	assert_int_equal(choice->nr_events, 0);
	assert_true(choice->is_simulated);
	nslab_choice_free(choice);
}

static void choice_never_opens_another_cpus_codes(void **state)
{
	struct nslab_counter_choice *choice = choose(&test_unknown, "intel-icx", NULL);

	(void)state;
	assert_true(choice->nr_events > 0);
	for (size_t i = 0; i < choice->nr_events; i++)
		assert_string_equal(choice->events[i].reason,
				    "group 'intel-icx' is not for this CPU, Nobody family 1 model "
				    "1");
	nslab_choice_free(choice);
}

static void choice_takes_events_by_name(void **state)
{
	struct nslab_counter_choice *choice = choose(&test_icx, "cache-misses", "raw:0x4d3");

	(void)state;
	assert_int_equal(choice->nr_groups, 0);
	assert_int_equal(choice->nr_events, 1); /* perf's own are in every set */
	assert_string_equal(choice->events[0].name, "raw:0x4d3");
	assert_int_equal(choice->events[0].event.config, 0x4d3);
	nslab_choice_free(choice);
}

static void choice_refuses_a_word_that_is_nothing(void **state)
{
	const char *words[] = {"intel-ivx", NULL};
	struct nslab_counter_choice *choice = NULL;
	struct nslab_err err;

	(void)state;
	assert_int_equal(nslab_choice_make(words, &test_icx, &choice, &err), -EINVAL);
	assert_null(choice);
	assert_non_null(strstr(err.text, "'intel-ivx' is no event"));
	assert_non_null(strstr(err.text, "intel-icx, "));
}

static void choice_refuses_more_events_than_fit(void **state)
{
	char codes[NSLAB_PMU_MAX + 1][16];
	const char *words[NSLAB_PMU_MAX + 2];
	struct nslab_counter_choice *choice = NULL;
	struct nslab_err err;

	(void)state;
	for (unsigned i = 0; i <= NSLAB_PMU_MAX; i++) {
		snprintf(codes[i], sizeof(codes[i]), "raw:0x%x", i);
		words[i] = codes[i];
	}
	words[NSLAB_PMU_MAX + 1] = NULL;
	assert_int_equal(nslab_choice_make(words, &test_icx, &choice, &err), -E2BIG);
	words[NSLAB_PMU_MAX] = codes[0]; /* a second time: no more room is needed */
	assert_int_equal(nslab_choice_make(words, &test_icx, &choice, &err), 0);
	assert_int_equal(choice->nr_events, NSLAB_PMU_MAX);
	nslab_choice_free(choice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formula_evaluates_with_the_usual_order),
		cmocka_unit_test(formula_is_null_when_a_part_is_or_by_zero),
		cmocka_unit_test(formula_refuses_what_is_none),
		cmocka_unit_test(cpu_id_reads_x86_and_arm),
		cmocka_unit_test(group_reads_all_kinds_of_lines),
		cmocka_unit_test(group_names_file_and_line_of_a_mistake),
		cmocka_unit_test(group_refuses_more_than_it_holds),
		cmocka_unit_test(group_survives_damage),
		cmocka_unit_test(ship_groups_are_read_and_say_what_holds),
		cmocka_unit_test(ship_groups_are_chosen_by_cpu),
		cmocka_unit_test(encode_knows_the_codes_of_x86),
		cmocka_unit_test(encode_reads_raw_codes),
		cmocka_unit_test(ship_groups_have_names_and_codes_that_agree),
		cmocka_unit_test(choice_is_generic_when_nothing_is_said),
		cmocka_unit_test(choice_takes_the_group_of_this_cpu),
		cmocka_unit_test(choice_never_opens_another_cpus_codes),
		cmocka_unit_test(choice_takes_events_by_name),
		cmocka_unit_test(choice_refuses_a_word_that_is_nothing),
		cmocka_unit_test(choice_refuses_more_events_than_fit),
	};

	return cmocka_run_group_tests_name("counter groups", tests, NULL, NULL);
}
