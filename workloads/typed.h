/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * typed.h: the state of a workload whose objects are of one type, and of its workers: made, judged
 * and dropped. A workload puts struct nslab_typed first in its state, and struct nslab_worker first
 * in its worker's.
 */
#ifndef NSLAB_WORKLOADS_TYPED_H
#define NSLAB_WORKLOADS_TYPED_H

#include "workloads/common.h"

struct nslab_typed {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct nslab_tally tally;
};

static inline void nslab_typed_teardown(struct nslab_workload *w)
{
	struct nslab_typed *typed = nslab_container_of(w, struct nslab_typed, base);

	nslab_object_exit(&typed->type);
	free(typed);
}

/* A state of state_bytes, zeroed but for its type of `size_bytes` objects; NULL and *rc set. */
static inline void *nslab_typed_create(struct nslab_run *run, const char *name, int64_t size_bytes,
				       size_t state_bytes, int *rc)
{
	struct nslab_typed *typed = calloc(1, state_bytes);

	*rc = -ENOMEM;
	if (!typed)
		return NULL;
	typed->base.run = run;
	*rc = nslab_object_init(run, name, (size_t)size_bytes, &typed->type);
	if (!*rc)
		return typed;
	nslab_typed_teardown(&typed->base);
	return NULL;
}

static inline int nslab_typed_verify(struct nslab_workload *w)
{
	return nslab_tally_verdict(&nslab_container_of(w, struct nslab_typed, base)->tally);
}

/* By each worker that leaves. */
static inline void nslab_typed_leave(const struct nslab_worker *worker, bool is_failed)
{
	struct nslab_typed *typed = nslab_container_of(worker->workload, struct nslab_typed, base);

	if (is_failed)
		atomic_fetch_add(&typed->tally.nr_failed, 1);
}

/* A counted worker of bytes, zeroed, on cache lines of its own; NULL when memory is out. */
static inline void *nslab_worker_create(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
					size_t bytes)
{
	struct nslab_worker *worker = nslab_apart_alloc(bytes);

	if (worker)
		*worker = (struct nslab_worker){
			.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	return worker;
}

#endif
