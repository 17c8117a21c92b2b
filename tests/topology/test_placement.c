/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_placement.c: which PUs and nodes a placement and a memory text stand for.
 *
 * Expected lists are OS indices. The invariants (no PU twice, no core twice, only usable PUs) are
 * checked for every placement on every machine there is.
 */
#define _GNU_SOURCE
#include "machines.h"
#include "topology/placement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#define MEMORYLESS "qemu-2n-plus-memoryless-node.xml"
#define HMAT	   "qemu-hmat-2n-2cxl-memcache.xml"

/* Expects the placement's whole sequence, as text. */
static void assert_places(const struct nslab_topo *topo, const char *placement,
			  const char *expected)
{
	struct nslab_err err = {""};
	int max = nslab_placement_max_threads(topo, placement, &err);
	int pus[1024];
	char text[4096] = "";
	size_t used = 0;

	if (max < 0)
		fail_msg("%s", err.text);
	assert_in_range(max, 1, 1024);
	assert_int_equal(nslab_placement_select(topo, placement, max, pus, &err), 0);
	for (int i = 0; i < max; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d", i ? " " : "",
					 topo->pus[pus[i]].os_index);
	assert_string_equal(text, expected);
}

/* Expects -EINVAL and a text that holds `word`. */
static void assert_refuses(const struct nslab_topo *topo, const char *placement, const char *word)
{
	struct nslab_err err = {""};
	int pu;

	assert_int_equal(nslab_placement_select(topo, placement, 1, &pu, &err), -EINVAL);
	if (!strstr(err.text, word))
		fail_msg("'%s' is not in: %s", word, err.text);
	assert_int_equal(nslab_placement_max_threads(topo, placement, &err), -EINVAL);
}

static void placement_covers_smt_machine(void **state)
{
	struct nslab_topo *topo = machine_synthetic("pack:2 [numa] l3:2 core:2 pu:2");

	(void)state;
	assert_places(topo, "compact", "0 2 4 6 8 10 12 14");
	assert_places(topo, "scatter", "0 8 2 10 4 12 6 14");
	assert_places(topo, "l3", "0 4 8 12");
	assert_places(topo, "smt", "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15");
	assert_places(topo, "node:1", "8 10 12 14");
	assert_places(topo, "cross:1,0", "8 0 10 2 12 4 14 6");
	assert_places(topo, "cross:0,0", "0 2 4 6");
	assert_places(topo, "pus:9,0-3,4-8:2", "9 0 1 2 3 4 6 8");
	nslab_topo_free(topo);
}

static void placement_takes_os_indices_of_sparse_nodes(void **state)
{
	struct nslab_topo *topo = machine_synthetic("pack:3 [numa(indexes=8,252,0)] core:2 pu:1");

	(void)state;
	assert_places(topo, "node:252", "2 3");
	assert_places(topo, "cross:0,8", "4 0 5 1");
	assert_refuses(topo, "node:1", "8,252,0");
	nslab_topo_free(topo);
}

static void placement_ends_cross_when_a_node_runs_out(void **state)
{
	struct nslab_topo *topo = machine_recorded(MEMORYLESS);

	(void)state;
	assert_places(topo, "cross:1,0", "2 0 3 1");
	/* PUs 4 and 5 have no node; they count as a place of their own */
	assert_places(topo, "scatter", "0 2 4 1 3 5");
	assert_places(topo, "compact", "0 1 4 5 2 3");
	assert_places(topo, "l3", "0 4 2");
	nslab_topo_free(topo);
}

static void placement_odd_node_leads_when_it_is_larger(void **state)
{
	struct nslab_topo *topo = machine_simulated("core:5 pu:1", 2);

	(void)state;
	assert_places(topo, "node:0", "0 2 4");
	assert_places(topo, "cross:0,1", "0 1 2 3 4");
	assert_places(topo, "cross:1,0", "1 0 3 2");
	nslab_topo_free(topo);
}

