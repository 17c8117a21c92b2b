// SPDX-License-Identifier: GPL-2.0-only
/*
 * conformance_deferred.c: checks of objects that are freed later and of objects taken ahead.
 *
 * An object freed after a grace period must keep its bytes, and be handed out to nobody, until the
 * owner of the handle ends the period; afterwards its cache must be destroyable. A prefilled sheaf
 * must give at least as many objects as were asked for without asking for anything. Both calls
 * exist for every allocator, since the host has defaults for them. Left out: readers that hold a
 * grace period open, which the project does not have.
 */
#include "runner/conformance_suite.h"

#include "core/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RCU_OBJECTS 300 /* more than any default sheaf holds */

/* Objects of s on CPU 0, of which every second waits for the grace period. */
static bool rcu_start(struct suite *t, struct kmem_cache *s, struct suite_object *o)
{
	for (int i = 0; i < RCU_OBJECTS; i++) {
		if (!suite_alloc(t, 0, s, 0, &o[i]))
			return false;
	}
	for (int i = 0; i < RCU_OBJECTS; i += 2)
		t->ops->free_rcu(t->cpu[0], s, o[i].ptr);
	return true;
}

static bool rcu_is_untouched(struct suite *t, const struct suite_object *o,
			     const struct suite_object *fresh)
{
	for (int i = 0; i < RCU_OBJECTS; i += 2) {
		if (!suite_verify(t, &o[i]))
			return false;
		for (int j = 0; j < RCU_OBJECTS; j++) {
			if (fresh[j].ptr == o[i].ptr)
				return suite_fail(t,
						  "%s was handed out again before its grace "
						  "period was over",
						  suite_tell(&o[i]));
		}
	}
	return true;
}

static bool rcu_run(struct suite *t, struct suite_object *o, struct suite_object *fresh)
{
	struct kmem_cache *s = suite_cache(t, 104);

	if (!s || !rcu_start(t, s, o))
		return false;
	for (int i = 0; i < RCU_OBJECTS; i++) {
		if (!suite_alloc(t, i % 2, s, 0, &fresh[i]))
			return false;
	}
	t->ops->cache_shrink(s); /* a flush request does not end it either */
	suite_quiesce(t);
	if (!rcu_is_untouched(t, o, fresh))
		return false;
	t->ops->rcu_barrier(t->cpu[0]);
	for (int i = 0; i < RCU_OBJECTS; i += 2)
		o[i].ptr = NULL;
	/* of use afterwards, also when the handle that frees is another */
	t->ops->rcu_barrier(t->cpu[0]);
	return suite_free_all(t, o, RCU_OBJECTS) && suite_free_all(t, fresh, RCU_OBJECTS) &&
	       suite_drop_caches(t);
}

bool check_rcu(struct suite *t)
{
	struct suite_object *o = calloc(2 * RCU_OBJECTS, sizeof(*o));
	bool is_good = o && rcu_run(t, o, o + RCU_OBJECTS);

	free(o);
	return is_good;
}

bool check_rcu_offline(struct suite *t)
{
	struct kmem_cache *s = suite_cache(t, 48);
	struct suite_object o[RCU_OBJECTS];
	int rc;

	if (!s || !rcu_start(t, s, o))
		return false;
	for (int i = 1; i < RCU_OBJECTS; i += 2) {
		if (!suite_free(t, suite_has(t, NSLAB_CAP_REMOTE_FREE) ? i % SUITE_CPUS : 0, &o[i]))
			return false;
	}
	rc = nslab_world_cache_destroy(t->world, s);
	if (rc != -EBUSY)
		return suite_fail(t,
				  "destroying a cache with objects that wait for a grace period "
				  "gave '%s' instead of '%s'",
				  rc ? strerror(-rc) : "done", strerror(EBUSY));
	suite_offline(t, 0);
	return suite_drop_caches(t) && suite_online(t, 0, 0);
}

/* ---- prefilled sheaves ---- */

#define SHEAF_OBJECTS 200

