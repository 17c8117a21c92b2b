/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counters.c: the union of all sources' events, each counted by the first source that can.
 *
 * Opening walks the sources in order. A source's events are probed one by one and those that no
 * earlier source has taken are opened together; when a source cannot be opened after all, its
 * events go on to the next one. So page faults are counted by perf where the kernel lets us and by
 * getrusage where it does not, and the reading names the source. An event that nobody can count
 * keeps the reason of the first source that has it, which is the one that counts best.
 *
 * Invariants: names in rows[] are unique; a row with a source has place < that source's nr, and the
 * source's set is open. Starting goes from the last source to the first and stopping the other way,
 * so that perf, which comes first, does not count the work of the others.
 *
 * Left out: sharing a set between threads, and sums over workers (the store keeps each).
 */
#include "runner/counters/counters.h"
#include "runner/counters/perf_group.h"

#include <numaslab/plugin.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct nslab_plugin nslab_plugin_perf;
extern const struct nslab_plugin nslab_plugin_pmu;
extern const struct nslab_plugin nslab_plugin_softstat;

struct counter_row {
	const char *name;
	const char *first_source; /* that has the event */
	int source;		  /* index into sources[], or -1 */
	int place;		  /* among the source's values */
	int err;		  /* of the first probe, while source is -1 */
	char reason[128];
};

struct counter_source {
	const struct nslab_counter_ops *ops;
	struct nslab_counter_set *set; /* NULL: takes no part */
	int nr;
	int events[NSLAB_COUNTERS_MAX];
	struct counter_row *rows[NSLAB_COUNTERS_MAX];
};

struct nslab_counters {
	size_t nr_rows, nr_sources;
	struct counter_row rows[NSLAB_COUNTERS_MAX];
	struct counter_source sources[NSLAB_COUNTERS_MAX_SOURCES];
};

static struct counter_row *counters_row(struct nslab_counters *set, const char *name,
					const char *source)
{
	struct counter_row *row;

	for (size_t i = 0; i < set->nr_rows; i++) {
		if (!strcmp(set->rows[i].name, name))
			return &set->rows[i];
	}
	if (set->nr_rows == NSLAB_COUNTERS_MAX)
		return NULL;
	row = &set->rows[set->nr_rows++];
	row->name = name;
	row->first_source = source;
	row->source = -1;
	return row;
}

/* The first failure is what a reader should see: it is told by the best source. */
static void counters_blame(struct counter_row *row, int rc, const char *why)
{
	if (row->err)
		return;
	row->err = rc;
	snprintf(row->reason, sizeof(row->reason), "%s", *why ? why : strerror(-rc));
}

static int counters_choose(struct nslab_counters *set, struct counter_source *source)
{
	for (int event = 0; source->ops->events[event].name; event++) {
		struct counter_row *row =
			counters_row(set, source->ops->events[event].name, source->ops->name);
		char why[sizeof(row->reason)] = "";
		int rc;

		if (!row)
			return -E2BIG;
		if (row->source >= 0)
			continue;
		rc = source->ops->probe(event, why, sizeof(why));
		if (rc) {
			counters_blame(row, rc, why);
			continue;
		}
		source->events[source->nr] = event;
		source->rows[source->nr++] = row;
	}
	return 0;
}

static int counters_add_source(struct nslab_counters *set, const struct nslab_counter_ops *ops,
			       pid_t tid)
{
	struct counter_source *source = &set->sources[set->nr_sources];
	int rc;

	source->ops = ops;
	rc = counters_choose(set, source);
	if (rc || !source->nr)
		return rc;
	rc = ops->open(source->events, source->nr, tid, &source->set);
	if (rc)
		source->set = NULL;
	for (int i = 0; i < source->nr; i++) {
		if (rc) {
			counters_blame(source->rows[i], rc, "");
			continue;
		}
		source->rows[i]->source = (int)set->nr_sources;
		source->rows[i]->place = i;
	}
	set->nr_sources += !rc;
	return 0;
}

int nslab_counters_open_from(const struct nslab_counter_ops *const *sources, size_t nr, pid_t tid,
			     struct nslab_counters **result, struct nslab_err *err)
{
	struct nslab_counters *set;
	int rc = 0;

	if (nr > NSLAB_COUNTERS_MAX_SOURCES)
		return nslab_fail(err, -E2BIG, "cannot use %zu counter sources: %d at most", nr,
				  NSLAB_COUNTERS_MAX_SOURCES);
	set = calloc(1, sizeof(*set));
	if (!set)
		return nslab_fail(err, -ENOMEM, "cannot open counters: %s", strerror(ENOMEM));
	for (size_t i = 0; i < nr && !rc; i++) {
		memset(&set->sources[set->nr_sources], 0, sizeof(set->sources[0]));
		rc = counters_add_source(set, sources[i], tid);
	}
	if (rc) {
		nslab_counters_close(set);
		return nslab_fail(err, rc, "cannot open counters: more than %d events",
				  NSLAB_COUNTERS_MAX);
	}
	*result = set;
	return 0;
}

