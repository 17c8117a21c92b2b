/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_expand.c: from jobs and a topology to families.
 *
 * Each job is the product workload x placement x threads x memory x entry x the workload's own
 * parameters. PUs are chosen once for each placement and number of threads. What the machine cannot
 * give (fewer PUs than threads, no other node) makes a family whose arms are all skipped with that
 * reason; what no machine could give (a node that does not exist here, a word that is no placement)
 * is an error at its line.
 *
 * A workload that needs more workers than `threads` says gets its least number, so that the default
 * of one thread works for pairs too. Families with the same key are one: a second job adds its arms
 * to the first one's.
 */
#include "runner/plan_internal.h"
#include "topology/model.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define AXES_MAX 32

struct index {
	uint32_t *slots; /* family number + 1 */
	size_t nr_slots; /* a power of two */
};

struct expander {
	struct nslab_plan *plan;
	const struct plan_file *file;
	const struct nslab_registry *registry;
	struct nslab_err *err;
	struct index index;
	size_t nr_cells;
	/* of the job */
	const struct plan_section *job;
	struct plan_list workloads, placements, memories, entries;
	struct nslab_arm *arms;
	size_t nr_arms;
	/* of the family being made */
	const struct nslab_entry_record *workload;
	const struct nslab_param *rows[AXES_MAX];
	struct plan_list values[AXES_MAX];
	size_t nr_axes;
	struct nslab_family family; /* what the inner loops share */
	const char *skipped;
};

/* Value of a key with a default, and its line for errors. */
static const char *value_of(const struct expander *x, const char *name, const char *def)
{
	const struct plan_key *key = nslab_plan_key_find(x->file, x->job, name);

	return key ? key->value : def;
}

static int fail_key(const struct expander *x, const char *name, int rc)
{
	const struct plan_key *key = nslab_plan_key_find(x->file, x->job, name);

	return nslab_plan_fail_at(x->file, key ? key->line : x->job->line, x->err, rc);
}

/* ---- families by key ---- */

