/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmalloc.c: virtually contiguous memory, after Linux 6.12 mm/vmalloc.c.
 *
 * A window of address space is reserved once. An area gets the lowest free range that fits
 * (vmalloc_tree.c), one page more than asked for as a guard; its pages are of order 0, sorted, and
 * every run of neighbours becomes one shared mapping of the arena's file. So a process whose free
 * memory is not in pieces pays two mappings for an area, and one whose memory is pays one for each
 * page: what vm.max_map_count allows is counted, less a share for the rest of the process, and the
 * error names the limit.
 *
 * What is freed gives its pages back at once, but its range stays mapped and waits on the lazy list
 * of one of several nodes (by the number of CPUs) until enough virtual pages wait; then one purge
 * maps all of them away, neighbours together, as the kernel flushes TLBs once. Purged ranges of up
 * to 256 pages go to a pool by their size in that node, from which an allocation of the same size
 * is served first; each purge lets a quarter of the pools go back to the tree.
 *
 * Invariants: a range is busy, lazy, pooled or free, in exactly one place; area_of[] has the area
 * that starts at each virtual page, and only while it is busy; nr_maps is at least what the areas
 * that are busy or lazy cost.
 *
 * Locks, in order: purge_lock (NSLAB_RANK_CACHE), around a purge; node->lock (NSLAB_RANK_NODE), its
 * lazy list and pools; tree_lock (NSLAB_RANK_ZONE), the free tree. The page source is called under
 * none of them.
 *
 * Left out: huge mappings, vm_map_ram and its per-CPU blocks, the busy tree (a table by page here),
 * and the kernel's slicing of nodes by address (an area belongs to the node of the CPU that made
 * it).
 */
#define _GNU_SOURCE
#include "allocators/common/vmalloc.h"

#include "allocators/vmalloc_tree.h"
#include "core/list.h"
#include "core/lock.h"

#include <errno.h>
#include <numaslab/allocator.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VMAP_AUTO	  (-1)
#define VMAP_NODES_MAX	  128
#define VMAP_LAZY_MIB	  32 /* for each binary digit of the number of CPUs */
#define VMAP_MIB_PAGES	  ((size_t)1 << 20 >> NSLAB_PAGE_SHIFT)
#define VMAP_MAPS_DEFAULT 65530
#define VMAP_MAPS_OTHERS  1024 /* mappings left to the rest of the process */

struct vmap_node {
	struct nslab_lock lock;
	struct nslab_list lazy;
	struct nslab_list pool[NSLAB_VMALLOC_POOL_MAX]; /* by pages - 1 */
	size_t nr_pooled[NSLAB_VMALLOC_POOL_MAX];
} NSLAB_ALIGNED(NSLAB_CACHE_LINE);

struct nslab_vmalloc {
	struct nslab_page_source *source;
	int fd;
	bool has_pools;
	char *window;
	size_t nr_virtual; /* pages */
	_Atomic(struct vmap_area *) *area_of;
	size_t lazy_max; /* pages */
	uint64_t max_maps, max_map_count;
	struct nslab_lock purge_lock, tree_lock;
	struct vmap_tree tree;
	unsigned nr_nodes;
	struct vmap_node *nodes;
	_Atomic uint64_t nr_lazy, nr_maps, nr_areas, nr_pages, nr_runs, nr_purges, nr_pool_hits;
};

/* ---- open ---- */

static uint64_t vmap_read_max_map_count(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
	unsigned long nr;
	int nr_read;

	if (!file)
		return VMAP_MAPS_DEFAULT;
	nr_read = fscanf(file, "%lu", &nr);
	fclose(file);
	return nr_read == 1 ? nr : VMAP_MAPS_DEFAULT;
}

static void vmap_nodes_init(struct nslab_vmalloc *v)
{
	for (unsigned i = 0; i < v->nr_nodes; i++) {
		struct vmap_node *n = &v->nodes[i];

		memset(n->nr_pooled, 0, sizeof(n->nr_pooled));
		nslab_lock_init(&n->lock, NSLAB_RANK_NODE);
		nslab_list_init(&n->lazy);
		for (int size = 0; size < NSLAB_VMALLOC_POOL_MAX; size++)
			nslab_list_init(&n->pool[size]);
	}
}

