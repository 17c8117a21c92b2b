/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_env.c: probes, tuning and provenance on made-up trees, never on the machine itself.
 *
 * tests/data/sysroots/make.sh writes three servers. Each rule is shown by a copy of the good one in
 * which one file is other than wanted: it alone must answer, and a rule without such a case is an
 * error. A tune followed by its reset must leave bytes, modes and owners of the whole tree as they
 * were, also after a write that fails in the middle.
 */
#define _GNU_SOURCE
#include "results/store.h"
#include "runner/host/probes.h"
#include "runner/host/tune.h"
#include "runner/provenance.h"

#include <errno.h>
#include <linux/capability.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#define CPU0 "/sys/devices/system/cpu/cpu0/"
#define CPUS "/sys/devices/system/cpu/"
#define MM   "/sys/kernel/mm/"

static char env_dir[] = "/tmp/numaslab-env-XXXXXX";

/* ---- trees ---- */

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static int make_trees(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(env_dir));
	shell("bash '%s' %s", TEST_SYSROOTS, env_dir);
	return 0;
}

static int remove_trees(void **state)
{
	(void)state;
	shell("rm -rf %s", env_dir);
	return 0;
}

struct tree {
	struct nslab_host_root root;
	char undo[128];
	char path[64];
};

/* A copy of one of the trees, or (NULL) an empty one. */
static struct tree tree_open(const char *kind)
{
	struct tree tree = {.undo = ""};

	snprintf(tree.path, sizeof(tree.path), "%s/tree", env_dir);
	snprintf(tree.undo, sizeof(tree.undo), "%s/state/deep/undo", env_dir);
	shell("cd %s && rm -rf tree state && %s %s tree", env_dir, kind ? "cp -a" : "mkdir",
	      kind ? kind : "");
	assert_int_equal(nslab_host_root_open(tree.path, &tree.root, NULL), 0);
	return tree;
}

/* Folders are made, and a file that is not writable gives way to one that is. */
static void tree_put(const struct tree *tree, const char *path, const char *text)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", tree->path, path);
	if (access(full, W_OK))
		shell("rm -f '%s' && mkdir -p \"$(dirname '%s')\"", full, full);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void assert_tree_says(const struct tree *tree, const char *path, const char *text)
{
	char *now;

	assert_int_equal(nslab_host_read(&tree->root, path, &now, NULL), 0);
	assert_string_equal(now, text);
	free(now);
}

/* Names, modes, owners and bytes of everything in the tree. */
static void tree_digest(const struct tree *tree, char hex[65])
{
	char command[512];
	FILE *pipe;

	snprintf(command, sizeof(command),
		 "cd %s && { find . -printf '%%P %%m %%U %%G %%y\\n' | sort;"
		 " find . -type f -print0 | sort -z | xargs -0 sha256sum; } | sha256sum",
		 tree->path);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_int_equal(fread(hex, 1, 64, pipe), 64);
	hex[64] = '\0';
	assert_int_equal(pclose(pipe), 0);
}

static const struct nslab_host_finding *find(const struct nslab_host_report *report,
					     const char *name)
{
	for (size_t i = 0; i < report->nr; i++) {
		if (!strcmp(report->findings[i].probe->name, name))
			return &report->findings[i];
	}
	fail_msg("no probe is called '%s'", name);
	return NULL;
}

static size_t nr_wrong(const struct nslab_host_report *report)
{
	return nslab_host_report_count(report, NSLAB_HOST_WARN) +
	       nslab_host_report_count(report, NSLAB_HOST_REFUSE);
}

/* ---- probes ---- */

/* One file of the good tree becomes `text`: this probe alone answers otherwise. */
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

static void rule_case_check(const struct rule_case *c)
{
	struct tree tree = tree_open("good");
	struct nslab_host_report report;

	tree_put(&tree, c->path, c->text);
	assert_int_equal(nslab_host_report_read(&tree.root, &report), 0);
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
	nslab_host_root_close(&tree.root);
}

static void env_rule_answers_alone_when_its_file_is_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_RULE_CASES; i++)
		rule_case_check(&rule_cases[i]);
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

/* ---- tuning ---- */

