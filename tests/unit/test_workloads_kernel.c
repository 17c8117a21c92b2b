// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_workloads_kernel.c: the workloads that imitate kernel paths do what they say.
 *
 * Over a table that counts, each is held against its pattern: sizes of bulk calls, depth of a
 * burst, who allocates and who frees, what waits for a grace period, what the reserve gives. Each
 * is also run on every entry and with every early allocation failing in turn. What the patterns do
 * to the models of the kernel's allocators is test_workload_shapes.c's business. No test looks at
 * the time.
 */
#define _GNU_SOURCE /* pthread_barrier_t */
#include "workload_trial.h"

extern const struct nslab_plugin nslab_plugin_bulk;
extern const struct nslab_plugin nslab_plugin_kmalloc_mix;
extern const struct nslab_plugin nslab_plugin_mempool;
extern const struct nslab_plugin nslab_plugin_pinning;
extern const struct nslab_plugin nslab_plugin_rcu_free;
extern const struct nslab_plugin nslab_plugin_slab_test;
extern const struct nslab_plugin nslab_plugin_spill;

/* ---- what all have in common ---- */

struct subject {
	const struct nslab_plugin *plugin;
	const char *settings[9];
};

static const struct subject subjects[] = {
	{&nslab_plugin_bulk, {"bulk_objects", "8"}},
	{&nslab_plugin_bulk, {"bulk_objects", "8", "objects", "scattered", "live_objects", "24"}},
	{&nslab_plugin_kmalloc_mix, {"live_objects", "24"}},
	{&nslab_plugin_pinning, {"live_objects", "16", "churn_objects", "8"}},
	{&nslab_plugin_rcu_free, {"batch_objects", "10"}},
	{&nslab_plugin_slab_test, {"objects", "16"}},
	{&nslab_plugin_slab_test, {"phase", "pairs"}},
	{&nslab_plugin_spill, {"burst_objects", "16", "quiet_objects", "8"}},
	{&nslab_plugin_mempool, {"min_nr", "4", "in_flight", "8", "refuse_period", "0"}},
};
#define NR_SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static void kernel_workload_frees_all_on_every_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SUBJECTS; i++) {
		for (int entry = 0; entry <= NSLAB_ENTRY_MALLOC; entry++) {
			struct trial t;

			counting_reset();
			trial_open(&t, subjects[i].plugin, (enum nslab_entry)entry, 1,
				   subjects[i].settings);
			assert_int_equal(trial_join(&t, 0), 0);
			assert_int_equal(trial_batch(&t, 0, 0), 0);
			assert_true(trial_batch(&t, 0, 500) >= 500);
			trial_leave(&t, 0);
			assert_int_equal(trial_close(&t), 0);
			assert_int_equal(atomic_load(&counting.nr_live), 0);
			if (entry == NSLAB_ENTRY_CACHE || entry == NSLAB_ENTRY_KMALLOC)
				assert_true(atomic_load(&counting.nr_allocs) >= 500);
		}
	}
}

/* All but mempool, which goes on. */
static void kernel_workload_tells_when_memory_is_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_SUBJECTS - 1; i++) {
		for (long fail_at = 1; fail_at <= 60; fail_at++) {
			struct trial t;
			int rc;

			counting_reset();
			counting.fail_at = fail_at;
			trial_open(&t, subjects[i].plugin, NSLAB_ENTRY_CACHE, 1,
				   subjects[i].settings);
			rc = trial_join(&t, 0);
			if (rc) {
				assert_int_equal(rc, -ENOMEM);
				assert_int_equal(trial_close(&t), 0);
			} else {
				assert_true(trial_batch(&t, 0, 100) < 100);
				trial_leave(&t, 0);
				assert_int_equal(trial_close(&t), -ENOMEM);
			}
			assert_int_equal(atomic_load(&counting.nr_live), 0);
		}
	}
}

static void refuses(const struct nslab_plugin *plugin, int nr_workers, const char *const *settings)
{
	struct trial t;

	counting_reset();
	assert_int_equal(trial_setup(&t, plugin, NSLAB_ENTRY_CACHE, nr_workers, settings), -EINVAL);
	assert_null(t.w);
}

