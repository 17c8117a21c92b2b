// SPDX-License-Identifier: GPL-2.0-only
/*
 * simple_env.c: the smallest host that a backend can run on.
 *
 * One reservation is cut into nodes. Blocks are carved upwards, naturally aligned, and kept on a
 * list per node and order when they come back; a larger block is split when nothing else is left,
 * and nothing is ever merged. One lock guards it all, so it is right for many threads and fast for
 * none. It counts what is out, and can refuse chosen calls. Left out: per-CPU lists, distances
 * other than "next number", placement of memory on real nodes.
 */
#define _GNU_SOURCE
#include "tests/support/simple_env.h"

#include "core/list.h"
#include "core/lock.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SIMPLE_BLOCK ((size_t)4 << 20) /* bytes of the largest block */

struct simple_node {
	struct nslab_list free[NSLAB_MAX_ORDER + 1];
	size_t first_unused; /* frame number */
	size_t end;	     /* frame number */
};

struct simple_env {
	struct nslab_env env;
	struct nslab_arena arena;
	struct nslab_lock lock;
	struct simple_node nodes[NSLAB_MAX_NODES];
	void *mapping;
	size_t mapping_bytes;
	uint64_t nr_pages, meta_bytes, nr_calls;
	uint64_t fail_from, fail_to; /* call numbers */
	unsigned nr_reports;
};

static struct simple_env *simple_of(const struct nslab_env *env)
{
	return nslab_container_of((void *)(uintptr_t)env, struct simple_env, env);
}

static struct nslab_page *simple_take_free(struct simple_node *node, unsigned order)
{
	struct nslab_page *page;

	if (nslab_list_is_empty(&node->free[order]))
		return NULL;
	page = nslab_list_first(&node->free[order], struct nslab_page, list);
	nslab_list_del(&page->list);
	return page;
}

static struct nslab_page *simple_carve(struct simple_env *simple, struct simple_node *node,
				       unsigned order)
{
	size_t nr = (size_t)1 << order;
	size_t first = (node->first_unused + nr - 1) & ~(nr - 1);

	if (first + nr > node->end)
		return NULL;
	/* what alignment skips is not lost */
	while (node->first_unused < first) {
		nslab_list_add(&simple->arena.pages[node->first_unused].list, &node->free[0]);
		node->first_unused++;
	}
	node->first_unused = first + nr;
	return simple->arena.pages + first;
}

static struct nslab_page *simple_split(struct simple_node *node, unsigned order)
{
	for (unsigned from = order + 1; from <= NSLAB_MAX_ORDER; from++) {
		struct nslab_page *page = simple_take_free(node, from);

		if (!page)
			continue;
		while (from > order) {
			from--;
			nslab_list_add(&page[(size_t)1 << from].list, &node->free[from]);
		}
		return page;
	}
	return NULL;
}

static struct nslab_page *simple_take(struct simple_env *simple, int nid, unsigned order)
{
	struct simple_node *node = &simple->nodes[nid];
	struct nslab_page *page = simple_take_free(node, order);

	if (!page)
		page = simple_carve(simple, node, order);
	if (!page)
		page = simple_split(node, order);
	return page;
}

static void simple_mark(struct nslab_page *page, unsigned order)
{
	page->order = (uint8_t)order;
	page->flags = NSLAB_PAGE_HEAD;
	for (uint32_t i = 0; i < 1u << order; i++)
		page[i].head = i;
}

static struct nslab_page *simple_alloc_locked(struct simple_env *simple, unsigned order, gfp_t gfp,
					      int node)
{
	int nr_nodes = simple->arena.nr_nodes;
	struct nslab_page *page = NULL;

	simple->nr_calls++;
	if (simple->nr_calls >= simple->fail_from && simple->nr_calls < simple->fail_to)
		return NULL;
	for (int i = 0; i < nr_nodes && !page; i++) {
		if (i == 0 || !(gfp & __GFP_THISNODE))
			page = simple_take(simple, (node + i) % nr_nodes, order);
	}
	if (page) {
		simple_mark(page, order);
		simple->nr_pages += (uint64_t)1 << order;
	}
	return page;
}

static struct nslab_page *simple_alloc_pages(const struct nslab_env *env, struct nslab_cpu *cpu,
					     unsigned order, gfp_t gfp, int node)
{
	struct simple_env *simple = simple_of(env);
	struct nslab_page *page;

	if (node == NUMA_NO_NODE)
		node = cpu ? cpu->node : 0;
	if (node < 0 || node >= simple->arena.nr_nodes || order > NSLAB_MAX_ORDER)
		return NULL;
	nslab_lock_acquire(&simple->lock);
	page = simple_alloc_locked(simple, order, gfp, node);
	nslab_lock_release(&simple->lock);
	if (page && (gfp & __GFP_ZERO))
		memset(nslab_page_address(env, page), 0, NSLAB_PAGE_SIZE << order);
	return page;
}

