/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cmd_trace.c: `numaslab trace info FILE`: what a recorded trace holds, as text or JSON; `numaslab
 * trace fidelity FILE` is in trace_fidelity.c.
 *
 * The numbers come from workloads/trace/summary.h in one pass. Text is 80 columns wide: events by
 * type, then caches, lifetimes, call sites, and at last in words what the trace cannot show, since
 * a reader of the numbers must know it. A share of nothing and what was not told are "-" in text
 * and null in JSON, never 0.
 */
#include "cli/command.h"
#include "cli/trace_fidelity.h"
#include "workloads/trace/summary.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int trace_command(int argc, char **argv);

extern const struct nslab_command nslab_command_trace;

const struct nslab_command nslab_command_trace = {
	.name = "trace",
	.summary = "tell what a trace holds, or what the model makes of its slabs",
	.usage = "info|fidelity FILE",
	.run = trace_command,
};

#define TRACE_TEXT     24 /* bytes of a formatted number */
#define TRACE_CPUS_MAX 8192

static const double trace_quantiles[] = {0.1, 0.5, 0.9, 0.99};

/* ---- numbers ---- */

/* "12 ns", "3.4 us", ...; "-" for NaN: not known, or a quantile of too few. */
static const char *trace_time(char *text, double ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	int unit = 0;

	for (; ns >= 1000 && unit < 3; unit++)
		ns /= 1000;
	if (isnan(ns))
		strcpy(text, "-");
	else
		snprintf(text, TRACE_TEXT, ns < 10 && unit ? "%.1f %s" : "%.0f %s", ns,
			 units[unit]);
	return text;
}

static const char *trace_share(char *text, uint64_t part, uint64_t whole)
{
	if (whole)
		snprintf(text, TRACE_TEXT, "%.1f%%", 100.0 * (double)part / (double)whole);
	else
		strcpy(text, "-");
	return text;
}

