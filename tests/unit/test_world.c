/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_world.c: what a backend is given, told with a backend of one page an object.
 *
 * The backend below does as little as an allocator may: a cache is a count, an object is a block
 * of the cache's order. It keeps one block on the handle when asked to, so that destroying a cache
 * has to wait for quiesce, and it makes the mistakes that the host must find.
 */
#define _GNU_SOURCE
#include "runner/world.h"

#include "core/list.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIB ((size_t)1 << 20)

struct toy_cpu {
	struct nslab_cpu base;
	struct kmem_cache *keeps; /* one allocated block of this cache is held here */
	struct nslab_page *kept;
};

struct toy_cache {
	struct kmem_cache base;
	atomic_int nr_live, nr_kept;
};

struct toy_params {
	int64_t answer;
};

static int64_t toy_answer;

static int toy_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	struct nslab_heap *h = env->alloc_meta(env, sizeof(*h), 0);

	toy_answer = ((const struct toy_params *)params)->answer;
	*heap = h;
	return h ? 0 : -ENOMEM;
}

static void toy_close(struct nslab_heap *heap)
{
	heap->env->free_meta(heap->env, heap, sizeof(*heap));
}

static int toy_cpu_online(struct nslab_heap *heap, int id, int node, struct nslab_cpu **cpu)
{
	struct toy_cpu *c = heap->env->alloc_meta(heap->env, sizeof(*c), node);

	(void)id;
	if (!c)
		return -ENOMEM;
	*cpu = &c->base;
	return 0;
}

static void toy_quiesce(struct nslab_cpu *cpu)
{
	struct toy_cpu *c = nslab_container_of(cpu, struct toy_cpu, base);
	const struct nslab_env *env = cpu->heap->env;

	if (!c->kept)
		return;
	atomic_fetch_sub(&nslab_container_of(c->keeps, struct toy_cache, base)->nr_kept, 1);
	env->free_pages(env, cpu, c->kept, c->kept->order);
	c->kept = NULL;
}

static void toy_cpu_offline(struct nslab_cpu *cpu)
{
	toy_quiesce(cpu);
	cpu->heap->env->free_meta(cpu->heap->env, cpu, sizeof(struct toy_cpu));
}

static int toy_cache_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
			    struct kmem_cache **s)
{
	struct toy_cache *c = heap->env->alloc_meta(heap->env, sizeof(*c), 0);

	if (!c)
		return -ENOMEM;
	c->base.heap = heap;
	c->base.order = spec->order == NSLAB_AUTO ? 0 : (unsigned)spec->order;
	*s = &c->base;
	return 0;
}

static int toy_cache_destroy(struct kmem_cache *s)
{
	struct toy_cache *c = nslab_container_of(s, struct toy_cache, base);

	if (c->nr_live)
		return -EBUSY;
	if (c->nr_kept)
		return -EAGAIN;
	s->heap->env->free_meta(s->heap->env, c, sizeof(*c));
	return 0;
}

static void *toy_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node)
{
	const struct nslab_env *env = cpu->heap->env;
	struct nslab_page *page = env->alloc_pages(env, cpu, s->order, gfp, node);

	if (!page)
		return NULL;
	page->s = s;
	atomic_fetch_add(&nslab_container_of(s, struct toy_cache, base)->nr_live, 1);
	return nslab_page_address(env, page);
}

static void toy_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	struct toy_cpu *c = nslab_container_of(cpu, struct toy_cpu, base);
	struct toy_cache *cache = nslab_container_of(s, struct toy_cache, base);
	const struct nslab_env *env = cpu->heap->env;
	struct nslab_page *page = nslab_page_of(env, obj);

	atomic_fetch_sub(&cache->nr_live, 1);
	if (c->keeps == s && !c->kept) {
		c->kept = page;
		atomic_fetch_add(&cache->nr_kept, 1);
		return;
	}
	env->free_pages(env, cpu, page, s->order);
}

static const struct nslab_param toy_rows[] = {
	{.name = "answer",
	 .type = NSLAB_PARAM_INT,
	 .offset = offsetof(struct toy_params, answer),
	 .def = "42",
	 .max = 100,
	 .help = "seen by open"},
	NSLAB_PARAM_END,
};

