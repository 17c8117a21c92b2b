/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_structures.c: workloads that check what they hold find what was planted.
 *
 * The workloads are compiled into this file, so that a test reaches the state of a worker: it runs
 * a while, breaks one thing (a stamp, a link, a colour, a count, a page's mark) and lets the worker
 * leave; verify() must then answer -EILSEQ, and 0 when nothing was broken. Objects come from
 * malloc, so AddressSanitizer sees what is lost on the way; pages from a world of four nodes.
 * Memory that runs out must give -ENOMEM and leave the structure sound.
 */
#define _GNU_SOURCE
#include "core/param.h"
#include "tests/support/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* clang-format off */
#undef NSLAB_PLUGIN_SYMBOL
#define NSLAB_PLUGIN_SYMBOL test_plugin_list
#include "workloads/list.c"
#undef NSLAB_PLUGIN_SYMBOL
#define NSLAB_PLUGIN_SYMBOL test_plugin_rbtree
#include "workloads/rbtree.c"
#undef NSLAB_PLUGIN_SYMBOL
#define NSLAB_PLUGIN_SYMBOL test_plugin_hashtable
#include "workloads/hashtable.c"
#undef NSLAB_PLUGIN_SYMBOL
#define NSLAB_PLUGIN_SYMBOL test_plugin_idr
#include "workloads/idr.c"
#undef NSLAB_PLUGIN_SYMBOL
#define NSLAB_PLUGIN_SYMBOL test_plugin_kfifo
#include "workloads/kfifo.c"
#undef NSLAB_PLUGIN_SYMBOL
#define NSLAB_PLUGIN_SYMBOL test_plugin_pages
#include "workloads/pages.c"
#undef NSLAB_PLUGIN_SYMBOL
#define NSLAB_PLUGIN_SYMBOL test_plugin_vmalloc
#include "workloads/vmalloc.c"
#undef NSLAB_PLUGIN_SYMBOL
#define NSLAB_PLUGIN_SYMBOL test_plugin_cma
#include "workloads/cma.c"
/* clang-format on */

#define WORKERS_MAX 2

struct settings {
	const char *key, *value;
};

static const struct settings few[] = {{"objects", "200"}, {NULL, NULL}};
static const struct settings few_intervals[] = {{"intervals", "200"}, {NULL, NULL}};
static const struct settings lowest[] = {{"objects", "200"}, {"cyclic", "no"}, {NULL, NULL}};

/* ---- one run ---- */

/* Fails from allocation number fail_at on; 0: never. */
static struct {
	long nr_allocs, nr_live, fail_at;
} table;

static void *table_kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	(void)cpu;
	(void)gfp;
	(void)node;
	if (table.fail_at && ++table.nr_allocs >= table.fail_at)
		return NULL;
	table.nr_live++;
	return malloc(size_bytes);
}

static void table_kfree(struct nslab_cpu *cpu, void *obj)
{
	(void)cpu;
	table.nr_live--;
	free(obj);
}

static const struct nslab_allocator_ops table_ops = {
	.name = "table",
	.kmalloc = table_kmalloc,
	.kfree = table_kfree,
};

struct stage {
	const struct nslab_workload_ops *ops;
	struct nslab_run run;
	struct nslab_heap heap;
	struct nslab_cpu cpus[WORKERS_MAX];
	struct nslab_worker *workers[WORKERS_MAX];
	struct nslab_workload *w;
	int nr_workers;
};

static void stage_params(const struct nslab_workload_ops *ops, const struct settings *settings,
			 void *params)
{
	struct nslab_err err = {""};

	assert_int_equal(nslab_param_defaults(ops->params, params, &err), 0);
	for (; settings && settings->key; settings++) {
		const struct nslab_param *row = nslab_param_find(ops->params, settings->key);

		assert_non_null(row);
		assert_int_equal(nslab_param_set(row, settings->value, params, &err), 0);
	}
}