static const char *trace_bytes(char *text, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double value = (double)bytes;
	int unit = 0;

	for (; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	snprintf(text, TRACE_TEXT, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

static double trace_median_ns(const struct nslab_trace_group *group)
{
	return group->lifetimes ? nslab_hist_quantile(group->lifetimes, 0.5) : NAN;
}

static double trace_rate(const struct nslab_trace_tables *t, uint64_t nr_events)
{
	return t->duration_ns ? (double)nr_events * 1e9 / (double)t->duration_ns : -1;
}

static uint64_t trace_nr_traced(const struct nslab_trace_tables *t)
{
	uint64_t nr = 0;

	for (int kind = 0; kind < NSLAB_TRACE_NR_EVENT_KINDS; kind++)
		nr += t->tally.events[kind];
	return nr;
}

/* ---- text ---- */

static void print_origin(const struct nslab_trace_tables *t, const char *path)
{
	const struct nslab_trace_info *info = &t->info;

	printf("%s: made by `numaslab %s`\n", path, info->source);
	printf("kernel %s, machine %s, clock %s\n", *info->kernel ? info->kernel : "-",
	       *info->machine ? info->machine : "-", *info->clock ? info->clock : "-");
	if (*info->command)
		printf("command %s\n", info->command);
}

/* Were events of this kind recorded at all? */
static bool trace_has_kind(const struct nslab_trace_tables *t, enum nslab_trace_kind kind)
{
	return t->info.has_pages ||
	       (kind != NSLAB_TRACE_PAGE_ALLOC && kind != NSLAB_TRACE_PAGE_FREE);
}

static void print_kind(const struct nslab_trace_tables *t, enum nslab_trace_kind kind,
		       uint64_t nr_traced)
{
	char share[TRACE_TEXT];

	if (trace_has_kind(t, kind))
		printf("%-20s %12" PRIu64 " %8s\n", nslab_trace_kind_word(kind),
		       t->tally.events[kind], trace_share(share, t->tally.events[kind], nr_traced));
	else
		printf("%-20s %12s %8s\n", nslab_trace_kind_word(kind), "-", "-");
}

static void print_events(const struct nslab_trace_tables *t, const struct nslab_trace_summary *s)
{
	uint64_t nr_traced = trace_nr_traced(t);

	printf("\n%.3f s, %" PRIu32 " CPUs, %" PRIu64 " events\n", (double)t->duration_ns / 1e9,
	       t->nr_cpus, nr_traced);
	if (t->duration_ns)
		printf("%.0f events/s, most in 10 ms %.0f/s\n", trace_rate(t, nr_traced),
		       (double)s->peak_10ms * 100);
	printf("\n%-20s %12s %8s\n", "event", "count", "share");
	for (int kind = 0; kind < NSLAB_TRACE_NR_EVENT_KINDS; kind++)
		print_kind(t, (enum nslab_trace_kind)kind, nr_traced);
	printf("%-20s %12" PRIu64 "\n", "lost", t->tally.lost);
}

static void print_note(const char *what, uint64_t nr, uint64_t whole, const char *of)
{
	char share[TRACE_TEXT];

	printf("%-44s %12" PRIu64 " %7s %s\n", what, nr, trace_share(share, nr, whole), of);
}

static void print_notes(const struct nslab_trace_tables *t, const struct nslab_trace_summary *s)
{
	const struct nslab_trace_tally *tally = &t->tally;
	const struct nslab_trace_crossing *crossing = &s->total.crossing;
	uint64_t nr_frees = tally->events[NSLAB_TRACE_CACHE_FREE] +
			    tally->events[NSLAB_TRACE_KFREE] + tally->events[NSLAB_TRACE_PAGE_FREE];

	printf("\n");
	print_note("frees of NULL", tally->null_frees, nr_frees, "of frees");
	print_note("failed allocations", tally->failed_allocs,
		   s->total.nr_allocs + tally->failed_allocs, "of allocations");
	print_note("implicit frees (the address came again)", s->total.nr_implicit,
		   s->total.nr_allocs, "of allocations");
	print_note("frees without an allocation", s->total.nr_born, s->total.nr_frees, "of frees");
	print_note("  of another cache than allocated from", tally->mismatched, s->total.nr_frees,
		   "of frees");
	print_note("frees on another CPU than allocated on", crossing->nr_cross_cpu,
		   crossing->nr_frees, "of pairs");
	if (crossing->nr_node_told)
		print_note("frees on another node than allocated on", crossing->nr_cross_node,
			   crossing->nr_node_told, "of pairs");
	else
		printf("%-44s %12s %7s of pairs\n", "frees on another node than allocated on", "-",
		       "-");
	print_note("allocations that asked for a node", s->node_requests, s->total.nr_allocs,
		   "of allocations");
	if (tally->reordered + tally->ignored + tally->skipped)
		printf("put into order %" PRIu64 ", lines of no use %" PRIu64
		       ", unknown lines skipped %" PRIu64 "\n",
		       tally->reordered, tally->ignored, tally->skipped);
}

static void print_caches(const struct nslab_trace_summary *s, uint32_t nr_most)
{
	char cross[TRACE_TEXT], life[TRACE_TEXT], bytes[TRACE_TEXT], peak[TRACE_TEXT];

	printf("\n%-22s %6s %8s %8s %8s %6s %7s %8s\n", "cache", "size", "allocs", "frees",
	       "implicit", "peak", "cross", "median");
	for (uint32_t i = 0; i < s->nr_groups && i < nr_most; i++) {
		const struct nslab_trace_group *g = &s->groups[i];

		if (!g->nr_allocs && !g->nr_frees)
			continue;
		printf("%-22.22s %6" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 " %6" PRIu64
		       " %7s %8s\n",
		       g->name, g->size, g->nr_allocs, g->nr_frees, g->nr_implicit, g->nr_live_peak,
		       trace_share(cross, g->crossing.nr_cross_cpu, g->crossing.nr_frees),
		       trace_time(life, trace_median_ns(g)));
	}
	if (s->nr_groups > nr_most)
		printf("(%" PRIu32 " more; --all prints them)\n", s->nr_groups - nr_most);
	printf("# peak: most objects at a time that the trace knows of; cross: share of frees\n"
	       "# on another CPU; median: of the lifetimes of objects with both events\n");
	printf("%s asked for, %s given, at most %s live\n", trace_bytes(life, s->total.bytes_asked),
	       trace_bytes(bytes, s->total.bytes_given), trace_bytes(peak, s->live_bytes_peak));
}

static void print_lifetimes(const struct nslab_trace_summary *s)
{
	const struct nslab_hist *lifetimes = s->total.lifetimes;
	char text[TRACE_TEXT];

	if (!lifetimes) {
		printf("\nlifetimes: no object has both events\n");
		return;
	}
	printf("\nlifetimes of %" PRIu64 " objects:\n ", lifetimes->nr);
	for (size_t i = 0; i < sizeof(trace_quantiles) / sizeof(trace_quantiles[0]); i++)
		printf(" %g%% %s,", 100 * trace_quantiles[i],
		       trace_time(text, nslab_hist_quantile(lifetimes, trace_quantiles[i])));
	printf(" max %s\n", trace_time(text, (double)lifetimes->max));
}

static void print_sites(const struct nslab_trace_tables *t, const struct nslab_trace_summary *s,
			uint32_t nr_most)
{
	char bytes[TRACE_TEXT], share[TRACE_TEXT];

	printf("\n%-40s %10s %8s %9s %9s\n", "call site", "allocs", "share", "bytes", "frees");
	for (uint32_t i = 0; i < s->nr_sites && i < nr_most; i++) {
		const struct nslab_trace_site_use *use = &s->sites[i];

		if (!use->nr_allocs && !use->nr_frees)
			break;
		printf("%-40.40s %10" PRIu64 " %8s %9s %9" PRIu64 "\n", t->sites[use->site],
		       use->nr_allocs, trace_share(share, use->nr_allocs, s->total.nr_allocs),
		       trace_bytes(bytes, use->bytes_given), use->nr_frees);
	}
}

static void print_cpus(const struct nslab_trace_tables *t, const struct nslab_trace_summary *s,
		       uint32_t nr_most)
{
	printf("\n%6s %6s %12s %10s\n", "CPU", "node", "events", "lost");
	for (uint32_t i = 0; i < s->nr_cpus && i < nr_most; i++) {
		char node[TRACE_TEXT] = "-";

		if (t->cpus[i].node >= 0)
			snprintf(node, sizeof(node), "%d", t->cpus[i].node);
		printf("%6u %6s %12" PRIu64 " %10" PRIu64 "\n", t->cpus[i].id, node,
		       s->cpus[i].nr_events, s->cpus[i].nr_lost);
	}
	if (s->nr_cpus > nr_most)
		printf("(%" PRIu32 " more; --all prints them)\n", s->nr_cpus - nr_most);
}

static void trace_print(const struct nslab_trace_tables *t, const struct nslab_trace_summary *s,
			const char *path, bool is_all)
{
	const char *sentence;

	print_origin(t, path);
	print_events(t, s);
	print_notes(t, s);
	print_caches(s, is_all ? UINT32_MAX : 20);
	print_lifetimes(s);
	print_sites(t, s, is_all ? UINT32_MAX : 10);
	print_cpus(t, s, is_all ? UINT32_MAX : 16);
	printf("\nWhat this trace cannot show:\n");
	for (unsigned i = 0; (sentence = nslab_trace_blind_spot(t, i)); i++)
		printf("  %s\n", sentence);
}

/* ---- JSON ---- */

static json_t *json_count(uint64_t count)
{
	return json_integer((json_int_t)count);
}

/* null where the whole is 0. */
static json_t *json_ratio(uint64_t part, uint64_t whole)
{
	return whole ? json_real((double)part / (double)whole) : json_null();
}

static json_t *json_lifetimes(const struct nslab_hist *lifetimes)
{
	json_t *json;

	if (!lifetimes)
		return json_null();
	json = json_pack("{s:o, s:o}", "objects", json_count(lifetimes->nr), "max_ns",
			 json_count(lifetimes->max));
	for (size_t i = 0; i < sizeof(trace_quantiles) / sizeof(trace_quantiles[0]); i++) {
		double ns = nslab_hist_quantile(lifetimes, trace_quantiles[i]);
		char key[TRACE_TEXT];

		snprintf(key, sizeof(key), "p%g_ns", 100 * trace_quantiles[i]);
		json_object_set_new(json, key, isnan(ns) ? json_null() : json_real(ns));
	}
	return json;
}

static json_t *json_group(const struct nslab_trace_group *g)
{
	const struct nslab_trace_crossing *c = &g->crossing;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "allocs",
			 json_count(g->nr_allocs), "frees", json_count(g->nr_frees),
			 "implicit_frees", json_count(g->nr_implicit), "born",
			 json_count(g->nr_born), "bytes_asked", json_count(g->bytes_asked),
			 "bytes_given", json_count(g->bytes_given), "live_at_end",
			 json_count(g->nr_live), "live_peak", json_count(g->nr_live_peak),
			 "cross_cpu_share", json_ratio(c->nr_cross_cpu, c->nr_frees),
			 "cross_node_share", json_ratio(c->nr_cross_node, c->nr_node_told),
			 "lifetimes", json_lifetimes(g->lifetimes));
}

static json_t *json_groups(const struct nslab_trace_summary *s)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < s->nr_groups; i++) {
		json_t *row = json_group(&s->groups[i]);

		json_object_set_new(row, "name", json_string(s->groups[i].name));
		json_object_set_new(row, "size", json_count(s->groups[i].size));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *json_events(const struct nslab_trace_tables *t)
{
	json_t *events = json_object();

	for (int i = 0; i < NSLAB_TRACE_NR_EVENT_KINDS; i++) {
		enum nslab_trace_kind kind = (enum nslab_trace_kind)i;

		json_object_set_new(events, nslab_trace_kind_word(kind),
				    trace_has_kind(t, kind) ? json_count(t->tally.events[kind])
							    : json_null());
	}
	return events;
}

static json_t *json_sites(const struct nslab_trace_tables *t, const struct nslab_trace_summary *s)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < s->nr_sites; i++) {
		const struct nslab_trace_site_use *use = &s->sites[i];

		if (use->nr_allocs || use->nr_frees)
			json_array_append_new(
				rows, json_pack("{s:s, s:o, s:o, s:o}", "site", t->sites[use->site],
						"allocs", json_count(use->nr_allocs), "frees",
						json_count(use->nr_frees), "bytes_given",
						json_count(use->bytes_given)));
	}
	return rows;
}