static const struct nslab_allocator_ops toy_ops = {
	.name = "toy",
	.summary = "a block an object",
	.models = "-",
	.caps = NSLAB_CAP_PAGES,
	.params = toy_rows,
	.params_size = sizeof(struct toy_params),
	.open = toy_open,
	.close = toy_close,
	.cpu_online = toy_cpu_online,
	.cpu_offline = toy_cpu_offline,
	.cache_create = toy_cache_create,
	.cache_destroy = toy_cache_destroy,
	.alloc = toy_alloc,
	.free = toy_free,
	.quiesce = toy_quiesce,
};

static const struct nslab_plugin toy_plugin = {
	.abi = NSLAB_PLUGIN_ABI,
	.kind = NSLAB_PLUGIN_ALLOCATOR,
	.ops_size = sizeof(toy_ops),
	.ops = &toy_ops,
};

/* ---- fixture ---- */

struct fixture {
	struct nslab_topo topo;
	struct nslab_topo_node nodes[2];
	unsigned distances[4];
	struct nslab_registry *registry;
	struct nslab_arena_spec arena;
	struct nslab_world_spec spec;
	struct nslab_world *world;
	const struct nslab_env *env;
	struct kmem_cache *s;
	struct nslab_cpu *cpu;
	char reports[1024];
};

static void note(void *context, const char *line)
{
	struct fixture *f = context;
	size_t len = strlen(f->reports);

	snprintf(f->reports + len, sizeof(f->reports) - len, "%s\n", line);
}

static void fill_spec(struct fixture *f)
{
	const struct nslab_entry_record *record;
	struct nslab_err err;

	memset(f, 0, sizeof(*f));
	f->topo.nr_nodes = 2;
	f->topo.is_simulated = true;
	f->topo.nodes = f->nodes;
	f->topo.distances = f->distances;
	f->nodes[0].memory_bytes = f->nodes[1].memory_bytes = 1024 * MIB;
	f->distances[0] = f->distances[3] = 10;
	f->distances[1] = f->distances[2] = 20;
	f->arena.topo = &f->topo;
	f->arena.memory.node = -1;
	f->arena.node_bytes = 4 * MIB;
	f->arena.nr_cpus = 2;
	assert_int_equal(nslab_registry_open(NULL, &f->registry, &err), 0);
	assert_int_equal(nslab_registry_add(f->registry, &toy_plugin, "test", &err), 0);
	assert_int_equal(
		nslab_registry_get(f->registry, NSLAB_PLUGIN_ALLOCATOR, "toy", &record, &err), 0);
	f->spec.allocator = record->ops.allocator;
	assert_int_equal(nslab_registry_get(f->registry, NSLAB_PLUGIN_PAGE, "buddy", &record, &err),
			 0);
	f->spec.page = record->ops.page;
	f->spec.arena = &f->arena;
	f->spec.report = note;
	f->spec.report_context = f;
}

static void open_world(struct fixture *f, int order)
{
	struct nslab_cache_spec spec = {.name = "toys", .object_size = 8, .order = order};
	struct nslab_err err;

	fill_spec(f);
	assert_int_equal(nslab_world_open(&f->spec, &f->world, &err), 0);
	f->env = nslab_world_env(f->world);
	assert_int_equal(nslab_world_cpu_online(f->world, 3, 1, &f->cpu), 0);
	assert_int_equal(f->spec.allocator->cache_create(nslab_world_heap(f->world), &spec, &f->s),
			 0);
}

static struct nslab_world_usage usage(struct fixture *f)
{
	struct nslab_world_usage u;

	nslab_world_usage(f->world, &u);
	return u;
}

static void close_world(struct fixture *f, const char *reports)
{
	nslab_world_close(f->world);
	assert_string_equal(f->reports, reports);
	nslab_registry_destroy(f->registry);
}

/* ---- tests ---- */