static void kernel_workload_refuses_parameters_that_contradict(void **state)
{
	static const char *const bulk[] = {
		"objects", "scattered", "bulk_objects", "9", "live_objects", "8", NULL};
	static const char *const mempool[] = {"refuse_period", "8", "refuse_run", "9", NULL};
	static const char *const lonely[][3] = {{"phase", "n_n"}, {"phase", "pairs"}};
	static const char *const many[][3] = {{"phase", "remote_free"}, {"phase", "one_alloc"}};

	(void)state;
	refuses(&nslab_plugin_bulk, 1, bulk);
	refuses(&nslab_plugin_mempool, 1, mempool);
	for (int i = 0; i < 2; i++) {
		refuses(&nslab_plugin_slab_test, 2, lonely[i]);
		refuses(&nslab_plugin_slab_test, 1, many[i]);
	}
}

/* ---- figures ---- */

struct heard {
	struct nslab_figures figures;
	const char *name;
	double value; /* of the figure, or of the point at x */
	double x;
	int nr;
};

static void heard_figure(struct nslab_figures *figures, const char *name, double value,
			 const char *unit)
{
	struct heard *heard = nslab_container_of(figures, struct heard, figures);

	assert_non_null(unit);
	if (strcmp(name, heard->name) == 0) {
		heard->value = value;
		heard->nr++;
	}
}

static void heard_point(struct nslab_figures *figures, const char *series, double x, double y)
{
	struct heard *heard = nslab_container_of(figures, struct heard, figures);

	if (strcmp(series, heard->name) == 0 && x == heard->x) {
		heard->value = y;
		heard->nr++;
	}
}

static double trial_figure_at(struct trial *t, const char *name, double x)
{
	struct heard heard = {.figures = {heard_figure, heard_point}, .name = name, .x = x};

	t->ops->figures(t->w, &heard.figures);
	assert_int_equal(heard.nr, 1);
	return heard.value;
}

static double trial_figure(struct trial *t, const char *name)
{
	return trial_figure_at(t, name, -1);
}

/* One worker, traced from its first batch on; it has not left yet. */
static void trial_one(struct trial *t, const struct nslab_plugin *plugin, enum nslab_entry entry,
		      const char *const *settings)
{
	counting_reset();
	trial_open(t, plugin, entry, 1, settings);
	assert_int_equal(trial_join(t, 0), 0);
	counting.is_traced = true;
}

static void trial_end(struct trial *t)
{
	assert_int_equal(trial_close(t), 0);
	assert_int_equal(atomic_load(&counting.nr_live), 0);
}

/* ---- bulk ---- */

static void bulk_calls_have_the_size_asked_for(void **state)
{
	static const char *const sizes[] = {"1", "2", "30", "256"};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *settings[] = {"bulk_objects", sizes[i], NULL};
		size_t nr = strtoul(sizes[i], NULL, 10);
		struct trial t;

		trial_one(&t, &nslab_plugin_bulk, NSLAB_ENTRY_CACHE, settings);
		assert_int_equal(trial_batch(&t, 0, 3 * nr), 3 * nr);
		assert_int_equal(counting.bulk_allocs[nr], 3);
		assert_int_equal(counting.bulk_frees[nr], 3);
		assert_int_equal(counting.peak, nr);
		trial_leave(&t, 0);
		trial_end(&t);
	}
}

static void bulk_frees_neighbours_as_they_came(void **state)
{
	static const char *const settings[] = {"bulk_objects", "16", NULL};
	struct trial t;

	(void)state;
	trial_one(&t, &nslab_plugin_bulk, NSLAB_ENTRY_CACHE, settings);
	assert_int_equal(trial_batch(&t, 0, 1), 16);
	assert_int_equal(counting.nr_freed, 16);
	for (size_t i = 0; i < 16; i++)
		assert_ptr_equal(counting.freed[i], counting.allocated[i]);
	trial_leave(&t, 0);
	trial_end(&t);
}

/* When an object that the trace saw was allocated: 0, 1, ... */
static size_t traced_turn(const void *obj)
{
	size_t turn = 0;

	while (turn < counting.nr_allocated && counting.allocated[turn] != obj)
		turn++;
	assert_true(turn < counting.nr_allocated);
	return turn;
}

