/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_workloads_classics.c: the classic workloads over a table that keeps a ledger.
 *
 * The table below allocates with malloc and writes in front of each object which allocation it was,
 * on which CPU, of which cache and size; a free is checked against that. So the tests can say which
 * objects a workload frees, in which order and on which CPU, which is what makes a classic the
 * pattern that its name promises. One thread drives all workers; threads are the business of the
 * conformance test of each workload. No test looks at the time.
 */
#include "core/param.h"
#include "workloads/sizes.h"

#include <numaslab/plugin.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define WORKERS_MAX 4
#define TRACE_MAX   65536
#define CACHES_MAX  16

extern const struct nslab_plugin nslab_plugin_larson;
extern const struct nslab_plugin nslab_plugin_alloc_test;
extern const struct nslab_plugin nslab_plugin_threadtest;
extern const struct nslab_plugin nslab_plugin_cache_scratch;
extern const struct nslab_plugin nslab_plugin_cache_thrash;
extern const struct nslab_plugin nslab_plugin_xmalloc_test;
extern const struct nslab_plugin nslab_plugin_sh6;
extern const struct nslab_plugin nslab_plugin_sh8;
extern const struct nslab_plugin nslab_plugin_mstress;

/* Each classic, small enough to be driven to its end by hand. */
static const struct {
	const struct nslab_plugin *plugin;
	const char *settings[7];
} classics[] = {
	{&nslab_plugin_larson, {"live_objects", "16", "rounds", "7", NULL}},
	{&nslab_plugin_alloc_test, {"live_objects", "16", NULL}},
	{&nslab_plugin_threadtest, {"objects", "16", NULL}},
	{&nslab_plugin_cache_scratch, {"writes", "3", NULL}},
	{&nslab_plugin_cache_thrash, {"writes", "3", NULL}},
	{&nslab_plugin_xmalloc_test, {"batch_objects", "8", "batches", "64", NULL}},
	{&nslab_plugin_sh6, {"round_objects", "12", NULL}},
	{&nslab_plugin_sh8, {"round_objects", "12", NULL}},
	{&nslab_plugin_mstress, {"trees", "4", "tree_objects", "3", "hand_over", "2", NULL}},
};
#define NR_CLASSICS (sizeof(classics) / sizeof(classics[0]))

static int classic_min_workers(size_t p)
{
	const struct nslab_workload_ops *ops = classics[p].plugin->ops;

	return ops->min_workers;
}

/* ---- the ledger ---- */

struct entry {
	size_t size_bytes; /* asked for */
	struct kmem_cache *s;
	size_t serial; /* 1 for the first allocation */
	int cpu;
};

static struct {
	size_t nr_allocs, nr_frees, nr_remote;
	size_t fail_at; /* allocation with this number fails, and all after it; 0: none */
	size_t freed[TRACE_MAX];
	size_t nr_of_size[NSLAB_SIZES_MAX + 1];
	void *newest;	 /* object */
	uint64_t writes; /* what the last freed object's first word counted */
	struct kmem_cache caches[CACHES_MAX];
	size_t nr_caches;
} ledger;

static void ledger_reset(void)
{
	memset(&ledger, 0, sizeof(ledger));
}

static size_t ledger_nr_live(void)
{
	return ledger.nr_allocs - ledger.nr_frees;
}

static void *ledger_take(struct nslab_cpu *cpu, struct kmem_cache *s, size_t size_bytes)
{
	struct entry *entry;

	if (ledger.fail_at && ledger.nr_allocs + 1 >= ledger.fail_at)
		return NULL;
	assert_true(size_bytes <= NSLAB_SIZES_MAX);
	entry = malloc(sizeof(*entry) + size_bytes);
	assert_non_null(entry);
	*entry = (struct entry){
		.size_bytes = size_bytes, .s = s, .serial = ++ledger.nr_allocs, .cpu = cpu->id};
	ledger.nr_of_size[size_bytes]++;
	ledger.newest = entry + 1;
	return ledger.newest;
}

static void ledger_give(struct nslab_cpu *cpu, const struct kmem_cache *s, void *obj)
{
	struct entry *entry = (struct entry *)obj - 1;

	assert_ptr_equal(entry->s, s);
	assert_true(ledger.nr_frees < TRACE_MAX);
	ledger.freed[ledger.nr_frees++] = entry->serial;
	ledger.nr_remote += entry->cpu != cpu->id;
	ledger.writes = *(uint64_t *)obj - (uintptr_t)obj;
	free(entry);
}