static uint64_t hash_text(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

/* The slot that holds the key, or the free one where it belongs. */
static uint32_t *index_slot(struct expander *x, const char *key)
{
	size_t mask = x->index.nr_slots - 1;
	size_t at = hash_text(key) & mask;

	while (x->index.slots[at] &&
	       strcmp(x->plan->families[x->index.slots[at] - 1].key, key) != 0)
		at = (at + 1) & mask;
	return &x->index.slots[at];
}

static int index_reserve(struct expander *x)
{
	size_t nr = x->plan->nr_families;

	if (2 * nr < x->index.nr_slots)
		return 0;
	x->index.nr_slots = x->index.nr_slots ? 4 * x->index.nr_slots : 64;
	x->index.slots = nslab_pool_alloc(x->plan->pool, x->index.nr_slots * sizeof(uint32_t));
	if (!x->index.slots)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		*index_slot(x, x->plan->families[i].key) = (uint32_t)(i + 1);
	return 0;
}

/* Arms of `from` that `to` has not; the baseline stays the first job's. */
static int merge_arms(struct nslab_plan *plan, struct nslab_family *to,
		      const struct nslab_family *from)
{
	size_t nr = to->nr_arms;
	struct nslab_arm *arms = nslab_pool_alloc(plan->pool, (nr + from->nr_arms) * sizeof(*arms));

	if (!arms)
		return -ENOMEM;
	memcpy(arms, to->arms, nr * sizeof(*arms));
	for (size_t i = 0; i < from->nr_arms; i++) {
		size_t k = 0;

		while (k < nr && strcmp(arms[k].key, from->arms[i].key) != 0)
			k++;
		if (k < nr || from->arms[i].is_twin)
			continue;
		arms[nr] = from->arms[i];
		arms[nr++].is_baseline = false;
	}
	to->arms = arms;
	to->nr_arms = nr;
	return 0;
}

static int add_family(struct expander *x, const struct nslab_family *family)
{
	struct nslab_plan *plan = x->plan;
	struct nslab_family made = *family;
	uint32_t *slot;
	int rc = nslab_plan_family_arms(plan, &made, x->arms, x->nr_arms, x->skipped);

	if (!rc)
		rc = index_reserve(x);
	if (rc)
		return rc;
	slot = index_slot(x, made.key);
	if (*slot)
		return merge_arms(plan, &plan->families[*slot - 1], &made);
	x->nr_cells += made.nr_arms;
	if (x->nr_cells > PLAN_CELLS_MAX)
		return nslab_fail(x->err, -E2BIG, "%s: the plan has more than %d cells",
				  x->file->path, PLAN_CELLS_MAX);
	plan->families = nslab_pool_grow(plan->pool, plan->families, plan->nr_families,
					 sizeof(*plan->families));
	if (!plan->families)
		return -ENOMEM;
	plan->families[plan->nr_families++] = made;
	*slot = (uint32_t)plan->nr_families;
	return 0;
}

/* ---- the innermost product: the workload's parameters ---- */

static int make_settings(struct expander *x, const size_t *at, struct nslab_family *family)
{
	family->settings =
		nslab_pool_alloc(x->plan->pool, (x->nr_axes + 1) * sizeof(*family->settings));
	if (!family->settings)
		return -ENOMEM;
	family->nr_settings = x->nr_axes;
	for (size_t i = 0; i < x->nr_axes; i++) {
		family->settings[i].key = x->rows[i]->name;
		family->settings[i].value = x->values[i].items[at[i]];
		if (!strcmp(x->rows[i]->name, "size"))
			nslab_parse_int(family->settings[i].value, &family->size_bytes);
	}
	return 0;
}

static int make_key(struct expander *x, struct nslab_family *family)
{
	char params[2048] = "";

	for (size_t i = 0; i < family->nr_settings; i++) {
		size_t len = strlen(params);

		snprintf(params + len, sizeof(params) - len, " %s=%s", family->settings[i].key,
			 family->settings[i].value);
	}
	family->key = nslab_pool_print(
		x->plan->pool, "workload=%s%s threads=%d placement=%s memory=%s entry=%s",
		family->workload->name, params, family->nr_threads, family->placement,
		family->memory_text, nslab_entry_word(family->entry));
	return family->key ? 0 : -ENOMEM;
}

/* What only the workload can judge: combinations, files. */
static int check_settings(struct expander *x, const struct nslab_family *family)
{
	const struct nslab_workload_ops *ops = family->workload->ops.workload;
	char why[256] = "";
	void *params;
	int rc;

	if (!ops->check)
		return 0;
	params = calloc(1, ops->params_size + 1);
	if (!params)
		return -ENOMEM;
	rc = nslab_settings_apply(ops->params, family->settings, family->nr_settings, params,
				  x->err);
	if (!rc && ops->check(params, why, sizeof(why)))
		rc = nslab_fail(x->err, -EINVAL, "workload '%s': %s", ops->name, why);
	free(params);
	return rc;
}

static int expand_parameters(struct expander *x)
{
	size_t at[AXES_MAX] = {0};
	size_t i;
	int rc;

	do {
		struct nslab_family family = x->family;

		rc = make_settings(x, at, &family);
		if (!rc)
			rc = check_settings(x, &family);
		if (!rc)
			rc = make_key(x, &family);
		if (!rc)
			rc = add_family(x, &family);
		for (i = x->nr_axes; i > 0; i--) {
			if (++at[i - 1] < x->values[i - 1].nr)
				break;
			at[i - 1] = 0;
		}
	} while (!rc && i > 0);
	return rc;
}

/* A workload of the page layer has one entry, whatever the plan says about the others. */
static bool is_of_pages(const struct nslab_workload_ops *ops)
{
	return ops->batch[NSLAB_ENTRY_PAGES] && !ops->batch[NSLAB_ENTRY_CACHE] &&
	       !ops->batch[NSLAB_ENTRY_KMALLOC];
}

/* The words of a plan; `none` is the workload's loop alone. */
static enum nslab_entry entry_of(const char *word)
{
	if (!strcmp(word, "kmalloc"))
		return NSLAB_ENTRY_KMALLOC;
	return strcmp(word, "none") ? NSLAB_ENTRY_CACHE : NSLAB_ENTRY_NONE;
}

static int expand_entries(struct expander *x)
{
	int rc = 0;

	if (is_of_pages(x->workload->ops.workload)) {
		x->family.entry = NSLAB_ENTRY_PAGES;
		return expand_parameters(x);
	}

	for (size_t i = 0; !rc && i < x->entries.nr; i++) {
		x->family.entry = entry_of(x->entries.items[i]);
		rc = expand_parameters(x);
	}
	return rc;
}

/* ---- memory ---- */

static bool has_memory(const struct expander *x)
{
	const struct nslab_family *family = &x->family;

	for (int i = 0; family->pus && i < family->nr_threads; i++) {
		if (nslab_memory_node(x->plan->topo, &family->memory, family->pus[i]) == -ENXIO)
			return false;
	}
	return true;
}

static int expand_memories(struct expander *x)
{
	const char *reason = x->skipped;
	int rc = 0;

	for (size_t i = 0; !rc && i < x->memories.nr; i++) {
		x->family.memory_text = x->memories.items[i];
		rc = nslab_memory_parse(x->plan->topo, x->family.memory_text, &x->family.memory,
					x->err);
		if (rc)
			return fail_key(x, "memory", rc);
		x->skipped = reason;
		if (!reason && !has_memory(x)) {
			x->skipped = nslab_pool_print(x->plan->pool,
						      "memory=%s: no other node has memory",
						      x->family.memory_text);
			if (!x->skipped)
				return -ENOMEM;
		}
		rc = expand_entries(x);
	}
	x->skipped = reason;
	return rc;
}

/* ---- threads and PUs ---- */

static const char *count_reason(struct expander *x, int nr)
{
	const struct nslab_workload_ops *ops = x->workload->ops.workload;

	if (ops->worker_group > 1 && nr % ops->worker_group)
		return nslab_pool_print(x->plan->pool, "threads=%d: %s works in groups of %d", nr,
					ops->name, ops->worker_group);
	if (ops->max_workers && nr > ops->max_workers)
		return nslab_pool_print(x->plan->pool, "threads=%d: %s takes at most %d", nr,
					ops->name, ops->max_workers);
	return NULL;
}

static const char *statistic_for(const struct nslab_plan *plan, int nr_threads)
{
	if (strcmp(plan->statistic, "auto") != 0)
		return plan->statistic;
	return nr_threads > 1 ? "median" : "q25";
}

static int select_pus(struct expander *x, int nr)
{
	struct nslab_err why = {""};
	int rc;

	x->family.pus = nslab_pool_alloc(x->plan->pool, (size_t)nr * sizeof(int));
	if (!x->family.pus)
		return -ENOMEM;
	rc = nslab_placement_select(x->plan->topo, x->family.placement, nr, x->family.pus, &why);
	if (rc == -ENOSPC) {
		x->skipped = nslab_pool_copy(x->plan->pool, why.text, strlen(why.text));
		x->family.pus = NULL;
		return x->skipped ? 0 : -ENOMEM;
	}
	if (rc) {
		*x->err = why;
		return fail_key(x, "placement", rc);
	}
	return 0;
}

static int expand_threads(struct expander *x, const char *item)
{
	int64_t asked = 0;
	int nr, rc;

	rc = nslab_parse_int(item, &asked);
	if (!rc && (asked < 1 || asked > NSLAB_MAX_CPUS))
		rc = -ERANGE;
	if (rc)
		return fail_key(x, "threads",
				nslab_fail(x->err, -EINVAL, "'%s' is no number of threads: 1..%d",
					   item, NSLAB_MAX_CPUS));
	nr = (int)asked;
	if (nr < x->workload->ops.workload->min_workers)
		nr = x->workload->ops.workload->min_workers;
	if (nr > 1 && !strcmp(x->plan->statistic, "min"))
		return fail_key(x, "statistic",
				nslab_fail(x->err, -EINVAL,
					   "statistic=min is for cells of one thread; job [%s] "
					   "has %d",
					   x->job->name, nr));
	x->family.nr_threads = nr;
	x->family.pus = NULL;
	x->family.statistic = statistic_for(x->plan, nr);
	x->skipped = count_reason(x, nr);
	if (!x->skipped)
		rc = select_pus(x, nr);
	return rc ? rc : expand_memories(x);
}

static int expand_placement(struct expander *x, const char *placement)
{
	const char *text = value_of(x, "threads", "1");
	struct plan_list threads;
	int max = 0;
	int rc;

	/* counting costs as much as placing, and a matrix of nodes has thousands of placements */
	if (strstr(text, "max")) {
		max = nslab_placement_max_threads(x->plan->topo, placement, x->err);
		if (max < 0)
			return fail_key(x, "placement", max);
		if (!max)
			max = 1; /* no PU at all: skipped, with the placement's reason */
	}
	x->family.placement = placement;
	rc = nslab_plan_numbers(x->plan->pool, text, max, &threads, x->err);
	if (rc)
		return fail_key(x, "threads", rc);
	for (size_t i = 0; !rc && i < threads.nr; i++)
		rc = expand_threads(x, threads.items[i]);
	return rc;
}

/* A placement that this topology has none of, such as cross:all with one node. */
static int skip_placement(struct expander *x, const char *placement, const char *reason)
{
	int nr = x->workload->ops.workload->min_workers;

	x->family.placement = placement;
	x->family.nr_threads = nr > 0 ? nr : 1;
	x->family.pus = NULL;
	x->family.statistic = statistic_for(x->plan, x->family.nr_threads);
	x->skipped = nslab_pool_copy(x->plan->pool, reason, strlen(reason));
	return x->skipped ? expand_memories(x) : -ENOMEM;
}

static int expand_texts(struct expander *x, char **list)
{
	int rc = 0;

	for (; !rc && *list; list++) {
		const char *placement = nslab_pool_copy(x->plan->pool, *list, strlen(*list));

		rc = placement ? expand_placement(x, placement) : -ENOMEM;
	}
	return rc;
}

static int expand_placements(struct expander *x)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < x->placements.nr; i++) {
		struct nslab_err why = {""};
		char **list = NULL;

		rc = nslab_placement_expand(x->plan->topo, x->placements.items[i], &list, &why);
		if (rc == -ENXIO) {
			rc = skip_placement(x, x->placements.items[i], why.text);
		} else if (rc) {
			*x->err = why;
			rc = fail_key(x, "placement", rc);
		} else {
			rc = expand_texts(x, list);
			nslab_placement_free_list(list);
		}
	}
	return rc;
}

