/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test_report.c: the page of a run: characters, sentences, structure, pictures.
 *
 * Runs are made up, with effects that are known (synthetic_run.h); a page is written into memory
 * and looked at there. gnuplot is kept away, since pictures are tested with SVG texts of our own:
 * the plots have tests of theirs. That browsers read the page is the part of browser.report.
 */
#define _GNU_SOURCE
#include "plots/report_doc.h"
#include "tests/unit/synthetic_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/numaslab-report-XXXXXX";

struct memory {
	char *text;
	size_t bytes;
	FILE *out;
};

static void memory_open(struct memory *memory)
{
	memory->out = open_memstream(&memory->text, &memory->bytes);
	assert_non_null(memory->out);
}

/* The text, until the next call. */
static const char *memory_text(struct memory *memory)
{
	static char *last;

	assert_int_equal(fclose(memory->out), 0);
	free(last);
	last = memory->text;
	return last;
}

static const char *html_of(const char *text)
{
	struct memory memory;

	memory_open(&memory);
	nslab_doc_html_text(memory.out, text);
	return memory_text(&memory);
}

static size_t count(const char *text, const char *part)
{
	size_t nr = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		nr++;
	return nr;
}

/* ---- texts ---- */

static void html_text_escapes_what_has_a_meaning(void **state)
{
	(void)state;
	assert_string_equal(html_of("<b a=\"c\" d='e'>&amp;"),
			    "&lt;b a=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;");
	assert_string_equal(html_of("plain \xc3\xbc \xe4\xb8\xad \xf0\x9f\x98\x80"),
			    "plain \xc3\xbc \xe4\xb8\xad \xf0\x9f\x98\x80");
}

#define REPLACED "\xef\xbf\xbd"

static void html_text_replaces_bytes_that_are_no_text(void **state)
{
	(void)state;
	assert_string_equal(html_of("a\x01\x7f"), "a" REPLACED REPLACED);
	assert_string_equal(html_of("\xc3"), REPLACED);
	assert_string_equal(html_of("\xe4\xb8"), REPLACED REPLACED);
	assert_string_equal(html_of("\xc0\xaf"), REPLACED REPLACED);		  /* overlong */
	assert_string_equal(html_of("\xe0\x80\xaf"), REPLACED REPLACED REPLACED); /* overlong */
	assert_string_equal(html_of("\xed\xa0\x80"), REPLACED REPLACED REPLACED); /* surrogate */
	assert_string_equal(html_of("\xf5\x80\x80\x80"), REPLACED REPLACED REPLACED REPLACED);
	assert_string_equal(html_of("a\xe2\x80\xae"
				    "b"),
			    "a" REPLACED "b"); /* turns direction */
	assert_string_equal(html_of("a\nb\tc"), "a\nb\tc");
}

static struct nslab_cell_list *list_of(struct nslab_cell_values *cells, size_t nr)
{
	static struct nslab_cell_list list;

	list = (struct nslab_cell_list){.nr = nr, .cells = cells};
	return &list;
}

static void families_lose_what_all_share(void **state)
{
	struct nslab_cell_values cells[] = {{.cell.family = "workload=a size=8 threads=1"},
					    {.cell.family = "workload=a size=8 threads=1"},
					    {.cell.family = "workload=b  size=64 threads=1"}};
	char common[64], text[64];

	(void)state;
	nslab_report_common(list_of(cells, 3), common, sizeof(common));
	assert_string_equal(common, "threads=1");
	nslab_report_short(cells[2].cell.family, common, text, sizeof(text));
	assert_string_equal(text, "workload=b size=64");
	/* nothing would be left */
	nslab_report_common(list_of(cells, 2), common, sizeof(common));
	nslab_report_short(cells[0].cell.family, common, text, sizeof(text));
	assert_string_equal(text, "workload=a size=8 threads=1");
	nslab_report_common(list_of(cells, 0), common, sizeof(common));
	assert_string_equal(common, "");
}

/* ---- pictures ---- */

