/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_trace.c: traces are written and read back.
 *
 * Each test puts raw events, finishes the file, reads it again and looks at events by their meaning
 * (kind, flags, cache, CPU, time), never at the numbers of shapes. Damaged files are made from a
 * good one, byte by byte: each must be refused, none may crash. Files live in a directory of the
 * test's own, which the end removes.
 */
#define _GNU_SOURCE
#include "workloads/trace/format.h"
#include "workloads/trace/writer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char directory[64], path[96];
	struct nslab_trace_writer *writer;
	struct nslab_trace *trace;
	struct nslab_trace_cursor *cursor;
	const struct nslab_trace_tables *tables;
	const struct nslab_trace_event *events;
	int nr;
	struct nslab_err err;
};

static const struct nslab_trace_info test_info = {.source = "import", .kernel = "6.18"};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	strcpy(f->directory, "/tmp/numaslab-trace-XXXXXX");
	if (!mkdtemp(f->directory))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/t.nstrace", f->directory);
	return nslab_trace_writer_create(f->path, &test_info, &f->writer, &f->err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	nslab_trace_cursor_close(f->cursor);
	nslab_trace_close(f->trace);
	nslab_trace_writer_destroy(f->writer);
	unlink(f->path);
	rmdir(f->directory);
	free(f);
	return 0;
}

static struct nslab_trace_raw event_of(struct fixture *f, enum nslab_trace_kind kind,
				       uint64_t time_ns, uint32_t cpu, uint64_t ptr)
{
	struct nslab_trace_raw raw = {
		.time_ns = time_ns, .ptr = ptr, .cpu = cpu, .kind = (uint8_t)kind};

	raw.site = (uint16_t)nslab_trace_writer_site(f->writer, "site+0x1", 8);
	if (nslab_trace_is_alloc(kind))
		raw.attr =
			(uint16_t)nslab_trace_writer_attr(f->writer, "GFP_KERNEL", 10, -1, false);
	return raw;
}

static void put_raw(struct fixture *f, struct nslab_trace_raw raw)
{
	assert_int_equal(nslab_trace_writer_put(f->writer, &raw, &f->err), 0);
}

/* An event of the cache "a", 100 bytes, or of what the kind says. */
static void put(struct fixture *f, enum nslab_trace_kind kind, uint64_t time_ns, uint32_t cpu,
		uint64_t ptr)
{
	struct nslab_trace_raw raw = event_of(f, kind, time_ns, cpu, ptr);

	if (kind == NSLAB_TRACE_CACHE_ALLOC || kind == NSLAB_TRACE_CACHE_FREE)
		raw.cache = (uint16_t)nslab_trace_writer_cache(f->writer, "a", 1, 100, 104);
	else if (kind == NSLAB_TRACE_KMALLOC)
		raw.cache = (uint16_t)nslab_trace_writer_kmalloc(f->writer, 60, 64, raw.attr);
	else if (kind != NSLAB_TRACE_KFREE && kind != NSLAB_TRACE_LOST)
		raw.cache = (uint16_t)nslab_trace_writer_pages(f->writer, 1);
	put_raw(f, raw);
}

static void put_named(struct fixture *f, enum nslab_trace_kind kind, uint64_t time_ns, uint64_t ptr,
		      const char *name)
{
	struct nslab_trace_raw raw = event_of(f, kind, time_ns, 0, ptr);

	raw.cache = (uint16_t)nslab_trace_writer_cache(f->writer, name, strlen(name), 0, 0);
	put_raw(f, raw);
}

static void finish(struct fixture *f)
{
	assert_int_equal(nslab_trace_writer_finish(f->writer, &f->err), 0);
	assert_int_equal(nslab_trace_open(f->path, &f->trace, &f->err), 0);
	f->tables = nslab_trace_tables(f->trace);
	assert_int_equal(nslab_trace_check(f->trace, &f->err), 0);
	assert_int_equal(nslab_trace_cursor_open(f->trace, &f->cursor, &f->err), 0);
	f->nr = nslab_trace_cursor_next(f->cursor, &f->events, &f->err);
	assert_true(f->nr >= 0);
}