/* What one call frees was not allocated side by side: few pairs of successors stay together. */
static void bulk_gathers_strangers_when_scattered(void **state)
{
	static const char *const settings[] = {"bulk_objects", "16", "objects", "scattered",
					       "live_objects", "64", NULL};
	size_t nr_together = 0;
	struct trial t;

	(void)state;
	counting_reset();
	counting.is_traced = true;
	trial_open(&t, &nslab_plugin_bulk, NSLAB_ENTRY_CACHE, 1, settings);
	assert_int_equal(trial_join(&t, 0), 0);
	assert_int_equal(counting.nr_allocated, 64);
	assert_int_equal(trial_batch(&t, 0, 1), 16);
	assert_int_equal(counting.bulk_frees[16], 1);
	assert_int_equal(counting.nr_freed, 16);
	for (size_t i = 0; i < 16; i++) {
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(counting.freed[i], counting.freed[j]);
		nr_together += i && traced_turn(counting.freed[i]) ==
					    traced_turn(counting.freed[i - 1]) + 1;
	}
	assert_true(nr_together < 4);
	assert_int_equal(trial_batch(&t, 0, 160), 160);
	assert_int_equal(atomic_load(&counting.nr_live), 64);
	trial_leave(&t, 0);
	trial_end(&t);
}

/* ---- spill ---- */

static void spill_holds_more_than_sheaves_do(void **state)
{
	struct trial t;

	(void)state;
	trial_one(&t, &nslab_plugin_spill, NSLAB_ENTRY_KMALLOC, NULL);
	assert_int_equal(trial_batch(&t, 0, 1), 2048);
	assert_int_equal(counting.peak, 1024);
	assert_true(counting.peak > 2 * 60 + 10 * 60);
	assert_int_equal(trial_batch(&t, 0, 2049), 2 * 2048);
	assert_int_equal(atomic_load(&counting.nr_allocs), 3 * 2048);
	trial_leave(&t, 0);
	assert_true(trial_figure(&t, "bursts") == 3);
	trial_end(&t);
}

/* ---- rcu_free ---- */

static void rcu_free_waits_for_the_barrier(void **state)
{
	static const char *const settings[] = {"batch_objects", "32", NULL};
	struct trial t;

	(void)state;
	trial_one(&t, &nslab_plugin_rcu_free, NSLAB_ENTRY_CACHE, settings);
	assert_int_equal(trial_batch(&t, 0, 31), 31);
	assert_int_equal(counting.nr_deferred, 31);
	assert_int_equal(counting.nr_freed, 0);
	assert_int_equal(trial_batch(&t, 0, 5), 5);
	assert_int_equal(counting.nr_freed, 32);
	assert_int_equal(counting.nr_barriers, 1);
	assert_int_equal(counting.nr_deferred, 4);
	trial_leave(&t, 0);
	assert_true(trial_figure(&t, "deferred") == 36);
	assert_true(trial_figure(&t, "grace_periods") == 2);
	trial_end(&t);
}

static void rcu_free_keeps_a_list_where_the_entry_cannot_defer(void **state)
{
	static const char *const settings[] = {"batch_objects", "16", NULL};
	struct trial t;

	(void)state;
	trial_one(&t, &nslab_plugin_rcu_free, NSLAB_ENTRY_KMALLOC, settings);
	assert_int_equal(trial_batch(&t, 0, 15), 15);
	assert_int_equal(counting.nr_freed, 0);
	assert_int_equal(trial_batch(&t, 0, 1), 1);
	assert_int_equal(counting.nr_freed, 16);
	for (size_t i = 0; i < 16; i++)
		assert_ptr_equal(counting.freed[i], counting.allocated[i]);
	assert_int_equal(counting.nr_barriers, 0);
	trial_leave(&t, 0);
	trial_end(&t);
}

static void rcu_free_tells_when_a_waiting_object_is_written(void **state)
{
	static const char *const settings[] = {"batch_objects", "16", NULL};
	struct trial t;

	(void)state;
	trial_one(&t, &nslab_plugin_rcu_free, NSLAB_ENTRY_CACHE, settings);
	assert_int_equal(trial_batch(&t, 0, 7), 7);
	*(uint64_t *)counting.deferred[3] = 99;
	trial_leave(&t, 0);
	assert_int_equal(trial_close(&t), -EILSEQ);
	assert_int_equal(atomic_load(&counting.nr_live), 0);
}

/* ---- mempool ---- */

static void mempool_uses_its_reserve_when_refused(void **state)
{
	static const char *const settings[] = {
		"min_nr", "4", "in_flight", "8", "refuse_period", "10", "refuse_run", "3", NULL};
	struct trial t;

	(void)state;
	trial_one(&t, &nslab_plugin_mempool, NSLAB_ENTRY_CACHE, settings);
	assert_int_equal(atomic_load(&counting.nr_live), 4);
	assert_int_equal(trial_batch(&t, 0, 80), 80);
	/* 7 of 10 came from the allocator, and the reserve was filled again */
	assert_int_equal(atomic_load(&counting.nr_allocs), 4 + 56);
	assert_int_equal(counting.nr_freed, 56);
	assert_int_equal(atomic_load(&counting.nr_live), 4);
	trial_leave(&t, 0);
	assert_true(trial_figure(&t, "elements") == 80);
	assert_true(trial_figure(&t, "refused") == 24);
	assert_true(trial_figure(&t, "reserve_uses") == 24);
	assert_true(trial_figure(&t, "waits") == 0);
	trial_end(&t);
}

