/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_workloads_cross.c: workloads whose objects go from one CPU or node to another, or whose
 * objects are a data structure, over the table that counts.
 *
 * One thread drives all workers step by step, so each count is known: what was handed over, what
 * was freed by another worker or on another node, what was left when the workers went. Threads are
 * the business of the conformance tests, which run the same workloads on every allocator.
 */
#define _GNU_SOURCE /* pthread_barrier_t */
#include "workload_trial.h"

#include <string.h>

extern const struct nslab_plugin nslab_plugin_skb;
extern const struct nslab_plugin nslab_plugin_all_to_one;
extern const struct nslab_plugin nslab_plugin_one_to_all;
extern const struct nslab_plugin nslab_plugin_node_imbalance;
extern const struct nslab_plugin nslab_plugin_memory_only_node;
extern const struct nslab_plugin nslab_plugin_fork;
extern const struct nslab_plugin nslab_plugin_dentry;
extern const struct nslab_plugin nslab_plugin_false_sharing;

#define FIGURES_MAX 16

/* ---- figures ---- */

static struct {
	struct nslab_figures base;
	const char *names[FIGURES_MAX];
	double values[FIGURES_MAX];
	size_t nr;
} told;

static void told_figure(struct nslab_figures *figures, const char *name, double value,
			const char *unit)
{
	(void)figures;
	assert_true(told.nr < FIGURES_MAX);
	assert_non_null(unit);
	told.names[told.nr] = name;
	told.values[told.nr++] = value;
}

/* -1: was not told. */
static long told_value(const char *name)
{
	for (size_t i = 0; i < told.nr; i++) {
		if (!strcmp(told.names[i], name))
			return (long)told.values[i];
	}
	return -1;
}

/* ---- crews ---- */

/* Worker i is of node nodes[i]. */
static void crew_open(struct trial *t, const struct nslab_plugin *plugin,
		      const char *const *settings, int nr_workers, const int *nodes)
{
	counting_reset();
	told.nr = 0;
	told.base.figure = told_figure;
	trial_open(t, plugin, NSLAB_ENTRY_CACHE, nr_workers, settings);
	for (int i = 0; i < nr_workers; i++) {
		t->cpus[i].node = nodes[i];
		assert_int_equal(trial_join(t, i), 0);
	}
}

static int crew_close(struct trial *t)
{
	int rc;

	atomic_store(&t->run.is_stopping, true);
	for (int i = 0; i < t->run.nr_workers; i++)
		trial_leave(t, i);
	rc = t->ops->verify(t->w);
	t->ops->figures(t->w, &told.base);
	t->ops->teardown(t->w);
	assert_int_equal(atomic_load(&counting.nr_live), 0);
	return rc;
}

static const int own_nodes[] = {0, 1, 2, 3};
static const int one_node[] = {1, 1, 1, 1};

static int setup_answer(const struct nslab_plugin *plugin, const char *const *settings,
			int nr_workers)
{
	struct trial t;
	int rc;

	counting_reset();
	rc = trial_setup(&t, plugin, NSLAB_ENTRY_CACHE, nr_workers, settings);
	if (!rc)
		t.ops->teardown(t.w);
	return rc;
}

/* ---- skb ---- */

static void skb_counts_both_objects_of_each_packet(void **state)
{
	static const char *const settings[] = {"bulk", "16", NULL};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_skb, settings, 2, own_nodes);
	assert_true(t.workers[0]->is_counted);
	assert_false(t.workers[1]->is_counted);
	assert_int_equal(trial_batch(&t, 0, 199), 200);
	assert_int_equal(atomic_load(&counting.nr_live), 200);
	assert_int_equal(trial_batch(&t, 1, 128), 128);
	assert_int_equal(counting.bulk_frees[16], 4);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("objects_sent"), 200);
	assert_int_equal(told_value("remote_frees"), 128);
	assert_int_equal(told_value("cross_node_frees"), 128);
	assert_int_equal(told_value("drained"), 72);
	/* malloc's memory is of no known node */
	assert_int_equal(told_value("far_frees"), -1);
}

static void skb_deals_to_every_application_when_in_groups(void **state)
{
	static const char *const settings[] = {"flows", "groups", "bulk", "32", NULL};
	static const int nodes[] = {0, 0, 0, 1};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_skb, settings, 4, nodes);
	assert_int_equal(trial_batch(&t, 0, 256), 256);
	assert_int_equal(trial_batch(&t, 1, 256), 256);
	assert_int_equal(trial_batch(&t, 2, 256), 256);
	assert_int_equal(trial_batch(&t, 3, 256), 256);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("remote_frees"), 512);
	assert_int_equal(told_value("cross_node_frees"), 256);
}

