/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * placement.c: from a placement's text to an ordered list of PUs, and from a memory text to a node.
 *
 * Every placement is one sequence of PUs, as long as it can get; a run with n threads takes the
 * first n. A sequence is built from the usable PUs in hwloc's logical order, in which neighbours
 * share cores, caches, nodes and packages in that order, so that `compact` is simply that order.
 *
 * Invariants: no PU stands twice in a sequence; no core stands twice except under smt and pus. A
 * node's workers are the PUs at home on it, so nodes that share their PUs with
 * another, such as HBM or CXL memory beside DRAM, hold memory but never workers. Texts are parsed
 * strictly, and what is wrong with one is told with what there is instead. Left out: any notion of
 * speed; `remote` goes by distance alone.
 */
#define _GNU_SOURCE
#include "topology/placement.h"

#include "topology/model.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct sequence {
	const struct nslab_topo *topo;
	const char *text; /* the placement */
	int *pus;	  /* positions in topo->pus */
	int nr;
	bool *is_core_used; /* by core number */
	int nr_cores;
	char reason[256]; /* why there are no more */
};

/* ---- building ---- */

static bool take(struct sequence *sequence, int pu)
{
	const struct nslab_topo_pu *row = &sequence->topo->pus[pu];

	if (!row->is_usable || sequence->is_core_used[row->core])
		return false;
	sequence->is_core_used[row->core] = true;
	sequence->pus[sequence->nr++] = pu;
	return true;
}

static int build_compact(struct sequence *sequence, const char *argument, struct nslab_err *err)
{
	(void)argument;
	(void)err;
	for (int i = 0; i < sequence->topo->nr_pus; i++)
		take(sequence, i);
	return 0;
}

/* Nodes first, then the packages whose PUs have no node. */
static int group_of(const struct sequence *sequence, int pu)
{
	int package = sequence->topo->pus[pu].package;

	if (sequence->topo->pus[pu].home >= 0)
		return sequence->topo->pus[pu].home;
	return sequence->topo->nr_nodes + (package < 0 ? 0 : package);
}

/* Takes the next PU of a group at or after *at; false when there is none. */
static bool take_from_group(struct sequence *sequence, int group, int *at)
{
	while (*at < sequence->topo->nr_pus) {
		int pu = (*at)++;

		if (group_of(sequence, pu) == group && take(sequence, pu))
			return true;
	}
	return false;
}

static int build_scatter(struct sequence *sequence, const char *argument, struct nslab_err *err)
{
	int nr_groups = sequence->topo->nr_nodes + sequence->topo->nr_packages + 1;
	int *at = calloc((size_t)nr_groups, sizeof(*at));
	bool is_going = true;

	(void)argument;
	if (!at)
		return nslab_fail(err, -ENOMEM, "cannot place workers: out of memory");
	while (is_going) {
		is_going = false;
		for (int group = 0; group < nr_groups; group++)
			is_going |= take_from_group(sequence, group, &at[group]);
	}
	free(at);
	return 0;
}

static int build_l3(struct sequence *sequence, const char *argument, struct nslab_err *err)
{
	const struct nslab_topo *topo = sequence->topo;
	bool *is_used = calloc((size_t)topo->nr_caches + 1, sizeof(*is_used));

	(void)argument;
	if (!is_used)
		return nslab_fail(err, -ENOMEM, "cannot place workers: out of memory");
	for (int i = 0; i < topo->nr_pus; i++) {
		int l3 = topo->pus[i].l3;

		if (l3 >= 0 && !is_used[l3])
			is_used[l3] = take(sequence, i);
	}
	free(is_used);
	if (!topo->nr_caches)
		snprintf(sequence->reason, sizeof(sequence->reason),
			 "the topology tells no caches");
	return 0;
}

static int nr_usable_threads(const struct nslab_topo *topo, int core)
{
	int nr = 0;

	for (int i = 0; i < topo->nr_pus; i++)
		nr += topo->pus[i].core == core && topo->pus[i].is_usable;
	return nr;
}

static int build_smt(struct sequence *sequence, const char *argument, struct nslab_err *err)
{
	const struct nslab_topo *topo = sequence->topo;
	int core = -1;
	bool is_wanted = false;

	(void)argument;
	(void)err;
	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].core != core) {
			core = topo->pus[i].core;
			is_wanted = nr_usable_threads(topo, core) > 1;
		}
		if (is_wanted && topo->pus[i].is_usable)
			sequence->pus[sequence->nr++] = i;
	}
	if (!sequence->nr)
		snprintf(sequence->reason, sizeof(sequence->reason), "no core has two usable PUs");
	return 0;
}

