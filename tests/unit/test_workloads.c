/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_workloads.c: every built-in workload over a table that counts.
 *
 * The table of counting.h allocates with malloc and counts what is alive, so a lost or twice freed
 * object shows as a number (and as a report under AddressSanitizer). Each workload runs on every
 * entry with one thread driving all workers, and then with a thread per worker, which
 * ThreadSanitizer judges. No test looks at the time.
 */
#define _GNU_SOURCE /* pthread_barrier_t */
#include "workload_trial.h"

extern const struct nslab_plugin nslab_plugin_pingpong;
extern const struct nslab_plugin nslab_plugin_batch;
extern const struct nslab_plugin nslab_plugin_churn;
extern const struct nslab_plugin nslab_plugin_bursts;
extern const struct nslab_plugin nslab_plugin_remote_free;

static const struct nslab_plugin *const plugins[] = {
	&nslab_plugin_pingpong, &nslab_plugin_batch,	   &nslab_plugin_churn,
	&nslab_plugin_bursts,	&nslab_plugin_remote_free,
};
#define NR_PLUGINS (sizeof(plugins) / sizeof(plugins[0]))

static int workers_for(const struct nslab_workload_ops *ops, int nr)
{
	return nr < ops->min_workers ? ops->min_workers : nr;
}

/* ---- one thread drives all workers ---- */

static void workload_frees_all_on_every_entry(void **state)
{
	(void)state;
	for (size_t p = 0; p < NR_PLUGINS; p++) {
		for (int entry = 0; entry <= NSLAB_ENTRY_MALLOC; entry++) {
			for (int nr = 1; nr <= WORKERS_MAX; nr *= 2) {
				struct trial t;
				int nr_workers;

				counting_reset();
				nr_workers = workers_for(plugins[p]->ops, nr);
				trial_open(&t, plugins[p], (enum nslab_entry)entry, nr_workers,
					   NULL);
				for (int i = 0; i < nr_workers; i++)
					assert_int_equal(trial_join(&t, i), 0);
				for (int i = 0; i < nr_workers; i++)
					assert_true(trial_batch(&t, i, 500) >= 500);
				for (int i = 0; i < nr_workers; i++)
					trial_leave(&t, i);
				assert_int_equal(trial_close(&t), 0);
				assert_int_equal(atomic_load(&counting.nr_live), 0);
				if (entry == NSLAB_ENTRY_CACHE || entry == NSLAB_ENTRY_KMALLOC)
					assert_true(atomic_load(&counting.nr_allocs) >= 500);
				else
					assert_int_equal(atomic_load(&counting.nr_allocs), 0);
			}
		}
	}
}

static void workload_does_nothing_when_asked_for_nothing(void **state)
{
	(void)state;
	for (size_t p = 0; p < NR_PLUGINS; p++) {
		struct trial t;
		int nr_workers = workers_for(plugins[p]->ops, 1);

		counting_reset();
		trial_open(&t, plugins[p], NSLAB_ENTRY_CACHE, nr_workers, NULL);
		for (int i = 0; i < nr_workers; i++)
			assert_int_equal(trial_join(&t, i), 0);
		for (int i = 0; i < nr_workers; i++)
			assert_int_equal(trial_batch(&t, i, 0), 0);
		for (int i = 0; i < nr_workers; i++)
			trial_leave(&t, i);
		assert_int_equal(trial_close(&t), 0);
		assert_int_equal(atomic_load(&counting.nr_live), 0);
	}
}

