/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conformance.c: the list of checks, and the world and the objects that they work with.
 *
 * A check gets a fresh world whose topology is made up here (4 nodes in a ring, 2 CPUs each), so
 * the verdict does not depend on the machine. Afterwards, if all is well, the caches are destroyed,
 * the CPUs go offline and the world is closed; after a failure it is left as it is. Lines that the
 * world reported while a check ran (a page freed twice, say) fail the check. What is still held
 * when the world closes is judged by the check `leak` alone, so that one fault has one name.
 *
 * Left out: timing of any kind.
 */
#include "runner/conformance_suite.h"

#include "core/rng.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SUITE_NODE_BYTES ((size_t)64 << 20)

/* ---- the made-up machine ---- */

static int suite_pu_of_node[SUITE_NODES][2] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}};
static unsigned suite_distances[SUITE_NODES * SUITE_NODES] = {
	10, 20, 30, 20, 20, 10, 20, 30, 30, 20, 10, 20, 20, 30, 20, 10,
};

static void suite_topology(struct nslab_topo *topo, struct nslab_topo_node *nodes)
{
	memset(topo, 0, sizeof(*topo));
	memset(nodes, 0, SUITE_NODES * sizeof(*nodes));
	for (int i = 0; i < SUITE_NODES; i++) {
		nodes[i].os_index = i;
		nodes[i].logical_index = i;
		nodes[i].memory_bytes = SUITE_NODE_BYTES;
		nodes[i].nr_pus = 2;
		nodes[i].pus = suite_pu_of_node[i];
	}
	snprintf(topo->source, sizeof(topo->source), "conformance suite");
	topo->is_simulated = true;
	topo->nr_nodes = SUITE_NODES;
	topo->nodes = nodes;
	topo->has_distances = true;
	topo->distances = suite_distances;
}

static void suite_report(void *context, const char *line)
{
	struct suite *t = context;

	if (!strncmp(line, "note: ", 6))
		return;
	if (!t->nr_reports++)
		snprintf(t->report, sizeof(t->report), "%s", line);
}

static bool suite_open(struct suite *t)
{
	struct nslab_topo_node nodes[SUITE_NODES];
	struct nslab_topo topo;
	const struct nslab_arena_spec arena = {
		.topo = &topo,
		.memory = {.kind = NSLAB_MEMORY_LOCAL, .node = -1},
		.node_bytes = SUITE_NODE_BYTES,
		.nr_cpus = SUITE_CPUS,
	};
	const struct nslab_world_spec spec = {
		.allocator = t->ops,
		.allocator_params = t->target->allocator_params,
		.page = t->target->page,
		.arena = &arena,
		.seed = t->target->seed,
		.is_debug = t->target->is_debug,
		.report = suite_report,
		.report_context = t,
	};
	struct nslab_err err = {""};
	int rc;

	suite_topology(&topo, nodes);
	rc = nslab_world_open(&spec, &t->world, &err);
	if (rc)
		return suite_fail(t, "%s", err.text[0] ? err.text : strerror(-rc));
	t->env = nslab_world_env(t->world);
	t->heap = nslab_world_heap(t->world);
	t->ops = t->heap->ops; /* the debug layer's, when it is asked for */
	for (int i = 0; i < SUITE_CPUS; i++) {
		if (!suite_online(t, i, i / 2))
			return false;
	}
	return true;
}

bool suite_online(struct suite *t, int cpu, int node)
{
	int rc = nslab_world_cpu_online(t->world, cpu, node, &t->cpu[cpu]);

	if (rc)
		return suite_fail(t, "CPU %d of node %d does not come online: %s", cpu, node,
				  strerror(-rc));
	return true;
}

void suite_offline(struct suite *t, int cpu)
{
	nslab_world_cpu_offline(t->world, t->cpu[cpu]);
	t->cpu[cpu] = NULL;
}

void suite_quiesce(struct suite *t)
{
	for (int i = 0; i < SUITE_CPUS; i++) {
		if (t->cpu[i])
			t->ops->quiesce(t->cpu[i]);
	}
}

