/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan.c: loads a plan: find, read, override, check, expand.
 *
 * The steps are in files of their own; this one puts them in order, fills the numbers that hold for
 * the whole plan and answers questions about the result. Everything is made in one pool, so an
 * error at any step drops everything at once and nothing is half-made.
 *
 * The expected duration is trials x (windows + warm-up + what starting and ending a trial costs);
 * plots and the time between trials are not in it.
 */
#include "runner/counters/choice.h"
#include "runner/plan_internal.h"
#include "runner/world.h"

#include <errno.h>
#include <string.h>

#define PLAN_BLOCKS_MOST   100	/* with blocks=auto */
#define PLAN_BLOCKS_NEEDED 10	/* for a claim that a disturbed block could spoil */
#define PLAN_PRECISION	   0.01 /* with blocks=auto and no precision of its own */

#define PLAN_TRIAL_NS UINT64_C(25000000) /* fork, exec, set-up, teardown, store */

static const char *const invalidate_words[] = {"auto", "on", "off"};
static const char *const statistic_words[] = {"auto", "q25", "median", "min"};

static const char *text_key(const struct plan_file *file, const char *name)
{
	const struct plan_key *key = nslab_plan_section_find(&file->sections[0], name);

	return key ? key->value : NULL;
}

/* Last part of the path without .ini. */
static const char *plan_name(struct nslab_plan_pool *pool, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t len = strlen(base);

	if (len > 4 && !strcmp(base + len - 4, ".ini"))
		len -= 4;
	return nslab_pool_copy(pool, base, len);
}

/*
 * auto: a quick look of a few blocks is told what disturbed it and goes on; from PLAN_BLOCKS_NEEDED
 * blocks on a run means to be believed, and what was disturbed is run again.
 */
static bool wants_invalidation(const struct nslab_plan *plan)
{
	if (strcmp(plan->invalidate, "auto") != 0)
		return !strcmp(plan->invalidate, "on");
	return plan->nr_blocks >= PLAN_BLOCKS_NEEDED;
}

/* How many blocks, and what ends them earlier. */
static int fill_stopping(struct nslab_plan *plan, const struct plan_file *file, int64_t blocks,
			 struct nslab_err *err)
{
	const char *precision = text_key(file, "precision");
	const char *budget = text_key(file, "budget");
	int rc = 0;

	plan->is_blocks_auto = blocks == NSLAB_AUTO;
	plan->nr_blocks = plan->is_blocks_auto ? PLAN_BLOCKS_MOST : (int)blocks;
	plan->precision = plan->is_blocks_auto ? PLAN_PRECISION : 0;
	if (precision)
		rc = nslab_plan_percent(precision, &plan->precision, err);
	if (!rc && budget)
		rc = nslab_plan_duration(budget, &plan->budget_ns, err);
	plan->is_invalidating = wants_invalidation(plan);
	return rc;
}

static int fill_numbers(struct nslab_plan *plan, const struct plan_file *file,
			struct nslab_err *err)
{
	const struct nslab_param *row;
	struct plan_numbers n;
	int rc;

	memset(&n, 0, sizeof(n));
	rc = nslab_param_defaults(nslab_plan_rows, &n, err);
	for (row = nslab_plan_rows; !rc && row->name; row++) {
		const char *value = text_key(file, row->name);

		if (value)
			rc = nslab_param_set(row, value, &n, err);
	}
	plan->seed = (uint64_t)n.seed;
	plan->nr_windows = (int)n.windows;
	plan->window_ns = (uint64_t)n.window_ms * 1000000;
	plan->warmup_ns = (uint64_t)n.warmup_ms * 1000000;
	plan->time_limit_ns = (uint64_t)n.time_limit_s * 1000000000;
	plan->statistic = statistic_words[n.statistic];
	plan->huge = (enum nslab_huge_policy)n.huge;
	plan->node_bytes = (size_t)n.node_mib << 20;
	plan->memory_limit_bytes = (uint64_t)n.memory_limit_mib << 20;
	plan->nr_cpus = n.cpus ? (int)n.cpus : plan->topo->nr_pus;
	plan->has_twin = n.twin;
	plan->is_debug = n.debug;
	plan->has_latency = n.latency;
	plan->has_matrix = n.measure;
	plan->sampler = (enum nslab_sampler_mode)n.sampler;
	plan->invalidate = invalidate_words[n.invalidate];
	return rc ? rc : fill_stopping(plan, file, n.blocks, err);
}

