/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_tuner_oracle.c: what the oracle asks a guest, and what it makes of the answer.
 *
 * Guests are shell scripts here, which keep the words that they were given and answer with tables
 * that real kernels showed once, so that every verdict can be had in milliseconds, also those that
 * no healthy kernel gives. The guest tests have real ones.
 */
#define _GNU_SOURCE
#include "tests/support/make_advice.h"
#include "tests/support/make_snapshot.h"
#include "tuner/oracle.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define KERNELS TEST_DATA "/kernels/"

static char dir[] = "/tmp/numaslab-oracle-test-XXXXXX";

static const char kernel_script[] =
	"echo \"series $2\" >asked\n"
	"[ ! -e no-kernel ] || { echo 'skip: no apt here' >&2; exit 77; }\n"
	"echo \"$1/vmlinuz\"\n";

static const char guest_script[] = "printf '%s\\n' \"$@\" >words\n"
				   "while [ \"$1\" != --out ]; do shift; done\n"
				   "mkdir \"$2\" && cp reply/* \"$2\"\n"
				   "[ ! -e says ] || cat says >&2\n"
				   "exit $(cat status)\n";

static void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir) || chdir(dir) || setenv("NUMASLAB_GUEST", dir, 1))
		return -1;
	put("kernel.sh", kernel_script);
	put("guest.sh", guest_script);
	return 0;
}

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static int remove_dir(void **state)
{
	(void)state;
	shell("rm -rf %s", dir);
	return 0;
}

/* The guest answers with that table, as that release, and ends well. */
static void answer(const char *table, const char *release)
{
	shell("rm -rf reply says no-kernel words && mkdir reply && cp '%s' reply/booted.tsv",
	      table);
	put("reply/release", release);
	put("status", "0");
}

struct asked {
	struct nslab_tuner_snapshot *snapshot;
	struct nslab_tuner_oracle_options options;
	struct nslab_tuner_oracle_result result;
	struct nslab_err err;
	int rc;
};

/* A machine with the caches of that table. */
static struct asked machine(enum nslab_order_kernel kernel, const char *release, int nr_cpus,
			    const char *table)
{
	struct asked a = {.options = {.cache_folder = dir}};

	a.snapshot = make_snapshot(kernel, nr_cpus, nr_cpus / 8 + 1);
	free(a.snapshot->release);
	a.snapshot->release = strdup(release);
	assert_true(make_advice_caches(a.snapshot, table) > 100);
	return a;
}

static void ask(struct asked *a, struct nslab_order_knobs knobs)
{
	a->rc = nslab_tuner_oracle(a->snapshot, &knobs, &a->options, &a->result, &a->err);
}

static void forget(struct asked *a)
{
	nslab_tuner_oracle_free(&a->result);
	make_snapshot_free(a->snapshot);
}

static bool was_said(const char *word)
{
	char line[1024];
	FILE *file = fopen("words", "r");
	bool was = false;

	assert_non_null(file);
	while (!was && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		was = !strcmp(line, word);
	}
	fclose(file);
	return was;
}

static const struct nslab_order_knobs usual = NSLAB_ORDER_KNOBS_DEFAULT;

/* ---- verdicts ---- */

static void oracle_confirms_when_the_release_is_the_machines(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 2, KERNELS "6.12-2cpu.tsv");

	(void)state;
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117+deb12-cloud-amd64\n");
	ask(&a, usual);
	assert_int_equal(a.rc, 0);
	assert_string_equal(a.result.verdict, "confirmed");
	assert_true(a.result.is_confirmed);
	assert_int_equal(a.result.nr_checked, 187);
	assert_int_equal(a.result.nr_known, 187);
	assert_int_equal(a.result.nr_wrong + a.result.nr_apart + a.result.stand_in, 0);
	assert_true(was_said("cpus=2,mib=384"));
	forget(&a);
}

static void oracle_names_the_series_when_the_release_is_another(void **state)
{
	static const char *const others[] = {"6.18.44", "6.12.1-amd64", "6.1", "6", ""};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct asked a = machine(NSLAB_ORDER_6_18, others[i], 2, KERNELS "6.12-2cpu.tsv");

		answer(KERNELS "6.12-2cpu.tsv", "6.12.117+deb12-cloud-amd64\n");
		ask(&a, usual);
		assert_string_equal(a.result.verdict, "rule confirmed on 6.12");
		forget(&a);
	}
}