uint64_t suite_pages(const struct suite *t)
{
	struct nslab_world_usage usage;

	nslab_world_usage(t->world, &usage);
	return usage.nr_pages;
}

/* Closes the world; false when something could not be given back. */
bool suite_close(struct suite *t)
{
	struct nslab_world *world = t->world;

	if (!world)
		return true;
	if (!suite_drop_caches(t))
		return false;
	for (int i = 0; i < SUITE_CPUS; i++) {
		if (t->cpu[i])
			suite_offline(t, i);
	}
	t->world = NULL;
	nslab_world_close(world);
	return true;
}

/* ---- verdicts ---- */

bool suite_fail(struct suite *t, const char *format, ...)
{
	va_list args;

	if (t->result->verdict == NSLAB_VERDICT_FAIL)
		return false;
	t->result->verdict = NSLAB_VERDICT_FAIL;
	va_start(args, format);
	vsnprintf(t->result->text, sizeof(t->result->text), format, args);
	va_end(args);
	return false;
}

bool suite_skip(struct suite *t, const char *format, ...)
{
	va_list args;

	t->result->verdict = NSLAB_VERDICT_SKIP;
	va_start(args, format);
	vsnprintf(t->result->text, sizeof(t->result->text), format, args);
	va_end(args);
	return true;
}

const char *suite_tell(const struct suite_object *o)
{
	static _Thread_local char texts[4][160];
	static _Thread_local unsigned turn;
	char *text = texts[turn++ % 4];

	snprintf(text, sizeof(texts[0]), "object %p of %zu bytes (%s%s%s, CPU %d)",
		 (const void *)o->ptr, o->bytes, o->s ? "cache '" : "kmalloc",
		 o->s ? o->s->name : "", o->s ? "'" : "", o->cpu);
	return text;
}

/* ---- caches ---- */

struct nslab_cache_spec suite_spec(const char *name, size_t object_size)
{
	const struct nslab_cache_spec spec = {
		.name = name,
		.object_size = object_size,
		.order = NSLAB_AUTO,
		.min_partial = NSLAB_AUTO,
		.cpu_partial = NSLAB_AUTO,
		.sheaf_capacity = NSLAB_AUTO,
	};

	return spec;
}

struct kmem_cache *suite_cache_of(struct suite *t, const struct nslab_cache_spec *spec)
{
	struct kmem_cache *s;
	int rc = t->nr_caches < SUITE_CACHES ? t->ops->cache_create(t->heap, spec, &s) : -ENOSPC;

	if (rc) {
		suite_fail(t, "cache '%s' of %zu bytes, align %zu, order %d cannot be created: %s",
			   spec->name, spec->object_size, spec->align, spec->order, strerror(-rc));
		return NULL;
	}
	t->cache[t->nr_caches++] = s;
	return s;
}

struct kmem_cache *suite_cache(struct suite *t, size_t object_size)
{
	char name[NSLAB_NAME_MAX];
	struct nslab_cache_spec spec = suite_spec("", object_size);

	snprintf(name, sizeof(name), "c-%zu", object_size);
	spec.name = name;
	return suite_cache_of(t, &spec);
}

bool suite_drop_caches(struct suite *t)
{
	while (t->nr_caches) {
		struct kmem_cache *s = t->cache[t->nr_caches - 1];
		size_t bytes = s->object_size;
		int rc = nslab_world_cache_destroy(t->world, s);

		if (rc)
			return suite_fail(t,
					  "cache of %zu bytes cannot be destroyed after all its "
					  "objects were freed: %s",
					  bytes, strerror(-rc));
		t->nr_caches--;
	}
	return true;
}

/* ---- objects ---- */

static unsigned char suite_byte(uint32_t tag, size_t at)
{
	return (unsigned char)(tag * 29 + at * 7 + (tag >> 8) + (at >> 8));
}

