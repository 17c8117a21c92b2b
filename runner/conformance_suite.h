/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * conformance_suite.h: what the checks share. Private to runner/conformance*.c.
 *
 * Checks return true, or what suite_fail() returned. Objects carry a pattern that depends on who
 * owns them, so that two owners of the same bytes are noticed when the first of them looks.
 */
#ifndef NSLAB_CONFORMANCE_SUITE_H
#define NSLAB_CONFORMANCE_SUITE_H

#include "runner/conformance.h"
#include "runner/world.h"

#define SUITE_CPUS   8
#define SUITE_NODES  4
#define SUITE_CACHES 32

struct suite {
	const struct nslab_conformance_target *target;
	struct nslab_conformance_result *result;
	const struct nslab_allocator_ops *ops;
	struct nslab_world *world;
	const struct nslab_env *env;
	struct nslab_heap *heap;
	struct nslab_cpu *cpu[SUITE_CPUS]; /* CPU i is on node i / 2; NULL when offline */
	struct kmem_cache *cache[SUITE_CACHES];
	size_t nr_caches;
	uint64_t rng;
	uint32_t next_tag;
	unsigned nr_reports;
	char report[256]; /* the first line that the world reported */
};

/* A live object and what it is filled with. */
struct suite_object {
	unsigned char *ptr; /* NULL: not live */
	size_t bytes;
	struct kmem_cache *s; /* NULL: from kmalloc */
	int cpu;	      /* that allocated it */
	uint32_t tag;
};

/* Keeps the first failure; returns false. */
bool suite_fail(struct suite *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool suite_skip(struct suite *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline bool suite_has(const struct suite *t, uint64_t caps)
{
	return (t->ops->caps & caps) == caps;
}

/* A spec with everything left to the backend. */
struct nslab_cache_spec suite_spec(const char *name, size_t object_size);

/* Creates a cache that suite_drop_caches() destroys; NULL after suite_fail(). */
struct kmem_cache *suite_cache_of(struct suite *t, const struct nslab_cache_spec *spec);
struct kmem_cache *suite_cache(struct suite *t, size_t object_size);

/* Destroys all of them; fails when one is still busy although nothing is live. */
bool suite_drop_caches(struct suite *t);

bool suite_online(struct suite *t, int cpu, int node);
void suite_offline(struct suite *t, int cpu);
void suite_quiesce(struct suite *t);
uint64_t suite_pages(const struct suite *t);
bool suite_close(struct suite *t);

/* Without filling. s NULL: kmalloc of `bytes`. False after suite_fail() when there is none. */
bool suite_get(struct suite *t, int cpu, struct kmem_cache *s, size_t bytes, int node,
	       struct suite_object *o);
void suite_fill(struct suite *t, struct suite_object *o);
bool suite_verify(struct suite *t, const struct suite_object *o);
/* Get and fill; verify and free on `cpu` (on the allocating one when others may not free). */
bool suite_alloc(struct suite *t, int cpu, struct kmem_cache *s, size_t bytes,
		 struct suite_object *o);
bool suite_free(struct suite *t, int cpu, struct suite_object *o);
/* Frees those that are live, each on a CPU of its own turn. */
bool suite_free_all(struct suite *t, struct suite_object *objects, size_t nr);

/* "object 0x.. of 64 bytes (cache 'c-64', CPU 3)"; four buffers in turn. */
const char *suite_tell(const struct suite_object *o);

/* conformance_objects.c */
bool check_alignment(struct suite *t);
bool check_overlap(struct suite *t);
bool check_ksize(struct suite *t);
bool check_kmalloc(struct suite *t);
bool check_zero(struct suite *t);
bool check_bulk(struct suite *t);
bool check_bulk_failure(struct suite *t);
bool check_remote_free(struct suite *t);
bool check_threads(struct suite *t);

/* conformance_caches.c */
bool check_busy_destroy(struct suite *t);
bool check_shrink(struct suite *t);
bool check_ctor(struct suite *t);
bool check_node(struct suite *t);
bool check_order(struct suite *t);
bool check_page_failure(struct suite *t);
bool check_offline_live(struct suite *t);
bool check_offline_flush(struct suite *t);
bool check_stats(struct suite *t);
bool check_validate(struct suite *t);
bool check_corruption(struct suite *t);
bool check_leak(struct suite *t);

/* conformance_deferred.c */
bool check_rcu(struct suite *t);
bool check_rcu_offline(struct suite *t);
bool check_sheaf(struct suite *t);
bool check_sheaf_failure(struct suite *t);

#endif
