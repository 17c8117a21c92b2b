/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.c: what the guest of placement.sh brought back, judged on the host.
 *
 * Reads the topology that `numaslab topo --json` printed and the result file that `numaslab run`
 * wrote, through the project's own store. The guest's shape is known, so every expectation is a row
 * of a table: nodes with their kind and PUs, distances, and the cells that must have run with every
 * sampled page where the plan wanted it. Nodes are found by their OS index, since hwloc orders them
 * by locality. Times are not looked at: a guest's mean nothing.
 */
#include "results/store.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define NR_NODES 3

static const struct {
	const char *kind;
	size_t nr_pus;
	json_int_t distances[NR_NODES];
} expected_nodes[NR_NODES] = {
	{"cpu", 2, {10, 21, 17}},
	{"cpu", 2, {21, 10, 28}},
	{"memory-only", 0, {17, 28, 10}},
};

struct expected_cell {
	const char *workload, *placement, *memory;
};

static const struct expected_cell expected_cross[] = {
	/* of cross.ini */
	{"pingpong", "node:0", "local"},	{"pingpong", "node:0", "node:2"},
	{"pingpong", "node:0", "remote"},	{"pingpong", "node:1", "local"},
	{"pingpong", "node:1", "node:2"},	{"pingpong", "node:1", "remote"},
	{"remote_free", "cross:0,1", "local"},	{"remote_free", "cross:1,0", "local"},
	{"remote_free", "cross:0,1", "node:2"}, {"remote_free", "cross:1,0", "node:2"},
};

static const struct expected_cell expected_matrix[] = {
	/* of numa-matrix.ini */
	{"remote_free", "node:0", "local"},    {"remote_free", "node:1", "local"},
	{"remote_free", "cross:0,1", "local"}, {"remote_free", "cross:1,0", "local"},
	{"churn", "node:0", "node:1"},	       {"churn", "node:1", "node:0"},
};

static const char *const expected_allocators[] = {"nodelocal", "slub"};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static int nr_failed;

static void expect(bool is_right, const char *what, const char *detail)
{
	if (is_right)
		return;
	printf("failed: %s: %s\n", what, detail);
	nr_failed++;
}

static json_int_t integer(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? json_integer_value(value) : -1;
}

static size_t find(const json_t *indices, size_t os_index)
{
	size_t at = 0;

	while (at < json_array_size(indices) &&
	       json_integer_value(json_array_get(indices, at)) != (json_int_t)os_index)
		at++;
	return at;
}

static void check_distances(const json_t *distances, size_t from, const char *what)
{
	const json_t *nodes = json_object_get(distances, "nodes");
	const json_t *values = json_object_get(distances, "values");
	const json_t *row = json_array_get(values, find(nodes, from));

	for (size_t to = 0; to < NR_NODES; to++) {
		const json_t *value = json_array_get(row, find(nodes, to));

		expect(json_is_number(value) && json_number_value(value) ==
							(double)expected_nodes[from].distances[to],
		       what, "distances");
	}
}

/* hwloc gives a memory-only node the PUs next to it; those are not looked at. */
static void check_node(const json_t *node, const json_t *distances)
{
	const char *kind = json_string_value(json_object_get(node, "kind"));
	size_t nr_pus = json_array_size(json_object_get(node, "pus"));
	size_t i = (size_t)integer(node, "os_index");
	char what[32];

	snprintf(what, sizeof(what), "node %zu", i);
	expect(i < NR_NODES, what, "os_index");
	if (i >= NR_NODES)
		return;
	expect(kind && !strcmp(kind, expected_nodes[i].kind), what, kind ? kind : "no kind");
	expect(!expected_nodes[i].nr_pus || nr_pus == expected_nodes[i].nr_pus, what, "pus");
	expect(integer(node, "memory_bytes") > 0, what, "memory_bytes");
	check_distances(distances, i, what);
}

static void check_topology(const char *path)
{
	json_error_t error;
	json_t *topology = json_load_file(path, 0, &error);
	const json_t *nodes = json_object_get(topology, "nodes");

	expect(topology, path, error.text);
	expect(integer(topology, "allowed_pus") == 4, path, "allowed_pus");
	expect(json_array_size(nodes) == NR_NODES, path, "number of nodes");
	for (size_t i = 0; i < json_array_size(nodes); i++)
		check_node(json_array_get(nodes, i), json_object_get(topology, "distances"));
	json_decref(topology);
}

static void check_values(const struct nslab_cell_values *values)
{
	const char *key = values->cell.key;

	expect(!values->cell.skipped, key, values->cell.skipped ? values->cell.skipped : "");
	expect(values->nr > 0, key, "no valid trial");
	expect(values->nr_failed == 0, key, values->cause ? values->cause : "a trial failed");
	expect(values->hit_rate == 1.0, key, "pages are not where the plan wants them");
}

static bool is_cell(const struct nslab_cell_record *cell, const struct expected_cell *wanted,
		    const char *allocator)
{
	return !strcmp(cell->workload, wanted->workload) &&
	       !strcmp(cell->placement, wanted->placement) &&
	       !strcmp(cell->memory, wanted->memory) && !strcmp(cell->allocator, allocator);
}

static void check_presence(const struct nslab_cell_list *list, const struct expected_cell *wanted,
			   const char *allocator)
{
	char what[128];

	for (size_t at = 0; at < list->nr; at++) {
		if (is_cell(&list->cells[at].cell, wanted, allocator))
			return;
	}
	snprintf(what, sizeof(what), "%s %s placement=%s memory=%s", wanted->workload, allocator,
		 wanted->placement, wanted->memory);
	expect(false, what, "no such cell");
}

static void check_cells(struct nslab_store *store, const struct expected_cell *wanted,
			size_t nr_wanted, struct nslab_err *err)
{
	struct nslab_cell_list *list;

	if (nslab_store_cells(store, &list, err) < 0) {
		expect(false, "cells", err->text);
		return;
	}
	for (size_t at = 0; at < list->nr; at++)
		check_values(&list->cells[at]);
	for (size_t i = 0; i < nr_wanted; i++) {
		for (size_t a = 0; a < ARRAY_SIZE(expected_allocators); a++)
			check_presence(list, &wanted[i], expected_allocators[a]);
	}
	printf("%zu cells\n", list->nr);
	nslab_cell_list_free(list);
}

static void check_run(const char *path, const struct expected_cell *wanted, size_t nr_wanted)
{
	struct nslab_run_record run;
	struct nslab_store *store;
	struct nslab_err err = {{0}};
	char status[16];
	double harness_ns;

	if (nslab_store_open(path, &store, &err) < 0) {
		expect(false, path, err.text);
		return;
	}
	if (nslab_store_run(store, &run, status, &harness_ns, &err) < 0) {
		expect(false, path, err.text);
	} else {
		expect(!strcmp(status, "done"), "status of the run", status);
		expect(!run.is_simulated, path, "its nodes are simulated");
		expect(!run.placement_unavailable, path,
		       run.placement_unavailable ? run.placement_unavailable : "");
		expect(run.nr_nodes == NR_NODES, path, "number of nodes");
	}
	check_cells(store, wanted, nr_wanted, &err);
	nslab_store_close(store);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: check TOPOLOGY.json CROSS.db MATRIX.db\n");
		return 2;
	}
	check_topology(argv[1]);
	check_run(argv[2], expected_cross, ARRAY_SIZE(expected_cross));
	check_run(argv[3], expected_matrix, ARRAY_SIZE(expected_matrix));
	return nr_failed > 0;
}
