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
 * How it works: each pair has a ring with one producer and one consumer. `tail` counts the objects
 * put in and is stored only by the producer, `head` those taken out and is stored only by the
 * consumer; they lie on cache lines of their own and are published once per chunk, so that the
 * transport costs little beside what is measured. Each side works from its last look at the other's
 * count and looks again only when the ring seems full or empty. A side that must wait spins, then
 * yields, and gives up when the run is stopping.
 *
 * Barriers: the release store of tail pairs with the consumer's acquire load (the slots are written
 * before they are seen), the release store of head with the producer's (slots are read before they
 * are written again).
 *
 * Invariants: every object is freed exactly once: by the consumer, or by whichever side of the pair
 * leaves last (`nr_inside` drops to 0), which drains the ring with its own CPU handle. So neither
 * side waits for the other when it leaves. verify() compares numbers and sums of addresses of what
 * was produced with what was consumed and drained.
 */
#include "workloads/common.h"

#include "core/lock.h"

#include <numaslab/plugin.h>

#define REMOTE_CHUNK 32u /* objects between two publications */

struct remote_params {
	int64_t size;
	int64_t ring_objects;
};

struct remote_ring {
	NSLAB_ALIGNED(NSLAB_APART) atomic_size_t tail;
	NSLAB_ALIGNED(NSLAB_APART) atomic_size_t head;
	NSLAB_ALIGNED(NSLAB_APART) void **slots;
	size_t nr_slots;
	NSLAB_ALIGNED(NSLAB_APART) atomic_int nr_inside;
};

struct remote_free {
	struct nslab_workload base;
	struct nslab_object_type type;
	struct nslab_tally tally;
	/* added up when workers leave */
	atomic_uint_fast64_t nr_produced, nr_freed;
	atomic_uint_fast64_t produced_sum, freed_sum; /* of addresses */
	int nr_rings;
	struct remote_ring *rings;
};

struct remote_worker {
	struct nslab_worker base;
	struct nslab_object_type type;
	struct remote_ring *ring;
	size_t count;  /* own side of the ring: tail of a producer, head of a consumer */
	size_t other;  /* the other side, as last seen */
	size_t pos;    /* slot of `count` */
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
		free(state->rings[i].slots);
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
		struct remote_ring *ring = &state->rings[state->nr_rings];

		ring->nr_slots = nr_slots;
		ring->slots = nslab_apart_alloc(nr_slots * sizeof(*ring->slots));
		if (!ring->slots)
			return -ENOMEM;
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
	self->ring = &state->rings[index / 2];
	rc = nslab_object_type_copy(&state->type, &self->type);
	if (rc) {
		free(self);
		return rc;
	}
	atomic_fetch_add(&self->ring->nr_inside, 1);
	*worker = &self->base;
	return 0;
}

/* Looks at the other side until it has moved past `stuck`; false when the run is stopping. */
static bool remote_wait(struct remote_worker *self, atomic_size_t *other, size_t stuck)
{
	const atomic_bool *is_stopping = &self->base.workload->run->is_stopping;

	for (unsigned spins = 1;; spins++) {
		self->other = atomic_load_explicit(other, memory_order_acquire);
		if (self->other != stuck)
			return true;
		if (atomic_load_explicit(is_stopping, memory_order_relaxed))
			return false;
		if (spins % 256)
			nslab_cpu_relax();
		else
			sched_yield();
	}
}

static size_t remote_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Fills nr slots that are free; returns how many objects there were memory for. */
static inline __attribute__((always_inline)) size_t
remote_put(struct remote_worker *self, size_t nr, const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->type;
	struct nslab_cpu *cpu = self->base.cpu;
	const size_t nr_slots = self->ring->nr_slots;
	void **slots = self->ring->slots;
	uintptr_t sum = self->sum;
	size_t pos = self->pos;
	size_t done = 0;

	for (; done < nr; done++) {
		void *obj = nslab_object_alloc(cpu, &type, entry);

		if (!obj)
			break;
		sum += (uintptr_t)obj;
		slots[pos] = obj;
		pos = pos + 1 == nr_slots ? 0 : pos + 1;
	}
	self->pos = pos;
	self->sum = sum;
	return done;
}

static inline __attribute__((always_inline)) void remote_take(struct remote_worker *self, size_t nr,
							      const enum nslab_entry entry)
{
	const struct nslab_object_type type = self->type;
	struct nslab_cpu *cpu = self->base.cpu;
	const size_t nr_slots = self->ring->nr_slots;
	void **slots = self->ring->slots;
	uintptr_t sum = self->sum;
	size_t pos = self->pos;

	for (size_t i = 0; i < nr; i++) {
		void *obj = slots[pos];

		sum += (uintptr_t)obj;
		nslab_object_free(cpu, &type, obj, entry);
		pos = pos + 1 == nr_slots ? 0 : pos + 1;
	}
	self->pos = pos;
	self->sum = sum;
}

static inline __attribute__((always_inline)) size_t
remote_produce(struct remote_worker *self, size_t n, const enum nslab_entry entry)
{
	struct remote_ring *ring = self->ring;
	size_t done = 0;

	while (done < n) {
		size_t room = ring->nr_slots - (self->count - self->other);
		size_t nr = remote_min(remote_min(room, n - done), REMOTE_CHUNK);
		size_t put;

		if (!nr) {
			if (!remote_wait(self, &ring->head, self->other))
				break;
			continue;
		}
		put = remote_put(self, nr, entry);
		self->count += put;
		atomic_store_explicit(&ring->tail, self->count, memory_order_release);
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
	struct remote_ring *ring = self->ring;
	size_t done = 0;

	while (done < n) {
		size_t there = self->other - self->count;
		size_t nr = remote_min(remote_min(there, n - done), REMOTE_CHUNK);

		if (!nr) {
			if (!remote_wait(self, &ring->tail, self->other))
				break;
			continue;
		}
		remote_take(self, nr, entry);
		self->count += nr;
		atomic_store_explicit(&ring->head, self->count, memory_order_release);
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
	struct remote_ring *ring = self->ring;
	size_t tail = atomic_load(&ring->tail);
	uintptr_t sum = 0;
	size_t nr = 0;

	for (size_t at = atomic_load(&ring->head); at != tail; at++, nr++) {
		void *obj = ring->slots[at % ring->nr_slots];

		sum += (uintptr_t)obj;
		nslab_object_free(self->base.cpu, &self->type, obj, state->base.run->entry);
	}
	atomic_store(&ring->head, tail);
	atomic_fetch_add(&state->nr_freed, nr);
	atomic_fetch_add(&state->freed_sum, sum);
}

static void remote_worker_exit(struct nslab_worker *worker)
{
	struct remote_worker *self = nslab_container_of(worker, struct remote_worker, base);
	struct remote_free *state = nslab_container_of(worker->workload, struct remote_free, base);
	bool is_consumer = remote_is_consumer(self);

	atomic_fetch_add(is_consumer ? &state->nr_freed : &state->nr_produced, self->count);
	atomic_fetch_add(is_consumer ? &state->freed_sum : &state->produced_sum, self->sum);
	if (self->is_failed)
		atomic_fetch_add(&state->tally.nr_failed, 1);
	if (atomic_fetch_sub_explicit(&self->ring->nr_inside, 1, memory_order_acq_rel) == 1)
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
