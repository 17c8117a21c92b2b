/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_keys.c: which keys a plan may hold, where, and with which values.
 *
 * There are five sorts. Keys of the whole plan (blocks, seed, vmalloc.lazy_mib, ...) stand in
 * [global]. Axis keys (workload, threads, placement, ...) and cache keys (order, min_partial, ...)
 * stand anywhere. Parameters of a workload stand in a job that runs it, or in [global] for every
 * job whose workload has them. `PLUGIN.KEY` sets a parameter or a cache key for one allocator only;
 * for the page allocator it holds for the whole plan.
 *
 * Every key and every value is judged here, before anything is expanded, so that an error names the
 * line it stands in; expansion then finds valid values only.
 */
#include "runner/gate.h"
#include "runner/plan_internal.h"
#include "runner/world.h"

#include <errno.h>
#include <string.h>

#define NAMES_MAX 128

static const char *const statistics[] = {"auto", "q25", "median", "min", NULL};
static const char *const huge_policies[] = {"never", "thp", "system", "hugetlb", NULL};
static const char *const latencies[] = {"off", "sampled", NULL};
static const char *const samplers[] = {"auto", "on", "off", NULL};
static const char *const auto_word[] = {"auto", NULL};
static const char *const invalidate_words[] = {"auto", "on", "off", NULL};
static const char *const placements[] = {"compact", "scatter", "l3",   "smt",
					 "node:",   "cross:",  "pus:", NULL};
static const char *const memories[] = {"local",	      "remote", "interleave",
				       "first-touch", "node:",	NULL};
static const char *const entries[] = {"cache", "kmalloc", "none", NULL};

#define NUMBER(field, d, lo, hi, text)                                                             \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_INT, .offset = offsetof(struct plan_numbers, field),         \
  .def = (d), .min = (lo), .max = (hi), .help = (text)                                             \
 }
#define CHOICE(field, d, words, text)                                                              \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_CHOICE, .offset = offsetof(struct plan_numbers, field),      \
  .def = (d), .choices = (words), .help = (text)                                                   \
 }
#define CACHE(field, hi, text)                                                                     \
 {                                                                                                 \
  .name = #field, .type = NSLAB_PARAM_INT, .flags = NSLAB_PARAM_TUNABLE | NSLAB_PARAM_PER_CACHE,   \
  .offset = offsetof(struct plan_cache, field), .def = "auto", .min = 0, .max = (hi),              \
  .choices = auto_word, .help = (text)                                                             \
 }

const struct nslab_param nslab_plan_rows[] = {
	{
		.name = "blocks",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct plan_numbers, blocks),
		.def = "6",
		.min = 1,
		.max = 100000,
		.choices = auto_word,
		.help = "times that every arm of a family runs; auto: until the precision is had",
	},
	NUMBER(windows, "20", 1, 100000, "measured windows in a trial"),
	NUMBER(window_ms, "10", 1, 600000, "length of a window"),
	NUMBER(warmup_ms, "20", 0, 600000, "time before the first window"),
	NUMBER(time_limit_s, "30", 1, 86400, "longest that a trial may take"),
	NUMBER(seed, "1", 0, INT64_MAX, "of every random choice; trials mix their place into it"),
	NUMBER(memory_limit_mib, "0", 0, 1 << 30,
	       "that a trial may take beside its arena; 0: most of what is free"),
	NUMBER(node_mib, "0", 0, 1 << 20, "arena of each node; 0 lets the arena decide"),
	NUMBER(cpus, "0", 0, NSLAB_MAX_CPUS,
	       "CPUs that allocators' rules count with; 0: those of the topology"),
	CHOICE(statistic, "auto", statistics, "what the windows of a trial become"),
	CHOICE(invalidate, "auto", invalidate_words,
	       "run blocks again that the host disturbed; auto: from 10 blocks on"),
	CHOICE(huge, "never", huge_policies, "huge pages under the arena"),
	CHOICE(latency, "off", latencies, "time single operations, after the windows"),
	CHOICE(sampler, "auto", samplers, "memory over time; auto: where a PU is left for it"),
	{
		.name = "measure",
		.type = NSLAB_PARAM_BOOL,
		.offset = offsetof(struct plan_numbers, measure),
		.def = "no",
		.help = "measure the machine's matrices before the run, as topo --measure does",
	},
	{
		.name = "twin",
		.type = NSLAB_PARAM_BOOL,
		.offset = offsetof(struct plan_numbers, twin),
		.def = "yes",
		.help = "run the baseline twice, to see what no difference looks like",
	},
	{
		.name = "debug",
		.type = NSLAB_PARAM_BOOL,
		.offset = offsetof(struct plan_numbers, debug),
		.def = "no",
		.help = "check every object; timings are then those of the checks",
	},
	NSLAB_PARAM_END,
};

