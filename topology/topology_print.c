/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * topology_print.c: a machine on one screen.
 *
 * Two tables and a few notes: nodes with their memory, package, PUs (those of one L3 in brackets)
 * and row of the distance matrix; then the kinds of caches with how many there are and who shares
 * each. Up to 8 nodes stand one by one with the matrix beside them; more are folded when they
 * follow each other and look alike, and the matrix becomes a list of its distinct values. What is
 * unusual (memory-only nodes, shared PUs, a CPU mask, what a cpuset forbids) is said in words.
 * Indices are OS indices everywhere. Left out: I/O, and any drawing that needs more than ASCII.
 */
#include "topology/model.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTED_NODES 8  /* more are folded, and get no matrix */
#define MAX_ROWS	 14 /* of the node table */
#define MAX_CACHE_ROWS	 9
#define MIN_PU_COLUMNS	 16

/* One line of the node table: nodes first..last, which look alike. */
struct row {
	int first, last;
};

struct picture {
	const struct nslab_topo *topo;
	FILE *out;
	int columns;
	struct row *rows;
	int nr_rows;
	bool has_brackets; /* every node's PUs fit with them */
	bool has_matrix;   /* beside the nodes */
	bool has_bandwidth, has_latency;
	int node_width, pu_width, distance_width;
};

/* ---- words ---- */

static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

/* Memory: three digits are enough. */
static void memory_text(uint64_t bytes, char *text, size_t text_bytes)
{
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024) {
		value /= 1024;
		unit++;
	}
	snprintf(text, text_bytes, "%.*f %s", value < 100 && unit ? 1 : 0, value, units[unit]);
}

/* Caches: their size matters exactly. */
static void cache_text(uint64_t bytes, char *text, size_t text_bytes)
{
	size_t unit = 0;

	while (bytes >= 1024 && !(bytes % 1024)) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, text_bytes, "%" PRIu64 " %s", bytes, units[unit]);
}

static const char *plural(int nr)
{
	return nr == 1 ? "" : "s";
}

static void print_list(const struct picture *picture, const char *label, const int *list, int nr)
{
	char text[160];
	size_t room = (size_t)picture->columns - 22;

	if (!nr)
		return;
	nslab_index_text(list, nr, text, room < sizeof(text) ? room : sizeof(text));
	fprintf(picture->out, " %s%s %s", label, plural(nr), text);
}

/* ---- the title ---- */

static void print_title(const struct picture *picture)
{
	const struct nslab_topo *topo = picture->topo;
	uint64_t memory_bytes = 0;
	char memory[32], usable[48] = "";

	for (int i = 0; i < topo->nr_nodes; i++)
		memory_bytes += topo->nodes[i].memory_bytes;
	memory_text(memory_bytes, memory, sizeof(memory));
	if (topo->nr_allowed_pus != topo->nr_pus)
		snprintf(usable, sizeof(usable), " (%d usable)", topo->nr_allowed_pus);
	fprintf(picture->out, "%s: %s\n", topo->source, topo->machine);
	fprintf(picture->out, "%d package%s, %d core%s, %d PU%s%s, %d %snode%s, %s\n",
		topo->nr_packages, plural(topo->nr_packages), topo->nr_cores,
		plural(topo->nr_cores), topo->nr_pus, plural(topo->nr_pus), usable, topo->nr_nodes,
		topo->is_simulated ? "simulated " : "", plural(topo->nr_nodes), memory);
}

/* ---- one line of the node table ---- */

static bool is_alike(const struct nslab_topo *topo, int a, int b)
{
	const struct nslab_topo_node *x = &topo->nodes[a], *y = &topo->nodes[b];
	char memory[2][32];

	memory_text(x->memory_bytes, memory[0], sizeof(memory[0]));
	memory_text(y->memory_bytes, memory[1], sizeof(memory[1]));
	return x->nr_pus == y->nr_pus && y->os_index == x->os_index + b - a &&
	       !strcmp(memory[0], memory[1]);
}