/* ---- a job ---- */

static int list_parameters(struct expander *x)
{
	const struct nslab_param *row = x->workload->ops.workload->params;
	int rc = 0;

	x->nr_axes = 0;
	for (; !rc && row && row->name; row++, x->nr_axes++) {
		if (x->nr_axes == AXES_MAX)
			return nslab_fail(x->err, -E2BIG,
					  "workload '%s' has more than %d "
					  "parameters",
					  x->workload->name, AXES_MAX);
		x->rows[x->nr_axes] = row;
		rc = nslab_plan_values(x->plan->pool, row, value_of(x, row->name, row->def),
				       &x->values[x->nr_axes], x->err);
		if (rc)
			fail_key(x, row->name, rc);
	}
	return rc;
}

static int add_word(struct expander *x, struct plan_list *list, const char *word)
{
	list->items = nslab_pool_grow(x->plan->pool, list->items, list->nr, sizeof(*list->items));
	if (!list->items || !word)
		return -ENOMEM;
	list->items[list->nr++] = word;
	return 0;
}

/* node:all is every node with memory. */
static int list_memories(struct expander *x)
{
	const struct nslab_topo *topo = x->plan->topo;
	struct plan_list words;
	int rc = nslab_plan_words(x->plan->pool, value_of(x, "memory", "local"), &words, x->err);

	x->memories = (struct plan_list){0};
	for (size_t i = 0; !rc && i < words.nr; i++) {
		if (strcmp(words.items[i], "node:all") != 0) {
			rc = add_word(x, &x->memories, words.items[i]);
			continue;
		}
		for (int n = 0; !rc && n < topo->nr_nodes; n++) {
			if (nslab_topo_has_memory(topo, n))
				rc = add_word(x, &x->memories,
					      nslab_pool_print(x->plan->pool, "node:%d",
							       topo->nodes[n].os_index));
		}
	}
	return rc;
}