static void *vmap_reserve(size_t bytes, void *at)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (at ? MAP_FIXED : 0);
	void *start = mmap(at, bytes, PROT_NONE, flags, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

static int vmap_open_tables(struct nslab_vmalloc *v)
{
	struct vmap_area *all = calloc(1, sizeof(*all));
	size_t table_bytes = v->nr_virtual * sizeof(*v->area_of);
	void *table;

	v->nodes = aligned_alloc(NSLAB_CACHE_LINE, v->nr_nodes * sizeof(*v->nodes));
	v->window = vmap_reserve(v->nr_virtual << NSLAB_PAGE_SHIFT, NULL);
	table = mmap(NULL, table_bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	v->area_of = table == MAP_FAILED ? NULL : table;
	if (!all || !v->nodes || !v->window || !v->area_of) {
		free(all);
		return -ENOMEM;
	}
	all->nr = v->nr_virtual;
	vmap_tree_insert(&v->tree, all);
	vmap_nodes_init(v);
	return 0;
}

static unsigned vmap_digits(int nr_cpus)
{
	return nr_cpus > 0 ? 32u - (unsigned)__builtin_clz((unsigned)nr_cpus) : 1;
}

static void vmap_free(struct nslab_vmalloc *v)
{
	if (v->window)
		munmap(v->window, v->nr_virtual << NSLAB_PAGE_SHIFT);
	if (v->area_of)
		munmap(v->area_of, v->nr_virtual * sizeof(*v->area_of));
	vmap_tree_destroy(&v->tree);
	free(v->nodes);
	free(v);
}

static void vmap_set_limits(struct nslab_vmalloc *v, int nr_cpus,
			    const struct nslab_vmalloc_params *p)
{
	uint64_t limit =
		p->max_map_count > 0 ? (uint64_t)p->max_map_count : vmap_read_max_map_count();

	v->max_map_count = limit;
	v->max_maps = limit > 2 * VMAP_MAPS_OTHERS ? limit - VMAP_MAPS_OTHERS : limit / 2;
	v->lazy_max =
		(size_t)(p->lazy_mib >= 0 ? p->lazy_mib : VMAP_LAZY_MIB * vmap_digits(nr_cpus));
	v->lazy_max *= VMAP_MIB_PAGES;
	v->has_pools = p->pools;
	v->nr_nodes = nr_cpus < 1 ? 1 : (unsigned)nr_cpus;
	if (v->nr_nodes > VMAP_NODES_MAX)
		v->nr_nodes = VMAP_NODES_MAX;
}

int nslab_vmalloc_open(struct nslab_page_source *source, int fd, int nr_cpus,
		       const struct nslab_vmalloc_params *params, struct nslab_vmalloc **vmalloc)
{
	static const struct nslab_vmalloc_params defaults = {.virtual_mib = VMAP_AUTO,
							     .lazy_mib = VMAP_AUTO,
							     .max_map_count = VMAP_AUTO,
							     .pools = true};
	const struct nslab_vmalloc_params *p = params ? params : &defaults;
	const struct nslab_arena *a = source->arena;
	struct nslab_vmalloc *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return -ENOMEM;
	v->source = source;
	v->fd = fd;
	vmap_set_limits(v, nr_cpus, p);
	v->nr_virtual = p->virtual_mib > 0
				? (size_t)p->virtual_mib * VMAP_MIB_PAGES
				: (size_t)a->nr_nodes * a->node_bytes / NSLAB_PAGE_SIZE * 4;
	nslab_lock_init(&v->purge_lock, NSLAB_RANK_CACHE);
	nslab_lock_init(&v->tree_lock, NSLAB_RANK_ZONE);
	rc = vmap_open_tables(v);
	if (rc) {
		vmap_free(v);
		return rc;
	}
	*vmalloc = v;
	return 0;
}

/* ---- virtual ranges ---- */

static struct vmap_node *vmap_node_of(struct nslab_vmalloc *v, const struct nslab_cpu *cpu)
{
	return &v->nodes[cpu ? (unsigned)cpu->id % v->nr_nodes : 0];
}

static struct vmap_area *vmap_pool_take(struct nslab_vmalloc *v, struct vmap_node *n, size_t nr)
{
	struct vmap_area *area = NULL;
	struct nslab_list *pool;

	if (nr > NSLAB_VMALLOC_POOL_MAX)
		return NULL;
	pool = &n->pool[nr - 1];
	nslab_lock_acquire(&n->lock);
	if (!nslab_list_is_empty(pool)) {
		area = nslab_list_first(pool, struct vmap_area, link);
		nslab_list_del(&area->link);
		n->nr_pooled[nr - 1]--;
		atomic_fetch_add_explicit(&v->nr_pool_hits, 1, memory_order_relaxed);
	}
	nslab_lock_release(&n->lock);
	return area;
}

static struct vmap_area *vmap_tree_area(struct nslab_vmalloc *v, struct vmap_node *n, size_t nr)
{
	struct vmap_area *area = calloc(1, sizeof(*area));
	struct vmap_area *emptied = NULL;
	bool is_found;

	if (!area)
		return NULL;
	nslab_lock_acquire(&v->tree_lock);
	is_found = vmap_tree_take(&v->tree, nr, &area->start, &emptied);
	nslab_lock_release(&v->tree_lock);
	free(emptied);
	if (!is_found) {
		free(area);
		return NULL;
	}
	area->nr = nr;
	area->vnode = (unsigned)(n - v->nodes);
	nslab_list_init(&area->link);
	return area;
}

static void vmap_tree_give(struct nslab_vmalloc *v, struct vmap_area *area)
{
	nslab_lock_acquire(&v->tree_lock);
	vmap_tree_insert(&v->tree, area);
	nslab_lock_release(&v->tree_lock);
}

static struct vmap_area *vmap_range(struct nslab_vmalloc *v, struct vmap_node *n, size_t nr)
{
	struct vmap_area *area = vmap_pool_take(v, n, nr);

	if (!area)
		area = vmap_tree_area(v, n, nr);
	if (!area) {
		nslab_vmalloc_purge(v);
		area = vmap_tree_area(v, n, nr);
	}
	return area;
}

/* ---- purge ---- */

static char *vmap_address(const struct nslab_vmalloc *v, size_t page)
{
	return v->window + (page << NSLAB_PAGE_SHIFT);
}

/* Everything that waits, off its lists. */
static size_t vmap_collect(struct nslab_vmalloc *v, struct nslab_list *all)
{
	size_t nr = 0;

	nslab_list_init(all);
	for (unsigned i = 0; i < v->nr_nodes; i++) {
		nslab_lock_acquire(&v->nodes[i].lock);
		nslab_list_splice_tail(&v->nodes[i].lazy, all);
		nslab_lock_release(&v->nodes[i].lock);
	}
	nslab_list_for_each (pos, all)
		nr++;
	return nr;
}

static int vmap_compare_areas(const void *a, const void *b)
{
	const struct vmap_area *x = *(struct vmap_area *const *)a;
	const struct vmap_area *y = *(struct vmap_area *const *)b;

	return (x->start > y->start) - (x->start < y->start);
}

/* By address; without memory for that they stay as they are, and cost more calls. */
static void vmap_sort(struct nslab_list *all, size_t nr)
{
	struct vmap_area **sorted = malloc((nr ? nr : 1) * sizeof(struct vmap_area *));
	size_t i = 0;

	if (!sorted)
		return;
	nslab_list_for_each (pos, all)
		sorted[i++] = nslab_list_entry(pos, struct vmap_area, link);
	qsort(sorted, nr, sizeof(struct vmap_area *), vmap_compare_areas);
	nslab_list_init(all);
	for (i = 0; i < nr; i++)
		nslab_list_add_tail(&sorted[i]->link, all);
	free(sorted);
}

/* Neighbours together. */
static void vmap_unmap_all(struct nslab_vmalloc *v, const struct nslab_list *all)
{
	size_t start = 0, end = 0;

	nslab_list_for_each (pos, all) {
		struct vmap_area *area = nslab_list_entry(pos, struct vmap_area, link);

		if (area->start != end) {
			if (end > start)
				vmap_reserve((end - start) << NSLAB_PAGE_SHIFT,
					     vmap_address(v, start));
			start = area->start;
		}
		end = area->start + area->nr;
		atomic_fetch_sub_explicit(&v->nr_maps, area->nr_maps, memory_order_relaxed);
		atomic_fetch_sub_explicit(&v->nr_lazy, area->nr, memory_order_relaxed);
	}
	if (end > start)
		vmap_reserve((end - start) << NSLAB_PAGE_SHIFT, vmap_address(v, start));
}

/* One in `share` of each pool's areas goes back to the tree. */
static void vmap_decay_pools(struct nslab_vmalloc *v, size_t share)
{
	for (unsigned i = 0; i < v->nr_nodes; i++) {
		struct vmap_node *n = &v->nodes[i];

		nslab_lock_acquire(&n->lock);
		for (int size = 0; size < NSLAB_VMALLOC_POOL_MAX; size++) {
			size_t nr = n->nr_pooled[size] / share;

			n->nr_pooled[size] -= nr;
			for (; nr; nr--) {
				struct vmap_area *area =
					nslab_list_first(&n->pool[size], struct vmap_area, link);

				nslab_list_del(&area->link);
				vmap_tree_give(v, area);
			}
		}
		nslab_lock_release(&n->lock);
	}
}

static void vmap_retire(struct nslab_vmalloc *v, struct vmap_area *area, bool may_pool)
{
	struct vmap_node *n = &v->nodes[area->vnode];

	if (!may_pool || !v->has_pools || area->nr > NSLAB_VMALLOC_POOL_MAX) {
		vmap_tree_give(v, area);
		return;
	}
	nslab_lock_acquire(&n->lock);
	nslab_list_add(&area->link, &n->pool[area->nr - 1]);
	n->nr_pooled[area->nr - 1]++;
	nslab_lock_release(&n->lock);
}

static void vmap_purge(struct nslab_vmalloc *v, bool is_full)
{
	struct nslab_list all;
	size_t nr;

	nslab_lock_acquire(&v->purge_lock);
	nr = vmap_collect(v, &all);
	vmap_sort(&all, nr);
	vmap_unmap_all(v, &all);
	vmap_decay_pools(v, is_full ? 1 : 4);
	nslab_list_for_each_safe (pos, tmp, &all) {
		nslab_list_del(pos);
		vmap_retire(v, nslab_list_entry(pos, struct vmap_area, link), !is_full);
	}
	atomic_fetch_add_explicit(&v->nr_purges, 1, memory_order_relaxed);
	nslab_lock_release(&v->purge_lock);
}

void nslab_vmalloc_purge(struct nslab_vmalloc *v)
{
	vmap_purge(v, true);
}

/* ---- allocation ---- */

static int vmap_compare_pages(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t) * (struct nslab_page *const *)a;
	uintptr_t y = (uintptr_t) * (struct nslab_page *const *)b;

	return (x > y) - (x < y);
}

static void vmap_give_pages(struct nslab_vmalloc *v, struct nslab_cpu *cpu,
			    struct nslab_page **pages, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		v->source->ops->free_pages(v->source, cpu, pages[i], 0);
	free(pages);
}

/* NULL when there are not that many. */
static struct nslab_page **vmap_take_pages(struct nslab_vmalloc *v, struct nslab_cpu *cpu,
					   size_t nr, gfp_t gfp, int node)
{
	struct nslab_page **pages = malloc(nr * sizeof(struct nslab_page *));

	for (size_t i = 0; pages && i < nr; i++) {
		pages[i] = v->source->ops->alloc_pages(v->source, cpu, 0, gfp, node);
		if (pages[i])
			continue;
		vmap_give_pages(v, cpu, pages, i);
		return NULL;
	}
	if (pages)
		qsort(pages, nr, sizeof(struct nslab_page *), vmap_compare_pages);
	return pages;
}

/* Pages from here on that are neighbours. */
static size_t vmap_run(struct nslab_page *const *pages, size_t nr)
{
	size_t run = 1;

	while (run < nr && pages[run] == pages[run - 1] + 1)
		run++;
	return run;
}

static size_t vmap_nr_runs(struct nslab_page *const *pages, size_t nr)
{
	size_t nr_runs = 0;

	for (size_t i = 0; i < nr; i += vmap_run(pages + i, nr - i))
		nr_runs++;
	return nr_runs;
}

/* Counts this many mappings, unless the process may not have them. */
static bool vmap_charge(struct nslab_vmalloc *v, size_t nr)
{
	uint64_t after = atomic_fetch_add_explicit(&v->nr_maps, nr, memory_order_relaxed) + nr;

	if (after <= v->max_maps)
		return true;
	atomic_fetch_sub_explicit(&v->nr_maps, nr, memory_order_relaxed);
	return false;
}

static int vmap_map(struct nslab_vmalloc *v, const struct vmap_area *area, size_t nr_pages)
{
	const struct nslab_arena *a = v->source->arena;
	size_t run;

	for (size_t i = 0; i < nr_pages; i += run) {
		size_t offset = nslab_arena_pfn(a, area->pages[i]) << NSLAB_PAGE_SHIFT;
		void *start;

		run = vmap_run(area->pages + i, nr_pages - i);
		start = mmap(vmap_address(v, area->start + i), run << NSLAB_PAGE_SHIFT,
			     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, v->fd, (off_t)offset);
		if (start == MAP_FAILED)
			return -errno;
	}
	return 0;
}

static int __attribute__((format(printf, 3, 4)))
vmap_fail(char *why, size_t why_bytes, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (why_bytes)
		vsnprintf(why, why_bytes, format, args);
	va_end(args);
	return -ENOMEM;
}

static int vmap_map_charged(struct nslab_vmalloc *v, struct vmap_area *area, size_t nr_pages,
			    char *why, size_t why_bytes)
{
	size_t nr_runs = vmap_nr_runs(area->pages, nr_pages);
	int rc;

	area->nr_maps = nr_runs + 1;
	if (!vmap_charge(v, area->nr_maps)) {
		vmap_purge(v, false);
		if (!vmap_charge(v, area->nr_maps))
			return vmap_fail(why, why_bytes,
					 "cannot map %zu pages in %zu runs: %llu mappings are in "
					 "use, %llu may be (vm.max_map_count is %llu)",
					 nr_pages, nr_runs,
					 (unsigned long long)atomic_load(&v->nr_maps),
					 (unsigned long long)v->max_maps,
					 (unsigned long long)v->max_map_count);
	}
	rc = vmap_map(v, area, nr_pages);
	if (!rc) {
		atomic_fetch_add_explicit(&v->nr_runs, nr_runs, memory_order_relaxed);
		return 0;
	}
	vmap_reserve(area->nr << NSLAB_PAGE_SHIFT, vmap_address(v, area->start));
	atomic_fetch_sub_explicit(&v->nr_maps, area->nr_maps, memory_order_relaxed);
	return vmap_fail(why, why_bytes,
			 "cannot map %zu pages in %zu runs: %s (vm.max_map_count is %llu)",
			 nr_pages, nr_runs, strerror(-rc), (unsigned long long)v->max_map_count);
}

int nslab_vmalloc_alloc(struct nslab_vmalloc *v, struct nslab_cpu *cpu, size_t bytes, gfp_t gfp,
			int node, char *why, size_t why_bytes, void **ptr)
{
	size_t nr = bytes / NSLAB_PAGE_SIZE + (bytes % NSLAB_PAGE_SIZE != 0);
	struct vmap_node *n = vmap_node_of(v, cpu);
	struct vmap_area *area;
	int rc;

	if (!bytes) {
		vmap_fail(why, why_bytes, "cannot allocate 0 bytes");
		return -EINVAL;
	}
	if (nr >= v->nr_virtual || !(area = vmap_range(v, n, nr + 1)))
		return vmap_fail(why, why_bytes,
				 "cannot find %zu virtual pages: the window has %zu, and a guard "
				 "page follows each area",
				 nr, v->nr_virtual);
	area->pages = vmap_take_pages(v, cpu, nr, gfp, node);
	if (!area->pages) {
		rc = vmap_fail(why, why_bytes, "cannot get %zu pages of order 0", nr);
		goto out_range;
	}
	rc = vmap_map_charged(v, area, nr, why, why_bytes);
	if (rc)
		goto out_pages;
	atomic_fetch_add_explicit(&v->nr_areas, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&v->nr_pages, nr, memory_order_relaxed);
	atomic_store_explicit(&v->area_of[area->start], area, memory_order_release);
	*ptr = vmap_address(v, area->start);
	return 0;

out_pages:
	vmap_give_pages(v, cpu, area->pages, nr);
	area->pages = NULL;
out_range:
	vmap_tree_give(v, area);
	return rc;
}

/* ---- areas in use ---- */

/* Number of the virtual page that starts at ptr; nr_virtual when none does. */
static size_t vmap_page_at(const struct nslab_vmalloc *v, const void *ptr)
{
	uintptr_t offset = (uintptr_t)ptr - (uintptr_t)v->window;

	if (offset % NSLAB_PAGE_SIZE || offset >> NSLAB_PAGE_SHIFT >= v->nr_virtual)
		return v->nr_virtual;
	return offset >> NSLAB_PAGE_SHIFT;
}

static struct vmap_area *vmap_area_at(struct nslab_vmalloc *v, const void *ptr)
{
	size_t page = vmap_page_at(v, ptr);

	if (page == v->nr_virtual)
		return NULL;
	return atomic_load_explicit(&v->area_of[page], memory_order_acquire);
}

size_t nslab_vmalloc_pages(struct nslab_vmalloc *v, const void *ptr)
{
	const struct vmap_area *area = vmap_area_at(v, ptr);

	return area ? area->nr - 1 : 0;
}

struct nslab_page *nslab_vmalloc_page(struct nslab_vmalloc *v, const void *ptr, size_t index)
{
	const struct vmap_area *area = vmap_area_at(v, ptr);

	return area && index < area->nr - 1 ? area->pages[index] : NULL;
}

/* The area is nobody else's any more. */
static void vmap_let_go(struct nslab_vmalloc *v, struct nslab_cpu *cpu, struct vmap_area *area)
{
	struct vmap_node *n = &v->nodes[area->vnode];
	size_t nr = area->nr;
	uint64_t nr_lazy;

	atomic_fetch_sub_explicit(&v->nr_areas, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&v->nr_pages, nr - 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&v->nr_runs, area->nr_maps - 1, memory_order_relaxed);
	vmap_give_pages(v, cpu, area->pages, nr - 1);
	area->pages = NULL;
	nr_lazy = atomic_fetch_add_explicit(&v->nr_lazy, nr, memory_order_relaxed) + nr;
	nslab_lock_acquire(&n->lock);
	nslab_list_add_tail(&area->link, &n->lazy);
	nslab_lock_release(&n->lock);
	if (nr_lazy > v->lazy_max)
		vmap_purge(v, false);
}

int nslab_vmalloc_free(struct nslab_vmalloc *v, struct nslab_cpu *cpu, void *ptr)
{
	size_t page = vmap_page_at(v, ptr);
	struct vmap_area *area;

	if (page == v->nr_virtual)
		return -EINVAL;
	area = atomic_exchange_explicit(&v->area_of[page], NULL, memory_order_acq_rel);
	if (!area)
		return -EINVAL;
	vmap_let_go(v, cpu, area);
	return 0;
}

void nslab_vmalloc_stats(struct nslab_vmalloc *v, struct nslab_vmalloc_stats *stats)
{
	*stats = (struct nslab_vmalloc_stats){
		.nr_areas = atomic_load(&v->nr_areas),
		.nr_pages = atomic_load(&v->nr_pages),
		.nr_runs = atomic_load(&v->nr_runs),
		.nr_maps = atomic_load(&v->nr_maps),
		.max_maps = v->max_maps,
		.nr_lazy_pages = atomic_load(&v->nr_lazy),
		.nr_purges = atomic_load(&v->nr_purges),
		.nr_pool_hits = atomic_load(&v->nr_pool_hits),
	};
	nslab_lock_acquire(&v->tree_lock);
	stats->nr_largest_pages = vmap_tree_largest(&v->tree);
	nslab_lock_release(&v->tree_lock);
}

size_t nslab_vmalloc_close(struct nslab_vmalloc *v)
{
	size_t nr_left = 0;

	for (size_t page = 0; v->nr_areas && page < v->nr_virtual; page++) {
		struct vmap_area *area = atomic_exchange(&v->area_of[page], NULL);

		if (!area)
			continue;
		nr_left++;
		vmap_let_go(v, NULL, area);
	}
	vmap_purge(v, true);
	vmap_free(v);
	return nr_left;
}