static bool sheaf_take(struct suite *t, struct kmem_cache *s, struct nslab_sheaf *sheaf,
		       size_t asked, size_t nr, struct suite_object *o)
{
	for (size_t i = 0; i < nr; i++) {
		o[i].cpu = 1;
		o[i].s = s;
		o[i].bytes = s->object_size;
		o[i].ptr =
			t->ops->sheaf_alloc(t->cpu[1], s, i % 2 ? GFP_KERNEL : __GFP_ZERO, sheaf);
		if (!o[i].ptr)
			return suite_fail(t, "a sheaf filled with %zu objects is empty after %zu",
					  asked, i);
		for (size_t b = 0; i % 2 == 0 && b < o[i].bytes; b++) {
			if (o[i].ptr[b])
				return suite_fail(t, "byte %zu of %s from a sheaf is not cleared",
						  b, suite_tell(&o[i]));
		}
		suite_fill(t, &o[i]);
	}
	return true;
}

/* Asks for `asked`, takes `nr` of them, and everything is given back. */
static bool sheaf_round(struct suite *t, struct kmem_cache *s, size_t asked, size_t nr)
{
	struct suite_object o[SHEAF_OBJECTS];
	struct nslab_sheaf *sheaf;
	uint64_t before;
	int rc = t->ops->sheaf_prefill(t->cpu[1], s, GFP_KERNEL, asked, &sheaf);

	if (rc)
		return suite_fail(t, "a sheaf of %zu objects cannot be filled: %s", asked,
				  strerror(-rc));
	before = suite_pages(t);
	if (!sheaf_take(t, s, sheaf, asked, nr, o))
		return false;
	if (suite_pages(t) != before)
		return suite_fail(t, "allocating from a sheaf of %zu objects took pages", asked);
	if (nr == asked) { /* never from the cache: it ends */
		void *more;

		for (size_t i = 0; (more = t->ops->sheaf_alloc(t->cpu[1], s, GFP_KERNEL, sheaf));
		     i++) {
			if (i > 70000)
				return suite_fail(t, "a sheaf of %zu objects has no end", asked);
			kmem_cache_free(t->cpu[1], s, more);
		}
	}
	t->ops->sheaf_return(t->cpu[1], s, GFP_KERNEL, sheaf);
	return suite_free_all(t, o, nr);
}

bool check_sheaf(struct suite *t)
{
	static const size_t sizes[] = {64, 2000};

	for (size_t i = 0; i < 2; i++) {
		struct kmem_cache *s = suite_cache(t, sizes[i]);

		for (size_t asked = 1; s && asked <= SHEAF_OBJECTS; asked += asked / 2 + 1) {
			if (!sheaf_round(t, s, asked, asked) ||
			    !sheaf_round(t, s, asked, asked / 2) || !sheaf_round(t, s, asked, 0))
				return false;
		}
		if (!s)
			return false;
	}
	return suite_drop_caches(t);
}

bool check_sheaf_failure(struct suite *t)
{
	struct kmem_cache *s = suite_cache(t, 1000);
	struct nslab_world_usage usage;
	bool has_failed = false;

	for (uint64_t n = 1; s && n < 30; n++) {
		struct nslab_sheaf *sheaf;
		int rc;

		nslab_world_usage(t->world, &usage);
		nslab_world_fail_at(t->world, usage.nr_page_calls + n, UINT64_MAX);
		rc = t->ops->sheaf_prefill(t->cpu[2], s, GFP_KERNEL, 150, &sheaf);
		nslab_world_fail_at(t->world, 0, 0);
		if (!rc)
			t->ops->sheaf_return(t->cpu[2], s, GFP_KERNEL, sheaf);
		else if (rc != -ENOMEM)
			return suite_fail(t, "a sheaf without pages gave '%s' instead of '%s'",
					  strerror(-rc), strerror(ENOMEM));
		has_failed |= rc != 0;
		t->ops->cache_shrink(s);
		suite_quiesce(t);
		t->ops->cache_shrink(s);
	}
	if (s && !has_failed)
		return suite_fail(t, "a sheaf of 150 objects was filled although no page was left");
	return s && suite_drop_caches(t);
}