const struct nslab_param nslab_plan_cache_rows[] = {
	CACHE(order, NSLAB_MAX_ORDER, "of slabs: 2^order pages"),
	CACHE(min_partial, 1 << 20, "empty slabs kept on each node"),
	CACHE(cpu_partial, 1 << 20, "objects kept on each CPU's partial slabs"),
	CACHE(sheaf_capacity, 1 << 16, "objects in a sheaf"),
	NSLAB_PARAM_END,
};

#define TEXT(key, text)                                                                            \
 {                                                                                                 \
  .name = (key), .type = NSLAB_PARAM_TEXT, .def = "", .help = (text)                               \
 }

/* Their values are judged by check_axis() and check_text(): most depend on the machine. */
static const struct nslab_param axis_rows[] = {
	TEXT("workload", "names, or a list of them; each is a job"),
	TEXT("allocator", "names, or a list of them: the arms that are compared"),
	{
		.name = "threads",
		.type = NSLAB_PARAM_INT,
		.def = "1",
		.min = 1,
		.max = NSLAB_MAX_CPUS,
		.help = "numbers, ranges, max: as many as the placement has PUs",
	},
	{
		.name = "placement",
		.type = NSLAB_PARAM_TEXT,
		.def = "compact",
		.choices = placements,
		.help = "of the threads: compact, scatter, l3, smt, node:N, cross:I,J, pus:LIST",
	},
	{
		.name = "memory",
		.type = NSLAB_PARAM_TEXT,
		.def = "local",
		.choices = memories,
		.help = "of each CPU: local, remote, node:N; interleave and first-touch leave it "
			"to the kernel",
	},
	{
		.name = "entry",
		.type = NSLAB_PARAM_CHOICE,
		.def = "cache",
		.choices = entries,
		.help = "what is called: a cache's own functions or kmalloc",
	},
	NSLAB_PARAM_END,
};

static const struct nslab_param text_rows[] = {
	TEXT("label", "a line that heads the table"),
	TEXT("baseline", "the allocator, or arm, that others are compared with"),
	TEXT("counters", "sources, groups and events that are counted; auto: those of this CPU"),
	TEXT("page", "the page allocator below the models"),
	TEXT("precision", "stop when every interval is this narrow, e.g. 1%"),
	TEXT("budget", "no block starts after this time of trials, e.g. 10m"),
	TEXT("ignore", "rules of the host that may be broken, by name"),
	NSLAB_PARAM_END,
};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

struct checker {
	const struct plan_file *file;
	const struct plan_section *section;
	const struct nslab_registry *registry;
	struct nslab_err *err;
	bool is_global;
};

static bool is_in(const char *const *words, size_t nr, const char *word)
{
	for (size_t i = 0; i < nr; i++) {
		if (!strcmp(words[i], word))
			return true;
	}
	return false;
}

/* The row of a key of the whole plan, or NULL. */
static const struct nslab_param *plan_row(const char *name)
{
	const struct nslab_param *row = nslab_param_find(nslab_plan_rows, name);

	return row ? row : nslab_param_find(nslab_area_rows, name);
}

/* ---- unknown keys ---- */

struct known {
	const char *names[NAMES_MAX];
	size_t nr;
};

