/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_env.c: probes and provenance on made-up trees, never on the machine itself.
 *
 * tests/data/sysroots/make.sh writes three servers. Each rule is shown by the good one with one
 * file other than wanted: it alone must answer, and a rule without such a case is an error. What is
 * absent or not understood must be unknown.
 */
#define _GNU_SOURCE
#include "results/store.h"
#include "runner/provenance.h"
#include "tests/unit/env_tree.h"

#include <math.h>

/* ---- probes ---- */

/* One file of the good tree is `text` for a moment: this probe alone answers otherwise. */
static const struct rule_case {
	const char *probe, *path, *text;
	enum nslab_host_state state;
} rule_cases[] = {
	{"governor", CPU0 "cpufreq/scaling_governor", "powersave\n", NSLAB_HOST_WARN},
	{"turbo", CPUS "intel_pstate/no_turbo", "0\n", NSLAB_HOST_WARN},
	{"turbo", CPUS "cpufreq/boost", "1\n", NSLAB_HOST_WARN},
	{"turbo", CPU0 "cpufreq/boost", "1\n", NSLAB_HOST_WARN},
	{"smt", CPUS "smt/active", "1\n", NSLAB_HOST_WARN},
	{"smt", CPU0 "topology/thread_siblings_list", "0-1\n", NSLAB_HOST_WARN},
	{"smt", CPU0 "topology/thread_siblings_list", "0,2\n", NSLAB_HOST_WARN},
	{"aslr", "/proc/sys/kernel/randomize_va_space", "0\n", NSLAB_HOST_WARN},
	{"thp", MM "transparent_hugepage/enabled", "[always] madvise never\n", NSLAB_HOST_WARN},
	{"thp", MM "transparent_hugepage/enabled", "always madvise [never]\n", NSLAB_HOST_OK},
	{"numa_balancing", "/proc/sys/kernel/numa_balancing", "1\n", NSLAB_HOST_WARN},
	{"ksm", MM "ksm/run", "1\n", NSLAB_HOST_WARN},
	{"ksm", MM "ksm/run", "2\n", NSLAB_HOST_OK},
	{"interrupts", "/proc/interrupts",
	 "  CPU0 CPU1\n 24: 50 2001 PCI-MSI 0-edge eth0\nLOC: 900 1000 Local timer interrupts\n",
	 NSLAB_HOST_WARN},
	{"interrupts", "/proc/interrupts",
	 " CPU0\n 11: 900 GICv3 27 Level arch_timer\n 24: 1700 PCI-MSI eth0\n", NSLAB_HOST_OK},
	{"interrupts", "/proc/interrupts", "24: 50 eth0\n", NSLAB_HOST_UNKNOWN},
	{"throttling", CPU0 "thermal_throttle/core_throttle_count", "3\n", NSLAB_HOST_WARN},
	{"throttling", CPU0 "thermal_throttle/package_throttle_count", "1\n", NSLAB_HOST_WARN},
	{"throttling", CPU0 "thermal_throttle/core_throttle_count", "what\n", NSLAB_HOST_UNKNOWN},
	{"steal", "/proc/stat", "cpu  500 0 300 180 0 0 0 20 0 0\n", NSLAB_HOST_WARN},
	{"steal", "/proc/stat", "cpu  500 0 300\n", NSLAB_HOST_UNKNOWN},
	{"cpu_quota", "/sys/fs/cgroup/user.slice/job\\x2d1.scope/cpu.max", "50000 100000\n",
	 NSLAB_HOST_WARN},
	{"cpu_quota", "/sys/fs/cgroup/user.slice/cpu.max", "50000 100000\n", NSLAB_HOST_WARN},
	{"quota_throttled", "/sys/fs/cgroup/user.slice/cpu.stat",
	 "nr_periods 9\nnr_throttled 4\nthrottled_usec 90\n", NSLAB_HOST_REFUSE},
	{"cpu_pressure", "/proc/pressure/cpu", "some avg10=5.00 avg60=0.00\n", NSLAB_HOST_WARN},
	{"cpu_pressure", "/proc/pressure/cpu", "none\n", NSLAB_HOST_UNKNOWN},
	{"memory_pressure", "/proc/pressure/memory", "some avg10=71.20\n", NSLAB_HOST_WARN},
	{"perf_paranoid", "/proc/sys/kernel/perf_event_paranoid", "4\n", NSLAB_HOST_WARN},
	{"perf_paranoid", "/proc/sys/kernel/perf_event_paranoid", "-1\n", NSLAB_HOST_OK},
	{"perf_paranoid", "/proc/sys/kernel/perf_event_paranoid", "?\n", NSLAB_HOST_UNKNOWN},
	{"clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource",
	 "hpet\n", NSLAB_HOST_REFUSE},
	{"clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource", "xen\n",
	 NSLAB_HOST_WARN},
	{"kernel_config", "/boot/config-6.12.0", "\x1f\x8b\x08 no gzip\n", NSLAB_HOST_UNKNOWN},
};

