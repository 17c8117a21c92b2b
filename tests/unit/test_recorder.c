/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_recorder.c: records of two kernels' kmem events become the same trace, without root.
 *
 * Format files are those of real 6.1 and 6.18 kernels; the records that go with them are made here,
 * byte by byte at the offsets that those kernels have, and put into ring-buffer pages as the kernel
 * lays them out. What comes out is read back from the finished trace. The machine's caches are read
 * from a folder that is laid out like /proc and /sys.
 */
#define _GNU_SOURCE
#include "workloads/trace/recorder_host.h"
#include "workloads/trace/recorder_merge.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE_BYTES    4096
#define PAGE_HEADER   16
#define MAX_READ      4096
#define OWN_PID	      4711
#define OTHER_PID     1234
#define SOFTIRQ	      0x10
#define MISSED	      (1u << 31) /* in a page's commit word: events are missing before it */
#define MISSED_TOLD   (1u << 30) /* how many follows the last record */
#define GFP_KERNEL    0xcc0
#define GFP_OF_ATOMIC 0x820 /* GFP_ATOMIC of 6.18; 6.1 needs one more bit for that word */

/* Offsets of kmem_cache_alloc, the event in which the kernels differ; 0: no such field. */
struct layout {
	const char *kernel;
	int name, bytes_req, bytes_alloc, gfp, node, accounted, nr_bytes;
	const char *words_of_atomic, *cache;
};

static const struct layout layouts[] = {
	{"6.1", 0, 24, 32, 40, 48, 52, 56, "GFP_NOWAIT|__GFP_HIGH", "filp"},
	{"6.18", 24, 32, 40, 48, 56, 60, 76, "GFP_ATOMIC", "filp"},
};

enum {
	KMALLOC,
	KFREE,
	CACHE_ALLOC,
	CACHE_FREE,
	PAGE_ALLOC,
	PAGE_FREE,
	NR_NAMES
};

static const char *const names[NR_NAMES] = {"kmalloc",	       "kfree",		"kmem_cache_alloc",
					    "kmem_cache_free", "mm_page_alloc", "mm_page_free"};

struct record {
	unsigned char bytes[128];
	size_t nr_bytes;
	unsigned delta_ns; /* since the record before, or the page's beginning */
};

struct fixture {
	char dir[64], path[96];
	const struct layout *layout;
	unsigned ids[NR_NAMES];
	struct nslab_recorder_events *events;
	struct nslab_trace_writer *writer;
	struct nslab_recorder_merge *merge;
	struct nslab_err err;
	int fds[2]; /* what the merge reads, to append to */
};

/* ---- the fixture ---- */

static char *read_file(const char *path, size_t *nr_bytes)
{
	char *text = malloc(65536);
	FILE *in = fopen(path, "r");

	assert_non_null(text);
	assert_non_null(in);
	*nr_bytes = fread(text, 1, 65535, in);
	text[*nr_bytes] = '\0';
	fclose(in);
	return text;
}

static char *format_text(const char *kernel, const char *event, size_t *nr_bytes)
{
	char path[512];

	snprintf(path, sizeof(path), TEST_DATA "/tracefs-%s/events/kmem/%s/format", kernel, event);
	return read_file(path, nr_bytes);
}

static void fixture_formats(struct fixture *f)
{
	for (int i = 0; i < NR_NAMES; i++) {
		size_t nr_bytes;
		char *text = format_text(f->layout->kernel, names[i], &nr_bytes);

		assert_int_equal(sscanf(strstr(text, "ID:"), "ID: %u", &f->ids[i]), 1);
		assert_int_equal(nslab_recorder_events_format(f->events, text, nr_bytes, &f->err),
				 0);
		free(text);
	}
}

static void fixture_begin(struct fixture *f, const struct layout *layout)
{
	const struct nslab_trace_info info = {.source = "record",
					      .kernel = layout->kernel,
					      .machine = "",
					      .command = "",
					      .clock = "mono",
					      .page_bytes = PAGE_BYTES,
					      .has_pages = true};

	f->layout = layout;
	assert_int_equal(nslab_recorder_events_new(OWN_PID, &f->events), 0);
	fixture_formats(f);
	assert_int_equal(nslab_trace_writer_create(f->path, &info, &f->writer, &f->err), 0);
	assert_int_equal(nslab_recorder_merge_new(f->events, f->writer, PAGE_BYTES, &f->merge), 0);
	for (unsigned cpu = 0; cpu < 2; cpu++) {
		f->fds[cpu] = memfd_create("pages", 0);
		assert_true(f->fds[cpu] >= 0);
		assert_int_equal(nslab_recorder_merge_cpu(f->merge, cpu, f->fds[cpu]), 0);
	}
}