static void skb_finds_a_head_that_was_changed(void **state)
{
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_skb, NULL, 2, own_nodes);
	counting.is_traced = true;
	assert_int_equal(trial_batch(&t, 0, 128), 128);
	((uintptr_t *)counting.allocated[0])[2] ^= 1;
	assert_int_equal(trial_batch(&t, 1, 128), 128);
	assert_int_equal(crew_close(&t), -EILSEQ);
}

static void skb_refuses_what_cannot_be(void **state)
{
	static const char *const settings[] = {"bulk", "64", "ring_objects", "32", NULL};

	(void)state;
	assert_int_equal(setup_answer(&nslab_plugin_skb, NULL, 3), -EINVAL);
	assert_int_equal(setup_answer(&nslab_plugin_skb, settings, 2), -EINVAL);
	assert_int_equal(setup_answer(&nslab_plugin_skb, settings + 2, 2), -EINVAL);
	assert_int_equal(setup_answer(&nslab_plugin_skb, NULL, 2), 0);
}

static void skb_says_why_when_a_plan_is_made(void **state)
{
	const struct nslab_workload_ops *ops = nslab_plugin_skb.ops;
	/* head_size, data_size, bulk, ring_objects, flows */
	int64_t params[5] = {224, 1024, 64, 64, 0};
	char why[64] = "";

	(void)state;
	assert_int_equal(ops->params_size, sizeof(params));
	assert_int_equal(ops->check(params, why, sizeof(why)), 0);
	params[3] = 63;
	assert_int_equal(ops->check(params, why, sizeof(why)), -EINVAL);
	assert_string_equal(why, "bulk=64 is more than ring_objects=63");
}

/* ---- all_to_one ---- */

static void all_to_one_frees_what_everyone_made(void **state)
{
	static const int nodes[] = {0, 1, 1};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_all_to_one, NULL, 3, nodes);
	assert_int_equal(trial_batch(&t, 0, 100), 100);
	assert_int_equal(trial_batch(&t, 1, 50), 50);
	atomic_store(&t.run.is_stopping, true);
	assert_int_equal(trial_batch(&t, 2, 1000), 150);
	assert_int_equal(trial_batch(&t, 0, 7), 7);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("objects_sent"), 157);
	assert_int_equal(told_value("remote_frees"), 150);
	assert_int_equal(told_value("cross_node_frees"), 100);
	assert_int_equal(told_value("drained"), 7);
	assert_int_equal(told_value("nowait_refused"), -1);
}

static void all_to_one_asks_again_when_nowait_is_refused(void **state)
{
	static const char *const settings[] = {"gfp", "nowait", NULL};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_all_to_one, settings, 2, own_nodes);
	assert_int_equal(trial_batch(&t, 0, 30), 30);
	counting.is_nowait_refused = true;
	assert_int_equal(trial_batch(&t, 0, 12), 12);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("nowait_refused"), 12);
	assert_int_equal(told_value("drained"), 42);
}

/* ---- one_to_all ---- */

static void one_to_all_deals_objects_in_turn(void **state)
{
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_one_to_all, NULL, 4, own_nodes);
	counting.is_traced = true;
	/* a deal that ends within a round, and the next one goes on from there */
	assert_int_equal(trial_batch(&t, 0, 10), 10);
	assert_int_equal(trial_batch(&t, 0, 20), 20);
	for (int i = 1; i < 4; i++) {
		counting.nr_freed = 0;
		assert_int_equal(trial_batch(&t, i, 10), 10);
		for (int k = 0; k < 10; k++)
			assert_ptr_equal(counting.freed[k], counting.allocated[3 * k + i - 1]);
	}
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("remote_frees"), 30);
	assert_int_equal(told_value("cross_node_frees"), 30);
	assert_int_equal(told_value("drained"), 0);
}

static void one_to_all_gives_up_when_stopping(void **state)
{
	static const char *const settings[] = {"ring_objects", "4", NULL};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_one_to_all, settings, 3, one_node);
	atomic_store(&t.run.is_stopping, true);
	assert_int_equal(trial_batch(&t, 0, 100), 8);
	assert_int_equal(trial_batch(&t, 0, 100), 0);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("remote_frees"), 0);
	assert_int_equal(told_value("drained"), 8);
}

/* ---- node_imbalance ---- */