static void placement_never_shares_core_of_two_simulated_nodes(void **state)
{
	struct nslab_topo *topo = machine_simulated("core:1 pu:2", 2);

	(void)state;
	assert_places(topo, "node:1", "1");
	assert_places(topo, "cross:0,1", "0");
	assert_places(topo, "smt", "0 1");
	nslab_topo_free(topo);
}

static void placement_refuses_nodes_without_pus_of_their_own(void **state)
{
	struct nslab_topo *topo = machine_recorded(HMAT);

	(void)state;
	assert_refuses(topo, "node:2", "memory=node:2");
	assert_refuses(topo, "cross:0,3", "at home on node 1");
	nslab_topo_free(topo);
	topo = machine_simulated("core:2 pu:1", 3);
	assert_refuses(topo, "node:2", "has no PU");
	nslab_topo_free(topo);
}

static void placement_refuses_wrong_texts(void **state)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{"", "compact, scatter"},
		{"compct", "did you mean 'compact'"},
		{"compact:1", "unknown placement"},
		{"node", "node:N"},
		{"node:", "OS index"},
		{"node:x", "OS index"},
		{"node:-1", "OS index"},
		{"node:0x", "OS index"},
		{"node:all", "plans"},
		{"node:7", "there is no node 7"},
		{"node:99999999999999999999", "there is no node"},
		{"cross:0", "two nodes"},
		{"cross:0,", "two nodes"},
		{"cross:0,1,2", "two nodes"},
		{"cross:0,9", "there is no node 9"},
		{"pus:", "pus:0,2-5"},
		{"pus:1,", "pus:0,2-5"},
		{"pus:3-1", "pus:0,2-5"},
		{"pus:0-3:0", "pus:0,2-5"},
		{"pus:0;1", "pus:0,2-5"},
		{"pus:0,99", "there is no PU 99"},
		{"pus:0-4000000000", "there is no PU"},
		{"pus:1,1", "twice"},
	};
	struct nslab_topo *topo = machine_synthetic("node:2 core:2 pu:1");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_refuses(topo, cases[i].text, cases[i].word);
	nslab_topo_free(topo);
}

static void placement_tells_how_many_fit(void **state)
{
	struct nslab_topo *topo = machine_synthetic("node:2 core:2 pu:2");
	struct nslab_err err;
	int pus[8];

	(void)state;
	assert_int_equal(nslab_placement_select(topo, "compact", 5, pus, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "takes 4 threads, not 5"));
	assert_int_equal(nslab_placement_select(topo, "compact", 0, pus, &err), -EINVAL);
	assert_int_equal(nslab_placement_select(topo, "pus:1", 2, pus, &err), -ENOSPC);
	assert_int_equal(nslab_placement_max_threads(topo, "l3", &err), 0);
	assert_int_equal(nslab_placement_select(topo, "l3", 1, pus, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "no caches"));
	nslab_topo_free(topo);
	topo = machine_synthetic("core:2 pu:1");
	assert_int_equal(nslab_placement_select(topo, "smt", 1, pus, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "no core has two usable PUs"));
	nslab_topo_free(topo);
}

static void placement_keeps_to_usable_pus(void **state)
{
	struct nslab_topo *topo = machine_synthetic("node:2 l3:1 core:2 pu:2");
	struct nslab_err err;
	int pu;

	(void)state;
	/* as a CPU mask would: the first thread of core 0 and all of node 1 are taken away */
	for (int i = 0; i < 8; i++)
		topo->pus[i].is_usable = i >= 1 && i <= 3;
	assert_places(topo, "compact", "1 2");
	assert_places(topo, "scatter", "1 2");
	assert_places(topo, "smt", "2 3");
	assert_places(topo, "l3", "1");
	assert_refuses(topo, "pus:0", "mask");
	assert_int_equal(nslab_placement_select(topo, "node:1", 1, &pu, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "mask leaves no PU of node 1"));
	nslab_topo_free(topo);
}