/* Every allocation in turn is the first that fails: nothing is lost, and verify tells. */
static void workload_tells_when_memory_is_out(void **state)
{
	static const char *const small[][5] = {{NULL},
					       {"batch_objects", "16", NULL},
					       {"live_objects", "16", NULL},
					       {"live_objects", "16", "burst_objects", "8", NULL},
					       {NULL}};

	(void)state;
	for (size_t p = 0; p < NR_PLUGINS; p++) {
		for (long fail_at = 1; fail_at <= 40; fail_at++) {
			struct trial t;
			int nr_workers = workers_for(plugins[p]->ops, 1);
			int rc;

			counting_reset();
			counting.fail_at = fail_at;
			trial_open(&t, plugins[p], NSLAB_ENTRY_CACHE, nr_workers, small[p]);
			rc = trial_join(&t, 0);
			if (rc) {
				assert_int_equal(rc, -ENOMEM);
				assert_int_equal(trial_close(&t), 0);
			} else {
				if (nr_workers > 1)
					assert_int_equal(trial_join(&t, 1), 0);
				assert_true(trial_batch(&t, 0, 100) < 100);
				for (int i = 0; i < nr_workers; i++)
					trial_leave(&t, i);
				assert_int_equal(trial_close(&t), -ENOMEM);
			}
			assert_int_equal(atomic_load(&counting.nr_live), 0);
		}
	}
}

/* ---- batch ---- */

static void run_batch_traced(const char *order)
{
	const char *settings[] = {"batch_objects", "16", "free_order", order, NULL};
	struct trial t;

	counting_reset();
	counting.is_traced = true;
	trial_open(&t, &nslab_plugin_batch, NSLAB_ENTRY_CACHE, 1, settings);
	assert_int_equal(trial_join(&t, 0), 0);
	assert_int_equal(trial_batch(&t, 0, 1), 16);
	trial_leave(&t, 0);
	assert_int_equal(trial_close(&t), 0);
	assert_int_equal(counting.nr_allocated, 16);
	assert_int_equal(counting.nr_freed, 16);
}

static void batch_frees_first_first_when_fifo(void **state)
{
	(void)state;
	run_batch_traced("fifo");
	for (size_t i = 0; i < 16; i++)
		assert_ptr_equal(counting.freed[i], counting.allocated[i]);
}

static void batch_frees_last_first_when_lifo(void **state)
{
	(void)state;
	run_batch_traced("lifo");
	for (size_t i = 0; i < 16; i++)
		assert_ptr_equal(counting.freed[i], counting.allocated[15 - i]);
}

static void batch_frees_each_once_in_another_order_when_random(void **state)
{
	size_t nr_moved = 0;

	(void)state;
	run_batch_traced("random");
	for (size_t i = 0; i < 16; i++) {
		size_t nr_seen = 0;

		for (size_t j = 0; j < 16; j++)
			nr_seen += counting.freed[j] == counting.allocated[i];
		assert_int_equal(nr_seen, 1);
		nr_moved += counting.freed[i] != counting.allocated[i];
	}
	assert_true(nr_moved > 0);
}

static void batch_does_whole_rounds(void **state)
{
	static const char *const settings[] = {"batch_objects", "100", NULL};
	struct trial t;

	(void)state;
	counting_reset();
	trial_open(&t, &nslab_plugin_batch, NSLAB_ENTRY_CACHE, 1, settings);
	assert_int_equal(trial_join(&t, 0), 0);
	assert_int_equal(trial_batch(&t, 0, 100), 100);
	assert_int_equal(trial_batch(&t, 0, 101), 200);
	trial_leave(&t, 0);
	assert_int_equal(trial_close(&t), 0);
	assert_int_equal(atomic_load(&counting.nr_allocs), 300);
}

/* ---- churn ---- */

static void churn_keeps_its_set_alive(void **state)
{
	static const char *const settings[] = {"live_objects", "32", "size", "128", NULL};
	struct trial t;

	(void)state;
	counting_reset();
	trial_open(&t, &nslab_plugin_churn, NSLAB_ENTRY_CACHE, 1, settings);
	assert_int_equal(trial_join(&t, 0), 0);
	assert_int_equal(counting_caches[0].object_size, 128);
	assert_int_equal(atomic_load(&counting.nr_live), 32);
	counting.is_traced = true;
	assert_int_equal(trial_batch(&t, 0, 1000), 1000);
	assert_int_equal(atomic_load(&counting.nr_live), 32);
	assert_int_equal(atomic_load(&counting.nr_allocs), 1032);
	trial_leave(&t, 0);
	assert_int_equal(trial_close(&t), 0);
}

