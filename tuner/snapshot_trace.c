// SPDX-License-Identifier: GPL-2.0-only
/*
 * snapshot_trace.c: a snapshot from a trace: the caches of the kernel that was recorded, with the
 * rates, live objects and remote frees of their events.
 *
 * A recording brings the attributes of every cache and the list of CPUs. A cache without events has
 * rates of 0, which is a measurement. An imported trace has events only: then the sizes are those
 * of the events (bytes_alloc is the stride), orders follow from the rules, and since it shows only
 * CPUs on which something happened, their number must be given. Caches that the recording does not
 * know (born meanwhile) are treated the same way. Pages and kmalloc beyond 8 KiB come from no
 * cache.
 *
 * Left out: aliases, since events tell one name for all of them, and boot parameters.
 */
#define _GNU_SOURCE
#include "tuner/snapshot_impl.h"
#include "workloads/trace/summary.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define KMALLOC_BYTES_MAX 8192

struct trace_pass {
	struct nslab_tuner_snapshot *snapshot;
	const struct nslab_trace_tables *tables;
	const struct nslab_trace_summary *summary;
	bool *is_known;	   /* [summary->nr_groups] a recorded cache has the group */
	size_t nr_by_rule; /* caches whose attributes no recording has */
};

static void trace_flag(struct nslab_tuner_cache *cache, const char *word, size_t length)
{
	for (int i = NSLAB_SLAB_HWCACHE_ALIGN; i < NSLAB_NR_SLAB_COLUMNS; i++) {
		enum nslab_slab_column column = (enum nslab_slab_column)i;
		const char *known = nslab_slab_column_word(column);

		if (strlen(known) != length || strncmp(known, word, length) != 0)
			continue;
		cache->flags |= nslab_tuner_snapshot_flag(column);
		cache->is_debug = cache->is_debug || column >= NSLAB_SLAB_RED_ZONE;
	}
}

static void trace_rates(const struct trace_pass *pass, struct nslab_tuner_cache *cache,
			const struct nslab_trace_group *group)
{
	double seconds = (double)pass->tables->duration_ns / 1e9;
	const struct nslab_trace_crossing *crossing = &group->crossing;

	if (seconds > 0.0) {
		cache->allocs_per_s = (double)group->nr_allocs / seconds;
		cache->frees_per_s = (double)(group->nr_frees + group->nr_implicit) / seconds;
	}
	if (crossing->nr_frees)
		cache->remote_share = (double)crossing->nr_cross_cpu / (double)crossing->nr_frees;
}

/* Numbers beyond an int are not told: no kernel has them. */
static int trace_int(int64_t number)
{
	return number < 0 || number > INT_MAX ? NSLAB_TUNER_UNKNOWN : (int)number;
}

static void trace_attributes(struct nslab_tuner_cache *cache,
			     const struct nslab_trace_kernel_cache *kernel)
{
	cache->size = (unsigned)trace_int(kernel->slab_size);
	cache->object_size =
		kernel->object_size > 0 ? (unsigned)trace_int(kernel->object_size) : cache->size;
	cache->align = kernel->align > 0 ? (unsigned)trace_int(kernel->align) : 0;
	cache->order = trace_int(kernel->order);
	cache->objects = trace_int(kernel->objs_per_slab);
	cache->min_partial = trace_int(kernel->min_partial);
	cache->cpu_partial = trace_int(kernel->cpu_partial);
	cache->sheaf_capacity = trace_int(kernel->sheaf_capacity);
	cache->live = kernel->objects_after;
	cache->nr_slabs = kernel->slabs_after;
	cache->nr_partial = kernel->partial_after;
	for (const char *word = kernel->flags; word && *word;) {
		size_t length = strcspn(word, ",");

		trace_flag(cache, word, length);
		word += length + (word[length] == ',');
	}
}

/* A cache of the recorded kernel; one without a stride (it went meanwhile) is left out. */
static int trace_add_recorded(struct trace_pass *pass,
			      const struct nslab_trace_kernel_cache *kernel, struct nslab_err *err)
{
	static const struct nslab_trace_group silent;
	const struct nslab_trace_group *group = &silent;
	struct nslab_tuner_cache *cache;

	if (kernel->slab_size <= 0)
		return 0;
	cache = nslab_tuner_snapshot_add(pass->snapshot, kernel->name);
	if (!cache)
		return nslab_fail(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < pass->summary->nr_groups; i++) {
		if (strcmp(pass->summary->groups[i].name, kernel->name) != 0)
			continue;
		group = &pass->summary->groups[i];
		pass->is_known[i] = true;
	}
	trace_attributes(cache, kernel);
	trace_rates(pass, cache, group);
	return nslab_tuner_snapshot_check(cache, err);
}

/* kmalloc gives its whole stride to whoever asks; a kmem cache has objects of one size. */
static uint64_t trace_object_size(const struct trace_pass *pass,
				  const struct nslab_trace_group *group)
{
	for (uint32_t i = 0; group->type == NSLAB_TRACE_KMEM && i < pass->tables->nr_caches; i++) {
		const struct nslab_trace_cache *cache = &pass->tables->caches[i];

		if (!strcmp(cache->name, group->name) && cache->object_size)
			return cache->object_size;
	}
	return group->size;
}

static int trace_add_seen(struct trace_pass *pass, const struct nslab_trace_group *group,
			  struct nslab_err *err)
{
	bool is_cache = group->type == NSLAB_TRACE_KMEM ||
			(group->type == NSLAB_TRACE_SIZE && group->size <= KMALLOC_BYTES_MAX);
	struct nslab_tuner_cache *cache;