static void *ledger_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node)
{
	(void)gfp;
	(void)node;
	return ledger_take(cpu, s, s->object_size);
}

static void ledger_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	ledger_give(cpu, s, obj);
}

static void *ledger_kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	(void)gfp;
	(void)node;
	return ledger_take(cpu, NULL, size_bytes);
}

static void ledger_kfree(struct nslab_cpu *cpu, void *obj)
{
	ledger_give(cpu, NULL, obj);
}

static int ledger_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
			 struct kmem_cache **s)
{
	assert_true(ledger.nr_caches < CACHES_MAX);
	*s = &ledger.caches[ledger.nr_caches++];
	(*s)->heap = heap;
	(*s)->object_size = (unsigned)spec->object_size;
	return 0;
}

static const struct nslab_allocator_ops ledger_ops = {
	.name = "ledger",
	.cache_create = ledger_create,
	.alloc = ledger_alloc,
	.free = ledger_free,
	.kmalloc = ledger_kmalloc,
	.kfree = ledger_kfree,
};

/* ---- one trial ---- */

struct trial {
	const struct nslab_workload_ops *ops;
	struct nslab_run run;
	struct nslab_heap heap;
	struct nslab_cpu cpus[WORKERS_MAX];
	struct nslab_worker *workers[WORKERS_MAX];
	struct nslab_workload *w;
};

/* What setup answers. */
static int trial_setup(struct trial *t, const struct nslab_plugin *plugin, enum nslab_entry entry,
		       int nr_workers, const char *const *settings)
{
	_Alignas(16) char params[256] = {0};
	struct nslab_err err = {""};

	ledger_reset();
	memset(t, 0, sizeof(*t));
	t->ops = plugin->ops;
	t->heap.ops = &ledger_ops;
	t->run.heap = &t->heap;
	t->run.entry = entry;
	t->run.nr_workers = nr_workers;
	t->run.seed = 42;
	assert_true(t->ops->params_size <= sizeof(params));
	assert_int_equal(nslab_param_defaults(t->ops->params, params, &err), 0);
	for (; settings && settings[0]; settings += 2) {
		const struct nslab_param *row = nslab_param_find(t->ops->params, settings[0]);

		assert_non_null(row);
		assert_int_equal(nslab_param_set(row, settings[1], params, &err), 0);
	}
	return t->ops->setup(&t->run, params, &t->w);
}

static int trial_join(struct trial *t, int index)
{
	t->cpus[index].ops = &ledger_ops;
	t->cpus[index].id = index;
	return t->ops->worker_init(t->w, &t->cpus[index], index, &t->workers[index]);
}

static void trial_open(struct trial *t, const struct nslab_plugin *plugin, enum nslab_entry entry,
		       int nr_workers, const char *const *settings)
{
	assert_int_equal(trial_setup(t, plugin, entry, nr_workers, settings), 0);
	for (int i = 0; i < nr_workers; i++)
		assert_int_equal(trial_join(t, i), 0);
}

static size_t trial_batch(struct trial *t, int index, size_t n)
{
	return t->ops->batch[t->run.entry](t->workers[index], n);
}

static int trial_verdict(struct trial *t)
{
	int rc = t->ops->verify(t->w);

	t->ops->teardown(t->w);
	return rc;
}

/* All leave; nothing may be left. */
static void trial_close(struct trial *t)
{
	for (int i = 0; i < t->run.nr_workers; i++)
		t->ops->worker_exit(t->workers[i]);
	assert_int_equal(trial_verdict(t), 0);
	assert_int_equal(ledger_nr_live(), 0);
}

struct figure_wanted {
	struct nslab_figures base;
	const char *name;
	double value;
	int nr_found;
};

static void figure_found(struct nslab_figures *figures, const char *name, double value,
			 const char *unit)
{
	struct figure_wanted *wanted = nslab_container_of(figures, struct figure_wanted, base);

	assert_non_null(unit);
	if (strcmp(name, wanted->name))
		return;
	wanted->value = value;
	wanted->nr_found++;
}

