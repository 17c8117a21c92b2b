// SPDX-License-Identifier: GPL-2.0-only
/*
 * bulk.c: objects allocated and freed many at a call, neighbours of each other or strangers.
 *
 * It imitates the network stack, which fills a receive ring with kmem_cache_alloc_bulk and gives
 * packets back with kmem_cache_free_bulk. `neighbours` frees in one call what one call allocated:
 * objects of one or two slabs, which an allocator that groups a bulk by slab returns in as many
 * steps. `scattered` is the traffic of a server that ran for a while: the objects of a call come
 * from all over the live ones, so nearly each belongs to another slab and there is nothing to
 * group.
 *
 * How it works: neighbours are allocated and freed through one array, with nothing else alive. For
 * strangers worker_init fills a set of live_objects; consecutive entries of a random permutation,
 * entered at a random place each time, are gathered into that array and freed, and a bulk
 * allocation fills their places. One operation is one object allocated and freed; batch(n) does
 * whole calls, so it may return up to bulk_objects - 1 more than n. The allocation writes 8 bytes
 * to each object, and the gathering costs a load and a store per object, on every entry alike. On
 * the entries that have no bulk call the objects go one by one, which is the comparison that the
 * kernel's own test of these calls made.
 *
 * Invariants: between two calls nothing is held, or the whole set. A bulk allocation is all or
 * nothing; after one that fails the set shrinks to what it holds, the worker does nothing more, and
 * verify() answers -ENOMEM.
 */
#include "workloads/live.h"
#include "workloads/permutation.h"
#include "workloads/typed.h"

#include <numaslab/plugin.h>

#define BULK_MAX 256 /* objects of a call */

enum bulk_objects {
	BULK_NEIGHBOURS,
	BULK_SCATTERED
};

struct bulk_params {
	int64_t size;
	int64_t bulk_objects;
	int64_t objects;
	int64_t live_objects;
};

struct bulk {
	struct nslab_typed typed;
	struct bulk_params params;
};

struct bulk_worker {
	struct nslab_worker base;
	struct nslab_live live; /* of strangers; neighbours leave it empty */
	uint64_t rng;
	size_t nr_bulk;
	uint32_t *slots; /* a permutation of the set; NULL: neighbours */
	bool is_failed;
	void *objs[BULK_MAX]; /* of one call */
};

static const char *const bulk_choices[] = {"neighbours", "scattered", NULL};

static const struct nslab_param bulk_rows[] = {
	NSLAB_SIZE_ROW(bulk_params),
	{
		.name = "bulk_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct bulk_params, bulk_objects),
		.def = "16",
		.min = 1,
		.max = BULK_MAX,
		.help = "objects of one call",
	},
	{
		.name = "objects",
		.type = NSLAB_PARAM_CHOICE,
		.offset = offsetof(struct bulk_params, objects),
		.def = "neighbours",
		.choices = bulk_choices,
		.help = "freed together: what was allocated together, or objects of many slabs",
	},
	{
		.name = "live_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct bulk_params, live_objects),
		.def = "4096",
		.min = 1,
		.max = 1 << 24,
		.help = "objects that scattered ones are picked from, at least bulk_objects",
	},
	NSLAB_PARAM_END,
};

static int bulk_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct bulk_params *p = params;
	struct bulk *state;
	int rc;

	if (p->objects == BULK_SCATTERED && p->bulk_objects > p->live_objects)
		return -EINVAL;
	state = nslab_typed_create(run, "bulk", p->size, sizeof(*state), &rc);
	if (!state)
		return rc;
	state->params = *p;
	*w = &state->typed.base;
	return 0;
}

static void bulk_worker_free(struct bulk_worker *self)
{
	nslab_live_exit(&self->live, self->base.cpu, self->base.workload->run->entry);
	free(self->slots);
	free(self);
}

static int bulk_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			    struct nslab_worker **worker)
{
	struct bulk *state = nslab_container_of(w, struct bulk, typed.base);
	struct bulk_worker *self = nslab_worker_create(w, cpu, index, sizeof(*self));
	bool is_scattered = state->params.objects == BULK_SCATTERED;
	size_t nr = is_scattered ? (size_t)state->params.live_objects : 0;
	int rc;

	if (!self)
		return -ENOMEM;
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	self->nr_bulk = (size_t)state->params.bulk_objects;
	rc = nslab_live_init(&self->live, &state->typed.type, nr);
	if (!rc && is_scattered) {
		self->slots = nslab_permutation_create((uint32_t)nr, &self->rng);
		rc = self->slots ? nslab_live_fill(&self->live, cpu, nr, w->run->entry) : -ENOMEM;
	}
	if (rc) {
		bulk_worker_free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) bool bulk_round(struct bulk_worker *self,
							     const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	struct nslab_cpu *cpu = self->base.cpu;

	if (!nslab_object_alloc_bulk(cpu, &type, self->nr_bulk, self->objs, entry))
		return false;
	nslab_object_free_bulk(cpu, &type, self->nr_bulk, self->objs, entry);
	return true;
}

/* Frees those in nr_bulk slots together and fills the slots again. */
static inline __attribute__((always_inline)) bool bulk_replace(struct bulk_worker *self,
							       const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->live.type;
	const uint32_t *slots = self->slots + nslab_rng_below(&self->rng, (uint32_t)self->live.nr);
	struct nslab_cpu *cpu = self->base.cpu;
	const size_t nr = self->nr_bulk;
	void **live = self->live.objs;

	for (size_t i = 0; i < nr; i++)
		self->objs[i] = live[slots[i]];
	nslab_object_free_bulk(cpu, &type, nr, self->objs, entry);
	if (!nslab_object_alloc_bulk(cpu, &type, nr, self->objs, entry)) {
		for (size_t i = 0; i < nr; i++)
			live[slots[i]] = NULL;
		nslab_live_pack(&self->live);
		return false;
	}
	for (size_t i = 0; i < nr; i++)
		live[slots[i]] = self->objs[i];
	return true;
}

static inline __attribute__((always_inline)) size_t bulk_loop(struct nslab_worker *worker, size_t n,
							      const enum nslab_entry entry)
{
	struct bulk_worker *self = nslab_container_of(worker, struct bulk_worker, base);
	size_t done = 0;

	while (done < n && !self->is_failed) {
		if (self->slots ? bulk_replace(self, entry) : bulk_round(self, entry))
			done += self->nr_bulk;
		else
			self->is_failed = true;
	}
	return done;
}

NSLAB_WORKLOAD_BATCH(bulk)

static void bulk_worker_exit(struct nslab_worker *worker)
{
	struct bulk_worker *self = nslab_container_of(worker, struct bulk_worker, base);

	nslab_typed_leave(worker, self->is_failed);
	bulk_worker_free(self);
}

static const struct nslab_workload_ops bulk_ops = {
	.name = "bulk",
	.summary = "1 to 256 objects per call, freed with neighbours or with strangers",
	.models = "the network stack's kmem_cache_alloc_bulk and kmem_cache_free_bulk",
	.min_workers = 1,
	.params = bulk_rows,
	.params_size = sizeof(struct bulk_params),
	.setup = bulk_setup,
	.worker_init = bulk_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(bulk),
	.worker_exit = bulk_worker_exit,
	.verify = nslab_typed_verify,
	.teardown = nslab_typed_teardown,
	.catches = "SLUB's bulk calls cost more from 32 objects of 256 bytes on, SLAB's do not "
		   "(measured in 2015 and 2016)",
};
NSLAB_WORKLOAD_PLUGIN(bulk_ops);
