/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * remote_free.c: workers in pairs; worker 2k allocates, worker 2k + 1 frees what it gets from it.
 *
 * It imitates objects that die on another CPU than the one that made them: a packet received on one
 * CPU and consumed on another, a request completed by the CPU that took the interrupt. Where the
 * two workers sit is the placement's business, so the same workload measures neighbours on a core
 * and nodes far apart. Windows of the consumers are not counted: one operation is one object that
 * the producer made and that went through the ring.
 *
 * How it works: each pair shares a ring (ring.h), published once per chunk, so that the transport
 * costs little beside what is measured. A side that must wait spins, then yields, and gives up when
 * the run is stopping.
 *
 * Invariants: every object is freed exactly once: by the consumer, or by whichever side of the pair
 * leaves last (`nr_inside` drops to 0), which drains the ring with its own CPU handle. So neither
 * side waits for the other when it leaves. verify() compares numbers and sums of addresses of what
 * was produced with what was consumed and drained.
 */
#include "workloads/ring.h"

#include <numaslab/plugin.h>

struct remote_params {
	int64_t size;
	int64_t ring_objects;
};

struct remote_free {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct nslab_tally tally;
	/* added up when workers leave */
	atomic_uint_fast64_t nr_produced, nr_freed;
	atomic_uint_fast64_t produced_sum, freed_sum; /* of addresses */
	int nr_rings;
	struct nslab_ring *rings;
};

struct remote_worker {
	struct nslab_worker base;
	struct nslab_object_type type;
	struct nslab_ring_end end;
	uintptr_t sum; /* of the addresses that passed */
	bool is_failed;
};

static const struct nslab_param remote_rows[] = {
	NSLAB_SIZE_ROW(remote_params),
	{
		.name = "ring_objects",
		.type = NSLAB_PARAM_INT,
		.offset = offsetof(struct remote_params, ring_objects),
		.def = "1024",
		.min = 1,
		.max = 1 << 20,
		.help = "most objects on their way from a producer to its consumer",
	},
	NSLAB_PARAM_END,
};

static bool remote_is_consumer(const struct remote_worker *self)
{
	return self->base.index & 1;
}

static void remote_teardown(struct nslab_workload *w)
{
	struct remote_free *state = nslab_container_of(w, struct remote_free, base);

	for (int i = 0; state->rings && i < state->nr_rings; i++)
		nslab_ring_exit(&state->rings[i]);
	free(state->rings);
	nslab_object_exit(&state->type);
	free(state);
}

static int remote_rings_create(struct remote_free *state, int nr, size_t nr_slots)
{
	state->rings = nslab_apart_alloc((size_t)nr * sizeof(*state->rings));
	if (!state->rings)
		return -ENOMEM;
	for (; state->nr_rings < nr; state->nr_rings++) {
		int rc = nslab_ring_init(&state->rings[state->nr_rings], nr_slots);

		if (rc)
			return rc;
	}
	return 0;
}

static int remote_setup(struct nslab_run *run, const void *params, struct nslab_workload **w)
{
	const struct remote_params *p = params;
	struct remote_free *state;
	int rc;

	if (run->nr_workers < 2 || run->nr_workers % 2)
		return -EINVAL;
	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->base.run = run;
	rc = remote_rings_create(state, run->nr_workers / 2, (size_t)p->ring_objects);
	if (!rc)
		rc = nslab_object_init(run, "remote_free", (size_t)p->size, &state->type);
	if (rc) {
		remote_teardown(&state->base);
		return rc;
	}
	*w = &state->base;
	return 0;
}

static int remote_worker_init(struct nslab_workload *w, struct nslab_cpu *cpu, int index,
			      struct nslab_worker **worker)
{
	struct remote_free *state = nslab_container_of(w, struct remote_free, base);
	struct remote_worker *self;
	int rc;

	if (index / 2 >= state->nr_rings)
		return -EINVAL;
	self = nslab_apart_alloc(sizeof(*self));
	if (!self)
		return -ENOMEM;
	self->base = (struct nslab_worker){
		.workload = w, .cpu = cpu, .index = index, .is_counted = !(index & 1)};
	rc = nslab_object_type_copy(&state->type, &self->type);
	if (rc) {
		free(self);
		return rc;
	}
	nslab_ring_enter(&state->rings[index / 2], &self->end);
	*worker = &self->base;
	return 0;
}

/* Fills nr slots that are free; returns how many objects there were memory for. */
static inline __attribute__((always_inline)) size_t
remote_put(struct remote_worker *self, size_t nr, const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->type;
	struct nslab_cpu *cpu = self->base.cpu;
	struct nslab_ring_end end = self->end;
	uintptr_t sum = self->sum;
	size_t done = 0;

	for (; done < nr; done++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj)
			break;
		sum += (uintptr_t)obj;
		nslab_ring_put(&end, obj);
	}
	self->end = end;
	self->sum = sum;
	return done;
}