static void world_fills_the_base_structures_when_the_backend_did_not(void **state)
{
	struct nslab_heap *heap;
	struct nslab_cpu *other;
	struct fixture f;

	(void)state;
	open_world(&f, 0);
	heap = nslab_world_heap(f.world);
	assert_ptr_equal(heap->ops, f.spec.allocator);
	assert_ptr_equal(heap->env, f.env);
	assert_int_equal(toy_answer, 42);
	assert_non_null(heap->kmalloc[0]);
	assert_non_null(heap->kmalloc[NSLAB_KMALLOC_CLASSES - 1]);
	assert_int_equal(f.cpu->id, 3);
	assert_int_equal(f.cpu->node, 1);
	assert_ptr_equal(f.cpu->heap, heap);
	assert_int_equal(heap->nr_cpus, 1);
	assert_int_equal(nslab_world_cpu_online(f.world, 3, 0, &other), -EBUSY);
	assert_int_equal(nslab_world_cpu_online(f.world, 4, 2, &other), -EINVAL);
	assert_int_equal(nslab_world_cpu_online(f.world, NSLAB_MAX_CPUS, 0, &other), -EINVAL);
	assert_int_equal(nslab_world_cpu_online(f.world, 0, 0, &other), 0);
	assert_int_equal(heap->nr_cpus, 2);
	nslab_world_cpu_offline(f.world, other);
	assert_int_equal(heap->nr_cpus, 1);
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	close_world(&f, "");
}

static void world_counts_pages_when_they_come_and_go(void **state)
{
	uint64_t meta_bytes;
	struct fixture f;
	void *obj[4];

	(void)state;
	open_world(&f, 2);
	meta_bytes = usage(&f).meta_bytes;
	assert_true(meta_bytes > sizeof(struct nslab_heap));
	for (int i = 0; i < 4; i++)
		obj[i] = kmem_cache_alloc(f.cpu, f.s, GFP_KERNEL);
	assert_int_equal(nslab_node_of(f.env, obj[0]), 1);
	assert_int_equal(usage(&f).nr_pages, 16);
	for (int i = 0; i < 4; i++)
		kmem_cache_free(f.cpu, f.s, obj[i]);
	assert_int_equal(usage(&f).nr_pages, 0);
	assert_int_equal(usage(&f).nr_pages_peak, 16);
	assert_int_equal(usage(&f).nr_page_calls, 4);
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	assert_int_equal(usage(&f).meta_bytes, meta_bytes - sizeof(struct toy_cache));
	close_world(&f, "");
}

static void world_fails_the_nth_allocation_when_told_to(void **state)
{
	struct fixture f;

	(void)state;
	for (uint64_t at = 1; at <= 6; at++) {
		void *obj[6];

		open_world(&f, 0);
		nslab_world_fail_at(f.world, at, 2);
		for (uint64_t i = 1; i <= 6; i++) {
			obj[i - 1] = kmem_cache_alloc(f.cpu, f.s, GFP_KERNEL);
			assert_int_equal(!obj[i - 1], i == at || i == at + 1);
		}
		assert_int_equal(usage(&f).nr_page_calls, 6);
		for (int i = 0; i < 6; i++) {
			if (obj[i])
				kmem_cache_free(f.cpu, f.s, obj[i]);
		}
		assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
		close_world(&f, "");
	}
	open_world(&f, 0);
	kmem_cache_free(f.cpu, f.s, kmem_cache_alloc(f.cpu, f.s, GFP_KERNEL));
	nslab_world_fail_at(f.world, 2, 0);
	assert_null(kmem_cache_alloc(f.cpu, f.s, GFP_KERNEL));
	kmem_cache_free(f.cpu, f.s, kmem_cache_alloc(f.cpu, f.s, GFP_KERNEL));
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	close_world(&f, "");
}

static void world_quiesces_handles_when_a_destroy_must_wait(void **state)
{
	struct fixture f;
	void *obj;

	(void)state;
	open_world(&f, 0);
	nslab_container_of(f.cpu, struct toy_cpu, base)->keeps = f.s;
	obj = kmem_cache_alloc(f.cpu, f.s, GFP_KERNEL);
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), -EBUSY);
	kmem_cache_free(f.cpu, f.s, obj);
	assert_int_equal(usage(&f).nr_pages, 1);
	assert_int_equal(f.spec.allocator->cache_destroy(f.s), -EAGAIN);
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	assert_int_equal(usage(&f).nr_pages, 0);
	close_world(&f, "");
}

