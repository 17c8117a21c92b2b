/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_arms.c: what is compared inside a family: allocators with their settings.
 *
 * A job's arms are made once: for each allocator the product of the values of those cache keys
 * that mean something to it (an allocator without slab orders has one arm, whatever order= says)
 * and of the parameters that the plan sets for it. A cache key that is also in the allocator's own
 * table is set in both places: for the workload's caches, and as the default of its size classes.
 * Each family then gets a copy with keys of its own, and with the reason for every arm that cannot
 * run in it.
 *
 * The baseline of a family is the arm whose label the plan names, else the first arm of the
 * allocator that it names, else the first arm that can run. Its twin is the same arm once more, at
 * the end: what differs between the two is what the machine makes of no difference.
 *
 * Labels tell what a plan varies or sets; keys hold only what differs from the default, so that the
 * cell of a default is the same one in every plan.
 */
#define _GNU_SOURCE /* PATH_MAX */
#include "runner/peer.h"
#include "runner/plan_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#define AXES_MAX 32

struct axis {
	const struct nslab_param *row;	     /* judges the values */
	const struct nslab_param *cache_row; /* of the plan's cache keys, or NULL */
	bool is_param;			     /* row is of the allocator's own table */
	struct plan_list values;
	const char *def; /* as the table prints it */
};

struct maker {
	struct nslab_plan *plan;
	const struct plan_file *file;
	const struct plan_section *job;
	struct nslab_err *err;
	const struct nslab_entry_record *allocator;
	struct axis axes[AXES_MAX];
	size_t nr_axes;
	const char *library, *version, *skipped; /* of the allocator */
	struct nslab_arm *arms;
	size_t nr_arms;
};

/* "slub.order" before "order": only a cache key is looked up without its allocator. */
static const struct plan_key *axis_key(const struct maker *m, const char *name, bool is_cache)
{
	char full[2 * NSLAB_NAME_MAX + 2];
	const struct plan_key *key;

	snprintf(full, sizeof(full), "%s.%s", m->allocator->name, name);
	key = nslab_plan_key_find(m->file, m->job, full);
	return key || !is_cache ? key : nslab_plan_key_find(m->file, m->job, name);
}

static int add_axis(struct maker *m, const struct nslab_param *row,
		    const struct nslab_param *cache_row, bool is_param)
{
	const struct plan_key *key = axis_key(m, row->name, cache_row != NULL);
	struct axis *axis = &m->axes[m->nr_axes];
	struct plan_list def;
	int rc;

	if (!key)
		return 0;
	if (m->nr_axes == AXES_MAX)
		return nslab_fail(m->err, -E2BIG, "more than %d keys for allocator '%s'", AXES_MAX,
				  m->allocator->name);
	*axis = (struct axis){.row = row, .cache_row = cache_row, .is_param = is_param};
	rc = nslab_plan_values(m->plan->pool, row, row->def, &def, m->err);
	if (!rc)
		rc = nslab_plan_values(m->plan->pool, row, key->value, &axis->values, m->err);
	if (rc)
		return nslab_plan_fail_at(m->file, key->line, m->err, rc);
	axis->def = def.items[0];
	m->nr_axes++;
	return 0;
}

const struct nslab_param *nslab_plan_cache_row(const struct nslab_allocator_ops *ops,
					       const char *name)
{
	const struct nslab_param *row = nslab_param_find(ops->params, name);

	if (row && row->flags & NSLAB_PARAM_PER_CACHE)
		return row;
	return !strcmp(name, "order") && ops->caps & NSLAB_CAP_ORDER
		       ? nslab_param_find(nslab_plan_cache_rows, name)
		       : NULL;
}