static const struct nslab_trace_shape *shape_at(const struct fixture *f, int i)
{
	assert_true(i < f->nr);
	return &f->tables->shapes[f->events[i].shape];
}

static const struct nslab_trace_cache *cache_at(const struct fixture *f, int i)
{
	return &f->tables->caches[shape_at(f, i)->cache];
}

static void assert_event(const struct fixture *f, int i, enum nslab_trace_kind kind, int flags,
			 uint32_t slot)
{
	assert_int_equal(shape_at(f, i)->kind, kind);
	assert_int_equal(shape_at(f, i)->flags, flags);
	assert_int_equal(f->events[i].slot, slot);
}

/* ---- what is told ---- */

static void trace_gives_back_what_was_put(void **state)
{
	struct fixture *f = *state;

	put(f, NSLAB_TRACE_CACHE_ALLOC, 1000, 3, 0x1000);
	put(f, NSLAB_TRACE_KMALLOC, 1500, 7, 0x2000);
	put(f, NSLAB_TRACE_PAGE_ALLOC, 1500, 7, 0x2000);
	put(f, NSLAB_TRACE_CACHE_FREE, 1700, 7, 0x1000);
	put(f, NSLAB_TRACE_KFREE, 1701, 3, 0x2000);
	put(f, NSLAB_TRACE_PAGE_FREE, 1702, 3, 0x2000);
	assert_int_equal(nslab_trace_writer_cpu(f->writer, 7, 1), 0);
	finish(f);
	assert_int_equal(f->nr, 6);
	assert_event(f, 0, NSLAB_TRACE_CACHE_ALLOC, 0, 0);
	assert_event(f, 1, NSLAB_TRACE_KMALLOC, 0, 1);
	assert_event(f, 2, NSLAB_TRACE_PAGE_ALLOC, 0, 2);
	assert_event(f, 3, NSLAB_TRACE_CACHE_FREE, 0, 0);
	assert_event(f, 4, NSLAB_TRACE_KFREE, 0, 1);
	assert_event(f, 5, NSLAB_TRACE_PAGE_FREE, 0, 2);
	assert_string_equal(cache_at(f, 3)->name, "a");
	assert_int_equal(cache_at(f, 0)->size, 104);
	assert_string_equal(cache_at(f, 4)->name, "kmalloc-64");
	assert_int_equal(cache_at(f, 4)->object_size, 60);
	assert_string_equal(cache_at(f, 5)->name, "pages-1");
	assert_string_equal(f->tables->sites[shape_at(f, 0)->site], "site+0x1");
	assert_string_equal(f->tables->attrs[shape_at(f, 0)->attr].gfp, "GFP_KERNEL");
	assert_int_equal(f->tables->start_ns, 1000);
	assert_int_equal(f->tables->duration_ns, 702);
	assert_int_equal(f->events[3].delta_ns, 200);
	assert_int_equal(f->tables->cpus[f->events[3].cpu].id, 7);
	assert_int_equal(f->tables->cpus[f->events[3].cpu].node, 1);
	assert_int_equal(f->tables->cpus[f->events[0].cpu].node, NSLAB_TRACE_NOT_TOLD);
	assert_string_equal(f->tables->info.kernel, "6.18");
	assert_string_equal(f->tables->info.command, "");
}

static void trace_carries_long_pauses_and_lost_events(void **state)
{
	struct fixture *f = *state;
	const uint64_t pause_ns = 3 * (uint64_t)10000000000;
	uint64_t time_ns = 0;

	put(f, NSLAB_TRACE_CACHE_ALLOC, 5, 0, 0x1000);
	put(f, NSLAB_TRACE_LOST, 6, 2, 77);
	put(f, NSLAB_TRACE_CACHE_FREE, 6 + pause_ns, 0, 0x1000);
	finish(f);
	assert_int_equal(f->nr, 4);
	assert_event(f, 1, NSLAB_TRACE_LOST, 0, 77);
	assert_int_equal(f->tables->cpus[f->events[1].cpu].id, 2);
	assert_int_equal(shape_at(f, 2)->kind, NSLAB_TRACE_TIME);
	for (int i = 0; i < f->nr; i++)
		time_ns += nslab_trace_step_ns(&f->events[i], f->tables->shapes);
	assert_int_equal(time_ns, 1 + pause_ns);
	assert_int_equal(f->tables->tally.lost, 77);
}

