/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conformance_caches.c: checks of caches, CPUs and pages: what is refused, kept, and given back.
 *
 * Page counts are those of the world, through which all pages go; the allocator's own figures are
 * only believed where they are what is checked. check_page_failure() repeats one scenario with the
 * n-th page allocation refused, n = 1, 2, 3, .., once alone and once with all later ones, until the
 * scenario no longer reaches n; after each repetition the caches must be destroyable and no page
 * may be missing. Left out: failures of metadata allocation, which a world cannot inject.
 */
#include "runner/conformance_suite.h"

#include "core/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static unsigned long long ull(uint64_t n)
{
	return n;
}

/* nr objects from s in turn on every CPU. */
static bool spread(struct suite *t, struct kmem_cache *s, struct suite_object *o, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (!suite_alloc(t, (int)(i % SUITE_CPUS), s, 100, &o[i]))
			return false;
	}
	return true;
}

/* ---- busy-destroy ---- */

bool check_busy_destroy(struct suite *t)
{
	struct kmem_cache *s = suite_cache(t, 90);
	struct suite_object o[20];
	int rc;

	if (!s || !spread(t, s, o, 20) || !suite_free_all(t, o, 19))
		return false;
	for (int attempt = 0; attempt < 2; attempt++) {
		rc = nslab_world_cache_destroy(t->world, s);
		if (rc != -EBUSY)
			return suite_fail(t,
					  "destroying a cache with 1 live object gave '%s' instead "
					  "of '%s'",
					  rc ? strerror(-rc) : "done", strerror(EBUSY));
		if (!suite_verify(t, &o[19]))
			return false;
	}
	/* still of use after the refusal */
	return spread(t, s, o, 19) && suite_free_all(t, o, 20) && suite_drop_caches(t);
}

/* ---- shrink ---- */

#define SHRINK_OBJECTS 800

static size_t shrink_fully(struct suite *t, struct kmem_cache *s)
{
	t->ops->cache_shrink(s);
	suite_quiesce(t);
	return t->ops->cache_shrink(s);
}

static bool shrink_run(struct suite *t, struct suite_object *o)
{
	uint64_t before = suite_pages(t), full, after;
	struct kmem_cache *s = suite_cache(t, 256);
	size_t left;

	if (!s || !spread(t, s, o, SHRINK_OBJECTS))
		return false;
	full = suite_pages(t);
	if (!suite_free_all(t, o + 1, SHRINK_OBJECTS - 1))
		return false;
	left = shrink_fully(t, s);
	after = suite_pages(t);
	if (!left)
		return suite_fail(t, "shrink says that no slab remains while an object lives");
	if (full > before + 16 && after >= full)
		return suite_fail(t, "shrink gave no page back: %llu before, %llu after", ull(full),
				  ull(after));
	if (!suite_verify(t, &o[0]) || !suite_free_all(t, o, 1))
		return false;
	left = shrink_fully(t, s);
	if (left)
		return suite_fail(t, "shrink leaves %zu slabs of an empty cache", left);
	return spread(t, s, o, 50) && suite_free_all(t, o, 50);
}

bool check_shrink(struct suite *t)
{
	struct suite_object *o = calloc(SHRINK_OBJECTS, sizeof(*o));
	bool is_good = o && shrink_run(t, o);

	free(o);
	return is_good;
}

/* ---- ctor ---- */

#define CTOR_MAGIC   UINT64_C(0x6e736c6162637472)
#define CTOR_OBJECTS 300

/* What a constructed object looks like; users may only change `mark`. */
struct ctor_object {
	uint64_t magic;
	uint64_t mark;
	uint64_t tail[6];
};

static struct ctor_state {
	uint64_t nr_calls;
	struct ctor_object *live[CTOR_OBJECTS];
	const void *hit; /* a live object that was constructed again */
} ctor_state;