static int add_axes(struct maker *m)
{
	const struct nslab_allocator_ops *ops = m->allocator->ops.allocator;
	const struct nslab_param *row;
	int rc = 0;

	for (const struct nslab_param *c = nslab_plan_cache_rows; !rc && c->name; c++) {
		row = nslab_plan_cache_row(ops, c->name);
		if (row)
			rc = add_axis(m, row, c, nslab_param_find(ops->params, c->name) == row);
	}
	for (row = ops->params; !rc && row && row->name; row++) {
		if (nslab_plan_cache_row(ops, row->name) != row)
			rc = add_axis(m, row, NULL, true);
		else if (!nslab_param_find(nslab_plan_cache_rows, row->name))
			rc = add_axis(m, row, NULL, true);
	}
	return rc;
}

static void set_cache(struct nslab_arm *arm, const struct plan_cache *cache)
{
	arm->cache.order = (int)cache->order;
	arm->cache.min_partial = (int)cache->min_partial;
	arm->cache.cpu_partial = (int)cache->cpu_partial;
	arm->cache.sheaf_capacity = (int)cache->sheaf_capacity;
}

static int add_value(struct maker *m, struct nslab_arm *arm, const struct axis *axis,
		     const char *value, struct plan_cache *cache)
{
	struct nslab_plan_pool *pool = m->plan->pool;
	bool is_default = !strcmp(value, axis->def);

	if (axis->cache_row)
		nslab_param_set(axis->cache_row, value, cache, NULL);
	if (axis->is_param)
		arm->settings[arm->nr_settings++] =
			(struct nslab_setting){.key = axis->row->name, .value = value};
	if (axis->values.nr > 1 || !is_default)
		arm->label = nslab_pool_print(pool, "%s %s=%s", arm->label, axis->row->name, value);
	if (!is_default)
		arm->key = nslab_pool_print(pool, "%s %s=%s", arm->key, axis->row->name, value);
	return arm->label && arm->key ? 0 : -ENOMEM;
}

static int add_arm(struct maker *m, const size_t *at)
{
	struct plan_cache cache = {NSLAB_AUTO, NSLAB_AUTO, NSLAB_AUTO, NSLAB_AUTO};
	struct nslab_plan_pool *pool = m->plan->pool;
	struct nslab_arm *arm;
	int rc = 0;

	if (m->nr_arms >= PLAN_ARMS_MAX)
		return nslab_fail(m->err, -E2BIG, "job [%s] has more than %d arms", m->job->name,
				  PLAN_ARMS_MAX);
	m->arms = nslab_pool_grow(pool, m->arms, m->nr_arms, sizeof(*arm));
	if (!m->arms)
		return -ENOMEM;
	arm = &m->arms[m->nr_arms++];
	*arm = (struct nslab_arm){
		.label = m->allocator->name,
		.key = nslab_pool_print(pool, "allocator=%s", m->allocator->name),
		.allocator = m->allocator,
		.settings = nslab_pool_alloc(pool, AXES_MAX * sizeof(*arm->settings)),
		.library = m->library,
		.version = m->version,
		.skipped = m->skipped,
	};
	if (!arm->key || !arm->settings)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < m->nr_axes; i++)
		rc = add_value(m, arm, &m->axes[i], m->axes[i].values.items[at[i]], &cache);
	set_cache(arm, &cache);
	return rc;
}

/* The product of the axes, the last one fastest. */
static int add_product(struct maker *m)
{
	size_t at[AXES_MAX] = {0};
	size_t i;
	int rc;

	do {
		rc = add_arm(m, at);
		for (i = m->nr_axes; i > 0; i--) {
			if (++at[i - 1] < m->axes[i - 1].values.nr)
				break;
			at[i - 1] = 0;
		}
	} while (!rc && i > 0);
	return rc;
}

static int find_library(struct maker *m)
{
	const struct nslab_allocator_ops *ops = m->allocator->ops.allocator;
	struct nslab_plan_pool *pool = m->plan->pool;
	char path[PATH_MAX], version[64];

	m->library = m->version = m->skipped = NULL;
	if (!(ops->caps & NSLAB_CAP_DIRECT) && !ops->preload)
		return 0;
	if (ops->preload && nslab_peer_library(ops->preload, path, sizeof(path))) {
		m->skipped = nslab_pool_print(pool, "%s is not installed", ops->preload);
		return m->skipped ? 0 : -ENOMEM;
	}
	if (ops->preload) {
		m->library = nslab_pool_copy(pool, path, strlen(path));
		if (!m->library)
			return -ENOMEM;
	}
	if (nslab_peer_version(m->library, version, sizeof(version)))
		return 0;
	m->version = nslab_pool_copy(pool, version, strlen(version));
	return m->version ? 0 : -ENOMEM;
}

