/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_model.c: what the arrays hold for machines of many shapes. No test reads the real machine
 * but the one on CPU masks.
 *
 * Synthetic strings give the shapes; two recorded guests give distances, memory attributes,
 * memory-side caches and a node without memory; altering one gives a cpuset that forbids.
 */
#define _GNU_SOURCE
#include "machines.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#define MEMORYLESS "qemu-2n-plus-memoryless-node.xml"
#define HMAT	   "qemu-hmat-2n-2cxl-memcache.xml"

static void topo_counts_smt_machine(void **state)
{
	struct nslab_topo *topo = machine_synthetic("pack:2 [numa(memory=64GB)] l3:2 core:8 pu:2");

	(void)state;
	assert_int_equal(topo->nr_packages, 2);
	assert_int_equal(topo->nr_cores, 32);
	assert_int_equal(topo->nr_pus, 64);
	assert_int_equal(topo->nr_allowed_pus, 64);
	assert_int_equal(topo->nr_nodes, 2);
	assert_int_equal(topo->nr_caches, 4);
	assert_int_equal(topo->pus[17].core, 8);
	assert_int_equal(topo->pus[17].smt, 1);
	assert_int_equal(topo->pus[17].l3, 1);
	assert_int_equal(topo->pus[63].package, 1);
	assert_int_equal(topo->pus[63].node, 1);
	assert_int_equal(topo->nodes[1].nr_pus, 32);
	assert_false(topo->is_this_machine);
	assert_string_equal(topo->machine, "unknown CPU");
	nslab_topo_free(topo);
}

static void topo_numbers_pus_as_cores_when_there_are_none(void **state)
{
	struct nslab_topo *topo = machine_synthetic("node:2 pu:4");

	(void)state;
	assert_int_equal(topo->nr_cores, 0);
	assert_int_equal(topo->nr_pus, 8);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(topo->pus[i].core, i);
		assert_int_equal(topo->pus[i].smt, 0);
		assert_int_equal(topo->pus[i].l3, -1);
	}
	nslab_topo_free(topo);
}

static void topo_keeps_both_nodes_that_share_pus(void **state)
{
	struct nslab_topo *topo = machine_synthetic("pack:1 [numa(memory=16GB)] "
						    "[numa(memory=96GB)] die:4 l3:1 core:16 pu:4");

	(void)state;
	assert_int_equal(topo->nr_nodes, 2);
	assert_int_equal(topo->nodes[0].nr_pus, 256);
	assert_int_equal(topo->nodes[1].nr_pus, 256);
	assert_true(topo->nodes[1].memory_bytes > topo->nodes[0].memory_bytes);
	for (int i = 0; i < topo->nr_pus; i++)
		assert_int_equal(topo->pus[i].node, 0);
	nslab_topo_free(topo);
}

static void topo_prefers_closest_of_nodes_at_several_levels(void **state)
{
	struct nslab_topo *topo =
		machine_synthetic("[numa(memory=1GB)] pack:2 [numa(memory=512MB)] core:2 pu:1");

	(void)state;
	assert_int_equal(topo->nr_nodes, 3);
	for (int i = 0; i < topo->nr_pus; i++)
		assert_int_equal(topo->nodes[topo->pus[i].node].nr_pus, 2);
	nslab_topo_free(topo);
}

static void topo_skips_local_node_without_memory(void **state)
{
	struct nslab_topo *topo =
		machine_synthetic("pack:2 [numa(memory=0)] [numa(memory=1GB)] core:2 pu:1");

	(void)state;
	assert_int_equal(topo->nr_nodes, 4);
	assert_int_equal(topo->nodes[0].memory_bytes, 0);
	assert_int_equal(topo->pus[0].node, 1);
	assert_int_equal(topo->pus[3].node, 3);
	nslab_topo_free(topo);
}

