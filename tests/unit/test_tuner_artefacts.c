/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_tuner_artefacts.c: boot parameters both ways, and what the files of an advice do.
 *
 * Every pair of orders that a kernel can reach must come back from the line that is written for it.
 * Scripts run against a tree that stands for /: applying and undoing must leave it byte by byte as
 * it was, and a refusal must not have written anything. Names that would end a comment or a quote
 * never reach a file.
 */
#define _GNU_SOURCE
#include "tests/support/make_advice.h"
#include "tests/support/make_snapshot.h"
#include "tuner/artefacts.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define QUOTED MAKE_ADVICE_QUOTED

static char dir[] = "/tmp/numaslab-artefacts-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) && !chdir(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static int shell(const char *command)
{
	int status = system(command);

	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The whole file, until the next call. */
static const char *text_of(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	return text;
}

static void assert_has(const char *path, const char *words)
{
	if (!strstr(text_of(path), words))
		fail_msg("%s lacks '%s':\n%s", path, words, text_of(path));
}

/* ---- boot parameters ---- */

static void boot_comes_back(enum nslab_order_kernel kernel, struct nslab_order_knobs knobs)
{
	struct nslab_tuner_snapshot snapshot = {.kernel = kernel};
	struct nslab_order_knobs back;
	char line[128];

	assert_int_equal(nslab_tuner_boot_line(&snapshot, &knobs, line, sizeof(line), NULL), 0);
	assert_int_equal(nslab_tuner_boot_parse(kernel, line, &back, NULL), 0);
	assert_memory_equal(&knobs, &back, sizeof(knobs));
	assert_int_equal(!strstr(line, "slab_"), kernel == NSLAB_ORDER_6_1 || !*line);
}

static void boot_line_is_read_back_for_every_reachable_triple(void **state)
{
	static const unsigned objects[] = {0, 4, 64};

	(void)state;
	for (int kernel = 0; kernel < NSLAB_NR_ORDER_KERNELS; kernel++) {
		for (unsigned i = 0; i < 3 * 11 * 11; i++) {
			struct nslab_order_knobs knobs = {i % 11, i / 11 % 11, objects[i / 121]};

			if (kernel == NSLAB_ORDER_6_1 || knobs.min_order <= knobs.max_order)
				boot_comes_back((enum nslab_order_kernel)kernel, knobs);
		}
	}
}

static void boot_line_is_spelled_as_the_kernel_does(void **state)
{
	struct nslab_tuner_snapshot snapshot = {.kernel = NSLAB_ORDER_6_12, .release = NULL};
	struct nslab_order_knobs knobs = {4, 5, 64}, apart = {4, 2, 0};
	struct nslab_err err;
	char line[128];

	(void)state;
	assert_int_equal(nslab_tuner_boot_line(&snapshot, &knobs, line, sizeof(line), &err), 0);
	assert_string_equal(line, "slab_max_order=5 slab_min_order=4 slab_min_objects=64");
	assert_int_equal(nslab_tuner_boot_line(&snapshot, &apart, line, sizeof(line), &err),
			 -EINVAL);
	assert_string_equal(err.text, "no command line of kernel 6.12 gives a smallest order of 4 "
				      "above a largest of 2");
	snapshot.release = (char[]){"6.8.0-31-generic"};
	assert_int_equal(nslab_tuner_boot_line(&snapshot, &knobs, line, sizeof(line), &err), 0);
	assert_string_equal(line, "slub_max_order=5 slub_min_order=4 slub_min_objects=64");
	snapshot.kernel = NSLAB_ORDER_6_1;
	assert_int_equal(nslab_tuner_boot_line(&snapshot, &apart, line, sizeof(line), &err), 0);
	assert_string_equal(line, "slub_max_order=2 slub_min_order=4");
	assert_int_equal(nslab_tuner_boot_line(&snapshot, &apart, line, 20, &err), -ENOSPC);
	knobs = (struct nslab_order_knobs)NSLAB_ORDER_KNOBS_DEFAULT;
	assert_int_equal(nslab_tuner_boot_line(&snapshot, &knobs, line, sizeof(line), &err), 0);
	assert_string_equal(line, "");
}

static void boot_parse_couples_orders_as_each_kernel_does(void **state)
{
	static const char line[] = " quiet slub_max_order=1\tslub_min_order=2 slub_debug=F\n";
	static const char turned[] = "slab_min_order=5 slab_max_order=2 slab_nomerge";
	struct nslab_order_knobs knobs;

	(void)state;
	assert_int_equal(nslab_tuner_boot_parse(NSLAB_ORDER_6_1, line, &knobs, NULL), 0);
	assert_int_equal(knobs.max_order, 1);
	assert_int_equal(knobs.min_order, 2);
	assert_int_equal(nslab_tuner_boot_parse(NSLAB_ORDER_6_12, line, &knobs, NULL), 0);
	assert_int_equal(knobs.max_order, 2);
	assert_int_equal(knobs.min_order, 2);
	assert_int_equal(nslab_tuner_boot_parse(NSLAB_ORDER_6_18, turned, &knobs, NULL), 0);
	assert_int_equal(knobs.max_order, 2);
	assert_int_equal(knobs.min_order, 2);
	assert_int_equal(nslab_tuner_boot_parse(NSLAB_ORDER_6_1, turned, &knobs, NULL), 0);
	assert_int_equal(knobs.max_order, 3);
	assert_int_equal(knobs.min_order, 0);
}

static void boot_parse_names_the_word_when_its_value_is_wrong(void **state)
{
	static const char *const wrong[] = {
		"slab_max_order=x",	  "slab_min_order=",   "slab_min_order=11",
		"slab_min_objects=40000", "slab_max_order=-1", "slab_max_order=3k"};
	struct nslab_order_knobs knobs;
	struct nslab_err err;
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(line, sizeof(line), "quiet %s panic=1", wrong[i]);
		assert_int_equal(nslab_tuner_boot_parse(NSLAB_ORDER_6_12, line, &knobs, &err),
				 -EINVAL);
		assert_non_null(strstr(err.text, wrong[i]));
	}
}

