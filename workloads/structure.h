/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * structure.h: workloads whose objects are the nodes of a data structure, one for each worker.
 *
 * Such a workload uses the object's own bytes, so it has no NSLAB_ENTRY_NONE (which hands out the
 * same bytes each time). States begin with the two structures below. Before a worker
 * gives its nodes back it checks the structure; what it found is what verify() answers.
 */
#ifndef NSLAB_WORKLOADS_STRUCTURE_H
#define NSLAB_WORKLOADS_STRUCTURE_H

#include "core/rng.h"
#include "workloads/common.h"

/* The loops of the three entries that have objects, and their places in the ops table. */
#define NSLAB_STRUCTURE_BATCH(x)                                                                   \
 static size_t x##_cache(struct nslab_worker *worker, size_t n)                                    \
 {                                                                                                 \
  return x##_loop(worker, n, NSLAB_ENTRY_CACHE);                                                   \
 }                                                                                                 \
 static size_t x##_kmalloc(struct nslab_worker *worker, size_t n)                                  \
 {                                                                                                 \
  return x##_loop(worker, n, NSLAB_ENTRY_KMALLOC);                                                 \
 }                                                                                                 \
 static size_t x##_malloc(struct nslab_worker *worker, size_t n)                                   \
 {                                                                                                 \
  return x##_loop(worker, n, NSLAB_ENTRY_MALLOC);                                                  \
 }
#define NSLAB_STRUCTURE_ENTRIES(x)                                                                 \
 {                                                                                                 \
  [NSLAB_ENTRY_CACHE] = x##_cache, [NSLAB_ENTRY_KMALLOC] = x##_kmalloc,                            \
  [NSLAB_ENTRY_MALLOC] = x##_malloc,                                                               \
 }

/* A size row whose smallest value holds the node. */
#define NSLAB_STRUCTURE_SIZE_ROW(params, d, node)                                                  \
 {                                                                                                 \
  .name = "size", .type = NSLAB_PARAM_INT, .offset = offsetof(struct params, size), .def = (d),    \
  .min = (int64_t)sizeof(struct node), .max = NSLAB_WORKLOAD_SIZE_MAX,                             \
  .help = "bytes of each object, which has the links in it"                                        \
 }

/* Begins the state of a workload. */
struct nslab_structure {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct nslab_tally tally;
	atomic_uint_fast64_t nr_broken; /* invariants found broken */
};

/* Begins the state of a worker. */
struct nslab_structure_worker {
	struct nslab_worker base;
	struct nslab_object_type type; /* its own copy */
	uint64_t rng;
	uint64_t nr_broken;
	bool is_failed; /* met an allocation failure */
};

/* A zeroed state of state_bytes, with the type of its objects. */
static inline int nslab_structure_setup(struct nslab_run *run, const char *name, int64_t size_bytes,
					size_t state_bytes, struct nslab_workload **w)
{
	struct nslab_structure *state = calloc(1, state_bytes);
	int rc;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	rc = nslab_object_init(run, name, (size_t)size_bytes, &state->type);
	if (rc) {
		nslab_object_exit(&state->type);
		free(state);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static inline int nslab_structure_verify(struct nslab_workload *w)
{
	struct nslab_structure *state = nslab_container_of(w, struct nslab_structure, base);

	return atomic_load(&state->nr_broken) ? -EILSEQ : nslab_tally_verdict(&state->tally);
}

static inline void nslab_structure_teardown(struct nslab_workload *w)
{
	struct nslab_structure *state = nslab_container_of(w, struct nslab_structure, base);

	nslab_object_exit(&state->type);
	free(state);
}

/* `self` is zeroed. nslab_structure_worker_exit() is right after success and failure. */
static inline int nslab_structure_worker_init(struct nslab_structure_worker *self,
					      struct nslab_workload *w, struct nslab_cpu *cpu,
					      int index)
{
	struct nslab_structure *state = nslab_container_of(w, struct nslab_structure, base);

	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	return nslab_object_type_copy(&state->type, &self->type);
}

static inline void nslab_structure_worker_exit(struct nslab_structure_worker *self)
{
	struct nslab_structure *state =
		nslab_container_of(self->base.workload, struct nslab_structure, base);

	atomic_fetch_add(&state->nr_broken, self->nr_broken);
	atomic_fetch_add(&state->tally.nr_failed, self->is_failed);
	nslab_object_exit(&self->type);
}

/* Stands in every node; says that the bytes are still those of the object that was put there. */
static inline uint64_t nslab_structure_stamp(const void *node, uint64_t key)
{
	return (uint64_t)(uintptr_t)node ^ (key + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The next number of the worker's stream, scaled to 0 .. bound - 1; bound < 2^32. */
static inline __attribute__((always_inline)) uint64_t nslab_structure_draw(uint64_t *rng,
									   uint64_t bound)
{
	*rng = *rng * UINT64_C(0xd1342543de82ef95) + 1;
	return ((*rng >> 32) * bound) >> 32;
}

#endif