/* Before the workload is torn down; it may be asked any time. */
static size_t trial_figure(struct trial *t, const char *name)
{
	struct figure_wanted wanted = {.base.figure = figure_found, .name = name};

	t->ops->figures(t->w, &wanted.base);
	assert_int_equal(wanted.nr_found, 1);
	return (size_t)wanted.value;
}

static void expect_freed(size_t from, const size_t *serials, size_t nr)
{
	assert_true(ledger.nr_frees >= from + nr);
	for (size_t i = 0; i < nr; i++)
		assert_int_equal(ledger.freed[from + i], serials[i]);
}

static size_t nr_sized(size_t min, size_t max)
{
	size_t nr = 0;

	for (size_t size = min; size <= max; size++)
		nr += ledger.nr_of_size[size];
	return nr;
}

/* ---- all of them ---- */

static void run_classic(size_t p, enum nslab_entry entry, int nr_workers)
{
	struct trial t;

	trial_open(&t, classics[p].plugin, entry, nr_workers, classics[p].settings);
	for (int i = 0; i < nr_workers; i++) {
		size_t done;

		/* a consumer takes what is there and does not wait for more */
		atomic_store(&t.run.is_stopping, !t.workers[i]->is_counted);
		done = trial_batch(&t, i, 200);
		assert_true(done >= (t.workers[i]->is_counted ? 200 : 100));
	}
	trial_close(&t);
	if (entry == NSLAB_ENTRY_CACHE || entry == NSLAB_ENTRY_KMALLOC)
		assert_true(ledger.nr_allocs >= 200);
	else
		assert_int_equal(ledger.nr_allocs, 0);
}

static void classic_frees_all_on_every_entry(void **state)
{
	(void)state;
	for (size_t p = 0; p < NR_CLASSICS; p++) {
		const struct nslab_workload_ops *ops = classics[p].plugin->ops;

		for (int entry = 0; entry <= NSLAB_ENTRY_MALLOC; entry++) {
			for (int nr = ops->min_workers; nr <= WORKERS_MAX; nr *= 2) {
				if (ops->batch[entry])
					run_classic(p, (enum nslab_entry)entry, nr);
			}
		}
	}
}

static void classic_does_nothing_when_asked_for_nothing(void **state)
{
	(void)state;
	for (size_t p = 0; p < NR_CLASSICS; p++) {
		int nr_workers = classic_min_workers(p);
		struct trial t;
		size_t before;

		trial_open(&t, classics[p].plugin, NSLAB_ENTRY_CACHE, nr_workers,
			   classics[p].settings);
		before = ledger.nr_allocs;
		for (int i = 0; i < nr_workers; i++)
			assert_int_equal(trial_batch(&t, i, 0), 0);
		assert_int_equal(ledger.nr_allocs, before);
		trial_close(&t);
	}
}

/* Every allocation in turn is the first that fails: nothing is lost, and verify tells. */
static void classic_tells_when_memory_is_out(void **state)
{
	(void)state;
	for (size_t p = 0; p < NR_CLASSICS; p++) {
		for (size_t fail_at = 1; fail_at <= 60; fail_at++) {
			struct trial t;
			int rc;

			rc = trial_setup(&t, classics[p].plugin, NSLAB_ENTRY_CACHE,
					 classic_min_workers(p), classics[p].settings);
			assert_int_equal(rc, 0);
			ledger.fail_at = fail_at;
			rc = trial_join(&t, 0);
			if (rc) {
				assert_int_equal(rc, -ENOMEM);
				assert_int_equal(trial_verdict(&t), 0);
			} else {
				assert_true(trial_batch(&t, 0, 1000) < 1000);
				t.ops->worker_exit(t.workers[0]);
				assert_int_equal(trial_verdict(&t), -ENOMEM);
			}
			assert_int_equal(ledger_nr_live(), 0);
		}
	}
}

/* ---- sizes ---- */

static void sizes_class_is_the_smallest_that_fits(void **state)
{
	(void)state;
	for (size_t size = NSLAB_SIZES_MIN; size <= NSLAB_SIZES_MAX; size++) {
		unsigned c = nslab_sizes_class(size);

		assert_true(c < NSLAB_SIZES_CLASSES);
		assert_true(nslab_sizes_of_class[c] >= size);
		assert_true(c == 0 || nslab_sizes_of_class[c - 1] < size);
		assert_int_equal(nslab_draw_size(nslab_draw_of(size)), size);
		assert_int_equal(nslab_draw_class(nslab_draw_of(size)), c);
	}
}