/* ---- files ---- */

static void write_small(const char *folder, enum nslab_order_kernel kernel)
{
	struct nslab_tuner_snapshot *snapshot = make_advice_machine(kernel);
	struct nslab_tuner_advice *advice = make_advice_of_machine(snapshot);
	struct nslab_err err = {""};

	if (nslab_tuner_artefacts(advice, folder, &err))
		fail_msg("%s", err.text);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

static void artefacts_say_what_the_boot_line_changes(void **state)
{
	(void)state;
	write_small("deep/folder", NSLAB_ORDER_6_12);
	assert_has("deep/folder/boot.txt", "\nslab_max_order=4\n");
	assert_has("deep/folder/boot.txt", "# 1 of 4 caches change");
	assert_has("deep/folder/boot.txt", "4096 3 -> 4 8 -> 16 kmalloc-4k\n");
	assert_has("deep/folder/boot.txt", "# Undo: take it out again");
	write_small("old", NSLAB_ORDER_6_1);
	assert_has("old/boot.txt", "\nslub_max_order=4\n");
	assert_has("old/tuned/numaslab/tuned.conf", "cmdline_numaslab=slub_max_order=4\n");
}

static void artefacts_name_the_words_to_take_out_when_orders_are_set(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_advice_machine(NSLAB_ORDER_6_12);
	struct nslab_tuner_advice *advice;

	(void)state;
	free(snapshot->cmdline_slab);
	snapshot->cmdline_slab = strdup("slab_nomerge slab_max_order=1 slab_min_objects=8");
	snapshot->knobs = (struct nslab_order_knobs){0, 1, 8};
	advice = make_advice(snapshot);
	make_advice_boot(advice, (struct nslab_order_knobs)NSLAB_ORDER_KNOBS_DEFAULT);
	advice->now.memory_bytes = 3 << 20;
	advice->booted.memory_bytes = 5 << 19;
	assert_int_equal(nslab_tuner_artefacts(advice, "set", NULL), 0);
	assert_has("set/boot.txt", "# To apply: leave the kernel its defaults");
	assert_has("set/boot.txt", "# Take out what is there now: slab_max_order=1 "
				   "slab_min_objects=8\n# Undo: put that back instead");
	assert_has("set/boot.txt", "# Slab memory of all caches: 3.0 -> 2.5 MiB\n");
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

static void artefacts_have_a_row_for_each_name_when_caches_are_merged(void **state)
{
	(void)state;
	write_small("out", NSLAB_ORDER_6_18);
	assert_has("out/patch-table.txt", "\next4_inode_cache\t1128\t2\t3\t0\t0\t-\n");
	assert_has("out/patch-table.txt", "\n" QUOTED "\t640\t1\t1\t0\t32\t-\n");
	assert_null(strstr(text_of("out/patch-table.txt"), "dentry"));
	assert_has("out/tuned/numaslab/tuned.conf",
		   "# dentry, " QUOTED " (merged): cpu_partial 120 -> 240\n"
		   "/sys/kernel/slab/:a-0000192/cpu_partial=240\n");
	assert_has("out/tuned/numaslab/tuned.conf", "# left out: ");
	assert_has("out/plan.ini", "[1-ext4_inode_cache]\nworkload = churn\nsize = 1128\n"
				   "live_objects = 117000\norder = 2, 3\n");
}

static void artefacts_json_has_null_for_what_is_not_known(void **state)
{
	const json_t *cache, *cost;
	json_t *json;

	(void)state;
	write_small("json", NSLAB_ORDER_6_12);
	json = json_load_file("json/advice.json", 0, NULL);
	assert_non_null(json);
	cache = json_array_get(json_object_get(json, "caches"), 1);
	cost = json_object_get(json_array_get(json_object_get(cache, "candidates"), 1), "cost");
	assert_true(json_real_value(json_object_get(cost, "tail_bytes")) == 56);
	assert_true(json_is_null(json_object_get(cost, "memory_bytes")));
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(json, "booted"), "line")),
		"slab_max_order=4");
	json_decref(json);
}