static void oracle_says_rule_when_the_architecture_is_another(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 2, KERNELS "6.12-2cpu.tsv");

	(void)state;
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117+deb12-cloud-amd64\n");
	strcpy(a.snapshot->arch, "arm64");
	ask(&a, usual);
	assert_string_equal(a.result.verdict, "rule confirmed on 6.12");
	nslab_tuner_oracle_free(&a.result);
	strcpy(a.snapshot->arch, ""); /* a table does not tell */
	ask(&a, usual);
	assert_string_equal(a.result.verdict, "confirmed");
	forget(&a);
}

static void oracle_has_objects_stand_in_when_the_machine_has_more_cpus(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 16, KERNELS "6.12-16cpu.tsv");

	(void)state;
	answer(KERNELS "6.12-16cpu.tsv", "6.12.117+deb12-cloud-amd64\n");
	ask(&a, usual);
	assert_string_equal(a.result.verdict, "confirmed");
	assert_string_equal(a.result.command_line, "slab_min_objects=24");
	assert_true(was_said("slab_min_objects=24"));
	assert_int_equal(a.result.stand_in, 24);
	assert_int_equal(a.result.nr_cpus, 2);
	assert_int_equal(a.result.nr_nodes, 2);
	assert_true(a.result.nr_moved > 0);
	/* kmem_cache and mm_struct, whose strides follow nodes and CPUs */
	assert_int_equal(a.result.nr_apart, 2);
	forget(&a);
}

static void oracle_lets_nothing_stand_in_when_objects_are_advised(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_1, "6.1", 16, KERNELS "6.1-16cpu.tsv");
	struct nslab_order_knobs knobs = {0, 3, 64};

	(void)state;
	answer(KERNELS "6.1-2cpu-slub_min_objects=64.tsv", "6.1.0-56-cloud-amd64\n");
	ask(&a, knobs);
	assert_string_equal(a.result.command_line, "slub_min_objects=64");
	assert_int_equal(a.result.stand_in, 0);
	assert_int_equal(a.result.nr_wrong, 0);
	forget(&a);
}

static void oracle_tells_the_first_cache_when_orders_are_others(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 2, KERNELS "6.12-2cpu.tsv");
	struct nslab_order_knobs knobs = {0, 1, 0};

	(void)state;
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117+deb12-cloud-amd64\n");
	ask(&a, knobs);
	assert_int_equal(a.rc, 0);
	assert_false(a.result.is_confirmed);
	assert_true(a.result.nr_wrong > 50);
	assert_non_null(strstr(a.result.verdict, "unconfirmed: "));
	assert_non_null(strstr(a.result.verdict, " of 187 caches are not as predicted"));
	forget(&a);
}

static void oracle_confirms_nothing_when_no_order_would_change(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 2, KERNELS "6.12-2cpu.tsv");
	struct nslab_order_knobs knobs = {0, 5, 0};

	(void)state;
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117+deb12-cloud-amd64\n");
	put("reply/booted.tsv", "name\tslab_size\torder\tobjs_per_slab\nkmalloc-8\t8\t0\t512\n");
	ask(&a, knobs);
	assert_string_equal(a.result.verdict, "unconfirmed: no cache of this guest has another "
					      "order by the command line");
	forget(&a);
}

static void oracle_refuses_another_rule(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_1, "6.1", 2, KERNELS "6.1-2cpu.tsv");

	(void)state;
	a.options.kernel = "6.12";
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117+deb12-cloud-amd64\n");
	ask(&a, usual);
	assert_string_equal(a.result.verdict, "unconfirmed: 6.12.117+deb12-cloud-amd64 has another "
					      "order rule than 6.1");
	forget(&a);
}

/* ---- what goes wrong ---- */

static void oracle_gives_the_reason_when_the_guest_dies(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 2, KERNELS "6.12-2cpu.tsv");

	(void)state;
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117\n");
	put("status", "124");
	put("says", "noise\nguest: the limit of 80 s passed\n");
	ask(&a, usual);
	assert_int_equal(a.rc, 0);
	assert_string_equal(a.result.verdict, "unconfirmed: guest: the limit of 80 s passed");
	assert_false(a.result.is_confirmed);
	forget(&a);
}

static void oracle_is_not_supported_when_something_is_missing(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 2, KERNELS "6.12-2cpu.tsv");

	(void)state;
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117\n");
	put("status", "126");
	put("says", "guest: cpio is not installed\n");
	ask(&a, usual);
	assert_int_equal(a.rc, -ENOTSUP);
	assert_string_equal(a.result.verdict,
			    "unconfirmed: cannot boot a guest: guest: cpio is not installed; the "
			    "Debian packages qemu-system-x86, busybox-static and cpio are needed");
	put("no-kernel", "");
	ask(&a, usual);
	assert_int_equal(a.rc, -ENOTSUP);
	assert_string_equal(a.err.text, "cannot get kernel 6.12: no apt here; give a vmlinuz");
	forget(&a);
}