int nslab_plan_arms(struct nslab_plan *plan, const struct plan_file *file,
		    const struct plan_section *job, const struct nslab_registry *registry,
		    struct nslab_arm **arms, size_t *nr, struct nslab_err *err)
{
	struct maker m = {.plan = plan, .file = file, .job = job, .err = err};
	const struct plan_key *key = nslab_plan_key_find(file, job, "allocator");
	struct plan_list names;
	int rc = nslab_plan_words(plan->pool, key->value, &names, err);

	for (size_t i = 0; !rc && i < names.nr; i++) {
		m.nr_axes = 0;
		rc = nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, names.items[i],
					&m.allocator, err);
		if (!rc)
			rc = find_library(&m);
		if (!rc)
			rc = add_axes(&m);
		if (!rc)
			rc = add_product(&m);
	}
	*arms = m.arms;
	*nr = m.nr_arms;
	return rc;
}

/* ---- a family's copy ---- */

static const struct {
	uint64_t cap;
	const char *text;
} needs_words[] = {
	{NSLAB_CAP_NODE, "it cannot allocate on a given node"},
	{NSLAB_CAP_REMOTE_FREE, "it cannot free an object on another CPU"},
	{NSLAB_CAP_ORDER, "its slabs have no order"},
	{NSLAB_CAP_CACHE, "it has no caches of one object type"},
	{NSLAB_CAP_CTOR, "it has no constructors"},
	{NSLAB_CAP_SHRINK, "it cannot shrink a cache"},
	{NSLAB_CAP_PAGES, "its memory does not come from the node arenas"},
};

static const char *missing_text(uint64_t missing)
{
	for (size_t i = 0; i < sizeof(needs_words) / sizeof(needs_words[0]); i++) {
		if (missing & needs_words[i].cap)
			return needs_words[i].text;
	}
	return "it lacks what the workload needs";
}

/* NULL, or what is wrong with the arm's order in this family. */
static const char *order_reason(struct nslab_plan *plan, const struct nslab_family *family,
				const struct nslab_arm *arm)
{
	const struct nslab_allocator_ops *ops = arm->allocator->ops.allocator;
	int order = arm->cache.order;

	if (order == NSLAB_AUTO)
		return NULL;
	if (family->entry == NSLAB_ENTRY_KMALLOC && !nslab_param_find(ops->params, "order"))
		return "the order of its size classes cannot be set";
	if (family->size_bytes <= (int64_t)NSLAB_PAGE_SIZE << order)
		return NULL;
	return nslab_pool_print(plan->pool, "a slab of order %d cannot hold %" PRId64 " bytes",
				order, family->size_bytes);
}

/* NULL, or why this allocator cannot run in this family. */
static const char *skip_reason(struct nslab_plan *plan, const struct nslab_family *family,
			       const struct nslab_arm *arm)
{
	uint64_t caps = arm->allocator->ops.allocator->caps;
	const struct nslab_workload_ops *workload = family->workload->ops.workload;
	uint64_t needs = workload->needs;
	bool is_peer = caps & NSLAB_CAP_DIRECT;

	if (!workload->batch[arm->entry])
		return nslab_pool_print(plan->pool, "'%s' has no entry '%s'", workload->name,
					nslab_entry_word(arm->entry));

	/* malloc and free take objects from any CPU */
	if (is_peer)
		caps |= NSLAB_CAP_REMOTE_FREE;
	else if (family->entry == NSLAB_ENTRY_CACHE)
		needs |= NSLAB_CAP_CACHE;
	if (family->entry == NSLAB_ENTRY_PAGES)
		needs |= NSLAB_CAP_PAGES;
	if (family->memory.kind != NSLAB_MEMORY_LOCAL &&
	    family->memory.kind != NSLAB_MEMORY_FIRST_TOUCH)
		needs |= NSLAB_CAP_PAGES;
	return needs & ~caps ? missing_text(needs & ~caps) : order_reason(plan, family, arm);
}