/* All workers have joined and done 300 operations each, one after the other in small steps. */
static void stage_open(struct stage *s, const struct nslab_workload_ops *ops,
		       const struct settings *settings)
{
	_Alignas(16) char params[512] = {0};

	memset(s, 0, sizeof(*s));
	memset(&table, 0, sizeof(table));
	s->ops = ops;
	s->heap.ops = &table_ops;
	s->run = (struct nslab_run){.heap = &s->heap, .entry = NSLAB_ENTRY_KMALLOC, .seed = 42};
	s->nr_workers = s->run.nr_workers = ops->min_workers;
	assert_true(ops->params_size <= sizeof(params));
	stage_params(ops, settings, params);
	assert_int_equal(ops->setup(&s->run, params, &s->w), 0);
	for (int i = 0; i < s->nr_workers; i++) {
		s->cpus[i].ops = &table_ops;
		assert_int_equal(ops->worker_init(s->w, &s->cpus[i], i, &s->workers[i]), 0);
	}
	for (int step = 0; step < 30; step++) {
		for (int i = 0; i < s->nr_workers; i++)
			assert_int_equal(ops->batch[s->run.entry](s->workers[i], 10), 10);
	}
}

static int stage_close(struct stage *s)
{
	int rc;

	for (int i = 0; i < s->nr_workers; i++)
		s->ops->worker_exit(s->workers[i]);
	rc = s->ops->verify(s->w);
	s->ops->teardown(s->w);
	assert_int_equal(table.nr_live, 0);
	return rc;
}

static void finds(const struct nslab_workload_ops *ops, const struct settings *settings,
		  void (*plant)(struct nslab_worker *worker))
{
	struct stage s;

	stage_open(&s, ops, settings);
	plant(s.workers[0]);
	assert_int_equal(stage_close(&s), -EILSEQ);
}

/* ---- all five ---- */

static const struct {
	const struct nslab_workload_ops *ops;
	const struct settings *settings;
} structures[] = {
	{&list_ops, few}, {&rbtree_ops, few_intervals}, {&hashtable_ops, few},
	{&idr_ops, few},  {&idr_ops, lowest},		{&kfifo_ops, NULL},
};

#define NR_STRUCTURES (sizeof(structures) / sizeof(structures[0]))

static void structure_is_sound_when_nothing_was_broken(void **state)
{
	struct stage s;

	(void)state;
	for (size_t i = 0; i < NR_STRUCTURES; i++) {
		stage_open(&s, structures[i].ops, structures[i].settings);
		assert_int_equal(stage_close(&s), 0);
	}
}

/* At whichever allocation it happens: idr makes up to three at once. */
static void structure_stays_sound_when_memory_runs_out(void **state)
{
	struct stage s;

	(void)state;
	for (size_t i = 0; i < NR_STRUCTURES; i++) {
		for (long at = 1; at <= 40; at++) {
			stage_open(&s, structures[i].ops, structures[i].settings);
			table.fail_at = at;
			assert_true(s.ops->batch[s.run.entry](s.workers[0], 100) < 100);
			assert_int_equal(stage_close(&s), -ENOMEM);
		}
	}
}

/* ---- list ---- */

static struct list_worker *list_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct list_worker, base.base);
}

static void plant_list_stamp(struct nslab_worker *worker)
{
	list_of(worker)->slots[7]->stamp++;
}

static void plant_list_order(struct nslab_worker *worker)
{
	struct list_worker *self = list_of(worker);

	TAILQ_NEXT(TAILQ_FIRST(&self->head), link)->last_use = 0;
}

static void plant_list_lost(struct nslab_worker *worker)
{
	struct list_worker *self = list_of(worker);

	TAILQ_REMOVE(&self->head, self->slots[9], link);
}

static void plant_list_slot(struct nslab_worker *worker)
{
	struct list_worker *self = list_of(worker);
	struct list_node *node = self->slots[3];

	self->slots[3] = self->slots[4];
	self->slots[4] = node;
}

static void list_finds_what_was_broken(void **state)
{
	(void)state;
	finds(&list_ops, few, plant_list_stamp);
	finds(&list_ops, few, plant_list_order);
	finds(&list_ops, few, plant_list_lost);
	finds(&list_ops, few, plant_list_slot);
}

/* ---- rbtree ---- */

static struct rbtree_worker *rbtree_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct rbtree_worker, base.base);
}