void suite_fill(struct suite *t, struct suite_object *o)
{
	o->tag = ++t->next_tag;
	for (size_t i = 0; i < o->bytes; i++)
		o->ptr[i] = suite_byte(o->tag, i);
}

bool suite_verify(struct suite *t, const struct suite_object *o)
{
	for (size_t i = 0; i < o->bytes; i++) {
		if (o->ptr[i] != suite_byte(o->tag, i))
			return suite_fail(t, "byte %zu of live %s was changed by somebody else", i,
					  suite_tell(o));
	}
	return true;
}

bool suite_get(struct suite *t, int cpu, struct kmem_cache *s, size_t bytes, int node,
	       struct suite_object *o)
{
	o->cpu = cpu;
	o->s = s;
	o->bytes = s ? s->object_size : bytes;
	o->ptr = s ? kmem_cache_alloc_node(t->cpu[cpu], s, GFP_KERNEL, node)
		   : kmalloc_node(t->cpu[cpu], bytes, GFP_KERNEL, node);
	if (o->ptr)
		return true;
	return suite_fail(t, "allocation of %zu bytes (%s%s) on CPU %d gave NULL, pages are left",
			  o->bytes, s ? "cache " : "kmalloc", s ? s->name : "", cpu);
}

bool suite_alloc(struct suite *t, int cpu, struct kmem_cache *s, size_t bytes,
		 struct suite_object *o)
{
	if (!suite_get(t, cpu, s, bytes, NUMA_NO_NODE, o))
		return false;
	suite_fill(t, o);
	return true;
}

bool suite_free(struct suite *t, int cpu, struct suite_object *o)
{
	struct nslab_cpu *by = t->cpu[suite_has(t, NSLAB_CAP_REMOTE_FREE) ? cpu : o->cpu];

	if (!suite_verify(t, o))
		return false;
	if (o->s)
		kmem_cache_free(by, o->s, o->ptr);
	else
		kfree(by, o->ptr);
	o->ptr = NULL;
	return true;
}

bool suite_free_all(struct suite *t, struct suite_object *objects, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		int cpu = (int)(i % SUITE_CPUS);

		if (objects[i].ptr &&
		    !suite_free(t, t->cpu[cpu] ? cpu : objects[i].cpu, &objects[i]))
			return false;
	}
	return true;
}

/* ---- the checks ---- */