static void sizes_refuses_bounds_that_are_no_range(void **state)
{
	static const char *const bad[][5] = {{"min_size", "65", "max_size", "64", NULL},
					     {"min_size", "2048", NULL}};
	struct trial t;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			trial_setup(&t, &nslab_plugin_larson, NSLAB_ENTRY_CACHE, 1, bad[i]),
			-EINVAL);
		assert_null(t.w);
		assert_int_equal(
			trial_setup(&t, &nslab_plugin_mstress, NSLAB_ENTRY_CACHE, 1, bad[i]),
			-EINVAL);
		assert_null(t.w);
	}
}

static void sizes_are_exact_for_kmalloc_and_classes_for_caches(void **state)
{
	static const char *const settings[] = {"min_size", "24", "max_size", "200", NULL};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_larson, NSLAB_ENTRY_KMALLOC, 1, settings);
	assert_int_equal(trial_batch(&t, 0, 2000), 2000);
	trial_close(&t);
	assert_int_equal(nr_sized(24, 200), ledger.nr_allocs);
	/* uniform: an eighth at each end has an eighth of them */
	assert_true(nr_sized(24, 45) > ledger.nr_allocs / 16);
	assert_true(nr_sized(179, 200) > ledger.nr_allocs / 16);
	trial_open(&t, &nslab_plugin_larson, NSLAB_ENTRY_CACHE, 1, settings);
	assert_int_equal(ledger.nr_caches, 6); /* 32 64 96 128 192 256 */
	assert_int_equal(trial_batch(&t, 0, 2000), 2000);
	trial_close(&t);
	for (size_t size = 0, c = 0; size <= NSLAB_SIZES_MAX; size++) {
		bool is_class = c < NSLAB_SIZES_CLASSES && nslab_sizes_of_class[c] == size;

		c += is_class;
		assert_int_equal(ledger.nr_of_size[size] > 0,
				 is_class && size >= 32 && size <= 256);
	}
}

static void alloc_test_sizes_follow_a_power_law(void **state)
{
	static const char *const settings[] = {"min_size", "16", "max_size", "1024", NULL};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_alloc_test, NSLAB_ENTRY_KMALLOC, 1, settings);
	assert_int_equal(trial_batch(&t, 0, 4000), 4000);
	trial_close(&t);
	assert_int_equal(nr_sized(16, 1024), ledger.nr_allocs);
	assert_true(nr_sized(16, 31) > ledger.nr_allocs * 2 / 5);
	assert_true(nr_sized(64, 1024) > ledger.nr_allocs / 8);
	assert_true(nr_sized(512, 1024) > 0);
}

/* ---- larson ---- */

static void larson_hands_whole_arrays_over(void **state)
{
	static const char *const settings[] = {"live_objects", "8", "rounds", "5", NULL};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_larson, NSLAB_ENTRY_KMALLOC, 2, settings);
	assert_int_equal(ledger_nr_live(), 16);
	/* worker 0 leaves its array and fills the one that nobody had */
	assert_int_equal(trial_batch(&t, 0, 5), 5);
	assert_int_equal(ledger_nr_live(), 24);
	/* worker 1 leaves its own and takes that of worker 0 */
	assert_int_equal(trial_batch(&t, 1, 5), 5);
	assert_int_equal(ledger.nr_remote, 0);
	assert_int_equal(trial_batch(&t, 1, 1), 1);
	assert_int_equal(ledger.nr_remote, 1);
	assert_int_equal(ledger_nr_live(), 24);
	trial_close(&t);
}

static void larson_counts_what_it_handed_over(void **state)
{
	static const char *const settings[] = {"live_objects", "8", "rounds", "5", NULL};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_larson, NSLAB_ENTRY_KMALLOC, 2, settings);
	assert_int_equal(trial_batch(&t, 0, 5), 5);
	assert_int_equal(trial_batch(&t, 1, 10), 10);
	for (int i = 0; i < 2; i++)
		t.ops->worker_exit(t.workers[i]);
	assert_int_equal(trial_figure(&t, "handed_over"), 3);
	assert_int_equal(trial_figure(&t, "inherited"), 1);
	assert_int_equal(trial_verdict(&t), 0);
	assert_int_equal(ledger_nr_live(), 0);
}