#define NR_RULE_CASES (sizeof(rule_cases) / sizeof(rule_cases[0]))

static void rule_case_check(const struct tree *tree, const struct rule_case *c)
{
	struct nslab_host_report report;
	char *old, full[512];

	if (nslab_host_read(&tree->root, c->path, &old, NULL))
		old = NULL;
	tree_put(tree, c->path, c->text);
	assert_int_equal(nslab_host_report_read(&tree->root, &report), 0);
	if (find(&report, c->probe)->state != c->state)
		fail_msg("'%s' with '%s' in '%s' is %s", c->probe, c->text, c->path,
			 nslab_host_state_word(find(&report, c->probe)->state));
	for (size_t i = 0; i < report.nr; i++) {
		const struct nslab_host_finding *finding = &report.findings[i];

		assert_true(finding->state <= NSLAB_HOST_RECORD ||
			    !strcmp(finding->probe->name, c->probe));
		assert_int_equal(finding->state > NSLAB_HOST_RECORD, *finding->why != '\0');
	}
	nslab_host_report_free(&report);
	snprintf(full, sizeof(full), "%s%s", tree->path, c->path);
	if (old)
		tree_put(tree, c->path, old);
	else
		assert_int_equal(unlink(full), 0);
	free(old);
}

static void env_rule_answers_alone_when_its_file_is_wrong(void **state)
{
	struct tree tree = tree_open("good");

	(void)state;
	for (size_t i = 0; i < NR_RULE_CASES; i++)
		rule_case_check(&tree, &rule_cases[i]);
	nslab_host_root_close(&tree.root);
}

static void env_rule_has_a_case_reason_and_fix(void **state)
{
	(void)state;
	for (size_t i = 0; i < nslab_host_nr_probes; i++) {
		const struct nslab_host_probe *probe = &nslab_host_probes[i];
		size_t nr = 0;

		for (size_t k = 0; k < NR_RULE_CASES; k++) {
			nr += !strcmp(rule_cases[k].probe, probe->name) &&
			      (rule_cases[k].state == NSLAB_HOST_WARN ||
			       rule_cases[k].state == NSLAB_HOST_REFUSE);
		}
		if (probe->judge && (!nr || !probe->why || !probe->fix))
			fail_msg("rule '%s' has no case, no reason or no fix", probe->name);
	}
}

static void env_reads_unknown_when_files_are_absent(void **state)
{
	struct tree tree = tree_open(NULL);
	struct nslab_host_report report;

	(void)state;
	assert_int_equal(nslab_host_report_read(&tree.root, &report), 0);
	for (size_t i = 0; i < report.nr; i++) {
		assert_int_equal(report.findings[i].state, NSLAB_HOST_UNKNOWN);
		assert_null(report.findings[i].value);
		assert_true(report.findings[i].why[0] != '\0');
	}
	nslab_host_report_free(&report);
	nslab_host_root_close(&tree.root);
}

