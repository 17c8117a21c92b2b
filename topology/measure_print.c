/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * measure_print.c: the measured matrices as text of at most 80 columns, and as JSON.
 *
 * A matrix that is too wide is printed in parts, each with its row labels. What the firmware says
 * stands beside what was measured: the distance (SLIT) in brackets behind each latency, the memory
 * attributes (HMAT) below. '-' was not measured. The heading says what the figures are, and where
 * they are not the hardware's, that is the first line.
 */
#include "topology/measure.h"

#include <math.h>
#include <string.h>

#define PRINT_LABEL_WIDTH 8

struct print_matrix {
	const char *title;
	const double *values;	   /* [nr * nr] */
	const unsigned *distances; /* the same places, in brackets; or NULL */
	int nr, cell_width;
	const char *word; /* "node", "PU" */
	int (*os_index)(const struct nslab_topo *topo, const struct nslab_matrix *matrix, int at);
};

static int node_index(const struct nslab_topo *topo, const struct nslab_matrix *matrix, int at)
{
	(void)matrix;
	return topo->nodes[at].os_index;
}

static int pu_index(const struct nslab_topo *topo, const struct nslab_matrix *matrix, int at)
{
	return topo->pus[matrix->pus[at]].os_index;
}

static void print_cell(const struct print_matrix *m, int at, FILE *out)
{
	char text[48];

	if (isnan(m->values[at]))
		snprintf(text, sizeof(text), "-");
	else
		snprintf(text, sizeof(text), m->values[at] < 9.95 ? "%.1f" : "%.0f", m->values[at]);
	if (m->distances) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, " (%u)", m->distances[at]);
	}
	fprintf(out, "%*s", m->cell_width, text);
}

static void print_matrix(const struct nslab_matrix *matrix, const struct nslab_topo *topo,
			 const struct print_matrix *m, FILE *out, int columns)
{
	int at_once = (columns - PRINT_LABEL_WIDTH) / m->cell_width;

	fprintf(out, "\n%s\n", m->title);
	for (int first = 0; first < m->nr; first += at_once) {
		int end = first + at_once < m->nr ? first + at_once : m->nr;

		fprintf(out, "%-*s", PRINT_LABEL_WIDTH, m->word);
		for (int to = first; to < end; to++)
			fprintf(out, "%*d", m->cell_width, m->os_index(topo, matrix, to));
		fputc('\n', out);
		for (int from = 0; from < m->nr; from++) {
			fprintf(out, "%*d", PRINT_LABEL_WIDTH, m->os_index(topo, matrix, from));
			for (int to = first; to < end; to++)
				print_cell(m, from * m->nr + to, out);
			fputc('\n', out);
		}
	}
}

static void print_attributes(const struct nslab_topo *topo, FILE *out)
{
	for (int i = 0; i < topo->nr_memattrs; i++) {
		const struct nslab_topo_memattr *attr = &topo->memattrs[i];
		bool is_latency = strstr(attr->name, "Latency");

		if (!is_latency && !strstr(attr->name, "Bandwidth"))
			continue;
		fprintf(out, "firmware: node %d%s%s: %s %llu %s\n",
			topo->nodes[attr->node].os_index, attr->initiator[0] ? " from PUs " : "",
			attr->initiator, attr->name, (unsigned long long)attr->value,
			is_latency ? "ns" : "MiB/s");
	}
}

/* In lines of at most `columns`, broken at blanks. */
static void print_folded(const char *text, FILE *out, int columns)
{
	while (*text) {
		size_t len = strlen(text), room = (size_t)columns;

		if (len > room) {
			for (len = room; len && text[len] != ' ';)
				len--;
			len = len ? len : room;
		}
		fprintf(out, "%.*s\n", (int)len, text);
		text += len;
		text += *text == ' ';
	}
}

void nslab_matrix_print(const struct nslab_matrix *matrix, const struct nslab_topo *topo, FILE *out,
			int columns)
{
	bool has_distances = topo->has_distances || topo->is_simulated;
	const struct print_matrix latency = {
		has_distances ? "ns of a dependent load, row: PU's node, column: memory (distance)"
			      : "ns of a dependent load, row: PU's node, column: memory",
		matrix->latency_ns,
		has_distances ? topo->distances : NULL,
		matrix->nr_nodes,
		has_distances ? 11 : 8,
		"node",
		node_index,
	};
	const struct print_matrix bandwidth = {
		"MB/s read by one PU, row: PU's node, column: memory",
		matrix->bandwidth_mbs,
		NULL,
		matrix->nr_nodes,
		9,
		"node",
		node_index,
	};
	const struct print_matrix handover = {
		"ns to hand a cache line from PU to PU",
		matrix->handover_ns,
		NULL,
		matrix->nr_pus,
		6,
		"PU",
		pu_index,
	};

	if (!matrix->is_hardware) {
		char note[300];

		snprintf(note, sizeof(note), "not NUMA hardware: %s", matrix->note);
		fputc('\n', out);
		print_folded(note, out, columns);
	}
	print_matrix(matrix, topo, &latency, out, columns);
	print_attributes(topo, out);
	print_matrix(matrix, topo, &bandwidth, out, columns);
	print_matrix(matrix, topo, &handover, out, columns);
}

/* ---- JSON ---- */

static json_t *places_json(const double *values, int nr)
{
	json_t *rows = json_array();

	for (int from = 0; from < nr; from++) {
		json_t *row = json_array();

		for (int to = 0; to < nr; to++) {
			double value = values[from * nr + to];

			json_array_append_new(row, isnan(value) ? json_null() : json_real(value));
		}
		json_array_append_new(rows, row);
	}
	return rows;
}

json_t *nslab_matrix_json(const struct nslab_matrix *matrix, const struct nslab_topo *topo)
{
	json_t *nodes = json_array(), *pus = json_array();

	for (int i = 0; i < matrix->nr_nodes; i++)
		json_array_append_new(nodes, json_integer(topo->nodes[i].os_index));
	for (int i = 0; i < matrix->nr_pus; i++)
		json_array_append_new(pus, json_integer(pu_index(topo, matrix, i)));
	return json_pack("{s:b, s:s?, s:I, s:o, s:o, s:o, s:o, s:o}", "is_hardware",
			 matrix->is_hardware, "note", matrix->is_hardware ? NULL : matrix->note,
			 "buffer_bytes", (json_int_t)matrix->buffer_bytes, "nodes", nodes, "pus",
			 pus, "latency_ns", places_json(matrix->latency_ns, matrix->nr_nodes),
			 "bandwidth_mbs", places_json(matrix->bandwidth_mbs, matrix->nr_nodes),
			 "handover_ns", places_json(matrix->handover_ns, matrix->nr_pus));
}