/* A black node with a black child turned red: one black too few on its ways. */
static void plant_rbtree_colour(struct nslab_worker *worker)
{
	struct rbtree_node *node = RB_ROOT(&rbtree_of(worker)->head);

	while (rbtree_color(RB_LEFT(node, link)) == RB_RED)
		node = RB_LEFT(node, link);
	RB_COLOR(RB_LEFT(node, link), link) = RB_RED;
}

static void plant_rbtree_overlap(struct nslab_worker *worker)
{
	struct rbtree_worker *self = rbtree_of(worker);
	struct rbtree_node *first = RB_MIN(rbtree_head, &self->head);

	first->end = RB_NEXT(rbtree_head, &self->head, first)->start + 1;
}

static void plant_rbtree_order(struct nslab_worker *worker)
{
	struct rbtree_worker *self = rbtree_of(worker);
	struct rbtree_node *last = RB_MAX(rbtree_head, &self->head);

	last->start = 0;
	last->end = 1;
	last->stamp = nslab_structure_stamp(last, 0);
}

static void plant_rbtree_parent(struct nslab_worker *worker)
{
	struct rbtree_node *root = RB_ROOT(&rbtree_of(worker)->head);

	RB_PARENT(RB_RIGHT(root, link), link) = RB_LEFT(root, link);
}

static void plant_rbtree_stamp(struct nslab_worker *worker)
{
	RB_ROOT(&rbtree_of(worker)->head)->stamp++;
}

static void plant_rbtree_count(struct nslab_worker *worker)
{
	rbtree_of(worker)->nr++;
}

static void rbtree_finds_what_was_broken(void **state)
{
	(void)state;
	finds(&rbtree_ops, few_intervals, plant_rbtree_colour);
	finds(&rbtree_ops, few_intervals, plant_rbtree_overlap);
	finds(&rbtree_ops, few_intervals, plant_rbtree_order);
	finds(&rbtree_ops, few_intervals, plant_rbtree_parent);
	finds(&rbtree_ops, few_intervals, plant_rbtree_stamp);
	finds(&rbtree_ops, few_intervals, plant_rbtree_count);
}

/* ---- hashtable ---- */

static struct hashtable_worker *hashtable_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct hashtable_worker, base.base);
}

static struct hashtable_node *hashtable_first(struct nslab_worker *worker)
{
	struct hashtable_worker *self = hashtable_of(worker);

	return hashtable_find(self, self->keys[0]);
}

static void plant_hashtable_stamp(struct nslab_worker *worker)
{
	hashtable_first(worker)->stamp++;
}

/* Into the bucket beside its own. */
static void plant_hashtable_bucket(struct nslab_worker *worker)
{
	struct hashtable_worker *self = hashtable_of(worker);
	struct hashtable_node *node = hashtable_first(worker);
	size_t number = (size_t)(hashtable_bucket(self, node->key) - self->buckets);

	LIST_REMOVE(node, link);
	LIST_INSERT_HEAD(&self->buckets[number ^ 1], node, link);
}

static void plant_hashtable_lost(struct nslab_worker *worker)
{
	struct hashtable_node *node = hashtable_first(worker);

	LIST_REMOVE(node, link);
	table_kfree(NULL, node);
}

static void plant_hashtable_unknown(struct nslab_worker *worker)
{
	hashtable_of(worker)->keys[0] = hashtable_of(worker)->keys[1];
	hashtable_of(worker)->nr--;
}

static void hashtable_finds_what_was_broken(void **state)
{
	(void)state;
	finds(&hashtable_ops, few, plant_hashtable_stamp);
	finds(&hashtable_ops, few, plant_hashtable_bucket);
	finds(&hashtable_ops, few, plant_hashtable_lost);
	finds(&hashtable_ops, few, plant_hashtable_unknown);
}

/* ---- idr ---- */

static struct idr_worker *idr_of(struct nslab_worker *worker)
{
	return nslab_container_of(worker, struct idr_worker, base.base);
}

static struct idr_node *idr_first_leaf(struct nslab_worker *worker)
{
	return idr_leaf(idr_of(worker), idr_of(worker)->ids[0]);
}