/* An object whose first word somebody overwrote is found at the end. */
static void larson_finds_an_object_that_was_overwritten(void **state)
{
	static const char *const settings[] = {"live_objects", "3", NULL};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_larson, NSLAB_ENTRY_KMALLOC, 1, settings);
	*(uint64_t *)ledger.newest ^= 1;
	t.ops->worker_exit(t.workers[0]);
	assert_int_equal(trial_verdict(&t), -EILSEQ);
	assert_int_equal(ledger_nr_live(), 0);
}

/* ---- alloc_test ---- */

/* Had all slots the same chance, 13 of 100 first objects would outlive 200 operations. */
static void alloc_test_replaces_few_slots_most_of_the_time(void **state)
{
	static const char *const settings[] = {"live_objects", "100", NULL};
	struct trial t;
	size_t nr_first_freed = 0;

	(void)state;
	trial_open(&t, &nslab_plugin_alloc_test, NSLAB_ENTRY_KMALLOC, 1, settings);
	assert_int_equal(ledger_nr_live(), 100);
	assert_int_equal(trial_batch(&t, 0, 200), 200);
	assert_int_equal(ledger_nr_live(), 100);
	for (size_t i = 0; i < ledger.nr_frees; i++)
		nr_first_freed += ledger.freed[i] <= 100;
	assert_true(nr_first_freed > 10 && nr_first_freed < 70);
	trial_close(&t);
}

/* ---- threadtest ---- */

static void threadtest_divides_its_objects_and_frees_in_order(void **state)
{
	static const char *const settings[] = {"objects", "11", NULL};
	static const size_t order[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_threadtest, NSLAB_ENTRY_CACHE, 2, settings);
	assert_int_equal(trial_batch(&t, 0, 1), 5);
	assert_int_equal(trial_batch(&t, 1, 5), 5);
	expect_freed(0, order, 10);
	assert_int_equal(ledger_nr_live(), 0);
	assert_int_equal(trial_batch(&t, 0, 6), 10);
	trial_close(&t);
}

static void threadtest_refuses_fewer_objects_than_workers(void **state)
{
	static const char *const settings[] = {"objects", "3", NULL};
	struct trial t;

	(void)state;
	assert_int_equal(trial_setup(&t, &nslab_plugin_threadtest, NSLAB_ENTRY_CACHE, 4, settings),
			 -EINVAL);
	assert_null(t.w);
}

/* ---- cache_thrash, cache_scratch ---- */

static void cache_thrash_writes_each_object_so_often(void **state)
{
	static const char *const settings[] = {"writes", "17", "size", "24", NULL};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_cache_thrash, NSLAB_ENTRY_KMALLOC, 2, settings);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(trial_batch(&t, i, 3), 3);
		assert_int_equal(ledger.writes, 17);
	}
	assert_int_equal(ledger.nr_of_size[24], 6);
	assert_int_equal(ledger.nr_remote, 0);
	trial_close(&t);
}

static void cache_scratch_frees_what_worker_0_allocated_first(void **state)
{
	static const char *const settings[] = {"writes", "5", NULL};
	static const size_t order[] = {2, 3, 4, 1, 5};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_cache_scratch, NSLAB_ENTRY_CACHE, 2, settings);
	assert_int_equal(ledger_nr_live(), 2);
	assert_int_equal(trial_batch(&t, 1, 2), 2);
	assert_int_equal(ledger.writes, 5);
	assert_int_equal(ledger.nr_remote, 1);
	assert_int_equal(trial_batch(&t, 0, 1), 1);
	expect_freed(0, order, 5);
	assert_int_equal(ledger.nr_remote, 1);
	assert_int_equal(trial_figure(&t, "remote_frees"), 1);
	trial_close(&t);
}

static void cache_scratch_gives_up_when_stopping(void **state)
{
	struct trial t;

	(void)state;
	assert_int_equal(trial_setup(&t, &nslab_plugin_cache_scratch, NSLAB_ENTRY_CACHE, 2, NULL),
			 0);
	assert_int_equal(trial_join(&t, 1), 0);
	atomic_store(&t.run.is_stopping, true);
	assert_int_equal(trial_batch(&t, 1, 10), 0);
	assert_int_equal(trial_join(&t, 0), 0);
	trial_close(&t);
}

