/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check_oracle.c: artefacts and oracle against real kernels.
 *
 *	check_oracle CACHE advice SERIES MAX_ORDER	what an advice writes, tried in a guest
 *	check_oracle CACHE many SERIES CPUS		2 CPUs stand for many, which are booted too
 *
 * The machine is one whose caches a kernel of that series showed when it was recorded
 * (tests/data/kernels, 16 CPUs). `advice` advises boot parameters and settings of sysfs for it,
 * writes the artefacts, and has the oracle boot the line and run both scripts with 2 CPUs: every
 * order must be the advised one, every value must be set and restored. `many` boots the machine's
 * own number of CPUs and compares each cache with what 2 CPUs and slab_min_objects give. Status 77
 * with the reason where no guest can be booted.
 */
#define _GNU_SOURCE
#include "tests/support/make_advice.h"
#include "tests/support/make_snapshot.h"
#include "tuner/artefacts.h"
#include "tuner/oracle.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MACHINE_CPUS 16

static int nr_failed;

__attribute__((format(printf, 2, 3))) static void expect(bool is_right, const char *format, ...)
{
	va_list args;

	if (is_right)
		return;
	nr_failed++;
	printf("FAILED: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

static struct nslab_tuner_snapshot *machine(const char *series)
{
	struct nslab_tuner_snapshot *snapshot;
	char path[512];

	snapshot = make_snapshot(strcmp(series, "6.1") ? NSLAB_ORDER_6_12 : NSLAB_ORDER_6_1,
				 MACHINE_CPUS, 2);
	free(snapshot->release);
	snapshot->release = strdup(series);
	snprintf(path, sizeof(path), "%s/kernels/%s-%dcpu.tsv", TEST_DATA, series, MACHINE_CPUS);
	expect(make_advice_caches(snapshot, path) > 100, "'%s' has too few caches", path);
	return snapshot;
}

static void ask(const struct nslab_tuner_snapshot *snapshot, const struct nslab_order_knobs *knobs,
		const struct nslab_tuner_oracle_options *options,
		struct nslab_tuner_oracle_result *result)
{
	struct nslab_err err = {""};
	int rc = nslab_tuner_oracle(snapshot, knobs, options, result, &err);

	if (rc == -ENOTSUP) {
		printf("skip: %s\n", err.text);
		exit(77);
	}
	expect(!rc, "the oracle: %s", err.text);
	printf("%s, %d CPUs, '%s': %s; %zu checked, %zu moved, %zu apart, %.1f s\n",
	       result->release, result->nr_cpus, result->command_line, result->verdict,
	       result->nr_checked, result->nr_moved, result->nr_apart,
	       (double)result->wall_ns / 1e9);
	expect(result->is_confirmed && !strcmp(result->verdict, "confirmed"), "not confirmed");
	expect(result->nr_checked > 100 && !result->nr_wrong, "%zu of %zu caches are wrong",
	       result->nr_wrong, result->nr_checked);
}

static const struct nslab_tuner_oracle_cache *find(const struct nslab_tuner_oracle_result *result,
						   const char *name)
{
	for (size_t i = 0; i < result->nr_caches; i++) {
		if (!strcmp(result->caches[i].name, name))
			return &result->caches[i];
	}
	return NULL;
}

/* ---- advice ---- */

#define NR_SET 5 /* values that the advice changes by sysfs */

static struct nslab_tuner_advice *advise(const struct nslab_tuner_snapshot *snapshot,
					 unsigned max_order)
{
	struct nslab_tuner_advice *advice = make_advice(snapshot);
	const int none = NSLAB_AUTO;

	make_advice_boot(advice, (struct nslab_order_knobs){0, max_order, 0});
	make_advice_setting(advice, "dentry", (struct nslab_tuner_setting){none, 240, 10, none});
	make_advice_setting(advice, ":0000192", (struct nslab_tuner_setting){none, 60, 7, none});
	make_advice_setting(advice, "shmem_inode_cache",
			    (struct nslab_tuner_setting){none, 0, none, none});
	/* of a module that no guest has: the script skips it there */
	make_advice_setting(advice, "of a module",
			    (struct nslab_tuner_setting){none, 8, none, none});
	return advice;
}

static void check_orders(const struct nslab_tuner_advice *advice,
			 const struct nslab_tuner_oracle_result *result)
{
	size_t nr = 0;

	for (size_t i = 0; i < advice->nr_groups; i++) {
		const struct nslab_tuner_group *group = &advice->groups[i];
		const struct nslab_tuner_oracle_cache *cache = find(result, group->cache->folder);

		if (!cache || cache->size != group->cache->size)
			continue;
		nr++;
		expect(cache->order_guest == group->order_booted, "%s: order %d, advised %d",
		       cache->name, cache->order_guest, group->order_booted);
	}
	expect(nr > 100, "only %zu caches of the machine are in the guest", nr);
}

static void try_advice(struct nslab_tuner_advice *advice, const char *cache, const char *folder)
{
	struct nslab_tuner_oracle_options options = {.cache_folder = cache};
	struct nslab_tuner_oracle_result result;
	char apply[128], undo[128], wanted[64];
	struct nslab_err err = {""};

	expect(!nslab_tuner_artefacts(advice, folder, &err), "%s", err.text);
	snprintf(apply, sizeof(apply), "%s/sysfs-apply.sh", folder);
	snprintf(undo, sizeof(undo), "%s/sysfs-undo.sh", folder);
	options.sysfs_script = apply;
	options.sysfs_undo = undo;
	ask(advice->snapshot, &advice->booted.knobs, &options, &result);
	expect(result.stand_in == nslab_order_min_objects(MACHINE_CPUS), "%u objects stand in",
	       result.stand_in);
	check_orders(advice, &result);
	snprintf(wanted, sizeof(wanted), "%d values set, read back, and restored", NR_SET);
	printf("sysfs: %s\n", result.sysfs);
	expect(result.is_sysfs_undone && !strcmp(result.sysfs, wanted), "wanted: %s", wanted);
	nslab_tuner_oracle_free(&result);
}

static void check_advice(const char *cache, const char *series, unsigned max_order)
{
	struct nslab_tuner_snapshot *snapshot = machine(series);
	char folder[] = "/tmp/numaslab-check-oracle-XXXXXX", command[64];
	struct nslab_tuner_advice *advice;

	make_snapshot_cache(snapshot, "of a module", 320, 10);
	advice = advise(snapshot, max_order);
	if (mkdtemp(folder))
		try_advice(advice, cache, folder);
	else
		expect(false, "cannot make a folder");
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	expect(!system(command), "cannot remove '%s'", folder);
}

/* ---- many CPUs ---- */

static void check_many(const char *cache, const char *series, int nr_cpus)
{
	struct nslab_tuner_oracle_options few = {.cache_folder = cache};
	struct nslab_tuner_oracle_options many = {.cache_folder = cache, .nr_cpus = nr_cpus};
	const struct nslab_order_knobs knobs = {0, 4, 0};
	struct nslab_tuner_oracle_result a, b;
	struct nslab_tuner_snapshot *snapshot = machine(series);
	size_t nr = 0;

	ask(snapshot, &knobs, &few, &a);
	ask(snapshot, &knobs, &many, &b);
	expect(a.nr_cpus == 2 && a.stand_in, "nothing stands in for %d CPUs", nr_cpus);
	expect(b.nr_cpus == nr_cpus && !b.stand_in, "%u stands in for itself", b.stand_in);
	for (size_t i = 0; i < a.nr_caches; i++) {
		const struct nslab_tuner_oracle_cache *one = &a.caches[i];
		const struct nslab_tuner_oracle_cache *other = find(&b, one->name);

		if (!other || (other->size != one->size && one->depends_on_machine))
			continue;
		nr++;
		expect(one->size == other->size && one->order_guest == other->order_guest &&
			       one->objects_guest == other->objects_guest,
		       "%s: %u bytes, order %d with 2 CPUs; %u, %d with %d", one->name, one->size,
		       one->order_guest, other->size, other->order_guest, nr_cpus);
	}
	expect(nr > 100, "only %zu caches are in both guests", nr);
	printf("%zu caches are the same with 2 and with %d CPUs\n", nr, nr_cpus);
	nslab_tuner_oracle_free(&a);
	nslab_tuner_oracle_free(&b);
	make_snapshot_free(snapshot);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[2], "advice")) {
		check_advice(argv[1], argv[3], (unsigned)atoi(argv[4]));
	} else if (argc == 5 && !strcmp(argv[2], "many")) {
		check_many(argv[1], argv[3], atoi(argv[4]));
	} else {
		fprintf(stderr, "usage: check_oracle CACHE advice|many SERIES N\n");
		return 2;
	}
	return nr_failed > 0;
}
