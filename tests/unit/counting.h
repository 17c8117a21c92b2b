/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counting.h: an allocator's table that counts.
 *
 * It allocates with malloc and counts what is alive, so a lost or twice freed object shows as a
 * number (and as a report under AddressSanitizer). Traces, bulk calls and deferred objects are for
 * tests of one thread.
 */
#ifndef NSLAB_TESTS_COUNTING_H
#define NSLAB_TESTS_COUNTING_H

#include <numaslab/workload.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define TRACE_MAX  64
#define BULK_MAX   256
#define RCU_MAX	   1024
#define CACHES_MAX 16
#define NODES_MAX  4
#define PACKED_MAX 4096 /* bytes */

static struct {
	atomic_long nr_live;
	atomic_long nr_allocs;
	long fail_at; /* allocation with this number fails, and all after it; 0: none */
	bool is_traced;
	void *allocated[TRACE_MAX], *freed[TRACE_MAX];
	size_t nr_allocated, nr_freed;
	long peak;			/* of nr_live, while traced */
	long bulk_allocs[BULK_MAX + 1]; /* calls, by number of objects */
	long bulk_frees[BULK_MAX + 1];
	long nr_of_size[8192 / 8 + 1]; /* kmallocs while traced, by size / 8 */
	void *deferred[RCU_MAX];
	size_t nr_deferred;
	long nr_barriers;
	char report[256]; /* the last one */
	int nr_caches;
	bool is_nowait_refused; /* requests that must not block get nothing */
	bool is_packed;		/* objects come one behind the other, from the start of a line */
	size_t packed_bytes;
	long nr_on_node[NODES_MAX]; /* requests of caches for that node, while traced */
} counting;

static void counting_reset(void)
{
	memset(&counting, 0, sizeof(counting));
}

/* Is never used again. */
static _Alignas(64) char counting_packed[PACKED_MAX];

static void *counting_pack(size_t size_bytes)
{
	void *obj = counting_packed + counting.packed_bytes;

	counting.packed_bytes += size_bytes;
	assert_true(counting.packed_bytes <= PACKED_MAX);
	return obj;
}

static void *counting_take(size_t size_bytes)
{
	long number = atomic_fetch_add(&counting.nr_allocs, 1) + 1, live;
	void *obj;

	if (counting.fail_at && number >= counting.fail_at)
		return NULL;
	obj = counting.is_packed ? counting_pack(size_bytes) : malloc(size_bytes);
	assert_non_null(obj);
	live = atomic_fetch_add(&counting.nr_live, 1) + 1;
	if (counting.is_traced && live > counting.peak)
		counting.peak = live;
	if (counting.is_traced && counting.nr_allocated < TRACE_MAX)
		counting.allocated[counting.nr_allocated++] = obj;
	return obj;
}

static void counting_give(void *obj)
{
	atomic_fetch_sub(&counting.nr_live, 1);
	if (counting.is_traced && counting.nr_freed < TRACE_MAX)
		counting.freed[counting.nr_freed++] = obj;
	if (!counting.is_packed)
		free(obj);
}

static void *counting_alloc(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node)
{
	(void)cpu;
	if (counting.is_nowait_refused && !(gfp & __GFP_DIRECT_RECLAIM))
		return NULL;
	if (counting.is_traced && node >= 0 && node < NODES_MAX)
		counting.nr_on_node[node]++;
	return counting_take(s->object_size);
}

static void counting_free(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	(void)cpu;
	(void)s;
	counting_give(obj);
}

static void *counting_kmalloc(struct nslab_cpu *cpu, size_t size_bytes, gfp_t gfp, int node)
{
	(void)cpu;
	(void)gfp;
	(void)node;
	if (counting.is_traced && size_bytes <= 8192)
		counting.nr_of_size[size_bytes / 8]++;
	return counting_take(size_bytes);
}

static void counting_kfree(struct nslab_cpu *cpu, void *obj)
{
	(void)cpu;
	counting_give(obj);
}

static void counting_free_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, size_t nr, void **objs)
{
	assert_true(nr <= BULK_MAX);
	counting.bulk_frees[nr]++;
	for (size_t i = 0; i < nr; i++)
		counting_free(cpu, s, objs[i]);
}

static size_t counting_alloc_bulk(struct nslab_cpu *cpu, struct kmem_cache *s, gfp_t gfp, int node,
				  size_t nr, void **objs)
{
	assert_true(nr <= BULK_MAX);
	counting.bulk_allocs[nr]++;
	for (size_t i = 0; i < nr; i++) {
		objs[i] = counting_alloc(cpu, s, gfp, node);
		if (!objs[i]) {
			while (i)
				counting_free(cpu, s, objs[--i]);
			return 0;
		}
	}
	return nr;
}

static void counting_free_rcu(struct nslab_cpu *cpu, struct kmem_cache *s, void *obj)
{
	(void)cpu;
	(void)s;
	assert_true(counting.nr_deferred < RCU_MAX);
	counting.deferred[counting.nr_deferred++] = obj;
}

static void counting_rcu_barrier(struct nslab_cpu *cpu)
{
	(void)cpu;
	counting.nr_barriers++;
	while (counting.nr_deferred)
		counting_give(counting.deferred[--counting.nr_deferred]);
}

static size_t counting_size_roundup(const struct nslab_heap *heap, size_t size_bytes)
{
	(void)heap;
	return (size_bytes + 63) & ~(size_t)63;
}

static void counting_report(const struct nslab_env *env, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void counting_report(const struct nslab_env *env, const char *format, ...)
{
	va_list args;

	(void)env;
	va_start(args, format);
	vsnprintf(counting.report, sizeof(counting.report), format, args);
	va_end(args);
}

/* An arena in which nothing lies. */
static const struct nslab_arena counting_arena = {.nr_nodes = NODES_MAX};
static const struct nslab_env counting_env = {.arena = &counting_arena, .report = counting_report};

static struct kmem_cache counting_caches[CACHES_MAX];

static int counting_create(struct nslab_heap *heap, const struct nslab_cache_spec *spec,
			   struct kmem_cache **s)
{
	assert_true(counting.nr_caches < CACHES_MAX);
	*s = &counting_caches[counting.nr_caches++];
	(*s)->heap = heap;
	(*s)->object_size = (unsigned)spec->object_size;
	return 0;
}

static const struct nslab_allocator_ops counting_ops = {
	.name = "counting",
	.cache_create = counting_create,
	.alloc = counting_alloc,
	.free = counting_free,
	.kmalloc = counting_kmalloc,
	.kfree = counting_kfree,
	.alloc_bulk = counting_alloc_bulk,
	.free_bulk = counting_free_bulk,
	.free_rcu = counting_free_rcu,
	.rcu_barrier = counting_rcu_barrier,
	.size_roundup = counting_size_roundup,
};

#endif