/* ---- bursts ---- */

static void bursts_replaces_distinct_objects(void **state)
{
	static const char *const settings[] = {"live_objects", "32", "burst_objects", "20", NULL};
	struct trial t;

	(void)state;
	counting_reset();
	trial_open(&t, &nslab_plugin_bursts, NSLAB_ENTRY_KMALLOC, 1, settings);
	assert_int_equal(trial_join(&t, 0), 0);
	assert_int_equal(atomic_load(&counting.nr_live), 32);
	counting.is_traced = true;
	assert_int_equal(trial_batch(&t, 0, 1), 20);
	assert_int_equal(atomic_load(&counting.nr_live), 32);
	assert_int_equal(counting.nr_freed, 20);
	for (size_t i = 0; i < counting.nr_freed; i++) {
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(counting.freed[i], counting.freed[j]);
	}
	assert_int_equal(trial_batch(&t, 0, 1001), 1020);
	trial_leave(&t, 0);
	assert_int_equal(trial_close(&t), 0);
}

static void bursts_refuses_more_than_live(void **state)
{
	struct bursts_settings {
		int64_t size, live_objects, burst_objects;
	} settings = {64, 8, 9};
	const struct nslab_workload_ops *ops = nslab_plugin_bursts.ops;
	struct nslab_run run = {.entry = NSLAB_ENTRY_NONE};
	struct nslab_workload *w = NULL;

	(void)state;
	assert_int_equal(ops->params_size, sizeof(settings));
	assert_int_equal(ops->setup(&run, &settings, &w), -EINVAL);
	assert_null(w);
}

/* ---- remote_free ---- */

static void remote_open(struct trial *t, const char *ring_objects)
{
	const char *settings[] = {"ring_objects", ring_objects, NULL};

	counting_reset();
	trial_open(t, &nslab_plugin_remote_free, NSLAB_ENTRY_CACHE, 2, settings);
	assert_int_equal(trial_join(t, 0), 0);
	assert_int_equal(trial_join(t, 1), 0);
}

static void remote_free_counts_producers_only(void **state)
{
	struct trial t;

	(void)state;
	remote_open(&t, "8");
	assert_true(t.workers[0]->is_counted);
	assert_false(t.workers[1]->is_counted);
	trial_leave(&t, 0);
	trial_leave(&t, 1);
	assert_int_equal(trial_close(&t), 0);
}

static void remote_free_gives_up_when_stopping(void **state)
{
	struct trial t;

	(void)state;
	remote_open(&t, "5");
	atomic_store(&t.run.is_stopping, true);
	assert_int_equal(trial_batch(&t, 1, 10), 0);
	assert_int_equal(trial_batch(&t, 0, 10), 5);
	assert_int_equal(trial_batch(&t, 0, 10), 0);
	assert_int_equal(trial_batch(&t, 1, 3), 3);
	assert_int_equal(trial_batch(&t, 0, 10), 3);
	assert_int_equal(trial_batch(&t, 1, 10), 5);
	trial_leave(&t, 0);
	trial_leave(&t, 1);
	assert_int_equal(trial_close(&t), 0);
	assert_int_equal(atomic_load(&counting.nr_live), 0);
}

/* What is left in the ring is freed by the side that leaves last, whichever that is. */
static void remote_free_drains_whoever_leaves_last(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		struct trial t;

		remote_open(&t, "7");
		assert_int_equal(trial_batch(&t, 0, 6), 6);
		assert_int_equal(trial_batch(&t, 1, 4), 4);
		assert_int_equal(trial_batch(&t, 0, 5), 5);
		assert_int_equal(atomic_load(&counting.nr_live), 7);
		trial_leave(&t, first);
		assert_int_equal(t.ops->verify(t.w), -EILSEQ);
		trial_leave(&t, !first);
		assert_int_equal(atomic_load(&counting.nr_live), 0);
		assert_int_equal(trial_close(&t), 0);
	}
}