	if (!is_cache || !group->size || group->size > nslab_order_bytes(NSLAB_MAX_ORDER))
		return 0;
	cache = nslab_tuner_snapshot_add(pass->snapshot, group->name);
	if (!cache)
		return nslab_fail(err, -ENOMEM, "out of memory");
	cache->size = (unsigned)group->size;
	cache->object_size = (unsigned)trace_object_size(pass, group);
	cache->live = (int64_t)group->nr_live_peak;
	trace_rates(pass, cache, group);
	pass->nr_by_rule++;
	return nslab_tuner_snapshot_check(cache, err);
}

static int trace_caches(struct trace_pass *pass, struct nslab_err *err)
{
	int rc = 0;

	for (uint32_t i = 0; !rc && i < pass->tables->nr_kernel_caches; i++)
		rc = trace_add_recorded(pass, &pass->tables->kernel_caches[i], err);
	for (uint32_t i = 0; !rc && i < pass->summary->nr_groups; i++) {
		if (!pass->is_known[i])
			rc = trace_add_seen(pass, &pass->summary->groups[i], err);
	}
	if (rc)
		return nslab_fail_in(err, rc, "'%s'", pass->snapshot->source);
	if (pass->nr_by_rule)
		nslab_tuner_snapshot_note(pass->snapshot,
					  "%zu caches have no attributes in the trace: their live "
					  "objects are the most that it saw",
					  pass->nr_by_rule);
	return 0;
}

static int trace_machine(struct nslab_tuner_snapshot *s, const struct nslab_trace_tables *t,
			 struct nslab_err *err)
{
	int nr_nodes = 0;
	bool is_told = t->nr_cpus && t->nr_cpus <= NSLAB_TUNER_CPUS_MAX;

	if (nslab_tuner_snapshot_text(&s->release, t->info.kernel) ||
	    nslab_tuner_snapshot_text(&s->arch,
				      strcmp(t->info.machine, "none") ? t->info.machine : ""))
		return nslab_fail(err, -ENOMEM, "out of memory");
	if (t->info.page_bytes > 0 && t->info.page_bytes != (int64_t)NSLAB_PAGE_SIZE)
		return nslab_fail(err, -EINVAL,
				  "'%s' has pages of %lld bytes; the rules are known for pages of "
				  "4096 bytes only",
				  s->source, (long long)t->info.page_bytes);
	if (!t->nr_kernel_caches || !is_told)
		return nslab_tuner_snapshot_arch(s, err);
	s->nr_cpus = (int)t->nr_cpus;
	s->cpu_nodes = calloc(t->nr_cpus, sizeof(*s->cpu_nodes));
	if (!s->cpu_nodes)
		return nslab_fail(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < t->nr_cpus; i++) {
		int node = t->cpus[i].node;

		is_told = is_told && node >= 0 && node < NSLAB_TUNER_NODES_MAX;
		nr_nodes = node >= nr_nodes ? node + 1 : nr_nodes;
		s->cpu_nodes[i] = node;
	}
	if (is_told) {
		s->nr_nodes = nr_nodes;
	} else {
		free(s->cpu_nodes);
		s->cpu_nodes = NULL;
	}
	return nslab_tuner_snapshot_arch(s, err);
}

static int trace_read(struct nslab_tuner_snapshot *s, const struct nslab_trace *trace,
		      const struct nslab_tuner_given *given, struct nslab_err *err)
{
	const struct nslab_trace_tables *tables = nslab_trace_tables(trace);
	struct nslab_trace_summary *summary = NULL;
	struct trace_pass pass = {.snapshot = s, .tables = tables};
	int rc = trace_machine(s, tables, err);

	if (!rc && !tables->nr_kernel_caches && (!given || given->nr_cpus < 0))
		rc = nslab_fail(err, -EINVAL,
				"'%s' has no attributes of caches, as numaslab record keeps them; "
				"give --cpus N and --kernel VERSION to compute them",
				s->source);
	if (!rc)
		rc = nslab_trace_summarize(trace, &summary, err);
	if (rc)
		return rc;
	pass.summary = summary;
	pass.is_known = calloc(summary->nr_groups + (size_t)1, sizeof(*pass.is_known));
	rc = pass.is_known ? trace_caches(&pass, err) : nslab_fail(err, -ENOMEM, "out of memory");
	free(pass.is_known);
	nslab_trace_summary_free(summary);
	if (!rc)
		nslab_tuner_snapshot_note(s, "a trace tells no boot parameters: none are assumed");
	return rc ? rc : nslab_tuner_snapshot_finish(s, given, err);
}

int nslab_tuner_snapshot_of_trace(const char *path, const struct nslab_tuner_given *given,
				  struct nslab_tuner_snapshot **snapshot, struct nslab_err *err)
{
	struct nslab_tuner_snapshot *s = nslab_tuner_snapshot_new(path);
	struct nslab_trace *trace = NULL;
	int rc =
		s ? nslab_trace_open(path, &trace, err) : nslab_fail(err, -ENOMEM, "out of memory");

	if (!rc)
		rc = trace_read(s, trace, given, err);
	if (trace)
		nslab_trace_close(trace);
	if (rc)
		nslab_tuner_snapshot_free(s);
	else
		*snapshot = s;
	return rc;
}