int nslab_counters_open(struct nslab_counters **set)
{
	const struct nslab_counter_ops *const sources[] = {
		nslab_plugin_perf.ops,
		nslab_plugin_pmu.ops,
		nslab_plugin_softstat.ops,
	};

	return nslab_counters_open_from(sources, 3, 0, set, NULL);
}

int nslab_counters_start(struct nslab_counters *set)
{
	size_t at = set->nr_sources;
	int rc = 0;

	while (at > 0 && !rc) {
		at--;
		rc = set->sources[at].ops->start(set->sources[at].set);
	}
	if (!rc)
		return 0;
	for (; at < set->nr_sources; at++)
		set->sources[at].ops->stop(set->sources[at].set);
	return rc;
}

int nslab_counters_stop(struct nslab_counters *set)
{
	int rc = 0;

	for (size_t i = 0; i < set->nr_sources; i++) {
		int one = set->sources[i].ops->stop(set->sources[i].set);

		rc = rc ? rc : one;
	}
	return rc;
}

static const char *counters_no_value(int err)
{
	return err == -ENODATA ? "never got onto the hardware: more events than counters, or not "
				 "started"
			       : strerror(-err);
}

int nslab_counters_read(struct nslab_counters *set, struct nslab_counter_reading *readings, int max)
{
	struct nslab_count values[NSLAB_COUNTERS_MAX_SOURCES][NSLAB_COUNTERS_MAX];

	if ((int)set->nr_rows > max)
		return -ENOSPC;
	for (size_t i = 0; i < set->nr_sources; i++) {
		int rc = set->sources[i].ops->read(set->sources[i].set, values[i]);

		for (int k = 0; rc && k < set->sources[i].nr; k++)
			values[i][k] = (struct nslab_count){.err = rc};
	}
	for (size_t i = 0; i < set->nr_rows; i++) {
		const struct counter_row *row = &set->rows[i];
		struct nslab_counter_reading *out = &readings[i];

		*out = (struct nslab_counter_reading){
			.name = row->name, .source = row->first_source, .count.err = row->err};
		if (row->source >= 0) {
			out->source = set->sources[row->source].ops->name;
			out->count = values[row->source][row->place];
		}
		if (out->count.err)
			snprintf(out->reason, sizeof(out->reason), "%s",
				 row->source < 0 ? row->reason : counters_no_value(out->count.err));
	}
	return (int)set->nr_rows;
}

void nslab_counters_close(struct nslab_counters *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->nr_sources; i++)
		set->sources[i].ops->close(set->sources[i].set);
	free(set);
}

/* Is row number `at` the first one that is absent for its reason? */
static bool counters_tells(const struct nslab_counters *set, size_t at)
{
	if (set->rows[at].source >= 0)
		return false;
	for (size_t i = 0; i < at; i++) {
		if (set->rows[i].source < 0 && !strcmp(set->rows[i].reason, set->rows[at].reason))
			return false;
	}
	return true;
}

static void counters_append(char *text, size_t bytes, const char *more, const char *even_more)
{
	size_t len = strlen(text);

	snprintf(text + len, bytes - len, "%s%s", more, even_more);
}

size_t nslab_counters_reasons(const struct nslab_counters *set, char *text, size_t bytes)
{
	size_t nr_lines = 0;

	if (!bytes)
		return 0;
	*text = '\0';
	for (size_t at = 0; at < set->nr_rows; at++) {
		const char *reason = set->rows[at].reason;
		bool is_all = true; /* perf's own hardware events, and no software event */
		char names[512] = "";

		if (!counters_tells(set, at))
			continue;
		for (size_t i = 0; i < set->nr_rows; i++) {
			const struct counter_row *row = &set->rows[i];
			bool is_same = row->source < 0 && !strcmp(row->reason, reason);

			if (nslab_perf_is_hardware(row->name))
				is_all = is_all && is_same;
			else
				is_all = is_all && (!is_same || !strcmp(row->first_source, "pmu"));
			if (is_same)
				counters_append(names, sizeof(names), *names ? ", " : "",
						row->name);
		}
		counters_append(text, bytes, is_all ? "hardware counters" : names, ": absent (");
		counters_append(text, bytes, reason, ")\n");
		nr_lines++;
	}
	return nr_lines;
}