static const struct nslab_host_tuning plain = {
	.latency_most_us = NSLAB_HOST_LEAVE,
	.perf_event_paranoid = NSLAB_HOST_LEAVE,
};
static const struct nslab_host_tuning all = {
	.is_smt_off = true,
	.latency_most_us = 10,
	.perf_event_paranoid = 0,
};

/* How many files were changed; the rest of the answer is the caller's. */
static int tune(const struct tree *tree, const struct nslab_host_tuning *tuning, size_t *nr,
		struct nslab_err *err)
{
	struct nslab_host_changes changes;
	int rc = nslab_host_tune_plan(&tree->root, tuning, &changes, err);

	assert_int_equal(rc, 0);
	*nr = changes.nr;
	rc = nslab_host_tune_apply(&tree->root, tree->undo, &changes, err);
	nslab_host_changes_free(&changes);
	return rc;
}

static void tune_and_reset(const char *kind, const struct nslab_host_tuning *tuning)
{
	struct tree tree = tree_open(kind);
	char before[65], tuned[65], after[65];
	struct nslab_err err = {""};
	size_t nr, nr_restored;

	tree_digest(&tree, before);
	assert_int_equal(tune(&tree, tuning, &nr, &err), 0);
	assert_int_equal(access(tree.undo, F_OK), 0);
	tree_digest(&tree, tuned);
	assert_string_not_equal(before, tuned);
	assert_int_equal(nslab_host_tune_reset(&tree.root, tree.undo, &nr_restored, &err), 0);
	assert_int_equal(nr, nr_restored);
	assert_int_equal(access(tree.undo, F_OK), -1);
	tree_digest(&tree, after);
	assert_string_equal(before, after);
	nslab_host_root_close(&tree.root);
}

static void tune_leaves_no_byte_other_when_reset(void **state)
{
	(void)state;
	tune_and_reset("intel", &plain);
	tune_and_reset("intel", &all);
	tune_and_reset("amd", &plain);
	tune_and_reset("amd", &all);
}

static void tune_makes_rules_content_when_it_is_done(void **state)
{
	static const char *const fixed[] = {"governor", "turbo", "thp", "numa_balancing", "ksm"};
	struct tree tree = tree_open("amd");
	struct nslab_host_report report;
	struct nslab_err err = {""};
	size_t nr;

	(void)state;
	assert_int_equal(tune(&tree, &all, &nr, &err), 0);
	assert_int_equal(nslab_host_report_read(&tree.root, &report), 0);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		assert_int_equal(find(&report, fixed[i])->state, NSLAB_HOST_OK);
	assert_tree_says(&tree, CPUS "smt/control", "off\n");
	assert_tree_says(&tree, CPU0 "cpuidle/state2/disable", "1\n");
	assert_tree_says(&tree, CPU0 "cpuidle/state1/disable", "0\n");
	assert_tree_says(&tree, "/proc/sys/kernel/perf_event_paranoid", "0\n");
	nslab_host_report_free(&report);
	nslab_host_root_close(&tree.root);
}

static void tune_leaves_what_was_not_asked_for(void **state)
{
	struct tree tree = tree_open("intel");
	struct nslab_err err = {""};
	size_t nr;

	(void)state;
	assert_int_equal(tune(&tree, &plain, &nr, &err), 0);
	assert_int_equal(nr, 8 + 1 + 3);
	assert_tree_says(&tree, CPUS "smt/control", "on\n");
	assert_tree_says(&tree, CPU0 "cpuidle/state2/disable", "0\n");
	assert_tree_says(&tree, "/proc/sys/kernel/perf_event_paranoid", "2\n");
	nslab_host_root_close(&tree.root);
}

static void tune_changes_nothing_when_all_is_fine(void **state)
{
	struct tree tree = tree_open("good");
	struct nslab_host_changes changes;

	(void)state;
	assert_int_equal(nslab_host_tune_plan(&tree.root, &plain, &changes, NULL), 0);
	assert_int_equal(changes.nr, 0);
	nslab_host_changes_free(&changes);
	nslab_host_root_close(&tree.root);
}

