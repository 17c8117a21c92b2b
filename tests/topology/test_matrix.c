/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_matrix.c: the measured matrices on planted probes: which places are measured, what is NaN,
 * how they look in 80 columns, and that the pointer chase visits every line. Times are of a clock
 * that only counts its readings. Guests are told from machines by fixture files.
 */
#define _GNU_SOURCE
#include "topology/measure.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void chase_visits_every_line_once_when_it_is_linked(void **state)
{
	static const size_t sizes[] = {1, 2, 3, 64, 4096, 10007};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t nr = sizes[i], nr_steps = 0, nr_near = 0;
		struct nslab_chase_line *lines = aligned_alloc(64, nr * sizeof(*lines));
		struct nslab_chase_line *at = lines;

		assert_non_null(lines);
		nslab_chase_link(lines, nr, 9);
		do {
			nr_near += at->next == at + 1;
			at = at->next;
			nr_steps++;
		} while (at != lines && nr_steps <= nr);
		assert_int_equal(nr_steps, nr);
		if (nr > 64) /* nothing for a prefetcher */
			assert_true(nr_near < nr / 32);
		free(lines);
	}
}

static uint64_t clock_reads;

static uint64_t counting_now(const struct nslab_clock *clock)
{
	(void)clock;
	/* rows last 1000 ns, every third 50000: somebody else ran */
	clock_reads++;
	return clock_reads / 2 * 1000 + clock_reads / 6 * 50000;
}

static void chase_time_is_the_median_when_some_rows_are_disturbed(void **state)
{
	const struct nslab_clock clock = {counting_now, counting_now};
	struct nslab_chase_line line = {&line};

	(void)state;
	clock_reads = 0;
	assert_true(nslab_chase_time(&line, 100, 15, &clock) <= 10);
	assert_true(isnan(nslab_chase_time(&line, 100, 0, &clock)));
}

static void matrix_median_is_nan_when_nothing_was_measured(void **state)
{
	double values[] = {9, 1, 5};

	(void)state;
	assert_true(nslab_matrix_median(values, 3) == 5);
	assert_true(isnan(nslab_matrix_median(values, 0)));
}

/* ---- a machine of nr_nodes nodes with pus_per PUs each; the last node is memory only ---- */

struct machine {
	struct nslab_topo topo;
	struct nslab_topo_node nodes[20];
	struct nslab_topo_pu pus[80];
	unsigned distances[400];
	struct nslab_topo_cache cache;
	struct nslab_topo_memattr attr;
};

static struct machine *machine_make(int nr_nodes, int pus_per)
{
	struct machine *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->cache = (struct nslab_topo_cache){.level = 3, .size_bytes = 20 << 20};
	m->attr = (struct nslab_topo_memattr){"Latency", 0, "0-1", 95};
	m->topo = (struct nslab_topo){
		.nr_nodes = nr_nodes,
		.nodes = m->nodes,
		.pus = m->pus,
		.distances = m->distances,
		.nr_pus = (nr_nodes - 1) * pus_per,
		.has_distances = true,
		.is_this_machine = true,
		.caches = &m->cache,
		.nr_caches = 1,
		.memattrs = &m->attr,
		.nr_memattrs = 1,
	};
	for (int i = 0; i < nr_nodes; i++)
		m->nodes[i] = (struct nslab_topo_node){.os_index = 2 * i, .memory_bytes = 1 << 30};
	for (int i = 0; i < m->topo.nr_pus; i++)
		m->pus[i] = (struct nslab_topo_pu){.os_index = i,
						   .core = i / 2,
						   .smt = i % 2,
						   .node = i / pus_per,
						   .is_usable = true};
	for (int i = 0; i < nr_nodes * nr_nodes; i++)
		m->distances[i] = i % (nr_nodes + 1) ? 21 : 10;
	return m;
}

static int planted_read(struct nslab_matrix_probe *probe, int pu, int node, double *latency_ns,
			double *bandwidth_mbs)
{
	(void)probe;
	*latency_ns = 100 + pu + 0.001 * node;
	*bandwidth_mbs = 20000 - node;
	return 0;
}

