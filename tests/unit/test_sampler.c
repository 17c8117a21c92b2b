/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_sampler.c: memory over time: where the sampler may run, what a cache's counts mean in bytes,
 * and a timeline on a planted source and clock. The last test starts the thread itself beside
 * threads that allocate; it waits for nothing but the
 * thread's end. No value depends on when it was sampled.
 */
#define _GNU_SOURCE
#include "runner/sampler.h"

#include "core/list.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- where ---- */

static void machine_make(struct nslab_topo *topo, struct nslab_topo_pu pus[8])
{
	memset(pus, 0, 8 * sizeof(*pus));
	*topo = (struct nslab_topo){.nr_pus = 8, .pus = pus};
	for (int i = 0; i < 8; i++)
		pus[i] = (struct nslab_topo_pu){
			.os_index = 10 + i, .core = i / 2, .is_usable = true};
}

static void expect_place(const struct nslab_topo *topo, const int *pus, int nr,
			 enum nslab_sampler_mode mode, const char *expected)
{
	json_t *place = nslab_sampler_place(topo, pus, nr, mode);
	char *text = place ? json_dumps(place, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	if (expected)
		assert_string_equal(text, expected);
	else
		assert_null(place);
	free(text);
	json_decref(place);
}

static void sampler_keeps_off_the_cores_of_workers_when_there_are_others(void **state)
{
	const int two[] = {0, 2}, four[] = {0, 2, 4, 6}, all[] = {0, 1, 2, 3, 4, 5, 6, 7};
	struct nslab_topo_pu pus[8];
	struct nslab_topo topo;

	(void)state;
	machine_make(&topo, pus);
	expect_place(&topo, two, 2, NSLAB_SAMPLER_AUTO, "{\"pus\":[14,15,16,17]}");
	expect_place(&topo, two, 2, NSLAB_SAMPLER_OFF, NULL);
	/* no core is left: siblings of workers */
	expect_place(&topo, four, 4, NSLAB_SAMPLER_AUTO, "{\"pus\":[11,13,15,17]}");
	/* a PU that may not be used is no place */
	pus[1].is_usable = pus[3].is_usable = pus[5].is_usable = false;
	expect_place(&topo, four, 4, NSLAB_SAMPLER_AUTO, "{\"pus\":[17]}");
	expect_place(&topo, all, 8, NSLAB_SAMPLER_AUTO, NULL);
	expect_place(&topo, all, 8, NSLAB_SAMPLER_ON, "{\"pus\":[17],\"shares\":17}");
}

/* ---- what ---- */

static void sample_clear(struct nslab_memory_sample *sample)
{
	for (int i = 0; i < NSLAB_NR_MEMORY; i++)
		sample->values[i] = NAN;
}

static double sum_of_parts(const struct nslab_memory_sample *sample)
{
	double sum = 0;

	for (int i = NSLAB_MEMORY_USED; i <= NSLAB_MEMORY_TAIL; i++)
		sum += isnan(sample->values[i]) ? 0 : sample->values[i];
	return sum;
}

/* 3 slabs of 2 pages with 40 objects of 180 bytes at a stride of 200; 50 free, 20 of them held */
static void memory_is_cut_into_five_parts_when_a_cache_is_added(void **state)
{
	const struct kmem_cache s = {.object_size = 180, .size = 200};
	const struct nslab_cache_stats parked = {
		.nr_slabs = 3, .nr_pages = 6, .nr_objects = 120, .nr_free = 50, .nr_cpu_free = 20};
	const struct nslab_cache_stats seen = {
		.nr_slabs = 3, .nr_pages = 6, .nr_objects = 120, .nr_free = 30};
	struct nslab_memory_sample sample;

	(void)state;
	sample_clear(&sample);
	nslab_memory_add_cache(&sample, &s, &parked, true);
	assert_true(sample.values[NSLAB_MEMORY_USED] == 70 * 180);
	assert_true(sample.values[NSLAB_MEMORY_QUEUED] == 20 * 180);
	assert_true(sample.values[NSLAB_MEMORY_FREE] == 30 * 180);
	assert_true(sample.values[NSLAB_MEMORY_PADDING] == 120 * 20);
	assert_true(sample.values[NSLAB_MEMORY_TAIL] == 6 * 4096 - 120 * 200);
	assert_true(sum_of_parts(&sample) == sample.values[NSLAB_MEMORY_SLABS]);
	sample_clear(&sample);
	nslab_memory_add_cache(&sample, &s, &seen, false);
	assert_true(sample.values[NSLAB_MEMORY_USED] == 90 * 180); /* with what CPUs hold */
	assert_true(isnan(sample.values[NSLAB_MEMORY_QUEUED]));	   /* not known, not 0 */
	assert_true(sum_of_parts(&sample) == sample.values[NSLAB_MEMORY_SLABS]);
	nslab_memory_add_cache(&sample, &s, &seen, false);
	assert_true(sample.values[NSLAB_MEMORY_NR_SLABS] == 6);
}

static void memory_has_no_negative_part_when_counts_do_not_fit(void **state)
{
	const struct kmem_cache s = {.object_size = 64, .size = 64};
	const struct nslab_cache_stats torn = {
		.nr_slabs = 1, .nr_pages = 1, .nr_objects = 128, .nr_free = 500};
	struct nslab_memory_sample sample;

	(void)state;
	sample_clear(&sample);
	nslab_memory_add_cache(&sample, &s, &torn, false);
	for (int i = 0; i < NSLAB_NR_MEMORY; i++)
		assert_false(sample.values[i] < 0);
}

/* ---- when ---- */

struct planted {
	struct nslab_memory_source source;
	struct nslab_clock clock;
};

static uint64_t planted_ns, planted_nr;

static uint64_t planted_now(const struct nslab_clock *clock)
{
	(void)clock;
	return planted_ns;
}

static void planted_read(struct nslab_memory_source *source, bool is_parked,
			 struct nslab_memory_sample *sample)
{
	(void)source;
	sample->values[NSLAB_MEMORY_RSS] = (double)planted_nr++;
	if (is_parked)
		sample->values[NSLAB_MEMORY_QUEUED] = 64;
}

static void timeline_doubles_its_step_when_there_is_no_room(void **state)
{
	const struct nslab_clock clock = {planted_now, planted_now};
	struct nslab_memory_source source = {planted_read};
	struct nslab_timeline timeline;

	(void)state;
	planted_ns = 7000;
	planted_nr = 0;
	assert_int_equal(nslab_timeline_init(&timeline, 8, 5000), 0);
	for (int i = 0; i < 50; i++) {
		nslab_timeline_take(&timeline, &clock, &source, false);
		planted_ns += timeline.step_ns;
		assert_true(timeline.nr <= timeline.room);
	}
	assert_true(timeline.step_ns > 5000);
	assert_int_equal(timeline.samples[0].at_ns, 0);
	for (size_t i = 1; i < timeline.nr; i++)
		assert_true(timeline.samples[i].at_ns > timeline.samples[i - 1].at_ns);
	nslab_timeline_free(&timeline);
}

static void timeline_tells_only_what_is_known_when_it_becomes_points(void **state)
{
	const struct nslab_clock clock = {planted_now, planted_now};
	struct nslab_memory_source source = {planted_read};
	struct nslab_timeline timeline;
	json_t *points = json_array();
	char *text;

	(void)state;
	planted_ns = 1000000;
	planted_nr = 40;
	assert_int_equal(nslab_timeline_init(&timeline, 8, 5000), 0);
	nslab_timeline_take(&timeline, &clock, &source, false);
	planted_ns += 2500000;
	nslab_timeline_take(&timeline, &clock, &source, true);
	nslab_timeline_points(&timeline, points);
	text = json_dumps(points, JSON_COMPACT);
	assert_string_equal(text, "[[\"memory queued\",2.5,64.0],[\"memory rss\",0.0,40.0],"
				  "[\"memory rss\",2.5,41.0]]");
	free(text);
	json_decref(points);
	nslab_timeline_free(&timeline);
}

static void planted_read_blocks(struct nslab_memory_source *source, bool is_parked,
				struct nslab_memory_sample *sample)
{
	static const double blocks[] = {4, 4, NAN, 7, 7, 7};