static void tune_keeps_the_first_values_when_run_twice(void **state)
{
	struct tree tree = tree_open("intel");
	char before[65], after[65];
	struct nslab_err err = {""};
	size_t nr;

	(void)state;
	tree_digest(&tree, before);
	assert_int_equal(tune(&tree, &plain, &nr, &err), 0);
	tree_put(&tree, CPU0 "cpufreq/scaling_governor", "ondemand\n");
	assert_int_equal(tune(&tree, &all, &nr, &err), 0);
	assert_int_equal(nslab_host_tune_reset(&tree.root, tree.undo, &nr, &err), 0);
	tree_digest(&tree, after);
	assert_string_equal(before, after);
	nslab_host_root_close(&tree.root);
}

/* Root may write everywhere, so that right is laid down for a moment. */
static void set_override(bool is_on)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	uint32_t bit = 1u << CAP_DAC_OVERRIDE;

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	data[0].effective =
		is_on ? data[0].effective | (data[0].permitted & bit) : data[0].effective & ~bit;
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static void tune_takes_all_back_when_a_write_fails(void **state)
{
	struct tree tree = tree_open("intel");
	char before[65], after[65];
	struct nslab_err err = {""};
	size_t nr;
	int rc;

	(void)state;
	shell("chmod 0444 %s" MM "ksm/run", tree.path);
	tree_digest(&tree, before);
	set_override(false);
	rc = tune(&tree, &plain, &nr, &err);
	set_override(true);
	assert_int_equal(rc, -EACCES);
	assert_non_null(strstr(err.text, "ksm/run'"));
	assert_non_null(strstr(err.text, "nothing is changed"));
	tree_digest(&tree, after);
	assert_string_equal(before, after);
	assert_int_equal(access(tree.undo, F_OK), -1);
	nslab_host_root_close(&tree.root);
}

static void tune_keeps_an_older_undo_when_a_write_fails(void **state)
{
	struct tree tree = tree_open("intel");
	char before[65], after[65];
	struct nslab_err err = {""};
	size_t nr;
	int rc;

	(void)state;
	shell("chmod 0444 %s/proc/sys/kernel/perf_event_paranoid", tree.path);
	tree_digest(&tree, before);
	assert_int_equal(tune(&tree, &plain, &nr, &err), 0);
	set_override(false);
	rc = tune(&tree, &all, &nr, &err);
	set_override(true);
	assert_int_equal(rc, -EACCES);
	assert_int_equal(nslab_host_tune_reset(&tree.root, tree.undo, &nr, &err), 0);
	assert_int_equal(nr, 8 + 1 + 3);
	tree_digest(&tree, after);
	assert_string_equal(before, after);
	nslab_host_root_close(&tree.root);
}

static void tune_never_follows_a_link_out_of_the_root(void **state)
{
	struct tree tree = tree_open("intel");
	struct nslab_err err = {""};
	char outside[128];
	struct stat st;
	size_t nr;

	(void)state;
	snprintf(outside, sizeof(outside), "%s/outside", env_dir);
	shell("echo 1 >%s && ln -sf %s %s" MM "ksm/run && rm %s/proc/sys/kernel/numa_balancing"
	      " && ln -s ../../../../../../../..%s %s/proc/sys/kernel/numa_balancing",
	      outside, outside, tree.path, tree.path, outside, tree.path);
	assert_int_equal(tune(&tree, &plain, &nr, &err), 0);
	assert_int_equal(nr, 8 + 1 + 1);
	shell("[ \"$(cat %s)\" = 1 ]", outside);
	assert_int_equal(lstat(outside, &st), 0);
	nslab_host_root_close(&tree.root);
}

/* ---- the undo file ---- */

static void undo_put(const struct tree *tree, const char *text, size_t nr)
{
	FILE *file;

	shell("mkdir -p %s/state/deep", env_dir);
	file = fopen(tree->undo, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, nr, file), nr);
	assert_int_equal(fclose(file), 0);
}

