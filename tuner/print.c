/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * print.c: the advice as a text of at most 78 columns.
 *
 * One line of figures and one of reasons for each cache whose setting should change; every figure
 * is the change from the setting of now, '-' where nothing is known. Then the boot parameters with
 * the number of caches that they would change, and the notes. Names come from a kernel or a file,
 * so they are printed as plain ASCII (results/text.h).
 *
 * Left out: JSON and files, see artefacts.c.
 */
#include "tuner/tune.h"

#include "results/text.h"
#include "tuner/artefacts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define PRINT_COLUMNS 78
#define PRINT_NAMES   12 /* of caches that a boot line changes, before "and N more" */
#define PRINT_NAME    16 /* columns of a name; a longer one has a line of its own */

static const struct nslab_tuner_candidate *print_now(const struct nslab_tuner_group *group)
{
	return &group->candidates[group->now];
}

static const struct nslab_tuner_candidate *print_advised(const struct nslab_tuner_group *group)
{
	return &group->candidates[group->advised];
}

/* ---- figures of 7 characters ---- */

struct print_text {
	char text[32];
};

static struct print_text print_relative(double now, double then)
{
	struct print_text t = {"-"};

	if (isfinite(now) && isfinite(then) && now > 0 && then < 10 * now)
		snprintf(t.text, sizeof(t.text), "%+.0f%%", 100 * (then / now - 1));
	else if (isfinite(now) && isfinite(then) && now > 0)
		snprintf(t.text, sizeof(t.text), "x%.0f", then / now);
	else if (isfinite(now) && isfinite(then))
		snprintf(t.text, sizeof(t.text), "%+.2g", then - now);
	return t;
}

static struct print_text print_mib(double bytes)
{
	struct print_text t = {"-"};

	if (isfinite(bytes))
		snprintf(t.text, sizeof(t.text), "%+.2f", bytes / (1 << 20));
	return t;
}

static struct print_text print_change(const struct nslab_tuner_change *change)
{
	struct print_text t = {"-"};

	if (isfinite(change->lo) && isfinite(change->hi))
		snprintf(t.text, sizeof(t.text), "%+.1f [%+.1f,%+.1f]",
			 100 * expm1(change->estimate), 100 * expm1(change->lo),
			 100 * expm1(change->hi));
	return t;
}

static struct print_text print_p999(const struct nslab_tuner_change *change)
{
	struct print_text t = {"-"};

	if (isfinite(change->estimate))
		snprintf(t.text, sizeof(t.text), "%+.0f%%", 100 * expm1(change->estimate));
	return t;
}

/* "2>3" for the order, "=" when it stays. */
static struct print_text print_orders(const struct nslab_tuner_group *group)
{
	struct print_text t;
	int now = print_now(group)->setting.order, then = print_advised(group)->setting.order;

	if (now == then)
		snprintf(t.text, sizeof(t.text), "%d", now);
	else
		snprintf(t.text, sizeof(t.text), "%d>%d", now, then);
	return t;
}

static double print_live_mib(const struct nslab_tuner_cache *cache)
{
	return cache->live > 0 ? (double)cache->live * cache->size / (1 << 20) : 0;
}

static const char *print_level(const struct nslab_tuner_group *group)
{
	bool has_order = print_now(group)->setting.order != print_advised(group)->setting.order;
	bool has_more =
		!has_order ||
		print_advised(group)->setting.cpu_partial !=
			print_now(group)->setting.cpu_partial ||
		print_advised(group)->setting.min_partial != print_now(group)->setting.min_partial;

	return has_order ? has_more ? "L1+3" : "L1" : "L3";
}

static void print_name(const struct nslab_tuner_cache *cache, FILE *out)
{
	nslab_text_put(out, cache->name, PRINT_NAME);
	if (strlen(cache->name) > PRINT_NAME)
		fprintf(out, "\n%*s", PRINT_NAME, "");
}

static const char *print_s(size_t nr)
{
	return nr == 1 ? "" : "s";
}

/* A cache that stays as it is: no figure says more than that. */
static void print_same(const struct nslab_tuner_group *group, FILE *out)
{
	print_name(group->cache, out);
	fprintf(out, " %7.2f %-5s %-17s %5s %6s %5s %5s -\n", print_live_mib(group->cache),
		print_orders(group).text, "-", "-", "-", "-", "-");
}

static void print_row(const struct nslab_tuner_group *group, FILE *out)
{
	const struct nslab_tuner_cost *now = &print_now(group)->cost;
	const struct nslab_tuner_cost *then = &print_advised(group)->cost;

	print_name(group->cache, out);
	fprintf(out, " %7.2f %-5s %-17s %5s %6s %5s %5s %s\n", print_live_mib(group->cache),
		print_orders(group).text, print_change(&then->holdout).text,
		print_p999(&then->holdout_p999).text,
		print_mib(then->memory_bytes - now->memory_bytes).text,
		print_relative(now->locks_per_kop, then->locks_per_kop).text,
		print_relative(now->high_pages_per_kop, then->high_pages_per_kop).text,
		print_level(group));
}