static int fill_page(struct nslab_plan *plan, const struct plan_file *file,
		     const struct nslab_registry *registry, struct nslab_err *err)
{
	const struct plan_section *global = &file->sections[0];
	const char *name = text_key(file, "page");
	size_t len;
	int rc = 0;

	if (name)
		rc = nslab_registry_get(registry, NSLAB_PLUGIN_PAGE, name, &plan->page, err);
	else
		plan->page = nslab_registry_at(registry, NSLAB_PLUGIN_PAGE, 0);
	if (rc || !plan->page)
		return rc;
	len = strlen(plan->page->name);
	plan->page_settings =
		nslab_pool_alloc(plan->pool, (global->nr_keys + 1) * sizeof(*plan->page_settings));
	if (!plan->page_settings)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < global->nr_keys; i++) {
		const struct plan_key *key = &global->keys[i];
		struct nslab_setting *setting = &plan->page_settings[plan->nr_page_settings];
		struct plan_list values;

		if (strncmp(key->name, plan->page->name, len) != 0 || key->name[len] != '.')
			continue;
		setting->key = key->name + len + 1;
		rc = nslab_plan_values(plan->pool,
				       nslab_param_find(plan->page->ops.page->params, setting->key),
				       key->value, &values, err);
		if (!rc) {
			setting->value = values.items[0];
			plan->nr_page_settings++;
		}
	}
	return rc;
}

static int fill_areas(struct nslab_plan *plan, const struct plan_file *file, struct nslab_err *err)
{
	const struct plan_section *global = &file->sections[0];
	int rc = 0;

	plan->area_settings =
		nslab_pool_alloc(plan->pool, (global->nr_keys + 1) * sizeof(*plan->area_settings));
	if (!plan->area_settings)
		return -ENOMEM;
	for (size_t i = 0; !rc && i < global->nr_keys; i++) {
		const struct plan_key *key = &global->keys[i];
		const struct nslab_param *row = nslab_param_find(nslab_area_rows, key->name);
		struct plan_list values;

		if (!row)
			continue;
		rc = nslab_plan_values(plan->pool, row, key->value, &values, err);
		if (!rc)
			plan->area_settings[plan->nr_area_settings++] =
				(struct nslab_setting){row->name, values.items[0]};
	}
	return rc;
}

