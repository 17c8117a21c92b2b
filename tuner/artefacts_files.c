/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * artefacts_files.c: boot parameters with all that they change, a table for a patch of the kernel,
 * and a plan that measures the candidates.
 *
 * Boot parameters act on every cache, so the line never stands without the list of caches that get
 * another order by it, also those that nobody asked about. The table for a patch has one row for
 * each name, since creators of caches do not know with whom the kernel merges them. The plan has a
 * job for each cache with an advice, in the words of `numaslab plan`; its first order is that of
 * now, which makes it the baseline.
 *
 * Left out: how the line gets into the configuration of a boot loader, beyond the usual place.
 */
#include "tuner/artefacts_impl.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- boot parameters ---- */

static void boot_head(FILE *out, const struct nslab_tuner_snapshot *snapshot)
{
	fprintf(out, "# Boot parameters of slab caches, for kernel %s with %d CPU%s.\n",
		*snapshot->release ? snapshot->release : nslab_order_kernel_word(snapshot->kernel),
		snapshot->nr_cpus, snapshot->nr_cpus == 1 ? "" : "s");
}

/* Those words of a command line that set orders; how many. Without a stream they are counted. */
static size_t boot_words(FILE *out, const char *text)
{
	size_t nr = 0;

	for (; *text; text += strcspn(text, " "), text += strspn(text, " ")) {
		const char *name = text + 5; /* behind slab_ or slub_ */

		if (strcspn(text, " ") < 5 ||
		    (strncmp(name, "max_order=", 10) && strncmp(name, "min_order=", 10) &&
		     strncmp(name, "min_objects=", 12)))
			continue;
		if (out)
			fprintf(out, " %.*s", (int)strcspn(text, " "), text);
		nr++;
	}
	return nr;
}

static bool boot_changes(const struct nslab_tuner_group *group)
{
	return group->cache->order != NSLAB_TUNER_UNKNOWN &&
	       group->order_booted != NSLAB_TUNER_UNKNOWN &&
	       group->order_booted != group->cache->order;
}

static void boot_list(FILE *out, const struct nslab_tuner_advice *advice)
{
	size_t nr = 0;

	for (size_t i = 0; i < advice->nr_groups; i++)
		nr += boot_changes(&advice->groups[i]);
	fprintf(out,
		"\n# %zu of %zu caches change, whether or not they were asked about:\n"
		"# size_bytes order objects cache\n",
		nr, advice->nr_groups);
	for (size_t i = 0; i < advice->nr_groups; i++) {
		const struct nslab_tuner_group *group = &advice->groups[i];
		const struct nslab_tuner_cache *cache = group->cache;

		if (!boot_changes(group))
			continue;
		fprintf(out, "# %10u %d -> %d %zu -> %zu ", cache->size, cache->order,
			group->order_booted,
			nslab_order_objects(cache->size, (unsigned)cache->order),
			nslab_order_objects(cache->size, (unsigned)group->order_booted));
		nslab_artefact_names(out, cache);
		fputc('\n', out);
	}
}

void nslab_artefact_boot(FILE *out, const struct nslab_artefacts *a)
{
	const struct nslab_tuner_snapshot *snapshot = a->advice->snapshot;
	const char *now = snapshot->cmdline_slab ? snapshot->cmdline_slab : "";

	boot_head(out, snapshot);
	if (!a->is_booted) {
		fputs("# Nothing to set: no other boot parameters than those of now are advised.\n",
		      out);
		return;
	}
	fputs("# They hold from the next boot on, and for all caches at once.\n", out);
	if (*a->line)
		fprintf(out, "\n%s\n\n# To apply: add it to the kernel's command line", a->line);
	else
		fputs("\n# To apply: leave the kernel its defaults", out);
	fputs(" (Debian: GRUB_CMDLINE_LINUX\n# in /etc/default/grub, then update-grub), and "
	      "boot.\n",
	      out);
	if (boot_words(NULL, now)) {
		fputs("# Take out what is there now:", out);
		boot_words(out, now);
		fputs("\n# Undo: put that back instead, and boot.\n", out);
	} else {
		fputs("# Undo: take it out again, and boot.\n", out);
	}
	if (!isnan(a->advice->now.memory_bytes) && !isnan(a->advice->booted.memory_bytes))
		fprintf(out, "# Slab memory of all caches: %.1f -> %.1f MiB\n",
			a->advice->now.memory_bytes / 1048576,
			a->advice->booted.memory_bytes / 1048576);
	if (*a->advice->oracle)
		fprintf(out, "# In a real kernel: %s\n", a->advice->oracle);
	boot_list(out, a->advice);
}

/* ---- table for a patch ---- */

static void patch_number(FILE *out, int number)
{
	if (number < 0)
		fputs("\t-", out);
	else
		fprintf(out, "\t%d", number);
}

static void patch_row(FILE *out, const char *name, const struct nslab_tuner_cache *cache,
		      const struct nslab_tuner_setting *setting)
{
	fprintf(out, "%s\t%u", name, cache->size);
	patch_number(out, cache->order);
	patch_number(out, setting->order == NSLAB_AUTO ? cache->order : setting->order);
	patch_number(out, cache->sheaf_capacity);
	patch_number(out, setting->sheaf_capacity == NSLAB_AUTO ? cache->sheaf_capacity
								: setting->sheaf_capacity);
	fprintf(out, "\t%s\n", cache->nr_aliases ? cache->folder : "-");
}