static void artefacts_say_so_when_there_is_nothing_to_do(void **state)
{
	static const char *const words[][2] = {
		{"none/boot.txt", "# Nothing to set"},
		{"none/sysfs-apply.sh", "nothing to do"},
		{"none/sysfs-undo.sh", "nothing to undo"},
		{"none/tuned/numaslab/tuned.conf", "# Nothing to set"},
		{"none/patch-table.txt", "# Nothing to patch"},
		{"none/plan.ini", "; Nothing to measure"},
	};
	struct nslab_tuner_snapshot *snapshot = make_advice_machine(NSLAB_ORDER_6_12);
	struct nslab_tuner_advice *advice = make_advice(snapshot);

	(void)state;
	assert_int_equal(nslab_tuner_artefacts(advice, "none", NULL), 0);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_has(words[i][0], words[i][1]);
	assert_int_equal(shell("none/sysfs-apply.sh >said && none/sysfs-undo.sh >>said"), 0);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

static void artefacts_refuse_names_that_no_folder_has(void **state)
{
	static const char *const wrong[] = {"", "..", "a/b", "x\nrm -rf y", "caf\xc3\xa9"};
	struct nslab_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct nslab_tuner_snapshot *snapshot = make_snapshot(NSLAB_ORDER_6_12, 2, 1);
		struct nslab_tuner_advice *advice;

		make_snapshot_cache(snapshot, wrong[i], 64, 1);
		advice = make_advice(snapshot);
		assert_int_equal(nslab_tuner_artefacts(advice, "refused", &err), -EINVAL);
		assert_int_equal(access("refused", F_OK), -1);
		nslab_tuner_advice_free(advice);
		make_snapshot_free(snapshot);
	}
}