static void fold(struct picture *picture)
{
	const struct nslab_topo *topo = picture->topo;
	bool is_folding = topo->nr_nodes > MAX_LISTED_NODES;

	for (int i = 0; i < topo->nr_nodes; i++) {
		struct row *last = &picture->rows[picture->nr_rows ? picture->nr_rows - 1 : 0];

		if (is_folding && picture->nr_rows && is_alike(topo, last->first, i))
			last->last = i;
		else
			picture->rows[picture->nr_rows++] = (struct row){i, i};
	}
}

static void node_text(const struct picture *picture, const struct row *row, char *text,
		      size_t text_bytes)
{
	const struct nslab_topo_node *nodes = picture->topo->nodes;

	if (row->first == row->last)
		snprintf(text, text_bytes, "%d", nodes[row->first].os_index);
	else
		snprintf(text, text_bytes, "%d-%d", nodes[row->first].os_index,
			 nodes[row->last].os_index);
}

/* "0", "0-1" or "-": the packages of a node's PUs. */
static void package_text(const struct picture *picture, const struct row *row, char *text,
			 size_t text_bytes)
{
	const struct nslab_topo *topo = picture->topo;
	int low = -1, high = -1;

	for (int n = row->first; n <= row->last; n++) {
		const struct nslab_topo_node *node = &topo->nodes[n];

		for (int i = 0; i < node->nr_pus; i++) {
			int pu = nslab_topo_pu_index(topo, node->pus[i]);
			int package = pu < 0 ? -1 : topo->pus[pu].package;

			low = low < 0 || package < low ? package : low;
			high = package > high ? package : high;
		}
	}
	if (high < 0)
		snprintf(text, text_bytes, "-");
	else if (low == high)
		snprintf(text, text_bytes, "%d", high);
	else
		snprintf(text, text_bytes, "%d-%d", low, high);
}

/* Whether caches[cache] is the L3 of some of the node's PUs. */
static bool is_l3_of(const struct nslab_topo *topo, int cache, const struct nslab_topo_node *node)
{
	const struct nslab_topo_cache *row = &topo->caches[cache];
	int pu = row->nr_pus ? nslab_topo_pu_index(topo, row->pus[0]) : -1;

	return row->level == 3 && pu >= 0 && topo->pus[pu].l3 == cache &&
	       bsearch(&row->pus[0], node->pus, (size_t)node->nr_pus, sizeof(int), nslab_by_value);
}

/* The PUs of a node, those of each L3 in brackets: 1, 0 when it has one L3, -1 when too long. */
static int bracket_text(const struct picture *picture, const struct nslab_topo_node *node,
			char *text, size_t text_bytes)
{
	const struct nslab_topo *topo = picture->topo;
	int nr_groups = 0, nr_taken = 0;
	size_t used = 0;

	for (int c = 0; c < topo->nr_caches; c++) {
		const struct nslab_topo_cache *cache = &topo->caches[c];
		char list[128];

		if (!is_l3_of(topo, c, node))
			continue;
		if (!nslab_index_text(cache->pus, cache->nr_pus, list, sizeof(list)) ||
		    used + strlen(list) + (used ? 4 : 3) > text_bytes)
			return -1;
		used += (size_t)snprintf(text + used, text_bytes - used, "%s[%s]", used ? " " : "",
					 list);
		nr_taken += cache->nr_pus;
		nr_groups++;
	}
	return nr_groups > 1 && nr_taken == node->nr_pus;
}

