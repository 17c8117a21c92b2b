/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_print.c: what --dry-run shows: one line for each family, the reasons for what is skipped,
 * and how long it will take. Parameters that are as their workload has them are not shown.
 *
 * Columns are as wide as their widest value. Arms that no family lacks would fill the screen when
 * repeated, so each distinct set of arms is printed once, with a letter that the families name.
 * Reasons are counted: a matrix of nodes may skip a thousand cells for one reason.
 *
 * Left out: how the cells are ordered in time; that is drawn from the seed when the plan runs.
 */
#include "runner/plan_internal.h"

#include <inttypes.h>
#include <string.h>

#define PLAN_SETS_MAX	 26
#define PLAN_REASONS_MAX 32
#define NR_COLUMNS	 7
#define COLUMN_MAX	 48

typedef char row[NR_COLUMNS][COLUMN_MAX];

static const char *const headers[NR_COLUMNS] = {"workload", "parameters", "threads", "placement",
						"PUs",	    "memory",	  "entry"};

static void list_pus(const struct nslab_plan *plan, const struct nslab_family *family, char *text)
{
	int len = 0;

	text[0] = '\0';
	if (!family->pus) {
		strcpy(text, "-");
		return;
	}
	for (int i = 0; i < family->nr_threads; i++) {
		if (len > 18) {
			snprintf(text + len, COLUMN_MAX - (size_t)len, ",..");
			return;
		}
		len += snprintf(text + len, COLUMN_MAX - (size_t)len, "%s%d", i ? "," : "",
				plan->topo->pus[family->pus[i]].os_index);
	}
}

static bool is_default(const struct nslab_family *family, const struct nslab_setting *setting)
{
	const struct nslab_param *param =
		nslab_param_find(family->workload->ops.workload->params, setting->key);
	int64_t a, b;

	if (!param || !strcmp(param->name, "size"))
		return false;
	if (!nslab_parse_int(param->def, &a) && !nslab_parse_int(setting->value, &b))
		return a == b;
	return !strcmp(param->def, setting->value);
}

/* The size, and what is not as the workload's table has it: the rest is in plan.json. */
static void list_settings(const struct nslab_family *family, char *text)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < family->nr_settings && len < COLUMN_MAX; i++) {
		if (!is_default(family, &family->settings[i]))
			len += (size_t)snprintf(text + len, COLUMN_MAX - len, "%s%s=%s",
						len ? " " : "", family->settings[i].key,
						family->settings[i].value);
	}
}

static void make_row(const struct nslab_plan *plan, const struct nslab_family *family, row r)
{
	snprintf(r[0], COLUMN_MAX, "%s", family->workload->name);
	list_settings(family, r[1]);
	snprintf(r[2], COLUMN_MAX, "%d", family->nr_threads);
	snprintf(r[3], COLUMN_MAX, "%s", family->placement);
	list_pus(plan, family, r[4]);
	snprintf(r[5], COLUMN_MAX, "%s", family->memory_text);
	snprintf(r[6], COLUMN_MAX, "%s", nslab_entry_word(family->entry));
}

static bool has_same_arms(const struct nslab_family *a, const struct nslab_family *b)
{
	if (a->nr_arms != b->nr_arms)
		return false;
	for (size_t i = 0; i < a->nr_arms; i++) {
		if (strcmp(a->arms[i].label, b->arms[i].label) != 0 ||
		    !a->arms[i].skipped != !b->arms[i].skipped)
			return false;
	}
	return true;
}

struct sets {
	const struct nslab_family *first[PLAN_SETS_MAX];
	size_t nr;
};

/* Letter of the family's set of arms; '+' when there are more sets than letters. */
static char set_letter(struct sets *sets, const struct nslab_family *family)
{
	size_t i = 0;

	while (i < sets->nr && !has_same_arms(sets->first[i], family))
		i++;
	if (i == sets->nr) {
		if (sets->nr == PLAN_SETS_MAX)
			return '+';
		sets->first[sets->nr++] = family;
	}
	return (char)('A' + i);
}

static void print_sets(const struct sets *sets, FILE *out)
{
	for (size_t i = 0; i < sets->nr; i++) {
		const struct nslab_family *family = sets->first[i];
		size_t nr = 0;

		fprintf(out, "arms %c: ", (int)('A' + i));
		for (size_t a = 0; a < family->nr_arms; a++) {
			const struct nslab_arm *arm = &family->arms[a];

			if (!arm->skipped)
				fprintf(out, "%s%s%s", nr++ ? ", " : "", arm->label,
					arm->is_baseline ? " (baseline)" : "");
		}
		fprintf(out, "%s\n", nr ? "" : "none");
	}
}