static void plant_idr_free(struct nslab_worker *worker)
{
	struct idr_worker *self = idr_of(worker);

	idr_first_leaf(worker)->free |= UINT64_C(1) << idr_slot(self->ids[0], 0);
}

static void plant_idr_upper_free(struct nslab_worker *worker)
{
	struct idr_node *leaf = idr_first_leaf(worker);

	leaf->parent->free ^= UINT64_C(1) << leaf->offset;
}

static void plant_idr_count(struct nslab_worker *worker)
{
	idr_of(worker)->root->count++;
}

static void plant_idr_parent(struct nslab_worker *worker)
{
	idr_first_leaf(worker)->parent = NULL;
}

static void plant_idr_stamp(struct nslab_worker *worker)
{
	idr_first_leaf(worker)->stamp++;
}

static void plant_idr_object(struct nslab_worker *worker)
{
	struct idr_worker *self = idr_of(worker);
	struct idr_object *object = idr_first_leaf(worker)->slots[idr_slot(self->ids[0], 0)];

	object->id++;
}

static void plant_idr_lost(struct nslab_worker *worker)
{
	struct idr_worker *self = idr_of(worker);

	table_kfree(NULL, idr_remove(self, self->ids[0], NSLAB_ENTRY_KMALLOC));
}

static void idr_finds_what_was_broken(void **state)
{
	static void (*const plants[])(struct nslab_worker * worker) = {
		plant_idr_free,	 plant_idr_upper_free, plant_idr_count, plant_idr_parent,
		plant_idr_stamp, plant_idr_object,     plant_idr_lost,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++) {
		finds(&idr_ops, few, plants[i]);
		finds(&idr_ops, lowest, plants[i]);
	}
}

/* 200 live numbers fill four nodes without gaps as long as the lowest free one is taken. */
static void idr_takes_the_lowest_number_when_not_cyclic(void **state)
{
	struct idr_worker *self;
	struct stage s;

	(void)state;
	stage_open(&s, &idr_ops, lowest);
	self = idr_of(s.workers[0]);
	for (uint64_t i = 0; i < self->nr; i++)
		assert_true(self->ids[i] <= self->nr);
	assert_int_equal(stage_close(&s), 0);
	stage_open(&s, &idr_ops, few);
	self = idr_of(s.workers[0]);
	assert_true(self->nr_nodes_made > 5);
	assert_int_equal(stage_close(&s), 0);
}

/* ---- kfifo ---- */

static struct kfifo_node *kfifo_oldest(struct nslab_worker *worker)
{
	struct kfifo_worker *self = nslab_container_of(worker, struct kfifo_worker, base.base);
	struct nslab_ring *ring = self->in.ring;

	assert_true(atomic_load(&ring->tail) != atomic_load(&ring->head));
	return ring->slots[atomic_load(&ring->head) % ring->nr_slots];
}

static void plant_kfifo_stamp(struct nslab_worker *worker)
{
	kfifo_oldest(worker)->stamp++;
}

static void plant_kfifo_number(struct nslab_worker *worker)
{
	kfifo_oldest(worker)->number++;
}

static void plant_kfifo_lost(struct nslab_worker *worker)
{
	struct kfifo_worker *self = nslab_container_of(worker, struct kfifo_worker, base.base);

	table_kfree(NULL, kfifo_oldest(worker));
	atomic_fetch_add(&self->in.ring->head, 1);
}

static void kfifo_finds_what_was_broken(void **state)
{
	(void)state;
	finds(&kfifo_ops, NULL, plant_kfifo_stamp);
	finds(&kfifo_ops, NULL, plant_kfifo_number);
	finds(&kfifo_ops, NULL, plant_kfifo_lost);
}

static void kfifo_refuses_a_single_worker(void **state)
{
	const struct kfifo_params params = {.size = 64, .ring_objects = 4};
	struct nslab_run run = {.nr_workers = 1};
	struct nslab_workload *w;

	(void)state;
	assert_int_equal(kfifo_setup(&run, &params, &w), -EINVAL);
	run.nr_workers = 3;
	assert_int_equal(kfifo_setup(&run, &params, &w), -EINVAL);
}

/* ---- the page layer ---- */