static void oracle_fails_when_the_table_is_damaged(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 2, KERNELS "6.12-2cpu.tsv");

	(void)state;
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117\n");
	put("reply/booted.tsv", "name\tslab_size\torder\tobjs_per_slab\nkmalloc-8\t8\tx\t512\n");
	ask(&a, usual);
	assert_int_equal(a.rc, -EINVAL);
	assert_non_null(strstr(a.result.verdict, "booted.tsv:2: "));
	answer(KERNELS "6.12-2cpu.tsv", "unreadable\n");
	ask(&a, usual);
	assert_int_equal(a.rc, -EINVAL);
	forget(&a);
}

static void oracle_passes_words_on_as_they_are(void **state)
{
	static const char line[] =
		"slab_max_order=4 x='$(touch owned)' `touch owned` \"\\; touch owned";
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 2, KERNELS "6.12-2cpu.tsv");

	(void)state;
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117\n");
	a.options.command_line = line;
	ask(&a, usual);
	assert_int_equal(a.rc, 0);
	assert_true(was_said(line));
	assert_int_equal(access("owned", F_OK), -1);
	nslab_tuner_oracle_free(&a.result);
	a.options.command_line = "slab_max_order=4\npanic=1";
	ask(&a, usual);
	assert_int_equal(a.rc, -EINVAL);
	a.options.command_line = "slab_max_order=99";
	ask(&a, usual);
	assert_int_equal(a.rc, -EINVAL);
	a.options.command_line = NULL;
	a.options.nr_cpus = 65;
	ask(&a, usual);
	assert_string_equal(a.err.text, "a guest has 1..64 CPUs, not 65");
	forget(&a);
}

/* ---- scripts ---- */

static void oracle_tells_what_a_script_did(void **state)
{
	struct asked a = machine(NSLAB_ORDER_6_12, "6.12", 2, KERNELS "6.12-2cpu.tsv");

	(void)state;
	answer(KERNELS "6.12-2cpu.tsv", "6.12.117\n");
	shell("cd reply && cp booted.tsv undone.tsv && "
	      "sed 's/^\\(dentry.*\\)\\t120\\t/\\1\\t240\\t/' booted.tsv >applied.tsv && "
	      "echo 0 >apply.status && echo 0 >undo.status && touch ../do-it ../undo-it");
	a.options.sysfs_script = "do-it";
	ask(&a, usual);
	assert_int_equal(a.rc, -EINVAL);
	a.options.sysfs_undo = "undo-it";
	ask(&a, usual);
	assert_string_equal(a.result.sysfs, "1 value set, read back, and restored");
	assert_true(a.result.is_sysfs_undone);
	nslab_tuner_oracle_free(&a.result);
	shell("cp reply/applied.tsv reply/undone.tsv");
	ask(&a, usual);
	assert_string_equal(a.result.sysfs, "not undone: 1 values are other ones than before");
	assert_false(a.result.is_sysfs_undone);
	nslab_tuner_oracle_free(&a.result);
	put("reply/apply.status", "1\n");
	put("reply/apply.txt", "refused: dentry: no\nnothing was written\n");
	ask(&a, usual);
	assert_string_equal(a.result.sysfs, "applying ended with status 1: nothing was written");
	forget(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oracle_confirms_when_the_release_is_the_machines),
		cmocka_unit_test(oracle_names_the_series_when_the_release_is_another),
		cmocka_unit_test(oracle_says_rule_when_the_architecture_is_another),
		cmocka_unit_test(oracle_has_objects_stand_in_when_the_machine_has_more_cpus),
		cmocka_unit_test(oracle_lets_nothing_stand_in_when_objects_are_advised),
		cmocka_unit_test(oracle_tells_the_first_cache_when_orders_are_others),
		cmocka_unit_test(oracle_confirms_nothing_when_no_order_would_change),
		cmocka_unit_test(oracle_refuses_another_rule),
		cmocka_unit_test(oracle_gives_the_reason_when_the_guest_dies),
		cmocka_unit_test(oracle_is_not_supported_when_something_is_missing),
		cmocka_unit_test(oracle_fails_when_the_table_is_damaged),
		cmocka_unit_test(oracle_passes_words_on_as_they_are),
		cmocka_unit_test(oracle_tells_what_a_script_did),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