/* ---- xmalloc_test ---- */

static void xmalloc_test_frees_whole_batches_elsewhere(void **state)
{
	static const char *const settings[] = {"batch_objects", "4", "batches", "2", NULL};
	static const size_t order[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_xmalloc_test, NSLAB_ENTRY_KMALLOC, 2, settings);
	assert_true(t.workers[0]->is_counted);
	assert_false(t.workers[1]->is_counted);
	atomic_store(&t.run.is_stopping, true);
	/* two batches, then the queue is full */
	assert_int_equal(trial_batch(&t, 0, 100), 8);
	assert_int_equal(trial_batch(&t, 1, 3), 3);
	assert_int_equal(trial_batch(&t, 0, 100), 0);
	assert_int_equal(trial_batch(&t, 1, 100), 5);
	expect_freed(0, order, 8);
	assert_int_equal(ledger.nr_remote, 8);
	/* a batch begun and a batch half freed are freed in the end */
	assert_int_equal(trial_batch(&t, 0, 7), 7);
	assert_int_equal(trial_batch(&t, 1, 2), 2);
	trial_close(&t);
}

static void xmalloc_test_refuses_an_odd_number_of_workers(void **state)
{
	struct trial t;

	(void)state;
	assert_int_equal(trial_setup(&t, &nslab_plugin_xmalloc_test, NSLAB_ENTRY_CACHE, 3, NULL),
			 -EINVAL);
	assert_null(t.w);
}

/* ---- sh6, sh8 ---- */

static void sh6_frees_in_three_parts(void **state)
{
	static const char *const settings[] = {"round_objects", "9", NULL};
	static const size_t first[] = {9, 8, 7, 1, 2, 3};
	static const size_t second[] = {18, 17, 16, 10, 11, 12, 4, 5, 6};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_sh6, NSLAB_ENTRY_KMALLOC, 2, settings);
	assert_int_equal(trial_batch(&t, 0, 1), 9);
	expect_freed(0, first, 6);
	assert_int_equal(ledger.nr_frees, 6);
	assert_int_equal(trial_batch(&t, 0, 9), 9);
	expect_freed(6, second, 9);
	assert_int_equal(ledger.nr_frees, 15);
	assert_int_equal(trial_batch(&t, 1, 18), 18);
	assert_int_equal(ledger_nr_live(), 6);
	trial_close(&t);
	assert_int_equal(ledger.nr_remote, 0);
}

static void sh8_frees_what_another_worker_kept(void **state)
{
	static const char *const settings[] = {"round_objects", "9", NULL};
	static const size_t second[] = {18, 17, 16, 10, 11, 12, 4, 5, 6};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_sh8, NSLAB_ENTRY_KMALLOC, 2, settings);
	assert_int_equal(trial_batch(&t, 0, 1), 9);
	assert_int_equal(trial_batch(&t, 1, 1), 9);
	expect_freed(6, second, 9);
	assert_int_equal(ledger.nr_remote, 3);
	assert_int_equal(trial_batch(&t, 1, 1), 9);
	assert_int_equal(ledger.nr_remote, 3);
	for (int i = 0; i < 2; i++)
		t.ops->worker_exit(t.workers[i]);
	assert_int_equal(trial_figure(&t, "remote_frees"), 3);
	assert_int_equal(trial_verdict(&t), 0);
	assert_int_equal(ledger_nr_live(), 0);
}

/* ---- mstress ---- */

static void mstress_hands_trees_to_other_workers(void **state)
{
	static const char *const settings[] = {"trees", "4", "tree_objects", "7", "hand_over",
					       "1",	NULL};
	struct trial t;
	size_t nr_remote;

	(void)state;
	trial_open(&t, &nslab_plugin_mstress, NSLAB_ENTRY_KMALLOC, 2, settings);
	for (int i = 0; i < 400; i++)
		assert_true(trial_batch(&t, i % 2, 5) >= 5);
	nr_remote = ledger.nr_remote;
	assert_true(nr_remote > ledger.nr_frees / 4 && nr_remote < ledger.nr_frees * 3 / 4);
	for (int i = 0; i < 2; i++)
		t.ops->worker_exit(t.workers[i]);
	assert_int_equal(trial_figure(&t, "remote_frees"), nr_remote);
	assert_true(trial_figure(&t, "handed_over") >= 400);
	assert_int_equal(trial_verdict(&t), 0);
	assert_int_equal(ledger_nr_live(), 0);
}