static json_t *json_cpus(const struct nslab_trace_tables *t, const struct nslab_trace_summary *s)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < s->nr_cpus; i++) {
		int node = t->cpus[i].node;

		json_array_append_new(rows, json_pack("{s:I, s:o, s:o, s:o}", "cpu",
						      (json_int_t)t->cpus[i].id, "node",
						      node < 0 ? json_null() : json_integer(node),
						      "events", json_count(s->cpus[i].nr_events),
						      "lost", json_count(s->cpus[i].nr_lost)));
	}
	return rows;
}

static json_t *json_blind_spots(const struct nslab_trace_tables *t)
{
	json_t *rows = json_array();
	const char *sentence;

	for (unsigned i = 0; (sentence = nslab_trace_blind_spot(t, i)); i++)
		json_array_append_new(rows, json_string(sentence));
	return rows;
}

static json_t *trace_json(const struct nslab_trace_tables *t, const struct nslab_trace_summary *s)
{
	const struct nslab_trace_tally *tally = &t->tally;

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, "
		"s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
		"source", t->info.source, "kernel", t->info.kernel, "machine", t->info.machine,
		"command", t->info.command, "clock", t->info.clock, "start_ns",
		(json_int_t)t->start_ns, "duration_ns", (json_int_t)t->duration_ns, "events",
		json_events(t), "null_frees", (json_int_t)tally->null_frees, "failed_allocs",
		(json_int_t)tally->failed_allocs, "mismatched", (json_int_t)tally->mismatched,
		"lost", (json_int_t)tally->lost, "reordered", (json_int_t)tally->reordered,
		"ignored", (json_int_t)tally->ignored, "skipped", (json_int_t)tally->skipped,
		"slots", (json_int_t)t->nr_slots, "peak_10ms_events", (json_int_t)s->peak_10ms,
		"total", json_group(&s->total), "caches", json_groups(s), "sites", json_sites(t, s),
		"cpus", json_cpus(t, s), "cannot_show", json_blind_spots(t));
}