	(void)source;
	(void)is_parked;
	sample->values[NSLAB_MEMORY_BUDDY + 3] = blocks[planted_nr++];
}

/* First, change and last; not what stays as it is, nor samples in which blocks were not counted. */
static void timeline_tells_blocks_when_they_change(void **state)
{
	const struct nslab_clock clock = {planted_now, planted_now};
	struct nslab_memory_source source = {planted_read_blocks};
	struct nslab_timeline timeline;
	json_t *points = json_array();
	char *text;

	(void)state;
	planted_ns = planted_nr = 0;
	assert_int_equal(nslab_timeline_init(&timeline, 8, 5000), 0);
	for (int i = 0; i < 6; i++) {
		nslab_timeline_take(&timeline, &clock, &source, i == 5);
		planted_ns += 1000000;
	}
	nslab_timeline_points(&timeline, points);
	text = json_dumps(points, JSON_COMPACT);
	assert_string_equal(text, "[[\"memory buddy 3\",0.0,4.0],[\"memory buddy 3\",3.0,7.0],"
				  "[\"memory buddy 3\",5.0,7.0]]");
	free(text);
	json_decref(points);
	nslab_timeline_free(&timeline);
}

/* ---- beside threads that allocate ---- */

#define THREADS 2
#define OBJECTS 3000
#define SIZE	200

struct load {
	struct nslab_world *world;
	struct kmem_cache *s;
	int id;
	pthread_t thread;
	pthread_barrier_t *parked, *released;
};

static void *load_main(void *arg)
{
	struct load *load = arg;
	void **objs = calloc(OBJECTS, sizeof(*objs));
	struct nslab_cpu *cpu;

	assert_non_null(objs);
	assert_int_equal(nslab_world_cpu_online(load->world, load->id, 0, &cpu), 0);
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < OBJECTS; i++)
			objs[i] = kmem_cache_alloc(cpu, load->s, GFP_KERNEL);
		for (int i = 0; i < OBJECTS && round < 19; i++)
			kmem_cache_free(cpu, load->s, objs[i]);
	}
	cpu->ops->quiesce(cpu);
	pthread_barrier_wait(load->parked);
	pthread_barrier_wait(load->released);
	for (int i = 0; i < OBJECTS; i++)
		kmem_cache_free(cpu, load->s, objs[i]);
	nslab_world_cpu_offline(load->world, cpu);
	free(objs);
	return NULL;
}