static void node_imbalance_hands_over_the_share(void **state)
{
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_node_imbalance, NULL, 2, own_nodes);
	assert_int_equal(trial_batch(&t, 0, 640), 640);
	assert_int_equal(trial_batch(&t, 1, 80), 80);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("own_objects"), 80);
	assert_int_equal(told_value("remote_frees"), 320);
	assert_int_equal(told_value("cross_node_frees"), 320);
	assert_int_equal(told_value("drained"), 320);
}

static void node_imbalance_lets_even_workers_make_on_one_node(void **state)
{
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_node_imbalance, NULL, 4, one_node);
	for (int i = 0; i < 4; i += 2)
		assert_int_equal(trial_batch(&t, i, 320), 320);
	for (int i = 1; i < 4; i += 2)
		assert_int_equal(trial_batch(&t, i, 80), 80);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("remote_frees"), 640);
	assert_int_equal(told_value("cross_node_frees"), 0);
}

static void node_imbalance_asks_for_the_share_on_the_node(void **state)
{
	static const char *const settings[] = {"mode", "node",	       "node", "3", "share",
					       "30",   "live_objects", "8",    NULL};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_node_imbalance, settings, 2, own_nodes);
	counting.is_traced = true;
	assert_int_equal(trial_batch(&t, 0, 100), 100);
	assert_int_equal(counting.nr_on_node[3], 30);
	assert_int_equal(atomic_load(&counting.nr_live), 16);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("asked_objects"), 30);
	assert_int_equal(told_value("remote_frees"), 0);
}

static void node_imbalance_refuses_what_cannot_be(void **state)
{
	static const char *const settings[] = {"node", "4", NULL};

	(void)state;
	assert_int_equal(setup_answer(&nslab_plugin_node_imbalance, settings, 2), -ENXIO);
	assert_int_equal(setup_answer(&nslab_plugin_node_imbalance, NULL, 1), -EINVAL);
}

/* ---- memory_only_node ---- */

static void memory_only_node_asks_where_no_pu_is(void **state)
{
	static const char *const settings[] = {"live_objects", "8", NULL};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_memory_only_node, settings, 1, own_nodes);
	counting.is_traced = true;
	assert_int_equal(trial_batch(&t, 0, 25), 25);
	assert_int_equal(counting.nr_on_node[2], 25);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("objects"), 33);
}

static void memory_only_node_refuses_others(void **state)
{
	static const char *const settings[][3] = {
		{"node", "1", NULL}, {"node", "4", NULL}, {"node", "2", NULL}};

	(void)state;
	assert_int_equal(setup_answer(&nslab_plugin_memory_only_node, settings[0], 1), -EINVAL);
	assert_int_equal(setup_answer(&nslab_plugin_memory_only_node, settings[1], 1), -ENXIO);
	assert_int_equal(setup_answer(&nslab_plugin_memory_only_node, settings[2], 1), 0);
}

/* ---- fork ---- */

/* A sheaf of the table that counts. */
struct nslab_sheaf {
	size_t nr;
	void *objs[64];
};

static long nr_prefills, nr_returned;

static int sheaf_prefill(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, size_t nr,
			 struct nslab_sheaf **sheaf)
{
	static struct nslab_sheaf only;

	assert_true(nr <= 62);
	only.nr = nr + 2;
	if (!counting_alloc_bulk(cpu, s, gfp, NUMA_NO_NODE, only.nr, only.objs))
		return -ENOMEM;
	nr_prefills++;
	*sheaf = &only;
	return 0;
}

static void *sheaf_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
			 struct nslab_sheaf *sheaf)
{
	(void)cpu;
	(void)s;
	(void)gfp;
	return sheaf->nr ? sheaf->objs[--sheaf->nr] : NULL;
}

static void sheaf_return(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp,
			 struct nslab_sheaf *sheaf)
{
	(void)gfp;
	nr_returned += (long)sheaf->nr;
	while (sheaf->nr)
		counting_free(cpu, s, sheaf->objs[--sheaf->nr]);
}

static void fork_takes_nodes_from_a_prefilled_sheaf(void **state)
{
	static const char *const settings[] = {"processes", "3", "areas", "40", NULL};
	struct nslab_allocator_ops ops = counting_ops;
	struct trial t;

	(void)state;
	ops.sheaf_prefill = sheaf_prefill;
	ops.sheaf_alloc = sheaf_alloc;
	ops.sheaf_return = sheaf_return;
	nr_prefills = nr_returned = 0;
	counting_reset();
	told.nr = 0;
	told.base.figure = told_figure;
	trial_open(&t, &nslab_plugin_fork, NSLAB_ENTRY_CACHE, 1, settings);
	t.heap.ops = &ops;
	assert_int_equal(trial_join(&t, 0), 0);
	/* 8 objects, 5 nodes, 40 areas and as many chains of them */
	assert_int_equal(atomic_load(&counting.nr_live), 3 * 93);
	assert_int_equal(trial_batch(&t, 0, 94), 2 * 93);
	assert_int_equal(atomic_load(&counting.nr_live), 3 * 93);
	assert_int_equal(nr_prefills, 5);
	assert_int_equal(nr_returned, 10);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("processes"), 5);
	assert_int_equal(told_value("prefilled_nodes"), 25);
}