static inline __attribute__((always_inline)) void remote_take(struct remote_worker *self, size_t nr,
							      const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->type;
	struct nslab_cpu *cpu = self->base.cpu;
	struct nslab_ring_end end = self->end;
	uintptr_t sum = self->sum;

	for (size_t i = 0; i < nr; i++) {
		void *obj = nslab_ring_take(&end);

		sum += (uintptr_t)obj;
		nslab_object_free(cpu, &type, obj, entry);
	}
	self->end = end;
	self->sum = sum;
}

static inline __attribute__((always_inline)) size_t
remote_produce(struct remote_worker *self, size_t n, const enum nslab_entry entry)
{
	const atomic_bool *is_stopping = &self->base.workload->run->is_stopping;
	size_t done = 0;

	while (done < n) {
		size_t nr = nslab_ring_min(nslab_ring_room(&self->end), n - done);
		size_t put;

		nr = nslab_ring_min(nr, NSLAB_RING_CHUNK);
		if (!nr) {
			if (!nslab_ring_wait(&self->end, &self->end.ring->head, is_stopping))
				break;
			continue;
		}
		put = remote_put(self, nr, entry);
		nslab_ring_publish_tail(&self->end);
		done += put;
		if (put < nr) {
			self->is_failed = true;
			break;
		}
	}
	return done;
}

static inline __attribute__((always_inline)) size_t
remote_consume(struct remote_worker *self, size_t n, const enum nslab_entry entry)
{
	const atomic_bool *is_stopping = &self->base.workload->run->is_stopping;
	size_t done = 0;

	while (done < n) {
		size_t nr = nslab_ring_min(nslab_ring_there(&self->end), n - done);

		nr = nslab_ring_min(nr, NSLAB_RING_CHUNK);
		if (!nr) {
			if (!nslab_ring_wait(&self->end, &self->end.ring->tail, is_stopping))
				break;
			continue;
		}
		remote_take(self, nr, entry);
		nslab_ring_publish_head(&self->end);
		done += nr;
	}
	return done;
}

static inline __attribute__((always_inline)) size_t
remote_loop(struct nslab_worker *worker, size_t n, const enum nslab_entry entry)
{
	struct remote_worker *self = nslab_container_of(worker, struct remote_worker, base);

	return remote_is_consumer(self) ? remote_consume(self, n, entry)
					: remote_produce(self, n, entry);
}

NSLAB_WORKLOAD_BATCH(remote)

/* By the side that leaves last: both counts are final. */
static void remote_drain(struct remote_worker *self, struct remote_free *state)
{
	uintptr_t sum = 0;
	size_t nr = 0;
	void *obj;

	while ((obj = nslab_ring_drain(self->end.ring))) {
		sum += (uintptr_t)obj;
		nr++;
		nslab_object_free(self->base.cpu, &self->type, obj, state->base.run->entry);
	}
	atomic_fetch_add(&state->nr_freed, nr);
	atomic_fetch_add(&state->freed_sum, sum);
}

static void remote_worker_exit(struct nslab_worker *worker)
{
	struct remote_worker *self = nslab_container_of(worker, struct remote_worker, base);
	struct remote_free *state = nslab_container_of(worker->workload, struct remote_free, base);
	bool is_consumer = remote_is_consumer(self);

	atomic_fetch_add(is_consumer ? &state->nr_freed : &state->nr_produced, self->end.count);
	atomic_fetch_add(is_consumer ? &state->freed_sum : &state->produced_sum, self->sum);
	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	if (nslab_ring_leave(&self->end))
		remote_drain(self, state);
	nslab_object_exit(&self->type);
	free(self);
}

static int remote_verify(struct nslab_workload *w)
{
	struct remote_free *state = nslab_container_of(w, struct remote_free, base);

	if (atomic_load(&state->nr_produced) != atomic_load(&state->nr_freed) ||
	    atomic_load(&state->produced_sum) != atomic_load(&state->freed_sum))
		return -EILSEQ;
	return nslab_tally_verdict(&state->tally);
}

static const struct nslab_workload_ops remote_ops = {
	.name = "remote_free",
	.summary = "pairs of workers: one allocates, the other frees; they share a ring",
	.models = "packets received on one CPU and consumed on another",
	.needs = NSLAB_CAP_REMOTE_FREE,
	.min_workers = 2,
	.worker_group = 2,
	.params = remote_rows,
	.params_size = sizeof(struct remote_params),
	.setup = remote_setup,
	.worker_init = remote_worker_init,
	.batch = NSLAB_WORKLOAD_ENTRIES(remote),
	.worker_exit = remote_worker_exit,
	.verify = remote_verify,
	.teardown = remote_teardown,
};
NSLAB_WORKLOAD_PLUGIN(remote_ops);