static double last_of(const json_t *points, const char *series)
{
	double value = NAN;

	for (size_t i = 0; i < json_array_size(points); i++) {
		json_t *point = json_array_get(points, i);

		if (!strcmp(json_string_value(json_array_get(point, 0)), series))
			value = json_number_value(json_array_get(point, 2));
	}
	return value;
}

static void sample_backend(struct nslab_registry *registry, const char *name)
{
	struct nslab_topo_node node = {.memory_bytes = 1 << 30};
	unsigned distance = 10;
	struct nslab_topo topo = {
		.nr_nodes = 1, .nodes = &node, .distances = &distance, .is_simulated = true};
	const struct nslab_arena_spec arena = {
		.topo = &topo, .memory = {.node = -1}, .node_bytes = 32 << 20, .nr_cpus = THREADS};
	const struct nslab_entry_record *allocator;
	struct nslab_err err = {""};
	struct nslab_world_spec spec = {.arena = &arena};
	const struct nslab_cache_spec cache = {.name = "sampled",
					       .object_size = SIZE,
					       .order = NSLAB_AUTO,
					       .min_partial = NSLAB_AUTO,
					       .cpu_partial = NSLAB_AUTO,
					       .sheaf_capacity = NSLAB_AUTO,
					       .flags = SLAB_NO_MERGE};
	json_t *place = json_pack("{s:[i], s:i}", "pus", 0, "shares", 0);
	json_t *points = json_array(), *figures = json_array();
	pthread_barrier_t parked, released;
	struct load loads[THREADS];
	struct nslab_sampler *sampler;
	struct nslab_world *world;
	struct kmem_cache *s;

	assert_int_equal(
		nslab_registry_get(registry, NSLAB_PLUGIN_ALLOCATOR, name, &allocator, &err), 0);
	spec.allocator = allocator->ops.allocator;
	spec.page = nslab_registry_at(registry, NSLAB_PLUGIN_PAGE, 0)->ops.page;
	assert_int_equal(nslab_world_open(&spec, &world, &err), 0);
	assert_int_equal(spec.allocator->cache_create(nslab_world_heap(world), &cache, &s), 0);
	pthread_barrier_init(&parked, NULL, THREADS + 1);
	pthread_barrier_init(&released, NULL, THREADS + 1);
	assert_int_equal(nslab_sampler_start(place, world, &sampler, &err), 0);
	for (int i = 0; i < THREADS; i++) {
		loads[i] = (struct load){
			.world = world, .s = s, .id = i, .parked = &parked, .released = &released};
		assert_int_equal(pthread_create(&loads[i].thread, NULL, load_main, &loads[i]), 0);
	}
	pthread_barrier_wait(&parked);
	nslab_sampler_park(sampler);
	nslab_sampler_result(sampler, figures, points);
	/* exact: every object that the threads hold, and nothing else */
	assert_true(last_of(points, "memory used") == (double)THREADS * OBJECTS * SIZE);
	assert_true(last_of(points, "memory slabs") >= last_of(points, "memory used"));
	assert_true(last_of(points, "memory rss") > 0);
	assert_true(last_of(points, "memory buddy 10") > 0);
	assert_int_equal(json_array_size(figures), 1);
	pthread_barrier_wait(&released);
	for (int i = 0; i < THREADS; i++)
		pthread_join(loads[i].thread, NULL);
	nslab_sampler_free(sampler);
	assert_int_equal(nslab_world_cache_destroy(world, s), 0);
	nslab_world_close(world);
	pthread_barrier_destroy(&parked);
	pthread_barrier_destroy(&released);
	json_decref(place);
	json_decref(points);
	json_decref(figures);
}

static void sampler_is_exact_when_workers_are_parked(void **state)
{
	static const char *const names[] = {"slub", "sheaves", "slab", "nodelocal"};
	struct nslab_registry *registry;
	struct nslab_err err = {""};

	(void)state;
	assert_int_equal(nslab_registry_open(NULL, &registry, &err), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		sample_backend(registry, names[i]);
	nslab_registry_destroy(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sampler_keeps_off_the_cores_of_workers_when_there_are_others),
		cmocka_unit_test(memory_is_cut_into_five_parts_when_a_cache_is_added),
		cmocka_unit_test(memory_has_no_negative_part_when_counts_do_not_fit),
		cmocka_unit_test(timeline_doubles_its_step_when_there_is_no_room),
		cmocka_unit_test(timeline_tells_only_what_is_known_when_it_becomes_points),
		cmocka_unit_test(timeline_tells_blocks_when_they_change),
		cmocka_unit_test(sampler_is_exact_when_workers_are_parked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
