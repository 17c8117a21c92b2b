/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_trace_import.c: lines of text, one at a time, and what the summary makes of a trace.
 *
 * Lines that are understood differ in what kernels, tracefs and perf print; lines that are not are
 * refused one by one, each for a reason of its own. The summary is held against counts that the
 * few events of a trace make obvious. Whole recorded texts are the matter of cli.import.
 */
#define _GNU_SOURCE
#include "workloads/trace/import.h"
#include "workloads/trace/summary.h"

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
	struct nslab_trace_importer importer;
	struct nslab_trace *trace;
	const struct nslab_trace_tables *tables;
	struct nslab_trace_summary *summary;
	struct nslab_err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	strcpy(f->directory, "/tmp/numaslab-import-XXXXXX");
	if (!mkdtemp(f->directory))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/t.nstrace", f->directory);
	f->importer.name = "test";
	f->importer.info.source = "import";
	return nslab_trace_writer_create(f->path, &f->importer.info, &f->importer.writer, &f->err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	nslab_trace_summary_free(f->summary);
	nslab_trace_close(f->trace);
	nslab_trace_writer_destroy(f->importer.writer);
	unlink(f->path);
	rmdir(f->directory);
	free(f);
	return 0;
}

static int line(struct fixture *f, const char *text)
{
	return nslab_trace_import_line(&f->importer, text, strlen(text), &f->err);
}

static void finish(struct fixture *f)
{
	assert_int_equal(nslab_trace_writer_finish(f->importer.writer, &f->err), 0);
	assert_int_equal(nslab_trace_open(f->path, &f->trace, &f->err), 0);
	f->tables = nslab_trace_tables(f->trace);
	assert_int_equal(nslab_trace_summarize(f->trace, &f->summary, &f->err), 0);
}

static bool has_site(const struct fixture *f, const char *site)
{
	for (uint32_t i = 0; i < f->tables->nr_sites; i++) {
		if (!strcmp(f->tables->sites[i], site))
			return true;
	}
	return false;
}

static const struct nslab_trace_group *group(const struct fixture *f, const char *name)
{
	for (uint32_t i = 0; i < f->summary->nr_groups; i++) {
		if (!strcmp(f->summary->groups[i].name, name))
			return &f->summary->groups[i];
	}
	fail_msg("no cache '%s'", name);
	return NULL;
}

#define KMALLOC                                                                                    \
 "kmalloc: call_site=a+0x1 ptr=0x1000 bytes_req=40 bytes_alloc=64 gfp_flags=GFP_KERNEL"

