/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_gate.c: what refuses a run, on made-up servers and a made-up topology.
 *
 * The good server refuses nothing; each refusing rule is one file of it changed. The plan's own
 * rule is shown on a topology with two threads a core. A rule that is silenced by name must not
 * refuse.
 */
#define _GNU_SOURCE
#include "runner/gate.h"
#include "runner/world.h"
#include "tests/unit/env_tree.h"

#include <errno.h>

#define CLOCK "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define QUOTA "/sys/fs/cgroup/user.slice/cpu.stat"

struct machine {
	struct nslab_registry *registry;
	struct nslab_topo *topo;
	struct nslab_plan *plan;
};

/* Two threads of a workload, on two cores of two threads each. */
static void machine_open(struct machine *m, const char *const *overrides)
{
	static const char *const none[] = {NULL};
	const struct nslab_topo_source machine = {.origin = NSLAB_TOPO_SYNTHETIC,
						  .text = "node:1 core:2 pu:2"};
	struct nslab_plan_source source = {
		.name = "gate",
		.text = "[global]\nallocator=slub\nthreads=2\n[a]\nworkload=pingpong\n",
		.overrides = overrides,
	};
	struct nslab_err err = {""};

	*m = (struct machine){NULL, NULL, NULL};
	if (nslab_registry_open(none, &m->registry, &err) ||
	    nslab_topo_load(&machine, &m->topo, &err))
		fail_msg("%s", err.text);
	source.registry = m->registry;
	source.topo = m->topo;
	if (nslab_plan_load(&source, &m->plan, &err))
		fail_msg("%s", err.text);
}

static void machine_close(struct machine *m)
{
	nslab_plan_free(m->plan);
	nslab_topo_free(m->topo);
	nslab_registry_destroy(m->registry);
}

/* words NULL: the run may start; else the line that refuses holds them. */
static void expect(const struct tree *tree, const char *const *overrides,
		   const char *const *ignored, const char *words)
{
	struct nslab_host_report report;
	struct nslab_err err = {""};
	struct machine m;
	int rc;

	machine_open(&m, overrides);
	assert_int_equal(nslab_host_report_read(&tree->root, &report), 0);
	rc = nslab_gate_check(m.plan, &report, ignored, &err);
	assert_int_equal(rc, words ? -EPERM : 0);
	if (words && !strstr(err.text, words))
		fail_msg("'%s' is not in '%s'", words, err.text);
	assert_null(strchr(err.text, '\n'));
	nslab_host_report_free(&report);
	machine_close(&m);
}

static void gate_lets_a_good_host_and_an_unknown_one_run(void **state)
{
	struct tree tree = tree_open("good");

	(void)state;
	expect(&tree, NULL, NULL, NULL);
	nslab_host_root_close(&tree.root);
	tree = tree_open(NULL);
	expect(&tree, NULL, NULL, NULL);
	nslab_host_root_close(&tree.root);
}

static void gate_lets_what_only_moves_figures_run(void **state)
{
	struct tree tree = tree_open("intel");

	(void)state;
	expect(&tree, NULL, NULL, NULL);
	nslab_host_root_close(&tree.root);
}