static void env_reads_every_probe_of_a_whole_tree(void **state)
{
	struct tree tree = tree_open("good");
	struct nslab_host_report report;

	(void)state;
	assert_int_equal(nslab_host_report_read(&tree.root, &report), 0);
	assert_int_equal(nslab_host_report_count(&report, NSLAB_HOST_UNKNOWN), 0);
	assert_int_equal(nr_wrong(&report), 0);
	assert_string_equal(find(&report, "governor")->value, "performance (4 files)");
	assert_string_equal(find(&report, "cpu_quota")->value, "cpu.max=max 100000 (2 files)");
	assert_string_equal(find(&report, "microcode")->value, "microcode : 0x2b0001");
	assert_string_equal(find(&report, "numa_events")->value,
			    "numa_hit 100\nnuma_pages_migrated 0");
	assert_string_equal(find(&report, "isolation")->value,
			    "isolated=(empty); nohz_full=(null)");
	assert_non_null(strstr(find(&report, "kernel_config")->value, "\nCONFIG_HZ=250"));
	assert_null(strstr(find(&report, "kernel_config")->value, "CONFIG_FOO"));
	nslab_host_report_free(&report);
	nslab_host_root_close(&tree.root);
}

static void env_reads_a_packed_configuration(void **state)
{
	struct tree tree = tree_open("good");
	struct nslab_host_report report;

	(void)state;
	shell("gzip -c %s/boot/config-6.12.0 >%s/proc/config.gz && rm %s/boot/config-6.12.0",
	      tree.path, tree.path, tree.path);
	assert_int_equal(nslab_host_report_read(&tree.root, &report), 0);
	assert_non_null(strstr(find(&report, "kernel_config")->value, "\nCONFIG_SLUB=y"));
	nslab_host_report_free(&report);
	nslab_host_root_close(&tree.root);
}