/* The words of a key, NULL-terminated; none when the file does not have it. */
static int fill_words(struct nslab_plan *plan, const struct plan_file *file, const char *name,
		      const char *const **words, struct nslab_err *err)
{
	const char *text = text_key(file, name);
	struct plan_list list = {0};
	int rc = text ? nslab_plan_words(plan->pool, text, &list, err) : 0;
	const char **copy = nslab_pool_alloc(plan->pool, (list.nr + 1) * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	if (list.nr)
		memcpy(copy, list.items, list.nr * sizeof(*copy));
	*words = copy;
	return rc;
}

static int fill_texts(struct nslab_plan *plan, const struct plan_file *file,
		      const char *const *overrides, struct nslab_err *err)
{
	const char **copy;
	size_t nr = 0;
	int rc;

	plan->path = file->path;
	plan->text = file->text;
	plan->label = text_key(file, "label");
	plan->baseline = text_key(file, "baseline");
	plan->name = plan_name(plan->pool, file->path);
	if (!plan->name)
		return -ENOMEM;
	rc = fill_words(plan, file, "counters", &plan->counters, err);
	if (!rc)
		rc = fill_words(plan, file, "ignore", &plan->ignored, err);
	if (rc)
		return rc;
	while (overrides && overrides[nr])
		nr++;
	copy = nslab_pool_alloc(plan->pool, (nr + 1) * sizeof(*copy));
	for (size_t i = 0; copy && i < nr; i++)
		copy[i] = nslab_pool_copy(plan->pool, overrides[i], strlen(overrides[i]));
	plan->overrides = copy;
	return copy ? 0 : -ENOMEM;
}

/* A plan that can run nothing here is of no use, and the reason is the error. */
static int check_runs(const struct nslab_plan *plan, struct nslab_err *err)
{
	const char *reason = NULL;

	for (size_t f = 0; f < plan->nr_families; f++) {
		for (size_t a = 0; a < plan->families[f].nr_arms; a++) {
			if (!plan->families[f].arms[a].skipped)
				return 0;
			if (!reason)
				reason = plan->families[f].arms[a].skipped;
		}
	}
	return nslab_fail(err, -ENOTSUP, "%s: no cell can run here: %s", plan->path,
			  reason ? reason : "there is none");
}

/*
 * A baseline that is a label must be some arm's; a bare allocator may be absent, as it is when an
 * override chooses other allocators.
 */
static int check_baseline(const struct nslab_plan *plan, const struct plan_file *file,
			  struct nslab_err *err)
{
	const struct plan_key *key = nslab_plan_section_find(&file->sections[0], "baseline");
	char list[512] = "";

	if (!key || !strchr(key->value, ' '))
		return 0;
	for (size_t f = 0; f < plan->nr_families; f++) {
		for (size_t a = 0; a < plan->families[f].nr_arms; a++) {
			const char *label = plan->families[f].arms[a].label;
			size_t len = strlen(list);

			if (!strcmp(label, key->value))
				return 0;
			if (!f && !plan->families[f].arms[a].is_twin)
				snprintf(list + len, sizeof(list) - len, "%s'%s'", len ? ", " : "",
					 label);
		}
	}
	return nslab_plan_fail_at(file, key->line, err,
				  nslab_fail(err, -EINVAL,
					     "no arm is called '%s', as 'baseline' says; there are "
					     "%s",
					     key->value, list));
}

static int load(struct nslab_plan *plan, const struct nslab_plan_source *source,
		struct nslab_err *err)
{
	struct plan_file file = {.pool = plan->pool};
	struct nslab_cpu_id cpu;
	int rc = 0;

	if (source->text) {
		file.path = nslab_pool_copy(plan->pool, source->name, strlen(source->name));
		file.text = nslab_pool_copy(plan->pool, source->text, strlen(source->text));
		rc = file.path && file.text ? 0 : -ENOMEM;
	} else {
		rc = nslab_plan_find(plan->pool, source->name, &file.path, err);
	}
	if (!rc)
		rc = nslab_plan_file_read(&file, err);
	for (size_t i = 0; !rc && source->overrides && source->overrides[i]; i++)
		rc = nslab_plan_file_override(&file, source->overrides[i], err);
	if (!rc)
		rc = nslab_plan_check_keys(&file, source->registry, err);
	if (!rc)
		rc = fill_numbers(plan, &file, err);
	if (!rc)
		rc = fill_texts(plan, &file, source->overrides, err);
	if (!rc)
		rc = fill_page(plan, &file, source->registry, err);
	if (!rc)
		rc = fill_areas(plan, &file, err);
	if (!rc)
		rc = nslab_plan_expand(plan, &file, source->registry, err);
	if (!rc)
		rc = check_baseline(plan, &file, err);
	if (!rc)
		rc = check_runs(plan, err);
	nslab_cpu_id_read(&cpu);
	return rc ? rc : nslab_choice_make(plan->counters, &cpu, &plan->choice, err);
}

int nslab_plan_load(const struct nslab_plan_source *source, struct nslab_plan **plan,
		    struct nslab_err *err)
{
	struct nslab_plan_pool *pool = nslab_pool_create();
	struct nslab_plan *made = pool ? nslab_pool_alloc(pool, sizeof(*made)) : NULL;
	int rc = -ENOMEM;

	err->text[0] = '\0';
	if (made) {
		made->pool = pool;
		made->topo = source->topo;
		rc = load(made, source, err);
	}
	if (rc) {
		if (!err->text[0])
			nslab_fail(err, rc, "cannot plan '%s': %s", source->name, strerror(-rc));
		nslab_pool_destroy(pool);
		return rc;
	}
	*plan = made;
	return 0;
}

void nslab_plan_free(struct nslab_plan *plan)
{
	if (!plan)
		return;
	nslab_choice_free(plan->choice);
	nslab_pool_destroy(plan->pool); /* the plan lies in it */
}

size_t nslab_plan_nr_cells(const struct nslab_plan *plan)
{
	size_t nr = 0;

	for (size_t f = 0; f < plan->nr_families; f++)
		nr += plan->families[f].nr_arms;
	return nr;
}

size_t nslab_plan_nr_trials(const struct nslab_plan *plan)
{
	size_t nr = 0;

	for (size_t f = 0; f < plan->nr_families; f++) {
		for (size_t a = 0; a < plan->families[f].nr_arms; a++)
			nr += !plan->families[f].arms[a].skipped;
	}
	return nr * (size_t)plan->nr_blocks;
}

uint64_t nslab_plan_expected_ns(const struct nslab_plan *plan)
{
	uint64_t trial_ns =
		(uint64_t)plan->nr_windows * plan->window_ns + plan->warmup_ns + PLAN_TRIAL_NS;
	uint64_t ns;

	if (plan->has_latency) /* pairs of windows */
		trial_ns += 2 * (uint64_t)plan->nr_windows * plan->window_ns;
	if (__builtin_mul_overflow(nslab_plan_nr_trials(plan), trial_ns, &ns))
		return UINT64_MAX;
	return ns;
}

int nslab_settings_apply(const struct nslab_param *rows, const struct nslab_setting *settings,
			 size_t nr_settings, void *params, struct nslab_err *err)
{
	int rc = nslab_param_defaults(rows, params, err);

	for (size_t i = 0; !rc && i < nr_settings; i++) {
		const struct nslab_param *row = nslab_param_find(rows, settings[i].key);

		rc = row ? nslab_param_set(row, settings[i].value, params, err)
			 : nslab_fail(err, -EINVAL, "no parameter '%s'", settings[i].key);
	}
	return rc;
}

const char *nslab_entry_word(enum nslab_entry entry)
{
	static const char *const words[] = {"none", "cache", "kmalloc", "malloc", "pages"};

	return words[entry];
}