/* "16 PUs each: 0-15 ... 1008-1023" */
static void folded_text(const struct nslab_topo *topo, const struct row *row, char *text,
			size_t text_bytes)
{
	const struct nslab_topo_node *first = &topo->nodes[row->first];
	const struct nslab_topo_node *last = &topo->nodes[row->last];
	char lists[2][32];

	if (nslab_index_text(first->pus, first->nr_pus, lists[0], sizeof(lists[0])) &&
	    nslab_index_text(last->pus, last->nr_pus, lists[1], sizeof(lists[1])))
		snprintf(text, text_bytes, "%d PU%s each: %s ... %s", first->nr_pus,
			 plural(first->nr_pus), lists[0], lists[1]);
	else
		snprintf(text, text_bytes, "%d PU%s each", first->nr_pus, plural(first->nr_pus));
}

/* Node whose PUs these are when they are at home on another one, or -1. */
static int landlord(const struct picture *picture, int node)
{
	const struct nslab_topo *topo = picture->topo;
	int pu = nslab_topo_pu_index(topo, topo->nodes[node].pus[0]);
	int home = pu < 0 ? -1 : topo->pus[pu].home;

	return home == node ? -1 : home;
}

static void pu_text(const struct picture *picture, const struct row *row, char *text,
		    size_t text_bytes)
{
	const struct nslab_topo *topo = picture->topo;
	const struct nslab_topo_node *node = &topo->nodes[row->first];
	int home = node->nr_pus ? landlord(picture, row->first) : -1;

	if (!node->nr_pus)
		snprintf(text, text_bytes, "memory only");
	else if (row->first != row->last)
		folded_text(topo, row, text, text_bytes);
	else if (home >= 0 && topo->nodes[home].nr_pus == node->nr_pus)
		snprintf(text, text_bytes, "PUs of node %d", topo->nodes[home].os_index);
	else if (home >= 0)
		snprintf(text, text_bytes, "%d PUs of nodes", node->nr_pus);
	else if ((!picture->has_brackets || bracket_text(picture, node, text, text_bytes) < 1) &&
		 !nslab_index_text(node->pus, node->nr_pus, text, text_bytes) &&
		 !nslab_index_text(node->pus, node->nr_pus, text, text_bytes - 7))
		snprintf(text + strlen(text), 8, " (%d)", node->nr_pus);
}

/* ---- memory attributes ---- */

/* A node's value of an attribute, from the initiator it is local to; false when not told. */
static bool attribute(const struct nslab_topo *topo, const char *name, int node, uint64_t *value)
{
	for (int i = 0; i < topo->nr_memattrs; i++) {
		if (topo->memattrs[i].node == node && !strcmp(topo->memattrs[i].name, name)) {
			*value = topo->memattrs[i].value;
			return true;
		}
	}
	return false;
}

static bool has_attribute(const struct nslab_topo *topo, const char *name)
{
	for (int i = 0; i < topo->nr_memattrs; i++) {
		if (!strcmp(topo->memattrs[i].name, name))
			return true;
	}
	return false;
}

static void print_attribute(const struct picture *picture, const char *name, int node, int width)
{
	uint64_t value;

	if (attribute(picture->topo, name, node, &value))
		fprintf(picture->out, " %*" PRIu64, width, value);
	else
		fprintf(picture->out, " %*s", width, "-");
}

/* ---- the node table ---- */

static void print_header(const struct picture *picture)
{
	fprintf(picture->out, "\n%*s   memory package", picture->node_width, "node");
	if (picture->has_bandwidth)
		fprintf(picture->out, "   MiB/s");
	if (picture->has_latency)
		fprintf(picture->out, "    ns");
	if (!picture->has_matrix) {
		fprintf(picture->out, "  PUs\n");
		return;
	}
	fprintf(picture->out, "  %-*s", picture->pu_width, "PUs");
	for (int i = 0; i < picture->topo->nr_nodes; i++)
		fprintf(picture->out, "%s%*d", i ? "" : "to", picture->distance_width,
			picture->topo->nodes[i].os_index);
	fprintf(picture->out, "\n");
}