static void env_finds_quotas_of_version_1_groups(void **state)
{
	struct tree tree = tree_open(NULL);
	struct nslab_host_report report;

	(void)state;
	shell("mkdir -p %s/proc/self %s/sys/fs/cgroup/cpu/a/b", tree.path, tree.path);
	tree_put(&tree, "/proc/self/cgroup", "9:name=x:/no\n2:cpuacct,cpu:/a/b\n0::/\n");
	tree_put(&tree, "/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
	assert_int_equal(nslab_host_report_read(&tree.root, &report), 0);
	assert_int_equal(find(&report, "cpu_quota")->state, NSLAB_HOST_OK);
	nslab_host_report_free(&report);
	tree_put(&tree, "/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "20000\n");
	assert_int_equal(nslab_host_report_read(&tree.root, &report), 0);
	assert_int_equal(find(&report, "cpu_quota")->state, NSLAB_HOST_WARN);
	nslab_host_report_free(&report);
	nslab_host_root_close(&tree.root);
}

static void assert_wrong(const char *kind, const char *const *names)
{
	struct tree tree = tree_open(kind);
	struct nslab_host_report report;
	size_t nr = 0;

	assert_int_equal(nslab_host_report_read(&tree.root, &report), 0);
	for (; names[nr]; nr++)
		assert_in_range(find(&report, names[nr])->state, NSLAB_HOST_WARN,
				NSLAB_HOST_REFUSE);
	assert_int_equal(nr_wrong(&report), nr);
	nslab_host_report_free(&report);
	nslab_host_root_close(&tree.root);
}

static void env_finds_what_is_wrong_with_servers_as_they_come(void **state)
{
	static const char *const intel[] = {"governor",	      "turbo", "smt",	     "thp",
					    "numa_balancing", "ksm",   "throttling", NULL};
	static const char *const amd[] = {"governor",  "turbo",		  "smt",
					  "thp",       "numa_balancing",  "ksm",
					  "cpu_quota", "quota_throttled", NULL};

	(void)state;
	assert_wrong("intel", intel);
	assert_wrong("amd", amd);
}

static void env_survives_texts_of_any_bytes(void **state)
{
	struct tree tree = tree_open("good");
	struct nslab_host_report report;
	json_t *json;

	(void)state;
	shell("find %s -type f | while read -r file; do chmod u+w \"$file\";"
	      " head -c 3000 /bin/sh >\"$file\"; done",
	      tree.path);
	assert_int_equal(nslab_host_report_read(&tree.root, &report), 0);
	json = nslab_host_report_json(&report);
	assert_int_equal(json_object_size(json), nslab_host_nr_probes);
	json_decref(json);
	nslab_host_report_free(&report);
	nslab_host_root_close(&tree.root);
}

/* ---- before and after a run ---- */

/* One file of the good tree is another afterwards. why NULL: that tells nothing. */
static const struct change_case {
	const char *probe, *path, *text, *why;
} change_cases[] = {
	{"throttling", CPU0 "thermal_throttle/core_throttle_count", "7\n",
	 "times that the CPU was slowed down by heat: 7"},
	{"quota_throttled", "/sys/fs/cgroup/user.slice/cpu.stat", "nr_periods 9\nnr_throttled 3\n",
	 "periods in which the control group was stopped for its quota: 3"},
	{"numa_events", "/proc/vmstat", "numa_hit 900\nnuma_pages_migrated 12\n",
	 "pages that the kernel moved between nodes by itself: 12"},
	{"numa_events", "/proc/vmstat", "numa_hit 900\nnuma_pages_migrated 0\n", NULL},
	{"interrupts", "/proc/interrupts",
	 " CPU0 CPU1\n 24: 100 9050 PCI-MSI 0-edge nvme0q0\n LOC: 1500 1600 Local timer\n",
	 "a device interrupts more than twice as often as the timer: 9000 on column 1, the timer "
	 "600"},
	{"interrupts", "/proc/interrupts",
	 " CPU0 CPU1\n 24: 1000 50 PCI-MSI 0-edge nvme0q0\n LOC: 1001 1000 Local timer\n", NULL},
	{"governor", CPU0 "cpufreq/scaling_governor", "powersave\n",
	 "it was 'performance (4 files)' and is 'powersave; performance (3 files)'"},
	{"clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource",
	 "hpet\n", "it was 'tsc' and is 'hpet'"},
	{"load", "/proc/loadavg", "9.00 8.00 7.00 9/300 4243\n", NULL},
};

static const struct nslab_host_probe *find_probe(const json_t *change)
{
	const char *name = json_string_value(json_object_get(change, "probe"));

	for (size_t i = 0; i < nslab_host_nr_probes; i++) {
		if (!strcmp(nslab_host_probes[i].name, name))
			return &nslab_host_probes[i];
	}
	fail_msg("no probe is called '%s'", name);
	return NULL;
}

static json_t *probes_of(const struct tree *tree)
{
	struct nslab_host_report report;
	json_t *probes;

	assert_int_equal(nslab_host_report_read(&tree->root, &report), 0);
	probes = nslab_host_report_json(&report);
	nslab_host_report_free(&report);
	return probes;
}

static void env_change_tells_what_grew_or_is_another_during_a_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(change_cases) / sizeof(change_cases[0]); i++) {
		const struct change_case *c = &change_cases[i];
		struct tree tree = tree_open("good");
		json_t *before = probes_of(&tree), *after, *changes, *change;

		tree_put(&tree, c->path, c->text);
		after = probes_of(&tree);
		changes = nslab_host_changes_json(before, after);
		assert_int_equal(json_array_size(changes), c->why ? 1 : 0);
		change = json_array_get(changes, 0);
		if (c->why && strcmp(json_string_value(json_object_get(change, "probe")), c->probe))
			fail_msg("'%s' is told of another probe", c->path);
		if (c->why)
			assert_string_equal(json_string_value(json_object_get(change, "why")),
					    c->why);
		json_decref(changes);
		/* a boot between the two: counts begin anew and say nothing */
		changes = nslab_host_changes_json(after, before);
		for (size_t k = 0; k < json_array_size(changes); k++)
			assert_null(find_probe(json_array_get(changes, k))->count);
		json_decref(changes);
		json_decref(before);
		json_decref(after);
		nslab_host_root_close(&tree.root);
	}
}

static void env_change_says_nothing_of_what_was_never_read(void **state)
{
	struct tree good = tree_open("good");
	json_t *probes = probes_of(&good), *none = json_object(), *changes;

	(void)state;
	for (int i = 0; i < 2; i++) {
		changes = nslab_host_changes_json(i ? probes : none, i ? none : probes);
		assert_int_equal(json_array_size(changes), 0);
		json_decref(changes);
	}
	json_decref(none);
	json_decref(probes);
	nslab_host_root_close(&good.root);
}

/* ---- provenance ---- */