static int expand_job(struct expander *x)
{
	struct nslab_plan_pool *pool = x->plan->pool;
	int rc = nslab_plan_words(pool, value_of(x, "workload", ""), &x->workloads, x->err);

	if (!rc)
		rc = nslab_plan_words(pool, value_of(x, "placement", "compact"), &x->placements,
				      x->err);
	if (!rc)
		rc = nslab_plan_words(pool, value_of(x, "entry", "cache"), &x->entries, x->err);
	if (!rc)
		rc = list_memories(x);
	if (!rc)
		rc = nslab_plan_arms(x->plan, x->file, x->job, x->registry, &x->arms, &x->nr_arms,
				     x->err);
	for (size_t i = 0; !rc && i < x->workloads.nr; i++) {
		rc = nslab_registry_get(x->registry, NSLAB_PLUGIN_WORKLOAD, x->workloads.items[i],
					&x->workload, x->err);
		if (!rc)
			rc = list_parameters(x);
		x->family = (struct nslab_family){.job = x->job->name, .workload = x->workload};
		if (!rc)
			rc = expand_placements(x);
	}
	return rc;
}

int nslab_plan_expand(struct nslab_plan *plan, const struct plan_file *file,
		      const struct nslab_registry *registry, struct nslab_err *err)
{
	struct expander x = {.plan = plan, .file = file, .registry = registry, .err = err};
	int rc = 0;

	for (size_t i = 1; !rc && i < file->nr_sections; i++) {
		x.job = &file->sections[i];
		rc = expand_job(&x);
	}
	return rc;
}