static int planted_handover(struct nslab_matrix_probe *probe, int a, int b, double *ns)
{
	(void)probe;
	*ns = 10 * a + b;
	return a == 1 && b == 2 ? -ETIMEDOUT : 0;
}

static struct nslab_matrix_probe planted = {planted_read, planted_handover};

static void matrix_leaves_places_unmeasured_when_a_node_has_no_pu_or_no_memory(void **state)
{
	struct machine *m = machine_make(4, 2);
	struct nslab_matrix *matrix;
	struct nslab_err err = {""};

	(void)state;
	m->pus[0].is_usable = false; /* the second PU of node 0 measures */
	m->nodes[1].memory_bytes = 0;
	assert_int_equal(nslab_matrix_fill(&m->topo, &planted, &matrix, &err), 0);
	for (int from = 0; from < 4; from++) {
		for (int to = 0; to < 4; to++) {
			double ns = matrix->latency_ns[from * 4 + to];

			if (from == 3 || to == 1)
				assert_true(isnan(ns));
			else
				assert_true(ns == 100 + (from ? 2 * from : 1) + 0.001 * to);
		}
	}
	assert_int_equal(matrix->nr_pus, 5);
	assert_int_equal(matrix->pus[0], 1);
	assert_true(isnan(matrix->handover_ns[0]));	    /* a PU with itself */
	assert_true(isnan(matrix->handover_ns[0 * 5 + 1])); /* pair 1, 2 did not answer */
	assert_true(matrix->handover_ns[0 * 5 + 2] == 13);
	assert_true(matrix->handover_ns[2 * 5 + 0] == 13);
	assert_int_equal(matrix->buffer_bytes, 80 << 20);
	nslab_matrix_free(matrix);
	free(m);
}

static void matrix_spreads_over_cores_when_there_are_many_pus(void **state)
{
	struct machine *m = machine_make(11, 8); /* 80 PUs, 40 cores */
	struct nslab_matrix *matrix;
	struct nslab_err err = {""};

	(void)state;
	assert_int_equal(nslab_matrix_fill(&m->topo, &planted, &matrix, &err), 0);
	assert_int_equal(matrix->nr_pus, NSLAB_MATRIX_PUS_MAX);
	for (int i = 0; i < matrix->nr_pus; i++) {
		assert_int_equal(m->pus[matrix->pus[i]].smt, 0);
		if (i)
			assert_true(matrix->pus[i] > matrix->pus[i - 1]);
	}
	assert_true(matrix->pus[NSLAB_MATRIX_PUS_MAX - 1] >= 76);
	nslab_matrix_free(matrix);
	free(m);
}

static char *printed(const struct nslab_matrix *matrix, const struct nslab_topo *topo)
{
	size_t bytes;
	char *text = NULL;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	nslab_matrix_print(matrix, topo, out, 80);
	fclose(out);
	return text;
}

static void matrix_fits_80_columns_when_it_is_large(void **state)
{
	struct machine *m = machine_make(18, 4);
	struct nslab_matrix *matrix;
	struct nslab_err err = {""};
	char *text, *line;

	(void)state;
	assert_int_equal(nslab_matrix_fill(&m->topo, &planted, &matrix, &err), 0);
	matrix->is_hardware = false;
	memset(matrix->note, 'x', sizeof(matrix->note) - 1);
	text = printed(matrix, &m->topo);
	for (line = text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 80);
	free(text);
	nslab_matrix_free(matrix);
	free(m);
}