static void know(struct known *known, const char *name)
{
	if (known->nr < NAMES_MAX && !is_in(known->names, known->nr, name))
		known->names[known->nr++] = name;
}

static void know_rows(struct known *known, const struct nslab_param *rows)
{
	for (; rows && rows->name; rows++)
		know(known, rows->name);
}

/* The workloads that a section's parameters may belong to: the job's, or all of them. */
static const struct nslab_entry_record *workload_at(const struct checker *c, size_t number)
{
	const struct plan_key *key = nslab_plan_key_find(c->file, c->section, "workload");
	const struct nslab_entry_record *record;
	struct plan_list list;

	if (c->is_global || !key)
		return nslab_registry_at(c->registry, NSLAB_PLUGIN_WORKLOAD, number);
	if (nslab_plan_words(c->file->pool, key->value, &list, NULL) || number >= list.nr)
		return NULL;
	record = nslab_registry_find(c->registry, NSLAB_PLUGIN_WORKLOAD, list.items[number]);
	return record;
}

static int unknown_key(const struct checker *c, const char *name)
{
	const struct nslab_entry_record *record;
	struct known known = {.nr = 0};
	char list[900] = "";
	const char *guess;

	know_rows(&known, axis_rows);
	for (size_t i = 0; (record = workload_at(c, i)); i++)
		know_rows(&known, record->ops.workload->params);
	know_rows(&known, nslab_plan_cache_rows);
	if (c->is_global) {
		know_rows(&known, nslab_plan_rows);
		know_rows(&known, nslab_area_rows);
		know_rows(&known, text_rows);
	}
	guess = nslab_nearest(name, known.names, known.nr);
	for (size_t i = 0; i < known.nr; i++) {
		size_t len = strlen(list);

		snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", known.names[i]);
	}
	return nslab_fail(c->err, -EINVAL,
			  "unknown key '%s' in [%s]%s%s%s; there are %s, and ALLOCATOR.PARAMETER",
			  name, c->section->name, guess ? ", did you mean '" : "",
			  guess ? guess : "", guess ? "'" : "", list);
}

/* ---- values ---- */

static int check_row(const struct checker *c, const struct nslab_param *row, const char *value,
		     bool is_single)
{
	struct plan_list list;
	int rc = nslab_plan_values(c->file->pool, row, value, &list, c->err);

	if (!rc && is_single && list.nr != 1)
		rc = nslab_fail(c->err, -EINVAL, "key '%s' takes one value, not '%s'", row->name,
				value);
	return rc;
}

static int check_names(const struct checker *c, enum nslab_plugin_kind kind, const char *value)
{
	const struct nslab_entry_record *record;
	struct plan_list list;
	int rc = nslab_plan_words(c->file->pool, value, &list, c->err);

	for (size_t i = 0; !rc && i < list.nr; i++)
		rc = nslab_registry_get(c->registry, kind, list.items[i], &record, c->err);
	return rc;
}

/* Whatever `max` becomes, the words must be numbers. */
static int check_threads(const struct checker *c, const char *value)
{
	struct plan_list list;
	int rc = nslab_plan_numbers(c->file->pool, value, NSLAB_MAX_CPUS, &list, c->err);

	for (size_t i = 0; !rc && i < list.nr; i++)
		rc = nslab_param_check(nslab_param_find(axis_rows, "threads"), list.items[i],
				       c->err);
	return rc;
}

static int check_axis(const struct checker *c, const struct plan_key *key)
{
	struct plan_list list;

	if (!strcmp(key->name, "workload"))
		return check_names(c, NSLAB_PLUGIN_WORKLOAD, key->value);
	if (!strcmp(key->name, "allocator"))
		return check_names(c, NSLAB_PLUGIN_ALLOCATOR, key->value);
	if (!strcmp(key->name, "entry"))
		return check_row(c, nslab_param_find(axis_rows, "entry"), key->value, false);
	if (!strcmp(key->name, "threads"))
		return check_threads(c, key->value);
	/* placement and memory: expansion asks the topology */
	return nslab_plan_words(c->file->pool, key->value, &list, c->err);
}

