/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * batch.c: every worker allocates a batch of objects, then frees them all: first first, last first
 * or in random order.
 *
 * It imitates work that comes in bursts: reading a directory makes an inode and a dentry for each
 * entry and reclaim drops them together; a network poll takes a budget of packets and frees them
 * when they are sent. The depth makes the per-CPU layers overflow and refill, so the cost of moving
 * a slab or a batch to and from the shared lists shows, and so does the order in which a freelist
 * comes back.
 *
 * How it works: one round is `batch_objects` allocations and as many frees. batch(n) does whole
 * rounds, at least one, so it may return up to batch_objects - 1 more than n; a round cut short
 * would change the depth that is measured. Random order is one permutation per worker, entered at
 * another place each round, so that no random number is drawn in the timed loop.
 *
 * Invariants: no object is held between two rounds. When an allocation fails, the objects of that
 * round are freed and counted, the batch ends, and verify() answers -ENOMEM.
 */
#include "workloads/permutation.h"

#include <numaslab/plugin.h>

enum batch_order {
	BATCH_FIFO,
	BATCH_LIFO,
	BATCH_RANDOM
};

struct batch_params {
	int64_t size;
	int64_t batch_objects;
	int64_t free_order;
};

struct batch {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct batch_params params;
	struct nslab_tally tally;
};

struct batch_worker {
	struct nslab_worker base;
	struct nslab_object_type type;
	size_t nr_objects;
	enum batch_order order;
	void **objs;
	uint32_t *permutation; /* the random order, read from `start` */
	size_t start;
	bool is_failed;
};

static const char *const batch_orders[] = {"fifo", "lifo", "random", NULL};

static const struct nslab_param batch_rows[] = {
	NSLAB_SIZE_ROW(batch_params),
	{
		.name = "batch_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct batch_params, batch_objects),
		.def = "256",
		.min = 1,
		.max = 1 << 20,
		.help = "objects allocated before the first is freed",
	},
	{
		.name = "free_order",
		.type = NSLAB_PARAM_CHOICE,
		.offset = offsetof(struct batch_params, free_order),
		.def = "fifo",
		.choices = batch_orders,
		.help = "the order in which the objects of a batch are freed",
	},
	NSLAB_PARAM_END,
};

static int batch_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	struct batch *state = calloc(1, sizeof(*state));
	int rc;

	if (!state)
		return -ENOMEM;
	state->base.run = run;
	memcpy(&state->params, params, sizeof(state->params));
	rc = nslab_object_init(run, "batch", (size_t)state->params.size, &state->type);
	if (rc) {
		nslab_object_exit(&state->type);
		free(state);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static void batch_worker_free(struct batch_worker *self)
{
	nslab_object_exit(&self->type);
	free(self->permutation);
	free(self->objs);
	free(self);
}

static int batch_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			     struct nslab_worker **worker)
{
	struct batch *state = nslab_container_of(w, struct batch, base);
	struct batch_worker *self = nslab_apart_alloc(sizeof(*self));
	int rc = -ENOMEM;
	uint64_t rng;

	if (!self)
		return rc;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = true};
	self->nr_objects = (size_t)state->params.batch_objects;
	self->order = (enum batch_order)state->params.free_order;
	self->objs = nslab_apart_alloc(self->nr_objects * sizeof(*self->objs));
	rng = nslab_rng_mix(w->run->seed, (uint64_t)index);
	self->permutation = nslab_permutation_create((uint32_t)self->nr_objects, &rng);
	if (!self->objs || !self->permutation)
		goto out_free;
	rc = nslab_object_type_copy(&state->type, &self->type);
	if (rc)
		goto out_free;
	*worker = &self->base;
	return 0;

out_free:
	batch_worker_free(self);
	return rc;
}

/* Frees objs[0..nr) in the worker's order; a round cut short is freed first first. */
static inline __attribute__((always_inline)) void batch_free(struct batch_worker *self,
							     const struct nslab_object_type *type,
							     size_t nr,
							     const enum nslab_entry entry)
{
	struct nslab_cpu *cpu = self->base.cpu;
	const uint32_t *from = self->permutation + self->start;
	void **objs = self->objs;

	switch (nr == self->nr_objects ? self->order : BATCH_FIFO) {
	case BATCH_LIFO:
		for (size_t i = nr; i > 0; i--)
			nslab_object_free(cpu, type, objs[i - 1], entry);
		break;
	case BATCH_RANDOM:
		for (size_t i = 0; i < nr; i++)
			nslab_object_free(cpu, type, objs[from[i]], entry);
		/* any step that is coprime with most sizes visits many starting points */
		self->start = (self->start + 97) % nr;
		break;
	default:
		for (size_t i = 0; i < nr; i++)
			nslab_object_free(cpu, type, objs[i], entry);
		break;
	}
}

static inline __attribute__((always_inline)) size_t
batch_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct batch_worker *self = nslab_container_of(worker, struct batch_worker, base);
	const struct nslab_object_type type = self->type;
	struct nslab_cpu *cpu = worker->cpu;
	const size_t nr_objects = self->nr_objects;
	void **objs = self->objs;
	size_t done = 0;

	while (done < n) {
		size_t nr = 0;

		for (; nr < nr_objects; nr++) {
			objs[nr] = nslab_object_alloc(cpu, &type, entry);
			if (!objs[nr])
				break;
		}
		batch_free(self, &type, nr, entry);
		done += nr;
		if (nr < nr_objects) {
			self->is_failed = true;
			break;
		}
	}
	return done;
}

NSLAB_WORKLOAD_BATCH(batch)

static void batch_worker_exit(struct nslab_worker *worker)
{
	struct batch_worker *self = nslab_container_of(worker, struct batch_worker, base);
	struct batch *state = nslab_container_of(worker->workload, struct batch, base);

	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	batch_worker_free(self);
}

static int batch_verify(struct nslab_workload *w)
{
	return nslab_tally_verdict(&nslab_container_of(w, struct batch, base)->tally);
}

static void batch_teardown(struct nslab_workload *w)
{
	struct batch *state = nslab_container_of(w, struct batch, base);

	nslab_object_exit(&state->type);
	free(state);
}

static const struct nslab_workload_ops batch_ops = {
	.name = "batch",
	.summary = "allocate many objects, then free them all: fifo, lifo or random",
	.models = "a directory read and its reclaim; a network poll's budget of packets",
	.min_workers = 1,
	.params = batch_rows,
	.params_size = sizeof(struct batch_params),
	.setup = batch_setup,
	.worker_init = batch_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(batch),
	.worker_exit = batch_worker_exit,
	.verify = batch_verify,
	.teardown = batch_teardown,
};
NSLAB_WORKLOAD_PLUGIN(batch_ops);