static void topo_finds_swapped_os_indices(void **state)
{
	struct nslab_topo *topo =
		machine_synthetic("pack:2 [numa(memory=8GB indexes=1,0)] core:4 pu:2");

	(void)state;
	assert_int_equal(topo->nodes[0].os_index, 1);
	assert_int_equal(topo->nodes[0].logical_index, 0);
	assert_int_equal(nslab_topo_node_index(topo, 0), 1);
	assert_int_equal(nslab_topo_node_index(topo, 2), -1);
	assert_int_equal(nslab_topo_pu_index(topo, 15), 15);
	assert_int_equal(nslab_topo_pu_index(topo, 16), -1);
	nslab_topo_free(topo);
}

static void topo_sends_memoryless_package_to_nearest_node(void **state)
{
	struct nslab_topo *topo = machine_recorded(MEMORYLESS);
	int pu = nslab_topo_pu_index(topo, 4);

	(void)state;
	assert_int_equal(topo->nr_packages, 3);
	assert_int_equal(topo->nr_nodes, 2);
	assert_int_equal(topo->nodes[topo->pus[pu].node].os_index, 0);
	for (int i = 0; i < topo->nr_nodes; i++) {
		for (int j = 0; j < topo->nodes[i].nr_pus; j++)
			assert_int_not_equal(topo->nodes[i].pus[j], 4);
	}
	assert_int_equal(topo->nr_absent_nodes, 1);
	assert_int_equal(topo->absent_nodes[0], 2);
	assert_int_equal(topo->nr_disallowed_nodes, 0);
	nslab_topo_free(topo);
}

static void topo_reads_distances_in_logical_order(void **state)
{
	/* OS indices 0, 2, 1, 3 in logical order; the file has its matrix by OS index */
	static const unsigned expected[4][4] = {
		{10, 17, 21, 28}, {17, 10, 28, 40}, {21, 28, 10, 17}, {28, 40, 17, 10}};
	struct nslab_topo *topo = machine_recorded(HMAT);

	(void)state;
	assert_true(topo->has_distances);
	assert_int_equal(topo->nodes[1].os_index, 2);
	for (int i = 0; i < 4; i++) {
		for (int j = 0; j < 4; j++)
			assert_int_equal(topo->distances[i * 4 + j], expected[i][j]);
	}
	nslab_topo_free(topo);
}

static int nr_caches_of(const struct nslab_topo *topo, int level, enum nslab_cpu_cache_type type)
{
	int nr = 0;

	for (int i = 0; i < topo->nr_caches; i++)
		nr += topo->caches[i].level == level && topo->caches[i].type == type;
	return nr;
}

static void topo_tells_caches_apart(void **state)
{
	struct nslab_topo *topo = machine_recorded(HMAT);

	(void)state;
	assert_int_equal(nr_caches_of(topo, 0, NSLAB_CPU_CACHE_MEMORY_SIDE), 2);
	assert_int_equal(nr_caches_of(topo, 1, NSLAB_CPU_CACHE_DATA), 4);
	assert_int_equal(nr_caches_of(topo, 1, NSLAB_CPU_CACHE_INSTRUCTION), 4);
	assert_int_equal(nr_caches_of(topo, 2, NSLAB_CPU_CACHE_UNIFIED), 4);
	assert_int_equal(nr_caches_of(topo, 3, NSLAB_CPU_CACHE_UNIFIED), 2);
	assert_int_equal(topo->caches[topo->pus[3].l3].level, 3);
	assert_int_equal(topo->caches[topo->pus[3].l3].pus[1], 3);
	nslab_topo_free(topo);
}

static const struct nslab_topo_memattr *find_memattr(const struct nslab_topo *topo,
						     const char *name, int os_index)
{
	for (int i = 0; i < topo->nr_memattrs; i++) {
		const struct nslab_topo_memattr *row = &topo->memattrs[i];

		if (!strcmp(row->name, name) && topo->nodes[row->node].os_index == os_index)
			return row;
	}
	return NULL;
}

static void topo_reads_memory_attributes(void **state)
{
	struct nslab_topo *topo = machine_recorded(HMAT);
	const struct nslab_topo_memattr *row = find_memattr(topo, "Latency", 3);

	(void)state;
	assert_non_null(row);
	assert_int_equal(row->value, 136);
	assert_string_equal(row->initiator, "2-3");
	row = find_memattr(topo, "Bandwidth", 0);
	assert_non_null(row);
	assert_int_equal(row->value, 204800);
	row = find_memattr(topo, "Capacity", 2);
	assert_non_null(row);
	assert_int_equal(row->value, 264060928);
	assert_string_equal(row->initiator, "");
	assert_null(find_memattr(topo, "Locality", 0));
	nslab_topo_free(topo);
}

