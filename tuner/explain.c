/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain.c: the whole reasoning for one cache, on a page.
 *
 * It goes the tuner's own way: what the cache is, what the kernel's rule makes of it and why, what
 * else was possible and what each costs by formula and by count, who was dropped for what, what the
 * race and the hold-out said, and what follows on each of the three levels. Every figure is one
 * that the decision was made from.
 *
 * Left out: other caches, except through the boot parameters, which act on all.
 */
#include "tuner/tune.h"

#include "results/text.h"
#include "tuner/artefacts.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXPLAIN_COLUMNS 78

static const char *explain_number(double value, int decimals, char *text, size_t text_bytes)
{
	if (!isfinite(value))
		return "-";
	snprintf(text, text_bytes, "%.*f", decimals, value);
	return text;
}

/* ---- what it is ---- */

static void explain_cache(const struct nslab_tuner_advice *advice,
			  const struct nslab_tuner_cache *cache, FILE *out)
{
	const struct nslab_tuner_snapshot *s = advice->snapshot;

	nslab_text_put(out, cache->name, 0);
	fprintf(out, ": objects of %u bytes, %u bytes from one to the next", cache->object_size,
		cache->size);
	if (cache->live >= 0)
		fprintf(out, ", %lld live (%.2f MiB)", (long long)cache->live,
			(double)cache->live * cache->size / (1 << 20));
	fputc('\n', out);
	if (cache->nr_aliases > 1) {
		fprintf(out, "merged by the kernel, set together:");
		for (size_t i = 0; i < cache->nr_aliases && i < 8; i++) {
			fputs(i ? ", " : " ", out);
			nslab_text_put(out, cache->aliases[i], 0);
		}
		fprintf(out, "%s\n", cache->nr_aliases > 8 ? ", ..." : "");
	}
	if (isfinite(cache->allocs_per_s))
		fprintf(out, "%.0f allocations and %.0f frees a second", cache->allocs_per_s,
			cache->frees_per_s);
	else
		fprintf(out, "how often it allocates is not known (record a trace to know)");
	if (isfinite(cache->remote_share))
		fprintf(out, "; %.1f%% of frees on another CPU", 100 * cache->remote_share);
	fprintf(out, "\n%d CPU%s, %d node%s, rules of Linux %s\n", s->nr_cpus,
		s->nr_cpus == 1 ? "" : "s", s->nr_nodes, s->nr_nodes == 1 ? "" : "s",
		nslab_order_kernel_word(s->kernel));
}

/* ---- what the kernel's rule does ---- */

static void explain_rule(const struct nslab_tuner_advice *advice,
			 const struct nslab_tuner_cache *cache, FILE *out)
{
	const struct nslab_tuner_snapshot *s = advice->snapshot;
	const struct nslab_order_knobs *knobs = &s->knobs;
	unsigned wanted = (unsigned)nslab_order_wanted(cache->size, knobs, s->nr_cpus);
	int order = nslab_order_by_kernel(s->kernel, cache->size, knobs, s->nr_cpus);

	fprintf(out, "\nThe rule\n");
	fprintf(out, "  wanted objects a slab: %u", wanted);
	if (!knobs->min_objects)
		fprintf(out, "  (4 x (fls(%d CPUs) + 1) = %u, at most what order %u holds)",
			s->nr_cpus, nslab_order_min_objects(s->nr_cpus), knobs->max_order);
	fprintf(out,
		"\n  smallest order from %u to %u that holds them and leaves 1/16 or less, "
		"else 1/8,\n  1/4, 1/2: order %d\n",
		nslab_order_max(knobs->min_order,
				nslab_order_of((wanted ? wanted : 1) * cache->size)),
		knobs->max_order, order);
	if (cache->order >= 0 && cache->order != order)
		fprintf(out,
			"  the machine says order %d: whoever made the cache, or the boot, "
			"decided otherwise\n",
			cache->order);
	for (unsigned o = 0; o <= NSLAB_TUNER_MAX_ORDER; o++) {
		size_t bytes = nslab_order_bytes(o), nr = bytes / cache->size;

		if (nr)
			fprintf(out,
				"    order %u: %6zu bytes, %4zu objects, tail %5zu bytes "
				"(%.1f%%)%s\n",
				o, bytes, nr, bytes % cache->size,
				100.0 * (double)(bytes % cache->size) / (double)bytes,
				(int)o == cache->order ? "  <- now" : "");
	}
}

/* ---- candidates ---- */

static void explain_candidate(const struct nslab_tuner_group *group, size_t number, FILE *out)
{
	const struct nslab_tuner_candidate *c = &group->candidates[number];
	const struct nslab_tuner_cost *k = &c->cost;
	char setting[96], a[16], b[16], d[16], e[16], f[16], line[256];

	nslab_tuner_setting_text(&c->setting, setting, sizeof(setting));
	fprintf(out, "%c ", number == group->advised ? '>' : ' ');
	nslab_text_put(out, setting, 30);
	fprintf(out, " %8s %7s %7s %7s %7s\n",
		explain_number(k->memory_bytes / (1 << 20), 2, a, sizeof(a)),
		explain_number(k->locks_per_kop, 2, b, sizeof(b)),
		explain_number(k->worst_locks_per_kop, 2, d, sizeof(d)),
		explain_number(k->remote_frees_per_kop, 1, e, sizeof(e)),
		explain_number(k->high_pages_per_kop, 1, f, sizeof(f)));
	snprintf(line, sizeof(line), "%s%s%s%s", number == group->now ? "now; " : "",
		 nslab_tuner_fate_word(c->fate), c->why[0] ? ": " : "", c->why);
	nslab_text_fold(out, "     ", line, 6, EXPLAIN_COLUMNS);
}

