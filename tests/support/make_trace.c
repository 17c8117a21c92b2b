/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * make_trace.c FILE [EVENTS [CPUS]]: writes a trace that never happened, the same each time.
 *
 * It has what real ones have: caches and kmalloc sizes, frees on another CPU than the allocation
 * (one in eight), objects born before the first event, addresses that are allocated again although
 * their free was never seen, page events, a lost event, a gap of more than 4.3 s, and objects that
 * outlive the trace. The recorded kernel's numbers are made up so that they fit the events: cache
 * "t-dentry" only grows. Left out: texts of events, which the importer's tests have.
 */
#include "core/rng.h"
#include "workloads/trace/writer.h"

#include <stdio.h>
#include <stdlib.h>

#define MAKE_LIVE   512
#define MAKE_GROWTH 1000000 /* events: a longer trace needs no more memory */

struct maker {
	struct nslab_trace_writer *writer;
	struct nslab_err err;
	uint64_t rng, time_ns, next_ptr;
	unsigned nr_cpus;
	uint16_t site, attr, cache[4];
	struct {
		uint64_t ptr;
		unsigned what, cpu;
	} live[MAKE_LIVE];
	unsigned nr_live;
	uint64_t nr_grown;
};

static int make_put(struct maker *m, enum nslab_trace_kind kind, uint64_t ptr, uint16_t cache,
		    unsigned cpu)
{
	bool is_alloc = nslab_trace_is_alloc(kind);
	struct nslab_trace_raw raw = {
		.time_ns = m->time_ns,
		.ptr = ptr,
		.cpu = cpu,
		.site = m->site,
		.attr = is_alloc ? m->attr : 0,
		.cache = cache,
		.kind = (uint8_t)kind,
	};

	m->time_ns += 200 + nslab_rng_below(&m->rng, 2000);
	return nslab_trace_writer_put(m->writer, &raw, &m->err);
}

static enum nslab_trace_kind make_kind(unsigned what, bool is_alloc)
{
	if (what < 2)
		return is_alloc ? NSLAB_TRACE_CACHE_ALLOC : NSLAB_TRACE_CACHE_FREE;
	if (what == 2)
		return is_alloc ? NSLAB_TRACE_KMALLOC : NSLAB_TRACE_KFREE;
	return is_alloc ? NSLAB_TRACE_PAGE_ALLOC : NSLAB_TRACE_PAGE_FREE;
}

static int make_free(struct maker *m, unsigned cpu)
{
	unsigned i = nslab_rng_below(&m->rng, m->nr_live);
	unsigned what = m->live[i].what;
	uint64_t ptr = m->live[i].ptr;

	if (nslab_rng_below(&m->rng, 8))
		cpu = m->live[i].cpu;
	m->live[i] = m->live[--m->nr_live];
	if (!nslab_rng_below(&m->rng, 50)) { /* not seen: the address comes back */
		m->next_ptr = ptr;
		return 0;
	}
	return make_put(m, make_kind(what, false), ptr, what == 2 ? 0 : m->cache[what], cpu);
}

static int make_alloc(struct maker *m, unsigned cpu)
{
	unsigned what = nslab_rng_below(&m->rng, 4);
	uint64_t ptr = m->next_ptr ? m->next_ptr : m->time_ns * 64;

	m->next_ptr = 0;
	m->live[m->nr_live].ptr = ptr;
	m->live[m->nr_live].what = what;
	m->live[m->nr_live++].cpu = cpu;
	return make_put(m, make_kind(what, true), ptr, m->cache[what], cpu);
}

/* One more object of the cache that only grows. */
static int make_growth(struct maker *m, unsigned cpu)
{
	m->nr_grown++;
	return make_put(m, NSLAB_TRACE_CACHE_ALLOC, m->time_ns * 64, m->cache[0], cpu);
}

