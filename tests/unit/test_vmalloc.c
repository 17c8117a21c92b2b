/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_vmalloc.c: virtually contiguous memory: contents, order of pages, ranges, mappings, limits.
 *
 * The arena is a file in memory that is mapped where the page allocator works; each area is checked
 * through both mappings. The random tests keep areas of all sizes with a word of their own in each
 * page; their seed is printed and taken from the first argument when there is one.
 */
#define _GNU_SOURCE
#include "allocators/common/vmalloc.h"
#include "allocators/vmalloc_tree.h"
#include "core/rng.h"
#include "tests/unit/page_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define NODE_BYTES (32 * MIB)
#define MAX_AREAS  64

static uint64_t seed = 99;

struct area_fixture {
	struct fixture f;
	int fd;
	struct nslab_vmalloc_params params;
	struct nslab_vmalloc *v;
};

static void open_vmalloc(struct area_fixture *a, int64_t virtual_mib, int64_t lazy_mib,
			 int64_t max_map_count)
{
	struct fixture *f = &a->f;
	size_t bytes = 2 * NODE_BYTES;

	fixture_map(f, 2, NODE_BYTES);
	a->fd = memfd_create("test", MFD_CLOEXEC);
	assert_true(a->fd >= 0);
	assert_int_equal(ftruncate(a->fd, (off_t)bytes), 0);
	assert_ptr_equal(mmap((void *)f->arena.base, bytes, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_FIXED, a->fd, 0),
			 (void *)f->arena.base);
	fixture_open(f, NULL);
	f->source->ops = ops();
	a->params = (struct nslab_vmalloc_params){.virtual_mib = virtual_mib,
						  .lazy_mib = lazy_mib,
						  .max_map_count = max_map_count,
						  .pools = true};
	assert_int_equal(nslab_vmalloc_open(f->source, a->fd, 2, &a->params, &a->v), 0);
}

static void close_arena(struct area_fixture *a)
{
	for (int node = 0; node < 2; node++)
		assert_int_equal(stats_of(&a->f, node).nr_free_pages,
				 NODE_BYTES >> NSLAB_PAGE_SHIFT);
	fixture_close(&a->f);
	close(a->fd);
}

static void close_vmalloc(struct area_fixture *a)
{
	assert_int_equal(nslab_vmalloc_close(a->v), 0);
	close_arena(a);
}

static struct nslab_vmalloc_stats vstats(struct area_fixture *a)
{
	struct nslab_vmalloc_stats stats;

	nslab_vmalloc_stats(a->v, &stats);
	return stats;
}

static char *get(struct area_fixture *a, size_t nr_pages, int node)
{
	char why[256];
	void *ptr = NULL;

	assert_int_equal(nslab_vmalloc_alloc(a->v, NULL, nr_pages * NSLAB_PAGE_SIZE, GFP_KERNEL,
					     node, why, sizeof(why), &ptr),
			 0);
	return ptr;
}

static void put(struct area_fixture *a, char *ptr)
{
	assert_int_equal(nslab_vmalloc_free(a->v, NULL, ptr), 0);
}

/* Each page through its area and through the arena. */
static void assert_mapped(struct area_fixture *a, char *ptr, size_t nr, uint64_t mark)
{
	assert_int_equal(nslab_vmalloc_pages(a->v, ptr), nr);
	for (size_t i = 0; i < nr; i++)
		*(uint64_t *)(ptr + i * NSLAB_PAGE_SIZE) = mark + i;
	for (size_t i = 0; i < nr; i++) {
		struct nslab_page *page = nslab_vmalloc_page(a->v, ptr, i);

		assert_int_equal(*(uint64_t *)nslab_arena_address(&a->f.arena, page), mark + i);
	}
}

static void vmalloc_maps_single_pages_in_a_row(void **state)
{
	struct area_fixture a;
	char *x, *y;

	(void)state;
	open_vmalloc(&a, -1, -1, -1);
	x = get(&a, 10, 0);
	y = get(&a, 10, 1);
	assert_mapped(&a, x, 10, 1000);
	assert_mapped(&a, y, 10, 2000);
	/* one guard page between them */
	assert_ptr_equal(y, x + 11 * NSLAB_PAGE_SIZE);
	for (size_t i = 0; i < 10; i++) {
		assert_int_equal(nslab_vmalloc_page(a.v, x, i)->node, 0);
		assert_int_equal(nslab_vmalloc_page(a.v, y, i)->node, 1);
	}
	/* neighbours are one mapping */
	assert_int_equal(vstats(&a).nr_runs, 2);
	assert_int_equal(vstats(&a).nr_pages, 20);
	assert_null(nslab_vmalloc_page(a.v, x, 10));
	assert_int_equal(nslab_vmalloc_pages(a.v, x + NSLAB_PAGE_SIZE), 0);
	put(&a, x);
	put(&a, y);
	close_vmalloc(&a);
}