static void ctor_run(void *obj)
{
	struct ctor_object *o = obj;

	ctor_state.nr_calls++;
	for (int i = 0; i < CTOR_OBJECTS; i++) {
		if (ctor_state.live[i] == obj)
			ctor_state.hit = obj;
	}
	o->magic = CTOR_MAGIC;
	o->mark = 0;
	for (int i = 0; i < 6; i++)
		o->tail[i] = ~CTOR_MAGIC;
}

static bool ctor_is_intact(const struct ctor_object *o)
{
	for (int i = 0; i < 6; i++) {
		if (o->tail[i] != ~CTOR_MAGIC)
			return false;
	}
	return o->magic == CTOR_MAGIC;
}

static bool ctor_take(struct suite *t, struct kmem_cache *s, int i, int cpu)
{
	struct ctor_object *o = kmem_cache_alloc(t->cpu[cpu], s, GFP_KERNEL);

	if (!o)
		return suite_fail(t, "allocation with a constructor on CPU %d gave NULL", cpu);
	if (!ctor_is_intact(o))
		return suite_fail(t, "object %p on CPU %d is not as its constructor left it",
				  (void *)o, cpu);
	if (o->mark > 1)
		return suite_fail(t, "object %p was changed while it was free", (void *)o);
	o->mark = 2;
	ctor_state.live[i] = o;
	return true;
}

static void ctor_give(struct suite *t, struct kmem_cache *s, int i, int cpu)
{
	struct ctor_object *o = ctor_state.live[i];

	o->mark = 1;
	ctor_state.live[i] = NULL;
	kmem_cache_free(t->cpu[cpu], s, o);
}

/* The same object over and over beside a live one: no slab comes or goes. */
static bool ctor_is_not_per_alloc(struct suite *t, struct kmem_cache *s)
{
	uint64_t before = ctor_state.nr_calls;

	for (int i = 0; i < 100; i++) {
		if (!ctor_take(t, s, 1, 0))
			return false;
		ctor_give(t, s, 1, 0);
	}
	if (ctor_state.nr_calls - before >= 100)
		return suite_fail(t,
				  "the constructor ran %llu times for 100 allocations of one "
				  "object",
				  ull(ctor_state.nr_calls - before));
	return true;
}

static bool ctor_calls_match(struct suite *t, struct kmem_cache *s, uint64_t pages_peak)
{
	struct nslab_cache_stats stats;

	t->ops->cache_stats(s, &stats);
	if (ctor_state.hit)
		return suite_fail(t, "live object %p was constructed again", ctor_state.hit);
	if (!stats.nr_objects || suite_pages(t) < pages_peak)
		return true; /* slots unknown, or slabs have gone */
	if (ctor_state.nr_calls != stats.nr_objects)
		return suite_fail(t, "the constructor ran %llu times for %llu objects in slabs",
				  ull(ctor_state.nr_calls), ull(stats.nr_objects));
	return true;
}

bool check_ctor(struct suite *t)
{
	struct nslab_cache_spec spec = suite_spec("ctor", sizeof(struct ctor_object));
	struct kmem_cache *s;
	uint64_t peak = 0;

	memset(&ctor_state, 0, sizeof(ctor_state));
	spec.ctor = ctor_run;
	s = suite_cache_of(t, &spec);
	if (!s || !ctor_take(t, s, 0, 0) || !ctor_is_not_per_alloc(t, s))
		return false;
	for (int round = 0; round < 6; round++) {
		for (int i = 1; i < CTOR_OBJECTS; i++) {
			if (!ctor_take(t, s, i, i % SUITE_CPUS))
				return false;
		}
		peak = peak ? peak : suite_pages(t);
		if (!ctor_calls_match(t, s, peak))
			return false;
		for (int i = 1; i < CTOR_OBJECTS; i++)
			ctor_give(t, s, i,
				  suite_has(t, NSLAB_CAP_REMOTE_FREE) ? (i + round) % SUITE_CPUS
								      : i % SUITE_CPUS);
	}
	ctor_give(t, s, 0, 0);
	return true;
}

/* ---- node ---- */