/* clang-format off */
static const char svg_light[] =
	"<?xml version=\"1.0\"?>\n<!DOCTYPE svg>\n"
	"<svg width=\"9\" xmlns=\"http://www.w3.org/2000/svg\" viewBox='0 0 9 9'>\n"
	"<title>Gnuplot</title>\n<defs>\n\n\t<circle id='dot' r='1'/></defs>\n"
	"<script>alert(1)</script><g fill=\"white\"><use xlink:href='#dot' color='rgb( 1, 2, 3)'/>"
	"<rect fill=\"white\" clip-path=\"url(#dot)\"/><text>fill='x' &lt;b&gt;</text></g></svg>\n";
static const char svg_dark[] =
	"<svg width=\"9\" viewBox='0 0 9 9'>\n<title>Gnuplot</title>\n"
	"<defs><circle id='dot' r='1'/></defs>\n"
	"<g fill=\"black\"><use xlink:href='#dot' color='rgb( 7, 8, 9)'/>"
	"<rect fill=\"grey\" clip-path=\"url(#dot)\"/><text>fill='y'</text></g></svg>\n";
/* clang-format on */

static const char *svg_of(const char *light, const char *dark)
{
	struct memory memory;

	memory_open(&memory);
	nslab_doc_svg(memory.out, light, dark, "p1-", "a \"label\"");
	return memory_text(&memory);
}

static void svg_becomes_part_of_a_page(void **state)
{
	static const char begin[] =
		"<svg id=\"p1-svg\" role=\"img\" aria-label=\"a &quot;label&quot;\" width=\"9\"";
	const char *text = svg_of(svg_light, svg_dark);

	(void)state;
	assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
	assert_non_null(strstr(text, "id='p1-dot'"));
	assert_non_null(strstr(text, "xlink:href='#p1-dot'"));
	assert_non_null(strstr(text, "url(#p1-dot)"));
	assert_non_null(strstr(text, "<text>fill='x' &lt;b&gt;</text></g></svg>"));
	assert_null(strstr(text, "xmlns"));
	assert_null(strstr(text, "Gnuplot"));
	assert_null(strstr(text, "alert"));
}

static void svg_tells_the_colours_of_dark_screens(void **state)
{
	const char *text = svg_of(svg_light, svg_dark);

	(void)state;
	assert_non_null(strstr(text, "#p1-svg [color=\"rgb( 1, 2, 3)\"]{color:rgb( 7, 8, 9)}"));
	/* one light colour, two dark ones: blanks tell them apart */
	assert_non_null(strstr(text, "<g fill=\"white\">"));
	assert_non_null(strstr(text, "<rect fill=\"white \""));
	assert_non_null(strstr(text, "[fill=\"white\"]{fill:black}"));
	assert_non_null(strstr(text, "[fill=\"white \"]{fill:grey}"));
	/* only colours get into a style sheet */
	assert_null(
		strstr(svg_of("<svg><g fill=\"a\"/></svg>", "<svg><g fill=\"}</style>\"/></svg>"),
		       "fill:"));
}

static void svg_ends_wherever_its_text_is_cut(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(svg_light); len++) {
		char *light = strndup(svg_light, len);
		char *dark = strndup(svg_dark, len % sizeof(svg_dark));

		assert_non_null(svg_of(light, svg_dark));
		assert_non_null(svg_of(svg_light, dark));
		free(light);
		free(dark);
	}
	assert_string_equal(svg_of("", ""), "");
	assert_string_equal(svg_of("<html>", ""), "");
}

/* ---- pages ---- */

struct page {
	struct nslab_run_file file;
	struct nslab_report report;
};

static void page_open(struct page *page, const struct synthetic_spec *spec)
{
	struct nslab_err err = {""};
	char path[128], plots[128];

	snprintf(path, sizeof(path), "%s/run.db", folder);
	snprintf(plots, sizeof(plots), "%s/plots", folder);
	unlink(path);
	assert_int_equal(synthetic_write(path, spec, &err), 0);
	assert_int_equal(nslab_run_file_open(path, &page->file, &err), 0);
	assert_int_equal(nslab_report_open(&page->file, plots, NSLAB_PLOT_SVG, &page->report, &err),
			 0);
}

static void page_close(struct page *page)
{
	nslab_report_close(&page->report);
	nslab_run_file_close(&page->file);
}

static const char *page_html(const struct page *page)
{
	struct nslab_err err = {""};
	struct memory memory;

	memory_open(&memory);
	assert_int_equal(nslab_report_html(&page->report, memory.out, &err), 0);
	return memory_text(&memory);
}