static struct nslab_topo *restricted(void)
{
	return machine_altered(MEMORYLESS,
			       "allowed_cpuset=\"0x0000003f\" nodeset=\"0x00000003\" "
			       "complete_nodeset=\"0x00000007\" allowed_nodeset=\"0x00000003\"",
			       "allowed_cpuset=\"0x00000013\" nodeset=\"0x00000003\" "
			       "complete_nodeset=\"0x00000007\" allowed_nodeset=\"0x00000001\"");
}

static void topo_lists_disallowed_apart(void **state)
{
	struct nslab_topo *topo = restricted();

	(void)state;
	assert_int_equal(topo->nr_pus, 3);
	assert_int_equal(topo->nr_packages, 2);
	assert_int_equal(topo->nr_cores, 3);
	assert_int_equal(topo->nr_nodes, 1);
	assert_int_equal(topo->nr_disallowed_nodes, 1);
	assert_int_equal(topo->disallowed_nodes[0], 1);
	assert_int_equal(topo->nr_disallowed_pus, 3);
	assert_int_equal(topo->disallowed_pus[0], 2);
	assert_int_equal(topo->disallowed_pus[2], 5);
	assert_string_equal(topo->mask_note, "");
	nslab_topo_free(topo);
}

/* Exports, loads what was exported, and compares everything but the name of the source. */
static void assert_survives_export(const struct nslab_topo *topo)
{
	char path[64];
	struct nslab_topo *again;
	struct nslab_err err;
	json_t *before, *after;

	machine_write(path, "", 0);
	assert_int_equal(nslab_topo_export(topo, path, &err), 0);
	again = machine_xml(path);
	unlink(path);
	before = nslab_topo_json(topo);
	after = nslab_topo_json(again);
	json_object_del(before, "source");
	json_object_del(after, "source");
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	nslab_topo_free(again);
}

static void topo_survives_export_with_disallowed(void **state)
{
	struct nslab_topo *topo = restricted();

	(void)state;
	assert_survives_export(topo);
	nslab_topo_free(topo);
}

static void topo_survives_export_with_attributes(void **state)
{
	struct nslab_topo *topo = machine_recorded(HMAT);

	(void)state;
	assert_survives_export(topo);
	nslab_topo_free(topo);
}

static void topo_export_leaves_nothing_when_it_fails(void **state)
{
	struct nslab_topo *topo = machine_synthetic("node:2 pu:2");
	struct nslab_topo *simulated = machine_simulated("node:2 pu:2", 3);
	struct nslab_err err;
	char path[64], inside[80];
	struct stat found;

	(void)state;
	machine_write(path, "", 0);
	snprintf(inside, sizeof(inside), "%s/no.xml", path);
	assert_int_equal(nslab_topo_export(topo, inside, &err), -ENOTDIR);
	assert_non_null(strstr(err.text, inside));
	assert_int_equal(nslab_topo_export(simulated, path, &err), -EINVAL);
	assert_int_equal(stat(path, &found), 0);
	assert_int_equal(found.st_size, 0);
	unlink(path);
	nslab_topo_free(simulated);
	nslab_topo_free(topo);
}

static void topo_export_writes_devices_in_place(void **state)
{
	struct nslab_topo *topo = machine_synthetic("node:2 pu:2");
	struct nslab_err err;
	struct stat found;

	(void)state;
	assert_int_equal(nslab_topo_export(topo, "/dev/null", &err), 0);
	assert_int_equal(stat("/dev/null", &found), 0);
	assert_true(S_ISCHR(found.st_mode));
	nslab_topo_free(topo);
}

