/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gate.c: refuses a run whose figures would mean nothing.
 *
 * Most rules are those probes of the host whose judge may answer "refuse"; two need the plan.
 * Workers on one core measure each other, unless the placement is there for that. And a plan that
 * asks for huge pages where the kernel gives none would measure small ones. A rule is
 * silenced by its name, which the result keeps, so that nobody takes such figures for others by
 * mistake. What cannot be read refuses nothing. Pure: the report was read before, nothing is
 * printed.
 */
#include "runner/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GATE_NAMES_MAX 128

static const char shared_core_fix[] =
	"use placement=smt if that is what is to be measured, else fewer threads or other PUs";

bool nslab_gate_is_ignored(const char *const *ignored, const char *name)
{
	for (; ignored && *ignored; ignored++) {
		if (!strcmp(*ignored, name))
			return true;
	}
	return false;
}

int nslab_gate_check_names(const char *const *names, struct nslab_err *err)
{
	const char *known[GATE_NAMES_MAX] = {NSLAB_GATE_SHARED_CORE, NSLAB_GATE_HUGE_PAGES, NULL};
	const char *guess;
	size_t nr = 2;

	for (size_t i = 0; i < nslab_host_nr_probes && nr + 1 < GATE_NAMES_MAX; i++)
		known[nr++] = nslab_host_probes[i].name;
	known[nr] = NULL;
	for (; *names; names++) {
		if (nslab_gate_is_ignored(known, *names))
			continue;
		guess = nslab_nearest(*names, known, nr);
		return nslab_fail(err, -EINVAL,
				  "cannot ignore '%s': no rule has this name%s%s%s; `numaslab env "
				  "show` lists them, and there are " NSLAB_GATE_SHARED_CORE
				  " and " NSLAB_GATE_HUGE_PAGES,
				  *names, guess ? ", did you mean '" : "", guess ? guess : "",
				  guess ? "'" : "");
	}
	return 0;
}

/* ---- rules ---- */

struct gate {
	const char *const *ignored;
	size_t nr;
	char text[900]; /* of all rules that refuse */
};

static void gate_refuse(struct gate *gate, const char *name, const char *why, const char *fix)
{
	size_t len = strlen(gate->text);

	if (nslab_gate_is_ignored(gate->ignored, name))
		return;
	snprintf(gate->text + len, sizeof(gate->text) - len, "%s%s: %s; %s (or --ignore %s)",
		 gate->nr++ ? "; and " : "", name, why, fix, name);
}

static void gate_host(struct gate *gate, const struct nslab_host_report *report)
{
	char why[512];

	for (size_t i = 0; i < report->nr; i++) {
		const struct nslab_host_finding *f = &report->findings[i];

		if (f->state != NSLAB_HOST_REFUSE)
			continue;
		snprintf(why, sizeof(why), "%.200s: %s", f->value ? f->value : "?", f->why);
		gate_refuse(gate, f->probe->name, why, f->probe->fix);
	}
}

/* The first two workers of the family that share a core, by their place. */
static bool gate_find_shared(const struct nslab_plan *plan, const struct nslab_family *family,
			     int *first, int *second)
{
	const struct nslab_topo_pu *pus = plan->topo->pus;

	for (int i = 0; family->pus && i < family->nr_threads; i++) {
		for (int k = 0; k < i; k++) {
			const struct nslab_topo_pu *a = &pus[family->pus[k]];
			const struct nslab_topo_pu *b = &pus[family->pus[i]];

			if (a == b || a->core != b->core)
				continue;
			*first = a->os_index;
			*second = b->os_index;
			return true;
		}
	}
	return false;
}

static const char *gate_value(const struct nslab_host_report *report, const char *name)
{
	for (size_t i = 0; i < report->nr; i++) {
		if (!strcmp(report->findings[i].probe->name, name))
			return report->findings[i].value;
	}
	return NULL;
}

/* What cannot be read gives no answer: the trial then tells what the kernel refused. */
static void gate_huge(struct gate *gate, const struct nslab_plan *plan,
		      const struct nslab_host_report *report)
{
	const char *thp = gate_value(report, "thp");
	const char *pool = gate_value(report, "huge_pool");
	const char *free_pages = pool ? strstr(pool, "HugePages_Free:") : NULL;

	if (plan->huge == NSLAB_HUGE_THP && thp && strstr(thp, "[never]"))
		gate_refuse(gate, NSLAB_GATE_HUGE_PAGES,
			    "the plan says huge=thp, and transparent_hugepage/enabled is never, so "
			    "there would be none",
			    "echo madvise to it, or say huge=never");
	if (plan->huge == NSLAB_HUGE_HUGETLB && free_pages &&
	    !strtoull(strchr(free_pages, ':') + 1, NULL, 10))
		gate_refuse(gate, NSLAB_GATE_HUGE_PAGES,
			    "the plan says huge=hugetlb, and the pool of huge pages is empty "
			    "(HugePages_Free: 0)",
			    "sysctl vm.nr_hugepages=N fills it, huge=thp needs none");
}

static void gate_plan(struct gate *gate, const struct nslab_plan *plan)
{
	char why[256];
	int first, second;

	for (size_t f = 0; f < plan->nr_families; f++) {
		const struct nslab_family *family = &plan->families[f];

		if (!strcmp(family->placement, "smt") ||
		    !gate_find_shared(plan, family, &first, &second))
			continue;
		snprintf(why, sizeof(why),
			 "placement '%.80s' puts workers on PUs %d and %d, which share a core",
			 family->placement, first, second);
		gate_refuse(gate, NSLAB_GATE_SHARED_CORE, why, shared_core_fix);
		return;
	}
}

int nslab_gate_check(const struct nslab_plan *plan, const struct nslab_host_report *report,
		     const char *const *ignored, struct nslab_err *err)
{
	struct gate gate = {.ignored = ignored};

	gate_host(&gate, report);
	gate_plan(&gate, plan);
	gate_huge(&gate, plan, report);
	if (!gate.nr)
		return 0;
	return nslab_fail(err, -EPERM, "figures taken here would mean nothing: %s", gate.text);
}