static const char *page_markdown(const struct page *page)
{
	struct nslab_err err = {""};
	struct memory memory;

	memory_open(&memory);
	assert_int_equal(nslab_report_markdown(&page->report, memory.out, &err), 0);
	return memory_text(&memory);
}

static const struct synthetic_spec plain = {
	.nr_blocks = 12, .scale = 1.0, .seed = 1, .is_finished = true};

static void sentence_append(void *context, const char *sentence)
{
	char *text = context;

	strcat(strcat(text, sentence), "\n");
}

/* The sentences of a run, a line each. */
static void sentences(const struct synthetic_spec *spec, char text[8192])
{
	struct page page;

	text[0] = '\0';
	page_open(&page, spec);
	nslab_report_say(&page.report, sentence_append, text);
	page_close(&page);
}

static void sentences_tell_planted_effects(void **state)
{
	char text[8192];

	(void)state;
	sentences(&plain, text);
	assert_int_equal(
		strncmp(text, "jemalloc is 1.5", 15) && strncmp(text, "nodelocal is 1.5", 16), 0);
	assert_non_null(strstr(text, "nodelocal against slub, 2 cells: faster in 2 (changes: 0.6"));
	assert_non_null(strstr(text, "jemalloc against slub, 2 cells: slower in 2 (changes: 1.5"));
	assert_non_null(
		strstr(text, "slub order=3 cpu_partial=0 against slub, 2 cells: the same "));
	assert_non_null(strstr(text, "The baseline was measured twice in 2 places"));
	assert_non_null(strstr(text,
			       "2 of 14 cells have no values; the first is mimalloc, skipped: "
			       "libmimalloc.so.2 is not installed"));
	assert_null(strstr(text, "null against"));
	assert_null(strstr(text, "simulated"));
}

static void sentences_claim_nothing_below_six_blocks(void **state)
{
	struct synthetic_spec spec = plain;
	char text[8192];

	(void)state;
	spec.nr_blocks = 5;
	spec.is_simulated = true;
	sentences(&spec, text);
	assert_int_equal(strncmp(text, "no verdict: ", 12), 0);
	assert_non_null(
		strstr(text, "nodelocal against slub, 2 cells: too few blocks for a verdict in"));
	assert_null(strstr(text, "faster"));
	assert_non_null(strstr(text, "The nodes are simulated"));
}

/* Each part comes after the one before. */
static void check_order(const char *text, const char *const *parts)
{
	for (; *parts; parts++) {
		const char *found = strstr(text, *parts);

		if (!found)
			fail_msg("no '%s' where it should be", *parts);
		text = found;
	}
}

static void page_opens_with_the_answer(void **state)
{
	static const char *const html[] = {
		"<!DOCTYPE html>",
		"<h1>numaslab: quick: quick look, n = 6, on box</h1>",
		">The answer</h2>",
		"<p class=\"lead\">",
		">Where and how it was measured</h2>",
		"AMD EPYC 9R14 (box)",
		">Tables</h2>",
		"All cells: size=64 threads=2 placement=compact memory=local.",
		"id=\"t-results\"",
		"id=\"t-figures\"",
		"id=\"t-counters\"",
		">Plots</h2>",
		"There are no plots: cannot run",
		"gnuplot-nox",
		">Raw data</h2>",
		"href=\"run.db\"",
		"href=\"cells.csv\"",
		">How to do it again</h2>",
		"numaslab run plan.ini seed=18364758544493064720 -o again",
		"size=64\n",
		"</html>",
		NULL};
	static const char *const markdown[] = {
		"# numaslab: quick", "\n## The answer\n\n**",	  "\n## Where",
		"\n## Tables",	     "\n| cell | arm |",	  "\n## Plots",
		"](run.db)",	     "    numaslab run plan.ini", NULL};
	struct page page;

	(void)state;
	page_open(&page, &plain);
	check_order(page_html(&page), html);
	check_order(page_markdown(&page), markdown);
	page_close(&page);
}

static void page_has_a_row_for_each_cell(void **state)
{
	struct page page;
	const char *text, *table;
	char *end;

	(void)state;
	page_open(&page, &plain);
	text = page_html(&page);
	table = strstr(text, "id=\"t-results\"");
	assert_non_null(table);
	end = strstr(table, "</table>");
	assert_non_null(end);
	*end = '\0';
	assert_int_equal(count(table, "<tr"), 1 + 14);
	assert_int_equal(count(table, "skipped: libmimalloc.so.2"), 2);
	assert_int_equal(count(table, "<td>baseline</td>"), 2);
	page_close(&page);
}