static void fork_takes_nodes_in_one_call_when_bulk(void **state)
{
	static const char *const settings[] = {"processes", "1",    "areas", "20",
					       "nodes",	    "bulk", NULL};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_fork, settings, 1, own_nodes);
	assert_int_equal(trial_batch(&t, 0, 1), 8 + 3 + 40);
	assert_int_equal(counting.bulk_allocs[3], 2);
	assert_int_equal(crew_close(&t), 0);
}

/* ---- dentry ---- */

static void dentry_shrinks_when_it_is_full(void **state)
{
	static const char *const settings[] = {"entries", "100", "shrink", "40", NULL};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_dentry, settings, 1, own_nodes);
	assert_int_equal(trial_batch(&t, 0, 199), 200);
	assert_int_equal(atomic_load(&counting.nr_live), 200);
	assert_int_equal(trial_batch(&t, 0, 2), 2);
	assert_int_equal(atomic_load(&counting.nr_live), 2 * 61);
	assert_int_equal(trial_batch(&t, 0, 2000), 2000);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("entries_made"), 1101);
	assert_int_equal(told_value("entries_reclaimed") % 40, 0);
	assert_true(told_value("entries_reclaimed") >= 1000);
	assert_true(told_value("entries_spared") > 0);
	assert_true(told_value("hits") > 0);
}

static void dentry_finds_an_inode_of_another_entry(void **state)
{
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_dentry, NULL, 1, own_nodes);
	counting.is_traced = true;
	assert_int_equal(trial_batch(&t, 0, 8), 8);
	/* the second object is the first entry's inode */
	((void **)counting.allocated[1])[1] = counting.allocated[2];
	assert_int_equal(crew_close(&t), -EILSEQ);
}

/* ---- false_sharing ---- */

static long shared_pairs(const char *mode, const char *size)
{
	const char *settings[] = {"mode", mode, "size", size, "live_objects", "4", NULL};
	struct trial t;

	told.nr = 0;
	told.base.figure = told_figure;
	counting_reset();
	counting.is_packed = true;
	trial_open(&t, &nslab_plugin_false_sharing, NSLAB_ENTRY_CACHE, 2, settings);
	for (int i = 0; i < 2; i++)
		assert_int_equal(trial_join(&t, i), 0);
	assert_int_equal(crew_close(&t), 0);
	return told_value("shared_pairs");
}

static void false_sharing_counts_pairs_on_one_line(void **state)
{
	(void)state;
	/* all eight on one line */
	assert_int_equal(shared_pairs("active", "8"), 16);
	assert_int_equal(shared_pairs("passive", "8"), 16);
	/* bytes 0..159 and 160..319: one object of each ends and begins on the third line */
	assert_int_equal(shared_pairs("active", "40"), 1);
	/* two of each worker on either of two lines */
	assert_int_equal(shared_pairs("passive", "16"), 8);
	assert_int_equal(shared_pairs("passive", "64"), 0);
}

static void false_sharing_hands_out_what_others_free(void **state)
{
	static const char *const settings[] = {"mode", "passive", "live_objects", "4", NULL};
	static const int nodes[] = {0, 0, 1};
	struct trial t;

	(void)state;
	crew_open(&t, &nslab_plugin_false_sharing, settings, 3, nodes);
	assert_int_equal(atomic_load(&counting.nr_live), 12);
	assert_int_equal(trial_batch(&t, 0, 10), 10);
	assert_int_equal(trial_batch(&t, 1, 3), 3);
	assert_int_equal(trial_batch(&t, 2, 10), 10);
	assert_int_equal(atomic_load(&counting.nr_live), 12);
	assert_int_equal(crew_close(&t), 0);
	assert_int_equal(told_value("objects"), 23);
	assert_int_equal(told_value("remote_frees"), 7);
	assert_int_equal(told_value("cross_node_frees"), 4);
}

/* ---- all of them ---- */

struct short_case {
	const struct nslab_plugin *plugin;
	int nr_workers;
	const char *settings[7];
};