static void fixture_end(struct fixture *f)
{
	nslab_recorder_merge_free(f->merge);
	nslab_recorder_events_free(f->events);
	nslab_trace_writer_destroy(f->writer);
	f->merge = NULL;
	f->events = NULL;
	f->writer = NULL;
}

static int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	snprintf(f->dir, sizeof(f->dir), "/tmp/numaslab-test-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/trace", f->dir);
	*state = f;
	return 0;
}

static int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	fixture_end(f);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	if (system(command))
		return -1;
	free(f);
	return 0;
}

/* ---- records and pages ---- */

static void put(struct record *r, int offset, uint64_t value, size_t size)
{
	memcpy(r->bytes + offset, &value, size); /* the fixtures are little-endian machines' */
	if (r->nr_bytes < (size_t)offset + size)
		r->nr_bytes = (size_t)offset + size;
}

static struct record make(const struct fixture *f, int event, uint64_t ptr, uint64_t site)
{
	struct record r = {.delta_ns = 10};

	put(&r, 0, f->ids[event], 2);
	put(&r, 2, 0, 1);
	put(&r, 4, OTHER_PID, 4);
	put(&r, 8, event >= PAGE_ALLOC ? ptr : site, 8);
	if (event < PAGE_ALLOC)
		put(&r, 16, ptr, 8);
	return r;
}

static void put_name(struct record *r, int offset, const char *name)
{
	size_t at = r->nr_bytes;

	put(r, offset, at | (strlen(name) + 1) << 16, 4);
	memcpy(r->bytes + at, name, strlen(name) + 1);
	r->nr_bytes = at + ((strlen(name) + 4) & ~(size_t)3);
}

static struct record make_cache_alloc(const struct fixture *f, uint64_t ptr, uint64_t site,
				      uint64_t gfp, int node, bool is_accounted)
{
	const struct layout *l = f->layout;
	struct record r = make(f, CACHE_ALLOC, ptr, site);

	put(&r, l->bytes_req, 232, 8);
	put(&r, l->bytes_alloc, 256, 8);
	put(&r, l->gfp, gfp, 8);
	put(&r, l->node, (uint32_t)node, 4);
	put(&r, l->accounted, is_accounted, 1);
	r.nr_bytes = (size_t)l->accounted + 4;
	if (l->name)
		put_name(&r, l->name, l->cache);
	return r;
}

static struct record make_cache_free(const struct fixture *f, uint64_t ptr, uint64_t site)
{
	struct record r = make(f, CACHE_FREE, ptr, site);

	r.nr_bytes = 28;
	put_name(&r, 24, f->layout->cache);
	return r;
}

static struct record make_kmalloc(const struct fixture *f, uint64_t ptr, uint64_t site,
				  uint64_t gfp)
{
	struct record r = make(f, KMALLOC, ptr, site);

	put(&r, 24, 100, 8);
	put(&r, 32, 128, 8);
	put(&r, 40, gfp, 8);
	put(&r, 48, (uint32_t)-1, 4);
	return r;
}

static struct record make_page_alloc(const struct fixture *f, uint64_t pfn, unsigned order)
{
	struct record r = make(f, PAGE_ALLOC, pfn, 0);

	put(&r, 16, order, 4);
	put(&r, 24, GFP_KERNEL, 8);
	put(&r, 32, 0, 4);
	return r;
}

static struct record make_page_free(const struct fixture *f, uint64_t pfn, unsigned order)
{
	struct record r = make(f, PAGE_FREE, pfn, 0);

	put(&r, 16, order, 4);
	return r;
}