struct reasons {
	const struct nslab_arm *first[PLAN_REASONS_MAX];
	size_t count[PLAN_REASONS_MAX];
	size_t nr, nr_other;
};

static void count_skipped(struct reasons *reasons, const struct nslab_arm *arm)
{
	for (size_t i = 0; i < reasons->nr; i++) {
		if (!strcmp(reasons->first[i]->skipped, arm->skipped) &&
		    reasons->first[i]->allocator == arm->allocator) {
			reasons->count[i]++;
			return;
		}
	}
	if (reasons->nr == PLAN_REASONS_MAX) {
		reasons->nr_other++;
		return;
	}
	reasons->first[reasons->nr] = arm;
	reasons->count[reasons->nr++] = 1;
}

static void print_skipped(const struct nslab_plan *plan, FILE *out)
{
	struct reasons reasons = {.nr = 0};

	for (size_t f = 0; f < plan->nr_families; f++) {
		for (size_t a = 0; a < plan->families[f].nr_arms; a++) {
			if (plan->families[f].arms[a].skipped)
				count_skipped(&reasons, &plan->families[f].arms[a]);
		}
	}
	for (size_t i = 0; i < reasons.nr; i++)
		fprintf(out, "skipped: %s in %zu cell%s: %s\n", reasons.first[i]->allocator->name,
			reasons.count[i], reasons.count[i] == 1 ? "" : "s",
			reasons.first[i]->skipped);
	if (reasons.nr_other)
		fprintf(out, "skipped: %zu more cells for other reasons\n", reasons.nr_other);
}

static void print_duration(uint64_t ns, FILE *out)
{
	uint64_t s = (ns + 500000000) / 1000000000;

	if (s < 120)
		fprintf(out, "%" PRIu64 " s", s);
	else if (s < 7200)
		fprintf(out, "%" PRIu64 " min", (s + 30) / 60);
	else
		fprintf(out, "%" PRIu64 " h", (s + 1800) / 3600);
}

static void print_families(const struct nslab_plan *plan, struct sets *sets, FILE *out)
{
	size_t width[NR_COLUMNS];
	row r;

	for (int c = 0; c < NR_COLUMNS; c++)
		width[c] = strlen(headers[c]);
	for (size_t f = 0; f < plan->nr_families; f++) {
		make_row(plan, &plan->families[f], r);
		for (int c = 0; c < NR_COLUMNS; c++)
			width[c] = strlen(r[c]) > width[c] ? strlen(r[c]) : width[c];
	}
	for (int c = 0; c < NR_COLUMNS; c++)
		fprintf(out, "%-*s  ", (int)width[c], headers[c]);
	fprintf(out, "arms\n");
	for (size_t f = 0; f < plan->nr_families; f++) {
		make_row(plan, &plan->families[f], r);
		for (int c = 0; c < NR_COLUMNS; c++)
			fprintf(out, "%-*s  ", (int)width[c], r[c]);
		fprintf(out, "%c\n", set_letter(sets, &plan->families[f]));
	}
}

void nslab_plan_print(const struct nslab_plan *plan, FILE *out)
{
	struct sets sets = {.nr = 0};
	size_t nr_trials = nslab_plan_nr_trials(plan);
	size_t nr_cells = nslab_plan_nr_cells(plan);

	fprintf(out, "plan %s%s%s%s, %s%s%s\n\n", plan->name, plan->label ? " (" : "",
		plan->label ? plan->label : "", plan->label ? ")" : "", plan->topo->source,
		plan->topo->is_simulated ? ", simulated nodes" : "",
		plan->is_debug ? ", behind the debug layer: timings are those of its checks" : "");
	print_families(plan, &sets, out);
	fprintf(out, "\n");
	print_sets(&sets, out);
	print_skipped(plan, out);
	fprintf(out,
		"\n%zu famil%s, %zu cells (%zu skipped), %s%d blocks, %zu trials of %d windows "
		"of %" PRIu64 " ms, about ",
		plan->nr_families, plan->nr_families == 1 ? "y" : "ies", nr_cells,
		nr_cells - nr_trials / (size_t)plan->nr_blocks,
		plan->precision > 0 || plan->budget_ns ? "at most " : "", plan->nr_blocks,
		nr_trials, plan->nr_windows, plan->window_ns / 1000000);
	print_duration(nslab_plan_expected_ns(plan), out);
	fprintf(out, "\n");
}