static void print_node(const struct picture *picture, const struct row *row)
{
	const struct nslab_topo *topo = picture->topo;
	char node[24], memory[32], package[24], pus[160];
	size_t room = (size_t)picture->pu_width + 1;

	node_text(picture, row, node, sizeof(node));
	memory_text(topo->nodes[row->first].memory_bytes, memory, sizeof(memory));
	package_text(picture, row, package, sizeof(package));
	pu_text(picture, row, pus, room < sizeof(pus) ? room : sizeof(pus));
	fprintf(picture->out, "%*s %8s %7s", picture->node_width, node, memory, package);
	if (picture->has_bandwidth)
		print_attribute(picture, "Bandwidth", row->first, 7);
	if (picture->has_latency)
		print_attribute(picture, "Latency", row->first, 5);
	if (!picture->has_matrix) {
		fprintf(picture->out, "  %s\n", pus);
		return;
	}
	fprintf(picture->out, "  %-*s  ", picture->pu_width, pus);
	for (int i = 0; i < topo->nr_nodes; i++)
		fprintf(picture->out, "%*u", picture->distance_width,
			nslab_topo_distance(topo, row->first, i));
	fprintf(picture->out, "\n");
}

/* PUs that no node is local to, package by package. */
static void print_homeless(const struct picture *picture)
{
	const struct nslab_topo *topo = picture->topo;
	int *list = calloc((size_t)topo->nr_pus + 1, sizeof(*list));
	char text[64];

	for (int i = 0; list && i < topo->nr_pus;) {
		int package = topo->pus[i].package, node = topo->pus[i].node, nr = 0;

		for (; i < topo->nr_pus && topo->pus[i].package == package; i++) {
			if (topo->pus[i].home < 0)
				list[nr++] = topo->pus[i].os_index;
		}
		if (!nr)
			continue;
		qsort(list, (size_t)nr, sizeof(*list), nslab_by_value);
		nslab_index_text(list, nr, text, sizeof(text) - 30);
		fprintf(picture->out, "%*s %8s %7d  %s", picture->node_width, "-", "none", package,
			text);
		if (node >= 0)
			fprintf(picture->out, " (nearest: node %d)", topo->nodes[node].os_index);
		fprintf(picture->out, "\n");
	}
	free(list);
}

static void print_nodes(const struct picture *picture)
{
	int nr = picture->nr_rows > MAX_ROWS ? MAX_ROWS - 1 : picture->nr_rows;

	print_header(picture);
	for (int i = 0; i < nr; i++)
		print_node(picture, &picture->rows[i]);
	if (nr < picture->nr_rows)
		fprintf(picture->out, "%*s and %d nodes more\n", picture->node_width, "...",
			picture->topo->nr_nodes - picture->rows[nr].first);
	print_homeless(picture);
}

/* ---- distances of many nodes ---- */

static int by_distance(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Each distinct distance with how many ordered pairs of distinct nodes have it. */
static void print_distance_summary(const struct picture *picture)
{
	const struct nslab_topo *topo = picture->topo;
	size_t nr = (size_t)topo->nr_nodes * (size_t)topo->nr_nodes;
	unsigned *sorted = calloc(nr + 1, sizeof(*sorted));
	int nr_shown = 0;

	if (!sorted)
		return;
	memcpy(sorted, topo->distances, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), by_distance);
	fprintf(picture->out, "\ndistances:");
	for (size_t i = 0; i < nr;) {
		size_t at = i;

		while (i < nr && sorted[i] == sorted[at])
			i++;
		if (nr_shown++ < 5)
			fprintf(picture->out, "%s %u (%zu pair%s)", at ? "," : "", sorted[at],
				i - at, plural(i - at == 1 ? 1 : 2));
	}
	if (nr_shown > 5)
		fprintf(picture->out, ", ... up to %u", sorted[nr - 1]);
	fprintf(picture->out, "\n");
	free(sorted);
}