static void simulation_deals_whole_cores(void **state)
{
	struct nslab_topo *topo = machine_simulated("pack:1 core:6 pu:2", 4);

	(void)state;
	assert_true(topo->is_simulated);
	assert_false(topo->has_distances);
	assert_int_equal(topo->nr_nodes, 4);
	assert_int_equal(topo->nodes[0].nr_pus, 4);
	assert_int_equal(topo->nodes[3].nr_pus, 2);
	for (int i = 0; i < topo->nr_pus; i++)
		assert_int_equal(topo->pus[i].node, i / 2 % 4);
	assert_int_equal(topo->distances[0], 10);
	assert_int_equal(topo->distances[1], 20);
	nslab_topo_free(topo);
}

static void simulation_leaves_memory_only_nodes_when_pus_run_out(void **state)
{
	struct nslab_topo *topo = machine_simulated("pack:1 core:1 pu:2", 5);

	(void)state;
	assert_int_equal(topo->nr_nodes, 5);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(topo->nodes[i].is_memory_only, i >= 2);
		assert_int_equal(topo->nodes[i].memory_bytes, topo->nodes[0].memory_bytes);
	}
	nslab_topo_free(topo);
}

static void simulation_drops_attributes_of_real_nodes(void **state)
{
	char path[512];
	struct nslab_topo_source source = {NSLAB_TOPO_XML, path, 2};
	struct nslab_topo *topo;
	struct nslab_err err;

	(void)state;
	snprintf(path, sizeof(path), "%s/%s", NSLAB_TOPOLOGY_DATA, HMAT);
	assert_int_equal(nslab_topo_load(&source, &topo, &err), 0);
	assert_int_equal(topo->nr_nodes, 2);
	assert_int_equal(topo->nr_memattrs, 0);
	nslab_topo_free(topo);
}

static void topo_refuses_wrong_sources(void **state)
{
	static const struct {
		struct nslab_topo_source source;
		int rc;
	} cases[] = {
		{{NSLAB_TOPO_SYNTHETIC, "foo:2", 0}, -EINVAL},
		{{NSLAB_TOPO_SYNTHETIC, "", 0}, -EINVAL},
		{{NSLAB_TOPO_SYNTHETIC, "pack:2 pu:0", 0}, -EINVAL},
		{{NSLAB_TOPO_SYNTHETIC, "pack:100000 core:100000 pu:100000", 0}, -EINVAL},
		{{NSLAB_TOPO_SYNTHETIC, "pu:2", -1}, -EINVAL},
		{{NSLAB_TOPO_SYNTHETIC, "pu:2", 1000}, -EINVAL},
		{{NSLAB_TOPO_XML, "/nonexistent/file.xml", 0}, -ENOENT},
		{{NSLAB_TOPO_XML, "/dev/null", 0}, -EINVAL},
		{{NSLAB_TOPO_XML, "/", 0}, -EISDIR},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct nslab_topo *topo = (struct nslab_topo *)&cases;
		struct nslab_err err = {""};

		assert_int_equal(nslab_topo_load(&cases[i].source, &topo, &err), cases[i].rc);
		assert_null(topo);
		assert_true(strlen(err.text) > 0);
		assert_null(strchr(err.text, '\n'));
	}
}

static void topo_honours_hwloc_environment_as_foreign(void **state)
{
	struct nslab_topo_source source = {NSLAB_TOPO_MACHINE, NULL, 0};
	struct nslab_topo *topo;
	struct nslab_err err;

	(void)state;
	setenv("HWLOC_THISSYSTEM", "1", 1);
	setenv("HWLOC_SYNTHETIC", "node:3 pu:2", 1);
	assert_int_equal(nslab_topo_load(&source, &topo, &err), 0);
	assert_int_equal(topo->nr_nodes, 3);
	assert_false(topo->is_this_machine);
	nslab_topo_free(topo);
	/* what is asked for by name wins over the environment */
	topo = machine_recorded(HMAT);
	assert_int_equal(topo->nr_nodes, 4);
	assert_false(topo->is_this_machine);
	nslab_topo_free(topo);
	unsetenv("HWLOC_SYNTHETIC");
	unsetenv("HWLOC_THISSYSTEM");
}

