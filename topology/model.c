/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.c: the arrays of struct nslab_topo once they are filled: look-ups, lists as text, the end.
 *
 * Nothing here knows where a topology came from, so the same code serves detected, imported and
 * simulated ones. Positions are dense and in hwloc's logical order; OS indices are sparse and in
 * no order, so a caller that maps many of them asks for a table once. Number lists are written
 * the way taskset reads them (with strides), so that what is printed can be pasted back into a
 * placement.
 */
#define _GNU_SOURCE
#include "topology/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nslab_topo_free(struct nslab_topo *topo)
{
	if (!topo)
		return;
	for (int i = 0; topo->nodes && i < topo->nr_nodes; i++)
		free(topo->nodes[i].pus);
	for (int i = 0; topo->caches && i < topo->nr_caches; i++)
		free(topo->caches[i].pus);
	for (int i = 0; topo->memattrs && i < topo->nr_memattrs; i++)
		free((char *)topo->memattrs[i].name);
	free(topo->nodes);
	free(topo->pus);
	free(topo->caches);
	free(topo->memattrs);
	free(topo->distances);
	free(topo->disallowed_nodes);
	free(topo->disallowed_pus);
	free(topo->absent_nodes);
	free(topo->absent_pus);
	free(topo->hwloc_xml);
	free(topo);
}

int nslab_topo_pu_index(const struct nslab_topo *topo, int os_index)
{
	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].os_index == os_index)
			return i;
	}
	return -1;
}

int nslab_topo_node_index(const struct nslab_topo *topo, int os_index)
{
	for (int i = 0; i < topo->nr_nodes; i++) {
		if (topo->nodes[i].os_index == os_index)
			return i;
	}
	return -1;
}

int *nslab_topo_pu_positions(const struct nslab_topo *topo, int *nr)
{
	int *positions;

	*nr = 0;
	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].os_index >= *nr)
			*nr = topo->pus[i].os_index + 1;
	}
	positions = malloc(((size_t)*nr + 1) * sizeof(*positions));
	if (!positions)
		return NULL;
	for (int i = 0; i < *nr; i++)
		positions[i] = -1;
	for (int i = 0; i < topo->nr_pus; i++)
		positions[topo->pus[i].os_index] = i;
	return positions;
}

/* Whether node a is nearer to its PUs than node b. */
static bool is_closer(const struct nslab_topo_node *a, const struct nslab_topo_node *b)
{
	if (a->nr_pus != b->nr_pus)
		return a->nr_pus < b->nr_pus;
	return a->os_index < b->os_index;
}

int nslab_topo_fill_homes(struct nslab_topo *topo)
{
	int nr;
	int *positions = nslab_topo_pu_positions(topo, &nr);

	if (!positions)
		return -ENOMEM;
	for (int i = 0; i < topo->nr_pus; i++)
		topo->pus[i].home = -1;
	for (int n = 0; n < topo->nr_nodes; n++) {
		const struct nslab_topo_node *node = &topo->nodes[n];

		for (int i = 0; i < node->nr_pus; i++) {
			int *home = &topo->pus[positions[node->pus[i]]].home;

			if (*home < 0 || is_closer(node, &topo->nodes[*home]))
				*home = n;
		}
	}
	free(positions);
	return 0;
}

bool nslab_topo_has_memory(const struct nslab_topo *topo, int node)
{
	if (topo->nodes[node].memory_bytes)
		return true;
	for (int i = 0; i < topo->nr_nodes; i++) {
		if (topo->nodes[i].memory_bytes)
			return false;
	}
	return true;
}

unsigned nslab_topo_distance(const struct nslab_topo *topo, int from, int to)
{
	return topo->distances[(size_t)from * (size_t)topo->nr_nodes + (size_t)to];
}

/* How many numbers from list[at] on have the same step; the step is told for 2 or more. */
static int run_length(const int *list, int nr, int at, int *step)
{
	int end = at + 1;

	*step = end < nr ? list[end] - list[at] : 1;
	while (end < nr && list[end] - list[end - 1] == *step)
		end++;
	return end - at;
}

/* One element of the list as text; returns how many numbers it stands for. */
static int run_text(const int *list, int nr, int at, char *text, size_t text_bytes)
{
	int step;
	int len = run_length(list, nr, at, &step);

	if (step == 1 && len >= 2)
		snprintf(text, text_bytes, "%d-%d", list[at], list[at + len - 1]);
	else if (step > 1 && len >= 4)
		snprintf(text, text_bytes, "%d-%d:%d", list[at], list[at + len - 1], step);
	else
		snprintf(text, text_bytes, "%d", list[at]);
	return (step == 1 && len >= 2) || (step > 1 && len >= 4) ? len : 1;
}

bool nslab_index_text(const int *list, int nr, char *text, size_t text_bytes)
{
	size_t used = 0;

	text[0] = '\0';
	for (int at = 0; at < nr;) {
		char element[48];
		int len = run_text(list, nr, at, element, sizeof(element));
		size_t need = strlen(element) + (used ? 1 : 0);
		/* room for ",..." stays free unless this element is the last */
		size_t spare = at + len < nr ? 4 : 0;

		if (used + need + spare + 1 > text_bytes) {
			snprintf(text + used, text_bytes - used, "%s...", used ? "," : "");
			return false;
		}
		snprintf(text + used, text_bytes - used, "%s%s", used ? "," : "", element);
		used += need;
		at += len;
	}
	return true;
}

int nslab_by_value(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void nslab_topo_node_text(const struct nslab_topo *topo, char *text, size_t text_bytes)
{
	int *list = calloc((size_t)topo->nr_nodes + 1, sizeof(*list));

	snprintf(text, text_bytes, "none");
	if (!list)
		return;
	for (int i = 0; i < topo->nr_nodes; i++)
		list[i] = topo->nodes[i].os_index;
	qsort(list, (size_t)topo->nr_nodes, sizeof(*list), nslab_by_value);
	if (topo->nr_nodes)
		nslab_index_text(list, topo->nr_nodes, text, text_bytes);
	free(list);
}

void nslab_topo_pu_text(const struct nslab_topo *topo, bool only_usable, char *text,
			size_t text_bytes)
{
	int *list = calloc((size_t)topo->nr_pus + 1, sizeof(*list));
	int nr = 0;

	snprintf(text, text_bytes, "none");
	if (!list)
		return;
	for (int i = 0; i < topo->nr_pus; i++) {
		if (!only_usable || topo->pus[i].is_usable)
			list[nr++] = topo->pus[i].os_index;
	}
	qsort(list, (size_t)nr, sizeof(*list), nslab_by_value);
	if (nr)
		nslab_index_text(list, nr, text, text_bytes);
	free(list);
}