/* It is refused in one line, and neither it nor the tree is touched. */
static void assert_reset_refuses(const struct tree *tree, const char *words)
{
	char before[65], after[65];
	struct nslab_err err = {""};
	size_t nr;

	tree_digest(tree, before);
	assert_int_equal(nslab_host_tune_reset(&tree->root, tree->undo, &nr, &err), -EINVAL);
	if (!strstr(err.text, words) || strchr(err.text, '\n'))
		fail_msg("'%s' does not say '%s'", err.text, words);
	assert_int_equal(access(tree->undo, F_OK), 0);
	tree_digest(tree, after);
	assert_string_equal(before, after);
}

static void undo_is_refused_when_it_is_of_another_root_or_boot(void **state)
{
	struct tree tree = tree_open("intel"), other = {.path = ""};
	struct nslab_err err = {""};
	size_t nr;

	(void)state;
	assert_int_equal(tune(&tree, &plain, &nr, &err), 0);
	snprintf(other.path, sizeof(other.path), "%s/amd", env_dir);
	memcpy(other.undo, tree.undo, sizeof(other.undo));
	assert_int_equal(nslab_host_root_open(other.path, &other.root, NULL), 0);
	assert_reset_refuses(&other, "is for root");
	assert_int_equal(tune(&other, &plain, &nr, &err), -EINVAL);
	nslab_host_root_close(&other.root);
	tree_put(&tree, "/proc/sys/kernel/random/boot_id",
		 "99999999-0000-4000-8000-000000000000\n");
	assert_reset_refuses(&tree, "is of another boot");
	/* what it knew is gone with its boot, so it does not stop a new tune */
	tree_put(&tree, CPU0 "cpufreq/scaling_governor", "ondemand\n");
	assert_int_equal(tune(&tree, &plain, &nr, &err), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(nslab_host_tune_reset(&tree.root, tree.undo, &nr, &err), 0);
	assert_int_equal(nr, 1);
	assert_tree_says(&tree, CPU0 "cpufreq/scaling_governor", "ondemand\n");
	nslab_host_root_close(&tree.root);
}

static void undo_is_refused_when_it_names_other_files(void **state)
{
	static const char *const paths[] = {"/etc/machine-id", CPUS "cpu0/../../../../../../etc/x",
					    CPUS "cpu0/cpufreq/scaling_max_freq", "relative", ""};
	struct tree tree = tree_open("intel");
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int len =
			snprintf(text, sizeof(text),
				 "numaslab undo 1\nroot\t%s\nboot\t%s\nfile\t%s\t1\\x0a\nend\t1\n",
				 tree.root.path, "11111111-2222-4333-8444-555555555555", paths[i]);

		undo_put(&tree, text, (size_t)len);
		assert_reset_refuses(&tree, "which is never tuned");
	}
	nslab_host_root_close(&tree.root);
}

static void undo_is_refused_when_it_is_damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"hello\n",
		"numaslab undo 2\nroot\t/\nboot\tx\nend\t0\n",
		"numaslab undo 1\nroot\t/\\x0\nboot\tx\nend\t0\n",
		"numaslab undo 1\nroot\t/a\\x00b\nboot\tx\nend\t0\n",
		"numaslab undo 1\nroot\t/\nboot\t\nend\t0\n",
		"numaslab undo 1\nroot\t/\nboot\tx\nend\t1\n",
		"numaslab undo 1\nroot\t/\nboot\tx\nfile\t/a\nend\t1\n",
		"numaslab undo 1\nroot\t/\nboot\tx\nfile\t/a\t\\q\nend\t1\n",
		"numaslab undo 1\nroot\t/\nboot\tx\nend\t0\nend\t0\n",
		"numaslab undo 1\nroot\t/\nboot\tx\nend\t0\nmore",
	};
	struct tree tree = tree_open("intel");

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		undo_put(&tree, texts[i], strlen(texts[i]));
		assert_reset_refuses(&tree, "damaged");
	}
	nslab_host_root_close(&tree.root);
}