static void mstress_keeps_its_trees_to_itself_between_hand_overs(void **state)
{
	static const char *const settings[] = {"trees",	  "4", "tree_objects", "7", "hand_over",
					       "1000000", NULL};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_mstress, NSLAB_ENTRY_KMALLOC, 2, settings);
	for (int i = 0; i < 100; i++)
		assert_true(trial_batch(&t, i % 2, 5) >= 5);
	trial_close(&t);
	assert_int_equal(ledger.nr_remote, 0);
}

static void mstress_sizes_are_powers_of_two(void **state)
{
	static const char *const settings[] = {"min_size", "40", "max_size", "700", NULL};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_mstress, NSLAB_ENTRY_KMALLOC, 1, settings);
	trial_close(&t);
	for (size_t size = 0; size <= NSLAB_SIZES_MAX; size++) {
		bool is_one = size == 32 || size == 64 || size == 128 || size == 256 || size == 512;

		assert_int_equal(ledger.nr_of_size[size] > 0, is_one);
	}
}

static void mstress_finds_a_node_that_was_overwritten(void **state)
{
	static const char *const settings[] = {"trees", "1", NULL};
	struct trial t;

	(void)state;
	trial_open(&t, &nslab_plugin_mstress, NSLAB_ENTRY_CACHE, 1, settings);
	*(uint64_t *)ledger.newest ^= 1;
	t.ops->worker_exit(t.workers[0]);
	assert_int_equal(trial_verdict(&t), -EILSEQ);
	assert_int_equal(ledger_nr_live(), 0);
}

static void mstress_refuses_objects_that_hold_no_node(void **state)
{
	const struct nslab_workload_ops *ops = nslab_plugin_mstress.ops;
	const struct nslab_param *row = nslab_param_find(ops->params, "min_size");
	_Alignas(16) char params[256];
	struct nslab_err err = {""};

	(void)state;
	assert_non_null(row);
	assert_int_equal(nslab_param_set(row, "32", params, &err), 0);
	assert_int_not_equal(nslab_param_set(row, "31", params, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classic_frees_all_on_every_entry),
		cmocka_unit_test(classic_does_nothing_when_asked_for_nothing),
		cmocka_unit_test(classic_tells_when_memory_is_out),
		cmocka_unit_test(sizes_class_is_the_smallest_that_fits),
		cmocka_unit_test(sizes_refuses_bounds_that_are_no_range),
		cmocka_unit_test(sizes_are_exact_for_kmalloc_and_classes_for_caches),
		cmocka_unit_test(alloc_test_sizes_follow_a_power_law),
		cmocka_unit_test(larson_hands_whole_arrays_over),
		cmocka_unit_test(larson_counts_what_it_handed_over),
		cmocka_unit_test(larson_finds_an_object_that_was_overwritten),
		cmocka_unit_test(alloc_test_replaces_few_slots_most_of_the_time),
		cmocka_unit_test(threadtest_divides_its_objects_and_frees_in_order),
		cmocka_unit_test(threadtest_refuses_fewer_objects_than_workers),
		cmocka_unit_test(cache_thrash_writes_each_object_so_often),
		cmocka_unit_test(cache_scratch_frees_what_worker_0_allocated_first),
		cmocka_unit_test(cache_scratch_gives_up_when_stopping),
		cmocka_unit_test(xmalloc_test_frees_whole_batches_elsewhere),
		cmocka_unit_test(xmalloc_test_refuses_an_odd_number_of_workers),
		cmocka_unit_test(sh6_frees_in_three_parts),
		cmocka_unit_test(sh8_frees_what_another_worker_kept),
		cmocka_unit_test(mstress_hands_trees_to_other_workers),
		cmocka_unit_test(mstress_keeps_its_trees_to_itself_between_hand_overs),
		cmocka_unit_test(mstress_sizes_are_powers_of_two),
		cmocka_unit_test(mstress_finds_a_node_that_was_overwritten),
		cmocka_unit_test(mstress_refuses_objects_that_hold_no_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
