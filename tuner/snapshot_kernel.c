// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot_kernel.c: whose rules hold for a snapshot, and what follows from them.
 *
 * The release names the rules (runner/slab_rules.c); 7.0 has the order rule of 6.18, so orders can
 * be advised there, while its per-CPU layer is another one, which is said. Of the kernel's command
 * line only the words about slabs are kept, in their order, since the later one may pull the
 * earlier one along. What a cache does not tell is computed: the kernel set it by the same rule
 * when the cache was made. Where it does tell, the rule is held against it, and a disagreement is
 * said, because then some word about the machine is wrong. Left out: debug_guardpage_minorder=,
 * SLUB_TINY.
 */
#define _GNU_SOURCE
#include "runner/slab_rules.h"
#include "tuner/snapshot_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- the release ---- */

static bool kernel_is_7_0(const char *release)
{
	return !strncmp(release, "7.0", 3) && (!release[3] || strchr(".-+", release[3]));
}

static int kernel_parse(struct nslab_tuner_snapshot *s, const char *release,
			enum nslab_order_kernel *kernel, struct nslab_err *err)
{
	if (!kernel_is_7_0(release))
		return nslab_slab_kernel_parse(release, kernel, err);
	*kernel = NSLAB_ORDER_6_18;
	nslab_tuner_snapshot_note(s, "Linux 7.0 has the order rule of 6.18; its cpu_partial does "
				     "nothing, so that advice is on orders and min_partial only");
	for (size_t i = 0; i < s->nr_caches; i++)
		s->caches[i].cpu_partial = NSLAB_TUNER_UNKNOWN;
	return 0;
}

static int kernel_unknown(const struct nslab_tuner_snapshot *s, struct nslab_err *err)
{
	if (!*s->release)
		return nslab_fail(err, -EINVAL,
				  "'%s' does not tell its kernel; give --kernel VERSION",
				  s->source);
	return nslab_fail(
		err, -EINVAL,
		"'%s': the rules of kernel '%.64s' are not known; give --kernel 6.1, 6.12 "
		"or 6.18, whichever it is nearest to",
		s->source, s->release);
}

static int kernel_take_given(struct nslab_tuner_snapshot *s, const char *given,
			     enum nslab_order_kernel said, struct nslab_err *err)
{
	s->kernel = said;
	if (!*s->release)
		return nslab_tuner_snapshot_text(&s->release, given)
			       ? nslab_fail(err, -ENOMEM, "out of memory")
			       : 0;
	nslab_tuner_snapshot_note(s,
				  "the rules of Linux %.64s are not known: those of %s are taken, "
				  "as --kernel said",
				  s->release, nslab_order_kernel_word(said));
	return 0;
}

/* The release decides when its rules are known, else the rules that a file tells, else the user. */
static int kernel_find(struct nslab_tuner_snapshot *s, const char *given, struct nslab_err *err)
{
	enum nslab_order_kernel said = NSLAB_NR_ORDER_KERNELS;
	struct nslab_err ignored;
	int rc = given ? kernel_parse(s, given, &said, err) : 0;

	if (rc)
		return nslab_fail_in(err, rc, "option '--kernel'");
	if (*s->release)
		kernel_parse(s, s->release, &s->kernel, &ignored);
	if (s->kernel == NSLAB_NR_ORDER_KERNELS)
		return given ? kernel_take_given(s, given, said, err) : kernel_unknown(s, err);
	if (given && said != s->kernel)
		return nslab_fail(err, -EINVAL,
				  "'%s' tells of Linux %.64s, whose rules are those of %s, "
				  "'--kernel' says %.64s; leave the option out",
				  s->source, s->release, nslab_order_kernel_word(s->kernel), given);
	return 0;
}

/* ---- the command line ---- */

static bool cmdline_is_kept(const char *word)
{
	if (strncmp(word, "slab_", 5) != 0 && strncmp(word, "slub_", 5) != 0)
		return false;
	for (; *word; word++) {
		if (*word < ' ' || *word > '~' || *word == '"')
			return false;
	}
	return true;
}

int nslab_tuner_snapshot_cmdline(struct nslab_tuner_snapshot *snapshot, const char *cmdline)
{
	char *copy = strdup(cmdline), *kept = calloc(1, strlen(cmdline) + 2);
	char *rest = copy, *end = kept;
	int rc = -ENOMEM;

	if (!copy || !kept)
		goto out_free;
	for (char *word; (word = strsep(&rest, " \t\n"));) {
		if (!strcmp(word, "--")) /* the rest is for init */
			break;
		if (!cmdline_is_kept(word))
			continue;
		if (end != kept)
			*end++ = ' ';
		end = stpcpy(end, word);
	}
	rc = nslab_tuner_snapshot_text(&snapshot->cmdline_slab, kept);
out_free:
	free(copy);
	free(kept);
	return rc;
}

static void cmdline_word(struct nslab_tuner_snapshot *s, const char *word)
{
	static const char *const knobs[] = {"min_order", "max_order", "min_objects"};
	const char *value = strchr(word, '=');
	size_t length = value ? (size_t)(value - word) - 5 : 0, knob = 0;
	unsigned long number;

	while (knob < 3 &&
	       (strlen(knobs[knob]) != length || strncmp(word + 5, knobs[knob], length)))
		knob++;
	if (!value || knob == 3 || value[1] < '0' || value[1] > '9')
		return;
	if (s->kernel == NSLAB_ORDER_6_1 && word[2] == 'a') {
		nslab_tuner_snapshot_note(s,
					  "boot parameter '%.64s' has no effect: this kernel "
					  "knows slub_%s",
					  word, knobs[knob]);
		return;
	}
	number = strtoul(value + 1, NULL, 0);
	if (knob == 0)
		nslab_order_set_min(s->kernel, &s->knobs,
				    number < NSLAB_MAX_ORDER ? (unsigned)number : NSLAB_MAX_ORDER);
	else if (knob == 1)
		nslab_order_set_max(s->kernel, &s->knobs,
				    number < NSLAB_MAX_ORDER ? (unsigned)number : NSLAB_MAX_ORDER);
	else
		s->knobs.min_objects = number < NSLAB_ORDER_OBJECTS_MAX ? (unsigned)number
									: NSLAB_ORDER_OBJECTS_MAX;
}