static void trace_puts_late_events_into_place(void **state)
{
	struct fixture *f = *state;

	put(f, NSLAB_TRACE_CACHE_FREE, 300, 1, 0x1000);
	put(f, NSLAB_TRACE_CACHE_ALLOC, 100, 0, 0x1000);
	finish(f);
	assert_event(f, 0, NSLAB_TRACE_CACHE_ALLOC, 0, 0);
	assert_event(f, 1, NSLAB_TRACE_CACHE_FREE, 0, 0);
	assert_int_equal(f->tables->tally.reordered, 1);
	assert_int_equal(f->tables->tally.born, 0);
}

static void trace_refuses_what_is_too_late(void **state)
{
	struct fixture *f = *state;
	struct nslab_trace_raw raw;

	for (int i = 0; i <= 2 * NSLAB_TRACE_REORDER_EVENTS; i++)
		put(f, NSLAB_TRACE_KFREE, 1000 + (uint64_t)i, 0, 0);
	put(f, NSLAB_TRACE_KMALLOC, 10000, 0, 0x1000);
	for (int i = 0; i < 2 * NSLAB_TRACE_REORDER_EVENTS; i++)
		put(f, NSLAB_TRACE_KFREE, 20000, 0, 0);
	raw = event_of(f, NSLAB_TRACE_KFREE, 500, 0, 0x2000);
	assert_int_equal(nslab_trace_writer_put(f->writer, &raw, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.text, "late"));
}

/* ---- what is not told ---- */

static void trace_adds_a_free_when_an_address_comes_again(void **state)
{
	struct fixture *f = *state;

	put(f, NSLAB_TRACE_CACHE_ALLOC, 1, 0, 0x1000);
	put(f, NSLAB_TRACE_KMALLOC, 2, 1, 0x1000);
	put(f, NSLAB_TRACE_KMALLOC, 3, 1, 0x1000);
	finish(f);
	assert_int_equal(f->nr, 5);
	assert_event(f, 1, NSLAB_TRACE_CACHE_FREE, NSLAB_TRACE_IMPLICIT, 0);
	assert_event(f, 2, NSLAB_TRACE_KMALLOC, 0, 1);
	assert_event(f, 3, NSLAB_TRACE_KFREE, NSLAB_TRACE_IMPLICIT, 1);
	assert_event(f, 4, NSLAB_TRACE_KMALLOC, 0, 1);
	assert_int_equal(f->tables->tally.implicit_frees, 2);
	assert_int_equal(f->tables->tally.events[NSLAB_TRACE_KFREE], 0);
}

static void trace_lists_objects_that_are_older_than_it(void **state)
{
	struct fixture *f = *state;

	put(f, NSLAB_TRACE_CACHE_ALLOC, 1, 0, 0x1000);
	put(f, NSLAB_TRACE_CACHE_FREE, 2, 0, 0x1000);
	put(f, NSLAB_TRACE_CACHE_FREE, 3, 0, 0x5000);
	put(f, NSLAB_TRACE_KFREE, 4, 0, 0x6000);
	finish(f);
	assert_event(f, 2, NSLAB_TRACE_CACHE_FREE, NSLAB_TRACE_BORN, 1);
	assert_event(f, 3, NSLAB_TRACE_KFREE, NSLAB_TRACE_BORN, 2);
	assert_int_equal(f->tables->nr_born, 2);
	assert_int_equal(f->tables->born[0].slot, 1);
	assert_string_equal(f->tables->caches[f->tables->born[0].cache].name, "a");
	assert_int_equal(f->tables->born[1].cache, 0);
	assert_int_equal(f->tables->caches[0].type, NSLAB_TRACE_UNKNOWN);
}