static bool patch_changes(const struct nslab_tuner_group *group)
{
	const struct nslab_tuner_setting *setting = nslab_artefact_setting(group);

	return setting &&
	       ((setting->order != NSLAB_AUTO && setting->order != group->cache->order) ||
		(setting->sheaf_capacity != NSLAB_AUTO &&
		 setting->sheaf_capacity != group->cache->sheaf_capacity));
}

void nslab_artefact_patch(FILE *out, const struct nslab_artefacts *a)
{
	size_t nr = 0;

	fputs("# For a patch: what only the kernel's source can give a cache. order: for the\n"
	      "# place that works out orders; sheaf_capacity (6.18 and later): for the arguments\n"
	      "# of kmem_cache_create(). Undo: the columns of now.\n",
	      out);
	for (size_t i = 0; i < a->advice->nr_groups; i++)
		nr += patch_changes(&a->advice->groups[i]);
	if (!nr) {
		fputs("# Nothing to patch: no cache does better with another order.\n", out);
		return;
	}
	fputs("name\tslab_size\torder_now\torder\t"
	      "sheaf_capacity_now\tsheaf_capacity\tmerged_as\n",
	      out);
	for (size_t i = 0; i < a->advice->nr_groups; i++) {
		const struct nslab_tuner_group *group = &a->advice->groups[i];
		const struct nslab_tuner_cache *cache = group->cache;
		const struct nslab_tuner_setting *setting = nslab_artefact_setting(group);

		if (!patch_changes(group))
			continue;
		for (size_t j = 0; j < cache->nr_aliases; j++)
			patch_row(out, cache->aliases[j], cache, setting);
		if (!cache->nr_aliases)
			patch_row(out, cache->name, cache, setting);
	}
}

/* ---- plan ---- */

#define PLAN_SIZE_MIN 8 /* bytes of an object, as the workload takes them */
#define PLAN_SIZE_MAX 65536
#define PLAN_LIVE_MAX 262144 /* objects of a worker: a first look, not the whole machine */

static bool plan_has(const struct nslab_tuner_group *group)
{
	return nslab_artefact_setting(group) && group->cache->size >= PLAN_SIZE_MIN &&
	       group->cache->size <= PLAN_SIZE_MAX;
}

/* Sections are told apart by the number, whatever the name. */
static void plan_section(FILE *out, const char *name, size_t index)
{
	fprintf(out, "\n[%zu-", index);
	for (size_t i = 0; name[i] && i < 24; i++) {
		bool is_plain = (name[i] >= 'a' && name[i] <= 'z') ||
				(name[i] >= 'A' && name[i] <= 'Z') ||
				(name[i] >= '0' && name[i] <= '9');

		fputc(is_plain || name[i] == '-' ? name[i] : '_', out);
	}
	fputs("]\n", out);
}

static int plan_order(const struct nslab_tuner_group *group, size_t index)
{
	int order = group->candidates[index].setting.order;

	return order == NSLAB_AUTO ? group->cache->order : order;
}

/* The order of now first, then those of candidates that no formula ruled out, each once. */
static void plan_orders(FILE *out, const struct nslab_tuner_group *group)
{
	unsigned seen = 1u << plan_order(group, group->now);

	fprintf(out, "order = %d", plan_order(group, group->now));
	for (size_t i = 0; i < group->nr_candidates; i++) {
		int order = plan_order(group, i);

		if (group->candidates[i].fate == NSLAB_TUNER_DOMINATED || order < 0 ||
		    seen & 1u << order)
			continue;
		seen |= 1u << order;
		fprintf(out, ", %d", order);
	}
	fputc('\n', out);
}

static void plan_dimension(FILE *out, const char *key, int now, int then)
{
	if (then == NSLAB_AUTO || then == now)
		return;
	if (now < 0)
		fprintf(out, "%s = auto, %d\n", key, then);
	else
		fprintf(out, "%s = %d, %d\n", key, now, then);
}

static void plan_job(FILE *out, const struct nslab_tuner_group *group, size_t index)
{
	const struct nslab_tuner_setting *setting = nslab_artefact_setting(group);
	const struct nslab_tuner_cache *cache = group->cache;

	plan_section(out, cache->name, index);
	fprintf(out, "workload = churn\nsize = %u\n", cache->size);
	if (cache->live > 0)
		fprintf(out, "live_objects = %" PRId64 "\n",
			cache->live < PLAN_LIVE_MAX ? cache->live : (int64_t)PLAN_LIVE_MAX);
	if (plan_order(group, group->now) >= 0)
		plan_orders(out, group);
	plan_dimension(out, "cpu_partial", cache->cpu_partial, setting->cpu_partial);
	plan_dimension(out, "min_partial", cache->min_partial, setting->min_partial);
	plan_dimension(out, "sheaf_capacity", cache->sheaf_capacity, setting->sheaf_capacity);
}

void nslab_artefact_plan(FILE *out, const struct nslab_artefacts *a)
{
	size_t nr = 0;

	fputs("; numaslab run plan.ini measures candidates against the setting of now.\n", out);
	for (size_t i = 0; i < a->advice->nr_groups; i++)
		nr += plan_has(&a->advice->groups[i]);
	if (!nr) {
		fputs("; Nothing to measure: for no cache another setting is advised.\n", out);
		return;
	}
	fprintf(out, "\n[global]\nlabel = candidates\nallocator = slub\nslub.generation = %s\n",
		nslab_order_kernel_word(a->advice->snapshot->kernel));
	for (size_t i = 0; i < a->advice->nr_groups; i++) {
		if (plan_has(&a->advice->groups[i]))
			plan_job(out, &a->advice->groups[i], i);
	}
}
