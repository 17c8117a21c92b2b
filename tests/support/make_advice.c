/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * make_advice.c: advice for the tuner's tests, without the search that leads to one.
 *
 * What is advised for a cache is said by the test; orders under boot parameters follow from the
 * kernel's rule, as they do in the tuner. Costs are NaN throughout, which is what they are before
 * anything was counted. Left out: losses and regrets.
 */
#define _POSIX_C_SOURCE 200809L
#include "tests/support/make_advice.h"

#include "runner/slab_table.h"
#include "tests/support/make_snapshot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *make_advice_must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static struct nslab_tuner_cost make_advice_cost(void)
{
	const struct nslab_tuner_change none = {NAN, NAN, NAN, 0, NAN};

	return (struct nslab_tuner_cost){
		.memory_bytes = NAN,
		.tail_bytes = NAN,
		.padding_bytes = NAN,
		.free_bytes = NAN,
		.queued_bytes = NAN,
		.locks_per_kop = NAN,
		.remote_frees_per_kop = NAN,
		.slow_per_kop = NAN,
		.slab_allocs_per_kop = NAN,
		.high_pages_per_kop = NAN,
		.high_pages_per_s = NAN,
		.scarcity = NAN,
		.fallback_share = NAN,
		.worst_locks_per_kop = NAN,
		.race = none,
		.holdout = none,
		.race_p999 = none,
		.holdout_p999 = none,
	};
}

static struct nslab_tuner_candidate *make_advice_candidate(struct nslab_tuner_group *group,
							   struct nslab_tuner_setting setting)
{
	size_t bytes = (group->nr_candidates + 1) * sizeof(*group->candidates);
	struct nslab_tuner_candidate *candidate;

	group->candidates = make_advice_must(realloc(group->candidates, bytes));
	candidate = &group->candidates[group->nr_candidates++];
	*candidate = (struct nslab_tuner_candidate){.setting = setting, .cost = make_advice_cost()};
	return candidate;
}

struct nslab_tuner_advice *make_advice(const struct nslab_tuner_snapshot *snapshot)
{
	struct nslab_tuner_advice *advice = make_advice_must(calloc(1, sizeof(*advice)));

	advice->snapshot = snapshot;
	advice->budget = (struct nslab_tuner_budget){NAN, NAN};
	advice->nr_groups = snapshot->nr_caches;
	advice->groups = make_advice_must(calloc(advice->nr_groups + 1, sizeof(*advice->groups)));
	advice->loss_ideal = NAN;
	advice->now = (struct nslab_tuner_triple){
		.knobs = snapshot->knobs, .loss = NAN, .regret = NAN, .memory_bytes = NAN};
	for (size_t i = 0; i < advice->nr_groups; i++) {
		const struct nslab_tuner_cache *cache = &snapshot->caches[i];

		advice->groups[i].cache = cache;
		make_advice_candidate(&advice->groups[i],
				      (struct nslab_tuner_setting){cache->order, cache->cpu_partial,
								   cache->min_partial, NSLAB_AUTO});
	}
	make_advice_boot(advice, snapshot->knobs);
	return advice;
}

struct nslab_tuner_candidate *make_advice_setting(struct nslab_tuner_advice *advice,
						  const char *name,
						  struct nslab_tuner_setting setting)
{
	for (size_t i = 0; i < advice->nr_groups; i++) {
		struct nslab_tuner_group *group = &advice->groups[i];

		if (strcmp(group->cache->name, name))
			continue;
		group->advised = group->nr_candidates;
		return make_advice_candidate(group, setting);
	}
	abort();
}

void make_advice_boot(struct nslab_tuner_advice *advice, struct nslab_order_knobs knobs)
{
	const struct nslab_tuner_snapshot *snapshot = advice->snapshot;

	advice->booted = advice->now;
	advice->booted.knobs = knobs;
	advice->booted.nr_changed = 0;
	for (size_t i = 0; i < advice->nr_groups; i++) {
		struct nslab_tuner_group *group = &advice->groups[i];

		group->order_booted = nslab_order_by_kernel(snapshot->kernel, group->cache->size,
							    &knobs, snapshot->nr_cpus);
		advice->booted.nr_changed += group->order_booted != group->cache->order;
	}
}

size_t make_advice_caches(struct nslab_tuner_snapshot *snapshot, const char *path)
{
	struct nslab_slab_table table;
	size_t nr = 0;

	if (!nslab_slab_table_read(path, &table, NULL)) {
		for (size_t i = 0; i < table.nr; i++) {
			const struct nslab_slab_row *row = &table.rows[i];

			if (row->alias_of)
				continue;
			make_snapshot_cache(snapshot, row->name, row->size, 100);
			nr++;
		}
	}
	nslab_slab_table_free(&table);
	return nr;
}

struct nslab_tuner_snapshot *make_advice_machine(enum nslab_order_kernel kernel)
{
	static char first[] = "dentry", second[] = MAKE_ADVICE_QUOTED;
	static char *aliases[] = {first, second};
	struct nslab_tuner_snapshot *snapshot = make_snapshot(kernel, 2, 1);
	struct nslab_tuner_cache *cache = make_snapshot_cache(snapshot, "dentry", 192, 21000);

	free(cache->folder);
	cache->folder = make_advice_must(strdup(":a-0000192"));
	cache->aliases = aliases;
	cache->nr_aliases = 2;
	make_snapshot_cache(snapshot, "ext4_inode_cache", 1128, 117000);
	make_snapshot_cache(snapshot, MAKE_ADVICE_QUOTED, 640, 50);
	make_snapshot_cache(snapshot, "kmalloc-4k", 4096, 900);
	return snapshot;
}

struct nslab_tuner_advice *make_advice_of_machine(const struct nslab_tuner_snapshot *snapshot)
{
	struct nslab_tuner_advice *advice = make_advice(snapshot);
	struct nslab_order_knobs knobs = {0, 4, 0};

	make_advice_boot(advice, knobs);
	make_advice_setting(advice, "dentry", (struct nslab_tuner_setting){0, 240, 10, NSLAB_AUTO});
	make_advice_setting(advice, "ext4_inode_cache",
			    (struct nslab_tuner_setting){3, NSLAB_AUTO, NSLAB_AUTO, NSLAB_AUTO})
		->cost.tail_bytes = 56;
	make_advice_setting(advice, MAKE_ADVICE_QUOTED,
			    (struct nslab_tuner_setting){NSLAB_AUTO, NSLAB_AUTO, 7, 32});
	return advice;
}