static void names_are_shown_and_never_obeyed(void **state)
{
	struct synthetic_spec spec = plain;
	struct page page;
	const char *text;

	(void)state;
	spec.is_odd = true;
	page_open(&page, &spec);
	text = page_html(&page);
	assert_int_equal(count(text, "<script>"), 1); /* its own */
	assert_null(strstr(text, "<script>document"));
	assert_null(strstr(text, "<img"));
	assert_null(strstr(text, "<i>"));
	/* title, heading, sentence, tables, plan */
	assert_true(count(text, "&lt;script&gt;document.title=&#39;taken&#39;&lt;/script&gt; | "
				"&quot;q&quot; &#39;a&#39; &amp;amp; `b` \xc3\xbc") > 8);
	assert_non_null(strstr(text, "<td>slabs &lt;script&gt;"));
	assert_non_null(strstr(text, "<b>&lt;b&gt;</b>: &lt;img src=x onerror=alert(1)&gt;"));
	text = page_markdown(&page);
	assert_non_null(strstr(text,
			       "\\<script\\>document.title='taken'\\</script\\> \\| \"q\" 'a' "
			       "\\&amp; \\`b\\` \xc3\xbc"));
	assert_null(strstr(text, "| <script"));
	assert_non_null(strstr(text, "\n    ; <script>")); /* the plan: code */
	page_close(&page);
}

static void long_tables_are_cut_in_markdown_only(void **state)
{
	struct synthetic_spec spec = plain;
	struct page page;

	(void)state;
	spec.nr_blocks = 1;
	spec.nr_families = 20;
	spec.is_bare = true;
	page_open(&page, &spec);
	assert_non_null(strstr(page_markdown(&page), "\n40 more rows are in cells.csv.\n"));
	assert_int_equal(count(page_html(&page), "<td>baseline</td>"), 20);
	page_close(&page);
}

static void empty_runs_have_a_report(void **state)
{
	const struct nslab_run_record run = {.uuid = "u"};
	struct synthetic_spec spec = plain;
	struct nslab_store *store;
	struct nslab_err err = {""};
	struct page page;
	char path[128];

	(void)state;
	spec.nr_blocks = 0;
	page_open(&page, &spec);
	assert_non_null(strstr(page_html(&page), "14 of 14 cells have no values"));
	assert_non_null(strstr(page_html(&page), "nothing was compared"));
	page_close(&page);

	snprintf(path, sizeof(path), "%s/run.db", folder);
	unlink(path);
	assert_int_equal(nslab_store_create(path, &run, &store, &err), 0);
	nslab_store_close(store);
	assert_int_equal(nslab_run_file_open(path, &page.file, &err), 0);
	assert_int_equal(nslab_report_open(&page.file, folder, 0, &page.report, &err), 0);
	assert_non_null(strstr(page_html(&page), "The run has no cells"));
	assert_non_null(strstr(page_html(&page), "The run has no plan"));
	assert_non_null(strstr(page_markdown(&page), "The run has no cells"));
	page_close(&page);
}

static int make_folder(void **state)
{
	(void)state;
	setenv("NUMASLAB_GNUPLOT", "/no/such/gnuplot", 1);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_text_escapes_what_has_a_meaning),
		cmocka_unit_test(html_text_replaces_bytes_that_are_no_text),
		cmocka_unit_test(families_lose_what_all_share),
		cmocka_unit_test(svg_becomes_part_of_a_page),
		cmocka_unit_test(svg_tells_the_colours_of_dark_screens),
		cmocka_unit_test(svg_ends_wherever_its_text_is_cut),
		cmocka_unit_test(sentences_tell_planted_effects),
		cmocka_unit_test(sentences_claim_nothing_below_six_blocks),
		cmocka_unit_test(page_opens_with_the_answer),
		cmocka_unit_test(page_has_a_row_for_each_cell),
		cmocka_unit_test(names_are_shown_and_never_obeyed),
		cmocka_unit_test(long_tables_are_cut_in_markdown_only),
		cmocka_unit_test(empty_runs_have_a_report),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