static bool node_is(struct suite *t, const struct suite_object *o, int want, const char *how)
{
	int node;

	if (!nslab_is_arena(t->env, o->ptr))
		return suite_fail(t, "%s is not in memory from env->alloc_pages", suite_tell(o));
	node = nslab_node_of(t->env, o->ptr);
	if (node != want)
		return suite_fail(t, "%s is on node %d, %s node %d", suite_tell(o), node, how,
				  want);
	return true;
}

static bool node_local(struct suite *t)
{
	struct kmem_cache *s = suite_cache(t, 72);
	struct suite_object o[40];

	for (int cpu = 0; s && cpu < SUITE_CPUS; cpu++) {
		for (int i = 0; i < 40; i++) {
			if (!suite_alloc(t, cpu, s, 0, &o[i]) ||
			    !node_is(t, &o[i], t->cpu[cpu]->node, "its CPU belongs to"))
				return false;
		}
		for (int i = 0; i < 40; i++) {
			if (!suite_free(t, cpu, &o[i]))
				return false;
		}
	}
	return s != NULL;
}

static bool node_asked(struct suite *t, struct kmem_cache *s, size_t bytes)
{
	struct suite_object o[SUITE_CPUS * SUITE_NODES * 4];
	size_t nr = 0;

	for (int round = 0; round < 4; round++) {
		for (int cpu = 0; cpu < SUITE_CPUS; cpu++) {
			for (int node = 0; node < SUITE_NODES; node++) {
				if (!suite_get(t, cpu, s, bytes, node, &o[nr]) ||
				    !node_is(t, &o[nr], node, "asked for"))
					return false;
				suite_fill(t, &o[nr++]);
			}
		}
	}
	return suite_free_all(t, o, nr);
}

bool check_node(struct suite *t)
{
	struct kmem_cache *s = NULL;

	if (suite_has(t, NSLAB_CAP_CACHE)) {
		if (!node_local(t))
			return false;
		s = suite_cache(t, 64);
		if (!s)
			return false;
	}
	for (int again = 0; again < 3; again++) {
		if ((s && !node_asked(t, s, 0)) || !node_asked(t, NULL, 500))
			return false;
	}
	return node_asked(t, NULL, 9000);
}

/* ---- order ---- */

static bool order_one(struct suite *t, int order, size_t size)
{
	struct nslab_cache_spec spec = suite_spec("order", size);
	struct suite_object o[60];
	struct kmem_cache *s;

	spec.order = order;
	s = suite_cache_of(t, &spec);
	if (!s)
		return false;
	if (s->order != (unsigned)order)
		return suite_fail(t, "cache of %zu bytes has order %u, asked for %d", size,
				  s->order, order);
	if (!spread(t, s, o, 60))
		return false;
	for (int i = 0; i < 60; i++) {
		const struct nslab_page *page = nslab_page_of(t->env, o[i].ptr);

		if (page->order != order)
			return suite_fail(t, "%s lies in a block of order %u, asked for %d",
					  suite_tell(&o[i]), page->order, order);
	}
	return suite_free_all(t, o, 60) && suite_drop_caches(t);
}

/* Debug options may make an object too large for a slab that would just hold it. */
static bool order_holds(struct suite *t, int order, size_t size, bool *is_held)
{
	struct kmem_cache *s = suite_cache(t, size);

	if (!s)
		return false;
	*is_held = s->size <= NSLAB_PAGE_SIZE << order;
	return suite_drop_caches(t);
}

bool check_order(struct suite *t)
{
	static const size_t sizes[] = {32, 200, 1024, 4096};

	for (int order = 0; order <= 5; order++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			bool is_held;

			if (!order_holds(t, order, sizes[i], &is_held) ||
			    (is_held && !order_one(t, order, sizes[i])))
				return false;
		}
	}
	return true;
}

/* ---- page-failure ---- */

#define FAILURE_OBJECTS 160
#define FAILURE_BULK	40
#define FAILURE_MAX_N	4000

struct failure {
	struct suite_object o[FAILURE_OBJECTS + 2];
	size_t nr;	   /* live ones */
	bool has_refused;  /* something gave NULL or -ENOMEM */
	uint64_t nr_pages; /* after the clean run */
};