/* ---- nodes ---- */

/* A number without sign and its end; -1 when there is none. */
static int parse_number(const char *text, const char **end)
{
	long value = 0;

	if (!isdigit((unsigned char)*text))
		return -1;
	for (; isdigit((unsigned char)*text); text++) {
		if (value <= NSLAB_TOPO_MAX_OS_INDEX)
			value = value * 10 + (*text - '0');
	}
	*end = text;
	return (int)value;
}

static bool is_home(const struct nslab_topo *topo, int node, bool only_usable)
{
	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].home == node && (topo->pus[i].is_usable || !only_usable))
			return true;
	}
	return false;
}

/* Nodes that workers can be placed on, as a list. */
static void home_text(const struct nslab_topo *topo, char *text, size_t text_bytes)
{
	size_t used = 0;

	snprintf(text, text_bytes, "none");
	for (int i = 0; i < topo->nr_nodes && used + 16 < text_bytes; i++) {
		if (is_home(topo, i, true))
			used += (size_t)snprintf(text + used, text_bytes - used, "%s%d",
						 used ? "," : "", topo->nodes[i].os_index);
	}
}

/* Why no worker can be at home on a node. */
static int refuse_node(const struct sequence *sequence, int node, struct nslab_err *err)
{
	const struct nslab_topo *topo = sequence->topo;
	const struct nslab_topo_node *row = &topo->nodes[node];
	char list[128], pus[80];
	int other;

	home_text(topo, list, sizeof(list));
	if (!row->nr_pus)
		return nslab_fail(err, -EINVAL,
				  "cannot use placement '%s': node %d has no PU (nodes with PUs: "
				  "%s); for its memory use memory=node:%d",
				  sequence->text, row->os_index, list, row->os_index);
	nslab_index_text(row->pus, row->nr_pus, pus, sizeof(pus));
	other = topo->pus[nslab_topo_pu_index(topo, row->pus[0])].home;
	return nslab_fail(
		err, -EINVAL,
		"cannot use placement '%s': PUs %s of node %d are at home on node %d; use "
		"placement=node:%d with memory=node:%d",
		sequence->text, pus, row->os_index, topo->nodes[other].os_index,
		topo->nodes[other].os_index, row->os_index);
}

/* The node that an OS index names, with PUs at home on it; or -EINVAL. */
static int find_home(struct sequence *sequence, int os_index, struct nslab_err *err)
{
	const struct nslab_topo *topo = sequence->topo;
	int node = nslab_topo_node_index(topo, os_index);
	char list[128];

	if (node < 0) {
		home_text(topo, list, sizeof(list));
		return nslab_fail(err, -EINVAL,
				  "cannot use placement '%s': there is no node %d; nodes with "
				  "PUs: %s",
				  sequence->text, os_index, list);
	}
	if (!is_home(topo, node, false))
		return refuse_node(sequence, node, err);
	if (!is_home(topo, node, true))
		snprintf(sequence->reason, sizeof(sequence->reason),
			 "the CPU mask leaves no PU of node %d", os_index);
	return node;
}

static int build_node(struct sequence *sequence, const char *argument, struct nslab_err *err)
{
	const char *end;
	int os_index = parse_number(argument, &end);
	int node, at = 0;

	if (os_index < 0 || *end)
		return nslab_fail(err, -EINVAL,
				  "cannot use placement '%s': node:N takes the OS index of one "
				  "node%s",
				  sequence->text,
				  strcmp(argument, "all") ? "" : "; 'all' stands in plans only");
	node = find_home(sequence, os_index, err);
	if (node < 0)
		return node;
	while (take_from_group(sequence, node, &at))
		;
	return 0;
}