static void trace_takes_the_size_of_a_kfree_from_its_call_site(void **state)
{
	struct fixture *f = *state;

	put(f, NSLAB_TRACE_KMALLOC, 1, 0, 0x1000);
	put(f, NSLAB_TRACE_KFREE, 2, 0, 0x1000);
	put(f, NSLAB_TRACE_KFREE, 3, 0, 0x9000);
	finish(f);
	assert_event(f, 2, NSLAB_TRACE_KFREE, NSLAB_TRACE_BORN, 1);
	assert_string_equal(cache_at(f, 2)->name, "kmalloc-64");
}

static void trace_counts_frees_of_null_and_failures_only(void **state)
{
	struct fixture *f = *state;

	put(f, NSLAB_TRACE_KFREE, 1, 0, 0);
	put(f, NSLAB_TRACE_KMALLOC, 2, 0, 0);
	finish(f);
	assert_int_equal(f->nr, 0);
	assert_int_equal(f->tables->tally.null_frees, 1);
	assert_int_equal(f->tables->tally.failed_allocs, 1);
	assert_int_equal(f->tables->tally.events[NSLAB_TRACE_KFREE], 1);
}

static void trace_buries_an_object_when_its_free_names_another_cache(void **state)
{
	struct fixture *f = *state;

	put(f, NSLAB_TRACE_CACHE_ALLOC, 1, 0, 0x1000);
	put_named(f, NSLAB_TRACE_CACHE_FREE, 2, 0x1000, "b");
	finish(f);
	assert_event(f, 1, NSLAB_TRACE_CACHE_FREE, NSLAB_TRACE_IMPLICIT, 0);
	assert_event(f, 2, NSLAB_TRACE_CACHE_FREE, NSLAB_TRACE_BORN, 1);
	assert_string_equal(cache_at(f, 2)->name, "b");
	assert_int_equal(f->tables->tally.mismatched, 1);
}

static void put_nameless(struct fixture *f, uint64_t time_ns, uint64_t ptr, const char *site,
			 uint64_t size)
{
	struct nslab_trace_raw raw = event_of(f, NSLAB_TRACE_CACHE_ALLOC, time_ns, 0, ptr);

	raw.site = (uint16_t)nslab_trace_writer_site(f->writer, site, strlen(site));
	raw.cache = (uint16_t)nslab_trace_writer_nameless(f->writer, raw.site, size, size);
	put_raw(f, raw);
}

static void trace_names_caches_by_the_frees_of_their_objects(void **state)
{
	struct fixture *f = *state;

	put_nameless(f, 1, 0x1000, "x", 192);
	put_nameless(f, 2, 0x2000, "x", 192);
	put_nameless(f, 3, 0x3000, "y", 192);
	put_nameless(f, 4, 0x4000, "z", 256);
	put_named(f, NSLAB_TRACE_CACHE_FREE, 5, 0x1000, "vma");
	finish(f);
	for (int i = 0; i < 3; i++)
		assert_string_equal(cache_at(f, i)->name, "vma");
	assert_string_equal(cache_at(f, 3)->name, "size-256");
	assert_string_equal(cache_at(f, 4)->name, "vma");
	assert_int_equal(cache_at(f, 4)->object_size, 192);
	assert_event(f, 4, NSLAB_TRACE_CACHE_FREE, 0, 0);
	assert_int_equal(f->tables->nr_caches, 3);
}

static void trace_leaves_a_size_of_two_names_without_one(void **state)
{
	struct fixture *f = *state;

	put_nameless(f, 1, 0x1000, "x", 192);
	put_nameless(f, 2, 0x2000, "y", 192);
	put_nameless(f, 3, 0x3000, "z", 192);
	put_named(f, NSLAB_TRACE_CACHE_FREE, 4, 0x1000, "one");
	put_named(f, NSLAB_TRACE_CACHE_FREE, 5, 0x2000, "two");
	finish(f);
	assert_string_equal(cache_at(f, 0)->name, "one");
	assert_string_equal(cache_at(f, 1)->name, "two");
	assert_string_equal(cache_at(f, 2)->name, "size-192");
}