/* Cut anywhere: never taken for a whole one. */
static void undo_is_refused_when_it_is_cut_short(void **state)
{
	struct tree tree = tree_open("intel");
	struct nslab_host_undo undo;
	struct nslab_err err = {""};
	char text[8192];
	size_t nr, len;
	FILE *file;

	(void)state;
	assert_int_equal(tune(&tree, &plain, &nr, &err), 0);
	file = fopen(tree.undo, "r");
	assert_non_null(file);
	len = fread(text, 1, sizeof(text), file);
	fclose(file);
	assert_in_range(len, 100, sizeof(text) - 1);
	for (size_t cut = 0; cut < len; cut++) {
		undo_put(&tree, text, cut);
		assert_int_equal(nslab_host_undo_read(tree.undo, &undo, &err), -EINVAL);
		nslab_host_undo_free(&undo);
		cut += cut > 200 && cut + 200 < len ? 12 : 0;
	}
	nslab_host_root_close(&tree.root);
}

static void undo_keeps_bytes_of_any_kind(void **state)
{
	static const char bytes[] = "a\tb\nc\\x0a \xff\x01 end";
	struct tree tree = tree_open(NULL);
	struct nslab_host_undo undo, again;
	struct nslab_err err = {""};

	(void)state;
	nslab_host_undo_init(&undo, &tree.root);
	assert_string_equal(undo.boot, "unknown");
	assert_int_equal(nslab_host_undo_add(&undo, "/a", bytes, sizeof(bytes)), 0);
	assert_int_equal(nslab_host_undo_add(&undo, "/b", "", 0), 0);
	assert_int_equal(nslab_host_undo_write(tree.undo, &undo, 2, &err), 0);
	assert_int_equal(nslab_host_undo_read(tree.undo, &again, &err), 0);
	assert_int_equal(again.nr, 2);
	assert_int_equal(again.files[0].nr, sizeof(bytes));
	assert_memory_equal(again.files[0].bytes, bytes, sizeof(bytes));
	assert_int_equal(again.files[1].nr, 0);
	nslab_host_undo_free(&undo);
	nslab_host_undo_free(&again);
	nslab_host_root_close(&tree.root);
}

static void undo_path_follows_the_environment(void **state)
{
	struct nslab_err err = {""};
	char path[256];

	(void)state;
	setenv("XDG_STATE_HOME", "/state", 1);
	setenv("HOME", "/me", 1);
	assert_int_equal(nslab_host_undo_path(path, sizeof(path), &err), 0);
	assert_string_equal(path, "/state/numaslab/env-undo");
	unsetenv("XDG_STATE_HOME");
	assert_int_equal(nslab_host_undo_path(path, sizeof(path), &err), 0);
	assert_string_equal(path, "/me/.local/state/numaslab/env-undo");
	unsetenv("HOME");
	assert_int_equal(nslab_host_undo_path(path, sizeof(path), &err), -EINVAL);
	assert_non_null(strstr(err.text, "--undo"));
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
		cmocka_unit_test(tune_leaves_no_byte_other_when_reset),
		cmocka_unit_test(tune_makes_rules_content_when_it_is_done),
		cmocka_unit_test(tune_leaves_what_was_not_asked_for),
		cmocka_unit_test(tune_changes_nothing_when_all_is_fine),
		cmocka_unit_test(tune_keeps_the_first_values_when_run_twice),
		cmocka_unit_test(tune_takes_all_back_when_a_write_fails),
		cmocka_unit_test(tune_keeps_an_older_undo_when_a_write_fails),
		cmocka_unit_test(tune_never_follows_a_link_out_of_the_root),
		cmocka_unit_test(undo_is_refused_when_it_is_of_another_root_or_boot),
		cmocka_unit_test(undo_is_refused_when_it_names_other_files),
		cmocka_unit_test(undo_is_refused_when_it_is_damaged),
		cmocka_unit_test(undo_is_refused_when_it_is_cut_short),
		cmocka_unit_test(undo_keeps_bytes_of_any_kind),
		cmocka_unit_test(undo_path_follows_the_environment),
		cmocka_unit_test(provenance_tells_host_inputs_and_probes),
		cmocka_unit_test(provenance_is_null_when_nothing_can_be_read),
		cmocka_unit_test(provenance_names_commit_compiler_and_libc),
		cmocka_unit_test(store_keeps_the_host_of_before_and_after),
	};

	return cmocka_run_group_tests(tests, make_trees, remove_trees);
}