static void artefacts_tell_the_path_that_cannot_be_written(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_advice_machine(NSLAB_ORDER_6_12);
	struct nslab_tuner_advice *advice = make_advice(snapshot);
	struct nslab_err err;

	(void)state;
	shell("touch plain");
	assert_int_equal(nslab_tuner_artefacts(advice, "plain/below", &err), -ENOTDIR);
	assert_non_null(strstr(err.text, "'plain/below'"));
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

static void artefacts_leave_sysfs_alone_when_its_order_cannot_be_had(void **state)
{
	struct nslab_tuner_snapshot *snapshot = make_advice_machine(NSLAB_ORDER_6_12);
	struct nslab_tuner_advice *advice = make_advice(snapshot);

	(void)state;
	make_advice_setting(advice, "ext4_inode_cache",
			    (struct nslab_tuner_setting){3, 60, NSLAB_AUTO, NSLAB_AUTO});
	assert_int_equal(nslab_tuner_artefacts(advice, "apart", NULL), 0);
	assert_has("apart/sysfs-apply.sh", "nothing to do");
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
}

/* ---- scripts ---- */

#define SLAB "root/sys/kernel/slab/"

/* The machine's tree, and a copy to compare with; folders and contents as sysfs has them. */
static void make_tree(void)
{
	assert_int_equal(shell("rm -rf root was broken && mkdir -p " SLAB ":a-0000192 " SLAB
			       "ext4_inode_cache && cd " SLAB " && ln -s :a-0000192 dentry && "
			       "echo 120 >:a-0000192/cpu_partial && "
			       "echo 5 >:a-0000192/min_partial"),
			 0);
	assert_int_equal(mkdir(SLAB QUOTED, 0777), 0);
	assert_int_equal(
		shell("(cd root/sys/kernel/slab/it* && echo 5 >min_partial) && cp -a root was"), 0);
}

static void scripts_leave_the_tree_as_it_was_when_undone(void **state)
{
	(void)state;
	write_small("run", NSLAB_ORDER_6_12);
	make_tree();
	assert_int_equal(shell("run/sysfs-apply.sh --sysroot root >said 2>&1"), 0);
	assert_has("said", "dentry, " QUOTED ": cpu_partial 120 -> 240\n");
	assert_has(SLAB ":a-0000192/cpu_partial", "240\n");
	assert_has(SLAB ":a-0000192/min_partial", "10\n");
	assert_has(SLAB QUOTED "/min_partial", "7\n");
	assert_int_equal(shell("run/sysfs-apply.sh --sysroot root >said 2>&1"), 0);
	assert_int_equal(shell("dash run/sysfs-undo.sh --sysroot root >said 2>&1"), 0);
	assert_int_equal(shell("diff -r --no-dereference root was"), 0);
	assert_int_equal(access("broken", F_OK), -1);
}

static void scripts_write_nothing_when_a_cache_is_missing(void **state)
{
	(void)state;
	write_small("run", NSLAB_ORDER_6_12);
	make_tree();
	assert_int_equal(shell("rm -r root/sys/kernel/slab/it* was && cp -a root was"), 0);
	assert_int_equal(shell("run/sysfs-apply.sh --sysroot root >said 2>&1"), 1);
	assert_has("said", "refused: " QUOTED ": no cache in root/sys/kernel/slab/" QUOTED "\n");
	assert_has("said", "nothing was written\n");
	assert_int_equal(shell("diff -r --no-dereference root was"), 0);
	assert_int_equal(shell("run/sysfs-apply.sh --sysroot root --skip-missing >said 2>&1"), 0);
	assert_has("said", QUOTED ": not here, skipped\n");
	assert_has(SLAB ":a-0000192/cpu_partial", "240\n");
}

static void scripts_write_nothing_when_a_value_is_not_the_snapshots(void **state)
{
	(void)state;
	write_small("run", NSLAB_ORDER_6_12);
	make_tree();
	assert_int_equal(shell("echo 6 >" SLAB ":a-0000192/min_partial && rm -r was && "
			       "cp -a root was"),
			 0);
	assert_int_equal(shell("run/sysfs-apply.sh --sysroot root >said 2>&1"), 1);
	assert_has("said", "min_partial is 6, neither 5 nor 10; take a new snapshot\n");
	assert_int_equal(shell("diff -r --no-dereference root was"), 0);
	assert_int_equal(shell("run/sysfs-apply.sh --sysrot root >said 2>&1"), 2);
	assert_int_equal(shell("run/sysfs-apply.sh --sysroot >said 2>&1"), 2);
}

static void scripts_fail_when_the_kernel_keeps_another_value(void **state)
{
	(void)state;
	write_small("run", NSLAB_ORDER_6_12);
	make_tree();
	/* what a stub of sysfs does: it takes what is written and shows something else */
	assert_int_equal(shell("ln -sf /dev/null " SLAB ":a-0000192/cpu_partial && "
			       "sed 's/^each look/: &/' run/sysfs-apply.sh >unlooked && "
			       "sh unlooked --sysroot root >said 2>&1"),
			 1);
	assert_has("said", "failed: dentry, " QUOTED ": cpu_partial is  after writing 240\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_line_is_read_back_for_every_reachable_triple),
		cmocka_unit_test(boot_line_is_spelled_as_the_kernel_does),
		cmocka_unit_test(boot_parse_couples_orders_as_each_kernel_does),
		cmocka_unit_test(boot_parse_names_the_word_when_its_value_is_wrong),
		cmocka_unit_test(artefacts_say_what_the_boot_line_changes),
		cmocka_unit_test(artefacts_name_the_words_to_take_out_when_orders_are_set),
		cmocka_unit_test(artefacts_have_a_row_for_each_name_when_caches_are_merged),
		cmocka_unit_test(artefacts_json_has_null_for_what_is_not_known),
		cmocka_unit_test(artefacts_say_so_when_there_is_nothing_to_do),
		cmocka_unit_test(artefacts_refuse_names_that_no_folder_has),
		cmocka_unit_test(artefacts_tell_the_path_that_cannot_be_written),
		cmocka_unit_test(artefacts_leave_sysfs_alone_when_its_order_cannot_be_had),
		cmocka_unit_test(scripts_leave_the_tree_as_it_was_when_undone),
		cmocka_unit_test(scripts_write_nothing_when_a_cache_is_missing),
		cmocka_unit_test(scripts_write_nothing_when_a_value_is_not_the_snapshots),
		cmocka_unit_test(scripts_fail_when_the_kernel_keeps_another_value),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