struct page_stage {
	struct machine m;
	struct nslab_run run;
	struct nslab_worker *worker;
	struct nslab_workload *w;
	const struct nslab_workload_ops *ops;
	bool node_has_pus[MACHINE_NODES];
};

static int page_stage_setup(struct page_stage *s, const struct nslab_workload_ops *ops,
			    const struct settings *settings)
{
	_Alignas(16) char params[512] = {0};

	memset(s, 0, sizeof(*s));
	assert_int_equal(machine_find(&s->m, "null", NULL), 0);
	assert_int_equal(machine_open(&s->m, (size_t)32 << 20, 1), 0);
	s->ops = ops;
	s->node_has_pus[0] = true;
	s->run = (struct nslab_run){.env = s->m.env,
				    .heap = s->m.heap,
				    .entry = NSLAB_ENTRY_PAGES,
				    .nr_workers = 1,
				    .seed = 7,
				    .node_has_pus = s->node_has_pus};
	assert_true(ops->params_size <= sizeof(params));
	stage_params(ops, settings, params);
	return ops->setup(&s->run, params, &s->w);
}

static void page_stage_open(struct page_stage *s, const struct nslab_workload_ops *ops,
			    const struct settings *settings)
{
	assert_int_equal(page_stage_setup(s, ops, settings), 0);
	assert_int_equal(ops->worker_init(s->w, s->m.cpu[0], 0, &s->worker), 0);
	assert_int_equal(ops->batch[NSLAB_ENTRY_PAGES](s->worker, 300), 300);
}

static void page_stage_end(struct page_stage *s)
{
	machine_close(&s->m);
	assert_int_equal(s->m.nr_reports, 0);
	machine_forget(&s->m);
}

static int page_stage_close(struct page_stage *s)
{
	int rc;

	s->ops->worker_exit(s->worker);
	rc = s->ops->verify(s->w);
	s->ops->teardown(s->w);
	page_stage_end(s);
	return rc;
}

static void pages_finds_a_mark_that_is_gone(void **state)
{
	struct pages_worker *self;
	struct page_stage s;
	size_t i = 0;

	(void)state;
	page_stage_open(&s, &pages_ops, NULL);
	self = nslab_container_of(s.worker, struct pages_worker, base);
	while (!self->slots[i])
		i++;
	*(uint64_t *)nslab_page_address(s.m.env, self->slots[i]) = 0;
	assert_int_equal(page_stage_close(&s), -EILSEQ);
}

static void pages_tells_of_fragmentation(void **state)
{
	static const struct settings settings[] = {{"orders", "0:3 3:1"},
						   {"live_pages", "20000"},
						   {"movable_percent", "30"},
						   {"sample_ops", "16"},
						   {NULL, NULL}};
	struct page_stage s;
	struct pages *p;

	(void)state;
	page_stage_open(&s, &pages_ops, settings);
	p = nslab_container_of(s.w, struct pages, base);
	/* more looks than there is room for */
	for (int i = 0; i < 2000; i++)
		assert_int_equal(pages_ops.batch[NSLAB_ENTRY_PAGES](s.worker, 16), 16);
	assert_in_range(p->nr_samples, PAGES_SAMPLES / 2, PAGES_SAMPLES);
	for (unsigned i = 1; i < p->nr_samples; i++)
		assert_true(p->samples[i].nr_ops > p->samples[i - 1].nr_ops);
	assert_true(p->samples[p->nr_samples - 1].unusable > p->samples[0].unusable);
	assert_int_equal(page_stage_close(&s), 0);
}