static void print_distance_note(const struct picture *picture)
{
	const struct nslab_topo *topo = picture->topo;

	if (topo->nr_nodes < 2 || picture->has_matrix)
		return;
	if (topo->has_distances)
		print_distance_summary(picture);
	else
		fprintf(picture->out, "\ndistances: %s\n",
			topo->is_simulated ? "10 to itself, 20 to others (simulated)" : "not told");
}

/* ---- caches ---- */

static bool is_same_kind(const struct nslab_topo_cache *a, const struct nslab_topo_cache *b)
{
	return a->level == b->level && a->type == b->type && a->size_bytes == b->size_bytes &&
	       a->line_bytes == b->line_bytes && a->nr_pus == b->nr_pus;
}

static bool is_first_of_kind(const struct nslab_topo *topo, int cache)
{
	for (int i = cache - 1; i >= 0; i--) {
		if (topo->caches[i].level != topo->caches[cache].level)
			return true;
		if (is_same_kind(&topo->caches[i], &topo->caches[cache]))
			return false;
	}
	return true;
}

static int nr_cores_of(const struct nslab_topo *topo, const struct nslab_topo_cache *cache)
{
	int nr = 0;

	for (int i = 0; i < cache->nr_pus; i++) {
		int pu = nslab_topo_pu_index(topo, cache->pus[i]);

		nr += pu >= 0 && !topo->pus[pu].smt;
	}
	return nr;
}

static void print_cache(const struct picture *picture, const struct nslab_topo_cache *cache)
{
	static const char *const suffixes[] = {
		[NSLAB_CPU_CACHE_DATA] = "d",
		[NSLAB_CPU_CACHE_INSTRUCTION] = "i",
		[NSLAB_CPU_CACHE_UNIFIED] = "",
		[NSLAB_CPU_CACHE_MEMORY_SIDE] = "",
	};
	const struct nslab_topo *topo = picture->topo;
	int nr_cores = nr_cores_of(topo, cache), nr = 0;
	char name[16] = "memory-side", size[32], line[24] = "-";

	for (int i = 0; i < topo->nr_caches; i++)
		nr += is_same_kind(&topo->caches[i], cache);
	if (cache->level)
		snprintf(name, sizeof(name), "L%d%s", cache->level, suffixes[cache->type]);
	cache_text(cache->size_bytes, size, sizeof(size));
	if (cache->line_bytes)
		snprintf(line, sizeof(line), "%u B", cache->line_bytes);
	fprintf(picture->out, "%-11s %8s %6s %6d  ", name, size, line, nr);
	if (!cache->nr_pus)
		fprintf(picture->out, "no PU\n");
	else if (topo->nr_cores && nr_cores)
		fprintf(picture->out, "%d core%s, %d PU%s\n", nr_cores, plural(nr_cores),
			cache->nr_pus, plural(cache->nr_pus));
	else
		fprintf(picture->out, "%d PU%s\n", cache->nr_pus, plural(cache->nr_pus));
}

static void print_caches(const struct picture *picture)
{
	const struct nslab_topo *topo = picture->topo;
	int nr_rows = 0, nr_hidden = 0;

	if (!topo->nr_caches) {
		fprintf(picture->out, "\ncaches: not told\n");
		return;
	}
	fprintf(picture->out, "\ncache           size   line  count  each shared by\n");
	for (int i = 0; i < topo->nr_caches; i++) {
		if (!is_first_of_kind(topo, i))
			continue;
		if (nr_rows++ < MAX_CACHE_ROWS)
			print_cache(picture, &topo->caches[i]);
		else
			nr_hidden++;
	}
	if (nr_hidden)
		fprintf(picture->out, "... and %d kinds more\n", nr_hidden);
}

/* ---- the picture ---- */