static int build_cross(struct sequence *sequence, const char *argument, struct nslab_err *err)
{
	const char *end;
	int os_index[2], node[2], at[2] = {0, 0};

	os_index[0] = parse_number(argument, &end);
	os_index[1] = os_index[0] >= 0 && *end == ',' ? parse_number(end + 1, &end) : -1;
	if (os_index[1] < 0 || *end)
		return nslab_fail(err, -EINVAL,
				  "cannot use placement '%s': cross:I,J takes the OS indices of "
				  "two nodes%s",
				  sequence->text,
				  strcmp(argument, "all") ? "" : "; 'all' stands in plans only");
	for (int i = 0; i < 2; i++) {
		node[i] = find_home(sequence, os_index[i], err);
		if (node[i] < 0)
			return node[i];
	}
	for (int i = 0; take_from_group(sequence, node[i], &at[i]); i = !i)
		;
	return 0;
}

/* ---- pus:LIST ---- */

static int take_listed(struct sequence *sequence, int os_index, struct nslab_err *err)
{
	const struct nslab_topo *topo = sequence->topo;
	int pu = nslab_topo_pu_index(topo, os_index);
	char list[128];

	nslab_topo_pu_text(topo, true, list, sizeof(list));
	if (pu < 0)
		return nslab_fail(err, -EINVAL,
				  "cannot use placement '%s': there is no PU %d; usable PUs: %s",
				  sequence->text, os_index, list);
	if (!topo->pus[pu].is_usable)
		return nslab_fail(err, -EINVAL,
				  "cannot use placement '%s': the CPU mask forbids PU %d; usable "
				  "PUs: %s",
				  sequence->text, os_index, list);
	for (int i = 0; i < sequence->nr; i++) {
		if (sequence->pus[i] == pu)
			return nslab_fail(err, -EINVAL,
					  "cannot use placement '%s': PU %d stands twice",
					  sequence->text, os_index);
	}
	sequence->pus[sequence->nr++] = pu;
	return 0;
}

/* "4", "0-3" or "0-14:2" at text; -1 when it is none of them. */
static int parse_range(const char *text, int *first, int *last, int *step, const char **end)
{
	*first = parse_number(text, end);
	*last = *first;
	*step = 1;
	if (*first >= 0 && **end == '-') {
		*last = parse_number(*end + 1, end);
		if (*last >= 0 && **end == ':')
			*step = parse_number(*end + 1, end);
	}
	return *first < 0 || *last < *first || *step < 1 || (**end && **end != ',') ? -1 : 0;
}

static int build_pus(struct sequence *sequence, const char *argument, struct nslab_err *err)
{
	int first, last, step, rc;

	do {
		const char *end = argument;

		if (parse_range(argument, &first, &last, &step, &end))
			return nslab_fail(err, -EINVAL,
					  "cannot use placement '%s': pus:LIST takes OS indices "
					  "such as pus:0,2-5,8-14:2",
					  sequence->text);
		for (int i = first; i <= last; i += step) {
			rc = take_listed(sequence, i, err);
			if (rc)
				return rc;
		}
		argument = end;
	} while (*argument++ == ',');
	return 0;
}

/* ---- the table ---- */

struct placement {
	const char *name; /* with the colon when an argument follows */
	int (*build)(struct sequence *sequence, const char *argument, struct nslab_err *err);
};

static const struct placement placements[] = {
	{"compact", build_compact}, {"scatter", build_scatter}, {"l3", build_l3},
	{"smt", build_smt},	    {"node:", build_node},	{"cross:", build_cross},
	{"pus:", build_pus},
};

#define NR_PLACEMENTS (sizeof(placements) / sizeof(*placements))

static const struct placement *find_placement(const char *text, const char **argument)
{
	for (size_t i = 0; i < NR_PLACEMENTS; i++) {
		const char *name = placements[i].name;
		size_t len = strlen(name);

		if (name[len - 1] == ':' ? !strncmp(text, name, len) : !strcmp(text, name)) {
			*argument = text + len;
			return &placements[i];
		}
	}
	return NULL;
}

static int unknown_placement(const char *text, struct nslab_err *err)
{
	static const char *const words[] = {"compact", "scatter", "l3", "smt",
					    "node",    "cross",	  "pus"};
	char word[32];
	const char *guess;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text, ":"), text);
	guess = nslab_nearest(word, words, sizeof(words) / sizeof(*words));
	return nslab_fail(err, -EINVAL,
			  "unknown placement '%s'%s%s%s; it is compact, scatter, l3, smt, node:N, "
			  "cross:I,J or pus:LIST",
			  text, guess ? ", did you mean '" : "", guess ? guess : "",
			  guess ? "'" : "");
}