static int check_ignored(const struct checker *c, const char *value)
{
	struct plan_list list;
	int rc = nslab_plan_words(c->file->pool, value, &list, c->err);

	for (size_t i = 0; !rc && i < list.nr; i++)
		rc = nslab_gate_check_names((const char *const[]){list.items[i], NULL}, c->err);
	return rc;
}

/* The baseline may be an arm's label: its first word is an allocator. */
static int check_text(const struct checker *c, const struct plan_key *key)
{
	const struct nslab_entry_record *record;
	const char *word;
	double share;
	uint64_t ns;

	if (!strcmp(key->name, "page"))
		return nslab_registry_get(c->registry, NSLAB_PLUGIN_PAGE, key->value, &record,
					  c->err);
	if (!strcmp(key->name, "precision"))
		return nslab_plan_percent(key->value, &share, c->err);
	if (!strcmp(key->name, "budget"))
		return nslab_plan_duration(key->value, &ns, c->err);
	if (!strcmp(key->name, "ignore"))
		return check_ignored(c, key->value);
	if (strcmp(key->name, "baseline"))
		return 0;
	word = nslab_pool_copy(c->file->pool, key->value, strcspn(key->value, " "));
	if (!word)
		return -ENOMEM;
	return nslab_registry_get(c->registry, NSLAB_PLUGIN_ALLOCATOR, word, &record, c->err);
}

static int unknown_parameter(const struct checker *c, const char *plugin, const char *name,
			     const struct nslab_param *rows, bool has_order)
{
	struct known known = {.nr = 0};
	char list[512] = "";
	const char *guess;

	know_rows(&known, rows);
	if (has_order)
		know(&known, "order");
	guess = nslab_nearest(name, known.names, known.nr);
	for (size_t i = 0; i < known.nr; i++) {
		size_t len = strlen(list);

		snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", known.names[i]);
	}
	return nslab_fail(c->err, -EINVAL, "'%s' has no parameter '%s'%s%s%s; it has %s", plugin,
			  name, guess ? ", did you mean '" : "", guess ? guess : "",
			  guess ? "'" : "", *list ? list : "none");
}

static int check_page_parameter(const struct checker *c, const struct nslab_entry_record *page,
				const char *name, const char *value)
{
	const struct nslab_param *row = nslab_param_find(page->ops.page->params, name);

	if (!c->is_global)
		return nslab_fail(c->err, -EINVAL,
				  "parameters of '%s' hold for the whole plan: "
				  "they belong in [global]",
				  page->name);
	if (!row)
		return unknown_parameter(c, page->name, name, page->ops.page->params, false);
	return check_row(c, row, value, true);
}

static int check_parameter(const struct checker *c, const struct plan_key *key, const char *dot)
{
	const struct nslab_entry_record *record;
	const char *plugin = nslab_pool_copy(c->file->pool, key->name, (size_t)(dot - key->name));
	const struct nslab_param *row;
	int rc;

	if (!plugin)
		return -ENOMEM;
	record = nslab_registry_find(c->registry, NSLAB_PLUGIN_PAGE, plugin);
	if (record)
		return check_page_parameter(c, record, dot + 1, key->value);
	rc = nslab_registry_get(c->registry, NSLAB_PLUGIN_ALLOCATOR, plugin, &record, c->err);
	if (rc)
		return rc;
	row = nslab_plan_cache_row(record->ops.allocator, dot + 1);
	if (!row)
		row = nslab_param_find(record->ops.allocator->params, dot + 1);
	if (!row)
		return unknown_parameter(c, plugin, dot + 1, record->ops.allocator->params,
					 record->ops.allocator->caps & NSLAB_CAP_ORDER);
	return check_row(c, row, key->value, false);
}

