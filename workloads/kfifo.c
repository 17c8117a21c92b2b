/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kfifo.c: workers in pairs send each other pointers to objects, in order, both ways at once.
 *
 * It imitates a driver whose queues of requests and completions run between two CPUs: each side
 * allocates what it sends and frees what it gets, so every object dies on the other CPU than the
 * one that made it, while both CPUs allocate. (remote_free has one direction only, so there the
 * consumer never allocates and its layers only fill up.)
 *
 * How it works: each pair has two rings (ring.h), one for each direction. A worker puts objects
 * into the one as long as there is room and frees what has come through the other, in chunks, and
 * waits only when it can do neither. One operation is one object that the worker allocated; its
 * partner frees it.
 *
 * Invariants: objects come out in the order in which they went in: each carries its number and a
 * stamp, and whoever takes it compares. A ring is emptied by whichever side leaves last. verify()
 * answers -EILSEQ when a number or stamp was wrong, or when fewer came out than went in.
 *
 * Left out: rings that more than two CPUs share, and records of bytes instead of pointers.
 */
#include "workloads/ring.h"
#include "workloads/structure.h"

#include <numaslab/plugin.h>

struct kfifo_params {
	int64_t size, ring_objects;
};

struct kfifo_node {
	uint64_t stamp;
	uint64_t number;
};

struct kfifo {
	struct nslab_structure base;
	struct nslab_ring *rings; /* [worker]: what this worker sends */
	int nr_rings;
	atomic_uint_fast64_t nr_sent, nr_received;
};

struct kfifo_worker {
	struct nslab_structure_worker base;
	struct nslab_ring_end out, in;
};

static const struct nslab_param kfifo_rows[] = {
	NSLAB_STRUCTURE_SIZE_ROW(kfifo_params, "256", kfifo_node),
	{
		.name = "ring_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct kfifo_params, ring_objects),
		.def = "256",
		.min = 1,
		.max = 1 << 20,
		.help = "most objects on their way in each direction",
	},
	NSLAB_PARAM_END,
};

static void kfifo_teardown(struct nslab_workload *w)
{
	struct kfifo *state = nslab_container_of(w, struct kfifo, base.base);

	for (int i = 0; i < state->nr_rings; i++)
		nslab_ring_exit(&state->rings[i]);
	free(state->rings);
	nslab_structure_teardown(w);
}

static int kfifo_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct kfifo_params *p = params;
	struct kfifo *state;
	int rc = -EINVAL;

	if (run->nr_workers >= 2 && run->nr_workers % 2 == 0)
		rc = nslab_structure_setup(run, "kfifo", p->size, sizeof(*state), w);
	if (rc)
		return rc;
	state = nslab_container_of(*w, struct kfifo, base.base);
	state->rings = nslab_apart_alloc((size_t)run->nr_workers * sizeof(*state->rings));
	rc = state->rings ? 0 : -ENOMEM;
	for (int i = 0; !rc && i < run->nr_workers; i++) {
		rc = nslab_ring_init(&state->rings[i], (size_t)p->ring_objects);
		state->nr_rings += !rc;
	}
	if (rc)
		kfifo_teardown(*w);
	return rc;
}

static int kfifo_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			     struct nslab_worker **worker)
{
	struct kfifo *state = nslab_container_of(w, struct kfifo, base.base);
	struct kfifo_worker *self;
	int rc;

	if (index >= state->nr_rings)
		return -EINVAL;
	self = nslab_apart_alloc(sizeof(*self));
	if (!self)
		return -ENOMEM;
	rc = nslab_structure_worker_init(&self->base, w, cpu, index);
	if (rc) {
		free(self);
		return rc;
	}
	nslab_ring_enter(&state->rings[index], &self->out);
	nslab_ring_enter(&state->rings[index ^ 1], &self->in);
	*worker = &self->base.base;
	return 0;
}

/* ---- operations ---- */

/* Into nr slots that are free; how many objects there was memory for. */
static inline __attribute__((always_inline)) size_t kfifo_send(struct kfifo_worker *self, size_t nr,
							       const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->base.type;
	struct nslab_cpu *cpu = self->base.base.cpu;
	struct nslab_ring_end out = self->out;
	size_t done = 0;

	for (; done < nr; done++) {
		struct kfifo_node *node = nslab_object_alloc(cpu, &type, entry);

		if (!node)
			break;
		node->number = out.count;
		node->stamp = nslab_structure_stamp(node, out.count);
		nslab_ring_put(&out, node);
	}
	self->out = out;
	nslab_ring_publish_tail(&self->out);
	return done;
}

static inline bool kfifo_is_right(const struct kfifo_node *node, uint64_t number)
{
	return node->number == number && node->stamp == nslab_structure_stamp(node, number);
}