/* Every second page of both nodes is taken, so that what is free has no neighbours. */
static unsigned scatter(struct area_fixture *a, struct nslab_page **kept)
{
	static struct nslab_page *page[16384];
	unsigned nr = 0, nr_kept = 0;

	while (nr < 16384 && (page[nr] = take(&a->f, NULL, 0, GFP_KERNEL, 0)))
		nr++;
	for (unsigned i = 0; i < nr; i++) {
		if (nslab_arena_pfn(&a->f.arena, page[i]) % 2)
			kept[nr_kept++] = page[i];
		else
			give(&a->f, NULL, page[i], 0);
	}
	return nr_kept;
}

static void vmalloc_maps_runs_and_names_the_limit_when_memory_is_in_pieces(void **state)
{
	static struct nslab_page *kept[16384];
	struct area_fixture a;
	unsigned nr_kept;
	char why[256], *x;
	void *ptr = NULL;

	(void)state;
	open_vmalloc(&a, -1, -1, 200);
	nr_kept = scatter(&a, kept);
	assert_int_equal(vstats(&a).max_maps, 100);
	x = get(&a, 60, 0);
	assert_mapped(&a, x, 60, 7);
	assert_int_equal(vstats(&a).nr_runs, 60);
	assert_int_equal(vstats(&a).nr_maps, 61);
	assert_int_equal(nslab_vmalloc_alloc(a.v, NULL, 60 * NSLAB_PAGE_SIZE, GFP_KERNEL, 0, why,
					     sizeof(why), &ptr),
			 -ENOMEM);
	assert_string_equal(why, "cannot map 60 pages in 60 runs: 61 mappings are in use, 100 may "
				 "be (vm.max_map_count is 200)");
	assert_null(ptr);
	assert_int_equal(vstats(&a).nr_areas, 1);
	/* lazy areas still cost; they are purged when that is what is missing, as it was before */
	put(&a, x);
	assert_int_equal(vstats(&a).nr_maps, 61);
	x = get(&a, 60, 0);
	assert_int_equal(vstats(&a).nr_maps, 61);
	assert_int_equal(vstats(&a).nr_purges, 2);
	put(&a, x);
	for (unsigned i = 0; i < nr_kept; i++)
		give(&a.f, NULL, kept[i], 0);
	/* memory in one piece costs one mapping */
	x = get(&a, 1000, 0);
	assert_int_equal(vstats(&a).nr_runs, 1);
	put(&a, x);
	close_vmalloc(&a);
}

static void vmalloc_reads_the_limit_of_the_system_when_none_is_given(void **state)
{
	struct area_fixture a;
	FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
	unsigned long nr = 65530;

	(void)state;
	if (file) {
		assert_int_equal(fscanf(file, "%lu", &nr), 1);
		fclose(file);
	}
	open_vmalloc(&a, -1, -1, -1);
	assert_int_equal(vstats(&a).max_maps, nr > 2048 ? nr - 1024 : nr / 2);
	close_vmalloc(&a);
}

static void vmalloc_keeps_freed_ranges_until_enough_wait(void **state)
{
	struct area_fixture a;
	char *x = NULL, *first = NULL;

	(void)state;
	/* 1 MiB of virtual pages may wait: 256 */
	open_vmalloc(&a, 64, 1, -1);
	for (int i = 0; i < 4; i++) {
		x = get(&a, 63, 0);
		first = first ? first : x;
		put(&a, x);
		assert_int_equal(vstats(&a).nr_purges, 0);
	}
	assert_ptr_equal(x, first + 3 * 64 * NSLAB_PAGE_SIZE);
	assert_int_equal(vstats(&a).nr_lazy_pages, 256);
	x = get(&a, 1, 0);
	put(&a, x);
	assert_int_equal(vstats(&a).nr_purges, 1);
	assert_int_equal(vstats(&a).nr_lazy_pages, 0);
	/* the same size comes from the pool, another one from above */
	assert_true(get(&a, 63, 0) < x);
	assert_int_equal(vstats(&a).nr_pool_hits, 1);
	assert_true(get(&a, 62, 0) > x);
	assert_int_equal(vstats(&a).nr_pool_hits, 1);
	assert_int_equal(nslab_vmalloc_close(a.v), 2);
	close_arena(&a);
}

