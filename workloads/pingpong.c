/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pingpong.c: every worker allocates one object and frees it at once, over and over.
 *
 * It imitates the shortest life an object has in the kernel: a path name from getname() or an
 * on-stack-sized request that lives for one system call, where the same object is handed out again
 * and again. What is timed is the pair of fast paths and nothing else: one object, always in the
 * first-level cache, no list, no page.
 *
 * Invariants: no object is held between two operations, so a worker that leaves has nothing to
 * free. An allocation that fails ends the batch, and verify() answers -ENOMEM.
 *
 * Left out: any depth. With one live object an array stack and a linked list cost the same; `batch`
 * and `churn` tell them apart.
 */
#include "workloads/common.h"

#include <numaslab/plugin.h>

struct pingpong_params {
	int64_t size;
};

struct pingpong {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct nslab_tally tally;
};

struct pingpong_worker {
	struct nslab_worker base;
	struct nslab_object_type type;
	bool is_failed;
};

static const struct nslab_param pingpong_rows[] = {
	NSLAB_SIZE_ROW(pingpong_params),
	NSLAB_PARAM_END,
};

static int pingpong_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct pingpong_params *p = params;
	struct pingpong *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	rc = nslab_object_init(run, "pingpong", (size_t)p->size, &state->type);
	if (rc) {
		nslab_object_exit(&state->type);
		free(state);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static int pingpong_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
				struct nslab_worker **worker)
{
	struct pingpong *state = nslab_container_of(w, struct pingpong, base);
	struct pingpong_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc;

	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	rc = nslab_object_type_copy(&state->type, &self->type);
	if (rc) {
		free(self);
		return rc;
	}
	*worker = &self->base;
	return 0;
}

static inline __attribute__((always_inline)) size_t
pingpong_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct pingpong_worker *self = nslab_container_of(worker, struct pingpong_worker, base);
	const struct nslab_object_type type = self->type;
	struct nslab_cpu *cpu = worker->cpu;

	for (size_t i = 0; i < n; i++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj) {
			self->is_failed = true;
			return i;
		}
		nslab_object_free(cpu, &type, obj, entry);
	}
	return n;
}

NSLAB_WORKLOAD_BATCH(pingpong)

static void pingpong_worker_exit(struct nslab_worker *worker)
{
	struct pingpong_worker *self = nslab_container_of(worker, struct pingpong_worker, base);
	struct pingpong *state = nslab_container_of(worker->workload, struct pingpong, base);

	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	nslab_object_exit(&self->type);
	free(self);
}

static int pingpong_verify(struct nslab_workload *w)
{
	return nslab_tally_verdict(&nslab_container_of(w, struct pingpong, base)->tally);
}

static void pingpong_teardown(struct nslab_workload *w)
{
	struct pingpong *state = nslab_container_of(w, struct pingpong, base);

	nslab_object_exit(&state->type);
	free(state);
}

static const struct nslab_workload_ops pingpong_ops = {
	.name = "pingpong",
	.summary = "allocate one object and free it at once: the two fast paths",
	.models = "a path name or a request that lives for one system call",
	.min_workers = 1,
	.params = pingpong_rows,
	.params_size = sizeof(struct pingpong_params),
	.setup = pingpong_setup,
	.worker_init = pingpong_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(pingpong),
	.worker_exit = pingpong_worker_exit,
	.verify = pingpong_verify,
	.teardown = pingpong_teardown,
};
NSLAB_WORKLOAD_PLUGIN(pingpong_ops);