static void sequence_close(struct sequence *sequence)
{
	free(sequence->pus);
	free(sequence->is_core_used);
}

static int sequence_open(struct sequence *sequence, const struct nslab_topo *topo, const char *text,
			 struct nslab_err *err)
{
	const char *argument;
	const struct placement *placement = find_placement(text, &argument);
	size_t nr_pus = (size_t)topo->nr_pus + 1;

	memset(sequence, 0, sizeof(*sequence));
	if (!placement)
		return unknown_placement(text, err);
	sequence->topo = topo;
	sequence->text = text;
	for (int i = 0; i < topo->nr_pus; i++) {
		if (topo->pus[i].core >= sequence->nr_cores)
			sequence->nr_cores = topo->pus[i].core + 1;
	}
	sequence->pus = calloc(nr_pus, sizeof(*sequence->pus));
	sequence->is_core_used = calloc((size_t)sequence->nr_cores + 1, sizeof(bool));
	if (!sequence->pus || !sequence->is_core_used)
		return nslab_fail(err, -ENOMEM, "cannot place workers: out of memory");
	return placement->build(sequence, argument, err);
}

int nslab_placement_select(const struct nslab_topo *topo, const char *placement, int nr_threads,
			   int *pus, struct nslab_err *err)
{
	struct sequence sequence;
	int rc = sequence_open(&sequence, topo, placement, err);

	if (!rc && nr_threads < 1)
		rc = nslab_fail(err, -EINVAL, "cannot place %d threads; 1..%d fit placement '%s'",
				nr_threads, sequence.nr, placement);
	else if (!rc && nr_threads > sequence.nr)
		rc = nslab_fail(err, -ENOSPC, "placement '%s' takes %d thread%s, not %d%s%s",
				placement, sequence.nr, sequence.nr == 1 ? "" : "s", nr_threads,
				*sequence.reason ? ": " : "", sequence.reason);
	if (!rc)
		memcpy(pus, sequence.pus, (size_t)nr_threads * sizeof(*pus));
	sequence_close(&sequence);
	return rc;
}

int nslab_placement_max_threads(const struct nslab_topo *topo, const char *placement,
				struct nslab_err *err)
{
	struct sequence sequence;
	int rc = sequence_open(&sequence, topo, placement, err);

	if (!rc)
		rc = sequence.nr;
	sequence_close(&sequence);
	return rc;
}

/* ---- node:all and cross:all ---- */

void nslab_placement_free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static int append(char **list, size_t *nr, const char *text)
{
	list[*nr] = strdup(text);
	return list[(*nr)++] ? 0 : -ENOMEM;
}

static int append_nodes(const struct nslab_topo *topo, const int *nodes, int nr, char **list)
{
	size_t len = 0;
	char text[48];

	for (int i = 0; i < nr; i++) {
		snprintf(text, sizeof(text), "node:%d", topo->nodes[nodes[i]].os_index);
		if (append(list, &len, text))
			return -ENOMEM;
	}
	return 0;
}

static int append_pairs(const struct nslab_topo *topo, const int *nodes, int nr, char **list)
{
	size_t len = 0;
	char text[48];

	for (int i = 0; i < nr; i++) {
		for (int j = 0; j < nr; j++) {
			if (i == j)
				continue;
			snprintf(text, sizeof(text), "cross:%d,%d", topo->nodes[nodes[i]].os_index,
				 topo->nodes[nodes[j]].os_index);
			if (append(list, &len, text))
				return -ENOMEM;
		}
	}
	return 0;
}

/* Positions of the nodes that workers can be placed on; their number or -ENOMEM. */
static int usable_nodes(const struct nslab_topo *topo, int **nodes)
{
	int nr = 0;

	*nodes = calloc((size_t)topo->nr_nodes + 1, sizeof(**nodes));
	if (!*nodes)
		return -ENOMEM;
	for (int i = 0; i < topo->nr_nodes; i++) {
		if (is_home(topo, i, true))
			(*nodes)[nr++] = i;
	}
	return nr;
}

int nslab_placement_expand(const struct nslab_topo *topo, const char *placement, char ***list,
			   struct nslab_err *err)
{
	bool is_pairs = !strcmp(placement, "cross:all");
	bool is_all = is_pairs || !strcmp(placement, "node:all");
	int *nodes = NULL;
	size_t room = 2, nr_text = 0;
	int rc = 0, nr = 0;

