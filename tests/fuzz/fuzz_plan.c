/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fuzz_plan.c: libFuzzer feeds any bytes as a plan file.
 *
 * The machine is synthetic (two nodes, eight PUs) and the plug-ins are tables without code behind
 * them, since a plan only reads names, capabilities and parameters. A plan that is accepted must
 * hold together: cells and trials are counted alike, every arm that can run has its PUs, and
 * plan.json and --dry-run can be made of it. One that is refused must say why in one line.
 *
 * Left out: looking for files; the text is given, and includes do not exist.
 */
#include "runner/counters/perf_group.h"
#include "runner/plan.h"

#include <errno.h>
#include <numaslab/plugin.h>
#include <numaslab/workload.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes);

struct fuzz_params {
	int64_t size, depth;
	bool is_bulk;
	int64_t mode;
	char trace[NSLAB_TEXT_MAX];
};

static const char *const fuzz_modes[] = {"calm", "wild", NULL};

static const struct nslab_param fuzz_rows[] = {
	{.name = "size",
	 .type = NSLAB_PARAM_INT,
	 .offset = offsetof(struct fuzz_params, size),
	 .def = "64",
	 .min = 1,
	 .max = 1 << 20,
	 .help = "bytes"},
	{.name = "depth",
	 .type = NSLAB_PARAM_INT,
	 .offset = offsetof(struct fuzz_params, depth),
	 .def = "8",
	 .min = 1,
	 .max = 1000,
	 .help = "objects"},
	{.name = "bulk",
	 .type = NSLAB_PARAM_BOOL,
	 .offset = offsetof(struct fuzz_params, is_bulk),
	 .def = "no",
	 .help = "in bulk"},
	{.name = "mode",
	 .type = NSLAB_PARAM_CHOICE,
	 .offset = offsetof(struct fuzz_params, mode),
	 .def = "calm",
	 .choices = fuzz_modes,
	 .help = "how"},
	{.name = "trace",
	 .type = NSLAB_PARAM_TEXT,
	 .offset = offsetof(struct fuzz_params, trace),
	 .def = "",
	 .help = "a file"},
	NSLAB_PARAM_END,
};

/* ---- a registry of names and parameters ---- */

static const struct nslab_allocator_ops fuzz_allocators[] = {
	{.name = "slub",
	 .caps = NSLAB_CAP_CACHE | NSLAB_CAP_ORDER | NSLAB_CAP_NODE | NSLAB_CAP_PAGES |
		 NSLAB_CAP_REMOTE_FREE,
	 .params = fuzz_rows,
	 .params_size = sizeof(struct fuzz_params)},
	{.name = "null", .caps = NSLAB_CAP_CACHE},
	{.name = "libc", .caps = NSLAB_CAP_DIRECT | NSLAB_CAP_REMOTE_FREE},
};

static size_t fuzz_batch(struct nslab_worker *worker, size_t n)
{
	(void)worker;
	(void)n;
	abort(); /* a plan calls nothing of a plug-in */
}

static const struct nslab_workload_ops fuzz_workloads[] = {
	{.name = "batch",
	 .min_workers = 1,
	 .params = fuzz_rows,
	 .params_size = sizeof(struct fuzz_params),
	 .batch = {fuzz_batch, fuzz_batch, fuzz_batch, fuzz_batch, fuzz_batch}},
	{.name = "remote_free",
	 .needs = NSLAB_CAP_REMOTE_FREE,
	 .min_workers = 2,
	 .worker_group = 2,
	 .batch = {[NSLAB_ENTRY_CACHE] = fuzz_batch}},
};

static const struct nslab_page_ops fuzz_page = {.name = "buddy"};

#define NR(array) (sizeof(array) / sizeof((array)[0]))

static struct nslab_entry_record fuzz_records[NR(fuzz_allocators) + NR(fuzz_workloads) + 1];

static void fuzz_records_fill(void)
{
	struct nslab_entry_record *record = fuzz_records;

	for (size_t i = 0; i < NR(fuzz_allocators); i++, record++) {
		record->kind = NSLAB_PLUGIN_ALLOCATOR;
		record->name = fuzz_allocators[i].name;
		record->ops.allocator = &fuzz_allocators[i];
	}
	for (size_t i = 0; i < NR(fuzz_workloads); i++, record++) {
		record->kind = NSLAB_PLUGIN_WORKLOAD;
		record->name = fuzz_workloads[i].name;
		record->ops.workload = &fuzz_workloads[i];
	}
	record->kind = NSLAB_PLUGIN_PAGE;
	record->name = fuzz_page.name;
	record->ops.page = &fuzz_page;
}