static void assert_expands(const struct nslab_topo *topo, const char *placement,
			   const char *expected)
{
	struct nslab_err err = {""};
	char text[1024] = "";
	char **list;

	if (nslab_placement_expand(topo, placement, &list, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; list[i]; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "", list[i]);
	}
	nslab_placement_free_list(list);
	assert_string_equal(text, expected);
}

static void placement_expands_all_to_usable_nodes(void **state)
{
	struct nslab_topo *topo = machine_recorded(HMAT);
	struct nslab_err err;
	char **list;

	(void)state;
	assert_expands(topo, "compact", "compact");
	assert_expands(topo, "node:all", "node:0 node:1");
	assert_expands(topo, "cross:all", "cross:0,1 cross:1,0");
	topo->pus[2].is_usable = false;
	topo->pus[3].is_usable = false;
	assert_expands(topo, "node:all", "node:0");
	assert_int_equal(nslab_placement_expand(topo, "cross:all", &list, &err), -ENXIO);
	assert_null(list);
	nslab_topo_free(topo);
}

/* Checks the invariants for one placement; returns how many threads it takes. */
static int check_sequence(const struct nslab_topo *topo, const char *placement, bool may_share)
{
	struct nslab_err err = {""};
	int max = nslab_placement_max_threads(topo, placement, &err);
	int *pus = calloc((size_t)topo->nr_pus + 1, sizeof(*pus));

	assert_non_null(pus);
	if (max < 0)
		fail_msg("%s: %s", topo->source, err.text);
	if (max > 0)
		assert_int_equal(nslab_placement_select(topo, placement, max, pus, &err), 0);
	for (int i = 0; i < max; i++) {
		assert_true(topo->pus[pus[i]].is_usable);
		for (int j = 0; j < i; j++) {
			assert_int_not_equal(pus[i], pus[j]);
			if (!may_share)
				assert_int_not_equal(topo->pus[pus[i]].core,
						     topo->pus[pus[j]].core);
		}
	}
	free(pus);
	return max;
}

static void check_machine(const struct nslab_topo *topo)
{
	int nr_cores = topo->nr_cores ? topo->nr_cores : topo->nr_pus;
	struct nslab_err err;
	char **list;
	int nr_on_nodes = 0;

	assert_int_equal(check_sequence(topo, "compact", false), nr_cores);
	assert_int_equal(check_sequence(topo, "scatter", false), nr_cores);
	assert_true(check_sequence(topo, "l3", false) <= nr_cores);
	check_sequence(topo, "smt", true);
	assert_int_equal(nslab_placement_expand(topo, "node:all", &list, &err), 0);
	for (size_t i = 0; list[i]; i++)
		nr_on_nodes += check_sequence(topo, list[i], false);
	assert_in_range(nr_on_nodes, 1, nr_cores);
	nslab_placement_free_list(list);
	if (nslab_placement_expand(topo, "cross:all", &list, &err))
		return;
	for (size_t i = 0; list[i]; i++)
		assert_true(check_sequence(topo, list[i], false) >= 2);
	nslab_placement_free_list(list);
}

static void placement_keeps_its_promises_on_every_machine(void **state)
{
	static const char *const shapes[] = {
		"pack:2 [numa(memory=64GB)] l3:2 core:8 pu:2",
		"node:2 pu:4",
		"pack:2 numa:4 l3:1 l2:6 core:1 pu:2",
		"pack:1 [numa(memory=16GB)] [numa(memory=96GB)] die:4 l3:1 core:16 pu:4",
		"[numa(memory=1GB)] pack:2 [numa(memory=512MB)] core:2 pu:1",
		"pack:2 [numa(memory=8GB indexes=1,0)] core:4 pu:2",
	};
	struct machines machines;
	struct nslab_topo *topo;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		topo = machine_synthetic(shapes[i]);
		check_machine(topo);
		nslab_topo_free(topo);
	}
	machines_find(&machines);
	for (int i = 0; i < machines.nr; i++) {
		topo = machine_xml(machines.paths[i]);
		check_machine(topo);
		nslab_topo_free(topo);
	}
}