static void pages_refuses_wrong_parameters(void **state)
{
	static const struct settings wrong[][2] = {
		{{"orders", "11:1"}, {NULL, NULL}}, {{"orders", "0"}, {NULL, NULL}},
		{{"orders", "0:0"}, {NULL, NULL}},  {{"orders", ""}, {NULL, NULL}},
		{{"orders", "x"}, {NULL, NULL}},    {{"movable_percent", "90"}, {NULL, NULL}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct page_stage s;

		assert_int_equal(page_stage_setup(&s, &pages_ops, wrong[i]), -EINVAL);
		page_stage_end(&s);
	}
}

static void pages_runs_out_when_it_holds_too_much(void **state)
{
	static const struct settings settings[] = {
		{"live_pages", "1m"}, {"orders", "10:1"}, {NULL, NULL}};
	struct page_stage s;
	size_t nr = 0, done;

	(void)state;
	assert_int_equal(page_stage_setup(&s, &pages_ops, settings), 0);
	assert_int_equal(pages_ops.worker_init(s.w, s.m.cpu[0], 0, &s.worker), 0);
	do {
		done = pages_ops.batch[NSLAB_ENTRY_PAGES](s.worker, 100);
		nr += done;
	} while (done == 100);
	assert_true(nr > 8); /* four nodes of eight such blocks, less what marks keep */
	assert_int_equal(page_stage_close(&s), -ENOMEM);
}

static void vmalloc_finds_a_mark_that_is_gone(void **state)
{
	struct vmalloc_worker *self;
	struct page_stage s;

	(void)state;
	page_stage_open(&s, &vmalloc_ops, NULL);
	self = nslab_container_of(s.worker, struct vmalloc_worker, base);
	((char *)self->areas[5].start)[self->areas[5].bytes - 1] ^= 1;
	assert_int_equal(page_stage_close(&s), -EILSEQ);
	page_stage_open(&s, &vmalloc_ops, NULL);
	assert_true(machine_usage(&s.m).nr_vmalloc_pages >= 64);
	assert_int_equal(page_stage_close(&s), 0);
}

static void cma_finds_a_mark_that_is_gone(void **state)
{
	struct cma_worker *self;
	struct page_stage s;

	(void)state;
	page_stage_open(&s, &cma_ops, NULL);
	self = nslab_container_of(s.worker, struct cma_worker, base);
	*(uint64_t *)nslab_page_address(s.m.env, self->owner->blocks[0]) = 77;
	assert_int_equal(page_stage_close(&s), -EILSEQ);
}

static void cma_moves_what_stands_in_its_way(void **state)
{
	struct cma_worker *self;
	struct page_stage s;

	(void)state;
	page_stage_open(&s, &cma_ops, NULL);
	self = nslab_container_of(s.worker, struct cma_worker, base);
	assert_true(self->owner->nr_moved > 0);
	assert_true(self->nr_served > 0);
	assert_int_equal(machine_usage(&s.m).nr_cma_pages % 512, 0);
	assert_int_equal(page_stage_close(&s), 0);
}

static void cma_is_busy_when_nothing_may_move(void **state)
{
	static const struct settings settings[] = {{"pinned_percent", "100"},
						   {"pressure_percent", "80"},
						   {"align_order", "8"},
						   {NULL, NULL}};
	struct cma_worker *self;
	struct page_stage s;

	(void)state;
	page_stage_open(&s, &cma_ops, settings);
	self = nslab_container_of(s.worker, struct cma_worker, base);
	assert_int_equal(self->owner->nr_moved, 0);
	assert_true(self->nr_busy > 0);
	assert_int_equal(page_stage_close(&s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structure_is_sound_when_nothing_was_broken),
		cmocka_unit_test(structure_stays_sound_when_memory_runs_out),
		cmocka_unit_test(list_finds_what_was_broken),
		cmocka_unit_test(rbtree_finds_what_was_broken),
		cmocka_unit_test(hashtable_finds_what_was_broken),
		cmocka_unit_test(idr_finds_what_was_broken),
		cmocka_unit_test(idr_takes_the_lowest_number_when_not_cyclic),
		cmocka_unit_test(kfifo_finds_what_was_broken),
		cmocka_unit_test(kfifo_refuses_a_single_worker),
		cmocka_unit_test(pages_finds_a_mark_that_is_gone),
		cmocka_unit_test(pages_tells_of_fragmentation),
		cmocka_unit_test(pages_refuses_wrong_parameters),
		cmocka_unit_test(pages_runs_out_when_it_holds_too_much),
		cmocka_unit_test(vmalloc_finds_a_mark_that_is_gone),
		cmocka_unit_test(cma_finds_a_mark_that_is_gone),
		cmocka_unit_test(cma_moves_what_stands_in_its_way),
		cmocka_unit_test(cma_is_busy_when_nothing_may_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