static void matrix_stands_beside_the_firmware_when_it_is_printed(void **state)
{
	struct machine *m = machine_make(3, 2);
	struct nslab_matrix *matrix;
	struct nslab_err err = {""};
	json_t *json;
	char *text;

	(void)state;
	assert_int_equal(nslab_matrix_fill(&m->topo, &planted, &matrix, &err), 0);
	text = printed(matrix, &m->topo);
	assert_non_null(strstr(text, "100 (10)"));
	assert_non_null(strstr(text, "102 (21)"));
	assert_non_null(strstr(text, "- (21)")); /* from the node without PUs */
	assert_non_null(strstr(text, "firmware: node 0 from PUs 0-1: Latency 95 ns"));
	assert_null(strstr(text, "not NUMA hardware"));
	free(text);
	matrix->is_hardware = false;
	snprintf(matrix->note, sizeof(matrix->note), "taken in a virtual machine");
	text = printed(matrix, &m->topo);
	assert_int_equal(strncmp(text, "\nnot NUMA hardware: taken in a virtual machine\n", 47), 0);
	free(text);
	json = nslab_matrix_json(matrix, &m->topo);
	assert_true(json_is_false(json_object_get(json, "is_hardware")));
	assert_true(json_is_null(
		json_array_get(json_array_get(json_object_get(json, "latency_ns"), 2), 0)));
	json_decref(json);
	nslab_matrix_free(matrix);
	free(m);
}

static void matrix_is_refused_when_the_topology_is_of_another_machine(void **state)
{
	struct machine *m = machine_make(2, 2);
	struct nslab_matrix *matrix;
	struct nslab_err err = {""};

	(void)state;
	m->topo.is_this_machine = false;
	snprintf(m->topo.source, sizeof(m->topo.source), "xml some.xml");
	assert_int_equal(nslab_matrix_measure(&m->topo, &matrix, &err), -EINVAL);
	assert_string_equal(err.text, "cannot measure 'xml some.xml': it is not this machine");
	free(m);
}

/* ---- guests ---- */

static void put_file(const char *root, const char *folder, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s%s", root, folder);
	for (char *slash = path + strlen(root) + 1; *slash; slash++) {
		if (*slash == '/') {
			*slash = '\0';
			mkdir(path, 0777);
			*slash = '/';
		}
	}
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s%s/%s", root, folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void guest_is_found_when_a_file_gives_it_away(void **state)
{
	char root[] = "/tmp/nslab-guest-XXXXXX", command[64], sign[128] = "";

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_false(nslab_is_guest(root, sign, sizeof(sign))); /* nothing is known */
	put_file(root, "/proc", "cpuinfo", "flags\t\t: fpu sse2 constant_tsc\n");
	put_file(root, "/sys/class/dmi/id", "sys_vendor", "Dell Inc.\n");
	assert_false(nslab_is_guest(root, sign, sizeof(sign)));
	put_file(root, "/sys/class/dmi/id", "sys_vendor", "QEMU\n");
	assert_true(nslab_is_guest(root, sign, sizeof(sign)));
	assert_string_equal(sign, "/sys/class/dmi/id/sys_vendor says 'QEMU'");
	put_file(root, "/proc", "cpuinfo", "flags\t\t: fpu sse2 hypervisor lahf_lm\n");
	assert_true(nslab_is_guest(root, sign, sizeof(sign)));
	assert_string_equal(sign, "/proc/cpuinfo says 'hypervisor'");
	snprintf(command, sizeof(command), "rm -r '%s'", root);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chase_visits_every_line_once_when_it_is_linked),
		cmocka_unit_test(chase_time_is_the_median_when_some_rows_are_disturbed),
		cmocka_unit_test(matrix_median_is_nan_when_nothing_was_measured),
		cmocka_unit_test(
			matrix_leaves_places_unmeasured_when_a_node_has_no_pu_or_no_memory),
		cmocka_unit_test(matrix_spreads_over_cores_when_there_are_many_pus),
		cmocka_unit_test(matrix_fits_80_columns_when_it_is_large),
		cmocka_unit_test(matrix_stands_beside_the_firmware_when_it_is_printed),
		cmocka_unit_test(matrix_is_refused_when_the_topology_is_of_another_machine),
		cmocka_unit_test(guest_is_found_when_a_file_gives_it_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