static int trace_print_json(const struct nslab_trace_tables *t, const struct nslab_trace_summary *s,
			    struct nslab_err *err)
{
	json_t *json = trace_json(t, s);
	int rc = json && !json_dumpf(json, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII) ? 0 : -EIO;

	json_decref(json);
	putchar('\n');
	return rc ? nslab_fail(err, rc, "cannot print JSON: %s", strerror(-rc)) : 0;
}

/* ---- command ---- */

static int trace_info(const char *path, bool is_json, bool is_all, struct nslab_err *err)
{
	struct nslab_trace_summary *summary = NULL;
	struct nslab_trace *trace = NULL;
	int rc = nslab_trace_open(path, &trace, err);

	if (!rc)
		rc = nslab_trace_summarize(trace, &summary, err);
	if (!rc && is_json)
		rc = trace_print_json(nslab_trace_tables(trace), summary, err);
	else if (!rc)
		trace_print(nslab_trace_tables(trace), summary, path, is_all);
	if (!rc && fflush(stdout))
		rc = nslab_fail(err, -errno, "cannot write to stdout: %s", strerror(errno));
	nslab_trace_summary_free(summary);
	nslab_trace_close(trace);
	return rc;
}

static bool trace_is_usage(const struct nslab_fidelity_options *o, int nr, const char *action)
{
	return nr == 2 && (!strcmp(action, "info") || !strcmp(action, "fidelity")) &&
	       o->nr_cpus >= 0 && o->moved >= 0 && o->slabs >= 0 && o->percent >= 0 &&
	       o->nr_cpus <= TRACE_CPUS_MAX;
}