static inline __attribute__((always_inline)) void
kfifo_receive(struct kfifo_worker *self, size_t nr, const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->base.type;
	struct nslab_cpu *cpu = self->base.base.cpu;
	struct nslab_ring_end in = self->in;
	uint64_t nr_broken = 0;

	for (size_t i = 0; i < nr; i++) {
		uint64_t number = in.count;
		struct kfifo_node *node = nslab_ring_take(&in);

		nr_broken += !kfifo_is_right(node, number);
		nslab_object_free(cpu, &type, node, entry);
	}
	self->in = in;
	self->base.nr_broken += nr_broken;
	nslab_ring_publish_head(&self->in);
}

/* Until there is room in the one ring or something in the other; false when stopping. */
static bool kfifo_wait(struct kfifo_worker *self)
{
	const atomic_bool *is_stopping = &self->base.base.workload->run->is_stopping;

	for (unsigned spins = 1;; spins++) {
		nslab_ring_look(&self->out, &self->out.ring->head);
		nslab_ring_look(&self->in, &self->in.ring->tail);
		if (nslab_ring_room(&self->out) || nslab_ring_there(&self->in))
			return true;
		if (atomic_load_explicit(is_stopping, memory_order_relaxed))
			return false;
		if (spins % 256)
			nslab_cpu_relax();
		else
			sched_yield();
	}
}

static inline __attribute__((always_inline)) size_t
kfifo_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct kfifo_worker *self = nslab_container_of(worker, struct kfifo_worker, base.base);
	size_t done = 0;

	while (done < n) {
		size_t room = nslab_ring_min(nslab_ring_room(&self->out), n - done);
		size_t there = nslab_ring_there(&self->in);
		size_t sent;

		room = nslab_ring_min(room, NSLAB_RING_CHUNK);
		there = nslab_ring_min(there, NSLAB_RING_CHUNK);
		if (!room && !there) {
			if (!kfifo_wait(self))
				break;
			continue;
		}
		if (there)
			kfifo_receive(self, there, entry);
		sent = kfifo_send(self, room, entry);
		done += sent;
		if (sent < room) {
			self->base.is_failed = true;
			break;
		}
		/* what came meanwhile is only seen by looking */
		nslab_ring_look(&self->in, &self->in.ring->tail);
	}
	return done;
}

NSLAB_STRUCTURE_BATCH(kfifo)

/* ---- end ---- */

/* By the side that leaves last: both counts are final. */
static void kfifo_drain(struct kfifo_worker *self, struct nslab_ring *ring)
{
	struct kfifo *state = nslab_container_of(self->base.base.workload, struct kfifo, base.base);
	uint64_t number = atomic_load(&ring->head);
	struct kfifo_node *node;

	while ((node = nslab_ring_drain(ring))) {
		self->base.nr_broken += !kfifo_is_right(node, number++);
		nslab_object_free(self->base.base.cpu, &self->base.type, node,
				  state->base.base.run->entry);
		atomic_fetch_add(&state->nr_received, 1);
	}
}

static void kfifo_worker_exit(struct nslab_worker *worker)
{
	struct kfifo_worker *self = nslab_container_of(worker, struct kfifo_worker, base.base);
	struct kfifo *state = nslab_container_of(worker->workload, struct kfifo, base.base);

	atomic_fetch_add(&state->nr_sent, self->out.count);
	atomic_fetch_add(&state->nr_received, self->in.count);
	if (nslab_ring_leave(&self->out))
		kfifo_drain(self, self->out.ring);
	if (nslab_ring_leave(&self->in))
		kfifo_drain(self, self->in.ring);
	nslab_structure_worker_exit(&self->base);
	free(self);
}

static int kfifo_verify(struct nslab_workload *w)
{
	struct kfifo *state = nslab_container_of(w, struct kfifo, base.base);

	if (atomic_load(&state->nr_sent) != atomic_load(&state->nr_received))
		return -EILSEQ;
	return nslab_structure_verify(w);
}

static void kfifo_figures(struct nslab_workload *w, struct nslab_figures *figures)
{
	struct kfifo *state = nslab_container_of(w, struct kfifo, base.base);

	figures->figure(figures, "received", (double)atomic_load(&state->nr_received), "objects");
}

static const struct nslab_workload_ops kfifo_ops = {
	.name = "kfifo",
	.summary = "pairs of workers send each other objects through rings, both ways at once",
	.models = "include/linux/kfifo.h between a driver's request and completion CPUs",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 2,
	.worker_group = 2,
	.params = kfifo_rows,
	.params_size = sizeof(struct kfifo_params),
	.setup = kfifo_setup,
	.worker_init = kfifo_worker_init,
	.batch = NSLAB_STRUCTURE_ENTRIES(kfifo),
	.worker_exit = kfifo_worker_exit,
	.verify = kfifo_verify,
	.figures = kfifo_figures,
	.teardown = kfifo_teardown,
};
NSLAB_WORKLOAD_PLUGIN(kfifo_ops);