static struct kmem_cache *failure_cache(struct suite *t, struct failure *f, size_t size)
{
	struct nslab_cache_spec spec = suite_spec("failure", size);
	struct kmem_cache *s = NULL;
	int rc = t->ops->cache_create(t->heap, &spec, &s);

	if (rc == -ENOMEM)
		f->has_refused = true;
	else if (rc)
		suite_fail(t, "creating a cache without pages gave '%s' instead of '%s'",
			   strerror(-rc), strerror(ENOMEM));
	if (rc)
		return NULL;
	t->cache[t->nr_caches++] = s;
	return s;
}

/* s NULL: kmalloc. */
static void failure_get(struct suite *t, struct failure *f, struct kmem_cache *s, size_t bytes,
			int cpu, int node)
{
	struct suite_object *o = &f->o[f->nr];

	o->cpu = cpu;
	o->s = s;
	o->bytes = s ? s->object_size : bytes;
	o->ptr = s ? kmem_cache_alloc_node(t->cpu[cpu], s, GFP_KERNEL, node)
		   : kmalloc_node(t->cpu[cpu], bytes, GFP_KERNEL, node);
	if (!o->ptr) {
		f->has_refused = true;
		return;
	}
	suite_fill(t, o);
	f->nr++;
}

static void failure_bulk(struct suite *t, struct failure *f, struct kmem_cache *s)
{
	void *objs[FAILURE_BULK];
	size_t got = kmem_cache_alloc_bulk(t->cpu[1], s, GFP_KERNEL, FAILURE_BULK, objs);

	if (got != FAILURE_BULK)
		f->has_refused = true;
	if (got && got != FAILURE_BULK)
		suite_fail(t, "bulk of %d objects gave %zu when pages ran out", FAILURE_BULK, got);
	else if (got)
		kmem_cache_free_bulk(t->cpu[1], s, got, objs);
}

static bool failure_scenario(struct suite *t, struct failure *f)
{
	static const size_t sizes[] = {64, 1000, 4096};

	f->nr = 0;
	f->has_refused = false;
	for (size_t i = 0; i < 3; i++) {
		struct kmem_cache *s = failure_cache(t, f, sizes[i]);

		for (int k = 0; s && k < 50; k++)
			failure_get(t, f, s, 0, k % 3 * 2,
				    suite_has(t, NSLAB_CAP_NODE) && k % 5 == 0 ? k % SUITE_NODES
									       : NUMA_NO_NODE);
		if (s)
			failure_bulk(t, f, s);
	}
	failure_get(t, f, NULL, 20000, 2, NUMA_NO_NODE);
	return t->result->verdict != NSLAB_VERDICT_FAIL && suite_free_all(t, f->o, f->nr) &&
	       suite_drop_caches(t);
}

/* One repetition with allocation n refused; *is_over when the scenario does not reach it. */
static bool failure_at(struct suite *t, struct failure *f, uint64_t n, uint64_t nr_fail,
		       bool *is_over)
{
	struct nslab_world_usage usage;
	uint64_t start;

	nslab_world_usage(t->world, &usage);
	start = usage.nr_page_calls;
	nslab_world_fail_at(t->world, start + n, nr_fail);
	if (!failure_scenario(t, f))
		return false;
	nslab_world_usage(t->world, &usage);
	nslab_world_fail_at(t->world, 0, 0);
	*is_over = usage.nr_page_calls < start + n;
	if (*is_over && f->has_refused)
		return suite_fail(t, "an allocation failed although no page was refused (n = %llu)",
				  ull(n));
	if (usage.nr_pages > f->nr_pages)
		return suite_fail(t, "%llu pages are lost after page allocation %llu%s was refused",
				  ull(usage.nr_pages - f->nr_pages), ull(n),
				  nr_fail > 1 ? " and all later ones" : "");
	return true;
}

static bool failure_every(struct suite *t, struct failure *f, uint64_t nr_fail)
{
	bool is_over = false;

	for (uint64_t n = 1; !is_over && n <= FAILURE_MAX_N; n++) {
		if (!failure_at(t, f, n, nr_fail, &is_over))
			return false;
	}
	if (!is_over)
		return suite_fail(t, "the scenario still asks for pages after %d of them",
				  FAILURE_MAX_N);
	return true;
}