static int memory_of(const struct nslab_topo *topo, const char *text, int pu_os_index)
{
	struct nslab_memory memory;
	struct nslab_err err = {""};
	int node;

	if (nslab_memory_parse(topo, text, &memory, &err))
		fail_msg("%s", err.text);
	node = nslab_memory_node(topo, &memory, nslab_topo_pu_index(topo, pu_os_index));
	return node < 0 ? node : topo->nodes[node].os_index;
}

static void memory_follows_the_text(void **state)
{
	struct nslab_topo *topo = machine_recorded(HMAT);

	(void)state;
	assert_int_equal(memory_of(topo, "local", 3), 1);
	assert_int_equal(memory_of(topo, "node:2", 3), 2);
	/* node 3 is 28 from node 0, node 2 is 28 from node 1 */
	assert_int_equal(memory_of(topo, "remote", 0), 3);
	assert_int_equal(memory_of(topo, "remote", 3), 2);
	assert_int_equal(memory_of(topo, "interleave", 0), -1);
	assert_int_equal(memory_of(topo, "first-touch", 0), -1);
	nslab_topo_free(topo);
	topo = machine_recorded(MEMORYLESS);
	assert_int_equal(memory_of(topo, "local", 5), 0);
	assert_int_equal(memory_of(topo, "remote", 5), 1);
	nslab_topo_free(topo);
}

static void memory_remote_needs_another_node_with_memory(void **state)
{
	struct nslab_topo *topo = machine_synthetic("core:2 pu:1");

	(void)state;
	assert_int_equal(memory_of(topo, "remote", 0), -ENXIO);
	nslab_topo_free(topo);
	topo = machine_synthetic("pack:1 [numa(memory=0)] [numa(memory=1GB)] core:2 pu:1");
	assert_int_equal(memory_of(topo, "remote", 0), -ENXIO);
	nslab_topo_free(topo);
}

static void memory_refuses_wrong_texts(void **state)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{"", "local, node:N"},	 {"remot", "did you mean 'remote'"},
		{"node:", "OS index"},	 {"node:1x", "OS index"},
		{"node:9", "no node 9"}, {"node:0", "no memory"},
		{"node:-1", "OS index"},
	};
	struct nslab_topo *topo =
		machine_synthetic("pack:1 [numa(memory=0)] [numa(memory=1GB)] core:2 pu:1");
	struct nslab_memory memory;
	struct nslab_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(nslab_memory_parse(topo, cases[i].text, &memory, &err), -EINVAL);
		if (!strstr(err.text, cases[i].word))
			fail_msg("'%s' is not in: %s", cases[i].word, err.text);
	}
	nslab_topo_free(topo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(placement_covers_smt_machine),
		cmocka_unit_test(placement_takes_os_indices_of_sparse_nodes),
		cmocka_unit_test(placement_ends_cross_when_a_node_runs_out),
		cmocka_unit_test(placement_odd_node_leads_when_it_is_larger),
		cmocka_unit_test(placement_never_shares_core_of_two_simulated_nodes),
		cmocka_unit_test(placement_refuses_nodes_without_pus_of_their_own),
		cmocka_unit_test(placement_refuses_wrong_texts),
		cmocka_unit_test(placement_tells_how_many_fit),
		cmocka_unit_test(placement_keeps_to_usable_pus),
		cmocka_unit_test(placement_expands_all_to_usable_nodes),
		cmocka_unit_test(placement_keeps_its_promises_on_every_machine),
		cmocka_unit_test(memory_follows_the_text),
		cmocka_unit_test(memory_remote_needs_another_node_with_memory),
		cmocka_unit_test(memory_refuses_wrong_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