static void explain_candidates(const struct nslab_tuner_group *group, FILE *out)
{
	fprintf(out, "\nWhat else is possible, counted by replay on the kernel's model\n");
	fprintf(out, "  %-30s %8s %7s %7s %7s %7s\n", "", "memory", "locks", "worst", "remote",
		"high");
	fprintf(out, "  %-30s %8s %7s %7s %7s %7s\n", "setting", "MiB", "/kop", "locks", "frees",
		"pages");
	for (size_t i = 0; i < group->nr_candidates; i++)
		explain_candidate(group, i, out);
	fprintf(out, "  worst: over 1, half and all CPUs, and with 0, 10 and 50%% of large blocks "
		     "refused\n");
}

/* ---- by the clock ---- */

static void explain_change(const char *what, const struct nslab_tuner_change *change, FILE *out)
{
	if (!isfinite(change->lo))
		return;
	fprintf(out, "    %-14s %+6.2f%%  95%% interval [%+.2f%%, %+.2f%%], n = %zu blocks\n", what,
		100 * expm1(change->estimate), 100 * expm1(change->lo), 100 * expm1(change->hi),
		change->n);
}

static void explain_measured(const struct nslab_tuner_advice *advice,
			     const struct nslab_tuner_group *group, FILE *out)
{
	size_t nr = 0;

	fprintf(out, "\nBy the clock, against the setting of now (model, not kernel)\n");
	for (size_t i = 0; i < group->nr_candidates; i++) {
		const struct nslab_tuner_candidate *c = &group->candidates[i];
		char setting[96];

		if (!isfinite(c->cost.race.estimate) && !isfinite(c->cost.holdout.estimate))
			continue;
		nr++;
		nslab_tuner_setting_text(&c->setting, setting, sizeof(setting));
		fprintf(out, "  %s\n", setting);
		explain_change("race", &c->cost.race, out);
		explain_change("hold-out", &c->cost.holdout, out);
		explain_change("p99.9", &c->cost.holdout_p999, out);
	}
	if (!nr)
		fprintf(out, "  %s\n",
			advice->is_measured ? "nothing of this cache was measured"
					    : "not asked for (--no-measure)");
}

/* ---- what follows ---- */

static int explain_levels(const struct nslab_tuner_advice *advice,
			  const struct nslab_tuner_group *group, FILE *out)
{
	const struct nslab_tuner_setting *now = &group->candidates[group->now].setting;
	char setting[96], line[320], boot[256];
	struct nslab_err err;
	int rc = nslab_tuner_boot_line(advice->snapshot, &advice->booted.knobs, boot, sizeof(boot),
				       &err);

	if (rc)
		return rc;
	nslab_tuner_setting_text(&group->candidates[group->advised].setting, setting,
				 sizeof(setting));
	snprintf(line, sizeof(line), "%s%s%s", group->advised == group->now ? "no change" : setting,
		 group->why[0] ? ": " : "", group->why);
	fprintf(out, "\nWhat follows\n");
	nslab_text_fold(out, "  L1, by itself ", line, 17, EXPLAIN_COLUMNS);
	if (group->order_booted == now->order)
		snprintf(line, sizeof(line), "stays at order %d under the best boot line%s%s",
			 now->order, boot[0] ? ", " : "", boot);
	else
		snprintf(line, sizeof(line), "order %d -> %d with %s, which changes %zu caches",
			 now->order, group->order_booted, boot, advice->booted.nr_changed);
	nslab_text_fold(out, "  L2, by boot   ", line, 17, EXPLAIN_COLUMNS);
	snprintf(line, sizeof(line),
		 "/sys/kernel/slab/%s/: the order cannot be set there since "
		 "5.9; min_partial can, cpu_partial up to 6.19",
		 group->cache->folder ? group->cache->folder : group->cache->name);
	nslab_text_fold(out, "  L3, by sysfs  ", line, 17, EXPLAIN_COLUMNS);
	if (advice->oracle[0])
		nslab_text_fold(out, "  kernel        ", advice->oracle, 17, EXPLAIN_COLUMNS);
	return 0;
}

int nslab_tune_unknown(const struct nslab_tuner_snapshot *snapshot, const char *name,
		       struct nslab_err *err)
{
	const char **names = calloc(snapshot->nr_caches + 1, sizeof(*names));
	const char *nearest = NULL;
	int rc;

	for (size_t i = 0; names && i < snapshot->nr_caches; i++)
		names[i] = snapshot->caches[i].name;
	if (names)
		nearest = nslab_nearest(name, names, snapshot->nr_caches);
	rc = nslab_fail(err, -EINVAL, "'%s' is no cache of %s%s%s%s", name, snapshot->source,
			nearest ? "; did you mean '" : "", nearest ? nearest : "",
			nearest ? "'?" : "");
	free(names);
	return rc;
}

int nslab_tune_explain(const struct nslab_tuner_advice *advice, const char *cache, FILE *out,
		       struct nslab_err *err)
{
	const struct nslab_tuner_cache *found = nslab_tuner_snapshot_find(advice->snapshot, cache);
	const struct nslab_tuner_group *group = NULL;
	int rc;

	for (size_t i = 0; found && i < advice->nr_groups; i++) {
		if (advice->groups[i].cache == found)
			group = &advice->groups[i];
	}
	if (!group)
		return nslab_tune_unknown(advice->snapshot, cache, err);
	explain_cache(advice, found, out);
	explain_rule(advice, found, out);
	explain_candidates(group, out);
	explain_measured(advice, group, out);
	rc = explain_levels(advice, group, out);
	return rc ? rc : ferror(out) ? nslab_fail(err, -EIO, "cannot print: output error") : 0;
}