static void import_reads_every_form_of_a_stamp(void **state)
{
	static const char *const lines[] = {
		"sh  1 [000] 1.5: kmem:" KMALLOC,
		"sh-1 [000] ..... 1.500001: " KMALLOC,
		"sh-1 [000] d..2.1 1.500001234: " KMALLOC,
		"a [b] [3] 2:2 -7 [002] 1.6: " KMALLOC,
		"sh 1/1 [1000]     1.7:   kmem:" KMALLOC " node=-1\r",
		"sh 1/1 [001] 1.8: " KMALLOC " node=3 accounted=true",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(line(f, lines[i]), 0);
	finish(f);
	assert_int_equal(f->tables->tally.events[NSLAB_TRACE_KMALLOC], 6);
	assert_int_equal(f->tables->tally.implicit_frees, 5);
	assert_int_equal(f->tables->start_ns, 1500000000);
	assert_int_equal(f->tables->duration_ns, 300000000);
	assert_int_equal(f->tables->nr_cpus, 4);
	assert_int_equal(f->tables->cpus[2].id, 1000);
	assert_int_equal(f->tables->attrs[f->tables->nr_attrs - 1].node, 3);
	assert_true(f->tables->attrs[f->tables->nr_attrs - 1].is_accounted);
	assert_int_equal(f->summary->node_requests, 1);
}

static void import_gives_one_site_for_both_forms(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(line(f, "a 1 [0] 1.0: kfree: call_site=x+0x1 ptr=(nil)"), 0);
	assert_int_equal(line(f, "a 1 [0] 1.0: kfree: call_site=x+0x1/0x20 ptr=(null)"), 0);
	assert_int_equal(line(f, "a 1 [0] 1.0: kfree: call_site=y+0x1/0x20 [m] ptr=0x0"), 0);
	finish(f);
	assert_int_equal(f->tables->nr_sites, 3);
	assert_true(has_site(f, "x+0x1"));
	assert_true(has_site(f, "y+0x1 [m]"));
	assert_int_equal(f->tables->tally.null_frees, 3);
}

static void import_reads_pages_of_every_release(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(line(f, "a 1 [0] 1.0: mm_page_alloc: page=0xff pfn=0x100 order=2 "
				 "migratetype=0 gfp_flags=GFP_KERNEL"),
			 0);
	assert_int_equal(line(f, "a 1 [0] 1.1: mm_page_alloc: page=(nil) pfn=0x0 order=9 "
				 "migratetype=0 gfp_flags=GFP_KERNEL"),
			 0);
	assert_int_equal(line(f, "a 1 [0] 1.2: mm_page_pcpu_drain: anything"), 0);
	assert_int_equal(line(f, "a 1 [0] 1.3: mm_page_free: page=0xff pfn=256 order=2"), 0);
	finish(f);
	assert_int_equal(group(f, "pages-2")->nr_frees, 1);
	assert_int_equal(group(f, "pages-2")->nr_born, 0);
	assert_int_equal(f->tables->tally.failed_allocs, 1);
	assert_int_equal(f->tables->tally.ignored, 1);
	assert_true(f->tables->info.has_pages);
}

static void import_refuses_lines_it_does_not_know(void **state)
{
	static const char *const lines[] = {
		"x",
		"sh 1 [000] " KMALLOC,
		"sh 1 [000] 1.: kfree",
		"sh 1 [000] 99999999999.0: " KMALLOC,
		"sh 1 [99999999] 1.0: " KMALLOC,
		"sh 1 [000] 1.0: kmalloc2: call_site=a ptr=0x1",
		"sh 1 [000] 1.0: kfree: call_site=a",
		"sh 1 [000] 1.0: kfree: ptr=0x1",
		"sh 1 [000] 1.0: kfree: call_site=a ptr=(____ptrval____)",
		"sh 1 [000] 1.0: kfree: call_site=a ptr=0x11112222333344445",
		"sh 1 [000] 1.0: kmalloc: call_site=a ptr=0x1 bytes_req=-4 bytes_alloc=8",
		"sh 1 [000] 1.0: kmalloc: call_site=a ptr=0x1 bytes_req=4 bytes_alloc=8 node=0",
		"a 1 [0] 1.0: kmalloc: call_site=a ptr=0x1 bytes_req=99999999999999 bytes_alloc=8",
		"sh 1 [000] 1.0: mm_page_free: page=0x1 pfn=0x1 order=60",
		"CPU:0 [LOST some EVENTS]",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char where[32];

		snprintf(where, sizeof(where), "line %zu:", i + 1);
		assert_int_equal(line(f, lines[i]), -EINVAL);
		assert_non_null(strstr(f->err.text, where));
	}
	f->importer.skip_unknown = true;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(line(f, lines[i]), 0);
	finish(f);
	assert_int_equal(f->tables->tally.skipped, sizeof(lines) / sizeof(lines[0]));
	assert_int_equal(f->tables->nr_events, 0);
}

static void summary_counts_lifetimes_and_crossings(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(nslab_trace_writer_cpu(f->importer.writer, 0, 0), 0);
	assert_int_equal(nslab_trace_writer_cpu(f->importer.writer, 1, 0), 0);
	assert_int_equal(nslab_trace_writer_cpu(f->importer.writer, 2, 1), 0);
	assert_int_equal(line(f, "a 1 [0] 1.000001000: " KMALLOC), 0);
	assert_int_equal(line(f, "a 1 [1] 1.000002000: kfree: call_site=f ptr=0x1000"), 0);
	assert_int_equal(line(f, "a 1 [0] 1.000003000: " KMALLOC), 0);
	assert_int_equal(line(f, "a 1 [2] 1.000005000: kfree: call_site=f ptr=0x1000"), 0);
	assert_int_equal(line(f, "a 1 [0] 1.000006000: " KMALLOC), 0);
	assert_int_equal(line(f, "a 1 [0] 1.000007000: " KMALLOC), 0);
	assert_int_equal(line(f, "a 1 [0] 1.000008000: kfree: call_site=f ptr=0x7000"), 0);
	finish(f);
	assert_int_equal(group(f, "kmalloc-64")->nr_allocs, 4);
	assert_int_equal(group(f, "kmalloc-64")->nr_frees, 3);
	assert_int_equal(group(f, "kmalloc-64")->nr_implicit, 1);
	assert_int_equal(group(f, "kmalloc-64")->nr_born, 1);
	assert_int_equal(group(f, "kmalloc-64")->nr_live, 1);
	assert_int_equal(group(f, "kmalloc-64")->nr_live_peak, 2);
	assert_int_equal(f->summary->total.crossing.nr_frees, 2);
	assert_int_equal(f->summary->total.crossing.nr_cross_cpu, 2);
	assert_int_equal(f->summary->total.crossing.nr_node_told, 2);
	assert_int_equal(f->summary->total.crossing.nr_cross_node, 1);
	assert_int_equal(f->summary->total.lifetimes->nr, 2);
	assert_int_equal(f->summary->total.lifetimes->max, 2000);
	assert_int_equal(f->summary->total.bytes_asked, 160);
	assert_int_equal(f->summary->live_bytes_peak, 128);
	assert_int_equal(f->summary->nr_stored_events, 7);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(import_reads_every_form_of_a_stamp),
		TEST(import_gives_one_site_for_both_forms),
		TEST(import_reads_pages_of_every_release),
		TEST(import_refuses_lines_it_does_not_know),
		TEST(summary_counts_lifetimes_and_crossings),
	};

	return cmocka_run_group_tests_name("trace-import", tests, NULL, NULL);
}