static void trace_reuses_a_slot_in_its_own_cache_only(void **state)
{
	struct fixture *f = *state;

	put(f, NSLAB_TRACE_CACHE_ALLOC, 1, 0, 0x1000);
	put(f, NSLAB_TRACE_CACHE_ALLOC, 2, 0, 0x2000);
	put(f, NSLAB_TRACE_CACHE_FREE, 3, 0, 0x2000);
	put(f, NSLAB_TRACE_CACHE_FREE, 4, 0, 0x1000);
	put(f, NSLAB_TRACE_KMALLOC, 5, 0, 0x1000);
	put(f, NSLAB_TRACE_CACHE_ALLOC, 6, 0, 0x3000);
	put(f, NSLAB_TRACE_CACHE_ALLOC, 7, 0, 0x4000);
	finish(f);
	assert_event(f, 4, NSLAB_TRACE_KMALLOC, 0, 2);
	assert_event(f, 5, NSLAB_TRACE_CACHE_ALLOC, 0, 1);
	assert_event(f, 6, NSLAB_TRACE_CACHE_ALLOC, 0, 0);
	assert_int_equal(f->tables->nr_slots, 3);
}

static void trace_tells_the_kernels_caches_and_matches_them_by_name(void **state)
{
	struct fixture *f = *state;
	struct nslab_trace_kernel_cache row = {.name = "a",
					       .object_size = 100,
					       .slabs_before = 5,
					       .slabs_after = 9,
					       .order = 1,
					       .cpu_partial = NSLAB_TRACE_NOT_TOLD,
					       .flags = "reclaim_account"};

	assert_int_equal(nslab_trace_writer_kernel_cache(f->writer, &row), 0);
	row.slabs_after = 10;
	assert_int_equal(nslab_trace_writer_kernel_cache(f->writer, &row), 0);
	put(f, NSLAB_TRACE_CACHE_ALLOC, 1, 0, 0x1000);
	put(f, NSLAB_TRACE_KMALLOC, 1, 0, 0x2000);
	finish(f);
	assert_int_equal(f->tables->nr_kernel_caches, 1);
	assert_int_equal(cache_at(f, 0)->kernel, 0);
	assert_int_equal(cache_at(f, 1)->kernel, -1);
	assert_int_equal(f->tables->kernel_caches[0].slabs_after, 10);
	assert_int_equal(f->tables->kernel_caches[0].cpu_partial, NSLAB_TRACE_NOT_TOLD);
	assert_string_equal(f->tables->kernel_caches[0].flags, "reclaim_account");
}

static void trace_tells_the_type_of_kmalloc_by_its_gfp(void **state)
{
	static const struct {
		const char *gfp, *name;
		bool is_accounted;
	} rows[] = {
		{"GFP_KERNEL|__GFP_ZERO", "kmalloc-64", false},
		{"GFP_KERNEL|__GFP_RECLAIMABLE", "kmalloc-rcl-64", true},
		{"GFP_KERNEL_ACCOUNT", "kmalloc-cg-64", false},
		{"GFP_KERNEL", "kmalloc-cg-64", true},
		{"GFP_DMA|GFP_ATOMIC", "dma-kmalloc-64", false},
		{"GFP_DMA32", "kmalloc-64", false},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nslab_trace_raw raw =
			event_of(f, NSLAB_TRACE_KMALLOC, i, 0, 0x1000 * (i + 1));

		raw.attr = (uint16_t)nslab_trace_writer_attr(
			f->writer, rows[i].gfp, strlen(rows[i].gfp), -1, rows[i].is_accounted);
		raw.cache = (uint16_t)nslab_trace_writer_kmalloc(f->writer, 60, 64, raw.attr);
		put_raw(f, raw);
	}
	finish(f);
	for (int i = 0; i < f->nr; i++)
		assert_string_equal(cache_at(f, i)->name, rows[i].name);
}