bool check_page_failure(struct suite *t)
{
	struct failure *f = calloc(1, sizeof(*f));
	bool is_good = f && failure_scenario(t, f);

	if (is_good && f->has_refused)
		is_good = suite_fail(t, "an allocation failed although all pages are there");
	if (is_good) {
		f->nr_pages = suite_pages(t);
		is_good = failure_every(t, f, 1) && failure_every(t, f, UINT64_MAX);
	}
	free(f);
	return is_good;
}

/* ---- CPUs that go offline ---- */

#define OFFLINE_OBJECTS 300

bool check_offline_live(struct suite *t)
{
	struct suite_object o[OFFLINE_OBJECTS], more[OFFLINE_OBJECTS];
	struct kmem_cache *s = NULL;

	if (suite_has(t, NSLAB_CAP_CACHE)) {
		s = suite_cache(t, 100);
		if (!s)
			return false;
	}
	for (int i = 0; i < OFFLINE_OBJECTS; i++) {
		if (!suite_alloc(t, 0, s, 100, &o[i]))
			return false;
	}
	suite_offline(t, 0);
	for (int i = 0; i < OFFLINE_OBJECTS; i++) {
		if (!suite_alloc(t, 1 + i % 7, s, 100, &more[i]) || !suite_verify(t, &o[i]))
			return false;
	}
	if (!suite_free_all(t, more, OFFLINE_OBJECTS))
		return false;
	for (int i = 0; i < OFFLINE_OBJECTS; i++) {
		if (!suite_free(t, 1 + i % 7, &o[i]))
			return false;
	}
	/* the same number may come back, on another node */
	return suite_online(t, 0, 2) && (!s || spread(t, s, o, 100)) &&
	       (!s || suite_free_all(t, o, 100));
}

bool check_offline_flush(struct suite *t)
{
	struct suite_object o[OFFLINE_OBJECTS];
	uint64_t before = suite_pages(t);
	struct kmem_cache *s = suite_cache(t, 80);
	int rc;

	if (!s || !spread(t, s, o, OFFLINE_OBJECTS) || !suite_free_all(t, o, OFFLINE_OBJECTS))
		return false;
	for (int i = 0; i < SUITE_CPUS; i++)
		suite_offline(t, i);
	rc = t->ops->cache_destroy(s);
	if (rc)
		return suite_fail(t, "an empty cache cannot be destroyed with all CPUs offline: %s",
				  strerror(-rc));
	t->nr_caches = 0;
	if (suite_pages(t) > before)
		return suite_fail(t, "%llu pages are still held with all CPUs offline",
				  ull(suite_pages(t) - before));
	return true;
}

/* ---- what it says about itself ---- */

static bool stats_match(struct suite *t, struct kmem_cache *s, uint64_t nr_live)
{
	struct nslab_cache_stats stats;

	t->ops->cache_stats(s, &stats);
	if (!stats.nr_objects && nr_live)
		return suite_skip(t, "it keeps no statistics");
	if (stats.nr_objects - stats.nr_free != nr_live)
		return suite_fail(t, "%llu objects less %llu free ones are not the %llu live ones",
				  ull(stats.nr_objects), ull(stats.nr_free), ull(nr_live));
	if (stats.nr_cpu_free > stats.nr_free || stats.nr_partial > stats.nr_slabs)
		return suite_fail(t,
				  "a part is larger than the whole: %llu of %llu free objects "
				  "on CPUs, %llu of %llu slabs partial",
				  ull(stats.nr_cpu_free), ull(stats.nr_free), ull(stats.nr_partial),
				  ull(stats.nr_slabs));
	if (suite_has(t, NSLAB_CAP_PAGES) && stats.nr_pages > suite_pages(t))
		return suite_fail(t, "it says that %llu pages are in slabs, of %llu it was given",
				  ull(stats.nr_pages), ull(suite_pages(t)));
	return true;
}