static int trace_command(int argc, char **argv)
{
	struct nslab_fidelity_options o = {.moved = 50, .slabs = 2, .percent = 3};
	const struct nslab_option rows[] = {
		{"json", 0, NSLAB_OPTION_FLAG, &o.is_json, NULL, "print JSON"},
		{"all", 'a', NSLAB_OPTION_FLAG, &o.is_all, NULL, "every cache, call site and CPU"},
		{"kernel", 0, NSLAB_OPTION_TEXT, &o.kernel, "6.1|6.12|6.18",
		 "fidelity: the model, if not that of the trace's kernel"},
		{"cpus", 0, NSLAB_OPTION_INT, &o.nr_cpus, "N",
		 "fidelity: that order rules count with, if not the trace's"},
		{"moved", 0, NSLAB_OPTION_INT, &o.moved, "N",
		 "fidelity: judge caches that moved by more slabs (50)"},
		{"slabs", 0, NSLAB_OPTION_INT, &o.slabs, "N", "fidelity: allowed error (2)"},
		{"percent", 0, NSLAB_OPTION_INT, &o.percent, "N",
		 "fidelity: allowed error, if it is more (3)"},
		{0},
	};
	struct nslab_err err = {""};
	int nr, rc;
	int status = nslab_options_parse(&nslab_command_trace, rows, argc, argv, &nr);

	if (status >= 0)
		return status;
	if (!trace_is_usage(&o, nr, argv[1])) {
		fprintf(stderr,
			"numaslab: trace takes 'info' or 'fidelity' and one trace, and numbers"
			" from 0; see numaslab trace --help\n");
		return NSLAB_EXIT_USAGE;
	}
	o.path = argv[2];
	rc = !strcmp(argv[1], "info") ? trace_info(o.path, o.is_json, o.is_all, &err)
				      : nslab_trace_fidelity(&o, &err);
	return rc < 0 ? nslab_complain(&err, rc) : rc;
}