static void simple_free_pages(const struct nslab_env *env, struct nslab_cpu *cpu,
			      struct nslab_page *page, unsigned order)
{
	struct simple_env *simple = simple_of(env);

	(void)cpu;
	nslab_lock_acquire(&simple->lock);
	page->flags = 0;
	nslab_list_add(&page->list, &simple->nodes[page->node].free[order]);
	simple->nr_pages -= (uint64_t)1 << order;
	nslab_lock_release(&simple->lock);
}

static void *simple_alloc_meta(const struct nslab_env *env, size_t bytes, int node)
{
	struct simple_env *simple = simple_of(env);
	size_t rounded = (bytes + NSLAB_CACHE_LINE - 1) & ~(size_t)(NSLAB_CACHE_LINE - 1);
	void *ptr = aligned_alloc(NSLAB_CACHE_LINE, rounded);

	(void)node;
	if (!ptr)
		return NULL;
	memset(ptr, 0, rounded);
	nslab_lock_acquire(&simple->lock);
	simple->meta_bytes += bytes;
	nslab_lock_release(&simple->lock);
	return ptr;
}

static void simple_free_meta(const struct nslab_env *env, void *ptr, size_t bytes)
{
	struct simple_env *simple = simple_of(env);

	nslab_lock_acquire(&simple->lock);
	simple->meta_bytes -= bytes;
	nslab_lock_release(&simple->lock);
	free(ptr);
}

static void __attribute__((format(printf, 2, 3)))
simple_report(const struct nslab_env *env, const char *format, ...)
{
	va_list args;

	simple_of(env)->nr_reports++;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static int simple_map(struct simple_env *simple, size_t arena_bytes)
{
	size_t records = (arena_bytes >> NSLAB_PAGE_SHIFT) * sizeof(struct nslab_page);
	char *base;

	simple->mapping_bytes = arena_bytes + SIMPLE_BLOCK + records;
	base = mmap(NULL, simple->mapping_bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	simple->mapping = base;
	base += -(uintptr_t)base & (SIMPLE_BLOCK - 1);
	simple->arena.base = (uintptr_t)base;
	simple->arena.pages = (struct nslab_page *)(void *)(base + arena_bytes);
	return 0;
}

static void simple_init_node(struct simple_env *simple, int nid, size_t node_bytes)
{
	struct simple_node *node = &simple->nodes[nid];
	size_t frames = ((size_t)1 << simple->arena.node_shift) >> NSLAB_PAGE_SHIFT;

	node->first_unused = (size_t)nid * frames;
	node->end = node->first_unused + (node_bytes >> NSLAB_PAGE_SHIFT);
	for (size_t i = node->first_unused; i < node->end; i++)
		simple->arena.pages[i].node = (int16_t)nid;
	for (unsigned order = 0; order <= NSLAB_MAX_ORDER; order++)
		nslab_list_init(&node->free[order]);
}

int simple_env_open(int nr_nodes, size_t node_bytes, struct simple_env **simple)
{
	struct simple_env *new = calloc(1, sizeof(*new));
	unsigned shift = 63u - (unsigned)__builtin_clzll(2 * node_bytes - 1);

	if (!new)
		return -ENOMEM;
	new->arena.nr_nodes = nr_nodes;
	new->arena.node_shift = shift;
	new->arena.node_bytes = node_bytes;
	new->arena.nr_cpus = 8;
	if (simple_map(new, (size_t)nr_nodes << shift)) {
		free(new);
		return -ENOMEM;
	}
	for (int nid = 0; nid < nr_nodes; nid++)
		simple_init_node(new, nid, node_bytes);
	nslab_lock_init(&new->lock, NSLAB_RANK_ZONE);
	new->env = (struct nslab_env){
		.arena = &new->arena,
		.seed = 1,
		.alloc_pages = simple_alloc_pages,
		.free_pages = simple_free_pages,
		.alloc_meta = simple_alloc_meta,
		.free_meta = simple_free_meta,
		.report = simple_report,
	};
	*simple = new;
	return 0;
}

void simple_env_close(struct simple_env *simple)
{
	munmap(simple->mapping, simple->mapping_bytes);
	free(simple);
}

const struct nslab_env *simple_env_get(struct simple_env *simple)
{
	return &simple->env;
}

uint64_t simple_env_nr_pages(struct simple_env *simple)
{
	return simple->nr_pages;
}

uint64_t simple_env_meta_bytes(struct simple_env *simple)
{
	return simple->meta_bytes;
}

uint64_t simple_env_nr_calls(struct simple_env *simple)
{
	return simple->nr_calls;
}

unsigned simple_env_nr_reports(struct simple_env *simple)
{
	return simple->nr_reports;
}

void simple_env_fail(struct simple_env *simple, uint64_t at, uint64_t nr)
{
	simple->fail_from = at ? simple->nr_calls + at : 0;
	simple->fail_to = at ? simple->fail_from + nr : 0;
}