static int make_event(struct maker *m, uint64_t number)
{
	unsigned cpu = nslab_rng_below(&m->rng, m->nr_cpus);

	if (number == 100)
		return make_put(m, NSLAB_TRACE_LOST, 3, 0, cpu);
	if (number == 200)
		m->time_ns += 5000000000u;
	if (number < 20) /* born before: freed without an allocation */
		return make_put(m, NSLAB_TRACE_CACHE_FREE, 64 * (number + 1), m->cache[1], cpu);
	if (number % 16 == 0 && number < MAKE_GROWTH)
		return make_growth(m, cpu);
	if (m->nr_live && (m->nr_live == MAKE_LIVE || nslab_rng_below(&m->rng, 2)))
		return make_free(m, cpu);
	return make_alloc(m, cpu);
}

static int make_tables(struct maker *m)
{
	struct nslab_trace_writer *w = m->writer;
	int site = nslab_trace_writer_site(w, "made_up+0x10", 12);
	int attr = nslab_trace_writer_attr(w, "GFP_KERNEL", 10, -1, false);
	int rc = site < 0 ? site : attr;

	m->site = (uint16_t)site;
	m->attr = (uint16_t)attr;
	m->cache[0] = (uint16_t)nslab_trace_writer_cache(w, "t-dentry", 8, 192, 192);
	m->cache[1] = (uint16_t)nslab_trace_writer_cache(w, "t-inode", 7, 600, 608);
	m->cache[2] = (uint16_t)nslab_trace_writer_kmalloc(w, 100, 128, m->attr);
	m->cache[3] = (uint16_t)nslab_trace_writer_pages(w, 1);
	for (unsigned i = 0; rc >= 0 && i < m->nr_cpus; i++)
		rc = nslab_trace_writer_cpu(w, i, (int)i / 2);
	return rc < 0 ? rc : 0;
}

/* Objects of the cache that only grows, and of its random part those that are left. */
static int64_t make_left(const struct maker *m)
{
	int64_t nr = (int64_t)m->nr_grown;

	for (unsigned i = 0; i < m->nr_live; i++)
		nr += m->live[i].what == 0;
	return nr;
}

/* As if the kernel had started with 100 full slabs and used one for each 21 objects. */
static int make_kernel_cache(struct maker *m)
{
	int64_t grown = make_left(m);
	const struct nslab_trace_kernel_cache cache = {
		.name = "t-dentry",
		.object_size = 192,
		.slab_size = 192,
		.align = 8,
		.order = 0,
		.objs_per_slab = 21,
		.cpu_partial = NSLAB_TRACE_NOT_TOLD,
		.min_partial = 5,
		.sheaf_capacity = NSLAB_TRACE_NOT_TOLD,
		.flags = "reclaim_account",
		.slabs_before = 100,
		.slabs_after = 100 + (grown + 20) / 21,
		.objects_before = 2100,
		.objects_after = 2100 + grown,
		.partial_before = 0,
		.partial_after = 0,
	};

	return nslab_trace_writer_kernel_cache(m->writer, &cache);
}

int main(int argc, char **argv)
{
	uint64_t nr_events = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
	const struct nslab_trace_info info = {
		.source = "made up",
		.kernel = "6.18",
		.machine = "none",
		.command = "make_trace",
		.clock = "counted",
		.page_bytes = 4096,
		.has_pages = true,
	};
	struct maker m = {.rng = 1, .time_ns = 1000000};
	int rc = -22;

	m.nr_cpus = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 4;
	if (argc > 1)
		rc = nslab_trace_writer_create(argv[1], &info, &m.writer, &m.err);
	if (!rc)
		rc = make_tables(&m);
	for (uint64_t i = 0; !rc && i < nr_events; i++)
		rc = make_event(&m, i);
	if (!rc)
		rc = make_kernel_cache(&m);
	if (!rc)
		rc = nslab_trace_writer_finish(m.writer, &m.err);
	nslab_trace_writer_destroy(m.writer);
	if (rc)
		fprintf(stderr, "make_trace: %s\n", m.err.text[0] ? m.err.text : "FILE [EVENTS]");
	return rc ? 1 : 0;
}
