/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_env_tune.c: tuning and undo files on made-up trees, never on the machine itself.
 *
 * A tune followed by its reset must leave names, bytes, modes and owners of the whole tree as they
 * were, also after a write that fails in the middle. An undo file that is damaged, or of another
 * root or boot, or names a file that is never tuned, must not lead to a single write.
 */
#define _GNU_SOURCE
#include "runner/host/tune.h"

#include "tests/unit/env_tree.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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

	file = fopen(tree->undo, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, nr, file), nr);
	assert_int_equal(fclose(file), 0);
}

/* It is refused in one line, and kept. */
static void assert_reset_refuses(const struct tree *tree, const char *words)
{
	struct nslab_err err = {""};
	size_t nr;

	assert_int_equal(nslab_host_tune_reset(&tree->root, tree->undo, &nr, &err), -EINVAL);
	if (!strstr(err.text, words) || strchr(err.text, '\n'))
		fail_msg("'%s' does not say '%s'", err.text, words);
	assert_int_equal(access(tree->undo, F_OK), 0);
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
	char text[1024], before[65], after[65];

	(void)state;
	tree_digest(&tree, before);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int len =
			snprintf(text, sizeof(text),
				 "numaslab undo 1\nroot\t%s\nboot\t%s\nfile\t%s\t1\\x0a\nend\t1\n",
				 tree.root.path, "11111111-2222-4333-8444-555555555555", paths[i]);

		undo_put(&tree, text, (size_t)len);
		assert_reset_refuses(&tree, "which is never tuned");
	}
	tree_digest(&tree, after);
	assert_string_equal(before, after);
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
	shell("rm -r %s/state", env_dir);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, make_trees, remove_trees);
}