static void remote_free_refuses_half_a_pair(void **state)
{
	const struct nslab_workload_ops *ops = nslab_plugin_remote_free.ops;
	int64_t params[2] = {64, 8};
	struct nslab_run run = {.entry = NSLAB_ENTRY_NONE};
	struct nslab_workload *w = NULL;

	(void)state;
	for (run.nr_workers = 1; run.nr_workers <= 3; run.nr_workers += 2)
		assert_int_equal(ops->setup(&run, params, &w), -EINVAL);
	assert_null(w);
}

/* ---- a thread per worker ---- */

struct seat {
	struct trial *t;
	int index;
};

static void seat_count(struct trial *t, int index)
{
	for (int i = 0; i < t->nr_batches; i++)
		atomic_fetch_add(&t->done, trial_batch(t, index, t->n));
	if (atomic_fetch_sub(&t->nr_running, 1) == 1)
		atomic_store(&t->run.is_stopping, true);
}

static void *seat_main(void *arg)
{
	struct seat *seat = arg;
	struct trial *t = seat->t;

	if (trial_join(t, seat->index))
		abort();
	if (t->workers[seat->index]->is_counted)
		atomic_fetch_add(&t->nr_running, 1);
	pthread_barrier_wait(&t->barrier);
	if (t->workers[seat->index]->is_counted) {
		seat_count(t, seat->index);
	} else {
		while (!atomic_load(&t->run.is_stopping))
			trial_batch(t, seat->index, 64);
	}
	trial_leave(t, seat->index);
	return NULL;
}

static void run_threads(const struct nslab_plugin *plugin, enum nslab_entry entry, int nr_workers)
{
	struct seat seats[WORKERS_MAX];
	pthread_t threads[WORKERS_MAX];
	struct trial t;

	trial_open(&t, plugin, entry, nr_workers, NULL);
	t.n = 700;
	t.nr_batches = 5;
	pthread_barrier_init(&t.barrier, NULL, (unsigned)nr_workers);
	for (int i = 0; i < nr_workers; i++) {
		seats[i] = (struct seat){.t = &t, .index = i};
		assert_int_equal(pthread_create(&threads[i], NULL, seat_main, &seats[i]), 0);
	}
	for (int i = 0; i < nr_workers; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&t.barrier);
	/* every counted worker did all it was asked for */
	assert_true(atomic_load(&t.done) >=
		    3500u * (unsigned)nr_workers / (t.ops->worker_group ? 2u : 1u));
	assert_int_equal(trial_close(&t), 0);
}

static void workload_frees_all_with_a_thread_per_worker(void **state)
{
	(void)state;
	for (size_t p = 0; p < NR_PLUGINS; p++) {
		for (int entry = 0; entry <= NSLAB_ENTRY_MALLOC; entry++) {
			for (int nr = 2; nr <= WORKERS_MAX; nr *= 2) {
				counting_reset();
				run_threads(plugins[p], (enum nslab_entry)entry, nr);
				assert_int_equal(atomic_load(&counting.nr_live), 0);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workload_frees_all_on_every_entry),
		cmocka_unit_test(workload_does_nothing_when_asked_for_nothing),
		cmocka_unit_test(workload_tells_when_memory_is_out),
		cmocka_unit_test(batch_frees_first_first_when_fifo),
		cmocka_unit_test(batch_frees_last_first_when_lifo),
		cmocka_unit_test(batch_frees_each_once_in_another_order_when_random),
		cmocka_unit_test(batch_does_whole_rounds),
		cmocka_unit_test(churn_keeps_its_set_alive),
		cmocka_unit_test(bursts_replaces_distinct_objects),
		cmocka_unit_test(bursts_refuses_more_than_live),
		cmocka_unit_test(remote_free_counts_producers_only),
		cmocka_unit_test(remote_free_gives_up_when_stopping),
		cmocka_unit_test(remote_free_drains_whoever_leaves_last),
		cmocka_unit_test(remote_free_refuses_half_a_pair),
		cmocka_unit_test(workload_frees_all_with_a_thread_per_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