/* Appends one page of records to what the merge reads of a CPU. missed: -1: some; 0: none. */
static void append_page(struct fixture *f, unsigned cpu, uint64_t time_ns,
			const struct record *records, size_t nr, long missed)
{
	unsigned char page[PAGE_BYTES] = {0};
	size_t at = PAGE_HEADER;
	uint64_t commit;
	struct stat file;

	memcpy(page, &time_ns, 8);
	for (size_t i = 0; i < nr; i++) {
		size_t nr_bytes = (records[i].nr_bytes + 3) & ~(size_t)3;
		uint32_t head = (uint32_t)(nr_bytes / 4) | records[i].delta_ns << 5;

		assert_true(nr_bytes <= 112 && at + 4 + nr_bytes <= PAGE_BYTES);
		memcpy(page + at, &head, 4);
		memcpy(page + at + 4, records[i].bytes, records[i].nr_bytes);
		at += 4 + nr_bytes;
	}
	commit = at - PAGE_HEADER;
	if (missed)
		commit |= MISSED;
	if (missed > 0) {
		commit |= MISSED_TOLD;
		memcpy(page + at, &missed, sizeof(missed));
	}
	memcpy(page + 8, &commit, 8);
	assert_int_equal(fstat(f->fds[cpu], &file), 0);
	assert_int_equal(pwrite(f->fds[cpu], page, PAGE_BYTES, file.st_size), PAGE_BYTES);
}

static void take_all(struct fixture *f)
{
	int rc;

	do {
		rc = nslab_recorder_merge_round(f->merge, true, &f->err);
	} while (rc == 1);
	assert_int_equal(rc, 0);
}

/* ---- reading back ---- */

struct seen {
	enum nslab_trace_kind kind;
	unsigned flags, cpu;
	uint64_t time_ns; /* since the first event */
	uint32_t slot;
	const char *cache, *site, *gfp;
	int node;
	bool is_accounted;
};

/* Finishes the trace, opens it and copies its events; returns how many. */
static size_t finish(struct fixture *f, struct nslab_trace **trace, struct seen seen[])
{
	const struct nslab_trace_event *events;
	const struct nslab_trace_tables *t;
	struct nslab_trace_cursor *cursor;
	uint64_t time_ns = 0;
	size_t nr = 0;
	int n;

	assert_int_equal(nslab_trace_writer_finish(f->writer, &f->err), 0);
	assert_int_equal(nslab_trace_open(f->path, trace, &f->err), 0);
	assert_int_equal(nslab_trace_check(*trace, &f->err), 0);
	assert_int_equal(nslab_trace_cursor_open(*trace, &cursor, &f->err), 0);
	t = nslab_trace_tables(*trace);
	while ((n = nslab_trace_cursor_next(cursor, &events, &f->err)) > 0) {
		for (int i = 0; i < n; i++) {
			const struct nslab_trace_shape *s = &t->shapes[events[i].shape];

			time_ns += nslab_trace_step_ns(&events[i], t->shapes);
			assert_true(nr < MAX_READ);
			seen[nr++] = (struct seen){s->kind,
						   s->flags,
						   t->cpus[events[i].cpu].id,
						   time_ns,
						   events[i].slot,
						   t->caches[s->cache].name,
						   t->sites[s->site],
						   t->attrs[s->attr].gfp,
						   t->attrs[s->attr].node,
						   t->attrs[s->attr].is_accounted};
		}
	}
	assert_int_equal(n, 0);
	nslab_trace_cursor_close(cursor);
	return nr;
}

/* ---- tests: events ---- */

static void check_every_kind(struct fixture *f, const struct layout *layout)
{
	struct seen seen[MAX_READ];
	struct nslab_trace *trace;
	struct record r[6];

	fixture_begin(f, layout);
	r[0] = make_cache_alloc(f, 0xffff888000001000, 0xffffffff81000010, GFP_KERNEL, -1, true);
	r[1] = make_kmalloc(f, 0xffff888000002000, 0xffffffff81000020, GFP_OF_ATOMIC);
	r[2] = make_page_alloc(f, 4, 2);
	r[3] = make_cache_free(f, 0xffff888000001000, 0xffffffff81000030);
	r[4] = make(f, KFREE, 0xffff888000002000, 0xffffffff81000040);
	r[5] = make_page_free(f, 4, 2);
	append_page(f, 1, 1000, r, 6, 0);
	take_all(f);
	assert_int_equal(finish(f, &trace, seen), 6);

	assert_int_equal(seen[0].kind, NSLAB_TRACE_CACHE_ALLOC);
	assert_string_equal(seen[0].cache, "filp");
	assert_string_equal(seen[0].site, "0xffffffff81000010");
	assert_string_equal(seen[0].gfp, "GFP_KERNEL");
	assert_int_equal(seen[0].node, -1);
	assert_true(seen[0].is_accounted);
	assert_int_equal(seen[1].kind, NSLAB_TRACE_KMALLOC);
	assert_string_equal(seen[1].cache, "kmalloc-128");
	assert_string_equal(seen[1].gfp, layout->words_of_atomic);
	assert_false(seen[1].is_accounted);
	assert_int_equal(seen[2].kind, NSLAB_TRACE_PAGE_ALLOC);
	assert_string_equal(seen[2].cache, "pages-2");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(seen[i].cpu, 1);
		assert_int_equal(seen[i].time_ns, 10 * i);
		assert_true(nslab_trace_is_free(seen[i + 3].kind));
		assert_int_equal(seen[i + 3].slot, seen[i].slot);
		assert_string_equal(seen[i + 3].cache, seen[i].cache);
	}
	nslab_trace_close(trace);
	fixture_end(f);
}