static const struct short_case short_cases[] = {
	{&nslab_plugin_skb, 2, {NULL}},
	{&nslab_plugin_all_to_one, 2, {NULL}},
	{&nslab_plugin_all_to_one, 2, {"gfp", "nowait", NULL}},
	{&nslab_plugin_one_to_all, 3, {NULL}},
	{&nslab_plugin_node_imbalance, 2, {NULL}},
	{&nslab_plugin_node_imbalance, 2, {"mode", "node", "live_objects", "8", NULL}},
	{&nslab_plugin_memory_only_node, 1, {"live_objects", "8", NULL}},
	{&nslab_plugin_fork, 1, {"processes", "1", "areas", "1", "nodes", "single", NULL}},
	{&nslab_plugin_fork, 1, {"processes", "1", "areas", "9", "nodes", "bulk", NULL}},
	{&nslab_plugin_dentry, 1, {"entries", "8", NULL}},
	{&nslab_plugin_false_sharing, 2, {"live_objects", "4", NULL}},
	{&nslab_plugin_false_sharing, 2, {"live_objects", "4", "mode", "passive", NULL}},
};

/* The allocation with this number is the first that fails: nothing is lost, and verify tells. */
static void run_short(const struct short_case *c, long fail_at)
{
	bool is_in[WORKERS_MAX] = {false};
	struct trial t;
	int rc = 0;

	counting_reset();
	counting.fail_at = fail_at;
	trial_open(&t, c->plugin, NSLAB_ENTRY_CACHE, c->nr_workers, c->settings);
	for (int i = 0; i < c->nr_workers && !rc; i++) {
		t.cpus[i].node = i;
		rc = trial_join(&t, i);
		is_in[i] = !rc;
	}
	if (rc)
		assert_int_equal(rc, -ENOMEM);
	else
		assert_true(trial_batch(&t, 0, 100) < 100);
	atomic_store(&t.run.is_stopping, true);
	for (int i = 0; i < c->nr_workers; i++) {
		if (is_in[i])
			trial_leave(&t, i);
	}
	assert_int_equal(trial_close(&t), rc ? 0 : -ENOMEM);
	assert_int_equal(atomic_load(&counting.nr_live), 0);
}

static void workload_tells_when_memory_is_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(short_cases) / sizeof(short_cases[0]); i++) {
		for (long fail_at = 1; fail_at <= 60; fail_at++)
			run_short(&short_cases[i], fail_at);
	}
}

static void workload_does_nothing_when_asked_for_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(short_cases) / sizeof(short_cases[0]); i++) {
		const struct short_case *c = &short_cases[i];
		struct trial t;
		long nr_allocs;

		crew_open(&t, c->plugin, c->settings, c->nr_workers, own_nodes);
		nr_allocs = atomic_load(&counting.nr_allocs);
		for (int k = 0; k < c->nr_workers; k++)
			assert_int_equal(trial_batch(&t, k, 0), 0);
		assert_int_equal(atomic_load(&counting.nr_allocs), nr_allocs);
		assert_int_equal(crew_close(&t), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(skb_counts_both_objects_of_each_packet),
		cmocka_unit_test(skb_deals_to_every_application_when_in_groups),
		cmocka_unit_test(skb_finds_a_head_that_was_changed),
		cmocka_unit_test(skb_refuses_what_cannot_be),
		cmocka_unit_test(skb_says_why_when_a_plan_is_made),
		cmocka_unit_test(all_to_one_frees_what_everyone_made),
		cmocka_unit_test(all_to_one_asks_again_when_nowait_is_refused),
		cmocka_unit_test(one_to_all_deals_objects_in_turn),
		cmocka_unit_test(one_to_all_gives_up_when_stopping),
		cmocka_unit_test(node_imbalance_hands_over_the_share),
		cmocka_unit_test(node_imbalance_lets_even_workers_make_on_one_node),
		cmocka_unit_test(node_imbalance_asks_for_the_share_on_the_node),
		cmocka_unit_test(node_imbalance_refuses_what_cannot_be),
		cmocka_unit_test(memory_only_node_asks_where_no_pu_is),
		cmocka_unit_test(memory_only_node_refuses_others),
		cmocka_unit_test(fork_takes_nodes_from_a_prefilled_sheaf),
		cmocka_unit_test(fork_takes_nodes_in_one_call_when_bulk),
		cmocka_unit_test(dentry_shrinks_when_it_is_full),
		cmocka_unit_test(dentry_finds_an_inode_of_another_entry),
		cmocka_unit_test(false_sharing_counts_pairs_on_one_line),
		cmocka_unit_test(false_sharing_hands_out_what_others_free),
		cmocka_unit_test(workload_tells_when_memory_is_out),
		cmocka_unit_test(workload_does_nothing_when_asked_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