static int cmdline_knobs(struct nslab_tuner_snapshot *s, struct nslab_err *err)
{
	char *copy = strdup(s->cmdline_slab), *rest = copy;

	if (!copy)
		return nslab_fail(err, -ENOMEM, "out of memory");
	for (char *word; (word = strsep(&rest, " "));) {
		if (strlen(word) > 5)
			cmdline_word(s, word);
	}
	free(copy);
	return 0;
}

/* ---- what follows ---- */

static bool rules_fill_one(int *value, int by_rule)
{
	if (*value != NSLAB_TUNER_UNKNOWN)
		return false;
	*value = by_rule;
	return true;
}

/* The order of a cache that does not tell it: by the objects of a slab, else by the rule. */
static int rules_order(const struct nslab_tuner_snapshot *s, const struct nslab_tuner_cache *cache)
{
	int by_rule = nslab_order_by_kernel(s->kernel, cache->size, &s->knobs, s->nr_cpus);

	for (int order = 0; cache->objects > 0 && order <= NSLAB_MAX_ORDER; order++) {
		if (nslab_order_objects(cache->size, (unsigned)order) == (size_t)cache->objects)
			return order;
	}
	return by_rule;
}

static int rules_fill(struct nslab_tuner_snapshot *s, struct nslab_tuner_cache *cache,
		      size_t *nr_filled, struct nslab_err *err)
{
	unsigned values[NSLAB_NR_SLAB_RULES];
	const struct nslab_slab_rules rules = {s->kernel, s->knobs, s->nr_cpus};
	int rc = nslab_slab_predict(&rules, cache->size, cache->is_debug, values, err);
	bool is_filled;

	if (rc)
		return nslab_fail_in(err, rc, "'%s': cache '%s'", s->source, cache->name);
	is_filled = rules_fill_one(&cache->order, rules_order(s, cache));
	is_filled |= rules_fill_one(&cache->min_partial, (int)values[NSLAB_SLAB_MIN_PARTIAL]);
	if (!kernel_is_7_0(s->release))
		is_filled |=
			rules_fill_one(&cache->cpu_partial, (int)values[NSLAB_SLAB_CPU_PARTIAL]);
	if (cache->objects == NSLAB_TUNER_UNKNOWN)
		cache->objects = (int)nslab_order_objects(cache->size, (unsigned)cache->order);
	if (s->kernel != NSLAB_ORDER_6_18 && cache->sheaf_capacity == NSLAB_TUNER_UNKNOWN)
		cache->sheaf_capacity = 0; /* no such kernel has sheaves */
	*nr_filled += is_filled;
	rc = nslab_tuner_snapshot_check(cache, err);
	return rc ? nslab_fail_in(err, rc, "'%s'", s->source) : 0;
}

/* Counts that change while they are read one after another must still fit each other. */
static void rules_settle(struct nslab_tuner_cache *cache)
{
	if (cache->total != NSLAB_TUNER_UNKNOWN && cache->live > cache->total)
		cache->total = cache->live;
	if (cache->nr_slabs != NSLAB_TUNER_UNKNOWN && cache->nr_partial > cache->nr_slabs)
		cache->nr_slabs = cache->nr_partial;
}

static void rules_compare(struct nslab_tuner_snapshot *s)
{
	const struct nslab_tuner_cache *first = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < s->nr_caches; i++) {
		const struct nslab_tuner_cache *cache = &s->caches[i];

		if (nslab_order_by_kernel(s->kernel, cache->size, &s->knobs, s->nr_cpus) ==
		    cache->order)
			continue;
		first = first ? first : cache;
		nr++;
	}
	if (nr)
		nslab_tuner_snapshot_note(
			s,
			"%zu of %zu caches have another order than the rules of Linux %s give for "
			"%d CPUs, '%.64s' the first of them: %d, not %d; are kernel, CPUs and boot "
			"parameters right?",
			nr, s->nr_caches, nslab_order_kernel_word(s->kernel), s->nr_cpus,
			first->name, first->order,
			nslab_order_by_kernel(s->kernel, first->size, &s->knobs, s->nr_cpus));
}

int nslab_tuner_snapshot_rules(struct nslab_tuner_snapshot *snapshot,
			       const struct nslab_tuner_given *given, struct nslab_err *err)
{
	size_t nr_filled = 0;
	int rc = kernel_find(snapshot, given ? given->kernel : NULL, err);

	if (!rc)
		rc = cmdline_knobs(snapshot, err);
	for (size_t i = 0; !rc && i < snapshot->nr_caches; i++) {
		rules_settle(&snapshot->caches[i]);
		rc = rules_fill(snapshot, &snapshot->caches[i], &nr_filled, err);
	}
	if (rc)
		return rc;
	if (nr_filled)
		nslab_tuner_snapshot_note(snapshot,
					  "order, min_partial or cpu_partial of %zu caches are not "
					  "told: computed by the rules of Linux %s",
					  nr_filled, nslab_order_kernel_word(snapshot->kernel));
	rules_compare(snapshot);
	return 0;
}