static void recorder_reads_fields_by_name_of_both_kernels(void **state)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		check_every_kind(*state, &layouts[i]);
}

static void recorder_tells_requested_node_and_accounting_flag(void **state)
{
	struct fixture *f = *state;
	struct seen seen[MAX_READ];
	struct nslab_trace *trace;
	struct record r[2];

	fixture_begin(f, &layouts[1]);
	r[0] = make_cache_alloc(f, 0x1000, 1, GFP_KERNEL, 3, false);
	r[1] = make_kmalloc(f, 0x2000, 2, GFP_KERNEL | 1u << 22);
	append_page(f, 0, 1000, r, 2, 0);
	take_all(f);
	assert_int_equal(finish(f, &trace, seen), 2);
	assert_int_equal(seen[0].node, 3);
	assert_false(seen[0].is_accounted);
	assert_string_equal(seen[1].gfp, "GFP_KERNEL_ACCOUNT");
	assert_true(seen[1].is_accounted);
	nslab_trace_close(trace);
}

static void recorder_names_call_sites_by_symbols(void **state)
{
	struct fixture *f = *state;
	struct seen seen[MAX_READ];
	struct nslab_trace *trace;
	struct record r;

	fixture_begin(f, &layouts[1]);
	assert_int_equal(nslab_recorder_events_symbols(f->events, "ffffffff81000000 T first\n"
								  "ffffffff81000100 t second\n"
								  "ffffffff81000200 T last\n"),
			 0);
	r = make_kmalloc(f, 0x2000, 0xffffffff8100011a, GFP_KERNEL);
	append_page(f, 0, 1000, &r, 1, 0);
	take_all(f);
	assert_int_equal(finish(f, &trace, seen), 1);
	assert_string_equal(seen[0].site, "second+0x1a");
	nslab_trace_close(trace);
}

static void recorder_leaves_itself_out_but_not_interrupts(void **state)
{
	struct fixture *f = *state;
	struct seen seen[MAX_READ];
	struct nslab_trace *trace;
	struct record r[3];

	fixture_begin(f, &layouts[1]);
	r[0] = make_kmalloc(f, 0x1000, 1, GFP_KERNEL);
	r[1] = make_kmalloc(f, 0x2000, 2, GFP_KERNEL);
	r[2] = make(f, KFREE, 0x1000, 3);
	put(&r[1], 4, OWN_PID, 4);
	put(&r[2], 4, OWN_PID, 4);
	put(&r[2], 2, SOFTIRQ, 1);
	append_page(f, 0, 1000, r, 3, 0);
	take_all(f);
	assert_int_equal(nslab_recorder_events_nr_own(f->events), 1);
	assert_int_equal(finish(f, &trace, seen), 2);
	assert_int_equal(seen[1].kind, NSLAB_TRACE_KFREE);
	assert_int_equal(seen[1].slot, seen[0].slot);
	nslab_trace_close(trace);
}