bool check_stats(struct suite *t)
{
	struct kmem_cache *s = suite_cache(t, 150);
	struct suite_object o[400];

	if (!s || !spread(t, s, o, 400) || !stats_match(t, s, 400))
		return false;
	if (t->result->verdict == NSLAB_VERDICT_SKIP)
		return suite_free_all(t, o, 400);
	return suite_free_all(t, o, 150) && stats_match(t, s, 250) && suite_free_all(t, o, 400) &&
	       stats_match(t, s, 0);
}

bool check_validate(struct suite *t)
{
	struct kmem_cache *s = suite_cache(t, 56);
	struct suite_object o[500];
	int nr_bad = 0;

	if (!s || !spread(t, s, o, 500))
		return false;
	for (int round = 0; round < 10; round++) {
		nr_bad = t->ops->cache_validate(s);
		if (nr_bad)
			return suite_fail(t, "%d inconsistencies: %s", nr_bad, t->report);
		for (int i = 0; i < 200; i++) {
			size_t at = nslab_rng_below(&t->rng, 500);
			int cpu = (int)nslab_rng_below(&t->rng, SUITE_CPUS);

			if (!suite_free(t, cpu, &o[at]) || !suite_alloc(t, cpu, s, 0, &o[at]))
				return false;
		}
		if (round == 5)
			suite_quiesce(t);
	}
	return suite_free_all(t, o, 500);
}

/* ---- corruption ---- */

/* One byte of damage: is it found, told, and gone the next time? */
static bool corruption_is_found(struct suite *t, struct kmem_cache *s, unsigned char *at,
				const char *what)
{
	int nr_bad;

	*at = (unsigned char)~*at;
	nr_bad = t->ops->cache_validate(s);
	if (nr_bad != 1 || !t->nr_reports)
		return suite_fail(t, "%d inconsistencies and %u reports after %s", nr_bad,
				  t->nr_reports, what);
	t->nr_reports = 0;
	if (t->ops->cache_validate(s))
		return suite_fail(t, "%s is found again: %s", what, t->report);
	return true;
}

bool check_corruption(struct suite *t)
{
	struct nslab_cache_spec spec = suite_spec("corruption", 100);
	struct suite_object o[3];
	struct kmem_cache *s;

	if (t->target->is_debug)
		return suite_skip(t, "the debug layer catches the damage first");
	spec.flags = SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER;
	s = suite_cache_of(t, &spec);
	for (int i = 0; s && i < 3; i++) {
		if (!suite_alloc(t, i, s, 0, &o[i]))
			return false;
	}
	if (!s || !corruption_is_found(t, s, o[0].ptr + 100, "a byte behind an object") ||
	    !corruption_is_found(t, s, o[0].ptr - 1, "a byte before an object"))
		return false;
	t->ops->free(t->cpu[1], s, o[1].ptr);
	return corruption_is_found(t, s, o[1].ptr + 50, "a byte of a freed object") &&
	       suite_free(t, 0, &o[0]) && suite_free(t, 0, &o[2]);
}

/* ---- leak ---- */

bool check_leak(struct suite *t)
{
	static const size_t sizes[] = {8, 64, 192, 1024, 5000, 8192, 30000};
	struct suite_object o[700];
	size_t nr_caches = suite_has(t, NSLAB_CAP_CACHE) ? 4 : 0;

	for (size_t i = 0; i < nr_caches; i++) {
		if (!suite_cache(t, sizes[i]))
			return false;
	}
	for (size_t i = 0; i < 700; i++) {
		size_t which = i % 7;

		if (!suite_alloc(t, (int)(i / 7 % SUITE_CPUS),
				 which < nr_caches ? t->cache[which] : NULL, sizes[which], &o[i]))
			return false;
	}
	if (!suite_free_all(t, o, 700))
		return false;
	if (t->nr_reports)
		return suite_fail(t, "%s", t->report);
	if (!suite_close(t))
		return false;
	return t->nr_reports ? suite_fail(t, "%s", t->report) : true;
}