static const struct {
	struct nslab_conformance_check check;
	uint64_t needs;
	bool (*run)(struct suite *t);
} checks[] = {
	{{"alignment", "objects are aligned to 8 bytes and to what their cache asks for"},
	 0,
	 check_alignment},
	{{"overlap", "no two live objects share a byte"}, 0, check_overlap},
	{{"ksize", "ksize() is at least the size asked for, and all of it is usable"},
	 0,
	 check_ksize},
	{{"kmalloc", "every size from 0 to 4 MiB, krealloc, too large gives NULL"},
	 0,
	 check_kmalloc},
	{{"zero", "__GFP_ZERO clears objects that were used before"}, 0, check_zero},
	{{"bulk", "bulk allocation gives as many different objects as asked for"},
	 NSLAB_CAP_CACHE,
	 check_bulk},
	{{"bulk-failure", "bulk allocation is all or nothing when pages run out"},
	 NSLAB_CAP_CACHE | NSLAB_CAP_PAGES,
	 check_bulk_failure},
	{{"remote-free", "objects of every CPU may be freed on every other"},
	 NSLAB_CAP_REMOTE_FREE,
	 check_remote_free},
	{{"threads", "two threads hand objects to each other while caches come and go"},
	 NSLAB_CAP_REMOTE_FREE,
	 check_threads},
	{{"busy-destroy", "a cache with a live object is not destroyed"},
	 NSLAB_CAP_CACHE,
	 check_busy_destroy},
	{{"shrink", "shrinking gives empty slabs back and keeps live objects"},
	 NSLAB_CAP_CACHE | NSLAB_CAP_SHRINK,
	 check_shrink},
	{{"ctor", "a constructor runs once for each object, not for each allocation"},
	 NSLAB_CAP_CACHE | NSLAB_CAP_CTOR,
	 check_ctor},
	{{"node", "objects come from the node that was asked for, else from the CPU's own"},
	 NSLAB_CAP_NODE | NSLAB_CAP_PAGES,
	 check_node},
	{{"order", "slabs have the order that was asked for"},
	 NSLAB_CAP_CACHE | NSLAB_CAP_ORDER | NSLAB_CAP_PAGES,
	 check_order},
	{{"page-failure", "the n-th page allocation fails, for every n: NULL, and nothing is lost"},
	 NSLAB_CAP_CACHE | NSLAB_CAP_PAGES,
	 check_page_failure},
	{{"offline-live", "objects outlive the CPU that allocated them"},
	 NSLAB_CAP_REMOTE_FREE,
	 check_offline_live},
	{{"offline-flush", "a CPU that goes offline gives back all that it held"},
	 NSLAB_CAP_CACHE,
	 check_offline_flush},
	{{"stats", "statistics agree with the number of live objects"},
	 NSLAB_CAP_CACHE,
	 check_stats},
	{{"validate", "the allocator finds nothing wrong with itself"},
	 NSLAB_CAP_CACHE,
	 check_validate},
	{{"corruption", "validation finds damage around and in objects, and repairs it"},
	 NSLAB_CAP_CACHE | NSLAB_CAP_DEBUG,
	 check_corruption},
	{{"rcu", "objects freed after a grace period stay as they are until it ends"},
	 NSLAB_CAP_CACHE,
	 check_rcu},
	{{"rcu-offline", "the grace period of a CPU ends at the latest when it goes offline"},
	 NSLAB_CAP_CACHE,
	 check_rcu_offline},
	{{"sheaf", "a prefilled sheaf gives what it was asked for, and the rest goes back"},
	 NSLAB_CAP_CACHE,
	 check_sheaf},
	{{"sheaf-failure", "a sheaf that cannot be filled loses nothing"},
	 NSLAB_CAP_CACHE | NSLAB_CAP_PAGES,
	 check_sheaf_failure},
	{{"leak", "nothing is held after everything was freed and closed"}, 0, check_leak},
};

struct nslab_conformance_check nslab_conformance_at(size_t number)
{
	const struct nslab_conformance_check end = {NULL, NULL};

	return number < sizeof(checks) / sizeof(*checks) ? checks[number].check : end;
}

/* Names of the capabilities in caps that ops lacks; empty when it has them all. */
static void missing_caps(uint64_t caps, char *text, size_t text_bytes)
{
	static const char *const words[] = {"node",   "remote_free", "order",  "cache", "ctor",
					    "shrink", "pages",	     "direct", "debug"};

	text[0] = '\0';
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(text);

		if (caps >> i & 1)
			snprintf(text + len, text_bytes - len, "%s%s", len ? ", " : "", words[i]);
	}
}

void nslab_conformance_run(const struct nslab_conformance_target *target, size_t number,
			   struct nslab_conformance_result *result)
{
	struct suite t = {
		.target = target,
		.result = result,
		.ops = target->allocator,
		.rng = nslab_rng_mix(target->seed, number),
	};
	uint64_t missing = checks[number].needs & ~t.ops->caps;
	char names[128];

	result->verdict = NSLAB_VERDICT_PASS;
	result->text[0] = '\0';
	if (missing) {
		missing_caps(missing, names, sizeof(names));
		suite_skip(&t, "it does not claim the capability %s", names);
		return;
	}
	if (!suite_open(&t) || !checks[number].run(&t))
		return;
	if (t.nr_reports) {
		suite_fail(&t, "%s", t.report);
		return;
	}
	suite_close(&t);
}

const char *nslab_check_verdict_word(enum nslab_check_verdict verdict)
{
	static const char *const words[] = {"pass", "fail", "skip"};

	return words[verdict];
}