static size_t find_baseline(const struct nslab_plan *plan, const struct nslab_family *family)
{
	size_t by_name = family->nr_arms, first = family->nr_arms;

	for (size_t i = family->nr_arms; i-- > 0;) {
		const struct nslab_arm *arm = &family->arms[i];

		if (arm->skipped)
			continue;
		first = i;
		if (plan->baseline && !strcmp(plan->baseline, arm->allocator->name))
			by_name = i;
	}
	for (size_t i = 0; plan->baseline && i < family->nr_arms; i++) {
		if (!family->arms[i].skipped && !strcmp(plan->baseline, family->arms[i].label))
			return i;
	}
	return by_name < family->nr_arms ? by_name : first;
}

static int add_twin(struct nslab_plan *plan, struct nslab_family *family, size_t baseline)
{
	struct nslab_arm *twin = &family->arms[family->nr_arms];

	*twin = family->arms[baseline];
	family->arms[baseline].is_baseline = true;
	if (!plan->has_twin)
		return 0;
	twin->is_twin = true;
	twin->label = nslab_pool_print(plan->pool, "%s A'", twin->label);
	twin->key = nslab_pool_print(plan->pool, "%s twin=yes", twin->key);
	family->nr_arms++;
	return twin->label && twin->key ? 0 : -ENOMEM;
}

/* FAMILY ARM, without the cost of a formatted print: there may be a million. */
static const char *join(struct nslab_plan_pool *pool, const char *family, size_t family_len,
			const char *arm)
{
	size_t arm_len = strlen(arm);
	char *key = nslab_pool_alloc(pool, family_len + arm_len + 2);

	if (!key)
		return NULL;
	memcpy(key, family, family_len);
	key[family_len] = ' ';
	memcpy(key + family_len + 1, arm, arm_len);
	return key;
}

/*
 * A workload of the page layer calls no allocator, so its arms would all be the same: the baseline
 * stands for the page allocator and takes its name, the others are skipped.
 */
static int keep_one(struct nslab_plan *plan, struct nslab_family *family, size_t kept)
{
	const char *reason =
		nslab_pool_print(plan->pool, "'%s' uses no allocator: arm '%s' is for all of them",
				 family->workload->name, plan->page->name);

	if (!reason)
		return -ENOMEM;
	for (size_t i = 0; i < family->nr_arms; i++) {
		if (i != kept && !family->arms[i].skipped)
			family->arms[i].skipped = reason;
	}
	family->arms[kept].label = plan->page->name;
	return 0;
}

int nslab_plan_family_arms(struct nslab_plan *plan, struct nslab_family *family,
			   const struct nslab_arm *arms, size_t nr, const char *skipped)
{
	size_t len = strlen(family->key);
	size_t baseline;

	family->arms = nslab_pool_alloc(plan->pool, (nr + 1) * sizeof(*family->arms));
	if (!family->arms)
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++) {
		struct nslab_arm *arm = &family->arms[i];

		*arm = arms[i];
		arm->key = join(plan->pool, family->key, len, arms[i].key);
		if (!arm->key)
			return -ENOMEM;
		arm->entry = arm->allocator->ops.allocator->caps & NSLAB_CAP_DIRECT &&
					     family->entry != NSLAB_ENTRY_PAGES
				     ? NSLAB_ENTRY_MALLOC
				     : family->entry;
		if (skipped)
			arm->skipped = skipped;
		else if (!arm->skipped)
			arm->skipped = skip_reason(plan, family, arm);
	}
	family->nr_arms = nr;
	baseline = find_baseline(plan, family);
	if (baseline == nr)
		return 0;
	if (family->entry == NSLAB_ENTRY_PAGES && keep_one(plan, family, baseline))
		return -ENOMEM;
	return add_twin(plan, family, baseline);
}