static void print_notes(const struct picture *picture)
{
	const struct nslab_topo *topo = picture->topo;

	if (*topo->mask_note || topo->nr_disallowed_nodes || topo->nr_disallowed_pus ||
	    topo->nr_absent_nodes || topo->nr_absent_pus)
		fprintf(picture->out, "\n");
	if (*topo->mask_note)
		fprintf(picture->out, "%s\n", topo->mask_note);
	if (topo->nr_disallowed_nodes || topo->nr_disallowed_pus) {
		fprintf(picture->out, "disallowed:");
		print_list(picture, "node", topo->disallowed_nodes, topo->nr_disallowed_nodes);
		print_list(picture, "PU", topo->disallowed_pus, topo->nr_disallowed_pus);
		fprintf(picture->out, "\n");
	}
	if (topo->nr_absent_nodes || topo->nr_absent_pus) {
		fprintf(picture->out, "absent (offline or hidden):");
		print_list(picture, "node", topo->absent_nodes, topo->nr_absent_nodes);
		print_list(picture, "PU", topo->absent_pus, topo->nr_absent_pus);
		fprintf(picture->out, "\n");
	}
}

/* Widths: what the matrix leaves belongs to the PUs; a matrix that leaves too little goes. */
static void lay_out(struct picture *picture)
{
	const struct nslab_topo *topo = picture->topo;
	int fixed, matrix, widest = 1;
	char text[24];

	picture->has_bandwidth = has_attribute(topo, "Bandwidth");
	picture->has_latency = has_attribute(topo, "Latency");
	picture->node_width = 4;
	for (int i = 0; i < picture->nr_rows; i++) {
		node_text(picture, &picture->rows[i], text, sizeof(text));
		if ((int)strlen(text) > picture->node_width)
			picture->node_width = (int)strlen(text);
	}
	for (int i = 0; i < topo->nr_nodes * topo->nr_nodes; i++) {
		int len = snprintf(text, sizeof(text), "%u", topo->distances[i]);

		widest = len > widest ? len : widest;
	}
	for (int i = 0; i < topo->nr_nodes; i++) {
		int len = snprintf(text, sizeof(text), "%d", topo->nodes[i].os_index);

		widest = len > widest ? len : widest;
	}
	picture->distance_width = widest + 1;
	fixed = picture->node_width + 19 + 8 * picture->has_bandwidth + 6 * picture->has_latency;
	matrix = 2 + picture->distance_width * topo->nr_nodes;
	picture->has_matrix = topo->has_distances && topo->nr_nodes > 1 &&
			      topo->nr_nodes <= MAX_LISTED_NODES &&
			      picture->columns - fixed - matrix >= MIN_PU_COLUMNS;
	picture->pu_width = picture->columns - fixed - (picture->has_matrix ? matrix : 0);
}

/* Narrows the PU column to its widest text, so that the matrix stands beside it. */
static void tighten(struct picture *picture)
{
	int widest = 4;
	char text[160];
	size_t room = (size_t)picture->pu_width + 1;

	room = room < sizeof(text) ? room : sizeof(text);
	picture->has_brackets = true;
	for (int i = 0; i < picture->nr_rows; i++) {
		const struct nslab_topo_node *node = &picture->topo->nodes[picture->rows[i].first];

		if (bracket_text(picture, node, text, room) < 0)
			picture->has_brackets = false;
	}
	for (int i = 0; i < picture->nr_rows; i++) {
		pu_text(picture, &picture->rows[i], text, room);
		if ((int)strlen(text) > widest)
			widest = (int)strlen(text);
	}
	picture->pu_width = widest;
}

void nslab_topo_print(const struct nslab_topo *topo, FILE *out, int columns)
{
	struct picture picture = {.topo = topo, .out = out, .columns = columns};

	if (picture.columns < 60)
		picture.columns = 60;
	picture.rows = calloc((size_t)topo->nr_nodes + 1, sizeof(*picture.rows));
	if (picture.rows) {
		fold(&picture);
		lay_out(&picture);
		tighten(&picture);
		print_title(&picture);
		print_nodes(&picture);
		print_distance_note(&picture);
		print_caches(&picture);
		print_notes(&picture);
	}
	free(picture.rows);
}
