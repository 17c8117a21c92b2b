/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_lstopo.c: our JSON against what lstopo prints for the same file.
 *
 * lstopo's summary has a line for each depth with the number and type of its objects; types at
 * several depths are added up. A copy of a recorded machine whose cpuset forbids half of it checks
 * that what is disallowed is left out of the counts by both. Skipped when lstopo or the shared
 * folder is absent.
 */
#define _GNU_SOURCE
#include "machines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct counts {
	int packages, cores, pus, nodes, l1d, l1i, l2, l3, memory_side;
};

static struct machines machines;

static void count_line(struct counts *counts, const char *type, int nr)
{
	const struct {
		const char *type;
		int *count;
	} rows[] = {
		{"Package", &counts->packages},
		{"Core", &counts->cores},
		{"PU", &counts->pus},
		{"NUMANode", &counts->nodes},
		{"L1dCache", &counts->l1d},
		{"L1iCache", &counts->l1i},
		{"L2Cache", &counts->l2},
		{"L3Cache", &counts->l3},
		{"MemCache", &counts->memory_side},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strcmp(rows[i].type, type))
			*rows[i].count += nr;
	}
}

static void read_lstopo(const char *path, struct counts *counts)
{
	char command[640], line[256], type[64];
	FILE *pipe;
	int nr;

	memset(counts, 0, sizeof(*counts));
	snprintf(command, sizeof(command), "lstopo-no-graphics -i '%s' -s --of console", path);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	while (fgets(line, sizeof(line), pipe)) {
		const char *colon = strchr(line, ':');

		if (colon && sscanf(colon + 1, "%d %63s", &nr, type) == 2)
			count_line(counts, type, nr);
	}
	assert_int_equal(pclose(pipe), 0);
	assert_true(counts->pus > 0);
}

static int get_int(const json_t *json, const char *key)
{
	json_t *value = json_object_get(json, key);

	assert_true(json_is_integer(value));
	return (int)json_integer_value(value);
}

static void count_caches(const json_t *json, struct counts *counts)
{
	json_t *cache;
	size_t i;

	json_array_foreach(json_object_get(json, "caches"), i, cache)
	{
		const char *type = json_string_value(json_object_get(cache, "type"));
		int level = get_int(cache, "level");

		assert_non_null(type);
		assert_int_equal(!strcmp(type, "memory-side"), level == 0);
		if (level == 1 && !strcmp(type, "instruction"))
			counts->l1i++;
		else if (level == 1)
			counts->l1d++;
		counts->l2 += level == 2;
		counts->l3 += level == 3;
		counts->memory_side += level == 0;
	}
}

static void read_json(const char *path, struct counts *counts)
{
	struct nslab_topo *topo = machine_xml(path);
	json_t *json = nslab_topo_json(topo);

	assert_non_null(json);
	memset(counts, 0, sizeof(*counts));
	counts->packages = get_int(json, "packages");
	counts->cores = get_int(json, "cores");
	counts->pus = get_int(json, "pus");
	counts->nodes = (int)json_array_size(json_object_get(json, "nodes"));
	count_caches(json, counts);
	assert_int_equal(get_int(json, "allowed_pus"), counts->pus);
	json_decref(json);
	nslab_topo_free(topo);
}

static void assert_same_counts(const char *path)
{
	struct counts theirs, ours;

	read_lstopo(path, &theirs);
	read_json(path, &ours);
	if (memcmp(&theirs, &ours, sizeof(ours)))
		fail_msg("%s: lstopo counts %d packages %d cores %d PUs %d nodes %d %d %d %d %d "
			 "caches, JSON %d %d %d %d %d %d %d %d %d",
			 path, theirs.packages, theirs.cores, theirs.pus, theirs.nodes, theirs.l1d,
			 theirs.l1i, theirs.l2, theirs.l3, theirs.memory_side, ours.packages,
			 ours.cores, ours.pus, ours.nodes, ours.l1d, ours.l1i, ours.l2, ours.l3,
			 ours.memory_side);
}

static void json_counts_what_lstopo_counts(void **state)
{
	(void)state;
	for (int i = 0; i < machines.nr; i++)
		assert_same_counts(machines.paths[i]);
}

static void json_counts_what_lstopo_counts_when_half_is_disallowed(void **state)
{
	static const char from[] = "allowed_cpuset=\"0x0000003f\"";
	static const char to[] = "allowed_cpuset=\"0x00000013\"";
	char path[64];
	char *text, *at;

	(void)state;
	text = machine_text(NSLAB_TOPOLOGY_DATA "/qemu-2n-plus-memoryless-node.xml");
	at = strstr(text, from);
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	machine_write(path, text, strlen(text));
	assert_same_counts(path);
	unlink(path);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_counts_what_lstopo_counts),
		cmocka_unit_test(json_counts_what_lstopo_counts_when_half_is_disallowed),
	};

	if (system("lstopo-no-graphics --version >/dev/null 2>&1")) {
		printf("skipped: lstopo-no-graphics is not installed\n");
		return 77;
	}
	machines_find(&machines);
	if (cmocka_run_group_tests(tests, NULL, NULL))
		return 1;
	if (!machines.nr_shared) {
		printf("skipped: no shared topologies (%s/data/topologies; NUMASLAB_SHARED names "
		       "another folder); those of the repository passed\n",
		       NSLAB_TOPOLOGY_SHARED);
		return 77;
	}
	return 0;
}