/* ---- limits ---- */

static void trace_goes_on_when_call_sites_run_out(void **state)
{
	struct fixture *f = *state;
	uint64_t nr = 0;

	for (uint64_t i = 0; i < 70000; i++) {
		char site[32];
		struct nslab_trace_raw raw = event_of(f, NSLAB_TRACE_KMALLOC, i, 0, 8 * i + 8);
		int id = nslab_trace_writer_site(
			f->writer, site,
			(size_t)snprintf(site, sizeof(site), "s%llu", (unsigned long long)i));

		assert_true(id >= 0);
		raw.site = (uint16_t)id;
		raw.cache = (uint16_t)nslab_trace_writer_kmalloc(f->writer, i + 1,
								 (i / 4096 + 1) * 4096, raw.attr);
		put_raw(f, raw);
	}
	finish(f);
	for (; f->nr > 0; f->nr = nslab_trace_cursor_next(f->cursor, &f->events, &f->err))
		nr += (uint64_t)f->nr;
	assert_int_equal(nr, 70000);
	assert_true(f->tables->nr_sites <= NSLAB_TRACE_MAX_INDEX);
	assert_true(f->tables->nr_caches <= NSLAB_TRACE_MAX_INDEX);
}

static void trace_needs_no_more_than_13_bytes_for_an_event(void **state)
{
	struct fixture *f = *state;
	FILE *file;

	for (uint64_t i = 0; i < 40000; i++) {
		put(f, NSLAB_TRACE_KMALLOC, 2 * i, 0, 0x1000 + 64 * (i % 999));
		put(f, NSLAB_TRACE_KFREE, 2 * i + 1, 0, 0x1000 + 64 * (i % 999));
	}
	finish(f);
	file = fopen(f->path, "r");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	assert_true(ftell(file) <= 13 * 80000);
	fclose(file);
	assert_int_equal(f->tables->nr_slots, 1);
	nslab_trace_cursor_rewind(f->cursor);
	assert_int_equal(nslab_trace_cursor_next(f->cursor, &f->events, &f->err), 4096);
	assert_event(f, 0, NSLAB_TRACE_KMALLOC, 0, 0);
}

static void trace_cleans_texts_that_are_not_printable(void **state)
{
	struct fixture *f = *state;
	struct nslab_trace_raw raw = event_of(f, NSLAB_TRACE_CACHE_ALLOC, 1, 0, 0x1000);

	raw.cache = (uint16_t)nslab_trace_writer_cache(f->writer, "\xff\nx", 3, 8, 8);
	put_raw(f, raw);
	finish(f);
	assert_string_equal(cache_at(f, 0)->name, "\?\?x");
}

/* ---- bad files ---- */

static char *slurp(const char *path, size_t *nr_bytes)
{
	FILE *file = fopen(path, "r");
	char *bytes = malloc(1 << 20);

	assert_non_null(file);
	assert_non_null(bytes);
	*nr_bytes = fread(bytes, 1, 1 << 20, file);
	fclose(file);
	return bytes;
}

static void spill(const char *path, const char *bytes, size_t nr_bytes)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, nr_bytes, file), nr_bytes);
	assert_int_equal(fclose(file), 0);
}

/* Opens and reads all: 0 or what failed. */
static int read_all(struct fixture *f)
{
	struct nslab_trace *trace;
	int rc = nslab_trace_open(f->path, &trace, &f->err);

	if (rc)
		return rc;
	rc = nslab_trace_check(trace, &f->err);
	nslab_trace_close(trace);
	return rc;
}

static char *good_file(struct fixture *f, size_t *nr_bytes)
{
	put(f, NSLAB_TRACE_CACHE_ALLOC, 1, 0, 0x1000);
	put(f, NSLAB_TRACE_CACHE_FREE, 2, 0, 0x1000);
	put(f, NSLAB_TRACE_CACHE_FREE, 3, 0, 0x2000);
	assert_int_equal(nslab_trace_writer_finish(f->writer, &f->err), 0);
	assert_int_equal(read_all(f), 0);
	return slurp(f->path, nr_bytes);
}