	if (is_all) {
		nr = usable_nodes(topo, &nodes);
		room = nr < 0 ? 1 : (size_t)nr * (is_pairs ? (size_t)nr : 1) + 1;
	}
	*list = nr < 0 ? NULL : calloc(room, sizeof(**list));
	if (!*list)
		rc = -ENOMEM;
	else if (!is_all)
		rc = append(*list, &nr_text, placement);
	else
		rc = is_pairs ? append_pairs(topo, nodes, nr, *list)
			      : append_nodes(topo, nodes, nr, *list);
	free(nodes);
	if (rc)
		nslab_fail(err, rc, "cannot expand placement '%s': out of memory", placement);
	else if (!**list)
		rc = nslab_fail(err, -ENXIO,
				"placement '%s' stands for nothing here: %d node%s with "
				"usable PUs",
				placement, nr, nr == 1 ? "" : "s");
	if (rc) {
		nslab_placement_free_list(*list);
		*list = NULL;
	}
	return rc;
}

/* ---- memory ---- */

static int parse_memory_node(const struct nslab_topo *topo, const char *text,
			     struct nslab_memory *memory, struct nslab_err *err)
{
	const char *end;
	int os_index = parse_number(text + strlen("node:"), &end);
	char list[128];

	nslab_topo_node_text(topo, list, sizeof(list));
	if (os_index < 0 || *end)
		return nslab_fail(err, -EINVAL,
				  "cannot use memory '%s': node:N takes the OS index of one node "
				  "(nodes: %s)",
				  text, list);
	memory->node = nslab_topo_node_index(topo, os_index);
	if (memory->node < 0)
		return nslab_fail(err, -EINVAL,
				  "cannot use memory '%s': there is no node %d; nodes: %s", text,
				  os_index, list);
	if (!nslab_topo_has_memory(topo, memory->node))
		return nslab_fail(err, -EINVAL,
				  "cannot use memory '%s': node %d has no memory; nodes: %s", text,
				  os_index, list);
	memory->kind = NSLAB_MEMORY_NODE;
	return 0;
}

int nslab_memory_parse(const struct nslab_topo *topo, const char *text, struct nslab_memory *memory,
		       struct nslab_err *err)
{
	static const char *const words[] = {"local", "remote", "interleave", "first-touch"};
	static const enum nslab_memory_kind kinds[] = {NSLAB_MEMORY_LOCAL, NSLAB_MEMORY_REMOTE,
						       NSLAB_MEMORY_INTERLEAVE,
						       NSLAB_MEMORY_FIRST_TOUCH};
	const size_t nr = sizeof(words) / sizeof(*words);
	const char *guess;

	memory->node = -1;
	if (!strncmp(text, "node:", 5))
		return parse_memory_node(topo, text, memory, err);
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(text, words[i])) {
			memory->kind = kinds[i];
			return 0;
		}
	}
	guess = nslab_nearest(text, words, nr);
	return nslab_fail(err, -EINVAL,
			  "unknown memory '%s'%s%s%s; it is local, node:N, remote, interleave or "
			  "first-touch",
			  text, guess ? ", did you mean '" : "", guess ? guess : "",
			  guess ? "'" : "");
}

static int farthest(const struct nslab_topo *topo, int from)
{
	int best = -1;

	for (int i = 0; i < topo->nr_nodes; i++) {
		unsigned distance = nslab_topo_distance(topo, from, i);
		unsigned other = best < 0 ? 0 : nslab_topo_distance(topo, from, best);

		if (i == from || !nslab_topo_has_memory(topo, i))
			continue;
		if (best < 0 || distance > other ||
		    (distance == other && topo->nodes[i].os_index < topo->nodes[best].os_index))
			best = i;
	}
	return best < 0 ? -ENXIO : best;
}

int nslab_memory_node(const struct nslab_topo *topo, const struct nslab_memory *memory, int pu)
{
	int local = topo->pus[pu].node;

	switch (memory->kind) {
	case NSLAB_MEMORY_LOCAL:
		return local < 0 ? -ENXIO : local;
	case NSLAB_MEMORY_NODE:
		return memory->node;
	case NSLAB_MEMORY_REMOTE:
		return local < 0 ? -ENXIO : farthest(topo, local);
	default:
		return -1;
	}
}