static void world_maps_single_pages_in_a_row_when_vmalloc_is_asked(void **state)
{
	size_t nr_pages = 300;
	struct fixture f;
	char *ptr, *obj;

	(void)state;
	open_world(&f, 0);
	ptr = f.env->vmalloc(f.env, f.cpu, nr_pages * NSLAB_PAGE_SIZE, GFP_KERNEL | __GFP_ZERO, 1);
	assert_non_null(ptr);
	assert_false(nslab_is_arena(f.env, ptr));
	for (size_t i = 0; i < nr_pages * NSLAB_PAGE_SIZE; i += NSLAB_PAGE_SIZE)
		assert_int_equal(ptr[i]++, 0);
	/* 12 MiB are too much for two nodes of 4, in one block and in pages; 5 are for one block
	 * only */
	obj = kvmalloc(f.cpu, 12 * MIB, GFP_KERNEL | __GFP_NOWARN);
	assert_null(obj);
	obj = kvmalloc(f.cpu, 5 * MIB, GFP_KERNEL);
	assert_non_null(obj);
	obj[5 * MIB - 1] = 1;
	assert_true(f.env->vfree(f.env, f.cpu, ptr));
	assert_false(f.env->vfree(f.env, f.cpu, ptr));
	assert_false(f.env->vfree(f.env, f.cpu, NULL));
	kvfree(f.cpu, obj);
	obj = kvmalloc(f.cpu, 100, GFP_KERNEL);
	kvfree(f.cpu, obj);
	assert_null(f.env->vmalloc(f.env, f.cpu, 0, GFP_KERNEL, 0));
	assert_string_equal(f.reports, "vmalloc of 'toy': cannot allocate 0 bytes\n");
	f.reports[0] = '\0';
	assert_non_null(f.env->vmalloc(f.env, f.cpu, 1, GFP_KERNEL, 0));
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	close_world(&f, "'toy' left 1 vmalloc areas\n");
}

static void world_prints_its_zones_as_the_kernel_does(void **state)
{
	struct fixture f;
	char *text;

	(void)state;
	open_world(&f, 0);
	text = nslab_world_buddyinfo(f.world);
	assert_string_equal(text, "Node 0, zone   Normal      0      0      0      0      0      0 "
				  "     0      0      0      0      1 \n"
				  "Node 1, zone   Normal      0      0      0      0      0      0 "
				  "     0      0      0      0      1 \n");
	free(text);
	text = nslab_world_pagetypeinfo(f.world);
	assert_non_null(strstr(text, "Node 1, zone   Normal            2            0 "));
	free(text);
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	close_world(&f, "");
}

/* The handle still frees a page on its way out; none may stay on a list that has no owner. */
static void world_leaves_nothing_on_cpu_lists_when_a_cpu_goes(void **state)
{
	struct nslab_page_stats stats;
	struct fixture f;

	(void)state;
	open_world(&f, 0);
	nslab_container_of(f.cpu, struct toy_cpu, base)->keeps = f.s;
	kmem_cache_free(f.cpu, f.s, kmem_cache_alloc(f.cpu, f.s, GFP_KERNEL));
	nslab_world_page_stats(f.world, 1, &stats);
	assert_int_equal(stats.nr_free_pages, 1023);
	nslab_world_cpu_offline(f.world, f.cpu);
	nslab_world_page_stats(f.world, 1, &stats);
	assert_int_equal(stats.nr_free_blocks[NSLAB_MAX_ORDER], 1);
	assert_int_equal(stats.nr_pcp_pages, 0);
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	close_world(&f, "");
}

static void world_reports_and_stops_a_free_when_it_is_wrong(void **state)
{
	struct nslab_page *page;
	struct fixture f;

	(void)state;
	open_world(&f, 0);
	page = f.env->alloc_pages(f.env, f.cpu, 1, GFP_KERNEL, 0);
	f.env->free_pages(f.env, f.cpu, page, 0);
	f.env->free_pages(f.env, f.cpu, page + 1, 0);
	f.env->free_pages(f.env, NULL, page, 1);
	f.env->free_pages(f.env, NULL, page, 1);
	f.env->free_pages(f.env, f.cpu, f.env->arena->pages - 1, 0);
	assert_int_equal(usage(&f).nr_pages, 0);
	assert_non_null(strstr(f.reports, "'toy' frees page 0 with order 0, its order is 1\n"));
	assert_non_null(strstr(f.reports, "'toy' frees page 1, which heads no allocated block\n"));
	assert_non_null(strstr(f.reports, "'toy' frees page 0, which heads no allocated block\n"));
	assert_non_null(strstr(f.reports, "which is no page record\n"));
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	f.reports[0] = '\0';
	close_world(&f, "");
}