static void trace_refuses_every_truncation(void **state)
{
	struct fixture *f = *state;
	size_t nr_bytes;
	char *bytes = good_file(f, &nr_bytes);

	for (size_t nr = 0; nr < nr_bytes; nr++) {
		spill(f->path, bytes, nr);
		assert_int_equal(read_all(f), -EINVAL);
		assert_non_null(strstr(f->err.text, "at byte"));
	}
	free(bytes);
}

static void trace_refuses_every_changed_byte(void **state)
{
	struct fixture *f = *state;
	size_t nr_bytes;
	char *bytes = good_file(f, &nr_bytes);

	for (size_t i = 0; i < nr_bytes; i++) {
		bytes[i] = (char)(bytes[i] ^ 0x40);
		spill(f->path, bytes, nr_bytes);
		assert_int_equal(read_all(f), -EINVAL);
		assert_non_null(strstr(f->err.text, "at byte"));
		bytes[i] = (char)(bytes[i] ^ 0x40);
	}
	free(bytes);
}

static void trace_says_what_is_wrong_with_a_file(void **state)
{
	struct fixture *f = *state;
	struct nslab_trace_header header;
	size_t nr_bytes;
	char *bytes = good_file(f, &nr_bytes);

	memcpy(&header, bytes, sizeof(header));
	header.version = 9;
	spill(f->path, (const char *)&header, sizeof(header));
	assert_int_equal(read_all(f), -EINVAL);
	assert_non_null(strstr(f->err.text, "version 9"));
	memset(&header.version, 0, sizeof(header) - sizeof(header.magic));
	spill(f->path, (const char *)&header, sizeof(header));
	assert_int_equal(read_all(f), -EINVAL);
	assert_non_null(strstr(f->err.text, "not finished"));
	spill(f->path, "", 0);
	assert_int_equal(read_all(f), -EINVAL);
	assert_non_null(strstr(f->err.text, "empty"));
	free(bytes);
}

static void trace_writer_leaves_no_file_when_it_is_given_up(void **state)
{
	struct fixture *f = *state;

	put(f, NSLAB_TRACE_CACHE_ALLOC, 1, 0, 0x1000);
	nslab_trace_writer_destroy(f->writer);
	f->writer = NULL;
	assert_int_not_equal(access(f->path, F_OK), 0);
	assert_int_equal(rmdir(f->directory), 0);
	assert_int_equal(nslab_trace_writer_create("/dev/null", &test_info, &f->writer, &f->err),
			 -EINVAL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(trace_gives_back_what_was_put),
		TEST(trace_carries_long_pauses_and_lost_events),
		TEST(trace_puts_late_events_into_place),
		TEST(trace_refuses_what_is_too_late),
		TEST(trace_adds_a_free_when_an_address_comes_again),
		TEST(trace_lists_objects_that_are_older_than_it),
		TEST(trace_takes_the_size_of_a_kfree_from_its_call_site),
		TEST(trace_counts_frees_of_null_and_failures_only),
		TEST(trace_buries_an_object_when_its_free_names_another_cache),
		TEST(trace_names_caches_by_the_frees_of_their_objects),
		TEST(trace_leaves_a_size_of_two_names_without_one),
		TEST(trace_reuses_a_slot_in_its_own_cache_only),
		TEST(trace_tells_the_kernels_caches_and_matches_them_by_name),
		TEST(trace_tells_the_type_of_kmalloc_by_its_gfp),
		TEST(trace_goes_on_when_call_sites_run_out),
		TEST(trace_needs_no_more_than_13_bytes_for_an_event),
		TEST(trace_cleans_texts_that_are_not_printable),
		TEST(trace_refuses_every_truncation),
		TEST(trace_refuses_every_changed_byte),
		TEST(trace_says_what_is_wrong_with_a_file),
		TEST(trace_writer_leaves_no_file_when_it_is_given_up),
	};

	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