static const char *text_at(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static void provenance_tells_host_inputs_and_probes(void **state)
{
	char path[64];
	json_t *env, *probes;

	(void)state;
	snprintf(path, sizeof(path), "%s/good", env_dir);
	env = nslab_provenance_env(path, "abc", NULL);
	assert_string_equal(text_at(env, "plan_sha256"),
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_true(json_is_null(json_object_get(env, "topology_sha256")));
	assert_string_equal(text_at(env, "boot_time"), "2026-01-01T00:00:00Z");
	assert_string_equal(text_at(env, "boot_id"), "11111111-2222-4333-8444-555555555555");
	assert_int_equal(strlen(text_at(env, "host_id")), 64);
	probes = json_object_get(json_object_get(env, "before"), "probes");
	assert_int_equal(json_object_size(probes), nslab_host_nr_probes);
	assert_string_equal(text_at(json_object_get(probes, "slabinfo"), "value"),
			    "slabinfo - version: 2.1");
	assert_non_null(strstr(text_at(json_object_get(probes, "buddyinfo"), "value"), "Normal"));
	json_decref(env);
}

static void provenance_is_null_when_nothing_can_be_read(void **state)
{
	struct tree tree = tree_open(NULL);
	json_t *env = nslab_provenance_env(tree.path, NULL, NULL);
	json_t *probes = json_object_get(json_object_get(env, "before"), "probes");

	(void)state;
	assert_true(json_is_null(json_object_get(env, "host_id")));
	assert_true(json_is_null(json_object_get(env, "boot_time")));
	assert_true(json_is_null(json_object_get(json_object_get(probes, "slabinfo"), "value")));
	assert_string_equal(text_at(json_object_get(probes, "slabinfo"), "state"), "unknown");
	json_decref(env);
	nslab_host_root_close(&tree.root);
}

static void provenance_names_commit_compiler_and_libc(void **state)
{
	json_t *build = nslab_provenance_build();

	(void)state;
	assert_true(*text_at(build, "git_sha") != '\0');
	assert_non_null(json_object_get(build, "is_dirty"));
	assert_non_null(strstr(text_at(build, "libc"), "glibc 2."));
	assert_true(*text_at(build, "compiler") != '\0');
	json_decref(build);
}

static void store_keeps_the_host_of_before_and_after(void **state)
{
	struct nslab_run_record run = {
		.uuid = "u", .name = "n", .env_json = "{\"before\":{\"a\":1}}"};
	struct nslab_store *store;
	struct nslab_err err = {""};
	char path[64], status[16];
	double harness_ns;

	(void)state;
	snprintf(path, sizeof(path), "%s/run.db", env_dir);
	assert_int_equal(nslab_store_create(path, &run, &store, &err), 0);
	assert_int_equal(nslab_store_env_after(store, "{\"b\":\"x\"}", &err), 0);
	assert_int_equal(nslab_store_finish(store, "done", NAN, "t", &err), 0);
	nslab_store_close(store);
	assert_int_equal(nslab_store_open(path, &store, &err), 0);
	assert_int_equal(nslab_store_run(store, &run, status, &harness_ns, &err), 0);
	assert_string_equal(run.env_json, "{\"before\":{\"a\":1},\"after\":{\"b\":\"x\"}}");
	nslab_store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(env_rule_answers_alone_when_its_file_is_wrong),
		cmocka_unit_test(env_rule_has_a_case_reason_and_fix),
		cmocka_unit_test(env_reads_unknown_when_files_are_absent),
		cmocka_unit_test(env_reads_every_probe_of_a_whole_tree),
		cmocka_unit_test(env_reads_a_packed_configuration),
		cmocka_unit_test(env_finds_quotas_of_version_1_groups),
		cmocka_unit_test(env_finds_what_is_wrong_with_servers_as_they_come),
		cmocka_unit_test(env_survives_texts_of_any_bytes),
		cmocka_unit_test(env_change_tells_what_grew_or_is_another_during_a_run),
		cmocka_unit_test(env_change_says_nothing_of_what_was_never_read),
		cmocka_unit_test(provenance_tells_host_inputs_and_probes),
		cmocka_unit_test(provenance_is_null_when_nothing_can_be_read),
		cmocka_unit_test(provenance_names_commit_compiler_and_libc),
		cmocka_unit_test(store_keeps_the_host_of_before_and_after),
	};

	return cmocka_run_group_tests(tests, make_trees, remove_trees);
}