static void topo_narrows_to_cpu_mask(void **state)
{
	struct nslab_topo_source source = {NSLAB_TOPO_MACHINE, NULL, 0};
	struct nslab_topo *topo;
	struct nslab_err err = {""};
	cpu_set_t before, one;
	int os_index;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	for (os_index = 0; !CPU_ISSET((size_t)os_index, &before); os_index++)
		;
	CPU_ZERO(&one);
	CPU_SET((size_t)os_index, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(nslab_topo_load(&source, &topo, &err), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_true(topo->is_this_machine);
	assert_int_equal(topo->nr_allowed_pus, 1);
	assert_true(topo->pus[nslab_topo_pu_index(topo, os_index)].is_usable);
	if (topo->nr_pus > 1)
		assert_non_null(strstr(topo->mask_note, "leaves PUs"));
	nslab_topo_free(topo);
}

/* Widest line and number of lines of the picture. */
static void measure_picture(const struct nslab_topo *topo, int columns, int *widest, int *nr_lines)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int width = 0;

	assert_non_null(out);
	nslab_topo_print(topo, out, columns);
	fclose(out);
	*widest = 0;
	*nr_lines = 0;
	/* the first line holds the source's name, which may be long */
	for (const char *at = strchr(text, '\n') + 1; *at; at++) {
		width = *at == '\n' ? 0 : width + 1;
		*widest = width > *widest ? width : *widest;
		*nr_lines += *at == '\n';
		assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
	}
	free(text);
}

static void picture_fits_one_screen(void **state)
{
	static const char *const shapes[] = {
		"node:64 core:16 pu:1",
		"pack:2 numa:4 l3:1 l2:6 core:1 pu:2",
		"pack:8 [numa(memory=0)] [numa(memory=1TB)] l3:2 core:4 pu:8",
		"pack:1 [numa(memory=16GB)] [numa(memory=96GB)] die:4 l3:1 core:16 pu:4",
		"pu:1",
	};
	struct machines machines;
	struct nslab_topo *topo;
	int widest, nr_lines;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		topo = machine_synthetic(shapes[i]);
		measure_picture(topo, 80, &widest, &nr_lines);
		assert_in_range(widest, 20, 80);
		assert_in_range(nr_lines, 3, 30);
		nslab_topo_free(topo);
	}
	machines_find(&machines);
	for (int i = 0; i < machines.nr; i++) {
		topo = machine_xml(machines.paths[i]);
		measure_picture(topo, 80, &widest, &nr_lines);
		assert_in_range(widest, 20, 80);
		assert_in_range(nr_lines, 3, 24);
		nslab_topo_free(topo);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(topo_counts_smt_machine),
		cmocka_unit_test(topo_numbers_pus_as_cores_when_there_are_none),
		cmocka_unit_test(topo_keeps_both_nodes_that_share_pus),
		cmocka_unit_test(topo_prefers_closest_of_nodes_at_several_levels),
		cmocka_unit_test(topo_skips_local_node_without_memory),
		cmocka_unit_test(topo_finds_swapped_os_indices),
		cmocka_unit_test(topo_sends_memoryless_package_to_nearest_node),
		cmocka_unit_test(topo_reads_distances_in_logical_order),
		cmocka_unit_test(topo_tells_caches_apart),
		cmocka_unit_test(topo_reads_memory_attributes),
		cmocka_unit_test(topo_lists_disallowed_apart),
		cmocka_unit_test(topo_survives_export_with_disallowed),
		cmocka_unit_test(topo_survives_export_with_attributes),
		cmocka_unit_test(topo_export_leaves_nothing_when_it_fails),
		cmocka_unit_test(topo_export_writes_devices_in_place),
		cmocka_unit_test(simulation_deals_whole_cores),
		cmocka_unit_test(simulation_leaves_memory_only_nodes_when_pus_run_out),
		cmocka_unit_test(simulation_drops_attributes_of_real_nodes),
		cmocka_unit_test(topo_refuses_wrong_sources),
		cmocka_unit_test(topo_honours_hwloc_environment_as_foreign),
		cmocka_unit_test(topo_narrows_to_cpu_mask),
		cmocka_unit_test(picture_fits_one_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