/* Two of each round come from the reserve, the others are those two once more. */
static void mempool_waits_for_what_is_under_way_when_all_is_refused(void **state)
{
	static const char *const settings[] = {
		"min_nr", "2", "in_flight", "8", "refuse_period", "5", "refuse_run", "5", NULL};
	struct trial t;

	(void)state;
	trial_one(&t, &nslab_plugin_mempool, NSLAB_ENTRY_CACHE, settings);
	assert_int_equal(trial_batch(&t, 0, 73), 80);
	assert_int_equal(atomic_load(&counting.nr_allocs), 2);
	assert_int_equal(counting.nr_freed, 0);
	trial_leave(&t, 0);
	assert_true(trial_figure(&t, "reserve_uses") == 80);
	assert_true(trial_figure(&t, "waits") == 60);
	trial_end(&t);
}

static void mempool_goes_on_when_memory_is_out(void **state)
{
	static const char *const settings[] = {"min_nr",	"2", "in_flight", "8",
					       "refuse_period", "0", NULL};
	struct trial t;

	(void)state;
	trial_one(&t, &nslab_plugin_mempool, NSLAB_ENTRY_CACHE, settings);
	counting.fail_at = 1;
	assert_int_equal(trial_batch(&t, 0, 800), 800);
	assert_int_equal(atomic_load(&counting.nr_allocs), 2 + 800);
	assert_int_equal(counting.nr_freed, 0);
	trial_leave(&t, 0);
	assert_true(trial_figure(&t, "refused") == 800);
	assert_true(trial_figure(&t, "waits") == 600);
	trial_end(&t);
}

/* The reserve cannot be filled. */
static void mempool_does_not_begin_without_its_reserve(void **state)
{
	static const char *const settings[] = {"min_nr", "4", NULL};
	struct trial t;

	(void)state;
	for (long fail_at = 1; fail_at <= 4; fail_at++) {
		counting_reset();
		counting.fail_at = fail_at;
		trial_open(&t, &nslab_plugin_mempool, NSLAB_ENTRY_CACHE, 1, settings);
		assert_int_equal(trial_join(&t, 0), -ENOMEM);
		trial_end(&t);
	}
}

/* ---- kmalloc_mix ---- */

static void mix_draws_each_size_in_its_share(void **state)
{
	static const struct {
		size_t size_bytes;
		double count;
	} bars[] = {{8, 2560},	 {16, 3840},  {32, 2618}, {64, 2667},  {96, 17640},
		    {128, 5664}, {192, 3864}, {256, 832}, {512, 3598}, {1024, 845},
		    {2048, 486}, {4096, 408}, {8192, 44}};
	double total = 0;
	struct trial t;

	(void)state;
	for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++)
		total += bars[i].count;
	trial_one(&t, &nslab_plugin_kmalloc_mix, NSLAB_ENTRY_KMALLOC, NULL);
	assert_int_equal(trial_batch(&t, 0, 8192), 8192);
	for (size_t i = 0; i < sizeof(bars) / sizeof(bars[0]); i++) {
		double wanted = 8192 * bars[i].count / total;
		double got = (double)counting.nr_of_size[bars[i].size_bytes / 8];

		assert_true(got > wanted - 1.001 && got < wanted + 1.001);
	}
	trial_leave(&t, 0);
	assert_true(trial_figure(&t, "sizes") == 13);
	assert_true(trial_figure(&t, "asked_mean") < trial_figure(&t, "usable_mean"));
	trial_end(&t);
}

static void mix_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void mix_reads_slabinfo_and_histograms(void **state)
{
	static const char path[] = "mix_histogram.txt";
	static const char *const texts[] = {
		"# SIZE COUNT\n\n64 3\n  128\t1 \n64 0\n",
		"slabinfo - version: 2.1\n# name <active_objs> ...\n"
		"dentry 500 600 192 21 1 : tunables 0 0 0 : slabdata 1 1 0\n"
		"kmalloc-cg-64 1 64 64 64 1 : tunables\nkmalloc-64 2 64 64 64 1\n"
		"kmalloc-128 1 32 128 32 1\n",
	};
	static const char *const settings[] = {"file", path, NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct trial t;

		mix_file(path, texts[i]);
		trial_one(&t, &nslab_plugin_kmalloc_mix, NSLAB_ENTRY_KMALLOC, settings);
		remove(path);
		assert_int_equal(trial_batch(&t, 0, 8192), 8192);
		assert_int_equal(counting.nr_of_size[64 / 8], 6144);
		assert_int_equal(counting.nr_of_size[128 / 8], 2048);
		trial_leave(&t, 0);
		trial_end(&t);
	}
}