static void vmalloc_finds_the_lowest_range_when_pools_are_off(void **state)
{
	struct area_fixture a;
	char *x[3];

	(void)state;
	open_vmalloc(&a, 64, 0, -1);
	nslab_vmalloc_close(a.v);
	a.params.pools = false;
	assert_int_equal(nslab_vmalloc_open(a.f.source, a.fd, 2, &a.params, &a.v), 0);
	for (size_t i = 0; i < 3; i++)
		x[i] = get(&a, (i + 1) * 10, 0);
	put(&a, x[1]);
	assert_ptr_equal(get(&a, 20, 0), x[1]);
	put(&a, x[0]);
	put(&a, x[1]);
	/* the two ranges have become one */
	assert_ptr_equal(get(&a, 31, 0), x[0]);
	assert_int_equal(nslab_vmalloc_close(a.v), 2);
	close_arena(&a);
}

static int try(struct area_fixture *a, size_t bytes, gfp_t gfp, int node, char *why,
	       size_t why_bytes)
{
	void *ptr = NULL;
	int rc = nslab_vmalloc_alloc(a->v, NULL, bytes, gfp, node, why, why_bytes, &ptr);

	assert_true(!rc == !!ptr);
	return rc;
}

static void vmalloc_refuses_and_loses_nothing_when_something_runs_out(void **state)
{
	struct area_fixture a;
	char why[256], small[8], *x;

	(void)state;
	open_vmalloc(&a, 128, -1, -1);
	assert_int_equal(try(&a, 0, GFP_KERNEL, 0, why, sizeof(why)), -EINVAL);
	assert_int_equal(try(&a, SIZE_MAX, GFP_KERNEL, 0, why, sizeof(why)), -ENOMEM);
	assert_non_null(strstr(why, "virtual pages: the window has 32768"));
	assert_int_equal(try(&a, 65 * MIB, GFP_KERNEL, 0, small, sizeof(small)), -ENOMEM);
	assert_string_equal(small, "cannot ");
	assert_int_equal(try(&a, 33 * MIB, GFP_KERNEL | __GFP_THISNODE, 0, why, sizeof(why)),
			 -ENOMEM);
	assert_string_equal(why, "cannot get 8448 pages of order 0");
	assert_int_equal(try(&a, 1, GFP_KERNEL, 9, NULL, 0), -ENOMEM);
	assert_int_equal(vstats(&a).nr_largest_pages, 32768);
	x = get(&a, 1, 0);
	assert_int_equal(nslab_vmalloc_free(a.v, NULL, x + 1), -EINVAL);
	assert_int_equal(nslab_vmalloc_free(a.v, NULL, x + NSLAB_PAGE_SIZE), -EINVAL);
	assert_int_equal(nslab_vmalloc_free(a.v, NULL, &a), -EINVAL);
	assert_int_equal(nslab_vmalloc_free(a.v, NULL, NULL), -EINVAL);
	put(&a, x);
	assert_int_equal(nslab_vmalloc_free(a.v, NULL, x), -EINVAL);
	close_vmalloc(&a);
}

/* ---- the tree ---- */

#define TREE_PAGES 2000
#define TREE_OUT   400

struct tree_model {
	struct vmap_tree tree;
	bool is_free[TREE_PAGES];
	size_t start[TREE_OUT], nr[TREE_OUT]; /* what is out */
	int nr_out;
};

static bool is_run_free(const bool *is_free, size_t start, size_t nr)
{
	for (size_t i = start; i < start + nr; i++) {
		if (!is_free[i])
			return false;
	}
	return true;
}

static size_t lowest_of(const bool *is_free, size_t nr)
{
	for (size_t start = 0; start + nr <= TREE_PAGES; start++) {
		if (is_run_free(is_free, start, nr))
			return start;
	}
	return TREE_PAGES;
}

static void tree_put(struct tree_model *m, size_t start, size_t nr)
{
	struct vmap_area *area = calloc(1, sizeof(*area));

	assert_non_null(area);
	area->start = start;
	area->nr = nr;
	vmap_tree_insert(&m->tree, area);
	memset(m->is_free + start, 1, nr);
}

static void tree_get(struct tree_model *m, size_t nr)
{
	size_t lowest = lowest_of(m->is_free, nr);
	struct vmap_area *emptied = NULL;
	size_t start;

	if (!vmap_tree_take(&m->tree, nr, &start, &emptied)) {
		assert_int_equal(lowest, TREE_PAGES);
		assert_true(vmap_tree_largest(&m->tree) < nr);
		return;
	}
	free(emptied);
	assert_int_equal(start, lowest);
	memset(m->is_free + start, 0, nr);
	m->start[m->nr_out] = start;
	m->nr[m->nr_out++] = nr;
}