/* First of all keys: the others are judged by the workloads that it names. */
static int check_workload_names(const struct checker *c)
{
	const struct plan_key *key = nslab_plan_section_find(c->section, "workload");
	int rc = key && *key->value ? check_names(c, NSLAB_PLUGIN_WORKLOAD, key->value) : 0;

	return rc ? nslab_plan_fail_at(c->file, key->line, c->err, rc) : 0;
}

/* True when the section's parameters reach this workload: a job's, or that of some job. */
static bool is_run(const struct checker *c, const char *workload)
{
	for (size_t i = 1; c->is_global && i < c->file->nr_sections; i++) {
		const struct plan_key *key =
			nslab_plan_key_find(c->file, &c->file->sections[i], "workload");
		struct plan_list list;

		if (key && !nslab_plan_words(c->file->pool, key->value, &list, NULL) &&
		    is_in(list.items, list.nr, workload))
			return true;
	}
	return !c->is_global;
}

/*
 * A parameter of at least one workload, valid for each that has it and runs: the smallest size of
 * one that does not run is no limit.
 */
static int check_workload_key(const struct checker *c, const struct plan_key *key)
{
	const struct nslab_entry_record *record;
	bool is_known = false;
	int rc = 0;

	for (size_t i = 0; !rc && (record = workload_at(c, i)); i++) {
		const struct nslab_param *row =
			nslab_param_find(record->ops.workload->params, key->name);

		is_known |= row != NULL;
		if (row && is_run(c, record->name))
			rc = check_row(c, row, key->value, false);
	}
	return rc || is_known ? rc : unknown_key(c, key->name);
}

static int check_key(const struct checker *c, const struct plan_key *key)
{
	const struct nslab_param *row = plan_row(key->name);
	const char *dot = strchr(key->name, '.');
	bool is_text = nslab_param_find(text_rows, key->name);

	if (!*key->value)
		return nslab_fail(c->err, -EINVAL, "key '%s' has no value", key->name);
	if ((row || is_text) && !c->is_global)
		return nslab_fail(c->err, -EINVAL,
				  "key '%s' holds for the whole plan: it belongs in [global]",
				  key->name);
	if (row)
		return check_row(c, row, key->value, true);
	if (is_text)
		return check_text(c, key);
	if (nslab_param_find(axis_rows, key->name))
		return check_axis(c, key);
	row = nslab_param_find(nslab_plan_cache_rows, key->name);
	if (row)
		return check_row(c, row, key->value, false);
	return dot ? check_parameter(c, key, dot) : check_workload_key(c, key);
}

static int check_job(const struct checker *c)
{
	static const char *const required[] = {"workload", "allocator"};

	for (size_t i = 0; i < NR(required); i++) {
		if (!nslab_plan_key_find(c->file, c->section, required[i]))
			return nslab_plan_fail_at(c->file, c->section->line, c->err,
						  nslab_fail(c->err, -EINVAL,
							     "job [%s] has no key '%s'",
							     c->section->name, required[i]));
	}
	return 0;
}

int nslab_plan_check_keys(const struct plan_file *file, const struct nslab_registry *registry,
			  struct nslab_err *err)
{
	struct checker c = {.file = file, .registry = registry, .err = err};
	int rc = 0;

	for (size_t i = 0; !rc && i < file->nr_sections; i++) {
		c.section = &file->sections[i];
		c.is_global = !i;
		rc = check_workload_names(&c);
		for (size_t k = 0; !rc && k < c.section->nr_keys; k++) {
			rc = check_key(&c, &c.section->keys[k]);
			if (rc)
				nslab_plan_fail_at(file, c.section->keys[k].line, err, rc);
		}
		if (!rc && i)
			rc = check_job(&c);
	}
	return rc;
}

void nslab_plan_each_key(void (*each)(void *context, const struct nslab_param *row), void *context)
{
	const struct nslab_param *const tables[] = {axis_rows, text_rows, nslab_plan_rows,
						    nslab_plan_cache_rows, nslab_area_rows};

	for (size_t i = 0; i < NR(tables); i++) {
		for (const struct nslab_param *row = tables[i]; row->name; row++)
			each(context, row);
	}
}