static void recorder_counts_what_gave_or_freed_nothing(void **state)
{
	struct fixture *f = *state;
	struct seen seen[MAX_READ];
	const struct nslab_trace_tables *t;
	struct nslab_trace *trace;
	struct record r[4];

	fixture_begin(f, &layouts[1]);
	r[0] = make_page_alloc(f, UINT64_MAX, 0);
	r[1] = make_page_alloc(f, 0, 0); /* the first frame is one */
	r[2] = make(f, KFREE, 0, 1);
	r[3] = make_cache_alloc(f, 0, 1, GFP_KERNEL, -1, false);
	append_page(f, 0, 1000, r, 4, 0);
	take_all(f);
	assert_int_equal(finish(f, &trace, seen), 1);
	assert_int_equal(seen[0].kind, NSLAB_TRACE_PAGE_ALLOC);
	t = nslab_trace_tables(trace);
	assert_int_equal(t->tally.events[NSLAB_TRACE_PAGE_ALLOC], 2);
	assert_int_equal(t->tally.failed_allocs, 2);
	assert_int_equal(t->tally.null_frees, 1);
	nslab_trace_close(trace);
}

static void recorder_refuses_records_shorter_than_their_event(void **state)
{
	struct fixture *f = *state;
	struct nslab_trace_raw raw = {0};
	struct record r;

	fixture_begin(f, &layouts[1]);
	r = make_cache_alloc(f, 0x1000, 1, GFP_KERNEL, -1, false);
	for (size_t bytes = 0; bytes < 61; bytes++)
		assert_int_equal(
			nslab_recorder_events_decode(f->events, f->writer, r.bytes, bytes, &raw),
			-EINVAL);
	/* a name beyond the record is no name */
	put(&r, 24, 0xffffffff, 4);
	assert_int_equal(nslab_recorder_events_decode(f->events, f->writer, r.bytes, 64, &raw), 1);
	/* other events that share the buffer are left out */
	put(&r, 0, 9, 2);
	assert_int_equal(nslab_recorder_events_decode(f->events, f->writer, r.bytes, 64, &raw), 0);
}

static void recorder_names_the_field_that_a_format_lacks(void **state)
{
	struct fixture *f = *state;
	size_t nr_bytes;
	char *text = format_text("6.18", "kmalloc", &nr_bytes);
	char *field = strstr(text, " ptr;");

	memcpy(field, " rtp;", 5);
	assert_int_equal(nslab_recorder_events_new(OWN_PID, &f->events), 0);
	assert_int_equal(nslab_recorder_events_format(f->events, text, nr_bytes, &f->err), -EINVAL);
	assert_string_equal(f->err.text, "event 'kmalloc' of this kernel has no field ptr");
	assert_int_equal(nslab_recorder_events_format(f->events, "nonsense", 8, &f->err), -EINVAL);
	free(text);
}

/* ---- tests: pages ---- */

static void recorder_merges_cpus_by_time(void **state)
{
	struct fixture *f = *state;
	struct seen seen[MAX_READ];
	struct nslab_trace *trace;
	struct record r[2];

	fixture_begin(f, &layouts[1]);
	r[0] = make_kmalloc(f, 0x1000, 1, GFP_KERNEL);
	r[1] = make(f, KFREE, 0x2000, 1);
	append_page(f, 0, 1000, r, 2, 0); /* at 1010 and 1020 */
	r[0] = make_kmalloc(f, 0x2000, 1, GFP_KERNEL);
	r[0].delta_ns = 5;
	r[1] = make(f, KFREE, 0x1000, 1);
	append_page(f, 1, 1010, r, 2, 0); /* at 1015 and 1025 */
	take_all(f);
	assert_int_equal(nslab_recorder_merge_nr_late(f->merge), 0);
	assert_int_equal(finish(f, &trace, seen), 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(seen[i].cpu, i % 2);
		assert_int_equal(seen[i].time_ns, 5 * i);
		assert_int_equal(seen[i].flags, 0);
	}
	nslab_trace_close(trace);
}

/* An event may come a round later than one of another CPU that is newer. */
static void recorder_waits_a_round_for_what_other_cpus_bring(void **state)
{
	struct fixture *f = *state;
	struct seen seen[MAX_READ];
	struct nslab_trace *trace;
	struct record r;

	fixture_begin(f, &layouts[1]);
	r = make_kmalloc(f, 0x1000, 1, GFP_KERNEL);
	append_page(f, 0, 2000, &r, 1, 0);
	assert_int_equal(nslab_recorder_merge_round(f->merge, false, &f->err), 0);
	append_page(f, 1, 1000, &r, 1, 0);
	assert_int_equal(nslab_recorder_merge_round(f->merge, false, &f->err), 0);
	take_all(f);
	assert_int_equal(nslab_recorder_merge_nr_late(f->merge), 0);
	/* this one comes after the end of all that was older */
	append_page(f, 1, 1500, &r, 1, 0);
	take_all(f);
	assert_int_equal(nslab_recorder_merge_nr_late(f->merge), 1);
	finish(f, &trace, seen);
	assert_int_equal(seen[0].cpu, 1);
	assert_int_equal(nslab_trace_tables(trace)->start_ns, 1010);
	assert_int_equal(nslab_trace_tables(trace)->duration_ns, 1000);
	nslab_trace_close(trace);
}