static void tree_gives_the_lowest_fit_when_ranges_come_and_go(void **state)
{
	static struct tree_model m;
	uint64_t rng = seed;

	(void)state;
	tree_put(&m, 0, TREE_PAGES);
	for (int i = 0; i < 20000; i++) {
		uint32_t k = m.nr_out ? nslab_rng_below(&rng, (uint32_t)m.nr_out) : 0;

		if (m.nr_out < TREE_OUT && (!m.nr_out || nslab_rng_below(&rng, 2))) {
			tree_get(&m, 1 + nslab_rng_below(&rng, 40));
			continue;
		}
		tree_put(&m, m.start[k], m.nr[k]);
		m.nr_out--;
		m.start[k] = m.start[m.nr_out];
		m.nr[k] = m.nr[m.nr_out];
	}
	while (m.nr_out--)
		tree_put(&m, m.start[m.nr_out], m.nr[m.nr_out]);
	assert_int_equal(vmap_tree_largest(&m.tree), TREE_PAGES);
	vmap_tree_destroy(&m.tree);
}

/* ---- at random, and by many ---- */

struct worker {
	pthread_t thread;
	struct area_fixture *a;
	struct nslab_cpu cpu;
	uint64_t seed;
	char *ptr[MAX_AREAS];
	size_t nr[MAX_AREAS];
};

static uint64_t *word_of(const struct worker *w, uint32_t k, size_t page)
{
	return (uint64_t *)(w->ptr[k] + page * NSLAB_PAGE_SIZE);
}

static uint64_t mark_of(const struct worker *w, uint32_t k, size_t page)
{
	return ((uint64_t)w->cpu.id << 32) + k * 1000 + page;
}

static void worker_put(struct worker *w, uint32_t k)
{
	for (size_t i = 0; i < w->nr[k]; i++)
		assert_int_equal(*word_of(w, k, i), mark_of(w, k, i));
	assert_int_equal(nslab_vmalloc_free(w->a->v, &w->cpu, w->ptr[k]), 0);
	w->ptr[k] = NULL;
}

static void worker_get(struct worker *w, uint32_t k, uint64_t *rng)
{
	void *ptr = NULL;

	w->nr[k] = 1 + nslab_rng_below(rng, nslab_rng_below(rng, 10) ? 12 : 300);
	if (nslab_vmalloc_alloc(w->a->v, &w->cpu, w->nr[k] * NSLAB_PAGE_SIZE, GFP_KERNEL,
				NUMA_NO_NODE, NULL, 0, &ptr))
		return;
	w->ptr[k] = ptr;
	for (size_t i = 0; i < w->nr[k]; i++)
		*word_of(w, k, i) = mark_of(w, k, i);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	uint64_t rng = w->seed;

	for (int i = 0; i < 3000; i++) {
		uint32_t k = nslab_rng_below(&rng, MAX_AREAS);

		if (w->ptr[k])
			worker_put(w, k);
		else
			worker_get(w, k, &rng);
	}
	for (uint32_t k = 0; k < MAX_AREAS; k++) {
		if (w->ptr[k])
			worker_put(w, k);
	}
	ops()->cpu_drain(w->a->f.source, &w->cpu);
	return NULL;
}

static void vmalloc_keeps_contents_when_threads_allocate_and_free(void **state)
{
	static struct worker worker[3];
	struct area_fixture a;

	(void)state;
	open_vmalloc(&a, 64, 4, -1);
	for (int i = 0; i < 3; i++) {
		worker[i].a = &a;
		worker[i].cpu.id = i;
		worker[i].cpu.node = i % 2;
		worker[i].seed = nslab_rng_mix(seed, (uint64_t)i);
		assert_int_equal(pthread_create(&worker[i].thread, NULL, worker_main, &worker[i]),
				 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(worker[i].thread, NULL);
	assert_int_equal(vstats(&a).nr_areas, 0);
	assert_int_equal(vstats(&a).nr_pages, 0);
	assert_int_equal(vstats(&a).nr_runs, 0);
	assert_true(vstats(&a).nr_purges > 0);
	nslab_vmalloc_purge(a.v);
	assert_int_equal(vstats(&a).nr_maps, 0);
	assert_int_equal(vstats(&a).nr_largest_pages, 64 * 256);
	close_vmalloc(&a);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmalloc_maps_single_pages_in_a_row),
		cmocka_unit_test(vmalloc_maps_runs_and_names_the_limit_when_memory_is_in_pieces),
		cmocka_unit_test(vmalloc_reads_the_limit_of_the_system_when_none_is_given),
		cmocka_unit_test(vmalloc_keeps_freed_ranges_until_enough_wait),
		cmocka_unit_test(vmalloc_finds_the_lowest_range_when_pools_are_off),
		cmocka_unit_test(vmalloc_refuses_and_loses_nothing_when_something_runs_out),
		cmocka_unit_test(tree_gives_the_lowest_fit_when_ranges_come_and_go),
		cmocka_unit_test(vmalloc_keeps_contents_when_threads_allocate_and_free),
	};

	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0);
	printf("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests_name("vmalloc", tests, NULL, NULL);
}