static void mix_names_file_and_line_of_what_is_wrong(void **state)
{
	static const char path[] = "mix_histogram.txt";
	static const char *const settings[] = {"file", path, NULL};
	static const struct {
		const char *text, *line;
	} bad[] = {
		{"64 1\n64 x\n", "line 2: a line is SIZE COUNT"},
		{"64 1\n\n128 1 3\n", "line 3: nothing may follow"},
		{"7 1\n", "line 1: a size is 8 to 65536 bytes"},
		{"65537 1\n", "line 1: a size is"},
		{"64 18446744073709551616\n", "line 1: a line is SIZE COUNT"},
		{"64 -1\n", "line 1: a line is SIZE COUNT"},
		{"64 1099511627777\n", "line 1: a count is at most"},
		{"dentry 5 6 192\n", "line 1: a line is SIZE COUNT"},
		{"kmalloc-64 1 x 64\n", "line 1: a row of slabinfo is"},
		{"64 0\n", "it has no size with a count above 0"},
		{"", "it has no size with a count above 0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		mix_file(path, bad[i].text);
		refuses(&nslab_plugin_kmalloc_mix, 1, settings);
		assert_non_null(strstr(counting.report, path));
		assert_non_null(strstr(counting.report, bad[i].line));
	}
	remove(path);
	refuses(&nslab_plugin_kmalloc_mix, 1, settings);
	assert_non_null(strstr(counting.report, "No such file"));
}

/* ---- pinning ---- */

/* malloc's memory counts by pages: one object stays on each. */
static void pinning_keeps_one_object_of_each_page(void **state)
{
	static const char *const settings[] = {"live_objects", "500", "churn_objects", "64", NULL};
	struct trial t;
	double nr_pins;

	(void)state;
	trial_one(&t, &nslab_plugin_pinning, NSLAB_ENTRY_KMALLOC, settings);
	nr_pins = (double)atomic_load(&counting.nr_live);
	assert_true(nr_pins >= 2 && nr_pins < 250);
	assert_int_equal(trial_batch(&t, 0, 640), 640);
	assert_true((double)atomic_load(&counting.nr_live) == nr_pins);
	assert_true((double)counting.peak == nr_pins + 64);
	trial_leave(&t, 0);
	assert_true(trial_figure(&t, "pinned_objects") == nr_pins);
	assert_true(trial_figure(&t, "pages_held") == nr_pins);
	assert_true(trial_figure(&t, "pages_needed") < nr_pins);
	trial_end(&t);
}

/* ---- slab_test ---- */

struct seat {
	struct trial *t;
	int index;
	int nr_rounds;
};

static void *seat_main(void *arg)
{
	struct seat *seat = arg;
	struct trial *t = seat->t;

	if (trial_join(t, seat->index))
		abort();
	pthread_barrier_wait(&t->barrier);
	for (int i = 0; i < seat->nr_rounds; i++)
		atomic_fetch_add(&t->done, trial_batch(t, seat->index, 1));
	pthread_barrier_wait(&t->barrier);
	trial_leave(t, seat->index);
	return NULL;
}

/* Every worker does nr_rounds batches of one operation, which are rounds but for the pairs. */
static void slab_test_run(struct trial *t, const char *phase, int nr_workers, int nr_rounds)
{
	const char *settings[] = {"phase", phase, "objects", "40", NULL};
	struct seat seats[WORKERS_MAX];
	pthread_t threads[WORKERS_MAX];

	counting_reset();
	trial_open(t, &nslab_plugin_slab_test, NSLAB_ENTRY_CACHE, nr_workers, settings);
	pthread_barrier_init(&t->barrier, NULL, (unsigned)nr_workers);
	for (int i = 0; i < nr_workers; i++) {
		seats[i] = (struct seat){.t = t, .index = i, .nr_rounds = nr_rounds};
		assert_int_equal(pthread_create(&threads[i], NULL, seat_main, &seats[i]), 0);
	}
	for (int i = 0; i < nr_workers; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&t->barrier);
}

/* allocs[i], frees[i]: of worker i in one round. */
static void slab_test_splits(const char *phase, int nr_workers, const int *allocs, const int *frees)
{
	struct trial t;
	double nr = 0;

	slab_test_run(&t, phase, nr_workers, 5);
	for (int i = 0; i < nr_workers; i++) {
		assert_true(trial_figure_at(&t, "allocs by worker", i) == 5 * allocs[i]);
		assert_true(trial_figure_at(&t, "frees by worker", i) == 5 * frees[i]);
		nr += 5 * allocs[i];
	}
	assert_true(trial_figure(&t, "allocs") == nr);
	assert_true(trial_figure(&t, "frees") == nr);
	trial_end(&t);
}

static void slab_test_splits_the_work_as_its_phases_say(void **state)
{
	static const int one[] = {1, 1, 1, 1}, each[] = {40, 40, 40, 40};
	static const int others[] = {0, 40, 40, 40}, first[] = {120, 0, 0, 0};

	(void)state;
	slab_test_splits("n_n", 1, each, each);
	slab_test_splits("pairs", 1, one, one);
	slab_test_splits("concurrent_n_n", 4, each, each);
	slab_test_splits("concurrent_pairs", 4, one, one);
	slab_test_splits("remote_free", 4, others, first);
	slab_test_splits("one_alloc", 4, first, others);
}

/* The gate never opens: whoever gives up leaves nothing behind. */
static void slab_test_gives_up_when_stopping(void **state)
{
	static const char *const settings[] = {"phase", "remote_free", "objects", "40", NULL};
	struct trial t;

	(void)state;
	counting_reset();
	trial_open(&t, &nslab_plugin_slab_test, NSLAB_ENTRY_CACHE, 2, settings);
	assert_int_equal(trial_join(&t, 0), 0);
	assert_int_equal(trial_join(&t, 1), 0);
	atomic_store(&t.run.is_stopping, true);
	assert_int_equal(trial_batch(&t, 0, 10), 0);
	assert_int_equal(trial_batch(&t, 1, 10), 0);
	trial_leave(&t, 0);
	trial_leave(&t, 1);
	trial_end(&t);
}

static void slab_test_counts_those_that_allocate(void **state)
{
	static const char *const phases[] = {"remote_free", "one_alloc"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *settings[] = {"phase", phases[i], NULL};
		struct trial t;

		counting_reset();
		trial_open(&t, &nslab_plugin_slab_test, NSLAB_ENTRY_CACHE, 2, settings);
		assert_int_equal(trial_join(&t, 0), 0);
		assert_int_equal(trial_join(&t, 1), 0);
		assert_int_equal(t.workers[0]->is_counted, i == 1);
		assert_int_equal(t.workers[1]->is_counted, i == 0);
		trial_leave(&t, 0);
		trial_leave(&t, 1);
		trial_end(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_workload_frees_all_on_every_entry),
		cmocka_unit_test(kernel_workload_tells_when_memory_is_out),
		cmocka_unit_test(kernel_workload_refuses_parameters_that_contradict),
		cmocka_unit_test(bulk_calls_have_the_size_asked_for),
		cmocka_unit_test(bulk_frees_neighbours_as_they_came),
		cmocka_unit_test(bulk_gathers_strangers_when_scattered),
		cmocka_unit_test(spill_holds_more_than_sheaves_do),
		cmocka_unit_test(rcu_free_waits_for_the_barrier),
		cmocka_unit_test(rcu_free_keeps_a_list_where_the_entry_cannot_defer),
		cmocka_unit_test(rcu_free_tells_when_a_waiting_object_is_written),
		cmocka_unit_test(mempool_uses_its_reserve_when_refused),
		cmocka_unit_test(mempool_waits_for_what_is_under_way_when_all_is_refused),
		cmocka_unit_test(mempool_goes_on_when_memory_is_out),
		cmocka_unit_test(mempool_does_not_begin_without_its_reserve),
		cmocka_unit_test(mix_draws_each_size_in_its_share),
		cmocka_unit_test(mix_reads_slabinfo_and_histograms),
		cmocka_unit_test(mix_names_file_and_line_of_what_is_wrong),
		cmocka_unit_test(pinning_keeps_one_object_of_each_page),
		cmocka_unit_test(slab_test_splits_the_work_as_its_phases_say),
		cmocka_unit_test(slab_test_gives_up_when_stopping),
		cmocka_unit_test(slab_test_counts_those_that_allocate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