static void gate_refuses_each_rule_until_it_is_ignored(void **state)
{
	static const struct {
		const char *rule, *path, *text, *words;
	} cases[] = {
		{"clocksource", CLOCK, "hpet\n",
		 "clocksource: hpet: reading the clock takes longer than what is timed; boot with "
		 "clocksource=tsc"},
		{"clocksource", CLOCK, "acpi_pm\n", "(or --ignore clocksource)"},
		{"quota_throttled", QUOTA, "nr_throttled 4\n", "quota_throttled: nr_throttled 4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *const ignored[] = {"governor", cases[i].rule, NULL};
		const char *const other[] = {"governor", NULL};
		struct tree tree = tree_open("good");

		tree_put(&tree, cases[i].path, cases[i].text);
		expect(&tree, NULL, NULL, cases[i].words);
		expect(&tree, NULL, other, cases[i].words);
		expect(&tree, NULL, ignored, NULL);
		nslab_host_root_close(&tree.root);
	}
}

static void gate_names_every_rule_that_refuses(void **state)
{
	static const char *const ignored[] = {"clocksource", NULL};
	struct tree tree = tree_open("good");

	(void)state;
	tree_put(&tree, CLOCK, "hpet\n");
	tree_put(&tree, QUOTA, "nr_throttled 4\n");
	expect(&tree, NULL, NULL, "--ignore clocksource");
	expect(&tree, NULL, NULL, "--ignore quota_throttled");
	expect(&tree, NULL, ignored, "quota_throttled: nr_throttled 4");
	nslab_host_root_close(&tree.root);
}

static void gate_refuses_a_shared_core_unless_the_placement_wants_it(void **state)
{
	static const char *const own[] = {"placement=compact", NULL};
	static const char *const smt[] = {"placement=smt", NULL};
	static const char *const pair[] = {"placement=pus:0-1", NULL};
	static const char *const apart[] = {"placement=pus:0,2", NULL};
	static const char *const ignored[] = {NSLAB_GATE_SHARED_CORE, NULL};
	struct tree tree = tree_open("good");

	(void)state;
	expect(&tree, own, NULL, NULL);
	expect(&tree, smt, NULL, NULL);
	expect(&tree, apart, NULL, NULL);
	expect(&tree, pair, NULL,
	       "shared_core: placement 'pus:0-1' puts workers on PUs 0 and 1, which share a core");
	expect(&tree, pair, ignored, NULL);
	nslab_host_root_close(&tree.root);
}

static void gate_refuses_huge_pages_that_nobody_gives(void **state)
{
	static const char *const thp[] = {"huge=thp", NULL};
	static const char *const pool[] = {"huge=hugetlb", NULL};
	static const char *const ignored[] = {NSLAB_GATE_HUGE_PAGES, NULL};
	struct tree tree = tree_open("good");

	(void)state;
	expect(&tree, thp, NULL, NULL);
	expect(&tree, pool, NULL, NULL);
	tree_put(&tree, MM "transparent_hugepage/enabled", "always madvise [never]\n");
	tree_put(&tree, "/proc/meminfo", "HugePages_Total: 4\nHugePages_Free:  0\n");
	expect(&tree, NULL, NULL, NULL);
	expect(&tree, thp, NULL, "huge_pages: the plan says huge=thp, and transparent_hugepage");
	expect(&tree, pool, NULL,
	       "the pool of huge pages is empty (HugePages_Free: 0); sysctl vm.nr_hugepages=N");
	expect(&tree, pool, ignored, NULL);
	nslab_host_root_close(&tree.root);
}

static void gate_knows_the_names_of_rules(void **state)
{
	static const char *const good[] = {"governor", NSLAB_GATE_SHARED_CORE, NULL};
	static const char *const bad[] = {"governor", "clocksourse", NULL};
	static const char *const key[] = {"ignore=governor,clocksource", NULL};
	struct nslab_err err = {""};
	struct machine m;

	(void)state;
	assert_int_equal(nslab_gate_check_names(good, &err), 0);
	assert_int_equal(nslab_gate_check_names(bad, &err), -EINVAL);
	assert_non_null(strstr(err.text, "did you mean 'clocksource'"));
	machine_open(&m, key);
	assert_string_equal(m.plan->ignored[0], "governor");
	assert_string_equal(m.plan->ignored[1], "clocksource");
	assert_null(m.plan->ignored[2]);
	machine_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gate_lets_a_good_host_and_an_unknown_one_run),
		cmocka_unit_test(gate_lets_what_only_moves_figures_run),
		cmocka_unit_test(gate_refuses_each_rule_until_it_is_ignored),
		cmocka_unit_test(gate_names_every_rule_that_refuses),
		cmocka_unit_test(gate_refuses_a_shared_core_unless_the_placement_wants_it),
		cmocka_unit_test(gate_refuses_huge_pages_that_nobody_gives),
		cmocka_unit_test(gate_knows_the_names_of_rules),
	};

	return cmocka_run_group_tests(tests, make_trees, remove_trees);
}