static void print_reason(const struct nslab_tuner_group *group, FILE *out)
{
	char setting[96], line[320];

	nslab_tuner_setting_change(&print_now(group)->setting, &print_advised(group)->setting,
				   setting, sizeof(setting));
	snprintf(line, sizeof(line), "%s: %s", setting, group->why);
	nslab_text_fold(out, "   ", line, 4, PRINT_COLUMNS);
}

static void print_head(FILE *out)
{
	fprintf(out, "%-*s %7s %-5s %-17s %5s %6s %5s %5s %s\n", PRINT_NAME, "cache", "live",
		"order", "ns/op, 95%", "p99.9", "memory", "locks", "high", "level");
	fprintf(out, "%-*s %7s %-5s %-17s %5s %6s %5s %5s\n", PRINT_NAME, "", "MiB", "",
		"change, %", "", "MiB", "/kop", "pages");
}

static size_t print_caches(const struct nslab_tuner_advice *advice, bool is_all, FILE *out)
{
	size_t nr = 0, nr_changes = 0;

	for (size_t i = 0; i < advice->nr_groups; i++) {
		const struct nslab_tuner_group *group = &advice->groups[i];
		bool is_change = group->advised != group->now;

		if (!is_change && !is_all)
			continue;
		if (!nr++)
			print_head(out);
		nr_changes += is_change;
		if (!is_change) {
			print_same(group, out);
			continue;
		}
		print_row(group, out);
		print_reason(group, out);
	}
	return nr_changes;
}

/* ---- boot parameters ---- */

static bool print_is_moved(const struct nslab_tuner_group *group)
{
	return group->order_booted >= 0 && group->order_booted != print_now(group)->setting.order;
}

static void print_moved(const struct nslab_tuner_advice *advice, FILE *out)
{
	size_t nr = 0;

	for (size_t i = 0; i < advice->nr_groups; i++) {
		const struct nslab_tuner_group *group = &advice->groups[i];

		if (!print_is_moved(group) || nr++ >= PRINT_NAMES)
			continue;
		fputs("    ", out);
		nslab_text_put(out, group->cache->name, 24);
		fprintf(out, " order %d -> %d\n", print_now(group)->setting.order,
			group->order_booted);
	}
	if (nr > PRINT_NAMES)
		fprintf(out, "    and %zu more; boot.txt lists them all\n", nr - PRINT_NAMES);
}

static int print_boot(const struct nslab_tuner_advice *advice, FILE *out)
{
	struct nslab_err err;
	char line[256];
	double gap = advice->booted.regret;
	int rc;

	fprintf(out, "\nL2, boot parameters (one choice for all caches): ");
	if (!memcmp(&advice->booted.knobs, &advice->now.knobs, sizeof(advice->now.knobs))) {
		fprintf(out, "no change\n");
	} else {
		rc = nslab_tuner_boot_line(advice->snapshot, &advice->booted.knobs, line,
					   sizeof(line), &err);
		if (rc)
			return rc;
		fprintf(out, "%s\n  changes %zu cache%s, slab memory %+.2f MiB\n", line,
			advice->booted.nr_changed, print_s(advice->booted.nr_changed),
			(advice->booted.memory_bytes - advice->now.memory_bytes) / (1 << 20));
		print_moved(advice, out);
	}
	if (isfinite(gap))
		fprintf(out, "  loss by L1 %.2g, by L2 %.2g: what no boot line can reach is %.2g\n",
			advice->loss_ideal, advice->booted.loss, gap);
	if (advice->oracle[0])
		nslab_text_fold(out, "  kernel:", advice->oracle, 10, PRINT_COLUMNS);
	return 0;
}

int nslab_tune_print(const struct nslab_tuner_advice *advice, bool is_all, FILE *out)
{
	const struct nslab_tuner_snapshot *snapshot = advice->snapshot;
	size_t nr_changes;
	int rc;

	nslab_text_fold(out, "Slab settings for", snapshot->source, 18, PRINT_COLUMNS);
	fprintf(out, "%d CPU%s, %d node%s, Linux ", snapshot->nr_cpus,
		snapshot->nr_cpus == 1 ? "" : "s", snapshot->nr_nodes,
		snapshot->nr_nodes == 1 ? "" : "s");
	nslab_text_put(out,
		       snapshot->release[0] ? snapshot->release
					    : nslab_order_kernel_word(snapshot->kernel),
		       0);
	fprintf(out, "\n%zu cache%s, objective %s, %s\n\n", advice->nr_groups,
		print_s(advice->nr_groups), nslab_tuner_objective_word(advice->objective),
		advice->is_measured ? "measured, held out" : "by counts and formulas");
	nr_changes = print_caches(advice, is_all, out);
	if (!nr_changes)
		fprintf(out, "%sNo cache should change.\n", is_all ? "\n" : "");
	else
		fprintf(out,
			"\n%zu of %zu cache%s should change. L1: a patched kernel or the "
			"cache's owner sets\nthe order; L3: sysfs, at run time. Figures are "
			"changes from now.\n",
			nr_changes, advice->nr_groups, print_s(advice->nr_groups));
	rc = print_boot(advice, out);
	for (size_t i = 0; i < advice->nr_notes; i++)
		nslab_text_fold(out, "note:", advice->notes[i], 6, PRINT_COLUMNS);
	return rc ? rc : ferror(out) ? -EIO : 0;
}