static void world_reports_what_is_left_when_closed(void **state)
{
	struct fixture f;

	(void)state;
	open_world(&f, 0);
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	assert_non_null(f.env->alloc_pages(f.env, NULL, 1, GFP_KERNEL, 0));
	assert_non_null(f.env->alloc_pages(f.env, f.cpu, 0, GFP_KERNEL, 0));
	assert_non_null(f.env->alloc_meta(f.env, 100, 0));
	close_world(&f, "'toy' left 3 pages allocated\n"
			"'toy' left 100 bytes of metadata allocated\n");
}

static int failing_open(const struct nslab_env *env, const void *params, struct nslab_heap **heap)
{
	(void)env;
	(void)params;
	(void)heap;
	return -ENOMEM;
}

static void world_names_the_backend_when_it_does_not_open(void **state)
{
	struct nslab_allocator_ops ops;
	struct nslab_err err;
	struct fixture f;

	(void)state;
	fill_spec(&f);
	ops = *f.spec.allocator;
	ops.open = failing_open;
	f.spec.allocator = &ops;
	assert_int_equal(nslab_world_open(&f.spec, &f.world, &err), -ENOMEM);
	assert_string_equal(err.text, "cannot open allocator 'toy': Cannot allocate memory");
	nslab_registry_destroy(f.registry);
}

static void world_reserves_little_when_the_backend_takes_no_pages(void **state)
{
	struct nslab_allocator_ops ops;
	struct nslab_err err;
	struct fixture f;

	(void)state;
	fill_spec(&f);
	ops = *f.spec.allocator;
	ops.caps = 0;
	f.spec.allocator = &ops;
	f.arena.node_bytes = 64 * MIB;
	assert_int_equal(nslab_world_open(&f.spec, &f.world, &err), 0);
	assert_int_equal(nslab_world_env(f.world)->arena->node_bytes, 4 * MIB);
	close_world(&f, "");
}

/* ---- threads ---- */

struct worker {
	pthread_t thread;
	struct fixture *f;
	int id;
	int rc;
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct nslab_cpu *cpu;
	void *obj[40];

	w->rc = nslab_world_cpu_online(w->f->world, w->id, w->id % 2, &cpu);
	if (w->rc)
		return NULL;
	for (int pass = 0; pass < 100; pass++) {
		for (int i = 0; i < 40; i++)
			obj[i] = kmem_cache_alloc(cpu, w->f->s, GFP_KERNEL);
		for (int i = 0; i < 40; i++) {
			if (obj[i])
				kmem_cache_free(cpu, w->f->s, obj[i]);
		}
	}
	nslab_world_cpu_offline(w->f->world, cpu);
	return NULL;
}

static void world_keeps_count_when_workers_share_it(void **state)
{
	struct worker worker[4];
	struct fixture f;

	(void)state;
	open_world(&f, 1);
	for (int i = 0; i < 4; i++) {
		worker[i] = (struct worker){.f = &f, .id = 10 + i};
		assert_int_equal(pthread_create(&worker[i].thread, NULL, worker_main, &worker[i]),
				 0);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(worker[i].thread, NULL);
		assert_int_equal(worker[i].rc, 0);
	}
	assert_int_equal(usage(&f).nr_pages, 0);
	assert_int_equal(usage(&f).nr_page_calls, 4 * 100 * 40);
	/* one worker alone reaches 80; each may hide a batch */
	assert_true(usage(&f).nr_pages_peak >= 80 - 32);
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	close_world(&f, "");
}

static void world_lends_a_contiguous_area_when_asked(void **state)
{
	struct nslab_zone_stats zone;
	struct nslab_page *first;
	struct nslab_cma *cma, *other;
	struct fixture f;

	(void)state;
	open_world(&f, 0);
	assert_int_equal(f.env->cma_open(f.env, 7, 1024, &cma), -EINVAL);
	assert_int_equal(f.env->cma_open(f.env, 1, 1000, &cma), 0);
	assert_int_equal(f.env->cma_open(f.env, 1, 1024, &other), -ENOMEM);
	assert_int_equal(f.env->zone_stats(f.env, 1, &zone), 0);
	assert_int_equal(zone.nr_free_blocks[NSLAB_MIGRATE_CMA][NSLAB_MAX_ORDER], 1);
	assert_int_equal(f.env->cma_alloc(f.env, cma, 100, 0, &first), 0);
	assert_int_equal(usage(&f).nr_cma_pages, 100);
	assert_int_equal(usage(&f).nr_pages, 0);
	assert_int_equal(f.env->cma_free(f.env, cma, first + 1, 100), -EINVAL);
	assert_int_equal(f.env->cma_free(f.env, cma, first, 100), 0);
	assert_int_equal(usage(&f).nr_cma_pages, 0);
	nslab_world_fail_at(f.world, usage(&f).nr_page_calls + 1, 1);
	assert_int_equal(f.env->cma_alloc(f.env, cma, 1, 0, &first), -ENOMEM);
	assert_int_equal(f.env->cma_alloc(f.env, cma, 1, 0, &first), 0);
	assert_int_equal(nslab_world_cache_destroy(f.world, f.s), 0);
	close_world(&f, "'toy' left 1 pages of contiguous ranges allocated\n");
}

