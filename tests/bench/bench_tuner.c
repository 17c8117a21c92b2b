// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_tuner.c: what the tuner's search takes for all caches of a machine.
 *
 * usage: bench_tuner TABLE [KERNEL_INDEX [boot]]. All caches of a table of sysfs attributes, as if
 * the machine had 64 CPUs, go through candidates, pruning, choice and boot parameters; each step's
 * wall time is printed, the choice's for budgets from loose to tight. Counts are made up, so that
 * the choice has work to do. With `boot` nothing is chosen, for callgrind has no time for that; the
 * regret is then against now. Timings are not a test.
 */
#include "core/clock.h"
#include "core/rng.h"
#include "tests/support/make_snapshot.h"
#include "tuner/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* More objects: fewer locks; nothing is exactly proportional. */
static void bench_counts(struct nslab_tuner_advice *advice)
{
	uint64_t seed = 1;

	for (size_t i = 0; i < advice->nr_groups; i++) {
		struct nslab_tuner_group *group = &advice->groups[i];

		for (size_t j = 0; j < group->nr_candidates; j++) {
			struct nslab_tuner_candidate *candidate = &group->candidates[j];
			double noise = 0.9 + 0.2 * (nslab_rng_below(&seed, 1000) / 1000.0);
			int order = candidate->setting.order;
			double objects =
				(double)nslab_order_objects(group->cache->size, (unsigned)order);

			candidate->cost.locks_per_kop = 200 * noise / fmax(objects, 1);
			candidate->cost.slab_allocs_per_kop = 50 * noise / fmax(objects, 1);
			candidate->cost.high_pages_per_kop =
				order ? 50 * noise * (1 << order) / fmax(objects, 1) : 0;
			candidate->cost.memory_bytes *= noise;
		}
	}
}

static uint64_t bench_since(uint64_t *from)
{
	uint64_t now = nslab_now_ns(&nslab_real_clock), took = now - *from;

	*from = now;
	return took;
}

static void bench_choose(struct nslab_tuner_advice *advice)
{
	static const double memory[] = {NAN, 0.05, 0, -0.02, -0.05}, pages[] = {NAN, 5, 0.5, 0};

	for (size_t i = 0; i < sizeof(memory) / sizeof(*memory); i++) {
		for (size_t j = 0; j < sizeof(pages) / sizeof(*pages); j++) {
			uint64_t from = nslab_now_ns(&nslab_real_clock);
			struct nslab_err err;
			int rc;

			advice->budget = (struct nslab_tuner_budget){memory[i], pages[j]};
			rc = nslab_tuner_choose(advice, &err);
			printf("choose memory %+5.0f %% pages %4.1f: %8.2f ms, loss %.6f%s%s\n",
			       100 * memory[i], pages[j], (double)bench_since(&from) / 1e6,
			       rc ? NAN : advice->loss_ideal, rc ? " " : "", rc ? err.text : "");
		}
	}
	advice->budget = (struct nslab_tuner_budget){NAN, NAN};
}

#define BENCH_CHOICES 235
#define BENCH_ITEMS   12

/* The worst that budgets can ask for: items without any order, both budgets tight. */
static void bench_random(double step)
{
	static struct nslab_tuner_item items[BENCH_CHOICES][BENCH_ITEMS];
	static struct nslab_tuner_choice choices[BENCH_CHOICES];
	uint64_t seed = 1, from;
	double loss = 0;
	int rc;

	for (size_t i = 0; i < BENCH_CHOICES; i++) {
		double size = pow(10, -4.0 * (double)i / BENCH_CHOICES);

		for (size_t j = 0; j < BENCH_ITEMS; j++)
			items[i][j] = (struct nslab_tuner_item){
				size * nslab_rng_below(&seed, 10000) * 1e-4,
				ceil(size * nslab_rng_below(&seed, 10000) / step) * step,
				ceil(size * nslab_rng_below(&seed, 10000) / step) * step,
			};
		choices[i] = (struct nslab_tuner_choice){items[i], BENCH_ITEMS, 0};
	}
	from = nslab_now_ns(&nslab_real_clock);
	rc = nslab_tuner_knapsack(choices, BENCH_CHOICES, 8e4, 9e4);
	for (size_t i = 0; i < BENCH_CHOICES; i++)
		loss += items[i][choices[i].chosen].loss;
	printf("random items, steps of %g: %.2f ms, %d, loss %.9f\n", step,
	       (double)bench_since(&from) / 1e6, rc, loss);
}

int main(int argc, char **argv)
{
	struct nslab_tuner_snapshot *snapshot;
	struct nslab_tuner_advice *advice;
	bool is_boot_alone = argc > 3;
	struct nslab_err err;
	uint64_t from;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2)
		return 2;
	snapshot = make_snapshot(
		argc > 2 ? (enum nslab_order_kernel)atoi(argv[2]) : NSLAB_ORDER_6_18, 64, 4);
	if (make_snapshot_table(snapshot, argv[1]) <= 0)
		return 2;
	from = nslab_now_ns(&nslab_real_clock);
	if (nslab_tuner_candidates(snapshot, &advice, &err))
		return 1;
	printf("candidates of %zu caches: %.2f ms\n", advice->nr_groups,
	       (double)bench_since(&from) / 1e6);
	bench_counts(advice);
	bench_since(&from);
	for (size_t i = 0; i < advice->nr_groups; i++)
		nslab_tuner_prune(&advice->groups[i]);
	printf("prune: %.2f ms\n", (double)bench_since(&from) / 1e6);
	for (int objective = 0; objective < 3 && !is_boot_alone; objective++) {
		advice->objective = (enum nslab_tuner_objective)objective;
		printf("objective %d\n", objective);
		bench_choose(advice);
	}
	bench_since(&from);
	if (nslab_tuner_boot(advice, &err))
		return 1;
	printf("boot: %.2f ms, loss %.6f, regret %.6f, %zu caches change\n",
	       (double)bench_since(&from) / 1e6, advice->booted.loss, advice->booted.regret,
	       advice->booted.nr_changed);
	nslab_tuner_advice_free(advice);
	make_snapshot_free(snapshot);
	if (!is_boot_alone) {
		bench_random(1e-4);
		bench_random(1e-9);
	}
	return 0;
}