/* More pages than are held at once, on one CPU, so that the others have to wait for it. */
static void recorder_takes_more_than_it_holds(void **state)
{
	enum {
		NR_PAGES = 700
	};
	struct fixture *f = *state;
	struct seen *seen = calloc(MAX_READ, sizeof(*seen));
	struct nslab_trace *trace;
	struct record r[2];
	int rc, nr_behind = 0;

	assert_non_null(seen);
	fixture_begin(f, &layouts[1]);
	for (unsigned i = 0; i < NR_PAGES; i++) {
		r[0] = make_kmalloc(f, 0x1000, 1, GFP_KERNEL);
		r[1] = make(f, KFREE, 0x1000, 1);
		append_page(f, 0, 1000 + 1000 * i, r, 2, 0);
		if (i % 2 == 0)
			append_page(f, 1, 1500 + 1000 * i, r, 2, 0);
	}
	while ((rc = nslab_recorder_merge_round(f->merge, false, &f->err)) == 1)
		nr_behind++;
	assert_int_equal(rc, 0);
	assert_in_range(nr_behind, 2, 10);
	take_all(f);
	assert_int_equal(nslab_recorder_merge_nr_late(f->merge), 0);
	assert_int_equal(finish(f, &trace, seen), 3 * NR_PAGES);
	for (size_t i = 1; i < 3 * NR_PAGES; i++)
		assert_true(seen[i].time_ns > seen[i - 1].time_ns);
	nslab_trace_close(trace);
	free(seen);
}

static void recorder_tells_where_and_how_many_were_lost(void **state)
{
	struct fixture *f = *state;
	struct seen seen[MAX_READ];
	struct nslab_trace *trace;
	struct record r;

	fixture_begin(f, &layouts[1]);
	r = make_kmalloc(f, 0x1000, 1, GFP_KERNEL);
	append_page(f, 0, 1000, &r, 1, 0);
	r = make(f, KFREE, 0x1000, 1);
	append_page(f, 0, 2000, &r, 1, 7);
	append_page(f, 0, 3000, &r, 1, -1); /* some: the statistics tell that 5 are left */
	take_all(f);
	assert_int_equal(nslab_recorder_merge_lost(f->merge, 0, 12, &f->err), 0);
	assert_int_equal(nslab_recorder_merge_lost(f->merge, 1, 0, &f->err), 0);
	assert_true(finish(f, &trace, seen) >= 5);
	assert_int_equal(seen[1].kind, NSLAB_TRACE_LOST);
	assert_int_equal(seen[1].slot, 7);
	assert_int_equal(seen[1].time_ns, 1000);
	assert_int_equal(nslab_trace_tables(trace)->tally.lost, 12);
	nslab_trace_close(trace);
}

/* ---- tests: the host ---- */

static void write_file(const struct fixture *f, const char *file, const char *text)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof(path), "%s%s", f->dir, file);
	for (char *slash = path + strlen(f->dir) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0777);
		*slash = '/';
	}
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fputs(text, out) >= 0);
	assert_int_equal(fclose(out), 0);
}

static const struct nslab_trace_kernel_cache *find_cache(const struct nslab_trace_tables *t,
							 const char *name)
{
	for (uint32_t i = 0; i < t->nr_kernel_caches; i++) {
		if (!strcmp(t->kernel_caches[i].name, name))
			return &t->kernel_caches[i];
	}
	fail_msg("no cache '%s'", name);
	return NULL;
}