/* In place of core/registry.c, which would ask for callbacks that nobody calls here. */
const struct nslab_entry_record *nslab_registry_find(const struct nslab_registry *registry,
						     enum nslab_plugin_kind kind, const char *name)
{
	(void)registry;
	for (size_t i = 0; i < NR(fuzz_records); i++) {
		if (fuzz_records[i].kind == kind && !strcmp(fuzz_records[i].name, name))
			return &fuzz_records[i];
	}
	return NULL;
}

int nslab_registry_get(const struct nslab_registry *registry, enum nslab_plugin_kind kind,
		       const char *name, const struct nslab_entry_record **record,
		       struct nslab_err *err)
{
	*record = nslab_registry_find(registry, kind, name);
	return *record ? 0 : nslab_fail(err, -EINVAL, "'%s' is no plug-in", name);
}

const struct nslab_entry_record *nslab_registry_at(const struct nslab_registry *registry,
						   enum nslab_plugin_kind kind, size_t number)
{
	(void)registry;
	for (size_t i = 0; i < NR(fuzz_records); i++) {
		if (fuzz_records[i].kind == kind && !number--)
			return &fuzz_records[i];
	}
	return NULL;
}

/* In place of runner/world_areas.c, which opens arenas. */
extern const struct nslab_param nslab_area_rows[];
const struct nslab_param nslab_area_rows[] = {NSLAB_PARAM_END};

/* In place of runner/counters/perf.c: every counter is there, none is ever opened. */
bool nslab_perf_has(const char *name)
{
	return *name != 'x';
}

/* ---- what must hold ---- */

static void fuzz_require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "a plan was accepted that %s\n", what);
	abort();
}

static void fuzz_check(const struct nslab_plan *plan, FILE *nowhere)
{
	size_t nr_cells = 0;
	json_t *json = nslab_plan_json(plan);

	fuzz_require(json != NULL, "has no JSON");
	json_decref(json);
	fuzz_require(plan->nr_blocks > 0 && plan->nr_windows > 0, "has no blocks or windows");
	for (size_t f = 0; f < plan->nr_families; f++) {
		const struct nslab_family *family = &plan->families[f];

		nr_cells += family->nr_arms;
		for (size_t a = 0; a < family->nr_arms; a++)
			fuzz_require(family->arms[a].skipped || family->pus,
				     "runs an arm without PUs");
	}
	fuzz_require(nr_cells == nslab_plan_nr_cells(plan), "miscounts its cells");
	fuzz_require(nslab_plan_nr_trials(plan) > 0, "has no trial");
	nslab_plan_print(plan, nowhere);
}

static struct nslab_topo *fuzz_machine(void)
{
	struct nslab_topo_source source = {.origin = NSLAB_TOPO_SYNTHETIC,
					   .text = "package:1 node:2 core:4 pu:1"};
	struct nslab_err err;
	struct nslab_topo *topo;

	if (nslab_topo_load(&source, &topo, &err))
		abort();
	return topo;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t nr_bytes)
{
	static struct nslab_topo *topo;
	static FILE *nowhere;
	struct nslab_plan_source source = {.name = "fuzz"};
	struct nslab_plan *plan = NULL;
	struct nslab_err err = {""};
	char *text;

	if (!topo) {
		topo = fuzz_machine();
		nowhere = fopen("/dev/null", "w");
		fuzz_records_fill();
	}
	if (memchr(data, '\0', nr_bytes)) /* a plan is a text */
		return -1;
	text = malloc(nr_bytes + 1);
	memcpy(text, data, nr_bytes);
	text[nr_bytes] = '\0';
	source.text = text;
	source.registry = (const struct nslab_registry *)fuzz_records; /* never looked into */
	source.topo = topo;
	if (nslab_plan_load(&source, &plan, &err))
		fuzz_require(err.text[0] && !strchr(err.text, '\n'), "was refused in no line");
	else
		fuzz_check(plan, nowhere);
	nslab_plan_free(plan);
	free(text);
	return 0;
}