static void world_counts_the_pages_of_vmalloc(void **state)
{
	struct nslab_area_params areas = {
		.vmalloc = {.virtual_mib = 4, .lazy_mib = -1, .max_map_count = -1},
		.cma_order_per_bit = 3};
	struct nslab_page *first;
	struct nslab_cma *cma;
	struct fixture f;
	struct nslab_err err;
	void *ptr;

	(void)state;
	fill_spec(&f);
	f.spec.area_params = &areas;
	assert_int_equal(nslab_world_open(&f.spec, &f.world, &err), 0);
	f.env = nslab_world_env(f.world);
	ptr = f.env->vmalloc(f.env, NULL, 5 * NSLAB_PAGE_SIZE, GFP_KERNEL, 0);
	assert_non_null(ptr);
	assert_int_equal(usage(&f).nr_vmalloc_pages, 5);
	/* the parameters arrive: 4 MiB of addresses, bits of 8 pages */
	assert_null(f.env->vmalloc(f.env, NULL, 4 * MIB, GFP_KERNEL | __GFP_NOWARN, 0));
	assert_int_equal(f.env->cma_open(f.env, 0, 1, &cma), 0);
	assert_int_equal(f.env->cma_alloc(f.env, cma, 1, 0, &first), 0);
	assert_int_equal(usage(&f).nr_cma_pages, 8);
	assert_int_equal(f.env->cma_free(f.env, cma, first, 1), 0);
	f.env->cma_close(f.env, cma);
	assert_true(f.env->vfree(f.env, NULL, ptr));
	assert_int_equal(usage(&f).nr_vmalloc_pages, 0);
	close_world(&f, "");
}

/* ---- registry ---- */

static void registry_names_the_file_when_a_plugin_does_not_load(void **state)
{
	static const char *const paths[] = {"/nonexistent/x.so", NULL};
	struct nslab_registry *registry = NULL;
	struct nslab_err err;

	(void)state;
	assert_int_equal(nslab_registry_open(paths, &registry, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nonexistent/x.so"));
	assert_null(registry);
	assert_int_equal(setenv("NUMASLAB_PLUGIN_PATH", "/nonexistent", 1), 0);
	assert_int_equal(nslab_registry_open(NULL, &registry, &err), -ENOENT);
	assert_non_null(strstr(err.text, "NUMASLAB_PLUGIN_PATH: "));
	assert_non_null(strstr(err.text, "'/nonexistent'"));
	assert_int_equal(unsetenv("NUMASLAB_PLUGIN_PATH"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(world_fills_the_base_structures_when_the_backend_did_not),
		cmocka_unit_test(world_counts_pages_when_they_come_and_go),
		cmocka_unit_test(world_fails_the_nth_allocation_when_told_to),
		cmocka_unit_test(world_quiesces_handles_when_a_destroy_must_wait),
		cmocka_unit_test(world_maps_single_pages_in_a_row_when_vmalloc_is_asked),
		cmocka_unit_test(world_lends_a_contiguous_area_when_asked),
		cmocka_unit_test(world_counts_the_pages_of_vmalloc),
		cmocka_unit_test(world_prints_its_zones_as_the_kernel_does),
		cmocka_unit_test(world_leaves_nothing_on_cpu_lists_when_a_cpu_goes),
		cmocka_unit_test(world_reports_and_stops_a_free_when_it_is_wrong),
		cmocka_unit_test(world_reports_what_is_left_when_closed),
		cmocka_unit_test(world_names_the_backend_when_it_does_not_open),
		cmocka_unit_test(world_reserves_little_when_the_backend_takes_no_pages),
		cmocka_unit_test(world_keeps_count_when_workers_share_it),
		cmocka_unit_test(registry_names_the_file_when_a_plugin_does_not_load),
	};

	return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