static void recorder_notes_caches_before_and_after(void **state)
{
	static const char head[] = "slabinfo - version: 2.1\n# name <active_objs>\n";
	struct fixture *f = *state;
	struct nslab_recorder_caches *caches;
	const struct nslab_trace_kernel_cache *c;
	const struct nslab_trace_tables *t;
	struct seen seen[1];
	struct nslab_trace *trace;
	char text[512];

	fixture_begin(f, &layouts[1]);
	snprintf(text, sizeof(text), "%s%s%s", head,
		 "dentry 40 42 192 21 1 : tunables 0 0 0 : slabdata 2 2 0\n",
		 "old 1 21 192 21 1 : tunables 0 0 0 : slabdata 1 1 0\n");
	write_file(f, "/proc/slabinfo", text);
	write_file(f, "/sys/kernel/slab/dentry/slabs", "2 N0=2\n");
	write_file(f, "/sys/kernel/slab/dentry/objects", "40 N0=40\n");
	write_file(f, "/sys/kernel/slab/dentry/partial", "1 N0=1\n");
	write_file(f, "/sys/kernel/slab/dentry/order", "0\n");
	write_file(f, "/sys/kernel/slab/dentry/reclaim_account", "1\n");
	assert_int_equal(nslab_recorder_caches_before(f->dir, &caches, &f->err), 0);
	snprintf(text, sizeof(text), "%s%s", head,
		 "dentry 60 63 192 21 1 : tunables 0 0 0 : slabdata 3 3 0\n");
	write_file(f, "/proc/slabinfo", text);
	write_file(f, "/sys/kernel/slab/dentry/slabs", "3 N0=3\n");
	assert_int_equal(nslab_recorder_caches_after(f->dir, caches, &f->err), 0);
	assert_int_equal(nslab_recorder_caches_write(f->dir, caches, f->writer, &f->err), 0);
	nslab_recorder_caches_free(caches);
	write_file(f, "/sys/devices/system/cpu/cpu5/node2/cpulist", "5\n");
	write_file(f, "/sys/devices/system/cpu/cpufreq/x", "1\n");
	assert_int_equal(nslab_recorder_cpus_write(f->dir, f->writer, &f->err), 0);
	assert_int_equal(finish(f, &trace, seen), 0);

	t = nslab_trace_tables(trace);
	c = find_cache(t, "dentry");
	assert_int_equal(c->slabs_before, 2);
	assert_int_equal(c->slabs_after, 3);
	assert_int_equal(c->objects_before, 40);
	assert_int_equal(c->partial_before, 1);
	assert_int_equal(c->order, 0);
	assert_int_equal(c->align, NSLAB_TRACE_NOT_TOLD);
	assert_string_equal(c->flags, "reclaim_account");
	c = find_cache(t, "old");
	assert_int_equal(c->slabs_before, 1); /* from slabinfo, for want of sysfs */
	assert_int_equal(c->objects_before, NSLAB_TRACE_NOT_TOLD);
	assert_int_equal(c->slabs_after, 0);
	assert_int_equal(t->nr_cpus, 1);
	assert_int_equal(t->cpus[0].id, 5);
	assert_int_equal(t->cpus[0].node, 2);
	nslab_trace_close(trace);
}

static void recorder_says_when_slabinfo_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	struct nslab_recorder_caches *caches;

	assert_int_equal(nslab_recorder_caches_before(f->dir, &caches, &f->err), -ENOENT);
	assert_null(caches);
	assert_non_null(strstr(f->err.text, "/proc/slabinfo': No such file"));
}

#define RECORDER_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RECORDER_TEST(recorder_reads_fields_by_name_of_both_kernels),
		RECORDER_TEST(recorder_tells_requested_node_and_accounting_flag),
		RECORDER_TEST(recorder_names_call_sites_by_symbols),
		RECORDER_TEST(recorder_leaves_itself_out_but_not_interrupts),
		RECORDER_TEST(recorder_counts_what_gave_or_freed_nothing),
		RECORDER_TEST(recorder_refuses_records_shorter_than_their_event),
		RECORDER_TEST(recorder_names_the_field_that_a_format_lacks),
		RECORDER_TEST(recorder_merges_cpus_by_time),
		RECORDER_TEST(recorder_waits_a_round_for_what_other_cpus_bring),
		RECORDER_TEST(recorder_takes_more_than_it_holds),
		RECORDER_TEST(recorder_tells_where_and_how_many_were_lost),
		RECORDER_TEST(recorder_notes_caches_before_and_after),
		RECORDER_TEST(recorder_says_when_slabinfo_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
